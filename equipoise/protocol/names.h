#pragma once

#include "equipoise/expression/expression.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::protocol {

/// What an item of the kind is in an expression.
expression::Type type_of(ItemKind kind);

/// What the names in a protocol's expressions mean: items, derivations and
///   randomised (truth), randomisation (date), arm, site (codes): one value a participant.
class ProtocolNames final : public expression::Names {
 public:
  explicit ProtocolNames(Protocol const& protocol) : protocol_(protocol) {}

  std::optional<Variable> variable(std::string_view name) const override;
  bool has_visit(std::string_view visit) const override;
  bool has_form(std::string_view form) const override;
  bool collected(std::string_view name, std::string_view visit) const override;
  std::vector<std::string> all_variables() const override;
  std::vector<std::string> all_visits() const override;
  std::vector<std::string> all_forms() const override;

 private:
  Protocol const& protocol_;
};

/// The codes of dated events: of every code item in a form without a visit that has a date item too.
std::vector<std::string> dated_events(Protocol const& protocol);

}  // namespace equipoise::protocol
