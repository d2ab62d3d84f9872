#include "equipoise/stats/repeated/linear_mixed.h"

#include <cmath>

#include "equipoise/stats/repeated/linear_mixed_fit.h"
#include "equipoise/stats/repeated/linear_mixed_likelihood.h"
#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::parse, testing::read, testing::Table, testing::term,
    testing::text, testing::texts;

const Roles roles{{"response", {"y"}}, {"subject", {"id"}}};

At covariance_at(std::string row, std::string column) { return {{"row", std::move(row)}, {"column", std::move(column)}}; }

std::vector<std::string> ids(std::size_t count) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < count; ++i) names.push_back(std::to_string(i + 1));
  return names;
}

// Reaction time (ms) of 18 drivers over ten days of short sleep: Belenky et al. (2003), J. Sleep Res. 12, 1-12, as in lme4's
// sleepstudy, driver by driver, days 0 to 9.
std::vector<double> const& reaction() {
  static const std::vector<double> times{
      249.56,   258.7047, 250.8006, 321.4398, 356.8519, 414.6901, 382.2038, 290.1486, 430.5853, 466.3535, 222.7339, 205.2658,
      202.9778, 204.707,  207.7161, 215.9618, 213.6303, 217.7272, 224.2957, 237.3142, 199.0539, 194.3322, 234.32,   232.8416,
      229.3074, 220.4579, 235.4208, 255.7511, 261.0125, 247.5153, 321.5426, 300.4002, 283.8565, 285.133,  285.7973, 297.5855,
      280.2396, 318.2613, 305.3495, 354.0487, 287.6079, 285,      301.8206, 320.1153, 316.2773, 293.3187, 290.075,  334.8177,
      293.7469, 371.5811, 234.8606, 242.8118, 272.9613, 309.7688, 317.4629, 309.9976, 454.1619, 346.8311, 330.3003, 253.8644,
      283.8424, 289.555,  276.7693, 299.8097, 297.171,  338.1665, 332.0265, 348.8399, 333.36,   362.0428, 265.4731, 276.2012,
      243.3647, 254.6723, 279.0244, 284.1912, 305.5248, 331.5229, 335.7469, 377.299,  241.6083, 273.9472, 254.4907, 270.8021,
      251.4519, 254.6362, 245.4523, 235.311,  235.7541, 237.2466, 312.3666, 313.8058, 291.6112, 346.1222, 365.7324, 391.8385,
      404.2601, 416.6923, 455.8643, 458.9167, 236.1032, 230.3167, 238.9256, 254.922,  250.7103, 269.7744, 281.5648, 308.102,
      336.2806, 351.6451, 256.2968, 243.4543, 256.2046, 255.5271, 268.9165, 329.7247, 379.4445, 362.9184, 394.4872, 389.0527,
      250.5265, 300.0576, 269.8939, 280.5891, 271.8274, 304.6336, 287.7466, 266.5955, 321.5418, 347.5655, 221.6771, 298.1939,
      326.8785, 346.8555, 348.7402, 352.8287, 354.4266, 360.4326, 375.6406, 388.5417, 271.9235, 268.4369, 257.2424, 277.6566,
      314.8222, 317.2135, 298.1353, 348.1229, 340.28,   366.5131, 225.264,  234.5235, 238.9008, 240.473,  267.5373, 344.1937,
      281.1481, 347.5855, 365.163,  372.2288, 269.8804, 272.4428, 277.8989, 281.7895, 279.1705, 284.512,  259.2658, 304.6306,
      350.7807, 369.4692, 269.4117, 273.474,  297.5968, 310.6316, 287.1726, 329.6076, 334.4818, 343.2199, 369.1417, 364.1236};
  return times;
}

struct Sleep {
  std::vector<double> y, day, odd;  // odd: every other driver
  std::vector<std::int32_t> id;
  explicit Sleep(bool all) {
    for (int i = 0; i < 180; ++i) {
      if (!all && (i * i * 3 + i * 7) % 11 >= 6) continue;  // 3 or 4 days of each
      y.push_back(reaction()[std::size_t(i)]);
      day.push_back(i % 10);
      odd.push_back((i / 10 + 1) % 2);
      id.push_back(i / 10);
    }
  }
  Table table() const {
    Table made;
    made.numbers("y", y).numbers("day", day).numbers("odd", odd).category("id", ids(18), id);
    return made;
  }
};

Keys keys(std::string formula, std::vector<std::string> const& random, Keys more = {}) {
  more.emplace_back("formula", text(std::move(formula)));
  more.emplace_back("random", texts(random));
  return more;
}

// Expected: dense matrices in R 4.2.2 at the restricted maximum, climbed there to 1e-13 standard errors; clubSandwich 0.5.8 gives
// the same for CR0 and CR3 from lme4's lmer to the 6 digits at which that stops, and takes another root for CR2.
TEST(LinearMixed, HasTheSandwichOfTheSleepStudy) {
  struct Expected {
    std::string kind;
    double day_se, day_df, both_se, both_df;
  };
  Table table = Sleep(false).table();
  const auto close = [](double got, double wanted) { EXPECT_NEAR(got, wanted, 1e-9 * wanted); };  // relative: as above
  for (Expected const& wanted : {Expected{"cr0", 1.66308681912014, 7.82442754076624, 3.88410254390784, 15.50550189604519},
                                 Expected{"cr2", 1.74091987491567, 7.78028544913327, 4.11964600254495, 15.39199891964421},
                                 Expected{"cr3", 1.82231505787278, 7.73045421365553, 4.37072177125829, 15.26568471447171}}) {
    const auto got = answer<LinearMixed>(table.frame(), roles,
                                         keys("odd * day", {"1", "day"}, {{"covariance_of_estimates", text(wanted.kind)}}));
    const At both{{"term", Term{{"day", {}}, {"odd", {}}}}};
    close(read(got, "se", term("day")), wanted.day_se);
    close(read(got, "df", term("day")), wanted.day_df);
    close(read(got, "se", both), wanted.both_se);
    close(read(got, "df", both), wanted.both_df);
  }
}

// Expected: the dense likelihood in the elements of G and s, climbed in R 4.2.2 by Newton's method to 14 digits (a step of
// 1e-14); lme4 1.1-31 agrees to the 7 digits at which it stops (its -2 log likelihood 1743.628271959952 is the same).
TEST(LinearMixed, ReproducesTheSleepStudy) {
  Table table = Sleep(true).table();
  const auto got = answer<LinearMixed>(table.frame(), roles, keys("day", {"1", "day"}));
  const double digits = 1e-10;  // relative; the optimum is known to 1e-9 standard errors and better
  const auto close = [&](double a, double b) { EXPECT_NEAR(a, b, digits * std::abs(b)); };
  close(read(got, "neg2_log_likelihood"), 1743.62827195849);
  close(read(got, "estimate", {{"term", Term{}}}), 251.40510484848474);
  close(read(got, "estimate", term("day")), 10.46728595959592);
  close(read(got, "se", {{"term", Term{}}}), 6.824556532069073);
  close(read(got, "se", term("day")), 1.545788896294723);
  close(read(got, "df", term("day")), 17);
  close(read(got, "random_covariance", covariance_at("1", "1")), 612.089938662526265);
  close(read(got, "random_covariance", covariance_at("day", "1")), 9.604333316744222);
  close(read(got, "random_covariance", covariance_at("day", "day")), 35.071660498317264);
  close(read(got, "residual_variance"), 654.941027072298766);
  for (Finding const& finding : got->findings) {
    if (finding.quantity == "residual_variance") close(*finding.se, 77.18554025335084);
    if (finding.quantity == "random_covariance" && finding.at == covariance_at("1", "1")) close(*finding.se, 288.78265387575709);
    if (finding.quantity == "random_covariance" && finding.at == covariance_at("1", "day")) close(*finding.se, 46.67847066428811);
  }
  EXPECT_LT(read(got, "scaled_gradient"), 1e-9);
  EXPECT_EQ(read(got, "n_subjects"), 18);
  EXPECT_NEAR(read(got, "aic") - read(got, "neg2_log_likelihood"), 8, 1e-9);

  const auto ml = answer<LinearMixed>(table.frame(), roles, keys("day", {"1", "day"}, {{"estimation", text("ml")}}));
  close(read(ml, "neg2_log_likelihood"), 1751.939344463199);
  close(read(ml, "se", term("day")), 1.502236782313428);
  close(read(ml, "random_covariance", covariance_at("1", "1")), 565.51536680311858);
  close(read(ml, "random_covariance", covariance_at("1", "day")), 11.05542902259864);
  close(read(ml, "df", term("day")), 18);
}

// Same, unbalanced, by every method of degrees of freedom. lmerTest 3.1-3 (contest, with the exact optimum, derivatives
// and A in its slots) for Satterthwaite's F; Kenward and Roger's formulas in R with the same A.
TEST(LinearMixed, HasTheDegreesOfFreedomOfUnbalancedData) {
  Table table = Sleep(false).table();
  const auto with = [&](std::string df) {
    return answer<LinearMixed>(table.frame(), roles, keys("odd * day", {"1", "day"}, {{"df", text(std::move(df))}}));
  };
  const auto got = with("satterthwaite");
  const auto close = [&](double a, double b, double digits) { EXPECT_NEAR(a, b, digits * std::abs(b)); };
  const At both{{"term", Term{{"day", {}}, {"odd", {}}}}};
  close(read(got, "neg2_log_likelihood"), 625.8199394053704, 1e-12);
  close(read(got, "estimate", term("odd")), -10.84941372510410, 1e-9);
  close(read(got, "estimate", both), -1.52340411790840, 1e-9);
  close(read(got, "se", both), 4.037828397562902, 1e-10);
  close(read(got, "df", {{"term", Term{}}}), 13.559278053456, 1e-9);
  close(read(got, "df", term("odd")), 13.828091657059, 1e-9);
  close(read(got, "df", term("day")), 12.953596578740, 1e-9);
  close(read(got, "df", both), 13.879550705008, 1e-9);
  close(read(got, "random_covariance", covariance_at("1", "day")), -13.22793224420232, 1e-9);
  for (const std::string df : {"kenward_roger", "kenward_roger_linear"}) {  // V is linear in its parameters
    const auto kr = with(df);
    close(read(kr, "df", both), 13.879550705008, 1e-9);
    close(read(kr, "se", both), 4.09534828009621, 1e-10);
    close(read(kr, "se", term("odd")), 18.37226503985455, 1e-10);
    close(read(kr, "se", {{"term", Term{}}}), 12.95463806751235, 1e-10);
  }
  const auto n = double(table.frame().rows);
  EXPECT_EQ(n, 67);
  EXPECT_EQ(read(with("residual"), "df", both), n - 4);
  const auto counted = with("between_within");
  EXPECT_EQ(read(counted, "df", both), n - 18 - 2);
  EXPECT_EQ(read(counted, "df", term("odd")), 18 - 2);
  EXPECT_NEAR(read(with("asymptotic"), "p", both), std::erfc(1.52340411790840 / 4.037828397562902 / std::sqrt(2)), 1e-9);
}

TEST(LinearMixed, TestsSeveralCoefficients) {
  Table table = Sleep(false).table();
  const auto design = build_design(table.frame(), *parse_formula("odd * day"), Intercept::first);
  const auto data = fold_mixed(table.frame(), *design, "y", "id", {"1", "day"});
  ASSERT_TRUE(data);
  const auto test = [&](DfMethod df) {
    FixedEffectsInference inference(fit_mixed(*data, Estimation::reml, df).effects, df);
    std::vector<std::vector<double>> functions;
    for (std::vector<double> const& l : {std::vector<double>{0, 1, 0, 0}, std::vector<double>{0, 0, 0, 1}})
      functions.push_back(data->ours(data->least_squares.function(l)));
    return inference.test(functions);
  };
  const JointTest satterthwaite = test(DfMethod::satterthwaite), kenward_roger = test(DfMethod::kenward_roger);
  EXPECT_NEAR(satterthwaite.f, 0.3732808463485234, 1e-10);
  // The eigenvectors that define it are not those of our columns but of the functions asked: the same whatever the coordinates.
  EXPECT_NEAR(satterthwaite.denominator_df, 13.78847057549272, 1e-8);
  EXPECT_NEAR(kenward_roger.f, 0.34673401152795, 1e-10);
  EXPECT_NEAR(kenward_roger.denominator_df, 13.40991694735122, 1e-8);
}

// Eight participants with perfectly correlated effects. lme4 1.1-31 stops there (isSingular), and so does nlm over one column of
// L in the dense likelihood: -2 l 78.6252886593127, L = (2.3112296, 0.4040780).
Table singular() {
  Table table;
  table
      .numbers("y", {3.25, 2.4,  3.47, 2.97, 4.27, 3.66, 4.97, 4.3, 3.84, 5.73, 5.45, 5.17, 6.81, 5.05,
                     6.81, 6.65, 6.38, 6.37, 6.36, 8.27, 5.6,  7.6, 7.68, 7.76, 7.13, 7.42, 9.63, 9.92})
      .numbers("t", {0, 1, 2, 0, 1, 2, 3, 0, 1, 0, 1, 2, 3, 0, 1, 2, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3})
      .category("id", ids(8), {0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7});
  return table;
}

TEST(LinearMixed, SaysThatTheCovarianceIsSingular) {
  Table table = singular();
  const auto got = answer<LinearMixed>(table.frame(), {{"response", {"y"}}, {"subject", {"id"}}}, keys("t", {"1", "t"}));
  EXPECT_NEAR(read(got, "neg2_log_likelihood"), 78.6252886593126, 1e-11);
  const double peers = 1e-6;  // where lme4 and nlm stop
  EXPECT_NEAR(read(got, "estimate", term("t")), 0.53584726475476, peers);
  EXPECT_NEAR(read(got, "se", term("t")), 0.14551066989073, peers);
  EXPECT_NEAR(read(got, "random_covariance", covariance_at("1", "1")), 2.0202795541470, peers);
  EXPECT_NEAR(read(got, "random_covariance", covariance_at("t", "t")), 0.0617526540462, peers);
  EXPECT_NEAR(read(got, "random_covariance", covariance_at("t", "1")), std::sqrt(2.0202795541470 * 0.0617526540462), peers);
  EXPECT_TRUE(has_note(got, "is singular, of rank 1 of 2"));
  EXPECT_LT(read(got, "scaled_gradient"), 1e-9);
  EXPECT_TRUE(std::isfinite(read(got, "df", term("t"))));
  const auto kr = answer<LinearMixed>(table.frame(), roles, keys("t", {"1", "t"}, {{"df", text("kenward_roger")}}));
  EXPECT_GT(read(kr, "se", term("t")), read(got, "se", term("t")));
}

TEST(LinearMixed, IsLeastSquaresWhereParticipantsDoNotDiffer) {
  // Every participant has the same mean: the variance of the intercept would be negative.
  Table table;
  table.numbers("y", {1, 5, 2, 4, 0, 6, 3, 3, 2.5, 3.5})
      .numbers("t", {0, 1, 0, 1, 0, 1, 0, 1, 0, 1})
      .category("id", ids(5), {0, 0, 1, 1, 2, 2, 3, 3, 4, 4});
  const auto got = answer<LinearMixed>(table.frame(), roles, keys("t", {"1"}));
  EXPECT_EQ(read(got, "random_covariance", covariance_at("1", "1")), 0);
  // means 1.7 and 4.3; residual sum of squares 5.8 + 5.8
  EXPECT_NEAR(read(got, "residual_variance"), 11.6 / 8, 1e-12);
  EXPECT_NEAR(read(got, "estimate", term("t")), 2.6, 1e-12);
  EXPECT_NEAR(read(got, "se", term("t")), std::sqrt(11.6 / 8 * 2 / 5), 1e-12);
  EXPECT_NEAR(read(got, "df", term("t")), 8, 1e-9);  // 2 s^2 over the variance of s
  EXPECT_TRUE(has_note(got, "variance of the random effect is 0"));
}

TEST(LinearMixed, IsTheAnalysisOfVarianceOfABalancedLayout) {
  // Paired differences: t and its degrees of freedom are those of the paired t test. Differences 1, 2, 0, 3, 2.
  Table table;
  table.numbers("y", {1, 2, 4, 6, 7, 7, 2, 5, 9, 11})
      .numbers("t", {0, 1, 0, 1, 0, 1, 0, 1, 0, 1})
      .category("id", ids(5), {0, 0, 1, 1, 2, 2, 3, 3, 4, 4});
  const auto got = answer<LinearMixed>(table.frame(), roles, keys("t", {"1"}));
  EXPECT_NEAR(read(got, "estimate", term("t")), 1.6, 1e-11);
  EXPECT_NEAR(read(got, "se", term("t")), std::sqrt(1.3 / 5), 1e-11);
  EXPECT_NEAR(read(got, "df", term("t")), 4, 1e-8);
}

TEST(LinearMixed, DoesNotFeelUnitsOriginsOrTheOrderOfRows) {
  const Sleep near(false);
  Sleep far = near;
  for (double& y : far.y) y = y * 1e140 + 1e145;
  for (double& day : far.day) day = day / 4096 + 1e6;  // exact
  std::reverse(far.y.begin(), far.y.end()), std::reverse(far.day.begin(), far.day.end());
  std::reverse(far.odd.begin(), far.odd.end()), std::reverse(far.id.begin(), far.id.end());
  Table a = near.table(), b = far.table();
  for (const std::string df : {"satterthwaite", "kenward_roger"}) {
    const auto one = answer<LinearMixed>(a.frame(), roles, keys("odd + day", {"1", "day"}, {{"df", text(df)}}));
    const auto other = answer<LinearMixed>(b.frame(), roles, keys("odd + day", {"1", "day"}, {{"df", text(df)}}));
    // y has 16 digits around 1e145, five of them before its spread begins; the origin of `day` takes ten of its own digits
    for (const char* quantity : {"estimate", "se"}) {
      EXPECT_NEAR(read(other, quantity, term("odd")) / 1e140, read(one, quantity, term("odd")), 1e-7) << quantity;
      EXPECT_NEAR(read(other, quantity, term("day")) / 4096e140, read(one, quantity, term("day")), 1e-7) << quantity;
    }
    EXPECT_NEAR(read(other, "df", term("odd")), read(one, "df", term("odd")), 1e-6);
    EXPECT_NEAR(read(other, "random_covariance", covariance_at("day", "day")) / 4096e140 / 4096e140,
                read(one, "random_covariance", covariance_at("day", "day")), 1e-5);
    EXPECT_NEAR(read(other, "p", term("day")), read(one, "p", term("day")), 1e-9);
  }
}

TEST(LinearMixed, FoldsParticipantsWithEqualColumns) {
  // 18 drivers with the same days are one pattern, and fewer rows than drivers hold their products.
  Table table = Sleep(true).table();
  const auto design = build_design(table.frame(), *parse_formula("odd * day"), Intercept::first);
  const auto data = fold_mixed(table.frame(), *design, "y", "id", {"1", "day"});
  ASSERT_TRUE(data);
  ASSERT_EQ(data->patterns.size(), 1u);
  EXPECT_LE(data->patterns[0].units, 4u);  // X of two groups and y of two turned rows
  EXPECT_EQ(data->rest_rows, 18u * 8);
}

TEST(MixedLikelihood, HasTheDerivativesThatItSays) {
  Table table = Sleep(false).table();
  const auto design = build_design(table.frame(), *parse_formula("odd * day"), Intercept::first);
  const auto data = fold_mixed(table.frame(), *design, "y", "id", {"1", "day"});
  ASSERT_TRUE(data);
  for (const bool restricted : {true, false}) {
    MixedLikelihood likelihood(*data, restricted);
    // Lambda with elements (0.9, 0.3, 0.6): L from it, so that an element can be moved alone
    const auto at = [&](std::vector<double> const& e) {
      const double l = std::sqrt(e[0]), m = e[1] / l;
      EXPECT_TRUE(likelihood.evaluate(std::vector<double>{l, 0, m, std::sqrt(e[2] - m * m)}, 2));
    };
    const std::vector<double> point{0.9, 0.3, 0.6};
    at(point);
    likelihood.derive();
    const std::vector<double> gradient(likelihood.gradient().begin(), likelihood.gradient().end());
    const std::vector<double> hessian(likelihood.hessian().begin(), likelihood.hessian().end());
    const std::vector<double> mixed(likelihood.mixed().begin(), likelihood.mixed().end());
    const double curvature = likelihood.curvature(), h = 1e-4;
    for (std::size_t i = 0; i < 3; ++i) {
      std::vector<double> up = point, down = point;
      up[i] += h, down[i] -= h;
      at(up);
      likelihood.derive();
      const double above = likelihood.value();
      const std::vector<double> gradient_above(likelihood.gradient().begin(), likelihood.gradient().end());
      at(down);
      likelihood.derive();
      // central differences: an error of h^2 times a third derivative of the order of the gradient
      EXPECT_NEAR((above - likelihood.value()) / (2 * h), gradient[i], 1e-5 * (1 + std::abs(gradient[i])));
      for (std::size_t j = 0; j < 3; ++j) {
        // the residual variance follows: the profile Hessian
        const double profile = hessian[i * 3 + j] - mixed[i] * mixed[j] / curvature;
        EXPECT_NEAR((gradient_above[j] - likelihood.gradient()[j]) / (2 * h), profile, 1e-4 * (1 + std::abs(profile)));
      }
    }
  }
}

TEST(LinearMixed, SaysWhyNothingIsEstimable) {
  const auto of = [](std::vector<double> y, std::vector<double> t, std::vector<std::int32_t> id,
                     std::vector<std::string> random = {"1"}) {
    Table table;
    const std::size_t participants = id.empty() ? 1 : std::size_t(*std::max_element(id.begin(), id.end())) + 1;
    table.numbers("y", std::move(y)).numbers("t", std::move(t)).category("id", ids(participants), std::move(id));
    return answer<LinearMixed>(table.frame(), roles, keys("t", random));
  };
  const auto nothing = [](Expected<Answer> const& got, std::string_view note) {
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_TRUE(std::isnan(read(got, "estimate", {{"term", Term{}}})));
    EXPECT_TRUE(std::isnan(read(got, "residual_variance")));
    EXPECT_TRUE(std::isnan(read(got, "neg2_log_likelihood")));
    EXPECT_TRUE(has_note(got, note)) << note;
  };
  nothing(of({}, {}, {}), "No row");
  nothing(of({1, 2}, {0, 1}, {0, 1}), "As many coefficients as rows");
  nothing(of({2, 2, 2, 2}, {0, 1, 0, 1}, {0, 0, 1, 1}), "fits every row exactly");
  nothing(of({1, 3, 2, 5}, {0, 1, 2, 3}, {0, 0, 0, 0}), "One participant");
  nothing(of({1, 3, 2, 5, 4}, {0, 1, 2, 3, 1}, {0, 1, 2, 3, 4}), "more rows than random effects");
  nothing(of({1, 3, 2, 5, 4, 6, 3, 8}, {0, 1, 0, 1, 0, 1, 0, 1}, {0, 0, 1, 1, 2, 2, 3, 3}, {"1", "t"}),
          "more rows than random effects");
  nothing(of({1, 3, 2, 5}, {1, 1, 1, 1}, {0, 0, 1, 1}, {"1", "t"}), "determined by those before it");
  // the slope within every participant is the common one: no residual variance
  nothing(of({1, 2, 5, 6, 7, 8}, {0, 1, 0, 1, 0, 1}, {0, 0, 1, 1, 2, 2}), "fit the rows of every participant exactly");
  // a covariate at participant level and as many levels of it as participants leave nothing for the random intercept
  const auto flat = of({1, 3, 2, 5}, {0, 0, 1, 1}, {0, 0, 1, 1});
  nothing(flat, "likelihood is flat");
}

TEST(LinearMixed, ChecksItsOptions) {
  const auto first = [](Keys const& given) { return parse<LinearMixed>(roles, given).problems.front(); };
  EXPECT_EQ(first({{"formula", text("day")}}).code, Code::missing_key);
  EXPECT_EQ(first(keys("day", {})).code, Code::out_of_range);
  EXPECT_EQ(first(keys("day", {"1", "day", "1"})).code, Code::duplicate);
  EXPECT_EQ(first(keys("day", {"1", "arm"}, {{"levels", testing::table({{"arm", texts({"a", "b"})}})}})).code, Code::unresolved);
  EXPECT_EQ(first(keys("arm", {"1", "arm"}, {{"levels", testing::table({{"arm", texts({"a", "b"})}})}})).code,
            Code::inconsistent);
  EXPECT_EQ(first(keys("day", {"1"}, {{"estimation", text("ml")}, {"df", text("kenward_roger")}})).code, Code::inconsistent);
  EXPECT_EQ(first(keys("day", {"1"}, {{"df", text("containment")}})).code, Code::unknown_keyword);
}

}  // namespace
}  // namespace equipoise::stats
