#pragma once

#include <string>

#include "equipoise/data/formats/csv.h"

namespace equipoise::cli {

/// A short commented protocol to start from: two arms, a time to event, for a data file with the columns
/// id, arm, age, sex, days, died. It passes `check`.
std::string starter_protocol();

/// The same, fitted to a data file with one row a participant: which column is what is guessed from names and values, and every
/// guess is marked GUESS for a person to confirm.
std::string starter_protocol(data::CellTable const& table, std::string const& file);

}  // namespace equipoise::cli
