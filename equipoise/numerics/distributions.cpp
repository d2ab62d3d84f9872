#include "equipoise/numerics/distributions.h"

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>

namespace equipoise::numerics {
namespace {

namespace bm = boost::math;
namespace pol = boost::math::policies;

// Nothing throws and nothing touches errno; results that do not exist are NaN, too large ones infinity, too small ones 0.
using Quiet =
    pol::policy<pol::domain_error<pol::ignore_error>, pol::pole_error<pol::ignore_error>, pol::overflow_error<pol::ignore_error>,
                pol::underflow_error<pol::ignore_error>, pol::denorm_error<pol::ignore_error>,
                pol::evaluation_error<pol::ignore_error>, pol::rounding_error<pol::ignore_error>,
                pol::indeterminate_result_error<pol::ignore_error>, pol::promote_double<false>>;
using Normal = bm::normal_distribution<double, Quiet>;
using StudentT = bm::students_t_distribution<double, Quiet>;
using ChiSquare = bm::chi_squared_distribution<double, Quiet>;
using Beta = bm::beta_distribution<double, Quiet>;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

bool is_probability(double p) { return p >= 0 && p <= 1; }

}  // namespace

double normal_cdf(double z) { return 0.5 * std::erfc(-z * 0.70710678118654752440); }

double normal_upper(double z) { return normal_cdf(-z); }

double normal_quantile(double probability) {
  if (!is_probability(probability)) return nan;
  if (probability == 0) return -infinity;
  if (probability == 1) return infinity;
  return bm::quantile(Normal(), probability);
}

double normal_two_sided(double z) { return std::erfc(std::abs(z) * 0.70710678118654752440); }

double normal_interval(double level) { return level > 0 && level < 1 ? -normal_quantile((1 - level) / 2) : nan; }

double student_t_cdf(double t, double df) {
  if (std::isnan(t) || !(df > 0)) return nan;
  if (df == infinity) return normal_cdf(t);
  if (std::isinf(t)) return t > 0 ? 1 : 0;
  return bm::cdf(StudentT(df), t);
}

double student_t_upper(double t, double df) { return student_t_cdf(-t, df); }  // symmetric, so the small tail is computed itself

double student_t_two_sided(double t, double df) { return 2 * student_t_cdf(-std::abs(t), df); }

double student_t_interval(double level, double df) {
  if (!(level > 0 && level < 1) || !(df > 0)) return nan;
  if (df == infinity) return normal_interval(level);
  return -bm::quantile(StudentT(df), (1 - level) / 2);
}

double chi_square_upper(double x, double df) {
  if (std::isnan(x) || !(df > 0) || df == infinity) return nan;
  if (x <= 0) return 1;
  if (x == infinity) return 0;
  return bm::cdf(bm::complement(ChiSquare(df), x));
}

double chi_square_quantile(double probability, double df) {
  if (!is_probability(probability) || !(df > 0) || df == infinity) return nan;
  if (probability == 1) return infinity;
  return bm::quantile(ChiSquare(df), probability);
}

double f_upper(double x, double df1, double df2) {
  if (std::isnan(x) || !(df1 > 0 && df2 > 0) || df1 == infinity) return nan;
  if (x <= 0) return 1;
  if (df2 == infinity) return chi_square_upper(df1 * x, df1);
  if (x == infinity) return 0;
  // df2/(df2 + df1 x) is beta(df2/2, df1/2); of two complements the small argument keeps its digits
  const double small = df2 / (df2 + df1 * x);
  return small < 0.5 ? beta_cdf(small, df2 / 2, df1 / 2)
                     : bm::cdf(bm::complement(Beta(df1 / 2, df2 / 2), df1 * x / (df2 + df1 * x)));
}

double beta_cdf(double x, double a, double b) {
  if (std::isnan(x) || !(a > 0 && b > 0) || a == infinity || b == infinity) return nan;
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  return bm::cdf(Beta(a, b), x);
}

double beta_quantile(double probability, double a, double b) {
  if (!is_probability(probability) || !(a > 0 && b > 0) || a == infinity || b == infinity) return nan;
  return bm::quantile(Beta(a, b), probability);
}

double beta_upper_quantile(double probability, double a, double b) {
  if (!is_probability(probability) || !(a > 0 && b > 0) || a == infinity || b == infinity) return nan;
  return bm::quantile(bm::complement(Beta(a, b), probability));
}

}  // namespace equipoise::numerics
