#include "equipoise/stats/repeated/fixed_effects.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

std::vector<double> rows_of(MatrixXd const& m) {
  std::vector<double> values;
  for (Index i = 0; i < m.rows(); ++i)
    for (Index j = 0; j < m.cols(); ++j) values.push_back(m(i, j));
  return values;
}

/// Everything that inference needs from dense matrices: V with its first derivatives, A, and the response. V is linear in theta.
FixedEffects dense(MatrixXd const& x, VectorXd const& y, MatrixXd const& v, std::vector<MatrixXd> const& derivatives,
                   MatrixXd const& a) {
  const MatrixXd inverse = v.inverse(), phi = (x.transpose() * inverse * x).inverse();
  const std::size_t p = std::size_t(x.cols()), k = derivatives.size();
  MatrixXd q = MatrixXd::Zero(x.cols(), x.cols());
  FixedEffects effects{.p = p, .k = k};
  for (std::size_t i = 0; i < k; ++i) {
    effects.slopes.push_back(rows_of(x.transpose() * inverse * derivatives[i] * inverse * x));
    for (std::size_t j = 0; j < k; ++j)
      q += a(Index(i), Index(j)) * x.transpose() * inverse * derivatives[i] * inverse * derivatives[j] * inverse * x;
  }
  effects.b = rows_of(phi * x.transpose() * inverse * y);
  effects.phi = rows_of(phi);
  effects.theta_covariance = rows_of(a);
  effects.q = rows_of(q);
  effects.r = std::vector<double>(p * p, 0.0);
  return effects;
}

/// Covariance of the estimates of theta from the expected information of the restricted likelihood.
MatrixXd expected_covariance(MatrixXd const& x, MatrixXd const& v, std::vector<MatrixXd> const& d) {
  const MatrixXd inverse = v.inverse();
  const MatrixXd projection = inverse - inverse * x * (x.transpose() * inverse * x).inverse() * x.transpose() * inverse;
  MatrixXd information(Index(d.size()), Index(d.size()));
  for (std::size_t i = 0; i < d.size(); ++i)
    for (std::size_t j = 0; j < d.size(); ++j)
      information(Index(i), Index(j)) = 0.5 * (projection * d[i] * projection * d[j]).trace();
  return information.inverse();
}

// Six blocks of four treatments, block and residual variance: the classical analysis of variance is exact.
struct Blocks {
  static constexpr int blocks = 6, treatments = 4;
  double residual = 1.7, between = 0.6;  // variances
  MatrixXd x = MatrixXd::Zero(24, 4), v, same = MatrixXd::Zero(24, 24);
  VectorXd y = VectorXd(24);
  Blocks() {
    for (int i = 0; i < 24; ++i) {
      x(i, 0) = 1;
      if (i % 4 > 0) x(i, i % 4) = 1;
      for (int j = 0; j < 24; ++j) same(i, j) = i / 4 == j / 4;
      y[i] = i % 4 + 0.5 * (i / 4) + (i * 7 % 5) * 0.3;
    }
    v = residual * MatrixXd::Identity(24, 24) + between * same;
  }
  FixedEffects effects() const {
    // observed = expected information in a balanced design: Var(residual) = 2 s^4/15, Var(residual + 4 between) = 2 l^2/5
    const double of_residual = 2 * residual * residual / 15, of_block = 2 * std::pow(residual + 4 * between, 2) / 5;
    MatrixXd a(2, 2);
    a << of_residual, -of_residual / 4, -of_residual / 4, (of_block + of_residual) / 16;
    return dense(x, y, v, {MatrixXd::Identity(24, 24), same}, a);
  }
};

TEST(FixedEffects, IsTheAnalysisOfVarianceOfRandomisedBlocks) {
  const Blocks design;
  const double rounding = 1e-11;  // inverses of 24 x 24 matrices of condition below 10
  for (const DfMethod method : {DfMethod::satterthwaite, DfMethod::kenward_roger, DfMethod::kenward_roger_linear}) {
    FixedEffectsInference inference(design.effects(), method);
    const auto difference = inference.contrast(std::vector<double>{0, 1, -1, 0});
    EXPECT_NEAR(difference.se, std::sqrt(2 * design.residual / 6), rounding);
    EXPECT_NEAR(difference.df, 15, 15 * rounding);
    // The mean of one treatment is a mean over blocks and a deviation: Satterthwaite's df of a sum of two mean squares.
    const double of_blocks = (design.residual + 4 * design.between) / 24, of_rest = 3 * design.residual / 24;
    const auto mean = inference.contrast(std::vector<double>{1, 0, 1, 0});
    EXPECT_NEAR(mean.se, std::sqrt(of_blocks + of_rest), rounding);
    EXPECT_NEAR(mean.df, std::pow(of_blocks + of_rest, 2) / (of_blocks * of_blocks / 5 + of_rest * of_rest / 15), 1e-9);
    // All treatments equal: 3 and 15 degrees of freedom, F of the analysis of variance with the given residual variance.
    double treatment_squares = 0;
    const double grand = design.y.mean();
    for (int t = 0; t < 4; ++t) {
      double own = 0;
      for (int i = t; i < 24; i += 4) own += design.y[i] / 6;
      treatment_squares += 6 * (own - grand) * (own - grand);
    }
    const auto joint = inference.test(std::vector<std::vector<double>>{{0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}});
    EXPECT_EQ(joint.numerator_df, 3);
    EXPECT_NEAR(joint.denominator_df, 15, 1e-8);
    EXPECT_NEAR(joint.f, treatment_squares / 3 / design.residual, 1e-9);
  }
}

// Hotelling's one-sample T^2: 12 complete participants, 3 visits, unstructured covariance. A of the covariance elements is
// Wishart's; Kenward and Roger's F is exact.
TEST(FixedEffects, IsHotellingsTestOfCompleteData) {
  const int n = 12, m = 3;
  MatrixXd sigma(m, m);
  sigma << 2, 0.8, 0.3, 0.8, 1.5, 0.7, 0.3, 0.7, 3;
  std::vector<MatrixXd> elements;
  std::vector<std::pair<int, int>> places;
  for (int j = 0; j < m; ++j)
    for (int k = 0; k <= j; ++k) {
      elements.push_back(MatrixXd::Zero(m, m));
      elements.back()(j, k) = elements.back()(k, j) = 1;
      places.emplace_back(j, k);
    }
  MatrixXd a(6, 6);
  for (int s = 0; s < 6; ++s)
    for (int t = 0; t < 6; ++t) {
      const auto [j, k] = places[std::size_t(s)];
      const auto [l, o] = places[std::size_t(t)];
      a(s, t) = (sigma(j, l) * sigma(k, o) + sigma(j, o) * sigma(k, l)) / (n - 1);
    }
  MatrixXd x(n * m, m), v = MatrixXd::Zero(n * m, n * m);
  VectorXd y(n * m);
  std::vector<MatrixXd> derivatives(6, v);
  for (int i = 0; i < n; ++i) {
    x.block(i * m, 0, m, m) = MatrixXd::Identity(m, m);
    v.block(i * m, i * m, m, m) = sigma;
    for (int s = 0; s < 6; ++s) derivatives[std::size_t(s)].block(i * m, i * m, m, m) = elements[std::size_t(s)];
    for (int j = 0; j < m; ++j) y[i * m + j] = 0.3 * j + (i * 5 + j * 3) % 7 * 0.25;
  }
  FixedEffectsInference inference(dense(x, y, v, derivatives, a), DfMethod::kenward_roger_linear);
  const VectorXd mean = Eigen::Map<const VectorXd>(inference.effects().b.data(), m);
  const double t_squared = n * mean.dot(sigma.inverse() * mean);
  const auto joint = inference.test(std::vector<std::vector<double>>{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}});
  EXPECT_EQ(joint.numerator_df, 3);
  EXPECT_NEAR(joint.denominator_df, n - m, 1e-8);
  EXPECT_NEAR(joint.f, double(n - m) / (m * (n - 1)) * t_squared, 1e-9);
  EXPECT_NEAR(inference.contrast(std::vector<double>{0, 1, -1}).df, n - 1, 1e-8);
  for (std::size_t j = 0; j < 9; ++j) EXPECT_NEAR(inference.covariance()[j], inference.effects().phi[j], 1e-12);
  // A dependent function changes nothing.
  const auto twice =
      inference.test(std::vector<std::vector<double>>{{1, 0, 0}, {0, 1e6, 0}, {2, 1, 0}, {0, 0, 1}, {0, 0, 0}, {0, 3, 1}});
  EXPECT_EQ(twice.numerator_df, 3);
  EXPECT_NEAR(twice.denominator_df, joint.denominator_df, 1e-7);
  EXPECT_NEAR(twice.f, joint.f, 1e-7 * joint.f);
}

// Eight participants in two groups, one to three visits; random intercept. R 4.2.2, lme4 1.1-31: variances of the REML fit;
// pbkrtest 0.5.2: vcovAdj and KRmodcomp; lmerTest 3.1-3: contest with the exact derivatives and A in its slots. A is the expected
// information's, as in pbkrtest. Tolerance: rounding of dense inverses of R's and ours.
struct Unbalanced {
  std::vector<int> id{1, 1, 1, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 6, 6, 7, 7, 7, 8};
  std::vector<double> t{0, 1, 2, 0, 2, 0, 1, 2, 0, 1, 2, 0, 1, 0, 1, 2, 0, 1, 2, 0};
  std::vector<double> arm{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1};
  VectorXd y{{5.1, 6.3, 6.9, 4.2, 6.0, 6.1, 6.0, 7.4, 5.5, 7.7, 9.1, 4.9, 6.2, 6.6, 8.9, 9.8, 3.9, 5.0, 5.7, 5.8}};
  FixedEffects effects() const {
    MatrixXd x(20, 4), same(20, 20);
    for (std::size_t i = 0; i < 20; ++i) {
      x.row(Index(i)) << 1, arm[i], t[i], arm[i] * t[i];
      for (std::size_t j = 0; j < 20; ++j) same(Index(i), Index(j)) = id[i] == id[j];
    }
    const MatrixXd v = 0.6227723853908339 * same + 0.10922118679938585 * MatrixXd::Identity(20, 20);
    const std::vector<MatrixXd> derivatives{same, MatrixXd::Identity(20, 20)};
    return dense(x, y, v, derivatives, expected_covariance(x, v, derivatives));
  }
};

TEST(FixedEffects, IsKenwardAndRogersOfUnbalancedData) {
  FixedEffectsInference inference(Unbalanced().effects(), DfMethod::kenward_roger);
  const double rounding = 1e-11;
  EXPECT_NEAR(inference.effects().phi[15], 0.0373591646977509, rounding);
  EXPECT_NEAR(inference.covariance()[15], 0.0378933302080647, rounding);
  EXPECT_NEAR(inference.covariance()[7], -0.0288316193792920, rounding);
  EXPECT_NEAR(inference.covariance()[0], 0.1795868660731932, rounding);
  const auto two = inference.test(std::vector<std::vector<double>>{{0, 1, 0, 0}, {0, 0, 0, 1}});
  EXPECT_NEAR(two.denominator_df, 9.35601922697459, 1e-9);
  EXPECT_NEAR(two.f, 12.139227101097, 1e-8);
  EXPECT_NEAR(two.p(), 0.00251455035687247, 1e-12);
  const auto three = inference.test(std::vector<std::vector<double>>{{0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}});
  EXPECT_NEAR(three.denominator_df, 10.6276675861091, 1e-9);
  EXPECT_NEAR(three.f, 53.1672095860515, 1e-8);
  // One function: t^2 = F, the same degrees of freedom.
  const auto one = inference.contrast(std::vector<double>{0, 1, 0, 1});
  EXPECT_NEAR(one.df, 6.044959051880135, 1e-9);
  EXPECT_NEAR(one.t() * one.t(), 9.455981144599750, 1e-8);
  EXPECT_NEAR(one.p(), 0.021592890600832, 1e-11);
  const auto joint = inference.test(std::vector<std::vector<double>>{{0, 1, 0, 1}});
  EXPECT_NEAR(joint.denominator_df, one.df, 1e-11);
  EXPECT_NEAR(joint.f, one.t() * one.t(), 1e-11);
}

TEST(FixedEffects, IsLmerTestsSatterthwaiteOfUnbalancedData) {
  FixedEffectsInference inference(Unbalanced().effects(), DfMethod::satterthwaite);
  const auto one = inference.contrast(std::vector<double>{0, 1, 0, 1});
  EXPECT_NEAR(one.value, 1.79247328996990, 1e-12);
  EXPECT_NEAR(one.se, 0.582339428192739, 1e-12);
  EXPECT_NEAR(one.df, 6.04495905188030, 1e-10);
  EXPECT_NEAR(one.p(), 2.15098282973320e-02, 1e-12);
  EXPECT_NEAR(one.value + one.half_width(0.95), 3.21484152701156, 1e-10);
  const auto two = inference.test(std::vector<std::vector<double>>{{0, 1, 0, 0}, {0, 0, 0, 1}});
  EXPECT_NEAR(two.denominator_df, 8.64613920582654, 1e-9);
  EXPECT_NEAR(two.f, 13.155670126683, 1e-9);
  EXPECT_NEAR(two.p(), 0.00238295775147788, 1e-12);
  const auto three = inference.test(std::vector<std::vector<double>>{{0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}});
  EXPECT_NEAR(three.denominator_df, 9.15096075286498, 1e-9);
  EXPECT_NEAR(three.f, 57.9027670426824, 1e-9);
}

TEST(FixedEffects, SubtractsTheSecondDerivatives) {
  // Phi_A changes by -Phi R Phi / 2 when R is not 0; the linear form does not look at it.
  FixedEffects effects = Unbalanced().effects();
  const FixedEffectsInference without(effects, DfMethod::kenward_roger);
  for (std::size_t j = 0; j < 16; ++j) effects.r[j] = j % 5 == 0 ? 0.3 : 0.1;
  const FixedEffectsInference with(effects, DfMethod::kenward_roger), linear(effects, DfMethod::kenward_roger_linear);
  for (std::size_t a = 0; a < 4; ++a)
    for (std::size_t b = 0; b < 4; ++b) {
      double change = 0;
      for (std::size_t c = 0; c < 4; ++c)
        for (std::size_t d = 0; d < 4; ++d) change += effects.phi[a * 4 + c] * effects.r[c * 4 + d] * effects.phi[d * 4 + b];
      EXPECT_NEAR(with.covariance()[a * 4 + b], without.covariance()[a * 4 + b] - change / 2, 1e-14);
      EXPECT_EQ(linear.covariance()[a * 4 + b], without.covariance()[a * 4 + b]);
    }
}

TEST(FixedEffects, SaysNothingWhereThereIsNothing) {
  FixedEffects effects = Blocks().effects();
  FixedEffectsInference good(effects, DfMethod::satterthwaite);
  EXPECT_TRUE(std::isnan(good.contrast({}).value));
  const auto zero = good.contrast(std::vector<double>(4, 0.0));
  EXPECT_EQ(zero.value, 0);
  EXPECT_TRUE(std::isnan(zero.se) && std::isnan(zero.df) && std::isnan(zero.p()));
  EXPECT_TRUE(std::isnan(good.test(std::vector<std::vector<double>>{{0, 1, 0, 0}, {}}).f));
  EXPECT_TRUE(std::isnan(good.test(std::vector<std::vector<double>>{{0, 0, 0, 0}}).f));
  EXPECT_EQ(good.test({}).numerator_df, 0);

  effects.theta_covariance = {0, 0, 0, 0};  // V is known
  effects.q = std::vector<double>(16, 0.0);
  FixedEffectsInference known(effects, DfMethod::satterthwaite), known_kr(effects, DfMethod::kenward_roger);
  EXPECT_TRUE(std::isinf(known.contrast(std::vector<double>{0, 1, 0, 0}).df));
  const auto normal = known_kr.test(std::vector<std::vector<double>>{{0, 1, 0, 0}, {0, 0, 1, 0}});
  EXPECT_TRUE(std::isinf(normal.denominator_df));
  EXPECT_NEAR(normal.f, good.test(std::vector<std::vector<double>>{{0, 1, 0, 0}, {0, 0, 1, 0}}).f, 1e-12);

  effects.theta_covariance = {1, 2, 2, 1};  // no covariance matrix: the likelihood is at a saddle
  FixedEffectsInference saddle(effects, DfMethod::satterthwaite), saddle_kr(effects, DfMethod::kenward_roger);
  EXPECT_TRUE(std::isnan(saddle.contrast(std::vector<double>{0, 1, 0, 0}).df));
  EXPECT_TRUE(std::isnan(saddle_kr.contrast(std::vector<double>{0, 1, 0, 0}).se));
  EXPECT_TRUE(std::isnan(saddle_kr.test(std::vector<std::vector<double>>{{0, 1, 0, 0}, {0, 0, 1, 0}}).f));
}

TEST(FixedEffects, CountsBetweenAndWithinParticipants) {
  // Four participants, nine rows; columns: intercept, arm (constant within), time, arm:time, and one left out.
  testing::Table table;
  table.numbers("arm", {0, 0, 0, 1, 1, 0, 0, 1, 1}).numbers("time", {0, 1, 2, 0, 1, 0, 2, 1, 2});
  const std::vector<std::int32_t> subject{0, 0, 0, 1, 1, 2, 2, 3, 3};
  const auto design = build_design(table.frame(), *parse_formula("arm * time"), Intercept::first);
  ASSERT_TRUE(design);
  const auto df = between_within_df(*design, std::vector<std::uint8_t>{1, 1, 1, 1}, subject);
  EXPECT_EQ(df, (std::vector<double>{3, 2, 3, 3}));  // within 9 - 4 - 2, between 4 - 2
  const auto fewer = between_within_df(*design, std::vector<std::uint8_t>{1, 1, 1, 0}, subject);
  EXPECT_EQ(fewer[0], 4);
  EXPECT_TRUE(std::isnan(fewer[3]));
  EXPECT_EQ(smallest_df(df, std::vector<double>{1, 0, 2, 0}), 3);
  EXPECT_EQ(smallest_df(df, std::vector<double>{1, 1, 0, 0}), 2);
  EXPECT_TRUE(std::isnan(smallest_df(df, std::vector<double>{0, 0, 0, 0})));

  FixedEffects effects{.p = 2, .b = {1, 2}, .phi = {1, 0.5, 0.5, 4}, .coefficient_df = {7, 3}};
  FixedEffectsInference inference(effects, DfMethod::between_within);
  EXPECT_EQ(inference.contrast(std::vector<double>{1, 0}).df, 7);
  EXPECT_EQ(inference.contrast(std::vector<double>{1, -1}).df, 3);
  EXPECT_EQ(inference.contrast(std::vector<double>{1, -1}, 5).df, 5);
  EXPECT_NEAR(inference.contrast(std::vector<double>{1, -1}).se, 2, 1e-15);
  const auto joint = inference.test(std::vector<std::vector<double>>{{1, 0}, {0, 1}});
  EXPECT_EQ(joint.denominator_df, 3);
  EXPECT_NEAR(joint.f, (4.0 - 2 + 4) / 3.75 / 2, 1e-14);  // b' Phi^-1 b with determinant 3.75
  FixedEffectsInference normal(effects, DfMethod::asymptotic);
  EXPECT_TRUE(std::isinf(normal.contrast(std::vector<double>{1, 0}).df));
  EXPECT_NEAR(normal.contrast(std::vector<double>{1, 0}).p(), 0.31731050786291415, 1e-15);  // P(|Z| > 1)
}

}  // namespace
}  // namespace equipoise::stats
