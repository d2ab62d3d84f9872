#include "equipoise/report/figure_data.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/report/renderers.h"
#include "equipoise/report/subgroups.h"
#include "equipoise/report/visits.h"

namespace equipoise::report {
namespace {

using Cells = std::vector<std::pair<std::string, std::string>>;

/// The place of a number in columns: arm and what it is compared with, visit, and whatever else there is by its key.
Cells place_of(At const& at) {
  Cells cells;
  for (auto const& [key, value] : at) {
    if (const auto* text = std::get_if<std::string>(&value)) cells.emplace_back(key, *text);
    else if (const auto* number = std::get_if<double>(&value)) cells.emplace_back(key, data_number(*number));
    else if (const auto* levels = std::get_if<LevelDifference>(&value))
      cells.emplace_back(levels->column, levels->level), cells.emplace_back("against", levels->minus);
    else if (const auto* interval = std::get_if<TimeInterval>(&value))
      cells.emplace_back("from", data_number(interval->from)), cells.emplace_back("to", data_number(interval->to));
    else if (const auto* term = std::get_if<Term>(&value))
      for (Factor const& factor : *term) cells.emplace_back(factor.column, factor.level.value_or(""));
  }
  return cells;
}

void add_numbers(Cells& cells, Finding const& f) {
  cells.emplace_back("value", data_number(f.value));
  const auto add = [&](std::string_view name, std::optional<double> const& number) {
    if (number) cells.emplace_back(name, data_number(*number));
  };
  add("se", f.se), add("df", f.df), add("lower", f.lower), add("upper", f.upper), add("level", f.level), add("p", f.p);
  if (f.n) cells.emplace_back("n", std::to_string(*f.n));
}

}  // namespace

void FigureData::add(Cells const& cells) {
  std::vector<std::string> row(columns.size());
  for (auto const& [name, cell] : cells) {
    const auto found = std::ranges::find(columns, name);
    const auto place = std::size_t(found - columns.begin());
    if (found == columns.end()) {
      columns.push_back(name);
      for (auto& other : rows) other.emplace_back();
      row.emplace_back();
    }
    row[place] = cell;
  }
  rows.push_back(std::move(row));
}

void FigureData::say_simulated() {
  simulated = true;
  columns.insert(columns.begin(), "simulated");
  for (auto& row : rows) row.insert(row.begin(), "yes");
}

std::string data_number(double value) {
  if (std::isnan(value)) return {};
  if (std::isinf(value)) return value > 0 ? "Inf" : "-Inf";
  return shortest(value);
}

std::string csv_of(FigureData const& data) {
  std::string out = csv_line(data.columns);
  for (auto const& row : data.rows) out += csv_line(row);
  return out;
}

std::string r_of(FigureData const& data, std::string const& csv, std::string const& caption) {
  std::string title;
  for (const char c : caption) title += c == '\n' || c == '\r' ? ' ' : c;
  std::string out = "# " + title + "\n";
  if (data.simulated) out += "# SIMULATED data: these numbers come from simulated participants.\n";
  if (!data.call.empty())
    out += "# The numbers, from a data set with a row a participant (or a participant and visit): " + data.call + "\n";
  out += "d <- read.csv(\"" + csv + "\", check.names = FALSE, encoding = \"UTF-8\", stringsAsFactors = FALSE)\n";
  return out + data.plot;
}

FigureData series_data(Context const& context, results::AnalysisRun const& run, std::string_view quantity,
                       std::string const& id) {
  FigureData data{.id = id + "_" + run.id, .columns = {}, .rows = {}, .call = std::string(r_method(run.method))};
  const std::vector<std::string> visits = visits_of(context, run);
  for (Series const* series : series_of(context, run.id, quantity)) {
    std::size_t n = series->columns.empty() ? 0 : series->columns.front().second.size();
    for (auto const& [name, values] : series->columns) n = std::min(n, values.size());
    for (std::size_t i = 0; i < n; ++i) {
      Cells cells = place_of(series->at);
      for (auto const& [name, values] : series->columns) {
        const double at = values[i] - first_visit_index;
        const bool visit = name == "visit" && at >= 0 && at < double(visits.size()) && at == std::floor(at);
        cells.emplace_back(name, visit ? visits[std::size_t(at)] : data_number(values[i]));
      }
      data.add(cells);
    }
  }
  return data;
}

FigureData records_data(Context const& context, results::AnalysisRun const& run,
                        std::function<bool(results::Record const&)> const& wanted, std::string const& id) {
  FigureData data{.id = id + "_" + run.id, .columns = {}, .rows = {}, .call = std::string(r_method(run.method))};
  for (results::Record const* record : context.records(run.id)) {
    if (!wanted(*record)) continue;
    Cells cells{{"analysis", run.id}, {"quantity", record->finding.quantity}};
    for (auto& cell : place_of(record->finding.at)) cells.push_back(std::move(cell));
    add_numbers(cells, record->finding);
    data.add(cells);
  }
  return data;
}

FigureData subgroups_data(Context const& context, results::AnalysisRun const& run, std::string const& arm) {
  FigureData data{.id = "forest_" + run.id + "_" + arm, .columns = {}, .rows = {}, .call = std::string(r_method(run.method))};
  for (results::Subgroup const* subgroup : subgroups_of(context, run.id))
    for (auto const& level : subgroup->levels)
      for (auto const& effect : level.effects) {
        if (effect.arm != arm) continue;
        const std::string name = level.level.empty() ? "everybody" : level.level;
        Cells cells{{"subgroup", subgroup->item}, {"level_of", name}, {"arm", arm}, {"quantity", effect.finding.quantity}};
        for (auto const& count : level.counts) {
          cells.emplace_back("n_" + count.arm, std::to_string(count.n));
          if (count.events) cells.emplace_back("events_" + count.arm, std::to_string(*count.events));
        }
        add_numbers(cells, effect.finding);
        const auto* test = interaction_for(*subgroup, arm);
        cells.emplace_back("p_interaction", test ? data_number(test->p) : "");
        data.add(cells);
      }
  return data;
}

FigureData flow_data(Context const& context) {
  FigureData data{.id = "participant_flow", .columns = {}, .rows = {}};
  for (auto const& arm : context.answer.flow) {
    const auto add = [&](std::string const& stage, std::string const& detail, std::int64_t n) {
      data.add({{"arm", arm.arm}, {"stage", stage}, {"detail", detail}, {"n", std::to_string(n)}});
    };
    add("randomised", "", arm.randomised);
    for (auto const& left : arm.left) add("left early", left.label, left.n);
    add("completed", "", arm.completed);
    for (auto const& set : arm.sets) {
      add("analysed", set.id, set.n);
      for (auto const& excluded : set.excluded) add("excluded from " + set.id, excluded.label, excluded.n);
    }
  }
  return data;
}

std::string_view r_method(std::string_view method) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 12> calls{
      {{"kaplan_meier", "survival::survfit(Surv(time, event) ~ arm, conf.type = \"log-log\")"},
       {"cox", "survival::coxph(Surv(time, event) ~ arm)"},
       {"turnbull", "interval::icfit(Surv(left, right, type = \"interval2\") ~ arm)"},
       {"ancova", "emmeans::emmeans(lm(change ~ arm + baseline), ~ arm)"},
       {"mmrm", "emmeans::emmeans(mmrm::mmrm(change ~ arm * visit + baseline + us(visit | participant)), ~ arm | visit)"},
       {"linear_mixed", "emmeans::emmeans(lme4::lmer(response ~ arm * visit + (1 | participant)), ~ arm | visit)"},
       {"gee", "geepack::geeglm(response ~ arm * visit, id = participant)"},
       {"logistic", "glm(response ~ arm, family = binomial)"},
       {"log_rank", "survival::survdiff(Surv(time, event) ~ arm)"},
       {"multiple_imputation", "rbmi::analyse() and rbmi::pool()"},
       {"reference_based_imputation", "rbmi::analyse() and rbmi::pool()"},
       {"miettinen_nurminen", "DescTools::BinomDiffCI(method = \"mn\")"}}};
  for (auto const& [name, call] : calls)
    if (name == method) return call;
  return {};
}

}  // namespace equipoise::report
