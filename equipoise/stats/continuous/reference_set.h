#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "equipoise/random/stream.h"
#include "equipoise/stats/continuous/ranks.h"

/// Randomisation-based inference: the observed statistic against its values under the allocations that the trial could have had.
namespace equipoise::stats {

/// The allocations that could have been, given what randomisation does not change: who took part, in which order, with which
/// strata and outcomes. `reallocate` writes the group code of every participant as the replicate-th re-allocation has it. It is a
/// pure function of the replicate, and replicates are independent draws with the probabilities of the design.
///
/// Permutation within strata is one. A method of randomisation replayed over the participants in their order is another: its
/// `reallocate` runs the method from the start with the words of a stream of that replicate.
template <class R>
concept ReferenceSet = requires(R const& set, std::uint64_t replicate, std::span<std::int32_t> codes) {
  { set.participants() } -> std::same_as<std::size_t>;
  { set.reallocate(replicate, codes) } -> std::same_as<void>;
  { set.sentence() } -> std::same_as<std::string>;  ///< names the set in a footnote
};

using VisitAllocation = std::function<void(std::span<const std::int32_t>)>;

/// A reference set whose allocations are equally probable and can be listed, each once.
template <class R>
concept ListedReferenceSet = ReferenceSet<R> && requires(R const& set, VisitAllocation const& visit) {
  { set.count() } -> std::same_as<double>;  ///< how many; infinite when more than a number holds
  { set.for_each(visit) } -> std::same_as<void>;
};

/// All ways to deal out the observed codes again within each stratum, equally probable.
class PermutationWithinStrata {
 public:
  /// observed, stratum  of each participant; strata numbered below `strata`
  PermutationWithinStrata(std::span<const std::int32_t> observed, std::span<const std::int32_t> stratum, std::size_t strata,
                          std::uint64_t seed);

  std::size_t participants() const { return observed_.size(); }
  void reallocate(std::uint64_t replicate, std::span<std::int32_t> codes) const;
  std::string sentence() const;
  double count() const;
  void for_each(VisitAllocation const& visit) const;

 private:
  std::vector<std::int32_t> observed_;
  std::vector<std::vector<std::size_t>> rows_;  ///< of each stratum that has any
  std::uint64_t seed_;
};
static_assert(ListedReferenceSet<PermutationWithinStrata>);

/// A P value by re-allocation.
struct RandomisationP {
  double p = missing_number;
  double se = 0;                    ///< Monte Carlo standard error; 0 of an exact P value
  std::uint64_t reallocations = 0;  ///< drawn, or listed
};

/// Counts allocations whose statistic is at least as extreme as the observed one; two-sided by its distance from 0, which must be
/// its mean over the reference set. `slack` is the rounding within which two statistics are equal.
class ExtremeCount {
 public:
  ExtremeCount(double observed, Tail tail, double slack) : observed_(observed), tail_(tail), slack_(slack) {}

  void add(double statistic) {
    ++seen_;
    const double excess = tail_ == Tail::two_sided ? std::abs(statistic) - std::abs(observed_)
                          : tail_ == Tail::greater ? statistic - observed_
                                                   : observed_ - statistic;
    extreme_ += excess >= -slack_;
  }
  std::uint64_t seen() const { return seen_; }
  std::uint64_t extreme() const { return extreme_; }

 private:
  double observed_;
  Tail tail_;
  double slack_;
  std::uint64_t seen_ = 0, extreme_ = 0;
};

/// p = allocations at least as extreme / all.
template <ListedReferenceSet R, class Statistic>
RandomisationP exact_randomisation_test(R const& set, Statistic const& statistic, ExtremeCount count) {
  set.for_each([&](std::span<const std::int32_t> codes) { count.add(statistic(codes)); });
  return {double(count.extreme()) / double(count.seen()), 0.0, count.seen()};
}

/// p = (re-allocations at least as extreme + 1) / (re-allocations + 1), which never exceeds its nominal level.
///
/// source   Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9, 39
template <ReferenceSet R, class Statistic>
RandomisationP monte_carlo_randomisation_test(R const& set, Statistic const& statistic, ExtremeCount count,
                                              std::uint64_t reallocations) {
  std::vector<std::int32_t> codes(set.participants());
  for (std::uint64_t replicate = 0; replicate < reallocations; ++replicate) {
    set.reallocate(replicate, codes);
    count.add(statistic(codes));
  }
  const double p = (double(count.extreme()) + 1) / (double(reallocations) + 1);
  return {p, std::sqrt(p * (1 - p) / double(reallocations)), reallocations};
}

}  // namespace equipoise::stats
