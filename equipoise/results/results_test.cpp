#include "equipoise/results/results.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "equipoise/results/labels.h"

namespace equipoise::results {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

Results small() {
  Results r;
  r.provenance = {.version = "0.1.0",
                  .protocol_digest = "ab",
                  .data_digest = "cd",
                  .data_file = "a.csv",
                  .cutoff = {},
                  .seed = 18446744073709551615ull,
                  .simulated = true,
                  .match = "r"};
  r.flow = {{"a", 3, {{"Death", 0}}, 3, {{"full", 2, {{"No dose", 1}}}}}};
  BaselineItem item{"sex", true, {"f", "m"}, {}};
  item.cells.resize(2);
  item.cells[0].n = 3, item.cells[0].counts = {1, 2};
  BaselineItem age{"age", false, {}, {}};
  age.cells.resize(1);
  r.baseline = {item, age};
  Record record;
  record.analysis = "a01", record.method = "cox", record.options = R"({"ties":"efron"})";
  record.finding.quantity = "hazard_ratio",
  record.finding.at = At{{"term", Term{{"arm", "b"}, {"age", {}}}}, {"time", 0.1}, {"group", std::string("g")}};
  record.finding.value = 0.1, record.finding.upper = nan, record.finding.n = 7;
  r.records = {record};
  Series s;
  s.quantity = "survival", s.columns = {{"time", {1, 2.5}}, {"survival", {0.5, nan}}};
  r.curves = {{"a01", s}};
  AnalysisRun run;
  run.id = "a01", run.options = "no json", run.problem = "no \"event\"";
  r.runs = {run};
  return r;
}

TEST(ToJson, IsOneObjectThatReadsBack) {
  const json doc = json::parse(to_json(small()));
  EXPECT_EQ(doc["provenance"]["seed"], 18446744073709551615ull);
  EXPECT_FALSE(doc["provenance"].contains("cutoff"));
  EXPECT_EQ(doc["flow"][0]["sets"][0]["excluded"][0]["n"], 1);
  EXPECT_EQ(doc["baseline"][0]["cells"][0]["counts"], json({1, 2}));
  EXPECT_EQ(doc["records"][0]["at"]["term"][0]["level"], "b");
  EXPECT_FALSE(doc["records"][0]["at"]["term"][1].contains("level"));
  EXPECT_EQ(doc["records"][0]["options"]["ties"], "efron");
  EXPECT_EQ(doc["analyses"][0]["options"], "no json");
  EXPECT_EQ(doc["analyses"][0]["problem"], "no \"event\"");
}

TEST(ToJson, WritesNotEstimableAsNeAndLeavesOutWhatIsNotGiven) {
  const json record = json::parse(to_json(small()))["records"][0];
  EXPECT_EQ(record["upper"], "NE");
  EXPECT_FALSE(record.contains("lower"));
  EXPECT_FALSE(record.contains("estimand"));
  EXPECT_EQ(record["n"], 7);
  EXPECT_EQ(json::parse(to_json(small()))["curves"][0]["columns"]["survival"], json::parse(R"([0.5, "NE"])"));
}

TEST(ToJson, WritesNumbersInShortestForm) {
  Results r = small();
  r.records[0].finding.value = 0.1 + 0.2;  // needs all 17 digits
  EXPECT_THAT(to_json(r), HasSubstr("\"value\": 0.30000000000000004,"));
  r.records[0].finding.value = 30;
  EXPECT_THAT(to_json(r), HasSubstr("\"value\": 30,"));
}

TEST(ToJson, KeepsItsKeysInOrderAndItsBytes) {
  const std::string text = to_json(small());
  EXPECT_EQ(text, to_json(small()));
  std::size_t last = 0;
  for (const char* key :
       {"\"provenance\"", "\"flow\"", "\"baseline\"", "\"quartile_rule\"", "\"analyses\"", "\"records\"", "\"curves\""}) {
    const std::size_t at = text.find(key);
    ASSERT_NE(at, std::string::npos) << key;
    EXPECT_GE(at, last);
    last = at;
  }
}

TEST(ToJson, StaysJsonWhateverTheTextsHold) {
  Results r = small();
  r.provenance.data_file = "\xff\xfe\x01\"\\\n</script>";
  r.quartile_rule = std::string("\xed\xa0\x80", 3);
  EXPECT_FALSE(json::parse(to_json(r), nullptr, false).is_discarded());
  EXPECT_FALSE(json::parse(to_json({}), nullptr, false).is_discarded());
}

TEST(IsLogOf, AllowsPrintedDigitsAndNoMore) {
  const double infinite = std::numeric_limits<double>::infinity(), none = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(is_log_of(-1.0936247, 0.335));
  EXPECT_FALSE(is_log_of(-1.09365, 0.335));
  EXPECT_TRUE(is_log_of(-12.000001, std::exp(-12.0)));
  EXPECT_TRUE(is_log_of(infinite, infinite));
  EXPECT_TRUE(is_log_of(-infinite, 0));
  EXPECT_FALSE(is_log_of(0, infinite));
  EXPECT_FALSE(is_log_of(1, -1));
  EXPECT_TRUE(is_log_of(none, none));
  EXPECT_FALSE(is_log_of(none, 1));
  EXPECT_FALSE(is_log_of(1, none));
}

TEST(OptionsInWords, ReadsAnObjectAndNothingElse) {
  const auto words = options_in_words(R"({"level":0.95,"probs":[0.5,1],"ties":"efron","nested":{"a":1}})");
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"level", "0.95"}, {"probs", "0.5, 1"}, {"ties", "efron"}, {"nested", "(a 1)"}};
  EXPECT_EQ(words, expected);
  EXPECT_TRUE(options_in_words("").empty());
  EXPECT_TRUE(options_in_words("[1]").empty());
  EXPECT_TRUE(options_in_words("{broken").empty());
}

}  // namespace
}  // namespace equipoise::results
