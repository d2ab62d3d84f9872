#include "equipoise/data/derive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equipoise/data/source.h"
#include "equipoise/protocol/load.h"

namespace equipoise::data {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::NanSensitiveDoubleEq;

constexpr std::string_view head = R"toml(format = 1
[trial]
id = "t"
title = "A trial"
version = "1"
[[arm]]
id = "control"
role = "placebo_control"
[[arm]]
id = "active"
role = "investigational"
[schedule]
visit = [
  { id = "baseline", day = 1, forms = ["entry"] },
  { id = "w4", day = 29, window = [7, 7], forms = ["lab"] },
  { id = "w24", day = 169, window = [14, 14], forms = ["lab", "outcome"] },
]
any_time = ["infection", "event_log"]
[form.entry]
sex = { kind = "code", codes = [["F"], ["M"]] }
[form.lab]
cd4 = { kind = "number", unit = "/mm3", detection_limit = 5 }
[form.outcome]
days = { kind = "number", unit = "d" }
died = { kind = "flag" }
[form.infection]
onset = { kind = "date" }
[form.event_log]
what = { kind = "code", codes = [["rescue"], ["death"]] }
when = { kind = "date" }
[derivation]
high = { rule = "cd4 >= 200" }
[analysis_set]
full = { rule = "randomised" }
women = { rule = "randomised and sex@baseline == 'F'" }
[[endpoint]]
id = "survival"
level = "primary"
kind = "time_to_event"
time = "days@w24"
event = "died@w24"
[[endpoint]]
id = "infection"
level = "secondary"
kind = "time_to_event"
event = "first(infection)"
[[endpoint]]
id = "infections"
level = "secondary"
kind = "time_to_event"
event = " ( every(infection) ) "
[[endpoint]]
id = "response"
level = "secondary"
kind = "time_to_event"
event = "first(high)"
observed = "at_visits"
[[endpoint]]
id = "cd4"
level = "secondary"
kind = "continuous"
variable = "cd4"
at = "w24"
[[endpoint]]
id = "is_high"
level = "secondary"
kind = "binary"
variable = "high"
at = "w24"
)toml";

constexpr std::string_view source = R"toml([source]
participant = "id"
arm = { column = "arm", codes = { A = "control", B = "active" } }
randomised = "date"
follow_up = "last"
item = [
  { item = "sex", column = "sex" },
  { item = "cd4", visit = "w4", column = "cd4_4" },
  { item = "cd4", visit = "w24", column = "cd4_24" },
  { item = "days", column = "days" },
  { item = "died", column = "died" },
]
entry = [
  { form = "infection", where = [{ column = "inf", is = "1" }], items = [{ item = "onset", column = "onset" }] },
  { form = "event_log", where = [{ column = "ice", is = "1" }], items = [{ item = "what", column = "what" }, { item = "when", column = "when" }] },
]
)toml";

constexpr std::string_view columns = "id,arm,date,last,sex,cd4_4,cd4_24,days,died,inf,onset,ice,what,when\n";

/// A trial with its data and one estimand on an endpoint, kept together because the tables look at them.
struct Made {
  protocol::Protocol protocol;
  TrialRecords records;

  Made(std::string_view rows, std::string_view estimand = "", std::optional<std::string_view> cutoff = {}) {
    auto loaded = protocol::load(std::string(head) + std::string(estimand) + std::string(source), "p.toml");
    EXPECT_TRUE(loaded) << (loaded ? "" : to_string(loaded.error().front()));
    if (!loaded) return;
    protocol = *loaded;
    const auto table = read_csv(std::string(columns) + std::string(rows), "d.csv");
    EXPECT_TRUE(table) << (table ? "" : to_string(table.error().front()));
    auto read = read_source(protocol, *table);
    EXPECT_TRUE(read) << (read ? "" : to_string(read.error().front()));
    if (!read) return;
    records = std::move(*read);
    if (cutoff) records = *as_of(std::move(records), to_partial_date(*cutoff)->earliest, protocol);
  }

  Expected<AnalysisData> make(Recipe recipe) const { return analysis_dataset(TrialTables(protocol, records), recipe); }
};

std::string estimand(std::string_view endpoint, std::string_view summary, std::string_view death) {
  return fmt::format(
      "[[estimand]]\nid = \"e\"\nobjective = \"o\"\npopulation = \"p\"\nset = \"full\"\nendpoint = \"{}\"\nsummary = \"{}\"\n"
      "treatment = {{ compare = [\"active\"], against = \"control\" }}\nintercurrent = [{{ event = \"death\", {} }}]\n",
      endpoint, summary, death);
}

std::vector<double> numbers(Expected<AnalysisData> const& made, std::string_view column) {
  EXPECT_TRUE(made) << (made ? "" : made.error().message);
  return made ? made->dataset.find(column)->numbers : std::vector<double>{};
}

TEST(AnalysisDataset, CensorsMeasuredTimesAtTheCutOff) {
  // Randomised on 1 January, cut off on 11 April: 101 days later (2020 is a leap year).
  const Made made("1,A,2020-01-01,,F,,,50,1,,,,,\n2,B,2020-01-01,,M,,,150,1,,,,,\n3,B,2020-05-01,,F,,,20,1,,,,,\n", "",
                  "2020-04-11");
  const auto data = made.make({.set = "full", .endpoint = "survival"});
  EXPECT_THAT(numbers(data, "time"), ElementsAre(50, 101));
  EXPECT_THAT(numbers(data, "event"), ElementsAre(1, 0));  // 2 died later than anybody could know, and 3 was not yet in the trial
  EXPECT_EQ(data->participants, 2);
}

TEST(AnalysisDataset, FindsEventsInFormsAndCensorsAtTheEndOfFollowUp) {
  const Made made("1,A,2020-01-01,90,F,,,,,1,2020-01-11,,,\n2,B,2020-01-01,90,M,,,,,,,,,\n");
  const auto data = made.make({.set = "full", .endpoint = "infection"});
  EXPECT_THAT(numbers(data, "time"), ElementsAre(10, 90));
  EXPECT_THAT(numbers(data, "event"), ElementsAre(1, 0));
}

TEST(AnalysisDataset, ReadsRecurrenceFromTheTreeAndNotFromTheSpelling) {
  const Made made("1,A,2020-01-01,90,F,,,,,1,2020-01-11,,,\n2,B,2020-01-01,80,M,,,,,,,,,\n");
  const auto data = made.make({.set = "full", .endpoint = "infections"});
  EXPECT_THAT(numbers(data, "start"), ElementsAre(0, 10, 0));
  EXPECT_THAT(numbers(data, "time"), ElementsAre(10, 90, 80));
  EXPECT_THAT(numbers(data, "event"), ElementsAre(1, 0, 0));
}

TEST(AnalysisDataset, CountsAPartialDateFromRandomisationOn) {
  const Made made("1,A,2020-01-15,90,F,,,,,1,2020-01,,,\n2,B,2020-01-15,90,M,,,,,1,2020-02,,,\n");
  const auto data = made.make({.set = "full", .endpoint = "infection"});
  EXPECT_THAT(numbers(data, "time"), ElementsAre(0, 17));
  EXPECT_THAT(data->notes, Contains("2 events have a partial date and count at its earliest day."));
  const Made before("1,A,2020-03-15,90,F,,,,,1,2020-02,,,\n");
  const auto refused = before.make({.set = "full", .endpoint = "infection"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "participant '1' has an event of endpoint 'infection' 15 days before randomisation");
}

TEST(AnalysisDataset, KeepsAResponseSeenAtAVisitEarlierThanItsTargetDay) {
  // The week-24 visit (target 168 days after randomisation) took place by day 160, the last day of follow-up.
  const Made made("1,A,2020-01-01,160,F,100,250,,,,,,,\n2,B,2020-01-01,160,M,250,100,,,,,,,\n");
  const auto data = made.make({.set = "full", .endpoint = "response"});
  EXPECT_THAT(numbers(data, "time"), ElementsAre(160, 28));
  EXPECT_THAT(numbers(data, "event"), ElementsAre(1, 1));
}

TEST(AnalysisDataset, BoundsAnEventSeenOnlyAtVisits) {
  // Seen at w24 after w4 without; at w4, the first; without at both; only w4 known, without; nothing known.
  const std::string_view rows =
      "1,A,2020-01-01,400,F,100,250,,,,,,,\n2,B,2020-01-01,400,M,250,100,,,,,,,\n3,A,2020-01-01,160,F,100,150,,,,,,,\n"
      "4,B,2020-01-01,400,F,100,,,,,,,,\n5,B,2020-01-01,400,F,,,,,,,,,\n6,A,2020-01-01,400,F,,250,,,,,1,death,2020-02-20\n";
  const Made made(rows, estimand("response", "hazard_ratio", "strategy = \"composite\", value = \"never\""));
  const auto data = made.make({.set = "full", .endpoint = "response", .bounds = true});
  EXPECT_THAT(numbers(data, "left"), ElementsAre(28, 0, 160, 28, 0, 0));
  EXPECT_THAT(numbers(data, "right"),
              ElementsAre(168, 28, NanSensitiveDoubleEq(missing_number), NanSensitiveDoubleEq(missing_number),
                          NanSensitiveDoubleEq(missing_number), 168));
  EXPECT_THAT(data->notes, Contains("Seen only at visits: the event lies after the last visit known to be without it, up to the "
                                    "first visit with it."));
  const auto under = made.make({.set = "full", .endpoint = "response", .estimand = "e", .bounds = true});
  EXPECT_EQ(numbers(under, "left").back(), 168) << "dead before: never, to the planned end";
  EXPECT_TRUE(std::isnan(numbers(under, "right").back()));
}

TEST(AnalysisDataset, CarriesOutCompositeValuesFromTheDeathOn) {
  const std::string_view rows =
      "1,A,2020-01-01,168,F,100,250,,,,,,,\n2,B,2020-01-01,168,M,250,,,,,,1,death,2020-03-01\n3,B,2020-01-01,400,F,250,300,,,,,1,"
      "death,2020-12-01\n";
  const Made value(rows, estimand("cd4", "difference_in_means", "strategy = \"composite\", value = 0"));
  EXPECT_THAT(numbers(value.make({.set = "full", .endpoint = "cd4", .estimand = "e"}), "response"), ElementsAre(250, 0, 300));
  const Made never(rows, estimand("is_high", "risk_difference", "strategy = \"composite\", value = \"never\""));
  EXPECT_THAT(numbers(never.make({.set = "full", .endpoint = "is_high", .estimand = "e"}), "response"), ElementsAre(1, 0, 1));
  const auto noted = never.make({.set = "full", .endpoint = "is_high", .estimand = "e"});
  EXPECT_THAT(noted->notes, Contains("Intercurrent event \"death\": 2 recorded."));
}

TEST(AnalysisDataset, CountsIntercurrentEventsOfTheSetOnlyAndSaysWhichHadNoDate) {
  const Made made("1,A,2020-01-01,168,F,100,250,,,,,1,death,\n2,B,2020-01-01,168,M,250,100,,,,,1,death,2020-03-01\n",
                  estimand("cd4", "difference_in_means", "strategy = \"composite\", value = 0"));
  const auto data = made.make({.set = "women", .endpoint = "cd4", .estimand = "e"});
  EXPECT_THAT(numbers(data, "response"), ElementsAre(250));
  EXPECT_THAT(data->notes, Contains("Intercurrent event \"death\": none recorded; 1 without a date could not be used."));
}

TEST(AnalysisDataset, RefusesAnIntercurrentEventBeforeRandomisation) {
  const Made made("1,A,2020-01-21,168,F,100,250,,,,,1,death,2020-01-01\n",
                  estimand("cd4", "difference_in_means", "strategy = \"composite\", value = 0"));
  const auto data = made.make({.set = "full", .endpoint = "cd4", .estimand = "e"});
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().message, "participant '1' has the intercurrent event 'death' 20 days before randomisation");
}

TEST(AnalysisDataset, LeavesOutValuesKnownOnlyAsBelowALimit) {
  const Made made("1,A,2020-01-01,168,F,,<5,,,,,,,\n2,B,2020-01-01,168,M,,7,,,,,,,\n");
  const auto data = made.make({.set = "full", .endpoint = "cd4"});
  EXPECT_THAT(numbers(data, "response"), ElementsAre(NanSensitiveDoubleEq(missing_number), 7));
  EXPECT_THAT(data->notes, Contains("1 value is known only as below or above a limit and is left out."));
}

TEST(AnalysisDataset, SaysThatASetIsEmpty) {
  const Made made("1,A,2020-01-01,168,M,,7,,,,,,,\n");
  const auto data = made.make({.set = "women", .endpoint = "cd4"});
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().message, "no participant is in analysis set 'women'");
}

TEST(AnalysisDataset, HasTheColumnsOfItsSchema) {
  const Made made("1,A,2020-01-01,168,F,100,250,50,1,1,2020-01-11,,,\n2,B,2020-01-01,168,M,250,100,60,0,,,,,\n");
  for (protocol::Endpoint const& endpoint : made.protocol.endpoints) {
    const Recipe recipe{.set = "full", .endpoint = endpoint.id, .covariates = {"sex@baseline", "cd4@w4", "high@w4"}};
    Problems problems;
    const Schema promised = schema(made.protocol, recipe, {}, problems);
    EXPECT_TRUE(problems.empty());
    const auto data = made.make(recipe);
    ASSERT_TRUE(data) << data.error().message;
    const Schema kept = data->dataset.schema();
    ASSERT_EQ(promised.size(), kept.size()) << endpoint.id;
    for (std::size_t c = 0; c < kept.size(); ++c) {
      EXPECT_EQ(promised[c].name, kept[c].name);
      EXPECT_EQ(promised[c].numeric, kept[c].numeric);
      if (!promised[c].levels.empty()) {
        EXPECT_EQ(promised[c].levels, kept[c].levels);
      }
    }
  }
}

}  // namespace
}  // namespace equipoise::data
