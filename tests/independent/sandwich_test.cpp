#include "equipoise/stats/repeated/sandwich.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "brute_force.h"
#include "equipoise/stats/repeated/linear_mixed.h"
#include "equipoise/stats/repeated/mmrm.h"
#include "equipoise/stats/testing.h"

// Sandwich covariances a second time, sharing no code with them: given the covariance that a fit reports, matrices over all rows
// in long double, the (not symmetric) roots of I - H_i by the iteration of Denman and Beavers, and degrees of freedom from the
// whole matrix G of their definition.
namespace equipoise::independent {
namespace {

using stats::testing::answer, stats::testing::Keys, stats::testing::read, stats::testing::Table, stats::testing::text,
    stats::testing::texts;
using Real = long double;
using Vector = std::vector<Real>;
using Matrix = std::vector<Vector>;

Matrix zero(std::size_t rows, std::size_t columns) { return Matrix(rows, Vector(columns, 0)); }
Matrix unit(std::size_t n) {
  Matrix one = zero(n, n);
  for (std::size_t i = 0; i < n; ++i) one[i][i] = 1;
  return one;
}
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
Matrix less(Matrix a, Matrix const& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[0].size(); ++j) a[i][j] -= b[i][j];
  return a;
}
Matrix inverse(Matrix a) {
  const std::size_t n = a.size();
  Matrix inv = unit(n);
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t best = c;
    for (std::size_t i = c; i < n; ++i)
      if (std::fabs(a[i][c]) > std::fabs(a[best][c])) best = i;
    std::swap(a[c], a[best]), std::swap(inv[c], inv[best]);
    const Real pivot = a[c][c];
    for (std::size_t j = 0; j < n; ++j) a[c][j] /= pivot, inv[c][j] /= pivot;
    for (std::size_t i = 0; i < n; ++i) {
      if (i == c) continue;
      const Real f = a[i][c];
      for (std::size_t j = 0; j < n; ++j) a[i][j] -= f * a[c][j], inv[i][j] -= f * inv[c][j];
    }
  }
  return inv;
}
/// The inverse principal root. source: Denman & Beavers (1976), Appl. Math. Comput. 2, 63-94
Matrix inverse_root(Matrix y) {
  Matrix z = unit(y.size());
  for (int step = 0; step < 60; ++step) {
    const Matrix yi = inverse(y), zi = inverse(z);
    for (std::size_t i = 0; i < y.size(); ++i)
      for (std::size_t j = 0; j < y.size(); ++j) {
        const Real both = y[i][j] + zi[i][j];
        z[i][j] = (z[i][j] + yi[i][j]) / 2;
        y[i][j] = both / 2;
      }
  }
  return z;
}
Matrix rows_of(Matrix const& a, std::vector<std::size_t> const& rows) {
  Matrix out;
  for (const std::size_t i : rows) out.push_back(a[i]);
  return out;
}
Matrix part(Matrix const& a, std::vector<std::size_t> const& at) {
  Matrix out = rows_of(a, at);
  for (Vector& row : out) {
    Vector kept;
    for (const std::size_t j : at) kept.push_back(row[j]);
    row = kept;
  }
  return out;
}

/// Long rows of a small trial with dropout and gaps: y ~ base + z + arm * visit, z changing between visits.
struct Trial {
  std::size_t people, visits, arms = 2;
  std::vector<double> y, base, z, day, weight;
  std::vector<std::int32_t> subject, visit, arm, group;

  Trial(std::uint64_t seed, std::size_t how_many, std::size_t m) : people(how_many), visits(m) {
    Bits bits(seed);
    const auto noise = [&] { return (bits.below(1000) + bits.below(1000) + bits.below(1000) - 1498.5) / 500; };
    for (std::size_t i = 0; i < people; ++i) {
      const double own_base = bits.below(40) * 0.5, level = noise(), slope = 0.3 * noise();
      const bool complete = i < people / 2;
      bool there = true;
      const auto own_arm = std::int32_t(i % 2), own_group = std::int32_t(i / 2 % 2);
      for (std::size_t j = 0; j < visits; ++j) {
        if (!complete && j > 0 && bits.below(6) == 0) there = false;
        const bool gap = bits.below(7) == 0;
        if (!complete && j > 0 && (!there || gap)) continue;
        z.push_back(bits.below(20) * 0.1 + 0.2 * double(j));
        day.push_back(double(7 * j));
        y.push_back(100 + 0.1 * own_base + 0.8 * own_arm * double(j) + 0.7 * z.back() + level + slope * double(j) +
                    noise() * (1 + 0.4 * own_arm));
        base.push_back(own_base), weight.push_back(0.5 + bits.below(8) * 0.25);
        subject.push_back(std::int32_t(i)), visit.push_back(std::int32_t(j)), arm.push_back(own_arm), group.push_back(own_group);
      }
    }
    for (std::size_t i = y.size(); i-- > 1;) {  // rows in any order
      const auto k = std::size_t(bits.below(int(i) + 1));
      for (auto* column : {&y, &base, &z, &day, &weight}) std::swap((*column)[i], (*column)[k]);
      for (auto* column : {&subject, &visit, &arm, &group}) std::swap((*column)[i], (*column)[k]);
    }
  }

  std::size_t p() const { return 3 + 1 + 2 * (visits - 1); }
  Vector row(Real own_base, Real own_z, std::size_t a, std::size_t j) const {
    Vector x{1, own_base, own_z, Real(a == 1)};
    for (std::size_t k = 1; k < visits; ++k) x.push_back(j == k);
    for (std::size_t k = 1; k < visits; ++k) x.push_back(a == 1 && j == k);
    return x;
  }
  Matrix design() const {
    Matrix x;
    for (std::size_t i = 0; i < y.size(); ++i) x.push_back(row(base[i], z[i], std::size_t(arm[i]), std::size_t(visit[i])));
    return x;
  }
  std::vector<std::vector<std::size_t>> rows() const {
    std::vector<std::vector<std::size_t>> all(people);
    for (std::size_t i = 0; i < y.size(); ++i) all[std::size_t(subject[i])].push_back(i);
    return all;
  }
  static std::string visit_name(std::size_t j) { return "V" + std::to_string(j + 1); }
  Table table() const {
    std::vector<std::string> subjects, visit_names;
    for (std::size_t i = 0; i < people; ++i) subjects.push_back("P" + std::to_string(i));
    for (std::size_t j = 0; j < visits; ++j) visit_names.push_back(visit_name(j));
    Table table;
    table.numbers("y", y).numbers("base", base).numbers("z", z).numbers("day", day).numbers("w", weight);
    table.category("subject", subjects, subject).category("visit", visit_names, visit).category("arm", {"A", "B"}, arm);
    table.category("group", {"f", "m"}, group);
    return table;
  }
  Keys keys(std::string const& covariance, std::string const& df) const {
    std::vector<std::string> visit_names;
    for (std::size_t j = 0; j < visits; ++j) visit_names.push_back(visit_name(j));
    return {{"formula", text("base + z + arm * visit")},
            {"levels", stats::testing::table({{"visit", texts(visit_names)}, {"arm", texts({"A", "B"})}})},
            {"covariance_of_estimates", text(covariance)},
            {"df", text(df)}};
  }
};

struct Asked {
  At at;
  Vector l;
};

std::vector<Asked> questions(Trial const& trial) {
  const Real n = Real(trial.y.size());
  const Real base = std::accumulate(trial.base.begin(), trial.base.end(), Real(0)) / n,
             z = std::accumulate(trial.z.begin(), trial.z.end(), Real(0)) / n;
  const std::size_t last = trial.visits - 1;
  std::vector<Asked> all;
  Vector difference = trial.row(base, z, 1, last), other = trial.row(base, z, 0, last);
  all.push_back({{{"lsmean", Term{{"arm", "A"}, {"visit", Trial::visit_name(last)}}}}, other});
  for (std::size_t c = 0; c < difference.size(); ++c) difference[c] -= other[c];
  all.push_back(
      {{{"difference", LevelDifference{"arm", "B", "A"}}, {"within", Term{{"visit", Trial::visit_name(last)}}}}, difference});
  const auto coefficient = [&](std::size_t c, Term term) {
    Vector l(trial.p(), 0);
    l[c] = 1;
    all.push_back({{{"term", std::move(term)}}, l});
  };
  coefficient(0, {});
  coefficient(1, {{"base", {}}});
  coefficient(2, {{"z", {}}});
  return all;
}

/// Everything from V and the definitions.
struct Dense {
  Matrix x, v, inv, b, bread, residual, leverage;  // leverage H over all rows
  std::vector<std::vector<std::size_t>> people;
  std::vector<Matrix> scores;  // p x n: B X_i' V_i^-1 A_i (I - H)_i, of each participant

  Dense(Trial const& trial, Matrix covariance, std::string const& kind) : x(trial.design()), v(std::move(covariance)) {
    people = trial.rows();
    const std::size_t n = x.size();
    inv = zero(n, n);
    for (auto const& rows : people) {
      const Matrix own = inverse(part(v, rows));
      for (std::size_t s = 0; s < rows.size(); ++s)
        for (std::size_t t = 0; t < rows.size(); ++t) inv[rows[s]][rows[t]] = own[s][t];
    }
    bread = inverse(times(turned(x), times(inv, x)));
    Matrix y;
    for (const double value : trial.y) y.push_back({value});
    b = times(bread, times(turned(x), times(inv, y)));
    residual = less(y, times(x, b));
    leverage = times(x, times(bread, times(turned(x), inv)));
    const Matrix rest = less(unit(n), leverage);
    for (auto const& rows : people) {
      const Matrix own = part(rest, rows);
      const Matrix a = kind == "cr0" ? unit(rows.size()) : kind == "cr2" ? inverse_root(own) : inverse(own);
      scores.push_back(times(bread, times(turned(rows_of(x, rows)), times(part(inv, rows), times(a, rows_of(rest, rows))))));
    }
  }

  Matrix covariance(Trial const& trial) const {
    Matrix y, sum = zero(x[0].size(), x[0].size());
    for (const double value : trial.y) y.push_back({value});
    for (Matrix const& score : scores) {
      const Matrix u = times(score, y);  // (I - H) y are the residuals
      const Matrix square = times(u, turned(u));
      for (std::size_t i = 0; i < sum.size(); ++i)
        for (std::size_t j = 0; j < sum.size(); ++j) sum[i][j] += square[i][j];
    }
    return sum;
  }
  Real df(Vector const& l) const {
    std::vector<Matrix> g;
    for (Matrix const& score : scores) g.push_back(times({l}, score));  // 1 x n
    Real trace = 0, squares = 0;
    for (std::size_t i = 0; i < g.size(); ++i) {
      const Matrix gv = times(g[i], v);
      for (std::size_t j = 0; j < g.size(); ++j) {
        const Real entry = times(gv, turned(g[j]))[0][0];
        if (i == j) trace += entry;
        squares += entry * entry;
      }
    }
    return trace * trace / squares;
  }
};

Real form(Vector const& l, Matrix const& m) { return times({l}, times(m, turned(Matrix{l})))[0][0]; }

/// The optimum moves b by rounding only, as V is that of the fit; eigenvalues of I - H near 0 may cost a few digits of it.
constexpr double digits = 1e-8;

void expect_close(double got, Real expected, std::string const& what) {
  EXPECT_NEAR(got, double(expected), digits * std::max(1.0, std::abs(double(expected)))) << what;
}

template <class Covariance>
void compare(Trial const& trial, std::string const& kind, Expected<stats::Answer> const& got, Covariance const& covariance,
             std::string const& name) {
  ASSERT_TRUE(got) << name << ": " << got.error().message;
  const Dense dense(trial, covariance(), kind);
  const Matrix of_b = dense.covariance(trial);
  for (Asked const& one : questions(trial)) {
    expect_close(read(got, "estimate", one.at), times({one.l}, dense.b)[0][0], name + " estimate");
    expect_close(read(got, "se", one.at), std::sqrt(form(one.l, of_b)), name + " se");
    expect_close(read(got, "df", one.at), dense.df(one.l), name + " df");
  }
  Matrix l;  // the interaction
  for (std::size_t k = 1; k < trial.visits; ++k) {
    l.emplace_back(trial.p(), 0);
    l.back()[3 + trial.visits - 1 + k] = 1;
  }
  const Matrix lb = times(l, dense.b);
  const Real f = times(turned(lb), times(inverse(times(l, times(of_b, turned(l)))), lb))[0][0] / Real(l.size());
  expect_close(read(got, "f", {{"effect", Term{{"arm", {}}, {"visit", {}}}}}), f, name + " F");
}

class SandwichByDenseMatrices : public ::testing::TestWithParam<std::string> {};

TEST_P(SandwichByDenseMatrices, AgreesForTheMixedModelForRepeatedMeasures) {
  std::uint64_t seed = 31;
  for (const std::string structure : {"unstructured", "heterogeneous_toeplitz", "ar1", "compound_symmetry"})
    for (const bool weighted : {false, true})
      for (const bool two : {false, true}) {
        const Trial trial(seed++, two ? 26 : 18, structure == "ar1" ? 4 : 3);
        Keys keys = trial.keys(GetParam(), "satterthwaite");
        keys.emplace_back("covariance", text(structure));
        if (two) keys.emplace_back("covariance_by", text("group"));
        stats::Roles roles{{"response", {"y"}}, {"subject", {"subject"}}, {"visit", {"visit"}}};
        if (weighted) roles["weight"] = {"w"};
        Table table = trial.table();
        const auto got = answer<stats::Mmrm>(table.frame(), roles, keys);
        const auto sigma = [&](std::size_t r, std::size_t s) {
          At at{{"row", Trial::visit_name(std::size_t(trial.visit[r]))},
                {"column", Trial::visit_name(std::size_t(trial.visit[s]))}};
          if (two) at["within"] = Term{{"group", trial.group[r] ? "m" : "f"}};
          const Real value = read(got, "covariance", at);
          return weighted ? value / std::sqrt(Real(trial.weight[r]) * Real(trial.weight[s])) : value;
        };
        const auto covariance = [&] {
          Matrix v = zero(trial.y.size(), trial.y.size());
          for (auto const& rows : trial.rows())
            for (const std::size_t r : rows)
              for (const std::size_t s : rows) v[r][s] = sigma(r, s);
          return v;
        };
        compare(trial, GetParam(), got, covariance,
                fmt::format("{} {}{}{}", GetParam(), structure, weighted ? " weighted" : "", two ? " two" : ""));
      }
}

TEST_P(SandwichByDenseMatrices, AgreesForTheLinearMixedModel) {
  std::uint64_t seed = 71;
  for (std::vector<std::string> const& random : {std::vector<std::string>{"1"}, std::vector<std::string>{"1", "day"}})
    for (int repeat = 0; repeat < 3; ++repeat) {
      const Trial trial(seed++, 20, 4);
      Keys keys = trial.keys(GetParam(), "satterthwaite");
      keys.emplace_back("random", texts(random));
      Table table = trial.table();
      const auto got = answer<stats::LinearMixed>(table.frame(), {{"response", {"y"}}, {"subject", {"subject"}}}, keys);
      const auto covariance = [&] {
        Matrix v = zero(trial.y.size(), trial.y.size());
        const Real residual = read(got, "residual_variance");
        for (auto const& rows : trial.rows())
          for (const std::size_t r : rows)
            for (const std::size_t s : rows) {
              const auto z = [&](std::size_t a, std::size_t row) { return a == 0 ? Real(1) : Real(trial.day[row]); };
              for (std::size_t a = 0; a < random.size(); ++a)
                for (std::size_t b = 0; b < random.size(); ++b)
                  v[r][s] += z(a, r) * z(b, s) * read(got, "random_covariance", {{"row", random[a]}, {"column", random[b]}});
              if (r == s) v[r][s] += residual;
            }
        return v;
      };
      compare(trial, GetParam(), got, covariance, fmt::format("{} {} random effects {}", GetParam(), random.size(), repeat));
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, SandwichByDenseMatrices, ::testing::Values("cr0", "cr2", "cr3"));

}  // namespace
}  // namespace equipoise::independent
