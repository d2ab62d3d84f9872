#include "equipoise/stats/continuous/ordered_null.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace equipoise::stats {
namespace {

constexpr double most_additions = 2e9;
constexpr std::size_t most_probabilities = 30'000'000;
// Finding a point costs about as much as so many additions, and keeping it as so many probabilities.
constexpr std::size_t point_work = 4096, point_storage = 32;

double choose(std::uint32_t n, std::uint32_t k) {
  double ways = 1;
  for (std::uint32_t i = 1; i <= std::min(k, n - k); ++i) ways = ways * (n - i + 1) / i;
  return ways;
}

/// How many values of each group are dealt -> probabilities of step * J at that point.
using Dealt = std::vector<std::uint32_t>;
using Layer = std::map<Dealt, std::vector<double>>;

class Dealer {
 public:
  Dealer(std::span<const std::uint32_t> sizes, std::size_t step) : sizes_(sizes), step_(step) {}

  /// False when the work or the storage is too much.
  bool deal(Layer const& before, std::uint32_t block, Layer& after) {
    stored_ = 0;
    for (auto const& [dealt, probability] : before) {
      std::uint32_t left = 0;
      for (std::size_t i = 0; i < sizes_.size(); ++i) left += sizes_[i] - dealt[i];
      Dealt part(sizes_.size(), 0);
      if (!share_out(dealt, probability, part, 0, block, 1 / choose(left, block), after)) return false;
    }
    return true;
  }

 private:
  /// Gives c_i = 0, 1, ... of the rest of the block to group i, and what then remains to the later groups.
  bool share_out(Dealt const& dealt, std::vector<double> const& probability, Dealt& part, std::size_t i, std::uint32_t rest,
                 double weight, Layer& after) {
    const std::uint32_t room = sizes_[i] - dealt[i];
    if (i + 1 == sizes_.size()) {
      if (rest > room) return true;
      part[i] = rest;
      return add(dealt, probability, part, weight * choose(room, rest), after);
    }
    for (std::uint32_t c = 0; c <= std::min(rest, room); ++c) {
      part[i] = c;
      if (!share_out(dealt, probability, part, i + 1, rest - c, weight * choose(room, c), after)) return false;
    }
    return true;
  }

  bool add(Dealt const& dealt, std::vector<double> const& probability, Dealt const& part, double weight, Layer& after) {
    std::size_t twice = 0, before = 0, within = 0;
    Dealt reached(dealt);
    for (std::size_t j = 0; j < part.size(); ++j) {
      twice += (2 * before + within) * part[j];
      before += dealt[j], within += part[j];
      reached[j] += part[j];
    }
    const std::size_t shift = step_ == 2 ? twice : twice / 2;
    const auto [found, made] = after.try_emplace(std::move(reached));
    std::vector<double>& target = found->second;
    if (made) stored_ += point_storage;
    const std::size_t size = probability.size() + shift;
    if (target.size() < size) stored_ += size - target.size(), target.resize(size, 0.0);
    additions_ += double(probability.size() + point_work);
    if (additions_ > most_additions || stored_ > most_probabilities) return false;
    for (std::size_t s = 0; s < probability.size(); ++s) target[s + shift] += weight * probability[s];
    return true;
  }

  std::span<const std::uint32_t> sizes_;
  std::size_t step_;
  double additions_ = 0;
  std::size_t stored_ = 0;
};

}  // namespace

double OrderedNull::lower(double j) const {
  const double last = std::round(j * step);
  double sum = 0;
  for (std::size_t s = 0; s < probability.size() && double(s) <= last; ++s) sum += probability[s];
  return std::fmin(sum, 1.0);
}

double OrderedNull::upper(double j) const {
  const double first = std::round(j * step);
  double sum = 0;
  for (std::size_t s = probability.size(); s-- > 0 && double(s) >= first;) sum += probability[s];
  return std::fmin(sum, 1.0);
}

Expected<OrderedNull> ordered_null(std::span<const std::uint32_t> blocks, std::span<const std::uint32_t> sizes) {
  expects(!sizes.empty(), "values are dealt out to groups");
  expects(std::accumulate(blocks.begin(), blocks.end(), 0ull) == std::accumulate(sizes.begin(), sizes.end(), 0ull),
          "the blocks are the values of the groups");
  const bool ties = std::any_of(blocks.begin(), blocks.end(), [](std::uint32_t size) { return size > 1; });
  OrderedNull null{{}, ties ? 2 : 1};
  const auto n = std::accumulate(blocks.begin(), blocks.end(), 0ull);
  const auto too_large = [n, &sizes] {
    return fail(Code::out_of_range, "the exact distribution of {} values in {} groups is too large to compute", n, sizes.size());
  };
  if (n > 1000) return too_large();  // beyond, the number of ways to choose half of them is no double
  Dealer dealer(sizes, std::size_t(null.step));
  Layer layer{{Dealt(sizes.size(), 0), {1.0}}};
  for (const std::uint32_t block : blocks) {
    Layer next;
    if (!dealer.deal(layer, block, next)) return too_large();
    layer = std::move(next);
  }
  null.probability = std::move(layer.begin()->second);
  return null;
}

}  // namespace equipoise::stats
