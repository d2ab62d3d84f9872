#include "equipoise/report/rehearsal_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "equipoise/report/page_checks.h"
#include "equipoise/report/rehearsal/figures.h"
#include "equipoise/report/rehearsal/fixture.h"
#include "equipoise/report/rehearsal/tables.h"

namespace equipoise::report {
namespace {

namespace fixture = rehearsal::fixture;
using ::testing::HasSubstr;
using ::testing::Not;

struct Made {
  protocol::Protocol plan = fixture::protocol();
  results::Rehearsal rehearsal = fixture::rehearsal();
  std::string page(std::string const& language = "en") const { return rehearsal_page(plan, rehearsal, {.language = language}); }
};

Made whole() {
  Made made;
  fixture::add_monitoring(made.rehearsal);
  fixture::add_grids(made.rehearsal);
  return made;
}

/// What holds of every page, whatever is in it.
void expect_sound(std::string const& page) {
  expect_balanced(page);
  EXPECT_THAT(page, HasSubstr("<strong>"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("url(")));
  EXPECT_THAT(page, Not(HasSubstr("@import")));
  EXPECT_THAT(page, Not(HasSubstr("<link")));
  EXPECT_EQ(count(page, "nan"), count(page, "rovenance"));  // and no number that is none
  EXPECT_EQ(count(page, "http"), count(page, "http://www.w3.org/2000/svg") + count(page, "http-equiv"));
  EXPECT_THAT(page, HasSubstr("default-src &#39;none&#39;"));
  // Each figure is an image with a name, labelled as simulated; the keys in tables are decoration.
  const std::size_t figures = count(page, "<svg ") - count(page, "class=\"key\"");
  EXPECT_EQ(count(page, "role=\"img\" aria-label=\""), figures);
  EXPECT_EQ(count(page, "aria-label=\"\""), 0u);
  EXPECT_EQ(count(page, "class=\"watermark\""), figures);
}

TEST(RehearsalPage, SameDocumentsGiveTheSameBytes) {
  const Made made = whole();
  const std::string page = kept("rehearsal", made.page());
  EXPECT_EQ(page, made.page());
  EXPECT_EQ(page, rehearsal_page(made.plan, made.rehearsal));  // the first language of the protocol
  expect_sound(page);
}

TEST(RehearsalPage, IsLabelledSimulatedBeforeAnythingElse) {
  const std::string page = Made().page();
  EXPECT_THAT(page, HasSubstr("<title>SIMULATED: msc-inr, What this plan is worth</title>"));
  EXPECT_LT(page.find("<strong>SIMULATED</strong>"), page.find("<h1>"));
  EXPECT_THAT(page, HasSubstr("ASSUMPTION"));
}

TEST(RehearsalPage, HasItsPartsInOrder) {
  const std::string page = whole().page();
  std::size_t at = 0;
  for (const char* id :
       {"words", "claims", "analyses", "families", "monitoring", "grids", "estimates", "conduct", "assumptions", "provenance"}) {
    const std::size_t found = page.find("<section id=\"" + std::string(id) + "\"");
    ASSERT_NE(found, std::string::npos) << id;
    EXPECT_GT(found, at) << id;
    at = found;
  }
}

TEST(RehearsalPage, PrintsEveryNumberWithItsError) {
  const std::string texts = texts_of(whole().page());
  for (const char* text : {"4.7 |   | (0.2)",
                           "32.0 |   | (0.5)",
                           "95.0 |   | (0.2)",
                           "0/10,000",
                           "1088 |   | (3)",
                           "51.70 |   | (0.10)",
                           "50.60 |   | (0.06)",
                           "12.6 |   | (0.3)",
                           "12.40 |   | (0.04)",
                           "540 |   | (2)",
                           "61.2 |   | (0.2)",
                           "at least one rejects",
                           "41.0 |   | (0.5)",
                           "true here",
                           "none is true",
                           "Seed 7",
                           "10,000 trials in each scenario",
                           "equipoise simulate msc-inr.toml --seed 7 --scenario no-effect --scenario drift-only --scenario "
                           "as-published --grid by_effect --grid by_drift_and_size",
                           "everybody takes all doses",
                           "noise_cv = 0.18"}) {
    std::string wanted = text;
    for (std::size_t blank; (blank = wanted.find("|   |")) != std::string::npos;) wanted.replace(blank, 5, "|");
    std::string flat = texts;
    for (std::size_t blank; (blank = flat.find(" | (")) != std::string::npos;) flat.replace(blank, 4, " (");
    for (std::size_t blank; (blank = wanted.find(" | (")) != std::string::npos;) wanted.replace(blank, 4, " (");
    for (std::size_t two; (two = flat.find("  (")) != std::string::npos;) flat.replace(two, 3, " (");
    EXPECT_THAT(flat, HasSubstr(wanted)) << text;
  }
}

TEST(RehearsalPage, EscapesWhateverItIsGiven) {
  Made made = whole();
  const std::string nasty = "</title><script>alert(1)</script><img src=x onerror=\"y\"> & \xff {0} {} " + std::string(6000, 'w');
  made.plan.trial.title = fixture::text(nasty), made.plan.arms[1].label = fixture::text(nasty);
  made.plan.claims[0].label = fixture::text(nasty), made.plan.endpoints[0].label = fixture::text(nasty), made.plan.file = nasty;
  auto& r = made.rehearsal;
  r.trial = r.version = r.protocol_digest = nasty;
  for (auto& one : r.scenarios)
    one.id = nasty + one.id, one.notes = {nasty}, one.hypotheses[0].id = nasty, one.monitoring[0].looks[0].id = nasty;
  for (auto& one : r.grids) one.id = one.scenario = one.axes[0].label = nasty;
  const std::string page = kept("rehearsal_nasty", made.page());
  expect_balanced(page);
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, Not(HasSubstr("\xff")));
}

TEST(RehearsalPage, StandsWithNothingInIt) {
  Made made;
  made.rehearsal = {};
  const std::string page = kept("rehearsal_empty", made.page());
  expect_sound(page);
  EXPECT_THAT(page, HasSubstr("No scenario was rehearsed."));
  EXPECT_THAT(page, Not(HasSubstr("<section id=\"claims\"")));
  made.plan = {};
  expect_sound(made.page());
  made.rehearsal.scenarios.resize(2);  // scenarios in which nothing was asked
  expect_sound(made.page());
}

TEST(RehearsalPage, StandsWithNoneOrOneReplicate) {
  for (const std::int64_t of : {0, 1, 2}) {
    Made made;
    made.rehearsal = fixture::rehearsal(of);
    fixture::add_monitoring(made.rehearsal), fixture::add_grids(made.rehearsal, of);
    for (auto& scenario : made.rehearsal.scenarios) {
      scenario.accrual = {};
      for (auto& one : scenario.statements) {
        one.mean.reset(), one.bias.reset(), one.empirical_se.reset(), one.model_se.reset(), one.truth.reset(),
            one.coverage.reset();
        one.estimates.resize(std::min<std::size_t>(one.estimates.size(), std::size_t(of)));
        one.lower.resize(one.estimates.size()), one.upper.resize(one.estimates.size());
      }
      scenario.accrual_days = scenario.trial_days = scenario.screened = {1, missing_number};
    }
    const std::string page = kept("rehearsal_" + std::to_string(of), made.page());
    expect_sound(page);
    EXPECT_THAT(page, Not(HasSubstr("near the nominal")));
  }
}

TEST(RehearsalPage, LeavesOutWhatIsNoNumber) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  Made made = whole();
  for (auto& scenario : made.rehearsal.scenarios) {
    auto& one = scenario.statements[0];
    one.estimates[0] = missing_number, one.estimates[1] = infinite, one.estimates[2] = -1e300, one.upper[3] = infinite,
    one.lower[4] = missing_number;
    one.lower.resize(20);
    one.truth = results::Measured{}, one.mean = results::Measured{infinite, infinite}, one.bias = results::Measured{};
    scenario.statements[1].estimates.assign(40, 5.0);  // no spread
    scenario.accrual.days[2][3] = missing_number;
    scenario.guessed = {};
  }
  made.rehearsal.grids[0].axes[0].values[1] = missing_number;
  const std::string page = kept("rehearsal_holes", made.page());
  expect_sound(page);
  EXPECT_THAT(page, HasSubstr("3 not finite"));
  EXPECT_THAT(page, Not(HasSubstr("middle 90%")));  // a fan with a hole is not drawn
}

TEST(RehearsalPage, SaysWhenAGridIsNotWhole) {
  Made made = whole();
  made.rehearsal.grids[1].cells.pop_back();
  made.rehearsal.grids[0].axes.clear();
  const std::string page = made.page();
  expect_sound(page);
  EXPECT_THAT(page, HasSubstr("Grid by_drift_and_size has 5 cells where its axes ask for 6; it is not drawn."));
  EXPECT_THAT(page, HasSubstr("Grid by_effect has 4 cells where its axes ask for 0"));
}

TEST(RehearsalPage, DrawsACellForEveryNumberOfAGrid) {
  const Made made = whole();
  const rehearsal::Names names(made.plan, made.rehearsal, "en");
  auto const& grid = made.rehearsal.grids[1];
  const auto series = rehearsal::figures::claims_of(names, grid);
  ASSERT_EQ(series.size(), 2u);
  const std::string map = rehearsal::figures::heat_maps(names, "Map", grid, series).bytes();
  EXPECT_EQ(count(map, "class=\"cell\""), 2 * 6u + 11u);  // and the key
  for (const char* number : {">12.3<", ">(1.0)<", ">62.3<", ">(1.5)<", ">36<", ">108<", ">Participants<", ">Drift<"})
    EXPECT_THAT(map, HasSubstr(number));
  // Three axes: a panel for each value of the first.
  results::Grid three = grid;
  three.axes.insert(three.axes.begin(), {"Sites", {"sites"}, {1, 2}});
  three.cells.insert(three.cells.end(), grid.cells.begin(), grid.cells.end());
  const std::string maps =
      rehearsal::figures::heat_maps(names, "Maps", three, rehearsal::figures::claims_of(names, three)).bytes();
  EXPECT_EQ(count(maps, "class=\"cell\""), 2 * 12u + 11u);
  EXPECT_THAT(maps, HasSubstr("Sites 2"));
}

TEST(RehearsalPage, ShadesAHeatMapFromLightToDark) {
  const auto lightness = [](std::string const& fill) {
    const auto part = [&](std::size_t at) { return double(std::stoi(fill.substr(at, 2), nullptr, 16)); };
    return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
  };
  double before = 256;
  for (int i = 0; i <= 20; ++i) {
    const double now = lightness(rehearsal::figures::shade(i / 20.0).fill);
    EXPECT_LT(now, before - 3) << i;  // a step that grey print shows
    before = now;
  }
  EXPECT_EQ(rehearsal::figures::shade(0.2).ink, "#12202b");
  EXPECT_EQ(rehearsal::figures::shade(0.9).ink, "#ffffff");
  EXPECT_EQ(rehearsal::figures::shade(missing_number).fill, rehearsal::figures::shade(0).fill);
}

TEST(RehearsalPage, OrdersTheIntervalsOfAZipPlotAndCountsTheMisses) {
  Made made;
  std::size_t missed = 0;
  auto const& one = made.rehearsal.scenarios[0].statements[0];
  for (std::size_t i = 0; i < one.estimates.size(); ++i) missed += one.lower[i] > 0 || one.upper[i] < 0;
  const rehearsal::Names names(made.plan, made.rehearsal, "en");
  const std::string figure = rehearsal::figures::zip(names, "Zip", "a01").bytes();
  EXPECT_THAT(figure, HasSubstr(">" + std::to_string(missed) + " of 40 miss<"));
  EXPECT_GT(missed, 0u);
  EXPECT_EQ(count(figure, " miss<"), 6u);  // two arms in three scenarios
  EXPECT_TRUE(rehearsal::figures::zip(names, "Zip", "a03").empty());
}

TEST(RehearsalPage, ShowsOneFanOfScenariosThatShareIt) {
  Made made;
  for (auto& days : made.rehearsal.scenarios[2].accrual.days)
    for (double& day : days) day *= 2;
  const rehearsal::Names names(made.plan, made.rehearsal, "en");
  const std::string figure = rehearsal::figures::accrual(names, "Fan").bytes();
  EXPECT_THAT(figure, HasSubstr(">no-effect and drift-only<"));
  EXPECT_THAT(figure, HasSubstr(">as-published<"));
  EXPECT_THAT(figure, HasSubstr(">Months since the trial opened<"));
}

TEST(RehearsalPage, SpeaksChinese) {
  const std::string page = kept("rehearsal_zh", whole().page("zh"));
  expect_sound(page);
  EXPECT_THAT(page, HasSubstr("<strong>模拟</strong>"));
  EXPECT_THAT(page, HasSubstr("本方案价值几何"));
  EXPECT_THAT(page, HasSubstr("剂量组内升高"));
  EXPECT_THAT(page, HasSubstr("lang=\"zh-Hans\""));
  for (const char* english : {"In plain words", "Monte Carlo", "Scenario", "Low dose", "Per cent"})
    EXPECT_THAT(page, Not(HasSubstr(english)));
}

}  // namespace
}  // namespace equipoise::report
