#include "equipoise/data/formats/csv_scanner.h"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace equipoise::data {
namespace {

constexpr std::size_t block = 64;

bool ends_plain(char c) { return c == ',' || c == '\n' || c == '"' || c == '\r'; }

/// Bit i is set where byte i of a block ends a plain cell.
#if defined(__AVX2__)
std::uint64_t marks(const char* bytes) {
  // A byte is looked up by its low half among the four that are sought, each of which has another; no byte is the one that stands
  // for the other halves.
  const __m256i sought =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(-1, -1, '"', -1, -1, -1, -1, -1, -1, -1, '\n', -1, ',', '\r', -1, 0));
  const auto half = [&](const char* from) {
    const __m256i loaded = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return std::uint64_t(std::uint32_t(_mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_shuffle_epi8(sought, loaded), loaded))));
  };
  return half(bytes) | half(bytes + block / 2) << (block / 2);
}
#else
std::uint64_t marks(const char* bytes) {
  std::uint64_t found = 0;
  for (std::size_t i = 0; i < block; ++i) found |= std::uint64_t(ends_plain(bytes[i])) << i;
  return found;
}
#endif

/// The same of fewer than a block.
std::uint64_t marks(const char* bytes, std::size_t count) {
  if (count >= block) return marks(bytes);
  char padded[block] = {};
  std::memcpy(padded, bytes, count);
  return marks(padded);
}

}  // namespace

ByteSurvey survey(std::string_view bytes) {
  using Lanes = unsigned char __attribute__((vector_size(32)));
  constexpr std::size_t width = sizeof(Lanes), most_steps = 255;  // that a lane can count
  ByteSurvey found;
  Lanes seen{}, nul{};
  std::size_t at = 0;
  while (at + width <= bytes.size()) {
    Lanes quotes{}, line_feeds{}, loaded;
    for (std::size_t step = 0; step < most_steps && at + width <= bytes.size(); ++step, at += width) {
      std::memcpy(&loaded, bytes.data() + at, width);
      quotes -= Lanes(loaded == '"'), line_feeds -= Lanes(loaded == '\n');  // true is -1
      nul |= Lanes(loaded == 0), seen |= loaded;
    }
    for (std::size_t lane = 0; lane < width; ++lane) found.quotes += quotes[lane], found.line_feeds += line_feeds[lane];
  }
  for (std::size_t lane = 0; lane < width; ++lane)
    found.nul = found.nul || nul[lane] != 0, found.beyond_ascii = found.beyond_ascii || seen[lane] >= 0x80;
  for (; at < bytes.size(); ++at) {
    found.quotes += bytes[at] == '"', found.line_feeds += bytes[at] == '\n';
    found.nul = found.nul || bytes[at] == 0;
    found.beyond_ascii = found.beyond_ascii || static_cast<unsigned char>(bytes[at]) >= 0x80;
  }
  return found;
}

Problems CsvProblems::take() {
  constexpr std::array<std::string_view, topics> what{"lines with a NUL byte",        "lines that are not UTF-8",
                                                      "quotes inside unquoted cells", "cells with text after the closing quote",
                                                      "quotes never closed",          "carriage returns without a line feed",
                                                      "rows of another length",       "empty lines",
                                                      "cells that are too long",      "column names"};
  for (std::size_t topic = 0; topic < topics; ++topic)
    if (count_[topic] > shown_) add(last_line_[topic], Code::syntax, "and {} more {}", count_[topic] - shown_, what[topic]);
  sort_in_file_order(problems_);
  return std::move(problems_);
}

void CsvScanner::read_rows(std::span<CellEncoder* const> encoders, std::size_t room) {
  most_rows_ = room;
  while (at_ < end_ && !stopped_) {
    plain_rows(encoders);
    if (at_ == end_ || stopped_) return;
    const std::size_t row_line = line_;
    (void)read_row();
    keep_row(encoders, row_line);
  }
}

/// Rows of plain and simply quoted cells up to one that needs care; ends where a row begins.
void CsvScanner::plain_rows(std::span<CellEncoder* const> encoders) {
  if (!problems.empty() || pending_blank_ != 0) return;  // the careful way counts what there is to tell
  const std::size_t columns = encoders.size();
  const TextBytes texts = bytes();
  const char* base = at_;
  std::uint64_t left = marks(base, std::size_t(end_ - base));
  const auto next_mark = [&]() -> const char* {
    while (left == 0) {
      base += block;
      if (base >= end_) return nullptr;
      left = marks(base, std::size_t(end_ - base));
    }
    const char* const mark = base + std::countr_zero(left);
    left &= left - 1;
    return mark;
  };
  const char* cell = at_;
  std::size_t column = 0;
  for (const char* mark = next_mark(); mark != nullptr && column < columns; mark = next_mark()) {
    const char* stop = mark;
    if (*mark == '"') {  // up to the next quote, and a comma or an end of line after it
      if (mark != cell) return;
      ++cell;
      do {
        stop = next_mark();
        if (!stop || *stop == '\n') return;
      } while (*stop != '"');
      mark = next_mark();
      if (mark != stop + 1 || *mark == '"') return;
    }
    if (*mark == '\r' && (mark + 1 >= end_ || mark[1] != '\n')) return;
    if (column == 0 && !has_room()) return;
    if (CellEncoder* const encoder = encoders[column])
      encoder->put(row_, cell, std::size_t(stop - cell), room(cell), TextPlace::of(offset(cell), std::size_t(stop - cell)),
                   texts);
    ++column;
    cell = mark + 1;
    if (*mark == ',') continue;

    const std::size_t length = std::size_t(mark - at_);
    if (*mark == '\r') {
      const char* const line_feed = next_mark();
      if (!line_feed) return;
      cell = line_feed + 1;
    }
    if (column != columns || length == 0 || length > options_.longest_cell || length > TextPlace::longest) return;
    if (!count_row(line_)) return;
    ++line_;
    at_ = cell;
    column = 0;
  }
}

std::span<const TextPlace> CsvScanner::read_row() {
  row_blank_ = at_ < end_ && (*at_ == '\n' || (*at_ == '\r' && at_ + 1 < end_ && at_[1] == '\n'));
  closed_ = false;
  cells_.clear();
  while (true) {
    if (at_ < end_ && *at_ == '"') quoted_cell();
    else plain_cell();
    if (stopped_) return cells_;
    if (cells_.size() > options_.most_columns) {
      problems.refuse(Topic::names, line_, Code::out_of_range, "a row has more than {} cells", options_.most_columns);
      stopped_ = true;
      return cells_;
    }
    if (at_ == end_) return cells_;
    const char separator = *at_++;
    if (separator == ',') continue;
    if (separator == '\r') ++at_;  // and the line feed that was seen to follow
    ++line_;
    closed_ = true;
    return cells_;
  }
}

void CsvScanner::keep(TextPlace cell, std::size_t length) {
  if (length > std::min<std::size_t>(options_.longest_cell, TextPlace::longest)) {
    problems.refuse(Topic::long_cell, line_, Code::out_of_range, "a cell has {} bytes, and at most {} are read", length,
                    options_.longest_cell);
    cell = {};
  }
  cells_.push_back(cell);
}

void CsvScanner::plain_cell() {
  const char* const begin = at_;
  while (true) {
    while (at_ < end_ && !ends_plain(*at_)) ++at_;
    if (at_ == end_ || *at_ == ',' || *at_ == '\n') break;
    if (*at_ == '\r') {
      if (at_ + 1 < end_ && at_[1] == '\n') break;
      problems.refuse(Topic::bare_return, line_, Code::syntax, "a carriage return without a line feed");
    } else {
      problems.refuse(Topic::quote_inside, line_, Code::syntax, "a quote inside a cell that does not begin with one");
    }
    ++at_;
  }
  keep(TextPlace::of(offset(begin), std::size_t(at_ - begin)), std::size_t(at_ - begin));
}

void CsvScanner::quoted_cell() {
  const std::size_t opened = line_, made_before = made_.size();
  const char* const begin = ++at_;
  const char* from = begin;  // of the text that is not made yet
  while (true) {
    const auto* quote = static_cast<const char*>(std::memchr(at_, '"', std::size_t(end_ - at_)));
    const char* const stop = quote ? quote : end_;
    line_ += std::size_t(std::count(at_, stop, '\n'));
    at_ = stop;
    if (!quote) {
      problems.refuse(Topic::unterminated, opened, Code::syntax,
                      "the quote opened on this line is never closed: the file may be cut off");
      stopped_ = true;
      return;
    }
    ++at_;
    if (at_ == end_ || *at_ != '"') break;
    made_.append(from, at_);  // with the first of the two quotes
    from = ++at_;
  }
  if (from == begin) {
    keep(TextPlace::of(offset(begin), std::size_t(at_ - 1 - begin)), std::size_t(at_ - 1 - begin));
  } else {
    made_.append(from, at_ - 1);
    keep(TextPlace::of(file_.size() + made_before, made_.size() - made_before), made_.size() - made_before);
  }
  if (at_ == end_ || *at_ == ',' || *at_ == '\n' || (*at_ == '\r' && at_ + 1 < end_ && at_[1] == '\n')) return;
  problems.refuse(Topic::after_quote, line_, Code::syntax, "text after the closing quote of a cell");
  while (at_ < end_ && *at_ != ',' && *at_ != '\n') ++at_;
  if (at_ < end_ && *at_ == '\n' && at_[-1] == '\r') --at_;
}

/// Of the row that was read with care.
void CsvScanner::keep_row(std::span<CellEncoder* const> encoders, std::size_t row_line) {
  if (stopped_) return;
  const std::size_t columns = encoders.size();
  if (row_blank_ && columns > 1) {  // wrong only if a row follows
    if (pending_blank_ == 0) pending_blank_ = row_line;
    return;
  }
  if (pending_blank_ != 0) {
    problems.refuse(Topic::blank_line, pending_blank_, Code::syntax, "this line is empty, and rows follow");
    pending_blank_ = 0;
  }
  if (cells_.size() != columns) {
    ++row_;
    const bool cut = cells_.size() < columns && !closed_;
    problems.refuse(Topic::ragged, row_line, Code::syntax, "row {} has {} cell{}, and the header has {}{}", row_, cells_.size(),
                    cells_.size() == 1 ? "" : "s", columns, cut ? ": this is the last row, the file may be cut off" : "");
    return;
  }
  if (problems.empty()) {  // else nobody will look at the cells
    if (!has_room()) return;
    const TextBytes texts = bytes();
    for (std::size_t column = 0; column < columns; ++column) {
      if (!encoders[column]) continue;
      const std::string_view text = texts.text(cells_[column]);
      encoders[column]->put(row_, text.data(), text.size(), text.size(), cells_[column], texts);
    }
  }
  if (!count_row(row_line)) stopped_ = true;
}

/// False, with the problem told, when the places of rows are used up.
bool CsvScanner::has_room() {
  if (row_ < most_rows_) return true;
  problems.add(line_, Code::io, "the file was changed while it was read");
  stopped_ = true;
  return false;
}

/// Counts a row that is kept; false when there are too many.
bool CsvScanner::count_row(std::size_t row_line) {
  if (row_ + 1 > options_.most_rows || line_ > 2'000'000'000) {
    problems.refuse(Topic::ragged, row_line, Code::out_of_range, "the file has more than {} rows", options_.most_rows);
    stopped_ = true;
    return false;
  }
  if (row_line != next_line_) jumps_.emplace_back(row_, row_line);
  next_line_ = row_line + 1;
  ++row_;
  return true;
}

}  // namespace equipoise::data
