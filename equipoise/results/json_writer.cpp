#include "equipoise/results/json_writer.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "equipoise/core/text.h"

namespace equipoise::results {

std::string json_text(std::string_view text) {
  return nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string number(double value) {
  if (std::isnan(value)) return "\"NE\"";
  if (std::isinf(value)) return value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  return shortest(value);
}

std::string texts(std::vector<std::string> const& values) {
  return list(values, [](std::string const& v) { return json_text(v); });
}

}  // namespace equipoise::results
