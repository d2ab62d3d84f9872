#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "equipoise/data/recipe.h"
#include "equipoise/data/trial_data.h"

namespace equipoise::data {

using ItemAtVisit = std::pair<std::string, std::string>;

/// The items at visits that an analysis reads as numbers or categories: of its endpoint, then of its covariates, derivations
/// opened.
std::vector<ItemAtVisit> read_by(protocol::Protocol const& protocol, Recipe const& recipe);

/// What the protocol's rules of data handling did to values of these participants, in sentences for a footnote: which of several
/// values counts, which is baseline, and how many were touched.
std::vector<std::string> handling_notes(TrialTables const& tables, std::span<const ItemAtVisit> read,
                                        std::span<const std::size_t> participants);

/// The same for values beyond a limit that count as a number.
std::vector<std::string> limit_notes(TrialTables const& tables, std::span<const ItemAtVisit> read,
                                     std::span<const std::size_t> participants);

}  // namespace equipoise::data
