#include "equipoise/analysis/repeated.h"

#include <algorithm>
#include <array>
#include <map>

#include "equipoise/core/text.h"
#include "equipoise/protocol/names.h"
#include "equipoise/stats/formula.h"

namespace equipoise::analysis {
namespace {

using protocol::Endpoint;
using protocol::EndpointKind;
using protocol::Protocol;
using protocol::Strategy;

bool takes(stats::MethodCard const& card, std::string_view role) {
  return std::ranges::find(card.roles, role, &stats::RoleCard::name) != card.roles.end();
}

bool has_option(stats::MethodCard const& card, std::string_view option) {
  return std::ranges::find(card.options, option, &stats::OptionCard::name) != card.options.end();
}

int offset(Protocol const& protocol, std::string const& visit) { return protocol.visit(visit)->day.offset(); }

/// Whether everything that the variable reads at the visit under evaluation is collected there.
bool collected(Protocol const& protocol, Endpoint const& endpoint, std::string const& visit) {
  const protocol::ProtocolNames names(protocol);
  const std::vector<std::string> read = endpoint.variable->variables();
  return std::ranges::all_of(read, [&](std::string const& name) {
    const auto variable = names.variable(name);
    return !variable || !variable->at_visit || names.collected(name, visit);
  });
}

/// The visit that is baseline for the endpoint: as the schedule defines it, else the last not after randomisation.
std::optional<std::string> baseline_visit(Protocol const& protocol, Endpoint const& endpoint) {
  if (!protocol.baseline.visit.empty() && protocol.visit(protocol.baseline.visit))
    return collected(protocol, endpoint, protocol.baseline.visit) ? std::optional(protocol.baseline.visit) : std::nullopt;
  std::optional<std::string> found;
  for (protocol::Visit const& visit : protocol.visits)
    if (visit.day.offset() <= 0 && collected(protocol, endpoint, visit.id) &&
        (!found || visit.day.offset() >= offset(protocol, *found)))
      found = visit.id;
  return found;
}

/// The events after which values are imputed.
void read_after(Protocol const& protocol, protocol::Analysis const& analysis, stats::MethodCard const& card, Section& section,
                data::Recipe& recipe) {
  if (!takes(card, "ice")) {
    if (!analysis.after.empty())
      section.report_at("after", Code::inconsistent, "'after' belongs to imputation, and {} does not impute", card.keyword);
    return;
  }
  recipe.ice = true;
  recipe.after = analysis.after;
  // Events with a strategy of their own: the keys of `strategies`.
  std::map<std::string, Place> named;
  if (const Node* own = section.node().find("strategies"); own && own->table())
    for (Node::Member const& member : *own->table()) recipe.reasons.push_back(member.key), named[member.key] = member.place;
  const Node* strategy = section.node().find("strategy");
  const bool at_random = !strategy || (strategy->text() && *strategy->text() == "mar");
  if (analysis.after.empty() && !at_random && !section.has("after"))
    section.report_at("strategy", Code::missing_key,
                      "{} needs the key 'after': the dated event after which values are imputed so", section.name());
  const std::vector<std::string> events = protocol::dated_events(protocol);
  for (std::string const& event : recipe.events()) {
    if (std::ranges::find(events, event) != events.end()) continue;
    const auto place = named.find(event);
    Error& error = place == named.end()
                       ? section.report_at("after", Code::unresolved, "no dated event is called '{}'", event)
                       : add_problem(section.problems(), place->second, Code::unresolved, "no dated event is called '{}'", event);
    if (const auto near = nearest(event, events)) error.hint = fmt::format("did you mean '{}'?", *near);
  }
}

void constrain_baseline(Protocol const& protocol, Endpoint const& endpoint, stats::MethodCard const& card,
                        std::string const& control, Section& section, data::Recipe& recipe) {
  const auto refuse = [&](std::string const& why) -> Error& {
    return section.report_at("constrained_baseline", Code::inconsistent, "{} cannot have a constrained baseline: {}",
                             section.name(), why);
  };
  if (!has_option(card, "formula") || takes(card, "ice")) {
    refuse(fmt::format("{} does not take baseline for a response", card.keyword));
    return;
  }
  if (const auto change = data::baseline_of_change(protocol, endpoint)) {
    refuse(fmt::format("endpoint '{}' is a change from {}, which is 0 there for everybody", endpoint.id, *change)).hint =
        "make an endpoint of the value itself";
    return;
  }
  const auto baseline = baseline_visit(protocol, endpoint);
  if (!baseline) {
    refuse(fmt::format("the variable of endpoint '{}' is not collected at a baseline visit", endpoint.id));
    return;
  }
  std::erase(recipe.visits, *baseline);
  if (!recipe.visits.empty() && offset(protocol, recipe.visits.front()) <= 0) {
    refuse(fmt::format("visit '{}' of endpoint '{}' is not after randomisation either", recipe.visits.front(), endpoint.id));
    return;
  }
  recipe.visits.insert(recipe.visits.begin(), *baseline);
  recipe.common_baseline = control;
  if (const Node* by = section.node().find("covariance_by"); by && by->text() && *by->text() == "arm")
    section
        .report_at("covariance_by", Code::inconsistent,
                   "at the constrained baseline every participant of {} stands in the control arm of the model", section.name())
        .hint = "covariance_by = \"assigned_arm\" is the arm to which they were assigned, at every visit";
}

}  // namespace

bool models_visits(stats::MethodCard const& card) { return takes(card, "subject"); }

void read_repeated(Protocol const& protocol, protocol::Analysis const& analysis, stats::MethodCard const& card,
                   std::string const& control, Section& section, data::Recipe& recipe) {
  read_after(protocol, analysis, card, section, recipe);
  const auto constrained = section.flag("constrained_baseline");
  Endpoint const& endpoint = *protocol.endpoint(analysis.endpoint);
  if (!models_visits(card)) {
    if (constrained)
      section.report_at("constrained_baseline", Code::unknown_key,
                        "'constrained_baseline' belongs to models of every visit, and {} "
                        "takes one value a participant",
                        card.keyword);
    return;
  }
  if (endpoint.kind == EndpointKind::time_to_event || !endpoint.variable) return;  // reported
  recipe.visits = endpoint.visits;
  if (recipe.visits.empty() && !endpoint.at.empty()) recipe.visits = {endpoint.at};
  const std::size_t least = takes(card, "ice") ? 1 : 2;  // an imputed response may be of one visit
  if (recipe.visits.size() < least && !(constrained.value_or(false) && !recipe.visits.empty())) {
    section
        .report_at("method", Code::inconsistent, "{} models the response at several visits, and endpoint '{}' names {}",
                   card.keyword, endpoint.id, recipe.visits.empty() ? "none" : "one")
        .hint = "give the endpoint visits = [...], and with 'at' the one of the question";
    recipe.visits.clear();
    return;
  }
  if (const auto change = data::baseline_of_change(protocol, endpoint))
    for (std::string const& visit : recipe.visits)
      if (change->ends_with("@" + visit))
        section.report_at("method", Code::inconsistent,
                          "endpoint '{}' is a change from {}, and has visit '{}' among its visits: it is 0 there for everybody",
                          endpoint.id, *change, visit);
  if (constrained.value_or(false)) constrain_baseline(protocol, endpoint, card, control, section, recipe);
}

void read_missing(Protocol const& protocol, protocol::Analysis const& analysis, stats::MethodCard const& card, Section& section,
                  data::Recipe& recipe) {
  if (!section.has("missing") || has_option(card, "missing")) return;
  constexpr std::array<std::pair<std::string_view, bool>, 1> words{{{"locf", true}}};
  if (!section.word<bool>("missing", words)) return;
  Endpoint const& endpoint = *protocol.endpoint(analysis.endpoint);
  if (models_visits(card)) {
    section.report_at("missing", Code::inconsistent,
                      "{} uses the visits that there are, and a value carried forward is none: leave 'missing' out",
                      card.keyword);
    return;
  }
  if (endpoint.kind == EndpointKind::time_to_event || endpoint.at.empty() || endpoint.visits.empty() ||
      endpoint.visits.front() == endpoint.at) {
    section
        .report_at("missing", Code::inconsistent, "endpoint '{}' has no visit before that of the question to carry a value from",
                   endpoint.id)
        .hint = "the endpoint's 'visits' are looked through up to its 'at'";
    return;
  }
  if (const protocol::Estimand* estimand = protocol.estimand(analysis.estimand))
    for (protocol::Intercurrent const& ice : estimand->intercurrent)
      if (ice.strategy == Strategy::treatment_policy) {
        section
            .report_at(
                "missing", Code::inconsistent,
                "estimand '{}' asks for the values after '{}' (treatment policy), and the last observation carried forward "
                "puts a value from before it in their place",
                estimand->id, ice.event)
            .hint = "give the analysis the estimand's 'endpoint' and 'set' instead: then it answers no estimand, and says so";
        return;
      }
  recipe.carry_forward = true;
}

std::string default_visit_formula(Protocol const& protocol, data::Recipe const& recipe) {
  const auto baseline = data::baseline_of_change(protocol, *protocol.endpoint(recipe.endpoint));
  return recipe.visits.size() == 1 ? (baseline ? "arm + " + *baseline : std::string("arm"))
                                   : (baseline ? "arm * visit + " + *baseline : std::string("arm * visit"));
}

std::string without_visit(std::string const& formula) {
  std::vector<std::string> terms;
  if (const auto parsed = stats::parse_formula(formula))
    for (std::vector<std::string> const& term : parsed->terms)
      if (std::ranges::none_of(term, [](std::string const& column) {
            return column == "visit" || column == "visit_day" || column == "target_day";
          }))
        terms.push_back(join(term, ":"));
  return join(terms, " + ");
}

std::optional<std::string> baseline_twice(Protocol const& protocol, data::Recipe const& recipe,
                                          std::vector<std::string> const& columns) {
  if (recipe.common_baseline.empty()) return {};
  const std::vector<std::string> read = protocol.endpoint(recipe.endpoint)->variable->variables();
  for (std::string const& column : columns) {
    const data::CovariateName name = data::covariate_name(column);
    if (name.visit == recipe.visits.front() && std::ranges::find(read, name.item) != read.end()) return column;
  }
  return {};
}

}  // namespace equipoise::analysis
