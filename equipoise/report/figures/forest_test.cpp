#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equipoise/report/cgd_fixture.h"
#include "equipoise/report/figures.h"
#include "equipoise/report/page.h"
#include "equipoise/report/page_checks.h"
#include "equipoise/report/renderers.h"
#include "equipoise/report/subgroups.h"
#include "equipoise/report/tables.h"

namespace equipoise::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

results::SubgroupLevel level(std::string const& name, double ratio, double lower, double upper, double se) {
  results::SubgroupLevel made{.level = name, .counts = {{"placebo", 40, 20}, {"rifn_g", 42, 10}}, .effects = {}};
  made.effects.push_back({.arm = "rifn_g",
                          .finding = {.quantity = "hazard_ratio", .value = ratio, .lower = lower, .upper = upper, .level = 0.95},
                          .estimate = std::log(ratio),
                          .se = se});
  return made;
}

/// The cgd trial with one subgroup, of which one level has nothing to say.
struct Made {
  protocol::Protocol protocol = fixture::cgd_protocol();
  results::Results results = fixture::cgd_results();
  std::string analysis;

  Made() {
    for (auto const& run : results.runs)
      if (run.method == "cox") analysis = run.id;
    for (std::size_t a = 0; a < 2; ++a) {  // the names of this test
      arms.push_back(protocol.arms[a].id);
    }
    const auto named = [&](results::SubgroupLevel made) {
      made.counts[0].arm = arms[0], made.counts[1].arm = arms[1], made.effects[0].arm = arms[1];
      return made;
    };
    results.subgroups.push_back({.analysis = analysis, .item = "", .levels = {named(level("", 0.4, 0.2, 0.8, 0.35))}});
    results::Subgroup age{.analysis = analysis, .item = "age@baseline", .levels = {}, .missing = 3};
    age.levels = {named(level("< 20", 0.3, 0.1, 0.9, 0.56)),
                  named(level("\u2265 20", fixture::ne, fixture::ne, fixture::ne, fixture::ne))};
    age.levels[1].notes = {"Nobody has an event: not estimable."};
    age.interactions = {{.arm = "", .statistic = "likelihood_ratio_chi_square", .value = 1.2, .df = 1, .p = 0.2733}};
    results.subgroups.push_back(std::move(age));
  }
  Context context() const { return Context(protocol, results, "en"); }
  results::AnalysisRun const& run() const { return *std::ranges::find(results.runs, analysis, &results::AnalysisRun::id); }

  std::vector<std::string> arms;
};

TEST(Forest, HasARowForEveryLevelAndNoIntervalWithoutAnEstimate) {
  const Made made;
  EXPECT_THAT(figures::forest_arms(made.context(), made.run()), ElementsAre(made.arms[1]));
  const std::string figure = figures::forest(made.context(), made.run(), made.arms[1]).bytes();
  expect_balanced(figure);
  EXPECT_THAT(figure, HasSubstr("0.400 (0.200 to 0.800)"));
  EXPECT_THAT(figure, HasSubstr("0.300 (0.100 to 0.900)"));
  EXPECT_THAT(figure, HasSubstr(">NE<"));
  EXPECT_THAT(figure, HasSubstr("0.273"));
  EXPECT_THAT(figure, HasSubstr("10/42"));
  EXPECT_EQ(count(figure, "class=\"tip\""), 2u);
  EXPECT_THAT(figure, Not(HasSubstr("nan")));
}

TEST(Forest, AnIntervalThatLeavesTheAxisIsAnArrow) {
  Made made;
  auto& wide = made.results.subgroups[1].levels[0].effects[0].finding;
  wide.lower = 1e-9, wide.upper = 1e9;
  const std::string figure = figures::forest(made.context(), made.run(), made.arms[1]).bytes();
  EXPECT_THAT(figure, Not(HasSubstr("e+")));
  EXPECT_THAT(figure, HasSubstr("an arrow is an interval that leaves the axis"));
}

TEST(Forest, IsNotDrawnWithoutSubgroups) {
  Made made;
  made.results.subgroups.clear();
  EXPECT_TRUE(figures::forest(made.context(), made.run(), made.arms[1]).empty());
  EXPECT_TRUE(tables::subgroups(made.context(), made.run()).empty());
}

TEST(SubgroupTable, HasCountsEffectsAndTheTest) {
  const Made made;
  const std::string csv = csv_of(tables::subgroups(made.context(), made.run()));
  EXPECT_THAT(csv, HasSubstr("p_interaction,0.2733,0.273"));
  EXPECT_THAT(csv, HasSubstr("n_events,10,10"));
  EXPECT_THAT(csv, HasSubstr("< 20"));
  const std::string page = html(made.protocol, made.results);
  EXPECT_THAT(page, HasSubstr("in none of these subgroups: 3 participants"));
  EXPECT_THAT(page, HasSubstr("Nobody has an event: not estimable."));
  expect_balanced(page);
}

TEST(FigureFiles, EveryFigureHasItsNumbersAndTheRCode) {
  const Made made;
  const Document document = report::document(made.protocol, made.results);
  ASSERT_GE(document.figures.size(), 3u);
  for (Figure const& figure : document.figures) {
    EXPECT_TRUE(figure.svg.starts_with("<svg") && figure.svg.ends_with("</svg>")) << figure.number;
    EXPECT_FALSE(figure.data.empty()) << figure.number;
    EXPECT_FALSE(figure.data.plot.empty()) << figure.number;
    const std::string csv = csv_of(figure.data);
    EXPECT_EQ(std::size_t(std::ranges::count(csv, '\n')), figure.data.rows.size() + 1) << figure.number;
  }
  const auto files = files_of(document, {"csv", "svg"});
  const auto has = [&](std::string_view path) {
    return std::ranges::any_of(files, [&](auto const& file) { return file.first == path; });
  };
  EXPECT_TRUE(has("figures/f-14.1.1-participant-flow.csv"));
  EXPECT_TRUE(has("figures/f-14.1.1-participant-flow.R"));
  EXPECT_TRUE(has("figures/f-14.1.1-participant-flow.svg"));
  for (auto const& [path, bytes] : files)
    if (path.ends_with(".R")) {
      const std::string stem = path.substr(0, path.size() - 2);
      EXPECT_TRUE(has(stem + ".csv") && has(stem + ".svg")) << path;
      EXPECT_THAT(bytes, HasSubstr("read.csv(\"" + stem.substr(stem.find('/') + 1) + ".csv\"")) << path;  // the file beside it
    }
}

TEST(FigureFiles, RowsOfOtherPlacesShareColumns) {
  FigureData data;
  data.add({{"a", "1"}});
  data.add({{"b", "x,\"y\""}, {"a", "2"}});
  EXPECT_EQ(csv_of(data), "a,b\n1,\n2,\"x,\"\"y\"\"\"\n");
  EXPECT_EQ(data_number(fixture::ne), "");
  EXPECT_EQ(data_number(std::numeric_limits<double>::infinity()), "Inf");
}

}  // namespace
}  // namespace equipoise::report
