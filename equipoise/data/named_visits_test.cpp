// Rows that name their visit: SDTM's VISIT, an eCRF's folder. Worked by hand.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/data/source.h"
#include "equipoise/protocol/load.h"

namespace equipoise::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view protocol_text = R"(format = 1
[trial]
id = "t"
title = "A trial"
version = "1"
[[arm]]
id = "active"
role = "investigational"
[[arm]]
id = "control"
role = "placebo_control"
[schedule]
visit = [
  { id = "baseline", day = 1, forms = ["lab"] },
  { id = "w4", day = 29, window = [7, 7], forms = ["lab", "diary"] },
  { id = "w12", day = 85, window = [14, 14], forms = ["lab"] },
]
[form.lab]
cd4 = { kind = "number", unit = "/mm3" }
[form.diary]
well = { kind = "flag" }
[analysis_set]
full = { rule = "randomised" }
[source]
rows = "visits"
participant = "id"
arm = { column = "arm" }
randomised = "start"
day = "day"
visit = { column = "visit", codes = { "Week 4" = "w4", "Week 12" = "w12", BASELINE = "baseline" } }
missing = ["UNSCHEDULED"]
item = [{ item = "cd4", column = "value", where = [{ column = "test", is = "CD4" }] }, { item = "well", column = "well" }]
)";

constexpr std::string_view header = "id,arm,start,day,visit,test,value,well\n";

Checked<TrialRecords> read(std::string const& rows, protocol::Protocol& protocol) {
  auto loaded = protocol::load(protocol_text, "p.toml");
  if (!loaded) return fail(loaded.error());
  protocol = std::move(*loaded);
  const auto table = read_csv(std::string(header) + rows, "d.csv");
  if (!table) return fail(table.error());
  return read_source(protocol, *table);
}

std::vector<std::string> problems_of(std::string const& rows) {
  protocol::Protocol protocol;
  const auto records = read(rows, protocol);
  std::vector<std::string> messages;
  if (!records)
    for (Error const& error : records.error()) messages.push_back(to_string(error));
  return messages;
}

const std::string rows =
    "1,active,2020-01-01,2020-01-01,BASELINE,CD4,100,\n"
    "1,active,2020-01-01,60,Week 4,CD4,140,\n"  // far outside the window, and nearer to week 12
    "1,active,2020-01-01,62,Week 4,,,1\n"
    "1,active,2020-01-01,55,Week 4,,,1\n"
    "1,active,2020-01-01,100,w12,CD4,120,\n"  // an id needs no code; the day lies one day outside
    "2,control,2020-01-01,0,BASELINE,CD4,200,\n"
    "2,control,2020-01-01,,Week 12,CD4,220,\n"
    "2,control,2020-01-01,33,UNSCHEDULED,ALT,30,\n";

TEST(NamedVisits, TakeTheirValuesWhateverTheDay) {
  protocol::Protocol protocol;
  const auto records = read(rows, protocol);
  ASSERT_TRUE(records) << to_string(records.error().front());
  EXPECT_TRUE(records->readings.empty());
  EXPECT_EQ(records->items.at({"cd4", "baseline"}).low, (std::vector<double>{100, 200}));
  EXPECT_EQ(records->items.at({"cd4", "w4"}).low[0], 140);
  EXPECT_TRUE(records->items.at({"cd4", "w4"}).missing(1));
  EXPECT_EQ(records->items.at({"cd4", "w12"}).low, (std::vector<double>{120, 220}));
  EXPECT_EQ(records->items.at({"well", "w4"}).truth[0], expression::is_true);
  EXPECT_THAT(records->notes, ElementsAre("4 rows are on a day outside the window of the visit that they name: what was found "
                                          "then counts at that visit."));
  // The day of a visit is the one closest to its target; the target where the file has none.
  const TrialTables tables(protocol, *records);
  const double start = records->randomisation.low[0];
  EXPECT_EQ(tables.visit_date("w4").low[0], start + 55);
  EXPECT_EQ(tables.visit_date("w12").low, (std::vector<double>{start + 100, start + 84}));
}

TEST(NamedVisits, AreCutOffByTheirOwnDay) {
  protocol::Protocol protocol;
  auto records = read(rows, protocol);
  ASSERT_TRUE(records);
  const auto cut = as_of(std::move(*records), to_partial_date("2020-02-10")->earliest, protocol);  // day 40
  ASSERT_TRUE(cut);
  EXPECT_FALSE(cut->items.at({"cd4", "baseline"}).missing(0));
  EXPECT_TRUE(cut->items.at({"cd4", "w4"}).missing(0)) << "planned for day 28, and seen on day 55";
  EXPECT_TRUE(cut->items.at({"cd4", "w12"}).missing(1));
}

TEST(NamedVisits, TakeAnEqualValueTwiceAndNoOther) {
  const std::string first = "1,active,2020-01-01,28,Week 4,CD4,140,\n";
  EXPECT_THAT(problems_of(first + "1,active,2020-01-01,29,Week 4,CD4,140.0,\n"), IsEmpty());
  EXPECT_THAT(problems_of(first + "1,active,2020-01-01,29,Week 4,CD4,150,\n"),
              ElementsAre(HasSubstr("participant '1' has the value 150 of 'cd4' at visit 'w4' here, and 140 in line 2")));
}

TEST(NamedVisits, ReportWhatIsNoVisitAndWhatHasNone) {
  const auto one = problems_of("1,active,2020-01-01,28,Weak 4,CD4,140,\n");
  ASSERT_EQ(one.size(), 1u);
  EXPECT_THAT(one[0], HasSubstr("'Weak 4' is no visit"));
  EXPECT_THAT(one[0], HasSubstr("did you mean 'Week 4'?"));
  EXPECT_THAT(problems_of("1,active,2020-01-01,28,UNSCHEDULED,CD4,140,\n"),
              ElementsAre(HasSubstr("the value '140' of 'cd4' has no visit")));
  EXPECT_THAT(problems_of("1,active,2020-01-01,84,Week 12,,,1\n"),
              ElementsAre(HasSubstr("a value of 'well' at visit 'w12', which does not collect it")));
}

TEST(NamedVisits, BelongToRowsThatAreVisits) {
  std::string text(protocol_text);
  text.replace(text.find("rows = \"visits\""), 15, "rows = \"participants\"");
  const auto loaded = protocol::load(text, "p.toml");
  ASSERT_FALSE(loaded);
  std::string all;
  for (Error const& error : loaded.error()) all += to_string(error) + "\n";
  EXPECT_THAT(all, HasSubstr("'visit' of [source] names the visit of a row: it belongs to rows = \"visits\""));
}

}  // namespace
}  // namespace equipoise::data
