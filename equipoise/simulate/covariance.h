#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/core/section.h"

namespace equipoise::simulate {

/// Lower triangle L of R = L L', by rows: entry (i, j), j <= i, at i (i + 1) / 2 + j.
using Triangle = std::vector<double>;

/// The factor of a correlation matrix (k x k by rows), or the first row at which it is not positive definite.
///
/// A pivot counts as positive from 1e-12 on: below, one variable is the others' combination up to the rounding of its entries.
struct Factored {
  Triangle factor;
  std::optional<std::size_t> fails_at{};
};
Factored factor(std::vector<double> const& correlation, std::size_t k);

/// Reads a correlation of `k` named things: one number for all pairs, or a k x k table of rows. Problems are reported.
std::optional<std::vector<double>> read_correlation(Section& section, std::string_view key, std::vector<std::string> const& names);

/// Correlation of the noise of one marker between visits.
struct NoiseCovariance {
  enum class Family { independent, compound_symmetry, ar1, exponential, toeplitz, unstructured };
  Family family = Family::independent;
  double correlation = 0;           ///< compound_symmetry, ar1 (visits next to each other), exponential (visits a range apart)
  double range_weeks = 1;           ///< exponential: weeks after which the correlation is `correlation`
  std::vector<double> parameters{};  ///< toeplitz: by lag from 1; unstructured: the matrix by rows

  static NoiseCovariance parse(Section& text, std::vector<std::string> const& visits);
  /// The correlation matrix of visits at these days.
  std::vector<double> matrix(std::vector<double> const& days) const;
};

}  // namespace equipoise::simulate
