#include <algorithm>
#include <array>

#include "equipoise/protocol/reader.h"

namespace equipoise::protocol {
namespace {

using expression::Context;
using expression::Type;

constexpr std::array<std::pair<std::string_view, EndpointKind>, 4> endpoint_kinds{
    {{"continuous", EndpointKind::continuous},
     {"binary", EndpointKind::binary},
     {"count", EndpointKind::count},
     {"time_to_event", EndpointKind::time_to_event}}};
constexpr std::array<std::pair<std::string_view, Benefit>, 4> benefits{
    {{"higher", Benefit::higher}, {"lower", Benefit::lower}, {"sooner", Benefit::sooner}, {"later", Benefit::later}}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> levels{
    {{"primary", "primary"}, {"secondary", "secondary"}, {"exploratory", "exploratory"}, {"safety", "safety"}}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 3> transforms{
    {{"log", "log"}, {"sqrt", "sqrt"}, {"fourth_root", "fourth_root"}}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> time_units{
    {{"d", "d"}, {"wk", "wk"}, {"mo", "mo"}, {"a", "a"}}};
constexpr std::array<std::pair<std::string_view, Strategy>, 5> strategies{{{"treatment_policy", Strategy::treatment_policy},
                                                                           {"hypothetical", Strategy::hypothetical},
                                                                           {"composite", Strategy::composite},
                                                                           {"while_on_treatment", Strategy::while_on_treatment},
                                                                           {"principal_stratum", Strategy::principal_stratum}}};
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> summaries{
    {{"difference_in_means", "difference_in_means"},
     {"ratio_of_geometric_means", "ratio_of_geometric_means"},
     {"hazard_ratio", "hazard_ratio"},
     {"risk_difference", "risk_difference"},
     {"odds_ratio", "odds_ratio"},
     {"rate_ratio", "rate_ratio"}}};

/// A time that is simply an item (or derivation) is in that item's unit: `time_unit` may be left out then, and must not
/// contradict it.
void read_time_unit(Reader& reader, Section& section, Endpoint& endpoint) {
  const auto said = section.word<std::string_view>("time_unit", time_units);
  if (said) endpoint.time_unit = *said;
  if (!endpoint.time || (section.has("time_unit") && !said)) return;
  const std::vector<std::string> read = endpoint.time->variables();
  if (read.size() != 1 || expression::canonical_text(*endpoint.time) != read.front()) return;
  const auto variable = ProtocolNames(reader.protocol).variable(read.front().substr(0, read.front().find('@')));
  if (!variable || variable->unit.empty() || variable->unit == endpoint.time_unit) return;
  const bool known =
      std::ranges::find(time_units, variable->unit, &std::pair<std::string_view, std::string_view>::first) != time_units.end();
  if (known && !section.has("time_unit")) endpoint.time_unit = variable->unit;
  else
    section.report_at(section.has("time_unit") ? "time_unit" : "time", Code::unit_mismatch,
                      "the time of {} is '{}', which is in {}, and its time_unit is {}", section.name(), read.front(),
                      variable->unit, endpoint.time_unit);
}

/// The event of a time to event: seen in the trial's own records, or read with its time from the data.
void read_event(Reader& reader, Section& section, Endpoint& endpoint) {
  endpoint.time = reader.rule(section, "time", Context{}, {Type::number}, false);
  const bool direct = section.has("time");
  endpoint.event = reader.rule(section, "event", Context{}, {direct ? Type::truth : Type::moment});
  read_time_unit(reader, section, endpoint);
  if (!direct && section.has("time_unit"))
    section.report_at("time_unit", Code::inconsistent, "'time_unit' in {} belongs to the key 'time', which is absent",
                      section.name());
  constexpr std::array<std::pair<std::string_view, int>, 1> origins{{{"randomisation", 0}}};
  section.word<int>("origin", origins);
  constexpr std::array<std::pair<std::string_view, bool>, 2> observed{{{"at_visits", true}, {"continuously", false}}};
  endpoint.at_visits = section.word<bool>("observed", observed).value_or(false);
}

/// The decimals with which values are recorded, from which follow those of their means and differences.
void read_decimals(Section& section, Endpoint& endpoint) {
  const auto given = section.integer("decimals", {.min = 0, .max = most_decimals});
  if (!given) return;
  endpoint.decimals = int(*given);
  if (endpoint.kind != EndpointKind::continuous)
    section.report_at("decimals", Code::inconsistent, "'decimals' in {} belongs to a continuous endpoint", section.name());
  else if (!endpoint.transform.empty())
    section
        .report_at("decimals", Code::inconsistent,
                   "'decimals' in {} are those of its values as recorded, and it is analysed on another scale", section.name())
        .hint = "leave out 'decimals', or 'transform'";
}

void read_variable(Reader& reader, Section& section, Endpoint& endpoint) {
  // With `at` (or `visits`) the variable is evaluated at visits; without, once for the participant.
  const bool by_visit = section.has("at") || section.has("visits");
  std::vector<Type> allowed{Type::number};
  if (endpoint.kind == EndpointKind::binary) allowed = {Type::truth};
  endpoint.variable = reader.rule(section, "variable", Context{.at_visit = by_visit}, allowed);
  endpoint.transform = section.word<std::string_view>("transform", transforms).value_or("");
  read_decimals(section, endpoint);
  if (const auto visits = section.texts("visits")) endpoint.visits = *visits;
  endpoint.at = section.filled_text("at").value_or("");
  const ProtocolNames names(reader.protocol);
  const auto collected_at = [&](std::string const& visit, Place const& place) {
    if (!reader.resolves(visit, ids_of(reader.protocol.visits), "visit", place) || !endpoint.variable) return;
    for (std::string const& read : endpoint.variable->variables())
      if (names.variable(read) && names.variable(read)->at_visit && !names.collected(read, visit))
        add_problem(reader.problems, place, Code::unresolved, "'{}' of {} is not collected at visit '{}'", read, section.name(),
                    visit);
  };
  if (const Node* list = section.node().find("visits"); list && list->array() && endpoint.visits.size() == list->array()->size())
    for (std::size_t i = 0; i < endpoint.visits.size(); ++i) {
      collected_at(endpoint.visits[i], (*list->array())[i].place());
      if (std::find(endpoint.visits.begin(), endpoint.visits.begin() + std::ptrdiff_t(i), endpoint.visits[i]) !=
          endpoint.visits.begin() + std::ptrdiff_t(i))
        add_problem(reader.problems, (*list->array())[i].place(), Code::duplicate, "visit '{}' is named twice in 'visits' of {}",
                    endpoint.visits[i], section.name());
    }
  const std::vector<std::string> schedule = ids_of(reader.protocol.visits);
  std::ranges::stable_sort(endpoint.visits, {}, [&](std::string const& visit) { return std::ranges::find(schedule, visit); });
  if (!endpoint.at.empty()) {
    if (endpoint.visits.empty()) collected_at(endpoint.at, section.place_of("at"));
    else reader.resolves(endpoint.at, endpoint.visits, "visit among the endpoint's visits called", section.place_of("at"));
  }
}

void read_endpoints(Reader& reader, Section& root) {
  std::set<std::string> seen;
  for (Section& section : root.tables("endpoint", "endpoint")) {
    Endpoint endpoint{.place = section.place()};
    endpoint.id = section.id("id").value_or("");
    section.rename(fmt::format("endpoint '{}'", endpoint.id));
    if (!endpoint.id.empty()) reader.unique(seen, endpoint.id, "endpoints", section.place_of("id"));
    endpoint.label = reader.text(section, "label");
    if (endpoint.label.empty()) endpoint.label = {{{reader.protocol.trial.languages.front(), endpoint.id}}};
    section.need("level");
    endpoint.level = section.word<std::string_view>("level", levels).value_or("secondary");
    section.need("kind");
    const auto kind = section.word<EndpointKind>("kind", endpoint_kinds);
    endpoint.kind = kind.value_or(EndpointKind::continuous);
    endpoint.benefit = section.word<Benefit>("benefit", benefits).value_or(Benefit::unstated);
    if (kind && endpoint.kind == EndpointKind::time_to_event) read_event(reader, section, endpoint);
    else if (kind) read_variable(reader, section, endpoint);
    if (kind) section.finish();
    else reader.endpoints_of_no_kind.insert(endpoint.id);
    reader.protocol.endpoints.push_back(std::move(endpoint));
  }
}

Intercurrent read_intercurrent(Reader& reader, Section& section, std::vector<std::string> const& events) {
  Intercurrent ice{.place = section.place()};
  ice.event = section.need_text("event").value_or("");
  section.rename(fmt::format("intercurrent event '{}'", ice.event));
  if (!ice.event.empty() && !events.empty()) reader.resolves(ice.event, events, "dated event", section.place_of("event"));
  if (!ice.event.empty() && events.empty())
    section.report_at("event", Code::unresolved,
                      "no form records dated events: a form listed in 'any_time' with a code item and a date item");
  section.need("strategy");
  ice.strategy = section.word<Strategy>("strategy", strategies).value_or(Strategy::treatment_policy);
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> handlings{
      {{"missing_at_random", "missing_at_random"}, {"censored", "censored"}}};
  ice.handling = section.word<std::string_view>("handling", handlings).value_or("");
  if (const Node* value = section.take("value")) {
    if (const auto number = value->number()) ice.value = *number;
    else if (const std::string* text = value->text(); text && (*text == "never" || *text == "event")) ice.value = *text;
    else section.report_at("value", Code::unknown_keyword, "'value' in {} must be a number, 'never' or 'event'", section.name());
  }
  section.finish();
  const bool has_value = !std::holds_alternative<std::monostate>(ice.value);
  if (ice.strategy == Strategy::composite && !section.has("value"))
    section.report_at("strategy", Code::missing_key, "the composite strategy of {} needs the key 'value'", section.name());
  if (ice.strategy != Strategy::composite && has_value)
    section.report_at("value", Code::inconsistent, "'value' belongs to the composite strategy");
  if (ice.strategy == Strategy::hypothetical && ice.handling.empty() && !section.has("handling"))
    section.report_at("strategy", Code::missing_key, "the hypothetical strategy of {} needs the key 'handling'", section.name());
  if (ice.strategy != Strategy::hypothetical && !ice.handling.empty())
    section.report_at("handling", Code::inconsistent, "'handling' belongs to the hypothetical strategy");
  return ice;
}

void read_treatment(Reader& reader, Section& section, Estimand& estimand) {
  if (!section.need("treatment")) return;
  auto treatment = section.table("treatment", "the treatment of " + section.name());
  if (!treatment) return;
  const std::vector<std::string> arms = ids_of(reader.protocol.arms);
  treatment->need("compare");
  if (const auto compare = treatment->texts("compare")) {
    estimand.compare = *compare;
    const Node* list = treatment->node().find("compare");
    std::set<std::string> seen;
    for (std::size_t i = 0; i < compare->size(); ++i) {
      reader.resolves((*compare)[i], arms, "arm", (*list->array())[i].place());
      if (!seen.insert((*compare)[i]).second)
        add_problem(reader.problems, (*list->array())[i].place(), Code::duplicate, "arm '{}' is named twice in 'compare' of {}",
                    (*compare)[i], treatment->name());
    }
    if (compare->empty()) treatment->report_at("compare", Code::out_of_range, "'compare' in {} names no arm", treatment->name());
  }
  if (const auto against = treatment->need_text("against")) {
    estimand.against = *against;
    reader.resolves(*against, arms, "arm", treatment->place_of("against"));
    if (std::ranges::find(estimand.compare, *against) != estimand.compare.end())
      treatment->report_at("against", Code::inconsistent, "arm '{}' is compared against itself in {}", *against, section.name());
  }
  treatment->finish();
}

/// What a composite value means depends on the endpoint, which the intercurrent event does not know.
void check_composite(Reader& reader, Section& row, Intercurrent const& ice, Endpoint const& endpoint) {
  if (const auto* number = std::get_if<double>(&ice.value)) {
    const bool outside = endpoint.transform == "log" ? *number <= 0 : !endpoint.transform.empty() && *number < 0;
    if (outside)
      row.report_at("value", Code::out_of_range, "endpoint '{}' is analysed on the {} scale, on which {} has no value",
                    endpoint.id,
                    endpoint.transform == "fourth_root" ? "fourth root"
                    : endpoint.transform == "sqrt"      ? "square root"
                                                        : endpoint.transform,
                    shortest(*number));
  }
  const auto* word = std::get_if<std::string>(&ice.value);
  if (word && *word == "never" && endpoint.kind == EndpointKind::time_to_event && !reader.protocol.follow_up_days &&
      std::ranges::none_of(reader.protocol.visits, [](Visit const& visit) { return visit.day.offset() > 0; }))
    row.report_at("value", Code::inconsistent, "'never' lasts to the planned end of follow-up, which the schedule does not say")
        .hint = "give [schedule] the key 'follow_up_days', or a visit after randomisation";
}

/// The kinds of endpoint that a summary measure can summarise.
void check_summary(Section& section, Estimand const& estimand, Endpoint const& endpoint) {
  std::string_view wanted;
  bool fits = true;
  if (estimand.summary == "difference_in_means" || estimand.summary == "ratio_of_geometric_means")
    wanted = "a continuous endpoint", fits = endpoint.kind == EndpointKind::continuous;
  else if (estimand.summary == "hazard_ratio") wanted = "a time to event", fits = endpoint.kind == EndpointKind::time_to_event;
  else if (estimand.summary == "risk_difference" || estimand.summary == "odds_ratio")
    wanted = "a binary endpoint", fits = endpoint.kind == EndpointKind::binary;
  else if (estimand.summary == "rate_ratio")
    wanted = "a count, or the events of every(...)",
    fits = endpoint.kind == EndpointKind::count || (endpoint.event && endpoint.event->gives_several());
  const auto name = std::ranges::find(endpoint_kinds, endpoint.kind, &std::pair<std::string_view, EndpointKind>::second)->first;
  if (!fits)
    section.report_at("summary", Code::inconsistent, "{} summarises {}, and endpoint '{}' is of the kind {}", estimand.summary,
                      wanted, endpoint.id, name);
}

void read_estimands(Reader& reader, Section& root) {
  std::set<std::string> seen;
  const std::vector<std::string> events = dated_events(reader.protocol);
  for (Section& section : root.tables("estimand", "estimand")) {
    Estimand estimand{.place = section.place()};
    estimand.id = section.id("id").value_or("");
    section.rename(fmt::format("estimand '{}'", estimand.id));
    if (!estimand.id.empty()) reader.unique(seen, estimand.id, "estimands", section.place_of("id"));
    estimand.objective = section.need_text("objective").value_or("");
    estimand.population = section.need_text("population").value_or("");
    if (const auto set = section.need_text("set"))
      estimand.set = *set, reader.resolves(*set, ids_of(reader.protocol.sets), "analysis set", section.place_of("set"));
    if (const auto endpoint = section.need_text("endpoint"))
      estimand.endpoint = *endpoint,
      reader.resolves(*endpoint, ids_of(reader.protocol.endpoints), "endpoint", section.place_of("endpoint"));
    section.need("summary");
    estimand.summary = section.word<std::string_view>("summary", summaries).value_or("");
    const Endpoint* endpoint =
        reader.endpoints_of_no_kind.contains(estimand.endpoint) ? nullptr : reader.protocol.endpoint(estimand.endpoint);
    if (endpoint && !estimand.summary.empty()) check_summary(section, estimand, *endpoint);
    read_treatment(reader, section, estimand);
    std::set<std::string> named;
    for (Section& row : section.tables("intercurrent", "intercurrent event")) {
      Intercurrent ice = read_intercurrent(reader, row, events);
      if (!ice.event.empty() && !named.insert(ice.event).second)
        add_problem(reader.problems, ice.place, Code::duplicate,
                    "estimand '{}' gives two strategies for the intercurrent event '{}'", estimand.id, ice.event);
      if (endpoint) check_composite(reader, row, ice, *endpoint);
      estimand.intercurrent.push_back(std::move(ice));
    }
    if (!named.contains("death"))
      add_problem(reader.problems, section.place(), Code::missing_key, "estimand '{}' names no strategy for death", estimand.id)
          .hint = "add to 'intercurrent': { event = \"death\", strategy = \"...\" }";
    section.finish();
    reader.protocol.estimands.push_back(std::move(estimand));
  }
}

}  // namespace

void read_questions(Reader& reader, Section& root) {
  read_endpoints(reader, root);
  read_estimands(reader, root);
}

}  // namespace equipoise::protocol
