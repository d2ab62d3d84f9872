#include <algorithm>
#include <cmath>

#include "equipoise/report/figures.h"
#include "equipoise/report/figures/panels.h"
#include "equipoise/report/figures/visit_frame.h"
#include "equipoise/report/visits.h"

namespace equipoise::report::figures {
namespace {

using svg::Anchor;
using svg::Weight;

constexpr double small = 11;

/// One arm: columns are visits, the height is shared out among the patterns by their participants.
Markup panel(Context const& context, MissingPatterns const& all, std::size_t arm, VisitAxis const& visits, Panel const& at) {
  const ArmStyle style = context.style(all.arms[arm]);
  const std::string slot = std::to_string(style.slot);
  const double n = double(all.participants(arm)), columns = double(all.visits.size());
  const double wide = (at.right - at.left) / columns, gap = std::min(3.0, wide / 6);
  const bool crowded = wide < svg::text_width("100", small) + 3;
  Markup out;
  for (std::size_t v = 0; v < all.visits.size(); ++v) {
    const double left = at.left + double(v) * wide + gap / 2, middle = left + (wide - gap) / 2;
    // Neighbouring patterns that agree at a visit are one block: the eye follows visits down and patterns across.
    std::int64_t above = 0, seen = 0;
    Markup blocks;
    for (std::size_t k = 0; k < all.patterns.size();) {
      const bool observed = all.patterns[k].observed[v];
      std::int64_t block = 0;
      for (; k < all.patterns.size() && (all.patterns[k].observed[v] == observed || all.patterns[k].of_arm[arm] == 0); ++k)
        block += all.patterns[k].of_arm[arm];
      const double top = at.top + double(above) / n * (at.bottom - at.top), height = double(block) / n * (at.bottom - at.top);
      above += block;
      if (!observed || block == 0) continue;
      seen += block;
      blocks += svg::tip(
          visits.labels[v] + ": " + std::to_string(block) + "/" + std::to_string(std::int64_t(n)),
          svg::rectangle(
              left, top, wide - gap, height, 0,
              {{"class", std::string("f") + slot}, {"fill", std::string(style.colour)}, {"fill-opacity", std::string("0.62")}}));
    }
    out += svg::rectangle(left, at.top, wide - gap, at.bottom - at.top, 0,
                          {{"class", std::string("box")},
                           {"fill", std::string("#ffffff")},
                           {"stroke", std::string("#c3cad6")},
                           {"stroke-width", 1.0}});
    out += blocks;
    if (!crowded || v % 2 == (all.visits.size() - 1) % 2) {
      out += svg::text(middle, at.top - 8, std::to_string(int(std::lround(100 * double(seen) / n))),
                       {.size = small, .anchor = Anchor::middle, .css = "muted", .fill = muted});
    }
  }
  out += panel_labels(context, visits, at, [&](std::size_t v) { return at.left + (double(v) + 0.5) * wide; });
  // Where the patterns meet: thin lines across, when the blocks are tall enough to tell them apart.
  double y = at.top;
  std::string cuts;
  for (auto const& pattern : all.patterns) {
    if (pattern.of_arm[arm] == 0) continue;
    y += double(pattern.of_arm[arm]) / n * (at.bottom - at.top);
    if (y < at.bottom - 0.5) cuts += std::string("M") + coordinate(at.left) + " " + coordinate(y) + "H" + coordinate(at.right);
  }
  if (!cuts.empty())
    out += svg::path(cuts, {{"class", std::string("cut")},
                            {"fill", std::string("none")},
                            {"stroke", std::string("#ffffff")},
                            {"stroke-width", 1.0},
                            {"stroke-opacity", std::string("0.8")}});
  return out;
}

}  // namespace

Markup missing_patterns(Context const& context, results::AnalysisRun const& run) {
  const MissingPatterns all = missing_patterns_of(context, run);
  if (all.patterns.empty()) return {};
  auto const& words = context.words;
  const VisitAxis visits = visit_axis(context, all.visits);
  std::vector<std::string> arms;
  std::vector<std::int64_t> sizes;
  for (std::size_t a = 0; a < all.arms.size(); ++a) arms.push_back(all.arms[a]), sizes.push_back(all.participants(a));
  const PanelGrid places = panel_grid(context, arms, {.left = 12, .head = 26, .height = 220, .foot = 54, .gap = 34});
  Markup body;
  std::string described;
  for (std::size_t a = 0; a < arms.size(); ++a) {
    body += panel_head(context, arms[a], sizes[a], places.panels[a]);
    if (sizes[a] > 0) body += panel(context, all, a, visits, places.panels[a]);
    std::int64_t complete = 0;
    for (auto const& pattern : all.patterns)
      if (pattern.kind() == MissingPatterns::Kind::complete) complete = pattern.of_arm[a];
    described += (described.empty() || words.chinese() ? "" : " ") +
                 words(Word::missing_aria_arm, context.arm(arms[a]), complete, sizes[a]);
  }
  const std::string name = words(Word::missing_aria, context.endpoint(run.endpoint), context.set(run.set), described);
  return scrolling("plot", svg::figure(places.width, places.height, name, watermark(context), body)) +
         note(context, {words(Word::missing_figure_note)});
}

}  // namespace equipoise::report::figures
