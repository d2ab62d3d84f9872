// A small trial with dated rows, worked by hand. Target days: baseline 0, week 4 28 (21..35), week 12 84 (70..98), week 24 168
// (154..182).
//
//   id arm      cd4 by day                             events          change at w4, w12, w24, as measured
//   1  control  0: 100   28: 110   84: 120   168: 130                  10, 20, 30
//   2  control  0: 200   28: 210                       60 study_stop   10, none, none
//   3  active   0: 150             84: 180   168: 190                  none, 30, 40
//   4  active   0: 140   28: 150   80: 160 and 90: 170  100 rescue     10, 20 (day 80 is closer to 84), 80
//               168: 220
//   5  active   0: 120   30: 130   84: 140             120 death       10, 20, none
//   6  control  0: 300                                                 none, none, none
//   7  active   0: 110   28: 115   84: 125             84 study_stop   5, 15, none

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/data/derive.h"
#include "equipoise/data/source.h"
#include "equipoise/protocol/load.h"

namespace equipoise::data {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::NanSensitiveDoubleEq;
using testing::Not;
using testing::Pointwise;

constexpr double na = missing_number;

constexpr std::string_view protocol_text = R"toml(format = 1
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
  { id = "baseline", day = 1, window = [0, 0], forms = ["lab", "entry"] },
  { id = "w4", day = 29, window = [7, 7], forms = ["lab"] },
  { id = "w12", day = 85, window = [14, 14], forms = ["lab"] },
  { id = "w24", day = 169, window = [14, 14], forms = ["lab"], label = "Week 24" },
]
any_time = ["event_log"]
[form.entry]
cd8 = { kind = "number", unit = "/mm3" }
sex = { kind = "code", codes = [["F"], ["M"]] }
[form.lab]
cd4 = { kind = "number", unit = "/mm3" }
rna = { kind = "number", unit = "copies/mL", detection_limit = 20 }
[form.event_log]
what = { kind = "code", codes = [["study_stop", "Left the study"], ["rescue", "Rescue"], ["death", "Death"]] }
when = { kind = "date" }
[derivation]
change = { rule = "cd4 - cd4@baseline" }
gain = { rule = "cd4 >= cd4@baseline + 20" }
[analysis_set]
full = { rule = "randomised" }
[[endpoint]]
id = "cd4_change"
level = "primary"
kind = "continuous"
variable = "change"
visits = ["w24", "w4", "w12"]
at = "w24"
[[endpoint]]
id = "cd4_value"
level = "secondary"
kind = "continuous"
variable = "cd4"
transform = "log"
visits = ["w4", "w12", "w24"]
[[endpoint]]
id = "load"
level = "secondary"
kind = "continuous"
variable = "rna"
visits = ["w4", "w12"]
[[endpoint]]
id = "gained"
level = "secondary"
kind = "binary"
variable = "gain"
visits = ["w4", "w12", "w24"]
[[estimand]]
id = "hypothetical"
objective = "o"
population = "p"
set = "full"
endpoint = "cd4_change"
summary = "difference_in_means"
treatment = { compare = ["active"], against = "control" }
intercurrent = [
  { event = "rescue", strategy = "hypothetical", handling = "missing_at_random" },
  { event = "study_stop", strategy = "treatment_policy" },
  { event = "death", strategy = "composite", value = 0 },
]
[[estimand]]
id = "while"
objective = "o"
population = "p"
set = "full"
endpoint = "cd4_change"
summary = "difference_in_means"
treatment = { compare = ["active"], against = "control" }
intercurrent = [
  { event = "rescue", strategy = "while_on_treatment" },
  { event = "death", strategy = "while_on_treatment" },
]
[[estimand]]
id = "response"
objective = "o"
population = "p"
set = "full"
endpoint = "gained"
summary = "odds_ratio"
treatment = { compare = ["active"], against = "control" }
intercurrent = [{ event = "death", strategy = "composite", value = "never" }]
[source]
rows = "visits"
participant = "id"
arm = { column = "arm", codes = { C = "control", A = "active" } }
randomised = "start"
day = "day"
item = [
  { item = "cd4", column = "cd4" },
  { item = "rna", column = "rna" },
  { item = "cd8", visit = "baseline", column = "cd8" },
  { item = "sex", visit = "baseline", column = "sex" },
]
entry = [
  { form = "event_log", where = [{ column = "event", is = "study_stop" }], items = [{ item = "what", is = "study_stop" }, { item = "when", column = "day", days_since_randomisation = true }] },
  { form = "event_log", where = [{ column = "event", is = "rescue" }], items = [{ item = "what", is = "rescue" }, { item = "when", column = "day", days_since_randomisation = true }] },
  { form = "event_log", where = [{ column = "event", is = "death" }], items = [{ item = "what", is = "death" }, { item = "when", column = "day", days_since_randomisation = true }] },
]
)toml";

constexpr std::string_view data_text = R"(id,arm,start,day,cd4,rna,cd8,sex,event
1,C,2020-06-01,0,100,,800,F,
1,C,2020-06-01,28,110,<20,800,F,
1,C,2020-06-01,84,120,40,800,F,
1,C,2020-06-01,168,130,,800,F,
2,C,2020-01-01,0,200,,0,M,
2,C,2020-01-01,28,210,30,0,M,
2,C,2020-01-01,60,,,0,M,study_stop
3,A,2020-01-01,0,150,,400,F,
3,A,2020-01-01,84,180,,400,F,
3,A,2020-01-01,168,190,,400,F,
4,A,2020-01-01,0,140,,500,M,
4,A,2020-01-01,28,150,,500,M,
4,A,2020-01-01,80,160,,500,M,
4,A,2020-01-01,90,170,,500,M,
4,A,2020-01-01,100,,,500,M,rescue
4,A,2020-01-01,168,220,,500,M,
5,A,2020-01-01,0,120,,600,F,
5,A,2020-01-01,30,130,,600,F,
5,A,2020-01-01,84,140,,600,F,
5,A,2020-01-01,120,,,600,F,death
6,C,2020-01-01,0,300,,700,M,
7,A,2020-01-01,0,110,,,F,
7,A,2020-01-01,28,115,,,F,
7,A,2020-01-01,84,125,,,F,
7,A,2020-01-01,84,,,,F,study_stop
)";

struct Trial {
  protocol::Protocol protocol;
  TrialRecords records;

  explicit Trial(std::optional<std::string_view> cutoff = {}) {
    auto loaded = protocol::load(protocol_text, "p.toml");
    EXPECT_TRUE(loaded) << (loaded ? "" : to_string(loaded.error().front()));
    const auto table = read_csv(std::string(data_text), "d.csv");
    if (!loaded || !table) return;
    protocol = *loaded;
    auto read = read_source(protocol, *table);
    EXPECT_TRUE(read) << (read ? "" : to_string(read.error().front()));
    if (read) records = std::move(*read);
    if (cutoff) records = *as_of(std::move(records), to_partial_date(*cutoff)->earliest, protocol);
  }

  AnalysisData make(Recipe const& recipe) const {
    auto made = analysis_dataset(TrialTables(protocol, records), recipe);
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    return made ? std::move(*made) : AnalysisData{};
  }
};

Recipe change(std::string estimand = "") {
  return {.set = "full", .endpoint = "cd4_change", .estimand = std::move(estimand), .visits = {"w4", "w12", "w24"}};
}

void expect_numbers(AnalysisData const& made, std::string_view column, std::vector<double> const& wanted) {
  ASSERT_TRUE(made.dataset.find(column)) << column;
  EXPECT_THAT(made.dataset.find(column)->numbers, Pointwise(NanSensitiveDoubleEq(), wanted)) << column;
}

TEST(LongForm, HasARowForEveryPlannedVisitOfEveryParticipant) {
  const Trial trial;
  const AnalysisData made = trial.make(change());
  EXPECT_EQ(made.participants, 7);
  EXPECT_EQ(made.dataset.rows(), 21u);
  expect_numbers(made, "response", {10, 20, 30, 10, na, na, na, 30, 40, 10, 20, 80, 10, 20, na, na, na, na, 5, 15, na});
  EXPECT_THAT(made.dataset.find("visit")->levels, ElementsAre("w4", "w12", "w24"));
  EXPECT_EQ(made.dataset.find("visit")->codes,
            (std::vector<std::int32_t>{0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2}));
  EXPECT_THAT(made.dataset.find("arm")->levels, ElementsAre("active", "control"));
  EXPECT_EQ(made.dataset.find("arm")->codes[0], 1);
  EXPECT_EQ(made.dataset.find("participant")->codes[5], 1);
  EXPECT_THAT(made.notes, Contains("13 of 21 responses of 7 participants at 3 visits are there; 1 participant has none."));
  EXPECT_THAT(made.notes, Contains(HasSubstr("1 window had several")));
}

TEST(LongForm, SchemaIsThatOfTheDataSet) {
  const Trial trial;
  Recipe recipe = change("hypothetical");
  recipe.covariates = {"cd4@baseline", "log(cd8@baseline)", "sex@baseline", "visit_day", "target_day", "rna"};
  recipe.ice = true;
  Problems problems;
  const Schema wanted = schema(trial.protocol, recipe, {}, problems);
  EXPECT_TRUE(problems.empty()) << (problems.empty() ? "" : to_string(problems.front()));
  Schema made = trial.make(recipe).dataset.schema();
  made.front().levels.clear();  // participants are known only with the data
  EXPECT_EQ(made, wanted);
}

TEST(LongForm, CarriesOutStrategiesVisitByVisit) {
  const Trial trial;
  const AnalysisData made = trial.make(change("hypothetical"));
  expect_numbers(made, "response", {10, 20, 30, 10, na, na, na, 30, 40, 10, 20, na, 10, 20, 0, na, na, na, 5, 15, na});
  const TypedColumn& response = *made.dataset.find("response");
  EXPECT_EQ(response.missing[11], Missing::after_intercurrent_event);
  EXPECT_EQ(response.missing[4], Missing::not_recorded);
  EXPECT_THAT(made.notes,
              Contains("Hypothetical strategy for \"Rescue\": 1 value of 1 participant after it is not used, and taken as "
                       "missing at random."));
  EXPECT_THAT(made.notes, Contains("Composite strategy for \"Death\": 1 value of 1 participant is 0 from it on."));
}

TEST(LongForm, KeepsTheLastValueOnTreatment) {
  const Trial trial;
  expect_numbers(trial.make(change("while")), "response",
                 {10, 20, 30, 10, na, na, na, 30, 40, 10, 20, 20, 10, 20, 20, na, na, na, 5, 15, na});
  Recipe one = change("while");  // of one row a participant the same
  one.visits.clear();
  expect_numbers(trial.make(one), "response", {30, na, 40, 20, 20, na, na});
}

TEST(LongForm, ReadsYesOrNoAtEveryVisit) {
  const Trial trial;
  const Recipe recipe{.set = "full", .endpoint = "gained", .estimand = "response", .visits = {"w4", "w12", "w24"}};
  expect_numbers(trial.make(recipe), "response", {0, 1, 1, 0, na, na, na, 1, 1, 0, 1, 1, 0, 1, 0, na, na, na, 0, 0, na});
}

TEST(LongForm, MarksVisitsAfterTheEvent) {
  const Trial trial;
  Recipe recipe = change();
  recipe.ice = true;
  expect_numbers(trial.make(recipe), "ice", std::vector<double>(21, 0));
  recipe.after = "study_stop";
  // Participant 7 left on the day of week 12 and has a value of that day: it came first.
  const AnalysisData made = trial.make(recipe);
  expect_numbers(made, "ice", {0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  EXPECT_THAT(made.notes,
              Contains("\"Left the study\": 2 participants with it, 3 visits after it; 5 responses are missing elsewhere."));
}

TEST(LongForm, TellsTheEventsApart) {
  const Trial trial;
  Recipe recipe = change();
  recipe.ice = true, recipe.reasons = {"rescue", "study_stop"};
  const AnalysisData made = trial.make(recipe);
  const TypedColumn& reason = *made.dataset.find("ice_reason");
  EXPECT_THAT(reason.levels, ElementsAre("rescue", "study_stop", "no_event"));
  std::vector<std::int32_t> of_people;
  for (std::size_t row = 0; row < reason.codes.size(); row += 3) {
    of_people.push_back(reason.codes[row]);
    for (std::size_t v = 1; v < 3; ++v) EXPECT_EQ(reason.codes[row + v], reason.codes[row]);
  }
  // By the file: participants 2 and 7 left, and one had rescue.
  EXPECT_EQ(of_people[1], 1);
  EXPECT_EQ(of_people[6], 1);
  EXPECT_EQ(std::ranges::count(of_people, 0), 1);
  EXPECT_EQ(std::ranges::count(of_people, 2), 4);
  EXPECT_THAT(made.notes, Contains(HasSubstr("1 participant with it first, \"Left the study\": 2 participants with it first, ")));
}

TEST(LongForm, AMissedVisitWhoseWindowWasStillOpenLiesAfterTheEvent) {
  const Trial trial;
  TrialRecords records = trial.records;
  // Participant 2 leaves on day 98, the last of the window of week 12; on day 99 it is over.
  auto& log = records.entries.at("event_log");
  for (std::size_t row = 0; row < log.participant.size(); ++row)
    if (log.participant[row] == 1) log.date.low[row] = records.randomisation.low[1] + 98;
  Recipe recipe = change();
  recipe.ice = true, recipe.after = "study_stop";
  const auto ice = [&] {
    const auto made = analysis_dataset(TrialTables(trial.protocol, records), recipe);
    return std::vector<double>(made->dataset.find("ice")->numbers.begin() + 3, made->dataset.find("ice")->numbers.begin() + 6);
  };
  EXPECT_THAT(ice(), ElementsAre(0, 1, 1));
  for (std::size_t row = 0; row < log.participant.size(); ++row)
    if (log.participant[row] == 1) log.date.low[row] += 1;
  EXPECT_THAT(ice(), ElementsAre(0, 0, 1));
}

TEST(LongForm, ReadsCovariatesOfTheParticipantAndOfTheRow) {
  const Trial trial;
  Recipe recipe{
      .set = "full",
      .endpoint = "cd4_value",
      .covariates = {"cd4@baseline", "log(cd8@baseline)", "sqrt(cd8@baseline)", "sex@baseline", "visit_day", "target_day", "rna"},
      .visits = {"w4", "w12"}};
  const AnalysisData made = trial.make(recipe);
  expect_numbers(made, "cd4@baseline", {100, 100, 200, 200, 150, 150, 140, 140, 120, 120, 300, 300, 110, 110});
  expect_numbers(made, "log(cd8@baseline)",
                 {std::log(800), std::log(800), na, na, std::log(400), std::log(400), std::log(500), std::log(500), std::log(600),
                  std::log(600), std::log(700), std::log(700), na, na});
  EXPECT_EQ(made.dataset.find("sqrt(cd8@baseline)")->numbers[2], 0.0);
  EXPECT_THAT(made.notes, Contains("2 rows have no log(cd8@baseline): the value is not above 0."));
  expect_numbers(made, "visit_day", {28, 84, 28, 84, 28, 84, 28, 80, 30, 84, 28, 84, 28, 84});
  expect_numbers(made, "target_day", {28, 84, 28, 84, 28, 84, 28, 84, 28, 84, 28, 84, 28, 84});
  expect_numbers(made, "rna", {na, 40, 30, na, na, na, na, na, na, na, na, na, na, na});
  EXPECT_EQ(made.dataset.find("sex@baseline")->codes[2], 1);
  expect_numbers(made, "response",
                 {std::log(110), std::log(120), std::log(210), na, na, std::log(180), std::log(150), std::log(160), std::log(130),
                  std::log(140), na, na, std::log(115), std::log(125)});
}

TEST(LongForm, LeavesOutValuesBeyondALimitWithoutARule) {
  const Trial trial;
  const AnalysisData made = trial.make({.set = "full", .endpoint = "load", .visits = {"w4", "w12"}});
  EXPECT_TRUE(std::isnan(made.dataset.find("response")->numbers[0]));
  EXPECT_THAT(made.notes, Contains("1 value is known only as below or above a limit and is left out."));
}

TEST(LongForm, PutsEverybodyInTheControlArmAtAConstrainedBaseline) {
  const Trial trial;
  const AnalysisData made =
      trial.make({.set = "full", .endpoint = "cd4_value", .visits = {"baseline", "w4"}, .common_baseline = "control"});
  const std::int32_t active = 0, control = 1;
  EXPECT_EQ(made.dataset.find("arm")->codes,
            (std::vector<std::int32_t>{control, control, control, control, control, active, control, active, control, active,
                                       control, control, control, active}));
  EXPECT_EQ(made.dataset.find("assigned_arm")->codes,
            (std::vector<std::int32_t>{control, control, control, control, active, active, active, active, active, active,
                                       control, control, active, active}));
  EXPECT_EQ(made.dataset.find("response")->numbers[0], std::log(100));
}

TEST(LongForm, NoEventReachesBaseline) {
  const Trial trial;
  TrialRecords records = trial.records;
  auto& log = records.entries.at("event_log");
  for (std::size_t row = 0; row < log.participant.size(); ++row)
    if (log.participant[row] == 4) log.date.low[row] = records.randomisation.low[4];  // participant 5 dies on day 0
  Recipe recipe = change("hypothetical");
  recipe.visits = {"baseline", "w4"};
  const auto made = analysis_dataset(TrialTables(trial.protocol, records), recipe);
  ASSERT_TRUE(made);
  EXPECT_THAT(made->notes, Contains("Composite strategy for \"Death\": 1 value of 1 participant is 0 from it on."));
}

TEST(LongForm, TellsWhatWasNotDueFromWhatIsMissing) {
  const Trial trial("2020-09-10");  // day 101 of participant 1, after everything of the others
  const AnalysisData made = trial.make(change());
  EXPECT_EQ(made.dataset.find("response")->missing[2], Missing::after_cutoff);
  EXPECT_EQ(made.dataset.find("response")->missing[4], Missing::not_recorded);
  EXPECT_THAT(made.notes,
              Contains("12 of 21 responses of 7 participants at 3 visits are there; 1 was not due at the data cut-off; 1 "
                       "participant has none."));
}

TEST(OneValue, CarriesTheLastObservationForwardAndSaysSo) {
  const Trial trial;
  Recipe recipe = change();
  recipe.visits.clear(), recipe.carry_forward = true;
  const AnalysisData made = trial.make(recipe);
  expect_numbers(made, "response", {30, 10, 40, 80, 20, na, 15});
  EXPECT_THAT(made.notes,
              Contains("Last observation carried forward: without a value at Week 24, 3 participants count with the last one "
                       "at a visit before it and after randomisation; 1 has none and is left out. This is no estimate of what "
                       "would have been seen."));
  recipe.carry_forward = false;
  EXPECT_THAT(trial.make(recipe).notes, Each(Not(HasSubstr("carried forward"))));
}

TEST(OneValue, IsThatOfTheVisitInTheLongForm) {
  const Trial trial;
  for (std::string const estimand : {"", "while", "hypothetical"}) {
    Recipe one = change(estimand);
    one.visits.clear();
    const AnalysisData by_visit = trial.make(change(estimand)), alone = trial.make(one);
    std::vector<double> last;
    for (std::size_t row = 2; row < by_visit.dataset.rows(); row += 3)
      last.push_back(by_visit.dataset.find("response")->numbers[row]);
    expect_numbers(alone, "response", last);
  }
}

TEST(Recipe, NamesCovariates) {
  const auto name = covariate_name("log(cd8@baseline)");
  EXPECT_EQ(std::tuple(name.transform, name.item, name.visit), std::tuple("log", "cd8", "baseline"));
  const auto bare = covariate_name("site");
  EXPECT_EQ(std::tuple(bare.transform, bare.item, bare.visit), std::tuple("", "site", ""));
}

TEST(Recipe, FindsTheBaselineOfAChange) {
  const Trial trial;
  EXPECT_EQ(baseline_of_change(trial.protocol, *trial.protocol.endpoint("cd4_change")), "cd4@baseline");
  EXPECT_FALSE(baseline_of_change(trial.protocol, *trial.protocol.endpoint("cd4_value")));
}

TEST(Recipe, ReportsCovariatesThatDoNotResolve) {
  const Trial trial;
  const auto problem = [&](std::string covariate, bool by_visit) {
    Recipe recipe = change();
    if (!by_visit) recipe.visits.clear();
    recipe.covariates = {std::move(covariate)};
    Problems problems;
    schema(trial.protocol, recipe, {}, problems);
    return problems.empty() ? std::string() : problems.front().message;
  };
  EXPECT_EQ(problem("cd4", true), "");
  EXPECT_EQ(problem("cd8", true), "'cd8' is not collected at visit 'w4'");
  EXPECT_EQ(problem("cd4", false), "say at which visit 'cd4' is read: 'cd4@visit'");
  EXPECT_EQ(problem("visit_day", false), "there is no item or derivation 'visit_day'");
  EXPECT_EQ(problem("log(sex@baseline)", true), "'sex' is a category, and the logarithm is of numbers");
  EXPECT_EQ(problem("log(cd9@baseline)", true), "there is no item or derivation 'cd9'");
}

}  // namespace
}  // namespace equipoise::data
