#pragma once

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "equipoise/protocol/protocol.h"
#include "equipoise/results/rehearsal.h"

/// Rehearsals for tests of the page: made up, but as the room `simulate` makes them.
namespace equipoise::report::rehearsal::fixture {

inline protocol::Text text(std::string en, std::string zh = {}) {
  protocol::Text out;
  out.in_language.emplace_back("en", std::move(en));
  if (!zh.empty()) out.in_language.emplace_back("zh", std::move(zh));
  return out;
}

/// The section of a scenario with a number and a text that wants escaping.
inline Node section(std::string const& id) {
  Node::Table out(3);
  out[0].key = "id", out[0].value = Node(Node::Value(std::in_place_type<std::string>, id));
  out[1].key = "noise_cv", out[1].value = Node(Node::Value(0.18));
  out[2].key = "note", out[2].value = Node(Node::Value(std::in_place_type<std::string>, "<b>\"x\" & y</b>"));
  return Node(std::move(out));
}

/// Placebo and two doses; one primary analysis between arms and one within them; two claims.
inline protocol::Protocol protocol() {
  protocol::Protocol p;
  p.file = "msc-inr.toml";
  p.trial.id = "msc-inr", p.trial.version = "1.0", p.trial.title = text("Stem cells in non-responders", "干细胞治疗无应答者");
  p.trial.languages = {"en", "zh"};
  for (auto const& [id, label, zh] :
       {std::tuple{"placebo", "Placebo", "安慰剂"}, {"low", "Low dose", "低剂量"}, {"high", "High dose", "高剂量"}}) {
    protocol::Arm arm;
    arm.id = id, arm.label = text(label, zh);
    if (arm.id != "placebo") arm.role = protocol::ArmRole::investigational;
    p.arms.push_back(arm);
  }
  protocol::Endpoint endpoint;
  endpoint.id = "cd4", endpoint.label = text("CD4 change at week 48", "第48周CD4变化");
  p.endpoints.push_back(endpoint);
  for (const char* id : {"a01", "a03"}) {
    protocol::Analysis analysis;
    analysis.id = id, analysis.endpoint = "cd4";
    p.analyses.push_back(analysis);
  }
  protocol::Claim within, joint;
  within.id = "within", within.label = text("Rise within a dose arm (P < 0.05), none within placebo", "剂量组内升高(P < 0.05)");
  within.all = {{.analysis = "a03", .arms = {"low", "high"}}, {.analysis = "a03", .arms = {"placebo"}, .negated = true}};
  joint.id = "joint", joint.label = text("Both readings", "两项同时");
  joint.all = {{.claim = "within"}, {.analysis = "a01", .arms = {"low"}}};
  p.claims = {within, joint};
  for (const char* id : {"no-effect", "drift-only", "as-published"}) {
    protocol::MethodSection section;
    section.method = "longitudinal";
    section.section = fixture::section(id);
    p.scenarios.push_back(section);
  }
  return p;
}

inline results::Share share(double value, std::int64_t of) { return {std::int64_t(std::llround(value * double(of))), of}; }

struct Numbers {
  std::string id;
  double rejected, within, joint, truth;
};

inline results::ScenarioCharacteristics scenario(Numbers const& n, std::int64_t of) {
  results::ScenarioCharacteristics s;
  s.id = n.id, s.replicates = of;
  for (const char* arm : {"low", "high"}) {
    results::StatementCharacteristics one{
        .analysis = "a01", .method = "mmrm", .role = "primary", .endpoint = "cd4", .arm = arm, .against = "placebo"};
    one.rejected = share(n.rejected, of), one.rejected_better = share(n.truth == 0 ? n.rejected / 2 : n.rejected, of),
    one.not_estimable = {0, of};
    one.no_difference = n.truth == 0;
    one.truth = results::Measured{n.truth, n.truth == 0 ? 0 : 0.06}, one.mean = results::Measured{n.truth + 0.3, 0.4};
    one.bias = results::Measured{0.3, 0.4}, one.empirical_se = results::Measured{12.6, 0.3},
    one.model_se = results::Measured{12.4, 0.04};
    one.coverage = share(0.95, of);
    for (int i = 0; i < 40; ++i) {
      const double estimate = n.truth + 12.0 * std::sin(1.7 * i) + (i % 7 - 3) * 4.0;
      one.estimates.push_back(estimate), one.lower.push_back(estimate - 19), one.upper.push_back(estimate + 19);
    }
    s.statements.push_back(one);
  }
  for (const char* arm : {"placebo", "low", "high"}) {
    results::StatementCharacteristics one{
        .analysis = "a03", .method = "t_test", .role = "supportive", .endpoint = "cd4", .arm = arm};
    one.rejected = share(0.2, of), one.not_estimable = share(0.01, of);
    s.statements.push_back(one);
  }
  s.claims = {{"within", "Rise within", share(n.within, of), 0}, {"joint", "Both", share(n.joint, of), of / 100}};
  for (const char* arm : {"low", "high"})
    s.hypotheses.push_back({std::string("h_") + arm, "a01", arm, n.truth == 0, share(n.rejected, of)});
  s.any_rejected = share(n.rejected, of), s.all_rejected = share(n.rejected / 2, of);
  if (n.truth == 0) s.family_wise_error = share(n.rejected, of);
  s.failures = {{"a01", {0, of}, share(0.02, of)}, {"a03", share(0.01, of), {0, of}}};
  s.accrual_days = {1088, 3.4}, s.trial_days = {1759, 3.1}, s.screened = {95, 0.2}, s.imbalance = {1.9, 0.03};
  s.guessed = {0.517, 0.001}, s.left_early = {0.109, 0.002};
  for (int mark = 1; mark <= 20; ++mark) s.accrual.randomised.push_back(72 * mark / 20);
  for (const double late : {0.8, 0.9, 1.0, 1.1, 1.25}) {
    std::vector<double> days;
    for (int mark = 1; mark <= 20; ++mark) days.push_back(54.0 * mark * late);
    s.accrual.days.push_back(days);
  }
  s.notes = {"everybody takes all doses"};
  return s;
}

/// The worlds of the flagship: nothing, drift, an effect.
inline results::Rehearsal rehearsal(std::int64_t of = 10'000) {
  results::Rehearsal r{
      .trial = "msc-inr", .title = "Stem cells", .version = "0.1.0", .protocol_digest = std::string(64, 'a'), .seed = 7};
  r.scenarios.push_back(scenario({"no-effect", 0.05, 0.047, 0, 0}, of));
  r.scenarios.push_back(scenario({"drift-only", 0.049, 0.32, 0.004, 0}, of));
  r.scenarios.push_back(scenario({"as-published", 0.945, 0.95, 0.5, 50.6}, of));
  return r;
}

inline void add_monitoring(results::Rehearsal& r) {
  for (auto& one : r.scenarios) {
    const std::int64_t of = one.replicates;
    results::MonitoringCharacteristics m{.analysis = "a01", .arm = "low"};
    m.looks = {{"half", {of, of}, share(0.1, of), share(0.2, of), {540, 2}, {36, 0.1}, {}},
               {"end", share(0.7, of), share(0.3, of), {0, of}, {1088, 3}, {72, 0}, {}}};
    m.rejected = share(0.4, of), m.expected_participants = {61.2, 0.2}, m.expected_days = {930, 3};
    one.monitoring.push_back(m);
    one.monitored_any = share(0.41, of), one.monitored_all = share(0.3, of);
  }
}

/// One axis of four values, and two axes of two and three; the share of the cell's number rises along.
inline void add_grids(results::Rehearsal& r, std::int64_t of = 1000) {
  results::Grid line{
      .id = "by_effect", .scenario = "as-published", .axes = {{"Effect (/mm3)", {"effect.cd4.low"}, {0, 20, 40, 60}}}};
  for (int i = 0; i < 4; ++i)
    line.cells.push_back(scenario({"by_effect/" + std::to_string(i), 0.05 + 0.3 * i, 0.05 + 0.3 * i, 0.1 * i, 20.0 * i}, of));
  results::Grid square{
      .id = "by_drift_and_size",
      .scenario = "drift-only",
      .axes = {{"Drift", {"cd4.slope_per_year.mean"}, {0, 15}}, {"Participants", {"accrual.participants"}, {36, 72, 108}}}};
  for (int i = 0; i < 6; ++i)
    square.cells.push_back(scenario({"by_drift_and_size/" + std::to_string(i), 0.05, 0.123 + 0.1 * i, 0, 0}, of));
  r.grids = {line, square};
}

}  // namespace equipoise::report::rehearsal::fixture
