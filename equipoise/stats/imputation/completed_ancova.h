#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "equipoise/core/expected.h"
#include "equipoise/numerics/ordered_qr.h"
#include "equipoise/stats/formula.h"
#include "equipoise/stats/imputation/imputation_grid.h"

namespace equipoise::stats {

/// Analysis of covariance of a response that everybody has at every visit: the LS mean of each group and every difference of two of
/// them, visit by visit.
///
/// Each is a linear function l'b of the least squares coefficients. The entry of l for a design column is the share of its factor
/// levels (1 or 0 of the group, 1/levels of any other factor) times the means of its covariates; only the means depend on who is
/// counted.
///
/// checked  completed_ancova_test.cpp against the method `ancova`
class CompletedAncova {
 public:
  /// What is asked at one visit: the LS mean of a group, or of `level` less that of `minus`.
  struct Question {
    std::int32_t level, minus = -1;
    bool difference() const { return minus >= 0; }
  };

  /// The design at a visit; visits with the same covariates share one.
  struct Model {
    std::vector<double> x;                             ///< n x width, row by row: 1, then the columns used, centred, of length 1
    std::size_t width = 0;
    std::vector<double> centre, length;                ///< of the columns used after the intercept
    std::vector<std::vector<std::size_t>> covariates;  ///< of these: the numeric columns that each multiplies
    std::vector<std::vector<double>> numbers;          ///< the numeric columns, n each
    std::vector<std::vector<double>> shares;           ///< of each question: share of the factor levels of the columns used
    std::vector<std::vector<double>> direction;        ///< of each question: w with l'b = w'Q'y; empty when not estimable
    std::optional<numerics::OrderedQr> qr;
    double df = 0;                                     ///< n less rank
  };

  /// errors  those of the design; bad_cell for a covariate that is not finite
  static Expected<CompletedAncova> plan(Frame const& frame, VisitGrid const& grid, Formula const& formula, std::string const& group);

  std::size_t participants() const { return n_; }
  std::size_t visits() const { return of_visit_.size(); }
  std::vector<Question> const& questions() const { return questions_; }
  /// Answers stand by visit, then by question.
  std::size_t size() const { return visits() * questions_.size(); }
  std::vector<Model> const& models() const { return models_; }
  std::size_t model_at(std::size_t visit) const { return of_visit_[visit]; }
  std::vector<std::string> const& notes() const { return notes_; }

  /// y (n) becomes Q'(y - mean); returns the mean.
  double rotate(std::size_t visit, std::span<double> y) const;
  /// l'b from what `rotate` made; NaN when not estimable.
  double estimate(std::size_t visit, std::size_t question, double mean, std::span<const double> rotated) const;
  /// Variance of l'b when the residual variance is 1.
  double unit_variance(std::size_t visit, std::size_t question) const;
  /// Inner product of the residuals of two rotated responses, over the degrees of freedom; NaN without any.
  double residual_product(std::size_t visit, std::span<const double> a, std::span<const double> b) const;

  /// Least squares on completed values, n x m: `size()` estimates.
  std::vector<double> estimates(std::span<const double> values) const;

  /// l over the columns used, for means of the covariates that hold for whoever is counted; entry 0 is that of the intercept.
  void function(Model const& model, std::size_t question, std::span<const double> means, std::span<double> out) const;

 private:
  std::size_t n_ = 0;
  std::vector<Question> questions_;
  std::vector<Model> models_;
  std::vector<std::size_t> of_visit_;
  std::vector<std::string> notes_;
};

}  // namespace equipoise::stats
