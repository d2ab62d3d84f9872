#include "equipoise/vault/dose.h"

#include "equipoise/vault/testing.h"

namespace equipoise::vault {
namespace {

using testing::dosed_trial, testing::said;

std::string problems_of(protocol::Protocol const& protocol) {
  Problems problems;
  Doses::parse(protocol, problems);
  std::string all;
  for (Error const& problem : problems) all += problem.message + "\n";
  return all;
}
Doses doses(std::string_view intervention = "amount = \"dose * weight\"\n") {
  Problems problems;
  Doses made = Doses::parse(dosed_trial(intervention), problems);
  EXPECT_TRUE(problems.empty());
  return made;
}
allocation::DoseRequest request(double weight, std::string visit = "day1", std::string intervention = "infusion") {
  return {.number = 1, .intervention = std::move(intervention), .visit = std::move(visit), .weight_kg = weight};
}

TEST(Dose, IsTheDoseOfTheArmTimesTheWeight) {
  const Doses made = doses();
  const auto order = made.order(request(71.3), 2).value();
  EXPECT_EQ(order.amount, 1.07e8);  // 1.0695e8
  EXPECT_EQ(order.unit, "cells");
  EXPECT_EQ(order.formula, "dose * weight");
  EXPECT_EQ(order.dose, 1.5e6);
  EXPECT_EQ(order.weight_kg, 71.3);
  EXPECT_EQ(made.order(request(71.3), 1)->amount, 3.57e7);  // 3.565e7: as by hand
  EXPECT_EQ(made.order(request(71.3), 0)->amount, 0);
}

TEST(Dose, RoundsAsByHand) {
  EXPECT_EQ(rounded(1234.5, 3), 1230);
  EXPECT_EQ(rounded(1235, 3), 1240);
  EXPECT_EQ(rounded(1225, 3), 1230);
  EXPECT_EQ(rounded(1.005, 3), 1.01);  // which is 1.00499999999999989 in binary
  EXPECT_EQ(rounded(0.0012349, 4), 0.001235);
  EXPECT_EQ(rounded(9.996, 3), 10);
  EXPECT_EQ(rounded(9.5, 1), 10);
  EXPECT_EQ(rounded(0.95, 1), 1);
  EXPECT_EQ(rounded(1994, 2), 2000);
  EXPECT_EQ(rounded(0, 3), 0);
  EXPECT_EQ(rounded(1.5e8, 15), 1.5e8);
  EXPECT_EQ(rounded(123456789012345678.0, 15), 123456789012346e3);
  EXPECT_EQ(rounded(1e-300, 3), 1e-300);
}

TEST(C30_Dose, IsMonotoneInTheWeightAndWithinHalfADigit) {
  const Doses made = doses("amount = \"dose * weight\"\ndigits = 2\n");
  double before = 0;
  for (int tenths = 300; tenths <= 2000; ++tenths) {
    const double weight = tenths / 10.0, exact = 1.5e6 * weight, amount = made.order(request(weight), 2)->amount;
    EXPECT_GE(amount, before);
    EXPECT_NEAR(amount, exact, exact * 0.05 * (1 + 1e-12));
    before = amount;
  }
}

TEST(C30_Dose, RefusesWeightsThatNobodyHas) {
  const Doses made = doses();
  EXPECT_TRUE(made.order(request(30), 1));
  EXPECT_TRUE(made.order(request(200), 1));
  EXPECT_EQ(said(made.order(request(29.9), 1)), "a weight of 29.9 kg is outside the limits of 30 to 200 kg");
  EXPECT_FALSE(made.order(request(200.1), 1));
  EXPECT_FALSE(made.order(request(std::numeric_limits<double>::quiet_NaN()), 1));
  EXPECT_FALSE(made.order(request(std::numeric_limits<double>::infinity()), 1));
}

TEST(Dose, IsGivenAtItsVisits) {
  const Doses made = doses();
  EXPECT_EQ(said(made.order(request(70, "screening"), 1)), "'infusion' is not given at the visit 'screening'");
  EXPECT_EQ(said(made.order(request(70, "day1", "tablet"), 1)), "the protocol has no intervention 'tablet'");
  EXPECT_EQ(said(doses("").order(request(70), 1)), "the protocol states no amount of 'infusion'");
}

TEST(DoseFormula, IsAProduct) {
  const auto formula = parse_dose_formula(" 2 * dose*0.5 *weight ", 3);
  ASSERT_TRUE(formula);
  EXPECT_EQ(formula->factor, 1);
  EXPECT_TRUE(formula->dose && formula->weight);
  EXPECT_EQ(formula->amount(3, 10), 30);
  EXPECT_EQ(parse_dose_formula("0", 3)->amount(3, 10), 0);
  EXPECT_EQ(parse_dose_formula("dose", 3)->amount(3, 10), 3);
}

TEST(DoseFormula, SaysWhatItIsNot) {
  const std::string rule = "an amount is a product of 'dose', 'weight' and numbers from 0, and '{}' in '{}' is none of them";
  for (auto const& [text, part] :
       {std::pair("", ""), std::pair("dose *", ""), std::pair("dose ** weight", ""), std::pair("dose + weight", "dose + weight"),
        std::pair("dose * height", "height"), std::pair("-1 * dose", "-1"), std::pair("dose * nan", "nan"),
        std::pair("(dose)", "(dose)"), std::pair("0x10", "0x10")})
    EXPECT_EQ(said(parse_dose_formula(text, 3)), fmt::format(fmt::runtime(rule), part, text));
  EXPECT_EQ(said(parse_dose_formula("dose * dose", 3)), "'dose' is in the amount 'dose * dose' twice");
  EXPECT_EQ(said(parse_dose_formula("1e300 * 1e300", 3)), "the numbers of the amount '1e300 * 1e300' are too large");
}

TEST(Doses, ReportsUnitsAndArmsThatDoNotFit) {
  EXPECT_EQ(problems_of(dosed_trial()), "");
  EXPECT_EQ(problems_of(dosed_trial("amount = \"dose\"\n")),
            "the dose is in 'cells/kg', and the amount of 'infusion' does not multiply it by the weight\n");
  auto other = dosed_trial();
  other.arms[1].dose->unit = "mg/kg";
  EXPECT_EQ(problems_of(other), "the amount of 'infusion' is made from doses in 'cells/kg' and 'mg/kg', which do not compare\n");
  other = dosed_trial();
  other.arms[2].dose.reset();
  EXPECT_EQ(problems_of(other), "the amount of 'infusion' is made from the dose of the arm, and arm 'high' has none\n");
  other = dosed_trial();
  other.arms[0].dose.reset();
  other.arms[0].role = protocol::ArmRole::no_treatment;
  EXPECT_EQ(problems_of(other), "");
  other = dosed_trial();
  for (protocol::Arm& arm : other.arms) arm.dose->unit = "mg";
  EXPECT_EQ(problems_of(other), "the dose is in 'mg', and the amount of 'infusion' multiplies it by the weight\n");
}

}  // namespace
}  // namespace equipoise::vault
