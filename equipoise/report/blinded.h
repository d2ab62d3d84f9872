#pragma once

#include <span>

#include "equipoise/core/expected.h"
#include "equipoise/report/page.h"

/// The open report of a committee: what may be seen by people who must not know who got what.
namespace equipoise::report {

inline constexpr std::size_t least_blinding_key = 32;  ///< bytes

struct Blinded {
  protocol::Protocol protocol;
  results::Results results;
};

/// What of a trial may be shown by letter, as documents of their own: what is not copied cannot be printed. Copied are the
/// trial's id, version and languages, labels of items, codes and analysis sets, the participant flow and the baseline table.
/// Outcomes, analyses, estimates, P values, formulas, doses, roles of arms, the data file's name and the notes on reading it are
/// not.
///
/// Arms are A, B, ... in the order of HMAC-SHA-256(key, trial id, LF, arm id): the same key gives the same letters in every
/// report of the trial, and without the key nothing in the report or its order tells an arm. With a planned ratio other than
/// 1:1 the size of an arm would tell it, so all arms are shown as one.
///
/// key     at least 32 bytes that whoever reads the report does not have
/// errors  out_of_range: a shorter key. refused: a text that would be shown has the id, the label or the dose of an arm in it
Checked<Blinded> blinded(protocol::Protocol const& protocol, results::Results const& results, std::span<const std::uint8_t> key);

}  // namespace equipoise::report
