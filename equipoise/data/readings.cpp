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

bool equal(Column const& values, std::size_t a, std::size_t b) {
  switch (values.type) {
    case expression::Type::code:
      return values.code[a] == values.code[b];
    case expression::Type::truth:
      return values.truth[a] == values.truth[b];
    case expression::Type::text:
      return values.text[a] == values.text[b];
    default:
      return values.interval(a) == values.interval(b);
  }
}

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
  std::ranges::stable_sort(read, [&](Reading const& a, Reading const& b) {
    if (std::tie(a.participant, a.day) != std::tie(b.participant, b.day))
      return std::tie(a.participant, a.day) < std::tie(b.participant, b.day);
    return number && comes_before(values.interval(a.value), values.interval(b.value));
  });
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

void at_named_visits(protocol::Protocol const& protocol, protocol::Item const& item, Column const& values,
                     std::vector<Reading> read, std::string const& column, CellReader& cells, TrialRecords& records) {
  const std::size_t people = records.participants.size();
  std::stable_sort(read.begin(), read.end(), [](Reading const& a, Reading const& b) {
    return std::tie(a.visit, a.participant) < std::tie(b.visit, b.participant);
  });
  std::vector<std::string> collecting;
  for (protocol::Visit const& visit : protocol.visits)
    if (std::ranges::find(visit.forms, item.form) != visit.forms.end()) collecting.push_back(visit.id);
  for (std::string const& visit : collecting)
    records.items.insert_or_assign(std::pair(item.id, visit), missing_item(item, people));
  std::vector<std::int32_t> same(values.levels.size());
  std::iota(same.begin(), same.end(), 0);
  for (std::size_t i = 0; i < read.size(); ++i) {
    Reading const& one = read[i];
    std::string const& visit = protocol.visits[one.visit].id;
    const auto into = records.items.find({item.id, visit});
    if (into == records.items.end()) {
      cells.refuse(one.line, column, fmt::format("a value of '{}' at visit '{}', which does not collect it", item.id, visit),
                   "it is collected at " + one_of(collecting));
      continue;
    }
    if (into->second.missing(one.participant)) {
      expression::copy_row(into->second, one.participant, values, one.value, same);
      continue;
    }
    Reading const& before = read[i - 1];
    if (!equal(values, before.value, one.value))
      cells.refuse(one.line, column,
                   fmt::format("participant '{}' has the value {} of '{}' at visit '{}' here, and {} in {} {}",
                               records.participants[one.participant], in_words(values, one.value), item.id, visit,
                               in_words(values, before.value), cells.line_word(), before.line));
  }
}

void days_of_named_visits(protocol::Protocol const& protocol, std::vector<Reading> const& read, TrialRecords& records) {
  std::size_t outside = 0;
  for (Reading const& row : read) {
    if (std::isnan(row.day)) continue;
    protocol::Visit const& visit = protocol.visits[row.visit];
    const double target = records.randomisation.low[row.participant] + visit.day.offset();
    outside += visit.has_window && (row.day < target - visit.days_before || row.day > target + visit.days_after);
    double& known =
        records.visit_days.try_emplace(visit.id, records.participants.size(), missing_number).first->second[row.participant];
    const auto rank = [&](double day) { return std::pair(std::fabs(day - target), day); };
    if (std::isnan(known) || rank(row.day) < rank(known)) known = row.day;
  }
  if (outside > 0)
    records.notes.push_back(fmt::format(
        "{} {} on a day outside the window of the visit that {} {}: what was found then counts at that visit.", outside,
        outside == 1 ? "row is" : "rows are", outside == 1 ? "it" : "they", outside == 1 ? "names" : "name"));
}

}  // namespace equipoise::data
