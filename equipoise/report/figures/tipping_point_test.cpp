#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equipoise/report/figures.h"
#include "equipoise/report/page_checks.h"
#include "equipoise/report/visits_fixture.h"

namespace equipoise::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Made {
  protocol::Protocol protocol;
  results::Results results;
  Made(std::vector<double> delta, std::vector<double> reference, std::vector<double> p) {
    fixture::repeated_trial(protocol, results);
    results.curves.clear();
    std::vector<double> estimate, lower, upper;
    for (const double one : p) estimate.push_back(10 - 20 * one), lower.push_back(-5), upper.push_back(15);
    results.curves.push_back({"a02",
                              {"tipping_point",
                               At{{"difference", LevelDifference{"arm", "dose1", "placebo"}}},
                               {{"delta", std::move(delta)},
                                {"delta_reference", std::move(reference)},
                                {"estimate", estimate},
                                {"lower", lower},
                                {"upper", upper},
                                {"p", std::move(p)}}}});
  }
  std::string figure() const { return figures::tipping_point(Context(protocol, results, "en"), results.runs[1]).bytes(); }
};

/// The first path of a class.
std::string path_of(std::string const& figure, std::string const& css) {
  const std::size_t at = figure.find("\" class=\"" + css + "\""), from = figure.rfind(" d=\"", at);
  return at == std::string::npos ? std::string() : figure.substr(from + 4, at - from - 4);
}

TEST(TippingPoint, DrawsTheBoundaryBetweenTheCellsOnItsSides) {
  // Shifts -1 and 0 of both arms; P is below 0.05 in one corner only: the boundary is two edges of that cell.
  const Made made({-1, 0, -1, 0}, {-1, -1, 0, 0}, {0.2, 0.01, 0.3, 0.1});
  const std::string figure = kept("tipping", made.figure());
  EXPECT_EQ(count(figure, "class=\"cell\""), 4u + 6);  // and the key
  // Cells are 84 by 46; the plot begins at 44 + 30 and 58. The corner is the right cell of the lower row.
  EXPECT_EQ(path_of(figure, "boundary"), "M158 150v-46M158 104h84");
  EXPECT_THAT(texts_of(figure), HasSubstr("6.0 | 0.200 | 9.8 | 0.010"));
  EXPECT_EQ(count(figure, "class=\"cell-ring\""), 1u);
  EXPECT_THAT(figure, HasSubstr("P is below 0.05 at 1 of the 4 shifts that were tried."));
  EXPECT_THAT(figure, HasSubstr("Shift of imputed values, Low dose"));
}

TEST(TippingPoint, ShadesByPSoThatPrintTellsThemApart) {
  const std::string figure = Made({-1, 0, -1, 0}, {-1, -1, 0, 0}, {0.0001, 0.005, 0.02, 0.7}).figure();
  for (const char* fill : {"#0b4f66", "#2b7f9c", "#8cc3d6"}) EXPECT_EQ(count(figure, fill), 2u) << fill;  // a cell and the key
  EXPECT_THAT(texts_of(figure), HasSubstr("P | &lt; 0.001 | 0.001 to 0.01 | 0.01 to 0.05 | 0.05 to 0.1 | 0.1 to 0.3 | ≥ 0.3"));
}

TEST(TippingPoint, LeavesTheNumbersOutOfManyCells) {
  std::vector<double> delta, reference, p;
  for (int i = 0; i < 40; ++i)
    for (int j = 0; j < 40; ++j) delta.push_back(i - 39), reference.push_back(j), p.push_back(i < j ? 0.2 : 0.01);
  const std::string figure = kept("tipping-many", Made(delta, reference, p).figure());
  EXPECT_EQ(count(figure, ">0.200<"), 0u);
  EXPECT_EQ(count(figure, "class=\"cell\""), 1600u + 6);
}

TEST(TippingPoint, IsALineWhereOneArmIsShifted) {
  const std::string figure = Made({-2, -1, 0}, {0, 0, 0}, {0.2, 0.06, 0.01}).figure();
  EXPECT_EQ(count(figure, "class=\"cell"), 0u);
  EXPECT_EQ(count(figure, "class=\"hollow"), 2u);
  EXPECT_EQ(count(figure, "class=\"mark "), 1u);
  EXPECT_EQ(count(figure, "class=\"whisker"), 3u);
  EXPECT_THAT(figure, HasSubstr("Low dose against Placebo: P reaches 0.05 between a shift of \u22121 and 0."));
  EXPECT_THAT(Made({-2, 0}, {0, 0}, {0.01, 0.02}).figure(), HasSubstr("P stays below 0.05 at every shift"));
  EXPECT_THAT(Made({0, 0}, {0, 3}, {0.3, 0.2}).figure(), HasSubstr("Shift of imputed values, Placebo"));
  EXPECT_THAT(Made({-1, 0}, {-1, 0}, {0.3, 0.2}).figure(),
              HasSubstr(">Shift of imputed values (/mm\u00b3)<"));  // one shift of both
}

TEST(TippingPoint, HoldsWhatIsNotEstimable) {
  const std::string figure = Made({-1, 0, -1, 0}, {-1, -1, 0, 0}, {fixture::ne, 0.01, 0.3, 0.1}).figure();
  EXPECT_THAT(figure, HasSubstr(">NE<"));
  EXPECT_THAT(figure, Not(HasSubstr("nan")));
  Made made({-1, 0}, {0, 0}, {0.1, 0.2});
  made.results.curves[0].series.columns[5].second.pop_back();
  EXPECT_EQ(made.figure(), "");
  made.results.curves.clear();
  EXPECT_EQ(made.figure(), "");
}

}  // namespace
}  // namespace equipoise::report
