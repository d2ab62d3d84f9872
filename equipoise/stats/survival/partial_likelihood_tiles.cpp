#include <immintrin.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "equipoise/numerics/exponential.h"
#include "equipoise/numerics/lanes.h"
#include "equipoise/stats/survival/partial_likelihood.h"

namespace equipoise::stats {
namespace {

using numerics::Lanes, numerics::everywhere, numerics::fused, numerics::load, numerics::store;

/// Sum of logarithms, one logarithm for many factors: their products, four side by side, are taken while they stay in range.
class LogProduct {
 public:
  void multiply(Lanes factors) {
    const Lanes before = product_;
    product_ *= factors;
    const auto inside = (product_ > 1e-140) & (product_ < 1e140);
    if (_mm256_movemask_pd(__m256d(inside)) != 0xf) settle(before, factors);
  }
  double value() const {
    return sum_ + ((std::log(product_[0]) + std::log(product_[1])) + (std::log(product_[2]) + std::log(product_[3])));
  }

 private:
  void settle(Lanes before, Lanes factors) {
    for (std::size_t l = 0; l < numerics::lanes; ++l) sum_ += std::log(before[l]) + std::log(factors[l]);
    product_ = everywhere(1);
  }
  Lanes product_ = everywhere(1);
  double sum_ = 0;
};

/// Calls each(K, first) for groups of K columns from `first` on, K a constant of at most 5: what a group needs stays in
/// registers.
template <class Each>
void in_groups(std::size_t columns, Each&& each) {
  std::size_t first = 0;
  for (; first + 5 < columns; first += 5) each(std::integral_constant<std::size_t, 5>(), first);
  const std::size_t left = columns - first;
  if (left == 1) each(std::integral_constant<std::size_t, 1>(), first);
  else if (left == 2) each(std::integral_constant<std::size_t, 2>(), first);
  else if (left == 3) each(std::integral_constant<std::size_t, 3>(), first);
  else if (left == 4) each(std::integral_constant<std::size_t, 4>(), first);
  else if (left == 5) each(std::integral_constant<std::size_t, 5>(), first);
}

/// What came before each lane of a tile, `sum` the sums of its lanes; `before` moves on to the sum of all.
Lanes before_lanes(Lanes sum, double& before) {
  const double first = before + sum[0], second = first + sum[1], third = second + sum[2];
  const Lanes offset{before, first, second, third};
  before = third + sum[3];
  return offset;
}

/// Running sums of w over the rows of a tile, kept in its order: lane l has rows l * 32 to l * 32 + 31. Left without what came
/// before the lane, which is returned, and moved on to the sum of all.
template <std::size_t tile>
Lanes sums_of_lanes(double const* w, double* sums, double& before) {
  Lanes sum = everywhere(0);
  for (std::size_t i = 0; i < tile; i += numerics::lanes) store(sums + i, sum += load(w + i));
  return before_lanes(sum, before);
}

/// The same of w z for K columns z at once: each sum has to wait for itself. `ahead` is what will be read in a while.
template <std::size_t tile, std::size_t K>
void sums_of_lanes(double const* w, double const* columns, double const* ahead, double* sums, double* before, Lanes* offsets) {
  Lanes sum[K] = {};
  for (std::size_t i = 0; i < tile; i += numerics::lanes) {
    const Lanes weight = load(w + i);
#pragma GCC unroll 8
    for (std::size_t k = 0; k < K; ++k) {
      __builtin_prefetch(ahead + k * tile + i);
      store(sums + k * tile + i, sum[k] += weight * load(columns + k * tile + i));
    }
  }
  for (std::size_t k = 0; k < K; ++k) offsets[k] = before_lanes(sum[k], before[k]);
}

/// Makes K columns of running sums means, 1/S0 being `one_S0` at the rows that count and 0 elsewhere, and adds them to `slope`.
template <std::size_t tile, std::size_t K>
void means_of_sums(double const* one_S0, Lanes const* offsets, double* sums, double* slope) {
  Lanes total[K] = {};
  for (std::size_t i = 0; i < tile; i += numerics::lanes) {
    const Lanes one = load(one_S0 + i);
#pragma GCC unroll 8
    for (std::size_t k = 0; k < K; ++k) {
      const Lanes mean = (load(sums + k * tile + i) + offsets[k]) * one;
      store(sums + k * tile + i, mean);
      total[k] += mean;
    }
  }
  for (std::size_t k = 0; k < K; ++k) slope[k] += numerics::total(total[k]);
}

/// The same from the last row back, in place and with what comes after. Returns the sum of all.
template <std::size_t tile>
double sums_backward(double* values) {
  constexpr std::size_t lanes = numerics::lanes;
  Lanes sum = everywhere(0);
  for (std::size_t i = tile; i > 0; i -= lanes) store(values + i - lanes, sum += load(values + i - lanes));
  const double third = sum[3], second = third + sum[2], first = second + sum[1];
  const Lanes offset{first, second, third, 0};
  for (std::size_t i = 0; i < tile; i += lanes) store(values + i, load(values + i) + offset);
  return first + sum[0];
}

/// What a tile adds for one column and K columns z_k: sums of w z z_k, of a z z_k, and of mean mean_k. They stay in registers.
template <std::size_t tile, std::size_t K>
void moments(double const* w, double const* a, double const* z, double const* mean, double const* columns, double const* means,
             double* of_w, double* of_a, double* of_means) {
  constexpr std::size_t lanes = numerics::lanes;
  Lanes w_sum[K] = {}, a_sum[K] = {}, mean_sum[K] = {};
  for (std::size_t i = 0; i < tile; i += lanes) {
    const Lanes value = load(z + i), weighted = load(w + i) * value, later = load(a + i) * value;
#pragma GCC unroll 8
    for (std::size_t k = 0; k < K; ++k) {
      const Lanes of_k = load(columns + k * tile + i);
      w_sum[k] = fused(weighted, of_k, w_sum[k]);
      a_sum[k] = fused(later, of_k, a_sum[k]);
    }
  }
  for (std::size_t i = 0; i < tile; i += lanes) {
    const Lanes value = load(mean + i);
#pragma GCC unroll 8
    for (std::size_t k = 0; k < K; ++k) mean_sum[k] = fused(value, load(means + k * tile + i), mean_sum[k]);
  }
  for (std::size_t k = 0; k < K; ++k) {
    of_w[k] = numerics::total(w_sum[k]);
    of_a[k] = numerics::total(a_sum[k]);
    of_means[k] = numerics::total(mean_sum[k]);
  }
}

}  // namespace

double PartialLikelihood::evaluate_tiles(std::span<const double> b, std::span<double> gradient, std::span<double> information) {
  constexpr std::size_t lanes = numerics::lanes;
  const std::size_t p = p_, pairs = p * (p + 1) / 2;
  const bool weights_are_one = std::all_of(b.begin(), b.end(), [](double coefficient) { return coefficient == 0; });
  const bool in_range = predictor_bound(b) < 700;
  // Of the tile, in its order: weights w; sums of w over the lane; 1/S0 at rows that end a time with one event, and its sums over
  // the event times at or after a row (in this pass); w times these; for each covariate sums of w z over the lane, then means.
  alignas(32) double w[tile], S0[tile], after[tile], w_after[tile], tied_hazard[tile];
  numerics::Numbers storage(p * tile);
  double* const means = storage.data();
  // Of the stratum so far.
  double s0 = 0;
  std::vector<double> s1(p), s2(pairs), info(pairs, 0.0), slope(p, 0.0), here(3 * p);
  std::vector<Lanes> s1_before(p);
  auto tied = tied_.begin();
  LogProduct product;

  for (Stratum const& stratum : strata_) {
    s0 = 0;
    std::fill(s1.begin(), s1.end(), 0.0);
    std::fill(s2.begin(), s2.end(), 0.0);
    for (std::uint32_t first = stratum.begin / tile * tile; first < stratum.end; first += tile) {
      double const* const columns = z_.data() + std::size_t(first) * p;
      const std::uint32_t begin = std::max(first, stratum.begin) - first, end = std::min(first + tile, stratum.end) - first;
      double const* const ahead = columns + std::min(z_.size() - std::size_t(first) * p, 2 * p * tile);
      if (weights_are_one) {
        std::fill_n(w, tile, 1.0);
      } else {
        for (std::size_t i = 0; i < tile; i += 4 * lanes) {  // four at a time: each has to wait for itself
          Lanes eta[4] = {};
          for (std::size_t j = 0; j < p; ++j)
            for (std::size_t l = 0; l < 4; ++l) eta[l] += load(columns + j * tile + i + l * lanes) * b[j];
          for (std::size_t l = 0; l < 4; ++l) store(w + i + l * lanes, eta[l]);
        }
        if (in_range) {
          for (std::size_t i = 0; i < tile; i += 4 * lanes) {
            const Lanes w0 = numerics::exponential_within(load(w + i)), w1 = numerics::exponential_within(load(w + i + lanes));
            const Lanes w2 = numerics::exponential_within(load(w + i + 2 * lanes)),
                        w3 = numerics::exponential_within(load(w + i + 3 * lanes));
            store(w + i, w0), store(w + i + lanes, w1), store(w + i + 2 * lanes, w2), store(w + i + 3 * lanes, w3);
          }
        } else {
          for (std::size_t i = 0; i < tile; i += lanes) store(w + i, numerics::exponential(load(w + i)));
        }
      }
      std::uint8_t ends[quarter];
      std::copy_n(single_ends_.data() + first / 4, quarter, ends);
      const auto leave_out = [&](std::uint32_t row) {
        w[slot(row)] = 0;
        ends[slot(row) / 4] &= std::uint8_t(~(1u << slot(row) % 4));
      };
      for (std::uint32_t i = 0; i < begin; ++i) leave_out(i);
      for (std::uint32_t i = end; i < tile; ++i) leave_out(i);

      const Lanes s0_before = sums_of_lanes<tile>(w, S0, s0);
      in_groups(p, [&](auto K, std::size_t j) {
        sums_of_lanes<tile, K>(w, columns + j * tile, ahead + j * tile, means + j * tile, s1.data() + j, s1_before.data() + j);
      });
      for (std::size_t i = 0; i < tile; i += lanes) {
        const Lanes one = load(numerics::ones[ends[i / lanes]]), factor = one > 0.0 ? load(S0 + i) + s0_before : everywhere(1);
        product.multiply(factor);
        store(after + i, one / factor);
      }
      // Times with tied events whose last row is here: d of them, l = 0 to d - 1, S(l) = S - l/d D (Efron), or S each time
      // (Breslow).
      bool any_tied = false;
      for (; tied != tied_.end() && times_[*tied].enter_end <= first + end; ++tied) {
        EventTime const& time = times_[*tied];
        const std::uint32_t last = slot(time.enter_end - 1 - first);
        if (!any_tied) std::fill_n(tied_hazard, tile, 0.0);
        for (std::size_t j = 0; j < p; ++j) mean_[j] = means[j * tile + last] + s1_before[j][last % lanes];
        tied_hazard[last] = add_tied(
            time, S0[last] + s0_before[last % lanes], mean_, slope, info,
            [&](std::uint32_t row) { return row >= first ? w[slot(row - first)] : std::exp(predictor(row, b)); },
            [&](double factor) {
              product.multiply(Lanes{factor, 1, 1, 1});
            });
        any_tied = true;
      }
      in_groups(p, [&](auto K, std::size_t j) {
        means_of_sums<tile, K>(after, s1_before.data() + j, means + j * tile, slope.data() + j);
      });
      for (std::size_t i = 0; any_tied && i < tile; ++i) after[i] += tied_hazard[i];

      const double total_after = sums_backward<tile>(after);
      for (std::size_t i = 0; i < tile; i += lanes) store(w_after + i, load(w + i) * load(after + i));
      for (std::size_t j = 0, c = 0; j < p; ++j) {
        double *const of_w = here.data(), *const of_after = of_w + p, *const of_means = of_after + p;
        double const *const zj = columns + j * tile, *const mean = means + j * tile;
        in_groups(j + 1, [&](auto K, std::size_t k) {
          moments<tile, K>(w, w_after, zj, mean, columns + k * tile, means + k * tile, of_w + k, of_after + k, of_means + k);
        });
        for (std::size_t k = 0; k <= j; ++k, ++c) {
          info[c] += (s2[c] * total_after + of_after[k]) - of_means[k];
          s2[c] += of_w[k];
        }
      }
    }
  }
  for (std::size_t j = 0, c = 0; j < p; ++j) {
    gradient[j] -= slope[j];
    for (std::size_t k = 0; k <= j; ++k, ++c) information[j * p + k] = info[c];
  }
  return -product.value();
}

template <class Weight, class Multiply>
double PartialLikelihood::add_tied(EventTime const& time, double s0, std::span<const double> s1, std::span<double> slope,
                                   std::span<double> info, Weight&& weight_of, Multiply&& multiply) {
  const bool efron = ties_ == Ties::efron;
  const std::uint32_t d = time.events_end - time.enter_begin;
  double d0 = 0;
  std::fill(d1_.begin(), d1_.end(), 0.0);
  std::fill(d2_.begin(), d2_.end(), 0.0);
  for (std::uint32_t row = time.enter_begin; efron && row < time.events_end; ++row) {
    const double weight = weight_of(row);
    d0 += weight;
    for (std::size_t j = 0; j < p_; ++j) {
      const double of_row = weight * z(row, j);
      d1_[j] += of_row;
      for (std::size_t k = 0; k <= j; ++k) d2_[j * p_ + k] += of_row * z(row, k);
    }
  }
  double hazard = 0, of_d = 0, square = 0, square_of_d = 0, square_of_dd = 0;
  for (std::uint32_t l = 0; l < d; ++l) {
    const double part = efron ? double(l) / d : 0, here = s0 - part * d0, one = 1 / here;
    multiply(here);
    hazard += one;
    of_d += part * one;
    square += one * one;
    square_of_d += part * (one * one);
    square_of_dd += part * part * (one * one);
  }
  for (std::size_t j = 0, c = 0; j < p_; ++j) {
    slope[j] += s1[j] * hazard - d1_[j] * of_d;
    for (std::size_t k = 0; k <= j; ++k, ++c)
      info[c] -= d2_[j * p_ + k] * of_d + s1[j] * s1[k] * square - (s1[j] * d1_[k] + d1_[j] * s1[k]) * square_of_d +
                 d1_[j] * d1_[k] * square_of_dd;
  }
  return hazard;
}

}  // namespace equipoise::stats
