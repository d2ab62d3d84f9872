#include "equipoise/vault/vault.h"

#include <gmock/gmock.h>

#include "equipoise/core/record.h"
#include "equipoise/vault/live_draw.h"
#include "equipoise/vault/streams.h"
#include "equipoise/vault/testing.h"

namespace equipoise::vault {
namespace {

using allocation::Receipt, allocation::Request;
using testing::blocks_by_stratum, testing::dosed_trial, testing::minimisation, testing::secrets_of, testing::Bench, testing::said,
    testing::TestChance, testing::three_sites, testing::trial;
using ::testing::HasSubstr, ::testing::Not;

/// Participants in an order that visits all strata but fills no cap.
std::vector<Request> requests(std::int64_t n, std::int64_t from = 1) {
  std::vector<Request> all;
  for (std::int64_t i = from; i < from + n; ++i)
    all.push_back(
        {.number = i, .participant = fmt::format("p{}", i), .levels = {std::int32_t(i * 7 % 2), std::int32_t(i / 3 % 2)}});
  return all;
}
std::vector<Receipt> run(Vault& vault, std::vector<Request> const& all) {
  std::vector<Receipt> receipts;
  for (Request const& request : all) {
    receipts.push_back(vault.allocate(request).value());
    EXPECT_TRUE(vault.confirm(request.number));
  }
  return receipts;
}

TEST(Vault, AllocatesByTheRuleOnTheDrawsOfItsSeed) {
  for (std::string const& method : {blocks_by_stratum, minimisation}) {
    Bench bench(trial(method));
    run(bench.vault, requests(12));
    const auto rule = rule_of(bench.protocol).value();
    const Secrets secrets = secrets_of(bench.protocol);
    const Mac seed(secrets.seed.bytes());
    allocation::State state = rule.start();
    std::map<std::string, std::int64_t> positions;
    for (Request const& request : requests(12)) {
      const std::string stream = stream_of(rule, request.levels);
      const auto arm = rule.next(state, request.levels, LiveDraw(seed, stream, ++positions[stream])).value();
      EXPECT_EQ(bench.arm(request.participant), rule.setting().arms[std::size_t(arm)]) << request.number;
    }
  }
}

TEST(Vault, AsksAgainWithoutConsequenceUntilConfirmed) {
  Bench bench(trial(minimisation));
  run(bench.vault, requests(5));
  const Request sixth{.number = 6, .participant = "late", .levels = {0, 1}};
  const Receipt first = bench.vault.allocate(sixth).value();
  EXPECT_EQ(bench.vault.allocate(sixth).value(), first);
  // The commit failed, and somebody else comes first.
  const Receipt other = bench.vault.allocate({.number = 6, .participant = "other", .levels = {1, 0}}).value();
  EXPECT_EQ(other.participant, "other");
  EXPECT_NE(other.mark, first.mark);
  EXPECT_EQ(bench.vault.allocate(sixth).value(), first);
  EXPECT_EQ(bench.vault.confirmed(), 5);
  ASSERT_TRUE(bench.vault.confirm(6));
  EXPECT_EQ(bench.vault.confirmed(), 6);
  EXPECT_EQ(said(bench.vault.open("other", Bench::grant())), "nobody called 'other' has an allocation");
}

TEST(Vault, F14_IsAPureFunctionOfTheHistory) {
  // One vault that hesitates, asks for others, starts anew; one that does not.
  for (std::string const& method : {blocks_by_stratum, minimisation, std::string("method = \"simple\"\ncaps = { a = 4 }\n")}) {
    const bool factors = method.find("factors") != std::string::npos;
    auto all = requests(12);
    if (!factors)
      for (Request& request : all) request.levels.clear();
    Bench calm(trial(method)), busy(trial(method));
    const auto receipts = run(calm.vault, all);
    for (std::size_t i = 0; i < all.size(); ++i) {
      Request other = all[i];
      other.participant = "nobody";
      if (factors) other.levels[0] = 1 - other.levels[0];
      (void)busy.vault.allocate(other);
      if (i % 3 == 0) {
        ASSERT_TRUE(busy.vault.resume(std::span(all).first(i)));
      }
      EXPECT_EQ(busy.vault.allocate(all[i]).value(), receipts[i]);
      ASSERT_TRUE(busy.vault.confirm(all[i].number));
      EXPECT_EQ(busy.vault.receipt(all[i].number).value(), receipts[i]);
    }
    Bench restarted(trial(method));
    ASSERT_TRUE(restarted.vault.resume(all));
    for (Request const& request : all) {
      EXPECT_EQ(restarted.arm(request.participant), calm.arm(request.participant));
      EXPECT_EQ(restarted.vault.receipt(request.number).value(), receipts[std::size_t(request.number) - 1]);
    }
  }
}

TEST(Vault, RefusesWrongNumbersAndPeople) {
  Bench bench(trial(minimisation));
  run(bench.vault, requests(3));
  const auto problem = [&](Request request) {
    const auto answer = bench.vault.allocate(request);
    return fmt::format("{}: {}", answer ? "fine" : card(answer.error().code).name, said(answer));
  };
  EXPECT_EQ(problem({.number = 3, .participant = "x", .levels = {0, 0}}),
            "conflict: allocation 3 was asked for, and the next one is 4");
  EXPECT_EQ(problem({.number = 5, .participant = "x", .levels = {0, 0}}),
            "conflict: allocation 5 was asked for, and the next one is 4");
  EXPECT_EQ(problem({.number = 4, .participant = "p2", .levels = {0, 0}}), "refused: 'p2' has allocation 2");
  EXPECT_EQ(problem({.number = 4, .participant = "", .levels = {0, 0}}),
            "out_of_range: a participant has a name of 1 to 200 bytes");
  EXPECT_EQ(problem({.number = 4, .participant = "\xff", .levels = {0, 0}}),
            "out_of_range: a participant has a name of 1 to 200 bytes");
  EXPECT_EQ(problem({.number = 4, .participant = "x", .levels = {0}}),
            "out_of_range: allocation 4 has 1 levels for the 2 factors of the randomisation");
  EXPECT_EQ(problem({.number = 4, .participant = "x", .levels = {3, 0}}),
            "out_of_range: allocation 4: the factor 'site' has no level 3");
  EXPECT_EQ(problem({.number = 4, .participant = "x", .levels = {0, -1}}),
            "out_of_range: allocation 4: the factor 'sex' has no level -1");
  EXPECT_EQ(said(bench.vault.confirm(4)), "allocation 4 was not the last one asked for; 3 are confirmed");
  ASSERT_TRUE(bench.vault.allocate({.number = 4, .participant = "x", .levels = {0, 0}}));
  EXPECT_FALSE(bench.vault.confirm(3));
  ASSERT_TRUE(bench.vault.confirm(4));
  EXPECT_FALSE(bench.vault.confirm(4));
  EXPECT_EQ(said(bench.vault.receipt(5)), "there is no allocation 5; 4 are confirmed");
  EXPECT_FALSE(bench.vault.receipt(0));
}

TEST(Vault, KeepsCapsOfLevelsAndArmsInWordsThatNameNoArm) {
  Bench sites(trial(blocks_by_stratum));
  sites.next("a", {2, 0}), sites.next("b", {2, 1});
  EXPECT_EQ(said(sites.vault.allocate({.number = 3, .participant = "c", .levels = {2, 0}})),
            "'s3' of the factor 'site' is full: its cap is 2 participants");
  EXPECT_TRUE(sites.vault.allocate({.number = 3, .participant = "c", .levels = {1, 0}}));

  Bench arms(trial("method = \"simple\"\ncaps = { a = 1, b = 2, c = 1 }\n"));
  std::map<std::string, int> counts;
  for (int i = 1; i <= 4; ++i) arms.next(std::to_string(i)), ++counts[arms.arm(std::to_string(i))];
  EXPECT_EQ(counts, (std::map<std::string, int>{{"a", 1}, {"b", 2}, {"c", 1}}));
  EXPECT_EQ(said(arms.vault.allocate({.number = 5, .participant = "5"})),
            "every arm is full: the caps of [randomisation] leave nobody a place");
}

TEST(Vault, F22_NeverRunsOut) {
  Bench bench(trial(blocks_by_stratum));  // twelve are planned
  for (int i = 1; i <= 100; ++i) {
    const Receipt receipt = bench.next(fmt::format("p{}", i), {0, 0});
    EXPECT_EQ(receipt.position, i);
    EXPECT_EQ(receipt.leaf.empty(), i > 12);
  }
  std::map<std::string, int> counts;
  for (int i = 1; i <= 96; ++i) ++counts[bench.arm(fmt::format("p{}", i))];
  for (auto const& [arm, count] : counts) EXPECT_NEAR(count, 32, 2) << arm;  // the blocks go on
}

TEST(Vault, CommitsToItsList) {
  Bench bench(trial(blocks_by_stratum));
  allocation::Commitment const& commitment = bench.vault.commitment();
  EXPECT_EQ(commitment.algorithm, "equipoise allocation 1");
  EXPECT_EQ(commitment.trial, "t");
  EXPECT_EQ(commitment.environment, "test");
  EXPECT_EQ(commitment.protocol, bench.protocol.digest);
  EXPECT_EQ(commitment.rule, "permuted blocks of 3 or 6 within each combination of 'site' and 'sex'");
  EXPECT_EQ(commitment.leaves, 52);
  EXPECT_EQ(commitment.root.size(), 64u);
  EXPECT_EQ(commitment.seed, seed_commitment({"t", bench.protocol.digest, "test"}, secrets_of(bench.protocol).seed));
  Bench none(trial(minimisation));
  EXPECT_EQ(none.vault.commitment().root, "");
  EXPECT_EQ(none.vault.commitment().leaves, 0);
}

TEST(Vault, ReceiptsLeadToTheRoot) {
  Bench bench(trial(blocks_by_stratum));
  const auto rule = rule_of(bench.protocol).value();
  const Secrets secrets = secrets_of(bench.protocol);
  const Mac seed(secrets.seed.bytes());
  const CommittedList list(rule, secrets.trial, seed, listed_arms(rule, seed));
  EXPECT_EQ(list.root(), bench.vault.commitment().root);
  for (Receipt const& receipt : run(bench.vault, requests(12))) {
    EXPECT_TRUE(list.holds(receipt.stream, receipt.position, receipt.leaf, receipt.path));
    EXPECT_FALSE(list.holds(receipt.stream, receipt.position + 1, receipt.leaf, receipt.path));
  }
}

TEST(Vault, TakesTheArmsOfAnImportedListAndRefusesBeyondIt) {
  const auto protocol = trial("method = \"permuted_block\"\nblock_sizes = [3]\nfactors = [{ id = \"site\" }]\n");
  Secrets secrets = secrets_of(protocol);
  ASSERT_TRUE(import_list(
      secrets, parse_list("stream,position,arm\nsite=s1,1,c\nsite=s1,2,c\nsite=s2,1,a\n", "l", "t", "test").value(), protocol));
  Bench bench(protocol, std::move(secrets));
  EXPECT_EQ(bench.vault.commitment().algorithm, "equipoise imported list 1");
  EXPECT_EQ(bench.vault.commitment().rule,
            "an imported list of 3 places; the protocol says permuted blocks of 3 within each level of 'site'");
  EXPECT_EQ(bench.vault.commitment().leaves, 3);
  bench.next("p1", {0}), bench.next("p2", {1}), bench.next("p3", {0});
  EXPECT_EQ(bench.arm("p1") + bench.arm("p2") + bench.arm("p3"), "cac");
  const auto beyond = bench.vault.allocate({.number = 4, .participant = "p4", .levels = {0}});
  EXPECT_EQ(beyond.error().code, Code::refused);
  EXPECT_EQ(said(beyond), "the imported list has no further place in the stream 'site=s1', after 2 allocations there");
  EXPECT_EQ(said(bench.vault.allocate({.number = 4, .participant = "p4", .levels = {2}})),
            "the imported list has no further place in the stream 'site=s3', after 0 allocations there");
}

TEST(Vault, RefusesAHistoryThatCannotBeAndStaysAsItWas) {
  Bench bench(trial(blocks_by_stratum));
  run(bench.vault, requests(4));
  auto gap = requests(3);
  gap[2].number = 4;
  EXPECT_EQ(said(bench.vault.resume(gap)),
            "the history cannot be replayed at allocation 4: allocation 4 was asked for, and the next one is 3");
  auto twice = requests(3);
  twice[2].participant = "p1";
  EXPECT_EQ(said(bench.vault.resume(twice)), "allocation 3 of the history is for 'p1', who has one");
  auto full = requests(3);
  for (Request& request : full) request.levels[0] = 2;
  EXPECT_EQ(said(bench.vault.resume(full)),
            "the history cannot be replayed at allocation 3: 's3' of the factor 'site' is full: its cap is 2 participants");
  EXPECT_EQ(bench.vault.confirmed(), 4);
  EXPECT_TRUE(bench.vault.resume({}));
  EXPECT_EQ(bench.vault.confirmed(), 0);
}

TEST(Vault, BelongsToOneTrialAndOneProtocol) {
  const auto protocol = trial(blocks_by_stratum);
  TestChance chance;
  testing::TestClock clock;
  const auto problem = [&](Secrets secrets, protocol::Protocol const& of) {
    return said(Vault::open(of, std::move(secrets), Ledger::in_memory(), {.clock = &clock, .chance = &chance}));
  };
  Secrets other = secrets_of(protocol);
  other.trial.id = "u";
  EXPECT_EQ(problem(std::move(other), protocol), "the vault is of the trial 'u', and the protocol of 't'");
  EXPECT_EQ(problem(secrets_of(protocol), trial(minimisation)),
            fmt::format("the vault was made for the protocol {}, and this is {}", protocol.digest, trial(minimisation).digest));
  auto no_dose = dosed_trial();
  no_dose.arms[2].dose.reset();
  EXPECT_EQ(problem(secrets_of(no_dose), no_dose),
            "the amount of 'infusion' is made from the dose of the arm, and arm 'high' has none");
  auto none = protocol;
  none.randomisation.reset();
  EXPECT_EQ(problem(secrets_of(none), none), "the protocol has no section [randomisation]");
}

TEST(Vault, GoesOnUnderAnAmendmentThatChangesNoAllocation) {
  const auto with_sites = [](std::string_view sites, std::string_view method) {
    std::string text = allocation::testing::trial(3, method);
    const std::string before = "{ id = \"s3\", cap = 2 }";
    text.replace(text.find(before), before.size(), sites);
    return protocol::load_all(text, "t.toml").protocol;
  };
  for (std::string const& method : {blocks_by_stratum, minimisation}) {
    Bench bench(with_sites("{ id = \"s3\", cap = 2 }", method)), plain(with_sites("{ id = \"s3\", cap = 2 }", method));
    run(bench.vault, requests(8)), run(plain.vault, requests(8));
    const auto commitment = bench.vault.commitment();
    const auto receipt = bench.vault.receipt(3).value();
    ASSERT_TRUE(bench.vault.amend(with_sites("{ id = \"s3\", cap = 2 }, { id = \"s4\" }", method)));
    EXPECT_EQ(bench.vault.commitment(), commitment);
    EXPECT_EQ(bench.vault.receipt(3).value(), receipt);
    EXPECT_EQ(bench.next("new", {3, 0}).number, 9);
    EXPECT_EQ(plain.next("p9", {1, 0}).number, 9);
    const bool stratified = method == blocks_by_stratum;
    EXPECT_EQ(bench.vault.receipt(9)->stream, stratified ? "site=s4,sex=F" : "trial");
    EXPECT_EQ(bench.vault.receipt(9)->leaf, "");  // of no committed list
    EXPECT_EQ(bench.vault.confirmed(), 9);
    EXPECT_EQ(said(bench.vault.amend(with_sites("{ id = \"s3\", cap = 2 }", method))),
              "the factors of the amended protocol are others, or do not begin with the levels of before");
  }
  Bench bench(with_sites("{ id = \"s3\", cap = 2 }", blocks_by_stratum));
  run(bench.vault, requests(8));
  EXPECT_EQ(said(bench.vault.amend(with_sites("{ id = \"s0\" }, { id = \"s3\", cap = 2 }", blocks_by_stratum))),
            "the factors of the amended protocol are others, or do not begin with the levels of before");
  EXPECT_EQ(said(bench.vault.amend(trial("method = \"permuted_block\"\nblock_sizes = [6, 3]\n" + three_sites))),
            "under the amended protocol allocation 5 would have been another one");  // the sizes of blocks are drawn
  auto arms = bench.protocol;
  std::swap(arms.arms[0], arms.arms[1]);
  EXPECT_EQ(said(bench.vault.amend(arms)), "the arms of the amended protocol are not those of the trial");
}

// Two worlds that differ in nothing but an exchange of the arms: everything that may be known is the same bytes. D2.
TEST(C21_Vault, ShowsNothingOfAnExchangeOfTheArms) {
  const std::vector<std::vector<std::int32_t>> exchanges{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  std::vector<std::string> worlds, arms;
  for (auto const& exchanged : exchanges) {
    Bench bench(dosed_trial(), exchanged);
    std::string seen = encoded(bench.vault.commitment()), secret;
    const auto lot =
        bench.vault.label_kits({.lot = "L", .expires = "2027-06-30", .counts = {{"none", 9}, {"low", 12}, {"high", 9}}}).value();
    for (allocation::Kit const& kit : lot.kits) seen += encoded(kit);
    std::vector<allocation::Kit> stock = lot.kits;
    for (int i = 1; i <= 30; ++i) {
      const auto receipt = bench.vault.allocate({.number = i, .participant = std::to_string(i)});
      seen += receipt ? encoded(*receipt) : receipt.error().message;
      const auto kit = bench.vault.choose_kit(i, stock);
      seen += kit ? *kit : to_string(kit.error());
      seen += std::to_string(bench.vault.smallest_stock(stock).value());
      if (kit) std::erase_if(stock, [&](allocation::Kit const& one) { return one.number == *kit; });
      ASSERT_TRUE(bench.vault.confirm(i));
    }
    for (int i = 1; i <= 30; ++i) secret += bench.arm(std::to_string(i)) + " ";
    for (allocation::LabelledKit const& label : lot.labels) secret += label.arm + " ";
    for (Disclosure const& shown : bench.vault.disclosures()) seen += encoded(shown);
    seen += fmt::format(" {}", bench.vault.ledger_size());
    worlds.push_back(seen), arms.push_back(secret);
  }
  for (std::size_t i = 1; i < worlds.size(); ++i) {
    EXPECT_EQ(worlds[i], worlds[0]);
    EXPECT_NE(arms[i], arms[0]);  // or the test would say nothing
  }
  EXPECT_THAT(worlds[0], HasSubstr("none of the available kits"));  // the stock runs out on the way
  for (auto const& arm : {"none\"", "low", "high"}) EXPECT_THAT(worlds[0], Not(HasSubstr(arm)));
}

TEST(C21_Vault, ExchangesNoArmsOfALiveTrial) {
  const auto protocol = trial(blocks_by_stratum);
  SystemChance system;
  testing::TestClock clock;
  EXPECT_EQ(said(Vault::open(protocol, draw_secrets(protocol, "live", "", system).value(), Ledger::in_memory(),
                             {.clock = &clock, .chance = &system}, {1, 0, 2})),
            "arms of a live trial are never exchanged");
}

}  // namespace
}  // namespace equipoise::vault
