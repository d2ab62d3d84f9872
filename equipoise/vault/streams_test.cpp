#include "equipoise/vault/streams.h"

#include <gmock/gmock.h>

#include <set>

#include "equipoise/vault/testing.h"

namespace equipoise::vault {
namespace {

using testing::blocks_by_stratum, testing::minimisation, testing::three_sites, testing::trial;
using ::testing::ElementsAre, ::testing::IsEmpty;

allocation::Rule rule(std::string_view randomisation, std::string_view head = "planned_participants = 12\n") {
  return rule_of(trial(randomisation, head)).value();
}

TEST(Streams, AreTheStrataOfMethodsThatKeepThemApart) {
  const auto blocks = rule(blocks_by_stratum);
  EXPECT_TRUE(has_strata(blocks));
  EXPECT_EQ(streams(blocks), 6u);
  EXPECT_EQ(stream_of(blocks, std::vector<std::int32_t>{1, 1}), "site=s2,sex=M");
  for (std::size_t stream = 0; stream < 6; ++stream) EXPECT_EQ(stream_number(blocks, levels_of(blocks, stream)), stream);
  EXPECT_THAT(levels_of(blocks, 1), ElementsAre(1, 0));
}

TEST(Streams, AreOneForMinimisationAndWithoutFactors) {
  for (auto const& one :
       {rule(minimisation), rule("method = \"simple\"\n"), rule("method = \"permuted_block\"\nblock_sizes = [3]\n")}) {
    EXPECT_FALSE(has_strata(one));
    EXPECT_EQ(streams(one), 1u);
    EXPECT_EQ(stream_of(one, {}), "trial");
  }
}

TEST(Streams, NeverShareAName) {
  const auto strange = protocol::load_all(R"(format = 1
[trial]
id = "t"
title = "t"
version = "1"
planned_participants = 4
[[arm]]
id = "a"
role = "investigational"
[[arm]]
id = "b"
role = "investigational"
[schedule]
visit = [{ id = "screening", day = -7, forms = ["f"] }]
[form.f]
x = { kind = "code", codes = [["1", "one"], ["1,y=2", "two"], ["%3D", "three"], ["=", "four"]] }
y = { kind = "code", codes = [["2", "one"], ["2,y=2", "two"]] }
[randomisation]
method = "permuted_block"
block_sizes = [2]
factors = [{ id = "x", rule = "x@screening" }, { id = "y", rule = "y@screening" }]
)",
                                          "t.toml")
                           .protocol;
  const auto made = rule_of(strange);
  ASSERT_TRUE(made) << made.error().message;
  std::set<std::string> names;
  for (std::size_t stream = 0; stream < streams(*made); ++stream) names.insert(stream_of(*made, levels_of(*made, stream)));
  EXPECT_EQ(names.size(), 8u);
  EXPECT_TRUE(names.contains("x=1%2Cy%3D2,y=2"));
  EXPECT_TRUE(names.contains("x=%253D,y=2"));
}

TEST(ListedPlaces, AreThePlannedParticipantsOrTheSmallestCap) {
  EXPECT_THAT(listed_places(rule(blocks_by_stratum)), ElementsAre(12, 12, 2, 12, 12, 2));  // s3 takes two
  EXPECT_THAT(listed_places(rule("method = \"simple\"\n")), ElementsAre(12));
}

TEST(ListedPlaces, AreNoneWhereAnArmDependsOnOtherStrata) {
  EXPECT_THAT(listed_places(rule(minimisation)), IsEmpty());
  EXPECT_THAT(listed_places(rule("method = \"taves\"\n" + three_sites)), IsEmpty());
  EXPECT_THAT(listed_places(rule("method = \"simple\"\ncaps = { a = 3 }\n")), IsEmpty());
}

TEST(ListedPlaces, AreNoneOfATrialWithoutASizeOrWithTooGreatAOne) {
  EXPECT_THAT(listed_places(rule("method = \"simple\"\n", "")), IsEmpty());
  EXPECT_THAT(listed_places(rule("method = \"simple\"\n", "planned_participants = 262144\n")), ElementsAre(262144));
  EXPECT_THAT(listed_places(rule("method = \"simple\"\n", "planned_participants = 262145\n")), IsEmpty());
}

}  // namespace
}  // namespace equipoise::vault
