// A vault that is killed, started again or silent while the service goes on: no second arm, no lost position.

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "equipoise/protocol/load.h"
#include "equipoise/server/verify_trial.h"
#include "equipoise/vault/process.h"
#include "tests/conduct/trial.h"
#include "tests/faults/passing_link.h"

namespace equipoise::conducted {
namespace {

/// A vault at a socket that can be stopped and started anew: it then knows its seed, and no allocation.
class RestartedVault {
 public:
  explicit RestartedVault(std::string const& protocol)
      : folder_(std::filesystem::temp_directory_path() / fmt::format("vault-{}", ::getpid())),
        protocol_(protocol::load(protocol, "protocol.toml").value()),
        client_((folder_ / "socket").string(), std::chrono::seconds(5)),
        link({client_, {"placebo", "low", "high"}}) {
    std::filesystem::create_directories(folder_);
  }
  ~RestartedVault() {
    stop();
    std::filesystem::remove_all(folder_);
  }
  void start() {
    CountedChance seed("of the vault");
    auto secrets = vault::draw_secrets(protocol_, "test", "", seed);
    auto made = vault::Vault::open(protocol_, std::move(*secrets), vault::Ledger::in_memory(), {&clock_, &chance_});
    vault_ = std::make_unique<vault::Vault>(std::move(*made));
    stop_ = false;
    thread_ = std::thread([this] { EXPECT_TRUE(vault::serve((folder_ / "socket").string(), *vault_, stop_)); });
    for (int i = 0; i < 500 && !std::filesystem::exists(folder_ / "socket"); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  std::int64_t confirmed() { return client_.status().value().confirmed; }

 private:
  std::filesystem::path folder_;
  protocol::Protocol protocol_;
  ManualClock clock_;
  CountedChance chance_{"of the vault's own"};
  std::unique_ptr<vault::Vault> vault_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
  vault::Client client_;

 public:
  server::LinkTo<vault::Client> link;
};

/// Lets the vault be lost at a chosen moment of an act.
class LostLink final : public faults::PassingLink {
 public:
  LostLink(RestartedVault& vault) : PassingLink(vault.link), vault_(vault) {}
  bool after_allocate = false, before_confirm = false, after_confirm = false;

  Expected<allocation::Receipt> allocate(allocation::Request const& request) override {
    auto receipt = inner_.allocate(request);
    if (std::exchange(after_allocate, false)) {
      anew();
      return fail(Code::unavailable, "the answer was lost");
    }
    return receipt;
  }
  Expected<void> confirm(std::int64_t number) override {
    if (std::exchange(before_confirm, false)) anew();
    auto done = inner_.confirm(number);
    if (std::exchange(after_confirm, false)) return fail(Code::unavailable, "the answer was lost");
    return done;
  }

 private:
  void anew() { vault_.stop(), vault_.start(); }
  RestartedVault& vault_;
};

class VaultProcess : public ::testing::Test {
 protected:
  VaultProcess() : vault(read_file("examples/msc-inr/protocol.toml")), link(vault) {
    vault.start();
    Options options;
    options.vault = &link;
    trial.emplace(options);
  }
  /// The log holds, and every allocation is the one that the seed makes, each position once.
  void expect_whole(std::size_t allocations) {
    trial->lock();
    trial->both("unblinded_statistician", "unblinded_statistician_2", "unblind");
    const auto verified = server::verify_trial(*trial->store, nullptr);
    ASSERT_TRUE(verified) << verified.error().message;
    EXPECT_TRUE(verified->holds());
    EXPECT_EQ(trial->count("randomised"), allocations);
  }
  RestartedVault vault;
  LostLink link;
  std::optional<Trial> trial;
};

TEST_F(VaultProcess, C26_IsToldTheLogWhenItHasStartedAnew) {
  (void)trial->randomised("s1", 120);
  vault.stop(), vault.start();
  EXPECT_EQ(vault.confirmed(), 0);
  (void)trial->randomised("s2", 140);
  EXPECT_EQ(vault.confirmed(), 2);
  expect_whole(2);
}

TEST_F(VaultProcess, C26_AVaultLostBetweenAllocationAndConfirmationGivesNothingTwice) {
  (void)trial->randomised("s1", 120);
  link.after_allocate = true;
  (void)trial->randomised("s1", 140);
  link.before_confirm = true;
  (void)trial->randomised("s1", 160);
  link.after_confirm = true;
  (void)trial->randomised("s1", 180);
  (void)trial->randomised("s1", 190);
  EXPECT_TRUE(trial->service->broken().empty());
  EXPECT_EQ(vault.confirmed(), 5);
  expect_whole(5);
}

TEST_F(VaultProcess, WithoutItNobodyIsRandomisedAndAllElseGoesOn) {
  const std::string who = trial->enrol("s1");
  trial->screen(who);
  vault.stop();
  EXPECT_EQ(codes(trial->randomise(who)), std::set<std::string>{"unavailable"});
  (void)trial->enrol("s1");
  vault.start();
  EXPECT_TRUE(trial->randomise(who)["ok"].get<bool>());
  EXPECT_EQ(trial->count("randomised"), 1u);
  EXPECT_EQ(trial->count("randomisation_refused"), 0u);
}

// An amendment, too, is something that a vault which has started anew does not know.
TEST_F(VaultProcess, C40_IsToldTheAmendmentOfTheRunningService) {
  const std::string who = trial->randomised();
  trial->visit(who, "baseline", trial->today());
  std::string amended = trial->protocol;
  amended.replace(amended.find("version = \"1.0\""), 15, "version = \"2.0\"");
  amended.replace(amended.find("\"dose * weight\""), 15, "\"2 * dose * weight\"");
  const Json handed = trial->ask("administrator", "hand_in", {{"protocol", amended}});
  trial->both("administrator", "administrator_2", "amend", {{"document", handed["document"]}});
  vault.stop(), vault.start();
  const Json prepared =
      trial->done("preparer_s1", "prepare_dose",
                  {{"participant", who}, {"visit", "baseline"}, {"intervention", "infusion"}, {"expires", "2024-01-19"}});
  EXPECT_EQ(prepared["shown"]["order"]["formula"], "2 * dose * weight");
}

}  // namespace
}  // namespace equipoise::conducted
