#include "equipoise/stats/imputation/resampling.h"

#include <gtest/gtest.h>

#include "equipoise/stats/imputation/imputation_testing.h"

namespace equipoise::stats {
namespace {

using testing::LongTrial, testing::number, testing::text;

ReferenceBasedImputation method_of(LongTrial const& trial, testing::Keys const& more = {}) {
  auto parsed = testing::parse<ReferenceBasedImputation>(trial.roles(), trial.options(more));
  EXPECT_TRUE(parsed.method) << (parsed.problems.empty() ? "" : parsed.problems.front().message);
  return std::move(*parsed.method);
}

// A replicate by warm refit and sums must be what the rows without the participant give from scratch.
TEST(Resampling, TheShortcutIsTheAnalysisOfTheRowsCounted) {
  for (std::string const structure : {"unstructured", "heterogeneous_ar1"})
    for (std::string const analysis : {"base + arm", "base * arm"}) {
      const LongTrial trial(3);
      testing::Table rows = trial.table();
      const auto method = method_of(trial, {{"covariance", text(structure)},
                                            {"analysis_formula", text(analysis)},
                                            {"delta", testing::table({{"active", testing::numbers({0, 1, 2, 3})}})}});
      auto made = ImputedAnalysis::make(rows.frame(), method.plan);
      ASSERT_TRUE(made) << made.error().message;
      ImputedAnalysis& all = **made;
      const Replicates left = jackknife(all), drawn = bootstrap(all, 20, 9);
      EXPECT_EQ(left.from_scratch, 0u);
      EXPECT_EQ(drawn.from_scratch, 0u);
      ASSERT_EQ(left.rows, all.grid.n());
      const auto check = [&](std::vector<std::int32_t> const& times, Replicates const& replicates, std::size_t row) {
        const GatheredFrame counted = all.counted(times);
        const auto again = ImputedAnalysis::make(counted.frame(), method.plan);
        ASSERT_TRUE(again) << again.error().message;
        const std::vector<double> expected = (*again)->answers();
        // both optima are within 1e-9 standard errors, and an estimate's standard error is about 1
        for (std::size_t c = 0; c < expected.size(); ++c) EXPECT_NEAR(replicates.at(row, c), expected[c], 1e-8) << structure << row << " " << c;
      };
      for (const std::size_t i : {0u, 7u, 19u, 39u}) {
        std::vector<std::int32_t> times(all.grid.n(), 1);
        times[i] = 0;
        check(times, left, i);
      }
      for (const std::size_t r : {0u, 13u}) check(bootstrap_counts(all, 9, r), drawn, r);
    }
}

TEST(Resampling, KeepsWhatAnAnchorAdds) {
  const LongTrial trial(3);
  testing::Table rows = trial.table();
  const auto jump = ImputedAnalysis::make(rows.frame(), method_of(trial).plan);
  const auto at_random = ImputedAnalysis::make(rows.frame(), method_of(trial, {{"strategy", text("mar")}}).plan);
  ASSERT_TRUE(jump && at_random);
  ImputedAnalysis& anchored = **at_random;
  anchored.anchor(**jump);
  const std::vector<double> same = anchored.answers(), of_jump = (*jump)->answers();
  for (std::size_t c = 0; c < same.size(); ++c) EXPECT_NEAR(same[c], of_jump[c], 1e-12);
  const Replicates drawn = bootstrap(anchored, 3, 5);
  EXPECT_EQ(drawn.from_scratch, 0u);
  for (std::size_t r = 0; r < 3; ++r) {
    const std::vector<std::int32_t> times = bootstrap_counts(anchored, 5, r);
    const GatheredFrame counted = anchored.counted(times);
    const auto again = ImputedAnalysis::make(counted.frame(), anchored.counted_plan(times));
    ASSERT_TRUE(again) << again.error().message;
    const std::vector<double> expected = (*again)->answers();
    for (std::size_t c = 0; c < expected.size(); ++c) EXPECT_NEAR(drawn.at(r, c), expected[c], 1e-8);
  }
}

TEST(Resampling, StartsFromScratchWhereTheOnlyOneOfALevelIsLeftOut) {
  LongTrial trial(3);
  for (auto& person : trial.people) person.site = 0;
  trial.people[4].site = 1;
  testing::Table rows = trial.table();
  const auto method = method_of(trial, {{"formula", text("base + arm * visit + site")},
                                        {"levels", testing::table({{"arm", testing::texts(trial.arms)},
                                                                   {"visit", testing::texts(trial.visits)},
                                                                   {"site", testing::texts(trial.sites)}})},
                                        {"analysis_formula", text("base + arm + site")}});
  auto made = ImputedAnalysis::make(rows.frame(), method.plan);
  ASSERT_TRUE(made) << made.error().message;
  const Replicates left = jackknife(**made);
  EXPECT_EQ(left.from_scratch, 1u);
  EXPECT_EQ(left.failed, 0u);
  // without them the model is that without the site
  LongTrial others = trial;
  others.people.erase(others.people.begin() + 4);
  testing::Table fewer = others.table();
  const auto again = ImputedAnalysis::make(fewer.frame(), method_of(others).plan);
  ASSERT_TRUE(again) << again.error().message;
  const std::vector<double> expected = (*again)->answers();
  for (std::size_t c = 0; c < expected.size(); ++c) EXPECT_NEAR(left.at(4, c), expected[c], 1e-8) << c;
}

// With nothing missing and no covariate the jackknife of a difference of means is (n-1)/n [s1^2/(n1-1) + s2^2/(n2-1)], and the
// bootstrap tends to s1^2 (n1-1)/n1^2 + s2^2 (n2-1)/n2^2.
TEST(Resampling, ClosedFormsOfADifferenceOfMeans) {
  LongTrial trial(5, 30, 1);
  testing::Table rows = trial.table();
  const auto method = method_of(trial, {{"analysis_formula", text("arm")}});
  auto made = ImputedAnalysis::make(rows.frame(), method.plan);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_FALSE((*made)->model) << "nothing is missing";
  double sum[2] = {}, squares[2] = {};
  for (auto const& person : trial.people) sum[person.arm] += person.y[0] / 15;
  for (auto const& person : trial.people) squares[person.arm] += std::pow(person.y[0] - sum[person.arm], 2) / 14;
  const Replicates left = jackknife(**made);
  const std::size_t difference = 2;
  EXPECT_NEAR(covariance(left, difference, difference, Resampling::jackknife), 29.0 / 30 * (squares[0] + squares[1]) / 14, 1e-11);
  const std::size_t samples = 4000;
  const Replicates drawn = bootstrap(**made, samples, 1);
  const double expected = (squares[0] + squares[1]) * 14 / 225;
  // a variance from 4000 near normal draws has a relative error of sqrt(2/4000)
  EXPECT_NEAR(covariance(drawn, difference, difference, Resampling::bootstrap) / expected, 1, 4 * std::sqrt(2.0 / double(samples)));
}

TEST(Resampling, DrawsWithinGroupsAndAlikeForEqualSeeds) {
  const LongTrial trial(3);
  testing::Table rows = trial.table();
  auto made = ImputedAnalysis::make(rows.frame(), method_of(trial).plan);
  ASSERT_TRUE(made);
  EXPECT_EQ(bootstrap_counts(**made, 4, 2), bootstrap_counts(**made, 4, 2));
  EXPECT_NE(bootstrap_counts(**made, 4, 2), bootstrap_counts(**made, 4, 3));
  EXPECT_NE(bootstrap_counts(**made, 4, 2), bootstrap_counts(**made, 5, 2));
  const auto times = bootstrap_counts(**made, 4, 2);
  int in[2] = {};
  for (std::size_t i = 0; i < times.size(); ++i) in[(*made)->grid.group[i]] += times[i];
  EXPECT_EQ(in[0], 20);
  EXPECT_EQ(in[1], 20);
}

TEST(Resampling, SaysWhenTooFewRepetitionsHaveAnAnswer) {
  Replicates replicates{.columns = 1, .values = std::vector<double>(40, 0.0), .rows = 40};
  for (std::size_t r = 0; r < 40; ++r) replicates.values[r] = double(r % 7);
  EXPECT_FALSE(std::isnan(covariance(replicates, 0, 0, Resampling::jackknife)));
  replicates.values[3] = replicates.values[30] = missing_number;  // 2 of 40 are 5 %
  double mean = 0, squares = 0;
  for (const double value : replicates.values) mean += std::isnan(value) ? 0 : value / 38;
  for (const double value : replicates.values) squares += std::isnan(value) ? 0 : (value - mean) * (value - mean);
  EXPECT_NEAR(covariance(replicates, 0, 0, Resampling::jackknife), 39.0 / 38 * squares, 1e-11);
  replicates.values[17] = missing_number;
  EXPECT_TRUE(std::isnan(covariance(replicates, 0, 0, Resampling::jackknife)));
}

}  // namespace
}  // namespace equipoise::stats
