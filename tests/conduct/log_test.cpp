// The audit trail as a whole, restored copies, amendments by participant.

#include <filesystem>
#include <fstream>

#include "equipoise/core/digest.h"
#include "equipoise/server/verify_trial.h"
#include "equipoise/store/sqlite.h"
#include "tests/conduct/trial.h"

namespace equipoise::conducted {
namespace {

std::filesystem::path new_folder() {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("equipoise-conduct-{}-{}", ::getpid(), ::testing::UnitTest::GetInstance()->random_seed());
  std::filesystem::remove_all(path);
  std::filesystem::create_directories(path);
  return path;
}

/// A store that fails when it is told to: nothing of the act is there then. Or somebody has changed the bytes of an event in it.
class FailingStore final : public conduct::EventStore {
 public:
  bool fails = false;
  conduct::Sequence changed = 0;
  std::string from{}, to{};
  Expected<void> append(conduct::Sequence expected, conduct::Act const& act) override {
    if (fails) return fail(Code::io, "the disk is full");
    return inner_.append(expected, act);
  }
  conduct::Sequence last() const override { return inner_.last(); }
  Expected<void> read(conduct::Sequence after, std::function<bool(conduct::StoredEvent const&)> const& visitor) const override {
    return inner_.read(after, [&](conduct::StoredEvent stored) {
      if (stored.sequence == changed) stored.bytes.replace(stored.bytes.find(from), from.size(), to);
      return visitor(stored);
    });
  }
  Expected<std::optional<conduct::Done>> done(std::string_view key) const override { return inner_.done(key); }
  Expected<std::optional<conduct::StoredText>> text(std::string_view id) const override { return inner_.text(id); }
  Expected<void> put(conduct::Document const& document) override { return inner_.put(document); }
  Expected<std::optional<conduct::Document>> document(std::string_view digest) const override { return inner_.document(digest); }
  Expected<std::int64_t> take_lease() override { return inner_.take_lease(); }
  Expected<void> backup(std::string const& path) const override { return inner_.backup(path); }

 private:
  store::MemoryStore inner_;
};

// What could not be stored has not happened, and the service says so to everybody until it is started again.
TEST(C02_Transaction, AnActThatIsNotStoredHasNotHappened) {
  FailingStore disk;
  Options options;
  options.store = &disk;
  Trial trial(options);
  const std::string who = trial.enrol();
  trial.screen(who);
  const auto before = trial.service->state().last;
  disk.fails = true;
  EXPECT_EQ(codes(trial.randomise(who)), std::set<std::string>{"io"});
  EXPECT_EQ(trial.service->state().last, before);
  EXPECT_FALSE(trial.service->state().participant(who)->randomised);
  disk.fails = false;
  EXPECT_EQ(codes(trial.randomise(who)), std::set<std::string>{"unavailable"});
  auto again = server::Service::start({disk, *trial.link, nullptr, trial.clock, trial.chance, "test", {}, {}});
  ASSERT_TRUE(again);
  trial.service = std::move(*again);
  const Json answer = trial.randomise(who);
  ASSERT_TRUE(answer["ok"].get<bool>()) << messages(answer);
  EXPECT_EQ(answer["events"][0]["data"]["receipt"]["number"], 1);
}

// A value is changed behind the service's back, and every digest beside it left: a service that starts anew says in which event.
TEST(C04_Tampering, AServiceDoesNotStartOnALogInWhichAByteWasChanged) {
  FailingStore disk;
  Options options;
  options.store = &disk;
  Trial trial(options);
  (void)trial.randomised();
  for (conduct::TrialEvent const& event : trial.events())
    if (conduct::encoded_event(event).find("\"62.5\"") != std::string::npos) disk.changed = event.envelope.sequence;
  ASSERT_GT(disk.changed, 0);
  ASSERT_LT(disk.changed, trial.service->state().last);
  disk.from = "\"62.5\"", disk.to = "\"52.5\"";
  const auto again = server::Service::start({disk, *trial.link, nullptr, trial.clock, trial.chance, "test", {}, {}});
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::inconsistent);
  EXPECT_EQ(again.error().message, fmt::format("event {}: its bytes are not those of its digest", disk.changed));
}

// Somebody with the vault's key asks it behind the service's back: its own ledger tells, held against the log.
TEST(C22_Disclosure, WhatTheVaultShowedWithoutAnEventIsFound) {
  Trial trial;
  const std::string who = trial.randomised(), other = trial.randomised();
  const auto request = trial.done("investigator_s1", "request_unblinding", {{"participant", who}}, "a fall");
  trial.done("investigator_s1", "confirm_unblinding", {{"request", request["events"][0]["data"]["request"]}}, "a fall");
  auto shown = trial.vault->disclosures();
  const auto good = server::verify_trial(*trial.store, nullptr, &shown);
  ASSERT_TRUE(good);
  EXPECT_TRUE(good->holds());
  EXPECT_EQ(good->findings.back().sentence, "each of the 1 times that the vault showed an arm there is the event that gave the right to it");
  // The same right, used for somebody else; and a reveal that nobody approved.
  const std::string right = trial.service->state().digest;
  ASSERT_TRUE(trial.vault->open(other, UnblindingGrant(right)));
  ASSERT_TRUE(trial.vault->reveal(UnblindingGrant(right)));
  shown = trial.vault->disclosures();
  const auto bad = server::verify_trial(*trial.store, nullptr, &shown);
  ASSERT_TRUE(bad);
  EXPECT_FALSE(bad->holds());
  std::string sentences;
  for (auto const& one : bad->findings)
    if (!one.holds) sentences += one.what + ": " + one.sentence + "\n";
  EXPECT_NE(sentences.find("the vault showed 'opening' (" + other + ")"), std::string::npos) << sentences;
  EXPECT_NE(sentences.find("the vault showed 'reveal'"), std::string::npos) << sentences;
}

// Every command that succeeds leaves an event of the one who gave it; there is no other way to the state.
TEST(C03_Audit, NoActWithoutAnEvent) {
  Trial trial;
  const std::string who = trial.randomised();
  conduct::State rebuilt;
  for (conduct::TrialEvent const& event : trial.events()) {
    EXPECT_FALSE(event.envelope.actor.empty()) << event.envelope.sequence;
    EXPECT_FALSE(event.envelope.role.empty()) << event.envelope.sequence;
    ASSERT_TRUE(fold(rebuilt, event, sha256(encoded_event(event))));
  }
  EXPECT_EQ(rebuilt.last, trial.service->state().last);
  EXPECT_EQ(rebuilt.digest, trial.service->state().digest);
  EXPECT_EQ(conduct::encoded_event(trial.events().back()).find("audit\":false"), std::string::npos);
  // No question names a way to turn it off.
  for (std::string_view key : {"audit", "silent", "no_log", "quiet"}) {
    Json question = Trial::question("administrator", "status", Json::object(), "", "");
    question[std::string(key)] = false;
    EXPECT_EQ(codes(Json::parse(trial.line(question.dump()))), std::set<std::string>{"unknown_key"});
  }
}

TEST(C05_AuditTrail, IsReadWithLabelsAndFiltered) {
  Trial trial;
  const std::string who = trial.randomised("s1"), other = trial.randomised("s2");
  const Json mine = trial.view("monitor", "audit", {{"participant", who}});
  EXPECT_GT(mine.size(), 10u);
  bool label = false;
  for (Json const& row : mine) {
    EXPECT_EQ(row.value("participant", ""), who);
    label |= row.value("item", "") == "CD4+ T cells" && row.value("after", "") == "180 /mm3";
  }
  EXPECT_TRUE(label);
  const Json chinese = trial.view("monitor", "audit", {{"participant", who}, {"language", "zh"}});
  EXPECT_NE(chinese.dump().find("CD4+ T细胞"), std::string::npos);
  for (Json const& row : trial.view("monitor", "audit", {{"by", "investigator_s2"}})) EXPECT_EQ(row["user"], "investigator_s2");
  EXPECT_EQ(trial.view("monitor", "audit", {{"from", "2030-01-01"}}).size(), 0u);
  for (Json const& row : trial.view("coordinator_s1", "audit")) EXPECT_NE(row.value("participant", ""), other);
}

// F20: a copy is taken, three allocations follow, the copy is restored: it comes up to be reconciled, and goes on after the receipts of
// the sites have been entered again.
TEST(C37_Restore, AnOldCopyAllocatesNothingUntilItIsReconciled) {
  const auto folder = new_folder();
  auto witness = vault::Witness::open(folder / "witness");
  ASSERT_TRUE(witness);
  std::vector<Json> receipts;
  const std::string copy = folder / "copy.db";
  std::string protocol;
  {
    auto log = store::SqliteStore::open(folder / "trial.db", {.create = true});
    ASSERT_TRUE(log) << log.error().message;
    Options options;
    options.store = log->get(), options.witness = &*witness;
    Trial trial(options);
    (void)trial.randomised("s1");
    std::vector<std::string> who;
    for (int i = 0; i < 3; ++i) who.push_back(trial.enrol("s2")), trial.screen(who.back(), 120 + 40 * i);
    trial.done("administrator", "backup", {{"path", copy}});
    for (std::string const& one : who) ASSERT_TRUE(trial.randomise(one)["ok"].get<bool>());
    for (Json const& receipt : trial.view("coordinator_s2", "receipts")) receipts.push_back(receipt);
  }
  for (std::string_view end : {"", "-wal", "-shm"}) std::filesystem::remove(folder / fmt::format("trial.db{}", end));
  ASSERT_TRUE(store::restore(copy, folder / "trial.db"));
  auto log = store::SqliteStore::open(folder / "trial.db");
  ASSERT_TRUE(log) << log.error().message;
  Options options;
  options.store = log->get(), options.witness = &*witness;
  Trial trial(options);
  EXPECT_TRUE(trial.service->state().reconciling);
  EXPECT_EQ(codes(trial.randomise("s2-001")), std::set<std::string>{"unavailable"});
  EXPECT_EQ(codes(trial.ask("coordinator_s1", "enrol")), std::set<std::string>{"unavailable"});
  EXPECT_EQ(trial.view("monitor", "status")["state"], "to be reconciled");
  // A forged receipt is found out.
  Json forged = receipts;
  forged[0]["receipt"]["mark"] = std::string(64, 'a');
  EXPECT_EQ(codes(trial.ask("administrator", "reconcile", {{"lost", forged}})), std::set<std::string>{"verification"});
  // Also when genuine ones were compared before it: they are not allocated, as the act came to nothing.
  forged = receipts;
  forged[2]["receipt"]["mark"] = std::string(64, 'a');
  EXPECT_EQ(codes(trial.ask("administrator", "reconcile", {{"lost", forged}})), std::set<std::string>{"verification"});
  const Json answer = trial.done("administrator", "reconcile", {{"lost", receipts}});
  ASSERT_TRUE(answer["ok"].get<bool>());
  EXPECT_FALSE(trial.service->state().reconciling);
  EXPECT_EQ(trial.service->state().allocations.size(), 4u);
  const std::string next = trial.enrol("s3");
  trial.screen(next);
  EXPECT_EQ(trial.randomise(next)["events"][0]["data"]["receipt"]["number"], 5);
  std::filesystem::remove_all(folder);
}

TEST(C40_Amendment, ParticipantsStayOnTheirVersion) {
  Trial trial;
  const std::string before = trial.randomised();
  std::string amended = trial.protocol;
  amended.replace(amended.find("version = \"1.0\""), 15, "version = \"2.0\"");
  amended.replace(amended.find("soft = [40, 110]"), 16, "soft = [40, 120]");
  const Json handed = trial.ask("administrator", "hand_in", {{"protocol", amended}});
  ASSERT_TRUE(handed["ok"].get<bool>()) << messages(handed);
  trial.both("administrator", "administrator_2", "amend", {{"document", handed["document"]}, {"new_consent", true}});
  const std::string after = trial.enrol();
  trial.screen(after);
  const auto save = [&](std::string const& who) {
    return trial.save("coordinator_s1", who, "screening", "vitals", values({{"weight", "115"}}), 1, "measured again");
  };
  EXPECT_FALSE(save(before)["ok"].get<bool>());  // outside the usual range of version 1.0
  EXPECT_TRUE(save(after)["ok"].get<bool>());
  trial.done("coordinator_s1", "consent", {{"participant", before}, {"date", trial.today()}});
  EXPECT_TRUE(save(before)["ok"].get<bool>());
}

TEST(C40_Amendment, TheVaultGoesByItAfterANewStart) {
  store::MemoryStore log;
  Options options;
  options.store = &log;
  std::string who;
  {
    Trial trial(options);
    who = trial.randomised();
    trial.visit(who, "baseline", trial.today());
    std::string amended = trial.protocol;
    amended.replace(amended.find("version = \"1.0\""), 15, "version = \"2.0\"");
    amended.replace(amended.find("\"dose * weight\""), 15, "\"2 * dose * weight\"");
    const Json handed = trial.ask("administrator", "hand_in", {{"protocol", amended}});
    ASSERT_TRUE(handed["ok"].get<bool>()) << messages(handed);
    trial.both("administrator", "administrator_2", "amend", {{"document", handed["document"]}});
  }
  Trial trial(options);  // another service and another vault on the same log
  trial.clock.advance(std::chrono::hours(24 * 10));
  const Json prepared =
      trial.done("preparer_s1", "prepare_dose", {{"participant", who}, {"visit", "baseline"}, {"intervention", "infusion"}, {"expires", "2024-01-19"}});
  EXPECT_EQ(prepared["shown"]["order"]["formula"], "2 * dose * weight");
}

TEST(C25_Verify, ProvesATrialAndSaysWhatIsWrongWithIt) {
  Trial trial;
  for (std::string const site : {"s1", "s2", "s3"}) (void)trial.randomised(site);
  trial.lock();
  trial.both("unblinded_statistician", "unblinded_statistician_2", "unblind");
  const auto good = server::verify_trial(*trial.store, nullptr);
  ASSERT_TRUE(good) << good.error().message;
  EXPECT_TRUE(good->holds());
  EXPECT_EQ(good->findings.back().what, "allocation");
  // The same log with one arm exchanged in the reveal: the chain is mended by the forger, and the seed gives it away.
  store::MemoryStore forged;
  ASSERT_TRUE(forged.take_lease());
  ASSERT_TRUE(forged.put({sha256(trial.protocol), trial.protocol}));
  std::string previous;
  for (conduct::TrialEvent event : trial.events()) {
    if (auto* told = std::get_if<conduct::TrialUnblinded>(&event.event)) {
      std::string& arm = told->reveal.allocations[1].arm;
      arm = arm == "placebo" ? "high" : "placebo";
    }
    event.envelope.previous = previous;
    conduct::Act act{.key = fmt::format("{}", event.envelope.sequence), .request = {}, .events = {conduct::stored(event)}};
    previous = act.events[0].digest;
    ASSERT_TRUE(forged.append(event.envelope.sequence - 1, act));
  }
  const auto bad = server::verify_trial(forged, nullptr);
  ASSERT_TRUE(bad);
  EXPECT_FALSE(bad->holds());
  EXPECT_NE(bad->findings.back().sentence.find("allocation 2"), std::string::npos) << bad->findings.back().sentence;
}

}  // namespace
}  // namespace equipoise::conducted
