#include "equipoise/vault/process.h"

#include <gmock/gmock.h>

#include <thread>

#include "equipoise/core/record.h"
#include "equipoise/vault/testing.h"

namespace equipoise::vault {
namespace {

using allocation::Request;
using testing::blocks_by_stratum, testing::dosed_trial, testing::Folder, testing::said, testing::Bench, testing::trial;
using ::testing::HasSubstr, ::testing::StartsWith;

/// A vault that serves in a thread.
class Served {
 public:
  explicit Served(protocol::Protocol protocol) : bench(std::move(protocol)) {
    thread_ = std::thread([this] { EXPECT_TRUE(serve(path(), bench.vault, stop_)); });
    for (int i = 0; i < 200 && !std::filesystem::exists(path()); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ~Served() {
    stop_ = true;
    thread_.join();
  }
  std::string path() const { return (folder_ / "vault.socket").string(); }
  Bench bench;

 private:
  Folder folder_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

TEST(Process, AnswersAsTheVaultItself) {
  Served served(dosed_trial());
  Client client(served.path());
  Bench here(dosed_trial());
  EXPECT_EQ(encoded(client.commitment().value()), encoded(here.vault.commitment()));
  EXPECT_EQ(client.escrow().value(), "");
  ASSERT_TRUE(client.resume({}));
  const KitOrder order{.lot = "L", .expires = "2027-06-30", .counts = {{"none", 3}, {"low", 3}, {"high", 3}}};
  const auto lot = client.label_kits(order).value();
  EXPECT_EQ(encoded(lot), encoded(here.vault.label_kits(order).value()));
  EXPECT_EQ(encoded(client.labels("L", Bench::grant()).value()), encoded(here.vault.labels("L", Bench::grant()).value()));
  EXPECT_EQ(client.smallest_stock(lot.kits).value(), 3);
  for (int i = 1; i <= 4; ++i) {
    const Request request{.number = i, .participant = fmt::format("p{}", i), .levels = {}};
    EXPECT_EQ(client.allocate(request).value(), here.vault.allocate(request).value());
    EXPECT_EQ(client.choose_kit(i, lot.kits).value(), here.vault.choose_kit(i, lot.kits).value());
    EXPECT_TRUE(client.confirm(i));
    EXPECT_TRUE(here.vault.confirm(i));
    EXPECT_EQ(client.receipt(i).value(), here.vault.receipt(i).value());
  }
  const allocation::DoseRequest dose{.number = 1, .intervention = "infusion", .visit = "day1", .weight_kg = 70.5};
  EXPECT_EQ(encoded(client.dose(dose).value()), encoded(here.vault.dose(dose).value()));
  const Preparation note{.number = 1, .intervention = "infusion", .visit = "day1", .by = "x", .text = "y"};
  EXPECT_EQ(client.keep(note).value(), here.vault.keep(note).value());
  EXPECT_EQ(client.preparations(Bench::grant()).value().front(), note);
  EXPECT_EQ(encoded(client.open("p2", Bench::grant()).value()), encoded(here.vault.open("p2", Bench::grant()).value()));
  EXPECT_EQ(client.envelopes(Bench::grant()).value().size(), 4u);
  EXPECT_EQ(client.envelopes(std::vector<std::int32_t>{}, 2, Bench::grant()).value().size(), 2u);
  EXPECT_EQ(encoded(client.reveal(Bench::grant()).value()), encoded(here.vault.reveal(Bench::grant()).value()));
  EXPECT_EQ(client.disclosures().value().size(), served.bench.vault.ledger_size());
  const Status status = client.status().value();
  EXPECT_EQ(status.confirmed, 4);
  EXPECT_EQ(status.trial, "t");
  EXPECT_EQ(status.ledger, std::int64_t(served.bench.vault.ledger_size()));
  EXPECT_EQ(status.ledger_digest, served.bench.vault.ledger_digest());
}

TEST(Process, CarriesErrorsWithTheirCodes) {
  Served served(dosed_trial());
  Client client(served.path());
  ASSERT_TRUE(client.resume({}));
  const auto answer = client.allocate({.number = 3, .participant = "x", .levels = {}});
  EXPECT_EQ(answer.error().code, Code::conflict);
  EXPECT_EQ(said(answer), "allocation 3 was asked for, and the next one is 1");
  EXPECT_EQ(client.open("x", Bench::grant()).error().code, Code::unresolved);
  EXPECT_EQ(client.amend("format = 1\n").error().code, Code::missing_key);
  Client nowhere(served.path() + "x");
  EXPECT_EQ(nowhere.status().error().code, Code::unavailable);
}

TEST(Process, IsToldALongHistoryInParts) {
  Served served(trial(blocks_by_stratum, "planned_participants = 20000\n"));
  Client client(served.path());
  std::vector<Request> history;
  for (int i = 1; i <= 20'000; ++i)
    history.push_back({.number = i, .participant = fmt::format("participant-{}", i), .levels = {i % 2, i % 3 % 2}});
  ASSERT_TRUE(client.resume(history)) << client.resume(history).error().message;
  EXPECT_EQ(client.status()->confirmed, 20'000);
  history.back().number = 5;
  EXPECT_EQ(said(client.resume(history)),
            "the history cannot be replayed at allocation 5: allocation 5 was asked for, and the next one is 20000");
  EXPECT_EQ(client.status()->confirmed, 20'000);
  EXPECT_TRUE(client.resume({}));
  EXPECT_EQ(client.status()->confirmed, 0);
}

// A vault that was killed and started again knows no allocation. It must not take the next one for the first.
TEST(Process, AllocatesNothingBeforeItHasBeenToldTheHistory) {
  Bench bench(trial(blocks_by_stratum));
  Desk desk(bench.vault);
  const std::string first = encoded(Question{.ask = "allocate", .request = Request{.number = 1, .participant = "p", .levels = {0, 0}}});
  EXPECT_EQ(desk.answer(first), R"({"error":"unavailable","message":"the vault has started anew and has not been told the allocations of the log"})");
  EXPECT_EQ(error_in(desk.answer(R"({"ask":"open","participant":"p"})"))->code, Code::unavailable);
  EXPECT_FALSE(error_in(desk.answer(R"({"ask":"commitment"})")));
  // A history that does not hold tells nothing.
  EXPECT_TRUE(error_in(desk.answer(R"({"ask":"resume","number":0,"history":[{"number":2,"participant":"a","levels":[0,0]}],"last":true})")));
  EXPECT_EQ(error_in(desk.answer(first))->code, Code::unavailable);
  EXPECT_EQ(desk.answer(R"({"ask":"resume","number":0,"last":true})"), "{}");
  EXPECT_FALSE(error_in(desk.answer(first)));
}

TEST(Process, RefusesPartsOfAHistoryInAnotherOrder) {
  Bench bench(trial(blocks_by_stratum));
  Desk desk(bench.vault);
  EXPECT_EQ(desk.answer(R"({"ask":"resume","number":2,"last":true})"),
            R"({"error":"conflict","message":"0 requests of the history have been told, and not 2"})");
  EXPECT_EQ(desk.answer(R"({"ask":"resume","number":0,"history":[{"number":1,"participant":"a","levels":[0,0]}]})"), "{}");
  EXPECT_EQ(desk.answer(R"({"ask":"resume","number":-1,"last":true})"),
            R"({"error":"conflict","message":"1 requests of the history have been told, and not -1"})");
  EXPECT_EQ(desk.answer(R"({"ask":"resume","number":1,"last":true})"), "{}");
  EXPECT_EQ(bench.vault.confirmed(), 1);
}

TEST(Process, AnswersAnythingWithOneLine) {
  Bench bench(dosed_trial());
  Desk desk(bench.vault);
  EXPECT_EQ(
      desk.answer(""),
      R"({"error":"syntax","message":"this is no question to the vault: the bytes are no record of their kind, from position 0 on"})");
  EXPECT_EQ(desk.answer(R"({"ask":"arms"})"), R"({"error":"unknown_keyword","message":"the vault does not know 'arms'"})");
  EXPECT_EQ(desk.answer(R"({"ask":"resume","number":0,"last":true})"), "{}");
  EXPECT_EQ(desk.answer(R"({"ask":"allocate"})"), R"({"error":"missing_key","message":"'allocate' needs 'request'"})");
  EXPECT_EQ(desk.answer(R"({"ask":"open","participant":"p"})"),
            R"({"error":"unresolved","message":"nobody called 'p' has an allocation"})");
  std::uint32_t state = 7;
  const auto next = [&] { return (state = state * 1664525 + 1013904223) >> 8; };  // any bytes will do
  const std::string question = encoded(Question{
      .ask = "allocate", .number = 1, .request = Request{.number = 1, .participant = "p", .levels = {}}, .act = sha256("x")});
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes = question;
    for (unsigned changes = next() % 4 + 1; changes > 0; --changes) bytes[next() % bytes.size()] = char(next());
    const std::string answer = desk.answer(bytes);
    ASSERT_EQ(answer.find('\n'), std::string::npos);
    ASSERT_THAT(answer, StartsWith("{"));
  }
  EXPECT_EQ(bench.vault.confirmed(), 0);
}

TEST(Process, AnswersOversizedLinesAndGoesOn) {
  Served served(dosed_trial());
  LineClient raw(served.path());
  const auto answer = raw.ask(std::string((1 << 20) + 1, ' '), std::chrono::seconds(20));
  EXPECT_EQ(error_in(answer.value())->message, "the line is longer than 1048576 bytes, and was skipped");
  EXPECT_THAT(raw.ask(R"({"ask":"status"})", std::chrono::seconds(20)).value(), HasSubstr(R"("confirmed":0)"));
}

TEST(Process, IsOneAtATime) {
  Served served(dosed_trial());
  Bench second(dosed_trial());
  const std::atomic<bool> stop = false;
  EXPECT_EQ(serve(served.path(), second.vault, stop).error().code, Code::conflict);
}

TEST(Process, TakesAnAmendedProtocol) {
  const std::string text = [] {
    std::ifstream file("examples/msc-inr/protocol.toml", std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }();
  auto protocol = protocol::load(text, "p.toml");
  ASSERT_TRUE(protocol);
  Served served(*protocol);
  Client client(served.path());
  ASSERT_TRUE(client.resume({}));
  ASSERT_TRUE(client.allocate({.number = 1, .participant = "s1-001", .levels = {0, 1}}));
  ASSERT_TRUE(client.confirm(1));
  std::string amended = text;
  const std::string version = "version = \"1.0\"";
  amended.replace(amended.find(version), version.size(), "version = \"1.1\"");
  EXPECT_TRUE(client.amend(amended)) << client.amend(amended).error().message;
  EXPECT_EQ(client.commitment()->protocol, protocol->digest);
  EXPECT_TRUE(client.dose({.number = 1, .intervention = "infusion", .visit = "w4", .weight_kg = 63.2}));
}

}  // namespace
}  // namespace equipoise::vault
