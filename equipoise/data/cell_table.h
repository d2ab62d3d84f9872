#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/error.h"

namespace equipoise::data {

/// Every name, cell and row of a data file as text, whatever its format: what the [source] section of a protocol is carried out
/// on. Of CSV the cells are as written; of other formats numbers are in shortest form, dates ISO, and a missing cell is empty.
class CellTable {
 public:
  std::string file;                 ///< name for messages
  std::vector<std::string> header;  ///< unique and not empty

  std::size_t rows() const { return lines_.size(); }
  std::string_view cell(std::size_t row, std::size_t column) const {
    const std::uint64_t packed = cells_[row * header.size() + column];
    return std::string_view(*bytes_).substr(packed >> length_bits, packed & length_mask);
  }
  /// The line of the file on which the row begins, from 1; of a format without lines the number of the row.
  std::size_t line(std::size_t row) const { return lines_[row]; }
  /// What `line` counts: "line" or "row".
  std::string_view line_word() const { return has_lines_ ? "line" : "row"; }
  bool has_lines() const { return has_lines_; }
  std::optional<std::size_t> find(std::string_view name) const {
    const auto found = std::ranges::find(header, name);
    return found == header.end() ? std::nullopt : std::optional(std::size_t(found - header.begin()));
  }

  /// A table of a format without lines, for `keep` to fill row by row.
  static CellTable without_lines(std::string file, std::vector<std::string> header) {
    CellTable made;
    made.file = std::move(file);
    made.header = std::move(header);
    made.bytes_ = std::make_unique<std::string>();
    made.has_lines_ = false;
    return made;
  }
  void reserve(std::size_t rows) {
    cells_.reserve(rows * header.size());
    lines_.reserve(rows);
  }
  /// Puts the columns of another table beside these, each with its new name: row `row_of[i]` of it beside row i, and empty cells
  /// where that is `no_row`.
  static constexpr std::size_t no_row = std::size_t(-1);
  void add_columns(CellTable const& other, std::vector<std::string> names, std::vector<std::size_t> const& row_of);
  /// Appends a row that stands in no line: `text` in one column, the others empty.
  void add_row(std::size_t column, std::string_view text);

  /// Appends the next cell: `write(std::string&)` appends its text.
  template <class Write>
  void keep(Write&& write) {
    if (cells_.size() % header.size() == 0) lines_.push_back(std::uint32_t(lines_.size() + 1));
    const std::size_t begin = bytes_->size();
    write(*bytes_);
    expects(bytes_->size() - begin <= length_mask, "a cell is no longer than a packed length can say");
    cells_.push_back(std::uint64_t(begin) << length_bits | std::uint64_t(bytes_->size() - begin));
  }

 private:
  friend class CsvReader;
  static constexpr unsigned length_bits = 24;
  static constexpr std::uint64_t length_mask = (std::uint64_t(1) << length_bits) - 1;

  std::unique_ptr<std::string> bytes_;  // behind a pointer, so that moving the table moves no byte
  std::vector<std::uint64_t> cells_;    // row by row: place in bytes_ and length, half the size of a string_view
  std::vector<std::uint32_t> lines_;
  bool has_lines_ = true;
};

}  // namespace equipoise::data
