#include "equipoise/stats/repeated/mmrm_inference.h"

#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/stats/repeated/visit_testing.h"

namespace equipoise::stats {
namespace {

using testing::formula, testing::long_rows, testing::visit_roles;

// Each coefficient and a mixture of all, from a fit that ended without the covariance of its parameters and from one that has it.
// 1e-7: the two optima are 1e-10 standard errors apart at most, conjugate gradients end at 1e-13 of their sum.
TEST(MmrmInference, AnswersOneFunctionAsItAnswersAll) {
  struct Trial {
    testing::Shape shape;
    std::string model;
    bool split;
  };
  for (Trial const& trial :
       {Trial{{.seed = 5, .people = 60, .visits = 5, .arms = 3, .dropout = 0.1}, "base + arm * visit", false},
        Trial{{.seed = 6, .people = 24, .visits = 3, .dropout = 0.2, .gaps = 0.2}, "arm * visit", false},
        Trial{{.seed = 7, .people = 90, .visits = 3}, "base + arm + visit", true},
        Trial{{.seed = 8, .people = 20, .visits = 1}, "base + arm", false}})
    for (const Estimation estimation : {Estimation::reml, Estimation::ml}) {
      VisitRoles roles = visit_roles;
      if (trial.split) roles.covariance_by = "arm";
      const auto data = fold_visits(long_rows(trial.shape).table().frame(), formula(trial.model), roles);
      ASSERT_TRUE(data);
      VisitLikelihood likelihood(*data, estimation == Estimation::reml);
      const auto fitted = [&](Finish finish) {
        FitAttempt attempt;
        auto fit =
            fit_structure(*data, likelihood, Covariance({Unstructured{}}, data->m()), estimation, attempt, nullptr, finish);
        EXPECT_TRUE(fit) << attempt.reason;
        return *fit;
      };
      const MmrmFit whole = fitted(Finish::curvature);
      const MmrmInference all(*data, fixed_effects(*data, whole, likelihood, DfMethod::satterthwaite), DfMethod::satterthwaite);
      const MmrmFit brief = fitted(Finish::estimates);
      for (std::size_t c = 0; c <= data->design.names.size(); ++c) {
        std::vector<double> l(data->design.names.size(), 0.0);
        if (c < l.size()) l[c] = 1;
        else
          for (std::size_t d = 0; d < l.size(); ++d) l[d] = std::cos(double(3 * d));
        const Inferred expected = all.function(l), got = satterthwaite(*data, brief, likelihood, estimation, l);
        EXPECT_EQ(got.estimable, expected.estimable);
        if (!expected.estimable) continue;
        EXPECT_NEAR(got.value, expected.value, 1e-7 * expected.se);
        EXPECT_NEAR(got.se, expected.se, 1e-7 * expected.se);
        EXPECT_NEAR(got.df, expected.df, 1e-7 * expected.df) << trial.model << " " << c;
        EXPECT_NEAR(got.t, expected.t, 1e-7 * (1 + std::abs(expected.t)));
      }
    }
}

TEST(MmrmInference, RefusesAFunctionThatTheDataDoNotTell) {
  testing::LongRows rows = long_rows({.people = 40, .visits = 3});
  rows = rows.where([&](std::size_t i) { return rows.visit[i] != 2 || rows.arm[i] == 0; });  // the last visit in one arm only
  const auto data = fold_visits(rows.table().frame(), formula("arm * visit"), visit_roles);
  ASSERT_TRUE(data);
  VisitLikelihood likelihood(*data, true);
  FitAttempt attempt;
  const auto fit = fit_structure(*data, likelihood, Covariance({Unstructured{}}, data->m()), Estimation::reml, attempt, nullptr,
                                 Finish::estimates);
  ASSERT_TRUE(fit) << attempt.reason;
  std::vector<double> l(data->design.names.size(), 0.0);
  for (std::size_t c = 0; c < l.size(); ++c)
    l[c] = data->design.names[c] == Term{{"arm", "A2"}} || data->design.names[c] == Term{{"arm", "A2"}, {"visit", "V3"}};
  const Inferred got = satterthwaite(*data, *fit, likelihood, Estimation::reml, l);
  EXPECT_FALSE(got.estimable);
  EXPECT_TRUE(std::isnan(got.value));
}

}  // namespace
}  // namespace equipoise::stats
