// Cuts the power of a simulated machine again and again while acts are appended to a log, and counts what is lost.
//
//     power_loss [--cuts N] [--seed S] [--setting WORDS] [--folder PATH]    N cuts for each setting (default 1000)
//     power_loss --faults [--folder PATH]                                  every operation of a short run fails once
//
// Exit status 0: the safe settings lost nothing, and the unsafe ones were caught; 1: not so; 2: usage.
//
// One cut: a writer appends acts and notes which were confirmed; after a random number of changes to the disk the power goes; the
// disk gets one of the states it may have been left in (power_loss_vfs.h); the log is opened again, sometimes losing power in the
// middle of that too, and compared with what was confirmed.

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/digest.h"
#include "equipoise/store/sqlite.h"
#include "equipoise/store/temporary_folder.h"
#include "tests/faults/log_model.h"
#include "tests/faults/power_loss_vfs.h"

namespace equipoise::faults {
namespace {

using store::Journal;
using store::SqliteOptions;
using store::SqliteStore;
using store::Synchronous;
using store::testing::TemporaryFolder;

struct Setting {
  std::string name;
  SqliteOptions options;
  bool garbled = false;           ///< the disk may spoil the neighbours of what it was writing
  bool claims_powersafe = false;  ///< SQLite believes that it does not
  bool safe = true;
};

SqliteOptions unsafe(Journal journal, Synchronous synchronous) {
  return {.journal = journal, .synchronous = synchronous, .unsafe_for_a_test = true};
}

std::vector<Setting> settings() {
  return {
      {"WAL, FULL", {}},
      {"WAL, FULL, sectors spoilt", {}, true},
      {"rollback, EXTRA", {.journal = Journal::rollback}},
      {"rollback, EXTRA, sectors spoilt", {.journal = Journal::rollback}, true},
      {"rollback, EXTRA, not alone", {.journal = Journal::rollback, .alone = false}},
      {"WAL, FULL, spoilt, SQLite's default", {}, true, true, false},
      {"WAL, NORMAL", unsafe(Journal::wal, Synchronous::normal), false, false, false},
      {"WAL, OFF", unsafe(Journal::wal, Synchronous::off), false, false, false},
      {"rollback, FULL, not alone",
       {.journal = Journal::rollback, .synchronous = Synchronous::full, .alone = false, .unsafe_for_a_test = true},
       false,
       false,
       false},
      {"rollback, OFF", unsafe(Journal::rollback, Synchronous::off), false, false, false},
  };
}

struct Tally {
  std::int64_t cuts = 0, in_recovery = 0, acts = 0, lost = 0, half = 0, corrupt = 0, stuck = 0, texts_left = 0;
  std::string first{};  ///< what went wrong first
  std::int64_t failures() const { return lost + half + corrupt + stuck; }
};

bool any_file_has(TemporaryFolder const& folder, std::vector<std::string> const& marks) {
  if (marks.empty()) return false;
  const std::string bytes = folder.bytes_of_all_files();
  for (std::string const& mark : marks)
    if (bytes.find(mark) != std::string::npos) return true;
  return false;
}

Loss some_loss(Setting const& setting, std::mt19937_64& chance) {
  if (setting.garbled) return Loss::garbled;
  constexpr std::array losses{Loss::sectors, Loss::sectors, Loss::suffix, Loss::everything, Loss::nothing};
  return losses[chance() % losses.size()];
}

/// One log, some cuts. Ends early when something is wrong with it.
void live(Setting const& setting, std::int64_t cuts, std::mt19937_64& chance, std::string const& where, Tally& tally) {
  const TemporaryFolder folder{where};
  Machine machine("power-loss", setting.claims_powersafe);
  SqliteOptions options = setting.options;
  options.create = true, options.vfs = machine.vfs(), options.checkpoint_pages = int(10 + chance() % 100);
  const std::string path = folder / "trial.db";
  LogModel model(chance());

  for (std::int64_t cut = 0; cut < cuts; ++cut) {
    // While the power is on.
    std::optional<conduct::Act> unconfirmed;
    machine.cut_after(std::int64_t(1 + chance() % 400));
    while (!machine.off()) {
      auto opened = SqliteStore::open(path, options);
      if (!opened) {
        if (machine.off()) break;
        ++tally.stuck;
        if (tally.first.empty()) tally.first = to_string(opened.error());
        return;
      }
      store::SqliteStore& log = **opened;
      if (!log.take_lease()) break;
      for (std::uint64_t acts = 5 + chance() % 60; acts > 0; --acts) {
        const conduct::Act act = model.next();
        unconfirmed = act;
        const auto appended = log.append(model.last(), act);
        if (!appended) {
          if (machine.off()) break;
          ++tally.stuck;
          if (tally.first.empty()) tally.first = to_string(appended.error());
          return;
        }
        model.confirmed(act);
        unconfirmed.reset();
        ++tally.acts;
      }
    }  // the log is closed and opened again, with the power on or off
    ++tally.cuts;

    // And after.
    Expected<std::unique_ptr<SqliteStore>> opened = fail(Code::io, "not opened yet");
    for (bool again = true; again;) {
      machine.power_on(some_loss(setting, chance), chance);
      const bool once_more = chance() % 3 == 0;
      if (once_more) machine.cut_after(std::int64_t(1 + chance() % 12));
      opened = SqliteStore::open(path, options);
      again = machine.off();
      tally.in_recovery += again;
      if (again) opened = fail(Code::io, "the power went");  // closes it
    }
    machine.cut_after(1 << 30);
    Judgement judgement;
    if (!opened) judgement = {Verdict::corrupt, to_string(opened.error()), false};
    else judgement = model.judge(**opened, unconfirmed);
    if (judgement.verdict == Verdict::fine) {
      const auto health = (*opened)->doctor();
      if (!health) judgement = {Verdict::corrupt, to_string(health.error()), false};
      else if (health->integrity != "ok") judgement = {Verdict::corrupt, health->integrity, false};
    }
    if (judgement.verdict != Verdict::fine) {
      tally.lost += judgement.verdict == Verdict::lost, tally.half += judgement.verdict == Verdict::half;
      tally.corrupt += judgement.verdict == Verdict::corrupt;
      if (tally.first.empty()) tally.first = judgement.why;
      return;
    }
    if (judgement.last_arrived) model.confirmed(*unconfirmed);
    if (any_file_has(folder, model.destroyed_marks())) ++tally.texts_left;
    const auto goes_on = [&] {  // a log that was recovered can be written
      const conduct::Act act = model.next();
      if (!(*opened)->take_lease() || !(*opened)->append(model.last(), act)) return false;
      model.confirmed(act);
      return true;
    }();
    tally.stuck += !goes_on;
    if (!goes_on) return;
  }
}

int cut_power(std::int64_t cuts, std::uint64_t seed, std::string const& only, std::string const& where) {
  fmt::print("seed {}\n\n", seed);
  fmt::print(
      "| setting | cuts | more while opening | acts confirmed | logs that lost one | half an act | damaged | stuck | destroyed "
      "text left | as expected |\n");
  fmt::print("|---|---|---|---|---|---|---|---|---|---|\n");
  bool as_expected = true;
  for (Setting const& setting : settings()) {
    if (!only.empty() && setting.name != only) continue;
    std::mt19937_64 chance(seed);
    Tally tally;
    // What is to fail is seen in a few cuts; each failure ends its log.
    const std::int64_t wanted = setting.safe ? cuts : std::max<std::int64_t>(cuts / 5, 60);
    while (tally.cuts < wanted && (setting.safe ? tally.failures() == 0 : true))
      live(setting, std::min<std::int64_t>(10, wanted - tally.cuts), chance, where, tally);
    const bool fine = setting.safe ? tally.failures() == 0 && tally.texts_left == 0 : tally.failures() > 0;
    as_expected &= fine;
    fmt::print("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", setting.name, tally.cuts, tally.in_recovery, tally.acts,
               tally.lost, tally.half, tally.corrupt, tally.stuck, tally.texts_left,
               fine ? (setting.safe ? "safe" : "caught") : (setting.safe ? "NO: it failed" : "NO: it was not caught"));
    if (!fine && !tally.first.empty()) fmt::print("  {}\n", tally.first);
    std::fflush(stdout);
  }
  return as_expected ? 0 : 1;
}

// ---- The n-th operation fails, for every n
// ---------------------------------------------------------------------------------------

struct FaultTally {
  std::int64_t runs = 0, reported = 0, harmless = 0, wrong = 0;
  std::string first{};
};

/// A short run: open, a lease, a document, some acts with a redaction and a checkpoint, a backup, close. `injected` runs before
/// it. Returns what is wrong, or nothing.
std::optional<std::string> short_run(Machine& machine, SqliteOptions options, std::string const& where, std::uint64_t seed,
                                     std::function<void()> const& inject, bool cut_afterwards, bool& reported) {
  const TemporaryFolder folder{where};
  const std::string path = folder / "trial.db";
  LogModel model(seed);
  options.create = true, options.vfs = machine.vfs(), options.checkpoint_pages = 20;
  { (void)SqliteStore::open(path, options).value()->take_lease().value(); }
  inject();
  std::optional<conduct::Act> unconfirmed;
  bool document = false, backed_up = false;
  const auto run = [&]() -> std::optional<std::string> {
    auto opened = SqliteStore::open(path, options);
    if (!opened) {
      reported = true;
      return std::nullopt;
    }
    store::SqliteStore& log = **opened;
    if (!log.take_lease()) reported = true;
    document = log.put({sha256("protocol"), "protocol"}).has_value();
    for (int i = 0; i < 14; ++i) {
      const conduct::Act act = model.next();
      const auto appended = log.append(model.last(), act);
      if (appended) {
        if (reported) return "an act was confirmed after an error";
        model.confirmed(act);
        continue;
      }
      if (appended.error().code != Code::io) return "an error of the disk was given as " + to_string(appended.error());
      if (!reported) unconfirmed = act;
      reported = true;
    }
    if (reported) {
      if (log.append(model.last(), model.next()) || log.done("x") || log.text("x") || log.document("x") || log.take_lease() ||
          log.checkpoint() || log.doctor() || log.read(0, [](auto const&) { return true; }) || log.backup(folder / "late"))
        if (log.last() > 0) return "the store went on after an error";
    } else {
      backed_up = log.backup(folder / "backup").has_value();
      if (!backed_up) {
        reported = true;
        const conduct::Act act =
            model.next();  // a backup that fails is none of the log's business, unless the log's own disk failed
        if (log.append(model.last(), act)) model.confirmed(act);
        else unconfirmed = act;
      }
    }
    return std::nullopt;
  };
  if (auto wrong = run()) return wrong;
  std::mt19937_64 chance(seed);
  if (cut_afterwards) machine.power_on(Loss::sectors, chance);
  machine.repair();

  auto opened = SqliteStore::open(path, options);
  if (!opened) return "it cannot be opened again: " + to_string(opened.error());
  const Judgement judgement = model.judge(**opened, unconfirmed);
  if (judgement.verdict != Verdict::fine) return judgement.why;
  if (document && !(*opened)->document(sha256("protocol")).value().has_value()) return "a document that was confirmed is missing";
  if ((*opened)->doctor().value().integrity != "ok") return "the file is damaged";
  if (judgement.last_arrived) model.confirmed(*unconfirmed);
  if (!(*opened)->take_lease() || !(*opened)->append(model.last(), model.next())) return "it cannot be written again";
  if (backed_up != std::filesystem::exists(folder / "backup"))
    return "there is a backup that failed, or one that succeeded is missing";
  if (backed_up) {
    if (auto restored = store::restore(folder / "backup", folder / "restored"); !restored)
      return "the backup is not whole: " + to_string(restored.error());
  }
  if (std::filesystem::exists(folder / "backup.incomplete")) return "half a backup was left";
  return std::nullopt;
}

int fail_everywhere(std::uint64_t seed, std::string const& where) {
  const std::pair<char const*, SqliteOptions> kinds_of_log[] = {{"WAL, FULL", {}},
                                                                {"rollback, EXTRA", {.journal = Journal::rollback}}};
  const std::tuple<char const*, FaultKind, bool, bool> kinds_of_fault[] = {
      {"an I/O error", FaultKind::io_error, false, false},
      {"I/O errors from then on", FaultKind::io_error, true, false},
      {"the disk full from then on", FaultKind::disk_full, true, false},
      {"a sync that fails", FaultKind::failing_sync, false, false},
      {"a sync that fails, then a power cut", FaultKind::failing_sync, false, true},
      {"syncs that fail from then on, then a power cut", FaultKind::failing_sync, true, true},
  };
  fmt::print(
      "seed {}\n\n| log | fault | operations, each failing in a run of its own | reported | not needed | wrong "
      "|\n|---|---|---|---|---|---|\n",
      seed);
  bool fine = true;
  for (auto const& [log, options] : kinds_of_log)
    for (auto const& [fault, kind, lasts, cut_afterwards] : kinds_of_fault) {
      FaultTally tally;
      for (std::int64_t n = 1;; ++n) {
        Machine machine("faults");
        bool reported = false;
        const auto wrong = short_run(
            machine, options, where, seed, [&, kind = kind, lasts = lasts] { machine.fail_after(kind, n, lasts); },
            cut_afterwards, reported);
        if (machine.failures() == 0) break;  // the run has fewer operations
        ++tally.runs;
        (wrong ? tally.wrong : reported ? tally.reported : tally.harmless) += 1;
        if (wrong && tally.first.empty()) tally.first = fmt::format("operation {}: {}", n, *wrong);
      }
      fine &= tally.wrong == 0 && tally.reported > 0;
      fmt::print("| {} | {} | {} | {} | {} | {} |\n", log, fault, tally.runs, tally.reported, tally.harmless, tally.wrong);
      if (!tally.first.empty()) fmt::print("  {}\n", tally.first);
      std::fflush(stdout);
    }
  return fine ? 0 : 1;
}

}  // namespace
}  // namespace equipoise::faults

int main(int count, char** words) {
  using namespace equipoise::faults;
  std::int64_t cuts = 1000;
  std::uint64_t seed = 20261128;
  std::string only, where = equipoise::store::testing::place_for_tests().string();
  bool faults = false;
  const auto usage = [] {
    fmt::print(stderr,
               "usage: power_loss [--cuts N] [--seed S] [--setting WORDS] [--folder PATH] | power_loss --faults [--seed S] "
               "[--folder PATH]\n");
    return 2;
  };
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (word == "--faults") {
      faults = true;
      continue;
    }
    if (i + 1 == count) return usage();
    char const* const value = words[++i];
    if (word == "--cuts") cuts = std::atoll(value);
    else if (word == "--seed") seed = std::strtoull(value, nullptr, 10);
    else if (word == "--setting") only = value;
    else if (word == "--folder") where = value;
    else return usage();
  }
  if (cuts < 1) return usage();
  return faults ? fail_everywhere(seed, where) : cut_power(cuts, seed, only, where);
}
