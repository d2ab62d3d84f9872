#include "equipoise/stats/repeated/covariance.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/core/error.h"

namespace equipoise::stats {
namespace {

/// rho^e and its derivatives in rho.
struct Power {
  double value, first, second;
};
Power power(double rho, double e) {
  if (e == 1) return {rho, 1, 0};
  if (e == 0) return {1, 0, 0};
  if (e == 2) return {rho * rho, 2 * rho, 2};
  return {std::pow(rho, e), e * std::pow(rho, e - 1), e * (e - 1) * std::pow(rho, e - 2)};
}

std::string_view family_keyword(CovarianceFamily const& family) {
  return std::visit([]<class F>(F const&) { return F::keyword; }, family);
}

/// Sigma = M M' with M lower triangular, packed by rows. False when Sigma is not positive definite.
bool cholesky(std::span<const double> sigma, std::size_t m, std::vector<double>& lower) {
  lower.assign(sigma.begin(), sigma.end());
  for (std::size_t j = 0; j < m; ++j) {
    for (std::size_t k = 0; k <= j; ++k) {
      double value = lower[packed(j, k)];
      for (std::size_t t = 0; t < k; ++t) value -= lower[packed(j, t)] * lower[packed(k, t)];
      if (k < j) lower[packed(j, k)] = value / lower[packed(k, k)];
      else if (value > 0) lower[packed(j, j)] = std::sqrt(value);
      else return false;
    }
  }
  return true;
}

}  // namespace

double smallest_pivot(std::span<const double> sigma, std::size_t m) {
  std::vector<double> correlation(sigma.begin(), sigma.end()), lower;
  for (std::size_t j = 0; j < m; ++j) {
    if (!(sigma[packed(j, j)] > 0) || !std::isfinite(sigma[packed(j, j)])) return 0;
    for (std::size_t k = 0; k <= j; ++k)
      correlation[packed(j, k)] /= std::sqrt(sigma[packed(j, j)]) * std::sqrt(sigma[packed(k, k)]);
  }
  if (!cholesky(correlation, m, lower)) return 0;
  double least = 1;
  for (std::size_t j = 0; j < m; ++j) least = std::min(least, lower[packed(j, j)] * lower[packed(j, j)]);
  return least;
}

std::string CovarianceStructure::keyword() const {
  return (heterogeneous ? "heterogeneous_" : "") + std::string(family_keyword(family));
}

std::string CovarianceStructure::title() const {
  return (heterogeneous ? "heterogeneous " : "") + std::visit([]<class F>(F const&) { return std::string(F::title); }, family);
}

std::vector<CovarianceStructure> const& covariance_structures() {
  static const std::vector<CovarianceStructure> all{{Unstructured{}, false},
                                                    {Toeplitz{}, true},
                                                    {Toeplitz{}, false},
                                                    {AnteDependence{}, true},
                                                    {AnteDependence{}, false},
                                                    {Ar1{}, true},
                                                    {Ar1{}, false},
                                                    {CompoundSymmetry{}, true},
                                                    {CompoundSymmetry{}, false},
                                                    {SpatialExponential{}, true},
                                                    {SpatialExponential{}, false}};
  return all;
}

std::optional<CovarianceStructure> covariance_structure(std::string_view keyword) {
  for (CovarianceStructure const& structure : covariance_structures())
    if (structure.keyword() == keyword) return structure;
  return {};
}

Covariance::Covariance(CovarianceStructure structure, std::size_t visits, std::vector<double> times)
    : structure_(structure), visits_(visits), times_(std::move(times)) {
  expects(visits > 0, "a covariance has a visit");
  if (unstructured()) {
    size_ = packed_size(visits);
    return;
  }
  deviations_ = structure_.heterogeneous ? visits : 1;
  size_ = deviations_;
  if (visits == 1) return;
  std::visit(
      [&]<class F>(F const&) {
        if constexpr (!std::is_same_v<F, Unstructured>) {
          expects(!std::is_same_v<F, SpatialExponential> || times_.size() == visits,
                  "a spatial covariance has a time for each visit");
          range_ = F::range;
          size_ += F::correlations(visits);
          powers_.resize(packed_size(visits));
          for (std::size_t j = 1; j < visits; ++j)
            for (std::size_t k = 0; k < j; ++k) powers_[packed(j, k)] = F::between(j, k, times_);
        }
      },
      structure_.family);
}

Covariance::Link Covariance::link(double theta) const {
  if (range_ == CorrelationRange::both_signs) {
    const double square = 1 + theta * theta, root = std::sqrt(square);
    return {theta / root, 1 / (square * root), -3 * theta / (square * square * root)};
  }
  const double low = range_ == CorrelationRange::positive ? 0.0 : -1 / (double(visits_) - 1);
  const double position = theta > 0 ? 1 / (1 + std::exp(-theta)) : std::exp(theta) / (1 + std::exp(theta));
  const double slope = (1 - low) * position * (1 - position);
  return {low + (1 - low) * position, slope, slope * (1 - 2 * position)};
}

double Covariance::unlink(double rho) const {
  if (range_ == CorrelationRange::both_signs) return rho / std::sqrt(1 - rho * rho);
  const double low = range_ == CorrelationRange::positive ? 0.0 : -1 / (double(visits_) - 1);
  const double position = (rho - low) / (1 - low);
  return std::log(position / (1 - position));
}

std::vector<Covariance::Link> Covariance::links(std::span<const double> theta) const {
  std::vector<Link> all;
  for (std::size_t l = deviations_; l < size_; ++l) all.push_back(link(theta[l]));
  return all;
}

void Covariance::sigma(std::span<const double> theta, std::span<double> out) const {
  const std::size_t m = visits_;
  if (unstructured()) {
    for (std::size_t j = 0; j < m; ++j)
      for (std::size_t k = 0; k <= j; ++k) {
        double value = 0;  // row j of L times row k of L; L_tt = 1
        for (std::size_t t = 0; t <= k; ++t) {
          const double left = t == j ? 1.0 : theta[m + j * (j - 1) / 2 + t];
          const double right = t == k ? 1.0 : theta[m + k * (k - 1) / 2 + t];
          value += left * right;
        }
        out[packed(j, k)] = std::exp(theta[j] + theta[k]) * value;
      }
    return;
  }
  const std::vector<Link> rho = links(theta);
  for (std::size_t j = 0; j < m; ++j)
    for (std::size_t k = 0; k <= j; ++k) {
      double value = std::exp(theta[deviation(j)] + theta[deviation(k)]);
      if (j != k) {
        const Powers share = powers_[packed(j, k)];
        for (std::size_t l = share.first; l <= share.last; ++l) value *= power(rho[l].value, share.exponent).value;
      }
      out[packed(j, k)] = value;
    }
}

void Covariance::jacobian(std::span<const double> theta, std::span<double> out) const {
  const std::size_t m = visits_, elements = packed_size(m);
  std::fill(out.begin(), out.end(), 0.0);
  std::vector<double> value(elements);
  sigma(theta, value);
  if (unstructured()) {
    for (std::size_t j = 0; j < m; ++j)
      for (std::size_t k = 0; k <= j; ++k) {
        const std::size_t s = packed(j, k);
        out[j * elements + s] += value[s];
        out[k * elements + s] += value[s];
      }
    // d Sigma / d L_ab = d_a (e_a c' + c e_a'), c = D L e_b
    for (std::size_t a = 1; a < m; ++a)
      for (std::size_t b = 0; b < a; ++b) {
        double* column = out.data() + (m + a * (a - 1) / 2 + b) * elements;
        for (std::size_t k = b; k < m; ++k) {
          const double c = std::exp(theta[k] + theta[a]) * (k == b ? 1.0 : theta[m + k * (k - 1) / 2 + b]);
          column[packed(a, k)] += a == k ? 2 * c : c;
        }
      }
    return;
  }
  const std::vector<Link> rho = links(theta);
  for (std::size_t j = 0; j < m; ++j)
    for (std::size_t k = 0; k <= j; ++k) {
      const std::size_t s = packed(j, k);
      out[deviation(j) * elements + s] += value[s];
      out[deviation(k) * elements + s] += value[s];
      if (j == k) continue;
      const Powers share = powers_[s];
      const double scale = std::exp(theta[deviation(j)] + theta[deviation(k)]);
      for (std::size_t l = share.first; l <= share.last; ++l) {
        double slope = scale * power(rho[l].value, share.exponent).first * rho[l].first;
        for (std::size_t o = share.first; o <= share.last; ++o)
          if (o != l) slope *= power(rho[o].value, share.exponent).value;
        out[(deviations_ + l) * elements + s] = slope;
      }
    }
}

/// Calls visit(s, k, l, value) for the second derivatives that are not 0, each unordered pair k >= l once.
template <class Visitor>
void Covariance::second_derivatives(std::span<const double> theta, Visitor&& visit) const {
  if (unstructured()) return unstructured_second(theta, visit);
  const std::vector<Link> rho = links(theta);
  for (std::size_t j = 0; j < visits_; ++j)
    for (std::size_t k = 0; k <= j; ++k) {
      const std::size_t s = packed(j, k), dj = deviation(j), dk = deviation(k);
      const double scale = std::exp(theta[dj] + theta[dk]);
      double correlation = 1;
      const Powers share = j == k ? Powers{1, 0, 0} : powers_[s];
      for (std::size_t l = share.first; l <= share.last; ++l) correlation *= power(rho[l].value, share.exponent).value;
      const double value = scale * correlation;
      if (dj == dk) {
        visit(s, dj, dj, 4 * value);
      } else {
        visit(s, dj, dj, value);
        visit(s, dk, dk, value);
        visit(s, dj, dk, value);
      }
      for (std::size_t l = share.first; l <= share.last; ++l) {
        const Power own = power(rho[l].value, share.exponent);
        double others = scale;
        for (std::size_t o = share.first; o <= share.last; ++o)
          if (o != l) others *= power(rho[o].value, share.exponent).value;
        const double slope = others * own.first * rho[l].first;
        if (dj == dk) {
          visit(s, deviations_ + l, dj, 2 * slope);
        } else {
          visit(s, deviations_ + l, dj, slope);
          visit(s, deviations_ + l, dk, slope);
        }
        visit(s, deviations_ + l, deviations_ + l,
              others * (own.second * rho[l].first * rho[l].first + own.first * rho[l].second));
        for (std::size_t n = share.first; n < l; ++n) {
          const Power other = power(rho[n].value, share.exponent);
          double rest = scale * own.first * rho[l].first * other.first * rho[n].first;
          for (std::size_t o = share.first; o <= share.last; ++o)
            if (o != l && o != n) rest *= power(rho[o].value, share.exponent).value;
          visit(s, deviations_ + l, deviations_ + n, rest);
        }
      }
    }
}

template <class Visitor>
void Covariance::unstructured_second(std::span<const double> theta, Visitor&& visit) const {
  const std::size_t m = visits_;
  const auto at = [&](std::size_t a, std::size_t b) { return m + a * (a - 1) / 2 + b; };
  const auto lower = [&](std::size_t a, std::size_t b) { return a == b ? 1.0 : a > b ? theta[at(a, b)] : 0.0; };
  std::vector<double> value(packed_size(m));
  sigma(theta, value);
  for (std::size_t j = 0; j < m; ++j)
    for (std::size_t k = 0; k <= j; ++k) {
      const std::size_t s = packed(j, k);
      if (j == k) {
        visit(s, j, j, 4 * value[s]);
      } else {
        visit(s, j, j, value[s]);
        visit(s, k, k, value[s]);
        visit(s, j, k, value[s]);
      }
      const double scale = std::exp(theta[j] + theta[k]);
      // Sigma_jk = d_j d_k sum_t L_jt L_kt: the entries of rows j and k of L
      for (std::size_t t = 0; t <= k; ++t) {
        if (j == k) {
          if (t == j) continue;
          const double slope = scale * 2 * lower(j, t);
          visit(s, at(j, t), j, 2 * slope);
          visit(s, at(j, t), at(j, t), 2 * scale);
          continue;
        }
        const double by_j = scale * lower(k, t);  // d/dL_jt; t <= k < j, so L_jt is free
        visit(s, at(j, t), j, by_j);
        visit(s, at(j, t), k, by_j);
        if (t == k) continue;
        const double by_k = scale * lower(j, t);
        visit(s, at(k, t), j, by_k);
        visit(s, at(k, t), k, by_k);
        visit(s, at(j, t), at(k, t), scale);
      }
    }
}

void Covariance::curvature(std::span<const double> theta, std::span<const double> g, std::span<double> out) const {
  second_derivatives(theta, [&](std::size_t s, std::size_t k, std::size_t l, double value) {
    out[k * size_ + l] += g[s] * value;
    if (k != l) out[l * size_ + k] += g[s] * value;
  });
}

void Covariance::contract(std::span<const double> theta, std::span<const double> a, std::span<double> out) const {
  std::fill(out.begin(), out.end(), 0.0);
  second_derivatives(theta, [&](std::size_t s, std::size_t k, std::size_t l, double value) {
    out[s] += (k == l ? a[k * size_ + k] : a[k * size_ + l] + a[l * size_ + k]) * value;
  });
}

std::vector<double> Covariance::near(std::span<const double> sigma) const {
  const std::size_t m = visits_;
  std::vector<double> theta(size_);
  if (unstructured()) {
    std::vector<double> lower;
    expects(cholesky(sigma, m, lower), "the start of an unstructured covariance is positive definite");
    for (std::size_t j = 0; j < m; ++j) theta[j] = std::log(lower[packed(j, j)]);
    for (std::size_t a = 1; a < m; ++a)  // L of D L L' D: row a of the factor over d_a
      for (std::size_t b = 0; b < a; ++b) theta[m + a * (a - 1) / 2 + b] = lower[packed(a, b)] / lower[packed(a, a)];
    return theta;
  }
  double mean = 0;
  for (std::size_t j = 0; j < m; ++j) mean += sigma[packed(j, j)] / double(m);
  for (std::size_t j = 0; j < deviations_; ++j) theta[j] = 0.5 * std::log(structure_.heterogeneous ? sigma[packed(j, j)] : mean);
  // A correlation over time is averaged as its logarithm per unit of time, those that tell little weighing little, and kept from
  // its limits at the shortest distance.
  const bool over_time = range_ == CorrelationRange::positive;
  double shortest_distance = std::numeric_limits<double>::infinity();
  std::vector<double> total(size_ - deviations_, 0.0), count(size_ - deviations_, 0.0);
  for (std::size_t j = 1; j < m; ++j)
    for (std::size_t k = 0; k < j; ++k) {
      const Powers share = powers_[packed(j, k)];
      if (share.first != share.last || (share.exponent != 1 && !over_time)) continue;
      const double correlation = sigma[packed(j, k)] / std::sqrt(sigma[packed(j, j)] * sigma[packed(k, k)]);
      shortest_distance = std::min(shortest_distance, share.exponent);
      if (over_time && !(correlation > 0.01)) continue;
      const double weight = over_time ? correlation : 1.0;
      total[share.first] += weight * (over_time ? std::log(std::fmin(correlation, 0.99)) / share.exponent : correlation);
      count[share.first] += weight;
    }
  const double low = range_ == CorrelationRange::above_symmetric ? -0.9 / (double(m) - 1 + (m == 1)) : -0.9;
  std::vector<double> rho(total.size()), packed_sigma(packed_size(m));
  for (std::size_t l = 0; l < rho.size(); ++l) {
    const double none = over_time ? std::log(0.02) / shortest_distance : 0.0;
    const double mean_of = count[l] > 0 ? total[l] / count[l] : none;
    rho[l] = over_time ? std::exp(std::clamp(mean_of, none, std::log(0.9) / shortest_distance)) : std::clamp(mean_of, low, 0.9);
  }
  // Correlations of a Toeplitz matrix, one by one possible, need not be together.
  for (int halving = 0; halving < 60; ++halving) {
    for (std::size_t l = 0; l < rho.size(); ++l) theta[deviations_ + l] = unlink(rho[l]);
    this->sigma(theta, packed_sigma);
    if (smallest_pivot(packed_sigma, m) > 1e-3) break;
    for (double& r : rho) r *= 0.8;
  }
  return theta;
}

}  // namespace equipoise::stats
