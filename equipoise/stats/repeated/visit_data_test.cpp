#include "equipoise/stats/repeated/visit_data.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "equipoise/stats/repeated/visit_testing.h"

namespace equipoise::stats {
namespace {

using testing::formula, testing::long_rows, testing::LongRows, testing::Shape, testing::Table, testing::visit_roles;

/// Element (row of participant i at visit j, column c) of the weighted design, from its pieces.
double entry(VisitData const& data, std::size_t i, std::size_t j, std::size_t c) {
  double value = 0;
  for (VisitData::Piece const& piece : data.columns[c])
    if (piece.visit == VisitData::every_visit || std::size_t(piece.visit) == j)
      value += data.u[i * data.covariates + piece.covariate];
  return value;
}

struct Asked {
  std::string formula;
  bool weights;
};
class FoldedDesign : public ::testing::TestWithParam<Asked> {};

// What the fold holds is the design of the rows: for any b over our columns, X b is the same as that of the given columns with
// their coefficients C b. 1e-12: centring, scaling and products of numbers near 1.
TEST_P(FoldedDesign, IsTheDesignOfTheRows) {
  const LongRows rows = long_rows({.seed = 3, .people = 24, .arms = 3}).shuffled(5);
  Table table = rows.table();
  const Formula model = formula(GetParam().formula);
  VisitRoles roles = visit_roles;
  if (GetParam().weights) roles.weight = "w";
  const auto data = fold_visits(table.frame(), model, roles);
  ASSERT_TRUE(data) << data.error().message;
  const auto design = build_design(table.frame(), model, Intercept::first);
  ASSERT_EQ(data->design.names, design->names);

  const std::size_t p = data->p();
  std::vector<double> ours(p), given(p, 0.0);
  for (std::size_t c = 0; c < p; ++c) ours[c] = std::sin(double(c + 1));
  for (std::size_t c = 0; c < p; ++c)
    for (std::size_t k = 0; k < p; ++k) given[c] += data->to_given[c * p + k] * ours[k];
  std::vector<std::size_t> used;
  for (std::size_t c = 0; c < data->design.names.size(); ++c)
    if (data->place[c] >= 0) used.push_back(c);
  ASSERT_EQ(used.size(), p);
  std::size_t seen = 0;
  for (std::size_t i = 0; i < data->n(); ++i)
    for (std::size_t j = 0; j < data->m(); ++j) {
      const std::int32_t row = data->row_of[i * data->m() + j];
      if (row < 0) continue;
      ++seen;
      double folded = 0, direct = 0, first = 0;
      for (std::size_t c = 0; c < p; ++c) {
        folded += entry(*data, i, j, c) * ours[c];
        first += entry(*data, i, j, c) * data->first_fit[c];
        direct += design->column(used[c])[std::size_t(row)] * given[c];
      }
      const double root = GetParam().weights ? std::sqrt(rows.weight[std::size_t(row)]) : 1.0;
      EXPECT_NEAR(folded / root, direct, 1e-12 * (1 + std::abs(direct)));
      // the response is the first fit and what is left of it
      EXPECT_NEAR((data->y[i * data->m() + j] + first) / root * data->unit, rows.y[std::size_t(row)], 1e-12 * 20);
    }
  EXPECT_EQ(seen, rows.size());

  // The first fit is that of least squares: its residuals are orthogonal to every column, with mean square 1.
  double squares = 0;
  for (std::size_t c = 0; c < p; ++c) {
    double product = 0, length = 0;
    for (std::size_t i = 0; i < data->n(); ++i)
      for (std::size_t j = 0; j < data->m(); ++j) {
        if (data->row_of[i * data->m() + j] < 0) continue;
        product += entry(*data, i, j, c) * data->y[i * data->m() + j];
        length += std::pow(entry(*data, i, j, c), 2);
      }
    EXPECT_NEAR(product, 0, 1e-12 * double(rows.size()) * std::sqrt(length));
  }
  for (const double value : data->y) squares += value * value;
  EXPECT_NEAR(squares / (double(rows.size()) - double(p)), 1, 1e-12);

  // `ours` is the transpose of `to_given`: l'(C b) = (C'l)'b.
  std::vector<double> l(data->design.names.size(), 0.0);
  double value = 0, folded = 0;
  for (std::size_t c = 0; c < p; ++c) {
    l[used[c]] = std::cos(double(c));
    value += l[used[c]] * given[c];
  }
  if (p < data->design.names.size()) return;  // a coefficient beside those left out need not be estimable
  const std::vector<double> mapped = data->ours(l);
  ASSERT_EQ(mapped.size(), p);
  for (std::size_t c = 0; c < p; ++c) folded += mapped[c] * ours[c];
  EXPECT_NEAR(folded, value, 1e-11);
}

INSTANTIATE_TEST_SUITE_P(Models, FoldedDesign,
                         ::testing::Values(Asked{"arm * visit", false}, Asked{"base * visit + arm * visit", false},
                                           Asked{"base * z + arm * visit", false}, Asked{"z * visit + arm * site", false},
                                           Asked{"base + arm", false}, Asked{"base * arm * visit + z", true},
                                           Asked{"arm * visit + base", true}, Asked{"site:arm:visit + base:z:arm", false}));

TEST(VisitData, FoldsByParticipantAndPattern) {
  const LongRows rows = long_rows({.seed = 9, .people = 30}).shuffled(2);
  Table table = rows.table();
  const auto data = fold_visits(table.frame(), formula("arm * visit"), visit_roles);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->visits, (std::vector<std::string>{"V1", "V2", "V3", "V4"}));
  EXPECT_EQ(data->observations, rows.size());
  double participants = 0;
  for (std::size_t i = 0; i < data->n(); ++i) {
    std::uint64_t seen = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const std::int32_t row = data->row_of[i * 4 + j];
      if (row < 0) continue;
      seen |= 1u << j;
      EXPECT_EQ(rows.visit[std::size_t(row)], std::int32_t(j));
      EXPECT_EQ("P" + std::to_string(rows.subject[std::size_t(row)] + 1), data->participants[i]);
    }
    EXPECT_EQ(data->patterns[data->pattern_of[i]].seen, seen);
  }
  for (auto const& pattern : data->patterns) participants += pattern.participants;
  EXPECT_EQ(participants, double(data->n()));
  for (std::size_t g = 1; g < data->patterns.size(); ++g) EXPECT_LT(data->patterns[g - 1].seen, data->patterns[g].seen);
  EXPECT_EQ(data->participants.front(), "P" + std::to_string(rows.subject.front() + 1));  // in the order of their first row
}

TEST(VisitData, LeavesOutVisitsThatNobodyHas) {
  const LongRows all = long_rows({.people = 12});
  Table table = all.where([&](std::size_t i) { return all.visit[i] != 1; }).table();
  const auto data = fold_visits(table.frame(), formula("arm * visit"), visit_roles);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->visits, (std::vector<std::string>{"V1", "V3", "V4"}));
  EXPECT_EQ(data->design.names.size(), 6u);
}

TEST(VisitData, KnowsWhichColumnsChangeWithinParticipants) {
  const LongRows rows = long_rows({.people = 20});
  for (const bool weighted : {false, true}) {
    VisitRoles roles = visit_roles;
    if (weighted) roles.weight = "z2";
    std::vector<double> positive;
    for (const double z : rows.z) positive.push_back(std::exp(z));
    Table own = rows.table();
    own.numbers("z2", positive);
    const auto data = fold_visits(own.frame(), formula("base + z + arm * visit"), roles);
    ASSERT_TRUE(data);
    // intercept, base, z, arm, three visits, three interactions
    EXPECT_EQ(data->constant, (std::vector<std::uint8_t>{1, 1, 0, 1, 0, 0, 0, 0, 0, 0})) << weighted;
  }
  const auto last = [&](std::size_t i) { return i + 1 == rows.size() || rows.subject[i + 1] != rows.subject[i]; };
  // Everybody once: nothing changes within anybody.
  const auto once = fold_visits(rows.where(last).table().frame(), formula("base + z + arm"), visit_roles);
  ASSERT_TRUE(once);
  EXPECT_EQ(once->constant, (std::vector<std::uint8_t>{1, 1, 1, 1}));
}

TEST(VisitData, LeavesOutWhatEarlierColumnsTell) {
  LongRows rows = long_rows({.people = 18, .arms = 3});
  std::vector<double> twice, constant(rows.size(), 0.1);
  for (const double base : rows.base) twice.push_back(3 - 2 * base);
  Table table = rows.table();
  table.numbers("twice", twice).numbers("constant", constant);
  const auto data = fold_visits(table.frame(), formula("base + twice + constant + arm * site"), visit_roles);
  ASSERT_TRUE(data);
  // 18 people in arms and sites i mod 3: arm tells site.
  EXPECT_EQ(data->design.names.size(), 12u);
  EXPECT_EQ(data->p(), 4u);
  EXPECT_EQ(data->null_space.size(), 8u);
  const auto at = [&](std::string_view name) {
    std::vector<double> l(data->design.names.size(), 0.0);
    for (std::size_t c = 0; c < l.size(); ++c)
      if (to_text(data->design.names[c]) == name) l[c] = 1;
    return l;
  };
  EXPECT_TRUE(data->ours(at("base")).empty());  // base and twice tell one slope
  std::vector<double> slope = at("base");
  for (std::size_t c = 0; c < slope.size(); ++c) slope[c] -= 2 * at("twice")[c];
  EXPECT_FALSE(data->ours(slope).empty());
  EXPECT_TRUE(data->ours(at("constant")).empty());
  EXPECT_FALSE(data->ours(std::vector<double>(12, 0.0)).empty());  // 0 is always known
}

TEST(VisitData, KeepsItsDigitsFarFromZero) {
  // Years around 2020 and ids around 1e9 tell as much as their distances do.
  LongRows rows = long_rows({.people = 30});
  std::vector<double> far, near;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    near.push_back(std::round(4 * rows.base[i]));
    far.push_back(1e9 + near.back());
  }
  Table table = rows.table();
  table.numbers("far", far).numbers("near", near);
  const auto a = fold_visits(table.frame(), formula("far * visit + arm"), visit_roles),
             b = fold_visits(table.frame(), formula("near * visit + arm"), visit_roles);
  ASSERT_TRUE(a && b);
  ASSERT_EQ(a->y.size(), b->y.size());
  for (std::size_t k = 0; k < a->y.size(); ++k) EXPECT_NEAR(a->y[k], b->y[k], 1e-12);
  EXPECT_NEAR(a->unit, b->unit, 1e-12);
}

/// The error of folding a frame.
Error refused(Table table, std::string_view model, VisitRoles const& roles) {
  const auto data = fold_visits(table.frame(), formula(model), roles);
  if (!data) return data.error();
  ADD_FAILURE() << "nothing was refused";
  return {};
}

TEST(VisitData, RefusesWhatItCannotFold) {
  const LongRows rows = long_rows({.people = 10});
  LongRows twice = rows;
  twice.copy(rows, 3);
  const Error duplicate = refused(twice.table(), "arm * visit", visit_roles);
  EXPECT_EQ(duplicate.code, Code::duplicate);
  EXPECT_NE(duplicate.message.find("'P1' has two rows at visit 'V4'"), std::string::npos) << duplicate.message;

  LongRows infinite = rows;
  infinite.y[2] = std::numeric_limits<double>::infinity();
  EXPECT_EQ(refused(infinite.table(), "arm * visit", visit_roles).code, Code::bad_cell);
  LongRows infinite_covariate = rows;
  infinite_covariate.base[2] = -std::numeric_limits<double>::infinity();
  EXPECT_EQ(refused(infinite_covariate.table(), "base + arm", visit_roles).code, Code::bad_cell);

  VisitRoles weighted = visit_roles;
  weighted.weight = "w";
  for (const double bad : {0.0, -1.0, std::numeric_limits<double>::infinity()}) {
    LongRows weights = rows;
    weights.weight[5] = bad;
    EXPECT_EQ(refused(weights.table(), "arm", weighted).code, Code::bad_cell) << bad;
  }

  VisitRoles split = visit_roles;
  split.covariance_by = "arm";
  LongRows crossing = rows;
  crossing.arm[1] = 1 - crossing.arm[1];
  const Error two = refused(crossing.table(), "visit", split);
  EXPECT_EQ(two.code, Code::bad_cell);
  EXPECT_NE(two.message.find("'P1' is in two groups of 'arm'"), std::string::npos) << two.message;

  LongRows none = rows.where([](std::size_t) { return false; });
  EXPECT_EQ(refused(none.table(), "arm", visit_roles).code, Code::no_data);
}

TEST(VisitData, RefusesWhatLeavesNoVariation) {
  const LongRows rows = long_rows({.people = 10});
  for (const double all : {0.0, 3.0, 0.1, -1e9, 1e-300}) {
    LongRows equal = rows;
    for (double& y : equal.y) y = all;
    EXPECT_EQ(refused(equal.table(), "arm * visit", visit_roles).code, Code::not_estimable) << all;
  }
  LongRows line = rows;
  for (const double origin : {0.0, 1e6, -1e12}) {  // what is left is the rounding of the values
    for (std::size_t i = 0; i < line.size(); ++i) line.y[i] = origin + 3 * line.base[i] + line.arm[i];
    EXPECT_EQ(refused(line.table(), "base + arm", visit_roles).code, Code::not_estimable) << origin;
  }
  // as many coefficients as values
  const LongRows few = rows.where([&](std::size_t i) { return rows.subject[i] < 2; });
  EXPECT_EQ(refused(few.table(), "arm * visit", visit_roles).code, Code::not_estimable);
  const LongRows one = rows.where([&](std::size_t i) { return i == 0; });
  EXPECT_EQ(refused(one.table(), "visit", visit_roles).code, Code::not_estimable);
}

TEST(VisitData, FoldsUpTo64Visits) {
  const LongRows most = long_rows({.people = 6, .visits = 64, .dropout = 0.005, .gaps = 0});
  const auto data = fold_visits(most.table().frame(), formula("arm + base"), visit_roles);
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->m(), 64u);
  EXPECT_EQ(std::popcount(data->patterns.back().seen), 64);
  const Error error = refused(long_rows({.people = 6, .visits = 65, .dropout = 0}).table(), "arm", visit_roles);
  EXPECT_EQ(error.code, Code::out_of_range);
}

TEST(VisitData, HasABlockForEachGroupWithRows) {
  LongRows rows = long_rows({.people = 20, .arms = 3});
  VisitRoles split = visit_roles;
  split.covariance_by = "arm";
  const LongRows kept = rows.where([&](std::size_t i) { return rows.arm[i] != 1; });
  const auto data = fold_visits(kept.table().frame(), formula("visit"), split);
  ASSERT_TRUE(data);
  EXPECT_EQ(data->blocks, (std::vector<std::string>{"A1", "A3"}));
  for (std::size_t i = 0; i < data->n(); ++i) {
    const auto row = std::size_t(data->row_of[i * data->m()]);
    EXPECT_EQ(data->patterns[data->pattern_of[i]].block, std::uint32_t(kept.arm[row] / 2));
  }
}

}  // namespace
}  // namespace equipoise::stats
