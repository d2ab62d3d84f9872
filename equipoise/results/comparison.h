#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "equipoise/results/rehearsal.h"

/// Two plans rehearsed on common random numbers. All of it is simulated.
namespace equipoise::results {

/// A yes or no of both plans.
struct PairedShare {
  std::string kind;            ///< "statement" or "claim"
  std::string id, arm, label;  ///< of a statement the analysis and its arm
  Share first, second;
  Measured difference;  ///< first less second, of paired replicates
};

/// A number of both plans.
struct PairedMean {
  std::string id;  ///< "trial_days", ...
  Measured first, second, difference;
};

struct ScenarioComparison {
  std::string id;
  std::int64_t replicates = 0;
  std::vector<PairedShare> shares;
  std::vector<PairedMean> means;
};

struct Comparison {
  struct Plan {
    std::string file, trial, protocol_digest;
  };
  std::string version;
  std::uint64_t seed = 0;
  Plan first, second;
  std::vector<ScenarioComparison> scenarios;
  std::vector<std::string> only_first, only_second;  ///< scenarios, analyses and claims that the other lacks
};

/// comparison.json: one object, labelled as simulated.
std::string to_json(Comparison const& comparison);

}  // namespace equipoise::results
