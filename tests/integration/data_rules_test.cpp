// A small trial with dated rows, from file to results: every rule of data handling at once, worked by hand.
//
// Target days after randomisation: baseline 0, window -14..0; week 4 28, window 21..35. nominal = closest, then the earlier.
// Baseline: the last value on or before randomisation. HIV RNA below its limit counts as half the limit. Logarithms of RNA.
//
//   id arm   cd4 by day                         baseline     week 4                      change
//   1  A     -20: 100   -3: 110   28: 150       110          150                           40
//   2  A     -20: 120   25: 130   31: 160       120 (day -20, before the visit's window)   130 (3 days each: the earlier)   10
//   3  B      0: 200    22: 260   27: 250       200          250                           50
//   4  B     -1: 210    40: 300                 210          none (day 40 is outside)      missing
//   5  B     -2: 190    28: 270                 190          270                           80
//
//   id  rna at week 4   as a number   logarithm
//   1   <20             10            log 10        A: (log 10 + log 1000) / 2 = log 100
//   2   1000            1000          log 1000
//   3   <50             25            log 25        B: (log 25 + log 4 + log 10) / 3 = log 10
//   4   4 (day 28)      4             log 4         ratio of geometric means, B over A: 10 / 100 = 0.1
//   5   10              10            log 10
//
// Change: A (40 + 10) / 2 = 25, B (50 + 80) / 2 = 65, difference 40.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/analysis/run.h"
#include "equipoise/data/derive.h"
#include "equipoise/data/source.h"
#include "equipoise/study/study.h"

namespace equipoise {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::NanSensitiveDoubleEq;

constexpr std::string_view protocol_text = R"toml(format = 1
[trial]
id = "rules"
title = "Rules of data handling"
version = "1"
[[arm]]
id = "a"
role = "placebo_control"
[[arm]]
id = "b"
role = "investigational"
[schedule]
visit = [
  { id = "baseline", day = 1, window = [14, 0], forms = ["lab"] },
  { id = "w4", day = 29, window = [7, 7], forms = ["lab"] },
]
nominal = "closest"
baseline = { visit = "baseline", rule = "last" }
[form.lab]
cd4 = { kind = "number", unit = "/mm3", label = "CD4" }
rna = { kind = "number", unit = "copies/mL", detection_limit = 20, below_limit = "half", label = "HIV RNA" }
[derivation]
change = { rule = "cd4 - cd4@baseline" }
suppressed = { rule = "rna < 20" }
[analysis_set]
full = { rule = "randomised" }
[[endpoint]]
id = "cd4_change"
level = "primary"
kind = "continuous"
variable = "change"
at = "w4"
benefit = "higher"
[[endpoint]]
id = "load"
level = "secondary"
kind = "continuous"
variable = "rna"
transform = "log"
at = "w4"
[[endpoint]]
id = "undetected"
level = "secondary"
kind = "binary"
variable = "suppressed"
at = "w4"
[[analysis]]
id = "a1"
endpoint = "cd4_change"
set = "full"
role = "primary"
method = "t_test"
variance = "pooled"
[[analysis]]
id = "a2"
endpoint = "load"
set = "full"
role = "secondary"
method = "t_test"
variance = "pooled"
[report]
baseline = ["cd4@baseline"]
[source]
rows = "visits"
participant = "id"
arm = { column = "arm", codes = { A = "a", B = "b" } }
day = "day"
item = [
  { item = "cd4", column = "value", where = [{ column = "test", is = "CD4" }] },
  { item = "rna", column = "value", where = [{ column = "test", is = "RNA" }] },
]
)toml";

constexpr std::string_view data_text = R"(id,arm,day,test,value
1,A,-20,CD4,100
1,A,-3,CD4,110
1,A,28,CD4,150
1,A,28,RNA,<20
2,A,-20,CD4,120
2,A,25,CD4,130
2,A,31,CD4,160
2,A,28,RNA,1000
3,B,0,CD4,200
3,B,22,CD4,260
3,B,27,CD4,250
3,B,28,RNA,<50
4,B,-1,CD4,210
4,B,40,CD4,300
4,B,28,RNA,4
5,B,-2,CD4,190
5,B,28,CD4,270
5,B,28,RNA,10
)";

struct Trial {
  study::Study study;
  data::TrialRecords records;

  Trial() {
    auto loaded = study::load(protocol_text, "p.toml");
    EXPECT_TRUE(loaded) << (loaded ? "" : to_string(loaded.error().front()));
    const auto table = data::read_csv(std::string(data_text), "d.csv");
    if (!loaded || !table) return;
    study = std::move(*loaded);
    auto read = data::read_source(study.protocol, *table);
    EXPECT_TRUE(read) << (read ? "" : to_string(read.error().front()));
    if (read) records = std::move(*read);
  }
};

Finding const* find(results::Results const& results, std::string_view analysis, std::string_view quantity) {
  for (results::Record const& record : results.records)
    if (record.analysis == analysis && record.finding.quantity == quantity) return &record.finding;
  return nullptr;
}

TEST(DataRules, MakeTheDataSetThatHandsMake) {
  const Trial trial;
  const data::TrialTables tables(trial.study.protocol, trial.records);
  const auto change = data::analysis_dataset(tables, {.set = "full", .endpoint = "cd4_change", .covariates = {"cd4@baseline"}});
  ASSERT_TRUE(change) << change.error().message;
  EXPECT_THAT(change->dataset.find("cd4@baseline")->numbers, ElementsAre(110, 120, 200, 210, 190));
  EXPECT_THAT(change->dataset.find("response")->numbers, ElementsAre(40, 10, 50, NanSensitiveDoubleEq(missing_number), 80));
  EXPECT_THAT(change->notes,
              Contains("CD4 at baseline is the last value on or before the day of randomisation; of 1 participant from "
                       "before the baseline visit."));
  EXPECT_THAT(
      change->notes,
      Contains("CD4: of several values in the window of a visit the closest to the target day counts, of two equally close the "
               "earlier (2 windows had several); 3 values outside the windows are not used, baseline apart."));
}

TEST(DataRules, CountAValueBelowTheLimitAsTheRuleSaysAndJudgeItByItsLimit) {
  const Trial trial;
  const data::TrialTables tables(trial.study.protocol, trial.records);
  const auto load = data::analysis_dataset(tables, {.set = "full", .endpoint = "load", .covariates = {"rna@w4"}});
  ASSERT_TRUE(load) << load.error().message;
  EXPECT_THAT(load->dataset.find("rna@w4")->numbers, ElementsAre(10, 1000, 25, 4, 10));
  EXPECT_THAT(load->dataset.find("response")->numbers,
              ElementsAre(std::log(10.0), std::log(1000.0), std::log(25.0), std::log(4.0), std::log(10.0)));
  EXPECT_THAT(load->notes, Contains("HIV RNA at w4: 2 values below a limit of detection count as half the limit."));
  EXPECT_THAT(load->notes,
              Contains("The response is analysed as its natural logarithm: means are logarithms of geometric means, and a "
                       "difference is the logarithm of their ratio."));
  // "<20" is below 20; of "<50" it is not known, though it counts as 25 in a mean.
  const auto undetected = data::analysis_dataset(tables, {.set = "full", .endpoint = "undetected"});
  EXPECT_THAT(undetected->dataset.find("response")->numbers, ElementsAre(1, 0, NanSensitiveDoubleEq(missing_number), 1, 1));
}

TEST(DataRules, ReachTheResults) {
  const Trial trial;
  const data::TrialTables tables(trial.study.protocol, trial.records);
  const results::Results results = analysis::run(trial.study.protocol, trial.study.plan, tables, {});
  const Finding* difference = find(results, "a1", "estimate");
  ASSERT_TRUE(difference);
  EXPECT_EQ(difference->value, 40);
  EXPECT_FALSE(find(results, "a1", "geometric_mean_ratio"));
  const Finding *logs = find(results, "a2", "estimate"), *ratio = find(results, "a2", "geometric_mean_ratio");
  ASSERT_TRUE(logs && ratio);
  const double rounding = 1e-14;  // five logarithms, sums of three and an exponential
  EXPECT_NEAR(logs->value, std::log(0.1), rounding);
  EXPECT_NEAR(ratio->value, 0.1, 0.1 * rounding);
  EXPECT_EQ(*ratio->lower, std::exp(*logs->lower));
  EXPECT_EQ(ratio->p, logs->p);
  ASSERT_EQ(results.baseline.size(), 1u);
  EXPECT_THAT(
      results.baseline[0].notes,
      ElementsAre("CD4 at baseline is the last value on or before the day of randomisation; of 1 participant from before the "
                  "baseline visit."));
  EXPECT_EQ(results.baseline[0].cells.back().mean, 166);  // (110 + 120 + 200 + 210 + 190) / 5
}

TEST(DataRules, KnowNothingAfterTheCutOff) {
  // With calendar dates, and a cut-off on the day after day 22: participant 3 then has 260 at week 4, the only value so far.
  std::string text(protocol_text), data = "id,arm,date,day,test,value\n";
  text.replace(text.find("day = \"day\""), 11, "day = \"day\"\nrandomised = \"date\"");
  data += "3,B,2020-01-01,0,CD4,200\n3,B,2020-01-01,22,CD4,260\n3,B,2020-01-01,27,CD4,250\n";
  const auto study = study::load(text, "p.toml");
  ASSERT_TRUE(study) << to_string(study.error().front());
  auto records = data::read_source(study->protocol, *data::read_csv(data, "d.csv"));
  ASSERT_TRUE(records) << to_string(records.error().front());
  EXPECT_EQ(records->items.at({"cd4", "w4"}).low[0], 250);
  const auto cut = data::as_of(std::move(*records), to_partial_date("2020-01-24")->earliest, study->protocol);
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->items.at({"cd4", "w4"}).low[0], 260);
  EXPECT_EQ(cut->items.at({"cd4", "baseline"}).low[0], 200);
}

}  // namespace
}  // namespace equipoise
