#include <algorithm>

#include "equipoise/data/source.h"

namespace equipoise::data {

std::vector<std::string> columns_of_file(protocol::Source const& source) {
  std::vector<std::string> names{source.participant,  source.site,
                                 source.arm,          source.arm_received,
                                 source.randomised,   source.day,
                                 source.follow_up,    source.randomisation_order,
                                 source.visit,        source.interval_start,
                                 source.interval_stop};
  const auto rules = [&](std::vector<protocol::RowRule> const& where) {
    for (protocol::RowRule const& rule : where) names.push_back(rule.column);
  };
  for (protocol::SourceItem const& item : source.items) {
    names.push_back(item.column), names.push_back(item.bound);
    rules(item.where);
  }
  for (protocol::SourceEntry const& entry : source.entries) {
    rules(entry.where);
    for (protocol::SourceEntryItem const& item : entry.items) names.push_back(item.column);
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());  // not std::ranges::unique: Clang 14 rejects GCC 12's
  std::erase(names, "");
  return names;
}

std::vector<std::string> columns_of_file(protocol::Source const& source, protocol::SourceJoin const& join) {
  std::vector<std::string> names{join.by};
  for (protocol::RowRule const& rule : join.where) names.push_back(rule.column);
  for (std::string const& name : columns_of_file(source))
    if (name.starts_with(join.as + ".")) names.push_back(name.substr(join.as.size() + 1));
  return names;
}

}  // namespace equipoise::data
