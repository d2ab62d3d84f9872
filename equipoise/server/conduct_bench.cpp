// What a live trial costs: reading a long log back into a state, an extract of a large trial, and an allocation from the question on
// the socket to the answer.
//
// Each prints lines of JSON, times in seconds, latencies in microseconds. `./run bench conduct` makes the table of them.
//
//     conduct_bench fold LOG [EVENTS]          LOG: the trial.db of a conducted trial, whose participants are multiplied
//     conduct_bench extract LOG [PARTICIPANTS]
//     conduct_bench allocate FOLDER [COUNT]    beside bare writes and syncs in the same folder, in turns

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>
#include <unordered_set>

#include "equipoise/conduct/extract.h"
#include "equipoise/conduct/replay.h"
#include "equipoise/core/digest.h"
#include "equipoise/core/lines.h"
#include "equipoise/server/folder.h"
#include "equipoise/store/memory.h"
#include "equipoise/store/sqlite.h"
#include "equipoise/store/temporary_folder.h"

namespace {

using namespace equipoise;
using conduct::StoredEvent;
using conduct::TrialEvent;
using Steady = std::chrono::steady_clock;

template <class T>
T need(Expected<T> got) {
  if (!got) throw std::runtime_error(to_string(got.error()));
  if constexpr (!std::is_void_v<T>) return std::move(*got);
}

double seconds_since(Steady::time_point start) { return std::chrono::duration<double>(Steady::now() - start).count(); }

double quantile(std::vector<double> values, double p) {
  std::ranges::sort(values);
  return values[std::min(values.size() - 1, std::size_t(p * double(values.size())))];
}

// ---- A long log -----------------------------------------------------------------------------------------------------------------

/// A conducted trial whose participants are there many times: the events of each copy are those of the first, with names of their own.
struct Multiplied {
  std::vector<StoredEvent> events;
  std::string protocol;
  std::size_t participants = 0;
};

/// Everything in the log that carries a number of its own.
std::unordered_set<std::string> names_in(std::vector<TrialEvent> const& events) {
  std::unordered_set<std::string> names;
  for (TrialEvent const& one : events)
    std::visit(
        [&](auto const& event) {
          using E = std::decay_t<decltype(event)>;
          if constexpr (std::is_same_v<E, conduct::ParticipantEnrolled>) names.insert(event.participant);
          if constexpr (std::is_same_v<E, conduct::QueryOpened>) names.insert(event.query);
          if constexpr (std::is_same_v<E, conduct::SeriousEventReported>) names.insert(event.case_id);
          if constexpr (std::is_same_v<E, conduct::DosePrepared>) names.insert(event.dose);
          if constexpr (std::is_same_v<E, conduct::DeviationRecorded>) names.insert(event.deviation);
        },
        one.event);
  return names;
}

/// The bytes with every string of `names` continued by the number of the copy.
std::string renamed(std::string const& bytes, std::unordered_set<std::string> const& names, std::string const& suffix) {
  std::string made;
  made.reserve(bytes.size() + 64);
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t open = bytes.find('"', at);
    if (open == std::string::npos) return made.append(bytes, at);
    std::size_t close = open + 1;
    while (bytes[close] != '"') close += bytes[close] == '\\' ? 2 : 1;
    made.append(bytes, at, close - at);
    if (names.contains(bytes.substr(open + 1, close - open - 1))) made += suffix;
    made += '"', at = close + 1;
  }
  return made;
}

bool of_a_participant(TrialEvent const& one, std::unordered_set<std::string> const& names, std::string const& bytes) {
  return renamed(bytes, names, "+") != bytes && !std::holds_alternative<conduct::TrialOpened>(one.event);
}

Multiplied multiplied(std::string const& path, std::size_t most_events, std::size_t most_participants) {
  const auto log = need(store::SqliteStore::open(path));
  std::vector<TrialEvent> first;
  std::vector<std::string> bytes;
  need(log->read(0, [&](StoredEvent const& stored) {
    TrialEvent event = need(conduct::decoded_event(stored.bytes));
    if (std::holds_alternative<conduct::SnapshotTaken>(event.event)) return false;  // the end of the trial is not multiplied
    first.push_back(std::move(event)), bytes.push_back(stored.bytes);
    return true;
  }));
  Multiplied made;
  made.protocol = need(conduct::protocol_file(*log, std::get<conduct::TrialOpened>(first.front().event).document));
  const auto names = names_in(first);
  std::int64_t allocations = 0;
  std::string previous;
  for (std::int64_t copy = 0; made.events.size() < most_events && made.participants < most_participants; ++copy) {
    const std::int64_t before = allocations;
    for (std::size_t i = 0; i < first.size() && made.events.size() < most_events; ++i) {
      if (copy > 0 && !of_a_participant(first[i], names, bytes[i])) continue;
      TrialEvent event = copy == 0 ? first[i] : need(conduct::decoded_event(renamed(bytes[i], names, fmt::format("-{}", copy))));
      event.envelope.sequence = conduct::Sequence(made.events.size()) + 1, event.envelope.previous = previous;
      if (auto* randomised = std::get_if<conduct::Randomised>(&event.event)) {
        randomised->request.number = ++allocations;
        randomised->receipt.number = randomised->request.number;
      }
      made.participants += std::holds_alternative<conduct::ParticipantEnrolled>(event.event);
      made.events.push_back(conduct::stored(event));
      previous = made.events.back().digest;
    }
    if (allocations == before) break;
  }
  return made;
}

conduct::State fold_all(std::vector<StoredEvent> const& events) {
  conduct::State state;
  for (StoredEvent const& stored : events) need(conduct::fold(state, need(conduct::decoded_event(stored.bytes)), stored.digest));
  return state;
}

void fold(std::string const& path, std::size_t events) {
  const Multiplied log = multiplied(path, events, std::size_t(-1));
  const store::testing::TemporaryFolder folder;
  const auto stored = need(store::SqliteStore::open(folder / "trial.db", {.create = true}));
  std::size_t bytes = 0;
  for (std::size_t done = 0; done < log.events.size();) {
    conduct::Act act{.key = fmt::format("{}", done), .request = std::string(64, '0'), .events = {}, .texts = {}, .once = {}, .destroyed = {}};
    const std::size_t until = std::min(done + 1000, log.events.size());
    act.events.assign(log.events.begin() + std::ptrdiff_t(done), log.events.begin() + std::ptrdiff_t(until));
    need(stored->append(conduct::Sequence(done), act));
    done = until;
  }
  for (StoredEvent const& event : log.events) bytes += event.bytes.size();
  for (int round = 0; round < 3; ++round) {
    auto start = Steady::now();
    for (StoredEvent const& event : log.events)
      if (sha256(event.bytes) != event.digest) throw std::runtime_error("digest");
    const double digests = seconds_since(start);
    start = Steady::now();
    for (StoredEvent const& event : log.events) need(conduct::decoded_event(event.bytes));
    const double decoding = seconds_since(start);
    start = Steady::now();
    fold_all(log.events);
    const double folding = seconds_since(start) - decoding;
    start = Steady::now();
    conduct::State state;
    need(conduct::replay(*stored, state, [](TrialEvent const&) -> Expected<void> { return {}; }));
    const double whole = seconds_since(start);
    fmt::print(R"({{"job":"fold","events":{},"participants":{},"megabytes":{},"digests":{:.4f},"decoding":{:.4f},"fold":{:.4f},"start":{:.4f}}})" "\n",
               log.events.size(), state.participants.size(), bytes / 1'000'000, digests, decoding, folding, whole);
  }
}

void extract(std::string const& path, std::size_t participants) {
  const Multiplied log = multiplied(path, std::size_t(-1), participants);
  const conduct::State state = fold_all(log.events);
  Problems problems;
  conduct::Plans plans;
  plans.add(conduct::Plan::make(log.protocol, "the protocol", problems));
  for (int round = 0; round < 3; ++round) {
    auto start = Steady::now();
    const auto data = need(conduct::extract(plans, state, {.role = conduct::Role::data_manager}));
    const double dataset = seconds_since(start);
    start = Steady::now();
    const auto files = need(conduct::extract_files(plans, state, {.role = conduct::Role::data_manager}, conduct::Arms::none, "bench"));
    const double whole = seconds_since(start);
    fmt::print(R"({{"job":"extract","participants":{},"events":{},"rows":{},"columns":{},"data_set":{:.4f},"files":{:.4f},"bytes":{}}})" "\n",
               state.participants.size(), log.events.size(), data.rows(), data.columns().size(), dataset, whole, files.csv.size());
  }
}

// ---- Allocations ----------------------------------------------------------------------------------------------------------------

constexpr char small_trial[] = R"toml(format = 1
[trial]
id = "bench"
title = "Allocations, as fast as they come"
version = "1"
planned_participants = 100000
[[arm]]
id = "control"
role = "active_control"
[[arm]]
id = "active"
role = "investigational"
[sites]
site = [{ id = "s1", name = "One", time_zone = "Asia/Shanghai" }, { id = "s2", name = "Two", time_zone = "America/New_York" }]
[schedule]
visit = [{ id = "baseline", day = 1, forms = ["outcome"] }]
[form.outcome]
value = { kind = "number", label = { en = "Value" } }
[randomisation]
method = "minimisation"
probability = 0.8
ratio = { control = 1, active = 1 }
factors = [{ id = "site" }]
[blinding]
kind = "double"
)toml";

/// The two processes of a trial, here as threads; they are joined when it ends.
class Running {
 public:
  explicit Running(std::filesystem::path const& root) : folder_{root / "trial"} {
    server::Making making;
    making.opening.protocol = small_trial, making.opening.file = "bench.toml", making.opening.environment = "test";
    for (auto const& [user, role, site] : {std::tuple("admin", conduct::Role::administrator, ""), std::tuple("anna", conduct::Role::coordinator, "s1"),
                                           std::tuple("ivan", conduct::Role::investigator, "s1")})
      making.opening.users.push_back({user, user, sha256(std::string("secret of ") + user), {{role, site}}});
    const Key32 key = chance_.key();
    vault::SecretBytes bytes(key.size());
    std::ranges::copy(key, bytes.bytes().begin());
    const auto lock = std::make_shared<vault::Lock>(vault::Lock::key(std::move(bytes)));
    if (const auto made = server::make_trial(folder_, making, *lock, clock_, chance_, "bench"); !made)
      throw std::runtime_error(to_string(made.error().front()));
    threads_.emplace_back([this, lock] { serve(server::run_vault(folder_, *lock, clock_, chance_, stop_)); });
    wait_for(folder_.vault_socket());
    threads_.emplace_back([this] { serve(server::run_service(folder_, clock_, own_chance_, "bench", stop_)); });
    wait_for(folder_.socket());
  }
  ~Running() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  std::string socket() const { return folder_.socket(); }

 private:
  static void wait_for(std::string const& socket) {
    while (!std::filesystem::exists(socket)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  static void serve(Expected<void> const& done) {
    if (!done) std::fprintf(stderr, "conduct_bench: %s\n", to_string(done.error()).c_str()), std::exit(1);
  }

  server::Folder folder_;
  SystemClock clock_;
  SystemChance chance_, own_chance_;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

class Person {
 public:
  Person(std::string socket, std::string user, std::string role) : line_(std::move(socket)), user_(std::move(user)), role_(std::move(role)) {}
  conduct::Json ask(char const* what, std::string const& name, conduct::Json data) {
    conduct::Json question{{"user", user_}, {"secret", "secret of " + user_}, {"role", role_}, {"site", "s1"}, {what, name}, {"data", std::move(data)}};
    if (std::string_view(what) == "command") question["key"] = fmt::format("{}", ++keys_);
    conduct::Json answer = conduct::Json::parse(need(line_.ask(question.dump(), std::chrono::seconds(10))));
    if (!answer.value("ok", false)) throw std::runtime_error(answer.dump());
    return answer;
  }

 private:
  LineClient line_;
  std::string user_, role_;
  int keys_ = 0;
};

/// A write and its sync, in place, in a file as long as a write-ahead log gets.
class BareSync {
 public:
  BareSync(std::filesystem::path const& path, std::size_t bytes) : bytes_(bytes, 'b'), file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    const std::string zeros(limit, '\0');
    if (!file_ || ::pwrite(file_.number(), zeros.data(), limit, 0) != ssize_t(limit) || ::fsync(file_.number()) != 0)
      throw std::runtime_error("no file to write");
  }
  void operator()() {
    if (::pwrite(file_.number(), bytes_.data(), bytes_.size(), at_) != ssize_t(bytes_.size()) || ::fdatasync(file_.number()) != 0)
      throw std::runtime_error("the disk failed");
    at_ += off_t(bytes_.size());
    if (at_ + off_t(bytes_.size()) > off_t(limit)) at_ = 0;
  }

 private:
  static constexpr std::size_t limit = 4 << 20;
  std::string bytes_;
  Descriptor file_;
  off_t at_ = 0;
};

void allocate(std::string const& where, std::size_t allocations) {
  const store::testing::TemporaryFolder folder{where};
  const Running trial(folder / "");
  Person anna(trial.socket(), "anna", "coordinator"), ivan(trial.socket(), "ivan", "investigator");
  std::vector<std::pair<std::string, std::string>> ready;  // participant, word of confirmation
  const std::string today = to_string(SystemClock().now()).substr(0, 10);
  for (std::size_t i = 0; i < allocations; ++i) {
    const std::string who = anna.ask("command", "enrol", conduct::Json::object())["events"][0]["data"]["participant"];
    anna.ask("command", "consent", {{"participant", who}, {"date", today}});
    ready.emplace_back(who, "");
  }
  for (auto& [who, word] : ready) word = ivan.ask("view", "read_back", {{"participant", who}})["shown"]["confirm"];
  constexpr std::size_t frames = 7 * 4120;  // what an allocation adds to the write-ahead log (sqlite_bench measures it)
  BareSync bare(folder / "bare", frames);
  std::vector<double> ours, base;
  const auto timed = [](std::vector<double>& into, auto&& act) {
    const auto start = Steady::now();
    act();
    into.push_back(1e6 * seconds_since(start));
  };
  for (auto const& [who, word] : ready) {
    timed(ours, [&] { ivan.ask("command", "randomise", {{"participant", who}, {"confirm", word}}); });
    timed(base, [&] { bare(); });
  }
  double all = 0;
  for (const double one : ours) all += one;
  fmt::print(R"({{"job":"allocate","count":{},"p50":{:.1f},"p99":{:.1f},"bytes":{},"sync_p50":{:.1f},"sync_p99":{:.1f},"a_second":{:.0f}}})" "\n",
             ours.size(), quantile(ours, 0.5), quantile(ours, 0.99), frames, quantile(base, 0.5), quantile(base, 0.99),
             1e6 * double(ours.size()) / all);
}

}  // namespace

int main(int count, char** words) {
  const std::string job = count > 1 ? words[1] : "", where = count > 2 ? words[2] : "";
  const std::size_t many = count > 3 ? std::stoul(words[3]) : 0;
  try {
    if (job == "fold") fold(where, many ? many : 1'000'000);
    else if (job == "extract") extract(where, many ? many : 2000);
    else if (job == "allocate") allocate(where, many ? many : 2000);
    else return std::fprintf(stderr, "conduct_bench fold|extract|allocate PATH [COUNT]\n"), 2;
  } catch (std::exception const& problem) {
    return std::fprintf(stderr, "conduct_bench: %s\n", problem.what()), 1;
  }
}
