#include "equipoise/study/study.h"

#include <algorithm>

#include "equipoise/analysis/multiplicity.h"
#include "equipoise/analysis/ready_method.h"
#include "equipoise/core/text.h"
#include "equipoise/protocol/load.h"
#include "equipoise/study/unused.h"
#include "equipoise/study/vocabulary.h"
#include "equipoise/study/warnings.h"

namespace equipoise::study {
namespace {

/// Sorts a method's name: carried (true), published but not carried (noted), or unknown (a problem).
bool carried(std::string const& method, Slot slot, Place const& place, std::string const& user,
             std::vector<std::string> const& here, Study& study, Problems& problems) {
  if (method.empty()) return false;  // its absence is reported already
  if (std::ranges::find(here, method) != here.end()) return true;
  std::vector<std::string> known = published(slot);
  if (std::ranges::find(known, method) != known.end()) {
    study.unavailable.push_back({place, method, user});
    return false;
  }
  Error& error =
      add_problem(problems, place, Code::unknown_keyword, "{} names the method '{}', which is not known", user, method);
  known.insert(known.end(), here.begin(), here.end());
  if (const auto near = nearest(method, known)) error.hint = fmt::format("did you mean '{}'?", *near);
  return false;
}

/// Whether there is all that a plan of the analysis looks up: arms, and the visits of its endpoint. What is not there is a
/// problem already, and no plan can be made.
bool can_be_planned(protocol::Protocol const& protocol, protocol::Analysis const& analysis) {
  const auto planned = [&](std::string const& visit) { return protocol.visit(visit) != nullptr; };
  const protocol::Endpoint* endpoint = protocol.endpoint(analysis.endpoint);
  return !protocol.arms.empty() &&
         (!endpoint || (std::ranges::all_of(endpoint->visits, planned) && (endpoint->at.empty() || planned(endpoint->at))));
}

}  // namespace

Checked<Study> load(std::string_view bytes, std::string const& file) {
  protocol::Loaded loaded = protocol::load_all(bytes, file);
  Problems problems = std::move(loaded.problems);
  if (!loaded.readable) return fail(std::move(problems));
  Study study{.protocol = std::move(loaded.protocol),
              .rule = {},
              .plan = {},
              .unavailable = {},
              .warnings = {},
              .not_used = not_used(loaded.document)};
  protocol::Protocol const& protocol = study.protocol;

  const std::vector<std::string> none;
  if (auto const& randomisation = protocol.randomisation; randomisation && !protocol.arms.empty())
    if (carried(randomisation->method, Slot::randomisation, randomisation->place, "[randomisation]",
                allocation::method_keywords(), study, problems))
      study.rule = allocation::Rule::parse(protocol, problems);
  if (auto const& design = protocol.design)
    carried(design->method, Slot::design, design->place, "[design]", none, study, problems);
  std::vector<std::string> here;
  for (stats::MethodCard const& card : analysis::method_cards()) here.emplace_back(card.keyword);
  for (protocol::Analysis const& analysis : protocol.analyses)
    if (carried(analysis.method, Slot::analysis, analysis.method_place, fmt::format("analysis '{}'", analysis.id), here, study,
                problems) &&
        can_be_planned(protocol, analysis))
      analysis::plan_analysis(protocol, analysis, study.plan, problems);

  if (auto const& multiplicity = protocol.multiplicity) {
    const std::size_t before = problems.size();
    if (carried(multiplicity->method, Slot::multiplicity, multiplicity->place, "[multiplicity]", published(Slot::multiplicity),
                study, problems))
      analysis::plan_multiplicity(protocol, study.plan, problems);
    else if (multiplicity->method == "dunnett" && problems.size() > before)
      problems.back().hint = "Dunnett's test is the method of an [[analysis]]; with it, method = \"none\" adjusts nothing again";
  }

  std::ranges::stable_sort(study.unavailable, {}, [](Unavailable const& u) { return std::pair(u.place.line, u.place.column); });
  if (!problems.empty()) {
    sort_in_file_order(problems);
    return fail(std::move(problems));
  }
  study.warnings = warnings(study.protocol);
  if (study.rule)
    if (auto caution = study.rule->caution())
      add_problem(study.warnings, protocol.randomisation->place, Code::inconsistent, "{}: {}", protocol.randomisation->method,
                  caution->sentence)
          .hint = std::move(caution->hint);
  sort_in_file_order(study.warnings);
  return study;
}

std::string to_text(std::vector<Unavailable> const& unavailable) {
  std::string out;
  for (Unavailable const& one : unavailable)
    out += fmt::format("not available in this build: {} ({}, line {})\n", one.method, one.user, one.place.line);
  return out;
}

}  // namespace equipoise::study
