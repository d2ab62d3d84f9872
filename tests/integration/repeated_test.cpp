// From a file of dated rows to a mixed model at the visit of the question. What is expected is computed by repeated/expected.R,
// which derives visits, strategies and baseline anew and fits with nlme: gls stops where its likelihood is flat to 1e-13 or so,
// and an optimum is then off by the square root of that, so that estimates and standard errors agree to 1e-6 relative.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "equipoise/analysis/run.h"
#include "equipoise/data/source.h"
#include "equipoise/study/study.h"
#include "files.h"

namespace equipoise {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr double gls = 1e-6, exact = 1e-12;

std::string protocol_text() { return contents("tests/integration/repeated/protocol.toml"); }

std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "no '" << from << "'";
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

results::Results run(std::string const& protocol) {
  const auto study = study::load(protocol, "p.toml");
  EXPECT_TRUE(study) << (study ? "" : to_string(study.error().front()));
  const auto table = data::read_csv(contents("tests/integration/repeated/trial.csv"), "trial.csv");
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

results::AnalysisRun const& run_of(results::Results const& results, std::string_view analysis) {
  return *std::ranges::find(results.runs, analysis, &results::AnalysisRun::id);
}

/// The difference of an arm from placebo, at a visit or ("") of no visit.
Finding difference(results::Results const& results, std::string_view analysis, std::string const& quantity,
                   std::string const& arm, std::string const& visit) {
  At at{{"difference", LevelDifference{"arm", arm, "placebo"}}};
  if (!visit.empty()) at["within"] = Term{{"visit", visit}};
  for (results::Record const& record : results.records)
    if (record.analysis == analysis && record.finding.quantity == quantity && record.finding.at == at) return record.finding;
  ADD_FAILURE() << "no " << quantity << " of " << arm << " in " << analysis;
  return {};
}

void expect_near(double got, double wanted, double relative) { EXPECT_NEAR(got, wanted, relative * std::abs(wanted)); }

TEST(Repeated, AnswersTheEstimandAtItsVisitAsRDoes) {
  const Finding low = difference(answer(), "primary", "estimate", "low", "w24"),
                high = difference(answer(), "primary", "estimate", "high", "w24");
  expect_near(low.value, -1.44665403412887, 1e-5);  // near 0: the error of gls is that of a difference of 10
  expect_near(high.value, 39.5379614639256, gls);
  const results::AnalysisRun run = run_of(answer(), "primary");
  EXPECT_EQ(run.n, 36);
  EXPECT_THAT(run.notes, Contains("89 of 108 responses of 36 participants at 3 visits are there; 1 participant has none."));
  EXPECT_THAT(run.notes, Contains(HasSubstr("Hypothetical strategy for \"Rescue\"")));
  EXPECT_THAT(run.notes, Contains(HasSubstr("Composite strategy for \"Death\": 1 value of 1 participant is 0 from it on.")));
}

TEST(Repeated, GivesRatiosOfGeometricMeansOfALogarithm) {
  const Finding ratio = difference(answer(), "logarithm", "geometric_mean_ratio", "high", "w24");
  expect_near(ratio.value, 1.432756405172610, gls);
  const Finding logarithm = difference(answer(), "logarithm", "estimate", "high", "w24");
  expect_near(logarithm.value, 0.359600144984201, gls);
  expect_near(*logarithm.se, 0.142456739253941, gls);
  EXPECT_EQ(ratio.p, logarithm.p);
}

constexpr std::string_view weighted =
    "[[analysis]]\nid = \"weighted\"\nendpoint = \"count\"\nset = \"full\"\nrole = \"sensitivity\"\n"
    "method = \"mmrm\"\nformula = \"arm * visit + site\"\ncovariance = \"unstructured\"\n"
    "weight = \"cd4@baseline\"\n[multiplicity]";

TEST(Repeated, DividesVariancesByAWeight) {
  const results::Results results = run(with(protocol_text(), "[multiplicity]", weighted));
  const Finding low = difference(results, "weighted", "estimate", "low", "w24"),
                high = difference(results, "weighted", "estimate", "high", "w24");
  expect_near(low.value, -23.3903985563774, gls);
  expect_near(*low.se, 22.5283584006880, gls);
  expect_near(high.value, 6.97299118833167, 1e-5);  // near 0: as above
  expect_near(*high.se, 24.14370794308082, gls);
  EXPECT_THAT(run_of(results, "weighted").notes, Contains("Variances are divided by 'cd4@baseline'."));
}

TEST(Repeated, ConstrainsBaselineToOneMean) {
  const Finding low = difference(answer(), "constrained", "estimate", "low", "w24"),
                high = difference(answer(), "constrained", "estimate", "high", "w24");
  expect_near(low.value, -1.7068304766591, 1e-5);
  expect_near(*low.se, 13.3757226869030, gls);
  expect_near(high.value, 51.6073503813679, gls);
  expect_near(*high.se, 12.8831997501264, gls);
  EXPECT_TRUE(std::isnan(difference(answer(), "constrained", "estimate", "high", "baseline").value))
      << "there is no effect at baseline";
  for (results::Record const& record : answer().records)
    if (record.analysis == "constrained" && record.finding.quantity == "estimate" &&
        record.finding.at == At{{"lsmean", Term{{"arm", "placebo"}, {"visit", "baseline"}}}}) {
      expect_near(record.finding.value, 196.5, gls);
    }
  EXPECT_THAT(run_of(answer(), "constrained").notes,
              Contains("Constrained baseline: baseline is a response too, with one mean for all arms."));
}

TEST(Repeated, CarriesForwardOnlyUnderItsName) {
  const Finding low = difference(answer(), "carried", "estimate", "low", ""),
                high = difference(answer(), "carried", "estimate", "high", "");
  expect_near(low.value, -0.8340554054178754, 1e-11);  // lm and this: two least squares of numbers near 100
  expect_near(*low.se, 11.5631356908135405, exact);
  expect_near(high.value, 47.8644270554992, exact);
  expect_near(*high.p, 3.28748173551871e-04, 1e-11);
  const results::AnalysisRun run = run_of(answer(), "carried");
  EXPECT_EQ(run.title, "Analysis of covariance, last observation carried forward");
  EXPECT_THAT(
      run.notes,
      Contains(HasSubstr("7 participants count with the last one at a visit before it and after randomisation; 1 has none")));
}

TEST(Repeated, TakesTheHypothesisAtTheVisitOfTheQuestion) {
  ASSERT_TRUE(answer().multiplicity);
  for (results::Hypothesis const& hypothesis : answer().multiplicity->hypotheses) {
    const Finding wanted = difference(answer(), "primary", "estimate", hypothesis.arm, "w24");
    EXPECT_EQ(hypothesis.p, wanted.p);
    EXPECT_EQ(hypothesis.estimate, wanted.value);
    EXPECT_TRUE(hypothesis.lower && hypothesis.upper);
    EXPECT_LE(*hypothesis.lower, *wanted.lower);
  }
}

TEST(Repeated, WithoutAVisitOfTheQuestionTheHypothesisIsAboutAllVisits) {
  std::string protocol =
      with(protocol_text(), "visits = [\"w4\", \"w12\", \"w24\"]\nat = \"w24\"", "visits = [\"w4\", \"w12\", \"w24\"]");
  const auto from = protocol.find("[[analysis]]\nid = \"carried\""), to = protocol.find("[[analysis]]\nid = \"response\"");
  protocol.erase(from, to - from);  // a value carried forward needs the visit that it is carried to
  const results::Results results = run(protocol);
  ASSERT_TRUE(results.multiplicity);
  EXPECT_EQ(results.multiplicity->hypotheses[1].p, difference(results, "primary", "estimate", "high", "").p);
}

std::vector<double> const& column(Series const& series, std::string_view name) {
  for (auto const& [key, values] : series.columns)
    if (key == name) return values;
  ADD_FAILURE() << "no column " << name;
  static const std::vector<double> none;
  return none;
}

TEST(Repeated, ShowsTrajectoriesAndPatternsOfEveryArm) {
  std::map<std::string, double> trajectories, people, observed;
  for (results::Curve const& curve : answer().curves) {
    if (curve.analysis != "primary") continue;
    const Series& series = curve.series;
    if (series.quantity == "residuals") continue;
    const std::string arm = std::get<std::string>(series.at.at("group"));
    if (series.quantity == "trajectory") trajectories[arm] = double(column(series, "value").size());
    if (series.quantity != "missing_pattern") continue;
    for (std::size_t row = 0; row < column(series, "pattern").size(); ++row) {
      const double n = column(series, "participants")[row];
      if (column(series, "visit")[row] == 0) people[arm] += n;
      observed[arm] += n * column(series, "observed")[row];
    }
  }
  // By arm, from expected.R: placebo 11 + 10 + 10, low 12 + 11 + 8, high 9 + 10 + 8 responses of 12 participants each.
  const std::map<std::string, double> responses{{"placebo", 31}, {"low", 31}, {"high", 27}};
  EXPECT_EQ(trajectories, responses);
  EXPECT_EQ(observed, responses);
  EXPECT_EQ(people, (std::map<std::string, double>{{"placebo", 12}, {"low", 12}, {"high", 12}}));
}

TEST(Repeated, CountsResponsesAndEventsByArmAndVisit) {
  std::map<std::string, std::vector<double>> n;
  for (results::Curve const& curve : answer().curves)
    if (curve.analysis == "primary" && curve.series.quantity == "visit_counts")
      n[std::get<std::string>(curve.series.at.at("group"))] = column(curve.series, "n");
  EXPECT_THAT(n["placebo"], ElementsAre(11, 10, 10));
  EXPECT_THAT(n["low"], ElementsAre(12, 11, 8));
  EXPECT_THAT(n["high"], ElementsAre(9, 10, 8));
  for (results::Curve const& curve : answer().curves)
    if (curve.analysis == "response" && curve.series.quantity == "visit_counts") {
      EXPECT_EQ(column(curve.series, "events").size(), 3u);
    }
}

std::string problems(std::string const& protocol) {
  const auto study = study::load(protocol, "p.toml");
  std::string text;
  if (!study)
    for (Error const& error : study.error()) text += error.message + (error.hint.empty() ? "" : " (" + error.hint + ")") + "\n";
  return text;
}

std::string with_analysis(std::string_view analysis) {
  return protocol_text() + "\n[[analysis]]\nid = \"more\"\nrole = \"exploratory\"\n" + std::string(analysis);
}

TEST(Repeated, TakesAnUnstructuredCovarianceWhenTheProtocolNamesNone) {
  const std::string change = "endpoint = \"change\"\nset = \"full\"\nmethod = \"mmrm\"\n";
  const auto study = study::load(with_analysis(change), "p.toml"),
             named = study::load(with_analysis(change + "covariance = \"unstructured\"\n"), "p.toml");
  ASSERT_TRUE(study) << to_string(study.error().front());
  ASSERT_TRUE(named);
  EXPECT_EQ(canonical(study->plan.analyses.back().runs.front().analysis.options),
            canonical(named->plan.analyses.back().runs.front().analysis.options));
}

TEST(Repeated, RefusesWhatWouldNotAnswerTheQuestion) {
  EXPECT_EQ(problems(protocol_text()), "");
  EXPECT_EQ(
      problems(with_analysis("estimand = \"e1\"\nmethod = \"ancova\"\nmissing = \"locf\"\n")),
      "analysis 'more' (ancova) does not implement the strategy of estimand 'e1' for 'rescue' (leaving data out needs a model of "
      "the missing values, and a test of complete cases is none)\nestimand 'e1' asks for the values after 'treatment_stop' "
      "(treatment policy), and the last observation carried forward puts a value from before it in their place (give the "
      "analysis "
      "the estimand's 'endpoint' and 'set' instead: then it answers no estimand, and says so)\n");
  const std::string change = "endpoint = \"change\"\nset = \"full\"\n", count = "endpoint = \"count\"\nset = \"full\"\n";
  const std::string mmrm = "method = \"mmrm\"\ncovariance = \"unstructured\"\n";
  EXPECT_EQ(problems(with_analysis(change + mmrm + "missing = \"locf\"\n")),
            "mmrm uses the visits that there are, and a value carried forward is none: leave 'missing' out\n");
  EXPECT_EQ(
      problems(with_analysis(change + mmrm + "constrained_baseline = true\n")),
      "analysis 'more' cannot have a constrained baseline: endpoint 'change' is a change from cd4@baseline, which is 0 there for "
      "everybody (make an endpoint of the value itself)\n");
  EXPECT_EQ(
      problems(with_analysis(count + mmrm + "constrained_baseline = true\nformula = \"arm * visit + log(cd4@baseline)\"\n")),
      "'log(cd4@baseline)' is a response of analysis 'more' already, by its constrained baseline, and cannot be a covariate "
      "too\n");
  EXPECT_EQ(
      problems(with_analysis(count + mmrm + "constrained_baseline = true\ncovariance_by = \"arm\"\n")),
      "at the constrained baseline every participant of analysis 'more' stands in the control arm of the model (covariance_by = "
      "\"assigned_arm\" is the arm to which they were assigned, at every visit)\n");
  EXPECT_EQ(problems(with_analysis(count + "method = \"ancova\"\nconstrained_baseline = true\n")),
            "'constrained_baseline' belongs to models of every visit, and ancova takes one value a participant\n");
  EXPECT_EQ(problems(with_analysis(count + "method = \"ancova\"\nweight = \"cd4@baseline\"\n")), "ancova takes no 'weight'\n");
  EXPECT_EQ(problems(with_analysis(count + mmrm + "after = \"study_stop\"\n")),
            "'after' belongs to imputation, and mmrm does not impute\n");
  EXPECT_EQ(
      problems(with(with_analysis(change + mmrm), "visits = [\"w4\", \"w12\", \"w24\"]\nat = \"w24\"", "at = \"w24\"")),
      "mmrm models the response at several visits, and endpoint 'change' names one (give the endpoint visits = [...], and with "
      "'at' "
      "the one of the question)\n" +
          std::string(
              "endpoint 'change' has no visit before that of the question to carry a value from (the endpoint's 'visits' are "
              "looked through up to its 'at')\n") +
          "mmrm models the response at several visits, and endpoint 'change' names one (give the endpoint visits = [...], and "
          "with "
          "'at' the one of the question)\n");
  EXPECT_EQ(problems(with(protocol_text(), "visits = [\"w4\", \"w12\", \"w24\"]", "visits = [\"w4\", \"w12\", \"w4\", \"w24\"]")),
            "visit 'w4' is named twice in 'visits' of endpoint 'change'\n");
}

TEST(Repeated, FillsInWhatFollowsFromTheQuestion) {
  const auto study = study::load(with(protocol_text(), "formula = \"arm * visit + cd4@baseline + site\"\n", ""), "p.toml");
  ASSERT_TRUE(study) << to_string(study.error().front());
  const auto options = [&](std::string_view id) {
    return canonical(std::ranges::find(study->plan.analyses, id, &analysis::PlannedAnalysis::id)->runs.front().analysis.options);
  };
  EXPECT_THAT(options("primary"), HasSubstr("\"formula\":\"arm * visit + cd4@baseline\""));
  EXPECT_THAT(options("primary"),
              HasSubstr("\"levels\":{\"arm\":[\"placebo\",\"low\",\"high\"],\"visit\":[\"w4\",\"w12\",\"w24\"]}"));
  EXPECT_THAT(options("constrained"), HasSubstr("\"formula\":\"arm * visit\""));
  EXPECT_THAT(options("constrained"), HasSubstr("\"visit\":[\"baseline\",\"w4\",\"w12\",\"w24\"]"));
  EXPECT_THAT(options("response"), HasSubstr("\"family\":\"binomial\""));
}

TEST(Repeated, IsTheSameWhateverTheOrderOfVisitsInTheFile) {
  const results::Results other =
      run(with(protocol_text(), "visits = [\"w4\", \"w12\", \"w24\"]", "visits = [\"w24\", \"w4\", \"w12\"]"));
  EXPECT_EQ(difference(other, "primary", "estimate", "high", "w24").value,
            difference(answer(), "primary", "estimate", "high", "w24").value);
}

}  // namespace
}  // namespace equipoise
