#include "equipoise/stats/imputation/multiple_imputation.h"

#include <cmath>

#include "equipoise/stats/imputation/resampling.h"

namespace equipoise::stats {
namespace {

/// Analyses completed data sets, one after the other.
class Analyst {
 public:
  explicit Analyst(ImputedAnalysis& analysis) : analysis_(analysis), completed_(analysis.completed), y_(analysis.grid.n()) {
    CompletedAncova const& ancova = *analysis.ancova;
    const std::size_t m = analysis.grid.m(), visit = analysis.question_visit;
    made_.questions = ancova.size();
    made_.groups = analysis.groups();
    regressions_.resize(analysis.regressions.size());
    for (std::size_t j = 0; j < m; ++j)
      for (std::size_t q = 0; q < ancova.questions().size(); ++q) {
        const double df = ancova.models()[ancova.model_at(j)].df;
        made_.complete_df.push_back(df > 0 ? df : missing_number);
      }
    for (std::size_t q = 0; q < ancova.questions().size(); ++q) made_.unit_variance.push_back(ancova.unit_variance(visit, q));
    for (std::size_t g = 0; g < made_.groups; ++g) {
      std::vector<double>& shift = shifts_.emplace_back(y_.size());
      for (std::size_t i = 0; i < shift.size(); ++i)
        shift[i] = analysis.grid.group[i] == std::int32_t(g) && analysis.deltas.shiftable[i * m + visit] ? 1.0 : 0.0;
      const double mean = ancova.rotate(visit, shift);
      for (std::size_t q = 0; q < ancova.questions().size(); ++q) made_.slopes.push_back(ancova.estimate(visit, q, mean, shift));
    }
    for (std::size_t g = 0; g < made_.groups; ++g)
      for (std::size_t h = 0; h < made_.groups; ++h) made_.shift.push_back(ancova.residual_product(visit, shifts_[g], shifts_[h]));
  }

  /// False when the covariance is not positive definite.
  bool add(ImputationParameters const& parameters, std::uint64_t seed) {
    if (analysis_.model) {
      if (!analysis_.model->regressions(parameters.sigma, regressions_)) return false;
      random::Stream stream({seed, random::Purpose::imputation}, made_.sets);
      completed_ = analysis_.grid.response;
      analysis_.model->impute(parameters.b, regressions_, analysis_.model->roots(parameters.sigma, regressions_), stream, completed_);
      for (std::size_t cell = 0; cell < completed_.size(); ++cell) completed_[cell] += analysis_.deltas.added[cell];
    }
    analyse();
    ++made_.sets;
    return true;
  }

  MultipleAnalyses done() { return std::move(made_); }
  MultipleAnalyses& made() { return made_; }

 private:
  void analyse() {
    CompletedAncova const& ancova = *analysis_.ancova;
    const std::size_t n = y_.size(), m = analysis_.grid.m();
    for (std::size_t j = 0; j < m; ++j) {
      for (std::size_t i = 0; i < n; ++i) y_[i] = completed_[i * m + j];
      const double mean = ancova.rotate(j, y_), residual = ancova.residual_product(j, y_, y_);
      for (std::size_t q = 0; q < ancova.questions().size(); ++q) {
        made_.estimates.push_back(ancova.estimate(j, q, mean, y_));
        made_.variances.push_back(residual * ancova.unit_variance(j, q));
      }
      if (j != analysis_.question_visit) continue;
      made_.residual.push_back(residual);
      for (std::vector<double> const& shift : shifts_) made_.residual.push_back(ancova.residual_product(j, y_, shift));
    }
  }

  ImputedAnalysis& analysis_;
  std::vector<double> completed_, y_, regressions_;
  std::vector<std::vector<double>> shifts_;
  MultipleAnalyses made_;
};

}  // namespace

Pooled MultipleAnalyses::pooled(std::size_t question) const {
  std::vector<double> own, squares;
  for (std::size_t s = 0; s < sets; ++s) {
    own.push_back(estimates[s * questions + question]);
    squares.push_back(variances[s * questions + question]);
  }
  if (!(complete_df[question] > 0)) {
    Pooled only;  // no residual variance: the estimate alone
    double sum = 0;
    for (const double value : own) sum += value;
    only.estimate = sum / double(sets);
    return only;
  }
  auto made = pool(own, squares, complete_df[question]);
  return made ? *made : Pooled();
}

Expected<MultipleAnalyses> bayesian_imputations(ImputedAnalysis& analysis, std::size_t sets, PosteriorDraws::Chain chain) {
  Analyst analyst(analysis);
  if (!analysis.model) {  // nothing is missing: every set is the data
    for (std::size_t s = 0; s < sets; ++s) analyst.add({}, chain.seed);
    return analyst.done();
  }
  auto draws = PosteriorDraws::start(*analysis.model, chain);
  if (!draws) return tl::unexpected(draws.error());
  ImputationParameters parameters;
  for (std::size_t s = 0; s < sets; ++s) {
    if (auto drawn = draws->next(parameters); !drawn) return tl::unexpected(drawn.error());
    if (!analyst.add(parameters, chain.seed))
      return fail(Code::no_convergence, "the posterior reaches a singular covariance");
  }
  analyst.made().acceptance = draws->acceptance();
  return analyst.done();
}

Expected<MultipleAnalyses> bootstrap_imputations(ImputedAnalysis& analysis, std::size_t sets, std::uint64_t seed) {
  Analyst analyst(analysis);
  ImputationParameters parameters;
  const std::size_t most_failures = sets / 20;
  for (std::uint64_t r = 0; analyst.made().sets < sets; ++r) {
    bool good = true;
    if (analysis.model) {
      const std::vector<std::int32_t> times = bootstrap_counts(analysis, seed, r);
      for (std::size_t i = 0; i < times.size(); ++i) analysis.model->count(i, times[i] - 1);
      good = analysis.model->refit(parameters);
      for (std::size_t i = 0; i < times.size(); ++i) analysis.model->count(i, 1 - times[i]);
    }
    if (good && analyst.add(parameters, seed)) continue;
    if (++analyst.made().failed > most_failures)
      return fail(Code::no_convergence,
                  "the imputation model could not be fitted to {} of {} bootstrap samples: use a simpler covariance structure",
                  analyst.made().failed, r + 1);
  }
  return analyst.done();
}

}  // namespace equipoise::stats
