#pragma once

#include "equipoise/report/cgd_fixture.h"

/// Trials made from the fixture: several doses, visits, simulated data, nothing at all.
namespace equipoise::report::fixture {

/// One placebo arm and `doses` doses; the curves of the fixture, bent a little for each dose; simulated; a schedule of visits.
inline void dose_trial(int doses, protocol::Protocol& p, results::Results& r, bool long_labels = false) {
  using namespace protocol;
  p = cgd_protocol(), r = cgd_results();
  p.trial.title =
      text("Mesenchymal stem cells in HIV immune non-responders: randomised, double-blind, placebo-controlled dose determination",
           "间充质干细胞治疗HIV免疫无应答者:随机、双盲、安慰剂对照剂量探索试验");
  p.trial.id = "msc-inr", p.trial.phase = "II", p.trial.registry = "modelled on NCT01213186", p.trial.planned_participants = 72;
  p.arms.resize(1);
  p.arms[0].dose = Dose{0, "cells/kg"};
  const std::vector<std::pair<std::string, std::string>> names = {{"Low dose", "低剂量"},
                                                                  {"High dose", "高剂量"},
                                                                  {"Third dose", "第三剂量"},
                                                                  {"Fourth dose", "第四剂量"},
                                                                  {"Fifth dose", "第五剂量"}};
  for (int d = 0; d < doses; ++d) {
    Arm arm;
    arm.id = "dose" + std::to_string(d + 1);
    arm.label = long_labels
                    ? text("Umbilical-cord mesenchymal stem cells by intravenous infusion at weeks 0, 4 and 8, dose level " +
                           std::to_string(d + 1))
                    : text(names[std::size_t(d)].first, names[std::size_t(d)].second);
    arm.dose = Dose{0.5e6 * (d + 1), "cells/kg"};
    p.arms.push_back(arm);
  }
  Form labs, dosing;
  labs.id = "lymphocytes", labs.label = text("Lymphocytes", "淋巴细胞"), dosing.id = "dosing",
  dosing.label = text("Dosing", "给药");
  p.forms.insert(p.forms.begin() + 1, {labs, dosing});
  const auto visit = [](std::string id, int day, int window, std::vector<std::string> forms, std::string en, std::string zh) {
    Visit v;
    v.id = std::move(id), v.day = *StudyDay::from(day), v.days_before = window, v.days_after = window, v.forms = std::move(forms);
    v.label = text(std::move(en), std::move(zh));
    return v;
  };
  p.visits = {visit("screening", -14, 12, {"entry", "lymphocytes"}, "Screening", "筛选"),
              visit("baseline", 1, 0, {"lymphocytes", "dosing"}, "Baseline", "基线")};
  for (const int week : {4, 8, 12, 24, 36, 48, 60, 72, 84, 96})
    p.visits.push_back(
        visit("w" + std::to_string(week), 7 * week + 1, week < 12 ? 7 : 14,
              week < 12 ? std::vector<std::string>{"lymphocytes", "dosing"} : std::vector<std::string>{"lymphocytes"},
              "Week " + std::to_string(week), "第" + std::to_string(week) + "周"));
  p.estimands[0].compare.clear();
  r.provenance.simulated = true, r.provenance.seed = 20240501, r.provenance.data_file = "simulated.csv";
  r.flow.resize(1), r.curves.clear(), r.records.clear();
  const auto numbers = curve_numbers();
  for (int a = 0; a <= doses; ++a) {
    const std::string id = a == 0 ? "placebo" : "dose" + std::to_string(a);
    if (a > 0) {
      p.estimands[0].compare.push_back(id);
      results::FlowArm column = r.flow[0];
      column.arm = id;
      r.flow.push_back(column);
    }
    CurveNumbers c = numbers[a == 0 ? 0 : 1];
    const double bend = a == 0 ? 1 : 0.6 + 0.35 * a;
    for (auto* column : {&c.survival, &c.lower, &c.upper})
      for (double& value : *column) value = std::pow(value, bend);
    Series s;
    s.quantity = "survival", s.at = At{{"group", id}};
    s.columns = {{"time", c.time},         {"survival", c.survival}, {"lower", c.lower},        {"upper", c.upper},
                 {"n_at_risk", c.at_risk}, {"n_events", c.events},   {"n_censored", c.censored}};
    r.curves.push_back({"a03", s});
    if (a > 0) {
      Finding hr;
      hr.quantity = "hazard_ratio", hr.at = At{{"term", Term{Factor{"arm", id}}}}, hr.value = 0.3 + 0.1 * a,
      hr.lower = 0.15 + 0.1 * a, hr.upper = 0.6 + 0.1 * a;
      hr.level = 0.95, hr.p = 0.001 * a, hr.scale = Scale::log;
      r.records.push_back(record("a02", "cox", hr));
    }
  }
  for (auto& item : r.baseline) {
    const auto all = item.cells.back();
    const auto one = item.cells.front();
    item.cells.assign(p.arms.size(), one);
    item.cells.push_back(all);
  }
  r.baseline[1].cells[0].missing = 2, r.baseline[1].cells[0].n = 63;
  r.runs[1].role = "primary";
  r.runs[0].role = "secondary", r.runs[0].problem = "no event in any arm";
}

}  // namespace equipoise::report::fixture
