#include "equipoise/stats/survival/rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

#include "equipoise/numerics/radix_sort.h"

namespace equipoise::stats {
namespace {

/// Times are finite, and not negative unless there is a start.
Expected<void> check_columns(Frame const& frame, std::string_view time, std::string_view event, std::string_view start) {
  if (frame.rows > (std::size_t(1) << 31))
    return fail(Code::out_of_range, "{} rows are more than a survival analysis takes", frame.rows);
  const NumbersView times = frame.numbers(time), events = frame.numbers(event);
  const double least = start.empty() ? 0 : std::numeric_limits<double>::lowest();
  const double most = std::numeric_limits<double>::max();
  std::size_t bad = 0;
  // Without && and ||, which forbid comparing four at a time.
  for (const double t : times) bad += !((t >= least) & (t <= most));
  for (const double e : events) bad += !((e == 0) | (e == 1));
  if (bad > 0) {
    for (const double t : times) {
      if (!std::isfinite(t)) return fail(Code::out_of_range, "column '{}' holds {}: a time must be finite", time, shortest(t));
      if (t < least) return fail(Code::out_of_range, "column '{}' holds {}: a time cannot be negative", time, shortest(t));
    }
    for (const double e : events)
      if (e != 0 && e != 1)
        return fail(Code::bad_cell, "column '{}' holds {}: an event is 1, a censored time 0", event, shortest(e));
  }
  if (start.empty()) return {};
  for (const double t : frame.numbers(start))
    if (!std::isfinite(t)) return fail(Code::out_of_range, "column '{}' holds {}: a start must be finite", start, shortest(t));
  return {};
}

/// Bits that compare as their numbers do.
std::uint64_t ordered_bits(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value + 0.0);  // -0 is 0
  constexpr std::uint64_t sign = std::uint64_t(1) << 63;
  return bits & sign ? ~bits : bits | sign;
}

/// Numbers 0 to n - 1 by increasing value, equal values by number.
struct Order {
  numerics::Column<std::uint32_t> numbers;
  numerics::Column<std::uint8_t> may_be_close;  // 0: further than `same_time` from the value before; empty: nothing is known
};

template <class Value>
Order ordered(std::size_t n, Value value) {
  std::uint64_t smallest = ~std::uint64_t(0), largest = 0;
  bool in_order = true;
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t bits = ordered_bits(value(i));
    smallest = std::min(smallest, bits);
    in_order = in_order && bits >= largest;
    largest = std::max(largest, bits);
  }
  Order order{numerics::Column<std::uint32_t>(n), {}};
  std::uint32_t* const numbers = order.numbers.data();
  if (in_order) {
    std::iota(order.numbers.begin(), order.numbers.end(), std::uint32_t(0));
    return order;
  }
  // A word is as much of the value as leaves room for the number; what that cannot tell apart is compared in full.
  const auto number_bits = unsigned(std::bit_width(n - 1));
  const auto value_bits = unsigned(std::bit_width(largest - smallest));
  const unsigned cut = value_bits + number_bits > 64 ? value_bits + number_bits - 64 : 0;
  const std::uint64_t of_number = (std::uint64_t(1) << number_bits) - 1;
  numerics::Words words(n);
  for (std::size_t i = 0; i < n; ++i) words.data()[i] = (ordered_bits(value(i)) - smallest) >> cut << number_bits | i;
  {
    numerics::Words scratch;
    numerics::radix_sort(words, scratch);
  }
  // In bits of a double, `same_time` is at most 2^53 * 1e-9 steps; one more for what was cut.
  const std::uint64_t close = (std::uint64_t(2 * 4503599627370496.0 * same_time) >> cut) + 1;
  order.may_be_close.resize(n);
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t word = words.data()[i], key = word >> number_bits;
    numbers[i] = std::uint32_t(word & of_number);
    order.may_be_close.data()[i] = i > 0 && key - before <= close;
    before = key;
  }
  if (cut == 0) return order;
  for (std::size_t begin = 0, end; begin < n; begin = end) {
    for (end = begin + 1; end < n && order.may_be_close[end] && words[end] >> number_bits == words[begin] >> number_bits;) ++end;
    if (end - begin > 1)
      std::sort(numbers + begin, numbers + end,
                [&](std::uint32_t a, std::uint32_t b) { return value(a) < value(b) || (value(a) == value(b) && a < b); });
  }
  return order;
}

}  // namespace

NearTies parse_near_ties(Section& options) {
  constexpr std::pair<std::string_view, NearTies> words[] = {{"merge", NearTies::merge}, {"keep", NearTies::keep}};
  return options.word<NearTies>("near_ties", words).value_or(NearTies::merge);
}

Expected<void> check_times(Frame const& frame, std::string_view time, std::string_view event) {
  return check_columns(frame, time, event, {});
}

Expected<SurvivalRows> survival_rows(Frame const& frame, std::string_view time, std::string_view event, std::string_view start,
                                     NearTies near_ties) {
  if (auto valid = check_columns(frame, time, event, start); !valid) return tl::unexpected(valid.error());
  const std::size_t n = frame.rows;
  const NumbersView times = frame.numbers(time), events = frame.numbers(event);
  const NumbersView starts = start.empty() ? NumbersView() : frame.numbers(start);

  SurvivalRows rows{.time = {times.begin(), times.end()}, .start = {starts.begin(), starts.end()}, .near_ties = near_ties};
  rows.event.resize(n);
  for (std::size_t i = 0; i < n; ++i) rows.event[i] = events[i] != 0;

  const auto value_of = [&](std::size_t i) { return i < n ? times[i] : starts[i - n]; };  // from n on a start
  Order order = starts.empty() ? ordered(n, [&](std::size_t i) { return times[i]; }) : ordered(n + starts.size(), value_of);
  numerics::Column<std::uint32_t>& numbers = order.numbers;
  std::vector<std::uint8_t> begins(numbers.size());
  for (std::size_t begin = 0, end; begin < numbers.size(); begin = end) {
    // One cluster: measured from its first value, so that a chain of close values does not grow without end.
    begins[begin] = 1;
    end = begin + 1;
    if (!order.may_be_close.empty() && (end == numbers.size() || !order.may_be_close.data()[end])) continue;
    const double kept = value_of(numbers[begin]);
    bool differ = false;
    for (double last = kept; end < numbers.size(); ++end) {
      const double value = value_of(numbers[end]);
      if (value - kept > same_time * std::max(std::abs(value), std::abs(kept))) break;
      if (value != last) {
        ++rows.near;
        begins[end] = near_ties == NearTies::keep;
        differ = true;
      }
      last = value;
    }
    if (!differ || near_ties == NearTies::keep) continue;
    for (std::size_t at = begin; at < end; ++at) (numbers[at] < n ? rows.time[numbers[at]] : rows.start[numbers[at] - n]) = kept;
    std::sort(numbers.begin() + std::ptrdiff_t(begin), numbers.begin() + std::ptrdiff_t(end));  // they came by their old values
  }
  rows.in_order.resize(n);
  bool new_time = false;
  std::size_t place = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    new_time = new_time || begins.data()[i] != 0;
    const std::uint32_t row = numbers.data()[i];
    if (row >= n) continue;  // a start
    numbers.data()[place] = row;
    rows.in_order.data()[place++] =
        std::uint8_t((rows.event.data()[row] ? SurvivalRows::has_event : 0) | (new_time ? SurvivalRows::begins_time : 0));
    new_time = false;
  }
  numbers.resize(n);
  rows.by_time = std::move(numbers);

  for (std::size_t i = 0; i < starts.size(); ++i)
    if (!(rows.start[i] < rows.time[i]))
      return fail(Code::out_of_range, "an interval at risk begins at {} and ends at {}: the start must come before the end",
                  shortest(starts[i]), shortest(times[i]));
  return rows;
}

std::string near_ties_note(std::size_t near, NearTies near_ties) {
  if (near == 0) return {};
  const std::string_view plural = near == 1 ? "" : "s", were = near == 1 ? "was" : "were";
  if (near_ties == NearTies::keep)
    return fmt::format("{} time{} within a relative 1e-9 of an earlier time {} kept as {} (near_ties = \"keep\").", near, plural,
                       were, near == 1 ? "a time of its own" : "times of their own");
  return fmt::format("{} time{} within a relative 1e-9 of an earlier time {} taken as that time.", near, plural, were);
}

std::vector<std::int64_t> class_counts(std::span<const std::int32_t> classes, std::size_t count) {
  constexpr std::size_t few = 4;  // classes that are counted sooner by a comparison of all rows with each
  if (count <= few) {
    constexpr std::size_t part = 4096;  // is read from the first level each time but one
    std::vector<std::int64_t> counts(count);
    for (; !classes.empty(); classes = classes.subspan(std::min(part, classes.size()))) {
      const std::span<const std::int32_t> here = classes.first(std::min(part, classes.size()));
      for (std::size_t c = 0; c < count; ++c) {
        std::int32_t rows = 0;  // as wide as the codes, so that eight are compared at a time
        for (const std::int32_t code : here) rows += code == std::int32_t(c);
        counts[c] += rows;
      }
    }
    return counts;
  }
  // Four tables in turn: with few classes one counter would wait for its own last increment.
  constexpr std::size_t tables = 4;
  std::vector<std::int64_t> counts(tables * count, 0);
  for (std::size_t i = 0; i < classes.size(); ++i) ++counts.data()[i % tables * count + std::size_t(classes[i])];
  for (std::size_t i = count; i < counts.size(); ++i) counts[i % count] += counts[i];
  counts.resize(count);
  return counts;
}

numerics::Column<std::uint32_t> increasing_order(std::span<const double> values) {
  if (values.empty()) return {};
  return ordered(values.size(), [&](std::size_t i) { return values[i]; }).numbers;
}

Partition partition(std::span<const std::uint32_t> order, std::span<const std::int32_t> classes, std::size_t count) {
  Partition parts{std::vector<std::uint32_t>(order.size()), std::vector<std::uint32_t>(count + 1, 0)};
  for (const std::uint32_t row : order) ++parts.begin[std::size_t(classes[row]) + 1];
  for (std::size_t c = 0; c < count; ++c) parts.begin[c + 1] += parts.begin[c];
  std::vector<std::uint32_t> next(parts.begin.begin(), parts.begin.end() - 1);
  for (const std::uint32_t row : order) parts.rows[next[std::size_t(classes[row])]++] = row;
  return parts;
}

}  // namespace equipoise::stats
