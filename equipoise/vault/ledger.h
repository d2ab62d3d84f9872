#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "equipoise/core/clock.h"
#include "equipoise/core/descriptor.h"
#include "equipoise/core/expected.h"
#include "equipoise/vault/memory.h"

namespace equipoise::vault {

/// Something that showed an arm, or that is known only by who knows arms.
struct LedgerEntry {
  std::string kind{};  ///< "opening", "reveal", "envelopes", "dose", "kits", "labels", "preparation", "preparations"
  Instant at{};
  std::string act{};   ///< digest of the event that gave the right to it; empty when none is needed
  std::string id{};    ///< of what, in words of its kind
  std::string text{};  ///< the rest
  static void fields(auto& self, auto&& f) {
    f("kind", self.kind), f("at", self.at), f("act", self.act), f("id", self.id), f("text", self.text);
  }
  friend bool operator==(LedgerEntry const&, LedgerEntry const&) = default;
};

/// The vault's own log: sealed records of one length in a file to which only is added. What an act opens is written here, and on
/// the disk, before it is answered.
///
///     head     "equipoise ledger", format 1 (4 bytes), bytes of a record (4), random id (32), zeros (8)       64 bytes
///     record   nonce (24), XChaCha20-Poly1305 of: length (8), entry, zeros to 4096                          4136 bytes
///              authenticated beside it: head, number of the record from 1 (8), digest of the records before
///     digest   of nothing: zeros; of n records: SHA-256(digest of n - 1, record n)
///
/// A record that is cut off at the end was never answered to: it is dropped and reported. One that has its length and does not
/// open is refused, since nobody can tell a torn write from a forgery.
class Ledger {
 public:
  static constexpr std::size_t longest_entry = 4096 - 8;

  /// Opens the file, or makes it (mode 0600). It is locked against another process.
  /// cut_last  drops a last record that does not open: for an administrator who knows that the machine lost power
  /// errors    io; conflict (another process has it); syntax (no ledger, a newer one); refused (of another vault, or changed)
  static Expected<Ledger> open(std::filesystem::path const& path, SecretBytes const& seed, Chance& chance, bool cut_last = false);
  /// One that lasts as long as the process: for simulated trials.
  static Ledger in_memory();

  /// errors  out_of_range (longer than a record); io: from then on it refuses everything, as nobody knows what the disk holds
  Expected<void> append(LedgerEntry const& entry);

  std::vector<LedgerEntry> const& entries() const { return entries_; }
  /// How many records, and their digest: for a log elsewhere that outlives this file.
  std::size_t size() const { return entries_.size(); }
  std::string digest() const { return hex(digest_); }
  /// What was found and mended when it was opened; empty: nothing.
  std::string const& notice() const { return notice_; }

 private:
  Ledger() = default;
  Expected<void> begin();
  Expected<void> read(bool cut_last);
  std::string seal(std::string const& entry) const;
  std::string beside(std::size_t number) const;

  std::filesystem::path path_;
  Descriptor file_;  ///< none: in memory
  std::unique_ptr<DerivedKey> key_;
  Chance* chance_ = nullptr;
  std::string head_;
  std::vector<LedgerEntry> entries_;
  Key32 digest_{};
  std::string notice_;
  bool broken_ = false;
};

}  // namespace equipoise::vault
