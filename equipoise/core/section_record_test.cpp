#include "equipoise/core/section_record.h"

#include <gtest/gtest.h>

#include <array>

namespace equipoise {
namespace {

Node document() {
  return Node(
      Node::Table{{"id", {}, Node(std::string("a"))}, {"share", {}, Node(2.0)}, {"way", {}, Node(std::string("sideways"))}},
      Place{.file = "f", .line = 3, .column = 1});
}

TEST(SectionRecord, WritesDownWhatASectionIsAskedFor) {
  const Node node = document();
  Problems problems;
  SectionRecord record;
  Section section(node, "s", problems);
  section.need_text("id");
  section.number("share", Limits::open(0, 1));
  constexpr std::array<std::pair<std::string_view, int>, 2> ways{{{"up", 1}, {"down", 2}}};
  section.word<int>("way", ways);
  section.has("absent");

  std::set<std::string> keys;
  bool needed = false, bounded = false;
  std::vector<std::string> words;
  for (SectionAsk const& ask : record.asks()) {
    keys.insert(ask.key);
    EXPECT_EQ(ask.table.line, 3);
    needed = needed || (ask.key == "id" && ask.needed);
    bounded = bounded || (ask.key == "share" && ask.limits.max == 1 && ask.limits.max_excluded);
    if (!ask.words.empty()) words = ask.words;
  }
  EXPECT_EQ(keys, (std::set<std::string>{"absent", "id", "share", "way"}));
  EXPECT_TRUE(needed);
  EXPECT_TRUE(bounded);
  EXPECT_EQ(words, (std::vector<std::string>{"up", "down"}));
}

TEST(SectionRecord, EndsWithItsScopeAndDoesNotNest) {
  {
    SectionRecord record;
    EXPECT_EQ(SectionRecord::current(), &record);
    EXPECT_THROW(SectionRecord(), ContractViolation);
  }
  EXPECT_EQ(SectionRecord::current(), nullptr);
  const Node node = document();
  Problems problems;
  Section(node, "s", problems).text("id");  // nobody writes it down
}

}  // namespace
}  // namespace equipoise
