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

Node merged(protocol::Protocol const& protocol, std::size_t scenario) {
  Node const& own = protocol.scenarios[scenario].section;
  const Node* extends = own.find("extends");
  if (!extends || !extends->text()) return own;
  for (std::size_t earlier = scenario; earlier-- > 0;)  // `extends` names an earlier one, so this ends
    if (scenario_id(protocol.scenarios[earlier]) == *extends->text()) return merge(merged(protocol, earlier), own);
  return own;
}

}  // namespace equipoise::simulate
