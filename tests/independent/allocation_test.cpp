// Minimisation worked out from its definition, with nothing of the program's: exact laws of small trials; and the predictability
// of whole designs, against a simulation by another program.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "equipoise/allocation/predictability.h"
#include "equipoise/allocation/testing.h"

namespace equipoise {
namespace {

using allocation::testing::Law, allocation::testing::law, allocation::testing::trial;

using Person = std::vector<std::int32_t>;  // levels of the factors

/// How the probability of the preferred place is shared by places that are equally good: in a random ranking (Pocock & Simon), or
/// with the whole of it for them together.
enum class Ties { ranked, together };

/// Imbalance of counts, by its name in the protocol; of a marginal total the count itself.
double imbalance(std::string const& name, std::vector<double> const& counts, std::size_t candidate) {
  if (name == "marginal_total") return counts[candidate];
  if (name == "range") return *std::ranges::max_element(counts) - *std::ranges::min_element(counts);
  double mean = 0, around = 0;
  for (const double count : counts) mean += count / double(counts.size());
  for (const double count : counts) around += (count - mean) * (count - mean) / double(counts.size() - 1);
  return name == "variance" ? around : std::sqrt(around);
}

/// Probability of each place for the next person, given the places of those before.
std::vector<double> chances(std::string const& name, std::vector<double> const& weights, double overall, double p, Ties ties,
                            std::vector<Person> const& people, std::vector<std::int32_t> const& places_before,
                            std::size_t places) {
  Person const& next = people[places_before.size()];
  std::vector<double> total(places, 0.0);
  for (std::size_t t = 0; t < places; ++t)
    for (std::size_t factor = 0; factor <= weights.size(); ++factor) {
      const bool whole = factor == weights.size();
      std::vector<double> counts(places, 0.0);
      for (std::size_t i = 0; i < places_before.size(); ++i)
        if (whole || people[i][factor] == next[factor]) counts[std::size_t(places_before[i])] += 1;
      counts[t] += 1;
      total[t] += (whole ? overall : weights[factor]) * imbalance(name, counts, t);
    }
  const double least = *std::ranges::min_element(total);
  std::vector<std::size_t> best;
  for (std::size_t t = 0; t < places; ++t)
    if (total[t] < least + 1e-9) best.push_back(t);
  std::vector<double> chance(places, 0.0);
  for (const std::size_t first : best)  // each as likely to be ranked first
    for (std::size_t t = 0; t < places; ++t) {
      double share = t == first ? p : (1 - p) / double(places - 1);
      if (ties == Ties::together && best.size() < places) {
        const bool good = std::ranges::find(best, t) != best.end();
        share = good ? p / double(best.size()) : (1 - p) / double(places - best.size());
      }
      chance[t] += share / double(best.size());
    }
  return chance;
}

void all_sequences(std::string const& name, std::vector<double> const& weights, double overall, double p,
                   std::vector<Person> const& people, std::vector<int> const& place_arm, std::vector<std::int32_t>& places,
                   double probability, Law& found) {
  if (probability == 0) return;
  if (places.size() == people.size()) {
    std::vector<std::int32_t> arms;
    for (const std::int32_t place : places) arms.push_back(place_arm[std::size_t(place)]);
    found[arms] += probability;
    return;
  }
  const std::vector<double> chance = chances(name, weights, overall, p, Ties::ranked, people, places, place_arm.size());
  for (std::size_t t = 0; t < chance.size(); ++t) {
    places.push_back(std::int32_t(t));
    all_sequences(name, weights, overall, p, people, place_arm, places, probability * chance[t], found);
    places.pop_back();
  }
}

allocation::Rule rule_of(std::string const& text) {
  const protocol::Loaded loaded = protocol::load_all(text, "t.toml");
  Problems problems;
  std::optional<allocation::Rule> made = allocation::Rule::parse(loaded.protocol, problems);
  for (Error const& problem : problems) ADD_FAILURE() << to_string(problem);
  return made.value();
}

const std::string site_and_age = "factors = [{ id = \"site\" }, { id = \"old\", rule = \"age@screening >= 65\" }]\n";

TEST(Minimisation, HasTheLawOfItsDefinition) {
  std::mt19937 numbers(20);
  struct Case {
    std::string imbalance;
    double site, old, overall, p;
    std::vector<int> ratio;
  };
  for (const Case& one :
       {Case{"range", 1, 1, 0, 0.8, {1, 1, 1}}, Case{"range", 2, 1, 0.5, 0.7, {1, 1}}, Case{"variance", 1, 1, 1, 0.9, {1, 1, 1}},
        Case{"standard_deviation", 0.1, 0.3, 0.2, 0.8, {1, 1, 1}}, Case{"marginal_total", 1, 2, 0, 1, {1, 1, 1}},
        Case{"range", 1, 1, 0, 0.8, {2, 1}}, Case{"variance", 3, 1, 1, 0.6, {1, 2}}, Case{"range", 0, 1, 1, 0.7, {1, 1, 2}}}) {
    std::string ratio;
    std::vector<int> place_arm;
    for (std::size_t a = 0; a < one.ratio.size(); ++a) {
      ratio += fmt::format("{}{} = {}", a ? ", " : "", char('a' + a), one.ratio[a]);
      place_arm.insert(place_arm.end(), std::size_t(one.ratio[a]), int(a));
    }
    const allocation::Rule rule = rule_of(trial(
        int(one.ratio.size()),
        fmt::format("method = \"minimisation\"\nimbalance = \"{}\"\nweights = {{ site = {}, old = {} }}\noverall_weight = {}\n"
                    "probability = {}\nratio = {{ {} }}\n",
                    one.imbalance, one.site, one.old, one.overall, one.p, ratio) +
            site_and_age));
    for (int trial_number = 0; trial_number < 2; ++trial_number) {
      std::vector<Person> people;
      for (int i = 0; i < (place_arm.size() == 4 ? 4 : 5); ++i)
        people.push_back({std::int32_t(numbers() % 2), std::int32_t(numbers() % 2)});
      Law expected;
      std::vector<std::int32_t> places;
      all_sequences(one.imbalance, {one.site, one.old}, one.overall, one.p, people, place_arm, places, 1, expected);
      const Law got = law(rule, people, place_arm.size() == 4 ? 180 : 60);  // tenths, and what ties can divide by
      EXPECT_EQ(got.size(), expected.size());
      for (auto const& [arms, probability] : expected) EXPECT_NEAR(got.at(arms), probability, 1e-12);
    }
  }
}

// ---- Predictability of designs -----------------------------------------------------------------------------------------

struct Measured {
  double guess = 0, imbalance = 0;  ///< per cent of right guesses, mean of the arms' imbalance
  double guess_se = 0, imbalance_se = 0;
  double overall_95 = 0, site_95 = 0;
};

constexpr std::size_t people = 72, trials = 4000;
const std::vector<int> three{1, 1, 1};

class Summary {
 public:
  void add(std::vector<std::int32_t> const& arm, std::vector<std::int32_t> const& site) {
    guesses_.push_back(100 * allocation::convergent_guesses(arm, site, three) / double(people));
    const allocation::ArmImbalance imbalance = allocation::arm_imbalance(arm, site, three);
    overall_.push_back(imbalance.overall), worst_.push_back(imbalance.worst_site);
  }
  Measured measured() {
    const auto [guess, guess_se] = mean(guesses_);
    const auto [imbalance, imbalance_se] = mean(overall_);
    return {guess, imbalance, guess_se, imbalance_se, percentile(overall_), percentile(worst_)};
  }

 private:
  static std::pair<double, double> mean(std::vector<double> const& values) {
    double sum = 0, squares = 0;
    for (const double value : values) sum += value, squares += value * value;
    const double n = double(values.size()), m = sum / n;
    return {m, std::sqrt((squares / n - m * m) / n)};
  }
  static double percentile(std::vector<double>& values) {
    std::ranges::sort(values);
    return values[std::size_t(0.95 * double(values.size()))];
  }
  std::vector<double> guesses_, overall_, worst_;
};

/// Six sites with equal chances, and a factor of two levels with equal chances.
Measured by_program(std::string const& section) {
  std::string text = trial(3, section);
  const std::string from = "{ id = \"s3\", cap = 2 }";
  text.replace(text.find(from), from.size(), "{ id = \"s3\" }, { id = \"s4\" }, { id = \"s5\" }, { id = \"s6\" }");
  const allocation::Rule rule = rule_of(text);
  const random::PhiloxKey key = random::derived_key({2026, random::Purpose::allocation});
  std::mt19937 numbers(72);
  allocation::State state;
  Summary summary;
  for (std::uint64_t number = 0; number < trials; ++number) {
    rule.start(state);
    std::vector<std::int32_t> arm, site;
    for (std::uint32_t who = 0; who < people; ++who) {
      const Person all{std::int32_t(numbers() % 6), std::int32_t(numbers() >> 31)};
      Person levels;
      for (allocation::Factor const& factor : rule.setting().factors) levels.push_back(factor.id == "site" ? all[0] : all[1]);
      site.push_back(all[0]);
      arm.push_back(rule.next(state, levels, random::PhiloxDraw(key, {.replicate = number, .participant = who})).value());
    }
    summary.add(arm, site);
  }
  return summary.measured();
}

/// Minimisation of site, factor and the whole trial by the range, from the definition.
Measured by_definition(double p, Ties ties) {
  std::mt19937 numbers(73);
  std::uniform_real_distribution<double> uniform;
  Summary summary;
  for (std::size_t number = 0; number < trials; ++number) {
    std::vector<Person> crowd;
    std::vector<std::int32_t> arm, site;
    for (std::size_t who = 0; who < people; ++who) {
      crowd.push_back({std::int32_t(numbers() % 6), std::int32_t(numbers() >> 31)});
      site.push_back(crowd.back()[0]);
      const std::vector<double> chance = chances("range", {1, 1}, 1, p, ties, crowd, arm, 3);
      const double u = uniform(numbers);
      arm.push_back(u < chance[0] ? 0 : u < chance[0] + chance[1] ? 1 : 2);
    }
    summary.add(arm, site);
  }
  return summary.measured();
}

struct Published {
  std::string section;
  double guess, imbalance, overall_95, site_95;
};

/// The other simulation has 4000 trials too, and prints tenths and hundredths.
void expect_agreement(Measured const& got, Published const& other) {
  EXPECT_NEAR(got.guess, other.guess, 4 * std::sqrt(2.0) * got.guess_se + 0.05) << other.section;
  EXPECT_NEAR(got.imbalance, other.imbalance, 4 * std::sqrt(2.0) * got.imbalance_se + 0.005) << other.section;
  EXPECT_NEAR(got.overall_95, other.overall_95, 1) << other.section;  // a percentile of whole numbers near a step
  EXPECT_NEAR(got.site_95, other.site_95, 1) << other.section;
}

TEST(Predictability, IsThatOfAnotherProgramsSimulation) {
  const std::string by_site = "factors = [{ id = \"site\" }]\n";
  for (Published const& other :
       {Published{"method = \"simple\"\n", 33.3, 8.32, 16, 8},
        Published{"method = \"permuted_block\"\nblock_sizes = [3]\n" + by_site, 59.2, 1.92, 4, 1},
        Published{"method = \"permuted_block\"\nblock_sizes = [6]\n" + by_site, 53.3, 2.54, 5, 2},
        Published{"method = \"permuted_block\"\nblock_sizes = [3, 6]\n" + by_site, 55.4, 2.33, 5, 2},
        Published{"method = \"permuted_block\"\nblock_sizes = [3, 6, 9]\n" + by_site, 52.8, 2.70, 5, 3},
        Published{"method = \"permuted_block\"\nblock_sizes = [3, 6, 9]\n", 35.2, 0.67, 2, 8},
        Published{"method = \"big_stick\"\nmaximum_imbalance = 3\n", 34.9, 2.05, 3, 8},
        Published{"method = \"minimisation\"\noverall_weight = 1\nprobability = 1\n" + site_and_age, 52.5, 0.26, 2, 4}})
    expect_agreement(by_program(other.section), other);
}

TEST(Predictability, OfMinimisationIsThatOfItsDefinition) {
  for (const double p : {0.7, 0.8}) {
    const Measured got =
        by_program(fmt::format("method = \"minimisation\"\noverall_weight = 1\nprobability = {}\n", p) + site_and_age);
    const Measured defined = by_definition(p, Ties::ranked);
    expect_agreement(got, {"by definition", defined.guess, defined.imbalance, defined.overall_95, defined.site_95});
  }
}

// The other program gives equally good arms the probability together, so that it prefers less.
TEST(Predictability, OfMinimisationDependsOnHowTiesShare) {
  expect_agreement(by_definition(0.8, Ties::together), {"p = 0.8", 46.3, 1.10, 3, 5});
  expect_agreement(by_definition(0.7, Ties::together), {"p = 0.7", 43.4, 1.68, 4, 6});
}

}  // namespace
}  // namespace equipoise
