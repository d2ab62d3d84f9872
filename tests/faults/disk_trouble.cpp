// The functions of the C library are replaced for this process and for the SQLite in it. No header that declares them is
// included, as some declare them otherwise.
#include "tests/faults/disk_trouble.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include <atomic>

extern "C" long syscall(long number, ...);

namespace {

std::atomic<bool> sync_fails{false};
std::atomic<long> full_until{0};  // milliseconds of the monotonic clock
constexpr long full_for = 200;

long now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
}

bool refuses(int file) {
  struct stat is;
  if (full_until == 0 || now() >= full_until || ::fstat(file, &is) != 0 || !S_ISREG(is.st_mode)) return false;
  errno = ENOSPC;
  return true;
}

int sync(long call, int file) {
  if (sync_fails.exchange(false)) {
    errno = EIO;
    return -1;
  }
  return int(syscall(call, file));
}

}  // namespace

extern "C" {
int fsync(int file) { return sync(SYS_fsync, file); }
int fdatasync(int file) { return sync(SYS_fdatasync, file); }
long write(int file, void const* bytes, unsigned long size) { return refuses(file) ? -1 : syscall(SYS_write, file, bytes, size); }
long pwrite(int file, void const* bytes, unsigned long size, long at) {
  return refuses(file) ? -1 : syscall(SYS_pwrite64, file, bytes, size, at);
}
long pwrite64(int file, void const* bytes, unsigned long size, long at) {
  return refuses(file) ? -1 : syscall(SYS_pwrite64, file, bytes, size, at);
}
}

void equipoise::faults::listen_for_trouble() {
  signal(SIGUSR1, [](int) { sync_fails = true; });
  signal(SIGUSR2, [](int) { full_until = now() + full_for; });
}
