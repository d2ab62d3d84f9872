#include <algorithm>
#include <cmath>

#include "equipoise/numerics/semidefinite.h"
#include "equipoise/numerics/sum.h"
#include "equipoise/stats/interval/grouped_hazard.h"
#include "equipoise/stats/newton.h"

namespace equipoise::stats {
namespace {

constexpr double collinear = 1e-11;    // pivot beside its diagonal: a few hundred rounding errors of the sums of squares
constexpr double still_rising = 1e-7;  // slope in a hazard step of 0, a participant's contribution being of the order of 1

/// Parameters: log g of the steps let in, then the coefficients on covariates centred and scaled to a root mean square of 1.
class GroupedLikelihood : public Likelihood {
 public:
  GroupedLikelihood(InnermostIntervals const& innermost, Design const& design)
      : innermost_(innermost), n_(design.rows), p_(design.names.size()), steps_(innermost.size() - 1), scale_(p_), z_(n_ * p_) {
    for (std::size_t j = 0; j < p_; ++j) {
      const std::span<const double> column = design.column(j);
      double largest = 0;
      for (const double x : column) largest = std::max(largest, std::abs(x));
      numerics::Sum total, squares;
      for (const double x : column) total.add(largest > 0 ? x / largest : 0.0);
      const double mean = total.value() / double(n_);
      for (const double x : column) squares.add(largest > 0 ? (x / largest - mean) * (x / largest - mean) : 0.0);
      const double rms = std::sqrt(squares.value() / double(n_));
      scale_[j] = rms > 1e-13 ? rms * largest : 0.0;
      for (std::size_t i = 0; i < n_; ++i) z_[i * p_ + j] = scale_[j] > 0 ? (column[i] / largest - mean) / rms : 0.0;
    }
  }

  std::size_t size() const override { return in_.size() + p_; }
  std::size_t coefficients_from() const { return in_.size(); }
  std::span<const double> scale() const { return scale_; }

  /// Which steps are above 0.
  void let_in(std::vector<std::size_t> steps) { in_ = std::move(steps); }
  std::vector<std::size_t> const& in() const { return in_; }

  /// Columns of the covariates that depend on earlier ones, among rows that say anything of the time.
  std::vector<std::uint8_t> aliased() const {
    std::vector<double> gram(p_ * p_, 0.0), mean(p_, 0.0);
    double rows = 0;
    for (std::size_t i = 0; i < n_; ++i)
      if (says(i)) {
        rows += 1;
        for (std::size_t j = 0; j < p_; ++j) mean[j] += z_[i * p_ + j];
      }
    for (double& m : mean) m /= std::max(rows, 1.0);
    for (std::size_t i = 0; i < n_; ++i)
      if (says(i))
        for (std::size_t j = 0; j < p_; ++j)
          for (std::size_t k = 0; k < p_; ++k) gram[j * p_ + k] += (z_[i * p_ + j] - mean[j]) * (z_[i * p_ + k] - mean[k]);
    for (std::size_t j = 0; j < p_; ++j)
      if (gram[j * p_ + j] < 1e-18 * double(n_)) gram[j * p_ + j] = 0;  // constant but for rounding
    numerics::SemidefiniteFactor factor(p_);
    factor.factor(gram, collinear);
    std::vector<std::uint8_t> out(p_, 0);
    for (std::size_t j = 0; j < p_; ++j) out[j] = !factor.used(j);
    return out;
  }

  double reach(std::span<const double> step) const override {
    double longest = 0;
    for (std::size_t a = 0; a < in_.size(); ++a) longest = std::max(longest, std::abs(step[a]));
    for (std::size_t i = 0; i < n_; ++i) {
      double along = 0;
      for (std::size_t j = 0; j < p_; ++j) along += z_[i * p_ + j] * step[in_.size() + j];
      longest = std::max(longest, std::abs(along));
    }
    return longest;
  }

  double evaluate(std::span<const double> b, std::span<double> gradient, std::span<double> information) override {
    const std::size_t q = in_.size(), P = size();
    std::fill(gradient.begin(), gradient.end(), 0.0);
    std::fill(information.begin(), information.end(), 0.0);
    slope_.assign(steps_, 0.0);
    std::vector<double> g(steps_, 0.0), H(steps_ + 1, 0.0);  // steps; sums of them before each interval
    std::vector<std::uint32_t> from(steps_ + 2);             // position among `in_` of the first step from j on
    for (std::size_t a = 0; a < q; ++a) g[in_[a]] = std::exp(b[a]);
    for (std::size_t j = 0; j < steps_; ++j) H[j + 1] = H[j] + g[j];
    for (std::size_t j = steps_ + 2, a = q; j-- > 0;) {
      if (a > 0 && j <= in_[a - 1]) --a;
      from[j] = std::uint32_t(a);
    }
    numerics::Sum value;
    std::vector<double> w(q);  // derivative of this row's hazards in log g
    for (std::size_t i = 0; i < n_; ++i) {
      const std::size_t first = innermost_.first[i], last = innermost_.last[i];
      const bool open = last == steps_;  // to the end: nothing is subtracted
      const double* z = &z_[i * p_];
      double eta = 0;
      for (std::size_t j = 0; j < p_; ++j) eta += z[j] * b[q + j];
      const double theta = std::exp(eta);
      const double before = theta * H[first], u = open ? 0.0 : theta * (H[last + 1] - H[first]);
      value.add(-before);
      double r = 0, rr = 0;  // first and minus second derivative of log(1 - exp(-u))
      if (!open) {
        if (!(u > 0) || !std::isfinite(u)) return -std::numeric_limits<double>::infinity();
        value.add(u > 0.7 ? std::log1p(-std::exp(-u)) : std::log(-std::expm1(-u)));
        r = 1 / std::expm1(u);
        rr = r * (1 + r);
      }
      const std::size_t a0 = from[first], a1 = open ? a0 : std::size_t(from[last + 1]);
      for (std::size_t j = 0; j < first; ++j) slope_[j] -= theta;
      if (!open)
        for (std::size_t j = first; j <= last; ++j) slope_[j] += r * theta;
      const double c1 = r * u - before, c2 = before - r * u + rr * u * u;  // derivatives in the predictor
      for (std::size_t j = 0; j < p_; ++j) {
        gradient[q + j] += c1 * z[j];
        for (std::size_t k = 0; k < p_; ++k) information[(q + j) * P + q + k] += c2 * z[j] * z[k];
      }
      for (std::size_t a = 0; a < a1; ++a) {
        w[a] = theta * g[in_[a]];
        const bool inside = a >= a0;
        gradient[a] += inside ? r * w[a] : -w[a];
        information[a * P + a] += inside ? -r * w[a] : w[a];
        const double cross = inside ? -w[a] * (r - rr * u) : w[a];
        for (std::size_t j = 0; j < p_; ++j) {
          information[a * P + q + j] += cross * z[j];
          information[(q + j) * P + a] += cross * z[j];
        }
      }
      for (std::size_t a = a0; a < a1; ++a)
        for (std::size_t c = a0; c < a1; ++c) information[a * P + c] += rr * w[a] * w[c];
    }
    return value.value();
  }

  /// Derivative in each hazard step, at the last evaluation.
  std::vector<double> const& slope() const { return slope_; }

 private:
  bool says(std::size_t i) const { return innermost_.first[i] > 0 || innermost_.last[i] < steps_; }

  InnermostIntervals const& innermost_;
  std::size_t n_, p_, steps_;
  std::vector<double> scale_, z_, slope_;
  std::vector<std::size_t> in_;
};

}  // namespace

GroupedFit fit_grouped_hazard(InnermostIntervals const& innermost, Design const& design) {
  const std::size_t p = design.names.size(), m = innermost.size();
  GroupedFit made{.beta = std::vector<double>(p, missing_number),
                  .se = std::vector<double>(p, missing_number),
                  .aliased = std::vector<std::uint8_t>(p, 1),
                  .infinite = std::vector<std::uint8_t>(p, 0)};
  if (m < 2) return made;
  const MassFit masses = fit_mass(cover_patterns(innermost), m);
  if (!masses.converged) return made;
  made.log_likelihood_null = masses.log_likelihood;

  GroupedLikelihood likelihood(innermost, design);
  made.aliased = likelihood.aliased();
  const std::vector<double> survival = masses.survival();
  std::vector<double> log_step(m - 1, missing_number), beta(p, 0.0);
  for (std::size_t j = 0; j + 1 < m; ++j)
    if (masses.mass[j] > 0) log_step[j] = std::log(std::log(survival[j] / survival[j + 1]));

  NewtonFit fit;
  std::vector<double> gradient, information;
  for (std::size_t round = 0;; ++round) {
    std::vector<std::size_t> in;
    for (std::size_t j = 0; j + 1 < m; ++j)
      if (!std::isnan(log_step[j])) in.push_back(j);
    likelihood.let_in(in);
    std::vector<double> start;
    for (const std::size_t j : in) start.push_back(log_step[j]);
    start.insert(start.end(), beta.begin(), beta.end());
    std::vector<std::uint8_t> out(in.size(), 0);
    out.insert(out.end(), made.aliased.begin(), made.aliased.end());
    fit = climb(likelihood, std::move(start), std::move(out));
    made.iterations += fit.iterations;
    made.distance = fit.distance;
    if (!fit.converged) return made;
    gradient.assign(likelihood.size(), 0.0);
    information.assign(likelihood.size() * likelihood.size(), 0.0);
    made.log_likelihood = likelihood.evaluate(fit.b, gradient, information);
    for (std::size_t a = 0; a < in.size(); ++a) log_step[in[a]] = fit.b[a];
    std::copy(fit.b.begin() + std::ptrdiff_t(in.size()), fit.b.end(), beta.begin());
    bool more = false;
    for (std::size_t j = 0; j + 1 < m; ++j)
      if (std::isnan(log_step[j]) && likelihood.slope()[j] > still_rising) log_step[j] = std::log(1e-4 / double(m)), more = true;
    if (!more) break;
    if (round > m) return made;
  }

  const std::size_t q = likelihood.coefficients_from(), P = likelihood.size();
  std::vector<std::uint8_t> excluded(P, 0);
  for (std::size_t a = 0; a < P; ++a) excluded[a] = fit.status[a] != Climbed::estimated;
  numerics::SemidefiniteFactor factor(P);
  factor.factor(information, 1e-13, excluded);
  std::vector<double> inverse(P * P);
  factor.inverse(inverse);
  made.converged = true;
  for (std::size_t j = 0; j < p; ++j) {
    made.infinite[j] = fit.status[q + j] == Climbed::infinite;
    made.rank += !made.aliased[j];
    if (excluded[q + j]) continue;
    if (!factor.used(q + j)) {
      made.aliased[j] = 1;
      continue;
    }
    made.beta[j] = fit.b[q + j] / likelihood.scale()[j];
    made.se[j] = std::sqrt(inverse[(q + j) * P + q + j]) / likelihood.scale()[j];
  }
  return made;
}

IntervalRows on_visits(IntervalRows rows, std::vector<double> const& visits) {
  const auto nearest = [&](double t) {
    const auto above = std::lower_bound(visits.begin(), visits.end(), t);
    const double low = above == visits.begin() ? 0.0 : *std::prev(above);
    if (above == visits.end()) return low;
    return t - low < *above - t ? low : *above;
  };
  const auto before = [&](double visit) {
    const auto at = std::lower_bound(visits.begin(), visits.end(), visit);
    return at == visits.begin() ? 0.0 : *std::prev(at);
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    double &left = rows.left[i], &right = rows.right[i];
    if (left == right) {  // exact: the gap (visit, next visit] with it
      const auto above = std::lower_bound(visits.begin(), visits.end(), right);
      left = above == visits.begin() ? 0.0 : *std::prev(above);
      right = above == visits.end() ? std::numeric_limits<double>::infinity() : *above;
      continue;
    }
    const bool after_all = left >= visits.back();
    left = nearest(left);
    if (!std::isfinite(right)) continue;
    right = after_all ? std::numeric_limits<double>::infinity() : nearest(right);
    if (right == 0) right = visits.front();
    if (left >= right) left = before(right);
  }
  return rows;
}

}  // namespace equipoise::stats
