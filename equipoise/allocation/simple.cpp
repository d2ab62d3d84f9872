#include "equipoise/allocation/simple.h"

namespace equipoise::allocation {

std::optional<Simple> Simple::parse(Setting const& setting, Section& text) {
  refuse_factors(setting, text, keyword);
  return Simple{setting.place_arm};
}

}  // namespace equipoise::allocation
