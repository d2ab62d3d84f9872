#pragma once

#include <string>
#include <vector>

#include "equipoise/allocation/concealed.h"

/// What an independent program replays: methods, and a case of each as JSON.
namespace equipoise::replayed {

/// A method as the section [randomisation] writes it, and as JSON for the other program.
struct Method {
  bool whole = false;  ///< all requests: one case of each method; of the others a fifth
  std::string name, keyword, toml, json;
  int planned = 40;
  bool factors = false;
  std::vector<int> ratio{1, 1, 1};
  std::string arm_caps{};  ///< TOML and, with ':' for '=', JSON
  bool level_caps = false;
};

/// All methods of the product, each with what makes it hard.
std::vector<Method> const& methods();
/// The protocol of a trial with this method.
std::string protocol_text(Method const& method);
/// Levels of the factors of the i-th request of a case.
std::vector<std::int32_t> levels_of(Method const& method, std::uint8_t number, int i);

/// What came of the requests.
struct Outcome {
  std::vector<std::vector<std::int32_t>> levels{};
  std::vector<bool> refused{};
  std::vector<allocation::Receipt> receipts{};  ///< of some
  allocation::Commitment commitment{};
  allocation::Reveal reveal{};
};
/// The case as replay_allocation.py reads it.
std::string case_text(Method const& method, Outcome const& outcome);

}  // namespace equipoise::replayed
