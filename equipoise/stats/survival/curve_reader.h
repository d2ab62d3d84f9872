#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "equipoise/stats/survival/kaplan_meier.h"

namespace equipoise::stats {

/// What is read of one curve, whatever its length.
struct CurveQuestions {
  SurvivalInterval interval = SurvivalInterval::log_log;
  double level = 0.95;
  std::vector<double> times;  ///< increasing
  std::vector<double> probs;
  double tolerance = same_time;  ///< relative: times this close to one of `times` are that time
  double last = 0;               ///< no time is above it
};

/// A step of the curve: what holds from `time` on. `at_risk` just before it; `events` and `censored` since the step before.
struct CurveStep {
  double time, survival, greenwood, at_risk, events, censored;
};

/// One product-limit curve, read while its rows come by in increasing time: memory does not grow with them.
///
/// Rows gather in a block of steps; a block is folded into the curve when it is full. A quantile of a limit needs the limit at
/// every step, which costs two transcendental functions; but between the first and last step of a block S falls and Greenwood's
/// sum g^2 grows, and on each of the five scales the lower limit falls with g and is unimodal in S, the upper grows with g and
/// with S. So a block in which the limit cannot reach the quantile is known by its corners, and only the others are looked at
/// step by step.
///
/// Of more than `whole_curve` steps the curve keeps those at which S, the number at risk or the time has moved by a `finest`
/// part of its whole since the last one kept, and the last of all: between kept steps S is known to that part.
///
/// checked  curve_reader_test.cpp (against product_limit and curve_quantile, on one block and on many)
class CurveReader {
 public:
  static constexpr std::size_t whole_curve = 10'000;
  static constexpr double finest = 1.0 / 4096;

  CurveReader(CurveQuestions const& questions, std::int64_t rows);

  /// Rows at one time; times never fall. `rows` includes the events.
  void add(double time, std::uint32_t events, std::uint32_t rows) {
    if (size_ > 0 && time_[size_ - 1] == time) {
      events_[size_ - 1] += events;
    } else {
      if (size_ == block) fold();
      time_[size_] = time;
      at_risk_[size_] = left_;
      events_[size_] = events;
      ++size_;
    }
    left_ -= rows;
  }
  /// After the last row.
  void finish();

  struct Reading {
    bool before = true;   ///< nothing was observed until then
    bool beyond = false;  ///< the curve has ended, and not at 0
    double survival = 1, greenwood = 0, at_risk = 0;
  };
  struct Quantile {
    double estimate = missing_number, lower = missing_number, upper = missing_number;
  };
  std::vector<Reading> const& readings() const { return readings_; }  ///< by `times`
  std::vector<Quantile> quantiles() const;                            ///< by `probs`
  std::int64_t events() const { return events_seen_; }
  std::span<const CurveStep> steps() const { return thinned() ? kept_ : whole_; }
  bool thinned() const { return steps_seen_ > whole_curve; }
  std::size_t steps_seen() const { return steps_seen_; }

 private:
  static constexpr std::size_t block = 128;

  /// Search for the first step at which 1 - value is p, as curve_quantile does it.
  struct Search {
    enum class State { searching, flat, found };
    double p;
    State state = State::searching;
    double value = 0, time = 0, result = missing_number;

    bool can_reach(double smallest) const;  ///< whether a value as small as this could be it
    void look(double time, double value);
    void finish(double last_time);
  };

  void fold();
  void read_times();
  void search_quantiles();
  void keep_steps();

  CurveQuestions const* questions_;
  double z_, n_;
  // The block.
  std::size_t size_ = 0;
  double time_[block], at_risk_[block], events_[block], survival_[block], greenwood_[block];
  double left_, left_at_kept_;  ///< at risk after the last step, and after the last one kept
  // The curve up to the block.
  double S_ = 1, g2_ = 0, last_time_ = 0;
  bool begun_ = false;
  std::int64_t events_seen_ = 0;
  std::size_t steps_seen_ = 0;
  // What was asked.
  std::vector<Reading> readings_;
  std::size_t next_value_ = 0, next_at_risk_ = 0;
  std::vector<Search> estimate_, lower_, upper_;
  std::vector<CurveStep> whole_, kept_;
  CurveStep since_{};  ///< the last step kept, with the events after it
};

}  // namespace equipoise::stats
