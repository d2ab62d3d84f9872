#pragma once

/// Distribution functions and quantiles. Thin over Boost.Math (incomplete gamma and beta functions, accurate to a few units in
/// the last place times the condition of the argument), with one rule for trouble: no exception, an argument outside the domain
/// gives NaN. Upper tails have their own functions: 1 - F(x) loses every digit of a small p value.
namespace equipoise::numerics {

/// P(Z <= z) and P(Z > z), Z standard normal. Infinite z gives 0 or 1.
double normal_cdf(double z);
double normal_upper(double z);
/// The z with P(Z <= z) = probability; -infinity at 0, infinity at 1.
double normal_quantile(double probability);
/// P(|Z| > |z|): a two-sided p value.
double normal_two_sided(double z);
/// The z with P(|Z| <= z) = level: the half width of a two-sided interval in standard errors. 0 < level < 1.
double normal_interval(double level);

/// T with df > 0 degrees of freedom, not necessarily whole; infinite df is the normal distribution.
double student_t_cdf(double t, double df);
double student_t_upper(double t, double df);
double student_t_two_sided(double t, double df);
/// The t with P(|T| <= t) = level. 0 < level < 1.
double student_t_interval(double level, double df);

/// P(X > x), X chi-square with df > 0 degrees of freedom; 1 for x <= 0.
double chi_square_upper(double x, double df);
/// The x with P(X <= x) = probability.
double chi_square_quantile(double probability, double df);

/// P(X > x), X of the F distribution with df1, df2 > 0 degrees of freedom; 1 for x <= 0. Infinite df2 is chi-square / df1.
double f_upper(double x, double df1, double df2);

/// P(B <= x), B beta with shapes a, b > 0.
double beta_cdf(double x, double a, double b);
/// The x with P(B <= x) = probability, and the x with P(B > x) = probability.
double beta_quantile(double probability, double a, double b);
double beta_upper_quantile(double probability, double a, double b);

}  // namespace equipoise::numerics
