#include "equipoise/vault/verify.h"

#include <gmock/gmock.h>

#include <functional>

#include "equipoise/core/record.h"
#include "equipoise/vault/testing.h"

namespace equipoise::vault {
namespace {

using allocation::Commitment, allocation::Receipt, allocation::Request, allocation::Reveal;
using testing::blocks_by_stratum, testing::minimisation, testing::said, testing::secrets_of, testing::Bench, testing::trial;
using ::testing::HasSubstr, ::testing::IsEmpty;

/// A trial of eight, over: what the world has of it.
struct Over {
  Bench bench;
  Commitment commitment;
  std::vector<Request> requests;
  std::vector<Receipt> receipts;
  Reveal reveal;

  explicit Over(std::string const& method) : Over(Bench(trial(method))) {}
  explicit Over(Bench made) : bench(std::move(made)) {
    commitment = bench.vault.commitment();
    for (int i = 1; i <= 8; ++i) {
      requests.push_back({.number = i, .participant = fmt::format("p{}", i), .levels = {i % 2, i / 4 % 2}});
      receipts.push_back(bench.next(requests.back().participant, requests.back().levels));
    }
    reveal = bench.vault.reveal(Bench::grant()).value();
  }
  std::vector<Discrepancy> found() const {
    return verify({.protocol = bench.protocol, .commitment = commitment, .requests = requests, .receipts = receipts}, reveal);
  }
  std::string text() const {
    std::string all;
    for (Discrepancy const& one : found()) all += fmt::format("{}: {}\n", one.number, one.sentence);
    return all;
  }
};

TEST(Verify, FindsNothingInAnHonestTrial) {
  for (std::string const& method : {blocks_by_stratum, minimisation}) EXPECT_EQ(Over(method).text(), "");
  const auto protocol = trial(blocks_by_stratum);
  Secrets secrets = secrets_of(protocol);
  std::string csv = "stream,position,arm\n";
  for (auto const& stream : {"site=s1,sex=F", "site=s2,sex=F", "site=s1,sex=M", "site=s2,sex=M"})
    for (int i = 1; i <= 4; ++i) csv += fmt::format("\"{}\",{},{}\n", stream, i, "abc"[i % 3]);
  ASSERT_TRUE(import_list(secrets, parse_list(csv, "l", "t", "test").value(), protocol));
  const Over listed(Bench(protocol, std::move(secrets)));
  EXPECT_EQ(listed.text(), "");
  EXPECT_EQ(listed.reveal.list.size(), 4u);
}

TEST(Verify, NamesWhatIsNotAsItWasPromised) {
  struct Case {
    std::function<void(Over&)> change;
    std::string number, part;
  };
  for (std::string const& method : {blocks_by_stratum, minimisation}) {
    const std::string zeros(64, '0');
    std::vector<Case> cases{
        {[&](Over& o) { o.commitment.seed = zeros; }, "0", "commitment to the seed"},
        {[&](Over& o) { o.commitment.root = zeros; }, "0", "root of the list"},
        {[&](Over& o) { o.commitment.leaves += 1; }, "0", "number of leaves"},
        {[&](Over& o) { o.commitment.trial = "u"; }, "0", "trial of the commitment"},
        {[&](Over& o) { o.commitment.protocol = zeros; }, "0", "protocol of the commitment"},
        {[&](Over& o) { o.commitment.algorithm = "mine"; }, "0", "algorithm of the commitment"},
        {[&](Over& o) { o.commitment.environment = "live"; }, "0", "commitment to the seed"},
        {[&](Over& o) { o.receipts[2].mark = zeros; }, "3", "mark of the receipt"},
        {[&](Over& o) { o.receipts[2].position += 1; }, "3", "says position"},
        {[&](Over& o) { o.receipts[2].stream = "x"; }, "3", "stream of the receipt"},
        {[&](Over& o) { o.receipts[2].participant = "x"; }, "3", "participant of the receipt"},
        {[&](Over& o) { o.receipts[2].number = 4; }, "3", "has the number 4"},
        {[&](Over& o) { o.receipts[2].leaf = zeros; }, "3", "leaf of the receipt"},
        {[&](Over& o) { o.receipts[2].path.push_back(zeros); }, "3", "path of the receipt"},
        {[&](Over& o) { o.receipts.pop_back(); }, "0", "7 receipts for 8 requests"},
        {[&](Over& o) { o.reveal.allocations.pop_back(); }, "0", "7 allocations are revealed, of 8 requests"},
        {[&](Over& o) { o.reveal.allocations[4].arm = o.reveal.allocations[4].arm == "a" ? "b" : "a"; }, "5", "revealed arm"},
        {[&](Over& o) { o.reveal.allocations[4].nonce = zeros; }, "5", "revealed nonce"},
        {[&](Over& o) { o.reveal.allocations[4].participant = "x"; }, "5", "revealed participant"},
        {[&](Over& o) { o.reveal.allocations[4].number = 6; }, "5", "has the number 6"},
        {[&](Over& o) { o.requests[6].participant = "p1"; }, "7", "'p1' has another allocation before"},
        {[&](Over& o) { o.requests[6].levels[0] ^= 1; }, "7", "mark of the receipt"},
        {[&](Over& o) { o.requests[6].number = 9; }, "7", "the request cannot be replayed"},
        {[&](Over& o) { o.requests.erase(o.requests.begin() + 3); }, "4", "the request cannot be replayed"},
        {[&](Over& o) { std::swap(o.requests[3], o.requests[4]); }, "4", "the request cannot be replayed"},
        {[&](Over& o) { o.reveal.seed = "seed"; }, "0", "64 hexadecimal digits"},
        {[&](Over& o) { o.reveal.seed = zeros; }, "0", "commitment to the seed"},
    };
    for (std::size_t i = 0; i < cases.size(); ++i) {
      Over over(method);
      cases[i].change(over);
      const std::string found = over.text();
      EXPECT_THAT("\n" + found, HasSubstr("\n" + cases[i].number + ": ")) << method << " case " << i;
      EXPECT_THAT(found, HasSubstr(cases[i].part)) << method << " case " << i;
    }
  }
}

TEST(Verify, AnotherSeedIsFoundInEverything) {
  Over over(blocks_by_stratum);
  over.reveal.seed = std::string(64, '0');
  // The seed, the root; and of each of eight receipts mark, leaf and path, and nonces; most arms too.
  EXPECT_GE(over.found().size(), 2u + 8 * 4);
}

TEST(Verify, FollowsAnAmendment) {
  Over over(blocks_by_stratum);
  std::string text = allocation::testing::trial(3, blocks_by_stratum);
  text.replace(text.find("{ id = \"s3\", cap = 2 }"), 22, "{ id = \"s3\", cap = 2 }, { id = \"s4\" }");
  const auto amended = protocol::load_all(text, "t.toml").protocol;
  ASSERT_TRUE(over.bench.vault.amend(amended));
  over.requests.push_back({.number = 9, .participant = "p9", .levels = {3, 0}});
  over.receipts.push_back(over.bench.next("p9", {3, 0}));
  over.reveal = over.bench.vault.reveal(Bench::grant()).value();
  EXPECT_THAT(over.text(), HasSubstr("9: the request cannot be replayed"));
  EXPECT_THAT(verify({.protocol = over.bench.protocol,
                      .amended = &amended,
                      .commitment = over.commitment,
                      .requests = over.requests,
                      .receipts = over.receipts},
                     over.reveal),
              IsEmpty());
}

TEST(Verify, AnOpeningBeforeTheReveal) {
  Over over(blocks_by_stratum);
  for (std::size_t i = 0; i < 8; ++i) {
    const auto opening = over.reveal.allocations[i];
    EXPECT_EQ(said(verify_opening(over.bench.protocol, over.commitment, over.receipts[i], opening)), "(fine)");
    auto other = opening;
    other.arm = opening.arm == "a" ? "b" : "a";
    EXPECT_EQ(said(verify_opening(over.bench.protocol, over.commitment, over.receipts[i], other)),
              fmt::format("the arm '{}' and its nonce do not make the leaf of the receipt", other.arm));
    auto receipt = over.receipts[i];
    receipt.path.back() = std::string(64, '0');
    EXPECT_EQ(verify_opening(over.bench.protocol, over.commitment, receipt, opening).error().code, Code::verification);
    receipt = over.receipts[(i + 1) % 8];
    EXPECT_EQ(verify_opening(over.bench.protocol, over.commitment, receipt, opening).error().code, Code::verification);
  }
  EXPECT_EQ(verify_opening(trial(minimisation), over.commitment, over.receipts[0], over.reveal.allocations[0]).error().code,
            Code::verification);
  Over none(minimisation);
  EXPECT_EQ(verify_opening(none.bench.protocol, none.commitment, none.receipts[0], none.reveal.allocations[0]).error().code,
            Code::not_available);
}

}  // namespace
}  // namespace equipoise::vault
