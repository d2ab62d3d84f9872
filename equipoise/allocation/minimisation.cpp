#include "equipoise/allocation/minimisation.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "equipoise/core/text.h"

namespace equipoise::allocation {
namespace {

constexpr std::array<std::pair<std::string_view, Imbalance>, 4> imbalances{{{"range", Imbalance::range},
                                                                            {"variance", Imbalance::variance},
                                                                            {"standard_deviation", Imbalance::standard_deviation},
                                                                            {"marginal_total", Imbalance::marginal_total}}};

constexpr std::string_view words_of(Imbalance imbalance) {
  for (auto const& [word, meaning] : imbalances)
    if (meaning == imbalance)
      return word == "marginal_total" ? "marginal totals" : word == "standard_deviation" ? "standard deviations" : word;
  return {};
}

void read_weights(Setting const& setting, Section& text, Minimisation& method) {
  method.weights.assign(setting.factors.size(), 1.0);
  if (auto table = text.table("weights", "the weights of " + text.name())) {
    for (std::size_t i = 0; i < setting.factors.size(); ++i) {
      const auto weight = table->need_number(setting.factors[i].id, {.min = 0, .max = 1e6});
      if (weight) method.weights[i] = *weight;
    }
    table->finish();
  }
  method.overall = text.number("overall_weight", {.min = 0, .max = 1e6}).value_or(0);
}

/// The keys that minimisation and Taves's method share, and where the counts are kept.
void read_shared(Setting const& setting, Section& text, Minimisation& method) {
  method.place_arm = setting.place_arm;
  for (Factor const& factor : setting.factors) {
    method.offsets.push_back(method.size);
    method.size += factor.levels.size() * setting.places();
  }
  method.offsets.push_back(method.size);
  method.size += setting.places();
  const bool weights_fine = [&] {
    const std::size_t before = text.problems().size();
    read_weights(setting, text, method);
    return text.problems().size() == before;
  }();
  const Node* factors = text.node().find("factors");
  if (!factors || (factors->array() && factors->array()->empty()))
    add_problem(text.problems(), text.place(), Code::missing_key, "{} needs 'factors' to balance", text.name()).hint =
        "without factors biased_coin balances the arms of the whole trial";
  else if (weights_fine && !setting.factors.empty() && method.overall == 0 &&
           std::ranges::all_of(method.weights, [](double w) { return w == 0; }))
    text.report_at("weights", Code::out_of_range, "all weights are 0: nothing would be balanced");
}

std::string shared_words(Setting const& setting, Minimisation const& method, bool weights) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < setting.factors.size(); ++i)
    names.push_back(
        fmt::format("'{}'{}", setting.factors[i].id, weights ? fmt::format(" (weight {})", shortest(method.weights[i])) : ""));
  if (method.overall > 0)
    names.push_back(fmt::format("the whole trial{}", weights ? fmt::format(" (weight {})", shortest(method.overall)) : ""));
  return one_of(names, "and");
}

bool equal_weights(Minimisation const& method) {
  return std::ranges::all_of(method.weights, [](double w) { return w == 1; }) && (method.overall == 0 || method.overall == 1);
}

}  // namespace

std::optional<Minimisation> Minimisation::parse(Setting const& setting, Section& text) {
  const std::size_t before = text.problems().size();
  Minimisation method;
  read_shared(setting, text, method);
  method.imbalance = text.word<Imbalance>("imbalance", imbalances).value_or(Imbalance::range);
  method.probability = parse_probability(setting, text, {});
  method.words =
      fmt::format("minimisation of {} by the {}, probability {}", shared_words(setting, method, !equal_weights(method)),
                  words_of(method.imbalance), shortest(method.probability));
  return text.problems().size() == before ? std::optional(std::move(method)) : std::nullopt;
}

std::optional<Taves> Taves::parse(Setting const& setting, Section& text) {
  const std::size_t before = text.problems().size();
  Taves method;
  read_shared(setting, text, method);
  method.imbalance = Imbalance::marginal_total;
  method.words = fmt::format("Taves's minimisation of {}", shared_words(setting, method, !equal_weights(method)));
  return text.problems().size() == before ? std::optional(std::move(method)) : std::nullopt;
}

namespace {

/// The range with one more at each of K places in turn, all open: the largest is then max(largest, x_t + 1), and the smallest the
/// second smallest where t alone was smallest.
template <std::size_t K>
void add_range(std::int32_t const* count, double weight, double* total) {
  std::int32_t largest = 0, smallest = std::numeric_limits<std::int32_t>::max(), second = smallest;
  for (std::size_t k = 0; k < K; ++k) {
    largest = std::max(largest, count[k]);
    second = std::min(second, std::max(smallest, count[k]));
    smallest = std::min(smallest, count[k]);
  }
  for (std::size_t t = 0; t < K; ++t) {
    const std::int32_t with = count[t] + 1, least = count[t] == smallest ? std::min(second, with) : smallest;
    total[t] += weight * (std::max(largest, with) - least);
  }
}

}  // namespace

std::uint64_t Minimisation::preferred(std::span<const std::int32_t> state, Candidate const& who) const {
  const std::size_t places = place_arm.size();
  std::array<double, most_places> total;  // G_t
  std::fill_n(total.data(), places, 0.0);
  const bool all_open = std::size_t(std::popcount(who.open_places)) == places;
  const auto add = [&](std::int32_t const* count, double weight) {
    if (imbalance == Imbalance::marginal_total) {
      for (std::size_t t = 0; t < places; ++t) total[t] += weight * count[t];
      return;
    }
    if (imbalance == Imbalance::range && all_open && places == 2) return add_range<2>(count, weight, total.data());
    if (imbalance == Imbalance::range && all_open && places == 3) return add_range<3>(count, weight, total.data());
    if (imbalance == Imbalance::range) {
      // With one more at t: the largest is max(largest, x_t + 1); the smallest is the second smallest when t alone was smallest.
      std::int32_t largest = 0, smallest = std::numeric_limits<std::int32_t>::max(), second = smallest;
      for (std::size_t k = 0; k < places; ++k) {
        if (!all_open && !has(who.open_places, k)) continue;
        largest = std::max(largest, count[k]);
        second = std::min(second, std::max(smallest, count[k]));
        smallest = std::min(smallest, count[k]);
      }
      for (std::size_t t = 0; t < places; ++t) {
        const std::int32_t with = count[t] + 1, least = count[t] == smallest ? std::min(second, with) : smallest;
        total[t] += weight * (std::max(largest, with) - least);
      }
      return;
    }
    std::int64_t n = 0, sum = 0, squares = 0;
    for (std::size_t k = 0; k < places; ++k)
      if (has(who.open_places, k)) n += 1, sum += count[k], squares += std::int64_t(count[k]) * count[k];
    if (n < 2) return;
    for (std::size_t t = 0; t < places; ++t) {  // n sum x^2 - (sum x)^2, whole numbers
      const std::int64_t around = n * (squares + 2 * std::int64_t(count[t]) + 1) - (sum + 1) * (sum + 1);
      const double variance = double(around) / double(n * (n - 1));
      total[t] += weight * (imbalance == Imbalance::variance ? variance : std::sqrt(variance));
    }
  };
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (weights[i] > 0) add(&state[offsets[i] + std::size_t(who.levels[i]) * places], weights[i]);
  if (overall > 0) add(&state[offsets.back()], overall);

  double least = std::numeric_limits<double>::infinity(), most = 0;
  for (std::size_t t = 0; t < places; ++t)
    if (all_open || has(who.open_places, t)) least = std::min(least, total[t]), most = std::max(most, total[t]);
  const double slack = 1e-12 * most;  // rounding of sums that are equal: a unit in the last place for each factor
  std::uint64_t set = 0;
  for (std::size_t t = 0; t < places; ++t) set |= std::uint64_t(total[t] <= least + slack) << t;
  return set & who.open_places;
}

std::int32_t Minimisation::next(Cells state, Candidate const& who, random::Draw const& draw) const {
  const std::size_t place = biased_coin(preferred(state, who), who.open_places, probability, draw), places = place_arm.size();
  for (std::size_t i = 0; i < weights.size(); ++i) ++state[offsets[i] + std::size_t(who.levels[i]) * places + place];
  ++state[offsets.back() + place];
  return place_arm[place];
}

std::optional<Caution> Minimisation::caution() const {
  if (probability < 1) return {};
  return Caution{
      "chance decides only between arms that are equally good: whoever knows the allocations so far knows most of the next",
      "minimisation with a probability such as 0.8; and a re-randomisation test has little to work with otherwise"};
}

}  // namespace equipoise::allocation
