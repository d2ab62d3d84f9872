#include "equipoise/data/queries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equipoise/core/text.h"
#include "equipoise/data/source.h"
#include "equipoise/protocol/load.h"

namespace equipoise::data {
namespace {

using testing::ElementsAre;

constexpr std::string_view trial = R"(format = 1
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
visit = [{ id = "baseline", day = 1, window = [0, 0], forms = ["lab"] }, { id = "w4", day = 29, window = [7, 7], forms = ["lab"] }]
any_time = ["fever"]
[form.lab]
cd4 = { kind = "number", unit = "/mm3", soft = [50, 1500] }
rna = { kind = "number", unit = "copies/mL", detection_limit = 20, soft = [20, 1000], required = true }
[form.fever]
onset = { kind = "date" }
peak = { kind = "number", unit = "Cel", soft = [37.5, 41], required = true }
seen_by = { kind = "text", required = true }
[analysis_set]
full = { rule = "randomised" }
[source]
participant = "id"
arm = { column = "arm", codes = { A = "control", B = "active" } }
)";

constexpr std::string_view fever = R"(
entry = [{ form = "fever", where = [{ column = "fever", is = "1" }], items = [{ item = "onset", column = "day", days_since_randomisation = true }, { item = "peak", column = "peak" }] }]
)";

std::vector<std::string> queries(std::string_view source, std::string csv) {
  const auto protocol = protocol::load(std::string(trial) + std::string(source), "p.toml");
  EXPECT_TRUE(protocol) << (protocol ? "" : to_string(protocol.error().front()));
  const auto table = read_csv(std::move(csv), "d.csv");
  if (!protocol || !table) return {"unread"};
  const auto records = read_source(*protocol, *table);
  EXPECT_TRUE(records) << (records ? "" : to_string(records.error().front()));
  std::vector<std::string> out;
  if (records)
    for (Query const& one : queries_of(*protocol, *records))
      out.push_back(fmt::format("{} {} {}/{}: {}", one.participant, one.item, one.visit, one.date, one.message));
  return out;
}

TEST(Queries, LookAtTheValuesOfVisits) {
  EXPECT_THAT(queries(R"(item = [
  { item = "cd4", column = "cd4", visit = "baseline" }, { item = "rna", column = "rna", visit = "baseline" },
  { item = "cd4", column = "late", visit = "w4" },
])",
                      "id,arm,cd4,rna,late\n1,A,49.5,<20,\n2,B,1500,,1501\n3,A,,,50\n4,B,,1000,\n"),
              ElementsAre("1 cd4 baseline/: 49.5 is outside the usual range 50 to 1500",
                          "2 cd4 w4/: 1501 is outside the usual range 50 to 1500",
                          "2 rna baseline/: 'rna' is required, and missing where other items of 'lab' were recorded"));
}

// Also the reading that no window takes (day 200), and both of one window.
TEST(Queries, LookAtEachDatedReading) {
  constexpr std::string_view dated = R"(rows = "visits"
day = "day"
item = [{ item = "cd4", column = "cd4" }]
)";
  EXPECT_THAT(queries(dated, "id,arm,day,cd4\n1,A,0,100\n1,A,27,10\n1,A,29,1600\n2,B,200,1501\n2,B,0,1500\n"),
              ElementsAre("1 cd4 /27 days since randomisation: 10 is outside the usual range 50 to 1500",
                          "1 cd4 /29 days since randomisation: 1600 is outside the usual range 50 to 1500",
                          "2 cd4 /200 days since randomisation: 1501 is outside the usual range 50 to 1500"));
  EXPECT_THAT(queries("randomised = \"from\"\n" + std::string(dated),
                      "id,arm,from,day,cd4\n1,A,2024-02-01,0,100\n1,A,2024-02-01,29,10\n"),
              ElementsAre("1 cd4 /2024-03-01: 10 is outside the usual range 50 to 1500"));
}

// What no column holds ('seen_by') is not asked for.
TEST(Queries, LookAtTheEntriesOfFormsWithoutAVisit) {
  EXPECT_THAT(
      queries("rows = \"visits\"\nday = \"day\"\nitem = [{ item = \"cd4\", column = \"cd4\" }]\n" + std::string(fever),
              "id,arm,day,cd4,fever,peak\n1,A,3,100,1,41.5\n1,A,1,,1,\n1,A,5,,1,38\n2,B,9,,0,50\n"),
      ElementsAre(
          "1 peak /1 days since randomisation: 'peak' is required, and missing where other items of 'fever' were recorded",
          "1 peak /3 days since randomisation: 41.5 is outside the usual range 37.5 to 41"));
}

}  // namespace
}  // namespace equipoise::data
