#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equipoise/report/page_checks.h"
#include "equipoise/report/renderers.h"
#include "equipoise/report/tables.h"
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
    protocol.endpoints[0].visits = {"w24", "w48"};
    std::erase_if(results.records, [](results::Record const& record) {  // weeks 24 and 48, and the numbers of no visit
      const auto visit_of = [](Term const& term) {
        for (Factor const& factor : term)
          if (factor.column == "visit") return *factor.level;
        return std::string("w24");
      };
      for (const char* key : {"lsmean", "within"})
        if (const auto at = record.finding.at.find(key); at != record.finding.at.end())
          if (const std::string visit = visit_of(std::get<Term>(at->second)); visit != "w24" && visit != "w48") return true;
      return false;
    });
  }
  std::string table(std::string const& language = "en") const {
    return html_of(tables::analysis(Context(protocol, results, language), results.runs[0])).bytes();
  }
};

TEST(VisitsTable, ReadsLikeThis) {
  // LS means and their standard errors are those of the fixture, limits two standard errors away, differences their differences,
  // P that of the normal distribution: R 4.2.2, 2 * pnorm(-22.0 / sqrt(8.3^2 + 8.2^2)) = 0.0594, and so on.
  EXPECT_EQ(
      texts_of(Made().table()),
      "Primary analysis; Full analysis set, n = 72 | Estimand e1: Mean gain in CD4 at week 48 of each dose over placebo | "
      "Arm | n | LS mean (SE) | 95% interval | Difference from Placebo (SE) | 95% interval | df | P | "
      "Week 24 | "
      "Placebo | 21 | 14.9 |  (8.30) | \u22121.7 to 31.5 | "
      "Low dose | 23 | 36.9 |  (8.20) | 20.5 to 53.3 | 22.0 |  (11.67) | \u22121.3 to 45.3 | 62.5 | 0.059 | "
      "High dose | 21 | 52.3 |  (8.60) | 35.1 to 69.5 | 37.4 |  (11.95) | 13.5 to 61.3 | 62.5 | 0.0018 | "
      "Week 48 | visit of the endpoint | "
      "Placebo | 22 | 22.4 |  (9.30) | 3.8 to 41.0 | "
      "Low dose | 20 | 57.1 |  (9.20) | 38.7 to 75.5 | 34.7 |  (13.08) | 8.5 to 60.9 | 58.7 | 0.0080 | "
      "High dose | 21 | 71.0 |  (9.60) | 51.8 to 90.2 | 48.6 |  (13.37) | 21.9 to 75.3 | 58.7 | 0.0003 | "
      "Average over visits | "
      "Low dose | 26.0 |  (10.40) | 5.2 to 46.8 | 64.8 | 0.012 | "
      "High dose | 46.0 |  (10.40) | 25.2 to 66.8 | 64.8 | &lt; 0.0001 | "
      "Further quantities of the fit | Quantity | Value | \u22122 log likelihood | 5418.24 | Akaike criterion (AIC) | 5450.24 | "
      "Akaike criterion for small samples (AICc) | 5451.20 | Bayes criterion (BIC) | 5486.66 | Observations | 566 | Participants "
      "| 71 | "
      "Coefficients of the model (3) | Quantity | Value | SE | df | P | "
      "Coefficient | Low dose against Placebo | 4.2 | 9.70 | 66.3 | 0.665 | "
      "Coefficient | High dose against Placebo | 8.4 | 9.70 | 66.3 | 0.387 | Coefficient | Intercept | 53 | 18.2 | 68.1 | 0.0051 "
      "| "
      "n: participants of the arm with a value at the visit. A participant without one still counts in the model through the "
      "other visits. | Intervals and P values of differences are not adjusted for the number of visits and arms. | "
      "Covariance: heterogeneous_toeplitz, 17 parameters; unstructured was tried first and did not converge. | "
      "Estimation: REML; gradient 3.1e-10 after 9 iterations. | Degrees of freedom: Kenward and Roger (1997). | "
      "LS means: covariates at their means, equal weights over sites.");
}

TEST(VisitsTable, MarksTheVisitOfTheEndpointAndNoOther) {
  Made made;
  EXPECT_EQ(count(made.table(), "<tbody class=\"here\">"), 1u);
  made.protocol.endpoints[0].at.clear();
  EXPECT_EQ(count(made.table(), "<tbody class=\"here\">"), 0u);
  EXPECT_THAT(made.table(), Not(HasSubstr("visit of the endpoint")));
}

TEST(VisitsTable, ShowsAdjustedPValuesBeside) {
  Made made;
  const results::Record* difference = nullptr;
  for (auto const& record : made.results.records)
    if (record.finding.at.contains("within") && record.analysis == "a01") difference = &record;
  ASSERT_TRUE(difference);
  results::Record adjusted = *difference;
  adjusted.finding = {.quantity = "adjusted_p", .at = difference->finding.at, .value = 0.0123};
  made.results.records.push_back(adjusted);
  const std::string text = texts_of(made.table());
  EXPECT_THAT(text, HasSubstr("| P | Adjusted P |"));
  EXPECT_THAT(text, HasSubstr("| 0.0003 | 0.012 |"));
  EXPECT_THAT(text, Not(HasSubstr("are not adjusted")));
}

TEST(VisitsTable, SaysWhatIsNotEstimable) {
  Made made;
  for (auto& record : made.results.records)
    if (record.finding.at.contains("lsmean"))
      record.finding.value = fixture::ne, record.finding.se = record.finding.lower = record.finding.upper = fixture::ne;
  const std::string text = texts_of(made.table());
  EXPECT_THAT(text, HasSubstr("Placebo | 21 | NE |  (NE) | NE to NE"));
  EXPECT_THAT(text, HasSubstr("NE: not estimable from these data."));
}

TEST(VisitsTable, SpeaksChinese) {
  const std::string text = texts_of(Made().table("zh"));
  EXPECT_THAT(text, HasSubstr("最小二乘均值（标准误） | 95% 区间 | 与安慰剂之差（标准误）"));
  EXPECT_THAT(text, HasSubstr("第48周 | 终点评价访视 | 安慰剂 | 22 | 22.4 |  (9.30) | 3.8 至 41.0"));
}

}  // namespace
}  // namespace equipoise::report
