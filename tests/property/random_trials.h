#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Small trials from chance, each with something that breaks programs: ties, empty strata, nobody with an event, one group,
/// constant covariates, separation. The same number is the same trial on every machine.
namespace equipoise::property {

/// What is peculiar about a trial.
enum class Shape {
  plain,
  tied,  ///< few distinct times and values
  all_censored,
  all_events,
  one_group,
  constant_covariate,
  separated,     ///< the response and the events belong to one arm
  empty_strata,  ///< most combinations of stratum and arm have nobody
  one_time,      ///< every time and value is the same
  constant_response,
  group_of_one,
  zero_cell,  ///< no response in one arm
  missing_cells,
  large_scale,  ///< times and values times 2^30
  small_scale,  ///< times and values times 2^-10
  two_people,
};
inline constexpr int shapes = 16;

struct RandomTrial {
  int number = 0;
  Shape shape = Shape::plain;
  std::vector<std::vector<std::string>> rows{};  ///< cells in the order of `columns`; "" = missing

  /// "trial" is its number, so that many trials can share a file.
  static std::vector<std::string> const& columns();
  std::string csv() const;
};

/// Trial `number` has the shape number % shapes and 2 to 30 people. Times, values and covariates are multiples of 2^-6 (before a
/// scale of 2^30 or 2^-30), so that sums and doublings are exact; people's start is before their time.
///     time event start        time to event; counting process
///     arm (A, B, C) two (A, B) stratum (p, q, r) cluster
///     y first second          continuous; resp resp2 (0, 1); grade (0 to 3)
///     cause (0, 1, 2)         event type; left right: the interval between visits 4 weeks apart
///     x1 x2                   covariates
///     person visit            three rows are the visits of a person; group (A, B, C) is theirs, after an event (0, 1)
///     partial                 y, for two in three missing after it
RandomTrial random_trial(int number);

}  // namespace equipoise::property
