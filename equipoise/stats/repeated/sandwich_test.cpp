#include "equipoise/stats/repeated/sandwich.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>

#include "equipoise/stats/repeated/linear_mixed.h"
#include "equipoise/stats/repeated/mmrm.h"
#include "equipoise/stats/repeated/visit_testing.h"

namespace equipoise::stats {
namespace {

using testing::answer, testing::has_note, testing::Keys, testing::long_rows, testing::LongRows, testing::parse, testing::read,
    testing::Table, testing::term, testing::text, testing::texts;

const Roles roles{{"response", {"y"}}, {"subject", {"subject"}}, {"visit", {"visit"}}};

Keys keys(std::string formula, LongRows const& rows, std::string covariance, std::string structure = "unstructured",
          std::string df = "satterthwaite") {
  return {{"formula", text(std::move(formula))},
          {"levels", testing::table(
                         {{"arm", texts(LongRows::names('A', rows.arms))}, {"visit", texts(LongRows::names('V', rows.visits))}})},
          {"covariance", text(std::move(structure))},
          {"covariance_of_estimates", text(std::move(covariance))},
          {"df", text(std::move(df))}};
}

At difference_at(std::string visit) {
  return {{"difference", LevelDifference{"arm", "A2", "A1"}}, {"within", Term{{"visit", std::move(visit)}}}};
}

// Distance (mm) from the pituitary to the pterygomaxillary fissure of 16 boys and 11 girls at ages 8, 10, 12 and 14: Potthoff &
// Roy (1964), Biometrika 51, 313-326, without nine of the values at 10.
Table growth() {
  const std::vector<double> distance{
      26,   25,   29,   31, 21.5, 22.5, 23,   26.5, 23,   22.5, 24,   27.5, 25.5, 27.5, 26.5, 27,   20,   22.5, 26, 24.5,
      27,   28.5, 22,   22, 24.5, 26.5, 24,   21.5, 24.5, 25.5, 23,   31,   26,   27.5, 28,   31,   31.5, 23,   23, 23.5,
      25,   21.5, 23.5, 24, 28,   17,   26,   29.5, 22.5, 25.5, 25.5, 26,   23,   24.5, 26,   30,   22,   23.5, 25, 21,
      20,   21.5, 23,   21, 21.5, 24,   25.5, 20.5, 24.5, 26,   23.5, 24.5, 25,   26.5, 21.5, 23,   22.5, 23.5, 20, 21,
      22.5, 21.5, 22.5, 23, 25,   23,   23,   23.5, 24,   20,   22,   21.5, 16.5, 19,   19.5, 24.5, 25,   28,   28};
  const std::vector<int> first_gap{4, 5, 8, 12, 15, 18, 21, 24, 25};  // children without a value at 10
  std::vector<std::int32_t> child, age, sex;
  for (int i = 0; i < 27; ++i)
    for (int j = 0; j < 4; ++j) {
      if (j == 1 && std::find(first_gap.begin(), first_gap.end(), i) != first_gap.end()) continue;
      child.push_back(i), age.push_back(j), sex.push_back(i >= 16);
    }
  std::vector<std::string> names;
  for (int i = 0; i < 27; ++i) names.push_back(std::to_string(i + 1));
  Table table;
  table.numbers("y", distance).category("subject", names, child).category("visit", {"8", "10", "12", "14"}, age);
  table.category("sex", {"male", "female"}, sex);
  return table;
}

// Expected: dense matrices in R 4.2.2 at the restricted maximum, climbed there to 1e-13 standard errors; clubSandwich 0.5.8 gives
// the same for CR0 and CR3 from nlme's gls (to 1e-15, and to 1e-5 at age 10, where gls stops earlier), and for CR2 numbers that
// differ by up to 7e-4, since it takes another root (see docs/methods/mmrm.md).
TEST(Sandwich, ReproducesRForAnUnstructuredCovariance) {
  struct Expected {
    std::string kind;
    double female_se, female_df, ten_se, ten_df, both_se, both_df;
  };
  Table table = growth();
  const double digits = 1e-9;  // relative: the optimum is known to 1e-9 standard errors and better
  const auto close = [&](double got, double wanted) { EXPECT_NEAR(got, wanted, digits * wanted); };
  for (Expected const& wanted : {Expected{"cr0", 0.851802125582951, 21.8756250178577, 0.584300561500271, 13.4627354124827,
                                          0.690785036987418, 18.8886267216408},
                                 Expected{"cr2", 0.886776321954451, 21.6534653465347, 0.607681347417060, 13.4181660360963,
                                          0.724094985097320, 18.4542855229540},
                                 Expected{"cr3", 0.923295590520581, 21.4285714285714, 0.632067826226234, 13.3731469109899,
                                          0.759425825414991, 18.0127611864061}}) {
    const Keys asked{{"formula", text("sex * visit")},
                     {"levels", testing::table({{"sex", texts({"male", "female"})}, {"visit", texts({"8", "10", "12", "14"})}})},
                     {"covariance", text("unstructured")},
                     {"covariance_of_estimates", text(wanted.kind)}};
    const auto got = answer<Mmrm>(table.frame(), roles, asked);
    const At both{{"term", Term{{"sex", "female"}, {"visit", "10"}}}};
    close(read(got, "se", term("sex", "female")), wanted.female_se);
    close(read(got, "df", term("sex", "female")), wanted.female_df);
    close(read(got, "se", term("visit", "10")), wanted.ten_se);
    close(read(got, "df", term("visit", "10")), wanted.ten_df);
    close(read(got, "se", both), wanted.both_se);
    close(read(got, "df", both), wanted.both_df);
    const auto gls = answer<Gls>(table.frame(), roles, asked);
    EXPECT_EQ(read(gls, "se", both), read(got, "se", both));
  }
}

/// The FEV data (200 patients, 537 values at four visits) of the R package mmrm; not shipped.
std::optional<Table> fev() {
  const char* shared = std::getenv("EQUIPOISE_SHARED");
  std::ifstream file(std::string(shared ? shared : "../shared") + "/data/fev/fev_data.csv");
  std::string line;
  if (!std::getline(file, line)) return {};
  std::vector<double> y, weight;
  std::vector<std::int32_t> subject, visit, arm;
  std::vector<std::string> names;
  while (std::getline(file, line)) {  // USUBJID, AVISIT, ARMCD, RACE, SEX, FEV1_BL, FEV1, WEIGHT, ...
    std::erase(line, '"');
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    if (cells[6].empty()) continue;
    if (names.empty() || names.back() != cells[0]) names.push_back(cells[0]);
    y.push_back(std::stod(cells[6])), weight.push_back(std::stod(cells[7]));
    subject.push_back(std::int32_t(names.size()) - 1), visit.push_back(cells[1].back() - '1'), arm.push_back(cells[2] == "TRT");
  }
  Table table;
  table.numbers("y", y).numbers("w", weight).category("subject", names, subject);
  table.category("visit", {"VIS1", "VIS2", "VIS3", "VIS4"}, visit).category("arm", {"PBO", "TRT"}, arm);
  return table;
}

// Expected: SAS PROC MIXED EMPIRICAL DDFM=BW, ODS tables kept in the sources of the R package mmrm (design/Robust).
TEST(Sandwich, ReproducesSas) {
  struct Expected {
    std::string structure;
    bool weighted;
    double estimate, se;
  };
  auto table = fev();
  if (!table) GTEST_SKIP() << "no fev/fev_data.csv in data of the folder that EQUIPOISE_SHARED names";
  for (Expected const& wanted : {Expected{"unstructured", false, 3.81972492174648, 0.63959860090712},
                                 Expected{"heterogeneous_ante_dependence", false, 3.72344028834729, 0.64461343431037},
                                 Expected{"heterogeneous_toeplitz", false, 3.92287746213894, 0.68088497850656},
                                 Expected{"unstructured", true, 3.49283663375976, 0.73089269734199}}) {
    Roles with = roles;
    if (wanted.weighted) with["weight"] = {"w"};
    const auto got = answer<Mmrm>(table->frame(), with,
                                  {{"formula", text("arm")},
                                   {"levels", testing::table({{"arm", texts({"PBO", "TRT"})}})},
                                   {"covariance", text(wanted.structure)},
                                   {"covariance_of_estimates", text("cr0")},
                                   {"df", text("between_within")}});
    // Relative. SAS stops where g'H^-1 g is 1e-8 of -2 log likelihood, here 3.7e-5, so that its parameters are within
    // 0.006 standard errors of the maximum, and these within 6e-4, as their standard errors are a tenth of them; most of that
    // cancels in B meat B.
    const double sas = 1e-4;
    EXPECT_NEAR(read(got, "estimate", term("arm", "TRT")), wanted.estimate, sas * wanted.estimate) << wanted.structure;
    EXPECT_NEAR(read(got, "se", term("arm", "TRT")), wanted.se, sas * wanted.se) << wanted.structure;
  }
}

// Complete data and a mean for each arm and visit: a residual is that of its arm's mean, so every sandwich is one of two means.
// CR2 is Welch's standard error, for any structure of the covariance. 1e-12: rounding of the sums.
TEST(Sandwich, OfCompleteDataIsThatOfTwoMeans) {
  const LongRows rows = long_rows({.seed = 9, .people = 21, .visits = 3, .arms = 2, .dropout = 0, .gaps = 0});
  Table table = rows.table();
  double n[2]{}, mean[2]{}, squares[2]{};
  for (const int pass : {0, 1})
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows.visit[i] != 2) continue;
      const auto a = std::size_t(rows.arm[i]);
      if (pass == 0) n[a] += 1, mean[a] += rows.y[i];
      else squares[a] += (rows.y[i] - mean[a] / n[a]) * (rows.y[i] - mean[a] / n[a]);
    }
  for (const std::string structure : {"unstructured", "ar1", "heterogeneous_compound_symmetry"}) {
    const auto error = [&](std::string kind) {
      return read(answer<Mmrm>(table.frame(), roles, keys("arm * visit", rows, std::move(kind), structure)), "se",
                  difference_at("V3"));
    };
    EXPECT_NEAR(error("cr0"), std::sqrt(squares[0] / (n[0] * n[0]) + squares[1] / (n[1] * n[1])), 1e-12);
    EXPECT_NEAR(error("cr2"), std::sqrt(squares[0] / (n[0] * (n[0] - 1)) + squares[1] / (n[1] * (n[1] - 1))), 1e-12);
    const auto jackknife = [&](int a) { return squares[a] / ((n[a] - 1) * (n[a] - 1)); };
    EXPECT_NEAR(error("cr3"), std::sqrt(jackknife(0) + jackknife(1)), 1e-12);
    // Bell and McCaffrey: with equal variances of the arms the sandwich is a sum of two scaled chi-squares.
    const double a = 1 / n[0], b = 1 / n[1];
    EXPECT_NEAR(read(answer<Mmrm>(table.frame(), roles, keys("arm * visit", rows, "cr2", structure)), "df", difference_at("V3")),
                (a + b) * (a + b) / (a * a / (n[0] - 1) + b * b / (n[1] - 1)), 1e-9);
  }
}

// The principal root does not know an order of visits, whatever factor of the covariance it is computed with.
TEST(Sandwich, DoesNotDependOnTheOrderOfVisits) {
  const LongRows rows = long_rows({.seed = 12, .people = 24, .visits = 4, .arms = 2, .dropout = 0.1, .gaps = 0.1});
  Table table = rows.table();
  for (const std::string kind : {"cr0", "cr2", "cr3"}) {
    Keys turned = keys("base + arm * visit", rows, kind);
    const auto straight = answer<Mmrm>(table.frame(), roles, turned);
    LongRows back = rows;
    for (std::int32_t& visit : back.visit) visit = 3 - visit;
    Table reversed = back.table();
    const auto got = answer<Mmrm>(reversed.frame(), roles, keys("base + arm * visit", back, kind));
    // both stop within 1e-9 standard errors of one optimum
    EXPECT_NEAR(read(straight, "se", difference_at("V4")), read(got, "se", difference_at("V1")), 1e-8);
    EXPECT_NEAR(read(straight, "df", difference_at("V4")), read(got, "df", difference_at("V1")), 1e-6);
  }
}

TEST(Sandwich, HasNoErrorForWhatOneParticipantAloneDetermines) {
  LongRows rows = long_rows({.seed = 3, .people = 20, .visits = 3, .arms = 2, .dropout = 0, .gaps = 0});
  rows = rows.where([&](std::size_t i) { return rows.arm[i] == 0 || rows.subject[i] == 1; });
  Table table = rows.table();
  for (const std::string kind : {"cr0", "cr2", "cr3"}) {
    const auto got = answer<Mmrm>(table.frame(), roles, keys("arm * visit", rows, kind));
    EXPECT_TRUE(std::isnan(read(got, "se", difference_at("V2"))));
    EXPECT_TRUE(std::isnan(read(got, "df", difference_at("V2"))));
    EXPECT_TRUE(std::isnan(read(got, "p", difference_at("V2"))));
    EXPECT_TRUE(std::isfinite(read(got, "estimate", difference_at("V2"))));
    EXPECT_GT(read(got, "se", {{"lsmean", Term{{"arm", "A1"}, {"visit", "V2"}}}}), 0.01);
    EXPECT_TRUE(std::isnan(read(got, "f", {{"effect", Term{{"arm", {}}}}})));
    EXPECT_TRUE(has_note(got, "one participant alone determines a part"));
  }
}

TEST(Sandwich, HasNoJointTestOfMoreFunctionsThanParticipants) {
  // residuals of six people around the means of two arms have rank 4, and the interaction is five functions
  const LongRows rows = long_rows({.seed = 5, .people = 6, .visits = 6, .arms = 2, .dropout = 0, .gaps = 0});
  Table table = rows.table();
  const auto got = answer<Mmrm>(table.frame(), roles, keys("arm * visit", rows, "cr2", "ar1"));
  EXPECT_TRUE(std::isnan(read(got, "f", {{"effect", Term{{"visit", {}}, {"arm", {}}}}})));
  EXPECT_GT(read(got, "se", difference_at("V2")), 0.01);
}

TEST(Sandwich, GoesWithOtherDegreesOfFreedom) {
  const LongRows rows = long_rows({.seed = 8, .people = 24, .visits = 3, .arms = 2, .dropout = 0.1, .gaps = 0});
  Table table = rows.table();
  const auto model = answer<Mmrm>(table.frame(), roles, keys("arm * visit", rows, "model", "ar1", "between_within"));
  const auto got = answer<Mmrm>(table.frame(), roles, keys("arm * visit", rows, "cr3", "ar1", "between_within"));
  EXPECT_EQ(read(got, "df", difference_at("V2")), read(model, "df", difference_at("V2")));
  EXPECT_NE(read(got, "se", difference_at("V2")), read(model, "se", difference_at("V2")));
  EXPECT_TRUE(has_note(got, "corrected as the jackknife (CR3"));
  const auto normal = answer<Mmrm>(table.frame(), roles, keys("arm * visit", rows, "cr0", "ar1", "asymptotic"));
  ASSERT_TRUE(normal);
  EXPECT_FALSE(normal->read("df", difference_at("V2")));  // the normal distribution has none
  const double z = read(normal, "estimate", difference_at("V2")) / read(normal, "se", difference_at("V2"));
  EXPECT_NEAR(read(normal, "p", difference_at("V2")), std::erfc(std::fabs(z) / std::sqrt(2.0)), 1e-12);
}

TEST(Sandwich, TakesNoPartInKenwardAndRoger) {
  const LongRows rows = long_rows({});
  for (const std::string df : {"kenward_roger", "kenward_roger_linear"}) {
    const auto parsed = parse<Mmrm>(roles, keys("arm * visit", rows, "cr2", "ar1", df));
    ASSERT_EQ(parsed.problems.size(), 1u);
    EXPECT_EQ(parsed.problems.front().code, Code::inconsistent);
    EXPECT_NE(parsed.problems.front().message.find("a sandwich does not use these"), std::string::npos);
    const auto mixed = parse<LinearMixed>(
        {{"response", {"y"}}, {"subject", {"subject"}}},
        {{"formula", text("base")}, {"random", texts({"1"})}, {"covariance_of_estimates", text("cr0")}, {"df", text(df)}});
    EXPECT_EQ(mixed.problems.size(), 1u);
  }
  const auto unknown = parse<Mmrm>(roles, keys("arm * visit", rows, "hc3", "ar1"));
  ASSERT_EQ(unknown.problems.size(), 1u);
  EXPECT_EQ(unknown.problems.front().code, Code::unknown_keyword);
}

}  // namespace
}  // namespace equipoise::stats
