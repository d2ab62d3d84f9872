#include <algorithm>
#include <cmath>

#include "equipoise/report/figures.h"
#include "equipoise/report/figures/flat_axis.h"
#include "equipoise/report/subgroups.h"
#include "equipoise/report/tables/parts.h"
#include "equipoise/results/labels.h"

namespace equipoise::report::figures {
namespace {

using results::Subgroup;
using results::SubgroupLevel;
using svg::Anchor;
using svg::Weight;

constexpr double row_height = 25, left = 16, name_width = 236;

std::string counts_in_words(SubgroupLevel const& level, std::string const& arm) {
  const auto count = std::ranges::find(level.counts, arm, &SubgroupLevel::Count::arm);
  if (count == level.counts.end()) return "0";
  return count->events ? std::to_string(*count->events) + "/" + std::to_string(count->n) : std::to_string(count->n);
}

/// Everything of one comparison with the control.
class Forest {
 public:
  Forest(Context const& context, results::AnalysisRun const& run, std::vector<Subgroup const*> const& all, std::size_t arm)
      : context_(context), run_(run), all_(all), arm_(arm) {
    Subgroup const& whole = *all.front();
    ratio_ = effect(whole.levels.front()).quantity.ends_with("_ratio");
    double rows = 1;
    for (Subgroup const* one : all)
      for (SubgroupLevel const& level : one->levels) {
        Finding const& f = effect(level);
        for (const double value : {f.value, f.lower.value_or(f.value), f.upper.value_or(f.value)})
          if (!ratio_ || value > 0) range_.add(value);
        rows += 1;
      }
    range_.add(ratio_ ? 1 : 0);
    clip_to_whole(effect(whole.levels.front()));
    at_.left = left + name_width + 150, at_.right = 612, at_.top = 74;
    at_.bottom = at_.top + rows * row_height + double(all.size() - 1) * 8 + double(all.size() - 1) * row_height - row_height + 6;
  }

  Markup draw() {
    auto const& words = context_.words;
    const FlatAxis x(ratio_, range_, at_);
    x_ = &x;
    SubgroupLevel const& whole = all_.front()->levels.front();
    const std::string arm = whole.effects[arm_].arm, control = whole.counts.empty() ? "" : control_of(whole);
    body_ += svg::text(left, 18, words(Word::compared_with, context_.arm(arm), context_.arm(control)),
                       {.size = 14, .weight = Weight::bold, .fill = ink});
    head(left, tables::said(context_, "Subgroup", "亚组"), Anchor::start);
    const bool events = !whole.counts.empty() && whole.counts.front().events.has_value();
    const std::vector<std::string> names = {arm, control};
    for (std::size_t i = 0; i < 2; ++i) {
      const ArmStyle style = context_.style(names[i]);
      const double place = counts_x(i);
      body_ += svg::marker(style.shape, {place, at_.top - 34}, 4, "mark f" + std::to_string(style.slot), style.colour);
    }
    body_ += svg::text((counts_x(0) + counts_x(1)) / 2, at_.top - 16,
                       events ? tables::said(context_, "events/n", "事件/n") : std::string("n"),
                       {.size = 12, .anchor = Anchor::middle, .css = "muted", .fill = muted});
    body_ += svg::text((at_.left + at_.right) / 2, at_.top - 16, effect_in_words(context_, run_, *all_.front()),
                       {.size = font, .weight = Weight::bold, .anchor = Anchor::middle, .fill = ink});
    body_ +=
        svg::text(text_x, at_.top - 16, words(Word::visit_with_interval, words(Word::column_estimate), context_.confidence()),
                  {.size = font, .weight = Weight::bold, .fill = ink});
    body_ += svg::text(p_x(), at_.top - 16, tables::said(context_, "P interaction", "交互P"),
                       {.size = font, .weight = Weight::bold, .anchor = Anchor::end, .fill = ink});
    double y = at_.top;
    level_row(*all_.front(), whole, tables::said(context_, "Everybody", "全体"), true, y);
    for (std::size_t i = 1; i < all_.size(); ++i) {
      y += 8;
      body_ += svg::text(left, y + row_height / 2 + 4.5,
                         svg::cut(context_.item(all_[i]->item), at_.left - left - 12, font, Weight::bold),
                         {.size = font, .weight = Weight::bold, .fill = ink});
      if (const auto* test = interaction_for(*all_[i], arm))
        body_ += svg::text(p_x(), y + row_height / 2 + 4.5, results::p_value(test->p, context_.alpha()),
                           {.size = font, .anchor = Anchor::end, .fill = ink});
      y += row_height;
      for (SubgroupLevel const& level : all_[i]->levels)
        level_row(*all_[i], level, level_in_words(context_, all_[i]->item, level.level), false, y);
    }
    at_.bottom = y + 6;
    const double effect_of_all = effect(whole).value;
    Markup behind = x.draw(at_);
    if (std::isfinite(effect_of_all) && x.shows(effect_of_all))
      behind += svg::path("M" + coordinate(x(effect_of_all)) + " " + coordinate(at_.top) + "V" + coordinate(at_.bottom),
                          {{"class", std::string("axis")},
                           {"fill", std::string("none")},
                           {"stroke", std::string(axis)},
                           {"stroke-dasharray", std::string("2 4")}});
    height_ = at_.bottom + 30;
    Markup towards =
        favours(context_, run_, x, context_.arm(arm), context_.arm(control), effect(whole).quantity, at_, left, height_);
    return behind + bands_ + body_ + towards;
  }
  double height() const { return height_; }
  double width() const { return at_.width; }
  std::string const& described() const { return described_; }

 private:
  static constexpr double text_x = 634;
  double p_x() const { return at_.width - 12; }
  double counts_x(std::size_t i) const { return left + name_width + 32 + double(i) * 68; }
  Finding const& effect(SubgroupLevel const& level) const { return level.effects[arm_].finding; }
  std::string control_of(SubgroupLevel const& level) const {
    for (auto const& count : level.counts)
      if (std::ranges::find(level.effects, count.arm, &SubgroupLevel::Effect::arm) == level.effects.end()) return count.arm;
    return {};
  }
  void head(double x, std::string const& text, Anchor anchor) {
    body_ += svg::text(x, at_.top - 16, text, {.size = font, .weight = Weight::bold, .anchor = anchor, .fill = ink});
  }

  /// An interval of a few people is so wide that nothing else could be seen: the axis reaches four widths of the
  /// interval of everybody to each side.
  void clip_to_whole(Finding const& whole) {
    if (!whole.lower || !whole.upper || !std::isfinite(*whole.lower) || !std::isfinite(*whole.upper)) return;
    if (ratio_) {
      if (!(*whole.lower > 0)) return;
      const double wide = std::pow(*whole.upper / *whole.lower, 4);
      range_.low = std::max(range_.low, whole.value / wide), range_.high = std::min(range_.high, whole.value * wide);
      range_.low = std::min(range_.low, 1.0), range_.high = std::max(range_.high, 1.0);
    } else {
      const double wide = 4 * (*whole.upper - *whole.lower);
      range_.low = std::min(0.0, std::max(range_.low, whole.value - wide));
      range_.high = std::max(0.0, std::min(range_.high, whole.value + wide));
    }
  }

  void level_row(Subgroup const& subgroup, SubgroupLevel const& level, std::string const& name, bool whole, double& y) {
    auto const& x = *x_;
    Finding const& f = effect(level);
    const double middle = y + row_height / 2;
    const Weight weight = whole ? Weight::bold : Weight::regular;
    std::string const& arm = level.effects[arm_].arm;
    const std::string control = control_of(all_.front()->levels.front());
    const ArmStyle style = context_.style(arm);
    const std::string slot = std::to_string(style.slot);
    if (whole)
      bands_ += svg::rectangle(left - 8, y, at_.width - left + 4, row_height, 5,
                               {{"class", std::string("here")}, {"fill", std::string("#eef2f8")}});
    body_ += svg::text(left + (whole ? 0 : 14), middle + 4.5, svg::cut(name, name_width, font, Weight::bold),
                       {.size = font, .weight = weight, .fill = ink});
    body_ += svg::text(counts_x(0), middle + 4.5, counts_in_words(level, arm),
                       {.size = font, .anchor = Anchor::middle, .css = "muted", .fill = muted});
    body_ += svg::text(counts_x(1), middle + 4.5, counts_in_words(level, control),
                       {.size = font, .anchor = Anchor::middle, .css = "muted", .fill = muted});
    const results::Printed text = context_.printed(run_.id, f);
    std::string estimate = text.value;
    if (!text.interval.empty() && !std::isnan(f.value)) estimate += " (" + text.interval + ")";
    Markup mark;
    if (f.lower && f.upper && std::isfinite(f.value)) mark += x.interval(*f.lower, *f.upper, middle, style, whole ? 2.0 : 1.4);
    if (std::isfinite(f.value) && x.shows(f.value)) {
      // Area of the square in proportion to the information in the subgroup.
      const double info = relative_information(level), r = whole ? 6 : 2.6 + 4.4 * std::sqrt(info);
      mark += whole ? svg::path(diamond(x, f, middle), {{"class", "mark f" + slot},
                                                        {"fill", std::string(style.colour)},
                                                        {"stroke", std::string("#ffffff")},
                                                        {"stroke-width", 1.0}})
                    : svg::rectangle(x(f.value) - r, middle - r, 2 * r, 2 * r, 0,
                                     {{"class", "f" + slot}, {"fill", std::string(style.colour)}});
    }
    const std::string title = whole ? name : context_.item(subgroup.item) + ": " + name;
    if (!mark.empty()) body_ += svg::tip(title + (context_.words.chinese() ? "：" : ": ") + estimate, mark);
    body_ += svg::text(text_x, middle + 4.5, estimate, {.size = font, .weight = weight, .fill = ink});
    described_ += (described_.empty() || context_.words.chinese() ? "" : " ") + title + (context_.words.chinese() ? "：" : ": ") +
                  estimate + (context_.words.chinese() ? "。" : ".");
    y += row_height;
  }

  std::string diamond(FlatAxis const& x, Finding const& f, double y) const {
    const double from = f.lower && x.shows(*f.lower) ? x(*f.lower) : x(f.value) - 8,
                 to = f.upper && x.shows(*f.upper) ? x(*f.upper) : x(f.value) + 8;
    return "M" + coordinate(from) + " " + coordinate(y) + "L" + coordinate(x(f.value)) + " " + coordinate(y - 7) + "L" +
           coordinate(to) + " " + coordinate(y) + "L" + coordinate(x(f.value)) + " " + coordinate(y + 7) + "Z";
  }

  double relative_information(SubgroupLevel const& level) const {
    const double se = level.effects[arm_].se, whole = all_.front()->levels.front().effects[arm_].se;
    if (!(se > 0) || !(whole > 0)) return 0.4;
    return std::min(1.0, whole * whole / (se * se));
  }

  Context const& context_;
  results::AnalysisRun const& run_;
  std::vector<Subgroup const*> const& all_;
  std::size_t arm_;
  bool ratio_ = false;
  Range range_;
  Layout at_;
  FlatAxis const* x_ = nullptr;
  Markup bands_, body_;
  std::string described_;
  double height_ = 0;
};

}  // namespace

std::vector<std::string> forest_arms(Context const& context, results::AnalysisRun const& run) {
  std::vector<std::string> arms;
  const auto all = subgroups_of(context, run.id);
  if (all.size() < 2) return arms;
  for (auto const& effect : all.front()->levels.front().effects) arms.push_back(effect.arm);
  return arms;
}

Markup forest(Context const& context, results::AnalysisRun const& run, std::string const& arm) {
  const auto all = subgroups_of(context, run.id);
  const std::vector<std::string> arms = forest_arms(context, run);
  const auto found = std::ranges::find(arms, arm);
  if (found == arms.end()) return {};
  Forest forest(context, run, all, std::size_t(found - arms.begin()));
  const Markup drawn = forest.draw();
  const std::string name = tables::said(context, "Forest plot of subgroups: ", "亚组森林图：") + context.analysis(run) +
                           (context.words.chinese() ? "。" : ". ") + forest.described();
  std::vector<std::string> notes = interaction_methods(context, all);
  notes.push_back(tables::said(context,
                               "Squares are as large as the information of their subgroup, the dotted line is the effect in "
                               "everybody; an arrow is an interval that leaves the axis.",
                               "方块面积与亚组信息量成比例，虚线为全体效应；箭头表示区间超出坐标轴。"));
  return scrolling("plot", svg::figure(forest.width(), forest.height(), name, watermark(context), drawn)) + note(context, notes);
}

}  // namespace equipoise::report::figures
