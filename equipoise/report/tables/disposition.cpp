#include <algorithm>

#include "equipoise/report/tables.h"
#include "equipoise/report/tables/parts.h"

namespace equipoise::report::tables {
namespace {

using results::Count;
using results::FlowArm;

/// Labels of the reasons that any arm has, in their order.
template <class Reasons>
std::vector<std::string> labels_of(std::vector<FlowArm> const& flow, Reasons reasons) {
  std::vector<std::string> labels;
  for (FlowArm const& arm : flow)
    for (Count const& reason : reasons(arm))
      if (std::ranges::find(labels, reason.label) == labels.end()) labels.push_back(reason.label);
  return labels;
}

std::int64_t with_label(std::vector<Count> const& reasons, std::string const& label) {
  std::int64_t n = 0;
  for (Count const& reason : reasons)
    if (reason.label == label) n += reason.n;
  return n;
}

std::int64_t sum(std::vector<Count> const& reasons) {
  std::int64_t n = 0;
  for (Count const& reason : reasons) n += reason.n;
  return n;
}

FlowArm::Set const* set_of(FlowArm const& arm, std::string const& id) {
  for (FlowArm::Set const& set : arm.sets)
    if (set.id == id) return &set;
  return nullptr;
}

}  // namespace

Table disposition(Context const& context) {
  auto const& words = context.words;
  auto const& flow = context.answer.flow;
  if (flow.empty()) return {};
  const std::int64_t all = context.randomised();
  Table table{.id = "disposition",
              .caption = said(context, "Disposition of participants, by arm", "各组受试者去向"),
              .chapter = Table::Chapter::population,
              .population = said(context, "All randomised participants", "全部随机受试者"),
              .n = all};
  Grid grid{.look = Grid::Look::baseline,
            .columns = {{.name = Cell(said(context, "Participants, n (%)", "受试者，n (%)")), .align = Column::Align::left}}};
  for (FlowArm const& arm : flow) grid.columns.push_back(counted_column(context, context.arm(arm.arm), arm.randomised));
  const bool several = flow.size() > 1;
  if (several) grid.columns.push_back(counted_column(context, words(Word::baseline_all), all));

  const auto add = [&](RowGroup& group, std::string const& head, int indent, auto count) {
    Row row{.head = Cell(head), .indent = indent};
    std::int64_t total = 0;
    for (FlowArm const& arm : flow) {
      const std::int64_t n = count(arm);
      row.cells.push_back(count_of(n, arm.randomised, percent_decimals(context)));
      total += n;
    }
    if (several) row.cells.push_back(count_of(total, all, percent_decimals(context)));
    group.rows.push_back(std::move(row));
  };
  RowGroup participation{.rows = {{.head = Cell(said(context, "Participation", "参与情况")), .kind = Row::Kind::item}}};
  add(participation, words(Word::flow_randomised), 1, [](FlowArm const& arm) { return arm.randomised; });
  add(participation, words(context.answer.provenance.cutoff ? Word::flow_at_cutoff : Word::flow_completed), 1,
      [](FlowArm const& arm) { return arm.completed; });
  add(participation, words(Word::flow_left), 1, [](FlowArm const& arm) { return sum(arm.left); });
  for (std::string const& label : labels_of(flow, [](FlowArm const& arm) { return arm.left; }))
    add(participation, label, 2, [&](FlowArm const& arm) { return with_label(arm.left, label); });
  grid.groups.push_back(std::move(participation));

  RowGroup sets{.rows = {{.head = Cell(said(context, "Analysis sets", "分析集")), .kind = Row::Kind::item}}};
  for (FlowArm::Set const& set : flow.front().sets) {
    add(sets, context.set(set.id), 1, [&](FlowArm const& arm) {
      const auto* own = set_of(arm, set.id);
      return own ? own->n : 0;
    });
    const auto excluded = [&](FlowArm const& arm) {
      const auto* own = set_of(arm, set.id);
      return own ? own->excluded : std::vector<Count>();
    };
    for (std::string const& label : labels_of(flow, excluded))
      add(sets, said(context, "Not in it: ", "未纳入：") + label, 2,
          [&](FlowArm const& arm) { return with_label(excluded(arm), label); });
  }
  if (sets.rows.size() > 1) grid.groups.push_back(std::move(sets));
  table.parts.emplace_back(std::move(grid));
  table.footnotes.push_back(
      said(context, "Percentages are of the participants randomised to the arm.", "百分比的分母为随机至该组的受试者数。"));
  return table;
}

}  // namespace equipoise::report::tables
