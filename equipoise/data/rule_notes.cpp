#include "equipoise/data/rule_notes.h"

#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"

namespace equipoise::data {
namespace {

using protocol::BaselineRule;
using protocol::Nominal;
using protocol::SameDay;

std::string counted(std::int64_t n, std::string_view one, std::string_view many = {}) {
  return fmt::format("{} {}", n, n == 1 ? std::string(one) : many.empty() ? std::string(one) + "s" : std::string(many));
}

/// Collects items at visits, opening derivations.
class Collecting {
 public:
  explicit Collecting(protocol::Protocol const& protocol) : protocol_(protocol) {}

  void rule(expression::Expression const& rule, std::vector<std::string> const& visits) {
    for (std::string const& read : rule.variables()) name(read, visits);
  }

  void name(std::string const& written, std::vector<std::string> const& visits) {
    const auto at = written.find('@');
    const std::string base = written.substr(0, at);
    const std::vector<std::string> own{at == std::string::npos ? std::string() : written.substr(at + 1)};
    std::vector<std::string> const& where = at == std::string::npos ? visits : own;
    if (protocol_.item(base)) {
      for (std::string const& visit : where)
        if (!visit.empty() && std::ranges::find(found_, ItemAtVisit(base, visit)) == found_.end())
          found_.emplace_back(base, visit);
    } else if (const protocol::Derivation* derivation = protocol_.derivation(base); derivation && derivation->rule) {
      rule(derivation->rule, where);
    }
  }

  std::vector<ItemAtVisit> found() && { return std::move(found_); }

 private:
  protocol::Protocol const& protocol_;
  std::vector<ItemAtVisit> found_;
};

std::string label(protocol::Protocol const& protocol, std::string const& item) {
  return protocol.item(item)->label.in(protocol.trial.languages.front());
}

std::string_view window_rule(protocol::Protocol const& protocol, protocol::Item const& item) {
  const bool number = item.kind == protocol::ItemKind::number || item.kind == protocol::ItemKind::integer;
  switch (protocol.nominal) {
    case Nominal::first:
      return "the first counts";
    case Nominal::last:
      return "the last counts";
    case Nominal::mean:
      if (number) return "their mean counts";
      break;
    case Nominal::worst:
      if (number && item.worst == protocol::Worst::lowest) return "the lowest counts";
      if (number && item.worst == protocol::Worst::highest) return "the highest counts";
      break;
    case Nominal::closest:
      break;
  }
  return "the closest to the target day counts, of two equally close the earlier";
}

std::string_view day_rule(protocol::Protocol const& protocol, protocol::Item const& item) {
  SameDay rule = protocol.same_day;
  if (rule == SameDay::refused && protocol.nominal == Nominal::worst)
    rule = item.worst == protocol::Worst::lowest ? SameDay::lowest : SameDay::highest;
  return rule == SameDay::lowest ? "lowest" : rule == SameDay::highest ? "highest" : "mean";
}

struct Counts {
  std::int64_t several = 0, of_many = 0, limit_in_mean = 0, from_before = 0, mean_of_two = 0;
};

Counts count(TrialRecords const& records, ItemAtVisit const& where, std::span<const std::size_t> participants) {
  Counts counts;
  const auto marks = records.marks.find(where);
  if (marks == records.marks.end()) return counts;
  for (const std::size_t i : participants) {
    const std::uint8_t bits = marks->second[i];
    counts.several += (bits & mark::several) != 0, counts.of_many += (bits & mark::day_of_many) != 0;
    counts.limit_in_mean += (bits & mark::limit_in_mean) != 0, counts.from_before += (bits & mark::from_before) != 0;
    counts.mean_of_two += (bits & mark::mean_of_two) != 0;
  }
  return counts;
}

std::string baseline_note(TrialTables const& tables, ItemAtVisit const& where, std::span<const std::size_t> participants) {
  protocol::Protocol const& protocol = tables.protocol();
  const Counts counts = count(tables.records(), where, participants);
  const std::string until = protocol.baseline.until ? fmt::format("the date '{}' (of randomisation where it is missing)",
                                                                  protocol.baseline.until->text())
                                                    : "the day of randomisation";
  const bool two = protocol.baseline.rule == BaselineRule::mean_of_two;
  std::string note = fmt::format("{} at baseline is {} on or before {}", label(protocol, where.first),
                                 two ? "the mean of the last two values" : "the last value", until);
  note += counts.from_before == 0
              ? "; of nobody from before the baseline visit"
              : fmt::format("; of {} from before the baseline visit", counted(counts.from_before, "participant"));
  if (two) note += fmt::format("; {} had two", counted(counts.mean_of_two, "participant"));
  if (counts.of_many > 0)
    note += fmt::format("; of {} values of one day count as their {}", counted(counts.of_many, "participant"),
                        day_rule(protocol, *protocol.item(where.first)));
  return note + ".";
}

std::string limit_words(protocol::LimitRule rule) {
  switch (rule) {
    case protocol::LimitRule::half:
      return "half the limit";
    case protocol::LimitRule::limit:
      return "the limit";
    case protocol::LimitRule::over_root_2:
      return "the limit divided by the square root of 2";
    case protocol::LimitRule::left_out:
      break;
  }
  return "missing";
}

}  // namespace

std::vector<ItemAtVisit> read_by(protocol::Protocol const& protocol, Recipe const& recipe) {
  Collecting collecting(protocol);
  if (const protocol::Endpoint* endpoint = protocol.endpoint(recipe.endpoint)) {
    std::vector<std::string> visits;
    if (recipe.by_visit() || recipe.carry_forward) visits = visits_read(*endpoint, recipe);
    else if (!endpoint->at.empty()) visits.push_back(endpoint->at);
    if (endpoint->variable) collecting.rule(*endpoint->variable, visits);
    if (endpoint->time) collecting.rule(*endpoint->time, {});
    for (protocol::Visit const& visit : protocol.visits)
      if (visit.day.offset() > 0) visits.push_back(visit.id);  // first(x) looks at x at every visit after baseline
    if (endpoint->event) collecting.rule(*endpoint->event, visits);
  }
  for (std::string const& covariate : recipe.covariates) {
    const CovariateName name = covariate_name(covariate);
    collecting.name(name.visit.empty() ? name.item : name.item + "@" + name.visit, recipe.visits);
  }
  return std::move(collecting).found();
}

std::vector<std::string> handling_notes(TrialTables const& tables, std::span<const ItemAtVisit> read,
                                        std::span<const std::size_t> participants) {
  protocol::Protocol const& protocol = tables.protocol();
  TrialRecords const& records = tables.records();
  std::vector<std::string> notes, items;
  for (auto const& [item, visit] : read)
    if (std::ranges::find(items, item) == items.end()) items.push_back(item);
  const bool defined = protocol.baseline.rule != BaselineRule::at_visit;
  for (std::string const& id : items) {
    protocol::Item const& item = *protocol.item(id);
    Counts all;
    std::int64_t placed = 0;
    for (ItemAtVisit const& where : read) {
      if (where.first != id) continue;
      if (defined && where.second == protocol.baseline.visit) {
        if (records.marks.contains(where)) notes.push_back(baseline_note(tables, where, participants));
        continue;
      }
      if (!records.readings.contains(id)) continue;
      const Counts counts = count(records, where, participants);
      all.several += counts.several, all.of_many += counts.of_many, all.limit_in_mean += counts.limit_in_mean;
      ++placed;
    }
    if (placed == 0) continue;
    std::string note =
        fmt::format("{}: of several values in the window of a visit {} ({})", label(protocol, id), window_rule(protocol, item),
                    all.several == 0 ? "no window had several" : counted(all.several, "window") + " had several");
    if (all.of_many > 0)
      note += fmt::format("; of several values of one day their {} counts ({})", day_rule(protocol, item),
                          counted(all.of_many, "value"));
    if (all.limit_in_mean > 0)
      note += fmt::format("; {} hold a value beyond a limit as the number that the rule for limits gives it",
                          counted(all.limit_in_mean, "mean"));
    std::int64_t outside = 0;
    if (const auto found = records.outside.find(id); found != records.outside.end())
      for (const std::size_t i : participants) outside += found->second[i];
    note += outside == 0 ? "; no value lies outside the windows"
                         : fmt::format("; {} outside the windows {} not used{}", counted(outside, "value"),
                                       outside == 1 ? "is" : "are", defined ? ", baseline apart" : "");
    notes.push_back(note + ".");
  }
  return notes;
}

std::vector<std::string> limit_notes(TrialTables const& tables, std::span<const ItemAtVisit> read,
                                     std::span<const std::size_t> participants) {
  protocol::Protocol const& protocol = tables.protocol();
  std::vector<std::string> notes;
  for (auto const& [id, visit] : read) {
    protocol::Item const& item = *protocol.item(id);
    const expression::Column column = tables.variable(id, visit);
    if (column.type != expression::Type::number || column.exact()) continue;
    std::int64_t below = 0, above = 0;
    for (const std::size_t i : participants) {
      if (!counted_as(column.interval(i), item, protocol.conventions)) continue;
      std::isinf(column.low[i]) ? ++below : ++above;
    }
    const std::string where =
        fmt::format("{} at {}", label(protocol, id), protocol.visit(visit)->label.in(protocol.trial.languages.front()));
    if (below > 0)
      notes.push_back(fmt::format("{}: {} below a limit of detection {} as {}.", where, counted(below, "value"),
                                  below == 1 ? "counts" : "count",
                                  limit_words(item.below_limit.value_or(protocol.conventions.below_limit))));
    if (above > 0)
      notes.push_back(fmt::format("{}: {} above a limit {} as {}.", where, counted(above, "value"),
                                  above == 1 ? "counts" : "count",
                                  limit_words(item.above_limit.value_or(protocol.conventions.above_limit))));
  }
  return notes;
}

}  // namespace equipoise::data
