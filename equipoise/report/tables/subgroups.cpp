#include "equipoise/report/subgroups.h"

#include <algorithm>
#include <cmath>

#include "equipoise/report/tables.h"
#include "equipoise/report/tables/parts.h"

namespace equipoise::report::tables {
namespace {

using results::SubgroupLevel;

/// "45/141", or "141" where nothing is counted but people.
Cell count_of_arm(SubgroupLevel const& level, std::string const& arm) {
  const auto count = std::ranges::find(level.counts, arm, &SubgroupLevel::Count::arm);
  if (count == level.counts.end()) return Cell(value::count("n", 0));
  if (!count->events) return Cell(value::count("n", count->n));
  return Cell(of_values(Piece::Kind::plain, "{}/{}", {value::count("n_events", *count->events), value::count("n", count->n)}));
}

Cell effect(Context const& context, results::AnalysisRun const& run, Finding const& finding, bool& ne) {
  const results::Printed text = context.printed(run.id, finding);
  ne = ne || text.ne;
  std::vector<Value> numbers{value::estimate(finding, text)};
  if (!finding.lower || !finding.upper || std::isnan(finding.value)) return Cell(numbers.front());
  for (Value& limit : value::limits(finding, text)) numbers.push_back(std::move(limit));
  return Cell(of_values(Piece::Kind::plain, "{} (" + results::interval("{}", "{}", context.language()) + ")", numbers));
}

}  // namespace

Table subgroups(Context const& context, results::AnalysisRun const& run) {
  const auto all = subgroups_of(context, run.id);
  if (all.empty()) return {};
  SubgroupLevel const& whole = all.front()->levels.front();
  Table table{.id = "subgroups_" + run.id,
              .caption = said(context, "Subgroups: ", "亚组分析：") + context.analysis(run),
              .chapter = Table::Chapter::efficacy,
              .population = context.set(run.set),
              .n = run.n};
  Grid grid{.look = Grid::Look::baseline,
            .columns = {{.name = Cell(said(context, "Subgroup", "亚组")), .align = Column::Align::left}}};
  const std::string counted =
      !whole.counts.empty() && whole.counts.front().events ? said(context, "events/n", "事件数/n") : std::string("n");
  for (auto const& count : whole.counts) {
    Column column{.name = Cell(context.arm(count.arm))};
    column.name.pieces.push_back({Piece::Kind::under, counted});
    grid.columns.push_back(std::move(column));
  }
  for (auto const& one : whole.effects) {
    Column column{.name = Cell(effect_in_words(context, run, *all.front()))};
    column.name.pieces.push_back({Piece::Kind::under, context.arm(one.arm)});
    grid.columns.push_back(std::move(column));
  }
  grid.columns.push_back(
      {.name = Cell(std::vector<Piece>{{Piece::Kind::italic, "P"},
                                       {Piece::Kind::plain, said(context, " for interaction", "（交互作用）")}})});
  bool ne = false;
  Footnotes notes;
  const auto row_of = [&](std::string const& name, SubgroupLevel const& level, int indent) {
    Row row{.head = Cell(name), .indent = indent};
    for (std::string const& note : level.notes) row.head.pieces.push_back(notes.mark(context.note(note)));
    for (auto const& count : whole.counts) row.cells.push_back(count_of_arm(level, count.arm));
    for (auto const& one : level.effects) row.cells.push_back(effect(context, run, one.finding, ne));
    row.cells.emplace_back();
    return row;
  };
  grid.groups.push_back({.rows = {row_of(said(context, "Everybody", "全体"), whole, 0)}});
  for (std::size_t i = 1; i < all.size(); ++i) {
    results::Subgroup const& subgroup = *all[i];
    Cell head(context.item(subgroup.item));
    if (subgroup.missing > 0)
      head.pieces.push_back(
          notes.mark(fmt::format(fmt::runtime(said(context, "Without a value, and in none of these subgroups: {} participant{}.",
                                                   "{}名受试者缺失该值，不在任何亚组中。")),
                                 subgroup.missing, subgroup.missing == 1 ? "" : "s")));
    RowGroup group{.rows = {{.head = std::move(head), .kind = Row::Kind::item}}};
    for (SubgroupLevel const& level : subgroup.levels)
      group.rows.push_back(row_of(level_in_words(context, subgroup.item, level.level), level, 1));
    // The test stands in the first row of its subgroup; one for each arm under each other.
    Cell& p = group.rows[1].cells.back();
    for (auto const& test : subgroup.interactions) {
      Piece piece = of_value(value::p(test.arm.empty() ? "p_interaction" : "p_interaction_" + test.arm, test.p, context.alpha()),
                             p.empty() ? Piece::Kind::plain : Piece::Kind::under);
      ne = ne || std::isnan(test.p);
      p.pieces.push_back(std::move(piece));
    }
    if (p.empty()) p = Cell(std::string(results::not_estimable));
    grid.groups.push_back(std::move(group));
  }
  table.parts.emplace_back(std::move(grid));
  table.footnotes = notes.sentences();
  for (std::string& sentence : interaction_methods(context, all)) table.remarks.push_back(std::move(sentence));
  table.remarks.push_back(said(context,
                               "Each subgroup is analysed as everybody is. Intervals are of each subgroup alone and not adjusted "
                               "for their number; an effect in a subgroup is read with the test of interaction.",
                               "各亚组的分析方法与全体相同；区间未作多重性校正，应结合交互作用检验解读。"));
  if (ne) table.remarks.push_back(context.words(Word::ne_note));
  return table;
}

}  // namespace equipoise::report::tables
