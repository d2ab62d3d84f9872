// The procedures derived again by closed testing: every intersection of hypotheses has a test of its own, and a hypothesis is
// rejected when all intersections that hold it are. The intersections of a graph are weighted by the update as the paper prints
// it.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>

#include "equipoise/stats/multiplicity/adjust.h"
#include "equipoise/stats/multiplicity/graph.h"
#include "equipoise/stats/multiplicity/limits.h"

namespace equipoise::independent {
namespace {

using Values = std::vector<double>;
using Matrix = std::vector<Values>;

struct Lot {
  std::mt19937_64 bits;
  explicit Lot(std::uint64_t seed) : bits(seed) {}
  double unit() { return double(bits() >> 11) * 0x1p-53; }
  std::size_t below(std::size_t n) { return std::size_t(bits() % n); }
};

/// p values on every scale, some tied, some 0 or 1.
Values random_p(Lot& lot, std::size_t m) {
  Values p;
  for (std::size_t i = 0; i < m; ++i) {
    const std::size_t kind = lot.below(8);
    if (kind == 0 && !p.empty()) p.push_back(p[lot.below(p.size())]);
    else if (kind == 1) p.push_back(lot.below(2) ? 0 : 1);
    else p.push_back(std::pow(lot.unit(), 1 + double(lot.below(4))));
  }
  return p;
}

/// The largest p of an intersection among those that hold i; `local` gives the p of an intersection.
template <class Local>
Values closed_test(std::size_t m, Local local) {
  Values adjusted(m, 0);
  for (unsigned set = 1; set < (1u << m); ++set) {
    std::vector<std::size_t> members;
    for (std::size_t i = 0; i < m; ++i)
      if (set >> i & 1) members.push_back(i);
    const double p = local(members);
    for (const std::size_t i : members) adjusted[i] = std::max(adjusted[i], p);
  }
  return adjusted;
}

double smallest(Values const& p, std::vector<std::size_t> const& members) {
  double least = 1;
  for (const std::size_t i : members) least = std::min(least, p[i]);
  return least;
}

double simes(Values const& p, std::vector<std::size_t> const& members) {
  Values sorted;
  for (const std::size_t i : members) sorted.push_back(p[i]);
  std::sort(sorted.begin(), sorted.end());
  double least = 1;
  for (std::size_t k = 0; k < sorted.size(); ++k) least = std::min(least, double(sorted.size()) * sorted[k] / double(k + 1));
  return least;
}

void expect_near(Values const& got, Values const& wanted, double relative, std::string const& where) {
  ASSERT_EQ(got.size(), wanted.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(got[i], wanted[i], relative * wanted[i]) << where << ", hypothesis " << i + 1;
}

constexpr double rounding = 1e-15 * 4;  // one product and one quotient on each side

TEST(ClosedTesting, OfBonferroniIsHolm) {
  Lot lot(11);
  for (int trial = 0; trial < 300; ++trial) {
    const Values p = random_p(lot, 1 + std::size_t(trial % 6));
    const Values closed =
        closed_test(p.size(), [&](auto const& members) { return std::min(1.0, double(members.size()) * smallest(p, members)); });
    expect_near(stats::holm_adjusted(p), closed, rounding, fmt::format("trial {}", trial));
  }
}

TEST(ClosedTesting, OfSimesIsHommel) {
  Lot lot(12);
  int gains = 0;
  for (int trial = 0; trial < 600; ++trial) {
    const Values p = random_p(lot, 1 + std::size_t(trial % 6));
    const Values hommel = stats::hommel_adjusted(p), hochberg = stats::hochberg_adjusted(p), holm = stats::holm_adjusted(p),
                 bonferroni = stats::bonferroni_adjusted(p), discovery = stats::benjamini_hochberg_adjusted(p);
    expect_near(hommel, closed_test(p.size(), [&](auto const& members) { return simes(p, members); }), rounding,
                fmt::format("trial {}", trial));
    for (std::size_t i = 0; i < p.size(); ++i) {  // each procedure rejects what the one before it does
      EXPECT_LE(holm[i], bonferroni[i] * (1 + rounding));
      EXPECT_LE(hochberg[i], holm[i] * (1 + rounding));
      EXPECT_LE(hommel[i], hochberg[i] * (1 + rounding));
      EXPECT_LE(discovery[i], hochberg[i] * (1 + rounding));
      EXPECT_LE(p[i], discovery[i] * (1 + rounding));
      gains += hommel[i] < hochberg[i] * 0.999;
    }
  }
  EXPECT_GT(gains, 20);  // else the ordering was never strict
}

/// The procedures as their papers tell them: which hypotheses fall at alpha.
std::vector<bool> by_steps(std::string const& name, Values const& p, double alpha) {
  const std::size_t m = p.size();
  std::vector<std::size_t> order(m);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::size_t fall = 0;  // so many of the smallest
  if (name == "holm")
    while (fall < m && p[order[fall]] <= alpha / double(m - fall)) ++fall;
  else
    for (std::size_t k = 1; k <= m; ++k)
      if (p[order[k - 1]] <= (name == "hochberg" ? alpha / double(m - k + 1) : double(k) * alpha / double(m))) fall = k;
  std::vector<bool> rejected(m, false);
  for (std::size_t k = 0; k < fall; ++k) rejected[order[k]] = true;
  return rejected;
}

/// Hommel (1988): J = {j <= m: p_(m-j+k) > k alpha / j for all k <= j}; with J empty all fall, else those with p <= alpha / max
/// J.
std::vector<bool> hommel_by_steps(Values const& p, double alpha) {
  Values sorted = p;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t m = p.size();
  std::size_t largest = 0;
  for (std::size_t j = 1; j <= m; ++j) {
    bool all = true;
    for (std::size_t k = 1; k <= j; ++k) all = all && sorted[m - j + k - 1] > double(k) * alpha / double(j);
    if (all) largest = j;
  }
  std::vector<bool> rejected;
  for (const double one : p) rejected.push_back(largest == 0 || one <= alpha / double(largest));
  return rejected;
}

TEST(AdjustedP, IsAtMostAlphaExactlyForWhatAStepProcedureRejects) {
  Lot lot(13);
  int rejections = 0, kept = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const Values p = random_p(lot, 1 + lot.below(9));
    const double alpha = 0.01 + 0.3 * lot.unit();  // of 53 random bits: never at a border
    const Values holm = stats::holm_adjusted(p), hochberg = stats::hochberg_adjusted(p), hommel = stats::hommel_adjusted(p),
                 discovery = stats::benjamini_hochberg_adjusted(p);
    for (std::size_t i = 0; i < p.size(); ++i) {
      EXPECT_EQ(holm[i] <= alpha, by_steps("holm", p, alpha)[i]);
      EXPECT_EQ(hochberg[i] <= alpha, by_steps("hochberg", p, alpha)[i]);
      EXPECT_EQ(discovery[i] <= alpha, by_steps("benjamini_hochberg", p, alpha)[i]);
      EXPECT_EQ(hommel[i] <= alpha, hommel_by_steps(p, alpha)[i]);
      (hommel[i] <= alpha ? rejections : kept) += 1;
    }
  }
  EXPECT_GT(rejections, 300);
  EXPECT_GT(kept, 300);
}

// ---- Graphs ------------------------------------------------------------------------------------------------------------

struct RandomGraph {
  Values weights;
  Matrix shares;
};

/// Weights that may sum to less than 1 or be 0, rows that may keep a part or be full, some edges absent.
RandomGraph random_graph(Lot& lot, std::size_t m) {
  RandomGraph graph{Values(m), Matrix(m, Values(m, 0))};
  double total = 0;
  for (double& weight : graph.weights) total += weight = lot.below(4) ? lot.unit() : 0;
  const double scale = total > 0 ? (lot.below(2) ? 1 : lot.unit()) / total : 0;
  for (double& weight : graph.weights) weight *= scale;
  for (std::size_t i = 0; i < m; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < m; ++j)
      if (i != j && lot.below(3)) sum += graph.shares[i][j] = lot.unit();
    if (sum == 0) continue;
    const double whole = lot.below(2) ? 1 : lot.unit();
    for (double& share : graph.shares[i]) share *= whole / sum;
  }
  return graph;
}

/// The weights of the members once all others are out, by the update in the form that the paper prints.
Values weights_of(std::vector<std::size_t> const& members, Values w, Matrix g) {
  const std::size_t m = w.size();
  for (std::size_t i = 0; i < m; ++i) {
    if (std::find(members.begin(), members.end(), i) != members.end()) continue;
    for (std::size_t j = 0; j < m; ++j)
      if (j != i) w[j] += w[i] * g[i][j];
    w[i] = 0;
    Matrix next(m, Values(m, 0));
    for (std::size_t j = 0; j < m; ++j)
      for (std::size_t k = 0; k < m; ++k)
        if (j != i && k != i && j != k && 1 - g[j][i] * g[i][j] > 1e-9)  // a cycle that random shares close is closed to 1e-16
          next[j][k] = (g[j][k] + g[j][i] * g[i][k]) / (1 - g[j][i] * g[i][j]);
    g = next;
  }
  return w;
}

double weighted_bonferroni(Values const& p, std::vector<std::size_t> const& members, Values const& w) {
  double least = 1;
  for (const std::size_t i : members)
    if (w[i] > 0) least = std::min(least, p[i] / w[i]);
  return least;
}

std::vector<std::vector<stats::LeadingTerm>> finite(Matrix const& shares) {
  std::vector<std::vector<stats::LeadingTerm>> rows;
  for (Values const& row : shares) {
    rows.emplace_back();
    for (const double share : row) rows.back().push_back({share, 0});
  }
  return rows;
}

TEST(ClosedTesting, OfWeightedBonferroniIsTheGraph) {
  Lot lot(14);
  int decided = 0;
  for (int trial = 0; trial < 500; ++trial) {
    const std::size_t m = 1 + std::size_t(trial % 6);
    const RandomGraph graph = random_graph(lot, m);
    Values p = random_p(lot, m);
    for (double& one : p) one *= lot.below(2) ? 1 : 0.05;
    const Values got = stats::graphical_adjusted(stats::Graph(graph.weights, finite(graph.shares)), p);
    const Values closed = closed_test(m, [&](auto const& members) {
      return weighted_bonferroni(p, members, weights_of(members, graph.weights, graph.shares));
    });
    // Up to five updates; the printed form loses digits in 1 - g_ji g_ij, which the random shares keep above 1e-4 or close.
    expect_near(got, closed, 1e-10, fmt::format("trial {}", trial));
    for (const double one : got) decided += one > 0 && one < 1;
  }
  EXPECT_GT(decided, 400);
}

TEST(Graphs, OfSmallSharesComeNearTheirLimit) {
  Lot lot(15);
  const double small = 1e-7;
  int with_epsilon = 0;
  for (int trial = 0; trial < 300; ++trial) {
    const std::size_t m = 2 + std::size_t(trial % 4);
    RandomGraph graph = random_graph(lot, m);
    auto limit = finite(graph.shares);
    for (std::size_t i = 0; i < m; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < m; ++j) {
        if (i != j && graph.shares[i][j] == 0 && lot.below(2))
          limit[i][j] = stats::epsilon_share, graph.shares[i][j] = small, ++with_epsilon;
        sum += graph.shares[i][j];
      }
      if (sum > 1)
        for (double& share : graph.shares[i]) share /= sum;
    }
    // Weights of every set of hypotheses that are left, in the limit and near it.
    for (unsigned set = 1; set < (1u << m); ++set) {
      stats::Graph exact(graph.weights, limit);
      std::vector<std::size_t> members;
      for (std::size_t i = 0; i < m; ++i)
        if (set >> i & 1) members.push_back(i);
        else exact.reject(i);
      stats::Graph near(graph.weights, finite(graph.shares));
      for (std::size_t i = 0; i < m; ++i)
        if (!(set >> i & 1)) near.reject(i);
      // m shares of 1e-7 each move a weight by some 1e-6 where no random divisor is small; those of full rows that only keep
      // their leak do so by up to small / leak.
      for (const std::size_t i : members) EXPECT_NEAR(exact.weight(i).limit(), near.weight(i).limit(), 2e-4) << "trial " << trial;
    }
  }
  EXPECT_GT(with_epsilon, 200);
}

TEST(Graphs, DoNotKnowTheOrderOfTheHypotheses) {
  Lot lot(16);
  for (int trial = 0; trial < 200; ++trial) {
    const std::size_t m = 2 + std::size_t(trial % 5);
    const RandomGraph graph = random_graph(lot, m);
    const Values p = random_p(lot, m);
    std::vector<std::size_t> place(m);
    std::iota(place.begin(), place.end(), std::size_t{0});
    std::shuffle(place.begin(), place.end(), lot.bits);
    RandomGraph moved{Values(m), Matrix(m, Values(m))};
    Values moved_p(m);
    for (std::size_t i = 0; i < m; ++i) {
      moved.weights[place[i]] = graph.weights[i], moved_p[place[i]] = p[i];
      for (std::size_t j = 0; j < m; ++j) moved.shares[place[i]][place[j]] = graph.shares[i][j];
    }
    const auto back = [&](Values const& values) {
      Values out(m);
      for (std::size_t i = 0; i < m; ++i) out[i] = values[place[i]];
      return out;
    };
    const std::string where = fmt::format("trial {}", trial);
    expect_near(back(stats::graphical_adjusted(stats::Graph(moved.weights, finite(moved.shares)), moved_p)),
                stats::graphical_adjusted(stats::Graph(graph.weights, finite(graph.shares)), p), 1e-12, where);
    for (auto const& adjust : {stats::bonferroni_adjusted, stats::holm_adjusted, stats::hochberg_adjusted, stats::hommel_adjusted,
                               stats::benjamini_hochberg_adjusted})
      EXPECT_EQ(back(adjust(moved_p)), adjust(p)) << where;  // of sorted values: the same bits
  }
}

// ---- Simultaneous limits -----------------------------------------------------------------------------------------------
// The partitioning principle: the null hypotheses that are true at theta are those with theta_i <= 0; theta is rejected when one
// of them is so by the weighted Bonferroni test of exactly those, or, where none is true, when some theta_i is below its own
// limit. The limit of an effect is the least theta_i of all theta that are not rejected, found on a grid of all theta.

double normal_upper(double z) { return 0.5 * std::erfc(z / std::sqrt(2.0)); }
double normal_z(double tail) {  // the z with that upper tail, by halving
  double low = -40, high = 40;
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * (low + high);
    (normal_upper(middle) > tail ? low : high) = middle;
  }
  return low;
}

TEST(SimultaneousLimits, AreTheEdgesOfTheInvertedPartitioningTest) {
  Lot lot(17);
  const double alpha = 0.1, step = 1.0 / 16;
  int some = 0, all = 0, none = 0;
  for (int trial = 0; trial < 60; ++trial) {
    const RandomGraph graph = random_graph(lot, 2);
    Values x{-0.5 + 4 * lot.unit(), -0.5 + 4 * lot.unit()}, p;
    for (const double one : x) p.push_back(normal_upper(one));
    const stats::Graph made(graph.weights, finite(graph.shares));
    const auto rules = stats::one_sided_limits(made, p, alpha);

    const auto reject = [&](std::array<double, 2> theta) {
      std::vector<std::size_t> members;
      for (std::size_t i = 0; i < 2; ++i)
        if (theta[i] <= 0) members.push_back(i);
      const Values w = members.empty() ? graph.weights : weights_of(members, graph.weights, graph.shares);
      for (std::size_t i = 0; i < 2; ++i) {
        const bool concerned = members.empty() || theta[i] <= 0;
        if (concerned && w[i] > 0 && normal_upper(x[i] - theta[i]) <= alpha * w[i]) return true;
      }
      return false;
    };
    const double far = -8;
    std::array<double, 2> least{9, 9};
    for (double a = far; a < 5; a += step)
      for (double b = far; b < 5; b += step)
        if (!reject({a, b})) least = {std::min(least[0], a), std::min(least[1], b)};
    int rejected = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      double limit = rules[i].tail > 0 ? x[i] - normal_z(rules[i].tail) : far;
      if (rules[i].not_past_null) limit = std::max(limit, 0.0), ++rejected;
      // The grid finds the first point above the limit.
      EXPECT_GE(least[i], std::max(limit, far) - 1e-9) << "trial " << trial;
      EXPECT_LE(least[i], std::max(limit, far) + step + 1e-9) << "trial " << trial;
    }
    (rejected == 0 ? none : rejected == 1 ? some : all) += 1;
  }
  EXPECT_GT(none, 3);
  EXPECT_GT(some, 3);
  EXPECT_GT(all, 3);
}

TEST(SimultaneousLimits, ExcludeNullExactlyForTheRejected) {
  Lot lot(18);
  int agreed = 0, both_ways = 0;
  for (int trial = 0; trial < 800; ++trial) {
    const std::size_t m = 1 + std::size_t(trial % 5);
    const RandomGraph graph = random_graph(lot, m);
    const stats::Graph made(graph.weights, finite(graph.shares));
    Values z(m), p(m);
    std::vector<bool> positive(m);
    for (std::size_t i = 0; i < m; ++i) {
      z[i] = 7 * (lot.unit() - 0.3);
      p[i] = 2 * normal_upper(std::fabs(z[i]));
      positive[i] = z[i] > 0;
    }
    const double alpha = 0.02 + 0.2 * lot.unit();
    const Values adjusted = stats::graphical_adjusted(made, p);
    const auto limits = stats::two_sided_limits(made, p, positive, alpha);
    if (!limits) {
      std::size_t up = 0, down = 0;
      for (std::size_t i = 0; i < m; ++i)
        if (adjusted[i] <= alpha) (positive[i] ? up : down) += 1;
      EXPECT_TRUE(up > 0 && down > 0) << "trial " << trial;
      ++both_ways;
      continue;
    }
    for (std::size_t i = 0; i < m; ++i) {
      const auto at = [&](stats::LimitRule rule, double sign) {
        double limit = rule.tail > 0 ? z[i] + sign * normal_z(rule.tail) : sign * INFINITY;
        if (rule.not_past_null) limit = sign < 0 ? std::max(limit, 0.0) : std::min(limit, 0.0);
        return limit;
      };
      const double lower = at(limits->lower[i], -1), upper = at(limits->upper[i], 1);
      EXPECT_LT(lower, upper);
      EXPECT_EQ(lower >= 0 || upper <= 0, adjusted[i] <= alpha) << "trial " << trial << ", hypothesis " << i + 1;
      ++agreed;
    }
  }
  EXPECT_GT(agreed, 1200);
  EXPECT_GT(both_ways, 10);
}

}  // namespace
}  // namespace equipoise::independent
