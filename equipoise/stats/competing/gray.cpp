#include "equipoise/stats/competing/gray.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/semidefinite.h"
#include "equipoise/stats/strata.h"

namespace equipoise::stats {
namespace {

/// One group at one event time.
struct GroupThen {
  double n = 0, d1 = 0, d2 = 0;  ///< at risk just before; events of the cause and of others
  double S_before = 1, S = 1;    ///< survival of any cause
  double F_before = 0;           ///< incidence of the cause
  double h() const { return n > 0 ? n / S_before : 0.0; }
};

/// One event time of a stratum.
struct Then {
  std::vector<GroupThen> groups;
  double d1 = 0, h = 0, F_before = 0, F = 0;  ///< of all groups together
};

double tie(double events, double among) { return events > 1 ? 1 - (events - 1) / (among - 1) : 1.0; }

/// The event times of one stratum, rows in increasing time.
std::vector<Then> event_times(CauseRows const& data, std::int32_t cause, std::span<const std::uint32_t> rows,
                              std::span<const std::int32_t> group, std::size_t groups) {
  std::vector<Then> made;
  Then now{.groups = std::vector<GroupThen>(groups)};
  for (const std::uint32_t row : rows) now.groups[std::size_t(group[row])].n += 1;
  for (std::size_t i = 0; i < rows.size();) {
    const double t = data.rows.time[rows[i]];
    std::vector<double> leave(groups, 0.0);
    for (; i < rows.size() && data.rows.time[rows[i]] == t; ++i) {
      const std::uint32_t row = rows[i];
      GroupThen& g = now.groups[std::size_t(group[row])];
      leave[std::size_t(group[row])] += 1;
      if (data.cause[row] == cause) g.d1 += 1, now.d1 += 1;
      else if (data.cause[row] > 0) g.d2 += 1;
    }
    now.h = 0;
    for (GroupThen& g : now.groups) {
      now.h += g.h();
      if (g.n > 0) g.S = g.S_before * (g.n - g.d1 - g.d2) / g.n;
    }
    now.F = now.F_before + now.d1 / now.h;
    const bool any = std::any_of(now.groups.begin(), now.groups.end(), [](GroupThen const& g) { return g.d1 + g.d2 > 0; });
    if (any) made.push_back(now);
    for (std::size_t r = 0; r < groups; ++r) {
      GroupThen& g = now.groups[r];
      if (g.n > 0) g.F_before += g.S_before * g.d1 / g.n;
      g.S_before = g.S;
      g.n -= leave[r];
      g.d1 = g.d2 = 0;
    }
    now.F_before = now.F;
    now.d1 = 0;
  }
  return made;
}

void add_stratum(GraySums& sums, std::vector<Then> const& times, double rho, std::size_t k) {
  std::vector<double> a(k * k), c(k * k, 0.0), C(k * k, 0.0);
  const auto weight = [&](Then const& t) { return std::pow(std::max(1 - t.F_before, 0.0), rho); };
  const auto take_a = [&](Then const& t) {
    for (std::size_t i = 0; i < k; ++i)
      for (std::size_t r = 0; r < k; ++r)
        a[i * k + r] = weight(t) * t.groups[i].h() * ((i == r ? 1.0 : 0.0) - t.groups[r].h() / t.h);
  };
  const auto growth = [](Then const& t) { return t.d1 > 0 ? t.d1 / (t.h * (1 - t.F_before)) : 0.0; };
  for (Then const& t : times) {
    double R = 0;
    for (GroupThen const& g : t.groups) R += g.h() * (1 - g.F_before);
    if (t.d1 > 0)
      for (std::size_t i = 0; i < k; ++i)
        sums.score[i] += weight(t) * (t.groups[i].d1 - t.d1 * t.groups[i].h() * (1 - t.groups[i].F_before) / R);
    take_a(t);
    for (std::size_t at = 0; at < k * k; ++at) C[at] += a[at] * growth(t);
  }
  std::vector<double> x(k), y(k);
  for (Then const& t : times) {
    take_a(t);
    for (std::size_t at = 0; at < k * k; ++at) c[at] += a[at] * growth(t);
    for (std::size_t r = 0; r < k; ++r) {
      GroupThen const& g = t.groups[r];
      if (!(g.n > 0)) continue;
      const double others = g.S > 0 ? (1 - t.F) / g.S : 0.0;
      const double v1 = t.d1 > 0 ? g.S_before * t.d1 / (t.h * g.n) * tie(t.d1, t.h * g.S_before) : 0.0;
      const double v2 = g.S > 0 ? g.S_before * g.S_before * g.d2 / (g.n * g.n) * tie(g.d2, g.n) : 0.0;
      for (std::size_t i = 0; i < k; ++i) {
        const double rest = C[i * k + r] - c[i * k + r];
        x[i] = a[i * k + r] + (1 - others) * rest;
        y[i] = others * rest;
      }
      for (std::size_t i = 0; i < k; ++i)
        for (std::size_t j = 0; j < k; ++j) sums.covariance[i * k + j] += x[i] * x[j] * v1 + y[i] * y[j] * v2;
    }
  }
}

}  // namespace

GraySums gray_sums(CauseRows const& data, std::int32_t cause, double rho, std::span<const std::int32_t> group, std::size_t groups,
                   std::span<const std::int32_t> stratum, std::size_t strata) {
  GraySums sums{std::vector<double>(groups, 0.0), std::vector<double>(groups * groups, 0.0)};
  const Partition parts = partition(data.rows.by_time, stratum, strata);
  for (std::size_t s = 0; s < strata; ++s) add_stratum(sums, event_times(data, cause, parts.of(s), group, groups), rho, groups);
  return sums;
}

MethodCard const& GrayTest::card() {
  static const MethodCard card{
      .keyword = "gray_test",
      .title = "Gray's test",
      .roles = {{"time", Need::number, Presence::required, "time to the first event or censoring"},
                {"cause", Need::category, Presence::required, "0 censored, any other text is that cause"},
                {"group", Need::category, Presence::required, "the groups compared"},
                {"strata", Need::category, Presence::optional, "their combinations are the strata"}},
      .options = {{"cause", "text", "the cause tested"}, {"rho", "number", "weight (1 - F)^rho of the common incidence F (0)"}},
      .quantities = {"chi_square", "df", "p", "n", "n_events"},
      .comparison = Comparison::pairwise};
  return card;
}

std::optional<GrayTest> GrayTest::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  GrayTest method;
  check_roles(card(), roles, options);
  method.time = role(roles, "time");
  method.cause = role(roles, "cause");
  method.group = role(roles, "group");
  method.strata = role_columns(roles, "strata");
  method.of = parse_cause(options);
  method.rho = options.number("rho", Limits{.min = -10, .max = 10}).value_or(0);
  add_need(method.needs_, {method.time, Need::number}, options);
  add_need(method.needs_, {method.cause, Need::category}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  for (std::string const& column : method.strata) add_need(method.needs_, {column, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> GrayTest::needs() const { return needs_; }

Expected<Answer> GrayTest::run(Frame const& frame) const {
  const auto data = cause_rows(frame, time, cause);
  if (!data) return tl::unexpected(data.error());
  const auto number = find_cause(*data, of, cause);
  if (!number) return tl::unexpected(number.error());
  CategoriesView const& category = frame.categories(group);
  const std::size_t groups = category.levels.size();
  const Strata stratum = combine(frame, strata);
  const GraySums sums = gray_sums(*data, *number, rho, category.codes, groups, stratum.code, stratum.count);

  const auto n = std::int64_t(frame.rows);
  const auto events = std::count(data->cause.begin(), data->cause.end(), *number);
  std::vector<std::uint8_t> there(groups, 0);
  for (const std::int32_t code : category.codes) there[std::size_t(code)] = 1;
  const auto present = std::size_t(std::count(there.begin(), there.end(), 1));

  Answer answer;
  Finding test{.quantity = "chi_square", .n = n};
  test.df = test.p = missing_number;
  numerics::SemidefiniteFactor factor(groups);
  factor.factor(sums.covariance, 1e-9);
  if (events == 0) answer.notes.push_back(fmt::format("No event of cause '{}': Gray's test is not estimable.", of));
  else if (present < 2)
    answer.notes.push_back(fmt::format("Only one group of '{}' has anybody: Gray's test is not estimable.", group));
  else if (factor.rank() == 0)
    answer.notes.push_back(
        fmt::format("At no event of cause '{}' are two groups at risk together: Gray's test is not estimable.", of));
  else {
    test.value = factor.quadratic_form(sums.score);
    test.df = double(factor.rank());
    test.p = numerics::chi_square_upper(test.value, *test.df);
    if (factor.rank() + 1 < present)
      answer.notes.push_back(
          fmt::format("The degrees of freedom are {}, not {}: some group is never at risk together with others.", factor.rank(),
                      present - 1));
  }
  answer.findings.push_back(std::move(test));
  answer.findings.push_back({.quantity = "n", .value = double(n), .n = n});
  answer.findings.push_back({.quantity = "n_events", .value = double(events), .n = n});
  answer.notes.push_back(fmt::format("Events of other causes than '{}' compete with it.", of));
  if (rho != 0)
    answer.notes.push_back(
        fmt::format("Events weigh by the {} power of the common share without event of the cause.", shortest(rho)));
  if (!strata.empty())
    answer.notes.push_back(
        fmt::format("Stratified by {}: {} strat{}.", quoted(strata), stratum.count, stratum.count == 1 ? "um" : "a"));
  if (const std::string note = merged_note(data->rows); !note.empty()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats
