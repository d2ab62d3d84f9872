#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/conduct/decide.h"

namespace equipoise::conduct {

struct AuditFilter {
  std::optional<std::string> participant{}, user{}, from{}, to{};  ///< from, to: dates in UTC, both included
  std::string language{"en"};
};

/// One change for people to read: labels where the log has ids, the value before beside the value after.
struct AuditRow {
  std::int64_t event = 0;
  std::string at{}, local{}, user{}, role{}, site{}, what{}, participant{}, visit{}, form{}, item{}, before{}, after{}, reason{};
  bool clock_back = false;
  static void fields(auto& self, auto&& f) {
    f("event", self.event), f("at", self.at), f("local", self.local), f("user", self.user), f("role", self.role), f("site", self.site);
    f("what", self.what), f("participant", self.participant), f("visit", self.visit), f("form", self.form), f("item", self.item);
    f("before", self.before), f("after", self.after), f("reason", self.reason), f("clock_back", self.clock_back);
  }
};

/// The audit trail as the actor may see it, from the log itself: site staff their site, and no masked value for whom it is masked.
/// errors  io, syntax (an event that this build cannot read)
Expected<std::vector<AuditRow>> audit_trail(State const& state, Actor const& actor, AuditFilter const& filter, Surroundings const& around);

}  // namespace equipoise::conduct
