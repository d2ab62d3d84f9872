// What an act costs on a real disk: against a bare write and fdatasync of as many bytes on the same file system, in turns.
//
//     sqlite_bench [FOLDER [ACTS [EVENTS]]]    default: the folder it is started in, 4000 acts, 1000000 events to read

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "equipoise/core/digest.h"
#include "equipoise/store/memory.h"
#include "equipoise/store/sqlite.h"
#include "equipoise/store/temporary_folder.h"

namespace {

using namespace equipoise;
using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

double quantile(std::vector<double> values, double p) {
  std::ranges::sort(values);
  return values[std::min(values.size() - 1, std::size_t(p * double(values.size())))];
}

/// An allocation as a trial has it: one event of 600 bytes, its key, two things that happen once.
conduct::Act allocation(conduct::Sequence after, std::uint64_t number) {
  std::string bytes = fmt::format("{{\"sequence\":{},\"number\":{},\"rest\":\"{}\"}}", after + 1, number, std::string(540, 'x'));
  std::string digest = sha256(bytes);
  return {.key = sha256(fmt::format("key {}", number)),
          .request = sha256(fmt::format("request {}", number)),
          .events = {{after + 1, std::move(bytes), std::move(digest)}},
          .texts = {},
          .once = {{"allocation", fmt::format("trial/{}", number)}, {"randomised", fmt::format("s{}-{:04}", number % 6, number)}},
          .destroyed = {}};
}

/// A write and a sync, nothing else. `in_place`: the file has its size already, so the sync need not write the file system's
/// journal.
class Bare {
 public:
  Bare(std::string const& path, std::size_t size, bool in_place) : bytes_(size, 'b'), in_place_(in_place) {
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    const std::vector<char> zeros(limit, '\0');
    if (descriptor_ < 0 || (in_place && ::pwrite(descriptor_, zeros.data(), zeros.size(), 0) != ssize_t(zeros.size())) ||
        ::fsync(descriptor_) != 0)
      throw std::runtime_error("no file to write");
  }
  ~Bare() { ::close(descriptor_); }
  double operator()() {
    const auto start = Clock::now();
    if (::pwrite(descriptor_, bytes_.data(), bytes_.size(), offset_) != ssize_t(bytes_.size()) || ::fdatasync(descriptor_) != 0)
      throw std::runtime_error("the disk failed");
    const double took = microseconds_since(start);
    offset_ += off_t(bytes_.size());
    if (in_place_ && offset_ + off_t(bytes_.size()) > off_t(limit)) offset_ = 0;
    return took;
  }

 private:
  static constexpr std::size_t limit = 4 << 20;  // as long as a write-ahead log gets
  std::vector<char> bytes_;
  bool in_place_;
  int descriptor_;
  off_t offset_ = 0;
};

void append(conduct::EventStore& log, std::uint64_t number) {
  if (auto done = log.append(log.last(), allocation(log.last(), number)); !done)
    throw std::runtime_error(to_string(done.error()));
}

std::unique_ptr<store::SqliteStore> open(std::string const& path, store::SqliteOptions options = {}) {
  options.create = true;
  auto opened = store::SqliteStore::open(path, options);
  if (!opened) throw std::runtime_error(to_string(opened.error()));
  return std::move(*opened);
}

void row(std::string_view what, std::vector<double> const& times, double base) {
  double sum = 0;
  for (const double time : times) sum += time;
  fmt::print("| {} | {:.0f} | {:.0f} | {:.0f} | {:.2f} | {:.0f} |\n", what, quantile(times, 0.5), quantile(times, 0.99),
             quantile(times, 0.999), quantile(times, 0.5) / base, 1e6 * double(times.size()) / sum);
}

void latency(std::string const& where, int acts) {
  const store::testing::TemporaryFolder folder{where};
  const auto wal = open(folder / "wal.db");
  const auto rollback = open(folder / "rollback.db", {.journal = store::Journal::rollback});
  for (int i = 0; i < 1200; ++i) append(*wal, std::uint64_t(i));  // until its write-ahead log is as long as it gets
  // What an act writes: pages of the database in the frames of the write-ahead log.
  const auto log_bytes = [&] { return std::int64_t(std::filesystem::file_size(folder / "wal.db-wal")); };
  std::size_t written = 0;
  {
    const auto fresh = open(folder / "size.db", {.checkpoint_pages = 1 << 20});
    for (int i = 0; i < 200; ++i) append(*fresh, std::uint64_t(i));
    const auto before = std::filesystem::file_size(folder / "size.db-wal");
    for (int i = 200; i < 700; ++i) append(*fresh, std::uint64_t(i));
    written = (std::filesystem::file_size(folder / "size.db-wal") - before) / 500;
  }
  const std::size_t content = 600 + 64 + 3 * 64 + 40;
  Bare same(folder / "same", written, true), small(folder / "small", content, true), growing(folder / "growing", written, false);
  std::vector<double> t_wal, t_rollback, t_same, t_small, t_growing;
  constexpr int turn = 100;
  for (int done = 0; done < acts; done += turn) {
    for (int i = 0; i < turn; ++i) t_same.push_back(same());
    for (int i = 0; i < turn; ++i) {
      const auto start = Clock::now();
      append(*wal, std::uint64_t(1200 + done + i));
      t_wal.push_back(microseconds_since(start));
    }
    for (int i = 0; i < turn; ++i) t_small.push_back(small());
    for (int i = 0; i < turn; ++i) t_growing.push_back(growing());
    for (int i = 0; i < turn / 4; ++i) {
      const auto start = Clock::now();
      append(*rollback, std::uint64_t(done + i));
      t_rollback.push_back(microseconds_since(start));
    }
  }
  const double base = quantile(t_same, 0.5);
  fmt::print("An act of one event, {} bytes of content, {} bytes in the write-ahead log (which is {} KiB long).\n\n", content,
             written, log_bytes() / 1024);
  fmt::print("| what | p50 us | p99 us | p99.9 us | p50 over the bare one | a second |\n|---|---|---|---|---|---|\n");
  row(fmt::format("bare write of {} bytes in place, fdatasync", written), t_same, base);
  row(fmt::format("bare write of {} bytes in place, fdatasync", content), t_small, base);
  row(fmt::format("bare write of {} bytes at the end, fdatasync", written), t_growing, base);
  row("append, WAL FULL", t_wal, base);
  row("append, rollback EXTRA", t_rollback, base);

  // The same without a disk: what is ours.
  const store::testing::TemporaryFolder memory;
  const auto quick = open(memory / "wal.db");
  std::vector<double> t_quick;
  for (int i = 0; i < 2000; ++i) {
    const auto start = Clock::now();
    append(*quick, std::uint64_t(i));
    t_quick.push_back(microseconds_since(start));
  }
  row("append, WAL FULL, on a file system in memory", t_quick, base);
}

void long_log(std::string const& where, int events) {
  const store::testing::TemporaryFolder folder{where};
  const auto seconds = [](Clock::time_point start) { return microseconds_since(start) / 1e6; };
  {
    const auto log = open(folder / "trial.db");
    for (int done = 0; done < events;) {
      conduct::Act act = allocation(done, std::uint64_t(done));
      for (int i = 1; i < 1000 && done + i < events; ++i)
        act.events.push_back(allocation(done + i, std::uint64_t(done + i)).events.front());
      done += int(act.events.size());
      if (!log->append(log->last(), act)) throw std::runtime_error("append failed");
    }
  }
  auto start = Clock::now();
  const auto log = open(folder / "trial.db");
  fmt::print("\n{} events, {} MiB: opened (quick_check and all) in {:.2f} s", events,
             std::filesystem::file_size(folder / "trial.db") >> 20, seconds(start));
  start = Clock::now();
  std::int64_t bytes = 0;
  if (!log->read(0, [&](conduct::StoredEvent const& event) { return bytes += std::int64_t(event.bytes.size()), true; }))
    throw std::runtime_error("read failed");
  fmt::print(", read in {:.2f} s ({} MB)", seconds(start), bytes / 1'000'000);
  start = Clock::now();
  if (!log->doctor()) throw std::runtime_error("no report");
  fmt::print(", examined in {:.2f} s", seconds(start));
  std::atomic<bool> busy = true;
  std::vector<double> during;
  std::jthread writer([&] {
    for (std::uint64_t i = 0; busy; ++i) {
      const auto began = Clock::now();
      append(*log, 10'000'000 + i);
      during.push_back(microseconds_since(began));
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  });
  start = Clock::now();
  if (auto made = log->backup(folder / "backup"); !made) throw std::runtime_error(to_string(made.error()));
  const double took = seconds(start);
  busy = false;
  writer.join();
  fmt::print(", backed up in {:.2f} s, while an act took {:.0f} us (p50), {:.0f} (p99), {:.0f} at most", took,
             quantile(during, 0.5), quantile(during, 0.99), quantile(during, 1));
  start = Clock::now();
  if (auto made = store::restore(folder / "backup", folder / "restored.db"); !made)
    throw std::runtime_error(to_string(made.error()));
  fmt::print(", restored and verified in {:.2f} s.\n", seconds(start));
}

}  // namespace

int main(int count, char** words) {
  const std::string where = count > 1 ? words[1] : ".";
  latency(where, count > 2 ? std::atoi(words[2]) : 4000);
  long_log(where, count > 3 ? std::atoi(words[3]) : 1'000'000);
}
