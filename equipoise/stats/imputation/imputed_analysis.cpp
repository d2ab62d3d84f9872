#include "equipoise/stats/imputation/imputed_analysis.h"

#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"

namespace equipoise::stats {

Expected<std::unique_ptr<ImputedAnalysis>> ImputedAnalysis::make(Frame const& frame, ImputationPlan const& plan) {
  std::unique_ptr<ImputedAnalysis> made(new ImputedAnalysis);
  made->frame = &frame;
  made->plan = plan;
  std::vector<std::string> covariates = plan.model.formula.columns();
  for (std::string const& column : plan.analysis.columns())
    if (std::find(covariates.begin(), covariates.end(), column) == covariates.end()) covariates.push_back(column);
  if (std::string const& by = plan.model.roles.covariance_by; !by.empty()) covariates.push_back(by);
  auto grid = read_grid(frame, plan.roles, plan.strategies, covariates);
  if (!grid) return tl::unexpected(grid.error());
  made->grid = std::move(*grid);
  auto const& visits = made->grid.visits;
  const auto at = plan.at.empty() ? visits.end() - 1 : std::find(visits.begin(), visits.end(), plan.at);
  if (at == visits.end())
    return fail(Code::unresolved, "no row has the visit '{}' of `at`; the visits are {}", plan.at, join(visits, ", "));
  made->question_visit = std::size_t(at - visits.begin());
  if (auto set = made->set_deltas(); !set) return tl::unexpected(set.error());
  auto ancova = CompletedAncova::plan(frame, made->grid, plan.analysis, plan.roles.group);
  if (!ancova) return tl::unexpected(ancova.error());
  made->ancova.emplace(std::move(*ancova));
  made->completed = made->grid.response;
  if (made->grid.complete()) return made;
  auto model = ImputationModel::fit(frame, made->grid, plan.model);
  if (!model) return tl::unexpected(model.error());
  made->model.emplace(std::move(*model));
  made->parameters = made->model->parameters();
  made->regressions.resize(made->model->coefficients());
  if (!made->model->regressions(made->parameters.sigma, made->regressions))
    return fail(Code::no_convergence, "the estimated covariance of the imputation model is singular");
  made->model->impute(made->parameters.b, made->regressions, made->completed);
  for (std::size_t cell = 0; cell < made->completed.size(); ++cell) made->completed[cell] += made->deltas.added[cell];
  return made;
}

Expected<void> ImputedAnalysis::set_deltas() {
  const std::size_t n = grid.n(), m = grid.m();
  deltas.visit = question_visit;
  deltas.added.assign(n * m, 0.0);
  deltas.shiftable.assign(n * m, 0);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < m; ++j)
      deltas.shiftable[i * m + j] = grid.missing(i, j) && (plan.shift_all || j >= grid.event[i]);
  for (std::size_t cell = 0; cell < plan.fixed.size(); ++cell)
    if (std::isnan(grid.response[cell])) deltas.added[cell] = plan.fixed[cell];
  auto const& levels = frame->categories(plan.roles.group).levels;
  for (auto const& [group, numbers] : plan.delta) {
    const auto level = std::find(levels.begin(), levels.end(), group);
    if (level == levels.end())
      return fail(Code::unresolved, "`delta` names the group '{}', which column '{}' does not have", group, plan.roles.group);
    if (numbers.size() != 1 && numbers.size() != m)
      return fail(Code::size_mismatch, "`delta` has {} numbers for '{}', and there are {} visits", numbers.size(), group, m);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < m; ++j)
        if (grid.group[i] == std::int32_t(level - levels.begin()) && deltas.shiftable[i * m + j])
          deltas.added[i * m + j] += numbers.size() == 1 ? numbers.front() : numbers[j];
  }
  return {};
}

void ImputedAnalysis::anchor(ImputedAnalysis const& other) {
  plan.fixed.assign(completed.size(), 0.0);
  for (std::size_t cell = 0; cell < completed.size(); ++cell)
    if (std::isnan(grid.response[cell])) plan.fixed[cell] = other.completed[cell] - completed[cell];
  for (std::size_t cell = 0; cell < completed.size(); ++cell) deltas.added[cell] += plan.fixed[cell];
  completed = other.completed;
}

std::size_t ImputedAnalysis::groups() const { return frame->categories(plan.roles.group).levels.size(); }

std::vector<double> ImputedAnalysis::answers() const {
  std::vector<double> out = ancova->estimates(completed);
  const std::size_t n = grid.n(), m = grid.m();
  std::vector<double> shift(n);
  for (std::size_t g = 0; g < groups(); ++g) {
    for (std::size_t i = 0; i < n; ++i)
      shift[i] = grid.group[i] == std::int32_t(g) && deltas.shiftable[i * m + question_visit] ? 1.0 : 0.0;
    const double mean = ancova->rotate(question_visit, shift);
    for (std::size_t q = 0; q < ancova->questions().size(); ++q) out.push_back(ancova->estimate(question_visit, q, mean, shift));
  }
  return out;
}

GatheredFrame ImputedAnalysis::counted(std::span<const std::int32_t> times) const {
  std::vector<std::size_t> rows;
  std::vector<std::int32_t> codes;
  std::int32_t next = 0;
  for (std::size_t i = 0; i < grid.n(); ++i)
    for (std::int32_t k = 0; k < times[i]; ++k, ++next)
      for (std::size_t j = 0; j < grid.m(); ++j)
        if (const std::int32_t row = grid.row[i * grid.m() + j]; row >= 0) {
          rows.push_back(std::size_t(row));
          codes.push_back(next);
        }
  GatheredFrame made(*frame, rows);
  made.number(plan.roles.subject, std::move(codes), std::size_t(next));
  return made;
}

ImputationPlan ImputedAnalysis::counted_plan(std::span<const std::int32_t> times) const {
  ImputationPlan made = plan;
  if (model) made.model.covariance = {model->covariance().structure()};
  made.fixed.clear();
  if (plan.fixed.empty()) return made;
  const auto m = std::ptrdiff_t(grid.m());
  for (std::size_t i = 0; i < grid.n(); ++i)
    for (std::int32_t k = 0; k < times[i]; ++k)
      made.fixed.insert(made.fixed.end(), plan.fixed.begin() + std::ptrdiff_t(i) * m, plan.fixed.begin() + std::ptrdiff_t(i + 1) * m);
  return made;
}

}  // namespace equipoise::stats
