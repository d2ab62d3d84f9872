#include "equipoise/stats/repeated/fixed_effects.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <tuple>

#include "equipoise/core/error.h"
#include "equipoise/core/text.h"
#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/semidefinite.h"
#include "equipoise/numerics/sum.h"

namespace equipoise::stats {
namespace {

using Eigen::Index;
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr double no_variance = 1e-13;      ///< pivot beside its diagonal of a covariance parameter that earlier ones determine
constexpr double not_a_covariance = 1e-8;  ///< a pivot this far below 0 is no rounding
constexpr double dependent = 1e-10;        ///< what earlier functions leave of a function's variance, or it depends on them
constexpr double untouched = 1e-12;        ///< of a function's largest coefficient: rounding where it does not touch one
constexpr double equal_df = 1e-8;          ///< as in lmerTest: degrees of freedom that are called the same

double value_of(std::span<const double> l, std::span<const double> b) {
  numerics::Sum total;
  for (std::size_t j = 0; j < l.size(); ++j) total.add(l[j] * b[j]);
  return total.value();
}

/// Eigenvalues and eigenvectors (rows of `vectors`) of a symmetric positive semidefinite matrix, m x m, by Jacobi rotations:
/// small eigenvalues keep their digits however different the functions' units are (Demmel & Veselic 1992).
void jacobi(std::vector<double>& a, std::vector<double>& vectors, std::size_t m) {
  vectors.assign(m * m, 0.0);
  for (std::size_t i = 0; i < m; ++i) vectors[i * m + i] = 1;
  constexpr int most_sweeps = 60;  // it takes about 6
  for (int sweep = 0; sweep < most_sweeps; ++sweep) {
    bool rotated = false;
    for (std::size_t i = 0; i < m; ++i)
      for (std::size_t j = i + 1; j < m; ++j) {
        const double off = a[i * m + j], ii = a[i * m + i], jj = a[j * m + j];
        if (!(std::abs(off) > 1e-16 * std::sqrt(std::fmax(ii, 0.0) * std::fmax(jj, 0.0))) || off == 0) continue;
        rotated = true;
        const double theta = (jj - ii) / (2 * off);
        const double t = std::copysign(1.0, theta) / (std::abs(theta) + std::hypot(theta, 1.0)), c = 1 / std::hypot(t, 1.0),
                     s = t * c;
        for (std::size_t k = 0; k < m; ++k) {
          const double x = a[k * m + i], y = a[k * m + j];
          a[k * m + i] = c * x - s * y;
          a[k * m + j] = s * x + c * y;
        }
        for (std::size_t k = 0; k < m; ++k) {
          const double x = a[i * m + k], y = a[j * m + k];
          a[i * m + k] = c * x - s * y;
          a[j * m + k] = s * x + c * y;
        }
        a[i * m + j] = a[j * m + i] = 0;
        for (std::size_t k = 0; k < m; ++k) {
          const double x = vectors[i * m + k], y = vectors[j * m + k];
          vectors[i * m + k] = c * x - s * y;
          vectors[j * m + k] = s * x + c * y;
        }
      }
    if (!rotated) return;
  }
}

/// Denominator df of a mean of squared independent t variables. source: Fai & Cornelius (1996); lmerTest's rules at the edges.
double df_of_squares(std::span<const double> df) {
  bool same = true, have_mean = true;
  double sum = 0, excess = 0;
  for (const double one : df) {
    if (!(one > 0)) return missing_number;
    same = same && (one == df.front() || std::abs(one - df.front()) < equal_df);
    have_mean = have_mean && one > 2;
    sum += one;
    excess += 2 / (one - 2);  // nu/(nu - 2) - 1; 0 of an infinite one
  }
  if (same) return sum / double(df.size());
  if (!have_mean) return 2;
  return excess > 0 ? 2 * (double(df.size()) + excess) / excess : infinite;
}

}  // namespace

std::string describe(DfMethod method, EstimateCovariance covariance) {
  if (method == DfMethod::kenward_roger) return "Degrees of freedom and standard errors by Kenward and Roger (1997).";
  if (method == DfMethod::kenward_roger_linear)
    return "Degrees of freedom and standard errors by Kenward and Roger (1997), without second derivatives of the covariance.";
  const auto df = [&]() -> std::string_view {
    switch (method) {
      case DfMethod::satterthwaite:
        return covariance == EstimateCovariance::model
                   ? "Degrees of freedom by Satterthwaite's approximation"
                   : "Degrees of freedom of the sandwich by Satterthwaite's approximation (Bell and McCaffrey 2002)";
      case DfMethod::between_within:
        return "Degrees of freedom between and within participants";
      case DfMethod::residual:
        return "Residual degrees of freedom: observations less coefficients";
      default:
        return "Normal distribution: infinite degrees of freedom";
    }
  };
  const auto errors = [&]() -> std::string_view {
    switch (covariance) {
      case EstimateCovariance::cr0:
        return "from the sandwich of participants' residuals without correction (CR0, Liang and Zeger 1986)";
      case EstimateCovariance::cr2:
        return "from the sandwich of participants' residuals with bias-reduced linearisation (CR2, Bell and McCaffrey 2002)";
      case EstimateCovariance::cr3:
        return "from the sandwich of participants' residuals, corrected as the jackknife (CR3, Mancl and DeRouen 2001)";
      default:
        return "from the model";
    }
  };
  return fmt::format("{}; standard errors {}.", df(), errors());
}

void refuse_adjusted_sandwich(DfMethod method, EstimateCovariance covariance, Section& options) {
  if (covariance == EstimateCovariance::model || !adjusts_covariance(method)) return;
  options
      .report_at("covariance_of_estimates", Code::inconsistent,
                 "Kenward and Roger's method adjusts the standard errors of the model, and a sandwich does not use these: its own "
                 "small-sample corrections are cr2 and cr3")
      .hint = "df = \"satterthwaite\" goes with a sandwich";
}

double ContrastEstimate::p() const { return numerics::student_t_two_sided(t(), df); }

double ContrastEstimate::half_width(double level) const { return numerics::student_t_interval(level, df) * se; }

double JointTest::p() const { return numerics::f_upper(f, numerator_df, denominator_df); }

double smallest_df(std::span<const double> coefficient_df, std::span<const double> l) {
  expects(coefficient_df.size() == l.size(), "a function has a coefficient for each degree of freedom");
  double smallest = infinite, size = 0;
  bool touched = false;
  for (const double value : l) size = std::fmax(size, std::abs(value));
  for (std::size_t j = 0; j < l.size(); ++j) {
    if (!(std::abs(l[j]) > untouched * size)) continue;
    touched = true;
    if (!(coefficient_df[j] > 0)) return missing_number;
    smallest = std::min(smallest, coefficient_df[j]);
  }
  return touched ? smallest : missing_number;
}

std::vector<double> between_within_df(Design const& design, std::span<const std::uint8_t> used,
                                      std::span<const std::int32_t> subject) {
  const std::size_t n = design.rows, p = design.names.size();
  expects(used.size() == p && subject.size() == n, "used and subject are those of the design");
  std::vector<std::size_t> first;  // row of each participant
  for (std::size_t i = 0; i < n; ++i) {
    const auto s = std::size_t(subject[i]);
    if (s >= first.size()) first.resize(s + 1, n);
    first[s] = std::min(first[s], i);
  }
  const auto subjects = double(first.size()) - double(std::count(first.begin(), first.end(), n));
  std::vector<std::uint8_t> constant(p, 1);
  double between = 0, within = 0;
  for (std::size_t j = 0; j < p; ++j) {
    if (!used[j]) continue;
    const std::span<const double> x = design.column(j);
    for (std::size_t i = 0; i < n && constant[j]; ++i) constant[j] = x[i] == x[first[std::size_t(subject[i])]];
    (constant[j] ? between : within) += 1;
  }
  const auto positive = [](double df) { return df > 0 ? df : missing_number; };
  std::vector<double> df(p, missing_number);
  for (std::size_t j = 0; j < p; ++j)
    if (used[j]) df[j] = positive(constant[j] && !design.names[j].empty() ? subjects - between : double(n) - subjects - within);
  return df;
}

FixedEffectsInference::FixedEffectsInference(FixedEffects effects, DfMethod method)
    : effects_(std::move(effects)), method_(method), covariance_(effects_.phi), image_(effects_.p), pairs_(effects_.p * (effects_.p + 1) / 2), along_(effects_.k), change_(effects_.k) {
  const std::size_t p = effects_.p, k = effects_.k;
  expects(effects_.b.size() == p && effects_.phi.size() == p * p, "the coefficients and their covariance have one size");
  if (robust()) {
    expects(effects_.sandwich.size() == p && !adjusts_covariance(method_), "the sandwich is of the coefficients, unadjusted");
    covariance_ = effects_.sandwich.covariance();
  } else if (needs_slopes(method_)) {
    expects(effects_.theta_covariance.size() == k * k && effects_.slopes.size() == k * pairs_.size(),
            "as many slopes as covariance parameters, each of the size of the coefficients");
    take_root();
  } else if (method_ != DfMethod::asymptotic && !effects_.coefficient_df.empty()) {
    expects(effects_.coefficient_df.size() == p, "each coefficient has its degrees of freedom");
  }
  if (adjusts_covariance(method_)) adjust();
}

void FixedEffectsInference::take_root() {
  const std::size_t k = effects_.k;
  root_.assign(k * k, 0.0);
  std::vector<double>& c = root_;
  for (std::size_t j = 0; j < k; ++j) {
    const double diagonal = effects_.theta_covariance[j * k + j];
    double pivot = diagonal;
    for (std::size_t s = 0; s < j; ++s) pivot -= c[j * k + s] * c[j * k + s];
    if (!(pivot > no_variance * diagonal)) {
      if (!(pivot >= -not_a_covariance * diagonal)) theta_known_ = false;
      continue;
    }
    c[j * k + j] = std::sqrt(pivot);
    for (std::size_t i = j + 1; i < k; ++i) {
      double entry = effects_.theta_covariance[i * k + j];
      for (std::size_t s = 0; s < j; ++s) entry -= c[i * k + s] * c[j * k + s];
      c[i * k + j] = entry / c[j * k + j];
    }
  }
}

void FixedEffectsInference::adjust() {
  const std::size_t p = effects_.p, k = effects_.k;
  expects(effects_.q.size() == p * p, "Kenward and Roger need the matrix Q");
  expects(method_ == DfMethod::kenward_roger_linear || effects_.r.size() == p * p, "Kenward and Roger need the matrix R");
  if (!theta_known_) {
    std::fill(covariance_.begin(), covariance_.end(), missing_number);
    return;
  }
  const Index size = Index(p);
  const Matrix phi = Eigen::Map<const Matrix>(effects_.phi.data(), size, size);
  Matrix middle = Eigen::Map<const Matrix>(effects_.q.data(), size, size);
  if (method_ == DfMethod::kenward_roger) middle -= 0.25 * Eigen::Map<const Matrix>(effects_.r.data(), size, size);
  // sum_c N_c Phi N_c = sum_c (N_c M)(N_c M)' with Phi = M M'. Row (a, c) of `stack` is row a of N_c, so that its product with M,
  // read with one row for each a, holds every N_c M side by side.
  const Eigen::LLT<Matrix> root(phi);
  if (root.info() != Eigen::Success) {
    std::fill(covariance_.begin(), covariance_.end(), missing_number);
    return;
  }
  using Columns = Eigen::MatrixXd;
  const Columns whitened = Eigen::Map<const Matrix>(root_.data(), Index(k), Index(k)).transpose() *
                           Eigen::Map<const Matrix>(effects_.slopes.data(), Index(k), Index(pairs_.size()));
  Matrix stack(Index(p * k), size);
  for (std::size_t a = 0; a < p; ++a)
    for (std::size_t b = 0; b <= a; ++b) {
      double const* from = whitened.data() + (a * (a + 1) / 2 + b) * k;
      for (std::size_t c = 0; c < k; ++c) stack(Index(a * k + c), Index(b)) = stack(Index(b * k + c), Index(a)) = from[c];
    }
  Matrix halves(Index(p * k), size);
  halves.noalias() = stack * root.matrixL().toDenseMatrix();
  const Eigen::Map<const Matrix> side_by_side(halves.data(), size, Index(k * p));
  Matrix one = Matrix::Zero(size, size), product(size, size);
  one.selfadjointView<Eigen::Lower>().rankUpdate(side_by_side);
  middle -= Matrix(one.selfadjointView<Eigen::Lower>());
  product.noalias() = phi * middle;
  one.noalias() = product * phi;
  for (std::size_t a = 0; a < p; ++a)
    for (std::size_t b = 0; b < p; ++b)
      covariance_[a * p + b] = phi(Index(a), Index(b)) + one(Index(a), Index(b)) + one(Index(b), Index(a));
}

double FixedEffectsInference::variance(std::span<const double> matrix, std::span<const double> l) {
  const std::size_t p = effects_.p;
  std::fill(image_.begin(), image_.end(), 0.0);
  for (std::size_t a = 0; a < p; ++a) {
    if (l[a] == 0) continue;
    double const* row = matrix.data() + a * p;  // symmetric: the row is the column
    for (std::size_t b = 0; b < p; ++b) image_[b] += l[a] * row[b];
  }
  return value_of(l, image_);
}

/// change_[c] = u' N_c v.
void FixedEffectsInference::forms(std::span<const double> u, std::span<const double> v) {
  const std::size_t p = effects_.p, k = effects_.k;
  double* pair = pairs_.data();
  for (std::size_t a = 0; a < p; ++a) {
    for (std::size_t b = 0; b < a; ++b) *pair++ = u[a] * v[b] + u[b] * v[a];
    *pair++ = u[a] * v[a];
  }
  const Index pairs = Index(pairs_.size());
  Eigen::Map<Eigen::VectorXd>(along_.data(), Index(k)).noalias() =
      Eigen::Map<const Matrix>(effects_.slopes.data(), Index(k), pairs) * Eigen::Map<const Eigen::VectorXd>(pairs_.data(), pairs);
  std::fill(change_.begin(), change_.end(), 0.0);
  for (std::size_t i = 0; i < k; ++i)
    for (std::size_t c = 0; c <= i; ++c) change_[c] += root_[i * k + c] * along_[i];
}

double FixedEffectsInference::satterthwaite(double variance, std::span<const double> image) {
  if (!theta_known_) return missing_number;
  forms(image, image);
  double error = 0;
  for (const double one : change_) error += (one / variance) * (one / variance);
  return 2 / error;  // infinite without error
}

ContrastEstimate FixedEffectsInference::contrast(std::span<const double> l) {
  if (l.empty()) return {};
  switch (method_) {
    case DfMethod::asymptotic:
      return contrast(l, infinite);
    case DfMethod::between_within:
    case DfMethod::residual:
      return contrast(l, smallest_df(effects_.coefficient_df, l));
    default:
      return contrast(l, missing_number);
  }
}

ContrastEstimate FixedEffectsInference::contrast(std::span<const double> l, double df) {
  if (l.empty()) return {};
  expects(l.size() == effects_.p, "a function has an entry for each coefficient");
  ContrastEstimate found{.value = value_of(l, effects_.b)};
  if (robust()) {
    const double squared = effects_.sandwich.variance(l);
    without_variance_ += !(squared > 0);
    if (!(squared > 0)) return found;
    found.se = std::sqrt(squared);
    found.df = method_ == DfMethod::satterthwaite && std::isnan(df) ? effects_.sandwich.df(l) : df;
    return found;
  }
  const double adjusted = adjusts_covariance(method_) ? variance(covariance_, l) : 0;
  const double own = variance(effects_.phi, l);
  const double squared = adjusts_covariance(method_) ? adjusted : own;
  if (!(squared > 0) || !(own > 0)) return found;
  found.se = std::sqrt(squared);
  found.df = needs_slopes(method_) && std::isnan(df) ? satterthwaite(own, image_) : df;
  return found;
}

JointTest FixedEffectsInference::test(std::span<const std::vector<double>> functions, double df) {
  const std::size_t m = functions.size(), p = effects_.p;
  if (m == 0) return {};
  std::vector<double> values(m), images(m * p), gram(m * m), unit(m);
  for (std::size_t i = 0; i < m; ++i) {
    if (functions[i].empty()) return {};
    expects(functions[i].size() == p, "a function has an entry for each coefficient");
    values[i] = value_of(functions[i], effects_.b);
    unit[i] = std::sqrt(std::fmax(variance(effects_.phi, functions[i]), 0.0));
    std::copy(image_.begin(), image_.end(), images.begin() + std::ptrdiff_t(i * p));
  }
  const auto product = [&](std::size_t i, std::size_t j) { return value_of(functions[i], std::span(images).subspan(j * p, p)); };
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j <= i; ++j) gram[i * m + j] = gram[j * m + i] = product(i, j);

  // Which functions are independent, by their correlations.
  std::vector<double> correlation(m * m, 0.0);
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j < m; ++j)
      correlation[i * m + j] = unit[i] > 0 && unit[j] > 0 ? gram[i * m + j] / unit[i] / unit[j] : 0.0;
  numerics::SemidefiniteFactor factor(m);
  factor.factor(correlation, dependent);
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < m; ++i)
    if (factor.used(i)) kept.push_back(i);
  JointTest found{.numerator_df = double(kept.size())};
  if (kept.empty()) return {};

  const bool other_covariance = adjusts_covariance(method_) || robust();
  std::vector<double> among = gram;
  if (other_covariance)
    for (std::size_t i = 0; i < m; ++i) {
      variance(covariance_, functions[i]);
      for (std::size_t j = 0; j < m; ++j) among[i * m + j] = value_of(functions[j], image_);
    }
  if (robust())
    for (std::size_t i = 0; i < m; ++i)
      if (unit[i] > 0 && !(effects_.sandwich.variance(functions[i]) > 0)) return found;

  double scale = 1;
  if (std::isnan(df)) {
    switch (method_) {
      case DfMethod::satterthwaite:
        df = fai_cornelius(among, functions, images, kept.size());
        break;
      case DfMethod::kenward_roger:
      case DfMethod::kenward_roger_linear:
        std::tie(df, scale) = kenward_roger(correlation, images, unit, kept);
        break;
      case DfMethod::asymptotic:
        df = infinite;
        break;
      case DfMethod::between_within:
      case DfMethod::residual:
        df = infinite;
        for (std::vector<double> const& l : functions)
          if (std::any_of(l.begin(), l.end(), [](double x) { return x != 0; })) {
            const double own = smallest_df(effects_.coefficient_df, l);
            df = own > 0 ? std::min(df, own) : missing_number;
            if (std::isnan(df)) break;
          }
        break;
    }
  }
  found.denominator_df = df;

  std::vector<double> scaled(m);
  if (other_covariance) {
    for (std::size_t i = 0; i < m; ++i)
      for (std::size_t j = 0; j < m; ++j)
        correlation[i * m + j] = unit[i] > 0 && unit[j] > 0 ? among[i * m + j] / unit[i] / unit[j] : 0.0;
    std::vector<std::uint8_t> out(m, 1);
    for (const std::size_t i : kept) out[i] = 0;
    factor.factor(correlation, robust() ? dependent : 0.0, out);
    if (factor.rank() < kept.size()) return found;  // the adjusted covariance is none, or the participants are fewer
  }
  for (const std::size_t i : kept) scaled[i] = values[i] / unit[i];
  found.f = std::isnan(df) ? missing_number : scale * factor.quadratic_form(scaled) / double(kept.size());
  return found;
}

void explain_sandwich(FixedEffectsInference const& inference, std::vector<std::string>& notes) {
  if (inference.without_variance() == 0) return;
  notes.push_back(fmt::format(
      "{} of the estimates {} no standard error: one participant alone determines a part of {}, or the residuals of all "
      "leave the sandwich no variance.",
      inference.without_variance(), inference.without_variance() == 1 ? "has" : "have",
      inference.without_variance() == 1 ? "it" : "them"));
}

/// The eigenvectors of the functions' covariance are functions with independent estimates; each has Satterthwaite's df.
double FixedEffectsInference::fai_cornelius(std::vector<double> gram, std::span<const std::vector<double>> functions,
                                            std::span<const double> images, std::size_t rank) {
  const std::size_t p = effects_.p, m = functions.size();
  std::vector<double> vectors;
  jacobi(gram, vectors, m);
  std::vector<std::size_t> order(m);
  for (std::size_t i = 0; i < m; ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return gram[a * m + a] > gram[b * m + b]; });
  std::vector<double> df(rank), along(p);
  for (std::size_t a = 0; a < rank; ++a) {
    std::fill(along.begin(), along.end(), 0.0);
    for (std::size_t i = 0; i < m; ++i) {
      double const* part = robust() ? functions[i].data() : images.data() + i * p;
      for (std::size_t j = 0; j < p; ++j) along[j] += vectors[order[a] * m + i] * part[j];
    }
    df[a] = robust() ? effects_.sandwich.df(along) : satterthwaite(gram[order[a] * m + order[a]], along);
  }
  return df_of_squares(df);
}

/// m and lambda of Kenward & Roger (1997). With W the independent functions made uncorrelated and of variance 1, S_c = W Phi N_c
/// Phi W': A1 = sum (tr S_c)^2, A2 = sum |S_c|^2.
std::pair<double, double> FixedEffectsInference::kenward_roger(std::span<const double> correlation,
                                                               std::span<const double> images, std::span<const double> unit,
                                                               std::span<const std::size_t> kept) {
  if (!theta_known_) return {missing_number, missing_number};
  const std::size_t l = kept.size(), p = effects_.p, k = effects_.k, m = unit.size();
  std::vector<double> g(l * l, 0.0), w(l * p);  // correlation of those kept = G G', w = G^-1 of their images
  for (std::size_t i = 0; i < l; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double entry = correlation[kept[i] * m + kept[j]];
      for (std::size_t s = 0; s < j; ++s) entry -= g[i * l + s] * g[j * l + s];
      g[i * l + j] = i == j ? std::sqrt(entry) : entry / g[j * l + j];
    }
    for (std::size_t a = 0; a < p; ++a) {
      double entry = images[kept[i] * p + a] / unit[kept[i]];
      for (std::size_t s = 0; s < i; ++s) entry -= g[i * l + s] * w[s * p + a];
      w[i * p + a] = entry / g[i * l + i];
    }
  }
  std::vector<double> traces(k, 0.0);
  double a1 = 0, a2 = 0;
  for (std::size_t i = 0; i < l; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      forms(std::span(w).subspan(i * p, p), std::span(w).subspan(j * p, p));
      for (std::size_t c = 0; c < k; ++c) {
        a2 += (i == j ? 1 : 2) * change_[c] * change_[c];
        if (i == j) traces[c] += change_[c];
      }
    }
  for (const double trace : traces) a1 += trace * trace;
  if (a2 == 0) return {infinite, 1.0};
  if (l == 1) return {2 / a2, 1.0};
  const double n = double(l), b = (a1 + 6 * a2) / (2 * n);
  const double ratio = ((n + 1) * a1 - (n + 4) * a2) / ((n + 2) * a2), below = 3 * n + 2 * (1 - ratio);
  const double c1 = ratio / below, c2 = (n - ratio) / below, c3 = (n + 2 - ratio) / below;
  const double shrunk = 1 - a2 / n;  // 1/E*
  const double first = shrunk / (1 - c2 * b);
  const double spread = first * first * (1 + c1 * b) / (1 - c3 * b);  // l V*/(2 E*^2)
  const double df = 4 + (n + 2) / (spread - 1), lambda = shrunk / (1 - 2 / df);
  if (!(df > 2) || !(lambda > 0)) return {missing_number, missing_number};
  return {df, lambda};
}

}  // namespace equipoise::stats
