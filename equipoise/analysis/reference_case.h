#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/analysis/analysis.h"
#include "equipoise/core/expected.h"
#include "equipoise/core/finding.h"

namespace equipoise::analysis {

/// One number to reproduce.
struct ExpectedValue {
  std::string id{};  ///< for tracing; may be empty
  std::string quantity{};
  At at{};
  std::string at_text{};          ///< `at` as it is written, canonical JSON
  std::string at_problem{};       ///< the format has no such key or value; then `at` is not complete
  double value = missing_number;  ///< NaN = not estimable ("NE")
  double rel_tol = 0;             ///< |got - value| <= rel_tol max(|value|, 1e-8); 0 = equal
};

/// A case of the reference format: an analysis, its data, and the numbers that somebody else's program gave.
struct ReferenceCase {
  Analysis analysis;
  std::optional<std::string> data{};  ///< CSV file relative to the data folder; nothing = all numbers are in the options
  std::vector<ExpectedValue> expect;
  std::string source;
};

/// Reads JSON Lines, one case a line; empty lines are skipped. Every problem of every line is reported, with its line.
/// errors  syntax, unknown_key, missing_key, wrong_type, out_of_range, duplicate (id), no_data
Checked<std::vector<ReferenceCase>> read_reference_cases(std::string_view file, std::string_view jsonl);

}  // namespace equipoise::analysis
