#include "equipoise/analysis/alternatives.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "equipoise/analysis/multiplicity.h"
#include "equipoise/analysis/options.h"
#include "equipoise/analysis/question.h"
#include "equipoise/analysis/ready_method.h"
#include "equipoise/core/text.h"
#include "equipoise/results/labels.h"
#include "equipoise/stats/repeated/covariance.h"

namespace equipoise::analysis {
namespace {

using results::Alternative;

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> df_titles{
    {{"satterthwaite", "Satterthwaite's degrees of freedom"},
     {"kenward_roger", "Kenward and Roger's method"},
     {"between_within", "degrees of freedom between and within participants"},
     {"residual", "residual degrees of freedom"}}};
constexpr std::array<std::string_view, 3> usual_structures{"unstructured", "heterogeneous_toeplitz",
                                                           "heterogeneous_compound_symmetry"};

std::string text_of(Node const& options, std::string_view key, std::string fallback) {
  const Node* found = options.find(key);
  return found && found->text() ? *found->text() : fallback;
}

/// The options with some of them replaced by these words.
Node with(Node const& options, std::vector<std::pair<std::string_view, std::string>> const& changes) {
  Node::Table members;
  for (auto const& [key, value] : changes)
    members.push_back({std::string(key), options.place(), Node(Node::Value(value), options.place())});
  return with_options(options, members);
}

/// The difference of the arm from the control with its P value; null when there is none.
template <class Findings, class Get>
Finding const* comparison(Findings const& all, Get const& get, std::string const& arm, Question const& question, bool by_visit) {
  by_visit = by_visit && std::ranges::any_of(all, [&](auto const& one) {  // the last value seen is of no visit of its own
               Finding const* finding = get(one);
               return finding && is_within_visit(finding->at);
             });
  for (auto const& one : all) {
    Finding const* finding = get(one);
    if (!finding || !finding->p || (finding->quantity != "estimate" && finding->quantity != "difference")) continue;
    const auto rank = speaks_of(finding->at, arm, question.control, question.visit, by_visit, false);
    if (rank && *rank <= 1) return finding;
  }
  return nullptr;
}

Alternative row(std::string const& analysis, std::string choice, std::string name, std::string title, std::string const& arm,
                Finding const& found) {
  return {.analysis = analysis,
          .choice = std::move(choice),
          .name = std::move(name),
          .title = std::move(title),
          .arm = arm,
          .at = found.at,
          .estimate = found.value,
          .se = found.se.value_or(missing_number),
          .lower = found.lower.value_or(missing_number),
          .upper = found.upper.value_or(missing_number),
          .p = *found.p,
          .df = found.df};
}

Finding const* of_analysis(results::Record const& record, std::string const& id) {
  return record.analysis == id ? &record.finding : nullptr;
}

/// Rejected and in which direction: what a conclusion is.
int conclusion(Alternative const& one) { return !one.rejected ? 0 : one.estimate > 0 ? 1 : -1; }

/// The P values that decide on the arms of one choice, after the procedure's adjustment when the analysis has hypotheses in it.
void decide(std::span<Alternative*> rows, protocol::Protocol const& protocol, Plan const& plan, results::Results const& results) {
  const double alpha = protocol.conventions.sided == 1 ? 2 * protocol.conventions.alpha : protocol.conventions.alpha;
  for (Alternative* one : rows) one->rejected = one->p <= alpha;  // not for NaN
  if (!plan.multiplicity || !results.multiplicity || plan.multiplicity->procedure == stats::Procedure::none) return;
  std::vector<double> p;
  for (results::Hypothesis const& hypothesis : results.multiplicity->hypotheses) {
    p.push_back(hypothesis.p);
    for (Alternative const* one : rows)
      if (one->analysis == hypothesis.analysis && one->arm == hypothesis.arm) p.back() = one->p;
  }
  const auto adjusted = stats::adjusted_p(plan.multiplicity->procedure, plan.multiplicity->graph, p);
  if (!adjusted) return;
  for (std::size_t i = 0; i < p.size(); ++i)
    for (Alternative* one : rows)
      if (one->analysis == results.multiplicity->hypotheses[i].analysis && one->arm == results.multiplicity->hypotheses[i].arm) {
        one->adjusted_p = (*adjusted)[i];
        one->rejected = (*adjusted)[i] <= results.multiplicity->alpha;
      }
}

/// Whether a difference asked for alone has the bits that it has in the whole answer. Of an unstructured covariance with standard
/// errors of the model, Satterthwaite's and Kenward and Roger's methods come to it by another way.
bool same_bits_alone(PlannedAlternative const& other) {
  constexpr std::array<std::string_view, 4> not_so{"satterthwaite", "kenward_roger", "unstructured", "model"};
  return std::ranges::find(not_so, other.name) == not_so.end();
}

std::string_view in_words(std::string_view choice) {
  if (choice == "degrees_of_freedom") return "the method for degrees of freedom";
  if (choice == "covariance") return "the covariance of the visits";
  if (choice == "missing_data") return "what is assumed of missing values, or the method that assumes it";
  return "the analysis set";
}

std::string p_in_words(Alternative const& one, double alpha) {
  if (!one.adjusted_p) return results::p_statement(one.p, alpha);
  return fmt::format("{} (adjusted {})", results::p_statement(one.p, alpha), results::p_statement(*one.adjusted_p, alpha));
}

/// "Whether 'high' differs from the control depends on ...: P = 0.049 as planned, but P = 0.052 with ..."
std::string warning(Alternative const& planned, std::span<Alternative* const> others, std::string_view choice, double alpha) {
  std::vector<std::string> with;
  for (Alternative const* other : others)
    with.push_back(fmt::format("{} with {}{}", p_in_words(*other, alpha), other->title,
                               conclusion(planned) * conclusion(*other) < 0 ? ", in the other direction" : ""));
  return fmt::format("Whether '{}' differs from the control depends on {}: {} as planned{}, but {}.", planned.arm,
                     in_words(choice), p_in_words(planned, alpha),
                     choice == "degrees_of_freedom" ? " (" + planned.title + ")" : "", join(with, "; "));
}

}  // namespace

std::vector<PlannedAlternative> alternatives_of(Analysis const& planned, Schema const& schema) {
  const bool visits = planned.method == "mmrm";
  if ((!visits && planned.method != "linear_mixed") || !planned.options.table()) return {};
  std::vector<PlannedAlternative> made;
  const auto add = [&](std::string choice, std::string_view name, std::string title, bool declared,
                       std::vector<std::pair<std::string_view, std::string>> const& changes) {
    Analysis other = planned;
    other.options = with(planned.options, changes);
    auto compiled = compile(other, schema);
    if (compiled) made.push_back({std::move(choice), std::string(name), std::move(title), declared, std::move(*compiled)});
  };
  Node const& options = planned.options;
  const std::string df = text_of(options, "df", "satterthwaite"), errors = text_of(options, "covariance_of_estimates", "model"),
                    estimation = text_of(options, "estimation", "reml");
  for (auto const& [name, title] : df_titles) {
    const bool adjusts = name == "kenward_roger";
    if (name == df || (adjusts && (errors != "model" || estimation != "reml"))) continue;
    add("degrees_of_freedom", name, std::string(title), false, {{"df", std::string(name)}});
  }
  if (visits) {
    std::vector<std::string> declared;
    const Node* written = options.find("covariance");
    if (written && written->text()) declared.push_back(*written->text());
    if (written && written->array())
      for (Node const& one : *written->array())
        if (one.text()) declared.push_back(*one.text());
    const bool several = declared.size() > 1;
    std::vector<std::string> others = declared;
    if (!several) {
      others.assign(usual_structures.begin(), usual_structures.end());
      std::erase_if(others, [&](std::string const& one) { return declared.empty() || one == declared.front(); });
    }
    for (std::string const& one : others)
      if (const auto structure = stats::covariance_structure(one))
        add("covariance", one, structure->title() + " covariance", several, {{"covariance", one}});
  }
  const std::string plain = df.starts_with("kenward_roger") ? "satterthwaite" : df;  // a sandwich has no other
  for (auto const& [name, title] :
       {std::pair("model", "standard errors of the model"), std::pair("cr2", "standard errors from a sandwich (CR2)")})
    if (name != errors) add("covariance", name, title, false, {{"covariance_of_estimates", name}, {"df", plain}});
  return made;
}

void add_alternatives(protocol::Protocol const& protocol, PlannedAnalysis const& planned, DatasetView const& view,
                      Workspace& workspace, results::Results& results) {
  const Question question = question_of(protocol, planned.id);
  const bool by_visit = planned.recipe.by_visit();
  const auto own = [&](results::Record const& record) { return of_analysis(record, planned.id); };
  const std::string df = text_of(planned.runs.front().analysis.options, "df", "satterthwaite");
  const std::size_t before = results.alternatives.size();
  stats::Focus focus;  // an alternative is asked for what is told of it, and for nothing else
  bool focused = true;
  for (std::string const& arm : question.arms)
    if (Finding const* found = comparison(results.records, own, arm, question, by_visit)) {
      const auto known = std::ranges::find(df_titles, df, &std::pair<std::string_view, std::string_view>::first);
      const std::string title = known == df_titles.end() ? results::in_plain_words(df) : std::string(known->second);
      results.alternatives.push_back(row(planned.id, "planned", df, title, arm, *found));
      const auto difference = found->at.find("difference"), within = found->at.find("within");
      focused = focused && difference != found->at.end();
      if (focused)
        focus.differences.push_back({.of = std::get<LevelDifference>(difference->second),
                                     .within = within == found->at.end() ? Term{} : std::get<Term>(within->second)});
    }
  if (results.alternatives.size() == before) return;
  bool reached = false;  // the structure that the plan came to: the first of those declared that has an answer
  for (PlannedAlternative const& other : planned.alternatives) {
    const auto answered = [&](Outcome const& outcome) {
      std::vector<Alternative> rows;
      for (std::string const& arm : question.arms)
        if (Finding const* found = comparison(
                outcome.answer.findings, [](Finding const& one) { return &one; }, arm, question, by_visit))
          rows.push_back(row(planned.id, other.choice, other.name, other.title, arm, *found));
      return rows;
    };
    const bool alone = focused && same_bits_alone(other);
    auto outcome = alone ? other.compiled.run(view, workspace, focus) : other.compiled.run(view, workspace);
    if (!outcome) continue;
    if (other.declared && !std::exchange(reached, true)) continue;
    std::vector<Alternative> rows = answered(*outcome);
    if (alone && rows.size() < focus.differences.size()) {  // perhaps another place answers
      outcome = other.compiled.run(view, workspace);
      if (outcome) rows = answered(*outcome);
    }
    results.alternatives.insert(results.alternatives.end(), rows.begin(), rows.end());
  }
}

void judge_alternatives(protocol::Protocol const& protocol, Plan const& plan, results::Results& results) {
  std::vector<Alternative> all;
  for (results::AnalysisRun& run : results.runs) {
    std::vector<Alternative> own;
    for (Alternative const& one : results.alternatives)
      if (one.analysis == run.id) own.push_back(one);
    if (own.empty()) continue;
    const Question question = question_of(protocol, run.id);
    for (results::AnalysisRun const& other : results.runs) {
      const bool asked = other.endpoint == run.endpoint && (other.role == "sensitivity" || other.role == "supportive");
      const auto planned = std::ranges::find(plan.analyses, other.id, &PlannedAnalysis::id);
      if (!asked || other.problem || other.id == run.id || planned == plan.analyses.end()) continue;
      const auto of_other = [&](results::Record const& record) { return of_analysis(record, other.id); };
      for (std::string const& arm : question.arms)
        if (Finding const* found = comparison(results.records, of_other, arm, question, planned->recipe.by_visit()))
          own.push_back(row(run.id, other.set == run.set ? "missing_data" : "analysis_set", other.id,
                            fmt::format("'{}' ({})", other.id, other.title), arm, *found));
    }
    for (std::size_t i = 0; i < own.size();) {  // arms of one choice stand together
      std::vector<Alternative*> rows;
      const std::size_t first = i;
      for (; i < own.size() && own[i].choice == own[first].choice && own[i].name == own[first].name; ++i) rows.push_back(&own[i]);
      decide(rows, protocol, plan, results);
    }
    for (Alternative const& planned : own) {
      if (planned.choice != "planned") break;
      for (Alternative& other : own)
        other.differs = other.differs || (other.arm == planned.arm && !std::isnan(other.p) && !std::isnan(planned.p) &&
                                          conclusion(other) != conclusion(planned));
      for (const std::string_view choice : {"degrees_of_freedom", "covariance", "missing_data", "analysis_set"}) {
        std::vector<Alternative*> against;
        for (Alternative& other : own)
          if (other.choice == choice && other.arm == planned.arm && other.differs) against.push_back(&other);
        if (against.empty()) continue;
        run.warnings.push_back(warning(planned, against, choice, protocol.conventions.alpha));
        run.notes.push_back(run.warnings.back());
      }
    }
    all.insert(all.end(), own.begin(), own.end());
  }
  results.alternatives = std::move(all);
}

}  // namespace equipoise::analysis
