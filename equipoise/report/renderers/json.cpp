#include "equipoise/core/error.h"
#include "equipoise/report/renderers.h"
#include "equipoise/results/json_writer.h"

namespace equipoise::report {
namespace {

using results::Object;

std::string json(Value const& value) {
  Object out;
  out.text("statistic", value.statistic).real("value", value.raw).text("printed", value.printed);
  if (!value.unit.empty()) out.text("unit", value.unit);
  return out.text("format", value.format).str();
}

std::string json(Cell const& cell) {
  Object out;
  out.text("text", plain_text(cell));
  std::vector<Value> values;
  std::vector<int> notes;
  for (Piece const& piece : cell.pieces) {
    values.insert(values.end(), piece.values.begin(), piece.values.end());
    if (piece.note > 0) notes.push_back(piece.note);
  }
  if (!values.empty()) out.raw("values", results::list(values, [](Value const& one) { return json(one); }));
  if (!notes.empty()) out.raw("footnotes", results::list(notes, [](int note) { return std::to_string(note); }));
  if (cell.span > 1) out.count("span", std::int64_t(cell.span));
  return out.str();
}

std::string json(Row const& row) {
  Object out;
  out.raw("head", json(row.head));
  if (row.indent > 0) out.count("indent", row.indent);
  if (row.heads()) out.flag("heading", true);
  return out.raw("cells", results::list(row.cells, [](Cell const& one) { return json(one); })).str();
}

std::string json(Grid const& grid) {
  Object out;
  if (!grid.title.empty()) out.text("title", grid.title);
  out.raw("columns", results::list(grid.columns, [](Column const& one) { return json(one.name); }));
  return out
      .raw("groups", results::list(grid.groups,
                                   [](RowGroup const& group) {
                                     return results::list(
                                         group.rows, [](Row const& row) { return json(row); }, "\n        ");
                                   }))
      .str();
}

std::string json(Table const& table) {
  Object out;
  out.text("number", table.number).text("id", table.id).text("caption", table.caption).text("population", table.population);
  if (table.n) out.count("n", *table.n);
  std::vector<std::string> lead;
  std::vector<Grid const*> grids;
  for (auto const& part : table.parts) {
    if (const auto* grid = std::get_if<Grid>(&part)) grids.push_back(grid);
    else lead.push_back(plain_text(Cell(std::get<Paragraph>(part).pieces)));
  }
  out.raw("paragraphs", results::texts(lead));
  out.raw("grids", results::list(
                       grids, [](Grid const* one) { return json(*one); }, "\n      "));
  return out.raw("footnotes", results::texts(table.footnotes)).raw("remarks", results::texts(table.remarks)).str();
}

}  // namespace

std::string json_of(std::vector<Table> const& tables) {
  return results::list(
      tables, [](Table const& one) { return json(one); }, "\n    ");
}

std::string with_tables(std::string results_json, std::vector<Table> const& tables) {
  constexpr std::string_view end = "\n}\n";
  expects(results_json.ends_with(end), "results.json ends with its closing brace");
  results_json.resize(results_json.size() - end.size());
  return results_json + ",\n  \"tables\": " + json_of(tables) + std::string(end);
}

}  // namespace equipoise::report
