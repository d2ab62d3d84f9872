// The rehearsal as a person asks for it.

#include "run_binary.h"

namespace equipoise::e2e {
namespace {

using ::testing::HasSubstr;

const std::string paired = (source_dir / "tests/integration/rehearsal/paired.toml").string();

TEST(Simulate, SaysWhatThePlanIsWorthAndThatItIsSimulated) {
  const Folder folder;
  const Ran words =
      equipoise({"simulate", paired, "--scenario", "still", "--replicates", "120", "--output", "out"}, {.folder = folder.path});
  ASSERT_EQ(words.status, 0) << words.err;
  EXPECT_TRUE(words.out.starts_with("SIMULATED: paired rehearsed, seed 1."));
  EXPECT_THAT(words.out, HasSubstr("Scenario still: 120 trials"));
  EXPECT_THAT(words.out, HasSubstr("some_arm_not_control"));
  const json kept = json::parse(contents((folder.path / "out/rehearsal.json").string()));
  EXPECT_EQ(kept.at("simulated"), true);
  EXPECT_EQ(kept.at("seed"), 1);
  EXPECT_EQ(kept.at("scenarios").at(0).at("replicates"), 120);
  EXPECT_EQ(kept.at("scenarios").at(0).at("statements").size(), 7u);
  EXPECT_EQ(kept.at("scenarios").at(0).at("statements").at(0).at("rejected").at("of"), 120);
}

TEST(Simulate, GivesTheSameBytesAgainAndOthersForAnotherSeed) {
  const auto made = [](std::string const& seed, std::string const& threads) {
    return equipoise({"simulate", paired, "--json", "--replicates", "250", "--seed", seed, "--threads", threads}).out;
  };
  const std::string one = made("11", "1");
  EXPECT_EQ(one, made("11", "2"));
  EXPECT_NE(one, made("12", "2"));
}

TEST(Simulate, RunsOnlyTheAnalysesAskedForWithTheClaimsThatTheyAnswer) {
  const Ran ran = equipoise({"simulate", paired, "--json", "--scenario", "drift", "--replicates", "100", "--analysis", "within"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const json scenario = ran.answer().at("scenarios").at(0);
  EXPECT_EQ(scenario.at("statements").size(), 3u);
  ASSERT_EQ(scenario.at("claims").size(), 1u);
  EXPECT_EQ(scenario.at("claims").at(0).at("id"), "some_arm_not_control");
}

TEST(Simulate, RefusesWhatItCannotRun) {
  EXPECT_EQ(equipoise({"simulate", paired, "--replicates", "0"}).status, 2);
  const Ran unknown = equipoise({"simulate", paired, "--scenario", "stil"});
  EXPECT_EQ(unknown.status, 3);
  EXPECT_THAT(unknown.err, HasSubstr("'stil'"));
  const Folder folder;
  write(folder.path / "p.toml", with(contents(paired), "id = \"still\"\nmodel = \"longitudinal\"",
                                     "id = \"still\"\nmodel = \"longitudinal\"\nmissed_visit = 1.5"));
  const Ran bad = equipoise({"simulate", "p.toml"}, {.folder = folder.path});
  EXPECT_EQ(bad.status, 3);
  EXPECT_THAT(bad.err, HasSubstr("missed_visit"));
}

TEST(Simulate, WritesNothingWhenItCannot) {
  const Folder folder;
  write(folder.path / "file", "in the way");
  const Ran ran = equipoise({"simulate", paired, "--scenario", "still", "--replicates", "100", "--output", "file/out"},
                            {.folder = folder.path});
  EXPECT_EQ(ran.status, 1);
  EXPECT_FALSE(ran.err.empty());
  EXPECT_EQ(contents((folder.path / "file").string()), "in the way");
}

}  // namespace
}  // namespace equipoise::e2e
