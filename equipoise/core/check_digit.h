#pragma once

#include <string_view>

namespace equipoise {

/// The digit to write after a row of digits, so that every wrong digit and every exchange of neighbours shows. '?' when the text
/// holds anything but digits.
///
/// source   Damm (2004), Total anti-symmetrische Quasigruppen, dissertation, Marburg
/// checked  check_digit_test.cpp
char check_digit(std::string_view digits);

/// Whether the last digit is the check digit of those before.
bool has_check_digit(std::string_view digits);

}  // namespace equipoise
