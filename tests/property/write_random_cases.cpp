// Writes trials.csv and cases.jsonl into a folder: every recipe on the first N random trials, expecting what this build answers.
// `./run evidence r` has R compute the same numbers.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "equipoise/core/text.h"
#include "random_trials.h"
#include "run_recipe.h"

using namespace equipoise;
using namespace equipoise::property;

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: write_random_cases FOLDER TRIALS\n", stderr);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  const int trials = std::stoi(argv[2]);
  std::filesystem::create_directories(folder);
  std::ofstream csv(folder / "trials.csv", std::ios::binary), cases(folder / "cases.jsonl", std::ios::binary);
  std::size_t values = 0, refusals = 0;
  for (int number = 0; number < trials; ++number) {
    const RandomTrial trial = random_trial(number);
    const std::string text = trial.csv();
    csv << (number == 0 ? text : text.substr(text.find('\n') + 1));
    for (Recipe const& recipe : recipes()) {
      if (!recipe.in_r) continue;
      const analysis::ReferenceCase one = reference_case(recipe, number);
      const Said got = TrialColumns(text).run(one.analysis);
      if (!got.carried) continue;
      if (!got.answer) {
        ++refusals;
        continue;
      }
      std::vector<std::optional<std::string>> read(recipe.readings.size());
      bool any = false;
      for (std::size_t i = 0; i < read.size(); ++i) {
        const auto value = got.answer->read(one.expect[i].quantity, one.expect[i].at);
        if (!value || std::isinf(*value)) continue;
        read[i] = std::isnan(*value) ? "\"NE\"" : shortest(*value);
        any = true, ++values;
      }
      if (any) cases << case_line(recipe, number, "trials.csv", read) << "\n";
    }
  }
  fmt::print("{} trials, {} values, {} refusals\n", trials, values, refusals);
  return csv.flush() && cases.flush() ? 0 : 1;
}
