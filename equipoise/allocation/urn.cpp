#include "equipoise/allocation/urn.h"

#include <algorithm>

namespace equipoise::allocation {

std::optional<Urn> Urn::parse(Setting const& setting, Section& text) {
  const std::size_t before = text.problems().size();
  Urn method{.place_arm = setting.place_arm, .strata = setting.strata, .words = {}};
  check_strata(setting, text);
  text.need("alpha"), text.need("beta");
  method.alpha = int(text.integer("alpha", {.min = 0, .max = 1000}).value_or(0));
  method.beta = int(text.integer("beta", {.min = 0, .max = 1000}).value_or(1));
  if (text.problems().size() == before && method.beta == 0)
    text.report_at("beta", Code::inconsistent, "with beta = 0 the urn never changes, and the method is 'simple'");
  method.words = fmt::format("an urn UD({}, {}){}", method.alpha, method.beta, within_strata(setting));
  return text.problems().size() == before ? std::optional(std::move(method)) : std::nullopt;
}

void Urn::start(Cells state) const { std::ranges::fill(state, alpha); }

std::int32_t Urn::next(Cells state, Candidate const& who, random::Draw const& draw) const {
  const Cells balls = state.subspan(who.stratum * place_arm.size(), place_arm.size());
  std::uint64_t total = 0;
  for (std::size_t k = 0; k < balls.size(); ++k) total += has(who.open_places, k) ? std::uint64_t(balls[k]) : 0;
  std::size_t place = 0;
  if (total == 0) {
    place = any_of(who.open_places, draw, 0);
  } else {
    std::uint64_t ball = draw.below(0, total);
    for (;; ++place) {
      if (!has(who.open_places, place)) continue;
      if (ball < std::uint64_t(balls[place])) break;
      ball -= std::uint64_t(balls[place]);
    }
  }
  for (std::size_t k = 0; k < balls.size(); ++k) balls[k] += k == place ? 0 : beta;
  return place_arm[place];
}

}  // namespace equipoise::allocation
