// Microseconds of deriving the data of one virtual trial of examples/msc-inr, compiled and plain, for each of its analyses.
//
//     derivation_bench [participants [analysis]]     in the root of the repository
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "equipoise/data/derive.h"
#include "equipoise/simulate/derivation.h"
#include "equipoise/simulate/records.h"
#include "equipoise/study/study.h"

namespace {

using namespace equipoise;

/// The items that a longitudinal scenario fills.
simulate::Layout layout_of(protocol::Protocol const& protocol) {
  simulate::Layout layout{.visits = protocol.visits.size(), .arms = protocol.arms.size(), .sites = protocol.sites.size()};
  for (std::size_t v = 0; v < protocol.visits.size(); ++v)
    for (std::string const& form : protocol.visits[v].forms)
      for (protocol::Item const& item : protocol.form(form)->items)
        if (item.form == "lymphocytes" || item.form == "dosing") layout.cells.push_back({&item, v});
  layout.forms.push_back({protocol.form("adverse_event"), {protocol.item("onset"), protocol.item("serious")}});
  layout.forms.push_back({protocol.form("event_log"), {protocol.item("what"), protocol.item("when")}});
  return layout;
}

simulate::VirtualTrial trial_of(protocol::Protocol const& protocol, simulate::Layout const& layout, std::size_t n) {
  unsigned state = 1;
  const auto chance = [&] { return state = state * 1664525u + 1013904223u, double(state >> 8) / 16777216.0; };
  simulate::VirtualTrial trial{.n = n};
  for (std::size_t i = 0; i < n; ++i) {
    trial.entry.push_back(double(7 * i));
    trial.site.push_back(std::int32_t(chance() * double(layout.sites)));
    trial.arm.push_back(std::int32_t(chance() * double(layout.arms)));
    trial.follow_up_end.push_back(chance() < 0.08 ? std::floor(673 * chance()) : 673);
  }
  trial.arm_received = trial.arm;
  for (protocol::Visit const& visit : protocol.visits)
    for (std::size_t i = 0; i < n; ++i)
      trial.visit_day.push_back(chance() < 0.03 || visit.day.offset() > trial.follow_up_end[i] ? missing_number
                                                                                               : visit.day.offset());
  for (simulate::Layout::Cell const& cell : layout.cells)
    for (std::size_t i = 0; i < n; ++i) {
      const double level = cell.item->kind == protocol::ItemKind::code ? 0 : std::floor(150 + 100 * chance());
      trial.value.push_back(std::isnan(trial.visit_day[*cell.visit * n + i]) ? missing_number : level);
    }
  trial.entries.resize(2);
  for (simulate::VirtualTrial::Entries& entries : trial.entries) {
    entries.items.resize(2);
    const bool log = &entries == &trial.entries[1];
    for (std::uint32_t i = 0; i < n; ++i) {
      if (chance() > (log ? 0.15 : 0.6)) continue;
      const double day = std::floor(673 * chance());
      entries.participant.push_back(i), entries.date.push_back(day);
      entries.items[log ? 1 : 0].push_back(day);
      entries.items[log ? 0 : 1].push_back(std::floor((log ? 5 : 2) * chance()));
    }
  }
  return trial;
}

template <class F>
double microseconds(int times, F const& f) {
  double best = 1e300;
  for (int block = 0; block < 5; ++block) {
    const auto started = std::chrono::steady_clock::now();
    for (int k = 0; k < times; ++k) f();
    best = std::min(best, std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - started).count() / times);
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string only = argc > 2 ? argv[2] : "";  // an analysis, to be looked at with a profiler
  const std::size_t n = argc > 1 ? std::size_t(std::atoi(argv[1])) : 72;
  std::ifstream file("examples/msc-inr/protocol.toml");
  std::stringstream text;
  text << file.rdbuf();
  const auto study = study::load(text.str(), "examples/msc-inr/protocol.toml");
  if (!study) return std::fprintf(stderr, "%s\n", to_string(study.error().front()).c_str()), 1;
  const simulate::Layout layout = layout_of(study->protocol);
  const simulate::VirtualTrial trial = trial_of(study->protocol, layout, n);
  const data::TrialRecords records = simulate::to_records(study->protocol, layout, trial);
  const double conversion = microseconds(20, [&] { simulate::to_records(study->protocol, layout, trial); });
  std::printf("{\"job\": \"records\", \"participants\": %zu, \"us\": %.0f}\n", n, conversion);
  for (analysis::PlannedAnalysis const& planned : study->plan.analyses) {
    if (!only.empty() && planned.id != only) continue;
    const auto derivation = simulate::compile(study->protocol, layout, planned.recipe);
    if (!derivation) {
      std::printf("{\"job\": \"derivation\", \"analysis\": \"%s\", \"plain_only\": \"%s\"}\n", planned.id.c_str(),
                  derivation.error().message.c_str());
      continue;
    }
    simulate::CompiledDerivation::Scratch scratch;
    std::size_t rows = 0;
    const double compiled = microseconds(4000, [&] { rows += derivation->run(trial, scratch)->rows; });
    const double plain = microseconds(
        20, [&] { rows += data::analysis_dataset(data::TrialTables(study->protocol, records), planned.recipe)->dataset.rows(); });
    std::printf(
        "{\"job\": \"derivation\", \"analysis\": \"%s\", \"participants\": %zu, \"steps\": %zu, \"us\": %.2f, \"plain_us\": "
        "%.0f}\n",
        planned.id.c_str(), n, derivation->steps(), compiled, plain);
    if (rows == 0) return 1;
  }
  return 0;
}
