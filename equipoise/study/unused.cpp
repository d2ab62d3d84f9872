#include "equipoise/study/unused.h"

namespace equipoise::study {

std::vector<std::string> not_used(Node const& document) {
  if (document.table() && document.find("design")) return {"[design]"};
  return {};
}

}  // namespace equipoise::study
