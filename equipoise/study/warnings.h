#pragma once

#include "equipoise/core/expected.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::study {

/// What is allowed and probably not meant: warnings, each with its place. So far:
///
/// A primary analysis that ignores a factor of the randomisation. Balance that the randomisation forced must be accounted for, or
/// the analysis is conservative. A factor is accounted for when `formula`, `strata` or `blocks` of the analysis names it, an item
/// that its rule reads, or a derivation of such an item, at a visit not after randomisation. A method that replays the randomisation
/// accounts for all of them.
/// source   ICH E9 (1998), section 5.7; EMA (2015), Guideline on adjustment for baseline covariates, 4.1; Kahan & Morris (2012),
///          BMJ 345, e5840
Problems warnings(protocol::Protocol const& protocol);

}  // namespace equipoise::study
