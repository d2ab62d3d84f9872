// Two plans on common random numbers, as a person compares them.

#include "run_binary.h"

namespace equipoise::e2e {
namespace {

using ::testing::HasSubstr;

const std::string paired = (source_dir / "tests/integration/rehearsal/paired.toml").string();

TEST(Compare, SeesNoDifferenceBetweenAPlanAndItself) {
  const Ran ran = equipoise({"compare", paired, paired, "--scenario", "drift", "--replicates", "300", "--json"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const json whole = ran.answer(), one = whole.at("scenarios").at(0);
  EXPECT_EQ(whole.at("simulated"), true);
  ASSERT_EQ(one.at("shares").size(), 9u) << "seven statements and two claims";
  for (json const& share : one.at("shares")) {
    EXPECT_EQ(share.at("first"), share.at("second"));
    EXPECT_EQ(share.at("difference").at("value"), 0);
    EXPECT_EQ(share.at("difference").at("mc_se"), 0);
  }
  EXPECT_EQ(one.at("means").at(0).at("first").at("value"), 72);
}

TEST(Compare, SaysOfEachPlanWhatItsRehearsalSays) {
  const Folder folder;
  write(folder.path / "wide.toml", with(with(contents(paired), "planned_participants = 72", "planned_participants = 120"),
                                        "some_arm_not_control", "other_claim"));
  const Ran ran = equipoise({"compare", paired, "wide.toml", "--scenario", "rising", "--scenario", "still", "--replicates", "350",
                             "--seed", "3", "--output", "o", "--json", "--threads", "2"},
                            {.folder = folder.path});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(contents((folder.path / "o/comparison.json").string()), ran.out);
  const json whole = ran.answer();
  EXPECT_EQ(whole.at("only_first"), (std::vector<std::string>{"claim 'some_arm_not_control'"}));
  EXPECT_EQ(whole.at("only_second"), (std::vector<std::string>{"claim 'other_claim'"}));
  for (char const* side : {"first", "second"}) {
    const Ran alone = equipoise({"simulate", side == std::string("first") ? paired : "wide.toml", "--scenario", "rising",
                                 "--replicates", "350", "--seed", "3", "--json"},
                                {.folder = folder.path});
    const json scenario = alone.answer().at("scenarios").at(0), compared = whole.at("scenarios").at(0);
    for (std::size_t s = 0; s < 7; ++s)
      EXPECT_EQ(compared.at("shares").at(s).at(side), scenario.at("statements").at(s).at("rejected")) << s;
    EXPECT_EQ(compared.at("shares").at(7).at(side), scenario.at("claims").at(1).at("holds"));
    const double days = compared.at("means").at(3).at(side).at("value"), alone_days = scenario.at("trial_days").at("value");
    EXPECT_NEAR(days, alone_days, 1e-12 * alone_days) << "blocks are summed in another order";
  }
  // Paired, a difference has an error of its own: at most the sum of both, and here less than that of independent shares.
  const json curve = whole.at("scenarios").at(0).at("shares").at(7);
  const double a = curve.at("first").at("mc_se"), b = curve.at("second").at("mc_se"),
               paired_se = curve.at("difference").at("mc_se");
  EXPECT_GT(paired_se, 0);
  EXPECT_LT(paired_se, a + b);
  const double apart = curve.at("first").at("value").get<double>() - curve.at("second").at("value").get<double>();
  EXPECT_NEAR(curve.at("difference").at("value"), apart, 1e-15);
}

TEST(Compare, NeedsAScenarioInCommon) {
  const Folder folder;
  std::string other = contents(paired);
  for (char const* id : {"still", "drift", "at-once", "rising"})
    for (std::string from = fmt::format("= \"{}\"", id); other.find(from) != std::string::npos;)
      other = with(other, from, fmt::format("= \"x-{}\"", id));
  write(folder.path / "other.toml", other);
  const Ran ran = equipoise({"compare", paired, "other.toml"}, {.folder = folder.path});
  EXPECT_EQ(ran.status, 3);
  EXPECT_THAT(ran.err, HasSubstr("no [[scenario]] in common"));
  const Ran named = equipoise({"compare", paired, "other.toml", "--scenario", "still"}, {.folder = folder.path});
  EXPECT_EQ(named.status, 3);
  EXPECT_THAT(named.err, HasSubstr("has no scenario 'still'"));
}

}  // namespace
}  // namespace equipoise::e2e
