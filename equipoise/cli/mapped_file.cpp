#include "equipoise/cli/mapped_file.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>

namespace equipoise::cli {
namespace {

/// What the handler of a signal may look at: mappings, a few, as more would only mean that their loss is told less well.
struct Mapping {
  std::atomic<std::uintptr_t> begin = 0, end = 0;
  std::array<char, 512> lost{};  ///< the sentence
};
std::array<Mapping, 8> mappings;

void on_bus_error(int signal, siginfo_t* info, void*) {
  const auto at = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (Mapping const& mapping : mappings)
    if (at >= mapping.begin && at < mapping.end) {
      [[maybe_unused]] const ssize_t told = ::write(2, mapping.lost.data(), std::strlen(mapping.lost.data()));
      ::_exit(1);
    }
  ::signal(signal, SIG_DFL);  // not ours: it comes again, and ends the process
}

void watch(void* bytes, std::size_t size, std::filesystem::path const& path) {
  static const bool watching = [] {
    struct sigaction action {};
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO;
    return ::sigaction(SIGBUS, &action, nullptr) == 0;
  }();
  if (!watching) return;
  for (Mapping& mapping : mappings) {
    if (mapping.begin != 0) continue;
    const std::string text =
        "equipoise: error: '" + path.string() + "' became shorter, or could not be read, while it was read\n";
    std::strncpy(mapping.lost.data(), text.c_str(), mapping.lost.size() - 1);
    mapping.end = reinterpret_cast<std::uintptr_t>(bytes) + size;
    mapping.begin = reinterpret_cast<std::uintptr_t>(bytes);
    return;
  }
}

void forget(void* bytes, std::size_t size) {
  for (Mapping& mapping : mappings)
    if (mapping.begin == reinterpret_cast<std::uintptr_t>(bytes)) mapping.end = 0, mapping.begin = 0;
  ::munmap(bytes, size);
}

}  // namespace

std::optional<data::FileBytes> mapped(int descriptor, std::size_t size, std::filesystem::path const& path) {
  void* const bytes = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (bytes == MAP_FAILED) return {};
  watch(bytes, size, path);
  std::shared_ptr<const void> owner(bytes, [size](void const* at) { forget(const_cast<void*>(at), size); });
  return data::FileBytes(std::move(owner), {static_cast<const char*>(bytes), size});
}

}  // namespace equipoise::cli
