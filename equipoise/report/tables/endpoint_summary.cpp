#include <algorithm>

#include "equipoise/core/text.h"
#include "equipoise/report/headline.h"
#include "equipoise/report/tables.h"
#include "equipoise/report/tables/parts.h"

namespace equipoise::report::tables {
namespace {

using results::AnalysisRun;
using results::Record;

template <class T>
T const* at_key(At const& at, std::string_view key) {
  const auto found = at.find(key);
  return found == at.end() ? nullptr : std::get_if<T>(&found->second);
}

/// The arm that a comparison is about: of a coefficient, the first of a difference or of a test of two; empty for all arms.
std::string arm_compared(At const& at) {
  if (const auto* term = at_key<Term>(at, "term"); term && term->size() == 1 && term->front().column == "arm")
    return term->front().level.value_or("");
  if (const auto* difference = at_key<LevelDifference>(at, "difference"); difference && difference->column == "arm")
    return difference->level;
  if (const auto* level = at_key<std::string>(at, "level"); level && at.contains("minus")) return *level;
  return {};
}

/// A row of the table: the same quantity at the same place, arm by arm.
struct Line {
  std::string label, note;
  std::map<std::string, Cell, std::less<>> cells;  ///< by arm
};

class Summary {
 public:
  explicit Summary(Context const& context) : context_(context) {}

  /// What a run says of each arm; a number that an earlier run has given is not repeated.
  void add_arms(AnalysisRun const& run) {
    for (const auto* record : context_.records(run.id)) {
      Finding const& f = record->finding;
      const auto* group = at_key<std::string>(f.at, "group");
      if (!group || f.at.contains("side") || f.at.contains("interval") || f.quantity == "n_at_risk") continue;
      if (f.quantity == "observed" || f.quantity == "expected") continue;  // of a test
      At rest = f.at;
      rest.erase("group");
      Line& line = line_of(arms_, label_of(run, f, rest));
      if (!line.cells.contains(*group)) line.cells.emplace(*group, cell_of(*record, records_of(run, *group)));
    }
  }

  /// Comparisons of a run, and its tests.
  void add_comparisons(AnalysisRun const& run) {
    for (auto const& list : {effects(context_, run), arm_tests(context_, run)})
      for (const auto* record : list) {
        Finding const& f = record->finding;
        if (at_key<std::string>(f.at, "group")) continue;
        std::string arm = arm_compared(f.at);
        if (arm.empty() && context_.plan.arms.size() == 2)
          for (auto const& one : context_.plan.arms)
            if (one.id != control()) arm = one.id;
        const bool test = !f.lower && (f.p || f.quantity == "p");
        const std::string method = context_.method(run);
        const std::string label =
            test ? method + ", " + context_.words(Word::column_p) : quantity_in_words(context_, run, f) + " (" + method + ")";
        // Another analysis by the same method has a row of its own.
        const bool taken = line_of(comparisons_, label).cells.contains(arm);
        Line& line = line_of(comparisons_, taken ? label + ", " + run.id : label);
        Cell cell = test ? Cell(value::p("p", f.quantity == "p" ? f.value : *f.p, context_.alpha())) : cell_of(*record, {});
        line.cells.emplace(arm, std::move(cell));
      }
  }

  Grid grid(std::vector<std::string> const& arms) {
    Grid grid{.look = Grid::Look::baseline,
              .columns = {{.name = Cell(context_.words(Word::column_what)), .align = Column::Align::left}}};
    const bool over_all = std::ranges::any_of(comparisons_, [](Line const& line) { return line.cells.contains(""); });
    std::vector<std::string> columns = arms;
    if (over_all) columns.emplace_back();
    for (std::string const& arm : columns)
      grid.columns.push_back({.name = Cell(arm.empty() ? context_.words(Word::baseline_all) : context_.arm(arm))});
    const auto add = [&](std::string const& title, std::vector<Line>& lines) {
      if (lines.empty()) return;
      RowGroup group{.rows = {{.head = Cell(title), .kind = Row::Kind::item}}};
      for (Line& line : lines) {
        Row row{.head = Cell(line.label), .indent = 1};
        for (std::string const& arm : columns) row.cells.push_back(std::move(line.cells[arm]));
        group.rows.push_back(std::move(row));
      }
      grid.groups.push_back(std::move(group));
    };
    add(said(context_, "By arm", "各组"), arms_);
    const auto* against = context_.plan.control();
    add(against ? context_.words.chinese() ? "与" + context_.arm(against->id) + "比较" : "Against " + context_.arm(against->id)
                : said(context_, "Comparisons", "组间比较"),
        comparisons_);
    return grid;
  }
  bool empty() const { return arms_.empty(); }
  bool ne() const { return ne_; }

 private:
  std::string control() const {
    const auto* control = context_.plan.control();
    return control ? control->id : std::string();
  }

  static Line& line_of(std::vector<Line>& lines, std::string const& label) {
    for (Line& line : lines)
      if (line.label == label) return line;
    return lines.emplace_back(Line{.label = label});
  }

  std::string label_of(AnalysisRun const& run, Finding const& f, At rest) const {
    std::string label = results::quantity_label(f.quantity, context_.language(), run.method);
    if (f.quantity == "quantile")
      if (const auto* prob = at_key<double>(rest, "prob")) {
        label = *prob == 0.5 ? context_.words(Word::column_median) : label + " " + shortest(*prob);
        rest.erase("prob");
      }
    const std::string place = place_in_words(context_, run, rest);
    return place.empty() ? label : label + ", " + place;
  }

  /// The other numbers of the arm, for shares and limits that stand in records of their own.
  std::vector<Record const*> records_of(AnalysisRun const& run, std::string const& group) const {
    std::vector<Record const*> own;
    for (const auto* record : context_.records(run.id))
      if (const auto* of = at_key<std::string>(record->finding.at, "group"); of && *of == group) own.push_back(record);
    return own;
  }

  /// "0.335 (0.174 to 0.645)"; "30 (46.2%)" of events.
  Cell cell_of(Record const& record, std::vector<Record const*> const& beside) {
    Finding f = record.finding;
    if (f.quantity == "n_events")
      for (const auto* other : beside)
        if ((other->finding.quantity == "n" || other->finding.quantity == "n_subjects") && other->finding.value > 0)
          return count_of(std::int64_t(f.value), std::int64_t(other->finding.value), percent_decimals(context_));
    for (const auto* other : beside)  // limits of a quantile
      if (const auto* side = at_key<std::string>(other->finding.at, "side"); side && other->finding.quantity == f.quantity) {
        At place = other->finding.at;
        place.erase("side");
        if (place == f.at) (*side == "lower" ? f.lower : f.upper) = other->finding.value;
      }
    const results::Printed text = context_.printed(record.analysis, f);
    ne_ = ne_ || text.ne;
    std::vector<Value> values{value::estimate(f, text)};
    if (text.interval.empty()) return Cell(values.front());
    for (Value& limit : value::limits(f, text)) values.push_back(std::move(limit));
    Cell cell(of_values(Piece::Kind::plain, "{} (" + results::interval("{}", "{}", context_.language()) + ")", values));
    if (f.p) {
      Value p = value::p("p", *f.p, context_.alpha());
      cell.pieces.push_back({Piece::Kind::under, results::p_statement(*f.p, context_.alpha()), {p}});
    }
    return cell;
  }

  Context const& context_;
  std::vector<Line> arms_, comparisons_;
  bool ne_ = false;
};

}  // namespace

Table endpoint_summary(Context const& context, protocol::Endpoint const& endpoint, std::string const& set) {
  const bool times = endpoint.kind == protocol::EndpointKind::time_to_event;
  if (!times && endpoint.kind != protocol::EndpointKind::binary) return {};
  Summary summary(context);
  AnalysisRun const* first = nullptr;
  std::vector<std::string> arms;
  int runs = 0;
  for (auto const& run : context.answer.runs) {
    if (run.endpoint != endpoint.id || run.set != set || run.problem) continue;
    if (!first) first = &run;
    ++runs;
    summary.add_arms(run);
    if (run.role == "primary" || run.role == "secondary" || run.role == "supportive") summary.add_comparisons(run);
    for (const auto* record : context.records(run.id))
      if (const auto* group = at_key<std::string>(record->finding.at, "group"))
        if (std::ranges::find(arms, *group) == arms.end()) arms.push_back(*group);
  }
  if (runs < 2 || summary.empty()) return {};
  const std::string name = context.endpoint(endpoint.id);
  Table table{.id = (times ? "time_to_event_" : "responders_") + endpoint.id,
              .caption = times ? said(context, "Summary of time to event: ", "至事件时间汇总：") + name
                               : said(context, "Summary of response: ", "应答汇总：") + name,
              .chapter = endpoint.level == "safety" ? Table::Chapter::safety : Table::Chapter::efficacy,
              .population = context.set(set),
              .n = first->n};
  table.parts.emplace_back(summary.grid(in_arm_order(context.plan, arms)));
  table.remarks.push_back(said(context, "Estimates with their ", "估计值及其") + context.confidence() +
                          said(context, " intervals; P values are those of the analyses named.", "区间；P值来自所列分析。"));
  if (summary.ne()) table.remarks.push_back(context.words(Word::ne_note));
  return table;
}

Table analyses_side_by_side(Context const& context, std::string const& endpoint) {
  struct Found {
    AnalysisRun const* run;
    Record const* record;
  };
  std::vector<Found> found;
  int runs = 0;
  for (auto const& run : context.answer.runs) {
    if (run.endpoint != endpoint || run.problem) continue;
    const std::size_t before = found.size();
    for (auto const& list : {effects(context, run), arm_tests(context, run)})
      for (const auto* record : list)
        if (!at_key<std::string>(record->finding.at, "group")) found.push_back({&run, record});
    runs += found.size() > before;
  }
  if (runs < 2) return {};
  auto const& words = context.words;
  Table table{.id = "sensitivity_" + endpoint,
              .caption = said(context, "All analyses of one endpoint, side by side: ", "同一终点的全部分析并列：") +
                         context.endpoint(endpoint),
              .chapter = Table::Chapter::efficacy};
  bool interval = false, ne = false;
  for (Found const& one : found) interval = interval || (one.record->finding.lower && one.record->finding.upper);
  Grid grid{.columns = {{.name = Cell(said(context, "Analysis", "分析")), .align = Column::Align::left},
                        {.name = Cell(words(Word::baseline_n))},
                        {.name = Cell(words(Word::column_estimate))}}};
  if (interval) grid.columns.push_back({.name = Cell(words(Word::column_interval, context.confidence()))});
  grid.columns.push_back({.name = Cell(Piece{Piece::Kind::italic, words(Word::column_p)})});
  AnalysisRun const* last = nullptr;
  for (Found const& one : found) {
    Finding const& f = one.record->finding;
    const results::Printed text = context.printed(one.run->id, f);
    ne = ne || text.ne;
    if (last != one.run) {
      grid.groups.emplace_back();
      grid.add({.head = Cell(context.analysis(*one.run) + said(context, " (", "（") + context.role(one.run->role) + ", " +
                             context.method(*one.run) + ", " + context.set(one.run->set) + said(context, ")", "）")),
                .kind = Row::Kind::item});
    }
    std::string name = quantity_in_words(context, *one.run, f);
    if (const std::string place = place_in_words(context, *one.run, f.at); !place.empty()) name += ", " + place;
    Row row{.head = Cell(name), .indent = 1};
    row.cells.push_back(last == one.run ? Cell() : Cell(value::count("n", one.run->n)));
    last = one.run;
    row.cells.push_back(f.quantity == "p" ? Cell() : Cell(value::estimate(f, text)));
    if (interval)
      row.cells.push_back(
          text.interval.empty()
              ? Cell()
              : Cell(of_values(Piece::Kind::plain, results::interval("{}", "{}", context.language()), value::limits(f, text))));
    const std::optional<double> p = f.quantity == "p" ? std::optional(f.value) : f.p;
    row.cells.push_back(p ? Cell(value::p("p", *p, context.alpha())) : Cell());
    grid.add(std::move(row));
  }
  grid.look = Grid::Look::baseline;
  table.parts.emplace_back(std::move(grid));
  if (ne) table.remarks.push_back(words(Word::ne_note));
  return table;
}

}  // namespace equipoise::report::tables
