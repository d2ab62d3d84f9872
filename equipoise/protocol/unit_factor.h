#pragma once

#include <optional>
#include <string_view>

namespace equipoise::protocol {

/// How many of `to` one `from` is: 1000 from g to mg, 10 from g/L to mg/dL. Nothing when the units do not measure the same kind
/// of thing (mg and mmol need a molar mass), when one of them is not a product of the prefixed atoms below, or is a scale with an
/// offset.
///
/// returns  a positive number
/// atoms    g L m mol s min h d wk mo a % 1 10*N, prefixed where UCUM does it; things counted by name, each a kind of its own
/// source   UCUM 2.1, section 4 (a = 365.25 d, mo = a/12)
/// checked  unit_factor_test.cpp
std::optional<double> unit_factor(std::string_view from, std::string_view to);

}  // namespace equipoise::protocol
