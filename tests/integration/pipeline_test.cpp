// The rooms together, without the binary: protocol text and data bytes in, results out.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <sstream>

#include "equipoise/analysis/run.h"
#include "equipoise/analysis/verify.h"
#include "equipoise/core/text.h"
#include "equipoise/data/formats/csv.h"
#include "equipoise/data/source.h"
#include "equipoise/data/trial_data.h"
#include "equipoise/study/study.h"
#include "files.h"

namespace equipoise {
namespace {

std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "no '" << from << "'";
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

std::string all(Problems const& problems) {
  std::string text;
  for (Error const& problem : problems) text += to_string(problem) + "\n";
  return text;
}

results::Results analysed(std::string const& protocol, std::string const& csv, std::optional<std::string> const& cutoff = {}) {
  const auto study = study::load(protocol, "protocol.toml");
  if (!study) return ADD_FAILURE() << all(study.error()), results::Results{};
  const auto table = data::read_csv(csv, "data.csv");
  if (!table) return ADD_FAILURE() << all(table.error()), results::Results{};
  auto records = data::read_source(study->protocol, *table);
  if (!records) return ADD_FAILURE() << all(records.error()), results::Results{};
  if (cutoff) {
    auto cut = data::as_of(std::move(*records), to_partial_date(*cutoff)->earliest, study->protocol);
    if (!cut) return ADD_FAILURE() << all({cut.error()}), results::Results{};
    records = std::move(*cut);
  }
  const data::TrialTables tables(study->protocol, *records);
  return analysis::run(study->protocol, study->plan, tables, {});
}

const std::string cgd_protocol = "examples/cgd/protocol.toml", cgd_data = "examples/cgd/cgd.csv";

/// Equal records in the same order, numbers to a relative difference.
void expect_same(results::Results const& a, results::Results const& b, double tolerance) {
  ASSERT_EQ(a.records.size(), b.records.size());
  const auto same = [&](std::optional<double> x, std::optional<double> y) {
    if (!x || !y) return !x && !y;
    if (std::isnan(*x) || std::isnan(*y)) return std::isnan(*x) && std::isnan(*y);
    return std::abs(*x - *y) <= tolerance * std::max(1.0, std::abs(*x));
  };
  for (std::size_t i = 0; i < a.records.size(); ++i) {
    Finding const &x = a.records[i].finding, &y = b.records[i].finding;
    EXPECT_EQ(x.quantity, y.quantity);
    EXPECT_EQ(x.at, y.at);
    for (const auto member : {&Finding::se, &Finding::df, &Finding::lower, &Finding::upper, &Finding::p})
      EXPECT_TRUE(same(x.*member, y.*member)) << a.records[i].analysis << " " << x.quantity;
    EXPECT_TRUE(same(x.value, y.value)) << a.records[i].analysis << " " << x.quantity << ": " << x.value << " and " << y.value;
  }
}

TEST(Pipeline, DoesNotCareInWhichOrderTheRowsStand) {
  const std::string protocol = contents(cgd_protocol), data = contents(cgd_data);
  std::istringstream stream(data);
  std::string header, line;
  std::getline(stream, header);
  std::vector<std::string> rows;
  while (std::getline(stream, line)) rows.push_back(line);
  ASSERT_EQ(rows.size(), 203u);
  const results::Results straight = analysed(protocol, data);
  std::mt19937 shuffle(20240630);
  for (int round = 0; round < 3; ++round) {
    std::shuffle(rows.begin(), rows.end(), shuffle);
    std::string mixed = header + "\n";
    for (std::string const& row : rows) mixed += row + "\n";
    const results::Results got = analysed(protocol, mixed);
    expect_same(straight, got, 1e-12);  // 203 summands in another order, and their amplification by a fit
    ASSERT_EQ(straight.flow.size(), got.flow.size());
    for (std::size_t a = 0; a < got.flow.size(); ++a) EXPECT_EQ(straight.flow[a].randomised, got.flow[a].randomised);
    for (std::size_t i = 0; i < got.baseline.size(); ++i)
      for (std::size_t c = 0; c < got.baseline[i].cells.size(); ++c)
        EXPECT_EQ(straight.baseline[i].cells[c].counts, got.baseline[i].cells[c].counts);
  }
}

TEST(Pipeline, KnowsTheSameAtACutoffAfterTheEnd) {
  const std::string protocol = contents(cgd_protocol), data = contents(cgd_data);
  expect_same(analysed(protocol, data), analysed(protocol, data, "1999-12-31"), 0);
}

TEST(Pipeline, FindsTheOppositeWhenTheControlChanges) {
  const std::string protocol = contents(cgd_protocol), data = contents(cgd_data);
  std::string turned =
      with(protocol, "compare = [\"interferon\"], against = \"placebo\"", "compare = [\"placebo\"], against = \"interferon\"");
  const auto log_ratio = [](results::Results const& results, std::string const& arm) {
    for (results::Record const& record : results.records)
      if (record.analysis == "a02_hazard_ratio" && record.finding.quantity == "estimate" &&
          std::get<Term>(record.finding.at.at("term")).front().level == arm)
        return record.finding.value;
    ADD_FAILURE() << "no hazard ratio of " << arm;
    return 0.0;
  };
  EXPECT_NEAR(log_ratio(analysed(protocol, data), "interferon"), -log_ratio(analysed(turned, data), "placebo"), 1e-12);
}

// What a protocol computes, a reference case computes: both become the same analysis.
TEST(Pipeline, GivesWhatAReferenceCaseOfTheSameAnalysisGives) {
  const results::Results results = analysed(contents(cgd_protocol), contents(cgd_data));
  std::string expected;
  int values = 0;
  for (results::Record const& record : results.records) {
    Finding const& f = record.finding;
    if (record.analysis != "a07_all_infections" ||
        (f.quantity != "estimate" && f.quantity != "robust_se" && f.quantity != "hazard_ratio"))
      continue;
    expected += fmt::format(
        "{}{{\"id\":\"V{}\",\"quantity\":\"{}\",\"at\":{{\"term\":[{{\"column\":\"treat\",\"level\":\"rIFN-g\"}}]}},\"value\":{},"
        "\"rel_tol\":1e-13}}",
        values ? "," : "", values, f.quantity, shortest(f.value));
    ++values;
  }
  ASSERT_EQ(values, 3);
  const std::string one_case =
      "{\"id\":\"cgd.all\",\"method\":\"cox\",\"data\":\"cgd.csv\",\"roles\":{\"start\":\"tstart\",\"time\":\"tstop\",\"event\":"
      "\"status\",\"cluster\":\"id\"},"
      "\"options\":{\"formula\":\"treat\",\"levels\":{\"treat\":[\"placebo\",\"rIFN-g\"]},\"ties\":\"efron\"},\"expect\":[" +
      expected + "]}\n";
  const auto verified =
      analysis::verify("cases", one_case, [](std::string_view) -> Expected<std::string> { return contents(cgd_data); });
  ASSERT_TRUE(verified) << all(verified.error());
  EXPECT_TRUE(verified->reproduced()) << analysis::to_text(*verified);
  ASSERT_EQ(verified->methods.size(), 1u);
  EXPECT_EQ(verified->methods[0].passed, 3) << analysis::to_text(*verified);
}

// Five participants; two stop treatment before their event, one on the day of it. By hand, from the definitions in ICH E9(R1).
//   participant  arm      time  event  stopped
//   1            placebo  10    yes    -
//   2            placebo  30    yes    day 20
//   3            active   40    no     -
//   4            active   50    yes    day 25
//   5            active   60    yes    day 60   (on one day, the event counts before what intervenes)
struct Curve {
  std::vector<double> time, events;
};
std::map<std::string, Curve> curves(std::string const& strategy) {
  std::string protocol = contents("tests/data/small/protocol.toml");
  protocol = with(protocol, "codes = [[\"death\", \"Death\"]]",
                  "codes = [[\"death\", \"Death\"], [\"treatment_stop\", \"Treatment stopped\"]]");
  protocol = with(protocol, "intercurrent = [{", "intercurrent = [{ event = \"treatment_stop\", " + strategy + " }, {");
  protocol +=
      "entry = [{ form = \"event_log\", where = [{ column = \"stopped\", is = \"1\" }], items = [\n"
      "  { item = \"what\", is = \"treatment_stop\" }, { item = \"when\", column = \"stop_day\", days_since_randomisation = true "
      "} ] }]\n";
  const results::Results results =
      analysed(protocol,
               "id,arm,age,stratum,days,died,stopped,stop_day\n1,placebo,40,low,10,1,0,\n2,placebo,40,low,30,1,1,20\n"
               "3,active,40,low,40,0,0,\n4,active,40,low,50,1,1,25\n5,active,40,low,60,1,1,60\n");
  std::map<std::string, Curve> found;
  for (results::Curve const& curve : results.curves) {
    Curve& into = found[std::get<std::string>(curve.series.at.at("group"))];
    for (auto const& [name, values] : curve.series.columns) {
      // A curve begins at day 0 with everybody, where nothing has happened.
      if (name == "time") into.time.assign(values.begin() + 1, values.end());
      if (name == "n_events") into.events.assign(values.begin() + 1, values.end());
    }
  }
  return found;
}

TEST(Strategies, AreCarriedOutOnATimeToEvent) {
  using Days = std::vector<double>;
  auto got = curves("strategy = \"treatment_policy\"");
  EXPECT_EQ(got["placebo"].time, (Days{10, 30}));
  EXPECT_EQ(got["placebo"].events, (Days{1, 1}));
  EXPECT_EQ(got["active"].time, (Days{40, 50, 60}));
  EXPECT_EQ(got["active"].events, (Days{0, 1, 1}));

  for (const char* ending : {"strategy = \"hypothetical\", handling = \"censored\"", "strategy = \"while_on_treatment\""}) {
    got = curves(ending);
    EXPECT_EQ(got["placebo"].time, (Days{10, 20})) << ending;
    EXPECT_EQ(got["placebo"].events, (Days{1, 0})) << ending;
    EXPECT_EQ(got["active"].time, (Days{25, 40, 60})) << ending;
    EXPECT_EQ(got["active"].events, (Days{0, 0, 1})) << ending;
  }

  got = curves("strategy = \"composite\", value = \"event\"");
  EXPECT_EQ(got["placebo"].time, (Days{10, 20}));
  EXPECT_EQ(got["placebo"].events, (Days{1, 1}));
  EXPECT_EQ(got["active"].time, (Days{25, 40, 60}));
  EXPECT_EQ(got["active"].events, (Days{1, 0, 1}));

  got = curves("strategy = \"composite\", value = \"never\"");  // free of the event to the planned end, day 366: 365 days
  EXPECT_EQ(got["placebo"].time, (Days{10, 365}));
  EXPECT_EQ(got["placebo"].events, (Days{1, 0}));
  EXPECT_EQ(got["active"].time, (Days{40, 60, 365}));
  EXPECT_EQ(got["active"].events, (Days{0, 1, 0}));
}

}  // namespace
}  // namespace equipoise
