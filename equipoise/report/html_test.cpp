#include "equipoise/report/html.h"

#include <gtest/gtest.h>

#include "equipoise/report/words.h"

namespace equipoise::report {
namespace {

TEST(Markup, EscapesEveryTextAndNothingTwice) {
  EXPECT_EQ(Markup("a<b>&\"c'").bytes(), "a&lt;b&gt;&amp;&quot;c&#39;");
  EXPECT_EQ(element("p", Markup("<i>")).bytes(), "<p>&lt;i&gt;</p>");
  EXPECT_EQ(element("p", {{"title", std::string("\"><script>")}}, "x").bytes(), "<p title=\"&quot;&gt;&lt;script&gt;\">x</p>");
  EXPECT_EQ(element("p", element("b", Markup("&"))).bytes(), "<p><b>&amp;</b></p>");
}

TEST(Markup, RepairsBytesAndDropsWhatHides) {
  EXPECT_EQ(Markup("\xff").bytes(), "\xef\xbf\xbd");
  EXPECT_EQ(Markup("\xc0\xbc").bytes(), "\xef\xbf\xbd\xef\xbf\xbd");  // an overlong '<' is no '<'
  EXPECT_EQ(Markup("\xe2\x82").bytes(), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(Markup(std::string_view("a\0b\x1b", 4)).bytes(), "ab");
  EXPECT_EQ(Markup("a\u202eb\u2066c").bytes(), "abc");
  EXPECT_EQ(Markup("γ 安慰剂 \U0001f600").bytes(), "γ 安慰剂 \U0001f600");
}

TEST(Words, SayTheSameThingsInBothLanguages) {
  for (int i = 0; i < int(Word::count); ++i) {
    const std::string_view en = Words::raw(Word(i), false), zh = Words::raw(Word(i), true);
    EXPECT_FALSE(en.empty()) << i;
    EXPECT_FALSE(zh.empty()) << i;
    for (int argument = 0; argument < 8; ++argument) {
      const std::string placeholder = fmt::format("{{{}}}", argument);
      EXPECT_EQ(en.find(placeholder) == std::string_view::npos, zh.find(placeholder) == std::string_view::npos) << en;
    }
  }
}

}  // namespace
}  // namespace equipoise::report
