#include "equipoise/stats/repeated/visit_likelihood.h"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>

#include "equipoise/stats/repeated/covariance.h"
#include "equipoise/stats/repeated/visit_testing.h"

namespace equipoise::stats {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;
using testing::formula, testing::long_rows, testing::LongRows, testing::Table, testing::visit_roles;
using Curvature = VisitLikelihood::Curvature;

/// The folded data participant by participant, as dense matrices.
class Dense {
 public:
  Dense(VisitData const& data, std::vector<double> const& sigma, bool restricted) : restricted_(restricted), m_(data.m()) {
    for (std::size_t i = 0; i < data.n(); ++i) {
      Person one;
      one.block = data.patterns[data.pattern_of[i]].block;
      for (std::size_t j = 0; j < m_; ++j)
        if (data.row_of[i * m_ + j] >= 0) one.seen.push_back(j);
      const auto n = Index(one.seen.size());
      one.x = MatrixXd::Zero(n, Index(data.p()));
      one.y = VectorXd(n);
      for (Index s = 0; s < n; ++s) {
        const std::size_t j = one.seen[std::size_t(s)];
        one.y[s] = data.y[i * m_ + j];
        for (std::size_t c = 0; c < data.p(); ++c)
          for (VisitData::Piece const& piece : data.columns[c])
            if (piece.visit == VisitData::every_visit || std::size_t(piece.visit) == j)
              one.x(s, Index(c)) += data.u[i * data.covariates + piece.covariate];
      }
      people.push_back(std::move(one));
    }
    at(sigma);
  }

  /// X' W E W F W ... X of everybody, E being given on all visits; nothing for X' W X.
  MatrixXd sandwich(std::vector<std::pair<MatrixXd, std::size_t>> const& middle) const {
    MatrixXd sum = MatrixXd::Zero(phi.rows(), phi.rows());
    for (Person const& one : people) {
      MatrixXd right = one.w * one.x;
      bool own = true;
      for (auto it = middle.rbegin(); it != middle.rend(); ++it) {
        own = own && it->second == one.block;
        right = one.w* restrict(it->first, one) * right;
      }
      if (own) sum += one.x.transpose() * right;
    }
    return sum;
  }
  /// dSigma / d element s of a block.
  MatrixXd unit(std::size_t s) const {
    MatrixXd d = MatrixXd::Zero(Index(m_), Index(m_));
    std::size_t j = 0;
    while (packed(j, j) < s) ++j;
    const std::size_t k = s - packed(j, 0);
    d(Index(j), Index(k)) = d(Index(k), Index(j)) = 1;
    return d;
  }
  double expected_information(std::size_t s, std::size_t t, std::size_t block) const {
    double sum = 0;
    for (Person const& one : people)
      if (one.block == block) sum += (one.w* restrict(unit(s), one) * one.w* restrict(unit(t), one)).trace();
    return sum;
  }

  void at(std::vector<double> const& sigma) {
    const auto p = people.front().x.cols();
    MatrixXd a = MatrixXd::Zero(p, p);
    VectorXd rhs = VectorXd::Zero(p);
    double logs = 0, squares = 0;
    for (Person& one : people) {
      MatrixXd full = MatrixXd::Zero(Index(m_), Index(m_));
      for (std::size_t j = 0; j < m_; ++j)
        for (std::size_t k = 0; k < m_; ++k) full(Index(j), Index(k)) = sigma[one.block * packed_size(m_) + packed(j, k)];
      const MatrixXd v = restrict(full, one);
      one.w = v.inverse();
      logs += std::log(v.determinant());
      a += one.x.transpose() * one.w * one.x;
      rhs += one.x.transpose() * one.w * one.y;
      squares += one.y.dot(one.w * one.y);
    }
    phi = a.inverse();
    b = phi * rhs;
    value = logs + squares - b.dot(rhs) + (restricted_ ? std::log(a.determinant()) : 0.0);
  }

  struct Person {
    std::size_t block = 0;
    std::vector<std::size_t> seen;
    MatrixXd x, w;
    VectorXd y;
  };
  std::vector<Person> people;
  MatrixXd phi;
  VectorXd b;
  double value = 0;

 private:
  MatrixXd restrict(MatrixXd const& full, Person const& one) const {
    MatrixXd v(Index(one.seen.size()), Index(one.seen.size()));
    for (Index s = 0; s < v.rows(); ++s)
      for (Index t = 0; t < v.rows(); ++t) v(s, t) = full(Index(one.seen[std::size_t(s)]), Index(one.seen[std::size_t(t)]));
    return v;
  }
  bool restricted_;
  std::size_t m_;
};

struct Asked {
  std::string name, formula;
  bool restricted, weights, split;
  std::size_t visits = 4;
};

/// A folded trial at a Sigma that is not its optimum.
struct Case {
  VisitData data;
  std::vector<double> sigma;

  explicit Case(Asked const& asked) {
    const LongRows rows = long_rows({.seed = 17, .people = 22, .visits = asked.visits, .arms = 3, .dropout = 0.1, .gaps = 0.1});
    std::vector<double> positive;
    for (const double z : rows.z) positive.push_back(std::exp(0.5 * z));
    Table table = rows.table();
    table.numbers("v", positive);
    VisitRoles roles = visit_roles;
    if (asked.weights) roles.weight = "v";
    if (asked.split) roles.covariance_by = "site";
    auto folded = fold_visits(table.frame(), formula(asked.formula), roles);
    EXPECT_TRUE(folded);
    data = std::move(*folded);
    const std::size_t m = data.m();
    for (std::size_t block = 0; block < data.blocks.size(); ++block)
      for (std::size_t j = 0; j < m; ++j)
        for (std::size_t k = 0; k <= j; ++k)
          sigma.push_back((j == k ? 1.0 + 0.1 * double(j) : 0.5 / double(j - k + 1)) * (1 + 0.2 * double(block)));
  }
};

class VisitLikelihoodOf : public ::testing::TestWithParam<Asked> {};

TEST_P(VisitLikelihoodOf, IsTheDenseOne) {
  const Case it(GetParam());
  const Dense dense(it.data, it.sigma, GetParam().restricted);
  VisitLikelihood likelihood(it.data, GetParam().restricted);
  ASSERT_EQ(likelihood.elements(), it.sigma.size());
  ASSERT_TRUE(likelihood.evaluate(it.sigma));
  const double rounding = 1e-11;  // sums of a hundred products, inverses of condition 1e3
  EXPECT_NEAR(likelihood.value(), dense.value, rounding * std::abs(dense.value));
  EXPECT_EQ(likelihood.observations(), it.data.observations);
  EXPECT_EQ(likelihood.participants(), it.data.n());
  const std::size_t p = it.data.p();
  for (std::size_t c = 0; c < p; ++c) {
    EXPECT_NEAR(likelihood.b()[c], dense.b[Index(c)], rounding * (1 + dense.b.norm()));
    for (std::size_t d = 0; d < p; ++d)
      EXPECT_NEAR(likelihood.phi()[c * p + d], dense.phi(Index(c), Index(d)), rounding * dense.phi.norm());
  }
  EXPECT_NEAR(likelihood.log_determinant(), -std::log(dense.phi.determinant()), rounding * 100);
}

// Central differences of fourth order with h = 1e-3: truncation 1e-12 times a fifth derivative that reaches 1e3, rounding
// 1e-13/h.
TEST_P(VisitLikelihoodOf, HasItsDerivatives) {
  const Case it(GetParam());
  VisitLikelihood likelihood(it.data, GetParam().restricted);
  const std::size_t elements = it.sigma.size();
  ASSERT_TRUE(likelihood.evaluate(it.sigma));
  const std::span<const double> made = likelihood.gradient();
  const std::vector<double> gradient(made.begin(), made.end());
  std::vector<double> hessian(elements * elements);
  likelihood.hessian(Curvature::exact, hessian);
  double size = 0;
  for (const double one : hessian) size = std::max(size, std::abs(one));
  const double h = 1e-3;
  for (std::size_t s = 0; s < elements; ++s) {
    double slope = 0;
    std::vector<double> second(elements, 0.0), at = it.sigma;
    for (const auto& [step, weight] : {std::pair(-2, 1.0), std::pair(-1, -8.0), std::pair(1, 8.0), std::pair(2, -1.0)}) {
      at[s] = it.sigma[s] + step * h;
      ASSERT_TRUE(likelihood.evaluate(at));
      slope += weight * likelihood.value() / (12 * h);
      const std::span<const double> own = likelihood.gradient();
      for (std::size_t t = 0; t < elements; ++t) second[t] += weight * own[t] / (12 * h);
    }
    EXPECT_NEAR(gradient[s], slope, 1e-8 * size) << s;
    for (std::size_t t = 0; t < elements; ++t) EXPECT_NEAR(hessian[s * elements + t], second[t], 1e-8 * size) << s << " " << t;
  }
}

// After `near` and `expected` an exact Hessian is still exact: the first takes something out of what both read.
TEST_P(VisitLikelihoodOf, GivesTheSameHessianInAnyOrder) {
  const Case it(GetParam());
  VisitLikelihood likelihood(it.data, GetParam().restricted);
  const std::size_t elements = it.sigma.size();
  std::vector<double> first(elements * elements), again = first, near = first, expected = first;
  ASSERT_TRUE(likelihood.evaluate(it.sigma));
  likelihood.gradient();
  likelihood.hessian(Curvature::exact, first);
  ASSERT_TRUE(likelihood.evaluate(it.sigma));
  likelihood.gradient();
  likelihood.hessian(Curvature::near, near);
  likelihood.hessian(Curvature::expected, expected);
  likelihood.hessian(Curvature::exact, again);
  EXPECT_EQ(first, again);
  for (std::size_t s = 0; s < elements; ++s)
    for (std::size_t t = 0; t < elements; ++t) {
      EXPECT_NEAR(near[s * elements + t], near[t * elements + s], 1e-12 * std::abs(near[s * elements + s]));
      if (!GetParam().restricted) {
        EXPECT_NEAR(near[s * elements + t], first[s * elements + t], 1e-12 * std::abs(first[s * elements + s]));
      }
    }
  const Dense dense(it.data, it.sigma, GetParam().restricted);
  const std::size_t each = packed_size(it.data.m());
  for (std::size_t s = 0; s < elements; ++s)
    for (std::size_t t = 0; t < elements; ++t)
      EXPECT_NEAR(expected[s * elements + t],
                  s / each == t / each ? dense.expected_information(s % each, t % each, s / each) : 0.0, 1e-9);
}

TEST_P(VisitLikelihoodOf, LeavesWhatDegreesOfFreedomNeed) {
  const Case it(GetParam());
  const Dense dense(it.data, it.sigma, GetParam().restricted);
  VisitLikelihood likelihood(it.data, GetParam().restricted);
  const std::size_t elements = it.sigma.size(), each = packed_size(it.data.m()), p = it.data.p();
  ASSERT_TRUE(likelihood.evaluate(it.sigma));
  likelihood.gradient();
  std::vector<double> hessian(elements * elements), a(elements * elements), e(elements);
  likelihood.hessian(Curvature::exact, hessian);
  const auto compare = [&](std::span<const double> got, MatrixXd const& expected) {
    ASSERT_EQ(got.size(), p * p);
    for (std::size_t c = 0; c < p; ++c)
      for (std::size_t d = 0; d < p; ++d)
        EXPECT_NEAR(got[c * p + d], expected(Index(c), Index(d)), 1e-11 * (1 + expected.norm()));
  };
  const std::span<const double> slopes = likelihood.slopes();
  ASSERT_EQ(slopes.size(), elements * packed_size(p));
  for (std::size_t s = 0; s < elements; ++s) {
    std::vector<double> full(p * p);
    for (std::size_t c = 0; c < p; ++c)
      for (std::size_t d = 0; d < p; ++d) full[c * p + d] = slopes[s * packed_size(p) + packed(c, d)];
    compare(full, dense.sandwich({{dense.unit(s % each), s / each}}));
  }

  for (std::size_t s = 0; s < elements; ++s) {
    e[s] = std::sin(double(s));
    for (std::size_t t = 0; t <= s; ++t) a[s * elements + t] = a[t * elements + s] = std::cos(double(3 * s + t));
  }
  MatrixXd products = MatrixXd::Zero(Index(p), Index(p)), one = products;
  for (std::size_t s = 0; s < elements; ++s) {
    one += e[s] * dense.sandwich({{dense.unit(s % each), s / each}});
    for (std::size_t t = 0; t < elements; ++t)
      if (s / each == t / each)
        products += a[s * elements + t] * dense.sandwich({{dense.unit(s % each), s / each}, {dense.unit(t % each), t / each}});
  }
  compare(likelihood.product(e), one);
  compare(likelihood.second_products(a), products);
}

// `bare` less the traces along each element is `exact`, and the variance of l'b turns as the slopes say: two ways to the same
// sums, apart by the rounding of a few hundred products.
TEST_P(VisitLikelihoodOf, KnowsOneDirectionWithoutTheOthers) {
  const Case it(GetParam());
  VisitLikelihood likelihood(it.data, GetParam().restricted);
  const std::size_t elements = it.sigma.size(), p = it.data.p();
  std::vector<double> exact(elements * elements), bare = exact, x(elements), along(elements), slope(elements), l(p);
  ASSERT_TRUE(likelihood.evaluate(it.sigma));
  likelihood.gradient();
  likelihood.hessian(Curvature::near, bare);  // leaves a stand-in that `bare` must take back
  likelihood.hessian(Curvature::bare, bare);
  likelihood.hessian(Curvature::exact, exact);
  for (std::size_t s = 0; s < elements; ++s) x[s] = std::sin(double(2 * s + 1));
  likelihood.traces(x, along);
  for (std::size_t s = 0; s < elements; ++s) {
    double whole = 0, rest = 0, size = 0;
    for (std::size_t t = 0; t < elements; ++t) {
      whole += exact[s * elements + t] * x[t];
      rest += bare[s * elements + t] * x[t];
      size += std::abs(bare[s * elements + t] * x[t]);
    }
    EXPECT_NEAR(whole, GetParam().restricted ? rest - along[s] : rest, 1e-12 * size) << s;
  }
  const std::span<const double> phi = likelihood.phi(), slopes = likelihood.slopes();
  std::vector<double> u(p, 0.0);
  for (std::size_t c = 0; c < p; ++c) l[c] = std::cos(double(c));
  for (std::size_t c = 0; c < p; ++c)
    for (std::size_t d = 0; d < p; ++d) u[c] += phi[c * p + d] * l[d];
  likelihood.variance_slope(l, slope);
  for (std::size_t s = 0; s < elements; ++s) {
    double expected = 0, size = 0;
    for (std::size_t c = 0; c < p; ++c)
      for (std::size_t d = 0; d < p; ++d) {
        const double one = u[c] * slopes[s * packed_size(p) + packed(std::max(c, d), std::min(c, d))] * u[d];
        expected += one;
        size += std::abs(one);
      }
    EXPECT_NEAR(slope[s], expected, 1e-12 * size) << s;
  }
}

TEST_P(VisitLikelihoodOf, LeavesAParticipantOutAndPutsThemBack) {
  const Case it(GetParam());
  VisitLikelihood likelihood(it.data, GetParam().restricted);
  ASSERT_TRUE(likelihood.evaluate(it.sigma));
  const double all = likelihood.value();
  for (std::size_t i = 0; i < it.data.n(); i += 3) {
    Dense dense(it.data, it.sigma, GetParam().restricted);
    const std::size_t rows = dense.people[i].seen.size();
    dense.people.erase(dense.people.begin() + std::ptrdiff_t(i));
    dense.at(it.sigma);
    likelihood.leave_out(i);
    EXPECT_EQ(likelihood.participants(), it.data.n() - 1);
    EXPECT_EQ(likelihood.observations(), it.data.observations - rows);
    if (!dense.phi.allFinite() || dense.phi.norm() > 1e8) {  // nobody else tells some coefficient
      EXPECT_FALSE(likelihood.evaluate(it.sigma)) << i;
    } else {
      ASSERT_TRUE(likelihood.evaluate(it.sigma)) << i;
      EXPECT_NEAR(likelihood.value(), dense.value, 1e-10 * std::abs(dense.value));
      for (std::size_t c = 0; c < it.data.p(); ++c)
        EXPECT_NEAR(likelihood.b()[c], dense.b[Index(c)], 1e-10 * (1 + dense.b.norm()));
    }
    likelihood.put_back(i);
    ASSERT_TRUE(likelihood.evaluate(it.sigma));
    EXPECT_NEAR(likelihood.value(), all, 1e-12 * std::abs(all));
  }
}

INSTANTIATE_TEST_SUITE_P(Models, VisitLikelihoodOf,
                         ::testing::Values(Asked{"reml", "base + arm * visit", true, false, false},
                                           Asked{"ml", "base + arm * visit", false, false, false},
                                           Asked{"changing", "z * visit + arm", true, false, false},
                                           Asked{"weights", "base + arm * visit", true, true, false},
                                           Asked{"split", "base + arm + visit", true, false, true},
                                           Asked{"split_ml", "arm + z", false, true, true},
                                           Asked{"two_visits", "arm * visit", true, false, false, 2},
                                           Asked{"one_visit", "arm + base", true, false, false, 1},
                                           Asked{"five_visits", "visit", true, false, false, 5}),
                         [](auto const& one) { return one.param.name; });

TEST(VisitLikelihood, RefusesASigmaThatIsNoCovariance) {
  const Case it({"reml", "arm * visit", true, false, false});
  VisitLikelihood likelihood(it.data, true);
  std::vector<double> sigma = it.sigma;
  sigma[packed(2, 0)] = 5;
  EXPECT_FALSE(likelihood.evaluate(sigma));
  sigma = it.sigma;
  sigma[0] = 0;
  EXPECT_FALSE(likelihood.evaluate(sigma));
  sigma[0] = missing_number;
  EXPECT_FALSE(likelihood.evaluate(sigma));
  EXPECT_TRUE(likelihood.evaluate(it.sigma));
}

// Without the only participant of a site, or the only one whose covariate differs, a coefficient has no information; rounding
// must not pass for some.
TEST(VisitLikelihood, RefusesACoefficientThatNobodyTells) {
  const std::vector<double> sigma{1, 0.5, 1, 0.4, 0.5, 1, 0.3, 0.4, 0.5, 1};
  for (std::int32_t who = 0; who < 20; ++who)
    for (const bool covariate : {false, true}) {
      LongRows rows = long_rows({.people = 20});
      for (std::size_t i = 0; i < rows.size(); ++i) {
        rows.site[i] = rows.subject[i] == who ? 2 : rows.subject[i] % 2;
        rows.z[i] = rows.subject[i] == who ? 5 : 0.3 + 0.1 * who;
      }
      const auto data =
          fold_visits(rows.table().frame(), formula(covariate ? "z + base * visit" : "site + base * visit"), visit_roles);
      ASSERT_TRUE(data);
      VisitLikelihood likelihood(*data, true);
      ASSERT_TRUE(likelihood.evaluate(sigma));
      likelihood.leave_out(std::size_t(who));
      EXPECT_FALSE(likelihood.evaluate(sigma)) << who << " " << covariate;
      likelihood.put_back(std::size_t(who));
      EXPECT_TRUE(likelihood.evaluate(sigma));
    }
}

TEST(VisitLikelihood, KnowsTheMomentsOfTheResiduals) {
  const Case it({"reml", "arm * visit", true, false, true});
  const VisitLikelihood likelihood(it.data, true);
  std::vector<double> means(it.sigma.size()), counts = means;
  likelihood.moments(means, counts);
  const std::size_t m = it.data.m();
  for (std::size_t block = 0; block < it.data.blocks.size(); ++block)
    for (std::size_t j = 0; j < m; ++j)
      for (std::size_t k = 0; k <= j; ++k) {
        double sum = 0, count = 0;
        for (std::size_t i = 0; i < it.data.n(); ++i) {
          if (it.data.patterns[it.data.pattern_of[i]].block != block || it.data.row_of[i * m + j] < 0 ||
              it.data.row_of[i * m + k] < 0)
            continue;
          sum += it.data.y[i * m + j] * it.data.y[i * m + k];
          count += 1;
        }
        EXPECT_EQ(counts[block * packed_size(m) + packed(j, k)], count);
        EXPECT_NEAR(means[block * packed_size(m) + packed(j, k)], count > 0 ? sum / count : 0.0, 1e-13);
      }
}

}  // namespace
}  // namespace equipoise::stats
