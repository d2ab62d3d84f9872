#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equipoise/analysis/run.h"
#include "equipoise/cli/starter.h"
#include "equipoise/data/source.h"
#include "equipoise/study/study.h"

// The survival tests from a protocol: pairs of arms where a test compares two, all arms where it takes them, doses as scores.
namespace equipoise {
namespace {

using testing::ElementsAre, testing::HasSubstr;

constexpr std::string_view data =
    "id,arm,days,died\n"
    "1,placebo,10,1\n2,placebo,20,1\n3,placebo,30,1\n4,placebo,40,0\n"
    "5,low,15,1\n6,low,35,0\n7,low,45,1\n8,low,55,0\n"
    "9,high,25,1\n10,high,50,0\n11,high,60,0\n12,high,70,0\n";

constexpr std::string_view analyses = R"(
[[analysis]]
id = "follow_up"
estimand = "e1"
role = "supportive"
method = "reverse_kaplan_meier"

[[analysis]]
id = "mean"
estimand = "e1"
role = "supportive"
method = "rmst"
tau = 40

[[analysis]]
id = "gain"
estimand = "e1"
role = "secondary"
method = "rmst_difference"
tau = 40

[[analysis]]
id = "late"
estimand = "e1"
role = "secondary"
method = "fleming_harrington"
rho = 0
gamma = 1

[[analysis]]
id = "trend"
estimand = "e1"
role = "secondary"
method = "log_rank_trend"

[[analysis]]
id = "combo"
estimand = "e1"
role = "secondary"
method = "max_combo"

[[analysis]]
id = "hazards"
estimand = "e1"
role = "supportive"
method = "proportional_hazards_test"
)";

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// The starter protocol of the data with doses and the analyses above.
std::string protocol() {
  const auto table = data::read_csv(std::string(data), "d.csv");
  EXPECT_TRUE(table);
  std::string text = cli::starter_protocol(*table, "d.csv");
  for (auto const& [arm, dose] : {std::pair("placebo", 0), {"low", 1}, {"high", 4}})
    text = replaced(text, fmt::format("id = \"{}\"\n", arm), fmt::format("id = \"{}\"\ndose = {{ amount = {}, unit = \"mg\" }}\n", arm, dose));
  return replaced(text, "\n[source]", std::string(analyses) + "\n[source]");
}

results::Results answer(std::string const& text) {
  const auto table = data::read_csv(std::string(data), "d.csv");
  const auto study = study::load(text, "p.toml");
  EXPECT_TRUE(study) << (study ? "" : to_string(study.error().front()));
  if (!table || !study) return {};
  const auto records = data::read_source(study->protocol, *table);
  EXPECT_TRUE(records);
  const data::TrialTables tables(study->protocol, *records);
  return analysis::run(study->protocol, study->plan, tables, {});
}

std::string text_at(Finding const& finding, std::string_view key) {
  const auto at = finding.at.find(key);
  return at == finding.at.end() ? "" : std::get<std::string>(at->second);
}

std::vector<Finding> findings(results::Results const& results, std::string_view analysis, std::string_view quantity) {
  std::vector<Finding> out;
  for (results::Record const& record : results.records)
    if (record.analysis == analysis && record.finding.quantity == quantity) out.push_back(record.finding);
  return out;
}
std::vector<std::string> compared(std::vector<Finding> const& findings) {
  std::vector<std::string> out;
  for (Finding const& f : findings) out.push_back(text_at(f, "level") + "-" + text_at(f, "minus"));
  return out;
}

TEST(TimeToEvent, RunsEverySurvivalTestFromAProtocol) {
  const results::Results results = answer(protocol());
  for (results::AnalysisRun const& run : results.runs) EXPECT_FALSE(run.problem) << run.id << ": " << *run.problem;

  // Means to day 40 by hand: placebo (10 + 20 + 30 + 40)/4; low 15 + 25 * 3/4; high 25 + 15 * 3/4.
  const auto means = findings(results, "mean", "estimate");
  ASSERT_EQ(means.size(), 3u);
  for (Finding const& f : means) {
    const std::string arm = text_at(f, "group");
    EXPECT_NEAR(f.value, arm == "placebo" ? 25 : arm == "low" ? 33.75 : 36.25, 1e-13) << arm;
  }
  const auto gains = findings(results, "gain", "estimate");
  EXPECT_THAT(compared(gains), ElementsAre("high-placebo", "low-placebo"));
  ASSERT_EQ(gains.size(), 2u);
  EXPECT_NEAR(gains[0].value, 11.25, 1e-13);
  EXPECT_NEAR(gains[1].value, 8.75, 1e-13);
  EXPECT_THAT(compared(findings(results, "late", "z")), ElementsAre("high-placebo", "low-placebo"));
  EXPECT_THAT(compared(findings(results, "combo", "statistic")), ElementsAre("high-placebo", "low-placebo"));

  const auto trend = findings(results, "trend", "z");
  ASSERT_EQ(trend.size(), 1u);
  EXPECT_LT(trend[0].value, 0);  // fewer deaths with the dose
  for (results::AnalysisRun const& run : results.runs)
    if (run.id == "trend") {
      EXPECT_THAT(run.notes, testing::Contains(HasSubstr("'high' 4")));
    }
  const auto hazards = findings(results, "hazards", "chi_square");
  EXPECT_EQ(hazards.size(), 4u);  // two arms, their effect, all together
  EXPECT_EQ(findings(results, "follow_up", "quantile").size(), 3u);
}

TEST(TimeToEvent, HandsFollowUpOnUnderItsOwnName) {
  const results::Results results = answer(protocol());
  int follow_up = 0, survival = 0;
  for (auto const& curve : results.curves) {
    if (curve.analysis == "follow_up") {
      ++follow_up;
      EXPECT_EQ(curve.series.quantity, "follow_up");
    }
    survival += curve.analysis == "a03_curve" && curve.series.quantity == "survival";
  }
  EXPECT_EQ(follow_up, 3);
  EXPECT_EQ(survival, 3);
}

TEST(TimeToEvent, WantsAHorizonAndScores) {
  const auto refused = [](std::string const& text, std::string_view part) {
    const auto study = study::load(text, "p.toml");
    ASSERT_FALSE(study);
    bool said = false;
    for (Error const& error : study.error()) said = said || error.message.find(part) != std::string::npos;
    EXPECT_TRUE(said) << to_string(study.error().front());
  };
  refused(replaced(protocol(), "tau = 40\n", ""), "tau");
  refused(replaced(protocol(), "dose = { amount = 1, unit = \"mg\" }\n", ""), "score");
}

}  // namespace
}  // namespace equipoise
