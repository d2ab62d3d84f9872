#include "equipoise/data/queries.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "equipoise/core/text.h"

namespace equipoise::data {
namespace {

using expression::Column;

/// What is said of a number outside the item's usual range; nothing of others.
std::optional<std::string> unusual(protocol::Item const& item, Column const& column, std::size_t row) {
  const bool number = item.kind == protocol::ItemKind::number || item.kind == protocol::ItemKind::integer;
  if (!item.soft || !number || column.missing(row)) return {};
  const double low = column.low[row], high = column.exact() ? low : column.high[row];
  if (high >= item.soft->first && low <= item.soft->second) return {};
  return fmt::format("{} is outside the usual range {} to {}", shortest(std::isfinite(low) ? low : high),
                     shortest(item.soft->first), shortest(item.soft->second));
}

std::string lacking(protocol::Item const& item, protocol::Form const& form) {
  return fmt::format("'{}' is required, and missing where other items of '{}' were recorded", item.id, form.id);
}

class Queries {
 public:
  Queries(protocol::Protocol const& protocol, TrialRecords const& records) : protocol_(protocol), records_(records) {}

  std::vector<Query> found() {
    for (protocol::Form const& form : protocol_.forms) {
      std::map<std::string, std::vector<bool>> filled_in;  // by visit
      for (protocol::Item const& item : form.items) {
        for (protocol::Visit const& visit : protocol_.visits) see_visit(form, item, visit, filled_in);
        if (const auto dated = records_.readings.find(item.id); dated != records_.readings.end())
          see_readings(item, dated->second);
        if (const auto entries = records_.entries.find(form.id); entries != records_.entries.end() && is_mapped(form, item))
          see_entries(form, item, entries->second);
      }
    }
    return std::move(found_);
  }

 private:
  void see_visit(protocol::Form const& form, protocol::Item const& item, protocol::Visit const& visit,
                 std::map<std::string, std::vector<bool>>& filled_in) {
    const auto cells = records_.items.find({item.id, visit.id});
    if (cells == records_.items.end()) return;
    const bool dated = records_.readings.contains(item.id);  // then each reading is looked at
    if (item.required && !filled_in.contains(visit.id)) filled_in[visit.id] = recorded(form, visit.id);
    for (std::size_t row = 0; row < records_.participants.size(); ++row) {
      if (item.required && cells->second.missing(row) && filled_in[visit.id][row])
        found_.push_back({records_.participants[row], item.id, visit.id, "", lacking(item, form)});
      else if (auto said = dated ? std::nullopt : unusual(item, cells->second, row))
        found_.push_back({records_.participants[row], item.id, visit.id, "", *std::move(said)});
    }
  }

  void see_readings(protocol::Item const& item, Readings const& readings) {
    for (std::size_t row = 0; row < readings.participant.size(); ++row)
      if (auto said = unusual(item, readings.value, row))
        found_.push_back({records_.participants[readings.participant[row]], item.id, "",
                          date_of(readings.participant[row], readings.day[row]), *std::move(said)});
  }

  void see_entries(protocol::Form const& form, protocol::Item const& item, expression::Entries const& entries) {
    const auto cells = entries.items.find(item.id);
    if (cells == entries.items.end()) return;
    for (std::size_t row = 0; row < entries.participant.size(); ++row) {
      auto said = unusual(item, cells->second, row);
      if (item.required && cells->second.missing(row) &&
          std::ranges::any_of(entries.items, [&](auto const& other) { return !other.second.missing(row); }))
        said = lacking(item, form);
      if (said)
        found_.push_back({records_.participants[entries.participant[row]], item.id, "",
                          date_of(entries.participant[row], entries.date.low[row]), *std::move(said)});
    }
  }

  /// Who has a value of some item of the form at the visit.
  std::vector<bool> recorded(protocol::Form const& form, std::string const& visit) const {
    std::vector<bool> found(records_.participants.size());
    for (protocol::Item const& item : form.items)
      if (const auto cells = records_.items.find({item.id, visit}); cells != records_.items.end())
        for (std::size_t row = 0; row < found.size(); ++row)
          if (!cells->second.missing(row)) found[row] = true;
    return found;
  }

  /// Entries hold a column of every item of their form, also of those that the data do not have.
  bool is_mapped(protocol::Form const& form, protocol::Item const& item) const {
    return protocol_.source && std::ranges::any_of(protocol_.source->entries, [&](protocol::SourceEntry const& entry) {
             return entry.form == form.id &&
                    std::ranges::any_of(entry.items, [&](auto const& mapped) { return mapped.item == item.id; });
           });
  }

  std::string date_of(std::size_t participant, double day) const {
    if (std::isnan(day)) return {};
    if (records_.calendar) return to_string(from_day_number(std::floor(day)));
    return fmt::format("{} days since randomisation", shortest(day - records_.randomisation.low[participant]));
  }

  protocol::Protocol const& protocol_;
  TrialRecords const& records_;
  std::vector<Query> found_;
};

}  // namespace

std::vector<Query> queries_of(protocol::Protocol const& protocol, TrialRecords const& records) {
  return Queries(protocol, records).found();
}

}  // namespace equipoise::data
