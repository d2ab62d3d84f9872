#include "equipoise/protocol/protocol.h"

#include <algorithm>

namespace equipoise::protocol {
namespace {

template <class T>
T const* by_id(std::vector<T> const& list, std::string_view id) {
  const auto found = std::find_if(list.begin(), list.end(), [&](T const& entry) { return entry.id == id; });
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

std::string const& Text::in(std::string_view language) const {
  static const std::string nothing;
  for (auto const& [name, text] : in_language)
    if (name == language) return text;
  return in_language.empty() ? nothing : in_language.front().second;
}

Arm const* Protocol::arm(std::string_view id) const { return by_id(arms, id); }
Form const* Protocol::form(std::string_view id) const { return by_id(forms, id); }
Visit const* Protocol::visit(std::string_view id) const { return by_id(visits, id); }
Endpoint const* Protocol::endpoint(std::string_view id) const { return by_id(endpoints, id); }
Estimand const* Protocol::estimand(std::string_view id) const { return by_id(estimands, id); }
AnalysisSet const* Protocol::set(std::string_view id) const { return by_id(sets, id); }
Derivation const* Protocol::derivation(std::string_view id) const { return by_id(derivations, id); }

Item const* Protocol::item(std::string_view id) const {
  for (auto const& form : forms)
    if (const Item* found = by_id(form.items, id)) return found;
  return nullptr;
}

Arm const* Protocol::control() const {
  const auto found = std::find_if(arms.begin(), arms.end(), [](Arm const& arm) { return arm.role != ArmRole::investigational; });
  return found == arms.end() ? nullptr : &*found;
}

}  // namespace equipoise::protocol
