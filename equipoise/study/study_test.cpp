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
