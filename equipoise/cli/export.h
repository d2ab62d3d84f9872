#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "equipoise/cli/console.h"

namespace equipoise::cli {

/// Which virtual trial is to be written where.
struct ExportAsked {
  std::string protocol;                ///< file
  std::vector<std::string> scenarios;  ///< as named; one, or none when the protocol has only one
  std::int64_t number = 0;
  std::uint64_t seed = 1;
  std::string output;               ///< folder
  bool through_conduct = false;     ///< by the conduct service, act by act, in the new folder `trial` of the output
  std::string vault_key{};          ///< its vault's key file
  std::vector<std::string> beside;  ///< options that were given and speak of many trials
};

/// Writes one virtual trial as trial.csv and protocol.toml, which `analyse` and `report` read as those of a real trial.
void export_trial(ExportAsked const& asked, Console& console);

}  // namespace equipoise::cli
