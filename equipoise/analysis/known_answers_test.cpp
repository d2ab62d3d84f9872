#include "equipoise/analysis/known_answers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "equipoise/analysis/ready_method.h"
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
  EXPECT_EQ(not_reproduced(*verification, {"ovarian.cox.3"}), "") << to_text(*verification);  // exact ties
  EXPECT_TRUE(verification->reproduced());
  for (stats::MethodCard const& card : method_cards()) {
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
  std::set<std::string> elsewhere;  // cases of methods that this build does not carry
  for (CheckedValue const& value : verification->values)
    if (!method_card(value.method)) elsewhere.insert(value.analysis);
  const std::string exact_ties = "ovarian.cox.3";
  elsewhere.insert(exact_ties);
  EXPECT_EQ(not_reproduced(*verification, elsewhere), "") << to_text(*verification);
  std::size_t passed = 0;
  for (MethodTally const& tally : verification->methods) passed += tally.passed;
  EXPECT_GE(passed, 500u) << "512 values of six methods, less exact ties and the larger table";
}

}  // namespace
}  // namespace equipoise::analysis
