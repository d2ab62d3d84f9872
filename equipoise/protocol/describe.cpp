#include "equipoise/protocol/describe.h"

#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"

namespace equipoise::protocol {
namespace {

std::string capitalised(std::string text) {
  if (!text.empty() && text.front() >= 'a' && text.front() <= 'z') text.front() = char(text.front() - 'a' + 'A');
  return text;
}

/// Columns a terminal needs: CJK characters take two, combining bytes none.
std::size_t width(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) columns += byte >= 0xE3 && byte <= 0xEF ? 2 : 1;
  }
  return columns;
}

std::string padded(std::string_view text, std::size_t columns) {
  return std::string(text) + std::string(columns > width(text) ? columns - width(text) : 0, ' ');
}

std::string summary_words(std::string_view summary) {
  std::string words(summary);
  std::ranges::replace(words, '_', ' ');
  return words;
}

void describe_head(std::string& out, Protocol const& protocol, std::string_view language) {
  Trial const& trial = protocol.trial;
  out += trial.title.in(language) + "\n";
  out += fmt::format("Trial '{}', protocol version {}{}{}.\n", trial.id, trial.version,
                     trial.phase.empty() ? "" : ", phase " + trial.phase, trial.registry.empty() ? "" : ", " + trial.registry);
  if (trial.simulated) out += "SIMULATED: the data of this protocol do not come from people.\n";
  std::string planned = trial.planned_participants ? fmt::format("{} participants", *trial.planned_participants) : "Participants";
  std::string sites =
      protocol.sites.empty() ? "" : fmt::format(" at {} site{}", protocol.sites.size(), protocol.sites.size() == 1 ? "" : "s");
  const std::string masked = protocol.blinding == "double"   ? ", double blind"
                             : protocol.blinding == "single" ? ", single blind"
                             : protocol.blinding == "open"   ? ", open"
                                                             : "";
  const std::string method = protocol.randomisation ? fmt::format(" by {}", summary_words(protocol.randomisation->method)) : "";
  out += fmt::format("{}{} are randomised{} to {} arms{}:\n", planned, sites, method, protocol.arms.size(), masked);
  for (Arm const& arm : protocol.arms)
    out += fmt::format("  - {}{}{}\n", arm.label.in(language), arm.dose ? ", " + dose_text(*arm.dose) : "",
                       arm.role == ArmRole::investigational   ? ""
                       : arm.role == ArmRole::placebo_control ? " (placebo control)"
                       : arm.role == ArmRole::active_control  ? " (active control)"
                                                              : " (no treatment)");
}

void describe_questions(std::string& out, Protocol const& protocol, std::string_view language) {
  for (Estimand const& estimand : protocol.estimands) {
    std::vector<std::string> compared;
    for (std::string const& arm : estimand.compare)
      compared.push_back(protocol.arm(arm) ? protocol.arm(arm)->label.in(language) : arm);
    const Endpoint* endpoint = protocol.endpoint(estimand.endpoint);
    out += fmt::format("\nEstimand {}: {}.\n", estimand.id, estimand.objective);
    out += fmt::format("  Population: {} (analysis set '{}'). Treatments: {} against {}.\n", estimand.population, estimand.set,
                       one_of(compared, "and"),
                       protocol.arm(estimand.against) ? protocol.arm(estimand.against)->label.in(language) : estimand.against);
    if (endpoint)
      out += fmt::format("  Variable: {}{}. Summary: {}.\n", endpoint->label.in(language),
                         endpoint->at.empty() ? "" : " at " + endpoint->at, summary_words(estimand.summary));
    for (Intercurrent const& ice : estimand.intercurrent)
      out += fmt::format("  {}: {}.\n", capitalised(summary_words(ice.event)), strategy_text(ice));
  }
}

void describe_plan(std::string& out, Protocol const& protocol) {
  if (protocol.analyses.empty()) return;
  out += "\nAnalyses:\n";
  for (Analysis const& analysis : protocol.analyses)
    out +=
        fmt::format("  {}  {} {} of {} in set '{}'\n", analysis.id, analysis.role, analysis.method,
                    analysis.estimand.empty() ? "endpoint " + analysis.endpoint : "estimand " + analysis.estimand, analysis.set);
  Conventions const& c = protocol.conventions;
  out += fmt::format("{}-sided alpha {}, confidence {} %, program defaults as '{}'.\n", c.sided == 2 ? "Two" : "One",
                     shortest(c.alpha), shortest(100 * c.confidence), c.match);
}

}  // namespace

std::string dose_text(Dose const& dose) {
  if (dose.amount == 0) return fmt::format("0 {}", dose.unit);
  if (dose.amount >= 1e5) {
    const int power = int(std::floor(std::log10(dose.amount)));
    return fmt::format("{} x 10^{} {}", shortest(dose.amount / std::pow(10.0, power)), power, dose.unit);
  }
  return fmt::format("{} {}", shortest(dose.amount), dose.unit);
}

std::string window_text(Visit const& visit) {
  if (visit.days_before == 0 && visit.days_after == 0) return fmt::format("day {}", visit.day.day());
  const int offset = visit.day.offset();
  return fmt::format("day {} ({} to {})", visit.day.day(), StudyDay::from_offset(offset - visit.days_before).day(),
                     StudyDay::from_offset(offset + visit.days_after).day());
}

std::string strategy_text(Intercurrent const& ice) {
  switch (ice.strategy) {
    case Strategy::treatment_policy:
      return "treatment policy, data after it are used as they are";
    case Strategy::hypothetical:
      return ice.handling == "censored" ? "hypothetical, follow-up is censored at it"
                                        : "hypothetical, data after it are not used and are taken as missing at random";
    case Strategy::composite:
      if (const auto* number = std::get_if<double>(&ice.value))
        return fmt::format("composite, the value is {} from then on", shortest(*number));
      if (const auto* word = std::get_if<std::string>(&ice.value); word && *word == "never")
        return "composite, counts as never having the event, to the end of follow-up";
      return "composite, counts as an event at its date";
    case Strategy::while_on_treatment:
      return "while on treatment, only data up to it are used";
    case Strategy::principal_stratum:
      return "principal stratum";
  }
  return {};
}

std::string describe(Protocol const& protocol, std::string_view language) {
  std::string out;
  describe_head(out, protocol, language);
  describe_questions(out, protocol, language);
  describe_plan(out, protocol);
  return out;
}

std::string schedule_of_activities(Protocol const& protocol, std::string_view language) {
  if (protocol.visits.empty()) return {};
  std::size_t first = 0;
  for (Form const& form : protocol.forms) first = std::max(first, width(form.label.in(language)));
  const auto window = [](Visit const& visit) {
    return visit.days_before + visit.days_after == 0 ? std::string() : fmt::format("-{}+{}", visit.days_before, visit.days_after);
  };
  std::vector<std::size_t> columns;
  for (Visit const& visit : protocol.visits)
    columns.push_back(std::max({width(visit.label.in(language)), std::to_string(visit.day.day()).size(), window(visit).size(),
                                visit.epoch.size()}) +
                      2);
  std::string out;
  if (std::ranges::any_of(protocol.visits, [](Visit const& visit) { return !visit.epoch.empty(); })) {
    out += padded("Epoch", first + 2);
    for (std::size_t i = 0; i < columns.size(); ++i) out += padded(protocol.visits[i].epoch, columns[i]);
    while (out.ends_with(' ')) out.pop_back();
    out += "\n";
  }
  out += padded("Visit", first + 2);
  for (std::size_t i = 0; i < columns.size(); ++i) out += padded(protocol.visits[i].label.in(language), columns[i]);
  out += "\n" + padded("Day", first + 2);
  for (std::size_t i = 0; i < columns.size(); ++i) out += padded(std::to_string(protocol.visits[i].day.day()), columns[i]);
  out += "\n" + padded("Window", first + 2);
  for (std::size_t i = 0; i < columns.size(); ++i) out += padded(window(protocol.visits[i]), columns[i]);
  for (Form const& form : protocol.forms) {
    out += "\n" + padded(form.label.in(language), first + 2);
    for (std::size_t i = 0; i < columns.size(); ++i)
      out +=
          padded(std::ranges::find(protocol.visits[i].forms, form.id) != protocol.visits[i].forms.end() ? "x" : "", columns[i]);
    if (form.any_time) out += "at any time";
    while (out.ends_with(' ')) out.pop_back();
  }
  return out + "\n";
}

}  // namespace equipoise::protocol
