#include "equipoise/stats/continuous/signed_rank.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/sum.h"

namespace equipoise::stats {
namespace {

constexpr std::pair<std::string_view, Zeros> zero_words[] = {{"drop", Zeros::drop}, {"pratt", Zeros::pratt}};

/// value - mu, 0 when it is no more than the rounding of the two.
double distance(double value, double mu) {
  const double d = value - mu;
  return std::abs(d) <= same_value * std::fmin(std::abs(value), std::abs(mu)) ? 0.0 : d;
}

double parse_mu(Section& options) { return options.number("mu", Limits{.min = -1e300, .max = 1e300}).value_or(0.0); }

}  // namespace

SignedRanks signed_ranks(std::span<const double> values, double mu, Zeros zeros) {
  SignedRanks out;
  std::vector<double> size;  // |d| of all that are ranked
  std::vector<std::uint8_t> positive;
  for (const double value : values) {
    const double d = distance(value, mu);
    out.zeros += d == 0;
    if (d == 0 && zeros == Zeros::drop) continue;
    size.push_back(std::abs(d));
    positive.push_back(d > 0);
  }
  const Midranks ranks = midranks(size);
  out.merged = ranks.merged;
  for (std::size_t i = 0; i < size.size(); ++i) {
    if (size[i] == 0) continue;
    out.rank.push_back(ranks.rank[i]);
    out.positive.push_back(positive[i]);
  }
  const std::size_t blocks = ranks.block.size() - (zeros == Zeros::pratt && out.zeros > 0 ? 1 : 0);
  out.ties = blocks < out.rank.size();
  return out;
}

Expected<std::vector<double>> signed_rank_null(std::span<const double> ranks) {
  if (ranks.size() > 1000)
    return fail(Code::out_of_range, "the exact distribution of {} signed ranks is too large to compute", ranks.size());
  std::vector<double> probability{1.0};
  for (const double rank : ranks) {
    const auto twice = std::size_t(std::round(2 * rank));
    const std::size_t before = probability.size();
    probability.resize(before + twice, 0.0);
    for (std::size_t s = probability.size(); s-- > 0;) {
      const double without = s < before ? probability[s] : 0.0;
      probability[s] = 0.5 * (without + (s >= twice ? probability[s - twice] : 0.0));
    }
  }
  return probability;
}

MethodCard const& WilcoxonSignedRank::card() {
  static const MethodCard card{
      .keyword = "wilcoxon_signed_rank",
      .title = "Wilcoxon signed-rank test",
      .roles = {{"response", Need::number, Presence::required, "the analysed value, often a change"}},
      .options = {{"mu", "number", "value under the null hypothesis (0)"},
                  {"zeros", "drop | pratt", "zero differences: dropped first, or ranked and then dropped (drop)"},
                  {"exact", "true | false",
                   "the exact distribution, also with ties (false; match = \"r\": below 50 without ties or zeros)"},
                  {"correction", "true | false", "continuity correction of the approximation (false; true to match R)"},
                  tail_card()},
      .quantities = {"statistic", "z", "p", "n"},
      .comparison = Comparison::one_group};
  return card;
}

std::optional<WilcoxonSignedRank> WilcoxonSignedRank::parse(Roles const& roles, Section& options, Match match) {
  const std::size_t problems_before = options.problems().size();
  WilcoxonSignedRank method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.mu = parse_mu(options);
  method.zeros = options.word<Zeros>("zeros", zero_words).value_or(Zeros::drop);
  method.exact = options.flag("exact");
  method.correction = options.flag("correction").value_or(match == Match::r);
  method.tail = parse_tail(options);
  method.match = match;
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> WilcoxonSignedRank::needs() const { return {{response, Need::number}}; }

Expected<Answer> WilcoxonSignedRank::run(Frame const& frame) const {
  const NumbersView values = frame.numbers(response);
  if (auto error = not_finite(values, response)) return tl::unexpected(std::move(*error));
  const SignedRanks ranks = signed_ranks(values, mu, zeros);
  const auto n = std::int64_t(ranks.rank.size());
  numerics::Sum plus, squares, signed_sum;
  for (std::size_t i = 0; i < ranks.rank.size(); ++i) {
    const double rank = ranks.rank[i];
    if (ranks.positive[i]) plus.add(rank);
    signed_sum.add(ranks.positive[i] ? rank : -rank);
    squares.add(rank * rank);
  }
  Answer answer;
  double z = missing_number, p = missing_number;
  const bool exactly = exact.value_or(match == Match::r && n < 50 && !ranks.ties && ranks.zeros == 0);
  if (n > 0) {
    const double sum = signed_sum.value();
    const double one =
        tail == Tail::two_sided ? std::fmin(1.0, std::abs(sum)) * (sum < 0 ? -1 : 1) : (tail == Tail::greater ? 1 : -1);
    z = (correction && !exactly ? sum - one : sum) / std::sqrt(squares.value());
    p = normal_p(z, tail);
    if (exactly) {
      auto null = signed_rank_null(ranks.rank);
      if (!null)
        return tl::unexpected(
            std::move(null.error()).with_hint("exact = false gives the normal approximation, which is good here"));
      const auto observed = std::size_t(std::round(2 * plus.value()));
      double lower = 0, upper = 0;
      for (std::size_t s = 0; s <= observed; ++s) lower += (*null)[s];
      for (std::size_t s = null->size(); s-- > observed;) upper += (*null)[s];
      p = exact_p(lower, upper, tail);
    }
  }
  answer.findings.push_back({.quantity = "statistic",
                             .value = n > 0 ? plus.value() : missing_number,
                             .p = p,
                             .n = n,
                             .scale = exactly ? Scale::exact : Scale::identity});
  answer.findings.push_back({.quantity = "z", .value = z, .n = n});
  answer.findings.push_back({.quantity = "n", .value = double(n), .n = n});
  answer.notes.push_back(fmt::format("The statistic is the sum of the ranks of the differences above {}.", shortest(mu)));
  if (n == 0) answer.notes.push_back(fmt::format("No value differs from {}: the test is not estimable.", shortest(mu)));
  else if (exactly)
    answer.notes.push_back(
        fmt::format("Exact {} P value from all signs of the {}.", tail_words(tail), ranks.ties ? "midranks" : "ranks"));
  else
    answer.notes.push_back(
        fmt::format("{} P value from the normal approximation with the variance corrected for ties, {} continuity correction.",
                    tail == Tail::two_sided ? "Two-sided" : "One-sided", correction ? "with" : "without"));
  if (ranks.zeros > 0)
    answer.notes.push_back(
        fmt::format("{} value{} equal to {} {}.", ranks.zeros, ranks.zeros == 1 ? "" : "s", shortest(mu),
                    zeros == Zeros::drop ? "dropped before ranking" : "ranked with the others and then dropped (Pratt)"));
  if (const std::string note = merged_values_note(ranks.merged); !note.empty()) answer.notes.push_back(note);
  return answer;
}

MethodCard const& SignTest::card() {
  static const MethodCard card{.keyword = "sign_test",
                               .title = "Sign test",
                               .roles = {{"response", Need::number, Presence::required, "the analysed value, often a change"}},
                               .options = {{"mu", "number", "value under the null hypothesis (0)"}, tail_card()},
                               .quantities = {"statistic", "p", "n"},
                               .comparison = Comparison::one_group};
  return card;
}

std::optional<SignTest> SignTest::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  SignTest method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.mu = parse_mu(options);
  method.tail = parse_tail(options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> SignTest::needs() const { return {{response, Need::number}}; }

Expected<Answer> SignTest::run(Frame const& frame) const {
  const NumbersView values = frame.numbers(response);
  if (auto error = not_finite(values, response)) return tl::unexpected(std::move(*error));
  double above = 0, below = 0;
  for (const double value : values) {
    const double d = distance(value, mu);
    above += d > 0, below += d < 0;
  }
  const double n = above + below;
  // P(X <= x) of n fair coins is P(B <= 1/2) of a beta variable with shapes n - x and x + 1, and P(X >= x) is P(X <= n - x).
  const auto at_most = [n](double x) { return x >= n ? 1.0 : numerics::beta_cdf(0.5, n - x, x + 1); };
  const double p = n > 0 ? exact_p(at_most(above), at_most(below), tail) : missing_number;
  Answer answer;
  answer.findings.push_back(
      {.quantity = "statistic", .value = n > 0 ? above : missing_number, .p = p, .n = std::int64_t(n), .scale = Scale::exact});
  answer.findings.push_back({.quantity = "n", .value = n, .n = std::int64_t(n)});
  answer.notes.push_back(fmt::format("Exact {} binomial P value of the {} values above {} among {} that differ from it.",
                                     tail_words(tail), above, shortest(mu), n));
  if (const double zeros = double(frame.rows) - n; zeros > 0)
    answer.notes.push_back(fmt::format("{} value{} equal to {} dropped.", zeros, zeros == 1 ? "" : "s", shortest(mu)));
  if (n == 0) answer.notes.push_back(fmt::format("No value differs from {}: the test is not estimable.", shortest(mu)));
  return answer;
}

}  // namespace equipoise::stats
