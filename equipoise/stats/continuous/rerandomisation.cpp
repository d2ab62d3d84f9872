#include "equipoise/stats/continuous/rerandomisation.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "equipoise/stats/continuous/arm_statistic.h"
#include "equipoise/stats/continuous/reference_set.h"

namespace equipoise::stats {
namespace {

constexpr std::pair<std::string_view, ArmStatistic> statistics[] = {{"mean_difference", ArmStatistic::mean_difference},
                                                                    {"t", ArmStatistic::t},
                                                                    {"risk_difference", ArmStatistic::risk_difference},
                                                                    {"rank_sum", ArmStatistic::rank_sum},
                                                                    {"log_rank", ArmStatistic::log_rank},
                                                                    {"ancova", ArmStatistic::ancova}};

constexpr double most_steps = 2e10;
constexpr std::size_t few_allocations = 100;

/// Whether the statistic is an effect on a scale of its own, and not only a test statistic.
bool is_estimate(ArmStatistic statistic) {
  return statistic == ArmStatistic::mean_difference || statistic == ArmStatistic::risk_difference ||
         statistic == ArmStatistic::ancova;
}

/// The participants in the order of randomisation, replayed.
class ReplayedTrial {
 public:
  ReplayedTrial(Rerandomisation const& method, Frame const& frame) : replay_(*method.replay), seed_(method.seed) {
    const NumbersView order = frame.numbers(method.order);
    rows_.resize(frame.rows);
    for (std::size_t i = 0; i < frame.rows; ++i) rows_[i] = i;
    std::ranges::stable_sort(rows_, {}, [&](std::size_t row) { return order[row]; });
    for (const std::size_t row : rows_)
      for (std::string const& factor : method.factors) levels_.push_back(frame.categories(factor).codes[row]);
    in_order_.resize(frame.rows);
  }

  /// The groups of the replicate, by row of the frame.
  Expected<void> reallocate(std::uint64_t replicate, std::span<std::int32_t> groups) {
    if (auto done = replay_.replay(seed_, replicate, levels_, in_order_); !done) return done;
    for (std::size_t i = 0; i < rows_.size(); ++i) groups[rows_[i]] = in_order_[i];
    return {};
  }

 private:
  Replay const& replay_;
  std::uint64_t seed_;
  std::vector<std::size_t> rows_;
  std::vector<std::int32_t> levels_, in_order_;
};

std::uint64_t digest_of(std::span<const std::int32_t> groups) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const std::int32_t group : groups) hash = (hash ^ std::uint64_t(group + 1)) * 0x100000001b3;
  return hash;
}

/// The columns of a frame at some rows.
struct Gathered {
  std::vector<std::vector<double>> numbers;
  std::vector<std::vector<std::int32_t>> codes;
  Frame frame;

  Gathered(Frame const& from, std::span<const std::size_t> rows) {
    frame.rows = rows.size();
    numbers.resize(from.columns.size()), codes.resize(from.columns.size());
    for (std::size_t i = 0; i < from.columns.size(); ++i) {
      ColumnView const& column = from.columns[i];
      for (const std::size_t row : rows)
        if (column.numeric()) numbers[i].push_back(column.numbers()[row]);
        else codes[i].push_back(column.categories().codes[row]);
      frame.columns.push_back(column);
      if (column.numeric()) frame.columns[i].cells = NumbersView(numbers[i]);
      else frame.columns[i].cells = CategoriesView{codes[i], column.categories().levels};
    }
  }
};

}  // namespace

MethodCard const& Rerandomisation::card() {
  static const MethodCard card{
      .keyword = "rerandomisation",
      .title = "Re-randomisation test",
      .roles = {{"response", Need::number, Presence::optional, "the analysed value"},
                {"time", Need::number, Presence::optional, "time to event or censoring (log_rank)"},
                {"event", Need::number, Presence::optional, "1 event, 0 censored (log_rank)"},
                {"group", Need::category, Presence::required, "the arms, as randomised"},
                {"order", Need::number, Presence::required, "place in the order of randomisation"},
                {"factors", Need::category, Presence::optional, "the factors of the randomisation, in its order"}},
      .options = {{"difference", "{ level, minus }", "the two groups compared"},
                  {"statistic", "mean_difference | t | risk_difference | rank_sum | log_rank | ancova",
                   "what is compared (mean_difference; log_rank of times; ancova with a formula)"},
                  {"formula", "terms of the model: a + b, a:b, a * b", "of ancova: the group, and covariates"},
                  {"levels", "{ column = [level, ...] }", "of ancova: categorical columns and their levels"},
                  tail_card(),
                  {"replicates", "whole number from 100 to 10000000", "how often the trial is randomised again (10000)"},
                  {"seed", "whole number from 0", "of the replays (1)"}},
      .quantities = {"estimate", "statistic", "p", "n_reallocations", "monte_carlo_se"},
      .comparison = Comparison::pairwise};
  return card;
}

std::optional<Rerandomisation> Rerandomisation::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  Rerandomisation method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.time = role(roles, "time");
  method.event = role(roles, "event");
  method.group = role(roles, "group");
  method.order = role(roles, "order");
  method.factors = role_columns(roles, "factors");
  method.difference = parse_difference(options, true).value_or(Difference{});
  const bool times = method.response.empty() && (!method.time.empty() || !method.event.empty());
  const ArmStatistic usual = times                    ? ArmStatistic::log_rank
                             : options.has("formula") ? ArmStatistic::ancova
                                                      : ArmStatistic::mean_difference;
  method.statistic = options.word<ArmStatistic>("statistic", statistics).value_or(usual);
  method.tail = parse_tail(options);
  method.replicates = std::uint64_t(options.integer("replicates", Limits{.min = 100, .max = 1e7}).value_or(10000));
  method.seed = std::uint64_t(options.integer("seed", Limits{.min = 0, .max = 9007199254740992.0}).value_or(1));

  const bool survival = method.statistic == ArmStatistic::log_rank;
  const auto want = [&](std::string const& column, std::string_view name, bool wanted) {
    if (wanted && column.empty())
      add_problem(options.problems(), options.place(), Code::missing_key, "this rerandomisation needs a column for the role '{}'",
                  name);
    if (!wanted && !column.empty())
      add_problem(options.problems(), options.place(), Code::inconsistent, "this rerandomisation does not use the role '{}'",
                  name);
  };
  want(method.response, "response", !survival), want(method.time, "time", survival), want(method.event, "event", survival);
  for (std::string const& column : {method.response, method.time, method.event})
    add_need(method.needs_, {.name = column, .need = Need::number, .drop_missing = false}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  add_need(method.needs_, {method.order, Need::number}, options);
  for (std::string const& column : method.factors) add_need(method.needs_, {column, Need::category}, options);
  if (method.statistic == ArmStatistic::ancova) {
    method.model = parse_model_terms(options);
    bool alone = false, together = false;
    for (std::vector<std::string> const& term : method.model.formula.terms) {
      const bool has = std::ranges::find(term, method.group) != term.end();
      alone |= has && term.size() == 1, together |= has && term.size() > 1;
    }
    if (options.has("formula") && !method.model.formula.terms.empty() && (!alone || together))
      options.report_at("formula", Code::inconsistent,
                        "the formula must have '{}' as a term, and in no product: its coefficient is the statistic",
                        method.group);
    std::vector<ColumnNeed> covariates;
    method.model.add_needs(covariates, options);
    for (ColumnNeed& need : covariates) {
      if (need.name == method.group) {  // in the order of the replay's arms, whatever the order of the model
        continue;
      }
      need.drop_missing = false;
      add_need(method.needs_, std::move(need), options);
    }
  } else {
    options.allow("levels");
    if (options.has("formula")) options.report_at("formula", Code::inconsistent, "'formula' belongs to statistic = \"ancova\"");
    options.allow("formula");
  }
  return options.problems().size() == problems_before ? std::optional(std::move(method)) : std::nullopt;
}

Expected<Answer> Rerandomisation::run(Frame const& frame) const {
  if (!replay)
    return tl::unexpected(Error{Code::not_available,
                                "a re-randomisation test replays the randomisation of a protocol, and here there is none",
                                {},
                                "permutation_test permutes groups within strata and needs no protocol"});
  CategoriesView const& groups = frame.categories(group);
  const auto codes = find_levels(difference, groups, group);
  if (!codes) return tl::unexpected(codes.error());
  if (double(replicates) * double(frame.rows) > most_steps)
    return fail(Code::out_of_range, "{} replays of {} participants are too many", replicates, frame.rows);

  // Everybody is replayed; the statistic is of those whose outcome is known.
  std::vector<std::size_t> known;
  for (std::size_t row = 0; row < frame.rows; ++row) {
    const bool missing = std::ranges::any_of(needs_, [&](ColumnNeed const& need) {
      if (need.drop_missing) return false;
      if (need.need == Need::number) return std::isnan(frame.numbers(need.name)[row]);
      return frame.categories(need.name).codes[row] == missing_level;
    });
    if (!missing) known.push_back(row);
  }
  const Gathered complete(frame, known);
  auto made = StatisticOfArms::make(*this, complete.frame, *codes);
  if (!made) return tl::unexpected(made.error());
  StatisticOfArms statistic_of = std::move(*made);

  std::vector<std::int32_t> all(frame.rows), of_known(known.size());
  const auto compute = [&](std::span<const std::int32_t> of) {
    for (std::size_t i = 0; i < known.size(); ++i) of_known[i] = of[known[i]];
    return statistic_of(of_known);
  };
  const double observed = compute(groups.codes);
  std::int64_t compared = 0;
  for (const std::size_t row : known) compared += groups.codes[row] == codes->level || groups.codes[row] == codes->minus;

  Answer answer;
  Finding finding{
      .quantity = is_estimate(statistic) ? "estimate" : "statistic", .value = observed, .p = missing_number, .n = compared};
  double se = missing_number;
  if (std::isnan(observed)) {
    answer.notes.push_back(fmt::format("The outcomes of '{}' and '{}' do not determine the statistic: the test is not estimable.",
                                       difference.level, difference.minus));
  } else {
    ReplayedTrial trial(*this, frame);
    const double slack = statistic_of.slack(observed);
    std::uint64_t above = 0, below = 0, undefined = 0, as_observed = 0;
    std::unordered_set<std::uint64_t> different;
    const std::uint64_t own = digest_of(groups.codes);
    for (std::uint64_t replicate = 0; replicate < replicates; ++replicate) {
      if (auto done = trial.reallocate(replicate, all); !done) return tl::unexpected(std::move(done.error()));
      const std::uint64_t digest = digest_of(all);
      different.insert(digest), as_observed += digest == own;
      double value = compute(all);
      if (std::isnan(value)) ++undefined, value = 0;
      above += value >= observed - slack, below += value <= observed + slack;
    }
    const double draws = double(replicates), one_tail = (double(tail == Tail::greater ? above
                                                                : tail == Tail::less  ? below
                                                                                      : std::min(above, below)) +
                                                         1) /
                                                        (draws + 1);
    const double sides = tail == Tail::two_sided ? 2 : 1;
    finding.p = std::min(1.0, sides * one_tail);
    se = finding.p == 1.0 ? 0 : sides * std::sqrt(one_tail * (1 - one_tail) / draws);
    answer.notes.push_back(fmt::format(
        "{} P value {}(k + 1)/({} + 1), k replays at least as extreme, from {} replays of the randomisation ({}), seed {}.",
        tail == Tail::two_sided ? "Two-sided" : "One-sided", tail == Tail::two_sided ? "2 " : "", replicates, replicates,
        replay->sentence(), seed));
    if (different.size() == 1)
      answer.notes.push_back(
          as_observed > 0
              ? "The method left nothing to chance: every replay gives the allocation of the trial, and the test can say nothing."
              : "The method left nothing to chance, and every replay gives another allocation than the trial's: it was not "
                "randomised so, and the test can say nothing.");
    else if (different.size() < few_allocations)
      answer.notes.push_back(fmt::format("The replays came to only {} different allocations{}: P cannot be small.",
                                         different.size(), as_observed > 0 ? "" : ", none of them the trial's own"));
    if (undefined > 0)
      answer.notes.push_back(fmt::format("{} replay{} not determine the statistic, which counts as 0 there.", undefined,
                                         undefined == 1 ? " does" : "s do"));
  }
  if (known.size() < frame.rows)
    answer.notes.push_back(fmt::format(
        "{} of {} randomised participants have no outcome in this analysis: they are replayed, and are not in the statistic.",
        frame.rows - known.size(), frame.rows));
  answer.findings.push_back(finding);
  answer.findings.push_back({.quantity = "n_reallocations", .value = std::isnan(observed) ? missing_number : double(replicates)});
  answer.findings.push_back({.quantity = "monte_carlo_se", .value = se});
  if (statistic == ArmStatistic::rank_sum)
    answer.notes.push_back(fmt::format("The statistic is P(X > Y) + P(X = Y)/2 - 1/2, X a value of '{}' and Y of '{}'.",
                                       difference.level, difference.minus));
  if (statistic == ArmStatistic::log_rank)
    answer.notes.push_back(
        fmt::format("The statistic is (observed - expected)/root of variance of the events of '{}'.", difference.level));
  for (std::string const& note : statistic_of.notes()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats
