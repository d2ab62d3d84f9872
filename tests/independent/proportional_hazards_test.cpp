// The test of proportional hazards derived again. The extended model, with x g(t) as a covariate that changes with time, is
// written out by splitting: at each event time every participant at risk gives a row with the covariates of that moment. Its log
// partial likelihood is a sum over such tables; its score and information are differences of that sum in quadruple steps, no
// derivative being worked out. The fit maximises the same sum by bisection (one covariate) or by Newton's method on differences
// (two).
#include "equipoise/stats/survival/proportional_hazards.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "brute_force.h"
#include "equipoise/stats/testing.h"

namespace equipoise::independent {
namespace {

using stats::testing::read, stats::testing::Table, stats::testing::text;
using Real = long double;  // second differences of a step h leave rounding/h^2
using Vector = std::vector<Real>;
using Matrix = std::vector<Vector>;

struct Trial {
  SmallTrial data;
  std::vector<double> x2;
  bool late, breslow;
  std::string transform;
  std::size_t p;

  Real x(std::size_t i, std::size_t j) const { return j == 0 ? data.x[i] : x2[i]; }

  Real g(double t) const {
    if (transform == "identity") return t;
    if (transform == "log") return std::log(Real(t));
    if (transform == "rank") {  // mean of the places that the time takes among all
      Real before = 0, here = 0;
      for (const double s : data.time) before += s < t, here += s == t;
      return before + (here + 1) / 2;
    }
    Real survival = 1;
    for (const double s : std::set<double>(data.time.begin(), data.time.end())) {
      if (s >= t) break;
      Real n = 0, d = 0;
      for (std::size_t i = 0; i < data.size(); ++i)
        n += (!late || data.start[i] < s) && data.time[i] >= s, d += data.time[i] == s && data.event[i] == 1;
      survival *= 1 - d / n;
    }
    return 1 - survival;
  }

  /// Log partial likelihood at coefficients of x, then of x g(t) less its mean over the events.
  Real log_likelihood(Vector const& b, Real centre) const {
    Real total = 0;
    for (const int stratum : std::set<std::int32_t>(data.stratum.begin(), data.stratum.end()))
      for (const double t : std::set<double>(data.time.begin(), data.time.end())) {
        Real at_risk = 0, of_events = 0, d = 0;
        const Real now = g(t) - centre;
        for (std::size_t i = 0; i < data.size(); ++i) {
          if (data.stratum[i] != stratum || data.time[i] < t || (late && data.start[i] >= t)) continue;
          Real predictor = 0;
          for (std::size_t j = 0; j < p; ++j) predictor += (b[j] + b[p + j] * now) * x(i, j);
          at_risk += std::exp(predictor);
          if (data.time[i] == t && data.event[i] == 1) ++d, of_events += std::exp(predictor), total += predictor;
        }
        for (Real l = 0; l < d; ++l) total -= std::log(at_risk - (breslow ? 0 : l / d * of_events));
      }
    return total;
  }
};

/// Central differences with Richardson's step: errors of order h^4.
template <class F>
Real slope(F f, Real h) {
  const auto once = [&](Real step) { return (f(step) - f(-step)) / (2 * step); };
  return (4 * once(h / 2) - once(h)) / 3;
}
Vector gradient(Trial const& trial, Vector const& b, Real centre) {
  Vector out;
  for (std::size_t j = 0; j < b.size(); ++j)
    out.push_back(slope(
        [&](Real step) {
          Vector moved = b;
          moved[j] += step;
          return trial.log_likelihood(moved, centre);
        },
        1e-3L));
  return out;
}
Matrix information(Trial const& trial, Vector const& b, Real centre) {
  Matrix out;
  for (std::size_t j = 0; j < b.size(); ++j) {
    out.emplace_back();
    for (std::size_t k = 0; k < b.size(); ++k)
      out[j].push_back(-slope(
          [&](Real one) {
            return slope(
                [&](Real two) {
                  Vector moved = b;
                  moved[j] += one, moved[k] += two;
                  return trial.log_likelihood(moved, centre);
                },
                2e-3L);
          },
          2e-3L));
  }
  return out;
}
Vector solved(Matrix a, Vector b) {  // Gauss with the largest pivot
  const std::size_t n = b.size();
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t pivot = c;
    for (std::size_t r = c + 1; r < n; ++r)
      if (std::abs(a[r][c]) > std::abs(a[pivot][c])) pivot = r;
    std::swap(a[c], a[pivot]), std::swap(b[c], b[pivot]);
    for (std::size_t r = 0; r < n; ++r) {
      if (r == c) continue;
      const Real part = a[r][c] / a[c][c];
      for (std::size_t k = c; k < n; ++k) a[r][k] -= part * a[c][k];
      b[r] -= part * b[c];
    }
  }
  for (std::size_t c = 0; c < n; ++c) b[c] /= a[c][c];
  return b;
}

/// Score test of the coefficients `tested` of x g(t), at the fit.
Real chi_square(Trial const& trial, Vector const& b, Real centre, std::vector<std::size_t> const& tested) {
  const Vector score = gradient(trial, b, centre);
  const Matrix all = information(trial, b, centre);
  std::vector<std::size_t> kept;
  for (std::size_t j = 0; j < trial.p; ++j) kept.push_back(j);
  for (const std::size_t j : tested) kept.push_back(trial.p + j);
  Matrix part;
  Vector u;
  for (const std::size_t j : kept) {
    part.emplace_back();
    for (const std::size_t k : kept) part.back().push_back(all[j][k]);
    u.push_back(j < trial.p ? 0 : score[j]);
  }
  const Vector solution = solved(part, u);
  Real form = 0;
  for (std::size_t j = 0; j < u.size(); ++j) form += u[j] * solution[j];
  return form;
}

TEST(ProportionalHazardsBySplitting, AgreesOnRandomTrials) {
  int compared = 0;
  const char* transforms[] = {"km", "identity", "rank", "log"};
  for (std::uint64_t seed = 900; seed < 932; ++seed) {
    Trial trial{SmallTrial(seed, 16 + int(seed % 9), 2, 1 + int(seed % 2), seed % 4 == 1),
                {},
                seed % 4 == 1,
                seed % 3 == 0,
                transforms[seed % 4 == 1 ? seed / 4 % 4 : seed / 2 % 4],
                1 + std::size_t(seed % 5 != 0)};
    Bits bits(seed + 5000);
    for (std::size_t i = 0; i < trial.data.size(); ++i) trial.x2.push_back(bits.below(5) * 0.25);
    Table table;
    table.numbers("t", trial.data.time)
        .numbers("e", trial.data.event)
        .numbers("s", trial.data.start)
        .numbers("x", trial.data.x)
        .numbers("w", trial.x2)
        .category("stratum", {"p", "q"}, trial.data.stratum);
    stats::Roles roles{{"time", {"t"}}, {"event", {"e"}}, {"strata", {"stratum"}}};
    if (trial.late) roles["start"] = {"s"};
    const auto got = stats::testing::answer<stats::ProportionalHazardsTest>(table.frame(), roles,
                                                                            {{"formula", text(trial.p == 1 ? "x" : "x + w")},
                                                                             {"ties", text(trial.breslow ? "breslow" : "efron")},
                                                                             {"transform", text(trial.transform)}});
    ASSERT_TRUE(got) << got.error().message;

    Real centre = 0, events = 0;
    for (std::size_t i = 0; i < trial.data.size(); ++i)
      if (trial.data.event[i] == 1) ++events, centre += trial.g(trial.data.time[i]);
    centre /= events;
    Vector b(2 * trial.p, 0);
    for (int step = 0; step < 12; ++step) {  // Newton in the coefficients of x alone
      const Vector all = gradient(trial, b, centre);
      const Matrix whole = information(trial, b, centre);
      Matrix part;
      for (std::size_t j = 0; j < trial.p; ++j) part.emplace_back(whole[j].begin(), whole[j].begin() + std::ptrdiff_t(trial.p));
      const Vector move = solved(part, Vector(all.begin(), all.begin() + std::ptrdiff_t(trial.p)));
      for (std::size_t j = 0; j < trial.p; ++j) b[j] += move[j];
    }
    const At global{{"global", std::string("all")}};
    const std::string where = fmt::format("seed {}, {}", seed, trial.transform);
    const char* names[] = {"x", "w"};
    std::vector<std::size_t> all;
    for (std::size_t j = 0; j < trial.p; ++j) {
      all.push_back(j);
      const double value = double(chi_square(trial, b, centre, {j}));
      // Richardson's error h^4 = 1e-11 times fifth derivatives of some hundreds, through an inverse
      EXPECT_NEAR(read(got, "chi_square", stats::testing::term(names[j])), value, 1e-6 * (1 + value)) << where;
      ++compared;
    }
    const double value = double(chi_square(trial, b, centre, all));
    EXPECT_NEAR(read(got, "chi_square", global), value, 1e-6 * (1 + value)) << where;
    EXPECT_EQ(read(got, "df", global), double(trial.p));
  }
  EXPECT_GE(compared, 50);
}

}  // namespace
}  // namespace equipoise::independent
