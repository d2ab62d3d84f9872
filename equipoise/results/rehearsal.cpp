#include "equipoise/results/rehearsal.h"

#include <cmath>

#include "equipoise/results/json_writer.h"

namespace equipoise::results {

std::string json(Share const& share) {
  return Object().count("n", share.n).count("of", share.of).real("value", share.value()).real("mc_se", share.mc_se()).str();
}

std::string json(Measured const& measured) { return Object().real("value", measured.value).real("mc_se", measured.mc_se).str(); }

namespace {

template <class T>
void add(Object& out, std::string_view key, std::optional<T> const& value) {
  if (value) out.raw(key, json(*value));
}

std::string json(StatementCharacteristics const& one) {
  Object out;
  out.text("analysis", one.analysis).text("method", one.method).text("role", one.role).text("endpoint", one.endpoint);
  out.text("arm", one.arm);
  if (!one.against.empty()) out.text("against", one.against).flag("no_difference", one.no_difference);
  out.raw("rejected", json(one.rejected));
  add(out, "rejected_better", one.rejected_better);
  out.raw("not_estimable", json(one.not_estimable));
  if (one.mean) out.text("scale", one.ratio ? "log" : "identity");
  add(out, "truth", one.truth), add(out, "mean", one.mean), add(out, "bias", one.bias);
  add(out, "empirical_se", one.empirical_se), add(out, "model_se", one.model_se), add(out, "coverage", one.coverage);
  if (!one.estimates.empty()) {
    out.raw("first_estimates", list(one.estimates, number));
    if (!one.lower.empty()) out.raw("first_lower", list(one.lower, number)).raw("first_upper", list(one.upper, number));
  }
  return out.str();
}

std::string json(ClaimCharacteristics const& one) {
  return Object().text("id", one.id).text("label", one.label).raw("holds", json(one.holds)).count("unknown", one.unknown).str();
}

std::string json(HypothesisCharacteristics const& one) {
  return Object()
      .text("id", one.id)
      .text("analysis", one.analysis)
      .text("arm", one.arm)
      .flag("is_true", one.is_true)
      .raw("rejected", json(one.rejected))
      .str();
}

std::string json(AnalysisFailures const& one) {
  return Object()
      .text("analysis", one.analysis)
      .raw("no_answer", json(one.no_answer))
      .raw("fell_back", json(one.fell_back))
      .str();
}

std::string json(LookCharacteristics const& one) {
  Object out;
  out.text("id", one.id).raw("reached", json(one.reached)).raw("stopped_for_benefit", json(one.stopped_for_benefit));
  out.raw("stopped_for_futility", json(one.stopped_for_futility)).raw("day", json(one.day));
  out.raw("participants", json(one.participants)).raw("events", json(one.events));
  return out.str();
}

std::string json(MonitoringCharacteristics const& one) {
  Object out;
  out.text("analysis", one.analysis).text("arm", one.arm).raw("rejected", json(one.rejected));
  out.raw("expected_participants", json(one.expected_participants)).raw("expected_days", json(one.expected_days));
  add(out, "expected_events", one.expected_events);
  out.raw("looks", list(one.looks, [](LookCharacteristics const& look) { return json(look); }));
  return out.str();
}

std::string json(AccrualFan const& fan) {
  Object out;
  out.raw("randomised", list(fan.randomised, [](std::int64_t n) { return std::to_string(n); }));
  out.raw("quantiles", list(std::vector<double>(AccrualFan::quantiles.begin(), AccrualFan::quantiles.end()), number));
  out.raw("days", list(fan.days, [](std::vector<double> const& days) { return list(days, number); }));
  return out.str();
}

std::string json(ScenarioCharacteristics const& one, std::string_view line) {
  Object out;
  out.text("id", one.id).count("replicates", one.replicates);
  const auto write = [](auto const& element) { return json(element); };
  out.raw("statements", list(one.statements, write, line)).raw("claims", list(one.claims, write, line));
  out.raw("hypotheses", list(one.hypotheses, write, line));
  add(out, "any_rejected", one.any_rejected), add(out, "all_rejected", one.all_rejected);
  add(out, "family_wise_error", one.family_wise_error);
  out.raw("failures", list(one.failures, write, line));
  if (!one.monitoring.empty()) out.raw("monitoring", list(one.monitoring, write, line));
  add(out, "monitored_any", one.monitored_any), add(out, "monitored_all", one.monitored_all);
  out.raw("accrual_days", json(one.accrual_days)).raw("trial_days", json(one.trial_days));
  out.raw("screened", json(one.screened)).raw("imbalance", json(one.imbalance)).raw("guessed", json(one.guessed));
  out.raw("left_early", json(one.left_early)).raw("accrual", json(one.accrual)).raw("notes", texts(one.notes));
  return out.str();
}

std::string json(Grid::Axis const& one) {
  return Object().text("label", one.label).raw("keys", texts(one.keys)).raw("values", list(one.values, number)).str();
}

std::string json(Grid const& one) {
  Object out;
  out.text("id", one.id).text("scenario", one.scenario);
  out.raw("axes", list(one.axes, [](Grid::Axis const& axis) { return json(axis); }));
  out.raw("cells", list(
                       one.cells, [](ScenarioCharacteristics const& cell) { return json(cell, "\n        "); }, "\n      "));
  return out.str();
}

}  // namespace

double Share::mc_se() const { return of > 0 ? std::sqrt(value() * (1 - value()) / double(of)) : missing_number; }

std::string to_json(Rehearsal const& rehearsal) {
  Object out;
  out.text("document", "equipoise rehearsal").flag("simulated", true).text("trial", rehearsal.trial);
  out.text("title", rehearsal.title).text("version", rehearsal.version);
  out.text("protocol_digest", rehearsal.protocol_digest).raw("seed", std::to_string(rehearsal.seed));
  out.real("alpha", rehearsal.alpha).real("level", rehearsal.level);
  out.raw("scenarios",
          list(
              rehearsal.scenarios, [](ScenarioCharacteristics const& one) { return json(one, "\n      "); }, "\n    "));
  if (!rehearsal.grids.empty())
    out.raw("grids", list(
                         rehearsal.grids, [](Grid const& one) { return json(one); }, "\n    "));
  return out.str() + "\n";
}

}  // namespace equipoise::results
