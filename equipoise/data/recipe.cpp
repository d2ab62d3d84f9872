#include "equipoise/data/recipe.h"

#include <algorithm>

#include "equipoise/core/text.h"
#include "equipoise/protocol/factors.h"

namespace equipoise::data {
namespace {

std::optional<std::string> change_in(protocol::Protocol const& protocol, expression::Expression const& rule) {
  const std::vector<std::string> names = rule.variables();
  for (std::string const& name : names) {
    const auto at = name.find('@');
    if (at == std::string::npos || std::ranges::find(names, name.substr(0, at)) == names.end()) continue;
    const protocol::Visit* visit = protocol.visit(name.substr(at + 1));
    if (visit && visit->day.offset() <= 0) return name;
  }
  for (std::string const& name : names)
    if (const protocol::Derivation* derivation = protocol.derivation(name); derivation && derivation->rule)
      if (auto found = change_in(protocol, derivation->rule)) return found;
  return {};
}

}  // namespace

CovariateName covariate_name(std::string_view written) {
  CovariateName name;
  if (const auto open = written.find('('); open != std::string_view::npos && written.ends_with(')')) {
    name.transform = written.substr(0, open);
    written = written.substr(open + 1, written.size() - open - 2);
  }
  const auto at = written.find('@');
  name.item = written.substr(0, at);
  if (at != std::string_view::npos) name.visit = written.substr(at + 1);
  return name;
}

std::vector<std::string> visits_read(protocol::Endpoint const& endpoint, Recipe const& recipe) {
  if (recipe.by_visit() || endpoint.at.empty()) return recipe.visits;
  std::vector<std::string> visits(endpoint.visits.begin(), std::ranges::find(endpoint.visits, endpoint.at));
  visits.push_back(endpoint.at);
  return visits;
}

std::optional<std::string> baseline_of_change(protocol::Protocol const& protocol, protocol::Endpoint const& endpoint) {
  return endpoint.variable ? change_in(protocol, *endpoint.variable) : std::nullopt;
}

namespace {

std::vector<std::string> arm_ids(protocol::Protocol const& protocol) {
  std::vector<std::string> ids;
  for (protocol::Arm const& arm : protocol.arms) ids.push_back(arm.id);
  return ids;
}

/// The columns of covariates, one by one.
class Covariates {
 public:
  Covariates(protocol::Protocol const& protocol, Recipe const& recipe, std::map<std::string, Place> const& written_at,
             Problems& problems)
      : protocol_(protocol), recipe_(recipe), written_at_(written_at), problems_(problems) {}

  std::optional<ColumnSchema> column(std::string const& written) {
    place_ = {};
    if (const auto found = written_at_.find(written); found != written_at_.end()) place_ = found->second;
    const CovariateName name = covariate_name(written);
    const bool of_row = recipe_.by_visit() && name.visit.empty();
    if (of_row && (name.item == "visit_day" || name.item == "target_day")) {
      if (protocol_.item(name.item) || protocol_.derivation(name.item))
        add_problem(problems_, place_, Code::inconsistent,
                    "'{}' is the day of a row's visit, and the protocol has an item or derivation of that name", name.item);
      return ColumnSchema{.name = written};
    }
    if (name.item == "site" && name.visit.empty()) return site(written, name);
    const protocol::Item* item = protocol_.item(name.item);
    const protocol::Derivation* derivation = protocol_.derivation(name.item);
    if (!item && !derivation) return unknown(name);
    if (of_row) {
      for (std::string const& visit : recipe_.visits) check_collected(name.item, visit);
    } else if (name.visit.empty()) {
      add_problem(problems_, place_, Code::missing_key, "say at which visit '{}' is read: '{}@visit'", name.item, name.item);
    } else {
      check_collected(name.item, name.visit);
    }
    return typed(written, name, item, derivation);
  }

 private:
  std::optional<ColumnSchema> site(std::string const& written, CovariateName const& name) {
    if (protocol_.source && protocol_.source->site.empty())
      add_problem(problems_, place_, Code::missing_column, "'site' is used, and [source] names no column for it");
    ColumnSchema column{.name = written, .numeric = false};
    for (protocol::Site const& one : protocol_.sites) column.levels.push_back(one.id);
    if (!name.transform.empty()) refuse_transform(name);
    return column;
  }

  std::optional<ColumnSchema> unknown(CovariateName const& name) {
    std::vector<std::string> known{"arm", "site"};
    if (recipe_.by_visit()) known.insert(known.end(), {"visit", "visit_day", "target_day"});
    for (protocol::Form const& form : protocol_.forms)
      for (protocol::Item const& one : form.items) known.push_back(one.id);
    Error& error = add_problem(problems_, place_, Code::unresolved, "there is no item or derivation '{}'", name.item);
    if (const auto near = nearest(name.item, known)) error.hint = fmt::format("did you mean '{}'?", *near);
    return {};
  }

  void check_collected(std::string const& id, std::string const& at) {
    const protocol::Item* item = protocol_.item(id);
    const protocol::Visit* visit = protocol_.visit(at);
    if (!visit || (item && std::ranges::find(visit->forms, item->form) == visit->forms.end()))
      add_problem(problems_, place_, Code::unresolved, "'{}' is not collected at visit '{}'", id, at);
  }

  std::optional<ColumnSchema> typed(std::string const& written, CovariateName const& name, protocol::Item const* item,
                                    protocol::Derivation const* derivation) {
    ColumnSchema column{.name = written};
    if (item && item->kind == protocol::ItemKind::code) {
      column.numeric = false;
      for (protocol::CodeValue const& code : item->codes) column.levels.push_back(code.id);
    } else if ((item && item->kind == protocol::ItemKind::flag) ||
               (derivation && derivation->rule && derivation->rule.type() == expression::Type::truth)) {
      column.numeric = false;
      column.levels = {"false", "true"};
    }
    if (!column.numeric && !name.transform.empty()) refuse_transform(name);
    return column;
  }

  void refuse_transform(CovariateName const& name) {
    add_problem(problems_, place_, Code::wrong_type, "'{}' is a category, and {} is of numbers", name.item,
                name.transform == "log" ? "the logarithm" : "the square root");
  }

  protocol::Protocol const& protocol_;
  Recipe const& recipe_;
  std::map<std::string, Place> const& written_at_;
  Problems& problems_;
  Place place_;
};

}  // namespace

std::vector<std::string> Recipe::events() const {
  std::vector<std::string> all = reasons;
  if (!after.empty() && std::ranges::find(all, after) == all.end()) all.push_back(after);
  return all;
}

Schema schema(protocol::Protocol const& protocol, Recipe const& recipe, std::map<std::string, Place> const& written_at,
              Problems& problems) {
  Schema columns{{.name = "participant", .numeric = false}, {.name = "arm", .numeric = false, .levels = arm_ids(protocol)}};
  if (!recipe.common_baseline.empty()) columns.push_back({.name = "assigned_arm", .numeric = false, .levels = arm_ids(protocol)});
  if (recipe.by_visit()) columns.push_back({.name = "visit", .numeric = false, .levels = recipe.visits});
  if (const protocol::Endpoint* endpoint = protocol.endpoint(recipe.endpoint)) {
    if (endpoint->kind == protocol::EndpointKind::time_to_event) {
      if (endpoint->event && endpoint->event->gives_several()) columns.push_back({.name = "start"});
      columns.push_back({.name = "time"});
      columns.push_back({.name = "event"});
      if (recipe.bounds) columns.push_back({.name = "left"}), columns.push_back({.name = "right"});
    } else {
      columns.push_back({.name = "response"});
    }
  }
  if (recipe.ice) columns.push_back({.name = "ice"});
  if (!recipe.reasons.empty()) {
    std::vector<std::string> levels = recipe.events();
    levels.emplace_back(no_event);
    columns.push_back({.name = "ice_reason", .numeric = false, .levels = std::move(levels)});
  }
  Covariates covariates(protocol, recipe, written_at, problems);
  for (std::string const& written : recipe.covariates)
    if (auto column = covariates.column(written)) columns.push_back(std::move(*column));
  if (recipe.replay) {
    columns.push_back({.name = "randomisation_order"});
    for (protocol::RandomisationFactor const& factor : protocol.randomisation_factors)
      columns.push_back({.name = factor_column(factor.id), .numeric = false, .levels = protocol::levels_of(protocol, factor)});
  }
  return columns;
}

}  // namespace equipoise::data
