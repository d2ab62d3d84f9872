#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "equipoise/report/variants.h"

/// A trial of repeated measures for tests of the report: three arms, CD4 at nine visits. ALL ITS NUMBERS ARE INVENTED, by simple
/// formulas that keep them consistent with each other: they test how results are shown, not what they are. The page that is made
/// of it says that its data are simulated.
namespace equipoise::report::fixture {

/// Numbers that look like chance and are the same everywhere: a linear congruential generator of 31 bits.
class Scatter {
 public:
  double uniform() {
    state_ = (1103515245u * state_ + 12345u) & 0x7fffffffu;
    return (double(state_ >> 8) + 0.5) / double(0x7fffff + 1);
  }
  double normal() {  // Box and Muller
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::uint32_t state_ = 20240501;
};

inline const std::vector<std::string> repeated_visits = {"w4", "w12", "w24", "w36", "w48", "w60", "w72", "w84", "w96"};
inline const std::vector<std::string> repeated_arms = {"placebo", "dose1", "dose2"};

/// Visits that participants of an arm have, and how many have just these: 24 in each arm.
using Seen = std::vector<std::pair<std::string, int>>;
inline std::vector<Seen> repeated_patterns() {
  return {{{"111111111", 17}, {"111111110", 1}, {"111110000", 2}, {"111000000", 1}, {"110111111", 2}, {"100000000", 1}},
          {{"111111111", 19}, {"111111000", 1}, {"111100000", 2}, {"111101111", 1}, {"000000000", 1}},
          {{"111111111", 15},
           {"111111110", 2},
           {"111111000", 2},
           {"110000000", 2},
           {"101111111", 1},
           {"111011011", 1},
           {"100000000", 1}}};
}

struct RepeatedArm {
  double mean[9];
  double se[9];
};
inline std::vector<RepeatedArm> repeated_numbers() {
  return {{{4.1, 9.7, 14.9, 18.2, 22.4, 25.0, 27.1, 31.4, 33.0}, {6.9, 7.6, 8.3, 8.8, 9.3, 9.9, 10.3, 10.9, 11.2}},
          {{8.3, 21.2, 36.9, 48.8, 57.1, 63.2, 66.0, 71.9, 75.4}, {6.8, 7.5, 8.2, 8.9, 9.2, 9.8, 10.2, 10.7, 11.0}},
          {{10.9, 30.4, 52.3, 64.6, 71.0, 79.5, 82.8, 84.1, 90.7}, {7.0, 7.8, 8.6, 9.0, 9.6, 10.4, 10.9, 11.5, 11.9}}};
}

inline double two_sided(double z) { return std::erfc(std::fabs(z) / std::numbers::sqrt2); }
inline double repeated_sd(std::size_t visit) { return 32 + 2.2 * double(visit); }
inline double repeated_correlation(std::size_t i, std::size_t j) {
  return 0.42 + 0.5 * std::pow(0.72, std::fabs(double(i) - double(j))) - 0.01 * double(std::min(i, j));
}

inline void add_repeated_protocol(protocol::Protocol& p) {
  using namespace protocol;
  p.trial.title = text("Cells in HIV immune non-responders: repeated measures of CD4", "细胞治疗HIV免疫无应答者：CD4重复测量");
  Item cd4;
  cd4.id = "cd4", cd4.unit = "/mm3", cd4.label = text("CD4 count", "CD4计数");
  p.forms[1].items = {cd4};
  Derivation change;
  change.id = "cd4_change", change.unit = "/mm3", change.label = text("Change in CD4", "CD4变化"),
  change.rule = expression::Expression("cd4 - cd4@baseline", expression::Type::number, nullptr);
  p.derivations = {change};
  Endpoint cd4_w48;
  cd4_w48.id = "cd4_w48", cd4_w48.level = "primary", cd4_w48.benefit = Benefit::higher;
  cd4_w48.label = text("Change in CD4 from baseline", "CD4较基线变化");
  cd4_w48.variable = expression::Expression("cd4_change", expression::Type::number, nullptr);
  cd4_w48.visits = repeated_visits, cd4_w48.at = "w48";
  p.endpoints.insert(p.endpoints.begin(), cd4_w48);
  p.estimands[0].endpoint = "cd4_w48", p.estimands[0].summary = "mean_difference",
  p.estimands[0].objective = "Mean gain in CD4 at week 48 of each dose over placebo";
  std::erase_if(p.visits, [](Visit const& visit) { return visit.id == "w8"; });
}

inline results::AnalysisRun repeated_run(std::string id, std::string role, std::string method, std::string options) {
  results::AnalysisRun run;
  run.id = std::move(id), run.role = std::move(role), run.method = std::move(method), run.options = std::move(options);
  run.estimand = "e1", run.endpoint = "cd4_w48", run.set = "full", run.n = 72;
  return run;
}

/// LS means, differences from placebo, covariance, fit and coefficients of an `mmrm`.
inline void add_repeated_model(results::Results& r, std::string const& id) {
  const auto add = [&](Finding f) { r.records.push_back(record(id, "mmrm", std::move(f))); };
  const auto numbers = repeated_numbers();
  const auto patterns = repeated_patterns();
  for (std::size_t a = 0; a < 3; ++a)
    for (std::size_t v = 0; v < 9; ++v) {
      std::int64_t n = 0;
      for (auto const& [seen, participants] : patterns[a]) n += seen[v] == '1' ? participants : 0;
      const double mean = numbers[a].mean[v], se = numbers[a].se[v];
      Finding f{.quantity = "estimate",
                .at = {{"lsmean", Term{{"arm", repeated_arms[a]}, {"visit", repeated_visits[v]}}}},
                .value = mean,
                .se = se,
                .df = 66.3 - 1.9 * double(v),
                .lower = mean - 2 * se,
                .upper = mean + 2 * se,
                .level = 0.95,
                .n = n};
      add(f);
    }
  for (std::size_t v = 0; v < 9; ++v)
    for (std::size_t a = 1; a < 3; ++a) {
      const double difference = numbers[a].mean[v] - numbers[0].mean[v], se = std::hypot(numbers[a].se[v], numbers[0].se[v]);
      add({.quantity = "estimate",
           .at = {{"difference", LevelDifference{"arm", repeated_arms[a], "placebo"}},
                  {"within", Term{{"visit", repeated_visits[v]}}}},
           .value = difference,
           .se = se,
           .df = 66.3 - 1.9 * double(v),
           .lower = difference - 2 * se,
           .upper = difference + 2 * se,
           .level = 0.95,
           .p = two_sided(difference / se)});
    }
  for (std::size_t a = 1; a < 3; ++a) {
    const double difference = 20.0 * double(a) + 6, se = 10.4;
    add({.quantity = "estimate",
         .at = {{"difference", LevelDifference{"arm", repeated_arms[a], "placebo"}}},
         .value = difference,
         .se = se,
         .df = 64.8,
         .lower = difference - 2 * se,
         .upper = difference + 2 * se,
         .level = 0.95,
         .p = two_sided(difference / se)});
    add({.quantity = "estimate",
         .at = {{"term", Term{{"arm", repeated_arms[a]}}}},
         .value = 4.2 * double(a),
         .se = 9.7,
         .df = 66.3,
         .p = two_sided(4.2 * double(a) / 9.7)});
  }
  add({.quantity = "estimate", .at = {{"term", Term{}}}, .value = 52.7, .se = 18.2, .df = 68.1, .p = 0.0051});
  for (std::size_t i = 0; i < 9; ++i)
    for (std::size_t j = 0; j <= i; ++j)
      add({.quantity = "covariance",
           .at = {{"row", repeated_visits[i]}, {"column", repeated_visits[j]}},
           .value = i == j ? repeated_sd(i) * repeated_sd(i) : repeated_correlation(i, j) * repeated_sd(i) * repeated_sd(j)});
  add({.quantity = "neg2_log_likelihood", .value = 5418.2372}), add({.quantity = "aic", .value = 5450.2372});
  add({.quantity = "aicc", .value = 5451.2039}), add({.quantity = "bic", .value = 5486.6634});
  add({.quantity = "n_observations", .value = 566}), add({.quantity = "n_subjects", .value = 71});
}

/// Values, missing patterns and residuals of the participants behind it.
inline void add_repeated_series(results::Results& r, std::string const& id) {
  Scatter scatter;
  const auto numbers = repeated_numbers();
  const auto patterns = repeated_patterns();
  std::vector<double> visit_of_residual, fitted, residual, scaled;
  for (std::size_t a = 0; a < 3; ++a) {
    std::vector<double> participant, visit, value, pattern, at, observed, participants;
    int who = 0, which = 0;
    for (auto const& [seen, n] : patterns[a]) {
      for (std::size_t v = 0; v < 9; ++v) {
        pattern.push_back(which), at.push_back(double(v)), observed.push_back(seen[v] - '0'), participants.push_back(n);
      }
      ++which;
      for (int i = 0; i < n; ++i, ++who) {
        const double own = 24 * scatter.normal(), baseline = 40 * scatter.normal();
        for (std::size_t v = 0; v < 9; ++v) {
          const double noise = scatter.normal();
          if (seen[v] != '1') continue;
          const double size = std::sqrt(repeated_sd(v) * repeated_sd(v) - 24.0 * 24.0);
          participant.push_back(who), visit.push_back(double(v)), value.push_back(numbers[a].mean[v] + own + size * noise);
          visit_of_residual.push_back(double(v)), fitted.push_back(numbers[a].mean[v] - 0.12 * baseline);
          residual.push_back(own + size * noise), scaled.push_back(noise);
        }
      }
    }
    const At group{{"group", repeated_arms[a]}};
    r.curves.push_back({id, {"trajectory", group, {{"participant", participant}, {"visit", visit}, {"value", value}}}});
    r.curves.push_back({id,
                        {"missing_pattern",
                         group,
                         {{"pattern", pattern}, {"visit", at}, {"observed", observed}, {"participants", participants}}}});
  }
  r.curves.push_back({id,
                      {"residuals",
                       {},
                       {{"visit", visit_of_residual}, {"fitted", fitted}, {"residual", residual}, {"scaled_residual", scaled}}}});
}

/// A plane of shifts of both arms for each dose; with `line` the arm's own shift only.
inline void add_tipping_point(results::Results& r, std::string const& id, bool line = false) {
  for (std::size_t a = 1; a < 3; ++a) {
    std::vector<double> delta, reference, estimate, lower, upper, p;
    for (int j = line ? 4 : 0; j <= 4; ++j)
      for (int i = 0; i <= 8; ++i) {
        const double d = -10.0 * (8 - i), d_reference = 10.0 * (line ? 0 : j - 2), se = 13.3;
        const double value = (a == 1 ? 34.7 : 48.6) + 0.28 * d - 0.21 * d_reference;
        delta.push_back(d), reference.push_back(d_reference), estimate.push_back(value);
        lower.push_back(value - 1.96 * se), upper.push_back(value + 1.96 * se), p.push_back(two_sided(value / se));
      }
    r.curves.push_back(
        {id,
         {"tipping_point",
          At{{"difference", LevelDifference{"arm", repeated_arms[a], "placebo"}}, {"within", Term{{"visit", "w48"}}}},
          {{"delta", delta},
           {"delta_reference", reference},
           {"estimate", estimate},
           {"lower", lower},
           {"upper", upper},
           {"p", p}}}});
  }
}

/// a01 mmrm with everything, a02 imputation with the differences at week 48 and a tipping point.
inline void repeated_trial(protocol::Protocol& p, results::Results& r) {
  dose_trial(2, p, r);
  add_repeated_protocol(p);
  r.runs.clear(), r.records.clear(), r.curves.clear();
  r.provenance.data_file = "invented.csv";
  r.runs.push_back(
      repeated_run("a01", "primary", "mmrm",
                   R"({"covariance":["unstructured","heterogeneous_toeplitz"],"df":"kenward_roger","estimation":"reml"})"));
  r.runs[0].notes = {"Covariance: heterogeneous_toeplitz, 17 parameters; unstructured was tried first and did not converge.",
                     "Estimation: REML; gradient 3.1e-10 after 9 iterations.", "Degrees of freedom: Kenward and Roger (1997).",
                     "LS means: covariates at their means, equal weights over sites."};
  add_repeated_model(r, "a01");
  add_repeated_series(r, "a01");
  r.runs.push_back(repeated_run("a02", "sensitivity", "reference_based_imputation",
                                R"({"reference":"placebo","strategy":"jump_to_reference","variance":"jackknife"})"));
  for (std::size_t a = 1; a < 3; ++a) {
    const double difference = a == 1 ? 30.4 : 43.9, se = 13.3;
    r.records.push_back(
        record("a02", "reference_based_imputation",
               {.quantity = "estimate",
                .at = {{"difference", LevelDifference{"arm", repeated_arms[a], "placebo"}}, {"within", Term{{"visit", "w48"}}}},
                .value = difference,
                .se = se,
                .lower = difference - 1.96 * se,
                .upper = difference + 1.96 * se,
                .level = 0.95,
                .p = two_sided(difference / se)}));
  }
  add_tipping_point(r, "a02");
}

}  // namespace equipoise::report::fixture
