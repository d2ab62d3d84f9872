#pragma once

#include <optional>
#include <string>

#include "equipoise/core/error.h"
#include "equipoise/data/cell_table.h"

namespace equipoise::data {

/// The column of the file that the protocol names at `asked`; when there is none, a problem with the nearest name, or with all of
/// them.
std::optional<std::size_t> find_column(CellTable const& table, std::string const& name, Place const& asked, Problems& problems);

}  // namespace equipoise::data
