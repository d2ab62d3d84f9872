#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "equipoise/core/section.h"
#include "equipoise/simulate/draws.h"
#include "equipoise/simulate/virtual_trial.h"

namespace equipoise::simulate {

/// Numbers of events between visits, as a person reports them at a visit: Poisson with mean
///
///     rate of the arm * g_i * years since the planned visit before that asks for them (or randomisation)
///
/// g_i is gamma with mean 1 and variance `dispersion`, the participant's own at all visits: over a fixed time the counts are
/// negative binomial with variance m + dispersion m^2. At a visit that was missed nothing is asked and nothing made good.
///
/// page     docs/methods/virtual_trials.md
/// checked  outcomes_test.cpp
class Count {
 public:
  static constexpr std::string_view keyword = "count";

  /// Reads `outcome = { item = { per_year, dispersion } }`.
  static std::optional<Count> parse(protocol::Protocol const& protocol, Section& text);
  void lay_out(protocol::Protocol const& protocol, Layout& layout);
  Selection select(std::vector<std::uint8_t> cells) const { return {std::move(cells)}; }
  void fill(People const& people, Draws const& draws, Selection const& wanted, Arena& arena, double* values) const;

 private:
  struct Events {
    protocol::Item const* item = nullptr;
    std::vector<double> per_day;  ///< of each arm
    double dispersion = 0;
    std::vector<std::int32_t> cells{};
  };
  std::vector<Events> events_;
  std::vector<int> target_;  ///< day of each visit
};

}  // namespace equipoise::simulate
