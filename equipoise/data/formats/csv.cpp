#include "equipoise/data/formats/csv.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include "equipoise/core/text.h"
#include "equipoise/core/threads.h"
#include "equipoise/data/formats/csv_scanner.h"

namespace equipoise::data {
namespace {

/// One thread's part of the rows: a scanner, and the columns that it fills.
struct Share {
  CsvRange range;
  std::size_t first_row = 0, most_rows = 0;  ///< places of its rows in the table's columns, some perhaps left over
  std::vector<CellEncoder> columns{};        ///< of the columns kept
  std::unique_ptr<CsvScanner> scanner{};
  std::size_t made_before = 0;  ///< bytes that the shares before it made

  std::size_t rows() const { return scanner->rows(); }
  /// Read to its end, with nothing to tell, and the next share begins where a row does.
  bool whole() const { return scanner->problems.empty() && !scanner->stopped() && scanner->place() == range.end; }
  /// A text as the table has it.
  TextPlace in_table(TextPlace place, std::size_t file) const { return place.begin() < file ? place : place.moved(made_before); }
};

}  // namespace

/// Two looks at the bytes, each by as many threads as the file is worth. The first counts quotes and line feeds, so that the
/// second can begin at the beginnings of rows and knows their lines. What the counts say of quotes is true of a file without
/// mistakes; when a thread finds one, one thread alone reads the file again and tells all of them.
class CsvReader {
 public:
  CsvReader(FileBytes bytes, std::string file, CsvOptions const& options)
      : options_(options), problems_(file, options.problems_shown) {
    table_.file = std::move(file);
    table_.file_ = std::move(bytes);
    file_ = table_.file_.view();
    table_.made_ = std::make_unique<std::string>();
    const std::size_t threads = options.threads > 0 ? options.threads : machine_threads();
    threads_ = std::clamp<std::size_t>(file_.size() / std::max<std::size_t>(options.least_share, 1), 1, threads);
  }

  Checked<CellTable> read() {
    if (file_.size() > options_.most_bytes)
      problems_.add(0, Code::out_of_range, "the file has {} bytes, and at most {} are read", file_.size(), options_.most_bytes);
    else if (look()) scan();
    if (!problems_.empty()) return fail(problems_.take());
    return std::move(table_);
  }

 private:
  std::size_t cut(std::size_t k) const { return file_.size() / threads_ * k + std::min(k, file_.size() % threads_); }

  /// The first look; false when the bytes are no text.
  bool look() {
    surveys_.resize(threads_);
    at_once(threads_, [&](std::size_t k) { surveys_[k] = survey(file_.substr(cut(k), cut(k + 1) - cut(k))); });
    const bool nul = std::ranges::any_of(surveys_, &ByteSurvey::nul);
    if (!nul && (std::ranges::none_of(surveys_, &ByteSurvey::beyond_ascii) || is_text())) return true;
    std::size_t line = 1;
    for (std::size_t at = 0; at < file_.size(); ++line) {
      const std::size_t end = std::min(file_.find('\n', at), file_.size());
      const std::string_view text = file_.substr(at, end - at);
      if (text.find('\0') != std::string_view::npos)
        problems_.refuse(CsvProblems::nul, line, Code::syntax, "this line has a NUL byte: it is no text, or UTF-16");
      else if (!is_utf8(text)) problems_.refuse(CsvProblems::utf8, line, Code::syntax, "this line is not UTF-8");
      at = end + 1;
    }
    return problems_.empty();
  }

  /// No character has a line feed inside, so the parts between line feeds can be looked at apart.
  bool is_text() const {
    std::vector<std::size_t> ends{0};
    for (std::size_t k = 1; k < threads_; ++k)
      ends.push_back(std::min(file_.find('\n', std::max(cut(k), ends.back())), file_.size()));
    ends.push_back(file_.size());
    std::vector<std::uint8_t> fine(threads_);
    at_once(threads_, [&](std::size_t k) { fine[k] = is_utf8(file_.substr(ends[k], ends[k + 1] - ends[k])); });
    return std::ranges::all_of(fine, [](std::uint8_t one) { return one != 0; });
  }

  void scan() {
    CsvRange all{.begin = file_.starts_with("\xEF\xBB\xBF") ? 3u : 0u, .end = file_.size()};
    if (all.begin == all.end) {
      problems_.add(0, Code::no_data, "the file is empty");
      return;
    }
    CsvScanner header(file_, all, options_, table_.file);
    take_header(header);
    if (header.stopped()) {
      problems_ = std::move(header.problems);
      return;
    }
    all.begin = header.place(), all.line = header.line();
    table_.lines_ = {{0, all.line}};
    table_.columns_.resize(table_.header.size());
    std::vector<CsvRange> ranges = header.problems.empty() ? apart(all) : std::vector{all};
    bool done = read_shares(ranges, header);
    if (!done && ranges.size() > 1) done = read_shares({all}, header);
    if (!done) {
      problems_ = std::move(shares_.front().scanner->problems);
      return;
    }
    join_shares();
    if (table_.rows() == 0 && !options_.allow_no_rows) problems_.add(1, Code::no_data, "the file has a header and no rows");
  }

  void take_header(CsvScanner& scanner) {
    const auto cells = scanner.read_row();
    CsvProblems& problems = scanner.problems;
    if (scanner.stopped()) return;
    for (const TextPlace cell : cells) table_.header.emplace_back(scanner.bytes().text(cell));
    if (scanner.row_blank()) {
      problems.refuse(CsvProblems::names, 1, Code::syntax, "the first line is empty, and must name the columns");
      scanner.stop();
      return;
    }
    std::vector<std::pair<std::string_view, std::size_t>> sorted;
    for (std::size_t i = 0; i < table_.header.size(); ++i) {
      std::string const& name = table_.header[i];
      if (!name.empty()) {
        sorted.emplace_back(name, i);
        continue;
      }
      problems.refuse(CsvProblems::names, 1, Code::syntax, "column {} has no name", i + 1);
      if (i == 0 && problems.size() == 1)
        problems.hint_of_last("R writes such a column of row names unless told row.names = FALSE");
    }
    std::ranges::sort(sorted);
    for (std::size_t i = 1; i < sorted.size(); ++i)
      if (sorted[i].first == sorted[i - 1].first)
        problems.refuse(CsvProblems::names, 1, Code::duplicate, "columns {} and {} are both named '{}'", sorted[i - 1].second + 1,
                        sorted[i].second + 1, sorted[i].first);
  }

  /// The rows in as many parts as there are threads. A line feed ends a row where the quotes before it are even in number.
  std::vector<CsvRange> apart(CsvRange const& rows) const {
    std::vector<CsvRange> ranges{rows};
    std::size_t quotes = 0, line_feeds = 0;
    const ByteSurvey before = survey(file_.substr(0, rows.begin));
    for (std::size_t k = 1; k < threads_; ++k) {
      quotes += surveys_[k - 1].quotes, line_feeds += surveys_[k - 1].line_feeds;
      std::size_t at = cut(k), open = (quotes - before.quotes) % 2, line = rows.line + line_feeds - before.line_feeds;
      if (at <= ranges.back().begin) continue;
      for (; at < rows.end && !(file_[at] == '\n' && open == 0); ++at) open ^= file_[at] == '"', line += file_[at] == '\n';
      if (at + 1 >= rows.end) break;
      if (at < ranges.back().begin) continue;
      ranges.back().end = at + 1;
      ranges.push_back({at + 1, rows.end, line + 1});
    }
    return ranges;
  }

  /// Reads the parts at the same time; false when there is something to tell.
  /// header  whose problems come before those of the only part
  bool read_shares(std::vector<CsvRange> const& ranges, CsvScanner& header) {
    kept_.clear();
    for (std::size_t c = 0; c < table_.header.size(); ++c)
      if (options_.columns.empty() || std::ranges::find(options_.columns, table_.header[c]) != options_.columns.end())
        kept_.push_back(c);
    shares_.clear();
    std::size_t rows = 0;
    std::size_t lines = 1;
    for (ByteSurvey const& part : surveys_) lines += part.line_feeds;
    for (std::size_t s = 0; s < ranges.size(); ++s) {
      const std::size_t end_line = s + 1 < ranges.size() ? ranges[s + 1].line : lines + 1;  // the last row may have no line feed
      // A row has a line and, with the commas and the end of its line, a byte a column.
      const std::size_t by_bytes = (ranges[s].end - ranges[s].begin) / table_.header.size() + 1;
      shares_.push_back({.range = ranges[s], .first_row = rows, .most_rows = std::min(end_line - ranges[s].line, by_bytes)});
      rows += shares_.back().most_rows;
    }
    codes_.assign(kept_.size(), {});
    for (auto& codes : codes_) codes.resize(rows);
    at_once(shares_.size(), [&](std::size_t s) {
      Share& share = shares_[s];
      share.scanner = std::make_unique<CsvScanner>(file_, share.range, options_, table_.file);
      if (shares_.size() == 1) share.scanner->problems = std::move(header.problems);
      std::vector<CellEncoder*> encoders(table_.header.size(), nullptr);
      for (auto& codes : codes_) share.columns.emplace_back(codes.data() + share.first_row, share.most_rows);
      for (std::size_t k = 0; k < kept_.size(); ++k) encoders[kept_[k]] = &share.columns[k];
      share.scanner->read_rows(encoders, share.most_rows);
    });
    std::size_t kept = 0;
    for (std::size_t s = 0; s < shares_.size(); ++s) {
      kept += shares_[s].rows();
      if (!shares_[s].whole() || (s + 1 < shares_.size() && shares_[s].scanner->ends_blank())) return false;
    }
    return shares_.size() == 1 || kept <= options_.most_rows;
  }

  void join_shares() {
    std::size_t rows = 0;
    for (Share& share : shares_) {
      const auto last = table_.lines_.back();
      if (last.line + (rows - last.row) != share.range.line) table_.lines_.push_back({rows, share.range.line});
      for (auto const& [row, line] : share.scanner->jumps()) table_.lines_.push_back({rows + row, line});
      share.made_before = table_.made_->size();
      *table_.made_ += share.scanner->made();
      rows += share.rows();
    }
    table_.rows_ = rows;
    std::atomic<std::size_t> next = 0;
    at_once(std::min(shares_.size(), std::max<std::size_t>(kept_.size(), 1)), [&](std::size_t) {
      for (std::size_t k = next++; k < kept_.size(); k = next++) table_.columns_[kept_[k]] = joined(k);
    });
    shares_.clear();
  }

  CellColumn joined(std::size_t k) {
    const TextBytes bytes = table_.bytes();
    numerics::Column<std::uint32_t>& codes = codes_[k];
    TextDictionary& known = shares_.front().columns[k].dictionary();
    bool by_dictionary = std::ranges::none_of(shares_, [&](Share& share) { return share.columns[k].row_by_row(); });
    std::size_t rows = shares_.front().rows();
    std::vector<std::vector<std::uint32_t>> code_of(shares_.size());
    for (std::size_t s = 1; s < shares_.size() && by_dictionary; ++s)
      for (const TextPlace place : shares_[s].columns[k].dictionary().texts()) {
        const TextPlace in_table = shares_[s].in_table(place, file_.size());
        const std::string_view text = bytes.text(in_table);
        code_of[s].push_back(known.code(TextKey::of(text.data(), text.size(), text.size()), in_table, bytes));
        by_dictionary = by_dictionary && code_of[s].back() != TextDictionary::gave_up;
      }
    if (!by_dictionary) return joined_row_by_row(k);
    for (std::size_t s = 1; s < shares_.size(); ++s) {
      const std::uint32_t* const from = codes.data() + shares_[s].first_row;
      for (std::size_t row = 0; row < shares_[s].rows(); ++row) codes[rows + row] = code_of[s][from[row]];
      rows += shares_[s].rows();
    }
    codes.resize(rows);
    return CellColumn(std::move(known.texts()), std::move(codes));
  }

  CellColumn joined_row_by_row(std::size_t k) {
    numerics::Column<TextPlace> texts(table_.rows_);
    std::size_t rows = 0;
    for (Share& share : shares_) {
      CellEncoder& column = share.columns[k];
      column.make_row_by_row(share.rows());
      for (std::size_t row = 0; row < share.rows(); ++row) texts[rows++] = share.in_table(column.each()[row], file_.size());
      column.each() = {};
    }
    codes_[k] = {};
    return CellColumn(std::move(texts));
  }

  CsvOptions const& options_;
  CellTable table_;
  CsvProblems problems_;
  std::string_view file_;
  std::size_t threads_ = 1;
  std::vector<ByteSurvey> surveys_;
  std::vector<std::size_t> kept_;                       // columns whose cells are kept
  std::vector<numerics::Column<std::uint32_t>> codes_;  // of each of them
  std::vector<Share> shares_;
};

Checked<CellTable> read_csv(FileBytes bytes, std::string file, CsvOptions const& options) {
  return CsvReader(std::move(bytes), std::move(file), options).read();
}

}  // namespace equipoise::data
