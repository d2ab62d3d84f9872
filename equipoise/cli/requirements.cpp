#include "equipoise/cli/requirements.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

extern "C" char const equipoise_requirements[];
extern "C" char const equipoise_requirements_end[];

namespace equipoise::cli {

std::string requirements_json() { return {equipoise_requirements, equipoise_requirements_end}; }

std::string requirements_text() {
  std::string text;
  std::size_t tested = 0, tests = 0, later = 0;
  const auto rows = nlohmann::ordered_json::parse(requirements_json());
  for (auto const& row : rows) {
    text += fmt::format("{}  {} ({})\n", row["id"].get<std::string>(), row["text"].get<std::string>(),
                        row["source"].get<std::string>());
    for (auto const& test : row["tests"])
      text += fmt::format("       {}  {}\n", test["test"].get<std::string>(), test["file"].get<std::string>());
    if (row.contains("later")) text += fmt::format("       not yet: {}\n", row["later"].get<std::string>());
    tested += !row["tests"].empty(), tests += row["tests"].size(), later += row.contains("later");
  }
  return text + fmt::format("\n{} requirements: {} carry {} tests, {} come later.\n", rows.size(), tested, tests, later);
}

}  // namespace equipoise::cli
