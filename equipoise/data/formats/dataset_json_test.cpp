#include "equipoise/data/formats/dataset_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace equipoise::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// The form of the standard's own examples: compact, keys in its order.
const std::string small =
    R"({"datasetJSONCreationDateTime":"2024-11-11T15:09:13","datasetJSONVersion":"1.1.0","studyOID":"S1","itemGroupOID":"IG.VS","records":3,)"
    R"("name":"VS","label":"Vital signs","columns":[)"
    R"({"itemOID":"IT.VS.ID","name":"ID","label":"Who","dataType":"string","length":8,"keySequence":1},)"
    R"({"itemOID":"IT.VS.X","name":"X","label":"Value","dataType":"float","displayFormat":"8.2"},)"
    R"({"itemOID":"IT.VS.D","name":"D","label":"Day","dataType":"date","targetDataType":"integer","displayFormat":"DATE9."},)"
    R"({"itemOID":"IT.VS.Y","name":"Y","label":"","dataType":"boolean"},)"
    R"({"itemOID":"IT.VS.Z","name":"Z","label":"","dataType":"decimal"}],)"
    R"("rows":[["01","é"],["02"]]})";

std::string with_rows(std::string const& rows, int records) {
  std::string text = small.substr(0, small.find("\"rows\":")) + "\"rows\":" + rows + "}";
  return text.replace(text.find("\"records\":3"), 11, "\"records\":" + std::to_string(records));
}
const std::string good =
    with_rows(R"([["01",36.6,"2014-01-02",true,"1.50"],["é",null,null,false,null],[null,-1e-5,"1959-12-31",null,"0.1"]])", 3);

std::vector<std::string> problems(std::string const& bytes) {
  const auto table = read_dataset_json(bytes, "d.json");
  std::vector<std::string> all;
  if (!table)
    for (Error const& problem : table.error()) all.push_back(to_string(problem));
  return all;
}

std::string changed(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(DatasetJson, ReadsColumnsAndCells) {
  const auto table = read_dataset_json(good, "d.json");
  ASSERT_TRUE(table) << to_string(table.error().front());
  EXPECT_EQ(table->name, "VS");
  EXPECT_EQ(table->study.study_oid, "S1");
  ASSERT_EQ(table->columns.size(), 5u);
  EXPECT_EQ(table->columns[0].key_sequence, 1);
  EXPECT_EQ(table->columns[0].texts[1], "é");
  EXPECT_EQ(table->columns[0].reason(2), plain_missing) << "null is no empty text";
  EXPECT_EQ(table->columns[1].numbers[0], 36.6);
  EXPECT_EQ(table->columns[1].reason(1), plain_missing);
  EXPECT_TRUE(table->columns[2].numeric);
  EXPECT_EQ(table->columns[2].numbers[2], -1) << "days since 1960-01-01";
  EXPECT_EQ(table->columns[3].numbers[0], 1);
  EXPECT_EQ(table->columns[4].texts[0], "1.50") << "a decimal keeps its digits";
}

TEST(DatasetJson, EveryFormComesBackWithTheSameBytes) {
  const auto table = read_dataset_json(good, "d.json");
  ASSERT_TRUE(table);
  EXPECT_EQ(write_dataset_json(*table, JsonForm::object)->bytes, changed(good, "-1e-5", "-1e-05"));
  const std::string lines = write_dataset_json(*table, JsonForm::lines)->bytes;
  EXPECT_EQ(std::ranges::count(lines, '\n'), 4);
  EXPECT_EQ(*read_dataset_json(lines, "d.ndjson"), *table);
  EXPECT_EQ(*read_dataset_json(deflated(lines), "d.dsjc"), *table);
}

// The bytes of `printf '' | gzip`-like streams differ by program; this one is Python's gzip.compress(b"x", mtime=0) read as text.
TEST(DatasetJson, TellsCompressedBytesByThemselves) {
  EXPECT_TRUE(is_compressed("\x1f\x8b\x08"));
  EXPECT_TRUE(is_compressed("\x78\x9c"));
  EXPECT_FALSE(is_compressed("{\""));
  const std::string stream = deflated("twice ");
  EXPECT_EQ(inflated(stream).value(), "twice ");
  EXPECT_THAT(inflated(stream.substr(0, stream.size() - 3)).error().message, HasSubstr("cut off"));
  EXPECT_THAT(inflated(stream + "x").error().message, HasSubstr("bytes follow"));
  EXPECT_THAT(inflated(deflated(std::string(1 << 20, 'a')), 1000).error().message, HasSubstr("more than 1000 bytes"));
}

TEST(DatasetJson, EveryTruncationIsSeen) {
  const auto table = read_dataset_json(good, "d.json");
  ASSERT_TRUE(table);
  std::vector<std::string> files{good, write_dataset_json(*table, JsonForm::lines)->bytes};
  files.push_back(deflated(files[1]));
  for (std::string const& bytes : files)
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      const auto part = read_dataset_json(bytes.substr(0, length), "d.json");
      const bool only_the_line_break = &bytes == &files[1] && length == bytes.size() - 1;
      ASSERT_EQ(part.has_value(), only_the_line_break) << length;
      if (part) {
        ASSERT_EQ(*part, *table);
      }
    }
}

TEST(DatasetJson, RowsMayComeBeforeColumns) {
  const std::size_t rows = good.find("\"rows\":");
  const std::string first = "{" + good.substr(rows, good.size() - 1 - rows) + "," + good.substr(1, rows - 2) + "}";
  ASSERT_TRUE(read_dataset_json(first, "d.json")) << problems(first).front();
  EXPECT_EQ(*read_dataset_json(first, "d.json"), *read_dataset_json(good, "d.json"));
}

TEST(DatasetJson, NamesRowAndColumnOfEveryBadCell) {
  EXPECT_THAT(problems(with_rows(R"([[1,"x","2014-01-02","true",true],[null,{},null,1,"x1"]])", 2)),
              ElementsAre("d.json: column 'ID': row 1: the number 1, and the column is of dataType 'string'",
                          "d.json: column 'X': row 1: a text, and the column is of dataType 'float'",
                          "d.json: column 'Y': row 1: a text, and the column is of dataType 'boolean'",
                          "d.json: column 'Z': row 1: true or false, and the column is of dataType 'decimal'",
                          "d.json: column 'X': row 2: an object, and cells are single values",
                          "d.json: column 'Y': row 2: the number 1, and the column is of dataType 'boolean'",
                          "d.json: column 'Z': row 2: 'x1' is no decimal"));
  EXPECT_THAT(problems(with_rows(R"([["a",1e999,null,null,null]])", 1)),
              ElementsAre("d.json: column 'X': row 1: 1e999 is beyond what a double holds"));
  EXPECT_THAT(problems(changed(with_rows(R"([["a",9007199254740993,null,null,null]])", 1), "\"float\"", "\"integer\"")),
              ElementsAre(HasSubstr("9007199254740993 has more digits than a double holds")));
}

TEST(DatasetJson, StopsAtAMistakeOfJsonWithItsPlace) {
  EXPECT_THAT(problems(with_rows(R"([["a",1,null,null]])", 1)),
              ElementsAre(HasSubstr("in row 1: the row has 4 cells, and there are 5 columns")));
  EXPECT_THAT(problems(with_rows(R"([["a",1,null,null,null,1]])", 1)),
              ElementsAre(HasSubstr("in row 1: the row has more cells than the 5 columns")));
  EXPECT_THAT(problems(with_rows("[\n[\"a\",01,null,null,null]]", 1)),
              ElementsAre("d.json:2:8: in row 1: a number must not begin with 0"));
  EXPECT_THAT(problems(with_rows(R"([["\ud800",1,null,null,null]])", 1)), ElementsAre(HasSubstr("half of a surrogate pair")));
  EXPECT_THAT(problems(good + " {}"), ElementsAre(HasSubstr("something follows the end")));
  EXPECT_THAT(problems("[1]"), ElementsAre("d.json:1:1: a Dataset-JSON file begins with an object, and this does not"));
  EXPECT_THAT(problems(""), ElementsAre("d.json: the file is empty"));
  EXPECT_THAT(problems("{\"a\":" + std::string(100000, '[')), ElementsAre(HasSubstr("no key 'a'"), HasSubstr("cut off")));
}

TEST(DatasetJson, AsksForWhatTheSchemaAsksFor) {
  EXPECT_THAT(problems(changed(changed(good, "\"name\":\"VS\",", ""), "\"1.1.0\"", "\"2.0\"")),
              ElementsAre(HasSubstr("Dataset-JSON 2.0 is not read"), HasSubstr("the data set lacks 'name'")));
  EXPECT_THAT(problems(changed(good, "\"studyOID\"", "\"studyOid\"")),
              ElementsAre(HasSubstr("no key 'studyOid'\n  hint: did you mean 'studyOID'?")));
  EXPECT_THAT(problems(changed(good, "\"2024-11-11T15:09:13\"", "\"11NOV2024\"")),
              ElementsAre(HasSubstr("must be a date and time")));
  EXPECT_THAT(problems(changed(good, "\"name\":\"X\"", "\"name\":\"ID\"")),
              ElementsAre(HasSubstr("columns 1 and 2 are both named 'ID'")));
  EXPECT_THAT(problems(changed(good, "\"float\"", "\"real\"")), ElementsAre(HasSubstr("column 2: 'real' is no dataType")));
  EXPECT_THAT(problems(changed(good, "\"records\":3", "\"records\":4")),
              ElementsAre("d.json: 'records' says 4 rows, and there are 3: the file may be cut off"));
  EXPECT_THAT(problems(changed(good, "\"label\":\"Vital signs\"", "\"label\":[]")), ElementsAre()) << "as files in use have it";
}

TEST(DatasetJson, KeepsADateThatIsWrittenInAnotherWayAsText) {
  const std::string file = with_rows(R"([["a",1,"2014-01-02",null,null],["b",1,null,null,null],["c",1,"2014-01",null,null]])", 3);
  const auto table = read_dataset_json(file, "d.json");
  ASSERT_TRUE(table) << problems(file).front();
  EXPECT_FALSE(table->columns[2].numeric);
  EXPECT_EQ(table->columns[2].texts[0], "2014-01-02");
  EXPECT_EQ(table->columns[2].reason(1), plain_missing);
  EXPECT_EQ(write_dataset_json(*table, JsonForm::object)->bytes, file);
}

TEST(DatasetJson, KeepsNumbersThatContradictTheirTypeAndSaysSo) {
  const std::string file = changed(with_rows(R"([["a",1.5,null,null,null]])", 1), "\"float\"", "\"integer\"");
  const auto table = read_dataset_json(file, "d.json");
  ASSERT_TRUE(table);
  ASSERT_EQ(table->losses.size(), 1u);
  EXPECT_EQ(sentence(table->losses[0]),
            "column 'X': 1 cell: the dataType is 'integer' and the numbers are not whole; they are kept (row 1)");
  EXPECT_EQ(write_dataset_json(*table, JsonForm::object)->bytes, file);
}

TEST(DatasetJson, ReadsEveryEscapeAndWritesOnlyThoseItMust) {
  const std::string file = with_rows(R"([["\u0041\u00e9\u20ac\ud83d\ude00\"\\\/\b\f\n\r\t\u0001",1,null,null,null]])", 1);
  const auto table = read_dataset_json(file, "d.json");
  ASSERT_TRUE(table) << problems(file).front();
  EXPECT_EQ(table->columns[0].texts[0], "Aé€😀\"\\/\b\f\n\r\t\x01");
  EXPECT_THAT(write_dataset_json(*table, JsonForm::object)->bytes, HasSubstr(R"(["Aé€😀\"\\/\b\f\n\r\t\u0001")"));
}

TEST(DatasetJson, TellsThatSpecialMissingValuesBecomeNull) {
  auto table = read_dataset_json(good, "d.json");
  ASSERT_TRUE(table);
  table->columns[1].set_reason(1, 'A');
  const auto written = write_dataset_json(*table, JsonForm::lines);
  ASSERT_EQ(written->losses.size(), 1u);
  EXPECT_TRUE(written->losses[0].changes);
  EXPECT_EQ(sentence(written->losses[0]), "column 'X': 1 cell: special missing values (._, .A to .Z) become null (row 2)");
}

}  // namespace
}  // namespace equipoise::data
