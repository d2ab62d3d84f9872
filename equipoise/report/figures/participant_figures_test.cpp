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

/// One arm at three visits, an endpoint that is a change: the question is asked at the last visit.
struct Made {
  protocol::Protocol protocol;
  results::Results results;

  explicit Made(int participants = 4) {
    fixture::repeated_trial(protocol, results);
    protocol.endpoints[0].visits = {"w4", "w12", "w24"};
    protocol.endpoints[0].at = "w24";
    results.curves.clear(), results.runs.resize(1);
    std::vector<double> participant, visit, value;
    for (int i = 0; i < participants; ++i)
      for (int v = 0; v < 3; ++v) {
        if (i == 0 && v == 2) continue;  // not seen at the visit of the question
        participant.push_back(i), visit.push_back(v), value.push_back(10 * v * (i % 2 ? -1 : 1) + i);
      }
    results.curves.push_back(
        {"a01", {"trajectory", At{{"group", "dose1"}}, {{"participant", participant}, {"visit", visit}, {"value", value}}}});
  }
  Context context() const { return Context(protocol, results, "en"); }
  results::AnalysisRun const& run() const { return results.runs[0]; }
};

TEST(Waterfall, HasABarForEachValueAtTheVisitFromTheHighest) {
  const Made made;
  const std::string figure = figures::waterfall(made.context(), made.run()).bytes();
  expect_balanced(figure);
  EXPECT_EQ(count(figure, "class=\"tip\""), 3u);  // 22, -17, -19
  const auto first = figure.find("<title>22</title>"), second = figure.find("<title>\u221217</title>");
  ASSERT_NE(first, std::string::npos);
  ASSERT_NE(second, std::string::npos);
  EXPECT_LT(first, second);
  EXPECT_THAT(figure, HasSubstr("1 of 3 above 0"));
  EXPECT_THAT(figure, HasSubstr("1 participant without a value at this visit"));
}

TEST(Waterfall, IsOfChangesOnly) {
  Made made;
  made.protocol.endpoints[0].variable.reset();
  EXPECT_TRUE(figures::waterfall(made.context(), made.run()).empty());
}

TEST(Waterfall, ItsFileHasThoseRowsOnly) {
  const Made made;
  FigureData data = series_data(made.context(), made.run(), "trajectory", "waterfall");
  EXPECT_EQ(data.rows.size(), 11u);
  figures::keep_waterfall_visit(made.context(), made.run(), data);
  ASSERT_EQ(data.rows.size(), 3u);
  EXPECT_THAT(data.columns, ElementsAre("group", "participant", "visit", "value"));
  EXPECT_THAT(data.rows[0], ElementsAre("dose1", "1", "w24", "-19"));
}

TEST(HeatMap, HasACellForEachValueAndNoneForWhatIsMissing) {
  const Made made;
  const std::string figure = figures::heat_map(made.context(), made.run()).bytes();
  expect_balanced(figure);
  EXPECT_EQ(count(figure, "class=\"tip\""), 11u);
  EXPECT_THAT(figure, HasSubstr("Each row is one participant, sorted by the value at"));
}

TEST(HeatMap, ManyParticipantsShareRows) {
  const Made made(150);
  const std::string figure = figures::heat_map(made.context(), made.run()).bytes();
  EXPECT_EQ(count(figure, "class=\"tip\""), 60u * 3);
  EXPECT_THAT(figure, HasSubstr("Each row is the mean of up to 3 participants"));
}

TEST(HeatMap, OneValueForAllHasNoColours) {
  Made made;
  std::ranges::fill(made.results.curves[0].series.columns[2].second, 5.0);
  made.protocol.endpoints[0].variable.reset();
  EXPECT_TRUE(figures::heat_map(made.context(), made.run()).empty());
}

/// The fixture's three arms with doses.
struct Doses {
  protocol::Protocol protocol;
  results::Results results;

  Doses() {
    fixture::repeated_trial(protocol, results);
    const double amounts[] = {0, 10, 20};
    for (std::size_t a = 0; a < 3; ++a) protocol.arms[a].dose = protocol::Dose{.amount = amounts[a], .unit = "mg"};
  }
  std::string figure() const { return figures::dose_response(Context(protocol, results, "en"), results.runs[0]).bytes(); }
};

TEST(DoseResponse, HasAPointForEachDoseAtTheVisitOfTheQuestion) {
  const Doses made;
  const std::string figure = made.figure();
  expect_balanced(figure);
  EXPECT_EQ(count(figure, "class=\"tip\""), 3u);
  const FigureData data = figures::dose_response_data(Context(made.protocol, made.results, "en"), made.results.runs[0]);
  ASSERT_EQ(data.rows.size(), 3u);
  EXPECT_THAT(data.columns, ElementsAre("arm", "dose", "unit", "quantity", "value", "lower", "upper"));
  EXPECT_EQ(data.rows[2][1], "20");
  const auto numbers = fixture::repeated_numbers();
  const auto place =
      std::size_t(std::ranges::find(fixture::repeated_visits, made.protocol.endpoints[0].at) - fixture::repeated_visits.begin());
  EXPECT_EQ(data.rows[2][4], data_number(numbers[2].mean[place]));
}

TEST(DoseResponse, NeedsThreeDosesInOneUnit) {
  Doses two;
  two.protocol.arms[2].dose->amount = 10;
  EXPECT_EQ(two.figure(), "");
  Doses units;
  units.protocol.arms[2].dose->unit = "g";
  EXPECT_EQ(units.figure(), "");
}

}  // namespace
}  // namespace equipoise::report
