#include <gtest/gtest.h>

#include "equipoise/protocol/load.h"

namespace equipoise::protocol {
namespace {

constexpr std::string_view trial = R"(format = 1
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
role = "placebo_control"
label = { en = "Control" }
[[arm]]
id = "low"
role = "investigational"
label = { en = "Low" }
[schedule]
visit = [{ id = "base", day = 1, forms = ["blood"] }, { id = "w4", day = 29, forms = ["blood"] }]
[form.blood]
count = { kind = "number", label = { en = "Count" } }
[analysis_set]
full = { rule = "randomised" }
[[endpoint]]
id = "count"
level = "primary"
kind = "continuous"
variable = "count"
visits = ["w4"]
at = "w4"
[[analysis]]
id = "a01"
endpoint = "count"
set = "full"
role = "secondary"
method = "t_test"
)";

std::string problems_of(std::string_view claims) {
  const auto protocol = load(std::string(trial) + std::string(claims), "p.toml");
  std::string out;
  if (!protocol)
    for (Error const& one : protocol.error()) out += to_string(one) + "\n";
  return out;
}

TEST(ReadClaims, TakesConditionsAndOtherClaims) {
  const auto protocol = load(std::string(trial) + R"([[claim]]
id = "rise"
label = { en = "A rise" }
all = [{ analysis = "a01", arm = "low", p_at_most = 0.004, direction = "up" }]
[[claim]]
id = "none"
all = [{ claim = "rise", not = true }, { analysis = "a01", some = ["low"] }]
)",
                             "p.toml");
  ASSERT_TRUE(protocol) << to_string(protocol.error().front());
  ASSERT_EQ(protocol->claims.size(), 2u);
  ClaimPart const& rise = protocol->claims[0].all.at(0);
  EXPECT_EQ(protocol->claims[0].label.in("en"), "A rise");
  EXPECT_EQ(rise.analysis, "a01");
  EXPECT_EQ(rise.arms, std::vector<std::string>{"low"});
  EXPECT_TRUE(rise.every && rise.p_included && !rise.negated);
  EXPECT_EQ(rise.p, 0.004);
  EXPECT_EQ(rise.direction, Direction::up);
  EXPECT_EQ(protocol->claims[1].all.at(0).claim, "rise");
  EXPECT_TRUE(protocol->claims[1].all.at(0).negated);
  EXPECT_FALSE(protocol->claims[1].all.at(1).every || protocol->claims[1].all.at(1).p_included);
  EXPECT_EQ(protocol->claims[1].all.at(1).p, 0.05) << "alpha, when nothing else is said";
}

TEST(ReadClaims, ReportsEveryProblemWithItsPlace) {
  EXPECT_EQ(problems_of(R"([[claim]]
id = "one"
all = [
  { analysis = "a1", arm = "lwo", p_below = 0 },
  { analysis = "a01" },
  { analysis = "a01", arm = "low", some = ["low"], direction = "better", p_at_most = 0.01, p_below = 0.01 },
  { claim = "later" },
]
[[claim]]
id = "one"
all = []
)"),
            "p.toml:43:16: there is no analysis 'a1'\n"
            "  hint: did you mean 'a01'?\n"
            "p.toml:43:28: there is no arm 'lwo'\n"
            "  hint: did you mean 'low'?\n"
            "p.toml:43:45: 'p_below' in a condition of claim 'one' must be above 0 and below 1, and is 0\n"
            "p.toml:44:3: a condition of claim 'one' needs one of the keys 'arm', 'some' and 'every'\n"
            "p.toml:45:43: a condition of claim 'one' names its arms twice, by 'arm' and by 'some'\n"
            "p.toml:45:64: endpoint 'count' does not say what its benefit is\n"
            "  hint: add benefit to the endpoint, or say up or down\n"
            "p.toml:45:102: a condition of claim 'one' has 'p_at_most' and 'p_below', and one is meant\n"
            "p.toml:46:13: there is no earlier claim 'later'\n"
            "p.toml:49:6: the id 'one' is given to two claims\n"
            "p.toml:50:7: claim 'one' has no condition\n");
}

}  // namespace
}  // namespace equipoise::protocol
