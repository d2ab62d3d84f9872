#include "equipoise/data/visit_values.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/core/expected.h"
#include "equipoise/core/text.h"

namespace equipoise::data {
namespace {

using protocol::Endpoint;
using protocol::EndpointKind;
using protocol::Strategy;

std::string counted(std::int64_t n, std::string_view one) { return fmt::format("{} {}{}", n, one, n == 1 ? "" : "s"); }

double transformed(Endpoint const& endpoint, double value) {
  if (endpoint.transform == "log") return value > 0 ? std::log(value) : missing_number;
  if (endpoint.transform == "sqrt") return value >= 0 ? std::sqrt(value) : missing_number;
  if (endpoint.transform == "fourth_root") return value >= 0 ? std::sqrt(std::sqrt(value)) : missing_number;
  return value;
}

}  // namespace

VisitValues::VisitValues(TrialTables const& tables, Endpoint const& endpoint, std::vector<std::string> visits)
    : tables_(tables), endpoint_(endpoint), visits_(std::move(visits)) {
  if (visits_.empty()) {
    const double always = std::numeric_limits<double>::infinity();
    target_ = window_end_ = {always};
    days_.emplace_back(tables.participants(), always);
    values_.push_back(expression::evaluate(*endpoint.variable, tables, {}));
    return;
  }
  std::vector<double> const& randomised = tables.records().randomisation.low;
  for (std::string const& id : visits_) {
    protocol::Visit const& visit = *tables.protocol().visit(id);
    target_.push_back(double(visit.day.offset()));
    window_end_.push_back(double(visit.day.offset() + visit.days_after));
    const expression::Column date = tables.visit_date(id);
    std::vector<double>& days = days_.emplace_back(tables.participants(), target_.back());
    for (std::size_t i = 0; i < days.size(); ++i)
      if (const double day = date.low[i] - randomised[i]; !std::isnan(day)) days[i] = day;
    values_.push_back(expression::evaluate(*endpoint.variable, tables, id));
  }
}

Response VisitValues::measured(std::size_t i, std::size_t v) const {
  expression::Column const& column = values_[v];
  if (column.type == expression::Type::truth) {
    if (column.truth[i] != expression::is_unknown) return {double(column.truth[i]), Origin::measured};
  } else if (const expression::Interval known = column.interval(i); known.exact()) {
    return {known.low, Origin::measured};
  } else if (!known.missing()) {
    return {missing_number, Origin::beyond_limit};
  }
  TrialRecords const& records = tables_.records();
  const bool due = !records.cutoff || visits_.empty() || records.randomisation.low[i] + target_[v] <= *records.cutoff;
  return {missing_number, due ? Origin::not_measured : Origin::not_due};
}

Response on_scale(Endpoint const& endpoint, Response response) {
  if (std::isnan(response.value) || endpoint.kind == EndpointKind::binary) return response;
  response.value = transformed(endpoint, response.value);
  if (std::isnan(response.value)) response.origin = Origin::off_scale;
  return response;
}

struct VisitValues::OfOne {
  VisitValues const& all;
  std::size_t who;

  Response at(std::size_t visit) const { return all.measured(who, visit); }
  double day(std::size_t visit) const { return all.days_[visit][who]; }
  bool after_randomisation(std::size_t visit) const { return all.after_randomisation(visit); }
};

Response VisitValues::at(std::size_t i, std::size_t v, std::span<const Intercurrence> intercurrent) const {
  return response_at(endpoint_, OfOne{*this, i}, v, intercurrent);
}

Response VisitValues::carried_forward(std::size_t i, std::size_t v, std::span<const Intercurrence> intercurrent) const {
  return data::carried_forward(endpoint_, OfOne{*this, i}, v, intercurrent);
}

bool VisitValues::is_after(std::size_t i, std::size_t v, double event_day, bool has_response) const {
  return data::is_after(OfOne{*this, i}, v, window_end_[v], event_day, has_response);
}

void ResponseTally::Touched::add(std::size_t participant) {
  ++responses;
  if (last != participant) ++participants;
  last = participant;
}

ResponseTally::ResponseTally(protocol::Protocol const& protocol, Endpoint const& endpoint, std::vector<std::string> visits,
                             bool by_visit, bool carry_forward)
    : protocol_(protocol), endpoint_(endpoint), visits_(std::move(visits)), by_visit_(by_visit), carry_forward_(carry_forward) {}

void ResponseTally::add(std::size_t participant, Response const& response) {
  ++responses_;
  all_.add(participant);
  if (!std::isnan(response.value)) there_.add(participant);
  if (response.because && response.origin != Origin::not_measured && response.origin != Origin::not_due) {
    auto found = std::ranges::find(decided_, response.because, &std::pair<protocol::Intercurrent const*, Touched>::first);
    if (found == decided_.end()) found = decided_.insert(found, {response.because, {}});
    found->second.add(participant);
  }
  if (response.origin == Origin::not_due) not_due_.add(participant);
  if (response.origin == Origin::beyond_limit) beyond_limit_.add(participant);
  if (response.origin == Origin::off_scale) off_scale_.add(participant);
  if (response.origin == Origin::carried_forward) carried_.add(participant);
}

std::string ResponseTally::visit_label(std::string const& visit) const {
  return protocol_.visit(visit)->label.in(protocol_.trial.languages.front());
}

void ResponseTally::strategies(std::vector<std::string>& notes) const {
  for (auto const& [ice, touched] : decided_) {
    const std::string event = event_label(protocol_, ice->event);
    const std::string of = fmt::format("of {}", counted(touched.participants, "participant"));
    const std::string values = counted(touched.responses, "value");
    const std::string_view are = touched.responses == 1 ? "is" : "are";
    if (ice->strategy == Strategy::composite)
      notes.push_back(fmt::format("Composite strategy for \"{}\": {} {} {} {} from it on.", event, values, of, are,
                                  std::holds_alternative<double>(ice->value)
                                      ? shortest(std::get<double>(ice->value))
                                      : std::string(composite_response(*ice) == 1 ? "yes" : "no")));
    if (ice->strategy == Strategy::hypothetical)
      notes.push_back(fmt::format("Hypothetical strategy for \"{}\": {} {} after it {} not used, and taken as missing at random.",
                                  event, values, of, are));
    if (ice->strategy == Strategy::while_on_treatment)
      notes.push_back(fmt::format("While-on-treatment strategy for \"{}\": {} {} after it {} the last one up to it.", event,
                                  values, of, are));
  }
}

void ResponseTally::scale(std::vector<std::string>& notes) const {
  if (endpoint_.transform.empty() || endpoint_.kind == EndpointKind::binary) return;
  const std::string_view scale = endpoint_.transform == "log"    ? "natural logarithm"
                                 : endpoint_.transform == "sqrt" ? "square root"
                                                                 : "fourth root";
  if (endpoint_.transform == "log")
    notes.push_back(
        "The response is analysed as its natural logarithm: means are logarithms of geometric means, and a difference is the "
        "logarithm of their ratio.");
  else
    notes.push_back(fmt::format(
        "The response is analysed as its {}: means and differences are on that scale. A mean is also given back-transformed; a "
        "difference is not, for it is none on the scale of the response.",
        scale));
  if (const std::int64_t outside = off_scale_.responses; outside > 0)
    notes.push_back(fmt::format("{} {} no {} and {} left out: {}.", outside, outside == 1 ? "value has" : "values have", scale,
                                outside == 1 ? "is" : "are", endpoint_.transform == "log" ? "not above 0" : "below 0"));
}

std::vector<std::string> ResponseTally::notes() const {
  std::vector<std::string> notes;
  const std::int64_t nobody = all_.participants - there_.participants;
  if (by_visit_) {
    std::string note = fmt::format("{} of {} responses of {} at {} visits are there", there_.responses, responses_,
                                   counted(all_.participants, "participant"), visits_.size());
    if (not_due_.responses > 0)
      note += fmt::format("; {} {} not due at the data cut-off", not_due_.responses, not_due_.responses == 1 ? "was" : "were");
    if (nobody > 0)
      note += fmt::format("; {} none", nobody == 1 ? "1 participant has" : fmt::format("{} participants have", nobody));
    notes.push_back(note + ".");
  }
  strategies(notes);
  if (carry_forward_)
    notes.push_back(fmt::format(
        "Last observation carried forward: without a value at {}, {} with the last one at a visit before it and after "
        "randomisation; {} none and {} left out. This is no estimate of what would have been seen.",
        visit_label(visits_.back()),
        carried_.participants == 1 ? "1 participant counts" : fmt::format("{} participants count", carried_.participants),
        nobody == 1 ? "1 has" : fmt::format("{} have", nobody), nobody == 1 ? "is" : "are"));
  if (const std::int64_t bounded = beyond_limit_.responses; bounded > 0)
    notes.push_back(bounded == 1 ? "1 value is known only as below or above a limit and is left out."
                                 : fmt::format("{} values are known only as below or above a limit and are left out.", bounded));
  scale(notes);
  return notes;
}

std::string event_label(protocol::Protocol const& protocol, std::string const& event) {
  for (protocol::Form const& form : protocol.forms)
    for (protocol::Item const& item : form.items)
      for (protocol::CodeValue const& code : item.codes)
        if (form.any_time && code.id == event) return code.label.in(protocol.trial.languages.front());
  return event;
}

}  // namespace equipoise::data
