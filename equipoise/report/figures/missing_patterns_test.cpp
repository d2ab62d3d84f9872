#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equipoise/report/figures.h"
#include "equipoise/report/page_checks.h"
#include "equipoise/report/renderers.h"
#include "equipoise/report/tables.h"
#include "equipoise/report/visits.h"
#include "equipoise/report/visits_fixture.h"

namespace equipoise::report {
namespace {

using ::testing::HasSubstr;

/// Three visits. Placebo: 3 participants with every visit, 1 up to the first. Dose: 2 with every visit, 1 with a gap, 1 with
/// none.
struct Made {
  protocol::Protocol protocol;
  results::Results results;

  Made() {
    fixture::repeated_trial(protocol, results);
    protocol.endpoints[0].visits = {"w4", "w12", "w24"};
    results.curves.clear(), results.runs.resize(1);
    add("dose1", {0, 1, 2}, {{1, 1, 1}, {1, 0, 1}, {0, 0, 0}}, {2, 1, 1});
    add("placebo", {7, 3}, {{1, 0, 0}, {1, 1, 1}}, {1, 3});  // ordinals are only names, and the arms come in any order
  }
  void add(std::string const& arm, std::vector<int> const& ids, std::vector<std::vector<int>> const& seen,
           std::vector<int> const& counts) {
    std::vector<double> pattern, visit, observed, participants;
    for (std::size_t k = 0; k < ids.size(); ++k)
      for (std::size_t v = 0; v < 3; ++v)
        pattern.push_back(ids[k]), visit.push_back(double(v)), observed.push_back(seen[k][v]), participants.push_back(counts[k]);
    results.curves.push_back(
        {"a01",
         {"missing_pattern",
          At{{"group", arm}},
          {{"pattern", pattern}, {"visit", visit}, {"observed", observed}, {"participants", participants}}}});
  }
  Context context() const { return Context(protocol, results, "en"); }
};

TEST(MissingPatterns, AreJoinedOverArmsAndOrdered) {
  const Made made;
  const MissingPatterns all = missing_patterns_of(made.context(), made.results.runs[0]);
  using Kind = MissingPatterns::Kind;
  EXPECT_EQ(all.arms, (std::vector<std::string>{"placebo", "dose1"}));
  ASSERT_EQ(all.patterns.size(), 4u);
  const Kind kinds[] = {Kind::complete, Kind::stopped, Kind::gaps, Kind::nothing};
  for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(all.patterns[k].kind(), kinds[k]) << k;
  EXPECT_EQ(all.patterns[0].of_arm, (std::vector<std::int64_t>{3, 2}));
  EXPECT_EQ(all.patterns[1].last(), 0u);
  EXPECT_EQ(all.observed(1, 1), 2);  // of the dose's four participants, two at the second visit
  EXPECT_EQ(all.participants(0), 4);
}

TEST(MissingPatterns, LeaveOutAnArmWhoseColumnsDoNotFit) {
  for (const int broken : {0, 1, 2, 3}) {
    Made made;
    auto& columns = made.results.curves[0].series.columns;
    if (broken == 0) columns[1].second[0] = 3;  // no such visit
    if (broken == 1) columns[3].second[1] = 5;  // not one number of participants
    if (broken == 2) columns[2].second.pop_back();
    if (broken == 3) columns[1].second[0] = 1;  // a visit twice, another never
    EXPECT_EQ(missing_patterns_of(made.context(), made.results.runs[0]).arms, std::vector<std::string>{"placebo"}) << broken;
  }
}

TEST(MissingPatternsTable, ReadsLikeThis) {
  const Made made;
  const std::string table = html_of(tables::missing_patterns(made.context(), made.results.runs[0])).bytes();
  EXPECT_EQ(texts_of(table),
            "Pattern | Week 4 | Week 12 | Week 24 | Placebo | N = 4 | Low dose | N = 4 | All | N = 8 | "
            "Every visit | ■ | ■ | ■ | 3 |  (75.0%) | 2 |  (50.0%) | 5 |  (62.5%) | "
            "Until Week 4 | ■ | □ | □ | 1 |  (25.0%) | 0 | 1 |  (12.5%) | "
            "With gaps | ■ | □ | ■ | 0 | 1 |  (25.0%) | 1 |  (12.5%) | "
            "No visit | □ | □ | □ | 0 | 1 |  (25.0%) | 1 |  (12.5%) | "
            "Participants with a value | 7 | 5 | 6 | "
            "Filled square: a value at the visit; empty square: none. Percentages are of the participants of the arm.");
}

TEST(MissingPatternsTable, PoolsTheRarestOfManyPatterns) {
  Made made;
  made.results.curves.clear();
  auto& visits = made.protocol.endpoints[0].visits;
  visits = {"w4", "w12", "w24", "w36", "w48"};
  std::vector<double> pattern, visit, observed, participants;
  for (int k = 0; k < 32; ++k)  // every pattern of five visits; all have 2 participants but eight, which have 1
    for (int v = 0; v < 5; ++v)
      pattern.push_back(k), visit.push_back(v), observed.push_back(k >> v & 1), participants.push_back(k % 4 == 0 ? 1 : 2);
  made.results.curves.push_back(
      {"a01",
       {"missing_pattern",
        At{{"group", "placebo"}},
        {{"pattern", pattern}, {"visit", visit}, {"observed", observed}, {"participants", participants}}}});
  const std::string table = html_of(tables::missing_patterns(made.context(), made.results.runs[0])).bytes();
  EXPECT_EQ(count(table, "<tr>"), 1u + 24 + 1);  // head, patterns, the others
  EXPECT_THAT(texts_of(table), HasSubstr("8 more patterns | 8 |  (14.3%)"));
}

TEST(MissingPatternsFigure, SharesTheHeightOutAmongThePatterns) {
  const Made made;
  const std::string figure = figures::missing_patterns(made.context(), made.results.runs[0]).bytes();
  // A panel is 220 high. Placebo: all seen at week 4, three of four later. Dose: three seen in one block, then two, then three.
  EXPECT_EQ(count(figure, "height=\"220\""), 6u + 1);  // frames, and the first column of placebo
  EXPECT_EQ(count(figure, "height=\"165\""), 4u);      // 3 of 4
  EXPECT_EQ(count(figure, "height=\"110\""), 1u);      // 2 of 4
  EXPECT_THAT(texts_of(figure), HasSubstr("Placebo | N = 4 | Week 4: 4/4 | 100 | Week 12: 3/4 | 75 | Week 24: 3/4 | 75"));
  EXPECT_THAT(figure, HasSubstr("Low dose: 2 of 4 at every visit."));
  Made none;
  none.results.curves.clear();
  EXPECT_TRUE(figures::missing_patterns(none.context(), none.results.runs[0]).empty());
}

}  // namespace
}  // namespace equipoise::report
