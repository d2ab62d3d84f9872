#include "equipoise/protocol/toml.h"

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"

namespace equipoise::protocol {
namespace {

class Converter {
 public:
  Converter(std::string const& file, Problems& problems) : file_(file), problems_(problems) {}

  Node convert(toml::node const& node) {
    const Place place = at(node.source());
    switch (node.type()) {
      case toml::node_type::table: return table(*node.as_table(), place);
      case toml::node_type::array: {
        Node::Array elements;
        for (toml::node const& element : *node.as_array()) elements.push_back(convert(element));
        return Node(std::move(elements), place);
      }
      case toml::node_type::string: return Node(node.as_string()->get(), place);
      case toml::node_type::integer: return Node(std::int64_t(node.as_integer()->get()), place);
      case toml::node_type::boolean: return Node(node.as_boolean()->get(), place);
      case toml::node_type::floating_point: {
        const double value = node.as_floating_point()->get();
        if (!std::isfinite(value)) report(problems_, place, Code::out_of_range, "a number must be finite, and this one is not");
        return Node(value, place);
      }
      case toml::node_type::date: {
        const toml::date date = node.as_date()->get();
        return Node(Date(std::chrono::year(date.year) / std::chrono::month(date.month) / std::chrono::day(date.day)), place);
      }
      default:
        report(problems_, place, Code::wrong_type, "clock times are not used in a protocol");
        return Node({}, place);
    }
  }

 private:
  Place at(toml::source_region const& source) const {
    return {.file = file_, .line = int(source.begin.line), .column = int(source.begin.column)};
  }

  /// toml++ sorts keys; people's order is that of the file.
  Node table(toml::table const& table, Place const& place) {
    Node::Table members;
    for (auto const& [key, value] : table) members.push_back({std::string(key.str()), at(key.source()), convert(value)});
    std::ranges::stable_sort(members, {}, [](Node::Member const& m) { return std::pair(m.place.line, m.place.column); });
    return Node(std::move(members), place);
  }

  std::string const& file_;
  Problems& problems_;
};

}  // namespace

Checked<Node> read_toml(std::string_view bytes, std::string const& file) {
  Problems problems;
  if (!is_utf8(bytes)) {
    report(problems, {.file = file}, Code::syntax, "the file is not UTF-8 text").hint = "save it as UTF-8";
    return fail(std::move(problems));
  }
  const toml::parse_result parsed = toml::parse(bytes, file);
  if (!parsed) {
    toml::parse_error const& error = parsed.error();
    const Place place{.file = file, .line = int(error.source().begin.line), .column = int(error.source().begin.column)};
    report(problems, place, Code::syntax, "not TOML: {}", error.description());
    return fail(std::move(problems));
  }
  Node root = Converter(file, problems).convert(parsed.table());
  if (!problems.empty()) return fail(std::move(problems));
  return root;
}

}  // namespace equipoise::protocol
