#include "equipoise/report/figures.h"
#include "equipoise/report/figures/arm_lines.h"
#include "equipoise/results/labels.h"

namespace equipoise::report::figures {
namespace {

using svg::Weight;

/// "Difference from Placebo (/mm3), 95% interval; above 0 is better than Placebo".
std::string title(Context const& context, results::AnalysisRun const& run, ArmsOverVisits const& numbers,
                  std::string const& level) {
  auto const& words = context.words;
  const std::string control = context.arm(numbers.control);
  std::string text = comparison_in_words(context, numbers);
  if (!numbers.ratio()) text = with_unit(context, text, context.endpoint_unit(run.endpoint));
  if (!level.empty()) text = words(Word::visit_with_interval, text, level);
  if (const auto* endpoint = context.plan.endpoint(run.endpoint)) {
    const std::string none = numbers.ratio() ? "1" : "0", between = words.chinese() ? "；" : "; ";
    if (endpoint->benefit == protocol::Benefit::higher) text += between + words(Word::visit_better_above, none, control);
    if (endpoint->benefit == protocol::Benefit::lower) text += between + words(Word::visit_better_below, none, control);
  }
  return text;
}

}  // namespace

Markup visit_differences(Context const& context, results::AnalysisRun const& run) {
  auto numbers = arms_over_visits(context, run);
  if (!numbers) return {};
  if (numbers->constrained) numbers->visits.erase(numbers->visits.begin());  // no difference there by the model
  auto const& words = context.words;
  ArmLines arms = arm_lines(
      context, numbers->compared(), numbers->visits,
      [&](std::string_view arm, std::string_view visit) { return numbers->difference(arm, visit); }, numbers->ratio());
  if (arms.lines.empty()) return {};
  const double none = numbers->ratio() ? 1 : 0;
  arms.range.add(none);

  const VisitAxis visits = visit_axis(context, numbers->visits);
  const std::vector<std::vector<std::string>> labels = label_lines(context, arms.arms());
  Layout at = layout_beside(labels);
  at.plot_height = 250, at.bottom = at.top + at.plot_height;
  const svg::Scale x{visits.first(), visits.last(), at.left + 34, at.right - 26};
  const ValueAxis y = numbers->ratio() ? ratio_axis(arms.range.low, arms.range.high, at.top, at.bottom)
                                       : value_axis(arms.range.low, arms.range.high, at.top, at.bottom, true);
  const LinesDrawn lines = draw_lines(context, at, arms, labels, visits, numbers->primary, x, y);
  Markup body = lines.behind + draw_value_axis(at, y, none) + lines.drawn;

  NumbersBelow p(arms.lines.size(), visits.visits.size());
  for (std::size_t i = 0; i < arms.lines.size(); ++i)
    for (std::size_t v = 0; v < visits.visits.size(); ++v)
      if (const auto* record = numbers->difference(arms.lines[i].arm, visits.visits[v]); record && record->finding.p)
        p.set(i, v, results::p_value(*record->finding.p, context.alpha()));
  const VisitColumns columns = draw_visit_axis(context, at, visits, x, p.widths, numbers->primary);
  double row = columns.title + 30;
  body += columns.drawn + draw_numbers(context, at, columns, Word::visit_p_row, arms.arms(), labels, p, row);
  body += svg::text(at.left - 46, at.top - 16, title(context, run, *numbers, arms.level),
                    {.size = font, .weight = Weight::bold, .fill = ink});

  std::vector<std::string> notes = {words(numbers->ratio() ? Word::visit_ratios_note : Word::visit_differences_note)};
  add_axis_notes(context, visits, columns, numbers->primary, notes);
  const std::string name = words(Word::visit_differences_aria, context.endpoint(run.endpoint), context.arm(numbers->control),
                                 context.set(run.set), ends_in_words(context, arms, numbers->visits));
  return scrolling("plot", svg::figure(at.width, row - 14, name, watermark(context), body)) + note(context, notes);
}

}  // namespace equipoise::report::figures
