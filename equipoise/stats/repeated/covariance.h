#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// Structures for the covariance of one participant's visits, Sigma(theta), m x m.
///
/// Every structure but the unstructured one is a product of standard deviations and powers of a few correlations,
///
///     Sigma_jk = s_j s_k prod_{l = first..last} rho_l^e        for j > k,
///
/// so a structure says only which correlations two visits share; values, first and second derivatives follow from one place.
///
/// Packed: element (j, k), j >= k, of a symmetric matrix stands at j (j + 1)/2 + k.
///
/// source   parameters as in Kenward-Roger of the R package mmrm 0.3.18: log standard deviations, then rho/sqrt(1 - rho^2)
/// checked  covariance_test.cpp: the contract of every family
namespace equipoise::stats {

constexpr std::size_t packed(std::size_t j, std::size_t k) { return j >= k ? j * (j + 1) / 2 + k : k * (k + 1) / 2 + j; }
constexpr std::size_t packed_size(std::size_t m) { return m * (m + 1) / 2; }

/// The correlation of two visits: rho_first^e ... rho_last^e.
struct Powers {
  std::size_t first, last;
  double exponent;
};

/// Where a correlation may lie: (low, 1).
enum class CorrelationRange {
  both_signs,      ///< (-1, 1), theta = rho/sqrt(1 - rho^2)
  positive,        ///< (0, 1), theta = logit rho
  above_symmetric  ///< (-1/(m - 1), 1), theta = logit of the position in it
};

/// One correlation for any two visits.
struct CompoundSymmetry {
  static constexpr std::string_view keyword = "compound_symmetry", title = "compound symmetry";
  static constexpr CorrelationRange range = CorrelationRange::above_symmetric;
  static std::size_t correlations(std::size_t) { return 1; }
  static Powers between(std::size_t, std::size_t, std::span<const double>) { return {0, 0, 1}; }
};

/// First-order autoregression: rho to the number of visits between.
struct Ar1 {
  static constexpr std::string_view keyword = "ar1", title = "AR(1)";
  static constexpr CorrelationRange range = CorrelationRange::both_signs;
  static std::size_t correlations(std::size_t) { return 1; }
  static Powers between(std::size_t j, std::size_t k, std::span<const double>) { return {0, 0, double(j - k)}; }
};

/// A correlation for each number of visits between.
struct Toeplitz {
  static constexpr std::string_view keyword = "toeplitz", title = "Toeplitz";
  static constexpr CorrelationRange range = CorrelationRange::both_signs;
  static std::size_t correlations(std::size_t m) { return m - 1; }
  static Powers between(std::size_t j, std::size_t k, std::span<const double>) { return {j - k - 1, j - k - 1, 1}; }
};

/// First-order ante-dependence: a correlation for each step, multiplied along the way.
struct AnteDependence {
  static constexpr std::string_view keyword = "ante_dependence", title = "ante-dependence";
  static constexpr CorrelationRange range = CorrelationRange::both_signs;
  static std::size_t correlations(std::size_t m) { return m - 1; }
  static Powers between(std::size_t j, std::size_t k, std::span<const double>) { return {k, j - 1, 1}; }
};

/// rho to the distance between two visits on a time axis.
struct SpatialExponential {
  static constexpr std::string_view keyword = "spatial_exponential", title = "spatial exponential";
  static constexpr CorrelationRange range = CorrelationRange::positive;
  static std::size_t correlations(std::size_t) { return 1; }
  static Powers between(std::size_t j, std::size_t k, std::span<const double> times) {
    return {0, 0, times[j] > times[k] ? times[j] - times[k] : times[k] - times[j]};
  }
};

/// Any variances, any correlations: Sigma = D L L' D, theta = log of the diagonal D, then the unit lower triangle L by rows.
struct Unstructured {
  static constexpr std::string_view keyword = "unstructured", title = "unstructured";
};

using CovarianceFamily = std::variant<Unstructured, CompoundSymmetry, Ar1, Toeplitz, AnteDependence, SpatialExponential>;

/// A family, with one variance or one for each visit.
struct CovarianceStructure {
  CovarianceFamily family;
  bool heterogeneous = false;

  std::string keyword() const;  ///< "heterogeneous_ar1"
  std::string title() const;    ///< "heterogeneous AR(1)"
};

/// The structures of this build, in order of falling generality.
std::vector<CovarianceStructure> const& covariance_structures();
std::optional<CovarianceStructure> covariance_structure(std::string_view keyword);

/// Sigma(theta) of m visits with its derivatives. Immutable; `times` are those of the visits, for a spatial structure.
class Covariance {
 public:
  Covariance(CovarianceStructure structure, std::size_t visits, std::vector<double> times = {});

  CovarianceStructure const& structure() const { return structure_; }
  std::size_t visits() const { return visits_; }
  std::size_t size() const { return size_; }  ///< parameters K
  bool unstructured() const { return std::holds_alternative<Unstructured>(structure_.family); }

  /// Sigma, packed.
  void sigma(std::span<const double> theta, std::span<double> out) const;
  /// d Sigma / d theta: K columns, each packed.
  void jacobian(std::span<const double> theta, std::span<double> out) const;
  /// sum_s g_s d2 Sigma_s / d theta_k d theta_l over the packed elements s: K x K, added to `out`.
  void curvature(std::span<const double> theta, std::span<const double> g, std::span<double> out) const;
  /// sum_kl a_kl d2 Sigma_s / d theta_k d theta_l for each packed element s.
  void contract(std::span<const double> theta, std::span<const double> a, std::span<double> out) const;

  /// theta of a positive definite matrix of this structure near a given one.
  std::vector<double> near(std::span<const double> sigma) const;

 private:
  struct Link {
    double value, first, second;  ///< rho and its derivatives in theta
  };
  Link link(double theta) const;
  double unlink(double rho) const;
  std::size_t deviation(std::size_t visit) const { return structure_.heterogeneous ? visit : 0; }
  template <class Visitor>
  void second_derivatives(std::span<const double> theta, Visitor&& visit) const;
  template <class Visitor>
  void unstructured_second(std::span<const double> theta, Visitor&& visit) const;
  std::vector<Link> links(std::span<const double> theta) const;

  CovarianceStructure structure_;
  std::size_t visits_, deviations_ = 0, size_ = 0;
  std::vector<double> times_;
  std::vector<Powers> powers_;  ///< of each packed element off the diagonal
  CorrelationRange range_ = CorrelationRange::both_signs;
};

/// Whether a packed symmetric matrix is positive definite; the smallest pivot of its correlations relative to 1 if so, else 0.
double smallest_pivot(std::span<const double> sigma, std::size_t m);

}  // namespace equipoise::stats
