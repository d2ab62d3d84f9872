#include "equipoise/report/figures/flat_axis.h"

#include <algorithm>
#include <cmath>

namespace equipoise::report::figures {

using svg::Anchor;

FlatAxis::FlatAxis(bool ratio, Range const& range, Layout const& at)
    : axis_(ratio ? ratio_axis(range.low, range.high, at.bottom, at.top)
                  : value_axis(range.low, range.high, at.bottom, at.top, true, 7)),
      ratio_(ratio),
      left_(at.left),
      right_(at.right) {
  axis_.scale.start = at.left, axis_.scale.end = at.right;
}

bool FlatAxis::shows(double value) const {
  if (!std::isfinite(value) || (ratio_ && !(value > 0))) return false;
  const double x = axis_(value);
  return x >= left_ - 0.5 && x <= right_ + 0.5;
}

Markup FlatAxis::draw(Layout const& at) const {
  Markup out;
  const double no_effect = axis_(none());
  for (std::size_t i = 0; i < axis_.ticks.size(); ++i) {
    const double place = axis_(axis_.ticks[i]);
    if (std::fabs(place - no_effect) > 0.5) out += svg::line(place, at.top - 6, place, at.bottom, "grid", grid);
    out += svg::text(place, at.bottom + 20, axis_.labels[i],
                     {.size = font, .anchor = Anchor::middle, .css = "muted", .fill = muted});
  }
  out += svg::line(no_effect, at.top - 6, no_effect, at.bottom, "axis", axis, 1.4);
  return out + svg::line(at.left, at.bottom, at.right, at.bottom, "axis", axis);
}

Markup FlatAxis::interval(double lower, double upper, double y, ArmStyle const& style, double width) const {
  if (std::isnan(lower) || std::isnan(upper)) return {};
  const bool left_out = !shows(lower), right_out = !shows(upper);
  const double from = left_out ? left_ : axis_(lower), to = right_out ? right_ : axis_(upper);
  if (!(to >= from)) return {};
  std::string d = "M" + coordinate(from) + " " + coordinate(y) + "H" + coordinate(to);
  const auto cap = [&](double x, bool out, double towards) {
    d += out ? "M" + coordinate(x + 6 * towards) + " " + coordinate(y - 4) + "L" + coordinate(x) + " " + coordinate(y) + "L" +
                   coordinate(x + 6 * towards) + " " + coordinate(y + 4)
             : "M" + coordinate(x) + " " + coordinate(y - 3.5) + "v7";
  };
  cap(from, left_out, 1), cap(to, right_out, -1);
  return svg::path(d, {{"class", "whisker s" + std::to_string(style.slot)},
                       {"fill", std::string("none")},
                       {"stroke", std::string(style.colour)},
                       {"stroke-width", width}});
}

Markup favours(Context const& context, results::AnalysisRun const& run, FlatAxis const& x, std::string const& arm,
               std::string const& control, std::string_view quantity, Layout const& at, double least, double& foot) {
  auto const& words = context.words;
  const auto* endpoint = context.plan.endpoint(run.endpoint);
  if (!endpoint || endpoint->benefit == protocol::Benefit::unstated) return {};
  // A hazard ratio below 1 is a later event, a difference of times below 0 an earlier one.
  const bool hazard = quantity == "hazard_ratio";
  const auto better_below = hazard                                                    ? protocol::Benefit::later
                            : endpoint->kind == protocol::EndpointKind::time_to_event ? protocol::Benefit::sooner
                                                                                      : protocol::Benefit::lower;
  const bool below = endpoint->benefit == better_below;
  const std::string towards_left = "\u2190 " + words(Word::compared_favours, below ? arm : control),
                    towards_right = words(Word::compared_favours, below ? control : arm) + " \u2192";
  // Side by side about the line of no effect where there is room, else at the ends of the axis.
  const double wide_left = svg::text_width(towards_left, 12), wide_right = svg::text_width(towards_right, 12);
  const double most = at.width - 12, none = x(x.none());
  const double end = std::clamp(none - 10, least + wide_left, std::max(least + wide_left, most - wide_right - 20)),
               begin = std::max(end + 20, std::min(none + 10, most - wide_right));
  foot += 22;
  return svg::text(end, at.bottom + 42, towards_left, {.size = 12, .anchor = Anchor::end, .css = "muted", .fill = muted}) +
         svg::text(begin, at.bottom + 42, towards_right, {.size = 12, .css = "muted", .fill = muted});
}

}  // namespace equipoise::report::figures
