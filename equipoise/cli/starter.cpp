#include "equipoise/cli/starter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "equipoise/core/dates.h"
#include "equipoise/core/text.h"
#include "equipoise/protocol/names.h"

namespace equipoise::cli {
namespace {

/// What a column of an unknown file looks like.
struct Profile {
  std::string name;
  std::vector<std::string> values;   ///< distinct cell texts, sorted; at most `most`
  bool many = false;                 ///< more distinct texts than that
  std::vector<std::string> missing;  ///< texts met that mean that there is no value
  bool numeric = true, whole = true, dates = true, unique = true, empty = true, negative = false;
  static constexpr std::size_t most = 12;

  bool binary() const { return values.size() == 2 && !many && values[0] == "0" && values[1] == "1"; }
};

/// Texts that programs write for a value that they do not have.
constexpr std::array<std::string_view, 4> no_value{"NA", "N/A", ".", "null"};

Profile profile(data::CellTable const& table, std::size_t column) {
  Profile p{.name = table.header[column]};
  std::set<std::string, std::less<>> seen;
  for (std::size_t row = 0; row < table.rows(); ++row) {
    const std::string_view cell = trimmed(table.cell(row, column));
    if (cell.empty()) {
      p.unique = false;  // whoever has no id cannot be told apart
      continue;
    }
    if (std::ranges::find(no_value, cell) != no_value.end()) {
      if (std::ranges::find(p.missing, cell) == p.missing.end()) p.missing.emplace_back(cell);
      p.unique = false;
      continue;
    }
    p.empty = false;
    if (!seen.emplace(cell).second) p.unique = false;
    const auto number = to_number(cell);
    p.numeric = p.numeric && number;
    p.whole = p.whole && number && std::trunc(*number) == *number;
    p.negative = p.negative || (number && *number < 0);
    p.dates = p.dates && to_partial_date(cell) && cell.size() == 10;
  }
  p.many = seen.size() > Profile::most;
  for (std::string const& value : seen)
    if (p.values.size() < Profile::most) p.values.push_back(value);
  return p;
}

/// Letters and digits in lower case, the rest as '_': how names of columns are compared.
std::string plain(std::string_view text) {
  std::string id;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
    const bool fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (fine) id += c;
    else if (!id.empty() && id.back() != '_') id += '_';
  }
  while (id.ends_with('_')) id.pop_back();
  return id;
}

/// An id of the protocol from any text, not one of the names that rules already have.
std::string as_id(std::string_view text, std::string_view before) {
  std::string id = plain(text);
  if (id.empty() || id.front() < 'a') id = std::string(before) + id;
  for (const std::string_view taken : {"arm", "site", "randomised", "randomisation", "label"})
    if (id == taken) id += "_value";
  return id;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\', out += c;
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) out += fmt::format("\\u{:04X}", static_cast<unsigned char>(c));
    else out += c;
  }
  return out + '"';
}

template <std::size_t N>
Profile const* named(std::vector<Profile> const& columns, std::array<std::string_view, N> const& names, auto fits) {
  for (const std::string_view name : names)
    for (Profile const& column : columns)
      if (plain(column.name) == name && fits(column)) return &column;
  return nullptr;
}

/// Whether an arm's text reads like the one that others are compared against.
bool sounds_like_control(std::string_view text) {
  const std::string words = plain(text);
  return std::ranges::any_of(std::array<std::string_view, 6>{"placebo", "control", "standard", "usual", "observation", "sham"},
                             [&](std::string_view word) { return words.find(word) != std::string::npos; });
}

struct Guess {
  Profile const *participant = nullptr, *arm = nullptr, *time = nullptr, *event = nullptr, *site = nullptr;
};

Guess guess(std::vector<Profile> const& columns) {
  Guess g;
  const auto unique = [](Profile const& c) { return c.unique && !c.empty; };
  g.participant = named(
      columns,
      std::array<std::string_view, 9>{"id", "usubjid", "subjid", "subject", "participant", "patient", "pid", "patid", "ptid"},
      unique);
  const auto few = [](Profile const& c) { return !c.many && c.values.size() >= 2 && c.values.size() <= 6; };
  g.arm = named(columns,
                std::array<std::string_view, 12>{"arm", "treat", "treatment", "trt", "trt01p", "tx", "rx", "group", "trtp",
                                                 "arms", "armcd", "trtgrp"},
                few);
  const auto duration = [](Profile const& c) { return c.numeric && !c.empty && !c.negative; };
  g.time = named(columns,
                 std::array<std::string_view, 10>{"time", "days", "futime", "tstop", "aval", "time_to_event", "ttime",
                                                  "follow_up", "survtime", "duration"},
                 duration);
  const auto binary = [](Profile const& c) { return c.binary(); };
  g.event = named(columns,
                  std::array<std::string_view, 14>{"event", "status", "died", "death", "dead", "fustat", "evnt", "failure", "dth",
                                                   "response", "relapse", "recurrence", "progression", "infection"},
                  binary);
  const auto free = [&](Profile const& c) { return unique(c) && &c != g.time && &c != g.event && &c != g.arm; };
  if (!g.participant)
    if (const auto any = std::ranges::find_if(columns, free); any != columns.end()) g.participant = &*any;
  g.site = named(columns, std::array<std::string_view, 6>{"site", "center", "centre", "siteid", "hospital", "institution"},
                 [](Profile const& c) { return !c.empty; });
  return g;
}

std::string item_line(Profile const& column, std::string const& id, bool time) {
  const std::string label = quoted(column.name);
  if (column.dates) return fmt::format("{} = {{ kind = \"date\", label = {} }}\n", id, label);
  if (column.binary()) return fmt::format("{} = {{ kind = \"flag\", label = {} }}\n", id, label);
  if (column.numeric)
    return fmt::format(
        fmt::runtime(time ? "{} = {{ kind = \"{}\", unit = \"d\", label = {} }}      # GUESS: in days; or wk, mo, a\n"
                          : "{} = {{ kind = \"{}\", label = {} }}                # add the unit: unit = \"a\"\n"),
        id, column.whole ? "integer" : "number", label);
  if (column.many) return fmt::format("{} = {{ kind = \"text\", label = {} }}\n", id, label);
  std::vector<std::string> codes;
  for (std::string const& value : column.values) codes.push_back(fmt::format("[{}, {}]", quoted(value), quoted(value)));
  return fmt::format("{} = {{ kind = \"code\", codes = [{}], label = {} }}\n", id, join(codes, ", "), label);
}

constexpr std::string_view head = R"(# {title}: a protocol to start from. Everything after '#' is for people.
# Check it: equipoise check {file}. Analyse: equipoise report {file} --data {data}
# The format in full: docs/guide/protocol.md. Lines marked GUESS were read off your data: confirm them.

format = 1

[trial]
id = "my-trial"
title = "What the trial is about"
version = "1.0"                      # an amendment is a new version

[conventions]
alpha = 0.05
sided = 2
confidence = 0.95
match = "equipoise"                  # "r" and "sas" set the defaults on which programs differ
)";

}  // namespace

std::string starter_protocol() {
  return R"(# A protocol to start from. Everything after '#' is for people. It fits a data file with one row a participant and the
# columns id, arm, age, sex, days, died. Check it: equipoise check FILE. Analyse: equipoise report FILE --data DATA.csv

format = 1

[trial]
id = "my-trial"
title = "What the trial is about"
version = "1.0"                      # an amendment is a new version
planned_participants = 100

[conventions]
alpha = 0.05
sided = 2
confidence = 0.95
match = "equipoise"                  # "r" and "sas" set the defaults on which programs differ

# Arms, in the order of tables and figures.
[[arm]]
id = "control"
role = "placebo_control"             # or active_control, no_treatment
label = "Placebo"

[[arm]]
id = "active"
role = "investigational"
label = "Active"

# Visits: day 1 is the day of randomisation, day -1 the day before; there is no day 0.
[schedule]
visit = [
  { id = "baseline", day = 1, forms = ["entry"] },
  { id = "end", day = 366, window = [14, 14], forms = ["outcome"] },
]
any_time = ["event_log"]

# What is recorded. kinds: number, integer, code, flag, date, text.
[form.entry]
age = { kind = "integer", unit = "a", hard = [0, 120], label = "Age" }
sex = { kind = "code", codes = [["F", "Female"], ["M", "Male"]], label = "Sex" }

[form.outcome]
days = { kind = "number", unit = "d", label = "Days from randomisation to death or last contact" }
died = { kind = "flag", label = "Died" }

[form.event_log]                     # dated events that estimands refer to
what = { kind = "code", codes = [["treatment_stop", "Treatment stopped"], ["death", "Death"]], label = "What happened" }
when = { kind = "date", label = "Date" }

[analysis_set]
full = { rule = "randomised", label = "All randomised participants" }

[[endpoint]]
id = "survival"
label = "Time to death"
level = "primary"
kind = "time_to_event"
time = "days@end"                    # the time is an item of the data
event = "died@end"
benefit = "later"

# The question, with what happens to it when something intervenes (ICH E9(R1)).
[[estimand]]
id = "e1"
objective = "Effect on the time to death"
population = "People who meet the criteria"
set = "full"
treatment = { compare = ["active"], against = "control" }
endpoint = "survival"
summary = "hazard_ratio"
intercurrent = [
  { event = "treatment_stop", strategy = "treatment_policy" },
  { event = "death", strategy = "treatment_policy" },        # death is the endpoint itself
]

[[analysis]]
id = "a01_test"
label = "Time to death"
estimand = "e1"
role = "primary"
method = "log_rank"

[[analysis]]
id = "a02_hazard_ratio"
label = "Hazard ratio of death"
estimand = "e1"
role = "supportive"
method = "cox"

[[analysis]]
id = "a03_curve"
label = "Survival"
estimand = "e1"
role = "supportive"
method = "kaplan_meier"

[report]
baseline = ["age@baseline", "sex@baseline"]

# How the columns of your file become the trial's items.
[source]
rows = "participants"                # one row each
participant = "id"
arm = { column = "arm", codes = { "control" = "control", "active" = "active" } }   # cell text = arm id
item = [
  { item = "age", column = "age" },
  { item = "sex", column = "sex", codes = { female = "F", male = "M" } },
  { item = "days", column = "days" },
  { item = "died", column = "died" },
]
)";
}

std::string starter_protocol(data::CellTable const& table, std::string const& file) {
  std::vector<Profile> columns;
  for (std::size_t c = 0; c < table.header.size(); ++c) columns.push_back(profile(table, c));
  const Guess g = guess(columns);

  std::string out =
      fmt::format(fmt::runtime(head), fmt::arg("title", file), fmt::arg("file", "protocol.toml"), fmt::arg("data", file));
  const bool survival = g.time && g.event;
  std::vector<std::pair<std::string, std::string>> arms;  // cell text, id
  std::set<std::string> used{"what", "when", "event_log",   "entry", "outcome", "baseline",
                             "end",  "full", "first_event", "e1",    "death",   "treatment_stop"};  // ids of the text below
  const auto fresh = [&used](std::string id) {
    const std::string base = id;
    for (int k = 2; !used.insert(id).second; ++k) id = fmt::format("{}_{}", base, k);
    return id;
  };
  if (g.arm) {
    for (std::string const& value : g.arm->values) arms.emplace_back(value, fresh(as_id(value, "arm_")));
    std::stable_partition(arms.begin(), arms.end(), [](auto const& arm) { return sounds_like_control(arm.first); });
  } else arms = {{"control", "control"}, {"active", "active"}};
  out += fmt::format("\n# Arms, in the order of tables and figures. {}\n",
                     g.arm ? fmt::format("GUESS: the values of column '{}'; say which is the control", g.arm->name)
                           : "No column of your file looked like an arm: name it under [source]");
  for (std::size_t a = 0; a < arms.size(); ++a)
    out += fmt::format("[[arm]]\nid = \"{}\"\nrole = \"{}\"{}\nlabel = {}\n\n", arms[a].second,
                       a == 0 ? "placebo_control" : "investigational",
                       a == 0 ? "             # GUESS: this one is the control" : "", quoted(arms[a].first));

  std::string entry, outcome, items, baseline;
  std::string time_id, event_id;
  for (Profile const& column : columns) {
    if (&column == g.participant || &column == g.arm || &column == g.site || column.empty) continue;
    const std::string id = fresh(as_id(column.name, "v_"));
    const bool is_outcome = survival && (&column == g.time || &column == g.event);
    if (&column == g.time) time_id = id;
    if (&column == g.event) event_id = id;
    (is_outcome ? outcome : entry) += item_line(column, id, survival && &column == g.time);
    items += fmt::format("  {{ item = \"{}\", column = {} }},\n", id, quoted(column.name));
    if (!is_outcome && !column.dates && !(column.many && !column.numeric))
      baseline += fmt::format("{}\"{}@baseline\"", baseline.empty() ? "" : ", ", id);
  }
  out += "[schedule]\nvisit = [\n  { id = \"baseline\", day = 1, forms = [" + std::string(entry.empty() ? "" : "\"entry\"") +
         "] },\n";
  if (survival) out += "  { id = \"end\", day = 366, window = [14, 14], forms = [\"outcome\"] },\n";
  out += "]\nany_time = [\"event_log\"]\n";
  if (!entry.empty())
    out += "\n[form.entry]                         # GUESS: all other columns, taken as known at baseline\n" + entry;
  if (survival) out += "\n[form.outcome]\n" + outcome;
  out +=
      "\n[form.event_log]                     # dated events that estimands refer to\n"
      "what = { kind = \"code\", codes = [[\"treatment_stop\", \"Treatment stopped\"], [\"death\", \"Death\"]], label = \"What "
      "happened\" }\n"
      "when = { kind = \"date\", label = \"Date\" }\n"
      "\n[analysis_set]\nfull = { rule = \"randomised\", label = \"All randomised participants\" }\n";
  if (survival) {
    std::string compare;
    for (std::size_t a = 1; a < arms.size(); ++a) compare += fmt::format("{}\"{}\"", a > 1 ? ", " : "", arms[a].second);
    out += fmt::format(
        "\n[[endpoint]]\nid = \"first_event\"\nlabel = \"Time to event\"\nlevel = \"primary\"\nkind = \"time_to_event\"\n"
        "time = \"{}@end\"                    # GUESS: column '{}', in days\nevent = \"{}@end\"                   # GUESS: "
        "column '{}', 1 = event\n",
        time_id, g.time->name, event_id, g.event->name);
    out += fmt::format(
        "\n[[estimand]]\nid = \"e1\"\nobjective = \"Effect on the time to the event\"\npopulation = \"People who meet the "
        "criteria\"\nset = \"full\"\n"
        "treatment = {{ compare = [{}], against = \"{}\" }}\nendpoint = \"first_event\"\nsummary = \"hazard_ratio\"\n"
        "intercurrent = [\n  {{ event = \"treatment_stop\", strategy = \"treatment_policy\" }},\n"
        "  {{ event = \"death\", strategy = \"treatment_policy\" }},        # choose: see docs/guide/protocol.md, "
        "strategies\n]\n",
        compare, arms.front().second);
    for (auto const& [id, role, method] :
         {std::array<const char*, 3>{"a01_test", arms.size() > 2 ? "secondary" : "primary", "log_rank"},
          std::array<const char*, 3>{"a02_hazard_ratio", "supportive", "cox"},
          std::array<const char*, 3>{"a03_curve", "supportive", "kaplan_meier"}})
      out += fmt::format("\n[[analysis]]\nid = \"{}\"\nestimand = \"e1\"\nrole = \"{}\"\nmethod = \"{}\"\n", id, role, method);
    if (arms.size() > 2)
      out +=
          "\n# With several primary comparisons a [multiplicity] section says how their error rate is kept; until then the test "
          "is secondary.\n";
  } else {
    out +=
        "\n# No pair of columns looked like a time and an event. Add an [[endpoint]], an [[estimand]] and an [[analysis]]: "
        "docs/guide/protocol.md.\n";
  }
  if (!baseline.empty()) out += fmt::format("\n[report]\nbaseline = [{}]\n", baseline);
  out += fmt::format(
      "\n[source]\nfile = {}\nrows = \"participants\"                # one row each\nparticipant = {}{}\n", quoted(file),
      quoted(g.participant ? g.participant->name : "id"),
      g.participant ? "                     # GUESS" : "                     # no column was unique: name the one that is");
  if (g.site) out += fmt::format("site = {}\n", quoted(g.site->name));
  std::vector<std::string> missing;
  for (const std::string_view text : no_value)
    if (std::ranges::any_of(columns, [&](Profile const& c) { return std::ranges::find(c.missing, text) != c.missing.end(); }))
      missing.push_back(quoted(text));
  if (!missing.empty())
    out += fmt::format("missing = [{}]                     # GUESS: cell texts that mean that there is no value\n",
                       join(missing, ", "));
  std::string codes;
  for (auto const& [cell, id] : arms) codes += fmt::format("{}{} = \"{}\"", codes.empty() ? "" : ", ", quoted(cell), id);
  out += fmt::format("arm = {{ column = {}, codes = {{ {} }} }}\n", quoted(g.arm ? g.arm->name : "arm"), codes);
  if (!items.empty()) out += "item = [\n" + items + "]\n";
  return out;
}

}  // namespace equipoise::cli
