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
  EXPECT_EQ(problems_of(with("participant = \"id\"", "participant = \"\"")),
            (std::vector<std::string>{"t.toml:61:15: 'participant' in [source] must not be empty"}));
  EXPECT_EQ(problem(with("participant = \"id\"", "participant = \"  \"")), "'participant' in [source] must not be empty");
  EXPECT_EQ(problem(with("column = \"treat\"", "column = \"\"")), "'column' in 'arm' of [source] must not be empty");
  EXPECT_EQ(problem(with("column = \"sex\"", "column = \"\"")), "'column' in source item 'sex' must not be empty");
  EXPECT_EQ(problem(with("column = \"status\"", "column = \"\"")), "'column' in where must not be empty");
  EXPECT_EQ(problem(with("column = \"day\"", "column = \"\"")), "'column' in entry item 'onset' must not be empty");
  EXPECT_EQ(problem(with("randomised = \"day0\"", "randomised = \"day0\"\nsite = \"\"")), "'site' in [source] must not be empty");
  EXPECT_EQ(problem(with("participant = \"id\"",
                         "rows = \"intervals\"\ninterval = { start = \"\", stop = \"t\" }\nparticipant = \"id\"")),
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
  EXPECT_EQ(problems_of("[" + chain(60) + "]\n" + chain(60) + " = 1\n").front(),
            "t.toml:2:" + std::to_string(2 * 40 + 1) + ": " + sentence);
  // What only looks deep: texts, comments, lists of numbers, many short keys.
  const std::string dots(1000, '.');
  EXPECT_EQ(problem(with("A trial", dots, "# " + dots + "\n" + std::string(whole))), "none");
  EXPECT_EQ(problem("x = '" + dots + "'\ny = '''\n" + dots + "'''\nz = \"\\\"" + dots + "\"\n" + with("format = 1", "format = 2"))
                .find("nest"),
            std::string::npos);
  std::string numbers = "0.5";
  for (int i = 0; i < 1000; ++i) numbers += ", 0.5";
  EXPECT_EQ(problem("x = [" + numbers + "]").find("nest"), std::string::npos);
}

TEST(Refusals, NamesThatRulesHave) {
  for (const char* name : {"arm", "site", "randomised", "randomisation"}) {
    const std::string sentence = fmt::format("'{}' has a meaning of its own, and cannot name an item or a derivation", name);
    EXPECT_EQ(problem(with("gone = ", fmt::format("{} = {{ kind = \"flag\" }}\ngone = ", name))), sentence);
    EXPECT_EQ(problem(with("[analysis_set]", fmt::format("[derivation]\n{} = {{ rule = \"1 + 1\" }}\n[analysis_set]", name))),
              sentence);
  }
  EXPECT_EQ(problem(with("gone = ", "label = { kind = \"flag\" }\ngone = ")),
            "'label' has a meaning of its own, and cannot name an item or a derivation");
}

TEST(Refusals, ListsWithNothingOrTheSameTwice) {
  EXPECT_EQ(problem(with("codes = [[\"F\", \"Female\"], [\"M\", \"Male\"]]", "codes = []")),
            "'codes' in item 'sex' must not be empty");
  EXPECT_EQ(problem(with("compare = [\"b\"]", "compare = [\"b\", \"b\"]", with("role = \"primary\"", "role = \"secondary\""))),
            "arm 'b' is named twice in 'compare' of the treatment of estimand 'e1'");
  EXPECT_EQ(problem(with("title = \"A trial\"", "title = {}")), "'title' in [trial] must not be empty");
  EXPECT_EQ(problem(with("title = \"A trial\"", "title = \"\"")), "'title' in [trial] must not be empty");
  EXPECT_EQ(problem(with("version = \"1\"", "version = \"1\"\nlanguages = [\"en\", \"zh\", \"en\"]")),
            "the language 'en' is given twice");
  EXPECT_EQ(problem(with("day = 29", "day = 29, window = [1.5, 2]")), "'window' in visit 'v1' must be in whole days");
}

TEST(Refusals, OneSidedTests) {
  EXPECT_EQ(problem(with("[schedule]", "[conventions]\nsided = 1\n[schedule]")), "this build's tests are two-sided: sided = 2");
  EXPECT_EQ(problem(with("[schedule]", "[conventions]\nsided = 2\n[schedule]")), "none");
}

TEST(Refusals, PrimaryHypothesesThatMultiplicityLeavesOut) {
  const std::string plain = std::string(whole);
  EXPECT_EQ(problem(plain + "[multiplicity]\nmethod = \"holm\"\n"),
            "no hypothesis of [multiplicity] covers the primary analysis 'a1'");
  EXPECT_EQ(problem(plain + "[multiplicity]\nmethod = \"holm\"\nhypotheses = [{ id = \"h\", analysis = \"a1\" }]\n"), "none");
  EXPECT_EQ(problem(plain + "[multiplicity]\nmethod = \"graphical\"\nhypotheses = [{ id = \"h\", analysis = \"a1\" }]\n"),
            "hypothesis 'h' needs the key 'weight': the share of alpha that it begins with");
  EXPECT_EQ(problem(plain + "[multiplicity]\nmethod = \"holm\"\nhypotheses = [{ id = \"h\", analysis = \"a1\", arm = \"b\" }, { "
                            "id = \"i\", analysis = \"a1\" }]\n"),
            "hypothesis 'i' is that of another hypothesis again");
  const std::string three = with("[schedule]", "[[arm]]\nid = \"c\"\nrole = \"investigational\"\n[schedule]",
                                 with("compare = [\"b\"]", "compare = [\"b\", \"c\"]"));
  EXPECT_EQ(problem(three),
            "the plan tests 2 primary hypotheses, and no [multiplicity] section says how their error rate is kept");
  EXPECT_EQ(problem(three + "[multiplicity]\nmethod = \"holm\"\nhypotheses = [{ id = \"h\", analysis = \"a1\", arm = \"b\" }]\n"),
            "no hypothesis of [multiplicity] covers the primary analysis 'a1' of arm 'c'");
  EXPECT_EQ(problem(three + "[multiplicity]\nmethod = \"holm\"\nhypotheses = [{ id = \"h\", analysis = \"a1\" }, { id = \"i\", "
                            "analysis = \"a1\", arm = \"b\" }, "
                            "{ id = \"j\", analysis = \"a1\", arm = \"c\" }]\n"),
            "hypothesis 'h' needs the key 'arm': analysis 'a1' compares 2 arms");
  EXPECT_EQ(problem(plain + "[multiplicity]\nmethod = \"holm\"\nhypotheses = [{ id = \"h\", analysis = \"a1\" }, { id = \"i\", "
                            "analysis = \"a1\", arm = \"a\" }]\n"),
            "analysis 'a1' does not compare arm 'a'");
}

TEST(Refusals, EntriesWithoutADate) {
  EXPECT_EQ(problem(with("item = \"onset\", column = \"day\", days_since_randomisation = true",
                         "item = \"grade\", column = \"grade\"")),
            "the entry of form 'relapse' maps no date: its event could never be dated");
  EXPECT_EQ(problem(with("onset = { kind = \"date\" }\n", "",
                         with("first(relapse)", "first(event_log)",
                              with("item = \"onset\", column = \"day\", days_since_randomisation = true",
                                   "item = \"grade\", column = \"grade\"")))),
            "none");
  EXPECT_EQ(problem(with(
                "days_since_randomisation = true }",
                "days_since_randomisation = true }, { item = \"onset\", column = \"day2\", days_since_randomisation = true }")),
            "item 'onset' is mapped twice in the entry of form 'relapse'");
  EXPECT_EQ(problem(with("randomised = \"day0\"\n", "")), "none");
  EXPECT_EQ(problem(with("randomised = \"day0\"\n", "", with(", days_since_randomisation = true", ""))),
            "[source] names no column 'randomised', so a calendar date of 'onset' has no origin");
}

TEST(Refusals, CellTextsWithBlanksAtTheirEnds) {
  EXPECT_EQ(problem(with("is = \"1\"", "is = \" 1\"")),
            "'is' in where has blanks at its ends, and no cell does: cells are read without them");
  EXPECT_EQ(problem(with("randomised = \"day0\"", "randomised = \"day0\"\nmissing = [\"NA\", \". \"]")),
            "'. ' in 'missing' of [source] has blanks at its ends, and no cell does");
  const auto loaded = load(with("randomised = \"day0\"", "randomised = \"day0\"\nmissing = [\"NA\", \".\"]"), "t.toml");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->source->missing, (std::vector<std::string>{"NA", "."}));
}

TEST(Refusals, SummariesOfAnotherKindOfEndpoint) {
  EXPECT_EQ(problem(with("summary = \"hazard_ratio\"", "summary = \"risk_difference\"")),
            "risk_difference summarises a binary endpoint, and endpoint 'y' is of the kind time_to_event");
  EXPECT_EQ(problem(with("summary = \"hazard_ratio\"", "summary = \"rate_ratio\"")),
            "rate_ratio summarises a count, or the events of every(...), and endpoint 'y' is of the kind time_to_event");
  EXPECT_EQ(problem(with("summary = \"hazard_ratio\"", "summary = \"rate_ratio\"", with("first(relapse)", "every(relapse)"))),
            "none");
  const std::string continuous = with("endpoint = \"y\"", "endpoint = \"z\"", with("value = \"event\"", "value = 0"));
  EXPECT_EQ(problem(continuous), "hazard_ratio summarises a time to event, and endpoint 'z' is of the kind continuous");
  EXPECT_EQ(problem(with("\"hazard_ratio\"", "\"difference_in_means\"", continuous)), "none");
}

TEST(Decimals, AreReadAndLeftOut) {
  const auto loaded = load(with("variable = \"cells\"", "variable = \"cells\"\ndecimals = 2",
                                std::string(whole) + "[report]\ndecimals = { percent = 0, sd = 2, range = 1 }\n"),
                           "t.toml");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->endpoint("z")->decimals, 2);
  EXPECT_EQ(loaded->endpoint("y")->decimals, std::nullopt);
  EXPECT_EQ(loaded->report.decimals.percent, 0);
  EXPECT_EQ(loaded->report.decimals.mean, std::nullopt);
  EXPECT_EQ(loaded->report.decimals.sd, 2);
  EXPECT_EQ(loaded->report.decimals.median, std::nullopt);
  EXPECT_EQ(loaded->report.decimals.range, 1);
}

TEST(Refusals, DecimalsOfWhatHasNone) {
  const auto endpoint = [](std::string_view keys) { return with("variable = \"cells\"", keys); };
  EXPECT_EQ(problem(endpoint("variable = \"cells\"\ndecimals = -1")),
            "'decimals' in endpoint 'z' must be at least 0 and at most 6, and is -1");
  EXPECT_EQ(problem(endpoint("variable = \"cells\"\ndecimals = 0.5")),
            "'decimals' in endpoint 'z' must be a whole number, and is a number");
  EXPECT_EQ(problem(endpoint("variable = \"cells\"\ntransform = \"log\"\ndecimals = 0")),
            "'decimals' in endpoint 'z' are those of its values as recorded, and it is analysed on another scale");
  EXPECT_EQ(problem(with("kind = \"continuous\"", "kind = \"binary\"", endpoint("variable = \"gone\"\ndecimals = 0"))),
            "'decimals' in endpoint 'z' belongs to a continuous endpoint");
  EXPECT_EQ(problem(with("event = \"first(relapse)\"", "event = \"first(relapse)\"\ndecimals = 0")),
            "endpoint 'y' has no key 'decimals'");
  const auto report = [](std::string_view decimals) {
    return problem(std::string(whole) + "[report]\ndecimals = " + std::string(decimals) + "\n");
  };
  EXPECT_EQ(report("{ percent = 4 }"), "'percent' in 'decimals' of [report] must be at least 0 and at most 3, and is 4");
  EXPECT_EQ(report("{ mean = 7 }"), "'mean' in 'decimals' of [report] must be at least 0 and at most 6, and is 7");
  EXPECT_EQ(report("{ p = 4 }"), "'decimals' of [report] has no key 'p'");
}

TEST(Refusals, CompositeValuesWithoutMeaning) {
  const std::string continuous =
      with("endpoint = \"y\"", "endpoint = \"z\"",
           with("\"hazard_ratio\"", "\"ratio_of_geometric_means\"", with("at = \"v1\"", "at = \"v1\"\ntransform = \"log\"")));
  EXPECT_EQ(problem(with("value = \"event\"", "value = 0", continuous)),
            "endpoint 'z' is analysed on the log scale, on which 0 has no value");
  EXPECT_EQ(problem(with("value = \"event\"", "value = 0.5", continuous)), "none");
  const std::string root = with("transform = \"log\"", "transform = \"sqrt\"", continuous);
  EXPECT_EQ(problem(with("value = \"event\"", "value = -1", root)),
            "endpoint 'z' is analysed on the square root scale, on which -1 has no value");
  EXPECT_EQ(problem(with("value = \"event\"", "value = 0", root)), "none");
  const std::string never = with("value = \"event\"", "value = \"never\"");
  EXPECT_EQ(problem(never), "none");  // visit v1 is the planned end
  const std::string baseline_only = with("day = 29", "day = 1", with("day = 1,", "day = -7,", never));
  EXPECT_EQ(problem(baseline_only), "'never' lasts to the planned end of follow-up, which the schedule does not say");
  EXPECT_EQ(problem(with("any_time = [", "follow_up_days = 90\nany_time = [", baseline_only)), "none");
  EXPECT_EQ(problem(with("any_time = [", "follow_up_days = 0\nany_time = [")),
            "'follow_up_days' in [schedule] must be at least 1 and at most 36500, and is 0");
}

TEST(Refusals, TimesInAnotherUnit) {
  EXPECT_EQ(problem(with("time = \"weeks@v1\"", "time = \"weeks@v1\"\ntime_unit = \"d\"")),
            "the time of endpoint 's' is 'weeks@v1', which is in wk, and its time_unit is d");
  EXPECT_EQ(problem(with("unit = \"wk\"", "unit = \"h\"")),
            "the time of endpoint 's' is 'weeks@v1', which is in h, and its time_unit is d");
  EXPECT_EQ(problem(with("time = \"weeks@v1\"", "time = \"weeks@v1 * 7\"\ntime_unit = \"d\"")), "none");
  const auto loaded = load(whole, "t.toml");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->endpoint("s")->time_unit, "wk");  // that of the item
  const auto without = load(with("unit = \"wk\"", "hard = [0, 9]"), "t.toml");
  ASSERT_TRUE(without);
  EXPECT_EQ(without->endpoint("s")->time_unit, "d");
}

TEST(EndsOfParticipation, AreTheUsualOnesThatTheTrialRecordsUnlessNamed) {
  const auto loaded = load(whole, "t.toml");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->ends_participation, (std::vector<std::string>{"withdrawal", "death"}));
  EXPECT_EQ(loaded->follow_up_days, std::nullopt);
  const auto named = load(with("any_time = [", "ends_participation = [\"stop\"]\nfollow_up_days = 90\nany_time = ["), "t.toml");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->ends_participation, std::vector<std::string>{"stop"});
  EXPECT_EQ(named->follow_up_days, 90.0);
  EXPECT_EQ(problems_of(with("any_time = [", "ends_participation = [\"deaht\"]\nany_time = [")),
            (std::vector<std::string>{"t.toml:14:23: there is no dated event 'deaht'\n  hint: did you mean 'death'?"}));
  EXPECT_EQ(problem(with("any_time = [", "ends_participation = [\"stop\", \"stop\"]\nany_time = [")),
            "'stop' is named twice in 'ends_participation'");
}

TEST(Refusals, AnEmptyCellMayChooseARow) { EXPECT_EQ(problem(with("is = \"1\"", "is = \"\"")), "none"); }

}  // namespace
}  // namespace equipoise::protocol
