#include "equipoise/stats/continuous/ranks.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/strata.h"

namespace equipoise::stats {
namespace {

constexpr std::pair<std::string_view, Tail> tails[] = {
    {"two_sided", Tail::two_sided}, {"greater", Tail::greater}, {"less", Tail::less}};

bool tied(double smaller, double larger) {
  return larger == smaller || larger - smaller <= same_value * std::max(std::abs(smaller), std::abs(larger));
}

}  // namespace

double Midranks::tie_sum() const {
  double total = 0;
  for (const std::uint32_t size : block) {
    const double t = size;
    total += t * t * t - t;  // whole numbers below 2^53 up to n = 2e5, rounded in the last place beyond
  }
  return total;
}

Midranks midranks(std::span<const double> values) {
  const std::size_t n = values.size();
  std::vector<std::uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return values[a] < values[b]; });
  Midranks ranks{.rank = std::vector<double>(n)};
  for (std::size_t from = 0, to = 0; from < n; from = to) {
    // Measured from the smallest of a block, so that a chain of close values does not grow without end.
    for (; to < n && tied(values[order[from]], values[order[to]]); ++to) ranks.merged += values[order[to]] != values[order[from]];
    for (std::size_t i = from; i < to; ++i) ranks.rank[order[i]] = double(from + 1 + to) / 2;
    ranks.block.push_back(std::uint32_t(to - from));
  }
  return ranks;
}

std::string merged_values_note(std::size_t merged) {
  if (merged == 0) return {};
  return fmt::format("{} value{} within a relative 1e-12 of a smaller one {} taken as tied with it.", merged,
                     merged == 1 ? "" : "s", merged == 1 ? "was" : "were");
}

std::optional<Error> not_finite(NumbersView values, std::string_view column) {
  for (const double value : values)
    if (!std::isfinite(value))
      return Error{Code::bad_cell, fmt::format("column '{}' holds {}: a value must be finite", column, shortest(value)), {}, {}};
  return {};
}

Expected<PairOfGroups> pair_of_groups(Frame const& frame, std::string_view response, std::string_view group,
                                      Difference const& difference, std::vector<std::string> const& strata) {
  CategoriesView const& categories = frame.categories(group);
  const auto codes = find_levels(difference, categories, group);
  if (!codes) return tl::unexpected(codes.error());
  const NumbersView values = frame.numbers(response);
  const Strata combined = combine(frame, strata);
  PairOfGroups groups{.strata = combined.count};
  for (std::size_t i = 0; i < frame.rows; ++i) {
    const bool first = categories.codes[i] == codes->level;
    if (!first && categories.codes[i] != codes->minus) continue;
    if (auto error = not_finite(values.subspan(i, 1), response)) return tl::unexpected(std::move(*error));
    groups.value.push_back(values[i]);
    groups.first.push_back(first);
    groups.stratum.push_back(combined.code[i]);
    ++(first ? groups.n_first : groups.n_second);
  }
  return groups;
}

std::string needs_both_groups(PairOfGroups const& groups, Difference const& difference, std::string_view test) {
  const auto counted = [](std::size_t n) { return fmt::format("{} value{}", n, n == 1 ? "" : "s"); };
  return fmt::format("{} of '{}' and {} of '{}': {} is not estimable.", counted(groups.n_first), difference.level,
                     counted(groups.n_second), difference.minus, test);
}

Tail parse_tail(Section& options) { return options.word<Tail>("alternative", tails).value_or(Tail::two_sided); }

OptionCard tail_card() { return {"alternative", "two_sided | greater | less", "against which the test is made (two_sided)"}; }

double normal_p(double z, Tail tail) {
  if (std::isnan(z)) return missing_number;
  if (tail == Tail::two_sided) return numerics::normal_two_sided(z);
  return tail == Tail::greater ? numerics::normal_upper(z) : numerics::normal_cdf(z);
}

double exact_p(double lower, double upper, Tail tail) {
  if (tail == Tail::two_sided) return std::fmin(2 * std::fmin(lower, upper), 1.0);
  return std::fmin(tail == Tail::greater ? upper : lower, 1.0);
}

std::string_view tail_words(Tail tail) {
  if (tail == Tail::two_sided) return "two-sided";
  return tail == Tail::greater ? "one-sided (greater)" : "one-sided (less)";
}

}  // namespace equipoise::stats
