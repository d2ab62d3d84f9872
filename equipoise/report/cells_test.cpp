#include "equipoise/report/cells.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "equipoise/report/cgd_fixture.h"
#include "equipoise/report/page.h"
#include "equipoise/report/tables.h"
#include "equipoise/report/tables/parts.h"

namespace equipoise::report {
namespace {

TEST(Cells, ValuesKeepTheirNumberAndHowItIsPrinted) {
  const Value zero = value::fixed("mean", -0.04, 1);
  EXPECT_EQ(zero.printed, "0.0");  // never "-0.0"
  EXPECT_EQ(zero.raw, -0.04);
  EXPECT_EQ(zero.format, "fixed 1");
  EXPECT_EQ(value::fixed("mean", fixture::ne, 1).printed, "NE");
  EXPECT_EQ(value::fixed("mean", 81.25, 1).printed, "81.3");  // halves away from zero
  EXPECT_EQ(value::percent("percent", 12.0 / 65).printed, "18.5%");
  EXPECT_EQ(value::percent("percent", 0.5).unit, "%");
  EXPECT_EQ(value::p("p", 0.00004, 0.05).printed, "< 0.0001");
  EXPECT_EQ(value::as_printed("lower", -12.345, "\u221212.3").format, "fixed 1");
}

TEST(Cells, TextIsMadeOfThePrintedValues) {
  const Piece piece = of_values(Piece::Kind::main, "{} ({})", {value::count("n", 12), value::percent("percent", 12.0 / 65)});
  EXPECT_EQ(piece.text, "12 (18.5%)");
  Footnotes notes;
  const Piece first = notes.mark("One."), second = notes.mark("Two."), again = notes.mark("One.");
  EXPECT_EQ(first.note, 1);
  EXPECT_EQ(second.note, 2);
  EXPECT_EQ(again.note, 1);
  const Cell cell({piece, first, {Piece::Kind::under, "0.1 to 0.2"}});
  EXPECT_EQ(plain_text(cell), "12 (18.5%); 0.1 to 0.2");
}

TEST(Tables, HaveTheNumbersOfIchE3InTheOrderOfThePage) {
  const Document made = document(fixture::cgd_protocol(), fixture::cgd_results());
  std::vector<std::string> population, efficacy;
  std::set<std::string> numbers;
  for (Table const& table : made.tables) {
    EXPECT_TRUE(numbers.insert(table.number).second) << table.number;
    EXPECT_NE(made.html.find("Table " + table.number + "</span>"), std::string::npos) << table.number;
    if (table.chapter == Table::Chapter::population) population.push_back(table.number + " " + table.id);
    if (table.chapter == Table::Chapter::efficacy) efficacy.push_back(table.number);
  }
  EXPECT_EQ(population, (std::vector<std::string>{"14.1.1 disposition", "14.1.2 demography"}));
  ASSERT_FALSE(efficacy.empty());
  EXPECT_EQ(efficacy.front(), "14.2.1");
  EXPECT_EQ(efficacy.back(), "14.2." + std::to_string(efficacy.size()));
}

/// Every printed value of a table, in the order of its cells.
std::vector<std::string> printed_in(Table const& table) {
  std::vector<std::string> out;
  for (auto const& part : table.parts)
    if (const auto* grid = std::get_if<Grid>(&part)) {
      for (Column const& column : grid->columns)
        for (Piece const& piece : column.name.pieces)
          for (Value const& value : piece.values) out.push_back(value.printed);
      for (RowGroup const& group : grid->groups)
        for (Row const& row : group.rows)
          for (Cell const& cell : row.cells)
            for (Piece const& piece : cell.pieces)
              for (Value const& value : piece.values) out.push_back(value.printed);
    }
  return out;
}

TEST(Tables, DispositionAddsUp) {
  const protocol::Protocol plan = fixture::cgd_protocol();
  const results::Results answer = fixture::cgd_results();
  const Table table = tables::disposition(Context(plan, answer, "en"));
  ASSERT_EQ(table.parts.size(), 1u);
  auto const& rows = std::get<Grid>(table.parts.front()).groups.front().rows;
  const auto number = [&](std::size_t row, std::size_t column) { return rows[row].cells[column].pieces[0].values[0].raw; };
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_EQ(number(1, c), number(2, c) + number(3, c));  // randomised = completed + left early
    double reasons = 0;
    for (std::size_t r = 4; r < rows.size(); ++r) reasons += number(r, c);
    EXPECT_EQ(number(3, c), reasons);
  }
  EXPECT_EQ(number(1, 0), 65);
  EXPECT_EQ(number(1, 2), 128);
}

/// What the table of characteristics prints for an item, row by row: the cells of one column.
std::vector<std::string> column_of_item(protocol::Protocol const& plan, results::Results const& answer, std::size_t item,
                                        std::size_t column) {
  const Table table = tables::baseline(Context(plan, answer, "en"));
  std::vector<std::string> out;
  for (Row const& row : std::get<Grid>(table.parts.front()).groups.at(item).rows)
    if (!row.heads()) out.push_back(plain_text(row.cells.at(column)));
  return out;
}

TEST(Tables, CharacteristicsHaveTheDecimalsOfTheDataOrOfTheProtocol) {
  using Cells = std::vector<std::string>;
  protocol::Protocol plan = fixture::cgd_protocol();
  results::Results answer = fixture::cgd_results();
  EXPECT_EQ(column_of_item(plan, answer, 0, 0), (Cells{"65", "15.0 (9.6)", "14 (7 to 24)", "1 to 35"}));
  EXPECT_EQ(column_of_item(plan, answer, 2, 0), (Cells{"65", "12 (18.5%)", "53 (81.5%)"}));
  // A median between two whole numbers is none of them: all medians and quartiles of the item then have a decimal more.
  answer.baseline[0].cells[1].median = 12.5;
  EXPECT_EQ(column_of_item(plan, answer, 0, 0)[2], "14.0 (7.0 to 24.0)");
  EXPECT_EQ(column_of_item(plan, answer, 0, 1)[2], "12.5 (7.0 to 20.0)");
  plan.report.decimals = {.percent = 0, .mean = 2, .sd = 3, .median = 0, .range = 1};
  EXPECT_EQ(column_of_item(plan, answer, 0, 1), (Cells{"63", "14.29 (10.119)", "13 (7 to 20)", "1.0 to 44.0"}));
  EXPECT_EQ(column_of_item(plan, answer, 2, 0), (Cells{"65", "12 (18%)", "53 (82%)"}));
}

TEST(Tables, NobodyIsZeroAndSomebodyIsNever) {
  EXPECT_EQ(plain_text(tables::count_of(0, 254, 0)), "0");
  EXPECT_EQ(plain_text(tables::count_of(1, 254, 0)), "1 (<1%)");
  EXPECT_EQ(plain_text(tables::count_of(1, 254, 1)), "1 (0.4%)");
  EXPECT_EQ(plain_text(tables::count_of(1, 5000, 1)), "1 (<0.1%)");
  EXPECT_EQ(plain_text(tables::count_of(2, 254, 0)), "2 (1%)");
  EXPECT_EQ(plain_text(tables::count_of(253, 254, 0)), "253 (>99%)");
  EXPECT_EQ(plain_text(tables::count_of(4999, 5000, 1)), "4999 (>99.9%)");
  EXPECT_EQ(plain_text(tables::count_of(254, 254, 0)), "254 (100%)");
  const Value few = tables::percent_of(1, 254, 0);
  EXPECT_EQ(few.raw, 1.0 / 254);
  EXPECT_EQ(few.format, "percent 0");
}

TEST(Tables, SummaryOfATimeToEventSetsTheAnalysesSideBySide) {
  const protocol::Protocol plan = fixture::cgd_protocol();
  const results::Results answer = fixture::cgd_results();
  const Context context(plan, answer, "en");
  auto const& run = answer.runs.front();
  const Table table = tables::endpoint_summary(context, *plan.endpoint(run.endpoint), run.set);
  ASSERT_FALSE(table.empty());
  const std::vector<std::string> printed = printed_in(table);
  // Events of each arm; the hazard ratio of Cox and the P value of the log-rank test are of the second arm.
  for (const char* text : {"30", "14", "0.335", "0.174", "0.645", "0.0011", "0.0006"})
    EXPECT_NE(std::find(printed.begin(), printed.end(), text), printed.end()) << text;
}

TEST(Tables, SummaryKeepsATestOfTwoArmsAndASecondAnalysisByTheSameMethod) {
  const protocol::Protocol plan = fixture::cgd_protocol();
  results::Results answer = fixture::cgd_results();
  const auto test = std::ranges::find_if(
      answer.records, [](results::Record const& one) { return one.method == "log_rank" && one.finding.p.has_value(); });
  ASSERT_NE(test, answer.records.end());
  test->finding.at = {{"level", std::string("ifn")}, {"minus", std::string("placebo")}};
  results::Record other = *test;
  results::AnalysisRun run = *std::ranges::find(answer.runs, test->analysis, &results::AnalysisRun::id);
  run.id = other.analysis = "again";
  other.finding.p = 0.0123;
  answer.runs.push_back(run);
  answer.records.push_back(other);
  const Context context(plan, answer, "en");
  const Table table = tables::endpoint_summary(context, *plan.endpoint(run.endpoint), run.set);
  const std::vector<std::string> printed = printed_in(table);
  for (const char* text : {"0.0006", "0.012"}) EXPECT_EQ(std::ranges::count(printed, text), 1) << text;
  EXPECT_EQ(std::get<Grid>(table.parts.front()).columns.size(), 3u);  // two arms, and none for all
}

std::vector<std::vector<std::string>> read_csv(std::string const& bytes) {
  std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
  bool quoted = false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (quoted && c == '"' && i + 1 < bytes.size() && bytes[i + 1] == '"') rows.back().back() += '"', ++i;
    else if (c == '"') quoted = !quoted;
    else if (!quoted && c == ',') rows.back().emplace_back();
    else if (!quoted && c == '\n') rows.emplace_back(1);
    else rows.back().back() += c;
  }
  rows.pop_back();
  return rows;
}

TEST(Tables, CsvAndJsonHoldEveryNumberOnceWithItsPrintedForm) {
  const Document made = document(fixture::cgd_protocol(), fixture::cgd_results());
  const auto json = nlohmann::json::parse(json_of(made.tables));
  ASSERT_EQ(json.size(), made.tables.size());
  for (std::size_t t = 0; t < made.tables.size(); ++t) {
    const std::vector<std::string> expected = printed_in(made.tables[t]);
    std::vector<std::string> from_csv, from_json;
    const auto rows = read_csv(csv_of(made.tables[t]));
    for (std::size_t r = 1; r < rows.size(); ++r) {
      ASSERT_EQ(rows[r].size(), rows.front().size());
      if (rows[r][5] != "text") from_csv.push_back(rows[r][7]);
    }
    const auto take = [&](nlohmann::json const& cell) {
      if (cell.contains("values"))
        for (auto const& value : cell["values"]) from_json.push_back(value["printed"]);
    };
    for (auto const& grid : json[t]["grids"]) {
      for (auto const& column : grid["columns"]) take(column);
      for (auto const& group : grid["groups"])
        for (auto const& row : group)
          for (auto const& cell : row["cells"]) take(cell);
    }
    EXPECT_EQ(from_csv, expected) << made.tables[t].id;
    EXPECT_EQ(from_json, expected) << made.tables[t].id;
  }
}

TEST(Tables, CsvQuotesWhatNeedsIt) {
  Table table{.id = "x", .number = "14.2.1"};
  Grid grid{.columns = {{.name = Cell(std::string("a,b"))}, {.name = Cell(std::string("say \"c\""))}}};
  grid.add({.head = Cell(std::string("row\nbroken")), .cells = {Cell(value::fixed("mean", fixture::ne, 2))}});
  table.parts.emplace_back(grid);
  EXPECT_EQ(csv_of(table),
            "table,part,group,row,column,statistic,value,printed,unit,format,footnotes\n"
            "14.2.1,1,,\"row\nbroken\",\"say \"\"c\"\"\",mean,,NE,,fixed 2,\n");
}

TEST(Tables, FileNamesHoldTheNumberAndNothingThatAPathCouldMean) {
  EXPECT_EQ(file_name({.id = "analysis_../../etc/x y", .number = "14.2.3"}), "t-14.2.3-analysis-etc-x-y");
}

TEST(Tables, SameDocumentsGiveTheSameBytesInEveryFormat) {
  for (const char* language : {"en", "zh"}) {
    const auto once =
        files_of(document(fixture::cgd_protocol(), fixture::cgd_results(), {.language = language}), {"html", "rtf", "csv"});
    const auto again =
        files_of(document(fixture::cgd_protocol(), fixture::cgd_results(), {.language = language}), {"html", "rtf", "csv"});
    EXPECT_EQ(once, again);
    EXPECT_GT(once.size(), 10u);
  }
}

}  // namespace
}  // namespace equipoise::report
