#include "equipoise/study/study.h"

#include <gtest/gtest.h>

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
  EXPECT_EQ(msc->not_used, (std::vector<std::string>{"'time_zone' of sites", "'amount' of interventions",
                                                     "'volume' of interventions", "'weight_change_confirm' of interventions",
                                                     "'required' of items", "'soft' of items", "'max' of items", "[[edit_check]]",
                                                     "'unmasked' of [blinding]", "'mask_from' of [blinding]", "[design]"}));
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

TEST(Study, LooksForUnusedKeysInAnyDocument) {
  EXPECT_EQ(not_used(Node()), std::vector<std::string>{});
  const Place here;
  const Node item(Node::Table{{"soft", here, Node(true)}}, here), text(std::string("soft"), here);
  const Node form(Node::Table{{"label", here, text}, {"x", here, item}}, here);
  EXPECT_EQ(not_used(Node(Node::Table{{"form", here, Node(Node::Table{{"f", here, form}}, here)}}, here)),
            std::vector<std::string>{"'soft' of items"});
  EXPECT_EQ(not_used(Node(Node::Table{{"form", here, item}}, here)),
            std::vector<std::string>{});  // a form called 'soft', not an item's key
}

}  // namespace
}  // namespace equipoise::study
