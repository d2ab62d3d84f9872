#include "equipoise/analysis/multiplicity.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/analysis/question.h"
#include "equipoise/analysis/ready_method.h"
#include "equipoise/core/text.h"
#include "equipoise/data/derive.h"
#include "equipoise/stats/multiplicity/limits.h"

namespace equipoise::analysis {
namespace {

using results::Hypothesis;
using results::Record;
using stats::Procedure;

constexpr double infinity = std::numeric_limits<double>::infinity();

std::optional<double> p_of(Finding const& finding, bool adjusted) {
  if (adjusted) return finding.quantity == "adjusted_p" ? std::optional(finding.value) : std::nullopt;
  return finding.quantity == "p" ? std::optional(finding.value) : finding.p;
}

bool same(double a, double b) { return (std::isnan(a) && std::isnan(b)) || std::fabs(a - b) <= 1e-9 * std::max(a, b); }

/// The effect at a place that has limits on a scale whose null value is known.
struct Effect {
  std::string quantity;
  double value = missing_number, null = 0;
};

class Family {
 public:
  Family(PlannedMultiplicity const& planned, protocol::Protocol const& protocol, Plan const& plan,
         data::TrialTables const& tables, results::Results& results)
      : planned_(planned), protocol_(protocol), plan_(plan), tables_(tables), results_(results) {}

  void carry_out() {
    made_.method = planned_.method;
    made_.alpha = protocol_.conventions.alpha;
    for (PlannedEdge const& edge : planned_.edges) made_.edges.push_back({edge.from, edge.to, edge.weight});
    std::vector<double> p;
    for (PlannedHypothesis const& one : planned_.hypotheses) p.push_back(collect(one).p);
    decide(p);
    find_limits(p);
    if (planned_.procedure != Procedure::none) add_records();
    results_.multiplicity = std::move(made_);
  }

 private:
  /// Finds the one P value of a hypothesis.
  Hypothesis const& collect(PlannedHypothesis const& one) {
    Hypothesis& made = made_.hypotheses.emplace_back(Hypothesis{.id = one.id, .analysis = one.analysis, .arm = one.arm});
    if (planned_.procedure == Procedure::graphical) made.weight = one.weight;
    const auto run = std::ranges::find(results_.runs, one.analysis, &results::AnalysisRun::id);
    if (run == results_.runs.end() || run->problem) {
      made.notes.push_back(run == results_.runs.end()
                               ? fmt::format("Analysis '{}' was not run: the P value is not estimable.", one.analysis)
                               : fmt::format("Analysis '{}' has no answer: {}", one.analysis, *run->problem));
      return made;
    }
    protocol::Analysis const& analysis = *std::ranges::find(protocol_.analyses, one.analysis, &protocol::Analysis::id);
    const Question question = question_of(protocol_, analysis);
    PlannedAnalysis const& planned = *std::ranges::find(plan_.analyses, one.analysis, &PlannedAnalysis::id);
    // A model's tests of all its coefficients have no place either: they are not of the arm.
    const bool only = planned.runs.size() == 1 && !is_model(*method_card(analysis.method));
    // Of the last value seen, or of a model with one effect for all visits, there is one comparison and no visit to look for.
    const bool by_visit = planned.recipe.by_visit() && std::ranges::any_of(results_.records, [&](Record const& record) {
                            return record.analysis == one.analysis && is_within_visit(record.finding.at);
                          });

    // Methods that adjust by themselves are taken as they are when nothing else is to be adjusted.
    const bool adjusted = planned_.procedure == Procedure::none && std::ranges::any_of(results_.records, [&](Record const& r) {
                            return r.analysis == one.analysis && r.finding.quantity == "adjusted_p";
                          });
    int best = 5;
    std::vector<Record const*> found;
    for (Record const& record : results_.records) {
      if (record.analysis != one.analysis || !p_of(record.finding, adjusted)) continue;
      const auto rank = speaks_of(record.finding.at, one.arm, question.control, question.visit, by_visit, only);
      if (!rank || *rank > best) continue;
      if (*rank < best) found.clear();
      best = *rank;
      found.push_back(&record);
    }
    if (found.empty()) {
      made.notes.push_back(
          fmt::format("Analysis '{}' gave no P value for arm '{}': it is not estimable.", one.analysis, one.arm));
      return made;
    }
    made.at = found.front()->finding.at;
    const double p = *p_of(found.front()->finding, adjusted);
    for (Record const* other : found)
      if (!same(*p_of(other->finding, adjusted), p)) {
        made.notes.push_back(fmt::format(
            "Analysis '{}' gave several P values for arm '{}', {} and {} among them: which one is meant cannot be told, so "
            "that it counts as not estimable.",
            one.analysis, one.arm, shortest(p), shortest(*p_of(other->finding, adjusted))));
        return made;
      }
    made.p = p;
    if (adjusted) made.notes.push_back(fmt::format("The P value is adjusted within analysis '{}'.", one.analysis));
    if (std::isnan(p)) made.notes.push_back("The P value is not estimable: it counts as 1, and nothing is rejected by it.");
    return made;
  }

  void decide(std::vector<double> const& p) {
    const auto adjusted = stats::adjusted_p(planned_.procedure, planned_.graph, p);
    if (!adjusted) {
      made_.notes.push_back(adjusted.error().message + ".");
      return;
    }
    for (std::size_t i = 0; i < p.size(); ++i) {
      if (planned_.procedure != Procedure::none) made_.hypotheses[i].adjusted_p = (*adjusted)[i];
      made_.hypotheses[i].rejected = (*adjusted)[i] <= made_.alpha;
    }
  }

  /// Which run of its analysis answered a hypothesis, and at which place there.
  struct Source {
    PlannedAnalysis const* analysis;
    PlannedRun const* run;
    At at;
  };
  std::optional<Source> source_of(Hypothesis const& hypothesis) const {
    const auto planned = std::ranges::find(plan_.analyses, hypothesis.analysis, &PlannedAnalysis::id);
    if (planned == plan_.analyses.end()) return {};
    for (PlannedRun const& run : planned->runs) {
      At rest = hypothesis.at;
      bool inside = true;
      for (auto const& [key, value] : run.at) {
        const auto found = rest.find(key);
        inside = inside && found != rest.end() && found->second == value;
        if (found != rest.end()) rest.erase(found);
      }
      if (inside) return Source{&*planned, &run, std::move(rest)};
    }
    return {};
  }

  std::optional<Effect> effect_of(Hypothesis const& hypothesis) const {
    if (std::isnan(hypothesis.p) || hypothesis.at.contains("group")) return {};  // of one group no null value is known
    std::optional<Effect> found;
    for (Record const& record : results_.records) {
      Finding const& f = record.finding;
      if (record.analysis != hypothesis.analysis || f.at != hypothesis.at || !f.lower || !f.upper || !f.level) continue;
      if (std::isnan(f.value)) continue;
      if (f.quantity.ends_with("_ratio")) return Effect{f.quantity, f.value, 1};  // what a reader reads, not its logarithm
      if (!found && (f.quantity == "estimate" || f.quantity == "difference")) {
        if (f.scale == Scale::identity) found = Effect{f.quantity, f.value, 0};
        if (f.scale == Scale::log) found = Effect{f.quantity, f.value, 1};
      }
    }
    return found;
  }

  /// The analysis once more with another confidence level: its own limits, with `tail` beyond each.
  std::optional<std::pair<double, double>> limits_with_tail(Source const& source, std::string const& quantity, double tail) {
    Analysis again = source.run->analysis;
    Node::Table options;
    for (Node::Member const& member : *again.options.table())
      if (member.key != "level") options.push_back(member);
    options.push_back({"level", again.place, Node(1 - 2 * tail, again.place)});
    again.options = Node(std::move(options), again.options.place());
    const auto compiled = compile(again, source.analysis->schema);
    const auto data = data::analysis_dataset(tables_, source.analysis->recipe);
    if (!compiled || !data) return {};
    const data::DatasetColumns columns = data->dataset.view();
    Workspace workspace;
    const auto outcome = compiled->run(columns.view(), workspace);
    if (!outcome) return {};
    for (Finding const& f : outcome->answer.findings)
      if (f.quantity == quantity && f.at == source.at && f.lower && f.upper) return std::pair(*f.lower, *f.upper);
    return {};
  }

  void find_limits(std::vector<double> const& p) {
    const bool bonferroni = planned_.procedure == Procedure::bonferroni;
    if (!bonferroni && planned_.procedure != Procedure::holm && planned_.procedure != Procedure::graphical) return;
    std::vector<std::optional<Effect>> effects;
    std::vector<bool> positive;
    for (Hypothesis const& one : made_.hypotheses) {
      effects.push_back(effect_of(one));
      positive.push_back(effects.back() && effects.back()->value > effects.back()->null);
    }
    const auto known = std::size_t(std::ranges::count_if(effects, [](auto const& one) { return one.has_value(); }));
    if (known == 0) return;
    if (!bonferroni && known < effects.size()) {
      made_.notes.push_back(
          "Some hypothesis has no effect with limits: there are no simultaneous limits that agree with the decisions.");
      return;
    }
    const auto graph = planned_.procedure == Procedure::holm ? std::optional(stats::Graph::holm(p.size())) : planned_.graph;
    const auto rules = bonferroni ? std::optional(stats::bonferroni_limits(p.size(), made_.alpha))
                                  : stats::two_sided_limits(*graph, p, positive, made_.alpha);
    if (!rules) {
      made_.notes.push_back(
          "Rejected effects point both ways: no simultaneous limits that agree with every rejection are known, and none are "
          "given.");
      return;
    }
    for (std::size_t i = 0; i < p.size(); ++i)
      if (effects[i]) find_limits(made_.hypotheses[i], *effects[i], rules->lower[i], rules->upper[i]);
  }

  void find_limits(Hypothesis& one, Effect const& effect, stats::LimitRule lower, stats::LimitRule upper) {
    const auto source = source_of(one);
    const bool ratio = effect.null == 1;
    double low = ratio ? 0 : -infinity, high = infinity;
    for (const bool below : {true, false}) {
      const stats::LimitRule rule = below ? lower : upper;
      double& limit = below ? low : high;
      if (rule.tail > 0) {
        const auto found = source ? limits_with_tail(*source, effect.quantity, rule.tail) : std::nullopt;
        limit = !found ? missing_number : below ? found->first : found->second;
      }
      if (rule.not_past_null) limit = below ? std::max(limit, effect.null) : std::min(limit, effect.null);
    }
    one.quantity = effect.quantity;
    one.estimate = effect.value;
    const bool excluded = low >= effect.null || high <= effect.null;
    if (excluded != one.rejected || std::isnan(low) || std::isnan(high)) {
      low = high = missing_number;
      one.notes.push_back(
          "The limits of the analysis are not those of its test: no simultaneous limits agree with the decision.");
    }
    one.lower = low;
    one.upper = high;
  }

  /// Beside each P value its adjusted value: after the last record of its place.
  void add_records() {
    for (Hypothesis const& one : made_.hypotheses) {
      std::size_t last = results_.records.size();
      for (std::size_t i = 0; i < results_.records.size(); ++i)
        if (results_.records[i].analysis == one.analysis && results_.records[i].finding.at == one.at) last = i;
      if (last == results_.records.size() || !one.adjusted_p) continue;
      Record record = results_.records[last];
      record.finding = {.quantity = "adjusted_p", .at = one.at, .value = *one.adjusted_p};
      record.footnotes = one.notes;
      results_.records.insert(results_.records.begin() + std::ptrdiff_t(last) + 1, std::move(record));
    }
  }

  PlannedMultiplicity const& planned_;
  protocol::Protocol const& protocol_;
  Plan const& plan_;
  data::TrialTables const& tables_;
  results::Results& results_;
  results::Multiplicity made_;
};

}  // namespace

bool is_within_visit(At const& at) {
  const auto found = at.find("within");
  const auto* levels = found == at.end() ? nullptr : std::get_if<Term>(&found->second);
  return levels && std::ranges::any_of(*levels, [](Factor const& factor) { return factor.column == "visit"; });
}

std::optional<int> speaks_of(At const& at, std::string const& arm, std::string const& control, std::string const& visit,
                             bool by_visit, bool only_comparison) {
  if (const auto found = at.find("difference"); found != at.end()) {
    auto const& difference = std::get<LevelDifference>(found->second);
    if (difference.column != "arm" || difference.level != arm || difference.minus != control) return {};
    const auto within = at.find("within");
    if (by_visit && (within == at.end()) != visit.empty()) return {};
    if (within != at.end() && !visit.empty()) {
      Term const& levels = std::get<Term>(within->second);
      if (levels.size() != 1 || levels.front().level != visit) return {};
      if (by_visit && levels.front().column != "visit") return {};
    }
    return 0;
  }
  const auto text = [&](std::string_view key) -> std::string const* {
    const auto found = at.find(key);
    return found == at.end() ? nullptr : std::get_if<std::string>(&found->second);
  };
  if (const auto* level = text("level")) return *level == arm ? std::optional(1) : std::nullopt;
  if (const auto found = at.find("term"); found != at.end()) {
    Term const& term = std::get<Term>(found->second);
    return term == Term{Factor{"arm", arm}} ? std::optional(2) : std::nullopt;
  }
  if (const auto* group = text("group")) return *group == arm ? std::optional(3) : std::nullopt;
  return only_comparison && at.empty() ? std::optional(4) : std::nullopt;
}

void carry_out(PlannedMultiplicity const& planned, protocol::Protocol const& protocol, Plan const& plan,
               data::TrialTables const& tables, results::Results& results) {
  Family(planned, protocol, plan, tables, results).carry_out();
}

}  // namespace equipoise::analysis
