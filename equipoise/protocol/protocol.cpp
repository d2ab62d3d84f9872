#include "equipoise/protocol/protocol.h"

#include <algorithm>

namespace equipoise::protocol {
namespace {

template <class List>
auto find_id(List const& list, std::string_view id) -> decltype(list.data()) {
  const auto found = std::ranges::find(list, id, [](auto const& element) -> std::string_view { return element.id; });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

std::string const& Text::in(std::string_view language) const {
  static const std::string nothing;
  for (auto const& [code, text] : in_language)
    if (code == language) return text;
  return in_language.empty() ? nothing : in_language.front().second;
}

Arm const* Protocol::arm(std::string_view id) const { return find_id(arms, id); }
Form const* Protocol::form(std::string_view id) const { return find_id(forms, id); }
Visit const* Protocol::visit(std::string_view id) const { return find_id(visits, id); }
Endpoint const* Protocol::endpoint(std::string_view id) const { return find_id(endpoints, id); }
Estimand const* Protocol::estimand(std::string_view id) const { return find_id(estimands, id); }
AnalysisSet const* Protocol::set(std::string_view id) const { return find_id(sets, id); }
Derivation const* Protocol::derivation(std::string_view id) const { return find_id(derivations, id); }

Item const* Protocol::item(std::string_view id) const {
  for (Form const& form : forms)
    if (const Item* found = find_id(form.items, id)) return found;
  return nullptr;
}

Arm const* Protocol::control() const {
  const auto found = std::ranges::find_if(arms, [](Arm const& arm) { return arm.role != ArmRole::investigational; });
  return found == arms.end() ? nullptr : &*found;
}

}  // namespace equipoise::protocol
