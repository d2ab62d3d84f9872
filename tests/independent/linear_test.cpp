#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>

#include "brute_force.h"
#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/dunnett.h"
#include "equipoise/stats/linear/ancova.h"
#include "equipoise/stats/linear/logistic.h"
#include "equipoise/stats/testing.h"

// Second derivations of the linear models that share no code with them: normal equations in long double with sum-to-zero columns
// written out, nested Simpson rules, and maximisation of a logistic likelihood one coordinate at a time.
namespace equipoise::independent {
namespace {

using stats::testing::answer, stats::testing::Keys, stats::testing::read, stats::testing::Table, stats::testing::text,
    stats::testing::texts;
using Real = long double;
using Matrix = std::vector<std::vector<Real>>;

/// Inverse by Gauss and Jordan with row pivoting.
Matrix inverse(Matrix a) {
  const std::size_t p = a.size();
  Matrix inv(p, std::vector<Real>(p, 0));
  for (std::size_t i = 0; i < p; ++i) inv[i][i] = 1;
  for (std::size_t c = 0; c < p; ++c) {
    std::size_t best = c;
    for (std::size_t i = c; i < p; ++i)
      if (std::fabs(a[i][c]) > std::fabs(a[best][c])) best = i;
    std::swap(a[c], a[best]), std::swap(inv[c], inv[best]);
    const Real pivot = a[c][c];
    for (std::size_t j = 0; j < p; ++j) a[c][j] /= pivot, inv[c][j] /= pivot;
    for (std::size_t i = 0; i < p; ++i) {
      if (i == c) continue;
      const Real f = a[i][c];
      for (std::size_t j = 0; j < p; ++j) a[i][j] -= f * a[c][j], inv[i][j] -= f * inv[c][j];
    }
  }
  return inv;
}

/// y ~ x + arm * site, arm of 3 levels, site of 2, every cell filled: columns 1, x, a1, a2, s, a1 s, a2 s in sum-to-zero coding.
struct Trial {
  std::vector<double> y, x;
  std::vector<std::int32_t> arm, site;
  explicit Trial(std::uint64_t seed) {
    Bits bits(seed);
    for (int i = 0; i < 24; ++i) {
      arm.push_back(i < 6 ? i % 3 : bits.below(3));
      site.push_back(i < 6 ? i / 3 : bits.below(2));
      x.push_back(bits.below(40) * 0.25 + 50);
      y.push_back(bits.below(100) * 0.1 + arm.back() + 0.2 * x.back());
    }
  }
};
std::vector<Real> sum_coded(Real x, int arm, int site) {
  const Real a1 = arm == 0 ? 1 : arm == 2 ? -1 : 0, a2 = arm == 1 ? 1 : arm == 2 ? -1 : 0, s = site == 0 ? 1 : -1;
  return {1, x, a1, a2, s, a1 * s, a2 * s};
}

TEST(AncovaByNormalEquations, AgreesOnRandomTrials) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const Trial trial(seed);
    const std::size_t n = trial.y.size(), p = 7;
    Matrix cross(p, std::vector<Real>(p, 0));
    std::vector<Real> xy(p, 0), b(p, 0);
    Real mean_x = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const auto row = sum_coded(trial.x[i], trial.arm[i], trial.site[i]);
      mean_x += trial.x[i] / Real(n);
      for (std::size_t j = 0; j < p; ++j) {
        xy[j] += row[j] * trial.y[i];
        for (std::size_t k = 0; k < p; ++k) cross[j][k] += row[j] * row[k];
      }
    }
    const Matrix c = inverse(cross);
    for (std::size_t j = 0; j < p; ++j)
      for (std::size_t k = 0; k < p; ++k) b[j] += c[j][k] * xy[k];
    Real rss = 0;
    for (std::size_t i = 0; i < n; ++i) {
      Real fitted = 0;
      const auto row = sum_coded(trial.x[i], trial.arm[i], trial.site[i]);
      for (std::size_t j = 0; j < p; ++j) fitted += row[j] * b[j];
      rss += (trial.y[i] - fitted) * (trial.y[i] - fitted);
    }
    const Real variance = rss / Real(n - p);

    Table table;
    table.numbers("y", trial.y)
        .numbers("x", trial.x)
        .category("arm", {"a", "b", "c"}, trial.arm)
        .category("site", {"s", "t"}, trial.site);
    const Node levels = stats::testing::table({{"arm", texts({"a", "b", "c"})}, {"site", texts({"s", "t"})}});
    const auto got =
        answer<stats::Ancova>(table.frame(), {{"response", {"y"}}}, {{"formula", text("x + arm * site")}, {"levels", levels}});
    const double digits = 1e-10;  // condition of x around 55 in double
    // LS mean of arm 0 and of cell (2, 1): linear functions of the sum-coded coefficients.
    const auto check = [&](At const& at, std::vector<Real> const& l) {
      Real value = 0, v = 0;
      for (std::size_t j = 0; j < p; ++j) {
        value += l[j] * b[j];
        for (std::size_t k = 0; k < p; ++k) v += l[j] * c[j][k] * l[k];
      }
      EXPECT_NEAR(read(got, "estimate", at), double(value), digits * 20) << seed;
      EXPECT_NEAR(read(got, "se", at), double(std::sqrt(variance * v)), digits) << seed;
    };
    check({{"lsmean", Term{{"arm", "a"}}}}, {1, mean_x, 1, 0, 0, 0, 0});
    check({{"lsmean", Term{{"arm", "c"}, {"site", "t"}}}}, {1, mean_x, -1, -1, -1, 1, 1});
    check({{"difference", LevelDifference{"arm", "c", "a"}}}, {0, 0, -2, -1, 0, 0, 0});
    check({{"difference", LevelDifference{"arm", "b", "a"}}, {"within", Term{{"site", "s"}}}}, {0, 0, -1, 1, 0, -1, 1});
    // Type III: Wald F of the coefficients 2, 3 (arm) and 5, 6 (interaction).
    for (auto const& [first, effect] :
         {std::pair<std::size_t, Term>(2, {{"arm", {}}}), std::pair<std::size_t, Term>(5, {{"arm", {}}, {"site", {}}})}) {
      const Matrix v = inverse({{c[first][first], c[first][first + 1]}, {c[first + 1][first], c[first + 1][first + 1]}});
      const Real f = (b[first] * (v[0][0] * b[first] + v[0][1] * b[first + 1]) +
                      b[first + 1] * (v[1][0] * b[first] + v[1][1] * b[first + 1])) /
                     (2 * variance);
      EXPECT_NEAR(read(got, "f", {{"effect", effect}}), double(f), 1e-9 * double(1 + f)) << seed;
    }
  }
}

double simpson(double from, double to, int steps, std::function<double(double)> const& f) {
  double total = f(from) + f(to);
  for (int i = 1; i < steps; ++i) total += (i % 2 ? 4 : 2) * f(from + (to - from) * i / steps);
  return total * (to - from) / steps / 3;
}
double density(double z) { return std::exp(-0.5 * z * z) / std::sqrt(2 * M_PI); }

// P(|Z_i| <= t for all three), from the Cholesky factor, one dimension after the other: no common factor is used.
double inside(double t, double r12, double r13, double r23) {
  const double l22 = std::sqrt(1 - r12 * r12), l32 = (r23 - r12 * r13) / l22, l33 = std::sqrt(1 - r13 * r13 - l32 * l32);
  return simpson(-t, t, 200, [&](double z1) {
    return density(z1) * simpson((-t - r12 * z1) / l22, (t - r12 * z1) / l22, 400, [&](double z2) {
             const double middle = r13 * z1 + l32 * z2;
             return density(z2) * (numerics::normal_cdf((t - middle) / l33) - numerics::normal_cdf((-t - middle) / l33));
           });
  });
}

TEST(MaximumTBySimpson, AgreesForProductsAndOtherCorrelations) {
  struct R {
    double r12, r13, r23;
  };
  for (const R r : {R{0.5, 0.5, 0.5}, R{0.3, 0.6, 0.4}, R{0.55, 0.45, 0.2}, R{0.0, 0.5, 0.3}, R{0.1, 0.1, -0.05}})
    for (const double t : {1.5, 2.3}) {
      const std::vector<double> matrix{1, r.r12, r.r13, r.r12, 1, r.r23, r.r13, r.r23, 1};
      const auto normal = numerics::MaximumT::general(matrix, INFINITY, numerics::Sides::both);
      ASSERT_TRUE(normal) << r.r12 << ' ' << r.r13 << ' ' << r.r23;
      const double p = 1 - inside(t, r.r12, r.r13, r.r23);
      EXPECT_NEAR(normal->upper(t), p, 1e-7) << r.r12 << ' ' << r.r13 << ' ' << r.r23 << ' ' << normal->is_product();
      // Finite df: the same given S, integrated over S.
      if (r.r12 != 0.3) continue;
      const double df = 12, log_c = std::log(2.0) + 0.5 * df * std::log(0.5 * df) - std::lgamma(0.5 * df);
      const double mixed = simpson(0.05, 3, 120, [&](double s) {
        return std::exp(log_c + (df - 1) * std::log(s) - 0.5 * df * s * s) * (1 - inside(t * s, r.r12, r.r13, r.r23));
      });
      EXPECT_NEAR(numerics::MaximumT::general(matrix, df, numerics::Sides::both)->upper(t), mixed, 1e-7);
    }
}

// Coordinate ascent by golden section on the (penalised) log likelihood: slow, and needs nothing but its value.
TEST(LogisticByCoordinates, AgreesOnRandomDataAlsoPenalised) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Bits bits(seed);
    std::vector<double> y, x;
    for (int i = 0; i < 20; ++i) {
      x.push_back((bits.below(9) - 4) * 0.5);
      y.push_back(bits.below(4) + (x.back() > 0) >= 2);
    }
    for (const bool penalised : {false, true}) {
      const auto height = [&](double a, double b) {
        Real l = 0, i00 = 0, i01 = 0, i11 = 0;
        for (std::size_t i = 0; i < y.size(); ++i) {
          const Real eta = a + Real(b) * x[i], p = 1 / (1 + std::exp(-eta)), w = p * (1 - p);
          l += y[i] * eta - std::log1p(std::exp(eta));
          i00 += w, i01 += w * x[i], i11 += w * x[i] * x[i];
        }
        return penalised ? l + 0.5L * std::log(i00 * i11 - i01 * i01) : l;
      };
      double at[2] = {0, 0};
      for (int sweep = 0; sweep < 120; ++sweep)
        for (double& one : at) {
          double low = one - 4, high = one + 4;
          for (int i = 0; i < 60; ++i) {
            const double left = high - 0.6180339887498949 * (high - low), right = low + 0.6180339887498949 * (high - low);
            one = left;
            const Real at_left = height(at[0], at[1]);
            one = right;
            (at_left > height(at[0], at[1]) ? high : low) = at_left > height(at[0], at[1]) ? right : left;
          }
          one = 0.5 * (low + high);
        }
      if (!penalised && std::abs(at[1]) > 20) continue;  // separated: no maximum to compare
      Table table;
      table.numbers("y", y).numbers("x", x);
      Keys keys{{"formula", text("x")}, {"firth", text(penalised ? "always" : "never")}};
      const auto got = answer<stats::Logistic>(table.frame(), {{"response", {"y"}}}, keys);
      // The likelihood is flat at its maximum: half of long double's 19 digits.
      EXPECT_NEAR(read(got, "estimate", {{"term", Term{}}}), at[0], 2e-8) << seed << penalised;
      EXPECT_NEAR(read(got, "estimate", {{"term", Term{{"x", {}}}}}), at[1], 2e-8) << seed << penalised;
    }
  }
}

}  // namespace
}  // namespace equipoise::independent
