#include "equipoise/protocol/units.h"

#include <algorithm>
#include <array>

#include "equipoise/core/text.h"

namespace equipoise::protocol {
namespace {

// Atoms that take metric prefixes, and atoms that do not.
constexpr std::array<std::string_view, 27> metric{"m",   "g",  "s",  "L",  "l",   "mol", "eq",   "osm",  "U",
                                                  "kat", "J",  "N",  "Pa", "W",   "Hz",  "V",    "A",    "K",
                                                  "C",   "Bq", "Gy", "Sv", "cal", "bar", "[iU]", "[IU]", "m[Hg]"};
constexpr std::array<std::string_view, 25> plain{
    "1",    "%",       "[ppth]", "[ppm]",  "Cel",    "[degF]", "min",   "h",   "d",   "wk",      "mo",       "a",    "deg",
    "[pH]", "[lb_av]", "[in_i]", "[ft_i]", "m[H2O]", "[drp]",  "[CFU]", "10*", "10^", "[arb'U]", "[hnsf'U]", "[PFU]"};
constexpr std::array<std::string_view, 15> prefixes{"Y", "T", "G", "M", "k", "h", "da", "d", "c", "m", "u", "n", "p", "f", "a"};
// Counted things, by name.
constexpr std::array<std::string_view, 14> counted{
    "cells", "copies",  "events", "infections", "persons",  "points",           "episodes",
    "doses", "tablets", "units",  "visits",     "colonies", "hospitalisations", "beats"};

bool is_atom(std::string_view text) {
  const auto in = [](auto const& list, std::string_view word) { return std::ranges::find(list, word) != list.end(); };
  if (in(metric, text) || in(plain, text) || in(counted, text)) return true;
  return std::ranges::any_of(prefixes,
                             [&](std::string_view p) { return text.starts_with(p) && in(metric, text.substr(p.size())); });
}

std::vector<std::string> common() {
  std::vector<std::string> names(counted.begin(), counted.end());
  for (const std::string_view name :
       {"kg",   "g", "mg", "ug", "ng", "L", "dL",  "mL", "uL", "mm", "cm",  "m",      "mm3", "mol", "mmol",
        "umol", "d", "wk", "mo", "a",  "h", "min", "s",  "%",  "1",  "Cel", "mm[Hg]", "U",   "[iU]"})
    names.emplace_back(name);
  return names;
}

/// One factor: an atom with an optional exponent (mm3, m-2), a whole number, 10*6, or a {note}.
bool is_component(std::string_view text) {
  if (const auto note = text.find('{'); note != std::string_view::npos) {
    if (!text.ends_with('}')) return false;
    if (note == 0) return true;
    text = text.substr(0, note);
  }
  if (text.empty()) return false;
  if (std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) return true;
  if (is_atom(text)) return true;
  const auto digits = text.find_last_not_of("0123456789");
  if (digits == std::string_view::npos || digits + 1 == text.size()) return false;
  std::string_view base = text.substr(0, digits + 1);
  if (base.ends_with('-') || base.ends_with('+')) base.remove_suffix(1);
  return is_atom(base);
}

}  // namespace

Expected<void> check_unit(std::string_view unit) {
  const auto refuse = [&](std::string_view part) -> Expected<void> {
    Error error{Code::unit_mismatch, fmt::format("'{}' is not a UCUM unit", unit), {}, {}};
    static const std::vector<std::string> names = common();
    if (const auto near = nearest(part, names); near && *near != part) error.hint = fmt::format("did you mean '{}'?", *near);
    else error.hint = "UCUM is case-sensitive: kg, mg/dL, mmol/L, /mm3, 10*6/L, a (year), mo, wk, d, % or 1";
    return tl::unexpected(std::move(error));
  };
  if (unit.empty() || unit.size() > 60) return refuse("");
  std::string_view rest = unit;
  if (rest.starts_with('/')) rest.remove_prefix(1);
  while (true) {
    std::size_t end = 0;
    for (int depth = 0; end < rest.size(); ++end) {
      if (rest[end] == '{') ++depth;
      if (rest[end] == '}') --depth;
      if (depth == 0 && (rest[end] == '.' || rest[end] == '/')) break;
    }
    const std::string_view part = rest.substr(0, end);
    if (!is_component(part)) return refuse(part);
    if (end == rest.size()) return {};
    rest.remove_prefix(end + 1);
  }
}

}  // namespace equipoise::protocol
