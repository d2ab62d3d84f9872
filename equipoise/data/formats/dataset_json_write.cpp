#include <algorithm>
#include <set>

#include "equipoise/data/formats/dataset_json.h"

namespace equipoise::data {
namespace {

/// What Dataset-JSON has no place for.
void not_kept(ExchangeTable const& table, Losses& losses) {
  const auto any = [&](auto has) { return std::ranges::any_of(table.columns, has); };
  std::vector<std::string> what;
  if (any([](ExchangeColumn const& c) { return c.numeric && c.bytes != 8; })) what.emplace_back("the bytes of short numbers");
  if (any([](ExchangeColumn const& c) { return !c.informat.empty(); })) what.emplace_back("informats");
  if (any([](ExchangeColumn const& c) { return c.right_justified; })) what.emplace_back("justification");
  if (!table.set_type.empty()) what.emplace_back("the type of the SAS data set");
  if (!table.member.version.empty() || !table.member.system.empty())
    what.emplace_back("version and system of the SAS that wrote the file");
  std::string all;
  for (std::size_t i = 0; i < what.size(); ++i) all += (i == 0 ? "" : ", ") + what[i];
  if (!all.empty()) losses.push_back({.what = "Dataset-JSON has no place for " + all});
  for (ExchangeColumn const& column : table.columns) {
    if (!column.numeric || column.missing.empty()) continue;
    std::size_t special = 0, first = 0;
    for (std::size_t row = 0; row < column.size(); ++row)
      if (const MissingCode code = column.missing[row]; code != present && code != plain_missing && ++special == 1)
        first = row + 1;
    if (special > 0) losses.push_back({true, column.name, "special missing values (._, .A to .Z) become null", special, first});
  }
}

void append_row(std::string& out, ExchangeTable const& table, std::size_t row) {
  out += '[';
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    ExchangeColumn const& column = table.columns[c];
    if (c > 0) out += ',';
    if (column.reason(row) != present) {
      out += "null";
    } else if (!column.numeric) {
      append_json_string(out, column.texts[row]);
    } else if (column.target != TargetType::none && column.type >= DataType::datetime) {
      out += '"';
      append_cell(out, column, row);
      out += '"';
    } else {
      append_cell(out, column, row);
    }
  }
  out += ']';
}

}  // namespace

Checked<JsonWritten> write_dataset_json(ExchangeTable const& table, JsonForm form) {
  Problems problems;
  if (table.columns.empty()) add_problem(problems, {}, Code::no_data, "data set '{}' has no variables", table.name);
  std::set<std::string_view> names;
  for (ExchangeColumn const& column : table.columns)
    if (column.name.empty() || !names.insert(column.name).second)
      add_problem(problems, {}, Code::syntax, "the name '{}' is empty or given twice", column.name);
  if (!problems.empty()) return fail(std::move(problems));

  JsonWritten made;
  not_kept(table, made.losses);
  std::string& out = made.bytes;
  append_json_header(out, table, ",");
  out += ",\"columns\":[";
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (c > 0) out += ',';
    append_json_column(out, table, table.columns[c], ",");
    out += '}';
  }
  out += form == JsonForm::object ? "],\"rows\":[" : "]}\n";
  for (std::size_t row = 0; row < table.rows; ++row) {
    if (form == JsonForm::object && row > 0) out += ',';
    append_row(out, table, row);
    if (form == JsonForm::lines) out += '\n';
  }
  if (form == JsonForm::object) out += "]}";
  return made;
}

}  // namespace equipoise::data
