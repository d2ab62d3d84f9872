#include "equipoise/simulate/virtual_trial.h"

namespace equipoise::simulate {

std::optional<std::size_t> Layout::cell(std::string_view item, std::optional<std::size_t> visit) const {
  for (std::size_t c = 0; c < cells.size(); ++c)
    if (cells[c].item->id == item && cells[c].visit == visit) return c;
  return {};
}

}  // namespace equipoise::simulate
