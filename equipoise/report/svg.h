#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/report/html.h"

/// A small grammar of graphics: scales, ticks, paths, text that can be measured without a browser. Lengths are in user units (CSS
/// pixels).
namespace equipoise::report::svg {

enum class Weight { regular, bold };

/// Width of a text at a font size, by the advance widths of DejaVu Sans (wider than the usual system fonts, so boxes never come
/// out too small); CJK and full-width forms are 1 em, combining marks nothing.
double text_width(std::string_view text, double size, Weight weight = Weight::regular);

/// The text in lines no wider than `width`: broken at blanks, between CJK characters, and inside a word only when the word alone
/// is too wide.
std::vector<std::string> wrapped(std::string_view text, double width, double size, Weight weight = Weight::regular);

/// The text, or as much of it as fits on one line with an ellipsis.
std::string cut(std::string const& text, double width, double size, Weight weight = Weight::regular);

/// A straight line from data to the page.
struct Scale {
  double from = 0, to = 1;    ///< data
  double start = 0, end = 1;  ///< page
  double operator()(double value) const { return to == from ? start : start + (value - from) / (to - from) * (end - start); }
};

/// Round numbers from 0 to at most `end`, with a step from `steps` times a power of ten, so that there are at most `most` of
/// them.
std::vector<double> ticks(double end, int most, std::span<const double> steps);

/// Multiples of a round step (1, 2 or 5 times a power of ten) inside [from, to], as many as there can be up to `most`, at
/// least 2.
std::vector<double> ticks_between(double from, double to, int most);

/// Unit of a time axis, and where its ticks stand (in days).
struct TimeAxis {
  enum class Unit { days, months, years } unit = Unit::days;
  std::vector<double> days;    ///< position of each tick, in days
  std::vector<double> labels;  ///< the number printed there, in the unit
};
/// Days up to 800 of them; then months (as long as `month_days`) up to ten years; then years of twelve such months.
TimeAxis time_axis(double horizon_days, double month_days);

struct Point {
  double x = 0, y = 0;
};

/// Path of a right-continuous step function: horizontal to each next point, then vertical. Points in order of x.
std::string step_path(std::span<const Point> points);
/// Closed path between two step functions with the same x.
std::string step_band(std::span<const Point> upper, std::span<const Point> lower);

/// Moves the centres of blocks apart so that none overlaps, as little as needed, inside [top, bottom] when they fit there. The
/// order of the wanted centres is kept (ties: order of the list).
std::vector<double> pushed_apart(std::span<const double> wanted, std::span<const double> heights, double top, double bottom);

enum class Anchor { start, middle, end };
struct TextStyle {
  double size = 13;
  Weight weight = Weight::regular;
  Anchor anchor = Anchor::start;
  std::string_view css = "ink";       ///< class, for dark mode
  std::string_view fill = "#1c2430";  ///< literal colour, for what knows no CSS
};
Markup text(double x, double y, Markup const& words, TextStyle const& style = {});
Markup line(double x1, double y1, double x2, double y2, std::string_view css, std::string_view stroke, double width = 1);
Markup path(std::string const& d, Attributes attributes);
Markup rectangle(double x, double y, double width, double height, double radius, Attributes attributes);

/// Marker number `shape` of six (circle, square, diamond, triangle, triangle down, cross): arms differ without colour.
Markup marker(int shape, Point at, double radius, std::string_view css, std::string_view fill);
/// The same, empty: an outline over the paper.
Markup hollow_marker(int shape, Point at, double radius, std::string_view css, std::string_view stroke);

/// What is drawn, with a text that shows when it is pointed at. Nothing of nothing.
Markup tip(std::string const& text, Markup const& drawn);

/// The figure as one image with its name for screen readers; with a watermark across it when `watermark` is not empty.
Markup figure(double width, double height, std::string const& title, std::string const& watermark, Markup const& content);

}  // namespace equipoise::report::svg
