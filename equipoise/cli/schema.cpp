#include "equipoise/cli/schema.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "equipoise/allocation/rule.h"
#include "equipoise/analysis/ready_method.h"
#include "equipoise/core/section_record.h"
#include "equipoise/core/text.h"
#include "equipoise/protocol/toml.h"
#include "equipoise/simulate/scenario.h"
#include "equipoise/study/study.h"
#include "equipoise/study/vocabulary.h"

extern "C" char const equipoise_schema_probe[];
extern "C" char const equipoise_schema_probe_end[];
extern "C" char const equipoise_protocol_schema[];
extern "C" char const equipoise_protocol_schema_end[];

namespace equipoise::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Where a table stands in a document: keys, or positions in lists.
using Address = std::vector<std::string>;

/// The kinds of value that a key may take, as they are probed.
struct Sample {
  std::string_view type;
  Node value;
};

std::vector<Sample> const& samples() {
  const auto list = [](Node element) { return Node(Node::Array{std::move(element)}); };
  static const std::vector<Sample> all{{"string", Node(std::string("zz?"))},
                                       {"integer", Node(std::int64_t(2))},
                                       {"number", Node(0.5)},
                                       {"boolean", Node(true)},
                                       {"strings", list(Node(std::string("zz?")))},
                                       {"numbers", list(Node(0.5))},
                                       {"lists", list(list(Node(std::string("zz?"))))},
                                       {"object", Node(Node::Table{})},
                                       {"objects", list(Node(Node::Table{}))}};
  return all;
}

/// A copy with table[key] = value at the address.
Node with(Node const& node, Address const& address, std::size_t depth, std::string const& key, Node const& value) {
  if (depth < address.size() && node.array()) {
    Node::Array copy = *node.array();
    Node& element = copy[std::stoul(address[depth])];
    element = with(element, address, depth + 1, key, value);
    return Node(std::move(copy), node.place());
  }
  Node::Table copy = *node.table();
  std::string const& wanted = depth < address.size() ? address[depth] : key;
  for (Node::Member& member : copy)
    if (member.key == wanted) {
      member.value = depth < address.size() ? with(member.value, address, depth + 1, key, value) : value;
      return Node(std::move(copy), node.place());
    }
  copy.push_back({wanted, {}, value});
  return Node(std::move(copy), node.place());
}

/// A key as the schema names it: names that the probe made up are any name.
std::string general(std::string const& key) {
  if (key.starts_with("zz")) return "*";
  if (key.starts_with("by_week_")) return "by_week_N";
  return key;
}

struct Spot {
  std::string path;
  Address address;
};

/// The tables of a document by their places.
void spots(Node const& node, Spot const& here, std::map<std::pair<int, int>, Spot>& found) {
  if (const Node::Table* table = node.table()) {
    found.emplace(std::pair(node.place().line, node.place().column), here);
    for (Node::Member const& member : *table) {
      Spot inside{here.path + "/" + general(member.key), here.address};
      inside.address.push_back(member.key);
      spots(member.value, inside, found);
    }
  }
  if (const Node::Array* array = node.array())
    for (std::size_t i = 0; i < array->size(); ++i) {
      Spot inside{here.path + "/[]", here.address};
      inside.address.push_back(std::to_string(i));
      spots((*array)[i], inside, found);
    }
}

/// Every place inside a value.
void places(Node const& node, std::set<std::pair<int, int>>& found) {
  found.emplace(node.place().line, node.place().column);
  if (const Node::Table* table = node.table())
    for (Node::Member const& member : *table) places(member.value, found);
  if (const Node::Array* array = node.array())
    for (Node const& element : *array) places(element, found);
}

Node const* at(Node const& node, Address const& address) {
  Node const* here = &node;
  for (std::string const& step : address) {
    if (here->array()) here = &(*here->array())[std::stoul(step)];
    else if (!(here = here->find(step))) return nullptr;
  }
  return here;
}

/// What is known of one key.
struct Key {
  std::set<std::string> types;  ///< of the samples
  std::vector<std::string> words;
  Limits limits;
  bool bounded = false;
  std::size_t needed = 0;  ///< in how many tables its absence was a problem
};

/// The keys by which a table says what kind it is.
constexpr std::array<std::string_view, 2> kinds{"method", "kind"};

/// Of two readings of one key the wider limits.
void widen(Key& key, Limits const& limits) {
  if (!key.bounded) key.limits = limits;
  key.bounded = true;
  if (limits.min < key.limits.min || (limits.min == key.limits.min && !limits.min_excluded))
    key.limits.min = limits.min, key.limits.min_excluded = limits.min_excluded;
  if (limits.max > key.limits.max || (limits.max == key.limits.max && !limits.max_excluded))
    key.limits.max = limits.max, key.limits.max_excluded = limits.max_excluded;
}

class Explorer {
 public:
  void explore() {
    const auto probe = protocol::read_toml({equipoise_schema_probe, equipoise_schema_probe_end}, "probe");
    expects(probe.has_value(), "schema_probe.toml is TOML");
    run(*probe);
    while (!queue_.empty()) {
      const Todo next = std::move(queue_.front());
      queue_.pop_front();
      probe_key(next);
    }
    // Methods that no reader's closed vocabulary names.
    for (stats::MethodCard const& card : analysis::method_cards())
      for (const char* row : {"0", "1"}) run(with(*probe, {"analysis", row}, 0, "method", Node(std::string(card.keyword))));
    for (std::string const& method : allocation::method_keywords())
      run(with(*probe, {"randomisation"}, 0, "method", Node(method)));
    while (!queue_.empty()) {
      const Todo next = std::move(queue_.front());
      queue_.pop_front();
      probe_key(next);
    }
  }

  std::map<std::string, std::map<std::string, Key>> tables;                          ///< by path, then key
  std::map<std::string, std::size_t> seen;                                           ///< tables of a path that were asked
  std::map<std::string, std::map<std::string, std::set<std::string>>> keys_of_kind;  ///< path, "kind=word", keys asked

 private:
  struct Todo {
    Node document;
    Address address;
    std::string path, key;
  };

  /// Reads a document and takes down what was asked. Problems come back with the document that has their places.
  std::pair<Node, Problems> run(Node const& document) {
    const std::string text = protocol::write_toml(document);
    auto placed = protocol::read_toml(text, "probe");
    if (!placed) return {document, placed.error()};
    std::map<std::pair<int, int>, Spot> where;
    spots(*placed, {}, where);
    Problems problems;
    std::vector<SectionAsk> asks;
    {
      SectionRecord record;
      auto study = study::load(text, "probe");
      if (study) {
        std::vector<study::Unavailable> unavailable;
        simulate::check_scenarios(study->protocol, problems, unavailable);
      } else problems = study.error();
      asks = record.asks();
    }
    std::map<std::string, std::set<Address>> asked_tables;
    for (SectionAsk const& ask : asks) {
      const auto found = where.find({ask.table.line, ask.table.column});
      if (found == where.end()) continue;
      Spot const& spot = found->second;
      asked_tables[spot.path].insert(spot.address);
      if (ask.key.empty()) continue;
      const std::string key = general(ask.key);
      const bool fresh = !tables[spot.path].contains(key);
      Key& known = tables[spot.path][key];
      if (!ask.words.empty()) known.words = ask.words;
      if (std::isfinite(ask.limits.min) || std::isfinite(ask.limits.max)) widen(known, ask.limits);
      if (ask.needed) needed_.insert({spot.path, key, run_, spot.address});
      if (fresh) queue_.push_back({document, spot.address, spot.path, ask.key});
      for (const std::string_view kind : kinds)
        if (const Node* table = at(*placed, spot.address))
          if (const Node* word = table->find(kind); word && word->text())
            keys_of_kind[spot.path][std::string(kind) + "=" + *word->text()].insert(key);
    }
    for (auto const& [path, addresses] : asked_tables) seen[path] += addresses.size();
    for (auto const& [path, key, number, address] : needed_)
      if (number == run_) ++tables[path][key].needed;
    needed_.clear();
    ++run_;
    return {std::move(*placed), std::move(problems)};
  }

  void probe_key(Todo const& todo) {
    for (Sample const& sample : samples()) {
      const auto [placed, problems] = run(with(todo.document, todo.address, 0, todo.key, sample.value));
      const Node* table = at(placed, todo.address);
      const Node* value = table ? table->find(todo.key) : nullptr;
      if (!value) continue;
      std::set<std::pair<int, int>> inside;
      places(*value, inside);
      const bool word = sample.type == "string";
      const bool refused = std::ranges::any_of(problems, [&](Error const& problem) {
        if (!inside.contains({problem.place.line, problem.place.column})) return false;
        return problem.code == Code::wrong_type || (problem.code == Code::unknown_keyword && !word);
      });
      if (!refused) tables[todo.path][general(todo.key)].types.emplace(sample.type);
    }
    const std::vector<std::string> words = tables[todo.path][general(todo.key)].words;
    for (std::string const& word : words) run(with(todo.document, todo.address, 0, todo.key, Node(word)));
  }

  std::deque<Todo> queue_;
  std::set<std::tuple<std::string, std::string, std::size_t, Address>> needed_;
  std::size_t run_ = 0;
};

Explorer const& explored() {
  static const Explorer explorer = [] {
    Explorer made;
    made.explore();
    return made;
  }();
  return explorer;
}

/// Words of a key that its owner keeps, not the reader of the section.
std::vector<std::string> more_words(std::string const& path, std::string const& key) {
  std::vector<std::string> words;
  const auto add = [&words](std::vector<std::string> const& more) {
    for (std::string const& word : more)
      if (std::ranges::find(words, word) == words.end()) words.push_back(word);
  };
  if (key != "method") return words;
  if (path == "/analysis/[]") {
    for (stats::MethodCard const& card : analysis::method_cards()) words.emplace_back(card.keyword);
    add(study::published(study::Slot::analysis));
  }
  if (path == "/randomisation") add(allocation::method_keywords()), add(study::published(study::Slot::randomisation));
  if (path == "/multiplicity") add(study::published(study::Slot::multiplicity));
  if (path == "/design") add(study::published(study::Slot::design));
  return words;
}

std::string_view words_for(std::string const& path) {
  std::string_view by_name;
  for (auto const& [known, text] : schema_words()) {
    if (known == path) return text;
    if (known.starts_with("*/") && path.ends_with(known.substr(1))) by_name = text;
  }
  return by_name;
}

/// Whether other keys than those that the probe met may stand in a table: those of [design] belong to methods that this build
/// lacks, and what a scenario asks for depends on its models and on what it extends.
bool open_table(std::string const& path) {
  return path.ends_with("/codes") || path == "/design" || path.starts_with("/scenario");
}

Json value_schema(std::string const& path, Key const& key);

/// Whether tables stand in a table under names that somebody chose.
bool has_names(std::string const& path) {
  const auto next = explored().tables.lower_bound(path + "/*");
  return next != explored().tables.end() && next->first.starts_with(path + "/*");
}

/// The words of an option of a method, if its card lists nothing else: "efron | breslow".
std::vector<std::string> listed_words(std::string_view values) {
  std::vector<std::string> words;
  for (std::size_t from = 0; from <= values.size();) {
    const std::size_t end = std::min(values.find(" | ", from), values.size());
    const std::string word(values.substr(from, end - from));
    if (word.empty() || word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789-") != std::string::npos) return {};
    words.push_back(word);
    from = end + 3;
  }
  return words.size() > 1 ? words : std::vector<std::string>{};
}

Json table_schema(std::string const& path) {
  Explorer const& all = explored();
  Json schema{{"type", "object"}};
  Json properties = Json::object(), required = Json::array();
  std::optional<Json> any_name;
  std::set<std::string> options;  // of methods: what they take depends on the method
  if (path == "/analysis/[]")
    for (stats::MethodCard const& card : analysis::method_cards())
      for (stats::OptionCard const& option : card.options) options.emplace(option.name);
  static const std::map<std::string, Key> none;
  const auto found = all.tables.find(path);
  std::map<std::string, Key> const& keys = found == all.tables.end() ? none : found->second;
  for (auto const& [name, key] : keys) {
    if (options.contains(name) || (name == "*" && path == "/analysis/[]")) continue;
    Json value = value_schema(path + "/" + name, key);
    if (name == "*") any_name = std::move(value);
    else if (name == "by_week_N") schema["patternProperties"] = Json{{"^by_week_[0-9]+$", std::move(value)}};
    else properties[name] = std::move(value);
    const bool always = key.needed > 0 && key.needed == all.seen.at(path);
    if (always && name != "*" && !path.starts_with("/scenario")) required.push_back(name);
  }
  for (stats::MethodCard const& card : analysis::method_cards())
    for (stats::OptionCard const& option : card.options)
      if (options.contains(std::string(option.name)) && !properties.contains(option.name))
        properties[std::string(option.name)] = Json{{"description", option.help}};
  if (!any_name && has_names(path)) {
    any_name = table_schema(path + "/*");
    if (const auto text = words_for(path + "/*"); !text.empty()) (*any_name)["description"] = text;
  }
  if (path == "/randomisation/factors/[]") {  // kept by the reader of the section for the room allocation, which looks it up
    properties["caps"] = value_schema(path + "/caps", {});
    properties["caps"]["type"] = "object";
  }
  if (path == "/form/*") properties["label"] = value_schema("/form/*/label", {.types = {"string", "object"}});  // beside items
  if (path == "/scenario/[]") properties["note"] = value_schema("/scenario/[]/note", {});  // for people: no reader asks
  schema["properties"] = properties;
  if (!required.empty()) schema["required"] = required;
  schema["additionalProperties"] = any_name ? *any_name : Json(open_table(path));

  // The keys that belong to some kinds only.
  const auto kind = all.keys_of_kind.find(path);
  if (kind == all.keys_of_kind.end() || path.starts_with("/scenario")) return schema;
  Json rules = Json::array();
  const auto rule = [&](std::string const& name, std::string const& word, std::set<std::string> const& allowed,
                        Json const& values) {
    if (allowed.size() >= properties.size()) return;
    Json then{{"propertyNames", {{"enum", allowed}}}};
    if (!values.empty()) then["properties"] = values;
    rules.push_back({{"if", {{"properties", {{name, {{"const", word}}}}}, {"required", {name}}}}, {"then", then}});
  };
  if (path == "/analysis/[]") {
    for (stats::MethodCard const& card : analysis::method_cards()) {
      const std::string method(card.keyword);
      std::set<std::string> allowed;
      Json values = Json::object();
      for (auto const& [name, key] : keys)
        if (!options.contains(name)) allowed.insert(name);
      if (const auto asked = kind->second.find("method=" + method); asked != kind->second.end())
        allowed.insert(asked->second.begin(), asked->second.end());
      for (stats::OptionCard const& option : card.options) {
        allowed.emplace(option.name);
        Json value{{"description", fmt::format("{} ({})", option.help, option.values)}};
        if (const auto words = listed_words(option.values); words == std::vector<std::string>{"true", "false"})
          value["type"] = "boolean";
        else if (!words.empty()) value["enum"] = words;
        values[std::string(option.name)] = value;
      }
      allowed.erase("*");
      rule("method", method, allowed, values);
    }
  } else {
    for (auto const& [said, asked] : kind->second) {
      const auto equals = said.find('=');
      const std::string name = said.substr(0, equals), word = said.substr(equals + 1);
      const auto discriminator = keys.find(name);
      std::vector<std::string> words = discriminator == keys.end() ? std::vector<std::string>{} : discriminator->second.words;
      if (path == "/randomisation") words = allocation::method_keywords();
      if (std::ranges::find(words, word) != words.end()) rule(name, word, asked, Json::object());
    }
  }
  if (!rules.empty()) schema["allOf"] = rules;
  return schema;
}

/// A list, or one of the plain types, of samples that were not refused.
Json value_schema(std::string const& path, Key const& key) {
  Explorer const& all = explored();
  Json schema = Json::object();
  if (const auto text = words_for(path); !text.empty()) schema["description"] = text;
  std::vector<std::string> words = key.words;
  const auto slash = path.rfind('/');
  for (std::string const& word : more_words(path.substr(0, slash), path.substr(slash + 1))) words.push_back(word);

  const auto takes = [&](const char* type) { return key.types.contains(type); };
  if (path == "/scenario/[]/items/*" || path == "/scenario/[]/note") return schema;  // as the item, or as one likes
  if (key.types.size() >= samples().size()) return schema;  // nothing is refused: read elsewhere, or anything
  Json choices = Json::array();
  if (takes("string")) {
    Json one{{"type", "string"}};
    if (!words.empty()) one["enum"] = words;
    choices.push_back(one);
  }
  if (takes("number") || takes("integer")) {
    Json one{{"type", takes("number") ? "number" : "integer"}};
    const bool bounded = key.bounded && !path.starts_with("/scenario");  // there they depend on scale and model
    if (bounded && std::isfinite(key.limits.min)) one[key.limits.min_excluded ? "exclusiveMinimum" : "minimum"] = key.limits.min;
    if (bounded && std::isfinite(key.limits.max)) one[key.limits.max_excluded ? "exclusiveMaximum" : "maximum"] = key.limits.max;
    choices.push_back(one);
  }
  if (path == "/multiplicity/edges/[]/weight") choices.push_back({{"const", "epsilon"}});  // a word among numbers
  if (takes("boolean")) choices.push_back({{"type", "boolean"}});
  if (takes("object"))
    choices.push_back(all.tables.contains(path) || has_names(path) ? table_schema(path) : Json{{"type", "object"}});
  Json elements = Json::array();
  if (takes("strings")) elements.push_back({{"type", "string"}});
  if (takes("numbers")) elements.push_back({{"type", "number"}});
  if (takes("lists")) elements.push_back({{"type", "array"}});
  if (takes("objects"))
    elements.push_back(all.tables.contains(path + "/[]") ? table_schema(path + "/[]") : Json{{"type", "object"}});
  if (!elements.empty())
    choices.push_back({{"type", "array"}, {"items", elements.size() == 1 ? elements[0] : Json{{"anyOf", elements}}}});
  if (choices.size() == 1)
    for (auto const& [name, value] : choices[0].items()) schema[name] = value;
  else if (!choices.empty()) schema["anyOf"] = choices;
  return schema;
}

}  // namespace

std::string schema_json() { return {equipoise_protocol_schema, equipoise_protocol_schema_end}; }

std::string derived_schema_json() {
  Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", "Equipoise protocol"},
              {"description", "One clinical trial, from its design to its report: docs/guide/protocol.md"}};
  const Json whole = table_schema("");
  for (auto const& [name, value] : whole.items()) schema[name] = value;
  return schema.dump(1) + "\n";
}

std::vector<std::string> schema_paths() {
  std::vector<std::string> paths;
  for (auto const& [path, keys] : explored().tables)
    for (auto const& [key, known] : keys) paths.push_back(path + "/" + key);
  std::ranges::sort(paths);
  return paths;
}

}  // namespace equipoise::cli
