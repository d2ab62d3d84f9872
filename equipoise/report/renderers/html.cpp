#include "equipoise/report/renderers.h"

namespace equipoise::report {
namespace {

using Kind = Piece::Kind;

Markup symbol_of(Piece const& piece, std::string_view css) {
  return element("span", {{"class", std::string(css)}, {"role", std::string("img")}, {"aria-label", piece.text}}, symbol(piece));
}

Markup html_of(std::vector<Piece> const& pieces) {
  Markup out;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    Piece const& piece = pieces[i];
    Markup inside(piece.text);
    // An alert stands inside the piece before it.
    for (; piece.kind == Kind::place && i + 1 < pieces.size() && pieces[i + 1].kind == Kind::alert; ++i)
      inside += element("strong", "problem-inline", pieces[i + 1].text);
    switch (piece.kind) {
      case Kind::plain:
        out += inside;
        break;
      case Kind::main:
        out += element("span", "est", inside);
        break;
      case Kind::under:
        out += element("span", "ci", inside);
        break;
      case Kind::place:
        out += element("span", "place", inside);
        break;
      case Kind::alert:
        out += element("strong", "problem-inline", inside);
        break;
      case Kind::italic:
        out += element("i", inside);
        break;
      case Kind::mark:
        out += element("sup", inside);
        break;
      case Kind::tag:
        out += element("span", "tag", inside);
        break;
      case Kind::n:
        out += element("span", "heading-n", inside);
        break;
      case Kind::window:
        out += element("span", "window", inside);
        break;
      case Kind::seen:
        out += symbol_of(piece, "seen");
        break;
      case Kind::unseen:
        out += symbol_of(piece, "unseen");
        break;
      case Kind::dot:
        out += symbol_of(piece, "dot");
        break;
    }
  }
  return out;
}

Markup head_of(Column const& column) {
  Attributes attributes{{"scope", std::string("col")}};
  if (column.align == Column::Align::number) attributes.emplace_back("class", std::string("num"));
  if (column.align == Column::Align::square) attributes.emplace_back("class", std::string("square"));
  return element("th", attributes, html_of(column.name.pieces));
}

Markup html_of(Cell const& cell) {
  Attributes attributes;
  if (cell.span > 1) attributes.emplace_back("colspan", std::to_string(cell.span));
  switch (cell.look) {
    case Cell::Look::square:
      attributes.emplace_back("class", std::string("square"));
      break;
    case Cell::Look::any_time:
      attributes.emplace_back("class", std::string("any"));
      break;
    case Cell::Look::same:
      attributes.emplace_back("class", std::string("same"));
      break;
    case Cell::Look::text:
      attributes.emplace_back("class", std::string("text"));
      break;
    case Cell::Look::number:
    case Cell::Look::blank:
      break;
  }
  return element("td", attributes, html_of(cell.pieces));
}

Markup html_of(Row const& row, std::size_t columns) {
  Attributes head{{"scope", std::string(row.heads() ? "rowgroup" : "row")}};
  if (row.heads()) head.emplace_back("colspan", std::to_string(columns));
  if (row.indent > 0) head.emplace_back("class", std::string(row.indent > 1 ? "sub sub2" : "sub"));
  Markup cells = element("th", head, html_of(row.head.pieces));
  for (Cell const& cell : row.cells) cells += html_of(cell);
  constexpr std::string_view css[] = {"", "item", "visit", "total"};
  return row.kind == Row::Kind::body ? element("tr", cells) : element("tr", css[std::size_t(row.kind)], cells);
}

Markup html_of(Grid const& grid) {
  constexpr std::string_view css[] = {"data", "data baseline", "data by-visit", "data patterns", "data minor", "grid"};
  Markup head, body;
  for (Column const& column : grid.columns) head += head_of(column);
  for (RowGroup const& group : grid.groups) {
    Markup rows;
    for (Row const& row : group.rows) rows += html_of(row, grid.columns.size());
    body += group.here ? element("tbody", "here", rows) : element("tbody", rows);
  }
  std::string look(css[std::size_t(grid.look)]);
  if (grid.look == Grid::Look::baseline && grid.columns.size() > 6) look += " many";  // printed smaller
  const Markup table = scrolling("scroll", element("table", look, element("thead", element("tr", head)) + body));
  if (grid.folded) return element("details", element("summary", grid.title) + table);
  return grid.title.empty() ? table : element("p", "minor-head", grid.title) + table;
}

Markup html_of(Paragraph const& paragraph) {
  const Markup inside = html_of(paragraph.pieces);
  switch (paragraph.look) {
    case Paragraph::Look::meta:
      return element("p", "meta", inside);
    case Paragraph::Look::note:
      return element("p", "note", inside);
    case Paragraph::Look::problem:
      return element("p", {{"class", std::string("problem")}, {"role", std::string("note")}}, inside);
    case Paragraph::Look::plain:
      break;
  }
  return element("p", inside);
}

}  // namespace

Markup html_of(Table const& table) {
  Markup out;
  for (auto const& part : table.parts) out += std::visit([](auto const& one) { return html_of(one); }, part);
  Markup notes;
  for (std::string const& sentence : table.footnotes) notes += element("li", sentence);
  if (!notes.empty()) out += element("ol", "notes", notes);
  for (std::string const& remark : table.remarks) out += element("p", "note", remark);
  return out;
}

}  // namespace equipoise::report
