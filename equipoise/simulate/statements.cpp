#include "equipoise/simulate/statements.h"

#include <algorithm>
#include <cmath>

#include "equipoise/analysis/multiplicity.h"
#include "equipoise/analysis/question.h"
#include "equipoise/analysis/ready_method.h"
#include "equipoise/simulate/plan_data.h"

namespace equipoise::simulate {
namespace {

using analysis::PlannedAnalysis;
using analysis::PlannedRun;

protocol::Analysis const& section_of(protocol::Protocol const& protocol, std::string const& id) {
  return *std::ranges::find(protocol.analyses, id, &protocol::Analysis::id);
}

std::string const* text_at(At const& at, std::string_view key) {
  const auto found = at.find(key);
  return found == at.end() ? nullptr : std::get_if<std::string>(&found->second);
}

bool gives(stats::MethodCard const& card, std::string_view quantity) {
  return std::ranges::find(card.quantities, quantity) != card.quantities.end();
}

/// What a larger estimate means. A later event is better where the protocol says so; then a smaller hazard is, and more of time
/// without the event.
int better_of(protocol::Endpoint const* endpoint, stats::MethodCard const& card) {
  if (!endpoint) return 0;
  if (card.keyword == "rmst_difference")
    return endpoint->benefit == protocol::Benefit::later ? 1 : endpoint->benefit == protocol::Benefit::sooner ? -1 : 0;
  switch (endpoint->benefit) {
    case protocol::Benefit::higher:
    case protocol::Benefit::sooner:
      return 1;
    case protocol::Benefit::lower:
    case protocol::Benefit::later:
      return -1;
    case protocol::Benefit::unstated:
      return 0;
  }
  return 0;
}

/// The differences at the visit of the question that the statements from `first` on ask of one run.
stats::Focus focus_of(study::Study const& study, std::vector<Statement> const& statements, std::size_t first) {
  const std::string visit = analysis::question_of(study.protocol, statements[first].analysis).visit;
  stats::Focus focus;
  for (std::size_t s = first; s < statements.size(); ++s) {
    Statement const& one = statements[s];
    if (one.planned != statements[first].planned || one.run != statements[first].run || one.against.empty() || one.arm.empty())
      break;
    stats::Focus::Difference difference{.of = {"arm", one.arm, one.against}};
    if (!visit.empty()) difference.within = Term{{"visit", visit}};
    focus.differences.push_back(std::move(difference));
  }
  return focus;
}

}  // namespace

double two_sided_alpha(protocol::Conventions const& conventions) {
  return conventions.sided == 1 ? 2 * conventions.alpha : conventions.alpha;
}

std::vector<Statement> statements(study::Study const& study) {
  protocol::Protocol const& protocol = study.protocol;
  std::vector<Statement> all;
  for (std::size_t a = 0; a < study.plan.analyses.size(); ++a) {
    PlannedAnalysis const& planned = study.plan.analyses[a];
    protocol::Analysis const& section = section_of(protocol, planned.id);
    stats::MethodCard const& card = *analysis::method_card(section.method);
    if (!gives(card, "p") && !gives(card, "adjusted_p")) continue;  // a curve, a description: nothing is claimed by itself
    const analysis::Question question = analysis::question_of(protocol, section);
    const auto add = [&](std::string const& arm, std::string const& against, std::size_t run) {
      all.push_back({.analysis = planned.id,
                     .arm = arm,
                     .against = against,
                     .planned = a,
                     .run = run,
                     .better = arm.empty() ? 0 : better_of(protocol.endpoint(section.endpoint), card),
                     .directed = !arm.empty() && (gives(card, "se") || gives(card, "lower") || gives(card, "observed")),
                     .has_se = gives(card, "se") || gives(card, "robust_se")});
    };
    for (std::size_t r = 0; r < planned.runs.size(); ++r) {
      At const& at = planned.runs[r].at;
      if (std::string const* group = text_at(at, "group")) add(*group, "", r);
      else if (std::string const* level = text_at(at, "level")) add(*level, question.control, r);
      else if (card.comparison == stats::Comparison::all_arms && !analysis::is_model(card) && protocol.arms.size() > 2)
        add("", question.control, r);
      else
        for (std::string const& arm : question.arms) add(arm, question.control, r);
    }
  }
  return all;
}

struct Analyst::Work {
  study::Study const& study;
  std::vector<Statement> const& statements;
  PlanData data;
  std::vector<stats::Focus> focus{};  // of the first statement of each run; of the others unused
  analysis::Workspace workspace{};
  std::vector<std::uint8_t> fell_back{};
  std::vector<std::uint8_t> quick{};  // of the first statement of each run: figures say all that is read
  Reads reads = data.reads();

  /// A P value without a place is the statement's when its run makes no other: one comparison of arms, or of all together.
  static bool only(Statement const& statement, PlannedAnalysis const& planned) {
    return !planned.runs[statement.run].at.empty() ||
           (planned.runs.size() == 1 && !analysis::is_model(planned.runs[statement.run].compiled.card()));
  }

  /// A run with one statement, of a test that gives figures.
  bool is_quick(std::size_t s) const {
    Statement const& statement = statements[s];
    PlannedAnalysis const& planned = study.plan.analyses[statement.planned];
    const auto same_run = [&](Statement const& one) { return one.planned == statement.planned && one.run == statement.run; };
    return planned.runs[statement.run].compiled.gives_figures() && std::ranges::count_if(statements, same_run) == 1 &&
           only(statement, planned);
  }

  /// What figures say of the statement: the same as findings do.
  static Said read(Statement const& statement, stats::Figures const& figures) {
    Said said;
    said.p = figures.p;
    if (!statement.arm.empty() && !std::isnan(figures.excess)) said.sign = figures.excess > 0 ? 1 : figures.excess < 0 ? -1 : 0;
    return said;
  }

  /// Reads what a run's findings say of the statement.
  Said read(Statement const& statement, PlannedAnalysis const& planned, std::vector<Finding> const& findings) const {
    protocol::Analysis const& section = section_of(study.protocol, statement.analysis);
    const protocol::Endpoint* endpoint = study.protocol.endpoint(section.endpoint);
    const bool only = this->only(statement, planned);
    const bool by_visit = planned.recipe.by_visit() && std::ranges::any_of(findings, [](Finding const& finding) {
                            return analysis::is_within_visit(finding.at);
                          });
    Finding const* with_p = nullptr;
    int best = 5;
    for (Finding const& finding : findings) {
      if (!finding.p && finding.quantity != "p") continue;
      const auto rank =
          analysis::speaks_of(finding.at, statement.arm, statement.against, endpoint ? endpoint->at : "", by_visit, only);
      if (!rank || *rank >= best) continue;
      best = *rank;
      with_p = &finding;
    }
    Said said;
    if (!with_p) return said;
    said.p = with_p->quantity == "p" ? with_p->value : *with_p->p;
    // The estimate stands at the same place: what has a standard error or limits, or failing that the finding itself.
    for (Finding const& finding : findings) {
      if (finding.at != with_p->at || (!finding.se && !finding.lower)) continue;
      const bool ratio = finding.scale == Scale::log;
      const auto on_scale = [&](double value) { return ratio ? std::log(value) : value; };
      said.estimate = on_scale(finding.value), said.ratio = ratio;
      if (finding.se) said.se = *finding.se;
      if (finding.lower && finding.upper) said.lower = on_scale(*finding.lower), said.upper = on_scale(*finding.upper);
      if (finding.lower) break;
    }
    if (!std::isnan(said.estimate)) said.sign = said.estimate > 0 ? 1 : said.estimate < 0 ? -1 : 0;
    else said.sign = excess_events(statement, findings);
    return said;
  }

  /// A rank test has no estimate: events observed less those expected in the arm.
  static double excess_events(Statement const& statement, std::vector<Finding> const& findings) {
    double excess = 0;
    bool found = false;
    for (Finding const& finding : findings) {
      if (finding.quantity != "observed" && finding.quantity != "expected") continue;
      std::string const* group = text_at(finding.at, "group");
      if (!group || *group != statement.arm) continue;
      excess += finding.quantity == "observed" ? finding.value : -finding.value;
      found = true;
    }
    return !found || std::isnan(excess) ? missing_number : excess > 0 ? 1 : excess < 0 ? -1 : 0;
  }
};

Analyst::Analyst(study::Study const& study, Layout const& layout, std::vector<Statement> const& statements)
    : work_(new Work{study, statements, PlanData(study, layout)}) {
  for (std::size_t s = 0; s < statements.size(); ++s) work_->focus.push_back(focus_of(study, statements, s)), work_->quick.push_back(work_->is_quick(s));
}
Analyst::~Analyst() = default;
Analyst::Analyst(Analyst&&) noexcept = default;

std::span<const std::uint8_t> Analyst::fell_back() const { return work_->fell_back; }

Reads const& Analyst::reads() const { return work_->reads; }

void Analyst::analyse(VirtualTrial const& trial, std::span<Said> said, std::span<const std::uint8_t> skip) {
  Work& work = *work_;
  analysis::Plan const& plan = work.study.plan;
  expects(said.size() == work.statements.size(), "one place for each statement");
  work.fell_back.assign(plan.analyses.size(), 0);
  std::ranges::fill(said, Said{});
  work.data.take(trial);
  for (std::size_t s = 0; s < work.statements.size();) {
    const std::size_t a = work.statements[s].planned;
    if (!skip.empty() && skip[a]) {
      ++s;
      continue;
    }
    PlannedAnalysis const& planned = plan.analyses[a];
    const std::optional<DatasetView> view = work.data.view(a);
    for (; s < work.statements.size() && work.statements[s].planned == a;) {
      const std::size_t r = work.statements[s].run;
      if (work.quick[s]) {
        if (view)
          if (const auto figures = planned.runs[r].compiled.figures(*view, work.workspace, work.focus[s]))
            said[s] = Work::read(work.statements[s], *figures);
        ++s;
        continue;
      }
      Expected<analysis::Outcome> outcome = fail(Code::no_data, "no data");
      if (view) outcome = planned.runs[r].compiled.run(*view, work.workspace, work.focus[s]);
      for (; s < work.statements.size() && work.statements[s].planned == a && work.statements[s].run == r; ++s)
        if (outcome) said[s] = work.read(work.statements[s], planned, outcome->answer.findings);
      if (outcome) work.fell_back[a] |= outcome->answer.fell_back;
    }
  }
}

}  // namespace equipoise::simulate
