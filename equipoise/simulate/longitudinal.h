#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/simulate/covariance.h"
#include "equipoise/simulate/draws.h"
#include "equipoise/simulate/effect.h"
#include "equipoise/simulate/virtual_trial.h"

namespace equipoise::simulate {

/// One marker, measured at the visits whose forms hold its item.
struct Marker {
  protocol::Item const* item = nullptr;
  bool log_scale = true;
  double centre = 0, spread = 0;  ///< of the level: mean and SD of its logarithm, or of itself
  double slope_mean = 0, slope_sd = 0, slope_level_correlation = 0;  ///< unit of the item a year
  double noise_sd = 0;                                               ///< of the logarithm, or in the unit of the item
  double site_sd = 0;
  double floor = 0;  ///< the level never falls below
  Effect effect;
  NoiseCovariance between_visits;
};

/// Markers with random levels and slopes. Of participant i at day t, t years = t / 365.25:
///
///     truth  = max(floor, level_i + site effect + slope_i t + effect(arm, t))
///     value  = truth exp(noise)        scale = "log":    level log-normal, noise normal on the log scale, so its median is 1
///     value  = truth + noise           scale = "linear": level and noise normal
///
/// page     docs/methods/longitudinal.md
/// checked  longitudinal_test.cpp
class Longitudinal {
 public:
  static constexpr std::string_view keyword = "longitudinal";

  /// Reads `item = { ... }` of every marker, `effect`, `correlation` and `site_sd`; leaves `finish` to its caller.
  static std::optional<Longitudinal> parse(protocol::Protocol const& protocol, Section& text);

  void lay_out(protocol::Protocol const& protocol, Layout& layout);
  /// Of these cells of the layout.
  Selection select(std::vector<std::uint8_t> cells) const;
  /// The selected values of every participant, seen or not.
  void fill(People const& people, Draws const& draws, Selection const& wanted, Arena& arena, double* values) const;

  std::vector<Marker> const& markers() const { return markers_; }
  /// The cell of the marker at the visit, if it is measured there.
  std::optional<std::size_t> cell(std::size_t marker, std::size_t visit) const;

 private:
  void innovations(People const& people, Draws const& draws, Selection const& wanted, Arena& arena, double* noise) const;

  std::vector<Marker> markers_;
  Triangle effects_;                               ///< of levels, then slopes
  Triangle noise_;                                 ///< between markers
  std::vector<Triangle> between_visits_;           ///< of each marker over its visits; empty: independent
  std::vector<std::vector<std::size_t>> visits_;   ///< at which each marker is measured
  std::vector<std::vector<std::int32_t>> cells_;   ///< [marker][visit], -1: none
  std::vector<std::vector<double>> courses_;       ///< [marker][day - first_day_]
  std::vector<std::uint32_t> sites_;               ///< their numbers, padded
  int first_day_ = 0;
};

}  // namespace equipoise::simulate
