#include "equipoise/analysis/flow.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "equipoise/data/derive.h"
#include "equipoise/data/rule_notes.h"
#include "equipoise/stats/continuous/descriptive.h"

namespace equipoise::analysis {
namespace {

using data::TrialRecords;
using data::TrialTables;
using expression::Column;

struct Leaving {
  std::vector<protocol::CodeValue> reasons;  // in protocol order
  std::vector<std::int32_t> reason;          // of each participant; -1: did not leave
};

Leaving first_leaving(TrialTables const& tables) {
  Leaving found;
  TrialRecords const& records = tables.records();
  found.reason.assign(records.participants.size(), -1);
  std::vector<double> when(records.participants.size(), std::numeric_limits<double>::infinity());
  for (protocol::Form const& form : tables.protocol().forms) {
    if (!form.any_time) continue;
    const auto entries = records.entries.find(form.id);
    for (protocol::Item const& item : form.items) {
      if (item.kind != protocol::ItemKind::code) continue;
      for (protocol::CodeValue const& code : item.codes) {
        std::vector<std::string> const& ends = tables.protocol().ends_participation;
        if (std::ranges::find(ends, code.id) == ends.end()) continue;
        const auto reason = std::int32_t(found.reasons.size());
        found.reasons.push_back(code);
        if (entries == records.entries.end()) continue;
        Column const& column = entries->second.items.at(item.id);
        for (std::size_t row = 0; row < column.size(); ++row) {
          if (column.missing(row) || column.levels[std::size_t(column.code[row])] != code.id) continue;
          const std::size_t who = entries->second.participant[row];
          const double day =
              std::isnan(entries->second.date.low[row]) ? std::numeric_limits<double>::max() : entries->second.date.low[row];
          if (day < when[who]) when[who] = day, found.reason[who] = reason;
        }
      }
    }
  }
  return found;
}

}  // namespace

std::vector<results::FlowArm> participant_flow(TrialTables const& tables) {
  protocol::Protocol const& protocol = tables.protocol();
  TrialRecords const& records = tables.records();
  const Leaving left = first_leaving(tables);
  std::vector<data::Membership> memberships;
  for (protocol::AnalysisSet const& set : protocol.sets) memberships.push_back(data::members(tables, set));

  std::vector<results::FlowArm> flow;
  for (std::size_t a = 0; a < protocol.arms.size(); ++a) {
    results::FlowArm arm{.arm = protocol.arms[a].id};
    for (protocol::CodeValue const& reason : left.reasons)
      arm.left.push_back({reason.label.in(protocol.trial.languages.front()), 0});
    for (protocol::AnalysisSet const& set : protocol.sets) arm.sets.push_back({.id = set.id, .n = 0, .excluded = {}});
    std::vector<std::int64_t> out(protocol.sets.size(), 0);
    for (std::size_t i = 0; i < records.participants.size(); ++i) {
      if (records.arm.code[i] != std::int32_t(a)) continue;
      ++arm.randomised;
      if (left.reason[i] < 0) ++arm.completed;
      else ++arm.left[std::size_t(left.reason[i])].n;
      for (std::size_t s = 0; s < protocol.sets.size(); ++s) memberships[s].in[i] ? ++arm.sets[s].n : ++out[s];
    }
    for (std::size_t s = 0; s < out.size(); ++s)
      if (out[s] > 0) arm.sets[s].excluded.push_back({protocol.sets[s].rule.text(), out[s]});
    flow.push_back(std::move(arm));
  }
  return flow;
}

namespace {

results::BaselineItem::Cell numeric_cell(Column const& column, std::vector<std::size_t> const& rows, stats::QuantileRule rule) {
  std::vector<double> values;
  std::int64_t bounded = 0;
  for (const std::size_t row : rows) {
    const auto known = column.interval(row);
    if (known.exact()) values.push_back(known.low);
    else bounded += !known.missing();
  }
  const stats::Summary summary = stats::summarise(values, rule);
  return {.n = summary.n,
          .missing = std::int64_t(rows.size()) - summary.n - bounded,
          .bounded = bounded,
          .mean = summary.mean,
          .sd = summary.sd,
          .median = summary.median,
          .lower_quartile = summary.lower_quartile,
          .upper_quartile = summary.upper_quartile,
          .min = summary.min,
          .max = summary.max,
          .counts = {}};
}

results::BaselineItem::Cell category_cell(Column const& column, std::vector<std::size_t> const& rows, std::size_t levels) {
  results::BaselineItem::Cell cell;
  cell.counts.assign(levels, 0);
  for (const std::size_t row : rows) {
    if (column.missing(row)) {
      ++cell.missing;
      continue;
    }
    ++cell.n;
    ++cell.counts[column.type == expression::Type::truth ? (column.truth[row] == expression::is_true ? 0 : 1)
                                                         : std::size_t(column.code[row])];
  }
  return cell;
}

}  // namespace

std::string quartile_rule(protocol::Protocol const& protocol) {
  return protocol.conventions.match == "r" ? "Quartiles by R's default rule (type 7)."
                                           : "Quartiles by SAS definition 5 (empirical distribution function with averaging).";
}

namespace {

/// Summaries of these variables ("age@baseline") among randomised participants, by arm and over all.
std::vector<results::BaselineItem> summaries(TrialTables const& tables, std::vector<std::string> const& variables) {
  protocol::Protocol const& protocol = tables.protocol();
  TrialRecords const& records = tables.records();
  const auto rule = protocol.conventions.match == "r" ? stats::QuantileRule::r_7 : stats::QuantileRule::sas_5;
  std::vector<std::vector<std::size_t>> columns(protocol.arms.size() + 1);
  for (std::size_t i = 0; i < records.participants.size(); ++i)
    if (const auto arm = records.arm.code[i]; arm != missing_level)
      columns[std::size_t(arm)].push_back(i), columns.back().push_back(i);

  std::vector<results::BaselineItem> table;
  for (std::string const& wanted : variables) {
    const auto at = wanted.find('@');
    const std::string name = wanted.substr(0, at), visit = at == std::string::npos ? "" : wanted.substr(at + 1);
    const Column column = tables.variable(name, visit.empty() ? std::nullopt : std::optional<std::string_view>(visit));
    results::BaselineItem item{.item = wanted};
    item.categorical = column.type == expression::Type::code || column.type == expression::Type::truth;
    if (column.type == expression::Type::code) item.levels = column.levels;
    if (column.type == expression::Type::truth) item.levels = {"true", "false"};
    if (column.type == expression::Type::text || column.type == expression::Type::date) continue;  // they have no summary
    for (std::vector<std::size_t> const& rows : columns)
      item.cells.push_back(item.categorical ? category_cell(column, rows, item.levels.size()) : numeric_cell(column, rows, rule));
    const data::Recipe recipe{.set = {}, .endpoint = {}, .estimand = {}, .covariates = {wanted}};
    item.notes = data::handling_notes(tables, data::read_by(protocol, recipe), columns.back());
    table.push_back(std::move(item));
  }
  return table;
}

}  // namespace

std::vector<results::BaselineItem> baseline_table(TrialTables const& tables) {
  return summaries(tables, tables.protocol().report.baseline);
}

std::vector<results::BaselineItem> exposure_table(TrialTables const& tables) {
  protocol::Protocol const& protocol = tables.protocol();
  std::vector<std::string> variables;
  for (protocol::Intervention const& given : protocol.interventions)
    for (protocol::Form const& form : protocol.forms) {
      std::vector<std::string> visits;
      bool only = true;
      for (protocol::Visit const& visit : protocol.visits)
        if (std::ranges::find(visit.forms, form.id) != visit.forms.end()) {
          visits.push_back(visit.id);
          only = only && std::ranges::find(given.visits, visit.id) != given.visits.end();
        }
      if (!only) continue;
      for (protocol::Item const& item : form.items)
        for (std::string const& visit : visits)
          if (const std::string name = item.id + "@" + visit; item.kind != protocol::ItemKind::date &&
                                                              item.kind != protocol::ItemKind::text &&
                                                              std::ranges::find(variables, name) == variables.end())
            variables.push_back(name);
    }
  return summaries(tables, variables);
}

}  // namespace equipoise::analysis
