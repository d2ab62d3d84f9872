#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <vector>

#include "equipoise/core/columns.h"

namespace equipoise::stats {

/// An estimate with what is known of its error. NaN = not estimable.
struct Uncertain {
  double estimate = missing_number, se = missing_number;
  double df = std::numeric_limits<double>::infinity();  ///< infinite: normal
  double lambda = missing_number;                       ///< share of the variance due to missing values, of multiple imputation

  double p() const;
  double half_width(double level) const;
};

/// The estimate when `delta` is added to the shiftable imputed values of the compared group, and `delta_reference` to those of the
/// reference.
using Shifted = std::function<Uncertain(double delta, double delta_reference)>;

/// The delta nearest to 0 at which p passes alpha, the reference unshifted. Nothing when it does so nowhere within
/// `reach` standard errors of the unshifted estimate, or the shift changes nothing.
///
/// `slope`: what one unit adds to the estimate, which sets the grid on which the change of sign of p - alpha is looked for (steps
/// growing by 5 % from a hundredth of a standard error); then bisection.
///
/// checked  tipping_point_test.cpp, against the root of the quadratic equation
std::optional<double> tipping_delta(Shifted const& shifted, double slope, double alpha, double reach = 1000);

}  // namespace equipoise::stats
