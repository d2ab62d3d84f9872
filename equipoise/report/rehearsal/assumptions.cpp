#include "equipoise/core/text.h"
#include "equipoise/report/rehearsal/tables.h"

namespace equipoise::report::rehearsal::tables {
namespace {

std::string as_text(Node const& node) {
  if (auto const* text = node.text()) return "\"" + *text + "\"";
  if (auto const* truth = node.boolean()) return *truth ? "true" : "false";
  if (auto const* list = node.array()) {
    std::string out;
    for (Node const& one : *list) out += (out.empty() ? "" : ", ") + as_text(one);
    return "[" + out + "]";
  }
  if (auto const* table = node.table()) {
    std::string out;
    for (auto const& member : *table) out += (out.empty() ? "" : ", ") + member.key + " = " + as_text(member.value);
    return "{ " + out + " }";
  }
  if (const auto number = node.number()) return shortest(*number);
  return canonical(node);
}

void add_lines(std::string const& path, Node const& node, std::vector<std::string>& out) {
  auto const* table = node.table();
  if (!table || table->empty()) {
    out.push_back(path + " = " + as_text(node));
    return;
  }
  for (auto const& member : *table) add_lines(path + "." + member.key, member.value, out);
}

}  // namespace

std::vector<std::string> scenario_lines(protocol::MethodSection const& scenario) {
  std::vector<std::string> out;
  if (auto const* table = scenario.section.table())
    for (auto const& member : *table)
      if (member.key != "id") add_lines(member.key, member.value, out);
  return out;
}

}  // namespace equipoise::report::rehearsal::tables
