#include "equipoise/data/formats/csv.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "equipoise/core/text.h"

namespace equipoise::data {

/// One pass over the bytes, which it owns: a cell is a place and a length in them, and doubled quotes are undoubled where they
/// stand.
class CsvReader {
 public:
  CsvReader(std::string bytes, std::string file, CsvOptions const& options) : options_(options) {
    table_.file = std::move(file);
    table_.bytes_ = std::make_unique<std::string>(std::move(bytes));
  }

  Checked<CellTable> read() {
    std::string& bytes = *table_.bytes_;
    if (bytes.size() > options_.most_bytes) {
      add_problem(problems_, {.file = table_.file}, Code::out_of_range, "the file has {} bytes, and at most {} are read",
                  bytes.size(), options_.most_bytes);
      return fail(std::move(problems_));
    }
    check_bytes();
    if (problems_.empty()) scan();
    counted_rest();
    if (!problems_.empty()) {
      sort_in_file_order(problems_);
      return fail(std::move(problems_));
    }
    return std::move(table_);
  }

 private:
  enum Topic { nul, utf8, quote_inside, after_quote, unterminated, bare_return, ragged, blank_line, long_cell, names, topics };

  template <class... Args>
  void refuse(Topic topic, std::size_t line, Code code, fmt::format_string<Args...> text, Args&&... args) {
    if (++count_[topic] > options_.problems_shown) {
      last_line_[topic] = line;
      return;
    }
    add_problem(problems_, {.file = table_.file, .line = int(line)}, code, text, std::forward<Args>(args)...);
  }

  void counted_rest() {
    constexpr std::array<std::string_view, topics> what{"lines with a NUL byte",        "lines that are not UTF-8",
                                                        "quotes inside unquoted cells", "cells with text after the closing quote",
                                                        "quotes never closed",          "carriage returns without a line feed",
                                                        "rows of another length",       "empty lines",
                                                        "cells that are too long",      "column names"};
    for (std::size_t topic = 0; topic < topics; ++topic)
      if (count_[topic] > options_.problems_shown)
        add_problem(problems_, {.file = table_.file, .line = int(last_line_[topic])}, Code::syntax, "and {} more {}",
                    count_[topic] - options_.problems_shown, what[topic]);
  }

  /// Most files are, and the loop has no branch.
  static bool is_ascii(std::string_view bytes) {
    unsigned char seen = 0;
    for (const char c : bytes) seen |= static_cast<unsigned char>(c);
    return seen < 0x80;
  }

  /// NUL and UTF-8 over the whole file; the lines are looked for only when something is wrong.
  void check_bytes() {
    const std::string_view bytes = *table_.bytes_;
    const bool has_nul = std::memchr(bytes.data(), 0, bytes.size()) != nullptr;
    if (!has_nul && (is_ascii(bytes) || is_utf8(bytes))) return;
    std::size_t line = 1;
    for (std::size_t at = 0; at < bytes.size(); ++line) {
      const std::size_t end = std::min(bytes.find('\n', at), bytes.size());
      const std::string_view text = bytes.substr(at, end - at);
      if (text.find('\0') != std::string_view::npos)
        refuse(nul, line, Code::syntax, "this line has a NUL byte: it is no text, or UTF-16");
      else if (!is_utf8(text)) refuse(utf8, line, Code::syntax, "this line is not UTF-8");
      at = end + 1;
    }
  }

  void scan() {
    std::string& bytes = *table_.bytes_;
    at_ = bytes.data();
    end_ = at_ + bytes.size();
    if (bytes.starts_with("\xEF\xBB\xBF")) at_ += 3;
    if (at_ == end_) {
      add_problem(problems_, {.file = table_.file}, Code::no_data, "the file is empty");
      return;
    }
    read_row();
    take_header();
    if (stopped_) return;
    const std::size_t header_bytes = std::size_t(at_ - bytes.data()) + 1;
    constexpr std::size_t most_reserved = std::size_t(1) << 26;  // a guess from the header must not cost memory by itself
    table_.cells_.reserve(std::min(bytes.size() / header_bytes * columns_, most_reserved));
    while (at_ < end_ && !stopped_) {
      const std::size_t row_line = line_;
      const std::size_t before = table_.cells_.size();
      read_row();
      keep_row(row_line, table_.cells_.size() - before);
    }
    if (table_.rows() == 0 && problems_.empty() && !options_.allow_no_rows)
      add_problem(problems_, {.file = table_.file, .line = 1}, Code::no_data, "the file has a header and no rows");
  }

  /// The cells of one row, to the line break or the end of the file.
  void read_row() {
    row_blank_ = at_ < end_ && (*at_ == '\n' || (*at_ == '\r' && at_ + 1 < end_ && at_[1] == '\n'));
    closed_ = false;
    const std::size_t before = table_.cells_.size();
    while (true) {
      if (at_ < end_ && *at_ == '"') quoted_cell();
      else plain_cell();
      if (stopped_) return;
      if (table_.cells_.size() - before > options_.most_columns) {
        refuse(names, line_, Code::out_of_range, "a row has more than {} cells", options_.most_columns);
        stopped_ = true;
        return;
      }
      if (at_ == end_) return;
      const char separator = *at_++;
      if (separator == ',') continue;
      if (separator == '\r') ++at_;  // and the line feed that was seen to follow
      ++line_;
      closed_ = true;
      return;
    }
  }

  void keep(const char* begin, const char* end) {
    const std::size_t length = std::size_t(end - begin);
    if (length > std::min<std::size_t>(options_.longest_cell, CellTable::length_mask)) {
      refuse(long_cell, line_, Code::out_of_range, "a cell has {} bytes, and at most {} are read", length, options_.longest_cell);
      begin = end;
    }
    table_.cells_.push_back(std::uint64_t(begin - table_.bytes_->data()) << CellTable::length_bits | std::uint64_t(end - begin));
  }

  static bool ends_plain(char c) { return plain_ends[static_cast<unsigned char>(c)]; }
  static constexpr std::array<bool, 256> plain_ends = [] {
    std::array<bool, 256> ends{};
    for (const unsigned char c : {',', '\n', '"', '\r'}) ends[c] = true;
    return ends;
  }();

  void plain_cell() {
    const char* const begin = at_;
    while (true) {
      while (at_ < end_ && !ends_plain(*at_)) ++at_;
      if (at_ == end_ || *at_ == ',' || *at_ == '\n') break;
      if (*at_ == '\r') {
        if (at_ + 1 < end_ && at_[1] == '\n') break;
        refuse(bare_return, line_, Code::syntax, "a carriage return without a line feed");
      } else {
        refuse(quote_inside, line_, Code::syntax, "a quote inside a cell that does not begin with one");
      }
      ++at_;
    }
    keep(begin, at_);
  }

  void quoted_cell() {
    const std::size_t opened = line_;
    char* const begin = ++at_;
    char* kept = begin;  // end of the text so far, undoubled
    while (true) {
      auto* quote = static_cast<char*>(std::memchr(at_, '"', std::size_t(end_ - at_)));
      char* const stop = quote ? quote : end_;
      line_ += std::size_t(std::count(at_, stop, '\n'));
      if (kept != at_) std::memmove(kept, at_, std::size_t(stop - at_));
      kept += stop - at_;
      at_ = stop;
      if (!quote) {
        refuse(unterminated, opened, Code::syntax, "the quote opened on this line is never closed: the file may be cut off");
        stopped_ = true;
        return;
      }
      ++at_;
      if (at_ == end_ || *at_ != '"') break;
      *kept++ = '"';
      ++at_;
    }
    keep(begin, kept);
    if (at_ == end_ || *at_ == ',' || *at_ == '\n' || (*at_ == '\r' && at_ + 1 < end_ && at_[1] == '\n')) return;
    refuse(after_quote, line_, Code::syntax, "text after the closing quote of a cell");
    while (at_ < end_ && *at_ != ',' && *at_ != '\n') ++at_;
    if (at_ < end_ && *at_ == '\n' && at_[-1] == '\r') --at_;
  }

  void take_header() {
    if (stopped_) return;
    columns_ = table_.cells_.size();
    table_.header.resize(columns_);  // cell() counts in columns, so the names are read before any of them is moved
    std::vector<std::string> taken;
    for (std::size_t i = 0; i < columns_; ++i) taken.emplace_back(table_.cell(0, i));
    table_.header = std::move(taken);
    table_.cells_.clear();
    if (row_blank_) {
      refuse(names, 1, Code::syntax, "the first line is empty, and must name the columns");
      stopped_ = true;
      return;
    }
    std::vector<std::pair<std::string_view, std::size_t>> sorted;
    for (std::size_t i = 0; i < columns_; ++i) {
      std::string const& name = table_.header[i];
      if (!name.empty()) {
        sorted.emplace_back(name, i);
        continue;
      }
      refuse(names, 1, Code::syntax, "column {} has no name", i + 1);
      if (i == 0 && problems_.size() == 1)
        problems_.back().hint = "R writes such a column of row names unless told row.names = FALSE";
    }
    std::ranges::sort(sorted);
    for (std::size_t i = 1; i < sorted.size(); ++i)
      if (sorted[i].first == sorted[i - 1].first)
        refuse(names, 1, Code::duplicate, "columns {} and {} are both named '{}'", sorted[i - 1].second + 1, sorted[i].second + 1,
               sorted[i].first);
  }

  void keep_row(std::size_t row_line, std::size_t cells) {
    if (stopped_) return;
    if (row_blank_ && columns_ > 1) {  // wrong only if a row follows
      if (pending_blank_ == 0) pending_blank_ = row_line;
      table_.cells_.resize(table_.cells_.size() - cells);
      return;
    }
    if (pending_blank_ != 0) {
      refuse(blank_line, pending_blank_, Code::syntax, "this line is empty, and rows follow");
      pending_blank_ = 0;
    }
    ++row_;
    if (cells != columns_) {
      const bool cut = cells < columns_ && !closed_;
      refuse(ragged, row_line, Code::syntax, "row {} has {} cell{}, and the header has {}{}", row_, cells, cells == 1 ? "" : "s",
             columns_, cut ? ": this is the last row, the file may be cut off" : "");
      table_.cells_.resize(table_.cells_.size() - cells);
      return;
    }
    if (row_ > options_.most_rows || line_ > 2'000'000'000) {
      refuse(ragged, row_line, Code::out_of_range, "the file has more than {} rows", options_.most_rows);
      stopped_ = true;
      return;
    }
    table_.lines_.push_back(std::uint32_t(row_line));
  }

  CsvOptions const& options_;
  CellTable table_;
  Problems problems_;
  std::array<std::size_t, topics> count_{}, last_line_{};
  char* at_ = nullptr;
  char* end_ = nullptr;
  std::size_t line_ = 1, row_ = 0, columns_ = 0, pending_blank_ = 0;
  bool row_blank_ = false, closed_ = false, stopped_ = false;
};

Checked<CellTable> read_csv(std::string bytes, std::string file, CsvOptions const& options) {
  return CsvReader(std::move(bytes), std::move(file), options).read();
}

}  // namespace equipoise::data
