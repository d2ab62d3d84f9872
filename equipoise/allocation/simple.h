#pragma once

#include "equipoise/allocation/method.h"

namespace equipoise::allocation {

/// Simple randomisation: each participant by the ratio, whatever came before. Page: docs/methods/allocation.md
struct Simple {
  static constexpr std::string_view keyword = "simple";
  std::vector<int> place_arm;

  static std::optional<Simple> parse(Setting const& setting, Section& text);
  std::size_t cells() const { return 0; }
  void start(Cells) const {}
  std::int32_t next(Cells, Candidate const& who, random::Draw const& draw) const {
    return place_arm[any_of(who.open_places, draw, 0)];
  }
  std::string sentence() const { return "simple randomisation"; }
};
static_assert(Method<Simple>);

}  // namespace equipoise::allocation
