#include "equipoise/data/find_column.h"

#include "equipoise/core/text.h"

namespace equipoise::data {

std::optional<std::size_t> find_column(CellTable const& table, std::string const& name, Place const& asked, Problems& problems) {
  const auto found = table.find(name);
  if (found) return found;
  Error& error = add_problem(problems, {.file = table.file, .line = table.has_lines() ? 1 : 0}, Code::missing_column,
                             "the data have no column '{}' ({}:{})", name, asked.file, asked.line);
  if (const auto near = nearest(name, table.header)) error.hint = fmt::format("did you mean '{}'?", *near);
  else error.hint = "columns: " + join(table.header, ", ");
  return {};
}

}  // namespace equipoise::data
