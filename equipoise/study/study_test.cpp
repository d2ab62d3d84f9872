#include "equipoise/study/study.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "equipoise/study/unused.h"

namespace equipoise::study {
namespace {

std::string file(std::string const& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

Checked<Study> example(std::string const& name) {
  const std::string path = "examples/" + name + "/protocol.toml";
  return load(file(path), path);
}

TEST(Study, ListsWhatAFileSaysAndThisBuildDoesNotUse) {
  const auto cgd = example("cgd");
  ASSERT_TRUE(cgd) << to_string(cgd.error().front());
  EXPECT_EQ(cgd->not_used, std::vector<std::string>{});
  EXPECT_TRUE(cgd->warnings.empty());
  const auto msc = example("msc-inr");
  ASSERT_TRUE(msc) << to_string(msc.error().front());
  EXPECT_EQ(msc->not_used, std::vector<std::string>{"[design]"});
  EXPECT_TRUE(msc->warnings.empty());  // the formula holds the site, and CD4 at baseline, of which the other factor is made
}

TEST(Study, WarnsOfARandomisationThatIsEasyToGuess) {
  std::string text = file("examples/msc-inr/protocol.toml");
  const std::string from = "probability = 0.8", to = "probability = 1.0";
  ASSERT_NE(text.find(from), std::string::npos);
  const auto sure = load(text.replace(text.find(from), from.size(), to), "p.toml");
  ASSERT_TRUE(sure) << to_string(sure.error().front());
  ASSERT_EQ(sure->warnings.size(), 1u);
  EXPECT_EQ(
      to_string(sure->warnings[0]),
      "p.toml:156:10: minimisation: chance decides only between arms that are equally good: whoever knows the allocations so far "
      "knows most of the next\n  hint: minimisation with a probability such as 0.8; and a re-randomisation test has little to "
      "work "
      "with otherwise");
  ASSERT_TRUE(sure->rule);
  EXPECT_EQ(sure->rule->sentence(), "minimisation of 'site' and 'cd4_low' by the range, probability 1");
}

TEST(Study, SaysWhatIsWrongOfAProtocolWithoutArms) {
  std::string text = file("examples/remission/protocol.toml");
  for (std::size_t at; (at = text.find("[[arm]]")) != std::string::npos;) text.replace(at, 7, "[[arn]]");
  const auto none = load(text, "p.toml");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().front().message, "the protocol needs the key 'arm'");
}

TEST(Study, SaysWhatIsWrongOfAnEndpointAtNoVisit) {
  std::string text = file("examples/msc-inr/protocol.toml");
  const std::string from = "{ id = \"w96\"";
  text.replace(text.find(from), from.size(), "{ id = \"w97\"");
  const auto lost = load(text, "p.toml");
  ASSERT_FALSE(lost);
  EXPECT_TRUE(std::ranges::any_of(lost.error(), [](Error const& e) { return e.message == "there is no visit 'w96'"; }));
}

TEST(Study, LooksForUnusedSectionsInAnyDocument) {
  EXPECT_EQ(not_used(Node()), std::vector<std::string>{});
  EXPECT_EQ(not_used(Node(Node::Table{})), std::vector<std::string>{});
  EXPECT_EQ(not_used(Node(Node::Table{{"design", Place{}, Node(true)}})), std::vector<std::string>{"[design]"});
}

}  // namespace
}  // namespace equipoise::study
