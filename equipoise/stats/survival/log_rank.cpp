#include "equipoise/stats/survival/log_rank.h"

#include <algorithm>
#include <array>
#include <type_traits>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/lanes.h"
#include "equipoise/numerics/semidefinite.h"
#include "equipoise/stats/parts.h"
#include "equipoise/stats/strata.h"

namespace equipoise::stats {
namespace {

// Rounding leaves about 1e-16 k of a variance where the exact pivot is 0; a group of one person among 1e8 still has 1e-8 of it.
constexpr double singular = 1e-10;

/// From the last time of a stratum back, so that the risk set grows: `enter` for each row, then `at_event` for each time with
/// events.
template <class Enter, class AtEvent>
void back_from_last_time(SurvivalRows const& data, std::span<const std::uint32_t> rows, Enter enter, AtEvent at_event) {
  double N = 0;
  for (std::size_t end = rows.size(); end > 0;) {
    const double t = data.time[rows[end - 1]];
    double d = 0;
    for (; end > 0 && data.time[rows[end - 1]] == t; --end) {
      ++N, d += data.event[rows[end - 1]];
      enter(rows[end - 1]);
    }
    if (d > 0) at_event(N, d);
  }
}

PooledTimes pooled_times(SurvivalRows const& data, std::span<const std::uint32_t> rows) {
  PooledTimes times;
  back_from_last_time(
      data, rows, [](std::uint32_t) {},
      [&](double N, double d) {
        times.at_risk.push_back(N);
        times.events.push_back(d);
      });
  std::reverse(times.at_risk.begin(), times.at_risk.end());
  std::reverse(times.events.begin(), times.events.end());
  return times;
}

/// Sums over risk sets, four at a time. K groups, or any number when K is 0.
template <std::size_t K>
class RiskSetSums {
 public:
  explicit RiskSetSums(std::size_t groups) : k_(K > 0 ? K : groups) {
    if constexpr (K == 0) at_risk_.resize(k_ * block), expected_.resize(k_), covariance_.resize(k_ * k_);
  }

  /// d events among N at risk, of which at_risk[j] in group j. Without an event the next one takes its place.
  template <class Counts>
  void add(Counts const& at_risk, double N, double d) {
    if (size_ == block) fold();
    double* const here = at_risk_.data() + size_;
    for (std::size_t j = 0; j < k_; ++j) here[j * block] = at_risk[j];
    N_[size_] = N;
    d_[size_] = d;
    size_ += d > 0;  // no branch: whether a time has an event is hard to guess
  }

  void finish(LogRankSums& sums) {
    fold();
    for (std::size_t j = 0; j < k_; ++j) {
      sums.expected[j] = numerics::total(expected_[j]);
      for (std::size_t i = 0; i <= j; ++i)
        sums.covariance[i * k_ + j] = sums.covariance[j * k_ + i] = numerics::total(covariance_[j * k_ + i]);
    }
  }

 private:
  static constexpr std::size_t block = 128;
  using Lanes = numerics::Lanes;
  void fold() {
    for (; size_ % numerics::lanes != 0; ++size_) {
      for (std::size_t j = 0; j < k_; ++j) at_risk_[j * block + size_] = 0;
      N_[size_] = 1, d_[size_] = 0;
    }
    Lanes expected[K > 0 ? K : 1], covariance[K > 0 ? K * K : 1], share_here[K > 0 ? K : 1];
    Lanes *E = expected, *V = covariance, *share = share_here;
    if constexpr (K == 0) shares_.resize(k_), E = expected_.data(), V = covariance_.data(), share = shares_.data();
    else std::copy_n(expected_.data(), K, E), std::copy_n(covariance_.data(), K * K, V);
    const Lanes one = numerics::everywhere(1);
    for (std::size_t row = 0; row < size_; row += numerics::lanes) {
      const Lanes N = numerics::load(N_ + row), d = numerics::load(d_ + row);
      const Lanes one_share = one / N, others = N - one;
      const Lanes spread = d * (N - d) / (others > one ? others : one);  // one at risk: d is N, or 0
      for (std::size_t j = 0; j < k_; ++j) {
        const Lanes n = numerics::load(at_risk_.data() + j * block + row);
        share[j] = n * one_share;
        E[j] += d * share[j];
        const Lanes part = spread * share[j];
        for (std::size_t i = 0; i < j; ++i) V[j * k_ + i] -= part * share[i];
        V[j * k_ + j] += part * ((N - n) * one_share);
      }
    }
    if constexpr (K > 0) std::copy_n(E, K, expected_.data()), std::copy_n(V, K * K, covariance_.data());
    size_ = 0;
  }

  /// So many numbers, in place where the number of groups is known.
  template <class T, std::size_t size>
  using Row = std::conditional_t<(K > 0), std::array<T, (K > 0 ? size : 1)>, std::vector<T>>;

  std::size_t k_, size_ = 0;
  Row<double, K * block> at_risk_;  // of group j in risk set i: j * block + i
  double N_[block], d_[block];
  Row<Lanes, K> expected_{};
  Row<Lanes, K * K> covariance_{};
  std::vector<Lanes> shares_;
};

/// The risk sets of all strata at one time, as time goes on. Most times have one row; such a row is held back until the next time
/// shows that it was alone. Rows that share a time gather by stratum first.
template <std::size_t K>
class RiskSets {
 public:
  RiskSets(std::span<const std::int64_t> class_rows, std::size_t groups, LogRankSums& sums)
      : k_(K > 0 ? K : groups),
        sums_(groups),
        out_(sums),
        at_risk_(class_rows.begin(), class_rows.end()),
        deaths_(at_risk_.size(), 0.0),
        leaving_(at_risk_.size(), 0.0),
        stratum_at_risk_(at_risk_.size() / k_, 0.0),
        touched_(at_risk_.size() / k_, 0) {
    for (std::size_t c = 0; c < at_risk_.size(); ++c) stratum_at_risk_[c / k_] += at_risk_[c];
  }

  void operator()(double t, std::uint32_t c, std::uint32_t events, std::uint32_t rows) {
    if (t == time_) {
      if (open_.empty()) gather(held_class_, held_events_, held_rows_);
      return gather(c, events, rows);
    }
    close();
    time_ = t, held_class_ = c, held_events_ = events, held_rows_ = rows;
  }

  void finish() {
    close();
    sums_.finish(out_);
  }

 private:
  void close() {
    if (held_rows_ == 0) return;  // before the first time
    if (open_.empty()) {
      const std::size_t stratum = held_class_ / k_, group = held_class_ % k_;
      double* const N = stratum_at_risk_.data() + stratum;
      double* const at_risk = at_risk_.data() + stratum * k_;
      sums_.add(at_risk, *N, held_events_);
      out_.observed.data()[group] += held_events_;
      at_risk[group] -= held_rows_;
      *N -= held_rows_;
      return;
    }
    for (const std::uint32_t stratum : open_) {
      double* const at_risk = at_risk_.data() + stratum * k_;
      double* const deaths = deaths_.data() + stratum * k_;
      double* const leaving = leaving_.data() + stratum * k_;
      double d = 0;
      for (std::size_t j = 0; j < k_; ++j) d += deaths[j];
      if (d > 0) sums_.add(at_risk, stratum_at_risk_[stratum], d);
      for (std::size_t j = 0; j < k_; ++j) {
        out_.observed[j] += deaths[j];
        at_risk[j] -= leaving[j];
        stratum_at_risk_[stratum] -= leaving[j];
        deaths[j] = leaving[j] = 0;
      }
      touched_[stratum] = 0;
    }
    open_.clear();
  }

  void gather(std::uint32_t c, double events, double rows) {
    const auto stratum = std::uint32_t(c / k_);
    if (!touched_[stratum]) touched_[stratum] = 1, open_.push_back(stratum);
    deaths_[c] += events;
    leaving_[c] += rows;
  }

  std::size_t k_;
  RiskSetSums<K> sums_;
  LogRankSums& out_;
  std::vector<double> at_risk_, deaths_, leaving_;  // by class
  std::vector<double> stratum_at_risk_;
  std::vector<std::uint8_t> touched_;  // by stratum: has rows that gather at this time
  std::vector<std::uint32_t> open_;    // those strata
  double time_ = -1, held_events_ = 0, held_rows_ = 0;
  std::uint32_t held_class_ = 0;
};

/// The same of one stratum and few groups: what changes from time to time stays in registers.
template <std::size_t K>
void sum_one_stratum(OrderedTimes const& data, LogRankSums& sums) {
  static_assert(K <= numerics::lanes);
  using numerics::Lanes;
  Lanes of_group[K], at_risk{}, observed{};
  double N = 0;
  for (std::size_t j = 0; j < K; ++j) {
    of_group[j] = numerics::load(numerics::ones[1u << j]);
    at_risk[j] = double(data.class_rows()[j]);
    N += at_risk[j];
  }
  RiskSetSums<K> sets(K);
  // Those at risk just before the time that is open, and its events so far.
  double time = -1, N_before = 0, d = 0;
  Lanes before{};
  data.forward([&](double t, std::uint32_t group, std::uint32_t events, std::uint32_t rows) __attribute__((always_inline)) {
    if (t != time) {
      sets.add(before, N_before, d);
      time = t, before = at_risk, N_before = N, d = 0;
    }
    const Lanes row = of_group[group];
    observed += row * double(events);
    at_risk -= row * double(rows);
    N -= rows;
    d += events;
  });
  sets.add(before, N_before, d);
  sets.finish(sums);
  for (std::size_t j = 0; j < K; ++j) sums.observed[j] = observed[j];
}

template <std::size_t K>
void sum_forward(OrderedTimes const& data, std::size_t groups, LogRankSums& sums) {
  if constexpr (K > 0)
    if (data.class_rows().size() == K) return sum_one_stratum<K>(data, sums);
  RiskSets<K> sets(data.class_rows(), groups, sums);
  data.forward([&](double t, std::uint32_t c, std::uint32_t events, std::uint32_t rows) { sets(t, c, events, rows); });
  sets.finish();
}

}  // namespace

LogRankSums log_rank_sums(OrderedTimes const& data, std::size_t groups) {
  LogRankSums sums{std::vector<double>(groups), std::vector<double>(groups), std::vector<double>(groups * groups)};
  if (groups == 0) return sums;
  if (groups == 2) sum_forward<2>(data, groups, sums);
  else if (groups == 3) sum_forward<3>(data, groups, sums);
  else if (groups == 4) sum_forward<4>(data, groups, sums);
  else sum_forward<0>(data, groups, sums);
  return sums;
}

LogRankSums log_rank_sums(SurvivalRows const& data, std::span<const std::int32_t> group, std::size_t groups,
                          std::span<const std::int32_t> stratum, std::size_t strata, TimeWeights const& weights) {
  LogRankSums sums{std::vector<double>(groups), std::vector<double>(groups), std::vector<double>(groups * groups)};
  std::vector<double> at_risk(groups), deaths(groups), weight_at;
  const Partition parts = partition(data.by_time, stratum, strata);
  for (std::size_t s = 0; s < strata; ++s) {
    const std::span<const std::uint32_t> rows = parts.of(s);
    std::fill(at_risk.begin(), at_risk.end(), 0.0);
    if (weights) {
      const PooledTimes times = pooled_times(data, rows);
      weight_at = weights(times);
      expects(weight_at.size() == times.events.size(), "there is one weight for each event time");
    }
    const auto enter = [&](std::uint32_t row) {
      const auto g = std::size_t(group[row]);
      ++at_risk[g];
      deaths[g] += data.event[row];
    };
    const auto at_event = [&](double N, double d) {
      double w = 1;
      if (weights) w = weight_at.back(), weight_at.pop_back();
      const double spread = N > 1 ? w * w * (d * (N - d) / (N - 1)) : 0;
      for (std::size_t j = 0; j < groups; ++j) {
        sums.observed[j] += w * deaths[j];
        deaths[j] = 0;
        if (at_risk[j] == 0) continue;
        const double share = at_risk[j] / N;
        sums.expected[j] += w * d * share;
        for (std::size_t k = 0; k < groups; ++k) sums.covariance[j * groups + k] += spread * share * ((j == k) - at_risk[k] / N);
      }
    };
    back_from_last_time(data, rows, enter, at_event);
  }
  return sums;
}

namespace {

struct ChiSquare {
  double value = missing_number, df = missing_number, p = missing_number;
  std::size_t rank = 0, present = 0;  ///< of the covariance; groups with anybody
  double events = 0;
};

/// n  rows of each group
ChiSquare chi_square(LogRankSums const& sums, std::span<const std::int64_t> n) {
  const std::size_t k = n.size();
  ChiSquare test;
  std::vector<double> difference(k);
  for (std::size_t j = 0; j < k; ++j) {
    difference[j] = sums.observed[j] - sums.expected[j];
    test.events += sums.observed[j];
    test.present += n[j] > 0;  // an arm left out of a comparison is a level with nobody
  }
  numerics::SemidefiniteFactor covariance(k);
  covariance.factor(sums.covariance, singular);
  test.rank = covariance.rank();
  if (test.events == 0 || test.present < 2 || test.rank == 0) return test;
  test.df = double(test.rank);
  test.value = covariance.quadratic_form(difference);
  test.p = numerics::chi_square_upper(test.value, test.df);
  return test;
}

}  // namespace

Finding log_rank_chi_square(LogRankSums const& sums, CategoriesView const& groups, std::string_view column, std::string_view test,
                            bool stratified, std::vector<std::string>& notes) {
  const std::vector<std::int64_t> n = class_counts(groups.codes, groups.levels.size());
  const ChiSquare made = chi_square(sums, n);
  std::vector<std::string> never_at_risk;
  for (std::size_t j = 0; j < n.size(); ++j)
    if (sums.expected[j] == 0 && n[j] > 0) never_at_risk.push_back(groups.levels[j]);

  if (made.events == 0) {
    notes.push_back(fmt::format("No event: the {} is not estimable.", test));
  } else if (made.present < 2) {
    notes.push_back(fmt::format("Only one group of '{}' has anybody: the {} is not estimable.", column, test));
  } else if (made.rank == 0) {
    notes.push_back(
        stratified ? fmt::format("In no stratum were two groups at risk together at an event: the {} is not estimable.", test)
                   : fmt::format("Never were two groups at risk together at an event: the {} is not estimable.", test));
  } else {
    if (!never_at_risk.empty())
      notes.push_back(
          fmt::format("{} {}: nobody at risk at any event; left out of the degrees of freedom.", column, quoted(never_at_risk)));
    else if (made.rank + 1 < made.present)
      notes.push_back(fmt::format("The strata do not connect all groups of '{}': {} degree{} of freedom instead of {}.", column,
                                  made.rank, made.rank == 1 ? "" : "s", made.present - 1));
  }
  return {.quantity = "chi_square", .value = made.value, .df = made.df, .p = made.p, .n = std::int64_t(groups.codes.size())};
}

MethodCard const& LogRank::card() {
  static const MethodCard card{.keyword = "log_rank",
                               .title = "Log-rank test",
                               .roles = {{"time", Need::number, Presence::required, "time to event or censoring"},
                                         {"event", Need::number, Presence::required, "1 event, 0 censored"},
                                         {"group", Need::category, Presence::required, "the groups compared"},
                                         {"strata", Need::category, Presence::optional, "their combinations are the strata"}},
                               .options = {near_ties_card},
                               .quantities = {"chi_square", "df", "p", "observed", "expected", "n"},
                               .comparison = Comparison::pairwise};
  return card;
}

std::optional<LogRank> LogRank::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  LogRank method;
  check_roles(card(), roles, options);
  method.time = role(roles, "time");
  method.event = role(roles, "event");
  method.group = role(roles, "group");
  method.strata = role_columns(roles, "strata");
  method.near_ties = parse_near_ties(options);
  add_need(method.needs_, {method.time, Need::number}, options);
  add_need(method.needs_, {method.event, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  for (std::string const& column : method.strata) add_need(method.needs_, {column, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> LogRank::needs() const { return needs_; }

/// The sums of a frame, and rows of each group.
struct LogRank::Counted {
  LogRankSums sums;
  std::vector<std::int64_t> n;
  std::size_t strata = 0, near = 0;
};

Expected<LogRank::Counted> LogRank::count(Frame const& frame) const {
  CategoriesView const& category = frame.categories(group);
  const std::size_t groups = category.levels.size();
  Strata strata_of{{}, frame.rows > 0 ? std::size_t(1) : 0};
  std::vector<std::int32_t> classes;
  if (!strata.empty()) {
    strata_of = combine(frame, strata);
    if (double(strata_of.count) * double(groups) > 1e9)
      return fail(Code::out_of_range, "{} strata of {} groups are more than a log-rank test takes", strata_of.count, groups);
    classes.resize(strata_of.code.size());
    for (std::size_t i = 0; i < classes.size(); ++i) classes[i] = strata_of.code[i] * std::int32_t(groups) + category.codes[i];
  }
  auto data = OrderedTimes::of(frame, time, event, strata.empty() ? category.codes : std::span<const std::int32_t>(classes),
                               groups * std::max(strata_of.count, std::size_t(1)), near_ties);
  if (!data) return tl::unexpected(data.error());
  Counted counted{log_rank_sums(*data, groups), std::vector<std::int64_t>(groups, 0), strata_of.count, data->near()};
  for (std::size_t c = 0; c < data->class_rows().size(); ++c) counted.n[c % groups] += data->class_rows()[c];
  return counted;
}

Expected<Figures> LogRank::figures(Frame const& frame, Focus const& focus) const {
  const Expected<Counted> counted = count(frame);
  if (!counted) return tl::unexpected(counted.error());
  LogRankSums const& sums = counted->sums;
  Figures figures{.p = chi_square(sums, counted->n).p};
  std::span<const std::string> levels = frame.categories(group).levels;
  for (std::size_t j = 0; !focus.differences.empty() && j < levels.size(); ++j)
    if (levels[j] == focus.differences.front().of.level) figures.excess = sums.observed[j] - sums.expected[j];
  return figures;
}

Expected<Answer> LogRank::run(Frame const& frame) const {
  const Expected<Counted> counted = count(frame);
  if (!counted) return tl::unexpected(counted.error());
  CategoriesView const& category = frame.categories(group);
  LogRankSums const& sums = counted->sums;
  std::vector<std::int64_t> const& n = counted->n;
  Answer answer;
  answer.findings.push_back(log_rank_chi_square(sums, category, group, "log-rank test", !strata.empty(), answer.notes));
  for (std::size_t j = 0; j < n.size(); ++j) {
    const At at{{"group", category.levels[j]}};
    answer.findings.push_back({.quantity = "observed", .at = at, .value = sums.observed[j], .n = n[j]});
    answer.findings.push_back({.quantity = "expected", .at = at, .value = sums.expected[j], .n = n[j]});
    answer.findings.push_back({.quantity = "n", .at = at, .value = double(n[j]), .n = n[j]});
  }
  if (!strata.empty())
    answer.notes.push_back(
        fmt::format("Stratified by {}: {} strat{}.", quoted(strata), counted->strata, counted->strata == 1 ? "um" : "a"));
  if (const std::string note = near_ties_note(counted->near, near_ties); !note.empty()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats
