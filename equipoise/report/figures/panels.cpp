#include "equipoise/report/figures/panels.h"

#include <algorithm>

namespace equipoise::report::figures {

using svg::Anchor;
using svg::Weight;

PanelGrid panel_grid(Context const& context, std::vector<std::string> const& arms, PanelSize const& size) {
  PanelGrid out;
  const std::size_t n = arms.size(), columns = n == 4 ? 2 : std::clamp<std::size_t>(n, 1, 3);
  const double right = 14, least = 1;
  const double wide = std::max(least, (out.width - size.left - right - double(columns - 1) * size.gap) / double(columns));
  double y = size.top;
  for (std::size_t first = 0; first < n; first += columns) {
    const std::size_t end = std::min(n, first + columns);
    std::size_t lines = 1;
    for (std::size_t i = first; i < end; ++i) {
      Panel panel;
      panel.lines = svg::wrapped(context.arm(arms[i]), wide - 90, font, Weight::bold);
      if (panel.lines.size() > 2) panel.lines = {panel.lines[0] + "\u2026", panel.lines.back()};
      lines = std::max(lines, panel.lines.size());
      panel.left = size.left + double(i - first) * (wide + size.gap), panel.right = panel.left + std::min(wide, 560.0);
      panel.first_in_row = i == first;
      out.panels.push_back(std::move(panel));
    }
    for (std::size_t i = first; i < end; ++i) {
      Panel& panel = out.panels[i];
      panel.heading = y + 12;
      panel.top = y + 12 + double(lines - 1) * line_height + size.head, panel.bottom = panel.top + size.height;
    }
    y = out.panels[first].bottom + size.foot;
  }
  out.height = y;
  return out;
}

Markup panel_head(Context const& context, std::string const& arm, std::int64_t n, Panel const& panel) {
  const ArmStyle style = context.style(arm);
  const std::string css = std::string("f") + std::to_string(style.slot);
  Markup out = svg::marker(style.shape, {panel.left + 5, panel.heading - 4.5}, 4.2, "mark " + css, style.colour);
  double y = panel.heading, width = 0;
  for (auto const& line : panel.lines) {
    out += svg::text(panel.left + 15, y, line, {.size = font, .weight = Weight::bold, .css = css, .fill = style.colour});
    width = svg::text_width(line, font, Weight::bold);
    y += line_height;
  }
  return out + svg::text(panel.left + 15 + width + 8, y - line_height, context.words(Word::n_equals, n),
                         {.size = 12, .css = "muted", .fill = muted});
}

Markup panel_labels(Context const& context, VisitAxis const& visits, Panel const& panel,
                    std::function<double(std::size_t)> const& x) {
  constexpr double small = 12, reach = 11;  // so far a label may stand out of its panel, towards the next one
  const std::size_t n = visits.visits.size();
  struct Labels {
    std::vector<double> middle;
    std::vector<bool> shown;
    bool crowded = false;
  };
  const auto placed = [&](std::vector<std::string> const& labels) {
    Labels out{std::vector<double>(n), std::vector<bool>(n, false)};
    double from = panel.right + reach;
    for (std::size_t i = n; i-- > 0;) {
      const double half = svg::text_width(labels[i], small) / 2 + 3;
      const double most = std::min(x(i), panel.right + reach - half);  // the last one moves inside
      out.middle[i] = std::max(most, std::min(panel.left - reach + half, panel.right + reach - half));
      out.crowded = out.crowded || out.middle[i] != x(i) || out.middle[i] + half > from;
      if (out.middle[i] + half > from && i + 1 < n) continue;
      out.shown[i] = true, from = out.middle[i] - half;
    }
    return out;
  };
  Labels at = placed(visits.labels);
  const bool numbers = at.crowded && !visits.numbers.empty();
  if (numbers) at = placed(visits.numbers);
  std::vector<std::string> const& labels = numbers ? visits.numbers : visits.labels;
  Markup out;
  for (std::size_t i = 0; i < n; ++i) {
    out += svg::line(x(i), panel.bottom, x(i), panel.bottom + 4, "axis", axis);
    if (at.shown[i])
      out += svg::text(at.middle[i], panel.bottom + 18, labels[i],
                       {.size = small, .anchor = Anchor::middle, .css = "muted", .fill = muted});
  }
  return out + svg::text((panel.left + panel.right) / 2, panel.bottom + 36,
                         numbers ? visits.counted : context.words(Word::visit_axis),
                         {.size = small, .weight = Weight::bold, .anchor = Anchor::middle, .fill = ink});
}

}  // namespace equipoise::report::figures
