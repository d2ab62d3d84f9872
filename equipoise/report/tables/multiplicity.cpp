#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/report/headline.h"
#include "equipoise/report/tables.h"

namespace equipoise::report::tables {
namespace {

using results::Hypothesis;

/// The hypothesis's effect and its simultaneous limits as one finding.
Finding effect_of(Context const& context, Hypothesis const& one) {
  Finding effect{.quantity = one.quantity, .at = one.at, .value = *one.estimate};
  effect.lower = one.lower;
  effect.upper = one.upper;
  for (auto const& record : context.answer.records)  // its standard error, which decides on the digits
    if (record.analysis == one.analysis && record.finding.at == one.at && record.finding.quantity == one.quantity)
      effect.se = record.finding.se;
  return effect;
}

std::string level_of_family(double alpha) {
  const double percent = 100 * (1 - alpha);
  return results::fixed(percent, std::fabs(percent - std::round(percent)) < 1e-9 ? 0 : 1) + "%";
}

std::string share(Context const& context, std::optional<double> weight) {
  return weight ? shortest(*weight) : context.words(Word::family_epsilon);
}

}  // namespace

Table multiplicity(Context const& context) {
  if (!context.answer.multiplicity) return {};
  auto const& family = *context.answer.multiplicity;
  auto const& words = context.words;
  Table table{.id = "hypotheses",
              .caption = words(Word::family_caption, results::method_label(family.method, context.language())),
              .chapter = Table::Chapter::efficacy};
  const auto any = [&](auto has) { return std::any_of(family.hypotheses.begin(), family.hypotheses.end(), has); };
  const bool weights = any([](Hypothesis const&one) { return one.weight.has_value(); }),
             adjusted = any([](Hypothesis const&one) { return one.adjusted_p.has_value(); }),
             intervals = any([](Hypothesis const&one) { return one.estimate.has_value(); });
  Footnotes notes;
  bool ne = false;
  const auto cell = [&](std::string_view pattern, std::vector<Value> values) {
    for (Value const& one : values) ne = ne || one.printed == results::not_estimable;
    return Cell(of_values(Piece::Kind::plain, pattern, std::move(values)));
  };
  Grid grid{.columns = {{.name = Cell(words(Word::family_hypothesis)), .align = Column::Align::left}}};
  const auto column = [&](std::string const& name) { grid.columns.push_back({.name = Cell(name)}); };
  if (weights) column(words(Word::family_weight));
  column(words(Word::column_p));
  if (adjusted) column(words(Word::family_adjusted));
  column(words(Word::family_decision, shortest(family.alpha)));
  if (intervals) column(words(Word::column_estimate)), column(words(Word::family_interval, level_of_family(family.alpha)));
  for (Hypothesis const& one : family.hypotheses) {
    Row row{.head = Cell(one.id)};
    for (std::string const& note : one.notes) row.head.pieces.push_back(notes.mark(note));
    row.head.pieces.push_back({Piece::Kind::place, hypothesis_in_words(context, one)});
    if (weights)
      row.cells.push_back(one.weight ? cell("{}", {Value{"weight", *one.weight, shortest(*one.weight), "shortest"}}) : Cell());
    row.cells.push_back(cell("{}", {value::p("p", one.p, family.alpha)}));
    if (adjusted)
      row.cells.push_back(one.adjusted_p ? cell("{}", {value::p("adjusted_p", *one.adjusted_p, family.alpha)}) : Cell());
    row.cells.push_back(Cell(words(one.rejected ? Word::family_rejected : Word::family_not_rejected)));
    if (intervals && one.estimate) {
      const Finding effect = effect_of(context, one);
      const results::Printed text = context.printed(one.analysis, effect);
      row.cells.push_back(cell("{}", {value::estimate(effect, text)}));
      row.cells.push_back(
          text.interval.empty() ? Cell() : cell(results::interval("{}", "{}", context.language()), value::limits(effect, text)));
    } else if (intervals) {
      row.cells.resize(row.cells.size() + 2);
    }
    grid.add(std::move(row));
  }
  if (intervals) notes.mark(words(Word::family_limits_note));
  for (std::string const& note : family.notes) notes.mark(note);
  if (ne) notes.mark(words(Word::ne_note));
  table.parts.emplace_back(std::move(grid));
  table.footnotes = notes.sentences();
  return table;
}

std::string decisions_in_words(Context const& context) {
  if (!context.answer.multiplicity) return {};
  auto const& family = *context.answer.multiplicity;
  auto const& words = context.words;
  std::vector<std::string> rejected, kept;
  for (Hypothesis const& one : family.hypotheses) {
    const std::string p = results::p_statement(one.adjusted_p.value_or(one.p), family.alpha);
    (one.rejected ? rejected : kept)
        .push_back(hypothesis_in_words(context, one) + (words.chinese() ? "（" : " (") +
                   (one.adjusted_p ? words(Word::family_adjusted_p, p) : p) + (words.chinese() ? "）" : ")"));
  }
  const std::string between = words.chinese() ? "；" : "; ", end = words.chinese() ? "。" : ".";
  const std::string method = results::method_label(family.method, context.language()), alpha = shortest(family.alpha);
  if (kept.empty()) return words(Word::family_all_rejected, method, alpha, join(rejected, between)) + end;
  if (rejected.empty()) return words(Word::family_none_rejected, method, alpha, join(kept, between)) + end;
  return words(Word::family_sentence, method, alpha, join(rejected, between), join(kept, between)) + end;
}

std::string multiplicity_methods(Context const& context) {
  if (!context.answer.multiplicity) return {};
  auto const& family = *context.answer.multiplicity;
  auto const& words = context.words;
  const std::string comma = words.chinese() ? "、" : ", ";
  std::vector<std::string> names, weights, edges;
  for (Hypothesis const& one : family.hypotheses) {
    names.push_back(one.id);
    weights.push_back(one.id + " " + shortest(one.weight.value_or(0)));
  }
  for (results::Edge const& edge : family.edges)
    edges.push_back(words(Word::methods_edge, edge.from, edge.to, share(context, edge.weight)));
  const Word sentence = family.method == "none"                 ? Word::methods_no_adjustment
                        : family.method == "benjamini_hochberg" ? Word::methods_discovery
                                                                : Word::methods_family;
  std::string text =
      words(sentence, join(names, comma), shortest(family.alpha), results::method_label(family.method, context.language()));
  if (family.method == "graphical") {
    text += words.chinese() ? "" : " ";
    text += words(Word::methods_graph, join(weights, comma), edges.empty() ? std::string("-") : join(edges, comma));
  }
  return text;
}

}  // namespace equipoise::report::tables
