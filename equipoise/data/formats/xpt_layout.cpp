#include "equipoise/data/formats/xpt_layout.h"

#include <fmt/format.h>

#include "equipoise/core/dates.h"
#include "equipoise/data/formats/sas_time.h"

namespace equipoise::data::xpt {
namespace {

constexpr std::array<std::string_view, 12> months{"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                  "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};

int two_digits(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return digit(text[0]) && digit(text[1]) ? (text[0] - '0') * 10 + (text[1] - '0') : -1;
}

}  // namespace

std::optional<std::string> time_from_sas(std::string_view text) {
  if (text.size() != 16 || text[7] != ':' || text[10] != ':' || text[13] != ':') return {};
  std::size_t month = 0;
  while (month < months.size() && months[month] != text.substr(2, 3)) ++month;
  const int year = two_digits(text.substr(5, 2));
  if (month == months.size() || year < 0) return {};
  std::string iso =
      fmt::format("{:04}-{:02}-{}T{}", year + (year >= 60 ? 1900 : 2000), month + 1, text.substr(0, 2), text.substr(8));
  if (!from_iso(SasKind::datetime, iso)) return {};
  return iso;
}

std::optional<std::string> time_to_sas(std::string_view iso) {
  if (iso.size() < 19 || !from_iso(SasKind::datetime, iso.substr(0, 19))) return {};
  const std::string_view year = iso.substr(0, 4);
  if (year < "1960" || year > "2059") return {};
  return fmt::format("{}{}{}:{}", iso.substr(8, 2), months[std::size_t(two_digits(iso.substr(5, 2)) - 1)], iso.substr(2, 2),
                     iso.substr(11, 8));
}

}  // namespace equipoise::data::xpt
