#pragma once

#include <optional>
#include <vector>

#include "equipoise/stats/method.h"
#include "equipoise/stats/survival/kaplan_meier.h"

namespace equipoise::stats {

/// Kaplan-Meier estimate of the time until follow-up ends: a censored time is the event, an event hides how long its participant
/// would have been followed. At equal times those with the event are still at risk of the end of follow-up.
///
/// Its curve is the series "follow_up", never "survival": nobody should take it for a curve of the endpoint.
/// Page: docs/methods/reverse_kaplan_meier.md
///
/// source   Schemper & Smith (1996), Control. Clin. Trials 17, 343-346
/// checked  reverse_kaplan_meier_test.cpp, tests/independent/restricted_mean_test.cpp, the reference cases reverse_kaplan_meier
struct ReverseKaplanMeier {
  KaplanMeier curve;

  static MethodCard const& card();
  static std::optional<ReverseKaplanMeier> parse(Roles const& roles, Section& options, Match match);
  std::vector<ColumnNeed> needs() const;
  Expected<Answer> run(Frame const& frame) const;
};
static_assert(Method<ReverseKaplanMeier>);

}  // namespace equipoise::stats
