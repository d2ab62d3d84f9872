#include "equipoise/stats/survival/curve_reader.h"

#include <cmath>
#include <random>

#include "equipoise/stats/survival/rows.h"
#include "equipoise/stats/testing.h"

namespace equipoise::stats {
namespace {

using testing::Table;

// product_limit holds the whole curve and curve_quantile searches it: the reader sees one block at a time, and must say the same.
// 1e-12: a product and a sum of up to 30,000 terms, in the same order.
TEST(CurveReader, SaysOfALongCurveWhatTheWholeCurveSays) {
  for (const int n : {100, 129, 3000, 30'000})
    for (const SurvivalInterval interval : {SurvivalInterval::plain, SurvivalInterval::log, SurvivalInterval::log_log,
                                            SurvivalInterval::logit, SurvivalInterval::arcsin}) {
      std::mt19937_64 bits{std::uint64_t(n)};
      std::vector<double> time, event;
      for (int i = 0; i < n; ++i) time.push_back(double(bits() % (8 * std::uint64_t(n))) / 16), event.push_back(bits() % 3 > 0);
      Table table;
      table.numbers("t", time).numbers("e", event);
      const auto rows = survival_rows(table.frame(), "t", "e");
      ASSERT_TRUE(rows);
      const SurvivalCurve whole = product_limit(*rows, rows->by_time, interval, 0.95);
      const CurveQuestions questions{.interval = interval,
                                     .level = 0.95,
                                     .times = {0.01 * n, 0.1 * n, 0.3 * n},
                                     .probs = {0.05, 0.25, 0.5, 0.75},
                                     .tolerance = same_time,
                                     .last = whole.time.back()};
      CurveReader reader(questions, n);
      for (const std::uint32_t row : rows->by_time) reader.add(rows->time[row], rows->event[row], 1);
      reader.finish();

      EXPECT_EQ(reader.steps_seen(), whole.time.size());
      for (std::size_t i = 0; i < questions.times.size(); ++i) {
        const auto at = whole.position(questions.times[i]);
        ASSERT_TRUE(at);
        EXPECT_NEAR(reader.readings()[i].survival, whole.survival[*at], 1e-12);
      }
      const std::vector<CurveReader::Quantile> quantiles = reader.quantiles();
      for (std::size_t i = 0; i < questions.probs.size(); ++i) {
        const auto same = [&](double got, std::vector<double> const& curve) {
          const double expected = curve_quantile(whole.time, curve, questions.probs[i]);
          EXPECT_TRUE(got == expected || (std::isnan(got) && std::isnan(expected)))
              << n << " " << int(interval) << " " << questions.probs[i] << ": " << got << " and " << expected;
        };
        same(quantiles[i].estimate, whole.survival);
        same(quantiles[i].lower, whole.lower);
        same(quantiles[i].upper, whole.upper);
      }
      // Thinned, the curve is known to 1/4096 between kept steps; whole, at every step.
      EXPECT_EQ(reader.thinned(), whole.time.size() > CurveReader::whole_curve);
      std::size_t kept = 0;
      for (CurveStep const& step : reader.steps()) {
        const auto at = whole.position(step.time);
        ASSERT_TRUE(at);
        EXPECT_NEAR(step.survival, whole.survival[*at], 1e-12);
        EXPECT_EQ(step.at_risk, double(whole.n_at_risk[*at]));
        if (kept > 0) {
          const double before = reader.steps()[kept - 1].survival;
          if (*at > 0) {
            EXPECT_LE(before - whole.survival[*at - 1], CurveReader::finest + 1e-12);
          }
        }
        ++kept;
      }
      if (!reader.thinned()) {
        EXPECT_EQ(kept, whole.time.size());
      }
    }
}

}  // namespace
}  // namespace equipoise::stats
