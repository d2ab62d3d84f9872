#include "equipoise/stats/survival/partial_likelihood.h"

#include <algorithm>
#include <cmath>
#include <queue>

namespace equipoise::stats {
namespace {

constexpr double cancelled = 1e-3;       // below this part of the largest sum so far the risk set is summed anew
constexpr double constant_here = 1e-12;  // a spread this small beside the values is the rounding of their mean

}  // namespace

PartialLikelihood::PartialLikelihood(SurvivalRows const& data, std::span<const std::int32_t> stratum, std::size_t strata,
                                     Design const& design, Ties ties)
    : p_(design.names.size()), ties_(ties), scale_(p_), s1_(p_), s2_(p_ * p_), d1_(p_), d2_(p_ * p_), mean_(p_) {
  lay_out(data, stratum, strata);
  take_covariates(design);
  weight_.resize(rows());
}

void PartialLikelihood::lay_out(SurvivalRows const& data, std::span<const std::int32_t> stratum, std::size_t strata) {
  struct Entry {
    std::uint32_t row, enter, exit;
    bool event;
  };
  const Partition parts = partition(data.by_time, stratum, strata);
  std::vector<double> event_times;  // of one stratum, late to early
  std::vector<Entry> entries;
  strata_begin_.push_back(0);
  for (std::size_t s = 0; s < strata; ++s) {
    const std::span<const std::uint32_t> by_time = parts.of(s);
    event_times.clear();
    for (std::size_t i = by_time.size(); i-- > 0;)
      if (data.event[by_time[i]] && (event_times.empty() || event_times.back() != data.time[by_time[i]]))
        event_times.push_back(data.time[by_time[i]]);
    if (event_times.empty()) continue;

    const auto base = std::uint32_t(times_.size());
    const auto stratum_begin = std::uint32_t(row_.size());
    entries.clear();
    std::size_t k = 0;
    for (std::size_t i = by_time.size(); i-- > 0;) {
      const std::uint32_t row = by_time[i];
      while (k < event_times.size() && event_times[k] > data.time[row]) ++k;
      std::size_t exit = event_times.size();
      if (!data.start.empty())
        exit = std::size_t(
            std::partition_point(event_times.begin(), event_times.end(), [&](double t) { return t > data.start[row]; }) -
            event_times.begin());
      if (k < exit) entries.push_back({row, base + std::uint32_t(k), base + std::uint32_t(exit), data.event[row] != 0});
    }
    std::size_t next = 0;
    for (std::size_t number = 0; number < event_times.size(); ++number) {
      const std::size_t begin = next;
      while (next < entries.size() && entries[next].enter == base + number) ++next;
      const auto here = entries.begin() + std::ptrdiff_t(begin);
      const auto end_of_events =
          std::stable_partition(here, entries.begin() + std::ptrdiff_t(next), [](Entry const& entry) { return entry.event; });
      const auto d = std::uint32_t(end_of_events - here);
      events_ += d;
      times_.push_back({.stratum_begin = stratum_begin,
                        .enter_begin = stratum_begin + std::uint32_t(begin),
                        .events_end = stratum_begin + std::uint32_t(begin) + d,
                        .enter_end = stratum_begin + std::uint32_t(next),
                        .leave_begin = 0,
                        .leave_end = 0,
                        .first_of_stratum = number == 0});
    }
    for (Entry const& entry : entries) {
      row_.push_back(entry.row);
      enter_.push_back(entry.enter);
      exit_.push_back(entry.exit);
    }
    strata_begin_.push_back(std::uint32_t(row_.size()));
  }

  if (data.start.empty()) return;
  // Rows by their exit, by counting. Those at risk until the end of their stratum leave with it.
  std::vector<std::uint32_t> count(times_.size() + 1, 0);
  for (const std::uint32_t exit : exit_) ++count[exit];
  std::uint32_t begin = 0;
  for (std::size_t m = 0; m < times_.size(); ++m) {
    times_[m].leave_begin = begin;
    times_[m].leave_end = begin;
    begin += count[m];
  }
  leave_.resize(begin);
  for (std::uint32_t i = 0; i < exit_.size(); ++i)
    if (exit_[i] < times_.size()) leave_[times_[exit_[i]].leave_end++] = i;
}

void PartialLikelihood::take_covariates(Design const& design) {
  z_.resize(rows() * p_);
  for (std::size_t j = 0; j < p_; ++j) {
    const std::span<const double> column = design.column(j);
    double squares = 0, largest = 0;
    for (std::size_t s = 0; s + 1 < strata_begin_.size(); ++s) {
      const std::uint32_t begin = strata_begin_[s], end = strata_begin_[s + 1];
      // Deviations from one of the values first: a covariate far from 0 loses nothing to its mean.
      const double origin = column[row_[begin]];
      double mean = 0;
      for (std::uint32_t i = begin; i < end; ++i) mean += column[row_[i]] - origin;
      mean /= double(end - begin);
      for (std::uint32_t i = begin; i < end; ++i) {
        const double deviation = (column[row_[i]] - origin) - mean;
        z_[i * p_ + j] = deviation;
        squares += deviation * deviation;
        largest = std::max(largest, std::abs(column[row_[i]]));
      }
    }
    const double spread = rows() > 0 ? std::sqrt(squares / double(rows())) : 0;
    scale_[j] = spread > constant_here * largest ? spread : 0;
    for (std::size_t i = 0; i < rows(); ++i) z_[i * p_ + j] = scale_[j] > 0 ? z_[i * p_ + j] / spread : 0;
  }
}

void PartialLikelihood::clear_sums() {
  s0_ = peak_ = 0;
  std::fill(s1_.begin(), s1_.end(), 0.0);
  std::fill(s2_.begin(), s2_.end(), 0.0);
}

void PartialLikelihood::add(std::uint32_t row, double sign) {
  const double w = sign * weight_[row];
  const double* z = z_.data() + std::size_t(row) * p_;
  s0_ += w;
  double* s2 = s2_.data();
  for (std::size_t j = 0; j < p_; ++j, s2 += p_) {
    const double wz = w * z[j];
    s1_[j] += wz;
    for (std::size_t k = 0; k <= j; ++k) s2[k] += wz * z[k];
  }
}

template <class AtTime>
void PartialLikelihood::walk(AtTime&& at_time) {
  for (std::uint32_t m = 0; m < times_.size(); ++m) {
    EventTime const& time = times_[m];
    if (time.first_of_stratum) clear_sums();
    else
      for (std::uint32_t i = time.leave_begin; i < time.leave_end; ++i) add(leave_[i], -1.0);
    for (std::uint32_t row = time.enter_begin; row < time.enter_end; ++row) add(row, 1.0);
    if (time.leave_begin < time.leave_end && s0_ < cancelled * peak_) {
      clear_sums();
      for (std::uint32_t row = time.stratum_begin; row < time.enter_end; ++row)
        if (exit_[row] > m) add(row, 1.0);
    }
    peak_ = std::max(peak_, s0_);
    at_time(time, m);
  }
}

double PartialLikelihood::evaluate(std::span<const double> eta, std::span<double> gradient, std::span<double> information) {
  const std::size_t p = p_;
  for (std::size_t i = 0; i < rows(); ++i) weight_[i] = std::exp(eta[i]);
  std::fill(gradient.begin(), gradient.end(), 0.0);
  std::fill(information.begin(), information.end(), 0.0);
  double log_likelihood = 0;

  walk([&](EventTime const& time, std::uint32_t) {
    const double d = double(time.events_end - time.enter_begin);
    const bool efron = ties_ == Ties::efron && d > 1;
    double d0 = 0;
    if (efron) {
      std::fill(d1_.begin(), d1_.end(), 0.0);
      std::fill(d2_.begin(), d2_.end(), 0.0);
    }
    for (std::uint32_t row = time.enter_begin; row < time.events_end; ++row) {
      const double* z = z_.data() + std::size_t(row) * p;
      log_likelihood += eta[row];
      for (std::size_t j = 0; j < p; ++j) gradient[j] += z[j];
      if (!efron) continue;
      const double w = weight_[row];
      d0 += w;
      for (std::size_t j = 0; j < p; ++j) {
        d1_[j] += w * z[j];
        for (std::size_t k = 0; k <= j; ++k) d2_[j * p + k] += w * z[j] * z[k];
      }
    }
    const double steps = efron ? d : 1, each = efron ? 1 : d;  // Breslow: d equal terms
    for (double l = 0; l < steps; ++l) {
      const double part = l / d;
      const double s0 = s0_ - part * d0;
      log_likelihood -= each * std::log(s0);
      for (std::size_t j = 0; j < p; ++j) mean_[j] = (efron ? s1_[j] - part * d1_[j] : s1_[j]) / s0;
      for (std::size_t j = 0; j < p; ++j) {
        gradient[j] -= each * mean_[j];
        for (std::size_t k = 0; k <= j; ++k) {
          const double s2 = efron ? s2_[j * p + k] - part * d2_[j * p + k] : s2_[j * p + k];
          information[j * p + k] += each * (s2 / s0 - mean_[j] * mean_[k]);
        }
      }
    }
  });
  for (std::size_t j = 0; j < p; ++j)
    for (std::size_t k = 0; k < j; ++k) information[k * p + j] = information[j * p + k];
  return log_likelihood;
}

void PartialLikelihood::predict(std::span<const double> b, std::span<double> eta) const {
  for (std::size_t i = 0; i < rows(); ++i) {
    double predictor = 0;
    for (std::size_t j = 0; j < p_; ++j) predictor += z_[i * p_ + j] * b[j];
    eta[i] = predictor;
  }
}

std::vector<double> PartialLikelihood::by_row(std::span<const double> eta, std::size_t data_rows) const {
  std::vector<double> predictors(data_rows, 0.0);
  for (std::size_t i = 0; i < rows(); ++i) predictors[row_[i]] = eta[i];
  return predictors;
}

std::vector<double> PartialLikelihood::score_residuals(std::span<const double> eta, std::span<const std::int32_t> cluster,
                                                       std::size_t clusters) {
  const std::size_t p = p_;
  std::vector<double> residuals(clusters * p, 0.0);
  // hazard[m], moment[m]: sums over the event times before m (in walking order) of 1/S0 and of mean/S0.
  std::vector<double> hazard(times_.size() + 1, 0.0), moment((times_.size() + 1) * p, 0.0);
  std::vector<double> own_mean(p), own_moment(p);
  for (std::size_t i = 0; i < rows(); ++i) weight_[i] = std::exp(eta[i]);

  walk([&](EventTime const& time, std::uint32_t m) {
    const double d = double(time.events_end - time.enter_begin);
    const bool efron = ties_ == Ties::efron && d > 1;
    double d0 = 0;
    std::fill(d1_.begin(), d1_.end(), 0.0);
    if (efron)
      for (std::uint32_t row = time.enter_begin; row < time.events_end; ++row) {
        d0 += weight_[row];
        for (std::size_t j = 0; j < p; ++j) d1_[j] += weight_[row] * z_[row * p + j];
      }
    std::fill(own_mean.begin(), own_mean.end(), 0.0);
    std::fill(own_moment.begin(), own_moment.end(), 0.0);
    double own_hazard = 0;  // of an event beyond its share: sum of l/d / S0
    hazard[m + 1] = hazard[m];
    for (std::size_t j = 0; j < p; ++j) moment[(m + 1) * p + j] = moment[m * p + j];
    const double steps = efron ? d : 1, each = efron ? 1 : d;
    for (double l = 0; l < steps; ++l) {
      const double part = l / d, s0 = s0_ - part * d0;
      hazard[m + 1] += each / s0;
      own_hazard += part / s0;
      for (std::size_t j = 0; j < p; ++j) {
        const double mean = (s1_[j] - part * d1_[j]) / s0;
        moment[(m + 1) * p + j] += each * mean / s0;
        own_mean[j] += mean / steps;
        own_moment[j] += part * mean / s0;
      }
    }
    for (std::uint32_t row = time.enter_begin; row < time.events_end; ++row) {
      double* residual = residuals.data() + std::size_t(cluster[row_[row]]) * p;
      for (std::size_t j = 0; j < p; ++j) {
        const double z = z_[row * p + j];
        residual[j] += z - own_mean[j] + weight_[row] * (z * own_hazard - own_moment[j]);
      }
    }
  });
  for (std::size_t i = 0; i < rows(); ++i) {
    double* residual = residuals.data() + std::size_t(cluster[row_[i]]) * p;
    const double exposure = hazard[exit_[i]] - hazard[enter_[i]];
    for (std::size_t j = 0; j < p; ++j)
      residual[j] -= weight_[i] * (z_[i * p + j] * exposure - (moment[exit_[i] * p + j] - moment[enter_[i] * p + j]));
  }
  return residuals;
}

bool PartialLikelihood::is_ascent_without_end(std::span<const double> direction, double slack) const {
  std::priority_queue<std::pair<double, std::uint32_t>> at_risk;  // the largest on top; who has left goes when he comes up
  for (std::uint32_t m = 0; m < times_.size(); ++m) {
    EventTime const& time = times_[m];
    if (time.first_of_stratum) at_risk = {};
    for (std::uint32_t row = time.enter_begin; row < time.enter_end; ++row) at_risk.emplace(direction[row], row);
    while (exit_[at_risk.top().second] <= m) at_risk.pop();
    for (std::uint32_t row = time.enter_begin; row < time.events_end; ++row)
      if (direction[row] < at_risk.top().first - slack) return false;
  }
  return true;
}

}  // namespace equipoise::stats
