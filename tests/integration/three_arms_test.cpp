#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equipoise/analysis/run.h"
#include "equipoise/cli/starter.h"
#include "equipoise/data/source.h"
#include "equipoise/study/study.h"

// A test without a formula runs once for each compared arm, and an arm that a comparison leaves out leaves no trace in it.
namespace equipoise {
namespace {

using testing::ElementsAre;

constexpr std::string_view data =
    "id,arm,days,died\n"
    "1,placebo,10,1\n2,placebo,20,1\n3,placebo,30,1\n4,placebo,40,0\n"
    "5,low,15,1\n6,low,35,0\n7,low,45,1\n8,low,55,0\n"
    "9,high,25,1\n10,high,50,0\n11,high,60,0\n12,high,70,0\n";

results::Results answer() {
  const auto table = data::read_csv(std::string(data), "d.csv");
  EXPECT_TRUE(table);
  const auto study = study::load(cli::starter_protocol(*table, "d.csv"), "p.toml");
  EXPECT_TRUE(study) << (study ? "" : to_string(study.error().front()));
  const auto records = data::read_source(study->protocol, *table);
  EXPECT_TRUE(records) << (records ? "" : to_string(records.error().front()));
  const data::TrialTables tables(study->protocol, *records);
  return analysis::run(study->protocol, study->plan, tables, {});
}

std::string text_at(Finding const& finding, std::string_view key) {
  const auto at = finding.at.find(key);
  return at == finding.at.end() ? "" : std::get<std::string>(at->second);
}

TEST(ThreeArms, AreComparedPairByPair) {
  const results::Results results = answer();
  std::vector<std::string> compared, observed;
  for (results::Record const& record : results.records) {
    if (record.analysis != "a01_test") continue;
    Finding const& f = record.finding;
    if (f.quantity == "chi_square") compared.push_back(text_at(f, "level") + " against " + text_at(f, "minus"));
    if (f.quantity == "observed") observed.push_back(text_at(f, "level") + ": " + text_at(f, "group"));
  }
  EXPECT_THAT(compared, ElementsAre("high against placebo", "low against placebo"));
  EXPECT_THAT(observed, testing::UnorderedElementsAre("high: placebo", "high: high", "low: placebo", "low: low"));
}

TEST(ThreeArms, GiveThePairTheSameTestAsATrialOfTwo) {
  // R 4.2.2, survival 3.5-3: survdiff(Surv(days, died) ~ arm) on placebo and high alone.
  const results::Results results = answer();
  for (results::Record const& record : results.records) {
    if (record.analysis == "a01_test" && record.finding.quantity == "chi_square" && text_at(record.finding, "level") == "high") {
      EXPECT_NEAR(record.finding.value, 1.8707147764694729, 1e-13);  // the same sums in another order
    }
  }
}

TEST(ThreeArms, CountEachArmOnceAndInProtocolOrder) {
  const results::Results results = answer();
  std::vector<std::pair<std::string, double>> people, events;
  for (results::Record const& record : results.records) {
    if (record.analysis != "a01_test") continue;
    if (record.finding.quantity == "n_subjects") people.emplace_back(text_at(record.finding, "group"), record.finding.value);
    if (record.finding.quantity == "n_events") events.emplace_back(text_at(record.finding, "group"), record.finding.value);
  }
  EXPECT_THAT(people, testing::UnorderedElementsAre(std::pair("placebo", 4.0), std::pair("high", 4.0), std::pair("low", 4.0)));
  EXPECT_THAT(events, testing::UnorderedElementsAre(std::pair("placebo", 3.0), std::pair("high", 1.0), std::pair("low", 2.0)));
  for (results::AnalysisRun const& run : results.runs) {
    EXPECT_FALSE(run.problem) << *run.problem;
    for (std::string const& note : run.notes) EXPECT_EQ(note.find("nobody at risk"), std::string::npos) << note;
  }
}

}  // namespace
}  // namespace equipoise
