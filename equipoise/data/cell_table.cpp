#include "equipoise/data/cell_table.h"

namespace equipoise::data {

void CellTable::add_columns(CellTable const& other, std::vector<std::string> names, std::vector<std::size_t> const& row_of) {
  expects(names.size() == other.header.size() && row_of.size() == rows(), "a name for each column, and a row for each row");
  const std::size_t before = header.size(), added = names.size(), width = before + added;
  const std::uint64_t shift = std::uint64_t(bytes_->size()) << length_bits;
  *bytes_ += *other.bytes_;
  std::vector<std::uint64_t> cells(rows() * width, 0);
  for (std::size_t row = 0; row < rows(); ++row) {
    std::copy_n(cells_.begin() + std::ptrdiff_t(row * before), before, cells.begin() + std::ptrdiff_t(row * width));
    if (row_of[row] == no_row) continue;
    for (std::size_t column = 0; column < added; ++column) cells[row * width + before + column] = other.cells_[row_of[row] * added + column] + shift;
  }
  cells_ = std::move(cells);
  header.insert(header.end(), std::make_move_iterator(names.begin()), std::make_move_iterator(names.end()));
}

void CellTable::add_row(std::size_t column, std::string_view text) {
  const std::uint64_t at = std::uint64_t(bytes_->size()) << length_bits | std::uint64_t(text.size());
  *bytes_ += text;
  lines_.push_back(lines_.empty() ? 1 : lines_.back());
  for (std::size_t i = 0; i < header.size(); ++i) cells_.push_back(i == column ? at : 0);
}

}  // namespace equipoise::data
