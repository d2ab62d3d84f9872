#include <algorithm>

#include "equipoise/report/rehearsal/frame.h"
#include "equipoise/report/rehearsal/ratio.h"

namespace equipoise::report::rehearsal::figures {

using svg::Anchor;
using svg::Weight;

Markup shares(Names const& names, std::string const& title, std::vector<ShareRow> const& rows, std::optional<double> nominal) {
  if (rows.empty() || names.rehearsal.scenarios.empty()) return {};
  constexpr double width = 940, label_width = 330, left = 372, right = 876, step = 15, line = 17;
  double top = 12;
  Markup legend = scenario_legend(names, 16, width - 16, top, top);
  top += 22;
  const svg::Scale x{.from = 0, .to = 1, .start = left, .end = right};

  struct Block {
    std::vector<std::string> label;
    double top, height;
  };
  std::vector<Block> blocks;
  double y = top;
  for (ShareRow const& row : rows) {
    const auto drawn = double(std::ranges::count_if(row.by_scenario, [](auto const& s) { return s && s->of > 0; }));
    Block block{.label = clipped(row.label, label_width, 13, 7), .top = y, .height = 0};
    block.height = std::max({step * drawn, line * double(block.label.size()), 30.0}) + 18;
    y += block.height;
    blocks.push_back(std::move(block));
  }
  const double bottom = y;

  Markup out = legend;
  for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    out += svg::line(x(share), top, x(share), bottom, share == 0 ? "axis" : "grid", share == 0 ? axis : grid);
    out += svg::text(x(share), bottom + 20, names.percent(share),
                     {.size = 12, .anchor = Anchor::middle, .css = "muted", .fill = muted});
  }
  out += svg::text((left + right) / 2, bottom + 42, names(Term::per_cent_of_trials),
                   {.size = 13, .weight = Weight::bold, .anchor = Anchor::middle, .fill = ink});
  if (nominal && *nominal > 0 && *nominal < 1) {
    out +=
        element("path", {{"d", std::string("M") + coordinate(x(*nominal)) + " " + coordinate(top - 4) + "V" + coordinate(bottom)},
                         {"class", std::string("ink-line")},
                         {"fill", std::string("none")},
                         {"stroke", std::string(ink)},
                         {"stroke-dasharray", std::string("4 3")}});
    out += svg::text(x(*nominal), top - 8, names(Term::legend_nominal, names.percent(*nominal)),
                     {.size = 11.5, .css = "muted", .fill = muted});
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    Block const& block = blocks[r];
    if (r > 0) out += svg::line(16, block.top, width - 16, block.top, "grid", grid);
    const double middle = block.top + block.height / 2;
    double baseline = middle - line * double(block.label.size()) / 2 + 13;
    for (auto const& text : block.label) {
      out += svg::text(16, baseline, text, {.size = 13, .fill = ink});
      baseline += line;
    }
    const auto drawn = double(std::ranges::count_if(rows[r].by_scenario, [](auto const& s) { return s && s->of > 0; }));
    double at = middle - step * (drawn - 1) / 2;
    for (std::size_t s = 0; s < rows[r].by_scenario.size(); ++s) {
      auto const& share = rows[r].by_scenario[s];
      if (!share || share->of <= 0) continue;
      ArmStyle const& style = names.styles[s];
      const Limits limits = wilson_limits(*share);
      out += svg::line(x(limits.lower), at, x(limits.upper), at, class_of('s', style.slot), style.colour, 2);
      out += scenario_marker(names, s, {x(share->value()), at}, 4.4);
      out += svg::text(width - 16, at + 4, printed(*share).value + "%",
                       {.size = 11.5, .anchor = Anchor::end, .css = class_of('f', style.slot), .fill = style.colour});
      at += step;
    }
  }
  return framed(names, width, bottom + 54, title, out);
}

}  // namespace equipoise::report::rehearsal::figures
