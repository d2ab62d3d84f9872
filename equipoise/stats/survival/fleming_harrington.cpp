#include "equipoise/stats/survival/fleming_harrington.h"

#include <cmath>

#include "equipoise/stats/survival/weighted_log_rank.h"

namespace equipoise::stats {

std::string to_text(RhoGamma exponents) {
  return fmt::format("rho {}, gamma {}", shortest(exponents.rho), shortest(exponents.gamma));
}

std::vector<double> fleming_harrington_weights(RhoGamma exponents, PooledTimes const& times) {
  std::vector<double> weights(times.at_risk.size());
  double survival = 1;  // just before the time; above 0, as somebody is at risk
  for (std::size_t i = 0; i < weights.size(); ++i) {
    weights[i] = std::pow(survival, exponents.rho) * std::pow(1 - survival, exponents.gamma);
    survival *= (times.at_risk[i] - times.events[i]) / times.at_risk[i];
  }
  return weights;
}

MethodCard const& FlemingHarrington::card() {
  static const MethodCard card{
      .keyword = "fleming_harrington",
      .title = "Fleming-Harrington test",
      .roles = {{"time", Need::number, Presence::required, "time to event or censoring"},
                {"event", Need::number, Presence::required, "1 event, 0 censored"},
                {"group", Need::category, Presence::required, "the groups compared"},
                {"strata", Need::category, Presence::optional, "their combinations are the strata, each with its own curve"}},
      .options = {{"rho", "number from 0 to 10", "exponent of S: above 0 early events count more; must be given"},
                  {"gamma", "number from 0 to 10", "exponent of 1 - S: above 0 late events count more; must be given"},
                  {"difference", "{ level, minus }", "the two groups that z compares; without it there is no z"},
                  near_ties_card},
      .quantities = {"chi_square", "df", "p", "z"},
      .comparison = Comparison::pairwise};
  return card;
}

std::optional<FlemingHarrington> FlemingHarrington::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  FlemingHarrington method;
  check_roles(card(), roles, options);
  method.time = role(roles, "time");
  method.event = role(roles, "event");
  method.group = role(roles, "group");
  method.strata = role_columns(roles, "strata");
  const Limits exponent{.min = 0, .max = largest_exponent};
  method.exponents = {options.need_number("rho", exponent).value_or(0), options.need_number("gamma", exponent).value_or(0)};
  method.difference = parse_difference(options, false);
  method.near_ties = parse_near_ties(options);
  add_need(method.needs_, {method.time, Need::number}, options);
  add_need(method.needs_, {method.event, Need::number}, options);
  add_need(method.needs_, {method.group, Need::category}, options);
  for (std::string const& column : method.strata) add_need(method.needs_, {column, Need::category}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

std::vector<ColumnNeed> FlemingHarrington::needs() const { return needs_; }

Expected<Answer> FlemingHarrington::run(Frame const& frame) const {
  std::vector<std::string> notes{fmt::format(
      "Weights S^{} (1 - S)^{}, S the Kaplan-Meier estimate of all groups together{} just before the event.",
      shortest(exponents.rho), shortest(exponents.gamma), strata.empty() ? "" : " in the stratum")};
  if (exponents.gamma > 0)
    notes.push_back(fmt::format("With gamma above 0 the first event time{} counts nothing.", strata.empty() ? "" : " of each stratum"));
  return weighted_log_rank_answer(
      frame, {time, event, group, strata, difference, near_ties, "Fleming-Harrington test"},
      [this](PooledTimes const& times) { return fleming_harrington_weights(exponents, times); }, std::move(notes));
}

}  // namespace equipoise::stats
