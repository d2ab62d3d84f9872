#include "equipoise/data/formats.h"

namespace equipoise::data {
namespace {

std::vector<ExchangeTable> one(ExchangeTable&& table) {
  std::vector<ExchangeTable> tables;
  tables.push_back(std::move(table));
  return tables;
}

/// The only data set; of several, a problem that names them.
Checked<ExchangeTable const*> only(std::vector<ExchangeTable> const& tables, std::string const& file, std::string_view instead) {
  if (tables.size() == 1) return &tables.front();
  std::vector<std::string> names;
  for (ExchangeTable const& table : tables) names.push_back(table.name);
  Problems problems;
  add_problem(problems, {.file = file}, Code::usage, "there are {} data sets: {}", tables.size(), join(names, ", ")).hint =
      instead;
  return fail(std::move(problems));
}

constexpr std::string_view choose_one = "this format takes one data set: name it with --member";

Checked<FormatOutput> as_json(std::vector<ExchangeTable> const& tables, JsonForm form, bool compressed) {
  const auto table = only(tables, {}, choose_one);
  if (!table) return fail(table.error());
  auto written = write_dataset_json(**table, form);
  if (!written) return fail(written.error());
  return FormatOutput{compressed ? deflated(written->bytes) : std::move(written->bytes), {}, std::move(written->losses)};
}

}  // namespace

Checked<std::vector<ExchangeTable>> Csv::read(FormatInput input) {
  auto table = read_typed_csv(std::move(input.bytes), input.file, input.sidecar);
  if (!table) return fail(table.error());
  return one(std::move(*table));
}

Checked<FormatOutput> Csv::write(std::vector<ExchangeTable> const& tables) {
  const auto table = only(tables, {}, choose_one);
  if (!table) return fail(table.error());
  auto written = write_typed_csv(**table);
  if (!written) return fail(written.error());
  return FormatOutput{std::move(written->bytes), std::move(written->sidecar), std::move(written->losses)};
}

Checked<CellTable> Xpt::cells(FormatInput input) {
  const auto tables = read_xpt(input.bytes, input.file, input.encoding);
  if (!tables) return fail(tables.error());
  const auto table = only(*tables, input.file, "take one out: equipoise convert FILE ONE.xpt --member NAME");
  if (!table) return fail(table.error());
  return cell_table(**table, std::move(input.file), input.columns);
}

Checked<std::vector<ExchangeTable>> Xpt::read(FormatInput input) { return read_xpt(input.bytes, input.file, input.encoding); }

Checked<FormatOutput> Xpt::write(std::vector<ExchangeTable> const& tables) {
  auto written = write_xpt(tables);
  if (!written) return fail(written.error());
  return FormatOutput{std::move(written->bytes), {}, std::move(written->losses)};
}

Checked<CellTable> DatasetJson::cells(FormatInput input) {
  const auto table = read_dataset_json(input.bytes, input.file);
  if (!table) return fail(table.error());
  return cell_table(*table, std::move(input.file), input.columns);
}

Checked<std::vector<ExchangeTable>> DatasetJson::read(FormatInput input) {
  auto table = read_dataset_json(input.bytes, input.file);
  if (!table) return fail(table.error());
  return one(std::move(*table));
}

Checked<FormatOutput> DatasetJson::write(std::vector<ExchangeTable> const& tables) {
  return as_json(tables, JsonForm::object, false);
}
Checked<FormatOutput> DatasetNdjson::write(std::vector<ExchangeTable> const& tables) {
  return as_json(tables, JsonForm::lines, false);
}
Checked<FormatOutput> CompressedDatasetJson::write(std::vector<ExchangeTable> const& tables) {
  return as_json(tables, JsonForm::lines, true);
}

}  // namespace equipoise::data
