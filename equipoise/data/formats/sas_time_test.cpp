#include "equipoise/data/formats/sas_time.h"

#include <gtest/gtest.h>

namespace equipoise::data {
namespace {

std::string iso(SasKind kind, double value) {
  std::string out;
  if (has_iso(kind, value)) append_iso(out, kind, value);
  return out;
}

// SAS 9.4 Language Reference, "About SAS Date, Time, and Datetime Values": 1960-01-01 is 0, 1582-01-01 is -138061,
// 1959-01-01 is -365, 1961-01-01 is 366, 19900-12-31 is 6589335.
TEST(SasTime, ReproducesTheDatesOfTheManual) {
  EXPECT_EQ(iso(SasKind::date, 0), "1960-01-01");
  EXPECT_EQ(iso(SasKind::date, -138061), "1582-01-01");
  EXPECT_EQ(iso(SasKind::date, -365), "1959-01-01");
  EXPECT_EQ(iso(SasKind::date, 366), "1961-01-01");
  EXPECT_EQ(from_iso(SasKind::date, "1582-01-01"), -138061);
  EXPECT_EQ(iso(SasKind::datetime, 86399), "1960-01-01T23:59:59");
  EXPECT_EQ(iso(SasKind::datetime, -1), "1959-12-31T23:59:59");
  EXPECT_EQ(iso(SasKind::time, 30600.5), "08:30:00.5");
}

TEST(SasTime, HasNoIsoFormForWhatNoCalendarOrClockShows) {
  EXPECT_EQ(iso(SasKind::date, 6589335), "") << "year 19900";
  EXPECT_EQ(iso(SasKind::date, 0.5), "");
  EXPECT_EQ(iso(SasKind::time, 86400), "") << "a duration";
  EXPECT_EQ(iso(SasKind::time, -1), "");
  EXPECT_EQ(iso(SasKind::datetime, -0.5), "") << "a fraction before the epoch would be written as another";
  EXPECT_EQ(iso(SasKind::date, 2936549), "9999-12-31");
  EXPECT_EQ(iso(SasKind::date, 2936550), "");
  EXPECT_EQ(iso(SasKind::date, -715509), "0001-01-01");
  EXPECT_EQ(iso(SasKind::date, -715510), "");
}

TEST(SasTime, TakesOnlyTheFormThatItWrites) {
  for (const char* text : {"2014-1-02", "2014-02-30", "20140102", "2014-01", "2014-01-02T", "0000-01-01", " 2014-01-02"})
    EXPECT_FALSE(from_iso(SasKind::date, text)) << text;
  for (const char* text : {"2014-01-02T08:30", "2014-01-02T24:00:00", "2014-01-02T08:30:00Z", "2014-01-02T08:30:00.50",
                           "2014-01-02 08:30:00", "2014-01-02T08:30:00.0", "2014-01-02T08:30:00."})
    EXPECT_FALSE(from_iso(SasKind::datetime, text)) << text;
  EXPECT_TRUE(from_iso(SasKind::datetime, "2014-01-02T08:30:00.25"));
}

TEST(SasTime, ComesBackForEveryDayAndSecond) {
  for (double day = -715509; day <= 2936549; day += 97) ASSERT_EQ(from_iso(SasKind::date, iso(SasKind::date, day)), day);
  for (double second = 0; second < 86400; second += 7.25) ASSERT_EQ(from_iso(SasKind::time, iso(SasKind::time, second)), second);
  for (double second = -6e10; second < 2.5e11; second += 12345678901.0)
    ASSERT_EQ(from_iso(SasKind::datetime, iso(SasKind::datetime, second)), second);
}

TEST(SasTime, KnowsAFormatByItsParts) {
  EXPECT_EQ(sas_format("DATE9."), (SasFormat{"DATE", 9, 0}));
  EXPECT_EQ(sas_format("8.2"), (SasFormat{"", 8, 2}));
  EXPECT_EQ(sas_format("$CHAR12."), (SasFormat{"$CHAR", 12, 0}));
  EXPECT_EQ(sas_format("E8601DA10."), (SasFormat{"E8601DA", 10, 0}));
  EXPECT_EQ(sas_format(""), SasFormat{});
  for (const char* text : {"DATE9", ".", "DATE09.", "8.2.1", "TOOLONGNAME9.", "yyyy-mm-dd", "DATE9.0"})
    EXPECT_FALSE(sas_format(text)) << text;
  EXPECT_EQ(sas_kind("DATE9."), SasKind::date);
  EXPECT_EQ(sas_kind("yymmdd10."), SasKind::date);
  EXPECT_EQ(sas_kind("YYMMDDN8."), SasKind::date);
  EXPECT_EQ(sas_kind("DATETIME20."), SasKind::datetime);
  EXPECT_EQ(sas_kind("TIME8."), SasKind::time);
  EXPECT_EQ(sas_kind("8.2"), SasKind::number);
  EXPECT_EQ(sas_kind("DOLLAR8."), SasKind::number);
}

}  // namespace
}  // namespace equipoise::data
