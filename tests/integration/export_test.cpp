// A virtual trial goes out as a data file and comes back as the trial that the rehearsal analyses: the same records, and the same
// bytes of results.

#include "equipoise/simulate/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/analysis/run.h"
#include "equipoise/data/formats.h"
#include "equipoise/data/source.h"
#include "equipoise/protocol/toml.h"
#include "equipoise/simulate/records.h"
#include "equipoise/simulate/testing.h"
#include "equipoise/study/study.h"
#include "files.h"

namespace equipoise::simulate {
namespace {

using expression::Column;

struct Exported {
  study::Study study;
  data::TrialRecords records;
};

Exported exported(std::string const& bytes, study::Study const& study, World const& world, VirtualTrial const& trial,
                  std::uint64_t number) {
  const auto csv = trial_csv(study.protocol, world.layout(), trial);
  if (!csv) throw std::runtime_error(to_string(csv.error()));
  const auto document = protocol::read_toml(bytes, "p.toml");
  const std::string protocol =
      exported_protocol(*document, study.protocol, world.layout(),
                        {.version = "1", .scenario = world.scenario().id, .seed = 7, .number = number}, "trial.csv");
  study::Study again = study_of(protocol, "exported.toml");
  EXPECT_TRUE(again.protocol.trial.simulated);
  auto table = data::Formats::read(*csv, "trial.csv");
  if (!table) throw std::runtime_error(to_string(table.error().front()));
  auto records = data::read_source(again.protocol, *table);
  if (!records) throw std::runtime_error(to_string(records.error().front()));
  return {std::move(again), std::move(*records)};
}

/// Cells by participant, as text: what is missing is empty.
std::vector<std::string> cells(Column const& column) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (column.missing(i)) out.emplace_back();
    else if (column.type == expression::Type::code) out.push_back(column.levels[std::size_t(column.code[i])]);
    else if (column.type == expression::Type::truth) out.push_back(std::to_string(column.truth[i]));
    else if (column.type == expression::Type::text) out.push_back(*column.text[i]);
    else out.push_back(fmt::format("{} {}", column.interval(i).low, column.interval(i).high));
  }
  return out;
}

void expect_same_records(data::TrialRecords const& wanted, data::TrialRecords const& got, protocol::Protocol const& protocol) {
  EXPECT_EQ(got.participants, wanted.participants);
  EXPECT_EQ(cells(got.site), cells(wanted.site));
  EXPECT_EQ(cells(got.arm), cells(wanted.arm));
  EXPECT_EQ(cells(got.arm_received), cells(wanted.arm_received));
  EXPECT_EQ(got.randomisation.low, wanted.randomisation.low);
  EXPECT_EQ(got.randomisation_order, wanted.randomisation_order);
  EXPECT_EQ(got.follow_up_end, wanted.follow_up_end);
  EXPECT_TRUE(got.calendar && got.follow_up_known && got.readings.empty());
  for (auto const& [where, column] : wanted.items) {
    ASSERT_TRUE(got.items.contains(where)) << where.first << "@" << where.second;
    EXPECT_EQ(cells(got.items.at(where)), cells(column)) << where.first << "@" << where.second;
  }
  for (auto const& [form, entries] : wanted.entries) {
    ASSERT_TRUE(got.entries.contains(form)) << form;
    expression::Entries const& own = got.entries.at(form);
    EXPECT_EQ(own.participant, entries.participant) << form;
    EXPECT_EQ(own.date.low, entries.date.low) << form;
    for (auto const& [item, column] : entries.items) EXPECT_EQ(cells(own.items.at(item)), cells(column)) << form << " " << item;
  }
  const data::TrialTables before(protocol, wanted), after(protocol, got);
  for (protocol::Visit const& visit : protocol.visits) {
    EXPECT_EQ(after.attended(visit.id), before.attended(visit.id)) << visit.id;
    EXPECT_EQ(cells(after.visit_date(visit.id)), cells(before.visit_date(visit.id))) << visit.id;
  }
}

void expect_same_trial(std::string const& bytes, std::string const& scenario, std::vector<std::uint64_t> const& numbers,
                       std::size_t least_records) {
  const study::Study study = study_of(bytes, "p.toml");
  const World world = testing::world_of(study.protocol, scenario);
  Workspace workspace;
  VirtualTrial trial;
  for (const std::uint64_t number : numbers) {
    SCOPED_TRACE(fmt::format("trial {} of {}", number, scenario));
    world.replicate(7, number, workspace, trial);
    const data::TrialRecords records = to_records(study.protocol, world.layout(), trial);
    const Exported again = exported(bytes, study, world, trial, number);
    expect_same_records(records, again.records, study.protocol);
    const auto results = [](study::Study const& of, data::TrialRecords const& from) {
      return analysis::run(of.protocol, of.plan, data::TrialTables(of.protocol, from), results::Provenance{});
    };
    const results::Results wanted = results(study, records), got = results(again.study, again.records);
    EXPECT_GE(wanted.records.size(), least_records);
    EXPECT_EQ(to_json(got), to_json(wanted));
  }
}

TEST(Export, GivesTheTrialOfTheFlagshipBack) {
  const std::string bytes = contents("examples/msc-inr/protocol.toml");
  for (char const* scenario : {"no-effect", "as-published", "drift-only"}) expect_same_trial(bytes, scenario, {0, 1, 40}, 50);
}

TEST(Export, GivesATrialWithoutWindowsBack) {
  const std::string bytes = contents("tests/integration/rehearsal/paired.toml");
  for (char const* scenario : {"still", "rising"}) expect_same_trial(bytes, scenario, {0, 3}, 8);
}

/// Flags, counts and times at visits, events and adverse events, visits without windows that wander and are missed.
std::string with_outcomes(std::string const& model, std::string const& analyses, std::string const& events) {
  testing::SmallTrial small{.participants = "60"};
  small.visits = R"(
  { id = "screening", epoch = "e", day = -14, window = [7, 7], forms = ["labs", "person"] },
  { id = "baseline", epoch = "e", day = 1, forms = ["labs"] },
  { id = "v1", epoch = "e", day = 71, forms = ["diary", "labs"] },
  { id = "v2", epoch = "e", day = 141, window = [30, 30], forms = ["diary"] },
  { id = "v3", epoch = "e", day = 211, window = [30, 30], forms = ["diary"] },)";
  small.sites = R"({ id = "one", name = "two", planned_per_month = 3 }, { id = "two", name = "one", planned_per_month = 2 },)";
  small.more = R"([form.diary]
well = { kind = "flag", label = "Well" }
attacks = { kind = "integer", label = "Attacks" }
relapse = { kind = "flag", label = "Relapse" }
weeks = { kind = "number", unit = "wk", label = "Weeks" }
)" + analyses;
  small.scenario = model + R"(
visit_day_sd = 20
missed_visit = 0.2
events_per_year = { )" +
                   events + R"(death = 0.2, study_stop = 0.2 }
adverse_event = { any = 0.8, serious = 0.3, grade = [0.5, 0.3, 0.2, 0, 0], related = { yes = 0.5, no = 0.5 }, duration_days = 20 }
items = { age = { mean = 45, sd = 20 }, sex = { F = 0.3, M = 0.7 }, fit = { probability = 0.5 } }
)";
  return small.text();
}

const std::string binary_plan = R"(
[[endpoint]]
id = "wellness"
level = "primary"
kind = "binary"
variable = "well"
visits = ["v3"]
at = "v3"
[[analysis]]
id = "test"
endpoint = "wellness"
set = "full"
role = "primary"
method = "fisher_exact"
)";

const std::string event_plan = R"toml(
[[endpoint]]
id = "rescue"
level = "secondary"
kind = "time_to_event"
event = "first(events, what == 'rescue')"
origin = "randomisation"
[[analysis]]
id = "rescued"
endpoint = "rescue"
set = "full"
role = "secondary"
method = "log_rank"
)toml";

TEST(Export, GivesATrialOfAFlagBack) {
  expect_same_trial(with_outcomes(R"(model = "binary"
outcome = { well = { probability = { control = 0.3, active = 0.5 } } })",
                                  binary_plan + event_plan, "rescue = 0.8, "),
                    "one", {0, 5}, 4);
}

TEST(Export, GivesATrialOfCountsBack) {
  expect_same_trial(with_outcomes(R"(model = "count"
outcome = { attacks = { per_year = { control = 6, active = 3 }, dispersion = 0.5 } })",
                                  event_plan, "rescue = 0.8, "),
                    "one", {0, 5}, 2);
}

TEST(Export, GivesATrialOfTimesBack) {
  expect_same_trial(with_outcomes(R"(model = "time_to_event"
event = { rescue = { median_weeks = 30 }, relapse = { time = "weeks", per_year = 1, hazard_ratio = { active = 0.5 } } })",
                                  event_plan, ""),
                    "one", {0, 5}, 2);
}

}  // namespace
}  // namespace equipoise::simulate
