#include "equipoise/data/readings.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "equipoise/core/text.h"
#include "equipoise/data/windows.h"

namespace equipoise::data {
namespace {

using expression::Column;
using expression::Interval;
using protocol::SameDay;

bool is_number(protocol::Item const& item) {
  return item.kind == protocol::ItemKind::number || item.kind == protocol::ItemKind::integer;
}

SameDay rule_for(protocol::Protocol const& protocol, protocol::Item const& item) {
  if (!is_number(item)) return SameDay::refused;
  if (protocol.same_day != SameDay::refused) return protocol.same_day;
  if (protocol.nominal == protocol::Nominal::mean) return SameDay::mean;
  if (protocol.nominal == protocol::Nominal::worst && item.worst != protocol::Worst::unstated)
    return item.worst == protocol::Worst::lowest ? SameDay::lowest : SameDay::highest;
  return SameDay::refused;
}

/// Of columns of one item.
bool equal(Column const& a, std::size_t row, Column const& b, std::size_t other) {
  switch (a.type) {
    case expression::Type::code:
      return a.code[row] == b.code[other];
    case expression::Type::truth:
      return a.truth[row] == b.truth[other];
    case expression::Type::text:
      return a.text[row] == b.text[other];
    default:
      return a.interval(row) == b.interval(other);
  }
}
bool equal(Column const& values, std::size_t a, std::size_t b) { return equal(values, a, values, b); }

std::string in_words(Column const& values, std::size_t row) {
  switch (values.type) {
    case expression::Type::code:
      return values.levels[std::size_t(values.code[row])];
    case expression::Type::truth:
      return values.truth[row] == expression::is_true ? "yes" : "no";
    case expression::Type::text:
      return *values.text[row];
    case expression::Type::number: {
      const Interval value = values.interval(row);
      return value.exact()                      ? shortest(value.low)
             : value.high_open && value.low < 0 ? "<" + shortest(value.high)
                                                : ">" + shortest(value.low);
    }
    default:
      return "a date";
  }
}

}  // namespace

Readings one_a_day(protocol::Protocol const& protocol, protocol::Item const& item, Column const& values,
                   std::vector<Reading> read, std::string const& column, CellReader& cells, TrialRecords& records) {
  const bool number = is_number(item);
  // The order of numbers within a day makes their mean the same bits whatever the order of the rows.
  const auto before = [&](Reading const& a, Reading const& b) {
    if (std::tie(a.participant, a.day) != std::tie(b.participant, b.day))
      return std::tie(a.participant, a.day) < std::tie(b.participant, b.day);
    return number && comes_before(values.interval(a.value), values.interval(b.value));
  };
  if (!std::ranges::is_sorted(read, before)) std::ranges::stable_sort(read, before);
  const SameDay rule = rule_for(protocol, item);
  Readings made;
  made.value = missing_item(item, 0);
  std::vector<std::pair<std::size_t, Interval>> means;  // of a row made: its mean
  std::vector<std::size_t> rows;
  for (std::size_t from = 0; from < read.size();) {
    Reading const& first = read[from];
    std::size_t to = from + 1;
    std::vector<std::size_t> different{from};
    for (; to < read.size() && read[to].participant == first.participant && read[to].day == first.day; ++to)
      if (std::ranges::none_of(different, [&](std::size_t known) { return equal(values, read[known].value, read[to].value); }))
        different.push_back(to);
    if (different.size() > 1) {
      records.days_of_many[{item.id, first.participant}].push_back(first.day);
      Reading const& second = read[different[1]];
      Reading const& later = first.line < second.line ? second : first;
      Reading const& earlier = first.line < second.line ? first : second;
      if (rule == SameDay::refused)
        cells.refuse(later.line, column,
                     fmt::format("participant '{}' has the value {} of '{}' here, and {} of the same day in {} {}",
                                 records.participants[first.participant], in_words(values, later.value), item.id,
                                 in_words(values, earlier.value), cells.line_word(), earlier.line),
                     number ? "say which counts: same_day = \"mean\", \"lowest\" or \"highest\" in [schedule]" : "");
    }
    made.participant.push_back(first.participant);
    made.day.push_back(first.day);
    rows.push_back(read[rule == SameDay::highest ? to - 1 : from].value);
    if (rule == SameDay::mean && different.size() > 1) {
      std::vector<Interval> all;
      for (std::size_t i = from; i < to; ++i) all.push_back(values.interval(read[i].value));
      bool limit = false;
      means.emplace_back(rows.size() - 1, averaged(all, item, protocol.conventions, limit));
    }
    from = to;
  }
  made.value = expression::gathered(values, rows);
  for (auto const& [row, mean] : means) made.value.set(row, mean);
  return made;
}

NamedVisits::NamedVisits(protocol::Protocol const& protocol, protocol::Item const& item, Column const& values,
                         TrialRecords& records)
    : id_(item.id), values_(values), records_(records), at_(protocol.visits.size(), nullptr), same_(values.levels.size()) {
  std::iota(same_.begin(), same_.end(), 0);
  placed_.reserve(protocol.visits.size());
  for (std::size_t v = 0; v < protocol.visits.size(); ++v) {
    protocol::Visit const& visit = protocol.visits[v];
    if (std::ranges::find(visit.forms, item.form) == visit.forms.end()) continue;
    at_[v] = &placed_.emplace_back(visit.id, missing_item(item, records.participants.size())).second;
  }
}

bool NamedVisits::put(std::size_t visit, std::size_t participant, std::size_t value) {
  Column* const into = at_[visit];
  if (!into) return false;
  if (!into->missing(participant)) {
    return equal(*into, participant, values_, value);
  }
  if (expression::is_numeric(into->type) && into->exact() && values_.exact()) into->low[participant] = values_.low[value];
  else expression::copy_row(*into, participant, values_, value, same_);
  return true;
}

void NamedVisits::finish() {
  for (auto& [visit, column] : placed_) records_.items.insert_or_assign(std::pair(id_, visit), std::move(column));
}

void tell_named_visits(protocol::Protocol const& protocol, protocol::Item const& item, Column const& values,
                       std::vector<Reading> read, std::string const& column, CellReader& cells, TrialRecords const& records) {
  std::stable_sort(read.begin(), read.end(), [](Reading const& a, Reading const& b) {
    return std::tie(a.visit, a.participant) < std::tie(b.visit, b.participant);
  });
  std::vector<std::string> collecting;
  for (protocol::Visit const& visit : protocol.visits)
    if (std::ranges::find(visit.forms, item.form) != visit.forms.end()) collecting.push_back(visit.id);
  for (std::size_t i = 0; i < read.size(); ++i) {
    Reading const& one = read[i];
    std::string const& visit = protocol.visits[one.visit].id;
    if (std::ranges::find(collecting, visit) == collecting.end()) {
      cells.refuse(one.line, column, fmt::format("a value of '{}' at visit '{}', which does not collect it", item.id, visit),
                   "it is collected at " + one_of(collecting));
      continue;
    }
    if (i == 0 || read[i - 1].visit != one.visit || read[i - 1].participant != one.participant) continue;
    Reading const& before = read[i - 1];
    if (!equal(values, before.value, one.value))
      cells.refuse(one.line, column,
                   fmt::format("participant '{}' has the value {} of '{}' at visit '{}' here, and {} in {} {}",
                               records.participants[one.participant], in_words(values, one.value), item.id, visit,
                               in_words(values, before.value), cells.line_word(), before.line));
  }
}

DaysOfNamedVisits::DaysOfNamedVisits(protocol::Protocol const& protocol, TrialRecords& records)
    : protocol_(protocol), records_(records), days_(protocol.visits.size()) {}

void DaysOfNamedVisits::finish() {
  for (std::size_t v = 0; v < days_.size(); ++v)
    if (!days_[v].empty()) records_.visit_days.insert_or_assign(protocol_.visits[v].id, std::move(days_[v]));
  if (outside_ > 0)
    records_.notes.push_back(fmt::format(
        "{} {} on a day outside the window of the visit that {} {}: what was found then counts at that visit.", outside_,
        outside_ == 1 ? "row is" : "rows are", outside_ == 1 ? "it" : "they", outside_ == 1 ? "names" : "name"));
}

}  // namespace equipoise::data
