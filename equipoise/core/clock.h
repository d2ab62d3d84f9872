#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

/// Time, read through an interface so that tests and replays decide what it is.
namespace equipoise {

/// A moment in UTC, to the millisecond.
using Instant = std::chrono::sys_time<std::chrono::milliseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
};

/// The machine's clock. It can jump, in both directions: whoever orders by it asks for trouble.
class SystemClock final : public Clock {
 public:
  Instant now() const override;
};

/// "2026-11-28T08:30:32.123Z".
std::string to_string(Instant instant);
/// Reads exactly what `to_string` writes, years 1970 to 2299.
std::optional<Instant> to_instant(std::string_view text);

}  // namespace equipoise
