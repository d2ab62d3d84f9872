// The conduct service on a log in SQLite, with its vault in the same process, that dies where it is told to; and services that are wrong
// on purpose, so that the test of the test has something to find. Driven by clients.py.
//
//     fault_service FOLDER SOCKET [--die PROBABILITY] [--mutant NAME] [--seed N]
//
// mutants   early_answer   answers although one in fifty acts was not stored
//           late_store     stores an act when the next one comes
//           forgets_keys   does not know a command that is sent again
//           no_witness     the witness is not told
//           two_places     an allocation can be stored twice: nothing is kept as having happened once, and receipts are of the number before

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "equipoise/core/digest.h"
#include "equipoise/core/lines.h"
#include "equipoise/server/service.h"
#include "equipoise/store/sqlite.h"
#include "equipoise/vault/vault.h"

namespace {

using namespace equipoise;

std::atomic<bool> stop{false};

/// A store that is wrong in one way.
class Mutant final : public conduct::EventStore {
 public:
  Mutant(conduct::EventStore& inner, std::string kind, std::uint64_t seed) : inner_(inner), kind_(std::move(kind)), random_(seed) {}

  Expected<void> append(conduct::Sequence expected, conduct::Act const& act) override {
    if (kind_ == "early_answer" && random_() % 50 == 0) return {};
    if (kind_ == "late_store") {
      if (waiting_)
        if (const auto stored = inner_.append(at_, *waiting_); !stored) return stored;
      at_ = expected, waiting_ = act;
      return {};
    }
    return inner_.append(expected, act);
  }
  conduct::Sequence last() const override { return waiting_ ? at_ + conduct::Sequence(waiting_->events.size()) : inner_.last(); }
  Expected<void> read(conduct::Sequence after, std::function<bool(conduct::StoredEvent const&)> const& visitor) const override {
    bool going = true;
    const auto read = inner_.read(after, [&](conduct::StoredEvent const& event) { return going = visitor(event); });
    if (read && going && waiting_)
      for (conduct::StoredEvent const& event : waiting_->events)
        if (event.sequence > after && !visitor(event)) break;
    return read;
  }
  Expected<std::optional<conduct::Done>> done(std::string_view key) const override {
    if (kind_ == "forgets_keys") return std::optional<conduct::Done>();
    if (waiting_ && waiting_->key == key) return std::optional(conduct::Done{waiting_->request, at_ + 1, at_ + conduct::Sequence(waiting_->events.size())});
    return inner_.done(key);
  }
  Expected<std::optional<conduct::StoredText>> text(std::string_view id) const override { return inner_.text(id); }
  Expected<void> put(conduct::Document const& document) override { return inner_.put(document); }
  Expected<std::optional<conduct::Document>> document(std::string_view digest) const override { return inner_.document(digest); }
  Expected<std::int64_t> take_lease() override { return inner_.take_lease(); }
  Expected<void> backup(std::string const& path) const override { return inner_.backup(path); }

 private:
  conduct::EventStore& inner_;
  std::string kind_;
  std::mt19937_64 random_;
  std::optional<conduct::Act> waiting_;
  conduct::Sequence at_ = 0;
};

/// A vault whose receipts are now and then those of the allocation before.
class TwoPlaces final : public server::VaultLink {
 public:
  explicit TwoPlaces(server::VaultLink& inner) : inner_(inner) {}
  Expected<allocation::Receipt> allocate(allocation::Request const& request) override {
    auto receipt = inner_.allocate(request);
    if (receipt && last_ && request.number % 20 == 0) receipt->stream = last_->stream, receipt->position = last_->position;
    if (receipt) last_ = *receipt;
    return receipt;
  }
  Expected<allocation::Commitment> commitment() override { return inner_.commitment(); }
  Expected<void> resume(std::span<const allocation::Request> history) override { return inner_.resume(history); }
  Expected<void> confirm(std::int64_t number) override { return inner_.confirm(number); }
  Expected<void> amend(std::string const& protocol) override { return inner_.amend(protocol); }
  Expected<bool> genuine(allocation::Request const& request, allocation::Receipt const& receipt) override { return inner_.genuine(request, receipt); }
  Expected<allocation::DoseOrder> dose(allocation::DoseRequest const& request) override { return inner_.dose(request); }
  Expected<std::vector<allocation::Kit>> label_kits(std::string const& lot, std::string const& expires, std::int64_t kits) override {
    return inner_.label_kits(lot, expires, kits);
  }
  Expected<std::vector<allocation::LabelledKit>> labels(std::string const& lot, std::string const& act) override { return inner_.labels(lot, act); }
  Expected<std::string> choose_kit(std::int64_t allocation, std::span<const allocation::Kit> stock) override { return inner_.choose_kit(allocation, stock); }
  Expected<allocation::Opening> open(std::string const& participant, std::string const& act) override { return inner_.open(participant, act); }
  Expected<allocation::Reveal> reveal(std::string const& act) override { return inner_.reveal(act); }

 private:
  server::VaultLink& inner_;
  std::optional<allocation::Receipt> last_;
};

std::string read_file(std::string const& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

int fail_with(std::string const& message) {
  fmt::print(stderr, "fault_service: {}\n", message);
  return 1;
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) return fail_with("FOLDER SOCKET [--die PROBABILITY] [--mutant NAME] [--seed N]");
  const std::filesystem::path folder = words[1];
  double die = 0;
  std::string mutant;
  std::uint64_t seed = 1;
  for (int i = 3; i + 1 < count; i += 2) {
    const std::string option = words[i];
    if (option == "--die") die = std::atof(words[i + 1]);
    else if (option == "--mutant") mutant = words[i + 1];
    else if (option == "--seed") seed = std::strtoull(words[i + 1], nullptr, 10);
  }
  signal(SIGTERM, [](int) { stop = true; });
  signal(SIGPIPE, SIG_IGN);
  std::mt19937_64 random(seed ^ std::uint64_t(getpid()));

  const std::string bytes = read_file("tests/faults/trial.toml");
  Problems problems;
  const auto plan = conduct::Plan::make(bytes, "trial.toml", problems);
  if (!plan) return fail_with(to_string(problems.front()));
  SystemClock clock;
  SystemChance chance;
  vault::Secrets secrets = vault::draw_secrets(plan->protocol(), "test", "", chance).value();
  const Key32 key = key_from_hex(sha256("faults")).value();
  std::ranges::copy(key, secrets.seed.bytes().begin());
  auto vault = vault::Vault::open(plan->protocol(), std::move(secrets), vault::Ledger::in_memory(), {&clock, &chance});
  if (!vault) return fail_with(vault.error().message);
  server::LinkTo<vault::Vault> honest(*vault, {"control", "low", "high"});
  TwoPlaces confused(honest);
  server::VaultLink& link = mutant == "two_places" ? static_cast<server::VaultLink&>(confused) : honest;

  const std::string path = folder / "trial.db";
  const bool fresh = !std::filesystem::exists(path);
  auto store = store::SqliteStore::open(path, {.create = fresh});
  if (!store) return fail_with(store.error().message);
  auto witness = vault::Witness::open(folder / "witness");
  if (!witness) return fail_with(witness.error().message);
  vault::Witness* const told = mutant == "no_witness" ? nullptr : &*witness;
  Mutant wrong(**store, mutant, seed);
  conduct::EventStore& log = mutant.empty() ? static_cast<conduct::EventStore&>(**store) : wrong;
  const auto passes = [&](std::string_view) {
    if (die > 0 && std::uniform_real_distribution<double>(0, 1)(random) < die) kill(getpid(), SIGKILL);
  };
  if (fresh) {
    server::Opening opening{.protocol = bytes, .file = "trial.toml", .environment = "test", .users = {}};
    opening.users.push_back({"administrator", "Administrator", sha256("a"), {{conduct::Role::administrator, ""}}});
    for (std::string const site : {"s1", "s2", "s3"}) opening.users.push_back({"i-" + site, "Investigator", sha256("i"), {{conduct::Role::investigator, site}}});
    const auto opened = server::Service::open_trial(opening, {**store, honest, &*witness, clock, chance, "faults", {}, {}, {}});
    if (!opened) return fail_with(to_string(opened.error().front()));
  }
  auto service = server::Service::start({log, link, told, clock, chance, "faults", {}, {}, passes});
  if (!service) return fail_with(service.error().message);
  auto server = LineServer::open(words[2]);
  if (!server) return fail_with(server.error().message);
  const auto done = server->run(stop, [&](LineServer::Connection, std::string_view line) -> std::optional<std::string> {
    std::string answer = (*service)->answer(line);
    if (!(*service)->broken().empty()) _exit(3);  // it has to be started again
    return answer;
  });
  return done ? 0 : fail_with(done.error().message);
}
