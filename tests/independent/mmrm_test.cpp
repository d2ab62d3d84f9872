#include "equipoise/stats/repeated/mmrm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include "brute_force.h"
#include "equipoise/stats/testing.h"

// The mixed model for repeated measures a second time, sharing no code with it: a dense V for every participant from the formulas
// of its structure, X as it is written, long double throughout, maximisation by BFGS and every derivative (of the likelihood, of
// V and of V^-1) by differences of sixth order. Satterthwaite and Kenward-Roger as their papers write them, with triple sums.
namespace equipoise::independent {
namespace {

using stats::testing::answer, stats::testing::Keys, stats::testing::read, stats::testing::Table, stats::testing::text,
    stats::testing::texts;
using Real = long double;
using Vector = std::vector<Real>;
using Matrix = std::vector<Vector>;

Matrix zero(std::size_t rows, std::size_t columns) { return Matrix(rows, Vector(columns, 0)); }

Matrix operator*(Matrix const& a, Matrix const& b) {
  Matrix out = zero(a.size(), b[0].size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t k = 0; k < b.size(); ++k)
      for (std::size_t j = 0; j < b[0].size(); ++j) out[i][j] += a[i][k] * b[k][j];
  return out;
}

Matrix combine(Real wa, Matrix const& a, Real wb, Matrix const& b) {
  Matrix out = a;
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[i].size(); ++j) out[i][j] = wa * a[i][j] + wb * b[i][j];
  return out;
}

Matrix transposed(Matrix const& a) {
  Matrix out = zero(a[0].size(), a.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[0].size(); ++j) out[j][i] = a[i][j];
  return out;
}

/// Lower triangular factor; empty when the matrix is not positive definite.
Matrix cholesky(Matrix const& a) {
  Matrix l = zero(a.size(), a.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      Real sum = a[i][j];
      for (std::size_t k = 0; k < j; ++k) sum -= l[i][k] * l[j][k];
      if (i == j && !(sum > 0)) return {};
      l[i][j] = i == j ? std::sqrt(sum) : sum / l[j][j];
    }
  return l;
}

/// Inverse by Gauss and Jordan with row pivoting.
Matrix inverse(Matrix a) {
  const std::size_t p = a.size();
  Matrix inv = zero(p, p);
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

Real trace_of(Matrix const& a) {
  Real sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i][i];
  return sum;
}

/// Sigma of one structure, from its definition.
struct Structure {
  std::string family;
  bool heterogeneous = false;
  std::size_t visits = 0;
  std::vector<Real> times{};

  std::string keyword() const { return (heterogeneous ? "heterogeneous_" : "") + family; }
  std::size_t deviations() const { return heterogeneous ? visits : 1; }
  std::size_t size() const {
    if (family == "unstructured") return visits * (visits + 1) / 2;
    return deviations() + (family == "toeplitz" || family == "ante_dependence" ? visits - 1 : 1);
  }
  Real rho(Real theta) const {
    if (family == "spatial_exponential") return 1 / (1 + std::exp(-theta));
    if (family == "compound_symmetry") {
      const Real a = 1 / Real(visits - 1);  // logit((rho + a)/(1 + a)) = theta
      return (1 + a) / (1 + std::exp(-theta)) - a;
    }
    return theta / std::sqrt(1 + theta * theta);
  }
  Matrix sigma(Vector const& theta) const {
    const std::size_t m = visits;
    Matrix out = zero(m, m);
    if (family == "unstructured") {
      Matrix l = zero(m, m), d = zero(m, m);
      std::size_t next = m;
      for (std::size_t j = 0; j < m; ++j) {
        d[j][j] = std::exp(theta[j]);
        l[j][j] = 1;
        for (std::size_t k = 0; k < j; ++k) l[j][k] = theta[next++];
      }
      return d * l * transposed(l) * d;
    }
    for (std::size_t j = 0; j < m; ++j)
      for (std::size_t k = 0; k < m; ++k) {
        const std::size_t far = j > k ? j : k, near = j > k ? k : j, first = deviations();
        Real correlation = 1;
        if (far != near) {
          if (family == "compound_symmetry") correlation = rho(theta[first]);
          if (family == "ar1") correlation = std::pow(rho(theta[first]), int(far - near));
          if (family == "toeplitz") correlation = rho(theta[first + far - near - 1]);
          if (family == "ante_dependence")
            for (std::size_t step = near; step < far; ++step) correlation *= rho(theta[first + step]);
          if (family == "spatial_exponential") correlation = std::pow(rho(theta[first]), std::fabs(times[far] - times[near]));
        }
        out[j][k] = std::exp(theta[heterogeneous ? j : 0] + theta[heterogeneous ? k : 0]) * correlation;
      }
    return out;
  }
};

struct Person {
  std::vector<std::size_t> visit;  // of each row
  Matrix x;
  Vector y, weight;
  std::size_t block = 0;
};

/// A fit and all that is asked of it.
class Dense {
 public:
  Dense(std::vector<Person> people, Structure structure, std::size_t blocks, bool restricted)
      : people_(std::move(people)), structure_(std::move(structure)), blocks_(blocks), restricted_(restricted) {
    for (Person const& one : people_) rows_ += one.y.size();
    p_ = people_[0].x[0].size();
    climb();
  }

  std::size_t parameters() const { return blocks_ * structure_.size(); }
  std::size_t rows() const { return rows_; }
  std::size_t p() const { return p_; }
  std::size_t people() const { return people_.size(); }
  Real neg2() const { return value_; }
  Vector const& b() const { return b_; }
  Matrix sigma(std::size_t block) const { return structure_.sigma(own(theta_, block)); }
  Matrix const& phi() const { return phi_; }
  Matrix const& a() const { return a_; }

  /// dPhi/dtheta_i.
  Matrix phi_slope(std::size_t i) const {
    return differentiate<Matrix>([&](Vector const& t) { return inverse(information(t)); }, i, width);
  }

  /// Kenward and Roger (1997): the adjusted covariance.
  Matrix adjusted(bool second_derivatives) const {
    Matrix middle = zero(p_, p_);
    const std::size_t k = parameters();
    std::vector<Matrix> slopes;  // X' dV^-1/dtheta_i X
    for (std::size_t i = 0; i < k; ++i)
      slopes.push_back(differentiate<Matrix>([&](Vector const& t) { return information(t); }, i, width));
    for (std::size_t i = 0; i < k; ++i)
      for (std::size_t j = 0; j < k; ++j) middle = combine(1, middle, -a_[i][j], slopes[i] * phi_ * slopes[j]);
    for (Person const& one : people_) {
      const Matrix v = covariance(one, theta_), inv = inverse(v);
      std::vector<Matrix> d;
      for (std::size_t i = 0; i < k; ++i)
        d.push_back(differentiate<Matrix>([&](Vector const& t) { return inverse(covariance(one, t)); }, i, width));
      const std::size_t from = one.block * structure_.size(), end = from + structure_.size();  // all other d are 0
      for (std::size_t i = from; i < end; ++i)
        for (std::size_t j = from; j < end; ++j) {
          middle = combine(1, middle, a_[i][j], transposed(one.x) * d[i] * v * d[j] * one.x);
          if (!second_derivatives || j > i) continue;
          const auto slope = [&](Vector const& t) {
            Vector at = t;
            return differentiate<Matrix>([&](Vector const& s) { return covariance(one, s); }, i, width, &at);
          };
          const Matrix second = differentiate<Matrix>(slope, j, width);
          const Real times = j < i ? 2 : 1;  // both orders
          middle = combine(1, middle, -times * a_[i][j] / 4, transposed(one.x) * inv * second * inv * one.x);
        }
    }
    return combine(1, phi_, 2, phi_ * middle * phi_);
  }

 private:
  Vector own(Vector const& theta, std::size_t block) const {
    return Vector(theta.begin() + std::ptrdiff_t(block * structure_.size()),
                  theta.begin() + std::ptrdiff_t((block + 1) * structure_.size()));
  }
  Matrix covariance(Person const& one, Vector const& theta) const {
    const Matrix sigma = structure_.sigma(own(theta, one.block));
    Matrix v = zero(one.y.size(), one.y.size());
    for (std::size_t s = 0; s < one.y.size(); ++s)
      for (std::size_t t = 0; t < one.y.size(); ++t)
        v[s][t] = sigma[one.visit[s]][one.visit[t]] / std::sqrt(one.weight[s] * one.weight[t]);
    return v;
  }
  Matrix information(Vector const& theta) const {
    Matrix a = zero(p_, p_);
    for (Person const& one : people_) a = combine(1, a, 1, transposed(one.x) * inverse(covariance(one, theta)) * one.x);
    return a;
  }

  /// -2 l with every constant; infinite where V is not positive definite. Leaves b.
  Real evaluate(Vector const& theta) {
    Matrix a = zero(p_, p_);
    Vector rhs(p_, 0);
    Real logs = 0, squares = 0;
    for (Person const& one : people_) {
      const Matrix l = cholesky(covariance(one, theta));
      if (l.empty()) return std::numeric_limits<Real>::infinity();
      const std::size_t n = one.y.size();
      Matrix w = one.x;
      Vector z = one.y;
      for (std::size_t s = 0; s < n; ++s) {
        for (std::size_t t = 0; t < s; ++t) {
          z[s] -= l[s][t] * z[t];
          for (std::size_t c = 0; c < p_; ++c) w[s][c] -= l[s][t] * w[t][c];
        }
        z[s] /= l[s][s];
        for (std::size_t c = 0; c < p_; ++c) w[s][c] /= l[s][s];
        logs += 2 * std::log(l[s][s]);
        squares += z[s] * z[s];
        for (std::size_t c = 0; c < p_; ++c) {
          rhs[c] += w[s][c] * z[s];
          for (std::size_t d = 0; d < p_; ++d) a[c][d] += w[s][c] * w[s][d];
        }
      }
    }
    const Matrix l = cholesky(a);
    if (l.empty()) return std::numeric_limits<Real>::infinity();
    Vector z = rhs;  // b = A^-1 rhs by both triangles
    for (std::size_t c = 0; c < p_; ++c) {
      for (std::size_t d = 0; d < c; ++d) z[c] -= l[c][d] * z[d];
      z[c] /= l[c][c];
      squares -= z[c] * z[c];
    }
    b_ = z;
    for (std::size_t c = p_; c-- > 0;) {
      for (std::size_t d = c + 1; d < p_; ++d) b_[c] -= l[d][c] * b_[d];
      b_[c] /= l[c][c];
    }
    Real value = logs + squares + (Real(rows_) - (restricted_ ? Real(p_) : 0)) * std::log(2 * std::numbers::pi_v<Real>);
    for (std::size_t c = 0; c < p_ && restricted_; ++c) value += 2 * std::log(l[c][c]);
    return value;
  }

  static Real add(Real a, Real w, Real b) { return a + w * b; }
  static Matrix add(Matrix const& a, Real w, Matrix const& b) { return combine(1, a, w, b); }
  static Real scale(Real a, Real w) { return a * w; }
  static Matrix scale(Matrix const& a, Real w) { return combine(w, a, 0, a); }

  /// Central differences of sixth order: an error near h^6 / 140 times the seventh derivative, and a few roundings over h.
  template <class Value, class F>
  Value differentiate(F const& f, std::size_t i, Real h, Vector const* at = nullptr) const {
    Vector t = at ? *at : theta_;
    const Real middle = t[i];
    const auto shifted = [&](Real by) {
      t[i] = middle + by * h;
      return f(t);
    };
    const auto pair = [&](Real by) { return add(shifted(by), -1, shifted(-by)); };
    const Value sum = add(scale(pair(1), Real(3) / 4), -Real(3) / 20, pair(2));
    return scale(add(sum, Real(1) / 60, pair(3)), 1 / h);
  }

  Vector gradient(Vector const& at) {
    Vector g;
    for (std::size_t i = 0; i < at.size(); ++i)
      g.push_back(differentiate<Real>([&](Vector const& t) { return evaluate(t); }, i, width, &at));
    return g;
  }

  Matrix hessian(Vector const& at) {
    Matrix h;
    for (std::size_t i = 0; i < at.size(); ++i) {
      Vector row;
      for (std::size_t j = 0; j < at.size(); ++j) {
        const auto slope = [&](Vector const& t) {
          return differentiate<Real>([&](Vector const& s) { return evaluate(s); }, j, width, &t);
        };
        row.push_back(j < i ? h[j][i] : differentiate<Real>(slope, i, width, &at));
      }
      h.push_back(row);
    }
    return h;
  }

  void climb() {
    const std::size_t k = parameters();
    theta_.assign(k, 0);
    Real mean = 0, squares = 0;
    for (Person const& one : people_)
      for (const Real y : one.y) mean += y / Real(rows_);
    for (Person const& one : people_)
      for (const Real y : one.y) squares += (y - mean) * (y - mean) / Real(rows_);
    for (std::size_t block = 0; block < blocks_; ++block) {
      const std::size_t variances = structure_.family == "unstructured" ? structure_.visits : structure_.deviations();
      for (std::size_t j = 0; j < variances; ++j) theta_[block * structure_.size() + j] = std::log(squares) / 2;
    }
    Matrix h = zero(k, k);  // inverse Hessian
    for (std::size_t i = 0; i < k; ++i) h[i][i] = Real(0.05);
    value_ = evaluate(theta_);
    Vector g = gradient(theta_);
    for (int step = 0; step < 500; ++step) {
      Vector direction(k, 0);
      Real fall = 0;
      for (std::size_t i = 0; i < k; ++i) {
        for (std::size_t j = 0; j < k; ++j) direction[i] -= h[i][j] * g[j];
        fall += direction[i] * g[i];
      }
      if (fall > -1e-12L) break;
      Real length = 1, next = 0;
      Vector at = theta_;
      for (; length > 1e-12L; length /= 2) {
        for (std::size_t i = 0; i < k; ++i) at[i] = theta_[i] + length * direction[i];
        next = evaluate(at);
        if (next < value_ + 1e-4L * length * fall) break;
      }
      if (length <= 1e-12L) break;
      const Vector new_g = gradient(at);
      Vector s(k), d(k), hd(k, 0);
      Real sd = 0, dhd = 0;
      for (std::size_t i = 0; i < k; ++i) s[i] = at[i] - theta_[i], d[i] = new_g[i] - g[i], sd += s[i] * d[i];
      for (std::size_t i = 0; i < k; ++i) {
        for (std::size_t j = 0; j < k; ++j) hd[i] += h[i][j] * d[j];
        dhd += hd[i] * d[i];
      }
      if (sd > 0)
        for (std::size_t i = 0; i < k; ++i)
          for (std::size_t j = 0; j < k; ++j) h[i][j] += (1 + dhd / sd) * s[i] * s[j] / sd - (hd[i] * s[j] + s[i] * hd[j]) / sd;
      theta_ = at, value_ = next, g = new_g;
    }
    const Matrix chord = inverse(hessian(theta_));  // the last digits
    for (int step = 0; step < 8; ++step) {
      g = gradient(theta_);
      for (std::size_t i = 0; i < k; ++i)
        for (std::size_t j = 0; j < k; ++j) theta_[i] -= chord[i][j] * g[j];
    }
    a_ = inverse(hessian(theta_));
    for (Vector& row : a_)
      for (Real& one : row) one *= 2;  // of -l, not of -2 l
    value_ = evaluate(theta_);
    phi_ = inverse(information(theta_));
  }

  static constexpr Real width = 4e-3L;

  std::vector<Person> people_;
  Structure structure_;
  std::size_t blocks_, rows_ = 0, p_ = 0;
  bool restricted_;
  Vector theta_, b_;
  Matrix phi_, a_;
  Real value_ = 0;
};

/// What makes a data set special.
enum class Kind { plain, weights_of_people, weights_of_rows, changing_covariate, two_covariances };

/// A small trial with dropout and gaps: y ~ base + arm * visit [+ z], rows in a mixed order.
struct Trial {
  Kind kind;
  std::size_t visits, arms;
  std::vector<double> y, base, z, weight;
  std::vector<std::int32_t> subject, visit, arm, group;
  std::size_t people = 0;

  Trial(std::uint64_t seed, Kind what, std::size_t m) : kind(what), visits(m), arms(2 + seed % 2) {
    Bits bits(seed);
    people = 22 + std::size_t(bits.below(6));
    const auto noise = [&] { return (bits.below(1000) + bits.below(1000) + bits.below(1000) - 1498.5) / 500; };
    for (std::size_t i = 0; i < people; ++i) {
      const auto own_arm = std::int32_t(i % arms), own_group = std::int32_t(bits.below(2));
      const double own_base = 50 + bits.below(40) * 0.5, level = 0.8 * noise(), own_weight = 0.5 + bits.below(8) * 0.25;
      const bool complete = i < (kind == Kind::two_covariances ? 6 : 3) * arms;  // so that means and covariances are determined
      double error = noise();
      bool there = true;
      for (std::size_t j = 0; j < m; ++j) {
        error = 0.5 * error + noise() * (1 + 0.15 * double(j)) * (own_group ? 1.3 : 1.0);
        if (!complete && j > 0 && bits.below(7) == 0) there = false;
        if (!complete && (!there || bits.below(8) == 0)) continue;
        z.push_back(bits.below(20) * 0.1 + 0.2 * double(j));
        y.push_back(10 + 0.1 * own_base + 0.6 * own_arm * double(j) - 0.4 * double(j) + 0.7 * z.back() + level + error);
        base.push_back(own_base);
        weight.push_back(kind == Kind::weights_of_rows ? 0.5 + bits.below(8) * 0.25 : own_weight);
        subject.push_back(std::int32_t(i));
        visit.push_back(std::int32_t(j));
        arm.push_back(own_arm);
        group.push_back(own_group);
      }
    }
    for (std::size_t i = y.size(); i-- > 1;) {  // rows in any order
      const auto k = std::size_t(bits.below(int(i) + 1));
      for (auto* column : {&y, &base, &z, &weight}) std::swap((*column)[i], (*column)[k]);
      for (auto* column : {&subject, &visit, &arm, &group}) std::swap((*column)[i], (*column)[k]);
    }
  }

  bool weighted() const { return kind == Kind::weights_of_people || kind == Kind::weights_of_rows; }
  std::size_t p() const { return 1 + 1 + (kind == Kind::changing_covariate) + arms * visits - 1; }
  std::size_t first_factor() const { return 2 + (kind == Kind::changing_covariate); }

  /// Columns: 1, base, [z], arms, visits, arm x visit.
  Vector row(Real own_base, Real own_z, std::size_t a, std::size_t j) const {
    Vector x{1, own_base};
    if (kind == Kind::changing_covariate) x.push_back(own_z);
    for (std::size_t b = 1; b < arms; ++b) x.push_back(a == b);
    for (std::size_t k = 1; k < visits; ++k) x.push_back(j == k);
    for (std::size_t k = 1; k < visits; ++k)
      for (std::size_t b = 1; b < arms; ++b) x.push_back(a == b && j == k);
    return x;
  }
  std::size_t interaction(std::size_t b, std::size_t k) const {
    return first_factor() + (arms - 1) + (visits - 1) + (k - 1) * (arms - 1) + b - 1;
  }

  std::vector<Person> persons() const {
    std::vector<Person> all(people);
    for (std::size_t j = 0; j < visits; ++j)
      for (std::size_t i = 0; i < y.size(); ++i) {
        if (std::size_t(visit[i]) != j) continue;
        Person& one = all[std::size_t(subject[i])];
        one.visit.push_back(j);
        one.x.push_back(row(base[i], z[i], std::size_t(arm[i]), j));
        one.y.push_back(y[i]);
        one.weight.push_back(weighted() ? weight[i] : 1);
        one.block = kind == Kind::two_covariances ? std::size_t(group[i]) : 0;
      }
    std::erase_if(all, [](Person const& one) { return one.y.empty(); });
    return all;
  }

  Table table() const {
    std::vector<std::string> subjects, visit_names, arm_names;
    for (std::size_t i = 0; i < people; ++i) subjects.push_back("P" + std::to_string(i));
    for (std::size_t j = 0; j < visits; ++j) visit_names.push_back("V" + std::to_string(j + 1));
    for (std::size_t a = 0; a < arms; ++a) arm_names.push_back(std::string(1, char('A' + a)));
    Table table;
    table.numbers("y", y)
        .numbers("base", base)
        .numbers("z", z)
        .numbers("w", weight)
        .category("subject", subjects, subject)
        .category("visit", visit_names, visit)
        .category("arm", arm_names, arm)
        .category("group", {"f", "m"}, group);
    return table;
  }

  Expected<stats::Answer> answered(Structure const& structure, bool restricted, std::string df) const {
    Table data = table();
    Node::Array visit_names, arm_names;
    Keys levels{{"visit", texts({})}, {"arm", texts({})}};
    for (std::size_t j = 0; j < visits; ++j) visit_names.push_back(text("V" + std::to_string(j + 1)));
    for (std::size_t a = 0; a < arms; ++a) arm_names.push_back(text(std::string(1, char('A' + a))));
    levels[0].second = Node(Node::Value(visit_names));
    levels[1].second = Node(Node::Value(arm_names));
    stats::Roles roles{{"response", {"y"}}, {"subject", {"subject"}}, {"visit", {"visit"}}};
    if (weighted()) roles["weight"] = {"w"};
    Keys keys{{"formula", text(kind == Kind::changing_covariate ? "base + z + arm * visit" : "base + arm * visit")},
              {"levels", stats::testing::table(levels)},
              {"covariance", text(structure.keyword())},
              {"estimation", text(restricted ? "reml" : "ml")},
              {"df", text(std::move(df))}};
    if (kind == Kind::two_covariances) keys.emplace_back("covariance_by", text("group"));
    if (!structure.times.empty()) {
      Keys times;
      for (std::size_t j = 0; j < visits; ++j)
        times.emplace_back("V" + std::to_string(j + 1), stats::testing::number(double(structure.times[j])));
      keys.emplace_back("times", stats::testing::table(times));
    }
    return answer<stats::Mmrm>(data.frame(), roles, keys);
  }
};

/// A place in the answer and the function of the coefficients that stands there.
struct Asked {
  At at;
  Vector l;
};

std::vector<Asked> questions(Trial const& trial) {
  Real mean_base = 0, mean_z = 0;
  for (std::size_t i = 0; i < trial.y.size(); ++i) mean_base += trial.base[i], mean_z += trial.z[i];
  mean_base /= Real(trial.y.size()), mean_z /= Real(trial.y.size());
  const std::string last = "V" + std::to_string(trial.visits);
  const auto mean = [&](std::size_t a, std::size_t j) { return trial.row(mean_base, mean_z, a, j); };
  const auto less = [](Vector a, Vector const& b) {
    for (std::size_t j = 0; j < a.size(); ++j) a[j] -= b[j];
    return a;
  };
  std::vector<Asked> all;
  all.push_back({{{"lsmean", Term{{"arm", "B"}, {"visit", last}}}}, mean(1, trial.visits - 1)});
  all.push_back({{{"lsmean", Term{{"arm", "A"}, {"visit", "V1"}}}}, mean(0, 0)});
  all.push_back({{{"difference", LevelDifference{"arm", "B", "A"}}, {"within", Term{{"visit", last}}}},
                 less(mean(1, trial.visits - 1), mean(0, trial.visits - 1))});
  Vector average(trial.p(), 0);
  for (std::size_t j = 0; j < trial.visits; ++j)
    for (std::size_t c = 0; c < average.size(); ++c) average[c] += (mean(1, j)[c] - mean(0, j)[c]) / Real(trial.visits);
  all.push_back({{{"difference", LevelDifference{"arm", "B", "A"}}}, average});
  Vector base(trial.p(), 0), intercept = base, cell = base;
  base[1] = 1, intercept[0] = 1, cell[trial.interaction(1, 1)] = 1;
  all.push_back({{{"term", Term{{"base", {}}}}}, base});
  all.push_back({{{"term", Term{}}}, intercept});
  all.push_back({{{"term", Term{{"arm", "B"}, {"visit", "V2"}}}}, cell});
  if (trial.kind == Kind::changing_covariate) {
    Vector z(trial.p(), 0);
    z[2] = 1;
    all.push_back({{{"term", Term{{"z", {}}}}}, z});
  }
  return all;
}

Real form(Vector const& l, Matrix const& m, Vector const& r) {
  Real sum = 0;
  for (std::size_t i = 0; i < l.size(); ++i)
    for (std::size_t j = 0; j < r.size(); ++j) sum += l[i] * m[i][j] * r[j];
  return sum;
}

/// Relative to the number, or to 1 if it is smaller.
void expect_close(double got, Real expected, std::string const& what, double tolerance) {
  EXPECT_NEAR(got, double(expected), tolerance * std::max(1.0, std::abs(double(expected)))) << what;
}

/// The joint test of the interaction: F and denominator df by Kenward & Roger (1997), section 3, or by Fai & Cornelius (1996).
std::pair<Real, Real> joint_kenward_roger(Dense const& fit, Matrix const& l, Matrix const& adjusted) {
  const std::size_t k = fit.parameters(), q = l.size();
  const Matrix theta = transposed(l) * inverse(l * fit.phi() * transposed(l)) * l;
  std::vector<Matrix> t;  // Theta Phi P_i Phi = -Theta dPhi... the sign cancels in both sums
  for (std::size_t i = 0; i < k; ++i) t.push_back(theta * fit.phi_slope(i));
  Real a1 = 0, a2 = 0;
  for (std::size_t i = 0; i < k; ++i)
    for (std::size_t j = 0; j < k; ++j) {
      a1 += fit.a()[i][j] * trace_of(t[i]) * trace_of(t[j]);
      a2 += fit.a()[i][j] * trace_of(t[i] * t[j]);
    }
  const Real n = Real(q), b = (a1 + 6 * a2) / (2 * n), g = ((n + 1) * a1 - (n + 4) * a2) / ((n + 2) * a2),
             below = 3 * n + 2 * (1 - g), c1 = g / below, c2 = (n - g) / below, c3 = (n + 2 - g) / below;
  const Real mean = 1 / (1 - a2 / n), variance = 2 / n * (1 + c1 * b) / ((1 - c2 * b) * (1 - c2 * b) * (1 - c3 * b));
  const Real ratio = variance / (2 * mean * mean), df = 4 + (n + 2) / (n * ratio - 1), lambda = df / (mean * (df - 2));
  Matrix lb = zero(q, 1);
  for (std::size_t i = 0; i < q; ++i)
    for (std::size_t j = 0; j < fit.p(); ++j) lb[i][0] += l[i][j] * fit.b()[j];
  return {lambda * (transposed(lb) * inverse(l * adjusted * transposed(l)) * lb)[0][0] / n, df};
}

void compare(Trial const& trial, Structure const& structure, bool restricted) {
  const std::string name =
      fmt::format("{} kind {} {} {} visits", structure.keyword(), int(trial.kind), restricted ? "reml" : "ml", trial.visits);
  const std::size_t blocks = trial.kind == Kind::two_covariances ? 2 : 1;
  const Dense fit(trial.persons(), structure, blocks, restricted);
  // The optimum is found to 1e-10 standard errors and differences of sixth order have 12 digits; a df divides by a
  // variance of a variance, and the chain of sums costs another two.
  const double digits = 1e-8;

  // What holds whatever the degrees of freedom.
  const auto plain = trial.answered(structure, restricted, "satterthwaite");
  ASSERT_TRUE(plain) << name << ": " << plain.error().message;
  expect_close(read(plain, "neg2_log_likelihood"), fit.neg2(), name + " -2 l", 1e-10);
  expect_close(read(plain, "aic"), fit.neg2() + 2 * Real(fit.parameters()), name + " aic", 1e-10);
  expect_close(read(plain, "bic"), fit.neg2() + Real(fit.parameters()) * std::log(Real(fit.people())), name + " bic", 1e-10);
  for (std::size_t block = 0; block < blocks; ++block) {
    const Matrix sigma = fit.sigma(block);
    for (std::size_t j = 0; j < trial.visits; ++j)
      for (std::size_t k = 0; k < trial.visits; ++k) {
        At at{{"row", "V" + std::to_string(j + 1)}, {"column", "V" + std::to_string(k + 1)}};
        if (blocks > 1) at["within"] = Term{{"group", block ? "m" : "f"}};
        expect_close(read(plain, "covariance", at), sigma[j][k], name + " covariance", digits);
      }
  }

  // Satterthwaite: 2 v^2 / (g'Ag).
  const std::vector<Asked> asked = questions(trial);
  std::vector<Matrix> slopes;
  for (std::size_t i = 0; i < fit.parameters(); ++i) slopes.push_back(fit.phi_slope(i));
  std::vector<Real> satterthwaite;
  for (Asked const& one : asked) {
    Real value = 0;
    for (std::size_t j = 0; j < one.l.size(); ++j) value += one.l[j] * fit.b()[j];
    const Real variance = form(one.l, fit.phi(), one.l);
    Vector g;
    for (Matrix const& slope : slopes) g.push_back(form(one.l, slope, one.l));
    satterthwaite.push_back(2 * variance * variance / form(g, fit.a(), g));
    expect_close(read(plain, "estimate", one.at), value, name + " estimate", digits);
    expect_close(read(plain, "se", one.at), std::sqrt(variance), name + " se", digits);
    expect_close(read(plain, "df", one.at), satterthwaite.back(), name + " Satterthwaite df", digits);
  }

  // Kenward and Roger, with and without second derivatives.
  Matrix interaction;
  for (std::size_t k = 1; k < trial.visits; ++k)
    for (std::size_t b = 1; b < trial.arms; ++b) {
      interaction.emplace_back(trial.p(), 0);
      interaction.back()[trial.interaction(b, k)] = 1;
    }
  for (const bool second : {true, false}) {
    const auto got = trial.answered(structure, restricted, second ? "kenward_roger" : "kenward_roger_linear");
    const Matrix adjusted = fit.adjusted(second);
    for (std::size_t q = 0; q < asked.size(); ++q) {
      expect_close(read(got, "se", asked[q].at), std::sqrt(form(asked[q].l, adjusted, asked[q].l)), name + " adjusted se",
                   digits);
      expect_close(read(got, "df", asked[q].at), satterthwaite[q], name + " Kenward-Roger df", digits);
    }
    const auto [f, df] = joint_kenward_roger(fit, interaction, adjusted);
    const At effect{{"effect", Term{{"arm", {}}, {"visit", {}}}}};
    if (df > 2) expect_close(read(got, "f", effect), f, name + " F", 1e-7);
  }

  // Counted degrees of freedom: which columns of X are constant within everybody.
  const std::vector<Person> persons = trial.persons();
  std::vector<bool> constant(trial.p(), true);
  for (Person const& one : persons)
    for (Vector const& row : one.x)
      for (std::size_t c = 0; c < row.size(); ++c) constant[c] = constant[c] && row[c] == one.x[0][c];
  const Real between = Real(std::count(constant.begin(), constant.end(), true)), n = Real(fit.rows()), s = Real(fit.people());
  const auto counted = trial.answered(structure, restricted, "between_within");
  const auto residual = trial.answered(structure, restricted, "residual");
  for (Asked const& one : asked) {
    Real least = std::numeric_limits<Real>::infinity();
    for (std::size_t c = 0; c < one.l.size(); ++c)
      if (one.l[c] != 0) least = std::min(least, c > 0 && constant[c] ? s - between : n - s - (Real(trial.p()) - between));
    EXPECT_EQ(read(counted, "df", one.at), double(least)) << name;
    EXPECT_EQ(read(residual, "df", one.at), double(n - Real(trial.p()))) << name;
  }
}

std::vector<Structure> structures(std::size_t visits) {
  std::vector<Real> times;
  for (std::size_t j = 0; j < visits; ++j) times.push_back(Real(0.5) * Real(j * (j + 1)) / 2 + Real(j));
  std::vector<Structure> all{{"unstructured", false, visits, {}}};
  for (const std::string family : {"toeplitz", "ante_dependence", "ar1", "compound_symmetry", "spatial_exponential"})
    for (const bool heterogeneous : {true, false})
      all.push_back({family, heterogeneous, visits, family == "spatial_exponential" ? times : std::vector<Real>{}});
  return all;
}

class MmrmByDenseMatrices : public ::testing::TestWithParam<Kind> {};

TEST_P(MmrmByDenseMatrices, AgreesForEveryStructure) {
  std::uint64_t seed = 100 * std::uint64_t(GetParam()) + 1;
  for (Structure const& structure : structures(GetParam() == Kind::plain ? 4 : 3)) {
    compare(Trial(seed, GetParam(), structure.visits), structure, seed % 3 != 0);
    ++seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, MmrmByDenseMatrices,
                         ::testing::Values(Kind::plain, Kind::weights_of_people, Kind::weights_of_rows, Kind::changing_covariate,
                                           Kind::two_covariances));

}  // namespace
}  // namespace equipoise::independent
