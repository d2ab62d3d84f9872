// Dated values placed in visits, against a derivation that walks through the days of each window one by one and knows no
// readings, marks or intervals.

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <set>

#include "equipoise/core/text.h"
#include "equipoise/data/source.h"
#include "equipoise/protocol/load.h"

namespace equipoise::data {
namespace {

struct Window {
  const char* visit;
  int target, before, after;  // days after randomisation
};
constexpr Window windows[] = {{"v0", 0, 9, 0}, {"v1", 14, 5, 7}, {"v2", 28, 4, 4}};

protocol::Protocol trial(std::string const& nominal, std::string const& same_day, std::string const& baseline) {
  std::string visits;
  for (Window const& w : windows)
    visits += fmt::format("{{ id = \"{}\", day = {}, window = [{}, {}], forms = [\"lab\"] }}, ", w.visit, w.target + 1, w.before,
                          w.after);
  const std::string text = fmt::format(R"toml(format = 1
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
visit = [{}]
nominal = "{}"
same_day = "{}"
baseline = {{ visit = "v0", rule = "{}" }}
[form.lab]
x = {{ kind = "number", worst = "lowest" }}
[analysis_set]
full = {{ rule = "randomised" }}
[source]
rows = "visits"
participant = "id"
arm = {{ column = "arm", codes = {{ a = "a", b = "b" }} }}
day = "day"
item = [{{ item = "x", column = "x" }}]
)toml",
                                       visits, nominal, same_day, baseline);
  const auto loaded = protocol::load(text, "t.toml");
  EXPECT_TRUE(loaded) << (loaded ? "" : to_string(loaded.error().front()));
  return loaded ? *loaded : protocol::Protocol{};
}

using Days = std::map<int, std::multiset<double>>;  // of one participant

double of_day(std::multiset<double> const& values, std::string const& rule) {
  if (rule == "lowest") return *values.begin();
  if (rule == "highest") return *values.rbegin();
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / double(values.size());
}

double at(Days const& days, Window const& w, std::string const& nominal, std::string const& same_day) {
  std::vector<double> values;
  double chosen = missing_number;
  int distance = 1000;
  for (int day = w.target - w.before; day <= w.target + w.after; ++day) {
    if (!days.contains(day)) continue;
    const double value = of_day(days.at(day), same_day);
    values.push_back(value);
    if (nominal == "closest" && std::abs(day - w.target) < distance) chosen = value, distance = std::abs(day - w.target);
    if (nominal == "first" && values.size() == 1) chosen = value;
    if (nominal == "last") chosen = value;
    if (nominal == "worst" && (values.size() == 1 || value < chosen)) chosen = value;
  }
  if (nominal == "mean" && !values.empty()) {
    double sum = 0;
    for (const double value : values) sum += value;
    chosen = sum / double(values.size());
  }
  return chosen;
}

double baseline_of(Days const& days, std::string const& rule, std::string const& same_day) {
  std::vector<double> found;
  for (int day = 0; day >= -60; --day)
    if (days.contains(day)) found.push_back(of_day(days.at(day), same_day));
  if (found.empty()) return missing_number;
  return rule == "mean_of_two" && found.size() > 1 ? (found[1] + found[0]) / 2 : found[0];
}

TEST(Windows, AgreeWithAWalkThroughTheDays) {
  std::mt19937 random(2026);
  for (const std::string nominal : {"closest", "first", "last", "mean", "worst"})
    for (const std::string same_day : {"mean", "lowest", "highest"})
      for (const std::string baseline : {"at_visit", "last", "mean_of_two"}) {
        const protocol::Protocol protocol = trial(nominal, same_day, baseline);
        std::map<std::string, Days> everybody;
        std::string csv = "id,arm,day,x\n";
        const int rows = std::uniform_int_distribution(2, 60)(random);
        for (int r = 0; r < rows; ++r) {
          const std::string who = std::to_string(std::uniform_int_distribution(1, 4)(random));
          const int day = std::uniform_int_distribution(-20, 40)(random);
          const double x = std::uniform_int_distribution(1, 9)(random);  // small whole numbers: sums are exact in any order
          csv += fmt::format("{},a,{},{}\n", who, day, x);
          everybody[who][day].insert(x);
        }
        const auto records = read_source(protocol, *read_csv(csv, "d.csv"));
        ASSERT_TRUE(records) << to_string(records.error().front());
        for (std::size_t i = 0; i < records->participants.size(); ++i)
          for (Window const& w : windows) {
            Days const& days = everybody.at(records->participants[i]);
            const double wanted =
                w.target == 0 && baseline != "at_visit" ? baseline_of(days, baseline, same_day) : at(days, w, nominal, same_day);
            const expression::Interval got = records->items.at({"x", w.visit}).interval(i);
            const std::string where = fmt::format("{} {} {} at {}\n{}", nominal, same_day, baseline, w.visit, csv);
            if (std::isnan(wanted)) EXPECT_TRUE(got.missing()) << where;
            else EXPECT_EQ(got, expression::Interval::exactly(wanted)) << where;
          }
      }
}

}  // namespace
}  // namespace equipoise::data
