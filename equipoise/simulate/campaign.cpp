#include "equipoise/simulate/campaign.h"

#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/simulate/scenario.h"
#include "equipoise/simulate/try_out.h"

namespace equipoise::simulate {
namespace {

constexpr std::int64_t usual_replicates = 1000;

std::vector<std::size_t> main_statements(protocol::Protocol const& protocol, std::vector<Statement> const& statements) {
  std::string wanted;
  if (protocol.design)
    if (const Node* named = protocol.design->section.find("analysis"); named && named->text()) wanted = *named->text();
  const auto of = [&](std::string const& analysis) {
    std::vector<std::size_t> found;
    for (std::size_t s = 0; s < statements.size(); ++s)
      if (statements[s].analysis == analysis) found.push_back(s);
    return found;
  };
  if (auto found = of(wanted); !found.empty()) return found;
  for (protocol::Analysis const& analysis : protocol.analyses)
    if (auto found = of(analysis.id); analysis.role == "primary" && !found.empty()) return found;
  return statements.empty() ? std::vector<std::size_t>{} : of(statements.front().analysis);
}

}  // namespace

std::unique_ptr<Campaign> Campaign::base(study::Study const& study, std::uint64_t seed, Problems& problems) {
  std::unique_ptr<Campaign> made(new Campaign);
  made->study_ = &study;
  made->seed_ = seed;
  made->settings_ = Settings::parse(study.protocol, problems);
  made->statements_ = simulate::statements(study);
  made->claims_.emplace(study.protocol, made->statements_, problems);
  if (auto monitoring = Monitoring::parse(study.protocol, problems)) {
    made->monitored_ = std::size_t(std::ranges::count(made->statements_, monitoring->analysis, &Statement::analysis));
    // Without its analysis (--analysis) the looks are left out, as claims are.
    const bool planned =
        std::ranges::find(study.plan.analyses, monitoring->analysis, &analysis::PlannedAnalysis::id) != study.plan.analyses.end();
    if (planned && made->monitored_ == 0)
      add_problem(problems, monitoring->place, Code::inconsistent, "[monitoring] looks at analysis '{}', which has no P value",
                  monitoring->analysis);
    for (Statement const& statement : made->statements_) {
      if (statement.analysis != monitoring->analysis) continue;
      const bool direction = !monitoring->either ||
                             std::ranges::any_of(monitoring->looks, [](Look const& look) { return look.futility.has_value(); });
      if (monitoring->statistic == Monitoring::Statistic::wald && !statement.has_se)
        add_problem(problems, monitoring->place, Code::inconsistent,
                    "[monitoring] compares an estimate over its standard error, and analysis '{}' has none",
                    monitoring->analysis);
      else if (direction && !statement.directed)
        add_problem(problems, monitoring->place, Code::inconsistent,
                    "[monitoring] rejects for benefit, and the method of analysis '{}' does not say which way the data point",
                    monitoring->analysis)
            .hint = "direction = \"either\", without futility";
      break;
    }
    if (made->monitored_ > 0) made->monitoring_ = std::move(*monitoring);
  }
  made->main_ = main_statements(study.protocol, made->statements_);
  return made;
}

void Campaign::add_scenario(std::string const& id, std::int64_t replicates, Problems& problems) {
  auto world = World::build(study_->protocol, id);
  if (world) {
    members_.push_back({id, std::move(*world), replicates, {}});
    if (monitoring_ && !LookDays(*study_, members_.back().world.layout(), *monitoring_, monitored_analysis()).sound())
      add_problem(
          problems, monitoring_->place, Code::not_available,
          "[monitoring] counts events of analysis '{}', whose endpoint is derived in a way that does not say whose they are",
          monitoring_->analysis);
  } else problems.insert(problems.end(), world.error().begin(), world.error().end());
}

std::size_t Campaign::monitored_analysis() const {
  return std::ranges::find(statements_, monitoring_->analysis, &Statement::analysis)->planned;
}

void Campaign::add_cell(std::size_t grid, std::size_t cell, std::int64_t replicates, Problems& problems) {
  GridPlan const& plan = settings_.grids[grid];
  const auto scenario = cell_scenario(study_->protocol, plan, cell, problems);
  if (!scenario) return;
  auto world = World::build(study_->protocol, *scenario);
  if (world) {
    members_.push_back({plan.cell_id(cell), std::move(*world), replicates, std::pair{grid, cell}});
    return;
  }
  for (Error& problem : world.error()) {
    if (std::ranges::any_of(problems,
                            [&](Error const& known) { return known.place == problem.place && known.code == problem.code; }))
      continue;  // of a cell before
    problem.message += fmt::format(" (in cell {} of grid '{}')", cell + 1, plan.id);
    problems.push_back(std::move(problem));
  }
}

Checked<std::unique_ptr<Campaign>> Campaign::plan(study::Study const& study, Asked const& asked) {
  Problems problems;
  auto made = base(study, asked.seed, problems);
  std::vector<std::string> scenarios = asked.scenarios, grids, known;
  for (GridPlan const& grid : made->settings_.grids) known.push_back(grid.id);
  const bool all = scenarios.empty() && asked.grids.empty();
  if (all) scenarios = scenario_ids(study.protocol);
  grids = all ? known : asked.grids;
  if (scenarios.empty() && grids.empty())
    add_problem(problems, {.file = study.protocol.file}, Code::no_data,
                "the protocol has no [[scenario]] that this build can simulate");
  for (std::vector<std::string>* names : {&scenarios, &grids}) {
    std::vector<std::string> once;
    for (std::string& name : *names)
      if (std::ranges::find(once, name) == once.end()) once.push_back(std::move(name));
    *names = std::move(once);
  }
  const std::int64_t usual = asked.replicates.value_or(made->settings_.replicates.value_or(usual_replicates));
  for (std::string const& id : scenarios) made->add_scenario(id, usual, problems);
  for (std::string const& id : grids) {
    const auto found = std::ranges::find(known, id);
    if (found == known.end()) {
      report_unknown(problems, study.protocol.file, "grid", id, known);
      continue;
    }
    const std::size_t grid = std::size_t(found - known.begin());
    GridPlan const& plan = made->settings_.grids[grid];
    if (plan.scenario.empty()) continue;  // reported
    for (std::size_t cell = 0; cell < plan.cells(); ++cell)
      made->add_cell(grid, cell, asked.replicates.value_or(plan.replicates.value_or(usual)), problems);
  }
  // The cells of a grid make the same things: the first one stands for all.
  for (Member const& member : made->members_)
    if (!member.cell || member.cell->second == 0)
      try_out(study, member.world, made->statements_, asked.seed, member.world.scenario().place, problems);
  if (!problems.empty()) {
    sort_in_file_order(problems);
    return fail(std::move(problems));
  }
  return made;
}

Checked<std::unique_ptr<Campaign>> Campaign::of(study::Study const& study, Part const& part) {
  Problems problems;
  auto made = base(study, part.key.seed, problems);
  for (PartWorld const& world : part.worlds) {
    const std::size_t slash = world.id.find('/');
    if (slash == std::string::npos) {
      made->add_scenario(world.id, world.replicates, problems);
      continue;
    }
    const auto grid = std::ranges::find(made->settings_.grids, world.id.substr(0, slash), &GridPlan::id);
    std::size_t cell = 0;
    if (grid != made->settings_.grids.end())
      while (cell < grid->cells() && grid->cell_id(cell) != world.id) ++cell;
    if (grid == made->settings_.grids.end() || cell == grid->cells())
      report_unknown(problems, study.protocol.file, "cell of a grid", world.id, {});
    else made->add_cell(std::size_t(grid - made->settings_.grids.begin()), cell, world.replicates, problems);
  }
  if (!problems.empty()) return fail(std::move(problems));
  return made;
}

Rehearsed Campaign::rehearsed(Member const& member) const {
  std::vector<std::int64_t> limits;
  for (analysis::PlannedAnalysis const& planned : study_->plan.analyses) limits.push_back(settings_.limit(planned.id));
  Rehearsed made(*study_, member.world, statements_, *claims_,
                 {.limits = std::move(limits),
                  .seed = seed_,
                  .kept = member.cell ? 0 : kept_replicates,
                  .monitoring = monitoring_ ? &*monitoring_ : nullptr,
                  .truths = truths_[&member]});
  truths_[&member] = made.truths();
  return made;
}

void Campaign::absorb(Part& whole, Part&& part, std::string const& file, Overlap overlap, Problems& problems) const {
  std::vector<TallyShape> shapes;
  for (Member const& member : members_)
    shapes.push_back({.statements = statements_.size(),
                      .claims = claims_->size(),
                      .hypotheses = study_->plan.multiplicity ? study_->plan.multiplicity->hypotheses.size() : 0,
                      .analyses = study_->plan.analyses.size(),
                      .looks = monitoring_ ? monitored_ * monitoring_->looks.size() : 0,
                      .monitored = monitoring_ ? monitored_ : 0,
                      .kept = member.cell ? 0 : kept_replicates});
  simulate::absorb(whole, std::move(part), file, shapes, overlap, problems);
}

Part Campaign::begin(std::string const& version) const {
  Part part{.key = {.version = version, .protocol_digest = study_->protocol.digest, .seed = seed_, .analyses = {}}, .worlds = {}};
  for (analysis::PlannedAnalysis const& planned : study_->plan.analyses)
    part.key.analyses.emplace_back(planned.id, settings_.limit(planned.id));
  for (Member const& member : members_) part.worlds.push_back({.id = member.id, .replicates = member.replicates});
  return part;
}

results::Rehearsal Campaign::characteristics(Part const& part) const {
  protocol::Protocol const& protocol = study_->protocol;
  results::Rehearsal rehearsal{.trial = protocol.trial.id,
                               .title = protocol.trial.title.in("en"),
                               .version = part.key.version,
                               .protocol_digest = protocol.digest,
                               .seed = seed_,
                               .alpha = protocol.conventions.alpha,
                               .level = protocol.conventions.confidence};
  std::optional<std::size_t> grid;
  for (std::size_t m = 0; m < members_.size(); ++m) {
    Member const& member = members_[m];
    Ledger const& ledger = part.worlds[m].ledger;
    results::ScenarioCharacteristics made = rehearsed(member).characteristics(ledger.whole(ledger.extent()));
    if (!member.cell) {
      rehearsal.scenarios.push_back(std::move(made));
      continue;
    }
    GridPlan const& plan = settings_.grids[member.cell->first];
    if (grid != member.cell->first) {
      rehearsal.grids.push_back({.id = plan.id, .scenario = plan.scenario, .axes = {}, .cells = {}});
      for (GridPlan::Axis const& axis : plan.axes) rehearsal.grids.back().axes.push_back({axis.label, axis.keys, axis.values});
      grid = member.cell->first;
    }
    made.id = member.id;
    rehearsal.grids.back().cells.push_back(std::move(made));
  }
  return rehearsal;
}

results::Measured least_known(std::vector<StatementTally> const& tallies, std::vector<std::size_t> const& statements) {
  results::Measured worst{missing_number, 0};
  for (const std::size_t s : statements) {
    const double n = double(tallies[s].asked) + 4, p = (double(tallies[s].rejected) + 2) / n, se = std::sqrt(p * (1 - p) / n);
    if (se > worst.mc_se)
      worst = {tallies[s].asked > 0 ? double(tallies[s].rejected) / double(tallies[s].asked) : missing_number, se};
  }
  return worst;
}

std::int64_t next_stop(std::int64_t after_block) {
  std::int64_t stop = 10;
  while (stop <= after_block) stop += std::max<std::int64_t>(10, stop / 10);
  return stop;
}

}  // namespace equipoise::simulate
