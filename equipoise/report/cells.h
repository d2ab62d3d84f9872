#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "equipoise/core/columns.h"
#include "equipoise/results/labels.h"

/// The one cell model of the report: what a table says, once. HTML, RTF, CSV and results.json are written from it, so a number
/// has the same printed form everywhere and its raw value is never typed twice.
///
/// How numbers are rounded, for all formats: from the raw double, once, to the decimals of `Value::format`, halves away from zero
/// (results::fixed); never "-0.0"; "NE" for what is not estimable; P values as results::p_value prints them, down to "< 0.0001".
namespace equipoise::report {

/// One number: which it is, as it was computed, as it is printed.
struct Value {
  std::string statistic;        ///< "n", "percent", "mean", "sd", "estimate", "lower", "upper", "p", ...
  double raw = missing_number;  ///< a share (not a percentage) for what is printed in percent; NaN = not estimable
  std::string printed;
  std::string format;  ///< "count", "fixed 1", "percent 1", "significant 3", "p"
  std::string unit{};  ///< UCUM, or "%"
};

/// Numbers with their printed forms.
namespace value {
Value count(std::string statistic, std::int64_t n);
Value fixed(std::string statistic, double raw, int decimals, std::string unit = {});
Value percent(std::string statistic, double share, int decimals = 1);
Value p(std::string statistic, double p, double alpha);
/// A number that results::printed has printed; the format is what the text shows ("fixed 2").
Value as_printed(std::string statistic, double raw, std::string printed);
/// The numbers of a finding by its printed form: the value, se, limits, df and P, of those that it has.
Value estimate(Finding const& finding, results::Printed const& text);
Value se(Finding const& finding, results::Printed const& text);
std::vector<Value> limits(Finding const& finding, results::Printed const& text);
}  // namespace value

/// A part of a cell or a paragraph: text, perhaps with numbers in it.
struct Piece {
  enum class Kind {
    plain,
    main,    ///< what the eye looks for
    under,   ///< a line of its own below
    place,   ///< likewise, of a row's head
    alert,   ///< inside the piece before it
    italic,  ///< a symbol, such as P
    mark,    ///< of a footnote
    tag,     ///< a label beside a head
    n,       ///< the participants of a column, below its head
    seen,
    unseen,  ///< a square; `text` says it in words
    dot,     ///< of the schedule; `text` says it in words
    window   ///< around the day of a visit, below it
  };
  Kind kind = Kind::plain;
  std::string text;
  std::vector<Value> values{};
  int note = 0;  ///< of `mark`: the footnote's number
};

/// The printed values put into a pattern of fmt: "{} ({})".
Piece of_values(Piece::Kind kind, std::string_view pattern, std::vector<Value> values);
Piece of_value(Value value, Piece::Kind kind = Piece::Kind::plain);

/// What a piece shows where there is no HTML: a square, a dot, or its text.
std::string_view symbol(Piece const& piece);

struct Cell {
  enum class Look { number, text, square, any_time, same, blank };
  std::vector<Piece> pieces{};
  std::size_t span = 1;
  Look look = Look::number;

  Cell() = default;
  Cell(std::vector<Piece> parts, Look l = Look::number) : pieces(std::move(parts)), look(l) {}
  Cell(Piece piece, Look l = Look::number) : pieces{std::move(piece)}, look(l) {}
  Cell(std::string text) {
    if (!text.empty()) pieces.push_back({Piece::Kind::plain, std::move(text)});
  }
  Cell(Value value) : Cell(of_value(std::move(value))) {}
  bool empty() const { return pieces.empty(); }
};

/// The text of a cell on one line, without footnote marks; lines are parted by "; ".
std::string plain_text(Cell const& cell);

struct Column {
  enum class Align { left, number, square };
  Cell name;
  Align align = Align::number;
};

struct Row {
  enum class Kind { body, item, visit, total };  ///< item and visit head the rows of their group and have no cells
  Cell head;
  std::vector<Cell> cells{};
  int indent = 0;
  Kind kind = Kind::body;
  bool heads() const { return kind == Kind::item || kind == Kind::visit; }
};

struct RowGroup {
  std::vector<Row> rows{};
  bool here = false;  ///< set apart: what the question is about
};

struct Grid {
  enum class Look { data, baseline, by_visit, patterns, minor, schedule };
  Look look = Look::data;
  std::vector<Column> columns;  ///< the first is of the rows' heads
  std::vector<RowGroup> groups;
  std::string title{};  ///< of a part of the table
  bool folded = false;  ///< on a page only behind its title

  bool empty() const { return groups.empty(); }
  /// The row as the only one of its group, or as the next one of the last group.
  void add(Row row);
};

struct Paragraph {
  enum class Look { plain, meta, note, problem };
  Look look = Look::plain;
  std::vector<Piece> pieces;
};

/// Footnotes of one table: the same sentence has one number.
class Footnotes {
 public:
  Piece mark(std::string const& sentence);
  std::vector<std::string> const& sentences() const { return sentences_; }

 private:
  std::vector<std::string> sentences_;
};

/// One table, ready to be printed in any format.
struct Table {
  /// Where ICH E3 puts it: design (9.5), demography and disposition (14.1), efficacy (14.2), safety (14.3).
  enum class Chapter { design, population, efficacy, safety };
  std::string id;      ///< for file names: "demography", "analysis_a01_primary"
  std::string number;  ///< "14.1.2", given by the page in its order
  std::string caption;
  Chapter chapter = Chapter::efficacy;
  std::string population{};         ///< label of the analysis set
  std::optional<std::int64_t> n{};  ///< participants in it
  std::vector<std::variant<Paragraph, Grid>> parts{};
  std::vector<std::string> footnotes{};  ///< numbered from 1
  std::vector<std::string> remarks{};    ///< below them
  bool empty() const { return parts.empty(); }
};

/// "9.5", "14.1", "14.2", "14.3". Source: ICH E3 (1995), sections 9.5.1 and 14.
std::string_view chapter_number(Table::Chapter chapter);

}  // namespace equipoise::report
