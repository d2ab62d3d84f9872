#include "equipoise/protocol/visit_rows.h"

#include <algorithm>

#include "equipoise/protocol/toml.h"

namespace equipoise::protocol {
namespace {

Node text(std::string value) { return Node(std::move(value)); }
Node table(std::vector<std::pair<std::string, Node>> members) {
  Node::Table made;
  for (auto& [key, value] : members) made.push_back({std::move(key), {}, std::move(value)});
  return Node(std::move(made));
}

Node item_list(std::vector<Item const*> const& items) {
  Node::Array list;
  for (Item const* item : items) list.push_back(table({{"item", text(item->id)}, {"column", text(column_name(*item))}}));
  return Node(std::move(list));
}

Node source_of(Protocol const& protocol, VisitRows const& rows) {
  std::vector<std::pair<std::string, Node>> source;
  source.emplace_back("file", text(rows.file));
  source.emplace_back("rows", text("visits"));
  source.emplace_back("day", text("day"));
  source.emplace_back("visit", table({{"column", text("visit")}}));
  source.emplace_back("participant", text("participant"));
  if (!protocol.sites.empty()) source.emplace_back("site", text("site"));
  if (rows.arms) source.emplace_back("arm", table({{"column", text("arm")}, {"received", text("arm_received")}}));
  source.emplace_back("randomised", text("randomised"));
  source.emplace_back("randomisation_order", text("order"));
  source.emplace_back("follow_up", text("last_seen"));
  source.emplace_back("note", text(rows.note));
  if (!rows.items.empty()) source.emplace_back("item", item_list(rows.items));
  Node::Array entries;
  for (VisitRows::Form const& form : rows.forms) {
    Node::Array where;
    where.push_back(table({{"column", text("form")}, {"is", text(form.form->id)}}));
    entries.push_back(
        table({{"form", text(form.form->id)}, {"where", Node(std::move(where))}, {"items", item_list(form.items)}}));
  }
  if (!entries.empty()) source.emplace_back("entry", Node(std::move(entries)));
  return table(std::move(source));
}

}  // namespace

std::string column_name(Item const& item) { return item.form + "." + item.id; }

std::string site_text(Protocol const& protocol, Site const& site) {
  const bool taken =
      std::ranges::any_of(protocol.sites, [&](Site const& other) { return &other != &site && other.name == site.id; });
  return taken ? site.name : site.id;
}

Node with_member(Node const& from, std::string_view key, Node value) {
  Node::Table members = *from.table();
  const auto found = std::ranges::find(members, key, &Node::Member::key);
  if (found != members.end()) found->value = std::move(value);
  else members.push_back({std::string(key), {}, std::move(value)});
  return Node(std::move(members), from.place());
}

std::string protocol_with_source(Node const& document, Protocol const& protocol, VisitRows const& rows, std::string_view head) {
  Node::Table sections = *document.table();
  std::erase_if(sections, [](Node::Member const& section) { return section.key == "source"; });
  sections.push_back({"source", {}, source_of(protocol, rows)});
  return std::string(head) + write_toml(Node(std::move(sections)));
}

}  // namespace equipoise::protocol
