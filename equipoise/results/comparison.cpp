#include "equipoise/results/comparison.h"

#include "equipoise/results/json_writer.h"

namespace equipoise::results {
namespace {

std::string json(PairedShare const& one) {
  Object out;
  out.text("kind", one.kind).text("id", one.id);
  if (!one.arm.empty()) out.text("arm", one.arm);
  if (!one.label.empty()) out.text("label", one.label);
  out.raw("first", json(one.first)).raw("second", json(one.second)).raw("difference", json(one.difference));
  return out.str();
}

std::string json(PairedMean const& one) {
  Object out;
  out.text("id", one.id).raw("first", json(one.first)).raw("second", json(one.second));
  return out.raw("difference", json(one.difference)).str();
}

std::string json(ScenarioComparison const& one) {
  Object out;
  out.text("id", one.id).count("replicates", one.replicates);
  out.raw("shares", list(
                        one.shares, [](PairedShare const& share) { return json(share); }, "\n      "));
  out.raw("means", list(
                       one.means, [](PairedMean const& mean) { return json(mean); }, "\n      "));
  return out.str();
}

std::string json(Comparison::Plan const& plan) {
  return Object().text("file", plan.file).text("trial", plan.trial).text("protocol_digest", plan.protocol_digest).str();
}

}  // namespace

std::string to_json(Comparison const& comparison) {
  Object out;
  out.text("document", "equipoise comparison").flag("simulated", true).text("version", comparison.version);
  out.raw("seed", std::to_string(comparison.seed));
  out.raw("first", json(comparison.first)).raw("second", json(comparison.second));
  out.raw("only_first", texts(comparison.only_first)).raw("only_second", texts(comparison.only_second));
  out.raw("scenarios", list(
                           comparison.scenarios, [](ScenarioComparison const& one) { return json(one); }, "\n    "));
  return out.str() + "\n";
}

}  // namespace equipoise::results
