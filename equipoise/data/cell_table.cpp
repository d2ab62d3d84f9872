#include "equipoise/data/cell_table.h"

namespace equipoise::data {

std::size_t CellTable::line(std::size_t row) const {
  const auto after = lines_.size() == 1 ? lines_.end() : std::ranges::upper_bound(lines_, row, {}, &Numbering::row);
  Numbering const& from = *std::prev(after);
  return from.line + (row - from.row);
}

CellTable CellTable::without_lines(std::string file, std::vector<std::string> header, std::size_t rows) {
  CellTable made;
  made.file = std::move(file);
  made.header = std::move(header);
  made.made_ = std::make_unique<std::string>();
  made.rows_ = rows;
  made.columns_.resize(made.header.size());
  made.lines_ = {{0, 1}};
  made.has_lines_ = false;
  return made;
}

TextPlace CellTable::made(std::string_view text) {
  const std::size_t begin = bytes().file.size() + made_->size();
  *made_ += text;
  return TextPlace::of(begin, text.size());
}

void CellTable::add_columns(CellTable const& other, std::vector<std::string> names, std::vector<std::size_t> const& row_of) {
  expects(names.size() == other.header.size() && row_of.size() == rows(), "a name for each column, and a row for each row");
  for (std::size_t column = 0; column < names.size(); ++column) {
    CellColumn const& from = other.columns_[column];
    columns_.emplace_back();
    if (from.rows() != other.rows()) continue;  // nobody asked for it
    numerics::Column<TextPlace> texts;
    for (std::size_t code = 0; code < from.codes(); ++code) texts.push_back(made(other.text(column, std::uint32_t(code))));
    texts.push_back({});
    numerics::Column<std::uint32_t> codes(rows_);
    for (std::size_t row = 0; row < rows_; ++row)
      codes[row] = row_of[row] == no_row ? std::uint32_t(from.codes()) : from.code(row_of[row]);
    columns_.back() = CellColumn(std::move(texts), std::move(codes));
  }
  header.insert(header.end(), std::make_move_iterator(names.begin()), std::make_move_iterator(names.end()));
}

void CellTable::add_row(std::size_t column, std::string_view text) {
  const TextPlace place = made(text);
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (columns_[i].rows() == rows_) columns_[i].add_row(i == column ? place : TextPlace{});
  lines_.push_back({rows_, rows_ == 0 ? 1 : line(rows_ - 1)});
  ++rows_;
}

}  // namespace equipoise::data
