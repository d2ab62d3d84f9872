#include "equipoise/stats/imputation/posterior.h"

#include <Eigen/Dense>
#include <cmath>
#include <limits>

#include "equipoise/random/variates.h"

namespace equipoise::stats {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double tail_df = 5;            ///< of the proposals
constexpr double fewest_accepted = 0.05;

/// log of the prior density of a structure's parameters, up to a constant.
double log_prior(CovarianceStructure const& structure, std::size_t visits, VectorXd const& theta, Index first, Index size) {
  return std::visit(
      [&]<class Family>(Family const&) {
        double sum = 0;
        if constexpr (!std::is_same_v<Family, Unstructured>) {
          const Index deviations = structure.heterogeneous ? Index(visits) : 1;  // their logs are uniform
          for (Index k = first + deviations; k < first + size; ++k) {
            if (Family::range == CorrelationRange::both_signs) sum -= 1.5 * std::log1p(theta[k] * theta[k]);
            else sum -= std::abs(theta[k]) + 2 * std::log1p(std::exp(-std::abs(theta[k])));
          }
        }
        return sum;
      },
      structure.family);
}

}  // namespace

struct PosteriorDraws::Work {
  ImputationModel& model;
  VisitData const& data;
  Chain chain;
  random::Stream stream;
  std::size_t m, p, q, elements, blocks;
  std::vector<double> sigma;
  std::size_t proposed = 0, accepted = 0;

  // Gibbs
  struct Conditional {  // of the visits that a pattern lacks on those it has
    std::vector<Index> missing, seen;
    MatrixXd regression, root;
  };
  std::vector<Conditional> patterns;
  std::vector<double> participants;  // of each block
  std::vector<double> at_visit;
  std::vector<MatrixXd> squares;  // of each block: sum r r'
  MatrixXd whole, wishart;
  VectorXd residual, known, noise;

  // Metropolis-Hastings
  std::unique_ptr<VisitLikelihood> restricted;
  VectorXd centre, theta;
  MatrixXd root;
  double log_weight = -std::numeric_limits<double>::infinity();

  Work(ImputationModel& of, Chain with)
      : model(of),
        data(of.data()),
        chain(with),
        stream({with.seed, random::Purpose::posterior}, 0),
        m(data.m()),
        p(data.p()),
        q(data.covariates),
        elements(packed_size(m)),
        blocks(data.blocks.size()),
        sigma(of.fitted().sigma) {}

  Expected<void> begin() {
    if (model.covariance().unstructured()) {
      if (auto ready = begin_gibbs(); !ready) return ready;
    } else if (auto ready = begin_metropolis(); !ready) {
      return ready;
    }
    for (std::size_t k = 0; k < chain.burn_in; ++k)
      if (auto moved = step(); !moved) return moved;
    if (proposed > 0 && double(accepted) < fewest_accepted * double(proposed))
      return fail(Code::no_convergence,
                  "the posterior of the covariance is far from normal: {} of {} proposals were accepted", accepted, proposed);
    return {};
  }

  Expected<void> step() { return model.covariance().unstructured() ? gibbs() : metropolis(); }

  Expected<void> begin_gibbs() {
    participants.assign(blocks, 0.0);
    for (auto const& pattern : data.patterns) {
      participants[pattern.block] += pattern.participants;
      Conditional& made = patterns.emplace_back();
      for (std::size_t j = 0; j < m; ++j) (pattern.seen >> j & 1u ? made.seen : made.missing).push_back(Index(j));
    }
    for (std::size_t block = 0; block < blocks; ++block)
      if (participants[block] < double(m) + 1)
        return fail(Code::not_estimable, "{} participants are too few for the posterior of an unstructured covariance of {} visits{}",
                    participants[block], m, blocks > 1 ? " in '" + data.blocks[block] + "'" : "");
    squares.assign(blocks, MatrixXd::Zero(Index(m), Index(m)));
    at_visit.resize(q * m);
    residual.resize(Index(m));
    known.resize(Index(m));
    noise.resize(Index(m));
    return {};
  }

  /// b given Sigma, as coefficients of the covariates at each visit too.
  Expected<VectorXd> draw_coefficients(VisitLikelihood& likelihood) {
    if (!likelihood.evaluate(sigma))
      return fail(Code::no_convergence, "the posterior reaches a covariance at which the likelihood cannot be computed");
    const Eigen::LLT<MatrixXd> factor(Eigen::Map<const MatrixXd>(likelihood.phi().data(), Index(p), Index(p)));
    VectorXd z(static_cast<Index>(p));
    for (double& value : z) value = random::normal(stream);
    return VectorXd(Eigen::Map<const VectorXd>(likelihood.b().data(), Index(p)) + factor.matrixL() * z);
  }

  Expected<void> gibbs() {
    const auto b = draw_coefficients(model.likelihood());
    if (!b) return tl::unexpected(b.error());
    std::fill(at_visit.begin(), at_visit.end(), 0.0);
    for (std::size_t c = 0; c < p; ++c)
      for (auto const& piece : data.columns[c])
        for (std::size_t j = 0; j < m; ++j)
          if (piece.visit == VisitData::every_visit || std::size_t(piece.visit) == j)
            at_visit[piece.covariate * m + j] += (*b)[Index(c)];
    for (std::size_t g = 0; g < patterns.size(); ++g) condition(g);
    for (MatrixXd& square : squares) square.setZero();
    for (std::size_t i = 0; i < data.n(); ++i) complete(i);
    for (std::size_t block = 0; block < blocks; ++block)
      if (!inverse_wishart(block)) return fail(Code::no_convergence, "the posterior reaches a singular covariance");
    return {};
  }

  void condition(std::size_t g) {
    Conditional& it = patterns[g];
    if (it.missing.empty()) return;
    unpack(data.patterns[g].block);
    const MatrixXd seen = whole(it.seen, it.seen), across = whole(it.missing, it.seen), own = whole(it.missing, it.missing);
    it.regression = Eigen::LLT<MatrixXd>(seen).solve(across.transpose()).transpose();
    it.root = Eigen::LLT<MatrixXd>(own - it.regression * across.transpose()).matrixL();
  }

  void unpack(std::size_t block) {
    whole.resize(Index(m), Index(m));
    for (std::size_t j = 0; j < m; ++j)
      for (std::size_t k = 0; k < m; ++k) whole(Index(j), Index(k)) = sigma[block * elements + packed(j, k)];
  }

  /// Residuals of participant i, the missing ones drawn, into the cross-product of their block.
  void complete(std::size_t i) {
    const std::uint32_t g = data.pattern_of[i];
    Conditional const& it = patterns[g];
    double const* u = data.u.data() + i * q;
    for (const Index j : it.seen) {
      double value = data.y[i * m + std::size_t(j)];
      for (std::size_t a = 0; a < q; ++a) value -= u[a] * at_visit[a * m + std::size_t(j)];
      residual[j] = value;
    }
    for (std::size_t t = 0; t < it.missing.size(); ++t) noise[Index(t)] = random::normal(stream);
    for (std::size_t t = 0; t < it.missing.size(); ++t) {
      double value = 0;
      for (std::size_t s = 0; s <= t; ++s) value += it.root(Index(t), Index(s)) * noise[Index(s)];
      for (std::size_t s = 0; s < it.seen.size(); ++s) value += it.regression(Index(t), Index(s)) * residual[it.seen[s]];
      residual[it.missing[t]] = value;
    }
    MatrixXd& square = squares[data.patterns[g].block];
    for (Index j = 0; j < Index(m); ++j)
      for (Index k = 0; k <= j; ++k) square(j, k) += residual[j] * residual[k];
  }

  /// Sigma = C A'^-1 A^-1 C' with S = C C' and A Bartlett's lower triangle: inverse Wishart(n, S).
  bool inverse_wishart(std::size_t block) {
    const Eigen::LLT<MatrixXd> scale(squares[block].selfadjointView<Eigen::Lower>());
    if (scale.info() != Eigen::Success) return false;
    wishart.setZero(Index(m), Index(m));
    for (Index j = 0; j < Index(m); ++j) {
      for (Index k = 0; k < j; ++k) wishart(j, k) = random::normal(stream);
      wishart(j, j) = std::sqrt(random::chi_square(stream, participants[block] - double(j)));
    }
    whole = scale.matrixL();
    const MatrixXd half = wishart.triangularView<Eigen::Lower>().solve(whole.transpose());
    const MatrixXd made = half.transpose() * half;
    for (std::size_t j = 0; j < m; ++j)
      for (std::size_t k = 0; k <= j; ++k) sigma[block * elements + packed(j, k)] = made(Index(j), Index(k));
    return made.allFinite();
  }

  Expected<void> begin_metropolis() {
    restricted = std::make_unique<VisitLikelihood>(data, true);
    FitAttempt attempt;
    const auto fit = fit_structure(data, *restricted, model.covariance(), Estimation::reml, attempt, &model.fitted().sigma);
    if (!fit)
      return fail(Code::no_convergence, "the restricted likelihood has no maximum from which to draw: {}", attempt.reason);
    const Index size = Index(fit->theta.size());
    centre = Eigen::Map<const VectorXd>(fit->theta.data(), size);
    root = Eigen::LLT<MatrixXd>(Eigen::Map<const MatrixXd>(parameter_covariance(*fit).a.data(), size, size)).matrixL();
    theta = centre;
    sigma = fit->sigma;
    log_weight = weight(theta, VectorXd::Zero(size));
    return {};
  }

  /// log of posterior over proposal density at theta = centre + root z; leaves Sigma(theta) in `sigma`.
  double weight(VectorXd const& at, VectorXd const& z) {
    const Index each = at.size() / Index(blocks);
    double log_posterior = 0;
    for (std::size_t block = 0; block < blocks; ++block) {
      model.covariance().sigma({at.data() + Index(block) * each, std::size_t(each)}, std::span(sigma).subspan(block * elements, elements));
      log_posterior += log_prior(model.covariance().structure(), m, at, Index(block) * each, each);
    }
    if (!restricted->evaluate(sigma)) return -std::numeric_limits<double>::infinity();
    log_posterior -= restricted->value() / 2;
    return log_posterior + (tail_df + double(at.size())) / 2 * std::log1p(z.squaredNorm() / tail_df);
  }

  Expected<void> metropolis() {
    VectorXd z(theta.size());
    for (double& value : z) value = random::normal(stream);
    z *= std::sqrt(tail_df / random::chi_square(stream, tail_df));
    const VectorXd candidate = centre + root * z;
    std::vector<double> before = sigma;
    const double next = weight(candidate, z);
    ++proposed;
    if (std::log(random::uniform(stream)) < next - log_weight) {
      theta = candidate;
      log_weight = next;
      ++accepted;
    } else {
      sigma = std::move(before);
    }
    return {};
  }

  Expected<void> draw(ImputationParameters& out) {
    for (std::size_t k = 0; k < chain.thin; ++k)
      if (auto moved = step(); !moved) return moved;
    const auto b = draw_coefficients(restricted ? *restricted : model.likelihood());
    if (!b) return tl::unexpected(b.error());
    out.b.resize(p);
    for (std::size_t c = 0; c < p; ++c) out.b[c] = (*b)[Index(c)] + data.first_fit[c];
    out.sigma = sigma;
    return {};
  }
};

PosteriorDraws::PosteriorDraws(std::unique_ptr<Work> work) : work_(std::move(work)) {}
PosteriorDraws::~PosteriorDraws() = default;
PosteriorDraws::PosteriorDraws(PosteriorDraws&&) noexcept = default;

Expected<PosteriorDraws> PosteriorDraws::start(ImputationModel& model, Chain chain) {
  auto work = std::make_unique<Work>(model, chain);
  if (auto begun = work->begin(); !begun) return tl::unexpected(begun.error());
  return PosteriorDraws(std::move(work));
}

Expected<void> PosteriorDraws::next(ImputationParameters& out) { return work_->draw(out); }

double PosteriorDraws::acceptance() const {
  return work_->proposed == 0 ? 1.0 : double(work_->accepted) / double(work_->proposed);
}

}  // namespace equipoise::stats
