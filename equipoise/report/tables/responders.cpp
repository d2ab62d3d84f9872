#include <algorithm>

#include "equipoise/report/tables.h"
#include "equipoise/report/tables/parts.h"

namespace equipoise::report::tables {
namespace {

/// One arm's responses at each visit.
struct Responses {
  std::string arm;
  std::int64_t participants = 0;
  std::vector<double> n, events;
};

std::vector<Responses> responses_of(Context const& context, results::AnalysisRun const& run, std::size_t visits) {
  std::vector<Responses> found;
  for (Series const* series : series_of(context, run.id, "visit_counts")) {
    const auto *n = column(*series, "n"), *events = column(*series, "events"), *people = column(*series, "participants");
    const auto group = series->at.find("group");
    if (!n || !events || !people || people->empty() || n->size() != visits || events->size() != visits) continue;
    if (group == series->at.end() || !std::holds_alternative<std::string>(group->second)) continue;
    found.push_back({std::get<std::string>(group->second), std::int64_t(people->front()), *n, *events});
  }
  std::vector<std::string> arms;
  for (Responses const& one : found) arms.push_back(one.arm);
  arms = in_arm_order(context.plan, arms);
  std::ranges::stable_sort(found, {}, [&](Responses const& one) { return std::ranges::find(arms, one.arm) - arms.begin(); });
  return found;
}

}  // namespace

Table responders(Context const& context, results::AnalysisRun const& run) {
  if (run.problem || !first_with(context, run, "visit_counts")) return {};
  const std::vector<std::string> visits = visits_of(context, run);
  const std::vector<Responses> arms = responses_of(context, run, visits.size());
  if (arms.empty() || visits.empty()) return {};
  Table table{.id = "responders_by_visit_" + run.endpoint + "_" + run.set,
              .caption = said(context, "Responders by visit: ", "各访视应答者：") + context.endpoint(run.endpoint),
              .chapter = Table::Chapter::efficacy,
              .population = context.set(run.set),
              .n = run.n};
  Grid grid{.columns = {{.name = Cell(context.words(Word::visit_axis)), .align = Column::Align::left}}};
  for (Responses const& arm : arms) grid.columns.push_back(counted_column(context, context.arm(arm.arm), arm.participants));
  for (std::size_t v = 0; v < visits.size(); ++v) {
    Row row{.head = Cell(context.visit(visits[v]))};
    for (Responses const& arm : arms) {
      const auto n = std::int64_t(arm.n[v]), events = std::int64_t(arm.events[v]);
      row.cells.emplace_back(n == 0 ? Cell(value::count("n", 0))
                                    : Cell(of_values(Piece::Kind::plain, said(context, "{} of {} ({})", "{}/{}（{}）"),
                                                     {value::count("responders", events), value::count("n", n),
                                                      value::percent("percent", double(events) / double(n))})));
    }
    grid.add(std::move(row));
  }
  table.parts.emplace_back(std::move(grid));
  table.remarks.push_back(said(context, "Responders among the participants with a value at the visit, as observed.",
                               "在该访视有观察值的受试者中的应答者，按观察值计。"));
  return table;
}

}  // namespace equipoise::report::tables
