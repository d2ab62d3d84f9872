#include "equipoise/stats/strata.h"

#include <algorithm>

namespace equipoise::stats {
namespace {

/// Numbers keys from 0 in their order, without gaps. `bound` exceeds every key.
std::size_t close_gaps(std::vector<std::uint64_t> const& keys, std::uint64_t bound, std::vector<std::int32_t>& code) {
  if (bound <=
      4 * std::uint64_t(keys.size()) + 1024) {  // a table is cheaper than a sort as long as it is not much longer than the data
    std::vector<std::int32_t> number(bound, 0);
    for (const std::uint64_t key : keys) number[key] = 1;
    std::int32_t next = 0;
    for (std::int32_t& entry : number) entry = entry ? next++ : -1;
    for (std::size_t i = 0; i < keys.size(); ++i) code[i] = number[keys[i]];
    return std::size_t(next);
  }
  std::vector<std::uint64_t> sorted = keys;
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  for (std::size_t i = 0; i < keys.size(); ++i)
    code[i] = std::int32_t(std::lower_bound(sorted.begin(), sorted.end(), keys[i]) - sorted.begin());
  return sorted.size();
}

}  // namespace

Strata combine(Frame const& frame, std::vector<std::string> const& columns) {
  Strata strata{std::vector<std::int32_t>(frame.rows, 0), frame.rows > 0 ? std::size_t(1) : 0};
  std::vector<std::uint64_t> keys(columns.empty() ? 0 : frame.rows);
  for (std::string const& name : columns) {
    CategoriesView const& category = frame.categories(name);
    const std::uint64_t levels = category.levels.size();
    for (std::size_t i = 0; i < frame.rows; ++i)
      keys[i] = std::uint64_t(strata.code[i]) * levels + std::uint64_t(category.codes[i]);
    strata.count = close_gaps(keys, strata.count * levels, strata.code);
  }
  return strata;
}

}  // namespace equipoise::stats
