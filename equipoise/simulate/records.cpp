#include "equipoise/simulate/records.h"

#include <fmt/format.h>

#include <cmath>

#include "equipoise/data/windows.h"
#include "equipoise/protocol/names.h"

namespace equipoise::simulate {
namespace {

using expression::Column;
using expression::Type;

/// The item's own column of plain numbers; `since` is added to dates.
template <class Since>
Column column_of(protocol::Item const& item, std::span<const double> values, Since const& since) {
  Column column = data::missing_item(item, values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i])) continue;
    switch (column.type) {
      case Type::code:
        column.code[i] = std::int32_t(values[i]);
        break;
      case Type::truth:
        column.truth[i] = std::uint8_t(values[i]);
        break;
      case Type::text:
        column.text[i] = fmt::format("{}", values[i]);
        break;
      case Type::date:
        column.low[i] = since(i) + values[i];
        break;
      default:
        column.low[i] = values[i];
    }
  }
  return column;
}

std::vector<std::string> ids_of(auto const& things) {
  std::vector<std::string> ids;
  for (auto const& thing : things) ids.push_back(thing.id);
  return ids;
}

}  // namespace

std::string participant_id(std::size_t i) { return fmt::format("V{:04}", i + 1); }

data::TrialRecords to_records(protocol::Protocol const& protocol, Layout const& layout, VirtualTrial const& trial) {
  const std::size_t n = trial.n;
  std::vector<double> randomised(n);
  for (std::size_t i = 0; i < n; ++i) randomised[i] = opening_day + trial.entry[i];
  data::TrialRecords records{.site = Column::of_codes(trial.site, ids_of(protocol.sites)),
                             .arm = Column::of_codes(trial.arm, ids_of(protocol.arms)),
                             .arm_received = Column::of_codes(trial.arm_received, ids_of(protocol.arms)),
                             .randomisation = Column::of_numbers(randomised, Type::date),
                             .follow_up_end = trial.follow_up_end,
                             .calendar = true,
                             .follow_up_known = true};
  for (std::size_t i = 0; i < n; ++i) {
    records.participants.push_back(participant_id(i));
    records.randomisation_order.push_back(double(i + 1));
    records.follow_up_end[i] += randomised[i];
  }
  for (std::size_t c = 0; c < layout.cells.size(); ++c) {
    Layout::Cell const& cell = layout.cells[c];
    const std::string visit = cell.visit ? protocol.visits[*cell.visit].id : std::string();
    records.items.emplace(std::pair(cell.item->id, visit),
                          column_of(*cell.item, {trial.value.data() + c * n, n}, [&](std::size_t i) { return randomised[i]; }));
  }
  for (std::size_t v = 0; v < protocol.visits.size(); ++v) {
    std::vector<double>& days = records.visit_days[protocol.visits[v].id];
    for (std::size_t i = 0; i < n; ++i) days.push_back(randomised[i] + trial.visit_day[v * n + i]);
  }
  for (std::size_t f = 0; f < layout.forms.size(); ++f) {
    Layout::Form const& form = layout.forms[f];
    VirtualTrial::Entries const& from = trial.entries[f];
    const auto since = [&](std::size_t row) { return randomised[from.participant[row]]; };
    expression::Entries entries{.participant = {from.participant.begin(), from.participant.end()}};
    std::vector<double> dates(from.date);
    for (std::size_t row = 0; row < dates.size(); ++row) dates[row] += since(row);
    entries.date = Column::of_numbers(std::move(dates), Type::date);
    for (protocol::Item const& item : form.form->items)
      entries.items.emplace(item.id, data::missing_item(item, from.date.size()));
    for (std::size_t k = 0; k < form.items.size(); ++k)
      entries.items.insert_or_assign(form.items[k]->id, column_of(*form.items[k], from.items[k], since));
    records.entries.emplace(form.form->id, std::move(entries));
  }
  data::place_readings(records, protocol, true);
  return records;
}

}  // namespace equipoise::simulate
