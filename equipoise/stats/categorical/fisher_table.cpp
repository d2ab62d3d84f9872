#include "equipoise/stats/categorical/fisher_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>

#include "equipoise/numerics/sum.h"

namespace equipoise::stats {
namespace {

using Counts = std::vector<int>;

constexpr double unit = 1e-10;      // logarithms of factorials are whole multiples of this: sums are exact, in any order
constexpr std::int64_t tie = 1000;  // 1e-7, the definition's tolerance; 100 cells err by 5e-9 at most
constexpr std::int64_t most_steps = 300'000'000;
constexpr std::int64_t sorting = 30;             // steps that sorting and reading one way to deal a column take
constexpr std::size_t most_classes = 8'000'000;  // 128 MB
constexpr std::int64_t most_people = 1'000'000;

/// Partial tables with one product of factorials: the sum of their logarithms, and the probability of all of them.
struct Class {
  std::int64_t key;
  double probability;
};

/// Classes by key: open addressing, twice as many slots as classes. Keys are not negative.
class Classes {
 public:
  void add(std::int64_t key, double probability) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    Class& slot = find(key);
    if (slot.key < 0) slot.key = key, ++size_;
    slot.probability += probability;
  }
  std::size_t size() const { return size_; }

  /// In ascending order of the keys.
  std::vector<Class> sorted() const {
    std::vector<Class> made;
    made.reserve(size_);
    for (Class const& slot : slots_)
      if (slot.key >= 0) made.push_back(slot);
    std::sort(made.begin(), made.end(), [](Class const& x, Class const& y) { return x.key < y.key; });
    return made;
  }

 private:
  Class& find(std::int64_t key) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = std::size_t((std::uint64_t(key) * 0x9E3779B97F4A7C15u) >> 32) & mask;
    while (slots_[at].key >= 0 && slots_[at].key != key) at = (at + 1) & mask;
    return slots_[at];
  }
  void grow() {
    std::vector<Class> old(std::max<std::size_t>(8, 2 * slots_.size()), Class{-1, 0.0});
    old.swap(slots_);
    for (Class const& slot : old)
      if (slot.key >= 0) find(slot.key) = slot;
  }

  std::vector<Class> slots_;
  std::size_t size_ = 0;
};

/// One way, or several alike, to deal a column: what is left of the rows (packed), key and probability of the column.
struct Arc {
  std::uint64_t rest;
  std::int64_t key;
  double probability;
};

void merge_alike(std::vector<Arc>& arcs) {
  std::sort(arcs.begin(), arcs.end(),
            [](Arc const& x, Arc const& y) { return x.rest != y.rest ? x.rest < y.rest : x.key < y.key; });
  std::size_t kept = 0;
  for (Arc const& arc : arcs) {
    if (kept > 0 && arcs[kept - 1].rest == arc.rest && arcs[kept - 1].key == arc.key)
      arcs[kept - 1].probability += arc.probability;
    else arcs[kept++] = arc;
  }
  arcs.resize(kept);
}

class Network {
 public:
  Network(std::vector<std::int64_t> const& rows, std::vector<std::int64_t> const& columns, std::int64_t n) {
    for (const std::int64_t r : rows) rows_.push_back(int(r));
    for (const std::int64_t c : columns) columns_.push_back(int(c));
    std::sort(columns_.begin(), columns_.end());  // short columns first: few classes reach the long ones, which come last
    while ((std::int64_t(1) << bits_) <= n) ++bits_;
    log_factorial_.resize(std::size_t(n) + 1);
    key_.resize(log_factorial_.size());
    for (std::size_t x = 0; x < key_.size(); ++x) {
      log_factorial_[x] = std::lgamma(double(x) + 1);
      key_[x] = std::llround(log_factorial_[x] / unit);
    }
  }

  /// Whether what is left of the rows fits into 64 bits; a table beyond has too many nodes anyway.
  bool can_pack() const { return rows_.size() * bits_ <= 64; }

  std::int64_t key_of(Contingency const& table) const {
    std::int64_t key = 0;
    for (const std::int64_t x : table.count) key += key_[std::size_t(x)];
    return key;
  }

  /// The probability of the tables whose key is at least `least`: rare tables have large factorials. Nothing when it takes too
  /// long.
  std::optional<double> tail(std::int64_t least) {
    std::map<std::uint64_t, Classes> nodes;
    nodes[packed(rows_)].add(0, 1.0);
    numerics::Sum counted;
    std::size_t column = 0;
    std::vector<Arc> arcs;
    for (; column + 2 < columns_.size(); ++column) {
      std::map<std::uint64_t, Classes> next;
      for (auto& [left, classes] : nodes) {
        const std::vector<Class> here = classes.sorted();
        classes = {};
        std::vector<double> above(here.size() + 1, 0.0);  // probability of the classes from a position on
        for (std::size_t i = here.size(); i-- > 0;) above[i] = above[i + 1] + here[i].probability;
        if (here.empty()) continue;
        if (!deal(unpacked(left), columns_[column], arcs)) return {};
        const auto first_with = [&](std::int64_t key) {
          const auto found =
              std::lower_bound(here.begin(), here.end(), key, [](Class const& one, std::int64_t k) { return one.key < k; });
          return std::size_t(found - here.begin());
        };
        for (std::size_t i = 0; i < arcs.size();) {
          const std::uint64_t child = arcs[i].rest;
          const auto [low, high] = bounds(unpacked(child), column + 1);
          Classes& there = next[child];
          for (; i < arcs.size() && arcs[i].rest == child; ++i) {
            // Classes that may suffice, and from where on they suffice whatever follows.
            const std::size_t from = first_with(least - high - arcs[i].key), surely = first_with(least - low - arcs[i].key);
            counted.add(above[surely] * arcs[i].probability);
            steps_ += std::int64_t(surely - from);
            if (steps_ > most_steps) return {};
            for (std::size_t k = from; k < surely; ++k)
              there.add(here[k].key + arcs[i].key, here[k].probability * arcs[i].probability);
          }
        }
      }
      std::size_t kept = 0;
      for (auto const& [child, classes] : next) kept += classes.size();
      if (kept > most_classes) return {};
      nodes = std::move(next);
    }
    for (auto const& [left, classes] : nodes) {
      const std::vector<Class> here = classes.sorted();
      if (here.empty()) continue;
      if (!deal(unpacked(left), columns_[column], arcs)) return {};
      Classes ends;
      for (Arc const& arc : arcs) {
        std::int64_t rest = 0;
        for (const int x : unpacked(arc.rest)) rest += key_[std::size_t(x)];
        ends.add(arc.key + rest, arc.probability);
      }
      // Both sides ascend: the ends that suffice for a class are all from some position on, which moves down as the class goes
      // up.
      const std::vector<Class> futures = ends.sorted();
      steps_ += std::int64_t(here.size() + futures.size());
      std::size_t from = futures.size();
      numerics::Sum enough;
      for (Class const& one : here) {
        while (from > 0 && futures[from - 1].key + one.key >= least) enough.add(futures[--from].probability);
        counted.add(one.probability * enough.value());
      }
    }
    return std::min(1.0, counted.value());
  }

 private:
  /// Sorted, so that nodes which differ in the order of their rows are one.
  std::uint64_t packed(Counts const& left) const {
    std::array<int, 64> sorted;  // can_pack: one bit a row at least
    std::size_t size = 0;
    for (const int r : left) {
      std::size_t at = size++;
      for (; at > 0 && sorted[at - 1] > r; --at) sorted[at] = sorted[at - 1];
      sorted[at] = r;
    }
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < size; ++i) bits = (bits << bits_) | std::uint64_t(sorted[i]);
    return bits;
  }
  Counts unpacked(std::uint64_t bits) const {
    Counts left(rows_.size());
    const std::uint64_t mask = (std::uint64_t(1) << bits_) - 1;
    for (std::size_t i = left.size(); i-- > 0; bits >>= bits_) left[i] = int(bits & mask);
    return left;
  }

  /// Every way to take `size` out of what is left of the rows, with its hypergeometric probability.
  bool deal(Counts const& left, int size, std::vector<Arc>& arcs) {
    arcs.clear();
    int all = 0;
    for (const int r : left) all += r;
    Counts rest = left;
    if (!deal_row(0, left, size, all, 0, -choose(all, size), rest, arcs)) return false;
    // Two rows are dealt in order. More have to be sorted, which takes far longer than dealing them.
    if (left.size() > 2) steps_ += std::int64_t(arcs.size()) * sorting;
    if (steps_ > most_steps) return false;
    merge_alike(arcs);
    return true;
  }

  bool deal_row(std::size_t row, Counts const& left, int size, int beyond, std::int64_t key, double log_ways, Counts& rest,
                std::vector<Arc>& arcs) {
    beyond -= left[row];  // what the rows after this one can give
    if (row + 1 == left.size()) {
      if (++steps_ > most_steps || arcs.size() > most_classes) return false;
      rest[row] = left[row] - size;
      arcs.push_back({packed(rest), key + key_[std::size_t(size)], std::exp(log_ways + choose(left[row], size))});
      return true;
    }
    for (int x = std::max(0, size - beyond); x <= std::min(size, left[row]); ++x) {
      rest[row] = left[row] - x;
      if (!deal_row(row + 1, left, size - x, beyond, key + key_[std::size_t(x)], log_ways + choose(left[row], x), rest, arcs))
        return false;
    }
    return true;
  }

  double choose(int n, int k) const {
    return log_factorial_[std::size_t(n)] - log_factorial_[std::size_t(k)] - log_factorial_[std::size_t(n - k)];
  }

  /// Bounds of the key that the columns from `column` on can add: log x! is convex, so that a margin spread evenly adds least and
  /// one in a single cell adds most.
  std::pair<std::int64_t, std::int64_t> bounds(Counts const& left, std::size_t column) const {
    const auto even = [&](int sum, int cells) {
      return std::int64_t(cells - sum % cells) * key_[std::size_t(sum / cells)] +
             std::int64_t(sum % cells) * (sum % cells ? key_[std::size_t(sum / cells + 1)] : 0);
    };
    std::int64_t low_rows = 0, high_rows = 0, low_columns = 0, high_columns = 0;
    for (const int r : left) low_rows += even(r, int(columns_.size() - column)), high_rows += key_[std::size_t(r)];
    for (std::size_t j = column; j < columns_.size(); ++j)
      low_columns += even(columns_[j], int(left.size())), high_columns += key_[std::size_t(columns_[j])];
    // Keys are rounded and convexity holds to that rounding: half a unit a cell.
    const std::int64_t slack = std::int64_t(left.size()) * std::int64_t(columns_.size());
    return {std::max(low_rows, low_columns) - slack, std::min(high_rows, high_columns) + slack};
  }

  Counts rows_, columns_;
  unsigned bits_ = 1;
  std::vector<double> log_factorial_;
  std::vector<std::int64_t> key_;
  std::int64_t steps_ = 0;
};

}  // namespace

Expected<double> fisher_exact_table(Contingency const& table) {
  std::vector<std::int64_t> rows = table.row_sums(), columns = table.column_sums();
  if (rows.size() < 2 || columns.size() < 2) return 1.0;
  if (rows.size() > columns.size()) std::swap(rows, columns);  // few rows make few nodes
  const std::int64_t n = table.total();
  std::optional<double> p;
  if (n <= most_people) {
    Network network(rows, columns, n);
    if (network.can_pack()) p = network.tail(network.key_of(table) - tie);
  }
  if (!p)
    return fail(Code::out_of_range,
                "the exact test of {} groups by {} responses in {} rows has too many tables: more than {} steps; join rare "
                "categories, or take pearson_chi_square",
                table.rows.size(), table.columns.size(), n, most_steps);
  return *p;
}

}  // namespace equipoise::stats
