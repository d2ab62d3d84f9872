// A protocol and a scenario become a world: what is filled where, and what is found by simulation beforehand.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "equipoise/core/text.h"
#include "equipoise/numerics/distributions.h"
#include "equipoise/simulate/merged.h"
#include "equipoise/simulate/schedule.h"
#include "equipoise/simulate/world.h"

namespace equipoise::simulate {

using random::Purpose;

namespace {

constexpr std::uint32_t candidate_numbers = 1u << 20;  // of one virtual trial
constexpr double least_acceptance = 1e-4;

/// The seed of the virtual participants on whom scenarios are calibrated: the same for all, so that scenarios stay paired.
std::uint64_t calibration_seed() {
  const random::PhiloxKey key = random::derived_key({.seed = 0, .purpose = Purpose::calibration});
  return key[0] | std::uint64_t(key[1]) << 32;
}

}  // namespace

std::size_t World::form_slot(protocol::Form const* form) {
  const auto found = std::ranges::find(layout_.forms, form, &Layout::Form::form);
  if (found != layout_.forms.end()) return std::size_t(found - layout_.forms.begin());
  layout_.forms.push_back({form, {}});
  return layout_.forms.size() - 1;
}

std::size_t World::item_slot(std::size_t form, protocol::Item const* item) {
  auto& items = layout_.forms[form].items;
  const auto found = std::ranges::find(items, item);
  if (found != items.end()) return std::size_t(found - items.begin());
  expects(items.size() < std::tuple_size_v<decltype(Record::items)>, "an entry has room for the items of its form");
  items.push_back(item);
  return items.size() - 1;
}

/// A normal around the target, rounded to whole days and cut at the ends of the room.
World::DayTable World::day_table(int target, std::pair<int, int> room) const {
  DayTable table{.first = std::clamp(target, room.first, room.second), .reached = {2.0}};  // above every uniform
  const double sd = scenario_.visit_day_sd;
  if (sd == 0 || room.first == room.second) return table;
  table.first = room.first;
  table.reached.clear();
  for (int day = room.first; day < room.second; ++day) table.reached.push_back(numerics::normal_cdf((day + 0.5 - target) / sd));
  table.reached.push_back(2.0);
  std::uint32_t at = 0;
  for (std::size_t cell = 0; cell < table.guide.size(); ++cell) {
    while (double(cell) / 256 >= table.reached[at]) ++at;
    table.guide[cell] = at;
  }
  return table;
}

/// A value that the form of a real trial would refuse is none that a virtual trial may have.
void World::note_recording() {
  for (std::size_t c = 0; c < layout_.cells.size(); ++c) {
    protocol::Item const& item = *layout_.cells[c].item;
    const bool whole = item.kind == protocol::ItemKind::integer;
    if (!whole && item.kind != protocol::ItemKind::number) continue;
    Recording recording{.cell = c,
                        .step = item.step.value_or(0),
                        .min = -std::numeric_limits<double>::infinity(),
                        .max = std::numeric_limits<double>::infinity()};
    if (whole) recording.step = std::max(1.0, std::rint(recording.step));
    if (item.hard) recording.min = item.hard->first, recording.max = item.hard->second;
    if (recording.step > 0) {
      recording.min = std::ceil(recording.min / recording.step - 1e-9) * recording.step;
      recording.max = std::floor(recording.max / recording.step + 1e-9) * recording.step;
    }
    if (recording.step > 0 || item.hard) recordings_.push_back(recording);
  }
}

void World::lay_out() {
  protocol::Protocol const& protocol = *protocol_;
  layout_.visits = protocol.visits.size(), layout_.arms = protocol.arms.size(), layout_.sites = protocol.sites.size();
  std::visit([&](auto& model) { model.lay_out(protocol, layout_); }, scenario_.model);
  for (ItemRule const& rule : scenario_.items) {
    std::vector<std::size_t> cells;
    for (std::size_t v = 0; v < protocol.visits.size(); ++v) {
      auto const& forms = protocol.visits[v].forms;
      if (std::ranges::find(forms, rule.item->form) == forms.end() || layout_.cell(rule.item->id, v)) continue;
      cells.push_back(layout_.cells.size());
      layout_.cells.push_back({rule.item, v});
    }
    item_cells_.push_back(std::move(cells));
  }
  note_recording();

  for (std::size_t v = 0; v < protocol.visits.size(); ++v) {
    target_.push_back(protocol.visits[v].day.offset());
    days_.push_back(day_table(target_.back(), possible_days(protocol, v)));
  }
  planned_end_ = planned_end(protocol);
  horizon_ = std::max(planned_end_, double(day_range(protocol).second));

  const auto first_date = [](protocol::Form const& form) {
    return &*std::ranges::find(form.items, protocol::ItemKind::date, &protocol::Item::kind);
  };
  const auto slot_of = [&](DatedEvent const& event) {
    const std::size_t form = form_slot(event.form);
    const std::size_t code = item_slot(form, event.item);
    return EventSlot{form, code, item_slot(form, first_date(*event.form))};
  };
  if (scenario_.study_stop) {
    for (const char* name : {"study_stop", "withdrawal", "lost_to_follow_up"})
      if (!stop_event_)
        if (auto event = dated_event(protocol, name); event && event->ends_participation) stop_event_ = std::move(event);
    if (stop_event_) stop_slot_ = slot_of(*stop_event_);
    else notes_.push_back("who leaves the study has no entry: the protocol has no dated event for it, such as 'study_stop'");
  }
  for (EventKind const& kind : scenario_.events) {
    event_slots_.push_back(slot_of(kind.event));
    std::vector<double> survival;
    for (std::size_t arm = 0; arm < protocol.arms.size(); ++arm)
      survival.push_back(std::exp(-kind.time.cumulative_hazard(arm, horizon_ + 1)));
    survivals_.push_back(std::move(survival));
  }
  if (auto const& events = scenario_.adverse_events) {
    adverse_.form = form_slot(events->form);
    adverse_.onset = item_slot(adverse_.form, first_date(*events->form));
    const auto optional_item = [&](std::string_view id, protocol::ItemKind kind) -> std::optional<std::size_t> {
      for (protocol::Item const& item : events->form->items)
        if (item.id == id && item.kind == kind) return item_slot(adverse_.form, &item);
      return {};
    };
    adverse_.resolved = optional_item("resolved", protocol::ItemKind::date);
    adverse_.grade = optional_item("grade", protocol::ItemKind::integer);
    adverse_.serious = optional_item("serious", protocol::ItemKind::flag);
    if (!events->related.empty()) adverse_.related = optional_item("related", protocol::ItemKind::code);
    if (adverse_.resolved == adverse_.onset) adverse_.resolved.reset();
    for (std::size_t arm = 0; arm < protocol.arms.size(); ++arm) {
      adverse_rate_.push_back(-std::log1p(-events->any[arm]));
      adverse_serious_.push_back(adverse_rate_[arm] > 0 ? -std::log1p(-events->serious[arm]) / adverse_rate_[arm] : 0.0);
    }
  }
}

/// Says which items the questions of the protocol read and the scenario does not fill.
void World::note_unfilled() {
  struct Reader {
    std::string item, who;
  };
  std::vector<Reader> readers;
  const auto add = [&](std::optional<expression::Expression> const& rule, std::string_view visit, std::string const& who) {
    if (!rule || !*rule) return;
    for (std::string const& name : items_read(*protocol_, *rule, visit)) {
      const std::string item = name.substr(0, name.find('@'));
      protocol::Item const* known = protocol_->item(item);
      if (!known) continue;
      const auto filled = [&] {
        for (Layout::Cell const& cell : layout_.cells)
          if (cell.item == known) return true;
        for (Layout::Form const& form : layout_.forms)
          if (std::ranges::find(form.items, known) != form.items.end()) return true;
        return false;
      };
      if (filled() || std::ranges::any_of(readers, [&](Reader const& r) { return r.item == item && r.who == who; })) continue;
      readers.push_back({item, who});
    }
  };
  for (protocol::AnalysisSet const& set : protocol_->sets) add(set.rule, {}, fmt::format("analysis set '{}'", set.id));
  for (protocol::Endpoint const& endpoint : protocol_->endpoints)
    for (auto const* rule : {&endpoint.variable, &endpoint.event, &endpoint.time})
      add(*rule, endpoint.at, fmt::format("endpoint '{}'", endpoint.id));
  std::vector<std::string> said;
  for (Reader const& reader : readers) {
    if (std::ranges::find(said, reader.item) != said.end()) continue;
    said.push_back(reader.item);
    std::vector<std::string> users;
    for (Reader const& other : readers)
      if (other.item == reader.item) users.push_back(other.who);
    protocol::Item const* item = protocol_->item(reader.item);
    const std::string who = fmt::format("{} {} it", join(users, ", "), users.size() == 1 ? "reads" : "read");
    if (protocol_->form(item->form)->any_time)
      notes_.push_back(fmt::format("no entry of '{}' has '{}', and {}", item->form, reader.item, who));
    else
      notes_.push_back(fmt::format("'{}' is always missing, and {}; the scenario can give it: items = {{ {} = ... }}",
                                   reader.item, who, reader.item));
  }
}

bool World::measure_acceptance(Workspace& w, Problems& problems) {
  constexpr std::size_t batch = 4096, most = 50 * batch, enough = 8000;
  const std::uint64_t seed = calibration_seed();
  w.draws_.start(seed, 0);
  std::size_t drawn = 0, accepted = 0;
  std::vector<std::size_t> failed(protocol_->criteria.size(), 0);
  while (drawn < most && accepted < enough) {
    w.arena_.rewind();
    grow_for_candidates(w, batch);
    for (std::size_t i = 0; i < batch; ++i) w.candidate_[i] = std::uint32_t(drawn + i);
    double* u = w.arena_.take(4 * batch);
    w.draws_.of(Purpose::accrual).uniforms(0, 0, batch, w.candidate_.data(), u, batch);
    place_candidates(w, batch, u + batch);
    People people;
    draw_candidates(w, std::uint32_t(drawn), batch, people);
    for (std::size_t i = 0; i < batch; ++i) {
      if (w.failed_[i] < 0) ++accepted;
      else ++failed[std::size_t(w.failed_[i])];
    }
    drawn += batch;
  }
  rules_.choose_first(w.rules_, batch);
  acceptance_ = double(accepted) / double(drawn);
  const double needed = double(scenario_.accrual.participants) / std::max(acceptance_, 1e-300);
  if (acceptance_ >= least_acceptance && needed < 0.9 * candidate_numbers) return true;
  const auto worst = std::ranges::max_element(failed);
  add_problem(problems, scenario_.place, Code::inconsistent,
              "scenario '{}' leaves next to nobody to randomise: of {} simulated candidates {} met the criteria, an acceptance "
              "of {:.2g}; "
              "most failed '{}'",
              scenario_.id, drawn, accepted, acceptance_, protocol_->criteria[std::size_t(worst - failed.begin())].id)
      .hint = "the levels of its markers and the criteria of [eligibility] do not fit each other";
  return false;
}

bool World::calibrate_study_stop(Workspace& w, Problems& problems) {
  if (!scenario_.study_stop) return true;
  StudyStop const& stop = *scenario_.study_stop;
  if (Longitudinal const* markers = std::get_if<Longitudinal>(&scenario_.model)) {
    Marker const& marker = markers->markers()[stop.marker];
    stop_centre_ = marker.log_scale ? std::exp(marker.centre) : marker.centre;
  }
  int before = 0;
  std::size_t counting = 0;  // visits up to the day
  for (std::size_t v = 0; v < target_.size(); ++v) {
    if (target_[v] <= 0) continue;
    stop_visits_.push_back(v);
    stop_weeks_.push_back(std::max(1, target_[v] - before) / 7.0);
    before = target_[v];
    counting += target_[v] <= stop.by_day;
  }
  if (counting == 0) {
    add_problem(problems, scenario_.place, Code::inconsistent,
                "scenario '{}' lets participants leave by day {}, and no visit after randomisation is planned by then",
                scenario_.id, shortest(stop.by_day));
    return false;
  }
  if (stop.probability == 0) {
    stop_intercept_ = -700;
    return true;
  }
  std::vector<double> rows;  // of each participant, those of the visits that count
  VirtualTrial trial;
  const std::size_t wanted = stop.mechanism == StudyStop::Mechanism::mcar ? 1 : 4000;
  for (std::uint64_t number = 1; rows.size() < wanted * counting && number < 4000; ++number) {
    w.draws_.start(calibration_seed(), number);
    w.arena_.rewind();
    enrol(w, trial, false, {});
    const Course run = course(w, trial, {}, all_);
    double* x = w.arena_.take(stop_visits_.size() * run.people.stride);
    seen_values(run, x, w.arena_);
    for (std::size_t i = 0; i < trial.n; ++i)
      for (std::size_t s = 0; s < counting; ++s) rows.push_back(x[s * run.people.stride + i]);
  }
  const std::size_t people = rows.size() / counting;
  // The share that has left rises with the intercept.
  double low = -60, high = 60;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    double stayed = 0;
    for (std::size_t i = 0; i < people; ++i) {
      double log_stay = 0;
      for (std::size_t s = 0; s < counting; ++s) {
        const double logit = middle + rows[i * counting + s];
        log_stay -= logit > 30 ? logit : std::log1p(std::exp(logit));
      }
      stayed += std::exp(log_stay);
    }
    (1 - stayed / double(people) < stop.probability ? low : high) = middle;
  }
  stop_intercept_ = (low + high) / 2;
  return true;
}

Checked<World> World::build(protocol::Protocol const& protocol, std::string_view scenario) {
  Problems problems;
  std::vector<std::string> ids;
  std::size_t index = protocol.scenarios.size();
  for (std::size_t s = 0; s < protocol.scenarios.size(); ++s) {
    ids.push_back(scenario_id(protocol.scenarios[s]));
    if (ids.back() == scenario) index = s;
  }
  if (index == protocol.scenarios.size()) {
    report_unknown(problems, protocol.file, "scenario", scenario, ids);
    return fail(std::move(problems));
  }
  return build(protocol, merged(protocol, index));
}

Checked<World> World::build(protocol::Protocol const& protocol, protocol::MethodSection const& section) {
  Problems problems;
  const std::vector<std::string> here = Models::keywords();
  if (std::ranges::find(here, section.method) == here.end()) {
    add_problem(problems, section.place, Code::not_available, "scenario '{}' has the model '{}', which this build does not carry",
                scenario_id(section), section.method)
        .hint = fmt::format("it carries {}", join(here, ", "));
    return fail(std::move(problems));
  }
  World world;
  world.protocol_ = &protocol;
  std::optional<Scenario> parsed = parse_scenario(protocol, section, problems);
  std::vector<allocation::Factor> factors;
  if (protocol.randomisation) {
    world.rule_ = allocation::Rule::parse(protocol, problems);
    if (world.rule_) factors = world.rule_->setting().factors;
  } else if (protocol.arms.size() > 1) {
    add_problem(problems, {.file = protocol.file}, Code::missing_key,
                "a virtual trial of {} arms needs the section [randomisation]", protocol.arms.size());
  }
  if (!parsed || !problems.empty()) {
    sort_in_file_order(problems);
    return fail(std::move(problems));
  }
  if (world.rule_ && !world.rule_->setting().caps.empty()) {
    std::vector<std::int64_t> const& caps = world.rule_->setting().caps;
    const std::int64_t room = std::accumulate(caps.begin(), caps.end(), std::int64_t(0));
    if (std::ranges::find(caps, allocation::no_cap) == caps.end() && room < parsed->accrual.participants) {
      add_problem(problems, protocol.randomisation->place, Code::inconsistent,
                  "the caps of the arms leave room for {} participants, and scenario '{}' has {}", room, parsed->id,
                  parsed->accrual.participants);
      return fail(std::move(problems));
    }
  }
  world.scenario_ = std::move(*parsed);
  world.lay_out();
  world.layout_.factors = factors.size();
  const double values =
      double(world.layout_.cells.size()) * double(std::max<std::int64_t>(4096, world.scenario_.accrual.participants));
  if (values > 2e8) {
    add_problem(problems, section.place, Code::out_of_range,
                "a virtual trial of scenario '{}' has {} values, and at most 200000000 fit", world.scenario_.id,
                shortest(values));
    return fail(std::move(problems));
  }
  world.rules_ = CandidateRules::compile(protocol, world.layout_, factors, world.notes_, problems);
  if (!problems.empty()) return fail(std::move(problems));

  std::visit(
      [&](auto const& model) {
        world.of_rules_ = model.select(world.rules_.cells());
        world.all_ = model.select(std::vector<std::uint8_t>(world.layout_.cells.size(), 1));
      },
      world.scenario_.model);
  world.all_visits_.assign(protocol.visits.size(), 1);

  Accrual const& accrual = world.scenario_.accrual;
  double total = 0;
  for (double rate : accrual.per_month) world.site_reached_.push_back(total += rate);
  for (double& reached : world.site_reached_) reached /= total;
  world.thinned_ = accrual.ramp_days > 0 || std::ranges::any_of(accrual.start_day, [](double day) { return day > 0; });
  if (accrual.made_up) world.notes_.push_back("no rate of accrual is given: one participant a month at each site");
  world.note_unfilled();

  Workspace workspace;
  if (!world.measure_acceptance(workspace, problems)) return fail(std::move(problems));
  if (world.rules_.has_first()) {
    std::vector<std::uint8_t> first = world.rules_.first_cells(), rest = world.rules_.cells();
    for (std::size_t c = 0; c < rest.size(); ++c) rest[c] &= !first[c];
    world.rest_visits_ = world.rules_.visits();
    for (std::size_t v = 0; v < world.rest_visits_.size(); ++v) world.rest_visits_[v] &= !world.rules_.first_visits()[v];
    std::visit(
        [&](auto const& model) {
          world.of_first_ = model.select(std::move(first)), world.of_rest_ = model.select(std::move(rest));
        },
        world.scenario_.model);
  }
  world.gap_days_ = world.acceptance_ * protocol.conventions.month_days / total;
  world.most_candidates_ = candidate_numbers - 8;
  if (!world.calibrate_study_stop(workspace, problems)) return fail(std::move(problems));
  return world;
}

}  // namespace equipoise::simulate
