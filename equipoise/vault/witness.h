#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "equipoise/core/descriptor.h"
#include "equipoise/core/expected.h"

namespace equipoise::vault {

/// What the witness makes of a log.
enum class Standing {
  fine,         ///< the log holds all that was confirmed
  absent,       ///< no witness has seen a log yet: a new trial, or a copy on another machine
  behind,       ///< the log ends before what was confirmed: an old copy was restored
  another_log,  ///< what was confirmed stands in the log with another digest
};

/// The head of the log in a place that no backup holds, so that a restored copy is known for one. Before a commit `intend`, after
/// it `confirm`; a log that lacks what was confirmed is not the one that was written to last.
///
/// Two slots are written in turn, each with a digest of its own, so that a crash in the middle leaves the other. Nothing is
/// flushed: a commit must not wait for two disks. A power cut can therefore set the witness back, never ahead, and it then knows
/// less; a killed process sets it back nowhere.
///
/// The log is known by its last sequence (0: empty) and the digests of its events.
class Witness {
 public:
  /// Makes the file (mode 0600) if there is none.
  /// errors  io
  static Expected<Witness> open(std::filesystem::path const& path);

  struct Head {
    std::int64_t sequence = 0;
    std::string digest{};
    static void fields(auto& self, auto&& f) { f("sequence", self.sequence), f("digest", self.digest); }
    friend bool operator==(Head const&, Head const&) = default;
  };

  Expected<void> intend(std::int64_t sequence, std::string const& digest);
  Expected<void> confirm(std::int64_t sequence, std::string const& digest);

  /// Judges a log by its last sequence and the digest of any of its events (1 to last).
  Standing judge(std::int64_t last, std::function<std::string(std::int64_t)> const& digest_of) const;
  /// The same in words, empty when all is fine.
  std::string sentence(Standing standing, std::int64_t last) const;

  Head const& confirmed() const { return seen_.confirmed; }
  Head const& intended() const { return seen_.intended; }

 private:
  struct Seen {
    std::int64_t written = 0;  ///< how often
    Head intended{}, confirmed{};
    static void fields(auto& self, auto&& f) {
      f("written", self.written), f("intended", self.intended), f("confirmed", self.confirmed);
    }
  };
  Witness(std::filesystem::path path, Descriptor file) : path_(std::move(path)), file_(std::move(file)) {}
  Expected<void> write();

  std::filesystem::path path_;
  Descriptor file_;
  Seen seen_;
};

}  // namespace equipoise::vault
