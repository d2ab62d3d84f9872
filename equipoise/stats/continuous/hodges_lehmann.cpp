#include "equipoise/stats/continuous/hodges_lehmann.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/continuous/ordered_null.h"

namespace equipoise::stats {
namespace {

/// Doubles in their order as whole numbers: -0 and 0 are neighbours, infinities are the ends.
std::uint64_t position(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  constexpr std::uint64_t sign = std::uint64_t(1) << 63;
  return bits & sign ? ~bits : bits | sign;
}
double at_position(std::uint64_t place) {
  constexpr std::uint64_t sign = std::uint64_t(1) << 63;
  return std::bit_cast<double>(place & sign ? place & ~sign : ~place);
}

/// Pairs with x_i - y_j <= value.
std::uint64_t not_above(std::span<const double> x, std::span<const double> y, double value) {
  std::uint64_t pairs = 0;
  std::size_t above = 0;  // y_0 to y_(above - 1) give a difference above the value: ever more of them as x grows
  for (const double a : x) {
    while (above < y.size() && a - y[above] > value) ++above;
    pairs += y.size() - above;
  }
  return pairs;
}

/// Moses' C: the limits are the C-th smallest and the C-th largest difference. 0 when no interval reaches the level.
struct Moses {
  std::uint64_t c = 0;
  double confidence = missing_number;  ///< attained by the exact interval
};

/// The largest C with P(U <= C - 1) <= alpha/2, no ties.
Expected<Moses> exact_moses(std::uint32_t m, std::uint32_t n, double level) {
  const std::vector<std::uint32_t> blocks(std::size_t(m) + n, 1);
  const std::uint32_t sizes[] = {n, m};
  const auto null = ordered_null(blocks, sizes);
  if (!null) return tl::unexpected(null.error());
  const double tail = (1 - level) / 2 * (1 + 1e-12);  // the sum of up to m n probabilities, rounded
  Moses moses;
  for (double below = 0; moses.c < null->probability.size();) {
    below += null->probability[moses.c];
    if (below > tail) break;
    ++moses.c;
    moses.confidence = 1 - 2 * below;
  }
  return moses;
}

Moses approximate_moses(double m, double n, double level) {
  const double c = std::floor(m * n / 2 - numerics::normal_interval(level) * std::sqrt(m * n * (m + n + 1) / 12));
  return {c >= 1 ? std::uint64_t(c) : 0, missing_number};
}

}  // namespace

double kth_difference(std::span<const double> x, std::span<const double> y, std::uint64_t k) {
  expects(k >= 1 && k <= std::uint64_t(x.size()) * y.size(), "a difference is one of all");
  std::uint64_t low = position(x.front() - y.back()), high = position(x.back() - y.front());
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (not_above(x, y, at_position(middle)) >= k) high = middle;
    else low = middle + 1;
  }
  return at_position(low) + 0.0;  // -0 becomes 0
}

MethodCard const& HodgesLehmann::card() {
  static const MethodCard card{
      .keyword = "hodges_lehmann",
      .title = "Hodges-Lehmann shift",
      .roles = {{"response", Need::number, Presence::required, "the analysed value"},
                {"group", Need::category, Presence::required, "the groups compared"}},
      .options = {{"difference", "{ level, minus }", "the two groups compared; rows of other groups are dropped"},
                  {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"},
                  {"exact", "true | false", "limits from the exact rank-sum distribution (when both groups are below 50)"}},
      .quantities = {"estimate", "lower", "upper"},
      .comparison = Comparison::pairwise};
  return card;
}

std::optional<HodgesLehmann> HodgesLehmann::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  HodgesLehmann method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.group = role(roles, "group");
  method.difference = parse_difference(options, true).value_or(Difference{});
  method.level = parse_level(options);
  method.exact = options.flag("exact");
  add_need(method.needs_, {method.response, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> HodgesLehmann::needs() const { return needs_; }

Expected<Answer> HodgesLehmann::run(Frame const& frame) const {
  const auto groups = pair_of_groups(frame, response, group, difference);
  if (!groups) return tl::unexpected(groups.error());
  Answer answer;
  Finding shift{.quantity = "estimate",
                .lower = missing_number,
                .upper = missing_number,
                .level = level,
                .n = std::int64_t(groups->size())};
  if (groups->n_first == 0 || groups->n_second == 0) {
    answer.findings.push_back(shift);
    answer.notes.push_back(needs_both_groups(*groups, difference, "the shift"));
    return answer;
  }
  std::vector<double> x, y;
  for (std::size_t i = 0; i < groups->size(); ++i) (groups->first[i] ? x : y).push_back(groups->value[i]);
  std::sort(x.begin(), x.end());
  std::sort(y.begin(), y.end());
  if (!std::isfinite(x.back() - y.front()) || !std::isfinite(x.front() - y.back()))
    return fail(Code::out_of_range, "differences of column '{}' are too large for a number", response);
  const std::uint64_t pairs = std::uint64_t(x.size()) * y.size();
  const double upper_middle = kth_difference(x, y, pairs / 2 + 1);
  const double lower_middle = pairs % 2 == 1 ? upper_middle : kth_difference(x, y, pairs / 2);
  shift.value = lower_middle / 2 + upper_middle / 2;
  if (std::abs(lower_middle) < 1e300 && std::abs(upper_middle) < 1e300) shift.value = (lower_middle + upper_middle) / 2;

  const bool exactly = exact.value_or(x.size() < 50 && y.size() < 50);
  Moses moses;
  if (exactly) {
    auto found = exact_moses(std::uint32_t(x.size()), std::uint32_t(y.size()), level);
    if (!found) return tl::unexpected(std::move(found.error()).with_hint("exact = false gives the large-sample limits"));
    moses = *found;
  } else {
    moses = approximate_moses(double(x.size()), double(y.size()), level);
  }
  if (moses.c > 0) {
    shift.lower = kth_difference(x, y, moses.c);
    shift.upper = kth_difference(x, y, pairs + 1 - moses.c);
  }
  shift.scale = exactly ? Scale::exact : Scale::identity;
  answer.findings.push_back(shift);
  answer.notes.push_back(fmt::format("Median of all {} differences of a value of '{}' minus one of '{}'.", pairs,
                                     difference.level, difference.minus));
  if (moses.c == 0)
    answer.notes.push_back(fmt::format("{} and {} values are too few for limits with a confidence of {}: not estimable.",
                                       x.size(), y.size(), level));
  else if (exactly)
    answer.notes.push_back(fmt::format(
        "Moses' limits from the exact rank-sum distribution: confidence {:.4f} without ties, at least that with ties.",
        moses.confidence));
  else answer.notes.emplace_back("Moses' limits from the normal approximation of the rank-sum distribution.");
  return answer;
}

}  // namespace equipoise::stats
