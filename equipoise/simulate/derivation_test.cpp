// A trial of four, worked by hand. Days since randomisation; target days base 0, w4 28, w12 84.
//
//   id  arm      site   count: base  w4 (day)    w12 (day)   log              seen until
//   0   active   north  100          120 (28)    150 (80)                     84
//   1   control  south  200          missed      210 (84)    84 rescue        84
//   2   active   south   50           80 (30)                30 death         30
//   3   control  north  none         100 (27)                10 rescue        40
#include "equipoise/simulate/derivation.h"

#include <gmock/gmock.h>

#include <cmath>

#include "equipoise/data/derive.h"
#include "equipoise/protocol/load.h"
#include "equipoise/simulate/allocations_test.h"
#include "equipoise/simulate/records.h"

namespace equipoise::simulate {
namespace {

using testing::ElementsAre;

constexpr double na = missing_number, none = -999;  // a missing number as it is stored, and as it compares

constexpr std::string_view text = R"toml(format = 1
[trial]
id = "small"
title = "Small"
version = "1.0"
[[arm]]
id = "control"
role = "active_control"
[[arm]]
id = "active"
role = "investigational"
[sites]
site = [{ id = "north", name = "North" }, { id = "south", name = "South" }]
[schedule]
visit = [
  { id = "base", day = 1, forms = ["blood"] },
  { id = "w4", day = 29, window = [7, 7], forms = ["blood"] },
  { id = "w12", day = 85, window = [14, 14], forms = ["blood"] },
]
any_time = ["log"]
[form.blood]
count = { kind = "number" }
[form.log]
what = { kind = "code", codes = [["rescue"], ["death"]] }
when = { kind = "date" }
[derivation]
change = { rule = "count - count@base" }
gain = { rule = "count >= 1.3 * count@base" }
[analysis_set]
full = { rule = "randomised" }
measured = { rule = "not missing(count@base)", arm = "as_treated" }
[[endpoint]]
id = "change"
level = "primary"
kind = "continuous"
variable = "change"
visits = ["w4", "w12"]
at = "w12"
[[endpoint]]
id = "gain"
level = "secondary"
kind = "time_to_event"
event = "first(gain)"
observed = "at_visits"
[[endpoint]]
id = "rescues"
level = "secondary"
kind = "time_to_event"
event = "every(log, what == 'rescue')"
[[estimand]]
id = "e1"
objective = "o"
population = "p"
set = "full"
endpoint = "change"
summary = "difference_in_means"
treatment = { compare = ["active"], against = "control" }
intercurrent = [
  { event = "rescue", strategy = "hypothetical", handling = "missing_at_random" },
  { event = "death", strategy = "composite", value = 0 },
]
[[estimand]]
id = "e2"
objective = "o"
population = "p"
set = "full"
endpoint = "gain"
summary = "hazard_ratio"
treatment = { compare = ["active"], against = "control" }
intercurrent = [
  { event = "rescue", strategy = "hypothetical", handling = "censored" },
  { event = "death", strategy = "composite", value = "never" },
]
)toml";

class Derivation : public testing::Test {
 protected:
  Derivation() : protocol_(*protocol::load(text, "small.toml")) {
    const protocol::Item* count = protocol_.item("count");
    layout_ = {.cells = {{count, 0}, {count, 1}, {count, 2}},
               .forms = {{protocol_.form("log"), {protocol_.item("what"), protocol_.item("when")}}},
               .visits = 3,
               .arms = 2,
               .sites = 2};
    trial_ = {.n = 4,
              .entry = {0, 3, 3, 90},
              .site = {0, 1, 1, 0},
              .arm = {1, 0, 1, 0},
              .arm_received = {1, 0, 0, 0},
              .visit_day = {0, 0, 0, 0, 28, na, 30, 27, 80, 84, na, na},
              .value = {100, 200, 50, na, 120, na, 80, 100, 150, 210, na, na},
              .follow_up_end = {84, 84, 30, 40},
              .entries = {{.participant = {1, 2, 3}, .date = {84, 30, 10}, .items = {{0, 1, 0}, {84, 30, 10}}}}};
  }

  CompiledDerivation compiled(data::Recipe const& recipe) {
    auto derivation = compile(protocol_, layout_, recipe);
    if (!derivation) throw std::runtime_error(derivation.error().message);
    return std::move(*derivation);
  }
  static std::vector<double> numbers(DatasetView const& view, std::string_view name) {
    std::vector<double> found;
    for (ColumnView const& column : view.columns)
      if (column.name == name)
        for (const double number : column.numbers()) found.push_back(std::isnan(number) ? none : number);
    return found;
  }
  static std::vector<std::string> words(DatasetView const& view, std::string_view name) {
    std::vector<std::string> found;
    for (ColumnView const& column : view.columns)
      if (column.name == name)
        for (const std::int32_t code : column.categories().codes) found.push_back(column.categories().levels[std::size_t(code)]);
    return found;
  }

  protocol::Protocol protocol_;
  Layout layout_;
  VirtualTrial trial_;
  CompiledDerivation::Scratch scratch_;
};

TEST_F(Derivation, MakesTheLongFormUnderTheStrategies) {
  const CompiledDerivation derivation = compiled({.set = "full",
                                                  .endpoint = "change",
                                                  .estimand = "e1",
                                                  .covariates = {"count@base", "log(count@base)", "site", "visit_day"},
                                                  .visits = {"w4", "w12"},
                                                  .ice = true,
                                                  .after = "rescue"});
  const auto view = derivation.run(trial_, scratch_);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->rows, 8u);
  EXPECT_THAT(words(*view, "participant"), ElementsAre("1", "1", "2", "2", "3", "3", "4", "4"));
  EXPECT_THAT(words(*view, "visit"), ElementsAre("w4", "w12", "w4", "w12", "w4", "w12", "w4", "w12"));
  EXPECT_THAT(words(*view, "arm"),
              ElementsAre("active", "active", "control", "control", "active", "active", "control", "control"));
  // 1: rescue on the day of w12, whose measurement counts first. 2: dead on the day of w4, 0 from then on. 3: no baseline anyhow
  EXPECT_THAT(numbers(*view, "response"), ElementsAre(20, 50, none, 10, 0, 0, none, none));
  EXPECT_THAT(numbers(*view, "visit_day"), ElementsAre(28, 80, 28, 84, 30, 84, 27, 84));
  // 3: its visit on day 27 lies after the rescue of day 10, and w12 could still have taken place after it
  EXPECT_THAT(numbers(*view, "ice"), ElementsAre(0, 0, 0, 0, 0, 0, 1, 1));
  EXPECT_THAT(numbers(*view, "count@base"), ElementsAre(100, 100, 200, 200, 50, 50, none, none));
  EXPECT_EQ(numbers(*view, "log(count@base)")[3], std::log(200.0));
  EXPECT_THAT(words(*view, "site"), ElementsAre("north", "north", "south", "south", "south", "south", "north", "north"));
}

TEST_F(Derivation, MakesOneRowAParticipantOfASetByTreatmentReceived) {
  const CompiledDerivation derivation = compiled({.set = "measured", .endpoint = "change"});
  const auto view = derivation.run(trial_, scratch_);
  ASSERT_TRUE(view);
  EXPECT_EQ(scratch_.participants(), 3u);
  EXPECT_THAT(words(*view, "arm"), ElementsAre("active", "control", "control"));
  EXPECT_THAT(numbers(*view, "response"), ElementsAre(50, 10, none));
}

TEST_F(Derivation, FindsTimesAndTheirBounds) {
  const CompiledDerivation derivation = compiled({.set = "full", .endpoint = "gain", .estimand = "e2", .bounds = true});
  const auto view = derivation.run(trial_, scratch_);
  ASSERT_TRUE(view);
  // 2: response and death on one day, the response first. 3: censored at the rescue
  EXPECT_THAT(numbers(*view, "time"), ElementsAre(80, 84, 30, 10));
  EXPECT_THAT(numbers(*view, "event"), ElementsAre(1, 0, 1, 0));
  EXPECT_THAT(numbers(*view, "left"), ElementsAre(28, 84, 0, 0));
  EXPECT_THAT(numbers(*view, "right"), ElementsAre(80, none, 30, none));
}

/// Screening, base and w4 of two participants: 90, none, 120 and 80, 100, 120.
TEST(DerivationOfBaseline, IsTheLastOrTheMeanOfTheLastTwoValuesUpToRandomisation) {
  for (const auto& [rule, changes] :
       {std::pair("last", std::vector{30.0, 20.0}), std::pair("mean_of_two", std::vector{30.0, 30.0}),
        std::pair("at_visit", std::vector{na, 20.0})}) {
    std::string with_rule(text);
    const std::string visits = "visit = [\n  { id = \"screening\", day = -7, forms = [\"blood\"] },";
    with_rule.replace(with_rule.find("visit = ["), 9,
                      fmt::format("baseline = {{ visit = \"base\", rule = \"{}\" }}\n{}", rule, visits));
    const auto protocol = protocol::load(with_rule, "small.toml");
    ASSERT_TRUE(protocol) << to_string(protocol.error().front());
    const protocol::Item* count = protocol->item("count");
    const Layout layout{.cells = {{count, 0}, {count, 1}, {count, 2}}, .visits = 4, .arms = 2, .sites = 2};
    const VirtualTrial trial{.n = 2,
                             .entry = {0, 1},
                             .site = {0, 0},
                             .arm = {0, 1},
                             .arm_received = {0, 1},
                             .visit_day = {-7, -7, na, 0, 28, 28, na, na},
                             .value = {90, 80, na, 100, 120, 120},
                             .follow_up_end = {84, 84}};
    const data::Recipe recipe{.set = "full", .endpoint = "change", .visits = {"w4"}};
    const auto derivation = compile(*protocol, layout, recipe);
    ASSERT_TRUE(derivation) << derivation.error().message;
    CompiledDerivation::Scratch scratch;
    const auto view = derivation->run(trial, scratch);
    ASSERT_TRUE(view);
    EXPECT_THAT(view->columns[3].numbers(), testing::Pointwise(testing::NanSensitiveDoubleEq(), changes)) << rule;
    const data::TrialRecords records = to_records(*protocol, layout, trial);
    const auto plain = data::analysis_dataset(data::TrialTables(*protocol, records), recipe);
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_THAT(plain->dataset.find("response")->numbers, testing::Pointwise(testing::NanSensitiveDoubleEq(), changes)) << rule;
  }
}

TEST_F(Derivation, RefusesWhatThePlainDerivationRefuses) {
  const CompiledDerivation change = compiled({.set = "full", .endpoint = "change", .estimand = "e1", .visits = {"w4", "w12"}});
  EXPECT_TRUE(change.run(trial_, scratch_));
  trial_.entries[0].date[2] = -1;  // an intercurrent event before randomisation
  EXPECT_FALSE(change.run(trial_, scratch_));
  for (std::size_t i = 0; i < trial_.n; ++i) trial_.value[i] = na;
  CompiledDerivation::Scratch other;
  EXPECT_FALSE(compiled({.set = "measured", .endpoint = "change"}).run(trial_, other));  // nobody is in the set
}

TEST_F(Derivation, SaysWhatItCannotCompile) {
  const auto every = compile(protocol_, layout_, {.set = "full", .endpoint = "rescues"});
  ASSERT_FALSE(every);
  EXPECT_EQ(every.error().code, Code::not_available);
  const auto unknown = compile(protocol_, layout_, {.set = "full", .endpoint = "change", .covariates = {"weight@base"}});
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().message, "there is no item or derivation 'weight'");
  EXPECT_EQ(compile(protocol_, layout_, {.set = "all", .endpoint = "change"}).error().message, "there is no analysis set 'all'");
}

TEST_F(Derivation, AllocatesNothingAfterTheFirstRun) {
  const CompiledDerivation change = compiled({.set = "full",
                                              .endpoint = "change",
                                              .estimand = "e1",
                                              .covariates = {"count@base", "site"},
                                              .visits = {"w4", "w12"},
                                              .ice = true,
                                              .after = "rescue"});
  const CompiledDerivation gain = compiled({.set = "full", .endpoint = "gain", .estimand = "e2", .bounds = true});
  CompiledDerivation::Scratch of_change, of_gain;
  change.run(trial_, of_change), gain.run(trial_, of_gain);
  const std::size_t before = allocations();
  std::size_t rows = 0;
  for (int again = 0; again < 10; ++again) rows += change.run(trial_, of_change)->rows + gain.run(trial_, of_gain)->rows;
  EXPECT_EQ(allocations(), before);
  EXPECT_EQ(rows, 120u);
}

}  // namespace
}  // namespace equipoise::simulate
