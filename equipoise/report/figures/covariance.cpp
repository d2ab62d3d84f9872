#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "equipoise/report/figures.h"
#include "equipoise/report/figures/visit_frame.h"
#include "equipoise/report/visits.h"
#include "equipoise/results/labels.h"

namespace equipoise::report::figures {
namespace {

using svg::Anchor;
using svg::Weight;

std::string text_at(At const& at, std::string_view key) {
  const auto found = at.find(key);
  const auto* text = found == at.end() ? nullptr : std::get_if<std::string>(&found->second);
  return text ? *text : std::string();
}

/// The group that a covariance is of: at `group`, or the level at `within`; empty when all share one.
std::string group_of(At const& at) {
  const auto within = at.find("within");
  const auto* levels = within == at.end() ? nullptr : std::get_if<Term>(&within->second);
  return levels && levels->size() == 1 && levels->front().level ? *levels->front().level : text_at(at, "group");
}

bool is_covariance(Finding const& f) { return f.quantity == "covariance" && !text_at(f.at, "row").empty(); }

/// Standard deviations, and the correlations below the diagonal; NaN where the results have none.
struct Matrix {
  std::vector<std::string> visits;
  std::vector<double> sd;
  std::vector<std::vector<double>> correlation;
};

Matrix matrix_of(Context const& context, results::AnalysisRun const& run, std::string const& group) {
  std::map<std::pair<std::string, std::string>, double> cells;
  Matrix m;
  std::vector<std::string> seen;
  for (const auto* record : context.records(run.id)) {
    Finding const& f = record->finding;
    if (!is_covariance(f) || group_of(f.at) != group) continue;
    const std::string row = text_at(f.at, "row"), column = text_at(f.at, "column");
    cells[{row, column}] = cells[{column, row}] = f.value;
    for (auto const& visit : {row, column})
      if (std::ranges::find(seen, visit) == seen.end()) seen.push_back(visit);
  }
  m.visits = in_visit_order(context, run, seen);
  const auto cell = [&](std::size_t i, std::size_t j) {
    const auto found = cells.find({m.visits[i], m.visits[j]});
    return found == cells.end() ? missing_number : found->second;
  };
  for (std::size_t i = 0; i < m.visits.size(); ++i) {
    m.sd.push_back(cell(i, i) >= 0 ? std::sqrt(cell(i, i)) : missing_number);
    m.correlation.emplace_back();
    for (std::size_t j = 0; j < i; ++j) m.correlation[i].push_back(cell(i, j) / (m.sd[i] * m.sd[j]));
  }
  return m;
}

/// Shades of one hue from paper to dark by size.
struct Shade {
  std::string fill, ink;
};
Shade shade_of(double r) {
  const double size = std::isfinite(r) ? std::min(1.0, r * r) : 0;  // squared: most correlations are neither 0 nor 1
  const auto mix = [&](int pale, int dark) { return int(std::lround(pale + size * (dark - pale))); };
  const int red = mix(0xf4, 0x0b), green = mix(0xf7, 0x4f), blue = mix(0xfa, 0x66);
  char fill[8];
  std::snprintf(fill, sizeof fill, "#%02x%02x%02x", red, green, blue);
  // White where it stands out more than the dark ink does: relative luminance below 0.18 (WCAG 2.1).
  const auto linear = [](int c) { return std::pow((c / 255.0 + 0.055) / 1.055, 2.4); };
  const double luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  return {fill, luminance < 0.18 ? "#ffffff" : "#12202b"};
}

}  // namespace

bool shows_covariance(Finding const& finding, std::string const& group) {
  return is_covariance(finding) && group_of(finding.at) == group;
}

std::vector<std::string> covariance_groups(Context const& context, results::AnalysisRun const& run) {
  std::vector<std::string> groups;
  for (const auto* record : context.records(run.id))
    if (is_covariance(record->finding))
      if (const std::string group = group_of(record->finding.at); std::ranges::find(groups, group) == groups.end())
        groups.push_back(group);
  return in_arm_order(context.plan, groups);
}

Markup covariance(Context const& context, results::AnalysisRun const& run, std::string const& group) {
  const Matrix m = matrix_of(context, run, group);
  const std::size_t n = m.visits.size();
  if (n < 2) return {};
  auto const& words = context.words;
  const VisitAxis visits = visit_axis(context, m.visits);
  double label_room = 40;
  for (auto const& label : visits.labels) label_room = std::max(label_room, svg::text_width(label, font));
  label_room = std::min(label_room, 170.0);
  const double left = 16 + label_room + 12, bars = 250, gap = 40, width = 940;
  const double w = std::min(64.0, (width - left - bars - gap) / double(n - 1)), h = std::clamp(w * 0.62, 20.0, 34.0);
  const bool printed = w >= 30;
  const double top = 44, bottom = top + h * double(n);

  // Rows are visits from the first on; columns all but the last: the triangle below the diagonal.
  Markup body =
      svg::text(left, top - 20, words(Word::covariance_correlation), {.size = font, .weight = Weight::bold, .fill = ink});
  const double bar_left = left + w * double(n - 1) + gap, bar_right = std::min(width - 70, bar_left + bars);
  const std::string unit = context.endpoint_unit(run.endpoint);
  body += svg::text(bar_left, top - 20, with_unit(context, words(Word::covariance_sd), unit),
                    {.size = font, .weight = Weight::bold, .fill = ink});
  Range sd, r;
  for (const double value : m.sd) sd.add(value);
  for (auto const& row : m.correlation)
    for (const double value : row) r.add(value);
  const int decimals = sd.empty ? 1 : results::decimals_for(sd.high, {});
  std::string hatch;
  for (std::size_t i = 0; i < n; ++i) {
    const double y = top + double(i) * h, middle = y + h / 2;
    body += svg::text(left - 12, middle + 4.5, svg::wrapped(visits.labels[i], 170, font)[0],
                      {.size = font, .anchor = Anchor::end, .css = "muted", .fill = muted});
    for (std::size_t j = 0; j < i; ++j) {
      const double x = left + double(j) * w, value = m.correlation[i][j];
      const Shade shade = shade_of(value);
      body += svg::tip(
          visits.labels[i] + ", " + visits.labels[j] + ": " + results::fixed(value, 2),
          svg::rectangle(x + 0.75, y + 0.75, w - 1.5, h - 1.5, 2, {{"class", std::string("cell")}, {"fill", shade.fill}}));
      if (value < 0) {
        for (double s = 6; s < w + h; s += 6) {
          // slanted strokes, cut off at the cell
          const double x1 = std::max(0.0, s - h), y1 = std::min(s, h), x2 = std::min(s, w), y2 = std::max(0.0, s - w);
          hatch += std::string("M") + coordinate(x + x1) + " " + coordinate(y + y1) + "L" + coordinate(x + x2) + " " +
                   coordinate(y + y2);
        }
      }
      if (printed)
        body += svg::text(x + w / 2, middle + 4.5, results::fixed(value, 2),
                          {.size = 12.5, .anchor = Anchor::middle, .css = "cell-ink", .fill = shade.ink});
    }
    if (std::isfinite(m.sd[i]) && sd.high > 0) {
      const double length = m.sd[i] / sd.high * (bar_right - bar_left);
      body += svg::rectangle(bar_left, y + h * 0.24, length, h * 0.52, 2,
                             {{"class", std::string("bar")}, {"fill", std::string("#8a97a8")}});
      body += svg::text(bar_left + length + 8, middle + 4.5, results::fixed(m.sd[i], decimals), {.size = 12.5, .fill = ink});
    } else {
      body += svg::text(bar_left, middle + 4.5, std::string(results::not_estimable), {.size = 12.5, .fill = ink});
    }
  }
  if (!hatch.empty())
    body += svg::path(hatch, {{"class", std::string("hatch")},
                              {"fill", std::string("none")},
                              {"stroke", std::string(muted)},
                              {"stroke-width", 0.7},
                              {"stroke-opacity", std::string("0.6")}});
  body += svg::line(bar_left, top, bar_left, bottom, "axis", axis);
  // Names of the columns below the triangle, the numbers alone where the names have no room.
  bool numbers = false;
  for (std::size_t j = 0; j + 1 < n; ++j) numbers = numbers || svg::text_width(visits.labels[j], 12) > w - 4;
  numbers = numbers && !visits.numbers.empty();
  std::size_t lines = 1;
  for (std::size_t j = 0; j + 1 < n; ++j) {
    const std::vector<std::string> label =
        numbers ? std::vector<std::string>{visits.numbers[j]} : svg::wrapped(visits.labels[j], w - 2, 12);
    for (std::size_t k = 0; k < label.size(); ++k)
      body += svg::text(left + (double(j) + 0.5) * w, bottom + 17 + 14 * double(k), label[k],
                        {.size = 12, .anchor = Anchor::middle, .css = "muted", .fill = muted});
    lines = std::max(lines, label.size());
  }
  double end = bottom + 17 + 14 * double(lines - 1);
  if (numbers) {
    end += 20;
    body += svg::text(left + w * double(n - 1) / 2, end, visits.counted,
                      {.size = 12, .weight = Weight::bold, .anchor = Anchor::middle, .fill = ink});
  }
  const auto text = [](double value, int places) { return results::fixed(value, places); };
  const std::string name = words(Word::covariance_aria, context.analysis(run), text(r.low, 2), text(r.high, 2),
                                 text(sd.low, decimals), text(sd.high, decimals));
  return scrolling("plot", svg::figure(width, end + 14, name, watermark(context), body)) +
         note(context, {words(Word::covariance_note)});
}

}  // namespace equipoise::report::figures
