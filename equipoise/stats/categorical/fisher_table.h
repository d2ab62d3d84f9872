#pragma once

#include "equipoise/core/expected.h"
#include "equipoise/stats/categorical/contingency.h"

namespace equipoise::stats {

/// Fisher's exact test of an R x C table: the probability, given the margins, of the tables at most (1 + 1e-7) times as probable
/// as this one. A table has probability prod r_i! prod c_j! / (N! prod n_ij!).
///
/// The columns are dealt one after the other. What is left of the rows, sorted, is a node; tables that pass a node with the same
/// product of factorials so far are one. Whatever the rest can make of them decides a class early where bounds allow; at the last
/// two columns the two sides of a node meet in the order of their products. No chance, and no table counted twice or left out.
///
/// table    no empty margin; fewer than two rows or columns have p = 1 (no other table)
/// errors   out_of_range, when more than 3e8 steps would be needed (a few seconds; a way to deal a column to three rows or more
///          counts as 30): large tables with even margins
/// source   Freeman & Halton (1951), Biometrika 38, 141-149; the network is that of Mehta & Patel (1983), J. Am. Stat. Assoc. 78,
///          427-434, with classes instead of paths
/// checked  tables_test.cpp, tests/independent/tables_test.cpp (all tables listed), a reference case fisher_exact
Expected<double> fisher_exact_table(Contingency const& table);

}  // namespace equipoise::stats
