#include "equipoise/stats/repeated/grid_questions.h"

#include <algorithm>

#include "equipoise/core/text.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {
namespace {

constexpr std::size_t most_levels_in_pairs = 30, most_cells = 400;

class Asker {
 public:
  Asker(ReferenceGrid const& grid, Frame const& frame, std::vector<std::string>& notes)
      : grid_(grid), frame_(frame), notes_(notes) {}

  std::vector<GridQuestion> ask(std::string_view first, std::vector<NamedContrast> const& contrasts) {
    std::vector<std::string> order;
    for (ReferenceGrid::GridFactor const& f : grid_.factors()) order.push_back(f.column);
    std::stable_partition(order.begin(), order.end(), [&](std::string const& column) { return column == first; });
    for (std::string const& column : order) {
      for (std::string const& level : levels(column)) add_mean({{column, level}});
      add_differences(column, {});
    }
    for (NamedContrast const& contrast : contrasts) add_contrast(contrast);
    for (auto const& columns : grid_.interactions()) add_cells(columns);
    return std::move(questions_);
  }

 private:
  /// All levels of the frame, those without rows too: they are not estimable, and say so.
  std::span<const std::string> levels(std::string const& column) const { return frame_.categories(column).levels; }

  /// The LS mean's function of the coefficients; empty when a level has no row.
  std::vector<double> mean(Term const& at) const {
    const bool occurs = std::all_of(at.begin(), at.end(), [&](Factor const& f) {
      auto const& known = grid_.factor(f.column)->levels;
      return std::find(known.begin(), known.end(), *f.level) != known.end();
    });
    return occurs ? grid_.mean(at) : std::vector<double>();
  }

  void add_mean(Term at) {
    std::sort(at.begin(), at.end());
    questions_.push_back({.at = {{"lsmean", at}}, .function = mean(at), .cells = {at}, .words = "the LS mean of " + to_text(at)});
  }

  void add_difference(std::string const& column, std::string const& level, std::string const& minus, Term const& within) {
    Term upper = within, lower = within;
    upper.push_back({column, level});
    lower.push_back({column, minus});
    GridQuestion question{.at = {{"difference", LevelDifference{column, level, minus}}},
                          .function = mean(upper),
                          .cells = {upper, lower},
                          .comparison = true,
                          .words = fmt::format("{} '{}' less '{}'{}", column, level, minus,
                                               within.empty() ? "" : " within " + to_text(within))};
    if (!within.empty()) question.at["within"] = within;
    const std::vector<double> other = mean(lower);
    if (other.empty()) question.function.clear();
    for (std::size_t j = 0; j < question.function.size(); ++j) question.function[j] -= other[j];
    questions_.push_back(std::move(question));
  }

  void add_differences(std::string const& column, Term const& within) {
    const auto all = levels(column);
    const bool pairs = all.size() <= most_levels_in_pairs;
    if (!pairs && within.empty())
      notes_.push_back(fmt::format("'{}' has {} levels: each is compared with the first, '{}', only.", column, all.size(), all[0]));
    for (std::size_t b = 0; b < (pairs ? all.size() : 1); ++b)
      for (std::size_t a = b + 1; a < all.size(); ++a) add_difference(column, all[a], all[b], within);
  }

  void add_contrast(NamedContrast const& contrast) {
    GridQuestion question{.at = {{"contrast", contrast.name}}, .comparison = true, .words = "the contrast '" + contrast.name + "'"};
    std::vector<std::string> weights;
    bool occur = true;
    for (std::string const& level : levels(contrast.factor)) {
      const auto weight = contrast.weights.find(level);
      if (weight == contrast.weights.end() || weight->second == 0) continue;
      const std::vector<double> one = mean({{contrast.factor, level}});
      occur = occur && !one.empty();
      if (question.function.empty()) question.function.assign(one.size(), 0.0);
      for (std::size_t j = 0; occur && j < one.size(); ++j) question.function[j] += weight->second * one[j];
      question.cells.push_back({{contrast.factor, level}});
      weights.push_back(fmt::format("{} {}", level, shortest(weight->second)));
    }
    if (!occur) question.function.clear();
    questions_.push_back(std::move(question));
    notes_.push_back(fmt::format("Contrast '{}': LS means of '{}' times {}.", contrast.name, contrast.factor, join(weights, ", ")));
  }

  void add_cells(std::vector<std::string> const& columns) {
    std::size_t cells = 1;
    for (std::string const& column : columns)
      cells = std::min(cells * std::max<std::size_t>(levels(column).size(), 1), most_cells + 1);
    if (cells > most_cells) {
      notes_.push_back(fmt::format("The interaction of {} has more than {} cells: their means are not listed.", quoted(columns), most_cells));
      return;
    }
    for_each_cell(columns, [&](Term const& cell) { add_mean(cell); });
    for (std::string const& column : columns) {
      std::vector<std::string> others;
      for (std::string const& other : columns)
        if (other != column) others.push_back(other);
      for_each_cell(others, [&](Term within) {
        std::sort(within.begin(), within.end());
        add_differences(column, within);
      });
    }
  }

  template <class Visit>
  void for_each_cell(std::vector<std::string> const& columns, Visit visit) const {
    std::size_t count = 1;
    for (std::string const& column : columns) count *= levels(column).size();
    for (std::size_t number = 0; number < count; ++number) {
      Term cell(columns.size());
      std::size_t rest = number;
      for (std::size_t k = columns.size(); k-- > 0;) {  // the last column's levels change fastest
        const auto all = levels(columns[k]);
        cell[k] = {columns[k], all[rest % all.size()]};
        rest /= all.size();
      }
      visit(cell);
    }
  }

  ReferenceGrid const& grid_;
  Frame const& frame_;
  std::vector<std::string>& notes_;
  std::vector<GridQuestion> questions_;
};

}  // namespace

std::vector<GridQuestion> grid_questions(ReferenceGrid const& grid, Frame const& frame, std::string_view first,
                                         std::vector<NamedContrast> const& contrasts, std::vector<std::string>& notes) {
  return Asker(grid, frame, notes).ask(first, contrasts);
}

}  // namespace equipoise::stats
