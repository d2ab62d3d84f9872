#include "equipoise/simulate/merged.h"

#include <algorithm>

namespace equipoise::simulate {
namespace {

Node merge(Node const& base, Node const& over) {
  if (!base.table() || !over.table()) return over;
  Node::Table table = *base.table();
  for (Node::Member const& member : *over.table()) {
    const auto same = std::ranges::find(table, member.key, &Node::Member::key);
    if (same == table.end()) table.push_back(member);
    else {
      same->place = member.place;
      same->value = member.key == "effect" ? member.value : merge(same->value, member.value);
    }
  }
  return Node(std::move(table), over.place());
}

}  // namespace

std::string scenario_id(protocol::MethodSection const& scenario) {
  const Node* id = scenario.section.find("id");
  return id && id->text() ? *id->text() : "";
}

protocol::MethodSection merged(protocol::Protocol const& protocol, std::size_t scenario) {
  protocol::MethodSection whole = protocol.scenarios[scenario];
  const Node* extends = whole.section.find("extends");
  if (!extends || !extends->text()) return whole;
  for (std::size_t earlier = scenario; earlier-- > 0;)  // `extends` names an earlier one, so this ends
    if (scenario_id(protocol.scenarios[earlier]) == *extends->text()) {
      whole.section = merge(merged(protocol, earlier).section, whole.section);
      return whole;
    }
  return whole;
}

std::optional<Node> replaced(Node const& section, std::string_view path, Node const& value) {
  if (!section.table()) return {};
  const std::size_t dot = path.find('.');
  const std::string_view key = path.substr(0, dot);
  Node::Table table = *section.table();
  auto member = std::ranges::find(table, key, &Node::Member::key);
  if (member == table.end()) {
    table.push_back({std::string(key), value.place(), Node(Node::Table{}, value.place())});
    member = std::prev(table.end());
  }
  if (dot == std::string_view::npos) {
    member->value = value;
  } else {
    auto inner = replaced(member->value, path.substr(dot + 1), value);
    if (!inner) return {};
    member->value = std::move(*inner);
  }
  member->place = value.place();
  return Node(std::move(table), section.place());
}

}  // namespace equipoise::simulate
