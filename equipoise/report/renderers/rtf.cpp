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
      std::vector<Line*> lines;
      for (auto& row : rows) {
        std::size_t at = 1;
        for (auto& one : row) {
          if (at == c && one.cell->span == 1)
            for (Line& line : one.lines)
              if (!line.text.empty()) lines.push_back(&line);
          at += one.cell->span;
        }
      }
      block[c] = rtf::align(lines);
      least[c] = wanted[c] = block[c];
      for (Line const& line : rtf::lines_of(of.columns[c].name)) {
        least[c] = std::max(least[c], longest_word(line.text));
        wanted[c] = std::max(wanted[c], std::min(rtf::width(line.text), roomy));
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
    for (auto const& part : table.parts)
      if (const auto* grid = std::get_if<Grid>(&part)) needed = std::max(needed, layouts.emplace_back(*grid).needed());
    type_ = largest_type;
    while (type_ > smallest_type && needed * character(type_) > text_width) type_ -= 1;
    section(table);
    std::size_t next = 0;
    for (auto const& part : table.parts) {
      if (const auto* paragraph = std::get_if<Paragraph>(&part)) this->paragraph(*paragraph);
      else grid(layouts[next++]);
    }
    notes(table);
  }

  std::string document() const {
    // \f1 carries Chinese; its name is that of the font every Word has, and others substitute it.
    return "{\\rtf1\\ansi\\ansicpg1252\\deff0\\uc1\\deflang1033\n{\\fonttbl{\\f0\\fmodern\\fprq1\\fcharset0 Courier New;}"
           "{\\f1\\fnil\\fcharset134 SimSun;}}\n{\\colortbl;\\red0\\green0\\blue0;\\red110\\green110\\blue110;}\n{\\info{\\title " +
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
    const std::string field = "{\\field{\\*\\fldinst PAGE}{\\fldrslt 1}}", total = "{\\field{\\*\\fldinst NUMPAGES}{\\fldrslt 1}}";
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

  void grid(Layout const& layout) {
    Grid const& grid = *layout.grid;
    const double unit = character(type_);
    const std::vector<int> edges = layout.edges(unit);
    if (!grid.title.empty()) out_ += "\\pard\\keepn\\sb160\\sa60" + plain(type_) + "{\\b " + escaped(grid.title) + "}\\par\n";
    out_ += row_of(edges, true, true, true);
    for (std::size_t c = 0; c < grid.columns.size(); ++c)
      out_ += std::string("\\pard\\intbl\\keepn\\sb40\\sa40") + (c == 0 ? "\\ql" : "\\qc") + "\\li" + twips(c == 0 ? 0 : gap * unit) + "\\ri" +
              twips(gap * unit) + plain(type_) + "{\\b " + text(rtf::lines_of(grid.columns[c].name)) + "}\\cell\n";
    out_ += "\\row\n";
    std::size_t at = 0;
    for (std::size_t g = 0; g < grid.groups.size(); ++g)
      for (std::size_t r = 0; r < grid.groups[g].rows.size(); ++r, ++at) {
        const bool last_of_group = r + 1 == grid.groups[g].rows.size();
        const bool together = !last_of_group && grid.groups[g].rows.size() <= 12 && grid.groups.size() > 1;
        row(layout, grid.groups[g].rows[r], layout.rows[at], edges, together, last_of_group && g + 1 == grid.groups.size(),
            r == 0 && at > 0 && grid.groups.size() > 1);
      }
    out_ += "\\pard\\sa0" + plain(8) + "\\par\n";
  }

  void row(Layout const& layout, Row const& row, std::vector<Layout::LaidCell> const& cells, std::vector<int> const& edges,
           bool together, bool last, bool spaced) {
    const double unit = character(type_);
    const std::string start =
        std::string("\\pard\\intbl\\sb") + (spaced ? "100" : "20") + "\\sa20" + (together || row.heads() ? "\\keepn" : "");
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
          out_ += (i ? std::string("\\par\n\\pard\\intbl\\sb0\\sa20") + (together ? "\\keepn" : "") : start) + "\\ql\\li" +
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
};

}  // namespace

std::string rtf_of(std::vector<Table> const& tables, Frame const& frame) {
  Pages pages(frame);
  for (Table const& table : tables) pages.table(table);
  return pages.document();
}

}  // namespace equipoise::report
