// The example of repeated measures, from its files to the answers. What is expected is computed by beat_the_blues/expected.R:
// nlme for the models of every visit, imputation and its jackknife written out in R, lm and lme4. R's optimisers stop where the
// likelihood is flat to 1e-13 or so, and an optimum is then off by the square root of that: 1e-6 of an error, relative to the
// standard error, which is what estimates near 0 are compared by.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equipoise/analysis/run.h"
#include "equipoise/data/source.h"
#include "equipoise/study/study.h"
#include "files.h"

namespace equipoise {
namespace {

using testing::Contains;
using testing::HasSubstr;

std::string protocol_text() { return contents("examples/beat-the-blues/protocol.toml"); }

std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "no '" << from << "'";
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

results::Results run(std::string const& protocol) {
  const auto study = study::load(protocol, "protocol.toml");
  EXPECT_TRUE(study) << (study ? "" : to_string(study.error().front()));
  const auto table = data::read_csv(contents("examples/beat-the-blues/btheb.csv"), "btheb.csv");
  EXPECT_TRUE(table);
  if (!study || !table) return {};
  const auto records = data::read_source(study->protocol, *table);
  EXPECT_TRUE(records) << (records ? "" : to_string(records.error().front()));
  if (!records) return {};
  return analysis::run(study->protocol, study->plan, data::TrialTables(study->protocol, *records), {});
}

results::Results const& answer() {
  static const results::Results results = run(protocol_text());
  return results;
}

Finding finding(std::string_view analysis, std::string_view quantity, At const& at, results::Results const& of = answer()) {
  for (results::Record const& record : of.records)
    if (record.analysis == analysis && record.finding.quantity == quantity && record.finding.at == at) return record.finding;
  ADD_FAILURE() << "no such " << quantity << " in " << analysis;
  return {};
}

At effect(std::string const& visit) {
  At at{{"difference", LevelDifference{"arm", "program", "usual"}}};
  if (!visit.empty()) at["within"] = Term{{"visit", visit}};
  return at;
}

void expect_estimate(std::string_view analysis, std::string const& visit, double value, double se, double tolerance) {
  const Finding f = finding(analysis, "estimate", effect(visit));
  EXPECT_NEAR(f.value, value, tolerance * se) << analysis << " " << visit;
  ASSERT_TRUE(f.se);
  EXPECT_NEAR(*f.se, se, tolerance * se) << analysis << " " << visit;
}

constexpr double optimum = 2e-6, exact = 1e-11;  // least squares of 100 numbers below 64: nothing but rounding

TEST(BeatTheBlues, HasTheParticipantsOfTheFile) {
  ASSERT_EQ(answer().runs.size(), 10u);
  for (results::AnalysisRun const& run : answer().runs) EXPECT_FALSE(run.problem) << run.id << ": " << *run.problem;
  const std::vector<std::int64_t> usual = {45, 36, 29, 25}, program = {52, 37, 29, 27};
  const std::vector<std::string> visits = {"m2", "m3", "m5", "m8"};
  for (std::size_t v = 0; v < visits.size(); ++v) {
    EXPECT_EQ(finding("a01_mmrm", "estimate", {{"lsmean", Term{{"arm", "usual"}, {"visit", visits[v]}}}}).n, usual[v]);
    EXPECT_EQ(finding("a01_mmrm", "estimate", {{"lsmean", Term{{"arm", "program"}, {"visit", visits[v]}}}}).n, program[v]);
  }
  EXPECT_THAT(answer().runs[0].notes,
              Contains("280 of 400 responses of 100 participants at 4 visits are there; 3 participants have none."));
  // Who left: the first visit without a value is the day on which they are taken to have left.
  EXPECT_THAT(answer().runs[3].notes,
              Contains(HasSubstr("48 participants with it, 120 visits after it; 0 responses are missing elsewhere")));
  for (results::FlowArm const& arm : answer().flow) {
    EXPECT_EQ(arm.randomised, arm.arm == "usual" ? 48 : 52);
  }
}

TEST(BeatTheBlues, FitsEveryVisitAsGlsDoes) {
  const std::vector<std::pair<std::string, double>> differences = {
      {"m2", -3.15800708053460}, {"m3", -2.61672392169263}, {"m5", -1.72629562217193}, {"m8", -0.741220150141583}};
  const std::vector<double> model_errors = {1.78548017936738, 2.15628405842447, 2.24789743280006, 2.173500005471102};
  for (std::size_t v = 0; v < differences.size(); ++v) {
    const Finding f = finding("a01_mmrm", "estimate", effect(differences[v].first));
    EXPECT_NEAR(f.value, differences[v].second, optimum * model_errors[v]);
    // Kenward and Roger's error is the model's, corrected for 10 estimated covariance parameters.
    EXPECT_NEAR(*f.se, model_errors[v], 0.02 * model_errors[v]);
    EXPECT_NE(*f.se, model_errors[v]);
  }
  EXPECT_NEAR(finding("a01_mmrm", "neg2_log_likelihood", {}).value, 1849.66505238686, 1e-8);
  EXPECT_THAT(answer().runs[0].notes, Contains(HasSubstr("unstructured, 10 parameters")));
  EXPECT_THAT(answer().runs[0].notes, Contains(HasSubstr("Kenward and Roger (1997)")));
  expect_estimate("a02_structured", "m8", -2.10260241061457, 2.19141871690642, optimum);  // Satterthwaite: the model's error
  const Finding constrained = finding("a03_constrained", "estimate", effect("m8"));
  EXPECT_NEAR(constrained.value, -2.13887301681723, optimum * 2.06403737105275);
}

TEST(BeatTheBlues, ImputesAsWrittenOutInR) {
  expect_estimate("a04_at_random", "m8", -1.00616758905064, 2.15822552245436, optimum);
  expect_estimate("a05_increments", "m8", -2.06060713731605, 1.73239567264338, optimum);
  expect_estimate("a06_copy_reference", "m8", -1.62459169947511, 1.47132076528388, optimum);
  expect_estimate("a07_jump_to_reference", "m8", -0.639751242956536, 1.102243824722304, optimum);
  // Without a shift the surface is the analysis itself; a shift of both arms in proportion to their missing values moves nothing.
  const Finding unshifted = finding("a04_at_random", "estimate", effect("m8"));
  bool found = false;
  for (results::Curve const& curve : answer().curves) {
    if (curve.analysis != "a04_at_random" || curve.series.quantity != "tipping_point") continue;
    auto const& columns = curve.series.columns;
    ASSERT_EQ(columns.at(0).first, "delta");
    ASSERT_EQ(columns.at(0).second.size(), 9u * 7u);
    for (std::size_t i = 0; i < 63; ++i)
      if (columns[0].second[i] == 0 && columns[1].second[i] == 0) {
        found = true;
        EXPECT_EQ(columns[2].second[i], unshifted.value);
      }
  }
  EXPECT_TRUE(found);
}

TEST(BeatTheBlues, ChoosesTheStrategyByTheEvent) {
  // Everybody left, and nobody stopped the program: one strategy for each event is the one of leaving.
  const std::string by_event =
      with(protocol_text(), "strategy = \"jump_to_reference\"\nreference = \"usual\"\nafter = \"study_stop\"",
           "strategies = { study_stop = \"jump_to_reference\", treatment_stop = \"mar\" }\nreference = \"usual\"");
  const Finding one = finding("a07_jump_to_reference", "estimate", effect("m8"));
  const Finding same = finding("a07_jump_to_reference", "estimate", effect("m8"), run(by_event));
  EXPECT_EQ(same.value, one.value);
  EXPECT_EQ(same.se, one.se);
  const auto misspelt = study::load(with(by_event, "treatment_stop = \"mar\"", "treatment_stp = \"mar\""), "p.toml");
  ASSERT_FALSE(misspelt);
  EXPECT_THAT(to_string(misspelt.error().front()), HasSubstr("no dated event is called 'treatment_stp'"));
}

TEST(BeatTheBlues, ComparesWhoWasSeenAndTheLastValue) {
  expect_estimate("a08_complete", "", -3.08150462092833, 2.38372413973358, exact);
  expect_estimate("a09_carried_forward", "", -1.030553465275819, 2.041475334727767, exact);
  EXPECT_EQ(answer().runs[8].title, "Last observation carried forward");
  EXPECT_THAT(answer().runs[8].notes, Contains(HasSubstr("45 of 97 values (24 from 'm2', 15 from 'm3', 6 from 'm5')")));
}

TEST(BeatTheBlues, SetsEveryAnalysisBesideThePrimaryOne) {
  // Also those whose comparison is of no visit: of those seen, of the last value, of all visits.
  std::vector<std::string> names;
  for (results::Alternative const& one : answer().alternatives)
    if (one.choice == "missing_data") names.push_back(one.name);
  EXPECT_EQ(names, (std::vector<std::string>{"a02_structured", "a03_constrained", "a04_at_random", "a05_increments",
                                             "a06_copy_reference", "a07_jump_to_reference", "a08_complete", "a09_carried_forward",
                                             "a10_random_intercept"}));
  const results::Results tested = run(protocol_text() + R"(
[multiplicity]
method = "holm"
hypotheses = [{ id = "primary", analysis = "a01_mmrm" }, { id = "last", analysis = "a09_carried_forward" }, { id = "all", analysis = "a10_random_intercept" }]
)");
  ASSERT_TRUE(tested.multiplicity);
  ASSERT_EQ(tested.multiplicity->hypotheses.size(), 3u);
  EXPECT_EQ(tested.multiplicity->hypotheses[0].p, *finding("a01_mmrm", "estimate", effect("m8")).p);
  EXPECT_EQ(tested.multiplicity->hypotheses[1].p, *finding("a09_carried_forward", "estimate", effect("")).p);
  EXPECT_EQ(tested.multiplicity->hypotheses[2].p, *finding("a10_random_intercept", "estimate", effect("")).p);
}

// The model of Hothorn and Everitt (2014), A Handbook of Statistical Analyses Using R, third edition, chapter 13, which fits it
// with lme4. Its time counts in months, and ours in days of which a month has 30.
TEST(BeatTheBlues, FitsTheRandomInterceptAsLme4Does) {
  expect_estimate("a10_random_intercept", "", -2.329082640721782, 1.670356096055620, 1e-7);
  const Finding day = finding("a10_random_intercept", "estimate", {{"term", Term{{"target_day", {}}}}});
  EXPECT_NEAR(30 * day.value, -0.704764831590533, 1e-8);
  EXPECT_NEAR(finding("a10_random_intercept", "random_covariance", {{"row", "1"}, {"column", "1"}}).value, 48.7773893227005,
              1e-5);
  EXPECT_NEAR(finding("a10_random_intercept", "residual_variance", {}).value, 25.1399755775804, 1e-5);
  EXPECT_NEAR(finding("a10_random_intercept", "neg2_log_likelihood", {}).value, 1871.4919630879153, 1e-9);
}

// Visits as categories in the mean, and a line over time in the covariance: the time is in `random` alone. Of the same means, a
// random slope cannot fit worse than none.
TEST(BeatTheBlues, TakesARandomEffectThatTheFormulaHasNot) {
  const std::string categories = with(protocol_text(), "formula = \"bdi@baseline + target_day + arm + antidepressant@baseline",
                                      "formula = \"bdi@baseline + visit + arm + antidepressant@baseline");
  const results::Results intercept = run(categories);
  const results::Results slope = run(with(categories, "random = [\"1\"]", "random = [\"1\", \"target_day\"]"));
  const auto fit = [](results::Results const& of) {
    return finding("a10_random_intercept", "neg2_log_likelihood", {}, of).value;
  };
  EXPECT_LT(fit(slope), fit(intercept));
  const At variance{{"row", "target_day"}, {"column", "target_day"}};
  EXPECT_GE(finding("a10_random_intercept", "random_covariance", variance, slope).value, 0);
  const auto wrong = study::load(with(categories, "random = [\"1\"]", "random = [\"1\", \"target_dya\"]"), "protocol.toml");
  ASSERT_FALSE(wrong);
  ASSERT_EQ(wrong.error().size(), 1u);
  EXPECT_THAT(to_string(wrong.error().front()), HasSubstr("target_dya"));
}

}  // namespace
}  // namespace equipoise
