#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/stats/linear/ancova.h"
#include "equipoise/stats/linear/reference_grid.h"

namespace equipoise::stats {

/// An LS mean, a difference of two, or a contrast: what a model is asked about its factors.
struct GridQuestion {
  At at{};
  std::vector<double> function{};  ///< of the design's coefficients; empty when a level has no row
  std::vector<Term> cells{};       ///< the levels whose rows it is about
  bool comparison = false;       ///< 0 when there is no effect
  std::string words{};           ///< "the LS mean of arm 'b'"
};

/// LS means of every category, `first` before the others, and the difference of each pair of its levels in their order (above 30
/// levels: against the first); then the contrasts; then for interacting categories the means of their cells (up to 400) and the
/// differences of each within the levels of the others. What is left out is said in `notes`.
///
/// checked  gee_test.cpp
std::vector<GridQuestion> grid_questions(ReferenceGrid const& grid, Frame const& frame, std::string_view first,
                                         std::vector<NamedContrast> const& contrasts, std::vector<std::string>& notes);

}  // namespace equipoise::stats
