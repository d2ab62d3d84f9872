#include "equipoise/report/rehearsal/frame.h"

#include "equipoise/report/figures/visit_frame.h"

namespace equipoise::report::rehearsal::figures {

Markup framed(Names const& names, double width, double height, std::string const& title, Markup const& content) {
  return scrolling("plot",
                 svg::figure(width, height, title, report::figures::watermark(names.context), content));
}

std::vector<std::string> clipped(std::string const& text, double width, double size, std::size_t most, svg::Weight weight) {
  constexpr std::size_t readable = 2000;  // bytes; no label needs more, and a hostile one must not fill the page
  std::vector<std::string> lines = svg::wrapped(std::string_view(text).substr(0, readable), width, size, weight);
  if (lines.size() <= most && text.size() <= readable) return lines;
  if (lines.size() > most) lines.resize(most);
  lines.back() += "\u2026";
  return lines;
}

Markup scenario_marker(Names const& names, std::size_t scenario, svg::Point at, double radius) {
  ArmStyle const& style = names.styles[scenario];
  return svg::marker(style.shape, at, radius, "mark " + class_of('f', style.slot), style.colour);
}

Markup scenario_legend(Names const& names, double left, double right, double top, double& height) {
  Markup out;
  double x = left, y = top + 12;
  for (std::size_t s = 0; s < names.rehearsal.scenarios.size(); ++s) {
    const std::string name = clipped(names.scenario(s), 260, 13, 1).front();
    const double wide = 16 + svg::text_width(name, 13) + 22;
    if (x + wide > right && x > left) x = left, y += 22;
    out += scenario_marker(names, s, {x + 6, y - 4.5});
    out += svg::text(x + 17, y, name, {.size = 13, .fill = ink});
    x += wide;
  }
  height += y - top + 14;
  return out;
}

std::string class_of(char kind, int slot) { return std::string(1, kind) + std::to_string(slot); }

}  // namespace equipoise::report::rehearsal::figures
