#include "equipoise/report/rehearsal/tables.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "equipoise/core/text.h"
#include "equipoise/report/rehearsal/cells.h"
#include "equipoise/report/rehearsal/figures.h"
#include "equipoise/report/rehearsal/words.h"

namespace equipoise::report::rehearsal::tables {
namespace {

using results::ScenarioCharacteristics;
using results::StatementCharacteristics;

/// Elements of all scenarios in the order in which they first come, each once.
template <class Element, class Same>
std::vector<Element const*> each_once(Names const& names, std::vector<Element> ScenarioCharacteristics::*list, Same const& same) {
  std::vector<Element const*> all;
  for (auto const& scenario : names.rehearsal.scenarios)
    for (Element const& one : scenario.*list)
      if (std::ranges::none_of(all, [&](Element const* other) { return same(*other, one); })) all.push_back(&one);
  return all;
}

template <class Element, class Same>
Element const* find(ScenarioCharacteristics const& scenario, std::vector<Element> ScenarioCharacteristics::*list,
                    Element const& like, Same const& same) {
  for (Element const& one : scenario.*list)
    if (same(one, like)) return &one;
  return nullptr;
}

bool same_statement(StatementCharacteristics const& a, StatementCharacteristics const& b) {
  return a.analysis == b.analysis && a.arm == b.arm && a.against == b.against;
}

std::vector<StatementCharacteristics const*> statements(Names const& names) {
  return each_once(names, &ScenarioCharacteristics::statements, same_statement);
}

Markup scenario_head(Names const& names, std::string_view first) {
  Markup row = heading(std::string(first));
  for (std::size_t s = 0; s < names.rehearsal.scenarios.size(); ++s) row += heading(scenario_name(names, s), true);
  return element("thead", element("tr", row));
}

}  // namespace

Markup claims(Names const& names) {
  const auto same = [](auto const& a, auto const& b) { return a.id == b.id; };
  Markup rows;
  for (auto const* claim : each_once(names, &ScenarioCharacteristics::claims, same)) {
    Markup row = row_head(names.claim(*claim));
    for (auto const& scenario : names.rehearsal.scenarios) {
      auto const* here = find(scenario, &ScenarioCharacteristics::claims, *claim, same);
      row += here ? share_cell(names, here->holds) : nothing();
    }
    rows += element("tr", row);
  }
  return rows.empty() ? rows : data_table(scenario_head(names, names(Term::column_claim)), element("tbody", rows), "data inline");
}

Markup ratios(Names const& names) {
  // Columns: every scenario that is without a difference for some claim.
  const auto claims =
      each_once(names, &ScenarioCharacteristics::claims, [](auto const& a, auto const& b) { return a.id == b.id; });
  std::vector<std::size_t> columns;
  for (auto const* claim : claims)
    for (Pair const& pair : pairs(names, claim->id))
      if (std::ranges::find(columns, pair.same) == columns.end()) columns.push_back(pair.same);
  if (columns.empty()) return {};
  std::ranges::sort(columns);
  Markup head = heading(names(Term::column_in_world));
  for (const std::size_t s : columns) head += heading(Markup(names(Term::column_against_world, names.scenario(s))), true);
  Markup bodies;
  for (auto const* claim : claims) {
    const std::vector<Pair> all = pairs(names, claim->id);
    if (all.empty()) continue;
    Markup body =
        element("tr", "visit",
                element("th", {{"colspan", int(columns.size() + 1)}, {"scope", std::string("rowgroup")}}, names.claim(*claim)));
    std::vector<std::size_t> rows;
    for (Pair const& pair : all)
      if (std::ranges::find(rows, pair.differs) == rows.end()) rows.push_back(pair.differs);
    for (const std::size_t d : rows) {
      Markup row = element("th", {{"class", std::string("sub")}, {"scope", std::string("row")}}, scenario_name(names, d));
      for (const std::size_t s : columns) {
        const auto pair = std::ranges::find_if(all, [&](Pair const& p) { return p.differs == d && p.same == s; });
        if (pair == all.end()) {
          row += nothing();
          continue;
        }
        const auto text = [](double value) { return std::isinf(value) ? std::string("\u221e") : results::significant(value, 2); };
        Ratio const& r = pair->ratio;
        const std::string interval = results::interval(text(r.lower), text(r.upper), names.language());
        if (std::isnan(r.value)) row += cell(Markup(names(Term::never_either)), {});
        else if (!pair->apart()) row += cell(Markup(names(Term::cannot_tell)), text(r.value) + " (" + interval + ")");
        else if (std::isinf(r.value)) row += cell(element("span", "est", names(Term::ratio_at_least, text(r.lower))), {});
        else row += cell(element("span", "est", text(r.value)), "(" + interval + ")");
      }
      body += element("tr", row);
    }
    bodies += element("tbody", body);
  }
  return data_table(element("thead", element("tr", head)), bodies, "data by-visit inline");
}

std::vector<std::string> analyses(Names const& names) {
  std::vector<std::string> first, others;
  for (auto const* one : statements(names)) {
    auto& list = names.primary(*one) ? first : others;
    if (std::ranges::find(list, one->analysis) == list.end()) list.push_back(one->analysis);
  }
  first.insert(first.end(), others.begin(), others.end());
  return first;
}

Markup rejections(Names const& names) {
  Markup bodies;
  const auto all = statements(names);
  for (std::string const& analysis : analyses(names)) {
    Markup body;
    for (auto const* one : all) {
      if (one->analysis != analysis) continue;
      if (body.empty())
        body += element(
            "tr", "visit",
            element("th", {{"colspan", int(names.rehearsal.scenarios.size() + 1)}, {"scope", std::string("rowgroup")}},
                    Markup(names.analysis(analysis) + (names.words().chinese() ? "，" : ", ") + names.method(*one) + " ") +
                        element("span", "dim", analysis)));
      Markup row =
          element("th", {{"class", std::string("sub")}, {"scope", std::string("row")}}, names.statement(one->arm, one->against));
      for (auto const& scenario : names.rehearsal.scenarios) {
        auto const* here = find(scenario, &ScenarioCharacteristics::statements, *one, same_statement);
        row += here ? share_cell(names, here->rejected) : nothing();
      }
      body += element("tr", row);
    }
    bodies += element("tbody", body);
  }
  return bodies.empty() ? bodies : data_table(scenario_head(names, names(Term::column_analysis)), bodies, "data by-visit inline");
}

Markup characteristics(Names const& names, std::string const& analysis) {
  const auto any = [&](auto const& has) {
    for (auto const& scenario : names.rehearsal.scenarios)
      for (auto const& one : scenario.statements)
        if (one.analysis == analysis && has(one)) return true;
    return false;
  };
  struct Column {
    std::string name;
    std::function<Markup(StatementCharacteristics const&, ScenarioCharacteristics const&)> of;
  };
  std::vector<Column> columns;
  columns.push_back({names(Term::column_rejected, shortest(names.rehearsal.alpha)),
                     [&](auto const& one, auto const&) { return share_cell(names, one.rejected); }});
  const auto add_share = [&](Term name, auto member) {
    if (any([&](auto const& one) { return (one.*member).has_value(); }))
      columns.push_back({names(name), [&names, member](auto const& one, auto const&) {
                           return (one.*member) ? share_cell(names, *(one.*member)) : nothing();
                         }});
  };
  const auto add_measured = [&](Term name, auto member) {
    if (any([&](auto const& one) { return (one.*member).has_value(); }))
      columns.push_back({names(name), [member](auto const& one, auto const&) {
                           return (one.*member) ? measured_cell(*(one.*member)) : nothing();
                         }});
  };
  add_share(Term::column_better, &StatementCharacteristics::rejected_better);
  add_measured(Term::column_truth, &StatementCharacteristics::truth);
  add_measured(Term::column_mean, &StatementCharacteristics::mean);
  add_measured(Term::column_bias, &StatementCharacteristics::bias);
  add_measured(Term::column_empirical, &StatementCharacteristics::empirical_se);
  add_measured(Term::column_model, &StatementCharacteristics::model_se);
  add_share(Term::column_coverage, &StatementCharacteristics::coverage);
  columns.push_back(
      {names(Term::column_no_answer), [&](auto const& one, auto const&) { return share_cell(names, one.not_estimable); }});
  const auto failure = [&](ScenarioCharacteristics const& scenario) -> results::AnalysisFailures const* {
    for (auto const& one : scenario.failures)
      if (one.analysis == analysis) return &one;
    return nullptr;
  };
  if (std::ranges::any_of(names.rehearsal.scenarios, [&](auto const& s) { return failure(s) && failure(s)->fell_back.n > 0; }))
    columns.push_back({names(Term::column_fell_back), [&names, failure](auto const&, auto const& scenario) {
                         auto const* found = failure(scenario);
                         return found ? share_cell(names, found->fell_back) : nothing();
                       }});

  Markup head = heading(names(Term::column_scenario)), bodies;
  for (Column const& column : columns) head += heading(Markup(column.name), true);
  for (auto const* statement : statements(names)) {
    if (statement->analysis != analysis) continue;
    Markup body;
    if (const std::string title = names.statement(statement->arm, statement->against); !title.empty())
      body += element("tr", "visit",
                      element("th", {{"colspan", int(columns.size() + 1)}, {"scope", std::string("rowgroup")}}, title));
    for (std::size_t s = 0; s < names.rehearsal.scenarios.size(); ++s) {
      auto const& scenario = names.rehearsal.scenarios[s];
      auto const* one = find(scenario, &ScenarioCharacteristics::statements, *statement, same_statement);
      if (!one) continue;
      Markup name = scenario_name(names, s);
      if (!one->against.empty() && one->no_difference) name += element("span", "place", names(Term::same_world));
      Markup row = element("th", {{"class", std::string("sub")}, {"scope", std::string("row")}}, name);
      for (Column const& column : columns) row += column.of(*one, scenario);
      body += element("tr", row);
    }
    bodies += element("tbody", body);
  }
  return bodies.empty() ? bodies : data_table(element("thead", element("tr", head)), bodies, "data by-visit");
}

std::vector<std::string> characteristics_notes(Names const& names, std::string const& analysis) {
  bool logarithms = false, without_truth = false;
  for (auto const& scenario : names.rehearsal.scenarios)
    for (auto const& one : scenario.statements)
      if (one.analysis == analysis && one.mean) logarithms |= one.ratio, without_truth |= !one.truth;
  std::vector<std::string> notes;
  if (logarithms) notes.push_back(names(Term::log_note));
  if (without_truth) notes.push_back(names(Term::no_truth_note));
  return notes;
}

Markup hypotheses(Names const& names) {
  const auto same = [](auto const& a, auto const& b) { return a.id == b.id; };
  Markup rows;
  for (auto const* one : each_once(names, &ScenarioCharacteristics::hypotheses, same)) {
    Markup row = row_head(Markup(names(Term::hypothesis_of, one->id, one->analysis, names.context.arm(one->arm))));
    for (auto const& scenario : names.rehearsal.scenarios) {
      auto const* here = find(scenario, &ScenarioCharacteristics::hypotheses, *one, same);
      row += here ? share_cell(names, here->rejected, here->is_true ? names(Term::hypothesis_true) : std::string()) : nothing();
    }
    rows += element("tr", row);
  }
  const auto add = [&](Term name, std::optional<results::Share> ScenarioCharacteristics::*member, std::string const& absent) {
    if (std::ranges::none_of(names.rehearsal.scenarios, [&](auto const& s) { return (s.*member).has_value(); })) return;
    Markup row = row_head(element("span", "est", names(name)));
    for (auto const& scenario : names.rehearsal.scenarios)
      row += scenario.*member                                ? share_cell(names, *(scenario.*member))
             : absent.empty() || scenario.hypotheses.empty() ? nothing()
                                                             : cell(element("span", "dim", absent), {});
    rows += element("tr", row);
  };
  add(Term::any_rejected, &ScenarioCharacteristics::any_rejected, {});
  add(Term::all_rejected, &ScenarioCharacteristics::all_rejected, {});
  add(Term::family_wise, &ScenarioCharacteristics::family_wise_error, names(Term::none_true));
  return rows.empty() ? rows
                      : data_table(scenario_head(names, names(Term::column_hypothesis)), element("tbody", rows), "data inline");
}

std::vector<Monitored> monitored(Names const& names) {
  std::vector<Monitored> all;
  for (auto const *one : each_once(names, &ScenarioCharacteristics::monitoring,
                                   [](auto const&a, auto const&b) { return a.analysis == b.analysis && a.arm == b.arm; }))
    all.push_back({one->analysis, one->arm});
  return all;
}

Markup looks(Names const& names, Monitored const& what) {
  bool events = false;
  for (auto const& scenario : names.rehearsal.scenarios)
    for (auto const& one : scenario.monitoring)
      if (one.analysis == what.analysis && one.arm == what.arm) {
        events |= one.expected_events.has_value();
        for (auto const& look : one.looks) events |= !std::isnan(look.events.value);
      }
  Markup head = heading(names(Term::column_look)), bodies;
  std::vector<Term> columns = {Term::column_reached,      Term::column_benefit, Term::column_futility,
                               Term::column_look_rejects, Term::column_day,     Term::column_participants};
  if (events) columns.push_back(Term::column_events);
  for (const Term column : columns) head += heading(Markup(names(column)), true);
  for (std::size_t s = 0; s < names.rehearsal.scenarios.size(); ++s)
    for (auto const& one : names.rehearsal.scenarios[s].monitoring) {
      if (one.analysis != what.analysis || one.arm != what.arm) continue;
      Markup body = element(
          "tr", "visit",
          element("th", {{"colspan", int(columns.size() + 1)}, {"scope", std::string("rowgroup")}}, scenario_name(names, s)));
      const auto name = [](Markup const& text) {
        return element("th", {{"class", std::string("sub")}, {"scope", std::string("row")}}, text);
      };
      for (auto const& look : one.looks) {
        Markup row = name(look.id);
        row += share_cell(names, look.reached) + share_cell(names, look.stopped_for_benefit) +
               share_cell(names, look.stopped_for_futility) + nothing();
        row += measured_cell(look.day) + measured_cell(look.participants);
        if (events) row += measured_cell(look.events);
        body += element("tr", row);
      }
      Markup whole = name(element("span", "est", names(Term::look_all)));
      whole += nothing() + nothing() + nothing() + share_cell(names, one.rejected) + measured_cell(one.expected_days) +
               measured_cell(one.expected_participants);
      if (events) whole += one.expected_events ? measured_cell(*one.expected_events) : nothing();
      bodies += element("tbody", body + element("tr", whole));
    }
  return bodies.empty() ? bodies : data_table(element("thead", element("tr", head)), bodies, "data by-visit");
}

Markup monitored_together(Names const& names) {
  Markup rows;
  const auto add = [&](Term name, std::optional<results::Share> ScenarioCharacteristics::*member) {
    if (std::ranges::none_of(names.rehearsal.scenarios, [&](auto const& s) { return (s.*member).has_value(); })) return;
    Markup row = row_head(Markup(names(name)));
    for (auto const& scenario : names.rehearsal.scenarios)
      row += scenario.*member ? share_cell(names, *(scenario.*member)) : nothing();
    rows += element("tr", row);
  };
  add(Term::monitored_any, &ScenarioCharacteristics::monitored_any);
  add(Term::monitored_all, &ScenarioCharacteristics::monitored_all);
  return rows.empty() ? rows : data_table(scenario_head(names, {}), element("tbody", rows), "data inline");
}

Markup grid(Names const& names, results::Grid const& of) {
  std::vector<figures::GridSeries> series = figures::tests_of(names, of);
  const auto claims = figures::claims_of(names, of);
  series.insert(series.end(), claims.begin(), claims.end());
  Markup head, rows;
  for (auto const& axis : of.axes) head += heading(Markup(axis.label.empty() ? join(axis.keys, ", ") : axis.label), true);
  for (auto const& one : series) head += heading(Markup(one.label), true);
  for (std::size_t c = 0; c < of.cells.size(); ++c) {
    Markup row;
    std::size_t below = of.cells.size();
    for (auto const& axis : of.axes) {
      below /= std::max<std::size_t>(1, axis.values.size());
      const double value = axis.values[c / std::max<std::size_t>(1, below) % axis.values.size()];
      row += element("th", {{"class", std::string("num")}, {"scope", std::string("row")}},
                     Markup(std::isfinite(value) ? shortest(value) : "NE"));
    }
    for (auto const& one : series) row += share_cell(names, one.cells[c]);
    rows += element("tr", row);
  }
  return rows.empty() ? rows : data_table(element("thead", element("tr", head)), element("tbody", rows), "data minor");
}

Markup conduct(Names const& names) {
  if (names.rehearsal.scenarios.empty()) return {};
  Markup head = heading(names(Term::column_scenario)), rows;
  for (const Term column : {Term::column_accrual, Term::column_length, Term::column_screened, Term::column_imbalance,
                            Term::column_guessed, Term::column_left})
    head += heading(Markup(names(column)), true);
  for (std::size_t s = 0; s < names.rehearsal.scenarios.size(); ++s) {
    auto const& one = names.rehearsal.scenarios[s];
    Markup row = row_head(scenario_name(names, s));
    row += measured_cell(one.accrual_days) + measured_cell(one.trial_days) + measured_cell(one.screened) +
           measured_cell(one.imbalance);
    row += measured_cell(one.guessed, 100) + measured_cell(one.left_early, 100);
    rows += element("tr", row);
  }
  return data_table(element("thead", element("tr", head)), element("tbody", rows));
}

Markup provenance(Names const& names) {
  auto const& r = names.rehearsal;
  Markup rows;
  const auto add = [&](Term term, Markup const& value) {
    rows += element("tr", element("th", {{"scope", std::string("row")}}, names(term)) + element("td", value));
  };
  std::int64_t most = 0;
  add(Term::provenance_trial, Markup(r.trial.empty() ? names.plan.trial.id : r.trial));
  add(Term::provenance_digest, element("code", r.protocol_digest));
  add(Term::provenance_version, Markup(r.version));
  add(Term::provenance_seed, Markup(std::to_string(r.seed)));
  add(Term::provenance_level, Markup(names(Term::provenance_level_text, shortest(r.alpha), names.percent(r.level))));
  std::string command = "equipoise simulate " + (names.plan.file.empty() ? std::string("protocol.toml") : names.plan.file) +
                        " --seed " + std::to_string(r.seed);
  bool alike = true;  // the same number of trials everywhere: else it is what the protocol says of each
  const auto look = [&](auto const& one) { alike &= most == 0 || one.replicates == most, most = std::max(most, one.replicates); };
  for (auto const& grid : r.grids)
    for (auto const& cell : grid.cells) look(cell);
  for (auto const& scenario : r.scenarios) look(scenario);
  if (alike && most > 0) command += " --replicates " + std::to_string(most);
  if (r.scenarios.size() != names.plan.scenarios.size() || !r.grids.empty() || names.plan.rehearsal) {
    for (auto const& scenario : r.scenarios) command += " --scenario " + scenario.id;
    for (auto const& grid : r.grids) command += " --grid " + grid.id;
  }
  if (!r.scenarios.empty() && r.scenarios.front().failures.size() < names.plan.analyses.size())
    for (auto const& one : r.scenarios.front().failures) command += " --analysis " + one.analysis;
  add(Term::provenance_command, element("code", command));
  return scrolling("scroll", element("table", "facts", element("tbody", rows))) +
         element("p", "note", names(Term::provenance_note));
}

}  // namespace equipoise::report::rehearsal::tables
