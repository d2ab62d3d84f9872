#include <algorithm>
#include <array>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/report/headline.h"
#include "equipoise/report/tables.h"
#include "equipoise/report/visits.h"

namespace equipoise::report::tables {
namespace {

using results::AnalysisRun;
using results::Record;

std::string const* text_at(At const& at, std::string_view key) {
  const auto found = at.find(key);
  return found == at.end() ? nullptr : std::get_if<std::string>(&found->second);
}

double const* number_at(At const& at, std::string_view key) {
  const auto found = at.find(key);
  return found == at.end() ? nullptr : std::get_if<double>(&found->second);
}

/// Where a column of the table by arm reads: the quantity and everything of the place but the group.
struct Place {
  std::string quantity;
  At at;
  friend bool operator==(Place const&, Place const&) = default;
};

struct Shared {
  Context const& context;
  AnalysisRun const& run;
  Footnotes notes;
  std::vector<std::string> of_all;  ///< footnotes of every number: listed below the table without a mark at each
  bool ne = false;

  void add_marks(Cell& cell, Record const& record) {
    for (auto const& footnote : record.footnotes)
      if (std::ranges::find(of_all, footnote) == of_all.end()) cell.pieces.push_back(notes.mark(context.note(footnote)));
  }

  Piece show(Piece piece) {
    ne = ne || piece.text.find(results::not_estimable) != std::string::npos;
    return piece;
  }
  Piece show(Value value, Piece::Kind kind = Piece::Kind::plain) { return show(of_value(std::move(value), kind)); }
  Piece interval(Finding const& finding, results::Printed const& text, Piece::Kind kind) {
    return show(of_values(kind, results::interval("{}", "{}", context.language()), value::limits(finding, text)));
  }
};

Column row_heads(std::string const& name) { return {.name = Cell(name), .align = Column::Align::left}; }

std::string heading(Shared& shared, Place const& column) {
  auto const& words = shared.context.words;
  if (column.quantity == "quantile")
    if (const double* prob = number_at(column.at, "prob")) {
      if (*prob == 0.5) return words(Word::column_median);
      return results::quantity_label("quantile", shared.context.language()) + " " + shortest(*prob);
    }
  std::string text;
  if (column.quantity == "survival" && number_at(column.at, "time"))
    text = words(Word::column_survival_at, shortest(*number_at(column.at, "time")));
  else text = results::quantity_label(column.quantity, shared.context.language(), shared.run.method);
  At rest = column.at;
  if (column.quantity == "survival") rest.erase("time");
  const std::string place = place_in_words(shared.context, shared.run, rest);
  return place.empty() ? text : text + ", " + place;
}

/// Groups side by side: a row for each, a column for each quantity, its interval under the value.
void by_group(Table& table, Shared& shared, std::vector<Record const*> const& records) {
  auto const& context = shared.context;
  auto const& words = context.words;
  std::vector<std::string> groups;
  std::vector<Place> columns;
  std::map<std::pair<std::string, std::size_t>, Record const*> cells;
  const auto without_group = [](At at) {
    at.erase("group");
    return at;
  };
  for (const auto* record : records) {
    Finding const& f = record->finding;
    if (text_at(f.at, "side")) continue;  // limits of a quantile, printed with it
    std::string const& group = *text_at(f.at, "group");
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
    const Place column{f.quantity, without_group(f.at)};
    auto at = std::find(columns.begin(), columns.end(), column);
    if (at == columns.end()) at = columns.insert(at, column);
    cells[{group, std::size_t(at - columns.begin())}] = record;
  }
  // Numbers at risk at a time stand under the probability at that time, not in a column of their own.
  const auto at_risk_column = [&](Place const& c) -> std::optional<std::size_t> {
    const auto found = std::find(columns.begin(), columns.end(), Place{"n_at_risk", c.at});
    return c.quantity == "survival" && found != columns.end() ? std::optional(std::size_t(found - columns.begin()))
                                                              : std::nullopt;
  };
  std::vector<bool> hidden(columns.size(), false);
  for (auto const& c : columns)
    if (const auto risk = at_risk_column(c)) hidden[*risk] = true;

  Grid grid{.columns = {row_heads(words(Word::column_arm))}};
  for (std::size_t c = 0; c < columns.size(); ++c) {
    if (hidden[c]) continue;
    Column column{.name = Cell(heading(shared, columns[c]))};
    if (columns[c].quantity == "quantile") column.name.pieces.push_back(shared.notes.mark(words(Word::median_ne_note)));
    grid.columns.push_back(std::move(column));
  }
  const auto limit = [&](Finding const& f, std::string_view side) -> std::optional<double> {
    At wanted = f.at;
    wanted["side"] = std::string(side);
    for (const auto* record : records)
      if (record->finding.quantity == f.quantity && record->finding.at == wanted) return record->finding.value;
    return {};
  };
  for (auto const& group : in_arm_order(context.plan, groups)) {
    Row row{.head = Cell(context.arm(group))};
    for (std::size_t c = 0; c < columns.size(); ++c) {
      if (hidden[c]) continue;
      const auto found = cells.find({group, c});
      if (found == cells.end()) {
        row.cells.emplace_back();
        continue;
      }
      Finding f = found->second->finding;
      if (!f.lower) f.lower = limit(f, "lower");
      if (!f.upper) f.upper = limit(f, "upper");
      const results::Printed text = context.printed(shared.run.id, f);
      Cell cell(shared.show(value::estimate(f, text), Piece::Kind::main));
      shared.add_marks(cell, *found->second);
      if (!text.interval.empty()) cell.pieces.push_back(shared.interval(f, text, Piece::Kind::under));
      if (!text.p.empty())
        cell.pieces.push_back(
            {Piece::Kind::under, results::p_statement(*f.p, context.alpha()), {value::p("p", *f.p, context.alpha())}});
      if (const auto risk = at_risk_column(columns[c]))
        if (const auto count = cells.find({group, *risk}); count != cells.end()) {
          Value at_risk = value::fixed("n_at_risk", count->second->finding.value, 0);
          cell.pieces.push_back({Piece::Kind::under, words(Word::column_at_risk, at_risk.printed), {at_risk}});
        }
      row.cells.push_back(std::move(cell));
    }
    grid.add(std::move(row));
  }
  bool intervals = false;
  for (auto const& [key, record] : cells) intervals = intervals || record->finding.lower;
  const std::string level = cells.empty() ? context.confidence() : interval_level(context, *cells.begin()->second);
  table.parts.emplace_back(std::move(grid));
  if (intervals)
    table.parts.emplace_back(
        Paragraph{Paragraph::Look::note,
                  {{Piece::Kind::plain,
                    words(Word::sentence_interval, level, words.chinese() ? "列于估计值下方。" : "below each estimate.")}}});
}

/// What the table of visits says, or what a figure shows: a record of that table, what repeats it at its place (its test
/// statistic, its estimate on the scale of the model), the covariance of visits.
bool told_by_visit(Record const& record, ArmsOverVisits const& numbers) {
  Finding const& f = record.finding;
  constexpr std::array<std::string_view, 9> again = {"estimate",  "se",       "df",         "t", "z",
                                                     "robust_se", "model_se", "adjusted_p", "p"};
  const auto is = [&](ArmsOverVisits::Cell const& cell) {
    return cell.record == &record || (cell.record->finding.at == f.at && std::ranges::find(again, f.quantity) != again.end());
  };
  return std::ranges::any_of(numbers.means, is) || std::ranges::any_of(numbers.differences, is) ||
         (f.at.contains("term") && f.quantity != "estimate") || (f.quantity == "covariance" && f.at.contains("row"));
}

/// Of a mean or difference that is no arm's against the control at a visit, or what else is known at such a place.
bool beside_visits(Finding const& f) {
  if (f.quantity == "tipping_point") return false;
  const auto difference = f.at.find("difference");
  const auto* levels = difference == f.at.end() ? nullptr : std::get_if<LevelDifference>(&difference->second);
  return f.at.contains("lsmean") || f.at.contains("within") || (levels && levels->column != "arm");
}

/// A mean of one arm by a model.
bool of_one_arm(Finding const& f) {
  const auto mean = f.at.find("lsmean");
  const auto* levels = mean == f.at.end() ? nullptr : std::get_if<Term>(&mean->second);
  return f.quantity == "estimate" && levels && levels->size() == 1 && levels->front().column == "arm";
}

/// Of an arm, or of arms together with something else.
bool names_arm(Finding const& f) {
  return std::ranges::any_of(f.at, [](auto const& place) {
    if (const auto* difference = std::get_if<LevelDifference>(&place.second)) return difference->column == "arm";
    const auto* term = std::get_if<Term>(&place.second);
    return place.first == "group" || place.first == "level" ||
           (term && std::ranges::find(*term, "arm", &Factor::column) != term->end());
  });
}

/// Of a mean or difference that is of other groups than arms.
bool beside_arms(Finding const& f) {
  const auto mean = f.at.find("lsmean");
  const auto* levels = mean == f.at.end() ? nullptr : std::get_if<Term>(&mean->second);
  if (levels) return levels->size() != 1 || levels->front().column != "arm";
  return beside_visits(f);
}

/// A part of an estimate (its statistic, error or degrees of freedom) whose row has the others, from which it follows.
bool told_by_estimate(Record const& record, std::vector<Record const*> const& records) {
  constexpr std::array<std::string_view, 5> parts = {"t", "z", "se", "df", "p"};
  Finding const& f = record.finding;
  if (f.at.empty() || std::ranges::find(parts, f.quantity) == parts.end()) return false;
  return std::ranges::any_of(records, [&](Record const* other) {
    return other->finding.quantity == "estimate" && other->finding.at == f.at && other->finding.se;
  });
}

TimeInterval const* interval_at(At const& at) {
  const auto found = at.find("interval");
  return found == at.end() ? nullptr : std::get_if<TimeInterval>(&found->second);
}

/// Masses of intervals: a row for each interval in which some arm has any, a column for each arm.
Grid by_interval(Shared& shared, std::vector<Record const*> const& records) {
  auto const& context = shared.context;
  const auto before = [](TimeInterval const& a, TimeInterval const& b) {
    return a.from != b.from ? a.from < b.from : a.to < b.to;
  };
  std::vector<std::string> groups;
  std::map<TimeInterval, std::map<std::string, Record const*>, decltype(before)> rows(before);
  for (const auto* record : records) {
    std::string const& group = *text_at(record->finding.at, "group");
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
    if (record->finding.value != 0) rows[*interval_at(record->finding.at)][group] = record;  // NE stays
  }
  groups = in_arm_order(context.plan, groups);
  Grid grid{.columns = {row_heads(context.words(Word::column_event_between))}};
  for (auto const& group : groups) grid.columns.push_back({.name = Cell(context.arm(group))});
  for (auto const& [interval, cells] : rows) {
    Row row{.head = Cell(place_in_words(context, shared.run, At{{"interval", interval}}))};
    for (auto const& group : groups) {
      Cell cell;
      if (const auto found = cells.find(group); found != cells.end()) {
        Finding const& f = found->second->finding;
        cell = shared.show(value::estimate(f, results::printed(f, context.language())), Piece::Kind::main);
        shared.add_marks(cell, *found->second);
      }
      row.cells.push_back(std::move(cell));
    }
    grid.add(std::move(row));
  }
  return grid;
}

/// Footnotes that every number of the method has, when there are several: a mark at each would say nothing.
std::vector<std::string> shared_footnotes(std::vector<Record const*> const& records) {
  std::vector<Record const*> noted;
  for (const auto* record : records)
    if (!record->footnotes.empty()) noted.push_back(record);
  if (noted.size() < 2) return {};
  std::vector<std::string> common;
  for (auto const& footnote : noted.front()->footnotes)
    if (std::ranges::all_of(noted, [&](Record const* record) {
          return std::ranges::find(record->footnotes, footnote) != record->footnotes.end();
        }))
      common.push_back(footnote);
  return common;
}

/// The degrees of freedom of an F test's denominator, which stand beside it.
Record const* denominator_of(Context const& context, Record const& test) {
  if (test.finding.quantity != "f") return nullptr;
  for (const auto* record : context.records(test.analysis))
    if (record->finding.quantity == "residual_df" && record->finding.at == test.finding.at) return record;
  return nullptr;
}

/// Estimate, interval and P of a number together, a row for each.
Grid by_row(Shared& shared, std::vector<Record const*> const& records, Grid::Look look) {
  auto const& context = shared.context;
  auto const& words = context.words;
  bool se = false, df = false, p = false, interval = false, adjusted = false;
  std::vector<results::Printed> printed;
  for (const auto* record : records) {
    Finding f = record->finding;
    if (!f.se)
      if (const Record* log = on_log_scale(context, *record)) f.se = log->finding.se;
    printed.push_back(context.printed(shared.run.id, f));
    if (f.quantity == "p" || f.quantity == "adjusted_p") p = true;
    adjusted = adjusted || adjusted_beside(context, *record);
    se = se || f.se, df = df || f.df, p = p || f.p, interval = interval || (f.lower && f.upper);
  }
  // The P values of some methods are adjusted themselves, and stand in one column.
  if (adjusted && std::ranges::all_of(records, [&](Record const* record) {
        const Record* beside = adjusted_beside(context, *record);
        return !record->finding.p || (beside && beside->finding.value == *record->finding.p);
      }))
    p = p && shared.run.method != "dunnett";
  Grid grid{.look = look, .columns = {row_heads(words(Word::column_what))}};
  const auto column = [&](std::string const& name) { grid.columns.push_back({.name = Cell(name)}); };
  column(words(interval ? Word::column_estimate : Word::column_value));
  if (interval) column(words(Word::column_interval, interval_level(context, *records.front())));
  if (se) column(words(Word::column_se));
  if (df) column(words(Word::column_df));
  if (p) grid.columns.push_back({.name = Cell(Piece{Piece::Kind::italic, words(Word::column_p)})});
  if (adjusted) column(words(Word::family_adjusted));
  for (std::size_t i = 0; i < records.size(); ++i) {
    Finding f = records[i]->finding;
    if (!f.se)
      if (const Record* log = on_log_scale(context, *records[i])) f.se = log->finding.se;
    results::Printed const& text = printed[i];
    const bool ls_mean = f.quantity == "estimate" && f.at.contains("lsmean");  // its place says it all
    Row row{.head = Cell(ls_mean ? place_in_words(context, shared.run, f.at) : quantity_in_words(context, shared.run, f))};
    if (f.quantity == "hazard_ratio") row.head.pieces.push_back(shared.notes.mark(words(Word::hr_reading)));
    shared.add_marks(row.head, *records[i]);
    if (const std::string place = place_in_words(context, shared.run, f.at); !place.empty() && !ls_mean)
      row.head.pieces.push_back({Piece::Kind::place, place});
    const auto add = [&](Cell cell) { row.cells.push_back(std::move(cell)); };
    const bool is_p = f.quantity == "p";
    add(is_p ? Cell(Piece{Piece::Kind::main, ""}) : Cell(shared.show(value::estimate(f, text), Piece::Kind::main)));
    if (interval) add(text.interval.empty() ? Cell() : Cell(shared.interval(f, text, Piece::Kind::plain)));
    if (se) {
      Cell cell = text.se.empty() ? Cell() : Cell(shared.show(value::se(f, text)));
      if (!cell.empty() && f.quantity.ends_with("_ratio")) cell.pieces.push_back(shared.notes.mark(words(Word::hr_se_note)));
      add(std::move(cell));
    }
    if (df) {
      Cell cell = text.df.empty() ? Cell() : Cell(shared.show(value::as_printed("df", *f.df, text.df)));
      if (const Record* below = denominator_of(context, *records[i]); below && std::isfinite(below->finding.value)) {
        const double df2 = below->finding.value;
        cell.pieces.push_back(
            of_values(Piece::Kind::plain, ", {}", {value::fixed("denominator_df", df2, df2 == std::round(df2) ? 0 : 1)}));
      }
      add(std::move(cell));
    }
    if (p) {
      const std::optional<double> own = is_p ? std::optional(f.value) : f.p;
      add(own ? Cell(shared.show(value::p("p", *own, context.alpha()))) : Cell());
    }
    if (adjusted) {
      const Record* beside = adjusted_beside(context, *records[i]);
      add(beside ? Cell(shared.show(value::p("adjusted_p", beside->finding.value, context.alpha()))) : Cell());
    }
    grid.add(std::move(row));
  }
  return grid;
}

}  // namespace

Table analysis(Context const& context, AnalysisRun const& run) {
  auto const& words = context.words;
  Table table{.id = "analysis_" + run.id,
              .caption = words(Word::results_caption, context.analysis(run), context.method(run)),
              .chapter = run.role == "safety" ? Table::Chapter::safety : Table::Chapter::efficacy,
              .population = context.set(run.set),
              .n = run.n};
  const std::optional<ArmsOverVisits> by_visit = arms_over_visits(context, run);
  Shared shared{context, run, {}, shared_footnotes(context.records(run.id))};
  if (by_visit) {
    std::vector<Record const*> cells;
    for (auto const* list : {&by_visit->means, &by_visit->differences})
      for (auto const& cell : *list) cells.push_back(cell.record);
    for (std::string const& footnote : shared_footnotes(cells))
      if (std::ranges::find(shared.of_all, footnote) == shared.of_all.end()) shared.of_all.push_back(footnote);
  }
  const auto say = [&](Paragraph::Look look, std::string const& text) {
    table.parts.emplace_back(Paragraph{look, {{Piece::Kind::plain, text}}});
  };
  say(Paragraph::Look::meta, words(Word::method_line, context.role(run.role), context.set(run.set), run.n));
  if (run.estimand) {
    const auto* estimand = context.plan.estimand(*run.estimand);
    const std::string objective = estimand && !estimand->objective.empty() ? estimand->objective : context.endpoint(run.endpoint);
    say(Paragraph::Look::meta, words(Word::estimand_line, *run.estimand, objective));
  } else {
    say(Paragraph::Look::meta, words(Word::no_estimand));
  }
  if (run.problem) {
    say(Paragraph::Look::problem, words(Word::problem_line, *run.problem));
    return table;
  }

  std::vector<Record const*> grouped, masses, main, minor;
  const std::vector<Record const*> effect = effects(context, run);
  const std::vector<Record const*> tests = arm_tests(context, run);
  const std::vector<Record const*> records = context.records(run.id);
  const auto printed_beside = [&](Record const* adjusted) {  // in a column of the row that has the P value
    return adjusted->finding.quantity == "adjusted_p" && std::any_of(records.begin(), records.end(), [&](Record const* one) {
             return adjusted_beside(context, *one) == adjusted;
           });
  };
  const bool model = by_visit || std::ranges::any_of(records, [](Record const* one) { return of_one_arm(one->finding); });
  // A model without the arm (of the dose as a number), and no factor was asked for: its coefficients are the answer, and the
  // means of its other factors stand behind them.
  const bool armless = run.options.find("\"factor\"") == std::string::npos &&
                       std::ranges::none_of(records, [](Record const* one) { return names_arm(one->finding); });
  std::vector<Record const*> coefficients, details, terms;
  for (const auto* record : records) {
    Finding const& f = record->finding;
    if (by_visit && told_by_visit(*record, *by_visit)) continue;
    if ((model || armless) && (told_by_estimate(*record, records) || (f.quantity == "residual_df" && f.at.contains("effect"))))
      continue;
    if (model && f.at.contains("term")) {
      coefficients.push_back(record);
      continue;
    }
    if (by_visit ? beside_visits(f) : (model || armless) && beside_arms(f)) {
      details.push_back(record);
      continue;
    }
    if (model && f.quantity == "f" && std::ranges::find(tests, record) == tests.end()) {
      terms.push_back(record);
      continue;
    }
    if (!text_at(record->finding.at, "group") && printed_beside(record)) continue;
    if (text_at(record->finding.at, "group"))
      (interval_at(record->finding.at) && record->finding.at.size() == 2 ? masses : grouped).push_back(record);
    else if ((!tests.empty() && record->finding.quantity == tests.front()->finding.quantity) ||
             std::find(effect.begin(), effect.end(), record) != effect.end())
      main.push_back(record);
    else if (behind_a_ratio(context, *record)) continue;
    else if (!effect.empty() && record->finding.at.contains("term")) minor.push_back(record);
    else
      (record->finding.quantity == "estimate" || record->finding.quantity == "geometric_mean_ratio" ? main : minor)
          .push_back(record);
  }
  const auto add = [&](Grid grid) {
    if (!grid.empty()) table.parts.emplace_back(std::move(grid));
  };
  if (by_visit) add(visits(context, *by_visit, shared.notes, shared.of_all));
  if (!grouped.empty()) by_group(table, shared, grouped);
  if (!masses.empty()) add(by_interval(shared, masses));
  if (main.empty() && grouped.empty() && masses.empty() && !by_visit) main.swap(minor);
  if (!main.empty()) add(by_row(shared, main, Grid::Look::data));
  const auto below = [&](std::string const& title, std::vector<Record const*> const& rows, bool folded) {
    if (rows.empty()) return;
    Grid grid = by_row(shared, rows, Grid::Look::minor);
    grid.title = title, grid.folded = folded;
    add(std::move(grid));
  };
  below(words(Word::secondary_quantities), minor, false);
  below(words(by_visit ? Word::visit_details : Word::model_details, details.size()), details, true);
  below(words(Word::model_terms, terms.size()), terms, true);
  below(words(Word::visit_coefficients, coefficients.size()), coefficients, true);
  for (auto const& note : shared.of_all) shared.notes.mark(context.note(note));
  for (auto const& note : run.notes) shared.notes.mark(context.note(note));
  if (shared.ne) shared.notes.mark(words(Word::ne_note));
  table.footnotes = shared.notes.sentences();
  return table;
}

}  // namespace equipoise::report::tables
