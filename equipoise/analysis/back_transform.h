#pragma once

#include <optional>

#include "equipoise/core/finding.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::analysis {

/// What a finding on the logarithm or a root of the response says of the response itself.
///
///     logarithm: a mean, or an LS mean          geometric_mean         exp(value), exp(limits)
///                a difference of two of them    geometric_mean_ratio   exp(value), exp(limits); P is that of the difference
///     root:      a mean, or an LS mean          back_transformed_mean  value^2 or ^4, limits too; a limit below 0 gives 0, a
///     mean NE
///                a difference of two of them    nothing: it is no difference on the scale of the response
///
/// There is no standard error on that scale: the limits are symmetric on the other. A back-transformed mean is the median of
/// responses that are symmetric on the other scale, not their mean. Nothing for other findings and for methods whose estimate is
/// no mean.
/// source   Bland & Altman (1996), BMJ 312, 1153
/// checked  back_transform_test.cpp
std::optional<Finding> back_transformed(Finding const& finding, protocol::Endpoint const& endpoint, std::string_view method,
                                        bool one_group);

}  // namespace equipoise::analysis
