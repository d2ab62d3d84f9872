#include "equipoise/stats/imputation/completed_ancova.h"

#include <gtest/gtest.h>

#include "equipoise/stats/imputation/imputation_testing.h"
#include "equipoise/stats/linear/ancova.h"

namespace equipoise::stats {
namespace {

using testing::LongTrial, testing::text, testing::texts;

/// A trial in which everybody has every value.
LongTrial complete_trial() {
  LongTrial trial(4, 30);
  for (auto& person : trial.people)
    for (std::size_t j = 0; j < person.y.size(); ++j)
      if (std::isnan(person.y[j])) person.y[j] = -double(j) + person.base / 7;
  return trial;
}

/// The rows of one visit, for the method `ancova`.
testing::Table at_visit(LongTrial const& trial, std::size_t j) {
  testing::Table made;
  std::vector<double> y, base;
  std::vector<std::int32_t> arm, site;
  for (auto const& person : trial.people) {
    y.push_back(person.y[j]);
    base.push_back(person.base);
    arm.push_back(person.arm);
    site.push_back(person.site);
  }
  made.numbers("y", y).numbers("base", base).category("arm", trial.arms, arm).category("site", trial.sites, site);
  return made;
}

// The method `ancova` is checked against R's lm and emmeans; this one must give the same at each visit.
TEST(CompletedAncova, IsAncovaAtEachVisit) {
  const LongTrial trial = complete_trial();
  testing::Table rows = trial.table();
  for (std::string const formula : {"arm", "base + arm", "arm * base", "arm * site + base", "arm * site * base"}) {
    const auto grid = read_grid(rows.frame(), {.response = "y", .subject = "id", .visit = "visit", .group = "arm"}, {}, {});
    ASSERT_TRUE(grid);
    const auto plan = CompletedAncova::plan(rows.frame(), *grid, *parse_formula(formula), "arm");
    ASSERT_TRUE(plan) << plan.error().message;
    EXPECT_EQ(plan->models().size(), 1u) << "covariates do not change between visits";
    for (std::size_t j = 0; j < 4; ++j) {
      testing::Table one = at_visit(trial, j);
      testing::Keys levels{{"arm", texts(trial.arms)}};
      if (formula.find("site") != std::string::npos) levels.push_back({"site", texts(trial.sites)});
      const auto expected = testing::answer<Ancova>(one.frame(), {{"response", {"y"}}},
                                                    {{"formula", text(formula)}, {"levels", testing::table(levels)}});
      std::vector<double> y;
      for (std::size_t i = 0; i < grid->n(); ++i) y.push_back(grid->response[i * 4 + j]);
      const double mean = plan->rotate(j, y), residual = plan->residual_product(j, y, y);
      const At places[] = {{{"lsmean", Term{{"arm", "placebo"}}}},
                           {{"lsmean", Term{{"arm", "active"}}}},
                           {{"difference", LevelDifference{"arm", "active", "placebo"}}}};
      for (std::size_t q = 0; q < 3; ++q) {
        const double estimate = testing::read(expected, "estimate", places[q]), se = testing::read(expected, "se", places[q]);
        EXPECT_NEAR(plan->estimate(j, q, mean, y), estimate, 1e-12 * 100) << formula;  // values near 10, a dozen operations
        EXPECT_NEAR(std::sqrt(residual * plan->unit_variance(j, q)), se, 1e-12 * 100) << formula;
      }
      EXPECT_EQ(plan->models()[0].df, testing::read(expected, "residual_df"));
    }
  }
}

TEST(CompletedAncova, LeavesOutWhatTheRowsDoNotDetermine) {
  LongTrial trial = complete_trial();
  for (auto& person : trial.people) person.site = person.arm;  // the site tells the arm
  trial.arms.push_back("empty");
  testing::Table rows = trial.table();
  const auto grid = read_grid(rows.frame(), {.response = "y", .subject = "id", .visit = "visit", .group = "arm"}, {}, {});
  const auto same = CompletedAncova::plan(rows.frame(), *grid, *parse_formula("arm + site"), "arm");
  for (const double value : same->estimates(grid->response)) EXPECT_TRUE(std::isnan(value));
  const auto alone = CompletedAncova::plan(rows.frame(), *grid, *parse_formula("arm"), "arm");
  const std::vector<double> values = alone->estimates(grid->response);
  // placebo, active, empty; active - placebo, empty - placebo, empty - active
  for (const std::size_t there : {0u, 1u, 3u}) EXPECT_FALSE(std::isnan(values[there])) << there;
  for (const std::size_t absent : {2u, 4u, 5u}) EXPECT_TRUE(std::isnan(values[absent])) << absent;
}

TEST(CompletedAncova, HasADesignForEachVisitWhenCovariatesChange) {
  const LongTrial trial = complete_trial();
  testing::Table rows = trial.table();
  std::vector<double> moving;
  for (std::size_t r = 0; r < rows.frame().rows; ++r) moving.push_back(double(r * r % 17));
  rows.numbers("moving", moving);
  const auto grid = read_grid(rows.frame(), {.response = "y", .subject = "id", .visit = "visit", .group = "arm"}, {}, {"moving"});
  ASSERT_TRUE(grid);
  const auto plan = CompletedAncova::plan(rows.frame(), *grid, *parse_formula("arm + moving"), "arm");
  EXPECT_EQ(plan->models().size(), 4u);
}

}  // namespace
}  // namespace equipoise::stats
