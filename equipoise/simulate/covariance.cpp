#include "equipoise/simulate/covariance.h"

#include <array>
#include <cmath>

namespace equipoise::simulate {

Factored factor(std::vector<double> const& correlation, std::size_t k) {
  Triangle l(k * (k + 1) / 2, 0.0);
  for (std::size_t i = 0; i < k; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      double rest = correlation[i * k + j];
      for (std::size_t m = 0; m < j; ++m) rest -= l[i * (i + 1) / 2 + m] * l[j * (j + 1) / 2 + m];
      if (i == j) {
        if (!(rest > 1e-12)) return {std::move(l), i};
        l[i * (i + 1) / 2 + j] = std::sqrt(rest);
      } else {
        l[i * (i + 1) / 2 + j] = rest / l[j * (j + 1) / 2 + j];
      }
    }
  return {std::move(l), {}};
}

std::optional<std::vector<double>> read_correlation(Section& section, std::string_view key, std::vector<std::string> const& names) {
  const std::size_t k = names.size();
  const Node* value = section.node().find(key);
  std::vector<double> matrix(k * k, 0.0);
  for (std::size_t i = 0; i < k; ++i) matrix[i * k + i] = 1;
  if (!value) {
    section.allow(key);
    return matrix;
  }
  if (!value->array()) {
    const auto all = section.number(key, {.min = -1, .max = 1, .min_excluded = true, .max_excluded = true});
    if (!all) return {};
    for (std::size_t i = 0; i < k; ++i)
      for (std::size_t j = 0; j < k; ++j)
        if (i != j) matrix[i * k + j] = *all;
    return matrix;
  }
  section.allow(key);
  const auto refuse = [&](std::string const& why) {
    add_problem(section.problems(), value->place(), Code::size_mismatch,
                "'{}' in {} must be a number, or {} rows of {} numbers for {}: {}", key, section.name(), k, k, join(names, ", "), why);
    return std::nullopt;
  };
  if (value->array()->size() != k) return refuse(fmt::format("it has {} rows", value->array()->size()));
  for (std::size_t i = 0; i < k; ++i) {
    Node const& row = (*value->array())[i];
    if (!row.array() || row.array()->size() != k) return refuse(fmt::format("row {} is not {} numbers", i + 1, k));
    for (std::size_t j = 0; j < k; ++j) {
      const auto entry = (*row.array())[j].number();
      if (!entry || !(std::abs(*entry) <= 1)) return refuse(fmt::format("row {} has something else than a number from -1 to 1", i + 1));
      matrix[i * k + j] = *entry;
    }
  }
  for (std::size_t i = 0; i < k; ++i) {
    if (matrix[i * k + i] != 1) return refuse(fmt::format("'{}' has correlation {} with itself", names[i], matrix[i * k + i]));
    for (std::size_t j = 0; j < i; ++j)
      if (matrix[i * k + j] != matrix[j * k + i])
        return refuse(fmt::format("'{}' with '{}' is {} in one row and {} in the other", names[i], names[j], matrix[i * k + j], matrix[j * k + i]));
  }
  return matrix;
}

NoiseCovariance NoiseCovariance::parse(Section& text, std::vector<std::string> const& visits) {
  constexpr std::array<std::pair<std::string_view, Family>, 6> families{{{"independent", Family::independent},
                                                                         {"compound_symmetry", Family::compound_symmetry},
                                                                         {"ar1", Family::ar1},
                                                                         {"exponential", Family::exponential},
                                                                         {"toeplitz", Family::toeplitz},
                                                                         {"unstructured", Family::unstructured}}};
  NoiseCovariance covariance;
  text.need("family");
  const auto family = text.word<Family>("family", families);
  if (!family) return covariance;
  covariance.family = *family;
  constexpr Limits inside{.min = -1, .max = 1, .min_excluded = true, .max_excluded = true};
  switch (*family) {
    case Family::independent:
      break;
    case Family::exponential:
      covariance.range_weeks = text.need_number("weeks", Limits::above(0)).value_or(1);
      covariance.correlation = text.need_number("correlation", {.min = 0, .max = 1, .min_excluded = true, .max_excluded = true}).value_or(0.5);
      break;
    case Family::compound_symmetry:
    case Family::ar1:
      covariance.correlation = text.need_number("correlation", inside).value_or(0);
      break;
    case Family::toeplitz:
      text.need("correlations");
      if (auto by_lag = text.numbers("correlations", inside)) {
        if (by_lag->size() + 1 != visits.size())
          text.report_at("correlations", Code::size_mismatch, "'correlations' in {} has {} numbers, and {} visits have {} lags", text.name(),
                         by_lag->size(), visits.size(), visits.size() - 1);
        else covariance.parameters = std::move(*by_lag);
      }
      break;
    case Family::unstructured:
      text.need("correlations");
      if (auto matrix = read_correlation(text, "correlations", visits)) covariance.parameters = std::move(*matrix);
      break;
  }
  text.finish();
  if ((*family == Family::toeplitz || *family == Family::unstructured) && covariance.parameters.empty()) covariance.family = Family::independent;
  return covariance;
}

std::vector<double> NoiseCovariance::matrix(std::vector<double> const& days) const {
  const std::size_t k = days.size();
  if (family == Family::unstructured) return parameters;
  std::vector<double> out(k * k, 0.0);
  for (std::size_t i = 0; i < k; ++i)
    for (std::size_t j = 0; j < k; ++j) {
      const std::size_t lag = i > j ? i - j : j - i;
      double& r = out[i * k + j];
      if (lag == 0) r = 1;
      else if (family == Family::compound_symmetry) r = correlation;
      else if (family == Family::ar1) r = std::pow(correlation, double(lag));
      else if (family == Family::exponential) r = std::pow(correlation, std::abs(days[i] - days[j]) / (7 * range_weeks));
      else if (family == Family::toeplitz) r = parameters[lag - 1];
    }
  return out;
}

}  // namespace equipoise::simulate
