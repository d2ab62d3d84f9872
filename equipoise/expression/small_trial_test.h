#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "equipoise/expression/evaluate.h"
#include "equipoise/expression/expression.h"

/// A small trial for the tests and the fuzz target of this room: the names of the flagship protocol, and tables that a test fills
/// by hand.
namespace equipoise::expression::small_trial {

class Trial : public Names {
 public:
  struct Entry {
    std::string name;
    Variable variable;
    std::vector<std::string> visits;
  };

  std::vector<std::string> visits{"screening", "baseline", "w4", "w8", "w12"};
  std::vector<std::string> forms{"consent", "demography", "history",       "lymphocytes", "virology",
                                 "vitals",  "dosing",     "adverse_event", "remark",      "twin"};
  std::vector<Entry> entries{
      {"consent_date", {Type::date, "consent"}, {"screening"}},
      {"age", {Type::number, "demography", {}, true, "a"}, {"screening"}},
      {"sex", {Type::code, "demography", {"F", "M"}}, {"screening"}},
      {"mother_sex", {Type::code, "demography", {"F", "M", "unsaid"}}, {"screening"}},
      {"hiv", {Type::truth, "history"}, {"screening"}},
      {"art_start", {Type::date, "history"}, {"screening"}},
      {"cd4_highest", {Type::number, "history"}, {"screening"}},
      {"cdc_c", {Type::truth, "history"}, {"screening"}},
      {"karnofsky", {Type::number, "history"}, {"screening"}},
      {"weight", {Type::number, "vitals", {}, true, "kg"}, {"screening", "baseline", "w4", "w8"}},
      {"cd4", {Type::number, "lymphocytes", {}, true, "/mm3"}, {"screening", "baseline", "w4", "w8", "w12"}},
      {"cd8", {Type::number, "lymphocytes", {}, true, "/mm3"}, {"screening", "baseline", "w4", "w8", "w12"}},
      {"hiv_rna", {Type::number, "virology", {}, true, "copies/mL"}, {"screening", "w12"}},
      {"given", {Type::code, "dosing", {"full", "part", "none"}}, {"baseline", "w4", "w8"}},
      {"infused_on", {Type::date, "vitals"}, {"baseline", "w4", "w8"}},
      {"comment", {Type::text, "vitals"}, {"baseline", "w4", "w8"}},
      {"term", {Type::text, "adverse_event"}, {}},
      {"onset", {Type::date, "adverse_event"}, {}},
      {"resolved", {Type::date, "adverse_event"}, {}},
      {"grade", {Type::number, "adverse_event"}, {}},
      {"serious", {Type::truth, "adverse_event"}, {}},
      {"related", {Type::code, "adverse_event", {"no", "possible", "yes"}}, {}},
      {"said", {Type::text, "remark"}, {}},
      {"twin", {Type::truth, "vitals"}, {"baseline"}},
      {"ratio", {Type::number}, {"screening", "baseline", "w4", "w8", "w12"}},
      {"cd4_change", {Type::number}, {"screening", "baseline", "w4", "w8", "w12"}},
      {"response_30", {Type::truth}, {"screening", "baseline", "w4", "w8", "w12"}},
      {"randomised", {Type::truth, "", {}, false}, {}},
      {"randomisation", {Type::date, "", {}, false}, {}},
      {"arm", {Type::code, "", {"placebo", "low", "high"}, false}, {}},
      {"site", {Type::code, "", {"s1", "s2"}, false}, {}},
      {"dose", {Type::number, "", {}, false}, {}},
  };

  Entry const* find(std::string_view name) const {
    for (Entry const& entry : entries)
      if (entry.name == name) return &entry;
    return nullptr;
  }
  std::optional<Variable> variable(std::string_view name) const override {
    const Entry* entry = find(name);
    return entry ? std::optional(entry->variable) : std::nullopt;
  }
  bool has_visit(std::string_view visit) const override { return holds(visits, visit); }
  bool has_form(std::string_view form) const override { return holds(forms, form); }
  bool collected(std::string_view name, std::string_view visit) const override {
    const Entry* entry = find(name);
    return entry && holds(entry->visits, visit);
  }
  std::vector<std::string> all_variables() const override {
    std::vector<std::string> names;
    for (Entry const& entry : entries) names.push_back(entry.name);
    return names;
  }
  std::vector<std::string> all_visits() const override { return visits; }
  std::vector<std::string> all_forms() const override { return forms; }

 private:
  static bool holds(std::vector<std::string> const& list, std::string_view word) {
    for (std::string const& each : list)
      if (each == word) return true;
    return false;
  }
};

/// What a test has not filled in is missing; a visit took place unless the test says otherwise, on day 1000 + 28 k for the k-th
/// of w4, w8, w12.
class Data : public Tables {
 public:
  explicit Data(std::size_t participants) : participants_(participants) {}

  Trial names{};
  std::map<std::string, Column, std::less<>> cells{};       ///< by item@visit or item
  std::map<std::string, std::string, std::less<>> rules{};  ///< of derivations
  std::map<std::string, std::vector<std::uint8_t>, std::less<>> attendance{};
  std::map<std::string, Column, std::less<>> dates{};
  std::map<std::string, Entries, std::less<>> filled{};

  std::size_t participants() const override { return participants_; }
  std::vector<std::string> post_baseline_visits() const override { return {"w4", "w8", "w12"}; }
  std::vector<std::uint8_t> attended(std::string_view visit) const override {
    const auto found = attendance.find(visit);
    return found != attendance.end() ? found->second : std::vector<std::uint8_t>(participants_, 1);
  }
  Column visit_date(std::string_view visit) const override {
    if (const auto found = dates.find(visit); found != dates.end()) return found->second;
    double day = 1000;
    for (std::string const& after : post_baseline_visits()) {
      day += 28;
      if (after == visit) return Column::of_numbers(std::vector<double>(participants_, day), Type::moment);
    }
    return Column::of_numbers(std::vector<double>(participants_, 1000), Type::moment);
  }
  Column variable(std::string_view name, std::optional<std::string_view> visit) const override {
    if (const auto rule = rules.find(name); rule != rules.end()) {
      Problems problems;
      const auto expression = parse(rule->second, names, {.at_visit = true}, {}, problems);
      expects(expression.has_value(), "a derivation of a test parses");
      return evaluate(*expression, *this, visit);
    }
    const std::string key = visit ? std::string(name) + "@" + std::string(*visit) : std::string(name);
    const auto found = cells.find(key);
    return found != cells.end() ? found->second : Column::of_missing(names.variable(name)->type, participants_);
  }
  Entries const& entries(std::string_view form) const override {
    const auto found = filled.find(form);
    if (found != filled.end()) return found->second;
    Entries& none = empty_[std::string(form)];
    for (Trial::Entry const& entry : names.entries)
      if (entry.variable.form == form) none.items.emplace(entry.name, Column::of_missing(entry.variable.type, 0));
    return none;
  }

 private:
  std::size_t participants_;
  mutable std::map<std::string, Entries, std::less<>> empty_{};
};

}  // namespace equipoise::expression::small_trial
