#include "equipoise/data/trial_data.h"

#include <algorithm>
#include <cmath>

#include "equipoise/data/windows.h"
#include "equipoise/protocol/names.h"

namespace equipoise::data {
namespace {

using expression::Column;
using expression::Entries;
using expression::Type;

void blank(Column& column, std::size_t row) {
  switch (column.type) {
    case Type::code:
      column.code[row] = missing_level;
      break;
    case Type::truth:
      column.truth[row] = 2;
      break;
    case Type::text:
      column.text[row].reset();
      break;
    default:
      column.low[row] = missing_number;
      if (!column.exact()) column.high[row] = missing_number;
  }
}

/// Entries dated on or before the day; a partial date counts by its earliest day. One without a date may have come later, so it
/// goes too.
Entries until(Entries const& all, double day, std::size_t& undated) {
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < all.participant.size(); ++i) {
    if (all.date.low[i] <= day) rows.push_back(i);
    undated += all.date.missing(i);
  }
  Entries kept;
  for (const std::size_t row : rows) kept.participant.push_back(all.participant[row]);
  kept.date = expression::gathered(all.date, rows);
  for (auto const& [id, column] : all.items) kept.items.emplace(id, expression::gathered(column, rows));
  return kept;
}

}  // namespace

std::optional<double> counted_as(expression::Interval const& value, protocol::Item const& item,
                                 protocol::Conventions const& conventions) {
  if (value.missing() || value.exact()) return {};
  const bool below = std::isinf(value.low), above = std::isinf(value.high);
  if (below == above) return {};
  const double limit = below ? value.high : value.low;
  switch (below ? item.below_limit.value_or(conventions.below_limit) : item.above_limit.value_or(conventions.above_limit)) {
    case protocol::LimitRule::left_out:
      return {};
    case protocol::LimitRule::half:
      return limit / 2;
    case protocol::LimitRule::limit:
      return limit;
    case protocol::LimitRule::over_root_2:
      return limit / std::sqrt(2.0);
  }
  return {};
}

Column missing_item(protocol::Item const& item, std::size_t rows) {
  Column column = Column::of_missing(protocol::type_of(item.kind), rows);
  for (protocol::CodeValue const& code : item.codes) column.levels.push_back(code.id);
  return column;
}

Expected<TrialRecords> as_of(TrialRecords records, Date cutoff, protocol::Protocol const& protocol) {
  if (!records.calendar)
    return fail(Code::inconsistent,
                "a data cut-off needs calendar dates, and the data have none: [source] names no column 'randomised'");
  const double last = day_number(cutoff);
  records.cutoff = last;
  for (std::size_t i = 0; i < records.participants.size(); ++i) {
    if (!(records.randomisation.low[i] <= last)) {
      records.arm.code[i] = missing_level;
      records.randomisation.low[i] = missing_number;
      if (!records.arm_received.code.empty()) records.arm_received.code[i] = missing_level;
    }
    records.follow_up_end[i] = std::min(records.follow_up_end[i], last);
  }
  records.items_before_cutoff = records.items;
  for (auto& [key, column] : records.items) {
    const protocol::Visit* visit = protocol.visit(key.second);
    if (records.readings.contains(key.first)) continue;  // placed again below, without what came later
    const auto days = records.visit_days.find(key.second);
    for (std::size_t i = 0; visit && i < column.size(); ++i) {
      double day = days == records.visit_days.end() ? missing_number : days->second[i];
      if (std::isnan(day)) day = records.randomisation.low[i] + visit->day.offset();
      if (!(day <= last)) blank(column, i);
    }
  }
  cut_readings(records, last);
  place_readings(records, protocol);
  std::size_t undated = 0;
  for (auto& [form, entries] : records.entries) entries = until(entries, last, undated);
  if (undated > 0)
    records.notes.push_back(
        fmt::format("{} entries without a date are left out: they may be later than the data cut-off.", undated));
  return records;
}

std::vector<std::string> TrialTables::post_baseline_visits() const {
  std::vector<std::string> visits;
  for (protocol::Visit const& visit : protocol_.visits)
    if (visit.day.offset() > 0) visits.push_back(visit.id);
  return visits;
}

std::vector<std::uint8_t> TrialTables::attended(std::string_view visit) const {
  // A visit took place when anything was recorded at it.
  std::vector<std::uint8_t> took_place(participants(), 0);
  for (auto const& [key, column] : records_.items)
    if (key.second == visit) {
      if (expression::is_numeric(column.type))
        for (std::size_t i = 0; i < took_place.size(); ++i) took_place[i] |= std::uint8_t(!std::isnan(column.low[i]));
      else
        for (std::size_t i = 0; i < took_place.size(); ++i) took_place[i] |= std::uint8_t(!column.missing(i));
    }
  return took_place;
}

Column TrialTables::visit_date(std::string_view visit) const {
  // A file with one column a visit has no visit dates: the target day stands for them.
  const protocol::Visit* at = protocol_.visit(visit);
  expects(at != nullptr, "visits of expressions are checked");
  const std::vector<std::uint8_t> took_place = attended(visit);
  const auto dated = records_.visit_days.find(visit);
  std::vector<double> days(participants(), missing_number);
  for (std::size_t i = 0; i < days.size(); ++i) {
    if (!took_place[i]) continue;
    days[i] = dated == records_.visit_days.end() ? missing_number : dated->second[i];
    if (std::isnan(days[i])) days[i] = records_.randomisation.low[i] + at->day.offset();
  }
  return Column::of_numbers(std::move(days), Type::moment);
}

Column TrialTables::item(protocol::Item const& item, std::string_view visit) const {
  const auto found = records_.items.find({item.id, std::string(visit)});
  return found != records_.items.end() ? found->second : missing_item(item, participants());
}

Column TrialTables::measured(protocol::Item const& item, std::string_view visit) const {
  Column column = this->item(item, visit);
  if (!bounds_ || column.exact()) return column;
  for (std::size_t i = 0; i < column.size(); ++i)
    if (const auto number = counted_as(column.interval(i), item, protocol_.conventions))
      column.set(i, expression::Interval::exactly(*number));
  return column;
}

Column TrialTables::variable(std::string_view name, std::optional<std::string_view> visit) const {
  if (name == "randomised") {
    std::vector<std::uint8_t> truth(participants());
    for (std::size_t i = 0; i < truth.size(); ++i) truth[i] = records_.arm.code[i] != missing_level;
    return Column::of_truths(std::move(truth));
  }
  if (name == "randomisation") return records_.randomisation;
  if (name == "arm") return records_.arm;
  if (name == "site") return records_.site;
  const std::string at(visit.value_or(""));
  if (const protocol::Item* known = protocol_.item(name)) return measured(*known, at);
  const protocol::Derivation* derivation = protocol_.derivation(name);
  expects(derivation != nullptr, "names of expressions are checked");
  if (bounds_ && derivation->rule.type() == Type::truth) return bounds_->variable(name, visit);
  const auto key = std::pair(std::string(name), at);
  if (const auto kept = derived_.find(key); kept != derived_.end()) return kept->second;
  return derived_.emplace(key, expression::evaluate(derivation->rule, *this, visit)).first->second;
}

Entries const& TrialTables::entries(std::string_view form) const {
  if (const auto found = records_.entries.find(form); found != records_.entries.end()) return found->second;
  if (const auto kept = form_entries_.find(form); kept != form_entries_.end()) return kept->second;
  const protocol::Form* known = protocol_.form(form);
  expects(known != nullptr, "forms of expressions are checked");
  Entries made;
  // A form of the schedule: one entry for each attended visit that carries it, participant by participant.
  std::vector<std::pair<std::size_t, protocol::Visit const*>> rows;
  std::vector<protocol::Visit const*> visits;
  for (protocol::Visit const& visit : protocol_.visits)
    if (!known->any_time && std::ranges::find(visit.forms, known->id) != visit.forms.end()) visits.push_back(&visit);
  std::map<protocol::Visit const*, std::vector<std::uint8_t>> took_place;
  for (protocol::Visit const* visit : visits) took_place.emplace(visit, attended(visit->id));
  for (std::size_t i = 0; i < participants(); ++i)
    for (protocol::Visit const* visit : visits)
      if (took_place[visit][i]) rows.emplace_back(i, visit);
  std::map<protocol::Visit const*, Column> day_of;
  for (protocol::Visit const* visit : visits) day_of.emplace(visit, visit_date(visit->id));
  std::vector<double> dates;
  for (auto const& [participant, visit] : rows) {
    made.participant.push_back(participant);
    dates.push_back(day_of.at(visit).low[participant]);
  }
  made.date = Column::of_numbers(std::move(dates), Type::date);
  for (protocol::Item const& item : known->items) {
    Column column = missing_item(item, rows.size());
    std::map<protocol::Visit const*, Column> by_visit;
    for (protocol::Visit const* visit : visits) by_visit.emplace(visit, this->item(item, visit->id));
    std::vector<std::int32_t> same(column.levels.size());
    for (std::size_t i = 0; i < same.size(); ++i) same[i] = std::int32_t(i);
    for (std::size_t row = 0; row < rows.size(); ++row)
      expression::copy_row(column, row, by_visit.at(rows[row].second), rows[row].first, same);
    made.items.emplace(item.id, std::move(column));
  }
  return form_entries_.emplace(std::string(form), std::move(made)).first->second;
}

}  // namespace equipoise::data
