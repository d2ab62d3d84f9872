#include "equipoise/simulate/settings.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "equipoise/core/section.h"
#include "equipoise/simulate/merged.h"

namespace equipoise::simulate {
namespace {

constexpr std::size_t most_cells = 2500;
const Limits replicate_limits{.min = 1, .max = double(most_replicates)};

/// Reports an id that is not among the known ones.
bool known(Section& section, std::string_view key, std::string const& id, std::vector<std::string> const& ids,
           std::string_view what) {
  if (std::ranges::find(ids, id) != ids.end()) return true;
  Error& error = section.report_at(key, Code::unresolved, "{} names the {} '{}', and there is none", section.name(), what, id);
  if (const auto near = nearest(id, ids)) error.hint = fmt::format("did you mean '{}'?", *near);
  return false;
}

GridPlan::Axis read_axis(Section& section) {
  GridPlan::Axis axis{.label = section.filled_text("label").value_or(""), .keys = {}, .values = {}, .place = section.place()};
  section.need("keys"), section.need("values");
  axis.keys = section.texts("keys").value_or(std::vector<std::string>{});
  axis.values = section.numbers("values").value_or(std::vector<double>{});
  for (const std::string_view key : {"keys", "values"})
    if (section.has(key) && (key == "keys" ? axis.keys.empty() : axis.values.empty()))
      section.report_at(key, Code::out_of_range, "{} of {} is empty", key, section.name());
  std::set<double> seen;
  for (const double value : axis.values)
    if (!seen.insert(value).second)
      section.report_at("values", Code::duplicate, "{} has the value {:g} twice", section.name(), value);
  for (std::string const& key : axis.keys)
    if (key.empty() || key.starts_with('.') || key.ends_with('.') || key.find("..") != std::string::npos || key == "id" ||
        key == "model" || key == "extends" || key == "note")
      section.report_at("keys", Code::unresolved, "{} varies '{}', which is no number of a scenario", section.name(), key).hint =
          "a key is a path into the scenario's tables, as in \"effect.cd4.low\" or \"accrual.participants\"";
  if (axis.label.empty() && !axis.keys.empty()) axis.label = axis.keys.front();
  section.finish();
  return axis;
}

GridPlan read_grid(Section& section, std::vector<std::string> const& scenarios) {
  GridPlan grid{
      .id = section.id("id", true).value_or(""), .scenario = {}, .replicates = {}, .axes = {}, .place = section.place()};
  section.rename(fmt::format("grid '{}'", grid.id));
  if (const auto scenario = section.need_text("scenario"))
    if (known(section, "scenario", *scenario, scenarios, "scenario")) grid.scenario = *scenario;
  grid.replicates = section.integer("replicates", replicate_limits);
  section.need("vary");
  for (Section& axis : section.tables("vary", fmt::format("an axis of grid '{}'", grid.id))) grid.axes.push_back(read_axis(axis));
  if (section.has("vary") && grid.axes.empty())
    section.report_at("vary", Code::out_of_range, "{} varies nothing", section.name());
  std::vector<std::string> keys;
  const auto within = [](std::string const& a, std::string const& b) { return a == b || a.starts_with(b + "."); };
  for (GridPlan::Axis const& axis : grid.axes)
    for (std::string const& key : axis.keys) {
      if (std::ranges::any_of(keys, [&](std::string const& other) { return within(key, other) || within(other, key); }))
        section.report_at("vary", Code::duplicate, "{} varies '{}' twice", section.name(), key);
      keys.push_back(key);
    }
  std::size_t cells = 1;
  for (GridPlan::Axis const& axis : grid.axes)
    cells = std::min(most_cells + 1, cells * std::max<std::size_t>(1, axis.values.size()));
  if (cells > most_cells) section.report_at("vary", Code::out_of_range, "{} has more than {} cells", section.name(), most_cells);
  section.finish();
  return grid;
}

}  // namespace

std::size_t GridPlan::cells() const {
  std::size_t cells = 1;
  for (Axis const& axis : axes) cells *= axis.values.size();
  return cells;
}

std::string GridPlan::cell_id(std::size_t cell) const { return fmt::format("{}/{}", id, cell + 1); }

std::vector<double> GridPlan::values(std::size_t cell) const {
  std::vector<double> values(axes.size());
  for (std::size_t a = axes.size(); a-- > 0;) {
    values[a] = axes[a].values[cell % axes[a].values.size()];
    cell /= axes[a].values.size();
  }
  return values;
}

Settings Settings::parse(protocol::Protocol const& protocol, Problems& problems) {
  Settings settings;
  if (!protocol.rehearsal) return settings;
  Section section(protocol.rehearsal->section, "[rehearsal]", problems);
  settings.replicates = section.integer("replicates", replicate_limits);
  std::vector<std::string> analyses, scenarios;
  for (protocol::Analysis const& analysis : protocol.analyses) analyses.push_back(analysis.id);
  for (protocol::MethodSection const& scenario : protocol.scenarios) scenarios.push_back(scenario_id(scenario));
  if (auto first = section.table("first", "'first' of [rehearsal]")) {
    for (Node::Member const& member : *first->node().table()) {
      const auto n = first->integer(member.key, replicate_limits);
      if (known(*first, member.key, member.key, analyses, "analysis") && n) settings.first.emplace_back(member.key, *n);
    }
    first->finish();
  }
  std::set<std::string> seen;
  for (Section& grid : section.tables("grid", "a grid of [rehearsal]")) {
    settings.grids.push_back(read_grid(grid, scenarios));
    if (std::string const& id = settings.grids.back().id; !id.empty() && !seen.insert(id).second)
      grid.report_at("id", Code::duplicate, "the id '{}' is given to two grids", id);
  }
  section.finish();
  return settings;
}

std::int64_t Settings::limit(std::string_view analysis) const {
  for (auto const& [id, n] : first)
    if (id == analysis) return n;
  return most_replicates;
}

std::optional<protocol::MethodSection> cell_scenario(protocol::Protocol const& protocol, GridPlan const& grid, std::size_t cell,
                                                     Problems& problems) {
  const auto found = std::ranges::find(protocol.scenarios, grid.scenario, &scenario_id);
  expects(found != protocol.scenarios.end(), "the scenario of a grid is known");
  protocol::MethodSection whole = merged(protocol, std::size_t(found - protocol.scenarios.begin()));
  const std::vector<double> values = grid.values(cell);
  for (std::size_t a = 0; a < grid.axes.size(); ++a)
    for (std::string const& key : grid.axes[a].keys) {
      const double value = values[a];
      const Node node(
          value == std::floor(value) && std::abs(value) < 1e15 ? Node::Value(std::int64_t(value)) : Node::Value(value),
          grid.axes[a].place);
      auto section = replaced(whole.section, key, node);
      if (!section) {
        add_problem(problems, grid.axes[a].place, Code::wrong_type, "'{}' of grid '{}' leads through something that is no table",
                    key, grid.id);
        return {};
      }
      whole.section = std::move(*section);
    }
  return whole;
}

}  // namespace equipoise::simulate
