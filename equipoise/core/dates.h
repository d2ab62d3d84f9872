#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace equipoise {

using Date = std::chrono::sys_days;

/// A date of which day, or month and day, may be unknown: every day from `earliest` to `latest`, both included.
struct PartialDate {
  Date earliest{};
  Date latest{};

  bool exact() const { return earliest == latest; }
  friend bool operator==(PartialDate const&, PartialDate const&) = default;
};

/// Reads YYYY-MM-DD, YYYY-MM or YYYY (ISO 8601; years 1800 to 2299); nothing else, and no day that the calendar lacks.
std::optional<PartialDate> to_partial_date(std::string_view text);

/// YYYY-MM-DD.
std::string to_string(Date date);

/// YYYY-MM-DD, YYYY-MM or YYYY, as far as it is known.
std::string to_string(PartialDate const& date);

/// Whole days since 1970-01-01: how date columns are stored.
inline double day_number(Date date) { return double(date.time_since_epoch().count()); }
inline Date from_day_number(double days) { return Date(std::chrono::days(static_cast<int>(days))); }

/// A day of the study as protocols count them: 1 is the reference day, -1 the day before; there is no day 0.
class StudyDay {
 public:
  /// Nothing for day 0.
  static std::optional<StudyDay> from(int day) { return day == 0 ? std::nullopt : std::optional(StudyDay(day)); }
  static StudyDay from_offset(int days) { return StudyDay(days >= 0 ? days + 1 : days); }

  int day() const { return day_; }
  /// Days since the reference day: 0 for day 1, -1 for day -1.
  int offset() const { return day_ > 0 ? day_ - 1 : day_; }
  friend auto operator<=>(StudyDay, StudyDay) = default;

 private:
  explicit StudyDay(int day) : day_(day) {}
  int day_;
};

}  // namespace equipoise
