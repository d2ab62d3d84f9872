#include "equipoise/analysis/plan.h"

#include <algorithm>
#include <array>
#include <map>

#include "equipoise/analysis/alternatives.h"
#include "equipoise/analysis/ready_method.h"
#include "equipoise/analysis/repeated.h"
#include "equipoise/analysis/replay.h"
#include "equipoise/analysis/subgroups.h"
#include "equipoise/core/text.h"
#include "equipoise/data/outcome.h"
#include "equipoise/stats/formula.h"

namespace equipoise::analysis {
namespace {

using protocol::Endpoint;
using protocol::EndpointKind;
using protocol::Estimand;

/// Keys of an [[analysis]] that say on what it runs; all others belong to its method.
constexpr std::array<std::string_view, 14> common{"id",
                                                  "estimand",
                                                  "endpoint",
                                                  "set",
                                                  "role",
                                                  "method",
                                                  "by",
                                                  "after",
                                                  "label",
                                                  "strata",
                                                  "cluster",
                                                  "missing",
                                                  "constrained_baseline",
                                                  "subgroups"};

bool takes(stats::MethodCard const& card, std::string_view role) {
  return std::ranges::find(card.roles, role, &stats::RoleCard::name) != card.roles.end();
}

bool has_option(stats::MethodCard const& card, std::string_view option) {
  return std::ranges::find(card.options, option, &stats::OptionCard::name) != card.options.end();
}

Node text_node(std::string text, Place const& place) { return Node(std::move(text), place); }

std::string_view kind_name(EndpointKind kind) {
  constexpr std::string_view names[] = {"continuous", "binary", "a count", "a time to event"};
  return names[int(kind)];
}

class Planner {
 public:
  Planner(protocol::Protocol const& protocol, protocol::Analysis const& analysis, stats::MethodCard const& card,
          Problems& problems)
      : protocol_(protocol),
        analysis_(analysis),
        card_(card),
        problems_(problems),
        section_(analysis.section, fmt::format("analysis '{}'", analysis.id), problems),
        endpoint_(protocol.endpoint(analysis.endpoint)),
        estimand_(protocol.estimand(analysis.estimand)) {}

  std::optional<PlannedAnalysis> plan() {
    if (!endpoint_ || !protocol_.set(analysis_.set)) return {};  // reported by the protocol
    if (card_.roles.empty()) {
      section_.report_at("method", Code::inconsistent, "{} works on given numbers, and analysis '{}' has data", card_.keyword,
                         analysis_.id);
      return {};
    }
    std::vector<std::string> visits = endpoint_->visits;
    std::ranges::sort(visits);
    if (std::ranges::adjacent_find(visits) != visits.end()) return {};  // reported by the protocol
    const std::size_t reported = problems_.size();
    check_kind();
    check_arms();
    check_strategies();
    PlannedAnalysis planned{
        .id = analysis_.id,
        .recipe = {.set = analysis_.set, .endpoint = analysis_.endpoint, .estimand = analysis_.estimand, .covariates = {}},
        .schema = {},
        .runs = {}};
    planned.recipe.bounds = takes(card_, "left");
    read_repeated(protocol_, analysis_, card_, control(), section_, planned.recipe);
    read_missing(protocol_, analysis_, card_, section_, planned.recipe);
    roles(planned.recipe);
    if (replays(card_)) {
      replay_ = plan_replay(protocol_, *protocol_.set(analysis_.set), section_, planned.recipe, roles_);
      if (!replay_) return {};  // reported, here or with [randomisation]
    }
    subgroups_ = read_subgroups(section_, card_, analysis_.by == "arm");
    covariates(planned);
    doses_as_scores();
    planned.schema = data::schema(protocol_, planned.recipe, written_at_, problems_);
    if (problems_.size() > reported) return {};  // what follows would only say it again in other words
    add_runs(planned);
    if (analysis_.role == "primary" && planned.runs.size() == 1)
      planned.alternatives = alternatives_of(planned.runs.front().analysis, planned.schema);
    if (problems_.size() == reported) plan_subgroups(subgroups_, planned, problems_);
    return planned;
  }

 private:
  /// Some methods take a response or a time to event: then the endpoint decides.
  bool uses_time() const {
    return takes(card_, "time") && (!takes(card_, "response") || endpoint_->kind == EndpointKind::time_to_event);
  }

  /// The roles of the method against what the endpoint gives.
  void check_kind() {
    const bool wants_bounds = takes(card_, "left");
    const bool is_time = endpoint_->kind == EndpointKind::time_to_event;
    const bool wants_time = uses_time() || wants_bounds;
    if (wants_time != is_time)
      section_.report_at("method", Code::inconsistent, "{} needs {}, and endpoint '{}' is {}", card_.keyword,
                         wants_time ? "a time to event" : "a response", endpoint_->id, kind_name(endpoint_->kind));
    else if (wants_time && is_every() && !takes(card_, "start"))
      section_.report_at("method", Code::inconsistent, "{} needs a first event, and endpoint '{}' is an event that happens again",
                         card_.keyword, endpoint_->id);
    else if (wants_bounds &&
             !(endpoint_->at_visits && !endpoint_->time && endpoint_->event && endpoint_->event->is_first_of_visits()))
      section_
          .report_at(
              "method", Code::inconsistent,
              "{} needs an event that is seen only at visits, between two of which its time is not known, and endpoint '{}' "
              "is not one",
              card_.keyword, endpoint_->id)
          .hint = "such an endpoint has event = \"first(CONDITION)\" of items collected at visits, and observed = \"at_visits\"";
    else if (takes(card_, "cause"))
      section_
          .report_at("method", Code::not_available,
                     "{} needs the cause of each event, and a protocol cannot yet say that an endpoint has several: its "
                     "endpoints are of one kind of event",
                     card_.keyword)
          .hint = "the method is there for data with a column of causes: reference cases and the library";
    else if (wants_time && is_every() && !section_.has("cluster"))
      section_
          .report_at("method", Code::missing_key,
                     "endpoint '{}' is an event that happens again, and events of one participant are not independent",
                     endpoint_->id)
          .hint = "add cluster = \"participant\"";
    else if (card_.binary_response && endpoint_->kind != EndpointKind::binary)
      section_.report_at("method", Code::inconsistent, "{} needs a binary response, and endpoint '{}' is {}", card_.keyword,
                         endpoint_->id, kind_name(endpoint_->kind));
    else if (endpoint_->at.empty() && !endpoint_->visits.empty() && !models_visits(card_))
      section_.report_at("method", Code::inconsistent,
                         "{} needs one value a participant, and endpoint '{}' names several visits and no 'at'", card_.keyword,
                         endpoint_->id);
  }

  bool is_every() const { return endpoint_->event && endpoint_->event->gives_several(); }

  /// Whether the arms of one run are those that the method needs.
  void check_arms() {
    if (analysis_.by.empty() && card_.comparison == stats::Comparison::one_group)
      section_
          .report_at("method", Code::missing_key, "{} is computed for one group, and '{}' does not say for which", card_.keyword,
                     analysis_.id)
          .hint = "add by = \"arm\": one for each arm";
    if (analysis_.by == "arm" && has_option(card_, "formula"))
      section_.report_at("by", Code::inconsistent, "{} compares arms in its formula, and by = \"arm\" leaves one arm in each run",
                         card_.keyword);
  }

  void check_strategies() {
    if (!estimand_) return;
    for (protocol::Intercurrent const& ice : estimand_->intercurrent)
      if (const auto why = data::not_carried_out(*endpoint_, ice, models_visits(card_))) {
        Error& error = add_problem(problems_, ice.place, Code::not_available,
                                   "analysis '{}' ({}) does not implement the strategy of estimand '{}' for '{}'", analysis_.id,
                                   card_.keyword, estimand_->id, ice.event);
        error.hint = *why;
      }
  }

  void roles(data::Recipe const& recipe) {
    if (takes(card_, "left")) {
      roles_["left"] = {"left"};
      roles_["right"] = {"right"};
    } else if (uses_time()) {
      roles_["time"] = {"time"};
      roles_["event"] = {"event"};
      if (is_every()) roles_["start"] = {"start"};
    } else {
      roles_["response"] = {"response"};
    }
    if (recipe.by_visit()) {
      roles_["subject"] = {"participant"};
      if (takes(card_, "visit")) roles_["visit"] = {"visit"};
      if (recipe.ice) roles_["ice"] = {"ice"};
      if (!recipe.reasons.empty() && takes(card_, "ice_reason")) roles_["ice_reason"] = {"ice_reason"};
    }
    if (takes(card_, "group") && analysis_.by.empty()) roles_["group"] = {"arm"};
    for (const std::string_view role : {"strata", "cluster", "weight"}) {
      if (!section_.has(role) || (role == "weight" && has_option(card_, "weight"))) continue;
      if (!takes(card_, role)) {
        section_.report_at(role, Code::unknown_key, "{} takes no '{}'", card_.keyword, role);
        continue;
      }
      if (role == "strata") {
        roles_["strata"] = section_.texts("strata").value_or(std::vector<std::string>{});
        if (std::ranges::find(roles_["strata"], "arm") != roles_["strata"].end())
          section_.report_at("strata", Code::inconsistent, "'arm' cannot be a stratum: within it there is nothing to compare");
      } else if (const auto column = section_.text(role)) roles_[std::string(role)] = {*column};
    }
  }

  /// Options as the method's owner reads them: what the file says, with the default formula `arm` and the levels of its
  /// categories.
  void covariates(PlannedAnalysis& planned) {
    const auto want = [&](std::string const& name, std::string_view key) {
      written_at_.try_emplace(name, section_.place_of(key));
      const bool given =
          name == "arm" || name == "participant" || (models_visits(card_) && (name == "visit" || name == "assigned_arm"));
      if (given || std::ranges::find(planned.recipe.covariates, name) != planned.recipe.covariates.end()) return;
      planned.recipe.covariates.push_back(name);
    };
    for (const std::string_view role : {"strata", "cluster", "weight"})
      if (const auto columns = roles_.find(role); columns != roles_.end())
        for (std::string const& name : columns->second) want(name, role);
    for (SubgroupRequest const& one : subgroups_) want(one.item, "subgroups");
    if (const Node* by = analysis_.section.find("covariance_by"); by && by->text() && has_option(card_, "covariance_by"))
      want(*by->text(), "covariance_by");
    if (const Node* random = analysis_.section.find("random"); random && random->array() && has_option(card_, "random"))
      for (Node const& column : *random->array())
        if (column.text() && *column.text() != "1") want(*column.text(), "random");
    if (!has_option(card_, "formula") || (replay_ && !fits_model())) return;
    const Node* written = analysis_.section.find("formula");
    const Node* of_model = model_for_imputation("formula");
    formula_ = written && written->text()     ? *written->text()
               : of_model && of_model->text() ? *of_model->text()
               : planned.recipe.by_visit()    ? default_visit_formula(protocol_, planned.recipe)
                                              : "arm";
    if (written && !written->text()) return;  // the method's owner says what is wrong with it
    if (has_option(card_, "analysis_formula")) {
      const Node* own = analysis_.section.find("analysis_formula");
      analysis_formula_ = own && own->text() ? *own->text() : without_visit(formula_);
    }
    for (auto const& [formula, key] : {std::pair(formula_, "formula"), std::pair(analysis_formula_, "analysis_formula")}) {
      const auto parsed = stats::parse_formula(formula);
      if (!parsed) continue;
      const std::vector<std::string> columns = parsed->columns();
      for (std::string const& name : columns) want(name, key);
      if (const auto twice = baseline_twice(protocol_, planned.recipe, columns))
        section_.report_at(key, Code::inconsistent,
                           "'{}' is a response of {} already, by its constrained baseline, and cannot be a covariate too", *twice,
                           section_.name());
    }
  }

  /// Of a method whose statistic may be a coefficient of a model, and need not.
  bool fits_model() const {
    const Node* statistic = analysis_.section.find("statistic");
    return analysis_.section.find("formula") || (statistic && statistic->text() && *statistic->text() == "ancova");
  }

  /// What imputation takes from the mixed model of the same question, when it says nothing itself: its model of the visits.
  const Node* model_for_imputation(std::string_view key) const {
    if (!takes(card_, "ice") || analysis_.section.find(key)) return nullptr;
    for (protocol::Analysis const& other : protocol_.analyses)
      if (other.method == "mmrm" && other.endpoint == analysis_.endpoint && other.estimand == analysis_.estimand &&
          other.set == analysis_.set)
        if (const Node* found = other.section.find(key)) return found;
    return nullptr;
  }

  /// The option that scores the groups of this test: `scores`, or the `group_scores` of a correlation; "" when it has none.
  std::string_view score_key() const {
    for (stats::OptionCard const& option :
         card_.options)  // a word for `scores` says how participants are scored: no group has one
      if (option.name == "scores" && option.values.starts_with('{')) return option.name;
    const Node* statistic = analysis_.section.find("statistic");
    const bool correlation = statistic && statistic->text() && *statistic->text() == "nonzero_correlation";
    return correlation && has_option(card_, "group_scores") ? "group_scores" : "";
  }

  /// A trend over groups without scores takes the doses of the arms for them, and a test of ordered groups without an order the
  /// order of the doses, when every arm has one and all have one unit.
  void doses_as_scores() {
    const bool orders = has_option(card_, "order") && !section_.has("order");
    const std::string_view key = orders ? "order" : score_key();
    if (key.empty() || section_.has(key)) return;
    const auto refuse = [&](std::string const& why) {
      std::string const& first = protocol_.arms.front().id;
      section_
          .report_at("method", Code::missing_key, "{} needs {}, and {}", card_.keyword,
                     orders ? "the order of the arms" : "a score for each arm", why)
          .hint = orders ? fmt::format("give every arm a dose of one unit, or add order = [ \"{}\", ... ]", first)
                         : fmt::format("give every arm a dose of one unit, or add {} = {{ {} = 0, ... }}", key, first);
    };
    std::string const* unit = nullptr;
    for (protocol::Arm const& arm : protocol_.arms) {
      if (!arm.dose) return refuse(fmt::format("arm '{}' has no dose", arm.id));
      if (unit && *unit != arm.dose->unit)
        return refuse(fmt::format("the doses of the arms are in '{}' and in '{}'", *unit, arm.dose->unit));
      unit = &arm.dose->unit;
    }
    if (orders) return order_by_dose(refuse);
    for (protocol::Arm const& arm : protocol_.arms)
      scores_.push_back({arm.id, analysis_.place, Node(arm.dose->amount, analysis_.place)});
  }

  template <class Refuse>
  void order_by_dose(Refuse const& refuse) {
    std::vector<protocol::Arm const*> arms;
    for (protocol::Arm const& arm : protocol_.arms) arms.push_back(&arm);
    std::ranges::stable_sort(arms, {}, [](protocol::Arm const* arm) { return arm->dose->amount; });
    for (std::size_t i = 1; i < arms.size(); ++i)
      if (arms[i - 1]->dose->amount == arms[i]->dose->amount)
        return refuse(fmt::format("the doses of '{}' and '{}' are equal", arms[i - 1]->id, arms[i]->id));
    for (protocol::Arm const* arm : arms) order_.push_back(text_node(arm->id, analysis_.place));
  }

  /// The options table of the method with the keys that follow from the question added.
  Node options(PlannedAnalysis const& planned, std::string const& arm, std::string const& control) const {
    Node::Table members;
    for (Node::Member const& member : *analysis_.section.table())
      if (std::ranges::find(common, member.key) == common.end() && !(member.key == "weight" && roles_.contains("weight")))
        members.push_back(member);
    const Place place = analysis_.place;
    const auto absent = [&](std::string_view key) { return !analysis_.section.find(key); };
    if (!formula_.empty()) {
      if (absent("formula")) members.push_back({"formula", place, text_node(formula_, place)});
      if (!analysis_formula_.empty() && absent("analysis_formula"))
        members.push_back({"analysis_formula", place, text_node(analysis_formula_, place)});
      if (absent("levels")) members.push_back({"levels", place, levels(planned)});
    }
    if (planned.recipe.by_visit()) of_visits(planned.recipe, members);
    if (!scores_.empty()) members.push_back({std::string(score_key()), place, Node(Node::Table(scores_), place)});
    if (takes(card_, "left") && has_option(card_, "visits") && absent("visits")) {
      Node::Array days;
      std::vector<double> sorted;
      for (protocol::Visit const& visit : protocol_.visits)
        if (visit.day.offset() > 0) sorted.push_back(double(visit.day.offset()));
      std::ranges::sort(sorted);
      sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());  // not std::ranges::unique: Clang 14 cannot read it
      for (const double day : sorted) days.push_back(Node(day, place));
      members.push_back({"visits", place, Node(std::move(days), place)});
    }
    if (!order_.empty()) members.push_back({"order", place, Node(Node::Array(order_), place)});
    const bool compares_arms = has_option(card_, "factor") && in_formula("arm");
    if (compares_arms && absent("factor")) members.push_back({"factor", place, text_node("arm", place)});
    if (compares_arms && has_option(card_, "control") && absent("control") && factor() == "arm")
      members.push_back({"control", place, text_node(this->control(), place)});
    if (has_option(card_, "level") && absent("level"))
      members.push_back({"level", place, Node(protocol_.conventions.confidence, place)});
    if (has_option(card_, "difference") && !arm.empty() && absent("difference"))
      members.push_back(
          {"difference", place,
           Node(Node::Table{{"level", place, text_node(arm, place)}, {"minus", place, text_node(control, place)}}, place)});
    return Node(std::move(members), analysis_.section.place());
  }

  /// What follows from the visits of a long data set.
  void of_visits(data::Recipe const& recipe, Node::Table& members) const {
    const Place place = analysis_.place;
    const auto add = [&](std::string_view key, Node value) {
      if (has_option(card_, key) && !analysis_.section.find(key)) members.push_back({std::string(key), place, std::move(value)});
    };
    if (!endpoint_->at.empty()) add("at", text_node(endpoint_->at, place));
    add("reference", text_node(control(), place));
    for (const std::string_view key : {"covariance", "covariance_by", "estimation"})
      if (const Node* found = model_for_imputation(key)) add(key, *found);
    if (!model_for_imputation("covariance")) add("covariance", text_node("unstructured", place));
    add("family", text_node(endpoint_->kind == EndpointKind::binary  ? "binomial"
                            : endpoint_->kind == EndpointKind::count ? "poisson"
                                                                     : "gaussian",
                            place));
    Node::Array order;
    for (std::string const& visit : recipe.visits) order.push_back(text_node(visit, place));
    if (!in_formula("visit")) add("visits", Node(std::move(order), place));
    Node::Table days;
    for (std::string const& visit : recipe.visits)
      days.push_back({visit, place, Node(double(protocol_.visit(visit)->day.offset()), place)});
    const Node* covariance = analysis_.section.find("covariance");
    if (covariance && canonical(*covariance).find("spatial") != std::string::npos) add("times", Node(std::move(days), place));
  }

  bool in_formula(std::string_view column) const {
    const auto parsed = stats::parse_formula(formula_);
    if (!parsed) return false;
    const std::vector<std::string> columns = parsed->columns();
    return std::ranges::find(columns, column) != columns.end();
  }
  /// What the option `factor` says, or its default in a protocol.
  std::string factor() const {
    const Node* written = analysis_.section.find("factor");
    return written && written->text() ? *written->text() : "arm";
  }

  /// Categories of the formula with their order: the control first, so that effects are against it.
  Node levels(PlannedAnalysis const& planned) const {
    Node::Table table;
    std::vector<std::string> used;
    for (std::string const& formula : {formula_, analysis_formula_})
      if (const auto parsed = stats::parse_formula(formula))
        for (std::string& name : parsed->columns()) used.push_back(std::move(name));
    for (ColumnSchema const& column : planned.schema) {
      if (column.numeric || column.name == "participant") continue;
      if (std::ranges::find(used, column.name) == used.end()) continue;
      std::vector<std::string> order = column.levels;
      if (order.empty())
        add_problem(problems_, analysis_.place, Code::missing_key,
                    "analysis '{}' has '{}' in its formula, and its levels are known only with the data", analysis_.id,
                    column.name)
            .hint = "list the sites in [sites]";
      if (column.name == "arm")
        std::stable_partition(order.begin(), order.end(), [&](std::string const& arm) { return arm == control(); });
      std::vector<std::string> once;  // an id given twice is reported where it is given
      for (std::string const& level : order)
        if (std::ranges::find(once, level) == once.end()) once.push_back(level);
      Node::Array names;
      for (std::string const& level : once) names.push_back(text_node(level, analysis_.place));
      table.push_back({column.name, analysis_.place, Node(std::move(names), analysis_.place)});
    }
    return Node(std::move(table), analysis_.place);
  }

  std::string control() const {
    if (estimand_) return estimand_->against;
    const protocol::Arm* arm = protocol_.control();
    return arm ? arm->id : protocol_.arms.front().id;
  }

  std::vector<std::string> compared() const {
    if (estimand_) return estimand_->compare;
    std::vector<std::string> arms;
    for (protocol::Arm const& arm : protocol_.arms)
      if (arm.id != control()) arms.push_back(arm.id);
    return arms;
  }

  void add_runs(PlannedAnalysis& planned) {
    if (analysis_.by == "arm") {
      for (protocol::Arm const& arm : protocol_.arms)
        add_run(planned, arm.id, "", {RowFilter{.column = "arm", .is = CellValue(arm.id)}}, {{"group", arm.id}});
    } else if (card_.comparison == stats::Comparison::pairwise && roles_.contains("group")) {
      const std::vector<std::string> arms = compared();
      for (std::string const& arm : arms)
        add_run(planned, arm, control(),
                replay_ ? std::vector<RowFilter>{}  // everybody is randomised again
                        : std::vector{RowFilter{.column = "arm", .is_in = {CellValue(control()), CellValue(arm)}}},
                arms.size() == 1 ? At{} : At{{"level", arm}, {"minus", control()}});
    } else {
      add_run(planned, "", "", {}, {});
    }
  }

  void add_run(PlannedAnalysis& planned, std::string const& arm, std::string const& against, std::vector<RowFilter> where,
               At at) {
    Analysis analysis{.id = analysis_.id,
                      .method = analysis_.method,
                      .where = std::move(where),
                      .roles = roles_,
                      .options = options(planned, against.empty() ? "" : arm, against),
                      .match = match(),
                      .estimand = analysis_.estimand.empty() ? std::nullopt : std::optional(analysis_.estimand),
                      .place = analysis_.place,
                      .replay = replay_};
    auto compiled = compile(analysis, planned.schema);
    if (compiled) planned.runs.push_back({std::move(at), std::move(analysis), std::move(*compiled)});
    else problems_.insert(problems_.end(), compiled.error().begin(), compiled.error().end());
  }

  stats::Match match() const {
    if (protocol_.conventions.match == "r") return stats::Match::r;
    return protocol_.conventions.match == "sas" ? stats::Match::sas : stats::Match::equipoise;
  }

  protocol::Protocol const& protocol_;
  protocol::Analysis const& analysis_;
  stats::MethodCard const& card_;
  Problems& problems_;
  Section section_;
  Endpoint const* endpoint_;
  Estimand const* estimand_;
  stats::Roles roles_;
  std::shared_ptr<const stats::Replay> replay_;  // of a method that randomises the trial again
  std::vector<SubgroupRequest> subgroups_;
  std::string formula_, analysis_formula_;
  Node::Table scores_;                       // of the arms: their doses, where the analysis gives none
  Node::Array order_;                        // of the arms by their doses, where the analysis gives none
  std::map<std::string, Place> written_at_;  // of each covariate: where the analysis names it
};

}  // namespace

void plan_analysis(protocol::Protocol const& protocol, protocol::Analysis const& analysis, Plan& plan, Problems& problems) {
  const stats::MethodCard* card = method_card(analysis.method);
  expects(card != nullptr, "only methods of this build are planned");
  if (auto planned = Planner(protocol, analysis, *card, problems).plan()) plan.analyses.push_back(std::move(*planned));
}

}  // namespace equipoise::analysis
