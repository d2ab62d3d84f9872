#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/report/headline.h"
#include "equipoise/report/page.h"
#include "equipoise/report/page_checks.h"
#include "equipoise/report/visits_fixture.h"

namespace equipoise::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Made {
  protocol::Protocol protocol;
  results::Results results;
  Made() { fixture::repeated_trial(protocol, results); }
  std::string page(std::string const& language = "en") const { return html(protocol, results, {.language = language}); }
};

TEST(VisitsPage, ShowsEveryPartOfRepeatedMeasures) {
  const Made made;
  const std::string page = kept("visits", made.page());
  expect_balanced(page);
  EXPECT_EQ(page, made.page());
  for (const char* section : {"id=\"visits\"", "id=\"missing\"", "id=\"checks\""}) EXPECT_THAT(page, HasSubstr(section));
  const std::string seen = without_files(page);
  for (const char* caption : {"LS means by visit, full analysis set", "differences from Placebo by visit",
                              "every participant, full", "values seen and missing", "which visits participants have",
                              "how far imputed values would have to shift", "scaled residuals", "correlation between visits"})
    EXPECT_EQ(count(seen, caption), 1u) << caption;
  EXPECT_EQ(count(page, "<svg "), count(page, ">SIMULATED</text>"));  // each figure says so by itself
}

TEST(VisitsPage, SpeaksChinese) {
  const std::string whole = kept("visits-zh", Made().page("zh")), page = without_files(whole);
  expect_balanced(whole);
  for (const char* text :
       {"各访视最小二乘均值", "各访视与安慰剂之差", "每名受试者", "缺失数据", "插补值需偏移多少", "模型诊断", "标准差"})
    EXPECT_THAT(page, HasSubstr(text));
  for (const char* text : {"LS mean change", "Difference", "Shift", "Residual", "Until", "Week"})
    EXPECT_THAT(page, Not(HasSubstr(text)));
}

TEST(VisitsPage, HeadlinesTheVisitOfTheEndpointOnly) {
  const Made made;
  const Context context(made.protocol, made.results, "en");
  const auto shown = effects(context, made.results.runs[0]);
  ASSERT_EQ(shown.size(), 2u);  // of 18 differences by visit and two over all visits
  for (const auto* record : shown) EXPECT_EQ(std::get<Term>(record->finding.at.at("within")), (Term{{"visit", "w48"}}));
  EXPECT_THAT(made.page(), HasSubstr("Low dose against Placebo, Week 48: 35 (95% interval 9 to 61"));
}

TEST(VisitsPage, HoldsNothingWithoutItsRecords) {
  Made made;
  made.results.records.clear(), made.results.curves.clear();
  const std::string page = made.page();
  expect_balanced(page);
  for (const char* section : {"id=\"visits\"", "id=\"missing\"", "id=\"checks\""}) EXPECT_THAT(page, Not(HasSubstr(section)));
}

TEST(VisitsPage, HoldsWhatIsNotEstimable) {
  Made made;
  for (auto& record : made.results.records) {
    Finding& f = record.finding;
    f.value = fixture::ne, f.se = f.df = f.lower = f.upper = f.p = fixture::ne;
  }
  for (auto& curve : made.results.curves)
    for (auto& [name, values] : curve.series.columns)
      if (name != "visit" && name != "pattern" && name != "observed" && name != "participants")
        for (double& value : values) value = fixture::ne;
  const std::string page = kept("visits-ne", made.page());
  expect_balanced(page);
  for (const char* number : {">nan", "\"nan", " nan "}) EXPECT_THAT(page, Not(HasSubstr(number)));
  EXPECT_THAT(page, HasSubstr("NE: not estimable"));
}

TEST(VisitsPage, EscapesEveryText) {
  Made made;
  const std::string payload = "\"'><script>alert(1)</script>";
  for (auto& arm : made.protocol.arms) arm.label = fixture::text(payload, payload);
  for (auto& visit : made.protocol.visits) visit.label = fixture::text(payload, payload);
  made.protocol.endpoints[0].label = made.protocol.sets[0].label = fixture::text(payload, payload);
  made.protocol.derivations[0].unit = payload;
  for (auto& run : made.results.runs) run.notes.push_back(payload), run.title = run.role = payload;
  for (auto& record : made.results.records) record.footnotes = {payload};
  for (auto& curve : made.results.curves)
    if (const auto found = curve.series.at.find("difference"); found != curve.series.at.end())
      found->second = LevelDifference{payload, payload, payload};
  for (const char* language : {"en", "zh"}) {
    const std::string page = made.page(language);
    expect_balanced(page);
    EXPECT_EQ(count(page, "<script"), 1u);
  }
}

TEST(VisitsPage, HoldsManyArmsAndFewParticipants) {
  Made made;
  // Five more arms with long names, each like the second dose; six participants each.
  for (int a = 3; a <= 5; ++a) {
    const std::string id = "dose" + std::to_string(a);
    protocol::Arm arm = made.protocol.arms.back();
    arm.id = id, arm.dose->amount = 5e5 * a;
    arm.label = fixture::text("Umbilical-cord mesenchymal stem cells by intravenous infusion, dose level " + std::to_string(a));
    made.protocol.arms.push_back(arm);
    const auto renamed = [&](At at) {
      for (auto& [key, value] : at) {
        if (auto* term = std::get_if<Term>(&value)) {
          for (Factor& factor : *term)
            if (factor.level == "dose2") factor.level = id;
        } else if (auto* difference = std::get_if<LevelDifference>(&value)) {
          if (difference->level == "dose2") difference->level = id;
        } else if (auto* group = std::get_if<std::string>(&value)) {
          if (*group == "dose2") *group = id;
        }
      }
      return at;
    };
    const std::size_t records = made.results.records.size(), curves = made.results.curves.size();
    for (std::size_t i = 0; i < records; ++i) {
      results::Record record = made.results.records[i];
      const At at = renamed(record.finding.at);
      if (at == record.finding.at) continue;
      record.finding.at = at, record.finding.value += 9 * a;
      if (record.finding.lower) *record.finding.lower += 9 * a, *record.finding.upper += 9 * a;
      made.results.records.push_back(record);
    }
    for (std::size_t i = 0; i < curves; ++i) {
      results::Curve curve = made.results.curves[i];
      const At at = renamed(curve.series.at);
      if (at == curve.series.at) continue;
      curve.series.at = at;
      made.results.curves.push_back(curve);
    }
  }
  for (auto& curve : made.results.curves) {
    if (curve.series.quantity != "trajectory") continue;
    auto& columns = curve.series.columns;
    std::size_t n = 0;
    while (n < columns[0].second.size() && columns[0].second[n] < 6) ++n;
    for (auto& [name, values] : columns) values.resize(n);
  }
  const std::string page = kept("visits-many", made.page());
  expect_balanced(page);
  EXPECT_THAT(page, HasSubstr("One panel for each participant"));
}

TEST(VisitsPage, SpeaksOfRatiosWhereTheResponseIsALogarithm) {
  Made made;
  made.protocol.endpoints[0].transform = "log",
  made.protocol.endpoints[0].variable = expression::Expression("cd4", expression::Type::number, nullptr);
  made.protocol.endpoints[0].label = fixture::text("CD4 count", "CD4计数");
  std::vector<results::Record> back;
  for (auto& record : made.results.records) {
    Finding& f = record.finding;
    const bool mean = f.at.contains("lsmean"), difference = f.at.contains("difference");
    if (record.analysis != "a01" || !(mean || difference)) continue;
    f.value = f.value / 400 + (mean ? std::log(310.0) : 0), f.se = *f.se / 400;
    f.lower = f.value - 2 * *f.se, f.upper = f.value + 2 * *f.se;
    results::Record ratio = record;
    ratio.finding.quantity = mean ? "geometric_mean" : "geometric_mean_ratio";
    ratio.finding.value = std::exp(f.value), ratio.finding.lower = std::exp(*f.lower), ratio.finding.upper = std::exp(*f.upper);
    ratio.finding.se.reset(), ratio.finding.df.reset(), ratio.finding.scale = Scale::log;
    back.push_back(ratio);
  }
  made.results.records.insert(made.results.records.end(), back.begin(), back.end());
  std::erase_if(made.results.curves, [](auto const& curve) { return curve.series.quantity == "tipping_point"; });
  fixture::add_tipping_point(made.results, "a02", true);
  const std::string page = kept("visits-ratio", made.page());
  expect_balanced(page);
  EXPECT_THAT(page, HasSubstr("Geometric mean (/mm³), 95% interval; higher is better"));  // in the unit of the response
  EXPECT_THAT(page, HasSubstr("ratios to Placebo by visit"));
  EXPECT_THAT(page, HasSubstr("Ratio to Placebo, 95% interval; above 1 is better than Placebo"));
  EXPECT_THAT(page, Not(HasSubstr("LS mean change")));
}

TEST(VisitsPage, SetsTheAnalysesOfAnEndpointSideBySide) {
  Made made;
  const std::string page = without_files(kept("visits-compared", made.page()));
  EXPECT_EQ(count(page, "Change in CD4 from baseline: differences from Placebo in every analysis, Week 48, full analysis set"),
            1u);
  // Both analyses of both doses, at the endpoint's visit, and the side that is the better one.
  EXPECT_THAT(page, HasSubstr("Change in CD4 from baseline: 35 (9 to 61). Change in CD4 from baseline: 30 (4 to 56)."));
  EXPECT_THAT(page, HasSubstr("favours the other arm \u2192"));
  EXPECT_THAT(page, HasSubstr("\u2190 favours Placebo"));
  // The sensitivity analysis repeats no figure over visits, and has its table.
  EXPECT_EQ(count(page, "LS means by visit, full analysis set"), 1u);
  made.results.runs[1].role = "secondary";
  EXPECT_EQ(count(without_files(made.page()), "in every analysis"), 1u);
  made.results.runs[1].problem = "no answer";
  EXPECT_THAT(made.page(), Not(HasSubstr("in every analysis")));
}

TEST(VisitsPage, HasOneMeanAtAConstrainedBaseline) {
  Made made;
  made.protocol.endpoints[0].variable = expression::Expression("cd4", expression::Type::number, nullptr);
  for (const char* arm : {"placebo", "dose1", "dose2"}) {
    const bool control = std::string(arm) == "placebo";
    Finding f{.quantity = "estimate",
              .at = {{"lsmean", Term{{"arm", arm}, {"visit", "baseline"}}}},
              .value = control ? 187 : fixture::ne};
    f.se = control ? 4.5 : fixture::ne, f.lower = f.value - 9, f.upper = f.value + 9, f.n = control ? 72 : 0;
    made.results.records.push_back(fixture::record("a01", "mmrm", f));
  }
  const std::string page = kept("visits-constrained", made.page());
  expect_balanced(page);
  EXPECT_EQ(count(page, "one mean with Placebo"), 2u);
  EXPECT_THAT(page, HasSubstr("Dotted: from Baseline, where the model has one mean for all arms"));
  EXPECT_EQ(count(page, "class=\"from-baseline"), 2u);
  for (const char* shown : {">NE", "NE ("}) EXPECT_THAT(page, Not(HasSubstr(shown)));
}

TEST(VisitsPage, HoldsVisitsThatTheProtocolDoesNotPlace) {
  Made made;
  made.protocol.visits.clear();  // no days, no labels
  const std::string page = kept("visits-unplaced", made.page());
  expect_balanced(page);
  EXPECT_THAT(page, HasSubstr("Visits are evenly spaced."));
}

}  // namespace
}  // namespace equipoise::report
