#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "equipoise/report/cgd_fixture.h"
#include "equipoise/report/page.h"
#include "equipoise/report/renderers.h"
#include "equipoise/report/renderers/rtf_text.h"
#include "equipoise/report/utf8.h"

namespace equipoise::report {
namespace {

/// A small reader of RTF: what a word processor would see of a table document.
struct Paragraph {
  std::string text;
  int left = 0, half_points = 24;  ///< \li in twips, \fs
};
struct ReadRow {
  std::vector<std::vector<Paragraph>> cells;
  std::vector<int> edges;
  bool head = false;
};
struct Section {
  std::string header, footer;  ///< their texts; fields as <PAGE>, <NUMPAGES>
  std::vector<ReadRow> rows;
  int pages = 1;  ///< by the page breaks of its own
};

class Reader {
 public:
  static std::vector<Section> read(std::string const& bytes) {
    Reader reader;
    reader.run(bytes);
    EXPECT_EQ(reader.depth_, 0);
    return reader.sections_;
  }

 private:
  struct State {
    std::string destination;
    Paragraph paragraph;
  };

  void put(char32_t c) {
    std::string& out = destination() == "header"   ? section().header
                       : destination() == "footer" ? section().footer
                       : destination().empty()     ? paragraph_.text
                                                   : ignored_;
    append_utf8(out, c);
  }
  std::string const& destination() const { return states_.back().destination; }
  Section& section() {
    if (sections_.empty()) sections_.emplace_back();
    return sections_.back();
  }

  void word(std::string const& name, int number, bool has_number) {
    if (name == "u") {
      const unsigned unit = unsigned(number) & 0xffffu;
      if (unit >= 0xd800 && unit < 0xdc00) high_ = unit;
      else if (unit >= 0xdc00 && unit < 0xe000) put(0x10000u + ((high_ - 0xd800u) << 10) + (unit - 0xdc00u));
      else put(unit);
      skip_ = 1;
    } else if (name == "header" || name == "footer" || name == "fonttbl" || name == "colortbl" || name == "info") {
      states_.back().destination = name;
    } else if (name == "fldinst") {
      states_.back().destination = "field";
      ignored_.clear();
    } else if (name == "fldrslt") {
      states_.back().destination = "result";
    } else if (name == "sectd") {
      sections_.emplace_back();
    } else if (name == "trowd") {
      row_ = {};
    } else if (name == "trhdr") {
      row_.head = true;
    } else if (name == "cellx") {
      row_.edges.push_back(number);
    } else if (name == "pard") {
      paragraph_.left = 0;
    } else if (name == "pagebb") {
      ++section().pages;
    } else if (name == "li") {
      paragraph_.left = number;
    } else if (name == "fs" && has_number) {
      paragraph_.half_points = number;
    } else if (name == "line" || name == "tab") {
      put(name == "line" ? '\n' : '\t');
    } else if (name == "par") {
      if (destination().empty()) end_paragraph();
      else put('\n');
    } else if (name == "cell") {
      end_paragraph();
      row_.cells.push_back(cell_);
      cell_.clear();
    } else if (name == "row") {
      EXPECT_EQ(row_.cells.size(), row_.edges.size());
      EXPECT_TRUE(std::is_sorted(row_.edges.begin(), row_.edges.end()));
      section().rows.push_back(row_);
      cell_.clear();
      row_ = {};
    }
  }
  void end_paragraph() {
    cell_.push_back(paragraph_);
    paragraph_.text.clear();
  }

  void run(std::string const& bytes) {
    states_.emplace_back();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const char c = bytes[i];
      EXPECT_LT(static_cast<unsigned char>(c), 0x80) << "a byte that is no ASCII";
      if (c == '{') {
        states_.push_back(states_.back()), ++depth_;
      } else if (c == '}') {
        if (destination() == "field") {
          std::string& out = states_[states_.size() - 3].destination == "header" ? section().header : paragraph_.text;
          out += "<" + ignored_.substr(0, ignored_.find('}')) + ">";
        }
        states_.pop_back(), --depth_;
        ignored_.clear();
      } else if (c == '\\') {
        const char next = bytes[++i];
        if (next == '\\' || next == '{' || next == '}') put(char32_t(next));
        else if (next == '~') put(0xa0);
        else if (next == '*') continue;
        else {
          std::size_t end = i;
          while (end < bytes.size() && std::isalpha(static_cast<unsigned char>(bytes[end]))) ++end;
          const std::string name = bytes.substr(i, end - i);
          std::size_t digits = end;
          if (digits < bytes.size() && bytes[digits] == '-') ++digits;
          while (digits < bytes.size() && std::isdigit(static_cast<unsigned char>(bytes[digits]))) ++digits;
          const bool has_number = digits > end;
          const int number = has_number ? std::stoi(bytes.substr(end, digits - end)) : 0;
          i = digits - 1;
          if (i + 1 < bytes.size() && bytes[i + 1] == ' ') ++i;
          word(name, number, has_number);
        }
      } else if (c == '\n' || c == '\r') {
        continue;
      } else if (skip_ > 0) {
        --skip_;
      } else {
        put(char32_t(c));
      }
    }
  }

  std::vector<Section> sections_;
  std::vector<State> states_;
  std::vector<Paragraph> cell_;
  Paragraph paragraph_;
  ReadRow row_;
  std::string ignored_;
  unsigned high_ = 0;
  int skip_ = 0, depth_ = 0;
};

std::string without_breaks(std::string text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if (c != 0xa0) append_utf8(out, c);
  }
  return out;
}

Frame frame_of_cgd() {
  return {.trial = "cgd",
          .version = "1.0",
          .cutoff = "1990-10-01",
          .program = "0.1.0",
          .protocol_digest = "aa11",
          .data_digest = "bb22",
          .data_file = "cgd.csv"};
}

/// A table of one column of numbers.
Table column_of(std::vector<Cell> const& cells) {
  Table table{.id = "x", .number = "14.2.1", .caption = "Caption", .population = "Full analysis set", .n = 128};
  Grid grid{.columns = {{.name = Cell(std::string("What"))}, {.name = Cell(std::string("Value"))}}};
  for (std::size_t i = 0; i < cells.size(); ++i) grid.add({.head = Cell("row " + std::to_string(i)), .cells = {cells[i]}});
  table.parts.emplace_back(grid);
  return table;
}

TEST(Rtf, NumbersOfAColumnStandUnderEachOtherByTheirDecimalPoints) {
  const auto mean = [](double m, double sd) {
    return Cell(of_values(Piece::Kind::plain, "{} ({})", {value::fixed("mean", m, 1), value::fixed("sd", sd, 1)}));
  };
  const auto sections =
      Reader::read(rtf_of({column_of({mean(14.6, 9.8), mean(-140.07, 30.79), mean(5, 10.04), Cell(value::count("n", 128)),
                                      Cell(value::p("p", 0.00001, 0.05)), Cell(value::fixed("mean", fixture::ne, 1))})},
                          frame_of_cgd()));
  ASSERT_EQ(sections.size(), 1u);
  ASSERT_EQ(sections[0].rows.size(), 7u);
  std::vector<double> points, brackets;
  for (std::size_t r = 1; r < 7; ++r) {
    Paragraph const& line = sections[0].rows[r].cells[1].at(0);
    const double character = 6.0 * line.half_points;  // 0.6 of the height, in twips
    std::size_t at = line.text.find('.');
    if (at == std::string::npos) at = line.text.find_first_of("(\n");
    if (at == std::string::npos) at = line.text.size();
    while (at > 0 && line.text.substr(0, at).ends_with("\u00a0")) at -= 2;
    points.push_back(line.left / character + rtf::width(line.text.substr(0, at)));
    if (const auto bracket = line.text.find('('); bracket != std::string::npos)
      brackets.push_back(line.left / character + rtf::width(line.text.substr(0, bracket)));
  }
  const double rounding = 0.02;  // of \li to whole twips, in characters of about 108 twips
  for (const double point : points) EXPECT_NEAR(point, points.front(), rounding);
  ASSERT_EQ(brackets.size(), 3u);
  for (const double bracket : brackets) EXPECT_NEAR(bracket, brackets.front(), rounding);
  EXPECT_EQ(without_breaks(sections[0].rows[2].cells[1][0].text), "\u2212140.1 (30.8)");
}

TEST(Rtf, EveryPageHasTheTitleBlockAndPageXOfY) {
  Frame frame = frame_of_cgd();
  frame.simulated = true, frame.blinded = true;
  const Document made = document(fixture::cgd_protocol(), fixture::cgd_results());
  const auto sections = Reader::read(rtf_of(made.tables, frame));
  ASSERT_EQ(sections.size(), made.tables.size());
  for (std::size_t t = 0; t < sections.size(); ++t) {
    std::string const& header = sections[t].header;
    for (std::string const& text :
         {std::string("cgd, protocol version 1.0"), std::string("Page <PAGE>"), std::string("of <NUMPAGES>"),
          "Table " + made.tables[t].number, made.tables[t].caption, made.tables[t].population, std::string("SIMULATED DATA"),
          std::string("BLINDED"), std::string("Data cut-off 1990-10-01")})
      EXPECT_NE(header.find(text), std::string::npos) << text << " in\n" << header;
    for (const char* text : {"cgd.csv", "bb22", "aa11", "Equipoise 0.1.0"})
      EXPECT_NE(sections[t].footer.find(text), std::string::npos) << text;
  }
  frame.simulated = frame.blinded = false;
  const auto plain = Reader::read(rtf_of(made.tables, frame));
  EXPECT_EQ(plain[0].header.find("SIMULATED"), std::string::npos);
  EXPECT_EQ(plain[0].header.find("BLINDED"), std::string::npos);
}

TEST(Rtf, HoldsTheCellsOfTheTableAndRepeatsItsHeadOnEachPage) {
  std::vector<Cell> cells;
  for (int i = 0; i < 200; ++i) cells.emplace_back(value::fixed("mean", i / 7.0, 2));
  const auto sections = Reader::read(rtf_of({column_of(cells)}, frame_of_cgd()));
  int heads = 0;
  std::vector<std::string> values;
  for (ReadRow const& row : sections[0].rows) {
    heads += row.head;
    if (row.head) {
      EXPECT_EQ(row.cells[1][0].text, "Value");
    } else {
      values.push_back(without_breaks(row.cells[1][0].text));
    }
  }
  EXPECT_GT(sections[0].pages, 4);
  EXPECT_EQ(heads, sections[0].pages);
  ASSERT_EQ(values.size(), 200u);
  for (int i = 0; i < 200; ++i) EXPECT_EQ(values[std::size_t(i)], results::fixed(i / 7.0, 2));
}

TEST(Rtf, EscapesWhatIsNoAsciiAndWhatItsOwnSyntaxMeans) {
  EXPECT_EQ(rtf::escaped("a\\b{c}"), "a\\\\b\\{c\\}");
  EXPECT_EQ(rtf::escaped("\u2212\u00a0"), "\\u8722?\\~");
  EXPECT_EQ(rtf::escaped("安"), "{\\f1 \\u23433?}");
  EXPECT_EQ(rtf::escaped("\uff1a"), "{\\f1 \\u-230?}");                 // above 32767 as a negative number
  EXPECT_EQ(rtf::escaped("\U0001f600"), "{\\f1 \\u-10179?\\u-8704?}");  // two units
  EXPECT_EQ(rtf::escaped("a\x01\u202eb\xff"), "ab\\u-3?");
  const auto sections = Reader::read(
      rtf_of({column_of({Cell(std::string("}\\par {\\field bad \U0001f600")), Cell(std::string("安慰剂组"))})}, frame_of_cgd()));
  EXPECT_EQ(sections[0].rows[1].cells[1][0].text, "}\\par {\\field bad \U0001f600");
  EXPECT_EQ(sections[0].rows[2].cells[1][0].text, "安慰剂组");
}

TEST(Rtf, SpeaksChinese) {
  const Document made = document(fixture::cgd_protocol(), fixture::cgd_results(), {.language = "zh"});
  const auto sections = Reader::read(rtf_of(made.tables, made.frame));
  EXPECT_NE(sections[0].header.find("第 <PAGE> 页，共 <NUMPAGES> 页"), std::string::npos) << sections[0].header;
  EXPECT_NE(sections[0].header.find("表 14.1.1"), std::string::npos);
  EXPECT_EQ(sections[0].rows[0].cells[1][0].text, "安慰剂\nN = 65");
}

TEST(Rtf, TablesFitThePage) {
  const Document made = document(fixture::cgd_protocol(), fixture::cgd_results());
  for (Section const& section : Reader::read(rtf_of(made.tables, made.frame)))
    for (ReadRow const& row : section.rows) {
      EXPECT_NEAR(row.edges.back(), 14570, 2);  // the width between the margins
      for (std::size_t c = 1; c < row.cells.size(); ++c)
        for (Paragraph const& line : row.cells[c])
          if (!row.head && row.cells.size() > 2)
            EXPECT_LE(line.left + rtf::width(line.text) * 6 * line.half_points, row.edges[c] - row.edges[c - 1] + 2) << line.text;
    }
}

}  // namespace
}  // namespace equipoise::report
