#include "equipoise/data/formats/sas_time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "equipoise/core/text.h"

namespace equipoise::data {
namespace {

constexpr std::int64_t epoch = -3653;        // 1960-01-01 in days since 1970-01-01
constexpr std::int64_t first_day = -715509;  // 0001-01-01 in SAS days
constexpr std::int64_t last_day = 2936549;   // 9999-12-31
constexpr std::int64_t seconds_a_day = 86400;

constexpr std::array dates{"DATE",     "DAY",      "DDMMYY",   "MMDDYY",   "YYMMDD",   "E8601DA",  "B8601DA",
                           "IS8601DA", "ND8601DA", "WEEKDATE", "WEEKDATX", "WORDDATE", "WORDDATX", "JULIAN",
                           "MONYY",    "YYMON",    "YYMM",     "MMYY",     "NLDATE",   "EURDFDE",  "EURDFDD"};
constexpr std::array datetimes{"DATETIME", "DATEAMPM", "DTDATE",  "MDYAMPM",  "YMDDTTM",  "DTMONYY", "E8601DT",
                               "B8601DT",  "E8601DN",  "B8601DN", "IS8601DT", "IS8601DN", "NLDATM",  "EURDFDT"};
constexpr std::array times{"TIME", "TOD", "HHMM", "TIMEAMPM", "E8601TM", "B8601TM", "IS8601TM", "NLTIME", "NLTIMAP"};

/// "YYMMDDN" is "YYMMDD" with another separator.
template <std::size_t N>
bool names(std::array<const char*, N> const& list, std::string_view name) {
  return std::ranges::any_of(list, [&](std::string_view known) {
    if (name == known) return true;
    return name.size() == known.size() + 1 && name.starts_with(known) &&
           std::string_view("BCDNPS").find(name.back()) != std::string_view::npos && known.find("YY") != std::string_view::npos;
  });
}

void append_digits(std::string& out, std::int64_t value, int digits) {
  char text[20];
  for (int i = digits; i-- > 0; value /= 10) text[i] = char('0' + value % 10);
  out.append(text, std::size_t(digits));
}

void append_date(std::string& out, std::int64_t sas_day) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{int(sas_day + epoch)}}};
  append_digits(out, int(date.year()), 4);
  out += '-';
  append_digits(out, unsigned(date.month()), 2);
  out += '-';
  append_digits(out, unsigned(date.day()), 2);
}

/// Seconds of a day, with the decimals that `value` has in shortest form.
void append_time(std::string& out, std::int64_t second, double value) {
  append_digits(out, second / 3600, 2);
  out += ':';
  append_digits(out, second / 60 % 60, 2);
  out += ':';
  append_digits(out, second % 60, 2);
  if (std::trunc(value) == value) return;
  const std::string text = shortest(value);
  out += text.substr(text.find('.'));
}

std::optional<std::int64_t> digits(std::string_view text) {
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return {};
    value = value * 10 + (c - '0');
  }
  return value;
}

std::optional<std::int64_t> read_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return {};
  const auto year = digits(text.substr(0, 4)), month = digits(text.substr(5, 2)), day = digits(text.substr(8, 2));
  if (!year || !month || !day || *year < 1) return {};
  const std::chrono::year_month_day date{std::chrono::year(int(*year)), std::chrono::month(unsigned(*month)),
                                         std::chrono::day(unsigned(*day))};
  if (!date.ok()) return {};
  return std::chrono::sys_days(date).time_since_epoch().count() - epoch;
}

std::optional<std::int64_t> read_time(std::string_view text) {
  if (text.size() < 8 || text[2] != ':' || text[5] != ':') return {};
  const auto hour = digits(text.substr(0, 2)), minute = digits(text.substr(3, 2)), second = digits(text.substr(6, 2));
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 59) return {};
  return *hour * 3600 + *minute * 60 + *second;
}

/// Whole seconds and the text of a fraction as one number.
std::optional<double> with_fraction(std::int64_t seconds, std::string_view fraction) {
  if (fraction.empty()) return double(seconds);
  if (fraction.size() < 2 || fraction.size() > 12 || fraction[0] != '.' || seconds < 0) return {};
  return to_number(std::to_string(seconds) + std::string(fraction));
}

}  // namespace

std::optional<SasFormat> sas_format(std::string_view text) {
  SasFormat made;
  if (text.empty()) return made;
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view head = text.substr(0, dot), tail = text.substr(dot + 1);
  std::size_t name = head.size();
  while (name > 0 && head[name - 1] >= '0' && head[name - 1] <= '9') --name;
  if (name > 8 || head.size() - name > 4 || tail.size() > 4) return {};
  made.name = head.substr(0, name);
  made.width = int(digits(head.substr(name)).value_or(0));
  const auto decimals = digits(tail);
  if (!decimals) return {};
  made.decimals = int(*decimals);
  if (sas_text(made) != text) return {};
  return made;
}

std::string sas_text(SasFormat const& format) {
  if (format == SasFormat{}) return {};
  std::string text = format.name;
  if (format.width > 0) text += std::to_string(format.width);
  text += '.';
  if (format.decimals > 0) text += std::to_string(format.decimals);
  return text;
}

SasKind sas_kind(std::string_view text) {
  auto format = sas_format(text);
  if (!format) return SasKind::number;
  std::ranges::transform(format->name, format->name.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
  if (names(dates, format->name)) return SasKind::date;
  if (names(datetimes, format->name)) return SasKind::datetime;
  if (names(times, format->name)) return SasKind::time;
  return SasKind::number;
}

bool has_iso(SasKind kind, double value) {
  const bool whole = std::trunc(value) == value;
  if (kind == SasKind::date) return whole && value >= double(first_day) && value <= double(last_day);
  if (kind == SasKind::time && !(value >= 0 && value < double(seconds_a_day))) return false;
  if (kind == SasKind::datetime &&
      !(value >= double(first_day * seconds_a_day) && value < double((last_day + 1) * seconds_a_day)))
    return false;
  if (kind == SasKind::number) return false;
  if (whole) return true;
  if (value < 1e-4) return false;  // before the epoch, and what is written with an exponent
  std::string text;
  append_iso(text, kind, value);
  return from_iso(kind, text) == value;
}

void append_iso(std::string& out, SasKind kind, double value) {
  const auto whole = std::int64_t(std::floor(value));
  if (kind == SasKind::date) return append_date(out, whole);
  if (kind == SasKind::time) return append_time(out, whole, value);
  std::int64_t day = whole / seconds_a_day, second = whole % seconds_a_day;
  if (second < 0) second += seconds_a_day, --day;
  append_date(out, day);
  out += 'T';
  append_time(out, second, value);
}

std::optional<double> from_iso(SasKind kind, std::string_view text) {
  std::optional<double> value;
  if (kind == SasKind::date) {
    const auto day = read_date(text);
    return day ? std::optional(double(*day)) : std::nullopt;
  }
  if (kind == SasKind::time) {
    const auto second = read_time(text);
    if (second) value = with_fraction(*second, text.substr(8));
  } else if (kind == SasKind::datetime && text.size() >= 19 && text[10] == 'T') {
    const auto day = read_date(text.substr(0, 10));
    const auto second = read_time(text.substr(11));
    if (day && second) value = with_fraction(*day * seconds_a_day + *second, text.substr(19));
  }
  if (!value || std::trunc(*value) == *value) return text.find('.') == std::string_view::npos ? value : std::nullopt;
  if (*value < 1e-4) return {};
  std::string again;
  append_iso(again, kind, *value);
  return again == text ? value : std::nullopt;
}

}  // namespace equipoise::data
