// Every SAS transport file and every Dataset-JSON file of the CDISC examples, where they lie: read without loss, written again
// with the same bytes where the file is canonical, and equal to each other where the same table is there in two formats.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>

#include "equipoise/core/text.h"
#include "equipoise/data/formats.h"
#include "files.h"

namespace equipoise {
namespace {

using namespace data;
using ::testing::ElementsAre;

std::filesystem::path shared() {
  const char* named = std::getenv("EQUIPOISE_SHARED");
  return std::filesystem::path(named ? named : "../shared") / "data";
}

std::vector<std::filesystem::path> files_ending(std::vector<std::string> const& endings) {
  std::vector<std::filesystem::path> found;
  for (const char* folder : {"standards/xpt", "standards/dataset-json", "cdisc-pilot"})
    for (auto const& entry : std::filesystem::recursive_directory_iterator(shared() / folder))
      if (std::ranges::find(endings, entry.path().extension().string()) != endings.end() &&
          entry.path().parent_path().filename() != "schema")
        found.push_back(entry.path());
  std::ranges::sort(found);
  return found;
}

std::vector<ExchangeTable> tables_of(std::filesystem::path const& path) {
  FormatInput input{contents(path.string()), path.string()};
  auto tables = Formats::read_tables(std::move(input));
  EXPECT_TRUE(tables) << to_string(tables.error().front());
  return tables ? std::move(*tables) : std::vector<ExchangeTable>{};
}

std::vector<std::string> changes(Losses const& losses) {
  std::vector<std::string> all;
  for (Loss const& loss : losses)
    if (loss.changes) all.push_back(sentence(loss));
  return all;
}

#define SKIP_WITHOUT_DATA()                                 \
  if (!std::filesystem::exists(shared() / "standards/xpt")) \
  GTEST_SKIP() << "these files are not shipped: name their folder in EQUIPOISE_SHARED"

TEST(ExchangeInPlace, EverySasTransportFileComesBackWithTheSameBytes) {
  SKIP_WITHOUT_DATA();
  const auto files = files_ending({".xpt"});
  EXPECT_EQ(files.size(), 13u);
  for (auto const& path : files) {
    const auto tables = tables_of(path);
    ASSERT_EQ(tables.size(), 1u) << path;
    EXPECT_TRUE(changes(tables[0].losses).empty()) << path;
    const auto written = Formats::write(tables, "xpt");
    ASSERT_TRUE(written) << path;
    EXPECT_TRUE(changes(written->losses).empty()) << path;
    EXPECT_TRUE(written->bytes == contents(path.string())) << path;
  }
}

/// The official examples are canonical but for two: the NDJSON file has a blank after each comma, and the compressed ones are
/// gzip.
TEST(ExchangeInPlace, EveryDatasetJsonFileComesBackWithTheSameBytes) {
  SKIP_WITHOUT_DATA();
  const auto files = files_ending({".json", ".ndjson", ".dsjc"});
  EXPECT_EQ(files.size(), 18u);
  int same = 0;
  for (auto const& path : files) {
    const auto tables = tables_of(path);
    ASSERT_EQ(tables.size(), 1u) << path;
    EXPECT_TRUE(changes(tables[0].losses).empty()) << path;
    const std::string ending = path.extension().string().substr(1);
    const auto written = Formats::write(tables, ending);
    ASSERT_TRUE(written) << path;
    EXPECT_TRUE(written->losses.empty()) << path;
    const auto again = read_dataset_json(written->bytes, "again");
    ASSERT_TRUE(again) << path;
    EXPECT_TRUE(*again == tables[0]) << path;
    if (ending == "json") {
      EXPECT_TRUE(written->bytes == contents(path.string())) << path;
      ++same;
    }
  }
  EXPECT_EQ(same, 14);
}

TEST(ExchangeInPlace, CsvWithItsSidecarHoldsEachOfThem) {
  SKIP_WITHOUT_DATA();
  for (auto const& path : files_ending({".xpt", ".json", ".ndjson", ".dsjc"})) {
    const auto tables = tables_of(path);
    ASSERT_EQ(tables.size(), 1u) << path;
    const auto csv = write_typed_csv(tables[0]);
    ASSERT_TRUE(csv && csv->losses.empty()) << path;
    const auto again = read_typed_csv(csv->bytes, "again.csv", csv->sidecar);
    ASSERT_TRUE(again) << path << " " << to_string(again.error().front());
    EXPECT_TRUE(*again == tables[0]) << path;
  }
}

/// Cells of the two tables that differ as texts, columns by name; the columns that only one has.
struct Comparison {
  std::size_t cells = 0;
  std::map<std::string, std::size_t> different{};
  std::vector<std::string> only_one{};
};

Comparison compare(CellTable const& a, CellTable const& b) {
  Comparison made;
  EXPECT_EQ(a.rows(), b.rows());
  for (std::string const& name : a.header)
    if (!b.find(name)) made.only_one.push_back(name);
  for (std::string const& name : b.header)
    if (!a.find(name)) made.only_one.push_back(name);
  for (std::string const& name : a.header) {
    const auto left = a.find(name), right = b.find(name);
    if (!right) continue;
    for (std::size_t row = 0; row < std::min(a.rows(), b.rows()); ++row) {
      const std::string_view x = a.cell(row, *left), y = b.cell(row, *right);
      const auto number = to_number(x), other = to_number(y);
      ++made.cells;
      if (x != y && !(number && other && *number == *other)) ++made.different[name];
    }
  }
  return made;
}

CellTable cells_of(std::string const& name) {
  const std::string path = (shared() / name).string();
  auto table = Formats::read(contents(path), path);
  EXPECT_TRUE(table) << to_string(table.error().front());
  return std::move(*table);
}

/// The CSV file is of another hand (R's haven and write.csv): 254 rows, 48 columns.
TEST(ExchangeInPlace, TheSasFileOfThePilotIsItsCsvFileCellByCell) {
  SKIP_WITHOUT_DATA();
  const Comparison pilot = compare(cells_of("cdisc-pilot/adsl.xpt"), cells_of("cdisc-pilot/adsl.csv"));
  EXPECT_EQ(pilot.cells, 254u * 48u);
  EXPECT_THAT(pilot.only_one, ElementsAre());
  for (auto const& [column, count] : pilot.different) ADD_FAILURE() << column << ": " << count << " cells differ";
}

TEST(ExchangeInPlace, TheSameTablesAreInSasAndJson) {
  SKIP_WITHOUT_DATA();
  for (const std::string name :
       {"adam/adae", "adam/adtte", "adam/adsl", "sdtm/dm", "sdtm/ds", "sdtm/ta", "sdtm/te", "sdtm/ts", "sdtm/tv"}) {
    const Comparison both =
        compare(cells_of("standards/xpt/" + name + ".xpt"), cells_of("standards/dataset-json/" + name + ".json"));
    std::string differences;
    for (auto const& [column, count] : both.different) differences += fmt::format("{}: {} ", column, count);
    EXPECT_GT(both.cells, 0u);
    EXPECT_EQ(differences, "") << name << " of " << both.cells << " cells";
    EXPECT_THAT(both.only_one, ElementsAre()) << name;
  }
}

TEST(ExchangeInPlace, TheThreeFormsOfAdslAreOneTable) {
  SKIP_WITHOUT_DATA();
  const CellTable json = cells_of("standards/dataset-json/adam/adsl.json");
  for (const char* name : {"standards/dataset-json/adam/adsl.ndjson", "standards/dataset-json/adam/adsl.dsjc"}) {
    const Comparison both = compare(json, cells_of(name));
    EXPECT_EQ(both.cells, 254u * 49u);
    EXPECT_TRUE(both.different.empty()) << name << " " << both.different.begin()->first;
  }
}

}  // namespace
}  // namespace equipoise
