#include "equipoise/stats/multiplicity/multiplicity.h"

#include <cmath>
#include <limits>

#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/multiplicity/adjust.h"
#include "equipoise/stats/multiplicity/limits.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr std::size_t most_for_graph = 1000;     // of them m^3/3 steps
constexpr std::size_t most_for_hommel = 20'000;  // of them m^2 steps

/// The numbers of a list whose elements may be a word instead: "NE" of a p value, "epsilon" of a share.
template <class Value, class Of>
std::optional<std::vector<Value>> numbers_or_word(Section& options, Node const& list, std::string_view key, Limits limits,
                                                  std::string_view word, Value word_value, Of of) {
  const auto wrong = [&](Node const& at, std::string_view what) {
    add_problem(options.problems(), at.place().known() ? at.place() : options.place(), Code::wrong_type,
                "'{}' in {} must be numbers {} or \"{}\", and has {}", key, options.name(), limits.sentence(), word, what);
  };
  if (!list.array()) return wrong(list, list.type_name()), std::nullopt;
  std::vector<Value> values;
  bool good = true;
  for (Node const& element : *list.array()) {
    const auto number = element.number();
    if (number && limits.contain(*number)) values.push_back(of(*number));
    else if (element.text() && *element.text() == word) values.push_back(word_value);
    else
      good = false, wrong(element, number           ? shortest(*number)
                                   : element.text() ? "'" + *element.text() + "'"
                                                    : std::string(element.type_name()));
  }
  return good ? std::optional(std::move(values)) : std::nullopt;
}

std::optional<std::vector<std::vector<LeadingTerm>>> parse_transitions(Section& options) {
  Node const* rows = options.need("transitions");
  if (!rows) return {};
  if (!rows->array()) {
    options.report_at("transitions", Code::wrong_type, "'transitions' in {} must be a list of lists of numbers, and is {}",
                      options.name(), rows->type_name());
    return {};
  }
  std::vector<std::vector<LeadingTerm>> transitions;
  bool good = true;
  for (Node const& row : *rows->array()) {
    auto shares = numbers_or_word<LeadingTerm>(options, row, "transitions", Limits::at_least(-infinity), "epsilon", epsilon_share,
                                               [](double share) {
                                                 return LeadingTerm{share, 0};
                                               });
    if (shares) transitions.push_back(std::move(*shares));
    else good = false;
  }
  return good ? std::optional(std::move(transitions)) : std::nullopt;
}

std::optional<Graph> parse_graph(Section& options, std::optional<std::size_t> m) {
  const auto weights = options.numbers("weights");
  if (!options.has("weights")) options.need("weights");
  auto transitions = parse_transitions(options);
  if (!weights || !transitions) return {};
  std::vector<std::string> problems = graph_problems(*weights, *transitions);
  if (m && weights->size() != *m)
    problems.insert(problems.begin(), fmt::format("there are {} weights for {} hypotheses", weights->size(), *m));
  for (std::string const& problem : problems)
    options.report_at("weights", Code::inconsistent, "the graph of {} is none: {}", options.name(), problem);
  return problems.empty() ? std::optional(Graph(*weights, std::move(*transitions))) : std::nullopt;
}

std::string_view keyword(Procedure procedure) {
  constexpr std::string_view names[] = {"none", "bonferroni", "holm", "hochberg", "hommel", "benjamini_hochberg", "graphical"};
  return names[int(procedure)];
}

/// Whether simultaneous limits that agree with the procedure are known.
bool has_limits(Procedure procedure) {
  return procedure == Procedure::bonferroni || procedure == Procedure::holm || procedure == Procedure::graphical;
}

MethodCard make_card(Procedure procedure) {
  constexpr std::string_view titles[] = {"No adjustment",
                                         "Bonferroni adjustment",
                                         "Holm adjustment",
                                         "Hochberg adjustment",
                                         "Hommel adjustment",
                                         "Benjamini-Hochberg adjustment",
                                         "Graphical Bonferroni procedure"};
  MethodCard card{.keyword = keyword(procedure),
                  .title = titles[int(procedure)],
                  .roles = {},
                  .options = {{"p", "list of numbers from 0 to 1, or \"NE\"", "two-sided p values"},
                              {"alpha", "number above 0 and below 1", "level of the decisions (0.05)"}},
                  .quantities = {"adjusted_p", "rejected"}};
  if (has_limits(procedure)) {
    card.options.push_back({"estimates", "list of numbers", "effects with null value 0, instead of p"});
    card.options.push_back({"standard_errors", "list of positive numbers", "of the estimates"});
    card.options.push_back({"df", "list of positive numbers", "of the estimates; absent: normal"});
    for (const std::string_view quantity : {"estimate", "se", "df", "p", "lower", "upper"}) card.quantities.push_back(quantity);
  }
  if (procedure == Procedure::graphical) {
    card.options.push_back({"weights", "list of numbers from 0 to 1", "first share of alpha of each hypothesis"});
    card.options.push_back(
        {"transitions", "list of lists of numbers from 0 to 1, or \"epsilon\"", "row i: shares that i passes on"});
  }
  return card;
}

/// The limit of a normal or t effect that a rule asks for; sign -1 for the lower one.
double limit(Evidence const& evidence, std::size_t i, LimitRule rule, double sign) {
  double at = sign * infinity;
  if (rule.tail > 0) {
    const double half = std::isinf(evidence.df[i]) ? -numerics::normal_quantile(rule.tail)
                                                   : numerics::student_t_interval(1 - 2 * rule.tail, evidence.df[i]);
    at = evidence.estimate[i] + sign * half * evidence.se[i];
  }
  if (!rule.not_past_null) return at;
  return sign < 0 ? std::max(at, 0.0) : std::min(at, 0.0);
}

void add_limits(Procedure procedure, std::optional<Graph> const& graph, Evidence const& evidence, Answer& answer) {
  const std::size_t m = evidence.estimate.size();
  std::vector<bool> positive;
  for (const double estimate : evidence.estimate) positive.push_back(estimate > 0);
  const std::optional<TwoSidedLimits> rules =
      procedure == Procedure::bonferroni
          ? std::optional(bonferroni_limits(m, evidence.alpha))
          : two_sided_limits(procedure == Procedure::holm ? Graph::holm(m) : *graph, evidence.p, positive, evidence.alpha);
  for (std::size_t i = 0; i < m; ++i) {
    Finding finding{.quantity = "estimate", .at = {{"index", double(i + 1)}}, .value = evidence.estimate[i]};
    finding.se = evidence.se[i];
    if (!std::isinf(evidence.df[i])) finding.df = evidence.df[i];
    finding.lower = rules ? limit(evidence, i, rules->lower[i], -1) : missing_number;
    finding.upper = rules ? limit(evidence, i, rules->upper[i], 1) : missing_number;
    finding.level = 1 - evidence.alpha;
    finding.p = evidence.p[i];
    answer.findings.push_back(std::move(finding));
  }
  if (!rules)
    answer.notes.push_back(
        "Rejected effects point both ways: no simultaneous limits that agree with every rejection are known, so they are not "
        "estimable.");
}

}  // namespace

std::optional<Evidence> Evidence::parse(Section& options, bool effects) {
  const std::size_t problems_before = options.problems().size();
  Evidence evidence;
  evidence.alpha = options.number("alpha", Limits::open(0, 1)).value_or(0.05);
  const bool from_effects = effects && !options.has("p") && options.has("estimates");
  if (!from_effects) {
    if (Node const* p = options.need("p"))
      if (auto values = numbers_or_word<double>(options, *p, "p", {.min = 0, .max = 1}, "NE", missing_number,
                                                [](double value) { return value; }))
        evidence.p = std::move(*values);
    if (effects)
      for (const std::string_view key : {"estimates", "standard_errors", "df"})
        if (options.take(key))
          options.report_at(key, Code::inconsistent, "'{}' in {} is given beside p values, which follow from it", key,
                            options.name());
  } else {
    evidence.estimate = options.numbers("estimates").value_or(std::vector<double>{});
    if (options.need("standard_errors"))
      evidence.se = options.numbers("standard_errors", Limits::above(0)).value_or(std::vector<double>{});
    const bool t = options.has("df");
    if (t) evidence.df = options.numbers("df", Limits::above(0)).value_or(std::vector<double>{});
    const std::size_t m = evidence.estimate.size();
    if (!t) evidence.df.assign(m, infinity);
    if (options.problems().size() == problems_before && (evidence.se.size() != m || evidence.df.size() != m))
      options.report_at("estimates", Code::size_mismatch, "{} has {} estimates, {} standard errors and {} degrees of freedom",
                        options.name(), m, evidence.se.size(), evidence.df.size());
    if (options.problems().size() != problems_before) return {};
    for (std::size_t i = 0; i < m; ++i) {
      const double t_value = evidence.estimate[i] / evidence.se[i];
      if (!std::isfinite(t_value))
        options.report_at("estimates", Code::out_of_range, "estimate {} of {} is not a finite number of standard errors", i + 1,
                          options.name());
      evidence.p.push_back(std::isinf(evidence.df[i]) ? numerics::normal_two_sided(t_value)
                                                      : numerics::student_t_two_sided(t_value, evidence.df[i]));
    }
  }
  if (options.problems().size() == problems_before && evidence.p.empty())
    options.report_at(from_effects ? "estimates" : "p", Code::no_data, "{} has no hypothesis", options.name());
  return options.problems().size() == problems_before ? std::optional(std::move(evidence)) : std::nullopt;
}

Expected<std::vector<double>> adjusted_p(Procedure procedure, std::optional<Graph> const& graph, std::vector<double> const& p) {
  const std::size_t most = procedure == Procedure::graphical ? most_for_graph
                           : procedure == Procedure::hommel  ? most_for_hommel
                                                             : p.size();
  if (p.size() > most)
    return fail(Code::out_of_range, "{} takes at most {} hypotheses, and there are {}", keyword(procedure), most, p.size());
  switch (procedure) {
    case Procedure::bonferroni:
      return bonferroni_adjusted(p);
    case Procedure::holm:
      return holm_adjusted(p);
    case Procedure::hochberg:
      return hochberg_adjusted(p);
    case Procedure::hommel:
      return hommel_adjusted(p);
    case Procedure::benjamini_hochberg:
      return benjamini_hochberg_adjusted(p);
    case Procedure::graphical:
      expects(graph.has_value(), "a graphical procedure has a graph");
      return graphical_adjusted(*graph, p);
    case Procedure::none:
      break;
  }
  return p;
}

template <Procedure procedure>
MethodCard const& MultipleTest<procedure>::card() {
  static const MethodCard card = make_card(procedure);
  return card;
}

template <Procedure procedure>
std::optional<MultipleTest<procedure>> MultipleTest<procedure>::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  check_roles(card(), roles, options);
  std::optional<Evidence> evidence = Evidence::parse(options, has_limits(procedure));
  MultipleTest method;
  if constexpr (procedure == Procedure::graphical)
    method.graph = parse_graph(options, evidence ? std::optional(evidence->p.size()) : std::nullopt);
  if (evidence) method.evidence = std::move(*evidence);
  return options.problems().size() == problems_before ? std::optional(std::move(method)) : std::nullopt;
}

template <Procedure procedure>
Expected<Answer> MultipleTest<procedure>::run(Frame const&) const {
  const Expected<std::vector<double>> adjusted = adjusted_p(procedure, graph, evidence.p);
  if (!adjusted) return tl::unexpected(adjusted.error());
  Answer answer;
  std::vector<std::string> unknown;
  for (std::size_t i = 0; i < adjusted->size(); ++i) {
    const At at{{"index", double(i + 1)}};
    answer.findings.push_back({.quantity = "adjusted_p", .at = at, .value = (*adjusted)[i]});
    answer.findings.push_back({.quantity = "rejected", .at = at, .value = (*adjusted)[i] <= evidence.alpha ? 1.0 : 0.0});
    if (std::isnan(evidence.p[i])) unknown.push_back(std::to_string(i + 1));
  }
  if (!evidence.estimate.empty()) {
    if (evidence.estimate.size() > most_for_graph)
      return fail(Code::out_of_range, "simultaneous limits are given for at most {} hypotheses, and there are {}", most_for_graph,
                  evidence.estimate.size());
    add_limits(procedure, graph, evidence, answer);
  }
  if (!unknown.empty())
    answer.notes.push_back(
        fmt::format("The p value of hypothesis {} is not estimable: it counts as 1 and rejects nothing.", join(unknown, ", ")));
  return answer;
}

template struct MultipleTest<Procedure::bonferroni>;
template struct MultipleTest<Procedure::holm>;
template struct MultipleTest<Procedure::hochberg>;
template struct MultipleTest<Procedure::hommel>;
template struct MultipleTest<Procedure::benjamini_hochberg>;
template struct MultipleTest<Procedure::graphical>;

}  // namespace equipoise::stats
