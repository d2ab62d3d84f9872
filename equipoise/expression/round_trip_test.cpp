#include <gtest/gtest.h>

#include "equipoise/expression/random_text_test.h"
#include "equipoise/expression/small_trial_test.h"
#include "equipoise/expression/syntax.h"

namespace equipoise::expression {
namespace {

using small_trial::Trial;
using small_trial::Writer;

std::optional<Expression> read(std::string const& text) {
  Problems problems;
  auto expression = parse(text, Trial(), {.at_visit = true}, {}, problems);
  EXPECT_TRUE(expression) << text << "\n" << (problems.empty() ? "" : to_string(problems[0]));
  return expression;
}

/// All texts with one pair of brackets taken out, outside texts in quotes.
std::vector<std::string> with_one_pair_less(std::string const& text) {
  std::vector<std::string> found;
  std::vector<std::size_t> opened;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\'') quoted = !quoted;
    if (quoted) continue;
    if (text[i] == '(') opened.push_back(i);
    if (text[i] != ')') continue;
    std::string less = text;
    less[i] = less[opened.back()] = ' ';
    opened.pop_back();
    found.push_back(std::move(less));
  }
  return found;
}

TEST(CanonicalText, ParsesToTheSameTreeAndPrintsToItself) {
  Writer writer(20240229);
  int deepest = 0;
  for (int i = 0; i < 4000; ++i) {
    const std::string text = writer.truth(1 + i % 5);
    if (text.size() > longest_text) continue;
    const auto original = read(text);
    ASSERT_TRUE(original);
    const std::string canonical = canonical_text(*original);
    const auto again = read(canonical);
    ASSERT_TRUE(again);
    ASSERT_TRUE(same(original->tree(), again->tree())) << text << "\n" << canonical;
    ASSERT_EQ(canonical_text(*again), canonical);
    ASSERT_EQ(again->type(), original->type());
    deepest = std::max(deepest, original->tree().depth);
  }
  EXPECT_GE(deepest, 8);  // the writer does write deep ones
}

TEST(CanonicalText, HasNoBracketTooMany) {
  Writer writer(7);
  int judged = 0;
  for (int i = 0; i < 500; ++i) {
    const auto original = read(writer.truth(1 + i % 4));
    ASSERT_TRUE(original);
    for (std::string const& less : with_one_pair_less(canonical_text(*original))) {
      Problems problems;
      const auto other = parse(less, Trial(), {.at_visit = true}, {}, problems);
      EXPECT_FALSE(other && same(other->tree(), original->tree())) << canonical_text(*original) << "\n" << less;
      ++judged;
    }
  }
  EXPECT_GT(judged, 500);
}

TEST(CanonicalText, IsTheSameForEverySpelling) {
  EXPECT_EQ(canonical_text(*read("( ( cd4 )>=1.30*( cd4@baseline ) )")), canonical_text(*read("cd4 >= 1.3 * cd4@baseline")));
  EXPECT_NE(canonical_text(*read("cd4 - (cd8 - 1) > 0")), canonical_text(*read("cd4 - cd8 - 1 > 0")));
}

}  // namespace
}  // namespace equipoise::expression
