#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equipoise/report/page.h"
#include "equipoise/report/page_checks.h"
#include "equipoise/report/visits_fixture.h"

namespace equipoise::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

results::Alternative alternative(std::string choice, std::string name, std::string arm, double estimate, double p, bool differs) {
  return {.analysis = "a01",
          .choice = std::move(choice),
          .name = std::move(name),
          .arm = std::move(arm),
          .estimate = estimate,
          .se = 13.3,
          .lower = estimate - 26,
          .upper = estimate + 26,
          .p = p,
          .rejected = p <= 0.05,
          .differs = differs};
}

struct Made {
  protocol::Protocol protocol;
  results::Results results;
  Made() {
    fixture::repeated_trial(protocol, results);
    for (const std::string arm : {"dose1", "dose2"}) {
      const double estimate = arm == "dose1" ? 26.5 : 48;
      const auto add = [&](std::string choice, std::string name, double p, bool differs) {
        results.alternatives.push_back(alternative(std::move(choice), std::move(name), arm, estimate, p, differs));
      };
      add("planned", "kenward_roger", arm == "dose1" ? 0.0512 : 0.0004, false);
    }
    results.alternatives.push_back(alternative("degrees_of_freedom", "residual", "dose1", 26.5, 0.0471, true));
    results.alternatives.push_back(alternative("degrees_of_freedom", "residual", "dose2", 48, 0.0003, false));
    results.alternatives.push_back(alternative("covariance", "cr2", "dose1", 26.5, 0.06, false));
    results.alternatives.push_back(alternative("missing_data", "a02", "dose2", 43.9, 0.001, false));
  }
  std::string page(std::string const& language = "en") const { return html(protocol, results, {.language = language}); }
};

TEST(Dependence, StandsBesideThePrimaryResult) {
  const std::string page = Made().page();
  expect_balanced(page);
  EXPECT_EQ(count(page, "Does the conclusion depend on a choice?"), 1u);
  EXPECT_EQ(count(page, "another conclusion"), 1u);
  EXPECT_THAT(page, HasSubstr("Yes: "));
  EXPECT_THAT(page, HasSubstr("P = 0.051"));
  EXPECT_THAT(page, HasSubstr("P = 0.047"));
  EXPECT_THAT(page, HasSubstr("Sandwich standard errors (CR2)"));
  EXPECT_THAT(page, HasSubstr("(a02)"));
  EXPECT_LT(page.find("Does the conclusion depend on a choice?"), page.find("Sandwich standard errors"));
}

TEST(Dependence, SaysThatTheConclusionStays) {
  Made made;
  for (results::Alternative& one : made.results.alternatives) one.differs = false;
  const std::string page = made.page();
  EXPECT_THAT(page, HasSubstr("No: with each of these choices the conclusion is the same."));
  EXPECT_THAT(page, Not(HasSubstr("another conclusion")));
}

TEST(Dependence, IsNotThereWithoutAlternatives) {
  Made made;
  made.results.alternatives.clear();
  EXPECT_THAT(made.page(), Not(HasSubstr("Does the conclusion depend")));
}

TEST(Dependence, SpeaksChinese) {
  const std::string page = Made().page("zh");
  expect_balanced(page);
  EXPECT_THAT(page, HasSubstr("结论是否取决于某项选择"));
  EXPECT_THAT(page, HasSubstr("三明治标准误（CR2）"));
  EXPECT_THAT(page, Not(HasSubstr("As planned")));
}

}  // namespace
}  // namespace equipoise::report
