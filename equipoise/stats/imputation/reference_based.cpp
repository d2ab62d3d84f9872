#include "equipoise/stats/imputation/reference_based.h"

#include <algorithm>
#include <set>

#include "equipoise/core/text.h"
#include "equipoise/stats/imputation/imputation_answer.h"
#include "equipoise/stats/parts.h"
#include "equipoise/stats/repeated/mmrm.h"

namespace equipoise::stats {
namespace {

constexpr std::pair<std::string_view, ImputationVariance> variance_words[] = {{"jackknife", ImputationVariance::jackknife},
                                                                              {"bootstrap", ImputationVariance::bootstrap},
                                                                              {"bayes", ImputationVariance::bayes},
                                                                              {"approximate_bayes", ImputationVariance::approximate_bayes}};
constexpr std::pair<std::string_view, bool> shifted_words[] = {{"after_ice", false}, {"imputed", true}};
constexpr std::pair<std::string_view, bool> anchored_words[] = {{"repeated_sampling", false}, {"information_anchored", true}};
constexpr std::size_t most_grid_points = 10000;

/// The options of the imputation model, read by the mixed model's own parser; `levels` that only the analysis uses are kept from it.
class OptionsReader {
 public:
  OptionsReader(Roles const& roles, Section& options, std::vector<ColumnNeed>& needs)
      : roles_(roles), options_(options), needs_(needs) {}

  void read(ReferenceBasedImputation& method) {
    ImputationPlan& plan = method.plan;
    plan.roles = {.response = role(roles_, "response"),
                  .subject = role(roles_, "subject"),
                  .visit = role(roles_, "visit"),
                  .group = role(roles_, "group"),
                  .ice = role(roles_, "ice"),
                  .ice_reason = role(roles_, "ice_reason")};
    read_model(plan);
    read_analysis(method);
    read_strategies(plan);
    read_deltas(method);
    plan.at = options_.filled_text("at").value_or("");
    if (!plan.at.empty()) check_level("at", plan.roles.visit, plan.at);
    read_variance(method);
    method.level = parse_level(options_);
  }

 private:
  void read_model(ImputationPlan& plan) {
    std::vector<std::string> columns;
    if (Node const* formula = options_.node().find("formula"); formula && formula->text())
      if (const auto parsed = parse_formula(*formula->text())) columns = parsed->columns();
    Node::Table own;
    for (const std::string_view key : {"formula", "levels", "covariance", "covariance_by", "times", "estimation"}) {
      options_.allow(key);
      Node const* value = options_.node().find(key);
      if (!value) continue;
      Node given = *value;
      if (key == "levels" && value->table() && !columns.empty()) {
        Node::Table kept;
        for (Node::Member const& member : *value->table())
          if (std::find(columns.begin(), columns.end(), member.key) != columns.end()) kept.push_back(member);
        given = Node(std::move(kept), value->place());
      }
      own.push_back({std::string(key), options_.place_of(key), std::move(given)});
    }
    const Node node(std::move(own), options_.place());
    Section section(node, options_.name(), options_.problems());
    Roles of_model;
    for (const std::string_view name : {"response", "subject", "visit"})
      if (const auto found = roles_.find(name); found != roles_.end()) of_model.emplace(found->first, found->second);
    if (of_model.size() < 3) return;  // reported
    auto model = Mmrm::parse(of_model, section, Match::equipoise);
    if (!model) return;
    levels_ = model->model.levels;
    plan.model = {.roles = model->roles,
                  .formula = std::move(model->model.formula),
                  .covariance = std::move(model->covariance),
                  .times = std::move(model->times),
                  .estimation = model->estimation,
                  .group = plan.roles.group,
                  .reference = ""};
    for (ColumnNeed need : model->needs()) {
      if (need.name == plan.roles.response) need.drop_missing = false;
      add_need(needs_, std::move(need), options_);
    }
  }

  /// Levels of columns that only the analysis has.
  void read_analysis(ReferenceBasedImputation& method) {
    ImputationPlan& plan = method.plan;
    method.analysis_text = options_.need_text("analysis_formula").value_or("");
    if (method.analysis_text.empty()) return;
    auto parsed = parse_formula(method.analysis_text);
    if (!parsed) {
      options_.report_at("analysis_formula", parsed.error().code, "{}", parsed.error().message).hint = parsed.error().hint;
      return;
    }
    plan.analysis = std::move(*parsed);
    const std::vector<std::string> columns = plan.analysis.columns(), of_model = plan.model.formula.columns();
    const auto has = [](std::vector<std::string> const& list, std::string const& name) {
      return std::find(list.begin(), list.end(), name) != list.end();
    };
    if (has(columns, plan.roles.visit))
      options_.report_at("analysis_formula", Code::inconsistent, "each visit is analysed by itself: '{}' says nothing there",
                         plan.roles.visit);
    if (Node const* written = options_.node().find("levels"); written && written->table() && !of_model.empty()) {
      Section table(*written, "levels of " + options_.name(), options_.problems());
      for (Node::Member const& member : *written->table()) {
        if (has(of_model, member.key)) continue;
        if (!has(columns, member.key)) {
          options_.report_at("levels", Code::unresolved, "`levels` names the column '{}', which neither formula has", member.key);
          continue;
        }
        const auto texts = table.texts(member.key);
        if (!texts) continue;
        if (texts->size() < 2 || std::set<std::string>(texts->begin(), texts->end()).size() < texts->size())
          table.report_at(member.key, Code::out_of_range, "column '{}' needs two levels or more, none of them twice", member.key);
        levels_[member.key] = *texts;
      }
    }
    if (!plan.roles.group.empty() && !has(columns, plan.roles.group))
      options_.report_at("analysis_formula", Code::inconsistent, "the analysis compares groups, and its formula has no '{}'",
                         plan.roles.group);
    else if (!plan.roles.group.empty() && !of_model.empty() && !levels_.contains(plan.roles.group))
      options_.report_at("levels", Code::missing_key, "`levels` must list the groups of '{}'", plan.roles.group);
    for (std::string const& column : columns) {
      const auto found = levels_.find(column);
      if (found == levels_.end()) add_need(needs_, {column, Need::number}, options_);
      else add_need(needs_, {.name = column, .need = Need::category, .levels = found->second}, options_);
    }
  }

  void check_level(std::string_view key, std::string const& column, std::string const& level) {
    const auto known = levels_.find(column);
    if (known == levels_.end() || std::find(known->second.begin(), known->second.end(), level) != known->second.end()) return;
    Error& error = options_.report_at(key, Code::unresolved, "'{}' is not a level of '{}'; its levels are {}", level, column,
                                      quoted(known->second));
    if (const auto near = nearest(level, known->second)) error.hint = fmt::format("did you mean '{}'?", *near);
  }

  void read_strategies(ImputationPlan& plan) {
    plan.strategies.otherwise = options_.word<ImputationStrategy>("strategy", imputation_strategies);
    if (auto table = options_.table("strategies", "strategies of " + options_.name())) {
      for (Node::Member const& member : *table->node().table())
        if (const auto strategy = table->word<ImputationStrategy>(member.key, imputation_strategies))
          plan.strategies.by_reason[member.key] = *strategy;
      if (plan.roles.ice_reason.empty())
        options_.report_at("strategies", Code::missing_key,
                           "`strategies` goes by the reason of the intercurrent event, and no column has the role 'ice_reason'");
    }
    bool refers = plan.strategies.otherwise.value_or(ImputationStrategy::mar) != ImputationStrategy::mar;
    for (auto const& [reason, strategy] : plan.strategies.by_reason) refers = refers || strategy != ImputationStrategy::mar;
    if (!options_.has("strategy") && !options_.has("strategies"))
      options_.report_at("strategy", Code::missing_key, "{} needs the key 'strategy' or the table 'strategies'", options_.name()).hint =
          "strategy = \"jump_to_reference\"";
    if (refers && plan.roles.ice.empty())
      options_.report_at("strategy", Code::missing_key,
                         "the strategy holds after an intercurrent event, and no column has the role 'ice'");
    const auto groups = levels_.find(plan.roles.group);
    const auto reference = refers ? options_.need_text("reference") : options_.filled_text("reference");
    plan.model.reference = reference.value_or(groups != levels_.end() ? groups->second.front() : "");
    if (reference) check_level("reference", plan.roles.group, *reference);
  }

  void read_deltas(ReferenceBasedImputation& method) {
    ImputationPlan& plan = method.plan;
    if (auto table = options_.table("delta", "delta of " + options_.name()))
      for (Node::Member const& member : *table->node().table()) {
        std::vector<double> numbers;
        if (member.value.array()) numbers = table->numbers(member.key).value_or(std::vector<double>{});
        else if (const auto one = table->number(member.key)) numbers = {*one};
        if (numbers.empty() && member.value.array())
          table->report_at(member.key, Code::out_of_range, "`delta` of '{}' is a number, or one for each visit", member.key);
        check_level("delta", plan.roles.group, member.key);
        plan.delta[member.key] = std::move(numbers);
      }
    if (auto table = options_.table("tipping_point", "tipping_point of " + options_.name())) {
      TippingGrid grid;
      if (table->need("delta")) grid.delta = table->numbers("delta").value_or(std::vector<double>{});
      grid.delta_reference = table->numbers("delta_reference").value_or(std::vector<double>{0.0});
      table->finish();
      if (grid.delta.empty() || grid.delta_reference.empty() || grid.delta.size() * grid.delta_reference.size() > most_grid_points)
        options_.report_at("tipping_point", Code::out_of_range, "a tipping point is looked for at 1 to {} combinations of deltas",
                           most_grid_points);
      method.tipping = std::move(grid);
    }
    plan.shift_all = options_.word<bool>("delta_on", shifted_words).value_or(false);
    if (!plan.shift_all && plan.roles.ice.empty() && (method.tipping || !plan.delta.empty()))
      options_.report_at(method.tipping ? "tipping_point" : "delta", Code::missing_key,
                         "deltas are added after an intercurrent event, and no column has the role 'ice'")
          .hint = "delta_on = \"imputed\" adds them to every imputed value";
  }

  void read_variance(ReferenceBasedImputation& method) {
    method.variance = options_.word<ImputationVariance>("variance", variance_words).value_or(ImputationVariance::jackknife);
    const bool many = draws_values(method.variance), chain = method.variance == ImputationVariance::bayes;
    const auto whole = [&](std::string_view key, double least, double most, double otherwise) {
      return std::size_t(options_.integer(key, Limits{.min = least, .max = most}).value_or(std::int64_t(otherwise)));
    };
    method.samples = whole("samples", 2, 100000, many ? 200 : 1000);
    method.seed = std::uint64_t(options_.integer("seed", Limits{.min = 0, .max = 9007199254740992.0}).value_or(1));
    method.burn_in = whole("burn_in", 0, 1e6, 200);
    method.thin = whole("thin", 1, 1e5, 10);
    method.anchored = options_.word<bool>("errors", anchored_words).value_or(false);
    if (options_.has("errors") && many)
      options_.report_at("errors", Code::inconsistent, "'errors' belongs to conditional means: Rubin's rules have errors of their own");
    for (const std::string_view key : {"samples", "seed"})
      if (options_.has(key) && method.variance == ImputationVariance::jackknife)
        options_.report_at(key, Code::inconsistent, "a jackknife draws nothing: it has no '{}'", key);
    for (const std::string_view key : {"burn_in", "thin"})
      if (options_.has(key) && !chain)
        options_.report_at(key, Code::inconsistent, "'{}' belongs to variance = \"bayes\"", key);
  }

  Roles const& roles_;
  Section& options_;
  std::vector<ColumnNeed>& needs_;
  std::map<std::string, std::vector<std::string>> levels_;
};

}  // namespace

MethodCard const& ReferenceBasedImputation::card() {
  static const MethodCard card{
      .keyword = "reference_based_imputation",
      .title = "Reference-based imputation",
      .roles = {{"response", Need::number, Presence::required, "the analysed value, missing where it is to be imputed"},
                {"subject", Need::category, Presence::required, "participant"},
                {"visit", Need::category, Presence::required, "visit, in the order of its levels"},
                {"group", Need::category, Presence::required, "groups that are compared"},
                {"ice", Need::number, Presence::optional, "1 at and after the intercurrent event, else 0"},
                {"ice_reason", Need::category, Presence::optional, "reason of the event, read at its first visit"}},
      .options =
          {{"strategy",
            "mar | jump_to_reference | copy_reference | copy_increments_in_reference | last_mean_carried_forward",
            "mean after the event"},
           {"strategies", "{ reason = strategy }", "the same by the reason of the event"},
           {"reference", "a group", "reference of the strategies"},
           {"formula", "terms of the model: a + b, a:b, a * b", "imputation model, with intercept"},
           {"levels", "{ column = [level, ...] }", "categorical columns and their levels, the reference first"},
           {"covariance", "a structure of mmrm, or a list of them", "between the visits of a participant; a list is the order of fallback"},
           {"covariance_by", "a column", "each of its levels has a covariance of its own (one for all)"},
           {"times", "{ visit = number }", "of the visits, for a spatial structure"},
           {"estimation", "reml | ml", "likelihood of the imputation model (reml)"},
           {"analysis_formula", "terms of the model", "ANCOVA of the completed response at each visit"},
           {"at", "a visit", "of the question and the tipping point (the last)"},
           {"variance", "jackknife | bootstrap | bayes | approximate_bayes", "of the estimates (jackknife)"},
           {"errors", "repeated_sampling | information_anchored",
            "with conditional means: those of repeated trials, or as if what the strategy adds were known (repeated_sampling)"},
           {"samples", "whole number from 2", "bootstrap samples (1000) or imputed data sets (200)"},
           {"seed", "whole number from 0", "of the drawing (1)"},
           {"burn_in", "whole number from 0", "steps of the chain before the first draw (200)"},
           {"thin", "whole number from 1", "steps of the chain between draws (10)"},
           {"delta", "{ group = number or [number, ...] }", "added to imputed values, at every visit or visit by visit"},
           {"delta_on", "after_ice | imputed", "which imputed values deltas touch (after_ice)"},
           {"tipping_point", "{ delta = [number, ...], delta_reference = [number, ...] }", "shifts at which the comparison is repeated"},
           {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"}},
      .quantities = {"estimate", "se", "df", "lower", "upper", "p", "lambda", "tipping_point", "n_imputed", "n_subjects",
                     "n_observations", "neg2_log_likelihood"},
      .comparison = Comparison::all_arms};
  return card;
}

std::optional<ReferenceBasedImputation> ReferenceBasedImputation::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  ReferenceBasedImputation method;
  check_roles(card(), roles, options);
  OptionsReader(roles, options, method.needs_).read(method);
  GridRoles const& named = method.plan.roles;
  if (!named.group.empty()) add_need(method.needs_, {named.group, Need::category}, options);
  if (!named.ice.empty()) add_need(method.needs_, {named.ice, Need::number}, options);
  if (!named.ice_reason.empty())
    add_need(method.needs_, {.name = named.ice_reason, .need = Need::category, .drop_missing = false}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

Expected<Answer> ReferenceBasedImputation::run(Frame const& frame) const {
  auto analysis = ImputedAnalysis::make(frame, plan);
  if (!analysis) return tl::unexpected(analysis.error());
  if (!anchored || !(*analysis)->model) return answer_imputation(*this, **analysis);
  ImputationPlan at_random = plan;
  at_random.strategies = {.otherwise = ImputationStrategy::mar};
  at_random.delta.clear();
  auto base = ImputedAnalysis::make(frame, at_random);
  if (!base) return tl::unexpected(base.error());
  (*base)->anchor(**analysis);
  return answer_imputation(*this, **base, (*analysis)->grid);
}

}  // namespace equipoise::stats
