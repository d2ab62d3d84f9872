#include "equipoise/protocol/factors.h"

#include <algorithm>

namespace equipoise::protocol {
namespace {

/// The codes of the item that a rule of codes reads, through derivations.
std::vector<std::string> codes_of(Protocol const& protocol, std::string const& name, int depth) {
  const std::string base = name.substr(0, name.find('@'));
  std::vector<std::string> codes;
  if (const Item* item = protocol.item(base))
    for (CodeValue const& code : item->codes) codes.push_back(code.id);
  else if (const Derivation* derivation = protocol.derivation(base); derivation && derivation->rule && depth < 100)
    for (std::string const& read : derivation->rule.variables())
      if (codes = codes_of(protocol, read, depth + 1); !codes.empty()) break;
  return codes;
}

}  // namespace

std::vector<std::string> levels_of(Protocol const& protocol, RandomisationFactor const& factor) {
  std::vector<std::string> levels;
  if (!factor.rule) {
    for (Site const& site : protocol.sites) levels.push_back(site.id);
  } else if (factor.rule->type() == expression::Type::truth) {
    levels = {"false", "true"};
  } else {
    for (std::string const& name : factor.rule->variables())
      if (levels = codes_of(protocol, name, 0); !levels.empty()) break;
  }
  std::vector<std::string> once;  // an id given twice is reported where it is given
  for (std::string const& level : levels)
    if (std::ranges::find(once, level) == once.end()) once.push_back(level);
  return once;
}

}  // namespace equipoise::protocol
