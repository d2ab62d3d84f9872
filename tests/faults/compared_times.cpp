#include "tests/faults/compared_times.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace equipoise::faults {
namespace {

double quantile(std::vector<double>& times, double share) {
  const auto at = times.begin() + std::ptrdiff_t(share * double(times.size() - 1) + 0.5);
  std::nth_element(times.begin(), at, times.end());
  return *at;
}

constexpr std::size_t fewest = 20;  ///< pairs of a group that says anything

}  // namespace

Comparison compare_times(Pairs const& pairs, int exchanges, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::vector<Pair> const*> groups;
  std::vector<double> ones, others;
  Comparison found;
  for (auto const& [name, group] : pairs)
    if (group.size() >= fewest) {
      groups.push_back(&group);
      found.differences.push_back({.group = name, .n = group.size()});
    }
  // Row 0 is what was seen, the others are exchanges; two columns for each group.
  const std::size_t columns = 2 * groups.size();
  std::vector<std::vector<double>> all(std::size_t(exchanges) + 1, std::vector<double>(columns));
  for (std::size_t row = 0; row < all.size(); ++row)
    for (std::size_t g = 0; g < groups.size(); ++g) {
      ones.clear(), others.clear();
      std::uint64_t bits = 0;
      int left = 0;
      for (Pair const& pair : *groups[g]) {
        if (left == 0) bits = row == 0 ? 0 : random(), left = 64;
        const bool exchanged = bits & 1;
        bits >>= 1, --left;
        ones.push_back(exchanged ? pair.other : pair.one);
        others.push_back(exchanged ? pair.one : pair.other);
      }
      const double m1 = quantile(ones, 0.5), m2 = quantile(others, 0.5), q1 = quantile(ones, 0.99), q2 = quantile(others, 0.99);
      all[row][2 * g] = m1 - m2, all[row][2 * g + 1] = q1 - q2;
      if (row > 0) continue;
      Difference& difference = found.differences[g];
      difference.median_one = m1, difference.median_other = m2, difference.p99_one = q1, difference.p99_other = q2;
    }
  for (std::size_t column = 0; column < columns; ++column) {
    double squares = 0;
    for (std::size_t row = 1; row < all.size(); ++row) squares += all[row][column] * all[row][column];
    const double deviation = std::max(std::sqrt(squares / double(exchanges)), 1.0);  // a nanosecond: what the clock knows
    for (auto& row : all) row[column] = std::abs(row[column]) / deviation;
  }
  const auto largest = [](std::vector<double> const& row) { return *std::ranges::max_element(row); };
  for (std::size_t g = 0; g < groups.size(); ++g) found.differences[g].distance = std::max(all[0][2 * g], all[0][2 * g + 1]);
  std::ranges::sort(found.differences, std::ranges::greater{}, &Difference::distance);
  int as_large = 0;
  for (std::size_t row = 1; row < all.size(); ++row) as_large += largest(all[row]) >= largest(all[0]);
  found.p = double(1 + as_large) / double(1 + exchanges);
  return found;
}

}  // namespace equipoise::faults
