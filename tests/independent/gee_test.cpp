#include "equipoise/stats/repeated/gee.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "brute_force.h"
#include "equipoise/stats/testing.h"

// A second derivation of the generalised estimating equations that shares no code with them: matrices over all rows at once in
// long double, correlations from loops over pairs of rows, damped substitution, inverses by Gauss and Jordan, roots of I - H by
// Newton's iteration for the matrix root, which needs neither eigenvalues nor a factor of V.
namespace equipoise::independent {
namespace {

using stats::testing::answer, stats::testing::Keys, stats::testing::read, stats::testing::Table, stats::testing::text;
using Real = long double;
using Matrix = std::vector<std::vector<Real>>;

Matrix zeros(std::size_t n, std::size_t m) { return Matrix(n, std::vector<Real>(m, 0)); }
Matrix operator*(Matrix const& a, Matrix const& b) {
  Matrix c = zeros(a.size(), b.front().size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t k = 0; k < b.size(); ++k)
      for (std::size_t j = 0; j < b.front().size(); ++j) c[i][j] += a[i][k] * b[k][j];
  return c;
}
Matrix transposed(Matrix const& a) {
  Matrix t = zeros(a.front().size(), a.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a.front().size(); ++j) t[j][i] = a[i][j];
  return t;
}
Matrix inverse(Matrix a) {
  const std::size_t p = a.size();
  Matrix inv = zeros(p, p);
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
/// Denman and Beavers (1976), Appl. Math. Comput. 2, 63-94: the inverse of the principal root.
Matrix root_inverse(Matrix const& a) {
  Matrix y = a, z = zeros(a.size(), a.size());
  for (std::size_t i = 0; i < a.size(); ++i) z[i][i] = 1;
  for (int iteration = 0; iteration < 60; ++iteration) {
    const Matrix y_inverse = inverse(y), z_inverse = inverse(z);
    for (std::size_t i = 0; i < a.size(); ++i)
      for (std::size_t j = 0; j < a.size(); ++j)
        y[i][j] = (y[i][j] + z_inverse[i][j]) / 2, z[i][j] = (z[i][j] + y_inverse[i][j]) / 2;
  }
  return z;
}
/// Positive definite, with pivots that are no rounding.
bool definite(Matrix a) {
  for (std::size_t c = 0; c < a.size(); ++c) {
    if (a[c][c] < 1e-5L) return false;
    for (std::size_t i = c + 1; i < a.size(); ++i)
      for (std::size_t j = a.size(); j-- > c;) a[i][j] -= a[i][c] / a[c][c] * a[c][j];
  }
  return true;
}

/// y on 1, x, arm for participants with some of four visits.
struct LongTrial {
  std::vector<std::int32_t> id, visit;
  std::vector<double> y, x, arm;
  int participants;

  LongTrial(std::uint64_t seed, std::string_view family, int of) : participants(of) {
    Bits bits(seed);
    for (int i = 0; i < participants; ++i) {
      const int own = bits.below(3);
      for (int v = 0; v < 4; ++v) {
        if (bits.below(5) == 0) continue;
        id.push_back(i), visit.push_back(v);
        x.push_back(bits.below(9) * 0.5 + 20), arm.push_back(i % 2);
        if (family == "binomial") y.push_back(bits.below(4) + own > 2);
        else if (family == "poisson") y.push_back(bits.below(4) + own * bits.below(2));
        else y.push_back(bits.below(60) * 0.1 + own + 0.3 * x.back());
      }
    }
  }
  std::size_t size() const { return y.size(); }
};

/// A fit over all rows.
struct Dense {
  std::vector<Real> b;
  Matrix d, v_inverse, bread;
  std::vector<Real> residual;
  Real phi = 0;
  std::array<std::array<Real, 4>, 4> r{};  ///< correlation of two visits
  bool good = false;
};

std::array<std::array<Real, 4>, 4> correlations(LongTrial const& trial, std::vector<Real> const& pearson, Real phi,
                                                std::string_view kind) {
  std::array<std::array<Real, 4>, 4> r{}, sum{}, count{};
  Real all = 0, pairs = 0;
  for (std::size_t i = 0; i < trial.size(); ++i)
    for (std::size_t j = i + 1; j < trial.size(); ++j)
      if (trial.id[i] == trial.id[j]) {
        const Real product = pearson[i] * pearson[j] / phi;
        all += product, pairs += 1;
        sum[std::size_t(trial.visit[i])][std::size_t(trial.visit[j])] += product;
        count[std::size_t(trial.visit[i])][std::size_t(trial.visit[j])] += 1;
      }
  Real lag_one = 0;
  if (kind == "ar1") {
    const auto squares = [&](Real a) {
      Real total = 0;
      for (std::size_t i = 0; i < trial.size(); ++i)
        for (std::size_t j = i + 1; j < trial.size(); ++j)
          if (trial.id[i] == trial.id[j]) {
            const Real miss = pearson[i] * pearson[j] / phi - std::pow(a, Real(trial.visit[j] - trial.visit[i]));
            total += miss * miss;
          }
      return total;
    };
    Real best = 0;
    for (int i = -80; i <= 80; ++i)
      if (squares(i / 80.0L) < squares(best)) best = i / 80.0L;
    // The derivative is linear over so short a distance: secant steps on central differences of the squares.
    const auto slope = [&](Real a) { return (squares(a + 1e-5L) - squares(a - 1e-5L)) / 2e-5L; };
    Real a = best - 0.004L, c = best + 0.006L;
    for (int i = 0; i < 8 && a != c && slope(a) != slope(c); ++i) {
      const Real next = c - slope(c) * (c - a) / (slope(c) - slope(a));
      a = c, c = next;
    }
    lag_one = c;
  }
  for (std::size_t j = 0; j < 4; ++j)
    for (std::size_t k = 0; k < 4; ++k) {
      const std::size_t low = std::min(j, k), high = std::max(j, k);
      if (j == k) r[j][k] = 1;
      else if (kind == "exchangeable") r[j][k] = all / pairs;
      else if (kind == "ar1") r[j][k] = std::pow(lag_one, Real(high - low));
      else if (kind == "unstructured") r[j][k] = count[low][high] > 0 ? sum[low][high] / count[low][high] : 0;
    }
  return r;
}

Dense solve(LongTrial const& trial, std::string_view family, std::string_view kind) {
  const std::size_t n = trial.size(), p = 3;
  Dense fit;
  Real mean_y = 0;
  for (const double y : trial.y) mean_y += y / Real(n);
  fit.b = {family == "poisson" ? std::log(mean_y) : family == "binomial" ? std::log(mean_y / (1 - mean_y)) : mean_y, 0, 0};
  fit.residual.assign(n, 0);
  Real size = 1;
  for (int iteration = 0; iteration < 4000; ++iteration) {
    Matrix x = zeros(n, p), r = zeros(n, 1), v = zeros(n, n);
    fit.d = zeros(n, p);
    std::vector<Real> pearson(n), deviation(n);
    fit.phi = 0;
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = {1, trial.x[i], trial.arm[i]};
      const Real eta = fit.b[0] + fit.b[1] * x[i][1] + fit.b[2] * x[i][2];
      const Real mean = family == "gaussian" ? eta : family == "poisson" ? std::exp(eta) : 1 / (1 + std::exp(-eta));
      const Real variance = family == "gaussian" ? 1 : family == "poisson" ? mean : mean * (1 - mean);
      fit.residual[i] = r[i][0] = trial.y[i] - mean;
      deviation[i] = std::sqrt(variance);
      pearson[i] = r[i][0] / deviation[i];
      fit.phi += pearson[i] * pearson[i] / Real(n);
      for (std::size_t j = 0; j < p; ++j) fit.d[i][j] = variance * x[i][j];
    }
    fit.r = correlations(trial, pearson, fit.phi, kind);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j)
        if (trial.id[i] == trial.id[j])
          v[i][j] = deviation[i] * deviation[j] * fit.r[std::size_t(trial.visit[i])][std::size_t(trial.visit[j])];
    fit.v_inverse = inverse(v);
    const Matrix weighted = transposed(fit.d) * fit.v_inverse;
    fit.bread = inverse(weighted * fit.d);
    const Matrix step = fit.bread * (weighted * r);
    size = 0;
    for (std::size_t j = 0; j < p; ++j) {
      fit.b[j] += 0.7L * step[j][0];
      size += std::fabs(step[j][0]) / std::sqrt(fit.phi * fit.bread[j][j]);  // NaN stays
    }
    if (!(size < 1e6L)) return fit;
    if (size < 1e-15L) {
      fit.good = definite(v);
      return fit;
    }
  }
  return fit;
}

std::vector<Real> robust(LongTrial const& trial, Dense const& fit, std::string_view correction) {
  const std::size_t p = fit.b.size();
  Matrix meat = zeros(p, p);
  const Matrix h = fit.d * (fit.bread * (transposed(fit.d) * fit.v_inverse));
  for (int k = 0; k < trial.participants; ++k) {
    std::vector<std::size_t> own;
    for (std::size_t i = 0; i < trial.size(); ++i)
      if (trial.id[i] == k) own.push_back(i);
    if (own.empty()) continue;
    const std::size_t m = own.size();
    Matrix rest = zeros(m, m), r = zeros(m, 1), d = zeros(m, p), w = zeros(m, m);
    for (std::size_t i = 0; i < m; ++i) {
      r[i][0] = fit.residual[own[i]];
      d[i] = fit.d[own[i]];
      for (std::size_t j = 0; j < m; ++j) {
        rest[i][j] = (i == j ? 1 : 0) - h[own[i]][own[j]];
        w[i][j] = fit.v_inverse[own[i]][own[j]];
      }
    }
    if (correction == "mancl_derouen") r = inverse(rest) * r;
    if (correction == "kauermann_carroll") r = root_inverse(rest) * r;
    const Matrix weighted = transposed(d) * w;
    Matrix score = weighted * r;
    if (correction == "fay_graubard") {
      const Matrix q = (weighted * d) * fit.bread;
      for (std::size_t j = 0; j < p; ++j) score[j][0] /= std::sqrt(1 - std::min(0.75L, q[j][j]));
    }
    for (std::size_t i = 0; i < p; ++i)
      for (std::size_t j = 0; j < p; ++j) meat[i][j] += score[i][0] * score[j][0];
  }
  const Matrix variance = fit.bread * meat * fit.bread;
  std::vector<Real> se;
  for (std::size_t j = 0; j < p; ++j) se.push_back(std::sqrt(variance[j][j]));
  return se;
}

TEST(GeeByDenseMatrices, AgreesOnRandomTrials) {
  const At terms[] = {{{"term", Term{}}}, {{"term", Term{{"x", {}}}}}, {{"term", Term{{"arm", {}}}}}};
  for (const std::string family : {"binomial", "gaussian", "poisson"})
    for (const std::string kind : {"independence", "exchangeable", "ar1", "unstructured"}) {
      int compared = 0;
      for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        const LongTrial trial(seed * 7 + 1, family, 9 + int(seed % 3));
        const Dense fit = solve(trial, family, kind);
        std::vector<std::string> subjects;
        for (int i = 0; i < trial.participants; ++i) subjects.push_back("s" + std::to_string(i));
        Table table;
        table.numbers("y", trial.y)
            .numbers("x", trial.x)
            .numbers("arm", trial.arm)
            .category("id", subjects, trial.id)
            .category("visit", {"1", "2", "3", "4"}, trial.visit);
        for (const std::string correction : {"none", "mancl_derouen", "kauermann_carroll", "fay_graubard"}) {
          const auto got = answer<stats::Gee>(table.frame(), {{"response", {"y"}}, {"subject", {"id"}}, {"visit", {"visit"}}},
                                              {{"formula", text("x + arm")},
                                               {"family", text(family)},
                                               {"working_correlation", text(kind)},
                                               {"correction", text(correction)}});
          if (!fit.good) continue;
          ++compared;
          const std::vector<Real> se = robust(trial, fit, correction);
          // The step that ends the program's iteration is 1e-10 standard errors; near a correlation of 1 the next ones are as
          // long.
          const double tolerance = 1e-8;
          for (std::size_t j = 0; j < 3; ++j) {
            const double scale = double(std::sqrt(fit.phi * fit.bread[j][j]));
            EXPECT_NEAR(read(got, "estimate", terms[j]), double(fit.b[j]), tolerance * scale) << family << kind << seed;
            EXPECT_NEAR(read(got, "robust_se", terms[j]), double(se[j]), tolerance * scale)
                << family << kind << correction << seed;
            EXPECT_NEAR(read(got, "model_se", terms[j]), scale, tolerance * scale) << family << kind << seed;
          }
          EXPECT_NEAR(read(got, "dispersion"), double(fit.phi), tolerance * double(fit.phi));
          if (kind == "exchangeable" || kind == "ar1") {
            EXPECT_NEAR(read(got, "working_correlation"), double(fit.r[0][1]), tolerance) << family << seed;
          }
          if (kind == "unstructured") {
            EXPECT_NEAR(read(got, "working_correlation", {{"row", "2"}, {"column", "4"}}), double(fit.r[1][3]), tolerance);
          }
        }
      }
      EXPECT_GE(compared, 4 * (kind == "unstructured" ? 3 : 8)) << family << kind;  // the others have no definite correlation
    }
}

}  // namespace
}  // namespace equipoise::independent
