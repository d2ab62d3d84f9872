#include "equipoise/stats/survival/staged_gather.h"

#include <algorithm>

namespace equipoise::stats {
namespace {

constexpr std::size_t long_column = std::size_t(1) << 17;  // 1 MiB: shorter ones are in the cache anyway
constexpr std::size_t smallest_part = 8192, most_parts = 255;

}  // namespace

StagedGather::StagedGather(std::span<const std::uint32_t> rows, std::size_t data_rows, std::size_t columns) : rows_(rows) {
  if (rows.size() < long_column || columns < 2) return;  // the preparation costs as much as one column
  part_size_ = std::max(smallest_part, (rows.size() + most_parts - 1) / most_parts);
  const std::size_t parts = (rows.size() + part_size_ - 1) / part_size_;
  std::vector<std::uint8_t> part_of(data_rows, std::uint8_t(parts));  // rows without a place: after all parts
  std::vector<std::uint32_t> next(parts + 1);
  for (std::size_t part = 0, place = 0; part < parts; ++part) {
    next[part] = std::uint32_t(place);
    for (const std::size_t end = std::min(place + part_size_, rows.size()); place < end; ++place)
      part_of.data()[rows[place]] = std::uint8_t(part);
  }
  next[parts] = std::uint32_t(rows.size());
  arrival_.resize(data_rows);
  for (std::size_t row = 0; row < data_rows; ++row) arrival_.data()[row] = next.data()[part_of.data()[row]]++;
  where_.resize(rows.size());
  for (std::size_t place = 0; place < rows.size(); ++place) where_.data()[place] = arrival_.data()[rows[place]];
  staged_.resize(data_rows);
}

double const* StagedGather::values(std::span<const double> column) {
  if (where_.empty()) return column.data();
  double* const to = staged_.data();
  std::uint32_t const* const arrival = arrival_.data();
  for (std::size_t row = 0; row < column.size(); ++row) to[arrival[row]] = column[row];
  return to;
}

}  // namespace equipoise::stats
