#include "equipoise/data/windows.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace equipoise::data {
namespace {

using expression::Column;
using expression::Interval;
using protocol::BaselineRule;
using protocol::Nominal;

/// The number by which a bound is ordered, and -1, 0 or 1 for below it, at it, above it.
std::pair<double, int> order(Interval const& value) {
  if (value.exact()) return {value.low, 0};
  return std::isinf(value.low) ? std::pair(value.high, -1) : std::pair(value.low, std::isinf(value.high) ? 1 : 0);
}

bool is_number(protocol::Item const& item) {
  return item.kind == protocol::ItemKind::number || item.kind == protocol::ItemKind::integer;
}

/// A mean that must not overflow where the values do not.
double mean_of(std::vector<double> const& numbers) {
  const double n = double(numbers.size());
  const double sum = std::accumulate(numbers.begin(), numbers.end(), 0.0);
  if (std::isfinite(sum)) return sum / n;
  double mean = 0;
  for (const double number : numbers) mean += number / n;
  return mean;
}

void put(Column& to, std::size_t row, Column const& from, std::size_t from_row) {
  std::vector<std::int32_t> same(to.levels.size());
  std::iota(same.begin(), same.end(), 0);
  expression::copy_row(to, row, from, from_row, same);
}

class Placing {
 public:
  Placing(TrialRecords& records, protocol::Protocol const& protocol) : records_(records), protocol_(protocol) {}

  void place() {
    records_.visit_days.clear();
    std::erase_if(records_.marks, [&](auto const& marks) { return records_.readings.contains(marks.first.first); });
    records_.outside.clear();
    for (auto const& [id, readings] : records_.readings) place_item(*protocol_.item(id), readings);
  }

  void baseline(bool columns_too) {
    protocol::Visit const* visit = protocol_.visit(protocol_.baseline.visit);
    if (!visit || protocol_.baseline.rule == BaselineRule::at_visit) return;
    find_reference_day();
    for (protocol::Form const& form : protocol_.forms) {
      if (std::ranges::find(visit->forms, form.id) == visit->forms.end()) continue;
      for (protocol::Item const& item : form.items) {
        if (item.kind == protocol::ItemKind::date || item.kind == protocol::ItemKind::text) continue;
        const auto dated = records_.readings.find(item.id);
        if (dated != records_.readings.end()) baseline_of(item, *visit, dated->second);
        else if (columns_too) baseline_of(item, *visit, from_columns(item));
      }
    }
  }

 private:
  std::size_t people() const { return records_.participants.size(); }
  bool collects(protocol::Visit const& visit, protocol::Item const& item) const {
    return std::ranges::find(visit.forms, item.form) != visit.forms.end();
  }

  void place_item(protocol::Item const& item, Readings const& readings) {
    std::vector<std::uint8_t> used(readings.participant.size(), 0);
    const Nominal rule = rule_for(item, protocol_.nominal);
    for (protocol::Visit const& visit : protocol_.visits) {
      if (!collects(visit, item)) continue;
      Column into = missing_item(item, people());
      std::vector<std::uint8_t>& marks = records_.marks[{item.id, visit.id}];
      marks.assign(people(), 0);
      for (std::size_t from = 0; from < readings.participant.size();) {
        const std::size_t who = readings.participant[from];
        const double target = records_.randomisation.low[who] + visit.day.offset();
        std::vector<std::size_t> rows;
        for (; from < readings.participant.size() && readings.participant[from] == who; ++from) {
          const double day = readings.day[from];
          if (day >= target - visit.days_before && day <= target + visit.days_after) rows.push_back(from), used[from] = 1;
        }
        if (!rows.empty()) put_one(item, visit, readings, rows, target, rule, into, who, marks[who]);
      }
      records_.items[{item.id, visit.id}] = std::move(into);
    }
    std::vector<std::uint32_t>& outside = records_.outside[item.id];
    outside.assign(people(), 0);
    for (std::size_t i = 0; i < used.size(); ++i) outside[readings.participant[i]] += !used[i];
  }

  /// Of what has no mean or no bad end, the closest.
  static Nominal rule_for(protocol::Item const& item, Nominal rule) {
    if (rule == Nominal::mean && !is_number(item)) return Nominal::closest;
    if (rule == Nominal::worst && (!is_number(item) || item.worst == protocol::Worst::unstated)) return Nominal::closest;
    return rule;
  }

  void put_one(protocol::Item const& item, protocol::Visit const& visit, Readings const& readings,
               std::vector<std::size_t> const& rows, double target, Nominal rule, Column& into, std::size_t who,
               std::uint8_t& marks) {
    std::vector<DatedValue> values;
    for (const std::size_t row : rows)
      values.push_back({readings.day[row] - target, is_number(item) ? readings.value.interval(row) : Interval{}});
    if (rows.size() > 1) marks |= mark::several;
    bool many = false;
    if (rule == Nominal::mean) {
      for (const std::size_t row : rows) many = many || had_many(item, who, readings.day[row]);
      into.set(who, mean(item, readings, rows, marks));
      see(visit, who, readings.day[rows[chosen(values, Nominal::closest, item.worst)]], target);
    } else {
      const std::size_t row = rows[chosen(values, rule, item.worst)];
      many = had_many(item, who, readings.day[row]);
      put(into, who, readings.value, row);
      see(visit, who, readings.day[row], target);
    }
    if (many) marks |= mark::day_of_many;
  }

  Interval mean(protocol::Item const& item, Readings const& readings, std::vector<std::size_t> const& rows, std::uint8_t& marks) {
    std::vector<Interval> values;
    for (const std::size_t row : rows) values.push_back(readings.value.interval(row));
    bool limit = false;
    const Interval mean = averaged(values, item, protocol_.conventions, limit);
    if (limit) marks |= mark::limit_in_mean;
    return mean;
  }

  bool had_many(protocol::Item const& item, std::size_t who, double day) const {
    const auto found = records_.days_of_many.find({item.id, who});
    return found != records_.days_of_many.end() && std::ranges::binary_search(found->second, day);
  }

  /// The day of a visit is that of the value used; of several items at one visit, the one closest to the target, then the
  /// earlier.
  void see(protocol::Visit const& visit, std::size_t who, double day, double target) {
    const auto found = records_.visit_days.try_emplace(visit.id, people(), missing_number).first;
    double& known = found->second[who];
    const auto rank = [&](double at) { return std::pair(std::fabs(at - target), at); };
    if (std::isnan(known) || rank(day) < rank(known)) known = day;
  }

  void find_reference_day() {
    reference_ = records_.randomisation.low;
    if (!protocol_.baseline.until) return;
    const Column until = expression::evaluate(*protocol_.baseline.until, TrialTables(protocol_, records_));
    for (std::size_t i = 0; i < reference_.size(); ++i)
      if (!std::isnan(until.low[i])) reference_[i] = until.low[i];
  }

  /// A column a visit, dated by the visits' target days.
  Readings from_columns(protocol::Item const& item) const {
    Readings made;
    std::vector<std::pair<Column const*, double>> columns;
    for (protocol::Visit const& visit : protocol_.visits)
      if (const auto found = records_.items.find({item.id, visit.id}); found != records_.items.end())
        columns.emplace_back(&found->second, visit.day.offset());
    std::vector<std::pair<Column const*, std::size_t>> rows;
    for (std::size_t i = 0; i < people(); ++i)
      for (auto const& [column, offset] : columns)
        if (!column->missing(i)) {
          made.participant.push_back(i), made.day.push_back(records_.randomisation.low[i] + offset);
          rows.emplace_back(column, i);
        }
    made.value = missing_item(item, rows.size());
    for (std::size_t r = 0; r < rows.size(); ++r) put(made.value, r, *rows[r].first, rows[r].second);
    return made;
  }

  void baseline_of(protocol::Item const& item, protocol::Visit const& visit, Readings const& readings) {
    Column into = missing_item(item, people());
    std::vector<std::uint8_t>& marks = records_.marks[{item.id, visit.id}];
    marks.assign(people(), 0);
    for (std::size_t from = 0; from < readings.participant.size();) {
      const std::size_t who = readings.participant[from];
      std::vector<std::size_t> rows;
      for (; from < readings.participant.size() && readings.participant[from] == who; ++from)
        if (readings.day[from] <= reference_[who]) rows.push_back(from);
      if (rows.empty()) continue;
      const std::size_t last = rows.back();
      const double target = records_.randomisation.low[who] + visit.day.offset();
      if (readings.day[last] < target - visit.days_before) marks[who] |= mark::from_before;
      if (had_many(item, who, readings.day[last])) marks[who] |= mark::day_of_many;
      if (protocol_.baseline.rule == BaselineRule::mean_of_two && rows.size() > 1 && is_number(item)) {
        marks[who] |= mark::mean_of_two;
        if (had_many(item, who, readings.day[rows[rows.size() - 2]])) marks[who] |= mark::day_of_many;
        into.set(who, mean(item, readings, {rows.end() - 2, rows.end()}, marks[who]));
      } else {
        put(into, who, readings.value, last);
      }
    }
    records_.items[{item.id, visit.id}] = std::move(into);
  }

  TrialRecords& records_;
  protocol::Protocol const& protocol_;
  std::vector<double> reference_;
};

}  // namespace

bool comes_before(Interval const& a, Interval const& b) { return order(a) < order(b); }

std::size_t chosen(std::span<const DatedValue> values, protocol::Nominal rule, protocol::Worst worst) {
  expects(!values.empty(), "one of no values cannot be chosen");
  std::size_t best = 0;
  if (rule == Nominal::last) return values.size() - 1;
  for (std::size_t i = 1; i < values.size(); ++i) {
    const bool better = rule == Nominal::worst
                            ? (worst == protocol::Worst::lowest ? comes_before(values[i].value, values[best].value)
                                                                : comes_before(values[best].value, values[i].value))
                        : rule == Nominal::first ? false
                                                 : std::fabs(values[i].day) < std::fabs(values[best].day);
    if (better) best = i;
  }
  return best;
}

Interval averaged(std::span<const Interval> values, protocol::Item const& item, protocol::Conventions const& conventions,
                  bool& limit_entered) {
  const bool any_exact = std::ranges::any_of(values, [](Interval const& value) { return value.exact(); });
  std::vector<double> low, high;
  bool low_open = false, high_open = false, entered = false;
  for (Interval value : values) {
    if (any_exact && !value.exact())
      if (const auto number = counted_as(value, item, conventions)) value = Interval::exactly(*number), entered = true;
    low.push_back(value.low), high.push_back(value.high);
    low_open = low_open || value.low_open, high_open = high_open || value.high_open;
  }
  if (std::ranges::equal(low, high)) {
    limit_entered = entered;
    return Interval::exactly(mean_of(low));
  }
  const auto end = [](std::vector<double> const& ends) {
    const auto infinite = std::ranges::find_if(ends, [](double at) { return std::isinf(at); });
    return infinite == ends.end() ? mean_of(ends) : *infinite;
  };
  const Interval mean{end(low), end(high), low_open, high_open};
  if (std::isinf(mean.low) && std::isinf(mean.high)) return {};
  limit_entered = entered;
  return expression::settled(mean);
}

void place_readings(TrialRecords& records, protocol::Protocol const& protocol, bool columns_too) {
  if (records.readings.empty() && !columns_too) return;
  Placing placing(records, protocol);
  if (!records.readings.empty()) placing.place();
  placing.baseline(columns_too);
}

void cut_readings(TrialRecords& records, double last_day) {
  for (auto& [id, readings] : records.readings) {
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < readings.day.size(); ++i)
      if (readings.day[i] <= last_day) rows.push_back(i);
    Readings kept;
    for (const std::size_t row : rows)
      kept.participant.push_back(readings.participant[row]), kept.day.push_back(readings.day[row]);
    kept.value = expression::gathered(readings.value, rows);
    readings = std::move(kept);
  }
}

}  // namespace equipoise::data
