#pragma once

#include "equipoise/stats/imputation/reference_based.h"

namespace equipoise::stats {

/// What an imputed analysis says, with errors by the way that the method names: findings, the tipping point, notes.
/// errors  those of the multiple imputations
Expected<Answer> answer_imputation(ReferenceBasedImputation const& method, ImputedAnalysis& analysis);
/// The same where the strategies to speak of are those of another grid: `analysis` is anchored.
Expected<Answer> answer_imputation(ReferenceBasedImputation const& method, ImputedAnalysis& analysis, VisitGrid const& strategies);

}  // namespace equipoise::stats
