// Subgroups from the protocol to their estimates and tests of interaction. What is expected is computed by subgroups/expected.R:
// survival begun again at its own answer (1e-12 of 300 to 600 summands), lm and anova, nlme (whose optimum is known to 1e-6 of a
// standard error, see beat_the_blues_test.cpp).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "equipoise/analysis/run.h"
#include "equipoise/data/source.h"
#include "equipoise/study/study.h"
#include "files.h"

namespace equipoise {
namespace {

using results::Subgroup;
using results::SubgroupLevel;
using testing::HasSubstr;

std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "no '" << from << "'";
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

results::Results run(std::string const& protocol, std::string const& file) {
  const study::Study study = study_of(protocol, "protocol.toml");
  const auto table = data::read_csv(contents(file), file);
  EXPECT_TRUE(table);
  const auto records = data::read_source(study.protocol, *table);
  EXPECT_TRUE(records) << (records ? "" : to_string(records.error().front()));
  if (!table || !records) return {};
  return analysis::run(study.protocol, study.plan, data::TrialTables(study.protocol, *records), {});
}

results::Results const& colon() {
  static const results::Results results = run(contents("examples/colon/protocol.toml"), "examples/colon/colon.csv");
  return results;
}

constexpr const char* blues = "examples/beat-the-blues/btheb.csv";
std::string blues_protocol() { return contents("examples/beat-the-blues/protocol.toml"); }

Subgroup const& subgroup(results::Results const& results, std::string_view analysis, std::string_view item) {
  static const Subgroup none;
  for (Subgroup const& one : results.subgroups)
    if (one.analysis == analysis && one.item == item) return one;
  ADD_FAILURE() << "no subgroup " << item << " of " << analysis;
  return none;
}

SubgroupLevel const& level(Subgroup const& subgroup, std::string_view name) {
  static const SubgroupLevel none;
  const auto found = std::ranges::find(subgroup.levels, name, &SubgroupLevel::level);
  EXPECT_NE(found, subgroup.levels.end()) << name;
  return found == subgroup.levels.end() ? none : *found;
}

void expect_effect(SubgroupLevel const& level, std::size_t arm, double estimate, double se, double near) {
  ASSERT_GT(level.effects.size(), arm);
  EXPECT_NEAR(level.effects[arm].estimate, estimate, near) << level.level;
  EXPECT_NEAR(level.effects[arm].se, se, near) << level.level;
}

TEST(Subgroups, HazardRatiosAreThoseOfCoxsModelInEach) {
  const double near = 1e-11;
  Subgroup const& male = subgroup(colon(), "a02_recurrence_ratio", "male@baseline");
  expect_effect(level(male, "false"), 0, 0.00424032632918783, 0.16082380144576600, near);
  expect_effect(level(male, "false"), 1, -0.27528228179899050, 0.16082942533797093, near);
  expect_effect(level(male, "true"), 0, -0.0348065042050903, 0.1436304961870489, near);
  expect_effect(level(male, "true"), 1, -0.8176754996721386, 0.1809587450977700, near);
  Finding const& ratio = level(male, "true").effects[1].finding;
  EXPECT_EQ(ratio.quantity, "hazard_ratio");
  EXPECT_NEAR(ratio.value, std::exp(-0.8176754996721386), near);
  EXPECT_NEAR(*ratio.upper, std::exp(-0.8176754996721386 + 1.959963984540054 * 0.1809587450977700), near);

  Subgroup const& age = subgroup(colon(), "a02_recurrence_ratio", "age@baseline");
  expect_effect(level(age, "< 60"), 1, -0.2972134369750106, 0.1707818259387606, near);
  expect_effect(level(age, "\u2265 60"), 1, -0.69963158940801162, 0.16509396353225864, near);  // somebody of 60 is here
}

TEST(Subgroups, CountsAreOfEachLevelAndAddUp) {
  Subgroup const& whole = subgroup(colon(), "a02_recurrence_ratio", "");
  ASSERT_EQ(whole.levels.size(), 1u);
  for (const char* item : {"male@baseline", "age@baseline", "obstruction@baseline", "extent@baseline", "many_nodes@baseline"})
    for (std::size_t arm = 0; arm < 3; ++arm) {
      std::int64_t n = 0, events = 0;
      for (SubgroupLevel const& one : subgroup(colon(), "a02_recurrence_ratio", item).levels)
        n += one.counts[arm].n, events += *one.counts[arm].events;
      EXPECT_EQ(n, whole.levels[0].counts[arm].n) << item;
      EXPECT_EQ(events, *whole.levels[0].counts[arm].events) << item;
    }
  EXPECT_EQ(*whole.levels[0].counts[0].events, 177);
}

TEST(Subgroups, InteractionOfCoxsModelIsTheLikelihoodRatioOfNestedModels) {
  struct Expected {
    const char* item;
    double value, df, p, near;
  };
  // The last has coefficients that are infinite; R stops where the likelihood no longer changes by 1e-9 of itself.
  for (Expected const& one : {Expected{"male@baseline", 5.5885600487781630, 2, 0.0611588913952766, 1e-9},
                              Expected{"age@baseline", 4.279974566652527, 2, 0.117656339209545, 1e-9},
                              Expected{"extent@baseline", 8.607027102802022, 6, 0.196914360271826, 2e-5}}) {
    auto const& tests = subgroup(colon(), "a02_recurrence_ratio", one.item).interactions;
    ASSERT_EQ(tests.size(), 1u);
    EXPECT_EQ(tests[0].statistic, "likelihood_ratio_chi_square");
    EXPECT_NEAR(tests[0].value, one.value, one.near) << one.item;
    EXPECT_EQ(tests[0].df, one.df);
    EXPECT_NEAR(tests[0].p, one.p, one.near);
  }
}

TEST(Subgroups, NothingIsMadeUpWhereNobodyHasAnEvent) {
  SubgroupLevel const& none = level(subgroup(colon(), "a02_recurrence_ratio", "extent@baseline"), "submucosa");
  EXPECT_EQ(*none.counts[0].events, 0);
  EXPECT_TRUE(std::isnan(none.effects[0].finding.value));
  EXPECT_EQ(none.effects[0].finding.quantity, "hazard_ratio");
  ASSERT_FALSE(none.notes.empty());
  EXPECT_THAT(none.notes.front(), HasSubstr("not estimable"));
}

TEST(Subgroups, AncovaHasTheFTestOfTheProduct) {
  const results::Results results =
      run(with(blues_protocol(), "method = \"ancova\"\n",
               "method = \"ancova\"\nsubgroups = [\"antidepressant@baseline\", { item = \"bdi@baseline\", cuts = [20, 30] }]\n"),
          blues);
  const double near = 1e-11;
  Subgroup const& drug = subgroup(results, "a08_complete", "antidepressant@baseline");
  expect_effect(level(drug, "false"), 0, -6.52807014483373, 3.31235729171553, near);
  expect_effect(level(drug, "true"), 0, 1.6996241391931, 3.4480953877598, near);
  EXPECT_EQ(level(drug, "false").counts[0].n + level(drug, "false").counts[1].n, 28);
  ASSERT_EQ(drug.interactions.size(), 1u);
  EXPECT_EQ(drug.interactions[0].statistic, "f");
  EXPECT_NEAR(drug.interactions[0].value, 3.8928889533829754, near);
  EXPECT_EQ(drug.interactions[0].df, 1);
  EXPECT_EQ(drug.interactions[0].residual_df, 46);
  EXPECT_NEAR(drug.interactions[0].p, 0.0545174000462444, near);
  Subgroup const& severity = subgroup(results, "a08_complete", "bdi@baseline");
  expect_effect(level(severity, "20 to < 30"), 0, -1.50820641054785, 5.51646660583877, near);
  EXPECT_EQ(severity.interactions[0].df, 2);
  EXPECT_NEAR(severity.interactions[0].value, 0.749574168273034, near);
  EXPECT_NEAR(severity.interactions[0].p, 0.478641403324703, near);
}

TEST(Subgroups, MixedModelsHaveCochransQOfTheirDifferences) {
  std::string text = blues_protocol();
  text = with(text, "df = \"kenward_roger\"\nsubgroups", "df = \"satterthwaite\"\nsubgroups");  // nlme has the model's errors
  const results::Results results = run(text, blues);
  Subgroup const& drug = subgroup(results, "a01_mmrm", "antidepressant@baseline");
  expect_effect(level(drug, "false"), 0, -4.47699477923502, 3.01497066676719, 3e-6);
  expect_effect(level(drug, "true"), 0, 2.06745722597032, 3.71720561199963, 3e-6);
  ASSERT_EQ(drug.interactions.size(), 1u);
  EXPECT_EQ(drug.interactions[0].arm, "program");
  EXPECT_EQ(drug.interactions[0].statistic, "heterogeneity_chi_square");
  EXPECT_NEAR(drug.interactions[0].value, 1.86967335041780, 3e-6);
  EXPECT_NEAR(drug.interactions[0].p, 0.17151249577634, 1e-6);
}

TEST(Subgroups, TheWholeIsTheAnalysisItself) {
  for (std::size_t arm = 0; arm < 2; ++arm) {
    auto const& effect = subgroup(colon(), "a02_recurrence_ratio", "").levels[0].effects[arm];
    const auto same = std::ranges::find_if(colon().records, [&](results::Record const& record) {
      return record.analysis == "a02_recurrence_ratio" && record.finding.quantity == "hazard_ratio" &&
             record.finding.at == effect.finding.at;
    });
    ASSERT_NE(same, colon().records.end());
    EXPECT_EQ(same->finding.value, effect.finding.value);
    EXPECT_EQ(same->finding.lower, effect.finding.lower);
  }
}

// The difference is tested, and so shown; the ratio beside it is of another scale.
TEST(Subgroups, ARatioThatIsNotTheTestedNumberIsNotShown) {
  const std::string text = with(contents("examples/colon/protocol.toml"), "method = \"cox\"\nties = \"efron\"\nsubgroups",
                                "method = \"rmst_difference\"\ntau = 1826\nsubgroups");
  const results::Results results = run(text, "examples/colon/colon.csv");
  ASSERT_FALSE(results.subgroups.empty());
  for (Subgroup const& one : results.subgroups)
    for (SubgroupLevel const& level : one.levels)
      for (auto const& effect : level.effects) {
        EXPECT_FALSE(effect.finding.quantity.ends_with("_ratio")) << effect.finding.quantity;
        EXPECT_FALSE(effect.finding.p.has_value());
        if (!std::isnan(effect.finding.value)) {
          EXPECT_EQ(effect.estimate, effect.finding.value);
        }
      }
}

// Cochran's Q of clustered models is of the errors that their limits have.
TEST(Subgroups, ClusteredModelsHaveTheirRobustErrors) {
  const std::string text = with(contents("examples/colon/protocol.toml"), "ties = \"efron\"\nsubgroups",
                                "ties = \"efron\"\ncluster = \"participant\"\nsubgroups");
  const results::Results results = run(text, "examples/colon/colon.csv");
  Subgroup const& male = subgroup(results, "a02_recurrence_ratio", "male@baseline");
  ASSERT_EQ(male.interactions.size(), 2u);
  EXPECT_EQ(male.interactions[0].statistic, "heterogeneity_chi_square");
  for (SubgroupLevel const& level : male.levels)
    for (auto const& effect : level.effects)
      EXPECT_NEAR(effect.se, std::log(*effect.finding.upper / *effect.finding.lower) / (2 * 1.959963984540054), 1e-12);
}

/// What `check` says of the colon protocol with another value of the key.
std::string problems_of(std::string const& value, std::string const& method = "cox") {
  std::string text = contents("examples/colon/protocol.toml");
  const auto from = text.find("subgroups = ["), end = text.find('\n', from);
  text.erase(from, end - from);
  const std::string head = "role = \"supportive\"\nmethod = \"" + method + "\"\n";
  const auto at = text.find(head);
  EXPECT_NE(at, std::string::npos);
  text.insert(at + head.size(), "subgroups = " + value + "\n");
  const auto study = study::load(text, "protocol.toml");
  if (study) return {};
  std::string all;
  for (Error const& error : study.error()) all += to_string(error) + "\n";
  return all;
}

TEST(Subgroups, WhatIsWrongIsSaid) {
  EXPECT_EQ(problems_of("[\"male@baseline\"]"), "");
  EXPECT_THAT(problems_of("[\"age@baseline\"]"),
              HasSubstr("'age@baseline' is a number, and a subgroup needs to know where it is cut"));
  EXPECT_THAT(problems_of("[{ item = \"male@baseline\", cuts = [1] }]"), HasSubstr("only a number has cuts"));
  EXPECT_THAT(problems_of("[{ item = \"age@baseline\", cuts = [60, 50] }]"),
              HasSubstr("cuts increase, and 60 is followed by 50"));
  EXPECT_THAT(problems_of("[\"sexx@baseline\"]"), HasSubstr("there is no item or derivation 'sexx'"));
  EXPECT_THAT(problems_of("[\"male\"]"), HasSubstr("say at which visit 'male' is read"));
  EXPECT_THAT(problems_of("[\"arm\"]"), HasSubstr("'arm' cannot be a subgroup"));
  EXPECT_THAT(problems_of("[\"male@baseline\", \"male@baseline\"]"), HasSubstr("twice"));
  EXPECT_THAT(problems_of("[3]"), HasSubstr("is an item, or { item = \"age@baseline\", cuts = [65] }"));
  EXPECT_THAT(problems_of("\"male@baseline\""), HasSubstr("is an item, or"));
  EXPECT_THAT(problems_of("[\"male@baseline\"]", "kaplan_meier"), HasSubstr("gives no estimate of a difference between arms"));
  EXPECT_THAT(problems_of("[\"male@baseline\"]\nformula = \"arm * male@baseline\""), HasSubstr("has the product of the arm and 'male@baseline'"));
}

}  // namespace
}  // namespace equipoise
