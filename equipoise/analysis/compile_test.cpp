#include "equipoise/analysis/compile.h"

#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/data/dataset.h"

namespace equipoise::analysis {
namespace {

using data::Kind;
using stats::Need;

/// A method that gives back what it was given: rows, the sum of x, and the codes of group with their levels.
ReadyMethod echo(std::vector<stats::ColumnNeed> needs) {
  static const stats::MethodCard card{.keyword = "echo", .title = "Echo", .roles = {}, .options = {}, .quantities = {"rows"}};
  return {&card, std::move(needs), [](stats::Frame const& frame) -> Expected<stats::Answer> {
            stats::Answer answer;
            answer.findings.push_back({.quantity = "rows", .value = double(frame.rows)});
            std::string text;
            for (ColumnView const& column : frame.columns) {
              text += fmt::format("{}:", column.name);
              for (std::size_t i = 0; i < frame.rows; ++i)
                text += column.numeric() ? fmt::format(" {}", column.numbers()[i])
                        : column.categories().codes[i] == missing_level
                            ? " -"
                            : " " + column.categories().levels[std::size_t(column.categories().codes[i])];
              text += ';';
            }
            answer.notes.push_back(text);
            return answer;
          }};
}

data::Dataset trial() {
  auto made =
      data::DatasetBuilder(6)
          .add({.name = "x", .numbers = {1, 2, missing_number, 4, 5, 6}})
          .add({.name = "arm", .kind = Kind::code, .codes = {0, 1, 0, 1, missing_level, 2}, .levels = {"placebo", "low", "high"}})
          .add({.name = "age", .kind = Kind::integer, .numbers = {30, 40, 50, 60, 70, missing_number}})
          .build();
  return std::move(*made);
}

std::string run(Analysis const& analysis, std::vector<stats::ColumnNeed> needs) {
  const data::Dataset dataset = trial();
  const auto compiled = compile(analysis, echo(std::move(needs)), dataset.schema());
  if (!compiled) {
    std::string out;
    for (Error const& error : compiled.error()) out += fmt::format("{} ({})\n", error.message, error.hint);
    return out;
  }
  Workspace workspace;
  const data::DatasetColumns columns = dataset.view();
  const auto outcome = compiled->run(columns.view(), workspace);
  if (!outcome) return std::string(card(outcome.error().code).name) + ": " + outcome.error().message;
  return fmt::format("{} used {} dropped {}", outcome->answer.notes[0], outcome->rows_used, outcome->rows_dropped_missing);
}

std::string rows_of(RowFilter filter) {
  return run({.id = "a", .method = "echo", .where = {std::move(filter)}}, {{"x", Need::number, false}});
}

TEST(Compile, DropsRowsThatMissAValueInAColumnOfTheMethodOnly) {
  EXPECT_EQ(run({.id = "a", .method = "echo"}, {{"x", Need::number}, {"arm", Need::category}}),
            "x: 1 2 4 6;arm: placebo low low high; used 4 dropped 2");
  EXPECT_EQ(run({.id = "a", .method = "echo"}, {{"x", Need::number}}), "x: 1 2 4 5 6; used 5 dropped 1");
  EXPECT_EQ(run({.id = "a", .method = "echo"}, {{"x", Need::number, false}, {"arm", Need::category, false}}),
            "x: 1 2 nan 4 5 6;arm: placebo low placebo low - high; used 6 dropped 0");
}

TEST(Compile, CountsAsDroppedOnlyRowsThatMeetTheFilter) {
  EXPECT_EQ(run({.id = "a", .method = "echo", .where = {{.column = "arm", .is = "low"}}}, {{"x", Need::number}}),
            "x: 2 4; used 2 dropped 0");
  EXPECT_EQ(run({.id = "a", .method = "echo", .where = {{.column = "arm", .is = "placebo"}}}, {{"x", Need::number}}),
            "x: 1; used 1 dropped 1");
}

TEST(Compile, FiltersByTextNumberPresenceAndRange) {
  EXPECT_EQ(rows_of({.column = "arm", .is = "low"}), "x: 2 4; used 2 dropped 0");
  EXPECT_EQ(rows_of({.column = "arm", .is_not = "low"}), "x: 1 nan 6; used 3 dropped 0") << "a missing arm is not 'another arm'";
  EXPECT_EQ(rows_of({.column = "arm", .is_in = {"high", "placebo"}}), "x: 1 nan 6; used 3 dropped 0");
  EXPECT_EQ(rows_of({.column = "arm", .present = false}), "x: 5; used 1 dropped 0");
  EXPECT_EQ(rows_of({.column = "age", .present = true}), "x: 1 2 nan 4 5; used 5 dropped 0");
  EXPECT_EQ(rows_of({.column = "age", .is = 40.0}), "x: 2; used 1 dropped 0");
  EXPECT_EQ(rows_of({.column = "age", .is_not = 40.0}), "x: 1 nan 4 5; used 4 dropped 0");
  EXPECT_EQ(rows_of({.column = "age", .min = 40.0, .max = 60.0}), "x: 2 nan 4; used 3 dropped 0");
  EXPECT_EQ(rows_of({.column = "arm", .is = "none"}),
            "no_data: analysis 'a' has no rows: none of the 6 rows of the data meets its filter");
}

TEST(Compile, LooksAtOneColumnAsTextAndAsNumber) {
  // As a reference case sees the cells 1, 1.0, 2 and an empty one: "1" is not "1.0", but 1 is.
  const std::vector<double> numbers{1, 1, 2, missing_number};
  const std::vector<std::int32_t> codes{0, 1, 2, missing_level};
  const std::vector<std::string> levels{"1", "1.0", "2"};
  const Schema schema{{"dose", true, {}}, {"dose", false, levels}};
  const std::vector<ColumnView> columns{{"dose", NumbersView(numbers)}, {"dose", CategoriesView{codes, levels}}};
  Workspace workspace;
  const auto rows = [&](RowFilter filter) {
    const auto compiled =
        compile({.id = "a", .method = "echo", .where = {std::move(filter)}}, echo({{"dose", Need::number, false}}), schema);
    EXPECT_TRUE(compiled);
    const auto outcome = compiled->run({4, columns}, workspace);
    return outcome ? outcome->rows_used : 0;
  };
  EXPECT_EQ(rows({.column = "dose", .is = "1"}), 1u);
  EXPECT_EQ(rows({.column = "dose", .is = 1.0}), 2u);
  EXPECT_EQ(rows({.column = "dose", .is_in = {"1", 2.0}}), 2u);
  EXPECT_EQ(rows({.column = "dose", .is_not = 1.0}), 1u);
}

TEST(Compile, KeepsTheLevelsThatTheAnalysisNamesInTheirOrder) {
  EXPECT_EQ(run({.id = "a", .method = "echo", .where = {{.column = "arm", .is_not = "high"}}},
                {{"arm", Need::category, true, {"low", "placebo", "extra"}}}),
            "arm: placebo low placebo low; used 4 dropped 0");
  EXPECT_EQ(run({.id = "a", .method = "echo"}, {{"arm", Need::category, true, {"low", "placebo"}}}),
            "inconsistent: column 'arm' has the level 'high', which the analysis does not list among low, placebo");
}

TEST(Compile, ReportsEveryColumnThatIsAbsentOrOfAnotherType) {
  EXPECT_EQ(run({.id = "a", .method = "echo", .where = {{.column = "aeg", .min = 3}, {.column = "arm", .min = 3}}},
                {{"x", Need::category}, {"y1", Need::number}}),
            "analysis 'a' needs column 'aeg', and the data have none of that name (did you mean 'age'?)\n"
            "analysis 'a' needs column 'arm' as numbers, and it holds a category ()\n"
            "analysis 'a' needs column 'x' as a category, and it holds numbers ()\n"
            "analysis 'a' needs column 'y1', and the data have none of that name ()\n");
}

TEST(Compile, SaysSoWhenNobodyIsLeft) {
  EXPECT_EQ(run({.id = "a", .method = "echo", .where = {{.column = "arm", .is = "high"}}}, {{"age", Need::number}}),
            "no_data: analysis 'a' has no rows: each of the 1 rows that meet its filter misses a value");
}

TEST(Compile, RefusesAViewOfAnotherSchema) {
  const data::Dataset dataset = trial();
  const auto compiled = compile({.id = "a", .method = "echo"}, echo({{"x", Need::number}}), dataset.schema());
  ASSERT_TRUE(compiled);
  Workspace workspace;
  EXPECT_THROW((void)compiled->run({0, {}}, workspace), ContractViolation);
  const std::vector<double> other{1, 2};
  const std::vector<ColumnView> columns{{"z", NumbersView(other)}, {"arm", NumbersView(other)}, {"age", NumbersView(other)}};
  EXPECT_THROW((void)compiled->run({2, columns}, workspace), ContractViolation);
}

TEST(Compile, ReusesItsWorkspaceForAnotherAnalysis) {
  const data::Dataset dataset = trial();
  const data::DatasetColumns columns = dataset.view();
  Workspace workspace;
  const auto wide =
      compile({.id = "a", .method = "echo"}, echo({{"x", Need::number}, {"arm", Need::category}}), dataset.schema());
  const auto narrow = compile({.id = "b", .method = "echo"}, echo({{"age", Need::number}}), dataset.schema());
  ASSERT_TRUE(wide && narrow);
  EXPECT_EQ(wide->run(columns.view(), workspace)->answer.notes[0], "x: 1 2 4 6;arm: placebo low low high;");
  EXPECT_EQ(narrow->run(columns.view(), workspace)->answer.notes[0], "age: 30 40 50 60 70;");
  EXPECT_EQ(wide->run(columns.view(), workspace)->answer.notes[0], "x: 1 2 4 6;arm: placebo low low high;");
}

std::string first_problem(Analysis const& analysis) {
  const auto method = ready_method(analysis);
  return method
             ? "none"
             : fmt::format("{}: {} ({})", card(method.error()[0].code).name, method.error()[0].message, method.error()[0].hint);
}

TEST(Methods, TellsAMethodItLacksFromOneThatDoesNotExist) {
  EXPECT_EQ(first_problem({.id = "a", .method = "ae_table"}), "not_available: the method 'ae_table' is not in this build ()");
  EXPECT_EQ(first_problem({.id = "a", .method = "kaplan_maier"}),
            "unknown_keyword: no method is called 'kaplan_maier' (did you mean 'kaplan_meier'?)");
  for (stats::MethodCard const& card : method_cards()) {
    EXPECT_TRUE(is_published(card.keyword)) << card.keyword;
    EXPECT_EQ(method_card(card.keyword)->title, card.title);
  }
}

TEST(Methods, ReportsOptionsThatNobodyReads) {
  Analysis analysis{.id = "a", .method = "log_rank", .roles = {{"time", {"t"}}, {"event", {"e"}}, {"group", {"g"}}}};
  analysis.options = Node(Node::Table{{"rho", {}, Node(1.0)}, {"role", {}, Node(std::string("primary"))}});
  analysis.other_keys = {"role"};
  EXPECT_EQ(first_problem(analysis), "unknown_key: analysis 'a' has no key 'rho' (its keys are near_ties and role)");
  analysis.options = Node(1.0);
  EXPECT_EQ(first_problem(analysis), "wrong_type: the options of analysis 'a' must be a table, and are a number ()");
  analysis.options = {};
  EXPECT_EQ(first_problem(analysis), "none");
}

}  // namespace
}  // namespace equipoise::analysis
