#include <algorithm>
#include <cstdlib>

#include "equipoise/report/tables.h"

namespace equipoise::report::tables {
namespace {

using protocol::ArmRole;
using protocol::Benefit;
using protocol::EndpointKind;
using protocol::Strategy;

Markup row(std::string const& head, Markup const& body) {
  return element("tr", element("th", {{"scope", std::string("row")}}, head) + element("td", body));
}

Markup list(std::vector<Markup> const& items) {
  if (items.size() == 1) return items.front();
  Markup out;
  for (auto const& item : items) out += element("li", item);
  return element("ul", "plain", out);
}

Word role_word(ArmRole role) {
  switch (role) {
    case ArmRole::investigational:
      return Word::role_investigational;
    case ArmRole::placebo_control:
      return Word::role_placebo;
    case ArmRole::active_control:
      return Word::role_active;
    case ArmRole::no_treatment:
      return Word::role_none;
  }
  return Word::role_investigational;
}

Word kind_word(EndpointKind kind) {
  switch (kind) {
    case EndpointKind::continuous:
      return Word::kind_continuous;
    case EndpointKind::binary:
      return Word::kind_binary;
    case EndpointKind::count:
      return Word::kind_count;
    case EndpointKind::time_to_event:
      return Word::kind_time;
  }
  return Word::kind_continuous;
}

std::optional<Word> benefit_word(Benefit benefit) {
  switch (benefit) {
    case Benefit::unstated:
      return {};
    case Benefit::higher:
      return Word::higher_better;
    case Benefit::lower:
      return Word::lower_better;
    case Benefit::sooner:
      return Word::sooner_better;
    case Benefit::later:
      return Word::later_better;
  }
  return {};
}

std::string strategy_in_words(Context const& context, protocol::Intercurrent const& ice) {
  auto const& words = context.words;
  const std::string event = context.event(ice.event);
  switch (ice.strategy) {
    case Strategy::treatment_policy:
      return words(Word::ice_policy, event);
    case Strategy::hypothetical:
      if (ice.handling == "missing_at_random") return words(Word::ice_hypothetical_mar, event);
      if (ice.handling == "censored") return words(Word::ice_hypothetical_censored, event);
      return words(Word::ice_hypothetical, event);
    case Strategy::composite:
      if (const auto* number = std::get_if<double>(&ice.value))
        return words(Word::ice_composite_value, event, results::significant(*number, 6));
      if (const auto* text = std::get_if<std::string>(&ice.value))
        return words(Word::ice_composite_value, event, std::string("\u201c") + *text + "\u201d");
      return words(Word::ice_composite, event);
    case Strategy::while_on_treatment:
      return words(Word::ice_while, event);
    case Strategy::principal_stratum:
      return words(Word::ice_stratum, event);
  }
  return event;
}

Markup muted(std::string const& text) { return element("span", "dim", text); }

}  // namespace

Markup synopsis(Context const& context) {
  auto const& words = context.words;
  auto const& plan = context.plan;
  const std::string separator = words.chinese() ? "\uff0c" : ", ";
  Markup rows;
  std::vector<Markup> objectives, populations;
  std::vector<std::string> seen;
  for (auto const& estimand : plan.estimands) {
    if (!estimand.objective.empty()) objectives.emplace_back(estimand.objective);
    if (!estimand.population.empty() && std::find(seen.begin(), seen.end(), estimand.population) == seen.end()) {
      seen.push_back(estimand.population);
      populations.emplace_back(estimand.population);
    }
  }
  if (!objectives.empty()) rows += row(words(Word::objective), list(objectives));
  if (!populations.empty()) rows += row(words(Word::population), list(populations));

  std::vector<Markup> arms, endpoints, sets;
  for (auto const& arm : plan.arms) {
    std::string more = words(role_word(arm.role));
    if (arm.dose) more = results::amount_label(arm.dose->amount, arm.dose->unit, context.language()) + separator + more;
    arms.push_back(element("strong", context.arm(arm.id)) + " " + muted(more));
  }
  if (!arms.empty()) rows += row(words(Word::arms), list(arms));
  for (auto const& endpoint : plan.endpoints) {
    std::string more = words(kind_word(endpoint.kind));
    if (!endpoint.level.empty()) more = context.role(endpoint.level) + separator + more;
    if (!endpoint.at.empty())
      if (const auto* visit = plan.visit(endpoint.at))
        more += separator + words(Word::endpoint_at, context.label(visit->label, visit->id));
    if (const auto benefit = benefit_word(endpoint.benefit)) more += separator + words(*benefit);
    Markup entry = element("strong", context.endpoint(endpoint.id)) + " " + muted(more);
    if (endpoint.event)
      entry += element("div", "rule", Markup(words(Word::endpoint_event)) + element("code", endpoint.event->text()));
    if (endpoint.variable)
      entry += element("div", "rule", Markup(words(Word::endpoint_variable)) + element("code", endpoint.variable->text()));
    endpoints.push_back(entry);
  }
  if (!endpoints.empty()) rows += row(words(Word::endpoints), list(endpoints));
  for (auto const& set : plan.sets) {
    Markup entry = element("strong", context.set(set.id)) + " " +
                   muted(words(set.as_treated ? Word::set_as_treated : Word::set_as_randomised));
    if (!set.rule.text().empty())
      entry += element("div", "rule", Markup(words(Word::set_rule)) + element("code", set.rule.text()));
    sets.push_back(entry);
  }
  if (!sets.empty()) rows += row(words(Word::analysis_sets), list(sets));
  if (!plan.blinding.empty())
    rows += row(words(Word::blinding), plan.blinding == "open"     ? words(Word::blind_open)
                                       : plan.blinding == "single" ? words(Word::blind_single)
                                       : plan.blinding == "double" ? words(Word::blind_double)
                                                                   : results::in_plain_words(plan.blinding));
  if (plan.trial.planned_participants)
    rows += row(words(Word::planned), words(Word::planned_text, *plan.trial.planned_participants));
  if (rows.empty()) return {};
  return scrolling("scroll", element("table", "facts", element("tbody", rows)));
}

Markup estimands(Context const& context) {
  auto const& words = context.words;
  Markup cards;
  for (auto const& estimand : context.plan.estimands) {
    Markup rows;
    std::string compared;
    for (auto const& arm : estimand.compare)
      compared += (compared.empty() ? "" : words.chinese() ? "、" : ", ") + context.arm(arm);
    if (!estimand.population.empty()) rows += row(words(Word::population), estimand.population);
    if (!compared.empty())
      rows += row(words(Word::treatment_attribute),
                  estimand.against.empty() ? compared : words(Word::against, compared, context.arm(estimand.against)));
    rows += row(words(Word::endpoint), context.endpoint(estimand.endpoint));
    if (!estimand.summary.empty())
      rows += row(words(Word::summary_measure), results::quantity_label(estimand.summary, context.language()));
    rows += row(words(Word::analysis_set), context.set(estimand.set));
    std::vector<Markup> events;
    for (auto const& ice : estimand.intercurrent) events.emplace_back(strategy_in_words(context, ice));
    rows += row(words(Word::intercurrent), events.empty() ? Markup(words(Word::no_intercurrent)) : list(events));
    cards += element("div", "panel estimand",
                     element("h3", words(Word::estimand_head, estimand.id)) +
                         (estimand.objective.empty() ? Markup() : element("p", "lead", estimand.objective)) +
                         scrolling("scroll", element("table", "facts", element("tbody", rows))));
  }
  return cards;
}

Table schedule(Context const& context) {
  auto const& words = context.words;
  auto const& plan = context.plan;
  if (plan.visits.empty()) return {};
  Table table{.id = "schedule", .caption = words(Word::schedule), .chapter = Table::Chapter::design};
  const auto day_text = [](int day) { return (day < 0 ? "\u2212" : "") + std::to_string(std::abs(day)); };
  Grid grid{.look = Grid::Look::schedule, .columns = {{.name = Cell(words(Word::schedule_what)), .align = Column::Align::left}}};
  Row days{.head = Cell(words(Word::schedule_window))};
  for (auto const& visit : plan.visits) {
    grid.columns.push_back({.name = Cell(context.label(visit.label, visit.id)), .align = Column::Align::left});
    Cell cell(of_value(Value{"day", double(visit.day.day()), day_text(visit.day.day()), "count", "d"}));
    if (visit.days_before || visit.days_after)
      cell.pieces.push_back({Piece::Kind::window,
                             visit.days_before == visit.days_after ? std::string("\u00b1") + std::to_string(visit.days_before)
                                                                   : std::string("\u2212") + std::to_string(visit.days_before) +
                                                                         "/+" + std::to_string(visit.days_after),
                             {value::count("days_before", visit.days_before), value::count("days_after", visit.days_after)}});
    days.cells.push_back(std::move(cell));
  }
  const auto grid_row = [&](std::string const& name, auto const& collected) {
    Row row{.head = Cell(name)};
    for (auto const& visit : plan.visits)
      row.cells.push_back(collected(visit) ? Cell(Piece{Piece::Kind::dot, words(Word::schedule_collected)}) : Cell());
    grid.add(std::move(row));
  };
  grid.add(std::move(days));
  const auto contains = [](std::vector<std::string> const& list, std::string const& id) {
    return std::find(list.begin(), list.end(), id) != list.end();
  };
  for (auto const& form : plan.forms) {
    const std::string name = context.label(form.label, form.id);
    if (form.any_time) {
      Cell any(words(Word::schedule_any_time));
      any.span = plan.visits.size(), any.look = Cell::Look::any_time;
      grid.add({.head = Cell(name), .cells = {any}});
    } else {
      grid_row(name, [&](protocol::Visit const& visit) { return contains(visit.forms, form.id); });
    }
  }
  for (auto const& intervention : plan.interventions)
    grid_row(context.label(intervention.label, intervention.id),
             [&](protocol::Visit const& visit) { return contains(intervention.visits, visit.id); });
  table.parts.emplace_back(std::move(grid));
  table.remarks.push_back(words(Word::schedule_note));
  return table;
}

Markup provenance(Context const& context) {
  auto const& words = context.words;
  auto const& p = context.answer.provenance;
  Markup rows;
  const auto add = [&](Word head, std::string const& text, bool code = false) {
    if (!text.empty()) rows += row(words(head), code ? element("code", text) : Markup(text));
  };
  add(Word::provenance_kind, words(p.simulated ? Word::provenance_simulated : Word::provenance_observed));
  add(Word::provenance_protocol,
      context.plan.trial.version.empty() ? context.plan.trial.id : context.plan.trial.id + " " + context.plan.trial.version);
  add(Word::provenance_protocol_digest, p.protocol_digest, true);
  add(Word::provenance_data_file, p.data_file);
  add(Word::provenance_data_digest, p.data_digest, true);
  if (p.cutoff) add(Word::provenance_cutoff, *p.cutoff);
  if (p.seed) add(Word::provenance_seed, std::to_string(*p.seed));
  add(Word::provenance_match, p.match == "r"           ? words(Word::match_r)
                              : p.match == "sas"       ? words(Word::match_sas)
                              : p.match == "equipoise" ? words(Word::match_equipoise)
                                                       : p.match);
  add(Word::provenance_version, p.version);
  if (context.plan.source) add(Word::provenance_source, context.plan.source->note);
  for (auto const& note : p.notes) add(Word::provenance_reading, note);
  return scrolling("scroll", element("table", "facts", element("tbody", rows))) +
         element("p", "note", words(Word::provenance_note));
}

}  // namespace equipoise::report::tables
