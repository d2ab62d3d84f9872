#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "brute_force.h"
#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/imputation/reference_based.h"
#include "equipoise/stats/repeated/mmrm.h"
#include "equipoise/stats/testing.h"

// A second derivation of reference-based imputation that shares no code with it but the mixed model, whose own second derivation is
// in mmrm_test.cpp: coefficients and covariances are read from the method `mmrm`, means and conditional means are written out
// participant by participant with Gauss-Jordan inverses in long double, the analysis is by normal equations, and the jackknife
// repeats all of it on the data without each participant.
namespace equipoise::independent {
namespace {

using stats::testing::answer, stats::testing::Keys, stats::testing::read, stats::testing::Table, stats::testing::table,
    stats::testing::text, stats::testing::texts;
using Real = long double;
using Matrix = std::vector<std::vector<Real>>;

constexpr int visits = 3;
const std::vector<std::string> visit_names{"w1", "w2", "w3"}, arms{"placebo", "low", "high"};

Matrix zeros(std::size_t rows, std::size_t columns) { return Matrix(rows, std::vector<Real>(columns, 0)); }

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

Matrix product(Matrix const& a, Matrix const& b) {
  Matrix c = zeros(a.size(), b.empty() ? 0 : b[0].size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < c[i].size(); ++j)
      for (std::size_t k = 0; k < b.size(); ++k) c[i][j] += a[i][k] * b[k][j];
  return c;
}

Matrix part(Matrix const& a, std::vector<int> const& rows, std::vector<int> const& columns) {
  Matrix out;
  for (const int r : rows) {
    std::vector<Real>& row = out.emplace_back();
    for (const int c : columns) row.push_back(a[std::size_t(r)][std::size_t(c)]);
  }
  return out;
}

struct Person {
  int arm = 0;
  double base = 0;
  std::vector<double> y = std::vector<double>(visits, missing_number);
  int event = visits;  // first visit at or after it
};

/// Three arms, dropout with and without an event, a gap, responses observed after an event, somebody without any response.
std::vector<Person> small_trial(std::uint64_t seed) {
  Bits bits(seed);
  std::vector<Person> people;
  for (int i = 0; i < 33; ++i) {
    Person person;
    person.arm = i < 6 ? i % 3 : bits.below(3);
    person.base = 20 + bits.below(64) / 8.0;
    double own = bits.below(41) * 0.1 - 2;
    for (int j = 0; j < visits; ++j)
      person.y[std::size_t(j)] = 0.3 * person.base - person.arm * 0.5 * j + own + (bits.below(61) - 30) * 0.08;
    const int kind = i < 6 ? 0 : bits.below(8);
    if (kind == 1 || kind == 2) {  // an event, nothing after it
      person.event = 1 + bits.below(2);
      for (int j = person.event; j < visits; ++j) person.y[std::size_t(j)] = missing_number;
    }
    if (kind == 3) person.y[std::size_t(bits.below(2))] = missing_number;  // a gap
    if (kind == 4) {                                                     // an event, the last visit seen all the same
      person.event = 1;
      person.y[1] = missing_number;
    }
    if (kind == 5) person.y[2] = missing_number;  // dropout without an event
    if (i == 20) {
      person.event = 0;
      person.y.assign(visits, missing_number);
    }
    people.push_back(person);
  }
  return people;
}

Table long_table(std::vector<Person> const& people, bool before_events_only) {
  Table made;
  std::vector<double> y, base, ice;
  std::vector<std::int32_t> id, visit, arm;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < people.size(); ++i) {
    ids.push_back("p" + std::to_string(1000 + i));
    for (int j = 0; j < visits; ++j) {
      const double value = people[i].y[std::size_t(j)];
      if (before_events_only && (std::isnan(value) || j >= people[i].event)) continue;
      y.push_back(value);
      base.push_back(people[i].base);
      ice.push_back(j >= people[i].event);
      id.push_back(std::int32_t(i));
      visit.push_back(j);
      arm.push_back(people[i].arm);
    }
  }
  made.numbers("y", y).numbers("base", base).numbers("ice", ice).category("id", ids, id).category("visit", visit_names, visit).category("arm", arms, arm);
  return made;
}

Node levels() { return table({{"arm", texts(arms)}, {"visit", texts(visit_names)}}); }

/// The columns of base + arm * visit, in this test's own order.
struct Model {
  std::vector<std::pair<Term, Real>> b;
  std::vector<Matrix> sigma;  // one, or one for each arm

  Real mean(Person const& person, int arm, int visit) const {
    Real sum = 0;
    for (auto const& [term, value] : b) {
      Real x = value;
      for (Factor const& factor : term) {
        if (factor.column == "base") x *= Real(person.base);
        if (factor.column == "arm" && *factor.level != arms[std::size_t(arm)]) x = 0;
        if (factor.column == "visit" && *factor.level != visit_names[std::size_t(visit)]) x = 0;
      }
      sum += x;
    }
    return sum;
  }
};

/// `by_arm`: a covariance for each arm.
Model fit(std::vector<Person> const& people, std::string const& structure, bool by_arm, std::string const& estimation) {
  Table rows = long_table(people, true);
  Keys keys{{"formula", text("base + arm * visit")}, {"levels", levels()}, {"covariance", text(structure)}, {"estimation", text(estimation)}};
  if (by_arm) keys.push_back({"covariance_by", text("arm")});
  const auto got = answer<stats::Mmrm>(rows.frame(), {{"response", {"y"}}, {"subject", {"id"}}, {"visit", {"visit"}}}, keys);
  Model model;
  EXPECT_TRUE(got) << got.error().message;
  for (Finding const& finding : got->findings)
    if (finding.quantity == "estimate" && finding.at.contains("term")) model.b.push_back({std::get<Term>(finding.at.at("term")), finding.value});
  for (int a = 0; a < (by_arm ? 3 : 1); ++a) {
    Matrix& sigma = model.sigma.emplace_back(zeros(visits, visits));
    for (std::size_t j = 0; j < visits; ++j)
      for (std::size_t k = 0; k < visits; ++k) {
        At at{{"row", visit_names[j]}, {"column", visit_names[k]}};
        if (by_arm) at["within"] = Term{{"arm", arms[std::size_t(a)]}};
        sigma[j][k] = read(got, "covariance", at);
      }
  }
  return model;
}

/// Covariance of a participant whose covariance is `own` before the event and follows the reference from it on.
Matrix mixed(Matrix const& own, Matrix const& reference, int event) {
  if (event == 0) return reference;
  std::vector<int> before, after;
  for (int j = 0; j < visits; ++j) (j < event ? before : after).push_back(j);
  const Matrix a = product(part(reference, after, before), inverse(part(reference, before, before)));
  const Matrix own11 = part(own, before, before), cross = product(a, own11);
  Matrix change = part(reference, before, before), out = own;
  for (std::size_t s = 0; s < before.size(); ++s)
    for (std::size_t t = 0; t < before.size(); ++t) change[s][t] -= own11[s][t];
  Matrix transposed = zeros(before.size(), after.size());
  for (std::size_t s = 0; s < after.size(); ++s)
    for (std::size_t t = 0; t < before.size(); ++t) transposed[t][s] = a[s][t];
  const Matrix correction = product(product(a, change), transposed), r22 = part(reference, after, after);
  for (std::size_t s = 0; s < after.size(); ++s) {
    for (std::size_t t = 0; t < before.size(); ++t)
      out[std::size_t(after[s])][std::size_t(before[t])] = out[std::size_t(before[t])][std::size_t(after[s])] = cross[s][t];
    for (std::size_t t = 0; t < after.size(); ++t) out[std::size_t(after[s])][std::size_t(after[t])] = r22[s][t] - correction[s][t];
  }
  return out;
}

std::vector<Real> completed(Person const& person, Model const& model, std::string const& strategy) {
  std::vector<Real> own, reference, mu;
  for (int j = 0; j < visits; ++j) {
    own.push_back(model.mean(person, person.arm, j));
    reference.push_back(model.mean(person, 0, j));
  }
  const std::size_t before = std::size_t(std::max(person.event - 1, 0));
  for (std::size_t j = 0; j < visits; ++j) {
    const bool after = int(j) >= person.event, had = person.event < visits;
    if (strategy == "copy_reference") mu.push_back(had ? reference[j] : own[j]);
    else if (!after || strategy == "mar") mu.push_back(own[j]);
    else if (strategy == "jump_to_reference") mu.push_back(reference[j]);
    else if (strategy == "last_mean_carried_forward") mu.push_back(own[before]);
    else mu.push_back(person.event == 0 ? reference[j] : own[before] + reference[j] - reference[before]);
  }
  Matrix sigma = model.sigma[model.sigma.size() == 1 ? 0 : std::size_t(person.arm)];
  if (model.sigma.size() > 1 && person.event < visits) {
    if (strategy == "copy_reference") sigma = model.sigma[0];
    if (strategy == "jump_to_reference" || strategy == "copy_increments_in_reference") sigma = mixed(sigma, model.sigma[0], person.event);
  }
  std::vector<int> missing, seen;
  for (int j = 0; j < visits; ++j) (std::isnan(person.y[std::size_t(j)]) ? missing : seen).push_back(j);
  std::vector<Real> out(person.y.begin(), person.y.end());
  Matrix residual;
  for (const int j : seen) residual.push_back({Real(person.y[std::size_t(j)]) - mu[std::size_t(j)]});
  for (const int j : missing) out[std::size_t(j)] = mu[std::size_t(j)];
  if (seen.empty() || missing.empty()) return out;
  const Matrix shift = product(product(part(sigma, missing, seen), inverse(part(sigma, seen, seen))), residual);
  for (std::size_t t = 0; t < missing.size(); ++t) out[std::size_t(missing[t])] += shift[t][0];
  return out;
}

/// Coefficients of y ~ 1 + base + low + high at each visit: means of the arms at the mean base, differences from placebo.
std::vector<Real> analysed(std::vector<Person> const& people, std::vector<std::vector<Real>> const& values) {
  std::vector<Real> out;
  for (std::size_t j = 0; j < visits; ++j) {
    Matrix cross = zeros(4, 4), right = zeros(4, 1);
    Real mean = 0;
    for (std::size_t i = 0; i < people.size(); ++i) {
      const Real x[4] = {1, Real(people[i].base), Real(people[i].arm == 1), Real(people[i].arm == 2)};
      mean += x[1] / Real(people.size());
      for (std::size_t a = 0; a < 4; ++a) {
        right[a][0] += x[a] * values[i][j];
        for (std::size_t b = 0; b < 4; ++b) cross[a][b] += x[a] * x[b];
      }
    }
    const Matrix b = product(inverse(cross), right);
    const Real placebo = b[0][0] + mean * b[1][0];
    for (const Real value : {placebo, placebo + b[2][0], placebo + b[3][0], b[2][0], b[3][0], b[3][0] - b[2][0]}) out.push_back(value);
  }
  return out;
}

std::vector<Real> by_hand(std::vector<Person> const& people, std::string const& strategy, std::string const& structure, bool by_arm,
                          std::string const& estimation = "reml") {
  const Model model = fit(people, structure, by_arm, estimation);
  std::vector<std::vector<Real>> values;
  for (Person const& person : people) values.push_back(completed(person, model, strategy));
  return analysed(people, values);
}

At place(std::size_t question, std::size_t visit) {
  if (question < 3) return {{"lsmean", Term{{"arm", arms[question]}, {"visit", visit_names[visit]}}}};
  const std::size_t level = question == 3 ? 1 : 2, minus = question == 5 ? 1 : 0;
  return {{"difference", LevelDifference{"arm", arms[level], arms[minus]}}, {"within", Term{{"visit", visit_names[visit]}}}};
}

Expected<stats::Answer> imputed(std::vector<Person> const& people, std::string const& strategy, std::string const& structure, bool by_arm,
                         Keys more = {}) {
  Table rows = long_table(people, false);
  Keys keys{{"formula", text("base + arm * visit")},
            {"levels", levels()},
            {"covariance", text(structure)},
            {"strategy", text(strategy)},
            {"reference", text("placebo")},
            {"analysis_formula", text("base + arm")}};
  if (by_arm) keys.push_back({"covariance_by", text("arm")});
  for (auto& key : more) keys.push_back(std::move(key));
  return answer<stats::ReferenceBasedImputation>(
      rows.frame(), {{"response", {"y"}}, {"subject", {"id"}}, {"visit", {"visit"}}, {"group", {"arm"}}, {"ice", {"ice"}}}, keys);
}

// Digits: the model is at its optimum to 1e-10 standard errors on both sides, each in its own order of operations.
constexpr double digits = 1e-8;

TEST(ImputationByHand, ConditionalMeansUnderEveryStrategy) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed)
    for (std::string const strategy :
         {"mar", "jump_to_reference", "copy_reference", "copy_increments_in_reference", "last_mean_carried_forward"})
      for (std::string const structure : {"unstructured", "heterogeneous_toeplitz"}) {
        std::vector<Person> people = small_trial(seed);
        if (strategy == "last_mean_carried_forward") people.erase(people.begin() + 20);  // nothing before the event
        const std::vector<Real> expected = by_hand(people, strategy, structure, false);
        const auto got = imputed(people, strategy, structure, false, {{"variance", text("bootstrap")}, {"samples", stats::testing::number(2)}});
        ASSERT_TRUE(got) << got.error().message << " " << seed << " " << strategy;
        for (std::size_t j = 0; j < visits; ++j)
          for (std::size_t q = 0; q < 6; ++q)
            EXPECT_NEAR(read(got, "estimate", place(q, j)), double(expected[j * 6 + q]), digits) << seed << " " << strategy << " " << j << q;
      }
}

TEST(ImputationByHand, ACovarianceForEachArm) {
  int compared = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed)
    for (std::string const strategy : {"mar", "jump_to_reference", "copy_reference", "copy_increments_in_reference"}) {
      const std::vector<Person> people = small_trial(seed);
      const auto got = imputed(people, strategy, "heterogeneous_compound_symmetry", true,
                               {{"variance", text("bootstrap")}, {"samples", stats::testing::number(2)}});
      if (!got) {  // a covariance of ten people may not converge; then it says so
        EXPECT_EQ(got.error().code, Code::no_convergence) << got.error().message;
        continue;
      }
      ++compared;
      const std::vector<Real> expected = by_hand(people, strategy, "heterogeneous_compound_symmetry", true);
      for (std::size_t j = 0; j < visits; ++j)
        for (std::size_t q = 0; q < 6; ++q)
          EXPECT_NEAR(read(got, "estimate", place(q, j)), double(expected[j * 6 + q]), digits) << seed << " " << strategy;
    }
  EXPECT_GE(compared, 24);
}

TEST(ImputationByHand, MaximumLikelihood) {
  const std::vector<Person> people = small_trial(3);
  const std::vector<Real> expected = by_hand(people, "jump_to_reference", "unstructured", false, "ml");
  const auto got = imputed(people, "jump_to_reference", "unstructured", false, {{"estimation", text("ml")}});
  for (std::size_t q = 0; q < 6; ++q) EXPECT_NEAR(read(got, "estimate", place(q, 2)), double(expected[12 + q]), digits);
}

TEST(ImputationByHand, TheJackknifeRepeatsEverything) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed)
    for (std::string const strategy : {"mar", "jump_to_reference", "copy_increments_in_reference"}) {
      const std::vector<Person> people = small_trial(seed);
      const std::size_t n = people.size();
      Matrix left_out;
      for (std::size_t i = 0; i < n; ++i) {
        std::vector<Person> others = people;
        others.erase(others.begin() + std::ptrdiff_t(i));
        left_out.push_back(by_hand(others, strategy, "unstructured", false));
      }
      const auto got = imputed(people, strategy, "unstructured", false);
      for (std::size_t j = 0; j < visits; ++j)
        for (std::size_t q = 0; q < 6; ++q) {
          Real mean = 0, squares = 0;
          for (auto const& one : left_out) mean += one[j * 6 + q] / Real(n);
          for (auto const& one : left_out) squares += (one[j * 6 + q] - mean) * (one[j * 6 + q] - mean);
          const double se = double(std::sqrt(Real(n - 1) / Real(n) * squares));
          EXPECT_NEAR(read(got, "se", place(q, j)), se, digits * se) << seed << " " << strategy << " " << j << q;
          const double z = 1.9599639845400545;
          EXPECT_NEAR(read(got, "lower", place(q, j)), read(got, "estimate", place(q, j)) - z * se, 1e-7);
          EXPECT_NEAR(read(got, "p", place(q, j)), std::erfc(std::abs(read(got, "estimate", place(q, j))) / se / std::sqrt(2.0)), 1e-7);
        }
    }
}

}  // namespace
}  // namespace equipoise::independent
