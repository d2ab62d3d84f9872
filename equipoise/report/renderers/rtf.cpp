#include <algorithm>
#include <cmath>

#include "equipoise/report/renderers.h"
#include "equipoise/report/renderers/rtf_text.h"

namespace equipoise::report {
namespace {

using rtf::escaped;
using rtf::Line;

// Landscape A4 in twips (1/1440 inch), with margins of 2 cm.
constexpr int paper_width = 16838, paper_height = 11906, margin = 1134, text_width = paper_width - 2 * margin;
constexpr int largest_type = 18, smallest_type = 12;  // in half-points
constexpr double gap = 1;                             // characters free on each side of a column
constexpr double roomy = 22;                          // characters beyond which a column of numbers needs no more room
// Room for a table between the page's header and footer as they are at most: its pages are broken here, so that the heads of
// columns stand on each in programs that do not repeat rows marked as headings (LibreOffice 7.4), too.
constexpr double page_height = paper_height - 2000 - margin;

/// Width of a character in twips: 0.6 of the height in Courier New and what stands in for it.
double character(int half_points) { return 0.6 * half_points * 10; }

std::string twips(double value) { return std::to_string(int(std::lround(value))); }

std::string said(Frame const& frame, std::string_view english, std::string_view chinese) {
  return std::string(frame.language.starts_with("zh") ? chinese : english);
}

double longest_word(std::string_view text) {
  double longest = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    longest = std::max(longest, rtf::width(text.substr(at, end - at)));
    at = end + 1;
  }
  return longest;
}

/// Height of a row in twips, at most: `lines` of the type with the space above and below.
double height(double lines, int half_points, bool chinese, double space) {
  return lines * half_points * 10 * (chinese ? 1.5 : 1.15) + space;
}

bool chinese(std::vector<Line> const& lines) {
  return std::ranges::any_of(lines, [](Line const& line) { return rtf::width(line.text) != std::floor(rtf::width(line.text)); });
}

/// Lines that a text takes in a column of so many characters: words are broken only where they are longer.
double lines_in(std::vector<Line> const& lines, double characters) {
  double sum = 0;
  for (Line const& line : lines) sum += std::max(1.0, std::ceil(1.1 * rtf::width(line.text) / std::max(1.0, characters) - 0.1));
  return sum;
}

/// A grid laid out: lines of each cell, and the width of each column in characters.
struct Layout {
  struct LaidCell {
    std::vector<Line> lines;
    Cell const* cell;
  };
  Grid const* grid;
  std::vector<std::vector<LaidCell>> rows;  ///< cells behind the head, in the order of groups and rows
  std::vector<double> block;                ///< of the numbers of each column, the first unused
  std::vector<double> least, wanted;        ///< of each column

  explicit Layout(Grid const& of) : grid(&of) {
    for (auto const& group : of.groups)
      for (auto const& row : group.rows) {
        rows.emplace_back();
        for (auto const& cell : row.cells) rows.back().push_back({rtf::lines_of(cell), &cell});
      }
    const std::size_t columns = of.columns.size();
    block.resize(columns), least.resize(columns), wanted.resize(columns);
    for (std::size_t c = 1; c < columns; ++c) {
      std::vector<std::vector<Line*>> lines;
      std::size_t r = 0;
      for (auto const& group : of.groups) {
        lines.emplace_back();
        for (std::size_t end = r + group.rows.size(); r < end; ++r) {
          std::size_t at = 1;
          for (auto& one : rows[r]) {
            if (at == c && one.cell->span == 1)
              for (Line& line : one.lines)
                if (!line.text.empty()) lines.back().push_back(&line);
            at += one.cell->span;
          }
        }
      }
      block[c] = rtf::align(lines);
      least[c] = wanted[c] = block[c];
      for (Line const& line : rtf::lines_of(of.columns[c].name)) {
        const double slack = 0.5 + 0.6 * double(line.marks.size());
        least[c] = std::max(least[c], longest_word(line.text) + slack);
        wanted[c] = std::max(wanted[c], std::min(rtf::width(line.text) + slack, roomy));
      }
    }
    for (auto const& group : of.groups)
      for (auto const& row : group.rows)
        if (!row.heads())
          for (Line const& line : rtf::lines_of(row.head)) {
            wanted[0] = std::max(wanted[0], rtf::width(line.text) + 2 * row.indent + 1);
            least[0] = std::max(least[0], std::min(longest_word(line.text) + 2 * row.indent + 1, 30.0));
          }
    for (Line const& line : rtf::lines_of(of.columns[0].name)) least[0] = std::max(least[0], longest_word(line.text));
    wanted[0] = std::max(wanted[0], least[0]);
  }

  double needed() const {
    double sum = 0;
    for (const double one : least) sum += one + 2 * gap;
    return sum;
  }

  /// Right edges of the columns in twips.
  std::vector<int> edges(double character) const {
    std::vector<double> widths = least;
    double left = text_width / character - needed();
    const auto give = [&](std::size_t c, double up_to) {
      const double more = std::min(std::max(0.0, up_to - widths[c]), std::max(0.0, left));
      widths[c] += more, left -= more;
    };
    give(0, std::min(wanted[0], 0.4 * text_width / character));
    for (std::size_t c = 1; c < widths.size(); ++c) give(c, wanted[c]);
    give(0, wanted[0]);
    // What is left is shared by the columns of numbers until they are roomy; the rest goes to the heads of the rows.
    const double each = widths.size() > 1 ? std::max(0.0, left) / double(widths.size() - 1) : 0;
    for (std::size_t c = 1; c < widths.size(); ++c) give(c, std::max(widths[c], std::min(widths[c] + each, roomy)));
    double sum = 0;
    for (const double one : widths) sum += one + 2 * gap;
    const double shrink = std::min(1.0, text_width / (sum * character));  // only below the smallest type
    if (left > 0) widths[0] += left;
    std::vector<int> out;
    double at = 0;
    for (const double one : widths) out.push_back(int(std::lround(at += (one + 2 * gap) * character * shrink)));
    return out;
  }
};

class Pages {
 public:
  explicit Pages(Frame const& frame) : frame_(frame) {}

  void table(Table const& table) {
    std::vector<Layout> layouts;
    double needed = 0;
    const auto printed = [](auto const& part) {  // long lists that a page folds away are for CSV and results.json
      const auto* grid = std::get_if<Grid>(&part);
      return grid && !grid->folded ? grid : nullptr;
    };
    layouts.reserve(table.parts.size());
    for (auto const& part : table.parts)
      if (const auto* grid = printed(part)) needed = std::max(needed, layouts.emplace_back(*grid).needed());
    type_ = largest_type;
    while (type_ > smallest_type && needed * character(type_) > text_width) type_ -= 1;
    section(table);
    used_ = 0;
    out_ += "\\pard" + plain(4) + "\\par\n";  // a section that begins with a table is joined to the one before by some programs
    std::size_t next = 0;
    for (auto const& part : table.parts) {
      if (const auto* paragraph = std::get_if<Paragraph>(&part)) this->paragraph(*paragraph);
      else if (printed(part)) grid(layouts[next++]);
    }
    notes(table);
  }

  std::string document() const {
    // \f1 carries Chinese; its name is that of the font every Word has, and others substitute it.
    return "{\\rtf1\\ansi\\ansicpg1252\\deff0\\uc1\\deflang1033\n{\\fonttbl{\\f0\\fmodern\\fprq1\\fcharset0 Courier New;}"
           "{\\f1\\fnil\\fcharset134 "
           "SimSun;}}\n{\\colortbl;\\red0\\green0\\blue0;\\red110\\green110\\blue110;}\n{\\info{\\title " +
           escaped(frame_.trial) + "}{\\*\\company }}\n\\paperw" + twips(paper_width) + "\\paperh" + twips(paper_height) +
           "\\landscape\\margl" + twips(margin) + "\\margr" + twips(margin) + "\\margt1701\\margb1134\\nowidctlpar\n" + out_ +
           "}\n";
  }

 private:
  std::string plain(int half_points) const { return "\\plain\\f0\\fs" + twips(half_points) + " "; }

  /// Page header and footer of a table, which are its title block and its sources.
  void section(Table const& table) {
    if (!out_.empty()) out_ += "\\sect\n";
    out_ += "\\sectd\\sbkpage\\lndscpsxn\\pgwsxn" + twips(paper_width) + "\\pghsxn" + twips(paper_height) + "\\marglsxn" +
            twips(margin) + "\\margrsxn" + twips(margin) + "\\headery567\\footery454\n";
    const std::string field = "{\\field{\\*\\fldinst PAGE}{\\fldrslt 1}}",
                      total = "{\\field{\\*\\fldinst NUMPAGES}{\\fldrslt 1}}";
    std::string who = frame_.trial;
    if (!frame_.version.empty()) who += said(frame_, ", protocol version ", "，方案版本 ") + frame_.version;
    std::string cutoff = frame_.cutoff.empty() ? "" : said(frame_, "Data cut-off ", "数据截止日 ") + frame_.cutoff;
    std::string label;
    if (frame_.simulated) label += said(frame_, "SIMULATED DATA - no participant is a person", "模拟数据——非真实受试者");
    if (frame_.blinded) label += (label.empty() ? "" : "   ") + said(frame_, "BLINDED - arms by letter", "盲态——各组以字母表示");
    out_ += "{\\header\\pard" + tab() + plain(16) + escaped(who) + "\\tab " + escaped(said(frame_, "Page ", "第 ")) + field +
            escaped(said(frame_, " of ", " 页，共 ")) + total + escaped(said(frame_, "", " 页")) + "\\par\n";
    if (!label.empty() || !cutoff.empty())
      out_ += "\\pard" + tab() + plain(16) + "{\\b " + escaped(label) + "}\\tab " + escaped(cutoff) + "\\par\n";
    out_ += "\\pard\\qc\\sb120" + plain(20) + "{\\b " + escaped(said(frame_, "Table ", "表 ") + table.number) + "}\\par\n";
    out_ += "\\pard\\qc" + plain(20) + "{\\b " + escaped(table.caption) + "}\\par\n";
    std::string population = table.population;
    if (table.n) population += (population.empty() ? "N = " : ", N = ") + std::to_string(*table.n);
    if (!population.empty()) out_ += "\\pard\\qc" + plain(18) + escaped(population) + "\\par\n";
    out_ += "\\pard\\sb0" + plain(8) + "\\par}\n";
    out_ += "{\\footer\\pard\\brdrt\\brdrs\\brdrw10\\brsp40" + plain(13) +
            escaped(said(frame_, "Data: ", "数据：") + (frame_.data_file.empty() ? "" : frame_.data_file + ", ") + "SHA-256 " +
                    frame_.data_digest) +
            "\\line " +
            escaped(said(frame_, "Protocol: SHA-256 ", "方案：SHA-256 ") + frame_.protocol_digest + "   " +
                    said(frame_, "Program: Equipoise ", "程序：Equipoise ") + frame_.program + "   t-" + table.number) +
            "\\par}\n";
  }
  static std::string tab() { return "\\tqr\\tx" + twips(text_width); }

  void paragraph(Paragraph const& paragraph) {
    const bool meta = paragraph.look == Paragraph::Look::meta;
    used_ += 300;
    out_ += "\\pard\\sa60" + std::string(meta ? "\\qc" : "\\ql") + (meta ? "\\keepn" : "") + plain(std::min(type_, 17));
    for (Piece const& piece : paragraph.pieces)
      out_ += piece.kind == Piece::Kind::alert ? "{\\b " + escaped(piece.text) + "}" : escaped(piece.text);
    out_ += "\\par\n";
  }

  std::string text(Line const& line) const {
    return escaped(line.text) + (line.marks.empty() ? "" : "{\\super " + escaped(line.marks) + "}");
  }
  std::string text(std::vector<Line> const& lines) const {
    std::string out;
    for (std::size_t i = 0; i < lines.size(); ++i) out += (i ? "\\line " : "") + text(lines[i]);
    return out;
  }

  /// The definition of a row whose cells end at these edges; `rules`: borders above and below.
  static std::string row_of(std::vector<int> const& edges, bool head, bool rule_above, bool rule_below) {
    std::string out = std::string("\\trowd\\trql\\trgaph0\\trleft0\\trkeep") + (head ? "\\trhdr" : "");
    for (const int edge : edges) {
      if (head) out += "\\clvertalb";
      if (rule_above) out += "\\clbrdrt\\brdrs\\brdrw15";
      if (rule_below) out += "\\clbrdrb\\brdrs\\brdrw15";
      out += "\\cellx" + twips(edge);
    }
    return out + "\n";
  }

  void head(Layout const& layout, std::vector<int> const& edges) {
    Grid const& grid = *layout.grid;
    const double unit = character(type_);
    out_ += row_of(edges, true, true, true);
    double lines = 1;
    bool wide = false;
    for (std::size_t c = 0; c < grid.columns.size(); ++c) {
      const std::vector<Line> name = rtf::lines_of(grid.columns[c].name);
      lines = std::max(lines, lines_in(name, (edges[c] - (c ? edges[c - 1] : 0)) / unit - 2 * gap));
      wide = wide || chinese(name);
      out_ += std::string("\\pard\\intbl\\keepn\\sb40\\sa40") + (c == 0 ? "\\ql" : "\\qc") + "\\li" +
              twips(c == 0 ? 0 : gap * unit) + "\\ri" + twips(c == 0 ? 0 : gap * unit) + plain(type_) + "{\\b " + text(name) +
              "}\\cell\n";
    }
    out_ += "\\row\n";
    used_ += height(lines, type_, wide, 110);
  }

  double height_of(Layout const& layout, Row const& row, std::size_t at, std::vector<int> const& edges) const {
    const std::vector<Line> name = rtf::lines_of(row.head);
    double lines = lines_in(name, (row.heads() ? edges.back() : edges.front()) / character(type_) - 2 * row.indent - 2);
    bool wide = chinese(name);
    for (auto const& cell : layout.rows[at])
      lines = std::max(lines, double(cell.lines.size())), wide = wide || chinese(cell.lines);
    return height(lines, type_, wide, 45);
  }

  void grid(Layout const& layout) {
    Grid const& grid = *layout.grid;
    const std::vector<int> edges = layout.edges(character(type_));
    const double few = height(6, type_, false, 400);  // a table begins on a page with at least some of its rows
    if (used_ + few > page_height) new_page();
    if (!grid.title.empty()) {
      out_ += "\\pard\\keepn\\sb160\\sa60" + plain(type_) + "{\\b " + escaped(grid.title) + "}\\par\n";
      used_ += height(1, type_, true, 220);
    }
    head(layout, edges);
    std::size_t at = 0;
    for (std::size_t g = 0; g < grid.groups.size(); ++g) {
      auto const& rows = grid.groups[g].rows;
      double whole = 0;
      for (std::size_t r = 0; r < rows.size(); ++r) whole += height_of(layout, rows[r], at + r, edges);
      for (std::size_t r = 0; r < rows.size(); ++r, ++at) {
        double next = height_of(layout, rows[r], at, edges);
        if (r == 0 && grid.groups.size() > 1 && rows.size() <= 12) next = whole;  // a group stays together
        else if (rows[r].heads() && r + 1 < rows.size()) next += height_of(layout, rows[r + 1], at + 1, edges);
        bool spaced = r == 0 && at > 0 && grid.groups.size() > 1;
        if (used_ + next + (spaced ? 80 : 0) > page_height) {
          new_page();
          head(layout, edges);
          spaced = false;
        }
        const bool last = r + 1 == rows.size() && g + 1 == grid.groups.size();
        row(layout, rows[r], layout.rows[at], edges, last, spaced);
        used_ += height_of(layout, rows[r], at, edges) + (spaced ? 80 : 0);
      }
    }
    out_ += "\\pard\\sa0" + plain(10) + "\\par\n";
    used_ += 130;
  }

  void new_page() {
    out_ += "\\pard\\pagebb\\sa0" + plain(4) + "\\par\n";
    used_ = 60;
  }

  void row(Layout const& layout, Row const& row, std::vector<Layout::LaidCell> const& cells, std::vector<int> const& edges,
           bool last, bool spaced) {
    const double unit = character(type_);
    const std::string start =
        std::string("\\pard\\intbl\\sb") + (spaced ? "100" : "20") + "\\sa20" + (row.heads() ? "\\keepn" : "");
    if (row.heads()) {
      out_ += row_of({edges.back()}, false, false, last) + start + "\\ql" + plain(type_) + "{\\b " +
              text(rtf::lines_of(row.head)) + "}\\cell\n\\row\n";
      return;
    }
    std::vector<int> own{edges[0]};
    std::size_t column = 0;
    for (auto const& one : cells) own.push_back(edges[std::min(column += one.cell->span, edges.size() - 1)]);
    out_ += row_of(own, false, row.kind == Row::Kind::total, last);
    const double indent = (2 * row.indent + 1) * unit;
    out_ += start + "\\ql\\fi-" + twips(unit) + "\\li" + twips(indent) + "\\ri" + twips(gap * unit) + plain(type_) +
            text(rtf::lines_of(row.head)) + "\\cell\n";
    column = 1;
    for (auto const& one : cells) {
      if (one.cell->span > 1) {
        out_ += start + "\\qc" + plain(type_) + text(one.lines) + "\\cell\n";
      } else {
        // The block of a column stands in its middle, and each line of a cell where its decimal point belongs.
        const double inside = (edges[column] - edges[column - 1] - layout.block[column] * unit) / 2;
        for (std::size_t i = 0; i < one.lines.size(); ++i)
          out_ += (i ? std::string("\\par\n\\pard\\intbl\\sb0\\sa20") : start) + "\\ql\\li" +
                  twips(std::max(0.0, inside + one.lines[i].pad * unit)) + plain(type_) + text(one.lines[i]);
        out_ += "\\cell\n";
      }
      column += one.cell->span;
    }
    out_ += "\\row\n";
  }

  void notes(Table const& table) {
    for (std::size_t i = 0; i < table.footnotes.size(); ++i)
      out_ += "\\pard\\ql\\fi-240\\li240\\sa20" + plain(15) + "{\\super " + std::to_string(i + 1) + "} " +
              escaped(table.footnotes[i]) + "\\par\n";
    for (std::string const& remark : table.remarks) out_ += "\\pard\\ql\\sa20" + plain(15) + escaped(remark) + "\\par\n";
  }

  Frame const& frame_;
  std::string out_;
  int type_ = largest_type;
  double used_ = 0;  ///< of the page, in twips, at most
};

}  // namespace

std::string rtf_of(std::vector<Table> const& tables, Frame const& frame) {
  Pages pages(frame);
  for (Table const& table : tables) pages.table(table);
  return pages.document();
}

}  // namespace equipoise::report
