#include "equipoise/simulate/scenario.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/protocol/names.h"
#include "equipoise/simulate/merged.h"
#include "equipoise/simulate/monitoring.h"
#include "equipoise/simulate/schedule.h"
#include "equipoise/simulate/settings.h"

namespace equipoise::simulate {
namespace {

/// Of the format's flagship, beside those of this build.
constexpr std::array<std::string_view, 1> published_models{"cd4_homeostasis"};

constexpr Limits a_probability{.min = 0, .max = 1};
constexpr Limits below_one{.min = 0, .max = 1, .max_excluded = true};

Accrual read_accrual(protocol::Protocol const& protocol, Section& text) {
  Accrual accrual;
  double known = 0, count = 0;
  for (protocol::Site const& site : protocol.sites)
    if (site.planned_per_month) known += *site.planned_per_month, ++count;
  for (protocol::Site const& site : protocol.sites) {
    accrual.per_month.push_back(site.planned_per_month.value_or(count > 0 ? known / count : 1.0));
    accrual.cap.push_back(site.cap.value_or(-1));
  }
  accrual.made_up = count == 0;
  if (protocol.sites.empty()) accrual.per_month = {1.0}, accrual.cap = {-1};
  accrual.start_day.assign(accrual.per_month.size(), 0.0);
  std::optional<std::int64_t> participants = protocol.trial.planned_participants;
  if (auto table = text.table("accrual", "the accrual of " + text.name())) {
    if (const auto total = table->number("per_month", {.min = 0, .max = 1e6, .min_excluded = true})) {
      const double planned = protocol.sites.empty() || count == 0 ? double(accrual.per_month.size()) : [&] {
        double sum = 0;
        for (double rate : accrual.per_month) sum += rate;
        return sum;
      }();
      if (planned > 0)
        for (double& rate : accrual.per_month) rate *= *total / planned;
      accrual.made_up = false;
    }
    accrual.ramp_days = 7 * table->number("ramp_weeks", {.min = 0, .max = 1040}).value_or(0);
    if (const auto n = table->integer("participants", {.min = 1, .max = 100000})) participants = *n;
    if (const Node* starts = table->node().find("start_weeks"); starts && starts->table()) {
      auto of_sites = table->table("start_weeks", "'start_weeks' of " + table->name());
      for (std::size_t s = 0; s < protocol.sites.size(); ++s)
        accrual.start_day[s] = 7 * of_sites->number(protocol.sites[s].id, {.min = 0, .max = 1040}).value_or(0);
      of_sites->finish();
    } else if (const auto week = table->number("start_weeks", {.min = 0, .max = 1040})) {
      std::ranges::fill(accrual.start_day, 7 * *week);
    }
    table->finish();
  }
  double total = 0;
  for (double rate : accrual.per_month) total += rate;
  if (!(total > 0))
    add_problem(text.problems(), text.place(), Code::inconsistent, "no site of {} ever takes a participant: all rates are 0",
                text.name());
  if (!participants || *participants < 1) {
    add_problem(text.problems(), text.place(), Code::missing_key, "{} needs the number of participants", text.name()).hint =
        "give [trial] planned_participants, or the scenario accrual = { participants = ... }";
  } else if (*participants > 100000) {
    add_problem(text.problems(), text.place(), Code::out_of_range, "{} has {} participants, and a virtual trial at most 100000",
                text.name(), *participants);
  } else {
    accrual.participants = *participants;
    std::int64_t room = 0;
    bool capped = true;
    for (std::size_t s = 0; s < accrual.cap.size(); ++s)
      if (accrual.per_month[s] > 0) {
        capped &= accrual.cap[s] >= 0;
        room += std::max<std::int64_t>(0, accrual.cap[s]);
      }
    if (capped && room < accrual.participants)
      add_problem(text.problems(), text.place(), Code::inconsistent,
                  "the sites of {} take at most {} participants together, and {} are planned", text.name(), room,
                  accrual.participants)
          .hint = "raise the 'cap' of sites, or plan fewer participants";
  }
  return accrual;
}

std::vector<double> read_missed(protocol::Protocol const& protocol, Section& text) {
  std::vector<double> missed(protocol.visits.size(), 0.0);
  const Node* value = text.node().find("missed_visit");
  if (value && value->table()) {
    auto table = text.table("missed_visit", "'missed_visit' of " + text.name());
    const double others = table->number("others", below_one).value_or(0);
    for (std::size_t v = 0; v < missed.size(); ++v) missed[v] = table->number(protocol.visits[v].id, below_one).value_or(others);
    table->finish();
  } else if (const auto every = text.number("missed_visit", below_one)) {
    std::ranges::fill(missed, *every);
  }
  for (std::size_t v = 0; v < missed.size(); ++v)
    if (protocol.visits[v].day.offset() <= 0) missed[v] = 0;  // those who are randomised were there
  return missed;
}

/// The number behind "by_week_" in a key.
std::optional<double> week_of(std::string_view key) {
  constexpr std::string_view prefix = "by_week_";
  if (!key.starts_with(prefix)) return {};
  return to_number(key.substr(prefix.size()));
}

StudyStop read_study_stop(Section text, Models::Any const* model) {
  constexpr std::pair<std::string_view, StudyStop::Mechanism> mechanisms[] = {
      {"mcar", StudyStop::Mechanism::mcar}, {"mar", StudyStop::Mechanism::mar}, {"mnar", StudyStop::Mechanism::mnar}};
  StudyStop stop;
  text.need("mechanism");
  const auto mechanism = text.word<StudyStop::Mechanism>("mechanism", mechanisms);
  stop.mechanism = mechanism.value_or(StudyStop::Mechanism::mcar);
  std::size_t given = 0;
  for (Node::Member const& member : *text.node().table())
    if (const auto week = week_of(member.key)) {
      ++given;
      stop.probability = text.number(member.key, below_one).value_or(0);
      stop.by_day = 7 * *week;
      if (!(*week > 0 && *week <= 5200))
        text.report_at(member.key, Code::out_of_range, "'{}' in {} must be a week after randomisation", member.key, text.name());
    }
  if (given != 1)
    add_problem(text.problems(), text.place(), given ? Code::inconsistent : Code::missing_key,
                "{} needs one probability of leaving, such as by_week_96 = 0.08{}", text.name(),
                given ? fmt::format(", and gives {}", given) : "");
  std::string slope_key;
  for (auto const& [key, per] : {std::pair<std::string_view, double>{"log_odds_per_100_cells", 100}, {"log_odds_per_unit", 1}})
    if (text.has(key)) {
      if (!slope_key.empty()) text.report_at(key, Code::inconsistent, "{} gives the same slope twice", text.name());
      slope_key = key;
      stop.log_odds = text.number(key, {.min = -1e6, .max = 1e6}).value_or(0) / per;
    }
  Longitudinal const* markers = model ? std::get_if<Longitudinal>(model) : nullptr;
  if (const auto name = text.filled_text("marker"); name && markers) {
    std::vector<std::string> names;
    for (Marker const& marker : markers->markers()) names.push_back(marker.item->id);
    const auto found = std::ranges::find(names, *name);
    stop.marker = std::size_t(found - names.begin());
    if (found == names.end())
      text.report_at("marker", Code::unresolved, "{} names the marker '{}', and the scenario simulates {}", text.name(), *name,
                     join(names, ", ")),
          stop.marker = 0;
  }
  if (mechanism && *mechanism != StudyStop::Mechanism::mcar) {
    if (slope_key.empty())
      add_problem(text.problems(), text.place(), Code::missing_key,
                  "{} needs 'log_odds_per_unit' of the marker, since leaving depends on it", text.name());
    if (model && !markers)
      text.report_at("mechanism", Code::inconsistent, "{} depends on a marker, and the model has none", text.name());
  } else if (mechanism && !slope_key.empty() && stop.log_odds != 0) {
    text.report_at(slope_key, Code::inconsistent, "{} leaves completely at random (mcar) and has a slope on a marker",
                   text.name());
  }
  text.finish();
  return stop;
}

std::vector<EventKind> read_events(protocol::Protocol const& protocol, Section& text) {
  std::vector<EventKind> kinds;
  auto table = text.table("events_per_year", "'events_per_year' of " + text.name());
  if (!table) return kinds;
  const std::vector<std::string> known = protocol::dated_events(protocol);
  for (Node::Member const& member : *table->node().table()) {
    const auto rates = by_arm(protocol, *table, member.key, {.min = 0, .max = 1000}, 0.0);
    const auto event = dated_event(protocol, member.key);
    if (!event) {
      Error& error = add_problem(table->problems(), member.place, Code::unresolved,
                                 "{} names '{}', which is no dated event of the trial", table->name(), member.key);
      if (const auto near = nearest(member.key, known)) error.hint = fmt::format("did you mean '{}'?", *near);
      else if (!known.empty()) error.hint = fmt::format("its dated events are {}", join(known, ", "));
    } else if (rates) {
      kinds.push_back({*event, EventTime::constant(*rates)});
    }
  }
  return kinds;
}

void join_events(Section& text, std::vector<EventKind> const& more, std::vector<EventKind>& events) {
  for (EventKind const& kind : more) {
    if (std::ranges::any_of(events, [&](EventKind const& other) { return other.event.code == kind.event.code; }))
      text.report_at("events_per_year", Code::duplicate, "{} gives the event '{}' twice", text.name(), kind.event.code);
    else events.push_back(kind);
  }
}

/// Probabilities by the names of the codes that add up to 1; names of the table that are no codes are problems.
std::optional<std::vector<double>> read_probabilities(Section& text, std::vector<std::string> const& names) {
  std::vector<double> values;
  double sum = 0;
  const std::size_t before = text.problems().size();
  for (std::string const& name : names) sum += values.emplace_back(text.number(name, a_probability).value_or(0));
  text.finish();
  if (text.problems().size() != before) return {};
  if (!(std::abs(sum - 1) < 1e-9)) {
    add_problem(text.problems(), text.place(), Code::out_of_range, "the probabilities of {} add up to {}, not 1", text.name(),
                shortest(sum));
    return {};
  }
  return values;
}

std::vector<std::string> code_ids(protocol::Item const& item) {
  std::vector<std::string> ids;
  for (protocol::CodeValue const& code : item.codes) ids.push_back(code.id);
  return ids;
}

protocol::Item const* item_of(protocol::Form const& form, std::string_view id, protocol::ItemKind kind) {
  for (protocol::Item const& item : form.items)
    if (item.id == id && item.kind == kind) return &item;
  return nullptr;
}

std::optional<AdverseEvents> read_adverse_events(protocol::Protocol const& protocol, Section& text) {
  auto table = text.table("adverse_event", "'adverse_event' of " + text.name());
  if (!table) return {};
  AdverseEvents events;
  const std::string name = table->filled_text("form").value_or("adverse_event");
  events.form = protocol.form(name);
  if (!events.form || !events.form->any_time || !std::ranges::any_of(events.form->items, [](protocol::Item const& item) {
        return item.kind == protocol::ItemKind::date;
      })) {
    table
        ->report_at("form", Code::unresolved, "{} needs a form without a visit and with a date, and '{}' is none", table->name(),
                    name)
        .hint = "name it: form = \"...\"";
    events.form = nullptr;
  }
  const std::vector<double> nobody(protocol.arms.size(), 0.0);
  table->need("any");
  events.any = by_arm(protocol, *table, "any", below_one, {}).value_or(nobody);
  events.serious = by_arm(protocol, *table, "serious", below_one, {}).value_or(nobody);
  for (std::size_t arm = 0; arm < events.any.size(); ++arm)
    if (events.serious[arm] > events.any[arm]) {
      table->report_at("serious", Code::inconsistent,
                       "a serious event is an event: in arm '{}' {} has 'serious' {} above 'any' {}", protocol.arms[arm].id,
                       table->name(), shortest(events.serious[arm]), shortest(events.any[arm]));
      break;
    }
  for (auto const& [key, grades] :
       {std::pair<std::string_view, std::array<double, 5>*>{"grade", &events.grade}, {"serious_grade", &events.serious_grade}})
    if (const auto given = table->numbers(key, a_probability)) {
      double sum = 0;
      for (double p : *given) sum += p;
      if (given->size() != 5 || !(std::abs(sum - 1) < 1e-9))
        table->report_at(key, Code::out_of_range, "'{}' in {} must be the probabilities of grades 1 to 5, which add up to 1", key,
                         table->name());
      else std::ranges::copy(*given, grades->begin());
    }
  protocol::Item const* related = events.form ? item_of(*events.form, "related", protocol::ItemKind::code) : nullptr;
  if (auto probabilities = table->table("related", "'related' of " + table->name())) {
    if (related) events.related = read_probabilities(*probabilities, code_ids(*related)).value_or(std::vector<double>{});
    else table->report_at("related", Code::unresolved, "the form '{}' has no code item 'related'", name);
  } else if (related && !related->codes.empty()) {
    events.related.assign(related->codes.size(), 0.0);
    events.related[0] = 1;
  }
  events.duration_days = table->number("duration_days", {.min = 0, .max = 36500}).value_or(10);
  table->finish();
  if (!events.form) return {};
  return events;
}

std::optional<ItemRule> read_item(protocol::Protocol const& protocol, Node const& scenario, Section& items,
                                  Node::Member const& member) {
  protocol::Item const* item = protocol.item(member.key);
  if (!item || protocol.form(item->form)->any_time || item->kind == protocol::ItemKind::text) {
    items.allow(member.key);
    std::vector<std::string> known;
    for (protocol::Form const& form : protocol.forms)
      if (!form.any_time)
        for (protocol::Item const& one : form.items)
          if (one.kind != protocol::ItemKind::text) known.push_back(one.id);
    Error& error = items.report_at(member.key, Code::unresolved, "{} names '{}', which is {}", items.name(), member.key,
                                   item ? "no number, code, flag or date of a visit" : "no item of the trial");
    if (const auto near = nearest(member.key, known); near && !item) error.hint = fmt::format("did you mean '{}'?", *near);
    return {};
  }
  if (scenario.find(member.key)) {
    items.allow(member.key);
    add_problem(items.problems(), member.place, Code::inconsistent, "{} gives '{}', which its model makes", items.name(),
                member.key);
    return {};
  }
  ItemRule rule{.item = item,
                .min = -std::numeric_limits<double>::infinity(),
                .max = std::numeric_limits<double>::infinity(),
                .probabilities = {}};
  if (item->hard) rule.min = item->hard->first, rule.max = item->hard->second;
  const bool codes = item->kind == protocol::ItemKind::code, flag = item->kind == protocol::ItemKind::flag;
  if (codes && !member.value.table()) {
    const auto code = items.text(member.key);
    if (!code) return {};
    const std::vector<std::string> ids = code_ids(*item);
    const auto found = std::ranges::find(ids, *code);
    if (found == ids.end()) {
      items.report_at(member.key, Code::unresolved, "'{}' is no code of '{}': they are {}", *code, member.key, join(ids, ", "));
      return {};
    }
    rule.centre = double(found - ids.begin());
    return rule;
  }
  if (flag && !member.value.table()) {
    const auto truth = items.flag(member.key);
    if (!truth) return {};
    rule.centre = *truth;
    return rule;
  }
  if (!member.value.table()) {
    const auto number = items.number(member.key, item->hard ? Limits{.min = rule.min, .max = rule.max} : Limits{});
    if (!number) return {};
    rule.centre = *number;
    return rule;
  }
  const std::size_t before = items.problems().size();
  auto table = items.table(member.key, fmt::format("'{}' of {}", member.key, items.name()));
  if (codes) {
    rule.kind = ItemRule::Kind::categories;
    rule.probabilities = read_probabilities(*table, code_ids(*item)).value_or(std::vector<double>{});
  } else if (flag) {
    rule.kind = ItemRule::Kind::categories;
    const double p = table->need_number("probability", a_probability).value_or(0);
    rule.probabilities = {1 - p, p};
    table->finish();
  } else {
    rule.min = table->number("min").value_or(rule.min), rule.max = table->number("max").value_or(rule.max);
    if (table->has("median")) {
      rule.kind = ItemRule::Kind::log_normal;
      rule.centre = std::log(table->need_number("median", Limits::above(0)).value_or(1));
      const double cv = table->need_number("cv", {.min = 0, .max = 10}).value_or(0);
      rule.spread = std::sqrt(std::log1p(cv * cv));
    } else {
      rule.kind = ItemRule::Kind::normal;
      rule.centre = table->need_number("mean").value_or(0);
      rule.spread = table->need_number("sd", Limits::at_least(0)).value_or(0);
    }
    table->finish();
    if (!(rule.min <= rule.max)) table->report_at("min", Code::inconsistent, "'min' is above 'max' in {}", table->name());
  }
  if (items.problems().size() != before) return {};
  return rule;
}

}  // namespace

std::optional<Scenario> parse_scenario(protocol::Protocol const& protocol, std::size_t index, Problems& problems) {
  return parse_scenario(protocol, merged(protocol, index), problems);
}

std::optional<Scenario> parse_scenario(protocol::Protocol const& protocol, protocol::MethodSection const& own,
                                       Problems& problems) {
  const std::size_t before = problems.size();
  Node const& whole = own.section;
  Section text(whole, fmt::format("scenario '{}'", scenario_id(own)), problems);
  for (std::string_view key : {"id", "extends", "model", "note"}) text.allow(key);
  auto model = Models::parse(own.method, protocol, text);
  Accrual accrual = read_accrual(protocol, text);
  const double day_sd = text.number("visit_day_sd", {.min = 0, .max = 1000}).value_or(0);
  std::vector<double> missed = read_missed(protocol, text);
  std::optional<StudyStop> stop;
  if (auto table = text.table("study_stop", "'study_stop' of " + text.name()))
    stop = read_study_stop(*table, model ? &*model : nullptr);
  std::vector<EventKind> events = read_events(protocol, text);
  if (model)
    std::visit(
        [&]<class M>(M const& made) {
          if constexpr (requires { made.events(); }) join_events(text, made.events(), events);
        },
        *model);
  if (own.method != TimeToEvent::keyword && text.has("event"))
    if (const auto times = TimeToEvent::parse(protocol, text)) {
      if (times->has_items())
        text.report_at("event", Code::inconsistent, "a flag with its time belongs to the model 'time_to_event', and {} has '{}'",
                       text.name(), own.method);
      join_events(text, times->events(), events);
    }
  auto adverse = read_adverse_events(protocol, text);
  std::vector<ItemRule> items;
  if (auto table = text.table("items", "'items' of " + text.name()))
    for (Node::Member const& member : *table->node().table())
      if (auto rule = read_item(protocol, whole, *table, member)) items.push_back(std::move(*rule));
  if (const auto [first, last] = day_range(protocol); last - first > 100000)
    add_problem(problems, text.place(), Code::out_of_range,
                "the visits of a virtual trial span at most 100000 days, and these {}", last - first);
  // What an address of a random number has room for, and a machine.
  for (auto const& [what, count] : {std::pair<std::string_view, std::size_t>{"visits", protocol.visits.size()},
                                    {"items", items.size()},
                                    {"kinds of events", events.size()}})
    if (count > 4000)
      add_problem(problems, text.place(), Code::out_of_range, "a virtual trial has at most 4000 {}, and that of {} has {}", what,
                  text.name(), count);
  text.finish();
  if (problems.size() != before || !model) return {};
  return Scenario{.id = scenario_id(own),
                  .model = std::move(*model),
                  .accrual = std::move(accrual),
                  .visit_day_sd = day_sd,
                  .missed = std::move(missed),
                  .study_stop = stop,
                  .events = std::move(events),
                  .adverse_events = std::move(adverse),
                  .items = std::move(items),
                  .place = own.place};
}

void report_unknown(Problems& problems, std::string const& file, std::string_view what, std::string_view id,
                    std::vector<std::string> const& known) {
  Error& error = add_problem(problems, {.file = file}, Code::unresolved, "the protocol has no {} '{}'", what, id);
  if (const auto near = nearest(id, known)) error.hint = fmt::format("did you mean '{}'?", *near);
  else if (!known.empty()) error.hint = fmt::format("it has {}", join(known, ", "));
}

std::vector<std::string> scenario_ids(protocol::Protocol const& protocol) {
  const std::vector<std::string> here = Models::keywords();
  std::vector<std::string> ids;
  for (protocol::MethodSection const& scenario : protocol.scenarios)
    if (std::ranges::find(here, scenario.method) != here.end()) ids.push_back(scenario_id(scenario));
  return ids;
}

void check_scenarios(protocol::Protocol const& protocol, Problems& problems, std::vector<study::Unavailable>& unavailable) {
  const std::vector<std::string> here = Models::keywords();
  for (std::size_t s = 0; s < protocol.scenarios.size(); ++s) {
    protocol::MethodSection const& scenario = protocol.scenarios[s];
    if (scenario.method.empty()) continue;  // its absence is reported already
    if (std::ranges::find(here, scenario.method) == here.end()) {
      const std::string user = fmt::format("scenario '{}'", scenario_id(scenario));
      if (std::ranges::find(published_models, scenario.method) != published_models.end()) {
        unavailable.push_back({scenario.place, scenario.method, user});
        continue;
      }
      std::vector<std::string> known = here;
      known.insert(known.end(), published_models.begin(), published_models.end());
      Error& error = add_problem(problems, scenario.place, Code::unknown_keyword, "{} names the model '{}', which is not known",
                                 user, scenario.method);
      if (const auto near = nearest(scenario.method, known)) error.hint = fmt::format("did you mean '{}'?", *near);
      else error.hint = fmt::format("models are {}", join(known, ", "));
      continue;
    }
    Problems own;
    parse_scenario(protocol, s, own);
    for (Error& problem : own)  // what a scenario took from the one it extends is reported there
      if (std::ranges::none_of(problems,
                               [&](Error const& known) { return known.place == problem.place && known.code == problem.code; }))
        problems.push_back(std::move(problem));
  }
  Settings::parse(protocol, problems);
  Monitoring::parse(protocol, problems);
}

}  // namespace equipoise::simulate
