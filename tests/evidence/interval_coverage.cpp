// How often an interval holds a true value that is known without a simulation: of methods that give limits and no P value, of which
// `equipoise simulate` makes no statement, and of ratios, whose true value it does not know.
//
// interval_coverage PROTOCOL QUESTIONS REPLICATES SEED THREADS [ANALYSIS...]
//
// QUESTIONS: JSON Lines, of which those of this protocol (its file's stem) are asked (of the named analyses, if any are named):
//   {"protocol": "binary", "analysis": "wilson", "arm": "low", "quantity": "estimate", "at": {"time": 336}, "truth": {"null": 0.3}}
// `at` may have group, time, prob, and term (the level of the arm). The virtual trials are those of `equipoise simulate`: same seed,
// same numbers. To standard output, as JSON: of each question and scenario the replicates, in how many there was an interval, and
// in how many of these it held the truth. A limit that does not exist on its side (a median's upper limit that is not reached)
// leaves the interval open there.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>
#include <vector>

#include "equipoise/core/json.h"
#include "equipoise/core/text.h"
#include "equipoise/simulate/plan_data.h"
#include "equipoise/simulate/scenario.h"
#include "equipoise/simulate/world.h"
#include "equipoise/study/study.h"

using namespace equipoise;

namespace {

struct Question {
  std::string analysis, arm, quantity;
  At at;
  std::map<std::string, double> truth;  // by scenario
  std::size_t planned = 0, run = 0;
  std::size_t line = 0;
};

struct Counts {
  std::int64_t intervals = 0, covered = 0;
};

[[noreturn]] void stop(std::string const& why) {
  std::fputs(fmt::format("interval_coverage: {}\n", why).c_str(), stderr);
  std::exit(3);
}

std::string contents(std::string const& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) stop(fmt::format("cannot read {}", path));
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

std::string text_of(Node const& node, std::string_view key) {
  Node const* found = node.find(key);
  return found && found->text() ? *found->text() : "";
}

At at_of(Node const& node, Place const& place) {
  At at;
  if (!node.table()) return at;
  for (Node::Member const& member : *node.table()) {
    if (member.key == "group" && member.value.text()) at.emplace("group", *member.value.text());
    else if (member.key == "term" && member.value.text()) at.emplace("term", Term{Factor{"arm", *member.value.text()}});
    else if ((member.key == "time" || member.key == "prob") && member.value.number()) at.emplace(member.key, *member.value.number());
    else stop(fmt::format("{}:{}: 'at' has group, time, prob and term, not '{}'", place.file, place.line, member.key));
  }
  return at;
}

/// The run of an analysis that speaks of the arm: the arm's own, or the only one.
std::size_t run_of(analysis::PlannedAnalysis const& planned, std::string const& arm) {
  for (std::size_t r = 0; r < planned.runs.size(); ++r)
    for (const std::string_view key : {"group", "level"})
      if (const auto found = planned.runs[r].at.find(key); found != planned.runs[r].at.end() && found->second == AtValue(arm))
        return r;
  return 0;
}

std::vector<Question> questions(std::string const& path, std::string const& stem, study::Study const& study,
                                std::vector<std::string> const& wanted) {
  std::vector<Question> all;
  std::istringstream lines(contents(path));
  std::string text;
  for (std::size_t line = 1; std::getline(lines, text); ++line) {
    if (text.empty()) continue;
    const Place place{.file = path, .line = int(line)};
    const auto node = read_json(text, place);
    if (!node) stop(to_string(node.error()));
    if (text_of(*node, "protocol") != stem) continue;
    if (!wanted.empty() && std::ranges::find(wanted, text_of(*node, "analysis")) == wanted.end()) continue;
    Question one{.analysis = text_of(*node, "analysis"),
                 .arm = text_of(*node, "arm"),
                 .quantity = text_of(*node, "quantity"),
                 .at = {},
                 .truth = {},
                 .line = line};
    if (Node const* at = node->find("at")) one.at = at_of(*at, place);
    Node const* truth = node->find("truth");
    if (!truth || !truth->table()) stop(fmt::format("{}:{}: the question has no truth", path, line));
    for (Node::Member const& member : *truth->table()) one.truth[member.key] = member.value.number().value_or(missing_number);
    const auto planned = std::ranges::find(study.plan.analyses, one.analysis, &analysis::PlannedAnalysis::id);
    if (planned == study.plan.analyses.end()) stop(fmt::format("{}:{}: there is no analysis '{}'", path, line, one.analysis));
    one.planned = std::size_t(planned - study.plan.analyses.begin());
    one.run = run_of(*planned, one.arm);
    all.push_back(std::move(one));
  }
  return all;
}

/// One virtual trial after the other, and what the intervals of its analyses hold.
void count(study::Study const& study, simulate::World const& world, std::vector<Question> const& questions, std::uint64_t seed,
           std::uint64_t number, simulate::Workspace& workspace, simulate::VirtualTrial& trial, simulate::PlanData& data,
           analysis::Workspace& memory, std::vector<Counts>& counts) {
  world.replicate(seed, number, workspace, trial);
  data.take(trial);
  std::map<std::pair<std::size_t, std::size_t>, Expected<analysis::Outcome>> answers;
  for (std::size_t q = 0; q < questions.size(); ++q) {
    Question const& one = questions[q];
    const auto truth = one.truth.find(world.scenario().id);
    if (truth == one.truth.end()) continue;
    const std::pair key(one.planned, one.run);
    auto found = answers.find(key);
    if (found == answers.end()) {
      const auto view = data.view(one.planned);
      Expected<analysis::Outcome> outcome = fail(Code::no_data, "no data");
      if (view) outcome = study.plan.analyses[one.planned].runs[one.run].compiled.run(*view, memory);
      found = answers.emplace(key, std::move(outcome)).first;
    }
    if (!found->second) continue;
    for (Finding const& finding : found->second->answer.findings) {
      if (finding.quantity != one.quantity || finding.at != one.at || !finding.lower || !finding.upper) continue;
      const double lower = *finding.lower, upper = *finding.upper;
      if (std::isnan(lower) && std::isnan(upper)) break;
      ++counts[q].intervals;
      counts[q].covered += !(truth->second < lower) && !(truth->second > upper);
      break;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fputs("usage: interval_coverage PROTOCOL QUESTIONS REPLICATES SEED THREADS [ANALYSIS...]\n", stderr);
    return 2;
  }
  const std::string path = argv[1];
  const auto replicates = std::stoull(argv[3]), seed = std::stoull(argv[4]), threads = std::stoull(argv[5]);
  const auto study = study::load(contents(path), path);
  if (!study) stop(to_string(study.error().front()));
  std::string stem = path.substr(path.find_last_of('/') + 1);
  stem = stem.substr(0, stem.find('.'));
  const std::vector<Question> all = questions(argv[2], stem, *study, {argv + 6, argv + argc});
  std::string out = "[";
  for (std::string const& scenario : simulate::scenario_ids(study->protocol)) {
    const auto world = simulate::World::build(study->protocol, scenario);
    if (!world) stop(to_string(world.error().front()));
    std::vector<std::vector<Counts>> counts(threads, std::vector<Counts>(all.size()));
    std::atomic<std::uint64_t> next{0};
    const auto work = [&](std::size_t thread) {
      simulate::Workspace workspace;
      simulate::VirtualTrial trial;
      simulate::PlanData data(*study, world->layout());
      analysis::Workspace memory;
      for (std::uint64_t number = next++; number < replicates; number = next++)
        count(*study, *world, all, seed, number, workspace, trial, data, memory, counts[thread]);
    };
    {
      std::vector<std::jthread> others;
      for (std::size_t t = 1; t < threads; ++t) others.emplace_back(work, t);
      work(0);
    }
    for (std::size_t q = 0; q < all.size(); ++q) {
      const auto truth = all[q].truth.find(scenario);
      if (truth == all[q].truth.end()) continue;
      Counts sum;
      for (auto const& one : counts) sum.intervals += one[q].intervals, sum.covered += one[q].covered;
      out += fmt::format("{}\n  {{\"line\": {}, \"scenario\": \"{}\", \"replicates\": {}, \"intervals\": {}, \"covered\": {}}}",
                         out.size() > 1 ? "," : "", all[q].line, scenario, replicates, sum.intervals, sum.covered);
    }
  }
  std::fputs((out + "\n]\n").c_str(), stdout);
  return 0;
}
