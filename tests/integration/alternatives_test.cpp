// Whether the conclusion of a primary analysis depends on a choice: the trial of repeated_test.cpp, with the responses of one arm
// shifted so that its P value stands on either side of 0.05.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "equipoise/analysis/run.h"
#include "equipoise/core/text.h"
#include "equipoise/data/source.h"
#include "equipoise/study/study.h"
#include "files.h"

namespace equipoise {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "no '" << from << "'";
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

std::string protocol_text() { return contents("tests/integration/repeated/protocol.toml"); }
/// Each comparison at 0.05 by itself.
std::string unadjusted() { return with(protocol_text(), "method = \"holm\"", "method = \"none\""); }

/// The trial's rows, `by` added to what arm `arm` has after randomisation.
std::string shifted(char arm, double by) {
  std::istringstream rows(contents("tests/integration/repeated/trial.csv"));
  std::string out, line;
  std::getline(rows, out);
  out += "\n";
  while (std::getline(rows, line)) {  // id,arm,site,day,cd4,event
    std::vector<std::string> cells(1);
    for (const char c : line)
      if (c == ',') cells.emplace_back();
      else cells.back() += c;
    if (cells[1] == std::string(1, arm) && !cells[4].empty() && std::stoi(cells[3]) > 0)
      cells[4] = shortest(std::stod(cells[4]) + by);
    out += join(cells, ",") + "\n";
  }
  return out;
}

results::Results run(std::string const& protocol, std::string const& csv) {
  const auto study = study::load(protocol, "p.toml");
  EXPECT_TRUE(study) << (study ? "" : to_string(study.error().front()));
  const auto table = data::read_csv(csv, "trial.csv");
  if (!study || !table) return {};
  const auto records = data::read_source(study->protocol, *table);
  EXPECT_TRUE(records) << (records ? "" : to_string(records.error().front()));
  if (!records) return {};
  return analysis::run(study->protocol, study->plan, data::TrialTables(study->protocol, *records), {});
}

results::Alternative const& row(results::Results const& results, std::string const& name, std::string const& arm) {
  for (results::Alternative const& one : results.alternatives)
    if (one.name == name && one.arm == arm) return one;
  ADD_FAILURE() << "no alternative " << name << " of " << arm;
  static const results::Alternative none;
  return none;
}

std::vector<std::string> const& warnings(results::Results const& results) {
  return std::ranges::find(results.runs, "primary", &results::AnalysisRun::id)->warnings;
}

TEST(Alternatives, AreThePlannedAnalysisWithAnotherChoice) {
  const std::string csv = shifted('H', 0);
  const results::Results results = run(protocol_text(), csv);
  std::vector<std::string> listed;
  for (results::Alternative const& one : results.alternatives)
    if (one.arm == "high") listed.push_back(one.choice + " " + one.name);
  EXPECT_THAT(listed, UnorderedElementsAre("planned kenward_roger", "degrees_of_freedom satterthwaite",
                                           "degrees_of_freedom between_within", "degrees_of_freedom residual",
                                           "covariance heterogeneous_toeplitz", "covariance cr2", "missing_data carried"));
  // The same bytes as a protocol that makes the choice.
  const std::string df = "df = \"kenward_roger\"", structures = "covariance = [\"unstructured\", \"heterogeneous_toeplitz\"]";
  const auto expect_same = [&](std::string const& name, std::string const& protocol) {
    const results::Results other = run(protocol, csv);
    for (const std::string arm : {"low", "high"}) {
      results::Alternative const& one = row(results, name, arm);
      for (results::Record const& record : other.records) {
        if (record.analysis != "primary" || record.finding.quantity != "estimate" || record.finding.at != one.at) continue;
        EXPECT_EQ(one.estimate, record.finding.value) << name;
        EXPECT_EQ(one.se, *record.finding.se) << name;
        EXPECT_EQ(one.df, record.finding.df) << name;
        EXPECT_EQ(one.p, *record.finding.p) << name;
        EXPECT_EQ(one.lower, *record.finding.lower) << name;
      }
    }
  };
  expect_same("kenward_roger", protocol_text());
  for (const std::string name : {"satterthwaite", "between_within", "residual"})
    expect_same(name, with(protocol_text(), df, "df = \"" + name + "\""));
  expect_same("heterogeneous_toeplitz", with(protocol_text(), structures, "covariance = \"heterogeneous_toeplitz\""));
  expect_same("cr2", with(protocol_text(), df, "df = \"satterthwaite\"\ncovariance_of_estimates = \"cr2\""));
  EXPECT_EQ(row(results, "kenward_roger", "high").adjusted_p, results.multiplicity->hypotheses[1].adjusted_p);
  EXPECT_EQ(row(results, "kenward_roger", "high").rejected, results.multiplicity->hypotheses[1].rejected);
}

TEST(Alternatives, WithOneStructureAreTheUsualOnes) {
  const std::string structures = "covariance = [\"unstructured\", \"heterogeneous_toeplitz\"]";
  const results::Results results = run(with(protocol_text(), structures, "covariance = \"ar1\""), shifted('H', 0));
  std::vector<std::string> names;
  for (results::Alternative const& one : results.alternatives)
    if (one.arm == "high" && one.choice == "covariance") names.push_back(one.name);
  EXPECT_THAT(names, UnorderedElementsAre("unstructured", "heterogeneous_toeplitz", "heterogeneous_compound_symmetry", "cr2"));
}

TEST(Alternatives, SayNothingWhenTheConclusionStays) {
  const results::Results results = run(unadjusted(), shifted('H', 0));
  EXPECT_THAT(warnings(results), IsEmpty());
  EXPECT_TRUE(row(results, "residual", "high").rejected);
  for (results::Alternative const& one : results.alternatives) EXPECT_FALSE(one.differs) << one.name;
}

TEST(Alternatives, WarnThatTheConclusionDependsOnTheDegreesOfFreedom) {
  const results::Results results = run(unadjusted(), shifted('H', -13));
  results::Alternative const &planned = row(results, "kenward_roger", "high"), &residual = row(results, "residual", "high");
  EXPECT_LT(planned.p, 0.05);  // 0.0497
  EXPECT_TRUE(planned.rejected);
  EXPECT_GT(residual.p, 0.05);  // 0.0518
  EXPECT_FALSE(residual.rejected);
  EXPECT_TRUE(residual.differs);
  EXPECT_FALSE(planned.differs);
  EXPECT_FALSE(row(results, "residual", "low").differs);
  EXPECT_THAT(warnings(results),
              Contains(HasSubstr("Whether 'high' differs from the control depends on the method for degrees of freedom: P = ")));
  EXPECT_THAT(warnings(results), Contains(HasSubstr("P = 0.052 with residual degrees of freedom")));
  const auto json = nlohmann::json::parse(results::to_json(results));
  EXPECT_EQ(json.at("analyses").at(0).at("warnings").at(0), warnings(results)[0]);
  EXPECT_EQ(json.at("alternatives").size(), results.alternatives.size());
  for (results::AnalysisRun const& one : results.runs)
    if (one.id == "primary") {
      EXPECT_THAT(one.notes, Contains(warnings(results)[0]));
    }
}

TEST(Alternatives, WarnThatTheConclusionDependsOnTheCovariance) {
  const results::Results results = run(unadjusted(), shifted('H', -13));
  EXPECT_NE(row(results, "kenward_roger", "high").rejected, row(results, "heterogeneous_toeplitz", "high").rejected);
  EXPECT_THAT(warnings(results),
              Contains(HasSubstr("Whether 'high' differs from the control depends on the covariance of the visits")));
}

TEST(Alternatives, WarnThatTheConclusionDependsOnMissingValues) {
  const results::Results results = run(unadjusted(), shifted('H', -16));
  EXPECT_NE(row(results, "kenward_roger", "high").rejected, row(results, "carried", "high").rejected);
  EXPECT_THAT(warnings(results), Contains(HasSubstr("depends on what is assumed of missing values")));
  EXPECT_THAT(warnings(results),
              Contains(HasSubstr("with 'carried' (Analysis of covariance, last observation carried forward)")));
}

// Holm's procedure multiplies the smaller of two P values by two: a conclusion is that of the procedure.
TEST(Alternatives, AreDecidedAsTheProcedureDecides) {
  const results::Results results = run(protocol_text(), shifted('H', -7.5));
  results::Alternative const &planned = row(results, "kenward_roger", "high"), &other = row(results, "satterthwaite", "high");
  EXPECT_TRUE(planned.rejected);
  EXPECT_LT(other.p, 0.05);
  EXPECT_GT(*other.adjusted_p, 0.05);  // 0.057
  EXPECT_NEAR(*other.adjusted_p, 2 * other.p, 1e-15);
  EXPECT_TRUE(other.differs);
  EXPECT_THAT(warnings(results), Contains(HasSubstr("(adjusted P = ")));
}

TEST(Alternatives, AreOfPrimaryAnalysesByMixedModelsOnly) {
  const results::Results results = run(with(unadjusted(), "role = \"primary\"", "role = \"secondary\""), shifted('H', 0));
  EXPECT_THAT(results.alternatives, IsEmpty());
}

}  // namespace
}  // namespace equipoise
