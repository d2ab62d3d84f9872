#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace equipoise::conduct {

/// What people are in a trial. A person may have several roles and acts in one of them at a time.
enum class Role : std::uint8_t {
  coordinator,
  investigator,
  laboratory,
  preparer,  ///< prepares doses and labels kits: not blinded
  monitor,
  data_manager,
  medical_monitor,
  blinded_statistician,
  unblinded_statistician,
  committee,  ///< data monitoring committee
  administrator
};
inline constexpr std::size_t role_count = 11;

std::string_view word(Role role);
std::optional<Role> to_role(std::string_view word);
std::vector<std::string> role_words();

/// Whether the role works at one site. Its grants name the site; those of other roles hold for all sites.
bool works_at_site(Role role);
/// Whether the role may ever learn arms before the trial is unblinded. Everybody else is blinded.
bool may_be_unblinded(Role role);

using Roles = std::uint16_t;  ///< a set: bit of each role
constexpr Roles set_of(std::initializer_list<Role> roles) {
  Roles set = 0;
  for (const Role role : roles) set = Roles(set | 1u << unsigned(role));
  return set;
}
constexpr bool has(Roles set, Role role) { return (set >> unsigned(role) & 1) != 0; }
inline constexpr Roles everybody = (1u << role_count) - 1;

/// One act or view, and who may do it. What stands in no line may be done by nobody.
struct Permission {
  std::string_view name;  ///< of the command or view
  Roles roles;
  bool acts;        ///< it changes the trial; else it only looks
  bool two_people;  ///< one proposes, another one approves
};

std::span<const Permission> permissions();
Permission const* permission(std::string_view name);

}  // namespace equipoise::conduct
