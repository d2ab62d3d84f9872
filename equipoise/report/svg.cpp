#include "equipoise/report/svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "equipoise/report/advance_widths.h"
#include "equipoise/report/utf8.h"

namespace equipoise::report::svg {
namespace {

bool is_wide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
         (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) || (c >= 0xffe0 && c <= 0xffe6) || c >= 0x1f000;
}

double advance(char32_t c, Weight weight) {
  const bool bold = weight == Weight::bold;
  if ((c >= 0x300 && c <= 0x36f) || (c >= 0x200b && c <= 0x200f)) return 0;
  if (c >= 0x20 && c <= 0x17f) return (bold ? bold_latin : regular_latin)[c - 0x20] / 1000.0;
  if (c >= 0x370 && c <= 0x3ff) return (bold ? bold_greek : regular_greek)[c - 0x370] / 1000.0;
  if (is_wide(c)) return 1;
  if (c == 0x2013 || c == 0x2009) return 0.5;
  if (c == 0x2018 || c == 0x2019) return 0.38;
  if (c == 0x2070 || (c >= 0x2074 && c <= 0x208e)) return 0.53;
  if (c == 0x2014 || c == 0x2026) return 1;
  return 0.84;  // signs such as minus, arrows and comparisons are 0.838 em
}

/// Outline of marker number `shape`.
std::string marker_outline(int shape, Point at, double r) {
  const auto polygon = [&](std::initializer_list<Point> corners) {
    std::string d;
    for (auto const& c : corners)
      d.append(d.empty() ? "M" : "L").append(coordinate(at.x + r * c.x)).append(" ").append(coordinate(at.y + r * c.y));
    return d + "Z";
  };
  std::string d;
  switch (shape % 6) {
    case 0:
      d = std::string("M") + coordinate(at.x - r) + " " + coordinate(at.y) + "a" + coordinate(r) + " " + coordinate(r) +
          " 0 1 0 " + coordinate(2 * r) + " 0a" + coordinate(r) + " " + coordinate(r) + " 0 1 0 " + coordinate(-2 * r) + " 0Z";
      break;
    case 1:
      d = polygon({{-0.9, -0.9}, {0.9, -0.9}, {0.9, 0.9}, {-0.9, 0.9}});
      break;
    case 2:
      d = polygon({{0, -1.25}, {1.25, 0}, {0, 1.25}, {-1.25, 0}});
      break;
    case 3:
      d = polygon({{0, -1.2}, {1.15, 0.9}, {-1.15, 0.9}});
      break;
    case 4:
      d = polygon({{0, 1.2}, {1.15, -0.9}, {-1.15, -0.9}});
      break;
    default:
      d = polygon({{-0.4, -1.2},
                   {0.4, -1.2},
                   {0.4, -0.4},
                   {1.2, -0.4},
                   {1.2, 0.4},
                   {0.4, 0.4},
                   {0.4, 1.2},
                   {-0.4, 1.2},
                   {-0.4, 0.4},
                   {-1.2, 0.4},
                   {-1.2, -0.4},
                   {-0.4, -0.4}});
      break;
  }
  return d;
}

}  // namespace

double text_width(std::string_view text, double size, Weight weight) {
  double ems = 0;
  for (std::size_t at = 0; at < text.size();) ems += advance(next_code_point(text, at), weight);
  return ems * size;
}

std::vector<std::string> wrapped(std::string_view text, double width, double size, Weight weight) {
  // Pieces that may stand alone on a line: words with the blank behind them, single CJK characters.
  std::vector<std::string> pieces(1);
  bool after_wide = false;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    const bool closing =
        c == 0x3001 || c == 0x3002 || c == 0xff0c || c == 0xff1a || c == 0xff1b || c == 0xff09;  // never first in a line
    const bool blank = c == '\n' || c == '\t' || c == ' ';
    if ((is_wide(c) || after_wide) && !closing && !blank && !pieces.back().empty()) pieces.emplace_back();
    append_utf8(pieces.back(), blank ? U' ' : c);
    if (blank) pieces.emplace_back();
    after_wide = is_wide(c);
  }
  std::vector<std::string> lines;
  std::string current;
  const auto trim = [](std::string s) {
    while (!s.empty() && s.back() == ' ') s.pop_back();
    return s;
  };
  const auto flush = [&] {
    if (std::string ready = trim(current); !ready.empty()) lines.push_back(std::move(ready));
    current.clear();
  };
  for (auto const& piece : pieces) {
    if (text_width(trim(current + piece), size, weight) > width) flush();
    if (text_width(trim(piece), size, weight) <= width) {
      current += piece;
      continue;
    }
    for (std::size_t at = 0; at < piece.size();) {
      std::string letter;
      append_utf8(letter, next_code_point(piece, at));
      if (!current.empty() && text_width(trim(current + letter), size, weight) > width) flush();
      current += letter;
    }
  }
  flush();
  if (lines.empty()) lines.emplace_back();
  return lines;
}

std::vector<double> ticks(double end, int most, std::span<const double> steps) {
  std::vector<double> at{0};
  if (!(end > 0) || !std::isfinite(end) || most < 2 || steps.empty()) return at;
  double step = 0;
  for (double power = std::pow(10.0, std::floor(std::log10(end)) - 2); step == 0; power *= 10)
    for (const double candidate : steps)
      if (end / (candidate * power) <= most - 1 && (step == 0 || candidate * power < step)) step = candidate * power;
  for (int i = 1; i * step <= end * (1 + 1e-12); ++i) at.push_back(i * step);
  return at;
}

std::vector<double> ticks_between(double from, double to, int most) {
  if (!(to > from) || !std::isfinite(to - from)) return {};
  for (int power = int(std::floor(std::log10(to - from))) - 2;; ++power)
    for (const int digit : {1, 2, 5}) {
      // Whole multiples of a step that is a decimal number: -0.3 is -3 / 10, not -3 * 0.1.
      const double scale = std::pow(10.0, std::abs(power));
      const auto value = [&](double i) { return power < 0 ? i * digit / scale : i * digit * scale; };
      const double step = value(1), slack = 1e-9;
      const double first = std::ceil(from / step - slack), last = std::floor(to / step + slack);
      if (last - first + 1 > std::max(2, most)) continue;
      std::vector<double> at;
      for (double i = first; i <= last; ++i) at.push_back(i == 0 ? 0.0 : value(i));
      return at;
    }
}

TimeAxis time_axis(double horizon_days, double month_days) {
  TimeAxis axis;
  if (!(month_days > 0)) month_days = 30.4375;
  if (!(horizon_days > 0) || !std::isfinite(horizon_days)) horizon_days = 1;
  double per_unit = 1;
  std::vector<double> steps = {1, 2, 5, 7, 10, 14, 20, 30, 60, 90, 100, 120};  // weeks and months are the days people count in
  if (horizon_days > 800) {
    axis.unit = horizon_days > 120 * month_days ? TimeAxis::Unit::years : TimeAxis::Unit::months;
    per_unit = axis.unit == TimeAxis::Unit::years ? 12 * month_days : month_days;
    steps = axis.unit == TimeAxis::Unit::years ? std::vector<double>{1, 2, 5, 10} : std::vector<double>{3, 6, 12, 24};
  }
  const double end = horizon_days / per_unit;
  constexpr int most = 9;
  if (axis.unit == TimeAxis::Unit::years || end < 1) {
    axis.labels = ticks(end, most, std::array{1.0, 2.0, 5.0});
  } else {
    double step = steps.back();
    for (const double candidate : steps)
      if (end / candidate <= most - 1) {
        step = candidate;
        break;
      }
    for (int i = 0; i * step <= end * (1 + 1e-12); ++i) axis.labels.push_back(i * step);
  }
  for (const double label : axis.labels) axis.days.push_back(label * per_unit);
  return axis;
}

std::string step_path(std::span<const Point> points) {
  if (points.empty()) return {};
  std::string d = std::string("M") + coordinate(points[0].x) + " " + coordinate(points[0].y);
  for (std::size_t i = 1; i < points.size(); ++i) {
    d += std::string("H") + coordinate(points[i].x);
    if (points[i].y != points[i - 1].y) d += std::string("V") + coordinate(points[i].y);
  }
  return d;
}

std::string step_band(std::span<const Point> upper, std::span<const Point> lower) {
  if (upper.size() < 2 || upper.size() != lower.size()) return {};
  // Backwards a step is vertical first: just left of a point the function still has the level of the point before.
  std::string d = step_path(upper) + "V" + coordinate(lower.back().y);
  for (std::size_t i = lower.size() - 1; i-- > 0;) {
    if (lower[i].y != lower[i + 1].y) d += std::string("V") + coordinate(lower[i].y);
    d += std::string("H") + coordinate(lower[i].x);
  }
  return d + "Z";
}

std::string cut(std::string const& text, double width, double size, Weight weight) {
  const std::vector<std::string> lines = wrapped(text, width, size, weight);
  return lines.size() < 2 ? text : lines.front() + "\u2026";
}

std::vector<double> pushed_apart(std::span<const double> wanted, std::span<const double> heights, double top, double bottom) {
  std::vector<std::size_t> order(wanted.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return wanted[a] < wanted[b]; });
  std::vector<double> centre(wanted.begin(), wanted.end());
  double floor = top;
  for (const std::size_t i : order) {
    centre[i] = std::max(centre[i], floor + heights[i] / 2);
    floor = centre[i] + heights[i] / 2;
  }
  double ceiling = bottom;
  for (auto i = order.rbegin(); i != order.rend(); ++i) {
    centre[*i] = std::min(centre[*i], ceiling - heights[*i] / 2);
    ceiling = centre[*i] - heights[*i] / 2;
  }
  floor = top;  // too many for the room: start at the top and run over the bottom rather than overlap
  for (const std::size_t i : order) {
    centre[i] = std::max(centre[i], floor + heights[i] / 2);
    floor = centre[i] + heights[i] / 2;
  }
  return centre;
}

Markup text(double x, double y, Markup const& words, TextStyle const& style) {
  Attributes attributes = {
      {"x", x}, {"y", y}, {"class", std::string(style.css)}, {"fill", std::string(style.fill)}, {"font-size", style.size}};
  if (style.weight == Weight::bold) attributes.emplace_back("font-weight", std::string("600"));
  if (style.anchor != Anchor::start)
    attributes.emplace_back("text-anchor", std::string(style.anchor == Anchor::end ? "end" : "middle"));
  return element("text", attributes, words);
}

Markup line(double x1, double y1, double x2, double y2, std::string_view css, std::string_view stroke, double width) {
  return element("path",
                 {{"d", std::string("M") + coordinate(x1) + " " + coordinate(y1) + "L" + coordinate(x2) + " " + coordinate(y2)},
                  {"class", std::string(css)},
                  {"fill", std::string("none")},
                  {"stroke", std::string(stroke)},
                  {"stroke-width", width}});
}

Markup path(std::string const& d, Attributes attributes) {
  attributes.insert(attributes.begin(), {"d", d});
  return element("path", attributes);
}

Markup rectangle(double x, double y, double width, double height, double radius, Attributes attributes) {
  const Attributes shape = {{"x", x}, {"y", y}, {"width", width}, {"height", height}, {"rx", radius}};
  attributes.insert(attributes.begin(), shape.begin(), shape.end());
  return element("rect", attributes);
}

Markup marker(int shape, Point at, double r, std::string_view css, std::string_view fill) {
  return path(
      marker_outline(shape, at, r),
      {{"class", std::string(css)}, {"fill", std::string(fill)}, {"stroke", std::string("#ffffff")}, {"stroke-width", 1.2}});
}

Markup hollow_marker(int shape, Point at, double r, std::string_view css, std::string_view stroke) {
  return path(
      marker_outline(shape, at, r),
      {{"class", std::string(css)}, {"fill", std::string("#ffffff")}, {"stroke", std::string(stroke)}, {"stroke-width", 1.6}});
}

Markup tip(std::string const& text, Markup const& drawn) {
  if (drawn.empty()) return {};
  return element("g", "tip", element("title", Markup(text)) + drawn);
}

Markup figure(double width, double height, std::string const& title, std::string const& watermark, Markup const& content) {
  Markup inside = element("title", Markup(title)) + content;
  if (!watermark.empty()) {
    const double long_as = std::max(1.0, text_width(watermark, 1, Weight::bold));  // of its height; turned by 18 degrees
    const double size = std::min({96.0, 0.8 * width / long_as, height / (0.31 * long_as + 0.95)});
    inside += element("text",
                      {{"class", std::string("watermark")},
                       {"x", width / 2},
                       {"y", height / 2 + size / 3},
                       {"text-anchor", std::string("middle")},
                       {"font-size", size},
                       {"font-weight", std::string("700")},
                       {"fill", std::string("#b45309")},
                       {"fill-opacity", std::string("0.1")},
                       {"transform", std::string("rotate(-18 ") + coordinate(width / 2) + " " + coordinate(height / 2) + ")"},
                       {"pointer-events", std::string("none")}},
                      watermark);
  }
  return element(
      "svg",
      {{"class", std::string(width > 1000 ? "wide" : "fits")},
       {"xmlns", std::string("http://www.w3.org/2000/svg")},
       {"viewBox", std::string("0 0 ") + coordinate(width) + " " + coordinate(height)},
       {"role", std::string("img")},
       {"aria-label", title},
       {"font-family", std::string("system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'Noto Sans', "
                                   "'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif")}},
      inside);
}

}  // namespace equipoise::report::svg
