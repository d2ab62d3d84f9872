#include "equipoise/expression/locator.h"

#include <algorithm>

namespace equipoise::expression {
namespace {

bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

}  // namespace

Place Locator::operator()(std::size_t position) const {
  const std::string_view before = text_.substr(0, std::min(position, text_.size()));
  const auto lines = std::ranges::count(before, '\n');
  const std::string_view in_line = before.substr(before.rfind('\n') + 1);  // npos + 1 is 0: the whole
  Place place = place_;
  place.column = int(std::ranges::count_if(in_line, starts_character)) + 1 + (lines == 0 ? place_.column : 0);
  place.line += int(lines);
  return place;
}

std::string excerpt(std::string_view written) {
  constexpr std::size_t longest = 40;
  if (written.size() <= longest) return std::string(written);
  std::size_t end = longest;
  while (end > 0 && !starts_character(written[end])) --end;
  return std::string(written.substr(0, end)) + "...";
}

}  // namespace equipoise::expression
