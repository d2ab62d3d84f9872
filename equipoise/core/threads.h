#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace equipoise {

/// Threads of the machine, at least one.
inline std::size_t machine_threads() { return std::max(1u, std::thread::hardware_concurrency()); }

/// Runs task(0), ..., task(count - 1) at the same time, each on a thread of its own as far as the system gives them; returns when
/// all have ended. What a task throws is thrown here, that of the first task if several do.
template <class Task>
void at_once(std::size_t count, Task const& task) {
  std::vector<std::exception_ptr> broken(count);
  const auto guarded = [&](std::size_t k) noexcept {
    try {
      task(k);
    } catch (...) {
      broken[k] = std::current_exception();
    }
  };
  std::size_t begun = 1;
  {
    std::vector<std::jthread> others;
    try {
      for (; begun < count; ++begun) others.emplace_back(guarded, begun);
    } catch (std::system_error const&) {
      // The system gives no more threads: this one does the rest.
    }
    if (count > 0) guarded(0);
    for (; begun < count; ++begun) guarded(begun);
  }
  for (std::exception_ptr const& thrown : broken)
    if (thrown) std::rethrow_exception(thrown);
}

}  // namespace equipoise
