#include "equipoise/report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "equipoise/core/digest.h"
#include "equipoise/report/assets.h"
#include "equipoise/report/figures.h"
#include "equipoise/report/headline.h"
#include "equipoise/report/page_checks.h"
#include "equipoise/report/tables.h"
#include "equipoise/report/variants.h"

namespace equipoise::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Page, SameDocumentsGiveTheSameBytes) {
  const std::string page = kept("cgd", html(fixture::cgd_protocol(), fixture::cgd_results()));
  EXPECT_EQ(page, html(fixture::cgd_protocol(), fixture::cgd_results()));
  expect_balanced(page);
}

TEST(Page, AsksNothingOfTheNetwork) {
  const std::string page = html(fixture::cgd_protocol(), fixture::cgd_results());
  EXPECT_THAT(page, Not(HasSubstr("src=")));
  EXPECT_THAT(page, Not(HasSubstr("url(")));
  EXPECT_THAT(page, Not(HasSubstr("@import")));
  EXPECT_THAT(page, Not(HasSubstr("<link")));
  EXPECT_EQ(count(page, "http"), count(page, "http://www.w3.org/2000/svg") + count(page, "http-equiv"));
  EXPECT_THAT(page, HasSubstr("default-src &#39;none&#39;"));
}

TEST(Page, LetsOnlyItsOwnScriptRun) {
  // The base64 of the script's SHA-256, made here another way: groups of six bits read off the hexadecimal digits.
  const std::string hex = sha256(script);
  std::string bits, expected;
  for (const char c : hex)
    for (int bit = 3; bit >= 0; --bit) bits += ((c <= '9' ? c - '0' : c - 'a' + 10) >> bit) & 1 ? '1' : '0';
  bits += "00";
  for (std::size_t i = 0; i < bits.size(); i += 6)
    expected += "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[std::stoul(bits.substr(i, 6), nullptr, 2)];
  EXPECT_THAT(html(fixture::cgd_protocol(), fixture::cgd_results()), HasSubstr("script-src &#39;sha256-" + expected + "=&#39;"));
}

TEST(Page, PrintsTheResultsNumbers) {
  const std::string page = html(fixture::cgd_protocol(), fixture::cgd_results());
  for (const char* text : {"<div class=\"value\">128</div>", "<div class=\"value\">0.335</div>", "95% interval 0.174 to 0.645",
                           "<div class=\"value\">P = 0.0006</div>", "chi-square statistic 11.74, 1 df, P\u00a0=\u00a00.0006",
                           "was 0.335 (95% interval 0.174 to 0.645, P\u00a0=\u00a00.0011)", "Placebo 30 of 65; rIFN-γ 14 of 63",
                           "59.2% to 81.3%", "246 to NE", "81.3%", "No P values"})
    EXPECT_THAT(page, HasSubstr(text));
  // The coefficient behind the hazard ratio is not shown beside it, its standard error is.
  EXPECT_THAT(page, Not(HasSubstr("\u22121.09")));
  EXPECT_EQ(count(page, "The standard error is that of the logarithm"), 1u);
  EXPECT_EQ(count(page, "NE: not estimable"), 2u);  // of the curve, and of the summary of its endpoint
}

TEST(Page, DrawsTheCurvesOfTheResults) {
  const protocol::Protocol p = fixture::cgd_protocol();
  const results::Results r = fixture::cgd_results();
  const Context context(p, r, "en");
  const auto curves = figures::curves_of(context, "a03");
  ASSERT_EQ(curves.size(), 2u);
  EXPECT_EQ(curves[0].group, "placebo");
  int checked = 0;
  for (auto const& record : r.records) {
    const auto time = record.finding.at.find("time");
    if (time == record.finding.at.end()) continue;
    auto const& curve = curves[std::get<std::string>(record.finding.at.at("group")) == "placebo" ? 0 : 1];
    const double day = std::get<double>(time->second);
    if (record.finding.quantity == "survival") {
      EXPECT_NEAR(curve.survival_at(day), record.finding.value, 5e-9);  // both printed by R with at least 8 digits
    } else {
      EXPECT_EQ(curve.at_risk_at(day), record.finding.value);
    }
    ++checked;
  }
  EXPECT_EQ(checked, 8);
  // The step at day 180 stands in the path: y = 364 - 330 S(180), in the figure's frame of 34 to 364.
  const std::string figure = figures::kaplan_meier(context, r.runs[2]).bytes();
  EXPECT_THAT(figure, HasSubstr("V" + coordinate(364 - 330 * curves[0].survival_at(180))));
  for (const char* n : {">65<", ">63<", ">55<", ">49<", ">45<", ">13<", ">10<"}) EXPECT_THAT(figure, HasSubstr(n));
  EXPECT_THAT(figure, HasSubstr("role=\"img\""));
  EXPECT_THAT(figure, HasSubstr("Days since randomisation"));
}

TEST(Page, GivesTheReadOutTheSameNumbersAsTheTables) {
  const std::string page = html(fixture::cgd_protocol(), fixture::cgd_results());
  // 0.719457 prints as 71.9%; rounded on the way to four places it would read 72.0%.
  EXPECT_THAT(page, HasSubstr("71.9%"));
  EXPECT_THAT(page, HasSubstr(",0.719457"));
  EXPECT_THAT(page, HasSubstr("data-km=\"{&quot;left&quot;:"));
}

TEST(Page, CountsEveryParticipantOnceInTheFlow) {
  const protocol::Protocol p = fixture::cgd_protocol();
  const results::Results r = fixture::cgd_results();
  const Context context(p, r, "en");
  const std::string figure = figures::participant_flow(context).bytes();
  EXPECT_THAT(figure, HasSubstr(">128</text>"));
  EXPECT_EQ(count(figure, ">Death</text>"), 2u);  // nobody died, and it is said so
  EXPECT_EQ(count(figure, ">0</text>"), 3u);
  EXPECT_EQ(count(figure, ">62</text>"), 2u);
}

TEST(Page, ShowsSeveralDosesEvenly) {
  protocol::Protocol p;
  results::Results r;
  fixture::dose_trial(2, p, r);
  const std::string page = kept("doses", html(p, r));
  expect_balanced(page);
  EXPECT_THAT(page, HasSubstr("Low dose against Placebo, P = 0.0010"));
  EXPECT_THAT(page, HasSubstr("High dose against Placebo, P = 0.0020"));
  EXPECT_THAT(page, Not(HasSubstr("<div class=\"value\">P =")));  // no comparison is singled out
  EXPECT_THAT(page, HasSubstr("0.5 \u00d7 10\u2076 cells/kg"));
  EXPECT_THAT(page, HasSubstr("Week 96"));
  EXPECT_THAT(page, HasSubstr("No answer: no event in any arm"));
  EXPECT_THAT(page, HasSubstr(">Missing<"));
}

TEST(Page, SaysThatDataAreSimulatedOnThePageAndInEveryFigure) {
  protocol::Protocol p;
  results::Results r;
  fixture::dose_trial(2, p, r);
  for (const bool by_protocol : {false, true}) {
    r.provenance.simulated = !by_protocol, p.trial.simulated = by_protocol;
    const std::string page = html(p, r);
    EXPECT_THAT(page, HasSubstr("class=\"banner\""));
    EXPECT_EQ(count(page, "<svg "), 3u);
    EXPECT_EQ(count(page, ">SIMULATED</text>"), 3u);
    EXPECT_EQ(count(page, "# SIMULATED data"), 3u);                    // the R code
    EXPECT_EQ(count(page, "<template class=\"csv\">simulated,"), 3u);  // the numbers, in each row
    EXPECT_THAT(page, HasSubstr("These numbers come from simulated participants."));
  }
  EXPECT_THAT(html(fixture::cgd_protocol(), fixture::cgd_results()), Not(HasSubstr("SIMULATED")));
}

TEST(Page, SpeaksChinese) {
  protocol::Protocol p;
  results::Results r;
  fixture::dose_trial(2, p, r);
  const std::string page = kept("doses-zh", html(p, r, {.language = "zh"}));
  expect_balanced(page);
  for (const char* text : {"lang=\"zh-Hans\"", "安慰剂", "低剂量", "风险比", "受试者流程", "模拟数据", "随机化后天数"})
    EXPECT_THAT(page, HasSubstr(text));
  for (const char* text : {"Participant flow", "Hazard ratio", "Number at risk", "Low dose"})
    EXPECT_THAT(page, Not(HasSubstr(text)));
}

TEST(Page, HoldsSixArmsWithLongLabels) {
  protocol::Protocol p;
  results::Results r;
  fixture::dose_trial(5, p, r, true);
  const std::string page = kept("long", html(p, r));
  expect_balanced(page);
  EXPECT_THAT(page, HasSubstr("dose level 5"));
  const std::string figure = figures::kaplan_meier(Context(p, r, "en"), r.runs[2]).bytes();
  for (int d = 1; d <= 5; ++d)
    EXPECT_THAT(figure, HasSubstr("level " + std::to_string(d) + "</text>"));  // a shortened label keeps its end
}

TEST(Page, HoldsOneArmWithoutEvents) {
  protocol::Protocol p = fixture::cgd_protocol();
  results::Results r = fixture::cgd_results();
  p.arms.resize(1), r.flow.resize(1), r.records.clear(), r.curves.resize(1);
  auto& columns = r.curves[0].series.columns;
  columns = {{"time", {10, 20}},
             {"survival", {1, 1}},
             {"lower", {fixture::ne, fixture::ne}},
             {"upper", {fixture::ne, fixture::ne}},
             {"n_at_risk", {2, 1}},
             {"n_events", {0, 0}},
             {"n_censored", {1, 1}}};
  for (auto& item : r.baseline) item.cells.resize(2);
  const std::string page = kept("one-arm", html(p, r));
  expect_balanced(page);
  EXPECT_THAT(page, HasSubstr("class=\"curve s0\""));
  EXPECT_THAT(page, Not(HasSubstr("class=\"band")));
}

TEST(Page, ShowsADifferenceBesideARatioAndNotTheLogarithmOfARatio) {
  results::Results r = fixture::cgd_results();
  r.records.clear(), r.runs.resize(1), r.runs[0].id = "a01", r.runs[0].method = "rmst_difference";
  const At place{{"level", std::string("ifn")}, {"minus", std::string("placebo")}};
  Finding difference, ratio;
  difference.quantity = "estimate", difference.at = place, difference.value = 13.7, difference.se = 6.68, difference.lower = 0.6,
  difference.upper = 26.8;
  ratio.quantity = "rmst_ratio", ratio.at = place, ratio.value = 1.54, ratio.lower = 0.987, ratio.upper = 2.42;
  r.records = {fixture::record("a01", "rmst_difference", difference), fixture::record("a01", "rmst_difference", ratio)};
  std::string page = html(fixture::cgd_protocol(), r);
  EXPECT_THAT(page, HasSubstr("<span class=\"est\">13.7</span>"));
  EXPECT_THAT(page, HasSubstr("<span class=\"est\">1.54</span>"));
  EXPECT_THAT(page, Not(HasSubstr("The standard error is that of the logarithm")));  // 6.68 is not
  r.records[0].finding.value = std::log(1.54), r.records[0].finding.se = 0.228;
  page = html(fixture::cgd_protocol(), r);
  EXPECT_THAT(page, Not(HasSubstr("<span class=\"est\">0.43")));
  EXPECT_THAT(page, HasSubstr("The standard error is that of the logarithm"));
}

TEST(Page, SaysWhichMeansAndDifferencesAreMeant) {
  results::Results r = fixture::cgd_results();
  r.records.clear(), r.runs.resize(1), r.runs[0].id = "a01", r.runs[0].method = "ancova";
  const auto estimate = [&](At at, double value) {
    Finding f;
    f.quantity = "estimate", f.at = std::move(at), f.value = value, f.lower = value - 1, f.upper = value + 1;
    r.records.push_back(fixture::record("a01", "ancova", f));
  };
  estimate({{"lsmean", Term{Factor{"arm", "ifn"}}}}, 11);
  estimate({{"difference", LevelDifference{"arm", "ifn", "placebo"}}}, 2);
  estimate({{"difference", LevelDifference{"sex", "male", "female"}}}, 3);
  estimate({{"term", Term{Factor{"arm", "ifn"}}}}, 2);
  const protocol::Protocol p = fixture::cgd_protocol();
  const std::string page = html(p, r);
  EXPECT_THAT(page, HasSubstr("LS mean, rIFN-γ"));
  EXPECT_THAT(page, HasSubstr("Difference of LS means<span class=\"place\">rIFN-γ against Placebo"));
  const Context context(p, r, "en");
  ASSERT_EQ(effects(context, r.runs[0]).size(), 1u);  // neither the covariate's difference nor the coefficient again
  EXPECT_EQ(effects(context, r.runs[0])[0]->finding.at.count("difference"), 1u);
}

// A model of the dose as a number: what its table leads with is the slope, not the sites that it adjusts for.
TEST(Page, LeadsWithTheCoefficientsOfAModelWithoutTheArm) {
  results::Results r = fixture::cgd_results();
  r.records.clear(), r.runs.resize(1), r.runs[0].id = "a01", r.runs[0].method = "ancova", r.runs[0].options = "{}";
  const auto estimate = [&](At at) {
    r.records.push_back(fixture::record("a01", "ancova", Finding{.quantity = "estimate", .at = std::move(at), .value = 1}));
  };
  estimate({{"lsmean", Term{Factor{"site", "s1"}}}});
  estimate({{"difference", LevelDifference{"site", "s2", "s1"}}});
  estimate({{"term", Term{Factor{.column = "dose"}}}});
  r.records.back().finding.se = 2;
  const At slope = r.records.back().finding.at;
  r.records.push_back(fixture::record("a01", "ancova", Finding{.quantity = "t", .at = slope, .value = 0.5}));
  const protocol::Protocol p = fixture::cgd_protocol();
  const auto rows = [&](bool folded = false) {  // of the parts of the table that are seen, or of all
    std::vector<std::string> heads;
    for (auto const& part : tables::analysis(Context(p, r, "en"), r.runs[0]).parts)
      if (const auto* grid = std::get_if<Grid>(&part); grid && (folded || !grid->folded))
        for (RowGroup const& group : grid->groups)
          for (Row const& row : group.rows) heads.push_back(plain_text(row.head));
    return heads;
  };
  EXPECT_THAT(rows(), ::testing::ElementsAre("Coefficient; Dose"));  // its t follows from it
  EXPECT_EQ(rows(true).size(), 3u);
  r.runs[0].options = R"({"factor":"site"})";  // asked for
  EXPECT_EQ(rows().size(), 4u);
  r.runs[0].options = "{}";
  estimate({{"lsmean", Term{Factor{"arm", "ifn"}, Factor{"site", "s1"}}}});  // of arms within sites
  EXPECT_EQ(rows().size(), 5u);
}

TEST(Page, HoldsNothingAtAll) {
  const std::string page = kept("empty", html({}, {}));
  expect_balanced(page);
  EXPECT_THAT(page, HasSubstr("No analysis was run."));
  EXPECT_THAT(page, HasSubstr("No participant was randomised."));
  results::Results r = fixture::cgd_results();
  expect_balanced(html({}, r));  // a protocol that knows none of the ids
  r.curves[0].series.columns.resize(2), r.curves[1].series.columns[0].second = {3, 1, 2};
  expect_balanced(html(fixture::cgd_protocol(), r));
  for (auto& curve : r.curves) curve.series.columns.clear();
  for (auto& record : r.records)
    record.finding.value = fixture::ne, record.finding.p = fixture::ne, record.finding.df = fixture::ne;
  expect_balanced(kept("ne", html(fixture::cgd_protocol(), r)));
}

TEST(Page, EscapesEveryTextOfBothDocuments) {
  const std::string payload = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>";
  const auto text = [&] { return fixture::text(payload, payload); };
  protocol::Protocol p;
  results::Results r;
  fixture::dose_trial(2, p, r);
  p.trial.title = text(), p.trial.id = p.trial.registry = p.trial.phase = p.trial.version = p.blinding = payload;
  for (auto& arm : p.arms) arm.label = text(), arm.dose = protocol::Dose{1, payload};
  for (auto& visit : p.visits) visit.label = text();
  for (auto& form : p.forms) {
    form.label = text();
    for (auto& item : form.items) {
      item.label = text(), item.unit = payload;
      for (auto& code : item.codes) code.label = text();
    }
  }
  for (auto& set : p.sets) set.label = text(), set.rule = expression::Expression(payload, expression::Type::truth, nullptr);
  for (auto& endpoint : p.endpoints)
    endpoint.label = text(), endpoint.level = payload,
    endpoint.event = expression::Expression(payload, expression::Type::moment, nullptr);
  for (auto& estimand : p.estimands) {
    estimand.objective = estimand.population = estimand.summary = payload;
    for (auto& ice : estimand.intercurrent)
      ice.event = payload, ice.strategy = protocol::Strategy::composite, ice.value = payload;
  }
  p.source->note = payload;
  auto& from = r.provenance;
  from.version = from.protocol_digest = from.data_digest = from.data_file = from.match = payload;
  from.cutoff = payload;
  for (auto& arm : r.flow) {
    for (auto& reason : arm.left) reason.label = payload;
    for (auto& set : arm.sets) set.excluded = {{payload, 1}};
  }
  for (auto& item : r.baseline)
    for (auto& level : item.levels) level = payload;
  r.quartile_rule = payload;
  for (auto& run : r.runs)
    run.role = run.role == "primary" ? "primary" : payload, run.title = run.method = payload, run.notes = {payload},
    run.options = "{\"" + std::string("a") + "\":\"<script>\"}";
  r.runs[2].method = "kaplan_meier";
  r.runs[0].problem = payload;
  for (auto& record : r.records) record.footnotes = {payload};
  results::Record odd = r.records.front();
  odd.finding.quantity = payload, odd.finding.at = At{{payload, payload}, {"group", payload}, {"term", Term{{payload, payload}}}};
  r.records.push_back(odd);
  odd.finding.at.erase("group");
  r.records.push_back(odd);
  for (const char* language : {"en", "zh", "\"><script>"}) {
    const std::string page = kept("payload", html(p, r, {.language = language}));
    expect_balanced(page);
    EXPECT_EQ(count(page, "<script"), 1u);  // our own
    EXPECT_EQ(count(page, "<img"), 0u);
    EXPECT_GT(count(page, "&lt;script&gt;alert(1)"), 60u);  // and the texts are there, as texts
  }
}

}  // namespace
}  // namespace equipoise::report
