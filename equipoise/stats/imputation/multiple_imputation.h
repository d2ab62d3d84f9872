#pragma once

#include <vector>

#include "equipoise/stats/imputation/imputed_analysis.h"
#include "equipoise/stats/imputation/posterior.h"
#include "equipoise/stats/imputation/rubin.h"

namespace equipoise::stats {

/// Completed data sets, each with missing values drawn at parameters drawn, each analysed.
struct MultipleAnalyses {
  std::size_t sets = 0, questions = 0, groups = 0;  ///< questions: of all visits
  std::vector<double> estimates;       ///< sets x questions
  std::vector<double> variances;       ///< sets x questions: squared standard errors
  std::vector<double> complete_df;     ///< of each question: without missing values
  // At the visit of the tipping point, with r the residuals of the completed response and e_g those of the shiftable values of
  // group g as 1: inner products over the degrees of freedom.
  std::vector<double> residual;        ///< sets x (1 + groups): r'r, then r'e_g
  std::vector<double> shift;           ///< groups x groups: e_g'e_h
  std::vector<double> slopes;          ///< groups x questions of a visit: what one unit on group g adds
  std::vector<double> unit_variance;   ///< of the questions of the visit: variance when that of the residuals is 1
  std::size_t failed = 0;              ///< parameter draws that failed, and were made anew
  double acceptance = 1;               ///< of the chain

  Pooled pooled(std::size_t question) const;
};

/// Parameters from the posterior; missing values of set r from the stream (seed, imputation, r).
/// errors  those of PosteriorDraws
Expected<MultipleAnalyses> bayesian_imputations(ImputedAnalysis& analysis, std::size_t sets, PosteriorDraws::Chain chain);

/// Parameters from refits to bootstrap samples (approximate Bayes).
/// errors  no_convergence, when more than 1 in 20 refits fail
/// source  Little & Rubin (2002), Statistical Analysis with Missing Data, section 10.2.3
Expected<MultipleAnalyses> bootstrap_imputations(ImputedAnalysis& analysis, std::size_t sets, std::uint64_t seed);

}  // namespace equipoise::stats
