#include "equipoise/data/formats/typed_csv.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "equipoise/core/text.h"
#include "equipoise/data/formats/csv.h"
#include "equipoise/data/formats/dataset_json.h"
#include "equipoise/data/formats/encoding.h"
#include "equipoise/data/formats/sas_time.h"
#include "equipoise/data/formats/xpt_layout.h"

namespace equipoise::data {
namespace {

constexpr std::size_t shown = 20;
constexpr std::size_t longest_cell = std::size_t(1) << 20;

/// The keys that a sidecar has beyond Dataset-JSON.
class SidecarKeys final : public MetadataExtension {
 public:
  std::vector<std::optional<std::string>> null_texts;  ///< of each column: the cell that stands for null

  bool key(JsonCursor& cursor, std::string_view key, JsonMetadata& into, std::optional<std::size_t> column) override {
    ExchangeTable& table = into.table;
    if (!column) {
      if (key == "sasType") return text(cursor, table.set_type);
      if (key == "sasMember") return origin(cursor, table.member);
      if (key == "sasLibrary") return origin(cursor, table.library);
      return false;
    }
    if (null_texts.size() <= *column) null_texts.resize(*column + 1);
    ExchangeColumn& at = table.columns[*column];
    std::string got;
    if (key == "informat") return text(cursor, at.informat);
    if (key == "null") {
      if (!text(cursor, got)) return true;
      null_texts[*column] = std::move(got);
      return true;
    }
    if (key == "justify") {
      if (text(cursor, got)) at.right_justified = got == "right";
      return true;
    }
    if (key == "bytes") {
      std::string_view number;
      if (!cursor.number(number)) return true;
      const auto value = to_number(number);
      if (!value || *value < 2 || *value > 8) return cursor.fail("'bytes' must be 2 to 8"), true;
      at.bytes = int(*value);
      return true;
    }
    return false;
  }

 private:
  /// True, as the key is known; a mistake is the cursor's.
  static bool text(JsonCursor& cursor, std::string& into) {
    std::string_view got;
    if (cursor.string(got)) into = got;
    return true;
  }
  static bool origin(JsonCursor& cursor, SasOrigin& into) {
    cursor.object([&](std::string const& key) {
      std::string* const at = key == "version"    ? &into.version
                              : key == "system"   ? &into.system
                              : key == "created"  ? &into.created
                              : key == "modified" ? &into.modified
                                                  : nullptr;
      if (!at) return cursor.fail(fmt::format("'{}' is no key of a SAS origin: version, system, created, modified", key));
      return text(cursor, *at) && !cursor.failed();
    });
    return true;
  }
};

class TypedReader {
 public:
  TypedReader(CellTable const& cells, std::string const& file) : cells_(cells), file_(file) {}

  Checked<ExchangeTable> with(std::string_view sidecar) {
    const std::string name = file_ + ".json";
    JsonCursor cursor(sidecar);
    JsonMetadata metadata;
    SidecarKeys keys;
    const bool begins = cursor.peek() == JsonCursor::Kind::object;
    if (!is_utf8(sidecar)) {
      add_problem(problems_, {.file = name}, Code::syntax, "the file is not UTF-8");
    } else if (!begins || !read_json_metadata(cursor, name, metadata, problems_, &keys) ||
               cursor.peek() != JsonCursor::Kind::end) {
      const auto [line, column] = cursor.line_and_column(cursor.position());
      add_problem(problems_, {.file = name, .line = line, .column = column}, Code::syntax, "{}",
                  cursor.failed() ? cursor.problem()
                  : begins        ? "something follows the end of the object"
                                  : "the file must hold one object");
    }
    if (!problems_.empty()) return fail(std::move(problems_));
    if (metadata.rows_at > 0) add_problem(problems_, {.file = name}, Code::inconsistent, "the sidecar of a CSV file has no rows");
    table_ = std::move(metadata.table);
    keys.null_texts.resize(table_.columns.size());
    std::vector<std::size_t> place;
    for (ExchangeColumn const& column : table_.columns) {
      const auto found = cells_.find(column.name);
      if (!found)
        add_problem(problems_, {.file = file_, .line = 1}, Code::missing_column,
                    "the sidecar names the column '{}', and the data have none", column.name);
      place.push_back(found.value_or(0));
    }
    for (std::string const& header : cells_.header)
      if (std::ranges::none_of(table_.columns, [&](ExchangeColumn const& c) { return c.name == header; }))
        add_problem(problems_, {.file = file_, .line = 1}, Code::inconsistent, "the sidecar does not know the column '{}'",
                    header);
    if (metadata.records != cells_.rows())
      add_problem(problems_, {.file = file_}, Code::inconsistent, "the sidecar says {} rows, and there are {}: {}",
                  *metadata.records, cells_.rows(),
                  *metadata.records > cells_.rows() ? "the file may be cut off" : "one of them is wrong");
    if (!problems_.empty()) return fail(std::move(problems_));
    table_.rows = cells_.rows();
    for (std::size_t c = 0; c < table_.columns.size(); ++c) read_column(table_.columns[c], place[c], keys.null_texts[c]);
    if (!problems_.empty()) return fail(std::move(problems_));
    return std::move(table_);
  }

  Checked<ExchangeTable> alone() {
    table_.name = std::filesystem::path(file_).stem().string();
    if (table_.name.empty() || table_.name == "-") table_.name = "DATA";
    std::ranges::transform(table_.name, table_.name.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
    table_.rows = cells_.rows();
    for (std::size_t c = 0; c < cells_.header.size(); ++c) {
      ExchangeColumn& column = table_.columns.emplace_back();
      column.name = cells_.header[c];
      guess(column, c);
    }
    return std::move(table_);
  }

 private:
  void read_column(ExchangeColumn& column, std::size_t c, std::optional<std::string> const& null_text) {
    const DataType type = column.type;
    const bool time = type == DataType::date || type == DataType::datetime || type == DataType::time;
    column.numeric = type == DataType::integer || type == DataType::single || type == DataType::binary64 ||
                     type == DataType::boolean ||
                     (time && column.target != TargetType::none && !null_text);  // only texts name what stands for null
    std::size_t bad = 0, last_bad = 0;
    for (std::size_t row = 0; row < cells_.rows(); ++row) {
      const std::string_view text = cells_.cell(row, c);
      if (!column.numeric) {
        column.texts.push_back(text);
        if (null_text && text == *null_text) column.set_reason(row, plain_missing), column.texts.empty_last();
      } else if (text.empty()) {
        column.numbers.push_back(missing_number);
        if (!column.missing.empty()) column.set_reason(row, plain_missing);
      } else if (const auto value = cell_number(column, text)) {
        column.numbers.push_back(*value);
      } else if (text.size() == 2 && text[0] == '.' && xpt::is_missing_code(static_cast<unsigned char>(text[1])) &&
                 text[1] != '.') {
        column.numbers.push_back(missing_number);
        column.set_reason(row, text[1]);
      } else if (time && column.missing.empty()) {
        become_text(column);
        column.texts.push_back(text);
      } else {
        column.numbers.push_back(missing_number);
        last_bad = row;
        if (++bad <= shown)
          add_problem(problems_, {.file = file_, .line = int(cells_.line(row)), .field = column.name}, Code::bad_cell,
                      "'{}' is not of type '{}', as the sidecar says", whole_characters(text, 40), word(type));
      }
    }
    if (!column.missing.empty()) column.missing.resize(table_.rows, present);
    if (bad > shown)
      add_problem(problems_, {.file = file_, .line = int(cells_.line(last_bad)), .field = column.name}, Code::bad_cell,
                  "and {} more cells of this column", bad - shown);
  }

  /// The type that all cells allow.
  void guess(ExchangeColumn& column, std::size_t c) {
    const auto all = [&](auto fits) {
      bool any = false;
      for (std::size_t row = 0; row < cells_.rows(); ++row) {
        const std::string_view text = cells_.cell(row, c);
        if (text.empty()) continue;
        any = true;
        if (!fits(text)) return false;
      }
      return any;
    };
    const auto plain_number = [](std::string_view text) {
      const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
      if (text.starts_with('+') ||
          (digits.size() > 1 && digits[0] == '0' && digits[1] != '.' && digits[1] != 'e' && digits[1] != 'E'))
        return false;
      const auto number = to_number(text);
      return number && (std::trunc(*number) != *number || std::abs(*number) < 9007199254740992.0);
    };
    column.numeric = all(plain_number);
    if (!column.numeric) {
      const bool dates = all([](std::string_view text) { return from_iso(SasKind::date, text).has_value(); });
      column.type = dates ? DataType::date : DataType::string;
      for (std::size_t row = 0; row < cells_.rows(); ++row) column.texts.push_back(cells_.cell(row, c));
      return;
    }
    column.numbers.reserve(cells_.rows());
    for (std::size_t row = 0; row < cells_.rows(); ++row)
      column.numbers.push_back(to_number(cells_.cell(row, c)).value_or(missing_number));
    infer_type(column);
  }

  CellTable const& cells_;
  std::string const& file_;
  Problems problems_;
  ExchangeTable table_;
};

/// What stands for null in a column of texts: an empty cell when no text is empty, else a word that is no text of it. A date that
/// is held as text although SAS would have a number says so by naming it, null or not.
std::optional<std::string> null_text(ExchangeColumn const& column) {
  bool any_null = column.type >= DataType::datetime && column.target != TargetType::none, any_empty = false;
  if (column.numeric || (column.missing.empty() && !any_null)) return {};
  for (std::size_t row = 0; row < column.size(); ++row) {
    if (column.reason(row) != present) any_null = true;
    else if (column.texts[row].empty()) any_empty = true;
  }
  if (!any_null) return {};
  if (!any_empty) return std::string();
  const auto taken = [&](std::string_view text) {
    for (std::size_t row = 0; row < column.size(); ++row)
      if (column.texts[row] == text) return true;
    return false;
  };
  std::string made = "NULL";
  while (taken(made)) made += '_';
  return made;
}

void append_origin(std::string& out, std::string_view key, SasOrigin const& origin) {
  if (origin == SasOrigin{}) return;
  out += fmt::format(",\n  \"{}\":{{", key);
  std::string_view between;
  for (auto const& [name, value] : {std::pair("version", &origin.version), std::pair("system", &origin.system),
                                    std::pair("created", &origin.created), std::pair("modified", &origin.modified)}) {
    if (value->empty()) continue;
    out += fmt::format("{}\"{}\":", between, name);
    append_json_string(out, *value);
    between = ",";
  }
  out += '}';
}

std::string sidecar_of(ExchangeTable const& table, std::vector<std::optional<std::string>> const& nulls) {
  std::string out;
  append_json_header(out, table, ",\n  ");
  if (!table.set_type.empty()) {
    out += ",\n  \"sasType\":";
    append_json_string(out, table.set_type);
  }
  append_origin(out, "sasMember", table.member);
  append_origin(out, "sasLibrary", table.library);
  out += ",\n  \"columns\":[";
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    ExchangeColumn const& column = table.columns[c];
    out += c == 0 ? "\n    " : ",\n    ";
    append_json_column(out, table, column, ", ");
    if (column.bytes != 8) out += fmt::format(", \"bytes\":{}", column.bytes);
    if (!column.informat.empty()) {
      out += ", \"informat\":";
      append_json_string(out, column.informat);
    }
    if (column.right_justified) out += ", \"justify\":\"right\"";
    if (nulls[c]) {
      out += ", \"null\":";
      append_json_string(out, *nulls[c]);
    }
    out += '}';
  }
  out += "\n  ]\n}\n";
  return out;
}

}  // namespace

Checked<ExchangeTable> read_typed_csv(FileBytes bytes, std::string const& file, std::optional<std::string_view> sidecar) {
  const auto cells = read_csv(std::move(bytes), file, {.allow_no_rows = true});
  if (!cells) return fail(cells.error());
  TypedReader reader(*cells, file);
  return sidecar ? reader.with(*sidecar) : reader.alone();
}

Checked<CsvWritten> write_typed_csv(ExchangeTable const& table) {
  Problems problems;
  CsvWritten made;
  if (table.columns.empty()) add_problem(problems, {}, Code::no_data, "data set '{}' has no variables", table.name);
  std::set<std::string_view> names;
  std::vector<std::optional<std::string>> nulls;
  for (ExchangeColumn const& column : table.columns) {
    if (column.name.empty() || !names.insert(column.name).second || column.name.find('\0') != std::string::npos)
      add_problem(problems, {}, Code::syntax, "the name '{}' is empty, given twice or no text", column.name);
    std::size_t nul = 0, first = 0;
    for (std::size_t row = 0; row < column.texts.size(); ++row) {
      if (column.texts[row].size() > longest_cell)
        add_problem(problems, {.field = column.name}, Code::out_of_range, "row {}: CSV cells have at most {} bytes here", row + 1,
                    longest_cell);
      if (column.texts[row].find('\0') != std::string_view::npos && ++nul == 1) first = row + 1;
    }
    if (nul > 0) made.losses.push_back({true, column.name, "NUL characters have no place in CSV, and are left out", nul, first});
    nulls.push_back(null_text(column));
  }
  if (!problems.empty()) return fail(std::move(problems));

  std::string& out = made.bytes;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (c > 0) out += ',';
    append_csv_cell(out, table.columns[c].name);
  }
  out += '\n';
  std::string cell;
  for (std::size_t row = 0; row < table.rows; ++row) {
    const std::size_t begin = out.size();
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      ExchangeColumn const& column = table.columns[c];
      if (c > 0) out += ',';
      const MissingCode reason = column.reason(row);
      if (column.numeric) {
        if (reason == present) append_cell(out, column, row);
        else if (reason != plain_missing) (out += '.') += reason;
      } else if (reason != present) {
        append_csv_cell(out, *nulls[c]);
      } else if (const std::string_view text = column.texts[row]; text.find('\0') == std::string_view::npos) {
        append_csv_cell(out, text);
      } else {
        cell = text;
        std::erase(cell, '\0');
        append_csv_cell(out, cell);
      }
    }
    if (out.size() == begin) out += "\"\"";  // an empty line would look like the end of the file
    out += '\n';
  }
  made.sidecar = sidecar_of(table, nulls);
  return made;
}

}  // namespace equipoise::data
