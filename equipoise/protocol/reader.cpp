#include "equipoise/protocol/reader.h"

#include <algorithm>

#include "equipoise/core/text.h"

namespace equipoise::protocol {
namespace {

std::string_view type_name(expression::Type type) {
  constexpr std::string_view names[] = {"a number", "a truth", "a text", "a code", "a date", "a moment"};
  return names[int(type)];
}

}  // namespace

Text Reader::text(Section& section, std::string_view key) {
  const Node* value = section.take(key);
  if (!value) return {};
  if (const std::string* plain = value->text()) {
    if (trimmed(*plain).empty())
      add_problem(problems, value->place(), Code::out_of_range, "'{}' in {} must not be empty", key, section.name());
    const std::string language = protocol.trial.languages.empty() ? "en" : protocol.trial.languages.front();
    return {{{language, *plain}}};
  }
  Text text;
  if (const Node::Table* table = value->table()) {
    if (table->empty())
      add_problem(problems, value->place(), Code::out_of_range, "'{}' in {} must not be empty", key, section.name());
    for (Node::Member const& member : *table) {
      if (const std::string* words = member.value.text()) text.in_language.emplace_back(member.key, *words);
      else
        add_problem(problems, member.value.place(), Code::wrong_type, "'{}' in {} must be text in each language", key,
                    section.name());
      if (std::ranges::find(protocol.trial.languages, member.key) == protocol.trial.languages.end())
        add_problem(problems, member.place, Code::unresolved,
                    "'{}' in {} is in the language '{}', which is not one of the trial's languages", key, section.name(),
                    member.key);
    }
    return text;
  }
  add_problem(problems, value->place(), Code::wrong_type, "'{}' in {} must be text, or a table from language to text", key,
              section.name());
  return {};
}

bool Reader::resolves(std::string const& id, std::vector<std::string> const& known, std::string_view what, Place const& place) {
  if (std::ranges::find(known, id) != known.end()) return true;
  Error& error = add_problem(problems, place, Code::unresolved, "there is no {} '{}'", what, id);
  if (const auto near = nearest(id, known)) error.hint = fmt::format("did you mean '{}'?", *near);
  else if (!known.empty()) error.hint = fmt::format("known: {}", join(known, ", "));
  return false;
}

void Reader::nameable(std::string const& id, Place const& place) {
  if (!is_id(id))
    add_problem(problems, place, Code::syntax, "the id '{}' must begin with a-z and go on with a-z, 0-9 or '_'", id);
  for (const std::string_view taken : {"arm", "site", "randomised", "randomisation", "label"})
    if (id == taken)
      add_problem(problems, place, Code::inconsistent, "'{}' has a meaning of its own, and cannot name an item or a derivation",
                  id);
}

void Reader::unique(std::set<std::string>& seen, std::string const& id, std::string_view what, Place const& place) {
  if (!seen.insert(id).second) add_problem(problems, place, Code::duplicate, "the id '{}' is given to two {}", id, what);
}

std::optional<expression::Expression> Reader::rule(Section& section, std::string_view key, expression::Context const& context,
                                                   std::vector<expression::Type> const& allowed, bool required) {
  if (required && !section.need(key)) return {};
  const auto text = section.text(key);
  if (!text) return {};
  const Place place = section.place_of(key);
  const ProtocolNames names(protocol);
  auto parsed = expression::parse(*text, names, context, place, problems);
  if (parsed && std::ranges::find(allowed, parsed->type()) == allowed.end()) {
    std::vector<std::string> wanted;
    for (const expression::Type type : allowed) wanted.emplace_back(type_name(type));
    add_problem(problems, place, Code::wrong_type, "'{}' in {} must be {}, and is {}", key, section.name(), one_of(wanted),
                type_name(parsed->type()));
    return {};
  }
  return parsed;
}

std::vector<std::string> dated_events(Protocol const& protocol) {
  std::vector<std::string> events;
  for (Form const& form : protocol.forms) {
    if (!form.any_time || std::ranges::none_of(form.items, [](Item const& item) { return item.kind == ItemKind::date; }))
      continue;
    for (Item const& item : form.items)
      if (item.kind == ItemKind::code)
        for (CodeValue const& code : item.codes) events.push_back(code.id);
  }
  return events;
}

}  // namespace equipoise::protocol
