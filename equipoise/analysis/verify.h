#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/expected.h"

/// Checks of this program against known answers: numbers from publications and from other programs.
namespace equipoise::analysis {

enum class Status {
  passed,
  failed,         ///< another number, or none where one is expected
  not_available,  ///< of a published method, option or place that this build does not carry
  unsupported     ///< a method, role, option, quantity or place that nobody here knows
};
std::string_view phrase(Status status);  ///< "passed", "failed", "not available", "unsupported"

/// One expected value and what came of it.
struct CheckedValue {
  std::string analysis{};  ///< id of the case
  std::string id{}, method{}, quantity{};
  std::string at{};             ///< canonical JSON; empty = no place
  double expected = 0;          ///< NaN = not estimable
  std::optional<double> got{};  ///< NaN = not estimable; nothing = no answer
  double rel_tol = 0;
  std::optional<double> error{};  ///< |got - expected| / max(|expected|, 1e-8), when both are numbers
  Status status = Status::failed;
  std::string reason{};  ///< a sentence, unless passed
};

struct MethodTally {
  std::string method;
  std::size_t values = 0, passed = 0, failed = 0, not_available = 0, unsupported = 0;
  double largest_error = 0;  ///< relative, over the values compared
};

struct Verification {
  std::string file;
  std::vector<CheckedValue> values;  ///< in the order of the file
  std::vector<MethodTally> methods;  ///< in order of appearance

  MethodTally total() const;
  /// Nothing failed and nothing was unsupported, and something passed.
  bool reproduced() const;
};

/// The bytes of a data file, by its name in a case.
using DataFiles = std::function<Expected<std::string>(std::string_view name)>;

/// Runs every case and compares every expected value: passed when |got - value| <= rel_tol max(|value|, 1e-8); "NE" only when not
/// estimable. Each data file is read once. Nothing is skipped: every expected value is in the result.
/// errors  lines that are no cases; data files that are missing or no CSV (with the line of the first case that names them)
Checked<Verification> verify(std::string_view file_name, std::string_view jsonl, DataFiles const& data);

/// A table by method, then the values that did not pass, at most `shown` of each status.
std::string to_text(Verification const& verification, std::size_t shown = 20);
/// One object: file, methods, values. Not estimable is "NE"; keys are sorted.
std::string to_json(Verification const& verification);

}  // namespace equipoise::analysis
