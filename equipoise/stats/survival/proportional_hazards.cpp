#include "equipoise/stats/survival/proportional_hazards.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/semidefinite.h"
#include "equipoise/stats/parts.h"
#include "equipoise/stats/strata.h"
#include "equipoise/stats/survival/cox_fit.h"

namespace equipoise::stats {
namespace {

constexpr double collinear = 1e-10;  // pivot beside its diagonal: what rounding leaves of an information that is 0
constexpr double cancelled = 1e-3;   // below this part of the largest sum so far the risk set is summed anew

enum class TiesWord { efron, breslow, exact };
constexpr std::pair<std::string_view, TiesWord> ties_words[] = {
    {"efron", TiesWord::efron}, {"breslow", TiesWord::breslow}, {"exact", TiesWord::exact}};
constexpr std::pair<std::string_view, TimeFunction> transforms[] = {
    {"km", TimeFunction::km}, {"identity", TimeFunction::identity}, {"rank", TimeFunction::rank}, {"log", TimeFunction::log}};

std::string_view sentence(TimeFunction function) {
  switch (function) {
    case TimeFunction::km:
      return "Coefficients are tested against a change with 1 - S(t-), S the Kaplan-Meier estimate of all participants.";
    case TimeFunction::identity:
      return "Coefficients are tested against a change that is linear in time.";
    case TimeFunction::rank:
      return "Coefficients are tested against a change that is linear in the rank of the time.";
    case TimeFunction::log:
      break;
  }
  return "Coefficients are tested against a change that is linear in the logarithm of time.";
}

/// 1 - S just before the time of each row.
std::vector<double> pooled_distribution(SurvivalRows const& data) {
  numerics::Numbers starts = data.start;
  std::sort(starts.begin(), starts.end());
  std::vector<double> g(data.size());
  double survival = 1;
  std::size_t entered = 0;  // starts before the time
  for (std::size_t i = 0; i < data.size();) {
    const double t = data.time[data.by_time[i]];
    while (entered < starts.size() && starts[entered] < t) ++entered;
    const double at_risk = double((starts.empty() ? data.size() : entered) - i);
    double events = 0;
    for (; i < data.size() && data.time[data.by_time[i]] == t; ++i) {
      events += data.event[data.by_time[i]];
      g[data.by_time[i]] = 1 - survival;
    }
    survival *= (at_risk - events) / at_risk;
  }
  return g;
}

std::vector<double> mean_ranks(SurvivalRows const& data) {
  std::vector<double> g(data.size());
  for (std::size_t i = 0; i < data.size();) {
    std::size_t end = i;
    while (end < data.size() && data.time[data.by_time[end]] == data.time[data.by_time[i]]) ++end;
    const double rank = (double(i + 1) + double(end)) / 2;
    for (; i < end; ++i) g[data.by_time[i]] = rank;
  }
  return g;
}

/// Sums over a risk set: w, w z, w z z' (below the diagonal).
struct RiskSums {
  explicit RiskSums(std::size_t size) : p(size), s1(size), s2(size * size) {}
  void clear() {
    s0 = 0;
    std::fill(s1.begin(), s1.end(), 0.0);
    std::fill(s2.begin(), s2.end(), 0.0);
  }
  void add(double w, const double* z) {
    s0 += w;
    for (std::size_t j = 0; j < p; ++j) {
      s1[j] += w * z[j];
      for (std::size_t k = 0; k <= j; ++k) s2[j * p + k] += w * z[j] * z[k];
    }
  }
  std::size_t p;
  double s0 = 0;
  std::vector<double> s1, s2;
};

/// Covariates row by row, centred within strata and scaled to a root mean square of 1.
std::vector<double> standardised(Design const& x, std::span<const std::int32_t> stratum, std::size_t strata) {
  const std::size_t p = x.names.size();
  std::vector<double> z(x.rows * p), mean(strata), count(strata), origin(strata);
  for (std::size_t j = 0; j < p; ++j) {
    const std::span<const double> column = x.column(j);
    std::fill(mean.begin(), mean.end(), 0.0);
    std::fill(count.begin(), count.end(), 0.0);
    for (std::size_t i = 0; i < x.rows; ++i) {
      const auto s = std::size_t(stratum[i]);
      if (count[s] == 0) origin[s] = column[i];
      mean[s] += column[i] - origin[s], ++count[s];
    }
    double squares = 0;
    for (std::size_t i = 0; i < x.rows; ++i) {
      const auto s = std::size_t(stratum[i]);
      const double deviation = (column[i] - origin[s]) - mean[s] / count[s];
      z[i * p + j] = deviation, squares += deviation * deviation;
    }
    const double scale = std::sqrt(squares / double(x.rows));
    for (std::size_t i = 0; i < x.rows && scale > 0; ++i) z[i * p + j] /= scale;
  }
  return z;
}

}  // namespace

Expected<std::vector<double>> time_function(TimeFunction function, SurvivalRows const& data) {
  if (function == TimeFunction::km) return pooled_distribution(data);
  if (function == TimeFunction::rank) return mean_ranks(data);
  std::vector<double> g(data.time.begin(), data.time.end());
  if (function == TimeFunction::identity) return g;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (data.event[i] && !(data.time[i] > 0))
      return fail(Code::out_of_range, "an event is at time {}, whose logarithm does not exist: take another transform",
                  shortest(data.time[i]));
    g[i] = data.time[i] > 0 ? std::log(data.time[i]) : 0;  // a censored time's is never read
  }
  return g;
}

TimeScore time_score(SurvivalRows const& data, std::span<const std::int32_t> stratum, std::size_t strata, Design const& x,
                     std::span<const double> predictor, Ties ties, std::span<const double> g) {
  const std::size_t p = x.names.size(), q = 2 * p;
  TimeScore answer{std::vector<double>(p, 0.0), std::vector<double>(q * q, 0.0)};
  const std::vector<double> z = standardised(x, stratum, strata);
  const Partition parts = partition(data.by_time, stratum, strata);
  numerics::Column<std::uint32_t> by_start;
  if (!data.start.empty()) {
    by_start = data.by_time;
    std::sort(by_start.begin(), by_start.end(), [&](std::uint32_t a, std::uint32_t b) {
      return data.start[a] < data.start[b] || (data.start[a] == data.start[b] && a < b);
    });
  }
  const Partition leaving = partition(by_start, stratum, strata);

  RiskSums risk(p), tied(p);
  std::vector<double> mean(p), z_events(p);
  for (std::size_t s = 0; s < strata; ++s) {
    const std::span<const std::uint32_t> rows = parts.of(s);
    const std::span<const std::uint32_t> starts = by_start.empty() ? std::span<const std::uint32_t>() : leaving.of(s);
    double largest = -INFINITY, peak = 0;
    for (const std::uint32_t row : rows) largest = std::max(largest, predictor[row]);
    const auto weight = [&](std::uint32_t row) { return std::exp(predictor[row] - largest); };
    risk.clear();
    std::size_t left = starts.size();
    for (std::size_t end = rows.size(); end > 0;) {
      const double t = data.time[rows[end - 1]];
      std::size_t begin = end;
      double d = 0;
      tied.clear();
      std::fill(z_events.begin(), z_events.end(), 0.0);
      bool anybody_left = false;
      for (; left > 0 && data.start[starts[left - 1]] >= t; --left, anybody_left = true)
        risk.add(-weight(starts[left - 1]), z.data() + starts[left - 1] * p);
      for (; begin > 0 && data.time[rows[begin - 1]] == t; --begin) {
        const std::uint32_t row = rows[begin - 1];
        const double w = weight(row);
        risk.add(w, z.data() + row * p);
        if (!data.event[row]) continue;
        ++d;
        tied.add(w, z.data() + row * p);
        for (std::size_t j = 0; j < p; ++j) z_events[j] += z[row * p + j];
      }
      if (anybody_left && risk.s0 < cancelled * peak) {
        risk.clear(), peak = 0;
        for (std::size_t i = begin; i < rows.size(); ++i)
          if (data.start[rows[i]] < t) risk.add(weight(rows[i]), z.data() + rows[i] * p);
      }
      peak = std::max(peak, risk.s0);
      const double at_event = d > 0 ? g[rows[end - 1]] : 0;
      end = begin;
      if (d == 0) continue;
      const bool efron = ties == Ties::efron && d > 1;
      const double steps = efron ? d : 1, each = efron ? 1 : d;
      for (std::size_t j = 0; j < p; ++j) answer.score[j] += at_event * z_events[j];
      for (double l = 0; l < steps; ++l) {
        const double part = efron ? l / d : 0, s0 = risk.s0 - part * tied.s0;
        for (std::size_t j = 0; j < p; ++j) {
          mean[j] = (risk.s1[j] - part * tied.s1[j]) / s0;
          answer.score[j] -= at_event * each * mean[j];
          for (std::size_t k = 0; k <= j; ++k) {
            const double v = each * ((risk.s2[j * p + k] - part * tied.s2[j * p + k]) / s0 - mean[j] * mean[k]);
            answer.information[j * q + k] += v;
            answer.information[(p + j) * q + k] += at_event * v;
            answer.information[(p + j) * q + p + k] += at_event * at_event * v;
          }
        }
      }
    }
  }
  for (std::size_t j = 0; j < p; ++j)  // each block is symmetric, and so is the whole
    for (std::size_t k = 0; k < j; ++k)
      for (const auto& [r, c] : {std::pair<std::size_t, std::size_t>{0, 0}, {p, 0}, {p, p}})
        answer.information[(r + k) * q + c + j] = answer.information[(r + j) * q + c + k];
  for (std::size_t j = 0; j < p; ++j)
    for (std::size_t k = 0; k < p; ++k) answer.information[j * q + p + k] = answer.information[(p + k) * q + j];
  return answer;
}

MethodCard const& ProportionalHazardsTest::card() {
  static const MethodCard card{
      .keyword = "proportional_hazards_test",
      .title = "Test of proportional hazards",
      .roles = {{"time", Need::number, Presence::required,
                 "time to event or censoring; with start, the end of an interval at risk"},
                {"event", Need::number, Presence::required, "1 event, 0 censored"},
                {"start", Need::number, Presence::optional, "start of the interval (start, time] at risk"},
                {"strata", Need::category, Presence::optional,
                 "their combinations are the strata, each with its own baseline hazard"},
                {"cluster", Need::category, Presence::optional, "accepted, and not used: the test is model-based"}},
      .options = {{"formula", "terms of the model: a + b, a:b, a * b", "right-hand side, without intercept"},
                  {"levels", "{ column = [level, ...] }", "categorical columns and their levels, the reference first"},
                  {"ties", "efron | breslow", "tied events (efron; match = \"sas\": breslow)"},
                  {"transform", "km | identity | rank | log", "the function of time that a coefficient may follow (km)"},
                  near_ties_card},
      .quantities = {"chi_square", "df", "p"},
      .comparison = Comparison::all_arms};
  return card;
}

std::optional<ProportionalHazardsTest> ProportionalHazardsTest::parse(Roles const& roles, Section& options, Match match) {
  const std::size_t problems_before = options.problems().size();
  ProportionalHazardsTest method;
  check_roles(card(), roles, options);
  method.time = role(roles, "time");
  method.event = role(roles, "event");
  method.start = role(roles, "start");
  method.cluster = role(roles, "cluster");
  method.strata = role_columns(roles, "strata");
  method.model = parse_model_terms(options);
  const auto ties = options.word<TiesWord>("ties", ties_words);
  if (ties == TiesWord::exact)
    options
        .report_at("ties", Code::not_available,
                   "the test of proportional hazards has no form for the exact discrete likelihood of tied events")
        .hint = "'efron' is the closest approximation";
  const bool breslow = ties ? *ties == TiesWord::breslow : match == Match::sas;
  method.ties = breslow ? Ties::breslow : Ties::efron;
  method.ties_note = fmt::format("Tied events: {} approximation{}.", breslow ? "Breslow's" : "Efron's",
                                 ties ? "" : fmt::format(", {}", default_of(match)));
  method.transform = options.word<TimeFunction>("transform", transforms).value_or(method.transform);
  method.near_ties = parse_near_ties(options);

  add_need(method.needs_, {method.time, Need::number}, options);
  add_need(method.needs_, {method.event, Need::number}, options);
  add_need(method.needs_, {method.start, Need::number}, options);
  method.model.add_needs(method.needs_, options);
  for (std::string const& column : method.strata) add_need(method.needs_, {column, Need::category}, options);
  add_need(method.needs_, {method.cluster, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> ProportionalHazardsTest::needs() const { return needs_; }

Expected<Answer> ProportionalHazardsTest::run(Frame const& frame) const {
  auto data = survival_rows(frame, time, event, start, near_ties);
  if (!data) return tl::unexpected(data.error());
  auto design = build_design(frame, model.formula);
  if (!design) return tl::unexpected(design.error());
  auto g = time_function(transform, *data);
  if (!g) return tl::unexpected(g.error());
  const std::size_t p = design->names.size();
  const Strata stratum = combine(frame, strata);

  PartialLikelihood likelihood(*data, stratum.code, stratum.count, *design, ties);
  const CoxFit fit = fit_cox(likelihood, frame.rows, {}, 0);
  const bool any_event = likelihood.events() > 0;

  // g around its mean over the events and at most 1: the test is the same, and its information better conditioned.
  double mean = 0, events = 0, largest = 0;
  for (std::size_t i = 0; i < data->size(); ++i)
    if (data->event[i]) ++events, mean += ((*g)[i] - mean) / events;
  for (std::size_t i = 0; i < data->size(); ++i)
    if (data->event[i]) largest = std::max(largest, std::abs((*g)[i] - mean));
  for (double& value : *g) value = largest > 0 ? (value - mean) / largest : 0;
  const TimeScore score = time_score(*data, stratum.code, stratum.count, *design, fit.predictor, ties, *g);

  Answer answer;
  const auto n = std::int64_t(frame.rows);
  const auto testable = [&](std::size_t j) { return any_event && fit.estimated(j) && !lacks_reference(frame, design->names[j]); };
  numerics::SemidefiniteFactor factor(2 * p);
  /// Adds the test of some coefficients at a place. False when a coefficient that is estimated leaves nothing to test.
  const auto add = [&](At at, std::vector<std::size_t> const& coefficients) {
    std::vector<std::uint8_t> excluded(2 * p, 1);
    std::vector<double> u(2 * p, 0.0);
    bool all = any_event && fit.converged;
    for (std::size_t j = 0; j < p; ++j) excluded[j] = fit.status[j] != Coefficient::estimated;
    for (const std::size_t j : coefficients) {
      if (fit.status[j] == Coefficient::aliased && coefficients.size() > 1) continue;
      all = all && testable(j);
      excluded[p + j] = 0, u[p + j] = score.score[j];
    }
    std::size_t df = 0;
    if (all) {
      factor.factor(score.information, collinear, excluded);
      for (const std::size_t j : coefficients) df += factor.used(p + j);
    }
    const double value = df > 0 ? factor.quadratic_form(u) : missing_number;
    answer.findings.push_back({.quantity = "chi_square",
                               .at = std::move(at),
                               .value = value,
                               .df = df > 0 ? double(df) : missing_number,
                               .p = df > 0 ? numerics::chi_square_upper(value, double(df)) : missing_number,
                               .n = n});
    return df > 0 || !all;
  };
  std::vector<std::string> flat;
  std::vector<std::size_t> every;
  std::map<Term, std::vector<std::size_t>> effects;
  std::vector<Term> order;
  for (std::size_t j = 0; j < p; ++j) {
    every.push_back(j);
    if (!add({{"term", design->names[j]}}, {j})) flat.push_back(to_text(design->names[j]));
    Term effect = design->names[j];
    for (Factor& factor_of : effect) factor_of.level.reset();
    if (effects[effect].empty()) order.push_back(effect);
    effects[effect].push_back(j);
  }
  const std::vector<Term> missing = uncompared(frame, model.formula, design->names);
  for (Term const& term : missing)
    answer.findings.push_back(
        {.quantity = "chi_square", .at = {{"term", term}}, .df = missing_number, .p = missing_number, .n = n});
  for (Term const& effect : order)
    if (effects[effect].size() > 1) add({{"effect", effect}}, effects[effect]);
  add({{"global", std::string("all")}}, every);

  answer.notes.emplace_back(sentence(transform));
  answer.notes.push_back(ties_note);
  if (!strata.empty())
    answer.notes.push_back(
        fmt::format("Stratified by {}: {} strat{}.", quoted(strata), stratum.count, stratum.count == 1 ? "um" : "a"));
  if (!cluster.empty())
    answer.notes.push_back(
        fmt::format("The clusters of '{}' are not used: the test takes rows as independent given the covariates.", cluster));
  if (!any_event) answer.notes.emplace_back("No event: nothing is estimable.");
  else if (!fit.converged) answer.notes.emplace_back("The Cox model did not converge: nothing is estimable.");
  for (std::size_t j = 0; any_event && fit.converged && j < p; ++j) {
    if (fit.status[j] == Coefficient::infinite)
      answer.notes.push_back(fmt::format(
          "{}: the hazard ratio is not estimable, and neither is its test nor that of all together.", to_text(design->names[j])));
    if (fit.status[j] == Coefficient::aliased)
      answer.notes.push_back(
          fmt::format("{}: constant, or determined by earlier terms, among those at risk at the events; not tested.",
                      to_text(design->names[j])));
  }
  for (std::string const& name : flat)
    answer.notes.push_back(fmt::format("{}: the events are at too few times to show a change with time; not estimable.", name));
  for (Term const& term : missing)
    if (!lacks_reference(frame, term)) answer.notes.push_back(fmt::format("{}: nobody in it; not estimable.", to_text(term)));
  for (std::string const& note : design->notes) answer.notes.push_back(note + ".");
  if (const std::string note = merged_note(*data); !note.empty()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats
