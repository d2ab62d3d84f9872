#include "equipoise/stats/multiplicity/adjust.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace equipoise::stats {
namespace {

/// The p values from the smallest up, NaN as 1, and where each came from; equal ones in the order of the hypotheses.
struct Sorted {
  std::vector<std::size_t> from;
  std::vector<double> p;

  explicit Sorted(std::span<const double> given) : from(given.size()), p(given.size()) {
    const auto counted = [&](std::size_t i) { return std::isnan(given[i]) ? 1.0 : given[i]; };
    std::iota(from.begin(), from.end(), std::size_t{0});
    std::stable_sort(from.begin(), from.end(), [&](std::size_t a, std::size_t b) { return counted(a) < counted(b); });
    for (std::size_t k = 0; k < p.size(); ++k) p[k] = counted(from[k]);
  }
  std::size_t size() const { return p.size(); }

  /// Back in the order of the hypotheses, at most 1, NaN where the p value was.
  std::vector<double> unsorted(std::vector<double> const& adjusted, std::span<const double> given) const {
    std::vector<double> out(size());
    for (std::size_t k = 0; k < size(); ++k)
      out[from[k]] = std::isnan(given[from[k]]) ? std::numeric_limits<double>::quiet_NaN() : std::min(1.0, adjusted[k]);
    return out;
  }
};

/// min over k >= i of factor(k) p_(k), k from 0: a step-up procedure.
template <class Factor>
std::vector<double> step_up(std::span<const double> p, Factor factor) {
  const Sorted sorted(p);
  std::vector<double> adjusted(sorted.size());
  double smallest = 1;
  for (std::size_t k = sorted.size(); k-- > 0;) adjusted[k] = smallest = std::min(smallest, factor(k) * sorted.p[k]);
  return sorted.unsorted(adjusted, p);
}

}  // namespace

std::vector<double> bonferroni_adjusted(std::span<const double> p) {
  std::vector<double> adjusted;
  for (const double one : p) adjusted.push_back(std::isnan(one) ? one : std::min(1.0, double(p.size()) * one));
  return adjusted;
}

std::vector<double> holm_adjusted(std::span<const double> p) {
  const Sorted sorted(p);
  std::vector<double> adjusted(sorted.size());
  double largest = 0;
  for (std::size_t k = 0; k < sorted.size(); ++k)
    adjusted[k] = largest = std::max(largest, double(sorted.size() - k) * sorted.p[k]);
  return sorted.unsorted(adjusted, p);
}

std::vector<double> hochberg_adjusted(std::span<const double> p) {
  return step_up(p, [&](std::size_t k) { return double(p.size() - k); });
}

std::vector<double> benjamini_hochberg_adjusted(std::span<const double> p) {
  return step_up(p, [&](std::size_t k) { return double(p.size()) / double(k + 1); });
}

std::vector<double> hommel_adjusted(std::span<const double> p) {
  const Sorted sorted(p);
  const std::size_t m = sorted.size();
  std::vector<double> adjusted = sorted.p;  // the set that holds i alone
  // Of the sets of `size` hypotheses that hold i, the one with the largest others decides. Simes' p of its upper part does not
  // depend on i; i itself adds size * p_i when it is the smallest, and is one of the upper part otherwise.
  for (std::size_t size = 2; size <= m; ++size) {
    const std::size_t first = m - size;  // of the `size` largest
    double upper = std::numeric_limits<double>::infinity();
    for (std::size_t k = 2; k <= size; ++k) upper = std::min(upper, double(size) * sorted.p[first + k - 1] / double(k));
    for (std::size_t i = 0; i <= first; ++i) adjusted[i] = std::max(adjusted[i], std::min(double(size) * sorted.p[i], upper));
    const double of_largest = std::min(double(size) * sorted.p[first], upper);
    for (std::size_t i = first + 1; i < m; ++i) adjusted[i] = std::max(adjusted[i], of_largest);
  }
  return sorted.unsorted(adjusted, p);
}

}  // namespace equipoise::stats
