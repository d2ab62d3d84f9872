#include "equipoise/analysis/subgroups.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "equipoise/analysis/back_transform.h"
#include "equipoise/analysis/multiplicity.h"
#include "equipoise/analysis/options.h"
#include "equipoise/analysis/question.h"
#include "equipoise/analysis/replay.h"
#include "equipoise/core/text.h"
#include "equipoise/stats/formula.h"
#include "equipoise/stats/heterogeneity.h"

namespace equipoise::analysis {
namespace {

using results::Interaction;
using results::Subgroup;
using results::SubgroupLevel;

bool is_effect(std::string_view quantity) {
  return quantity == "estimate" || quantity == "difference" || quantity.ends_with("_ratio");
}

/// The models whose answer holds a test of a product of arm and level: an F test, or log likelihoods of nested models.
enum class Test { none, f, likelihood_ratio };
Test test_of(Analysis const& analysis, bool by_visit) {
  if (by_visit || analysis.roles.contains("cluster")) return Test::none;
  if (analysis.method == "ancova") return Test::f;
  const bool likelihood = analysis.method == "cox" || analysis.method == "logistic" || analysis.method == "grouped_hazard";
  return likelihood ? Test::likelihood_ratio : Test::none;
}

/// A column that the formula multiplies the arm with.
std::optional<std::string> product_with_arm(Analysis const& analysis) {
  Node const* formula = analysis.options.find("formula");
  const auto parsed = formula && formula->text() ? stats::parse_formula(*formula->text()) : Expected<stats::Formula>{};
  if (!parsed) return {};
  for (auto const& term : parsed->terms)
    if (term.size() > 1 && std::ranges::find(term, "arm") != term.end())
      for (std::string const& column : term)
        if (column != "arm") return column;
  return {};
}

/// The analysis with the levels in its model, perhaps with their product with the arm.
Analysis in_one_model(Analysis analysis, PlannedSubgroup const& subgroup, bool product) {
  Node const* formula = analysis.options.find("formula");
  Node const* levels = analysis.options.find("levels");
  if (!formula || !formula->text()) return analysis;
  const Place place = analysis.place;
  Node::Array names;
  for (std::string const& level : subgroup.levels) names.push_back(Node(level, place));
  Node::Table table = levels && levels->table() ? *levels->table() : Node::Table{};
  if (std::ranges::find(table, subgroup.column, &Node::Member::key) == table.end())
    table.push_back({subgroup.column, place, Node(std::move(names), place)});
  std::string text = *formula->text() + " + " + subgroup.column;
  if (product) text += " + arm:" + subgroup.column;
  analysis.options = with_options(
      analysis.options, {{"formula", place, Node(std::move(text), place)}, {"levels", place, Node(std::move(table), place)}});
  return analysis;
}

/// The ratio that a method estimates without saying so in its quantity: "odds_ratio", "risk_ratio"; empty for differences.
std::string ratio_estimated(Analysis const& analysis) {
  std::string measure = analysis.method;
  if (Node const* written = analysis.options.find("measure"); written && written->text()) measure = *written->text();
  if (!measure.ends_with("_ratio")) return {};
  return measure.find("odds") != std::string::npos   ? "odds_ratio"
         : measure.find("rate") != std::string::npos ? "rate_ratio"
                                                     : "risk_ratio";
}

/// What a method says of an arm against the control, on the scale of its tests and as it is shown: a ratio where the estimate is
/// its logarithm, else the estimate, else a ratio that stands alone.
std::optional<SubgroupLevel::Effect> effect_of(std::vector<Finding> const& findings, std::string const& arm,
                                               Question const& question, protocol::Endpoint const& endpoint,
                                               Analysis const& analysis, bool by_visit, bool only) {
  by_visit = by_visit && std::ranges::any_of(findings, [](Finding const& f) { return is_within_visit(f.at); });
  const auto rank_of = [&](Finding const& f) {
    const auto rank = speaks_of(f.at, arm, question.control, question.visit, by_visit, only);
    return is_effect(f.quantity) && rank && *rank != 3 ? *rank : 5;
  };
  int best = 5;
  for (Finding const& f : findings)
    if (f.lower && f.upper) best = std::min(best, rank_of(f));
  if (best == 5) return {};
  Finding const *ratio = nullptr, *plain = nullptr;  // with limits
  for (Finding const& f : findings) {
    if (!f.lower || !f.upper || rank_of(f) != best) continue;
    Finding const*& place = f.quantity.ends_with("_ratio") ? ratio : plain;
    if (!place) place = &f;
  }
  Finding const* tested = plain;
  if (ratio)
    for (Finding const& f : findings)
      if ((f.quantity == "estimate" || f.quantity == "difference") && f.at == ratio->at &&
          results::is_log_of(f.value, ratio->value))
        tested = &f;
  const bool shows_ratio = ratio && (!plain || (tested && results::is_log_of(tested->value, ratio->value)));
  Finding const& shown = shows_ratio ? *ratio : *plain;
  SubgroupLevel::Effect effect{.arm = arm, .finding = shown};
  effect.finding.p.reset();  // no P value of a subgroup
  const std::string alone = shows_ratio ? (tested ? "" : ratio->quantity) : ratio_estimated(analysis);
  if (!alone.empty()) {  // no estimate on the scale of the logarithm: its error is that of the limits
    effect.finding.quantity = alone;
    effect.estimate = std::log(shown.value);
    if (*shown.lower > 0 && analysis.method != "miettinen_nurminen")
      effect.se = stats::error_of_ratio(*shown.lower, *shown.upper, shown.level.value_or(0.95));
    return effect;
  }
  effect.estimate = tested->value;
  if (tested->se) effect.se = *tested->se;
  for (Finding const& f : findings)
    if (f.quantity == "robust_se" && f.at == tested->at) effect.se = f.value;
  if (auto of_response = back_transformed(shown, endpoint, analysis.method, false)) {
    effect.finding = std::move(*of_response);
    effect.finding.p.reset();
  }
  return effect;
}

/// What the rows that runs used say of each arm.
class Counts {
 public:
  Counts(data::Dataset const& dataset, protocol::Endpoint const& endpoint, bool by_visit)
      : who_(dataset.find("participant")), arm_(dataset.find("assigned_arm")) {
    if (!arm_) arm_ = dataset.find("arm");
    if (endpoint.kind == protocol::EndpointKind::time_to_event) happened_ = dataset.find("event");
    if (endpoint.kind == protocol::EndpointKind::binary && !by_visit) happened_ = dataset.find("response");
  }

  void add(std::span<const std::size_t> rows) { rows_.insert(rows.begin(), rows.end()); }
  std::set<std::size_t> const& rows() const { return rows_; }

  std::vector<SubgroupLevel::Count> of_arms(std::vector<std::string> const& arms) const {
    std::map<std::int32_t, std::set<std::int32_t>> people;
    std::map<std::int32_t, std::int64_t> events;
    for (const std::size_t row : rows_) {
      people[arm_->codes[row]].insert(who_->codes[row]);
      if (happened_) events[arm_->codes[row]] += happened_->numbers[row] == 1.0;
    }
    std::vector<SubgroupLevel::Count> counts;
    for (std::size_t a = 0; a < arm_->levels.size(); ++a) {
      if (std::ranges::find(arms, arm_->levels[a]) == arms.end()) continue;
      SubgroupLevel::Count count{.arm = arm_->levels[a], .n = std::int64_t(people[std::int32_t(a)].size())};
      if (happened_) count.events = events[std::int32_t(a)];
      counts.push_back(std::move(count));
    }
    return counts;
  }

 private:
  data::TypedColumn const *who_, *arm_, *happened_ = nullptr;
  std::set<std::size_t> rows_;
};

Interaction heterogeneity(std::vector<SubgroupLevel> const& levels, std::string const& arm) {
  std::vector<stats::IndependentEstimate> estimates;
  for (SubgroupLevel const& level : levels)
    for (SubgroupLevel::Effect const& effect : level.effects)
      if (effect.arm == arm && !std::isnan(effect.estimate)) estimates.push_back({effect.estimate, effect.se});
  // One that is estimated and has no error, as a difference of 0 of 5 and 5 of 5, belongs to the question: no test without it.
  const bool all = std::ranges::all_of(estimates, [](auto const& one) { return one.se > 0; });
  const stats::ChiSquareTest test = all ? stats::cochran_q(estimates) : stats::ChiSquareTest{};
  return {.arm = arm, .statistic = "heterogeneity_chi_square", .value = test.value, .df = test.df, .p = test.p};
}

/// Rank of a model and its log likelihood. The rank is that of the model's own test against no terms, where it gives one:
/// it counts coefficients that are infinite; else it is the number of estimable coefficients.
struct Fit {
  double rank = 0, log_likelihood = missing_number;
};
Fit fit_of(stats::Answer const& answer) {
  Fit fit;
  for (Finding const& f : answer.findings) {
    if (f.quantity == "log_likelihood") fit.log_likelihood = f.value;
    if (f.quantity == "estimate" && f.at.contains("term") && !std::isnan(f.value)) ++fit.rank;
  }
  for (Finding const& f : answer.findings)
    if (f.quantity == "likelihood_ratio_chi_square" && f.df && !std::isnan(*f.df)) fit.rank = *f.df;
  return fit;
}

Interaction likelihood_ratio(stats::Answer const& without, stats::Answer const& with_product) {
  const Fit smaller = fit_of(without), larger = fit_of(with_product);
  const stats::ChiSquareTest test =
      stats::likelihood_ratio_test(smaller.log_likelihood, larger.log_likelihood, larger.rank - smaller.rank);
  return {.arm = {}, .statistic = "likelihood_ratio_chi_square", .value = test.value, .df = test.df, .p = test.p};
}

Interaction f_test(stats::Answer const& with_product, std::string const& column) {
  Interaction test{.arm = {}, .statistic = "f"};
  Term effect{{"arm", {}}, {column, {}}};
  std::ranges::sort(effect);
  const At at{{"effect", effect}};
  for (Finding const& f : with_product.findings) {
    if (f.at != at) continue;
    if (f.quantity == "residual_df") test.residual_df = f.value;
    if (f.quantity == "f") test.value = f.value, test.df = f.df.value_or(missing_number), test.p = f.p.value_or(missing_number);
  }
  return test;
}

/// The view with a category for each number that is cut.
class CutView {
 public:
  CutView(data::Dataset const& dataset, PlannedAnalysis const& planned) : shown_(dataset.view()), rows_(dataset.rows()) {
    const DatasetView view = shown_.view();
    columns_.assign(view.columns.begin(), view.columns.end());
    codes_.reserve(planned.subgroups.size());
    for (PlannedSubgroup const& subgroup : planned.subgroups) {
      if (subgroup.cuts.empty()) continue;
      std::vector<std::int32_t>& codes = codes_.emplace_back();
      for (const double value : view.columns[subgroup.place].numbers())
        codes.push_back(std::isnan(value) ? missing_level
                                          : std::int32_t(std::ranges::upper_bound(subgroup.cuts, value) - subgroup.cuts.begin()));
      columns_.push_back({subgroup.column, CategoriesView{codes, subgroup.levels}});
    }
  }
  DatasetView view() const { return {rows_, columns_}; }

 private:
  data::DatasetColumns shown_;
  std::size_t rows_;
  std::vector<ColumnView> columns_;
  std::vector<std::vector<std::int32_t>> codes_;
};

/// Participants among these rows that miss the category, or the number.
std::int64_t without_value(data::Dataset const& dataset, DatasetView const& view, PlannedSubgroup const& subgroup,
                           std::set<std::size_t> const& rows) {
  ColumnView const& column = view.columns[subgroup.place];
  std::set<std::int32_t> people;
  for (const std::size_t row : rows) {
    const bool missing = column.numeric() ? std::isnan(column.numbers()[row]) : column.categories().codes[row] == missing_level;
    if (missing) people.insert(dataset.find("participant")->codes[row]);
  }
  return std::int64_t(people.size());
}

}  // namespace

std::vector<SubgroupRequest> read_subgroups(Section& section, stats::MethodCard const& card, bool by_arm) {
  std::vector<SubgroupRequest> requests;
  Node const* all = section.take("subgroups");
  if (!all) return requests;
  const auto is_limit = [](std::string_view quantity) { return quantity == "lower" || quantity.ends_with("_lower"); };
  const bool compares = std::ranges::any_of(card.quantities, is_effect) && std::ranges::any_of(card.quantities, is_limit);
  if (!compares || by_arm || card.comparison == stats::Comparison::one_group) {
    section
        .report_at("subgroups", Code::inconsistent,
                   "{} gives no estimate of a difference between arms with its limits, so it has no subgroups", card.keyword)
        .hint = "put subgroups to an analysis that estimates: ancova, mmrm, cox, logistic, miettinen_nurminen, ...";
    return requests;
  }
  if (replays(card)) {
    section.report_at("subgroups", Code::inconsistent, "{} randomises the whole trial again, and has no subgroups", card.keyword);
    return requests;
  }
  const auto wrong = [&](Node const& node) {
    add_problem(section.problems(), node.place(), Code::wrong_type,
                "each of 'subgroups' in {} is an item, or {{ item = \"age@baseline\", cuts = [65] }}, and this is {}",
                section.name(), node.type_name());
  };
  if (!all->array()) {
    wrong(*all);
    return requests;
  }
  std::set<std::string> seen;
  for (Node const& node : *all->array()) {
    SubgroupRequest request{.item = {}, .cuts = {}, .place = node.place()};
    if (node.text()) {
      request.item = *node.text();
    } else if (node.table()) {
      Section table(node, "a subgroup of " + section.name(), section.problems());
      request.item = table.need_text("item").value_or("");
      if (auto cuts = table.numbers("cuts")) request.cuts = std::move(*cuts);
      for (std::size_t i = 1; i < request.cuts.size(); ++i)
        if (!(request.cuts[i - 1] < request.cuts[i])) {
          table.report_at("cuts", Code::inconsistent, "cuts increase, and {} is followed by {}", shortest(request.cuts[i - 1]),
                          shortest(request.cuts[i]));
          break;
        }
      table.finish();
    } else {
      wrong(node);
      continue;
    }
    if (request.item.empty()) continue;
    if (request.item == "arm" || request.item == "participant" || request.item == "visit")
      add_problem(section.problems(), request.place, Code::inconsistent, "'{}' cannot be a subgroup of {}", request.item,
                  section.name());
    else if (!seen.insert(request.item).second)
      add_problem(section.problems(), request.place, Code::duplicate, "'{}' is a subgroup of {} twice", request.item,
                  section.name());
    else requests.push_back(std::move(request));
  }
  return requests;
}

std::vector<std::string> band_names(std::vector<double> const& cuts) {
  if (cuts.empty()) return {};
  std::vector<std::string> names{"< " + shortest(cuts.front())};
  for (std::size_t i = 1; i < cuts.size(); ++i) names.push_back(shortest(cuts[i - 1]) + " to < " + shortest(cuts[i]));
  names.push_back("\u2265 " + shortest(cuts.back()));
  return names;
}

void plan_subgroups(std::vector<SubgroupRequest> const& requests, PlannedAnalysis& planned, Problems& problems) {
  const std::size_t reported = problems.size();
  Schema schema = planned.schema;
  for (SubgroupRequest const& request : requests) {
    const auto found = std::ranges::find(planned.schema, request.item, &ColumnSchema::name);
    if (found == planned.schema.end()) continue;  // reported with the covariates
    PlannedSubgroup subgroup{.item = request.item,
                             .column = request.item,
                             .place = std::size_t(found - planned.schema.begin()),
                             .cuts = request.cuts,
                             .levels = found->levels,
                             .runs = {}};
    if (found->numeric && request.cuts.empty()) {
      add_problem(problems, request.place, Code::missing_key, "'{}' is a number, and a subgroup needs to know where it is cut",
                  request.item)
          .hint = fmt::format("{{ item = \"{}\", cuts = [...] }}", request.item);
    } else if (!found->numeric && !request.cuts.empty()) {
      add_problem(problems, request.place, Code::inconsistent, "'{}' is a category, and only a number has cuts", request.item);
    } else if (!found->numeric && found->levels.size() < 2) {
      add_problem(problems, request.place, Code::missing_key, "the levels of '{}' are known only with the data", request.item)
          .hint = "list the sites in [sites]";
    } else {
      if (found->numeric) {
        subgroup.levels = band_names(request.cuts);
        subgroup.column = request.item + ".band";
        schema.push_back({.name = subgroup.column, .numeric = false, .levels = subgroup.levels});
      }
      planned.subgroups.push_back(std::move(subgroup));
    }
  }
  if (problems.size() > reported) return;
  const auto compiled = [&](Analysis const& analysis) -> std::optional<CompiledAnalysis> {
    auto made = compile(analysis, schema);
    if (made) return std::move(*made);
    problems.insert(problems.end(), made.error().begin(), made.error().end());
    return {};
  };
  const bool one_run = planned.runs.size() == 1 && planned.runs.front().analysis.options.find("formula");
  const Test test = one_run ? test_of(planned.runs.front().analysis, planned.recipe.by_visit()) : Test::none;
  const auto product = test == Test::likelihood_ratio ? product_with_arm(planned.runs.front().analysis) : std::nullopt;
  if (product && !planned.subgroups.empty()) {
    add_problem(
        problems, planned.runs.front().analysis.place, Code::inconsistent,
        "analysis '{}' has the product of the arm and '{}' in its formula, so that the arm has no one effect to look at in "
        "subgroups",
        planned.id, *product)
        .hint = "leave the product out: subgroups test it";
    return;
  }
  for (PlannedSubgroup& subgroup : planned.subgroups) {
    for (std::string const& level : subgroup.levels) {
      std::vector<PlannedRun>& runs = subgroup.runs.emplace_back();
      for (PlannedRun const& whole : planned.runs) {
        Analysis analysis = whole.analysis;
        analysis.where.push_back(RowFilter{.column = subgroup.column, .is = CellValue(level)});
        if (auto made = compiled(analysis)) runs.push_back({whole.at, std::move(analysis), std::move(*made)});
      }
    }
    if (test == Test::none) continue;
    if (test == Test::likelihood_ratio) subgroup.main = compiled(in_one_model(planned.runs.front().analysis, subgroup, false));
    subgroup.interaction = compiled(in_one_model(planned.runs.front().analysis, subgroup, true));
  }
}

void add_subgroups(protocol::Protocol const& protocol, PlannedAnalysis const& planned, data::Dataset const& dataset,
                   Workspace& workspace, results::Results& results) {
  if (planned.subgroups.empty()) return;
  const Question question = question_of(protocol, planned.id);
  protocol::Endpoint const& endpoint = *protocol.endpoint(planned.recipe.endpoint);
  const bool by_visit = planned.recipe.by_visit(), only = question.arms.size() == 1;
  const CutView cut(dataset, planned);
  const DatasetView all = cut.view();
  const DatasetView plain{all.rows, all.columns.first(planned.schema.size())};
  std::vector<std::string> arms = question.arms;
  arms.push_back(question.control);

  std::set<std::size_t> used;  // by the analysis itself, which runs first
  const auto run_level = [&](std::string const& name, std::vector<PlannedRun> const& runs, DatasetView const& view) {
    SubgroupLevel level{.level = name, .counts = {}, .effects = {}};
    Counts counts(dataset, endpoint, by_visit);
    std::vector<Finding> findings;
    std::vector<std::string> said;
    for (PlannedRun const& one : runs) {
      const auto outcome = one.compiled.run(view, workspace);
      if (!outcome) {
        if (std::ranges::find(level.notes, outcome.error().message) == level.notes.end())
          level.notes.push_back(outcome.error().message);
        continue;
      }
      counts.add(workspace.rows());
      said.insert(said.end(), outcome->answer.notes.begin(), outcome->answer.notes.end());
      for (Finding finding : outcome->answer.findings) {
        finding.at.insert(one.at.begin(), one.at.end());
        findings.push_back(std::move(finding));
      }
    }
    level.counts = counts.of_arms(arms);
    if (name.empty()) used = counts.rows();
    for (std::string const& arm : question.arms) {
      auto effect = effect_of(findings, arm, question, endpoint, runs.front().analysis, by_visit, only);
      level.effects.push_back(effect ? std::move(*effect) : SubgroupLevel::Effect{.arm = arm, .finding = {}});
    }
    if (std::ranges::any_of(level.effects, [](auto const& effect) { return std::isnan(effect.finding.value); }))
      for (std::string const& note : said)
        if (note.find("not estimable") != std::string::npos && std::ranges::find(level.notes, note) == level.notes.end())
          level.notes.push_back(note);
    return level;
  };

  Subgroup whole{.analysis = planned.id, .item = {}, .levels = {run_level("", planned.runs, plain)}};
  std::vector<Subgroup> made{std::move(whole)};
  for (PlannedSubgroup const& subgroup : planned.subgroups) {
    Subgroup one{
        .analysis = planned.id, .item = subgroup.item, .levels = {}, .missing = without_value(dataset, plain, subgroup, used)};
    for (std::size_t l = 0; l < subgroup.levels.size(); ++l)
      one.levels.push_back(run_level(subgroup.levels[l], subgroup.runs[l], all));
    const auto larger = subgroup.interaction ? std::optional(subgroup.interaction->run(all, workspace)) : std::nullopt;
    const auto smaller = subgroup.main ? std::optional(subgroup.main->run(all, workspace)) : std::nullopt;
    const bool none_of_one_model =
        !larger || (smaller && *smaller && *larger && ((*smaller)->answer.penalised || (*larger)->answer.penalised));
    if (none_of_one_model) {
      for (std::string const& arm : question.arms) one.interactions.push_back(heterogeneity(one.levels, arm));
    } else if (!*larger || (smaller && !*smaller)) {
      one.interactions.push_back({.arm = {}, .statistic = smaller ? "likelihood_ratio_chi_square" : "f"});
    } else {
      one.interactions.push_back(smaller ? likelihood_ratio((*smaller)->answer, (*larger)->answer)
                                         : f_test((*larger)->answer, subgroup.column));
    }
    made.push_back(std::move(one));
  }
  // A level in which nothing is estimable still says what it would be an estimate of.
  for (std::size_t a = 0; a < question.arms.size(); ++a) {
    Finding const& shown = made.front().levels.front().effects[a].finding;
    for (Subgroup& one : made)
      for (SubgroupLevel& level : one.levels)
        if (Finding& finding = level.effects[a].finding; finding.quantity.empty() || std::isnan(finding.value))
          finding = {
              .quantity = shown.quantity, .at = shown.at, .lower = missing_number, .upper = missing_number, .level = shown.level};
  }
  results.subgroups.insert(results.subgroups.end(), std::make_move_iterator(made.begin()), std::make_move_iterator(made.end()));
}

}  // namespace equipoise::analysis
