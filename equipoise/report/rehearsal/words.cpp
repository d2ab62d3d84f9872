#include "equipoise/report/rehearsal/words.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "equipoise/core/text.h"

namespace equipoise::report::rehearsal {
namespace {

using results::Share;
using results::StatementCharacteristics;

/// A statement in all scenarios that have it.
struct Everywhere {
  StatementCharacteristics const* one = nullptr;  ///< in the first of them
  std::vector<std::pair<std::size_t, StatementCharacteristics const*>> scenarios;
};

std::vector<Everywhere> primary_statements(Names const& names) {
  std::vector<Everywhere> all;
  auto const& scenarios = names.rehearsal.scenarios;
  for (std::size_t s = 0; s < scenarios.size(); ++s)
    for (auto const& one : scenarios[s].statements) {
      if (!names.primary(one)) continue;
      auto found = std::ranges::find_if(all, [&](Everywhere const& e) {
        return e.one->analysis == one.analysis && e.one->arm == one.arm && e.one->against == one.against;
      });
      if (found == all.end()) found = all.insert(all.end(), Everywhere{.one = &one, .scenarios = {}});
      found->scenarios.emplace_back(s, &one);
    }
  return all;
}

std::string in_scenarios(Names const& names, std::vector<InScenario> const& shares) {
  std::vector<std::string> items;
  for (auto const& [scenario, share] : shares)
    items.push_back(names(Term::in_world, names.share(share), names.scenario(scenario)));
  return names.list(items);
}

void add_coverage(Names const& names, Everywhere const& all, Paragraph& out) {
  std::vector<InScenario> covered;
  std::vector<std::string> biased;
  bool asked = false;
  for (auto const& [s, one] : all.scenarios) {
    if (one->coverage && one->coverage->of > 0) covered.push_back({s, *one->coverage});
    if (!one->bias || std::isnan(one->bias->value) || std::isnan(one->bias->mc_se)) continue;
    asked = true;
    if (std::fabs(one->bias->value) > 3 * one->bias->mc_se)
      biased.push_back(names(Term::in_world, names.measured(*one->bias), names.scenario(s)));
  }
  if (!covered.empty())
    out.sentences.push_back(
        names(Term::words_coverage, names.percent(names.rehearsal.level), with_verdicts(names, covered, names.rehearsal.level)));
  if (!biased.empty()) out.sentences.push_back(names(Term::words_biased, names.list(biased)));
  else if (asked) out.sentences.push_back(names(Term::words_unbiased));
}

Paragraph primary(Names const& names, Everywhere const& all) {
  auto const& one = *all.one;
  const double alpha = names.rehearsal.alpha;
  Paragraph out{
      .head = names(Term::words_primary, names.analysis(one.analysis), names.method(one), names.statement(one.arm, one.against)),
      .sentences = {}};
  std::vector<InScenario> same, differs, alone, wrong;
  for (auto const& [s, said] : all.scenarios) {
    if (said->rejected.of <= 0) continue;
    if (said->against.empty()) alone.push_back({s, said->rejected});
    else if (said->no_difference) same.push_back({s, said->rejected});
    else {
      differs.push_back({s, said->rejected});
      if (said->rejected_better && said->rejected.n > said->rejected_better->n)
        wrong.push_back({s, {said->rejected.n - said->rejected_better->n, said->rejected.of}});
    }
  }
  std::string text;
  const auto add = [&](std::string const& clause) { text += (text.empty() ? "" : names(Term::clause_end)) + clause; };
  if (!same.empty()) add(names(Term::words_finds_none, with_verdicts(names, same, alpha)));
  if (!differs.empty()) add(names(Term::words_finds_some, in_scenarios(names, differs)));
  if (!alone.empty()) add(names(Term::words_rejects, shortest(alpha), in_scenarios(names, alone)));
  if (!text.empty()) out.sentences.push_back(text + names(Term::sentence_end));
  if (!wrong.empty()) out.sentences.push_back(names(Term::words_wrong_way, in_scenarios(names, wrong)));
  add_coverage(names, all, out);
  return out;
}

void add_family(Names const& names, std::vector<Paragraph>& out) {
  std::vector<InScenario> errors, any;
  auto const& scenarios = names.rehearsal.scenarios;
  for (std::size_t s = 0; s < scenarios.size(); ++s) {
    if (scenarios[s].family_wise_error) errors.push_back({s, *scenarios[s].family_wise_error});
    else if (scenarios[s].any_rejected) any.push_back({s, *scenarios[s].any_rejected});
  }
  Paragraph made;
  if (!errors.empty()) made.sentences.push_back(names(Term::words_family, with_verdicts(names, errors, names.rehearsal.alpha)));
  if (!any.empty()) made.sentences.push_back(names(Term::words_any, in_scenarios(names, any)));
  if (!made.sentences.empty()) out.push_back(std::move(made));
}

std::string pair_in_words(Names const& names, Pair const& pair) {
  return names(Term::words_pair, names.scenario(pair.differs), names.scenario(pair.same));
}

/// The range of the ratios of `some`, which is not empty.
std::string ratio_sentence(Names const& names, std::vector<Pair> const& some) {
  const auto less = [](Pair const& a, Pair const& b) {
    return a.ratio.value != b.ratio.value ? a.ratio.value < b.ratio.value : a.ratio.lower < b.ratio.lower;
  };
  Pair const& low = *std::ranges::min_element(some, less);
  Pair const& high = *std::ranges::max_element(some, less);
  if (some.size() == 1)
    return names(Term::words_ratio_one, times(names, low.ratio), names.scenario(low.differs), names.scenario(low.same));
  return names(Term::words_ratio_range, times(names, low.ratio), names.scenario(low.differs), names.scenario(low.same),
               times(names, high.ratio), names.scenario(high.differs), names.scenario(high.same));
}

/// When how often a claim arises without any difference is another matter in another scenario.
void add_depends(Names const& names, std::vector<InScenario> const& same, Paragraph& out) {
  if (same.size() < 2) return;
  const auto by_value = [](InScenario const& a, InScenario const& b) { return a.share.value() < b.share.value(); };
  InScenario const& low = *std::ranges::min_element(same, by_value);
  InScenario const& high = *std::ranges::max_element(same, by_value);
  // Of equal shares: the error of the pooled one.
  const double n = double(low.share.of), m = double(high.share.of), pooled = double(low.share.n + high.share.n) / (n + m);
  if (high.share.value() - low.share.value() <= 3 * std::sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))) return;
  if (pooled * std::min(n, m) < 5) return;
  out.sentences.push_back(names(Term::words_claim_depends, names.scenario(low.scenario), names.scenario(high.scenario)));
}

Paragraph claim_in_words(Names const& names, results::ClaimCharacteristics const& claim) {
  Paragraph out{.head = names.claim(claim), .sentences = {}};
  std::vector<InScenario> same, differs, unknown;
  auto const& scenarios = names.rehearsal.scenarios;
  for (std::size_t s = 0; s < scenarios.size(); ++s)
    for (auto const& one : scenarios[s].claims) {
      if (one.id != claim.id || one.holds.of <= 0) continue;
      const World world = names.world(scenarios[s], claim.id);
      (world == World::same ? same : world == World::differs ? differs : unknown).push_back({s, one.holds});
    }
  if (!same.empty()) out.sentences.push_back(names(Term::words_claim_none, in_scenarios(names, same)));
  if (!differs.empty()) out.sentences.push_back(names(Term::words_claim_some, in_scenarios(names, differs)));
  if (!unknown.empty()) out.sentences.push_back(names(Term::words_claim_all, in_scenarios(names, unknown)));
  add_depends(names, same, out);
  const std::vector<Pair> all = pairs(names, claim.id);
  std::vector<Pair> apart;
  std::vector<std::string> not_apart;
  for (Pair const& pair : all)
    if (pair.apart()) apart.push_back(pair);
    else not_apart.push_back(pair_in_words(names, pair));
  if (!apart.empty()) out.sentences.push_back(ratio_sentence(names, apart));
  if (!all.empty() && apart.empty()) out.sentences.push_back(names(Term::words_same_all));
  else if (!not_apart.empty()) out.sentences.push_back(names(Term::words_same, names.list(not_apart)));
  return out;
}

/// How often an analysis failed in the scenario in which it failed most.
void add_failures(Names const& names, Term term, Share results::AnalysisFailures::*which, std::vector<Paragraph>& out) {
  auto const& scenarios = names.rehearsal.scenarios;
  std::vector<std::string> seen;
  Paragraph made;
  for (auto const& scenario : scenarios)
    for (auto const& failure : scenario.failures) {
      if (std::ranges::find(seen, failure.analysis) != seen.end()) continue;
      seen.push_back(failure.analysis);
      std::size_t worst = 0;
      Share most;
      for (std::size_t s = 0; s < scenarios.size(); ++s)
        for (auto const& other : scenarios[s].failures)
          if (other.analysis == failure.analysis && (other.*which).n > 0 && !((other.*which).value() <= most.value()))
            most = other.*which, worst = s;
      if (most.n > 0) made.sentences.push_back(names(term, failure.analysis, names.share(most), names.scenario(worst)));
    }
  if (!made.sentences.empty()) out.push_back(std::move(made));
}

}  // namespace

std::int64_t trials_for_verdict(double nominal) {
  const double rarer = std::min(nominal, 1 - nominal);
  return rarer > 0 ? std::int64_t(std::ceil(5 / rarer - 1e-9)) : 0;
}

Verdict verdict(Share const& share, double nominal) {
  if (!(nominal > 0 && nominal < 1) || share.of < trials_for_verdict(nominal)) return Verdict::unsaid;
  const double error = std::sqrt(nominal * (1 - nominal) / double(share.of)), off = share.value() - nominal;
  if (std::fabs(off) <= 3 * error) return Verdict::near;
  return off > 0 ? Verdict::above : Verdict::below;
}

std::string with_verdicts(Names const& names, std::vector<InScenario> const& shares, double nominal) {
  std::string out;
  constexpr std::array<std::pair<Verdict, Term>, 4> order = {{{Verdict::near, Term::verdict_near},
                                                              {Verdict::above, Term::verdict_above},
                                                              {Verdict::below, Term::verdict_below},
                                                              {Verdict::unsaid, Term::count}}};
  for (auto const& [wanted, term] : order) {
    std::vector<InScenario> some;
    for (auto const& one : shares)
      if (verdict(one.share, nominal) == wanted) some.push_back(one);
    if (some.empty()) continue;
    out += (out.empty() ? "" : names(Term::clause_end)) + in_scenarios(names, some);
    if (term != Term::count) out += (names.words().chinese() ? "，" : ", ") + names(term, names.percent(nominal));
  }
  return out;
}

std::vector<Pair> pairs(Names const& names, std::string const& claim) {
  std::vector<Pair> out;
  auto const& scenarios = names.rehearsal.scenarios;
  const auto holds = [&](std::size_t s) -> Share {
    for (auto const& one : scenarios[s].claims)
      if (one.id == claim) return one.holds;
    return {};
  };
  for (std::size_t d = 0; d < scenarios.size(); ++d) {
    if (names.world(scenarios[d], claim) != World::differs || holds(d).of <= 0) continue;
    for (std::size_t s = 0; s < scenarios.size(); ++s)
      if (names.world(scenarios[s], claim) == World::same && holds(s).of > 0)
        out.push_back({d, s, holds(d), holds(s), ratio_of(holds(d), holds(s))});
  }
  return out;
}

std::string times(Names const& names, Ratio const& ratio) {
  const auto text = [](double value) { return results::significant(value, 2); };
  if (std::isinf(ratio.value) || std::isinf(ratio.upper)) return names(Term::words_times_at_least, text(ratio.lower));
  return names(Term::words_times, text(ratio.value), text(ratio.lower), text(ratio.upper));
}

std::string Paragraph::text(bool chinese) const {
  std::string out;
  for (auto const& sentence : sentences) out += (out.empty() || chinese ? "" : " ") + sentence;
  return out;
}

std::vector<Paragraph> opening(Names const& names) {
  auto const& scenarios = names.rehearsal.scenarios;
  if (scenarios.empty()) return {{.head = {}, .sentences = {names(Term::nothing_rehearsed)}}};
  const auto [fewest, most] = std::ranges::minmax(scenarios, {}, &results::ScenarioCharacteristics::replicates);
  if (most.replicates == 1) return {{.head = {}, .sentences = {names(Term::words_single)}}};
  const std::string few = grouped(fewest.replicates), many = grouped(most.replicates);
  return {{.head = {},
           .sentences = {few == many ? names(Term::words_opening, many) : names(Term::words_opening_between, few, many),
                         names(Term::words_error, grouped(trials_for_verdict(names.rehearsal.alpha)))}}};
}

std::vector<Paragraph> primary_analyses(Names const& names) {
  std::vector<Paragraph> out;
  for (Everywhere const& one : primary_statements(names))
    if (Paragraph made = primary(names, one); !made.sentences.empty()) out.push_back(std::move(made));
  add_family(names, out);
  return out;
}

std::vector<Paragraph> claims(Names const& names) {
  std::vector<Paragraph> out;
  std::vector<std::string> seen;
  for (auto const& scenario : names.rehearsal.scenarios)
    for (auto const& claim : scenario.claims) {
      if (std::ranges::find(seen, claim.id) != seen.end()) continue;
      seen.push_back(claim.id);
      if (Paragraph made = claim_in_words(names, claim); !made.sentences.empty()) out.push_back(std::move(made));
    }
  return out;
}

std::vector<Paragraph> closing(Names const& names) {
  std::vector<Paragraph> out;
  auto const& scenarios = names.rehearsal.scenarios;
  for (std::size_t s = 0; s < scenarios.size(); ++s)
    for (auto const& monitored : scenarios[s].monitoring)
      out.push_back({.head = {},
                     .sentences = {names(Term::words_monitoring, names.scenario(s), names.context.arm(monitored.arm),
                                         names.share(monitored.rejected), names.measured(monitored.expected_participants))}});
  std::vector<InScenario> any;
  for (std::size_t s = 0; s < scenarios.size(); ++s)
    if (scenarios[s].monitored_any) any.push_back({s, *scenarios[s].monitored_any});
  if (!any.empty()) out.push_back({.head = {}, .sentences = {names(Term::words_monitored_any, in_scenarios(names, any))}});
  add_failures(names, Term::words_no_answer, &results::AnalysisFailures::no_answer, out);
  add_failures(names, Term::words_fell_back, &results::AnalysisFailures::fell_back, out);
  if (!scenarios.empty()) out.push_back({.head = {}, .sentences = {names(Term::words_closing)}});
  return out;
}

}  // namespace equipoise::report::rehearsal
