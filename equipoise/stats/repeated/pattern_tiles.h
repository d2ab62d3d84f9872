#pragma once

#include <type_traits>

#include "equipoise/stats/repeated/pattern_sums.h"

namespace equipoise::stats::folded {

/// 4 C patterns side by side. A pattern's numbers are the same in whichever tile it stands; in a wide one no sum waits for the
/// step before it, as those of the other patterns come between.
template <Index C>
struct Tile {
  static constexpr Index size = width * C;
  Lanes of[C];

  static Tile all(double value) {
    Tile made;
    for (Lanes& lanes : made.of) lanes = numerics::everywhere(value);
    return made;
  }
  static Tile load(double const* from) {
    Tile made;
    for (Index c = 0; c < C; ++c) made.of[c] = numerics::load(from + width * c);
    return made;
  }
  void store(double* to) const {
    for (Index c = 0; c < C; ++c) numerics::store(to + width * c, of[c]);
  }
  /// += a b and -= a b, rounded once.
  void add(Tile const& a, Tile const& b) {
    for (Index c = 0; c < C; ++c) of[c] = numerics::fused(a.of[c], b.of[c], of[c]);
  }
  void subtract(Tile const& a, Tile const& b) {
    for (Index c = 0; c < C; ++c) of[c] = numerics::fused_less(a.of[c], b.of[c], of[c]);
  }
  friend Tile operator+(Tile a, Tile const& b) {
    for (Index c = 0; c < C; ++c) a.of[c] += b.of[c];
    return a;
  }
  friend Tile operator-(Tile a, Tile const& b) {
    for (Index c = 0; c < C; ++c) a.of[c] -= b.of[c];
    return a;
  }
  friend Tile operator*(Tile a, Tile const& b) {
    for (Index c = 0; c < C; ++c) a.of[c] *= b.of[c];
    return a;
  }
  friend Tile operator/(Tile a, Tile const& b) {
    for (Index c = 0; c < C; ++c) a.of[c] /= b.of[c];
    return a;
  }
  Tile size_of() const {
    Tile made;
    for (Index c = 0; c < C; ++c) made.of[c] = of[c] < 0 ? -of[c] : of[c];
    return made;
  }
  /// Adds the lanes of every four patterns to `sum`, in the patterns' order.
  void add_to(Lanes& sum) const {
    for (Lanes const& lanes : of) sum += lanes;
  }
};

constexpr Index widest_tile = 2;

/// Calls each(C, g) for tiles that cover the patterns from `first` to `end`, C a constant: false as soon as a call is.
template <class Each>
bool in_tiles(Index first, Index end, Each&& each) {
  for (; first + 2 * width <= end; first += 2 * width)
    if (!each(std::integral_constant<Index, 2>(), first)) return false;
  return first == end || each(std::integral_constant<Index, 1>(), first);
}

}  // namespace equipoise::stats::folded
