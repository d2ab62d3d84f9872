#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "equipoise/core/expected.h"
#include "equipoise/stats/formula.h"
#include "equipoise/stats/linear/linear_fit.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

/// A data set folded for the Gaussian linear mixed model y_i = X_i b + Z_i u_i + e_i, u_i ~ N(0, G), e_i ~ N(0, s I).
///
/// The rows of participant i are turned by the reflections of Z_i = Q_i [R_i; 0]. Of the turned rows the first d_i = min(n_i, q)
/// have covariance R_i G R_i' + s I, the rest s I whatever G is, so they are needed only as one sum of products; nothing is
/// subtracted from anything that it nearly equals, as Woodbury's formula does. Participants with equal Z_i are a pattern: they
/// share every factorisation, and as all else is a sum of products of their turned X and y, they are replaced by fewer rows with
/// the same products (a QR of participants by d (p + 1) values) where that pays.
///
/// Numbers: the fixed columns are orthogonal with mean square 1, the first of them constant 1; so are the random ones over
/// all rows. The response is divided by `unit` and less its least squares fit. So neither units nor a far origin cost digits.
struct MixedData {
  std::vector<std::string> random;  ///< columns of the random effects, "1" the intercept
  std::size_t p = 0, q = 0, observations = 0;

  struct Pattern {
    double participants = 0;           ///< with this Z
    std::size_t height = 0;            ///< d
    std::size_t factor = 0;            ///< where R (d x q) starts in `factors`
    std::size_t first = 0, units = 0;  ///< of the units: each d x (p + 1), turned X with turned y as last column
    std::size_t start = 0;             ///< where the first starts in `turned`
  };
  std::vector<Pattern> patterns;
  std::vector<double> factors, turned;
  std::vector<double> rest;  ///< products of the other turned rows of (X, y): (p + 1) x (p + 1)
  std::size_t rest_rows = 0;
  std::size_t participants = 0;
  std::vector<double> to_given;  ///< q x q: u of the given columns = to_given times u of ours

  LinearFit least_squares;            ///< of the response on the design: says which columns are used, and what is estimable
  std::vector<double> first_fit;      ///< of response/unit on our columns: p
  double unit = 1;                    ///< the response is this times ours: a power of two
  double log_determinant = 0;         ///< log |det C|, X of the columns used = ours times C
  std::vector<std::int32_t> subject;  ///< participant of each row, from 0
  std::vector<double> rows;           ///< with Keep::rows: our (X, y) of every row, n x (p + 1), and
  std::vector<double> random_rows;    ///< our Z: n x q, row by row
  std::string reason{};               ///< why there is nothing to estimate; "" = there is

  /// l over our columns (p) of l over the design's; empty when l'b is not estimable.
  std::vector<double> ours(LinearFunction const& function) const;
};

/// Whether the rows themselves are needed after the fit: a sandwich needs them.
enum class Keep { folded, rows };

/// Folds the rows. A data set that cannot determine the model is no error: `reason` says why.
/// errors   bad_cell (an infinite value); those of the design and of LinearFit
/// checked  linear_mixed_test.cpp, tests/independent/linear_mixed_test.cpp
Expected<MixedData> fold_mixed(Frame const& frame, Design const& design, std::string const& response, std::string const& subject,
                               std::vector<std::string> const& random, Keep keep = Keep::folded);

}  // namespace equipoise::stats
