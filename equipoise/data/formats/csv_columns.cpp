#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "equipoise/core/dates.h"
#include "equipoise/core/text.h"
#include "equipoise/data/formats/csv.h"

namespace equipoise::data {
namespace {

constexpr std::size_t shown = 20;  // bad cells of a column; one mistake often fills a column

std::string shortened(std::string_view cell) {
  constexpr std::size_t most = 40;
  std::string text(cell.substr(0, most));
  while (!is_utf8(text)) text.pop_back();  // a character cut in two
  return cell.size() > most ? text + "..." : text;
}

class ColumnReader {
 public:
  ColumnReader(CellTable const& table, CsvColumn const& how, Problems& problems)
      : table_(table), how_(how), problems_(problems) {}

  TypedColumn read() {
    made_.name = how_.name.empty() ? how_.column : how_.name;
    made_.label = how_.label;
    made_.unit = how_.unit;
    made_.kind = how_.kind;
    const auto found = table_.find(how_.column);
    if (!found) {
      Error& error = add_problem(problems_, {.file = table_.file, .line = 1}, Code::missing_column,
                                 "the data have no column '{}'", how_.column);
      if (const auto near = nearest(how_.column, table_.header)) error.hint = fmt::format("did you mean '{}'?", *near);
      else error.hint = "columns: " + join(table_.header, ", ");
      return std::move(made_);
    }
    column_ = *found;
    allocate();
    for (row_ = 0; row_ < table_.rows(); ++row_) {
      const std::string_view cell = table_.cell(row_, column_);
      if (cell.empty()) leave_missing(Missing::not_recorded);
      else if (const Missing reason = named_missing(cell); reason != Missing::none) leave_missing(reason);
      else read_cell(cell);
    }
    if (how_.kind == Kind::code && how_.codes.empty()) sort_levels();
    if (bad_ > shown) add_problem(problems_, place(last_bad_), Code::bad_cell, "and {} more cells of this column", bad_ - shown);
    return std::move(made_);
  }

 private:
  Place place(std::size_t row) const {
    return {.file = table_.file, .line = int(table_.line(row)), .column = 0, .field = how_.column};
  }

  void refuse(std::string message, std::string hint = {}) {
    if (++bad_ <= shown) problems_.push_back(Error{Code::bad_cell, std::move(message), place(row_), std::move(hint)});
    last_bad_ = row_;
  }

  void allocate() {
    const std::size_t rows = table_.rows();
    if (how_.kind == Kind::code) {
      made_.codes.assign(rows, missing_level);
      for (CsvCode const& code : how_.codes) {
        const auto known = std::ranges::find(made_.levels, code.id);  // several texts may mean one level
        places_.emplace(code.cell, std::int32_t(known - made_.levels.begin()));
        if (known != made_.levels.end()) continue;
        made_.levels.push_back(code.id);
        made_.level_labels.push_back(code.label);
      }
      if (std::ranges::all_of(made_.level_labels, &std::string::empty)) made_.level_labels.clear();
    } else if (how_.kind == Kind::text) {
      made_.texts.assign(rows, {});
    } else {
      made_.numbers.assign(rows, missing_number);
    }
  }

  Missing named_missing(std::string_view cell) const {
    for (auto const& [text, reason] : how_.missing)
      if (text == cell) return reason;
    return Missing::none;
  }

  void leave_missing(Missing reason) {
    if (made_.missing.empty()) made_.missing.assign(table_.rows(), Missing::none);
    made_.missing[row_] = reason;
  }

  void read_cell(std::string_view cell) {
    switch (how_.kind) {
      case Kind::number:
      case Kind::integer:
        return read_number(cell);
      case Kind::flag:
        return read_flag(cell);
      case Kind::date:
        return read_date(cell);
      case Kind::code:
        return read_code(cell);
      case Kind::text:
        made_.texts[row_] = cell;
        return;
    }
  }

  void read_number(std::string_view cell) {
    const Bound bound = !how_.bounds          ? Bound::exact
                        : cell.front() == '<' ? Bound::below
                        : cell.front() == '>' ? Bound::above
                                              : Bound::exact;
    const auto number = to_number(bound == Bound::exact ? cell : trimmed(cell.substr(1)));
    if (!number) {
      const bool comma = cell.find(',') != std::string_view::npos;
      return refuse(fmt::format("'{}' is not a number", shortened(cell)),
                    comma ? "numbers have a decimal point, and no separator of thousands" : "");
    }
    constexpr double exactly = 9007199254740992.0;  // 2^53
    if (how_.kind == Kind::integer && (std::trunc(*number) != *number || std::abs(*number) > exactly))
      return refuse(fmt::format("'{}' is not a whole number", shortened(cell)));
    made_.numbers[row_] = *number;
    if (bound == Bound::exact) return;
    if (made_.bounds.empty()) made_.bounds.assign(table_.rows(), Bound::exact);
    made_.bounds[row_] = bound;
  }

  void read_flag(std::string_view cell) {
    std::string_view word = cell;
    for (CsvCode const& code : how_.codes)
      if (code.cell == cell) word = code.id;
    if (word == "1" || word == "true") made_.numbers[row_] = 1;
    else if (word == "0" || word == "false") made_.numbers[row_] = 0;
    else refuse(fmt::format("'{}' is neither 1 nor 0, nor true nor false", shortened(cell)));
  }

  void read_date(std::string_view cell) {
    const auto date = to_partial_date(cell);
    if (!date)
      return refuse(fmt::format("'{}' is not a date", shortened(cell)),
                    "dates are written YYYY-MM-DD, or YYYY-MM or YYYY when the rest is unknown");
    made_.numbers[row_] = day_number(date->earliest);
    if (date->exact() && made_.latest.empty()) return;
    if (made_.latest.empty()) made_.latest = made_.numbers;
    made_.latest[row_] = day_number(date->latest);
  }

  void read_code(std::string_view cell) {
    if (how_.codes.empty()) {
      const auto [found, fresh] = places_.emplace(cell, std::int32_t(made_.levels.size()));
      if (fresh) made_.levels.emplace_back(cell);
      made_.codes[row_] = found->second;
      return;
    }
    const auto found = places_.find(cell);
    if (found != places_.end()) {
      made_.codes[row_] = found->second;
      return;
    }
    if (bad_ >= shown) return refuse({});
    std::vector<std::string> offered;
    for (CsvCode const& code : how_.codes) offered.push_back(code.cell);
    const auto near = nearest(cell, offered);
    refuse(fmt::format("'{}' is no code of '{}'", shortened(cell), made_.name),
           near ? fmt::format("did you mean '{}'?", *near) : "known: " + join(offered, ", "));
  }

  void sort_levels() {
    std::vector<std::int32_t> order(made_.levels.size()), rank(made_.levels.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = std::int32_t(i);
    std::ranges::sort(order, {}, [&](std::int32_t level) -> std::string const& { return made_.levels[level]; });
    std::vector<std::string> sorted;
    for (std::size_t i = 0; i < order.size(); ++i) {
      rank[order[i]] = std::int32_t(i);
      sorted.push_back(std::move(made_.levels[order[i]]));
    }
    made_.levels = std::move(sorted);
    for (std::int32_t& code : made_.codes)
      if (code != missing_level) code = rank[code];
  }

  CellTable const& table_;
  CsvColumn const& how_;
  Problems& problems_;
  TypedColumn made_;
  std::unordered_map<std::string_view, std::int32_t> places_;  // cell text to level
  std::size_t column_ = 0, row_ = 0, bad_ = 0, last_bad_ = 0;
};

void append_value(std::string& out, TypedColumn const& column, std::size_t row) {
  if (column.is_missing(row)) return;
  if (column.kind == Kind::code) return append_csv_cell(out, column.levels[column.codes[row]]);
  if (column.kind == Kind::text) return append_csv_cell(out, column.texts[row]);
  if (column.kind == Kind::date) {
    const double latest = column.latest.empty() ? column.numbers[row] : column.latest[row];
    out += to_string(PartialDate{from_day_number(column.numbers[row]), from_day_number(latest)});
    return;
  }
  if (!column.bounds.empty() && column.bounds[row] != Bound::exact) out += column.bounds[row] == Bound::below ? '<' : '>';
  out += shortest(column.numbers[row]);
}

}  // namespace

void append_csv_cell(std::string& out, std::string_view text) {
  const bool like_byte_order_mark = out.empty() && text.starts_with("\xEF\xBB\xBF");  // a reader would skip it
  if (!like_byte_order_mark && text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

TypedColumn read_column(CellTable const& table, CsvColumn const& how, Problems& problems) {
  return ColumnReader(table, how, problems).read();
}

Checked<Dataset> read_dataset(CellTable const& table, std::span<const CsvColumn> columns) {
  Problems problems;
  DatasetBuilder builder(table.rows());
  for (CsvColumn const& column : columns) {
    const std::size_t before = problems.size();
    TypedColumn made = read_column(table, column, problems);
    if (problems.size() == before) builder.add(std::move(made));
  }
  if (problems.empty()) {
    auto dataset = builder.build();
    if (dataset) return std::move(*dataset);
    problems.push_back(std::move(dataset.error()).at({.file = table.file}));
  }
  sort_in_file_order(problems);
  return fail(std::move(problems));
}

std::string write_csv(Dataset const& dataset) {
  std::string out;
  const auto columns = dataset.columns();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (i > 0) out += ',';
    append_csv_cell(out, columns[i].name);
  }
  out += '\n';
  for (std::size_t row = 0; row < dataset.rows(); ++row) {
    const std::size_t before = out.size();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) out += ',';
      append_value(out, columns[i], row);
    }
    if (out.size() == before)
      out += "\"\"";  // the only cell of its row, missing: an empty line would look like the end of the file
    out += '\n';
  }
  return out;
}

}  // namespace equipoise::data
