#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "equipoise/core/node.h"
#include "equipoise/stats/method.h"
#include "equipoise/stats/replay.h"

/// Estimands and plans: from a view of data to results.
namespace equipoise::analysis {

/// What a rule compares a cell with: a text with the cell's text, a number with its number.
using CellValue = std::variant<std::string, double>;

/// A rule on the rows of the data; all that it states must hold. A missing cell meets only `present = false`.
struct RowFilter {
  std::string column;
  std::optional<CellValue> is{}, is_not{};
  std::vector<CellValue> is_in{};  ///< empty = not stated
  std::optional<bool> present{};
  std::optional<double> min{}, max{};  ///< inclusive
};

/// What to compute: the one value that a reference case and an [[analysis]] of a protocol both become.
struct Analysis {
  std::string id;
  std::string method;              ///< keyword
  std::vector<RowFilter> where{};  ///< rows kept: all rules hold
  stats::Roles roles{};
  Node options{};  ///< a table, or null when there are none
  stats::Match match = stats::Match::equipoise;
  std::optional<std::string> estimand{};
  Place place{};                                  ///< where a person wrote it
  std::vector<std::string> other_keys{};          ///< keys of the options table that somebody else reads
  std::shared_ptr<const stats::Replay> replay{};  ///< of a method that randomises the trial again
};

}  // namespace equipoise::analysis
