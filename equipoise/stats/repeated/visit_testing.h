#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "equipoise/stats/repeated/visit_data.h"
#include "equipoise/stats/testing.h"

/// Long data sets for the tests of this folder. Only tests include this.
namespace equipoise::stats::testing {

/// splitmix64: numbers only need to be the same everywhere.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed) {}
  double uniform() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return double((z ^ (z >> 31)) >> 11) * 0x1p-53;
  }
  /// Sum of 12 uniforms less 6: mean 0, variance 1.
  double noise() {
    double sum = -6;
    for (int k = 0; k < 12; ++k) sum += uniform();
    return sum;
  }

 private:
  std::uint64_t state_;
};

/// Rows of a trial: one a participant and visit.
struct LongRows {
  std::vector<double> y, base, z, weight;
  std::vector<std::int32_t> subject, visit, arm, site;
  std::size_t people = 0, visits = 0, arms = 0;

  std::size_t size() const { return y.size(); }
  static std::vector<std::string> names(char letter, std::size_t count) {
    std::vector<std::string> all;
    for (std::size_t k = 0; k < count; ++k) all.push_back(letter + std::to_string(k + 1));
    return all;
  }
  Table table() const {
    Table table;
    table.numbers("y", y)
        .numbers("base", base)
        .numbers("z", z)
        .numbers("w", weight)
        .category("subject", names('P', people), subject)
        .category("visit", names('V', visits), visit)
        .category("arm", names('A', arms), arm)
        .category("site", names('S', 3), site);
    return table;
  }
  /// Keeps the rows for which `keep(i)`.
  template <class Keep>
  LongRows where(Keep keep) const {
    LongRows out = *this;
    for (auto* column : {&out.y, &out.base, &out.z, &out.weight}) column->clear();
    for (auto* column : {&out.subject, &out.visit, &out.arm, &out.site}) column->clear();
    for (std::size_t i = 0; i < size(); ++i)
      if (keep(i)) out.copy(*this, i);
    return out;
  }
  void copy(LongRows const& from, std::size_t i) {
    y.push_back(from.y[i]), base.push_back(from.base[i]), z.push_back(from.z[i]), weight.push_back(from.weight[i]);
    subject.push_back(from.subject[i]), visit.push_back(from.visit[i]), arm.push_back(from.arm[i]), site.push_back(from.site[i]);
  }
  /// The rows in another order, the same for the same seed.
  LongRows shuffled(std::uint64_t seed) const {
    Chance chance(seed);
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < size(); ++i) order.push_back(i);
    for (std::size_t i = size(); i-- > 1;) std::swap(order[i], order[std::size_t(chance.uniform() * double(i + 1))]);
    LongRows out = where([](std::size_t) { return false; });
    for (const std::size_t i : order) out.copy(*this, i);
    return out;
  }
};

struct Shape {
  std::uint64_t seed = 1;
  std::size_t people = 40, visits = 4, arms = 2;
  double dropout = 0.08;  ///< probability of leaving after a visit
  double gaps = 0.06;     ///< probability that a visit before that is missing
  double correlation = 0.5;
};

/// y = 10 + arm x visit + 0.4 base + 0.3 z + own level + AR(1) errors whose spread grows with the visits; participant i is in arm
/// i mod arms, in site i mod 3. Everybody has the first visit.
inline LongRows long_rows(Shape const& shape) {
  Chance chance(shape.seed);
  LongRows rows{.people = shape.people, .visits = shape.visits, .arms = shape.arms};
  for (std::size_t i = 0; i < shape.people; ++i) {
    const double base = chance.noise(), level = 0.7 * chance.noise(), weight = 0.5 + 2 * chance.uniform();
    double error = chance.noise();
    bool there = true;
    for (std::size_t j = 0; j < shape.visits; ++j) {
      const double fresh = chance.noise();
      error = shape.correlation * error + std::sqrt(1 - shape.correlation * shape.correlation) * fresh;
      const double z = chance.noise() + 0.1 * double(j);
      if (j > 0 && chance.uniform() < shape.dropout) there = false;
      const bool gap = chance.uniform() < shape.gaps;
      if (j > 0 && (!there || gap)) continue;
      const auto arm = double(i % shape.arms);
      rows.y.push_back(10 + 0.5 * arm * double(j) / double(shape.visits) - 0.2 * double(j) + 0.4 * base + 0.3 * z + level +
                       (1 + 0.1 * double(j)) * error);
      rows.base.push_back(base);
      rows.z.push_back(z);
      rows.weight.push_back(weight);
      rows.subject.push_back(std::int32_t(i));
      rows.visit.push_back(std::int32_t(j));
      rows.arm.push_back(std::int32_t(i % shape.arms));
      rows.site.push_back(std::int32_t(i % 3));
    }
  }
  return rows;
}

inline const VisitRoles visit_roles{.response = "y", .subject = "subject", .visit = "visit"};

inline Formula formula(std::string_view text) { return *parse_formula(text); }

}  // namespace equipoise::stats::testing
