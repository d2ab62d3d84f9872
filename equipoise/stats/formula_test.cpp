#include "equipoise/stats/formula.h"

#include <limits>

#include "equipoise/stats/strata.h"
#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using Terms = std::vector<std::vector<std::string>>;

Terms terms(std::string_view text) {
  const auto formula = parse_formula(text);
  EXPECT_TRUE(formula) << formula.error().message;
  return formula ? formula->terms : Terms{};
}

TEST(Formula, AddsTermsOnce) {
  EXPECT_EQ(terms("age + sex + age"), (Terms{{"age"}, {"sex"}}));
  EXPECT_EQ(terms("  age  "), (Terms{{"age"}}));
  EXPECT_EQ(terms("cd4@baseline+ph.ecog+_x1"), (Terms{{"cd4@baseline"}, {"ph.ecog"}, {"_x1"}}));
}

TEST(Formula, CrossesToMainEffectsAndInteraction) {
  EXPECT_EQ(terms("a * b"), (Terms{{"a"}, {"b"}, {"a", "b"}}));
  EXPECT_EQ(terms("a * b * c"), (Terms{{"a"}, {"b"}, {"c"}, {"a", "b"}, {"a", "c"}, {"b", "c"}, {"a", "b", "c"}}));
  EXPECT_EQ(terms("x + a * b + y"), (Terms{{"x"}, {"a"}, {"b"}, {"y"}, {"a", "b"}}));
  EXPECT_EQ(terms("a:b * c"), (Terms{{"a"}, {"b"}, {"c"}, {"a", "b"}, {"a", "c"}, {"b", "c"}, {"a", "b", "c"}}));
}

TEST(Formula, GivesAnInteractionItsMargins) {
  EXPECT_EQ(terms("a:b"), (Terms{{"a"}, {"b"}, {"a", "b"}}));
  EXPECT_EQ(terms("a:b + b:a + b"), (Terms{{"a"}, {"b"}, {"a", "b"}}));
  EXPECT_EQ(terms("a:a"), (Terms{{"a"}}));
}

TEST(Formula, NamesTheLogarithmOrRootOfAColumn) {
  EXPECT_EQ(terms("arm + log ( cd8@baseline )"), (Terms{{"arm"}, {"log(cd8@baseline)"}}));
  EXPECT_EQ(terms("sqrt(age):arm + log"), (Terms{{"sqrt(age)"}, {"arm"}, {"log"}, {"sqrt(age)", "arm"}}));
  EXPECT_EQ(terms("log(age) + log( age )"), (Terms{{"log(age)"}}));
}

TEST(Formula, SaysWhereItIsWrong) {
  const auto message = [](std::string_view text) {
    const auto formula = parse_formula(text);
    EXPECT_FALSE(formula) << text;
    return formula ? std::string() : formula.error().message;
  };
  EXPECT_EQ(message(""), "the formula is empty");
  EXPECT_EQ(message("  "), "the formula is empty");
  EXPECT_EQ(message("age +"), "formula, position 6: expected the name of a column and found the end");
  EXPECT_EQ(message("age + + sex"), "formula, position 7: expected the name of a column and found '+'");
  EXPECT_EQ(message("exp(age)"), "formula, position 4: expected '+', '*' or ':' and found '('");
  EXPECT_EQ(message("log(age"), "formula, position 8: expected ')' after log(age and found the end");
  EXPECT_EQ(message("log(age + sex)"), "formula, position 9: expected ')' after log(age and found '+'");
  EXPECT_EQ(message("log()"), "formula, position 5: expected the name of a column and found ')'");
  EXPECT_EQ(message("log(log(age))"), "formula, position 8: expected ')' after log(log and found '('");
  EXPECT_EQ(message("age sex"), "formula, position 5: expected '+', '*' or ':' and found 's'");
  EXPECT_EQ(message("y ~ age"), "formula, position 3: expected '+', '*' or ':' and found '~'");
}

TEST(Formula, RefusesToExplode) {
  EXPECT_EQ(parse_formula("a:b:c:d:e:f:g").error().code, Code::out_of_range);
  EXPECT_EQ(parse_formula("a*b*c*d*e*f*g*h*i*j*k*l").error().code, Code::out_of_range);
}

TEST(Design, CodesCategoriesAgainstTheirFirstLevel) {
  testing::Table table;
  table.numbers("age", {50, 60, 70, 80}).category("arm", {"p", "low", "high"}, {0, 1, 2, 1});
  const auto design = build_design(table.frame(), *parse_formula("age * arm"));
  ASSERT_TRUE(design);
  EXPECT_EQ(
      design->names,
      (std::vector<Term>{
          {{"age", {}}}, {{"arm", "low"}}, {{"arm", "high"}}, {{"age", {}}, {"arm", "low"}}, {{"age", {}}, {"arm", "high"}}}));
  const auto column = [&](std::size_t j) { return std::vector<double>(design->column(j).begin(), design->column(j).end()); };
  EXPECT_EQ(column(0), (std::vector<double>{50, 60, 70, 80}));
  EXPECT_EQ(column(1), (std::vector<double>{0, 1, 0, 1}));
  EXPECT_EQ(column(3), (std::vector<double>{0, 60, 0, 80}));
  EXPECT_EQ(to_text(design->names[3]), "age : arm 'low'");
}

TEST(Design, StartsWithAnInterceptWhenAskedAndKnowsTheColumnsOfEachTerm) {
  testing::Table table;
  table.numbers("age", {50, 60, 70, 80}).category("arm", {"p", "low", "high"}, {0, 1, 2, 1});
  const auto design = build_design(table.frame(), *parse_formula("age * arm"), Intercept::first);
  ASSERT_TRUE(design);
  ASSERT_EQ(design->names.size(), 6u);
  EXPECT_TRUE(design->names[0].empty());
  for (const double one : design->column(0)) EXPECT_EQ(one, 1);
  const auto places = [](Design const& d) {
    std::vector<std::pair<std::size_t, std::size_t>> found;
    for (TermColumns const& term : d.terms) found.emplace_back(term.first, term.count);
    return found;
  };
  using Places = std::vector<std::pair<std::size_t, std::size_t>>;
  EXPECT_EQ(places(*design), (Places{{1, 1}, {2, 2}, {4, 2}}));
  EXPECT_EQ(design->terms[2].factors, (std::vector<std::string>{"age", "arm"}));
  EXPECT_EQ(places(*build_design(table.frame(), *parse_formula("age * arm"))), (Places{{0, 1}, {1, 2}, {3, 2}}));
}

TEST(Design, GivesNoCoefficientToALevelWithoutRows) {
  testing::Table table;
  table.category("arm", {"p", "low", "high"}, {0, 2, 2});
  EXPECT_EQ(build_design(table.frame(), *parse_formula("arm"))->names, (std::vector<Term>{{{"arm", "high"}}}));

  testing::Table no_reference;
  no_reference.category("arm", {"p", "low", "high"}, {1, 2, 2});
  const auto design = build_design(no_reference.frame(), *parse_formula("arm"));
  EXPECT_EQ(design->names, (std::vector<Term>{{{"arm", "high"}}}));
  ASSERT_EQ(design->notes.size(), 1u);
  EXPECT_EQ(design->notes[0], "no row has the reference level 'p' of 'arm': nothing can be compared with it");
}

TEST(Design, RefusesInfiniteNumbersAndTakesNoRows) {
  testing::Table infinite;
  infinite.numbers("age", {1, std::numeric_limits<double>::infinity()});
  EXPECT_EQ(build_design(infinite.frame(), *parse_formula("age")).error().code, Code::bad_cell);
  testing::Table empty;
  empty.numbers("age", {}).category("arm", {"p", "low"}, {});
  const auto design = build_design(empty.frame(), *parse_formula("age + arm"));
  ASSERT_TRUE(design);
  EXPECT_EQ(design->names.size(), 1u);  // no level has a row
}

TEST(Strata, AreTheCombinationsThatOccurInTheOrderOfLevels) {
  testing::Table table;
  table.category("site", {"1", "2", "3"}, {2, 0, 2, 0}).category("sex", {"f", "m"}, {0, 1, 1, 1});
  const Strata strata = combine(table.frame(), {"site", "sex"});
  EXPECT_EQ(strata.count, 3u);
  EXPECT_EQ(strata.code, (std::vector<std::int32_t>{1, 0, 2, 0}));
  EXPECT_EQ(combine(table.frame(), {}).count, 1u);
}

TEST(Strata, AreTheSameByTableAndBySort) {
  // Ten columns of 40 levels would need a table of 40^10: the sort must give what counting by hand gives.
  std::vector<std::string> levels;
  for (int i = 0; i < 40; ++i) levels.push_back(std::to_string(i));
  testing::Table table;
  std::vector<std::string> names;
  for (int column = 0; column < 10; ++column) {
    names.push_back(fmt::format("c{}", column));
    table.category(names.back(), levels, {column, 39, column, 0, 39});
  }
  const Strata strata = combine(table.frame(), names);
  EXPECT_EQ(strata.count, 3u);
  EXPECT_EQ(strata.code, (std::vector<std::int32_t>{1, 2, 1, 0, 2}));
}

}  // namespace
}  // namespace equipoise::stats
