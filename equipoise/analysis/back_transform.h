#pragma once

#include <optional>

#include "equipoise/core/finding.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::analysis {

/// What a finding on the natural logarithm of the response says of the response itself.
///
///     a mean, or an LS mean          geometric_mean         exp(value), exp(limits)
///     a difference of two of them    geometric_mean_ratio   exp(value), exp(limits); P is that of the difference
///
/// There is no standard error on that scale: the limits are symmetric on the logarithm. Nothing for other findings, other scales
/// and methods whose estimate is no mean.
/// source   Bland & Altman (1996), BMJ 312, 1153
/// checked  back_transform_test.cpp
std::optional<Finding> back_transformed(Finding const& finding, protocol::Endpoint const& endpoint, std::string_view method,
                                        bool one_group);

}  // namespace equipoise::analysis
