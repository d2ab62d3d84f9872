#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "equipoise/protocol/protocol.h"

/// Data files that this program writes itself: a row for each visit of a participant that took place and for each entry of a form
/// without a visit; and the protocol that reads such a file.
namespace equipoise::protocol {

/// Columns beside those of the items: participant, site, arm, arm_received, randomised, order, last_seen, day, visit, form.
struct VisitRows {
  struct Form {
    protocol::Form const* form;
    std::vector<Item const*> items;
  };
  std::string file;
  std::vector<Item const*> items{};  ///< of visits
  std::vector<Form> forms{};         ///< without a visit
  bool arms = true;                  ///< whether the file says them
  std::string note{};                ///< origin, for the provenance
};

/// The column of an item: "form.item".
std::string column_name(Item const& item);
/// The text by which such a file names a site: its id, except where that is the name of another one.
std::string site_text(Protocol const& protocol, Site const& site);

/// The table with the member set to the value: where it stands, or at the end.
Node with_member(Node const& from, std::string_view key, Node value);

/// The document as a protocol file whose [source] is the one of the rows, with `head` above it (lines of a comment, each from '#').
std::string protocol_with_source(Node const& document, Protocol const& protocol, VisitRows const& rows, std::string_view head);

}  // namespace equipoise::protocol
