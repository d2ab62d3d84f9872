#include "equipoise/simulate/candidate_rules.h"

#include <algorithm>

#include "equipoise/core/text.h"
#include "equipoise/expression/evaluate.h"
#include "equipoise/protocol/names.h"

namespace equipoise::simulate {
namespace {

using expression::Column;
using expression::Type;

constexpr double day_of_randomisation = 20000;  // any day: rules see differences of dates only

/// Candidates as expressions see them.
class CandidateTables final : public expression::Tables {
 public:
  CandidateTables(protocol::Protocol const& protocol, Layout const& layout, People const& people, double const* values)
      : protocol_(protocol), layout_(layout), people_(people), values_(values) {}

  std::size_t participants() const override { return people_.n; }
  std::vector<std::string> post_baseline_visits() const override { return {}; }
  std::vector<std::uint8_t> attended(std::string_view) const override { return std::vector<std::uint8_t>(people_.n, 1); }
  Column visit_date(std::string_view visit) const override {
    for (std::size_t v = 0; v < protocol_.visits.size(); ++v)
      if (protocol_.visits[v].id == visit) return numbers(people_.day + v * people_.stride, Type::date, day_of_randomisation);
    return Column::of_missing(Type::date, people_.n);
  }
  Column variable(std::string_view name, std::optional<std::string_view> visit) const override {
    const std::size_t n = people_.n;
    if (name == "randomised") return Column::of_truths(std::vector<std::uint8_t>(n, 1));
    if (name == "randomisation") return Column::of_numbers(std::vector<double>(n, day_of_randomisation), Type::date);
    if (name == "site") {
      std::vector<std::string> sites;
      for (protocol::Site const& site : protocol_.sites) sites.push_back(site.id);
      return Column::of_codes({people_.site, people_.site + n}, std::move(sites));
    }
    if (protocol::Derivation const* derivation = protocol_.derivation(name)) return evaluate(derivation->rule, *this, visit);
    protocol::Item const* item = protocol_.item(name);
    if (!item) return Column::of_missing(Type::code, n);
    std::optional<std::size_t> at;
    for (std::size_t v = 0; visit && v < protocol_.visits.size(); ++v)
      if (protocol_.visits[v].id == *visit) at = v;
    const auto cell = layout_.cell(name, at);
    if (!cell) return Column::of_missing(protocol::type_of(item->kind), n);
    double const* row = values_ + *cell * people_.stride;
    switch (item->kind) {
      case protocol::ItemKind::flag: {
        std::vector<std::uint8_t> truths(n);
        for (std::size_t i = 0; i < n; ++i) truths[i] = row[i] == 1;
        return Column::of_truths(std::move(truths));
      }
      case protocol::ItemKind::code: {
        std::vector<std::int32_t> codes(n);
        for (std::size_t i = 0; i < n; ++i) codes[i] = std::int32_t(row[i]);
        std::vector<std::string> levels;
        for (protocol::CodeValue const& code : item->codes) levels.push_back(code.id);
        return Column::of_codes(std::move(codes), std::move(levels));
      }
      case protocol::ItemKind::date:
        return numbers(row, Type::date, day_of_randomisation);
      default:
        return numbers(row, Type::number, 0);
    }
  }
  expression::Entries const& entries(std::string_view) const override {
    static const expression::Entries none{};
    return none;
  }

 private:
  Column numbers(double const* row, Type type, double plus) const {
    std::vector<double> values(row, row + people_.n);
    for (double& value : values) value += plus;
    return Column::of_numbers(std::move(values), type);
  }

  protocol::Protocol const& protocol_;
  Layout const& layout_;
  People const& people_;
  double const* values_;
};

void open(protocol::Protocol const& protocol, std::string const& name, std::string_view visit, std::vector<std::string>& items) {
  const auto at = name.find('@');
  const std::string base = name.substr(0, at);
  const std::string when = at == std::string::npos ? std::string(visit) : name.substr(at + 1);
  if (protocol::Derivation const* derivation = protocol.derivation(base)) {
    for (std::string const& read : derivation->rule.variables()) open(protocol, read, when, items);
    return;
  }
  std::string whole = protocol.item(base) && !when.empty() ? base + "@" + when : base;
  if (std::ranges::find(items, whole) == items.end()) items.push_back(std::move(whole));
}

/// The visits of what a rule reads; and what of it no candidate has.
std::vector<std::string> lacking(protocol::Protocol const& protocol, Layout const& layout, expression::Expression const& rule,
                                 std::vector<std::uint8_t>& visits) {
  std::vector<std::string> lacks;
  for (std::string const& form : rule.forms()) lacks.push_back(form);
  std::vector<std::size_t> read;
  for (std::string const& name : items_read(protocol, rule)) {
    const auto at = name.find('@');
    const std::string item = name.substr(0, at);
    if (item == "randomised" || item == "randomisation" || (item == "site" && !protocol.sites.empty())) continue;
    std::optional<std::size_t> visit;
    for (std::size_t v = 0; at != std::string::npos && v < protocol.visits.size(); ++v)
      if (protocol.visits[v].id == name.substr(at + 1)) visit = v;
    if (!layout.cell(item, visit) || (visit && protocol.visits[*visit].day.offset() > 0)) lacks.push_back(name);
    else if (visit) read.push_back(*visit);
  }
  if (lacks.empty())
    for (std::size_t v : read) visits[v] = 1;
  return lacks;
}

}  // namespace

std::vector<std::string> items_read(protocol::Protocol const& protocol, expression::Expression const& rule, std::string_view visit) {
  std::vector<std::string> items;
  for (std::string const& name : rule.variables()) open(protocol, name, visit, items);
  return items;
}

CandidateRules CandidateRules::compile(protocol::Protocol const& protocol, Layout const& layout, std::vector<std::string>& notes,
                                       Problems& problems) {
  CandidateRules rules;
  rules.protocol_ = &protocol, rules.layout_ = &layout;
  rules.visits_.assign(protocol.visits.size(), 0);
  for (std::size_t c = 0; c < protocol.criteria.size(); ++c) {
    protocol::Criterion const& criterion = protocol.criteria[c];
    if (!criterion.rule) continue;
    const auto lacks = lacking(protocol, layout, criterion.rule, rules.visits_);
    if (lacks.empty()) rules.criteria_.push_back({c, criterion.inclusion, criterion.rule});
    else notes.push_back(fmt::format("the criterion '{}' is taken as met: it reads {}, which is not simulated before randomisation",
                                     criterion.id, join(lacks, ", ")));
  }
  if (!protocol.randomisation) return rules;
  const Node* list = protocol.randomisation->section.find("factors");
  if (!list || !list->array()) return rules;
  for (Node const& row : *list->array()) {
    const Node *id = row.find("id"), *text = row.find("rule");
    if (!id || !id->text()) continue;
    Factor factor{.id = *id->text(), .rule = {}, .codes = {}};
    if (text && text->text()) {
      factor.rule = expression::parse(*text->text(), protocol::ProtocolNames(protocol), {}, text->place(), problems);
      if (!factor.rule) continue;
      if (const auto lacks = lacking(protocol, layout, *factor.rule, rules.visits_); !lacks.empty()) {
        add_problem(problems, text->place(), Code::unresolved,
                    "the randomisation needs the factor '{}', which reads {}, and that is not simulated before randomisation", factor.id,
                    join(lacks, ", "))
            .hint = "give it in the scenario: items = { ... }";
        continue;
      }
      if (factor.rule->type() == Type::code)
        for (std::string const& name : factor.rule->variables())
          if (protocol::Item const* item = protocol.item(name.substr(0, name.find('@'))))
            for (protocol::CodeValue const& code : item->codes) factor.codes.push_back(code.id);
    }
    rules.factors_.push_back(std::move(factor));
  }
  return rules;
}

void CandidateRules::decide(People const& people, double const* values, std::int32_t* failed, std::int32_t* levels) const {
  const CandidateTables tables(*protocol_, *layout_, people, values);
  std::fill(failed, failed + people.stride, -1);
  for (Criterion const& criterion : criteria_) {
    const Column column = evaluate(criterion.rule, tables);
    for (std::size_t i = 0; i < people.n; ++i)
      if (failed[i] < 0 && column.truth[i] != (criterion.inclusion ? 1 : 0)) failed[i] = std::int32_t(criterion.place);
  }
  for (std::size_t f = 0; f < factors_.size(); ++f) {
    std::int32_t* row = levels + f * people.stride;
    if (!factors_[f].rule) {
      std::copy(people.site, people.site + people.n, row);
      continue;
    }
    const Column column = evaluate(*factors_[f].rule, tables);
    for (std::size_t i = 0; i < people.n; ++i) {
      if (column.type == Type::truth) row[i] = column.truth[i] == 1;
      else row[i] = std::max<std::int32_t>(0, column.code[i]);
    }
  }
}

}  // namespace equipoise::simulate
