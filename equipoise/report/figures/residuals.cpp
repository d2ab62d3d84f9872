#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "equipoise/report/figures.h"
#include "equipoise/report/figures/visit_frame.h"
#include "equipoise/report/visits.h"
#include "equipoise/results/labels.h"

namespace equipoise::report::figures {
namespace {

using svg::Anchor;
using svg::Point;
using svg::Weight;

constexpr std::string_view dot = "#0f7391";

/// Quantile of the standard normal distribution, where a point is drawn: halving the interval until a hundredth of a pixel is
/// long passed.
double normal_quantile(double p) {
  double low = -9, high = 9;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::numbers::sqrt2) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

struct Sample {
  std::vector<double> fitted, scaled;  ///< the pairs of which both are numbers
};

Sample sample_of(Context const& context, results::AnalysisRun const& run) {
  Sample all;
  for (const Series* series : series_of(context, run.id, "residuals")) {
    const auto *fitted = column(*series, "fitted"), *scaled = column(*series, "scaled_residual");
    if (!fitted || !scaled || fitted->size() != scaled->size()) continue;
    for (std::size_t i = 0; i < fitted->size(); ++i)
      if (std::isfinite((*fitted)[i]) && std::isfinite((*scaled)[i]))
        all.fitted.push_back((*fitted)[i]), all.scaled.push_back((*scaled)[i]);
  }
  return all;
}

/// All points as one path of dots; of points that fall on the same half pixel one is drawn.
Markup dots(std::vector<Point> const& points) {
  std::set<std::pair<long, long>> drawn;
  std::string d;
  for (Point const& point : points)
    if (drawn.emplace(std::lround(2 * point.x), std::lround(2 * point.y)).second)
      d += std::string("M") + coordinate(std::round(2 * point.x) / 2) + " " + coordinate(std::round(2 * point.y) / 2) + "h0";
  const double opacity = points.size() > 1500 ? 0.35 : points.size() > 300 ? 0.5 : 0.7;
  return svg::path(d, {{"class", std::string("dots")},
                       {"fill", std::string("none")},
                       {"stroke", std::string(dot)},
                       {"stroke-width", points.size() > 1500 ? 3.6 : 4.6},
                       {"stroke-linecap", std::string("round")},
                       {"stroke-opacity", coordinate(opacity)}});
}

Markup stroke(std::string const& d, std::string_view css, std::string_view colour, double width, std::string_view dashes = {}) {
  Attributes attributes = {
      {"class", std::string(css)}, {"fill", std::string("none")}, {"stroke", std::string(colour)}, {"stroke-width", width}};
  if (!dashes.empty()) attributes.emplace_back("stroke-dasharray", std::string(dashes));
  return svg::path(d, std::move(attributes));
}

/// Values along the bottom of a plot.
Markup bottom_axis(Layout const& at, svg::Scale const& x, std::string const& title) {
  Markup out = svg::line(at.left, at.bottom, at.right, at.bottom, "axis", axis);
  const std::vector<double> ticks = svg::ticks_between(x.from, x.to, 7);
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : 1;
  const int decimals = std::clamp(-int(std::floor(std::log10(step) + 1e-9)), 0, 8);
  for (const double tick : ticks) {
    out += svg::line(x(tick), at.bottom, x(tick), at.bottom + 5, "axis", axis);
    out += svg::text(x(tick), at.bottom + 20, results::fixed(tick, decimals),
                     {.size = 12, .anchor = Anchor::middle, .css = "muted", .fill = muted});
  }
  return out + svg::text((at.left + at.right) / 2, at.bottom + 42, title,
                         {.size = font, .weight = Weight::bold, .anchor = Anchor::middle, .fill = ink});
}

/// Means of ten groups of equal size by fitted value: a curve in the cloud shows as a bend.
std::vector<Point> tenths(Sample const& sample) {
  std::vector<std::size_t> order(sample.fitted.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return sample.fitted[a] < sample.fitted[b]; });
  const std::size_t n = order.size(), groups = n >= 50 ? 10 : 0;
  std::vector<Point> means;
  for (std::size_t g = 0; g < groups; ++g) {
    Point sum;
    const std::size_t from = g * n / groups, to = (g + 1) * n / groups;
    for (std::size_t i = from; i < to; ++i) sum.x += sample.fitted[order[i]], sum.y += sample.scaled[order[i]];
    means.push_back({sum.x / double(to - from), sum.y / double(to - from)});
  }
  return means;
}

Markup against_fitted(Context const& context, Sample const& sample, Layout const& at, ValueAxis const& y,
                      std::string const& unit) {
  const auto [low, high] = std::ranges::minmax(sample.fitted);
  const double room = high > low ? 0.03 * (high - low) : 1;
  const svg::Scale x{low - room, high + room, at.left, at.right};
  Markup out = draw_value_axis(at, y, 0);
  for (const double two : {-2.0, 2.0})
    if (const double level = y(two); level > at.top && level < at.bottom)
      out += stroke(std::string("M") + coordinate(at.left) + " " + coordinate(level) + "H" + coordinate(at.right), "axis", axis,
                    1.2, "5 4");
  std::vector<Point> points, means;
  for (std::size_t i = 0; i < sample.fitted.size(); ++i) points.push_back({x(sample.fitted[i]), y(sample.scaled[i])});
  for (Point const& mean : tenths(sample)) means.push_back({x(mean.x), y(mean.y)});
  out += dots(points);
  if (!means.empty()) out += stroke(broken_line(means), "edge", "#ffffff", 5) + stroke(broken_line(means), "ink-line", ink, 2.4);
  return out + bottom_axis(at, x, with_unit(context, context.words(Word::residual_fitted), unit));
}

Markup against_normal(Context const& context, std::vector<double> sorted, Layout const& at, ValueAxis const& y) {
  std::ranges::sort(sorted);
  const double n = double(sorted.size());
  std::vector<double> quantiles;
  for (std::size_t i = 0; i < sorted.size(); ++i) quantiles.push_back(normal_quantile((double(i) + 0.5) / n));
  const double end = std::max(quantiles.back(), 0.5) * 1.06;
  const svg::Scale x{-end, end, at.left, at.right};
  const auto inside = [&](double value) { return std::clamp(value, y.scale.from, y.scale.to); };

  Markup out = draw_value_axis(at, y, missing_number);
  // An order statistic has variance p (1 - p) / (n f(q)^2) in large samples.
  std::vector<Point> points, upper, lower;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const double p = (double(i) + 0.5) / n, q = quantiles[i];
    const double density = std::exp(-q * q / 2) / std::sqrt(2 * std::numbers::pi);
    const double half = 1.959964 * std::sqrt(p * (1 - p) / n) / density;
    points.push_back({x(q), y(sorted[i])});
    if (i % std::max<std::size_t>(1, sorted.size() / 200) != 0 && i + 1 != sorted.size()) continue;
    upper.push_back({x(q), y(inside(q + half))}), lower.push_back({x(q), y(inside(q - half))});
  }
  out += stroke(broken_line(upper) + broken_line(lower), "axis", axis, 1.2, "5 4");
  const double line = std::min({end, y.scale.to, -y.scale.from});
  out += stroke(broken_line({{x(-line), y(-line)}, {x(line), y(line)}}), "axis", axis, 1.6);
  return out + dots(points) + bottom_axis(at, x, context.words(Word::residual_normal));
}

}  // namespace

Markup residuals(Context const& context, results::AnalysisRun const& run) {
  const Sample sample = sample_of(context, run);
  if (sample.scaled.size() < 3) return {};
  auto const& words = context.words;
  const auto [low, high] = std::ranges::minmax(sample.scaled);
  const double size = std::max({2.2, std::fabs(low), std::fabs(high)});  // one scale for both, 0 in the middle
  Layout left;
  left.top = 38, left.plot_height = 300, left.bottom = left.top + left.plot_height, left.right = 470;
  Layout right = left;
  right.left = 536, right.right = 926;
  const ValueAxis y = value_axis(-size, size, left.top, left.bottom, false);
  Markup body = against_fitted(context, sample, left, y, context.endpoint_unit(run.endpoint)) +
                against_normal(context, sample.scaled, right, y);
  for (Layout const* at : {&left, &right})
    body +=
        svg::text(at->left - 46, at->top - 18, words(Word::residual_scaled), {.size = font, .weight = Weight::bold, .fill = ink});

  const auto beyond = std::ranges::count_if(sample.scaled, [](double r) { return std::fabs(r) > 3; });
  const double expected = double(sample.scaled.size()) * std::erfc(3 / std::numbers::sqrt2);
  std::vector<std::string> notes = {words(Word::residual_note, sample.scaled.size(), beyond, results::fixed(expected, 1))};
  if (sample.scaled.size() >= 50) notes.push_back(words(Word::residual_note_left));
  notes.push_back(words(Word::residual_note_band));
  const std::string name = words(Word::residual_aria, context.analysis(run), context.set(run.set), sample.scaled.size());
  return scrolling("plot", svg::figure(940, left.bottom + 54, name, watermark(context), body)) + note(context, notes);
}

}  // namespace equipoise::report::figures
