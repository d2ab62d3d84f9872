// Days on which the service cannot be reached: printed envelopes, and how what was done with them comes into the log.

#include "equipoise/core/text.h"
#include "equipoise/core/unblinding_grant.h"
#include "tests/conduct/trial.h"

namespace equipoise::conducted {
namespace {

/// Blocks by site, and nothing that has to be known before randomisation.
Options small() {
  Options options;
  options.protocol_file = "tests/faults/trial.toml";
  return options;
}

std::string consented(Trial& trial, std::string const& site = "s1") {
  const std::string who = trial.enrol(site);
  trial.done("coordinator_" + site, "consent", {{"participant", who}, {"date", trial.today()}});
  return who;
}

Json randomise_from(Trial& trial, std::string const& who, std::string const& envelope) {
  const std::string user = "investigator_" + site_of(who);
  const Json seen = trial.view(user, "read_back", {{"participant", who}});
  return trial.ask(user, "randomise", {{"participant", who}, {"confirm", seen.value("confirm", "")}, {"envelope", envelope}});
}

std::string arm_of(Trial& trial, std::string const& who) {
  return trial.vault->open(who, UnblindingGrant(std::string(64, '0'))).value().arm;
}

TEST(Downtime, EnvelopesHoldTheArmsThatTheLogGivesAfterwards) {
  Trial trial(small());
  (void)trial.randomise(consented(trial));
  const Json printed = trial.both("unblinded_statistician", "unblinded_statistician_2", "print_envelopes",
                                  {{"purpose", "downtime"}, {"factors", {"s1"}}, {"count", 5}}, "the line is down at site 1 on Monday");
  const Json envelopes = printed.at("shown").at("envelopes");
  ASSERT_EQ(envelopes.size(), 5u);
  std::set<std::string> arms;
  for (int i = 0; i < 5; ++i) {
    const std::string outside = envelopes[std::size_t(i)]["outside"], inside = envelopes[std::size_t(i)]["inside"];
    EXPECT_NE(outside.find(fmt::format("Position {} of 'site=s1'", i + 2)), std::string::npos) << outside;
    for (std::string_view arm : {"control", "low", "high"}) EXPECT_EQ(outside.find(arm), std::string::npos) << outside;
    const std::string who = consented(trial);
    const Json done = randomise_from(trial, who, fmt::format("{} of site=s1", i + 2));
    ASSERT_TRUE(done.value("ok", false)) << messages(done);
    EXPECT_NE(inside.find("Arm: " + arm_of(trial, who)), std::string::npos) << inside;
    arms.insert(arm_of(trial, who));
  }
  EXPECT_GT(arms.size(), 1u);
  // What blinded people read of it names no arm.
  for (std::string const user : {"monitor", "data_manager", "coordinator_s1"})
    EXPECT_EQ(trial.view(user, "audit").dump().find("Arm:"), std::string::npos) << user;
}

TEST(Downtime, AnEnvelopeOutOfOrderIsNotEntered) {
  Trial trial(small());
  const std::string who = consented(trial);
  const Json refused = randomise_from(trial, who, "2 of site=s1");
  EXPECT_EQ(codes(refused), std::set<std::string>{"conflict"});
  EXPECT_NE(messages(refused).find("the next one for participant 's1-001' is '1 of site=s1'"), std::string::npos) << messages(refused);
  EXPECT_TRUE(randomise_from(trial, who, "1 of site=s1").value("ok", false));
}

TEST(Downtime, EnvelopesAreForAnUnblindedRoleAndTwoPeople) {
  Trial trial(small());
  const Json data{{"purpose", "emergency"}};
  for (std::string const user : {"investigator_s1", "coordinator_s1", "monitor", "blinded_statistician", "administrator", "preparer_s1"})
    EXPECT_EQ(codes(trial.ask(user, "print_envelopes", data, "why not")), std::set<std::string>{"refused"}) << user;
  EXPECT_EQ(codes(trial.ask("unblinded_statistician", "print_envelopes", data, "for the pharmacy")), std::set<std::string>{"no_data"});
  const std::string who = consented(trial);
  (void)trial.randomise(who);
  const Json first = trial.done("unblinded_statistician", "print_envelopes", data, "for the pharmacy");
  EXPECT_FALSE(first.contains("shown")) << "one person alone sees nothing";
  const Json both = trial.done("unblinded_statistician_2", "approve", {{"proposal", first["events"][0]["data"]["proposal"]}});
  EXPECT_EQ(trial.vault->disclosures().back().kind, "envelopes");
  ASSERT_EQ(both["shown"]["envelopes"].size(), 1u);
  EXPECT_NE(both["shown"]["envelopes"][0]["inside"].get<std::string>().find("Arm: " + arm_of(trial, who)), std::string::npos);
}

TEST(Downtime, EveryProblemOfAnOrderIsNamed) {
  Trial trial(small());
  const auto ask = [&](Json data) { return trial.ask("unblinded_statistician", "print_envelopes", std::move(data), "a test"); };
  EXPECT_EQ(codes(ask({{"purpose", "downtime"}, {"factors", {"s9"}}, {"count", 0}})), (std::set<std::string>{"unresolved", "out_of_range"}));
  EXPECT_EQ(codes(ask({{"purpose", "downtime"}, {"factors", Json::array()}, {"count", 5}})), std::set<std::string>{"size_mismatch"});
  EXPECT_EQ(codes(ask({{"purpose", "curiosity"}})), std::set<std::string>{"unknown_keyword"});
  Trial minimised;
  const Json none = minimised.ask("unblinded_statistician", "print_envelopes", {{"purpose", "downtime"}, {"factors", {"s1", "false"}}, {"count", 5}}, "a test");
  EXPECT_TRUE(codes(none).contains("not_available")) << none.dump();
}

// Marking is for good, takes the secret and a reason, and frees nothing: the place in the list is never given again, and the participant
// stays in the set of those randomised.
TEST(F27b_RandomisedInError, TheAllocationStandsAndItsPlaceIsNeverGivenAgain) {
  Trial trial(small());
  const std::string who = consented(trial), next = consented(trial);
  ASSERT_TRUE(trial.randomise(who).value("ok", false));
  const std::string secret = "the secret of investigator_s1";
  const auto mark = [&](std::string const& with, std::string const& reason) {
    return trial.ask("investigator_s1", "randomised_in_error", {{"participant", who}, {"secret", with}}, reason);
  };
  EXPECT_EQ(codes(mark(secret, "")), std::set<std::string>{"missing_key"});
  EXPECT_EQ(codes(mark("a guess", "wrong person")), std::set<std::string>{"refused"});
  EXPECT_EQ(codes(trial.ask("investigator_s1", "randomised_in_error", {{"participant", next}, {"secret", secret}}, "not yet")), std::set<std::string>{"refused"});
  const std::string arm = arm_of(trial, who);
  ASSERT_TRUE(mark(secret, "consent was for another trial").value("ok", false));
  EXPECT_EQ(codes(mark(secret, "again")), std::set<std::string>{"duplicate"});
  EXPECT_EQ(arm_of(trial, who), arm);
  EXPECT_EQ(codes(trial.randomise(who)), std::set<std::string>{"refused"});
  const Json after = trial.randomise(next);
  EXPECT_EQ(after["events"][0]["data"]["receipt"]["position"], 2);
  EXPECT_EQ(after["events"][0]["data"]["request"]["number"], 2);
  EXPECT_EQ(trial.service->state().deviations.back().category, "randomised_in_error");
  for (conduct::TrialEvent const& event : trial.events())
    EXPECT_EQ(conduct::encoded_event(event).find("secret of"), std::string::npos) << "a secret in the log";
}

}  // namespace
}  // namespace equipoise::conducted
