#include "equipoise/stats/interval/interval_log_rank.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/semidefinite.h"
#include "equipoise/stats/interval/permutation.h"
#include "equipoise/stats/interval/turnbull.h"
#include "equipoise/stats/strata.h"
#include "equipoise/stats/survival/rows.h"

namespace equipoise::stats {
namespace {

constexpr std::size_t most_sums = 1'000'000;  // 24 MB; a second or two
constexpr double no_spread = 1e-10;           // variance of a score beside 1: its rounding and that of the masses

constexpr std::pair<std::string_view, IntervalScore> score_words[] = {
    {"sun", IntervalScore::sun},
    {"proportional_hazards", IntervalScore::proportional_hazards},
    {"proportional_odds", IntervalScore::proportional_odds}};
constexpr std::pair<std::string_view, PermutationP> p_words[] = {{"asymptotic", PermutationP::asymptotic},
                                                                 {"exact", PermutationP::exact}};

std::string_view sentence(IntervalScore score) {
  switch (score) {
    case IntervalScore::sun:
      return "Sun's scores, which are those of the log-rank test when times are exact or right-censored.";
    case IntervalScore::proportional_hazards:
      return "Finkelstein's scores, for proportional hazards.";
    case IntervalScore::proportional_odds:
      break;
  }
  return "Scores for proportional odds, as in the Wilcoxon test; early differences weigh more.";
}

}  // namespace

std::vector<double> interval_scores(IntervalScore score, InnermostIntervals const& innermost, MassFit const& fit) {
  const std::size_t m = innermost.size();
  const std::vector<double> survival = fit.survival();
  std::vector<double> hazard(m + 1, 0.0);  // L after the first k intervals
  for (std::size_t j = 0; j < m; ++j) hazard[j + 1] = hazard[j] + (fit.mass[j] > 0 ? fit.mass[j] / survival[j] : 0.0);
  std::vector<double> scores;
  scores.reserve(innermost.first.size());
  for (std::size_t i = 0; i < innermost.first.size(); ++i) {
    const std::size_t before = innermost.first[i], after = innermost.last[i] + std::size_t(1);
    const double a = survival[before], b = after < m ? survival[after] : 0.0;
    switch (score) {
      case IntervalScore::sun:
        // (-a L(left) + b L(right)) / (a - b) = -L(left) + b (L(right) - L(left)) / (a - b), without its cancellation
        scores.push_back(-hazard[before] + (b > 0 ? b * (hazard[after] - hazard[before]) / (a - b) : 0.0));
        break;
      case IntervalScore::proportional_hazards:
        // (a log a - b log b) / (a - b) = log a + b log(a / b) / (a - b)
        scores.push_back(std::log(a) + (b > 0 ? b * -std::log1p((b - a) / a) / (a - b) : 0.0));
        break;
      case IntervalScore::proportional_odds:
        scores.push_back(a + b - 1);
        break;
    }
  }
  return scores;
}

MethodCard const& IntervalLogRank::card() {
  static const MethodCard card{
      .keyword = "interval_log_rank",
      .title = "Log-rank test for interval-censored times",
      .roles = {{"left", Need::number, Presence::required, "left end: the last time known to be before the event"},
                {"right", Need::number, Presence::required,
                 "right end: the first time known not to be before it; empty = infinity"},
                {"group", Need::category, Presence::required, "the groups compared"},
                {"strata", Need::category, Presence::optional, "their combinations are the strata, each with its own curve"}},
      .options = {{"scores", "sun | proportional_hazards | proportional_odds", "score of each participant (sun)"},
                  {"difference", "{ level, minus }", "the two groups that z compares; without it all groups, by chi-square"},
                  {"p", "asymptotic | exact", "P from the normal distribution, or from all arrangements (asymptotic)"}},
      .quantities = {"z", "chi_square", "df", "p", "n"},
      .comparison = Comparison::pairwise};
  return card;
}

std::optional<IntervalLogRank> IntervalLogRank::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  IntervalLogRank method;
  check_roles(card(), roles, options);
  method.left = role(roles, "left");
  method.right = role(roles, "right");
  method.group = role(roles, "group");
  method.strata = role_columns(roles, "strata");
  method.score = options.word<IntervalScore>("scores", score_words).value_or(method.score);
  method.p = options.word<PermutationP>("p", p_words).value_or(method.p);
  method.difference = parse_difference(options, false);
  if (method.p == PermutationP::exact && !options.has("difference"))
    options.report_at("p", Code::inconsistent, "p = \"exact\" compares two groups, and needs `difference`");
  add_need(method.needs_, {method.left, Need::number}, options);
  add_need(method.needs_, {.name = method.right, .need = Need::number, .drop_missing = method.right == method.left}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  for (std::string const& column : method.strata) add_need(method.needs_, {column, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> IntervalLogRank::needs() const { return needs_; }

Expected<Answer> IntervalLogRank::run(Frame const& frame) const {
  const auto data = interval_rows(frame, left, right);
  if (!data) return tl::unexpected(data.error());
  CategoriesView const& category = frame.categories(group);
  std::optional<DifferenceCodes> codes;
  if (difference) {
    const auto found = find_levels(*difference, category, group);
    if (!found) return tl::unexpected(found.error());
    codes = *found;
  }
  std::vector<std::uint32_t> used;
  for (std::size_t i = 0; i < frame.rows; ++i)
    if (!codes || category.codes[i] == codes->level || category.codes[i] == codes->minus) used.push_back(std::uint32_t(i));
  const Strata stratum = combine(frame, strata);
  const Partition parts = partition(used, stratum.code, stratum.count);

  Answer answer;
  answer.notes.emplace_back(sentence(score));
  std::vector<ScoredStratum> scored;
  bool converged = true;
  for (std::size_t s = 0; s < stratum.count; ++s) {
    const std::span<const std::uint32_t> rows = parts.of(s);
    if (rows.empty()) continue;
    const InnermostIntervals innermost = innermost_intervals(*data, rows);
    const MassFit fit = fit_mass(cover_patterns(innermost), innermost.size());
    if (!fit.converged) converged = false, answer.notes.push_back(certificate(fit));
    ScoredStratum one{converged ? interval_scores(score, innermost, fit) : std::vector<double>(rows.size(), 0.0), {}};
    for (const std::uint32_t row : rows) one.group.push_back(category.codes[row]);
    scored.push_back(std::move(one));
  }

  const std::size_t groups = category.levels.size();
  const PermutationSums sums = permutation_sums(scored, groups);
  const auto n = std::int64_t(used.size());
  const auto present = std::count_if(sums.rows.begin(), sums.rows.end(), [](double rows) { return rows > 0; });
  const auto spread = [&](std::size_t g) { return sums.covariance[g * groups + g] > no_spread; };
  std::size_t vary = 0;
  for (std::size_t g = 0; g < groups; ++g) vary += spread(g);
  std::string why;
  if (n == 0) why = "There are no rows";
  else if (!converged) why = "Without the common curve there are no scores";
  else if (present < 2) why = fmt::format("Only one group of '{}' has anybody", group);
  else if (vary < 2)
    why = strata.empty() ? "Everybody's interval says the same of the time"
                         : "In every stratum there is one group, or everybody's interval says the same of the time";
  if (!why.empty()) answer.notes.push_back(why + ": the test is not estimable.");

  if (codes) {
    const auto level = std::size_t(codes->level);
    Finding z{.quantity = "z", .n = n};
    z.p = missing_number;
    if (why.empty()) {
      z.value = sums.excess[level] / std::sqrt(sums.covariance[level * groups + level]);
      z.p = numerics::normal_two_sided(z.value);
      answer.notes.push_back(
          fmt::format("z is positive when '{}' has earlier events than '{}'.", difference->level, difference->minus));
      if (p == PermutationP::exact) {
        const std::optional<ExactP> exact = exact_two_sided(scored, codes->level, most_sums);
        if (!exact)
          return tl::unexpected(Error{Code::out_of_range,
                                      fmt::format("the exact distribution of the scores of {} rows is too large to compute", n),
                                      {},
                                      "p = \"asymptotic\" gives the normal approximation, which is good here"});
        z.p = exact->p;
        answer.notes.emplace_back(exact->rounded
                                      ? "P is that of all arrangements of the participants, with scores rounded to a "
                                        "grid as their sums are too many to be counted singly."
                                      : "P is exact: the share of all arrangements of the participants that are as extreme.");
      } else {
        answer.notes.emplace_back("P is that of the normal distribution, with the variance over all arrangements.");
      }
    }
    answer.findings.push_back(std::move(z));
  } else {
    Finding test{.quantity = "chi_square", .n = n};
    test.df = test.p = missing_number;
    if (why.empty()) {
      numerics::SemidefiniteFactor factor(groups);
      factor.factor(sums.covariance, 1e-9);
      test.value = factor.quadratic_form(sums.excess);
      test.df = double(factor.rank());
      test.p = numerics::chi_square_upper(test.value, *test.df);
    }
    answer.findings.push_back(std::move(test));
  }
  answer.findings.push_back({.quantity = "n", .value = double(n), .n = n});
  if (!strata.empty())
    answer.notes.push_back(fmt::format("Stratified by {}: {} strat{}, each with its own curve.", quoted(strata), scored.size(),
                                       scored.size() == 1 ? "um" : "a"));
  if (const std::string note = merged_note(*data); !note.empty()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats
