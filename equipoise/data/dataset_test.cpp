#include "equipoise/data/dataset.h"

#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/core/dates.h"

namespace equipoise::data {
namespace {

double day(const char* text) { return day_number(to_partial_date(text)->earliest); }
double last_day(const char* text) { return day_number(to_partial_date(text)->latest); }

std::string refusal(std::size_t rows, TypedColumn column) {
  const auto dataset = DatasetBuilder(rows).add(std::move(column)).build();
  return dataset ? "accepted" : dataset.error().message;
}

TEST(Dataset, ShowsItsColumnsByNameAndType) {
  const auto dataset = DatasetBuilder(3)
                           .add({.name = "arm", .kind = Kind::code, .codes = {0, 1, 0}, .levels = {"placebo", "active"}})
                           .add({.name = "age", .unit = "a", .kind = Kind::integer, .numbers = {34, 51, missing_number}})
                           .add({.name = "note", .kind = Kind::text, .texts = {"", "seen", "late"}})
                           .build();
  ASSERT_TRUE(dataset) << dataset.error().message;

  EXPECT_EQ(dataset->rows(), 3u);
  EXPECT_EQ(dataset->schema(), (Schema{{"arm", false, {"placebo", "active"}}, {"age", true, {}}}));
  const DatasetColumns columns = dataset->view();
  const DatasetView view = columns.view();
  ASSERT_EQ(view.columns.size(), 2u);
  EXPECT_EQ(view.columns[0].categories().codes[1], 1);
  EXPECT_EQ(view.columns[1].numbers()[1], 51);
  EXPECT_EQ(dataset->find("age")->unit, "a");
}

TEST(Dataset, NamesTheNearestColumnWhenOneIsAbsent) {
  const auto dataset = DatasetBuilder(1).add({.name = "weight", .numbers = {70}}).build();
  ASSERT_TRUE(dataset);
  const auto column = dataset->column("wieght");
  ASSERT_FALSE(column);
  EXPECT_EQ(column.error().code, Code::missing_column);
  EXPECT_EQ(column.error().message, "the data have no column 'wieght'");
  EXPECT_EQ(column.error().hint, "did you mean 'weight'?");
}

TEST(Dataset, GivesEveryMissingCellAReason) {
  const auto dataset = DatasetBuilder(3)
                           .add({.name = "cd4",
                                 .numbers = {missing_number, 200, missing_number},
                                 .missing = {Missing::not_done, Missing::none, Missing::none}})
                           .add({.name = "arm", .kind = Kind::code, .codes = {missing_level, 0, 0}, .levels = {"a"}})
                           .add({.name = "whole", .numbers = {1, 2, 3}, .missing = {Missing::none, Missing::none, Missing::none}})
                           .build();
  ASSERT_TRUE(dataset) << dataset.error().message;
  EXPECT_EQ(dataset->find("cd4")->missing, (std::vector{Missing::not_done, Missing::none, Missing::not_recorded}));
  EXPECT_EQ(dataset->find("arm")->missing, (std::vector{Missing::not_recorded, Missing::none, Missing::none}));
  EXPECT_TRUE(dataset->find("whole")->missing.empty()) << "no reasons are kept where nothing is missing";
}

TEST(Dataset, HidesALimitFromMethodsUnlessAskedForIt) {
  const auto dataset = DatasetBuilder(3)
                           .add({.name = "load", .numbers = {20, 431, 1e6}, .bounds = {Bound::below, Bound::exact, Bound::above}})
                           .add({.name = "born",
                                 .kind = Kind::date,
                                 .numbers = {day("1980-02-29"), day("1980-02"), missing_number},
                                 .latest = {day("1980-02-29"), last_day("1980-02"), missing_number}})
                           .build();
  ASSERT_TRUE(dataset) << dataset.error().message;
  EXPECT_FALSE(dataset->find("load")->is_exact(0));
  EXPECT_FALSE(dataset->find("born")->is_exact(1));

  const DatasetColumns exact = dataset->view();
  EXPECT_TRUE(std::isnan(exact.view().columns[0].numbers()[0]));
  EXPECT_EQ(exact.view().columns[0].numbers()[1], 431);
  EXPECT_TRUE(std::isnan(exact.view().columns[0].numbers()[2]));
  EXPECT_EQ(exact.view().columns[1].numbers()[0], day("1980-02-29"));
  EXPECT_TRUE(std::isnan(exact.view().columns[1].numbers()[1]));

  const DatasetColumns stored = dataset->view(Inexact::as_stored);
  EXPECT_EQ(stored.view().columns[0].numbers()[0], 20);
  EXPECT_EQ(stored.view().columns[1].numbers()[1], day("1980-02-01"));
}

TEST(DatasetBuilder, RefusesColumnsThatBreakTheirPromises) {
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(refusal(1, {.name = "", .numbers = {1}}), "a column has no name");
  EXPECT_EQ(refusal(2, {.name = "x", .numbers = {1}}), "column 'x' has 1 cells, and the data set has 2 rows");
  EXPECT_EQ(refusal(2, {.name = "x", .numbers = {1, 2}, .missing = {Missing::none}}),
            "column 'x' has 1 reasons for missing cells, and the data set has 2 rows");
  EXPECT_EQ(refusal(1, {.name = "x", .numbers = {1}, .missing = {Missing::unknown}}),
            "row 1 of column 'x' has a value and a reason for having none");
  EXPECT_EQ(refusal(1, {.name = "x", .numbers = {inf}}), "row 1 of column 'x' holds inf, and must be finite");
  EXPECT_EQ(refusal(1, {.name = "x", .kind = Kind::integer, .numbers = {1.5}}),
            "row 1 of column 'x' holds 1.5, and must be a whole number up to 2^53");
  EXPECT_EQ(refusal(1, {.name = "x", .kind = Kind::flag, .numbers = {2}}), "row 1 of column 'x' holds 2, and a flag is 0 or 1");
  EXPECT_EQ(refusal(1, {.name = "x", .kind = Kind::date, .numbers = {1e12}}),
            "row 1 of column 'x' holds 1000000000000, and a date is a day, a month or a year from 1800 to 2299, as days since "
            "1970-01-01");
  EXPECT_EQ(refusal(1, {.name = "x", .kind = Kind::code, .codes = {2}, .levels = {"a", "b"}}),
            "row 1 of column 'x' holds level number 2, and there are 2 levels");
  EXPECT_EQ(refusal(1, {.name = "x", .kind = Kind::code, .codes = {0}, .levels = {"a", "a"}}),
            "column 'x' has the level 'a' twice");
  EXPECT_EQ(refusal(1, {.name = "x", .kind = Kind::text, .texts = {"\xFF"}}), "row 1 of column 'x' is not UTF-8");
  EXPECT_EQ(refusal(1, {.name = "x", .kind = Kind::text, .texts = {"a"}, .bounds = {Bound::below}}),
            "column 'x' has bounds, and holds text");
  EXPECT_EQ(
      refusal(1, {.name = "x", .kind = Kind::date, .numbers = {day("2020-01-01")}, .latest = {day("2020-01-02")}}),
      "row 1 of column 'x' holds 18262, and a date is a day, a month or a year from 1800 to 2299, as days since 1970-01-01");
}

TEST(DatasetBuilder, RefusesTwoColumnsOfOneNameAndNoneAtAll) {
  const auto twice = DatasetBuilder(1).add({.name = "x", .numbers = {1}}).add({.name = "x", .numbers = {2}}).build();
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().code, Code::duplicate);
  const auto none = DatasetBuilder(1).build();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::no_data);
}

}  // namespace
}  // namespace equipoise::data
