#include <algorithm>
#include <cmath>

#include "equipoise/numerics/exponential.h"
#include "equipoise/numerics/lanes.h"
#include "equipoise/stats/survival/partial_likelihood.h"

namespace equipoise::stats {
namespace {

using numerics::Lanes, numerics::everywhere, numerics::load, numerics::store;

/// Sum of logarithms, one logarithm for many factors: their product is taken while it stays in range.
class LogProduct {
 public:
  void multiply(double factor) {
    before_ = product_;
    product_ *= factor;
    if (!(product_ > 1e-140 && product_ < 1e140)) settle(factor);
  }
  double value() const { return sum_ + std::log(product_); }

 private:
  void settle(double factor) {
    sum_ += std::log(before_) + std::log(factor);
    product_ = before_ = 1;
  }
  double product_ = 1, before_ = 1, sum_ = 0;
};

}  // namespace

template <std::size_t P>
double PartialLikelihood::evaluate_tiles(std::span<const double> b, std::span<double> gradient, std::span<double> information) {
  constexpr std::uint32_t lanes = numerics::lanes;
  const std::size_t p = P > 0 ? P : p_, pairs = p * (p + 1) / 2;
  // Of the tile: weights, sums of 1/S0 over the event times at or after a row (in this pass), means at the event times.
  alignas(32) double w[tile], h[tile], wh[tile];
  std::vector<double> mean_storage(p * tile), of_w(p * tile), of_wh(p * tile);
  double* const means = mean_storage.data();
  // Of the stratum so far.
  double s0 = 0;
  double known_s1[P > 0 ? P : 1] = {};
  double* const s1 = P > 0 ? known_s1 : s1_.data();
  std::vector<double> s2(pairs, 0.0), info(pairs, 0.0), slope(p, 0.0);
  LogProduct product;

  for (Stratum const& stratum : strata_) {
    s0 = 0;
    std::fill_n(s1, p, 0.0);
    std::fill(s2.begin(), s2.end(), 0.0);
    std::uint32_t m = stratum.times_begin;
    for (std::uint32_t first = stratum.begin / tile * tile; first < stratum.end; first += tile) {
      double const* const columns = z_.data() + std::size_t(first) * p;
      const std::uint32_t begin = std::max(first, stratum.begin) - first, end = std::min(first + tile, stratum.end) - first;
      const std::uint32_t low = begin / lanes * lanes, high = (end + lanes - 1) / lanes * lanes;
      for (std::uint32_t i = low; i < high; i += lanes) {
        Lanes eta = everywhere(0);
        for (std::size_t j = 0; j < p; ++j) eta += load(columns + j * tile + i) * b[j];
        store(w + i, numerics::exponential(eta));
      }
      for (std::uint32_t i = low; i < begin; ++i) w[i] = 0;
      for (std::uint32_t i = end; i < high; ++i) w[i] = 0;

      // Row by row: S0, S1, and what happens at the event times.
      std::fill(h + low, h + high, 0.0);
      std::size_t events = 0;
      std::uint32_t i = begin;
      while (i < end) {
        const std::uint32_t stop = m < stratum.times_end ? std::min(times_.data()[m].enter_end - first, end) : end;
        for (; i < stop; ++i) {
          const double weight = w[i];
          s0 += weight;
          for (std::size_t j = 0; j < p; ++j) s1[j] += weight * columns[j * tile + i];
        }
        if (m == stratum.times_end || times_.data()[m].enter_end - first != i) continue;  // the time's rows go on in the next tile
        EventTime const& time = times_.data()[m++];
        const std::uint32_t d = time.events_end - time.enter_begin;
        if (d == 1) {
          const double hazard = 1 / s0;
          h[i - 1] = hazard;
          product.multiply(s0);
          for (std::size_t j = 0; j < p; ++j) means[j * tile + events] = s1[j] * hazard;
          ++events;
          continue;
        }
        // d tied events, l = 0 to d - 1: S(l) = S - l/d D (Efron), or S each time (Breslow).
        const bool efron = ties_ == Ties::efron;
        double d0 = 0;
        std::fill(d1_.begin(), d1_.end(), 0.0);
        std::fill(d2_.begin(), d2_.end(), 0.0);
        for (std::uint32_t row = time.enter_begin; efron && row < time.events_end; ++row) {
          const double weight = row >= first ? w[row - first] : std::exp(predictor(row, b));
          d0 += weight;
          for (std::size_t j = 0; j < p; ++j) {
            const double wz = weight * z(row, j);
            d1_[j] += wz;
            for (std::size_t k = 0; k <= j; ++k) d2_[j * p + k] += wz * z(row, k);
          }
        }
        double hazard = 0, of_d = 0, square = 0, square_of_d = 0, square_of_dd = 0;
        for (std::uint32_t l = 0; l < d; ++l) {
          const double part = efron ? double(l) / d : 0, here = s0 - part * d0, one = 1 / here;
          product.multiply(here);
          hazard += one;
          of_d += part * one;
          square += one * one;
          square_of_d += part * (one * one);
          square_of_dd += part * part * (one * one);
        }
        h[i - 1] = hazard;
        for (std::size_t j = 0, c = 0; j < p; ++j) {
          slope[j] += s1[j] * hazard - d1_[j] * of_d;
          for (std::size_t k = 0; k <= j; ++k, ++c)
            info[c] -= d2_[j * p + k] * of_d + s1[j] * s1[k] * square - (s1[j] * d1_[k] + d1_[j] * s1[k]) * square_of_d +
                       d1_[j] * d1_[k] * square_of_dd;
        }
      }

      double after = 0;
      for (std::uint32_t r = high; r-- > low;) h[r] = after += h[r];
      for (std::uint32_t r = low; r < high; r += lanes) store(wh + r, load(w + r) * load(h + r));
      while (events % lanes != 0) {
        for (std::size_t j = 0; j < p; ++j) means[j * tile + events] = 0;
        ++events;
      }
      for (std::size_t j = 0; j < p; ++j) {
        double const* const zj = columns + j * tile;
        for (std::uint32_t r = low; r < high; r += lanes) {
          store(of_w.data() + j * tile + r, load(zj + r) * load(w + r));
          store(of_wh.data() + j * tile + r, load(zj + r) * load(wh + r));
        }
        Lanes sum = everywhere(0);
        for (std::size_t e = 0; e < events; e += lanes) sum += load(means + j * tile + e);
        slope[j] += numerics::total(sum);
      }
      for (std::size_t j = 0, c = 0; j < p; ++j)
        for (std::size_t k = 0; k <= j; ++k, ++c) {
          double const *const wz = of_w.data() + j * tile, *const whz = of_wh.data() + j * tile, *const zk = columns + k * tile;
          Lanes second = everywhere(0), here = everywhere(0), product_of_means = everywhere(0);
          for (std::uint32_t r = low; r < high; r += lanes) {
            const Lanes value = load(zk + r);
            second += load(wz + r) * value;
            here += load(whz + r) * value;
          }
          for (std::size_t e = 0; e < events; e += lanes) product_of_means += load(means + j * tile + e) * load(means + k * tile + e);
          info[c] += (s2[c] * after + numerics::total(here)) - numerics::total(product_of_means);
          s2[c] += numerics::total(second);
        }
    }
  }
  for (std::size_t j = 0, c = 0; j < p; ++j) {
    gradient[j] -= slope[j];
    for (std::size_t k = 0; k <= j; ++k, ++c) information[j * p + k] = info[c];
  }
  return -product.value();
}

template double PartialLikelihood::evaluate_tiles<0>(std::span<const double>, std::span<double>, std::span<double>);
template double PartialLikelihood::evaluate_tiles<1>(std::span<const double>, std::span<double>, std::span<double>);
template double PartialLikelihood::evaluate_tiles<2>(std::span<const double>, std::span<double>, std::span<double>);
template double PartialLikelihood::evaluate_tiles<3>(std::span<const double>, std::span<double>, std::span<double>);
template double PartialLikelihood::evaluate_tiles<4>(std::span<const double>, std::span<double>, std::span<double>);
template double PartialLikelihood::evaluate_tiles<5>(std::span<const double>, std::span<double>, std::span<double>);
template double PartialLikelihood::evaluate_tiles<6>(std::span<const double>, std::span<double>, std::span<double>);

}  // namespace equipoise::stats
