#include "equipoise/protocol/unit_factor.h"

#include <array>
#include <cmath>
#include <map>
#include <string>

#include "equipoise/protocol/units.h"

namespace equipoise::protocol {
namespace {

/// A unit as a power of ten and a factor, times powers of its kinds: mg/dL is 10^-2, 1, {g: 1, m: -3}. Powers of ten are kept
/// apart so that a factor between them is exact.
struct Size {
  int tens = 0;
  double factor = 1;
  std::map<std::string, int, std::less<>> kinds;
};

struct Atom {
  std::string_view name, kind;
  int tens, power;  ///< power of the kind
  double factor;
  bool prefixed;
};

constexpr std::array<Atom, 12> atoms{{{"g", "g", 0, 1, 1, true},
                                      {"L", "m", -3, 3, 1, true},
                                      {"m", "m", 0, 1, 1, true},
                                      {"mol", "mol", 0, 1, 1, true},
                                      {"s", "s", 0, 1, 1, true},
                                      {"min", "s", 0, 1, 60, false},
                                      {"h", "s", 0, 1, 3600, false},
                                      {"d", "s", 0, 1, 86400, false},
                                      {"wk", "s", 0, 1, 604800, false},
                                      {"mo", "s", 0, 1, 2629800, false},
                                      {"a", "s", 0, 1, 31557600, false},
                                      {"%", "", -2, 0, 1, false}}};
constexpr std::array<std::pair<std::string_view, int>, 8> prefixes{
    {{"k", 3}, {"d", -1}, {"c", -2}, {"m", -3}, {"u", -6}, {"n", -9}, {"p", -12}, {"f", -15}}};

void add(Size& size, Atom const& atom, int prefix, int power) {
  size.tens += power * (atom.tens + prefix);
  size.factor *= std::pow(atom.factor, power);
  if (atom.power) size.kinds[std::string(atom.kind)] += power * atom.power;
}

/// One component without its exponent; false when it is none of the atoms and no counted thing.
bool measure(std::string_view name, int power, Size& size) {
  if (name.starts_with('{') || name == "1") return true;
  for (Atom const& atom : atoms)
    if (atom.name == name) return add(size, atom, 0, power), true;
  for (auto const& [prefix, tens] : prefixes)
    for (Atom const& atom : atoms)
      if (atom.prefixed && name.starts_with(prefix) && name.substr(prefix.size()) == atom.name)
        return add(size, atom, tens, power), true;
  if (name.find_first_of("[]*0123456789") != std::string_view::npos || name == "Cel") return false;
  size.kinds[std::string(name)] += power;
  return true;
}

/// A whole number of at most two digits, with its sign: no unit has a larger exponent.
std::optional<int> small_number(std::string_view text) {
  const int sign = text.starts_with('-') ? -1 : 1;
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || text.size() > 2 || text.find_first_not_of("0123456789") != std::string_view::npos) return {};
  int value = 0;
  for (const char digit : text) value = 10 * value + (digit - '0');
  return sign * value;
}

std::optional<Size> size_of(std::string_view unit) {
  if (!check_unit(unit)) return {};
  Size size;
  int sign = 1;
  if (unit.starts_with('/')) sign = -1, unit.remove_prefix(1);
  while (!unit.empty()) {
    std::size_t end = 0;
    for (int depth = 0; end < unit.size(); ++end) {
      if (unit[end] == '{') ++depth;
      if (unit[end] == '}') --depth;
      if (depth == 0 && (unit[end] == '.' || unit[end] == '/')) break;
    }
    std::string_view part = unit.substr(0, end);
    if (const auto note = part.find('{'); note != std::string_view::npos && note > 0) part = part.substr(0, note);
    if (part.starts_with("10*")) {
      const auto exponent = small_number(part.substr(3));
      if (!exponent) return {};
      size.tens += sign * *exponent;
    } else {
      const auto last = part.find_last_not_of("0123456789");
      int power = 1;
      if (last != std::string_view::npos && last + 1 < part.size() && !part.starts_with('{')) {
        const auto exponent = small_number(part.substr(last + 1));
        if (!exponent) return {};
        power = *exponent;
        part = part.substr(0, last + 1);
        if (part.ends_with('-')) power = -power, part.remove_suffix(1);
      }
      if (!measure(part, sign * power, size)) return {};
    }
    if (end == unit.size()) break;
    sign = unit[end] == '/' ? -1 : 1;
    unit.remove_prefix(end + 1);
  }
  std::erase_if(size.kinds, [](auto const& kind) { return kind.second == 0; });
  return size;
}

}  // namespace

std::optional<double> unit_factor(std::string_view from, std::string_view to) {
  const auto a = size_of(from), b = size_of(to);
  if (!a || !b || a->kinds != b->kinds) return {};
  const int tens = a->tens - b->tens;
  const double ratio = a->factor / b->factor;
  return tens < 0 ? ratio / std::pow(10.0, -tens) : ratio * std::pow(10.0, tens);  // a power of ten below 1 is not exact
}

}  // namespace equipoise::protocol
