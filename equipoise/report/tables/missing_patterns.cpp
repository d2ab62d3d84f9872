#include <algorithm>

#include "equipoise/report/tables.h"
#include "equipoise/report/visits.h"

namespace equipoise::report::tables {
namespace {

using Pattern = MissingPatterns::Pattern;

constexpr std::size_t most_rows = 24;

std::string name_of(Context const& context, MissingPatterns const& all, Pattern const& pattern) {
  switch (pattern.kind()) {
    case MissingPatterns::Kind::complete:
      return context.words(Word::missing_complete);
    case MissingPatterns::Kind::stopped:
      return context.words(Word::missing_stopped, context.visit(all.visits[pattern.last()]));
    case MissingPatterns::Kind::gaps:
      return context.words(Word::missing_gaps);
    case MissingPatterns::Kind::nothing:
      break;
  }
  return context.words(Word::missing_nothing);
}

Markup count(std::int64_t n, std::int64_t of) {
  if (n == 0) return element("td", "0");
  Markup inside = element("span", "est", std::to_string(n));
  if (of > 0) inside += " (" + results::percent(double(n) / double(of)) + ")";
  return element("td", inside);
}

Markup row_head(std::string const& text) { return element("th", {{"scope", std::string("row")}}, text); }

/// One visit of one pattern, in words for those who do not see squares.
Markup square(Context const& context, bool observed) {
  const std::string word = observed ? context.words(Word::yes) : context.words(Word::no);
  return element(
      "td", "square",
      element("span", {{"class", std::string(observed ? "seen" : "unseen")}, {"role", std::string("img")}, {"aria-label", word}},
              observed ? "\u25a0" : "\u25a1"));
}

}  // namespace

Markup missing_patterns(Context const& context, results::AnalysisRun const& run) {
  const MissingPatterns all = missing_patterns_of(context, run);
  if (all.patterns.empty()) return {};
  auto const& words = context.words;

  // With more patterns than a page holds, those that most participants have are listed, in their order.
  std::vector<Pattern const*> listed;
  for (Pattern const& pattern : all.patterns) listed.push_back(&pattern);
  std::vector<std::int64_t> others(all.arms.size(), 0);
  std::size_t left_out = 0;
  if (listed.size() > most_rows) {
    std::vector<std::int64_t> sizes;
    for (const auto* pattern : listed) sizes.push_back(pattern->participants());
    std::ranges::sort(sizes, std::greater<>());
    const std::int64_t least = sizes[most_rows - 1];
    std::vector<Pattern const*> kept;
    std::int64_t ties = std::int64_t(most_rows) - std::ranges::count_if(sizes, [&](std::int64_t n) { return n > least; });
    for (const auto* pattern : listed) {
      if (pattern->participants() > least || (pattern->participants() == least && ties-- > 0)) {
        kept.push_back(pattern);
        continue;
      }
      ++left_out;
      for (std::size_t a = 0; a < all.arms.size(); ++a) others[a] += pattern->of_arm[a];
    }
    listed = std::move(kept);
  }

  const auto column = [](std::string const& name, std::string const& css) {
    return element("th", {{"scope", std::string("col")}, {"class", css}}, name);
  };
  Markup head = column(words(Word::missing_pattern), "");
  for (auto const& visit : all.visits) head += column(context.visit(visit), "square");
  std::int64_t everybody = 0;
  for (std::size_t a = 0; a < all.arms.size(); ++a) {
    const std::int64_t n = all.participants(a);
    everybody += n;
    head += element("th", {{"scope", std::string("col")}, {"class", std::string("num")}},
                    Markup(context.arm(all.arms[a])) + element("span", "heading-n", words(Word::n_equals, n)));
  }
  head += element("th", {{"scope", std::string("col")}, {"class", std::string("num")}},
                  Markup(words(Word::baseline_all)) + element("span", "heading-n", words(Word::n_equals, everybody)));

  const auto counts = [&](std::vector<std::int64_t> const& of_arm) {
    Markup cells;
    std::int64_t sum = 0;
    for (std::size_t a = 0; a < all.arms.size(); ++a) cells += count(of_arm[a], all.participants(a)), sum += of_arm[a];
    return cells + count(sum, everybody);
  };
  Markup body;
  for (const auto* pattern : listed) {
    Markup row = row_head(name_of(context, all, *pattern));
    for (const bool observed : pattern->observed) row += square(context, observed);
    body += element("tr", row + counts(pattern->of_arm));
  }
  if (left_out > 0) {
    Markup row = row_head(words(Word::missing_others, left_out));
    row += element("td", {{"colspan", std::to_string(all.visits.size())}});
    body += element("tr", row + counts(others));
  }
  Markup foot = row_head(words(Word::missing_with_value));
  for (std::size_t v = 0; v < all.visits.size(); ++v) {
    std::int64_t n = 0;
    for (std::size_t a = 0; a < all.arms.size(); ++a) n += all.observed(a, v);
    foot += element("td", "square", std::to_string(n));
  }
  foot += element("td", {{"colspan", std::to_string(all.arms.size() + 1)}});
  body += element("tr", "total", foot);
  return element("div", "scroll",
                 element("table", "data patterns", element("thead", element("tr", head)) + element("tbody", body))) +
         element("p", "note", words(Word::missing_note));
}

}  // namespace equipoise::report::tables
