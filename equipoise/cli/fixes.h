#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/expected.h"

namespace equipoise::cli {

/// What to write so that a problem of a protocol goes away, as concretely as the problem allows.
struct Fix {
  std::string say;    ///< one sentence: "write 'phase' in place of 'phaze'"
  std::string paste;  ///< TOML to put there: a line corrected, a key, or a whole section; empty when only a person can choose
};

/// A fix for each problem that `check` found in these bytes, in the order of the problems; none is without a sentence. Keys and
/// sections to paste are those of the templates of `equipoise new`, with the names of the problem in them.
std::vector<Fix> fixes(std::string_view bytes, Problems const& problems);

}  // namespace equipoise::cli
