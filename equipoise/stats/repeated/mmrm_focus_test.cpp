#include "equipoise/stats/repeated/mmrm_focus.h"

#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/stats/repeated/visit_testing.h"

namespace equipoise::stats {
namespace {

using testing::formula, testing::long_rows, testing::visit_roles;

struct Trial {
  testing::Shape shape;
  std::string model;
  bool split = false, grouped = true;
};

// Each coefficient and a mixture of all, one by one and from a fit that has the covariance of all parameters. 1e-7: the two
// optima are 1e-8 standard errors apart at most, and degrees of freedom move by as much.
TEST(MmrmFocus, SaysOfOneFunctionWhatTheWholeAnswerSays) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed)
    for (Trial const& trial :
         {Trial{{.seed = seed, .people = 72, .visits = 5, .arms = 3, .dropout = 0.05}, "base + arm * visit + site"},
          Trial{{.seed = seed, .people = 40, .visits = 3, .dropout = 0.15, .gaps = 0.1}, "arm * visit"},
          Trial{{.seed = seed, .people = 60, .visits = 4, .arms = 2}, "base * visit + arm * visit", false, true},
          Trial{{.seed = seed, .people = 70, .visits = 3, .arms = 2}, "site * visit + arm * visit", false, false},
          Trial{{.seed = seed, .people = 90, .visits = 3}, "base + arm + visit", true, true},
          Trial{{.seed = seed, .people = 90, .visits = 3}, "base + z + arm * visit", true, true}})
      for (const DfMethod df : {DfMethod::satterthwaite, DfMethod::kenward_roger, DfMethod::kenward_roger_linear}) {
        VisitRoles roles = visit_roles;
        if (trial.split) roles.covariance_by = "arm";
        testing::Table table = long_rows(trial.shape).table();
        const auto data = fold_visits(table.frame(), formula(trial.model), roles);
        ASSERT_TRUE(data);
        VisitLikelihood likelihood(*data, true);
        const auto fitted = [&](Finish finish) {
          FitAttempt attempt;
          auto fit = fit_structure(*data, likelihood, Covariance({Unstructured{}}, data->m()), Estimation::reml, attempt, nullptr,
                                   finish);
          EXPECT_TRUE(fit) << attempt.reason;
          return *fit;
        };
        const MmrmFit whole = fitted(Finish::curvature);
        const MmrmInference all(*data, fixed_effects(*data, whole, likelihood, df), df);
        const MmrmFit brief = fitted(MmrmFocus::finish(df));
        const MmrmFocus focus(*data, brief, likelihood, Estimation::reml, df);
        EXPECT_EQ(likelihood.grouped(), trial.grouped) << trial.model;
        for (std::size_t c = 0; c <= data->design.names.size(); ++c) {
          std::vector<double> l(data->design.names.size(), 0.0);
          if (c < l.size()) l[c] = 1;
          else
            for (std::size_t d = 0; d < l.size(); ++d) l[d] = std::cos(double(3 * d));
          const Inferred expected = all.function(l), got = focus.function(l);
          EXPECT_EQ(got.estimable, expected.estimable);
          if (!expected.estimable) continue;
          EXPECT_NEAR(got.value, expected.value, 1e-7 * expected.se);
          EXPECT_NEAR(got.se, expected.se, 1e-7 * expected.se) << trial.model << " " << c;
          EXPECT_NEAR(got.df, expected.df, 1e-7 * expected.df) << trial.model << " " << c;
          EXPECT_NEAR(got.t, expected.t, 1e-7 * (1 + std::abs(expected.t)));
        }
      }
}

// The exact Hessian of a likelihood whose participants fall into groups is the derivative of its gradient, as without groups:
// central differences of step h, whose error is h^2 times a third derivative and 1e-15/h of rounding.
TEST(MmrmFocus, GroupsTakeTheirPartInTheExactHessian) {
  for (std::string const model : {"base + arm * visit + site", "arm * visit", "base * visit + arm * visit"}) {
    testing::Table table = long_rows({.seed = 9, .people = 60, .visits = 4, .arms = 3, .dropout = 0.1}).table();
    const auto data = fold_visits(table.frame(), formula(model), visit_roles);
    ASSERT_TRUE(data);
    VisitLikelihood likelihood(*data, true);
    ASSERT_TRUE(likelihood.grouped());
    std::vector<double> sigma(likelihood.elements());
    for (std::size_t j = 0; j < data->m(); ++j)
      for (std::size_t k = 0; k <= j; ++k) sigma[packed(j, k)] = j == k ? 1.0 + 0.1 * double(j) : 0.5;
    const std::size_t size = sigma.size();
    std::vector<double> hessian(size * size);
    ASSERT_TRUE(likelihood.evaluate(sigma));
    likelihood.gradient();
    likelihood.hessian(VisitLikelihood::Curvature::exact, hessian);
    constexpr double h = 1e-5;
    for (std::size_t s = 0; s < size; ++s) {
      std::vector<double> change(size);
      for (const double side : {1.0, -1.0}) {
        std::vector<double> moved = sigma;
        moved[s] += side * h;
        ASSERT_TRUE(likelihood.evaluate(moved));
        const auto gradient = likelihood.gradient();
        for (std::size_t t = 0; t < size; ++t) change[t] += side * gradient[t] / (2 * h);
      }
      for (std::size_t t = 0; t < size; ++t) EXPECT_NEAR(hessian[s * size + t], change[t], 2e-6 * (1 + std::abs(change[t])));
    }
  }
}

}  // namespace
}  // namespace equipoise::stats
