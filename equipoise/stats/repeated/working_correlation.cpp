#include "equipoise/stats/repeated/working_correlation.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "equipoise/core/error.h"

namespace equipoise::stats {
namespace {

constexpr double nearly_singular = 1e-8;  ///< an eigenvalue or pivot beside the 1 on the diagonal

double power(double a, std::size_t exponent) {
  double value = 1;
  for (double square = a; exponent > 0; exponent /= 2, square *= square)
    if (exponent % 2 == 1) value *= square;
  return value;
}

}  // namespace

WorkingCorrelation::WorkingCorrelation(Dependence dependence, Subjects const& subjects)
    : dependence_(dependence), subjects_(&subjects), largest_(subjects.largest()) {
  const bool by_visit = dependence == Dependence::ar1 || dependence == Dependence::unstructured;
  expects(!by_visit || subjects.visit.size() == subjects.rows.size(), "this working correlation needs visits");
  for (std::size_t k = 0; k < subjects.count(); ++k) n_pairs_ += subjects.size(k) * (subjects.size(k) - 1) / 2;
  const std::size_t m = subjects.visits;
  if (dependence == Dependence::ar1) pairs_.resize(m);
  if (dependence != Dependence::unstructured) return;
  pairs_.resize(m * m);
  std::map<std::vector<std::int32_t>, std::size_t> known;
  for (std::size_t k = 0; k < subjects.count(); ++k) {
    std::vector<std::int32_t> visits(subjects.visit.begin() + std::ptrdiff_t(subjects.first[k]),
                                     subjects.visit.begin() + std::ptrdiff_t(subjects.first[k + 1]));
    const auto [at, fresh] = known.try_emplace(visits, patterns_.size());
    if (fresh) patterns_.push_back({visits, std::vector<double>(visits.size() * visits.size())});
    pattern_.push_back(at->second);
  }
}

std::size_t WorkingCorrelation::gap(std::size_t i, std::size_t j) const {
  return std::size_t(std::abs(subjects_->visit[j] - subjects_->visit[i]));
}

void WorkingCorrelation::estimate(std::span<const double> residuals, double phi) {
  in_range_ = true;
  if (dependence_ == Dependence::independence || n_pairs_ == 0) return;
  if (dependence_ == Dependence::exchangeable) {
    double products = 0;
    for (std::size_t k = 0; k < subjects_->count(); ++k) {
      double sum = 0, squares = 0;
      for (std::size_t i = subjects_->first[k]; i < subjects_->first[k + 1]; ++i)
        sum += residuals[i], squares += residuals[i] * residuals[i];
      products += 0.5 * (sum * sum - squares);
    }
    estimate_ = products / phi / double(n_pairs_);
  } else {
    for (Pair& pair : pairs_) pair.sum = 0, pair.count = 0;
    for (std::size_t k = 0; k < subjects_->count(); ++k)
      for (std::size_t i = subjects_->first[k]; i < subjects_->first[k + 1]; ++i)
        for (std::size_t j = i + 1; j < subjects_->first[k + 1]; ++j) {
          Pair& pair = dependence_ == Dependence::ar1
                           ? pairs_[gap(i, j)]
                           : pairs_[std::size_t(subjects_->visit[i]) * subjects_->visits + std::size_t(subjects_->visit[j])];
          pair.sum += residuals[i] * residuals[j];
          ++pair.count;
        }
    for (Pair& pair : pairs_) {
      pair.sum /= phi;
      pair.estimate = pair.count > 0 ? pair.sum / double(pair.count) : missing_number;
    }
    if (dependence_ == Dependence::ar1) estimate_ar1();
  }
  independent_ = false;
  factor();
}

/// The least squares over all pairs are a polynomial in a, which may have several minima: the best point of a grid, the positive one
/// of two equally good, then Newton's method and, where that leaves the cell of the grid, halving on the derivative.
void WorkingCorrelation::estimate_ar1() {
  // sum over lags of n_l a^2l - 2 s_l a^l: the least squares but for a constant
  const auto loss = [&](double a) {
    double total = 0, at = 1;
    for (std::size_t lag = 1; lag < pairs_.size(); ++lag) {
      at *= a;
      total += double(pairs_[lag].count) * at * at - 2 * pairs_[lag].sum * at;
    }
    return total;
  };
  const auto slope = [&](double a) {  // half of it
    double total = 0, at = 1;         // a^(l - 1)
    for (std::size_t lag = 1; lag < pairs_.size(); ++lag, at *= a)
      total += double(lag) * at * (double(pairs_[lag].count) * at * a - pairs_[lag].sum);
    return total;
  };
  constexpr int cells = 400;
  const auto point = [](int i) { return 1 - 2.0 * i / cells; };
  int best = 0;
  for (int i = 1; i <= cells; ++i)
    if (loss(point(i)) < loss(point(best))) best = i;
  double low = point(std::min(best + 1, cells)), high = point(std::max(best - 1, 0));
  if (slope(high) <= 0) {
    estimate_ = high;
  } else if (slope(low) >= 0) {
    estimate_ = low;
  } else {
    for (int i = 0; i < 200 && high - low > 0; ++i) {  // to neighbouring doubles: some 50 halvings
      const double middle = 0.5 * (low + high);
      if (middle == low || middle == high) break;
      (slope(middle) > 0 ? high : low) = middle;
    }
    estimate_ = 0.5 * (low + high);
  }
}

void WorkingCorrelation::factor() {
  if (dependence_ == Dependence::unstructured) {
    for (Pair const& pair : pairs_) in_range_ = in_range_ && (pair.count == 0 || std::isfinite(pair.estimate));
    double share = in_range_ ? 1 : 0;
    while (!factor_patterns(share)) in_range_ = false, share = share < 1e-9 ? 0 : 0.9 * share;
    return;
  }
  const double lowest = dependence_ == Dependence::exchangeable
                            ? (nearly_singular - 1) / double(std::max<std::size_t>(largest_, 2) - 1)
                            : nearly_singular - 1;
  used_ = estimate_;
  in_range_ = estimate_ >= lowest && estimate_ <= 1 - nearly_singular;
  if (!in_range_) used_ = 0.99 * (estimate_ < 0 ? lowest : 1.0);
}

bool WorkingCorrelation::factor_patterns(double share) {
  for (Pair& pair : pairs_) pair.used = pair.count > 0 && share > 0 ? share * pair.estimate : 0.0;
  for (Pattern& pattern : patterns_) {
    const std::size_t m = pattern.visits.size();
    for (std::size_t i = 0; i < m; ++i)
      for (std::size_t j = 0; j <= i; ++j) {
        double value =
            i == j ? 1.0 : pairs_[std::size_t(pattern.visits[j]) * subjects_->visits + std::size_t(pattern.visits[i])].used;
        for (std::size_t c = 0; c < j; ++c) value -= pattern.lower[i * m + c] * pattern.lower[j * m + c];
        if (i != j) pattern.lower[i * m + j] = value / pattern.lower[j * m + j];
        else if (value >= nearly_singular) pattern.lower[i * m + j] = std::sqrt(value);
        else return false;
      }
  }
  return true;
}

double WorkingCorrelation::correlation(std::size_t k, std::size_t i, std::size_t j) const {
  if (i == j) return 1;
  if (independent_) return 0;
  const std::size_t a = subjects_->first[k] + std::min(i, j), b = subjects_->first[k] + std::max(i, j);
  if (dependence_ == Dependence::exchangeable) return used_;
  if (dependence_ == Dependence::ar1) return power(used_, gap(a, b));
  return pairs_[std::size_t(subjects_->visit[a]) * subjects_->visits + std::size_t(subjects_->visit[b])].used;
}

void WorkingCorrelation::whiten(std::size_t k, std::span<double> block, std::size_t width) {
  const std::size_t n = subjects_->size(k);
  if (independent_ || n < 2) return;
  if (dependence_ == Dependence::exchangeable) {
    // R has eigenvalue 1 + (n - 1) a along the mean and 1 - a across it; L is its symmetric root.
    const double along = 1 / std::sqrt(1 + double(n - 1) * used_), across = 1 / std::sqrt(1 - used_);
    mean_.assign(width, 0.0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t c = 0; c < width; ++c) mean_[c] += block[i * width + c];
    for (std::size_t c = 0; c < width; ++c) mean_[c] /= double(n);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t c = 0; c < width; ++c)
        block[i * width + c] = across * (block[i * width + c] - mean_[c]) + along * mean_[c];
  } else if (dependence_ == Dependence::ar1) {
    for (std::size_t i = n; --i > 0;) {  // each row given the one before
      const double a = power(used_, gap(subjects_->first[k] + i - 1, subjects_->first[k] + i));
      const double rest = 1 / std::sqrt((1 - a) * (1 + a));
      for (std::size_t c = 0; c < width; ++c)
        block[i * width + c] = rest * (block[i * width + c] - a * block[(i - 1) * width + c]);
    }
  } else {
    std::vector<double> const& lower = patterns_[pattern_[k]].lower;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t c = 0; c < width; ++c) {
        double value = block[i * width + c];
        for (std::size_t j = 0; j < i; ++j) value -= lower[i * n + j] * block[j * width + c];
        block[i * width + c] = value / lower[i * n + i];
      }
  }
}

}  // namespace equipoise::stats
