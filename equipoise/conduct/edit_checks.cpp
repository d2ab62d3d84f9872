#include "equipoise/conduct/edit_checks.h"

#include <algorithm>

#include "equipoise/core/text.h"

namespace equipoise::conduct {

std::vector<Fired> fired_checks(Plan const& plan, Participant const& as_saved, RecordKey const& key,
                                std::vector<std::string> const& entered) {
  std::vector<Fired> fired;
  protocol::Protocol const& p = plan.protocol();
  protocol::Form const& form = *p.form(key.form);
  Record const* record = as_saved.find(key.visit, key.form, key.entry);
  expects(record, "a record that is checked is there");
  for (std::string const& id : entered) {
    const auto item = std::ranges::find(form.items, id, &protocol::Item::id);
    Value const* value = record->find(id);
    if (value && outside_soft_limits(*item, value->value))
      fired.push_back({"soft:" + id, false,
                       fmt::format("{} is outside the usual range {} to {} of '{}'", value->value, shortest(item->soft->first),
                                   shortest(item->soft->second), id)});
  }
  const auto concerned = [&](protocol::EditCheck const& check) { return check.form == key.form; };
  if (std::ranges::none_of(p.edit_checks, concerned)) return fired;

  Participant const* const only[] = {&as_saved};
  const data::TrialRecords records = to_records(plan, only);
  const data::TrialTables tables(p, records);
  // Which row of the form's entries the record is: they stand by date, and a form of the schedule by visit.
  expression::Entries const& entries = tables.entries(key.form);
  std::size_t row = 0;
  if (form.any_time) {
    const std::vector<DatedEntry> order = entries_of(as_saved, form);
    row = std::size_t(std::ranges::find(order, record, &DatedEntry::record) - order.begin());
  } else {
    for (protocol::Visit const& visit : p.visits) {
      if (visit.id == key.visit) break;
      const auto took_place = as_saved.visits.find(visit.id);
      row += plan.fills(visit.id, key.form) && took_place != as_saved.visits.end() && !took_place->second.empty();
    }
  }
  if (row >= entries.participant.size()) return fired;
  for (protocol::EditCheck const& check : p.edit_checks) {
    if (!concerned(check)) continue;
    const expression::Column truth = expression::evaluate_entries(check.rule, tables, key.form);
    if (truth.truth[row] == expression::is_false) fired.push_back({check.id, check.severity == "hard", check.text.in("en")});
  }
  return fired;
}

}  // namespace equipoise::conduct
