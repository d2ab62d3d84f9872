#include "equipoise/cli/shard.h"

#include <array>
#include <charconv>

namespace equipoise::cli {
namespace {

constexpr std::int64_t most = 1000000;

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

}  // namespace

std::int64_t Shard::share(std::int64_t blocks, std::int64_t before) const {
  return blocks / count * before + blocks % count * before / count;
}

Expected<Shard> parse_shard(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::int64_t index = whole_number(text.substr(0, slash)).value_or(0);
  const std::int64_t count = slash == text.npos ? 0 : whole_number(text.substr(slash + 1)).value_or(0);
  if (count < 1 || count > most || index < 1 || index > count)
    return fail(Code::usage, "--shard is 'i/n' with i from 1 to n and n at most {}, and not '{}'", most, text);
  return Shard{index, count, {}};
}

Expected<Shard> launched_shard(std::function<std::optional<std::string>(char const*)> const& variable) {
  const auto number = [&](char const* name) -> std::optional<std::int64_t> {
    const auto text = variable(name);
    return text ? whole_number(*text) : std::nullopt;
  };
  Shard shard;
  if (const auto id = number("SLURM_ARRAY_TASK_ID")) {
    const auto count = number("SLURM_ARRAY_TASK_COUNT");
    const std::int64_t first = number("SLURM_ARRAY_TASK_MIN").value_or(0), step = number("SLURM_ARRAY_TASK_STEP").value_or(1);
    if (!count || step < 1 || *count < 1 || *count > most || (*id - first) % step != 0 || *id < first ||
        (*id - first) / step >= *count)
      return fail(
          Code::usage,
          "the SLURM_ARRAY_TASK_* variables do not say which of how many tasks this is (an array with holes?): give --shard");
    shard = {(*id - first) / step + 1, *count, "SLURM_ARRAY_TASK_ID"};
  }
  // Rank and size as launchers say them: Open MPI, the process managers of MPICH and Intel, MVAPICH, and srun.
  constexpr std::array<std::array<char const*, 2>, 4> launchers{{{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                                                                 {"PMI_RANK", "PMI_SIZE"},
                                                                 {"MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"},
                                                                 {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS"}}};
  for (auto const& [rank_name, size_name] : launchers) {
    const auto rank = number(rank_name), size = number(size_name);
    if (!rank || !size || *size == 1) continue;
    if (*size < 1 || *rank < 0 || *rank >= *size || *size > most / shard.count)
      return fail(Code::usage, "{} and {} do not say which of how many processes this is: give --shard", rank_name, size_name);
    return Shard{(shard.index - 1) * *size + *rank + 1, shard.count * *size,
                 shard.source.empty() ? std::string(rank_name) : shard.source + " and " + rank_name};
  }
  return shard;
}

}  // namespace equipoise::cli
