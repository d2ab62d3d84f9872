#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/report/figures.h"
#include "equipoise/report/page_checks.h"
#include "equipoise/report/visits_fixture.h"

namespace equipoise::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Made {
  protocol::Protocol protocol;
  results::Results results;
  Made() {
    fixture::repeated_trial(protocol, results);
    results.curves.clear(), results.records.clear();
  }
  void residuals(std::vector<double> fitted, std::vector<double> scaled) {
    results.curves = {{"a01", {"residuals", {}, {{"fitted", std::move(fitted)}, {"scaled_residual", std::move(scaled)}}}}};
  }
  void covariance(std::string const& row, std::string const& column, double value, std::string const& group = {}) {
    At at{{"row", row}, {"column", column}};
    if (!group.empty()) at["group"] = group;
    results.records.push_back(fixture::record("a01", "mmrm", {.quantity = "covariance", .at = at, .value = value}));
  }
  Context context() const { return Context(protocol, results, "en"); }
  std::string residual_figure() const { return figures::residuals(context(), results.runs[0]).bytes(); }
  std::string covariance_figure(std::string const& group = {}) const {
    return figures::covariance(context(), results.runs[0], group).bytes();
  }
};

TEST(Residuals, StandAtNormalQuantiles) {
  Made made;
  made.residuals({1, 2, 3}, {1, 0, -4});
  const std::string figure = made.residual_figure();
  // Quantiles of 1/6, 1/2, 5/6: R 4.2.2, qnorm(5/6) = 0.967421566. x: +-1.06 times it over 536 to 926; y: +-4, with 4 % of 8
  // more at each end, over 338 to 38; points stand at half pixels.
  const double end = 1.06 * 0.967421566101701;
  const auto point = [&](double quantile, double residual) {
    const double x = 536 + 390 * (quantile + end) / (2 * end), y = 338 - 300 * (residual + 4.32) / 8.64;
    return std::string("M") + coordinate(std::round(2 * x) / 2) + " " + coordinate(std::round(2 * y) / 2) + "h0";
  };
  for (auto const& [quantile, residual] : {std::pair(-0.967421566101701, -4.0), {0.0, 0.0}, {0.967421566101701, 1.0}})
    EXPECT_THAT(figure, HasSubstr(point(quantile, residual)));
  EXPECT_THAT(figure, HasSubstr("3 values, 1 of them beyond 3 in size (normal: 0.0 expected)"));
}

TEST(Residuals, DrawOneDotWherePointsFallTogether) {
  Made made;
  made.residuals(std::vector<double>(500, 3.0), std::vector<double>(500, 0.5));  // all equal
  const std::string figure = made.residual_figure();
  EXPECT_LT(count(figure, "h0"), 600u);
  EXPECT_THAT(figure, Not(HasSubstr("nan")));
}

TEST(Residuals, NeedThreeNumbers) {
  Made made;
  made.residuals({1, 2, fixture::ne}, {1, 2, 3});
  EXPECT_EQ(made.residual_figure(), "");
  made.residuals({1, 2}, {1, 2, 3});
  EXPECT_EQ(made.residual_figure(), "");
}

TEST(Covariance, ShowsCorrelationsAndStandardDeviations) {
  Made made;
  made.covariance("w4", "w4", 4), made.covariance("w12", "w12", 9), made.covariance("w24", "w24", 16);
  made.covariance("w12", "w4", 3), made.covariance("w24", "w4", -2), made.covariance("w24", "w12", 6);
  const std::string figure = kept("covariance", made.covariance_figure());
  // 3/(2 3), -2/(2 4), 6/(3 4); standard deviations 2, 3, 4
  EXPECT_THAT(
      texts_of(figure),
      HasSubstr(
          "Week 4 | 2.00 | Week 12 | Week 12, Week 4: 0.50 | 0.50 | 3.00 | Week 24 | Week 24, Week 4: \u22120.25 | \u22120.25 | "
          "Week 24, Week 12: 0.50 | 0.50 | 4.00"));
  EXPECT_EQ(count(figure, "class=\"hatch\""), 1u);
  EXPECT_THAT(figure, HasSubstr("Correlations between visits from \u22120.25 to 0.50, standard deviations from 2.00 to 4.00."));
}

TEST(Covariance, IsDrawnForEachGroupThatHasItsOwn) {
  Made made;
  for (const char* group : {"dose1", "placebo"})
    made.covariance("w4", "w4", 4, group), made.covariance("w12", "w12", 9, group), made.covariance("w12", "w4", 3, group);
  EXPECT_EQ(figures::covariance_groups(made.context(), made.results.runs[0]), (std::vector<std::string>{"placebo", "dose1"}));
  EXPECT_EQ(made.covariance_figure(), "");
  EXPECT_NE(made.covariance_figure("dose1"), "");
}

TEST(Covariance, HoldsWhatIsNotThere) {
  Made made;
  made.covariance("w4", "w4", 4);
  EXPECT_EQ(made.covariance_figure(), "");  // one visit has no correlation
  made.covariance("w12", "w12", 0), made.covariance("w12", "w4", fixture::ne);
  const std::string figure = made.covariance_figure();
  EXPECT_THAT(figure, HasSubstr(">NE<"));
  EXPECT_THAT(figure, Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace equipoise::report
