#include "equipoise/stats/survival/curve_reader.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"

namespace equipoise::stats {
namespace {

// Two formulas of one limit differ by roundings of numbers below 1; a block this close to its quantile is looked at.
constexpr double corner_slack = 1e-9;

}  // namespace

CurveReader::CurveReader(CurveQuestions const& questions, std::int64_t rows)
    : questions_(&questions),
      z_(numerics::normal_interval(questions.level)),
      n_(double(rows)),
      left_(double(rows)),
      left_at_kept_(double(rows)),
      readings_(questions.times.size()) {
  for (const double p : questions.probs) {
    estimate_.push_back({.p = p});
    lower_.push_back({.p = p});
    upper_.push_back({.p = p});
  }
  whole_.reserve(std::min(std::size_t(rows), whole_curve + 1));
}

bool CurveReader::Search::can_reach(double smallest) const {
  return state == State::flat || (state == State::searching && 1 - smallest >= p - flat_quantile - corner_slack);
}

void CurveReader::Search::look(double at, double here) {
  if (state == State::searching) {
    const double F = 1 - here;
    if (!(F >= p - flat_quantile)) return;  // also passes over NaN
    if (F > p + flat_quantile) {
      result = at;
      state = State::found;
    } else {
      state = State::flat;
      value = here, time = at;
    }
  } else if (state == State::flat && here < value) {
    result = (time + at) / 2;
    state = State::found;
  }
}

void CurveReader::Search::finish(double last_time) {
  if (state == State::flat) result = (time + last_time) / 2;
}

void CurveReader::fold() {
  if (size_ == 0) return;
  for (std::size_t i = 0; i < size_; ++i) {
    const double n = at_risk_[i], d = events_[i];
    survival_[i] = (n - d) / n;
    greenwood_[i] = d / (n * (n - d));  // infinite at the last event of all: no standard error from there on
  }
  double S = S_, g2 = g2_, d = 0;
  for (std::size_t i = 0; i < size_; ++i) {
    survival_[i] = S *= survival_[i];
    greenwood_[i] = g2 += greenwood_[i];
    d += events_[i];
  }
  events_seen_ += std::int64_t(d);
  read_times();
  search_quantiles();
  keep_steps();
  S_ = S, g2_ = g2, last_time_ = time_[size_ - 1];
  begun_ = true;
  steps_seen_ += size_;
  size_ = 0;
}

void CurveReader::read_times() {
  std::vector<double> const& times = questions_->times;
  const double *const begin = time_, *const end = begin + size_;
  for (; next_value_ < times.size(); ++next_value_) {
    const double reach = times[next_value_] * (1 + questions_->tolerance);
    if (!(end[-1] > reach)) break;
    const auto position = std::size_t(std::upper_bound(begin, end, reach) - begin);
    Reading& reading = readings_[next_value_];
    reading.before = position == 0 && !begun_;
    reading.survival = position == 0 ? S_ : survival_[position - 1];
    reading.greenwood = position == 0 ? g2_ : greenwood_[position - 1];
  }
  for (; next_at_risk_ < times.size(); ++next_at_risk_) {
    const double from = times[next_at_risk_] * (1 - questions_->tolerance);
    if (end[-1] < from) break;
    readings_[next_at_risk_].at_risk = at_risk_[std::size_t(std::lower_bound(begin, end, from) - begin)];
  }
}

void CurveReader::search_quantiles() {
  const double S_high = survival_[0], S_low = survival_[size_ - 1];
  // A value changes only at events; at the first step of all it begins.
  const auto changes = [&](std::size_t i) { return events_[i] > 0 || (i == 0 && !begun_); };
  bool look_at_limits = false;
  for (Search& search : estimate_)
    for (std::size_t i = 0; search.can_reach(S_low) && search.state != Search::State::found && i < size_; ++i)
      if (changes(i)) search.look(time_[i], survival_[i]);
  for (std::size_t j = 0; j < lower_.size(); ++j)
    look_at_limits |= lower_[j].state != Search::State::found || upper_[j].can_reach(S_low);
  if (!look_at_limits) return;

  const bool inside = S_low > 0 && S_high < 1;  // else some limits do not exist
  double lowest_lower = 0, lowest_upper = 0;
  if (inside) {
    const double g_low = std::sqrt(greenwood_[0]), g_high = std::sqrt(greenwood_[size_ - 1]);
    const SurvivalInterval scale = questions_->interval;
    lowest_lower = std::min(survival_limits(scale, S_low, g_high, z_).lower, survival_limits(scale, S_high, g_high, z_).lower);
    lowest_upper = survival_limits(scale, S_low, g_low, z_).upper;
  }
  std::vector<Search*> lower, upper;
  for (std::size_t j = 0; j < lower_.size(); ++j) {
    if (lower_[j].can_reach(lowest_lower)) lower.push_back(&lower_[j]);
    if (upper_[j].can_reach(lowest_upper)) upper.push_back(&upper_[j]);
  }
  if (lower.empty() && upper.empty()) return;
  for (std::size_t i = 0; i < size_; ++i) {
    if (!changes(i)) continue;
    const SurvivalLimits limits = survival_limits(questions_->interval, survival_[i], std::sqrt(greenwood_[i]), z_);
    for (Search* search : lower) search->look(time_[i], limits.lower);
    for (Search* search : upper) search->look(time_[i], limits.upper);
  }
}

void CurveReader::keep_steps() {
  const auto rows = [&](std::size_t i) { return at_risk_[i] - (i + 1 < size_ ? at_risk_[i + 1] : left_); };
  if (steps_seen_ <= whole_curve)
    for (std::size_t i = 0; i < size_ && whole_.size() <= whole_curve; ++i)
      whole_.push_back({time_[i], survival_[i], greenwood_[i], at_risk_[i], events_[i], rows(i) - events_[i]});
  if (n_ <= double(whole_curve)) return;

  double events = since_.events;
  double S_limit = since_.survival - finest, at_risk_limit = since_.at_risk - finest * n_;
  double time_limit = since_.time + finest * questions_->last;
  bool first = kept_.empty();
  for (std::size_t i = 0; i < size_; ++i) {
    events += events_[i];
    if (!first && survival_[i] > S_limit && at_risk_[i] > at_risk_limit && time_[i] < time_limit) continue;
    first = false;
    const double after = at_risk_[i] - rows(i);
    const CurveStep kept{time_[i], survival_[i], greenwood_[i], at_risk_[i], events, (left_at_kept_ - after) - events};
    kept_.push_back(kept);
    since_ = kept;
    left_at_kept_ = after;
    events = 0;
    S_limit = kept.survival - finest, at_risk_limit = kept.at_risk - finest * n_;
    time_limit = kept.time + finest * questions_->last;
  }
  since_.events = events;
}

void CurveReader::finish() {
  // The last step of all is kept, whatever it moved.
  const double last_time = size_ > 0 ? time_[size_ - 1] : last_time_, last_at_risk = size_ > 0 ? at_risk_[size_ - 1] : 0;
  fold();
  if (begun_ && !kept_.empty() && kept_.back().time != last_time)
    kept_.push_back({last_time, S_, g2_, last_at_risk, since_.events, left_at_kept_ - since_.events});
  for (; next_value_ < readings_.size(); ++next_value_) {
    const double t = questions_->times[next_value_];
    const bool beyond = !begun_ || t * (1 - questions_->tolerance) > last_time;
    readings_[next_value_] = {.before = !begun_, .beyond = beyond && !(begun_ && S_ == 0), .survival = S_, .greenwood = g2_,
                              .at_risk = readings_[next_value_].at_risk};
  }
  for (auto* searches : {&estimate_, &lower_, &upper_})
    for (Search& search : *searches) search.finish(last_time);
}

std::vector<CurveReader::Quantile> CurveReader::quantiles() const {
  std::vector<Quantile> found;
  for (std::size_t j = 0; j < estimate_.size(); ++j) found.push_back({estimate_[j].result, lower_[j].result, upper_[j].result});
  return found;
}

}  // namespace equipoise::stats
