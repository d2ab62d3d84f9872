#pragma once

#include "equipoise/results/rehearsal.h"

namespace equipoise::report::rehearsal {

/// Limits of a share of trials that hold for none and for all of them too.
struct Limits {
  double lower = 0, upper = 1;
};

/// Wilson's score limits, 95 %.
///
/// source  Wilson (1927), J. Am. Stat. Assoc. 22, 209-212
Limits wilson_limits(results::Share const& share);

/// The largest share of which no trial in `n` is surprising: 1 - 0.05^(1/n), exact, one-sided 95 %.
double none_in(double n);

/// How many times as often something happens in `a` as in `b`, with 95 % limits.
///
///     R = p_a / p_b,   lower = l_a (2 p_a - l_a) / (p_a p_b + sqrt(p_a^2 p_b^2 - l_a u_b (2 p_a - l_a)(2 p_b - u_b)))
///
/// l, u    Wilson's limits of the shares; the upper limit of R is one through the lower limit of p_b / p_a
/// returns value infinite when b never happens, NaN when neither does; then the limits are 0 and infinity
/// source  Newcombe (2016), Stat. Methods Med. Res. 25, 1774-1778 (MOVER-R); written without the cancellation of its first form
/// checked ratio_test.cpp: exact coverage by enumeration, and the first form of the formula
struct Ratio {
  double value, lower, upper;
};
Ratio ratio_of(results::Share const& a, results::Share const& b);

}  // namespace equipoise::report::rehearsal
