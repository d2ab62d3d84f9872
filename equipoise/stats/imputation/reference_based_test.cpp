#include "equipoise/stats/imputation/reference_based.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "equipoise/stats/imputation/imputation_testing.h"
#include "equipoise/stats/linear/ancova.h"

namespace equipoise::stats {
namespace {

using testing::has_note, testing::LongTrial, testing::number, testing::numbers, testing::read, testing::text, testing::texts;

const std::vector<std::string> ways{"jackknife", "bootstrap", "bayes", "approximate_bayes"};

/// Options that name the way, with few draws.
testing::Keys by(std::string const& way, testing::Keys more = {}) {
  more.push_back({"variance", text(way)});
  if (way != "jackknife") more.push_back({"samples", number(20)});
  return more;
}

/// Every number of two answers, place by place.
void expect_same(Expected<Answer> const& a, Expected<Answer> const& b, double tolerance) {
  ASSERT_TRUE(a) << a.error().message;
  ASSERT_TRUE(b) << b.error().message;
  ASSERT_EQ(a->findings.size(), b->findings.size());
  for (Finding const& one : a->findings) {
    const auto other = std::find_if(b->findings.begin(), b->findings.end(),
                                    [&](Finding const& f) { return f.quantity == one.quantity && f.at == one.at; });
    ASSERT_NE(other, b->findings.end()) << one.quantity;
    const auto close = [&](double x, double y) { return (std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= tolerance; };
    EXPECT_TRUE(close(one.value, other->value)) << one.quantity << " " << one.value << " " << other->value;
    EXPECT_TRUE(close(one.se.value_or(0), other->se.value_or(0))) << one.quantity << " se";
    EXPECT_TRUE(close(one.p.value_or(0), other->p.value_or(0))) << one.quantity << " p";
  }
}

std::string refusal(LongTrial const& trial, testing::Keys const& more, Roles const& roles) {
  const auto parsed = testing::parse<ReferenceBasedImputation>(roles, trial.options(more));
  std::string all;
  for (Error const& error : parsed.problems) all += error.message + "\n";
  return all;
}
std::string refusal(LongTrial const& trial, testing::Keys const& more) { return refusal(trial, more, trial.roles()); }

TEST(ReferenceBased, WithNothingMissingIsAncova) {
  LongTrial trial(2);
  for (auto& person : trial.people)
    for (std::size_t j = 0; j < 4; ++j)
      if (std::isnan(person.y[j])) person.y[j] = 0.1 * person.base - double(j);
  for (std::string const& way : ways) {
    const auto got = trial.imputed(by(way));
    testing::Table rows;
    std::vector<double> y, base;
    std::vector<std::int32_t> arm;
    for (auto const& person : trial.people) y.push_back(person.y[3]), base.push_back(person.base), arm.push_back(person.arm);
    rows.numbers("y", y).numbers("base", base).category("arm", trial.arms, arm);
    const auto plain = testing::answer<Ancova>(rows.frame(), {{"response", {"y"}}},
                                               {{"formula", text("base + arm")}, {"levels", testing::table({{"arm", texts(trial.arms)}})}});
    const At difference{{"difference", LevelDifference{"arm", "active", "placebo"}}};
    EXPECT_NEAR(read(got, "estimate", trial.difference("w4")), read(plain, "estimate", difference), 1e-12) << way;
    if (way == "bayes" || way == "approximate_bayes") {  // nothing between the sets: the error is that of the analysis
      EXPECT_NEAR(read(got, "se", trial.difference("w4")), read(plain, "se", difference), 1e-12);
      EXPECT_EQ(read(got, "lambda", trial.difference("w4")), 0);
    }
    EXPECT_TRUE(has_note(got, "No response is missing"));
  }
}

TEST(ReferenceBased, JumpingToTheReferenceIsMarInTheReference) {
  const LongTrial trial(3);
  const auto jump = trial.imputed({{"analysis_formula", text("arm")}});
  const auto mar = trial.imputed({{"analysis_formula", text("arm")}, {"strategy", text("mar")}});
  for (std::string const& visit : trial.visits) {
    EXPECT_NEAR(read(jump, "estimate", trial.mean("placebo", visit)), read(mar, "estimate", trial.mean("placebo", visit)), 1e-12);
    EXPECT_NEAR(read(jump, "se", trial.mean("placebo", visit)), read(mar, "se", trial.mean("placebo", visit)), 1e-12);
  }
  EXPECT_NE(read(jump, "estimate", trial.mean("active", "w4")), read(mar, "estimate", trial.mean("active", "w4")));
}

TEST(ReferenceBased, KnowsNoOrderOfRowsAndNoNames) {
  LongTrial trial(3);
  for (std::string const& way : ways) {
    const auto first = trial.imputed(by(way));
    LongTrial turned = trial;  // ids keep the order of their names
    std::reverse(turned.people.begin(), turned.people.end());
    expect_same(first, turned.imputed(by(way)), 0);
    LongTrial renamed = trial;
    for (std::size_t i = 0; i < renamed.people.size(); ++i) renamed.people[i].name = "q" + std::to_string(900 - i);
    if (way == "jackknife") expect_same(first, renamed.imputed(by(way)), 1e-9);  // sums run in another order
  }
}

TEST(ReferenceBased, FollowsTheUnitsOfTheResponse) {
  const LongTrial trial(3);
  const auto first = trial.imputed();
  LongTrial scaled = trial;
  for (auto& person : scaled.people)
    for (double& value : person.y) value = 1024 * value;
  const auto larger = scaled.imputed();
  LongTrial moved = trial;
  for (auto& person : moved.people)
    for (double& value : person.y) value += 1e6;
  const auto shifted = moved.imputed();
  for (std::string const& visit : trial.visits) {
    const At at = trial.difference(visit);
    EXPECT_NEAR(read(larger, "estimate", at), 1024 * read(first, "estimate", at), 1e-9 * 1024);
    EXPECT_NEAR(read(larger, "se", at), 1024 * read(first, "se", at), 1e-9 * 1024);
    EXPECT_NEAR(read(larger, "p", at), read(first, "p", at), 1e-9);
    EXPECT_NEAR(read(shifted, "estimate", at), read(first, "estimate", at), 1e-7);  // values hold 1e-10 of what they did
    EXPECT_NEAR(read(shifted, "se", at), read(first, "se", at), 1e-7);
    EXPECT_NEAR(read(shifted, "estimate", trial.mean("active", visit)) - 1e6, read(first, "estimate", trial.mean("active", visit)), 1e-7);
  }
}

TEST(ReferenceBased, TakesAnAbsentRowForAMissingResponse) {
  const LongTrial trial(3);
  const auto full = trial.imputed();
  testing::Table rows = trial.table();
  Frame const& frame = rows.frame();
  std::vector<std::size_t> kept;
  for (std::size_t r = 0; r < frame.rows; ++r)
    if (!std::isnan(frame.numbers("y")[r]) || frame.numbers("ice")[r] == 1) kept.push_back(r);  // who left without an event has no rows
  ASSERT_LT(kept.size(), frame.rows);
  const GatheredFrame fewer(frame, kept);
  const auto got = testing::parse<ReferenceBasedImputation>(trial.roles(), trial.options()).method->run(fewer.frame());
  expect_same(full, got, 0);
}

TEST(ReferenceBased, StrategiesByTheReasonOfTheEvent) {
  const LongTrial trial(3);
  Roles roles = trial.roles();
  roles["ice_reason"] = {"reason"};
  testing::Table rows = trial.table();
  const auto mixed = testing::answer<ReferenceBasedImputation>(
      rows.frame(), roles,
      trial.options({{"strategy", Node()},
                     {"strategies", testing::table({{"effect", text("jump_to_reference")}, {"harm", text("copy_increments_in_reference")}})}}));
  EXPECT_TRUE(has_note(mixed, "copy increments in reference after 'harm'"));
  // the same with "harm" left to the rule for all
  const auto by_rest = testing::answer<ReferenceBasedImputation>(
      rows.frame(), roles,
      trial.options({{"strategy", text("copy_increments_in_reference")}, {"strategies", testing::table({{"effect", text("jump_to_reference")}})}}));
  expect_same(mixed, by_rest, 0);
  // mar after an event is no event, when nothing was observed after it
  const auto some = testing::answer<ReferenceBasedImputation>(
      rows.frame(), roles, trial.options({{"strategies", testing::table({{"harm", text("mar")}})}}));
  LongTrial without = trial;
  for (auto& person : without.people)
    if (person.reason == 1) person.event = 4;
  expect_same(some, without.imputed(), 1e-12);
  const auto unknown = testing::answer<ReferenceBasedImputation>(
      rows.frame(), roles, trial.options({{"strategy", Node()}, {"strategies", testing::table({{"harm", text("mar")}})}}));
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Code::unresolved);
  EXPECT_NE(unknown.error().message.find("'effect'"), std::string::npos);
}

TEST(ReferenceBased, DeltaIsAddedToWhatIsImputedAfterTheEvent) {
  const LongTrial trial(3);
  const auto none = trial.imputed();
  expect_same(none, trial.imputed({{"delta", testing::table({{"active", number(0)}})}}), 0);
  const testing::Keys plain{{"analysis_formula", text("arm")}};
  const auto before = trial.imputed(plain);
  testing::Keys shifted = plain;
  shifted.push_back({"delta", testing::table({{"active", numbers({0, 1, 2, 3})}})});
  const auto after = trial.imputed(shifted);
  testing::Keys all = shifted;
  all.push_back({"delta_on", text("imputed")});
  const auto every = trial.imputed(all);
  for (std::size_t j = 0; j < 4; ++j) {
    double members = 0, events = 0, missing = 0;
    for (auto const& person : trial.people) {
      members += person.arm == 1;
      events += person.arm == 1 && j >= person.event && std::isnan(person.y[j]);
      missing += person.arm == 1 && std::isnan(person.y[j]);
    }
    const At at = trial.mean("active", trial.visits[j]);
    EXPECT_NEAR(read(after, "estimate", at), read(before, "estimate", at) + double(j) * events / members, 1e-12);
    EXPECT_NEAR(read(every, "estimate", at), read(before, "estimate", at) + double(j) * missing / members, 1e-12);
    EXPECT_NEAR(read(after, "estimate", trial.mean("placebo", trial.visits[j])),
                read(before, "estimate", trial.mean("placebo", trial.visits[j])), 1e-12);
  }
}

/// The trial with its reference as the last group.
LongTrial turned(LongTrial trial) {
  std::swap(trial.arms[0], trial.arms[1]);
  for (auto& person : trial.people) person.arm = 1 - person.arm;
  return trial;
}
const At active_less_placebo{{"difference", LevelDifference{"arm", "active", "placebo"}}, {"within", Term{{"visit", "w4"}}}};

// The surface is computed without imputing again; each point must be what imputing again with these deltas gives.
TEST(ReferenceBased, TheTippingSurfaceIsTheAnalysisRepeated) {
  for (LongTrial const& trial : {LongTrial(3), turned(LongTrial(3))})
    for (std::string const& way : ways) {
      const auto got = trial.imputed(
          by(way, {{"tipping_point", testing::table({{"delta", numbers({-1, 0, 2.5})}, {"delta_reference", numbers({0, 1})}})}}));
      ASSERT_TRUE(got) << got.error().message;
      ASSERT_EQ(got->series.size(), 1u);
      Series const& surface = got->series.front();
      const At at = active_less_placebo;
      EXPECT_EQ(surface.at, at);
      ASSERT_EQ(surface.columns.front().second.size(), 6u);
      std::size_t point = 0;
      for (const double delta : {-1.0, 0.0, 2.5})
        for (const double reference : {0.0, 1.0}) {
          const auto again =
              trial.imputed(by(way, {{"delta", testing::table({{"active", number(delta)}, {"placebo", number(reference)}})}}));
          const double expected[] = {delta,
                                     reference,
                                     read(again, "estimate", at),
                                     read(again, "lower", at),
                                     read(again, "upper", at),
                                     read(again, "p", at)};
          for (std::size_t c = 0; c < 6; ++c)
            EXPECT_NEAR(surface.columns[c].second[point], expected[c], 1e-9) << way << " " << point << " " << c;
          ++point;
        }
      // the tipping point is where P passes 0.05
      const double tip = read(got, "tipping_point", at);
      ASSERT_FALSE(std::isnan(tip)) << way;
      const auto there = trial.imputed(by(way, {{"delta", testing::table({{"active", number(tip)}})}}));
      EXPECT_NEAR(read(there, "p", at), 0.05, 1e-8) << way;
    }
}

TEST(ReferenceBased, TheReferenceMayComeLast) {
  const LongTrial trial(3);
  const auto first = trial.imputed(), second = turned(trial).imputed();
  EXPECT_NEAR(read(first, "estimate", active_less_placebo), read(second, "estimate", active_less_placebo), 1e-9);
  EXPECT_NEAR(read(first, "lower", active_less_placebo), read(second, "lower", active_less_placebo), 1e-8);
  EXPECT_NEAR(read(first, "upper", active_less_placebo), read(second, "upper", active_less_placebo), 1e-8);
}

TEST(ReferenceBased, AnchoredErrorsAreThoseOfImputingAtRandom) {
  const LongTrial trial(3);
  const auto jump = trial.imputed(), anchored = trial.imputed({{"errors", text("information_anchored")}});
  for (std::string const& visit : trial.visits)
    EXPECT_NEAR(read(anchored, "estimate", trial.difference(visit)), read(jump, "estimate", trial.difference(visit)), 1e-12);
  // borrowing the reference's mean makes the jackknife smaller than the information in the data
  EXPECT_GT(read(anchored, "se", trial.difference("w4")), 1.05 * read(jump, "se", trial.difference("w4")));
  EXPECT_TRUE(has_note(anchored, "jump to reference"));
  expect_same(trial.imputed({{"strategy", text("mar")}, {"errors", text("information_anchored")}}), trial.imputed({{"strategy", text("mar")}}), 1e-12);
}

TEST(ReferenceBased, OneVisitIsEnough) {
  LongTrial trial(6, 60, 1);
  for (std::size_t i = 0; i < 18; ++i) {
    trial.people[i].y[0] = missing_number;
    trial.people[i].event = 0;
  }
  for (std::string const& way : ways) {
    const auto got = trial.imputed(by(way));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_GT(read(got, "se", trial.difference("w1")), 0);
  }
  // Imputing at random and analysing with the same model is the analysis of the complete cases; many sets have its error too, but for
  // the error of the degrees of freedom, of order 1/42.
  testing::Table rows;
  std::vector<double> y, base;
  std::vector<std::int32_t> arm;
  for (std::size_t i = 18; i < 60; ++i) {
    y.push_back(trial.people[i].y[0]), base.push_back(trial.people[i].base), arm.push_back(trial.people[i].arm);
  }
  rows.numbers("y", y).numbers("base", base).category("arm", trial.arms, arm);
  const auto cases = testing::answer<Ancova>(rows.frame(), {{"response", {"y"}}},
                                             {{"formula", text("base + arm")}, {"levels", testing::table({{"arm", texts(trial.arms)}})}});
  const At at{{"difference", LevelDifference{"arm", "active", "placebo"}}};
  const auto mar = trial.imputed({{"strategy", text("mar")}});
  EXPECT_NEAR(read(mar, "estimate", trial.difference("w1")), read(cases, "estimate", at), 1e-9);
  const auto drawn = trial.imputed({{"strategy", text("mar")}, {"variance", text("bayes")}, {"samples", number(4000)}, {"thin", number(2)}});
  const double se = read(drawn, "se", trial.difference("w1")), between = se * std::sqrt(read(drawn, "lambda", trial.difference("w1")));
  EXPECT_NEAR(read(drawn, "estimate", trial.difference("w1")), read(cases, "estimate", at), 4 * between / std::sqrt(4000.0));
  EXPECT_NEAR(se / read(cases, "se", at), 1, 0.06);
  // and the drawn means agree with the conditional ones under a reference
  const auto jump = trial.imputed(), drawn_jump = trial.imputed({{"variance", text("bayes")}, {"samples", number(4000)}, {"thin", number(2)}});
  EXPECT_NEAR(read(drawn_jump, "estimate", trial.difference("w1")), read(jump, "estimate", trial.difference("w1")), 4 * between / std::sqrt(4000.0));
}

TEST(ReferenceBased, EqualSeedsGiveEqualNumbers) {
  const LongTrial trial(3);
  for (std::string const& way : ways) {
    if (way == "jackknife") continue;
    const auto seeded = [&](double seed) { return trial.imputed(by(way, {{"seed", number(seed)}})); };
    expect_same(seeded(11), seeded(11), 0);
    EXPECT_NE(read(seeded(11), "se", trial.difference("w4")), read(seeded(12), "se", trial.difference("w4"))) << way;
    EXPECT_TRUE(has_note(seeded(11), "seed 11"));
  }
}

TEST(ReferenceBased, CovarianceStructuresAndTheirFallback) {
  const LongTrial trial(3);
  const auto us = trial.imputed();
  for (std::string const structure : {"heterogeneous_toeplitz", "ar1", "compound_symmetry", "ante_dependence"})
    for (std::string const& way : ways) {
      const auto got = trial.imputed(by(way, {{"covariance", text(structure)}}));
      ASSERT_TRUE(got) << got.error().message << structure << way;
      // another covariance changes imputed values a little: by less than a standard error
      EXPECT_NEAR(read(got, "estimate", trial.difference("w4")), read(us, "estimate", trial.difference("w4")), read(us, "se", trial.difference("w4")));
    }
  LongTrial split = trial;  // nobody has both of the last two visits
  for (std::size_t i = 0; i < split.people.size(); ++i) split.people[i].y[i % 4 < 2 ? 2 : 3] = missing_number;
  ASSERT_FALSE(split.imputed());
  EXPECT_EQ(split.imputed().error().code, Code::no_convergence);
  const auto fallback = split.imputed({{"covariance", texts({"unstructured", "heterogeneous_ar1"})}});
  ASSERT_TRUE(fallback) << fallback.error().message;
  EXPECT_TRUE(has_note(fallback, "Declared fallback"));
}

TEST(ReferenceBased, SaysHowManyRepetitionsFailed) {
  LongTrial trial(3);  // two at a site, one of them with nothing observed: without the other their mean is unknown
  for (auto& person : trial.people) person.site = 0;
  trial.people[4].site = trial.people[6].site = 1;
  trial.people[4].y = {1, 2, 3, 4};
  trial.people[4].event = 4;
  trial.people[6].y.assign(4, missing_number);
  trial.people[6].event = 0;
  const testing::Keys keys{{"formula", text("base + arm * visit + site")},
                           {"levels", testing::table({{"arm", texts(trial.arms)}, {"visit", texts(trial.visits)}, {"site", texts(trial.sites)}})}};
  const auto got = trial.imputed(keys);
  EXPECT_TRUE(has_note(got, "1 of 40 repetitions could not be analysed and are left out"));
  EXPECT_TRUE(has_note(got, "1 participant has no observed response"));
  EXPECT_GT(read(got, "se", trial.difference("w4")), 0);
  trial.people.resize(16);  // 1 of 16 is more than 1 in 20
  const auto fewer = trial.imputed(keys);
  EXPECT_TRUE(std::isnan(read(fewer, "se", trial.difference("w4"))));
  EXPECT_TRUE(has_note(fewer, "no standard error is given"));
  EXPECT_FALSE(std::isnan(read(fewer, "estimate", trial.difference("w4"))));
}

TEST(ReferenceBased, RefusesDataThatCannotBe) {
  const auto error_of = [](std::function<void(LongTrial&)> const& change, testing::Keys const& more = {}) {
    LongTrial trial(3);
    change(trial);
    const auto got = trial.imputed(more);
    return got ? Error{Code::failure, "an answer", {}, {}} : got.error();
  };
  EXPECT_EQ(error_of([](LongTrial& t) { t.people[3].name = t.people[2].name; }).code, Code::duplicate);
  EXPECT_EQ(error_of([](LongTrial& t) { t.people[3].y[1] = std::numeric_limits<double>::infinity(); }).code, Code::bad_cell);
  EXPECT_EQ(error_of([](LongTrial& t) { t.people.clear(); }).code, Code::no_data);
  EXPECT_EQ(error_of([](LongTrial& t) { for (auto& p : t.people) p.y[2] = missing_number; }).code, Code::not_estimable);
  EXPECT_EQ(error_of([](LongTrial& t) { for (auto& p : t.people) p.event = 0; }).code, Code::no_data);
  EXPECT_EQ(error_of([](LongTrial& t) { t.people = {t.people[9]}; t.people[0].y[3] = missing_number; }).code, Code::not_estimable);
  EXPECT_EQ(error_of([](LongTrial& t) { for (auto& p : t.people) for (double& y : p.y) if (!std::isnan(y)) y = 7; }).code, Code::not_estimable);
  // nobody of the arm was ever observed, and its mean is asked for
  EXPECT_EQ(error_of([](LongTrial& t) { for (auto& p : t.people) if (p.arm == 1) p.y.assign(4, missing_number); }).code, Code::not_estimable);
  EXPECT_EQ(error_of([](LongTrial& t) { t.people[0].event = 0; t.people[0].y.assign(4, missing_number); },
                     {{"strategy", text("last_mean_carried_forward")}}).code,
            Code::inconsistent);
  EXPECT_EQ(error_of([](LongTrial&) {}, {{"delta", testing::table({{"active", numbers({1, 2})}})}}).code, Code::size_mismatch);
  EXPECT_EQ(error_of([](LongTrial&) {}, {{"at", text("w4")}, {"delta", testing::table({{"active", numbers({1, 2, 3, 4})}})}}).message, "an answer");
  const LongTrial trial(3);
  testing::Table rows = trial.table();
  std::vector<double> ice(rows.frame().numbers("ice").begin(), rows.frame().numbers("ice").end());
  const auto with_ice = [&](std::vector<double> values) {
    testing::Table changed = trial.table();
    changed.numbers("other", std::move(values));
    Roles roles = trial.roles();
    roles["ice"] = {"other"};
    return testing::answer<ReferenceBasedImputation>(changed.frame(), roles, trial.options());
  };
  std::vector<double> odd = ice;
  odd[5] = 2;
  EXPECT_EQ(with_ice(odd).error().code, Code::bad_cell);
  odd = ice;
  odd[4] = 1, odd[5] = 0;
  EXPECT_EQ(with_ice(odd).error().code, Code::inconsistent);
  EXPECT_TRUE(with_ice(ice));
}

TEST(ReferenceBased, OneParticipantComparesNothing) {
  LongTrial trial(3);
  trial.people.resize(1);
  trial.people[0].y = {1, 2, 3, 4};
  const auto got = trial.imputed();
  EXPECT_EQ(read(got, "estimate", trial.mean("placebo", "w4")), 4);
  EXPECT_TRUE(std::isnan(read(got, "se", trial.mean("placebo", "w4"))));
  EXPECT_TRUE(std::isnan(read(got, "estimate", trial.difference("w4"))));
  EXPECT_TRUE(has_note(got, "Not estimable"));
}

TEST(ReferenceBased, AnswersWhereNothingVaries) {
  LongTrial trial(3, 12, 2);
  for (auto& person : trial.people) person.y.assign(2, 3.0), person.event = 2;
  for (std::string const& way : ways) {
    const auto got = trial.imputed(by(way));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_NEAR(read(got, "estimate", trial.difference("w2")), 0, 1e-14);
    EXPECT_TRUE(std::isnan(read(got, "p", trial.difference("w2")))) << way;
    EXPECT_TRUE(has_note(got, "nothing varies"));
  }
}

TEST(ReferenceBased, ChecksItsOptions) {
  const LongTrial trial(3);
  EXPECT_EQ(refusal(trial, {}), "");
  const auto says = [&](testing::Keys const& more, std::string_view part) {
    const std::string all = refusal(trial, more);
    EXPECT_NE(all.find(part), std::string::npos) << all << " lacks " << part;
  };
  says({{"strategy", Node()}}, "needs the key 'strategy'");
  says({{"strategy", text("jump")}}, "jump");
  says({{"reference", text("placebos")}}, "'placebos' is not a level of 'arm'");
  says({{"reference", Node()}}, "reference");
  says({{"covariance", text("banded")}}, "no covariance structure is called 'banded'");
  says({{"formula", text("base +")}}, "formula");
  says({{"analysis_formula", text("base")}}, "its formula has no 'arm'");
  says({{"analysis_formula", text("base + arm * visit")}}, "each visit is analysed by itself");
  says({{"strategies", testing::table({{"harm", text("mar")}})}}, "no column has the role 'ice_reason'");
  says({{"samples", number(50)}}, "a jackknife draws nothing");
  says({{"variance", text("bayes")}, {"errors", text("information_anchored")}}, "'errors' belongs to conditional means");
  says({{"variance", text("bootstrap")}, {"thin", number(3)}}, "'thin' belongs to variance = \"bayes\"");
  says({{"tipping_point", testing::table({{"delta_reference", numbers({1})}})}}, "delta");
  says({{"tipping_point", testing::table({{"delta", numbers({})}})}}, "combinations of deltas");
  says({{"delta", testing::table({{"activ", number(1)}})}}, "'activ' is not a level of 'arm'");
  says({{"delta", testing::table({{"active", text("much")}})}}, "active");
  says({{"at", text("w9")}}, "'w9' is not a level of 'visit'");
  says({{"df", text("satterthwaite")}}, "df");
  says({{"levels", testing::table({{"arm", texts(trial.arms)}, {"visit", texts(trial.visits)}, {"site", texts(trial.sites)}})}}, "neither formula has");
  Roles no_event = trial.roles();
  no_event.erase("ice");
  EXPECT_NE(refusal(trial, {}, no_event).find("no column has the role 'ice'"), std::string::npos);
  EXPECT_EQ(refusal(trial, {{"strategy", text("mar")}, {"reference", Node()}}, no_event), "") << "missing at random needs no event";
  Roles no_group = trial.roles();
  no_group.erase("group");
  EXPECT_NE(refusal(trial, {}, no_group).find("'group'"), std::string::npos);
  // a category that only the analysis has
  EXPECT_EQ(refusal(trial, {{"analysis_formula", text("base + arm + site")},
                            {"levels", testing::table({{"arm", texts(trial.arms)}, {"visit", texts(trial.visits)}, {"site", texts(trial.sites)}})}}),
            "");
}

TEST(ReferenceBased, AnswersAtTheVisitOfTheQuestionFirst) {
  const LongTrial trial(3);
  const auto got = trial.imputed({{"at", text("w2")}});
  ASSERT_TRUE(got);
  EXPECT_EQ(got->findings.front().at, trial.difference("w2"));
  EXPECT_EQ(read(got, "n_imputed", trial.mean("active", "w1")), 0);
  double missing = 0;
  for (auto const& person : trial.people) missing += person.arm == 1 && std::isnan(person.y[3]);
  EXPECT_EQ(read(got, "n_imputed", trial.mean("active", "w4")), missing);
}

}  // namespace
}  // namespace equipoise::stats
