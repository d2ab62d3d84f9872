#pragma once

#include <cstdint>

#include "equipoise/random/stream.h"

/// Variates made from the words of a stream or a draw, by transforms of our own: the same words give the same numbers wherever
/// the program runs. Each says how many words it takes when that is fixed.
namespace equipoise::random {

/// (k + 1/2) 2^-52 with k of 52 bits, so that no number is rounded: never 0, never 1. Two words.
double uniform(Stream& stream);
/// The same of one word of a Draw.
double uniform(std::uint64_t word);

/// Standard normal, by the inverse of its distribution function. Two words.
double normal(Stream& stream);
/// The same of one word of a Draw.
double normal(std::uint64_t word);

/// Chi-square with df > 0 degrees of freedom, not necessarily whole.
///
/// source   Marsaglia & Tsang (2000), ACM Trans. Math. Softw. 26, 363-372
/// checked  variates_test.cpp
double chi_square(Stream& stream, double df);

}  // namespace equipoise::random
