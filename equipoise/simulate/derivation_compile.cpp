#include <algorithm>
#include <limits>
#include <map>

#include "equipoise/core/text.h"
#include "equipoise/protocol/names.h"
#include "equipoise/simulate/derivation.h"

namespace equipoise::simulate {

using expression::Type;
using expression::flat::Node;
using expression::flat::Op;
using protocol::EndpointKind;

/// Binds a recipe to the arrays of a layout.
class DerivationCompiler {
 public:
  DerivationCompiler(protocol::Protocol const& protocol, Layout const& layout, data::Recipe const& recipe)
      : protocol_(protocol),
        layout_(layout),
        arrays_(layout),
        names_(protocol, layout, arrays_, graph_),
        compiler_(graph_, names_),
        made_(arrays_) {
    made_.recipe_ = recipe;
    made_.protocol_ = &protocol;
  }

  Expected<CompiledDerivation> make() {
    if (auto bound = bind_question(); !bound) return tl::unexpected(bound.error());
    if (auto bound = bind_schema(); !bound) return tl::unexpected(bound.error());
    bind_outcome();
    bind_events();
    for (std::size_t k = 0; k < made_.recipe_.covariates.size(); ++k) bind_covariate(made_.recipe_.covariates[k]);
    expects(made_.columns_.size() == made_.schema_.size(), "every column of the schema is bound");
    bind_days();
    if (!why_not_) why_not_ = compiler_.why_not();
    if (!why_not_) why_not_ = names_.why_not();
    if (why_not_) return fail(Code::not_available, "only the plain derivation can make the data: {}", *why_not_);
    made_.program_ = graph_.program(outputs_);
    return std::move(made_);
  }

 private:
  using Kind = CompiledDerivation::Kind;

  void refuse(std::string why) {
    if (!why_not_) why_not_ = std::move(why);
  }
  CompiledDerivation::Output output(Node node) {
    outputs_.push_back(node);
    return outputs_.size() - 1;
  }

  Expected<void> bind_question() {
    data::Recipe const& recipe = made_.recipe_;
    made_.endpoint_ = protocol_.endpoint(recipe.endpoint);
    protocol::AnalysisSet const* set = protocol_.set(recipe.set);
    if (!made_.endpoint_) return fail(Code::unresolved, "there is no endpoint '{}'", recipe.endpoint);
    if (!set) return fail(Code::unresolved, "there is no analysis set '{}'", recipe.set);
    made_.as_treated_ = set->as_treated;
    const Node member = compiler_.value(set->rule).node;
    made_.everybody_ = graph_.constant_value(member) == 1;
    made_.member_ = output(member);
    return {};
  }

  /// The columns of data::schema; each gets its kind.
  Expected<void> bind_schema() {
    Problems problems;
    made_.schema_ = data::schema(protocol_, made_.recipe_, {}, problems);
    if (!problems.empty()) return tl::unexpected(problems.front());
    const std::map<std::string_view, Kind> kinds{{"participant", Kind::participant},
                                                 {"arm", made_.recipe_.common_baseline.empty() ? Kind::arm : Kind::model_arm},
                                                 {"assigned_arm", Kind::arm},
                                                 {"visit", Kind::visit},
                                                 {"time", Kind::time},
                                                 {"event", Kind::event},
                                                 {"left", Kind::left},
                                                 {"right", Kind::right},
                                                 {"response", Kind::response},
                                                 {"ice", Kind::ice},
                                                 {"ice_reason", Kind::reason}};
    const std::size_t of_question = made_.schema_.size() - made_.recipe_.covariates.size();
    for (std::size_t k = 0; k < made_.schema_.size(); ++k) {
      for (std::size_t other = 0; other < k; ++other)
        if (made_.schema_[other].name == made_.schema_[k].name) refuse("two columns are named '" + made_.schema_[k].name + "'");
      if (k >= of_question) continue;
      const auto found = kinds.find(made_.schema_[k].name);
      if (found == kinds.end()) return fail(Code::not_available, "only the plain derivation makes '{}'", made_.schema_[k].name);
      made_.columns_.push_back({.kind = found->second});
    }
    if (std::string const& control = made_.recipe_.common_baseline; !control.empty()) {
      const auto arm = std::ranges::find(protocol_.arms, control, &protocol::Arm::id);
      if (arm == protocol_.arms.end() || !made_.recipe_.by_visit()) refuse("the constrained baseline is of no arm or visit");
      made_.control_ = std::int32_t(arm - protocol_.arms.begin());
    }
    return {};
  }

  void bind_outcome() {
    protocol::Endpoint const& endpoint = *made_.endpoint_;
    if (endpoint.kind != EndpointKind::time_to_event) return bind_values();
    if (made_.recipe_.by_visit() || made_.recipe_.ice || !made_.recipe_.events().empty())
      refuse("a time to event has no long form and no intercurrent-event column");
    if (endpoint.time) {
      made_.days_of_unit_ = data::days_of_unit(endpoint, protocol_.conventions);
      made_.time_ = output(compiler_.value(*endpoint.time).node);
      made_.event_ = output(compiler_.value(*endpoint.event).node);
      if (endpoint.time->type() != Type::number || made_.recipe_.bounds) refuse("the time is no number, or has bounds");
      return;
    }
    if (endpoint.event->gives_several()) return refuse("an event that can happen again has several rows a participant");
    made_.event_at_visits_ = endpoint.event->forms().empty();
    made_.event_ = output(compiler_.value(*endpoint.event).node);
    if (made_.recipe_.bounds && endpoint.event->is_first_of_visits())
      for (const auto [truth, day] : compiler_.seen(*endpoint.event))
        if (!graph_.always_missing(truth)) made_.seen_.push_back({output(truth), output(day)});
  }

  void bind_values() {
    protocol::Endpoint const& endpoint = *made_.endpoint_;
    const Type type = endpoint.variable->type();
    if (type != Type::number && type != Type::truth) refuse("the endpoint is neither a number nor a truth");
    visits_ = data::visits_read(endpoint, made_.recipe_);
    if (visits_.empty()) {
      const double always = std::numeric_limits<double>::infinity();
      made_.target_ = made_.window_end_ = {always};
      made_.values_ = {output(compiler_.value(*endpoint.variable).node)};
    }
    for (std::string const& id : visits_) {
      protocol::Visit const& visit = *protocol_.visit(id);
      made_.target_.push_back(visit.day.offset());
      made_.window_end_.push_back(visit.day.offset() + visit.days_after);
      const Node value = compiler_.value(*endpoint.variable, id).node;
      made_.values_.push_back(output(value));
      if (endpoint.transform == "log" && endpoint.kind != EndpointKind::binary)
        made_.scaled_.push_back(output(graph_.add(Op::log, {value})));
    }
  }

  /// Where a trial would record an event.
  std::vector<CompiledDerivation::Event> places_of(std::string const& event) const {
    std::vector<CompiledDerivation::Event> places;
    for (std::size_t f = 0; f < layout_.forms.size(); ++f)
      for (std::size_t k = 0; k < layout_.forms[f].items.size(); ++k) {
        protocol::Item const& item = *layout_.forms[f].items[k];
        const auto level = std::ranges::find(item.codes, event, &protocol::CodeValue::id);
        if (item.kind == protocol::ItemKind::code && level != item.codes.end())
          places.push_back({f, k, double(level - item.codes.begin())});
      }
    return places;
  }

  void bind_events() {
    if (const protocol::Estimand* estimand = protocol_.estimand(made_.recipe_.estimand))
      for (protocol::Intercurrent const& ice : estimand->intercurrent) made_.strategies_.push_back({&ice, places_of(ice.event)});
    for (std::string const& event : made_.recipe_.events()) made_.ice_.push_back({nullptr, places_of(event)});
  }

  void bind_covariate(std::string const& written) {
    const data::CovariateName name = data::covariate_name(written);
    const bool of_row = made_.recipe_.by_visit() && name.visit.empty();
    CompiledDerivation::Column column{.kind = Kind::item, .transform = name.transform};
    if (of_row && name.item == "visit_day") {
      column.kind = Kind::visit_day;
    } else if (of_row && name.item == "target_day") {
      column.kind = Kind::target_day;
    } else if (name.item == "site" && name.visit.empty()) {
      column.from = {output(compiler_.named("site").node)};
    } else {
      bind_item(column, name, of_row);
    }
    made_.columns_.push_back(std::move(column));
  }

  void bind_item(CompiledDerivation::Column& column, data::CovariateName const& name, bool of_row) {
    const protocol::Item* item = protocol_.item(name.item);
    const protocol::Derivation* derivation = protocol_.derivation(name.item);
    const Type type = item ? protocol::type_of(item->kind) : derivation->rule.type();
    const bool code_of_rule = !item && type == Type::code;  // schema calls it a number
    if (type == Type::date || type == Type::moment || type == Type::text || code_of_rule)
      return refuse("'" + name.item + "' is " + std::string(phrase(type)));
    if (!of_row && name.visit.empty()) return refuse("'" + name.item + "' is read at no visit");
    const auto bind = [&](std::string const& visit) {
      const Node node = compiler_.named(name.item, visit).node;
      column.from.push_back(output(name.transform == "log" ? graph_.add(Op::log, {node}) : node));
    };
    if (!of_row) bind(name.visit);
    else std::ranges::for_each(made_.recipe_.visits, bind);
    if (name.transform == "log") column.transform.clear();  // once a participant and not once a row
  }

  /// The days of the visits, where a strategy, the column `ice` or a covariate looks at them.
  void bind_days() {
    const bool strategies = std::ranges::any_of(made_.strategies_, [](CompiledDerivation::Wanted const& wanted) {
      return wanted.strategy->strategy != protocol::Strategy::treatment_policy && !wanted.events.empty();
    });
    const bool covariate = std::ranges::any_of(made_.columns_, [](auto const& column) { return column.kind == Kind::visit_day; });
    if (!strategies && !covariate && !made_.recipe_.ice) return;
    for (std::size_t v = 0; v < visits_.size(); ++v) {
      made_.days_.push_back(output(names_.visit(visits_[v]).day));
      std::vector<CompiledDerivation::Output>& recorded = made_.recorded_.emplace_back();
      for (const Node node : names_.recorded(visits_[v])) recorded.push_back(output(node));
    }
  }

  protocol::Protocol const& protocol_;
  Layout const& layout_;
  TrialArrays arrays_;
  expression::flat::Graph graph_;
  TrialNames names_;
  expression::flat::Compiler compiler_;
  CompiledDerivation made_;
  std::vector<Node> outputs_;
  std::vector<std::string> visits_;  // at which the endpoint is read
  std::optional<std::string> why_not_;
};

Expected<CompiledDerivation> compile(protocol::Protocol const& protocol, Layout const& layout, data::Recipe const& recipe) {
  return DerivationCompiler(protocol, layout, recipe).make();
}

}  // namespace equipoise::simulate
