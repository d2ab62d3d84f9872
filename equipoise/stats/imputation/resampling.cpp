#include "equipoise/stats/imputation/resampling.h"

#include <cmath>

#include "equipoise/numerics/sum.h"

namespace equipoise::stats {
namespace {

constexpr double most_failures = 0.05;

/// Repeats an analysis; participants are counted once each between two replicates.
class Repeater {
 public:
  explicit Repeater(ImputedAnalysis& analysis)
      : analysis_(analysis),
        sums_(*analysis.ancova, analysis.grid, analysis.model ? &*analysis.model : nullptr, analysis.deltas),
        regressions_(analysis.regressions.size()) {
    made_.columns = analysis.size();
  }

  void reserve(std::size_t rows) { made_.values.reserve(rows * made_.columns); }

  /// `times` of each participant; those at 1 need nothing.
  void repeat(std::span<const std::int32_t> times) {
    ++made_.rows;
    made_.values.resize(made_.rows * made_.columns, missing_number);
    const std::span<double> out(made_.values.data() + (made_.rows - 1) * made_.columns, made_.columns);
    count(times, 1);
    const bool quick = shortcut(out);
    count(times, -1);
    if (quick) return;
    ++made_.from_scratch;
    if (from_scratch(times, out)) return;
    std::fill(out.begin(), out.end(), missing_number);
    ++made_.failed;
  }

  Replicates done() { return std::move(made_); }

 private:
  void count(std::span<const std::int32_t> times, int sign) {
    for (std::size_t i = 0; i < times.size(); ++i) {
      if (times[i] == 1) continue;
      sums_.add(i, sign * (times[i] - 1.0));
      if (analysis_.model) analysis_.model->count(i, sign * (times[i] - 1));
    }
  }

  bool shortcut(std::span<double> out) {
    if (analysis_.model && (!analysis_.model->refit(refitted_) || !analysis_.model->regressions(refitted_.sigma, regressions_)))
      return false;
    return sums_.solve(refitted_, regressions_, out);
  }

  bool from_scratch(std::span<const std::int32_t> times, std::span<double> out) {
    const GatheredFrame rows = analysis_.counted(times);
    const auto made = ImputedAnalysis::make(rows.frame(), analysis_.counted_plan(times));
    if (!made || (*made)->grid.visits != analysis_.grid.visits) return false;
    const std::vector<double> answers = (*made)->answers();
    std::copy(answers.begin(), answers.end(), out.begin());
    return true;
  }

  ImputedAnalysis& analysis_;
  CompletedSums sums_;
  ImputationParameters refitted_;
  std::vector<double> regressions_;
  Replicates made_;
};

}  // namespace

Replicates jackknife(ImputedAnalysis& analysis) {
  Repeater repeater(analysis);
  const std::size_t n = analysis.grid.n();
  repeater.reserve(n);
  std::vector<std::int32_t> times(n, 1);
  for (std::size_t i = 0; i < n; ++i) {
    times[i] = 0;
    repeater.repeat(times);
    times[i] = 1;
  }
  return repeater.done();
}

std::vector<std::int32_t> bootstrap_counts(ImputedAnalysis const& analysis, std::uint64_t seed, std::uint64_t replicate) {
  random::Stream stream({seed, random::Purpose::bootstrap}, replicate);
  std::vector<std::int32_t> times(analysis.grid.n(), 0);
  std::vector<std::size_t> members;
  for (std::int32_t group = 0; group < std::int32_t(analysis.groups()); ++group) {
    members.clear();
    for (std::size_t i = 0; i < times.size(); ++i)
      if (analysis.grid.group[i] == group) members.push_back(i);
    for (std::size_t k = 0; k < members.size(); ++k) ++times[members[stream.below(std::uint32_t(members.size()))]];
  }
  return times;
}

Replicates bootstrap(ImputedAnalysis& analysis, std::size_t samples, std::uint64_t seed) {
  Repeater repeater(analysis);
  repeater.reserve(samples);
  for (std::size_t r = 0; r < samples; ++r) repeater.repeat(bootstrap_counts(analysis, seed, r));
  return repeater.done();
}

double covariance(Replicates const& replicates, std::size_t a, std::size_t b, Resampling kind) {
  numerics::Sum sum_a, sum_b, products;
  double n = 0;
  const auto both = [&](std::size_t r) { return std::isfinite(replicates.at(r, a)) && std::isfinite(replicates.at(r, b)); };
  for (std::size_t r = 0; r < replicates.rows; ++r)
    if (both(r)) {
      sum_a.add(replicates.at(r, a));
      sum_b.add(replicates.at(r, b));
      n += 1;
    }
  if (n < 2 || n < (1 - most_failures) * double(replicates.rows)) return missing_number;
  const double mean_a = sum_a.value() / n, mean_b = sum_b.value() / n;
  for (std::size_t r = 0; r < replicates.rows; ++r)
    if (both(r)) products.add((replicates.at(r, a) - mean_a) * (replicates.at(r, b) - mean_b));
  return products.value() * (kind == Resampling::jackknife ? (double(replicates.rows) - 1) / n : 1 / (n - 1));
}

}  // namespace equipoise::stats
