#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equipoise/report/figures.h"
#include "equipoise/report/page_checks.h"
#include "equipoise/report/visits.h"
#include "equipoise/report/visits_fixture.h"

namespace equipoise::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// Two visits; one arm with a participant of both, one of the first only, and as many more as asked for.
struct Made {
  protocol::Protocol protocol;
  results::Results results;

  explicit Made(int more = 0) {
    fixture::repeated_trial(protocol, results);
    protocol.endpoints[0].visits = {"w4", "w12"};
    results.curves.clear(), results.runs.resize(1);
    std::vector<double> participant{5, 5, 2}, visit{1, 0, 0}, value{30, 10, 40};
    for (int i = 0; i < more; ++i)
      for (int v = 0; v < 2; ++v) participant.push_back(10 + i), visit.push_back(v), value.push_back(25);
    results.curves.push_back(
        {"a01", {"trajectory", At{{"group", "dose1"}}, {{"participant", participant}, {"visit", visit}, {"value", value}}}});
  }
  Context context() const { return Context(protocol, results, "en"); }
  std::string figure() const { return figures::trajectories(context(), results.runs[0]).bytes(); }
};

TEST(Trajectories, AreReadInTheOrderOfVisits) {
  const Made made;
  const auto arms = trajectories_of(made.context(), made.results.runs[0]);
  ASSERT_EQ(arms.size(), 1u);
  ASSERT_EQ(arms[0].lines.size(), 2u);
  EXPECT_THAT(arms[0].lines[1].value, ElementsAre(10, 30));  // rows may come in any order
  EXPECT_THAT(arms[0].mean, ElementsAre(25, 30));            // of 10 and 40, then of 30 alone
}

TEST(Trajectories, LeaveOutAnArmWhoseColumnsDoNotFit) {
  Made made;
  made.results.curves[0].series.columns[1].second[0] = 2;  // no such visit
  EXPECT_EQ(made.figure(), "");
  made.results.curves[0].series.columns[1].second[0] = 0.5;
  EXPECT_EQ(made.figure(), "");
}

TEST(TrajectoriesFigure, HasAPanelForEachOfFewParticipants) {
  const std::string figure = Made().figure();
  EXPECT_EQ(count(figure, "<circle"), 3u);
  EXPECT_THAT(figure, HasSubstr("One panel for each participant"));
  EXPECT_THAT(figure, HasSubstr("Low dose: 2 participants."));
}

TEST(TrajectoriesFigure, HasAPanelForEachArmOfMany) {
  const std::string figure = Made(9).figure();
  EXPECT_EQ(count(figure, "<circle"), 0u);
  EXPECT_EQ(count(figure, "class=\"mean "), 1u);
  // 11 thin lines inside one group, one of them a dot.
  const std::size_t from = figure.find("class=\"each"), to = figure.find("class=\"edge", from);
  ASSERT_NE(to, std::string::npos);
  EXPECT_EQ(count(figure.substr(from, to - from), "class=\"tip\""), 11u);
  EXPECT_THAT(figure, HasSubstr("<title>Week 4: 10; Week 12: 30</title>"));
  EXPECT_EQ(count(figure, "h0\""), 1u);
  EXPECT_THAT(figure, Not(HasSubstr("One panel for each participant")));
}

TEST(Trajectories, AreShownOnceForTheSameData) {
  Made made;
  results::AnalysisRun again = made.results.runs[0];
  again.id = "a02";
  made.results.runs.push_back(again);
  made.results.curves.push_back(made.results.curves[0]);
  made.results.curves.back().analysis = "a02";
  const Context context = made.context();
  EXPECT_TRUE(first_with(context, made.results.runs[0], "trajectory"));
  EXPECT_FALSE(first_with(context, made.results.runs[1], "trajectory"));
  made.results.runs[1].set = "another";
  EXPECT_TRUE(first_with(made.context(), made.results.runs[1], "trajectory"));
}

}  // namespace
}  // namespace equipoise::report
