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
  EXPECT_THAT(words.out, HasSubstr("The whole is in out/rehearsal.html."));
  EXPECT_THAT(contents((folder.path / "out/rehearsal.html").string()), HasSubstr("SIMULATED"));
  EXPECT_THAT(equipoise({"simulate", paired, "--scenario", "still", "--replicates", "120"}).out,
              HasSubstr("Scenario still: 120 trials"));
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

/// Asked of the paired plan in two of its worlds.
std::vector<std::string> ask(std::vector<std::string> more, std::string const& replicates = "750") {
  std::vector<std::string> words{"simulate", paired,         "--scenario", "still",  "--scenario",
                                 "rising",   "--replicates", replicates,   "--quiet"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(Simulate, GivesTheSameBytesInAnyNumberOfShards) {
  const Folder folder;
  const auto at = [&](std::string const& name) { return contents((folder.path / name).string()); };
  ASSERT_EQ(equipoise(ask({"--output", "whole"}), {.folder = folder.path}).status, 0);
  for (const int count : {1, 3, 64}) {
    const std::string parts = "parts" + std::to_string(count), merged = "merged" + std::to_string(count);
    for (int i = 1; i <= count; ++i)
      ASSERT_EQ(equipoise(ask({"--shard", fmt::format("{}/{}", i, count), "--output", parts}), {.folder = folder.path}).status,
                0);
    const Ran ran = equipoise({"merge", paired, parts, "--output", merged}, {.folder = folder.path});
    ASSERT_EQ(ran.status, 0) << ran.err;
    EXPECT_EQ(at(merged + "/rehearsal.json"), at("whole/rehearsal.json")) << count << " shards";
  }
  // Eight blocks in 64 shards: most of the parts were empty.
  const Ran twice = equipoise({"merge", paired, "parts3", "parts64/part-8-of-64.json"}, {.folder = folder.path});
  EXPECT_EQ(twice.status, 3);
  EXPECT_THAT(twice.err, HasSubstr("parts64/part-8-of-64.json: replicates from 0 to 99 of 'still' are in another part too"));

  fs::remove(folder.path / "parts3/part-2-of-3.json");
  const Ran gap = equipoise({"merge", paired, "parts3"}, {.folder = folder.path});
  EXPECT_EQ(gap.status, 3);
  EXPECT_THAT(gap.err, HasSubstr("replicates 200 to 499 of 'rising' are in no part"));
  EXPECT_THAT(gap.err, HasSubstr("--resume"));
  for (int again = 0; again < 2; ++again) {
    const Ran resumed = equipoise(ask({"--resume", "--output", "parts3"}), {.folder = folder.path});
    ASSERT_EQ(resumed.status, 0) << resumed.err;
    EXPECT_EQ(at("parts3/rehearsal.json"), at("whole/rehearsal.json"));
  }
}

TEST(Simulate, RefusesToMixParts) {
  const Folder folder;
  ASSERT_EQ(equipoise(ask({"--shard", "1/2", "--output", "a"}, "400"), {.folder = folder.path}).status, 0);
  ASSERT_EQ(equipoise(ask({"--shard", "2/2", "--seed", "5", "--output", "b"}, "400"), {.folder = folder.path}).status, 0);
  const Ran seeds = equipoise({"merge", paired, "a", "b"}, {.folder = folder.path});
  EXPECT_EQ(seeds.status, 3);
  EXPECT_THAT(seeds.err, HasSubstr("the part has the seed 5, and the others 1"));
  write(folder.path / "other.toml", with(contents(paired), "planned_participants = 72", "planned_participants = 90"));
  EXPECT_THAT(equipoise({"merge", "other.toml", "a"}, {.folder = folder.path}).err, HasSubstr("of another protocol"));
  EXPECT_THAT(equipoise(ask({"--resume", "--output", "a", "--shard", "1/2"}, "500"), {.folder = folder.path}).err,
              HasSubstr("the part is one of 400 replicates of 'still', and the others of 500"));
  const std::string part = contents((folder.path / "a/part-1-of-2.json").string());
  write(folder.path / "a/part-1-of-2.json", part.substr(0, part.size() / 2));
  const Ran cut = equipoise({"merge", paired, "a"}, {.folder = folder.path});
  EXPECT_EQ(cut.status, 3);
  EXPECT_THAT(cut.err, HasSubstr("a/part-1-of-2.json: the file is damaged or cut off"));
}

TEST(Simulate, ShardsByItselfUnderALauncher) {
  const Folder folder;
  const std::map<std::string, std::string> task{
      {"SLURM_ARRAY_TASK_ID", "2"}, {"SLURM_ARRAY_TASK_COUNT", "2"}, {"SLURM_ARRAY_TASK_MIN", "1"}};
  const Ran alone =
      equipoise({"simulate", paired, "--scenario", "still", "--replicates", "300"}, {.folder = folder.path, .environment = task});
  EXPECT_EQ(alone.status, 2);
  EXPECT_THAT(alone.err, HasSubstr("shard 2 of 2 needs --output"));
  const Ran ran = equipoise({"simulate", paired, "--scenario", "still", "--replicates", "300", "--output", "o"},
                            {.folder = folder.path, .environment = task});
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_TRUE(fs::exists(folder.path / "o/part-2-of-2.json"));
  EXPECT_FALSE(fs::exists(folder.path / "o/rehearsal.json"));
  EXPECT_EQ(equipoise({"simulate", paired, "--shard", "3/2", "--output", "o"}, {.folder = folder.path}).status, 2);
}

TEST(Simulate, StopsAtATargetPrecisionWhateverTheThreads) {
  const auto made = [](std::string const& threads) {
    return equipoise({"simulate", paired, "--scenario", "still", "--precision", "0.006", "--replicates", "100000", "--json",
                      "--threads", threads});
  };
  const Ran one = made("1");
  ASSERT_EQ(one.status, 0) << one.err;
  const json scenario = one.answer().at("scenarios").at(0);
  // sqrt(0.05 * 0.95 / n) <= 0.006 from n = 1320 on: the next stop is 2000.
  EXPECT_EQ(scenario.at("replicates"), 2000);
  EXPECT_LT(scenario.at("statements").at(0).at("rejected").at("mc_se"), 0.006);
  EXPECT_EQ(made("2").out, one.out);
}

const std::string grid = R"(
[rehearsal]
replicates = 200
first = { curve = 150 }
[[rehearsal.grid]]
id = "gain"
scenario = "at-once"
vary = [{ label = "Gain", keys = ["effect.cd4.low", "effect.cd4.high"], values = [0, 60] }, { keys = ["accrual.participants"], values = [36, 72] }]
)";

TEST(Simulate, RehearsesGridsAndLimitsAnalyses) {
  const Folder folder;
  write(folder.path / "p.toml", contents(paired) + grid);
  const Ran ran = equipoise({"simulate", "p.toml", "--scenario", "at-once", "--grid", "gain", "--json"}, {.folder = folder.path});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const json whole = ran.answer();
  EXPECT_EQ(whole.at("scenarios").at(0).at("statements").at(5).at("rejected").at("of"), 150) << "the curve's";
  EXPECT_EQ(whole.at("scenarios").at(0).at("claims").at(1).at("holds").at("of"), 150);
  EXPECT_EQ(whole.at("scenarios").at(0).at("claims").at(0).at("holds").at("of"), 200);
  const json made = whole.at("grids").at(0);
  EXPECT_EQ(made.at("axes").at(0).at("values"), (std::vector<double>{0, 60}));
  ASSERT_EQ(made.at("cells").size(), 4u);
  const auto power = [&](int cell) {
    return made.at("cells").at(cell).at("statements").at(1).at("rejected").at("value").get<double>();
  };
  EXPECT_LT(power(0), 0.12);
  EXPECT_LT(power(1), 0.12);
  EXPECT_GT(power(2), 0.5);
  EXPECT_GT(power(3), power(2)) << "72 know more than 36";
  // The cell with the effect and the size of the scenario itself has its random numbers, too.
  const Ran same = equipoise({"simulate", "p.toml", "--scenario", "at-once", "--json"}, {.folder = folder.path});
  EXPECT_EQ(same.answer().at("scenarios").at(0), whole.at("scenarios").at(0));
}

TEST(Simulate, SaysInWhichCellOfAGridAWorldCannotBe) {
  const Folder folder;
  write(folder.path / "p.toml", contents(paired) + with(grid, "values = [36, 72]", "values = [36, 0]"));
  const Ran ran = equipoise({"simulate", "p.toml", "--grid", "gain"}, {.folder = folder.path});
  EXPECT_EQ(ran.status, 3);
  EXPECT_THAT(ran.err, HasSubstr("(in cell 2 of grid 'gain')"));
  EXPECT_EQ(equipoise({"simulate", "p.toml", "--grid", "gian"}, {.folder = folder.path}).status, 3);
}

TEST(Simulate, KeepsWhatIsDoneWhenInterrupted) {
  const Folder folder;
  const std::vector<std::string> words{"simulate", paired, "--scenario", "still", "--replicates", "2000000", "--output", "o"};
  const Ran ran = equipoise(words, {.folder = folder.path, .interrupted_after_ms = 700});
  EXPECT_EQ(ran.status, 130) << ran.err;
  EXPECT_THAT(ran.err, HasSubstr("--resume goes on from there"));
  const json part = json::parse(contents((folder.path / "o/part-1-of-1.json").string()));
  EXPECT_GT(part.at("worlds").at(0).at("pieces").size(), 0u);
  EXPECT_FALSE(fs::exists(folder.path / "o/rehearsal.json"));
}

TEST(Simulate, LosesNothingOnAFullDisk) {
  const Folder folder;
  ASSERT_EQ(equipoise(ask({"--shard", "1/3", "--output", "o"}), {.folder = folder.path}).status, 0);
  fs::rename(folder.path / "o/part-1-of-3.json", folder.path / "o/part-1-of-1.json");
  const std::string before = contents((folder.path / "o/part-1-of-1.json").string());
  const Ran full = equipoise(ask({"--resume", "--output", "o"}), {.folder = folder.path, .largest_file = 10000});
  EXPECT_EQ(full.status, 1);
  EXPECT_THAT(full.err, HasSubstr("cannot write 'o/part-1-of-1.json'"));
  EXPECT_EQ(folder.all(), (std::vector<std::string>{"o", "o/part-1-of-1.json"}));
  EXPECT_EQ(contents((folder.path / "o/part-1-of-1.json").string()), before);
  EXPECT_EQ(equipoise(ask({"--resume", "--output", "o"}), {.folder = folder.path}).status, 0);
}

TEST(Simulate, RefusesAPlanThatCannotRunOnAReplicate) {
  const Folder folder;
  const std::string flagship = contents((source_dir / "examples/msc-inr/protocol.toml").string());
  // Nobody makes the CD8 count any more, which the a10 and a11 read.
  const std::string without = with(
      with(flagship, "correlation = { levels = 0.2, noise = 0.3 }\n", ""),
      "cd8 = { level = { median = 756, cv = 0.50 }, slope_per_year = { mean = 0, sd = 0 }, noise_cv = 0.20, scale = \"log\" }\n",
      "");
  write(folder.path / "p.toml", without);
  const Ran ran = equipoise({"simulate", "p.toml", "--scenario", "no-effect", "--replicates", "100", "--output", "o"},
                            {.folder = folder.path});
  EXPECT_EQ(ran.status, 3);
  for (char const* id : {"a10_cd8", "a11_ratio"})
    EXPECT_THAT(ran.err, HasSubstr(fmt::format("analysis '{}' cannot be run on any of 20 trials of scenario 'no-effect': ", id)));
  EXPECT_THAT(ran.err, HasSubstr("hint: let the scenario make what the analysis reads"));
  EXPECT_FALSE(fs::exists(folder.path / "o"));
  EXPECT_EQ(equipoise({"simulate", "p.toml", "--scenario", "no-effect", "--replicates", "100", "--analysis", "a03_within_arm"},
                      {.folder = folder.path})
                .status,
            0);
}

TEST(Simulate, RefusesWorldsThatCannotBe) {
  const Folder folder;
  const std::string flagship = contents((source_dir / "examples/msc-inr/protocol.toml").string());
  const auto said = [&](std::string const& from, std::string const& to) {
    write(folder.path / "p.toml", with(flagship, from, to));
    const Ran ran =
        equipoise({"simulate", "p.toml", "--replicates", "100", "--analysis", "a03_within_arm"}, {.folder = folder.path});
    EXPECT_EQ(ran.status, 3) << to;
    return ran.err;
  };
  EXPECT_THAT(said("effect = { cd4 = { low = 0, high = 0,", "effect = { cd4 = { low = 0, hihg = 0,"),
              HasSubstr("names 'hihg', which is not an arm of the trial"));
  EXPECT_THAT(said("level = { median = 190, cv = 0.35 }", "level = { median = 1900, cv = 0.05 }"),
              HasSubstr("an acceptance of 0"));
}

const std::string looks = (source_dir / "tests/integration/rehearsal/looks.toml").string();

TEST(Simulate, AsksWhichWayOnlyWhereTheMethodSays) {
  const Folder folder;
  // Time without the event is better when there is more of it.
  const std::string gained = with(contents(looks), "method = \"log_rank\"", "method = \"rmst_difference\"\ntau = 1000");
  write(folder.path / "gained.toml", gained);
  const Ran rmst =
      equipoise({"simulate", "gained.toml", "--scenario", "effect", "--replicates", "200", "--json"}, {.folder = folder.path});
  ASSERT_EQ(rmst.status, 0) << rmst.err;
  const json statement = rmst.answer().at("scenarios").at(0).at("statements").at(0);
  EXPECT_GT(statement.at("rejected").at("n"), 100);
  EXPECT_EQ(statement.at("rejected_better").at("n"), statement.at("rejected").at("n"));
  // A weighted log-rank test says that curves differ, and its answer not which is higher.
  const std::string weighted =
      with(contents(looks), "method = \"log_rank\"", "method = \"fleming_harrington\"\nrho = 0\ngamma = 1");
  write(folder.path / "weighted.toml", weighted);
  const Ran better = equipoise({"simulate", "weighted.toml", "--replicates", "100"}, {.folder = folder.path});
  EXPECT_EQ(better.status, 3);
  EXPECT_THAT(better.err, HasSubstr("the method of analysis 'os' does not say which way the data point"));
  write(folder.path / "weighted.toml",
        with(weighted, "analysis = \"os\"\nlook", "analysis = \"os\"\ndirection = \"either\"\nlook"));
  const Ran either =
      equipoise({"simulate", "weighted.toml", "--scenario", "effect", "--replicates", "200", "--json"}, {.folder = folder.path});
  ASSERT_EQ(either.status, 0) << either.err;
  EXPECT_FALSE(either.answer().at("scenarios").at(0).at("statements").at(0).contains("rejected_better"));
  EXPECT_GT(either.answer().at("scenarios").at(0).at("monitored_any").at("value"), 0.5);
}

TEST(Simulate, TakesATrialWithoutSitesAndRefusesOneThatCannotFill) {
  const Folder folder;
  const std::string sites = "[sites]\nsite = [{ id = \"one\", name = \"One\", planned_per_month = 2 }]\n";
  write(folder.path / "none.toml", with(contents(paired), sites, ""));
  EXPECT_EQ(equipoise({"simulate", "--scenario", "still", "none.toml", "--replicates", "100"}, {.folder = folder.path}).status, 0)
      << "an option takes one value, so that the file may come after it";
  write(folder.path / "capped.toml",
        with(contents(paired), "block_sizes = [3, 6]", "block_sizes = [3, 6]\ncaps = { control = 20, low = 20, high = 20 }"));
  const Ran ran = equipoise({"simulate", "capped.toml", "--replicates", "100"}, {.folder = folder.path});
  EXPECT_EQ(ran.status, 3);
  EXPECT_THAT(ran.err, HasSubstr("the caps of the arms leave room for 60 participants, and scenario 'still' has 72"));
}

TEST(Simulate, GoesOnFromItsOwnPartAndSaysWhenATargetIsMissed) {
  const Folder folder;
  ASSERT_EQ(equipoise(ask({"--output", "o"}), {.folder = folder.path}).status, 0);
  const std::string part = contents((folder.path / "o/part-1-of-1.json").string());
  ASSERT_EQ(equipoise(ask({"--output", "o"}), {.folder = folder.path}).status, 0);
  EXPECT_EQ(contents((folder.path / "o/part-1-of-1.json").string()), part);
  ASSERT_EQ(equipoise(ask({"--output", "o", "--seed", "9"}), {.folder = folder.path}).status, 0)
      << "another rehearsal takes its place";
  EXPECT_NE(contents((folder.path / "o/part-1-of-1.json").string()), part);
  const Ran missed = equipoise(ask({"--precision", "0.0001"}), {.folder = folder.path});
  EXPECT_EQ(missed.status, 5);
  EXPECT_THAT(missed.err, HasSubstr("the target precision was not reached: 'still' has a Monte Carlo standard error of"));
  for (std::vector<std::string> const& bad : {std::vector<std::string>{"--seed", "-1"},
                                              {"--seed", "99999999999999999999"},
                                              {"--precision", "nan"},
                                              {"--threads", "-1"}})
    EXPECT_EQ(equipoise(ask(bad), {.folder = folder.path}).status, 2) << bad[1];
}

}  // namespace
}  // namespace equipoise::e2e
