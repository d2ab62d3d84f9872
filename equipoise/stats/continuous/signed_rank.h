#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "equipoise/stats/continuous/ranks.h"
#include "equipoise/stats/method.h"

namespace equipoise::stats {

enum class Zeros {
  drop,  ///< dropped before ranking (Wilcoxon)
  pratt  ///< ranked with the others, then dropped (Pratt)
};

/// Signed midranks of the differences from a null value.
struct SignedRanks {
  std::vector<double> rank;  ///< midranks of |d| of the differences that are not zero, in their order
  std::vector<std::uint8_t> positive;
  std::size_t zeros = 0, merged = 0;
  bool ties = false;  ///< among the differences that are not zero
};

/// A difference is zero when the value is within `same_value` of the null value.
SignedRanks signed_ranks(std::span<const double> values, double mu, Zeros zeros);

/// Probabilities of the sum of ranks with a plus sign = 0, 1/2, 1, ... when all 2^n signs are equally likely: each rank in turn
/// adds or not.
///
/// ranks    multiples of 1/2
/// errors   out_of_range beyond 1000 ranks
/// source   Streitberg & Roehmel (1986), Stat. Software Newsl. 12, 10-17 (the shift algorithm)
/// checked  signed_rank_test.cpp, tests/independent/rank_test.cpp by enumeration
Expected<std::vector<double>> signed_rank_null(std::span<const double> ranks);

/// Wilcoxon signed-rank test of one sample. Page: docs/methods/wilcoxon_signed_rank.md
struct WilcoxonSignedRank {
  std::string response;
  double mu = 0;
  Zeros zeros = Zeros::drop;
  std::optional<bool> exact;  ///< absent: the rule of R when it is to be matched, else no
  bool correction = false;
  Tail tail = Tail::two_sided;
  Match match = Match::equipoise;

  static MethodCard const& card();
  static std::optional<WilcoxonSignedRank> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<WilcoxonSignedRank>);

/// Exact binomial test of the signs. Page: docs/methods/wilcoxon_signed_rank.md
struct SignTest {
  std::string response;
  double mu = 0;
  Tail tail = Tail::two_sided;

  static MethodCard const& card();
  static std::optional<SignTest> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<SignTest>);

}  // namespace equipoise::stats
