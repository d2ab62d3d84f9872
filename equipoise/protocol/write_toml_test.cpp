#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "equipoise/protocol/toml.h"

namespace equipoise::protocol {
namespace {

/// Keys of all tables in their order, which canonical bytes do not show.
std::string order_of(Node const& node) {
  std::string out;
  if (auto const* table = node.table())
    for (Node::Member const& member : *table) out += member.key + "(" + order_of(member.value) + ")";
  if (auto const* array = node.array())
    for (Node const& element : *array) out += "[" + order_of(element) + "]";
  return out;
}

void expect_same_again(std::string const& bytes, std::string const& file) {
  const auto read = read_toml(bytes, file);
  ASSERT_TRUE(read) << to_string(read.error().front());
  const std::string written = write_toml(*read);
  const auto again = read_toml(written, "written.toml");
  ASSERT_TRUE(again) << to_string(again.error().front()) << "\n" << written;
  EXPECT_EQ(canonical(*again), canonical(*read)) << written;
  EXPECT_EQ(order_of(*again), order_of(*read)) << written;
  EXPECT_EQ(write_toml(*again), written);
}

TEST(WriteToml, IsReadBackWithItsOrder) {
  expect_same_again(R"(format = 1
"odd key" = "a \"quoted\" \\ text\twith\nlines \u0001 and 年龄"
source = { file = "x.csv", item = [{ item = "a", column = "b" }] }
later = 5
[trial]
id = "t"
title = { en = "A", zh = "甲" }
version = "1.0"
[form.lab]
b = { kind = "number", hard = [0, 3e3] }
a = { kind = "number" }
[form.empty]
[form.other]
c = { x = 1.5e-7, y = -2.0, z = 1e20, when = 2020-02-29, no = [], none = {}, truth = false }
[[arm]]
id = "one"
dose = { amount = 0 }
label.en = "dotted"
[[arm]]
id = "two"
[schedule]
visit = [
  { id = "b", forms = ["lab"] },
]
after = "the list"
baseline.rule = "last"
any_time = []
[schedule.deep]
x = 1
)",
                    "t.toml");
}

TEST(WriteToml, PutsATableInLineWhenAValueFollowsIt) {
  const auto read = read_toml("a = { b = { c = 1 }, d = 2 }\ne = 3\n[f]\ng = 4\n", "t.toml");
  ASSERT_TRUE(read);
  EXPECT_EQ(write_toml(*read), "a = { b = { c = 1 }, d = 2 }\ne = 3\n\n[f]\ng = 4\n");
}

TEST(WriteToml, WritesEveryProtocolOfOurs) {
  int files = 0;
  for (char const* folder : {"examples", "tests/integration"})
    for (auto const& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.path().extension() != ".toml") continue;
      std::ifstream file(entry.path(), std::ios::binary);
      std::ostringstream bytes;
      bytes << file.rdbuf();
      expect_same_again(bytes.str(), entry.path().string());
      ++files;
    }
  EXPECT_GT(files, 5) << "tests run in the folder of the repository";
}

}  // namespace
}  // namespace equipoise::protocol
