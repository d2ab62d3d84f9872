// Every sentence that `check` says about a protocol which reads well and means nothing, with its line and column.

#include <gtest/gtest.h>

#include "equipoise/protocol/load.h"

namespace equipoise::protocol {
namespace {

/// A whole small trial; each test harms one place of it.
constexpr std::string_view whole = R"toml(format = 1
[trial]
id = "t"
title = "A trial"
version = "1"
[[arm]]
id = "a"
role = "placebo_control"
[[arm]]
id = "b"
role = "investigational"
[schedule]
visit = [{ id = "v0", day = 1, forms = ["entry"] }, { id = "v1", day = 29, forms = ["lab"] }]
any_time = ["relapse", "event_log"]
[form.entry]
sex = { kind = "code", codes = [["F", "Female"], ["M", "Male"]] }
[form.lab]
cells = { kind = "number", unit = "/mm3" }
weeks = { kind = "number", unit = "wk" }
gone = { kind = "flag" }
[form.relapse]
onset = { kind = "date" }
grade = { kind = "integer" }
[form.event_log]
what = { kind = "code", codes = [["stop"], ["death"], ["withdrawal"]] }
when = { kind = "date" }
[analysis_set]
full = { rule = "randomised" }
[[endpoint]]
id = "y"
level = "primary"
kind = "time_to_event"
event = "first(relapse)"
[[endpoint]]
id = "z"
level = "secondary"
kind = "continuous"
variable = "cells"
at = "v1"
[[endpoint]]
id = "s"
level = "secondary"
kind = "time_to_event"
time = "weeks@v1"
event = "gone@v1"
[[estimand]]
id = "e1"
objective = "o"
population = "p"
set = "full"
treatment = { compare = ["b"], against = "a" }
endpoint = "y"
summary = "hazard_ratio"
intercurrent = [{ event = "death", strategy = "composite", value = "event" }]
[[analysis]]
id = "a1"
role = "primary"
method = "log_rank"
estimand = "e1"
[source]
participant = "id"
randomised = "day0"
arm = { column = "treat", codes = { p = "a", d = "b" } }
item = [{ item = "sex", column = "sex" }]
entry = [{ form = "relapse", where = [{ column = "status", is = "1" }], items = [{ item = "onset", column = "day", days_since_randomisation = true }] }]
)toml";

std::vector<std::string> problems_of(std::string const& text) {
  std::vector<std::string> out;
  const auto loaded = load(text, "t.toml");
  if (!loaded)
    for (Error const& error : loaded.error()) out.push_back(to_string(error));
  return out;
}

std::string with(std::string_view from, std::string_view to, std::string text = std::string(whole)) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// The only problem, without its place.
std::string problem(std::string const& text) {
  const auto loaded = load(text, "t.toml");
  if (loaded) return "none";
  if (loaded.error().size() == 1) return loaded.error().front().message;
  std::string all;
  for (Error const& error : loaded.error()) all += error.message + "\n";
  return all;
}

TEST(Refusals, TheWholeTrialHasNone) { EXPECT_EQ(problems_of(std::string(whole)), std::vector<std::string>{}); }

TEST(Refusals, NamesAndReferencesAreNotEmpty) {
  EXPECT_EQ(problems_of(with("participant = \"id\"", "participant = \"\"")), (std::vector<std::string>{"t.toml:61:15: 'participant' in [source] must not be empty"}));
  EXPECT_EQ(problem(with("participant = \"id\"", "participant = \"  \"")), "'participant' in [source] must not be empty");
  EXPECT_EQ(problem(with("column = \"treat\"", "column = \"\"")), "'column' in 'arm' of [source] must not be empty");
  EXPECT_EQ(problem(with("column = \"sex\"", "column = \"\"")), "'column' in source item 'sex' must not be empty");
  EXPECT_EQ(problem(with("column = \"status\"", "column = \"\"")), "'column' in where must not be empty");
  EXPECT_EQ(problem(with("column = \"day\"", "column = \"\"")), "'column' in entry item 'onset' must not be empty");
  EXPECT_EQ(problem(with("randomised = \"day0\"", "randomised = \"day0\"\nsite = \"\"")), "'site' in [source] must not be empty");
  EXPECT_EQ(problem(with("participant = \"id\"", "rows = \"intervals\"\ninterval = { start = \"\", stop = \"t\" }\nparticipant = \"id\"")),
            "'start' in 'interval' of [source] must not be empty");
  EXPECT_EQ(problem(with("item = [{ item = \"sex\"", "item = [{ item = \"\"")), "'item' in source item must not be empty");
  EXPECT_EQ(problem(with("id = \"v0\"", "id = \"\"")), "'id' in visit must not be empty");
  EXPECT_EQ(problem(with("at = \"v1\"", "at = \"\"")), "'at' in endpoint 'z' must not be empty");
}

TEST(Refusals, KeysThatNestWithoutEnd) {
  const auto chain = [](int parts) {
    std::string key = "a";
    for (int i = 1; i < parts; ++i) key += ".a";
    return key;
  };
  const std::string sentence = "keys, lists and tables nest here more than 100 deep";
  for (const int parts : {102, 20'000, 1'000'000}) {
    EXPECT_EQ(problems_of("\nx." + chain(parts) + " = 1\n"), (std::vector<std::string>{"t.toml:2: " + sentence}));
    EXPECT_EQ(problem("[" + chain(parts) + "]"), sentence);
    EXPECT_EQ(problem("[[" + chain(parts) + "]]"), sentence);
    EXPECT_EQ(problem("x = { b = 1, " + chain(parts) + " = 1 }"), sentence);
    EXPECT_EQ(problem("x = \"\"\"\n#\n\"\"\" # \"\n" + chain(parts) + " = 1"), sentence);
  }
  // Neither brackets around dots nor dots before brackets add up to more.
  std::string mixed = "x";
  for (int i = 0; i < 200; ++i) mixed += " = { " + chain(50);
  EXPECT_EQ(problem(mixed), sentence);
  // What only looks deep: texts, comments, lists of numbers, many short keys.
  const std::string dots(1000, '.');
  EXPECT_EQ(problem(with("A trial", dots, "# " + dots + "\n" + std::string(whole))), "none");
  EXPECT_EQ(problem("x = '" + dots + "'\ny = '''\n" + dots + "'''\nz = \"\\\"" + dots + "\"\n" + with("format = 1", "format = 2")).find("nest"), std::string::npos);
  std::string numbers = "0.5";
  for (int i = 0; i < 1000; ++i) numbers += ", 0.5";
  EXPECT_EQ(problem("x = [" + numbers + "]").find("nest"), std::string::npos);
}

TEST(Refusals, AnEmptyCellMayChooseARow) { EXPECT_EQ(problem(with("is = \"1\"", "is = \"\"")), "none"); }

}  // namespace
}  // namespace equipoise::protocol
