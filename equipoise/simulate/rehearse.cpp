#include "equipoise/simulate/rehearse.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <mutex>

#include "equipoise/allocation/predictability.h"
#include "equipoise/allocation/rule.h"
#include "equipoise/simulate/workers.h"
#include "equipoise/stats/continuous/descriptive.h"
#include "equipoise/stats/multiplicity/multiplicity.h"

namespace equipoise::simulate {
namespace {

constexpr int truth_trials = 400;

std::size_t randomised_at(int mark, std::int64_t participants) {
  return std::size_t((participants * mark + accrual_marks - 1) / accrual_marks);
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
  ++tally.asked;
  if (!said.answered()) return;
  ++tally.answered;
  if (said.p <= alpha) {
    ++tally.rejected;
    tally.rejected_better += said.sign * statement.better > 0;
  }
  if (truth.value && !std::isnan(said.lower) && !std::isnan(said.upper)) {  // a ratio of 0 has limits too
    ++tally.intervals;
    const double value = truth.value->value;
    tally.covered += said.lower <= value && value <= said.upper;
    tally.missed_below += said.upper < value;
  }
  if (!std::isfinite(said.estimate)) return;
  tally.estimate.add(said.estimate), tally.ratios += said.ratio;
  if (std::isfinite(said.se)) tally.se.add(said.se), tally.se_squared.add(said.se * said.se);
}

}  // namespace

Rehearsed::Rehearsed(study::Study const& study, World const& world, std::vector<Statement> const& statements,
                     Claims const& claims, Options options)
    : study_(&study),
      world_(&world),
      statements_(&statements),
      claims_(&claims),
      options_(std::move(options)),
      truths_(options_.truths.empty() ? simulate::truths(study, world, statements, options_.seed, truth_trials)
                                      : options_.truths) {
  expects(options_.limits.size() == study.plan.analyses.size(), "one limit for each analysis");
  if (options_.monitoring)
    for (std::size_t s = 0; s < statements.size(); ++s)
      if (statements[s].analysis == options_.monitoring->analysis) monitored_.push_back(s);
  if (!study.plan.multiplicity) return;
  for (analysis::PlannedHypothesis const& hypothesis : study.plan.multiplicity->hypotheses) {
    const auto found = std::ranges::find_if(
        statements, [&](Statement const& one) { return one.analysis == hypothesis.analysis && one.arm == hypothesis.arm; });
    expects(found != statements.end(), "a hypothesis is answered by a statement of its analysis");
    hypotheses_.push_back(std::size_t(found - statements.begin()));
  }
}

/// Memory of one block.
struct Rehearsed::Scratch {
  VirtualTrial trial{}, cut{};
  std::vector<Said> said{}, at_look{};
  std::vector<std::uint8_t> only_monitored{}, open{}, rejected{};
  std::vector<std::int32_t> one_site{};  // of a trial without sites
  std::vector<std::uint8_t> skip{}, holds{}, unknown{}, failed{};
  std::vector<double> p{};
};

Tally Rehearsed::block(std::int64_t block, std::int64_t replicates, Analyst& analyst, Workspace& workspace) const {
  const std::size_t analyses = study_->plan.analyses.size(), claims = claims_->size();
  Tally tally;
  tally.statements.resize(statements_->size());
  for (auto* counts : {&tally.judged, &tally.claims, &tally.unknown}) counts->assign(claims, 0);
  for (auto* counts : {&tally.run, &tally.failed, &tally.fell_back}) counts->assign(analyses, 0);
  tally.hypotheses.assign(hypotheses_.size(), 0);
  Scratch scratch;
  scratch.said.resize(statements_->size()), scratch.skip.resize(analyses), scratch.failed.resize(analyses);
  scratch.holds.resize(claims), scratch.unknown.resize(claims), scratch.p.resize(hypotheses_.size());
  std::optional<LookDays> days;
  if (!monitored_.empty()) {
    tally.looks.resize(monitored_.size() * options_.monitoring->looks.size()), tally.stopped.resize(3 * monitored_.size());
    days.emplace(*study_, world_->layout(), *options_.monitoring, (*statements_)[monitored_.front()].planned);
    scratch.at_look.resize(statements_->size()), scratch.open.resize(monitored_.size()),
        scratch.rejected.resize(monitored_.size());
    scratch.only_monitored.assign(analyses, 1);
    scratch.only_monitored[(*statements_)[monitored_.front()].planned] = 0;
  }
  const World::Wanted wanted = world_->wanted(analyst.reads());
  const std::int64_t end = std::min(replicates, (block + 1) * block_size);
  for (std::int64_t r = block * block_size; r < end; ++r) {
    world_->replicate(options_.seed, std::uint64_t(r), workspace, scratch.trial, {}, &wanted);
    for (std::size_t a = 0; a < analyses; ++a) scratch.skip[a] = r >= options_.limits[a];
    analyst.analyse(scratch.trial, scratch.said, scratch.skip);
    ++tally.replicates;
    count_statements(scratch, analyst, tally);
    count_claims(scratch, tally);
    count_hypotheses(scratch, tally);
    count_conduct(scratch, tally);
    if (days && r < options_.limits[(*statements_)[monitored_.front()].planned]) count_looks(scratch, *days, analyst, tally);
    if (r < options_.kept) keep(scratch, tally);
  }
  return tally;
}

void Rehearsed::count_statements(Scratch& scratch, Analyst const& analyst, Tally& tally) const {
  const double alpha = two_sided_alpha(study_->protocol.conventions);
  std::ranges::fill(scratch.failed, 0);
  for (std::size_t s = 0; s < scratch.said.size(); ++s) {
    const std::size_t planned = (*statements_)[s].planned;
    if (scratch.skip[planned]) continue;
    count(tally.statements[s], (*statements_)[s], scratch.said[s], truths_[s], alpha);
    scratch.failed[planned] |= !scratch.said[s].answered();
  }
  for (std::size_t a = 0; a < scratch.failed.size(); ++a) {
    if (scratch.skip[a]) continue;
    ++tally.run[a], tally.failed[a] += scratch.failed[a], tally.fell_back[a] += analyst.fell_back()[a];
  }
}

void Rehearsed::count_claims(Scratch& scratch, Tally& tally) const {
  claims_->judge(scratch.said, scratch.holds, scratch.unknown);
  for (std::size_t c = 0; c < scratch.holds.size(); ++c) {
    if (std::ranges::any_of(claims_->reads(c), [&](std::size_t s) { return scratch.skip[(*statements_)[s].planned]; })) continue;
    ++tally.judged[c], tally.claims[c] += scratch.holds[c], tally.unknown[c] += scratch.unknown[c];
  }
}

void Rehearsed::count_hypotheses(Scratch& scratch, Tally& tally) const {
  if (hypotheses_.empty()) return;
  if (std::ranges::any_of(hypotheses_, [&](std::size_t s) { return scratch.skip[(*statements_)[s].planned]; })) return;
  const double alpha = two_sided_alpha(study_->protocol.conventions);
  for (std::size_t h = 0; h < hypotheses_.size(); ++h) scratch.p[h] = scratch.said[hypotheses_[h]].p;
  const auto adjusted = stats::adjusted_p(study_->plan.multiplicity->procedure, study_->plan.multiplicity->graph, scratch.p);
  std::size_t rejected = 0;
  bool error = false;
  for (std::size_t h = 0; adjusted && h < hypotheses_.size(); ++h) {
    const bool reject = (*adjusted)[h] <= alpha;
    tally.hypotheses[h] += reject, rejected += reject;
    error |= reject && truths_[hypotheses_[h]].no_difference;
  }
  ++tally.tested;
  tally.any_hypothesis += rejected > 0, tally.all_hypotheses += rejected == hypotheses_.size(), tally.any_true += error;
}

void Rehearsed::count_conduct(Scratch& scratch, Tally& tally) const {
  VirtualTrial const& trial = scratch.trial;
  std::vector<int> const& ratio = world_->ratio();
  if (study_->protocol.sites.empty()) scratch.one_site.assign(trial.n, 0);
  std::vector<std::int32_t> const& site = study_->protocol.sites.empty() ? scratch.one_site : trial.site;
  tally.accrual_days.add(trial.accrual_end()), tally.trial_days.add(trial.last_day());
  tally.screened.add(double(trial.screened)), tally.left_early.add(left_early(trial, study_->protocol));
  tally.imbalance.add(allocation::overall_imbalance(trial.arm, ratio));
  tally.guessed.add(allocation::convergent_guesses(trial.arm, site, ratio) / double(trial.n));
}

void Rehearsed::count_looks(Scratch& scratch, LookDays& days, Analyst& analyst, Tally& tally) const {
  Monitoring const& monitoring = *options_.monitoring;
  const std::size_t looks = monitoring.looks.size();
  std::ranges::fill(scratch.open, 1), std::ranges::fill(scratch.rejected, 0);
  days.take(scratch.trial);
  ++tally.monitored;
  double before = 0;
  for (std::size_t k = 0; k < looks && std::ranges::any_of(scratch.open, std::identity{}); ++k) {
    Look const& look = monitoring.looks[k];
    const bool last = k + 1 == looks;
    std::optional<LookDays::Day> when = days.day(look, last);
    if (!when) continue;
    when->day = std::max(when->day, before);  // events and visits may come in another order than their looks
    before = when->day;
    cut_off(scratch.trial, world_->layout(), when->day, scratch.cut);
    analyst.analyse(scratch.cut, scratch.at_look, scratch.only_monitored);
    for (std::size_t m = 0; m < monitored_.size(); ++m) {
      if (!scratch.open[m]) continue;
      const double z = monitoring.value((*statements_)[monitored_[m]], scratch.at_look[monitored_[m]]);
      const bool benefit = monitoring.rejects(look, z), futile = !benefit && monitoring.ends_for_futility(look, z);
      LookTally& counted = tally.looks[m * looks + k];
      ++counted.reached, counted.benefit += benefit, counted.futility += futile;
      counted.day.add(when->day), counted.participants.add(double(scratch.cut.n));
      if (!std::isnan(when->events)) counted.events.add(when->events);
      scratch.rejected[m] = benefit;
      if (!benefit && !futile && !last) continue;
      scratch.open[m] = 0;
      tally.stopped[3 * m].add(double(scratch.cut.n)), tally.stopped[3 * m + 1].add(when->day);
      if (!std::isnan(when->events)) tally.stopped[3 * m + 2].add(when->events);
    }
  }
  tally.any_monitored += std::ranges::any_of(scratch.rejected, std::identity{});
  tally.all_monitored += std::ranges::all_of(scratch.rejected, std::identity{});
}

void Rehearsed::add_monitoring(Tally const& tally, results::ScenarioCharacteristics& made) const {
  if (monitored_.empty()) return;
  Monitoring const& monitoring = *options_.monitoring;
  const std::size_t looks = monitoring.looks.size();
  for (std::size_t m = 0; m < monitored_.size(); ++m) {
    Statement const& statement = (*statements_)[monitored_[m]];
    results::MonitoringCharacteristics one{.analysis = statement.analysis, .arm = statement.arm, .looks = {}};
    std::int64_t rejected = 0;
    for (std::size_t k = 0; k < looks; ++k) {
      LookTally const& counted = tally.looks[m * looks + k];
      rejected += counted.benefit;
      one.looks.push_back({.id = monitoring.looks[k].id,
                           .reached = {counted.reached, tally.monitored},
                           .stopped_for_benefit = {counted.benefit, tally.monitored},
                           .stopped_for_futility = {counted.futility, tally.monitored},
                           .day = counted.day.measured(),
                           .participants = counted.participants.measured(),
                           .events = counted.events.measured()});
    }
    one.rejected = {rejected, tally.monitored};
    one.expected_participants = tally.stopped[3 * m].measured(), one.expected_days = tally.stopped[3 * m + 1].measured();
    if (tally.stopped[3 * m + 2].n > 0) one.expected_events = tally.stopped[3 * m + 2].measured();
    made.monitoring.push_back(std::move(one));
  }
  made.monitored_any = results::Share{tally.any_monitored, tally.monitored};
  made.monitored_all = results::Share{tally.all_monitored, tally.monitored};
}

void Rehearsed::keep(Scratch const& scratch, Tally& tally) const {
  tally.kept.insert(tally.kept.end(), scratch.said.begin(), scratch.said.end());
  for (int mark = 1; mark <= accrual_marks; ++mark) {
    const std::size_t n = randomised_at(mark, std::int64_t(scratch.trial.n));
    tally.accrual.push_back(n > 0 ? scratch.trial.entry[n - 1] : 0);
  }
}

/// Quantiles over the trials kept of the days of each mark.
results::AccrualFan Rehearsed::accrual_fan(Tally const& tally) const {
  results::AccrualFan fan;
  const std::size_t trials = tally.accrual.size() / accrual_marks;
  if (trials == 0) return fan;
  for (int mark = 1; mark <= accrual_marks; ++mark)
    fan.randomised.push_back(std::int64_t(randomised_at(mark, world_->scenario().accrual.participants)));
  fan.days.assign(results::AccrualFan::quantiles.size(), std::vector<double>(accrual_marks, missing_number));
  std::vector<double> days(trials);
  for (std::size_t mark = 0; mark < accrual_marks; ++mark) {
    for (std::size_t t = 0; t < trials; ++t) days[t] = tally.accrual[t * accrual_marks + mark];
    std::ranges::sort(days);
    for (std::size_t q = 0; q < fan.days.size(); ++q)
      fan.days[q][mark] = stats::quantile(days, results::AccrualFan::quantiles[q], stats::QuantileRule::r_7);
  }
  return fan;
}

results::ScenarioCharacteristics Rehearsed::characteristics(Tally const& tally) const {
  protocol::Protocol const& protocol = study_->protocol;
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
                                          .rejected = {counted.rejected, counted.asked},
                                          .not_estimable = {counted.asked - counted.answered, counted.asked},
                                          .truth = truth.value,
                                          .no_difference = truth.no_difference,
                                          .ratio = counted.ratios > 0};
    if (statement.better != 0 && statement.directed && !statement.against.empty())
      one.rejected_better = results::Share{counted.rejected_better, counted.asked};
    if (counted.estimate.n > 1) {
      const double n = double(counted.estimate.n), sd = std::sqrt(counted.estimate.variance());
      one.mean = counted.estimate.measured();
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
      if (std::int64_t(k / statements_->size()) >= options_.limits[statement.planned]) break;
      one.estimates.push_back(tally.kept[k].estimate);
      one.lower.push_back(tally.kept[k].lower), one.upper.push_back(tally.kept[k].upper);
    }
    made.statements.push_back(std::move(one));
  }
  for (std::size_t c = 0; c < claims_->size(); ++c) {
    protocol::Claim const& claim = protocol.claims[c];
    made.claims.push_back({claim.id, claim.label.in("en"), {tally.claims[c], tally.judged[c]}, tally.unknown[c]});
  }
  bool some_true = false;
  for (std::size_t h = 0; h < hypotheses_.size(); ++h) {
    analysis::PlannedHypothesis const& hypothesis = study_->plan.multiplicity->hypotheses[h];
    const bool is_true = truths_[hypotheses_[h]].no_difference;
    some_true |= is_true;
    made.hypotheses.push_back({hypothesis.id, hypothesis.analysis, hypothesis.arm, is_true, {tally.hypotheses[h], tally.tested}});
  }
  if (!hypotheses_.empty()) {
    made.any_rejected = results::Share{tally.any_hypothesis, tally.tested};
    made.all_rejected = results::Share{tally.all_hypotheses, tally.tested};
    if (some_true) made.family_wise_error = results::Share{tally.any_true, tally.tested};
  }
  for (std::size_t a = 0; a < study_->plan.analyses.size(); ++a)
    made.failures.push_back({study_->plan.analyses[a].id, {tally.failed[a], tally.run[a]}, {tally.fell_back[a], tally.run[a]}});
  made.accrual_days = tally.accrual_days.measured(), made.trial_days = tally.trial_days.measured();
  made.screened = tally.screened.measured(), made.imbalance = tally.imbalance.measured();
  made.guessed = tally.guessed.measured(), made.left_early = tally.left_early.measured();
  add_monitoring(tally, made);
  made.accrual = accrual_fan(tally);
  made.notes = world_->notes();
  return made;
}

void rehearse(Rehearsed const& rehearsed, study::Study const& study, std::vector<Statement> const& statements,
              std::int64_t replicates, Ledger& ledger, std::int64_t begin, std::int64_t end, std::size_t threads,
              std::atomic<bool> const& stop, Progress const& progress) {
  std::int64_t done = ledger.done(begin, end);
  share_out(
      begin, end, threads, [&](std::int64_t block) { return ledger.has(block); }, stop,
      [&]() -> Worker {
        auto analyst = std::make_shared<Analyst>(study, rehearsed.world().layout(), statements);
        auto workspace = std::make_shared<Workspace>();
        return [&, analyst, workspace](std::int64_t block, std::mutex& door) {
          Tally tally = rehearsed.block(block, replicates, *analyst, *workspace);
          const std::scoped_lock lock(door);
          ++done;
          if (progress) progress(done, end - begin, tally);
          ledger.add_block(block, std::move(tally));
        };
      });
}

}  // namespace equipoise::simulate
