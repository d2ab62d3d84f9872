#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/report/headline.h"
#include "equipoise/report/tables.h"

namespace equipoise::report::tables {
namespace {

using results::Hypothesis;

/// The hypothesis's effect and its simultaneous limits as one finding, for the formats of its quantity.
results::Printed limits(Context const& context, Hypothesis const& one) {
  Finding effect{.quantity = one.quantity, .at = one.at, .value = *one.estimate};
  effect.lower = one.lower;
  effect.upper = one.upper;
  for (auto const& record : context.answer.records)  // its standard error, which decides on the digits
    if (record.analysis == one.analysis && record.finding.at == one.at && record.finding.quantity == one.quantity)
      effect.se = record.finding.se;
  return results::printed(effect, context.language(), context.alpha());
}

std::string level_of_family(double alpha) {
  const double percent = 100 * (1 - alpha);
  return results::fixed(percent, std::fabs(percent - std::round(percent)) < 1e-9 ? 0 : 1) + "%";
}

std::string share(Context const& context, std::optional<double> weight) {
  return weight ? shortest(*weight) : context.words(Word::family_epsilon);
}

}  // namespace

Markup multiplicity(Context const& context) {
  if (!context.answer.multiplicity) return {};
  auto const& family = *context.answer.multiplicity;
  auto const& words = context.words;
  const auto any = [&](auto has) { return std::any_of(family.hypotheses.begin(), family.hypotheses.end(), has); };
  const bool weights = any([](Hypothesis const&one) { return one.weight.has_value(); }),
             adjusted = any([](Hypothesis const&one) { return one.adjusted_p.has_value(); }),
             intervals = any([](Hypothesis const&one) { return one.estimate.has_value(); });
  const auto column_head = [](std::string const& name) {
    return element("th", {{"scope", std::string("col")}, {"class", std::string("num")}}, name);
  };
  Footnotes notes;
  bool ne = false;
  const auto cell = [&](std::string const& text) {
    ne = ne || text.find(results::not_estimable) != std::string::npos;
    return element("td", text);
  };
  Markup head = element("th", {{"scope", std::string("col")}}, words(Word::family_hypothesis));
  if (weights) head += column_head(words(Word::family_weight));
  head += column_head(words(Word::column_p));
  if (adjusted) head += column_head(words(Word::family_adjusted));
  head += column_head(words(Word::family_decision, shortest(family.alpha)));
  if (intervals)
    head += column_head(words(Word::column_estimate)) + column_head(words(Word::family_interval, level_of_family(family.alpha)));
  Markup body;
  for (Hypothesis const& one : family.hypotheses) {
    Markup name = Markup(one.id);
    for (std::string const& note : one.notes) name += notes.mark(note);
    name += element("span", "place", hypothesis_in_words(context, one));
    Markup row = element("th", {{"scope", std::string("row")}}, name);
    if (weights) row += cell(one.weight ? shortest(*one.weight) : "");
    row += cell(results::p_value(one.p, family.alpha));
    if (adjusted) row += cell(one.adjusted_p ? results::p_value(*one.adjusted_p, family.alpha) : "");
    row += cell(words(one.rejected ? Word::family_rejected : Word::family_not_rejected));
    if (intervals && one.estimate) {
      const results::Printed text = limits(context, one);
      row += cell(text.value) + cell(text.interval);
    } else if (intervals) {
      row += cell("") + cell("");
    }
    body += element("tr", row);
  }
  if (intervals) notes.mark(words(Word::family_limits_note));
  for (std::string const& note : family.notes) notes.mark(note);
  if (ne) notes.mark(words(Word::ne_note));
  return element("div", "scroll", element("table", "data", element("thead", element("tr", head)) + element("tbody", body))) +
         notes.list();
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
