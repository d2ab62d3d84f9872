#include "equipoise/stats/continuous/arm_statistic.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "equipoise/numerics/sum.h"
#include "equipoise/stats/linear/linear_fit.h"
#include "equipoise/stats/survival/rows.h"

namespace equipoise::stats {

Expected<StatisticOfArms> StatisticOfArms::make(Rerandomisation const& method, Frame const& frame, DifferenceCodes codes) {
  StatisticOfArms made;
  made.statistic_ = method.statistic;
  made.codes_ = codes;
  if (method.statistic == ArmStatistic::log_rank) {
    const auto rows = survival_rows(frame, method.time, method.event);
    if (!rows) return tl::unexpected(rows.error());
    made.sorted_.assign(rows->by_time.begin(), rows->by_time.end());
    for (const std::uint8_t place : rows->in_order) made.begins_.push_back((place & SurvivalRows::begins_time) != 0);
    made.event_.assign(rows->event.begin(), rows->event.end());
    if (std::string note = merged_note(*rows); !note.empty()) made.notes_.push_back(std::move(note));
    return made;
  }
  const NumbersView responses = frame.numbers(method.response);
  if (auto error = not_finite(responses, method.response)) return tl::unexpected(std::move(*error));
  made.value_.assign(responses.begin(), responses.end());
  if (method.statistic == ArmStatistic::risk_difference)
    for (const double value : made.value_)
      if (value != 0 && value != 1)
        return fail(Code::bad_cell, "column '{}' holds {}, and a risk difference needs a response of 0 or 1", method.response,
                    value);
  if (method.statistic == ArmStatistic::rank_sum) {
    const Midranks ranks = midranks(made.value_);
    made.sorted_.resize(made.value_.size());
    std::iota(made.sorted_.begin(), made.sorted_.end(), 0u);
    std::ranges::stable_sort(made.sorted_, {}, [&](std::uint32_t row) { return ranks.rank[row]; });
    for (std::size_t i = 0; i < made.sorted_.size(); ++i)
      made.begins_.push_back(i == 0 || ranks.rank[made.sorted_[i]] != ranks.rank[made.sorted_[i - 1]]);
    if (std::string note = merged_values_note(ranks.merged); !note.empty()) made.notes_.push_back(std::move(note));
    return made;
  }
  if (method.statistic == ArmStatistic::ancova) {
    made.method_ = &method;
    made.frame_ = frame;
    CategoriesView const& groups = frame.categories(method.group);
    made.group_codes_.assign(groups.codes.begin(), groups.codes.end());
    for (std::size_t i = 0; i < frame.columns.size(); ++i)
      if (frame.columns[i].name == method.group) made.group_column_ = i;
  } else {
    made.exponent_ = numerics::scale_to_one(made.value_).exponent;
  }
  const double mean = made.value_.empty() ? 0 : numerics::sum(made.value_) / double(made.value_.size());
  double largest = 0;
  for (double& value : made.value_) largest = std::max(largest, std::abs(value -= mean));
  if (method.statistic != ArmStatistic::t) made.scale_ = std::ldexp(largest, made.exponent_);
  return made;
}

double StatisticOfArms::operator()(std::span<const std::int32_t> groups) {
  switch (statistic_) {
    case ArmStatistic::mean_difference:
    case ArmStatistic::t:
    case ArmStatistic::risk_difference:
      return means(groups);
    case ArmStatistic::rank_sum:
      return ranks(groups);
    case ArmStatistic::log_rank:
      return log_rank(groups);
    case ArmStatistic::ancova:
      return coefficient(groups);
  }
  return missing_number;
}

double StatisticOfArms::means(std::span<const std::int32_t> groups) const {
  double n[2]{}, sum[2]{}, squares[2]{};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i] != codes_.level && groups[i] != codes_.minus) continue;
    const int g = groups[i] == codes_.minus;
    n[g] += 1, sum[g] += value_[i], squares[g] += value_[i] * value_[i];
  }
  if (n[0] == 0 || n[1] == 0) return missing_number;
  const double difference = sum[0] / n[0] - sum[1] / n[1];
  if (statistic_ != ArmStatistic::t) return std::ldexp(difference, exponent_);
  const double within = std::max(0.0, squares[0] - sum[0] * sum[0] / n[0]) + std::max(0.0, squares[1] - sum[1] * sum[1] / n[1]);
  const double df = n[0] + n[1] - 2;
  if (!(df > 0) || !(within > 1e-13 * (squares[0] + squares[1]))) return missing_number;
  return difference / std::sqrt(within / df * (1 / n[0] + 1 / n[1]));
}

double StatisticOfArms::ranks(std::span<const std::int32_t> groups) const {
  double n[2]{}, below = 0, pairs = 0;  // pairs: of `level` with a smaller value of `minus`, ties by half
  double tied[2]{};
  const auto close = [&] {
    pairs += tied[0] * (below + tied[1] / 2);
    below += tied[1];
    n[0] += tied[0], n[1] += tied[1];
    tied[0] = tied[1] = 0;
  };
  for (std::size_t i = 0; i < sorted_.size(); ++i) {
    if (begins_[i]) close();
    const std::int32_t group = groups[sorted_[i]];
    if (group == codes_.level) tied[0] += 1;
    else if (group == codes_.minus) tied[1] += 1;
  }
  close();
  return n[0] > 0 && n[1] > 0 ? pairs / (n[0] * n[1]) - 0.5 : missing_number;
}

double StatisticOfArms::log_rank(std::span<const std::int32_t> groups) const {
  double at_risk[2]{}, score = 0, variance = 0;
  for (const std::uint32_t row : sorted_) at_risk[0] += groups[row] == codes_.level, at_risk[1] += groups[row] == codes_.minus;
  for (std::size_t from = 0, to = 0; from < sorted_.size(); from = to) {
    double leave[2]{}, events[2]{};
    do {
      const std::uint32_t row = sorted_[to];
      for (const int g : {0, 1})
        if (groups[row] == (g == 0 ? codes_.level : codes_.minus)) leave[g] += 1, events[g] += event_[row];
    } while (++to < sorted_.size() && !begins_[to]);
    const double n = at_risk[0] + at_risk[1], d = events[0] + events[1];
    if (d > 0) {
      score += events[0] - d * at_risk[0] / n;
      if (n > 1) variance += d * (at_risk[0] / n) * (at_risk[1] / n) * (n - d) / (n - 1);
    }
    at_risk[0] -= leave[0], at_risk[1] -= leave[1];
  }
  return variance > 0 ? score / std::sqrt(variance) : missing_number;
}

double StatisticOfArms::coefficient(std::span<const std::int32_t> groups) {
  std::ranges::copy(groups, group_codes_.begin());
  std::get<CategoriesView>(frame_.columns[group_column_].cells).codes = group_codes_;
  const auto design = build_design(frame_, method_->model.formula, Intercept::first);
  if (!design) return missing_number;
  const auto fit = LinearFit::fit(*design, frame_.numbers(method_->response), method_->response);
  if (!fit) return missing_number;
  std::span<const std::string> levels = frame_.categories(method_->group).levels;
  std::vector<double> l(design->columns.size(), 0.0);
  bool people[2]{};
  for (const std::int32_t group : group_codes_) people[0] |= group == codes_.level, people[1] |= group == codes_.minus;
  if (!people[0] || !people[1]) return missing_number;
  for (std::size_t j = 0; j < design->names.size(); ++j) {  // a group without a coefficient is the reference, whose effect is 0
    if (design->names[j] == Term{{method_->group, levels[std::size_t(codes_.level)]}}) l[j] += 1;
    if (design->names[j] == Term{{method_->group, levels[std::size_t(codes_.minus)]}}) l[j] -= 1;
  }
  return fit->function(l).value;
}

}  // namespace equipoise::stats
