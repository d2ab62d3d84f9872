#include "equipoise/stats/survival/ordered_times.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/radix_sort.h"

namespace equipoise::stats {
namespace {

constexpr double counted_below = 65536;  // whole numbers below this differ by far more than `same_time`
constexpr std::size_t cells_a_row = 4;   // a table is cheaper than a sort while it is not much longer than the data
constexpr std::size_t few_rows = 256, small_table = 65536;  // that of many rows, while it stays in the cache

/// What one look at the times says.
struct Look {
  std::uint64_t smallest = ~std::uint64_t(0);  // bits of the smallest time above 0
  std::uint64_t largest = 0;                   // bits of the largest
  bool whole = true;
};

/// -0 is 0.
std::uint64_t bits_of(double time) { return std::bit_cast<std::uint64_t>(time + 0.0); }

Look look_at(NumbersView times) {
  Look look;
  for (const double t : times) {
    const std::uint64_t bits = bits_of(t);
    look.smallest = std::min(look.smallest, bits - 1);  // 0 becomes the largest of all
    look.largest = std::max(look.largest, bits);
  }
  ++look.smallest;
  if (look.largest < bits_of(counted_below))
    for (const double t : times)
      if (t != double(std::int32_t(t))) {
        look.whole = false;
        break;
      }
  return look;
}

}  // namespace

Expected<OrderedTimes> OrderedTimes::of(Frame const& frame, std::string_view time, std::string_view event,
                                        std::span<const std::int32_t> classes, std::size_t count, NearTies near_ties) {
  if (auto valid = check_times(frame, time, event); !valid) return tl::unexpected(valid.error());
  const NumbersView times = frame.numbers(time), events = frame.numbers(event);
  OrderedTimes made;
  made.class_rows_ = class_counts(classes, count);
  if (frame.rows == 0) return made;

  const Look look = look_at(times);
  made.last_ = std::bit_cast<double>(look.largest);
  made.class_bits_ = unsigned(std::bit_width(count - 1));
  if (look.whole && made.last_ < counted_below) {
    const std::size_t values = std::size_t(made.last_) + 1;
    if (values * count <= std::max(cells_a_row * frame.rows, frame.rows > few_rows ? small_table : 0)) {
      made.counts_.assign(values * count * 2, 0);
      for (std::size_t i = 0; i < frame.rows; ++i) {
        std::uint32_t* cell = made.counts_.data() + (std::size_t(times[i]) * count + std::size_t(classes[i])) * 2;
        ++cell[0];
        cell[1] += events[i] != 0;
      }
      return made;
    }
  }
  const std::uint64_t range = look.largest >= look.smallest ? look.largest - look.smallest + 1 : 0;
  if (unsigned(std::bit_width(range)) + made.class_bits_ + 1 <= 64) {
    made.sort_words(times, events, classes, look.smallest, near_ties);
    return made;
  }
  auto rows = survival_rows(frame, time, event, {}, near_ties);
  if (!rows) return tl::unexpected(rows.error());
  made.near_ = rows->near;
  made.by_row_ = std::move(*rows);
  made.row_class_.assign(classes.begin(), classes.end());
  return made;
}

void OrderedTimes::sort_words(NumbersView times, NumbersView events, std::span<const std::int32_t> classes,
                              std::uint64_t smallest, NearTies near_ties) {
  const unsigned payload = class_bits_ + 1;
  smallest_ = smallest;
  words_.resize(times.size());
  // Those of the last time, often that of the end of the trial, are not sorted among each other.
  const std::uint64_t latest = bits_of(last_);
  const bool few = times.size() <= numerics::short_words;
  const std::size_t n = times.size();
  std::size_t before = 0, from = n;
  double const *time = times.data(), *event = events.data();
  std::int32_t const* of_row = classes.data();
  std::uint64_t* to = words_.data();
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint64_t bits = bits_of(time[i]);
    const std::uint64_t key = bits == 0 ? 0 : bits - smallest + 1;
    const std::uint64_t word = key << payload | std::uint64_t(of_row[i]) << 1 | std::uint64_t(event[i] != 0);
    const bool last = few & (bits == latest);
    to[before] = to[from - 1] = word;  // at both ends of what is left: the end that it does not belong to is written again
    before += !last, from -= last;
  }
  if (few) {
    numerics::short_sort({words_.data(), before});
  } else {
    numerics::Words scratch;
    numerics::radix_sort(words_, scratch);
  }
  // Near ties, rare: in bits of a double, same_time is at most 2^52 * 1e-9 * 2 steps (and 0 is near to nothing).
  constexpr std::int64_t close = std::int64_t(2 * 4503599627370496.0 * same_time) + 1;
  const auto time_of = [&](std::uint64_t word) {
    const std::uint64_t key = word >> payload;
    return key == 0 ? 0.0 : std::bit_cast<double>(key - 1 + smallest);
  };
  std::uint64_t kept = words_.front() >> payload, last = kept;
  double kept_time = time_of(words_.front());
  // Most parts have no two neighbours that are near, and looking for them takes four at a time.
  constexpr std::size_t part = 64;
  std::uint64_t* const words = words_.data();
  const auto far_apart = [&](std::size_t begin) {
    std::uint64_t near = 0;
    for (std::size_t i = begin; i < begin + part; ++i)
      near |= std::uint64_t(std::int64_t((words[i] >> payload) - (words[i - 1] >> payload)) <= close);
    return near == 0;
  };
  for (std::size_t i = 0; i < words_.size(); ++i) {
    if (i % part == 1 && i + part <= words_.size() && far_apart(i)) {
      i += part - 1;
      kept = last = words[i] >> payload;
      kept_time = time_of(words[i]);
      continue;
    }
    std::uint64_t& word = words[i];
    const std::uint64_t key = word >> payload;
    if (key == kept) {
      last = key;
    } else if (key - kept > std::uint64_t(close) || time_of(word) - kept_time > same_time * time_of(word)) {
      kept = last = key;
      kept_time = time_of(word);
    } else {
      near_ += key != last;
      last = key;
      if (near_ties == NearTies::merge) word = kept << payload | (word & ((std::uint64_t(1) << payload) - 1));
    }
  }
}

}  // namespace equipoise::stats
