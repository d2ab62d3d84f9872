#include "equipoise/simulate/rehearse.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>

#include "equipoise/allocation/predictability.h"
#include "equipoise/allocation/rule.h"
#include "equipoise/analysis/ready_method.h"
#include "equipoise/stats/multiplicity/multiplicity.h"

namespace equipoise::simulate {
namespace {

constexpr int truth_trials = 400;

/// P values up to this one reject; the protocol's alpha belongs to one side when it is one-sided.
double two_sided_alpha(protocol::Conventions const& conventions) {
  return conventions.sided == 1 ? 2 * conventions.alpha : conventions.alpha;
}

results::Measured mean_of(Moments const& moments) {
  return {moments.n > 0 ? moments.mean : missing_number, moments.standard_error()};
}

/// Before its last planned visit could take place.
double left_early(VirtualTrial const& trial, protocol::Protocol const& protocol) {
  double last = 0;
  for (protocol::Visit const& visit : protocol.visits) last = std::max(last, double(visit.day.offset() - visit.days_before));
  std::size_t early = 0;
  for (const double end : trial.follow_up_end) early += end < last;
  return double(early) / double(trial.n);
}

void count(StatementTally& tally, Statement const& statement, Said const& said, Truth const& truth, double alpha) {
  if (!said.answered()) return;
  ++tally.answered;
  if (said.p <= alpha) {
    ++tally.rejected;
    tally.rejected_better += said.sign * statement.better > 0;
  }
  if (!std::isfinite(said.estimate)) return;
  tally.estimate.add(said.estimate);
  if (std::isfinite(said.se)) tally.se.add(said.se), tally.se_squared.add(said.se * said.se);
  if (!truth.value || std::isnan(said.lower) || std::isnan(said.upper)) return;
  ++tally.intervals;
  const double value = truth.value->value;
  tally.covered += said.lower <= value && value <= said.upper;
  tally.missed_below += said.upper < value;
}

}  // namespace

Rehearsed::Rehearsed(study::Study const& study, World const& world, std::vector<Statement> const& statements,
                     Claims const& claims, std::uint64_t seed)
    : study_(&study),
      world_(&world),
      statements_(&statements),
      claims_(&claims),
      seed_(seed),
      truths_(simulate::truths(study, world, statements, seed, truth_trials)) {
  if (!study.plan.multiplicity) return;
  for (analysis::PlannedHypothesis const& hypothesis : study.plan.multiplicity->hypotheses) {
    const auto found = std::ranges::find_if(
        statements, [&](Statement const& one) { return one.analysis == hypothesis.analysis && one.arm == hypothesis.arm; });
    expects(found != statements.end(), "a hypothesis is answered by a statement of its analysis");
    hypotheses_.push_back(std::size_t(found - statements.begin()));
  }
}

Tally Rehearsed::block(std::int64_t block, std::int64_t replicates, Analyst& analyst, Workspace& workspace) const {
  protocol::Protocol const& protocol = study_->protocol;
  const double alpha = two_sided_alpha(protocol.conventions);
  const std::size_t analyses = study_->plan.analyses.size();
  Tally tally;
  tally.statements.resize(statements_->size());
  tally.claims.assign(claims_->size(), 0), tally.unknown.assign(claims_->size(), 0);
  tally.hypotheses.assign(hypotheses_.size(), 0);
  tally.failed.assign(analyses, 0), tally.fell_back.assign(analyses, 0);
  VirtualTrial trial;
  std::vector<Said> said(statements_->size());
  std::vector<std::uint8_t> holds(claims_->size()), unknown(claims_->size()), failed(analyses);
  std::vector<double> p(hypotheses_.size());
  std::vector<int> const& ratio = world_->ratio();
  const std::int64_t end = std::min(replicates, (block + 1) * block_size);
  for (std::int64_t r = block * block_size; r < end; ++r) {
    world_->replicate(seed_, std::uint64_t(r), workspace, trial);
    analyst.analyse(trial, said);
    ++tally.replicates;
    std::ranges::fill(failed, 0);
    for (std::size_t s = 0; s < said.size(); ++s) {
      count(tally.statements[s], (*statements_)[s], said[s], truths_[s], alpha);
      failed[(*statements_)[s].planned] |= !said[s].answered();
    }
    for (std::size_t a = 0; a < analyses; ++a) tally.failed[a] += failed[a], tally.fell_back[a] += analyst.fell_back()[a];
    claims_->judge(said, holds, unknown);
    for (std::size_t c = 0; c < holds.size(); ++c) tally.claims[c] += holds[c], tally.unknown[c] += unknown[c];
    if (!hypotheses_.empty()) {
      for (std::size_t h = 0; h < p.size(); ++h) p[h] = said[hypotheses_[h]].p;
      const auto adjusted = stats::adjusted_p(study_->plan.multiplicity->procedure, study_->plan.multiplicity->graph, p);
      std::size_t rejected = 0;
      bool error = false;
      for (std::size_t h = 0; adjusted && h < p.size(); ++h) {
        const bool reject = (*adjusted)[h] <= alpha;
        tally.hypotheses[h] += reject, rejected += reject;
        error |= reject && truths_[hypotheses_[h]].no_difference;
      }
      tally.any_hypothesis += rejected > 0, tally.all_hypotheses += rejected == p.size(), tally.any_true += error;
    }
    double last = 0;
    for (std::size_t i = 0; i < trial.n; ++i) last = std::max(last, trial.entry[i] + trial.follow_up_end[i]);
    tally.accrual_days.add(trial.n > 0 ? trial.entry[trial.n - 1] : 0), tally.trial_days.add(last);
    tally.screened.add(double(trial.screened)), tally.left_early.add(left_early(trial, protocol));
    tally.imbalance.add(allocation::arm_imbalance(trial.arm, trial.site, ratio).overall);
    tally.guessed.add(allocation::convergent_guesses(trial.arm, trial.site, ratio) / double(trial.n));
    if (r < kept_replicates) tally.kept.insert(tally.kept.end(), said.begin(), said.end());
  }
  return tally;
}

results::ScenarioCharacteristics Rehearsed::characteristics(Tally const& tally) const {
  protocol::Protocol const& protocol = study_->protocol;
  const auto share = [&](std::int64_t n) { return results::Share{n, tally.replicates}; };
  results::ScenarioCharacteristics made{.id = world_->scenario().id, .replicates = tally.replicates};
  for (std::size_t s = 0; s < statements_->size(); ++s) {
    Statement const& statement = (*statements_)[s];
    StatementTally const& counted = tally.statements[s];
    Truth const& truth = truths_[s];
    protocol::Analysis const& section = *std::ranges::find(protocol.analyses, statement.analysis, &protocol::Analysis::id);
    results::StatementCharacteristics one{.analysis = statement.analysis,
                                          .method = section.method,
                                          .role = section.role,
                                          .endpoint = section.endpoint,
                                          .arm = statement.arm,
                                          .against = statement.against,
                                          .rejected = share(counted.rejected),
                                          .not_estimable = share(tally.replicates - counted.answered),
                                          .truth = truth.value,
                                          .no_difference = truth.no_difference};
    if (statement.better != 0 && !statement.against.empty()) one.rejected_better = share(counted.rejected_better);
    if (counted.estimate.n > 1) {
      const double n = double(counted.estimate.n), sd = std::sqrt(counted.estimate.variance());
      one.mean = mean_of(counted.estimate);
      one.empirical_se = results::Measured{sd, sd / std::sqrt(2 * (n - 1))};
      if (counted.se.n > 1) {
        const double model = std::sqrt(counted.se_squared.mean);
        one.model_se = results::Measured{model, counted.se_squared.standard_error() / (2 * model)};
      }
      if (truth.value)
        one.bias = results::Measured{one.mean->value - truth.value->value, std::hypot(one.mean->mc_se, truth.value->mc_se)};
      if (counted.intervals > 0) one.coverage = results::Share{counted.covered, counted.intervals};
    } else {
      one.truth.reset();
    }
    for (std::size_t k = s; k < tally.kept.size(); k += statements_->size()) {
      if (counted.estimate.n == 0) break;
      one.estimates.push_back(tally.kept[k].estimate);
      one.lower.push_back(tally.kept[k].lower), one.upper.push_back(tally.kept[k].upper);
    }
    made.statements.push_back(std::move(one));
  }
  for (std::size_t c = 0; c < claims_->size(); ++c) {
    protocol::Claim const& claim = protocol.claims[c];
    made.claims.push_back({claim.id, claim.label.in("en"), share(tally.claims[c]), tally.unknown[c]});
  }
  bool some_true = false;
  for (std::size_t h = 0; h < hypotheses_.size(); ++h) {
    analysis::PlannedHypothesis const& hypothesis = study_->plan.multiplicity->hypotheses[h];
    const bool is_true = truths_[hypotheses_[h]].no_difference;
    some_true |= is_true;
    made.hypotheses.push_back({hypothesis.id, hypothesis.analysis, hypothesis.arm, is_true, share(tally.hypotheses[h])});
  }
  if (!hypotheses_.empty()) {
    made.any_rejected = share(tally.any_hypothesis), made.all_rejected = share(tally.all_hypotheses);
    if (some_true) made.family_wise_error = share(tally.any_true);
  }
  for (std::size_t a = 0; a < study_->plan.analyses.size(); ++a)
    made.failures.push_back({study_->plan.analyses[a].id, share(tally.failed[a]), share(tally.fell_back[a])});
  made.accrual_days = mean_of(tally.accrual_days), made.trial_days = mean_of(tally.trial_days);
  made.screened = mean_of(tally.screened), made.imbalance = mean_of(tally.imbalance);
  made.guessed = mean_of(tally.guessed), made.left_early = mean_of(tally.left_early);
  made.notes = world_->notes();
  return made;
}

void rehearse(Rehearsed const& rehearsed, study::Study const& study, std::vector<Statement> const& statements,
              std::int64_t replicates, std::span<std::optional<Tally>> blocks, std::int64_t first_block, std::size_t threads,
              std::atomic<bool> const& stop, Progress const& progress) {
  std::mutex door;
  std::int64_t done = 0;
  std::exception_ptr broken;
  for (auto const& block : blocks) done += block.has_value();
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    try {
      Analyst analyst(study, rehearsed.world().layout(), statements);
      Workspace workspace;
      for (std::size_t b = next++; b < blocks.size() && !stop.load(std::memory_order_relaxed); b = next++) {
        if (blocks[b]) continue;
        Tally tally = rehearsed.block(first_block + std::int64_t(b), replicates, analyst, workspace);
        const std::scoped_lock lock(door);
        if (progress) progress(++done, std::int64_t(blocks.size()), tally);
        blocks[b] = std::move(tally);
      }
    } catch (...) {
      next = blocks.size();
      const std::scoped_lock lock(door);
      broken = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    for (std::size_t t = 1; t < std::min(threads, blocks.size()); ++t) others.emplace_back(work);
    work();
  }
  if (broken) std::rethrow_exception(broken);
}

}  // namespace equipoise::simulate
