#include "equipoise/data/readings.h"

#include <algorithm>
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
                     fmt::format("participant '{}' has the value {} of '{}' here, and {} of the same day in line {}",
                                 records.participants[first.participant], in_words(values, later.value), item.id,
                                 in_words(values, earlier.value), earlier.line),
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

}  // namespace equipoise::data
