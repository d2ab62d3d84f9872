#include "equipoise/stats/interval/turnbull.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/sum.h"
#include "equipoise/stats/parts.h"
#include "equipoise/stats/survival/rows.h"

namespace equipoise::stats {
namespace {

/// What is known of one group.
struct GroupCounts {
  std::int64_t n = 0, exact = 0, right_censored = 0;
};

GroupCounts count(IntervalRows const& data, std::span<const std::uint32_t> rows) {
  GroupCounts counts{.n = std::int64_t(rows.size())};
  for (const std::uint32_t row : rows) {
    counts.exact += data.exact(row);
    counts.right_censored += std::isinf(data.right[row]);
  }
  return counts;
}

/// For a figure: each innermost interval with mass, and the survival before and after it.
Series curve_series(InnermostIntervals const& innermost, MassFit const& fit, At at) {
  std::vector<double> from, to, probability, before, after;
  const std::vector<double> survival = fit.survival();
  for (std::size_t j = 0; j < innermost.size(); ++j) {
    if (!(fit.mass[j] > 0)) continue;
    from.push_back(innermost.cells[j].from);
    to.push_back(innermost.cells[j].to);
    probability.push_back(fit.mass[j]);
    before.push_back(survival[j]);
    after.push_back(survival[j + 1]);
  }
  return {"probability",
          std::move(at),
          {{"from", from}, {"to", to}, {"probability", probability}, {"survival_before", before}, {"survival_after", after}}};
}

}  // namespace

double survival_beyond(std::vector<TimeInterval> const& cells, std::vector<double> const& mass, double t) {
  const auto same = [](double a, double b) {
    return a == b || std::abs(a - b) <= same_time * std::max(std::abs(a), std::abs(b));
  };
  numerics::Sum beyond;
  for (std::size_t j = cells.size(); j-- > 0;) {
    auto const& [from, to] = cells[j];
    if (to < t || (std::isfinite(to) && same(to, t))) break;
    if (from < t && !same(from, t)) {
      if (mass[j] > 0) return missing_number;
      break;
    }
    beyond.add(mass[j]);
  }
  return std::clamp(beyond.value(), 0.0, 1.0);
}

std::string certificate(MassFit const& fit) {
  if (fit.converged) return "The masses are the maximum of the likelihood: its Kuhn-Tucker conditions hold within 1e-10.";
  return fmt::format("The maximum of the likelihood was not reached in {} iterations (the Kuhn-Tucker conditions are off by {}).",
                     fit.iterations, shortest(fit.excess));
}

MethodCard const& Turnbull::card() {
  static const MethodCard card{
      .keyword = "turnbull",
      .title = "Turnbull estimate",
      .roles = {{"left", Need::number, Presence::required, "left end: the last time known to be before the event"},
                {"right", Need::number, Presence::required,
                 "right end: the first time known not to be before it; empty = infinity"},
                {"group", Need::category, Presence::optional, "one curve for each level"}},
      .options = {{"times", "list of numbers from 0", "times at which the curve is read"}},
      .quantities = {"probability", "survival", "log_likelihood", "n", "n_exact", "n_right_censored"},
      .comparison = Comparison::all_arms};
  return card;
}

std::optional<Turnbull> Turnbull::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  Turnbull method;
  check_roles(card(), roles, options);
  method.left = role(roles, "left");
  method.right = role(roles, "right");
  method.group = role(roles, "group");
  method.times = options.numbers("times", Limits{.min = 0, .max = 1e300}).value_or(std::vector<double>{});
  add_need(method.needs_, {method.left, Need::number}, options);
  add_need(method.needs_, {.name = method.right, .need = Need::number, .drop_missing = method.right == method.left}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> Turnbull::needs() const { return needs_; }

Expected<Answer> Turnbull::run(Frame const& frame) const {
  const auto data = interval_rows(frame, left, right);
  if (!data) return tl::unexpected(data.error());
  const std::vector<std::int32_t> together(group.empty() ? frame.rows : 0, 0);
  const std::size_t groups = group.empty() ? 1 : frame.categories(group).levels.size();
  const std::vector<std::uint32_t> order = all_rows(frame.rows);
  const Partition parts = partition(order, group.empty() ? std::span(together) : frame.categories(group).codes, groups);

  Answer answer;
  std::vector<std::string> empty_groups;
  bool reached = true, inside = false;
  for (std::size_t g = 0; g < groups; ++g) {
    At at;
    if (!group.empty()) at["group"] = frame.categories(group).levels[g];
    const std::span<const std::uint32_t> rows = parts.of(g);
    const GroupCounts counts = count(*data, rows);
    const InnermostIntervals innermost = innermost_intervals(*data, rows);
    const MassFit fit = fit_mass(cover_patterns(innermost), innermost.size());
    const bool usable = counts.n > 0 && fit.converged;
    if (counts.n == 0) empty_groups.push_back(group.empty() ? "" : frame.categories(group).levels[g]);
    else if (!fit.converged) reached = false, answer.notes.push_back(certificate(fit));

    for (const double t : times) {
      At place = at;
      place["time"] = t;
      const double survival = usable ? survival_beyond(innermost.cells, fit.mass, t) : missing_number;
      inside = inside || (usable && std::isnan(survival));
      answer.findings.push_back({.quantity = "survival", .at = std::move(place), .value = survival, .n = counts.n});
    }
    for (std::size_t j = 0; j < innermost.size(); ++j) {
      At place = at;
      place["interval"] = innermost.cells[j];
      answer.findings.push_back(
          {.quantity = "probability", .at = std::move(place), .value = usable ? fit.mass[j] : missing_number, .n = counts.n});
    }
    answer.findings.push_back(
        {.quantity = "log_likelihood", .at = at, .value = usable ? fit.log_likelihood : missing_number, .n = counts.n});
    for (auto const& [quantity, number] :
         {std::pair("n", counts.n), std::pair("n_exact", counts.exact), std::pair("n_right_censored", counts.right_censored)})
      answer.findings.push_back({.quantity = quantity, .at = at, .value = double(number), .n = counts.n});
    if (usable) answer.series.push_back(curve_series(innermost, fit, at));
  }

  if (reached && empty_groups.size() < groups)
    answer.notes.emplace_back("The masses are the maximum of the likelihood: its Kuhn-Tucker conditions hold within 1e-10.");
  answer.notes.emplace_back(
      "The masses of the innermost intervals are unique; where within such an interval its mass lies, the data do not say.");
  if (inside) answer.notes.emplace_back("Strictly inside an innermost interval that holds mass the curve is not estimable (NE).");
  if (!empty_groups.empty())
    answer.notes.push_back(group.empty()
                               ? std::string("There are no rows: nothing is estimable.")
                               : fmt::format("Nobody in {} of '{}': nothing is estimable there.", quoted(empty_groups), group));
  if (const std::string note = merged_note(*data); !note.empty()) answer.notes.push_back(note);
  return answer;
}

}  // namespace equipoise::stats
