#include "equipoise/stats/survival/kaplan_meier.h"

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::leukaemia, testing::numbers, testing::parse, testing::read, testing::Table,
    testing::text;

const Roles grouped{{"time", {"time"}}, {"event", {"event"}}, {"group", {"arm"}}};
const Roles ungrouped{{"time", {"time"}}, {"event", {"event"}}};
At at(std::string group, double time) { return {{"group", std::move(group)}, {"time", time}}; }
At quantile(std::string group, double prob) { return {{"group", std::move(group)}, {"prob", prob}}; }
At limit(std::string group, double prob, std::string side) {
  return {{"group", std::move(group)}, {"prob", prob}, {"side", std::move(side)}};
}

constexpr double digits = 2e-14;  // a few dozen roundings of numbers below 1; the expected values have 16 digits

TEST(KaplanMeier, ReproducesTheLeukaemiaCurve) {
  Table table = leukaemia();
  const auto got = answer<KaplanMeier>(table.frame(), grouped, {{"times", numbers({6, 10, 23, 24.5})}});
  // Exact fractions from the risk sets, as in Gehan's table.
  EXPECT_NEAR(read(got, "survival", at("6-MP", 6)), 18.0 / 21, digits);
  EXPECT_NEAR(read(got, "survival", at("6-MP", 10)), 18.0 / 21 * 16 / 17 * 14 / 15, digits);
  EXPECT_NEAR(read(got, "survival", at("6-MP", 24.5)), read(got, "survival", at("6-MP", 23)), 0);
  EXPECT_NEAR(read(got, "survival", at("placebo", 10)), 8.0 / 21, digits);
  EXPECT_EQ(read(got, "n_at_risk", at("6-MP", 6)), 21);  // those censored at 6 are at risk at 6
  EXPECT_EQ(read(got, "n_at_risk", at("6-MP", 10)), 15);
  EXPECT_EQ(read(got, "n_events", {{"group", "6-MP"}}), 9);
  EXPECT_EQ(read(got, "n", {{"group", "placebo"}}), 21);
  // Greenwood by hand: S^2 (3/(21*18) + 1/(17*16) + 1/(15*14)).
  EXPECT_NEAR(read(got, "se", at("6-MP", 10)),
              18.0 / 21 * 16 / 17 * 14 / 15 * std::sqrt(3.0 / (21 * 18) + 1.0 / (17 * 16) + 1.0 / (15 * 14)), digits);
}

// R 4.2.2, survival 3.5-3: summary(survfit(Surv(time, event) ~ arm, conf.type = ...), times = 10), 16 digits.
TEST(KaplanMeier, HasItsLimitsOnFiveScales) {
  struct Case {
    const char* interval;
    double lower_mp, lower_placebo, upper_mp, upper_placebo;
  };
  for (const Case& c : {Case{"plain", 0.5640993266787881, 0.1732527051874978, 0.9417830262623881, 0.5886520567172641},
                        Case{"log", 0.5859189820296942, 0.2208453613182299, 0.9675747545522975, 0.6571327361690366},
                        Case{"log-log", 0.5031995107999565, 0.1830665488203944, 0.8893618351692654, 0.5777886777458309},
                        Case{"logit", 0.5247784845396730, 0.2032289291494312, 0.8937400105875264, 0.5975383598411410},
                        Case{"arcsin", 0.5462151582105164, 0.1902508537600329, 0.9119466459294123, 0.5931009374439224}}) {
    Table table = leukaemia();
    const auto got = answer<KaplanMeier>(table.frame(), grouped, {{"interval", text(c.interval)}, {"times", numbers({10})}});
    EXPECT_NEAR(read(got, "lower", at("6-MP", 10)), c.lower_mp, digits) << c.interval;
    EXPECT_NEAR(read(got, "lower", at("placebo", 10)), c.lower_placebo, digits) << c.interval;
    EXPECT_NEAR(read(got, "upper", at("6-MP", 10)), c.upper_mp, digits) << c.interval;
    EXPECT_NEAR(read(got, "upper", at("placebo", 10)), c.upper_placebo, digits) << c.interval;
  }
}

// The same program: quantile(survfit(..., conf.type = "log"), c(0.25, 0.5)). Times of the data, so exact.
TEST(KaplanMeier, ReadsQuantilesAndTheirBrookmeyerCrowleyLimits) {
  Table table = leukaemia();
  const auto got = answer<KaplanMeier>(table.frame(), grouped, {{"interval", text("log")}, {"probs", numbers({0.25, 0.5})}});
  EXPECT_EQ(read(got, "quantile", quantile("6-MP", 0.5)), 23);
  EXPECT_EQ(read(got, "quantile", limit("6-MP", 0.5, "lower")), 16);
  EXPECT_TRUE(std::isnan(read(got, "quantile", limit("6-MP", 0.5, "upper"))));
  EXPECT_EQ(read(got, "quantile", quantile("placebo", 0.5)), 8);
  EXPECT_EQ(read(got, "quantile", limit("placebo", 0.5, "lower")), 4);
  EXPECT_EQ(read(got, "quantile", limit("placebo", 0.5, "upper")), 12);
  EXPECT_EQ(read(got, "quantile", limit("6-MP", 0.25, "lower")), 6);
}

TEST(KaplanMeier, TakesTheMidpointWhereTheCurveIsFlatAtTheQuantile) {
  Table table;  // S is 3/4, 1/2, 1/4, then censored at 9
  table.numbers("time", {1, 2, 4, 9}).numbers("event", {1, 1, 1, 0});
  const auto got = answer<KaplanMeier>(table.frame(), ungrouped, {{"probs", numbers({0.25, 0.4, 0.5, 0.75, 0.8})}});
  EXPECT_EQ(read(got, "quantile", {{"prob", 0.25}}), 1.5);
  EXPECT_EQ(read(got, "quantile", {{"prob", 0.4}}), 2);
  EXPECT_EQ(read(got, "quantile", {{"prob", 0.5}}), 3);
  EXPECT_EQ(read(got, "quantile", {{"prob", 0.75}}), 6.5);  // never changes again: half way to the last time
  EXPECT_TRUE(std::isnan(read(got, "quantile", {{"prob", 0.8}})));
}

TEST(KaplanMeier, DrawsACurveFromTimeZero) {
  Table table;
  table.numbers("time", {2, 2, 3, 5}).numbers("event", {1, 0, 0, 1});
  const auto got = answer<KaplanMeier>(table.frame(), ungrouped, {{"interval", text("plain")}});
  ASSERT_EQ(got->series.size(), 1u);
  Series const& curve = got->series[0];
  EXPECT_EQ(curve.quantity, "survival");
  const auto column = [&](std::string_view name) {
    for (auto const& [key, values] : curve.columns)
      if (key == name) return values;
    return std::vector<double>{};
  };
  using Values = std::vector<double>;
  EXPECT_EQ(column("time"), (Values{0, 2, 3, 5}));
  EXPECT_EQ(column("survival"), (Values{1, 0.75, 0.75, 0}));
  EXPECT_EQ(column("n_at_risk"), (Values{4, 4, 2, 1}));
  EXPECT_EQ(column("n_events"), (Values{0, 1, 0, 1}));
  EXPECT_EQ(column("n_censored"), (Values{0, 1, 1, 0}));
  EXPECT_EQ(column("lower")[0], 1);
  EXPECT_TRUE(std::isnan(column("lower")[3]));  // S = 0 has no Greenwood limits
}

TEST(KaplanMeier, ChoosesItsScaleByThePlaceOfTheReader) {
  struct Case {
    Match match;
    SurvivalInterval interval;
    const char* note;
  };
  for (const Case& c : {Case{Match::equipoise, SurvivalInterval::log_log, "log-log scale, the default."},
                        Case{Match::sas, SurvivalInterval::log_log, "log-log scale, the default of SAS"},
                        Case{Match::r, SurvivalInterval::log, "log scale, the default of R"}}) {
    const auto parsed = parse<KaplanMeier>(grouped, {}, c.match);
    ASSERT_TRUE(parsed.method);
    EXPECT_EQ(parsed.method->interval, c.interval);
    EXPECT_NE(parsed.method->interval_note.find(c.note), std::string::npos) << parsed.method->interval_note;
  }
  EXPECT_EQ(parse<KaplanMeier>(grouped, {{"interval", text("plain")}}, Match::r).method->interval, SurvivalInterval::plain);
}

TEST(KaplanMeier, HoldsOnAtTheEdges) {
  const testing::Keys keys{{"times", numbers({0, 4, 6})}};
  {
    Table none;
    none.numbers("time", {}).numbers("event", {});
    const auto got = answer<KaplanMeier>(none.frame(), ungrouped, keys);
    EXPECT_EQ(read(got, "n", {}), 0);
    EXPECT_TRUE(std::isnan(read(got, "survival", {{"time", 4.0}})));
    EXPECT_TRUE(std::isnan(read(got, "quantile", {{"prob", 0.5}})));
  }
  {
    Table one;
    one.numbers("time", {5}).numbers("event", {1});
    const auto got = answer<KaplanMeier>(one.frame(), ungrouped, keys);
    EXPECT_EQ(read(got, "survival", {{"time", 4.0}}), 1);
    EXPECT_EQ(read(got, "n_at_risk", {{"time", 4.0}}), 1);
    EXPECT_EQ(read(got, "survival", {{"time", 6.0}}), 0);  // dead is dead, also after the last time
    EXPECT_EQ(read(got, "n_at_risk", {{"time", 6.0}}), 0);
    EXPECT_EQ(read(got, "quantile", {{"prob", 0.5}}), 5);
  }
  {
    Table censored;
    censored.numbers("time", {5, 5, 5}).numbers("event", {0, 0, 0}).category("arm", {"a", "b"}, {0, 0, 0});
    const auto got = answer<KaplanMeier>(censored.frame(), grouped, keys);
    EXPECT_EQ(read(got, "survival", at("a", 4)), 1);
    EXPECT_TRUE(std::isnan(read(got, "survival", at("a", 6))));  // nobody was followed so long
    EXPECT_TRUE(has_note(got, "Beyond the last observed time of arm 'a'"));
    EXPECT_TRUE(has_note(got, "Nobody in arm 'b'."));
    EXPECT_EQ(read(got, "n", {{"group", "b"}}), 0);
    EXPECT_EQ(got->series.size(), 1u);
  }
}

TEST(KaplanMeier, ReportsEveryProblemOfItsOptionsAndRoles) {
  const auto parsed = parse<KaplanMeier>(
      {{"time", {"t"}}, {"cause", {"c"}}},
      {{"interval", text("loglog")}, {"level", testing::number(1)}, {"probs", numbers({2})}, {"tmes", numbers({1})}});
  EXPECT_FALSE(parsed.method);
  ASSERT_EQ(parsed.problems.size(), 6u);  // role cause, role event, interval, level, probs, tmes
  EXPECT_EQ(parsed.problems[2].hint, "did you mean 'log-log'?");
  const auto clash = parse<KaplanMeier>({{"time", {"t"}}, {"event", {"e"}}, {"group", {"t"}}});
  ASSERT_EQ(clash.problems.size(), 1u);
  EXPECT_EQ(clash.problems[0].code, Code::inconsistent);
}

}  // namespace
}  // namespace equipoise::stats
