#include "equipoise/study/warnings.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "equipoise/analysis/ready_method.h"
#include "equipoise/analysis/replay.h"
#include "equipoise/core/text.h"

namespace equipoise::study {
namespace {

struct RandomisationFactor {
  std::string id;
  std::set<std::string> items;  ///< that its rule reads; "site" as such
};

/// The names (item, item@visit, site) in a text that is not an expression of the protocol: a rule of a factor, or a formula.
std::vector<std::string> names_in(std::string_view text) {
  std::vector<std::string> names;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '@'; };
  bool quoted = false;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '\'') quoted = !quoted;
    std::size_t end = i;
    while (!quoted && end < text.size() && letter(text[end])) ++end;
    if (end > i) names.emplace_back(text.substr(i, end - i));
    i = std::max(end, i + 1);
  }
  return names;
}

/// Opens derivations: the items that a name stands for, when it is read not after randomisation.
void open(protocol::Protocol const& protocol, std::string const& name, std::string const& default_visit,
          std::set<std::string>& items) {
  const auto at = name.find('@');
  const std::string base = name.substr(0, at), visit = at == std::string::npos ? default_visit : name.substr(at + 1);
  if (base == "site") items.insert(base);
  const protocol::Visit* known = protocol.visit(visit);
  if (!known || known->day.offset() > 0) return;
  if (protocol.item(base)) items.insert(base);
  else if (const protocol::Derivation* derivation = protocol.derivation(base); derivation && derivation->rule)
    for (std::string const& read : derivation->rule.variables()) open(protocol, read, visit, items);
}

std::vector<RandomisationFactor> factors_of(protocol::Protocol const& protocol) {
  std::vector<RandomisationFactor> factors;
  if (!protocol.randomisation) return factors;
  const Node* list = protocol.randomisation->section.find("factors");
  if (!list || !list->array()) return factors;
  for (Node const& row : *list->array()) {
    const Node *id = row.find("id"), *rule = row.find("rule");
    if (!id || !id->text()) continue;
    RandomisationFactor factor{.id = *id->text(), .items = {}};
    if (rule && rule->text())
      for (std::string const& name : names_in(*rule->text())) open(protocol, name, "", factor.items);
    else if (factor.id == "site") factor.items.insert("site");
    factors.push_back(std::move(factor));
  }
  return factors;
}

/// The items that an analysis adjusts for or is stratified by.
std::set<std::string> adjusted_for(protocol::Protocol const& protocol, protocol::Analysis const& analysis) {
  std::set<std::string> items;
  for (const std::string_view key : {"formula", "strata", "blocks"}) {
    const Node* value = analysis.section.find(key);
    if (!value) continue;
    std::vector<std::string> texts;
    if (value->text()) texts.push_back(*value->text());
    if (value->array())
      for (Node const& element : *value->array())
        if (element.text()) texts.push_back(*element.text());
    for (std::string const& text : texts)
      for (std::string const& name : names_in(text)) open(protocol, name, "", items);
  }
  return items;
}

}  // namespace

Problems warnings(protocol::Protocol const& protocol) {
  Problems found;
  const std::vector<RandomisationFactor> factors = factors_of(protocol);
  for (protocol::Analysis const& analysis : protocol.analyses) {
    if (analysis.role != "primary" || factors.empty()) continue;
    const stats::MethodCard* card = analysis::method_card(analysis.method);
    if (card && analysis::replays(*card)) continue;  // the replay balances what the randomisation balanced
    const std::set<std::string> items = adjusted_for(protocol, analysis);
    std::vector<std::string> ignored;
    for (RandomisationFactor const& factor : factors)
      if (std::ranges::none_of(factor.items, [&](std::string const& item) { return items.contains(item); }))
        ignored.push_back("'" + factor.id + "'");
    if (ignored.empty()) continue;
    add_problem(found, analysis.method_place, Code::inconsistent, "the primary analysis '{}' ignores {} {} of the randomisation",
                analysis.id, ignored.size() == 1 ? "the factor" : "the factors", one_of(ignored, "and"))
        .hint = "name it in 'strata' or 'formula', or an item at baseline that carries it";
  }
  sort_in_file_order(found);
  return found;
}

}  // namespace equipoise::study
