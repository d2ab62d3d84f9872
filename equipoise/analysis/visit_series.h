#pragma once

#include <span>
#include <string>
#include <vector>

#include "equipoise/core/finding.h"
#include "equipoise/data/dataset.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::analysis {

/// What a long data set shows before any model, for each arm as assigned (at `group`), in the order of its levels:
///     trajectory        participant (from 0, in the order of the data), visit, value: every response that there is
///     missing_pattern   pattern (from 0, the most frequent first), visit, observed (1/0), participants: how many have just these
///     visit_counts      visit, participants (of the arm), n (with a response), events (of yes or no)
/// `visit` is the place of the visit among the endpoint's visits, from 0; a constrained baseline is none of them. Responses are
/// on the scale of the analysis, strategies carried out.
std::vector<Series> visit_series(data::Dataset const& dataset, protocol::Endpoint const& endpoint);

/// A sentence on responses that a run could not use because a covariate is missing; "" when it used them all.
/// rows   of the data set, that the run used
std::string responses_left_out(data::Dataset const& dataset, std::span<const std::size_t> rows);

}  // namespace equipoise::analysis
