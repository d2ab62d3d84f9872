#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "equipoise/results/comparison.h"
#include "equipoise/simulate/campaign.h"

namespace equipoise::simulate {

/// Two plans in the world of one scenario each, replicate by replicate with the same random numbers: what differs between them
/// differs by the plans. A yes or no that both say, with p the share of yes, n10 replicates in which only the first says yes and
/// n01 only the second:
///
///     p1 - p2 = (n10 - n01) / n,      its Monte Carlo error  sqrt(((n10 + n01) / n - (p1 - p2)^2) / n)
///
/// Paired are the statements of the same analysis, arm and control, and the claims with the same id. Replicates in which one of
/// the plans does not run the analysis (a limit of [rehearsal]) are left out.
results::ScenarioComparison compare(study::Study const& one, Campaign const& first, Campaign::Member const& in_first,
                                    study::Study const& two, Campaign const& second, Campaign::Member const& in_second,
                                    std::size_t threads, std::atomic<bool> const& stop,
                                    std::function<void(std::int64_t done, std::int64_t all)> const& progress);

}  // namespace equipoise::simulate
