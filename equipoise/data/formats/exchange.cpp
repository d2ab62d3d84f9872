#include "equipoise/data/formats/exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/data/formats/sas_time.h"

namespace equipoise::data {
namespace {

constexpr std::array<std::string_view, 10> type_words{"string",  "integer",  "decimal", "float", "double",
                                                      "boolean", "datetime", "date",    "time",  "URI"};
constexpr double exactly = 9007199254740992.0;  // 2^53: below it a whole number is no other's nearest double

SasKind kind_of(DataType type) {
  return type == DataType::date       ? SasKind::date
         : type == DataType::datetime ? SasKind::datetime
         : type == DataType::time     ? SasKind::time
                                      : SasKind::number;
}

}  // namespace

std::string_view word(DataType type) { return type_words[std::size_t(type)]; }

std::optional<DataType> data_type(std::string_view text) {
  const auto found = std::ranges::find(type_words, text);
  return found == type_words.end() ? std::nullopt : std::optional(DataType(found - type_words.begin()));
}

void ExchangeColumn::set_reason(std::size_t row, MissingCode code) {
  if (missing.empty() && numeric && code == plain_missing) return;
  if (missing.empty() && code == present) return;
  if (missing.empty()) {
    const std::size_t rows = std::max(size(), row + 1);
    std::vector<MissingCode> all(rows, present);
    if (numeric)
      for (std::size_t i = 0; i < numbers.size(); ++i)
        if (std::isnan(numbers[i])) all[i] = plain_missing;
    missing = std::move(all);
  }
  if (missing.size() <= row) missing.resize(row + 1, present);
  missing[row] = code;
}

bool operator==(ExchangeColumn const& a, ExchangeColumn const& b) {
  const auto attributes = [](ExchangeColumn const& c) {
    return std::tie(c.name, c.label, c.item_oid, c.type, c.target, c.length, c.bytes, c.format, c.informat, c.right_justified,
                    c.key_sequence, c.numeric);
  };
  if (attributes(a) != attributes(b) || a.size() != b.size()) return false;
  for (std::size_t row = 0; row < a.size(); ++row) {
    if (a.reason(row) != b.reason(row)) return false;
    if (a.reason(row) != present) continue;
    if (a.numeric ? a.numbers[row] != b.numbers[row] : a.texts[row] != b.texts[row]) return false;
  }
  return true;
}

bool operator==(ExchangeTable const& a, ExchangeTable const& b) {
  const auto parts = [](ExchangeTable const& t) {
    return std::tie(t.name, t.label, t.set_type, t.created, t.modified, t.member, t.library, t.study, t.rows, t.columns);
  };
  return parts(a) == parts(b);
}

std::string sentence(Loss const& loss) {
  std::string text = loss.column.empty() ? "" : fmt::format("column '{}': ", loss.column);
  if (loss.cells > 0) text += fmt::format("{} {}: ", loss.cells, loss.cells == 1 ? "cell" : "cells");
  text += loss.what;
  if (loss.first_row > 0) text += fmt::format(" ({}row {})", loss.cells > 1 ? "first in " : "", loss.first_row);
  return text;
}

void append_number(std::string& out, double value) {
  if (value == 0) {
    out += '0';
  } else if (std::trunc(value) == value && std::abs(value) <= exactly) {
    const fmt::format_int text(static_cast<long long>(value));
    out.append(text.data(), text.size());
  } else {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
}

void append_cell(std::string& out, ExchangeColumn const& column, std::size_t row) {
  if (!column.numeric) {
    out += column.texts[row];
    return;
  }
  const double value = column.numbers[row];
  if (column.type == DataType::boolean) out += value == 1 ? "true" : "false";
  else if (const SasKind kind = kind_of(column.type); kind != SasKind::number) append_iso(out, kind, value);
  else append_number(out, value);
}

std::optional<double> cell_number(ExchangeColumn const& column, std::string_view text) {
  if (column.type == DataType::boolean) {
    if (text == "true") return 1;
    if (text == "false") return 0;
    return {};
  }
  if (const SasKind kind = kind_of(column.type); kind != SasKind::number) return from_iso(kind, text);
  const auto number = to_number(text);
  if (number && column.type == DataType::integer && std::trunc(*number) == *number && std::abs(*number) >= exactly) return {};
  return number;
}

void become_text(ExchangeColumn& column) {
  TextCells texts;
  texts.reserve(column.numbers.size(), column.numbers.size() * 10);
  for (std::size_t row = 0; row < column.numbers.size(); ++row) {
    const bool there = column.reason(row) == present;
    texts.keep([&](std::string& out) {
      if (there) append_cell(out, column, row);
    });
  }
  std::vector<MissingCode> missing;
  for (std::size_t row = 0; row < column.numbers.size(); ++row)
    if (column.reason(row) != present) {
      if (missing.empty()) missing.assign(column.numbers.size(), present);
      missing[row] = plain_missing;
    }
  column.texts = std::move(texts);
  column.missing = std::move(missing);
  column.numbers = {};
  column.numeric = false;
}

void infer_type(ExchangeColumn& column) {
  bool whole = true, dated = true;
  const SasKind kind = sas_kind(column.format);
  for (const double value : column.numbers) {
    if (std::isnan(value)) continue;
    whole = whole && std::trunc(value) == value && std::abs(value) < exactly;
    dated = dated && kind != SasKind::number && has_iso(kind, value);
    if (!whole && !dated) break;
  }
  column.target = TargetType::none;
  if (kind == SasKind::number || !dated) {
    column.type = whole ? DataType::integer : DataType::single;
    return;
  }
  column.type = kind == SasKind::date ? DataType::date : kind == SasKind::time ? DataType::time : DataType::datetime;
  column.target = whole ? TargetType::integer : TargetType::decimal;
}

Checked<CellTable> cell_table(ExchangeTable const& table, std::string file, std::span<const std::string> wanted) {
  Problems problems;
  std::vector<std::string> header;
  for (ExchangeColumn const& column : table.columns) {
    if (column.name.empty()) add_problem(problems, {.file = file}, Code::syntax, "variable {} has no name", header.size() + 1);
    else if (std::ranges::find(header, column.name) != header.end())
      add_problem(problems, {.file = file}, Code::duplicate, "two variables are named '{}'", column.name);
    header.push_back(column.name);
  }
  if (header.empty()) add_problem(problems, {.file = file}, Code::no_data, "data set '{}' has no variables", table.name);
  if (table.rows == 0) add_problem(problems, {.file = file}, Code::no_data, "data set '{}' has no rows", table.name);
  constexpr std::size_t longest = std::size_t(1) << 20;  // as of CSV
  for (ExchangeColumn const& column : table.columns)
    for (std::size_t row = 0; row < column.texts.size(); ++row)
      if (column.texts[row].size() > longest) {
        add_problem(problems, {.file = file, .field = column.name}, Code::out_of_range,
                    "row {}: a text has {} bytes, and at most {} are read", row + 1, column.texts[row].size(), longest);
        break;
      }
  if (!problems.empty()) return fail(std::move(problems));
  CellTable made = CellTable::without_lines(std::move(file), std::move(header), table.rows);
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    ExchangeColumn const& column = table.columns[c];
    if (!wanted.empty() && std::ranges::find(wanted, column.name) == wanted.end()) continue;
    made.fill(c, [&](std::string& out, std::size_t row) {
      if (column.reason(row) == present) append_cell(out, column, row);
    });
  }
  return made;
}

}  // namespace equipoise::data
