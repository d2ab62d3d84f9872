// One virtual trial by itself, as a person asks for it.

#include "run_binary.h"

namespace equipoise::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string paired = (source_dir / "tests/integration/rehearsal/paired.toml").string();
const std::string flagship = (source_dir / "examples/msc-inr/protocol.toml").string();

/// Each estimate that the rehearsal kept of the replicate is found among the records of the analysis of the exported trial. 1e-9:
/// a rehearsal asks a model for what its statements read only, and sums in another order.
void expect_same(json const& rehearsal, std::size_t number, json const& results, int least) {
  int found = 0;
  for (json const& statement : rehearsal.at("scenarios").at(0).at("statements")) {
    if (!statement.contains("first_estimates") || statement.at("first_estimates").size() <= number) continue;
    json const& kept = statement.at("first_estimates").at(number);
    if (kept.is_null()) continue;
    const bool log = statement.at("scale") == "log";
    bool same = false;
    for (json const& record : results.at("records")) {
      if (record.at("analysis") != statement.at("analysis") || !record.at("value").is_number()) continue;
      if (record.at("at").dump().find(statement.at("arm").get<std::string>()) == std::string::npos) continue;
      const double value = record.at("value").get<double>();
      same = same || std::abs((log ? std::log(value) : value) - kept.get<double>()) <= 1e-9 * (1 + std::abs(kept.get<double>()));
    }
    EXPECT_TRUE(same) << statement.at("analysis") << " " << statement.at("arm") << " " << kept;
    ++found;
  }
  EXPECT_GE(found, least);
}

TEST(Export, WritesTheTrialThatTheRehearsalAnalysed) {
  const Folder folder;
  const Ran ran = equipoise({"simulate", paired, "--scenario", "rising", "--export", "17", "--seed", "11", "--output", "one"},
                            {.folder = folder.path});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("SIMULATED: virtual trial 17 of scenario 'rising' (seed 11), 72 participants."));
  EXPECT_EQ(folder.all(), (std::vector<std::string>{"one", "one/protocol.toml", "one/trial.csv"}));
  const std::string protocol = contents(folder.path / "one/protocol.toml");
  EXPECT_THAT(protocol, StartsWith("# SIMULATED: virtual trial 17 of scenario 'rising', seed 11."));
  const Ran analysed = equipoise({"analyse", "one/protocol.toml", "--json"}, {.folder = folder.path});
  ASSERT_EQ(analysed.status, 0) << analysed.err;
  const Ran rehearsed = equipoise({"simulate", paired, "--scenario", "rising", "--seed", "11", "--replicates", "100", "--json"});
  ASSERT_EQ(rehearsed.status, 0) << rehearsed.err;
  expect_same(rehearsed.answer(), 17, analysed.answer(), 5);
  const Ran report = equipoise({"report", "one/protocol.toml", "--output", "report"}, {.folder = folder.path});
  ASSERT_EQ(report.status, 0) << report.err;
  std::size_t pages = 0;
  for (std::string const& name : folder.all()) {
    if (!name.ends_with(".html")) continue;
    ++pages;
    EXPECT_THAT(contents(folder.path / name), HasSubstr("SIMULATED")) << name;
  }
  EXPECT_GE(pages, 1u);
}

TEST(Export, WritesTheFlagshipsTrial) {
  const Folder folder;
  const Ran ran = equipoise({"simulate", flagship, "--scenario", "as-published", "--export", "2", "--output", "one"},
                            {.folder = folder.path});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const Ran analysed = equipoise({"analyse", "one/protocol.toml", "--json"}, {.folder = folder.path});
  ASSERT_EQ(analysed.status, 0) << analysed.err;
  const Ran rehearsed = equipoise({"simulate", flagship, "--scenario", "as-published", "--replicates", "3", "--json"});
  ASSERT_EQ(rehearsed.status, 0) << rehearsed.err;
  expect_same(rehearsed.answer(), 2, analysed.answer(), 8);
}

TEST(Export, ExportsAnExportedProtocolAgain) {
  const Folder folder;
  const auto made = [&](std::string const& from, std::string const& to) {
    const Ran ran =
        equipoise({"simulate", from, "--scenario", "drift", "--export", "0", "--output", to}, {.folder = folder.path});
    EXPECT_EQ(ran.status, 0) << ran.err;
    return contents(folder.path / to / "trial.csv");
  };
  const std::string first = made(paired, "a");
  EXPECT_EQ(made("a/protocol.toml", "b"), first) << "its [source] is replaced, and the world is the same";
  EXPECT_EQ(made(paired, "a"), first) << "what --export wrote it may write over";
}

TEST(Export, TakesTheOnlyScenario) {
  const Folder folder;
  const std::string text = contents(paired);
  write(folder.path / "p.toml", text.substr(0, text.find("[[scenario]]\nid = \"drift\"")));
  const Ran ran = equipoise({"simulate", "p.toml", "--export", "0", "--output", "o", "--json"}, {.folder = folder.path});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(ran.answer().at("scenario"), "still");
  EXPECT_EQ(ran.answer().at("participants"), 72);
}

TEST(Export, SaysWhatItCannotDo) {
  const Folder folder;
  const auto refusal = [&](std::vector<std::string> words, int status) {
    words.insert(words.begin(), {"simulate", paired});
    const Ran ran = equipoise(words, {.folder = folder.path});
    EXPECT_EQ(ran.status, status) << ran.err;
    return ran.err;
  };
  EXPECT_THAT(refusal({"--export", "1", "--output", "o"}, 2),
              HasSubstr("--export needs --scenario, as the protocol has several"));
  EXPECT_THAT(refusal({"--export", "1", "--scenario", "still"}, 2), HasSubstr("--export needs --output"));
  EXPECT_THAT(refusal({"--export", "-1", "--scenario", "still", "--output", "o"}, 2),
              HasSubstr("--export counts virtual trials from 0, and there is none with the number -1"));
  EXPECT_THAT(refusal({"--export", "1", "--scenario", "still", "--scenario", "drift", "--output", "o"}, 2),
              HasSubstr("--export writes a trial of one scenario, and several are named"));
  EXPECT_THAT(refusal({"--export", "1", "--scenario", "still", "--output", "o", "--shard", "1/2", "--resume"}, 2),
              HasSubstr("--export writes one virtual trial: --shard and --resume cannot be given with it"));
  const std::string unknown = refusal({"--export", "1", "--scenario", "stil", "--output", "o"}, 3);
  EXPECT_THAT(unknown, HasSubstr("'stil'"));
  EXPECT_THAT(unknown, HasSubstr("did you mean 'still'?"));
  EXPECT_TRUE(folder.all().empty());
}

TEST(Export, NeverReplacesAProtocolOrDataOfSomebodyElse) {
  const Folder folder;
  write(folder.path / "protocol.toml", contents(paired));
  const Ran ran =
      equipoise({"simulate", "protocol.toml", "--scenario", "still", "--export", "0", "--output", "."}, {.folder = folder.path});
  EXPECT_EQ(ran.status, 2);
  EXPECT_THAT(ran.err, HasSubstr("holds a protocol.toml that --export did not write"));
  EXPECT_EQ(contents(folder.path / "protocol.toml"), contents(paired));
  fs::create_directory(folder.path / "own");
  write(folder.path / "own/trial.csv", "id\n1\n");
  const Ran data =
      equipoise({"simulate", paired, "--scenario", "still", "--export", "0", "--output", "own"}, {.folder = folder.path});
  EXPECT_EQ(data.status, 2);
  EXPECT_THAT(data.err, HasSubstr("holds a trial.csv that --export did not write"));
}

}  // namespace
}  // namespace equipoise::e2e
