#pragma once

#include "equipoise/allocation/method.h"

namespace equipoise::allocation {

/// The maximal procedure within strata: of all sequences of `participants` places in which no place is ever more than
/// `maximum_imbalance` ahead of another, and (unless `ends` is free) all are equal at the end, each is equally probable. After a
/// sequence the next one begins. Page: docs/methods/allocation.md
///
/// The next place is drawn in proportion to the number of ways in which the sequence can go on from there. Of a stratum the cells
/// are the length so far, and for each place how far it is ahead of the last.
///
/// source   Berger, Ivanova & Knoll (2003), Stat. Med. 22, 3017-3028; Salama, Ivanova & Qaqish (2008), Stat. Med. 27, 1421-1428
struct MaximalProcedure {
  static constexpr std::string_view keyword = "maximal_procedure";
  std::vector<int> place_arm;
  std::size_t strata = 1;
  int maximum_imbalance = 1, participants = 0;
  bool free_end = false;
  std::vector<std::vector<double>> ways;  ///< of each length, by the places' leads as digits; each length scaled by itself
  std::string words;

  static std::optional<MaximalProcedure> parse(Setting const& setting, Section& text);
  std::size_t cells() const { return strata * (1 + place_arm.size()); }
  void start(Cells) const {}
  std::int32_t next(Cells state, Candidate const& who, random::Draw const& draw) const;
  std::string sentence() const { return words; }

 private:
  void count_ways();
};
static_assert(Method<MaximalProcedure>);

}  // namespace equipoise::allocation
