#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "equipoise/analysis/run.h"
#include "equipoise/data/source.h"
#include "equipoise/study/study.h"

// Re-randomisation tests from a protocol: its [randomisation] replayed over the participants of the data, against all allocations
// that the method could have given.
namespace equipoise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct World {
  int arms = 2;
  std::string randomisation = "method = \"permuted_block\"\nblock_sizes = [4]\n";
  std::string set_arm{};
  std::string source = "randomised = \"date\"\nrandomisation_order = \"seq\"\n";
  std::string analysis{};
};

std::string protocol(World const& world) {
  std::string text = "format = 1\n[trial]\nid = \"t\"\ntitle = \"A trial\"\nversion = \"1\"\n";
  for (int a = 0; a < world.arms; ++a)
    text += fmt::format("[[arm]]\nid = \"{}\"\nrole = \"{}\"\n", char('a' + a), a == 0 ? "placebo_control" : "investigational");
  text += R"toml([sites]
site = [{ id = "s1" }, { id = "s2" }]
[schedule]
visit = [{ id = "v0", day = -7, forms = ["person"] }, { id = "v1", day = 1, forms = [] }, { id = "v2", day = 29, window = [7, 7], forms = ["outcome"] }]
[form.person]
old = { kind = "flag" }
age = { kind = "number" }
[form.outcome]
score = { kind = "number" }
better = { kind = "flag" }
days = { kind = "number", unit = "d" }
died = { kind = "flag" }
[derivation]
known = { rule = "not missing(score)" }
[analysis_set]
)toml";
  text += fmt::format("full = {{ rule = \"randomised\"{} }}\nold = {{ rule = \"randomised and old@v0\" }}\n", world.set_arm);
  text += R"toml([[endpoint]]
id = "score"
level = "secondary"
kind = "continuous"
variable = "score"
at = "v2"
[[endpoint]]
id = "better"
level = "secondary"
kind = "binary"
variable = "better"
at = "v2"
[[endpoint]]
id = "survival"
level = "secondary"
kind = "time_to_event"
time = "days@v2"
event = "died@v2"
)toml";
  if (!world.randomisation.empty()) text += "[randomisation]\n" + world.randomisation;
  text += world.analysis;
  text += "[source]\nparticipant = \"id\"\nsite = \"site\"\narm = { column = \"arm\", received = \"got\" }\n" + world.source +
          "item = [{ item = \"old\", column = \"old\" }, { item = \"age\", column = \"age\" }, { item = \"score\", column = "
          "\"score\" }, "
          "{ item = \"better\", column = \"better\" }, { item = \"days\", column = \"days\" }, { item = \"died\", column = "
          "\"died\" }]\n";
  return text;
}

std::string analysis(std::string_view endpoint = "score", std::string_view more = "", std::string_view set = "full") {
  return fmt::format(
      "[[analysis]]\nid = \"x\"\nendpoint = \"{}\"\nset = \"{}\"\nrole = \"secondary\"\nmethod = \"rerandomisation\"\n{}\n",
      endpoint, set, more);
}

std::vector<std::string> problems_of(World const& world) {
  const auto study = study::load(protocol(world), "p.toml");
  std::vector<std::string> messages;
  if (!study)
    for (Error const& problem : study.error()) messages.push_back(problem.message);
  return messages;
}

results::Results run(World const& world, std::string const& rows) {
  const auto table = data::read_csv(rows, "d.csv");
  EXPECT_TRUE(table);
  const auto study = study::load(protocol(world), "p.toml");
  EXPECT_TRUE(study) << (study ? "" : to_string(study.error().front()));
  if (!study || !table) return {};
  const auto records = data::read_source(study->protocol, *table);
  EXPECT_TRUE(records) << (records ? "" : to_string(records.error().front()));
  if (!records) return {};
  const data::TrialTables tables(study->protocol, *records);
  return analysis::run(study->protocol, study->plan, tables, {});
}

std::vector<Finding> findings(results::Results const& results, std::string_view quantity) {
  std::vector<Finding> out;
  for (results::Record const& record : results.records)
    if (record.finding.quantity == quantity) out.push_back(record.finding);
  for (results::AnalysisRun const& one : results.runs) EXPECT_FALSE(one.problem) << *one.problem;
  return out;
}

bool has_note(results::Results const& results, std::string_view part) {
  for (results::AnalysisRun const& one : results.runs)
    for (std::string const& note : one.notes)
      if (note.find(part) != std::string::npos) return true;
  return false;
}

// Twelve participants in blocks of four, in another order than that of the randomisation.
const std::vector<std::string> arms{"b", "a", "a", "b", "a", "b", "a", "b", "b", "b", "a", "a"};
const std::vector<double> scores{9, 4, 5, 8, 1, 7, 3, 3, 6, 9, 2, 5};

std::string twelve(std::vector<std::string> const& of = arms) {
  std::string rows = "id,site,arm,got,date,seq,old,age,score,better,days,died\n";
  for (const std::size_t i : {7, 2, 0, 11, 5, 1, 10, 3, 8, 4, 9, 6})
    rows += fmt::format("p{},s{},{},{},2020-01-{:02},{},{},{},{},{},{},1\n", i, 1 + i % 2, of[i], of[i], 10 + i / 6, i + 1,
                        i % 3 == 0 ? 1 : 0, 40 + i * 7 % 11, scores[i], scores[i] > 4 ? 1 : 0, 10 * scores[i] + double(i));
  return rows;
}

/// Every allocation that blocks of four could have given: 6 orders of each.
template <class Visit>
void all_blocks(Visit const& visit) {
  std::vector<std::string> order{"a", "a", "b", "b"};
  std::vector<std::vector<std::string>> orders;
  do orders.push_back(order);
  while (std::ranges::next_permutation(order).found);
  for (auto const& first : orders)
    for (auto const& second : orders)
      for (auto const& third : orders) {
        std::vector<std::string> all = first;
        all.insert(all.end(), second.begin(), second.end()), all.insert(all.end(), third.begin(), third.end());
        visit(all);
      }
}

double mean_difference(std::vector<std::string> const& of) {
  double sum = 0;
  for (std::size_t i = 0; i < of.size(); ++i) sum += of[i] == "b" ? scores[i] / 6 : -scores[i] / 6;
  return sum;
}

TEST(Rerandomisation, AgreesWithAllOrdersOfAllBlocks) {
  const double observed = mean_difference(arms);
  double above = 0, below = 0, all = 0;
  all_blocks([&](std::vector<std::string> const& of) {
    const double t = mean_difference(of);
    above += t >= observed - 1e-9, below += t <= observed + 1e-9, ++all;
  });
  ASSERT_EQ(all, 216);
  const double p = 2 * std::min(above, below) / all;
  const results::Results results = run({.analysis = analysis("score", "replicates = 40000")}, twelve());
  const auto got = findings(results, "estimate");
  ASSERT_EQ(got.size(), 1u);
  EXPECT_NEAR(got[0].value, observed, 1e-12);
  EXPECT_NEAR(*got[0].p, p, 4 * 2 * std::sqrt(p / 2 * (1 - p / 2) / 40000) + 2.0 / 40000);  // four standard errors, and the + 1
  EXPECT_EQ(*got[0].n, 12);
  EXPECT_TRUE(has_note(results, "from 40000 replays of the randomisation (permuted blocks of 4), seed 1."));
  // The same seed gives the same bytes, and the order of the rows of the file nothing.
  const auto again = findings(run({.analysis = analysis("score", "replicates = 40000")}, twelve()), "estimate");
  EXPECT_EQ(*again[0].p, *got[0].p);
}

TEST(Rerandomisation, HasEveryStatistic) {
  for (auto const& [endpoint, more] :
       std::vector<std::pair<std::string, std::string>>{{"score", "statistic = \"t\""},
                                                        {"score", "statistic = \"rank_sum\""},
                                                        {"score", "formula = \"arm + age@v0 + site\""},
                                                        {"score", "statistic = \"ancova\""},
                                                        {"better", "statistic = \"risk_difference\""},
                                                        {"survival", ""}}) {
    const results::Results results = run({.analysis = analysis(endpoint, more + "\nreplicates = 2000\n")}, twelve());
    const bool estimate = more.find("formula") != std::string::npos || more.find("ancova") != std::string::npos ||
                          more.find("risk") != std::string::npos;
    const auto got = findings(results, estimate ? "estimate" : "statistic");
    ASSERT_EQ(got.size(), 1u) << endpoint << more;
    EXPECT_GT(std::abs(got[0].value), 0) << endpoint << more;
    EXPECT_TRUE(*got[0].p > 0 && *got[0].p < 1) << endpoint << more;
  }
}

TEST(Rerandomisation, ReplaysAllArmsAndComparesEachWithTheControl) {
  std::vector<std::string> of;
  for (std::size_t i = 0; i < 12; ++i) of.push_back(std::string(1, char('a' + (i * 5 + i / 4) % 3)));
  const World world{
      .arms = 3,
      .randomisation =
          "method = \"minimisation\"\nprobability = 0.8\nfactors = [{ id = \"site\" }, { id = \"older\", rule = \"old@v0\" }]\n",
      .analysis = analysis("score", "replicates = 1000")};
  const results::Results results = run(world, twelve(of));
  EXPECT_EQ(findings(results, "estimate").size(), 2u);
  EXPECT_TRUE(has_note(results, "(minimisation of 'site' and 'older' by the range, probability 0.8)"));
  const results::Results some = run(
      {.arms = 3, .randomisation = world.randomisation, .analysis = analysis("score", "replicates = 1000", "old")}, twelve(of));
  EXPECT_TRUE(has_note(
      some,
      "8 of 12 randomised participants have no outcome in this analysis: they are replayed, and are not in the statistic."));
}

TEST(Rerandomisation, OfADeterministicMinimisationSaysThatThereIsNothingToTest) {
  // By sex of one level each: after the first tie Taves's method alternates, so that there are two allocations in all, and a
  // tie in each pair.
  const World world{.randomisation = "method = \"taves\"\nfactors = [{ id = \"site\" }]\n",
                    .analysis = analysis("score", "replicates = 1000")};
  const results::Results results = run(world, twelve());
  EXPECT_TRUE(has_note(results, "The replays came to only 64 different allocations")) << "two sites of six: 2^3 each";
}

TEST(Rerandomisation, OrdersByDateAndThenAsTheDataSay) {
  const results::Results by_date =
      run({.source = "randomised = \"date\"\n", .analysis = analysis("score", "replicates = 1000")}, twelve());
  EXPECT_TRUE(has_note(by_date,
                       "12 participants were randomised on a day with others, in an order that the data do not say: it is taken "
                       "to be that of the data."));
  const results::Results by_order =
      run({.source = "randomisation_order = \"seq\"\n", .analysis = analysis("score", "replicates = 1000")}, twelve());
  EXPECT_FALSE(has_note(by_order, "randomised on a day with others"));
}

TEST(Rerandomisation, SaysWhatTheProtocolLacks) {
  EXPECT_THAT(problems_of({.source = "", .analysis = analysis()}),
              ElementsAre("a re-randomisation test replays the trial in the order in which participants came, and [source] names "
                          "no column for it"));
  EXPECT_THAT(
      problems_of({.randomisation = "", .analysis = analysis()}),
      ElementsAre(
          "a re-randomisation test replays the randomisation of the trial, and the protocol has no section [randomisation]"));
  EXPECT_THAT(
      problems_of({.set_arm = ", arm = \"as_treated\"", .analysis = analysis()}),
      ElementsAre("a re-randomisation test compares arms as randomised, and analysis set 'full' goes by the treatment received"));
  EXPECT_THAT(problems_of({.randomisation = "method = \"urn\"\nalpha = 0\n", .analysis = analysis()}),
              ElementsAre("[randomisation] needs the key 'beta'"));
  EXPECT_THAT(problems_of({.analysis = analysis("score", "formula = \"arm\"\nstatistic = \"t\"")}),
              ElementsAre("'formula' belongs to statistic = \"ancova\""));
  EXPECT_THAT(problems_of({.analysis = analysis("score", "replicates = 5")}),
              ElementsAre("'replicates' in analysis 'x' must be at least 100 and at most 10000000, and is 5"));
}

TEST(Rerandomisation, RefusesAParticipantWhoseFactorTheDataDoNotSay) {
  std::string rows = twelve();
  const auto at = rows.find("p5,s2");
  ASSERT_NE(at, std::string::npos);
  rows.replace(at, 5, "p5,");
  const results::Results results =
      run({.randomisation = "method = \"permuted_block\"\nblock_sizes = [4]\nfactors = [{ id = \"site\" }]\n",
           .analysis = analysis()},
          rows);
  ASSERT_EQ(results.runs.size(), 1u);
  EXPECT_EQ(results.runs[0].problem, "participant 'p5' was randomised, and the data do not say the factor 'site'");
}

}  // namespace
}  // namespace equipoise
