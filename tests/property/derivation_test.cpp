// The columns that a compiled derivation makes of a virtual trial are, to the last bit, those that the plain derivation makes of
// the trial's records: random trials under every analysis of the flagship protocol, and under a protocol that has what that one
// lacks.
#include "equipoise/simulate/derivation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <fstream>
#include <random>
#include <sstream>

#include "equipoise/core/text.h"
#include "equipoise/data/derive.h"
#include "equipoise/protocol/load.h"
#include "equipoise/simulate/records.h"
#include "equipoise/study/study.h"

namespace equipoise::simulate {
namespace {

/// Of the items at the visits that collect them (texts apart), and of the forms without a visit, so many in ten: a scenario fills
/// some of them.
Layout layout_of(protocol::Protocol const& protocol, std::size_t tenths) {
  std::mt19937_64 engine(tenths);
  const auto left_out = [&] { return engine() % 10 >= tenths; };
  Layout layout{.visits = protocol.visits.size(), .arms = protocol.arms.size(), .sites = protocol.sites.size()};
  for (std::size_t v = 0; v < protocol.visits.size(); ++v)
    for (std::string const& id : protocol.visits[v].forms)
      for (protocol::Item const& item : protocol.form(id)->items)
        if (item.kind != protocol::ItemKind::text && !left_out()) layout.cells.push_back({&item, v});
  for (protocol::Form const& form : protocol.forms) {
    if (!form.any_time || left_out()) continue;
    Layout::Form& made = layout.forms.emplace_back(Layout::Form{&form, {}});
    for (protocol::Item const& item : form.items)
      if (item.kind != protocol::ItemKind::text && !left_out()) made.items.push_back(&item);
  }
  return layout;
}

struct Chance {
  std::mt19937_64 engine;
  std::size_t below(std::size_t n) { return std::size_t(engine() % n); }
  bool one_in(std::size_t n) { return below(n) == 0; }
};

/// Values that meet each other and thresholds, visits missed or without a value, days outside the windows and out of order,
/// events on the days of visits and several on one day, follow-up that ends before visits, people without any event; rarely an
/// event before randomisation, which the plain derivation refuses.
VirtualTrial random_trial(protocol::Protocol const& protocol, Layout const& layout, std::uint64_t seed, std::size_t n) {
  Chance chance{std::mt19937_64(seed)};
  const bool before_randomisation = chance.one_in(12);
  VirtualTrial trial{.n = n};
  for (std::size_t i = 0; i < n; ++i) {
    trial.entry.push_back(double(i * 5));
    trial.site.push_back(std::int32_t(layout.sites > 0 ? chance.below(layout.sites) : 0));
    trial.arm.push_back(std::int32_t(chance.below(layout.arms)));
    trial.arm_received.push_back(chance.one_in(6) ? std::int32_t(chance.below(layout.arms)) : trial.arm.back());
    trial.follow_up_end.push_back(double(chance.below(4) == 0 ? chance.below(700) : 680));
  }
  for (protocol::Visit const& visit : protocol.visits)
    for (std::size_t i = 0; i < n; ++i) {
      const double day = double(visit.day.offset()) + (visit.day.offset() > 0 ? double(chance.below(29)) - 14 : 0);
      if (chance.one_in(15) && visit.day.offset() > 0) trial.visit_day.push_back(double(1 + chance.below(680)));
      else trial.visit_day.push_back(chance.one_in(6) ? missing_number : std::max(day, visit.day.offset() > 0 ? 1.0 : -30.0));
    }
  const auto value = [&](protocol::Item const& item) {
    if (chance.one_in(7)) return missing_number;
    switch (item.kind) {
      case protocol::ItemKind::code:
        return double(chance.below(item.codes.size()));
      case protocol::ItemKind::flag:
        return double(chance.below(2));
      case protocol::ItemKind::date:
        return double(chance.below(60)) - 30;
      default:
        return chance.one_in(20) ? (chance.one_in(2) ? 0.0 : -3.0)
                                 : 100 + 10 * double(chance.below(9)) + (chance.one_in(2) ? 0.1 : 0);
    }
  };
  for (Layout::Cell const& cell : layout.cells)
    for (std::size_t i = 0; i < n; ++i) {
      const bool seen = !std::isnan(trial.visit_day[*cell.visit * n + i]);
      // A value at a visit without a day is possible in records: its target day stands for it.
      trial.value.push_back(seen || chance.one_in(40) ? value(*cell.item) : missing_number);
    }
  for (Layout::Form const& form : layout.forms) {
    VirtualTrial::Entries& entries = trial.entries.emplace_back();
    entries.items.resize(form.items.size());
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<double> dates;
      for (std::size_t k = chance.one_in(2) ? 0 : chance.below(5); k-- > 0;) {
        const double of_visit = trial.visit_day[chance.below(protocol.visits.size()) * n + i];
        double day = chance.one_in(2) ? of_visit : double(chance.below(700));
        if (day < 0) day = 0;
        if (before_randomisation && chance.one_in(30)) day = -3;
        dates.push_back(day);
      }
      std::ranges::sort(dates, [](double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; });
      for (const double date : dates) {
        entries.participant.push_back(std::uint32_t(i));
        entries.date.push_back(date);
        bool first_date = true;
        for (std::size_t k = 0; k < form.items.size(); ++k) {
          const bool dated = form.items[k]->kind == protocol::ItemKind::date && first_date;
          entries.items[k].push_back(dated ? date : value(*form.items[k]));
          first_date = first_date && !dated;
        }
      }
    }
  }
  return trial;
}

bool same_bits(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

/// What differs first, in words; empty when nothing does.
std::string difference(DatasetView const& plain, DatasetView const& flat) {
  if (plain.rows != flat.rows) return fmt::format("{} and {} rows", plain.rows, flat.rows);
  if (plain.columns.size() != flat.columns.size())
    return fmt::format("{} and {} columns", plain.columns.size(), flat.columns.size());
  for (std::size_t k = 0; k < plain.columns.size(); ++k) {
    ColumnView const &a = plain.columns[k], &b = flat.columns[k];
    if (a.name != b.name || a.numeric() != b.numeric() || a.size() != b.size())
      return fmt::format("columns '{}' and '{}' with {} and {} cells", a.name, b.name, a.size(), b.size());
    if (!a.numeric() && a.name == "participant" && a.categories().levels.size() != b.categories().levels.size())
      return "other numbers of participants";
    if (!a.numeric() && a.name != "participant" && !std::ranges::equal(a.categories().levels, b.categories().levels))
      return fmt::format("other levels of '{}'", a.name);
    for (std::size_t row = 0; row < plain.rows; ++row) {
      const bool same =
          a.numeric() ? same_bits(a.numbers()[row], b.numbers()[row]) : a.categories().codes[row] == b.categories().codes[row];
      if (!same)
        return a.numeric() ? fmt::format("row {} of '{}' is {} and {}", row, a.name, a.numbers()[row], b.numbers()[row])
                           : fmt::format("row {} of '{}' is {} and {}", row, a.name, a.categories().codes[row],
                                         b.categories().codes[row]);
    }
  }
  return {};
}

/// What the comparisons saw, so that a test can say that they were not of nothing.
struct Seen {
  std::size_t trials = 0, refused = 0, numbers = 0, missing = 0;

  void add(DatasetView const& view) {
    ++trials;
    for (ColumnView const& column : view.columns)
      if (column.numeric())
        for (const double number : column.numbers()) std::isnan(number) ? ++missing : ++numbers;
  }
};

void compare(protocol::Protocol const& protocol, data::Recipe const& recipe, std::string const& name, int trials, Seen& seen) {
  for (const std::size_t tenths : {10u, 6u, 3u}) {
    const Layout layout = layout_of(protocol, tenths);
    const auto derivation = compile(protocol, layout, recipe);
    ASSERT_TRUE(derivation) << name << ": " << derivation.error().message;
    CompiledDerivation::Scratch scratch;
    for (int number = 0; number < trials; ++number) {
      const std::size_t n = number % 5 == 0 ? 1 + std::size_t(number % 3) : 40;
      const VirtualTrial trial = random_trial(protocol, layout, std::uint64_t(number), n);
      const data::TrialRecords records = to_records(protocol, layout, trial);
      const auto plain = data::analysis_dataset(data::TrialTables(protocol, records), recipe);
      const auto flat = derivation->run(trial, scratch);
      ASSERT_EQ(plain.has_value(), flat.has_value())
          << name << ", layout of " << tenths << " tenths, trial " << number << (plain ? "" : ": " + plain.error().message);
      if (!plain) {
        ++seen.refused;
        continue;
      }
      const data::DatasetColumns columns = plain->dataset.view();
      ASSERT_EQ(difference(columns.view(), *flat), "") << name << ", layout of " << tenths << " tenths, trial " << number;
      ASSERT_EQ(scratch.participants(), std::size_t(plain->participants));
      seen.add(*flat);
    }
  }
}

TEST(Derivation, MakesTheColumnsOfEveryAnalysisOfTheFlagshipProtocol) {
  std::ifstream file("examples/msc-inr/protocol.toml");
  std::stringstream text;
  text << file.rdbuf();
  const auto study = study::load(text.str(), "examples/msc-inr/protocol.toml");
  ASSERT_TRUE(study) << to_string(study.error().front());
  Seen seen;
  std::size_t analyses = 0;
  for (analysis::PlannedAnalysis const& planned : study->plan.analyses) {
    compare(study->protocol, planned.recipe, planned.id, 60, seen);
    if (HasFatalFailure()) return;
    ++analyses;
  }
  EXPECT_GE(analyses, 10u);
  EXPECT_GT(seen.trials, 400u);
  EXPECT_GT(seen.refused, 5u);
  EXPECT_GT(seen.numbers, 100000u);
  EXPECT_GT(seen.missing, 10000u);
}

constexpr std::string_view small_protocol = R"toml(format = 1
[trial]
id = "t"
title = "A trial"
version = "1"
[[arm]]
id = "active"
role = "investigational"
[[arm]]
id = "control"
role = "placebo_control"
[sites]
site = [{ id = "north", name = "North" }, { id = "south", name = "South" }, { id = "east", name = "East" }]
[schedule]
visit = [
  { id = "screening", day = -14, window = [7, 7], forms = ["lab", "entry"] },
  { id = "baseline", day = 1, window = [0, 0], forms = ["lab", "entry"] },
  { id = "w4", day = 29, window = [7, 7], forms = ["lab", "dosing"] },
  { id = "w8", day = 57, window = [7, 7], forms = ["dosing"] },
  { id = "w12", day = 85, window = [14, 14], forms = ["lab"] },
  { id = "w24", day = 169, window = [14, 14], forms = ["lab", "outcome"] },
]
any_time = ["event_log", "relapse"]
BASELINE
[form.entry]
cd8 = { kind = "number", unit = "/mm3" }
sex = { kind = "code", codes = [["F"], ["M"]] }
first_dose = { kind = "date" }
[form.lab]
cd4 = { kind = "number", unit = "/mm3" }
well = { kind = "flag" }
phase = { kind = "code", codes = [["one"], ["two"], ["three"]] }
remark = { kind = "text" }
[form.dosing]
given = { kind = "code", codes = [["full"], ["none"]] }
[form.outcome]
days = { kind = "number" }
died = { kind = "flag" }
[form.event_log]
what = { kind = "code", codes = [["study_stop"], ["rescue"], ["death"]] }
when = { kind = "date" }
[form.relapse]
severity = { kind = "code", codes = [["mild"], ["death"]] }
on = { kind = "date" }
[derivation]
change = { rule = "cd4 - cd4@baseline" }
gain = { rule = "cd4 >= cd4@baseline + 20" }
lasting = { rule = "confirmed(gain, 2) and not any(dosing, given == 'none')" }
late = { rule = "randomisation >= '2000-02-01'" }
[analysis_set]
full = { rule = "randomised" }
treated = { rule = "count(dosing, given == 'full') >= 1 or late@baseline", arm = "as_treated" }
known = { rule = "not missing(cd4@baseline) and sex@baseline == 'F' or site == 'south' and arm != 'control'" }
ENDPOINTS
)toml";

/// An endpoint with a list of intercurrent events, and what else the recipe says.
struct Case {
  std::string name, endpoint, intercurrent;
  data::Recipe recipe;
};

void compare_all(std::vector<Case> const& cases, std::string_view baseline, Seen& seen) {
  for (Case const& one : cases) {
    std::string text(small_protocol);
    text.replace(text.find("BASELINE"), 8, baseline);
    const auto of_kind = [&](std::string_view kind) { return one.endpoint.find(kind) != std::string::npos; };
    const std::string summary = of_kind("time_to")                           ? "hazard_ratio"
                                : of_kind("binary")                          ? "odds_ratio"
                                : of_kind("count") && !of_kind("continuous") ? "rate_ratio"
                                                                             : "difference_in_means";
    std::string strategies = one.intercurrent;
    for (const char* event : {"death", "study_stop"})
      if (strategies.find(event) == std::string::npos)
        strategies +=
            fmt::format("{}{{ event = \"{}\", strategy = \"treatment_policy\" }}", strategies.empty() ? "" : ", ", event);
    std::string endpoint = "[[endpoint]]\nid = \"e\"\nlevel = \"primary\"\n" + one.endpoint;
    endpoint +=
        "\n[[estimand]]\nid = \"q\"\nobjective = \"o\"\npopulation = \"p\"\nset = \"full\"\nendpoint = \"e\"\nsummary = \"" +
        summary +
        "\"\n"
        "treatment = { compare = [\"active\"], against = \"control\" }\nintercurrent = [" +
        strategies + "]\n";
    text.replace(text.find("ENDPOINTS"), 9, endpoint);
    const auto protocol = protocol::load(text, "small.toml");
    ASSERT_TRUE(protocol) << one.name << ": " << to_string(protocol.error().front());
    for (const char* set : {"full", "treated", "known"}) {
      data::Recipe recipe = one.recipe;
      recipe.set = set, recipe.endpoint = "e", recipe.estimand = one.intercurrent.empty() ? "" : "q";
      compare(*protocol, recipe, one.name + " in " + set, 30, seen);
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

const std::string rescue_out = R"({ event = "rescue", strategy = "hypothetical", handling = "missing_at_random" })";
const std::string rescue_censored = R"({ event = "rescue", strategy = "hypothetical", handling = "censored" })";
const std::string death_zero = R"({ event = "death", strategy = "composite", value = 0 })";
const std::string death_one = R"({ event = "death", strategy = "composite", value = 1.5 })";
const std::string death_never = R"({ event = "death", strategy = "composite", value = "never" })";
const std::string death_event = R"({ event = "death", strategy = "composite", value = "event" })";
const std::string stop_kept = R"({ event = "study_stop", strategy = "treatment_policy" })";
const std::string rescue_while = R"({ event = "rescue", strategy = "while_on_treatment" })";

std::vector<Case> cases() {
  const std::string change = "kind = \"continuous\"\nvariable = \"change\"\nvisits = [\"w4\", \"w12\", \"w24\"]\nat = \"w24\"";
  const std::string log_value =
      "kind = \"continuous\"\nvariable = \"cd4\"\ntransform = \"log\"\nvisits = [\"w4\", \"w12\", \"w24\"]\nat = \"w24\"";
  const std::string first_gain = "kind = \"time_to_event\"\nevent = \"first(gain)\"\nobserved = \"at_visits\"";
  const std::vector<std::string> visits{"w4", "w12", "w24"};
  return {
      {"long form",
       change,
       rescue_out + ", " + death_zero + ", " + stop_kept,
       {.covariates = {"cd4@baseline", "site", "log(cd8@baseline)", "sqrt(cd4)", "visit_day", "target_day", "phase", "gain",
                       "well@baseline", "phase@baseline"},
        .visits = visits}},
      {"long form with events",
       change,
       rescue_out + ", " + death_zero,
       {.covariates = {"cd4@baseline"}, .visits = visits, .ice = true, .after = "study_stop", .reasons = {"death", "rescue"}}},
      {"long form while on treatment",
       log_value,
       rescue_while + ", " + death_one,
       {.visits = visits, .ice = true, .after = "rescue"}},
      {"constrained baseline",
       log_value,
       rescue_out,
       {.visits = {"baseline", "w4", "w12", "w24"}, .common_baseline = "control", .ice = true}},
      {"one visit", change, death_zero + ", " + rescue_while, {.covariates = {"cd4@baseline", "site", "sex@baseline"}}},
      {"carried forward", change, death_zero, {.carry_forward = true}},
      {"fourth root", "kind = \"continuous\"\nvariable = \"mean(cd4) - 100\"\ntransform = \"fourth_root\"", "", {}},
      {"yes or no at visits",
       "kind = \"binary\"\nvariable = \"gain\"\nvisits = [\"w4\", \"w12\", \"w24\"]\nat = \"w12\"",
       death_never + ", " + rescue_while,
       {}},
      {"yes or no", "kind = \"binary\"\nvariable = \"any(relapse, severity == 'mild') or any(dosing, given == 'none')\"", "", {}},
      {"count", "kind = \"count\"\nvariable = \"count(relapse) + count(event_log, what == 'rescue')\"", "", {}},
      {"visits", "kind = \"count\"\nvariable = \"count(entry) + count(dosing)\"", "", {}},
      {"entries at visits", "kind = \"count\"\nvariable = \"count(entry) + count(lab, cd4 > 120 or phase == 'one')\"", "", {}},
      {"first response", first_gain, rescue_censored + ", " + death_never, {.bounds = true}},
      {"first response or death",
       first_gain,
       death_event + ", " + rescue_while,
       {.covariates = {"site", "sex@baseline"}, .bounds = true}},
      {"lasting response",
       "kind = \"time_to_event\"\nevent = \"first(lasting)\"\nobserved = \"at_visits\"",
       death_event,
       {.bounds = true}},
      {"relapse",
       "kind = \"time_to_event\"\nevent = \"first(relapse, severity == 'mild' and days(randomisation, on) >= 0)\"",
       rescue_censored + ", " + death_never,
       {}},
      {"last value",
       "kind = \"time_to_event\"\nevent = \"first(event_log, what == 'death' and last(cd4) > cd4@baseline)\"",
       "",
       {}},
      {"measured time",
       "kind = \"time_to_event\"\ntime = \"days@w24\"\nevent = \"died@w24\"\ntime_unit = \"wk\"",
       rescue_censored + ", " + death_event,
       {.covariates = {"well@baseline"}}},
  };
}

TEST(Derivation, MakesTheColumnsOfEveryKindOfEndpointAndStrategy) {
  Seen seen;
  compare_all(cases(), "", seen);
  EXPECT_GT(seen.trials, 900u);
  EXPECT_GT(seen.refused, 20u);
  EXPECT_GT(seen.numbers, 100000u);
  EXPECT_GT(seen.missing, 20000u);
}

TEST(Derivation, TakesBaselineAsTheProtocolDefinesIt) {
  Seen seen;
  const std::vector<Case> all = cases();
  const std::vector<Case> some{all[0], all[3], all[10], all[11], all[12]};
  for (std::string_view rule : {R"("last")", R"("mean_of_two")", R"("last", until = "first_dose@baseline")",
                                R"("mean_of_two", until = "first_dose@screening")",
                                R"r("last", until = "first(relapse, cd8@baseline > 150 or severity == 'mild')")r"}) {
    compare_all(some, fmt::format("baseline = {{ visit = \"baseline\", rule = {} }}", rule), seen);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(seen.trials, 700u);
}

}  // namespace
}  // namespace equipoise::simulate
