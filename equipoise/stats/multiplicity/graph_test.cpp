#include "equipoise/stats/multiplicity/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "equipoise/core/error.h"

namespace equipoise::stats {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr double ne = std::numeric_limits<double>::quiet_NaN();
using Rows = std::vector<std::vector<LeadingTerm>>;

LeadingTerm s(double share) { return {share, 0}; }
Rows rows(std::vector<std::vector<double>> const& shares) {
  Rows out;
  for (auto const& row : shares) {
    out.emplace_back();
    for (const double share : row) out.back().push_back(s(share));
  }
  return out;
}

TEST(Graph, PassesWeightsOnByTheUpdateOfThePaper) {
  // By hand: two primary hypotheses with 1/2 each, that pass 1/2 to each other and 1/2 to their secondary; those pass 1 across.
  Graph graph(std::vector{0.5, 0.5, 0.0, 0.0}, rows({{0, 0.5, 0.5, 0}, {0.5, 0, 0, 0.5}, {0, 1, 0, 0}, {1, 0, 0, 0}}));
  graph.reject(0);
  EXPECT_EQ(graph.weight(1).limit(), 0.75);
  EXPECT_EQ(graph.weight(2).limit(), 0.25);
  EXPECT_EQ(graph.weight(3).limit(), 0);
  // g_23 = (0 + 1/2 1/2) / (1 - 1/4) = 1/3; g_24 = 1/2 / (3/4) = 2/3; g_32 = 1 (untouched); g_42 = (0 + 1 1/2) / 1, g_43 = 1/2.
  EXPECT_DOUBLE_EQ(graph.share(1, 2).limit(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(graph.share(1, 3).limit(), 2.0 / 3);
  EXPECT_EQ(graph.share(2, 1).limit(), 1);
  EXPECT_EQ(graph.share(3, 1).limit(), 0.5);
  EXPECT_EQ(graph.share(3, 2).limit(), 0.5);
}

TEST(Graph, LosesTheShareThatOnlyGoesBack) {
  Graph graph(std::vector{0.5, 0.5}, rows({{0, 1}, {1, 0}}));
  graph.reject(0);
  EXPECT_EQ(graph.weight(1).limit(), 1);
  EXPECT_EQ(graph.share(1, 0).limit(), 0);
}

TEST(Graph, IsHolmWithEqualWeightsAndShares) {
  const std::vector<double> p{0.0625, 0.03125, 0.25, 0.015625};
  EXPECT_THAT(graphical_adjusted(Graph::holm(4), p), ElementsAre(DoubleEq(0.125), DoubleEq(0.09375), DoubleEq(0.25), 0.0625));
}

TEST(Graph, TestsInAFixedSequence) {
  const Graph graph(std::vector{1.0, 0.0, 0.0}, rows({{0, 1, 0}, {0, 0, 1}, {0, 0, 0}}));
  EXPECT_THAT(graphical_adjusted(graph, std::vector{0.01, 0.04, 0.03}), ElementsAre(0.01, 0.04, 0.04));
  EXPECT_THAT(graphical_adjusted(graph, std::vector{1.0, 0.0, 0.0}), ElementsAre(1, 1, 1));  // the gate stays shut
  EXPECT_THAT(graphical_adjusted(graph, std::vector{0.01, ne, 0.0}),
              ElementsAre(0.01, testing::NanSensitiveDoubleEq(ne), 1));  // NE counts as 1
}

TEST(Graph, NeverRejectsWithoutWeight) {
  const Graph graph(std::vector{0.0, 0.5}, rows({{0, 0}, {0, 0}}));
  EXPECT_THAT(graphical_adjusted(graph, std::vector{0.0, 0.25}), ElementsAre(1, 0.5));
  EXPECT_THAT(graphical_adjusted(Graph(std::vector{0.0}, rows({{0}})), std::vector{0.0}), ElementsAre(1));
}

TEST(Graph, TakesTheLimitOfEpsilon) {
  // Two primary hypotheses pass all to their own secondary, and what is over to each other; the secondaries pass what nobody can
  // use back to the other primary. Once 1 and 3 are rejected, all of alpha must be at 2.
  Rows transitions{{s(0), epsilon_share, s(1), s(0)},
                   {epsilon_share, s(0), s(0), s(1)},
                   {s(0), epsilon_share, s(0), s(0)},
                   {epsilon_share, s(0), s(0), s(0)}};
  Graph graph(std::vector{0.5, 0.5, 0.0, 0.0}, transitions);
  graph.reject(0);
  EXPECT_EQ(graph.weight(1).limit(), 0.5);
  EXPECT_EQ(graph.weight(2).limit(), 0.5);
  graph.reject(2);
  // 3 passes an epsilon on and keeps the rest: only a full row passes everything.
  EXPECT_EQ(graph.weight(1).limit(), 0.5);

  // With 3's whole share going to 2 there is nothing left over.
  transitions[2][1] = s(1);
  Graph full(std::vector{0.5, 0.5, 0.0, 0.0}, transitions);
  full.reject(0), full.reject(2);
  EXPECT_EQ(full.weight(1).limit(), 1);

  // A cycle that would be closed but for an epsilon: g_12 = 1 - e, g_13 = e, g_21 = 1. Without 1, g_23 = e / (1 - (1 - e)) = 1.
  Graph cycle(std::vector{1.0, 0.0, 0.0}, {{s(0), s(1), epsilon_share}, {s(1), s(0), s(0)}, {s(0), s(0), s(0)}});
  cycle.reject(0);
  EXPECT_EQ(cycle.weight(1).limit(), 1);
  EXPECT_EQ(cycle.weight(2).limit(), 0);
  EXPECT_EQ(cycle.share(1, 2).limit(), 1);
  cycle.reject(1);
  EXPECT_EQ(cycle.weight(2).limit(), 1);
}

TEST(Graph, DoesNotDependOnTheOrderOfRejections) {
  const Rows transitions{{s(0), s(0.5), epsilon_share, s(0.5)},
                         {s(0.25), s(0), s(0.25), epsilon_share},
                         {s(1), epsilon_share, s(0), s(0)},
                         {epsilon_share, s(0), s(1), s(0)}};
  const std::vector<double> weights{0.4, 0.3, 0.2, 0.1};
  std::vector<std::size_t> order{0, 1, 2};
  do {
    Graph graph(weights, transitions);
    for (const std::size_t i : order) graph.reject(i);
    EXPECT_DOUBLE_EQ(graph.weight(3).limit(), [&] {
      Graph first(weights, transitions);
      for (const std::size_t i : {0, 1, 2}) first.reject(i);
      return first.weight(3).limit();
    }());
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Graph, SaysEverythingThatIsWrong) {
  const auto problems = graph_problems(std::vector{0.6, 0.6, -0.1}, rows({{0.5, 0.6, 0}, {0, 0}, {2, 0, ne}}));
  EXPECT_THAT(problems,
              ElementsAre("the weight of hypothesis 3 must be from 0 to 1, and is -0.1", HasSubstr("the weights add up to 1.1"),
                          "hypothesis 1 passes a share to itself", HasSubstr("hypothesis 1 passes on add up to 1.1"),
                          "row 2 of the transitions has 2 shares for 3 hypotheses",
                          "the share from hypothesis 3 to 1 must be from 0 to 1, and is 2",
                          "the share from hypothesis 3 to 3 must be from 0 to 1, and is NaN"));
  EXPECT_THAT(graph_problems(std::vector{1.0}, {}), ElementsAre("there are 0 rows of transitions for 1 weights"));
  EXPECT_THAT(graph_problems({}, {}), ElementsAre());
  const double third = 1.0 / 3;
  EXPECT_THAT(graph_problems(std::vector{third, third, 0.33333333333333337}, rows({{0, 0, 0}, {0, 0, 0}, {0, 0, 0}})),
              ElementsAre());
  EXPECT_THROW(Graph(std::vector{2.0}, rows({{0}})), ContractViolation);
}

TEST(Graph, HoldsExtremeNumbers) {
  const Graph graph(std::vector{1e-300, 1.0}, rows({{0, 1}, {1e-300, 0}}));
  EXPECT_THAT(graphical_adjusted(graph, std::vector{1e-310, 0.5}), ElementsAre(testing::DoubleNear(1e-10, 1e-15), 0.5));
  EXPECT_THAT(graphical_adjusted(graph, std::vector{0.5, 1e-310}), ElementsAre(1, 1e-310));
}

}  // namespace
}  // namespace equipoise::stats
