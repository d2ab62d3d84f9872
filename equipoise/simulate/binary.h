#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "equipoise/core/section.h"
#include "equipoise/simulate/draws.h"
#include "equipoise/simulate/virtual_trial.h"

namespace equipoise::simulate {

/// Flags at visits. Behind the flag of participant i at visit v stands a standard normal
///
///     sqrt(r) b_i + sqrt(1 - r) e_iv
///
/// and the flag is true where it is below the quantile of the arm's probability: r is the correlation of two visits behind the
/// flags.
///
/// page     docs/methods/virtual_trials.md
/// checked  outcomes_test.cpp
class Binary {
 public:
  static constexpr std::string_view keyword = "binary";

  /// Reads `outcome = { flag = { probability, correlation, before } }`.
  static std::optional<Binary> parse(protocol::Protocol const& protocol, Section& text);
  void lay_out(protocol::Protocol const& protocol, Layout& layout);
  Selection select(std::vector<std::uint8_t> cells) const { return {std::move(cells)}; }
  void fill(People const& people, Draws const& draws, Selection const& wanted, Arena& arena, double* values) const;

 private:
  struct Flag {
    protocol::Item const* item = nullptr;
    std::vector<double> below;  ///< quantile of each arm's probability
    double below_before = 0;    ///< at visits up to randomisation
    double correlation = 0;
    std::vector<std::int32_t> cells{};
  };
  std::vector<Flag> flags_;
  std::vector<bool> after_;  ///< of each visit: it is after randomisation
};

}  // namespace equipoise::simulate
