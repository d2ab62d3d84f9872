#include "equipoise/expression/interval.h"

#include <cmath>
#include <limits>

namespace equipoise::expression {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// What rounding and overflow may have left of a computed interval. Bounds that rounding has made equal are kept as an exact
/// number.
Interval computed(Interval found) {
  if (std::isnan(found.low) || std::isnan(found.high) || found.low == infinity || found.high == -infinity) return {};
  if (found.low == found.high) return Interval::exactly(found.low);
  found.low_open = found.low_open || found.low == -infinity;
  found.high_open = found.high_open || found.high == infinity;
  return found;
}

Interval scaled(Interval const& a, double low, double high, bool turned) {
  return computed(turned ? Interval{high, low, a.high_open, a.low_open} : Interval{low, high, a.low_open, a.high_open});
}

}  // namespace

Interval settled(Interval given) {
  const bool empty = !(given.low <= given.high) || (given.low == given.high && (given.low_open || given.high_open));
  return empty ? Interval{} : computed(given);
}

Interval add(Interval const& a, Interval const& b) {
  return computed({a.low + b.low, a.high + b.high, a.low_open || b.low_open, a.high_open || b.high_open});
}

Interval negate(Interval const& a) { return {-a.high, -a.low, a.high_open, a.low_open}; }

Interval multiply(Interval const& a, Interval const& b) {
  if (a.missing() || b.missing()) return {};
  if (!b.exact()) return a.exact() ? multiply(b, a) : Interval{};
  if (b.low == 0) return Interval::exactly(0);  // whatever the other is, it is finite
  return scaled(a, a.low * b.low, a.high * b.low, b.low < 0);
}

Interval divide(Interval const& a, Interval const& b) {
  if (a.missing() || !b.exact() || b.low == 0) return {};
  return scaled(a, a.low / b.low, a.high / b.low, b.low < 0);
}

Interval logarithm(Interval const& a) {
  if (!(a.high > 0)) return {};
  const bool from_zero = !(a.low > 0);
  return computed({from_zero ? -infinity : std::log(a.low), std::log(a.high), a.low_open || from_zero, a.high_open});
}

Interval smaller(Interval const& a, Interval const& b) {
  Interval found;
  found.low = std::fmin(a.low, b.low);
  found.high = std::fmin(a.high, b.high);
  // The lower bound is reached when one reaches it; the upper only when every one that ends there does.
  found.low_open = !((a.low == found.low && !a.low_open) || (b.low == found.low && !b.low_open));
  found.high_open = (a.high == found.high && a.high_open) || (b.high == found.high && b.high_open);
  return found;
}

std::uint8_t less(Interval const& a, Interval const& b) {
  if (a.missing() || b.missing()) return is_unknown;
  if (a.high < b.low || (a.high == b.low && (a.high_open || b.low_open))) return is_true;
  return a.low >= b.high ? is_false : is_unknown;
}

std::uint8_t equal(Interval const& a, Interval const& b) {
  if (a.missing() || b.missing()) return is_unknown;
  if (a.exact() && b.exact()) return to_truth(a.low == b.low);
  return less(a, b) == is_true || less(b, a) == is_true ? is_false : is_unknown;
}

}  // namespace equipoise::expression
