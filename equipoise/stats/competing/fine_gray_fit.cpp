#include <algorithm>
#include <cmath>

#include "equipoise/numerics/semidefinite.h"
#include "equipoise/numerics/sum.h"
#include "equipoise/stats/competing/fine_gray.h"
#include "equipoise/stats/newton.h"

namespace equipoise::stats {
namespace {

constexpr double collinear = 1e-11;  // pivot beside its diagonal: a few hundred rounding errors of the information's sums

/// One distinct observed time.
struct At {
  double G;                 ///< of being uncensored just before
  double at_risk;           ///< rows with this time or a later one
  std::size_t begin, end;   ///< rows, in increasing time
  double events, censored;  ///< of the cause of interest; censored rows
};

/// Rows in increasing time, covariates centred and scaled to a root mean square of 1.
class Subdistribution : public Likelihood {
 public:
  Subdistribution(CauseRows const& data, std::int32_t cause, Design const& design)
      : p_(design.names.size()), n_(data.size()), scale_(p_), z_(n_ * p_), kind_(n_), predictor_(n_), weight_(n_) {
    for (std::size_t j = 0; j < p_; ++j) {
      const std::span<const double> column = design.column(j);
      double largest = 0;
      for (const double x : column) largest = std::max(largest, std::abs(x));
      numerics::Sum total, squares;
      for (const double x : column) total.add(largest > 0 ? x / largest : 0.0);
      const double mean = n_ > 0 ? total.value() / double(n_) : 0.0;
      for (const double x : column) squares.add(largest > 0 ? (x / largest - mean) * (x / largest - mean) : 0.0);
      const double rms = n_ > 0 ? std::sqrt(squares.value() / double(n_)) : 0.0;
      scale_[j] = rms > 1e-13 ? rms * largest : 0.0;
      for (std::size_t i = 0; i < n_; ++i)
        z_[i * p_ + j] = scale_[j] > 0 ? (column[data.rows.by_time[i]] / largest - mean) / rms : 0.0;
    }
    double G = 1;
    for (std::size_t i = 0; i < n_;) {
      const double t = data.rows.time[data.rows.by_time[i]];
      At at{G, double(n_ - i), i, i, 0, 0};
      for (; at.end < n_ && data.rows.time[data.rows.by_time[at.end]] == t; ++at.end) {
        const std::int32_t what = data.cause[data.rows.by_time[at.end]];
        kind_[at.end] = what == 0 ? Kind::censored : what == cause ? Kind::event : Kind::other;
        at.events += what == cause;
        at.censored += what == 0;
      }
      G *= (at.at_risk - at.censored) / at.at_risk;
      i = at.end;
      times_.push_back(at);
    }
    s0_.resize(times_.size());
    s1_.resize(times_.size() * p_);
  }

  std::size_t size() const override { return p_; }
  std::span<const double> scale() const { return scale_; }

  double reach(std::span<const double> step) const override {
    double low = 0, high = 0;
    for (std::size_t i = 0; i < n_; ++i) {
      double along = 0;
      for (std::size_t j = 0; j < p_; ++j) along += z_[i * p_ + j] * step[j];
      low = std::min(low, along), high = std::max(high, along);
    }
    return std::max(-low, high);
  }

  double evaluate(std::span<const double> b, std::span<double> gradient, std::span<double> information) override {
    predict(b);
    std::fill(gradient.begin(), gradient.end(), 0.0);
    std::fill(information.begin(), information.end(), 0.0);
    numerics::Sum value;
    std::vector<double> late1(p_, 0.0), late2(p_ * p_, 0.0);  // rows not yet past: weight 1, from late to early
    double late0 = 0;
    // Rows of other causes that are past: their sums over exp / G(T-) up to each time are all of them less those still to come.
    std::vector<double> past0(times_.size() + 1, 0.0), past1((times_.size() + 1) * p_, 0.0), past2(p_ * p_, 0.0);
    for (std::size_t k = 0; k < times_.size(); ++k) {
      past0[k + 1] = past0[k];
      std::copy_n(past1.begin() + std::ptrdiff_t(k * p_), p_, past1.begin() + std::ptrdiff_t((k + 1) * p_));
      for (std::size_t i = times_[k].begin; i < times_[k].end; ++i) {
        if (kind_[i] != Kind::other) continue;
        const double v = weight_[i] / times_[k].G;
        past0[k + 1] += v;
        for (std::size_t j = 0; j < p_; ++j) past1[(k + 1) * p_ + j] += v * z_[i * p_ + j];
      }
    }
    std::vector<double> second = past_squares();
    for (std::size_t k = times_.size(); k-- > 0;) {
      At const& at = times_[k];
      for (std::size_t i = at.begin; i < at.end; ++i) {
        const double w = weight_[i];
        late0 += w;
        for (std::size_t j = 0; j < p_; ++j) {
          late1[j] += w * z_[i * p_ + j];
          for (std::size_t l = 0; l < p_; ++l) late2[j * p_ + l] += w * z_[i * p_ + j] * z_[i * p_ + l];
        }
        if (kind_[i] == Kind::event) {
          value.add(predictor_[i]);
          for (std::size_t j = 0; j < p_; ++j) gradient[j] += z_[i * p_ + j];
        }
      }
      s0_[k] = late0 + at.G * past0[k];
      for (std::size_t j = 0; j < p_; ++j) s1_[k * p_ + j] = (late1[j] + at.G * past1[k * p_ + j]) / s0_[k];
      if (!(at.events > 0)) continue;
      value.add(-at.events * (std::log(s0_[k]) + shift_));
      for (std::size_t j = 0; j < p_; ++j) {
        gradient[j] -= at.events * s1_[k * p_ + j];
        for (std::size_t l = 0; l < p_; ++l)
          information[j * p_ + l] += at.events * ((late2[j * p_ + l] + at.G * second[k * p_ * p_ + j * p_ + l]) / s0_[k] -
                                                  s1_[k * p_ + j] * s1_[k * p_ + l]);
      }
    }
    return value.value();
  }

  /// sum_i (eta_i + psi_i)(eta_i + psi_i)' at the coefficients of the last `evaluate` (p x p).
  std::vector<double> score_squares() const {
    const std::size_t K = times_.size();
    // Sums over event times up to k of dL and E dL; from k on of G dL and G E dL.
    std::vector<double> up0(K + 1, 0.0), up1((K + 1) * p_, 0.0), down0(K + 1, 0.0), down1((K + 1) * p_, 0.0);
    for (std::size_t k = 0; k < K; ++k) {
      const double dL = times_[k].events / s0_[k];
      up0[k + 1] = up0[k] + dL;
      for (std::size_t j = 0; j < p_; ++j) up1[(k + 1) * p_ + j] = up1[k * p_ + j] + dL * s1_[k * p_ + j];
    }
    for (std::size_t k = K; k-- > 0;) {
      const double GdL = times_[k].events > 0 ? times_[k].G * times_[k].events / s0_[k] : 0.0;
      down0[k] = down0[k + 1] + GdL;
      for (std::size_t j = 0; j < p_; ++j) down1[k * p_ + j] = down1[(k + 1) * p_ + j] + GdL * s1_[k * p_ + j];
    }
    std::vector<double> squares(p_ * p_, 0.0), r(p_), q(p_), compensated(p_, 0.0), past1(p_, 0.0);
    double past0 = 0;  // exp / G(T-) of the rows of other causes before this time
    for (std::size_t k = 0; k < K; ++k) {
      At const& at = times_[k];
      for (std::size_t j = 0; j < p_; ++j) {
        q[j] = past1[j] * down0[k] - past0 * down1[k * p_ + j];
        compensated[j] += q[j] * at.censored / (at.at_risk * at.at_risk);  // censoring hazard so far
      }
      for (std::size_t i = at.begin; i < at.end; ++i) {
        const double w = weight_[i];
        for (std::size_t j = 0; j < p_; ++j) {
          const double z = z_[i * p_ + j];
          r[j] = -w * (z * up0[k + 1] - up1[(k + 1) * p_ + j]) - compensated[j];
          if (kind_[i] == Kind::event) r[j] += z - s1_[k * p_ + j];
          if (kind_[i] == Kind::other) r[j] -= w / at.G * (z * down0[k + 1] - down1[(k + 1) * p_ + j]);
          if (kind_[i] == Kind::censored) r[j] += q[j] / at.at_risk;
        }
        for (std::size_t j = 0; j < p_; ++j)
          for (std::size_t l = 0; l < p_; ++l) squares[j * p_ + l] += r[j] * r[l];
      }
      for (std::size_t i = at.begin; i < at.end; ++i) {
        if (kind_[i] != Kind::other) continue;
        past0 += weight_[i] / at.G;
        for (std::size_t j = 0; j < p_; ++j) past1[j] += weight_[i] / at.G * z_[i * p_ + j];
      }
    }
    return squares;
  }

 private:
  enum class Kind : std::uint8_t { censored, event, other };

  /// exp of the predictors, less their largest.
  void predict(std::span<const double> b) {
    shift_ = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < n_; ++i) {
      double eta = 0;
      for (std::size_t j = 0; j < p_; ++j) eta += z_[i * p_ + j] * b[j];
      predictor_[i] = eta;
      shift_ = std::max(shift_, eta);
    }
    for (std::size_t i = 0; i < n_; ++i) weight_[i] = std::exp(predictor_[i] - shift_);
  }

  /// Second moments of the rows of other causes before each time.
  std::vector<double> past_squares() const {
    const std::size_t pp = p_ * p_;
    std::vector<double> sums(times_.size() * pp, 0.0), running(pp, 0.0);
    for (std::size_t k = 0; k < times_.size(); ++k) {
      std::copy(running.begin(), running.end(), sums.begin() + std::ptrdiff_t(k * pp));
      for (std::size_t i = times_[k].begin; i < times_[k].end; ++i) {
        if (kind_[i] != Kind::other) continue;
        const double v = weight_[i] / times_[k].G;
        for (std::size_t j = 0; j < p_; ++j)
          for (std::size_t l = 0; l < p_; ++l) running[j * p_ + l] += v * z_[i * p_ + j] * z_[i * p_ + l];
      }
    }
    return sums;
  }

  std::size_t p_, n_;
  std::vector<double> scale_, z_;
  std::vector<Kind> kind_;
  std::vector<At> times_;
  std::vector<double> predictor_, weight_;
  double shift_ = 0;
  std::vector<double> s0_, s1_;  ///< at each time: sum of weights (less the shift), mean covariates
};

}  // namespace

FineGrayFit fit_fine_gray(CauseRows const& data, std::int32_t cause, Design const& design) {
  const std::size_t p = design.names.size();
  Subdistribution likelihood(data, cause, design);
  FineGrayFit made{.beta = std::vector<double>(p, missing_number),
                   .se = std::vector<double>(p, missing_number),
                   .aliased = std::vector<std::uint8_t>(p, 0),
                   .infinite = std::vector<std::uint8_t>(p, 0)};
  std::vector<double> gradient(p), information(p * p), zero(p, 0.0);
  made.log_likelihood_null = likelihood.evaluate(zero, gradient, information);
  numerics::SemidefiniteFactor factor(p);
  factor.factor(information, collinear);
  for (std::size_t j = 0; j < p; ++j) made.aliased[j] = !factor.used(j);

  const NewtonFit fit = climb(likelihood, zero, made.aliased);
  made.converged = fit.converged;
  made.iterations = fit.iterations;
  made.distance = fit.distance;
  std::vector<std::uint8_t> excluded(p, 0);
  for (std::size_t j = 0; j < p; ++j) {
    made.infinite[j] = fit.status[j] == Climbed::infinite;
    excluded[j] = fit.status[j] != Climbed::estimated;
  }
  if (!fit.converged) return made;
  made.log_likelihood = likelihood.evaluate(fit.b, gradient, information);
  factor.factor(information, 1e-14, excluded);
  std::vector<double> inverse(p * p);
  factor.inverse(inverse);
  const std::vector<double> middle = likelihood.score_squares();
  for (std::size_t j = 0; j < p; ++j) {
    if (excluded[j]) continue;
    double variance = 0;
    for (std::size_t k = 0; k < p; ++k)
      for (std::size_t l = 0; l < p; ++l) variance += inverse[j * p + k] * middle[k * p + l] * inverse[l * p + j];
    made.beta[j] = fit.b[j] / likelihood.scale()[j];
    made.se[j] = std::sqrt(variance) / likelihood.scale()[j];
  }
  return made;
}

}  // namespace equipoise::stats
