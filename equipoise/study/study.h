#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/allocation/rule.h"
#include "equipoise/analysis/plan.h"
#include "equipoise/core/expected.h"
#include "equipoise/protocol/protocol.h"

/// One checked bundle: the protocol, and what the rooms that own its methods made of their sections.
namespace equipoise::study {

/// A published method that the protocol names and this build does not carry. Not a problem until it is to be run.
struct Unavailable {
  Place place;
  std::string method;
  std::string user;  ///< "analysis 'a01_cd4'"
};

struct Study {
  protocol::Protocol protocol;
  std::optional<allocation::Rule> rule{};  ///< of [randomisation]
  analysis::Plan plan;                     ///< the analyses this build can run
  std::vector<Unavailable> unavailable;    ///< in file order
  Problems warnings;                       ///< what is allowed and probably not meant; see warnings.h
  std::vector<std::string> not_used;       ///< what the file says and nothing in this build reads; see unused.h
};

/// Reads and checks a protocol file's bytes. All problems of all rooms, joined in file order.
Checked<Study> load(std::string_view bytes, std::string const& file);

/// "not available in this build: mmrm (analysis 'a01_cd4', line 283)", one a line.
std::string to_text(std::vector<Unavailable> const& unavailable);

}  // namespace equipoise::study
