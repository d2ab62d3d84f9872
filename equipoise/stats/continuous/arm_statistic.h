#pragma once

#include <span>
#include <string>
#include <vector>

#include "equipoise/core/expected.h"
#include "equipoise/stats/continuous/rerandomisation.h"

namespace equipoise::stats {

/// A between-arm statistic of fixed outcomes, as a function of who is in which group: computed again for each allocation, without
/// sorting or allocating memory (but for ancova, which is fitted anew).
class StatisticOfArms {
 public:
  /// The frame holds complete cases in a fixed order; `level` and `minus` are the groups compared.
  /// errors  those of the data: infinite values, negative times, a response that is neither 0 nor 1
  static Expected<StatisticOfArms> make(Rerandomisation const& method, Frame const& frame, DifferenceCodes codes);

  /// NaN when the groups do not determine it.
  double operator()(std::span<const std::int32_t> groups);

  /// Differences below it are rounding.
  double slack(double observed) const { return 1e-10 * std::max(std::abs(observed), scale_); }
  std::vector<std::string> const& notes() const { return notes_; }

 private:
  double means(std::span<const std::int32_t> groups) const;
  double ranks(std::span<const std::int32_t> groups) const;
  double log_rank(std::span<const std::int32_t> groups) const;
  double coefficient(std::span<const std::int32_t> groups);

  ArmStatistic statistic_ = ArmStatistic::mean_difference;
  DifferenceCodes codes_{};
  double scale_ = 1;                   ///< of the statistic
  int exponent_ = 0;                   ///< values are 2^-exponent of the data's
  std::vector<double> value_;          ///< around their mean
  std::vector<std::uint32_t> sorted_;  ///< rows by value or time
  std::vector<std::uint8_t> begins_;   ///< of each place of sorted_: another value or time than before
  std::vector<std::uint8_t> event_;    ///< of each row
  std::vector<std::string> notes_;
  // of ancova
  Rerandomisation const* method_ = nullptr;
  Frame frame_{};
  std::size_t group_column_ = 0;
  std::vector<std::int32_t> group_codes_{};
};

}  // namespace equipoise::stats
