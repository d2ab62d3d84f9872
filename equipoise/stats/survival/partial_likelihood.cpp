#include "equipoise/stats/survival/partial_likelihood.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>

#include "equipoise/numerics/lanes.h"
#include "equipoise/numerics/sum.h"
#include "equipoise/stats/survival/subset_sums.h"

namespace equipoise::stats {
namespace {

constexpr double cancelled = 1e-3;       // below this part of the largest sum so far the risk set is summed anew
constexpr double constant_here = 1e-12;  // a spread this small beside the values is the rounding of their mean

}  // namespace

PartialLikelihood::PartialLikelihood(SurvivalRows const& data, std::span<const std::int32_t> stratum, std::size_t strata,
                                     Design const& design, Ties ties)
    : p_(design.names.size()),
      ties_(ties),
      scale_(p_),
      largest_(p_),
      event_sum_(p_),
      s1_(p_),
      s2_(p_ * p_),
      d1_(p_),
      d2_(p_ * p_),
      mean_(p_) {
  lay_out(data, stratum, strata);
  if (!data.start.empty()) find_exits(data);
  take_covariates(design);
}

void PartialLikelihood::lay_out(SurvivalRows const& data, std::span<const std::int32_t> stratum, std::size_t strata) {
  row_.resize(data.size() + 1);
  std::size_t events = 0;
  for (const std::uint8_t mark : data.in_order) events += mark & SurvivalRows::has_event;
  times_.resize(events + 1);  // one more of both: what is not known to be wanted yet is written after the last
  time_count_ = 0;
  if (strata == 1) {
    lay_out_stratum(data, data.by_time, data.in_order);
  } else {
    const Partition parts = partition(data.by_time, stratum, strata);
    std::vector<std::uint8_t> in_order;
    for (std::size_t s = 0; s < strata; ++s) {
      const std::span<const std::uint32_t> rows = parts.of(s);
      in_order.resize(rows.size());
      for (std::size_t i = 0; i < rows.size(); ++i) {
        const bool begins = i == 0 || data.time[rows[i - 1]] != data.time[rows[i]];
        in_order[i] =
            std::uint8_t((data.event[rows[i]] ? SurvivalRows::has_event : 0) | (begins ? SurvivalRows::begins_time : 0));
      }
      lay_out_stratum(data, rows, in_order);
    }
  }
  row_.resize(strata_.empty() ? 0 : strata_.back().end);
  times_.resize(time_count_);
  for (EventTime const& time : times_) events_ += time.events_end - time.enter_begin;
  single_ends_.assign((rows() + tile - 1) / tile * quarter, 0);
  events_here_.assign(single_ends_.size(), 0);
  for (std::uint32_t m = 0; m < times_.size(); ++m) {
    EventTime const& time = times_[m];
    const std::uint32_t last = time.enter_end - 1, at = slot(last % tile);
    if (time.events_end - time.enter_begin > 1) tied_.push_back(m);
    else single_ends_[last / tile * quarter + at / 4] |= std::uint8_t(1u << at % 4);
    for (std::uint32_t row = time.enter_begin; row < time.events_end; ++row) {
      const std::uint32_t event = slot(row % tile);
      events_here_[row / tile * quarter + event / 4] |= std::uint8_t(1u << event % 4);
    }
  }
}

void PartialLikelihood::lay_out_stratum(SurvivalRows const& data, std::span<const std::uint32_t> by_time,
                                        std::span<const std::uint8_t> in_order) {
  const std::uint32_t begin = strata_.empty() ? 0 : strata_.back().end;
  Stratum made{.begin = begin, .end = begin, .times_begin = time_count_, .times_end = 0, .most_tied = 0};
  // Those censored since the event time before (in this pass) wait: they enter with the next event time, after its events. So
  // they are put where they will be if that time has one event.
  std::uint32_t at = begin, waits = 0, times = time_count_;
  std::uint32_t* const to = row_.data();
  EventTime* const time = times_.data();
  for (std::size_t end = by_time.size(); end > 0;) {
    std::uint8_t mark = in_order.data()[--end];
    if (mark >= SurvivalRows::begins_time && data.start.empty()) {
      // One row at this time, as most often. Whether it is an event is hard to guess, so there is no branch on it.
      const std::uint32_t is_event = mark & SurvivalRows::has_event, after = at + 1 + waits;
      to[is_event ? at : after] = by_time.data()[end];
      time[times] = {at, at + 1, after};
      times += is_event;
      at = is_event ? after : at;
      waits = is_event ? 0 : waits + 1;
      continue;
    }
    std::size_t first = end;
    std::uint32_t events = mark & SurvivalRows::has_event;
    while (mark < SurvivalRows::begins_time) {
      mark = in_order.data()[--first];
      events += mark & SurvivalRows::has_event;
    }
    if (events > 0) {
      std::uint32_t *const waiting = to + at + 1, *const waiting_end = waiting + waits;
      // With starts, one who starts at this time or later has come and gone without being at risk at any event.
      if (!data.start.empty())
        waits = std::uint32_t(
            std::remove_if(waiting, waiting_end, [&](std::uint32_t row) { return data.start[row] >= data.time[by_time[end]]; }) -
            waiting);
      if (events > 1) std::copy_backward(waiting, waiting + waits, waiting + waits + events - 1);
    }
    // Latest row first. The events of this time, then those who waited, then its censored; without an event all of them wait.
    std::uint32_t event_at = at, censored_at = at + std::max(events, 1u) + waits;
    for (std::size_t i = end + 1; i > first; --i) {
      const bool is_event = (in_order[i - 1] & SurvivalRows::has_event) != 0;
      const std::uint32_t row = by_time[i - 1];
      (is_event ? to[event_at++] : to[censored_at++]) = row;
    }
    end = first;
    waits = censored_at - (at + std::max(events, 1u));
    if (events == 0) continue;
    time[times++] = {at, event_at, censored_at};
    made.most_tied = std::max(made.most_tied, events);
    at = censored_at;
    waits = 0;
  }
  made.end = at;
  made.times_end = time_count_ = times;
  if (made.times_end == made.times_begin) return;
  made.most_tied = std::max(made.most_tied, 1u);
  strata_.push_back(made);
}

void PartialLikelihood::find_exits(SurvivalRows const& data) {
  exit_.resize(rows());
  leave_begin_.assign(times_.size() + 1, 0);
  for (Stratum const& stratum : strata_) {
    const auto begin = times_.begin() + stratum.times_begin, end = times_.begin() + stratum.times_end;
    for (std::uint32_t row = stratum.begin; row < stratum.end; ++row) {
      const double start = data.start[row_[row]];
      const auto exit =
          std::partition_point(begin, end, [&](EventTime const& time) { return data.time[row_[time.enter_begin]] > start; });
      exit_[row] = std::uint32_t(exit - times_.begin());
      if (exit != end) ++leave_begin_[exit_[row] + 1];  // those at risk until the end of their stratum leave with it
    }
  }
  for (std::size_t m = 0; m < times_.size(); ++m) leave_begin_[m + 1] += leave_begin_[m];
  leave_.resize(leave_begin_.back());
  std::vector<std::uint32_t> next(leave_begin_.begin(), leave_begin_.end() - 1);
  for (Stratum const& stratum : strata_)
    for (std::uint32_t row = stratum.begin; row < stratum.end; ++row)
      if (exit_[row] < stratum.times_end) leave_[next[exit_[row]]++] = row;
}

void PartialLikelihood::take_covariates(Design const& design) {
  const std::size_t tiles = (rows() + tile - 1) / tile;
  z_.resize(tiles * tile * p_);
  StagedGather gather(row_, design.rows, p_);
  for (std::size_t j = 0; j < p_; ++j) take_covariate(design.column(j), j, gather);
}

void PartialLikelihood::take_covariate(std::span<const double> column, std::size_t j, StagedGather& gather) {
  if (rows() == 0) return;
  // Mean and spread of the whole column first, in one sequential pass of deviations from one of its values; they only have to be
  // about right. Then the rows are gathered with them, and corrected where the strata or the rows left out make a difference.
  const double origin = column[row_[0]];
  numerics::Lanes column_sums{}, column_squares{}, extremes{};
  const auto look = [&](numerics::Lanes value) {
    const numerics::Lanes deviation = value - origin, size = value < 0.0 ? -value : value;
    column_sums += deviation;
    column_squares += deviation * deviation;
    extremes = size > extremes ? size : extremes;
  };
  std::size_t looked = 0;
  constexpr std::size_t a_page_ahead = 512;  // where the processor's own prefetching stops
  for (; looked + numerics::lanes <= column.size(); looked += numerics::lanes) {
    __builtin_prefetch(column.data() + std::min(looked + a_page_ahead, column.size() - 1));
    look(numerics::load(column.data() + looked));
  }
  for (; looked < column.size(); ++looked) look(numerics::Lanes{column[looked], origin, origin, origin});
  const double sum = numerics::total(column_sums), squares = numerics::total(column_squares);
  const double largest = std::max(std::max(extremes[0], extremes[1]), std::max(extremes[2], extremes[3]));
  const double n = double(column.size()), shift = sum / n;
  double spread = std::sqrt(std::max(squares / n - shift * shift, 0.0));
  if (!(spread > 1e-3 * std::abs(shift)) || !std::isfinite(spread)) spread = largest > 0 ? largest : 1;
  double const* const from = gather.values(column);
  std::uint32_t const* const order = gather.order().data();
  const auto in_tiles = [&](std::size_t begin, std::size_t end, auto&& each) {
    while (begin < end) {
      const std::size_t stop = std::min(end, (begin / tile + 1) * tile);
      each(z_.data() + (begin / tile * p_ + j) * tile, begin % tile, order + begin, stop - begin);
      begin = stop;
    }
  };
  const double centre = origin + shift, one_spread = 1 / spread;
  numerics::Lanes sums{}, sums_of_squares{}, reaches{};
  numerics::Sum events;
  std::uint8_t const* event_bits = events_here_.data();
  in_tiles(0, rows(), [&](double* to, std::size_t, std::uint32_t const* rows_here, std::size_t count) {
    numerics::Lanes of_events{};
    if (count < tile) {
      std::fill(to, to + tile, 0.0);  // after the last row
      for (std::uint32_t i = 0; i < count; ++i) to[slot(i)] = (from[rows_here[i]] - centre) * one_spread;
    }
    for (std::size_t i = 0; i < tile; i += numerics::lanes) {
      if (count == tile) {
        if (i % 8 == 0) __builtin_prefetch(gather.ahead(rows_here - order + i));
        std::uint32_t const* const row = rows_here + i / numerics::lanes;
        const numerics::Lanes raw{from[row[0]], from[row[quarter]], from[row[2 * quarter]], from[row[3 * quarter]]};
        numerics::store(to + i, (raw - centre) * one_spread);
      }
      const numerics::Lanes value = numerics::load(to + i), size = value < 0.0 ? -value : value;
      of_events += value * numerics::load(numerics::ones[*event_bits++]);
      sums += value;
      sums_of_squares += value * value;
      reaches = size > reaches ? size : reaches;
    }
    events.add(numerics::total(of_events));
  });
  const double size = double(rows());
  double reach = std::max(std::max(reaches[0], reaches[1]), std::max(reaches[2], reaches[3]));
  const double mean = numerics::total(sums) / size, mean_square = numerics::total(sums_of_squares) / size;
  double total_squares = 0;
  const bool settled =
      strata_.size() == 1 && mean_square > 0.01 && mean_square < 100 && std::abs(mean) < 0.1 * std::sqrt(mean_square);
  if (!settled) {
    for (Stratum const& stratum : strata_) {
      double stratum_sum = 0;
      in_tiles(stratum.begin, stratum.end, [&](double* to, std::size_t at, std::uint32_t const* rows_here, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
          stratum_sum += to[slot(std::uint32_t(at + i))] = (from[rows_here[i]] - from[order[stratum.begin]]) / spread;
      });
      const double stratum_mean = stratum_sum / double(stratum.end - stratum.begin);
      in_tiles(stratum.begin, stratum.end, [&](double* to, std::size_t at, std::uint32_t const*, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
          double& value = to[slot(std::uint32_t(at + i))];
          value -= stratum_mean, total_squares += value * value;
        }
      });
    }
    const double root = std::sqrt(total_squares / size);
    const bool varies = root * spread > constant_here * largest;
    reach = 0;
    events = {};
    event_bits = events_here_.data();
    in_tiles(0, rows(), [&](double* to, std::size_t, std::uint32_t const*, std::size_t) {
      double of_events = 0;
      for (std::size_t i = 0; i < tile; ++i) {  // zeros after the last row stay
        to[i] = varies ? to[i] / root : 0;
        reach = std::max(reach, std::abs(to[i]));
        of_events += to[i] * numerics::ones[event_bits[i / 4]][i % 4];
      }
      events.add(of_events);
      event_bits += quarter;
    });
    spread = varies ? spread * root : 0;
  }
  scale_[j] = spread;
  largest_[j] = reach;
  event_sum_[j] = events.value();
}

void PartialLikelihood::clear_sums() {
  s0_ = peak_ = 0;
  std::fill(s1_.begin(), s1_.end(), 0.0);
  std::fill(s2_.begin(), s2_.end(), 0.0);
}

void PartialLikelihood::add(std::uint32_t row, double sign) {
  const double w = sign * weight_[row];
  s0_ += w;
  double* s2 = s2_.data();
  for (std::size_t j = 0; j < p_; ++j, s2 += p_) {
    const double wz = w * z(row, j);
    s1_[j] += wz;
    for (std::size_t k = 0; k <= j; ++k) s2[k] += wz * z(row, k);
  }
}

void PartialLikelihood::weigh(std::span<const double> b) {
  weight_.resize(rows());
  predict(b, weight_);
  for (double& weight : weight_) weight = std::exp(weight);
}

template <class AtTime>
void PartialLikelihood::walk(AtTime&& at_time) {
  for (Stratum const& stratum : strata_) {
    clear_sums();
    for (std::uint32_t m = stratum.times_begin; m < stratum.times_end; ++m) {
      EventTime const& time = times_[m];
      const bool leaves = !exit_.empty() && leave_begin_[m] < leave_begin_[m + 1];
      if (leaves)
        for (std::uint32_t i = leave_begin_[m]; i < leave_begin_[m + 1]; ++i) add(leave_[i], -1.0);
      for (std::uint32_t row = time.enter_begin; row < time.enter_end; ++row) add(row, 1.0);
      if (leaves && s0_ < cancelled * peak_) {
        clear_sums();
        for (std::uint32_t row = stratum.begin; row < time.enter_end; ++row)
          if (exit_[row] > m) add(row, 1.0);
      }
      peak_ = std::max(peak_, s0_);
      at_time(time, m);
    }
  }
}

double PartialLikelihood::evaluate(std::span<const double> b, std::span<double> gradient, std::span<double> information) {
  std::fill(information.begin(), information.end(), 0.0);
  double log_likelihood = 0;
  for (std::size_t j = 0; j < p_; ++j) {
    gradient[j] = event_sum_[j];
    log_likelihood += b[j] * event_sum_[j];
  }
  if (ties_ == Ties::exact) log_likelihood += evaluate_exact(b, gradient, information);
  else if (!exit_.empty()) log_likelihood += evaluate_with_starts(b, gradient, information);
  else log_likelihood += evaluate_tiles(b, gradient, information);
  for (std::size_t j = 0; j < p_; ++j)
    for (std::size_t k = 0; k < j; ++k) information[k * p_ + j] = information[j * p_ + k];
  return log_likelihood;
}

double PartialLikelihood::evaluate_with_starts(std::span<const double> b, std::span<double> gradient,
                                               std::span<double> information) {
  const std::size_t p = p_;
  weigh(b);
  double log_likelihood = 0;
  walk([&](EventTime const& time, std::uint32_t) {
    const double d = double(time.events_end - time.enter_begin);
    const bool efron = ties_ == Ties::efron && d > 1;
    double d0 = 0;
    if (efron) {
      std::fill(d1_.begin(), d1_.end(), 0.0);
      std::fill(d2_.begin(), d2_.end(), 0.0);
      for (std::uint32_t row = time.enter_begin; row < time.events_end; ++row) {
        const double w = weight_[row];
        d0 += w;
        for (std::size_t j = 0; j < p; ++j) {
          d1_[j] += w * z(row, j);
          for (std::size_t k = 0; k <= j; ++k) d2_[j * p + k] += w * z(row, j) * z(row, k);
        }
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
  return log_likelihood;
}

double PartialLikelihood::exact_work() const {
  const double a_row = 1 + double(p_) + double(p_) * double(p_ + 1) / 2;
  double work = 0;
  for (Stratum const& stratum : strata_) {
    if (exit_.empty()) {
      work += double(stratum.end - stratum.begin) * double(stratum.most_tied) * a_row;
      continue;
    }
    for (std::uint32_t m = stratum.times_begin; m < stratum.times_end; ++m)  // at most: those who have left are skipped
      work += double(times_[m].enter_end - stratum.begin) * double(times_[m].events_end - times_[m].enter_begin) * a_row;
  }
  return work;
}

double PartialLikelihood::evaluate_exact(std::span<const double> b, std::span<double> gradient, std::span<double> information) {
  weigh(b);
  double log_likelihood = 0;
  std::vector<double> row_z(p_);
  for (Stratum const& stratum : strata_) {
    SubsetMeans means(p_, stratum.most_tied);
    const auto enter = [&](std::uint32_t row) {
      for (std::size_t j = 0; j < p_; ++j) row_z[j] = z(row, j);
      means.add(weight_[row], row_z);
    };
    for (std::uint32_t m = stratum.times_begin; m < stratum.times_end; ++m) {
      EventTime const& time = times_[m];
      if (exit_.empty()) {
        for (std::uint32_t row = time.enter_begin; row < time.enter_end; ++row) enter(row);
      } else {  // a row cannot be taken out of the means without cancellation
        means.clear();
        for (std::uint32_t row = stratum.begin; row < time.enter_end; ++row)
          if (exit_[row] > m) enter(row);
      }
      const std::size_t d = time.events_end - time.enter_begin;
      const double mean = means.mean(d);
      log_likelihood -= log_subsets(double(means.rows()), double(d)) + std::log(mean);
      const std::span<const double> slope = means.gradient(d), curvature = means.curvature(d);
      for (std::size_t j = 0, c = 0; j < p_; ++j) {
        gradient[j] -= slope[j] / mean;
        for (std::size_t k = 0; k <= j; ++k, ++c)
          information[j * p_ + k] += curvature[c] / mean - (slope[j] / mean) * (slope[k] / mean);
      }
    }
  }
  return log_likelihood;
}

void PartialLikelihood::predict(std::span<const double> b, std::span<double> eta) const {
  double of_tile[tile];
  for (std::size_t first = 0; first < rows(); first += tile) {
    predict_tile(b, first, of_tile);
    const auto count = std::uint32_t(std::min(std::size_t(tile), rows() - first));
    for (std::uint32_t i = 0; i < count; ++i) eta[first + i] = of_tile[slot(i)];
  }
}

void PartialLikelihood::predict_tile(std::span<const double> b, std::size_t first, double* eta) const {
  double const* column = z_.data() + first * p_;
  std::fill_n(eta, tile, 0.0);
  for (std::size_t j = 0; j < p_; ++j, column += tile)
    for (std::size_t i = 0; i < tile; ++i) eta[i] += column[i] * b[j];
}

double PartialLikelihood::predictor_bound(std::span<const double> b) const {
  double bound = 0;
  for (std::size_t j = 0; j < p_; ++j) bound += std::abs(b[j]) * largest_[j];
  return bound;
}

numerics::Numbers PartialLikelihood::by_row(std::span<const double> b, std::size_t data_rows) const {
  numerics::Numbers predictors(data_rows);
  if (rows() < data_rows) std::fill(predictors.begin(), predictors.end(), 0.0);
  double of_tile[tile];
  constexpr std::size_t ahead = 64;  // places until one is written to; each waits for memory
  for (std::size_t first = 0; first < rows(); first += tile) {
    predict_tile(b, first, of_tile);
    const auto count = std::uint32_t(std::min(std::size_t(tile), rows() - first));
    for (std::uint32_t i = 0; i < count; ++i) {
      __builtin_prefetch(predictors.data() + row_.data()[std::min(first + i + ahead, rows() - 1)], 1);
      predictors.data()[row_.data()[first + i]] = of_tile[slot(i)];
    }
  }
  return predictors;
}

std::vector<double> PartialLikelihood::score_residuals(std::span<const double> b, std::span<const std::int32_t> cluster,
                                                       std::size_t clusters) {
  const std::size_t p = p_;
  std::vector<double> residuals(clusters * p, 0.0);
  // hazard[m], moment[m]: sums over the event times before m (in walking order) of 1/S0 and of mean/S0.
  std::vector<double> hazard(times_.size() + 1, 0.0), moment((times_.size() + 1) * p, 0.0);
  std::vector<double> own_mean(p), own_moment(p);
  weigh(b);

  walk([&](EventTime const& time, std::uint32_t m) {
    const double d = double(time.events_end - time.enter_begin);
    const bool efron = ties_ == Ties::efron && d > 1;
    double d0 = 0;
    std::fill(d1_.begin(), d1_.end(), 0.0);
    if (efron)
      for (std::uint32_t row = time.enter_begin; row < time.events_end; ++row) {
        d0 += weight_[row];
        for (std::size_t j = 0; j < p; ++j) d1_[j] += weight_[row] * z(row, j);
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
        const double value = z(row, j);
        residual[j] += value - own_mean[j] + weight_[row] * (value * own_hazard - own_moment[j]);
      }
    }
  });
  for (Stratum const& stratum : strata_)
    for (std::uint32_t m = stratum.times_begin; m < stratum.times_end; ++m)
      for (std::uint32_t i = times_[m].enter_begin; i < times_[m].enter_end; ++i) {
        double* residual = residuals.data() + std::size_t(cluster[row_[i]]) * p;
        const std::uint32_t exit = exit_of(i, stratum);
        const double exposure = hazard[exit] - hazard[m];
        for (std::size_t j = 0; j < p; ++j)
          residual[j] -= weight_[i] * (z(i, j) * exposure - (moment[exit * p + j] - moment[m * p + j]));
      }
  return residuals;
}

bool PartialLikelihood::is_ascent_without_end(std::span<const double> direction, double slack) const {
  std::priority_queue<std::pair<double, std::uint32_t>> at_risk;  // the largest on top; who has left goes when he comes up
  for (Stratum const& stratum : strata_) {
    at_risk = {};
    for (std::uint32_t m = stratum.times_begin; m < stratum.times_end; ++m) {
      EventTime const& time = times_[m];
      for (std::uint32_t row = time.enter_begin; row < time.enter_end; ++row) at_risk.emplace(direction[row], row);
      while (exit_of(at_risk.top().second, stratum) <= m) at_risk.pop();
      for (std::uint32_t row = time.enter_begin; row < time.events_end; ++row)
        if (direction[row] < at_risk.top().first - slack) return false;
    }
  }
  return true;
}

}  // namespace equipoise::stats
