#include "equipoise/analysis/known_answers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "equipoise/analysis/ready_method.h"
#include "equipoise/analysis/replay.h"
#include "equipoise/analysis/verify.h"

namespace equipoise::analysis {
namespace {

/// Case and quantity of everything that did not pass, but for the cases that this build may not carry.
std::string not_reproduced(Verification const& verification, std::set<std::string> const& may_be_not_available) {
  std::string out;
  for (CheckedValue const& value : verification.values) {
    if (value.status == Status::passed) continue;
    if (value.status == Status::not_available && may_be_not_available.contains(value.analysis)) continue;
    out += fmt::format("{} {} {}: {} ({})\n", value.analysis, value.quantity, value.at, phrase(value.status), value.reason);
  }
  return out;
}

TEST(KnownAnswers, AreReproducedByThisBuild) {
  const auto verification = verify("known answers", known_answer_cases(), known_answer_data);
  ASSERT_TRUE(verification) << to_string(verification.error().front());
  EXPECT_EQ(not_reproduced(*verification, {}), "") << to_text(*verification);
  EXPECT_TRUE(verification->reproduced());
  for (stats::MethodCard const& card : method_cards()) {
    if (replays(card)) continue;  // a case has no randomisation to replay: tests/integration/rerandomisation_test.cpp
    const auto tally = std::ranges::find(verification->methods, card.keyword, &MethodTally::method);
    ASSERT_NE(tally, verification->methods.end()) << card.keyword << " has no known answer";
    EXPECT_GT(tally->passed, 0u) << card.keyword;
  }
}

TEST(KnownAnswers, SayWhichDataTheyHave) {
  ASSERT_FALSE(known_answer_files().empty());
  for (std::string const& name : known_answer_files()) EXPECT_TRUE(known_answer_data(name)) << name;
  const auto none = known_answer_data("nothing.csv");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Code::unresolved);
}

Expected<std::string> read_file(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::io, "'{}' cannot be opened", path.string());
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

// The team's reference cases, whose data may not be shipped. Every method of this build must reproduce every value.
TEST(ReferenceCases, AreReproducedByThisBuild) {
  const char* named = std::getenv("EQUIPOISE_SHARED");
  const std::filesystem::path folder = std::filesystem::path(named ? named : "../shared") / "reference";
  const auto bytes = read_file(folder / "analysis-open.jsonl");
  if (!bytes) GTEST_SKIP() << "no reference cases: " << bytes.error().message << " (set EQUIPOISE_SHARED)";

  const auto verification =
      verify("analysis-open.jsonl", *bytes, [&](std::string_view name) { return read_file(folder / name); });
  ASSERT_TRUE(verification) << to_string(verification.error().front());
  // Methods that later work brings; the list shrinks with each.
  const std::set<std::string> to_come{"mcp_mod", "dose_response_fit", "ae_table", "lab_shift"};
  // Standard errors that summary(glm) gives from the weights of the step before its last: 2e-7 from the inverse information at the
  // published estimates, which logistic_test.cpp evaluates on its own and this build gives.
  const std::string step_before = "actg175.logistic.1";
  std::string failed;
  std::size_t passed = 0, of_step_before = 0;
  for (CheckedValue const& value : verification->values) {
    if (value.status == Status::passed) ++passed;
    else if (value.analysis == step_before && value.quantity == "se" && value.error && *value.error < 3e-7) ++of_step_before;
    else if (value.status != Status::not_available || !to_come.contains(value.method))
      failed += fmt::format("{} {} {}: {} ({})\n", value.analysis, value.quantity, value.at, phrase(value.status), value.reason);
  }
  EXPECT_EQ(failed, "") << to_text(*verification);
  for (std::string const& method : to_come) EXPECT_FALSE(method_card(method)) << method << " is here: take it off the list";
  EXPECT_EQ(of_step_before, 5u);
  EXPECT_EQ(passed, 3235u);
}

}  // namespace
}  // namespace equipoise::analysis
