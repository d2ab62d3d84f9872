// What happens to participants after their randomisation: visits, leaving, events.

#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/numerics/exponential.h"
#include "equipoise/numerics/logarithm.h"
#include "equipoise/simulate/world.h"

namespace equipoise::simulate {

using numerics::Lanes;
using random::Purpose;

namespace {

constexpr double never = std::numeric_limits<double>::infinity();

double log_of(double u) { return numerics::logarithm(numerics::everywhere(u))[0]; }

/// A whole day after randomisation.
double whole_day(double time) { return std::max(1.0, std::rint(time)); }

}  // namespace

/// Days, values and attendance of everybody, as if nobody left.
World::Course World::course(Workspace& w, VirtualTrial const& trial, Forced forced, Selection const& wanted) const {
  const std::size_t n = trial.n, stride = random::padded(n), visits = target_.size();
  Arena& arena = w.arena_;
  Course run;
  run.day = arena.take(std::max<std::size_t>(1, visits) * stride);
  run.values = arena.take(std::max<std::size_t>(1, layout_.cells.size()) * stride);
  run.attended = arena.take((visits + 3) / 4 * 4 * stride + 1);
  run.end = arena.take(stride);
  run.people = {.n = n, .stride = stride, .who = w.who_.data(), .site = w.site_.data(), .arm = w.arm_.data(), .day = run.day};
  draw_days(run.people, w.draws_, all_visits_, run.day, arena);
  fill(run.people, w.draws_, wanted, arena, run.values);
  for (std::size_t q = 0; 4 * q < visits; ++q) {
    bool missing = false;
    for (std::size_t v = 4 * q; v < std::min(4 * q + 4, visits); ++v) missing |= scenario_.missed[v] > 0 && !forced.complete;
    double* rows = run.attended + 4 * q * stride;
    if (!missing) {
      std::fill(rows, rows + 4 * stride, 1.0);
      continue;
    }
    w.draws_.of(Purpose::missed_visit).uniforms(std::uint32_t(q), 0, n, run.people.who, rows, stride);
    for (std::size_t v = 4 * q; v < std::min(4 * q + 4, visits); ++v) {
      double* row = run.attended + v * stride;
      for (std::size_t i = 0; i < stride; ++i) row[i] = row[i] < scenario_.missed[v] ? 0.0 : 1.0;
    }
  }
  std::fill(run.end, run.end + stride, never);
  return run;
}

/// On what leaving before each of the stop visits depends: b (x - centre) + log(weeks), a row each.
void World::seen_values(Course const& run, double* x, Arena& arena) const {
  const std::size_t stride = run.people.stride;
  StudyStop const& stop = *scenario_.study_stop;
  Longitudinal const* markers = std::get_if<Longitudinal>(&scenario_.model);
  double* last = arena.take(stride);
  std::fill(last, last + stride, stop_centre_);
  std::size_t next = 0;
  for (std::size_t v = 0; v < target_.size() && next < stop_visits_.size(); ++v) {
    const bool depends = markers && stop.mechanism != StudyStop::Mechanism::mcar;
    const auto cell = depends ? markers->cell(stop.marker, v) : std::nullopt;
    double const* value = cell ? run.values + *cell * stride : nullptr;
    if (value && stop.mechanism == StudyStop::Mechanism::mnar) std::copy(value, value + stride, last);
    if (stop_visits_[next] == v) {
      const double weeks = std::log(stop_weeks_[next]);
      double* row = x + next * stride;
      for (std::size_t i = 0; i < stride; ++i) row[i] = weeks + (depends ? stop.log_odds * (last[i] - stop_centre_) : 0.0);
      ++next;
    }
    if (value && stop.mechanism == StudyStop::Mechanism::mar) {
      double const* there = run.attended + v * stride;
      for (std::size_t i = 0; i < stride; ++i) last[i] = there[i] == 1 ? value[i] : last[i];
    }
  }
}

void World::leave(Course const& run, Workspace& w) const {
  const std::size_t stride = run.people.stride, n = run.people.n;
  double* x = w.arena_.take(std::max<std::size_t>(1, stop_visits_.size()) * stride);
  seen_values(run, x, w.arena_);
  double* u = w.arena_.take(4 * stride);
  const random::Batch batch = w.draws_.of(Purpose::study_stop);
  std::size_t drawn = std::numeric_limits<std::size_t>::max();
  for (std::size_t s = 0; s < stop_visits_.size(); ++s) {
    const std::size_t v = stop_visits_[s];
    if (v / 4 != drawn) batch.uniforms(std::uint32_t(v / 4), 0, n, run.people.who, u, stride);
    drawn = v / 4;
    double const* whether = u + (v % 4) * stride;
    double* row = x + s * stride;
    double const* day = run.day + v * stride;
    // Few leave at any visit: four who do not are passed over at once.
    using Truths = std::int64_t __attribute__((vector_size(32)));
    w.index_.clear();
    for (std::size_t i = 0; i < stride; i += numerics::lanes) {
      const Lanes log_odds = stop_intercept_ + numerics::load(row + i), chance = numerics::load(whether + i), t = -log_odds;
      // Odds below the chance drawn let nobody leave, and exp(-t) < 1 / (1 + t + t^2/2 + t^3/6); the rest is room for rounding.
      const Truths may = ~((t > 0.0) & (chance * (1.0 + t * (1.0 + t * (0.5 + t * (1.0 / 6)))) > 1.000001));
      if ((may[0] | may[1] | may[2] | may[3]) == 0) continue;
      const Lanes odds = numerics::exponential(log_odds);
      const Truths leaves = chance * (1.0 + odds) < odds;
      if ((leaves[0] | leaves[1] | leaves[2] | leaves[3]) == 0) continue;
      for (std::size_t l = 0; l < numerics::lanes; ++l)
        if (leaves[l] != 0 && i + l < n) w.index_.push_back(std::uint32_t(i + l));
    }
    for (const std::uint32_t i : w.index_) {
      if (run.end[i] != never) continue;
      const double before = s > 0 ? run.day[stop_visits_[s - 1] * stride + i] : 0.0;
      std::uint32_t who[random::batch_step] = {run.people.who[i]};
      double when[4 * random::batch_step];
      batch.uniforms(std::uint32_t(v), 1, 1, who, when, random::batch_step);
      run.end[i] = std::max(1.0, before + 1 + std::floor(when[0] * std::max(0.0, day[i] - before)));
      if (run.end[i] > day[i]) run.end[i] = std::max(1.0, day[i]);
      if (stop_slot_) {
        Record record{.participant = std::uint32_t(i), .order = 0, .date = run.end[i]};
        record.items[stop_slot_->code] = stop_event_->level, record.items[stop_slot_->date] = run.end[i];
        w.records_[stop_slot_->form].push_back(record);
      }
    }
  }
}

void World::happen(Course const& run, Workspace& w) const {
  const std::size_t stride = run.people.stride, n = run.people.n;
  double* u = w.arena_.take(4 * stride);
  for (std::size_t k = 0; k < scenario_.events.size(); ++k) {
    EventKind const& kind = scenario_.events[k];
    EventSlot const& slot = event_slots_[k];
    w.draws_.of(Purpose::event).uniforms(std::uint32_t(k), 0, n, run.people.who, u, stride);
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t arm = std::size_t(run.people.arm[i]);
      if (u[i] < survivals_[k][arm]) continue;
      const double day = whole_day(kind.time.day(arm, -log_of(u[i])));
      if (day > run.end[i] || day > horizon_) continue;  // a later end is looked for in `write`
      if (kind.event.ends_participation) run.end[i] = day;
      Record record{.participant = std::uint32_t(i), .order = std::uint32_t(k + 1), .date = day};
      record.items[slot.code] = kind.event.level, record.items[slot.date] = day;
      w.records_[slot.form].push_back(record);
    }
  }
}

/// The e-th events of all who have had e - 1, then the next. One block has all of an event: the gap to the one before, whether it
/// is serious together with its grade, its relation, and how long it lasts.
void World::suffer(Course const& run, Workspace& w) const {
  AdverseEvents const& events = *scenario_.adverse_events;
  const std::size_t stride = run.people.stride;
  const random::Batch batch = w.draws_.of(Purpose::adverse_event);
  const auto choose = [](auto const& probabilities, double u) {
    double reached = 0;
    std::size_t level = 0, last = 0;
    for (; level < probabilities.size(); ++level) {
      reached += probabilities[level];
      if (probabilities[level] > 0) last = level;
      if (u < reached) break;
    }
    return double(std::min(level, last));
  };
  double *u = w.arena_.take(4 * stride), *time = w.arena_.take(stride);
  w.index_.resize(stride), w.number_.resize(stride);
  std::size_t active = 0;
  for (std::size_t i = 0; i < run.people.n; ++i)
    if (adverse_rate_[std::size_t(run.people.arm[i])] > 0) w.index_[active] = std::uint32_t(i), time[active++] = 0;
  for (std::uint32_t e = 1; active > 0 && e < 4095; ++e) {
    for (std::size_t k = 0; k < random::padded(active); ++k) w.number_[k] = run.people.who[w.index_[std::min(k, active - 1)]];
    batch.uniforms(e, 0, active, w.number_.data(), u, stride);
    for (std::size_t k = 0; k < active; k += numerics::lanes) numerics::store(u + k, -numerics::logarithm(numerics::load(u + k)));
    std::size_t stay = 0;
    for (std::size_t k = 0; k < active; ++k) {
      const std::size_t i = w.index_[k], arm = std::size_t(run.people.arm[i]);
      const double now = time[k] + u[k] / adverse_rate_[arm] * planned_end_, onset = whole_day(now);
      if (now > planned_end_ || onset > run.end[i]) continue;
      w.index_[stay] = std::uint32_t(i), time[stay++] = now;
      const double share = adverse_serious_[arm], mixed = u[stride + k];
      const bool grave = mixed < share;
      Record record{.participant = std::uint32_t(i), .order = e, .date = onset};
      record.items[adverse_.onset] = onset;
      if (adverse_.serious) record.items[*adverse_.serious] = grave;
      if (adverse_.grade)  // what is left of the uniform is uniform again
        record.items[*adverse_.grade] =
            1 + (grave ? choose(events.serious_grade, mixed / share) : choose(events.grade, (mixed - share) / (1 - share)));
      if (adverse_.related) record.items[*adverse_.related] = choose(events.related, u[2 * stride + k]);
      if (adverse_.resolved) {
        const double until = onset + std::rint(-log_of(u[3 * stride + k]) * events.duration_days);
        record.items[*adverse_.resolved] = until <= std::min(run.end[i], planned_end_) ? until : missing_number;
      }
      w.records_[adverse_.form].push_back(record);
    }
    active = stay;
  }
}

void World::write(Course const& run, Workspace& w, VirtualTrial& trial, Wanted const* wanted) const {
  const std::size_t n = run.people.n, stride = run.people.stride, visits = target_.size(), cells = layout_.cells.size();
  trial.arm_received.assign(trial.arm.begin(), trial.arm.end());
  trial.visit_day.resize(visits * n), trial.value.resize(cells * n), trial.follow_up_end.resize(n);
  for (std::size_t i = 0; i < n; ++i)
    trial.follow_up_end[i] = run.end[i] < never ? run.end[i] : std::floor(protocol_->follow_up_days.value_or(0));
  double* __restrict last = trial.follow_up_end.data();
  double const* end = run.end;
  for (std::size_t v = 0; v < visits; ++v) {
    double* __restrict there = run.attended + v * stride, * __restrict out = trial.visit_day.data() + v * n;
    double const* day = run.day + v * stride;
    for (std::size_t i = 0; i < n; ++i) {
      const double came = day[i] < end[i] ? there[i] : 0.0;
      there[i] = came;
      out[i] = came == 1 ? day[i] : missing_number;
      last[i] = came == 1 && day[i] > last[i] ? day[i] : last[i];
    }
  }
  for (std::size_t c = 0; c < cells; ++c) {
    double const* value = run.values + c * stride;
    double* out = trial.value.data() + c * n;
    if (wanted && !wanted->reads.cells[c]) {
      std::fill(out, out + n, missing_number);
      continue;
    }
    if (!layout_.cells[c].visit) {
      std::copy(value, value + n, out);
      continue;
    }
    double const* there = run.attended + *layout_.cells[c].visit * stride;
    double* __restrict to = out;
    for (std::size_t i = 0; i < n; ++i) to[i] = there[i] == 1 ? value[i] : missing_number;
  }
  trial.entries.resize(layout_.forms.size());
  for (std::size_t f = 0; f < layout_.forms.size(); ++f) {
    std::vector<Record>& records = w.records_[f];
    if (wanted && !wanted->reads.forms[f]) records.clear();
    // Nobody knows what happens after the last contact; an end of participation is one.
    std::erase_if(records, [&](Record const& record) { return record.date > trial.follow_up_end[record.participant]; });
    std::ranges::sort(records, {}, [](Record const& r) { return std::tuple(r.participant, r.date, r.order); });
    VirtualTrial::Entries& entries = trial.entries[f];
    entries.participant.resize(records.size()), entries.date.resize(records.size());
    entries.items.resize(layout_.forms[f].items.size());
    for (auto& item : entries.items) item.resize(records.size());
    for (std::size_t r = 0; r < records.size(); ++r) {
      entries.participant[r] = records[r].participant, entries.date[r] = records[r].date;
      for (std::size_t k = 0; k < entries.items.size(); ++k) entries.items[k][r] = records[r].items[k];
    }
  }
}

}  // namespace equipoise::simulate
