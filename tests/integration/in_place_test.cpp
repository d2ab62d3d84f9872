// Known answers on data that may be read but not shipped: tests/in_place, whose card says where the numbers come from.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "equipoise/analysis/verify.h"

namespace equipoise {
namespace {

std::filesystem::path shared() {
  const char* named = std::getenv("EQUIPOISE_SHARED");
  return named ? named : "../shared";
}

Expected<std::string> read_file(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::io, "'{}' cannot be opened", path.string());
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

/// ACTG 193A with the change of slope after week 16, and both for the triple therapy alone.
Expected<std::string> actg193a() {
  auto bytes = read_file(shared() / "data/actg193a/cd4.csv");
  if (!bytes) return bytes;
  std::istringstream lines(*bytes);
  std::string line, out = "id,week,late,triple_week,triple_late,logcd4\n";
  for (std::getline(lines, line); std::getline(lines, line);) {  // id, group, age, sex, week, logcd4
    std::vector<std::string> cells;
    std::istringstream row(line);
    for (std::string cell; std::getline(row, cell, ',');) cells.push_back(cell);
    if (cells.size() != 6) return fail(Code::bad_cell, "a row of cd4.csv has {} cells", cells.size());
    const double week = std::stod(cells[4]), late = std::max(week - 16, 0.0), triple = cells[1] == "4" ? 1 : 0;
    out += fmt::format("{},{},{},{},{},{}\n", cells[0], week, late, triple * week, triple * late, cells[5]);
  }
  return out;
}

Expected<std::string> data_file(std::string_view name) {
  return name == "derived/actg193a.csv" ? actg193a() : read_file(shared() / name);
}

bool data_are_here() { return std::filesystem::exists(shared() / "reference/cases/antidepressant_grid.csv"); }
constexpr std::string_view not_here = "the data of these cases are not shipped: name their folder in EQUIPOISE_SHARED";

analysis::Verification const& verification() {
  static const auto made = [] {
    const auto cases = read_file("tests/in_place/cases.jsonl");
    EXPECT_TRUE(cases) << "tests run in the folder of the repository";
    auto checked = analysis::verify("tests/in_place/cases.jsonl", cases.value_or(""), data_file);
    EXPECT_TRUE(checked) << to_string(checked.error().front());
    return checked ? std::move(*checked) : analysis::Verification{};
  }();
  return made;
}

TEST(InPlace, EveryValueIsReproduced) {
  if (!data_are_here()) GTEST_SKIP() << not_here;
  EXPECT_TRUE(verification().reproduced()) << analysis::to_text(verification());
  EXPECT_EQ(verification().total().passed, verification().values.size()) << analysis::to_text(verification());
  std::map<std::string, std::size_t> of_method;
  for (analysis::MethodTally const& tally : verification().methods) of_method[tally.method] = tally.passed;
  EXPECT_EQ(of_method, (std::map<std::string, std::size_t>{
                           {"reference_based_imputation", 229}, {"locf", 25}, {"mmrm", 8}, {"linear_mixed", 28}}));
}

}  // namespace
}  // namespace equipoise
