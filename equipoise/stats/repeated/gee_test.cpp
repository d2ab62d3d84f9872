#include "equipoise/stats/repeated/gee.h"

#include <cmath>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::numbers, testing::parse, testing::read, testing::Table,
    testing::term, testing::text, testing::texts;

const Roles rows{{"response", {"y"}}, {"subject", {"id"}}};
const Roles rows_at_visits{{"response", {"y"}}, {"subject", {"id"}}, {"visit", {"visit"}}};
const At intercept{{"term", Term{}}};

Keys options(std::string formula, std::string family, std::string correlation, Keys more = {}) {
  Keys keys{{"formula", text(formula)}, {"family", text(family)}, {"working_correlation", text(correlation)}};
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}
Keys with_arm(std::string formula, std::string family, std::string correlation, Keys more = {}) {
  more.insert(more.begin(), {"levels", testing::table({{"arm", texts({"a", "b"})}})});
  return options(formula, family, correlation, more);
}

/// "p0", "p1", ...
std::vector<std::string> names(std::size_t count) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) all.push_back("p" + std::to_string(i));
  return all;
}

/// 24 participants, 4 visits with gaps, made up.
struct Small {
  std::vector<std::int32_t> id{1,  1,  1,  2,  2,  2,  2,  3,  3,  3,  4,  4,  4,  4,  5,  5,  6,  6,  6,  6,  7,  7,
                               7,  7,  8,  8,  8,  8,  9,  9,  9,  10, 10, 10, 10, 11, 11, 11, 11, 12, 12, 12, 13, 13,
                               13, 13, 14, 14, 14, 14, 15, 15, 16, 16, 16, 16, 17, 17, 17, 17, 18, 18, 18, 18, 19, 19,
                               19, 19, 20, 20, 21, 21, 21, 21, 22, 22, 22, 22, 23, 23, 23, 24, 24, 24, 24};
  std::vector<double> v{1, 2, 4, 1, 2, 3, 4, 1, 3, 4, 1, 2, 3, 4, 1, 4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 2,
                        3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 2, 3, 1, 2, 3, 4, 1, 2,
                        3, 4, 1, 2, 3, 4, 1, 2, 3, 4, 2, 3, 1, 2, 3, 4, 1, 2, 3, 4, 1, 3, 4, 1, 2, 3, 4};
  std::vector<double> y{6,  7, 7, 5, 5, 6, 7, 6, 5, 8, 4, 7, 5, 6, 6, 9, 6, 5, 3, 8,  9, 9, 11, 10, 5, 8, 8, 9, 8,
                        10, 9, 3, 9, 6, 4, 7, 9, 6, 6, 7, 7, 7, 4, 6, 8, 7, 4, 7, 5,  8, 7, 6,  9,  6, 5, 9, 5, 5,
                        10, 7, 8, 7, 9, 8, 8, 5, 9, 7, 6, 7, 3, 7, 8, 7, 7, 8, 8, 10, 7, 8, 8,  6,  7, 7, 8};

  Table table(double y_unit = 1, double v_shift = 0) const {
    std::vector<std::int32_t> subject, visit;
    std::vector<double> arm, response, day;
    for (std::size_t i = 0; i < y.size(); ++i) {
      subject.push_back(id[i] - 1), visit.push_back(std::int32_t(v[i]) - 1);
      arm.push_back(id[i] % 2), response.push_back(y_unit * y[i]), day.push_back(v_shift + v[i]);
    }
    Table made;
    made.numbers("y", response)
        .numbers("arm", arm)
        .numbers("v", day)
        .category("id", names(24), subject)
        .category("visit", {"1", "2", "3", "4"}, visit);
    return made;
  }
};

// geepack 1.3.9, control = geese.control(epsilon = 1e-13, maxit = 500):
//     geeglm(y ~ arm + v, gaussian, d, id = id, waves = v, corstr = "ar1")
// It stops within some 1e-9 of the solution.
TEST(Gee, HasTheAr1OfGeepackAlsoWithGaps) {
  Table table = Small().table();
  const auto got = answer<Gee>(table.frame(), rows_at_visits, options("arm + v", "gaussian", "ar1"));
  const double tolerance = 1e-8;
  EXPECT_NEAR(read(got, "estimate", intercept), 5.2414238153674955, tolerance);
  EXPECT_NEAR(read(got, "estimate", term("arm")), 0.5462405144779753, tolerance);
  EXPECT_NEAR(read(got, "estimate", term("v")), 0.5564862373644123, tolerance);
  EXPECT_NEAR(read(got, "robust_se", intercept), 0.3896595579228713, tolerance);
  EXPECT_NEAR(read(got, "robust_se", term("arm")), 0.4353837508321938, tolerance);
  EXPECT_NEAR(read(got, "robust_se", term("v")), 0.1025919324077496, tolerance);
  EXPECT_NEAR(read(got, "working_correlation"), 0.1940963340247884, tolerance);
  EXPECT_NEAR(read(got, "dispersion"), 2.515831552862465, tolerance);
}

//     z <- genZcor(as.integer(table(d$id)), waves = d$v, corstrv = 4)
//     geeglm(y ~ arm + v, poisson, d, id = id, corstr = "userdefined", zcor = z)
TEST(Gee, HasTheUnstructuredCorrelationOfGeepackAlsoWithGaps) {
  Table table = Small().table();
  const auto got = answer<Gee>(table.frame(), rows_at_visits, options("arm + v", "poisson", "unstructured"));
  const double tolerance = 1e-8;
  EXPECT_NEAR(read(got, "estimate", intercept), 1.69400570035907072, tolerance);
  EXPECT_NEAR(read(got, "estimate", term("arm")), 0.07661385456563941, tolerance);
  EXPECT_NEAR(read(got, "estimate", term("v")), 0.08146736075318491, tolerance);
  EXPECT_NEAR(read(got, "robust_se", intercept), 0.05854656158980607, tolerance);
  EXPECT_NEAR(read(got, "robust_se", term("arm")), 0.05778941884841444, tolerance);
  EXPECT_NEAR(read(got, "robust_se", term("v")), 0.01635488023884583, tolerance);
  const auto correlation = [&](std::string row, std::string column) {
    return read(got, "working_correlation", {{"row", row}, {"column", column}});
  };
  EXPECT_NEAR(correlation("1", "2"), -0.01975023602100848, tolerance);
  EXPECT_NEAR(correlation("1", "3"), 0.33814966137331554, tolerance);
  EXPECT_NEAR(correlation("1", "4"), 0.58910743113680641, tolerance);
  EXPECT_NEAR(correlation("2", "3"), 0.12809707186071570, tolerance);
  EXPECT_NEAR(correlation("2", "4"), 0.02754530234960891, tolerance);
  EXPECT_NEAR(correlation("3", "4"), 0.23198597724895731, tolerance);
  EXPECT_NEAR(read(got, "dispersion"), 0.3678535696008395, tolerance);
}

// K participants with m rows each and only an intercept: the estimate is the mean, the leverage of a participant 1/K along its
// mean, so the variances are sum (mean_i - mean)^2 over K^2, K (K - 1), (K - 1)^2 and, for Fay and Graubard, K (K - 1) again.
TEST(Gee, IsTheMeanOfMeansOnABalancedSample) {
  const std::vector<double> y{3, 5, 4, 9, 8, 7, 1, 2, 6, 4, 4, 4, 7, 2, 3};
  const std::vector<std::int32_t> id{0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4};
  double mean = 0, squares = 0, within = 0;
  for (const double value : y) mean += value / 15;
  for (std::size_t i = 0; i < 5; ++i) {
    const double own = (y[3 * i] + y[3 * i + 1] + y[3 * i + 2]) / 3;
    squares += (own - mean) * (own - mean);
    for (std::size_t j = 0; j < 3; ++j) within += (y[3 * i + j] - own) * (y[3 * i + j] - own);
  }
  Table table;
  table.numbers("y", y).numbers("none", std::vector<double>(15, 1.0)).category("id", names(5), id);
  const double rounding = 1e-14;
  for (const std::string correlation : {"independence", "exchangeable"})
    for (auto const& [correction, divisor] : {std::pair("none", 25.0), std::pair("kauermann_carroll", 20.0),
                                              std::pair("mancl_derouen", 16.0), std::pair("fay_graubard", 20.0)}) {
      const auto got =
          answer<Gee>(table.frame(), rows, options("none", "gaussian", correlation, {{"correction", text(correction)}}));
      EXPECT_NEAR(read(got, "estimate", intercept), mean, 10 * rounding);
      EXPECT_NEAR(read(got, "robust_se", intercept), std::sqrt(squares / divisor), rounding) << correction;
      EXPECT_TRUE(std::isnan(read(got, "estimate", term("none"))));  // the intercept again
      EXPECT_TRUE(has_note(got, "determined by earlier terms"));
      // phi = (within + 3 squares) / 15; alpha: sum of (3 mean)^2 - sum of squares, halved, over phi and 15 pairs
      const double phi = (within + 3 * squares) / 15;
      EXPECT_NEAR(read(got, "dispersion"), phi, 10 * rounding);
      if (correlation == "exchangeable") {
        EXPECT_NEAR(read(got, "working_correlation"), (6 * squares - within) / 2 / phi / 15, 10 * rounding);
      }
    }
  const auto t = answer<Gee>(table.frame(), rows,
                             options("none", "gaussian", "independence", {{"df", text("subjects_minus_coefficients")}}));
  EXPECT_EQ(read(t, "df", intercept), 4);
  const double half = 2.7764451051977987 * std::sqrt(squares / 25);  // qt(0.975, 4)
  EXPECT_NEAR(read(t, "upper", intercept), mean + half, 1e-12);
  EXPECT_NEAR(read(t, "t", intercept), mean / std::sqrt(squares / 25), 1e-12);
  const auto given = answer<Gee>(table.frame(), rows, options("none", "gaussian", "independence", {{"df", testing::number(4)}}));
  EXPECT_EQ(read(given, "upper", intercept), read(t, "upper", intercept));
}

// One row a participant, two arms, yes/no: log odds and Woolf's variance 1/a + 1/b + 1/c + 1/d, which the sandwich of a saturated
// model equals: each arm's sum of squared residuals is n p (1 - p).
TEST(Gee, OfOneRowAParticipantIsWoolfsOddsRatio) {
  std::vector<double> y;
  std::vector<std::int32_t> arm, id;
  const auto add = [&](int count, double value, std::int32_t of) {
    for (int i = 0; i < count; ++i) y.push_back(value), arm.push_back(of), id.push_back(std::int32_t(id.size()));
  };
  add(7, 1, 0), add(13, 0, 0), add(12, 1, 1), add(5, 0, 1);
  Table table;
  table.numbers("y", y).category("arm", {"a", "b"}, arm).category("id", names(id.size()), id);
  const auto got = answer<Gee>(table.frame(), rows, with_arm("arm", "binomial", "exchangeable"));
  const At difference{{"difference", LevelDifference{"arm", "b", "a"}}}, mean{{"lsmean", Term{{"arm", "b"}}}};
  const double log_odds = std::log(12.0 / 5 * 13 / 7), se = std::sqrt(1 / 7.0 + 1 / 13.0 + 1 / 12.0 + 1 / 5.0);
  EXPECT_NEAR(read(got, "estimate", difference), log_odds, 1e-12);
  EXPECT_NEAR(read(got, "robust_se", difference), se, 1e-12);
  EXPECT_NEAR(read(got, "se", term("arm", "b")), se, 1e-12);
  EXPECT_NEAR(read(got, "odds_ratio_lower", difference), std::exp(log_odds - 1.959963984540054 * se), 1e-11);
  EXPECT_NEAR(read(got, "share", mean), 12 / 17.0, 1e-13);
  const double lower = std::log(12 / 5.0) - 1.959963984540054 * std::sqrt(1 / 12.0 + 1 / 5.0);
  EXPECT_NEAR(read(got, "share_lower", mean), 1 / (1 + std::exp(-lower)), 1e-12);
  EXPECT_TRUE(has_note(got, "No participant has two rows"));
  EXPECT_TRUE(std::isnan(read(got, "working_correlation")));
}

TEST(Gee, ChangesUnitsAndOriginsExactly) {
  Table table = Small().table(), other = Small().table(std::ldexp(1.0, 300), 1e6);
  for (const std::string correction : {"none", "mancl_derouen", "kauermann_carroll"}) {
    const Keys keys = options("arm + v", "gaussian", "unstructured", {{"correction", text(correction)}});
    const auto a = answer<Gee>(table.frame(), rows_at_visits, keys), b = answer<Gee>(other.frame(), rows_at_visits, keys);
    for (const std::string quantity : {"estimate", "robust_se", "model_se"})
      for (At const& at : {term("arm"), term("v")}) {
        const double one = read(a, quantity, at), two = std::ldexp(read(b, quantity, at), -300);
        EXPECT_NEAR(one, two, 1e-9 * std::abs(one)) << quantity;  // v at a million keeps ten digits of its differences
      }
  }
}

TEST(Gee, ComparesArmsWithinVisitsAndByContrasts) {
  Small small;
  std::vector<std::int32_t> arm, visit, id;
  for (std::size_t i = 0; i < small.y.size(); ++i)
    arm.push_back(small.id[i] % 3), visit.push_back(std::int32_t(small.v[i]) - 1), id.push_back(small.id[i] - 1);
  Table table;
  table.numbers("y", small.y)
      .category("arm", {"a", "b", "c"}, arm)
      .category("visit", {"1", "2", "3", "4"}, visit)
      .category("id", names(24), id);
  const Node levels = testing::table({{"arm", texts({"a", "b", "c"})}, {"visit", texts({"1", "2", "3", "4"})}});
  const Node weights = testing::table({{"a", testing::number(-1)}, {"c", testing::number(1)}});
  const Node contrast = testing::table({{"name", text("ends")}, {"factor", text("arm")}, {"weights", weights}});
  const auto got = answer<Gee>(
      table.frame(), rows_at_visits,
      options("arm * visit", "gaussian", "independence",
              {{"levels", levels}, {"factor", text("arm")}, {"contrasts", Node(Node::Value(Node::Array{contrast}))}}));
  // A saturated model of independent rows: means of the cells.
  const auto cell = [&](std::int32_t a, std::int32_t v) {
    double sum = 0, n = 0;
    for (std::size_t i = 0; i < arm.size(); ++i)
      if (arm[i] == a && visit[i] == v) sum += small.y[i], n += 1;
    return sum / n;
  };
  const double rounding = 1e-12;
  EXPECT_NEAR(read(got, "estimate", {{"lsmean", Term{{"arm", "b"}, {"visit", "3"}}}}), cell(1, 2), rounding);
  EXPECT_NEAR(read(got, "estimate", {{"difference", LevelDifference{"arm", "c", "a"}}, {"within", Term{{"visit", "4"}}}}),
              cell(2, 3) - cell(0, 3), rounding);
  double ends = 0;
  for (std::int32_t v = 0; v < 4; ++v) ends += (cell(2, v) - cell(0, v)) / 4;
  EXPECT_NEAR(read(got, "estimate", {{"contrast", "ends"}}), ends, rounding);
  EXPECT_NEAR(read(got, "estimate", {{"difference", LevelDifference{"arm", "c", "a"}}}), ends, rounding);
  const auto n = std::find_if(got->findings.begin(), got->findings.end(), [](Finding const& f) {
    return f.at == At{{"lsmean", Term{{"arm", "b"}, {"visit", "3"}}}};
  });
  ASSERT_NE(n, got->findings.end());
  EXPECT_EQ(n->n, 7);  // of the eight of arm b (1, 4, ... 22) all but 1 have visit 3
}

TEST(Gee, RefusesWhatItCannotAnalyse) {
  Table other;
  other.numbers("y", {0, 1, 2.5}).numbers("x", {1, 2, 3}).category("id", names(3), {0, 1, 2});
  EXPECT_EQ(answer<Gee>(other.frame(), rows, options("x", "binomial", "independence")).error().code, Code::bad_cell);
  EXPECT_EQ(answer<Gee>(other.frame(), rows, options("x", "poisson", "independence")).error().code, Code::bad_cell);
  EXPECT_TRUE(answer<Gee>(other.frame(), rows, options("x", "gaussian", "independence")));
  Table infinite;
  infinite.numbers("y", {0, INFINITY, 2.5}).numbers("x", {1, 2, 3}).category("id", names(3), {0, 1, 2});
  EXPECT_EQ(answer<Gee>(infinite.frame(), rows, options("x", "gaussian", "independence")).error().code, Code::bad_cell);

  Table twice;
  twice.numbers("y", {0, 1, 2})
      .numbers("x", {1, 2, 3})
      .category("id", names(2), {0, 1, 1})
      .category("visit", {"1", "2"}, {0, 1, 1});
  const auto refused = answer<Gee>(twice.frame(), rows_at_visits, options("x", "gaussian", "ar1"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::inconsistent);
  EXPECT_EQ(refused.error().message,
            "'p1' of column 'id' has two rows at '2' of column 'visit': a participant has one row a visit");

  const auto codes = [](Roles const& roles, Keys const& keys) {
    std::vector<Code> all;
    for (Error const& problem : parse<Gee>(roles, keys).problems) all.push_back(problem.code);
    return all;
  };
  using Codes = std::vector<Code>;
  EXPECT_EQ(codes(rows, {{"formula", text("x")}}), (Codes{Code::missing_key, Code::missing_key}));
  EXPECT_EQ(codes(rows, options("x", "gaussian", "ar1")), Codes{Code::missing_key});  // no visits
  EXPECT_EQ(codes(rows, options("x", "gaussian", "unstructured")), Codes{Code::missing_key});
  EXPECT_EQ(codes(rows, options("x", "gaussian", "independence", {{"link", text("log")}})), Codes{Code::not_available});
  EXPECT_EQ(codes(rows, options("x", "gamma", "toeplitz")), (Codes{Code::unknown_keyword, Code::unknown_keyword}));
  EXPECT_EQ(codes(rows, options("x", "gaussian", "independence", {{"df", testing::number(0)}})), Codes{Code::wrong_type});
  EXPECT_EQ(codes(rows, options("x", "gaussian", "independence", {{"visits", texts({"1", "2"})}})), Codes{Code::inconsistent});
  EXPECT_EQ(codes(rows_at_visits, options("x", "gaussian", "ar1", {{"visits", texts({"1", "2", "1"})}})), Codes{Code::duplicate});
  EXPECT_EQ(codes({{"response", {"y"}}}, options("x", "gaussian", "independence")), Codes{Code::missing_key});
}

TEST(Gee, TakesTheVisitsInTheOrderGiven) {
  const auto parsed = parse<Gee>(rows_at_visits, options("x", "gaussian", "ar1", {{"visits", texts({"late", "early"})}}));
  ASSERT_TRUE(parsed.method);
  const auto needs = parsed.method->needs();
  const auto visit = std::find_if(needs.begin(), needs.end(), [](ColumnNeed const& need) { return need.name == "visit"; });
  ASSERT_NE(visit, needs.end());
  EXPECT_EQ(visit->levels, (std::vector<std::string>{"late", "early"}));
}

/// Nothing but counts and correlations of pairs is a number.
void expect_nothing_estimable(Expected<Answer> const& got) {
  ASSERT_TRUE(got);
  for (Finding const& f : got->findings) {
    if (f.quantity == "n_observations" || f.quantity == "n_subjects") continue;
    for (auto const& field : {std::optional(f.value), f.se, f.lower, f.upper, f.p})
      EXPECT_TRUE(std::isnan(field.value_or(missing_number))) << f.quantity;
  }
  EXPECT_GT(got->findings.size(), 2u);
}

TEST(Gee, SaysThatSeparatedResponsesHaveNoEstimate) {
  Table table;
  table.numbers("y", {0, 0, 0, 0, 1, 1, 0, 1})
      .category("arm", {"a", "b"}, {0, 0, 0, 0, 1, 1, 1, 1})
      .category("id", names(4), {0, 0, 1, 1, 2, 2, 3, 3});
  for (const std::string family : {"binomial", "poisson"}) {
    const auto got = answer<Gee>(table.frame(), rows, with_arm("arm", family, "exchangeable"));
    expect_nothing_estimable(got);
    EXPECT_TRUE(has_note(got, "The responses are separated by arm 'b'")) << family;
  }
}

TEST(Gee, SaysThatEqualResponsesHaveNone) {
  const auto all = [](double value) {
    Table table;
    table.numbers("y", std::vector<double>(6, value))
        .category("arm", {"a", "b"}, {0, 0, 0, 1, 1, 1})
        .category("id", names(4), {0, 0, 1, 2, 2, 3});
    return table;
  };
  Table yes = all(1), none = all(0), three = all(3);
  const auto got = answer<Gee>(yes.frame(), rows, with_arm("arm", "binomial", "exchangeable"));
  expect_nothing_estimable(got);
  EXPECT_TRUE(has_note(got, "Every response is yes"));
  EXPECT_TRUE(has_note(answer<Gee>(none.frame(), rows, with_arm("arm", "poisson", "independence")), "Every response is 0"));
  for (const std::string family : {"gaussian", "poisson"}) {
    const auto exact =
        answer<Gee>(three.frame(), rows, with_arm("arm", family, "exchangeable", {{"correction", text("mancl_derouen")}}));
    EXPECT_NEAR(read(exact, "estimate", {{"lsmean", Term{{"arm", "b"}}}}), family == "poisson" ? std::log(3.0) : 3.0, 1e-14);
    EXPECT_TRUE(std::isnan(read(exact, "robust_se", term("arm", "b"))));
    EXPECT_TRUE(std::isnan(read(exact, "p", term("arm", "b"))));
    EXPECT_EQ(read(exact, "dispersion"), 0);
    EXPECT_TRUE(has_note(exact, "fits every row exactly"));
  }
}

TEST(Gee, HasNoStandardErrorFromOneParticipant) {
  Table one;
  one.numbers("y", {1, 4, 2, 7}).numbers("x", {1, 2, 3, 4}).category("id", {"only"}, {0, 0, 0, 0});
  for (const std::string correction : {"none", "mancl_derouen", "kauermann_carroll", "fay_graubard"}) {
    const auto got = answer<Gee>(one.frame(), rows, options("x", "gaussian", "independence", {{"correction", text(correction)}}));
    EXPECT_NEAR(read(got, "estimate", term("x")), 1.6, 1e-12);
    EXPECT_TRUE(std::isnan(read(got, "robust_se", term("x")))) << correction;
    EXPECT_TRUE(std::isnan(read(got, "p", term("x"))));
    EXPECT_TRUE(has_note(got, "One participant alone determines a part of these"));
  }
  // Arm b is one participant: its mean has no error, and so has no difference from it; arm a has one.
  Table alone;
  alone.numbers("y", {1, 4, 2, 7, 5, 5, 8, 6})
      .category("arm", {"a", "b"}, {0, 0, 0, 0, 0, 0, 1, 1})
      .category("id", names(4), {0, 0, 1, 1, 2, 2, 3, 3});
  for (const std::string correction : {"none", "mancl_derouen"}) {
    const auto got =
        answer<Gee>(alone.frame(), rows, with_arm("arm", "gaussian", "exchangeable", {{"correction", text(correction)}}));
    EXPECT_TRUE(std::isnan(read(got, "robust_se", term("arm", "b"))));
    EXPECT_TRUE(std::isnan(read(got, "robust_se", {{"lsmean", Term{{"arm", "b"}}}})));
    EXPECT_GT(read(got, "robust_se", {{"lsmean", Term{{"arm", "a"}}}}), 0.1);
    EXPECT_TRUE(std::isnan(read(got, "chi_square", {{"effect", Term{{"arm", {}}}}})));
  }
}

// As many coefficients as participants: some function of the coefficients has robust variance 0, and no test of all has a value.
TEST(Gee, HasNoJointTestFromFewParticipants) {
  Table table;
  table.numbers("y", {1, 4, 2, 7, 5, 3, 8, 6, 2, 1, 9, 5})
      .category("arm", {"a", "b", "c", "d"}, {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3})
      .category("id", names(3), {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2});
  const auto got = answer<Gee>(
      table.frame(), rows,
      options("arm", "gaussian", "independence", {{"levels", testing::table({{"arm", texts({"a", "b", "c", "d"})}})}}));
  EXPECT_GT(read(got, "robust_se", term("arm", "b")), 0.1);
  EXPECT_TRUE(std::isnan(read(got, "chi_square", {{"effect", Term{{"arm", {}}}}})));
  EXPECT_TRUE(has_note(got, "leave no variance for these, so that no standard error is estimable: the effect arm"));
}

TEST(Gee, SaysThatACorrelationIsOutOfRange) {
  // Pairs of opposite residuals: the correlation is -1, and three rows of a participant allow -1/2 at most.
  Table opposite;
  opposite.numbers("y", {5, -5, 3, -3, 4, -4, 1, -1, 0})
      .numbers("x", std::vector<double>{1, 1, 2, 2, 1, 1, 2, 2, 2})
      .category("id", names(4), {0, 0, 1, 1, 2, 2, 3, 3, 3});
  const auto below = answer<Gee>(opposite.frame(), rows, options("x", "gaussian", "exchangeable"));
  expect_nothing_estimable(below);
  EXPECT_TRUE(has_note(below, "is not positive definite"));
  EXPECT_TRUE(answer<Gee>(opposite.frame(), rows, options("x", "gaussian", "independence")));
  // Both rows of a participant the same: 1.
  Table same;
  same.numbers("y", {5, 5, 3, 3, 4, 4, 1, 1})
      .numbers("x", {1, 1, 2, 2, 1, 1, 2, 2})
      .category("id", names(4), {0, 0, 1, 1, 2, 2, 3, 3})
      .category("visit", {"1", "2"}, {0, 1, 0, 1, 0, 1, 0, 1});
  for (const std::string correlation : {"exchangeable", "ar1", "unstructured"}) {
    const auto got = answer<Gee>(same.frame(), rows_at_visits, options("x", "gaussian", correlation));
    expect_nothing_estimable(got);
    EXPECT_TRUE(has_note(got, "is not positive definite")) << correlation;
  }
}

// Means far apart cannot be so correlated: with odds 1/19 and 19 at most sqrt(1/361).
TEST(Gee, SaysWhenNoYesNoResponsesAreSoCorrelated) {
  std::vector<double> y;
  std::vector<std::int32_t> id, visit;
  for (int i = 0; i < 40; ++i) {
    y.push_back(i < 2), y.push_back(i < 38), y.push_back(i < 2 || i == 39);
    for (std::int32_t v = 0; v < 3; ++v) id.push_back(i), visit.push_back(v);
  }
  Table table;
  table.numbers("y", y).category("id", names(40), id).category("visit", {"1", "2", "3"}, visit);
  const auto got = answer<Gee>(
      table.frame(), rows,
      options("visit", "binomial", "exchangeable", {{"levels", testing::table({{"visit", texts({"1", "2", "3"})}})}}));
  EXPECT_GT(read(got, "working_correlation"), 1 / 19.0);
  EXPECT_TRUE(has_note(got, "beyond what yes/no responses of their means can have"));
}

TEST(Gee, KeepsVisitsApartThatNobodyHasBoth) {
  Table table;
  table.numbers("y", {1, 4, 6, 7, 3, 2, 8, 6, 2, 4, 5, 3})
      .numbers("x", {1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2})
      .category("id", names(6), {0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5})
      .category("visit", {"1", "2", "3"}, {0, 1, 0, 1, 0, 1, 1, 2, 1, 2, 1, 2});
  const auto got = answer<Gee>(table.frame(), rows_at_visits, options("x", "gaussian", "unstructured"));
  EXPECT_TRUE(std::isnan(read(got, "working_correlation", {{"row", "1"}, {"column", "3"}})));
  EXPECT_FALSE(std::isnan(read(got, "working_correlation", {{"row", "1"}, {"column", "2"}})));
  EXPECT_TRUE(has_note(got, "No participant has both visits, so that their correlation is not estimable: '1' and '3'"));
}

TEST(Gee, TakesNoRows) {
  Table empty;
  empty.numbers("y", {}).category("arm", {"a", "b"}, {}).category("id", {}, {}).category("visit", {"1"}, {});
  for (const std::string correlation : {"independence", "exchangeable", "ar1", "unstructured"}) {
    const auto got = answer<Gee>(empty.frame(), rows_at_visits, with_arm("arm", "binomial", correlation));
    expect_nothing_estimable(got);
    EXPECT_TRUE(has_note(got, "No row"));
  }
}

}  // namespace
}  // namespace equipoise::stats
