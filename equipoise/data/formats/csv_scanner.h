#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "equipoise/core/error.h"
#include "equipoise/data/cell_column.h"
#include "equipoise/data/formats/csv.h"

namespace equipoise::data {

/// The problems of a CSV file: of each kind so many are told, and the rest is counted.
class CsvProblems {
 public:
  enum Topic { nul, utf8, quote_inside, after_quote, unterminated, bare_return, ragged, blank_line, long_cell, names, topics };

  CsvProblems(std::string file, std::size_t shown) : file_(std::move(file)), shown_(shown) {}

  template <class... Args>
  void refuse(Topic topic, std::size_t line, Code code, fmt::format_string<Args...> text, Args&&... args) {
    if (++count_[topic] > shown_) {
      last_line_[topic] = line;
      return;
    }
    add_problem(problems_, {.file = file_, .line = int(line)}, code, text, std::forward<Args>(args)...);
  }
  /// Of the file, or of a line, and only once.
  template <class... Args>
  void add(std::size_t line, Code code, fmt::format_string<Args...> text, Args&&... args) {
    add_problem(problems_, {.file = file_, .line = int(line)}, code, text, std::forward<Args>(args)...);
  }
  void hint_of_last(std::string hint) { problems_.back().hint = std::move(hint); }

  bool empty() const { return problems_.empty(); }
  std::size_t size() const { return problems_.size(); }
  /// All of them, with how many more there are.
  Problems take();

 private:
  std::string file_;
  std::size_t shown_;
  Problems problems_;
  std::array<std::size_t, topics> count_{}, last_line_{};
};

/// The part of a file that one scanner reads.
struct CsvRange {
  std::size_t begin = 0, end = 0;  ///< places in the file, both where a row begins or ends
  std::size_t line = 1;            ///< on which it begins
};

/// Reads rows one after the other. A row of plain cells is read by the places of its commas, 64 bytes at a time; a row with
/// quotes, or with anything that is wrong, cell by cell with care. A cell is a place and a length in the bytes of the file; a
/// text with doubled quotes is made anew.
class CsvScanner {
 public:
  CsvScanner(std::string_view file, CsvRange range, CsvOptions const& options, std::string const& name)
      : problems(name, options.problems_shown),
        options_(options),
        file_(file),
        at_(file.data() + range.begin),
        end_(file.data() + range.end),
        line_(range.line),
        next_line_(range.line) {}
  CsvScanner(CsvScanner const&) = delete;

  /// The cells of the next row.
  std::span<const TextPlace> read_row();
  /// All rows from here to the end of the range.
  /// encoders  of each column of the header, or none where its cells are not kept
  /// room      rows that they have room for: a mapped file that is changed meanwhile may show more
  void read_rows(std::span<CellEncoder* const> encoders, std::size_t room);

  TextBytes bytes() const { return {file_, &made_}; }
  std::string& made() { return made_; }
  std::size_t place() const { return std::size_t(at_ - file_.data()); }
  std::size_t line() const { return line_; }
  std::size_t rows() const { return row_; }
  /// Where the row does not begin on the line after that on which the row before began: (row, line).
  std::vector<std::pair<std::size_t, std::size_t>> const& jumps() const { return jumps_; }
  bool row_blank() const { return row_blank_; }
  bool stopped() const { return stopped_; }
  void stop() { stopped_ = true; }
  /// Whether empty lines stand at the end of the range: wrong if a row follows.
  bool ends_blank() const { return pending_blank_ != 0; }

  CsvProblems problems;

 private:
  using Topic = CsvProblems::Topic;

  void plain_rows(std::span<CellEncoder* const> encoders);
  void keep_row(std::span<CellEncoder* const> encoders, std::size_t row_line);
  bool count_row(std::size_t row_line);
  bool has_room();
  void keep(TextPlace cell, std::size_t length);
  void plain_cell();
  void quoted_cell();
  std::size_t offset(const char* at) const { return std::size_t(at - file_.data()); }
  std::size_t room(const char* at) const { return std::size_t(file_.data() + file_.size() - at); }

  CsvOptions const& options_;
  std::string_view file_;
  std::string made_;
  const char* at_;
  const char* end_;
  std::vector<TextPlace> cells_;  // of the row that is read with care
  std::size_t line_, row_ = 0, next_line_, pending_blank_ = 0, most_rows_ = 0;
  std::vector<std::pair<std::size_t, std::size_t>> jumps_;
  bool row_blank_ = false, closed_ = false, stopped_ = false;
};

/// What a part of a file holds, whatever its rows are.
struct ByteSurvey {
  std::size_t quotes = 0, line_feeds = 0;
  bool nul = false, beyond_ascii = false;
};
ByteSurvey survey(std::string_view bytes);

}  // namespace equipoise::data
