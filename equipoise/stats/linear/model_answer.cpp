#include "equipoise/stats/linear/model_answer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>

#include "equipoise/core/text.h"
#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/model_terms.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {
namespace {

constexpr std::size_t most_levels_in_pairs = 30;  // above, differences are against the first level only
constexpr std::size_t most_cells = 400;           // of an interaction whose cell means are listed

/// Writes what a model says, finding by finding.
class Writer {
 public:
  Writer(ModelQuestion const& question, Frame const& frame, Design const& design, CoefficientInference const& fit, Answer& answer)
      : question_(question),
        frame_(frame),
        design_(design),
        fit_(fit),
        grid_(frame, question.formula, design, question.weights),
        answer_(answer) {}

  void write() {
    std::vector<ReferenceGrid::GridFactor const*> order;
    for (ReferenceGrid::GridFactor const& f : grid_.factors())
      if (f.column == question_.factor) order.push_back(&f);
    for (ReferenceGrid::GridFactor const& f : grid_.factors())
      if (f.column != question_.factor) order.push_back(&f);
    for (auto const* f : order) means_and_differences(*f, {});
    for (NamedContrast const& contrast : question_.contrasts) add_contrast(contrast);
    for (auto const& cells : grid_.interactions()) within_cells(cells);
    for (TermColumns const& term : design_.terms) effect(term);
    coefficients();
    for (auto& finding : t_) answer_.findings.push_back(std::move(finding));
    notes();
  }

  void write(Focus const& focus) {
    for (auto const& [of, within] : focus.differences) add_difference(of.column, of.level, of.minus, within);
  }

 private:
  std::int64_t rows() const { return std::int64_t(frame_.rows); }

  enum class Tested { no, yes };
  void add(At at, Inferred const& f, Tested tested, std::int64_t n) {
    const double se = f.se, t = f.t, df = f.df;
    const double half = std::isnan(t) ? missing_number : numerics::student_t_interval(question_.level, df) * se;
    Finding found{.quantity = "estimate",
                  .at = at,
                  .value = f.value,
                  .se = se,
                  .df = df,
                  .lower = f.value - half,
                  .upper = f.value + half,
                  .level = question_.level,
                  .n = n};
    if (std::isinf(df)) found.df.reset();  // the normal distribution has none
    if (tested == Tested::yes) found.p = numerics::student_t_two_sided(t, df);
    t_.push_back({.quantity = "t", .at = std::move(at), .value = t, .df = found.df, .n = n});
    answer_.findings.push_back(std::move(found));
  }

  std::int64_t rows_at(Term const& levels) const {
    std::vector<std::pair<std::span<const std::int32_t>, std::int32_t>> wanted;
    for (Factor const& f : levels) {
      CategoriesView const& category = frame_.categories(f.column);
      const auto level = std::find(category.levels.begin(), category.levels.end(), *f.level);
      if (level == category.levels.end()) return 0;
      wanted.emplace_back(category.codes, std::int32_t(level - category.levels.begin()));
    }
    std::int64_t count = 0;
    constexpr std::size_t some = 128;  // rows at a time, so that one instruction compares many
    std::array<std::int32_t, some> kept;
    for (std::size_t from = 0; from < frame_.rows; from += some) {
      const std::size_t rows = std::min(some, frame_.rows - from);
      kept.fill(1);
      for (auto const& [codes, level] : wanted) {
        std::int32_t const* own = codes.data() + from;
        for (std::size_t i = 0; i < rows; ++i) kept[i] &= own[i] == level;
      }
      count += std::accumulate(kept.begin(), kept.begin() + std::ptrdiff_t(rows), 0);
    }
    return count;
  }

  bool occurs(Factor const& at) const {
    auto const& levels = grid_.factor(at.column)->levels;
    return std::find(levels.begin(), levels.end(), *at.level) != levels.end();
  }

  /// The LS mean's function of the coefficients; nothing when a level has no row.
  std::optional<std::vector<double>> mean_row(Term const& levels) const {
    if (!std::all_of(levels.begin(), levels.end(), [&](Factor const& f) { return occurs(f); })) return {};
    return grid_.mean(levels);
  }

  void add_mean(Term levels) {
    std::sort(levels.begin(), levels.end());
    const auto row = mean_row(levels);
    const Inferred f = row ? fit_.function(*row) : Inferred();
    if (row && !f.estimable) not_estimable_.push_back("the LS mean of " + to_text(levels));
    const std::int64_t n = rows_at(levels);
    add({{"lsmean", std::move(levels)}}, f, Tested::no, n);
  }

  void add_difference(std::string const& column, std::string const& level, std::string const& minus, Term const& within) {
    Term upper = within, lower = within;
    upper.push_back({column, level});
    lower.push_back({column, minus});
    auto row = mean_row(upper);
    const auto other = mean_row(lower);
    Inferred f;
    if (row && other) {
      for (std::size_t j = 0; j < row->size(); ++j) (*row)[j] -= (*other)[j];
      f = fit_.function(*row);
      if (!f.estimable)
        not_estimable_.push_back(
            fmt::format("{} '{}' less '{}'{}", column, level, minus, within.empty() ? "" : " within " + to_text(within)));
    }
    At at{{"difference", LevelDifference{column, level, minus}}};
    if (!within.empty()) at["within"] = within;
    add(std::move(at), f, Tested::yes, rows_at(upper) + rows_at(lower));
  }

  /// All levels of the frame, those without rows too: they are not estimable, and say so.
  std::vector<std::string> levels_of(std::string const& column) const {
    CategoriesView const& category = frame_.categories(column);
    return {category.levels.begin(), category.levels.end()};
  }

  void means_and_differences(ReferenceGrid::GridFactor const& factor, Term const& within) {
    const std::vector<std::string> levels = levels_of(factor.column);
    if (within.empty())
      for (std::string const& level : levels) add_mean({{factor.column, level}});
    const std::size_t references = levels.size() > most_levels_in_pairs ? std::min<std::size_t>(levels.size(), 1) : levels.size();
    if (references < levels.size() && within.empty())
      answer_.notes.push_back(fmt::format("'{}' has {} levels: each is compared with the first, '{}', only.", factor.column,
                                          levels.size(), levels.front()));
    for (std::size_t b = 0; b < references; ++b)
      for (std::size_t a = b + 1; a < levels.size(); ++a) add_difference(factor.column, levels[a], levels[b], within);
  }

  /// Cell means of an interaction, and the differences of each of its factors within the levels of the others.
  void within_cells(std::vector<std::string> const& columns) {
    std::size_t cells = 1;
    for (std::string const& column : columns)
      cells = std::min(cells * std::max<std::size_t>(levels_of(column).size(), 1), most_cells + 1);
    if (cells > most_cells) {
      answer_.notes.push_back(
          fmt::format("The interaction of {} has more than {} cells: their means are not listed.", quoted(columns), most_cells));
      return;
    }
    for_each_cell(columns, [&](Term const& cell) { add_mean(cell); });
    for (std::string const& column : columns) {
      std::vector<std::string> others;
      for (std::string const& other : columns)
        if (other != column) others.push_back(other);
      for_each_cell(others, [&](Term const& cell) {
        Term within = cell;
        std::sort(within.begin(), within.end());
        means_and_differences(*grid_.factor(column), within);
      });
    }
  }

  template <class Visit>
  void for_each_cell(std::vector<std::string> const& columns, Visit visit) const {
    std::vector<std::vector<std::string>> levels;
    std::size_t count = 1;
    for (std::string const& column : columns) {
      levels.push_back(levels_of(column));
      count *= levels.back().size();
    }
    for (std::size_t number = 0; number < count; ++number) {
      Term cell(columns.size());
      std::size_t rest = number;
      for (std::size_t k = columns.size(); k-- > 0;) {  // the last column's levels change fastest
        cell[k] = {columns[k], levels[k][rest % levels[k].size()]};
        rest /= levels[k].size();
      }
      visit(cell);
    }
  }

  void add_contrast(NamedContrast const& contrast) {
    Inferred f;
    std::vector<double> row(design_.names.size(), 0.0);
    bool all_occur = true;
    std::int64_t n = 0;
    std::vector<std::string> weights;
    for (std::string const& level : levels_of(contrast.factor)) {
      const auto weight = contrast.weights.find(level);
      if (weight == contrast.weights.end() || weight->second == 0) continue;
      const auto mean = mean_row({{contrast.factor, level}});
      all_occur = all_occur && mean;
      if (mean)
        for (std::size_t j = 0; j < row.size(); ++j) row[j] += weight->second * (*mean)[j];
      n += rows_at({{contrast.factor, level}});
      weights.push_back(fmt::format("{} {}", level, shortest(weight->second)));
    }
    if (all_occur) f = fit_.function(row);
    if (!f.estimable) not_estimable_.push_back("the contrast '" + contrast.name + "'");
    add({{"contrast", contrast.name}}, f, Tested::yes, n);
    answer_.notes.push_back(
        fmt::format("Contrast '{}': LS means of '{}' times {}.", contrast.name, contrast.factor, join(weights, ", ")));
  }

  void effect(TermColumns const& term) {
    Term columns;
    for (std::string const& column : term.factors) columns.push_back({column, {}});
    std::sort(columns.begin(), columns.end());
    const EffectTest test = fit_.test(grid_.hypothesis(term.factors));
    if (!test.estimable) not_estimable_.push_back("the effect " + join(term.factors, ":"));
    answer_.findings.push_back({.quantity = "residual_df",
                                .at = {{"effect", columns}},
                                .value = test.df > 0 ? test.residual_df : missing_number,
                                .n = rows()});
    answer_.findings.push_back({.quantity = "f",
                                .at = {{"effect", std::move(columns)}},
                                .value = test.f,
                                .df = test.df > 0 ? test.df : missing_number,
                                .p = numerics::f_upper(test.f, test.df, test.residual_df),
                                .n = rows()});
  }

  void coefficients() {
    const auto add_term = [&](Term const& term, Inferred const& f) { add({{"term", term}}, f, Tested::yes, rows()); };
    for (std::size_t j = 0; j < design_.names.size(); ++j) {
      Term const& term = design_.names[j];
      const bool compared = !lacks_reference(frame_, term);
      add_term(term, compared ? fit_.coefficient(j) : Inferred());
      if (compared && !fit_.used(j) && frame_.rows > 0)
        answer_.notes.push_back(
            fmt::format("Coefficient of {}: constant, or determined by earlier terms; not estimable.", to_text(term)));
    }
    for (Term const& term : uncompared(frame_, question_.formula, design_.names)) add_term(term, {});
  }

  void notes() {
    for (std::string const& note : design_.notes) answer_.notes.push_back(note + ".");
    for (ReferenceGrid::GridFactor const& f : grid_.factors())
      if (!f.absent.empty() && !f.levels.empty())
        answer_.notes.push_back(fmt::format("No row has {} of '{}': not estimable, and left out of averages over '{}'.",
                                            quoted(f.absent), f.column, f.column));
    if (!grid_.factors().empty()) {
      answer_.notes.push_back(averaging());
      answer_.notes.push_back("P values and limits are not adjusted for multiplicity.");
    }
    if (!design_.terms.empty()) answer_.notes.push_back("Effects: type III F tests, sum-to-zero coding of the factors.");
    fit_.explain(answer_.notes);
    if (!not_estimable_.empty()) {
      constexpr std::size_t shown = 12;
      std::vector<std::string> names(not_estimable_.begin(),
                                     not_estimable_.begin() + std::ptrdiff_t(std::min(shown, not_estimable_.size())));
      if (not_estimable_.size() > shown) names.push_back(fmt::format("{} more", not_estimable_.size() - shown));
      answer_.notes.push_back(
          fmt::format("Not estimable, because the rows do not determine them (cells without rows, or terms "
                      "that determine one another): {}.",
                      join(names, "; ")));
    }
  }

  std::string averaging() const {
    std::string covariates = "LS means";
    for (auto const& column : question_.formula.columns())
      if (!grid_.factor(column)) covariates = "LS means at the mean of the covariates";
    const bool several = grid_.factors().size() > 1;
    if (!several) return covariates + (covariates.size() > 8 ? "." : " without other factors.");
    return fmt::format("{}, over other factors {}.", covariates,
                       question_.weights == GridWeights::equal ? "with equal weights of their levels"
                                                               : "in proportion to the observed frequencies of their levels");
  }

  ModelQuestion const& question_;
  Frame const& frame_;
  Design const& design_;
  CoefficientInference const& fit_;
  ReferenceGrid grid_;
  Answer& answer_;
  std::vector<Finding> t_;
  std::vector<std::string> not_estimable_;
};

}  // namespace

void answer_model(ModelQuestion const& question, Frame const& frame, Design const& design, CoefficientInference const& fit,
                  Answer& answer) {
  Writer(question, frame, design, fit, answer).write();
}

void answer_focus(ModelQuestion const& question, Focus const& focus, Frame const& frame, Design const& design,
                  CoefficientInference const& fit, Answer& answer) {
  Writer(question, frame, design, fit, answer).write(focus);
}

}  // namespace equipoise::stats
