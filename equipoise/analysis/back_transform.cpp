#include "equipoise/analysis/back_transform.h"

#include <cmath>

namespace equipoise::analysis {
namespace {

std::optional<double> exponential(std::optional<double> const& value) {
  return value ? std::optional(std::exp(*value)) : std::nullopt;
}

/// The inverse of the root; of a limit below 0, at which no response lies, 0.
double power(double root, bool fourth, bool limit) {
  if (root < 0) return limit ? 0.0 : missing_number;
  const double square = root * root;
  return fourth ? square * square : square;
}

std::optional<double> power_of_limit(std::optional<double> const& value, bool fourth) {
  return value ? std::optional(power(*value, fourth, true)) : std::nullopt;
}

}  // namespace

std::optional<Finding> back_transformed(Finding const& f, protocol::Endpoint const& endpoint, std::string_view method,
                                        bool one_group) {
  if (endpoint.transform.empty() || endpoint.kind == protocol::EndpointKind::binary) return {};
  const bool t_test = method == "t_test" && f.quantity == "estimate";
  const bool difference = f.at.contains("difference") && (f.quantity == "difference" || f.quantity == "estimate");
  const bool lsmean = f.at.contains("lsmean") && (f.quantity == "lsmean" || f.quantity == "estimate");
  if (!t_test && !difference && !lsmean) return {};
  const bool mean = lsmean || (t_test && one_group);
  if (endpoint.transform != "log") {
    if (!mean) return {};  // a difference of roots is no difference of responses, and no ratio
    const bool fourth = endpoint.transform == "fourth_root";
    return Finding{.quantity = "back_transformed_mean",
                   .at = f.at,
                   .value = power(f.value, fourth, false),
                   .lower = power_of_limit(f.lower, fourth),
                   .upper = power_of_limit(f.upper, fourth),
                   .level = f.level,
                   .n = f.n};
  }
  return Finding{.quantity = mean ? "geometric_mean" : "geometric_mean_ratio",
                 .at = f.at,
                 .value = std::exp(f.value),
                 .lower = exponential(f.lower),
                 .upper = exponential(f.upper),
                 .level = f.level,
                 .p = mean ? std::nullopt : f.p,
                 .n = f.n,
                 .scale = Scale::log};
}

}  // namespace equipoise::analysis
