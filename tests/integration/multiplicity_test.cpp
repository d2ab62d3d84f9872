// The protocol's [multiplicity] from its text to the page: P values of the analyses collected, adjusted, decided on, printed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "equipoise/analysis/run.h"
#include "equipoise/cli/pipeline.h"
#include "equipoise/cli/starter.h"
#include "equipoise/data/source.h"
#include "equipoise/report/page.h"
#include "equipoise/study/study.h"

namespace equipoise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Two doses and placebo, six each. Numbers below: R 4.2.2, t.test (Welch), lm, survdiff, coxph of survival 3.5-3.
constexpr std::string_view scores =
    "id,arm,y\n1,placebo,4.1\n2,placebo,5.3\n3,placebo,3.9\n4,placebo,6.2\n5,placebo,5.0\n6,placebo,4.4\n"
    "7,low,6.9\n8,low,5.8\n9,low,7.4\n10,low,5.1\n11,low,6.6\n12,low,7.0\n"
    "13,high,8.8\n14,high,7.1\n15,high,9.6\n16,high,6.4\n17,high,8.3\n18,high,7.7\n";
constexpr double p_low = 0.007665197043766243, p_high = 0.0004183072468623353;

std::string protocol(std::string const& analysis, std::string const& multiplicity, double alpha = 0.05) {
  return fmt::format(
      R"(format = 1
[trial]
id = "three"
title = {{ en = "Two doses against placebo", zh = "两剂量对照安慰剂" }}
version = "1"
languages = ["en", "zh"]
[conventions]
alpha = {}
[[arm]]
id = "placebo"
role = "placebo_control"
label = {{ en = "Placebo", zh = "安慰剂" }}
[[arm]]
id = "low"
role = "investigational"
label = {{ en = "Low dose", zh = "低剂量" }}
[[arm]]
id = "high"
role = "investigational"
label = {{ en = "High dose", zh = "高剂量" }}
[schedule]
visit = [{{ id = "end", day = 29, forms = ["values"] }}]
any_time = ["event_log"]
[form.values]
y = {{ kind = "number" }}
[form.event_log]
what = {{ kind = "code", codes = [["death", "Death", "死亡"]] }}
when = {{ kind = "date" }}
[analysis_set]
full = {{ rule = "randomised", label = {{ en = "All randomised", zh = "全部随机受试者" }} }}
[[endpoint]]
id = "score"
level = "primary"
kind = "continuous"
variable = "y@end"
label = {{ en = "Score", zh = "评分" }}
[[estimand]]
id = "e1"
objective = "Effect on the score"
population = "Adults"
set = "full"
treatment = {{ compare = ["low", "high"], against = "placebo" }}
endpoint = "score"
summary = "difference_in_means"
intercurrent = [{{ event = "death", strategy = "treatment_policy" }}]
[[analysis]]
id = "a1"
estimand = "e1"
role = "primary"
{}
[multiplicity]
{}
[source]
rows = "participants"
participant = "id"
arm = {{ column = "arm", codes = {{ "placebo" = "placebo", "low" = "low", "high" = "high" }} }}
item = [{{ item = "y", visit = "end", column = "y" }}]
)",
      shortest(alpha), analysis, multiplicity);
}

const std::string welch = "method = \"t_test\"\nvariance = \"welch\"";
const std::string two =
    "hypotheses = [{ id = \"h_low\", analysis = \"a1\", arm = \"low\" }, { id = \"h_high\", analysis = \"a1\", arm = \"high\" "
    "}]\n";

std::string weighted(double low, double high, std::string const& edges) {
  return fmt::format(
      "method = \"graphical\"\nhypotheses = [{{ id = \"h_low\", analysis = \"a1\", arm = \"low\", weight = {} }}, {{ id = "
      "\"h_high\", analysis = \"a1\", arm = \"high\", weight = {} }}]\nedges = [{}]\n",
      shortest(low), shortest(high), edges);
}

struct TrialRun {
  study::Study study;
  results::Results results;
};

TrialRun run(std::string const& text, std::string_view csv = scores) {
  auto study = study::load(text, "p.toml");
  if (!study) return ADD_FAILURE() << to_string(study.error().front()), TrialRun{};
  const auto table = data::read_csv(std::string(csv), "d.csv");
  if (!table) return ADD_FAILURE() << to_string(table.error().front()), TrialRun{};
  const auto records = data::read_source(study->protocol, *table);
  if (!records) return ADD_FAILURE() << to_string(records.error().front()), TrialRun{};
  const data::TrialTables tables(study->protocol, *records);
  results::Results results = analysis::run(study->protocol, study->plan, tables, {});
  return {std::move(*study), std::move(results)};
}

results::Multiplicity family(std::string const& text, std::string_view csv = scores) {
  const TrialRun done = run(text, csv);
  if (!done.results.multiplicity) return ADD_FAILURE() << "no multiplicity", results::Multiplicity{};
  return *done.results.multiplicity;
}

std::vector<double> adjusted(results::Multiplicity const& made) {
  std::vector<double> out;
  for (auto const& one : made.hypotheses) out.push_back(one.adjusted_p.value_or(-1));
  return out;
}
std::vector<bool> rejected(results::Multiplicity const& made) {
  std::vector<bool> out;
  for (auto const& one : made.hypotheses) out.push_back(one.rejected);
  return out;
}
auto near(double value) { return testing::DoubleNear(value, 1e-10 * std::fabs(value)); }  // t distributions of two libraries

void expect_limits(results::Hypothesis const& one, double lower, double upper) {
  ASSERT_TRUE(one.lower && one.upper) << one.id;
  EXPECT_NEAR(*one.lower, lower, 1e-9) << one.id;
  EXPECT_NEAR(*one.upper, upper, 1e-9) << one.id;
}

TEST(Multiplicity, AdjustsThePValuesOfItsHypotheses) {
  const auto holm = family(protocol(welch, "method = \"holm\"\n" + two));
  EXPECT_THAT(adjusted(holm), ElementsAre(near(p_low), near(2 * p_high)));
  EXPECT_THAT(rejected(holm), ElementsAre(true, true));
  EXPECT_THAT(adjusted(family(protocol(welch, "method = \"bonferroni\"\n" + two))),
              ElementsAre(near(2 * p_low), near(2 * p_high)));
  for (const std::string method : {"hochberg", "hommel", "benjamini_hochberg"}) {  // the same for two hypotheses
    const auto made = family(protocol(welch, "method = \"" + method + "\"\n" + two));
    EXPECT_THAT(adjusted(made), ElementsAre(near(p_low), near(2 * p_high))) << method;
    EXPECT_FALSE(made.hypotheses[0].lower) << method;  // no limits that agree are known
  }
}

TEST(Multiplicity, FollowsItsGraph) {
  const std::string low_first = weighted(1, 0, "{ from = \"h_low\", to = \"h_high\", weight = 1 }");
  const auto open = family(protocol(welch, low_first));
  EXPECT_THAT(adjusted(open), ElementsAre(near(p_low), near(p_low)));
  EXPECT_EQ(open.hypotheses[0].weight, 1);
  const auto shut = family(protocol(welch, low_first, 0.005));
  EXPECT_THAT(rejected(shut), ElementsAre(false, false));  // p_high is below 0.005: the gate is shut
  // 0.75 of alpha for low, 0.25 for high, all passed on: p_high / 0.25, then p_low.
  const auto both =
      family(protocol(welch, weighted(0.75, 0.25,
                                      "{ from = \"h_low\", to = \"h_high\", weight = 1 }, { from = \"h_high\", to = "
                                      "\"h_low\", weight = 1 }")));
  EXPECT_THAT(adjusted(both), ElementsAre(near(p_low), near(4 * p_high)));
  // An epsilon passes nothing while nothing else is to be passed: p_low / 0.5.
  const auto small = family(protocol(welch, weighted(0.5, 0.5, "{ from = \"h_high\", to = \"h_low\", weight = \"epsilon\" }")));
  EXPECT_THAT(adjusted(small), ElementsAre(near(2 * p_low), near(2 * p_high)));
}

TEST(Multiplicity, GivesSimultaneousLimits) {
  // All rejected upwards: each lower limit with tail 0.025/2; nothing downwards: each upper limit with tail 0.025/2.
  const auto all = family(protocol(welch, "method = \"holm\"\n" + two));
  expect_limits(all.hypotheses[0], 0.3435415359385757, 2.9564584640614249);
  expect_limits(all.hypotheses[1], 1.588806512442597, 4.744526820890737);
  // At 0.005 only high is rejected: its lower limit is 0, that of low has all of 0.0025; upper limits have 0.00125.
  const auto one = family(protocol(welch, "method = \"holm\"\n" + two, 0.005));
  EXPECT_THAT(rejected(one), ElementsAre(false, true));
  expect_limits(one.hypotheses[0], -0.1265308840555556, 3.6364205699202339);
  expect_limits(one.hypotheses[1], 0, 5.593908398607786);
  const auto plain = family(protocol(welch, "method = \"bonferroni\"\n" + two, 0.005));
  expect_limits(plain.hypotheses[0], -0.3364205699202333, 3.6364205699202339);
  expect_limits(plain.hypotheses[1], 0.739424934725549, 5.593908398607786);
}

TEST(Multiplicity, StandsBesideTheEffectsInTheRecords) {
  const TrialRun done = run(protocol(welch, "method = \"holm\"\n" + two));
  std::vector<std::string> order;
  for (results::Record const& record : done.results.records)
    order.push_back(std::get<std::string>(record.finding.at.at("level")) + " " + record.finding.quantity);
  EXPECT_THAT(order, ElementsAre("low estimate", "low t", "low adjusted_p", "high estimate", "high t", "high adjusted_p"));
  EXPECT_THAT(done.results.records[5].finding.value, near(2 * p_high));
  const auto json = nlohmann::json::parse(results::to_json(done.results));
  EXPECT_EQ(json.at("multiplicity").at("method"), "holm");
  EXPECT_EQ(json.at("multiplicity").at("hypotheses").at(1).at("rejected"), true);
}

TEST(Multiplicity, ReadsTheDifferencesOfAModel) {
  // lm: p 0.01004401894913472 and 4.606260353273324e-05; limits with tail 0.0125.
  const auto made = family(protocol("method = \"ancova\"", "method = \"holm\"\n" + two));
  EXPECT_THAT(adjusted(made), ElementsAre(near(0.01004401894913472), near(2 * 4.606260353273324e-05)));
  expect_limits(made.hypotheses[0], 0.2547784066788714, 3.045221593321129);
  expect_limits(made.hypotheses[1], 1.7714450733455385, 4.561888259987795);
}

constexpr std::string_view times =
    "id,arm,days,died\n1,placebo,10,1\n2,placebo,20,1\n3,placebo,30,1\n4,placebo,40,0\n5,low,15,1\n6,low,35,0\n7,low,45,1\n"
    "8,low,55,0\n9,high,25,1\n10,high,50,0\n11,high,60,0\n12,high,70,0\n";

std::string of_times(std::string const& multiplicity) {
  const auto table = data::read_csv(std::string(times), "d.csv");
  EXPECT_TRUE(table);
  return cli::starter_protocol(*table, "d.csv") + "\n[multiplicity]\n" + multiplicity;
}
std::string pair_of(std::string const& analysis) {
  return "hypotheses = [{ id = \"h_low\", analysis = \"" + analysis + "\", arm = \"low\" }, { id = \"h_high\", analysis = \"" +
         analysis + "\", arm = \"high\" }]\n";
}

TEST(Multiplicity, TakesTestsWithoutAnEffect) {
  const auto made = family(of_times("method = \"hochberg\"\n" + pair_of("a01_test")), times);
  EXPECT_THAT(adjusted(made), ElementsAre(near(0.2378508942961342), near(0.2378508942961342)));  // max p <= 2 min p
  const auto holm = family(of_times("method = \"holm\"\n" + pair_of("a01_test")), times);
  EXPECT_THAT(adjusted(holm), ElementsAre(near(2 * 0.171393237727475), near(2 * 0.171393237727475)));
  EXPECT_FALSE(holm.hypotheses[0].lower);
  EXPECT_THAT(holm.notes, ElementsAre());
}

TEST(Multiplicity, TakesHazardRatiosOfAModel) {
  const auto made = family(of_times("method = \"bonferroni\"\n" + pair_of("a02_hazard_ratio")), times);
  ASSERT_EQ(made.hypotheses.size(), 2u);
  EXPECT_EQ(made.hypotheses[1].quantity, "hazard_ratio");
  EXPECT_NEAR(*made.hypotheses[1].adjusted_p, 2 * 0.1245954131232625, 1e-8);  // Newton's last step of either program
  EXPECT_NEAR(*made.hypotheses[1].lower, 0.009005460936479474, 1e-9);
  EXPECT_NEAR(*made.hypotheses[1].upper, 2.410630730425236, 1e-7);
  EXPECT_NEAR(*made.hypotheses[0].lower, 0.039586410098987682, 1e-9);
}

TEST(Multiplicity, CountsAPValueThatIsNotEstimableAsOne) {
  const std::string_view one_low =
      "id,arm,y\n1,placebo,4.1\n2,placebo,5.3\n3,placebo,3.9\n4,low,6.9\n5,high,8.8\n6,high,7.1\n7,high,9.6\n";
  const auto made = family(protocol(welch, "method = \"holm\"\n" + two), one_low);
  EXPECT_TRUE(std::isnan(made.hypotheses[0].p));
  EXPECT_TRUE(std::isnan(*made.hypotheses[0].adjusted_p));
  EXPECT_FALSE(made.hypotheses[0].rejected);
  EXPECT_THAT(made.hypotheses[0].notes, ElementsAre(HasSubstr("not estimable")));
  EXPECT_NEAR(*made.hypotheses[1].adjusted_p, 2 * made.hypotheses[1].p, 1e-15);
  EXPECT_THAT(made.notes, ElementsAre(HasSubstr("no simultaneous limits")));

  const auto nobody =
      family(protocol(welch, "method = \"holm\"\n" + two), "id,arm,y\n1,placebo,4\n2,placebo,5\n3,low,6\n4,low,8\n");
  EXPECT_TRUE(std::isnan(nobody.hypotheses[1].p));
  EXPECT_THAT(nobody.hypotheses[1].notes, ElementsAre(HasSubstr("not estimable")));
  EXPECT_NEAR(*nobody.hypotheses[0].adjusted_p, 2 * nobody.hypotheses[0].p, 1e-15);
}

TEST(Multiplicity, CanDeclareThatNothingIsAdjusted) {
  const TrialRun done = run(protocol(welch, "method = \"none\"\n" + two, 0.005));
  EXPECT_THAT(adjusted(*done.results.multiplicity), ElementsAre(-1, -1));
  EXPECT_THAT(rejected(*done.results.multiplicity), ElementsAre(false, true));
  for (results::Record const& record : done.results.records) EXPECT_NE(record.finding.quantity, "adjusted_p");
  EXPECT_THAT(report::html(done.study.protocol, done.results, {}), HasSubstr("No adjustment for multiplicity: each hypothesis"));
}

TEST(Multiplicity, IsPrintedInBothLanguages) {
  const TrialRun done = run(protocol(welch, weighted(0.5, 0.5, "{ from = \"h_high\", to = \"h_low\", weight = \"epsilon\" }"), 0.01));
  EXPECT_THAT(rejected(*done.results.multiplicity), ElementsAre(false, true));
  const std::string en = report::html(done.study.protocol, done.results, {});
  EXPECT_THAT(en, HasSubstr("Null hypotheses: Bonferroni-based graphical procedure"));
  EXPECT_THAT(en, HasSubstr("P = 0.0077, adjusted P = 0.015"));
  EXPECT_THAT(
      en, HasSubstr("By the Bonferroni-based graphical procedure at 0.01, two-sided, rejected: High dose against Placebo, score "
                    "(adjusted P = 0.0008); not rejected: Low dose against Placebo, score (adjusted P = 0.015)."));
  EXPECT_THAT(en, HasSubstr("Simultaneous 99% interval"));
  EXPECT_THAT(en, HasSubstr("Initial weights: h_low 0.5, h_high 0.5. Weights passed on: h_high to h_low ε (infinitely small)."));
  const std::string zh = report::html(done.study.protocol, done.results, {.language = "zh"});
  EXPECT_THAT(zh, HasSubstr("原假设：基于Bonferroni的图形法"));
  EXPECT_THAT(zh, HasSubstr("拒绝：高剂量 对比 安慰剂，评分（校正后 P = 0.0008）；未拒绝：低剂量 对比 安慰剂"));
  EXPECT_THAT(zh, HasSubstr("99% 同时置信区间"));
  const cli::Answered answered{done.study, done.results};
  EXPECT_THAT(cli::headline(answered), HasSubstr("multiplicity (graphical, alpha 0.01): h_low adjusted P = 0.015, not rejected; "
                                                 "h_high adjusted P = 0.0008, rejected\n"));
}

std::vector<std::string> problems(std::string const& text) {
  const auto study = study::load(text, "p.toml");
  std::vector<std::string> out;
  if (!study)
    for (Error const& error : study.error()) out.push_back(error.message);
  return out;
}

TEST(Multiplicity, IsCheckedBeforeTheData) {
  const auto of = [&](std::string const& multiplicity) { return problems(protocol(welch, multiplicity)); };
  EXPECT_THAT(of("method = \"holm\"\n" + two), ElementsAre());
  EXPECT_THAT(of("method = \"holm\"\nalpha = 0.05\n" + two), ElementsAre(HasSubstr("[multiplicity] has no key 'alpha'")));
  EXPECT_THAT(of("method = \"holm\"\n" + two + "edges = [{ from = \"h_low\", to = \"h_high\", weight = 1 }]\n"),
              ElementsAre("edges belong to the method graphical, and the method of [multiplicity] is holm"));
  EXPECT_THAT(of("method = \"dunnett\"\n" + two), ElementsAre(HasSubstr("names the method 'dunnett', which is not known")));
  const auto dunnett = study::load(protocol(welch, "method = \"dunnett\"\n" + two), "p.toml");
  ASSERT_FALSE(dunnett);
  EXPECT_THAT(dunnett.error().front().hint, HasSubstr("Dunnett's test is the method of an [[analysis]]"));
  EXPECT_THAT(
      of(weighted(
          0.5, 0.5,
          "{ from = \"h_low\", to = \"h_low\", weight = 0.5 }, { from = \"h_low\", to = \"h_high\", weight = 0.4 }, "
          "{ from = \"h_low\", to = \"h_high\", weight = 0.1 }, { from = \"h_high\", to = \"h_low\", weight = \"eps\" }")),
      ElementsAre("hypothesis 'h_low' passes a share to itself", "the edge from 'h_low' to 'h_high' is given twice",
                  HasSubstr("'weight' in edge")));
  std::string weights = two;
  weights.insert(weights.find(" }"), ", weight = 0.5");
  EXPECT_THAT(of("method = \"hommel\"\n" + weights),
              ElementsAre("hypothesis 'h_low' has a weight, and weights belong to the method graphical"));
}

TEST(Multiplicity, SumsTheSharesThatAHypothesisPassesOn) {
  const std::string four =
      weighted(0.5, 0.5, "{ from = \"h_low\", to = \"h_high\", weight = 0.6 }, { from = \"h_low\", to = \"h_c\", weight = 0.6 }");
  std::string text = protocol(welch, four);
  text.replace(text.find("hypotheses = ["), 14, "hypotheses = [{ id = \"h_c\", analysis = \"a2\", arm = \"low\", weight = 0 }, ");
  text.insert(text.find("[multiplicity]"),
              "[[analysis]]\nid = \"a2\"\nestimand = \"e1\"\nrole = \"secondary\"\nmethod = \"t_test\"\nvariance = \"pooled\"\n");
  EXPECT_THAT(problems(text), ElementsAre("the shares that hypothesis 'h_low' passes on add up to 1.2, and must not exceed 1"));
}

TEST(Multiplicity, NeedsAnalysesThatGiveItsPValues) {
  const auto of = [&](std::string const& analysis) { return problems(of_times("method = \"holm\"\n" + pair_of(analysis))); };
  EXPECT_THAT(of("a01_test"), ElementsAre());
  EXPECT_THAT(of("a03_curve"),
              ElementsAre("hypothesis 'h_low' finds no P value in analysis 'a03_curve': kaplan_meier gives no P value",
                          "hypothesis 'h_high' finds no P value in analysis 'a03_curve': kaplan_meier gives no P value"));
  EXPECT_THAT(problems(protocol("method = \"holm\"\np = [0.01]", "method = \"holm\"\n" + two)),
              ElementsAre("holm works on given numbers, and analysis 'a1' has data"));
}

}  // namespace
}  // namespace equipoise
