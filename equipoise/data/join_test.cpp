#include "equipoise/data/join.h"

#include <gtest/gtest.h>

#include "equipoise/data/formats/csv.h"
#include "equipoise/data/source.h"
#include "equipoise/protocol/load.h"

namespace equipoise::data {
namespace {

CellTable table(std::string csv, std::string file) { return std::move(read_csv(std::move(csv), std::move(file)).value()); }

/// BDS rows joined with a subject-level file.
protocol::Protocol with(std::string const& rows, std::string const& join) {
  std::string text = R"toml(format = 1
[trial]
id = "t"
title = "t"
version = "1"
[[arm]]
id = "a"
role = "placebo_control"
[[arm]]
id = "b"
role = "investigational"
[schedule]
visit = [{ id = "day1", day = 1, window = [0, 0], forms = ["person"] }, { id = "week", day = 8, window = [3, 3], forms = ["lab"] }]
[form.person]
age = { kind = "integer" }
[form.lab]
value = { kind = "number" }
[source]
rows = "ROWS"
participant = "USUBJID"
DAY
arm = { column = "adsl.TRT01P", codes = { "A" = "a", "B" = "b" } }
item = [{ item = "age", column = "adsl.AGE", visit = "day1" }, { item = "value", column = "AVAL"VISIT }]
join = [JOIN]
)toml";
  const auto put = [&](std::string const& what, std::string const& value) { text.replace(text.find(what), what.size(), value); };
  put("ROWS", rows), put("DAY", rows == "visits" ? "day = \"ADY\"" : ""), put("VISIT", rows == "visits" ? "" : ", visit = \"week\""), put("JOIN", join);
  auto loaded = protocol::load_all(text, "t.toml");
  EXPECT_TRUE(loaded.problems.empty()) << to_string(loaded.problems.front());
  return std::move(loaded.protocol);
}

std::vector<CellTable> one(CellTable made) {
  std::vector<CellTable> files;
  files.push_back(std::move(made));
  return files;
}

const std::string bds = "USUBJID,ADY,AVAL\np1,0,5\np1,7,6\np2,7,8\n";
const std::string adsl = "USUBJID,AGE,TRT01P\np2,60,B\np1,50,A\n";

std::string messages(Problems const& problems) {
  std::string all;
  for (Error const& problem : problems) all += to_string(problem) + "\n";
  return all;
}

TEST(Join, EachRowHasTheRowOfItsParticipant) {
  const auto protocol = with("visits", R"({ file = "adsl.csv" })");
  const std::vector<CellTable> files = one(table(adsl, "adsl.csv"));
  const auto made = with_joined(protocol, table(bds, "adbds.csv"), files);
  ASSERT_TRUE(made) << messages(made.error());
  EXPECT_EQ(made->header, (std::vector<std::string>{"USUBJID", "ADY", "AVAL", "adsl.USUBJID", "adsl.AGE", "adsl.TRT01P"}));
  EXPECT_EQ(made->cell(0, 4), "50");
  EXPECT_EQ(made->cell(1, 4), "50");
  EXPECT_EQ(made->cell(2, 5), "B");
  EXPECT_EQ(made->cell(2, 2), "8");
  EXPECT_EQ(made->line(2), 4u);
  const auto records = read_source(protocol, *made);
  ASSERT_TRUE(records) << messages(records.error());
  EXPECT_EQ(records->participants.size(), 2u);
}

// Who was randomised and never measured is in the subject-level file alone, and is a participant of the trial.
TEST(Join, SomebodyWithoutARowIsNotLost) {
  const auto protocol = with("visits", R"({ file = "adsl.csv" })");
  const std::vector<CellTable> files = one(table(adsl + "p3,70,B\n", "adsl.csv"));
  const auto made = with_joined(protocol, table(bds, "adbds.csv"), files);
  ASSERT_TRUE(made) << messages(made.error());
  ASSERT_EQ(made->rows(), 4u);
  EXPECT_EQ(made->cell(3, 0), "p3");
  EXPECT_EQ(made->cell(3, 2), "");
  EXPECT_EQ(made->cell(3, 4), "70");
  const auto records = read_source(protocol, *made);
  ASSERT_TRUE(records) << messages(records.error());
  EXPECT_EQ(records->participants.size(), 3u);
}

TEST(Join, WithOneRowAParticipantBothFilesHaveTheSamePeople) {
  const auto protocol = with("participants", R"({ file = "adsl.csv" })");
  const std::vector<CellTable> files = one(table(adsl + "p3,70,B\n", "adsl.csv"));
  const auto made = with_joined(protocol, table("USUBJID,AVAL\np1,5\np4,6\n", "ad.csv"), files);
  ASSERT_FALSE(made);
  EXPECT_EQ(messages(made.error()), "adsl.csv:2: column 'USUBJID': participant 'p2' has no row in 'ad.csv'\n"
                                    "adsl.csv:4: column 'USUBJID': participant 'p3' has no row in 'ad.csv'\n"
                                    "ad.csv:3: column 'USUBJID': participant 'p4' has no row in 'adsl.csv'\n");
}

TEST(Join, WhereLeavesOneRowAParticipant) {
  const std::string tte = "USUBJID,PARAMCD,AVAL,AGE,TRT01P\np1,TTDE,5,50,A\np1,OS,9,50,A\np2,TTDE,6,60,B\n";
  const std::vector<CellTable> files = one(table(tte, "adtte.csv"));
  const auto twice = with_joined(with("visits", R"({ file = "adtte.csv", as = "adsl" })"), table(bds, "adbds.csv"), files);
  ASSERT_FALSE(twice);
  EXPECT_EQ(messages(twice.error()), "adtte.csv:3: column 'USUBJID': participant 'p1' has another row, line 2: a joined file has one row a participant\n");
  const auto made = with_joined(with("visits", R"({ file = "adtte.csv", as = "adsl", where = [{ column = "PARAMCD", is = "TTDE" }] })"), table(bds, "adbds.csv"), files);
  ASSERT_TRUE(made) << messages(made.error());
  EXPECT_EQ(made->cell(0, 5), "5");
}

TEST(Join, ColumnsThatAreNotThereAreNamed) {
  const std::vector<CellTable> files = one(table("SUBJ,AGE\np1,50\n", "adsl.csv"));
  const auto made = with_joined(with("visits", R"({ file = "adsl.csv" })"), table("USUBJ,ADY,AVAL\np1,0,5\n", "adbds.csv"), files);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().size(), 2u) << messages(made.error());
}

}  // namespace
}  // namespace equipoise::data
