#include "equipoise/allocation/permuted_block.h"

#include <algorithm>
#include <bit>

#include "equipoise/core/text.h"

namespace equipoise::allocation {

std::optional<PermutedBlock> PermutedBlock::parse(Setting const& setting, Section& text) {
  const std::size_t before = text.problems().size();
  PermutedBlock method{.ratio = setting.ratio, .sizes = {}, .strata = setting.strata, .words = {}};
  check_strata(setting, text);
  const int unit = int(setting.places());
  const Node* list = text.need("block_sizes");
  const auto sizes = list ? text.numbers("block_sizes", {.min = 1, .max = 10000}) : std::nullopt;
  if (sizes && sizes->empty()) text.report_at("block_sizes", Code::out_of_range, "'block_sizes' must name at least one size");
  std::vector<std::string> names;
  for (std::size_t i = 0; sizes && i < sizes->size(); ++i) {
    const auto size = (*list->array())[i].integer();
    Place const& place = (*list->array())[i].place();
    names.push_back(shortest((*sizes)[i]));
    if (!size)
      add_problem(text.problems(), place, Code::wrong_type, "a block size is a whole number, and {} is not",
                  shortest((*sizes)[i]));
    else if (unit > 0 && *size % unit != 0)
      add_problem(text.problems(), place, Code::inconsistent,
                  "a block of {} cannot hold the arms in their ratio: its size must be a multiple of {}, the sum of the ratio",
                  *size, unit);
    else if (unit > 0 && std::ranges::find(method.sizes, int(*size) / unit) != method.sizes.end())
      add_problem(text.problems(), place, Code::duplicate, "the block size {} is given twice", *size);
    else if (unit > 0) method.sizes.push_back(int(*size) / unit);
  }
  method.words = fmt::format("permuted blocks of {}{}", one_of(names), within_strata(setting));
  return text.problems().size() == before && !method.sizes.empty() ? std::optional(std::move(method)) : std::nullopt;
}

std::int32_t PermutedBlock::next(Cells state, Candidate const& who, random::Draw const& draw) const {
  const std::size_t arms = ratio.size();
  const Cells left = state.subspan(who.stratum * arms, arms);
  const bool all_open = std::size_t(std::popcount(who.open_arms)) == arms;
  const auto total = [&] {
    std::int32_t sum = 0;
    if (all_open) {
      for (std::size_t a = 0; a < arms; ++a) sum += left[a];
      return sum;
    }
    for (std::size_t a = 0; a < arms; ++a) sum += has(who.open_arms, a) ? left[a] : 0;
    return sum;
  };
  std::int32_t in_block = total();
  if (in_block == 0) {  // the block is over, or holds only arms that take nobody any more
    const int size = sizes[std::size_t(draw.below(1, sizes.size()))];
    for (std::size_t a = 0; a < arms; ++a) left[a] = size * ratio[a];
    in_block = total();
  }
  std::int64_t ticket = std::int64_t(draw.below(0, std::uint64_t(in_block)));
  std::size_t arm = 0;
  if (all_open) {  // no branch: where the ticket lies is chance
    std::int64_t reached = 0;
    for (std::size_t a = 0; a + 1 < arms; ++a) arm += ticket >= (reached += left[a]);
    --left[arm];
    return std::int32_t(arm);
  }
  for (;; ++arm) {
    if (!has(who.open_arms, arm)) continue;
    if (ticket < left[arm]) break;
    ticket -= left[arm];
  }
  --left[arm];
  return std::int32_t(arm);
}

std::optional<Caution> PermutedBlock::caution() const {
  if (sizes != std::vector<int>{1}) return {};
  int unit = 0;
  for (const int share : ratio) unit += share;
  return Caution{fmt::format("with blocks of {} the last participant of every block is known to whoever knows the others", unit),
                 fmt::format("longer blocks, or several sizes: block_sizes = [{}, {}]", unit, 2 * unit)};
}

}  // namespace equipoise::allocation
