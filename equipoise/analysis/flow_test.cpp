#include "equipoise/analysis/flow.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equipoise/data/source.h"
#include "equipoise/protocol/load.h"

namespace equipoise::analysis {
namespace {

using testing::ElementsAre;

constexpr std::string_view text = R"toml(format = 1
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
visit = [{ id = "baseline", day = 1, forms = ["entry"] }]
any_time = ["event_log"]
ends_participation = ["lost", "death"]
[form.entry]
age = { kind = "integer", unit = "a" }
rna = { kind = "number", unit = "copies/mL", detection_limit = 20 }
sex = { kind = "code", codes = [["F"], ["M"]] }
[form.event_log]
what = { kind = "code", codes = [["rescue", "Rescue"], ["lost", "Lost"], ["death", "Death"]] }
when = { kind = "date" }
[analysis_set]
full = { rule = "randomised" }
women = { rule = "randomised and sex@baseline == 'F'" }
[report]
baseline = ["age@baseline", "rna@baseline", "sex@baseline"]
[source]
participant = "id"
arm = { column = "arm", codes = { A = "control", B = "active" } }
randomised = "date"
item = [{ item = "age", column = "age" }, { item = "rna", column = "rna" }, { item = "sex", column = "sex" }]
entry = [
  { form = "event_log", where = [{ column = "e1", is = "lost" }], items = [{ item = "what", is = "lost" }, { item = "when", column = "d1" }] },
  { form = "event_log", where = [{ column = "e1", is = "rescue" }], items = [{ item = "what", is = "rescue" }, { item = "when", column = "d1" }] },
  { form = "event_log", where = [{ column = "e2", is = "death" }], items = [{ item = "what", is = "death" }, { item = "when", column = "d2" }] },
]
)toml";

// 1 rescued only; 2 lost, then dead; 3 and 4 to the end; 5 dead; 6 of unknown sex; 7 never randomised.
constexpr std::string_view csv = "id,arm,date,age,rna,sex,e1,d1,e2,d2\n"
                                 "1,A,2020-01-01,30,<20,F,rescue,2020-02-01,,\n"
                                 "2,A,2020-01-01,40,50,M,lost,2020-03-01,death,2020-04-01\n"
                                 "3,A,2020-01-01,,70,F,,,,\n"
                                 "4,B,2020-01-01,50,90,M,,,,\n"
                                 "5,B,2020-01-01,60,<20,F,,,death,2020-05-01\n"
                                 "6,B,2020-01-01,70,30,,,,,\n"
                                 "7,,,80,10,F,,,,\n";

class Flow : public testing::Test {
 protected:
  void SetUp() override {
    auto loaded = protocol::load(text, "p.toml");
    ASSERT_TRUE(loaded) << to_string(loaded.error().front());
    protocol_ = std::move(*loaded);
    const auto table = data::read_csv(std::string(csv), "d.csv");
    ASSERT_TRUE(table);
    auto records = data::read_source(protocol_, *table);
    ASSERT_TRUE(records) << to_string(records.error().front());
    records_ = std::move(*records);
  }

  protocol::Protocol protocol_;
  data::TrialRecords records_;
};

TEST_F(Flow, PutsEverybodyIntoOneBoxOfEachRow) {
  const auto flow = participant_flow(data::TrialTables(protocol_, records_));
  ASSERT_EQ(flow.size(), 2u);
  for (results::FlowArm const& arm : flow) {
    std::int64_t left = 0;
    for (results::Count const& reason : arm.left) left += reason.n;
    EXPECT_EQ(arm.randomised, arm.completed + left) << arm.arm;
    for (results::FlowArm::Set const& set : arm.sets) {
      std::int64_t out = 0;
      for (results::Count const& reason : set.excluded) out += reason.n;
      EXPECT_EQ(arm.randomised, set.n + out) << arm.arm << ", " << set.id;
    }
  }
}

TEST_F(Flow, CountsTheFirstEventThatEndsParticipationAndKeepsReasonsOfNobody) {
  const auto flow = participant_flow(data::TrialTables(protocol_, records_));
  const auto reasons = [](results::FlowArm const& arm) {
    std::vector<std::pair<std::string, std::int64_t>> out;
    for (results::Count const& reason : arm.left) out.emplace_back(reason.label, reason.n);
    return out;
  };
  EXPECT_THAT(reasons(flow[0]), ElementsAre(std::pair("Lost", 1), std::pair("Death", 0)));  // lost first; a rescue ends nothing
  EXPECT_THAT(reasons(flow[1]), ElementsAre(std::pair("Lost", 0), std::pair("Death", 1)));
  EXPECT_EQ(flow[0].completed, 2);
  EXPECT_EQ(flow[1].completed, 2);
  EXPECT_EQ(flow[0].sets[1].n, 2);
  EXPECT_EQ(flow[1].sets[1].n, 1);  // of unknown sex: not known to be in, so out
}

TEST_F(Flow, SummarisesBaselineAmongTheRandomised) {
  const auto table = baseline_table(data::TrialTables(protocol_, records_));
  ASSERT_EQ(table.size(), 3u);
  results::BaselineItem const &age = table[0], &rna = table[1], &sex = table[2];
  ASSERT_EQ(age.cells.size(), 3u);  // two arms, then all
  EXPECT_EQ(age.cells[0].n, 2);
  EXPECT_EQ(age.cells[0].missing, 1);
  EXPECT_EQ(age.cells[0].mean, 35);
  EXPECT_EQ(age.cells[2].mean, 50);  // 30 40 50 60 70; the 80 of participant 7 does not count
  EXPECT_EQ(rna.cells[2].n, 4);
  EXPECT_EQ(rna.cells[2].bounded, 2);
  EXPECT_EQ(rna.cells[2].missing, 0);
  EXPECT_EQ(rna.cells[2].mean, 60);
  EXPECT_TRUE(sex.categorical);
  EXPECT_THAT(sex.levels, ElementsAre("F", "M"));
  EXPECT_THAT(sex.cells[2].counts, ElementsAre(3, 2));
  EXPECT_EQ(sex.cells[2].missing, 1);
}

TEST_F(Flow, SummarisesWhatIsRecordedOnlyWhereAnInterventionIsGiven) {
  EXPECT_TRUE(exposure_table(data::TrialTables(protocol_, records_)).empty());
  protocol::Intervention drug;
  drug.id = "drug", drug.visits = {"baseline"};
  protocol_.interventions = {drug};
  const auto table = exposure_table(data::TrialTables(protocol_, records_));
  ASSERT_EQ(table.size(), 3u);  // the items of the form at that visit; none of the log of events
  EXPECT_EQ(table[0].item, "age@baseline");
  EXPECT_EQ(table[2].item, "sex@baseline");
  EXPECT_THAT(table[2].cells[2].counts, ElementsAre(3, 2));
  protocol_.interventions[0].visits = {"later"};
  EXPECT_TRUE(exposure_table(data::TrialTables(protocol_, records_)).empty());
}

}  // namespace
}  // namespace equipoise::analysis
