#include "equipoise/report/headline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "equipoise/core/text.h"

namespace equipoise::report {
namespace {

using results::AnalysisRun;
using results::Record;

constexpr std::string_view arm_column = "arm", visit_column = "visit";

/// The arm a term speaks of, when it speaks of one arm only.
std::optional<std::string> arm_of(Term const& term) {
  if (term.size() == 1 && term.front().column == arm_column) return term.front().level;
  return {};
}

std::string control_of(Context const& context, AnalysisRun const& run) {
  if (run.estimand)
    if (const auto* estimand = context.plan.estimand(*run.estimand); estimand && !estimand->against.empty())
      return estimand->against;
  const auto* control = context.plan.control();
  return control ? control->id : std::string();
}

/// The factors of a term with their levels, an arm by its own name.
std::string factors_in_words(Context const& context, Term const& term) {
  std::string words;
  for (auto const& factor : term) {
    if (!words.empty()) words += " \u00d7 ";
    if (factor.column == arm_column && factor.level) words += context.arm(*factor.level);
    else if (factor.column == visit_column && factor.level) words += context.visit(*factor.level);
    else if (factor.column == arm_column) words += context.words(Word::column_arm);
    else if (factor.column == visit_column) words += context.words(Word::visit_axis);
    else if (factor.column == "target_day") words += context.words.chinese() ? "计划日" : "Planned day";
    else if (factor.column == "visit_day") words += context.words.chinese() ? "访视日" : "Day of the visit";
    else words += context.item(factor.column) + (factor.level ? std::string(": ") + *factor.level : "");
  }
  return words;
}

std::string in_words(Context const& context, AnalysisRun const& run, Term const& term) {
  if (const auto arm = arm_of(term)) {
    const std::string control = control_of(context, run);
    if (!control.empty() && control != *arm) return context.words(Word::compared_with, context.arm(*arm), context.arm(control));
    return context.arm(*arm);
  }
  if (term.empty()) return context.words.chinese() ? "截距" : "Intercept";
  return factors_in_words(context, term);
}

/// Whether an estimate stands behind a ratio of its place, as its logarithm (a difference beside a ratio is a result of its own).
bool is_behind(Finding const& estimate, Finding const& ratio) {
  return estimate.quantity == "estimate" && ratio.quantity.ends_with("_ratio") && estimate.at == ratio.at &&
         results::is_log_of(estimate.value, ratio.value);
}

/// The visit at which a difference is taken; empty for one of all visits.
std::string visit_of(At const& at) {
  const auto within = at.find("within");
  const auto* levels = within == at.end() ? nullptr : std::get_if<Term>(&within->second);
  if (levels)
    for (Factor const& factor : *levels)
      if (factor.column == visit_column && factor.level) return *factor.level;
  return {};
}

bool has_arm(Term const& term) {
  return std::ranges::any_of(term, [](Factor const& factor) { return factor.column == arm_column; });
}

std::vector<AnalysisRun const*> primary_runs(Context const& context) {
  std::vector<AnalysisRun const*> runs;
  for (auto const& run : context.answer.runs)
    if (run.role == "primary") runs.push_back(&run);
  return runs;
}

/// Effects of the primary analyses; if those are tests only, of the first analysis of the same estimand that estimates.
std::vector<std::pair<AnalysisRun const*, Record const*>> primary_effects(Context const& context) {
  std::vector<std::pair<AnalysisRun const*, Record const*>> found;
  for (const auto* run : primary_runs(context))
    for (const auto* record : effects(context, *run)) found.emplace_back(run, record);
  if (!found.empty()) return found;
  for (const auto* primary : primary_runs(context))
    for (auto const& run : context.answer.runs) {
      const bool same =
          primary->estimand ? run.estimand == primary->estimand : run.endpoint == primary->endpoint && run.set == primary->set;
      if (!same || run.id == primary->id || !found.empty()) continue;
      for (const auto* record : effects(context, run)) found.emplace_back(&run, record);
    }
  return found;
}

Markup card(std::string const& value, std::string const& label, std::string const& more) {
  Markup inside = element("div", "value", value) + element("div", "label", label);
  if (!more.empty()) inside += element("div", "more", more);
  return element("div", "card", inside);
}

std::string sentence_end(Context const& context) { return context.words.chinese() ? "。" : ". "; }

std::string label_inside(Context const& context, std::string const& label) {
  return context.words.chinese() ? label : inside_sentence(label);
}

/// "P = 0.012", and where P values are adjusted "P = 0.012, adjusted P = 0.024".
std::string p_in_words(Context const& context, Record const& record) {
  const double p = record.finding.quantity == "p" ? record.finding.value : *record.finding.p;
  std::string text = results::p_statement(p, context.alpha());
  if (const Record* adjusted = adjusted_beside(context, record))
    text += ", " + context.words(Word::family_adjusted_p, results::p_statement(adjusted->finding.value, context.alpha()));
  return text;
}

/// "0.335 (95% interval 0.174 to 0.645; P = 0.0011)"
std::string estimate_in_words(Context const& context, Record const& record) {
  const results::Printed text = context.printed(record.analysis, record.finding);
  std::string more;
  if (!text.interval.empty()) more = context.words(Word::sentence_interval, interval_level(context, record), text.interval);
  if (record.finding.p) more += (more.empty() ? "" : ", ") + p_in_words(context, record);
  return text.value + (more.empty() ? "" : std::string(" (") + more + ")");
}

std::string events_in_words(Context const& context, AnalysisRun const& primary) {
  for (auto const& run : context.answer.runs) {
    if (run.endpoint != primary.endpoint || run.set != primary.set) continue;
    std::vector<std::string> groups;
    std::map<std::string, Record const*> events;
    for (const auto* record : context.records(run.id)) {
      const auto group = record->finding.at.find("group");
      const bool counts = record->finding.quantity == "n_events" || record->finding.quantity == "observed";
      if (!counts || group == record->finding.at.end() || !std::holds_alternative<std::string>(group->second)) continue;
      std::string const& id = std::get<std::string>(group->second);
      if (!context.plan.arm(id)) continue;
      if (events.emplace(id, record).second) groups.push_back(id);
    }
    if (groups.empty()) continue;
    std::string list;
    for (auto const& id : in_arm_order(context.plan, groups)) {
      list += (list.empty()              ? ""
               : context.words.chinese() ? "\uff1b"
                                         : "; ") +
              context.arm(id) + " " + results::printed(events[id]->finding, context.language()).value;
      std::int64_t n = -1;
      if (events[id]->finding.n) n = *events[id]->finding.n;
      else if (const auto* column = context.flow(id))
        for (auto const& set : column->sets)
          if (set.id == run.set) n = set.n;
      if (n >= 0)
        list += context.words.chinese() ? std::string("/") + std::to_string(n) : std::string(" of ") + std::to_string(n);
    }
    return context.words(Word::sentence_events, list);
  }
  return {};
}

}  // namespace

std::vector<Record const*> effects(Context const& context, AnalysisRun const& run) {
  std::vector<Record const*> found;
  for (const auto* record : context.records(run.id)) {
    Finding const& f = record->finding;
    const auto term = f.at.find("term");
    const bool of_arm = term != f.at.end() && std::holds_alternative<Term>(term->second) && arm_of(std::get<Term>(term->second));
    const auto difference = f.at.find("difference");
    const auto* levels = difference == f.at.end() ? nullptr : std::get_if<LevelDifference>(&difference->second);
    if (levels && levels->column != arm_column) continue;  // between levels of a covariate
    const bool of_difference = difference != f.at.end() || f.at.contains("level");
    const bool plain = f.at.empty() && (f.quantity == "estimate" || f.quantity == "difference" || f.quantity.ends_with("_ratio"));
    const bool kind = f.quantity == "estimate" || f.quantity == "difference" || f.quantity.ends_with("_ratio");
    if (!kind || !(of_arm || of_difference || plain) || !f.lower || !f.upper) continue;
    if (!behind_a_ratio(context, *record)) found.push_back(record);
  }
  // Where a model gives differences of arms, its coefficients say the same again.
  if (std::ranges::any_of(found, [](Record const* one) { return one->finding.at.contains("difference"); }))
    std::erase_if(found, [](Record const* one) { return one->finding.at.contains("term"); });
  // Where arms are compared with the control, a comparison of two others answers no question of the protocol.
  const std::string control = control_of(context, run);
  const auto with_control = [&](Record const* one) {
    const auto at = one->finding.at.find("difference");
    const auto* levels = at == one->finding.at.end() ? nullptr : std::get_if<LevelDifference>(&at->second);
    return !levels || levels->minus == control || levels->level == control;
  };
  if (std::ranges::any_of(found, [&](Record const* one) { return one->finding.at.contains("difference") && with_control(one); }))
    std::erase_if(found, std::not_fn(with_control));
  // Of differences at several visits the endpoint's visit is the question; without one, the difference over all of them.
  const auto* endpoint = context.plan.endpoint(run.endpoint);
  const std::string visit = endpoint ? endpoint->at : std::string();
  const auto at_visit = [&](Record const* one) { return visit_of(one->finding.at) == visit; };
  if (std::ranges::any_of(found, at_visit)) std::erase_if(found, std::not_fn(at_visit));
  return found;
}

std::vector<Record const*> arm_tests(Context const& context, AnalysisRun const& run) {
  std::vector<Record const*> found;
  for (const auto* record : context.records(run.id)) {
    Finding const& f = record->finding;
    const bool statistic = f.quantity == "chi_square" || f.quantity == "statistic" || f.quantity == "z" || f.quantity == "t" ||
                           f.quantity == "f" || f.quantity == "p";
    if (!statistic || !(f.p || f.quantity == "p") || f.at.contains("term")) continue;
    const auto effect = f.at.find("effect");
    const auto* factors = effect == f.at.end() ? nullptr : std::get_if<Term>(&effect->second);
    if (factors && !has_arm(*factors)) continue;  // of a covariate
    const bool again = std::ranges::any_of(found, [&](Record const* one) { return one->finding.at == f.at; });
    if (found.empty() || (found.front()->finding.quantity == f.quantity && !again)) found.push_back(record);
  }
  return found;
}

Record const* adjusted_beside(Context const& context, Record const& record) {
  if (record.finding.quantity != "p" && !record.finding.p) return nullptr;
  for (auto const& other : context.answer.records)
    if (other.analysis == record.analysis && other.finding.quantity == "adjusted_p" && other.finding.at == record.finding.at)
      return &other;
  return nullptr;
}

std::string hypothesis_in_words(Context const& context, results::Hypothesis const& hypothesis) {
  const AnalysisRun* run = context.run(hypothesis.analysis);
  const auto* estimand = run && run->estimand ? context.plan.estimand(*run->estimand) : nullptr;
  const auto* control = context.plan.control();
  const std::string against = estimand ? estimand->against : control ? control->id : std::string();
  std::string text = context.arm(hypothesis.arm);
  if (!against.empty() && !hypothesis.at.contains("group"))
    text = context.words(Word::compared_with, context.arm(hypothesis.arm), context.arm(against));
  if (!run) return text;
  return text + (context.words.chinese() ? "，" : ", ") + label_inside(context, context.analysis(*run));
}

Record const* on_log_scale(Context const& context, Record const& ratio) {
  if (!ratio.finding.quantity.ends_with("_ratio")) return nullptr;
  for (auto const& record : context.answer.records)
    if (record.analysis == ratio.analysis && is_behind(record.finding, ratio.finding)) return &record;
  return nullptr;
}

bool behind_a_ratio(Context const& context, Record const& record) {
  if (record.finding.quantity != "estimate") return false;
  for (auto const& other : context.answer.records)
    if (other.analysis == record.analysis && is_behind(record.finding, other.finding)) return true;
  return false;
}

std::string place_in_words(Context const& context, AnalysisRun const& run, At const& at) {
  std::vector<std::string> parts;
  const auto text_at = [&](std::string_view key) -> std::string const* {
    const auto found = at.find(key);
    return found == at.end() ? nullptr : std::get_if<std::string>(&found->second);
  };
  const auto* level = text_at("level");
  const auto* minus = text_at("minus");
  if (level && minus) parts.push_back(context.words(Word::compared_with, context.arm(*level), context.arm(*minus)));
  // Of a covariance: two visits, or two random effects, of which "1" is the intercept.
  const auto *row = text_at("row"), *column = text_at("column");
  if (row && column) {
    const auto name = [&](std::string const& one) {
      if (one == "1") return std::string(context.words.chinese() ? "截距" : "Intercept");
      return context.plan.visit(one) ? context.visit(one) : context.item(one);
    };
    parts.push_back(*row == *column ? name(*row) : name(*row) + " × " + name(*column));
  }
  for (auto const& [key, value] : at) {
    if (level && minus && (key == "level" || key == "minus")) continue;
    if (row && column && (key == "row" || key == "column")) continue;
    if (const auto* term = std::get_if<Term>(&value)) {
      if (key == "lsmean") parts.push_back(context.words(Word::ls_mean_of, factors_in_words(context, *term)));
      else if (key == "effect") parts.push_back(factors_in_words(context, *term));
      else parts.push_back(in_words(context, run, *term));
    } else if (const auto* number = std::get_if<double>(&value)) {
      if (key == "time") parts.push_back(context.words(Word::time_day, shortest(*number)));
      else parts.push_back(std::string(key) + " " + shortest(*number));
    } else if (const auto* difference = std::get_if<LevelDifference>(&value)) {
      const auto name = [&](std::string const& one) { return difference->column == "arm" ? context.arm(one) : one; };
      parts.push_back(context.words(Word::compared_with, name(difference->level), name(difference->minus)));
    } else if (const auto* interval = std::get_if<TimeInterval>(&value)) {
      parts.push_back("(" + shortest(interval->from) + ", " +
                      (std::isinf(interval->to) ? "\u221e)" : shortest(interval->to) + "]"));
    } else {
      std::string const& text = std::get<std::string>(value);
      parts.push_back(context.plan.arm(text) ? context.arm(text) : key == "group" ? text : std::string(key) + " " + text);
    }
  }
  return join(parts, ", ");
}

std::string quantity_in_words(Context const& context, AnalysisRun const& run, Finding const& finding) {
  constexpr std::array<std::string_view, 4> of_means = {"ancova", "mmrm", "linear_mixed", "locf"};
  if (finding.quantity == "estimate" &&
      (std::ranges::find(of_means, run.method) != of_means.end() || finding.at.contains("within"))) {
    if (finding.at.contains("difference")) return context.words(Word::ls_mean_difference);
    if (finding.at.contains("term")) return context.words(Word::coefficient);
  }
  return results::quantity_label(finding.quantity, context.language(), run.method);
}

std::string interval_level(Context const& context, Record const& record) {
  if (!record.finding.level) return context.confidence();
  const double percent = 100 * *record.finding.level;
  return results::fixed(percent, std::fabs(percent - std::round(percent)) < 1e-9 ? 0 : 1) + "%";
}

Markup headline_cards(Context const& context) {
  auto const& words = context.words;
  Markup cards = card(std::to_string(context.randomised()), words(Word::randomised_card),
                      words(Word::arms_of_trial, context.plan.arms.size()));
  const auto shown = primary_effects(context);
  for (auto const& [run, record] : shown) {
    const results::Printed text = context.printed(run->id, record->finding);
    std::string place = place_in_words(context, *run, record->finding.at);
    if (shown.size() > 1 && record->finding.p) place += (place.empty() ? "" : ", ") + p_in_words(context, *record);
    if (const auto* endpoint = context.plan.endpoint(run->endpoint);
        endpoint && endpoint->kind == protocol::EndpointKind::continuous) {
      const std::string between = place.empty() ? "" : words.chinese() ? "；" : "; ";
      if (endpoint->benefit == protocol::Benefit::higher) place += between + words(Word::higher_better);
      if (endpoint->benefit == protocol::Benefit::lower) place += between + words(Word::lower_better);
    }
    cards += card(text.value,
                  quantity_in_words(context, *run, record->finding) + ", " +
                      words(Word::sentence_interval, interval_level(context, *record), text.interval),
                  place);
  }
  // One P value has a card of its own: of the first primary test, or of a single comparison. Of several comparisons none is
  // singled out.
  for (const auto* run : primary_runs(context)) {
    if (run->problem) {
      cards += card(std::string(results::not_estimable), words(Word::problem_line, *run->problem), context.method(*run));
      continue;
    }
    const std::vector<Record const*> tests = arm_tests(context, *run);
    const bool one = shown.size() == 1 && shown.front().first == run && shown.front().second->finding.p;
    if (tests.size() > 1 && !one) continue;  // the table of hypotheses has them all
    const Record* p = one ? shown.front().second : tests.empty() ? nullptr : tests.front();
    if (!p) continue;
    cards += card(p_in_words(context, *p), context.method(*run), context.endpoint(run->endpoint));
    break;
  }
  return element("div", "cards", cards);
}

Markup primary_in_words(Context const& context) {
  auto const& words = context.words;
  Markup paragraphs;
  for (const auto* run : primary_runs(context)) {
    std::string text;
    const std::string set = label_inside(context, context.set(run->set)),
                      endpoint = label_inside(context, context.endpoint(run->endpoint));
    if (run->problem) {
      text = words(Word::sentence_none, *run->problem);
    } else {
      // Where the run estimates the comparison, the F tests of its terms are for the table.
      const bool estimated = !effects(context, *run).empty();
      if (const std::vector<Record const*> tests = arm_tests(context, *run);
          !tests.empty() && !(estimated && tests.front()->finding.quantity == "f")) {
        std::string list;
        for (const auto* test : tests) {
          const results::Printed printed = context.printed(run->id, test->finding);
          const bool p_only = test->finding.quantity == "p";
          std::string numbers = p_only ? p_in_words(context, *test) : printed.value;
          if (!printed.df.empty()) numbers = words(Word::test_line, numbers, printed.df);
          if (!p_only) numbers += std::string(", ") + p_in_words(context, *test);
          if (tests.size() > 1) {
            numbers = place_in_words(context, *run, test->finding.at) + ": " + numbers;
            list += list.empty() ? "" : words.chinese() ? "\uff1b" : "; ";
          }
          list += numbers;
        }
        std::string const& quantity = tests.front()->finding.quantity;
        const std::string name =
            quantity == "p" ? "" : label_inside(context, results::quantity_label(quantity, context.language()));
        text += words(Word::sentence_test, context.method(*run), endpoint, set, run->n, name, list) + sentence_end(context);
      }
      std::vector<std::pair<AnalysisRun const*, Record const*>> shown;
      for (const auto* record : effects(context, *run)) shown.emplace_back(run, record);
      if (shown.empty() && run == primary_runs(context).front()) shown = primary_effects(context);
      for (std::size_t i = 0; i < shown.size();) {
        auto const& [source, first] = shown[i];
        const std::string quantity = label_inside(context, quantity_in_words(context, *source, first->finding));
        std::vector<std::pair<std::string, std::string>> same;  // comparisons of one analysis: said in one sentence
        for (; i < shown.size() && shown[i].first == source && shown[i].second->finding.quantity == first->finding.quantity; ++i)
          same.emplace_back(place_in_words(context, *source, shown[i].second->finding.at),
                            estimate_in_words(context, *shown[i].second));
        if (same.size() == 1) {
          text += words(Word::sentence_ratio, set, source->n, quantity, endpoint, same[0].first, same[0].second) +
                  sentence_end(context);
        } else {
          std::string list;
          for (auto const& [place, estimate] : same)
            list += (list.empty()      ? ""
                     : words.chinese() ? "\uff1b"
                                       : "; ") +
                    place + (words.chinese() ? "\uff1a" : ": ") + estimate;
          text += words(Word::sentence_estimate, set, source->n, quantity, endpoint, list) + sentence_end(context);
        }
      }
      text += events_in_words(context, *run);
    }
    if (text.empty()) continue;
    if (context.answer.provenance.simulated) text += std::string(" ") + words(Word::sentence_simulated);
    // "P = 0.0006" stays on one line.
    for (const std::string_view sign : {"P = ", "P < ", "P > "})
      for (std::size_t at = text.find(sign); at != std::string::npos; at = text.find(sign, at + 1))
        text.replace(at, sign.size(), std::string("P\u00a0") + sign[2] + "\u00a0");
    paragraphs += element("p", text);
  }
  if (paragraphs.empty()) return {};
  return element("div", "inwords", element("h3", words(Word::primary_heading)) + paragraphs);
}

std::string inside_sentence(std::string const& label) {
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  const bool article = label.starts_with("A ");  // the F of "F statistic" keeps its case
  if (label.size() < 2 || !upper(label[0]) || !(lower(label[1]) || article)) return label;
  for (std::size_t at = label.find(' '); at != std::string::npos && at + 2 < label.size(); at = label.find(' ', at + 1))
    if (upper(label[at + 1]) && lower(label[at + 2])) return label;  // a name of several words: Beck Depression Inventory
  std::string out = label;
  out[0] = char(out[0] - 'A' + 'a');
  return out;
}

}  // namespace equipoise::report
