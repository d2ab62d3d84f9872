#pragma once

#include "equipoise/allocation/method.h"

namespace equipoise::allocation {

enum class Imbalance {
  range,               ///< largest less smallest
  variance,            ///< around the mean, divisor one less than their number
  standard_deviation,  ///< its square root
  marginal_total       ///< how many the place has at the level: Taves's
};

/// Minimisation: the place is preferred for which the weighted imbalance of the factors, at the levels of the participant and
/// with the participant added, is least. Page: docs/methods/allocation.md
///
///     G_t = sum_i w_i D(x_i1, ..., x_it + 1, ..., x_iR)
///
/// x_ik  participants at place k among those with the same level of factor i; R places
/// w_i   weight of factor i; `overall` is the weight of the whole trial, as if of a factor with one level
///
/// A cell for each factor, level and place, and one a place for the whole trial.
///
/// source   Pocock & Simon (1975), Biometrics 31, 103-115; Taves (1974), Clin. Pharmacol. Ther. 15, 443-453
/// checked  minimisation_test.cpp, tests/independent/allocation_test.cpp
struct Minimisation {
  static constexpr std::string_view keyword = "minimisation";
  std::vector<int> place_arm;
  Imbalance imbalance = Imbalance::range;
  std::vector<double> weights;       ///< of each factor
  std::vector<std::size_t> offsets;  ///< of each factor its first cell, and that of the whole trial
  std::size_t size = 0;
  double overall = 0, probability = 1;
  std::string words;

  static std::optional<Minimisation> parse(Setting const& setting, Section& text);
  std::size_t cells() const { return size; }
  void start(Cells) const {}
  std::int32_t next(Cells state, Candidate const& who, random::Draw const& draw) const;
  std::string sentence() const { return words; }
  std::optional<Caution> caution() const;  ///< of what leaves chance only between equals

  /// The open places of least imbalance: those that are preferred.
  std::uint64_t preferred(std::span<const std::int32_t> state, Candidate const& who) const;
};
static_assert(Method<Minimisation>);

/// Taves's minimisation: the arm with the fewest participants at the levels of the newcomer, added over factors; chance only
/// among equals. It is a minimisation with `imbalance` marginal_total and `probability` 1.
struct Taves : Minimisation {
  static constexpr std::string_view keyword = "taves";
  static std::optional<Taves> parse(Setting const& setting, Section& text);
};
static_assert(Method<Taves>);

}  // namespace equipoise::allocation
