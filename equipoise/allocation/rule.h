#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/allocation/setting.h"
#include "equipoise/core/expected.h"
#include "equipoise/random/draw.h"

namespace equipoise::allocation {

/// All that an allocation depends on beside the participant and chance: whole numbers in a row. A simulator starts the same one
/// again and again; a live trial copies it, so that an allocation which was not stored never happened.
struct State {
  std::vector<std::int32_t> cells;
  friend bool operator==(State const&, State const&) = default;
};

struct Step {
  std::int32_t arm = 0;
  State state;
};

/// The section [randomisation], compiled: arms, ratio, factors, caps and method. Immutable and cheap to copy; safe from any
/// thread with a state of its own.
///
///     auto rule = allocation::Rule::parse(protocol, problems);
///     State state = rule->start();
///     for (std::uint32_t who = 0; ...; ++who)
///       auto arm = rule->next(state, levels[who], random::PhiloxDraw(key, {.replicate = b, .participant = who}));
class Rule {
 public:
  /// Reports every problem of the section. The protocol must have one.
  static std::optional<Rule> parse(protocol::Protocol const& protocol, Problems& problems);

  Setting const& setting() const;
  std::string_view keyword() const;
  /// For people: "minimisation of 'site' and 'cd4_low' by the range, probability 0.8".
  std::string sentence() const;
  /// What is allowed and makes allocations easy to guess.
  std::optional<Caution> caution() const;

  /// Whether participants of all combinations of levels are balanced together (minimisation). Every other method keeps each
  /// combination, a stratum, apart: as long as no arm has a cap, an arm follows from those before it in its stratum alone.
  bool balances_margins() const;
  /// The stratum of these levels, which are in range: below Setting::strata, the first factor counting fastest.
  std::size_t stratum(std::span<const std::int32_t> levels) const;
  /// The same rule without caps of levels: what it gives in one stratum, however full the levels of others are.
  Rule without_level_caps() const;

  State start() const;
  void start(State& state) const;  ///< reuses its memory

  /// The arm of the next participant, whose factors have these levels (numbers into the levels of the setting); the state becomes
  /// the one after. A participant who is refused leaves it as it was. Allocates nothing.
  ///
  /// errors  refused (every arm is full, or a level of a factor is); out_of_range (no such level)
  Expected<std::int32_t> next(State& state, std::span<const std::int32_t> levels, random::Draw const& draw) const;
  /// The same, leaving the state as it is.
  Expected<Step> step(State const& state, std::span<const std::int32_t> levels, random::Draw const& draw) const;

  /// How many participants each arm has.
  std::span<const std::int32_t> allocated(State const& state) const;

 private:
  struct Compiled;
  explicit Rule(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

/// The methods of this build.
std::vector<std::string> method_keywords();

}  // namespace equipoise::allocation
