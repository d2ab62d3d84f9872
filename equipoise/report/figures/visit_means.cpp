#include <algorithm>

#include "equipoise/report/figures.h"
#include "equipoise/report/figures/arm_lines.h"

namespace equipoise::report::figures {
namespace {

using svg::Point;
using svg::Weight;

/// From no change at the baseline visit to the first estimate.
Markup from_baseline(Point start, Point first, ArmStyle const& style) {
  return svg::path(broken_line({start, first}), {{"class", std::string("from-baseline s") + std::to_string(style.slot)},
                                                 {"fill", std::string("none")},
                                                 {"stroke", std::string(style.colour)},
                                                 {"stroke-width", 1.3},
                                                 {"stroke-opacity", std::string("0.7")},
                                                 {"stroke-dasharray", std::string("1.5 3.5")}});
}

/// "LS mean change (/mm3), 95% interval; higher is better".
std::string title(Context const& context, results::AnalysisRun const& run, ArmsOverVisits const& numbers, bool change,
                  std::string const& level) {
  auto const& words = context.words;
  using Kind = ArmsOverVisits::Kind;
  const std::string unit = numbers.kind == Kind::mean    ? context.endpoint_unit(run.endpoint)
                           : numbers.kind == Kind::share ? std::string()
                                                         : context.response_unit(run.endpoint);
  std::string text = with_unit(context, change ? words(Word::visit_mean_change) : mean_in_words(context, numbers), unit);
  if (!level.empty()) text = words(Word::visit_with_interval, text, level);
  if (const auto* endpoint = context.plan.endpoint(run.endpoint)) {
    const std::string between = words.chinese() ? "；" : "; ";
    if (endpoint->benefit == protocol::Benefit::higher) text += between + words(Word::higher_better);
    if (endpoint->benefit == protocol::Benefit::lower) text += between + words(Word::lower_better);
  }
  return text;
}

ValueAxis axis_of(ArmsOverVisits const& numbers, Range const& range, Layout const& at, bool change) {
  switch (numbers.kind) {
    case ArmsOverVisits::Kind::geometric_mean:
    case ArmsOverVisits::Kind::count:
      return ratio_axis(range.low, range.high, at.top, at.bottom);
    case ArmsOverVisits::Kind::share:
      return share_axis(range.low, range.high, at.top, at.bottom);
    case ArmsOverVisits::Kind::mean:
      break;
  }
  return value_axis(range.low, range.high, at.top, at.bottom, change);
}

Word note_of(ArmsOverVisits const& numbers) {
  if (numbers.kind == ArmsOverVisits::Kind::mean) return Word::visit_means_note;
  return numbers.kind == ArmsOverVisits::Kind::geometric_mean ? Word::visit_geometric_note : Word::visit_back_note;
}

}  // namespace

Markup visit_means(Context const& context, results::AnalysisRun const& run) {
  const auto numbers = arms_over_visits(context, run);
  if (!numbers) return {};
  auto const& words = context.words;
  const bool logarithmic = numbers->kind == ArmsOverVisits::Kind::geometric_mean || numbers->kind == ArmsOverVisits::Kind::count;
  ArmLines arms = arm_lines(
      context, numbers->arms, numbers->visits,
      [&](std::string_view arm, std::string_view visit) { return numbers->mean(arm, visit); }, logarithmic);
  if (arms.lines.empty()) return {};

  // A change starts at 0; the baseline visit joins the axis when the protocol has it before the others.
  const std::string baseline = numbers->ratio() ? std::string() : context.changed_since(run.endpoint);
  VisitAxis visits = visit_axis(context, numbers->visits), on_axis = visits;
  if (!baseline.empty()) {
    arms.range.add(0);
    std::vector<std::string> longer = {baseline};
    longer.insert(longer.end(), numbers->visits.begin(), numbers->visits.end());
    if (const VisitAxis with = visit_axis(context, longer); with.at_days) on_axis = with;
  }
  const std::size_t before = on_axis.visits.size() - visits.visits.size();

  const std::vector<std::vector<std::string>> labels = label_lines(context, arms.arms());
  const Layout at = layout_beside(labels);
  const svg::Scale x{on_axis.first(), on_axis.last(), at.left + (before ? 14 : 34), at.right - 26};
  const ValueAxis y = axis_of(*numbers, arms.range, at, !baseline.empty());
  const LinesDrawn lines = draw_lines(context, at, arms, labels, visits, numbers->primary, x, y);
  Markup body = lines.behind + draw_value_axis(at, y, baseline.empty() ? missing_number : 0);
  for (std::size_t i = 0; before && i < arms.lines.size(); ++i) {
    ArmLine const& line = arms.lines[i];
    body += from_baseline({x(on_axis.first()), y(0)}, {x(visits.place[line.first]) + lines.moved[i], y(line.value(line.first))},
                          context.style(line.arm));
  }
  // A constrained baseline is one mean, from which all arms start.
  const auto control = std::ranges::find(arms.lines, numbers->control, &ArmLine::arm);
  const bool from_one = numbers->constrained && control != arms.lines.end() && control->first == 0;
  for (std::size_t i = 0; from_one && i < arms.lines.size(); ++i) {
    ArmLine const& line = arms.lines[i];
    if (line.first == 0) continue;
    const double moved = lines.moved[std::size_t(control - arms.lines.begin())];
    body += from_baseline({x(visits.place[0]) + moved, y(control->value(0))},
                          {x(visits.place[line.first]) + lines.moved[i], y(line.value(line.first))}, context.style(line.arm));
  }
  body += lines.drawn;

  NumbersBelow observed(arms.lines.size(), on_axis.visits.size());
  for (std::size_t i = 0; i < arms.lines.size(); ++i)
    for (std::size_t v = 0; v < numbers->visits.size(); ++v)
      if (const auto* record = numbers->mean(arms.lines[i].arm, numbers->visits[v]);
          record && record->finding.n && !(from_one && v == 0 && arms.lines[i].arm != numbers->control))
        observed.set(i, v + before, std::to_string(*record->finding.n));
  const VisitColumns columns = draw_visit_axis(context, at, on_axis, x, observed.widths, numbers->primary);
  double row = columns.title + 30;
  body += columns.drawn + draw_numbers(context, at, columns, numbers->imputed ? Word::visit_participants : Word::visit_observed,
                                       arms.arms(), labels, observed, row);
  body += svg::text(at.left - 46, at.top - 16, title(context, run, *numbers, !baseline.empty(), arms.level),
                    {.size = font, .weight = Weight::bold, .fill = ink});

  std::vector<std::string> notes = {words(note_of(*numbers))};
  if (before) notes.push_back(words(Word::visit_baseline_note, context.visit(baseline)));
  if (from_one) notes.push_back(words(Word::visit_one_mean_note, context.visit(numbers->visits.front())));
  add_axis_notes(context, on_axis, columns, numbers->primary, notes);
  const std::string name = words(Word::visit_means_aria, context.endpoint(run.endpoint), means_in_words(context, *numbers),
                                 context.set(run.set), ends_in_words(context, arms, numbers->visits));
  return scrolling("plot", svg::figure(at.width, row - 14, name, watermark(context), body)) + note(context, notes);
}

}  // namespace equipoise::report::figures
