#include "equipoise/stats/categorical/score_interval.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/numerics/distributions.h"
#include "equipoise/numerics/sum.h"

namespace equipoise::stats {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// The zero of a decreasing function between two values, to the last bit: the sign at the ends is taken as given.
template <class Function>
double decreasing_zero(Function const& f, double low, double high) {
  for (int step = 0; step < 200; ++step) {
    const double middle = low + (high - low) / 2;
    if (!(middle > low && middle < high)) break;
    const double value = f(middle);
    if (value == 0) return middle;
    (value > 0 ? low : high) = middle;
  }
  return low + (high - low) / 2;
}

/// The p2 at which the likelihood of a difference is largest. Its derivative in p2,
///
///     a/p1 - b/(1 - p1) + c/p2 - d/(1 - p2),   p1 = p2 + value,
///
/// decreases, so that a bracket and Newton's steps inside it find the zero to the last bits; terms of a count of 0 are absent,
/// and then the largest likelihood can be at an end.
double second_share(TwoByTwo const& t, double value) {
  const double a = double(t.a), b = double(t.b), c = double(t.c), d = double(t.d);
  double low = std::max(0.0, -value), high = std::min(1.0, 1 - value);
  if (!(high > low)) return low;
  const auto part = [](double count, double share) { return count > 0 ? count / share : 0.0; };
  const auto slope = [&](double p2) {
    const double p1 = p2 + value;
    return part(a, p1) - part(b, 1 - p1) + part(c, p2) - part(d, 1 - p2);
  };
  if (slope(low) <= 0) return low;
  if (slope(high) >= 0) return high;
  double p2 = std::clamp((a + c) / (a + b + c + d) - value * (a + b) / (a + b + c + d), low, high);
  for (int step = 0; step < 200; ++step) {
    if (!(p2 > low && p2 < high)) p2 = low + (high - low) / 2;
    if (!(p2 > low && p2 < high)) break;  // neighbours
    const double f = slope(p2), p1 = p2 + value;
    if (f == 0) break;
    (f > 0 ? low : high) = p2;
    const auto curve = [](double count, double share) { return count > 0 ? count / (share * share) : 0.0; };
    const double next = p2 + f / (curve(a, p1) + curve(b, 1 - p1) + curve(c, p2) + curve(d, 1 - p2));
    const bool done = std::abs(next - p2) <= 2e-16 * std::min(p2, 1 - p2);
    p2 = next;
    if (done) break;
  }
  return std::clamp(p2, low, high);
}

/// p q of both groups, with their weights in the score.
struct Spread {
  double v1, v2;
};

Spread spread(ConstrainedShares const& shares) {
  return {std::max(0.0, shares.p1 * (1 - shares.p1)), std::max(0.0, shares.p2 * (1 - shares.p2))};
}

double correction(TwoByTwo const& t) { return double(t.total()) / double(t.total() - 1); }

/// Weights of the strata for a difference or a risk ratio at `value`, up to a factor.
std::vector<double> stratum_weights(std::vector<TwoByTwo> const& tables, std::vector<ConstrainedShares> const& shares,
                                    Measure measure, StratumWeights kind, double value) {
  std::vector<double> weights(tables.size());
  const bool ratio = measure == Measure::risk_ratio;
  for (std::size_t j = 0; j < tables.size(); ++j) {
    const double n1 = double(tables[j].first()), n2 = double(tables[j].second());
    const double second = ratio && kind == StratumWeights::miettinen_nurminen ? value : 1.0;
    weights[j] = 1 / (1 / n1 + second / n2);
  }
  if (kind == StratumWeights::mantel_haenszel || tables.size() == 1) return weights;
  // Weights from the weighted mean shares R, which depend on the weights: 1/w = R1(1 - R1)/n1 + R2(1 - R2)/n2 for a difference,
  // (1 - R1)/n1 + value (1 - R2)/n2 for a ratio. A few rounds change them no more.
  for (int round = 0; round < 100; ++round) {
    numerics::Sum total, first, second;
    for (std::size_t j = 0; j < tables.size(); ++j) {
      total.add(weights[j]);
      first.add(weights[j] * shares[j].p1);
      second.add(weights[j] * shares[j].p2);
    }
    const double r1 = std::min(1.0, first.value() / total.value()), r2 = std::min(1.0, second.value() / total.value());
    double f1 = ratio ? 1 - r1 : r1 * (1 - r1), f2 = ratio ? value * (1 - r2) : r2 * (1 - r2);
    const double scale = f1 + f2;
    if (!(scale > 0)) return weights;  // no spread in either group: the starting weights stand
    f1 /= scale, f2 /= scale;
    double change = 0, largest = 0;
    std::vector<double> next(tables.size());
    for (std::size_t j = 0; j < tables.size(); ++j) {
      next[j] = 1 / (f1 / double(tables[j].first()) + f2 / double(tables[j].second()));
      largest = std::max(largest, next[j]);
    }
    for (std::size_t j = 0; j < tables.size(); ++j) change = std::max(change, std::abs(next[j] - weights[j]));
    weights = std::move(next);
    if (change <= 1e-14 * largest) break;
  }
  return weights;
}

/// Numerator of the statistic and its variance.
struct Score {
  double excess, variance;
};

Score score(std::vector<TwoByTwo> const& tables, Measure measure, StratumWeights kind, double value) {
  numerics::Sum excess, variance;
  if (measure == Measure::odds_ratio) {
    for (std::size_t j = 0; j < tables.size(); ++j) {
      TwoByTwo const& t = tables[j];
      const ExpectedCells e = expected_cells(t, value);
      // a - e.a = e.b - b = e.c - c = d - e.d: at the smallest expected cell it loses no digits.
      const double least = std::min({e.a, e.b, e.c, e.d});
      excess.add(least == e.a   ? double(t.a) - e.a
                 : least == e.b ? e.b - double(t.b)
                 : least == e.c ? e.c - double(t.c)
                                : double(t.d) - e.d);
      variance.add(e.variance() * correction(t));
    }
    return {excess.value(), variance.value()};
  }
  std::vector<ConstrainedShares> shares;
  for (TwoByTwo const& t : tables) shares.push_back(constrained_shares(t, measure, value));
  const std::vector<double> weights = stratum_weights(tables, shares, measure, kind, value);
  const double largest = *std::max_element(weights.begin(), weights.end());
  const bool ratio = measure == Measure::risk_ratio;
  for (std::size_t j = 0; j < tables.size(); ++j) {
    TwoByTwo const& t = tables[j];
    const double w = weights[j] / largest, factor = ratio ? value : 1.0;
    const auto [v1, v2] = spread(shares[j]);
    excess.add(w * (t.first_share() - (ratio ? value * t.second_share() : t.second_share() + value)));
    variance.add(w * w * (v1 / double(t.first()) + factor * factor * v2 / double(t.second())) * correction(t));
  }
  return {excess.value(), variance.value()};
}

}  // namespace

ConstrainedShares constrained_shares(TwoByTwo const& t, Measure measure, double value) {
  const double n1 = double(t.first()), n2 = double(t.second()), events = double(t.a + t.c);
  switch (measure) {
    case Measure::difference: {
      const double p2 = second_share(t, value);
      return {std::clamp(p2 + value, 0.0, 1.0), p2};
    }
    case Measure::risk_ratio: {
      // N value p2^2 - (n1 value + a + n2 + c value) p2 + events = 0, the smaller root without cancellation.
      const double b = n1 * value + double(t.a) + n2 + double(t.c) * value;
      const double root = std::sqrt(std::max(0.0, b * b - 4 * (n1 + n2) * value * events));
      const double p2 = 2 * events / (b + root);
      return {std::clamp(value * p2, 0.0, 1.0), std::min(p2, 1.0)};
    }
    case Measure::odds_ratio:
      break;
  }
  const ExpectedCells e = expected_cells(t, value);
  return {e.a / n1, e.c / n2};
}

double ExpectedCells::variance() const {
  if (!(a > 0 && b > 0 && c > 0 && d > 0)) return 0;
  return 1 / (1 / a + 1 / b + 1 / c + 1 / d);
}

ExpectedCells expected_cells(TwoByTwo const& t, double odds_ratio) {
  if (odds_ratio < 1) {  // the other column first
    const ExpectedCells e = expected_cells({t.b, t.a, t.d, t.c}, 1 / odds_ratio);
    return {e.b, e.a, e.d, e.c};
  }
  const double first = double(t.first()), second = double(t.second()), events = double(t.a + t.c), others = double(t.b + t.d);
  // b and c differ by k; s is the smaller, in a row of u and a column of w: odds_ratio s (s + k) = (u - s)(w - s), all terms of
  // (odds_ratio - 1) s^2 + (odds_ratio k + u + w) s = u w being positive. s <= u w / (u + w), so that nothing cancels in u - s.
  const bool b_smaller = first < events;
  const double k = std::abs(first - events), u = b_smaller ? first : second, w = b_smaller ? others : events;
  const double linear = odds_ratio * k + u + w;
  const double s = u * w > 0 ? 2 * u * w / (linear + std::sqrt(linear * linear + 4 * (odds_ratio - 1) * u * w)) : 0.0;
  return b_smaller ? ExpectedCells{u - s, s, s + k, w - s} : ExpectedCells{w - s, s + k, s, u - s};
}

double score_statistic(std::vector<TwoByTwo> const& tables, Measure measure, StratumWeights weights, double value) {
  const auto [excess, variance] = score(tables, measure, weights, value);
  if (variance > 0) return excess / std::sqrt(variance);
  return excess > 0 ? infinity : excess < 0 ? -infinity : 0.0;
}

ScoreInterval score_interval(std::vector<TwoByTwo> const& tables, Measure measure, StratumWeights weights, double level) {
  const TwoByTwo all = pooled(tables);
  const bool difference = measure == Measure::difference;
  // Ratios are searched on the log scale between e^-300 and e^300 (their squares are finite), the differences between -1 and 1.
  const auto value_at = [&](double t) { return difference ? t : std::exp(t); };
  const double least = difference ? -1 : -300, most = difference ? 1 : 300, equal = 0;
  const auto statistic = [&](double t) { return score_statistic(tables, measure, weights, value_at(t)); };

  ScoreInterval made{missing_number, missing_number, missing_number, missing_number, missing_number};
  if (all.a + all.c > 0 && all.b + all.d > 0) {
    made.z = statistic(equal);
    // A stratum with only one kind of response adds nothing to the excess at equality, so this is 0/0 when all strata have one.
    if (score(tables, measure, weights, value_at(equal)).variance > 0) made.p = numerics::normal_two_sided(made.z);
    else made.z = missing_number;
  }
  const double z = numerics::normal_interval(level);
  const double below = statistic(least), above = statistic(most);
  const double lowest = difference ? -1 : 0, highest = difference ? 1 : infinity;
  made.lower = below > z ? value_at(decreasing_zero([&](double t) { return statistic(t) - z; }, least, most)) : lowest;
  made.upper = above < -z ? value_at(decreasing_zero([&](double t) { return statistic(t) + z; }, least, most)) : highest;
  if (tables.size() == 1) {
    const double p1 = all.first_share(), p2 = all.second_share();
    made.estimate = difference                       ? p1 - p2
                    : measure == Measure::risk_ratio ? p1 / p2
                                                     : double(all.a) / double(all.b) * (double(all.d) / double(all.c));
  } else if (below > 0 && above < 0) {
    made.estimate = value_at(decreasing_zero(statistic, least, most));
  } else if (!(below > 0) && !(above < 0)) {
    made.estimate = missing_number;  // every value agrees with the data
  } else {
    made.estimate = below > 0 ? highest : lowest;
  }
  return made;
}

}  // namespace equipoise::stats
