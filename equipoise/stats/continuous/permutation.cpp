#include "equipoise/stats/continuous/permutation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "equipoise/numerics/sum.h"
#include "equipoise/stats/strata.h"
#include "equipoise/stats/survival/rows.h"

namespace equipoise::stats {

PermutationWithinStrata::PermutationWithinStrata(std::span<const std::int32_t> observed, std::span<const std::int32_t> stratum,
                                                 std::size_t strata, std::uint64_t seed)
    : observed_(observed.begin(), observed.end()), rows_(strata), seed_(seed) {
  for (std::size_t i = 0; i < stratum.size(); ++i) rows_[std::size_t(stratum[i])].push_back(i);
  std::erase_if(rows_, [](std::vector<std::size_t> const& rows) { return rows.empty(); });
}

void PermutationWithinStrata::reallocate(std::uint64_t replicate, std::span<std::int32_t> codes) const {
  random::Stream stream({seed_, random::Purpose::permutation}, replicate);
  std::vector<std::int32_t> within;
  for (std::vector<std::size_t> const& rows : rows_) {
    within.clear();
    for (const std::size_t row : rows) within.push_back(observed_[row]);
    stream.shuffle(within);
    for (std::size_t i = 0; i < rows.size(); ++i) codes[rows[i]] = within[i];
  }
}

std::string PermutationWithinStrata::sentence() const {
  if (rows_.size() <= 1) return "permutations of the groups";
  return fmt::format("permutations of the groups within {} strata", rows_.size());
}

double PermutationWithinStrata::count() const {
  double ways = 1;
  for (std::vector<std::size_t> const& rows : rows_) {
    std::map<std::int32_t, double> sizes;
    double dealt = 0;
    for (const std::size_t row : rows) {  // n!/(n_1! ... n_k!), one participant after another
      double& size = sizes[observed_[row]];
      ways = ways * ++dealt / ++size;
    }
  }
  return std::isfinite(ways) ? std::round(ways) : std::numeric_limits<double>::infinity();
}

void PermutationWithinStrata::for_each(VisitAllocation const& visit) const {
  std::vector<std::vector<std::int32_t>> within;  // of each stratum the codes, first in ascending order
  std::vector<std::int32_t> codes(observed_.size());
  const auto place = [&](std::size_t h) {
    for (std::size_t i = 0; i < rows_[h].size(); ++i) codes[rows_[h][i]] = within[h][i];
  };
  for (std::size_t h = 0; h < rows_.size(); ++h) {
    within.emplace_back();
    for (const std::size_t row : rows_[h]) within[h].push_back(observed_[row]);
    std::sort(within[h].begin(), within[h].end());
    place(h);
  }
  for (;;) {
    visit(codes);
    std::size_t h = 0;  // the next order of the first stratum that has one; those before it begin again
    while (h < rows_.size() && !std::next_permutation(within[h].begin(), within[h].end())) place(h++);
    if (h == rows_.size()) return;
    place(h);
  }
}

namespace {

constexpr std::pair<std::string_view, PermutationScore> scores[] = {{"mean_difference", PermutationScore::mean_difference},
                                                                    {"rank_sum", PermutationScore::rank_sum},
                                                                    {"log_rank", PermutationScore::log_rank}};

constexpr double listed_without_asking = 1e5, listed_at_most = 1e7, most_steps = 2e10;

/// One participant of the two groups.
struct Person {
  double value = 0;  ///< the response, or the time
  bool event = false;
  std::int32_t stratum = 0, code = 0;  ///< code 1 in `level`
};

/// Adds to `score` the scores of the people of one stratum.
void score_stratum(PermutationScore kind, std::vector<Person> const& people, std::span<const std::size_t> members,
                   std::vector<double>& score, std::size_t& merged) {
  const double n = double(members.size());
  std::vector<double> values;
  for (const std::size_t i : members) values.push_back(people[i].value);
  if (kind == PermutationScore::mean_difference) {
    const double mean = numerics::sum(values) / n;
    for (const std::size_t i : members) score[i] = people[i].value - mean;
  } else if (kind == PermutationScore::rank_sum) {
    const Midranks ranks = midranks(values);
    merged += ranks.merged;
    for (std::size_t i = 0; i < members.size(); ++i) score[members[i]] = (ranks.rank[i] - (n + 1) / 2) / (n + 1);
  } else {
    std::vector<std::size_t> order(members.begin(), members.end());
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return people[a].value < people[b].value; });
    double hazard = 0;
    for (std::size_t from = 0, to = 0; from < order.size(); from = to) {
      double events = 0;
      for (; to < order.size() && people[order[to]].value == people[order[from]].value; ++to) events += people[order[to]].event;
      hazard += events / double(order.size() - from);
      for (std::size_t i = from; i < to; ++i) score[order[i]] = double(people[order[i]].event) - hazard;
    }
  }
}

}  // namespace

MethodCard const& PermutationTest::card() {
  static const MethodCard card{
      .keyword = "permutation_test",
      .title = "Permutation test",
      .roles = {{"response", Need::number, Presence::optional, "the analysed value (mean_difference, rank_sum)"},
                {"time", Need::number, Presence::optional, "time to event or censoring (log_rank)"},
                {"event", Need::number, Presence::optional, "1 event, 0 censored (log_rank)"},
                {"group", Need::category, Presence::required, "the groups compared"},
                {"strata", Need::category, Presence::optional, "columns whose combinations are the strata"}},
      .options = {{"difference", "{ level, minus }", "the two groups compared; rows of other groups are dropped"},
                  {"statistic", "mean_difference | rank_sum | log_rank", "what is compared (mean_difference; log_rank of times)"},
                  tail_card(),
                  {"exact", "true | false", "list every allocation (up to 100000 allocations), or draw from them"},
                  {"reallocations", "whole number from 100 to 10000000", "how many are drawn (10000)"},
                  {"seed", "whole number from 0", "of the drawing (1)"}},
      .quantities = {"estimate", "statistic", "p", "n_reallocations", "monte_carlo_se"},
      .comparison = Comparison::pairwise};
  return card;
}

std::optional<PermutationTest> PermutationTest::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  PermutationTest method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.time = role(roles, "time");
  method.event = role(roles, "event");
  method.group = role(roles, "group");
  method.strata = role_columns(roles, "strata");
  method.difference = parse_difference(options, true).value_or(Difference{});
  const bool times = method.response.empty() && (!method.time.empty() || !method.event.empty());
  method.score = options.word<PermutationScore>("statistic", scores)
                     .value_or(times ? PermutationScore::log_rank : PermutationScore::mean_difference);
  method.tail = parse_tail(options);
  method.exact = options.flag("exact");
  method.reallocations = std::uint64_t(options.integer("reallocations", Limits{.min = 100, .max = 1e7}).value_or(10000));
  method.seed = std::uint64_t(options.integer("seed", Limits{.min = 0, .max = 9007199254740992.0}).value_or(1));

  const auto require = [&](std::string const& column, std::string_view name) {
    if (column.empty())
      add_problem(options.problems(), options.place(), Code::missing_key,
                  "this permutation_test needs a column for the role '{}'", name);
  };
  const auto refuse = [&](std::string const& column, std::string_view name) {
    if (!column.empty())
      add_problem(options.problems(), options.place(), Code::inconsistent, "this permutation_test does not use the role '{}'",
                  name);
  };
  if (method.score == PermutationScore::log_rank) {
    require(method.time, "time"), require(method.event, "event"), refuse(method.response, "response");
  } else {
    require(method.response, "response"), refuse(method.time, "time"), refuse(method.event, "event");
  }
  for (std::string const& column : {method.response, method.time, method.event})
    add_need(method.needs_, {column, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  for (std::string const& column : method.strata) add_need(method.needs_, {column, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> PermutationTest::needs() const { return needs_; }

Expected<Answer> PermutationTest::run(Frame const& frame) const {
  CategoriesView const& groups = frame.categories(group);
  const auto codes = find_levels(difference, groups, group);
  if (!codes) return tl::unexpected(codes.error());
  const Strata combined = combine(frame, strata);
  std::vector<double> values;
  std::vector<std::uint8_t> events;
  std::string merged_times;
  if (score == PermutationScore::log_rank) {
    auto rows = survival_rows(frame, time, event);
    if (!rows) return tl::unexpected(rows.error());
    merged_times = merged_note(*rows);
    values.assign(rows->time.begin(), rows->time.end());
    events.assign(rows->event.begin(), rows->event.end());
  } else {
    const NumbersView responses = frame.numbers(response);
    if (auto error = not_finite(responses, response)) return tl::unexpected(std::move(*error));
    values.assign(responses.begin(), responses.end());
    events.assign(values.size(), 0);
  }
  const int exponent = score == PermutationScore::mean_difference ? numerics::scale_to_one(values).exponent : 0;

  std::vector<Person> people;
  std::vector<std::vector<std::size_t>> members(combined.count);
  std::vector<std::int32_t> observed, stratum;
  for (std::size_t i = 0; i < frame.rows; ++i) {
    if (groups.codes[i] != codes->level && groups.codes[i] != codes->minus) continue;
    members[std::size_t(combined.code[i])].push_back(people.size());
    people.push_back({values[i], events[i] != 0, combined.code[i], groups.codes[i] == codes->level});
    observed.push_back(people.back().code);
    stratum.push_back(people.back().stratum);
  }

  std::vector<double> score_of(people.size(), 0.0);
  std::size_t merged = 0, used = 0, occurring = 0;
  numerics::Sum information;  // sum of m_h n_h / N_h: the divisor that makes a mean difference of the statistic
  for (std::vector<std::size_t> const& some : members) {
    if (some.empty()) continue;
    score_stratum(score, people, some, score_of, merged);
    double first = 0;
    for (const std::size_t i : some) first += people[i].code;
    const double n = double(some.size());
    ++occurring;
    used += first > 0 && first < n;
    information.add(first * (n - first) / n);
  }

  Answer answer;
  const auto n = std::int64_t(people.size());
  const bool difference_of_means = score == PermutationScore::mean_difference;
  const auto statistic = [&](std::span<const std::int32_t> of) {
    double sum = 0;
    for (std::size_t i = 0; i < of.size(); ++i) sum += of[i] == 1 ? score_of[i] : 0.0;
    return sum;
  };
  Finding estimate{.quantity = "estimate", .p = missing_number, .n = n};
  Finding observed_statistic{.quantity = "statistic", .p = missing_number, .n = n};
  RandomisationP test{.se = missing_number};
  if (used == 0) {
    answer.notes.push_back(fmt::format("{} has both '{}' and '{}': the test is not estimable.",
                                       strata.empty() ? "The column never" : "No stratum", difference.level, difference.minus));
  } else {
    const double t = statistic(observed);
    double magnitude = 0;
    for (const double a : score_of) magnitude += std::abs(a);
    observed_statistic.value = std::ldexp(t, exponent);
    estimate.value = std::ldexp(t / information.value(), exponent);
    const PermutationWithinStrata set(observed, stratum, combined.count, seed);
    const ExtremeCount count(t, tail, 1e-11 * magnitude);  // rounding of sums of at most 1e5 terms of one size
    const bool listed = exact.value_or(set.count() <= listed_without_asking);
    if (listed && !(set.count() <= listed_at_most))
      return tl::unexpected(
          Error{Code::out_of_range,
                fmt::format("{:.3g} allocations are too many to list: at most {:.0f} are", set.count(), listed_at_most),
                {},
                "without exact = true they are drawn at random"});
    if ((listed ? set.count() : double(reallocations)) * double(n) > most_steps)
      return fail(Code::out_of_range, "{:.0f} allocations of {} participants are too many",
                  listed ? set.count() : double(reallocations), n);
    test = listed ? exact_randomisation_test(set, statistic, count)
                  : monte_carlo_randomisation_test(set, statistic, count, reallocations);
    observed_statistic.p = estimate.p = test.p;
    observed_statistic.scale = estimate.scale = listed ? Scale::exact : Scale::identity;
    answer.notes.push_back(
        listed ? fmt::format("Exact {} P value from all {} {}.", tail_words(tail), test.reallocations, set.sentence())
               : fmt::format("{} P value (extreme + 1)/({} + 1) from {} random {}, seed {}; Monte Carlo standard error {:.2g}.",
                             tail == Tail::two_sided ? "Two-sided" : "One-sided", test.reallocations, test.reallocations,
                             set.sentence(), seed, test.se));
    if (magnitude == 0) answer.notes.emplace_back("All values are equal: every allocation gives the same statistic.");
    if (used < occurring)
      answer.notes.push_back(fmt::format("{} strat{} with one of the two groups only {} nothing to the test.", occurring - used,
                                         occurring - used == 1 ? "um" : "a", occurring - used == 1 ? "adds" : "add"));
  }
  if (difference_of_means) answer.findings.push_back(estimate);
  answer.findings.push_back(observed_statistic);
  answer.findings.push_back({.quantity = "n_reallocations", .value = used == 0 ? missing_number : double(test.reallocations)});
  answer.findings.push_back({.quantity = "monte_carlo_se", .value = test.se});
  if (difference_of_means && !strata.empty())
    answer.notes.emplace_back("The estimate weights the differences of means of the strata by m n/(m + n).");
  if (score == PermutationScore::log_rank)
    answer.notes.push_back(fmt::format("The statistic is the observed less the expected events of '{}'.", difference.level));
  if (score == PermutationScore::rank_sum)
    answer.notes.push_back(
        fmt::format("The statistic is van Elteren's: it is above 0 when '{}' has larger values.", difference.level));
  for (std::string const& note : {merged_values_note(merged), merged_times})
    if (!note.empty()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats
