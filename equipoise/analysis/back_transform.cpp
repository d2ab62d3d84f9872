#include "equipoise/analysis/back_transform.h"

#include <cmath>

namespace equipoise::analysis {
namespace {

std::optional<double> exponential(std::optional<double> const& value) {
  return value ? std::optional(std::exp(*value)) : std::nullopt;
}

}  // namespace

std::optional<Finding> back_transformed(Finding const& f, protocol::Endpoint const& endpoint, std::string_view method,
                                        bool one_group) {
  if (endpoint.transform != "log" || endpoint.kind == protocol::EndpointKind::binary) return {};
  const bool t_test = method == "t_test" && f.quantity == "estimate";
  const bool difference = f.at.contains("difference") && (f.quantity == "difference" || f.quantity == "estimate");
  const bool lsmean = f.at.contains("lsmean") && (f.quantity == "lsmean" || f.quantity == "estimate");
  if (!t_test && !difference && !lsmean) return {};
  const bool mean = lsmean || (t_test && one_group);
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
