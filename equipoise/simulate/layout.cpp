#include <algorithm>

#include "equipoise/simulate/virtual_trial.h"

namespace equipoise::simulate {

std::optional<std::size_t> Layout::cell(std::string_view item, std::optional<std::size_t> visit) const {
  for (std::size_t c = 0; c < cells.size(); ++c)
    if (cells[c].item->id == item && cells[c].visit == visit) return c;
  return {};
}

double VirtualTrial::last_day() const {
  double last = 0;
  for (std::size_t i = 0; i < n; ++i) last = std::max(last, entry[i] + follow_up_end[i]);
  return last;
}

}  // namespace equipoise::simulate
