#include "equipoise/core/dates.h"

#include <fmt/format.h>

#include <charconv>

namespace equipoise {
namespace {

std::optional<int> digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

std::optional<PartialDate> to_partial_date(std::string_view text) {
  using namespace std::chrono;
  const bool has_month = text.size() >= 7, has_day = text.size() == 10;
  if (text.size() != 4 && text.size() != 7 && text.size() != 10) return {};
  if ((has_month && text[4] != '-') || (has_day && text[7] != '-')) return {};
  const auto y = digits(text.substr(0, 4));
  const auto m = has_month ? digits(text.substr(5, 2)) : 1;
  const auto d = has_day ? digits(text.substr(8, 2)) : 1;
  if (!y || !m || !d || *y < 1800 || *y > 2299) return {};
  const year_month_day first{year(*y), month(unsigned(*m)), day(unsigned(*d))};
  if (!first.ok()) return {};
  const sys_days earliest = first;
  if (has_day) return PartialDate{earliest, earliest};
  if (has_month) return PartialDate{earliest, sys_days(year_month_day_last(first.year(), month_day_last(first.month())))};
  return PartialDate{earliest, sys_days(first.year() / December / 31)};
}

std::string to_string(Date date) {
  const std::chrono::year_month_day d(date);
  return fmt::format("{:04}-{:02}-{:02}", int(d.year()), unsigned(d.month()), unsigned(d.day()));
}

std::string to_string(PartialDate const& date) {
  const std::string whole = to_string(date.earliest);
  if (date.exact()) return whole;
  return to_string(date.latest).substr(0, 7) == whole.substr(0, 7) ? whole.substr(0, 7) : whole.substr(0, 4);
}

}  // namespace equipoise
