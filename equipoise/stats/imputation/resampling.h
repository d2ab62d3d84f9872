#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "equipoise/stats/imputation/imputed_analysis.h"

namespace equipoise::stats {

/// The whole analysis, imputation model and all, repeated on participants counted differently.
struct Replicates {
  std::size_t columns = 0;
  std::vector<double> values;   ///< a row each, `columns` wide in the layout of CompletedSums::solve; NaN where one failed
  std::size_t rows = 0;
  std::size_t from_scratch = 0;  ///< that were fitted from the rows, because the shortcut could not answer
  std::size_t failed = 0;        ///< that have no answer

  double at(std::size_t row, std::size_t column) const { return values[row * columns + column]; }
};

/// Leaves out each participant in turn. A refit starts at the fit to all with the structure that was chosen for them, and sums give
/// the analysis; where the participant was the only one with a level, say, the rows are analysed from scratch.
Replicates jackknife(ImputedAnalysis& analysis);

/// Draws as many participants of each group as there are, with replacement: replicate r from the stream (seed, bootstrap, r).
Replicates bootstrap(ImputedAnalysis& analysis, std::size_t samples, std::uint64_t seed);

/// How often each participant is drawn in one bootstrap sample.
std::vector<std::int32_t> bootstrap_counts(ImputedAnalysis const& analysis, std::uint64_t seed, std::uint64_t replicate);

/// Covariance of two columns over the replicates that have both: jackknife (n - 1)/n' sum, bootstrap 1/(n' - 1) sum, n' replicates
/// of n. NaN when fewer than 95 % have both, or fewer than 2.
enum class Resampling { jackknife, bootstrap };
double covariance(Replicates const& replicates, std::size_t a, std::size_t b, Resampling kind);

}  // namespace equipoise::stats
