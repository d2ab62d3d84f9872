#include "equipoise/data/queries.h"

#include <cmath>

#include "equipoise/core/text.h"

namespace equipoise::data {
namespace {

/// Whether something was recorded of a participant at a visit, by the items of a form.
bool took_place(protocol::Protocol const& protocol, TrialRecords const& records, std::string const& form,
                std::string const& visit, std::size_t row) {
  for (protocol::Form const& one : protocol.forms)
    if (one.id == form)
      for (protocol::Item const& item : one.items)
        if (const auto found = records.items.find({item.id, visit}); found != records.items.end() && !found->second.missing(row))
          return true;
  return false;
}

}  // namespace

std::vector<Query> queries_of(protocol::Protocol const& protocol, TrialRecords const& records) {
  std::vector<Query> found;
  for (protocol::Form const& form : protocol.forms)
    for (protocol::Item const& item : form.items)
      for (protocol::Visit const& visit : protocol.visits) {
        const auto cells = records.items.find({item.id, visit.id});
        if (cells == records.items.end()) continue;
        expression::Column const& column = cells->second;
        const bool number = item.kind == protocol::ItemKind::number || item.kind == protocol::ItemKind::integer;
        for (std::size_t row = 0; row < records.participants.size(); ++row) {
          const auto add = [&](std::string message) {
            found.push_back({records.participants[row], item.id, visit.id, std::move(message)});
          };
          if (column.missing(row)) {
            if (item.required && took_place(protocol, records, form.id, visit.id, row))
              add(fmt::format("'{}' is required, and missing where other items of '{}' were recorded", item.id, form.id));
            continue;
          }
          if (!item.soft || !number) continue;
          const double low = column.low[row], high = column.exact() ? low : column.high[row];
          if (high < item.soft->first || low > item.soft->second)
            add(fmt::format("{} is outside the usual range {} to {}", shortest(std::isfinite(low) ? low : high),
                            shortest(item.soft->first), shortest(item.soft->second)));
        }
      }
  return found;
}

}  // namespace equipoise::data
