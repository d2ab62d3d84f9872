#include "equipoise/cli/fixes.h"

#include <algorithm>
#include <cmath>
#include <regex>

#include "equipoise/cli/starter.h"
#include "equipoise/core/text.h"
#include "equipoise/protocol/toml.h"
#include "equipoise/protocol/unit_factor.h"

namespace equipoise::cli {
namespace {

std::vector<std::string> lines_of(std::string_view bytes) {
  std::vector<std::string> lines;
  for (std::size_t from = 0; from <= bytes.size();) {
    const std::size_t end = std::min(bytes.find('\n', from), bytes.size());
    lines.emplace_back(bytes.substr(from, end - from));
    if (lines.back().ends_with('\r')) lines.back().pop_back();
    from = end + 1;
  }
  return lines;
}

/// The texts in single quotes of a message, in order.
std::vector<std::string> quoted_in(std::string const& message) {
  std::vector<std::string> found;
  for (std::size_t from = message.find('\''); from != std::string::npos;) {
    const std::size_t end = message.find('\'', from + 1);
    if (end == std::string::npos) break;
    found.push_back(message.substr(from + 1, end - from - 1));
    from = message.find('\'', end + 1);
  }
  return found;
}

/// Keys and values that some template or no template has: of sections that the templates leave out, an example of our own.
constexpr std::string_view more_examples = R"(
format = 1
[[intervention]]
id = "infusion"
label = "Infusion"
visits = ["baseline"]
amount = "dose * weight"
volume = { amount = 100, unit = "mL" }
weight_change_confirm = 0.1
[[epoch]]
id = "treatment"
[[edit_check]]
id = "end_after_start"
form = "adverse_event"
rule = "missing(resolved) or days(onset, resolved) >= 0"
severity = "hard"
text = "The end is before the start."
[source]
file = "data.csv"
rows = "participants"
participant = "id"
randomised = "randomised_on"
follow_up = "last_seen"
day = "date"
interval = { start = "tstart", stop = "tstop" }
arm = { column = "arm", codes = { A = "active", P = "placebo" } }
item = [{ item = "age", column = "age", visit = "baseline" }]
entry = [{ form = "event_log", where = [{ column = "died", is = "1" }], items = [{ item = "what", is = "death" }, { item = "when", column = "died_on" }] }]
[multiplicity]
method = "holm"
hypotheses = [{ id = "h1", analysis = "a01", arm = "active", weight = 1 }]
[[intercurrent]]
event = "death"
strategy = "hypothetical"
handling = "censored"
value = "event"
[[option]]
statistic = "row_mean_scores"
)";

std::vector<Node> const& examples() {
  static const std::vector<Node> all = [] {
    std::vector<Node> documents;
    for (Template const& one : templates())
      if (auto document = protocol::read_toml(one.text, std::string(one.name))) documents.push_back(std::move(*document));
    if (auto document = protocol::read_toml(more_examples, "examples")) documents.push_back(std::move(*document));
    return documents;
  }();
  return all;
}

/// The first value of a key anywhere below a node.
Node const* value_of(Node const& node, std::string_view key) {
  if (const Node::Table* table = node.table()) {
    if (const Node* found = node.find(key)) return found;
    for (Node::Member const& member : *table)
      if (const Node* found = value_of(member.value, key)) return found;
  }
  if (const Node::Array* array = node.array())
    for (Node const& element : *array)
      if (const Node* found = value_of(element, key)) return found;
  return nullptr;
}

/// "[trial]", "arm 'high'", "'baseline' of [schedule]": the section of the file that a message speaks of.
std::string section_named(std::string const& name) {
  if (const auto open = name.find('['); open != std::string::npos) {
    std::string inside = name.substr(open + 1, name.find(']') - open - 1);
    while (inside.starts_with('[')) inside.erase(0, 1);
    return inside;
  }
  return name.substr(0, name.find(' '));
}

Node const* example_of(std::string const& section, std::string_view key) {
  for (Node const& document : examples())
    if (const Node* inside = value_of(document, section))
      if (const Node* found = value_of(*inside, key)) return found;
  for (Node const& document : examples())
    if (const Node* found = value_of(document, key)) return found;
  return nullptr;
}

/// A whole section as it would be written: [name] with its keys, or one [[name]].
std::string section_text(std::string const& name) {
  for (Node const& document : examples()) {
    const Node* section = document.find(name);
    if (!section) continue;
    const bool list = section->array() && !section->array()->empty();
    Node const& one = list ? section->array()->front() : *section;
    if (!one.table()) return name + " = " + protocol::toml_value(one);
    std::string text = list ? "[[" + name + "]]\n" : "[" + name + "]\n";
    for (Node::Member const& member : *one.table()) text += member.key + " = " + protocol::toml_value(member.value) + "\n";
    text.pop_back();
    return text;
  }
  return {};
}

class Fixer {
 public:
  explicit Fixer(std::string_view bytes) : lines_(lines_of(bytes)) {}

  Fix fix(Error const& problem) const {
    using Rule = std::optional<Fix> (Fixer::*)(Error const&) const;
    for (const Rule rule :
         {&Fixer::nearest_name, &Fixer::missing_section, &Fixer::missing_key, &Fixer::unit, &Fixer::type, &Fixer::range,
          &Fixer::word, &Fixer::unknown_key, &Fixer::twice, &Fixer::reference, &Fixer::overlap, &Fixer::language})
      if (auto found = (this->*rule)(problem)) return std::move(*found);
    return change_this(problem);
  }

 private:
  std::string line(Error const& problem) const {
    const std::size_t at = std::size_t(problem.place.line);
    return at >= 1 && at <= lines_.size() ? lines_[at - 1] : std::string();
  }

  /// The line with `old`, at or after the place, replaced; empty when it is not there.
  std::string replaced(Error const& problem, std::string const& old, std::string const& fresh) const {
    std::string text = line(problem);
    if (old.empty() || text.empty()) return {};
    const std::size_t from = problem.place.column > 0 ? std::size_t(problem.place.column - 1) : 0;
    const std::size_t at = text.find(old, std::min(from, text.size()));
    if (at == std::string::npos) return {};
    return text.replace(at, old.size(), fresh);
  }

  static std::optional<std::string> meant(Error const& problem) {
    constexpr std::string_view before = "did you mean '";
    const auto at = problem.hint.find(before);
    if (at == std::string::npos) return {};
    const auto from = at + before.size(), end = problem.hint.rfind('\'');
    return end > from ? std::optional(problem.hint.substr(from, end - from)) : std::nullopt;
  }

  std::optional<Fix> nearest_name(Error const& problem) const {
    const auto near = meant(problem);
    if (!near) return {};
    // The name that is wrong stands in the message, as a rule last; and in the line.
    std::vector<std::string> names = quoted_in(problem.message);
    std::ranges::reverse(names);
    for (std::string const& name : names)
      if (std::string text = replaced(problem, name, *near); !text.empty())
        return Fix{fmt::format("write '{}' in place of '{}'", *near, name), std::move(text)};
    return Fix{fmt::format("write '{}'", *near), {}};
  }

  std::optional<Fix> missing_section(Error const& problem) const {
    static const std::regex no_section("no \\[([a-z_]+)\\] section"), whole("^the protocol needs the key '([a-z_]+)'");
    if (problem.message.starts_with("a randomised trial has at least two arms"))
      return Fix{"add the other arm, with your own names", section_text("arm")};
    std::smatch found;
    if (!std::regex_search(problem.message, found, no_section) && !std::regex_search(problem.message, found, whole)) return {};
    std::string text = section_text(found[1]);
    if (text.empty()) return {};
    const bool key = text.find('\n') == std::string::npos;
    return Fix{key ? fmt::format("add the key '{}' before the first section", found[1].str())
                   : fmt::format("add a section '{}', such as this one, with your own names", found[1].str()),
               std::move(text)};
  }

  std::optional<Fix> missing_key(Error const& problem) const {
    static const std::regex needs("^(.*?),? (?:and )?needs (?:the key|one of the keys|either a) '([a-z_]+)'");
    std::smatch found;
    if (!std::regex_search(problem.message, found, needs)) {
      constexpr std::string_view add = "add to '";  // the hint holds the text
      if (!problem.hint.starts_with(add)) return {};
      const auto colon = problem.hint.find(": ");
      std::string text = problem.hint.substr(colon + 2);
      if (const auto dots = text.find("\"...\""); dots != std::string::npos) text.replace(dots, 5, "\"treatment_policy\"");
      return Fix{problem.hint.substr(0, colon) + " a row, and choose its strategy", std::move(text)};
    }
    const std::string key = found[2];
    const Node* example = example_of(section_named(found[1]), key);
    if (!example) return Fix{fmt::format("add the key '{}'", key), key + " = \"...\""};
    return Fix{fmt::format("add to {}", found[1].str()), key + " = " + protocol::toml_value(*example)};
  }

  std::optional<Fix> unit(Error const& problem) const {
    if (problem.code != Code::unit_mismatch) return {};
    static const std::regex no_factor("^item '(.*)' is in (.*), and has no factor from (.*)$"),
        time_unit("which is in (\\S+), and its time_unit is (\\S+)"),
        doses("^the dose of arm '(.*)' is in (.*), and that of arm '(.*)' in (.*): doses");
    std::smatch found;
    if (std::regex_search(problem.message, found, no_factor)) {
      const auto factor = protocol::unit_factor(found[3].str(), found[2].str());
      return Fix{
          fmt::format(fmt::runtime(factor ? "add to item '{}' the unit of the data, and how many {} one {} is"
                                          : "add to item '{}' the unit of the data, and how many {} one {} is: that needs a "
                                            "molar mass, or another fact about what is measured"),
                      found[1].str(), found[2].str(), found[3].str()),
          fmt::format("also = [[\"{}\", {}]]", found[3].str(), factor ? shortest(*factor) : "1.0")};
    }
    if (std::regex_search(problem.message, found, time_unit))
      return Fix{fmt::format("say the unit of the time: {}", found[1].str()), fmt::format("time_unit = \"{}\"", found[1].str())};
    if (std::regex_search(problem.message, found, doses)) {
      const std::string from = found[2], to = found[4];
      const auto factor = protocol::unit_factor(from, to);
      static const std::regex amount("amount = ([-+0-9.eE_]+)");
      const std::string text = line(problem);
      std::smatch given;
      if (factor && std::regex_search(text, given, amount))
        if (const auto number = to_number(given[1].str()))
          return Fix{fmt::format("write the dose in {}: one {} is {} {}", to, from, shortest(*factor), to),
                     fmt::format("dose = {{ amount = {}, unit = \"{}\" }}", shortest(*number * *factor), to)};
      return Fix{fmt::format("write the dose of arm '{}' in {}: no factor leads from {} to it", found[1].str(), to, from),
                 replaced(problem, "\"" + from + "\"", "\"" + to + "\"")};
    }
    return Fix{problem.hint.empty() ? "write both in one UCUM unit" : problem.hint, {}};
  }

  std::optional<Fix> type(Error const& problem) const {
    static const std::regex types("^'(.*?)' in (.*) must be (.*), and is (.*)$");
    std::smatch found;
    if (problem.code != Code::wrong_type || !std::regex_search(problem.message, found, types)) return {};
    const std::string key = found[1], wanted = found[3], text = line(problem);
    const std::size_t at = problem.place.column > 0 ? std::size_t(problem.place.column - 1) : 0;
    static const std::regex token("^(\"[^\"]*\"|[-+A-Za-z0-9_.:]+)");
    std::smatch value;
    const std::string rest = at < text.size() ? text.substr(at) : "";
    if (std::regex_search(rest, value, token)) {
      const std::string got = value[1], bare = got.starts_with('"') ? got.substr(1, got.size() - 2) : got;
      std::string fresh;
      if ((wanted == "a number" || wanted == "a whole number") && to_number(bare)) {
        const double number = *to_number(bare);
        if (wanted == "a number" || number == std::floor(number)) fresh = bare;
        else fresh = shortest(std::round(number));
      } else if (wanted == "true or false") {
        if (bare == "yes" || bare == "Y" || bare == "1" || bare == "true") fresh = "true";
        if (bare == "no" || bare == "N" || bare == "0" || bare == "false") fresh = "false";
      } else if (wanted.starts_with("text") || wanted.starts_with("one of the words")) {
        if (!got.starts_with('"')) fresh = "\"" + bare + "\"";
      } else if (wanted == "a list of texts" || wanted == "a list of numbers") {
        fresh = "[" + (wanted == "a list of texts" ? "\"" + bare + "\"" : bare) + "]";
      }
      if (!fresh.empty() && fresh != got)
        return Fix{fmt::format("write {} in place of {}", fresh, got), replaced(problem, got, fresh)};
    }
    if (const Node* example = example_of(section_named(found[2]), key))
      return Fix{fmt::format("'{}' is {}: for example", key, wanted), key + " = " + protocol::toml_value(*example)};
    return Fix{fmt::format("write {}", wanted), {}};
  }

  std::optional<Fix> range(Error const& problem) const {
    static const std::regex limits("^'(.*?)' in .* must be (.*), and is ([-+0-9.e]+)$");
    std::smatch found;
    if (problem.code != Code::out_of_range || !std::regex_search(problem.message, found, limits)) return {};
    static const std::regex least("(above|at least) ([-+0-9.e]+)"), most("(below|at most) ([-+0-9.e]+)");
    const std::string said = found[2];
    std::smatch low, high;
    const bool has_low = std::regex_search(said, low, least), has_high = std::regex_search(said, high, most);
    const auto number = to_number(found[3].str());
    if (!number || (!has_low && !has_high)) return {};
    const auto inside = [&](double x) {
      const double from = has_low ? *to_number(low[2].str()) : -INFINITY, to = has_high ? *to_number(high[2].str()) : INFINITY;
      return (has_low && low[1] == "above" ? x > from : x >= from) && (has_high && high[1] == "below" ? x < to : x <= to);
    };
    double fresh = 0;
    std::string why;
    if (inside(*number / 100) && has_high && *to_number(high[2].str()) <= 1)
      fresh = *number / 100, why = " (a share, not a percentage)";
    else if (inside(-*number)) fresh = -*number;
    else if (has_low && !(low[1] == "above") && *number < *to_number(low[2].str())) fresh = *to_number(low[2].str());
    else if (has_high && !(high[1] == "below") && *number > *to_number(high[2].str())) fresh = *to_number(high[2].str());
    else if (const Node* example = example_of("", found[1].str()); example && example->number() && inside(*example->number()))
      fresh = *example->number(), why = " (what the templates have)";
    else return Fix{fmt::format("write a number {}", said), {}};
    return Fix{fmt::format("write a number {}, such as {}{}", said, shortest(fresh), why), corrected(problem, fresh)};
  }

  /// The line with the number at the place replaced.
  std::string corrected(Error const& problem, double fresh) const {
    std::string text = line(problem);
    const std::size_t at = problem.place.column > 0 ? std::size_t(problem.place.column - 1) : 0;
    if (at >= text.size()) return {};
    const std::size_t end = text.find_first_not_of("-+0123456789.eE_", at);
    return text.replace(at, (end == std::string::npos ? text.size() : end) - at, shortest(fresh));
  }

  std::optional<Fix> word(Error const& problem) const {
    static const std::regex words("^'(.*?)' in .* must be (.*), and is '(.*)'$");
    std::smatch found;
    if (problem.code != Code::unknown_keyword || !std::regex_search(problem.message, found, words)) return {};
    // Words stand unquoted in the message: the first one that shares a beginning with what was written, else the first.
    std::vector<std::string> offered;
    static const std::regex one_word("[A-Za-z0-9_-]+");
    const std::string list = found[2];
    for (std::sregex_iterator it(list.begin(), list.end(), one_word), end; it != end; ++it)
      if (it->str() != "or" && it->str() != "and") offered.push_back(it->str());
    if (offered.empty()) return Fix{fmt::format("write {}", list), {}};
    const std::string got = found[3];
    const auto begins_alike = [&](std::string const& word) {
      return word.starts_with(got.substr(0, 4)) || got.starts_with(word);
    };
    const auto alike = std::ranges::find_if(offered, begins_alike);
    std::string const& first = got.size() >= 3 && alike != offered.end() ? *alike : offered.front();
    return Fix{fmt::format("write {}", found[2].str()), replaced(problem, "\"" + found[3].str() + "\"", "\"" + first + "\"")};
  }

  std::optional<Fix> unknown_key(Error const& problem) const {
    static const std::regex no_key("^(.*) has no key '(.*)'$");
    std::smatch found;
    if (problem.code != Code::unknown_key || !std::regex_search(problem.message, found, no_key)) return {};
    return Fix{problem.hint.starts_with("its keys are ")
                   ? fmt::format("remove '{}', or write one of {}", found[2].str(),
                                 problem.hint.substr(std::string_view("its keys are ").size()))
                   : fmt::format("remove '{}'", found[2].str()),
               {}};
  }

  std::optional<Fix> twice(Error const& problem) const {
    if (problem.code != Code::duplicate) return {};
    for (std::string const& name : quoted_in(problem.message))
      if (std::string text = replaced(problem, "\"" + name + "\"", "\"" + name + "_2\""); !text.empty())
        return Fix{fmt::format("give the second one another name, such as '{}_2', or remove it", name), std::move(text)};
    return Fix{"remove one of the two", {}};
  }

  std::optional<Fix> reference(Error const& problem) const {
    static const std::regex nothing("^there is no (.*) '(.*)'$");
    std::smatch found;
    if (!std::regex_search(problem.message, found, nothing)) return {};
    const std::string what = found[1], name = found[2];
    const std::string section = what == "arm"            ? "arm"
                                : what == "endpoint"     ? "endpoint"
                                : what == "estimand"     ? "estimand"
                                : what == "analysis"     ? "analysis"
                                : what == "epoch"        ? "epoch"
                                : what == "analysis set" ? "analysis_set"
                                                         : "";
    std::string say = problem.hint.starts_with("known: ")
                          ? fmt::format("write one of {}, or declare '{}'", problem.hint.substr(7), name)
                          : fmt::format("declare '{}', or name another {}", name, what);
    if (section == "analysis_set")
      return Fix{std::move(say), fmt::format("[analysis_set]\n{} = {{ rule = \"randomised\" }}", name)};
    if (what.starts_with("visit"))
      return Fix{std::move(say), fmt::format("{{ id = \"{}\", day = 85, window = [14, 14], forms = [] }}", name)};
    if (what.starts_with("form"))
      return Fix{std::move(say), fmt::format("[form.{}]\nscore = {{ kind = \"number\", label = \"Score\" }}", name)};
    if (what.starts_with("item") || what.starts_with("variable"))
      return Fix{std::move(say), fmt::format("{} = {{ kind = \"number\", label = \"{}\" }}", name, name)};
    std::string text = section.empty() ? "" : section_text(section);
    if (const auto at = text.find("id = \""); at != std::string::npos) {
      const auto from = at + 6;
      text.replace(from, text.find('"', from) - from, name);
    }
    return Fix{std::move(say), std::move(text)};
  }

  std::optional<Fix> overlap(Error const& problem) const {
    static const std::regex windows(
        "^the windows of visits '(.*)' \\(to day (-?\\d+)\\) and '(.*)' \\(from day (-?\\d+)\\) overlap");
    std::smatch found;
    if (!std::regex_search(problem.message, found, windows)) return {};
    const int days = std::stoi(found[2].str()) - std::stoi(found[4].str()) + 1;
    return Fix{fmt::format(
                   "take {} {} from the end of the window of '{}', or from the beginning of that of '{}': window = [days before, "
                   "days after]",
                   days, days == 1 ? "day" : "days", found[1].str(), found[3].str()),
               {}};
  }

  std::optional<Fix> language(Error const& problem) const {
    static const std::regex unknown("is in the language '(.*)', which is not one of the trial's languages");
    std::smatch found;
    if (!std::regex_search(problem.message, found, unknown)) return {};
    return Fix{fmt::format("add '{}' to the languages of [trial], or remove that text", found[1].str()),
               fmt::format("languages = [\"en\", \"{}\"]", found[1].str())};
  }

  /// Nothing more concrete is known: the place, and what the message or its hint asks for.
  Fix change_this(Error const& problem) const {
    std::string text(trimmed(line(problem)));
    if (text.size() > 120) text = text.substr(0, 117) + "...";
    if (!problem.hint.empty()) return {problem.hint, {}};
    if (text.empty()) return {"change what the message names", {}};
    return {fmt::format("change or remove what line {} says: {}", problem.place.line, text), {}};
  }

  std::vector<std::string> lines_;
};

}  // namespace

std::vector<Fix> fixes(std::string_view bytes, Problems const& problems) {
  const Fixer fixer(bytes);
  std::vector<Fix> made;
  for (Error const& problem : problems) made.push_back(fixer.fix(problem));
  return made;
}

}  // namespace equipoise::cli
