#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/error.h"
#include "equipoise/data/cell_column.h"
#include "equipoise/data/file_bytes.h"

namespace equipoise::data {

/// Every name, cell and row of a data file as text, whatever its format: what the [source] section of a protocol is carried out
/// on. Of CSV the cells are as written; of other formats numbers are in shortest form, dates ISO, and a missing cell is empty.
/// Cells are kept by column, as codes of texts; columns that nobody asked for have a name and no cells.
class CellTable {
 public:
  std::string file;                 ///< name for messages
  std::vector<std::string> header;  ///< unique and not empty

  std::size_t rows() const { return rows_; }
  std::string_view cell(std::size_t row, std::size_t column) const { return text(column, columns_[column].code(row)); }
  /// The cells of a column as codes, and the text of a code.
  CellColumn const& column(std::size_t column) const { return columns_[column]; }
  std::string_view text(std::size_t column, std::uint32_t code) const { return bytes().text(columns_[column].place(code)); }
  /// The line of the file on which the row begins, from 1; of a format without lines the number of the row.
  std::size_t line(std::size_t row) const;
  /// What `line` counts: "line" or "row".
  std::string_view line_word() const { return has_lines_ ? "line" : "row"; }
  bool has_lines() const { return has_lines_; }
  std::optional<std::size_t> find(std::string_view name) const {
    const auto found = std::ranges::find(header, name);
    return found == header.end() ? std::nullopt : std::optional(std::size_t(found - header.begin()));
  }

  /// A table of a format without lines, for `fill` to fill column by column.
  static CellTable without_lines(std::string file, std::vector<std::string> header, std::size_t rows);
  /// Fills a column: `write(std::string& out, std::size_t row)` appends the text of a row.
  template <class Write>
  void fill(std::size_t column, Write&& write) {
    numerics::Column<std::uint32_t> codes(rows_);
    CellEncoder encoder(codes.data(), rows_);
    std::string& made = *made_;
    for (std::size_t row = 0; row < rows_; ++row) {
      const std::size_t begin = made.size(), length = (write(made, row), made.size() - begin);
      expects(length <= TextPlace::longest, "a cell is no longer than a packed length can say");
      const bool fresh = encoder.put(row, made.data() + begin, length, length, TextPlace::of(begin, length), bytes());
      if (!fresh) made.resize(begin);
    }
    if (encoder.row_by_row()) {
      encoder.each().resize(rows_);
      columns_[column] = CellColumn(std::move(encoder.each()));
    } else {
      columns_[column] = CellColumn(std::move(encoder.dictionary().texts()), std::move(codes));
    }
  }

  /// Puts the columns of another table beside these, each with its new name: row `row_of[i]` of it beside row i, and empty cells
  /// where that is `no_row`.
  static constexpr std::size_t no_row = std::size_t(-1);
  void add_columns(CellTable const& other, std::vector<std::string> names, std::vector<std::size_t> const& row_of);
  /// Appends a row that stands in no line: `text` in one column, the others empty.
  void add_row(std::size_t column, std::string_view text);

 private:
  friend class CsvReader;

  /// From row `row` on, rows begin on `line` and the lines that follow it.
  struct Numbering {
    std::size_t row, line;
  };

  TextBytes bytes() const { return {file_.view(), made_.get()}; }
  TextPlace made(std::string_view text);

  FileBytes file_;
  std::unique_ptr<std::string> made_;  // behind a pointer, so that moving the table moves no byte
  std::size_t rows_ = 0;
  std::vector<CellColumn> columns_;  // as the header; without rows where nobody asked for them
  std::vector<Numbering> lines_;
  bool has_lines_ = true;
};

}  // namespace equipoise::data
