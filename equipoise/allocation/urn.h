#pragma once

#include "equipoise/allocation/method.h"

namespace equipoise::allocation {

/// Wei's urn UD(alpha, beta) within strata: alpha balls of each place to begin with; a ball is drawn and put back, and beta balls
/// of every other place are added. An empty urn gives every place the same probability. One cell a place in each stratum: its
/// balls. Page: docs/methods/allocation.md
///
/// source   Wei (1977), J. Am. Stat. Assoc. 72, 382-386; Wei (1978), J. Am. Stat. Assoc. 73, 559-563
struct Urn {
  static constexpr std::string_view keyword = "urn";
  std::vector<int> place_arm;
  std::size_t strata = 1;
  int alpha = 0, beta = 1;
  std::string words;

  static std::optional<Urn> parse(Setting const& setting, Section& text);
  std::size_t cells() const { return strata * place_arm.size(); }
  void start(Cells state) const;
  std::int32_t next(Cells state, Candidate const& who, random::Draw const& draw) const;
  std::string sentence() const { return words; }
};
static_assert(Method<Urn>);

}  // namespace equipoise::allocation
