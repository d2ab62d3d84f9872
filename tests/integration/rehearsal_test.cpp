// Rehearsals from a protocol file to operating characteristics.
//
// What the protocol paired.toml must show comes from an independent simulation of 400,000 trials with its settings; the tolerance
// is 4 standard errors of the difference, ours of 6,000 trials and theirs.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/analysis/run.h"
#include "equipoise/simulate/records.h"
#include "equipoise/simulate/rehearse.h"
#include "equipoise/study/study.h"
#include "files.h"

namespace equipoise::simulate {
namespace {

World world_of(study::Study const& study, std::string const& scenario) {
  auto world = World::build(study.protocol, scenario);
  if (!world) throw std::runtime_error(to_string(world.error().front()));
  return std::move(*world);
}

results::ScenarioCharacteristics rehearsed(study::Study const& study, std::string const& scenario, std::int64_t replicates,
                                           std::size_t threads = 2) {
  const World world = world_of(study, scenario);
  const std::vector<Statement> statements = simulate::statements(study);
  Problems problems;
  const Claims claims(study.protocol, statements, problems);
  EXPECT_TRUE(problems.empty());
  const auto monitoring = Monitoring::parse(study.protocol, problems);
  EXPECT_TRUE(problems.empty());
  const Rehearsed plan(study, world, statements, claims,
                       {.limits = std::vector<std::int64_t>(study.plan.analyses.size(), replicates),
                        .seed = 20261128,
                        .monitoring = monitoring ? &*monitoring : nullptr});
  Ledger ledger;
  rehearse(plan, study, statements, replicates, ledger, 0, blocks_of(replicates), threads, false, {});
  return plan.characteristics(ledger.whole(ledger.extent()));
}

double share(results::ScenarioCharacteristics const& scenario, std::string_view claim) {
  return std::ranges::find(scenario.claims, claim, &results::ClaimCharacteristics::id)->holds.value();
}

TEST(Rehearsal, FindsWhatAnIndependentSimulationFound) {
  const study::Study study = study_of("tests/integration/rehearsal/paired.toml");
  struct Expected {
    std::string scenario;
    double within, curve;
  };
  const double ours = 6000, theirs = 400000;
  for (Expected const& wanted : {Expected{"still", 0.0466, 0.0021}, Expected{"drift", 0.320, 0.0023},
                                 Expected{"at-once", 0.950, 0.742}, Expected{"rising", 0.950, 0.574}}) {
    const results::ScenarioCharacteristics got = rehearsed(study, wanted.scenario, std::int64_t(ours));
    const auto tolerance = [&](double p) { return 4 * std::sqrt(p * (1 - p) * (1 / ours + 1 / theirs)); };
    EXPECT_NEAR(share(got, "some_arm_not_control"), wanted.within, tolerance(wanted.within)) << wanted.scenario;
    EXPECT_NEAR(share(got, "curve_low"), wanted.curve, tolerance(wanted.curve)) << wanted.scenario;
  }
}

// Two looks at 100 and 200 events with O'Brien-Fleming critical values: rpact 3.3.4, getSimulationSurvival with the settings of
// looks.toml (lambda2 = log(2) / 12 a month, hazardRatio = exp(-2.8 * 2 / sqrt(200)), accrualIntensity = 25, seed 1, 100,000
// iterations): rejections at the first and the second look without and with the effect, and the months until the trial stops.
// There participants come evenly, here by chance, which moves times by up to half a day for each of 300 (0.5 / 30.4) and no
// rejection.
TEST(Rehearsal, HonoursCriticalValuesAtLooks) {
  const study::Study study = study_of("tests/integration/rehearsal/looks.toml");
  struct Expected {
    std::string scenario;
    double first, second, months;
  };
  const double ours = 10000, theirs = 100000;
  for (Expected const& wanted :
       {Expected{"no-effect", 0.00238, 0.02258, 25.30495}, Expected{"effect", 0.20213, 0.59375, 26.46265}}) {
    const auto got = rehearsed(study, wanted.scenario, std::int64_t(ours));
    ASSERT_EQ(got.monitoring.size(), 1u);
    auto const& looks = got.monitoring[0].looks;
    const auto tolerance = [&](double p) { return 4 * std::sqrt(p * (1 - p) * (1 / ours + 1 / theirs)); };
    EXPECT_NEAR(looks[0].stopped_for_benefit.value(), wanted.first, tolerance(wanted.first)) << wanted.scenario;
    EXPECT_NEAR(looks[1].stopped_for_benefit.value(), wanted.second, tolerance(wanted.second)) << wanted.scenario;
    EXPECT_NEAR(got.monitoring[0].rejected.value(), wanted.first + wanted.second, tolerance(wanted.first + wanted.second));
    EXPECT_EQ(got.monitored_any->n, got.monitoring[0].rejected.n);
    EXPECT_NEAR(got.monitoring[0].expected_days.value / 30.4375, wanted.months,
                0.5 / 30.4375 + 4 * std::sqrt(2.0) * got.monitoring[0].expected_days.mc_se / 30.4375);
    EXPECT_EQ(looks[1].reached.n + looks[0].stopped_for_benefit.n, std::int64_t(ours))
        << "who has stopped is not looked at again";
  }
}

// One look with the one-sided critical value of Dunnett's test for 24, 24 and 24 people (t with 69 degrees of
// freedom, 2.2582274297) against the exact powers, both from a two-dimensional integral: the model is that of all three arms, its
// estimate over its standard error is what is compared. 4 standard errors of 12,000 trials.
TEST(Rehearsal, HonoursTheCriticalValueOfDunnett) {
  std::string text = contents("tests/evidence/dunnett_power.toml");
  const std::size_t analysis = text.find("[[analysis]]"), scenario = text.find("[[scenario]]");
  ASSERT_TRUE(analysis < scenario && scenario != std::string::npos);
  text.replace(analysis, scenario - analysis, R"([[analysis]]
id = "model"
endpoint = "y"
set = "full"
role = "secondary"
method = "ancova"
formula = "arm"
[monitoring]
analysis = "model"
statistic = "wald"
look = [{ id = "end", critical_value = 2.2582274297 }]

)");
  auto study = study::load(text, "dunnett.toml");
  ASSERT_TRUE(study) << to_string(study.error().front());
  const double n = 12000;
  const auto near = [&](results::Share const& got, double exact) {
    EXPECT_NEAR(got.value(), exact, 4 * std::sqrt(exact * (1 - exact) / n));
  };
  const auto power = rehearsed(*study, "power", std::int64_t(n)), null = rehearsed(*study, "null", std::int64_t(n));
  ASSERT_EQ(power.monitoring.size(), 2u);
  near(power.monitoring[0].rejected, 0.43312168902), near(power.monitoring[1].rejected, 0.80292419305);
  near(*power.monitored_any, 0.8336901211), near(*power.monitored_all, 0.40235576097);
  near(*null.monitored_any, 0.025);
}

// The mean of exp(0.18 z) is exp(0.0162): everybody's level is 170 exp(0.0162), and +50 is 50 exp(0.0162). 4 standard errors of
// 400 trials of 72, of whom each has the noise of two values: SD 170 sqrt(2) 0.18 or so, and the same noise on both arms.
TEST(Rehearsal, KnowsTheTruthOfMeans) {
  const study::Study study = study_of("tests/integration/rehearsal/paired.toml");
  const World still = world_of(study, "still"), rising = world_of(study, "rising");
  const std::vector<Statement> all = statements(study);
  const std::vector<Truth> of_still = truths(study, still, all, 1, 400), of_rising = truths(study, rising, all, 1, 400);
  for (std::size_t s = 0; s < all.size(); ++s) {
    const bool within = all[s].against.empty(), curve = all[s].analysis == "curve";
    if (within) {
      ASSERT_TRUE(of_still[s].value);
      EXPECT_NEAR(of_still[s].value->value, 0, 4 * of_still[s].value->mc_se);
      EXPECT_NEAR(of_still[s].value->mc_se, 170 * std::sqrt(2.0) * 0.18 / std::sqrt(400 * 72.0), 0.05);
      EXPECT_FALSE(of_still[s].no_difference);
      continue;
    }
    EXPECT_TRUE(of_still[s].no_difference);
    EXPECT_EQ(of_still[s].value->value, 0);
    EXPECT_FALSE(of_rising[s].no_difference);
    EXPECT_EQ(of_rising[s].value.has_value(), !curve) << "a log-rank test has no truth when there is an effect";
    if (!curve) {
      EXPECT_NEAR(of_rising[s].value->value, 50 * std::exp(0.0162), 4 * of_rising[s].value->mc_se);
    }
  }
}

TEST(Rehearsal, IsTheSameForAnyNumberOfThreads) {
  const study::Study study = study_of("tests/integration/rehearsal/paired.toml");
  std::vector<std::string> made;
  for (const std::size_t threads : {1, 2, 8}) {
    results::Rehearsal rehearsal;
    rehearsal.scenarios.push_back(rehearsed(study, "drift", 730, threads));
    made.push_back(to_json(rehearsal));
  }
  EXPECT_EQ(made[0], made[1]);
  EXPECT_EQ(made[0], made[2]);
  EXPECT_THAT(made[0], ::testing::HasSubstr("\"simulated\": true"));
  EXPECT_THAT(made[0], ::testing::HasSubstr("\"replicates\": 730"));
}

// How many P values of virtual trials are found among the records of a whole analysis of the same data, with the estimate that
// stands with them; a statement without its record is a failure. 1e-9: a focus answers through the same model, sums in another
// order.
std::size_t found_in_analyses(study::Study const& study, std::string const& scenario, std::uint64_t trials) {
  const World world = world_of(study, scenario);
  const std::vector<Statement> all = statements(study);
  Analyst analyst(study, world.layout(), all);
  Workspace workspace;
  VirtualTrial trial;
  std::vector<Said> said(all.size());
  std::size_t compared = 0;
  for (std::uint64_t number = 0; number < trials; ++number) {
    world.replicate(5, number, workspace, trial);
    analyst.analyse(trial, said);
    const data::TrialRecords records = to_records(study.protocol, world.layout(), trial);
    const results::Results results =
        analysis::run(study.protocol, study.plan, data::TrialTables(study.protocol, records), results::Provenance{});
    for (std::size_t s = 0; s < all.size(); ++s) {
      const double p = said[s].p;
      const bool found = std::ranges::any_of(results.records, [&](results::Record const& record) {
        Finding const& f = record.finding;
        if (record.analysis != all[s].analysis) return false;
        const double its = f.quantity == "p" ? f.value : f.p.value_or(missing_number);
        if (std::isnan(p)) return std::isnan(its);
        if (!(std::abs(its - p) <= 1e-9 * (p + 1e-9))) return false;
        const double value = f.scale == Scale::log ? std::log(f.value) : f.value;
        return std::isnan(said[s].estimate) || !f.se || std::abs(value - said[s].estimate) < 1e-9 * (1 + std::abs(f.value));
      });
      EXPECT_TRUE(found) << all[s].analysis << " " << all[s].arm << " P " << p << " in trial " << number;
      compared += found && !std::isnan(p);
    }
    for (results::Hypothesis const& hypothesis :
         results.multiplicity ? results.multiplicity->hypotheses : std::vector<results::Hypothesis>{}) {
      const auto own = std::ranges::find_if(
          all, [&](Statement const& one) { return one.analysis == hypothesis.analysis && one.arm == hypothesis.arm; });
      EXPECT_NEAR(said[std::size_t(own - all.begin())].p, hypothesis.p, 1e-9);
    }
  }
  return compared;
}

// What is counted of a virtual trial is what the analysis of a real one would have said of the same data.
TEST(Rehearsal, CountsWhatTheAnalysisOfARealTrialSays) {
  study::Study study = study_of("examples/msc-inr/protocol.toml");
  std::erase_if(study.plan.analyses, [](auto const& one) { return one.id == "a02_jump_to_reference"; });  // it takes its time
  for (analysis::PlannedAnalysis& one : study.plan.analyses) one.alternatives.clear();
  EXPECT_GE(found_in_analyses(study, "dose-response", 3), 3 * 19u);
}

// The protocols of the error rates have every method that an [[analysis]] can ask for: all of them are heard, in trials of three
// arms and of two, and tests of all arms together, whose P values have no place, too.
TEST(Rehearsal, HearsEveryMethod) {
  for (const auto& [name, scenario] :
       {std::pair("two_arms", "effect"), std::pair("means", "effect"), std::pair("binary", "effect"),
        std::pair("survival", "effect"), std::pair("at_visits", "drift")}) {
    study::Study study = study_of(fmt::format("tests/evidence/{}.toml", name));
    std::erase_if(study.plan.analyses, [](auto const& one) { return one.id == "max_combo"; });  // it takes its time
    EXPECT_EQ(found_in_analyses(study, scenario, 2), 2 * statements(study).size()) << name;
  }
}

// Of a ratio the logarithm is counted, whatever its method calls it; a difference of proportions has a true value by whichever
// method it is estimated.
TEST(Rehearsal, KnowsTheTruthOfProportions) {
  const study::Study study = study_of("tests/evidence/binary.toml");
  const World null = world_of(study, "null"), effect = world_of(study, "effect");
  const std::vector<Statement> all = statements(study);
  const std::vector<Truth> of_effect = truths(study, effect, all, 1, 400);
  std::size_t differences = 0, ratios = 0;
  for (std::size_t s = 0; s < all.size(); ++s)
    if (all[s].arm == "high" && of_effect[s].value) {
      ++differences;
      EXPECT_NEAR(of_effect[s].value->value, 0.3, 4 * of_effect[s].value->mc_se) << all[s].analysis;
    }
  EXPECT_EQ(differences, 5u);  // two scores, Wald, Agresti-Caffo, Mantel-Haenszel
  Analyst analyst(study, null.layout(), all);
  Workspace workspace;
  VirtualTrial trial;
  std::vector<Said> said(all.size());
  null.replicate(1, 1, workspace, trial);
  analyst.analyse(trial, said);
  for (std::size_t s = 0; s < all.size(); ++s)
    if (all[s].analysis.ends_with("_ratio")) {
      ++ratios;
      EXPECT_LT(said[s].lower, said[s].estimate) << all[s].analysis;
      EXPECT_LT(said[s].estimate, said[s].upper) << all[s].analysis;
      EXPECT_LT(said[s].lower, 0) << all[s].analysis << ": a ratio is never below 0, its logarithm is";
    }
  EXPECT_EQ(ratios, 8u);
}

}  // namespace
}  // namespace equipoise::simulate
