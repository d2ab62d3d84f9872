#include "equipoise/data/windows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "equipoise/data/source.h"
#include "equipoise/protocol/load.h"

namespace equipoise::data {
namespace {

using expression::Interval;
using protocol::LimitRule;
using protocol::Nominal;
using protocol::Worst;
using testing::ElementsAre;
using testing::HasSubstr;

DatedValue at(double day, double value) { return {day, Interval::exactly(value)}; }
Interval below(double limit) { return {-std::numeric_limits<double>::infinity(), limit, true, true}; }
Interval above(double limit) { return {limit, std::numeric_limits<double>::infinity(), true, true}; }

TEST(Chosen, TakesTheClosestAndOfTwoEquallyCloseTheEarlier) {
  const std::vector<DatedValue> values{at(-5, 1), at(-3, 2), at(3, 3), at(4, 4)};
  EXPECT_EQ(chosen(values, Nominal::closest, Worst::unstated), 1u);
  EXPECT_EQ(chosen(values, Nominal::first, Worst::unstated), 0u);
  EXPECT_EQ(chosen(values, Nominal::last, Worst::unstated), 3u);
  EXPECT_EQ(chosen(values, Nominal::worst, Worst::lowest), 0u);
  EXPECT_EQ(chosen(values, Nominal::worst, Worst::highest), 3u);
}

TEST(Chosen, OrdersABoundJustBesideItsLimit) {
  const std::vector<DatedValue> low{{0, Interval::exactly(20)}, {1, below(20)}},
      high{{0, above(500)}, {1, Interval::exactly(500)}};
  EXPECT_EQ(chosen(low, Nominal::worst, Worst::lowest), 1u);
  EXPECT_EQ(chosen(low, Nominal::worst, Worst::highest), 0u);
  EXPECT_EQ(chosen(high, Nominal::worst, Worst::highest), 0u);
}

TEST(Averaged, KeepsWhatIsKnownOfTheMean) {
  protocol::Item item;
  const protocol::Conventions conventions;
  bool entered = false;
  const auto mean = [&](std::vector<Interval> const& values) { return averaged(values, item, conventions, entered); };
  EXPECT_EQ(mean({Interval::exactly(1), Interval::exactly(4)}), Interval::exactly(2.5));
  EXPECT_EQ(mean({below(20), Interval::exactly(40)}), below(30));  // the rule leaves such values out: below (20 + 40) / 2
  EXPECT_EQ(mean({below(20), below(50)}), below(35));
  EXPECT_TRUE(mean({below(20), above(500)}).missing());
  EXPECT_FALSE(entered);
  EXPECT_EQ(mean({Interval::exactly(1.5e308), Interval::exactly(1.5e308)}), Interval::exactly(1.5e308));
  item.below_limit = LimitRule::half;
  EXPECT_EQ(mean({below(20), Interval::exactly(40)}), Interval::exactly(25));  // (10 + 40) / 2
  EXPECT_TRUE(entered);
  EXPECT_EQ(mean({below(20), below(50)}), below(35));  // still a bound: a truth about it is a truth about limits
}

TEST(CountedAs, GivesTheNumberOfTheRule) {
  protocol::Item item;
  protocol::Conventions conventions;
  EXPECT_FALSE(counted_as(below(20), item, conventions));
  conventions.below_limit = LimitRule::over_root_2;
  EXPECT_NEAR(*counted_as(below(20), item, conventions), 14.142135623730951, 1e-14);  // 20 / sqrt(2), one rounding
  item.below_limit = LimitRule::limit;                                                // the item's own rule comes first
  EXPECT_EQ(*counted_as(below(20), item, conventions), 20);
  EXPECT_FALSE(counted_as(above(500), item, conventions));
  item.above_limit = LimitRule::limit;
  EXPECT_EQ(*counted_as(above(500), item, conventions), 500);
  EXPECT_FALSE(counted_as(Interval::exactly(7), item, conventions));
  EXPECT_FALSE(counted_as(Interval{}, item, conventions));
}

constexpr std::string_view head = R"toml(format = 1
[trial]
id = "t"
title = "A trial"
version = "1"
[[arm]]
id = "control"
role = "placebo_control"
[[arm]]
id = "active"
role = "investigational"
[form.lab]
cd4 = { kind = "number", detection_limit = 5 }
fever = { kind = "flag" }
[analysis_set]
full = { rule = "randomised" }
[source]
rows = "visits"
participant = "id"
arm = { column = "arm", codes = { A = "control", B = "active" } }
day = "day"
item = [{ item = "cd4", column = "cd4", bound = "sign" }, { item = "fever", column = "fever" }]
)toml";

protocol::Protocol protocol_with(std::string_view rules, std::string_view baseline_window = "[14, 0]") {
  const std::string text = std::string(head) + fmt::format(R"toml([schedule]
visit = [{{ id = "baseline", day = 1, window = {}, forms = ["lab"] }}, {{ id = "w4", day = 29, window = [7, 7], forms = ["lab"] }}]
{}
)toml",
                                                           baseline_window, rules);
  const auto loaded = protocol::load(text, "p.toml");
  EXPECT_TRUE(loaded) << (loaded ? "" : to_string(loaded.error().front()));
  return loaded ? *loaded : protocol::Protocol{};
}

Checked<TrialRecords> read(protocol::Protocol const& protocol, std::string rows) {
  const auto table = read_csv("id,arm,day,cd4,sign,fever\n" + std::move(rows), "d.csv");
  EXPECT_TRUE(table);
  return read_source(protocol, *table);
}

/// Item at a visit of the first participant.
Interval cd4(TrialRecords const& records, std::string const& visit) { return records.items.at({"cd4", visit}).interval(0); }

TEST(PlaceReadings, KeepsToTheWindowsAndCountsWhatLiesOutside) {
  const protocol::Protocol protocol = protocol_with("");
  // Window of week 4: days 21 to 35 after randomisation (target 28).
  const auto records = read(protocol, "1,A,20,1,,\n1,A,21,2,,\n1,A,35,3,,\n1,A,36,4,,\n1,A,-14,5,,\n1,A,-15,6,,\n");
  ASSERT_TRUE(records) << to_string(records.error().front());
  EXPECT_EQ(cd4(*records, "w4"), Interval::exactly(2));  // day 21 and day 35 are equally close: the earlier
  EXPECT_EQ(cd4(*records, "baseline"), Interval::exactly(5));
  EXPECT_EQ(records->outside.at("cd4")[0], 3u);
  EXPECT_EQ(records->marks.at({"cd4", "w4"})[0], mark::several);
  EXPECT_EQ(records->visit_days.at("w4")[0], 21);
}

TEST(PlaceReadings, DoesNotDependOnTheOrderOfTheRows) {
  const protocol::Protocol protocol = protocol_with("nominal = \"mean\"");
  std::vector<std::string> rows{"1,A,22,0.1,,1\n", "1,A,22,0.2,,\n", "1,A,22,0.7,,\n",   "1,A,25,0.3,,\n",  "1,A,30,4,<,\n",
                                "1,A,0,1e16,,\n",  "1,A,0,1,,\n",    "1,A,-3,-1e16,,\n", "1,A,31,0.1,,0\n", "1,A,34,77,,1\n"};
  std::optional<TrialRecords> first;
  std::mt19937 shuffle(20260101);
  for (int trial = 0; trial < 200; ++trial) {
    std::string text;
    for (std::string const& row : rows) text += row;
    const auto records = read(protocol, text);
    ASSERT_TRUE(records) << to_string(records.error().front());
    if (!first) first = *records;
    for (const char* visit : {"baseline", "w4"}) {
      EXPECT_EQ(cd4(*records, visit), cd4(*first, visit));
      EXPECT_EQ(records->items.at({"fever", visit}).truth, first->items.at({"fever", visit}).truth);
    }
    EXPECT_EQ(records->outside, first->outside);
    EXPECT_EQ(records->marks, first->marks);
    std::ranges::shuffle(rows, shuffle);
  }
}

TEST(PlaceReadings, MakesOneValueOfADayOrSaysThatItCannot) {
  const std::string rows = "1,A,28,100,,\n1,A,28,130,,\n1,A,28,100,,\n";
  const auto refused = read(protocol_with(""), rows);
  ASSERT_FALSE(refused);
  EXPECT_EQ(to_string(refused.error().front()),
            "d.csv:3: column 'cd4': participant '1' has the value 130 of 'cd4' here, and 100 of the same day in line 2\n"
            "  hint: say which counts: same_day = \"mean\", \"lowest\" or \"highest\" in [schedule]");
  EXPECT_EQ(cd4(*read(protocol_with("same_day = \"mean\""), rows), "w4"), Interval::exactly(110));  // (100 + 130 + 100) / 3
  EXPECT_EQ(cd4(*read(protocol_with("same_day = \"lowest\""), rows), "w4"), Interval::exactly(100));
  EXPECT_EQ(cd4(*read(protocol_with("same_day = \"highest\""), rows), "w4"), Interval::exactly(130));
  EXPECT_EQ(cd4(*read(protocol_with(""), "1,A,28,100,,\n1,A,28,100,,\n"), "w4"), Interval::exactly(100));
  const auto codes = read(protocol_with("same_day = \"mean\""), "1,A,28,,,1\n1,A,28,,,0\n");
  ASSERT_FALSE(codes);
  EXPECT_THAT(to_string(codes.error().front()),
              HasSubstr("participant '1' has the value no of 'fever' here, and yes of the same day"));
}

TEST(PlaceReadings, RefusesSignsAndLimitsThatAreNone) {
  const auto refused = read(protocol_with(""), "1,A,28,100,~,\n1,A,29,<x,,\n1,A,30,<5,>,\n1,A,31,0,<,\n1,A,,9,,\n1,A,1.5,9,,\n");
  ASSERT_FALSE(refused);
  std::vector<std::string> said;
  for (Error const& error : refused.error()) said.push_back(to_string(error));
  EXPECT_THAT(said, testing::UnorderedElementsAre("d.csv:2: column 'sign': '~' is neither '<' nor '>' nor '='",
                                                  "d.csv:3: column 'cd4': '<x' is not a number",
                                                  "d.csv:4: column 'sign': '>' contradicts the value '<5'",
                                                  "d.csv:5: column 'cd4': '<0' names a limit that is not above 0",
                                                  "d.csv:6: column 'day': the value '9' of 'cd4' has no day",
                                                  "d.csv:7: column 'day': '1.5' is not a whole number of days"));
}

TEST(PlaceReadings, TakesTheLastValueBeforeOrOnRandomisationForBaseline) {
  const auto last = read(protocol_with("baseline = { visit = \"baseline\", rule = \"last\" }", "[0, 0]"),
                         "1,A,-40,150,,\n1,A,-9,170,,\n1,A,1,999,,\n2,B,-9,180,,\n2,B,0,190,,\n3,B,5,100,,\n");
  ASSERT_TRUE(last) << to_string(last.error().front());
  expression::Column const& baseline = last->items.at({"cd4", "baseline"});
  EXPECT_EQ(baseline.interval(0), Interval::exactly(170));
  EXPECT_EQ(baseline.interval(1), Interval::exactly(190));
  EXPECT_TRUE(baseline.missing(2));
  EXPECT_THAT(last->marks.at({"cd4", "baseline"}), ElementsAre(mark::from_before, 0, 0));
  const auto two = read(protocol_with("baseline = { visit = \"baseline\", rule = \"mean_of_two\" }", "[0, 0]"),
                        "1,A,-40,150,,\n1,A,-9,170,,\n1,A,0,200,,\n2,B,0,190,,\n");
  ASSERT_TRUE(two);
  EXPECT_EQ(two->items.at({"cd4", "baseline"}).interval(0), Interval::exactly(185));  // (170 + 200) / 2
  EXPECT_EQ(two->items.at({"cd4", "baseline"}).interval(1), Interval::exactly(190));
}

TEST(PlaceReadings, MissesBaselineForAllWhenNobodyHasOne) {
  const auto records =
      read(protocol_with("baseline = { visit = \"baseline\", rule = \"last\" }"), "1,A,28,150,,\n2,B,28,170,,\n");
  ASSERT_TRUE(records);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_TRUE(records->items.at({"cd4", "baseline"}).missing(i));
}

std::vector<std::string> problems(std::string_view schedule) {
  const auto loaded = protocol::load(std::string(head) + std::string(schedule), "p.toml");
  std::vector<std::string> said;
  if (!loaded)
    for (Error const& error : loaded.error()) said.push_back(to_string(error));
  return said;
}

TEST(Handling, ChecksWindowsBaselineAndWhichEndIsBad) {
  EXPECT_THAT(problems("[schedule]\nvisit = [{ id = \"v\", day = 1, forms = [\"lab\"] }]\n"),
              ElementsAre(HasSubstr("[source] places values by their day, and visit 'v' has no window to place them in")));
  EXPECT_THAT(problems("[schedule]\nvisit = [{ id = \"v\", day = 1, window = [0, 9], forms = [\"lab\"] }, { id = \"w\", day = 8, "
                       "window = [0, 0], forms = [\"lab\"] }]\n"),
              ElementsAre(HasSubstr("the windows of visits 'v' (to day 10) and 'w' (from day 8) overlap")));
  EXPECT_THAT(problems("[schedule]\nvisit = [{ id = \"v\", day = 8, window = [0, 0], forms = [\"lab\"] }]\nbaseline = { visit = "
                       "\"v\", rule = \"last\" }\n"),
              ElementsAre(HasSubstr("visit 'v' is on day 8, after randomisation, and no baseline")));
  constexpr std::string_view worst =
      "[schedule]\nvisit = [{ id = \"v\", day = 8, window = [0, 0], forms = [\"lab\"] }]\nnominal = \"worst\"\n[[endpoint]]\nid "
      "= "
      "\"y\"\nlevel = \"primary\"\nkind = \"continuous\"\nvariable = \"cd4\"\nat = \"v\"\n";
  EXPECT_THAT(problems(worst), ElementsAre(HasSubstr("which end of 'cd4' is bad is not said; endpoint 'y' reads it")));
  EXPECT_THAT(problems(std::string(worst) + "benefit = \"higher\"\n"), ElementsAre());
}

}  // namespace
}  // namespace equipoise::data
