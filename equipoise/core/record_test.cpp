#include "equipoise/core/record.h"

#include <gtest/gtest.h>

#include "equipoise/core/json.h"

namespace equipoise {
namespace {

struct Part {
  std::string name{};
  std::int64_t count = 0;
  static void fields(auto& self, auto&& f) { f("name", self.name), f("count", self.count); }
  friend bool operator==(Part const&, Part const&) = default;
};

struct Whole {
  std::string text{};
  bool flag = false;
  double number = 0;
  Instant at{};
  std::optional<std::string> maybe{};
  std::vector<Part> parts{};
  Part part{};
  static void fields(auto& self, auto&& f) {
    f("text", self.text), f("flag", self.flag), f("number", self.number), f("at", self.at), f("maybe", self.maybe);
    f("parts", self.parts), f("part", self.part);
  }
  friend bool operator==(Whole const&, Whole const&) = default;
};

TEST(Record, HasOneEncodingThatReadsBack) {
  const Whole full{.text = "a\"b\\c\n\x01µ", .flag = true, .number = 0.1, .at = *to_instant("2026-11-28T08:30:32.123Z"), .maybe = "yes",
                   .parts = {{"x", 1}, {"", -2}}, .part = {"y", 3}};
  EXPECT_EQ(encoded(full),
            R"({"text":"a\"b\\c\u000a\u0001µ","flag":true,"number":0.1,"at":"2026-11-28T08:30:32.123Z","maybe":"yes",)"
            R"("parts":[{"name":"x","count":1},{"count":-2}],"part":{"name":"y","count":3}})");
  EXPECT_EQ(decoded<Whole>(encoded(full)), full);
  EXPECT_EQ(encoded(Whole{}), R"({"number":0,"at":"1970-01-01T00:00:00.000Z","part":{"count":0}})");
  EXPECT_EQ(decoded<Whole>(encoded(Whole{})), Whole{});
}

// Whatever is not exactly what `encoded` writes is refused: otherwise two logs with different bytes would say the same.
TEST(Record, RefusesEveryOtherSpelling) {
  const std::string good = R"({"name":"x","count":1})";
  ASSERT_TRUE(decoded<Part>(good));
  for (std::string_view bad :
       {R"({"count":1,"name":"x"})", R"({"name":"x", "count":1})", R"({"name":"x","count":1} )", R"({"name":"x","count":01})",
        R"({"name":"x","count":-0})", R"({"name":"x","count":1.0})", R"({"name":"","count":1})", R"({"name":"x"})", R"({"name":"x","count":1)",
        R"({"name":"\u0041","count":1})", R"({"name":"x","count":1,"more":1})", R"({"name":"x","count":99999999999999999999})", "", "{"})
    EXPECT_FALSE(decoded<Part>(bad)) << bad;
  EXPECT_FALSE(decoded<Whole>(R"({"number":1e0,"at":"1970-01-01T00:00:00.000Z","part":{"count":0}})"));
  EXPECT_FALSE(decoded<Whole>(R"({"flag":false,"number":0,"at":"1970-01-01T00:00:00.000Z","part":{"count":0}})"));
  EXPECT_FALSE(decoded<Whole>(R"({"number":0,"at":"1970-01-01T00:00:00.000Z","parts":[],"part":{"count":0}})"));
}

// One byte changed anywhere: refused, or another value, which is then encoded as those bytes.
TEST(Record, EveryByteCounts) {
  const std::string good = encoded(Whole{.text = "ab", .flag = true, .number = 2.5, .maybe = "m", .parts = {{"x", 12}}});
  for (std::size_t i = 0; i < good.size(); ++i)
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = good;
      changed[i] = char(byte);
      if (const auto read = decoded<Whole>(changed)) EXPECT_EQ(encoded(*read), changed);
    }
}

TEST(Record, ReportsAllProblemsOfWhatIsSent) {
  Problems problems;
  Whole whole;
  const Node node = read_json(R"({"text":1,"number":"x","at":"now","part":{"name":"x"},"parts":[{"count":1},3],"extra":1})", {"request", 1})
                        .value();
  Section section(node, "the request", problems);
  record::take(section, whole);
  std::string all;
  for (Error const& problem : problems) all += problem.message + "\n";
  for (std::string_view word : {"'text'", "'number'", "'at'", "'count'", "'name'", "'extra'"})
    EXPECT_NE(all.find(word), std::string::npos) << word << " in\n" << all;
}

}  // namespace
}  // namespace equipoise
