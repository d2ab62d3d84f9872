#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "equipoise/analysis/ready_method.h"
#include "random_trials.h"
#include "run_recipe.h"

// Every method on 200 small random trials. What must hold whatever the data: no crash, a refusal is a sentence with one of the
// codes of bad data, a number is a number of its kind, "not estimable" comes with a reason, and neither the order of the rows,
// nor the names of strata, nor (for ranks and hazard ratios) the unit of time matters. That the numbers are right is the work of
// tests/independent, and of `./run evidence r`, which has R compute them on the same trials.
namespace equipoise::property {
namespace {

constexpr int trials = 200;

using Rows = std::vector<std::vector<std::string>>;

std::size_t place(std::string_view column) {
  auto const& names = RandomTrial::columns();
  return std::size_t(std::find(names.begin(), names.end(), column) - names.begin());
}

Said said(Recipe const& recipe, RandomTrial const& trial) {
  return TrialColumns(trial.csv()).run(reference_case(recipe, trial.number).analysis);
}

std::string where(Recipe const& recipe, RandomTrial const& trial) {
  return fmt::format("{} on trial {}, shape {}\n{}", recipe.name, trial.number, int(trial.shape), trial.csv());
}

/// What is wrong with a number, or nothing.
std::string wrong_with(Finding const& f) {
  const auto bad = [&](std::string_view what, double value) { return fmt::format("{}: {} = {}", f.quantity, what, value); };
  for (auto const& [name, field] : {std::pair("p", f.p), std::pair("se", f.se), std::pair("df", f.df)})
    if (field && !std::isnan(*field) && (!std::isfinite(*field) || *field < 0)) return bad(name, *field);
  if (f.p && *f.p > 1) return bad("p", *f.p);
  if ((f.quantity == "p" || f.quantity == "adjusted_p" || f.quantity == "survival" || f.quantity == "cumulative_incidence" ||
       f.quantity == "probability") &&
      !std::isnan(f.value) && !(f.value >= 0 && f.value <= 1))
    return bad("value", f.value);
  const bool ratio = f.quantity.ends_with("_ratio") || f.scale == Scale::log;
  if (std::isinf(f.value) && !ratio) return bad("value", f.value);
  const double slack = 1e-12 * std::max(1.0, std::abs(f.value));
  if (f.lower && !std::isnan(*f.lower) && !std::isnan(f.value) && *f.lower > f.value + slack) return bad("lower", *f.lower);
  if (f.upper && !std::isnan(*f.upper) && !std::isnan(f.value) && *f.upper < f.value - slack) return bad("upper", *f.upper);
  return {};
}

bool same(double a, double b, double tolerance) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
  return a == b || std::abs(a - b) <= tolerance * std::max({std::abs(a), std::abs(b), 0.1});
}

/// The first reading on which two answers of a recipe differ, or nothing. 1e-7: sums in another order move the last digits of a
/// double, an iteration from there stops elsewhere within its own criterion (1e-9 standard errors, which near 0 is no small part
/// of an estimate: hence the 0.1), and a square root near 0 doubles the digits lost.
std::string difference(Recipe const& recipe, Said const& a, Said const& b) {
  if (!a.answer || !b.answer) return bool(a.answer) == bool(b.answer) ? "" : "one is refused";
  analysis::ReferenceCase const one = reference_case(recipe, 0);
  for (std::size_t i = 0; i < one.expect.size(); ++i) {
    const auto x = a.answer->read(one.expect[i].quantity, one.expect[i].at),
               y = b.answer->read(one.expect[i].quantity, one.expect[i].at);
    if (bool(x) != bool(y)) return fmt::format("{} {}: one has none", recipe.readings[i].quantity, recipe.readings[i].at);
    if (x && !same(*x, *y, 1e-7))
      return fmt::format("{} {}: {} and {}", recipe.readings[i].quantity, recipe.readings[i].at, *x, *y);
  }
  return {};
}

TEST(EveryMethod, HasARecipe) {
  for (stats::MethodCard const& card : analysis::method_cards())
    // The adjustments of P values take no data, and a replay is that of a protocol: tests/integration/rerandomisation_test.cpp.
    if (!card.roles.empty() && card.keyword != "rerandomisation") {
      EXPECT_TRUE(std::ranges::any_of(recipes(), [&](Recipe const& recipe) { return recipe.method == card.keyword; }))
          << card.keyword;
    }
  std::set<std::string_view> names;
  for (Recipe const& recipe : recipes()) EXPECT_TRUE(names.insert(recipe.name).second) << recipe.name;
}

TEST(EveryMethod, AnswersOrRefusesSmallRandomTrials) {
  const std::set<Code> of_data{Code::no_data,    Code::bad_cell,      Code::out_of_range,  Code::inconsistent,
                               Code::unresolved, Code::not_available, Code::not_estimable, Code::no_convergence};
  for (Recipe const& recipe : recipes()) {
    std::size_t answers = 0;
    for (int number = 0; number < trials; ++number) {
      const RandomTrial trial = random_trial(number);
      const Said got = said(recipe, trial);
      if (!got.carried) break;
      if (!got.answer) {
        ASSERT_FALSE(got.refusal.empty()) << where(recipe, trial);
        for (Error const& error : got.refusal) {
          EXPECT_TRUE(of_data.contains(error.code)) << to_string(error) << "\n" << where(recipe, trial);
          EXPECT_GT(error.message.size(), 20u) << where(recipe, trial);
        }
        continue;
      }
      ++answers;
      bool not_estimable = false;
      for (Finding const& finding : got.answer->findings) {
        EXPECT_EQ(wrong_with(finding), "") << where(recipe, trial);
        not_estimable = not_estimable || std::isnan(finding.value);
      }
      if (not_estimable) {
        EXPECT_FALSE(got.answer->notes.empty()) << "not estimable, and no note why: " << where(recipe, trial);
      }
    }
    if (analysis::method_card(recipe.method)) {
      EXPECT_GT(answers, std::size_t(trials / 3)) << recipe.name;
    }
  }
}

TEST(EveryMethod, IsDeafToTheOrderOfTheRows) {
  for (Recipe const& recipe : recipes())
    for (int number = 0; number < trials; ++number) {
      const RandomTrial trial = random_trial(number);
      RandomTrial turned = trial;
      std::reverse(turned.rows.begin(), turned.rows.end());
      std::rotate(turned.rows.begin(), turned.rows.begin() + turned.rows.size() / 3, turned.rows.end());
      const Said got = said(recipe, trial);
      if (!got.carried) break;
      EXPECT_EQ(difference(recipe, got, said(recipe, turned)), "") << where(recipe, trial);
    }
}

TEST(EveryMethod, IsDeafToTheNamesOfStrataAndClusters) {
  for (Recipe const& recipe : recipes()) {
    if (recipe.roles.find("strata") == std::string_view::npos && recipe.roles.find("cluster") == std::string_view::npos) continue;
    for (int number = 0; number < trials; ++number) {
      const RandomTrial trial = random_trial(number);
      RandomTrial renamed = trial;
      for (auto& row : renamed.rows) {
        std::string& stratum = row[place("stratum")];
        if (!stratum.empty()) stratum = std::string(1, char('z' - (stratum[0] - 'p')));  // the order turns round
        std::string& cluster = row[place("cluster")];
        if (!cluster.empty()) cluster = fmt::format("{}", 99 - std::stoi(cluster.substr(1)));
      }
      const Said got = said(recipe, trial);
      if (!got.carried) break;
      EXPECT_EQ(difference(recipe, got, said(recipe, renamed)), "") << where(recipe, trial);
    }
  }
}

TEST(EveryMethod, OfRanksIsDeafToTheUnitOfTime) {
  for (Recipe const& recipe : recipes()) {
    if (!recipe.free_of_time_unit) continue;
    for (int number = 0; number < trials; ++number) {
      const RandomTrial trial = random_trial(number);
      RandomTrial doubled = trial;
      for (auto& row : doubled.rows)
        for (const std::string_view column : {"time", "start", "left", "right"}) {
          std::string& cell = row[place(column)];
          if (!cell.empty()) cell = fmt::format("{}", 2 * std::stod(cell));
        }
      const Said got = said(recipe, trial);
      if (!got.carried) break;
      EXPECT_EQ(difference(recipe, got, said(recipe, doubled)), "") << where(recipe, trial);
    }
  }
}

}  // namespace
}  // namespace equipoise::property
