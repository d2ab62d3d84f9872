#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>

#include "equipoise/stats/repeated/mmrm.h"
#include "equipoise/stats/repeated/visit_testing.h"

// Data that break mixed models, through every structure. What must hold: an answer at the optimum that is numbers of their kind,
// or "not estimable" with a note, or a refusal that says why. That the numbers of ordinary data are right is the work of other
// tests.
namespace equipoise::stats {
namespace {

using testing::Chance, testing::Keys, testing::long_rows, testing::LongRows, testing::Shape, testing::Table, testing::text,
    testing::texts;

struct Hard {
  std::string name;
  std::function<LongRows()> rows;
  std::string formula = "base + arm * visit";
  bool weighted = false;
  std::string covariance_by{};
  /// Structures by their keyword that must have an answer with REML; "*" = all but the unstructured.
  std::set<std::string> answers{};
};

LongRows with(Shape const& shape, std::function<void(LongRows&, std::size_t)> const& change) {
  LongRows rows = long_rows(shape);
  for (std::size_t i = 0; i < rows.size(); ++i) change(rows, i);
  return rows;
}

std::vector<Hard> const& hard_data() {
  static const std::vector<Hard> all{
      {"complete",
       [] { return long_rows({.people = 40, .dropout = 0, .gaps = 0}); },
       "base + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"half_drop_out",
       [] { return long_rows({.people = 120, .dropout = 0.2}); },
       "base + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"four_in_five_drop_out",
       [] { return long_rows({.people = 200, .dropout = 0.42}); },
       "base + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"many_visits_few_people",
       [] { return long_rows({.people = 30, .visits = 12, .dropout = 0.02}); },
       "base + arm * visit",
       false,
       "",
       {"*"}},
      {"many_coefficients",
       [] { return long_rows({.people = 30, .visits = 8, .arms = 3, .dropout = 0.02}); },
       "base * visit + z * visit + arm * visit",
       false,
       "",
       {"*"}},
      {"tiny_response",
       [] { return with({}, [](LongRows& r, std::size_t i) { r.y[i] *= 1e-6; }); },
       "base + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"minute_response",
       [] { return with({}, [](LongRows& r, std::size_t i) { r.y[i] *= 1e-150; }); },
       "base + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"huge_response",
       [] { return with({}, [](LongRows& r, std::size_t i) { r.y[i] = r.y[i] * 1e9; }); },
       "base + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"vast_response",
       [] { return with({}, [](LongRows& r, std::size_t i) { r.y[i] *= 1e150; }); },
       "base + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"far_response",
       [] { return with({}, [](LongRows& r, std::size_t i) { r.y[i] += 1e9; }); },
       "base + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"years",
       [] { return with({}, [](LongRows& r, std::size_t i) { r.base[i] = 2020 + std::round(r.base[i]); }); },
       "base * visit + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"far_covariate",
       [] { return with({}, [](LongRows& r, std::size_t i) { r.base[i] = 1e9 + 1e-3 * r.base[i]; }); },
       "base * visit + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"tiny_covariate",
       [] { return with({}, [](LongRows& r, std::size_t i) { r.base[i] *= 1e-200; }); },
       "base * visit + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"constant_covariate",
       [] { return with({}, [](LongRows& r, std::size_t i) { r.base[i] = 0.1; }); },
       "base * visit + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"visit_of_one_arm",
       [] {
         LongRows r = long_rows({});
         return r.where([&](std::size_t i) { return r.visit[i] != 2 || r.arm[i] == 0; });
       },
       "base + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"visit_of_one_person",
       [] {
         LongRows r = long_rows({});
         return r.where([&](std::size_t i) { return r.visit[i] != 3 || r.subject[i] == 5; });
       },
       "base + arm * visit"},
      {"visit_of_one_person_additive",
       [] {
         LongRows r = long_rows({});
         return r.where([&](std::size_t i) { return r.visit[i] != 3 || r.subject[i] == 5; });
       },
       "base + arm + visit"},
      {"site_is_arm",
       [] { return with({}, [](LongRows& r, std::size_t i) { r.site[i] = r.arm[i]; }); },
       "site + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"one_arm",
       [] {
         LongRows r = long_rows({});
         return r.where([&](std::size_t i) { return r.arm[i] == 1; });
       },
       "base + arm * visit",
       false,
       "",
       {"*"}},
      {"all_equal", [] { return with({}, [](LongRows& r, std::size_t i) { r.y[i] = 0.3; }); }},
      {"described_exactly", [] { return with({}, [](LongRows& r, std::size_t i) { r.y[i] = 5 + 2 * r.base[i] + r.visit[i]; }); }},
      {"first_visit_all_zero",
       [] {
         return with({}, [](LongRows& r, std::size_t i) {
           if (r.visit[i] == 0) r.y[i] = 0;
         });
       }},
      {"first_visit_nearly_constant",
       [] {
         return with({}, [](LongRows& r, std::size_t i) {
           if (r.visit[i] == 0) r.y[i] = 1 + 1e-7 * r.z[i];
         });
       }},
      {"visits_of_different_units",
       [] { return with({}, [](LongRows& r, std::size_t i) { r.y[i] *= std::pow(1000, r.visit[i]); }); },
       "arm * visit",
       false,
       "",
       {"unstructured", "heterogeneous_toeplitz", "heterogeneous_ar1"}},
      {"one_person",
       [] {
         LongRows r = long_rows({});
         return r.where([&](std::size_t i) { return r.subject[i] == 0; });
       }},
      {"two_people",
       [] {
         LongRows r = long_rows({});
         return r.where([&](std::size_t i) { return r.subject[i] < 2; });
       },
       "visit"},
      {"three_people",
       [] {
         LongRows r = long_rows({});
         return r.where([&](std::size_t i) { return r.subject[i] < 3; });
       },
       "arm + visit"},
      {"one_visit",
       [] {
         LongRows r = long_rows({});
         return r.where([&](std::size_t i) { return r.visit[i] == 0; });
       },
       "base + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"two_visits",
       [] {
         LongRows r = long_rows({});
         return r.where([&](std::size_t i) { return r.visit[i] < 2; });
       },
       "base + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"everybody_once",
       [] {
         LongRows r = long_rows({});
         return r.where([&](std::size_t i) {
           return r.visit[i] == 0 || i + 1 == r.size() || r.subject[i + 1] != r.subject[i]
                      ? (r.visit[i] == 0) == (r.subject[i] % 2 == 0)
                      : false;
         });
       },
       "arm + visit"},
      {"pairs_never_together",
       [] {
         LongRows r = long_rows({});
         return r.where([&](std::size_t i) { return r.subject[i] % 2 == 0 ? r.visit[i] < 2 : r.visit[i] >= 2; });
       },
       "arm * visit"},
      {"one_pair_never_together",
       [] {
         LongRows r = long_rows({});
         return r.where([&](std::size_t i) { return r.subject[i] % 2 == 0 ? r.visit[i] != 3 : r.visit[i] != 0; });
       },
       "arm * visit",
       false,
       "",
       {"ar1", "heterogeneous_ar1", "compound_symmetry", "heterogeneous_compound_symmetry", "ante_dependence",
        "heterogeneous_ante_dependence", "spatial_exponential", "heterogeneous_spatial_exponential"}},
      {"repeated_visit",
       [] {
         return with({.dropout = 0, .gaps = 0}, [](LongRows& r, std::size_t i) {
           if (r.visit[i] == 1) r.y[i] = r.y[i - 1];
         });
       }},
      {"nearly_repeated_visit",
       [] {
         return with({.dropout = 0, .gaps = 0}, [](LongRows& r, std::size_t i) {
           if (r.visit[i] == 1) r.y[i] = r.y[i - 1] + 1e-3 * r.z[i];
         });
       },
       "base + arm * visit",
       false,
       "",
       {"unstructured", "heterogeneous_ante_dependence"}},
      {"all_but_repeated_visit",
       [] {
         return with({.dropout = 0, .gaps = 0}, [](LongRows& r, std::size_t i) {
           if (r.visit[i] == 1) r.y[i] = r.y[i - 1] + 1e-5 * r.z[i];
         });
       }},
      {"same_at_every_visit",
       [] {
         return with({.dropout = 0, .gaps = 0},
                     [](LongRows& r, std::size_t i) { r.y[i] = r.base[i] + (r.visit[i] > 0 ? 0 : 0); });
       },
       "arm * visit"},
      {"cumulative",
       [] {
         return with({.people = 60, .dropout = 0, .gaps = 0}, [](LongRows& r, std::size_t i) {
           if (r.visit[i] > 0) r.y[i] += r.y[i - 1];
         });
       },
       "arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"alternating",
       [] {
         return with({.people = 60, .dropout = 0, .gaps = 0},
                     [](LongRows& r, std::size_t i) { r.y[i] = (r.visit[i] % 2 ? -2 : 2) * r.base[i] + r.z[i]; });
       },
       "arm * visit",
       false,
       "",
       {"unstructured", "heterogeneous_ar1", "ar1", "toeplitz"}},
      {"negative_between",
       [] {
         return with({.people = 60, .visits = 3, .dropout = 0, .gaps = 0}, [](LongRows& r, std::size_t i) {
           if (r.visit[i] == 2) {
             const double mean = (r.y[i] + r.y[i - 1] + r.y[i - 2]) / 3;
             for (std::size_t j = 0; j < 3; ++j) r.y[i - j] -= 0.97 * mean;
           }
         });
       },
       "arm * visit",
       false,
       "",
       {"compound_symmetry", "unstructured"}},
      {"weights_far_apart",
       [] {
         return with({.people = 60}, [](LongRows& r, std::size_t i) {
           r.weight[i] = std::pow(10, 16 * std::fmod(0.37 * (r.subject[i] + 1), 1.0) - 8);
         });
       },
       "arm + visit", true},
      {"weights_of_rows_far_apart",
       [] {
         return with({.people = 60}, [](LongRows& r, std::size_t i) {
           r.weight[i] = std::pow(10, 16 * std::fmod(0.37 * double(i + 1), 1.0) - 8);
         });
       },
       "arm + visit", true},
      {"equal_tiny_weights",
       [] { return with({}, [](LongRows& r, std::size_t i) { r.weight[i] = 1e-8; }); },
       "base + arm * visit",
       true,
       "",
       {"*", "unstructured"}},
      {"equal_huge_weights",
       [] { return with({}, [](LongRows& r, std::size_t i) { r.weight[i] = 1e8; }); },
       "base + arm * visit",
       true,
       "",
       {"*", "unstructured"}},
      {"an_outlier",
       [] {
         return with({}, [](LongRows& r, std::size_t i) {
           if (i == 17) r.y[i] = 9999;
         });
       },
       "base + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"a_wild_outlier",
       [] {
         return with({}, [](LongRows& r, std::size_t i) {
           if (i == 17) r.y[i] = 1e6;
         });
       },
       "base + arm * visit",
       false,
       "",
       {"unstructured", "heterogeneous_toeplitz", "heterogeneous_ar1", "heterogeneous_compound_symmetry",
        "heterogeneous_ante_dependence", "heterogeneous_spatial_exponential", "toeplitz", "ar1", "compound_symmetry",
        "spatial_exponential"}},  // ante-dependence of one variance: its optimum is at correlations within 1e-10 of 1
      {"visits_of_different_units_and_one_slope",
       [] { return with({}, [](LongRows& r, std::size_t i) { r.y[i] *= std::pow(100, r.visit[i]); }); },
       "base + arm * visit",
       false,
       "",
       {"unstructured", "heterogeneous_toeplitz", "heterogeneous_ar1"}},
      {"a_covariance_each", [] { return long_rows({.people = 60}); }, "base + arm * visit", false, "arm", {"*", "unstructured"}},
      {"a_covariance_for_three_people",
       [] { return with({.people = 40}, [](LongRows& r, std::size_t i) { r.site[i] = r.subject[i] < 3 ? 1 : 0; }); },
       "base + arm * visit", false, "site"},
      {"few_values",
       [] { return with({.people = 60}, [](LongRows& r, std::size_t i) { r.y[i] = std::round(r.y[i] / 3); }); },
       "base + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
      {"zeros_and_ones",
       [] { return with({.people = 60}, [](LongRows& r, std::size_t i) { r.y[i] = r.y[i] > 10; }); },
       "base + arm * visit",
       false,
       "",
       {"*", "unstructured"}},
  };
  return all;
}

void PrintTo(Hard const& hard, std::ostream* out) { *out << hard.name; }

Expected<Answer> answered(Hard const& hard, LongRows const& rows, std::string const& structure, std::string const& estimation,
                          std::string const& df) {
  Table table = rows.table();
  Roles roles{{"response", {"y"}}, {"subject", {"subject"}}, {"visit", {"visit"}}};
  if (hard.weighted) roles["weight"] = {"w"};
  Keys times;
  for (std::size_t j = 0; j < rows.visits; ++j)
    times.emplace_back("V" + std::to_string(j + 1), testing::number(double(7 * j + j * j)));
  Keys levels;
  if (hard.formula.find("arm") != std::string::npos) levels.emplace_back("arm", texts(LongRows::names('A', rows.arms)));
  if (hard.formula.find("visit") != std::string::npos) levels.emplace_back("visit", texts(LongRows::names('V', rows.visits)));
  if (hard.formula.find("site") != std::string::npos) levels.emplace_back("site", texts(LongRows::names('S', 3)));
  Keys keys{{"formula", text(hard.formula)},
            {"levels", testing::table(levels)},
            {"covariance", text(structure)},
            {"estimation", text(estimation)},
            {"df", text(df)}};
  if (!hard.covariance_by.empty()) keys.emplace_back("covariance_by", text(hard.covariance_by));
  if (structure.find("spatial") != std::string::npos) keys.emplace_back("times", testing::table(times));
  return testing::answer<Mmrm>(table.frame(), roles, keys);
}

class MmrmOnHardData : public ::testing::TestWithParam<Hard> {};

TEST_P(MmrmOnHardData, AnswersAtTheOptimumOrSaysWhyNot) {
  const std::set<Code> of_data{Code::no_data,   Code::bad_cell,      Code::out_of_range,
                               Code::duplicate, Code::not_estimable, Code::no_convergence};
  const LongRows rows = GetParam().rows();
  for (CovarianceStructure const& shape : covariance_structures())
    for (std::string const estimation : {"reml", "ml"})
      for (std::string const df : {"satterthwaite", "kenward_roger", "between_within"}) {
        const std::string structure = shape.keyword(), where = structure + " " + estimation + " " + df;
        const auto answer = answered(GetParam(), rows, structure, estimation, df);
        if (!answer) {
          EXPECT_TRUE(of_data.contains(answer.error().code)) << where << ": " << answer.error().message;
          EXPECT_GT(answer.error().message.size(), 20u) << where;
          if (estimation == "reml") {
            EXPECT_FALSE(GetParam().answers.contains(structure) ||
                         (structure != "unstructured" && GetParam().answers.contains("*")))
                << where << ": " << answer.error().message;
          }
          continue;
        }
        bool not_estimable = false;
        double used = 0;
        for (Finding const& finding : answer->findings) {
          const bool nothing = std::isnan(finding.value);
          not_estimable = not_estimable || nothing;
          EXPECT_FALSE(std::isinf(finding.value)) << where << " " << finding.quantity;
          if (finding.quantity == "estimate" && !nothing && df == "kenward_roger" && finding.se && std::isnan(*finding.se)) {
            // the adjustment subtracts, and of a handful of participants may leave less than nothing
            EXPECT_TRUE(std::ranges::any_of(answer->notes, [](std::string const& note) {
              return note.find("adjusted variance") != std::string::npos;
            })) << where;
            used += finding.at.contains("term");
            continue;
          }
          if (finding.quantity == "estimate" && !nothing) {
            EXPECT_GT(finding.se.value_or(0), 0) << where;
            EXPECT_TRUE(std::isfinite(*finding.se)) << where;
            EXPECT_TRUE(!finding.df || std::isnan(*finding.df) || *finding.df > 0) << where << " df " << *finding.df;
            EXPECT_TRUE(!finding.p || std::isnan(*finding.p) || (*finding.p >= 0 && *finding.p <= 1)) << where;
            if (df != "between_within") {
              EXPECT_TRUE(finding.df && std::isfinite(*finding.df)) << where << " df " << finding.df.value_or(-1);
            }
            used += finding.at.contains("term");
          }
        }
        EXPECT_LT(testing::read(answer, "scaled_gradient"), 1e-8) << where;  // of a standard error; 1e-9 where digits allow
        if (not_estimable) {
          EXPECT_GT(answer->notes.size(), 4u) << where;
        }
        // At an optimum over a scale the squared residuals, scaled by the covariance, sum to the values less the coefficients.
        ASSERT_EQ(answer->series.size(), 1u);
        double squares = 0;
        for (auto const& [name, column] : answer->series[0].columns)
          if (name == "scaled_residual")
            for (const double one : column) squares += one * one;
        const double expected = double(rows.size()) - (estimation == "reml" ? used : 0);
        EXPECT_NEAR(squares, expected, 1e-6 * expected) << where;
      }
}

INSTANTIATE_TEST_SUITE_P(Data, MmrmOnHardData, ::testing::ValuesIn(hard_data()), [](auto const& one) { return one.param.name; });

}  // namespace
}  // namespace equipoise::stats
