#include "equipoise/analysis/reference_case.h"

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include "equipoise/core/json.h"
#include "equipoise/core/section.h"

namespace equipoise::analysis {
namespace {

/// `at` keys of the format whose value is a text or a number; the others have a structure of their own.
constexpr std::array<std::string_view, 13> plain_keys{"group", "time", "prob",      "side",       "cause", "row",     "column",
                                                      "model", "dose", "parameter", "event_term", "index", "contrast"};
constexpr std::array<std::string_view, 2> shift_keys{"baseline", "post"};

bool is_plain(std::string_view key) {
  return std::ranges::find(plain_keys, key) != plain_keys.end() || std::ranges::find(shift_keys, key) != shift_keys.end();
}

std::optional<CellValue> cell_value(Node const& node) {
  if (const std::string* text = node.text()) return CellValue(*text);
  if (const auto number = node.number()) return CellValue(*number);
  return {};
}

class CaseReader {
 public:
  CaseReader(Node const& node, Problems& problems) : problems_(problems), section_(node, "the case", problems) {}

  std::optional<ReferenceCase> read() {
    const std::size_t before = problems_.size();
    ReferenceCase made;
    made.analysis.place = section_.place();
    made.analysis.id = section_.need_text("id").value_or("");
    if (!made.analysis.id.empty()) section_.rename(fmt::format("case '{}'", made.analysis.id));
    made.analysis.method = section_.need_text("method").value_or("");
    made.source = section_.text("source").value_or("");
    made.data = read_data();
    for (Section& rule : section_.tables("where", "a rule of " + section_.name()))
      if (auto filter = read_filter(rule)) made.analysis.where.push_back(std::move(*filter));
    read_roles(made.analysis.roles);
    if (Node const* options = section_.take("options")) {
      made.analysis.options = *options;
      if (!options->table())
        add_problem(problems_, section_.place(), Code::wrong_type, "'options' in {} must be a table, and is {}", section_.name(),
                    options->type_name());
    }
    section_.need("expect");
    for (Section& expected : section_.tables("expect", "an expected value of " + section_.name()))
      made.expect.push_back(read_expected(expected));
    if (made.expect.empty() && problems_.size() == before)
      add_problem(problems_, section_.place(), Code::no_data, "{} expects nothing", section_.name());
    section_.finish();
    if (problems_.size() != before) return {};
    return made;
  }

 private:
  std::optional<std::string> read_data() {
    Node const* node = section_.need("data");
    if (!node || node->is_null()) return {};
    std::string const* name = node->text();
    if (!name || name->empty()) {
      add_problem(problems_, section_.place(), Code::wrong_type, "'data' in {} must be the name of a file or null, and is {}",
                  section_.name(), node->type_name());
      return {};
    }
    // A case names data below its data folder; a file of cases must not be able to read anything else.
    bool outside = name->front() == '/' || name->find('\\') != std::string::npos || name->find('\0') != std::string::npos;
    for (std::size_t at = 0; at <= name->size() && !outside;) {
      const std::size_t end = std::min(name->find('/', at), name->size());
      outside = name->substr(at, end - at) == "..";
      at = end + 1;
    }
    if (outside)
      add_problem(problems_, section_.place(), Code::out_of_range,
                  "the data of {} must be a file below the data folder, and are '{}'", section_.name(), *name);
    return *name;
  }

  std::optional<RowFilter> read_filter(Section& rule) {
    const std::size_t before = problems_.size();
    RowFilter filter;
    filter.column = rule.need_text("column").value_or("");
    const auto value = [&](std::string_view key) -> std::optional<CellValue> {
      Node const* node = rule.take(key);
      if (!node) return {};
      auto got = cell_value(*node);
      if (!got)
        add_problem(problems_, rule.place(), Code::wrong_type, "'{}' in {} must be text or a number, and is {}", key, rule.name(),
                    node->type_name());
      return got;
    };
    filter.is = value("is");
    filter.is_not = value("not");
    if (Node const* node = rule.take("in")) {
      const Node::Array none;
      Node::Array const& list = node->array() ? *node->array() : none;
      for (Node const& element : list)
        if (auto got = cell_value(element)) filter.is_in.push_back(std::move(*got));
      if (filter.is_in.empty() || filter.is_in.size() != list.size())
        add_problem(problems_, rule.place(), Code::wrong_type, "'in' in {} must be a list of texts and numbers", rule.name());
    }
    filter.present = rule.flag("present");
    filter.min = rule.number("min");
    filter.max = rule.number("max");
    rule.finish();
    if (problems_.size() == before && !filter.is && !filter.is_not && filter.is_in.empty() && !filter.present && !filter.min &&
        !filter.max)
      add_problem(problems_, rule.place(), Code::missing_key, "{} needs one of is, not, in, present, min and max", rule.name());
    return problems_.size() == before ? std::optional(std::move(filter)) : std::nullopt;
  }

  void read_roles(stats::Roles& roles) {
    auto table = section_.table("roles", "the roles of " + section_.name());
    if (!table) return;
    for (Node::Member const& member : *table->node().table()) {
      if (std::string const* column = member.value.text()) {
        roles[member.key] = {*column};
      } else if (auto columns = table->texts(member.key)) {
        roles[member.key] = std::move(*columns);
      }
    }
  }

  ExpectedValue read_expected(Section& from) {
    ExpectedValue made;
    made.id = from.text("id").value_or("");
    made.quantity = from.need_text("quantity").value_or("");
    made.rel_tol = from.need_number("rel_tol", Limits::at_least(0)).value_or(0);
    if (Node const* value = from.need("value")) {
      if (const auto number = value->number()) made.value = *number;
      else if (std::string const* text = value->text(); !text || *text != "NE")
        add_problem(problems_, from.place(), Code::wrong_type, "'value' in {} must be a number or \"NE\", and is {}", from.name(),
                    text ? *text : std::string(value->type_name()));
    }
    if (auto at = from.table("at", "'at' of " + from.name())) {
      made.at_text = canonical(at->node());
      for (Node::Member const& member : *at->node().table()) read_at(member, made);
    }
    from.finish();
    return made;
  }

  static void read_at(Node::Member const& member, ExpectedValue& into) {
    const auto refuse = [&](std::string text) {
      if (into.at_problem.empty()) into.at_problem = std::move(text);
    };
    Node const& value = member.value;
    const auto take = [&](auto made, std::string_view shape) {
      if (made) into.at[member.key] = std::move(*made);
      else refuse(fmt::format("'{}' must be {}", member.key, shape));
    };
    if (member.key == "term") take(read_term(value), "a list of factors { column, level }");
    else if (member.key == "effect") take(read_effect(value), "a list of columns");
    else if (member.key == "lsmean" || member.key == "within") take(read_levels(value), "a table { column = level }");
    else if (member.key == "difference") take(read_level_difference(value), "a table { column, level, minus }");
    else if (member.key == "interval") take(read_interval(value), "a list [from, to], to being null when open");
    else if (member.key == "global")
      take(value.boolean() && *value.boolean() ? std::optional<std::string>("all") : std::nullopt, "true");
    else if (!is_plain(member.key)) refuse(fmt::format("'at' has no key '{}'", member.key));
    else if (std::string const* text = value.text()) into.at[member.key] = *text;
    else if (const auto number = value.number()) into.at[member.key] = *number;
    else refuse(fmt::format("the key '{}' of 'at' must be text or a number, and is {}", member.key, value.type_name()));
  }

  static std::optional<Term> read_term(Node const& node) {
    if (!node.array()) return {};
    Term term;
    for (Node const& element : *node.array()) {
      if (!element.table()) return {};
      Factor factor;
      for (Node::Member const& member : *element.table()) {
        std::string const* text = member.value.text();
        if (text && member.key == "column") factor.column = *text;
        else if (text && member.key == "level") factor.level = *text;
        else return {};
      }
      if (factor.column.empty()) return {};
      term.push_back(std::move(factor));
    }
    std::ranges::sort(term);
    return term;
  }

  static std::optional<Term> read_effect(Node const& node) {
    if (!node.array() || node.array()->empty()) return {};
    Term columns;
    for (Node const& element : *node.array()) {
      if (!element.text()) return {};
      columns.push_back({*element.text()});
    }
    std::ranges::sort(columns);
    return columns;
  }

  static std::optional<Term> read_levels(Node const& node) {
    if (!node.table()) return {};
    Term levels;
    for (Node::Member const& member : *node.table()) {
      if (!member.value.text()) return {};
      levels.push_back({member.key, *member.value.text()});
    }
    std::ranges::sort(levels);
    return levels;
  }

  static std::optional<LevelDifference> read_level_difference(Node const& node) {
    if (!node.table()) return {};
    LevelDifference difference;
    for (Node::Member const& member : *node.table()) {
      std::string const* text = member.value.text();
      if (!text) return {};
      if (member.key == "column") difference.column = *text;
      else if (member.key == "level") difference.level = *text;
      else if (member.key == "minus") difference.minus = *text;
      else return {};
    }
    if (difference.column.empty() || difference.level.empty() || difference.minus.empty()) return {};
    return difference;
  }

  static std::optional<TimeInterval> read_interval(Node const& node) {
    if (!node.array() || node.array()->size() != 2) return {};
    const auto from = (*node.array())[0].number();
    Node const& end = (*node.array())[1];
    const auto to = end.is_null() ? std::optional(std::numeric_limits<double>::infinity()) : end.number();
    if (!from || !to) return {};
    return TimeInterval{*from, *to};
  }

  Problems& problems_;
  Section section_;
};

}  // namespace

Checked<std::vector<ReferenceCase>> read_reference_cases(std::string_view file, std::string_view jsonl) {
  Problems problems;
  std::vector<ReferenceCase> cases;
  std::map<std::string, int> line_of_id;
  Place place{.file = std::string(file)};
  for (std::size_t at = 0; at < jsonl.size();) {
    ++place.line;
    const std::size_t end = std::min(jsonl.find('\n', at), jsonl.size());
    const std::string_view text = trimmed(jsonl.substr(at, end - at));
    at = end + 1;
    if (text.empty()) continue;
    const Expected<Node> node = read_json(text, place);
    if (!node) {
      problems.push_back(node.error());
      continue;
    }
    if (!node->table()) {
      add_problem(problems, place, Code::wrong_type, "a case must be an object, and this line is {}", node->type_name());
      continue;
    }
    auto made = CaseReader(*node, problems).read();
    if (!made) continue;
    const auto [known, fresh] = line_of_id.emplace(made->analysis.id, place.line);
    if (!fresh)
      add_problem(problems, place, Code::duplicate, "the case id '{}' is given twice, first on line {}", made->analysis.id,
                  known->second);
    cases.push_back(std::move(*made));
  }
  if (cases.empty() && problems.empty())
    add_problem(problems, {.file = std::string(file)}, Code::no_data, "the file has no cases");
  if (!problems.empty()) {
    sort_in_file_order(problems);
    return fail(std::move(problems));
  }
  return cases;
}

}  // namespace equipoise::analysis
