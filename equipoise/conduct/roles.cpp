#include "equipoise/conduct/roles.h"

#include <algorithm>
#include <array>

namespace equipoise::conduct {
namespace {

constexpr std::array<std::string_view, role_count> words{"coordinator",
                                                         "investigator",
                                                         "laboratory",
                                                         "preparer",
                                                         "monitor",
                                                         "data_manager",
                                                         "medical_monitor",
                                                         "blinded_statistician",
                                                         "unblinded_statistician",
                                                         "committee",
                                                         "administrator"};

using enum Role;
constexpr Roles site_staff = set_of({coordinator, investigator}), enterers = set_of({coordinator, investigator, laboratory}),
                reviewers = set_of({monitor, data_manager, medical_monitor});

// Sponsor's people (monitor, data manager, medical monitor, statisticians) look and ask; they never enter or correct (C09).
constexpr Permission table[] = {
    // ---- Governance
    {"add_user", set_of({administrator}), true, false},
    {"grant_role", set_of({administrator}), true, true},
    {"revoke_role", set_of({administrator}), true, false},
    {"end_access", set_of({administrator}), true, false},
    {"approve", everybody, true, false},  // who may approve what is the approved command's own line
    {"decline", everybody, true, false},
    {"pause_enrolment", set_of({administrator, medical_monitor}), true, false},
    {"resume_enrolment", set_of({administrator}), true, true},
    {"amend", set_of({administrator}), true, true},
    {"reconcile", set_of({administrator}), true, false},
    {"hand_in", set_of({administrator}), true, false},
    {"backup", set_of({administrator}), true, false},
    {"doctor", set_of({administrator}), true, false},
    {"redact", set_of({data_manager, administrator}), true, true},
    // ---- Participants
    {"enrol", site_staff, true, false},
    {"consent", site_staff, true, false},
    {"screen_again", site_staff, true, false},
    {"fail_screening", site_staff, true, false},
    {"randomise", set_of({investigator, coordinator}), true, false},
    {"randomised_in_error", set_of({investigator}), true, false},
    {"stop", site_staff, true, false},
    // ---- Data
    {"visit", enterers, true, false},
    {"record", enterers, true, false},
    {"strike", enterers, true, false},
    {"open_query", reviewers | set_of({blinded_statistician}), true, false},
    {"answer_query", enterers, true, false},
    {"close_query", reviewers, true, false},
    {"verify_source", set_of({monitor}), true, false},
    {"sign", set_of({investigator, data_manager, blinded_statistician, medical_monitor}), true, false},
    {"deviation", site_staff | reviewers, true, false},
    {"hold", set_of({data_manager, monitor}), true, false},
    {"release", set_of({data_manager}), true, true},
    // ---- Safety
    {"report_serious", site_staff, true, false},
    {"assess_serious", set_of({medical_monitor}), true, false},
    {"send_safety_report", set_of({coordinator, investigator, medical_monitor}), true, false},
    // ---- Doses and kits
    {"prepare_dose", set_of({preparer}), true, false},
    {"confirm_dose", set_of({preparer}), true, false},
    {"move_dose", set_of({preparer, coordinator, investigator}), true, false},
    {"label_kits", set_of({preparer}), true, false},
    {"move_kits", set_of({preparer, coordinator, monitor}), true, false},
    {"dispense_kit", site_staff, true, false},
    // ---- End and unblinding
    {"request_unblinding", set_of({investigator, medical_monitor}), true, false},
    {"confirm_unblinding", set_of({investigator, medical_monitor}), true, false},
    {"print_envelopes", set_of({unblinded_statistician}), true, true},
    {"snapshot", set_of({data_manager, blinded_statistician, unblinded_statistician}), true, false},
    {"lock", set_of({data_manager}), true, true},
    {"unlock", set_of({data_manager}), true, true},
    {"unblind", set_of({unblinded_statistician, administrator}), true, true},
    {"extract", set_of({coordinator, investigator, data_manager, blinded_statistician, unblinded_statistician, committee}), true,
     false},
    // ---- Views
    {"status", everybody, false, false},
    {"participants", everybody, false, false},
    {"participant", everybody, false, false},
    {"read_back", site_staff, false, false},
    {"worklist", everybody, false, false},
    {"queries", everybody, false, false},
    {"safety", site_staff | reviewers | set_of({committee}), false, false},
    {"stock", everybody, false, false},
    {"doses", site_staff | set_of({preparer, monitor}), false, false},
    {"dose_order", set_of({preparer}), true, false},  // seen by somebody: that is recorded
    {"audit", everybody, true, false},                // so is who reads the audit trail
    {"users", everybody, false, false},
    {"notices", everybody, false, false},
    {"proposals", everybody, false, false},
    {"commitment", everybody, false, false},
    {"receipts", everybody, false, false},
    {"deviations", everybody, false, false},
};

}  // namespace

std::string_view word(Role role) { return words[std::size_t(role)]; }

std::optional<Role> to_role(std::string_view word) {
  const auto found = std::ranges::find(words, word);
  if (found == words.end()) return {};
  return Role(found - words.begin());
}

std::vector<std::string> role_words() { return {words.begin(), words.end()}; }

bool works_at_site(Role role) { return has(set_of({coordinator, investigator, laboratory, preparer}), role); }

bool may_be_unblinded(Role role) { return has(set_of({preparer, unblinded_statistician, committee}), role); }

std::span<const Permission> permissions() { return table; }

Permission const* permission(std::string_view name) {
  const auto found = std::ranges::find(table, name, &Permission::name);
  return found == std::end(table) ? nullptr : found;
}

}  // namespace equipoise::conduct
