#include "equipoise/simulate/workers.h"

#include <exception>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace equipoise::simulate {

void share_out(std::int64_t begin, std::int64_t end, std::size_t threads, std::function<bool(std::int64_t)> const& there,
               std::atomic<bool> const& stop, std::function<Worker()> const& make_worker) {
  std::mutex door;
  std::int64_t next = begin;
  std::exception_ptr broken;
  const auto take = [&]() -> std::optional<std::int64_t> {
    const std::scoped_lock lock(door);
    while (next < end && there(next)) ++next;
    if (next >= end || broken || stop.load(std::memory_order_relaxed)) return {};
    return next++;
  };
  const auto work = [&] {
    try {
      std::optional<std::int64_t> block = take();
      if (!block) return;
      const Worker worker = make_worker();
      for (; block; block = take()) worker(*block, door);
    } catch (...) {
      const std::scoped_lock lock(door);
      broken = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    try {
      for (std::size_t t = 1; t < threads && std::int64_t(t) < end - begin; ++t) others.emplace_back(work);
    } catch (std::system_error const&) {
      // The system gives no more threads: those that there are do it.
    }
    work();
  }
  if (broken) std::rethrow_exception(broken);
}

}  // namespace equipoise::simulate
