#include <gtest/gtest.h>

#include <array>
#include <random>

#include "equipoise/expression/small_trial_test.h"
#include "equipoise/expression/syntax.h"

namespace equipoise::expression {
namespace {

using small_trial::Trial;

/// Writes random well-typed expressions, with every operand in brackets and odd blanks, so that the tree is the writer's and not
/// the grammar's choice. Only raw words of the engine are used: its sequence is fixed by the standard, that of distributions is
/// not.
class Writer {
 public:
  explicit Writer(std::uint64_t seed) : engine_(seed) {}

  std::string truth(int depth) {
    if (depth == 0) return pick({"true", "false", "hiv@screening", "randomised", "response_30", "missing(comment)"});
    switch (below(9)) {
      case 0:
        return "not" + blank() + in_brackets(truth(depth - 1));
      case 1:
        return in_brackets(truth(depth - 1)) + "and" + in_brackets(truth(depth - 1));
      case 2:
        return in_brackets(truth(depth - 1)) + "or" + in_brackets(truth(depth - 1));
      case 3:
        return in_brackets(number(depth - 1)) + pick({"==", "!=", "<", "<=", ">", ">="}) + in_brackets(number(depth - 1));
      case 4:
        return in_brackets(truth(depth - 1)) + pick({"==", "!="}) + in_brackets(truth(depth - 1));
      case 5:
        return in_brackets(day(depth - 1)) + pick({"<", "==", ">="}) +
               in_brackets(pick({"randomisation", "'2020-02-29'", "infused_on@w4"}));
      case 6:
        return "confirmed(" + in_brackets(truth(depth - 1) + " or response_30") + "," + blank() + pick({"1", "2", "100"}) + ")";
      case 7:
        return "any(adverse_event," + in_brackets("serious" + blank() + pick({"and", "or"}) + " grade > 2") + ")";
      default:
        return pick({"arm == 'low'", "given!='none'", "comment == 'it''s 药'", "'' == comment", "first(given) == 'full'"});
    }
  }

  std::string number(int depth) {
    if (depth == 0) return pick({"0", "1.5", "0.5e6", "1e-300", "123456789012345678", "cd4", "cd8@w4", "count(dosing)"});
    switch (below(7)) {
      case 0:
        return "-" + in_brackets(number(depth - 1));
      case 1:
        return "log" + in_brackets(number(depth - 1));
      case 2:
        return "days(" + day(depth - 1) + "," + day(depth - 1) + ")";
      case 3:
        return pick({"min", "max", "mean", "first", "last"}) +
               in_brackets("cd4" + pick({"+", "-", "*", "/"}) + in_brackets(number(depth - 1)));
      case 4:
        return "count(adverse_event," + blank() + in_brackets("grade" + pick({">", "=="}) + in_brackets("max(cd4)")) + ")";
      default:
        return in_brackets(number(depth - 1)) + pick({"+", "-", "*", "/"}) + in_brackets(number(depth - 1));
    }
  }

  std::string day(int depth) {
    if (depth == 0)
      return pick(
          {"randomisation", "infused_on", "art_start@screening", "first(adverse_event)", "first(adverse_event, serious)"});
    return "first" + in_brackets("response_30" + blank() + "and" + in_brackets(truth(depth - 1)));
  }

 private:
  std::size_t below(std::size_t n) { return std::size_t(engine_() % n); }
  std::string pick(std::initializer_list<const char*> words) { return words.begin()[below(words.size())]; }
  std::string blank() { return pick({" ", "  ", "\t", "\n", " \r\n"}); }
  std::string in_brackets(std::string const& inside) { return "(" + inside + ")"; }

  std::mt19937_64 engine_;
};

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
