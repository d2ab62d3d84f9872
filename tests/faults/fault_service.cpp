// The conduct service on a log in SQLite, with its vault in another process, that dies where it is told to, on a disk that fails
// and a clock that jumps when it is told to; and services that are wrong on purpose, so that the test of the test has something
// to find. Driven by clients.py.
//
//     fault_service FOLDER SOCKET [--die PROBABILITY] [--mutant NAME] [--seed N]
//
// mutants   early_answer    answers although one in fifty acts was not stored
//           late_store      stores an act when the next one comes
//           forgets_keys    does not know a command that is sent again
//           no_witness      the witness is not told
//           no_transaction, audit_later, slot_first, no_sync, read_first, subject_twice: stores of wrong_store.h; the last one
//           belongs to a program in which conduct's own checks are taken out too (tests/CMakeLists.txt)
//
// FOLDER/clock   8 bytes, whole milliseconds by which the clock is wrong
// FOLDER/deaths  a line for each death inside

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <atomic>
#include <filesystem>
#include <map>

#include "equipoise/core/digest.h"
#include "equipoise/server/service.h"
#include "equipoise/store/sqlite.h"
#include "equipoise/vault/process.h"
#include "tests/faults/disk_trouble.h"
#include "tests/faults/dying.h"
#include "tests/faults/passing_link.h"
#include "tests/faults/wrong_store.h"

namespace {

using namespace equipoise;

std::atomic<bool> stop{false};

int fail_with(std::string const& message) {
  fmt::print(stderr, "fault_service: {}\n", message);
  return 1;
}

/// A store that is wrong in one way.
class Mutant final : public conduct::EventStore {
 public:
  Mutant(conduct::EventStore& inner, std::string kind, std::uint64_t seed)
      : inner_(inner), kind_(std::move(kind)), random_(seed) {}

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
    if (waiting_ && waiting_->key == key)
      return std::optional(conduct::Done{waiting_->request, at_ + 1, at_ + conduct::Sequence(waiting_->events.size())});
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

/// The way to the vault, on which the service may die: its question is then asked and not answered, or answered and not heard.
class DangerousLink final : public faults::PassingLink {
 public:
  DangerousLink(server::VaultLink& inner, faults::Dying& dies) : PassingLink(inner), dies_(dies) {}
  Expected<allocation::Receipt> allocate(allocation::Request const& request) override {
    auto receipt = inner_.allocate(request);
    dies_("allocated");
    return receipt;
  }
  Expected<void> confirm(std::int64_t number) override {
    dies_("to confirm");
    return inner_.confirm(number);
  }

 private:
  faults::Dying& dies_;
};

/// The machine's clock, wrong by what a file says.
class JumpingClock final : public Clock {
 public:
  explicit JumpingClock(std::string const& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    void* const mapped = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) wrong_by_ = static_cast<std::int64_t volatile*>(mapped);
    ::close(file);
  }
  Instant now() const override { return clock_.now() + std::chrono::milliseconds(wrong_by_ ? *wrong_by_ : 0); }

 private:
  SystemClock clock_;
  std::int64_t volatile* wrong_by_ = nullptr;
};

std::vector<server::Opening::User> users() {
  using conduct::Role;
  std::vector<server::Opening::User> all;
  const auto add = [&](std::string const& id, Role role, std::string const& site = "") {
    all.push_back({id, "Somebody", sha256("i"), {{role, site}}});
  };
  add("administrator", Role::administrator);
  for (std::string const site : {"s1", "s2", "s3"}) add("i-" + site, Role::investigator, site);
  for (std::string const two : {"1", "2"})
    add("data-" + two, Role::data_manager), add("unblinded-" + two, Role::unblinded_statistician);
  add("blinded", Role::blinded_statistician);
  return all;
}

const std::map<std::string, faults::StoreFault> store_faults{{"draft", faults::StoreFault::none},
                                                             {"no_transaction", faults::StoreFault::no_transaction},
                                                             {"audit_later", faults::StoreFault::audit_later},
                                                             {"slot_first", faults::StoreFault::slot_first},
                                                             {"subject_twice", faults::StoreFault::not_unique},
                                                             {"no_sync", faults::StoreFault::no_sync},
                                                             {"read_first", faults::StoreFault::read_first}};

}  // namespace

int main(int count, char** words) {
  if (count < 3) return fail_with("FOLDER SOCKET [--die PROBABILITY] [--mutant NAME] [--seed N]");
  const std::filesystem::path folder = words[1];
  const std::string mutant = faults::option(count, words, "--mutant");
  const std::uint64_t seed = std::stoull(faults::option(count, words, "--seed", "1"));
  signal(SIGTERM, [](int) { stop = true; });
  signal(SIGPIPE, SIG_IGN);
  faults::listen_for_trouble();
  faults::Dying dies(std::stod(faults::option(count, words, "--die", "0")), seed, folder / "deaths");

  const auto bytes = vault::read_whole("tests/faults/trial.toml");
  if (!bytes) return fail_with(bytes.error().message);
  JumpingClock clock(folder / "clock");
  SystemChance chance;
  vault::Client client((folder / "vault.socket").string());
  server::LinkTo<vault::Client> link(client, {"control", "low", "high"});
  DangerousLink vault(link, dies);

  const std::string path = folder / "trial.db";
  std::unique_ptr<conduct::EventStore> store;
  if (const auto wrong = store_faults.find(mutant); wrong != store_faults.end()) {
    store = std::make_unique<faults::WrongStore>(path, wrong->second, [&] { dies("between"); });
  } else {
    auto opened = store::SqliteStore::open(path, {.create = !std::filesystem::exists(path)});
    if (!opened) return fail_with(opened.error().message);
    store = std::move(*opened);
  }
  auto witness = vault::Witness::open(folder / "witness");
  if (!witness) return fail_with(witness.error().message);
  if (store->last() == 0) {
    const auto opened =
        server::Service::open_trial({.protocol = *bytes, .file = "trial.toml", .environment = "test", .users = users()},
                                    {*store, link, &*witness, clock, chance, "faults", {}, {}, {}});
    if (!opened) return fail_with(to_string(opened.error().front()));
  }
  Mutant wrong(*store, mutant, seed ^ std::uint64_t(getpid()));
  auto service = server::Service::start(
      {wrong, vault, mutant == "no_witness" ? nullptr : &*witness, clock, chance, "faults", {}, {}, [&](std::string_view point) {
         dies(point);
       }});
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
