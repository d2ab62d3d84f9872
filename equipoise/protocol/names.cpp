#include "equipoise/protocol/names.h"

#include <algorithm>

#include "equipoise/protocol/reader.h"

namespace equipoise::protocol {
using expression::Type;

Type type_of(ItemKind kind) {
  switch (kind) {
    case ItemKind::number:
    case ItemKind::integer:
      return Type::number;
    case ItemKind::code:
      return Type::code;
    case ItemKind::flag:
      return Type::truth;
    case ItemKind::date:
      return Type::date;
    case ItemKind::text:
      return Type::text;
  }
  return Type::text;
}

std::optional<expression::Names::Variable> ProtocolNames::variable(std::string_view name) const {
  if (name == "randomised") return Variable{.type = Type::truth, .at_visit = false};
  if (name == "randomisation") return Variable{.type = Type::date, .at_visit = false};
  if (name == "arm") return Variable{.type = Type::code, .codes = ids_of(protocol_.arms), .at_visit = false};
  if (name == "site") return Variable{.type = Type::code, .codes = ids_of(protocol_.sites), .at_visit = false};
  if (const Item* item = protocol_.item(name))
    return Variable{.type = type_of(item->kind), .form = item->form, .codes = ids_of(item->codes), .unit = item->unit};
  if (const Derivation* derivation = protocol_.derivation(name))
    return Variable{.type = derivation->rule ? derivation->rule.type() : Type::number, .unit = derivation->unit};
  return {};
}

bool ProtocolNames::has_visit(std::string_view visit) const { return protocol_.visit(visit) != nullptr; }
bool ProtocolNames::has_form(std::string_view form) const { return protocol_.form(form) != nullptr; }

bool ProtocolNames::collected(std::string_view name, std::string_view visit) const {
  const Visit* at = protocol_.visit(visit);
  if (!at) return false;
  if (const Item* item = protocol_.item(name)) return std::ranges::find(at->forms, item->form) != at->forms.end();
  if (const Derivation* derivation = protocol_.derivation(name)) {
    if (!derivation->rule) return true;  // broken elsewhere: one report is enough
    for (std::string const& read : derivation->rule.variables())
      if (read != name && read.find('@') == std::string::npos && (protocol_.item(read) || protocol_.derivation(read)) &&
          !collected(read, visit))
        return false;
    return true;
  }
  return false;
}

std::vector<std::string> ProtocolNames::all_variables() const {
  std::vector<std::string> names{"randomised", "randomisation", "arm", "site"};
  for (Form const& form : protocol_.forms)
    for (Item const& item : form.items) names.push_back(item.id);
  for (Derivation const& derivation : protocol_.derivations) names.push_back(derivation.id);
  return names;
}

std::vector<std::string> ProtocolNames::all_visits() const { return ids_of(protocol_.visits); }
std::vector<std::string> ProtocolNames::all_forms() const { return ids_of(protocol_.forms); }

}  // namespace equipoise::protocol
