#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace equipoise {

using Key32 = std::array<std::uint8_t, 32>;

/// Unpredictable bytes for keys, nonces and random names; an interface so that two runs of one trial can be given the same ones.
/// Not for allocations: those are functions of a seed.
class Chance {
 public:
  virtual ~Chance() = default;
  virtual void fill(std::uint8_t* bytes, std::size_t size) = 0;

  Key32 key() {
    Key32 made;
    fill(made.data(), made.size());
    return made;
  }
  /// A random name of 20 letters and digits without those that are mistaken for each other (about 98 bits).
  std::string name();
};

/// The operating system's.
class SystemChance final : public Chance {
 public:
  void fill(std::uint8_t* bytes, std::size_t size) override;
};

}  // namespace equipoise
