#include "equipoise/stats/repeated/covariance.h"

#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/core/columns.h"

namespace equipoise::stats {
namespace {

/// The contract of a structure: what it is called, how many parameters m visits have, what Sigma is at a theta worked by hand.
struct Contract {
  std::string_view keyword, title;
  std::size_t (*size)(std::size_t m);
  bool always_definite;  ///< for any theta
};

constexpr Contract contracts[] = {
    {"unstructured", "unstructured", [](std::size_t m) { return m * (m + 1) / 2; }, true},
    {"heterogeneous_toeplitz", "heterogeneous Toeplitz", [](std::size_t m) { return 2 * m - 1; }, false},
    {"toeplitz", "Toeplitz", [](std::size_t m) { return m; }, false},
    {"heterogeneous_ante_dependence", "heterogeneous ante-dependence", [](std::size_t m) { return 2 * m - 1; }, true},
    {"ante_dependence", "ante-dependence", [](std::size_t m) { return m; }, true},
    {"heterogeneous_ar1", "heterogeneous AR(1)", [](std::size_t m) { return m + (m > 1); }, true},
    {"ar1", "AR(1)", [](std::size_t m) { return std::size_t(1) + (m > 1); }, true},
    {"heterogeneous_compound_symmetry", "heterogeneous compound symmetry", [](std::size_t m) { return m + (m > 1); }, true},
    {"compound_symmetry", "compound symmetry", [](std::size_t m) { return std::size_t(1) + (m > 1); }, true},
    {"heterogeneous_spatial_exponential", "heterogeneous spatial exponential", [](std::size_t m) { return m + (m > 1); }, true},
    {"spatial_exponential", "spatial exponential", [](std::size_t m) { return std::size_t(1) + (m > 1); }, true},
};

Covariance covariance_of(std::string_view keyword, std::size_t m) {
  std::vector<double> times;
  for (std::size_t j = 0; j < m; ++j) times.push_back(0.5 + 0.75 * double(j * (j + 3)) / 4);  // unequal steps from 0.75 up
  return Covariance(*covariance_structure(keyword), m, times);
}

/// Parameters between -scale and scale, the same every time.
std::vector<double> some_theta(std::size_t size, double scale, int seed) {
  std::vector<double> theta;
  for (std::size_t k = 0; k < size; ++k) theta.push_back(scale * std::sin(1.7 * double(k + 1) + 2.3 * seed));
  return theta;
}

std::vector<double> sigma_of(Covariance const& covariance, std::span<const double> theta) {
  std::vector<double> sigma(packed_size(covariance.visits()));
  covariance.sigma(theta, sigma);
  return sigma;
}

std::vector<double> jacobian_of(Covariance const& covariance, std::span<const double> theta) {
  std::vector<double> jacobian(packed_size(covariance.visits()) * covariance.size());
  covariance.jacobian(theta, jacobian);
  return jacobian;
}

class CovarianceContract : public ::testing::TestWithParam<Contract> {};

TEST_P(CovarianceContract, HasItsNameAndSize) {
  Contract const& contract = GetParam();
  const auto structure = covariance_structure(contract.keyword);
  ASSERT_TRUE(structure);
  EXPECT_EQ(structure->keyword(), contract.keyword);
  EXPECT_EQ(structure->title(), contract.title);
  for (const std::size_t m : {1, 2, 3, 6, 64}) EXPECT_EQ(covariance_of(contract.keyword, m).size(), contract.size(m)) << m;
}

TEST_P(CovarianceContract, IsPositiveDefinite) {
  for (const std::size_t m : {1, 2, 3, 6})
    for (int seed = 0; seed < 20; ++seed) {
      const Covariance covariance = covariance_of(GetParam().keyword, m);
      const double scale = GetParam().always_definite || m <= 2 ? 1.5 : 0.2;
      const std::vector<double> sigma = sigma_of(covariance, some_theta(covariance.size(), scale, seed));
      EXPECT_GT(smallest_pivot(sigma, m), 0) << m << " visits, seed " << seed;
      for (std::size_t j = 0; j < m; ++j) EXPECT_GT(sigma[packed(j, j)], 0);
    }
}

// Central differences with h = 1e-4 of numbers near 1: truncation h^2 times a third derivative near 10, rounding 1e-12.
TEST_P(CovarianceContract, HasTheDerivativesOfItsSigma) {
  const double h = 1e-4, tolerance = 3e-7;
  for (const std::size_t m : {1, 2, 3, 5})
    for (int seed = 0; seed < 4; ++seed) {
      const Covariance covariance = covariance_of(GetParam().keyword, m);
      const std::size_t size = covariance.size(), elements = packed_size(m);
      std::vector<double> theta = some_theta(size, 0.6, seed);
      const std::vector<double> jacobian = jacobian_of(covariance, theta);
      std::vector<double> g(elements), curvature(size * size, 0.0), a(size * size), contracted(elements), expected(elements, 0.0);
      for (std::size_t s = 0; s < elements; ++s) g[s] = std::cos(double(s));
      for (std::size_t k = 0; k < size * size; ++k) a[k] = std::sin(double(k));
      covariance.curvature(theta, g, curvature);
      covariance.contract(theta, a, contracted);
      for (std::size_t k = 0; k < size; ++k) {
        const double middle = theta[k];
        theta[k] = middle + h;
        const std::vector<double> above = sigma_of(covariance, theta), above_slope = jacobian_of(covariance, theta);
        theta[k] = middle - h;
        const std::vector<double> below = sigma_of(covariance, theta), below_slope = jacobian_of(covariance, theta);
        theta[k] = middle;
        for (std::size_t s = 0; s < elements; ++s)
          EXPECT_NEAR(jacobian[k * elements + s], (above[s] - below[s]) / (2 * h), tolerance) << m << " theta " << k;
        for (std::size_t l = 0; l < size; ++l) {
          double along_g = 0;
          for (std::size_t s = 0; s < elements; ++s) {
            const double second = (above_slope[l * elements + s] - below_slope[l * elements + s]) / (2 * h);
            along_g += g[s] * second;
            expected[s] += a[k * size + l] * second;
          }
          EXPECT_NEAR(curvature[k * size + l], along_g, 20 * tolerance) << m << " theta " << k << " " << l;
        }
      }
      for (std::size_t s = 0; s < elements; ++s) EXPECT_NEAR(contracted[s], expected[s], 50 * tolerance) << m << " element " << s;
    }
}

TEST_P(CovarianceContract, AddsItsCurvature) {
  const Covariance covariance = covariance_of(GetParam().keyword, 3);
  const std::vector<double> theta = some_theta(covariance.size(), 0.5, 1), g(6, 1.0);
  std::vector<double> once(covariance.size() * covariance.size(), 0.0);
  covariance.curvature(theta, g, once);
  std::vector<double> twice = once;
  covariance.curvature(theta, g, twice);
  for (std::size_t k = 0; k < once.size(); ++k) EXPECT_NEAR(twice[k], 2 * once[k], 1e-14);
}

// Rounding of a logarithm, an exponential and a Cholesky factor of a well-conditioned matrix.
TEST_P(CovarianceContract, FindsItsParametersAgain) {
  for (const std::size_t m : {1, 2, 3, 5})
    for (int seed = 0; seed < 10; ++seed) {
      const Covariance covariance = covariance_of(GetParam().keyword, m);
      const std::vector<double> theta = some_theta(covariance.size(), 0.25, seed);
      const std::vector<double> found = covariance.near(sigma_of(covariance, theta));
      ASSERT_EQ(found.size(), theta.size());
      for (std::size_t k = 0; k < theta.size(); ++k) EXPECT_NEAR(found[k], theta[k], 1e-11) << m << " seed " << seed;
    }
}

TEST_P(CovarianceContract, StartsPositiveDefiniteNearAnyMatrix) {
  // from an unstructured matrix with correlations up to 0.99 and deviations that differ a hundredfold
  for (const std::size_t m : {2, 4, 7})
    for (int seed = 0; seed < 20; ++seed) {
      const Covariance free = covariance_of("unstructured", m), covariance = covariance_of(GetParam().keyword, m);
      const std::vector<double> theta = covariance.near(sigma_of(free, some_theta(free.size(), 2.3, seed)));
      for (const double value : theta) EXPECT_TRUE(std::isfinite(value));
      EXPECT_GT(smallest_pivot(sigma_of(covariance, theta), m), GetParam().keyword == "unstructured" ? 0 : 1e-3);
    }
}

TEST_P(CovarianceContract, WithEqualVariancesIsHomogeneous) {
  const std::string_view prefix = "heterogeneous_";
  if (!GetParam().keyword.starts_with(prefix)) GTEST_SKIP() << "a structure with one variance, or any";
  for (const std::size_t m : {1, 2, 4}) {
    const Covariance with = covariance_of(GetParam().keyword, m),
                     without = covariance_of(GetParam().keyword.substr(prefix.size()), m);
    std::vector<double> theta = some_theta(without.size(), 0.2, 3), wide(m - 1, theta[0]);
    wide.insert(wide.end(), theta.begin(), theta.end());
    const std::vector<double> a = sigma_of(with, wide), b = sigma_of(without, theta);
    for (std::size_t s = 0; s < a.size(); ++s) EXPECT_EQ(a[s], b[s]);
  }
}

TEST_P(CovarianceContract, IsACaseOfTheUnstructured) {
  for (const std::size_t m : {2, 4}) {
    const Covariance covariance = covariance_of(GetParam().keyword, m), free = covariance_of("unstructured", m);
    const std::vector<double> sigma = sigma_of(covariance, some_theta(covariance.size(), 0.2, 2));
    const std::vector<double> again = sigma_of(free, free.near(sigma));
    for (std::size_t s = 0; s < sigma.size(); ++s) EXPECT_NEAR(again[s], sigma[s], 1e-14);
  }
}

INSTANTIATE_TEST_SUITE_P(EveryStructure, CovarianceContract, ::testing::ValuesIn(contracts),
                         [](auto const& one) { return std::string(one.param.keyword); });

TEST(Covariance, HasAContractForEveryStructure) {
  ASSERT_EQ(covariance_structures().size(), std::size(contracts));
  for (std::size_t k = 0; k < std::size(contracts); ++k) EXPECT_EQ(covariance_structures()[k].keyword(), contracts[k].keyword);
  EXPECT_FALSE(covariance_structure("banded"));
}

// By hand, with standard deviation e^0 = 1: theta 0.75 is rho 0.6; logit 0 of compound symmetry is the middle of (-1/2, 1).
TEST(Covariance, IsWhatItsNameSays) {
  const auto at = [](std::string_view keyword, std::vector<double> theta) {
    const Covariance covariance(*covariance_structure(keyword), 3, {0, 1, 3});
    return sigma_of(covariance, theta);
  };
  const auto is = [](std::vector<double> const& got, std::vector<double> const& expected) {
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t s = 0; s < got.size(); ++s) EXPECT_NEAR(got[s], expected[s], 1e-15) << s;
  };
  const double two = std::log(2.0);  // a standard deviation of 2
  is(at("ar1", {0, 0.75}), {1, 0.6, 1, 0.36, 0.6, 1});
  is(at("heterogeneous_ar1", {0, two, 0, 0.75}), {1, 1.2, 4, 0.36, 1.2, 1});
  is(at("toeplitz", {0, 0.75, 0}), {1, 0.6, 1, 0, 0.6, 1});
  is(at("ante_dependence", {0, 0.75, -0.75}), {1, 0.6, 1, -0.36, -0.6, 1});
  is(at("compound_symmetry", {0, 0}), {1, 0.25, 1, 0.25, 0.25, 1});
  is(at("spatial_exponential", {0, 0}), {1, 0.5, 1, 0.125, 0.25, 1});
  is(at("unstructured", {0, two, 0, 0.5, 1, -1}), {1, 1, 5, 1, -1, 3});  // L = (1; 1/2 1; 1 -1 1), D = (1, 2, 1)
}

// Correlations of visits some weeks apart on a scale of days: rho is the correlation of one day, close to 1.
TEST(Covariance, OfSpacedVisitsStartsAtAnyUnitOfTime) {
  for (const double unit : {1.0 / 365, 1.0, 7.0, 24.0}) {
    const Covariance covariance(*covariance_structure("spatial_exponential"), 4, {0, 14 * unit, 56 * unit, 168 * unit});
    const double rho = std::pow(0.7, 1 / (14 * unit));
    const std::vector<double> theta{0.3, std::log(rho / (1 - rho))};
    const std::vector<double> found = covariance.near(sigma_of(covariance, theta));
    EXPECT_NEAR(found[1], theta[1], 1e-9 * std::abs(theta[1])) << unit;
  }
}

TEST(Covariance, MeasuresHowNearToSingular) {
  EXPECT_EQ(smallest_pivot(std::vector<double>{4, 0, 9}, 2), 1);
  EXPECT_NEAR(smallest_pivot(std::vector<double>{4, 3, 9}, 2), 0.75, 1e-15);         // 1 - rho^2, rho = 1/2
  EXPECT_NEAR(smallest_pivot(std::vector<double>{4e-12, 3e-6, 9}, 2), 0.75, 1e-15);  // units do not matter
  EXPECT_EQ(smallest_pivot(std::vector<double>{4, 6, 9}, 2), 0);                     // correlation 1
  EXPECT_EQ(smallest_pivot(std::vector<double>{4, 7, 9}, 2), 0);
  EXPECT_EQ(smallest_pivot(std::vector<double>{4, 0, 0}, 2), 0);
  EXPECT_EQ(smallest_pivot(std::vector<double>{4, 0, -1}, 2), 0);
  EXPECT_EQ(smallest_pivot(std::vector<double>{missing_number, 0, 1}, 2), 0);
  EXPECT_EQ(smallest_pivot(std::vector<double>{1, missing_number, 1}, 2), 0);
}

}  // namespace
}  // namespace equipoise::stats
