#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/strata.h"

/// Cochran-Mantel-Haenszel statistics of R groups and C responses in strata. Page: docs/methods/cmh.md
///
/// source   Landis, Heyman & Koch (1978), Int. Stat. Rev. 46, 237-254; Mantel (1963), J. Am. Stat. Assoc. 58, 690-700
/// checked  strata_test.cpp, tests/independent/strata_test.cpp, the reference cases cmh
namespace equipoise::stats {

/// Sums over strata of two rows or more: deviations of the group totals from what the margins give, and their covariance over all
/// ways of dealing the rows of a stratum to its groups.
struct CmhSums {
  std::vector<double> deviation, covariance;  ///< shape m; m x m row by row
  std::size_t strata = 0;                     ///< strata of two rows or more
};

/// Sums of a score by group (m = groups): the score of a row minus the mean of its stratum, covariance
/// v n^2/(n - 1) (p_i 1{i = k} - p_i p_k), v the variance (divisor n) of the scores in the stratum, p_i the share of group i.
CmhSums cmh_score_sums(std::span<const double> score, CategoriesView const& groups, Strata const& strata);

/// Counts of group by response (m = groups x responses): n_ij - n_i. n_.j / n, covariance
/// n^2/(n - 1) (p_i 1{i = k} - p_i p_k) (q_j 1{j = l} - q_j q_l).
CmhSums cmh_count_sums(CategoriesView const& responses, CategoriesView const& groups, Strata const& strata);

/// How a numeric response is scored.
enum class ResponseScores {
  table,          ///< its value
  rank,           ///< its midrank in the stratum
  ridit,          ///< midrank / n
  modified_ridit  ///< midrank / (n + 1): with row_mean_scores van Elteren's test
};

enum class CmhStatistic { general_association, row_mean_scores, nonzero_correlation };

struct Cmh {
  std::string response, group;
  std::vector<std::string> strata;
  CmhStatistic statistic = CmhStatistic::general_association;
  ResponseScores scores = ResponseScores::table;
  std::map<std::string, double> group_scores;

  static MethodCard const& card();
  static std::optional<Cmh> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const { return needs_; }
  Expected<Answer> run(Frame const& frame) const;

 private:
  std::vector<ColumnNeed> needs_;
};
static_assert(Method<Cmh>);

}  // namespace equipoise::stats
