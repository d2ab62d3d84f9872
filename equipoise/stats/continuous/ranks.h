#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/parts.h"

/// What the rank methods share: midranks, the two groups of a difference, and one- and two-sided P values.
namespace equipoise::stats {

/// Two values are tied when they differ by no more than this part of the larger: 0.3 - 0.1 and 0.2 must not be ranked apart. Far
/// above the rounding of a difference, far below any unit in which a response is recorded.
inline constexpr double same_value = 1e-12;

/// Ranks 1 to n, tied values sharing the mean of their ranks.
struct Midranks {
  std::vector<double> rank;          ///< of each value: a multiple of 1/2
  std::vector<std::uint32_t> block;  ///< sizes of the blocks of tied values, from the smallest value to the largest
  std::size_t merged = 0;            ///< values counted as tied with a near neighbour that they do not equal

  bool ties() const { return block.size() < rank.size(); }
  double tie_sum() const;  ///< sum of t^3 - t over the blocks
};

/// values  finite            shape n
/// checked ranks_test.cpp
Midranks midranks(std::span<const double> values);

/// The sentence about values merged by `same_value`, or "" when there are none.
std::string merged_values_note(std::size_t merged);

/// The first value of the column that is infinite, as an error: bad_cell.
std::optional<Error> not_finite(NumbersView values, std::string_view column);

/// The rows of the two groups of a difference, in the order of the frame.
struct PairOfGroups {
  std::vector<double> value;
  std::vector<std::uint8_t> first;    ///< 1 in `level`, 0 in `minus`
  std::vector<std::int32_t> stratum;  ///< numbered from 0 over all rows of the frame
  std::size_t strata = 0;
  std::size_t n_first = 0, n_second = 0;

  std::size_t size() const { return value.size(); }
};

/// errors  unresolved: a level that the column does not have; bad_cell: an infinite value in one of the two groups
Expected<PairOfGroups> pair_of_groups(Frame const& frame, std::string_view response, std::string_view group,
                                      Difference const& difference, std::vector<std::string> const& strata = {});

/// "There are 3 values of 'a' and 0 of 'b': the test needs one of each."
std::string needs_both_groups(PairOfGroups const& groups, Difference const& difference, std::string_view test);

/// Which values of a statistic speak against the null hypothesis.
enum class Tail { two_sided, greater, less };

/// `alternative = two_sided | greater | less`; two_sided when absent.
Tail parse_tail(Section& options);
/// The card of that option; `greater` says what is greater under the alternative.
OptionCard tail_card();

/// P value of a standard normal statistic. NaN stays NaN.
double normal_p(double z, Tail tail);

/// P value from the two tails of an exact distribution, both with the observed value: P(T <= t) and P(T >= t). Two-sided is twice
/// the smaller, at most 1.
double exact_p(double lower, double upper, Tail tail);

/// "two-sided", "one-sided (greater)": for notes.
std::string_view tail_words(Tail tail);

}  // namespace equipoise::stats
