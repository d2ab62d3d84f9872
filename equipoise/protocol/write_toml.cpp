#include <algorithm>

#include "equipoise/core/text.h"
#include "equipoise/protocol/toml.h"

namespace equipoise::protocol {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
        else out += c;
    }
  }
  return out + '"';
}

std::string key_text(std::string_view key) {
  const auto bare = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !key.empty() && std::ranges::all_of(key, bare) ? std::string(key) : quoted(key);
}

std::string in_line(Node const& node);

std::string in_line(Node::Table const& table) {
  std::vector<std::string> members;
  for (Node::Member const& member : table) members.push_back(key_text(member.key) + " = " + in_line(member.value));
  return members.empty() ? "{}" : "{ " + join(members, ", ") + " }";
}

std::string in_line(Node::Array const& array) {
  std::vector<std::string> elements;
  for (Node const& element : array) elements.push_back(in_line(element));
  return "[" + join(elements, ", ") + "]";
}

std::string in_line(Node const& node) {
  if (Node::Table const* table = node.table()) return in_line(*table);
  if (Node::Array const* array = node.array()) return in_line(*array);
  if (std::string const* text = node.text()) return quoted(*text);
  if (bool const* truth = node.boolean()) return *truth ? "true" : "false";
  if (Date const* date = node.date()) return to_string(*date);
  if (auto const* integer = std::get_if<std::int64_t>(&node.value())) return fmt::format("{}", *integer);
  expects(node.number().has_value(), "a document holds no null");
  const double number = *node.number();
  const std::string digits = shortest(number);
  return digits.find_first_not_of("-0123456789") == std::string::npos ? digits + ".0" : digits;
}

bool is_list_of_tables(Node const& node) {
  Node::Array const* array = node.array();
  return array && !array->empty() && std::ranges::all_of(*array, [](Node const& element) { return element.table() != nullptr; });
}

/// The lines of a table: first what stands behind its header, then tables with headers of their own. Behind the first of these
/// nothing else may come, so a table is in line when a later member must be.
class Writer {
 public:
  std::string out;

  void lines(Node::Table const& table, std::string const& path, int depth) {
    std::size_t headed = table.size();
    while (headed > 0 && may_have_header(table[headed - 1].value, depth)) --headed;
    for (std::size_t i = 0; i < table.size(); ++i) {
      const std::string key = key_text(table[i].key);
      if (i < headed) line(key, table[i].value);
      else headers(path.empty() ? key : path + "." + key, table[i].value, depth);
    }
  }

 private:
  static constexpr int deepest_header = 2;  // [form.lab]

  static bool may_have_header(Node const& node, int depth) {
    return depth < deepest_header && (node.table() || (depth == 0 && is_list_of_tables(node)));
  }

  void line(std::string const& key, Node const& value) {
    if (!is_list_of_tables(value)) {
      out += key + " = " + in_line(value) + "\n";
      return;
    }
    out += key + " = [\n";
    for (Node const& element : *value.array()) out += "  " + in_line(element) + ",\n";
    out += "]\n";
  }

  void headers(std::string const& path, Node const& value, int depth) {
    if (Node::Table const* table = value.table()) {
      out += fmt::format("\n[{}]\n", path);
      lines(*table, path, depth + 1);
      return;
    }
    for (Node const& element : *value.array()) {
      out += fmt::format("\n[[{}]]\n", path);
      lines(*element.table(), path, deepest_header);
    }
  }
};

}  // namespace

std::string toml_value(Node const& value) { return in_line(value); }

std::string write_toml(Node const& root) {
  expects(root.table() != nullptr, "a document is a table");
  Writer writer;
  writer.lines(*root.table(), {}, 0);
  return std::move(writer.out);
}

}  // namespace equipoise::protocol
