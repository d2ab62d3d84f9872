#include "equipoise/numerics/multivariate_normal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "equipoise/core/error.h"
#include "equipoise/numerics/distributions.h"

namespace equipoise::numerics {
namespace {

constexpr double dependent = 1e-13;  // residual variance of a row that is a combination of others
constexpr double far = 38.5;         // beyond this the normal density is 0 in double precision
constexpr double rounding = 1e-13;   // of an integral of non-negative parts
constexpr int most_bisections = 40;

// Nodes above 0 of the 21-point Kronrod rule on [-1, 1], its weights, and those of the 10-point Gauss rule at every second node.
constexpr std::array<double, 10> node{0.995657163025808080735527280689003, 0.973906528517171720077964012084452,
                                      0.930157491355708226001207180059508, 0.865063366688984510732096688423493,
                                      0.780817726586416897063717578345042, 0.679409568299024406234327365114874,
                                      0.562757134668604683339000099272694, 0.433395394129247190799265943165784,
                                      0.294392862701460198131126603103866, 0.148874338981631210884826001129720};
constexpr std::array<double, 10> kronrod{0.011694638867371874278064396062192, 0.032558162307964727478818972459390,
                                         0.054755896574351996031381300244580, 0.075039674810919952767043140916190,
                                         0.093125454583697605535065465083366, 0.109387158802297641899210590325805,
                                         0.123491976262065851077958109585166, 0.134709217311473325928054001771707,
                                         0.142775938577060080797094273138717, 0.147739104901338491374841515972068};
constexpr double kronrod_middle = 0.149445554002916905664936468389821;
constexpr std::array<double, 5> gauss{0.066671344308688137593568809893332, 0.149451349150580593145863397657697,
                                      0.219086362515982043995534934228163, 0.269266719309996355091226921569469,
                                      0.295524224714752870173815619188769};

double density(double x) { return std::exp(-0.5 * x * x) * 0.39894228040143267793994605993438; }

/// Integral of f over [from, to] to about the absolute tolerance.
template <class F>
double integrate(F const& f, double from, double to, double tolerance, int depth = 0) {
  const double middle = (from + to) / 2, half = (to - from) / 2;
  const double at_middle = f(middle);
  double fine = kronrod_middle * at_middle, coarse = 0;
  for (std::size_t i = 0; i < node.size(); ++i) {
    const double both = f(middle - half * node[i]) + f(middle + half * node[i]);
    fine += kronrod[i] * both;
    if (i % 2 == 1) coarse += gauss[i / 2] * both;
  }
  fine *= half, coarse *= half;
  // The difference is the error of the coarse rule; that of the fine one is far below it once the integrand is smooth. Below the
  // rounding of the integral itself there is nothing to gain.
  if (std::abs(fine - coarse) <= std::max(tolerance, rounding * std::abs(fine)) || depth == most_bisections || !(half > 1e-15 * std::abs(middle))) return fine;
  return integrate(f, from, middle, tolerance / 2, depth + 1) + integrate(f, middle, to, tolerance / 2, depth + 1);
}

/// What iterated integration needs: rows sorted by the last component they depend on.
struct Box {
  std::size_t rank = 0;
  struct Row {
    std::array<double, most_normal_components> l{};
    double lower, upper;
  };
  std::array<std::vector<Row>, most_normal_components> rows;  ///< rows[k] depend on x_k, and on none after it
  bool complement = false;
  std::array<double, most_normal_components> x{};

  struct Interval {
    double from = -std::numeric_limits<double>::infinity(), to = std::numeric_limits<double>::infinity();
  };
  /// x_k that satisfy the rows of component k, given the components before it.
  Interval interval(std::size_t k) const {
    Interval inside;
    for (Row const& row : rows[k]) {
      double shift = 0;
      for (std::size_t j = 0; j < k; ++j) shift += row.l[j] * x[j];
      double a = (row.lower - shift) / row.l[k], b = (row.upper - shift) / row.l[k];
      if (row.l[k] < 0) std::swap(a, b);
      inside.from = std::max(inside.from, a), inside.to = std::min(inside.to, b);
    }
    return inside;
  }

  /// Where, along x_k in (from, to), the rows of the component after it meet each other's limits.
  std::vector<double> corners(std::size_t k, double from, double to) const {
    struct Line {
      double at_0, slope;
    };
    std::vector<Line> lines;
    for (Row const& row : rows[k + 1]) {
      double shift = 0;
      for (std::size_t j = 0; j < k; ++j) shift += row.l[j] * x[j];
      for (const double limit : {row.lower, row.upper})
        if (std::isfinite(limit)) lines.push_back({(limit - shift) / row.l[k + 1], -row.l[k] / row.l[k + 1]});
    }
    std::vector<double> out{from};
    for (std::size_t a = 0; a < lines.size(); ++a)
      for (std::size_t b = a + 1; b < lines.size(); ++b) {
        const double at = (lines[b].at_0 - lines[a].at_0) / (lines[a].slope - lines[b].slope);
        if (at > from && at < to) out.push_back(at);  // false for parallel lines
      }
    out.push_back(to);
    std::sort(out.begin(), out.end());
    return out;
  }

  /// A later row that x_k almost decides turns from kept to broken within a thin layer, which must not fall between the nodes.
  void add_layers(std::vector<double>& cuts, std::size_t k, double low, double high) const {
    for (std::size_t later = k + 1; later < rank; ++later)
      for (Row const& row : rows[later]) {
        double shift = 0, left = 0;
        for (std::size_t j = 0; j < k; ++j) shift += row.l[j] * x[j];
        for (std::size_t j = k + 1; j <= later; ++j) left += row.l[j] * row.l[j];
        const double width = std::sqrt(left) / std::abs(row.l[k]);
        if (!(width < 0.5)) continue;  // wide enough for the rule itself, or x_k not in the row
        for (const double limit : {row.lower, row.upper})
          for (const double away : {-9.0, -3.0, 0.0, 3.0, 9.0}) {
            const double cut = (limit - shift) / row.l[k] + away * width;
            if (cut > low && cut < high) cuts.push_back(cut);
          }
      }
  }

  /// Probability over x_k, x_(k+1), ... of all their rows, given the components before.
  double over(std::size_t k, double tolerance) {
    const auto [from, to] = interval(k);
    if (!(from < to)) return complement ? 1 : 0;
    const double tails = complement ? normal_cdf(from) + normal_upper(to) : 0;
    if (k + 1 == rank) {
      if (complement) return tails;
      return from > 0 ? normal_upper(from) - normal_upper(to) : normal_cdf(to) - normal_cdf(from);
    }
    const double low = std::max(from, -far), high = std::min(to, far);
    if (!(low < high)) return tails;
    const auto integrand = [this, k, tolerance](double at) {
      x[k] = at;
      const double here = density(at);
      return here * over(k + 1, tolerance / 16 / std::max(here, 1e-300));  // far out, the rest need not be sharp
    };
    // Halves around the middle at least: a density far narrower than its range must not fall between the nodes.
    std::vector<double> cuts = k + 2 == rank ? corners(k, low, high) : std::vector<double>{low, high};
    for (const double cut : {-6.0, -3.0, 0.0, 3.0, 6.0})
      if (cut > low && cut < high) cuts.push_back(cut);
    add_layers(cuts, k, low, high);
    std::sort(cuts.begin(), cuts.end());
    double total = 0;
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i)
      if (cuts[i] < cuts[i + 1]) total += integrate(integrand, cuts[i], cuts[i + 1], tolerance / 4);
    return tails + total;
  }
};

/// Rows of the pivoted Cholesky factor dealt to the components. Returns the rank, which may be more than a Box takes.
std::size_t fill(Box& box, std::span<const double> correlation, std::span<const double> lower, std::span<const double> upper) {
  const std::size_t m = lower.size();
  std::vector<double> residual(m);
  std::vector<std::uint8_t> done(m, 0);
  std::vector<double> l(m * m, 0.0);
  for (std::size_t i = 0; i < m; ++i) residual[i] = correlation[i * m + i];
  std::size_t r = 0;
  for (; r < m; ++r) {
    std::size_t pivot = m;
    for (std::size_t i = 0; i < m; ++i)
      if (!done[i] && residual[i] > dependent && (pivot == m || residual[i] > residual[pivot])) pivot = i;
    if (pivot == m) break;
    done[pivot] = 1;
    if (r == most_normal_components) {  // count what is left, without its rows
      std::size_t more = r + 1;
      for (std::size_t i = 0; i < m; ++i) more += !done[i] && residual[i] > dependent;
      return more;
    }
    const double root = std::sqrt(residual[pivot]);
    l[pivot * m + r] = root;
    for (std::size_t i = 0; i < m; ++i) {
      if (done[i]) continue;
      double entry = correlation[i * m + pivot];
      for (std::size_t j = 0; j < r; ++j) entry -= l[i * m + j] * l[pivot * m + j];
      l[i * m + r] = entry / root;
      residual[i] -= l[i * m + r] * l[i * m + r];
    }
  }
  box.rank = r;
  for (std::size_t i = 0; i < m; ++i) {
    Box::Row row{.l = {}, .lower = lower[i], .upper = upper[i]};
    std::size_t last = 0;
    for (std::size_t j = 0; j < r; ++j)
      if (std::abs(l[i * m + j]) > 1e-9) row.l[j] = l[i * m + j], last = j;  // below: rounding, as its square is
    box.rows[last].push_back(row);
  }
  return r;
}

RectangleProbability rectangle(std::span<const double> correlation, std::span<const double> lower, std::span<const double> upper,
                               bool complement) {
  const std::size_t m = lower.size();
  expects(upper.size() == m && correlation.size() == m * m, "limits and correlation have one size");
  Box box;
  box.complement = complement;
  const std::size_t rank = fill(box, correlation, lower, upper);
  RectangleProbability answer{std::numeric_limits<double>::quiet_NaN(), rank};
  if (rank > most_normal_components) return answer;
  double largest_tail = 0;
  for (std::size_t i = 0; i < m; ++i) {
    if (std::isnan(lower[i]) || std::isnan(upper[i])) return answer;
    largest_tail = std::max(largest_tail, normal_cdf(lower[i]) + normal_upper(upper[i]));
    if (!(lower[i] < upper[i])) return {complement ? 1.0 : 0.0, rank};
  }
  if (rank == 0 || (complement && largest_tail < 1e-290)) return {complement ? largest_tail : 1.0, rank};
  // The complement is at least its largest single tail.
  const double tolerance = complement ? 1e-10 * largest_tail : 1e-11;
  answer.probability = std::clamp(box.over(0, tolerance), complement ? largest_tail : 0.0, 1.0);
  return answer;
}

}  // namespace

RectangleProbability multivariate_normal_inside(std::span<const double> correlation, std::span<const double> lower,
                                                std::span<const double> upper) {
  return rectangle(correlation, lower, upper, false);
}

RectangleProbability multivariate_normal_outside(std::span<const double> correlation, std::span<const double> lower,
                                                 std::span<const double> upper) {
  return rectangle(correlation, lower, upper, true);
}

}  // namespace equipoise::numerics
