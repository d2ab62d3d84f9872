#include "equipoise/stats/repeated/mmrm_inference.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/lanes.h"

namespace equipoise::stats {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;

using Matrix = Eigen::Map<const MatrixXd>;

/// Lower triangular L with L L' = the rows and columns of Sigma that a pattern has, row by row.
std::vector<double> root_of(std::span<const double> sigma, std::uint64_t seen, std::size_t m) {
  std::vector<std::size_t> at;
  for (std::size_t j = 0; j < m; ++j)
    if (seen >> j & 1u) at.push_back(j);
  const std::size_t size = at.size();
  std::vector<double> lower(size * size, 0.0);
  for (std::size_t s = 0; s < size; ++s)
    for (std::size_t t = 0; t <= s; ++t) {
      double entry = sigma[packed(at[s], at[t])];
      for (std::size_t w = 0; w < t; ++w) entry -= lower[s * size + w] * lower[t * size + w];
      lower[s * size + t] = t == s ? std::sqrt(entry) : entry / lower[t * size + t];
    }
  return lower;
}

Sandwich visit_sandwich(VisitData const& data, MmrmFit const& fit, SandwichSpec const& spec) {
  const std::size_t p = data.p(), q = data.covariates, m = data.m(), width = p + 1, elements = packed_size(m);
  std::vector<std::vector<double>> roots;
  for (VisitData::Pattern const& pattern : data.patterns)
    roots.push_back(root_of(std::span(fit.sigma).subspan(pattern.block * elements, elements), pattern.seen, m));
  std::vector<double> rows(m * width);
  return Sandwich(lower_root(fit.phi, p), spec, data.n(), [&](std::size_t i) {
    double const* u = data.u.data() + i * q;
    std::vector<double> const& lower = roots[data.pattern_of[i]];
    std::size_t size = 0;
    for (std::size_t j = 0; j < m; ++j) {
      if (data.row_of[i * m + j] < 0) continue;
      double* row = rows.data() + size++ * width;
      double residual = data.y[i * m + j];
      for (std::size_t c = 0; c < p; ++c) {
        row[c] = 0;
        for (VisitData::Piece const& piece : data.columns[c])
          if (piece.visit == VisitData::every_visit || std::size_t(piece.visit) == j) row[c] += u[piece.covariate];
        residual -= row[c] * (fit.b[c] - data.first_fit[c]);
      }
      row[p] = residual;
    }
    divide_by_lower(lower, size, std::span(rows).first(size * width));
    return std::span<const double>(rows).first(size * width);
  });
}

}  // namespace

std::vector<double> curvature_of_elements(MmrmFit const& fit, Eigen::Ref<const MatrixXd> inverse, std::size_t blocks) {
  using numerics::Lanes, numerics::everywhere;
  const std::size_t m = fit.covariance.visits(), elements = packed_size(m), size = elements * blocks;
  expects(std::size_t(inverse.rows()) == size, "the Hessian is of every element");
  std::vector<double> e(size, 0.0), root(m * m, 0.0), back(m * m, 0.0);
  std::vector<Lanes> moved(m * m), half(m * m), of_root(m * m), turns(m * m), squares(m * m);
  for (std::size_t block = 0; block < blocks; ++block) {
    double const* sigma = fit.sigma.data() + block * elements;
    for (std::size_t j = 0; j < m; ++j)
      for (std::size_t k = 0; k <= j; ++k) {
        double entry = sigma[packed(j, k)];
        for (std::size_t t = 0; t < k; ++t) entry -= root[j * m + t] * root[k * m + t];
        root[j * m + k] = k == j ? std::sqrt(entry) : entry / root[k * m + k];
      }
    for (std::size_t k = 0; k < m; ++k)  // the inverse of the root
      for (std::size_t j = k; j < m; ++j) {
        double entry = j == k ? 1.0 : 0.0;
        for (std::size_t t = k; t < j; ++t) entry -= root[j * m + t] * back[t * m + k];
        back[j * m + k] = entry / root[j * m + j];
      }
    std::fill(turns.begin(), turns.end(), Lanes{});
    std::fill(squares.begin(), squares.end(), Lanes{});
    for (std::size_t c = 0; c < size; c += numerics::lanes) {  // four directions at a time
      for (std::size_t j = 0; j < m; ++j)
        for (std::size_t k = 0; k <= j; ++k) {
          Lanes value{};
          for (std::size_t lane = 0; lane < std::min(numerics::lanes, size - c); ++lane)
            value[lane] = inverse(Index(c + lane), Index(block * elements + packed(j, k)));
          moved[j * m + k] = moved[k * m + j] = value;
        }
      for (std::size_t j = 0; j < m; ++j)  // root^-1 dSigma
        for (std::size_t k = 0; k < m; ++k) {
          Lanes sum{};
          for (std::size_t t = 0; t <= j; ++t) sum += everywhere(back[j * m + t]) * moved[t * m + k];
          half[j * m + k] = sum;
        }
      for (std::size_t j = 0; j < m; ++j)  // the lower half of root^-1 dSigma root^-T
        for (std::size_t k = 0; k <= j; ++k) {
          Lanes sum{};
          for (std::size_t t = 0; t <= k; ++t) sum += half[j * m + t] * everywhere(back[k * m + t]);
          moved[j * m + k] = j == k ? 0.5 * sum : sum;
        }
      for (std::size_t j = 0; j < m; ++j)  // how the root moves
        for (std::size_t k = 0; k <= j; ++k) {
          Lanes sum{};
          for (std::size_t t = k; t <= j; ++t) sum += everywhere(root[j * m + t]) * moved[t * m + k];
          of_root[j * m + k] = sum;
        }
      for (std::size_t j = 0; j < m; ++j) {
        const Lanes log = of_root[j * m + j] * everywhere(1 / root[j * m + j]);
        for (std::size_t k = 0; k <= j; ++k) {
          turns[j * m + k] += log * (2 * of_root[j * m + k] - log * everywhere(root[j * m + k]));
          Lanes sum{};
          for (std::size_t t = 0; t <= k; ++t) sum += of_root[j * m + t] * of_root[k * m + t];
          squares[j * m + k] += sum;
        }
      }
    }
    for (std::size_t j = 0; j < m; ++j)
      for (std::size_t k = 0; k <= j; ++k) {
        double sum = 2 * numerics::total(squares[j * m + k]);
        for (std::size_t t = 0; t <= k; ++t)
          sum += numerics::total(turns[j * m + t]) * root[k * m + t] + numerics::total(turns[k * m + t]) * root[j * m + t];
        e[block * elements + packed(j, k)] = 2 * sum;  // A = 2 H^-1
      }
  }
  return e;
}

FixedEffects fixed_effects(VisitData const& data, MmrmFit const& fit, VisitLikelihood& likelihood, DfMethod df,
                           EstimateCovariance covariance) {
  FixedEffects out{.p = data.p(), .k = fit.parameters, .b = fit.b, .phi = fit.phi};
  if (covariance != EstimateCovariance::model) {
    out.sandwich = visit_sandwich(data, fit, {.correction = correction_of(covariance), .with_df = df == DfMethod::satterthwaite});
    return out;
  }
  if (!needs_slopes(df)) return out;
  const ParameterCovariance parameters = parameter_covariance(fit);
  out.theta_covariance.assign(parameters.a.begin(), parameters.a.end());
  const Index elements = Index(likelihood.elements()), k = Index(out.k), pairs = Index(out.p * (out.p + 1) / 2);
  const bool natural = parameters.jacobian.empty();
  const Matrix jacobian(parameters.jacobian.data(), natural ? 0 : elements, natural ? 0 : k);
  const std::span<const double> by_element = likelihood.slopes();
  if (natural) {
    out.slopes.assign(by_element.begin(), by_element.end());
  } else {
    out.slopes.resize(std::size_t(pairs * k));
    Eigen::Map<MatrixXd>(out.slopes.data(), pairs, k).noalias() = Matrix(by_element.data(), pairs, elements) * jacobian;
  }
  if (!adjusts_covariance(df)) return out;
  if (natural) {
    out.q = likelihood.second_products(parameters.a);
  } else {
    const MatrixXd spread = jacobian * Matrix(parameters.a.data(), k, k) * jacobian.transpose();
    out.q = likelihood.second_products({spread.data(), std::size_t(spread.size())});
  }
  if (df != DfMethod::kenward_roger) return out;
  const std::size_t blocks = data.blocks.size();
  if (natural) {
    MatrixXd inverse = MatrixXd::Identity(k, k);
    Matrix(fit.near_factor.data(), k, k).triangularView<Eigen::Lower>().solveInPlace(inverse);
    out.r = likelihood.product(curvature_of_elements(fit, inverse, blocks));
    return out;
  }
  const std::size_t each = out.k / blocks, own_elements = std::size_t(elements) / blocks;
  std::vector<double> curvature(std::size_t(elements), 0.0), own(each * each);
  for (std::size_t block = 0; block < blocks; ++block) {
    for (std::size_t i = 0; i < each; ++i)
      for (std::size_t j = 0; j < each; ++j) own[i * each + j] = parameters.a[(block * each + i) * out.k + block * each + j];
    fit.covariance.contract(std::span(fit.theta).subspan(block * each, each), own,
                            std::span(curvature).subspan(block * own_elements, own_elements));
  }
  out.r = likelihood.product(curvature);
  return out;
}

Inferred satterthwaite(VisitData const& data, MmrmFit const& fit, VisitLikelihood& likelihood, Estimation estimation,
                       std::span<const double> l) {
  const std::vector<double> ours = data.ours(l);
  if (ours.empty()) return {};
  const Index p = Index(data.p());
  const Eigen::Map<const Eigen::VectorXd> function(ours.data(), p);
  const double variance = function.dot(Matrix(fit.phi.data(), p, p) * function);
  double value = 0;
  for (Index c = 0; c < p; ++c) value += ours[std::size_t(c)] * fit.b[std::size_t(c)];
  std::vector<double> slope(likelihood.elements());
  likelihood.variance_slope(ours, slope);
  const double error = error_along(fit, likelihood, estimation, slope);
  const double se = variance > 0 ? std::sqrt(variance) : missing_number;
  return {.value = value * data.unit,
          .se = se * data.unit,
          .df = 2 * variance * variance / error,
          .t = value / se,
          .estimable = true};
}

std::vector<double> counted_degrees(VisitData const& data, DfMethod method) {
  const std::size_t all = data.design.names.size();
  std::vector<double> df(all, missing_number);
  const double n = double(data.observations), participants = double(data.n());
  if (method == DfMethod::residual) {
    for (std::size_t c = 0; c < all; ++c)
      if (data.place[c] >= 0) df[c] = n - double(data.p());
    return df;
  }
  std::vector<bool> between(all, false);
  double betweens = 0, withins = 0;
  for (std::size_t c = 0; c < all; ++c) {
    if (data.place[c] < 0) continue;
    between[c] = data.constant[std::size_t(data.place[c])] != 0;
    (between[c] ? betweens : withins) += 1;
  }
  const double between_df = participants - betweens, within_df = n - participants - withins;
  for (std::size_t c = 0; c < all; ++c)
    if (data.place[c] >= 0) {
      df[c] = between[c] && !data.design.names[c].empty() ? between_df : within_df;
      if (!(df[c] > 0)) df[c] = missing_number;
    }
  return df;
}

MmrmInference::MmrmInference(VisitData const& data, FixedEffects effects, DfMethod df)
    : data_(data), inference_(std::move(effects), df) {
  if (df == DfMethod::between_within || df == DfMethod::residual) given_df_ = counted_degrees(data, df);
}

double MmrmInference::counted_df(std::span<const double> given) const {
  double least = missing_number;
  double size = 0;
  for (const double value : given) size = std::fmax(size, std::abs(value));
  for (std::size_t c = 0; c < given.size(); ++c)
    if (std::abs(given[c]) > 1e-12 * size && data_.place[c] >= 0) {
      if (std::isnan(given_df_[c])) return missing_number;
      if (!(least <= given_df_[c])) least = given_df_[c];
    }
  return least;
}

Inferred MmrmInference::in_units(ContrastEstimate const& made) const {
  without_error_ = without_error_ || std::isnan(made.se);
  return {.value = made.value * data_.unit, .se = made.se * data_.unit, .df = made.df, .t = made.t(), .estimable = true};
}

void MmrmInference::explain(std::vector<std::string>& notes) const {
  explain_sandwich(inference_, notes);
  if (!without_error_ || inference_.without_variance() > 0) return;
  notes.push_back(
      adjusts_covariance(inference_.method())
          ? "Kenward and Roger's adjusted variance of some estimates is not positive: the data are too few for the "
            "adjustment, and their standard errors are not estimable by it."
          : "The variance of some estimates is not positive but for rounding: their standard errors are not estimable.");
}

Inferred MmrmInference::function(std::span<const double> l) const {
  const std::vector<double> ours = data_.ours(l);
  if (ours.empty()) return {};
  const ContrastEstimate made = given_df_.empty() ? inference_.contrast(ours) : inference_.contrast(ours, counted_df(l));
  return in_units(made);
}

Inferred MmrmInference::coefficient(std::size_t j) const {
  if (data_.place[j] < 0) return {};
  const std::size_t p = data_.p(), row = std::size_t(data_.place[j]);
  const std::span<const double> ours(data_.to_given.data() + row * p, p);
  const ContrastEstimate made = given_df_.empty() ? inference_.contrast(ours) : inference_.contrast(ours, given_df_[j]);
  return in_units(made);
}

EffectTest MmrmInference::test(std::vector<std::vector<double>> const& rows) const {
  std::vector<std::vector<double>> functions;
  double df = missing_number;
  for (auto const& row : rows) {
    functions.push_back(data_.ours(row));
    if (functions.back().empty()) return {};
    if (!given_df_.empty()) {
      const double own = counted_df(row);
      if (std::isnan(own)) return {};
      if (!(df <= own)) df = own;
    }
  }
  if (functions.empty()) return {};
  const JointTest made = inference_.test(functions, df);
  return {.f = made.f, .df = made.numerator_df, .residual_df = made.denominator_df, .estimable = true};
}

}  // namespace equipoise::stats
