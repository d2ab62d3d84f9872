#include <algorithm>
#include <charconv>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/data/formats/dataset_json.h"
#include "equipoise/data/formats/encoding.h"
#include "equipoise/data/formats/sas_time.h"

namespace equipoise::data {
namespace {

constexpr std::size_t shown = 20;  // bad cells of one column
constexpr double exactly = 9007199254740992.0;

class DatasetReader final : private MetadataExtension {
 public:
  DatasetReader(std::string_view bytes, std::string const& file) : bytes_(bytes), cursor_(bytes), file_(file) {}

  Checked<ExchangeTable> read() {
    if (!check_bytes()) return fail(std::move(problems_));
    if (cursor_.peek() != JsonCursor::Kind::object) {
      const auto [line, column] = cursor_.line_and_column(cursor_.position());
      add_problem(problems_, {.file = file_, .line = line, .column = column}, Code::syntax,
                  "a Dataset-JSON file begins with an object, and this does not");
      return fail(std::move(problems_));
    }
    if (!read_json_metadata(cursor_, file_, metadata_, problems_, this)) return syntax_mistake();
    if (metadata_.table.columns.empty() && problems_.empty())
      add_problem(problems_, {.file = file_}, Code::no_data, "data set '{}' has no columns", metadata_.table.name);
    if (!problems_.empty()) return fail(std::move(problems_));
    if (!read_rows()) return syntax_mistake();
    finish();
    if (!problems_.empty()) return fail(std::move(problems_));
    return std::move(metadata_.table);
  }

 private:
  bool check_bytes() {
    if (bytes_.empty()) {
      add_problem(problems_, {.file = file_}, Code::no_data, "the file is empty");
      return false;
    }
    if (bytes_.starts_with("\xEF\xBB\xBF")) cursor_.go_to(3);
    if (is_ascii(bytes_) || is_utf8(bytes_)) return true;
    int line = 1;
    for (std::size_t at = 0; at < bytes_.size(); ++line) {
      const std::size_t end = std::min(bytes_.find('\n', at), bytes_.size());
      if (!is_utf8(bytes_.substr(at, end - at))) {
        add_problem(problems_, {.file = file_, .line = line}, Code::syntax, "this line is not UTF-8, as Dataset-JSON must be");
        return false;
      }
      at = end + 1;
    }
    return true;
  }

  tl::unexpected<Problems> syntax_mistake() {
    const auto [line, column] = cursor_.line_and_column(cursor_.position());
    const std::string where = row_ > 0 ? fmt::format("in row {}: ", row_) : std::string();
    add_problem(problems_, {.file = file_, .line = line, .column = column}, Code::syntax, "{}{}", where, cursor_.problem());
    return fail(std::move(problems_));
  }

  void begin_columns() {
    std::vector<ExchangeColumn>& columns = metadata_.table.columns;
    // A promise of the file must not cost memory by itself: no row is shorter than its commas.
    const std::size_t rows = std::min(metadata_.records.value_or(0), bytes_.size() / (2 * columns.size()) + 1);
    for (ExchangeColumn& column : columns) {
      const DataType type = column.type;
      const bool time = type == DataType::date || type == DataType::datetime || type == DataType::time;
      column.numeric = type == DataType::integer || type == DataType::single || type == DataType::binary64 ||
                       type == DataType::boolean || (time && column.target != TargetType::none);
      if (column.numeric) column.numbers.reserve(rows);
      else column.texts.reserve(rows, 0);
    }
    bad_.assign(columns.size(), 0);
    broken_.resize(columns.size());
  }

  /// Rows that stand where their columns are known are read at once.
  bool rows(JsonCursor&, JsonMetadata&) override {
    rows_read_ = true;
    begin_columns();
    if (cursor_.peek() != JsonCursor::Kind::array) cursor_.fail("'rows' must be a list");
    else if (cursor_.array([&] { return read_row(); })) row_ = 0;
    return true;
  }

  /// Rows that are not read yet: before their columns in the object, or after it.
  bool read_rows() {
    const std::size_t end = cursor_.position();
    if (metadata_.rows_at > 0 && !rows_read_) {
      cursor_.go_to(metadata_.rows_at);
      rows(cursor_, metadata_);
      if (cursor_.failed()) return false;
      cursor_.go_to(end);
    } else if (metadata_.rows_at == 0) {
      begin_columns();
      while (cursor_.peek() != JsonCursor::Kind::end)
        if (!read_row()) return false;
      row_ = 0;
    }
    return cursor_.peek() == JsonCursor::Kind::end || cursor_.fail("something follows the end of the data set");
  }

  bool read_row() {
    std::vector<ExchangeColumn>& columns = metadata_.table.columns;
    row_ = ++metadata_.table.rows;
    if (cursor_.peek() != JsonCursor::Kind::array) return cursor_.fail("a row must be a list of cells");
    (void)cursor_.take('[');
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (c > 0 && !cursor_.take(','))
        return cursor_.fail(cursor_.peek() == JsonCursor::Kind::end
                                ? "the file ends within the row: it is cut off"
                                : fmt::format("the row has {} cells, and there are {} columns", c, columns.size()));
      if (!read_cell(columns[c], c)) return false;
    }
    if (cursor_.take(']')) return true;
    if (cursor_.peek() == JsonCursor::Kind::end) return cursor_.fail("the file ends within the row: it is cut off");
    return cursor_.fail(fmt::format("the row has more cells than the {} columns", columns.size()));
  }

  /// Keeps the shape of the columns, so that the next cells can be read and checked.
  bool bad_cell(ExchangeColumn& column, std::size_t c, std::string message, std::string_view hint = {}) {
    if (++bad_[c] <= shown)
      problems_.push_back(Error{
          Code::bad_cell, fmt::format("row {}: {}", row_, message), {.file = file_, .field = column.name}, std::string(hint)});
    if (column.numeric) column.numbers.push_back(missing_number);
    else column.texts.push_back({});
    return true;
  }

  static std::string_view in_words(JsonCursor::Kind kind) {
    using K = JsonCursor::Kind;
    return kind == K::string      ? "a text"
           : kind == K::number    ? "a number"
           : kind == K::object    ? "an object"
           : kind == K::array     ? "a list"
           : kind == K::null_word ? "null"
                                  : "true or false";
  }

  bool read_cell(ExchangeColumn& column, std::size_t c) {
    using K = JsonCursor::Kind;
    const K kind = cursor_.peek();
    const std::size_t place = column.size();
    switch (kind) {
      case K::null_word:
        if (!cursor_.word()) return false;
        if (column.numeric) column.numbers.push_back(missing_number);
        else column.texts.push_back({}), column.set_reason(place, plain_missing);
        return true;
      case K::string: {
        std::string_view text;
        if (!cursor_.string(text)) return false;
        if (!column.numeric) {
          if (column.type == DataType::decimal && !text.empty() && !to_number(text))
            return bad_cell(column, c, fmt::format("'{}' is no decimal", whole_characters(text, 40)));
          column.texts.push_back(text);
          return true;
        }
        if (column.target == TargetType::none)
          return bad_cell(column, c, fmt::format("a text, and the column is of dataType '{}'", word(column.type)));
        if (const auto value = cell_number(column, text)) {
          column.numbers.push_back(*value);
          return true;
        }
        become_text(column);  // partial, with a zone, or written in another way: kept as it is
        column.texts.push_back(text);
        return true;
      }
      case K::number: {
        std::string_view text;
        if (!cursor_.number(text)) return false;
        return read_number(column, c, text);
      }
      case K::true_word:
      case K::false_word:
        if (!cursor_.word()) return false;
        if (column.type != DataType::boolean)
          return bad_cell(column, c, fmt::format("true or false, and the column is of dataType '{}'", word(column.type)));
        column.numbers.push_back(kind == K::true_word ? 1 : 0);
        return true;
      case K::end:
        return cursor_.fail("the file ends within the row: it is cut off");
      case K::object:
      case K::array:
        if (!cursor_.skip()) return false;
        return bad_cell(column, c, fmt::format("{}, and cells are single values", in_words(kind)));
      case K::other:
        break;
    }
    return cursor_.fail("a cell must be a text, a number, true, false or null");
  }

  bool read_number(ExchangeColumn& column, std::size_t c, std::string_view text) {
    if (column.type == DataType::decimal) {  // to be written as a text; taken as it stands
      column.texts.push_back(text);
      return true;
    }
    const bool number = column.type == DataType::integer || column.type == DataType::single || column.type == DataType::binary64;
    if (!number)
      return bad_cell(
          column, c,
          fmt::format("the number {}, and the column is of dataType '{}'", whole_characters(text, 40), word(column.type)));
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
      return bad_cell(column, c, fmt::format("{} is beyond what a double holds", whole_characters(text, 40)));
    if (column.type == DataType::integer) {
      if (std::trunc(value) != value) {
        if (++broken_[c].cells == 1) broken_[c].first_row = row_;
      } else if (std::abs(value) >= exactly) {
        return bad_cell(column, c, fmt::format("{} has more digits than a double holds", whole_characters(text, 40)),
                        "such numbers are of dataType 'decimal'");
      }
    }
    column.numbers.push_back(value == 0 ? 0 : value);
    return true;
  }

  void finish() {
    ExchangeTable& table = metadata_.table;
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      ExchangeColumn& column = table.columns[c];
      if (!column.missing.empty()) column.missing.resize(table.rows, present);
      if (broken_[c].cells > 0) {
        broken_[c].column = column.name;
        broken_[c].what = "the dataType is 'integer' and the numbers are not whole; they are kept";
        table.losses.push_back(std::move(broken_[c]));
      }
      if (bad_[c] > shown)
        add_problem(problems_, {.file = file_, .field = column.name}, Code::bad_cell, "and {} more cells of this column",
                    bad_[c] - shown);
    }
    if (metadata_.records != table.rows)
      add_problem(problems_, {.file = file_}, Code::inconsistent, "'records' says {} rows, and there are {}: {}",
                  *metadata_.records, table.rows,
                  *metadata_.records > table.rows ? "the file may be cut off" : "one of them is wrong");
  }

  std::string_view bytes_;
  JsonCursor cursor_;
  std::string const& file_;
  JsonMetadata metadata_;
  Problems problems_;
  std::vector<std::size_t> bad_;
  Losses broken_;        // of each column: numbers in it that are not whole, as files in use have
  std::size_t row_ = 0;  // that is being read, from 1
  bool rows_read_ = false;
};

}  // namespace

Checked<ExchangeTable> read_dataset_json(std::string_view bytes, std::string const& file) {
  if (!is_compressed(bytes)) return DatasetReader(bytes, file).read();
  const auto whole = inflated(bytes);
  if (!whole) return fail(Problems{Error(whole.error()).at({.file = file})});
  return DatasetReader(*whole, file).read();
}

}  // namespace equipoise::data
