#include "random_trials.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace equipoise::property {
namespace {

/// Whole numbers from a generator that the standard defines bit by bit; its distributions differ between libraries.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : engine_(seed * 1'000'003 + 17) {}
  int below(int n) { return int((engine_() >> 11) % std::uint64_t(n)); }
  bool with(int percent) { return below(100) < percent; }

 private:
  std::mt19937_64 engine_;
};

std::string number(double value) { return fmt::format("{}", value); }

}  // namespace

std::vector<std::string> const& RandomTrial::columns() {
  static const std::vector<std::string> names{"trial",   "time", "event", "start",  "arm",  "two",   "stratum",
                                              "cluster", "y",    "first", "second", "resp", "resp2", "grade",
                                              "cause",   "left", "right", "x1",     "x2",
                                              "person",  "visit", "group", "after", "partial"};
  return names;
}

std::string RandomTrial::csv() const {
  std::string out = fmt::format("{}\n", fmt::join(columns(), ","));
  for (auto const& row : rows) out += fmt::format("{}\n", fmt::join(row, ","));
  return out;
}

RandomTrial random_trial(int trial_number) {
  Chance chance{std::uint64_t(trial_number)};
  RandomTrial trial{.number = trial_number, .shape = Shape(trial_number % shapes)};
  const Shape shape = trial.shape;
  const int n = shape == Shape::two_people ? 2 : 3 + chance.below(28);
  const bool coarse = shape == Shape::tied || chance.with(30);
  const double scale = shape == Shape::large_scale   ? std::ldexp(1.0, 30)
                       : shape == Shape::small_scale ? std::ldexp(1.0, -10)
                                                     : 1.0;
  const auto value = [&](int from, int to) {  // multiples of 1/64, or whole numbers when coarse
    return coarse ? double(from + chance.below(to - from + 1)) : from + chance.below((to - from) * 64 + 1) / 64.0;
  };

  std::string group;
  for (int i = 0; i < n; ++i) {
    int arm = chance.below(3), two = chance.below(2), stratum = chance.below(3);
    if (shape == Shape::one_group) arm = two = 0;
    if (shape == Shape::group_of_one) arm = i == 0 ? 0 : 1 + chance.below(2), two = i == 0 ? 0 : 1;
    if (shape == Shape::two_people) arm = two = i;
    if (shape == Shape::empty_strata) stratum = (arm + two) % 3;
    double time = value(1, coarse ? 6 : 20);
    bool event = chance.with(60);
    double y = value(-5, 5), first = value(0, 4), second = value(0, 4), x1 = value(-3, 3), x2 = value(0, 2);
    bool response = chance.with(50), response2 = chance.with(40);
    const int grade = chance.below(4);
    if (shape == Shape::all_censored) event = false;
    if (shape == Shape::all_events) event = true;
    if (shape == Shape::constant_covariate) x1 = 2, x2 = x1;
    if (shape == Shape::separated) response = response2 = event = two == 1 && arm != 0, x1 = response ? 3 : -3;
    if (shape == Shape::one_time) time = 5, y = 1, first = second = 2;
    if (shape == Shape::constant_response) y = 3, response = response2 = trial_number % 32 < 16;
    if (shape == Shape::zero_cell && two == 0) response = response2 = false;
    const int cause = event ? 1 + chance.below(2) : 0;
    const double start = chance.with(40) ? 0 : std::floor(time * 32) / 64;
    const double visit = std::floor(time / 4) * 4;
    const bool exact = chance.with(15);
    std::vector<std::string> row{fmt::to_string(trial_number),
                                 number(time * scale),
                                 event ? "1" : "0",
                                 number(std::min(start, time / 2) * scale),
                                 std::string(1, char('A' + arm)),
                                 std::string(1, char('A' + two)),
                                 std::string(1, char('p' + stratum)),
                                 fmt::format("c{}", chance.below(std::max(2, n / 2))),
                                 number(y * scale),
                                 number(first * scale),
                                 number(second * scale),
                                 response ? "1" : "0",
                                 response2 ? "1" : "0",
                                 fmt::to_string(grade),
                                 fmt::to_string(cause),
                                 number((event && exact ? time : visit) * scale),
                                 !event ? "" : number((exact ? time : visit + 4) * scale),
                                 number(x1),
                                 number(x2)};
    if (shape == Shape::missing_cells)
      for (std::size_t c = 1; c < row.size(); ++c)
        if (RandomTrial::columns()[c] != "left" && RandomTrial::columns()[c] != "right" && chance.with(7)) row[c] = "";
    // Three rows are a person's visits, in the group of the first; the chance above stays what it was.
    const int person = i / 3, leaves = 1 + (trial_number + person) % 4;
    if (i % 3 == 0) group = std::string(1, char('A' + arm));
    const bool after = i % 3 >= leaves;
    row.insert(row.end(), {fmt::format("s{}", person), fmt::format("v{}", 1 + i % 3), group, after ? "1" : "0",
                           after && person % 3 != 0 ? "" : number(y * scale)});
    trial.rows.push_back(std::move(row));
  }
  return trial;
}

}  // namespace equipoise::property
