// Blinding as non-interference, where tests/conduct/blinding_test.cpp ends: what lies on the disk, and how long answers take.
//
//     two_worlds --files N       N exchanges of arms: every file outside the vault, every name and size, is the same in both
//     worlds two_worlds --times N       N trials, each conducted in step in a world, in one with exchanged arms, and once more in
//     the first one: medians and
//                                99th percentiles of the times of answers to blinded roles; then with a delay planted, which has
//                                to be found
//
// Exit status 0: nothing tells an arm, and every planted leak was found.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "equipoise/core/unblinding_grant.h"
#include "equipoise/store/sqlite.h"
#include "equipoise/store/temporary_folder.h"
#include "tests/conduct/blinded_course.h"
#include "tests/faults/compared_times.h"

namespace {

using namespace equipoise;
using namespace equipoise::conducted;
namespace fs = std::filesystem;

Json question_of(std::string const& user, std::string const& name, Json data, std::string const& reason, std::string const& key) {
  return Trial::question(user, name, std::move(data), reason, key);
}

// ---- Files
// ----------------------------------------------------------------------------------------------------------------------

/// Everything in a folder: name, size, and bytes, but for the vault's, of which the size is all that may be seen.
std::map<std::string, std::string> everything_in(fs::path const& folder) {
  std::map<std::string, std::string> found;
  for (auto const& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = fs::relative(entry.path(), folder);
    found[name] = fmt::format("{} bytes\n", entry.file_size()) + (name.starts_with("vault/") ? "" : read_file(entry.path()));
  }
  return found;
}

struct Under {
  std::string root;
  std::string operator/(std::string const& name) const { return root + "/" + name; }
};

std::map<std::string, std::string> world_on_disk(std::string const& seed, std::vector<std::int32_t> const& exchanged, Leak leak) {
  // At the same place each time: the path of a backup is part of the question, whose digest is kept.
  static const store::testing::TemporaryFolder place;
  const Under folder{place / "world"};
  fs::remove_all(fs::path(folder.root));
  fs::create_directories(fs::path(folder / "vault"));
  {
    std::string log;
    auto store = store::SqliteStore::open(folder / "trial.db", {.create = true});
    auto witness = vault::Witness::open(folder / "witness");
    if (!store || !witness) throw std::runtime_error("no store");
    Options options;
    options.seed = seed, options.exchanged = exchanged, options.store = store->get(), options.witness = &*witness;
    options.ledger = folder / "vault/ledger", options.log = [&](std::string const& line) { log += line + "\n"; };
    Trial trial(options);
    std::int64_t keys = 0;
    const auto act = [&](std::string const& user, std::string const& command, Json data, std::string const& reason) {
      return Json::parse(trial.line(question_of(user, command, std::move(data), reason, fmt::format("k{}", ++keys)).dump()));
    };
    const Asking ask{
        .act = act,
        .look = [&](std::string const& user, std::string const& view,
                    Json data) { return Json::parse(trial.line(question_of(user, view, std::move(data), "", "").dump())); },
        .wait = [&](std::chrono::milliseconds by) { trial.clock.advance(by); },
        .today = [&] { return trial.today(); }};
    const Course course = conduct_course(ask);
    const std::string told = leaked(leak, course);
    if (leak == Leak::extra_event && !told.empty()) act("data_manager", "snapshot", Json::object(), "");
    const Json backup = act("administrator", "backup", {{"path", folder / "backup.db"}}, "");
    if (!backup["ok"].get<bool>()) throw std::runtime_error(backup.dump());
    if (leak == Leak::log_line) log += told + "\n";
    if (leak == Leak::kit_order) std::ofstream(folder / "kits.txt") << told;
    if (leak == Leak::file_name) std::ofstream(folder / told).flush();
    std::ofstream(folder / "conduct.log") << log;
  }
  return everything_in(folder.root);
}

/// The first thing in which two folders differ; empty: nothing.
std::string difference(std::map<std::string, std::string> const& one, std::map<std::string, std::string> const& other) {
  for (auto const& [name, bytes] : one)
    if (!other.contains(name)) return name + " is in one alone";
    else if (other.at(name) != bytes) return name + " differs";
  for (auto const& [name, bytes] : other)
    if (!one.contains(name)) return name + " is in one alone";
  return {};
}

int compare_files(int wanted) {
  int compared = 0, wrong = 0;
  std::size_t bytes = 0, files = 0;
  for (int s = 0; compared < wanted; ++s) {
    const std::string seed = fmt::format("files {}", s);
    const auto plain = world_on_disk(seed, {}, Leak::none);
    files = plain.size(), bytes = 0;
    for (auto const& [name, content] : plain) bytes += content.size();
    for (auto const& exchanged : exchanges()) {
      if (compared == wanted) break;
      ++compared;
      if (const std::string found = difference(plain, world_on_disk(seed, exchanged, Leak::none)); !found.empty())
        ++wrong, fmt::print("seed '{}': {}\n", seed, found);
    }
  }
  fmt::print("files: {} exchanges of arms, {} files and {} bytes each: {} differences\n", compared, files, bytes, wrong);
  for (auto const& [leak, name] : {std::pair{Leak::kit_order, "kits in the order of arms"},
                                   {Leak::file_name, "an arm in the name of a file"},
                                   {Leak::log_line, "a line of the service's log"},
                                   {Leak::extra_event, "an event more"}}) {
    const auto plain = world_on_disk("files 0", {}, leak);
    std::string found;
    int tried = 0;
    for (auto const& exchanged : exchanges()) {
      ++tried;
      if (!(found = difference(plain, world_on_disk("files 0", exchanged, leak))).empty()) break;
    }
    fmt::print("planted: {:<30} {}\n", name, found.empty() ? "NOT FOUND" : fmt::format("found in world {}: {}", tried, found));
    wrong += found.empty();
  }
  return wrong;
}

// ---- Times
// ----------------------------------------------------------------------------------------------------------------------

constexpr std::size_t world_count = 3;  ///< a world, one with exchanged arms, and the first one once more

/// Three worlds that are asked the same in step, each question in an order drawn anew.
class InStep {
 public:
  InStep(int trial, std::chrono::microseconds delay, std::mt19937_64& random) : delay_(delay), random_(random) {
    Options options;
    options.seed = fmt::format("times {}", trial);
    for (std::size_t w : order()) {
      options.exchanged = {};
      if (w == 1) options.exchanged = trial % 2 ? std::vector<std::int32_t>{1, 2, 0} : std::vector<std::int32_t>{2, 0, 1};
      worlds_[w] = std::make_unique<Trial>(options);
    }
  }

  void run(faults::Pairs& between, faults::Pairs& within) {
    between_ = &between, within_ = &within;
    const Asking ask{.act =
                         [&](std::string const& user, std::string const& command, Json data, std::string const& reason) {
                           return asked(user, command, std::move(data), reason, fmt::format("k{}", ++keys_));
                         },
                     .look = [&](std::string const& user, std::string const& view,
                                 Json data) { return asked(user, view, std::move(data), "", ""); },
                     .wait =
                         [&](std::chrono::milliseconds by) {
                           for (auto& world : worlds_) world->clock.advance(by);
                         },
                     .today = [&] { return worlds_[0]->today(); }};
    const Course course = conduct_course(ask);
    for (int again = 0; again < 4; ++again)
      for (std::string const& who : course.who)
        for (std::string const& user : {"coordinator_" + site_of(who), std::string("monitor")})
          ask.look(user, "participant", {{"participant", who}});
  }

 private:
  std::array<std::size_t, world_count> order() {
    std::array<std::size_t, world_count> all{0, 1, 2};
    std::ranges::shuffle(all, random_);
    return all;
  }

  /// The arm of whom a question is about, in each world, once there is one.
  std::string arm(std::size_t world, std::string const& who) {
    auto& known = arms_[world][who];
    if (known.empty())
      if (const auto opening = worlds_[world]->vault->open(who, UnblindingGrant(std::string(64, '0')))) known = opening->arm;
    return known;
  }
  std::string subject(Json const& data) const {
    if (data.contains("participant")) return data["participant"];
    if (data.contains("record")) return data["record"]["participant"];
    return {};
  }

  Json asked(std::string const& user, std::string const& name, Json data, std::string const& reason, std::string const& key) {
    const std::string who = subject(data), line = question_of(user, name, std::move(data), reason, key).dump();
    std::array<double, world_count> took{};
    std::array<std::string, world_count>
        answers;  // kept until all have answered: whoever is asked next would find caches and memory otherwise
    for (std::size_t w : order()) {
      const bool late = delay_.count() > 0 && !who.empty() && arm(w, who) == "high";
      const auto begin = std::chrono::steady_clock::now();
      answers[w] = worlds_[w]->line(line);
      const auto until = std::chrono::steady_clock::now() + delay_;
      while (late && std::chrono::steady_clock::now() < until) {
      }
      took[w] = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
    }
    if (is_blinded(user) && name != "confirm_unblinding") {
      // In a group everybody has one arm in the first world, and another one in the second.
      const std::string of = who.empty() ? "" : " about " + (arm(0, who).empty() ? "nobody randomised" : arm(0, who));
      (*between_)[name + of].push_back({took[0], took[1]});
      (*within_)[name + of].push_back({took[0], took[2]});
    }
    return Json::parse(answers[0]);
  }

  std::chrono::microseconds delay_;
  std::mt19937_64& random_;
  std::array<std::unique_ptr<Trial>, world_count> worlds_{};
  std::array<std::map<std::string, std::string>, world_count> arms_{};
  faults::Pairs *between_ = nullptr, *within_ = nullptr;
  std::int64_t keys_ = 0;
};

constexpr int exchanges_of_times = 1999;
constexpr double level = 0.001;  ///< of one session; two in a row are needed, so that one in a million honest runs is accused

struct Session {
  faults::Comparison between, within;
};
Session session(int trials, std::chrono::microseconds delay, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  faults::Pairs between, within, warming;
  InStep(-1, delay, random).run(warming, warming);
  for (int trial = 0; trial < trials; ++trial) InStep(trial, delay, random).run(between, within);
  return {faults::compare_times(between, exchanges_of_times, seed), faults::compare_times(within, exchanges_of_times, seed + 1)};
}

void say(std::string_view what, faults::Comparison const& found, std::size_t lines) {
  fmt::print("  {}: {} groups of questions, p = {:.4f}; largest differences, microseconds:\n", what, found.differences.size(),
             found.p);
  for (std::size_t i = 0; i < std::min(lines, found.differences.size()); ++i) {
    faults::Difference const& one = found.differences[i];
    fmt::print("    {:<34} n {:>5}   median {:8.1f} {:8.1f}   p99 {:8.1f} {:8.1f}   {:.1f} s.d.\n", one.group, one.n,
               one.median_one / 1e3, one.median_other / 1e3, one.p99_one / 1e3, one.p99_other / 1e3, one.distance);
  }
}

/// Whether two sessions in a row tell the worlds apart.
bool told_apart(std::string const& what, int trials, std::chrono::microseconds delay, std::uint64_t seed) {
  fmt::print("{}\n", what);
  for (int again = 0; again < 2; ++again) {
    const Session found = session(trials, delay, seed + std::uint64_t(again) * 1000);
    say("two worlds", found.between, 3);
    say("one world twice", found.within, 1);
    if (found.between.p > level) return false;
  }
  return true;
}

int compare_answers(int trials, std::uint64_t seed) {
  int wrong = told_apart(fmt::format("times: {} trials", trials), trials, {}, seed);
  if (wrong) fmt::print("times: the worlds are TOLD APART\n");
  for (const std::chrono::microseconds delay : {std::chrono::microseconds(1000), std::chrono::microseconds(100)}) {
    const bool found = told_apart(fmt::format("planted: {} microseconds more about whoever has the high dose", delay.count()),
                                  trials, delay, seed + 7);
    fmt::print("planted: a delay of {} microseconds: {}\n", delay.count(), found ? "found" : "not found");
    wrong += !found && delay.count() >= 1000;
  }
  return wrong;
}

}  // namespace

int main(int count, char** words) {
  const std::string mode = count > 2 ? words[1] : "";
  const int n = count > 2 ? std::atoi(words[2]) : 0;
  if (n < 1 || (mode != "--files" && mode != "--times")) return fmt::print(stderr, "two_worlds --files N | --times N\n"), 2;
  const int wrong = mode == "--files" ? compare_files(n) : compare_answers(n, 20261128);
  return wrong == 0 ? 0 : 1;
}
