#include "equipoise/stats/repeated/mmrm_fit.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <numbers>

#include "equipoise/stats/repeated/visit_testing.h"

namespace equipoise::stats {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using testing::formula, testing::long_rows, testing::LongRows, testing::Table, testing::visit_roles;

Covariance covariance(std::string_view keyword, std::size_t m, std::vector<double> times = {}) {
  return Covariance(*covariance_structure(keyword), m, std::move(times));
}

struct Fitted {
  VisitData data;
  std::optional<MmrmFit> fit;
  FitAttempt attempt;
};

Fitted fitted(LongRows const& rows, std::string_view model, std::string_view keyword, Estimation estimation,
              VisitRoles const& roles = visit_roles) {
  Fitted out;
  auto data = fold_visits(rows.table().frame(), formula(model), roles);
  if (!data) {
    ADD_FAILURE() << data.error().message;
    return out;
  }
  out.data = std::move(*data);
  VisitLikelihood likelihood(out.data, estimation == Estimation::reml);
  std::vector<double> times;
  if (keyword.find("spatial") != std::string_view::npos)
    for (std::size_t j = 0; j < out.data.m(); ++j) times.push_back(double(j * j + j));
  out.fit = fit_structure(out.data, likelihood, covariance(keyword, out.data.m(), times), estimation, out.attempt);
  return out;
}

const LongRows& complete() {
  static const LongRows rows = long_rows({.seed = 4, .people = 30, .visits = 3, .arms = 3, .dropout = 0, .gaps = 0});
  return rows;
}

/// Sums of squares and products of the visits around the means of the arms.
MatrixXd within_arms(LongRows const& rows) {
  const auto m = Index(rows.visits);
  MatrixXd y(Index(rows.people), m), means = MatrixXd::Zero(Index(rows.arms), m), products = MatrixXd::Zero(m, m);
  for (std::size_t i = 0; i < rows.size(); ++i) y(rows.subject[i], rows.visit[i]) = rows.y[i];
  for (Index i = 0; i < y.rows(); ++i) means.row(i % Index(rows.arms)) += y.row(i) * double(rows.arms) / double(rows.people);
  for (Index i = 0; i < y.rows(); ++i) {
    const Eigen::RowVectorXd residual = y.row(i) - means.row(i % Index(rows.arms));
    products += residual.transpose() * residual;
  }
  return products;
}

// Complete data and a mean for each arm and visit: the unstructured estimate is the pooled covariance, with divisor people - arms
// (REML) or people (ML), and the likelihood follows in closed form. 1e-9: the climb stops 1e-10 standard errors from the optimum.
TEST(MmrmFit, OfCompleteDataIsThePooledCovariance) {
  const MatrixXd products = within_arms(complete());
  for (const Estimation estimation : {Estimation::reml, Estimation::ml}) {
    const Fitted got = fitted(complete(), "arm * visit", "unstructured", estimation);
    ASSERT_TRUE(got.fit);
    const double divisor = estimation == Estimation::reml ? 27 : 30;
    const MatrixXd expected = products / divisor;
    for (std::size_t j = 0; j < 3; ++j)
      for (std::size_t k = 0; k <= j; ++k)
        EXPECT_NEAR(got.fit->sigma[packed(j, k)] * got.data.unit * got.data.unit, expected(Index(j), Index(k)), 1e-9);
    // n log 2 pi + 30 log|S| + tr(S^-1 products) = 90 log 2 pi + 30 log|S| + 90; REML: 27 for 30 and log|X'V^-1X| = 9 log 10 - 3
    // log|S|
    const double log_det = std::log(expected.determinant());
    const double value = estimation == Estimation::ml
                             ? 90 * std::log(2 * std::numbers::pi) + 30 * log_det + 90
                             : 81 * std::log(2 * std::numbers::pi) + 30 * log_det + 81 + 9 * std::log(10.0) - 3 * log_det;
    EXPECT_NEAR(got.fit->neg2_log_likelihood, value, 1e-10 * std::abs(value));
    EXPECT_EQ(got.fit->parameters, 6u);
    EXPECT_TRUE(got.fit->report.converged);
    EXPECT_LT(got.fit->report.scaled_gradient, 1e-9);
  }
}

// Compound symmetry of complete data is the analysis of variance: error and participants' mean squares on 54 and 27 df.
TEST(MmrmFit, OfCompoundSymmetryIsTheAnalysisOfVariance) {
  const MatrixXd products = within_arms(complete());
  const Fitted got = fitted(complete(), "arm * visit", "compound_symmetry", Estimation::reml);
  ASSERT_TRUE(got.fit);
  const double total = products.trace(), between = products.sum() / 3, square = got.data.unit * got.data.unit;
  const double error = (total - between) / 54, people = between / 27;  // people: error + 3 common
  EXPECT_NEAR(got.fit->sigma[packed(1, 0)] * square, (people - error) / 3, 1e-9);
  EXPECT_NEAR(got.fit->sigma[packed(1, 1)] * square, error + (people - error) / 3, 1e-9);
}

// Negative between participants: the estimate may be negative down to -1/(m - 1).
TEST(MmrmFit, OfCompoundSymmetryMayBeNegative) {
  LongRows rows = complete();
  for (std::size_t i = 0; i < rows.size(); i += 3) {  // what the visits of a participant share is taken away
    const double mean = (rows.y[i] + rows.y[i + 1] + rows.y[i + 2]) / 3;
    for (std::size_t j = 0; j < 3; ++j) rows.y[i + j] -= 0.9 * mean;
  }
  const MatrixXd products = within_arms(rows);
  const Fitted got = fitted(rows, "arm * visit", "compound_symmetry", Estimation::reml);
  ASSERT_TRUE(got.fit) << got.attempt.reason;
  const double total = products.trace(), between = products.sum() / 3, error = (total - between) / 54;
  EXPECT_LT(got.fit->sigma[1], 0);
  EXPECT_NEAR(got.fit->sigma[1] * got.data.unit * got.data.unit, (between / 27 - error) / 3, 1e-9);
}

TEST(MmrmFit, FindsOneOptimumFromEveryStart) {
  const LongRows rows = long_rows({.seed = 8, .people = 40});
  for (CovarianceStructure const& structure : covariance_structures()) {
    auto data = fold_visits(rows.table().frame(), formula("base + arm * visit"), visit_roles);
    ASSERT_TRUE(data);
    VisitLikelihood likelihood(*data, true);
    const Covariance shape(structure, 4, {0, 1, 2.5, 7});
    FitAttempt attempt;
    const auto first = fit_structure(*data, likelihood, shape, Estimation::reml, attempt);
    ASSERT_TRUE(first) << structure.keyword() << ": " << attempt.reason;
    const std::vector<double> independent{3, 0, 0.2, 0, 0, 1, 0, 0, 0, 2}, alike{1, 0.8, 1, 0.8, 0.8, 1, 0.8, 0.8, 0.8, 1};
    for (auto const* start : {&independent, &alike, &first->sigma}) {
      const auto again = fit_structure(*data, likelihood, shape, Estimation::reml, attempt, start);
      ASSERT_TRUE(again) << structure.keyword() << ": " << attempt.reason;
      EXPECT_NEAR(again->neg2_log_likelihood, first->neg2_log_likelihood, 1e-9);
      for (std::size_t s = 0; s < first->sigma.size(); ++s) EXPECT_NEAR(again->sigma[s], first->sigma[s], 1e-8);
    }
    EXPECT_LE(attempt.iterations, 1) << structure.keyword();  // from its own optimum
  }
}

// With somebody left out, the whole fit's Hessian leads to the optimum that is found without it.
TEST(MmrmFit, FindsTheSameOptimumByABorrowedHessian) {
  const LongRows rows = long_rows({.seed = 8, .people = 40});
  for (CovarianceStructure const& structure : covariance_structures()) {
    auto data = fold_visits(rows.table().frame(), formula("base + arm * visit"), visit_roles);
    ASSERT_TRUE(data);
    VisitLikelihood likelihood(*data, true);
    const Covariance shape(structure, 4, {0, 1, 2.5, 7});
    FitAttempt attempt;
    const auto whole = fit_structure(*data, likelihood, shape, Estimation::reml, attempt);
    ASSERT_TRUE(whole) << structure.keyword() << ": " << attempt.reason;
    for (const std::size_t out : {0u, 7u, 21u}) {
      likelihood.leave_out(out);
      const auto own = fit_structure(*data, likelihood, shape, Estimation::reml, attempt, &whole->sigma, Finish::estimates);
      ASSERT_TRUE(own) << structure.keyword() << ": " << attempt.reason;
      const auto lent = fit_structure(*data, likelihood, shape, Estimation::reml, attempt, &whole->sigma, Finish::estimates,
                                      whole->near_factor);
      ASSERT_TRUE(lent) << structure.keyword() << ": " << attempt.reason;
      // two points within 1e-8 standard errors of the optimum
      for (std::size_t s = 0; s < own->sigma.size(); ++s) EXPECT_NEAR(lent->sigma[s], own->sigma[s], 1e-8) << structure.keyword();
      for (std::size_t c = 0; c < own->b.size(); ++c) EXPECT_NEAR(lent->b[c], own->b[c], 1e-8) << structure.keyword();
      likelihood.put_back(out);
    }
  }
}

// A smaller family cannot fit better than one that contains it.
TEST(MmrmFit, IsNestedAsTheStructuresAre) {
  const LongRows rows = long_rows({.seed = 12, .people = 60});
  const auto value = [&](std::string_view keyword) {
    const Fitted got = fitted(rows, "base + arm * visit", keyword, Estimation::ml);
    EXPECT_TRUE(got.fit) << keyword << ": " << got.attempt.reason;
    return got.fit ? got.fit->neg2_log_likelihood : missing_number;
  };
  const double rounding = 1e-9;
  EXPECT_LE(value("unstructured"), value("heterogeneous_toeplitz") + rounding);
  EXPECT_LE(value("unstructured"), value("heterogeneous_ante_dependence") + rounding);
  EXPECT_LE(value("heterogeneous_toeplitz"), value("toeplitz") + rounding);
  EXPECT_LE(value("heterogeneous_toeplitz"), value("heterogeneous_ar1") + rounding);
  EXPECT_LE(value("heterogeneous_toeplitz"), value("heterogeneous_compound_symmetry") + rounding);
  EXPECT_LE(value("heterogeneous_ante_dependence"), value("heterogeneous_ar1") + rounding);
  EXPECT_LE(value("heterogeneous_ante_dependence"), value("ante_dependence") + rounding);
  EXPECT_LE(value("ante_dependence"), value("ar1") + rounding);
  EXPECT_LE(value("toeplitz"), value("compound_symmetry") + rounding);
  EXPECT_LE(value("heterogeneous_spatial_exponential"), value("spatial_exponential") + rounding);
}

// The covariance of the estimates of complete data is Wishart's: Cov(s_jk, s_lm) = (s_jl s_km + s_jm s_kl) / (people - arms).
TEST(MmrmFit, KnowsTheErrorOfAWishart) {
  Fitted got = fitted(complete(), "arm * visit", "unstructured", Estimation::reml);
  ASSERT_TRUE(got.fit);
  const std::span<const double> a = parameter_covariance(*got.fit).a;
  std::vector<double> const& sigma = got.fit->sigma;
  for (std::size_t s = 0, j = 0; j < 3; ++j)
    for (std::size_t k = 0; k <= j; ++k, ++s)
      for (std::size_t t = 0, l = 0; l < 3; ++l)
        for (std::size_t o = 0; o <= l; ++o, ++t)
          EXPECT_NEAR(a[s * 6 + t], (sigma[packed(j, l)] * sigma[packed(k, o)] + sigma[packed(j, o)] * sigma[packed(k, l)]) / 27,
                      1e-9);
  EXPECT_GT(got.fit->report.condition, 1e-3);
}

TEST(MmrmFit, FitsAsManyVisitsAsTheDataDetermine) {
  // 12 visits and 30 participants in 2 arms: 28 degrees of freedom for 12 variances
  const LongRows rows = long_rows({.seed = 3, .people = 30, .visits = 12, .dropout = 0, .gaps = 0});
  const MatrixXd products = within_arms(rows);
  const Fitted got = fitted(rows, "arm * visit", "unstructured", Estimation::reml);
  ASSERT_TRUE(got.fit) << got.attempt.reason;
  for (std::size_t j = 0; j < 12; ++j)
    EXPECT_NEAR(got.fit->sigma[packed(j, j)] * got.data.unit * got.data.unit, products(Index(j), Index(j)) / 28, 1e-8);
}

// With 25 participants, two covariances and ten coefficients the steps of the near Hessian overshoot for ever.
TEST(MmrmFit, ConvergesWithManyCoefficients) {
  VisitRoles split = visit_roles;
  split.covariance_by = "arm";
  int fits = 0;
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const LongRows rows = long_rows({.seed = seed, .people = 24, .visits = 3, .dropout = 0.15, .gaps = 0.15});
    const Fitted got = fitted(rows, "base + z + arm * visit", "unstructured", Estimation::reml, split);
    if (!got.fit) {  // the likelihood of the third visit in one arm is highest where the covariance is singular
      EXPECT_NE(got.attempt.reason.find("singular"), std::string::npos) << seed << ": " << got.attempt.reason;
      continue;
    }
    ++fits;
    EXPECT_LE(got.fit->report.iterations, 40) << seed;
    EXPECT_LT(got.fit->report.scaled_gradient, 1e-9);
  }
  EXPECT_EQ(fits, 24);
}

TEST(MmrmFit, SaysWhyItDoesNotConverge) {
  const LongRows rows = long_rows({.people = 20});
  // visits V1 and V4 of different people
  const LongRows apart =
      rows.where([&](std::size_t i) { return rows.subject[i] % 2 == 0 ? rows.visit[i] != 3 : rows.visit[i] != 0; });
  const Fitted never = fitted(apart, "arm + visit", "unstructured", Estimation::reml);
  EXPECT_FALSE(never.fit);
  EXPECT_EQ(never.attempt.reason, "nobody was seen at both 'V1' and 'V4', so their covariance is not determined");
  EXPECT_EQ(never.attempt.structure, "unstructured");
  EXPECT_TRUE(fitted(apart, "arm + visit", "ar1", Estimation::reml).fit);

  LongRows same = rows;  // V2 repeats V1
  for (std::size_t i = 1; i < same.size(); ++i)
    if (same.visit[i] == 1 && same.visit[i - 1] == 0) same.y[i] = same.y[i - 1];
  const Fitted singular = fitted(same, "arm * visit", "unstructured", Estimation::reml);
  EXPECT_FALSE(singular.fit);
  EXPECT_NE(singular.attempt.reason.find("singular"), std::string::npos) << singular.attempt.reason;

  const LongRows few = rows.where([&](std::size_t i) { return rows.subject[i] < 4; });  // four people, four visits
  const Fitted unbounded = fitted(few, "visit", "unstructured", Estimation::reml);
  EXPECT_FALSE(unbounded.fit);
  EXPECT_FALSE(unbounded.attempt.reason.empty());
}

}  // namespace
}  // namespace equipoise::stats
