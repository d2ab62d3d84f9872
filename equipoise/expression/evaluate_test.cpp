#include "equipoise/expression/evaluate.h"

#include <gmock/gmock.h>

#include <cmath>

#include "equipoise/expression/small_trial_test.h"

namespace equipoise::expression {
namespace {

using small_trial::Data;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr double na = missing_number;
constexpr std::uint8_t F = is_false, T = is_true, U = is_unknown;
const double infinity = std::numeric_limits<double>::infinity();

Expression parsed(Data const& data, std::string_view text, Context const& context = {}) {
  Problems problems;
  const auto expression = parse(text, data.names, context, {}, problems);
  if (!expression) throw std::runtime_error(std::string(text) + ": " + to_string(problems.at(0)));
  return *expression;
}

Column value(Data const& data, std::string_view text) { return evaluate(parsed(data, text), data); }
Column value_at(Data const& data, std::string_view text, std::string_view visit) {
  return evaluate(parsed(data, text, {.at_visit = true}), data, visit);
}
std::vector<std::uint8_t> truths(Data const& data, std::string_view text) { return value(data, text).truth; }

/// Numbers with missing ones as -999, so that they compare.
std::vector<double> numbers(Column const& column) {
  std::vector<double> out;
  for (std::size_t i = 0; i < column.size(); ++i) {
    EXPECT_TRUE(column.missing(i) || column.interval(i).exact());
    out.push_back(column.missing(i) ? -999 : column.low[i]);
  }
  return out;
}
std::vector<double> numbers(Data const& data, std::string_view text) { return numbers(value(data, text)); }

Column cd4(std::vector<double> values) { return Column::of_numbers(std::move(values)); }
Column days_of(std::vector<double> values) { return Column::of_numbers(std::move(values), Type::date); }

/// Four participants at three visits after baseline (w4, w8, w12 on days 1028, 1056, 1084).
Data four() {
  Data data(4);
  data.cells["cd4@baseline"] = cd4({100, 200, na, 100});
  data.cells["cd4@w4"] = cd4({120, na, 150, 140});
  data.cells["cd4@w8"] = cd4({140, 280, na, 90});
  data.cells["cd4@w12"] = cd4({150, 220, na, 150});
  data.cells["cd8@w4"] = cd4({600, 700, 0, 700});
  data.rules["response_30"] = "cd4 >= 1.3 * cd4@baseline";
  data.rules["cd4_change"] = "cd4 - cd4@baseline";
  data.rules["ratio"] = "cd4 / cd8";
  return data;
}

TEST(Evaluate, ReadsNumbersAtTheNamedVisit) {
  const Data data = four();
  EXPECT_THAT(numbers(data, "cd4@w4"), ElementsAre(120, -999, 150, 140));
  EXPECT_THAT(numbers(data, "cd4@w4 + 1"), ElementsAre(121, -999, 151, 141));
  EXPECT_THAT(numbers(data, "-cd4@w4 * 2 - 1"), ElementsAre(-241, -999, -301, -281));
}

TEST(Evaluate, ReadsBareItemsAtTheVisitUnderEvaluation) {
  const Data data = four();
  EXPECT_THAT(numbers(value_at(data, "cd4 - cd4@baseline", "w8")), ElementsAre(40, 80, -999, -10));
  EXPECT_THAT(numbers(value_at(data, "cd4_change", "w12")), ElementsAre(50, 20, -999, 50));
}

TEST(Evaluate, DivisionByZeroAndLogarithmsOfWhatIsNotPositiveAreMissing) {
  Data data = four();
  EXPECT_THAT(numbers(data, "ratio@w4"), ElementsAre(120.0 / 600, -999, -999, 140.0 / 700));
  data.cells["cd4@w4"] = cd4({1, 0, -5, std::exp(1.0)});
  const Column log = value(data, "log(cd4@w4)");
  EXPECT_EQ(log.low[0], 0);
  EXPECT_TRUE(log.missing(1));
  EXPECT_TRUE(log.missing(2));
  EXPECT_NEAR(log.low[3], 1, 2e-16);  // one rounding of e and one of log, each half a unit in the last place of 1
}

TEST(Evaluate, OverflowIsMissingRatherThanInfinite) {
  Data data = four();
  data.cells["cd4@w4"] = cd4({1e308, -1e308, 1, infinity});
  EXPECT_THAT(numbers(data, "cd4@w4 * 10"), ElementsAre(-999, -999, 10, -999));
  EXPECT_THAT(numbers(data, "cd4@w4 + cd4@w4"), ElementsAre(-999, -999, 2, -999));
  data.cells["cd4@w8"] = cd4({1e308, -1e308, 3, 90});
  data.cells["cd4@w12"] = cd4({1, 1, na, 150});
  EXPECT_THAT(numbers(data, "mean(cd4)"), ElementsAre(-999, -999, 2, 120));  // the sum does not fit, though the mean would
}

TEST(Evaluate, AComparisonWithAMissingOperandIsUnknown) {
  const Data data = four();
  EXPECT_THAT(truths(data, "cd4@w4 > 130"), ElementsAre(F, U, T, T));
  EXPECT_THAT(truths(data, "missing(cd4@w4)"), ElementsAre(F, T, F, F));
  EXPECT_THAT(truths(data, "missing(cd4@w4 > 130)"), ElementsAre(F, T, F, F));
  EXPECT_THAT(truths(data, "missing(cd4@w4) or cd4@w4 > 130"), ElementsAre(F, T, T, T));
}

TEST(Evaluate, EveryComparisonOfExactNumbers) {
  Data data(4);
  data.cells["cd4@w4"] = cd4({1, 2, 3, na});
  EXPECT_THAT(truths(data, "cd4@w4 == 2"), ElementsAre(F, T, F, U));
  EXPECT_THAT(truths(data, "cd4@w4 != 2"), ElementsAre(T, F, T, U));
  EXPECT_THAT(truths(data, "cd4@w4 < 2"), ElementsAre(T, F, F, U));
  EXPECT_THAT(truths(data, "cd4@w4 <= 2"), ElementsAre(T, T, F, U));
  EXPECT_THAT(truths(data, "cd4@w4 > 2"), ElementsAre(F, F, T, U));
  EXPECT_THAT(truths(data, "cd4@w4 >= 2"), ElementsAre(F, T, T, U));
}

TEST(Evaluate, CodesTextsAndTruthsCompareForEquality) {
  Data data(3);
  data.cells["sex@screening"] = Column::of_codes({0, 1, missing_level}, {"F", "M"});
  data.cells["mother_sex@screening"] = Column::of_codes({2, 1, 0}, {"unsaid", "M", "F"});  // levels in another order
  data.cells["comment@w4"] = Column::of_texts({"a", std::nullopt, "it's"});
  data.cells["hiv@screening"] = Column::of_truths({T, F, U});
  EXPECT_THAT(truths(data, "sex@screening == 'F'"), ElementsAre(T, F, U));
  EXPECT_THAT(truths(data, "'F' != sex@screening"), ElementsAre(F, T, U));
  EXPECT_THAT(truths(data, "sex@screening == mother_sex@screening"), ElementsAre(T, T, U));
  EXPECT_THAT(truths(data, "comment@w4 == 'it''s'"), ElementsAre(F, U, T));
  EXPECT_THAT(truths(data, "missing(comment@w4)"), ElementsAre(F, T, F));
  EXPECT_THAT(truths(data, "hiv@screening == false"), ElementsAre(F, T, U));
  EXPECT_THAT(truths(data, "missing(sex@screening)"), ElementsAre(F, F, T));
}

TEST(Evaluate, SummariesOverTheVisitsAfterBaseline) {
  Data data = four();
  EXPECT_THAT(numbers(data, "first(cd4)"), ElementsAre(120, 280, 150, 140));
  EXPECT_THAT(numbers(data, "last(cd4)"), ElementsAre(150, 220, 150, 150));
  EXPECT_THAT(numbers(data, "min(cd4)"), ElementsAre(120, 220, 150, 90));
  EXPECT_THAT(numbers(data, "max(cd4)"), ElementsAre(150, 280, 150, 150));
  EXPECT_THAT(numbers(data, "mean(cd4)"), ElementsAre((120.0 + 140 + 150) / 3, 250, 150, (140.0 + 90 + 150) / 3));
  EXPECT_THAT(numbers(data, "max(cd4) - cd4@baseline"), ElementsAre(50, 80, -999, 50));
  data.attendance["w12"] = {0, 1, 1, 1};
  EXPECT_THAT(numbers(data, "last(cd4)"),
              ElementsAre(140, 220, 150, 150));  // what stands at a visit that did not take place is not read
}

TEST(Evaluate, SummariesOfCodesTextsAndDates) {
  Data data(2);
  data.cells["given@w4"] = Column::of_codes({missing_level, 0}, {"full", "part", "none"});
  data.cells["given@w8"] = Column::of_codes({0, 0}, {"none", "full"});  // levels in another order
  data.cells["comment@w4"] = Column::of_texts({std::nullopt, "x"});
  data.cells["comment@w8"] = Column::of_texts({"y", "z"});
  data.cells["infused_on@w4"] = days_of({1029, na});
  data.cells["infused_on@w8"] = days_of({1056, 1057});
  EXPECT_THAT(truths(data, "first(given) == 'none'"), ElementsAre(T, F));
  EXPECT_THAT(truths(data, "last(given) == 'none'"), ElementsAre(T, T));
  EXPECT_THAT(truths(data, "first(comment) == 'y'"), ElementsAre(T, F));
  EXPECT_THAT(numbers(data, "days(min(infused_on), max(infused_on))"), ElementsAre(27, 0));
}

TEST(Evaluate, FirstOfATruthIsTheDateOfTheFirstVisitAtWhichItIsTrue) {
  Data data = four();
  // Thresholds 130, 260, missing, 130: true at w8; at w8; never known; at w4.
  EXPECT_THAT(numbers(data, "first(response_30)"), ElementsAre(1056, 1056, -999, 1028));
  EXPECT_EQ(parsed(data, "first(response_30)").type(), Type::moment);
  data.dates["w8"] = Column::of_numbers({na, 1060, 1060, 1060}, Type::moment);
  EXPECT_THAT(numbers(data, "first(response_30)"),
              ElementsAre(-999, 1060, -999, 1028));  // an undated first visit does not give way to a later one
}

TEST(Evaluate, FirstPassesOverUnknownVisitsAndKeepsWhenItWasLastKnownFalse) {
  const Data data = four();
  const auto found = evaluate_moments(parsed(data, "first(response_30)"), data);
  ASSERT_EQ(found.size(), 4u);
  EXPECT_THAT(found[0].dates, ElementsAre(Occurrence{1056, 1056}));
  EXPECT_EQ(found[0].seen_without, 1028);
  ASSERT_FALSE(found[0].without.empty());
  EXPECT_EQ(found[0].without.back(), 1028);
  EXPECT_THAT(found[3].without, IsEmpty());
  EXPECT_THAT(found[1].dates, ElementsAre(Occurrence{1056, 1056}));
  EXPECT_EQ(found[1].unknown, 1u);
  EXPECT_TRUE(std::isnan(found[1].seen_without));
  EXPECT_THAT(found[2].dates, IsEmpty());
  EXPECT_EQ(found[2].unknown, 3u);
  EXPECT_TRUE(std::isnan(found[3].seen_without));
}

TEST(Evaluate, ConfirmedNeedsConsecutiveAttendedVisits) {
  Data data(7);
  //                              steady missed broken unknown late  twice  baseline
  data.cells["cd4@w4"] = cd4({1, 1, 1, 1, 0, 1, 0});
  data.cells["cd4@w8"] = cd4({1, 9, 0, na, 0, 0, 0});
  data.cells["cd4@w12"] = cd4({1, 1, 1, 1, 1, 1, 0});
  data.attendance["w8"] = {1, 0, 1, 1, 1, 1, 1};
  EXPECT_THAT(value_at(data, "confirmed(cd4 == 1, 2)", "w4").truth, ElementsAre(T, T, F, U, F, F, F));
  EXPECT_THAT(value_at(data, "confirmed(cd4 == 1, 2)", "w8").truth, ElementsAre(T, F, F, U, F, F, F));
  EXPECT_THAT(value_at(data, "confirmed(cd4 == 1, 2)", "w12").truth,
              ElementsAre(F, F, F, F, F, F, F));  // nothing left to confirm it
  EXPECT_THAT(value_at(data, "confirmed(cd4 == 1, 1)", "w12").truth, ElementsAre(T, T, T, T, T, T, F));
  EXPECT_THAT(value_at(data, "confirmed(cd4 == 1, 3)", "w4").truth, ElementsAre(T, F, F, U, F, F, F));
  EXPECT_THAT(numbers(data, "first(confirmed(cd4 == 1, 2))"), ElementsAre(1028, 1028, -999, -999, -999, -999, -999));
}

TEST(Evaluate, ConfirmedAtBaselineGoesOnWithTheVisitsAfterIt) {
  Data data(2);
  data.cells["cd4@baseline"] = cd4({1, 1});
  data.cells["cd4@w4"] = cd4({1, 0});
  EXPECT_THAT(value_at(data, "confirmed(cd4 == 1, 2)", "baseline").truth, ElementsAre(T, F));
}

TEST(Evaluate, NestedRoundsAreComputedOnceAVisit) {
  Data data(1);
  for (const char* visit : {"w4", "w8", "w12"}) data.cells[std::string("cd4@") + visit] = cd4({1});
  std::string text = "cd4 == 1";
  for (int i = 0; i < 50; ++i) text = "confirmed(" + text + ", 1)";  // 3^50 evaluations if nothing were kept
  EXPECT_THAT(numbers(data, "first(" + text + ")"), ElementsAre(1028));
}

/// Participant 0: two events; 1: one with an unknown grade; 2: none; 3: a partial and an undated one.
Data with_events() {
  Data data(4);
  Entries& events = data.filled["adverse_event"];
  events.participant = {0, 0, 1, 3, 3};
  events.date = Column::of_intervals(
      {Interval::exactly(1010), Interval::exactly(1050), Interval::exactly(1020), {1030, 1059}, {}}, Type::date);
  events.items["onset"] = events.date;
  events.items["resolved"] = days_of({1015, 1040, na, 1060, na});
  events.items["grade"] = cd4({1, 3, na, 4, 2});
  events.items["serious"] = Column::of_truths({F, T, U, T, F});
  events.items["related"] = Column::of_codes({0, 2, 1, missing_level, 0}, {"no", "possible", "yes"});
  events.items["term"] = Column::of_texts({"a", "b", "c", "d", std::nullopt});
  data.cells["randomisation"] = days_of({1000, 1000, na, 1000});
  data.cells["dose"] = cd4({2, 2, 2, 5});
  return data;
}

TEST(Evaluate, AnyIsKleenesOrOverEntries) {
  const Data data = with_events();
  EXPECT_THAT(truths(data, "any(adverse_event)"), ElementsAre(T, T, F, T));
  EXPECT_THAT(truths(data, "any(adverse_event, serious)"), ElementsAre(T, U, F, T));
  EXPECT_THAT(truths(data, "any(adverse_event, grade >= 5)"), ElementsAre(F, U, F, F));
  EXPECT_THAT(truths(data, "any(adverse_event, related == 'yes')"), ElementsAre(T, F, F, U));
}

TEST(Evaluate, CountIsMissingWhereAnEntryIsUnknown) {
  const Data data = with_events();
  EXPECT_THAT(numbers(data, "count(adverse_event)"), ElementsAre(2, 1, 0, 2));
  EXPECT_THAT(numbers(data, "count(adverse_event, serious)"), ElementsAre(1, -999, 0, 1));
  EXPECT_THAT(truths(data, "count(adverse_event, serious) >= 1"), ElementsAre(T, U, F, T));
}

TEST(Evaluate, EntriesMayUseWhatIsKnownOfTheParticipant) {
  const Data data = with_events();
  EXPECT_THAT(numbers(data, "count(adverse_event, grade >= dose)"), ElementsAre(1, -999, 0, 0));
  EXPECT_THAT(truths(data, "any(adverse_event, days(randomisation, onset) > 40)"), ElementsAre(T, F, F, U));
  EXPECT_THAT(numbers(data, "count(adverse_event, grade >= count(adverse_event))"), ElementsAre(1, -999, 0, 2));
}

TEST(Evaluate, FirstAndEveryOverEntriesGiveSortedDates) {
  const Data data = with_events();
  EXPECT_THAT(evaluate_moments(parsed(data, "every(adverse_event)"), data)[0].dates,
              ElementsAre(Occurrence{1010, 1010}, Occurrence{1050, 1050}));
  const auto severe = evaluate_moments(parsed(data, "first(adverse_event, grade >= 2)"), data);
  EXPECT_THAT(severe[0].dates, ElementsAre(Occurrence{1050, 1050}));
  EXPECT_THAT(severe[1].dates, IsEmpty());
  EXPECT_EQ(severe[1].unknown, 1u);
  EXPECT_THAT(severe[2].dates, IsEmpty());
  EXPECT_THAT(severe[3].dates, ElementsAre(Occurrence{1030, 1059}));
  EXPECT_EQ(severe[3].undated, 1u);
  EXPECT_EQ(value(data, "days(randomisation, first(adverse_event))").interval(0), Interval::exactly(10));
}

TEST(Evaluate, EverySortsWhatTheTableDoesNot) {
  Data data(1);
  Entries& events = data.filled["adverse_event"];
  events.participant = {0, 0, 0};
  events.date = Column::of_intervals({Interval::exactly(9), {3, 8}, Interval::exactly(3)}, Type::date);
  EXPECT_THAT(evaluate_moments(parsed(data, "every(adverse_event)"), data)[0].dates,
              ElementsAre(Occurrence{3, 3}, Occurrence{3, 8}, Occurrence{9, 9}));
  const Interval first = value(data, "first(adverse_event)").interval(0);
  EXPECT_EQ(first, Interval::exactly(3));  // no later than day 3, no earlier either
  EXPECT_EQ(value(data, "every(adverse_event)").interval(0), first);
}

TEST(Evaluate, EveryOverVisits) {
  const Data data = four();
  const auto found = evaluate_moments(parsed(data, "every(response_30)"), data);
  EXPECT_THAT(found[0].dates, ElementsAre(Occurrence{1056, 1056}, Occurrence{1084, 1084}));
  EXPECT_THAT(found[3].dates, ElementsAre(Occurrence{1028, 1028}, Occurrence{1084, 1084}));
}

TEST(Evaluate, OtherDatesAreMomentsToo) {
  const Data data = with_events();
  const auto found = evaluate_moments(parsed(data, "randomisation"), data);
  EXPECT_THAT(found[0].dates, ElementsAre(Occurrence{1000, 1000}));
  EXPECT_THAT(found[2].dates, IsEmpty());
  EXPECT_THROW(evaluate_moments(parsed(data, "randomised"), data), ContractViolation);
}

TEST(Evaluate, EditChecksLookAtEntries) {
  const Data data = with_events();
  const Expression rule = parsed(data, "missing(resolved) or days(onset, resolved) >= 0", {.form = "adverse_event"});
  EXPECT_THAT(evaluate_entries(rule, data, "adverse_event").truth, ElementsAre(T, F, T, T, T));
}

TEST(Evaluate, PartialDatesAreUnknownWhereTheDayDecides) {
  Data data(4);
  data.cells["art_start@screening"] =
      Column::of_intervals({{1000, 1030}, {1000, 1030}, Interval::exactly(1010), {1000, 1030}}, Type::date);
  data.cells["randomisation"] = days_of({1040, 1020, 1020, 990});
  EXPECT_THAT(truths(data, "days(art_start@screening, randomisation) >= 10"), ElementsAre(T, U, T, F));
  EXPECT_THAT(truths(data, "art_start@screening < randomisation"), ElementsAre(T, U, T, F));
  EXPECT_THAT(truths(data, "art_start@screening == randomisation"), ElementsAre(F, U, F, F));
  EXPECT_EQ(value(data, "days(art_start@screening, randomisation)").interval(0), (Interval{10, 40}));
  EXPECT_THAT(truths(data, "art_start@screening >= '1972-09-27'"), ElementsAre(T, T, T, T));  // day 1000
  EXPECT_THAT(truths(data, "missing(art_start@screening)"), ElementsAre(F, F, F, F));
}

TEST(Evaluate, AValueBelowItsDetectionLimitIsLessThanTheLimit) {
  Data data(3);
  data.cells["hiv_rna@screening"] =
      Column::of_intervals({{-infinity, 20, true, true}, Interval::exactly(20), {1e7, infinity, true, true}});
  EXPECT_THAT(truths(data, "hiv_rna@screening <= 50"), ElementsAre(T, T, F));
  EXPECT_THAT(truths(data, "hiv_rna@screening < 20"), ElementsAre(T, F, F));
  EXPECT_THAT(truths(data, "hiv_rna@screening < 10"), ElementsAre(U, F, F));
  EXPECT_THAT(truths(data, "log(hiv_rna@screening) < 3"), ElementsAre(T, T, F));
  EXPECT_THAT(truths(data, "2 * hiv_rna@screening + 1 < 41"), ElementsAre(T, F, F));
  EXPECT_THAT(truths(data, "-hiv_rna@screening > -20"), ElementsAre(T, F, F));
  EXPECT_THAT(truths(data, "missing(hiv_rna@screening * hiv_rna@screening)"), ElementsAre(T, F, T));
}

TEST(Evaluate, NobodyIsNoProblem) {
  const Data data(0);
  EXPECT_EQ(value(data, "first(cd4) > 1 and any(adverse_event, serious)").size(), 0u);
  EXPECT_THAT(evaluate_moments(parsed(data, "every(adverse_event)"), data), IsEmpty());
}

TEST(Evaluate, UnsoundCellsAreMissing) {
  Data data(4);
  Column odd = Column::of_numbers({5, na, 1, 3});
  odd.high = {4, 3, infinity, 3};
  odd.open = {0, 0, 2, 1};  // bounds the wrong way round, half missing, sound, empty
  data.cells["cd4@w4"] = odd;
  EXPECT_THAT(truths(data, "missing(cd4@w4)"), ElementsAre(T, T, F, T));
  data.cells["sex@screening"] = Column::of_codes({7, -2, 0, 1}, {"F", "M"});
  EXPECT_THAT(truths(data, "sex@screening == 'F'"), ElementsAre(U, U, T, F));
  data.cells["hiv@screening"] = Column::of_truths({9, 0, 1, 2});
  EXPECT_THAT(truths(data, "hiv@screening"), ElementsAre(U, F, T, U));
}

TEST(Evaluate, BrokenPromisesOfATableAreContractViolations) {
  Data data = with_events();
  data.cells["cd4@w4"] = cd4({1, 2});
  EXPECT_THROW(value(data, "cd4@w4"), ContractViolation);
  data.cells["cd4@w4"] = Column::of_truths({1, 1, 1, 1});
  EXPECT_THROW(value(data, "cd4@w4"), ContractViolation);
  data.filled["adverse_event"].participant = {0, 0, 1, 3, 4};
  EXPECT_THROW(value(data, "any(adverse_event)"), ContractViolation);
  EXPECT_THROW(evaluate(parsed(data, "cd4 > 1", {.at_visit = true}), data), ContractViolation);
  EXPECT_THROW(evaluate(Expression(), data), ContractViolation);
}

}  // namespace
}  // namespace equipoise::expression
