#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "equipoise/analysis/run.h"
#include "equipoise/data/source.h"
#include "equipoise/study/study.h"

// Rank and permutation methods from a protocol: pair by pair, over all arms, arm by arm, within strata, in the order of the
// doses.
namespace equipoise {
namespace {

using testing::HasSubstr;

constexpr std::string_view head = R"toml(format = 1
[trial]
id = "t"
title = "Three doses"
version = "1"
[[arm]]
id = "high"
role = "investigational"
dose = { amount = 10, unit = "mg" }
[[arm]]
id = "placebo"
role = "placebo_control"
dose = { amount = 0, unit = "mg" }
[[arm]]
id = "low"
role = "investigational"
dose = { amount = 2, unit = "mg" }
[schedule]
visit = [
  { id = "baseline", day = 1, forms = ["entry"] },
  { id = "w4", day = 29, window = [7, 7], forms = ["outcome"] },
]
[form.entry]
sex = { kind = "code", codes = [["F"], ["M"]] }
[form.outcome]
score = { kind = "number", unit = "1" }
days = { kind = "number", unit = "d" }
died = { kind = "flag" }
[analysis_set]
full = { rule = "randomised" }
[[endpoint]]
id = "score"
level = "primary"
kind = "continuous"
variable = "score"
at = "w4"
[[endpoint]]
id = "survival"
level = "secondary"
kind = "time_to_event"
time = "days@w4"
event = "died@w4"
)toml";

constexpr std::string_view source = R"toml([source]
participant = "id"
arm = { column = "arm", codes = { P = "placebo", L = "low", H = "high" } }
item = [
  { item = "sex", column = "sex" },
  { item = "score", column = "score" },
  { item = "days", column = "days" },
  { item = "died", column = "died" },
]
)toml";

constexpr std::string_view rows =
    "id,arm,sex,score,days,died\n"
    "1,P,F,-3,10,1\n2,P,F,-1,20,1\n3,P,M,2,30,1\n4,P,M,1,40,0\n"
    "5,L,F,1,15,1\n6,L,F,3,35,0\n7,L,M,2,45,1\n8,L,M,4,55,0\n"
    "9,H,F,5,25,1\n10,H,F,4,50,0\n11,H,M,6,60,0\n12,H,M,-2,70,0\n";

std::string analysis(std::string_view id, std::string_view method, std::string_view more = "",
                     std::string_view endpoint = "score") {
  return fmt::format("[[analysis]]\nid = \"{}\"\nendpoint = \"{}\"\nset = \"full\"\nrole = \"secondary\"\nmethod = \"{}\"\n{}\n",
                     id, endpoint, method, more);
}

std::string protocol(std::string const& analyses, std::string text = std::string(head)) {
  return text + analyses + std::string(source);
}

std::string problem(std::string const& text) {
  const auto study = study::load(text, "p.toml");
  return study ? "none" : study.error().front().message;
}

results::Results run(std::string const& analyses) {
  const auto table = data::read_csv(std::string(rows), "d.csv");
  EXPECT_TRUE(table);
  const auto study = study::load(protocol(analyses), "p.toml");
  EXPECT_TRUE(study) << (study ? "" : to_string(study.error().front()));
  if (!study) return {};
  const auto records = data::read_source(study->protocol, *table);
  EXPECT_TRUE(records) << (records ? "" : to_string(records.error().front()));
  if (!records) return {};
  const data::TrialTables tables(study->protocol, *records);
  return analysis::run(study->protocol, study->plan, tables, {});
}

/// The findings of a quantity, by the arm they are of: "low against placebo", "low", or "".
std::map<std::string, Finding> findings(results::Results const& results, std::string_view id, std::string_view quantity) {
  std::map<std::string, Finding> out;
  for (results::Record const& record : results.records) {
    if (record.analysis != id || record.finding.quantity != quantity) continue;
    std::string who;
    for (const char* key : {"group", "level", "minus"})
      if (const auto at = record.finding.at.find(key); at != record.finding.at.end())
        who += (who.empty() ? "" : " against ") + std::get<std::string>(at->second);
    out[who] = record.finding;
  }
  for (results::AnalysisRun const& run : results.runs) EXPECT_FALSE(run.problem) << *run.problem;
  return out;
}

TEST(RankMethods, CompareEachDoseWithPlacebo) {
  const results::Results results =
      run(analysis("a", "wilcoxon_rank_sum", "exact = true") + analysis("b", "hodges_lehmann", "level = 0.8") +
          analysis("c", "van_elteren", "strata = [\"sex@baseline\"]") +
          analysis("d", "permutation_test", "strata = [\"sex@baseline\"]") + analysis("e", "permutation_test", "", "survival"));
  const auto u = findings(results, "a", "statistic");
  ASSERT_EQ(u.size(), 2u);
  // Pairs by hand: high 5, 4, 6 above all four of placebo, -2 above -3 only; low 1: 2 and a tie, 3: 4, 2: 3 and a tie, 4: 4.
  EXPECT_EQ(u.at("high against placebo").value, 13.0);
  EXPECT_EQ(u.at("low against placebo").value, 14.0);
  EXPECT_NEAR(*u.at("high against placebo").p, 14.0 / 70, 1e-15);  // 7 of 70 with U >= 13: the number of partitions of 0 to 3
  // The 16 differences in order: -4 -3 -1 1 2 3 3 4 4 5 5 6 7 7 8 9.
  const auto shift = findings(results, "b", "estimate");
  EXPECT_EQ(shift.at("high against placebo").value, 4.0);
  EXPECT_TRUE(shift.at("high against placebo").lower.has_value());
  EXPECT_EQ(findings(results, "c", "z").size(), 2u);
  const auto permuted = findings(results, "d", "estimate");
  ASSERT_EQ(permuted.size(), 2u);
  EXPECT_EQ(permuted.at("low against placebo").value, 2.75);  // (4 + 1.5)/2: the strata weigh the same
  EXPECT_EQ(findings(results, "d", "n_reallocations").at("low against placebo").value, 36);  // C(4, 2)^2
  EXPECT_EQ(findings(results, "e", "n_reallocations").at("low against placebo").value, 70);
  EXPECT_LT(findings(results, "e", "statistic").at("high against placebo").value, 0);  // fewer deaths than expected
}

TEST(RankMethods, TakeAllArmsAndOrderThemByDose) {
  const results::Results results = run(analysis("a", "jonckheere_terpstra", "exact = true") + analysis("b", "kruskal_wallis") +
                                       analysis("c", "one_way_anova", "variance = \"welch\"") + analysis("d", "descriptive") +
                                       analysis("e", "jonckheere_terpstra", "order = [\"high\", \"low\", \"placebo\"]"));
  // placebo, low, high: 14 + 13 + high above low (5: 4, 4: 3 and a tie, 6: 4, -2: 0) 11.5
  EXPECT_EQ(findings(results, "a", "statistic").at("").value, 38.5);
  EXPECT_EQ(findings(results, "e", "statistic").at("").value, 48 - 38.5);
  EXPECT_EQ(findings(results, "b", "chi_square").at("").df, 2);
  EXPECT_EQ(findings(results, "c", "f").size(), 1u);
  const auto means = findings(results, "d", "mean");
  ASSERT_EQ(means.size(), 4u);
  EXPECT_EQ(means.at("placebo").value, -0.25);
  EXPECT_EQ(means.at("").value, 22.0 / 12);
}

TEST(RankMethods, TestOneArmAtATime) {
  const results::Results results = run(analysis("a", "wilcoxon_signed_rank", "by = \"arm\"\nexact = true") +
                                       analysis("b", "sign_test", "by = \"arm\"\nmu = 1") +
                                       analysis("c", "t_test", "by = \"arm\"\nvariance = \"one_sample\""));
  EXPECT_EQ(findings(results, "a", "statistic").at("low").value, 10);  // all four above 0
  EXPECT_NEAR(*findings(results, "a", "statistic").at("low").p, 2.0 / 16, 1e-15);
  EXPECT_EQ(findings(results, "b", "n").at("placebo").value, 3);
  EXPECT_EQ(findings(results, "c", "mean").at("low").value, 2.5);
  EXPECT_THAT(problem(protocol(analysis("a", "sign_test"))), HasSubstr("does not say for which"));
}

TEST(RankMethods, RefuseAnOrderThatTheDosesDoNotGive) {
  const std::string trend = analysis("a", "jonckheere_terpstra");
  const auto with = [](std::string_view old, std::string_view now) {
    std::string text(head);
    text.replace(text.find(old), old.size(), now);
    return text;
  };
  EXPECT_EQ(problem(protocol(trend)), "none");
  EXPECT_EQ(problem(protocol(trend, with("dose = { amount = 2, unit = \"mg\" }\n", ""))),
            "jonckheere_terpstra needs the order of the arms, and arm 'low' has no dose");
  EXPECT_EQ(problem(protocol(trend, with("amount = 2, unit = \"mg\"", "amount = 2, unit = \"g\""))),
            "the dose of arm 'low' is in g, and that of arm 'high' in mg: doses of different units do not compare");
  EXPECT_EQ(problem(protocol(trend, with("amount = 2", "amount = 10"))),
            "jonckheere_terpstra needs the order of the arms, and the doses of 'high' and 'low' are equal");
  EXPECT_THAT(problem(protocol(analysis("a", "kruskal_wallis", "", "survival"))), HasSubstr("needs a response"));
  EXPECT_THAT(problem(protocol(analysis("a", "permutation_test", "statistic = \"rank_sum\"", "survival"))),
              HasSubstr("role 'response'"));
}

}  // namespace
}  // namespace equipoise
