#include "equipoise/report/blinded.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equipoise/core/json.h"
#include "equipoise/report/cgd_fixture.h"
#include "equipoise/results/results.h"

namespace equipoise::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::uint8_t> key_of(std::uint8_t first) {
  std::vector<std::uint8_t> key(32, 7);
  key[0] = first;
  return key;
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
  return text;
}

/// All that is written: names of files and their bytes, and results.json.
std::string everything(Blinded const& made, std::string const& language) {
  const Document shown = document(made.protocol, made.results, {.language = language, .blinded = true});
  std::string all = with_tables(results::to_json(made.results), shown.tables);
  for (auto const& [name, bytes] : files_of(shown, {"html", "rtf", "csv"})) all += name + "\n" + bytes;
  return all;
}

TEST(Blinded, NoByteOfAnyOutputTellsAnArm) {
  for (const char* language : {"en", "zh"})
    for (std::uint8_t k = 0; k < 8; ++k) {
      const auto made = blinded(fixture::cgd_protocol(), fixture::cgd_results(), key_of(k));
      ASSERT_TRUE(made);
      const std::string all = everything(*made, language), small = lower(all);
      for (const char* secret : {"placebo", "ifn", "interferon", "\u5b89\u6170\u5242", "\u5e72\u6270\u7d20", "ug/m", "\u00b5g/m",
                                 "\\u23433?", "hazard", "p = ", "0.335", "investigational"})
        EXPECT_THAT(small, Not(HasSubstr(secret)));
      EXPECT_THAT(all, HasSubstr(language == std::string("en") ? "Arm A" : "A组"));
      EXPECT_THAT(all, HasSubstr(language == std::string("en") ? "BLINDED" : "\u76f2\u6001"));
    }
}

TEST(Blinded, TheKeyGivesTheOrderAndTheNumbersGoWithTheArm) {
  std::set<std::int64_t> sizes_of_a;
  for (std::uint8_t k = 0; k < 16; ++k) {
    const auto made = blinded(fixture::cgd_protocol(), fixture::cgd_results(), key_of(k));
    ASSERT_TRUE(made);
    auto const& answer = made->results;
    ASSERT_EQ(answer.flow.size(), 2u);
    EXPECT_EQ(answer.flow[0].arm, "A");
    EXPECT_EQ(answer.flow[1].arm, "B");
    EXPECT_EQ(answer.flow[0].randomised + answer.flow[1].randomised, 128);
    for (auto const& item : answer.baseline) {
      ASSERT_EQ(item.cells.size(), 3u);
      EXPECT_EQ(item.cells[0].n + item.cells[0].missing, answer.flow[0].randomised);
    }
    sizes_of_a.insert(answer.flow[0].randomised);
    const auto again = blinded(fixture::cgd_protocol(), fixture::cgd_results(), key_of(k));
    EXPECT_EQ(everything(*made, "en"), everything(*again, "en"));
  }
  EXPECT_EQ(sizes_of_a, (std::set<std::int64_t>{63, 65}));  // either arm is A under some key
}

TEST(Blinded, OneSizeForAllWhereTheRatioWouldTellTheArm) {
  protocol::Protocol plan = fixture::cgd_protocol();
  const Node ratio = *read_json(R"({"ratio": {"placebo": 1, "ifn": 2}})", {});
  plan.randomisation = protocol::MethodSection{"permuted_block", ratio, {}};
  const auto made = blinded(plan, fixture::cgd_results(), key_of(1));
  ASSERT_TRUE(made);
  ASSERT_EQ(made->results.flow.size(), 1u);
  EXPECT_EQ(made->results.flow[0].randomised, 128);
  const std::string all = everything(*made, "en");
  for (const char* text : {"Arm A", "Arm B", "N = 65", "N = 63"}) EXPECT_THAT(all, Not(HasSubstr(text)));
}

TEST(Blinded, RefusesTextsThatTellAnArmAllAtOnce) {
  protocol::Protocol plan = fixture::cgd_protocol();
  plan.forms[0].items[0].label = fixture::text("Age when placebo began");
  results::Results answer = fixture::cgd_results();
  answer.flow[0].left.push_back({"Stopped rIFN-\u03b3", 0});
  const auto made = blinded(plan, answer, key_of(1));
  ASSERT_FALSE(made);
  ASSERT_EQ(made.error().size(), 2u);
  EXPECT_EQ(made.error()[0].code, Code::refused);
  EXPECT_THAT(made.error()[0].message, HasSubstr("'Age when placebo began' tells the arm 'placebo'"));
  EXPECT_THAT(made.error()[1].message, HasSubstr("tells the arm 'ifn'"));
}

TEST(Blinded, RefusesAShortKey) {
  const std::vector<std::uint8_t> key(31, 1);
  const auto made = blinded(fixture::cgd_protocol(), fixture::cgd_results(), key);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error()[0].code, Code::out_of_range);
}

}  // namespace
}  // namespace equipoise::report
