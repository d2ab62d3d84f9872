#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "equipoise/core/expected.h"
#include "equipoise/data/cell_table.h"
#include "equipoise/data/dataset.h"

/// Comma-separated values by RFC 4180, in UTF-8 with one header row: cells as text, then cells as typed columns, and back.
namespace equipoise::data {

/// What a file may be. The limits are far above any trial's data and stop a hostile file early.
struct CsvOptions {
  bool allow_no_rows = false;
  std::size_t most_bytes = std::size_t(4) << 30;
  std::size_t most_columns = 16'384;
  std::size_t most_rows = 100'000'000;
  std::size_t longest_cell = std::size_t(1) << 20;  ///< bytes, at most 2^24 - 1
  std::size_t problems_shown = 20;                  ///< of each kind; the rest is counted
  std::vector<std::string> columns{};               ///< whose cells are kept; empty = all
  std::size_t threads = 0;                          ///< that read at the same time; 0 = as many as the machine has
  std::size_t least_share = std::size_t(4) << 20;   ///< bytes that a thread is begun for
};

/// Reads a whole file: header and rows, quotes with doubled quotes and line breaks inside, LF or CRLF, a byte order mark skipped.
/// Blanks belong to the cell. Empty lines at the end are skipped; in a file of one column an empty line is a row with a missing
/// cell. Reports everything that is wrong with the structure, with its line: rows with fewer or more cells than the header, text
/// after a closing quote, a quote inside an unquoted cell, a quote never closed, NUL, bytes that are not UTF-8, names empty or
/// given twice. Long files are read by several threads, each some of the rows; table and problems are the same whatever their
/// number. errors  no_data (empty; header only), syntax, duplicate, out_of_range (limits)
Checked<CellTable> read_csv(FileBytes bytes, std::string file, CsvOptions const& options = {});

/// What a cell text means.
struct CsvCode {
  std::string cell;  ///< as in the file
  std::string id;    ///< level of a code; "1" or "0" of a flag
  std::string label{};
};

/// How a column of the file becomes a column of the data set.
struct CsvColumn {
  std::string column;  ///< in the file
  Kind kind = Kind::number;
  std::string name{};  ///< in the data set; empty = as in the file
  std::string label{}, unit{};
  std::vector<CsvCode>
      codes{};          ///< of codes, in their order; empty = every text is a level, sorted by bytes. Of flags: beside 1 and 0
  bool bounds = false;  ///< "<20" and ">1000" are numbers known as below or above a limit
  std::vector<std::pair<std::string, Missing>> missing{};  ///< cell texts that stand for nothing, beside the empty cell
};

/// Appends a cell to a CSV file: as it is, or in quotes where RFC 4180 needs them.
void append_csv_cell(std::string& out, std::string_view text);

/// Reads one column. Each bad cell is a problem with its line and column name, at most 20, then how many more there are; a
/// problem of the whole column (no such column, no such level) likewise. What it returns after problems is not for use. Numbers:
/// '.' as point, no blanks, no "NaN" or "Inf". Dates: YYYY-MM-DD, YYYY-MM, YYYY. Flags: 1, 0, true, false.
TypedColumn read_column(CellTable const& table, CsvColumn const& how, Problems& problems);

/// The columns named, in this order. errors  missing_column, bad_cell, and those of `DatasetBuilder`
Checked<Dataset> read_dataset(CellTable const& table, std::span<const CsvColumn> columns);

/// The bytes of a CSV file: header of names, LF, quotes only where RFC 4180 needs them, numbers in shortest round-trip form, ISO
/// dates as far as they are known, level ids, flags as 1 and 0, "<20" for a bound. A missing cell is empty, its reason is not
/// written. Cells that a spreadsheet would take for a formula ("=1+1") are left as they are: these are data, and must be read
/// back as they were.
std::string write_csv(Dataset const& dataset);

}  // namespace equipoise::data
