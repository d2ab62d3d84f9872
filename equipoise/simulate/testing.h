#pragma once

// Small trials for the tests of this room.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "equipoise/core/text.h"
#include "equipoise/protocol/load.h"
#include "equipoise/simulate/world.h"

namespace equipoise::simulate::testing {

/// A trial of two arms with a marker x at screening, baseline and visits 10, 20, ... weeks after.
struct SmallTrial {
  std::string participants = "200";
  std::string visits = R"(
  { id = "screening", epoch = "e", day = -14, window = [0, 0], forms = ["labs", "person"] },
  { id = "baseline", epoch = "e", day = 1, window = [0, 0], forms = ["labs"] },
  { id = "v1", epoch = "e", day = 71, window = [14, 14], forms = ["labs"] },
  { id = "v2", epoch = "e", day = 141, window = [14, 14], forms = ["labs"] },
  { id = "v3", epoch = "e", day = 211, window = [14, 14], forms = ["labs"] },
  { id = "v4", epoch = "e", day = 281, window = [14, 14], forms = ["labs"] },)";
  std::string sites = R"(
  { id = "s1", name = "One", time_zone = "Europe/Berlin", planned_per_month = 3 },
  { id = "s2", name = "Two", time_zone = "Europe/Berlin", planned_per_month = 1 },)";
  std::string criteria{};
  std::string randomisation = R"(method = "permuted_block"
ratio = { control = 1, active = 1 }
block_sizes = [4])";
  std::string scenario{};  ///< without its id
  std::string more{};      ///< further sections

  std::string text() const {
    return fmt::format(R"(format = 1
[trial]
id = "small"
title = "Small"
version = "1.0"
planned_participants = {}
[[arm]]
id = "control"
role = "placebo_control"
label = "Control"
dose = {{ amount = 0, unit = "mg" }}
[[arm]]
id = "active"
role = "investigational"
label = "Active"
dose = {{ amount = 20, unit = "mg" }}
[sites]
site = [{}]
[[epoch]]
id = "e"
[schedule]
visit = [{}]
any_time = ["events", "adverse_event"]
[form.labs]
x = {{ kind = "number", unit = "mg/dL", label = "X" }}
y = {{ kind = "number", unit = "mg/dL", label = "Y" }}
[form.person]
age = {{ kind = "integer", unit = "a", hard = [18, 90], label = "Age" }}
sex = {{ kind = "code", codes = [["F", "Female"], ["M", "Male"]], label = "Sex" }}
fit = {{ kind = "flag", label = "Fit" }}
[form.events]
what = {{ kind = "code", codes = [["study_stop", "Left"], ["rescue", "Rescue"], ["death", "Death"]], label = "What" }}
when = {{ kind = "date", label = "When" }}
[form.adverse_event]
onset = {{ kind = "date", label = "Start" }}
resolved = {{ kind = "date", label = "End" }}
grade = {{ kind = "integer", hard = [1, 5], label = "Grade" }}
serious = {{ kind = "flag", label = "Serious" }}
related = {{ kind = "code", codes = [["no", "No"], ["yes", "Yes"]], label = "Related" }}
[eligibility]
criterion = [{}]
[randomisation]
{}
[analysis_set]
full = {{ rule = "randomised", label = "All" }}
{}
[[scenario]]
id = "one"
{}
)",
                       participants, sites, visits, criteria, randomisation, more, scenario);
  }

  protocol::Protocol protocol() const {
    auto loaded = protocol::load(text(), "t.toml");
    if (!loaded)
      for (Error const& error : loaded.error()) ADD_FAILURE() << to_string(error);
    return loaded ? std::move(*loaded) : protocol::Protocol{};
  }
};

/// The world, or failures.
inline World world_of(protocol::Protocol const& protocol, std::string_view scenario = "one") {
  auto world = World::build(protocol, scenario);
  if (!world) {
    for (Error const& error : world.error()) ADD_FAILURE() << to_string(error);
    throw ContractViolation("the world of a test is sound");
  }
  return std::move(*world);
}

/// Counts, means and products over the participants of many replicates.
struct Tally {
  double n = 0, sum = 0, squares = 0;
  void add(double value) { ++n, sum += value, squares += value * value; }
  double mean() const { return sum / n; }
  double variance() const { return squares / n - mean() * mean(); }
  /// Of the mean.
  double error() const { return std::sqrt(variance() / n); }
};

}  // namespace equipoise::simulate::testing
