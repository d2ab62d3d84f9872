#include "equipoise/data/queries.h"

#include <cmath>
#include <map>

#include "equipoise/core/text.h"

namespace equipoise::data {
namespace {

/// Who has a value of some item of the form at the visit.
std::vector<bool> recorded(protocol::Form const& form, TrialRecords const& records, std::string const& visit) {
  std::vector<bool> found(records.participants.size());
  for (protocol::Item const& item : form.items)
    if (const auto cells = records.items.find({item.id, visit}); cells != records.items.end())
      for (std::size_t row = 0; row < found.size(); ++row)
        if (!cells->second.missing(row)) found[row] = true;
  return found;
}

}  // namespace

std::vector<Query> queries_of(protocol::Protocol const& protocol, TrialRecords const& records) {
  std::vector<Query> found;
  for (protocol::Form const& form : protocol.forms) {
    std::map<std::string, std::vector<bool>> filled_in;  // by visit
    for (protocol::Item const& item : form.items)
      for (protocol::Visit const& visit : protocol.visits) {
        const auto cells = records.items.find({item.id, visit.id});
        if (cells == records.items.end()) continue;
        expression::Column const& column = cells->second;
        const bool number = item.kind == protocol::ItemKind::number || item.kind == protocol::ItemKind::integer;
        if (item.required && !filled_in.contains(visit.id)) filled_in[visit.id] = recorded(form, records, visit.id);
        for (std::size_t row = 0; row < records.participants.size(); ++row) {
          const auto add = [&](std::string message) {
            found.push_back({records.participants[row], item.id, visit.id, std::move(message)});
          };
          if (column.missing(row)) {
            if (item.required && filled_in[visit.id][row])
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
  }
  return found;
}

}  // namespace equipoise::data
