#pragma once

#include "equipoise/results/rehearsal.h"
#include "equipoise/simulate/statements.h"
#include "equipoise/simulate/world.h"

namespace equipoise::simulate {

/// The true value of a statement's estimand in a world, where it has one.
struct Truth {
  std::optional<results::Measured> value{};  ///< on the scale of `Said::estimate`
  bool no_difference = false;                ///< the arm and its control would give every participant the same outcome
};

/// Participants put on the arm and on its control, with the same random numbers, nobody leaving or missing a visit:
///
///     mean over trials of ( mean response on the arm - mean response on the control )
///
/// at the visit of the question and on the scale of the analysis, with the strategies of the estimand carried out. Statements
/// about such means have a true value: models of a change or a value at a visit, tests of means, differences of proportions.
/// Where the two arms would give everybody the same outcome, every measure of their difference has the value of no difference.
/// The truths of other statements (an odds ratio, a hazard ratio when there is an effect) are not defined without a model:
/// absent.
///
/// trials   of the planned size, numbered apart from the replicates of the rehearsal
std::vector<Truth> truths(study::Study const& study, World const& world, std::vector<Statement> const& statements,
                          std::uint64_t seed, int trials);

}  // namespace equipoise::simulate
