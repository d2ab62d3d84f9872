#include "equipoise/conduct/safety_clocks.h"

#include <algorithm>

namespace equipoise::conduct {
namespace {

using namespace std::chrono;

SafetyClock clock_of(SafetyCase const& one, std::string report, Instant due, Instant now) {
  SafetyClock made{one.id, one.record.participant, std::move(report), due, {}};
  for (SafetyReportSent const& sent : one.sent)
    if (sent.report == made.report && (!made.sent || sent.sent < *made.sent)) made.sent = sent.sent;
  using enum SafetyClock::State;
  made.state = made.sent ? (*made.sent <= due ? met : late) : now <= due ? running : overdue;
  return made;
}

}  // namespace

bool is_susar(SafetyCase const& one) { return !one.assessed.empty() && one.assessed.back().related && !one.assessed.back().expected; }

std::vector<SafetyClock> safety_clocks(State const& state, Instant now) {
  std::vector<SafetyClock> clocks;
  for (auto const& [id, one] : state.cases) {
    clocks.push_back(clock_of(one, "sponsor", one.reported.aware + hours(24), now));
    if (!is_susar(one)) continue;
    // Each assessment that makes it a suspected unexpected reaction starts a clock from its own awareness; the earliest end counts.
    // A turn to fatal or life-threatening starts the short clock anew, from when that was learned.
    std::optional<Instant> due, short_due;
    for (SeriousEventAssessed const& assessed : one.assessed) {
      if (!assessed.related || assessed.expected) continue;
      const Instant end = assessed.aware + hours(24) * (assessed.fatal_or_life_threatening ? 7 : 15);
      if (!due || end < *due) due = end;
      if (assessed.fatal_or_life_threatening && (!short_due || end < *short_due)) short_due = end;
    }
    if (due) clocks.push_back(clock_of(one, "authority", *due, now));
    if (short_due) clocks.push_back(clock_of(one, "follow_up", *short_due + hours(24) * 8, now));
  }
  std::ranges::stable_sort(clocks, {}, &SafetyClock::due);
  return clocks;
}

}  // namespace equipoise::conduct
