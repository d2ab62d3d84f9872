#include "equipoise/stats/categorical/miettinen_nurminen.h"

#include <cmath>

namespace equipoise::stats {
namespace {

constexpr std::pair<std::string_view, Measure> measures[] = {
    {"difference", Measure::difference}, {"risk_ratio", Measure::risk_ratio}, {"odds_ratio", Measure::odds_ratio}};
constexpr std::pair<std::string_view, StratumWeights> weight_words[] = {
    {"miettinen_nurminen", StratumWeights::miettinen_nurminen}, {"mantel_haenszel", StratumWeights::mantel_haenszel}};

std::string_view name(Measure measure) {
  return measure == Measure::difference ? "risk difference" : measure == Measure::risk_ratio ? "risk ratio" : "odds ratio";
}

}  // namespace

MethodCard const& MiettinenNurminen::card() {
  static const MethodCard card{
      .keyword = "miettinen_nurminen",
      .title = "Miettinen-Nurminen interval",
      .roles = {{"response", Need::number, Presence::required, "1 or 0"},
                {"group", Need::category, Presence::required, "the groups compared"},
                {"strata", Need::category, Presence::optional, "columns whose combinations are strata"}},
      .options = {{"difference", "{ level, minus }", "the groups compared: level minus (over) minus"},
                  {"measure", "difference | risk_ratio | odds_ratio", "what is estimated (difference)"},
                  {"weights", "miettinen_nurminen | mantel_haenszel",
                   "of strata, for a difference or a risk ratio (miettinen_nurminen)"},
                  {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"}},
      .quantities = {"estimate", "lower", "upper", "z", "p", "n", "n_events"},
      .comparison = Comparison::pairwise,
      .binary_response = true};
  return card;
}

std::optional<MiettinenNurminen> MiettinenNurminen::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  MiettinenNurminen method;
  if (auto groups = TwoGroups::parse(card(), roles, options)) method.groups = std::move(*groups);
  method.level = parse_level(options);
  method.measure = options.word<Measure>("measure", measures).value_or(Measure::difference);
  const auto weights = options.word<StratumWeights>("weights", weight_words);
  method.weights = weights.value_or(StratumWeights::miettinen_nurminen);
  if (weights && !roles.contains("strata"))
    options.report_at("weights", Code::inconsistent, "'weights' are those of strata, and none are given");
  else if (weights && method.measure == Measure::odds_ratio)
    options.report_at("weights", Code::inconsistent, "'weights' are for a difference or a risk ratio: an odds ratio has its own");
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

Expected<Answer> MiettinenNurminen::run(Frame const& frame) const {
  const auto tables = groups.count(frame);
  if (!tables) return tl::unexpected(tables.error());
  const TwoByTwo all = pooled(*tables);
  Answer answer;
  const std::vector<TwoByTwo> used = informative(*tables, answer.notes);
  ScoreInterval found{missing_number, missing_number, missing_number, missing_number, missing_number};
  if (const auto note = groups.nobody_note(all)) answer.notes.push_back(*note);
  else if (used.empty()) answer.notes.push_back(fmt::format("No stratum has both groups: the {} is not estimable.", name(measure)));
  else {
    found = score_interval(used, measure, weights, level);
    if (std::isinf(found.estimate)) {
      answer.notes.push_back(fmt::format("The {} is infinite, shown as not estimable.", name(measure)));
      found.estimate = missing_number;
    } else if (std::isnan(found.estimate)) {
      answer.notes.push_back(fmt::format("The data say nothing about the {}: it is not estimable.", name(measure)));
    }
    if (std::isinf(found.upper)) {
      answer.notes.push_back(fmt::format("The {} has no upper limit, shown as not estimable.", name(measure)));
      found.upper = missing_number;
    }
    if (std::isnan(found.p))
      answer.notes.emplace_back("No stratum has both groups and both responses: the score test is not estimable.");
    if (used.size() > 1 && measure != Measure::odds_ratio)
      answer.notes.emplace_back(weights == StratumWeights::mantel_haenszel
                                    ? "Strata are combined with Mantel-Haenszel weights."
                                    : "Strata are combined with the weights of Miettinen and Nurminen.");
  }
  answer.findings.push_back({.quantity = "estimate",
                             .value = found.estimate,
                             .lower = found.lower,
                             .upper = found.upper,
                             .level = level,
                             .n = all.total(),
                             .scale = measure == Measure::difference ? Scale::identity : Scale::log});
  answer.findings.push_back({.quantity = "z", .value = found.z, .p = found.p});
  groups.add_counts(answer, all);
  return answer;
}

}  // namespace equipoise::stats
