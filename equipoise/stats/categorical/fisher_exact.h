#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/categorical/two_groups.h"
#include "equipoise/stats/method.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {

enum class Alternative { two_sided, greater, less };

struct FisherResult {
  double p;           ///< 1 when a margin is 0: only one table is possible
  double odds_ratio;  ///< conditional maximum likelihood; 0 and infinity are possible; NaN when a margin is 0
};

/// Given its margins, a is hypergeometric. `two_sided` sums the tables with at most (1 + 1e-7) times the probability of this one,
/// `greater` those with a larger or equal a. The odds ratio w solves E_w(a) = a in the distribution with weights C(r, x) C(s, k -
/// x) w^x.
///
/// Weights come by their ratio from the mode outwards, so that large counts lose no digits to log-factorials; a probability below
/// 1e-300 of the mode's is 0.
///
/// source   Fisher (1935), J. R. Stat. Soc. 98, 39-82; Cornfield (1956), Proc. Third Berkeley Symp. 4, 135-148
/// checked  fisher_exact_test.cpp, tests/independent/categorical_test.cpp, the reference cases fisher_exact
FisherResult fisher_exact(TwoByTwo const& table, Alternative alternative);

/// Fisher's exact test of a 2 x 2 table or, without a difference, of a larger one (fisher_table.h). Page: docs/methods/fisher_exact.md
struct FisherExact {
  std::string response, group;
  std::optional<Difference> difference;  ///< with it the response is 1 or 0; without it a category
  Alternative alternative = Alternative::two_sided;

  static MethodCard const& card();
  static std::optional<FisherExact> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;

 private:
  Expected<Answer> larger_table(CategoriesView const& groups, CategoriesView const& responses) const;
};
static_assert(Method<FisherExact>);

}  // namespace equipoise::stats
