#include "equipoise/report/context.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "equipoise/report/assets.h"
#include "equipoise/report/variants.h"
#include "equipoise/report/visits_fixture.h"

namespace equipoise::report {
namespace {

/// Relative luminance of "#rrggbb" and contrast of two colours: WCAG 2.1, definitions.
double luminance(std::string_view colour) {
  double sum = 0;
  const double weights[] = {0.2126, 0.7152, 0.0722};
  for (std::size_t i = 0; i < 3; ++i) {
    const double c = std::stoi(std::string(colour.substr(1 + 2 * i, 2)), nullptr, 16) / 255.0;
    sum += weights[i] * (c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4));
  }
  return sum;
}

double contrast(std::string_view a, std::string_view b) {
  const double x = luminance(a), y = luminance(b);
  return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

TEST(Palette, CanBeReadInLightAndDark) {
  for (int slot = 0; slot < palette_slots; ++slot) {
    EXPECT_GE(contrast(palette(slot, false), "#ffffff"), 4.5) << slot;
    EXPECT_GE(contrast(palette(slot, true), "#171d26"), 4.5) << slot;  // the card in the dark, style.cpp
    // The style repaints each slot with the dark palette: the two lists may not drift apart.
    EXPECT_NE(style.find("svg .s" + std::to_string(slot) + "{stroke:" + std::string(palette(slot, true)) + "}"),
              std::string_view::npos)
        << slot;
    EXPECT_NE(style.find("svg .f" + std::to_string(slot) + "{fill:" + std::string(palette(slot, true)) + "}"),
              std::string_view::npos)
        << slot;
  }
}

TEST(ArmStyles, FollowTheDoseNotTheFile) {
  protocol::Protocol p;
  results::Results r;
  fixture::dose_trial(2, p, r);
  std::swap(p.arms[1], p.arms[2]);
  const Context context(p, r, "en");
  EXPECT_EQ(context.style("placebo").slot, 0);
  EXPECT_EQ(context.style("dose1").slot, 2);
  EXPECT_EQ(context.style("dose2").slot, 6);
  p.arms[1].dose->unit = "mg";  // units that do not compare: protocol order
  EXPECT_EQ(Context(p, r, "en").style("dose2").slot, 2);
}

TEST(ArmStyles, DifferInColourAndInShape) {
  protocol::Protocol p;
  results::Results r;
  fixture::dose_trial(5, p, r);
  const Context context(p, r, "en");
  std::set<std::string_view> colours;
  std::set<int> shapes;
  for (auto const& arm : p.arms) {
    colours.insert(context.style(arm.id).colour);
    shapes.insert(context.style(arm.id).shape);
  }
  EXPECT_EQ(colours.size(), 6u);
  EXPECT_EQ(shapes.size(), 6u);
}

TEST(Notes, NameArmsAndVisitsAndLeaveTheRest) {
  protocol::Protocol protocol;
  results::Results results;
  fixture::repeated_trial(protocol, results);
  const Context context(protocol, results, "en"), chinese(protocol, results, "zh");
  EXPECT_EQ(context.note("Carried to visit 'w48': 4 values of 'placebo'."), "Carried to visit “Week 48”: 4 values of “Placebo”.");
  EXPECT_EQ(chinese.note("Reference: 'placebo'."), "Reference: “安慰剂”.");
  // An apostrophe, an unknown id, and a level of a covariate that is called like an arm.
  EXPECT_EQ(context.note("Satterthwaite's approximation at visit 'w48'; the LS mean of dose@baseline 'placebo'; 'x'."),
            "Satterthwaite's approximation at visit “Week 48”; the LS mean of dose@baseline 'placebo'; 'x'.");
  EXPECT_EQ(context.note("A participant's"), "A participant's");
  EXPECT_EQ(context.note(""), "");
}

}  // namespace
}  // namespace equipoise::report
