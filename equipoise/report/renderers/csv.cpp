#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/report/renderers.h"

namespace equipoise::report {
namespace {

std::string quoted(std::string const& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos && (text.empty() || (text.front() != ' ' && text.back() != ' ')))
    return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

/// The lines of one table; `part` counts its grids from 1.
class Lines {
 public:
  Lines(Table const& table, bool simulated) : simulated_(simulated), number_(table.number) {}

  void grid(Grid const& grid) {
    ++part_;
    std::vector<std::string> names;
    for (Column const& column : grid.columns) {
      names.push_back(name_of(column.name));
      for (Piece const& piece : column.name.pieces)
        for (Value const& value : piece.values) line("", "", names.back(), value, marks(column.name));
    }
    for (RowGroup const& group : grid.groups) {
      std::string heading;
      for (Row const& row : group.rows) {
        if (row.heads()) heading = plain_text(row.head);
        std::size_t column = 1;
        for (Cell const& cell : row.cells) {
          add(heading, plain_text(row.head), column < names.size() && cell.span == 1 ? names[column] : "", cell, marks(row.head));
          column += cell.span;
        }
      }
    }
  }
  std::string const& text() const { return out_; }

 private:
  /// A column is called by its head without the participants below it.
  static std::string name_of(Cell const& head) {
    Cell named = head;
    std::erase_if(named.pieces, [](Piece const& piece) { return piece.kind == Piece::Kind::n; });
    return plain_text(named);
  }
  static std::string marks(Cell const& cell) {
    std::string out;
    for (Piece const& piece : cell.pieces)
      if (piece.note > 0) out += (out.empty() ? "" : " ") + std::to_string(piece.note);
    return out;
  }
  void add(std::string const& group, std::string const& row, std::string const& column, Cell const& cell,
           std::string const& of_row) {
    std::string notes = of_row;
    if (const std::string own = marks(cell); !own.empty()) notes += (notes.empty() ? "" : " ") + own;
    bool numbers = false;
    for (Piece const& piece : cell.pieces)
      for (Value const& value : piece.values) line(group, row, column, value, notes), numbers = true;
    if (const std::string text = plain_text(cell); !numbers && !text.empty())
      line(group, row, column, Value{.statistic = "text", .printed = text, .format = "text"}, notes);
  }
  void line(std::string const& group, std::string const& row, std::string const& column, Value const& value,
            std::string const& notes) {
    const std::string raw = std::isnan(value.raw) ? std::string() : shortest(value.raw);
    out_ += (simulated_ ? "yes," : "") + csv_line({number_, std::to_string(part_), group, row, column, value.statistic, raw,
                                                   value.printed, value.unit, value.format, notes});
  }

  bool simulated_;
  std::string number_, out_;
  int part_ = 0;
};

}  // namespace

std::string csv_line(std::vector<std::string> const& cells) {
  std::string out;
  for (std::size_t i = 0; i < cells.size(); ++i) out += (i > 0 ? "," : "") + quoted(cells[i]);
  return out + "\n";
}

std::string csv_of(Table const& table, bool simulated) {
  Lines lines(table, simulated);
  for (auto const& part : table.parts)
    if (const auto* grid = std::get_if<Grid>(&part)) lines.grid(*grid);
  return std::string(simulated ? "simulated," : "") +
         "table,part,group,row,column,statistic,value,printed,unit,format,footnotes\n" + lines.text();
}

std::string file_name_of(std::string_view kind, std::string const& number, std::string const& id) {
  std::string out = std::string(kind) + "-" + number + "-";
  for (const char c : id) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (kept || out.back() != '-') out += kept ? c : '-';
  }
  while (out.back() == '-') out.pop_back();
  return out;
}

std::string file_name(Table const& table) { return file_name_of("t", table.number, table.id); }

}  // namespace equipoise::report
