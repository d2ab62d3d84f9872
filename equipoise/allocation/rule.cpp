#include "equipoise/allocation/rule.h"

#include <algorithm>

#include "equipoise/allocation/methods.h"

namespace equipoise::allocation {

/// The cells of a state: participants of each arm; of each level of each factor, when a level has a cap; those of the method.
struct Rule::Compiled {
  Setting setting;
  Methods::Any method;
  std::size_t levels_from = 0, method_from = 0, cells = 0;
  bool caps_levels = false;
  std::vector<std::size_t> stride;       ///< of each factor in the number of a stratum
  std::vector<std::uint64_t> places_of;  ///< of each arm
  std::uint64_t all_arms = 0, all_places = 0;

  /// The next arm, with the levels in range and every cap kept.
  std::int32_t allocate(State& state, std::span<const std::int32_t> levels, std::uint64_t open, random::Draw const& draw) const;
};

std::optional<Rule> Rule::parse(protocol::Protocol const& protocol, Problems& problems) {
  expects(protocol.randomisation.has_value(), "a rule is parsed from a section");
  protocol::MethodSection const& written = *protocol.randomisation;
  const std::size_t before = problems.size();
  Section section(written.section, "[randomisation]", problems);
  section.allow("method");
  auto compiled = std::make_shared<Compiled>();
  compiled->setting = read_setting(protocol, section);
  Setting const& setting = compiled->setting;
  std::optional<Methods::Any> method = Methods::parse(written.method, setting, section);
  section.finish();
  if (problems.size() > before || !method || setting.places() == 0) return {};

  compiled->method = std::move(*method);
  compiled->levels_from = setting.arms.size();
  compiled->caps_levels = std::ranges::any_of(setting.factors, [](Factor const& factor) { return !factor.caps.empty(); });
  compiled->method_from = compiled->levels_from;
  std::size_t stride = 1;
  for (Factor const& factor : setting.factors) {
    if (compiled->caps_levels) compiled->method_from += factor.levels.size();
    compiled->stride.push_back(setting.strata > most_strata ? 0 : stride);
    stride *= factor.levels.size();
    if (stride > most_strata) stride = 0;
  }
  compiled->cells = compiled->method_from + std::visit([](auto const& one) { return one.cells(); }, compiled->method);
  compiled->places_of.assign(setting.arms.size(), 0);
  for (std::size_t place = 0; place < setting.places(); ++place)
    compiled->places_of[std::size_t(setting.place_arm[place])] |= std::uint64_t(1) << place;
  for (std::size_t arm = 0; arm < setting.arms.size(); ++arm) {
    compiled->all_arms |= std::uint64_t(1) << arm;
    compiled->all_places |= compiled->places_of[arm];
  }
  return Rule(std::move(compiled));
}

Setting const& Rule::setting() const { return compiled_->setting; }

std::string_view Rule::keyword() const {
  return std::visit([](auto const& one) { return std::string_view(std::remove_cvref_t<decltype(one)>::keyword); },
                    compiled_->method);
}

std::string Rule::sentence() const {
  return std::visit([](auto const& one) { return one.sentence(); }, compiled_->method);
}

std::optional<Caution> Rule::caution() const {
  return std::visit(
      [](auto const& one) -> std::optional<Caution> {
        if constexpr (requires { one.caution(); }) return one.caution();
        return {};
      },
      compiled_->method);
}

bool Rule::balances_margins() const {
  return std::visit([](auto const& one) { return std::derived_from<std::remove_cvref_t<decltype(one)>, Minimisation>; },
                    compiled_->method);
}

std::size_t Rule::stratum(std::span<const std::int32_t> levels) const {
  expects(levels.size() == compiled_->stride.size(), "a stratum has a level of each factor");
  std::size_t number = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) number += compiled_->stride[i] * std::size_t(levels[i]);
  return number;
}

Rule Rule::without_level_caps() const {
  auto open = std::make_shared<Compiled>(*compiled_);
  for (Factor& factor : open->setting.factors) factor.caps.clear();
  open->caps_levels = false;
  open->cells -= open->method_from - open->levels_from;
  open->method_from = open->levels_from;
  return Rule(std::move(open));
}

State Rule::start() const {
  State state;
  start(state);
  return state;
}

void Rule::start(State& state) const {
  state.cells.assign(compiled_->cells, 0);
  const Cells cells = Cells(state.cells).subspan(compiled_->method_from);
  std::visit([&](auto const& one) { one.start(cells); }, compiled_->method);
}

std::span<const std::int32_t> Rule::allocated(State const& state) const {
  return std::span(state.cells).first(compiled_->levels_from);
}

std::int32_t Rule::Compiled::allocate(State& state, std::span<const std::int32_t> levels, std::uint64_t open,
                                      random::Draw const& draw) const {
  Candidate who{.levels = levels, .stratum = 0, .open_arms = open, .open_places = all_places};
  for (std::size_t i = 0; i < levels.size(); ++i) who.stratum += stride[i] * std::size_t(levels[i]);
  if (open != all_arms) {
    who.open_places = 0;
    for (std::size_t arm = 0; arm < places_of.size(); ++arm) who.open_places |= has(open, arm) ? places_of[arm] : 0;
  }
  const Cells of_method = Cells(state.cells).subspan(method_from);
  const std::int32_t arm = std::visit([&](auto const& one) { return one.next(of_method, who, draw); }, method);
  ++state.cells[std::size_t(arm)];
  if (caps_levels)
    for (std::size_t i = 0, from = levels_from; i < levels.size(); from += setting.factors[i++].levels.size())
      ++state.cells[from + std::size_t(levels[i])];
  return arm;
}

Expected<std::int32_t> Rule::next(State& state, std::span<const std::int32_t> levels, random::Draw const& draw) const {
  Compiled const& rule = *compiled_;
  expects(state.cells.size() == rule.cells, "a state belongs to its rule");
  std::vector<Factor> const& factors = rule.setting.factors;
  if (levels.size() != factors.size())
    return fail(Code::out_of_range, "{} levels for the {} factors of the randomisation", levels.size(), factors.size());
  std::size_t from = rule.levels_from;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    Factor const& factor = factors[i];
    if (levels[i] < 0 || std::size_t(levels[i]) >= factor.levels.size())
      return fail(Code::out_of_range, "the factor '{}' has no level {}", factor.id, levels[i]);
    const auto level = std::size_t(levels[i]);
    if (!factor.caps.empty() && factor.caps[level] != no_cap && state.cells[from + level] >= factor.caps[level])
      return fail(Code::refused, "'{}' of the factor '{}' is full: its cap is {} participant{}", factor.levels[level], factor.id,
                  factor.caps[level], factor.caps[level] == 1 ? "" : "s");
    from += factor.levels.size();
  }
  std::uint64_t open = rule.all_arms;
  if (!rule.setting.caps.empty())
    for (std::size_t arm = 0; arm < rule.setting.arms.size(); ++arm)
      if (rule.setting.caps[arm] != no_cap && state.cells[arm] >= rule.setting.caps[arm]) open &= ~(std::uint64_t(1) << arm);
  if (open == 0) return fail(Code::refused, "every arm is full: the caps of [randomisation] leave nobody a place");
  return rule.allocate(state, levels, open, draw);
}

Expected<Step> Rule::step(State const& state, std::span<const std::int32_t> levels, random::Draw const& draw) const {
  Step step{.arm = 0, .state = state};
  const Expected<std::int32_t> arm = next(step.state, levels, draw);
  if (!arm) return tl::unexpected(arm.error());
  step.arm = *arm;
  return step;
}

std::vector<std::string> method_keywords() { return Methods::keywords(); }

}  // namespace equipoise::allocation
