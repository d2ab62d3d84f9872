#include "equipoise/stats/linear/ancova.h"

#include <limits>

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::parse, testing::read, testing::Table, testing::term,
    testing::text, testing::texts;

const Roles response{{"response", {"y"}}};
const Node arms = testing::table({{"arm", texts({"p", "low", "high"})}});

At mean_at(std::string column, std::string level) { return {{"lsmean", Term{{std::move(column), std::move(level)}}}}; }
At less(std::string column, std::string level, std::string minus) {
  return {{"difference", LevelDifference{std::move(column), std::move(level), std::move(minus)}}};
}
At effect(std::string column) { return {{"effect", Term{{std::move(column), {}}}}}; }

// One way: means 2, 4, 9 of 3, 3 and 2 rows; residual sum of squares 2 + 8 + 2 = 12 on 5 df. Fractions by hand; a few roundings.
Table one_way() {
  Table table;
  table.numbers("y", {1, 2, 3, 2, 4, 6, 8, 10}).category("arm", {"p", "low", "high"}, {0, 0, 0, 1, 1, 1, 2, 2});
  return table;
}

TEST(Ancova, IsTheOneWayLayoutWithoutCovariates) {
  Table table = one_way();
  const auto got = answer<Ancova>(table.frame(), response, {{"formula", text("arm")}, {"levels", arms}});
  const double rounding = 1e-13;
  EXPECT_NEAR(read(got, "residual_sd"), std::sqrt(12 / 5.0), rounding);
  EXPECT_EQ(read(got, "residual_df"), 5);
  EXPECT_NEAR(read(got, "estimate", mean_at("arm", "high")), 9, rounding);
  EXPECT_NEAR(read(got, "se", mean_at("arm", "high")), std::sqrt(12 / 5.0 / 2), rounding);
  EXPECT_NEAR(read(got, "estimate", less("arm", "high", "p")), 7, rounding);
  EXPECT_NEAR(read(got, "se", less("arm", "high", "low")), std::sqrt(12 / 5.0 * (1 / 2.0 + 1 / 3.0)), rounding);
  EXPECT_NEAR(read(got, "t", less("arm", "low", "p")), 2 / std::sqrt(12 / 5.0 * 2 / 3), rounding);
  // Between: 3 (2 - 4.5)^2 + 3 (4 - 4.5)^2 + 2 (9 - 4.5)^2 = 60 on 2 df.
  EXPECT_NEAR(read(got, "f", effect("arm")), 30 / (12 / 5.0), rounding);
  EXPECT_NEAR(read(got, "estimate", term("arm", "low")), 2, rounding);
  EXPECT_EQ(got->findings.front().at, mean_at("arm", "p"));
}

TEST(Ancova, DoesNotFeelAFarOriginNorUnits) {
  Table near = one_way(), far;
  near.numbers("x", {1, 3, 2, 5, 4, 2, 1, 6});
  far.numbers("y", {1e150, 2e150, 3e150, 2e150, 4e150, 6e150, 8e150, 10e150})
      .category("arm", {"p", "low", "high"}, {0, 0, 0, 1, 1, 1, 2, 2})
      .numbers("x", {1e9 + 1, 1e9 + 3, 1e9 + 2, 1e9 + 5, 1e9 + 4, 1e9 + 2, 1e9 + 1, 1e9 + 6});
  const Keys keys{{"formula", text("x + arm")}, {"levels", arms}};
  const auto a = answer<Ancova>(near.frame(), response, keys), b = answer<Ancova>(far.frame(), response, keys);
  for (const char* quantity : {"estimate", "se", "lower", "upper"})
    EXPECT_NEAR(read(b, quantity, less("arm", "high", "p")) / 1e150, read(a, quantity, less("arm", "high", "p")), 1e-12)
        << quantity;
  EXPECT_NEAR(read(b, "p", effect("x")), read(a, "p", effect("x")), 1e-12);
}

TEST(Ancova, SaysWhatTheRowsDoNotDetermine) {
  // The cell (high, s2) has no row.
  Table table;
  table.numbers("y", {1, 2, 3, 5, 4, 7, 9, 8, 2, 6})
      .category("arm", {"p", "high"}, {0, 0, 0, 0, 1, 1, 1, 0, 0, 1})
      .category("site", {"s1", "s2"}, {0, 0, 1, 1, 0, 0, 0, 1, 0, 0});
  const Node levels = testing::table({{"arm", texts({"p", "high"})}, {"site", texts({"s1", "s2"})}});
  const auto got = answer<Ancova>(table.frame(), response, {{"formula", text("arm * site")}, {"levels", levels}});
  EXPECT_TRUE(std::isnan(read(got, "estimate", mean_at("arm", "high"))));
  EXPECT_TRUE(std::isnan(read(got, "estimate", less("arm", "high", "p"))));
  EXPECT_TRUE(std::isnan(read(got, "f", effect("arm"))));
  EXPECT_NEAR(read(got, "estimate", mean_at("arm", "p")), (5 / 3.0 + 16 / 3.0) / 2, 1e-13);
  At within = less("arm", "high", "p");
  within["within"] = Term{{"site", "s1"}};
  EXPECT_NEAR(read(got, "estimate", within), 26 / 4.0 - 5 / 3.0, 1e-13);
  EXPECT_TRUE(has_note(got, "Not estimable, because the rows do not determine them"));
}

TEST(Ancova, KeepsTheFirstOfTwoEqualCovariates) {
  Table table = one_way();
  table.numbers("x", {1, 3, 2, 5, 4, 2, 1, 6})
      .numbers("x2", {2, 6, 4, 10, 8, 4, 2, 12})
      .numbers("c", std::vector<double>(8, 0.1));
  const auto once = answer<Ancova>(table.frame(), response, {{"formula", text("arm + x")}, {"levels", arms}});
  const auto twice = answer<Ancova>(table.frame(), response, {{"formula", text("arm + x + x2 + c")}, {"levels", arms}});
  EXPECT_NEAR(read(twice, "estimate", less("arm", "low", "p")), read(once, "estimate", less("arm", "low", "p")), 1e-13);
  EXPECT_NEAR(read(twice, "estimate", mean_at("arm", "low")), read(once, "estimate", mean_at("arm", "low")), 1e-13);
  EXPECT_NEAR(read(twice, "estimate", term("x")), read(once, "estimate", term("x")), 1e-13);
  EXPECT_TRUE(std::isnan(read(twice, "estimate", term("x2"))));
  EXPECT_TRUE(std::isnan(read(twice, "f", effect("x"))));  // x and x2 cannot be told apart
  EXPECT_FALSE(std::isnan(read(twice, "f", effect("arm"))));
}

TEST(Ancova, HasNoErrorsWithoutResiduals) {
  Table full;
  full.numbers("y", {1, 2, 4}).category("arm", {"p", "low", "high"}, {0, 1, 2});
  const auto got = answer<Ancova>(full.frame(), response, {{"formula", text("arm")}, {"levels", arms}});
  EXPECT_NEAR(read(got, "estimate", less("arm", "high", "p")), 3, 1e-14);
  for (const char* quantity : {"se", "p", "lower"}) EXPECT_TRUE(std::isnan(read(got, quantity, less("arm", "high", "p"))));
  Table flat;
  flat.numbers("y", {1, 1, 2, 2}).category("arm", {"p", "low", "high"}, {0, 0, 1, 1});
  const auto perfect = answer<Ancova>(flat.frame(), response, {{"formula", text("arm")}, {"levels", arms}});
  EXPECT_TRUE(std::isnan(read(perfect, "p", less("arm", "low", "p"))));
  EXPECT_TRUE(std::isnan(read(perfect, "estimate", mean_at("arm", "high"))));
  EXPECT_TRUE(has_note(perfect, "fits every row exactly"));
  Table none;
  none.numbers("y", {}).category("arm", {"p", "low", "high"}, {});
  EXPECT_TRUE(
      std::isnan(read(answer<Ancova>(none.frame(), response, {{"formula", text("arm")}, {"levels", arms}}), "residual_sd")));
}

TEST(Ancova, TakesContrastsThatSumToZero) {
  const auto contrast = [](std::string factor, double p, double high) {
    Node::Array list;
    list.push_back(testing::table({{"name", text("trend")},
                                   {"factor", text(std::move(factor))},
                                   {"weights", testing::table({{"p", testing::number(p)}, {"high", testing::number(high)}})}}));
    return Keys{{"formula", text("arm")}, {"levels", arms}, {"contrasts", Node(Node::Value(std::move(list)))}};
  };
  Table table = one_way();
  EXPECT_NEAR(read(answer<Ancova>(table.frame(), response, contrast("arm", -1, 1)), "estimate", {{"contrast", "trend"}}), 7,
              1e-13);
  EXPECT_EQ(parse<Ancova>(response, contrast("arm", -1, 2)).problems.front().code, Code::inconsistent);
  EXPECT_EQ(parse<Ancova>(response, contrast("dose", -1, 1)).problems.front().code, Code::unresolved);
}

}  // namespace
}  // namespace equipoise::stats
