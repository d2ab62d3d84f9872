#include <algorithm>
#include <array>

#include "equipoise/protocol/reader.h"
#include "equipoise/protocol/units.h"

namespace equipoise::protocol {
namespace {

using expression::Context;
using expression::Type;

void read_eligibility(Reader& reader, Section& root) {
  auto section = root.table("eligibility", "[eligibility]");
  if (!section) return;
  constexpr std::array<std::pair<std::string_view, bool>, 2> kinds{{{"inclusion", true}, {"exclusion", false}}};
  std::set<std::string> seen;
  for (Section& row : section->tables("criterion", "criterion")) {
    Criterion criterion;
    criterion.id = row.id("id").value_or("");
    row.rename(fmt::format("criterion '{}'", criterion.id));
    if (!criterion.id.empty()) reader.unique(seen, criterion.id, "criteria", row.place_of("id"));
    row.need("kind");
    criterion.inclusion = row.word<bool>("kind", kinds).value_or(true);
    criterion.rule = reader.rule(row, "rule", Context{}, {Type::truth}).value_or(expression::Expression{});
    row.need("text");
    criterion.text = reader.text(row, "text");
    row.finish();
    reader.protocol.criteria.push_back(std::move(criterion));
  }
  section->finish();
}

void read_edit_checks(Reader& reader, Section& root) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> severities{{{"hard", "hard"}, {"soft", "soft"}}};
  std::set<std::string> seen;
  for (Section& row : root.tables("edit_check", "edit check")) {
    EditCheck check;
    check.id = row.id("id").value_or("");
    row.rename(fmt::format("edit check '{}'", check.id));
    if (!check.id.empty()) reader.unique(seen, check.id, "edit checks", row.place_of("id"));
    check.form = row.need_text("form").value_or("");
    const bool known =
        check.form.empty() || reader.resolves(check.form, ids_of(reader.protocol.forms), "form", row.place_of("form"));
    if (known && !check.form.empty())
      check.rule = reader.rule(row, "rule", Context{.form = check.form}, {Type::truth}).value_or(expression::Expression{});
    else row.allow("rule");
    row.need("severity");
    check.severity = row.word<std::string_view>("severity", severities).value_or("hard");
    row.need("text");
    check.text = reader.text(row, "text");
    row.finish();
    reader.protocol.edit_checks.push_back(std::move(check));
  }
}

/// The words of a rule outside quotes: what a derivation may depend on, before anything can be type-checked.
std::set<std::string> words_in(std::string_view text) {
  std::set<std::string> words;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '\'') quoted = !quoted;
    std::size_t end = i;
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    while (!quoted && end < text.size() && letter(text[end])) ++end;
    if (end > i) words.emplace(text.substr(i, end - i));
    i = std::max(end, i + 1);
  }
  return words;
}

void read_derivation(Reader& reader, Section& section, Derivation& derivation) {
  derivation.unit = section.filled_text("unit").value_or("");
  if (!derivation.unit.empty())
    if (auto fine = check_unit(derivation.unit); !fine)
      reader.problems.push_back(std::move(fine.error()).at(section.place_of("unit")));
  derivation.label = reader.text(section, "label");
  if (derivation.label.empty()) derivation.label = {{{reader.protocol.trial.languages.front(), derivation.id}}};
  derivation.rule = reader.rule(section, "rule", Context{.at_visit = true}, {Type::number, Type::truth, Type::date})
                        .value_or(expression::Expression{});
  section.finish();
}

/// Derivations may use each other in any order of the file: each is read when all it depends on has been.
void read_derivations(Reader& reader, Section& root) {
  const Node* table = root.take("derivation");
  if (!table) return;
  if (!table->table())
    return root.report_at("derivation", Code::wrong_type, "derivations are written in the table [derivation]"), void();
  std::vector<Section> waiting;
  std::set<std::string> names;
  for (Node::Member const& member : *table->table()) {
    reader.nameable(member.key, member.place);
    if (reader.protocol.item(member.key))
      add_problem(reader.problems, member.place, Code::duplicate, "the derivation '{}' has the name of an item", member.key);
    if (!member.value.table()) {
      add_problem(reader.problems, member.place, Code::wrong_type, "derivation '{}' must be a table such as {{ rule = \"...\" }}",
                  member.key);
      continue;
    }
    reader.protocol.derivations.push_back({.id = member.key, .unit = {}, .label = {}, .rule = {}, .place = member.place});
    waiting.emplace_back(member.value, member.key, reader.problems);
    names.insert(member.key);
  }
  while (!waiting.empty()) {
    const auto ready = std::ranges::find_if(waiting, [&](Section& section) {
      const Node* rule = section.node().find("rule");
      const auto words = rule && rule->text() ? words_in(*rule->text()) : std::set<std::string>{};
      return std::ranges::none_of(words, [&](std::string const& word) { return names.contains(word); });
    });
    if (ready == waiting.end()) {
      for (Section& section : waiting)
        section.report_at("rule", Code::inconsistent, "the derivation '{}' depends on itself, directly or through another",
                          section.name());
      return;
    }
    names.erase(ready->name());
    Derivation& derivation = *std::ranges::find(reader.protocol.derivations, ready->name(), &Derivation::id);
    ready->rename(fmt::format("derivation '{}'", derivation.id));
    read_derivation(reader, *ready, derivation);
    waiting.erase(ready);
  }
}

void read_sets(Reader& reader, Section& root) {
  const Node* table = root.take("analysis_set");
  if (!table) return;
  if (!table->table())
    return root.report_at("analysis_set", Code::wrong_type, "analysis sets are written in the table [analysis_set]"), void();
  constexpr std::array<std::pair<std::string_view, bool>, 2> arms{{{"as_randomised", false}, {"as_treated", true}}};
  for (Node::Member const& member : *table->table()) {
    if (!is_id(member.key))
      add_problem(reader.problems, member.place, Code::syntax, "the id '{}' must begin with a-z and go on with a-z, 0-9 or '_'",
                  member.key);
    if (!member.value.table()) {
      add_problem(reader.problems, member.place, Code::wrong_type,
                  "analysis set '{}' must be a table such as {{ rule = \"randomised\" }}", member.key);
      continue;
    }
    Section section(member.value, fmt::format("analysis set '{}'", member.key), reader.problems);
    AnalysisSet set{.id = member.key, .label = {}, .rule = {}, .place = member.place};
    set.label = reader.text(section, "label");
    if (set.label.empty()) set.label = {{{reader.protocol.trial.languages.front(), set.id}}};
    set.rule = reader.rule(section, "rule", Context{}, {Type::truth}).value_or(expression::Expression{});
    set.as_treated = section.word<bool>("arm", arms).value_or(false);
    section.finish();
    reader.protocol.sets.push_back(std::move(set));
  }
}

/// Structure only: what the method makes of its own keys is its owner's business.
void read_randomisation(Reader& reader, Section& root) {
  auto section = root.table("randomisation", "[randomisation]");
  if (!section) return;
  const auto method = section->need_text("method");
  reader.protocol.randomisation = MethodSection{method.value_or(""), section->node(), section->place_of("method")};
  if (auto ratio = section->table("ratio", "the ratio of [randomisation]")) {
    for (Arm const& arm : reader.protocol.arms) ratio->need_number(arm.id, Limits::above(0));
    ratio->finish();
  }
  std::set<std::string> seen;
  for (Section& factor : section->tables("factors", "factor")) {
    const auto id = factor.id("id");
    if (id) reader.unique(seen, *id, "factors", factor.place_of("id"));
    factor.rename(fmt::format("factor '{}'", id.value_or("")));
    if (id && *id == "site" && !factor.has("rule")) {
      if (reader.protocol.sites.empty()) factor.report_at("id", Code::unresolved, "the factor 'site' needs the section [sites]");
      reader.protocol.randomisation_factors.push_back({*id, {}, factor.place_of("id")});
    } else if (auto rule = reader.rule(factor, "rule", Context{}, {Type::truth, Type::code}); rule && id) {
      reader.protocol.randomisation_factors.push_back({*id, std::move(*rule), factor.place_of("rule")});
    }
    factor.allow("caps");  // the room of the method reads them
    factor.finish();
  }
}

void read_blinding(Reader& reader, Section& root) {
  auto section = root.table("blinding", "[blinding]");
  if (!section) return;
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> kinds{
      {{"open", "open"}, {"single", "single"}, {"double", "double"}}};
  section->need("kind");
  reader.protocol.blinding = section->word<std::string_view>("kind", kinds).value_or("open");
  reader.protocol.unmasked_roles = section->texts("unmasked").value_or(std::vector<std::string>{});
  for (Section& mask : section->tables("mask_from", "mask_from")) {
    Mask& made = reader.protocol.masks.emplace_back();
    if (const auto items = mask.texts("items")) {
      made.items = *items;
      const Node* list = mask.node().find("items");
      for (std::size_t i = 0; i < items->size(); ++i)
        reader.resolves((*items)[i], ProtocolNames(reader.protocol).all_variables(), "item or derivation",
                        (*list->array())[i].place());
    }
    if (const auto after = mask.need_text("after"))
      reader.resolves(made.after = *after, ids_of(reader.protocol.visits), "visit", mask.place_of("after"));
    made.roles = mask.texts("roles").value_or(std::vector<std::string>{});
    made.entered_by = mask.filled_text("entered_by").value_or("");
    mask.finish();
  }
  section->finish();
}

}  // namespace

void read_rules(Reader& reader, Section& root) {
  read_derivations(reader, root);
  read_edit_checks(reader, root);
  read_eligibility(reader, root);
  read_randomisation(reader, root);
  read_blinding(reader, root);
  read_sets(reader, root);
}

}  // namespace equipoise::protocol
