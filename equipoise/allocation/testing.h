#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/allocation/rule.h"
#include "equipoise/protocol/load.h"
#include "equipoise/random/scripted_draw.h"

/// Small trials, and the laws of their methods worked out word by word. Only tests include this.
namespace equipoise::allocation::testing {

/// A protocol of arms "a", "b", ..., three sites (s3 takes two participants), sex and age at screening, and the given section.
inline std::string trial(int arms, std::string_view randomisation, std::string_view head = "planned_participants = 12\n") {
  std::string text = "format = 1\n[trial]\nid = \"t\"\ntitle = \"A trial\"\nversion = \"1\"\n" + std::string(head);
  for (int a = 0; a < arms; ++a) text += fmt::format("[[arm]]\nid = \"{}\"\nrole = \"investigational\"\n", char('a' + a));
  text += R"toml([sites]
site = [{ id = "s1" }, { id = "s2" }, { id = "s3", cap = 2 }]
[schedule]
visit = [{ id = "screening", day = -7, forms = ["person"] }, { id = "w4", day = 29, forms = ["person"] }]
[form.person]
sex = { kind = "code", codes = [["F", "Female"], ["M", "Male"]] }
age = { kind = "integer" }
[randomisation]
)toml" + std::string(randomisation);
  return text;
}

/// What the protocol's reader and this room say of a section, in file order.
inline std::vector<std::string> problems_of(int arms, std::string_view randomisation,
                                            std::string_view head = "planned_participants = 12\n") {
  protocol::Loaded loaded = protocol::load_all(trial(arms, randomisation, head), "t.toml");
  Problems problems;
  if (loaded.protocol.randomisation) Rule::parse(loaded.protocol, problems);
  for (Error const& problem : loaded.problems)  // the trial has no question: that is not what is tested here
    if (problem.place.line >= 14 + 3 * arms) problems.push_back(problem);
  sort_in_file_order(problems);
  std::vector<std::string> messages;
  for (Error const& problem : problems) messages.push_back(to_string(problem));
  return messages;
}

inline Rule rule(int arms, std::string_view randomisation) {
  const protocol::Loaded loaded = protocol::load_all(trial(arms, randomisation), "t.toml");
  Problems problems;
  std::optional<Rule> made = Rule::parse(loaded.protocol, problems);
  for (Error const& problem : problems) ADD_FAILURE() << to_string(problem);
  return made.value();
}

/// Probability of every sequence of arms.
using Law = std::map<std::vector<std::int32_t>, double>;

/// All that can happen when participants with these levels come in this order: every word of a grid of `cells` at every draw,
/// each with probability 1/cells. Exact when the probabilities of the method are whole numbers of cells.
inline Law law(Rule const& rule, std::vector<std::vector<std::int32_t>> const& participants, std::uint64_t cells) {
  struct Past {
    std::vector<std::int32_t> arms;
    std::vector<std::int32_t> state;
    auto operator<=>(Past const&) const = default;
  };
  std::map<Past, double> pasts{{{{}, rule.start().cells}, 1.0}};
  for (std::vector<std::int32_t> const& levels : participants) {
    std::map<Past, double> after;
    for (auto const& one : pasts) {
      Past const& past = one.first;
      const double probability = one.second;
      const auto run = [&](std::uint64_t first, std::uint64_t second, double share) {
        const random::ScriptedDraw draw({random::middle_of_cell(first, cells), random::middle_of_cell(second, cells)});
        const auto step = rule.step({past.state}, levels, draw);
        if (!step) throw std::runtime_error(step.error().message);
        if (share == 0 && draw.asked() > 1) return false;
        Past next{past.arms, step->state.cells};
        next.arms.push_back(step->arm);
        after[next] += probability * (share == 0 ? 1.0 / double(cells) : share);
        return true;
      };
      for (std::uint64_t first = 0; first < cells; ++first)
        if (!run(first, 0, 0))
          for (std::uint64_t second = 0; second < cells; ++second) run(first, second, 1.0 / double(cells * cells));
    }
    pasts = std::move(after);
  }
  Law law;
  for (auto const& [past, probability] : pasts) law[past.arms] += probability;
  return law;
}

/// The same of participants without factors.
inline Law law(Rule const& rule, std::size_t participants, std::uint64_t cells) {
  return law(rule, std::vector<std::vector<std::int32_t>>(participants), cells);
}

/// Probability that participant `who` gets the arm.
inline double marginal(Law const& law, std::size_t who, std::int32_t arm) {
  double sum = 0;
  for (auto const& [arms, probability] : law) sum += arms[who] == arm ? probability : 0;
  return sum;
}

}  // namespace equipoise::allocation::testing
