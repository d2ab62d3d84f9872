#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/expected.h"

/// The known answers that travel inside the binary: tests/reference/, whose cards say where each number and each data set comes
/// from.
namespace equipoise::analysis {

/// All reference cases, JSON Lines; their `data` are names for `known_answer_data`.
std::string_view known_answer_cases();

/// Names of the embedded data files, sorted: "cgd/cgd.csv", ...
std::vector<std::string> known_answer_files();

/// The bytes of an embedded data file. errors  unresolved
Expected<std::string> known_answer_data(std::string_view name);

}  // namespace equipoise::analysis
