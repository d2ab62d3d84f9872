#include "equipoise/stats/method.h"

#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

Answer example() {
  return {.findings = {
              {.quantity = "estimate", .at = {{"term", Term{{"age", {}}, {"arm", "b"}}}}, .value = 1, .se = 0.5, .p = 0.04},
              {.quantity = "hazard_ratio", .at = {{"term", Term{{"age", {}}, {"arm", "b"}}}}, .value = 3, .lower = 2, .upper = 4},
              {.quantity = "quantile", .at = {{"prob", 0.5}}, .value = 8, .lower = 5, .upper = missing_number},
              {.quantity = "chi_square", .value = 7, .df = 2, .p = 0.03}}};
}

TEST(Answer, ReadsAFindingByItsQuantityAndPlace) {
  EXPECT_EQ(example().read("chi_square", {}), 7);
  EXPECT_EQ(example().read("quantile", {{"prob", 0.5}}), 8);
  EXPECT_EQ(example().read("quantile", {{"prob", 0.25}}), std::nullopt);
  EXPECT_EQ(example().read("t", {}), std::nullopt);
}

TEST(Answer, ReadsTheFieldsOfAFindingAtItsPlace) {
  EXPECT_EQ(example().read("df", {}), 2);
  EXPECT_EQ(example().read("p", {}), 0.03);
  EXPECT_EQ(example().read("se", {}), std::nullopt);
}

TEST(Answer, ReadsLimitsByTheNameOfTheirQuantity) {
  const At swapped{{"term", Term{{"arm", "b"}, {"age", {}}}}};  // factors in another order
  EXPECT_EQ(example().read("se", swapped), 0.5);
  EXPECT_EQ(example().read("hazard_ratio_lower", swapped), 2);
  EXPECT_EQ(example().read("hazard_ratio_upper", swapped), 4);
  EXPECT_EQ(example().read("estimate_upper", swapped), std::nullopt);
  EXPECT_EQ(example().read("_upper", swapped), std::nullopt);
}

TEST(Answer, ReadsTheSideOfAQuantile) {
  EXPECT_EQ(example().read("quantile", {{"prob", 0.5}, {"side", "lower"}}), 5);
  EXPECT_TRUE(std::isnan(example().read("quantile", {{"prob", 0.5}, {"side", "upper"}}).value()));
  EXPECT_EQ(example().read("quantile", {{"prob", 0.5}, {"side", "middle"}}), std::nullopt);
}

TEST(Frame, HandsOutColumnsByNameAndKind) {
  testing::Table table;
  table.numbers("x", {1, 2}).category("arm", {"a", "b"}, {1, 0});
  Frame const& frame = table.frame();
  EXPECT_EQ(frame.numbers("x")[1], 2);
  EXPECT_EQ(frame.categories("arm").codes[0], 1);
  EXPECT_THROW(frame.numbers("y"), ContractViolation);
  EXPECT_THROW(frame.numbers("arm"), ContractViolation);
  EXPECT_THROW(frame.categories("x"), ContractViolation);
}

}  // namespace
}  // namespace equipoise::stats
