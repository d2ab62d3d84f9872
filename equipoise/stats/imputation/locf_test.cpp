#include "equipoise/stats/imputation/locf.h"

#include <gtest/gtest.h>

#include "equipoise/stats/imputation/imputation_testing.h"

namespace equipoise::stats {
namespace {

using testing::has_note, testing::LongTrial, testing::read, testing::text, testing::texts;

Roles roles(bool with_event = false) {
  Roles made{{"response", {"y"}}, {"subject", {"id"}}, {"visit", {"visit"}}};
  if (with_event) made["ice"] = {"ice"};
  return made;
}

testing::Keys keys(LongTrial const& trial, std::string const& formula) {
  return {{"formula", text(formula)}, {"levels", testing::table({{"arm", texts(trial.arms)}, {"visit", texts(trial.visits)}})}};
}

const At difference{{"difference", LevelDifference{"arm", "active", "placebo"}}};

/// ANCOVA of the values carried by hand.
Expected<Answer> by_hand(LongTrial const& trial, std::size_t visit) {
  testing::Table rows;
  std::vector<double> y, base;
  std::vector<std::int32_t> arm;
  for (auto const& person : trial.people) {
    double last = missing_number;
    for (std::size_t j = 0; j <= visit; ++j)
      if (!std::isnan(person.y[j])) last = person.y[j];
    if (std::isnan(last)) continue;
    y.push_back(last), base.push_back(person.base), arm.push_back(person.arm);
  }
  rows.numbers("y", y).numbers("base", base).category("arm", trial.arms, arm);
  return testing::answer<Ancova>(rows.frame(), {{"response", {"y"}}},
                                 {{"formula", text("base + arm")}, {"levels", testing::table({{"arm", texts(trial.arms)}})}});
}

TEST(Locf, IsAncovaOfTheLastValues) {
  LongTrial trial(3);
  trial.people[2].y.assign(4, missing_number);
  trial.people[5].y = {1, missing_number, 3, missing_number};
  testing::Table rows = trial.table();
  const auto got = testing::answer<Locf>(rows.frame(), roles(), keys(trial, "base + arm * visit"));
  const auto expected = by_hand(trial, 3);
  EXPECT_NEAR(read(got, "estimate", difference), read(expected, "estimate", difference), 1e-12);
  EXPECT_NEAR(read(got, "se", difference), read(expected, "se", difference), 1e-12);
  EXPECT_EQ(read(got, "n_observations"), 39);
  EXPECT_TRUE(has_note(got, "Single imputation"));
  EXPECT_TRUE(has_note(got, "1 participant has no value up to that visit and is left out"));
  double carried = 0;
  for (auto const& person : trial.people) carried += std::isnan(person.y[3]);
  EXPECT_EQ(read(got, "n_imputed"), carried - 1);
  testing::Keys earlier = keys(trial, "base + arm");
  earlier.push_back({"at", text("w2")});
  EXPECT_NEAR(read(testing::answer<Locf>(rows.frame(), roles(), earlier), "estimate", difference),
              read(by_hand(trial, 1), "estimate", difference), 1e-12);
}

TEST(Locf, DoesNotCarryValuesFromAfterTheEvent) {
  LongTrial trial(3);
  trial.people[4].y = {1, 2, 30, 40};
  trial.people[4].event = 2;
  testing::Table rows = trial.table();
  const auto with = testing::answer<Locf>(rows.frame(), roles(true), keys(trial, "base + arm"));
  trial.people[4].y = {1, 2, 2, 2};
  EXPECT_NEAR(read(with, "estimate", difference), read(by_hand(trial, 3), "estimate", difference), 1e-12);
}

TEST(Locf, AnswersWhenEverybodyHasEveryValueOrNobodyHasAny) {
  LongTrial trial(3);
  for (auto& person : trial.people) person.y = {1.0, 2.0 + person.base, 3.0, person.base * 0.1 + person.arm};
  testing::Table rows = trial.table();
  EXPECT_TRUE(has_note(testing::answer<Locf>(rows.frame(), roles(), keys(trial, "base + arm")), "all 40 values were observed"));
  for (auto& person : trial.people) person.y.assign(4, missing_number);
  testing::Table empty = trial.table();
  const auto none = testing::answer<Locf>(empty.frame(), roles(), keys(trial, "base + arm"));
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::no_data);
}

TEST(Locf, ChecksItsOptions) {
  const LongTrial trial(3);
  const auto problem = [&](testing::Keys const& more) {
    testing::Keys all = keys(trial, "base + arm");
    for (auto const& one : more) {
      std::erase_if(all, [&](auto const& known) { return known.first == one.first; });
      if (!one.second.is_null()) all.push_back(one);
    }
    const auto parsed = testing::parse<Locf>(roles(), all);
    return parsed.problems.empty() ? std::string() : parsed.problems.front().message;
  };
  EXPECT_EQ(problem({}), "");
  EXPECT_NE(problem({{"at", text("w7")}}).find("'w7' is not a level"), std::string::npos);
  EXPECT_NE(problem({{"formula", text("base + site2 *")}}), "");
  EXPECT_NE(problem({{"formula", Node()}}), "");
  EXPECT_NE(problem({{"covariance", text("ar1")}}), "");
}

}  // namespace
}  // namespace equipoise::stats
