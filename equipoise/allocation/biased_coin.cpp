#include "equipoise/allocation/biased_coin.h"

#include <algorithm>
#include <limits>

#include "equipoise/core/text.h"

namespace equipoise::allocation {
namespace {

std::int32_t fewest(std::span<const std::int32_t> count, std::uint64_t open) {
  std::int32_t least = std::numeric_limits<std::int32_t>::max();
  for (std::size_t k = 0; k < count.size(); ++k)
    if (has(open, k)) least = std::min(least, count[k]);
  return least;
}

}  // namespace

std::optional<BiasedCoin> BiasedCoin::parse(Setting const& setting, Section& text) {
  const std::size_t before = text.problems().size();
  BiasedCoin method{.place_arm = setting.place_arm, .strata = setting.strata, .words = {}};
  check_strata(setting, text);
  method.probability = parse_probability(setting, text, 2.0 / 3);
  method.words = fmt::format("a biased coin of probability {}{}",
                             method.probability == 2.0 / 3 ? "2/3" : shortest(method.probability), within_strata(setting));
  return text.problems().size() == before ? std::optional(std::move(method)) : std::nullopt;
}

std::int32_t BiasedCoin::next(Cells state, Candidate const& who, random::Draw const& draw) const {
  const Cells count = state.subspan(who.stratum * place_arm.size(), place_arm.size());
  const std::int32_t least = fewest(count, who.open_places);
  std::uint64_t preferred = 0;
  for (std::size_t k = 0; k < count.size(); ++k)
    if (has(who.open_places, k) && count[k] == least) preferred |= std::uint64_t(1) << k;
  const std::size_t place = biased_coin(preferred, who.open_places, probability, draw);
  ++count[place];
  return place_arm[place];
}

int parse_maximum_imbalance(Section& text) {
  if (!text.need("maximum_imbalance")) return 0;
  return int(text.integer("maximum_imbalance", {.min = 1, .max = 1000}).value_or(0));
}

std::optional<BigStick> BigStick::parse(Setting const& setting, Section& text) {
  const std::size_t before = text.problems().size();
  BigStick method{.place_arm = setting.place_arm, .strata = setting.strata, .words = {}};
  check_strata(setting, text);
  method.maximum_imbalance = parse_maximum_imbalance(text);
  method.words = fmt::format("the big stick with a maximum imbalance of {}{}", method.maximum_imbalance, within_strata(setting));
  return text.problems().size() == before ? std::optional(std::move(method)) : std::nullopt;
}

std::int32_t BigStick::next(Cells state, Candidate const& who, random::Draw const& draw) const {
  const Cells count = state.subspan(who.stratum * place_arm.size(), place_arm.size());
  const std::int32_t most = fewest(count, who.open_places) + maximum_imbalance;
  std::uint64_t allowed = 0;
  for (std::size_t k = 0; k < count.size(); ++k)
    if (has(who.open_places, k) && count[k] < most) allowed |= std::uint64_t(1) << k;
  const std::size_t place = any_of(allowed, draw, 0);
  ++count[place];
  return place_arm[place];
}

}  // namespace equipoise::allocation
