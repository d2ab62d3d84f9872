#include <gmock/gmock.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "equipoise/core/record.h"
#include "equipoise/vault/escrow.h"
#include "equipoise/vault/testing.h"
#include "equipoise/vault/vault.h"

namespace equipoise::vault {
namespace {

using allocation::Kit, allocation::Receipt;
using testing::blocks_by_stratum, testing::dosed_trial, testing::Folder, testing::minimisation, testing::said,
    testing::secrets_of, testing::Bench, testing::TestChance, testing::trial;
using ::testing::HasSubstr, ::testing::Not;

TEST(C24_Openings, ShowOneParticipantAndLeaveTheOthersConcealed) {
  Bench bench(trial(blocks_by_stratum));
  for (int i = 1; i <= 6; ++i) bench.next(fmt::format("p{}", i), {0, 0});
  const auto opening = bench.vault.open("p3", Bench::grant()).value();
  EXPECT_EQ(opening.number, 3);
  EXPECT_EQ(opening.participant, "p3");
  const std::string answer = encoded(opening);
  for (int i : {1, 2, 4, 5, 6}) EXPECT_THAT(answer, Not(HasSubstr(fmt::format("p{}", i))));
  // The nonce opens this leaf and no other one.
  const Trial of{"t", bench.protocol.digest, "test"};
  const Key32 nonce = key_from_hex(opening.nonce).value();
  for (int i = 1; i <= 6; ++i) {
    const Receipt receipt = bench.vault.receipt(i).value();
    for (auto const& arm : {"a", "b", "c"})
      EXPECT_EQ(hex(leaf_of(nonce, of, receipt.stream, receipt.position, arm)) == receipt.leaf, i == 3 && arm == opening.arm);
  }
}

TEST(C22_Openings, StandInTheLedgerBeforeTheyAreAnswered) {
  Bench bench(trial(blocks_by_stratum));
  bench.next("p1", {0, 0});
  ASSERT_TRUE(bench.vault.open("p1", UnblindingGrant(sha256("emergency"))));
  const auto shown = bench.vault.disclosures();
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(shown[0].kind, "opening");
  EXPECT_EQ(shown[0].act, sha256("emergency"));
  EXPECT_EQ(shown[0].id, "p1");
  EXPECT_EQ(to_string(shown[0].at), "2027-01-15T08:00:01.000Z");
  EXPECT_EQ(said(bench.vault.open("p1", UnblindingGrant("because"))),
            "nothing is opened without the event that gives the right to it: its digest has 64 hexadecimal digits");
  EXPECT_EQ(said(bench.vault.open("p9", Bench::grant())), "nobody called 'p9' has an allocation");
  EXPECT_EQ(bench.vault.ledger_size(), 1u);
}

TEST(C22_Openings, AreRefusedWhenTheLedgerCannotBeWritten) {
  const Folder folder;
  const auto protocol = dosed_trial();
  TestChance chance;
  Secrets secrets = secrets_of(protocol);
  Ledger ledger = Ledger::open(folder / "ledger", secrets.seed, chance).value();
  Bench bench(protocol, std::move(secrets), std::move(ledger));
  for (int i = 1; i <= 3; ++i) bench.next(std::to_string(i));
  const pid_t child = ::fork();
  if (child == 0) {  // a limit of the file's size stands for a full disk
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{64 + 100, 64 + 100};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    int answered = 0;
    const auto count = [&](auto const& answer) { answered += answer || answer.error().code != Code::io; };
    count(bench.vault.open("1", Bench::grant()));
    count(bench.vault.reveal(Bench::grant()));
    count(bench.vault.dose({.number = 1, .intervention = "infusion", .visit = "day1", .weight_kg = 80}));
    count(bench.vault.label_kits({.lot = "L", .expires = "2027-06-30", .counts = {{"low", 2}}}));
    count(bench.vault.envelopes(Bench::grant()));
    count(bench.vault.envelopes({}, 2, Bench::grant()));
    count(bench.vault.keep({.number = 1}));
    count(bench.vault.preparations(Bench::grant()));
    answered += bench.vault.ledger_size() != 0;
    answered += !bench.vault.allocate({.number = 4, .participant = "4"});  // which needs no ledger
    ::_exit(answered);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(bench.vault.open("1", Bench::grant()));
}

TEST(C22_Openings, AreNeverKeptBackByALongName) {
  const Folder folder;
  const auto protocol = dosed_trial();
  TestChance chance;
  Secrets secrets = secrets_of(protocol);
  Ledger ledger = Ledger::open(folder / "ledger", secrets.seed, chance).value();
  Bench bench(protocol, std::move(secrets), std::move(ledger));
  const std::string odd(200, '\1');  // the longest name, of what takes most room in a record
  bench.next(odd);
  EXPECT_TRUE(bench.vault.open(odd, Bench::grant()));
}

TEST(Openings, EndWithTheReveal) {
  Bench bench(trial(blocks_by_stratum));
  for (int i = 1; i <= 5; ++i) bench.next(fmt::format("p{}", i), {i % 2, 0});
  const auto reveal = bench.vault.reveal(Bench::grant()).value();
  EXPECT_EQ(reveal.seed, hex(secrets_of(bench.protocol).seed.bytes()));
  ASSERT_EQ(reveal.allocations.size(), 5u);
  for (int i = 1; i <= 5; ++i)
    EXPECT_EQ(encoded(reveal.allocations[std::size_t(i) - 1]),
              encoded(bench.vault.open(fmt::format("p{}", i), Bench::grant()).value()));
  EXPECT_EQ(bench.vault.disclosures().front().kind, "reveal");
  EXPECT_FALSE(bench.vault.reveal(UnblindingGrant("")));
}

TEST(Doses, AreShownToThePreparerAndNoted) {
  Bench bench(dosed_trial());
  std::map<std::string, double> amounts;
  for (int i = 1; i <= 3; ++i) {
    bench.next(std::to_string(i));
    const auto order = bench.vault.dose({.number = i, .intervention = "infusion", .visit = "day1", .weight_kg = 80}).value();
    amounts[bench.arm(std::to_string(i))] = order.amount;
    EXPECT_EQ(order.unit, "cells");
  }
  EXPECT_EQ(amounts, (std::map<std::string, double>{{"high", 1.2e8}, {"low", 4e7}, {"none", 0}}));
  EXPECT_EQ(bench.vault.disclosures()[0].kind, "dose");
  EXPECT_EQ(bench.vault.disclosures()[0].id, "1/infusion/day1");
  EXPECT_EQ(said(bench.vault.dose({.number = 4, .intervention = "infusion", .visit = "day1", .weight_kg = 80})),
            "there is no allocation 4; 3 are confirmed");
  ASSERT_TRUE(bench.vault.allocate({.number = 4, .participant = "4"}));
  EXPECT_FALSE(bench.vault.dose({.number = 4, .intervention = "infusion", .visit = "day1", .weight_kg = 80}));  // not confirmed
  EXPECT_FALSE(bench.vault.dose({.number = 0, .intervention = "infusion", .visit = "day1", .weight_kg = 80}));
}

TEST(Preparations, AreKeptUnderARandomName) {
  Bench bench(dosed_trial());
  bench.next("p1");
  const Preparation note{
      .number = 1, .intervention = "infusion", .visit = "day1", .by = "prep", .text = "1.2e8 cells, \"viability\" 94 %"};
  const std::string name = bench.vault.keep(note).value();
  EXPECT_EQ(name.size(), 20u);
  EXPECT_EQ(bench.vault.disclosures()[0].id, name);
  const auto all = bench.vault.preparations(Bench::grant()).value();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0], note);
  EXPECT_EQ(said(bench.vault.keep({.number = 2})), "there is no allocation 2; 1 are confirmed");
  EXPECT_EQ(said(bench.vault.keep({.number = 1, .text = std::string(2001, 'x')})),
            "a note of the preparer has at most 2000 bytes");
  EXPECT_EQ(said(bench.vault.keep({.number = 1, .text = "\xff"})), "a note of the preparer is UTF-8");
  EXPECT_EQ(bench.vault.keep({.number = 1, .text = std::string(2000, '\1')}).error().code, Code::out_of_range);
}

TEST(Kits, OfALotAreLabelledOnceAndFoundAgainByANewVault) {
  const Folder folder;
  const auto protocol = dosed_trial();
  TestChance chance;
  LabelledLot lot;
  const auto open = [&] {
    Secrets secrets = secrets_of(protocol);
    Ledger ledger = Ledger::open(folder / "ledger", secrets.seed, chance).value();
    return Bench(protocol, std::move(secrets), std::move(ledger));
  };
  {
    Bench bench = open();
    lot = bench.vault.label_kits({.lot = "L1", .expires = "2027-06-30", .counts = {{"none", 100}, {"low", 110}, {"high", 90}}})
              .value();
    EXPECT_EQ(bench.vault.ledger_size(), 3u);  // a hundred kits a record
    EXPECT_EQ(said(bench.vault.label_kits({.lot = "L1", .expires = "2027-06-30", .counts = {{"none", 1}}})),
              "the lot 'L1' has been labelled");
    EXPECT_EQ(said(bench.vault.label_kits({.lot = "L2", .expires = "2027-06-30", .counts = {{"medium", 1}}})),
              "the protocol has no arm 'medium'");
    EXPECT_EQ(said(bench.vault.label_kits({.lot = "L2", .expires = "2027-06-30", .counts = {{"none", -1}}})),
              "1 to 20000 kits are labelled at a time");
    EXPECT_FALSE(bench.vault.label_kits({.lot = "L2", .expires = "2027-06-30", .counts = {}}));
  }
  Bench bench = open();
  const auto again = bench.vault.labels("L1", Bench::grant()).value();
  EXPECT_EQ(encoded(again), encoded(lot));
  EXPECT_EQ(said(bench.vault.labels("L2", Bench::grant())), "no lot 'L2' has been labelled");
  std::map<std::string, int> counts;
  for (allocation::LabelledKit const& label : lot.labels) ++counts[label.arm];
  EXPECT_EQ(counts, (std::map<std::string, int>{{"high", 90}, {"low", 110}, {"none", 100}}));
  EXPECT_EQ(bench.vault.smallest_stock(lot.kits).value(), 90);
  for (int i = 1; i <= 6; ++i) {
    ASSERT_TRUE(bench.vault.allocate({.number = i, .participant = std::to_string(i)}));
    const std::string kit = bench.vault.choose_kit(i, lot.kits).value();  // before it is confirmed
    ASSERT_TRUE(bench.vault.confirm(i));
    EXPECT_EQ(bench.vault.choose_kit(i, lot.kits).value(), kit);  // and after
    const auto label = std::ranges::find(lot.labels, kit, &allocation::LabelledKit::number);
    EXPECT_EQ(label->arm, bench.arm(std::to_string(i)));
  }
  EXPECT_EQ(said(bench.vault.choose_kit(7, lot.kits)), "there is no allocation 7; 6 are confirmed");
}

TEST(Kits, OfALotThatACrashCutOffNeverCameToBe) {
  const Folder folder;
  const auto protocol = dosed_trial();
  TestChance chance;
  const auto open = [&] {
    Secrets secrets = secrets_of(protocol);
    Ledger ledger = Ledger::open(folder / "ledger", secrets.seed, chance).value();
    return Bench(protocol, std::move(secrets), std::move(ledger));
  };
  const LabelledLot cut = open().vault.label_kits({.lot = "L1", .expires = "2027-06-30", .counts = {{"none", 250}}}).value();
  std::filesystem::resize_file(folder / "ledger", 64 + 2 * 4136);
  Bench bench = open();
  EXPECT_FALSE(bench.vault.labels("L1", Bench::grant()));
  const auto lot = bench.vault.label_kits({.lot = "L1", .expires = "2027-06-30", .counts = {{"none", 250}}}).value();
  EXPECT_EQ(bench.vault.ledger_size(), 5u);
  EXPECT_EQ(bench.vault.labels("L1", Bench::grant())->kits.size(), 250u);
  // The same chance would give the same numbers; those of the two records that were written are not given again.
  std::set<std::string> numbers;
  for (allocation::Kit const& kit : lot.kits) numbers.insert(kit.number);
  for (std::size_t i = 0; i < 200; ++i) EXPECT_FALSE(numbers.contains(cut.kits[i].number));
}

TEST(Envelopes, OfParticipantsSayWhatAnOpeningSays) {
  Bench bench(dosed_trial());
  for (int i = 1; i <= 3; ++i) bench.next(fmt::format("p{}", i));
  const auto all = bench.vault.envelopes(Bench::grant()).value();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[1].outside,
            "Trial t (test)\nParticipant p2, allocation 2\nOpen only when the service cannot be reached. Write on it date, time "
            "and your name.\n");
  const std::string arm = bench.arm("p2");
  EXPECT_EQ(all[1].inside, fmt::format("Trial t (test)\nParticipant p2, allocation 2\nArm: {} ({})\n", arm,
                                       arm == "none"  ? "Placebo"
                                       : arm == "low" ? "Low dose"
                                                      : "High dose"));
  EXPECT_EQ(bench.vault.disclosures().front().id, "participants of allocations 1 to 3");
}

TEST(Envelopes, OfPositionsComeTrueWhenTheyAreEntered) {
  Bench bench(trial(blocks_by_stratum));
  bench.next("p1", {0, 0}), bench.next("p2", {1, 0}), bench.next("p3", {0, 0});
  const auto all = bench.vault.envelopes({0, 0}, 5, Bench::grant()).value();
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(bench.vault.disclosures().front().id, "positions 3 to 7 of 'site=s1,sex=F'");
  EXPECT_EQ(bench.vault.confirmed(), 3);
  for (std::size_t i = 0; i < 5; ++i) {
    bench.next(fmt::format("other{}", i), {1, 1});  // other strata do not matter
    const Receipt receipt = bench.next(fmt::format("down{}", i), {0, 0});
    EXPECT_THAT(all[i].outside, HasSubstr(fmt::format("Position {} of 'site=s1,sex=F'", receipt.position)));
    EXPECT_THAT(all[i].inside, HasSubstr("Arm: " + bench.arm(fmt::format("down{}", i)) + "\n"));
  }
}

TEST(Envelopes, OfPositionsAreNotPrintedWhereArmsDependOnOthers) {
  Bench bench(trial(minimisation));
  const std::string sentence =
      "the arms of this randomisation depend on who comes in other strata, so that none can be printed before they are made";
  EXPECT_EQ(said(bench.vault.envelopes({0, 0}, 5, Bench::grant())), sentence);
  Bench capped(trial("method = \"simple\"\ncaps = { a = 3 }\n"));
  EXPECT_EQ(said(capped.vault.envelopes({}, 5, Bench::grant())), sentence);
  Bench blocks(trial(blocks_by_stratum));
  EXPECT_EQ(said(blocks.vault.envelopes({0, 0}, 0, Bench::grant())), "1 to 1000 envelopes are printed at a time");
  EXPECT_FALSE(blocks.vault.envelopes({9, 0}, 5, Bench::grant()));
  EXPECT_EQ(blocks.vault.envelopes({2, 0}, 5, Bench::grant())->size(), 2u);  // the site takes two
  EXPECT_EQ(blocks.vault.ledger_size(), 1u);
}

TEST(Escrow, OfAVaultGivesItsSeedBack) {
  TestChance chance;
  const EscrowKeys keys = make_escrow_keys(chance);
  const auto protocol = trial(blocks_by_stratum);
  Secrets secrets = secrets_of(protocol);
  secrets.escrow = keys.public_key;
  Bench bench(protocol, std::move(secrets));
  EXPECT_EQ(bench.vault.commitment().escrow, keys.public_key);
  EXPECT_EQ(open_escrow(bench.vault.escrow().value(), keys.secret_key)->text(), secrets_of(protocol).seed.text());
  EXPECT_EQ(Bench(protocol).vault.escrow().value(), "");
}

}  // namespace
}  // namespace equipoise::vault
