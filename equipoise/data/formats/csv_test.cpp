#include "equipoise/data/formats/csv.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "equipoise/core/dates.h"
#include "equipoise/core/text.h"
#include "equipoise/data/formats.h"

namespace equipoise::data {
namespace {

/// The table as one text: cells in brackets, rows on lines.
std::string cells(Checked<CellTable> const& table) {
  if (!table) return "refused: " + to_string(table.error().front());
  std::string out;
  for (std::size_t row = 0; row < table->rows(); ++row) {
    out += fmt::format("{}:", table->line(row));
    for (std::size_t i = 0; i < table->header.size(); ++i) out += fmt::format("[{}]", table->cell(row, i));
    out += '\n';
  }
  return out;
}

std::vector<std::string> problems(std::string bytes, CsvOptions const& options = {}) {
  std::vector<std::string> sentences;
  const auto table = read_csv(std::move(bytes), "t.csv", options);
  if (!table)
    for (Error const& error : table.error()) sentences.push_back(to_string(error));
  return sentences;
}
using Sentences = std::vector<std::string>;

TEST(Csv, ReadsCellsAsTheyAreWritten) {
  const auto table = read_csv("id,name\n1, a b \n2,\n", "t.csv");
  EXPECT_EQ(cells(table), "2:[1][ a b ]\n3:[2][]\n");
  EXPECT_EQ(table->header, (std::vector<std::string>{"id", "name"}));
  EXPECT_EQ(table->find("name"), 1u);
  EXPECT_EQ(table->find("none"), std::nullopt);
}

TEST(Csv, ReadsQuotesDoubledQuotesAndLineBreaksInside) {
  EXPECT_EQ(cells(read_csv("a,b\n\"x,\"\"y\"\"\",\"1\n2\"\n\"\",\"\"\"\"\n", "t.csv")), "2:[x,\"y\"][1\n2]\n4:[][\"]\n");
}

TEST(Csv, ReadsEitherLineEndingAByteOrderMarkAndALastLineWithoutOne) {
  EXPECT_EQ(cells(read_csv("\xEF\xBB\xBF"
                           "a,b\r\n1,2\r\n\"3\",\"4\"\r\n5,6",
                           "t.csv")),
            "2:[1][2]\n3:[3][4]\n4:[5][6]\n");
  EXPECT_EQ(read_csv("\xEF\xBB\xBF"
                     "a,b\n1,2\n",
                     "t.csv")
                ->header[0],
            "a");
}

TEST(Csv, SkipsEmptyLinesAtTheEndOnly) {
  EXPECT_EQ(cells(read_csv("a,b\n1,2\n\n\r\n", "t.csv")), "2:[1][2]\n");
  EXPECT_EQ(problems("a,b\n1,2\n\n3,4\n"), Sentences{"t.csv:3: this line is empty, and rows follow"});
  EXPECT_EQ(cells(read_csv("a\n1\n\n3\n", "t.csv")), "2:[1]\n3:[]\n4:[3]\n") << "of one column an empty line is a missing cell";
}

TEST(Csv, KeepsItsCellsWhenMoved) {
  auto table = read_csv("a\nx\n", "t.csv");  // short enough for the string to live inside its object
  const CellTable moved = std::move(*table);
  EXPECT_EQ(moved.cell(0, 0), "x");
}

TEST(Csv, ReportsEveryRowOfAnotherLengthWithItsLine) {
  EXPECT_EQ(problems("a,b\n1\n\"x\ny\",2\n1,2,3\n"),
            (Sentences{"t.csv:2: row 1 has 1 cell, and the header has 2", "t.csv:5: row 3 has 3 cells, and the header has 2"}));
}

TEST(Csv, SuspectsAFileThatEndsInTheMiddleOfARow) {
  EXPECT_EQ(problems("a,b\n1,2\n3"),
            Sentences{"t.csv:3: row 2 has 1 cell, and the header has 2: this is the last row, the file may be cut off"});
  EXPECT_EQ(problems("a,b\n1,\"2\n3,4\n"),
            Sentences{"t.csv:2: the quote opened on this line is never closed: the file may be cut off"});
}

TEST(Csv, ReportsQuotesThatStandWhereTheyCannot) {
  EXPECT_EQ(problems("a,b\n\"1\"2,3\nx\"y,4\n"), (Sentences{"t.csv:2: text after the closing quote of a cell",
                                                            "t.csv:3: a quote inside a cell that does not begin with one"}));
  EXPECT_EQ(problems("a,b\r1,2\n"), (Sentences{"t.csv:1: a carriage return without a line feed"}));
}

TEST(Csv, ReportsBytesThatAreNoText) {
  EXPECT_EQ(problems(std::string("a,b\n1,\0\n2,\xFF\n", 12)),
            (Sentences{"t.csv:2: this line has a NUL byte: it is no text, or UTF-16", "t.csv:3: this line is not UTF-8"}));
}

TEST(Csv, ReportsColumnsWithoutANameOrWithOneTwice) {
  EXPECT_EQ(problems("a,,a\n1,2,3\n"),
            (Sentences{"t.csv:1: column 2 has no name", "t.csv:1: columns 1 and 3 are both named 'a'"}));
  EXPECT_EQ(problems("\n1\n"), Sentences{"t.csv:1: the first line is empty, and must name the columns"});
}

TEST(Csv, ReportsFilesWithoutData) {
  EXPECT_EQ(problems(""), Sentences{"t.csv: the file is empty"});
  EXPECT_EQ(problems("\xEF\xBB\xBF"), Sentences{"t.csv: the file is empty"});
  EXPECT_EQ(problems("a,b\n"), Sentences{"t.csv:1: the file has a header and no rows"});
  EXPECT_EQ(problems("a,b\n", {.allow_no_rows = true}), Sentences{});
}

TEST(Csv, StopsHostileFilesAtItsLimits) {
  EXPECT_EQ(problems("a,b\n1,2\n", {.most_bytes = 4}), Sentences{"t.csv: the file has 8 bytes, and at most 4 are read"});
  EXPECT_EQ(problems(std::string(100, ','), {.most_columns = 10}), Sentences{"t.csv:1: a row has more than 10 cells"});
  EXPECT_EQ(problems("a\n1\n2\n", {.most_rows = 1}), Sentences{"t.csv:3: the file has more than 1 rows"});
  EXPECT_EQ(problems("a\n12345\n", {.longest_cell = 4}), Sentences{"t.csv:2: a cell has 5 bytes, and at most 4 are read"});
  std::string many = "a,b\n";
  for (int i = 0; i < 30; ++i) many += "1\n";
  const Sentences said = problems(many);
  ASSERT_EQ(said.size(), 21u);
  EXPECT_EQ(said.back(), "t.csv:31: and 10 more rows of another length");
}

/// A file drawn from a generator: most of its cells are plain, some quoted over lines, and now and then something is wrong.
std::string drawn_file(std::mt19937_64& bits, bool mistakes) {
  const auto below = [&](std::uint64_t n) { return bits() % n; };
  const std::vector<std::string> cells{"1",
                                       "",
                                       "Week 4",
                                       "S1-0000017",
                                       "a text that is longer than sixteen bytes",
                                       "\"x, y\"",
                                       "\"1\n2\"",
                                       "\"say \"\"hi\"\" to all of them\"",
                                       "\"\"",
                                       "\xC3\xA9t\xC3\xA9",
                                       "\"\n,\r\n\"",
                                       "17.25"};
  const std::vector<std::string> wrong{"x\"y", "\"1\"2", "\r", "a,b", "\"open", "\n", "\xFF"};
  const std::string end = below(3) == 0 ? "\r\n" : "\n";
  const std::size_t columns = 1 + below(4), rows = 1 + below(40);
  std::string file = below(5) == 0 ? "\xEF\xBB\xBF" : "";
  for (std::size_t c = 0; c < columns; ++c) file += (c > 0 ? ",c" : "c") + std::to_string(c);
  file += end;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t c = 0; c < columns; ++c) {
      if (c > 0) file += ',';
      if (mistakes && below(60) == 0) file += wrong[below(wrong.size())];
      else if (below(3) > 0) file += std::to_string(below(50));
      else file += cells[below(cells.size())];
    }
    if (row + 1 < rows || below(2) == 0) file += end;
  }
  if (below(4) == 0) file += end + end;
  return file;
}

TEST(Csv, ReadsTheSameHoweverManyThreadsShareTheFile) {
  std::mt19937_64 bits(20261128);
  std::size_t refused = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const std::string file = drawn_file(bits, trial % 2 == 0);
    const auto alone = read_csv(file, "t.csv", {.threads = 1});
    refused += !alone;
    for (const std::size_t threads : {2u, 3u, 7u}) {
      const CsvOptions options{.threads = threads, .least_share = 1};
      const auto shared = read_csv(file, "t.csv", options);
      ASSERT_EQ(cells(shared), cells(alone)) << threads << " threads\n" << file;
      ASSERT_EQ(problems(file, options), problems(file, {.threads = 1})) << threads << " threads\n" << file;
    }
  }
  EXPECT_GT(refused, 60u);
  EXPECT_LT(refused, 300u);
}

TEST(Csv, KeepsEveryTextOfAColumnWithMoreTextsThanADictionaryIsWorth) {
  std::string file = "id,arm\n";
  constexpr std::size_t rows = 300'000;
  for (std::size_t row = 0; row < rows; ++row) file += fmt::format("participant number {},{}\n", row * 7919 % rows, row % 3);
  for (const std::size_t threads : {1u, 2u, 5u}) {
    const auto table = read_csv(file, "t.csv", {.threads = threads});
    ASSERT_TRUE(table);
    ASSERT_EQ(table->rows(), rows);
    for (std::size_t row = 0; row < rows; ++row) {
      ASSERT_EQ(table->cell(row, 0), fmt::format("participant number {}", row * 7919 % rows));
      ASSERT_EQ(table->cell(row, 1), std::to_string(row % 3));
    }
    EXPECT_EQ(table->column(1).codes(), 3u);
  }
}

TEST(Csv, KeepsOnlyTheCellsThatAreAskedFor) {
  const auto table = read_csv("a,b,c\n1,x,2\n3,x,4\n", "t.csv", {.columns = {"c", "a", "none"}});
  ASSERT_TRUE(table);
  EXPECT_EQ(table->header, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(table->cell(1, 0), "3");
  EXPECT_EQ(table->cell(1, 2), "4");
  EXPECT_EQ(table->column(1).rows(), 0u);
  EXPECT_EQ(problems("a,b,c\n1,x\n", {.columns = {"a"}}), Sentences{"t.csv:2: row 1 has 2 cells, and the header has 3"});
}

TEST(CsvColumns, ReadsEveryKind) {
  const auto table = read_csv("n,i,f,c,d,t\n1.50,3,1,Obs,2020-02-29,hello\n,,,,,\n<20,4,Y,Lev,2021-03,x\n", "t.csv");
  ASSERT_TRUE(table);
  const std::vector<CsvColumn> columns{{.column = "n", .bounds = true},
                                       {.column = "i", .kind = Kind::integer, .name = "count", .unit = "1"},
                                       {.column = "f", .kind = Kind::flag, .codes = {{"Y", "1"}, {"N", "0"}}},
                                       {.column = "c", .kind = Kind::code},
                                       {.column = "d", .kind = Kind::date},
                                       {.column = "t", .kind = Kind::text}};
  const auto dataset = read_dataset(*table, columns);
  ASSERT_TRUE(dataset) << to_string(dataset.error().front());
  EXPECT_EQ(dataset->find("n")->numbers[0], 1.5);
  EXPECT_EQ(dataset->find("n")->numbers[2], 20);
  EXPECT_EQ(dataset->find("n")->bounds, (std::vector{Bound::exact, Bound::exact, Bound::below}));
  EXPECT_EQ(dataset->find("count")->numbers[2], 4);
  EXPECT_EQ(dataset->find("f")->numbers[2], 1);
  EXPECT_EQ(dataset->find("c")->levels, (std::vector<std::string>{"Lev", "Obs"})) << "sorted by bytes";
  EXPECT_EQ(dataset->find("c")->codes, (std::vector<std::int32_t>{1, missing_level, 0}));
  EXPECT_EQ(dataset->find("d")->numbers[0], day_number(to_partial_date("2020-02-29")->earliest));
  EXPECT_EQ(dataset->find("d")->latest[2], day_number(to_partial_date("2021-03")->latest));
  EXPECT_EQ(dataset->find("t")->texts[2], "x");
  EXPECT_TRUE(dataset->find("t")->is_missing(1));
}

TEST(CsvColumns, KeepsTheReasonOfNamedMissingCells) {
  const auto table = read_csv("x\n.\nND\n5\n", "t.csv");
  const std::vector<CsvColumn> columns{{.column = "x", .missing = {{".", Missing::unknown}, {"ND", Missing::not_done}}}};
  const auto dataset = read_dataset(*table, columns);
  ASSERT_TRUE(dataset) << to_string(dataset.error().front());
  EXPECT_EQ(dataset->find("x")->missing, (std::vector{Missing::unknown, Missing::not_done, Missing::none}));
}

TEST(CsvColumns, ReportsEachBadCellWithLineAndColumn) {
  const auto table =
      read_csv("age,arm,seen,on\nold,A,maybe,2020-13-01\n\"3,5\",B,1,soon\n<4,a,0,2020\n1e400,A,1,2020-01\n", "t.csv");
  ASSERT_TRUE(table);
  const std::vector<CsvColumn> columns{{.column = "age"},
                                       {.column = "arm", .kind = Kind::code, .codes = {{"A", "active"}, {"B", "control"}}},
                                       {.column = "seen", .kind = Kind::flag},
                                       {.column = "on", .kind = Kind::date},
                                       {.column = "amr", .kind = Kind::text}};
  const auto dataset = read_dataset(*table, columns);
  ASSERT_FALSE(dataset);
  Sentences said;
  for (Error const& error : dataset.error())
    said.push_back(fmt::format("{} {}: {} ({})", error.place.line, error.place.field, error.message, error.hint));
  EXPECT_EQ(
      said,
      (Sentences{"1 : the data have no column 'amr' (did you mean 'arm'?)", "2 age: 'old' is not a number ()",
                 "2 seen: 'maybe' is neither 1 nor 0, nor true nor false ()",
                 "2 on: '2020-13-01' is not a date (dates are written YYYY-MM-DD, or YYYY-MM or YYYY when the rest is unknown)",
                 "3 age: '3,5' is not a number (numbers have a decimal point, and no separator of thousands)",
                 "3 on: 'soon' is not a date (dates are written YYYY-MM-DD, or YYYY-MM or YYYY when the rest is unknown)",
                 "4 age: '<4' is not a number ()", "4 arm: 'a' is no code of 'arm' (did you mean 'A'?)",
                 "5 age: '1e400' is not a number ()"}));
}

TEST(CsvColumns, CountsBadCellsBeyondTwenty) {
  std::string bytes = "x\n";
  for (int i = 0; i < 25; ++i) bytes += "bad\n";
  const auto table = read_csv(bytes, "t.csv");
  const std::vector<CsvColumn> columns{{.column = "x"}};
  const auto dataset = read_dataset(*table, columns);
  ASSERT_FALSE(dataset);
  ASSERT_EQ(dataset.error().size(), 21u);
  EXPECT_EQ(dataset.error().back().message, "and 5 more cells of this column");
  EXPECT_EQ(dataset.error().back().place.line, 26);
}

TEST(CsvWriter, QuotesOnlyWhatNeedsQuotes) {
  const auto dataset = DatasetBuilder(4)
                           .add({.name = "a,b", .kind = Kind::text, .texts = {"plain text", "say \"hi\"", "two\nlines", "=1+1"}})
                           .add({.name = "x",
                                 .numbers = {0.1, -1e300, missing_number, 500},
                                 .bounds = {Bound::exact, Bound::exact, Bound::exact, Bound::above}})
                           .build();
  ASSERT_TRUE(dataset) << dataset.error().message;
  EXPECT_EQ(write_csv(*dataset), "\"a,b\",x\nplain text,0.1\n\"say \"\"hi\"\"\",-1e+300\n\"two\nlines\",\n=1+1,>500\n");
}

TEST(CsvWriter, WritesALoneMissingCellSoThatItsRowStays) {
  const auto dataset = DatasetBuilder(2).add({.name = "x", .numbers = {1, missing_number}}).build();
  EXPECT_EQ(write_csv(*dataset), "x\n1\n\"\"\n");
}

/// A data set drawn from a generator: every kind, with missing cells, bounds, partial dates and awkward texts.
Dataset drawn(std::mt19937_64& bits) {
  const auto below = [&](std::uint64_t n) { return bits() % n; };
  const std::size_t rows = 1 + below(20);
  const std::vector<std::string> texts{"",   "a",      "\"", ",", "\r\n", " x ", "=1", "<20", "\xEF\xBB\xBF", "\xE4\xB8\xAD",
                                       "\r", "''\"\"", "1e5"};
  DatasetBuilder builder(rows);
  const std::size_t columns = 1 + below(6);
  for (std::size_t i = 0; i < columns; ++i) {
    TypedColumn column{.name = texts[below(texts.size())] + std::to_string(i), .kind = Kind(below(6))};
    std::vector<double> latest;
    for (std::size_t row = 0; row < rows; ++row) {
      const bool missing = below(4) == 0;
      const double any = std::ldexp(double(std::int64_t(bits())), int(below(600)) - 300);
      switch (column.kind) {
        case Kind::number:
          column.numbers.push_back(missing ? missing_number : any);
          break;
        case Kind::integer:
          column.numbers.push_back(missing ? missing_number : double(std::int64_t(bits()) >> 12));
          break;
        case Kind::flag:
          column.numbers.push_back(missing ? missing_number : double(below(2)));
          break;
        case Kind::code:
          column.codes.push_back(missing ? missing_level : std::int32_t(below(3)));
          break;
        case Kind::text:
          column.texts.push_back(texts[below(texts.size())]);
          break;
        case Kind::date: {
          std::string text = to_string(from_day_number(double(below(180'000)) - 60'000));
          if (below(3) == 0) text.resize(below(2) ? 7 : 4);
          const auto date = to_partial_date(text);
          column.numbers.push_back(missing ? missing_number : day_number(date->earliest));
          column.latest.push_back(missing ? missing_number : day_number(date->latest));
        }
      }
      if (column.kind == Kind::number || column.kind == Kind::integer)
        column.bounds.push_back(missing ? Bound::exact : Bound(below(3)));
    }
    if (column.kind == Kind::code) column.levels = {"zero \"0\"", "one,1", "two"};
    builder.add(std::move(column));
  }
  auto dataset = builder.build();
  EXPECT_TRUE(dataset) << dataset.error().message;
  return std::move(*dataset);
}

TEST(CsvWriter, WhatIsWrittenIsReadBackAsItWas) {
  std::mt19937_64 bits(20240531);
  for (int trial = 0; trial < 500; ++trial) {
    const Dataset dataset = drawn(bits);
    const std::string bytes = write_csv(dataset);
    const auto table = read_csv(bytes, "t.csv");
    ASSERT_TRUE(table) << to_string(table.error().front()) << '\n' << bytes;
    std::vector<CsvColumn> how;
    for (TypedColumn const& column : dataset.columns()) {
      how.push_back({.column = column.name, .kind = column.kind, .bounds = true});
      for (std::string const& level : column.levels) how.back().codes.push_back({level, level});
    }
    const auto again = read_dataset(*table, how);
    ASSERT_TRUE(again) << to_string(again.error().front()) << '\n' << bytes;
    ASSERT_EQ(*again, dataset) << bytes;
    ASSERT_EQ(write_csv(*again), bytes);
  }
}

TEST(Formats, ReadsByTheEndingOfTheName) {
  EXPECT_TRUE(Formats::read("a\n1\n", "folder.d/DATA.CSV"));
  EXPECT_TRUE(Formats::read("a\n1\n", "-")) << "standard input";
  const auto table = Formats::read("a\n1\n", "data.xlsx");
  ASSERT_FALSE(table);
  EXPECT_EQ(
      to_string(table.error().front()),
      "data.xlsx: files ending in '.xlsx' cannot be read or written; data files end in .csv, .xpt, .json, .ndjson or .dsjc");
}

TEST(Csv, ManyEmptyLinesBelowAWideHeaderTakeNoRoom) {
  std::string bytes;
  for (int i = 0; i < 2000; ++i) bytes += (i > 0 ? ",c" : "c") + std::to_string(i);
  bytes += "\n";
  for (int i = 0; i < 2000; ++i) bytes += i > 0 ? ",1" : "1";
  bytes += std::string(1 << 20, '\n');  // 4 bytes a line and column would be 8 GB
  const auto table = read_csv(bytes, "wide.csv");
  ASSERT_TRUE(table);
  EXPECT_EQ(table->rows(), 1u);
}

}  // namespace
}  // namespace equipoise::data
