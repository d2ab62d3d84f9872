#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "equipoise/core/text.h"
#include "equipoise/data/entries.h"
#include "equipoise/data/source_reader.h"

namespace equipoise::data {

using expression::Column;
using expression::Type;

void SourceReader::read_entries(protocol::SourceEntry const& entry) {
  protocol::Form const& form = *protocol_.form(entry.form);
  std::vector<std::size_t> rows;
  const RowsThatMeet meet = rows_that_meet(entry.where);
  for (std::size_t row = 0; row < table_.rows(); ++row)
    if (meet(row) && owner_[row] != no_one) rows.push_back(row);
  if (rows.empty() && !entry.where.empty()) note_unmet(entry);
  std::map<std::string, Column> items;
  for (protocol::Item const& item : form.items) items.emplace(item.id, missing_item(item, rows.size()));
  for (protocol::SourceEntryItem const& mapped : entry.items) read_entry_item(mapped, rows, items.at(mapped.item));

  const auto dated = std::ranges::find(form.items, protocol::ItemKind::date, &protocol::Item::kind);
  Column date = dated == form.items.end() ? Column::of_missing(Type::date, rows.size()) : items.at(dated->id);
  check_dates(rows, date, dated == form.items.end() ? nullptr : &*dated, entry);
  add_entries(entry.form, rows, items, date);
}

/// No row is an entry: right when nothing happened, and a slip when a rule names a text that the column never holds.
void SourceReader::note_unmet(protocol::SourceEntry const& entry) {
  for (protocol::RowRule const& rule : entry.where) {
    std::set<std::string> values;
    const std::size_t at = column(rule.column);
    for (std::size_t row = 0; row < table_.rows() && values.size() <= 12; ++row) values.emplace(cell(row, at));
    if (values.contains(*rule.is) || values.size() > 12) continue;
    const std::vector<std::string> seen(values.begin(), values.end());
    records_.notes.push_back(fmt::format("No row is an entry of form '{}': column '{}' is never '{}'; its values are {}.",
                                         entry.form, rule.column, *rule.is, join(seen, ", ")));
  }
}

void SourceReader::add_entries(std::string const& form, std::vector<std::size_t> const& rows,
                               std::map<std::string, Column> const& items, Column const& date) {
  std::vector<std::size_t> order(rows.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::ranges::stable_sort(order, {}, [&](std::size_t i) {
    const double day = date.low[i];
    return std::pair(owner_[rows[i]], std::isnan(day) ? std::numeric_limits<double>::infinity() : day);
  });
  expression::Entries fresh;
  for (const std::size_t i : order) fresh.participant.push_back(owner_[rows[i]]);
  fresh.date = expression::gathered(date, order);
  for (auto const& [id, column] : items) fresh.items.emplace(id, expression::gathered(column, order));
  const auto known = records_.entries.find(form);
  if (known == records_.entries.end()) {
    records_.entries.emplace(form, std::move(fresh));
    return;
  }
  known->second = joined(known->second, fresh);
}

void SourceReader::read_entry_item(protocol::SourceEntryItem const& mapped, std::vector<std::size_t> const& rows, Column& into) {
  const protocol::Item& item = *protocol_.item(mapped.item);
  const bool fixed = mapped.column.empty();
  const std::string& name = fixed ? mapped.item : mapped.column;
  const std::size_t at = fixed ? 0 : column(mapped.column);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t row = rows[i];
    const std::string_view text = fixed ? std::string_view(mapped.constant) : cell(row, at);
    if (!mapped.day_since_randomisation) {
      cells_.read(into, i, item, text, fixed ? no_codes : mapped.codes, 1.0, line(row), name);
    } else if (!text.empty()) {
      if (const auto days = cells_.whole_number(text, line(row), name))
        into.set(i, expression::Interval::exactly(records_.randomisation.low[owner_[row]] + *days));
    }
  }
}

void SourceReader::check_dates(std::vector<std::size_t> const& rows, Column const& date, protocol::Item const* item,
                               protocol::SourceEntry const& entry) {
  if (!item) return;
  const auto mapped = std::ranges::find(entry.items, item->id, &protocol::SourceEntryItem::item);
  if (mapped == entry.items.end()) return;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t owner = owner_[rows[i]];
    if (date.missing(i)) continue;
    if (date.low[i] > records_.follow_up_end[owner])
      cells_.refuse(line(rows[i]), mapped->column,
                    fmt::format("an entry of form '{}' of participant '{}' is dated after the end of follow-up", entry.form,
                                records_.participants[owner]));
  }
}

}  // namespace equipoise::data
