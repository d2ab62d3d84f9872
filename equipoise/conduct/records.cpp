#include "equipoise/conduct/records.h"

#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/data/cell_reader.h"
#include "equipoise/data/windows.h"

namespace equipoise::conduct {
namespace {

using expression::Column;
using expression::Type;
using protocol::Item;
using protocol::ItemKind;

std::vector<std::string> ids_of(auto const& things) {
  std::vector<std::string> ids;
  for (auto const& thing : things) ids.push_back(thing.id);
  return ids;
}

/// Canonical texts are values of their item, so reading them needs no checks.
void place(Column& column, std::size_t row, Item const& item, Value const& value) {
  if (item.kind == ItemKind::text) {
    if (!value.text.empty()) column.text[row] = value.text;
    return;
  }
  if (value.value.empty()) return;
  std::string_view text = value.value;
  switch (item.kind) {
    case ItemKind::number:
    case ItemKind::integer: {
      const char sign = text.front();
      const bool bound = sign == '<' || sign == '>';
      const double number = to_number(bound ? text.substr(1) : text).value_or(missing_number);
      constexpr double infinity = std::numeric_limits<double>::infinity();
      if (sign == '<') column.set(row, {-infinity, number, true, true});
      else if (sign == '>') column.set(row, {number, infinity, true, true});
      else column.set(row, expression::Interval::exactly(number));
      return;
    }
    case ItemKind::flag:
      column.truth[row] = text == "true" ? expression::is_true : expression::is_false;
      return;
    case ItemKind::code: {
      const auto level = std::ranges::find(column.levels, text);
      if (level != column.levels.end()) column.code[row] = std::int32_t(level - column.levels.begin());
      return;
    }
    case ItemKind::date:
      if (const auto date = to_partial_date(text))
        column.set(row, {day_number(date->earliest), day_number(date->latest), false, false});
      return;
    case ItemKind::text:
      return;
  }
}

class Recorder {
 public:
  Recorder(Plan const& plan, std::span<Participant const* const> who) : p_(plan.protocol()), who_(who) {}

  data::TrialRecords make() {
    people();
    visits();
    entries();
    data::place_readings(records_, p_, true);
    return std::move(records_);
  }

 private:
  bool used(std::size_t i) const { return !who_[i]->end("no_further_use"); }
  void seen(std::size_t i, double day) {
    double& last = records_.follow_up_end[i];
    if (!std::isnan(day) && !(last >= day)) last = day;
  }

  void people() {
    const std::size_t n = who_.size();
    records_.site = Column::of_codes(std::vector<std::int32_t>(n, missing_level), ids_of(p_.sites));
    records_.arm = Column::of_codes(std::vector<std::int32_t>(n, missing_level), ids_of(p_.arms));
    records_.randomisation = Column::of_numbers(std::vector<double>(n, missing_number), Type::date);
    records_.randomisation_order.assign(n, missing_number);
    records_.follow_up_end.assign(n, missing_number);
    records_.calendar = records_.follow_up_known = true;
    for (std::size_t i = 0; i < n; ++i) {
      Participant const& one = *who_[i];
      records_.participants.push_back(one.id);
      if (const auto site = std::ranges::find(records_.site.levels, one.site); site != records_.site.levels.end())
        records_.site.code[i] = std::int32_t(site - records_.site.levels.begin());
      if (!one.randomised) continue;
      records_.randomisation.low[i] = day_of(one.randomised->date);
      records_.randomisation_order[i] = double(one.randomised->request.number);
      seen(i, records_.randomisation.low[i]);
      for (Discontinued const& end : one.ends)
        if (std::ranges::find(p_.ends_participation, end.what) != p_.ends_participation.end() || end.what == "lost_to_follow_up" || end.what == "completed")
          seen(i, day_of(end.date));
    }
    records_.arm_received = records_.arm;
  }

  void visits() {
    const std::size_t n = who_.size();
    for (protocol::Visit const& visit : p_.visits) {
      std::vector<double>& days = records_.visit_days[visit.id];
      days.assign(n, missing_number);
      for (std::size_t i = 0; i < n; ++i)
        if (const auto found = who_[i]->visits.find(visit.id); found != who_[i]->visits.end() && !found->second.empty()) {
          days[i] = day_of(found->second);
          seen(i, days[i]);
        }
      for (std::string const& id : visit.forms) {
        protocol::Form const* form = p_.form(id);
        if (!form) continue;
        std::vector<Column> columns;
        for (Item const& item : form->items) columns.push_back(data::missing_item(item, n));
        for (std::size_t i = 0; i < n; ++i)
          if (Record const* record = used(i) ? who_[i]->find(visit.id, id, 0) : nullptr; record && !record->struck)
            fill(columns, i, *form, *record);
        for (std::size_t k = 0; k < columns.size(); ++k)
          records_.items.insert_or_assign({form->items[k].id, visit.id}, std::move(columns[k]));
      }
    }
  }

  void fill(std::vector<Column>& columns, std::size_t row, protocol::Form const& form, Record const& record) {
    for (Value const& value : record.values)
      for (std::size_t k = 0; k < form.items.size(); ++k)
        if (form.items[k].id == value.item) {
          place(columns[k], row, form.items[k], value);
          break;
        }
  }

  void entries() {
    for (protocol::Form const& form : p_.forms) {
      if (!form.any_time) continue;
      std::vector<DatedEntry> rows;
      expression::Entries made;
      for (std::size_t i = 0; i < who_.size(); ++i)
        for (DatedEntry const& entry : used(i) ? entries_of(*who_[i], form) : std::vector<DatedEntry>()) {
          rows.push_back(entry), made.participant.push_back(i);
          seen(i, entry.day);
        }
      std::vector<Column> columns;
      for (Item const& item : form.items) columns.push_back(data::missing_item(item, rows.size()));
      for (std::size_t r = 0; r < rows.size(); ++r) fill(columns, r, form, *rows[r].record);
      made.date = Column::of_numbers(std::vector<double>(rows.size(), missing_number), Type::date);
      if (Item const* dated = date_item(form)) made.date = columns[std::size_t(dated - form.items.data())];
      for (std::size_t k = 0; k < columns.size(); ++k) made.items.emplace(form.items[k].id, std::move(columns[k]));
      records_.entries.emplace(form.id, std::move(made));
    }
  }

  protocol::Protocol const& p_;
  std::span<Participant const* const> who_;
  data::TrialRecords records_{};
};

}  // namespace

Item const* date_item(protocol::Form const& form) {
  const auto found = std::ranges::find(form.items, ItemKind::date, &Item::kind);
  return found == form.items.end() ? nullptr : &*found;
}

double day_of(std::string_view date) {
  const auto read = to_partial_date(date);
  return read ? day_number(read->earliest) : missing_number;
}

std::vector<DatedEntry> entries_of(Participant const& who, protocol::Form const& form) {
  std::vector<DatedEntry> entries;
  Item const* dated = date_item(form);
  for (Record const& record : who.records)
    if (record.visit.empty() && record.form == form.id && !record.struck) {
      Value const* date = dated ? record.find(dated->id) : nullptr;
      entries.push_back({&record, date ? day_of(date->value) : missing_number});
    }
  std::ranges::stable_sort(entries, {}, [](DatedEntry const& entry) { return std::isnan(entry.day) ? 1e300 : entry.day; });
  return entries;
}

data::TrialRecords to_records(Plan const& plan, std::span<Participant const* const> who) { return Recorder(plan, who).make(); }

Expected<EnteredText> canonical_value(Item const& item, std::string_view text, std::string_view unit) {
  double factor = 1;
  if (!unit.empty() && unit != item.unit) {
    const auto other = std::ranges::find(item.also, unit, [](auto const& also) -> std::string_view { return also.first; });
    if (other == item.also.end())
      return fail(Code::unit_mismatch, "'{}' is given in {}, and not in '{}'", item.id, item.unit.empty() ? "no unit" : item.unit, unit);
    factor = other->second;
  }
  Problems problems;
  Column column = data::missing_item(item, 1);
  {
    data::CellReader reader("", problems);
    reader.read(column, 0, item, text, {}, factor, 0, item.id);
  }
  if (!problems.empty()) {
    problems.front().place = {};
    return tl::unexpected(std::move(problems.front()));
  }
  EnteredText made;
  switch (item.kind) {
    case ItemKind::number:
    case ItemKind::integer: {
      const expression::Interval value = column.interval(0);
      made.value = std::isinf(value.low) ? "<" + shortest(value.high) : std::isinf(value.high) ? ">" + shortest(value.low) : shortest(value.low);
      break;
    }
    case ItemKind::flag:
      made.value = column.truth[0] == expression::is_true ? "true" : "false";
      break;
    default:
      made.value = std::string(text);
  }
  if (factor != 1) made.entered = fmt::format("{} {}", text, unit);
  else if (made.value != text && item.kind != ItemKind::flag) made.entered = std::string(text);
  return made;
}

bool outside_soft_limits(Item const& item, std::string_view canonical) {
  if (!item.soft || canonical.empty() || canonical.front() == '<' || canonical.front() == '>') return false;
  const auto number = to_number(canonical);
  return number && !(*number >= item.soft->first && *number <= item.soft->second);
}

}  // namespace equipoise::conduct
