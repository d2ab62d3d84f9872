#pragma once

#include <optional>
#include <vector>

#include "equipoise/core/section.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::simulate {

/// What an arm adds to the level of a marker, by day since randomisation:
///
///     effect(arm, t) = full(arm) g(t);  g(t) = 0 for t <= 0, t / onset up to the day of onset, then 2^(-(t - onset) / half_life)
///
/// `full` is given by arm, or as a shape over the doses d of the arms, less its value at dose 0:
///
///     linear        slope d                        exponential  e1 (exp(d / delta) - 1)
///     emax          emax d / (ed50 + d)            logistic     emax / (1 + exp((ed50 - d) / delta))
///     sigmoid_emax  emax d^h / (ed50^h + d^h)      quadratic    b1 d + b2 d^2
///     step          emax where d >= threshold
///
/// source   the shapes: Bretz, Pinheiro & Branson (2005), Biometrics 61, 738-748
/// page     docs/methods/longitudinal.md
/// checked  effect_test.cpp
class Effect {
 public:
  Effect() = default;
  explicit Effect(std::size_t arms) : full_(arms, 0.0) {}
  /// Reads the table of one marker; every problem is reported.
  static Effect parse(protocol::Protocol const& protocol, Section text);

  std::vector<double> const& full() const { return full_; }
  /// g at a day.
  double course(double day) const;
  bool none() const;

 private:
  std::vector<double> full_;  ///< of each arm
  double onset_days_ = 0;
  double half_life_days_ = 0;  ///< 0: it does not wane
};

/// A number for all arms, or a table with one for each; absent arms of the table have `otherwise`, or are a problem without it.
std::optional<std::vector<double>> by_arm(protocol::Protocol const& protocol, Section& section, std::string_view key,
                                          Limits limits, std::optional<double> otherwise);

/// Reports the keys of a table that are neither arms nor among `known`.
void refuse_unknown_arms(protocol::Protocol const& protocol, Section& section, std::vector<std::string> const& known);

}  // namespace equipoise::simulate
