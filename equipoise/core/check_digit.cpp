#include "equipoise/core/check_digit.h"

namespace equipoise {
namespace {

/// A quasigroup of order 10 in which x*x = 0 and (c*x)*y = (c*y)*x only for x = y.
constexpr char table[10][11] = {"0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
                                "3674209581", "5869720134", "8945362017", "9438617205", "2581436790"};

}  // namespace

char check_digit(std::string_view digits) {
  char so_far = '0';
  for (const char digit : digits) {
    if (digit < '0' || digit > '9') return '?';
    so_far = table[so_far - '0'][digit - '0'];
  }
  return so_far;
}

bool has_check_digit(std::string_view digits) { return !digits.empty() && check_digit(digits) == '0'; }

}  // namespace equipoise
