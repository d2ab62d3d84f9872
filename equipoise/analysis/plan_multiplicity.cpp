#include <algorithm>
#include <array>
#include <map>

#include "equipoise/analysis/ready_method.h"
#include "equipoise/analysis/multiplicity.h"
#include "equipoise/core/text.h"
#include "equipoise/stats/formula.h"

namespace equipoise::analysis {
namespace {

using stats::Procedure;

constexpr std::array<std::pair<std::string_view, Procedure>, 7> procedures{{{"none", Procedure::none},
                                                                            {"bonferroni", Procedure::bonferroni},
                                                                            {"holm", Procedure::holm},
                                                                            {"hochberg", Procedure::hochberg},
                                                                            {"hommel", Procedure::hommel},
                                                                            {"benjamini_hochberg", Procedure::benjamini_hochberg},
                                                                            {"graphical", Procedure::graphical}}};

bool lists(std::vector<std::string_view> const& quantities, std::string_view quantity) {
  return std::ranges::find(quantities, quantity) != quantities.end();
}

bool has_option(stats::MethodCard const& card, std::string_view option) {
  return std::ranges::find(card.options, option, &stats::OptionCard::name) != card.options.end();
}

/// The options of an analysis as its method reads them, defaults of the question filled in.
Node const& options_of(PlannedAnalysis const& planned) { return planned.runs.front().analysis.options; }

/// Why an analysis gives no P value for one arm against the control, as far as can be known without data.
std::optional<std::string> why_none(protocol::Protocol const& protocol, PlannedAnalysis const& planned,
                                    protocol::Analysis const& analysis, stats::MethodCard const& card, Procedure procedure) {
  if (!lists(card.quantities, "p") && !(procedure == Procedure::none && lists(card.quantities, "adjusted_p")))
    return fmt::format("{} gives no P value", card.keyword);
  if (const Node* alternative = options_of(planned).find("alternative"))
    if (alternative->text() && *alternative->text() != "two_sided")
      return fmt::format("its alternative is '{}', and the alpha of the protocol is two-sided", *alternative->text());
  if (analysis.by == "arm") return {};  // one group each
  if (is_model(card)) {
    const Node* text = options_of(planned).find("formula");
    const auto formula = text && text->text() ? stats::parse_formula(*text->text()) : Expected<stats::Formula>(stats::Formula{});
    if (!formula) return {};  // reported by the method
    bool alone = false, crossed = false;
    for (std::vector<std::string> const& term : formula->terms) {
      const bool of_arm = std::ranges::find(term, "arm") != term.end();
      alone = alone || (of_arm && term.size() == 1);
      crossed = crossed || (of_arm && term.size() > 1);
    }
    if (!alone) return "its formula has no effect of the arm";
    if (crossed && !has_option(card, "lsmean_weights"))
      return "its formula lets the effect of the arm depend on another column, so that no one P value is that of the arm";
    return {};
  }
  if (card.comparison == stats::Comparison::all_arms && protocol.arms.size() > 2)
    return fmt::format("{} gives one P value for all arms together", card.keyword);
  return {};
}

class MultiplicityPlanner {
 public:
  MultiplicityPlanner(protocol::Protocol const& protocol, Plan& plan, Problems& problems)
      : protocol_(protocol),
        plan_(plan),
        problems_(problems),
        section_(protocol.multiplicity->section, "[multiplicity]", problems),
        structure_(protocol.multiplicity->section, "[multiplicity]", said_) {}

  void read() {
    section_.allow("method");
    made_.method = protocol_.multiplicity->method;
    made_.procedure = std::ranges::find(procedures, made_.method, &std::pair<std::string_view, Procedure>::first)->second;
    section_.allow("hypotheses"), section_.allow("edges");
    for (Section& row : structure_.tables("hypotheses", "hypothesis")) read_hypothesis(row);
    for (Section& row : structure_.tables("edges", "edge")) read_edge(row);
    section_.finish();
    if (made_.hypotheses.empty() && !section_.has("hypotheses"))
      add_problem(problems_, section_.place(), Code::missing_key, "[multiplicity] needs the key 'hypotheses'");
    if (!edge_problem_ && said_.empty() && made_.procedure == Procedure::graphical) make_graph();
    plan_.multiplicity = std::move(made_);
  }

 private:
  // What is wrong with ids, references and types the protocol has said: it goes to `said_`.
  void read_hypothesis(Section& row) {
    PlannedHypothesis one{.id = row.text("id").value_or(""),
                          .analysis = row.text("analysis").value_or(""),
                          .arm = row.text("arm").value_or(""),
                          .weight = row.number("weight").value_or(0)};
    if (row.has("weight") && made_.procedure != Procedure::graphical)
      add_problem(problems_, row.place_of("weight"), Code::inconsistent,
                  "hypothesis '{}' has a weight, and weights belong to the method graphical", one.id)
          .hint = "with method = \"graphical\" and edges any weighted procedure can be written";
    const auto analysis = std::ranges::find(protocol_.analyses, one.analysis, &protocol::Analysis::id);
    if (analysis != protocol_.analyses.end() && one.arm.empty()) one.arm = only_arm(*analysis);
    const auto planned = std::ranges::find(plan_.analyses, one.analysis, &PlannedAnalysis::id);
    if (planned != plan_.analyses.end() && !planned->runs.empty())
      if (const auto why = why_none(protocol_, *planned, *analysis, *method_card(analysis->method), made_.procedure))
        add_problem(problems_, row.place_of("analysis"), Code::inconsistent,
                    "hypothesis '{}' finds no P value in analysis '{}': {}", one.id, one.analysis, *why);
    made_.hypotheses.push_back(std::move(one));
  }

  std::string only_arm(protocol::Analysis const& analysis) const {
    if (const protocol::Estimand* estimand = protocol_.estimand(analysis.estimand))
      return estimand->compare.size() == 1 ? estimand->compare.front() : "";
    std::string found;
    for (protocol::Arm const& arm : protocol_.arms)
      if (arm.role == protocol::ArmRole::investigational) found = found.empty() ? arm.id : found;
    return found;
  }

  void read_edge(Section& row) {
    PlannedEdge edge{.from = row.text("from").value_or(""), .to = row.text("to").value_or(""), .weight = {}};
    const Node* weight = row.take("weight");
    if (weight && !weight->text()) edge.weight = weight->number();
    const auto refuse = [&](Code code, std::string const& text) {
      add_problem(problems_, row.place(), code, "{}", text);
      edge_problem_ = true;
    };
    if (made_.procedure != Procedure::graphical)
      refuse(Code::inconsistent,
             fmt::format("edges belong to the method graphical, and the method of [multiplicity] is {}", made_.method));
    else if (edge.from == edge.to) refuse(Code::inconsistent, fmt::format("hypothesis '{}' passes a share to itself", edge.from));
    else if (std::ranges::any_of(made_.edges, [&](PlannedEdge const& e) { return e.from == edge.from && e.to == edge.to; }))
      refuse(Code::duplicate, fmt::format("the edge from '{}' to '{}' is given twice", edge.from, edge.to));
    double& sum = passed_[edge.from];
    const bool was_over = sum > 1 + 1e-12;
    sum += edge.weight.value_or(0);
    if (!edge_problem_ && sum > 1 + 1e-12 && !was_over)
      refuse(Code::out_of_range,
             fmt::format("the shares that hypothesis '{}' passes on add up to {:.12g}, and must not exceed 1", edge.from, sum));
    made_.edges.push_back(std::move(edge));
  }

  void make_graph() {
    std::map<std::string, std::size_t> number;
    std::vector<double> weights;
    for (PlannedHypothesis const& one : made_.hypotheses) {
      number.emplace(one.id, weights.size());
      weights.push_back(one.weight);
    }
    std::vector<std::vector<stats::LeadingTerm>> shares(weights.size(), std::vector<stats::LeadingTerm>(weights.size()));
    for (PlannedEdge const& edge : made_.edges) {
      if (!number.contains(edge.from) || !number.contains(edge.to)) return;  // reported by the protocol
      shares[number[edge.from]][number[edge.to]] = edge.weight ? stats::LeadingTerm{*edge.weight, 0} : stats::epsilon_share;
    }
    if (stats::graph_problems(weights, shares).empty()) made_.graph.emplace(weights, std::move(shares));
  }

  protocol::Protocol const& protocol_;
  Plan& plan_;
  Problems& problems_;
  Problems said_;
  Section section_, structure_;
  PlannedMultiplicity made_;
  std::map<std::string, double> passed_;
  bool edge_problem_ = false;
};

}  // namespace

void plan_multiplicity(protocol::Protocol const& protocol, Plan& plan, Problems& problems) {
  expects(protocol.multiplicity.has_value(), "there is a [multiplicity] to plan");
  MultiplicityPlanner(protocol, plan, problems).read();
}

}  // namespace equipoise::analysis
