#pragma once

#include "equipoise/allocation/method.h"

namespace equipoise::allocation {

/// Efron's biased coin within strata: a place with the fewest participants so far with the probability, else one of the others.
/// With two arms 1:1 this is Efron's BCD(p); all places equal, each is equally probable. One cell a place in each stratum.
/// Page: docs/methods/allocation.md
///
/// source   Efron (1971), Biometrika 58, 403-417
struct BiasedCoin {
  static constexpr std::string_view keyword = "biased_coin";
  std::vector<int> place_arm;
  std::size_t strata = 1;
  double probability = 2.0 / 3;
  std::string words;

  static std::optional<BiasedCoin> parse(Setting const& setting, Section& text);
  std::size_t cells() const { return strata * place_arm.size(); }
  void start(Cells) const {}
  std::int32_t next(Cells state, Candidate const& who, random::Draw const& draw) const;
  std::string sentence() const { return words; }
};
static_assert(Method<BiasedCoin>);

/// The big stick within strata: any place with equal probabilities, unless it would be more than `maximum_imbalance` ahead of
/// another. Page: docs/methods/allocation.md
///
/// source   Soares & Wu (1983), Commun. Stat. Theory Methods 12, 2017-2034
struct BigStick {
  static constexpr std::string_view keyword = "big_stick";
  std::vector<int> place_arm;
  std::size_t strata = 1;
  int maximum_imbalance = 1;
  std::string words;

  static std::optional<BigStick> parse(Setting const& setting, Section& text);
  std::size_t cells() const { return strata * place_arm.size(); }
  void start(Cells) const {}
  std::int32_t next(Cells state, Candidate const& who, random::Draw const& draw) const;
  std::string sentence() const { return words; }
};
static_assert(Method<BigStick>);

/// `maximum_imbalance`: a whole number from 1; required. 0 when it is wrong, which is reported.
int parse_maximum_imbalance(Section& text);

}  // namespace equipoise::allocation
