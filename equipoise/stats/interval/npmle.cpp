#include "equipoise/stats/interval/npmle.h"

#include <algorithm>
#include <cmath>

#include "equipoise/numerics/semidefinite.h"
#include "equipoise/numerics/sum.h"

namespace equipoise::stats {
namespace {

constexpr double close_enough = 1e-10;        // of the Kuhn-Tucker conditions; rounding leaves some 1e-15 per interval
constexpr std::size_t most_supported = 2000;  // intervals with mass whose dense Hessian is worth it: 32 MB
constexpr int most_warm = 60, most_without_newton = 20'000, most_newton = 300, most_halvings = 40;
constexpr double sure_zero = 1e-7;  // mass that the Newton step wants below 0 and that is as small as this goes at once

/// The likelihood, with rows as shares of all rows.
struct Likelihood {
  std::vector<CoverPattern> const& patterns;
  std::size_t m;
  double n = 0;
  std::vector<double> covered;   ///< P of each pattern
  std::vector<double> gradient;  ///< d of each interval

  Likelihood(std::vector<CoverPattern> const& given, std::size_t cells)
      : patterns(given), m(cells), covered(given.size()), gradient(cells) {
    for (CoverPattern const& pattern : patterns) n += pattern.rows;
  }

  /// Mean log likelihood; minus infinity when a row has no mass.
  double value(std::vector<double> const& mass) {
    std::vector<double> before(m + 1, 0.0);  // mass before an interval
    numerics::Sum running;
    for (std::size_t j = 0; j < m; ++j) running.add(mass[j]), before[j + 1] = running.value();
    numerics::Sum total;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      const auto [first, last, rows] = patterns[i];
      // A difference of sums loses digits that a short sum keeps.
      double P = 0;
      if (last - first < 16)
        for (std::size_t j = first; j <= last; ++j) P += mass[j];
      else P = before[last + 1] - before[first];
      covered[i] = P;
      if (!(P > 0)) return -std::numeric_limits<double>::infinity();
      total.add(rows / n * std::log(P));
    }
    return total.value();
  }

  /// d, from the P of the last `value`.
  void differentiate() {
    std::vector<double> enters(m + 1, 0.0), leaves(m + 1, 0.0);
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      const double share = patterns[i].rows / n / covered[i];
      enters[patterns[i].first] += share;
      leaves[patterns[i].last + 1] += share;
    }
    numerics::Sum running;
    for (std::size_t j = 0; j < m; ++j) {
      running.add(enters[j]);
      running.add(-leaves[j]);
      gradient[j] = running.value();
    }
  }

  /// The largest violation of the Kuhn-Tucker conditions at `mass`.
  double excess(std::vector<double> const& mass) const {
    double worst = 0;
    for (std::size_t j = 0; j < m; ++j) worst = std::max(worst, mass[j] > 0 ? std::abs(gradient[j] - 1) : gradient[j] - 1);
    return worst;
  }
};

void rescale(std::vector<double>& mass) {
  const double total = numerics::sum(mass);
  for (double& p : mass) p /= total;
}

/// Kaplan and Meier's masses when every row is one interval or reaches to the last; empty otherwise.
std::vector<double> product_limit_mass(std::vector<CoverPattern> const& patterns, std::size_t m, double n) {
  std::vector<double> here(m, 0.0), from(m, 0.0);  // rows of just this interval; rows from it to the end
  for (CoverPattern const& pattern : patterns) {
    if (pattern.first == pattern.last) here[pattern.first] += pattern.rows;
    else if (pattern.last + 1 == m) from[pattern.first] += pattern.rows;
    else return {};
  }
  std::vector<double> mass(m);
  double survival = 1, at_risk = n;
  for (std::size_t j = 0; j < m; ++j) {
    at_risk -= from[j];  // not known to have been at risk within this interval
    const double left = j + 1 < m ? at_risk - here[j] : 0.0;
    mass[j] = j + 1 < m ? survival * here[j] / (left + here[j]) : survival;
    if (j + 1 < m) survival *= left / at_risk;
    at_risk = left;
  }
  return mass;
}

/// One step of the iterative convex minorant: Newton with the diagonal Hessian in F, made isotonic by pooling. F[k] is the mass
/// up to interval k, F[m - 1] = 1.
std::vector<double> convex_minorant_step(Likelihood const& at, std::vector<double> const& mass) {
  const std::size_t m = at.m;
  std::vector<double> slope(m, 0.0), curve(m, 0.0);
  for (std::size_t i = 0; i < at.patterns.size(); ++i) {
    const auto [first, last, rows] = at.patterns[i];
    const double g = rows / at.n / at.covered[i], h = g / at.covered[i];
    slope[last] += g, curve[last] += h;
    if (first > 0) slope[first - 1] -= g, curve[first - 1] += h;
  }
  struct Block {
    double weight, total;
    std::size_t size;
    double mean() const { return total / weight; }
  };
  std::vector<Block> blocks;
  double F = 0;
  for (std::size_t k = 0; k + 1 < m; ++k) {
    F += mass[k];
    const double h = std::max(curve[k], 1e-300);
    blocks.push_back({h, h * F + slope[k], 1});
    while (blocks.size() > 1 && blocks[blocks.size() - 2].mean() >= blocks.back().mean()) {
      const Block last = blocks.back();
      blocks.pop_back();
      blocks.back().weight += last.weight, blocks.back().total += last.total, blocks.back().size += last.size;
    }
  }
  std::vector<double> next(m, 0.0);
  double before = 0;
  std::size_t k = 0;
  for (Block const& block : blocks) {
    const double level = std::clamp(block.mean(), 0.0, 1.0);
    next[k] = level - before;
    before = level;
    k += block.size;
  }
  next[m - 1] += 1 - before;
  return next;
}

/// Alternates EM and convex minorant steps; returns the mean log likelihood. `mass` is positive everywhere at the start.
double come_near(Likelihood& at, std::vector<double>& mass, int most, int& iterations) {
  double now = at.value(mass);
  std::vector<double> tried(at.m);
  for (int i = 0; i < most; ++i, ++iterations) {
    at.differentiate();
    if (at.excess(mass) <= close_enough) break;
    for (std::size_t j = 0; j < at.m; ++j) mass[j] *= at.gradient[j];  // self-consistency
    rescale(mass);
    now = at.value(mass);
    const std::vector<double> aim = convex_minorant_step(at, mass);
    double part = 1;
    for (int halvings = 0; halvings < most_halvings; ++halvings, part /= 2) {
      for (std::size_t j = 0; j < at.m; ++j) tried[j] = mass[j] + part * (aim[j] - mass[j]);
      const double there = at.value(tried);
      if (there <= now) continue;
      mass = tried;
      now = there;
      break;
    }
    now = at.value(mass);
  }
  return now;
}

/// Newton's method on the intervals with mass.
class SupportNewton {
 public:
  SupportNewton(Likelihood& at, std::vector<double>& mass) : at_(at), mass_(mass), supported_(at.m, 0) {
    for (std::size_t j = 0; j < at.m; ++j) supported_[j] = mass[j] > 0;
  }

  /// Returns true when the Kuhn-Tucker conditions hold.
  bool climb(int& iterations) {
    double now = at_.value(mass_);
    for (int i = 0; i < most_newton; ++i, ++iterations) {
      at_.differentiate();
      if (at_.excess(mass_) <= close_enough) return true;
      let_in();
      std::vector<double> aim = newton_aim();
      double part = 1;
      std::vector<double> tried(at_.m);
      int halvings = 0;
      for (; halvings < most_halvings; ++halvings, part /= 2) {
        for (std::size_t j = 0; j < at_.m; ++j) tried[j] = mass_[j] + part * (aim[j] - mass_[j]);
        const double total = numerics::sum(tried);
        if (!(total > 0)) continue;
        for (double& p : tried) p /= total;
        const double there = at_.value(tried);
        if (there >= now - 1e-15 * (1 + std::abs(now))) {
          now = there;
          break;
        }
      }
      if (halvings == most_halvings) {
        at_.value(mass_);
        at_.differentiate();
        return false;
      }
      mass_ = tried;
      for (std::size_t j = 0; j < at_.m; ++j) supported_[j] = mass_[j] > 0;
    }
    at_.differentiate();
    return at_.excess(mass_) <= close_enough;
  }

 private:
  /// Lets in, of each gap between intervals with mass, the one with the largest d above 1.
  void let_in() {
    std::size_t best = at_.m;
    const auto admit = [&] {
      if (best < at_.m) supported_[best] = 1;
      best = at_.m;
    };
    for (std::size_t j = 0; j < at_.m; ++j) {
      if (mass_[j] > 0) admit();
      else if (at_.gradient[j] > 1 + close_enough / 2 && (best == at_.m || at_.gradient[j] > at_.gradient[best])) best = j;
    }
    admit();
  }

  /// The masses to which the quadratic model points, none below 0: those that would be are let go one after the other, at the
  /// length at which they reach 0.
  std::vector<double> newton_aim() {
    std::vector<double> point = mass_;
    for (;;) {
      std::vector<std::size_t> cells;
      for (std::size_t j = 0; j < at_.m; ++j)
        if (supported_[j]) cells.push_back(j);
      const std::size_t k = cells.size();
      std::vector<double> step(k);
      solve(cells, point, step);
      // q - point, q the maximum of the model over these cells
      double length = 1;
      for (std::size_t a = 0; a < k; ++a)
        if (point[cells[a]] + step[a] <= 0) length = std::min(length, -point[cells[a]] / step[a]);
      bool let_go = false;
      for (std::size_t a = 0; a < k; ++a) {
        double& p = point[cells[a]];
        const double q = p + step[a];
        const bool goes = q <= 0 && (p + length * step[a] <= 1e-300 || p <= sure_zero || -p / step[a] <= length);
        p = std::max(p + length * step[a], 0.0);
        if (goes) p = 0, supported_[cells[a]] = 0, let_go = true;
      }
      if (!let_go) return point;
    }
  }

  /// Step from `point` to the maximum of the quadratic model at mass_: H (q - mass) = d - 1, so H step = d - 1 - H (point -
  /// mass).
  void solve(std::vector<std::size_t> const& cells, std::vector<double> const& point, std::vector<double>& step) {
    const std::size_t k = cells.size();
    std::vector<std::uint32_t> at_or_after(at_.m + 1);  // position of the first chosen cell from j on
    for (std::size_t j = at_.m + 1, a = k; j-- > 0;) {
      if (a > 0 && j <= cells[a - 1]) --a;
      at_or_after[j] = std::uint32_t(a);
    }
    // The masses of cells let go moved from mass_ to 0: they bend the gradient too.
    std::vector<double> moved(at_.m + 1, 0.0);
    for (std::size_t j = 0; j < at_.m; ++j) moved[j + 1] = moved[j] + point[j] - mass_[j];
    std::vector<double> hessian(k * k, 0.0), bend(k + 1, 0.0);
    for (std::size_t i = 0; i < at_.patterns.size(); ++i) {
      const auto [first, last, rows] = at_.patterns[i];
      const std::size_t a = at_or_after[first], b = at_or_after[last + 1];
      if (a == b) continue;  // covers none of them
      const double h = rows / at_.n / (at_.covered[i] * at_.covered[i]);
      hessian[a * k + b - 1] += h;
      const double pull = h * (moved[last + 1] - moved[first]);
      bend[a] += pull, bend[b] -= pull;
    }
    // Patterns were counted at (first, last); H(a, b) counts all with first <= a and last >= b.
    for (std::size_t a = 0; a < k; ++a) {
      for (std::size_t b = k - 1; b-- > 0;) hessian[a * k + b] += hessian[a * k + b + 1];
      if (a > 0)
        for (std::size_t b = 0; b < k; ++b) hessian[a * k + b] += hessian[(a - 1) * k + b];
    }
    for (std::size_t a = 0; a < k; ++a)
      for (std::size_t b = 0; b < a; ++b) hessian[a * k + b] = hessian[b * k + a];
    std::vector<double> right(k);
    double running = 0;
    for (std::size_t a = 0; a < k; ++a) {
      running += bend[a];
      right[a] = at_.gradient[cells[a]] - 1 - running;
    }
    numerics::SemidefiniteFactor factor(k);
    factor.factor(hessian, 1e-15);
    factor.solve(right, step);
  }

  Likelihood& at_;
  std::vector<double>& mass_;
  std::vector<std::uint8_t> supported_;
};

}  // namespace

std::vector<CoverPattern> cover_patterns(InnermostIntervals const& innermost) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> covers;
  covers.reserve(innermost.first.size());
  for (std::size_t i = 0; i < innermost.first.size(); ++i) covers.emplace_back(innermost.first[i], innermost.last[i]);
  std::sort(covers.begin(), covers.end());
  std::vector<CoverPattern> patterns;
  for (auto const& [first, last] : covers) {
    if (patterns.empty() || patterns.back().first != first || patterns.back().last != last) patterns.push_back({first, last, 0});
    patterns.back().rows += 1;
  }
  return patterns;
}

std::vector<double> MassFit::survival() const {
  std::vector<double> beyond(mass.size() + 1, 0.0);
  numerics::Sum running;
  for (std::size_t j = mass.size(); j-- > 0;) running.add(mass[j]), beyond[j] = running.value();
  if (!mass.empty()) beyond[0] = 1;
  return beyond;
}

MassFit fit_mass(std::vector<CoverPattern> const& patterns, std::size_t cells) {
  MassFit fit;
  if (cells == 0) return fit;
  Likelihood at(patterns, cells);
  fit.mass = product_limit_mass(patterns, cells, at.n);
  if (fit.mass.empty()) {
    fit.mass.assign(cells, 1.0 / double(cells));
    come_near(at, fit.mass, most_warm, fit.iterations);
    const auto with_mass = [&](double more_than) {
      return std::size_t(std::count_if(fit.mass.begin(), fit.mass.end(), [&](double p) { return p > more_than; }));
    };
    if (with_mass(1e-8) > most_supported) {
      come_near(at, fit.mass, most_without_newton, fit.iterations);
    } else {
      // What EM has made as small as this has no mass at the maximum, or is let in again.
      for (std::size_t j = 0; j < cells; ++j)
        if (fit.mass[j] < 1e-8 && at.gradient[j] < 1) fit.mass[j] = 0;
      rescale(fit.mass);
      if (!std::isfinite(at.value(fit.mass))) fit.mass.assign(cells, 1.0 / double(cells));
      SupportNewton(at, fit.mass).climb(fit.iterations);
    }
  }
  fit.log_likelihood = at.n * at.value(fit.mass);
  at.differentiate();
  fit.excess = at.excess(fit.mass);
  fit.converged = fit.excess <= close_enough;
  return fit;
}

}  // namespace equipoise::stats
