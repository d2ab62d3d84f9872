#include "equipoise/stats/survival/cox.h"

#include <limits>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::leukaemia, testing::parse, testing::read, testing::Table,
    testing::term, testing::text, testing::texts;

const Roles plain{{"time", {"time"}}, {"event", {"event"}}};
const Node arms = testing::table({{"arm", texts({"6-MP", "placebo"})}});

Keys model(std::string formula, std::string ties = "efron") {
  return {{"formula", text(std::move(formula))}, {"ties", text(std::move(ties))}};
}
Keys arm_model(std::string ties, Node levels = arms) {
  return {{"formula", text("arm")}, {"ties", text(std::move(ties))}, {"levels", std::move(levels)}};
}

// R 4.2.2, survival 3.5-3, coxph(eps = 1e-14), 15 digits; Cox (1972) himself gives 1.65 by another handling of ties. The maximum
// is found to 1e-9 standard errors, so estimates agree to 1e-9 and likelihoods, flat there, to rounding.
TEST(Cox, ReproducesTheLeukaemiaHazardRatio) {
  struct Case {
    const char* ties;
    double estimate, se, null, fitted, score, wald;
  };
  for (const Case& c : {Case{"efron", 1.57212514882907, 0.412396717709455, -93.1842699968477, -85.0084245773717, 17.2465367957166,
                             14.5326170633744},
                        Case{"breslow", 1.50919141258588, 0.409564406366741, -93.9850504782452, -86.3796220711456,
                             15.9305395640327, 13.5782636509231}}) {
    Table table = leukaemia();
    const auto got = answer<Cox>(table.frame(), plain, arm_model(c.ties));
    const At placebo = term("arm", "placebo");
    EXPECT_NEAR(read(got, "estimate", placebo), c.estimate, 1e-9) << c.ties;
    EXPECT_NEAR(read(got, "se", placebo), c.se, 1e-9) << c.ties;
    EXPECT_NEAR(read(got, "hazard_ratio", placebo), std::exp(c.estimate), 1e-8) << c.ties;
    EXPECT_NEAR(read(got, "hazard_ratio_lower", placebo), std::exp(c.estimate - 1.959963984540054 * c.se), 1e-8) << c.ties;
    EXPECT_NEAR(read(got, "log_likelihood_null"), c.null, 1e-12) << c.ties;
    EXPECT_NEAR(read(got, "log_likelihood"), c.fitted, 1e-12) << c.ties;
    EXPECT_NEAR(read(got, "likelihood_ratio_chi_square"), 2 * (c.fitted - c.null), 4e-12) << c.ties;
    EXPECT_NEAR(read(got, "score_chi_square"), c.score, 1e-12) << c.ties;
    EXPECT_NEAR(read(got, "wald_chi_square"), c.wald, 1e-7) << c.ties;
    EXPECT_NEAR(read(got, "concordance"), 0.690042075736325, 1e-15) << c.ties;
    EXPECT_EQ(read(got, "n_observations"), 42);
    EXPECT_EQ(read(got, "n_events"), 30);
  }
}

// Therneau & Grambsch (2000), Modeling Survival Data, appendix E, test data 1: with Breslow's ties the estimate solves a
// quadratic, exp(b) = (3 + sqrt 33)/2, and the likelihoods are log-rational in it.
TEST(Cox, SolvesTheWorkedExampleOfTherneauAndGrambsch) {
  Table table;
  table.numbers("time", {9, 1, 1, 6, 6, 8}).numbers("event", {1, 1, 0, 1, 1, 0}).numbers("x", {0, 1, 1, 1, 0, 0});
  const auto got = answer<Cox>(table.frame(), plain, model("x", "breslow"));
  const double r = (3 + std::sqrt(33.0)) / 2;
  EXPECT_NEAR(read(got, "estimate", term("x")), std::log(r), 1e-9);
  EXPECT_NEAR(read(got, "log_likelihood_null"), -std::log(6.0) - 2 * std::log(4.0), 1e-14);
  EXPECT_NEAR(read(got, "log_likelihood"), 2 * std::log(r) - std::log(3 * r + 3) - 2 * std::log(r + 3), 1e-14);
}

// The same book, test data 2 (counting process), with clusters of two rows added; R 4.2.2, survival 3.5-3, cluster(id).
TEST(Cox, TakesIntervalsAtRiskAndClusters) {
  struct Case {
    const char* ties;
    double estimate, se, robust, null, fitted, score, wald;
  };
  for (const Case& c : {Case{"efron", -0.0211052095801752, 0.795176873819882, 0.568948666151266, -9.16951837745593,
                             -9.16916646472476, 0.000704473406128923, 0.00137604669364897},
                        Case{"breslow", -0.0845260806613092, 0.793817277485535, 0.550610239066342, -9.39266192877014,
                             -9.38701511836634, 0.0113434952144629, 0.0235663811469949}}) {
    Table table;
    table.numbers("start", {1, 2, 5, 2, 1, 7, 3, 4, 8, 8})
        .numbers("time", {2, 3, 6, 7, 8, 9, 9, 9, 14, 17})
        .numbers("event", {1, 1, 1, 1, 1, 1, 1, 0, 0, 0})
        .numbers("x", {1, 0, 0, 1, 0, 1, 1, 1, 0, 0})
        .category("id", {"1", "2", "3", "4", "5"}, {0, 0, 1, 1, 2, 2, 3, 3, 4, 4});
    const Roles roles{{"time", {"time"}}, {"event", {"event"}}, {"start", {"start"}}, {"cluster", {"id"}}};
    const auto got = answer<Cox>(table.frame(), roles, model("x", c.ties));
    EXPECT_NEAR(read(got, "estimate", term("x")), c.estimate, 1e-9) << c.ties;
    EXPECT_NEAR(read(got, "se", term("x")), c.se, 1e-9) << c.ties;
    EXPECT_NEAR(read(got, "robust_se", term("x")), c.robust, 1e-9) << c.ties;
    EXPECT_NEAR(read(got, "hazard_ratio_upper", term("x")), std::exp(c.estimate + 1.959963984540054 * c.robust), 1e-8) << c.ties;
    EXPECT_NEAR(read(got, "log_likelihood_null"), c.null, 1e-13) << c.ties;
    EXPECT_NEAR(read(got, "log_likelihood"), c.fitted, 1e-13) << c.ties;
    EXPECT_NEAR(read(got, "score_chi_square"), c.score, 1e-13) << c.ties;
    EXPECT_NEAR(read(got, "wald_chi_square"), c.wald, 1e-10) << c.ties;
    EXPECT_NEAR(read(got, "concordance"), 0.526315789473684, 1e-15) << c.ties;
  }
}

// Made-up data with heavy ties, late entry, two strata and clusters across both; R 4.2.2, survival 3.5-3,
// coxph(Surv(start, time, event) ~ arm + x + strata(s) + cluster(id)).
TEST(Cox, TakesStrataEntryTimesTiesAndClustersTogether) {
  const std::vector<double> start{1, 1, 2, 3, 0, 3, 3, 2, 2, 0, 0, 0, 2, 1, 3, 1, 2, 3, 1, 3, 3, 0, 2, 0, 1, 1, 0, 1, 3, 1,
                                  1, 2, 1, 0, 3, 2, 3, 0, 2, 1, 3, 2, 3, 2, 2, 3, 0, 1, 2, 2, 1, 3, 1, 0, 0, 0, 1, 2, 2, 1};
  const std::vector<double> time{6, 2, 5, 6, 3, 9, 5, 7, 3, 3, 1, 2, 8, 6, 5, 4, 3, 6, 7, 7, 7, 2, 5, 6, 7, 7, 5, 6, 5, 6,
                                 7, 4, 4, 5, 4, 5, 6, 1, 6, 7, 9, 4, 7, 5, 7, 5, 3, 3, 5, 7, 4, 4, 6, 3, 6, 2, 7, 3, 8, 4};
  const std::vector<double> event{1, 1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 0,
                                  1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0, 0};
  const std::vector<double> x{4, 1, 2, 1, 3, 1, 2, 3, 0, 4, 1, 4, 1, 1, 2, 4, 4, 1, 3, 4, 2, 3, 1, 1, 3, 1, 3, 0, 1, 0,
                              1, 0, 3, 4, 3, 3, 2, 2, 4, 3, 3, 1, 1, 4, 3, 1, 0, 2, 4, 2, 4, 3, 1, 2, 0, 0, 3, 0, 2, 3};
  const std::vector<std::int32_t> arm{2, 1, 1, 0, 2, 1, 1, 0, 0, 1, 1, 0, 0, 1, 2, 1, 1, 1, 2, 1, 2, 1, 0, 0, 2, 1, 0, 2, 0, 2,
                                      1, 1, 0, 1, 1, 0, 1, 0, 0, 0, 0, 2, 1, 2, 2, 1, 0, 1, 2, 1, 1, 2, 2, 1, 1, 2, 1, 2, 1, 2};
  const std::vector<std::int32_t> s{0, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1,
                                    1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 1, 0, 0};
  const std::vector<std::int32_t> id{6,  11, 18, 2,  8,  4, 8, 2,  9,  18, 15, 18, 9,  12, 9,  2,  4, 9, 7, 18,
                                     10, 6,  5,  15, 14, 3, 1, 15, 12, 3,  1,  2,  7,  3,  5,  3,  5, 3, 9, 15,
                                     0,  10, 17, 7,  0,  2, 6, 3,  2,  4,  4,  2,  19, 6,  10, 13, 1, 2, 1, 18};
  std::vector<std::string> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(std::to_string(i));
  struct Case {
    const char* ties;
    double b[3], robust[3], se[3], null, fitted, score, wald;
  };
  for (const Case& c : {Case{"efron",
                             {0.160551975341506, 0.210877699659612, 0.131176043541748},
                             {0.383808786962670, 0.489563959190003, 0.123415954266594},
                             {0.451014324335116, 0.471988966609755, 0.143470345698671},
                             -86.7983996569953,
                             -86.2613824111197,
                             1.07503641652051,
                             2.05684208845651},
                        Case{"breslow",
                             {0.137565098876749, 0.185366324937962, 0.116698992054846},
                             {0.370309922569287, 0.443895067745865, 0.112662375595628},
                             {0.453636625255132, 0.469899462331890, 0.141471643941424},
                             -90.0072952815354,
                             -89.5745431398234,
                             0.865988600992411,
                             1.88472221160437}}) {
    Table table;
    table.numbers("start", start).numbers("time", time).numbers("event", event).numbers("x", x);
    table.category("arm", {"a", "b", "c"}, arm).category("s", {"0", "1"}, s).category("id", ids, id);
    const Roles roles{{"time", {"time"}}, {"event", {"event"}}, {"start", {"start"}}, {"strata", {"s"}}, {"cluster", {"id"}}};
    Keys keys = model("arm + x", c.ties);
    keys.emplace_back("levels", testing::table({{"arm", texts({"a", "b", "c"})}}));
    const auto got = answer<Cox>(table.frame(), roles, keys);
    const At terms[3] = {term("arm", "b"), term("arm", "c"), term("x")};
    for (int j = 0; j < 3; ++j) {
      EXPECT_NEAR(read(got, "estimate", terms[j]), c.b[j], 1e-9) << c.ties << j;
      EXPECT_NEAR(read(got, "se", terms[j]), c.se[j], 1e-9) << c.ties << j;
      EXPECT_NEAR(read(got, "robust_se", terms[j]), c.robust[j], 1e-9) << c.ties << j;
    }
    EXPECT_NEAR(read(got, "log_likelihood_null"), c.null, 1e-12) << c.ties;
    EXPECT_NEAR(read(got, "log_likelihood"), c.fitted, 1e-12) << c.ties;
    EXPECT_NEAR(read(got, "score_chi_square"), c.score, 1e-12) << c.ties;
    EXPECT_NEAR(read(got, "wald_chi_square"), c.wald, 1e-8) << c.ties;
    EXPECT_NEAR(read(got, "concordance"), 0.568345323741007, 1e-15) << c.ties;
  }
}

TEST(Cox, SaysThatAnArmWithoutEventsHasNoHazardRatioAndFitsTheRest) {
  Table table;  // arm c has no events; the hazard ratio of b and the effect of x stay estimable
  table.numbers("time", {1, 2, 3, 4, 5, 6, 7, 8, 9, 3.5, 5.5, 9})
      .numbers("event", {1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0})
      .numbers("x", {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8})
      .category("arm", {"a", "b", "c"}, {0, 1, 0, 1, 1, 0, 1, 0, 0, 2, 2, 2});
  Keys keys = model("arm + x");
  keys.emplace_back("levels", testing::table({{"arm", texts({"a", "b", "c"})}}));
  const auto got = answer<Cox>(table.frame(), plain, keys);
  EXPECT_TRUE(std::isnan(read(got, "hazard_ratio", term("arm", "c"))));
  EXPECT_TRUE(std::isnan(read(got, "hazard_ratio_upper", term("arm", "c"))));
  EXPECT_TRUE(std::isnan(read(got, "wald_chi_square")));
  EXPECT_TRUE(has_note(got, "arm 'c': no events in it, so the hazard ratio is not estimable."));
  EXPECT_EQ(got->findings[0].quantity, "estimate");

  // With hazard 0 the participants of c take no part in any risk set: the others are fitted as if c were not there.
  Table others;
  others.numbers("time", {1, 2, 3, 4, 5, 6, 7, 8, 9})
      .numbers("event", {1, 1, 1, 1, 1, 0, 1, 1, 0})
      .numbers("x", {3, 1, 4, 1, 5, 9, 2, 6, 5})
      .category("arm", {"a", "b", "c"}, {0, 1, 0, 1, 1, 0, 1, 0, 0});
  const auto rest = answer<Cox>(others.frame(), plain, keys);
  for (const At& at : {term("arm", "b"), term("x")})
    for (const char* quantity : {"estimate", "se", "p"})
      EXPECT_NEAR(read(got, quantity, at), read(rest, quantity, at), 1e-9) << quantity;
  EXPECT_NEAR(read(got, "log_likelihood"), read(rest, "log_likelihood"), 1e-10);
  EXPECT_FALSE(std::isnan(read(got, "likelihood_ratio_chi_square")));
  EXPECT_GT(read(got, "likelihood_ratio_chi_square"), read(rest, "likelihood_ratio_chi_square"));
}

TEST(Cox, SaysThatAReferenceArmWithoutEventsHasNoHazardRatio) {
  Table table;
  table.numbers("time", {5, 6, 7, 1, 2, 3, 4, 8})
      .numbers("event", {0, 0, 0, 1, 1, 0, 1, 1})
      .category("arm", {"a", "b"}, {0, 0, 0, 1, 1, 1, 1, 1});
  Keys keys = arm_model("efron", testing::table({{"arm", texts({"a", "b"})}}));
  const auto got = answer<Cox>(table.frame(), plain, keys);
  EXPECT_TRUE(std::isnan(read(got, "estimate", term("arm", "b"))));
  EXPECT_TRUE(has_note(got, "arm 'b': no events in the reference arm 'a', so the hazard ratio is not estimable."));
  // At the limit only b is at risk, so each factor is 1 over the number of b at risk: 5, 4, 2, 1.
  EXPECT_NEAR(read(got, "log_likelihood"), -std::log(5.0 * 4 * 2 * 1), 1e-10);
}

TEST(Cox, HasARowForAnArmWithoutAnybody) {
  Keys keys = model("arm");
  keys.emplace_back("levels", testing::table({{"arm", texts({"a", "b", "c"})}}));
  Table two;  // nobody in c: the comparison of b with a is what it is without c
  two.numbers("time", {1, 2, 3, 4, 5, 6})
      .numbers("event", {1, 1, 1, 1, 0, 1})
      .category("arm", {"a", "b", "c"}, {0, 1, 0, 1, 1, 0});
  const auto got = answer<Cox>(two.frame(), plain, keys);
  EXPECT_FALSE(std::isnan(read(got, "hazard_ratio", term("arm", "b"))));
  EXPECT_TRUE(std::isnan(read(got, "hazard_ratio", term("arm", "c"))));
  EXPECT_TRUE(has_note(got, "arm 'c': nobody in it, so the hazard ratio is not estimable."));

  Table no_control;  // nobody in the reference: c against b is not what was asked, and must not stand in its place
  no_control.numbers("time", {1, 2, 3, 4, 5, 6})
      .numbers("event", {1, 1, 1, 1, 0, 1})
      .category("arm", {"a", "b", "c"}, {2, 1, 2, 1, 1, 2});
  const auto without = answer<Cox>(no_control.frame(), plain, keys);
  for (const char* arm : {"b", "c"}) {
    EXPECT_TRUE(std::isnan(read(without, "estimate", term("arm", arm)))) << arm;
    EXPECT_TRUE(std::isnan(read(without, "hazard_ratio", term("arm", arm)))) << arm;
  }
  EXPECT_TRUE(has_note(without, "no row has the reference level 'a' of 'arm': nothing can be compared with it."));
}

TEST(Cox, SaysThatAPerfectlyOrderedCovariateHasNoHazardRatio) {
  Table table;
  std::vector<double> time, x;
  for (int i = 0; i < 50; ++i) time.push_back(i + 1), x.push_back(-i * i * 0.01);
  table.numbers("time", time).numbers("event", std::vector<double>(50, 1.0)).numbers("x", x);
  const auto got = answer<Cox>(table.frame(), plain, model("x"));
  EXPECT_TRUE(std::isnan(read(got, "estimate", term("x"))));
  EXPECT_TRUE(has_note(got, "x: its likelihood grows for ever, so the hazard ratio is not estimable."));
  EXPECT_EQ(read(got, "concordance"), 1);
}

TEST(Cox, GivesNoCoefficientToWhatEarlierTermsDetermine) {
  Table table = leukaemia();
  std::vector<double> x, twice, same;
  for (int i = 0; i < 42; ++i) x.push_back(i * 37 % 11), twice.push_back(1e6 + 2 * x.back()), same.push_back(0.1);
  table.numbers("x", x).numbers("twice", twice).numbers("same", same);
  const auto got = answer<Cox>(table.frame(), plain, model("x + twice + same"));
  const auto alone = answer<Cox>(table.frame(), plain, model("x"));
  EXPECT_NEAR(read(got, "estimate", term("x")), read(alone, "estimate", term("x")), 1e-9);
  EXPECT_NEAR(read(got, "wald_chi_square"), read(alone, "wald_chi_square"), 1e-8);
  for (const char* column : {"twice", "same"}) {
    EXPECT_TRUE(std::isnan(read(got, "estimate", term(column)))) << column;
    EXPECT_TRUE(has_note(got, std::string(column) + ": constant, or determined by earlier terms")) << column;
  }
  for (Finding const& finding : got->findings) {
    if (finding.quantity != "likelihood_ratio_chi_square") continue;
    EXPECT_EQ(finding.df, 1);
  }
}

TEST(Cox, DoesNotMindUnits) {
  Table table = leukaemia();
  std::vector<double> x, tiny, far;
  for (int i = 0; i < 42; ++i) x.push_back(i * 37 % 11), tiny.push_back(1e-9 * x.back()), far.push_back(1e6 + x.back());
  table.numbers("x", x).numbers("tiny", tiny).numbers("far", far);
  const double b = read(answer<Cox>(table.frame(), plain, model("x")), "estimate", term("x"));
  EXPECT_NEAR(read(answer<Cox>(table.frame(), plain, model("tiny")), "estimate", term("tiny")) * 1e-9, b, 1e-9);
  EXPECT_NEAR(read(answer<Cox>(table.frame(), plain, model("far")), "estimate", term("far")), b, 1e-9);
}

TEST(Cox, HoldsOnAtTheEdges) {
  {
    Table none;
    none.numbers("time", {}).numbers("event", {}).numbers("x", {});
    const auto got = answer<Cox>(none.frame(), plain, model("x"));
    EXPECT_TRUE(std::isnan(read(got, "estimate", term("x"))));
    EXPECT_TRUE(std::isnan(read(got, "likelihood_ratio_chi_square")));
    EXPECT_EQ(read(got, "n_observations"), 0);
  }
  {
    Table one;
    one.numbers("time", {1}).numbers("event", {1}).numbers("x", {3});
    const auto got = answer<Cox>(one.frame(), plain, model("x"));
    EXPECT_TRUE(std::isnan(read(got, "estimate", term("x"))));
    EXPECT_EQ(read(got, "log_likelihood_null"), 0);  // one at risk, one event: log 1
    EXPECT_TRUE(std::isnan(read(got, "concordance")));
  }
  {
    Table censored;
    censored.numbers("time", {1, 2, 3}).numbers("event", {0, 0, 0}).numbers("x", {3, 1, 2});
    const auto got = answer<Cox>(censored.frame(), plain, model("x"));
    EXPECT_TRUE(std::isnan(read(got, "estimate", term("x"))));
    EXPECT_TRUE(has_note(got, "No event"));
  }
  {
    Table tied;  // everybody dies at once: Efron's likelihood is that of random order, Breslow's information is fine too
    tied.numbers("time", {2, 2, 2, 2}).numbers("event", {1, 1, 1, 1}).numbers("x", {0, 1, 2, 4});
    for (const char* ties : {"efron", "breslow"})
      EXPECT_NEAR(read(answer<Cox>(tied.frame(), plain, model("x", ties)), "estimate", term("x")), 0, 1e-9) << ties;
  }
  {
    Table infinite;
    infinite.numbers("time", {1, 2}).numbers("event", {1, 1}).numbers("x", {0, std::numeric_limits<double>::infinity()});
    EXPECT_EQ(answer<Cox>(infinite.frame(), plain, model("x")).error().code, Code::bad_cell);
  }
  {
    Table huge;  // an outlier of a million standard deviations must end somewhere
    huge.numbers("time", {1, 2, 3, 4, 5, 6}).numbers("event", {1, 1, 1, 1, 0, 1}).numbers("x", {0, 1e300, 1, 0, 1, 0});
    EXPECT_TRUE(answer<Cox>(huge.frame(), plain, model("x")));
  }
}

TEST(Cox, ChoosesItsTiesByThePlaceOfTheReader) {
  const Keys keys{{"formula", text("x")}};
  EXPECT_EQ(parse<Cox>(plain, keys).method->ties, Ties::efron);
  EXPECT_EQ(parse<Cox>(plain, keys, Match::r).method->ties, Ties::efron);
  const auto sas = parse<Cox>(plain, keys, Match::sas);
  EXPECT_EQ(sas.method->ties, Ties::breslow);
  EXPECT_EQ(sas.method->ties_note, "Tied events: Breslow's approximation, the default of SAS (match = \"sas\").");
  EXPECT_EQ(parse<Cox>(plain, model("x"), Match::sas).method->ties, Ties::efron);
}

TEST(Cox, ReportsEveryProblemOfItsOptions) {
  const auto exact = parse<Cox>({{"time", {"time"}}, {"event", {"event"}}, {"cluster", {"id"}}}, model("x", "exact"));
  ASSERT_EQ(exact.problems.size(), 1u);  // no robust variance
  EXPECT_EQ(exact.problems[0].code, Code::not_available);
  const auto wrong = parse<Cox>(plain, {{"formula", text("x + log(y)")}, {"levels", testing::table({{"z", texts({"a", "a"})}})}});
  EXPECT_FALSE(wrong.method);
  ASSERT_EQ(wrong.problems.size(), 2u);  // levels given twice; the formula
  const auto missing = parse<Cox>(plain);
  ASSERT_EQ(missing.problems.size(), 1u);
  EXPECT_EQ(missing.problems[0].code, Code::missing_key);
}

TEST(Cox, NeedsItsCategoriesWithTheirLevels) {
  Keys keys = model("arm + age");
  keys.emplace_back("levels", testing::table({{"arm", texts({"p", "low"})}}));
  const auto parsed = parse<Cox>({{"time", {"t"}}, {"event", {"e"}}, {"strata", {"site", "sex"}}}, keys);
  ASSERT_TRUE(parsed.method);
  const auto needs = parsed.method->needs();
  ASSERT_EQ(needs.size(), 6u);
  EXPECT_EQ(needs[2].name, "arm");
  EXPECT_EQ(needs[2].need, Need::category);
  EXPECT_EQ(needs[2].levels, (std::vector<std::string>{"p", "low"}));
  EXPECT_EQ(needs[3].need, Need::number);
  EXPECT_EQ(needs[5].name, "sex");
}

}  // namespace
}  // namespace equipoise::stats
