#include "equipoise/vault/streams.h"

#include <algorithm>

namespace equipoise::vault {
namespace {

void append_level(std::string& name, std::string_view level) {
  for (const char c : level)
    if (c == ',') name += "%2C";
    else if (c == '=') name += "%3D";
    else if (c == '%') name += "%25";
    else name += c;
}

}  // namespace

bool has_strata(allocation::Rule const& rule) { return !rule.balances_margins() && !rule.setting().factors.empty(); }

std::string stream_of(allocation::Rule const& rule, std::span<const std::int32_t> levels) {
  if (!has_strata(rule)) return "trial";
  std::string name;
  std::vector<allocation::Factor> const& factors = rule.setting().factors;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (i > 0) name += ',';
    name += factors[i].id + "=";
    append_level(name, factors[i].levels[std::size_t(levels[i])]);
  }
  return name;
}

std::size_t stream_number(allocation::Rule const& rule, std::span<const std::int32_t> levels) {
  return has_strata(rule) ? rule.stratum(levels) : 0;
}

std::size_t streams(allocation::Rule const& rule) { return has_strata(rule) ? rule.setting().strata : 1; }

std::vector<std::int32_t> levels_of(allocation::Rule const& rule, std::size_t stream) {
  std::vector<std::int32_t> levels;
  if (!has_strata(rule)) return levels;
  for (allocation::Factor const& factor : rule.setting().factors) {
    levels.push_back(std::int32_t(stream % factor.levels.size()));
    stream /= factor.levels.size();
  }
  return levels;
}

std::vector<std::int64_t> listed_places(allocation::Rule const& rule) {
  allocation::Setting const& setting = rule.setting();
  if (rule.balances_margins() || !setting.caps.empty() || setting.planned <= 0) return {};
  std::vector<std::int64_t> places(streams(rule), setting.planned);
  std::int64_t total = 0;
  for (std::size_t stream = 0; stream < places.size(); ++stream) {
    const std::vector<std::int32_t> levels = levels_of(rule, stream);
    for (std::size_t i = 0; i < levels.size(); ++i) {
      std::vector<std::int64_t> const& caps = setting.factors[i].caps;
      if (!caps.empty() && caps[std::size_t(levels[i])] != allocation::no_cap)
        places[stream] = std::min(places[stream], caps[std::size_t(levels[i])]);
    }
    total += places[stream];
    if (total > most_leaves) return {};
  }
  return total > 0 ? places : std::vector<std::int64_t>{};
}

}  // namespace equipoise::vault
