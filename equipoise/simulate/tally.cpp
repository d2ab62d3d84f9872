#include "equipoise/simulate/tally.h"

#include <cmath>

namespace equipoise::simulate {
namespace {

void add_counts(std::vector<std::int64_t>& to, std::vector<std::int64_t> const& from) {
  if (to.size() < from.size()) to.resize(from.size(), 0);
  for (std::size_t i = 0; i < from.size(); ++i) to[i] += from[i];
}

}  // namespace

void Moments::add(double value) {
  ++n;
  const double away = value - mean;
  mean += away / double(n);
  squares += away * (value - mean);
}

void Moments::merge(Moments const& other) {
  if (other.n == 0) return;
  if (n == 0) {
    *this = other;
    return;
  }
  const double a = double(n), b = double(other.n), away = other.mean - mean;
  mean += away * (b / (a + b));
  squares += other.squares + away * away * (a * b / (a + b));
  n += other.n;
}

double Moments::standard_error() const { return std::sqrt(variance() / double(n)); }

void StatementTally::merge(StatementTally const& other) {
  answered += other.answered, rejected += other.rejected, rejected_better += other.rejected_better;
  intervals += other.intervals, covered += other.covered, missed_below += other.missed_below;
  estimate.merge(other.estimate), se.merge(other.se), se_squared.merge(other.se_squared);
}

void Tally::merge(Tally&& other) {
  replicates += other.replicates;
  if (statements.size() < other.statements.size()) statements.resize(other.statements.size());
  for (std::size_t s = 0; s < other.statements.size(); ++s) statements[s].merge(other.statements[s]);
  add_counts(claims, other.claims), add_counts(unknown, other.unknown), add_counts(hypotheses, other.hypotheses);
  add_counts(failed, other.failed), add_counts(fell_back, other.fell_back);
  any_hypothesis += other.any_hypothesis, all_hypotheses += other.all_hypotheses, any_true += other.any_true;
  accrual_days.merge(other.accrual_days), trial_days.merge(other.trial_days), screened.merge(other.screened);
  imbalance.merge(other.imbalance), guessed.merge(other.guessed), left_early.merge(other.left_early);
  kept.insert(kept.end(), other.kept.begin(), other.kept.end());
}

}  // namespace equipoise::simulate
