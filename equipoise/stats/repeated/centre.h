#pragma once

#include <span>

namespace equipoise::stats {

enum class Degree { one, two };

/// Sum of values less a number, or of the squares of that: four compensated sums side by side, so that the order of the rows
/// does not show in it, nor in where a climb on few data ends.
///
/// source   Knuth (1997), The Art of Computer Programming, vol. 2, 3rd ed., section 4.2.2, theorem B
/// checked  centre_test.cpp
double sum_less(std::span<const double> values, double less, Degree degree);

/// A mean and a standard deviation (divisor n - 1) to centre and scale by.
struct Centre {
  double mean, deviation;
};
Centre centre_of(std::span<const double> values);

}  // namespace equipoise::stats
