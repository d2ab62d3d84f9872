#include "equipoise/stats/survival/concordance.h"

#include <algorithm>
#include <vector>

namespace equipoise::stats {
namespace {

/// Counts by rank with prefix sums in O(log n).
class Fenwick {
 public:
  void resize(std::size_t ranks) {
    counts_.assign(ranks + 1, 0);
    of_rank_.assign(ranks, 0);
  }
  void add(std::size_t rank, std::int32_t count) {
    of_rank_.data()[rank] += count;
    for (std::size_t i = rank + 1; i < counts_.size(); i += i & (~i + 1)) counts_.data()[i] += count;
  }
  std::int64_t below(std::size_t rank) const {
    std::int64_t total = 0;
    for (std::size_t i = rank; i > 0; i -= i & (~i + 1)) total += counts_.data()[i];
    return total;
  }
  std::int64_t at(std::size_t rank) const { return of_rank_[rank]; }

 private:
  std::vector<std::int32_t> counts_, of_rank_;  // at most 2^31 rows
};

}  // namespace

double Concordance::c() const {
  const std::int64_t pairs = concordant + discordant + tied;
  return pairs > 0 ? (double(concordant) + 0.5 * double(tied)) / double(pairs) : missing_number;
}

Concordance concordance(SurvivalRows const& data, std::span<const double> predictor, std::span<const std::int32_t> stratum,
                        std::size_t strata) {
  Concordance result;
  Fenwick at_risk;
  std::vector<std::uint32_t> rank(data.size()), by_start;
  const Partition parts = partition(data.by_time, stratum, strata);
  const Partition by_predictor = partition(increasing_order(predictor), stratum, strata);
  for (std::size_t s = 0; s < strata; ++s) {
    const std::span<const std::uint32_t> rows = parts.of(s);
    std::uint32_t ranks = 0;
    for (std::uint32_t last = 0; const std::uint32_t row : by_predictor.of(s)) {
      ranks += ranks == 0 || predictor[row] != predictor[last];
      rank[row] = ranks - 1;
      last = row;
    }
    at_risk.resize(ranks);
    std::int64_t size = 0;
    if (!data.start.empty()) {
      by_start.assign(rows.begin(), rows.end());
      std::stable_sort(by_start.begin(), by_start.end(),
                       [&](std::uint32_t a, std::uint32_t b) { return data.start[a] > data.start[b]; });
    }
    std::size_t left = 0;
    for (std::size_t end = rows.size(); end > 0;) {
      const double t = data.time[rows[end - 1]];
      std::size_t begin = end;
      while (begin > 0 && data.time[rows[begin - 1]] == t) --begin;
      // Whoever starts at t or later is not at risk at t. All of them end after t, so they are in the tree.
      for (; !data.start.empty() && left < by_start.size() && data.start[by_start[left]] >= t; ++left)
        at_risk.add(rank[by_start[left]], -1), --size;
      for (std::size_t i = begin; i < end; ++i)
        if (!data.event[rows[i]]) at_risk.add(rank[rows[i]], 1), ++size;
      for (std::size_t i = begin; i < end; ++i) {
        if (!data.event[rows[i]]) continue;
        const std::int64_t below = at_risk.below(rank[rows[i]]), up_to = below + at_risk.at(rank[rows[i]]);
        result.concordant += below;
        result.tied += up_to - below;
        result.discordant += size - up_to;
      }
      for (std::size_t i = begin; i < end; ++i)
        if (data.event[rows[i]]) at_risk.add(rank[rows[i]], 1), ++size;
      end = begin;
    }
  }
  return result;
}

}  // namespace equipoise::stats
