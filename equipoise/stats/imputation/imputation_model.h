#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "equipoise/random/stream.h"
#include "equipoise/stats/imputation/imputation_grid.h"
#include "equipoise/stats/repeated/mmrm_fit.h"

namespace equipoise::stats {

/// The model from which missing values are imputed: a mixed model for repeated measures.
struct ImputationModelSpec {
  VisitRoles roles;
  Formula formula;
  std::vector<CovarianceStructure> covariance;  ///< in the order in which they are tried
  std::map<std::string, double> times;          ///< of the visits, for a spatial structure
  Estimation estimation = Estimation::reml;
  std::string group, reference;
};

/// Coefficients and covariances in the columns and units of the model's `VisitData`: b p (first fit included), Sigma blocks x
/// packed.
struct ImputationParameters {
  std::vector<double> b, sigma;
};

/// Participants whose missing values depend on the others in one way: the same visits missing, the same covariance.
struct ImputationKind {
  std::vector<std::uint32_t> missing, observed;  ///< visits
  std::uint32_t block, reference_block;          ///< of the own covariance and that of the reference
  std::uint32_t from;  ///< first visit with the reference's covariance: m where there is none, 0 where it is all of it
  std::size_t offset;  ///< of its coefficients among those of all kinds

  friend bool operator<(ImputationKind const& a, ImputationKind const& b) {
    return std::tie(a.missing, a.observed, a.block, a.reference_block, a.from) <
           std::tie(b.missing, b.observed, b.block, b.reference_block, b.from);
  }
};

/// The imputation model fitted, and what it says of missing values.
///
/// A participant's mean under their strategy is linear in the coefficients, mu = Z b, with Z (m x p) the rows of the design of the
/// own group before the event and, say, of the reference after it. With the observed values y_o the missing ones have
///
///     mean Z_m b + B (y_o - Z_o b),   covariance C = Sigma_mm - B Sigma_om,   B = Sigma_mo Sigma_oo^-1
///
/// Where the groups have covariances of their own, Sigma after the event is that of Carpenter, Roger & Kenward: R_21 R_11^-1 of the
/// reference for what follows from what was before, Sigma_11 of the own group; mar and last_mean_carried_forward keep the own
/// covariance, copy_reference takes the reference's.
///
/// source   Carpenter, Roger & Kenward (2013), J. Biopharm. Stat. 23, 1352-1371; conditional mean: Wolbers et al. (2022), Pharm.
///          Stat. 21, 1246-1257
/// checked  imputation_model_test.cpp, tests/independent/imputation_test.cpp
class ImputationModel {
 public:
  /// Fits to the observed responses before intercurrent events.
  /// errors  those of fold_visits; not_estimable (a visit or level with nothing observed, a mean that the model does not determine);
  ///         no_convergence with what was tried; unresolved (a visit without a time)
  static Expected<ImputationModel> fit(Frame const& frame, VisitGrid const& grid, ImputationModelSpec const& spec);

  VisitData const& data() const { return *data_; }
  MmrmFit const& fitted() const { return *fit_; }
  std::vector<FitAttempt> const& attempts() const { return attempts_; }
  ImputationParameters parameters() const { return {fit_->b, fit_->sigma}; }

  std::vector<ImputationKind> const& kinds() const { return kinds_; }
  std::int32_t kind(std::size_t participant) const { return kind_of_[participant]; }  ///< -1: nothing missing
  std::span<const double> mean_rows(std::size_t participant) const;                   ///< Z, m x p row by row
  std::size_t coefficients() const { return coefficients_; }

  /// B of every kind, missing x observed row by row, at the kind's offset. False when a covariance is not positive definite.
  bool regressions(std::span<const double> sigma, std::span<double> out) const;
  /// L of every kind, C = L L': missing x missing, lower triangle packed by rows.
  std::vector<std::vector<double>> roots(std::span<const double> sigma, std::span<const double> regressions) const;

  /// Fills the missing cells of `values` (n x m, in given units) with conditional means.
  void impute(std::span<const double> b, std::span<const double> regressions, std::span<double> values) const;
  /// The same with a draw from their distribution.
  void impute(std::span<const double> b, std::span<const double> regressions, std::vector<std::vector<double>> const& roots,
              random::Stream& stream, std::span<double> values) const;

  /// Counts a participant `times` more in every sum of the likelihood (-1 leaves them out, +1 puts them back).
  void count(std::size_t participant, int times);
  /// Refits the structure that was chosen, starting at the fit to all. False when it does not converge, or the rows counted do not
  /// determine it.
  bool refit(ImputationParameters& out);

  VisitLikelihood& likelihood() { return *likelihood_; }
  Covariance const& covariance() const { return fit_->covariance; }

 private:
  ImputationModel() = default;
  class Fitter;
  template <class Noise>
  void fill(std::span<const double> b, std::span<const double> regressions, std::span<double> values, Noise& noise) const;

  VisitGrid const* grid_ = nullptr;
  Estimation estimation_ = Estimation::reml;
  std::unique_ptr<VisitData> data_;  // the likelihood looks into it
  std::unique_ptr<VisitLikelihood> likelihood_;
  std::optional<MmrmFit> fit_;
  std::vector<FitAttempt> attempts_;
  std::vector<std::int32_t> folded_;  ///< n: participant of the fold, -1 of one without an observed response before an event
  std::vector<ImputationKind> kinds_;
  std::vector<std::int32_t> kind_of_;
  std::size_t coefficients_ = 0;
  std::vector<std::size_t> rows_at_;  ///< n: where Z stands among rows_
  std::vector<double> rows_;
  std::vector<double> means_, counts_;          ///< workspace of refit
  mutable std::vector<double> whole_, part_;    ///< workspace of regressions
};

}  // namespace equipoise::stats
