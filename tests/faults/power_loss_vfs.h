#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>

/// A machine whose power can be cut and whose disk can fail, as a file layer (VFS) of SQLite over the real one. What a program
/// reads is what it wrote, as from the page cache; beside each file the machine keeps what would be there had nothing been
/// written since the last sync, sector by sector, and which names in the folder are new or gone since the folder was synced.
/// After a cut those are put back, all of them or a part.
///
/// Syncs do not reach the real disk: the machine alone decides what is durable, so a thousand cuts take seconds.
namespace equipoise::faults {

/// What a cut does to the writes that were not synced; drawn for each file by itself, so writes of different files are lost in
/// any order.
enum class Loss {
  nothing,     ///< they all reached the disk
  everything,  ///< none did
  suffix,      ///< the first ones did, in order
  sectors,     ///< any 512-byte sectors did
  garbled,     ///< of any 4096-byte sectors nothing, or random bytes, also over their neighbours that were synced before
};

enum class FaultKind { io_error, disk_full, failing_sync };

class Machine {
 public:
  /// Registers the VFS `name`. `claims_powersafe`: tells SQLite that a write leaves the other bytes of its sector alone, whatever
  /// the log asked for.
  explicit Machine(std::string name, bool claims_powersafe = false);
  ~Machine();
  Machine(Machine const&) = delete;
  Machine& operator=(Machine const&) = delete;

  std::string const& vfs() const;

  /// Changes so far: writes, truncations, syncs, files made and removed.
  std::int64_t changes() const;
  /// Cuts the power at the `count`-th change from now (1: the next). That change is not synced, and nothing works afterwards.
  void cut_after(std::int64_t count);
  bool off() const;
  /// Puts the disk into a state that the cut may have left, and switches on; all files must be closed. Without a cut before, this
  /// is one now. Takes back what was armed.
  void power_on(Loss loss, std::mt19937_64& chance);

  /// Operations so far that a fault of this kind could have hit: any (io_error), writes (disk_full), syncs (failing_sync).
  std::int64_t operations(FaultKind kind) const;
  /// Lets the `count`-th such operation from now fail, and when it `lasts` all later ones too. Of a write that fails, half
  /// arrives. What a failing sync should have brought to the disk is lost, also when a later sync succeeds, unless it is written
  /// again: this is how Linux does it.
  void fail_after(FaultKind kind, std::int64_t count, bool lasts);
  /// How often the fault hit.
  std::int64_t failures() const;
  void repair();

  struct Disk;

 private:
  std::unique_ptr<Disk> disk_;
};

}  // namespace equipoise::faults
