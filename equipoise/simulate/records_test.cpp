#include "equipoise/simulate/records.h"

#include <gtest/gtest.h>

#include "equipoise/protocol/load.h"

namespace equipoise::simulate {
namespace {

constexpr std::string_view text = R"(
format = 1
[trial]
id = "small"
title = { en = "Small" }
version = "1.0"
languages = ["en"]
[conventions]
alpha = 0.05
sided = 2
confidence = 0.95
match = "equipoise"
month_days = 30.4375
[[arm]]
id = "control"
role = "active_control"
label = { en = "Control" }
[[arm]]
id = "active"
role = "investigational"
label = { en = "Active" }
[sites]
site = [{ id = "north", name = "North" }, { id = "south", name = "South" }]
[schedule]
visit = [
  { id = "base", day = 1, forms = ["blood", "person"] },
  { id = "w4", day = 29, forms = ["blood"] },
]
any_time = ["log"]
[form.blood]
count = { kind = "number", label = { en = "Count" } }
[form.person]
sex = { kind = "code", codes = [["F", "Female"], ["M", "Male"]], label = { en = "Sex" } }
smokes = { kind = "flag", label = { en = "Smokes" } }
[form.log]
what = { kind = "code", codes = [["stop", "Stopped"], ["death", "Death"]], label = { en = "What" } }
when = { kind = "date", label = { en = "When" } }
[derivation]
change = { rule = "count - count@base", label = { en = "Change" } }
[analysis_set]
full = { rule = "randomised" }
[[endpoint]]
id = "change"
level = "primary"
kind = "continuous"
variable = "change"
visits = ["w4"]
at = "w4"
)";

TEST(Records, SayWhatHappenedAsADataFileWould) {
  const auto protocol = protocol::load(text, "small.toml");
  ASSERT_TRUE(protocol) << to_string(protocol.error().front());
  const auto item = [&](std::string_view id) { return protocol->item(id); };
  const Layout layout{.cells = {{item("count"), 0}, {item("count"), 1}, {item("sex"), 0}, {item("smokes"), 0}},
                      .forms = {{protocol->form("log"), {item("what"), item("when")}}},
                      .visits = 2,
                      .arms = 2,
                      .sites = 2};
  EXPECT_EQ(layout.cell("count", 1), 1u);
  EXPECT_FALSE(layout.cell("count", {}));
  const double none = missing_number;
  const VirtualTrial trial{.n = 3,
                           .entry = {0, 10, 400},
                           .site = {1, 0, 1},
                           .arm = {0, 1, 1},
                           .arm_received = {0, 1, 0},
                           .visit_day = {0, 0, 0, 30, none, 28},
                           .value = {100, 110, 120, 130, none, 150.5, 0, 1, none, 1, none, 0},
                           .follow_up_end = {30, 5, 28},
                           .entries = {{.participant = {1}, .date = {5}, .items = {{1}, {5}}}}};
  const data::TrialRecords records = to_records(*protocol, layout, trial);
  EXPECT_EQ(records.participants, (std::vector<std::string>{"V0001", "V0002", "V0003"}));
  EXPECT_EQ(records.randomisation.low, (std::vector<double>{10957, 10967, 11357}));
  EXPECT_EQ(records.site.levels[std::size_t(records.site.code[0])], "south");
  EXPECT_EQ(records.arm_received.code, (std::vector<std::int32_t>{0, 1, 0}));
  EXPECT_EQ(records.follow_up_end, (std::vector<double>{10987, 10972, 11385}));
  const data::TrialTables tables(*protocol, records);
  EXPECT_EQ(tables.attended("w4"), (std::vector<std::uint8_t>{1, 0, 1}));
  EXPECT_EQ(tables.visit_date("w4").low[2], 11385);
  const expression::Column change = tables.variable("change", "w4");
  EXPECT_EQ(change.low[0], 30);
  EXPECT_TRUE(change.missing(1));
  EXPECT_EQ(change.low[2], 30.5);
  EXPECT_EQ(tables.variable("sex", "base").code, (std::vector<std::int32_t>{0, 1, missing_level}));
  EXPECT_EQ(tables.variable("smokes", "base").truth, (std::vector<std::uint8_t>{1, 2, 0}));
  const expression::Entries& entries = tables.entries("log");
  ASSERT_EQ(entries.participant, std::vector<std::size_t>{1});
  EXPECT_EQ(entries.date.low[0], 10972);
  EXPECT_EQ(entries.items.at("what").code[0], 1);
  EXPECT_EQ(entries.items.at("when").low[0], 10972);
}

}  // namespace
}  // namespace equipoise::simulate
