#include "equipoise/core/node.h"

#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"

namespace equipoise {

std::optional<double> Node::number() const {
  if (const auto* whole = std::get_if<std::int64_t>(&value_)) return double(*whole);
  if (const auto* real = std::get_if<double>(&value_)) return *real;
  return {};
}

std::optional<std::int64_t> Node::integer() const {
  if (const auto* whole = std::get_if<std::int64_t>(&value_)) return *whole;
  constexpr double exactly = 9007199254740992.0;  // 2^53: beyond it doubles skip integers
  if (const auto* real = std::get_if<double>(&value_); real && std::trunc(*real) == *real && std::abs(*real) <= exactly)
    return static_cast<std::int64_t>(*real);
  return {};
}

Node const* Node::find(std::string_view key) const {
  const Table* members = table();
  if (!members) return nullptr;
  const auto found = std::ranges::find(*members, key, &Member::key);
  return found == members->end() ? nullptr : &found->value;
}

std::string_view Node::type_name() const {
  constexpr std::string_view names[] = {"nothing", "true or false", "a whole number", "a number",
                                        "text",    "a date",        "a list",         "a table"};
  return names[value_.index()];
}

namespace {

void append_text(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\', out += c;
    else if (static_cast<unsigned char>(c) < 0x20) out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    else out += c;
  }
  out += '"';
}

void append(std::string& out, Node const& node) {
  if (node.is_null()) out += "null";
  else if (const bool* flag = node.boolean()) out += *flag ? "true" : "false";
  else if (const auto* whole = std::get_if<std::int64_t>(&node.value()); whole && std::abs(double(*whole)) > 9007199254740992.0)
    out += fmt::format("{}", *whole);  // digits that a double would lose
  else if (const auto number = node.number()) out += shortest(*number);
  else if (const auto* text = node.text()) append_text(out, *text);
  else if (const auto* date = node.date()) out += "{\"date\":\"" + to_string(*date) + "\"}";
  else if (const auto* array = node.array()) {
    out += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (i > 0) out += ',';
      append(out, (*array)[i]);
    }
    out += ']';
  } else {
    std::vector<Node::Member const*> members;
    for (Node::Member const& member : *node.table()) members.push_back(&member);
    std::ranges::sort(members, {}, [](Node::Member const* m) -> std::string const& { return m->key; });
    out += '{';
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out += ',';
      append_text(out, members[i]->key);
      out += ':';
      append(out, members[i]->value);
    }
    out += '}';
  }
}

}  // namespace

std::string canonical(Node const& node) {
  std::string out;
  append(out, node);
  return out;
}

}  // namespace equipoise
