// Times the survival methods on columns in memory, for bench/survival.py:
//     survival_bench generate ROWS FILE           fixed seed; 7 columns of doubles (time, event, x1 to x5), then 32-bit arms
//     survival_bench time FILE ROWS JOB RUNS      one JSON object with each run's times and the answers
//     survival_bench columns FILE ROWS            reads the file and does nothing: the memory that the columns take
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>

#include "equipoise/stats/strata.h"
#include "equipoise/stats/survival/concordance.h"
#include "equipoise/stats/survival/cox.h"
#include "equipoise/stats/survival/kaplan_meier.h"
#include "equipoise/stats/survival/log_rank.h"

namespace equipoise::stats {
namespace {

constexpr std::size_t covariates = 5, arms = 3;

/// The columns of a trial.
struct Columns {
  std::size_t rows = 0;
  std::vector<double> numbers[2 + covariates];
  std::vector<std::int32_t> arm;
};

/// Exponential times with hazard exp(x'b), arms that differ a little, and uniform censoring: about half have the event.
Columns generated(std::size_t rows) {
  constexpr double b[covariates] = {0.3, -0.2, 0.1, 0.25, -0.15};
  std::mt19937_64 bits(20260101);
  const auto uniform = [&] { return (double(bits() >> 11) + 0.5) * 0x1p-53; };
  Columns made;
  made.rows = rows;
  for (std::vector<double>& column : made.numbers) column.resize(rows);
  made.arm.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    double predictor = 0;
    for (std::size_t j = 0; j < covariates; ++j) {
      double x = 0;  // near enough to normal: the sum of 12 uniforms
      for (int k = 0; k < 12; ++k) x += uniform();
      x = j == 4 ? double(x > 6) : x - 6;
      made.numbers[2 + j][i] = x;
      predictor += b[j] * x;
    }
    const auto arm = std::int32_t(bits() % arms);
    const double event = -std::log(uniform()) / (0.1 * std::exp(predictor - 0.02 * arm)), censored = 20 * uniform();
    made.numbers[0][i] = std::min(event, censored);
    made.numbers[1][i] = event <= censored;
    made.arm[i] = arm;
  }
  return made;
}

Columns read(char const* file, std::size_t rows) {
  std::ifstream in(file, std::ios::binary);
  Columns made;
  made.rows = rows;
  for (std::vector<double>& column : made.numbers) {
    column.resize(rows);
    in.read(reinterpret_cast<char*>(column.data()), std::streamsize(rows * sizeof(double)));
  }
  made.arm.resize(rows);
  in.read(reinterpret_cast<char*>(made.arm.data()), std::streamsize(rows * sizeof(std::int32_t)));
  if (!in) {
    std::fprintf(stderr, "%s does not hold %zu rows\n", file, rows);
    std::exit(1);
  }
  return made;
}

double cpu_ms() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto ms = [](timeval const& t) { return 1e3 * double(t.tv_sec) + 1e-3 * double(t.tv_usec); };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

std::string joined(std::vector<double> const& values) {
  std::vector<std::string> texts;
  for (const double value : values) texts.push_back(shortest(value));
  return join(texts, ", ");
}

/// Numbers that a peer's run must agree with.
using Agreed = std::vector<double>;

/// Times a job; what its answers are compared by is its own last answer, or that of `compared` where the peer's job is another.
template <class Job, class Compared = std::nullptr_t>
void measure(std::string_view name, std::size_t rows, int runs, Job job, Compared compared = nullptr) {
  std::vector<double> wall, cpu;
  Agreed agreed;
  for (int run = 0; run < runs; ++run) {
    const auto started = std::chrono::steady_clock::now();
    const double cpu_started = cpu_ms();
    agreed = job();
    cpu.push_back(cpu_ms() - cpu_started);
    wall.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - started).count());
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  if constexpr (!std::is_same_v<Compared, std::nullptr_t>) agreed = compared();
  fmt::print("{{\"job\": \"{}\", \"n\": {}, \"wall_ms\": [{}], \"cpu_ms\": [{}], \"answers\": [{}], \"peak_kib\": {}}}\n", name,
             rows, joined(wall), joined(cpu), joined(agreed), usage.ru_maxrss);
  std::fflush(stdout);
}

template <class T>
T expect(Expected<T> value) {
  if (value) return std::move(*value);
  std::fprintf(stderr, "%s\n", value.error().message.c_str());
  std::exit(1);
}

void time_jobs(Columns const& columns, std::string_view job, int runs) {
  const std::vector<std::string> levels{"0", "1", "2"};
  std::vector<double> days;  // recorded in whole days: 20 years have 7 305
  Frame frame{.rows = columns.rows, .columns = {}};
  constexpr std::string_view names[] = {"time", "event", "x1", "x2", "x3", "x4", "x5"};
  for (std::size_t c = 0; c < std::size(names); ++c) frame.columns.push_back({names[c], NumbersView(columns.numbers[c])});
  frame.columns.push_back({"arm", CategoriesView{columns.arm, levels}});
  const bool by_day = job.ends_with("_days");
  if (by_day) {
    for (const double t : columns.numbers[0]) days.push_back(std::ceil(t * 365.25));
    frame.columns[0].cells = NumbersView(days);
    job.remove_suffix(5);
  }
  const std::string name = std::string(job) + (by_day ? "_days" : "");

  Problems problems;
  const Node none(Node::Table{}, {});
  if (job == "kaplan_meier" || job == "kaplan_meier_one") {
    Section options(none, "bench", problems);
    Roles roles{{"time", {"time"}}, {"event", {"event"}}};
    if (job == "kaplan_meier") roles["group"] = {"arm"};
    KaplanMeier method = *KaplanMeier::parse(roles, options, Match::r);
    method.times = {2, 5, 10};
    if (by_day)
      for (double& t : method.times) t *= 365;
    const auto answers = [&](KaplanMeier const& one) {
      const Answer answer = expect(one.run(frame));
      Agreed agreed;
      for (std::string const& arm : levels)
        for (const double t : method.times) {
          At at{{"time", t}};
          if (job == "kaplan_meier") at["group"] = arm;
          for (const std::string_view quantity : {"survival", "se"}) agreed.push_back(*answer.read(quantity, at));
        }
      if (job == "kaplan_meier_one") agreed.resize(6);
      return agreed;
    };
    KaplanMeier unmerged = method;  // the peers do not merge near ties, and their answers are compared with ours
    unmerged.near_ties = NearTies::keep;
    measure(
        name, columns.rows, runs, [&] { return answers(method); }, [&] { return answers(unmerged); });
  } else if (job == "log_rank") {
    Section options(none, "bench", problems);
    const LogRank method = *LogRank::parse({{"time", {"time"}}, {"event", {"event"}}, {"group", {"arm"}}}, options, Match::r);
    LogRank unmerged = method;
    unmerged.near_ties = NearTies::keep;
    const auto answers = [&](LogRank const& one) { return Agreed{*expect(one.run(frame)).read("chi_square", {})}; };
    measure(
        name, columns.rows, runs, [&] { return answers(method); }, [&] { return answers(unmerged); });
  } else if (job == "cox" || job == "concordance") {
    const Formula formula = expect(parse_formula("x1 + x2 + x3 + x4 + x5"));
    numerics::Numbers predictor;
    const auto fit = [&] {  // what Cox::run does but for the concordance and the sentences
      const SurvivalRows data = expect(survival_rows(frame, "time", "event"));
      std::optional<PartialLikelihood> likelihood;
      {
        const Design design = expect(build_design(frame, formula));
        likelihood.emplace(data, combine(frame, {}).code, 1, design, Ties::efron);
      }
      CoxFit made = fit_cox(*likelihood, frame.rows, {}, 0);
      predictor = std::move(made.predictor);
      Agreed agreed = made.beta;
      for (std::size_t j = 0; j < covariates; ++j) agreed.push_back(std::sqrt(made.variance[j * covariates + j]));
      agreed.push_back(made.log_likelihood);
      return agreed;
    };
    if (job == "cox") return measure(name, columns.rows, runs, fit);
    fit();
    const SurvivalRows data = expect(survival_rows(frame, "time", "event"));
    const std::vector<std::int32_t> stratum(frame.rows, 0);
    measure(name, columns.rows, runs, [&] { return Agreed{concordance(data, predictor, stratum, 1).c()}; });
  } else {
    std::fprintf(stderr, "no job is called %s\n", name.c_str());
    std::exit(2);
  }
}

int main_of(std::span<char* const> words) {
  const std::string_view verb = words.size() > 1 ? words[1] : "";
  if (verb == "generate" && words.size() == 4) {
    const Columns made = generated(std::strtoull(words[2], nullptr, 10));
    std::ofstream out(words[3], std::ios::binary);
    for (std::vector<double> const& column : made.numbers)
      out.write(reinterpret_cast<char const*>(column.data()), std::streamsize(made.rows * sizeof(double)));
    out.write(reinterpret_cast<char const*>(made.arm.data()), std::streamsize(made.rows * sizeof(std::int32_t)));
    return out ? 0 : 1;
  }
  if (verb == "time" && words.size() == 6) {
    time_jobs(read(words[2], std::strtoull(words[3], nullptr, 10)), words[4], std::atoi(words[5]));
    return 0;
  }
  if (verb == "columns" && words.size() == 4) {
    const Columns columns = read(words[2], std::strtoull(words[3], nullptr, 10));
    measure("columns", columns.rows, 1, [&] { return Agreed{columns.numbers[0][0]}; });
    return 0;
  }
  std::fprintf(stderr, "survival_bench generate ROWS FILE | time FILE ROWS JOB RUNS | columns FILE ROWS\n");
  return 2;
}

}  // namespace
}  // namespace equipoise::stats

int main(int count, char** words) { return equipoise::stats::main_of(std::span(words, std::size_t(count))); }
