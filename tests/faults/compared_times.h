#pragma once

#include <map>
#include <string>
#include <vector>

namespace equipoise::faults {

/// One question, asked of two worlds one after the other in a random order; nanoseconds.
struct Pair {
  double one = 0, other = 0;
};
using Pairs = std::map<std::string, std::vector<Pair>>;  ///< by what was asked, and about whom

/// How two worlds' times of answers differ in one group of questions.
struct Difference {
  std::string group{};
  std::size_t n = 0;
  double median_one = 0, median_other = 0, p99_one = 0, p99_other = 0;
  double distance = 0;  ///< the larger of |difference of medians| and |difference of 99th percentiles|, each by its standard
                        ///< deviation under exchange
};

struct Comparison {
  double p = 1;  ///< probability of a largest distance as large as this one, if it did not matter to which world a time belongs
  std::vector<Difference> differences{};  ///< by distance, largest first
};

/// Permutation test of "the worlds answer equally fast". In each pair the two times are exchanged by chance; over all groups,
/// medians and 99th percentiles alike, the largest standardised difference is taken, and p is the share of exchanges that give at
/// least what was seen:
///
///     p = (1 + #{exchanges b : max_g |D_g(b)| / s_g >= max_g |D_g| / s_g}) / (1 + exchanges)
///
/// It holds whatever the distribution of times is, however busy the machine, and for all groups together, as within a pair the
/// order was drawn. source  Westfall & Young (1993), Resampling-based multiple testing: the single-step maximum
Comparison compare_times(Pairs const& pairs, int exchanges, std::uint64_t seed);

}  // namespace equipoise::faults
