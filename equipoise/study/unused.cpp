#include "equipoise/study/unused.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace equipoise::study {
namespace {

/// A key, the tables in which it is looked for, and what it is called. "form.*.*" is every item, "sites.site" every row of a
/// list.
struct Unused {
  std::string_view path, key, name;
};

constexpr std::array<Unused, 11> list{{
    {"sites.site", "time_zone", "'time_zone' of sites"},
    {"intervention", "amount", "'amount' of interventions"},
    {"intervention", "volume", "'volume' of interventions"},
    {"intervention", "weight_change_confirm", "'weight_change_confirm' of interventions"},
    {"form.*.*", "required", "'required' of items"},
    {"form.*.*", "soft", "'soft' of items"},
    {"form.*.*", "max", "'max' of items"},
    {"", "edit_check", "[[edit_check]]"},
    {"blinding", "unmasked", "'unmasked' of [blinding]"},
    {"blinding", "mask_from", "'mask_from' of [blinding]"},
    {"", "design", "[design]"},
}};

/// Whether a table at the path has the key; lists stand for all their tables.
bool has(Node const& node, std::string_view path, std::string_view key) {
  if (const Node::Array* rows = node.array())
    return std::ranges::any_of(*rows, [&](Node const& row) { return has(row, path, key); });
  if (!node.table()) return false;
  if (path.empty()) return node.find(key) != nullptr;
  const auto dot = path.find('.');
  const std::string_view step = path.substr(0, dot),
                         rest = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  if (step == "*")
    return std::ranges::any_of(*node.table(), [&](Node::Member const& member) { return has(member.value, rest, key); });
  const Node* next = node.find(step);
  return next && has(*next, rest, key);
}

}  // namespace

std::vector<std::string> not_used(Node const& document) {
  std::vector<std::string> names;
  for (Unused const& one : list)
    if (has(document, one.path, one.key)) names.emplace_back(one.name);
  return names;
}

}  // namespace equipoise::study
