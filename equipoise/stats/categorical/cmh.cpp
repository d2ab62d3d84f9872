#include "equipoise/stats/categorical/cmh.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/semidefinite.h"
#include "equipoise/numerics/sum.h"
#include "equipoise/stats/parts.h"

namespace equipoise::stats {
namespace {

constexpr double dependent = 1e-10;  // a pivot this small beside its diagonal is rounding: sums of 1e4 rows lose 1e-12
constexpr std::size_t largest_table = 1000;  // cells less a row and a column; the covariance has its square

constexpr std::pair<std::string_view, CmhStatistic> statistics[] = {{"general_association", CmhStatistic::general_association},
                                                                    {"row_mean_scores", CmhStatistic::row_mean_scores},
                                                                    {"nonzero_correlation", CmhStatistic::nonzero_correlation}};
constexpr std::pair<std::string_view, ResponseScores> score_words[] = {{"table", ResponseScores::table},
                                                                       {"rank", ResponseScores::rank},
                                                                       {"ridit", ResponseScores::ridit},
                                                                       {"modified_ridit", ResponseScores::modified_ridit}};

/// The rows of each stratum, in order.
std::vector<std::vector<std::size_t>> rows_by_stratum(Strata const& strata) {
  std::vector<std::vector<std::size_t>> rows(strata.count);
  for (std::size_t i = 0; i < strata.code.size(); ++i) rows[std::size_t(strata.code[i])].push_back(i);
  return rows;
}

/// Scores moved and scaled to at most 1 in size, which changes no statistic and keeps squares of any values finite.
std::vector<double> standardised(std::span<const double> values) {
  std::vector<double> scaled(values.begin(), values.end());
  const auto divide_by_largest = [&] {
    double largest = 0;
    for (const double v : scaled) largest = std::max(largest, std::abs(v));
    if (largest > 0)
      for (double& v : scaled) v /= largest;
  };
  if (scaled.empty()) return scaled;
  divide_by_largest();
  const double centre = numerics::sum(scaled) / double(scaled.size());
  for (double& v : scaled) v -= centre;
  divide_by_largest();
  return scaled;
}

/// Midranks within each stratum, divided as the kind says.
std::vector<double> ranked(std::span<const double> values, Strata const& strata, ResponseScores kind) {
  std::vector<double> score(values.size());
  for (std::vector<std::size_t>& rows : rows_by_stratum(strata)) {
    std::stable_sort(rows.begin(), rows.end(), [&](std::size_t x, std::size_t y) { return values[x] < values[y]; });
    const double n = double(rows.size());
    const double divisor = kind == ResponseScores::ridit ? n : kind == ResponseScores::modified_ridit ? n + 1 : 1;
    for (std::size_t i = 0; i < rows.size();) {
      std::size_t end = i;
      while (end < rows.size() && values[rows[end]] == values[rows[i]]) ++end;
      for (std::size_t k = i; k < end; ++k) score[rows[k]] = (double(i + end) + 1) / 2 / divisor;
      i = end;
    }
  }
  return score;
}

std::size_t occurring(CategoriesView const& category) {
  std::vector<bool> seen(category.levels.size(), false);
  for (const std::int32_t code : category.codes) seen[std::size_t(code)] = true;
  return std::size_t(std::count(seen.begin(), seen.end(), true));
}

}  // namespace

CmhSums cmh_score_sums(std::span<const double> score, CategoriesView const& groups, Strata const& strata) {
  const std::size_t m = groups.levels.size();
  CmhSums sums{std::vector<double>(m, 0), std::vector<double>(m * m, 0), 0};
  std::vector<numerics::Sum> deviation(m), covariance(m * m);
  for (std::vector<std::size_t> const& rows : rows_by_stratum(strata)) {
    const double n = double(rows.size());
    if (n < 2) continue;
    ++sums.strata;
    std::vector<double> size(m, 0);
    numerics::Sum total, squares;
    for (const std::size_t i : rows) total.add(score[i]), ++size[std::size_t(groups.codes[i])];
    const double mean = total.value() / n;
    for (const std::size_t i : rows) {
      const double distance = score[i] - mean;
      squares.add(distance * distance);
      deviation[std::size_t(groups.codes[i])].add(distance);
    }
    const double factor = squares.value() / (n - 1);
    for (std::size_t i = 0; i < m; ++i)
      for (std::size_t k = 0; k < m; ++k) covariance[i * m + k].add(factor * size[i] * ((i == k) - size[k] / n));
  }
  for (std::size_t i = 0; i < m; ++i) sums.deviation[i] = deviation[i].value();
  for (std::size_t i = 0; i < m * m; ++i) sums.covariance[i] = covariance[i].value();
  return sums;
}

CmhSums cmh_count_sums(CategoriesView const& responses, CategoriesView const& groups, Strata const& strata) {
  const std::size_t r = groups.levels.size(), c = responses.levels.size(), m = r * c;
  CmhSums sums{std::vector<double>(m, 0), std::vector<double>(m * m, 0), 0};
  for (std::vector<std::size_t> const& rows : rows_by_stratum(strata)) {
    const double n = double(rows.size());
    if (n < 2) continue;
    ++sums.strata;
    std::vector<double> p(r, 0), q(c, 0);
    for (const std::size_t row : rows) {
      const auto i = std::size_t(groups.codes[row]), j = std::size_t(responses.codes[row]);
      ++p[i], ++q[j], ++sums.deviation[i * c + j];
    }
    for (std::size_t i = 0; i < r; ++i)
      for (std::size_t j = 0; j < c; ++j) sums.deviation[i * c + j] -= p[i] * q[j] / n;
    for (std::size_t i = 0; i < r; ++i)
      for (std::size_t k = 0; k < r; ++k) {
        const double rows_part = p[i] * ((i == k) - p[k] / n);
        if (rows_part == 0) continue;
        for (std::size_t j = 0; j < c; ++j)
          for (std::size_t l = 0; l < c; ++l)
            sums.covariance[(i * c + j) * m + k * c + l] += rows_part * q[j] * ((j == l) - q[l] / n) / (n - 1);
      }
  }
  return sums;
}

MethodCard const& Cmh::card() {
  static const MethodCard card{
      .keyword = "cmh",
      .title = "Cochran-Mantel-Haenszel test",
      .roles = {{"response", Need::category, Presence::required, "a category; a number where it is scored"},
                {"group", Need::category, Presence::required, "the groups compared"},
                {"strata", Need::category, Presence::optional, "columns whose combinations are strata"}},
      .options = {{"statistic", "general_association | row_mean_scores | nonzero_correlation", "which of the three"},
                  {"response_scores", "table | rank | ridit | modified_ridit",
                   "score of a numeric response: its value, or its rank within the stratum (table)"},
                  {"group_scores", "{ group = number, ... }", "score of each group, for nonzero_correlation"}},
      .quantities = {"chi_square", "df", "p", "n"}};
  return card;
}

std::optional<Cmh> Cmh::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  Cmh method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.group = role(roles, "group");
  method.strata = role_columns(roles, "strata");
  bool known = false;
  if (options.need("statistic"))
    if (const auto statistic = options.word<CmhStatistic>("statistic", statistics)) method.statistic = *statistic, known = true;
  const bool correlation = known && method.statistic == CmhStatistic::nonzero_correlation;
  const auto scores = options.word<ResponseScores>("response_scores", score_words);
  method.scores = scores.value_or(ResponseScores::table);
  if (scores && known && method.statistic == CmhStatistic::general_association)
    options.report_at("response_scores", Code::inconsistent, "general_association takes the responses as categories without scores");
  if (const auto by_group = parse_scores(options, "group_scores", correlation)) {
    method.group_scores = *by_group;
    if (known && !correlation)
      options.report_at("group_scores", Code::inconsistent, "'group_scores' are for nonzero_correlation only");
  }
  const Need need = method.statistic == CmhStatistic::general_association ? Need::category : Need::number;
  add_need(method.needs_, {method.response, need}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  for (std::string const& column : method.strata) add_need(method.needs_, {column, Need::category}, options);
  for (std::string const& column : method.strata)
    if (!column.empty() && (column == method.group || column == method.response))
      add_problem(options.problems(), options.place(), Code::inconsistent, "cmh takes column '{}' both as {} and as stratum", column,
                  column == method.group ? "group" : "response");
  if (method.response == method.group && !method.group.empty() && need == Need::category)
    add_problem(options.problems(), options.place(), Code::inconsistent, "cmh takes column '{}' both as response and as group",
                method.group);
  return options.problems().size() == problems_before ? std::optional(std::move(method)) : std::nullopt;
}

Expected<Answer> Cmh::run(Frame const& frame) const {
  CategoriesView const& groups = frame.categories(group);
  const Strata stratum = combine(frame, strata);
  const std::size_t r = groups.levels.size(), present = occurring(groups);
  CmhSums sums;
  double full = double(present > 0 ? present - 1 : 0);  // degrees of freedom when the strata connect everything
  Answer answer;
  std::vector<double> by_group;
  if (statistic == CmhStatistic::nonzero_correlation) {
    auto found = scores_by_level(group_scores, groups, group);
    if (!found) return tl::unexpected(found.error());
    by_group = standardised(*found);
    full = 1;
  }
  if (statistic == CmhStatistic::general_association) {
    CategoriesView const& responses = frame.categories(response);
    const std::size_t c = responses.levels.size(), cells = r * c;
    if (cells > largest_table)
      return fail(Code::out_of_range,
                  "general_association of {} groups by {} responses: at most {} cells are compared; score the responses "
                  "(row_mean_scores) or join categories",
                  r, c, largest_table);
    full *= double(std::max<std::size_t>(occurring(responses), 1) - 1);
    sums = cmh_count_sums(responses, groups, stratum);
  } else {
    const NumbersView values = frame.numbers(response);
    for (const double value : values)
      if (!std::isfinite(value))
        return fail(Code::bad_cell, "column '{}' holds {}: a score is a finite number", response, shortest(value));
    const std::vector<double> score =
        standardised(scores == ResponseScores::table ? std::vector<double>(values.begin(), values.end())
                                                     : ranked(values, stratum, scores));
    sums = cmh_score_sums(score, groups, stratum);
  }
  if (statistic == CmhStatistic::nonzero_correlation) {
    // The correlation is one contrast of the group sums: its weights are the group scores.
    numerics::Sum deviation, variance;
    for (std::size_t i = 0; i < r; ++i) {
      if (std::isnan(by_group[i])) continue;  // a group with nobody
      deviation.add(by_group[i] * sums.deviation[i]);
      for (std::size_t k = 0; k < r; ++k)
        if (!std::isnan(by_group[k])) variance.add(by_group[i] * by_group[k] * sums.covariance[i * r + k]);
    }
    double scale = 0;
    for (std::size_t i = 0; i < r; ++i) scale += sums.covariance[i * r + i];
    sums.deviation = {deviation.value()};
    sums.covariance = {variance.value() > dependent * scale ? variance.value() : 0.0};
  }
  numerics::SemidefiniteFactor covariance(sums.deviation.size());
  covariance.factor(sums.covariance, dependent);
  Finding found{.quantity = "chi_square", .df = missing_number, .p = missing_number, .n = std::int64_t(frame.rows)};
  if (covariance.rank() > 0) {
    const double df = double(covariance.rank());
    found.value = covariance.quadratic_form(sums.deviation);
    found.df = df;
    found.p = numerics::chi_square_upper(found.value, df);
    if (df < full)
      answer.notes.push_back(fmt::format("The strata do not connect all groups and responses: {} degree{} of freedom instead of {}.",
                                         df, df == 1 ? "" : "s", full));
  } else {
    answer.notes.emplace_back(
        present < 2 ? fmt::format("Fewer than two groups of '{}' have anybody: the test is not estimable.", group)
                    : std::string("No stratum has two groups and two responses: the test is not estimable."));
  }
  answer.findings.push_back(std::move(found));
  answer.findings.push_back({.quantity = "n", .value = double(frame.rows), .n = std::int64_t(frame.rows)});
  if (scores != ResponseScores::table)
    answer.notes.emplace_back(scores == ResponseScores::rank    ? "Responses are scored by their midrank within the stratum."
                              : scores == ResponseScores::ridit ? "Responses are scored by midrank / n within the stratum."
                                                                : "Responses are scored by midrank / (n + 1) within the stratum.");
  if (!strata.empty())
    answer.notes.push_back(fmt::format("Stratified by {}: {} of {} strata with two rows or more.", quoted(strata), sums.strata,
                                       stratum.count));
  return answer;
}

}  // namespace equipoise::stats
