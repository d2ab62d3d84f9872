#include "equipoise/cli/rehearsal_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"

namespace equipoise::cli {
namespace {

/// "4.7 (0.21)": per cent with its Monte Carlo standard error.
std::string percent(results::Share const& share) {
  return fmt::format("{:.1f} ({:.2f})", 100 * share.value(), 100 * share.mc_se());
}

std::string number(std::optional<results::Measured> const& measured) {
  return !measured || std::isnan(measured->value) ? "" : fmt::format("{:#.3g}", measured->value);
}

/// A count or a number of days, without digits behind the point; nothing when it is of no trial.
std::string whole(results::Measured const& measured) {
  return std::isnan(measured.value) ? "" : fmt::format("{:.0f}", measured.value);
}

std::string label_of(protocol::Protocol const& protocol, std::string const& arm) {
  if (arm.empty()) return "all arms";
  const protocol::Arm* found = protocol.arm(arm);
  return found ? found->label.in("en") : arm;
}

/// Columns as wide as their widest cell; the first to the left, the others to the right.
std::string table(std::vector<std::vector<std::string>> const& rows) {
  std::vector<std::size_t> width(rows.front().size(), 0);
  for (auto const& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], row[c].size());
  std::string out;
  for (auto const& row : rows) {
    std::string line = " ";
    for (std::size_t c = 0; c < row.size(); ++c)
      line += c == 0 ? fmt::format(" {:<{}}", row[c], width[c]) : fmt::format("  {:>{}}", row[c], width[c]);
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace

std::string rehearsal_text(protocol::Protocol const& protocol, results::Rehearsal const& rehearsal) {
  std::string out = fmt::format("SIMULATED: {} rehearsed, seed {}. Per cent of trials with Monte Carlo standard errors.\n",
                                protocol.trial.id, rehearsal.seed);
  for (results::ScenarioCharacteristics const& one : rehearsal.scenarios) {
    out += fmt::format("\nScenario {}: {} trials\n", one.id, one.replicates);
    std::vector<std::vector<std::string>> rows{{"analysis", "P <= " + fmt::format("{:g}", rehearsal.alpha), "truth", "mean",
                                                "bias", "SD", "model SE", "coverage", "no answer"}};
    for (results::StatementCharacteristics const& row : one.statements)
      rows.push_back({row.analysis + ", " + label_of(protocol, row.arm) + (row.against.empty() ? " by itself" : ""),
                      percent(row.rejected), number(row.truth), number(row.mean), number(row.bias), number(row.empirical_se),
                      number(row.model_se), row.coverage ? percent(*row.coverage) : "",
                      row.not_estimable.n > 0 ? percent(row.not_estimable) : "0"});
    out += table(rows);
    if (one.any_rejected) {
      rows = {{"hypotheses, adjusted", "rejected"}};
      for (results::HypothesisCharacteristics const& row : one.hypotheses)
        rows.push_back({row.id + (row.is_true ? " (true)" : ""), percent(row.rejected)});
      rows.push_back({"at least one", percent(*one.any_rejected)});
      if (one.family_wise_error) rows.push_back({"at least one true one: family-wise error", percent(*one.family_wise_error)});
      out += table(rows);
    }
    if (!one.claims.empty()) {
      rows = {{"claim", "arises"}};
      for (results::ClaimCharacteristics const& row : one.claims)
        rows.push_back({row.label.empty() ? row.id : row.label, percent(row.holds)});
      out += table(rows);
    }
    if (!one.monitoring.empty()) {
      rows = {{"looks", "reached", "benefit", "futility", "day", "participants"}};
      for (results::MonitoringCharacteristics const& row : one.monitoring)
        for (results::LookCharacteristics const& look : row.looks)
          rows.push_back({row.analysis + ", " + label_of(protocol, row.arm) + ": " + look.id, percent(look.reached),
                          percent(look.stopped_for_benefit), percent(look.stopped_for_futility), whole(look.day),
                          whole(look.participants)});
      for (results::MonitoringCharacteristics const& row : one.monitoring)
        rows.push_back({row.analysis + ", " + label_of(protocol, row.arm) + ": at some look, and when it stops", "",
                        percent(row.rejected), "", whole(row.expected_days), whole(row.expected_participants)});
      if (one.monitoring.size() > 1) {
        rows.push_back({"at least one", "", percent(*one.monitored_any)});
        rows.push_back({"all", "", percent(*one.monitored_all)});
      }
      for (auto& row : rows) row.resize(6);
      out += table(rows);
    }
    for (results::AnalysisFailures const& row : one.failures)
      if (row.fell_back.n > 0)
        out += fmt::format("  {}: a later model of the declared list in {} % of trials\n", row.analysis, percent(row.fell_back));
    out += fmt::format(
        "  accrual {:.0f} days, trial {:.0f} days, {:.0f} screened, arms {:.2f} apart, {:.1f} % guessed, {:.1f} % left early\n",
        one.accrual_days.value, one.trial_days.value, one.screened.value, one.imbalance.value, 100 * one.guessed.value,
        100 * one.left_early.value);
    for (std::string const& note : one.notes) out += "  " + note + "\n";
  }
  for (results::Grid const& grid : rehearsal.grids) {
    out += fmt::format("\nGrid {}, scenario {}: P <= {:g}\n", grid.id, grid.scenario, rehearsal.alpha);
    std::vector<std::vector<std::string>> rows(1);
    for (results::Grid::Axis const& axis : grid.axes) rows[0].push_back(axis.label);
    if (!grid.cells.empty())
      for (results::StatementCharacteristics const& row : grid.cells.front().statements)
        rows[0].push_back(row.analysis + ", " + label_of(protocol, row.arm));
    for (std::size_t c = 0; c < grid.cells.size(); ++c) {
      std::vector<std::string>& line = rows.emplace_back();
      std::size_t step = grid.cells.size(), place = c;
      for (results::Grid::Axis const& axis : grid.axes) {
        step /= axis.values.size();
        line.push_back(fmt::format("{:g}", axis.values[place / step]));
        place %= step;
      }
      for (results::StatementCharacteristics const& row : grid.cells[c].statements) line.push_back(percent(row.rejected));
    }
    out += table(rows);
  }
  return out;
}

std::string rehearsal_summary(protocol::Protocol const& protocol, results::Rehearsal const& rehearsal) {
  std::string out = fmt::format(
      "SIMULATED: {} rehearsed, seed {}. How often each arises, in per cent of trials with Monte Carlo standard errors.\n\n",
      protocol.trial.id, rehearsal.seed);
  if (rehearsal.scenarios.empty()) return out;
  std::vector<std::vector<std::string>> rows(1);
  const auto each = [&](std::string name, auto const& share_of) {
    std::vector<std::string> row{std::move(name)};
    for (results::ScenarioCharacteristics const& one : rehearsal.scenarios) row.push_back(percent(share_of(one)));
    rows.push_back(std::move(row));
  };
  rows[0].push_back("");
  for (results::ScenarioCharacteristics const& one : rehearsal.scenarios) rows[0].push_back(one.id);
  results::ScenarioCharacteristics const& first = rehearsal.scenarios.front();
  for (std::size_t c = 0; c < first.claims.size(); ++c)
    each(first.claims[c].label.empty() ? first.claims[c].id : first.claims[c].label,
         [&](auto const& one) { return one.claims[c].holds; });
  if (first.claims.empty())
    for (std::size_t s = 0; s < first.statements.size(); ++s)
      each(first.statements[s].analysis + ", " + label_of(protocol, first.statements[s].arm),
           [&](auto const& one) { return one.statements[s].rejected; });
  for (std::size_t s = 0; s < first.statements.size() && !first.claims.empty(); ++s)
    if (results::StatementCharacteristics const& row = first.statements[s]; row.rejected.of < first.replicates)
      each(fmt::format("{}, {}: P <= {:g} (first {} trials)", row.analysis, label_of(protocol, row.arm), rehearsal.alpha,
                       row.rejected.of),
           [&](auto const& one) { return one.statements[s].rejected; });
  if (first.any_rejected)
    each("Some hypothesis rejected by the procedure of [multiplicity]", [](auto const& one) { return *one.any_rejected; });
  std::vector<std::string> trials{"Trials"};
  for (results::ScenarioCharacteristics const& one : rehearsal.scenarios) trials.push_back(std::to_string(one.replicates));
  rows.push_back(std::move(trials));
  return out + table(rows);
}

std::string comparison_text(protocol::Protocol const& protocol, results::Comparison const& comparison) {
  std::string out = fmt::format(
      "SIMULATED: {} and {} rehearsed on the same random numbers, seed {}. Per cent of trials with Monte Carlo standard "
      "errors.\n",
      comparison.first.file, comparison.second.file, comparison.seed);
  for (results::ScenarioComparison const& one : comparison.scenarios) {
    out += fmt::format("\nScenario {}: {} trials of each\n", one.id, one.replicates);
    std::vector<std::vector<std::string>> rows{{"", "first", "second", "first - second"}};
    for (results::PairedShare const& row : one.shares)
      rows.push_back(
          {row.kind == "claim" ? (row.label.empty() ? row.id : row.label) : row.id + ", " + label_of(protocol, row.arm),
           percent(row.first), percent(row.second),
           row.first.of > 0 ? fmt::format("{:+.1f} ({:.2f})", 100 * row.difference.value, 100 * row.difference.mc_se) : ""});
    for (results::PairedMean const& row : one.means)
      rows.push_back({row.id, fmt::format("{:.0f}", row.first.value), fmt::format("{:.0f}", row.second.value),
                      fmt::format("{:+.1f} ({:.2f})", row.difference.value, row.difference.mc_se)});
    out += table(rows);
  }
  for (auto const& [list, file] :
       {std::pair(&comparison.only_first, &comparison.first.file), {&comparison.only_second, &comparison.second.file}})
    if (!list->empty()) out += fmt::format("\nOnly in {}: {}\n", *file, join(*list, ", "));
  return out;
}

}  // namespace equipoise::cli
