#include <gmock/gmock.h>

#include <algorithm>

#include "equipoise/core/text.h"
#include "equipoise/expression/expression.h"
#include "equipoise/expression/locator.h"
#include "equipoise/expression/small_trial_test.h"
#include "equipoise/expression/syntax.h"

namespace equipoise::expression {
namespace {

using small_trial::Trial;
using testing::ElementsAre;
using testing::HasSubstr;

const Context alone{}, at_visit{.at_visit = true}, in_adverse_event{.form = "adverse_event"};

struct Answer {
  std::optional<Expression> expression;
  Problems problems;
};

Answer read(std::string_view text, Context const& context = alone, Place place = {}) {
  Answer answer;
  answer.expression = parse(text, Trial(), context, place, answer.problems);
  EXPECT_EQ(answer.expression.has_value(), answer.problems.empty()) << text;
  return answer;
}

/// "code column: message | hint" of every problem; columns count from 1 in the text.
std::vector<std::string> problems(std::string_view text, Context const& context = alone) {
  std::vector<std::string> lines;
  for (Error const& error : read(text, context).problems) {
    std::string line = fmt::format("{} {}: {}", card(error.code).name, error.place.column, error.message);
    if (!error.hint.empty()) line += " | " + error.hint;
    lines.push_back(std::move(line));
  }
  return lines;
}

struct Case {
  std::string_view text;
  std::string_view problem;
};

void expect_problem(std::initializer_list<Case> cases, Context const& context = alone) {
  for (auto const& [text, problem] : cases) EXPECT_THAT(problems(text, context), ElementsAre(std::string(problem))) << text;
}

TEST(Parse, TakesEveryRuleOfTheFlagshipProtocol) {
  struct Rule {
    std::string_view text;
    Context context;
    Type type;
  };
  const Rule rules[] = {
      {"dose * weight", at_visit, Type::number},
      {"missing(resolved) or days(onset, resolved) >= 0", in_adverse_event, Type::truth},
      {"hiv@screening", alone, Type::truth},
      {"days(art_start@screening, randomisation) >= 24 * 30.4375", alone, Type::truth},
      {"cd4@screening > 50 and cd4@screening <= 250", alone, Type::truth},
      {"cd4_highest@screening <= 250", alone, Type::truth},
      {"hiv_rna@screening <= 50", alone, Type::truth},
      {"karnofsky@screening >= 70", alone, Type::truth},
      {"cdc_c@screening", alone, Type::truth},
      {"cd4@screening <= 150", alone, Type::truth},
      {"cd4 / cd8", at_visit, Type::number},
      {"cd4 - cd4@baseline", at_visit, Type::number},
      {"cd4 >= 1.3 * cd4@baseline", at_visit, Type::truth},
      {"cd4 >= cd4@baseline + 50", at_visit, Type::truth},
      {"randomised", alone, Type::truth},
      {"randomised and count(dosing, given != 'none') >= 1", alone, Type::truth},
      {"cd4_change", at_visit, Type::number},
      {"cd8", at_visit, Type::number},
      {"ratio", at_visit, Type::number},
      {"first(response_30)", alone, Type::moment},
      {"first(confirmed(response_30, 2))", alone, Type::moment},
      {"any(adverse_event, serious)", alone, Type::truth},
  };
  for (auto const& [text, context, type] : rules) {
    const Answer answer = read(text, context);
    ASSERT_TRUE(answer.expression) << text << ": " << to_string(answer.problems.at(0));
    EXPECT_EQ(answer.expression->type(), type) << text;
    EXPECT_EQ(canonical_text(*answer.expression), text);  // they are written as the language itself writes
  }
}

TEST(Parse, DecidesTheTypeOfEveryFunction) {
  struct Typed {
    std::string_view text;
    Type type;
  };
  const Typed all[] = {
      {"first(cd4)", Type::number},
      {"first(given)", Type::code},
      {"first(comment)", Type::text},
      {"first(infused_on)", Type::date},
      {"first(response_30)", Type::moment},
      {"first(adverse_event)", Type::moment},
      {"first(adverse_event, serious)", Type::moment},
      {"first(vitals)", Type::moment},
      {"every(adverse_event)", Type::moment},
      {"every(adverse_event, grade > 2)", Type::moment},
      {"every(response_30)", Type::moment},
      {"last(cd4)", Type::number},
      {"last(given)", Type::code},
      {"last(comment)", Type::text},
      {"last(infused_on)", Type::date},
      {"min(cd4)", Type::number},
      {"max(infused_on)", Type::date},
      {"mean(cd4)", Type::number},
      {"any(adverse_event)", Type::truth},
      {"count(adverse_event)", Type::number},
      {"any(remark, said == 'x')", Type::truth},
      {"count(dosing, given == 'full')", Type::number},
      {"log(cd4@w4)", Type::number},
      {"missing(comment@w4)", Type::truth},
      {"missing(first(response_30))", Type::truth},
      {"days('2020-02-29', randomisation)", Type::number},
      {"days(randomisation, first(response_30))", Type::number},
      {"first(response_30) >= randomisation", Type::truth},
  };
  for (auto const& [text, type] : all) {
    const Answer answer = read(text);
    ASSERT_TRUE(answer.expression) << text << ": " << to_string(answer.problems.at(0));
    EXPECT_EQ(answer.expression->type(), type) << text;
  }
}

TEST(Parse, BindsAsTheGrammarSays) {
  const auto fully = [](std::string_view text) { return canonical_text(*read(text, at_visit).expression); };
  EXPECT_EQ(fully("true or (false and true)"), "true or false and true");
  EXPECT_EQ(fully("(true or false) and true"), "(true or false) and true");
  EXPECT_EQ(fully("not (true) and false"), "not true and false");
  EXPECT_EQ(fully("not (true and false)"), "not (true and false)");
  EXPECT_EQ(fully("not (1 < 2)"), "not 1 < 2");
  EXPECT_EQ(fully("(not true) == false"), "(not true) == false");
  EXPECT_EQ(fully("(1 < 2) == (3 < 4)"), "(1 < 2) == (3 < 4)");
  EXPECT_EQ(fully("1 + (2 * 3) == 7"), "1 + 2 * 3 == 7");
  EXPECT_EQ(fully("(1 + 2) * 3 == 9"), "(1 + 2) * 3 == 9");
  EXPECT_EQ(fully("(1 - 2) - 3 < 0"), "1 - 2 - 3 < 0");
  EXPECT_EQ(fully("1 - (2 - 3) < 0"), "1 - (2 - 3) < 0");
  EXPECT_EQ(fully("8 / (4 / 2) > 1"), "8 / (4 / 2) > 1");
  EXPECT_EQ(fully("(-2) * 3 < 0"), "-2 * 3 < 0");
  EXPECT_EQ(fully("-(2 * 3) < 0"), "-(2 * 3) < 0");
  EXPECT_EQ(fully("- - 2 > 0"), "--2 > 0");
  EXPECT_EQ(fully("1--2 > 0"), "1 - -2 > 0");
  EXPECT_EQ(fully("  0.5e6\t<\n1.50E+2 "), "500000 < 150");
  EXPECT_EQ(fully("comment != 'it''s 药'"), "comment != 'it''s 药'");
  EXPECT_EQ(fully("first( adverse_event ,serious )"), "first(adverse_event, serious)");
}

TEST(Parse, ValuesOfTheBindings) {  // against arithmetic done by hand, as the printer could share the parser's mistake
  const small_trial::Data one(1);
  const auto truth = [&](std::string_view text) { return evaluate(*read(text).expression, one).truth.at(0); };
  EXPECT_EQ(truth("1 - 2 - 3 == -4"), is_true);
  EXPECT_EQ(truth("8 / 4 / 2 == 1"), is_true);
  EXPECT_EQ(truth("2 + 3 * 4 == 14"), is_true);
  EXPECT_EQ(truth("-2 * -3 == 6"), is_true);
  EXPECT_EQ(truth("true or true and false"), is_true);
  EXPECT_EQ(truth("not true or true"), is_true);
  EXPECT_EQ(truth("not 1 > 2"), is_true);
  EXPECT_EQ(truth("not 1 == 2 and not false"), is_true);
}

TEST(Parse, ListsWhatItReads) {
  const Expression rule = *read(
                               "count(adverse_event, serious and onset > randomisation) > 0 or cd4@w4 > max(cd4) or any(dosing, "
                               "cd4@w4 > 1 and given == 'full')")
                               .expression;
  EXPECT_THAT(rule.variables(), ElementsAre("serious", "onset", "randomisation", "cd4@w4", "cd4", "given"));
  EXPECT_THAT(rule.forms(), ElementsAre("adverse_event", "dosing"));
  EXPECT_FALSE(rule.gives_several());
  EXPECT_TRUE(read("every(adverse_event)").expression->gives_several());
  EXPECT_TRUE(Expression().variables().empty());
  EXPECT_THROW(Expression().tree(), ContractViolation);
}

TEST(ParseErrors, Syntax) {
  expect_problem({
      {"", "syntax 1: the expression is empty"},
      {"   ", "syntax 4: the expression is empty"},
      {"1 + ", "syntax 5: expected a value, found the end"},
      {"not", "syntax 4: expected a value, found the end"},
      {"1 + * 2", "syntax 5: expected a value, found '*'"},
      {"1 and or", "syntax 7: expected a value, found 'or'"},
      {"+1", "syntax 1: expected a value, found '+' | a plus sign stands between two numbers only"},
      {")", "syntax 1: expected a value, found ')'"},
      {"1)", "syntax 2: expected an operator or the end, found ')' | this bracket was never opened"},
      {"(1", "syntax 1: this bracket is never closed"},
      {"1 + log(2", "syntax 8: this bracket is never closed"},
      {"(1 2)", "syntax 4: expected an operator or ')', found '2'"},
      {"1 2", "syntax 3: expected an operator or the end, found '2'"},
      {"1, 2", "syntax 2: expected an operator or the end, found ','"},
      {"cd4@w4 'x'", "syntax 8: expected an operator or the end, found 'x'"},
      {"days(randomisation,)", "syntax 20: expected a value, found ')'"},
      {"frist()", "syntax 7: expected a value, found ')'"},
      {"1 < 2 < 3", "syntax 7: comparisons do not chain | join two comparisons with 'and', as in 0 < x and x < 1"},
      {"1 == 2 != true", "syntax 8: comparisons do not chain | join two comparisons with 'and', as in 0 < x and x < 1"},
      {"1 == not true", "syntax 6: 'not' cannot stand here | put it in brackets: (not ...)"},
      {"true AND false", "syntax 6: expected an operator or the end, found 'AND' | write 'and' in small letters"},
  });
}

TEST(ParseErrors, Signs) {
  expect_problem({
      {"true && false", "syntax 6: '&&' is not a sign of this language | write 'and'"},
      {"true & false", "syntax 6: '&' is not a sign of this language | write 'and'"},
      {"true || false", "syntax 6: '||' is not a sign of this language | write 'or'"},
      {"true | false", "syntax 6: '|' is not a sign of this language | write 'or'"},
      {"!true", "syntax 1: '!' is not a sign of this language | write 'not'"},
      {"cd4@w4 = 5", "syntax 8: '=' is not a sign of this language | write == to compare"},
      {"cd4@w4 <> 5", "syntax 8: '<>' is not a sign of this language | write !="},
      {"cd4@w4 ≥ 5", "syntax 8: '≥' is not a sign of this language | write >="},
      {"cd4@w4 ≤ 5", "syntax 8: '≤' is not a sign of this language | write <="},
      {"sex@screening == ‘F’", "syntax 18: '‘' is not a sign of this language | write text in straight single quotes: 'text'"},
      {"\"x\" == 'x'", "syntax 1: '\"' is not a sign of this language | write text in single quotes: 'text'"},
      {"log（2）", "syntax 4: '（' is not a sign of this language | write ("},
      {"药 == 1",
       "syntax 1: '药' is not a sign of this language | outside quotes only a to z, 0 to 9, _ and the signs of the language are "
       "read"},
      {"'药' == #", "syntax 8: '#' is not a sign of this language"},
      {std::string_view("1 \0 2", 5), "syntax 3: a control character (U+0000) has no meaning here"},
      {"'abc", "syntax 1: this text has no closing quote | close it with a single quote; a quote inside a text is written twice"},
      {"'abc''",
       "syntax 1: this text has no closing quote | close it with a single quote; a quote inside a text is written twice"},
      {"1.2.3", "syntax 1: '1.2.3' is neither a number nor a name"},
      {"5x", "syntax 1: '5x' is neither a number nor a name"},
      {"1e", "syntax 1: '1e' is neither a number nor a name"},
      {"0x10", "syntax 1: '0x10' is neither a number nor a name"},
      {"1e999 > 1", "out_of_range 1: the number 1e999 is too large or too small to be kept"},
      {"cd4 @w4", "syntax 5: '@' without an item before it | write item@visit without blanks, as in cd4@baseline"},
      {"cd4@ w4", "syntax 4: '@' without a visit behind it | write item@visit without blanks, as in cd4@baseline"},
      {"cd4@w4@w8", "syntax 7: '@' without an item before it | write item@visit without blanks, as in cd4@baseline"},
      {"\xff", "syntax 1: the expression is not valid UTF-8"},
  });
}

TEST(ParseErrors, Names) {
  expect_problem({
      {"cd5@w4 > 1", "unresolved 1: there is no variable 'cd5' | did you mean 'cd4'?"},
      {"CD4@w4 > 1", "unresolved 1: there is no variable 'CD4' | did you mean 'cd4'?"},
      {"zzzzzzzzz", "unresolved 1: there is no variable 'zzzzzzzzz'"},
      {"cd4@screnning > 1", "unresolved 5: there is no visit 'screnning' | did you mean 'screening'?"},
      {"missing", "unresolved 1: there is no variable 'missing' | the function is written missing(...)"},
      {"adverse_event",
       "unresolved 1: there is no variable 'adverse_event' | it is a form: any(adverse_event) or count(adverse_event) speak of "
       "its entries"},
      {"frist(cd4)", "unresolved 1: there is no function 'frist' | did you mean 'first'?"},
      {"cd4@w4(1)", "unresolved 1: there is no function 'cd4@w4'"},
      {"count(dosng)", "unresolved 7: there is no form 'dosng' | did you mean 'dosing'?"},
      {"first(advers_event)", "unresolved 7: there is no variable or form 'advers_event' | did you mean 'adverse_event'?"},
      {"cd4", "unresolved 1: 'cd4' has a value at each visit, and no visit is named | say which visit: cd4@baseline"},
      {"age", "unresolved 1: 'age' has a value at each visit, and no visit is named | say which visit: age@screening"},
      {"term",
       "unresolved 1: 'term' has no value at a visit | the form 'adverse_event' has no visit: any(adverse_event, ...) and "
       "count(adverse_event, ...) go through its entries"},
      {"term@w4",
       "inconsistent 1: 'term' is not collected at visit 'w4' | the form 'adverse_event' has no visit: any(adverse_event, ...) "
       "and count(adverse_event, ...) go through its entries"},
      {"hiv_rna@w4 > 1", "inconsistent 1: 'hiv_rna' is not collected at visit 'w4' | it is collected at screening and w12"},
      {"arm@w4 == 'low'", "inconsistent 4: 'arm' has one value a participant, not one a visit | write arm"},
      {"first(twin)", "inconsistent 7: 'twin' is both a form and a variable | give one of them another id"},
      {"any(adverse_event, weight > 60)",
       "unresolved 20: 'weight' is not an item of the form 'adverse_event' | say which visit: weight@baseline"},
      {"sex@screening == 'f'", "unresolved 18: 'f' is not a code of 'sex' | did you mean 'F'?"},
      {"'male' != sex@screening", "unresolved 1: 'male' is not a code of 'sex' | its codes are F and M"},
      {"last(given) == 'nought'", "unresolved 16: 'nought' is not a code of 'given' | its codes are full, part and none"},
  });
  expect_problem({{"cd4 > 1", "unresolved 1: 'cd4' is not an item of the form 'adverse_event' | say which visit: cd4@baseline"}},
                 in_adverse_event);
  expect_problem({{"serious",
                   "unresolved 1: 'serious' has no value at a visit | the form 'adverse_event' has no visit: any(adverse_event, "
                   "...) and count(adverse_event, ...) go through its entries"}},
                 at_visit);
}

TEST(ParseErrors, TypesOfOperands) {
  expect_problem({
      {"cd4@w4 and true", "wrong_type 1: the left side of 'and' is a number, not a truth | compare it, as in x > 0"},
      {"true or arm", "wrong_type 9: the right side of 'or' is a code, not a truth | compare it, as in x == 'text'"},
      {"not randomisation", "wrong_type 5: what stands behind 'not' is a date, not a truth | compare it, or ask not missing(x)"},
      {"randomised + 1", "wrong_type 1: the left side of '+' is a truth, not a number"},
      {"-'x'", "wrong_type 2: what stands behind '-' is a text, not a number"},
      {"1 - randomisation",
       "wrong_type 5: the right side of '-' is a date, not a number | days(a, b) counts the days from a to b"},
      {"sex@screening < 'F'", "wrong_type 15: a code has no order for '<' | only == and != compare it"},
      {"comment@w4 >= 'x'", "wrong_type 12: a text has no order for '>=' | only == and != compare it"},
      {"randomised < true", "wrong_type 12: a truth has no order for '<' | join truths with 'and', 'or', 'not'"},
      {"cd4@w4 == '5'", "wrong_type 8: a number and a text do not compare | write the number without quotes"},
      {"sex@screening == 1", "wrong_type 15: a code and a number do not compare"},
      {"sex@screening == comment@w4", "wrong_type 15: a code and a text do not compare"},
      {"arm == sex@screening", "inconsistent 5: 'arm' and 'sex' have no code in common"},
      {"randomisation > 5", "wrong_type 15: a date and a number do not compare | days(a, b) counts the days from a to b"},
      {"randomisation >= '2021-02-29'", "wrong_type 18: '2021-02-29' is not a day of the calendar | write it 'YYYY-MM-DD'"},
      {"'2021-02' < randomisation", "wrong_type 1: '2021-02' is not a day of the calendar | write it 'YYYY-MM-DD'"},
  });
}

TEST(ParseErrors, Functions) {
  expect_problem({
      {"missing()", "syntax 1: missing takes 1 argument, not 0 | write missing(x)"},
      {"max(cd4, cd8)", "syntax 1: max takes 1 argument, not 2 | write max(x)"},
      {"first(cd4, cd8, 1)", "syntax 1: first takes 1 or 2 arguments, not 3 | write first(x), first(form) or first(form, x)"},
      {"every()", "syntax 1: every takes 1 or 2 arguments, not 0 | write every(x), every(form) or every(form, x)"},
      {"any()", "syntax 1: any takes 1 or 2 arguments, not 0 | write any(form) or any(form, x)"},
      {"count()", "syntax 1: count takes 1 or 2 arguments, not 0 | write count(form) or count(form, x)"},
      {"confirmed(response_30)", "syntax 1: confirmed takes 2 arguments, not 1 | write confirmed(x, n)"},
      {"days(randomisation)", "syntax 1: days takes 2 arguments, not 1 | write days(a, b)"},
      {"count('x')", "wrong_type 7: the first argument of count is the id of a form | write count(form) or count(form, x)"},
      {"first(remark)",
       "inconsistent 1: the entries of 'remark' have no date | first and every read the first date item of the form"},
      {"first(cd4@w4)",
       "inconsistent 7: first goes through the visits, and this is the same at every visit | name an item without its visit"},
      {"max(response_30)", "wrong_type 5: max of a truth has no meaning | first(x) gives the visit at which x is first true"},
      {"min(response_30)", "wrong_type 5: min of a truth has no meaning | first(x) gives the visit at which x is first true"},
      {"mean(response_30)", "wrong_type 6: mean of a truth has no meaning | first(x) gives the visit at which x is first true"},
      {"last(response_30)", "wrong_type 6: last of a truth has no meaning | first(x) gives the visit at which x is first true"},
      {"mean(infused_on)", "wrong_type 6: mean of a date has no meaning"},
      {"max(given)", "wrong_type 5: max of a code has no meaning"},
      {"every(cd4)", "wrong_type 7: every of a number has no meaning"},
      {"missing(every(adverse_event))",
       "inconsistent 9: every(...) gives several dates, so it stands alone as an event | first(...) gives one date"},
      {"confirmed(response_30, 2)",
       "inconsistent 1: confirmed speaks of a visit, and none is under evaluation | first(confirmed(x, n)) gives the first such "
       "visit"},
      {"first(confirmed(cd4, 2))",
       "wrong_type 17: the first argument of confirmed is a number, not a truth | compare it, as in x > 0"},
      {"first(confirmed(hiv@screening, 2))",
       "inconsistent 17: confirmed goes through the visits, and this is the same at every visit | name an item without its "
       "visit"},
      {"first(confirmed(response_30, 0))", "out_of_range 30: confirmed takes a whole number of visits from 1 to 100, not 0"},
      {"first(confirmed(response_30, 1.5))", "out_of_range 30: confirmed takes a whole number of visits from 1 to 100, not 1.5"},
      {"first(confirmed(response_30, 101))", "out_of_range 30: confirmed takes a whole number of visits from 1 to 100, not 101"},
      {"first(confirmed(response_30, age@screening))",
       "wrong_type 30: the second argument of confirmed is a number of visits, written out | as in confirmed(x, 2)"},
      {"any(adverse_event, grade)", "wrong_type 20: the condition of any is a number, not a truth | compare it, as in x > 0"},
      {"any(adverse_event, randomised)",
       "inconsistent 20: the condition is the same for every entry of 'adverse_event' | name an item of 'adverse_event' in it"},
      {"log(arm)", "wrong_type 5: the argument of log is a code, not a number"},
      {"days(cd4@w4, randomisation)", "wrong_type 6: the first argument of days is a number, not a date"},
      {"days(randomisation, 'x')", "wrong_type 21: 'x' is not a day of the calendar | write it 'YYYY-MM-DD'"},
  });
}

TEST(ParseErrors, AllMistakesOfNamesAndTypesAreReportedInOrder) {
  EXPECT_THAT(problems("cd5@w4 > 1 and age@w44 > 'x' and not arm"),
              ElementsAre("unresolved 1: there is no variable 'cd5' | did you mean 'cd4'?",
                          "unresolved 20: there is no visit 'w44' | did you mean 'w4'?",
                          "wrong_type 38: what stands behind 'not' is a code, not a truth | compare it, as in x == 'text'"));
  EXPECT_THAT(problems("cd5@w44 > 1"), ElementsAre("unresolved 1: there is no variable 'cd5' | did you mean 'cd4'?",
                                                   "unresolved 5: there is no visit 'w44' | did you mean 'w4'?"));
}

TEST(ParseErrors, StandWhereTheyAreInTheFile) {
  // rule = "'药' == cd5@w4": the value begins at column 8, its text at column 9, and cd5 is the eighth character of it.
  const Answer answer = read("'药' == cd5@w4", alone, {"protocol.toml", 12, 8});
  ASSERT_EQ(answer.problems.size(), 1u);
  EXPECT_EQ(answer.problems[0].place, (Place{"protocol.toml", 12, 16}));
  const Answer folded = read("true and\n  cd5@w4 > 1", alone, {"protocol.toml", 12, 8});
  ASSERT_EQ(folded.problems.size(), 1u);
  EXPECT_EQ(folded.problems[0].place, (Place{"protocol.toml", 13, 3}));
}

TEST(ParseErrors, LongNamesAreCutInMessages) {
  const std::string name(300, 'x');
  EXPECT_THAT(problems(name), ElementsAre("unresolved 1: there is no variable '" + std::string(40, 'x') + "...'"));
  EXPECT_EQ(excerpt(std::string(39, 'x') + "药"), std::string(39, 'x') + "...");  // never half a character
}

std::string repeated(std::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

TEST(HostileInput, IsBoundedInLengthAndDepth) {
  EXPECT_THAT(problems(std::string(4097, '(')),
              ElementsAre("out_of_range 1: the expression has 4097 bytes, more than 4096 | name a part of it as a derivation"));
  const std::string deep = ": brackets, calls and signs are nested more than 64 deep | name a part of it as a derivation";
  EXPECT_THAT(problems(std::string(4096, '(')), ElementsAre("syntax 65" + deep));
  EXPECT_THAT(problems(repeated("-", 4096)), ElementsAre("syntax 65" + deep));
  EXPECT_THAT(problems(repeated("not ", 1000)), ElementsAre("syntax 257" + deep));
  EXPECT_THAT(problems(repeated("log(", 1000)), ElementsAre("syntax 257" + deep));
  EXPECT_TRUE(read(repeated("(", 64) + "true" + repeated(")", 64)).expression);
  EXPECT_TRUE(read(repeated("not ", 64) + "true").expression);
}

TEST(HostileInput, ChainsAreBoundedToo) {
  EXPECT_TRUE(read(repeated("true and ", 255) + "true").expression);
  EXPECT_THAT(problems(repeated("true and ", 256) + "true"),
              ElementsAre("syntax 2301: more than 256 operators depend on each other | name a part of it as a derivation"));
  EXPECT_THAT(problems(repeated("1+", 2000) + "1"), ElementsAre(HasSubstr("more than 256 operators depend on each other")));
}

TEST(HostileInput, EveryPrefixAndEverySingleByteIsAnAnswer) {
  const std::string whole =
      "randomised and count(dosing, given != 'none') >= 1 or days(art_start@screening, randomisation) / -2.5e1 < log(max(cd4))";
  ASSERT_TRUE(read(whole).expression);
  for (std::size_t n = 0; n <= whole.size(); ++n)
    read(whole.substr(0, n));  // `read` itself expects a value or a problem, never both
  for (int byte = 0; byte < 256; ++byte) read(std::string(1, char(byte)));
}

}  // namespace
}  // namespace equipoise::expression
