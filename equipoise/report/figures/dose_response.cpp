#include <algorithm>
#include <cmath>
#include <set>

#include "equipoise/core/text.h"
#include "equipoise/report/figures.h"
#include "equipoise/report/figures/visit_frame.h"
#include "equipoise/report/headline.h"
#include "equipoise/report/tables/parts.h"
#include "equipoise/report/visits.h"
#include "equipoise/results/labels.h"

namespace equipoise::report::figures {
namespace {

using results::Record;
using svg::Anchor;
using svg::Weight;

struct Dose {
  std::string arm;
  double amount = 0;
  double value = missing_number, lower = missing_number, upper = missing_number;
  bool reference = false;  ///< the control, where the others are compared with it
};

/// The doses of the arms in one unit, from the lowest to the highest; empty with fewer than three different ones.
std::vector<Dose> doses_of(Context const& context, std::string& unit) {
  std::vector<Dose> doses;
  std::set<double> different;
  for (protocol::Arm const& arm : context.plan.arms) {
    if (!arm.dose) continue;
    if (!doses.empty() && arm.dose->unit != unit) return {};
    unit = arm.dose->unit;
    doses.push_back({.arm = arm.id, .amount = arm.dose->amount});
    different.insert(arm.dose->amount);
  }
  if (different.size() < 3) return {};
  std::ranges::stable_sort(doses, {}, &Dose::amount);
  return doses;
}

/// The arm of an LS mean without any other level, or at the visit.
bool is_mean_of(Finding const& f, std::string const& arm, std::string const& visit) {
  const auto found = f.at.find("lsmean");
  const auto* levels = found == f.at.end() ? nullptr : std::get_if<Term>(&found->second);
  if (!levels) return false;
  bool has_arm = false, has_visit = visit.empty();
  for (Factor const& factor : *levels) {
    if (factor.column == "arm" && factor.level == arm) has_arm = true;
    else if (factor.column == "visit" && factor.level == visit && !visit.empty()) has_visit = true;
    else return false;
  }
  return has_arm && has_visit;
}

enum class Shown { nothing, means, comparisons };

/// What stands at each dose: the LS means at the visit of the question, else the comparisons with the control.
Shown fill(Context const& context, results::AnalysisRun const& run, std::vector<Dose>& doses, Record const*& sample) {
  const auto* endpoint = context.plan.endpoint(run.endpoint);
  const auto put = [&](Dose& dose, Finding const& f) {
    dose.value = f.value, dose.lower = f.lower.value_or(missing_number), dose.upper = f.upper.value_or(missing_number);
  };
  const auto by_visits = arms_over_visits(context, run);
  const std::string visit = by_visits && endpoint ? endpoint->at : std::string();
  if (by_visits && visit.empty()) return Shown::nothing;
  std::size_t found = 0;
  for (Dose& dose : doses) {
    Record const* mean = by_visits ? by_visits->mean(dose.arm, visit) : nullptr;
    if (!by_visits)
      for (Record const* record : context.records(run.id))
        if (record->finding.lower && is_mean_of(record->finding, dose.arm, "") &&
            (!mean || record->finding.quantity == "geometric_mean"))
          mean = record;
    if (!mean || !std::isfinite(mean->finding.value)) continue;
    put(dose, mean->finding), ++found, sample = mean;
  }
  if (found >= 3) return Shown::means;
  for (Dose& dose : doses) dose.value = missing_number;
  found = 0;
  std::string control;
  const bool ratio_by_method = run.method.ends_with("_ratio") || run.options.find("_ratio\"") != std::string::npos;
  if (ratio_by_method) return Shown::nothing;  // its estimates are ratios, and are not called so
  for (Record const* record : effects(context, run))
    for (Dose& dose : doses) {
      Finding const& f = record->finding;
      const auto term = f.at.find("term"), level = f.at.find("level"), difference = f.at.find("difference");
      const bool of_arm = (term != f.at.end() && std::get<Term>(term->second) == Term{Factor{"arm", dose.arm}}) ||
                          (level != f.at.end() && level->second == AtValue(dose.arm)) ||
                          (difference != f.at.end() && std::get<LevelDifference>(difference->second).level == dose.arm);
      if (!of_arm || !std::isfinite(f.value)) continue;
      put(dose, f), ++found, sample = record;
    }
  const auto* arm = context.plan.control();
  for (Dose& dose : doses)
    if (sample && arm && dose.arm == arm->id && std::isnan(dose.value))
      dose.value = sample->finding.quantity.ends_with("_ratio") ? 1 : 0, dose.reference = true, ++found;
  return found >= 3 && sample ? Shown::comparisons : Shown::nothing;
}

struct DoseResponse {
  std::vector<Dose> doses;  ///< with a value
  std::string unit;
  Shown shown = Shown::nothing;
  Record const* sample = nullptr;
};

DoseResponse read(Context const& context, results::AnalysisRun const& run) {
  DoseResponse out;
  if (run.problem || (run.role != "primary" && run.role != "secondary")) return out;
  out.doses = doses_of(context, out.unit);
  if (!out.doses.empty()) out.shown = fill(context, run, out.doses, out.sample);
  if (out.shown == Shown::nothing) out.doses.clear();
  std::erase_if(out.doses, [](Dose const& dose) { return !std::isfinite(dose.value); });
  return out;
}

}  // namespace

FigureData dose_response_data(Context const& context, results::AnalysisRun const& run) {
  const DoseResponse all = read(context, run);
  FigureData data{.id = "dose_response_" + run.id, .columns = {}, .rows = {}, .call = std::string(r_method(run.method))};
  for (Dose const& dose : all.doses)
    data.add({{"arm", dose.arm},
              {"dose", data_number(dose.amount)},
              {"unit", all.unit},
              {"quantity", all.sample->finding.quantity},
              {"value", data_number(dose.value)},
              {"lower", data_number(dose.lower)},
              {"upper", data_number(dose.upper)}});
  return data;
}

Markup dose_response(Context const& context, results::AnalysisRun const& run) {
  const auto [doses, unit, shown, sample] = read(context, run);
  if (shown == Shown::nothing) return {};
  const bool ratio = sample->finding.quantity.ends_with("_ratio");
  const bool share = sample->finding.quantity.find("proportion") != std::string::npos || sample->finding.quantity == "share";
  Range range;
  for (Dose const& dose : doses)
    for (const double value : {dose.value, dose.lower, dose.upper})
      if (!ratio || value > 0) range.add(value);
  if (ratio) range.add(1);
  auto const& words = context.words;
  Layout at;
  at.left = 76, at.right = 640, at.top = 40, at.bottom = 330;
  const ValueAxis y = ratio ? ratio_axis(range.low, range.high, at.top, at.bottom)
                      : share
                          ? share_axis(range.low, range.high, at.top, at.bottom)
                          : value_axis(range.low, range.high, at.top, at.bottom, !context.changed_since(run.endpoint).empty());
  const svg::Scale x{doses.front().amount, doses.back().amount, at.left + 34, at.right - 34};
  Markup body = draw_value_axis(at, y, ratio ? 1 : shown == Shown::comparisons ? 0 : missing_number);
  body += svg::line(at.left, at.bottom, at.right, at.bottom, "axis", axis);
  std::vector<svg::Point> points;
  Markup marks;
  std::string described;
  const bool difference = sample->finding.quantity == "difference" || sample->finding.quantity == "estimate";
  double last_label = -1e9;
  std::vector<double> wanted, heights;
  for (Dose const& dose : doses) {
    const ArmStyle style = context.style(dose.arm);
    const double place = x(dose.amount);
    points.push_back({place, y(dose.value)});
    Markup mark;
    if (std::isfinite(dose.lower) && std::isfinite(dose.upper) && std::isfinite(y(dose.lower)) && std::isfinite(y(dose.upper)))
      mark += whisker(place, y(dose.lower), y(dose.upper), style);
    mark += svg::marker(style.shape, points.back(), 5.5, "mark f" + std::to_string(style.slot), style.colour);
    Finding as{.quantity = sample->finding.quantity, .value = dose.value, .lower = dose.lower, .upper = dose.upper};
    as.se = sample->finding.se;
    const results::Printed text = context.printed(run.id, as);
    std::string said = context.arm(dose.arm) + (words.chinese() ? "：" : ": ") + text.value;
    if (!dose.reference && !text.interval.empty()) said += " (" + text.interval + ")";
    described += (described.empty() ? "" : words.chinese() ? "；" : "; ") + said;
    marks += svg::tip(said, mark);
    const std::string amount = results::amount_label(dose.amount, "1", context.language());
    body += svg::line(place, at.bottom, place, at.bottom + 5, "axis", axis);
    if (place - svg::text_width(amount, font) / 2 > last_label) {
      body += svg::text(place, at.bottom + 21, amount, {.size = font, .anchor = Anchor::middle, .css = "muted", .fill = muted});
      last_label = place + svg::text_width(amount, font) / 2 + 6;
    }
    wanted.push_back(points.back().y), heights.push_back(line_height + 4);
  }
  const std::vector<double> label_y = svg::pushed_apart(wanted, heights, at.top, at.bottom);
  for (std::size_t i = 0; i < doses.size(); ++i) {
    const std::string label = svg::cut(context.arm(doses[i].arm), 220, font, Weight::bold);
    body += arm_label({label}, at.right + 24, label_y[i], context.style(doses[i].arm));
  }
  body += svg::path(broken_line(points), {{"class", std::string("axis")},
                                          {"fill", std::string("none")},
                                          {"stroke", std::string(axis)},
                                          {"stroke-width", 1.4},
                                          {"stroke-dasharray", std::string("5 4")}});
  const std::string dose_unit = results::unit_label(unit, context.language());
  body +=
      svg::text((at.left + at.right) / 2, at.bottom + 44, with_unit(context, tables::said(context, "Dose", "剂量"), dose_unit),
                {.size = font, .weight = Weight::bold, .anchor = Anchor::middle, .fill = ink});
  std::string what = difference && shown == Shown::means
                         ? with_unit(context, context.endpoint(run.endpoint), context.endpoint_unit(run.endpoint))
                         : context.endpoint(run.endpoint) + (words.chinese() ? "，" : ", ") +
                               inside_sentence(quantity_in_words(context, run, sample->finding));
  if (shown == Shown::means && difference) what = tables::said(context, "LS mean, ", "最小二乘均值，") + what;
  body += svg::text(16, 18, what, {.size = font, .weight = Weight::bold, .fill = ink});
  const std::string name =
      tables::said(context, "Dose-response: ", "剂量反应：") + context.endpoint(run.endpoint) + ". " + described;
  std::vector<std::string> notes{
      tables::said(context, "Estimates of the arms at their doses with ", "各组在其剂量处的估计值及") + context.confidence() +
      tables::said(context, " intervals; the line joins them and is no fitted curve.", "区间；连线仅连接各点，并非拟合曲线。")};
  if (std::ranges::any_of(doses, &Dose::reference))
    notes.push_back(
        tables::said(context, "The control has no interval: the others are compared with it.", "对照组无区间：其他组与之比较。"));
  return scrolling("plot", svg::figure(at.width, at.bottom + 58, name, watermark(context), body + marks)) + note(context, notes);
}

}  // namespace equipoise::report::figures
