#include "equipoise/vault/secrets.h"

#include "equipoise/vault/testing.h"

namespace equipoise::vault {
namespace {

using testing::blocks_by_stratum, testing::secrets_of, testing::TestChance, testing::said, testing::trial;

Lock key() { return Lock::key(SecretBytes(32)); }

ImportedList list(std::string_view csv, std::string environment = "test") {
  return parse_list(csv, "list.csv", "t", std::move(environment)).value();
}

TEST(Secrets, AreReadBackAsTheyWereSealed) {
  TestChance chance;
  Secrets secrets = secrets_of(trial(blocks_by_stratum));
  secrets.escrow = std::string(64, 'a');
  ASSERT_TRUE(import_list(secrets,
                          list("stream,position,arm\n\"site=s1,sex=F\",1,b\n\"site=s1,sex=F\",2,a\n\"site=s2,sex=F\",1,c\n"),
                          trial(blocks_by_stratum)));
  const auto back = open_secrets(seal_secrets(secrets, key(), chance).value(), key(), "the file");
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->seed.text(), secrets.seed.text());
  EXPECT_EQ(back->trial.id, "t");
  EXPECT_EQ(back->trial.protocol, trial(blocks_by_stratum).digest);
  EXPECT_EQ(back->trial.environment, "test");
  EXPECT_EQ(back->escrow, secrets.escrow);
  EXPECT_EQ(back->source, secrets.source);
  EXPECT_EQ(back->list->streams, secrets.list->streams);
}

TEST(F26_Secrets, OfALiveTrialComeFromTheOperatingSystemAlone) {
  TestChance chance;
  const auto protocol = trial(blocks_by_stratum);
  EXPECT_EQ(said(draw_secrets(protocol, "live", "", chance)),
            "the seed of a live trial comes from the operating system and from nothing else");
  SystemChance system;
  const auto one = draw_secrets(protocol, "live", "", system), two = draw_secrets(protocol, "live", "", system);
  EXPECT_NE(one->seed.text(), two->seed.text());
  EXPECT_EQ(one->source, "32 bytes of the operating system (getrandom, by libsodium)");
}

TEST(Secrets, AreDrawnForKnownEnvironments) {
  TestChance chance;
  EXPECT_EQ(said(draw_secrets(trial(blocks_by_stratum), "production", "", chance)),
            "an environment is live, test or simulated, and not 'production'");
  EXPECT_EQ(draw_secrets(trial(blocks_by_stratum), "test", "key", chance).error().code, Code::out_of_range);
}

TEST(C29_ImportedList, OfATestNeverEntersALiveTrial) {
  TestChance chance;
  const auto protocol = trial("method = \"simple\"\n");
  SystemChance system;
  Secrets live = draw_secrets(protocol, "live", "", system).value();
  const std::string sealed = seal_list(list("stream,position,arm\ntrial,1,a\n"), key(), chance).value();
  const auto opened = open_list(sealed, key(), "the list");  // the tag is inside what is sealed
  ASSERT_TRUE(opened);
  EXPECT_EQ(said(import_list(live, *opened, protocol)), "the list was made for the environment 'test', and this vault is 'live'");
  EXPECT_FALSE(live.list);
  Secrets test = secrets_of(protocol);
  EXPECT_TRUE(import_list(test, *opened, protocol));
  test.trial.id = "u";
  EXPECT_EQ(said(import_list(test, *opened, protocol)), "the list was made for the trial 't', and this one is 'u'");
}

TEST(ImportedList, IsSealedInALengthThatItsArmsDoNotChange) {
  TestChance chance;
  std::string one = "stream,position,arm\n", two = one;
  for (int i = 1; i <= 70'000; ++i)
    one += fmt::format("trial,{},{}\n", i, "abc"[i % 3]), two += fmt::format("trial,{},{}\n", i, "cab"[i % 3]);
  EXPECT_EQ(seal_list(list(one), key(), chance)->size(), seal_list(list(two), key(), chance)->size());
}

TEST(ImportedList, ReportsEveryProblemOfItsText) {
  const auto problems = [](std::string_view csv) {
    std::string all;
    const auto parsed = parse_list(csv, "list.csv", "t", "test");
    if (!parsed)
      for (Error const& problem : parsed.error()) all += to_string(problem) + "\n";
    return all;
  };
  EXPECT_EQ(problems(""), "list.csv: the list has no place\n");
  EXPECT_EQ(problems("arm\n"), "list.csv:1: a list begins with the line 'stream,position,arm'\n");
  EXPECT_EQ(problems("stream,position,arm\r\ntrial,1,a\r\n"), "");
  EXPECT_EQ(problems("stream,position,arm\nx,1,a\nx,3,a\nx,3,\ny,1\ny,1,a\nx,1,a\n\"z\n"),
            "list.csv:3: position 2 of the stream 'x' is expected here, and '3' stands here\n"
            "list.csv:4: a stream and an arm have names\n"
            "list.csv:5: a line of a list has a stream, a position and an arm\n"
            "list.csv:7: the stream 'x' goes on after another one\n"
            "list.csv:8: a line of a list has a stream, a position and an arm\n");
  EXPECT_EQ(problems("stream,position,arm\ntrial,1,\xff\n"), "list.csv: the list is not UTF-8\n");
  std::string many = "stream,position,arm\n";
  for (int i = 1; i <= 300; ++i) many += fmt::format("trial,{},a{}\n", i, i);
  EXPECT_EQ(problems(many), "list.csv:301: a list has at most 255 arms, and this one has 300\n");
}

TEST(ImportedList, ServesOnlyTheRuleOfItsTrial) {
  const auto rule = rule_of(trial(blocks_by_stratum)).value();
  const auto problems = [&](std::string_view csv, allocation::Rule const& of) {
    std::string all;
    for (Error const& problem : check_list(list(csv), of)) all += problem.message + "\n";
    return all;
  };
  EXPECT_EQ(problems("stream,position,arm\n\"site=s1,sex=F\",1,a\n", rule), "");
  EXPECT_EQ(problems("stream,position,arm\ntrial,1,z\ntrial,2,z\n", rule),
            "the list has a stream 'trial', and the protocol has none\nthe list has an arm 'z', and the protocol has none\n");
  EXPECT_EQ(problems("stream,position,arm\ntrial,1,a\n", rule_of(trial(testing::minimisation)).value()),
            "a list cannot serve a minimisation, whose arms depend on who came before\n");
}

TEST(Secrets, RefusesWhatASealedFileHoldsInstead) {
  TestChance chance;
  SecretBytes nonsense(40);
  const auto opened = open_secrets(seal_box(BoxKind::vault, nonsense, key(), chance).value(), key(), "the file");
  EXPECT_EQ(said(opened), "the file does not hold what it says");
  EXPECT_EQ(said(open_secrets(seal_box(BoxKind::vault, SecretBytes(3), key(), chance).value(), key(), "the file")),
            "the file does not hold what it says");
  EXPECT_FALSE(unpacked(R"({"trial":"t","environment":"test","arms":["a"],"streams":[{"stream":"trial","arms":"0001"}]})"));
  EXPECT_FALSE(unpacked(R"({"trial":"t","environment":"test","arms":["a"],"streams":[{"stream":"trial","arms":"0"}]})"));
}

}  // namespace
}  // namespace equipoise::vault
