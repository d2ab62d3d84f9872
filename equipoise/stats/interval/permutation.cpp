#include "equipoise/stats/interval/permutation.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "equipoise/numerics/sum.h"

namespace equipoise::stats {
namespace {

constexpr double coarsest = 0.01;   // what rounding may add to the sum, beside its standard deviation over the arrangements
constexpr double most_work = 1e9;   // sums visited: some seconds

/// Arrangements of the rows so far: how many of the stratum's rows are in the level, their sum, and the share of arrangements.
struct State {
  std::int32_t taken;
  std::int64_t sum;
  double share;
  bool before(State const& other) const { return taken < other.taken || (taken == other.taken && sum < other.sum); }
  bool same(State const& other) const { return taken == other.taken && sum == other.sum; }
};

std::vector<double> centred(ScoredStratum const& stratum) {
  std::vector<double> scores = stratum.score;
  const double mean = numerics::sum(scores) / double(scores.size());
  for (double& c : scores) c -= mean;
  return scores;
}

/// Each state with the next row left out, and with it taken (`sum` more); nothing when these are more than `most`.
std::optional<std::vector<State>> with_row(std::vector<State> const& states, std::int64_t sum, std::int32_t least,
                                           std::int32_t most_taken, std::size_t most) {
  std::vector<State> next;
  next.reserve(std::min(2 * states.size(), most));
  const auto put = [&](State state) {
    if (state.taken < least || state.taken > most_taken) return;
    if (!next.empty() && next.back().same(state)) next.back().share += state.share;
    else next.push_back(state);
  };
  const auto taken = [&](State state) { return State{state.taken + 1, state.sum + sum, state.share}; };
  for (std::size_t out = 0, in = 0; out < states.size() || in < states.size();) {
    const bool leaves_out = in == states.size() || (out < states.size() && states[out].before(taken(states[in])));
    State state = leaves_out ? states[out++] : taken(states[in++]);
    state.share /= 2;  // keeps the numbers of arrangements within a double; divided out at the end
    put(state);
    if (next.size() > most) return {};
  }
  return next;
}

/// Whether the scores keep their weight when they are rounded to units: the sum of what rounding takes away varies little over the
/// arrangements beside the sum of the scores.
bool fine_enough(std::span<const ScoredStratum> strata, std::int32_t level, double unit) {
  const auto variance = [&](std::vector<ScoredStratum> const& of) {
    std::vector<ScoredStratum> two = of;
    for (ScoredStratum& stratum : two)
      for (std::int32_t& g : stratum.group) g = g == level;
    return permutation_sums(two, 2).covariance[3];
  };
  std::vector<ScoredStratum> whole(strata.begin(), strata.end()), lost = whole;
  for (ScoredStratum& stratum : lost) {
    stratum.score = centred(stratum);
    for (double& c : stratum.score) c -= unit * std::round(c / unit);
  }
  return variance(lost) <= coarsest * coarsest * variance(whole);
}

/// P by counting in units of `unit`; nothing when there are more than `most` sums, or they take too long.
std::optional<double> count(std::span<const ScoredStratum> strata, std::int32_t level, double unit, double tolerance,
                            std::size_t most) {
  std::vector<State> states{{0, 0, 1.0}};
  std::int64_t observed = 0;
  double work = 0;
  for (ScoredStratum const& stratum : strata) {
    const std::vector<double> scores = centred(stratum);
    const auto wanted = std::int32_t(std::count(stratum.group.begin(), stratum.group.end(), level));
    // In the order of the scores, so that the rows' order changes nothing.
    std::vector<std::int64_t> units;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      units.push_back(std::llround(scores[i] / unit));
      if (stratum.group[i] == level) observed += units.back();
    }
    std::sort(units.begin(), units.end());
    for (std::size_t i = 0; i < units.size(); ++i) {
      const auto left = std::int32_t(units.size() - i - 1);
      auto next = with_row(states, units[i], wanted - left, wanted, most);
      work += double(states.size());
      if (!next || work > most_work) return {};
      states = std::move(*next);
    }
    for (State& state : states) state.taken = 0;
  }
  numerics::Sum all, extreme;
  const double reach = std::abs(double(observed)) - tolerance / unit;
  for (State const& state : states) {
    all.add(state.share);
    if (std::abs(double(state.sum)) >= reach) extreme.add(state.share);
  }
  return std::min(extreme.value() / all.value(), 1.0);
}

}  // namespace

PermutationSums permutation_sums(std::span<const ScoredStratum> strata, std::size_t groups) {
  PermutationSums sums{std::vector<double>(groups, 0.0), std::vector<double>(groups * groups, 0.0),
                       std::vector<double>(groups, 0.0)};
  for (ScoredStratum const& stratum : strata) {
    const double n = double(stratum.score.size());
    const std::vector<double> scores = centred(stratum);
    std::vector<numerics::Sum> excess(groups);
    std::vector<double> rows(groups, 0.0);
    numerics::Sum squares;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const auto g = std::size_t(stratum.group[i]);
      excess[g].add(scores[i]);
      rows[g] += 1;
      squares.add(scores[i] * scores[i]);
    }
    const double spread = n > 1 ? squares.value() / (n - 1) : 0.0;
    for (std::size_t g = 0; g < groups; ++g) {
      if (n > 1) sums.excess[g] += excess[g].value();
      sums.rows[g] += rows[g];
      for (std::size_t h = 0; h < groups; ++h)
        sums.covariance[g * groups + h] += spread * ((g == h ? rows[g] : 0.0) - rows[g] * rows[h] / n);
    }
  }
  return sums;
}

std::optional<ExactP> exact_two_sided(std::span<const ScoredStratum> strata, std::int32_t level, std::size_t most_sums) {
  numerics::Sum size;
  std::int32_t most_taken = 1;
  for (ScoredStratum const& stratum : strata) {
    for (const double c : centred(stratum)) size.add(std::abs(c));
    most_taken = std::max(most_taken, std::int32_t(std::count(stratum.group.begin(), stratum.group.end(), level)) + 1);
  }
  const double range = size.value();
  if (!(range > 0)) return ExactP{};  // all scores equal: every arrangement is as extreme
  if (const auto p = count(strata, level, range * 0x1p-50, range * 1e-8, most_sums)) return ExactP{*p, false};
  // Sums lie between -range / 2 and range / 2.
  const double unit = range * double(most_taken) / (0.9 * double(most_sums));
  if (!fine_enough(strata, level, unit)) return {};
  const auto p = count(strata, level, unit, 0.5 * unit, 2 * most_sums);
  if (!p) return {};
  return ExactP{*p, true};
}

}  // namespace equipoise::stats
