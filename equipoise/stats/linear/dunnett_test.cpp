#include "equipoise/stats/linear/dunnett.h"

#include <algorithm>
#include <cmath>

#include "equipoise/stats/linear/ancova.h"
#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::Keys, testing::read, testing::Table, testing::text, testing::texts;

const Roles response{{"response", {"y"}}};

Keys model(bool dunnett, Keys more = {}) {
  Keys keys{{"formula", text("arm")}, {"levels", testing::table({{"arm", texts({"control", "low", "high"})}})}};
  if (dunnett) keys.insert(keys.end(), {{"factor", text("arm")}, {"control", text("control")}});
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}
At against_control(std::string level) { return {{"difference", LevelDifference{"arm", std::move(level), "control"}}}; }

/// Groups of 5, 4 and 6; `sign` turns the response round.
Table three_groups(double sign) {
  std::vector<double> y{5.1, 4.8, 6.0, 5.5, 4.9, 6.1, 5.2, 6.8, 6.0, 7.0, 6.6, 7.9, 5.9, 8.1, 7.2};
  for (double& value : y) value *= sign;
  Table table;
  table.numbers("y", y).category("arm", {"control", "low", "high"}, {0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2});
  return table;
}

// Stepping down, the largest |t| is judged among all comparisons, as in a single step; the next among those left, and of two
// comparisons only itself is left: its own t test. Dunnett & Tamhane (1991), Stat. Med. 10, 939-947.
TEST(Dunnett, StepsDownToTheTTestOfTheLastComparison) {
  Table table = three_groups(1);
  const auto single = answer<Dunnett>(table.frame(), response, model(true));
  const auto down = answer<Dunnett>(table.frame(), response, model(true, {{"procedure", text("step_down")}}));
  const auto plain = answer<Ancova>(table.frame(), response, model(false));
  const At high = against_control("high"), low = against_control("low");
  ASSERT_GT(std::abs(read(plain, "t", high)), std::abs(read(plain, "t", low)));
  EXPECT_NEAR(read(down, "adjusted_p", high), read(single, "adjusted_p", high), 1e-10);
  EXPECT_NEAR(read(down, "adjusted_p", low), std::max(read(single, "adjusted_p", high), read(plain, "p", low)), 1e-10);
  for (At const& at : {high, low}) {  // between one test and Bonferroni's two
    EXPECT_GT(read(single, "adjusted_p", at), read(plain, "p", at));
    EXPECT_LT(read(single, "adjusted_p", at), 2 * read(plain, "p", at));
  }
}

TEST(Dunnett, TurnsRoundWithTheResponse) {
  Table table = three_groups(1), turned = three_groups(-1);
  const auto greater = answer<Dunnett>(table.frame(), response, model(true, {{"alternative", text("greater")}}));
  const auto less = answer<Dunnett>(turned.frame(), response, model(true, {{"alternative", text("less")}}));
  const auto wrong_way = answer<Dunnett>(table.frame(), response, model(true, {{"alternative", text("less")}}));
  const auto both = answer<Dunnett>(table.frame(), response, model(true));
  for (const char* level : {"low", "high"}) {
    const At at = against_control(level);
    EXPECT_NEAR(read(greater, "adjusted_p", at), read(less, "adjusted_p", at), 1e-12) << level;
    EXPECT_LT(read(greater, "adjusted_p", at), read(both, "adjusted_p", at)) << level;
    EXPECT_GT(read(wrong_way, "adjusted_p", at), 0.5) << level;  // both arms are above the control
  }
  EXPECT_LT(read(greater, "critical_value"), read(both, "critical_value"));
}

// One treatment is no family: the t test, on one side half of it.
TEST(Dunnett, OfOneTreatmentIsTheTTest) {
  Table table;
  table.numbers("y", {1, 3, 2, 6, 4, 7, 5}).category("arm", {"control", "low"}, {0, 0, 0, 1, 1, 1, 1});
  const Keys levels{{"formula", text("arm")}, {"levels", testing::table({{"arm", texts({"control", "low"})}})}};
  Keys both = levels, above = levels;
  both.insert(both.end(), {{"factor", text("arm")}, {"control", text("control")}});
  above = both;
  above.push_back({"alternative", text("greater")});
  const At low = against_control("low");
  const double p = read(answer<Ancova>(table.frame(), response, levels), "p", low);
  EXPECT_NEAR(read(answer<Dunnett>(table.frame(), response, both), "adjusted_p", low), p, 1e-10);
  EXPECT_NEAR(read(answer<Dunnett>(table.frame(), response, above), "adjusted_p", low), p / 2, 1e-10);
}

}  // namespace
}  // namespace equipoise::stats
