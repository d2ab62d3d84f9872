#include "equipoise/stats/survival/reverse_kaplan_meier.h"

#include "equipoise/stats/parts.h"

namespace equipoise::stats {

MethodCard const& ReverseKaplanMeier::card() {
  static const MethodCard card = [] {
    MethodCard made = KaplanMeier::card();
    made.keyword = "reverse_kaplan_meier";
    made.title = "Reverse Kaplan-Meier estimate of follow-up";
    return made;
  }();
  return card;
}

std::optional<ReverseKaplanMeier> ReverseKaplanMeier::parse(Roles const& roles, Section& options, Match match) {
  // Roles are checked here, so that a message names this method; the options are those of the other.
  const bool good = check_roles(card(), roles, options);
  const Roles stand_in{{"time", {"time"}}, {"event", {"event"}}};
  auto curve = KaplanMeier::parse(good ? roles : stand_in, options, match);
  if (!curve || !good) return std::nullopt;
  return ReverseKaplanMeier{std::move(*curve)};
}

std::vector<ColumnNeed> ReverseKaplanMeier::needs() const { return curve.needs(); }

Expected<Answer> ReverseKaplanMeier::run(Frame const& frame) const {
  const NumbersView events = frame.numbers(curve.event);
  std::vector<double> ends(events.begin(), events.end());
  for (double& value : ends)
    if (value == 0 || value == 1) value = 1 - value;  // anything else is refused as it stands
  Frame turned = frame;
  for (ColumnView& column : turned.columns)
    if (column.name == curve.event) column.cells = NumbersView(ends);

  auto answer = curve.run(turned);
  if (!answer) return answer;
  for (Series& series : answer->series) {
    series.quantity = "follow_up";
    for (auto& [name, values] : series.columns)
      if (name == "survival") name = "follow_up";
  }
  answer->notes.insert(answer->notes.begin(),
                       "The curve is that of follow-up: its events are the censored times, and a participant with the event of "
                       "the endpoint counts as censored then.");
  return answer;
}

}  // namespace equipoise::stats
