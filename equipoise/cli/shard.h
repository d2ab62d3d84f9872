#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "equipoise/core/expected.h"

namespace equipoise::cli {

/// One of so many equal shares of a computation, counted from 1.
struct Shard {
  std::int64_t index = 1, count = 1;
  std::string source;  ///< who said so, when nobody at the keyboard did: "SLURM_ARRAY_TASK_ID"

  bool whole() const { return count == 1; }
  /// The first of this share of so many blocks, and one past its last: none when there are fewer blocks than shares.
  std::int64_t begin(std::int64_t blocks) const { return share(blocks, index - 1); }
  std::int64_t end(std::int64_t blocks) const { return share(blocks, index); }

 private:
  std::int64_t share(std::int64_t blocks, std::int64_t before) const;
};

/// "2/8". errors  usage
Expected<Shard> parse_shard(std::string_view text);

/// What the launcher of this process says: a Slurm job array (its task among those of the array), and within it the rank of an
/// MPI process. errors  usage: a launcher contradicts itself
///
/// variable  the value of an environment variable, or nothing
Expected<Shard> launched_shard(std::function<std::optional<std::string>(char const*)> const& variable);

}  // namespace equipoise::cli
