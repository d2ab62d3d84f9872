#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "equipoise/analysis/ready_method.h"
#include "equipoise/core/text.h"
#include "equipoise/stats/categorical/breslow_day.h"
#include "equipoise/stats/categorical/clopper_pearson.h"
#include "equipoise/stats/categorical/cmh.h"
#include "equipoise/stats/categorical/cochran_armitage.h"
#include "equipoise/stats/categorical/fisher_exact.h"
#include "equipoise/stats/categorical/mantel_haenszel.h"
#include "equipoise/stats/categorical/mcnemar.h"
#include "equipoise/stats/categorical/miettinen_nurminen.h"
#include "equipoise/stats/categorical/newcombe.h"
#include "equipoise/stats/categorical/pearson_chi_square.h"
#include "equipoise/stats/categorical/two_proportions.h"
#include "equipoise/stats/categorical/wilson.h"
#include "equipoise/stats/competing/aalen_johansen.h"
#include "equipoise/stats/competing/fine_gray.h"
#include "equipoise/stats/competing/gray.h"
#include "equipoise/stats/continuous/descriptive.h"
#include "equipoise/stats/continuous/hodges_lehmann.h"
#include "equipoise/stats/continuous/jonckheere_terpstra.h"
#include "equipoise/stats/continuous/k_groups.h"
#include "equipoise/stats/continuous/permutation.h"
#include "equipoise/stats/continuous/rank_sum.h"
#include "equipoise/stats/continuous/rerandomisation.h"
#include "equipoise/stats/continuous/signed_rank.h"
#include "equipoise/stats/continuous/t_tests.h"
#include "equipoise/stats/imputation/locf.h"
#include "equipoise/stats/imputation/reference_based.h"
#include "equipoise/stats/imputation/rubin.h"
#include "equipoise/stats/interval/grouped_hazard.h"
#include "equipoise/stats/interval/interval_log_rank.h"
#include "equipoise/stats/interval/turnbull.h"
#include "equipoise/stats/linear/ancova.h"
#include "equipoise/stats/linear/dunnett.h"
#include "equipoise/stats/linear/logistic.h"
#include "equipoise/stats/method.h"
#include "equipoise/stats/multiplicity/multiplicity.h"
#include "equipoise/stats/repeated/gee.h"
#include "equipoise/stats/repeated/linear_mixed.h"
#include "equipoise/stats/repeated/mmrm.h"
#include "equipoise/stats/survival/cox.h"
#include "equipoise/stats/survival/fleming_harrington.h"
#include "equipoise/stats/survival/kaplan_meier.h"
#include "equipoise/stats/survival/log_rank.h"
#include "equipoise/stats/survival/log_rank_trend.h"
#include "equipoise/stats/survival/max_combo.h"
#include "equipoise/stats/survival/proportional_hazards.h"
#include "equipoise/stats/survival/restricted_mean.h"
#include "equipoise/stats/survival/reverse_kaplan_meier.h"
#include "equipoise/stats/survival/weighted_log_rank.h"

/// The statistical methods of this build, in one list. Only methods.cpp includes it: everybody else asks through ready_method.h,
/// and so is not compiled anew with each method.
namespace equipoise::analysis {

template <stats::Method... Ms>
struct MethodList {
  using Any = std::variant<Ms...>;

  static std::vector<stats::MethodCard> cards() { return {Ms::card()...}; }

  static stats::MethodCard const* card(std::string_view keyword) {
    stats::MethodCard const* found = nullptr;
    ((keyword == Ms::card().keyword ? void(found = &Ms::card()) : void()), ...);
    return found;
  }

  /// The method with its options and roles checked; every problem is reported.
  static std::optional<Any> parse(std::string_view keyword, stats::Roles const& roles, Section& options, stats::Match match) {
    std::optional<Any> made;
    bool known = false;
    const auto offer = [&]<class M>(std::type_identity<M>) {
      if (known || keyword != M::card().keyword) return;
      known = true;
      if (std::optional<M> method = M::parse(roles, options, match)) made.emplace(std::move(*method));
    };
    (offer(std::type_identity<Ms>{}), ...);
    if (!known) report_unknown(keyword, options);
    return made;
  }

  static ReadyMethod ready(Any method) {
    return std::visit(
        []<class M>(M&& it) {
          using Made = std::remove_cvref_t<M>;
          ReadyMethod ready{.card = &Made::card(), .needs = it.needs(), .run = {}};
          const auto shared = std::make_shared<const Made>(std::forward<M>(it));
          ready.run = [shared](stats::Frame const& frame) { return shared->run(frame); };
          if constexpr (requires(stats::Frame const& frame, stats::Focus const& focus) { shared->run(frame, focus); })
            ready.run_focused = [shared](stats::Frame const& frame, stats::Focus const& focus) {
              return shared->run(frame, focus);
            };
          if constexpr (requires(stats::Frame const& frame, stats::Focus const& focus) { shared->figures(frame, focus); })
            ready.figures = [shared](stats::Frame const& frame, stats::Focus const& focus) {
              return shared->figures(frame, focus);
            };
          return ready;
        },
        std::move(method));
  }

 private:
  static void report_unknown(std::string_view keyword, Section& options);
};

template <stats::Method... Ms>
void MethodList<Ms...>::report_unknown(std::string_view keyword, Section& options) {
  const bool published = is_published(keyword);
  Error& error =
      published
          ? add_problem(options.problems(), options.place(), Code::not_available, "the method '{}' is not in this build", keyword)
          : add_problem(options.problems(), options.place(), Code::unknown_keyword, "no method is called '{}'", keyword);
  if (!published)
    if (const auto near = nearest(keyword, published_methods())) error.hint = fmt::format("did you mean '{}'?", *near);
}

// clang-format off: one method a line, so that two changes never meet on one
using Methods = MethodList<
    stats::KaplanMeier,
    stats::LogRank,
    stats::Cox,
    stats::TTest,
    stats::FisherExact,
    stats::ClopperPearson,
    stats::WeightedLogRank,
    stats::Ancova,
    stats::Dunnett,
    stats::Logistic,
    stats::Turnbull,
    stats::IntervalLogRank,
    stats::GroupedHazard,
    stats::WilcoxonRankSum,
    stats::VanElteren,
    stats::HodgesLehmann,
    stats::WilcoxonSignedRank,
    stats::SignTest,
    stats::KruskalWallis,
    stats::JonckheereTerpstra,
    stats::OneWayAnova,
    stats::Descriptive,
    stats::Wilson,
    stats::Newcombe,
    stats::MiettinenNurminen,
    stats::RiskDifference,
    stats::RiskRatio,
    stats::OddsRatio,
    stats::PearsonChiSquare,
    stats::McNemar,
    stats::Cmh,
    stats::MantelHaenszelOddsRatio,
    stats::MantelHaenszelRiskRatio,
    stats::MantelHaenszelRiskDifference,
    stats::BreslowDay,
    stats::CochranArmitage,
    stats::ReverseKaplanMeier,
    stats::Rmst,
    stats::RmstDifference,
    stats::FlemingHarrington,
    stats::LogRankTrend,
    stats::MaxCombo,
    stats::ProportionalHazardsTest,
    stats::Bonferroni,
    stats::Holm,
    stats::Hochberg,
    stats::Hommel,
    stats::BenjaminiHochberg,
    stats::Graphical,
    stats::AalenJohansen,
    stats::GrayTest,
    stats::FineGray,
    stats::PermutationTest,
    stats::Mmrm,
    stats::Gls,
    stats::Gee,
    stats::ReferenceBasedImputation,
    stats::LinearMixed,
    stats::Locf,
    stats::Rubin,
    stats::Rerandomisation
    // <- a new method joins here
    >;
// clang-format on

}  // namespace equipoise::analysis
