#include "equipoise/allocation/predictability.h"

#include <algorithm>

#include "equipoise/core/error.h"

namespace equipoise::allocation {
namespace {

/// Participants of each arm at each site; sites numbered from 0, as they come.
class Counts {
 public:
  explicit Counts(std::span<const int> ratio) : ratio_(ratio) {}

  double* of(std::int32_t site) {
    expects(site >= 0, "a site has a number from 0");
    const std::size_t from = std::size_t(site) * ratio_.size();
    if (counts_.size() < from + ratio_.size()) counts_.resize(from + ratio_.size(), 0.0);
    return &counts_[from];
  }
  std::size_t sites() const { return counts_.size() / ratio_.size(); }
  /// Participants for each unit of the ratio.
  double load(double const* counts, std::size_t arm) const { return counts[arm] / ratio_[arm]; }
  double spread(double const* counts) const {
    double least = load(counts, 0), most = least;
    for (std::size_t a = 1; a < ratio_.size(); ++a)
      least = std::min(least, load(counts, a)), most = std::max(most, load(counts, a));
    return most - least;
  }

 private:
  std::span<const int> ratio_;
  std::vector<double> counts_;
};

void check(std::span<const std::int32_t> arm, std::span<const std::int32_t> site, std::span<const int> ratio) {
  expects(arm.size() == site.size() && !ratio.empty(), "every participant has an arm and a site");
  bool known = true;
  for (const std::int32_t one : arm) known &= (one >= 0) & (std::size_t(one) < ratio.size());
  expects(known, "an arm has a ratio");
}

}  // namespace

namespace {

/// K arms, or any number when K is 0. Of each site and arm `counts` has room for the participants, and the same for each unit of
/// the ratio.
template <std::size_t K>
double guessed_right(std::size_t participants, std::int32_t const* arm, std::int32_t const* site, std::span<const int> ratios,
                     double* counts) {
  const std::size_t arms = K > 0 ? K : ratios.size();
  int const* ratio = ratios.data();
  double right = 0;
  for (std::size_t i = 0; i < participants; ++i) {
    double *n = counts + 2 * arms * std::size_t(site[i]), *load = n + arms;
    const auto own = std::size_t(arm[i]);
    double least = load[0];
    for (std::size_t a = 1; a < arms; ++a) least = std::min(least, load[a]);
    int among = 0;
    for (std::size_t a = 0; a < arms; ++a) among += load[a] == least;
    right += (load[own] == least ? 1.0 : 0.0) / among;
    n[own] += 1;
    load[own] = ratio[own] == 1 ? n[own] : n[own] / ratio[own];
  }
  return right;
}

}  // namespace

double convergent_guesses(std::span<const std::int32_t> arm, std::span<const std::int32_t> site, std::span<const int> ratio) {
  check(arm, site, ratio);
  std::int32_t first = 0, last = -1;
  for (const std::int32_t one : site) first = std::min(first, one), last = std::max(last, one);
  expects(first >= 0, "a site has a number from 0");
  std::vector<double> counts(2 * ratio.size() * std::size_t(last + 1), 0.0);
  return ratio.size() == 2   ? guessed_right<2>(arm.size(), arm.data(), site.data(), ratio, counts.data())
         : ratio.size() == 3 ? guessed_right<3>(arm.size(), arm.data(), site.data(), ratio, counts.data())
                             : guessed_right<0>(arm.size(), arm.data(), site.data(), ratio, counts.data());
}

double overall_imbalance(std::span<const std::int32_t> arm, std::span<const int> ratio) {
  Counts all(ratio);
  double* n = all.of(0);
  check(arm, arm, ratio);
  for (const std::int32_t one : arm) ++n[one];
  return all.spread(n);
}

ArmImbalance arm_imbalance(std::span<const std::int32_t> arm, std::span<const std::int32_t> site, std::span<const int> ratio) {
  check(arm, site, ratio);
  Counts all(ratio), by_site(ratio);
  ArmImbalance imbalance;
  for (std::size_t i = 0; i < arm.size(); ++i) {
    ++all.of(0)[arm[i]];
    ++by_site.of(site[i])[arm[i]];
    imbalance.largest = std::max(imbalance.largest, all.spread(all.of(0)));
  }
  imbalance.overall = overall_imbalance(arm, ratio);
  for (std::size_t one = 0; one < by_site.sites(); ++one)
    imbalance.worst_site = std::max(imbalance.worst_site, by_site.spread(by_site.of(std::int32_t(one))));
  return imbalance;
}

}  // namespace equipoise::allocation
