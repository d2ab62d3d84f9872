#pragma once

#include <map>
#include <string>
#include <string_view>

#include "equipoise/core/expected.h"
#include "equipoise/expression/column.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::data {

/// Reads cells of a data file as values of the trial's items, and keeps their problems: at most `shown` for one column, then a
/// count.
class CellReader {
 public:
  /// line_word  what a row's `line` counts in sentences: "line", or "row" of a file without lines
  CellReader(std::string file, Problems& problems, std::string_view line_word = "line", std::size_t shown = 20)
      : file_(std::move(file)), line_word_(line_word), problems_(problems), shown_(shown) {}
  ~CellReader();
  CellReader(CellReader const&) = delete;
  CellReader& operator=(CellReader const&) = delete;

  /// Reads one cell into a row of the column; an empty cell is missing.
  /// codes   what cell texts mean; without an entry the text itself must be the value
  /// factor  from the recorded unit to the item's
  void read(expression::Column& into, std::size_t row, protocol::Item const& item, std::string_view cell,
            std::vector<protocol::CellCode> const& codes, double factor, int line, std::string const& column);

  /// The arm, or site, that a cell names; `missing_level` and a problem when it names none.
  std::int32_t level(std::string_view cell, std::vector<std::string> const& levels, std::vector<protocol::CellCode> const& codes,
                     std::string_view what, int line, std::string const& column);

  /// A whole number, or nothing and a problem: "'x' is not a whole number of days".
  std::optional<double> whole_number(std::string_view cell, int line, std::string const& column,
                                     std::string_view what = "a whole number of days");
  /// An exact date as a day number, or nothing and a problem.
  std::optional<double> exact_date(std::string_view cell, int line, std::string const& column);

  std::string_view line_word() const { return line_word_; }

  /// Reports a problem with a cell.
  void refuse(int line, std::string const& column, std::string message, std::string hint = {});

 private:
  std::string file_;
  std::string_view line_word_;
  Problems& problems_;
  std::size_t shown_;
  std::map<std::string, std::size_t> count_;
  std::map<std::string, int> last_line_;
};

}  // namespace equipoise::data
