#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "equipoise/allocation/concealed.h"
#include "equipoise/allocation/rule.h"
#include "equipoise/vault/commitment.h"
#include "equipoise/vault/replay.h"
#include "equipoise/vault/sealed_box.h"

namespace equipoise::vault {

/// A list of arms that somebody else made: for a trial and an environment, so that a list made for a test never serves a live
/// trial.
struct ImportedList {
  std::string trial{}, environment{};
  std::vector<allocation::ListedStream> streams{};
};

/// Reads a list: a line "stream,position,arm", then one line for each place, streams one after the other, positions from 1
/// without a gap. A stream is named as in a receipt; quotes around a name that holds a comma. Every problem is reported.
Checked<ImportedList> parse_list(std::string_view csv, std::string_view file, std::string trial, std::string environment);

/// Whether the list serves this rule: known arms, the streams of the rule each at most once.
Problems check_list(ImportedList const& list, allocation::Rule const& rule);

/// Seals a list for the vault; its length depends on how many places it has, and not on their arms.
Expected<std::string> seal_list(ImportedList const& list, Lock const& lock, Chance& chance);
Expected<ImportedList> open_list(std::string_view bytes, Lock const& lock, std::string const& name);

/// The list as one text, arms as numbers of two hexadecimal digits; and back.
std::string packed(ImportedList const& list);
Expected<ImportedList> unpacked(std::string_view text);

/// The arms of a checked list as numbers of the rule, by stream; and in the order of the rule's streams.
ArmsByStream arms_by_stream(std::vector<allocation::ListedStream> const& streams, allocation::Rule const& rule);
ListedArms in_order(ArmsByStream const& arms, allocation::Rule const& rule);

}  // namespace equipoise::vault
