#include "equipoise/stats/imputation/locf.h"

#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {
namespace {

/// The formula without the terms of the visit, which is one.
std::string without(std::string const& visit, Formula const& formula) {
  std::vector<std::string> terms;
  for (auto const& term : formula.terms)
    if (std::find(term.begin(), term.end(), visit) == term.end()) terms.push_back(join(term, ":"));
  return join(terms, " + ");
}

}  // namespace

MethodCard const& Locf::card() {
  static const MethodCard card{
      .keyword = "locf",
      .title = "Last observation carried forward",
      .roles = {{"response", Need::number, Presence::required, "the analysed value, missing where one is carried forward"},
                {"subject", Need::category, Presence::required, "participant"},
                {"visit", Need::category, Presence::required, "visit, in the order of its levels"},
                {"ice", Need::number, Presence::optional, "1 at and after the intercurrent event: such values are not used"}},
      .options = {{"at", "a visit", "to which values are carried, and which is analysed (the last)"},
                  {"formula", "terms of the model: a + b, a:b, a * b", "ANCOVA at that visit; terms of the visit are left out"},
                  {"levels", "{ column = [level, ...] }", "categorical columns and their levels, the reference first"},
                  {"factor", "a category of the formula", "whose means and differences come first (the first category)"},
                  {"lsmean_weights", "equal | proportional",
                   "averaging of LS means over other factors: equal, or by observed frequencies (equal)"},
                  {"contrasts", "[{ name, factor, weights = { level = number } }]", "comparisons of LS means"},
                  {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"}},
      .quantities = {"estimate", "se", "df", "t", "p", "f", "lower", "upper", "residual_sd", "residual_df", "n_observations",
                     "n_imputed"},
      .comparison = Comparison::all_arms};
  return card;
}

std::optional<Locf> Locf::parse(Roles const& roles, Section& options, Match match) {
  const std::size_t problems_before = options.problems().size();
  Locf method;
  check_roles(card(), roles, options);
  method.roles = {.response = role(roles, "response"),
                  .subject = role(roles, "subject"),
                  .visit = role(roles, "visit"),
                  .ice = role(roles, "ice")};
  method.at = options.filled_text("at").value_or("");
  std::vector<std::string> visits;
  Node::Table own;
  for (Node::Member const& member : *options.node().table()) {
    static constexpr std::string_view of_ancova[] = {"formula", "levels", "factor", "lsmean_weights", "contrasts", "level"};
    if (std::find(std::begin(of_ancova), std::end(of_ancova), member.key) == std::end(of_ancova)) continue;
    options.allow(member.key);
    Node::Member given = member;
    if (member.key == "formula" && member.value.text())
      if (const auto formula = parse_formula(*member.value.text()))
        given.value = Node(Node::Value(without(method.roles.visit, *formula)), member.value.place());
    if (member.key == "levels" && member.value.table()) {
      Node::Table kept;
      for (Node::Member const& column : *member.value.table())
        if (column.key != method.roles.visit) kept.push_back(column);
        else if (column.value.array())
          for (Node const& level : *column.value.array())
            if (level.text()) visits.push_back(*level.text());
      given.value = Node(std::move(kept), member.value.place());
    }
    own.push_back(std::move(given));
  }
  const Node node(std::move(own), options.place());
  Section section(node, options.name(), options.problems());
  Roles of_analysis;
  if (!method.roles.response.empty()) of_analysis["response"] = {method.roles.response};
  else return {};  // reported
  if (auto analysis = Ancova::parse(of_analysis, section, match)) {
    method.analysis = std::move(*analysis);
    method.covariates = method.analysis.model.formula.columns();
  }
  if (!method.at.empty() && !visits.empty() && std::find(visits.begin(), visits.end(), method.at) == visits.end())
    options.report_at("at", Code::unresolved, "'{}' is not a level of '{}'; its levels are {}", method.at, method.roles.visit,
                      quoted(visits));
  add_need(method.needs_, {.name = method.roles.response, .need = Need::number, .drop_missing = false}, options);
  add_need(method.needs_, {method.roles.subject, Need::category}, options);
  add_need(method.needs_, {.name = method.roles.visit, .need = Need::category, .levels = std::move(visits)}, options);
  if (!method.roles.ice.empty()) add_need(method.needs_, {method.roles.ice, Need::number}, options);
  method.analysis.model.add_needs(method.needs_, options);
  return options.problems().size() == problems_before ? std::optional(std::move(method)) : std::nullopt;
}

Expected<Answer> Locf::run(Frame const& frame) const {
  const auto grid = read_grid(frame, roles, {.otherwise = ImputationStrategy::mar}, covariates);
  if (!grid) return tl::unexpected(grid.error());
  const std::size_t m = grid->m();
  const auto named = at.empty() ? grid->visits.end() - 1 : std::find(grid->visits.begin(), grid->visits.end(), at);
  if (named == grid->visits.end())
    return fail(Code::unresolved, "no row has the visit '{}' of `at`; the visits are {}", at, join(grid->visits, ", "));
  const auto visit = std::size_t(named - grid->visits.begin());
  std::vector<std::size_t> rows;
  std::vector<double> values;
  std::vector<std::size_t> carried(m, 0);
  for (std::size_t i = 0; i < grid->n(); ++i)
    for (std::size_t j = std::min<std::size_t>(visit + 1, grid->event[i]); j-- > 0;)
      if (!grid->missing(i, j)) {
        rows.push_back(grid->row_for(i, visit));
        values.push_back(grid->response[i * m + j]);
        ++carried[j];
        break;
      }
  if (values.empty()) return fail(Code::no_data, "no response was observed up to visit '{}'", *named);
  const std::size_t analysed = values.size(), observed = carried[visit];
  GatheredFrame at_visit(frame, rows);
  at_visit.replace(roles.response, std::move(values));
  auto answer = analysis.run(at_visit.frame());
  if (!answer) return answer;
  answer->findings.push_back(
      {.quantity = "n_imputed", .value = double(analysed - observed), .n = std::int64_t(analysed)});
  std::vector<std::string> from;
  for (std::size_t j = 0; j < visit; ++j)
    if (carried[j] > 0) from.push_back(fmt::format("{} from '{}'", carried[j], grid->visits[j]));
  std::vector<std::string> notes;
  if (from.empty())
    notes.push_back(fmt::format("Last observation carried forward to visit '{}': all {} values were observed there.", *named, analysed));
  else
    notes.push_back(fmt::format("Last observation carried forward to visit '{}': {} of {} values ({}). Single imputation: carried "
                                "values are analysed as if observed, so standard errors do not show that they were not.",
                                *named, analysed - observed, analysed, join(from, ", ")));
  if (analysed < grid->n()) {
    const std::size_t out = grid->n() - analysed;
    notes.push_back(fmt::format("{} participant{} no value up to that visit and {} left out.", out, out == 1 ? " has" : "s have",
                                out == 1 ? "is" : "are"));
  }
  answer->notes.insert(answer->notes.begin(), notes.begin(), notes.end());
  return answer;
}

}  // namespace equipoise::stats
