// Known answers on data that may be read but not shipped: tests/in_place, whose card says where the numbers come from.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
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

/// What the build answers in the case of Table 14-3.11.
double pilot(std::string_view quantity, std::string const& at) {
  for (analysis::CheckedValue const& value : verification().values)
    if (value.analysis == "repeated/pilot_table_14_3_11" && value.quantity == quantity && value.at == at && value.got)
      return *value.got;
  ADD_FAILURE() << "no " << quantity << " at " << at;
  return std::nan("");
}

std::string decimals(double x, int digits) {
  const std::string text = fmt::format("{:.{}f}", x, digits);
  return text.find_first_not_of("-0.") == std::string::npos && text[0] == '-' ? text.substr(1) : text;  // no -0.0
}

// The cells of Table 14-3.11 as they are printed, from the public replication by Atorus Research.
TEST(InPlace, PilotTableIsReproducedToThePrintedCell) {
  const auto cells = read_file(shared() / "reference/cdisc-pilot-tables-open.csv");
  if (!data_are_here() || !cells) GTEST_SKIP() << not_here;
  const std::string placebo = "Placebo", low = "Xanomeline Low Dose", high = "Xanomeline High Dose";
  const auto mean = [](std::string const& arm) {
    const std::string at = fmt::format(R"({{"lsmean":{{"TRTP":"{}"}}}})", arm);
    return fmt::format("{} ({})", decimals(pilot("estimate", at), 1), decimals(pilot("se", at), 2));
  };
  struct Compared {
    std::string p, difference, limits;
  };
  const auto compare = [](std::string const& level, std::string const& minus) {
    const std::string at = fmt::format(R"({{"difference":{{"column":"TRTP","level":"{}","minus":"{}"}}}})", level, minus);
    return Compared{decimals(pilot("p", at), 3),
                    fmt::format("{} ({})", decimals(pilot("estimate", at), 1), decimals(pilot("se", at), 2)),
                    fmt::format("({};{})", decimals(pilot("lower", at), 1), decimals(pilot("upper", at), 1))};
  };
  const Compared low_placebo = compare(low, placebo), high_placebo = compare(high, placebo), high_low = compare(high, low);
  const std::map<std::string, std::string> rows{{"3", fmt::format("{} | {} | {}", mean(placebo), mean(low), mean(high))},
                                                {"4", fmt::format(" | {} | {}", low_placebo.p, high_placebo.p)},
                                                {"5", fmt::format(" | {} | {}", low_placebo.difference, high_placebo.difference)},
                                                {"6", fmt::format(" | {} | {}", low_placebo.limits, high_placebo.limits)},
                                                {"7", " |  | " + high_low.p},
                                                {"8", " |  | " + high_low.difference},
                                                {"9", " |  | " + high_low.limits}};
  std::size_t compared = 0;
  std::istringstream lines(*cells);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.starts_with("14-3.11,")) continue;
    const std::size_t from = line.find(',') + 1, to = line.find(',', from);
    const auto row = rows.find(line.substr(from, to - from));
    if (row == rows.end()) continue;  // the title and the column headings
    EXPECT_EQ(line.substr(line.find(" | ") + 3), row->second) << line;
    ++compared;
  }
  EXPECT_EQ(compared, rows.size());
}

}  // namespace
}  // namespace equipoise
