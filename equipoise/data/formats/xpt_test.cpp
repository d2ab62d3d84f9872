#include "equipoise/data/formats/xpt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace equipoise::data {
namespace {

using namespace std::string_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A transport file built from TS-140's description, without the writer under test.
class Builder {
 public:
  explicit Builder(std::size_t namestr = 140) : namestr_(namestr) {
    bytes_ = "HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!000000000000000000000000000000  "s;
    bytes_ += "SAS     SAS     SASLIB  6.06    bsd4.2  " + std::string(24, ' ') + "13APR89:10:20:06" + "13APR89:10:20:06" +
              std::string(64, ' ');
  }
  struct Variable {
    int type, length;
    std::string name, label = {}, format = {};
    int width = 0;
  };
  Builder& member(std::string name, std::vector<Variable> const& variables, std::string data) {
    bytes_ += "HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!000000000000000001600000000" + std::to_string(namestr_) + "  ";
    bytes_ += "HEADER RECORD*******DSCRPTR HEADER RECORD!!!!!!!000000000000000000000000000000  ";
    bytes_ += "SAS     " + wide(name, 8) + "SASDATA 6.06    bsd4.2  " + std::string(24, ' ') + "13APR89:10:20:06";
    bytes_ += "13APR89:10:20:06" + std::string(16, ' ') + wide("A label", 40) + std::string(8, ' ');
    bytes_ += "HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!000000" + fmt::format("{:04}", variables.size()) +
              "00000000000000000000  ";
    int position = 0, number = 0;
    for (Variable const& v : variables) {
      const std::size_t begin = bytes_.size();
      bytes_ += two(v.type) + two(0) + two(v.length) + two(++number) + wide(v.name, 8) + wide(v.label, 40) + wide(v.format, 8);
      bytes_ += two(v.width) + two(0) + two(0) + two(0) + std::string(8, ' ') + two(0) + two(0) + two(0) + two(position);
      bytes_.resize(begin + namestr_, '\0');
      position += v.length;
    }
    pad();
    bytes_ += "HEADER RECORD*******OBS     HEADER RECORD!!!!!!!000000000000000000000000000000  " + data;
    pad();
    return *this;
  }
  operator std::string() const { return bytes_; }

 private:
  static std::string wide(std::string text, std::size_t width) {
    text.resize(width, ' ');
    return text;
  }
  static std::string two(int value) { return {char(value >> 8), char(value)}; }
  void pad() { bytes_.resize((bytes_.size() + 79) / 80 * 80, ' '); }

  std::size_t namestr_;
  std::string bytes_;
};

std::string small_file(std::size_t namestr = 140) {
  return Builder(namestr).member("TEMP", {{2, 3, "ID", "Who"}, {1, 8, "X", "How much"}, {1, 4, "DAY", "When", "DATE", 9}},
                                 "a01"
                                 "\x41\x18\0\0\0\0\0\0"
                                 "\x43\x16\xe0\0"
                                 "b  "
                                 "A\0\0\0\0\0\0\0"
                                 ".\0\0\0"
                                 "   "
                                 "_\0\0\0\0\0\0\0"
                                 "\0\0\0\0"s);
}

std::vector<std::string> sentences(Problems const& problems) {
  std::vector<std::string> all;
  for (Error const& problem : problems) all.push_back(to_string(problem));
  return all;
}

std::vector<std::string> sentences(Losses const& losses) {
  std::vector<std::string> all;
  for (Loss const& loss : losses) all.push_back((loss.changes ? "! " : "") + sentence(loss));
  return all;
}

TEST(Xpt, ReadsTheRecordsOfTheSpecification) {
  const std::string bytes = small_file();
  const auto tables = read_xpt(bytes, "t.xpt");
  ASSERT_TRUE(tables) << to_string(tables.error().front());
  ASSERT_EQ(tables->size(), 1u);
  ExchangeTable const& table = tables->front();
  EXPECT_EQ(table.name, "TEMP");
  EXPECT_EQ(table.label, "A label");
  EXPECT_EQ(table.created, "1989-04-13T10:20:06");
  EXPECT_EQ(table.library.version, "6.06");
  EXPECT_EQ(table.library.system, "bsd4.2");
  ASSERT_EQ(table.rows, 3u);
  ASSERT_EQ(table.columns.size(), 3u);
  ExchangeColumn const& id = table.columns[0];
  EXPECT_EQ(id.label, "Who");
  EXPECT_EQ(id.length, 3);
  EXPECT_EQ(id.texts[0], "a01");
  EXPECT_EQ(id.texts[1], "b");
  EXPECT_EQ(id.texts[2], "");
  ExchangeColumn const& x = table.columns[1];
  EXPECT_EQ(x.numbers[0], 1.5);
  EXPECT_EQ(x.reason(0), present);
  EXPECT_EQ(x.reason(1), 'A');
  EXPECT_EQ(x.reason(2), '_');
  ExchangeColumn const& day = table.columns[2];
  EXPECT_EQ(day.bytes, 4);
  EXPECT_EQ(day.format, "DATE9.");
  EXPECT_EQ(day.type, DataType::date);
  EXPECT_EQ(day.target, TargetType::integer);
  EXPECT_EQ(day.numbers[0], 366);
  EXPECT_EQ(day.reason(1), '.');
  EXPECT_EQ(day.numbers[2], 0);
}

TEST(Xpt, WritesWhatItReadWithTheSameBytes) {
  const std::string bytes = Builder(140)
                                .member("ONE", {{1, 8, "X"}}, "\x41\x10\0\0\0\0\0\0"s)
                                .member("TWO", {{2, 90, "T"}, {1, 3, "N"}}, std::string(90, 'x') + "\xc1\x28\0"s);
  const auto tables = read_xpt(bytes, "t.xpt");
  ASSERT_TRUE(tables) << to_string(tables.error().front());
  ASSERT_EQ(tables->size(), 2u);
  EXPECT_EQ((*tables)[1].columns[1].numbers[0], -2.5);
  const auto written = write_xpt(*tables);
  ASSERT_TRUE(written);
  EXPECT_EQ(written->bytes, bytes);
  EXPECT_THAT(sentences(written->losses), ElementsAre());
  EXPECT_EQ(write_xpt(*read_xpt(small_file(), "t.xpt"))->bytes, small_file());
}

TEST(Xpt, ReadsTheShortDescriptionsOfVax) {
  const auto vax = read_xpt(small_file(136), "t.xpt");
  ASSERT_TRUE(vax) << to_string(vax.error().front());
  EXPECT_EQ(*vax, *read_xpt(small_file(), "t.xpt"));
}

/// A file cut anywhere is refused, or it is one of fewer rows only where the padding of the last record hides them.
TEST(Xpt, EveryTruncationIsSeen) {
  const std::string bytes = small_file();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto tables = read_xpt(bytes.substr(0, length), "t.xpt");
    const bool ends_before_rows = length == bytes.size() - 80;  // a whole file without rows: the format has no count
    ASSERT_EQ(tables.has_value(), ends_before_rows) << length;
    if (tables) EXPECT_EQ(tables->front().rows, 0u);
    else EXPECT_FALSE(to_string(tables.error().front()).empty());
  }
}

TEST(Xpt, CannotTellBlankRowsFromPaddingAndSaysSo) {
  const std::string bytes = Builder().member("B", {{2, 7, "T"}}, "first         third         ");
  const auto tables = read_xpt(bytes, "t.xpt");
  ASSERT_TRUE(tables);
  EXPECT_EQ(tables->front().rows, 3u) << "a blank row between others is one";
  EXPECT_THAT(sentences(tables->front().losses), ElementsAre(HasSubstr("blanks of up to 8 rows")));
  ExchangeTable table = tables->front();
  table.columns[0].texts.push_back("");
  table.rows = 4;
  EXPECT_THAT(sentences(write_xpt({table})->losses),
              ElementsAre("! the last row of data set 'B' hold nothing, and cannot be told from the padding of the file"));
}

TEST(Xpt, SaysWhereABrokenFileIsBroken) {
  const auto problems = [](std::string bytes) { return sentences(read_xpt(bytes, "t.xpt").error()); };
  std::string type = small_file();
  type[8 * 80 + 1] = 7;
  EXPECT_THAT(problems(type),
              ElementsAre("t.xpt: record 9, byte 641: variable 1 has type 7, and is neither 1 (number) nor 2 (text)"));
  std::string number = small_file();
  const std::size_t data = number.size() - 80;
  number[data + 3] = 'a';
  number.replace(data + 4, 7, 7, '\0');
  EXPECT_THAT(problems(number),
              ElementsAre("t.xpt: column 'X': row 1: the byte 61 and zeros are neither a number nor a missing value"));
  std::string latin = small_file();
  latin[data] = '\xe9';
  EXPECT_THAT(
      problems(latin),
      ElementsAre(HasSubstr("t.xpt: column 'ID': row 1: the text is not UTF-8\n  hint: say how it was written: --encoding")));
  EXPECT_EQ(read_xpt(latin, "t.xpt", Encoding::windows_1252)->front().columns[0].texts[0],
            "\u00e9"
            "01");
  EXPECT_THAT(problems("HEADER RECORD*******LIBV8   HEADER RECORD!!!!!!!" + std::string(600, '0')),
              ElementsAre(HasSubstr("a SAS transport file of version 8, not a SAS transport file of version 5")));
  EXPECT_THAT(problems("a,b\n1,2\n" + std::string(80, 'x')), ElementsAre(HasSubstr("is this a SAS transport file")));
  EXPECT_THAT(problems(""), ElementsAre("t.xpt: the file is empty"));
  EXPECT_THAT(problems(Builder().member("D", {{1, 8, "X"}, {1, 8, "X"}}, "")),
              ElementsAre(HasSubstr("a second variable is named 'X'")));
}

ExchangeTable table_of(std::vector<ExchangeColumn> columns) {
  ExchangeTable table{.name = "T", .columns = std::move(columns)};
  table.rows = table.columns.front().size();
  return table;
}

ExchangeColumn texts(std::string name, std::vector<std::string> cells) {
  ExchangeColumn column{.name = std::move(name)};
  for (std::string const& cell : cells) column.texts.push_back(cell);
  return column;
}

ExchangeColumn numbers(std::string name, std::vector<double> cells) {
  ExchangeColumn column{.name = std::move(name), .type = DataType::single, .numeric = true};
  column.numbers = std::move(cells);
  return column;
}

TEST(Xpt, TellsEverythingThatItHadToChange) {
  ExchangeColumn narrow = numbers("SHORT", {1, 0.1});
  narrow.bytes = 3;
  ExchangeColumn odd = texts("LONGLABEL", {"a", std::string(201, 'b')});
  odd.label = std::string(41, 'l');
  odd.format = "yyyy-mm-dd";
  const auto written =
      write_xpt({table_of({narrow, odd, texts("LONGLABELS", {"\u00e9", "b "}), numbers("HUGE", {1e80, -1e-90})})});
  ASSERT_TRUE(written);
  EXPECT_THAT(
      sentences(written->losses),
      ElementsAre(
          "! column 'LONGLABEL': the name has 9 bytes, and was cut to 8",
          "! column 'LONGLABEL': the label has 41 bytes, and was cut to 40",
          "! column 'LONGLABEL': the format 'yyyy-mm-dd' is none of SAS, and was left out",
          "! column 'LONGLABEL': 1 cell: texts are longer than 200 bytes, and were cut (row 2)",
          "! column 'LONGLABELS': the name has 10 bytes, and was cut to 8",
          "! column 'LONGLABELS': the name is written as 'LONGLAB1'",
          "! column 'LONGLABELS': 1 cell: texts have characters beyond ASCII, which are written as UTF-8: other programs may "
          "take them for others (row 1)",
          "column 'LONGLABELS': 1 cell: blanks at the end of texts are not kept (row 2)",
          "! column 'SHORT': 1 cell: numbers need more than the 3 bytes of this variable, and lost digits (row 2)",
          "! column 'HUGE': 1 cell: numbers are beyond 16^63 (about 7.2e75), and became missing (row 1)",
          "! column 'HUGE': 1 cell: numbers are nearer to 0 than 16^-65 (about 5.4e-79), and became 0 (row 2)"));
  const auto again = read_xpt(written->bytes, "t.xpt");
  ASSERT_TRUE(again) << to_string(again.error().front());
  EXPECT_EQ(again->front().columns[1].texts[1], std::string(200, 'b'));
  EXPECT_EQ(again->front().columns[2].name, "LONGLAB1");
  EXPECT_NEAR(again->front().columns[0].numbers[1], 0.1, 0.1 * std::ldexp(1.0, -12)) << "three bytes: 16 bits of fraction";
}

TEST(Xpt, CutsNoCharacterInTwo) {
  std::string text = std::string(199, 'a') + "\u00e9";
  const auto written = write_xpt({table_of({texts("T", {text})})});
  EXPECT_EQ(read_xpt(written->bytes, "t.xpt")->front().columns[0].texts[0], std::string(199, 'a'));
}

TEST(Xpt, GivesADateWithoutAFormatOne) {
  ExchangeColumn day = numbers("D", {0});
  day.type = DataType::date;
  day.target = TargetType::integer;
  const auto again = read_xpt(write_xpt({table_of({day})})->bytes, "t.xpt");
  EXPECT_EQ(again->front().columns[0].format, "DATE9.");
  EXPECT_EQ(again->front().columns[0].type, DataType::date);
}

TEST(Xpt, WritesNoTextThatReadersTakeForTheNextDataSet) {
  const auto written = write_xpt({table_of({texts("T", {"HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!"})})});
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().front().message, HasSubstr("where readers look for the next data set"));
}

TEST(Xpt, BecomesCellsOfTheSourceWithIsoDatesAndEmptyMissing) {
  const auto cells = cell_table(read_xpt(small_file(), "t.xpt")->front(), "t.xpt");
  ASSERT_TRUE(cells);
  EXPECT_THAT(cells->header, ElementsAre("ID", "X", "DAY"));
  EXPECT_EQ(cells->cell(0, 1), "1.5");
  EXPECT_EQ(cells->cell(0, 2), "1961-01-01");
  EXPECT_EQ(cells->cell(1, 1), "") << "every missing value is empty";
  EXPECT_EQ(cells->cell(2, 2), "1960-01-01");
  EXPECT_EQ(cells->line(2), 3u);
  EXPECT_EQ(cells->line_word(), "row");
}

}  // namespace
}  // namespace equipoise::data
