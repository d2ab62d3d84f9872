#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "equipoise/report/figures.h"
#include "equipoise/report/page.h"
#include "equipoise/report/variants.h"

namespace equipoise::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const double never = std::numeric_limits<double>::infinity();

std::size_t count(std::string const& text, std::string_view what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) ++n;
  return n;
}

/// The fixture's trial with visits at days 100, 200 and 300. Placebo falls to 3/4 by day 100, to 1/4 between 200 and 300, and the
/// rest is beyond 300; the other arm has an event on day 150 exactly, to 1/2, and falls to 0 between 200 and 300.
struct Made {
  protocol::Protocol protocol = fixture::cgd_protocol();
  results::Results results = fixture::cgd_results();
  results::AnalysisRun run;

  Made() {
    run = results.runs[2];  // of the same endpoint and set as the Kaplan-Meier analysis a03
    run.id = "tb", run.method = "turnbull";
    add("placebo", {0, 200, 300}, {100, 300, never}, {1, 0.75, 0.25}, {0.75, 0.25, 0});
    add("ifn", {150, 200}, {150, 300}, {1, 0.5}, {0.5, 0});
    results.runs.push_back(run);
  }
  void add(std::string group, std::vector<double> from, std::vector<double> to, std::vector<double> before,
           std::vector<double> after) {
    Series series;
    series.quantity = "probability", series.at = At{{"group", std::move(group)}};
    series.columns = {{"from", std::move(from)},
                      {"to", std::move(to)},
                      {"survival_before", std::move(before)},
                      {"survival_after", std::move(after)}};
    results.curves.push_back({"tb", series});
  }
  std::string figure(std::string const& language = "en") const {
    return figures::turnbull(Context(protocol, results, language), run).bytes();
  }
};

TEST(TurnbullFigure, DrawsALineWhereSurvivalIsKnownAndABoxWhereItIsNot) {
  Made made;
  std::erase_if(made.results.runs, [](auto const& run) { return run.method == "kaplan_meier"; });
  const std::string figure = made.figure();
  // Page heights: y = 34 at 100 % to 364 at 0 %, so 116.5 at 75 %, 199 at 50 %, 281.5 at 25 %. The last known day, 300, is the
  // end.
  EXPECT_EQ(count(figure, "class=\"band"), 3u);  // (0, 100] and (200, 300] of placebo, (200, 300] of ifn; not (300, inf), not 150
  EXPECT_THAT(figure, HasSubstr("height=\"82.5\""));  // 100 % to 75 %
  EXPECT_EQ(count(figure, "height=\"165\""), 2u);     // 75 % to 25 %, 50 % to 0 %
  EXPECT_THAT(figure, HasSubstr("V199H"));            // the exact event is a vertical, then level up to day 200
  EXPECT_EQ(count(figure, "class=\"curve"), 2u);
  EXPECT_THAT(figure, Not(HasSubstr("class=\"on-visits")));
  EXPECT_THAT(figure, Not(HasSubstr("Kaplan-Meier")));
  EXPECT_THAT(figure, HasSubstr("Placebo: 25.0% without the event at day 300."));
  EXPECT_THAT(figure, HasSubstr("A curve ends where nothing more is known of it."));
}

TEST(TurnbullFigure, HasTheKaplanMeierOfTheSameEndpointBesideIt) {
  Made made;
  EXPECT_EQ(count(made.figure(), "class=\"on-visits"), 2u);
  EXPECT_THAT(html(made.protocol, made.results), HasSubstr("beside Kaplan-Meier on visit dates"));
  EXPECT_THAT(made.figure("zh"), HasSubstr("按访视日期的Kaplan-Meier"));
  made.results.runs[2].set = "another";
  EXPECT_EQ(count(made.figure(), "class=\"on-visits"), 0u);
}

TEST(TurnbullFigure, LeavesOutWhatCannotBeDrawn) {
  Made made;
  auto& columns = made.results.curves.back().series.columns;
  columns[2].second = {0.5, 1};  // survival that rises
  EXPECT_EQ(count(made.figure(), "class=\"curve"), 1u);
  columns.pop_back();
  EXPECT_EQ(count(made.figure(), "class=\"curve"), 1u);
  made.results.curves.clear();
  EXPECT_EQ(made.figure(), "");
}

}  // namespace
}  // namespace equipoise::report
