#include "equipoise/report/visits.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace equipoise::report {
namespace {

using results::AnalysisRun;
using results::Record;

constexpr std::string_view arm_column = "arm", visit_column = "visit";

void keep(std::vector<std::string>& list, std::string const& one) {
  if (std::ranges::find(list, one) == list.end()) list.push_back(one);
}

/// Level of a factor in a list of levels; null when it is not in it.
std::string const* level_of(Term const& levels, std::string_view name) {
  for (Factor const& factor : levels)
    if (factor.column == name && factor.level) return &*factor.level;
  return nullptr;
}

Term const* term_at(At const& at, std::string_view key) {
  const auto found = at.find(key);
  return found == at.end() ? nullptr : std::get_if<Term>(&found->second);
}

/// Quantities of means and differences on each scale, the response's own first.
struct Scales {
  ArmsOverVisits::Kind kind;
  std::string_view mean, difference;
};
constexpr std::array<Scales, 4> every_scale = {{{ArmsOverVisits::Kind::geometric_mean, "geometric_mean", "geometric_mean_ratio"},
                                                {ArmsOverVisits::Kind::share, "share", "odds_ratio"},
                                                {ArmsOverVisits::Kind::count, "mean", "rate_ratio"},
                                                {ArmsOverVisits::Kind::mean, "estimate", "estimate"}}};

std::optional<ArmsOverVisits::Cell> mean_cell(Record const& record) {
  const Term* levels = term_at(record.finding.at, "lsmean");
  const std::string* arm = levels ? level_of(*levels, arm_column) : nullptr;
  if (!arm) return {};
  const std::string* visit = level_of(*levels, visit_column);
  if (levels->size() != (visit ? 2u : 1u)) return {};  // of a subgroup
  return ArmsOverVisits::Cell{*arm, visit ? *visit : std::string(), &record};
}

std::optional<std::pair<ArmsOverVisits::Cell, std::string>> difference_cell(Record const& record) {
  At const& at = record.finding.at;
  const auto found = at.find("difference");
  const auto* levels = found == at.end() ? nullptr : std::get_if<LevelDifference>(&found->second);
  if (!levels || levels->column != arm_column) return {};
  const Term* within = term_at(at, "within");
  const std::string* visit = within ? level_of(*within, visit_column) : nullptr;
  if (within && (!visit || within->size() != 1)) return {};
  return std::pair(ArmsOverVisits::Cell{levels->level, visit ? *visit : std::string(), &record}, levels->minus);
}

Record const* find(std::vector<ArmsOverVisits::Cell> const& cells, std::string_view arm, std::string_view visit) {
  for (auto const& cell : cells)
    if (cell.arm == arm && cell.visit == visit) return cell.record;
  return nullptr;
}

/// Whole numbers from `least` to `most` in a column of a series; the place is left at the first other one.
bool whole(std::vector<double> const& values, double least, double most) {
  return std::ranges::all_of(values, [&](double v) { return v >= least && v <= most && v == std::floor(v); });
}

std::string group_of(Series const& series) {
  const auto found = series.at.find("group");
  const auto* group = found == series.at.end() ? nullptr : std::get_if<std::string>(&found->second);
  return group ? *group : std::string();
}

template <class T>
void sort_by_arm(Context const& context, std::vector<T>& parts) {
  std::vector<std::string> order;
  for (T const& part : parts) order.push_back(part.arm);
  order = in_arm_order(context.plan, order);
  std::ranges::stable_sort(
      parts, [&](T const& a, T const& b) { return std::ranges::find(order, a.arm) < std::ranges::find(order, b.arm); });
}

}  // namespace

Record const* ArmsOverVisits::mean(std::string_view arm, std::string_view visit) const { return find(means, arm, visit); }
Record const* ArmsOverVisits::difference(std::string_view arm, std::string_view visit) const {
  return find(differences, arm, visit);
}
Record const* ArmsOverVisits::mean_over_visits(std::string_view arm) const { return find(means, arm, {}); }
Record const* ArmsOverVisits::difference_over_visits(std::string_view arm) const { return find(differences, arm, {}); }

std::vector<std::string> ArmsOverVisits::compared() const {
  std::vector<std::string> found;
  for (auto const& arm : arms)
    if (std::ranges::any_of(differences, [&](Cell const& cell) { return cell.arm == arm; })) found.push_back(arm);
  return found;
}

std::optional<ArmsOverVisits> arms_over_visits(Context const& context, AnalysisRun const& run) {
  ArmsOverVisits all;
  const std::vector<Record const*> records = context.records(run.id);
  const Scales scales = *std::ranges::find_if(every_scale, [&](Scales const& one) {
    return one.kind == ArmsOverVisits::Kind::mean || std::ranges::any_of(records, [&](Record const* record) {
             return record->finding.quantity == one.mean && mean_cell(*record);
           });
  });
  all.kind = scales.kind, all.imputed = run.method.ends_with("imputation");
  const std::string_view mean = scales.mean, difference = scales.difference;
  std::vector<std::string> seen;
  for (const auto* record : records) {
    if (record->finding.quantity != mean) continue;
    const auto cell = mean_cell(*record);
    if (!cell) continue;
    keep(all.arms, cell->arm);
    if (!cell->visit.empty()) keep(seen, cell->visit);
    all.means.push_back(*cell);
  }
  if (seen.empty()) return {};
  all.arms = in_arm_order(context.plan, all.arms);

  // The protocol's control, or the only arm that others are compared with.
  std::vector<std::string> against;
  for (const auto* record : records)
    if (record->finding.quantity == difference)
      if (const auto cell = difference_cell(*record)) keep(against, cell->second);
  if (run.estimand)
    if (const auto* estimand = context.plan.estimand(*run.estimand)) all.control = estimand->against;
  if (all.control.empty() && context.plan.control()) all.control = context.plan.control()->id;
  if (std::ranges::find(against, all.control) == against.end()) all.control = against.empty() ? std::string() : against.front();
  for (const auto* record : records)
    if (record->finding.quantity == difference)
      if (const auto cell = difference_cell(*record); cell && cell->second == all.control) {
        all.differences.push_back(cell->first);
        if (!cell->first.visit.empty()) keep(seen, cell->first.visit);
      }

  all.visits = in_visit_order(context, run, std::move(seen));
  // A visit before those of the endpoint, at which everybody counts in the control.
  if (const std::vector<std::string> own = visits_of(context, run);
      all.visits.size() > 1 && std::ranges::find(own, all.visits.front()) == own.end())
    all.constrained = std::ranges::all_of(all.arms, [&](std::string const& arm) {
      const Record* own_mean = all.mean(arm, all.visits.front());
      return arm == all.control || !own_mean || std::isnan(own_mean->finding.value);
    });
  if (const auto* endpoint = context.plan.endpoint(run.endpoint))
    if (std::ranges::find(all.visits, endpoint->at) != all.visits.end()) all.primary = endpoint->at;
  return all;
}

std::vector<std::string> in_visit_order(Context const& context, AnalysisRun const& run, std::vector<std::string> visits) {
  if (std::ranges::all_of(visits, [&](std::string const& id) { return context.plan.visit(id) != nullptr; })) {
    std::ranges::stable_sort(visits, {}, [&](std::string const& id) { return context.plan.visit(id)->day.offset(); });
    return visits;
  }
  std::vector<std::string> ordered;
  for (auto const& visit : visits_of(context, run))
    if (std::ranges::find(visits, visit) != visits.end()) ordered.push_back(visit);
  for (auto const& visit : visits) keep(ordered, visit);
  return ordered;
}

std::string mean_in_words(Context const& context, ArmsOverVisits const& numbers) {
  constexpr std::array<Word, 4> names = {Word::visit_mean, Word::visit_geometric_mean, Word::visit_share, Word::visit_count};
  return context.words(names[std::size_t(numbers.kind)]);
}

std::string means_in_words(Context const& context, ArmsOverVisits const& numbers) {
  constexpr std::array<Word, 4> names = {Word::visit_means_word, Word::visit_geometric_word, Word::visit_shares_word,
                                         Word::visit_counts_word};
  return context.words(names[std::size_t(numbers.kind)]);
}

std::string comparison_in_words(Context const& context, ArmsOverVisits const& numbers) {
  constexpr std::array<Word, 4> names = {Word::visit_difference_from, Word::visit_ratio_to, Word::visit_odds_ratio_to,
                                         Word::visit_rate_ratio_to};
  return context.words(names[std::size_t(numbers.kind)], context.arm(numbers.control));
}

std::string comparisons_in_words(Context const& context, ArmsOverVisits const& numbers) {
  constexpr std::array<Word, 4> names = {Word::visit_differences_word, Word::visit_ratios_word, Word::visit_odds_ratios_word,
                                         Word::visit_rate_ratios_word};
  return context.words(names[std::size_t(numbers.kind)], context.arm(numbers.control));
}

std::vector<std::string> visits_of(Context const& context, AnalysisRun const& run) {
  if (const auto* endpoint = context.plan.endpoint(run.endpoint); endpoint && !endpoint->visits.empty()) return endpoint->visits;
  else if (endpoint && !endpoint->at.empty()) return {endpoint->at};
  std::vector<std::string> seen;
  for (const auto* record : context.records(run.id))
    if (const auto cell = mean_cell(*record); cell && !cell->visit.empty()) keep(seen, cell->visit);
  return seen;
}

std::vector<double> const* column(Series const& series, std::string_view name) {
  for (auto const& [key, values] : series.columns)
    if (key == name) return &values;
  return nullptr;
}

std::vector<Series const*> series_of(Context const& context, std::string_view analysis, std::string_view quantity) {
  std::vector<Series const*> found;
  for (auto const& curve : context.answer.curves)
    if (curve.analysis == analysis && curve.series.quantity == quantity) found.push_back(&curve.series);
  return found;
}

bool first_with(Context const& context, AnalysisRun const& run, std::string_view quantity) {
  for (auto const& other : context.answer.runs) {
    if (other.id == run.id) return !series_of(context, run.id, quantity).empty();
    if (other.endpoint == run.endpoint && other.set == run.set && !other.problem &&
        !series_of(context, other.id, quantity).empty())
      return false;
  }
  return false;
}

std::vector<Trajectories> trajectories_of(Context const& context, AnalysisRun const& run) {
  std::vector<Trajectories> arms;
  const std::size_t visits = visits_of(context, run).size();
  for (const Series* series : series_of(context, run.id, "trajectory")) {
    const auto *who = column(*series, "participant"), *visit = column(*series, "visit"), *value = column(*series, "value");
    if (!who || !visit || !value || who->size() != visit->size() || who->size() != value->size()) continue;
    if (!whole(*visit, first_visit_index, double(visits) - 1 + first_visit_index)) continue;
    Trajectories one{.arm = group_of(*series), .lines = {}, .mean = std::vector<double>(visits, missing_number)};
    std::map<double, std::map<int, double>> values;  // by participant and visit
    for (std::size_t i = 0; i < who->size(); ++i)
      if (std::isfinite((*value)[i])) values[(*who)[i]][int((*visit)[i]) - first_visit_index] = (*value)[i];
    std::vector<double> sum(visits, 0), n(visits, 0);
    for (auto const& [participant, by_visit] : values) {
      Trajectories::Line line;
      for (auto const& [place, number] : by_visit) {
        line.visit.push_back(place), line.value.push_back(number);
        sum[std::size_t(place)] += number, n[std::size_t(place)] += 1;
      }
      one.lines.push_back(std::move(line));
    }
    for (std::size_t v = 0; v < visits; ++v)
      if (n[v] > 0) one.mean[v] = sum[v] / n[v];
    if (!one.lines.empty()) arms.push_back(std::move(one));
  }
  sort_by_arm(context, arms);
  return arms;
}

MissingPatterns::Kind MissingPatterns::Pattern::kind() const {
  if (std::ranges::find(observed, true) == observed.end()) return Kind::nothing;
  if (std::ranges::find(observed, false) == observed.end()) return Kind::complete;
  for (std::size_t v = 0; v < last(); ++v)
    if (!observed[v]) return Kind::gaps;
  return Kind::stopped;
}

std::size_t MissingPatterns::Pattern::last() const {
  std::size_t v = observed.size();
  while (v > 0 && !observed[v - 1]) --v;
  return v > 0 ? v - 1 : 0;
}

std::int64_t MissingPatterns::Pattern::participants() const {
  std::int64_t n = 0;
  for (const std::int64_t one : of_arm) n += one;
  return n;
}

std::int64_t MissingPatterns::participants(std::size_t arm) const {
  std::int64_t n = 0;
  for (Pattern const& pattern : patterns) n += pattern.of_arm[arm];
  return n;
}

std::int64_t MissingPatterns::observed(std::size_t arm, std::size_t visit) const {
  std::int64_t n = 0;
  for (Pattern const& pattern : patterns)
    if (pattern.observed[visit]) n += pattern.of_arm[arm];
  return n;
}

MissingPatterns missing_patterns_of(Context const& context, AnalysisRun const& run) {
  MissingPatterns all;
  all.visits = visits_of(context, run);
  const std::size_t visits = all.visits.size();
  struct OfArm {
    std::string arm;
    std::map<std::vector<bool>, std::int64_t> counts;
  };
  std::vector<OfArm> arms;
  for (const Series* series : series_of(context, run.id, "missing_pattern")) {
    const auto *pattern = column(*series, "pattern"), *visit = column(*series, "visit"), *observed = column(*series, "observed"),
               *participants = column(*series, "participants");
    if (!pattern || !visit || !observed || !participants) continue;
    const std::size_t n = pattern->size();
    if (visit->size() != n || observed->size() != n || participants->size() != n) continue;
    if (!whole(*visit, first_visit_index, double(visits) - 1 + first_visit_index) || !whole(*observed, 0, 1) ||
        !whole(*participants, 0, 1e9))
      continue;
    // One row for each pattern and visit, the same number of participants in all rows of a pattern.
    std::map<double, std::vector<int>> seen;
    std::map<double, double> count;
    bool usable = true;
    for (std::size_t i = 0; i < n && usable; ++i) {
      auto& row = seen.try_emplace((*pattern)[i], visits, -1).first->second;
      int& cell = row[std::size_t((*visit)[i]) - first_visit_index];
      usable = cell < 0 && count.try_emplace((*pattern)[i], (*participants)[i]).first->second == (*participants)[i];
      cell = int((*observed)[i]);
    }
    for (auto const& [id, row] : seen) usable = usable && std::ranges::find(row, -1) == row.end();
    if (!usable) continue;
    OfArm one{group_of(*series), {}};
    for (auto const& [id, row] : seen) one.counts[std::vector<bool>(row.begin(), row.end())] += std::int64_t(count[id]);
    arms.push_back(std::move(one));
  }
  sort_by_arm(context, arms);
  for (OfArm const& one : arms) all.arms.push_back(one.arm);
  for (std::size_t a = 0; a < arms.size(); ++a)
    for (auto const& [observed, participants] : arms[a].counts) {
      if (participants == 0) continue;
      auto found = std::ranges::find(all.patterns, observed, &MissingPatterns::Pattern::observed);
      if (found == all.patterns.end()) found = all.patterns.insert(found, {observed, std::vector<std::int64_t>(arms.size(), 0)});
      found->of_arm[a] = participants;
    }
  std::ranges::stable_sort(all.patterns, [](MissingPatterns::Pattern const& a, MissingPatterns::Pattern const& b) {
    using Kind = MissingPatterns::Kind;
    constexpr auto rank = [](Kind kind) {
      return kind == Kind::gaps ? 2 : kind == Kind::stopped ? 1 : kind == Kind::nothing ? 3 : 0;
    };
    const Kind ka = a.kind(), kb = b.kind();
    if (ka != kb) return rank(ka) < rank(kb);
    if (ka == Kind::stopped) return a.last() > b.last();
    if (a.participants() != b.participants()) return a.participants() > b.participants();
    return a.observed > b.observed;
  });
  return all;
}

}  // namespace equipoise::report
