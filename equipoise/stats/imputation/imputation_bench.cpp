// Milliseconds of reference-based imputation on a long CSV, from its rows to the answer; for bench/imputation.py.
//
//     imputation_bench FILE.csv VARIANCE [STRATEGY]
//
// FILE has the columns PATIENT, THERAPY, VISIT, BASVAL, CHANGE and ICE. VARIANCE: jackknife, bootstrap, bayes, approximate_bayes, or
// tipping, which is the jackknife with a surface of 41 x 41 shifts. Prints a line of JSON: the fastest and the median time, the
// mean of the processor's time, and the comparison at the last visit.
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "equipoise/stats/imputation/reference_based.h"

namespace {

using namespace equipoise;
using namespace equipoise::stats;

/// The columns of a file without quotes.
class Columns {
 public:
  explicit Columns(char const* path) {
    std::ifstream file(path);
    if (!file) std::exit((std::perror(path), 1));
    std::string line, cell;
    std::vector<std::string> names;
    for (bool head = true; std::getline(file, line); head = false) {
      std::istringstream cells(line);
      std::vector<std::string> row;
      while (std::getline(cells, cell, ',')) row.push_back(cell);
      if (head) names = row;
      else {
        row.resize(names.size());
        rows_.push_back(std::move(row));
      }
    }
    for (std::string const name : {"PATIENT", "THERAPY", "VISIT"}) {
      Category& made = categories_.emplace_back();
      made.name = name;
      const std::size_t at = place(names, name);
      for (auto const& row : rows_) made.levels.push_back(row[at]);
      std::sort(made.levels.begin(), made.levels.end());
      made.levels.erase(std::unique(made.levels.begin(), made.levels.end()), made.levels.end());
      if (made.name == "THERAPY") std::reverse(made.levels.begin(), made.levels.end());  // PLACEBO, then DRUG
      for (auto const& row : rows_)
        made.codes.push_back(std::int32_t(std::find(made.levels.begin(), made.levels.end(), row[at]) - made.levels.begin()));
    }
    for (std::string const name : {"BASVAL", "CHANGE", "ICE"}) {
      Numbers& made = numbers_.emplace_back();
      made.name = name;
      const std::size_t at = place(names, name);
      for (auto const& row : rows_) made.values.push_back(row[at].empty() ? missing_number : std::stod(row[at]));
    }
  }

  Frame frame() const {
    Frame frame{.rows = rows_.size(), .columns = {}};
    for (Category const& column : categories_) frame.columns.push_back({column.name, CategoriesView{column.codes, column.levels}});
    for (Numbers const& column : numbers_) frame.columns.push_back({column.name, NumbersView(column.values)});
    return frame;
  }
  std::vector<std::string> const& levels(std::size_t k) const { return categories_[k].levels; }

 private:
  static std::size_t place(std::vector<std::string> const& names, std::string const& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) std::exit((std::fprintf(stderr, "no column %s\n", name.c_str()), 1));
    return std::size_t(found - names.begin());
  }
  struct Category {
    std::string name;
    std::vector<std::string> levels;
    std::vector<std::int32_t> codes;
  };
  struct Numbers {
    std::string name;
    std::vector<double> values;
  };
  std::vector<std::vector<std::string>> rows_;
  std::vector<Category> categories_;
  std::vector<Numbers> numbers_;
};

Node text(std::string value) { return Node(Node::Value(std::move(value))); }
Node texts(std::vector<std::string> const& values) {
  Node::Array array;
  for (std::string const& value : values) array.push_back(text(value));
  return Node(Node::Value(std::move(array)));
}

/// Milliseconds that the processor has worked for this program.
double processor_ms() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return double(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 + double(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) return std::fprintf(stderr, "imputation_bench FILE.csv VARIANCE [STRATEGY]\n"), 2;
  mallopt(M_MMAP_THRESHOLD, 1 << 30);  // as the product does: memory that was had once is not given back and had anew
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  const Columns columns(words[1]);
  const Frame frame = columns.frame();
  const bool tipping = !std::strcmp(words[2], "tipping");
  const std::string last = columns.levels(2).back();
  Node::Table options;
  const auto option = [&](std::string key, Node value) { options.push_back({std::move(key), {}, std::move(value)}); };
  option("strategy", text(count > 3 ? words[3] : "jump_to_reference"));
  option("reference", text("PLACEBO"));
  option("formula", text("BASVAL * VISIT + THERAPY * VISIT"));
  option("levels", Node(Node::Value(Node::Table{{"THERAPY", {}, texts(columns.levels(1))}, {"VISIT", {}, texts(columns.levels(2))}})));
  option("covariance", text("unstructured"));
  option("analysis_formula", text("THERAPY + BASVAL"));
  option("variance", text(tipping ? "jackknife" : words[2]));
  if (const char* samples = std::getenv("SAMPLES")) option("samples", Node(Node::Value(std::atof(samples))));
  if (tipping) {
    Node::Array shifts;
    for (int k = -20; k <= 20; ++k) shifts.push_back(Node(Node::Value(double(k) / 2)));
    const Node grid(Node::Value(std::move(shifts)));
    option("tipping_point", Node(Node::Value(Node::Table{{"delta", {}, grid}, {"delta_reference", {}, grid}})));
  }
  const Node node(Node::Value(std::move(options)));
  Problems problems;
  Section section(node, "the benchmark", problems);
  const auto method = ReferenceBasedImputation::parse({{"response", {"CHANGE"}},
                                                       {"subject", {"PATIENT"}},
                                                       {"visit", {"VISIT"}},
                                                       {"group", {"THERAPY"}},
                                                       {"ice", {"ICE"}}},
                                                      section, Match::equipoise);
  if (!method) return std::fprintf(stderr, "%s\n", problems.front().message.c_str()), 1;
  std::vector<double> ms;
  double total = 0, estimate = 0, se = 0, p = 0;
  const double worked = processor_ms();
  while ((ms.size() < 5 || total < 500) && ms.size() < 200) {
    const auto started = std::chrono::steady_clock::now();
    const auto answer = method->run(frame);
    ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started).count());
    total += ms.back();
    if (!answer) return std::fprintf(stderr, "%s\n", answer.error().message.c_str()), 1;
    const At at{{"difference", LevelDifference{"THERAPY", "DRUG", "PLACEBO"}}, {"within", Term{{"VISIT", last}}}};
    estimate = answer->read("estimate", at).value_or(missing_number);
    se = answer->read("se", at).value_or(missing_number);
    p = answer->read("p", at).value_or(missing_number);
  }
  std::sort(ms.begin(), ms.end());
  std::printf("{\"variance\": \"%s\", \"rows\": %zu, \"participants\": %zu, \"ms\": %.3f, \"median_ms\": %.3f, \"cpu_ms\": %.3f, \"estimate\": %.12g, "
              "\"se\": %.12g, \"p\": %.6g}\n",
              words[2], frame.rows, columns.levels(0).size(), ms.front(), ms[ms.size() / 2],
              (processor_ms() - worked) / double(ms.size()), estimate, se, p);
  return 0;
}
