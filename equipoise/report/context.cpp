#include "equipoise/report/context.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/protocol/names.h"

namespace equipoise::report {
namespace {

// Checked in context_test.cpp: at least 4.5 to 1 against the card behind them, in light and dark (labels are text;
// WCAG 2.1, 1.4.3).
constexpr std::array<std::string_view, palette_slots> light = {"#5b6472", "#7a5c3e", "#0f7391", "#3a5fc8",
                                                               "#7440b8", "#a8307f", "#bd3527", "#8a4b00"};
constexpr std::array<std::string_view, palette_slots> dark = {"#a8b1bf", "#c9a98a", "#45b3d0", "#8aa6ff",
                                                              "#b893f5", "#ee7fc0", "#f58473", "#e0a24c"};

/// Slots along the ordered palette for so many investigational arms: the ends are used first, so that two doses are far apart.
std::vector<int> ramp(std::size_t arms) {
  switch (arms) {
    case 0:
      return {};
    case 1:
      return {2};
    case 2:
      return {2, 6};
    case 3:
      return {2, 4, 6};
    case 4:
      return {2, 3, 5, 6};
    case 5:
      return {2, 3, 4, 5, 6};
    default:
      break;
  }
  std::vector<int> slots;
  for (std::size_t i = 0; i < arms; ++i) slots.push_back(2 + int(i % 6));
  return slots;
}

// Lines of arms that cross each other differ without colour; the control is solid.
constexpr std::array<std::string_view, 6> dashes = {"8 3.5", "2.5 3", "9 3 2 3", "14 4", "5 3 1.5 3 1.5 3", "4 4"};

std::string head_of(std::string_view reference) { return std::string(reference.substr(0, reference.find('@'))); }

/// The text of an endpoint's variable, without blanks; of the derivation when it is one.
std::string rule_of(protocol::Protocol const& plan, std::string_view endpoint) {
  const auto* found = plan.endpoint(endpoint);
  if (!found || !found->variable) return {};
  const auto* derived = plan.derivation(found->variable->text());
  std::string text = derived ? derived->rule.text() : found->variable->text();
  std::erase(text, ' ');
  return text;
}

/// {x, VISIT} of "x-x@VISIT"; of any other rule nothing.
std::pair<std::string, std::string> change_of(std::string const& rule) {
  const std::size_t minus = rule.find('-'), at = rule.find('@');
  if (minus == std::string::npos || at == std::string::npos || at < minus) return {};
  const std::string item = rule.substr(0, minus), visit = rule.substr(at + 1);
  if (!is_id(item) || rule.substr(minus + 1, at - minus - 1) != item || !is_id(visit)) return {};
  return {item, visit};
}

}  // namespace

std::string_view palette(int slot, bool in_dark) { return (in_dark ? dark : light)[std::size_t(slot % palette_slots)]; }

Context::Context(protocol::Protocol const& p, results::Results const& r, std::string language)
    : plan(p), answer(r), words(std::move(language)) {
  std::vector<protocol::Arm const*> investigational;
  int controls = 0;
  for (auto const& arm : p.arms) {
    if (arm.role == protocol::ArmRole::investigational) {
      investigational.push_back(&arm);
      continue;
    }
    const int slot = std::min(controls++, 1);
    arm_styles[arm.id] = {slot, slot == 0 ? 0 : 5, palette(slot, false), slot == 0 ? "" : "1.5 2.5"};
  }
  // By dose only if all doses compare: two units have no order.
  const bool ordered = std::all_of(investigational.begin(), investigational.end(), [&](protocol::Arm const* arm) {
    return arm->dose && arm->dose->unit == investigational.front()->dose->unit;
  });
  if (ordered)
    std::stable_sort(investigational.begin(), investigational.end(),
                     [](auto const* a, auto const* b) { return a->dose->amount < b->dose->amount; });
  const std::vector<int> slots = ramp(investigational.size());
  for (std::size_t i = 0; i < investigational.size(); ++i)
    arm_styles[investigational[i]->id] = {slots[i], 1 + int(i % 5), palette(slots[i], false), dashes[i % dashes.size()]};
}

std::string Context::confidence() const {
  const double percent = 100 * plan.conventions.confidence;
  return results::fixed(percent, percent == std::round(percent) ? 0 : 1) + "%";
}

std::string Context::label(protocol::Text const& text, std::string_view id) const {
  if (!text.empty())
    if (std::string const& found = text.in(language()); !found.empty()) return found;
  return results::in_plain_words(id);
}

std::string Context::arm(std::string_view id) const {
  const auto* found = plan.arm(id);
  return found ? label(found->label, id) : std::string(id);
}

std::string Context::analysis(results::AnalysisRun const& run) const {
  for (auto const& planned : plan.analyses)
    if (planned.id == run.id && !planned.label.empty()) return label(planned.label, run.id);
  return endpoint(run.endpoint);
}

std::string Context::endpoint(std::string_view id) const {
  const auto* found = plan.endpoint(id);
  return found ? label(found->label, id) : results::in_plain_words(id);
}

std::string Context::set(std::string_view id) const {
  const auto* found = plan.set(id);
  return found ? label(found->label, id) : results::in_plain_words(id);
}

std::string Context::visit(std::string_view id) const {
  const auto* found = plan.visit(id);
  return found ? label(found->label, id) : results::in_plain_words(id);
}

std::string Context::changed_since(std::string_view endpoint) const {
  const auto [item, visit] = change_of(rule_of(plan, endpoint));
  return visit;
}

std::string Context::endpoint_unit(std::string_view id) const {
  const auto* found = plan.endpoint(id);
  if (found && found->transform == "log") return words(Word::scale_log);
  if (found && found->transform == "sqrt") return words(Word::scale_sqrt);
  if (found && found->transform == "fourth_root") return words(Word::scale_fourth_root);
  return response_unit(id);
}

std::string Context::response_unit(std::string_view id) const {
  const auto* found = plan.endpoint(id);
  if (!found || !found->variable) return {};
  std::string name = head_of(found->variable->text());
  if (const auto* derived = plan.derivation(name); derived && !derived->unit.empty())
    return results::unit_label(derived->unit, language());
  if (const auto [item, visit] = change_of(rule_of(plan, id)); !item.empty()) name = item;
  const auto* item = plan.item(name);
  return item ? results::unit_label(item->unit, language()) : std::string();
}

std::string Context::item(std::string_view reference) const {
  const std::string id = head_of(reference);
  std::string name, unit;
  if (const auto* found = plan.item(id)) name = label(found->label, id), unit = found->unit;
  else if (const auto* derived = plan.derivation(id)) name = label(derived->label, id), unit = derived->unit;
  else name = results::in_plain_words(id);
  const std::string printed = results::unit_label(unit, language());
  return printed.empty() ? name : words.chinese() ? name + "\uff08" + printed + "\uff09" : name + " (" + printed + ")";
}

std::string Context::event(std::string_view id) const {
  for (auto const& form : plan.forms)
    for (auto const& item : form.items)
      for (auto const& code : item.codes)
        if (code.id == id) return label(code.label, id);
  return results::in_plain_words(id);
}

std::string Context::role(std::string_view role) const {
  if (role == "primary") return words(Word::role_primary);
  if (role == "secondary") return words(Word::role_secondary);
  if (role == "sensitivity") return words(Word::role_sensitivity);
  if (role == "supportive") return words(Word::role_supportive);
  if (role == "exploratory") return words(Word::role_exploratory);
  if (role == "safety") return words(Word::role_safety);
  return results::in_plain_words(role);
}

std::string Context::method(results::AnalysisRun const& run) const {
  std::string name = results::method_label(run.method, language(), run.title);
  // What a method is applied to is a part of its name: it never goes by the plain one.
  constexpr std::string_view carried = ", last observation carried forward";
  if (run.title.ends_with(carried) && !name.ends_with(carried)) name += words.chinese() ? "，末次观测值结转" : carried;
  return name;
}

std::string Context::note(std::string const& sentence) const {
  std::string out;
  for (std::size_t at = 0; at < sentence.size();) {
    const std::size_t open = sentence.find('\'', at);
    const std::size_t close = open == std::string::npos ? open : sentence.find('\'', open + 1);
    if (close == std::string::npos) return out + sentence.substr(at);
    const std::string id = sentence.substr(open + 1, close - open - 1), before = sentence.substr(at, open - at);
    // "sex@baseline 'low'" is a level of that column, whatever arm is called so.
    const std::size_t blank = before.size() > 1 ? before.find_last_of(' ', before.size() - 2) : std::string::npos;
    const std::string word =
        before.empty() || before.back() != ' ' ? "" : before.substr(blank == std::string::npos ? 0 : blank + 1);
    const std::vector<std::string> events = protocol::dated_events(plan);
    const bool is_event = std::ranges::find(events, id) != events.end();
    const bool named = word.find('@') == std::string::npos && (plan.arm(id) || plan.visit(id) || is_event);
    if (!named && (id.find(' ') != std::string::npos || id.size() > 40)) {  // an apostrophe, and no id behind it
      out += before + "'", at = open + 1;
      continue;
    }
    out += before + (named ? "\u201c" +
                                 (plan.arm(id)     ? arm(id)
                                  : plan.visit(id) ? visit(id)
                                                   : event(id)) +
                                 "\u201d"
                           : "'" + id + "'");
    at = close + 1;
  }
  return out;
}

ArmStyle Context::style(std::string_view arm) const {
  const auto found = arm_styles.find(arm);
  return found == arm_styles.end() ? ArmStyle{7, 4, palette(7, false)} : found->second;
}

results::Printed Context::printed(std::string_view analysis, Finding const& finding) const {
  return results::printed(finding, language(), alpha(), recorded_decimals(analysis));
}

std::optional<int> Context::recorded_decimals(std::string_view analysis) const {
  const auto* found = run(analysis);
  const auto* endpoint = found ? plan.endpoint(found->endpoint) : nullptr;
  return endpoint ? endpoint->decimals : std::nullopt;
}

std::vector<results::Record const*> Context::records(std::string_view analysis) const {
  std::vector<results::Record const*> found;
  for (auto const& record : answer.records)
    if (record.analysis == analysis) found.push_back(&record);
  return found;
}

results::AnalysisRun const* Context::run(std::string_view analysis) const {
  for (auto const& run : answer.runs)
    if (run.id == analysis) return &run;
  return nullptr;
}

results::FlowArm const* Context::flow(std::string_view arm) const {
  for (auto const& column : answer.flow)
    if (column.arm == arm) return &column;
  return nullptr;
}

std::int64_t Context::randomised() const {
  std::int64_t n = 0;
  for (auto const& column : answer.flow) n += column.randomised;
  return n;
}

std::vector<std::string> in_arm_order(protocol::Protocol const& protocol, std::vector<std::string> groups) {
  const auto rank = [&](std::string const& group) {
    for (std::size_t i = 0; i < protocol.arms.size(); ++i)
      if (protocol.arms[i].id == group) return i;
    return protocol.arms.size();
  };
  std::stable_sort(groups.begin(), groups.end(), [&](std::string const& a, std::string const& b) { return rank(a) < rank(b); });
  return groups;
}

}  // namespace equipoise::report
