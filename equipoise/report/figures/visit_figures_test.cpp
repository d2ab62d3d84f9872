#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/report/figures.h"
#include "equipoise/report/figures/visit_frame.h"
#include "equipoise/report/page_checks.h"
#include "equipoise/report/visits_fixture.h"

namespace equipoise::report {
namespace {

using figures::VisitAxis;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// Two arms at three visits, days 28, 84 and 168, with round numbers: what is drawn can be worked out by hand.
struct Made {
  protocol::Protocol protocol;
  results::Results results;

  Made() {
    fixture::repeated_trial(protocol, results);
    results.records.clear(), results.curves.clear(), results.runs.resize(1);
    protocol.endpoints[0].visits = {"w4", "w12", "w24"}, protocol.endpoints[0].at = "w12";
    for (const auto& [arm, visit, mean] : {std::tuple("placebo", "w4", 0.0),
                                           {"placebo", "w12", 5.0},
                                           {"placebo", "w24", 10.0},
                                           {"dose1", "w4", 10.0},
                                           {"dose1", "w12", 20.0},
                                           {"dose1", "w24", 40.0}}) {
      Finding f{.quantity = "estimate", .at = {{"lsmean", Term{{"arm", arm}, {"visit", visit}}}}, .value = mean};
      f.se = 5, f.lower = mean - 10, f.upper = mean + 10, f.n = 20;
      results.records.push_back(fixture::record("a01", "mmrm", f));
      if (std::string(arm) == "placebo") continue;
      Finding d{.quantity = "estimate",
                .at = {{"difference", LevelDifference{"arm", arm, "placebo"}}, {"within", Term{{"visit", visit}}}},
                .value = mean / 2};
      d.se = 7, d.lower = mean / 2 - 15, d.upper = mean / 2 + 15, d.p = mean / 100;
      results.records.push_back(fixture::record("a01", "mmrm", d));
    }
  }
  Finding& finding(std::size_t i) { return results.records[i].finding; }
  std::string means(std::string const& language = "en") const {
    return figures::visit_means(Context(protocol, results, language), results.runs[0]).bytes();
  }
  std::string differences() const {
    return figures::visit_differences(Context(protocol, results, "en"), results.runs[0]).bytes();
  }
};

TEST(VisitAxis, StandsAtStudyDaysAndCountsWhatTheLabelsCount) {
  const Made made;
  const Context context(made.protocol, made.results, "en");
  const VisitAxis visits = figures::visit_axis(context, {"w4", "w12", "w24"});
  EXPECT_TRUE(visits.at_days);
  EXPECT_THAT(visits.place, ElementsAre(28, 84, 168));  // day 29 is 28 days after day 1
  EXPECT_THAT(visits.labels, ElementsAre("Week 4", "Week 12", "Week 24"));
  EXPECT_THAT(visits.numbers, ElementsAre("4", "12", "24"));
  EXPECT_EQ(visits.counted, "Week");
  EXPECT_EQ(figures::visit_axis(Context(made.protocol, made.results, "zh"), {"w4", "w12"}).counted, "周");
  EXPECT_THAT(figures::visit_axis(context, {"baseline", "w4", "w12"}).numbers, ElementsAre("0", "4", "12"));
  const VisitAxis backwards = figures::visit_axis(context, {"w12", "w4"});
  EXPECT_FALSE(backwards.at_days);
  EXPECT_THAT(backwards.place, ElementsAre(0, 1));
  EXPECT_FALSE(figures::visit_axis(context, {"w4", "nowhere"}).at_days);
}

TEST(VisitAxis, KeepsNamesThatDifferInMoreThanANumber) {
  Made made;
  made.protocol.visits[2].label = fixture::text("Week 4 (telephone)");
  const VisitAxis visits = figures::visit_axis(Context(made.protocol, made.results, "en"), {"w4", "w12", "w24"});
  EXPECT_TRUE(visits.numbers.empty());
}

TEST(ValueAxis, HasRoundNumbersWithTheirSigns) {
  const auto y = figures::value_axis(-12, 48, 0, 100, true);
  EXPECT_THAT(y.labels, ElementsAre("\u221210", "0", "+10", "+20", "+30", "+40", "+50"));
  EXPECT_NEAR(y(-14.4), 100, 1e-9);  // 4 % of the range more at each end
  EXPECT_NEAR(y(50.4), 0, 1e-9);
  EXPECT_THAT(figures::value_axis(0.1, 0.42, 0, 100, false).labels,
              ElementsAre("0.10", "0.15", "0.20", "0.25", "0.30", "0.35", "0.40"));
  EXPECT_GE(figures::value_axis(7, 7, 0, 100, false).ticks.size(), 2u);  // all equal
}

TEST(RatioAxis, LaysFactorsEvenly) {
  const auto y = figures::ratio_axis(0.25, 4, 0, 100);
  EXPECT_THAT(y.labels, ElementsAre("0.5", "1", "2"));
  EXPECT_NEAR(y(1), 50, 1e-9);
  EXPECT_NEAR(y(0.5) - y(1), y(1) - y(2), 1e-9);
}

TEST(VisitMeans, DrawsEachArmAtItsVisits) {
  const std::string figure = Made().means();
  // x: days 0 to 168 over 76 to right - 26; the marker of the last mean of the first arm stands at the visit less half the dodge.
  EXPECT_EQ(count(figure, "class=\"curve"), 2u);
  EXPECT_EQ(count(figure, "class=\"whisker"), 6u);
  EXPECT_EQ(count(figure, "class=\"mark "), 6u + 2 + 2);  // and beside both names, twice
  EXPECT_EQ(count(figure, "class=\"from-baseline"), 2u);
  // y: -10 to 50, with 4 % more at each end, over 364 to 34: the mean 20 of dose1 at week 12 and its limits 10 and 30.
  const auto y = [](double value) { return coordinate(364 - 330 * (value + 12.4) / 64.8); };
  EXPECT_THAT(figure, HasSubstr("V" + y(30)));
  EXPECT_THAT(figure, HasSubstr(" " + y(20) + "L"));  // the middle point of a line
  EXPECT_THAT(texts_of(figure), HasSubstr("Participants observed | 20 | 20 | 20 | Placebo | 20 | 20 | 20 | Low dose"));
  EXPECT_THAT(figure, HasSubstr("LS mean change (/mm\u00b3), 95% interval; higher is better"));
  EXPECT_THAT(figure, HasSubstr("Low dose: 40.0 at Week 24."));
  EXPECT_THAT(figure, HasSubstr("Shaded: Week 12, the visit at which the endpoint is read."));
}

TEST(VisitMeans, ArmsDifferWithoutColour) {
  const std::string figure = Made().means();
  EXPECT_EQ(count(figure, "stroke-dasharray=\"8 3.5\""), 1u);  // the dose; the control is solid
}

TEST(VisitMeans, StartsAtTheBaselineOfAChangeOnly) {
  Made made;
  EXPECT_THAT(made.means(), HasSubstr("Dotted: from Baseline, where the change is 0 by definition"));
  made.protocol.endpoints[0].variable = expression::Expression("cd4", expression::Type::number, nullptr);
  const std::string figure = made.means();
  EXPECT_THAT(figure, Not(HasSubstr("from-baseline")));
  EXPECT_THAT(figure, HasSubstr("LS mean (/mm\u00b3), 95% interval"));
  EXPECT_THAT(texts_of(figure), HasSubstr("| Week 4 | Week 12 | Week 24 | Visit"));
}

TEST(VisitMeans, BreaksALineWhereAMeanIsNotEstimable) {
  Made made;
  made.finding(1).value = fixture::ne;  // placebo at week 12
  const std::string figure = made.means();
  EXPECT_EQ(count(figure, "class=\"whisker"), 5u);
  EXPECT_THAT(figure, Not(HasSubstr("nan")));
  made.results.records.clear();
  EXPECT_EQ(made.means(), "");
}

TEST(VisitDifferences, ComparesWithTheControl) {
  const std::string figure = Made().differences();
  EXPECT_EQ(count(figure, "class=\"curve"), 1u);
  EXPECT_THAT(figure, HasSubstr("Difference from Placebo (/mm\u00b3), 95% interval; above 0 is better than Placebo"));
  EXPECT_THAT(texts_of(figure), HasSubstr("P value | 0.100 | 0.200 | 0.400 | Low dose"));
  // y: -10 to 35, with 4 % more, over 284 to 34.
  EXPECT_THAT(figure, HasSubstr("V" + coordinate(284 - 250 * (20 + 15 + 11.8) / 48.6)));  // upper limit at week 24
}

TEST(VisitDifferences, SaysWhichSideIsBetter) {
  Made made;
  made.protocol.endpoints[0].benefit = protocol::Benefit::lower;
  EXPECT_THAT(made.differences(), HasSubstr("below 0 is better than Placebo"));
  made.protocol.endpoints[0].benefit = protocol::Benefit::unstated;
  EXPECT_THAT(made.differences(), Not(HasSubstr("better than")));
}

TEST(VisitDifferences, NeedsADifference) {
  Made made;
  std::erase_if(made.results.records, [](auto const& record) { return record.finding.at.contains("difference"); });
  EXPECT_EQ(made.differences(), "");
  EXPECT_NE(made.means(), "");
}

TEST(VisitFigures, GiveEachVisitRoomOrLeaveSomeOut) {
  // Thirty visits a week apart: the numbers do not fit, the last visit and the primary one stay.
  Made made;
  made.protocol.visits.resize(2), made.protocol.endpoints[0].visits.clear(), made.results.records.clear();
  for (int week = 1; week <= 30; ++week) {
    protocol::Visit visit;
    visit.id = "w" + std::to_string(week), visit.day = StudyDay::from_offset(7 * week);
    visit.label = fixture::text("Week " + std::to_string(week));
    made.protocol.visits.push_back(visit), made.protocol.endpoints[0].visits.push_back(visit.id);
    Finding f{.quantity = "estimate", .at = {{"lsmean", Term{{"arm", "dose1"}, {"visit", visit.id}}}}, .value = double(week)};
    f.n = 1000;
    made.results.records.push_back(fixture::record("a01", "mmrm", f));
  }
  made.protocol.endpoints[0].at = "w11";
  const std::string figure = kept("visits-thirty", made.means());
  EXPECT_THAT(figure, HasSubstr("There is room for numbers at some of the visits only"));
  const std::string texts = texts_of(figure);
  for (const char* shown : {"| 11 |", "| 30 |"}) EXPECT_THAT(texts, HasSubstr(shown));
  EXPECT_LT(count(figure, ">1000<"), 30u);
  EXPECT_GE(count(figure, ">1000<"), 10u);
}

}  // namespace
}  // namespace equipoise::report
