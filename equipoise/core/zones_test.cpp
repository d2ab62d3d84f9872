#include "equipoise/core/zones.h"

#include <gtest/gtest.h>

namespace equipoise {
namespace {

// Offsets: IANA time zone database. New York left summer time on 2026-11-01 at 06:00 UTC; Kathmandu is 5 h 45 min ahead.
TEST(C06_Zones, KnowDateAndOffsetOfASite) {
  const auto at = [](std::string_view text, std::string_view zone) { return local_time(*to_instant(text), zone).value(); };
  EXPECT_EQ(to_string(at("2026-11-01T05:59:59.999Z", "America/New_York").date), "2026-11-01");
  EXPECT_EQ(at("2026-11-01T05:59:59.999Z", "America/New_York").zone_offset(), "-04:00");
  EXPECT_EQ(at("2026-11-01T06:00:00.000Z", "America/New_York").zone_offset(), "-05:00");
  EXPECT_EQ(at("2026-11-01T05:59:59.999Z", "America/New_York").time_of_day.count(), 119);
  EXPECT_EQ(at("2026-11-01T06:00:00.000Z", "America/New_York").time_of_day.count(), 60);
  EXPECT_EQ(to_string(at("2026-11-28T16:30:00.000Z", "Asia/Shanghai").date), "2026-11-29");
  EXPECT_EQ(at("2026-11-28T16:30:00.000Z", "Asia/Kathmandu").zone_offset(), "+05:45");
  EXPECT_EQ(at("2026-11-28T16:30:00.000Z", "").zone_offset(), "+00:00");
}

TEST(Zones, RefuseAPlaceThatIsNone) {
  const auto wrong = local_time(*to_instant("2026-11-28T16:30:00.000Z"), "Asia/Atlantis");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, Code::unresolved);
}

TEST(Instants, AreReadAsTheyAreWritten) {
  for (std::string_view text : {"1970-01-01T00:00:00.000Z", "2024-02-29T23:59:59.999Z", "2299-12-31T12:00:00.001Z"})
    EXPECT_EQ(to_string(to_instant(text).value()), text);
  for (std::string_view text : {"2023-02-29T00:00:00.000Z", "2026-11-28T24:00:00.000Z", "2026-11-28T08:30:00Z", "2026-11-28 08:30:00.000Z",
                                "1969-12-31T23:59:59.000Z", "2026-1x-28T08:30:00.000Z", ""})
    EXPECT_FALSE(to_instant(text)) << text;
}

}  // namespace
}  // namespace equipoise
