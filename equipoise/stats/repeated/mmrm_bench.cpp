// Microseconds of a mixed model for repeated measures with the degrees of freedom of one contrast (last arm less the first at the
// last visit), from a frame of rows to the answer; for bench/mmrm.py.
//
//     mmrm_bench write FOLDER      the data of every job as CSV, for the peers
//     mmrm_bench run [JOB]         times each job, a line of JSON each
//     mmrm_bench once JOB          one fit: for peak memory
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "equipoise/stats/repeated/mmrm_fit.h"
#include "equipoise/stats/repeated/mmrm_inference.h"

namespace {

using namespace equipoise;
using namespace equipoise::stats;

struct Job {
  std::string name;
  std::size_t participants, visits, arms;
  double dropout;       // probability of leaving after each visit
  double intermittent;  // probability that a visit of somebody still there is missing
  std::size_t most_patterns;
};

const std::vector<Job>& jobs() {
  static const std::vector<Job> all{{"trial_72x9", 72, 9, 3, 0.02, 0.0, 9},          {"fev_size_200x4", 200, 4, 2, 0.0, 0.3, 16},
                                    {"large_1000x10", 1000, 10, 2, 0.02, 0.06, 107}, {"huge_10000x8", 10000, 8, 2, 0.02, 0.0, 8},
                                    {"grow_1000", 1000, 8, 2, 0.02, 0.0, 8},         {"grow_3000", 3000, 8, 2, 0.02, 0.0, 8},
                                    {"grow_10000", 10000, 8, 2, 0.02, 0.0, 8},       {"grow_30000", 30000, 8, 2, 0.02, 0.0, 8},
                                    {"grow_100000", 100000, 8, 2, 0.02, 0.0, 8}};
  return all;
}

/// Rows of a simulated trial: change = effect by visit + 0.3 baseline + AR(1)-like errors.
struct Rows {
  std::vector<double> response, base;
  std::vector<std::int32_t> subject, visit, arm;
  std::vector<std::string> subjects, visits, arms;
};

/// splitmix64 to uniforms, sums of 12 to near normals: numbers only need to be the same everywhere.
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed) {}
  double uniform() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return double((z ^ (z >> 31)) >> 11) * 0x1p-53;
  }
  double normal() {
    double sum = -6;
    for (int k = 0; k < 12; ++k) sum += uniform();
    return sum;
  }

 private:
  std::uint64_t state_;
};

Rows make(Job const& job) {
  Rows rows;
  Chance chance(20261127);
  for (std::size_t j = 0; j < job.visits; ++j) rows.visits.push_back("V" + std::to_string(j + 1));
  for (std::size_t a = 0; a < job.arms; ++a) rows.arms.push_back("A" + std::to_string(a));
  std::vector<std::uint64_t> known;
  for (std::size_t i = 0; i < job.participants; ++i) {
    rows.subjects.push_back("P" + std::to_string(i + 1));
    const double base = chance.normal(), own = chance.normal();
    double error = chance.normal();
    std::uint64_t seen = 0;
    bool there = true;
    for (std::size_t j = 0; j < job.visits; ++j) {
      if (j > 0 && chance.uniform() < job.dropout) there = false;
      if (there && (j == 0 || chance.uniform() >= job.intermittent)) seen |= std::uint64_t(1) << j;
    }
    if (std::find(known.begin(), known.end(), seen) == known.end()) {
      if (known.size() < job.most_patterns) known.push_back(seen);
      else seen = known[std::size_t(chance.uniform() * double(known.size()))];
    }
    for (std::size_t j = 0; j < job.visits; ++j) {
      error = 0.6 * error + 0.8 * chance.normal() * (1 + 0.05 * double(j));
      if (!(seen >> j & 1u)) continue;
      const auto arm = std::int32_t(i % job.arms);
      rows.response.push_back(0.3 * base + 0.2 * double(arm) * double(j + 1) / double(job.visits) + 0.7 * own + error);
      rows.base.push_back(base);
      rows.subject.push_back(std::int32_t(i));
      rows.visit.push_back(std::int32_t(j));
      rows.arm.push_back(arm);
    }
  }
  return rows;
}

Frame frame_of(Rows const& rows) {
  return {.rows = rows.response.size(),
          .columns = {{"y", NumbersView(rows.response)},
                      {"base", NumbersView(rows.base)},
                      {"subject", CategoriesView{rows.subject, rows.subjects}},
                      {"visit", CategoriesView{rows.visit, rows.visits}},
                      {"arm", CategoriesView{rows.arm, rows.arms}}}};
}

struct Made {
  double estimate = 0, se = 0, df = 0, neg2 = 0, fold_us = 0;
  int iterations = 0;
  std::size_t patterns = 0;
};

/// `every`: with all that any function's degrees of freedom need; else with what the one needs.
Made fit(Frame const& frame, Formula const& formula, DfMethod df, bool every) {
  const auto started = std::chrono::steady_clock::now();
  const VisitRoles roles{.response = "y", .subject = "subject", .visit = "visit"};
  const auto data = fold_visits(frame, formula, roles);
  if (!data) std::exit((std::fprintf(stderr, "%s\n", data.error().message.c_str()), 1));
  VisitLikelihood likelihood(*data, true);
  const auto folded = std::chrono::steady_clock::now();
  FitAttempt attempt;
  auto made = fit_structure(*data, likelihood, Covariance({Unstructured{}}, data->m()), Estimation::reml, attempt, nullptr,
                            every ? Finish::curvature : Finish::estimates);
  if (!made) std::exit((std::fprintf(stderr, "%s\n", attempt.reason.c_str()), 1));
  const std::string last_arm = frame.columns[4].categories().levels.back(), last_visit = data->visits.back();
  std::vector<double> l(data->design.names.size(), 0.0);
  for (std::size_t c = 0; c < l.size(); ++c)
    if (data->design.names[c] == Term{{"arm", last_arm}} ||
        data->design.names[c] == Term{{"arm", last_arm}, {"visit", last_visit}})
      l[c] = 1;
  const Inferred answer = every ? MmrmInference(*data, fixed_effects(*data, *made, likelihood, df), df).function(l)
                                : satterthwaite(*data, *made, likelihood, Estimation::reml, l);
  using Us = std::chrono::duration<double, std::micro>;
  return {answer.value,
          answer.se,
          answer.df,
          made->neg2_log_likelihood,
          Us(folded - started).count(),
          made->report.iterations,
          data->patterns.size()};
}

/// Microseconds of a step of the climb when the likelihood is at hand, as in a refit: the smallest of some fits.
double step_us(Frame const& frame, Formula const& formula) {
  const auto data = fold_visits(frame, formula, {.response = "y", .subject = "subject", .visit = "visit"});
  VisitLikelihood likelihood(*data, true);
  const Covariance covariance({Unstructured{}}, data->m());
  double least = 1e300;
  for (int run = 0; run < 30; ++run) {
    const auto started = std::chrono::steady_clock::now();
    FitAttempt attempt;
    const auto made = fit_structure(*data, likelihood, covariance, Estimation::reml, attempt, nullptr, Finish::estimates);
    const std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - started;
    if (made) least = std::min(least, spent.count() / made->report.iterations);
  }
  return least;
}

void write(std::string const& folder) {
  for (Job const& job : jobs()) {
    if (job.name.starts_with("grow")) continue;
    const Rows rows = make(job);
    std::FILE* file = std::fopen((folder + "/" + job.name + ".csv").c_str(), "w");
    if (!file) std::exit((std::perror(folder.c_str()), 1));
    std::fprintf(file, "subject,visit,arm,base,y\n");
    for (std::size_t i = 0; i < rows.response.size(); ++i)
      std::fprintf(file, "%s,%s,%s,%.17g,%.17g\n", rows.subjects[std::size_t(rows.subject[i])].c_str(),
                   rows.visits[std::size_t(rows.visit[i])].c_str(), rows.arms[std::size_t(rows.arm[i])].c_str(), rows.base[i],
                   rows.response[i]);
    std::fclose(file);
  }
}

void run(std::string const& only) {
  const Formula formula = *parse_formula("arm * visit + base");
  for (Job const& job : jobs()) {
    if (!only.empty() && job.name != only) continue;
    const Rows rows = make(job);
    const Frame frame = frame_of(rows);
    const double step = step_us(frame, formula);
    struct Kind {
      char const* name;
      DfMethod df;
      bool every;
    };
    for (const auto& [name, df, every] :
         {Kind{"satterthwaite", DfMethod::satterthwaite, false}, Kind{"satterthwaite_every", DfMethod::satterthwaite, true},
          Kind{"kenward_roger", DfMethod::kenward_roger, true}}) {
      std::vector<double> us;
      Made made;
      double fold = 1e300, total = 0;
      while ((us.size() < 9 || total < 3e5) && us.size() < 400 && total < 5e6) {
        const auto started = std::chrono::steady_clock::now();
        made = fit(frame, formula, df, every);
        us.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - started).count());
        total += us.back();
        fold = std::min(fold, made.fold_us);
      }
      std::sort(us.begin(), us.end());
      std::printf(
          "{\"job\": \"%s\", \"df_method\": \"%s\", \"rows\": %zu, \"patterns\": %zu, \"us\": %.1f, \"median_us\": %.1f, "
          "\"fold_us\": %.1f, \"step_us\": %.1f, \"iterations\": %d, \"estimate\": %.10g, \"se\": %.10g, \"df\": %.10g, "
          "\"neg2\": %.14g}\n",
          job.name.c_str(), name, frame.rows, made.patterns, us.front(), us[us.size() / 2], fold, step, made.iterations,
          made.estimate, made.se, made.df, made.neg2);
      std::fflush(stdout);
    }
  }
}

void once(std::string const& name) {
  for (Job const& job : jobs()) {
    if (job.name != name) continue;
    const Rows rows = make(job);
    const Frame frame = frame_of(rows);
    rusage before{}, after{};
    getrusage(RUSAGE_SELF, &before);
    fit(frame, *parse_formula("arm * visit + base"), DfMethod::satterthwaite, false);
    getrusage(RUSAGE_SELF, &after);
    std::printf("{\"job\": \"%s\", \"data_kib\": %ld, \"peak_kib\": %ld}\n", name.c_str(), before.ru_maxrss, after.ru_maxrss);
  }
}

}  // namespace

int main(int count, char** words) {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // as the product does: memory that was had once is not given back and had anew
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  if (count == 3 && !std::strcmp(words[1], "write")) write(words[2]);
  else if (count == 3 && !std::strcmp(words[1], "once")) once(words[2]);
  else if (count >= 2 && !std::strcmp(words[1], "run")) run(count == 3 ? words[2] : "");
  else return std::fprintf(stderr, "mmrm_bench write FOLDER | run [JOB] | once JOB\n"), 2;
  return 0;
}
