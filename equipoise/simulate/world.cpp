#include "equipoise/simulate/world.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/core/text.h"
#include "equipoise/numerics/exponential.h"
#include "equipoise/numerics/logarithm.h"
#include "equipoise/simulate/merged.h"
#include "equipoise/simulate/schedule.h"

namespace equipoise::simulate {

using numerics::Lanes;
using random::Purpose;

namespace {

template <class T>
void grow(std::vector<T>& vector, std::size_t size) {
  if (vector.size() < size) vector.resize(size);
}

}  // namespace

// ---- One candidate after the other ---------------------------------------------------------------------------------------

/// The days of the visits that are wanted: the target and a rounded normal, inside the visit's room.
void World::draw_days(People const& people, Draws const& draws, std::vector<std::uint8_t> const& wanted, double* day,
                      Arena& arena) const {
  const std::size_t visits = target_.size(), stride = people.stride;
  const random::Batch batch = draws.of(Purpose::visit_day);
  double* u = arena.take(4 * stride);
  for (std::size_t q = 0; 4 * q < visits; ++q) {
    bool drawn = false;
    for (std::size_t v = 4 * q; v < std::min(4 * q + 4, visits); ++v) {
      if (!wanted[v]) continue;
      DayTable const& table = days_[v];
      double* row = day + v * stride;
      if (table.reached.size() == 1) {
        std::fill(row, row + stride, double(table.first));
        continue;
      }
      if (!drawn) batch.uniforms(std::uint32_t(q), 0, people.n, people.who, u, stride);
      drawn = true;
      double const* own = u + (v - 4 * q) * stride;
      for (std::size_t i = 0; i < stride; ++i) {
        std::size_t at = table.guide[std::size_t(own[i] * 256)];
        // One or two steps further as a rule, which are cheaper taken than foreseen.
        at += own[i] >= table.reached[at];
        at += own[i] >= table.reached[at];
        while (own[i] >= table.reached[at]) ++at;
        row[i] = double(table.first + int(at));
      }
    }
  }
}

void World::fill_items(People const& people, Draws const& draws, Selection const& wanted, Arena& arena, double* values) const {
  const std::size_t stride = people.stride;
  double* drawn = arena.take(4 * stride);
  for (std::size_t k = 0; k < scenario_.items.size(); ++k) {
    ItemRule const& rule = scenario_.items[k];
    if (std::ranges::none_of(item_cells_[k], [&](std::size_t c) { return wanted.cells[c] != 0; })) continue;
    double* row = values + item_cells_[k].front() * stride;
    const random::Batch batch = draws.of(Purpose::item);
    switch (rule.kind) {
      case ItemRule::Kind::constant:
        std::fill(row, row + stride, rule.centre);
        break;
      case ItemRule::Kind::normal:
      case ItemRule::Kind::log_normal:
        batch.normals(std::uint32_t(k), 0, people.n, people.who, drawn, drawn + stride);
        for (std::size_t i = 0; i < stride; i += numerics::lanes) {
          Lanes x = rule.centre + rule.spread * numerics::load(drawn + i);
          if (rule.kind == ItemRule::Kind::log_normal) x = numerics::exponential(x);
          numerics::store(row + i, x);
        }
        for (std::size_t i = 0; i < people.n; ++i) {
          row[i] = std::clamp(row[i], rule.min, rule.max);
          if (rule.item->kind == protocol::ItemKind::integer || rule.item->kind == protocol::ItemKind::date)
            row[i] = std::rint(row[i]);
        }
        break;
      case ItemRule::Kind::categories:
        batch.uniforms(std::uint32_t(k), 0, people.n, people.who, drawn, stride);
        for (std::size_t i = 0; i < people.n; ++i) {
          double reached = 0;
          std::size_t level = 0, last = 0;
          for (; level < rule.probabilities.size(); ++level) {
            reached += rule.probabilities[level];
            if (rule.probabilities[level] > 0) last = level;
            if (drawn[i] < reached) break;
          }
          row[i] = double(std::min(level, last));
        }
        break;
    }
    for (std::size_t c : item_cells_[k])
      if (values + c * stride != row) std::copy(row, row + stride, values + c * stride);
  }
}

void World::fill(People const& people, Draws const& draws, Selection const& wanted, Arena& arena, double* values) const {
  std::visit([&](auto const& model) { model.fill(people, draws, wanted, arena, values); }, scenario_.model);
  if (!scenario_.items.empty()) fill_items(people, draws, wanted, arena, values);
  for (Recording const& recording : recordings_) {
    if (!wanted.cells[recording.cell]) continue;
    double* row = values + recording.cell * people.stride;
    if (recording.step > 0)
      for (std::size_t i = 0; i < people.stride; ++i)
        row[i] = std::rint(row[i] / recording.step) * recording.step + 0.0;  // no -0
    for (std::size_t i = 0; i < people.stride; ++i) row[i] = std::min(std::max(row[i], recording.min), recording.max);
  }
}

void World::grow_for_candidates(Workspace& w, std::size_t stride) const {
  grow(w.candidate_, stride), grow(w.candidate_site_, stride), grow(w.failed_, stride);
  grow(w.levels_, std::max<std::size_t>(1, rules_.factors()) * stride);
}

void World::place_candidates(Workspace& w, std::size_t n, double const* uniform) const {
  std::int32_t* site = w.candidate_site_.data();
  if (site_reached_.size() > 32) {
    for (std::size_t i = 0; i < n; ++i)
      site[i] =
          std::int32_t(std::upper_bound(site_reached_.begin(), site_reached_.end() - 1, uniform[i]) - site_reached_.begin());
    return;
  }
  std::fill(site, site + n, 0);
  for (std::size_t s = 0; s + 1 < site_reached_.size(); ++s)
    for (std::size_t i = 0; i < n; ++i) site[i] += uniform[i] >= site_reached_[s];
}

/// Days and values that the rules read of candidates first, first + 1, ..., and what the rules say of them.
void World::draw_candidates(Workspace& w, std::uint32_t first, std::size_t n, People& people) const {
  const std::size_t stride = random::padded(n);
  grow_for_candidates(w, stride);
  for (std::size_t i = 0; i < stride; ++i) w.candidate_[i] = first + std::uint32_t(i);
  double* day = w.arena_.take(std::max<std::size_t>(1, target_.size()) * stride);
  double* values = w.arena_.take(std::max<std::size_t>(1, layout_.cells.size()) * stride);
  people = {.n = n, .stride = stride, .who = w.candidate_.data(), .site = w.candidate_site_.data(), .arm = nullptr, .day = day};
  draw_days(people, w.draws_, rules_.visits(), day, w.arena_);
  fill(people, w.draws_, of_rules_, w.arena_, values);
  rules_.decide(people, values, w.rules_, w.failed_.data(), w.levels_.data());
}

/// The same, but the criterion that most fail is asked first, and what the other rules read is drawn for those who meet it.
void World::draw_in_two(Workspace& w, std::uint32_t first, std::size_t n, People& people) const {
  const std::size_t stride = random::padded(n), visits = std::max<std::size_t>(1, target_.size()),
                    cells = std::max<std::size_t>(1, layout_.cells.size());
  grow_for_candidates(w, stride);
  for (std::size_t i = 0; i < stride; ++i) w.candidate_[i] = first + std::uint32_t(i);
  double *day = w.arena_.take(visits * stride), *values = w.arena_.take(cells * stride);
  people = {.n = n, .stride = stride, .who = w.candidate_.data(), .site = w.candidate_site_.data(), .arm = nullptr, .day = day};
  draw_days(people, w.draws_, rules_.first_visits(), day, w.arena_);
  fill(people, w.draws_, of_first_, w.arena_, values);
  rules_.decide_first(people, values, w.rules_, w.failed_.data());

  for (auto* column : {&w.kept_, &w.kept_who_}) grow(*column, stride);
  for (auto* column : {&w.kept_site_, &w.kept_failed_}) grow(*column, stride);
  grow(w.kept_levels_, std::max<std::size_t>(1, rules_.factors()) * stride);
  std::uint32_t* const kept = w.kept_.data();
  std::size_t m = 0;
  for (std::size_t i = 0; i < n; ++i) kept[m] = std::uint32_t(i), m += w.failed_[i] < 0;
  const std::size_t own = random::padded(m);
  for (std::size_t k = 0; k < own; ++k) {
    const std::size_t i = k < m ? kept[k] : 0;
    w.kept_who_[k] = people.who[i], w.kept_site_[k] = people.site[i];
  }
  double *own_day = w.arena_.take(visits * stride), *own_values = w.arena_.take(cells * stride);
  const auto copy = [&](std::vector<std::uint8_t> const& rows, double const* from, double* to) {
    for (std::size_t row = 0; row < rows.size(); ++row)
      for (std::size_t k = 0; rows[row] && k < m; ++k) to[row * own + k] = from[row * stride + kept[k]];
  };
  copy(rules_.first_visits(), day, own_day);
  copy(rules_.first_cells(), values, own_values);
  const People few{
      .n = m, .stride = own, .who = w.kept_who_.data(), .site = w.kept_site_.data(), .arm = nullptr, .day = own_day};
  draw_days(few, w.draws_, rest_visits_, own_day, w.arena_);
  fill(few, w.draws_, of_rest_, w.arena_, own_values);
  rules_.decide(few, own_values, w.rules_, w.kept_failed_.data(), w.kept_levels_.data());
  for (std::size_t k = 0; k < m; ++k) {
    w.failed_[kept[k]] = w.kept_failed_[k];
    for (std::size_t f = 0; f < rules_.factors(); ++f) w.levels_[f * stride + kept[k]] = w.kept_levels_[f * own + k];
  }
}

void World::enrol(Workspace& w, VirtualTrial& trial, bool in_two, Forced const& forced) const {
  const std::size_t planned = std::size_t(scenario_.accrual.participants), sites = site_reached_.size(),
                    factors = rules_.factors();
  grow(w.who_, random::padded(planned)), grow(w.site_, random::padded(planned)), grow(w.arm_, random::padded(planned));
  w.site_taken_.assign(sites, 0);
  w.level_.resize(factors);
  trial.entry.resize(planned), trial.site.resize(planned), trial.arm.resize(planned), trial.factor.resize(factors * planned);
  trial.failed.assign(protocol_->criteria.size(), 0);
  if (rule_) rule_->start(w.state_);
  // The words that allocate one participant after the other, drawn side by side.
  const random::PhiloxKey allocation = w.draws_.key(Purpose::allocation);
  const std::size_t places = random::padded(planned);
  if (rule_) {
    while (w.order_.size() < places) w.order_.push_back(std::uint32_t(w.order_.size()));
    grow(w.words_, 2 * places);
    w.draws_.of(Purpose::allocation).words(0, 0, planned, w.order_.data(), w.words_.data(), w.words_.data() + places);
  }

  std::size_t n = 0, screened = 0;
  double now = 0;
  std::uint32_t next = 0;
  // What the loop over candidates reads and writes, so that nothing has to be looked up again after each write.
  const double gap = gap_days_;
  const bool thinned = thinned_;
  std::int64_t const* const cap = scenario_.accrual.cap.data();
  std::uint64_t const* const words = w.words_.data();
  std::uint32_t* const who = w.who_.data();
  std::int32_t *const site_of = w.site_.data(), *const arm_of = w.arm_.data(), *const taken = w.site_taken_.data(),
                      *const level = w.level_.data(), *const factor = trial.factor.data();
  double* const entry = trial.entry.data();
  // First so many that there are enough as a rule; each batch is as good as any other.
  const double expected = double(planned) / acceptance_;
  std::size_t batch = std::size_t(expected + 2 * std::sqrt(expected * (1 - acceptance_ + 0.02))) + 1;
  while (n < planned && next < most_candidates_) {
    const std::size_t count = std::min<std::size_t>(random::padded(std::min<std::size_t>(batch, 4096)), most_candidates_ - next);
    const std::size_t stride = random::padded(count);
    double* u = w.arena_.take(4 * stride);
    grow_for_candidates(w, stride);
    for (std::size_t i = 0; i < stride; ++i) w.candidate_[i] = next + std::uint32_t(i);
    w.draws_.of(Purpose::accrual).uniforms(0, 0, count, w.candidate_.data(), u, stride);
    for (std::size_t i = 0; i < stride; i += numerics::lanes) numerics::store(u + i, numerics::logarithm(numerics::load(u + i)));
    place_candidates(w, count, u + stride);
    People people;
    if (in_two) draw_in_two(w, next, count, people);
    else draw_candidates(w, next, count, people);
    std::int32_t const *failed = w.failed_.data(), *levels = w.levels_.data(), *of_site = people.site;
    for (std::size_t i = 0; i < count && n < planned; ++i) {
      now -= u[i] * gap;
      const std::size_t site = std::size_t(of_site[i]);
      if (thinned) {
        const double open = now - scenario_.accrual.start_day[site], ramp = scenario_.accrual.ramp_days;
        if (open < 0 || (open < ramp && u[2 * stride + i] * ramp >= open)) continue;  // at the rate of that day nobody comes
      }
      if (cap[site] >= 0 && taken[site] >= cap[site]) continue;
      ++screened;
      if (failed[i] >= 0) {
        ++trial.failed[std::size_t(failed[i])];
        continue;
      }
      for (std::size_t f = 0; f < factors; ++f) level[f] = levels[f * stride + i];
      std::int32_t arm = 0;
      if (forced.allocate) {
        const auto given = (*forced.allocate)(n, {level, factors});
        if (!given) continue;
        arm = *given;
      } else if (rule_) {
        const random::Address at{.replicate = w.draws_.replicate(), .participant = std::uint32_t(n)};
        const auto given = rule_->next(w.state_, {level, factors}, random::DrawnAhead(allocation, at, words[n], words[places + n]));
        if (!given) continue;  // no arm takes somebody like this any more
        arm = *given;
      }
      who[n] = next + std::uint32_t(i), site_of[n] = std::int32_t(site), arm_of[n] = arm;
      entry[n] = now;
      for (std::size_t f = 0; f < factors; ++f) factor[f * planned + n] = level[f];
      ++taken[site];
      ++n;
    }
    next += std::uint32_t(count);
    batch = std::max<std::size_t>(32, batch / 4);
  }
  trial.n = n, trial.screened = screened;
  for (std::size_t i = 0; i < n; ++i) entry[i] = std::floor(entry[i]);
  std::copy(arm_of, arm_of + n, trial.arm.data());
  if (protocol_->sites.empty()) std::fill_n(trial.site.data(), n, missing_level);
  else std::copy(site_of, site_of + n, trial.site.data());
  if (n < planned) {  // the trial never filled: the same shape for fewer
    for (std::size_t f = 1; f < factors; ++f) std::copy_n(trial.factor.data() + f * planned, n, trial.factor.data() + f * n);
    trial.entry.resize(n), trial.site.resize(n), trial.arm.resize(n), trial.factor.resize(factors * n);
  }
  for (std::size_t i = n; i < random::padded(n); ++i) w.who_[i] = 0, w.site_[i] = 0, w.arm_[i] = 0;
}

World::Wanted World::wanted(Reads reads) const {
  std::vector<std::uint8_t> cells = reads.cells;
  // Who leaves may depend on what is measured.
  if (scenario_.study_stop && scenario_.study_stop->mechanism != StudyStop::Mechanism::mcar)
    if (Longitudinal const* markers = std::get_if<Longitudinal>(&scenario_.model))
      for (std::size_t v = 0; v < target_.size(); ++v)
        if (const auto cell = markers->cell(scenario_.study_stop->marker, v)) cells[*cell] = 1;
  Selection selection = std::visit([&](auto const& model) { return model.select(std::move(cells)); }, scenario_.model);
  return {std::move(selection), std::move(reads)};
}

void World::replicate(std::uint64_t seed, std::uint64_t number, Workspace& workspace, VirtualTrial& trial, Forced forced,
                      Wanted const* wanted) const {
  workspace.draws_.start(seed, number);
  workspace.arena_.rewind();
  enrol(workspace, trial, wanted && rules_.has_first(), forced);
  if (forced.arm) {
    expects(*forced.arm < protocol_->arms.size(), "a forced arm is one of the protocol");
    std::ranges::fill(trial.arm, std::int32_t(*forced.arm));
    std::ranges::fill(workspace.arm_, std::int32_t(*forced.arm));
  }
  workspace.records_.resize(layout_.forms.size());
  for (std::vector<Record>& records : workspace.records_) records.clear();
  const Course run = course(workspace, trial, forced, wanted ? wanted->cells : all_);
  if (scenario_.study_stop && !forced.complete) leave(run, workspace);
  happen(run, workspace);
  if (scenario_.adverse_events && (!wanted || wanted->reads.forms[adverse_.form])) suffer(run, workspace);
  write(run, workspace, trial, wanted);
}

}  // namespace equipoise::simulate
