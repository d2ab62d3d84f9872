#include <algorithm>
#include <cmath>

#include "equipoise/report/figures.h"
#include "equipoise/report/figures/flat_axis.h"
#include "equipoise/report/headline.h"
#include "equipoise/report/visits.h"
#include "equipoise/results/labels.h"

namespace equipoise::report::figures {
namespace {

using results::AnalysisRun;
using results::Record;
using svg::Anchor;
using svg::Weight;

/// One analysis' answer to the question.
struct Row {
  AnalysisRun const* run;
  Record const* record;
  bool over_visits = false;  ///< of a model with one effect for all visits
};

/// The arm whose rows these are, against the control of all.
struct Block {
  std::string arm;
  std::vector<Row> rows;
};

struct Compared {
  std::string against;
  bool ratio = false;
  std::vector<Block> blocks;
  std::size_t analyses = 0;
};

LevelDifference const* arms_of(Finding const& f) {
  const auto found = f.at.find("difference");
  const auto* levels = found == f.at.end() ? nullptr : std::get_if<LevelDifference>(&found->second);
  return levels && levels->column == "arm" ? levels : nullptr;
}

/// A model of every visit with one effect for all of them.
bool over_all_visits(AnalysisRun const& run, Finding const& f) {
  return !f.at.contains("within") && (run.method == "linear_mixed" || run.method == "mmrm" || run.method == "gee");
}

Compared compared(Context const& context, AnalysisRun const& first) {
  Compared all;
  std::vector<std::string> arms;
  for (auto const& run : context.answer.runs) {
    if (run.problem || run.endpoint != first.endpoint || run.set != first.set) continue;
    bool counted = false;
    for (const Record* record : effects(context, run)) {
      Finding const& f = record->finding;
      const auto* levels = arms_of(f);
      if (!levels || !std::isfinite(f.value)) continue;
      const bool ratio = f.quantity.ends_with("_ratio");
      if (arms.empty()) all.against = levels->minus, all.ratio = ratio;
      if (levels->minus != all.against || ratio != all.ratio) continue;
      auto block = std::ranges::find(all.blocks, levels->level, &Block::arm);
      if (block == all.blocks.end()) block = all.blocks.insert(block, {levels->level, {}}), arms.push_back(levels->level);
      block->rows.push_back({&run, record, over_all_visits(run, f)});
      counted = true;
    }
    all.analyses += counted;
  }
  arms = in_arm_order(context.plan, arms);
  std::ranges::stable_sort(all.blocks, {}, [&](Block const& block) { return std::ranges::find(arms, block.arm) - arms.begin(); });
  return all;
}

}  // namespace

bool has_analyses_compared(Context const& context, AnalysisRun const& run) {
  const auto* endpoint = context.plan.endpoint(run.endpoint);
  if (!endpoint || endpoint->kind != protocol::EndpointKind::continuous || endpoint->visits.size() < 2 || run.problem)
    return false;
  for (auto const& other : context.answer.runs)  // once for an endpoint and set
    if (other.endpoint == run.endpoint && other.set == run.set && !other.problem)
      return &other == &run && compared(context, run).analyses > 1;
  return false;
}

std::string analyses_compared_question(Context const& context, AnalysisRun const& run) {
  const Compared all = compared(context, run);
  return context.words(all.ratio ? Word::visit_ratios_word : Word::visit_differences_word, context.arm(all.against));
}

FigureData analyses_compared_data(Context const& context, AnalysisRun const& run) {
  FigureData data{.id = "analyses_" + run.endpoint + "_" + run.set, .columns = {}, .rows = {}};
  for (Block const& block : compared(context, run).blocks)
    for (Row const& row : block.rows) {
      Finding const& f = row.record->finding;
      data.add({{"analysis", row.run->id},
                {"method", row.run->method},
                {"arm", block.arm},
                {"quantity", f.quantity},
                {"value", data_number(f.value)},
                {"lower", data_number(f.lower.value_or(missing_number))},
                {"upper", data_number(f.upper.value_or(missing_number))},
                {"p", data_number(f.p.value_or(missing_number))}});
    }
  return data;
}

Markup analyses_compared(Context const& context, AnalysisRun const& run) {
  if (!has_analyses_compared(context, run)) return {};
  const Compared all = compared(context, run);
  auto const& words = context.words;
  Range range;
  range.add(all.ratio ? 1 : 0);
  int decimals = 0;
  std::string level;
  bool any_p = false;
  for (Block const& block : all.blocks)
    for (Row const& row : block.rows) {
      Finding const& f = row.record->finding;
      for (const double value : {f.value, f.lower.value_or(f.value), f.upper.value_or(f.value)})
        if (!all.ratio || value > 0) range.add(value);
      decimals = std::max(decimals, results::decimals_for(f.value, f.se));
      if (f.lower) level = interval_level(context, *row.record);
      any_p = any_p || f.p;
    }

  if (const auto recorded = context.recorded_decimals(run.id)) decimals = *recorded + 1;
  constexpr double left = 16, name_width = 300, row_height = 41;
  Layout at;
  at.left = left + name_width + 24, at.right = 660, at.top = 40;
  double rows = 0;
  for (Block const& block : all.blocks) rows += double(block.rows.size()) * row_height + (all.blocks.size() > 1 ? 30 : 0);
  at.bottom = at.top + rows + 4;
  const FlatAxis x(all.ratio, range, at);
  constexpr double text_gap = 24;
  const double text_x = at.right + text_gap, p_x = at.width - 12;

  const Markup grid_lines = x.draw(at);
  Markup body;

  const double head = at.top - 20;
  const std::string effect = words(all.ratio ? Word::visit_ratio_to : Word::visit_difference_from, context.arm(all.against));
  body += svg::text(at.left, head, all.ratio ? effect : with_unit(context, effect, context.endpoint_unit(run.endpoint)),
                    {.size = font, .weight = Weight::bold, .fill = ink});
  body += svg::text(
      text_x, head,
      level.empty() ? words(Word::column_estimate) : words(Word::visit_with_interval, words(Word::column_estimate), level),
      {.size = font, .weight = Weight::bold, .fill = ink});
  if (any_p)
    body +=
        svg::text(p_x, head, words(Word::column_p), {.size = font, .weight = Weight::bold, .anchor = Anchor::end, .fill = ink});

  Markup bands;
  std::string described;
  double y = at.top;
  for (Block const& block : all.blocks) {
    const ArmStyle style = context.style(block.arm);
    const std::string slot = std::to_string(style.slot);
    if (all.blocks.size() > 1) {
      body += svg::marker(style.shape, {left + 5, y + 15.5}, 4.2, "mark f" + slot, style.colour);
      body += svg::text(left + 15, y + 20, words(Word::compared_with, context.arm(block.arm), context.arm(all.against)),
                        {.size = font, .weight = Weight::bold, .css = "f" + slot, .fill = style.colour});
      y += 30;
    }
    for (Row const& row : block.rows) {
      Finding const& f = row.record->finding;
      const bool primary = row.run->role == "primary";
      const Weight weight = primary ? Weight::bold : Weight::regular;
      const double middle = y + row_height / 2;
      if (primary)
        bands += svg::rectangle(left - 8, y + 1, at.width - left + 4, row_height - 2, 5,
                                {{"class", std::string("here")}, {"fill", std::string("#eef2f8")}});
      body += svg::text(left, middle - 3, svg::cut(context.analysis(*row.run), name_width, font, weight),
                        {.size = font, .weight = weight, .fill = ink});
      std::string detail = context.method(*row.run);
      if (row.over_visits) detail += (words.chinese() ? "，" : ", ") + words(Word::compared_over_visits);
      body += svg::text(left, middle + 13, svg::cut(detail, name_width, 11.5, Weight::regular),
                        {.size = 11.5, .css = "muted", .fill = muted});
      Markup mark;
      if (f.lower && f.upper) mark += x.interval(*f.lower, *f.upper, middle, style, primary ? 2.0 : 1.4);
      if (x.shows(f.value))
        mark += svg::marker(style.shape, {x(f.value), middle}, primary ? 6 : 4.8, "mark f" + slot, style.colour);
      const auto number = [&](double value) {
        return all.ratio ? results::significant(value, 3) : results::fixed(value, decimals);
      };
      std::string estimate = number(f.value);
      if (f.lower && f.upper) estimate += " (" + results::interval(number(*f.lower), number(*f.upper), context.language()) + ")";
      body += svg::tip(context.analysis(*row.run) + (words.chinese() ? "：" : ": ") + estimate, mark);
      body += svg::text(text_x, middle + 4.5, estimate, {.size = font, .weight = weight, .fill = ink});
      if (f.p)
        body += svg::text(p_x, middle + 4.5, results::p_value(*f.p, context.alpha()),
                          {.size = font, .weight = weight, .anchor = Anchor::end, .fill = ink});
      described += (described.empty() || words.chinese() ? "" : " ") + context.analysis(*row.run) +
                   (words.chinese() ? "：" : ": ") + estimate + (words.chinese() ? "。" : ".");
      y += row_height;
    }
  }
  double foot = at.bottom + 30;
  body += favours(context, run, x, all.blocks.size() == 1 ? context.arm(all.blocks.front().arm) : words(Word::tipping_other_arm),
                  context.arm(all.against), "difference", at, left, foot);
  const std::string name = words(Word::compared_aria, context.endpoint(run.endpoint), context.set(run.set), described);
  return scrolling("plot", svg::figure(at.width, foot, name, watermark(context), bands + grid_lines + body)) +
         note(context, {words(Word::compared_note, level.empty() ? context.confidence() : level)});
}

}  // namespace equipoise::report::figures
