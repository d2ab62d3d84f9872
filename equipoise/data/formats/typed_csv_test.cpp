#include "equipoise/data/formats/typed_csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace equipoise::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A table with everything that only one format holds.
ExchangeTable full() {
  ExchangeTable table{.name = "VS", .label = "Vital \"signs\"", .set_type = "DATA", .created = "2024-01-02T03:04:05"};
  table.member = {"9.4", "X64_10PR", {}, {}};
  table.library = {"9.4", std::string("Linux\0\0", 7), "2024-01-02T03:04:05", "2024-01-02T03:04:05"};
  table.study.source_system = {"SAS", "9.4"};
  ExchangeColumn number{
      .name = "X", .label = "Value", .type = DataType::single, .bytes = 5, .format = "8.2", .informat = "8.", .numeric = true};
  number.right_justified = true;
  number.numbers = {1.5, missing_number, missing_number, -1e-7};
  number.set_reason(1, 'A');
  ExchangeColumn text{.name = "T", .type = DataType::string, .length = 9, .key_sequence = 1};
  for (const char* cell : {"", "NULL", "a,\"b\"\r\n", ""}) text.texts.push_back(cell);
  text.set_reason(3, plain_missing);
  ExchangeColumn day{.name = "D", .type = DataType::date, .target = TargetType::integer, .format = "DATE9.", .numeric = true};
  day.numbers = {0, 20000, missing_number, -1};
  ExchangeColumn partial{.name = "P", .type = DataType::date, .target = TargetType::integer};
  for (const char* cell : {"2014-01-02", "2014-01", "", ""}) partial.texts.push_back(cell);
  partial.set_reason(2, plain_missing);
  table.columns = {number, text, day, partial};
  table.rows = 4;
  return table;
}

std::vector<std::string> problems(std::string csv, std::optional<std::string_view> sidecar) {
  const auto table = read_typed_csv(std::move(csv), "d.csv", sidecar);
  std::vector<std::string> all;
  if (!table)
    for (Error const& problem : table.error()) all.push_back(to_string(problem));
  return all;
}

TEST(TypedCsv, HoldsEverythingWithItsSidecar) {
  const auto written = write_typed_csv(full());
  ASSERT_TRUE(written);
  EXPECT_TRUE(written->losses.empty());
  EXPECT_EQ(
      written->bytes,
      "X,T,D,P\n1.5,,1960-01-01,2014-01-02\n.A,NULL,2014-10-04,2014-01\n,\"a,\"\"b\"\"\r\n\",,NULL\n-1e-07,NULL_,1959-12-31,\n");
  const auto again = read_typed_csv(written->bytes, "d.csv", written->sidecar);
  ASSERT_TRUE(again) << to_string(again.error().front());
  EXPECT_EQ(*again, full());
}

TEST(TypedCsv, EveryTruncationIsSeenThroughTheSidecar) {
  const auto written = write_typed_csv(full());
  for (std::size_t length = 0; length < written->bytes.size(); ++length) {
    const auto part = read_typed_csv(written->bytes.substr(0, length), "d.csv", written->sidecar);
    const bool only_the_line_break = length == written->bytes.size() - 1;
    ASSERT_EQ(part.has_value(), only_the_line_break) << length;
  }
  for (std::size_t length = 0; length + 1 < written->sidecar.size(); ++length)
    ASSERT_FALSE(read_typed_csv(written->bytes, "d.csv", written->sidecar.substr(0, length))) << length;
}

TEST(TypedCsv, SaysWhereFileAndSidecarDisagree) {
  const auto written = write_typed_csv(full());
  std::string cell = written->bytes;
  cell.replace(cell.find("1.5"), 3, "one");
  EXPECT_THAT(problems(cell, written->sidecar),
              ElementsAre("d.csv:2: column 'X': 'one' is not of type 'float', as the sidecar says"));
  std::string name = written->bytes;
  name.replace(0, 1, "Y");
  EXPECT_THAT(problems(name, written->sidecar), ElementsAre("d.csv:1: the sidecar names the column 'X', and the data have none",
                                                            "d.csv:1: the sidecar does not know the column 'Y'"));
  EXPECT_THAT(problems(written->bytes, "{}").front(), HasSubstr("d.csv.json:1:1: the data set lacks"));
  EXPECT_THAT(problems(written->bytes, "[]"), ElementsAre("d.csv.json:1:1: the file must hold one object"));
}

TEST(TypedCsv, GuessesTypesThatLoseNothing) {
  const auto table = read_typed_csv("id,n,x,when,code,empty\n007,1,1.5,2014-01-02,a,\n008,,-2e3,,,\n", "adsl.csv", {});
  ASSERT_TRUE(table) << to_string(table.error().front());
  EXPECT_EQ(table->name, "ADSL");
  std::vector<std::string> types;
  for (ExchangeColumn const& column : table->columns) types.emplace_back(word(column.type));
  EXPECT_THAT(types, ElementsAre("string", "integer", "float", "date", "string", "string"));
  EXPECT_EQ(table->columns[0].texts[0], "007");
  EXPECT_TRUE(std::isnan(table->columns[1].numbers[1]));
  EXPECT_EQ(table->columns[3].texts[0], "2014-01-02");
  EXPECT_EQ(table->columns[4].texts[1], "");
}

}  // namespace
}  // namespace equipoise::data
