#pragma once

#include "equipoise/core/chance.h"
#include "equipoise/core/error.h"
#include "equipoise/core/text.h"

/// What the fuzz targets share.
namespace equipoise::fuzzing {

/// A refusal says something, and people can read it.
inline void check(Problems const& problems) {
  expects(!problems.empty(), "a value or its problems");
  for (Error const& problem : problems) expects(is_utf8(problem.message) && !problem.message.empty(), "a message is readable");
}

/// The same bytes in every run.
class CountedChance final : public Chance {
 public:
  void fill(std::uint8_t* bytes, std::size_t size) override {
    for (std::size_t i = 0; i < size; ++i) bytes[i] = std::uint8_t(next_++ * 2654435761u >> 24);
  }

 private:
  std::uint32_t next_ = 0;
};

}  // namespace equipoise::fuzzing
