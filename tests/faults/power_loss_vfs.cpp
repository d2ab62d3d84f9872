#include "tests/faults/power_loss_vfs.h"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace equipoise::faults {
namespace {

constexpr std::int64_t sector = 512, physical = 4096;

std::string contents(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

struct Change {
  std::int64_t offset = 0;
  std::optional<std::string> bytes{};  ///< nothing: the file was cut to `offset`
};

/// A file's difference from what is durable.
struct File {
  std::int64_t durable_size = 0;
  std::map<std::int64_t, std::string> before{};  ///< durable content of the sectors that were written since, by number
  std::set<std::int64_t> doomed{};               ///< those of them that a failing sync has lost
  std::vector<Change> changes{};                 ///< since the last sync, in order
};

/// A name that is new in the folder, or gone from it, since the folder was synced.
struct Entry {
  std::string path;
  bool made = false;
  std::string content{};  ///< of what is gone
  File file{};
};

}  // namespace

struct Machine::Disk {
  std::string name;
  bool claims_powersafe = false;
  sqlite3_vfs vfs{};
  sqlite3_vfs* real = nullptr;
  std::recursive_mutex lock;
  std::map<std::string, File> files;
  std::vector<Entry> entries;
  bool off = false;
  std::int64_t changes = 0, cut_at = -1;
  std::array<std::int64_t, 3> operations{}, fail_at{-1, -1, -1};
  std::array<bool, 3> lasts{};
  std::int64_t failures = 0;

  /// Whether this operation fails, and how.
  bool fails(FaultKind kind) {
    const auto k = std::size_t(kind);
    const std::int64_t number = ++operations[k];
    const bool hit = fail_at[k] >= 0 && (number == fail_at[k] || (lasts[k] && number > fail_at[k]));
    failures += hit;
    return hit;
  }
  /// Counts a change; true when the power goes with it.
  bool cut() {
    if (++changes == cut_at) off = true;
    return off;
  }
  void folder_synced() { entries.clear(); }
  void apply(Loss loss, std::string const& path, File const& file, std::mt19937_64& chance);
  void power_on(Loss loss, std::mt19937_64& chance);
};

namespace {

/// SQLite's file object: ours, and behind it the real one.
struct Handle {
  sqlite3_file base;
  Machine::Disk* disk;
  std::string* path;  ///< null: a file without a name, which no cut concerns
  bool folder_too;    ///< the first sync of a new journal also syncs the folder, as SQLite's own file layer does
};

Handle& ours(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file); }
sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<sqlite3_file*>(reinterpret_cast<Handle*>(file) + 1); }
Machine::Disk& disk_of(sqlite3_vfs* vfs) { return *static_cast<Machine::Disk*>(vfs->pAppData); }

std::int64_t size_of(sqlite3_file* file) {
  sqlite3_int64 size = 0;
  real(file)->pMethods->xFileSize(real(file), &size);
  return size;
}

/// Keeps the durable content of the sectors from `from` to `to` before they change.
void keep(sqlite3_file* file, File& state, std::int64_t from, std::int64_t to) {
  for (std::int64_t number = from / sector; number * sector < to; ++number) {
    state.doomed.erase(number);  // written again: the next sync takes it along
    if (state.before.contains(number)) continue;
    std::string bytes(sector, '\0');
    real(file)->pMethods->xRead(real(file), bytes.data(), sector, number * sector);  // what is beyond the end reads as zeros
    state.before.emplace(number, std::move(bytes));
  }
}

int close(sqlite3_file* file) {
  Handle& handle = ours(file);
  const int code = real(file)->pMethods ? real(file)->pMethods->xClose(real(file)) : SQLITE_OK;
  delete handle.path;
  handle.path = nullptr;
  return code;
}

int read(sqlite3_file* file, void* into, int count, sqlite3_int64 offset) {
  Machine::Disk& disk = *ours(file).disk;
  const std::scoped_lock lock(disk.lock);
  if (disk.off || disk.fails(FaultKind::io_error)) return SQLITE_IOERR_READ;
  return real(file)->pMethods->xRead(real(file), into, count, offset);
}

int write(sqlite3_file* file, void const* from, int count, sqlite3_int64 offset) {
  Handle& handle = ours(file);
  Machine::Disk& disk = *handle.disk;
  const std::scoped_lock lock(disk.lock);
  if (disk.off) return SQLITE_IOERR_WRITE;
  const bool error = disk.fails(FaultKind::io_error), full = disk.fails(FaultKind::disk_full);
  if (error || full) count /= 2;
  if (handle.path) {
    File& state = disk.files[*handle.path];
    keep(file, state, offset, offset + count);
    state.changes.push_back({offset, std::string(static_cast<char const*>(from), std::size_t(count))});
  }
  const int code = count == 0 ? SQLITE_OK : real(file)->pMethods->xWrite(real(file), from, count, offset);
  if (handle.path && disk.cut()) return SQLITE_IOERR_WRITE;
  return full ? SQLITE_FULL : error ? SQLITE_IOERR_WRITE : code;
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  Handle& handle = ours(file);
  Machine::Disk& disk = *handle.disk;
  const std::scoped_lock lock(disk.lock);
  if (disk.off || disk.fails(FaultKind::io_error)) return SQLITE_IOERR_TRUNCATE;
  if (handle.path) {
    File& state = disk.files[*handle.path];
    keep(file, state, size, std::max<std::int64_t>(size_of(file), size));
    state.changes.push_back({size, std::nullopt});
  }
  const int code = real(file)->pMethods->xTruncate(real(file), size);
  return handle.path && disk.cut() ? SQLITE_IOERR_TRUNCATE : code;
}

int sync(sqlite3_file* file, int) {
  Handle& handle = ours(file);
  Machine::Disk& disk = *handle.disk;
  const std::scoped_lock lock(disk.lock);
  if (disk.off) return SQLITE_IOERR_FSYNC;
  if (!handle.path) return SQLITE_OK;
  if (disk.cut()) return SQLITE_IOERR_FSYNC;
  File& state = disk.files[*handle.path];
  const bool error = disk.fails(FaultKind::io_error), failing = disk.fails(FaultKind::failing_sync);
  if (error || failing) {
    for (auto const& [number, bytes] : state.before) state.doomed.insert(number);
    state.changes.clear();
    return SQLITE_IOERR_FSYNC;
  }
  std::erase_if(state.before, [&](auto const& kept) { return !state.doomed.contains(kept.first); });
  state.changes.clear();
  state.durable_size = size_of(file);
  if (handle.folder_too) disk.folder_synced();
  handle.folder_too = false;
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  if (ours(file).disk->off) return SQLITE_IOERR_FSTAT;
  return real(file)->pMethods->xFileSize(real(file), size);
}
int take_lock(sqlite3_file* file, int level) { return real(file)->pMethods->xLock(real(file), level); }
int unlock(sqlite3_file* file, int level) { return real(file)->pMethods->xUnlock(real(file), level); }
int check_lock(sqlite3_file* file, int* held) { return real(file)->pMethods->xCheckReservedLock(real(file), held); }
int control(sqlite3_file* file, int what, void* argument) {
  return real(file)->pMethods->xFileControl(real(file), what, argument);
}
int sector_size(sqlite3_file* file) { return real(file)->pMethods->xSectorSize(real(file)); }
int characteristics(sqlite3_file* file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file)) |
         (ours(file).disk->claims_powersafe ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0);
}
int shm_map(sqlite3_file* file, int region, int size, int extend, void volatile** into) {
  return real(file)->pMethods->xShmMap(real(file), region, size, extend, into);
}
int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}
void shm_barrier(sqlite3_file* file) { real(file)->pMethods->xShmBarrier(real(file)); }
int shm_unmap(sqlite3_file* file, int remove) { return real(file)->pMethods->xShmUnmap(real(file), remove); }

constexpr sqlite3_io_methods methods{
    2,           close,           read,    write,    truncate,    sync,      file_size, take_lock, unlock, check_lock, control,
    sector_size, characteristics, shm_map, shm_lock, shm_barrier, shm_unmap, nullptr,   nullptr};

int open(sqlite3_vfs* vfs, char const* name, sqlite3_file* file, int flags, int* flags_out) {
  Machine::Disk& disk = disk_of(vfs);
  const std::scoped_lock lock(disk.lock);
  Handle& handle = *new (file) Handle{};
  if (disk.off || disk.fails(FaultKind::io_error)) return SQLITE_CANTOPEN;
  const bool made = name != nullptr && ::access(name, F_OK) != 0;
  std::memset(static_cast<void*>(real(file)), 0, std::size_t(disk.real->szOsFile));
  const int code = disk.real->xOpen(disk.real, name, real(file), flags, flags_out);
  if (code != SQLITE_OK) return code;
  handle.base.pMethods = &methods, handle.disk = &disk;
  if (name == nullptr || (flags & SQLITE_OPEN_DELETEONCLOSE) != 0) return SQLITE_OK;
  handle.path = new std::string(name);
  if (made) {
    handle.folder_too = (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL)) != 0;
    disk.files[name] = {};
    disk.entries.push_back({.path = name, .made = true});
    if (disk.cut()) {
      close(file);
      handle.base.pMethods = nullptr;
      return SQLITE_CANTOPEN;
    }
  } else if (!disk.files.contains(name)) {
    disk.files[name].durable_size = size_of(file);
  }
  return SQLITE_OK;
}

int remove(sqlite3_vfs* vfs, char const* name, int folder_too) {
  Machine::Disk& disk = disk_of(vfs);
  const std::scoped_lock lock(disk.lock);
  if (disk.off || disk.fails(FaultKind::io_error)) return SQLITE_IOERR_DELETE;
  if (::access(name, F_OK) != 0) return SQLITE_IOERR_DELETE_NOENT;
  Entry entry{.path = name, .content = contents(name), .file = disk.files[name]};
  const int code = disk.real->xDelete(disk.real, name, 0);
  if (code != SQLITE_OK) return code;
  disk.files.erase(name);
  disk.entries.push_back(std::move(entry));
  if (disk.cut()) return SQLITE_IOERR_DELETE;
  if (folder_too) disk.folder_synced();
  return SQLITE_OK;
}

int access(sqlite3_vfs* vfs, char const* name, int flags, int* out) {
  Machine::Disk& disk = disk_of(vfs);
  return disk.off ? SQLITE_IOERR_ACCESS : disk.real->xAccess(disk.real, name, flags, out);
}
int full_path(sqlite3_vfs* vfs, char const* name, int size, char* out) {
  return disk_of(vfs).real->xFullPathname(disk_of(vfs).real, name, size, out);
}
int randomness(sqlite3_vfs* vfs, int size, char* out) { return disk_of(vfs).real->xRandomness(disk_of(vfs).real, size, out); }
int pause(sqlite3_vfs* vfs, int microseconds) { return disk_of(vfs).real->xSleep(disk_of(vfs).real, microseconds); }
int now(sqlite3_vfs* vfs, double* out) { return disk_of(vfs).real->xCurrentTime(disk_of(vfs).real, out); }
int last_error(sqlite3_vfs* vfs, int size, char* out) { return disk_of(vfs).real->xGetLastError(disk_of(vfs).real, size, out); }

bool coin(std::mt19937_64& chance) { return (chance() & 1) != 0; }

}  // namespace

/// Gives the file a state in which the cut may have left it.
void Machine::Disk::apply(Loss loss, std::string const& path, File const& file, std::mt19937_64& chance) {
  if (file.before.empty() && file.changes.empty()) return;
  if (::access(path.c_str(), F_OK) != 0) return;  // moved or removed past this layer
  std::string bytes = contents(path);
  const auto now_size = std::int64_t(bytes.size());
  const auto put = [&](std::int64_t offset, std::string_view what) {
    if (std::int64_t(bytes.size()) < offset + std::int64_t(what.size())) bytes.resize(std::size_t(offset) + what.size(), '\0');
    bytes.replace(std::size_t(offset), what.size(), what);
  };
  const auto restore = [&](auto const& kept) { put(kept.first * sector, kept.second); };
  const auto restore_all = [&] {
    for (auto const& kept : file.before) restore(kept);
    bytes.resize(std::size_t(file.durable_size), '\0');
  };
  std::int64_t size = now_size;
  switch (loss) {
    case Loss::nothing:
      break;
    case Loss::everything:
      restore_all();
      size = file.durable_size;
      break;
    case Loss::suffix: {
      restore_all();
      const std::size_t arrived = chance() % (file.changes.size() + 1);
      for (std::size_t i = 0; i < arrived; ++i)
        if (file.changes[i].bytes) put(file.changes[i].offset, *file.changes[i].bytes);
        else bytes.resize(std::size_t(file.changes[i].offset), '\0');
      size = std::int64_t(bytes.size());
      break;
    }
    case Loss::sectors:
    case Loss::garbled: {
      // A shorter file is a change of the folder's kind: it happened or it did not.
      const bool longer_again = now_size < file.durable_size && coin(chance);
      std::int64_t end = longer_again ? file.durable_size : std::min(now_size, file.durable_size);
      std::map<std::int64_t, int> fates;  // of physical sectors: 0 arrived, 1 lost, 2 garbled
      for (auto const& kept : file.before) {
        const bool cut_off = kept.first * sector >= now_size;
        if (cut_off) {
          if (longer_again) restore(kept);
          continue;
        }
        int fate = loss == Loss::sectors ? int(chance() % 2) : 0;
        if (loss == Loss::garbled) fate = fates.try_emplace(kept.first * sector / physical, int(chance() % 3)).first->second;
        if (fate == 1) restore(kept);
        else end = std::max(end, std::min(now_size, (kept.first + 1) * sector));
      }
      for (auto const& [number, fate] : fates)
        if (fate == 2)
          for (std::int64_t at = number * physical;
               at < std::min<std::int64_t>((number + 1) * physical, std::int64_t(bytes.size())); ++at)
            bytes[std::size_t(at)] = char(chance());
      size = coin(chance) ? std::max(end, longer_again ? file.durable_size : now_size) : end;
      break;
    }
  }
  bytes.resize(std::size_t(size), '\0');
  for (auto const& kept : file.before)  // gone, whatever else arrived
    if (file.doomed.contains(kept.first) && kept.first * sector < size) {
      restore(kept);
      bytes.resize(std::size_t(size));
    }
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

void Machine::Disk::power_on(Loss loss, std::mt19937_64& chance) {
  const std::scoped_lock guard(lock);
  // Names first: of the changes of the folder the first ones have arrived, the others are taken back, the last one first.
  std::size_t arrived = entries.size();
  if (loss == Loss::everything) arrived = 0;
  else if (loss != Loss::nothing) arrived = chance() % (entries.size() + 1);
  for (; entries.size() > arrived; entries.pop_back()) {
    Entry const& entry = entries.back();
    if (entry.made) {
      ::unlink(entry.path.c_str());
      files.erase(entry.path);
    } else {
      std::ofstream(entry.path, std::ios::binary) << entry.content;
      files[entry.path] = entry.file;
    }
  }
  for (auto const& [path, file] : files) apply(loss, path, file, chance);
  files.clear(), entries.clear();
  off = false, cut_at = -1, fail_at = {-1, -1, -1};
}

Machine::Machine(std::string name, bool claims_powersafe) : disk_(std::make_unique<Disk>()) {
  Disk& disk = *disk_;
  disk.name = std::move(name), disk.claims_powersafe = claims_powersafe;
  disk.real = sqlite3_vfs_find(nullptr);
  sqlite3_vfs& vfs = disk.vfs;
  vfs.iVersion = 1;
  vfs.szOsFile = int(sizeof(Handle)) + disk.real->szOsFile;
  vfs.mxPathname = disk.real->mxPathname;
  vfs.zName = disk.name.c_str(), vfs.pAppData = &disk;
  vfs.xOpen = open, vfs.xDelete = remove, vfs.xAccess = access, vfs.xFullPathname = full_path;
  vfs.xRandomness = randomness, vfs.xSleep = pause, vfs.xCurrentTime = now, vfs.xGetLastError = last_error;
  if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) throw std::runtime_error("the file layer cannot be registered");
}

Machine::~Machine() { sqlite3_vfs_unregister(&disk_->vfs); }

std::string const& Machine::vfs() const { return disk_->name; }
std::int64_t Machine::changes() const { return disk_->changes; }
void Machine::cut_after(std::int64_t count) { disk_->cut_at = disk_->changes + count; }
bool Machine::off() const { return disk_->off; }
void Machine::power_on(Loss loss, std::mt19937_64& chance) { disk_->power_on(loss, chance); }
std::int64_t Machine::operations(FaultKind kind) const { return disk_->operations[std::size_t(kind)]; }
void Machine::fail_after(FaultKind kind, std::int64_t count, bool lasts) {
  disk_->fail_at[std::size_t(kind)] = disk_->operations[std::size_t(kind)] + count;
  disk_->lasts[std::size_t(kind)] = lasts;
}
std::int64_t Machine::failures() const { return disk_->failures; }
void Machine::repair() { disk_->fail_at = {-1, -1, -1}; }

}  // namespace equipoise::faults
