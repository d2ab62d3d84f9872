#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>

namespace equipoise::simulate {

/// What a worker does with a block; it locks `door` where it touches what others touch.
using Worker = std::function<void(std::int64_t block, std::mutex& door)>;

/// Hands the blocks [begin, end) out in order to so many threads, each with a worker of its own. When `stop` becomes true, those
/// at work are finished and no other is begun. What a worker throws is thrown here, when all have ended.
///
/// there  blocks that are there already, asked under the lock: not handed out
void share_out(std::int64_t begin, std::int64_t end, std::size_t threads, std::function<bool(std::int64_t)> const& there,
               std::atomic<bool> const& stop, std::function<Worker()> const& make_worker);

}  // namespace equipoise::simulate
