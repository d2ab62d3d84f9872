#pragma once

#include <map>
#include <optional>
#include <string>

#include "equipoise/conduct/plan.h"
#include "equipoise/conduct/state.h"
#include "equipoise/data/dataset.h"

namespace equipoise::conduct {

/// Who may see what of the data.
struct Viewer {
  std::optional<Role> role{};  ///< absent: everything but arms (for digests)
  std::string site{};          ///< of roles that work at one: its participants alone
  std::map<std::string, std::string, std::less<>> const* arms = nullptr;  ///< of each participant; absent: not known
};

/// The data of the trial as rows: one for each visit that took place and for each entry, by participant and day; somebody of whom
/// nothing is recorded has a row too. Rows and columns do not depend on arms, which stand in their own two columns when the viewer
/// has them.
Expected<data::Dataset> extract(Plans const& plans, State const& state, Viewer const& viewer);

/// As files: the data, and a protocol whose [source] reads them.
struct ExtractFiles {
  std::string csv, protocol;
};
enum class Arms { none, dummy, real };
/// software  name and version, for the provenance
Expected<ExtractFiles> extract_files(Plans const& plans, State const& state, Viewer const& viewer, Arms arms,
                                     std::string const& software);

/// Arms that have nothing to do with the real ones, in the ratio of the protocol: for a dry run of the analysis. A function of
/// trial and participants alone.
std::map<std::string, std::string, std::less<>> dummy_arms(Plans const& plans, State const& state);
/// The real ones, once the trial is unblinded.
std::map<std::string, std::string, std::less<>> revealed_arms(State const& state);

/// SHA-256 of the whole data without arms: what a snapshot and a lock are of.
std::string snapshot_digest(Plans const& plans, State const& state);

}  // namespace equipoise::conduct
