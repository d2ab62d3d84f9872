#include "equipoise/data/source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equipoise/protocol/load.h"

namespace equipoise::data {
namespace {

using testing::ElementsAre;

constexpr std::string_view head = R"(format = 1
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
[schedule]
visit = [{ id = "baseline", day = 1, forms = ["entry"] }, { id = "w4", day = 29, forms = ["lab"] }]
any_time = ["infection"]
[form.entry]
age = { kind = "integer", unit = "a", hard = [18, 100] }
sex = { kind = "code", codes = [["F"], ["M"]] }
smoker = { kind = "flag" }
born = { kind = "date" }
[form.lab]
rna = { kind = "number", unit = "copies/mL", detection_limit = 20, also = [["copies/uL", 1000]] }
[form.infection]
onset = { kind = "date" }
[analysis_set]
full = { rule = "randomised" }
)";

constexpr std::string_view one_row_each = R"([source]
participant = "id"
arm = { column = "arm", codes = { A = "control", B = "active" } }
randomised = "date"
follow_up = "last"
item = [
  { item = "age", column = "age" },
  { item = "sex", column = "sex", codes = { female = "F", male = "M" } },
  { item = "smoker", column = "smoker" },
  { item = "rna", column = "rna", unit = "copies/uL" },
]
)";

constexpr std::string_view intervals = R"([source]
rows = "intervals"
participant = "id"
arm = { column = "arm", codes = { A = "control", B = "active" } }
randomised = "date"
interval = { start = "from", stop = "to" }
item = [{ item = "age", column = "age" }]
entry = [{ form = "infection", where = [{ column = "status", is = "1" }], items = [{ item = "onset", column = "to", days_since_randomisation = true }] }]
)";

protocol::Protocol protocol_with(std::string_view source) {
  auto loaded = protocol::load(std::string(head) + std::string(source), "p.toml");
  EXPECT_TRUE(loaded) << (loaded ? "" : to_string(loaded.error().front()));
  return loaded ? *loaded : protocol::Protocol{};
}

std::vector<std::string> problems_of(std::string_view source, std::string csv) {
  const protocol::Protocol protocol = protocol_with(source);
  const auto table = read_csv(std::move(csv), "d.csv");
  std::vector<std::string> out;
  if (!table) {
    for (Error const& error : table.error()) out.push_back(to_string(error));
    return out;
  }
  if (const auto records = read_source(protocol, *table); !records)
    for (Error const& error : records.error()) out.push_back(to_string(error));
  return out;
}

TEST(ReadSource, ReadsOneRowAParticipant) {
  const protocol::Protocol protocol = protocol_with(one_row_each);
  const auto table = read_csv(
      "id,arm,date,last,age,sex,smoker,rna\n1,A,2020-01-31,90,34,female,0,5\n2,B,2020-02-01,2020-03-02,51,male,yes,<0.02\n",
      "d.csv");
  ASSERT_TRUE(table);
  const auto records = read_source(protocol, *table);
  ASSERT_TRUE(records) << to_string(records.error().front());
  EXPECT_THAT(records->participants, ElementsAre("1", "2"));
  EXPECT_THAT(records->arm.code, ElementsAre(0, 1));
  EXPECT_EQ(records->follow_up_end[0] - records->randomisation.low[0], 90);  // a number of days
  EXPECT_EQ(records->follow_up_end[1] - records->randomisation.low[1], 30);  // a date
  EXPECT_THAT(records->items.at({"age", "baseline"}).low, ElementsAre(34, 51));
  EXPECT_THAT(records->items.at({"sex", "baseline"}).code, ElementsAre(0, 1));
  EXPECT_THAT(records->items.at({"smoker", "baseline"}).truth, ElementsAre(0, 1));
  const expression::Column& rna = records->items.at({"rna", "w4"});
  EXPECT_EQ(rna.interval(0), expression::Interval::exactly(5000));  // copies/uL to copies/mL
  EXPECT_TRUE(rna.interval(1).high_open);                           // "<0.02": below 20 copies/mL
  EXPECT_EQ(rna.interval(1).high, 20);
}

TEST(ReadSource, NamesMissingColumns) {
  EXPECT_THAT(
      problems_of(one_row_each, "id,arm,date,last,Age,sex,smoker\n1,A,2020-01-31,90,34,female,0\n"),
      ElementsAre("d.csv:1: the data have no column 'age' (p.toml:32)\n  hint: did you mean 'Age'?",
                  "d.csv:1: the data have no column 'rna' (p.toml:35)\n  hint: columns: id, arm, date, last, Age, sex, smoker"));
}

TEST(ReadSource, NamesEveryBadCellWithLineAndColumn) {
  EXPECT_THAT(problems_of(one_row_each,
                          "id,arm,date,last,age,sex,smoker,rna\n"
                          "1,A,2020-01-31,90,old,female,0,5\n"
                          "2,C,2020-02-30,12.5,17,f,maybe,x\n"
                          ",A,2020-01-31,90,34,male,0,5\n"
                          "1,B,2020-01-31,90,34.5,male,0,5\n"),
              ElementsAre("d.csv:2: column 'age': 'old' is not a number",
                          "d.csv:3: column 'arm': 'C' is no arm\n  hint: did you mean 'A'?",
                          "d.csv:3: column 'date': '2020-02-30' is not a date\n  hint: dates are written YYYY-MM-DD",
                          "d.csv:3: column 'last': '12.5' is not a whole number of days",
                          "d.csv:3: column 'age': 17 is outside the hard limits 18 to 100 of 'age'",
                          "d.csv:3: column 'sex': 'f' is no code of 'sex'\n  hint: known: female, male",
                          "d.csv:3: column 'smoker': 'maybe' is neither true nor false\n  hint: say what it means: codes = { "
                          "\"...\" = \"true\", \"...\" = \"false\" }",
                          "d.csv:3: column 'rna': 'x' is not a number", "d.csv:4: column 'id': the participant is missing",
                          "d.csv:5: column 'id': participant '1' has a second row; the first is line 2\n  hint: with several "
                          "rows a participant say rows = \"intervals\" or \"visits\" in [source]"));
}

TEST(ReadSource, CountsWhatItDoesNotShow) {
  std::string csv = "id,arm,date,last,age,sex,smoker,rna\n";
  for (int i = 1; i <= 30; ++i) csv += fmt::format("{},A,2020-01-31,90,old,female,0,5\n", i);
  const auto problems = problems_of(one_row_each, csv);
  ASSERT_EQ(problems.size(), 21u);
  EXPECT_EQ(problems[0], "d.csv:2: column 'age': 'old' is not a number");
  EXPECT_EQ(problems[20], "d.csv:22: column 'age': and 10 more cells of this column");
}

TEST(ReadSource, RefusesAnArmWithoutADateAndADateWithoutAnArm) {
  EXPECT_THAT(
      problems_of(one_row_each,
                  "id,arm,date,last,age,sex,smoker,rna\n1,,2020-01-31,90,34,male,0,5\n2,A,,90,34,male,0,5\n3,,,,34,male,0,5\n"),
      ElementsAre("d.csv:2: column 'arm': participant '1' has a date of randomisation, and no arm",
                  "d.csv:3: column 'date': participant '2' has an arm, and no date of randomisation"));
}

TEST(ReadSource, ReadsIntervalsAsEntriesAndFollowUp) {
  const protocol::Protocol protocol = protocol_with(intervals);
  const auto table = read_csv(
      "id,arm,date,age,from,to,status\n7,A,2020-01-01,30,0,8,1\n7,A,2020-01-01,30,8,26,1\n7,A,2020-01-01,30,26,300,0\n8,B,2020-"
      "01-05,40,0,310,0\n",
      "d.csv");
  ASSERT_TRUE(table);
  const auto records = read_source(protocol, *table);
  ASSERT_TRUE(records) << to_string(records.error().front());
  EXPECT_THAT(records->participants, ElementsAre("7", "8"));
  expression::Entries const& infections = records->entries.at("infection");
  EXPECT_THAT(infections.participant, ElementsAre(0u, 0u));
  EXPECT_EQ(infections.date.low[0] - records->randomisation.low[0], 8);
  EXPECT_EQ(infections.date.low[1] - records->randomisation.low[0], 26);
  EXPECT_EQ(records->follow_up_end[0] - records->randomisation.low[0], 300);
  EXPECT_EQ(records->follow_up_end[1] - records->randomisation.low[1], 310);
}

TEST(ReadSource, RefusesIntervalsWithGapsAndValuesThatChange) {
  EXPECT_THAT(
      problems_of(intervals,
                  "id,arm,date,age,from,to,status\n7,A,2020-01-01,30,0,8,1\n7,B,2020-01-01,31,9,26,0\n8,B,2020-01-05,40,5,5,0\n"),
      ElementsAre("d.csv:3: column 'arm': participant '7' has the arm 'B' here, and 'A' in line 2",
                  "d.csv:3: column 'from': the interval of participant '7' begins on day 9, and the one before ends on day 8",
                  "d.csv:3: column 'age': participant '7' has the value '31' here, and '30' in line 2",
                  "d.csv:4: column 'to': the interval ends on day 5, and begins on day 5"));
}

TEST(AsOf, KnowsNothingLater) {
  const protocol::Protocol protocol = protocol_with(intervals);
  const auto table = read_csv(
      "id,arm,date,age,from,to,status\n7,A,2020-01-01,30,0,8,1\n7,A,2020-01-01,30,8,26,1\n7,A,2020-01-01,30,26,300,0\n8,B,2020-"
      "02-05,40,0,310,0\n",
      "d.csv");
  const auto records = read_source(protocol, *table);
  ASSERT_TRUE(records);
  const auto cut = as_of(*records, to_partial_date("2020-01-10")->earliest, protocol);
  ASSERT_TRUE(cut);
  EXPECT_THAT(cut->arm.code, ElementsAre(0, missing_level));  // 8 was not yet randomised
  EXPECT_EQ(cut->entries.at("infection").participant.size(), 1u);
  EXPECT_EQ(cut->follow_up_end[0] - cut->randomisation.low[0], 9);
}

TEST(AsOf, NeedsCalendarDates) {
  TrialRecords records;
  const auto cut = as_of(records, Date{}, protocol::Protocol{});
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().message,
            "a data cut-off needs calendar dates, and the data have none: [source] names no column 'randomised'");
}

}  // namespace
}  // namespace equipoise::data
