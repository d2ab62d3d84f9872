#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "equipoise/data/formats/csv.h"

namespace equipoise::cli {

/// A short commented protocol to start from: two arms, a time to event, for a data file with the columns
/// id, arm, age, sex, days, died. It passes `check`.
std::string starter_protocol();

/// The same, fitted to a data file with one row a participant: which column is what is guessed from names and values, and every
/// guess is marked GUESS for a person to confirm.
std::string starter_protocol(data::CellTable const& table, std::string const& file);

/// A commented protocol of one kind of trial: a file of cli/templates, whole in the binary.
struct Template {
  std::string_view name;   ///< "parallel-group"
  std::string_view about;  ///< for help
  std::string_view text;
};

/// All of them, in the order of help. Each passes `check`, can be simulated, and analyses its own virtual trial.
std::span<const Template> templates();

}  // namespace equipoise::cli
