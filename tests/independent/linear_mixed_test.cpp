#include "equipoise/stats/repeated/linear_mixed.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "brute_force.h"
#include "equipoise/stats/testing.h"

// A second derivation of the linear mixed model that shares no code with it: the whole covariance matrix of all rows in long
// double, inverted by Gauss and Jordan; derivatives of the likelihood and of the variances by differences; Kenward and Roger's sums
// as they are printed in their paper.
namespace equipoise::independent {
namespace {

using stats::testing::answer, stats::testing::Keys, stats::testing::read, stats::testing::Table, stats::testing::text,
    stats::testing::texts;
using Real = long double;
using Matrix = std::vector<std::vector<Real>>;

Matrix zero(std::size_t rows, std::size_t columns) { return Matrix(rows, std::vector<Real>(columns, 0)); }

Matrix times(Matrix const& a, Matrix const& b) {
  Matrix c = zero(a.size(), b[0].size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t k = 0; k < b.size(); ++k)
      for (std::size_t j = 0; j < b[0].size(); ++j) c[i][j] += a[i][k] * b[k][j];
  return c;
}

Matrix turned(Matrix const& a) {
  Matrix c = zero(a[0].size(), a.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[0].size(); ++j) c[j][i] = a[i][j];
  return c;
}

/// Inverse and log determinant of a positive definite matrix.
std::pair<Matrix, Real> inverse(Matrix a) {
  const std::size_t n = a.size();
  Matrix inv = zero(n, n);
  Real log_determinant = 0;
  for (std::size_t i = 0; i < n; ++i) inv[i][i] = 1;
  for (std::size_t c = 0; c < n; ++c) {
    const Real pivot = a[c][c];
    log_determinant += std::log(pivot);
    for (std::size_t j = 0; j < n; ++j) a[c][j] /= pivot, inv[c][j] /= pivot;
    for (std::size_t i = 0; i < n; ++i) {
      if (i == c) continue;
      const Real f = a[i][c];
      for (std::size_t j = 0; j < n; ++j) a[i][j] -= f * a[c][j], inv[i][j] -= f * inv[c][j];
    }
  }
  return {inv, log_determinant};
}

/// Seven to nine participants with one to five rows; y ~ x * t with random effects of 1 or of 1 and t.
struct Trial {
  std::vector<double> y, x, t;
  std::vector<std::int32_t> id;
  explicit Trial(std::uint64_t seed) {
    Bits bits(seed);
    const int participants = 7 + bits.below(3);
    for (int i = 0; i < participants; ++i) {
      const double level = bits.below(80) * 0.1, slope = bits.below(30) * 0.1 - 1.5;
      const int rows = i < 4 ? 4 + bits.below(2) : 1 + bits.below(5);
      for (int r = 0; r < rows; ++r) {
        id.push_back(i);
        x.push_back(seed % 2 ? bits.below(20) * 0.25 : i % 2);
        t.push_back(seed % 3 ? bits.below(40) * 0.125 : r);
        y.push_back(40 + level + slope * t.back() + 0.7 * x.back() + bits.below(41) * 0.1 - 2);
      }
    }
  }
  std::size_t rows() const { return y.size(); }
};

struct Dense {
  Matrix x, y, z;
  std::vector<std::int32_t> id;
  std::size_t q;
  bool reml;

  Dense(Trial const& trial, std::size_t effects, bool restricted) : id(trial.id), q(effects), reml(restricted) {
    for (std::size_t i = 0; i < trial.rows(); ++i) {
      x.push_back({1, trial.x[i], trial.t[i], Real(trial.x[i]) * Real(trial.t[i])});
      y.push_back({trial.y[i]});
      z.push_back(q == 1 ? std::vector<Real>{1} : std::vector<Real>{1, trial.t[i]});
    }
  }
  std::size_t parameters() const { return q * (q + 1) / 2 + 1; }
  /// dV of parameter k: the elements of G by rows of its lower triangle, then the residual variance.
  Matrix slope(std::size_t k) const {
    const std::size_t n = y.size();
    Matrix d = zero(n, n);
    std::size_t number = 0;
    for (std::size_t a = 0; a < q; ++a)
      for (std::size_t b = 0; b <= a; ++b, ++number)
        if (number == k)
          for (std::size_t i = 0; i < n; ++i)
            for (std::size_t j = 0; j < n; ++j)
              if (id[i] == id[j]) d[i][j] = a == b ? z[i][a] * z[j][a] : z[i][a] * z[j][b] + z[i][b] * z[j][a];
    if (number == k)
      for (std::size_t i = 0; i < n; ++i) d[i][i] = 1;
    return d;
  }
  Matrix covariance(std::vector<Real> const& theta) const {
    Matrix v = zero(y.size(), y.size());
    for (std::size_t k = 0; k < theta.size(); ++k) {
      const Matrix d = slope(k);
      for (std::size_t i = 0; i < v.size(); ++i)
        for (std::size_t j = 0; j < v.size(); ++j) v[i][j] += theta[k] * d[i][j];
    }
    return v;
  }
  struct At {
    Real minus2;
    Matrix phi, b, inverse;
  };
  At at(std::vector<Real> const& theta) const {
    const auto [inv, log_v] = inverse(covariance(theta));
    const Matrix xv = times(turned(x), inv);
    const auto [phi, log_x] = inverse(times(xv, x));
    const Matrix b = times(phi, times(xv, y));
    Matrix r = y;
    const Matrix fitted = times(x, b);
    for (std::size_t i = 0; i < r.size(); ++i) r[i][0] -= fitted[i][0];
    const Real quadratic = times(times(turned(r), inv), r)[0][0];
    const Real n = Real(y.size()), p = Real(x[0].size());
    return {(n - (reml ? p : 0)) * std::log(2 * std::acos(Real(-1))) + log_v + (reml ? log_x : 0) + quadratic, phi, b, inv};
  }
};

std::vector<std::string> ids(Trial const& trial) {
  std::vector<std::string> names;
  for (int i = 0; i <= trial.id.back(); ++i) names.push_back(std::to_string(i));
  return names;
}

Keys keys(std::size_t q, bool reml, std::string df) {
  return {{"formula", text("x * t")},
          {"random", q == 1 ? texts({"1"}) : texts({"1", "t"})},
          {"estimation", text(reml ? "reml" : "ml")},
          {"df", text(std::move(df))}};
}

At term_at(std::size_t j) {
  const Factor x{"x", {}}, t{"t", {}};
  return {{"term", j == 0 ? Term{} : j == 1 ? Term{x} : j == 2 ? Term{t} : Term{t, x}}};
}

class LinearMixedByBruteForce : public ::testing::TestWithParam<int> {};

TEST_P(LinearMixedByBruteForce, IsAMaximumWithItsCurvature) {
  const int number = GetParam();
  const Trial trial(std::uint64_t(number) + 1);
  const std::size_t q = number % 4 < 2 ? 2 : 1;
  const bool reml = number % 5 != 4;
  Table table;
  table.numbers("y", trial.y).numbers("x", trial.x).numbers("t", trial.t).category("id", ids(trial), trial.id);
  const stats::Roles roles{{"response", {"y"}}, {"subject", {"id"}}};
  const auto got = answer<stats::LinearMixed>(table.frame(), roles, keys(q, reml, "satterthwaite"));
  const Dense dense(trial, q, reml);

  std::vector<Real> theta;
  const std::vector<std::string> names{"1", "t"};
  for (std::size_t a = 0; a < q; ++a)
    for (std::size_t b = 0; b <= a; ++b) theta.push_back(read(got, "random_covariance", {{"row", names[a]}, {"column", names[b]}}));
  theta.push_back(read(got, "residual_variance"));
  const Dense::At best = dense.at(theta);
  // The variances have about 15 digits, whose effect on a maximum is of second order; coefficients move with the first.
  EXPECT_NEAR(read(got, "neg2_log_likelihood"), double(best.minus2), 1e-11 * std::abs(double(best.minus2)));
  for (std::size_t j = 0; j < 4; ++j) {
    EXPECT_NEAR(read(got, "estimate", term_at(j)), double(best.b[j][0]), 1e-10 * std::abs(double(best.b[j][0])) + 1e-11);
    EXPECT_NEAR(read(got, "se", term_at(j)), std::sqrt(double(best.phi[j][j])), 1e-10 * std::sqrt(double(best.phi[j][j])));
  }

  const bool singular = stats::testing::has_note(got, "singular") || stats::testing::has_note(got, "is 0:");
  const std::size_t k = dense.parameters();
  // Steps of 1e-3 of each parameter's own scale: the differences below are off by its square times a fourth derivative.
  std::vector<Real> step;
  for (std::size_t i = 0, a = 0; a < q; ++a)
    for (std::size_t b = 0; b <= a; ++b, ++i) {
      const Real da = theta[a * (a + 1) / 2 + a], db = theta[b * (b + 1) / 2 + b];
      step.push_back(Real(1e-3) * std::sqrt(std::max(da * db, Real(1e-6))));
    }
  step.push_back(Real(1e-3) * theta.back());
  const auto moved = [&](std::size_t i, Real by, std::size_t j = 99, Real also = 0) {
    std::vector<Real> there = theta;
    there[i] += by * step[i];
    if (j < k) there[j] += also * step[j];
    return there;
  };
  if (singular) {
    // No positive semidefinite G nearby is better: G + (small) times a rank one matrix, and the residual variance both ways.
    for (const Real by : {Real(-1), Real(1)}) EXPECT_GT(dense.at(moved(k - 1, by)).minus2, best.minus2);
    for (int angle = 0; angle < 12; ++angle) {
      std::vector<Real> there = theta;
      const Real c = std::cos(angle * std::acos(Real(-1)) / 12), s = std::sin(angle * std::acos(Real(-1)) / 12);
      const Real size = Real(1e-4) * theta.back();
      there[0] += size * c * c;
      if (q == 2) there[1] += size * c * s, there[2] += size * s * s;
      EXPECT_GT(dense.at(there).minus2, best.minus2 - 1e-11L) << angle;
    }
    return;
  }
  Matrix hessian = zero(k, k);
  for (std::size_t i = 0; i < k; ++i) {
    const Real above = dense.at(moved(i, 1)).minus2, below = dense.at(moved(i, -1)).minus2;
    hessian[i][i] = (above - 2 * best.minus2 + below) / (step[i] * step[i]);
    // the slope is 0: a difference of the third order in the step is left
    EXPECT_LT(std::abs(double((above - below) / (2 * step[i] * std::sqrt(hessian[i][i])))), 1e-4) << i;
    for (std::size_t j = 0; j < i; ++j)
      hessian[i][j] = hessian[j][i] =
          (dense.at(moved(i, 1, j, 1)).minus2 - dense.at(moved(i, 1, j, -1)).minus2 - dense.at(moved(i, -1, j, 1)).minus2 +
           dense.at(moved(i, -1, j, -1)).minus2) /
          (4 * step[i] * step[j]);
  }
  Matrix a = inverse(hessian).first;
  for (auto& row : a)
    for (Real& element : row) element *= 2;

  const double differences = 2e-4;  // relative, of second differences with steps of 1e-3
  for (std::size_t j = 0; j < 4; ++j) {
    std::vector<Real> g(k);
    for (std::size_t i = 0; i < k; ++i)
      g[i] = (dense.at(moved(i, 1)).phi[j][j] - dense.at(moved(i, -1)).phi[j][j]) / (2 * step[i]);
    Real spread = 0;
    for (std::size_t i = 0; i < k; ++i)
      for (std::size_t l = 0; l < k; ++l) spread += g[i] * a[i][l] * g[l];
    const double df = double(2 * best.phi[j][j] * best.phi[j][j] / spread);
    EXPECT_NEAR(read(got, "df", term_at(j)), df, differences * df);
  }
  for (Finding const& finding : got->findings)
    if (finding.quantity == "residual_variance") {
      EXPECT_NEAR(*finding.se, std::sqrt(double(a[k - 1][k - 1])), differences * *finding.se);
    } else if (finding.quantity == "random_covariance" && finding.at == At{{"row", "1"}, {"column", "1"}}) {
      EXPECT_NEAR(*finding.se, std::sqrt(double(a[0][0])), differences * *finding.se);
    }
  if (!reml) return;

  // Kenward and Roger (1997): Phi + 2 Phi {sum A_ij (Q_ij - P_i Phi P_j)} Phi.
  const auto kr = answer<stats::LinearMixed>(table.frame(), roles, keys(q, reml, "kenward_roger"));
  std::vector<Matrix> left, p;
  for (std::size_t i = 0; i < k; ++i) {
    left.push_back(times(times(turned(dense.x), best.inverse), dense.slope(i)));  // X'V^-1 V_i
    p.push_back(times(times(left[i], best.inverse), dense.x));
  }
  Matrix middle = zero(4, 4);
  for (std::size_t i = 0; i < k; ++i)
    for (std::size_t j = 0; j < k; ++j) {
      const Matrix second = times(times(times(left[i], best.inverse), dense.slope(j)), times(best.inverse, dense.x));
      const Matrix twice = times(times(p[i], best.phi), p[j]);
      for (std::size_t s = 0; s < 4; ++s)
        for (std::size_t t = 0; t < 4; ++t) middle[s][t] += a[i][j] * (second[s][t] - twice[s][t]);
    }
  const Matrix more = times(times(best.phi, middle), best.phi);
  for (std::size_t j = 0; j < 4; ++j) {
    const double adjusted = std::sqrt(double(best.phi[j][j] + 2 * more[j][j]));
    EXPECT_NEAR(read(kr, "se", term_at(j)), adjusted, differences * adjusted);
    EXPECT_NEAR(read(kr, "df", term_at(j)), read(got, "df", term_at(j)), 1e-9 * read(got, "df", term_at(j)));
  }
}

INSTANTIATE_TEST_SUITE_P(SmallTrials, LinearMixedByBruteForce, ::testing::Range(0, 24));

}  // namespace
}  // namespace equipoise::independent
