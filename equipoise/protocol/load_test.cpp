#include "equipoise/protocol/load.h"

#include <gtest/gtest.h>

namespace equipoise::protocol {
namespace {

constexpr std::string_view small = R"(format = 1
[trial]
id = "t"
title = "A trial"
version = "1"
[[arm]]
id = "a"
role = "placebo_control"
dose = { amount = 0, unit = "mg" }
[[arm]]
id = "b"
role = "investigational"
dose = { amount = 500000, unit = "mg" }
)";

std::string digest_of(std::string const& text) {
  const auto loaded = load(text, "t.toml");
  EXPECT_TRUE(loaded) << (loaded ? "" : to_string(loaded.error().front()));
  return loaded ? loaded->digest : "";
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::vector<std::string> problems_of(std::string const& text) {
  std::vector<std::string> out;
  const auto loaded = load(text, "t.toml");
  if (!loaded)
    for (Error const& error : loaded.error()) out.push_back(to_string(error));
  return out;
}

TEST(Digest, IgnoresSpacingCommentsKeyOrderAndTheSpellingOfNumbers) {
  const std::string text(small);
  const std::string digest = digest_of(text);
  ASSERT_EQ(digest.size(), 64u);
  EXPECT_EQ(digest_of("# a comment\n\n" + text + "\n   \n# the end"), digest);
  EXPECT_EQ(digest_of(replaced(text, "id = \"t\"\ntitle = \"A trial\"", "title   =    \"A trial\"  # first\nid = 't'")), digest);
  EXPECT_EQ(digest_of(replaced(text, "500000", "0.5e6")), digest);
  EXPECT_EQ(digest_of(replaced(text, "500000", "500_000.0")), digest);
  EXPECT_EQ(digest_of(replaced(text, "{ amount = 500000, unit = \"mg\" }", "{ unit = \"mg\", amount = 500000 }")), digest);
}

TEST(Digest, ChangesWithEveryTextNumberAndTheOrderOfArrays) {
  const std::string text(small);
  const std::string digest = digest_of(text);
  EXPECT_NE(digest_of(replaced(text, "A trial", "A trial ")), digest);
  EXPECT_NE(digest_of(replaced(text, "500000", "500001")), digest);
  EXPECT_NE(digest_of(replaced(text, "version = \"1\"", "version = \"2\"")), digest);
  const std::string a = "[[arm]]\nid = \"a\"\nrole = \"placebo_control\"\ndose = { amount = 0, unit = \"mg\" }\n";
  EXPECT_NE(digest_of(replaced(text, a, "") + a), digest);
}

TEST(Digest, IsThatOfTheCanonicalForm) {
  // Worked by hand from the rules in core/node.h.
  const auto loaded = load(small, "t.toml");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(
      loaded->canonical,
      R"({"arm":[{"dose":{"amount":0,"unit":"mg"},"id":"a","role":"placebo_control"},{"dose":{"amount":500000,"unit":"mg"},"id":"b","role":"investigational"}],)"
      R"("format":1,"trial":{"id":"t","title":"A trial","version":"1"}})");
}

TEST(Load, ReportsAllProblemsInFileOrder) {
  std::string text = replaced(std::string(small), "title = \"A trial\"", "titel = \"A trial\"");
  text = replaced(text, "role = \"investigational\"", "role = \"investgational\"");
  text += "[conventions]\nalpha = 2\n";
  EXPECT_EQ(problems_of(text), (std::vector<std::string>{
                                   "t.toml:2:1: [trial] needs the key 'title'",
                                   "t.toml:4:1: [trial] has no key 'titel'\n  hint: did you mean 'title'?",
                                   "t.toml:12:8: 'role' in arm 'b' must be investigational, placebo_control, active_control or "
                                   "no_treatment, and is 'investgational'\n"
                                   "  hint: did you mean 'investigational'?",
                                   "t.toml:15:9: 'alpha' in [conventions] must be above 0 and below 1, and is 2",
                               }));
}

TEST(Load, SaysWhatAnEmptyFileLacks) {
  const auto problems = problems_of("");
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_NE(problems[0].find("the protocol needs the key 'format'"), std::string::npos);
  EXPECT_NE(problems[1].find("the protocol needs the key 'trial'"), std::string::npos);
  EXPECT_NE(problems[2].find("the protocol needs the key 'arm'"), std::string::npos);
}

TEST(Load, RefusesBytesThatAreNoText) {
  EXPECT_EQ(problems_of("format = 1\n\xff\xfe"),
            (std::vector<std::string>{"t.toml: the file is not UTF-8 text\n  hint: save it as UTF-8"}));
  EXPECT_EQ(problems_of("format = nan\n[trial]").front(), "t.toml:1:10: a number must be finite, and this one is not");
  EXPECT_EQ(problems_of("format = 12:30:00").front(), "t.toml:1:10: clock times are not used in a protocol");
  EXPECT_EQ(problems_of("trial = nan\nformat = inf"),
            (std::vector<std::string>{"t.toml:1:9: a number must be finite, and this one is not",
                                      "t.toml:2:10: a number must be finite, and this one is not"}));
  EXPECT_EQ(problems_of(std::string(longest_protocol + 1, ' ')).front(),
            "t.toml: the protocol has 8388609 bytes; at most 8388608 are read");
}

TEST(Load, RefusesAnotherFormat) {
  EXPECT_EQ(problems_of(replaced(std::string(small), "format = 1", "format = 2")),
            (std::vector<std::string>{"t.toml:1:10: format 2 is not known to this build, which reads format 1"}));
}

}  // namespace
}  // namespace equipoise::protocol
