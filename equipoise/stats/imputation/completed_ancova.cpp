#include "equipoise/stats/imputation/completed_ancova.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/sum.h"
#include "equipoise/stats/linear/linear_fit.h"

namespace equipoise::stats {
namespace {

/// Whether every column has the same values at two visits.
bool same_covariates(Frame const& frame, VisitGrid const& grid, std::vector<std::string> const& columns, std::size_t a, std::size_t b) {
  for (ColumnView const& column : frame.columns) {
    if (std::find(columns.begin(), columns.end(), column.name) == columns.end()) continue;
    for (std::size_t i = 0; i < grid.n(); ++i) {
      const std::size_t x = grid.row_for(i, a), y = grid.row_for(i, b);
      if (x == y) continue;
      const bool same = column.numeric() ? column.numbers()[x] == column.numbers()[y]
                                         : column.categories().codes[x] == column.categories().codes[y];
      if (!same) return false;
    }
  }
  return true;
}

std::size_t levels_that_occur(CategoriesView const& category) {
  std::vector<std::uint8_t> occurs(category.levels.size(), 0);
  for (const std::int32_t code : category.codes) occurs[std::size_t(code)] = 1;
  return std::size_t(std::count(occurs.begin(), occurs.end(), 1));
}

class Planner {
 public:
  Planner(Frame const& frame, Formula const& formula, std::string const& group, std::vector<CompletedAncova::Question> const& questions)
      : frame_(frame), formula_(formula), group_(group), questions_(questions) {}

  Expected<CompletedAncova::Model> plan(std::vector<std::string>& notes) {
    auto design = build_design(frame_, formula_, Intercept::first);
    if (!design) return tl::unexpected(design.error());
    const std::size_t n = frame_.rows, p = design->names.size();
    std::vector<double> x = design->copied_from(1);
    std::vector<double> centre(p - 1), length(p - 1);
    for (std::size_t c = 1; c < p; ++c) {
      const std::span<double> column(x.data() + (c - 1) * n, n);
      for (const double value : column)
        if (!std::isfinite(value)) return fail(Code::bad_cell, "the product {} is too large for a number", to_text(design->names[c]));
      std::tie(centre[c - 1], length[c - 1]) = standardise(column);
    }
    model_.qr.emplace(n, p - 1, x, dependent_column);
    model_.df = double(n) - 1 - double(model_.qr->rank());
    for (const std::size_t c : model_.qr->pivots()) {
      model_.centre.push_back(centre[c]);
      model_.length.push_back(length[c]);
    }
    model_.width = 1 + model_.qr->rank();
    model_.x.assign(n * model_.width, 1.0);
    for (std::size_t k = 0; k < model_.qr->rank(); ++k)
      for (std::size_t i = 0; i < n; ++i) model_.x[i * model_.width + 1 + k] = x[model_.qr->pivots()[k] * n + i];
    read_covariates(*design);
    for (CompletedAncova::Question const& question : questions_) ask(*design, question, centre, length);
    notes = std::move(design->notes);
    return std::move(model_);
  }

 private:
  void read_covariates(Design const& design) {
    std::vector<std::string> names;
    covariates_.resize(design.names.size());
    for (std::size_t c = 0; c < design.names.size(); ++c)
      for (Factor const& factor : design.names[c]) {
        if (factor.level) continue;
        auto at = std::find(names.begin(), names.end(), factor.column);
        if (at == names.end()) {
          names.push_back(factor.column);
          at = names.end() - 1;
          const NumbersView numbers = frame_.numbers(factor.column);
          model_.numbers.emplace_back(numbers.begin(), numbers.end());
          means_.push_back(numerics::sum(numbers) / double(frame_.rows));
        }
        covariates_[c].push_back(std::size_t(at - names.begin()));
      }
    for (const std::size_t c : model_.qr->pivots()) model_.covariates.push_back(covariates_[c + 1]);
  }

  /// Share of a level combination that an LS mean of the group's level has: 1 or 0 of the group, 1/levels of other factors.
  double share(Term const& name, std::int32_t level) const {
    double share = 1;
    for (Factor const& factor : name) {
      if (!factor.level) continue;
      CategoriesView const& category = frame_.categories(factor.column);
      if (factor.column == group_) share *= category.levels[std::size_t(level)] == *factor.level ? 1.0 : 0.0;
      else share /= double(levels_that_occur(category));
    }
    return share;
  }

  bool occurs(std::int32_t level) const {
    auto const& codes = frame_.categories(group_).codes;
    return std::find(codes.begin(), codes.end(), level) != codes.end();
  }

  void ask(Design const& design, CompletedAncova::Question const& question, std::vector<double> const& centre,
           std::vector<double> const& length) {
    const std::size_t p = design.names.size();
    std::vector<double> shares(p, 0.0), c(p - 1), magnitude(p - 1);
    const bool present = occurs(question.level) && (!question.difference() || occurs(question.minus));
    for (std::size_t k = 0; k < p; ++k)
      shares[k] = share(design.names[k], question.level) - (question.difference() ? share(design.names[k], question.minus) : 0.0);
    for (std::size_t k = 1; k < p; ++k) {
      double product = shares[k];
      for (const std::size_t covariate : covariates_[k]) product *= means_[covariate];
      const double unit = length[k - 1] > 0 ? length[k - 1] : std::fmax(std::abs(centre[k - 1]), std::numeric_limits<double>::min());
      c[k - 1] = (product - shares[0] * centre[k - 1]) / unit;
      magnitude[k - 1] = (std::abs(product) + std::abs(shares[0] * centre[k - 1])) / unit;
    }
    std::vector<double>& direction = model_.direction.emplace_back();
    if (present && model_.qr->in_row_space(c, magnitude)) {
      direction = model_.qr->solve_transposed(c);
      direction.insert(direction.begin(), shares[0] / std::sqrt(double(frame_.rows)));
    }
    std::vector<double>& used = model_.shares.emplace_back(1, shares[0]);
    for (const std::size_t pivot : model_.qr->pivots()) used.push_back(shares[pivot + 1]);
  }

  Frame const& frame_;
  Formula const& formula_;
  std::string const& group_;
  std::vector<CompletedAncova::Question> const& questions_;
  CompletedAncova::Model model_;
  std::vector<std::vector<std::size_t>> covariates_;  // of each design column
  std::vector<double> means_;
};

}  // namespace

Expected<CompletedAncova> CompletedAncova::plan(Frame const& frame, VisitGrid const& grid, Formula const& formula,
                                                std::string const& group) {
  CompletedAncova made;
  made.n_ = grid.n();
  const auto levels = std::int32_t(frame.categories(group).levels.size());
  for (std::int32_t level = 0; level < levels; ++level) made.questions_.push_back({level});
  for (std::int32_t minus = 0; minus < levels; ++minus)
    for (std::int32_t level = minus + 1; level < levels; ++level) made.questions_.push_back({level, minus});
  const std::vector<std::string> columns = formula.columns();
  for (std::size_t j = 0; j < grid.m(); ++j) {
    if (j > 0 && same_covariates(frame, grid, columns, 0, j)) {
      made.of_visit_.push_back(0);
      continue;
    }
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < grid.n(); ++i) rows.push_back(grid.row_for(i, j));
    const GatheredFrame at_visit(frame, rows);
    std::vector<std::string> notes;
    auto model = Planner(at_visit.frame(), formula, group, made.questions_).plan(notes);
    if (!model) return tl::unexpected(model.error());
    if (j == 0) made.notes_ = std::move(notes);
    made.of_visit_.push_back(made.models_.size());
    made.models_.push_back(std::move(*model));
  }
  return made;
}

double CompletedAncova::rotate(std::size_t visit, std::span<double> y) const {
  const double mean = numerics::sum(y) / double(n_);
  for (double& value : y) value -= mean;
  models_[of_visit_[visit]].qr->rotate(y);
  return mean;
}

double CompletedAncova::estimate(std::size_t visit, std::size_t question, double mean, std::span<const double> rotated) const {
  std::vector<double> const& w = models_[of_visit_[visit]].direction[question];
  if (w.empty()) return missing_number;
  double sum = w[0] * (std::sqrt(double(n_)) * mean);
  for (std::size_t k = 1; k < w.size(); ++k) sum += w[k] * rotated[k - 1];
  return sum;
}

double CompletedAncova::unit_variance(std::size_t visit, std::size_t question) const {
  std::vector<double> const& w = models_[of_visit_[visit]].direction[question];
  return w.empty() ? missing_number : inner_product(w, w);
}

double CompletedAncova::residual_product(std::size_t visit, std::span<const double> a, std::span<const double> b) const {
  Model const& model = models_[of_visit_[visit]];
  if (!(model.df > 0)) return missing_number;
  numerics::Sum sum;
  for (std::size_t i = model.width - 1; i < n_; ++i) sum.add(a[i] * b[i]);
  return sum.value() / model.df;
}

std::vector<double> CompletedAncova::estimates(std::span<const double> values) const {
  const std::size_t m = visits();
  std::vector<double> out, y(n_);
  for (std::size_t j = 0; j < m; ++j) {
    for (std::size_t i = 0; i < n_; ++i) y[i] = values[i * m + j];
    const double mean = rotate(j, y);
    for (std::size_t q = 0; q < questions_.size(); ++q) out.push_back(estimate(j, q, mean, y));
  }
  return out;
}

void CompletedAncova::function(Model const& model, std::size_t question, std::span<const double> means, std::span<double> out) const {
  std::vector<double> const& shares = model.shares[question];
  out[0] = shares[0];
  for (std::size_t k = 1; k < model.width; ++k) {
    double product = shares[k];
    for (const std::size_t covariate : model.covariates[k - 1]) product *= means[covariate];
    out[k] = (product - shares[0] * model.centre[k - 1]) / model.length[k - 1];
  }
}

}  // namespace equipoise::stats
