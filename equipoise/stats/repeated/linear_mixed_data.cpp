#include "equipoise/stats/repeated/linear_mixed_data.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>

#include "equipoise/core/text.h"
#include "equipoise/numerics/sum.h"

namespace equipoise::stats {
namespace {

using Eigen::Index;
using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr double no_more = 1e-15;         ///< of the largest: what a pattern's products still hold of another row
constexpr double no_residual = 1e-13;     ///< of the least squares residual variance: within participants there is none
constexpr std::size_t worth_folding = 4;  ///< participants of a pattern

/// Reflections of a matrix (rows x columns, row by row), in place: R above, for the turning of other rows.
class Reflections {
 public:
  void of(std::vector<double> matrix, std::size_t rows, std::size_t columns) {
    z_ = std::move(matrix), rows_ = rows, columns_ = columns, height_ = std::min(rows, columns);
    v_.assign(rows_ * height_, 0.0);
    factor_.assign(height_, 0.0);
    for (std::size_t k = 0; k < height_; ++k) {
      double squares = 0;
      for (std::size_t i = k; i < rows_; ++i) squares += z_[i * columns_ + k] * z_[i * columns_ + k];
      const double length = std::sqrt(squares);
      if (length == 0) continue;
      const double sign = z_[k * columns_ + k] < 0 ? -1.0 : 1.0;
      for (std::size_t i = k; i < rows_; ++i) v_[i * height_ + k] = z_[i * columns_ + k] / (sign * length);
      v_[k * height_ + k] += 1;
      factor_[k] = 1 / v_[k * height_ + k];
      reflect(k, z_.data(), columns_);
      for (std::size_t i = k + 1; i < rows_; ++i) z_[i * columns_ + k] = 0;
    }
  }
  std::size_t height() const { return height_; }
  double const* triangle() const { return z_.data(); }  ///< height x columns

  /// Turns rows of `width` values.
  void turn(double* rows, std::size_t width) const {
    for (std::size_t k = 0; k < height_; ++k)
      if (factor_[k] != 0) reflect(k, rows, width);
  }

 private:
  void reflect(std::size_t k, double* rows, std::size_t width) const {
    product_.assign(width, 0.0);
    for (std::size_t i = k; i < rows_; ++i)
      for (std::size_t j = 0; j < width; ++j) product_[j] += v_[i * height_ + k] * rows[i * width + j];
    for (std::size_t j = 0; j < width; ++j) product_[j] *= factor_[k];
    for (std::size_t i = k; i < rows_; ++i)
      for (std::size_t j = 0; j < width; ++j) rows[i * width + j] -= v_[i * height_ + k] * product_[j];
  }

  std::vector<double> z_, v_, factor_;
  mutable std::vector<double> product_;
  std::size_t rows_ = 0, columns_ = 0, height_ = 0;
};

/// Columns of the random effects as given, and ours: orthogonal with mean square 1.
struct RandomColumns {
  std::vector<double> given, ours;  ///< n x q, row by row
  std::vector<double> to_given;     ///< q x q
  std::string dependent;            ///< one that depends on those before it; then there is nothing else
};

RandomColumns random_columns(Frame const& frame, std::vector<std::string> const& names) {
  const std::size_t n = frame.rows, q = names.size();
  RandomColumns made{.given = std::vector<double>(n * q), .ours = std::vector<double>(n * q)};
  const bool intercept = std::find(names.begin(), names.end(), "1") != names.end();
  // x = mean + length times a standard column; without a random intercept the mean cannot be taken out
  std::vector<double> standard, mean(q, 0.0), length(q, 0.0);
  std::vector<std::size_t> order;  // the intercept first
  for (std::size_t j = 0; j < q; ++j)
    if (names[j] == "1") order.push_back(j);
  for (std::size_t j = 0; j < q; ++j)
    if (names[j] != "1") order.push_back(j);
  for (const std::size_t j : order) {
    std::vector<double> x(n, 1.0);
    if (names[j] != "1") {
      const NumbersView values = frame.numbers(names[j]);
      std::copy(values.begin(), values.end(), x.begin());
    }
    for (std::size_t i = 0; i < n; ++i) made.given[i * q + j] = x[i];
    if (names[j] != "1" && intercept) {
      std::tie(mean[j], length[j]) = standardise(x);
    } else {
      numerics::Sum squares;
      const auto scale = numerics::scale_to_one(x);
      for (const double value : x) squares.add(value * value);
      const double norm = std::sqrt(squares.value());
      length[j] = std::ldexp(norm, scale.exponent);
      for (double& value : x) value = norm > 0 ? value / norm : 0.0;
    }
    standard.insert(standard.end(), x.begin(), x.end());
  }
  const numerics::OrderedQr qr(n, q, standard, dependent_column);
  for (std::size_t k = 0; k < q; ++k)
    if (!qr.used(k)) made.dependent = names[order[k]];
  if (!made.dependent.empty()) return made;
  // ours = standard R^-1 sqrt(n); row k of R^-1 is the direction of coefficient k
  const double root = std::sqrt(double(n));
  std::vector<double> inverse(q * q);
  for (std::size_t k = 0; k < q; ++k) {
    std::vector<double> unit(q, 0.0);
    unit[k] = 1;
    const std::vector<double> w = qr.solve_transposed(unit);
    std::copy(w.begin(), w.end(), inverse.begin() + std::ptrdiff_t(k * q));
  }
  for (std::size_t k = 0; k < q; ++k)
    for (std::size_t j = 0; j < q; ++j)
      if (const double weight = inverse[k * q + j] * root; weight != 0)
        for (std::size_t i = 0; i < n; ++i) made.ours[i * q + j] += standard[k * n + i] * weight;
  // ours u = given v: standard coefficients sqrt(n) R^-1 u; given ones divided by length, the intercept less the means
  made.to_given.assign(q * q, 0.0);
  for (std::size_t k = 0; k < q; ++k)
    for (std::size_t j = 0; j < q; ++j) {
      const double in_standard = inverse[k * q + j] * root;
      const std::size_t row = order[k];
      made.to_given[row * q + j] += in_standard / length[row];
      if (mean[row] != 0) made.to_given[order[0] * q + j] -= in_standard / length[row] * mean[row];
    }
  return made;
}

/// (X, y): n x (p + 1), row by row; X of our fixed columns, y = response/unit less its least squares fit.
struct FixedSide {
  std::vector<double> values;
  std::vector<double> first_fit;
  double log_determinant = 0;
};

FixedSide fixed_side(Design const& design, NumbersView response, LinearFit const& fit, double unit, std::size_t p) {
  const std::size_t n = design.rows, width = p + 1;
  FixedSide made{.values = std::vector<double>(n * width, 0.0), .first_fit = std::vector<double>(p, 0.0)};
  const double root = std::sqrt(double(n));
  for (std::size_t i = 0; i < n; ++i) made.values[i * width] = 1;
  made.log_determinant = 0;
  std::size_t position = 1;
  std::vector<double> x(n);
  for (std::size_t j = 1; j < design.names.size(); ++j) {
    if (!fit.used(j)) continue;
    const std::span<const double> column = design.column(j);
    std::copy(column.begin(), column.end(), x.begin());
    const auto [mean, length] = standardise(x);
    const std::vector<double> direction = fit.coefficient(j).direction;  // R^-T e_j / length
    for (std::size_t k = position; k < p; ++k)
      if (const double weight = direction[k] * length * root; weight != 0)
        for (std::size_t i = 0; i < n; ++i) made.values[i * width + k] += x[i] * weight;
    made.log_determinant -= std::log(std::abs(direction[position] * root));
    ++position;
  }
  // far from 0 the mean is taken out first, where the subtraction is exact
  const double first = response[0] / unit;
  numerics::Sum sum;
  for (const double value : response) sum.add(value / unit - first);
  const double mean = first + sum.value() / double(n);
  std::vector<double> y(n);
  for (std::size_t i = 0; i < n; ++i) y[i] = response[i] / unit - mean;
  for (std::size_t k = 0; k < p; ++k) {
    numerics::Sum product;
    for (std::size_t i = 0; i < n; ++i) product.add(made.values[i * width + k] * y[i]);
    made.first_fit[k] = product.value() / double(n);
  }
  for (std::size_t i = 0; i < n; ++i) {
    double fitted = 0;
    for (std::size_t k = 0; k < p; ++k) fitted += made.values[i * width + k] * made.first_fit[k];
    made.values[i * width + p] = y[i] - fitted;
  }
  made.first_fit[0] += mean;
  return made;
}

/// Rows of each participant, in the order of their random-effects columns, so that equal Z are found whatever the order of rows.
struct Participants {
  std::vector<std::int32_t> of_row;  ///< from 0, in the order of their first row
  std::vector<std::vector<std::size_t>> rows;
};

Participants participants_of(CategoriesView const& subjects, std::vector<double> const& z, std::size_t q) {
  Participants made{.of_row = std::vector<std::int32_t>(subjects.size()), .rows = {}};
  std::vector<std::int32_t> number(subjects.levels.size(), -1);
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    std::int32_t& own = number[std::size_t(subjects.codes[i])];
    if (own < 0) {
      own = std::int32_t(made.rows.size());
      made.rows.emplace_back();
    }
    made.of_row[i] = own;
    made.rows[std::size_t(own)].push_back(i);
  }
  for (auto& rows : made.rows)
    std::stable_sort(rows.begin(), rows.end(), [&](std::size_t a, std::size_t b) {
      return std::lexicographical_compare(&z[a * q], &z[a * q] + q, &z[b * q], &z[b * q] + q);
    });
  return made;
}

/// Fewer rows with the same products: those of R P' in A P = Q R, A = units x values.
std::vector<double> folded(std::vector<double> const& units, std::size_t count, std::size_t values) {
  const Eigen::Map<const RowMatrix> given(units.data(), Index(count), Index(values));
  Eigen::ColPivHouseholderQR<Eigen::MatrixXd> qr(given);
  const double largest = std::abs(qr.matrixR()(0, 0));
  Index rank = 0;
  while (rank < Index(std::min(count, values)) && std::abs(qr.matrixR()(rank, rank)) > no_more * largest) ++rank;
  Eigen::MatrixXd r = qr.matrixR().topRows(rank).triangularView<Eigen::Upper>();
  const RowMatrix back = r * qr.colsPermutation().transpose();
  return {back.data(), back.data() + back.size()};
}

/// Residual sum of squares of y on X from their products. The columns of X have mean square 1 over all n rows: a combination of
/// them that has less than 1e-13 of that in these rows is rounding.
double residual_of(std::vector<double> const& products, std::size_t p, double n) {
  const Index size = Index(p), width = size + 1;
  const RowMatrix all = Eigen::Map<const RowMatrix>(products.data(), width, width);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(all.topLeftCorner(size, size));
  const Eigen::VectorXd along = eigen.eigenvectors().transpose() * all.topRightCorner(size, 1);
  double squares = all(size, size);
  for (Index k = 0; k < size; ++k)
    if (eigen.eigenvalues()[k] > no_residual * n) squares -= along[k] * along[k] / eigen.eigenvalues()[k];
  return squares;
}

}  // namespace

std::vector<double> MixedData::ours(LinearFunction const& function) const {
  std::vector<double> l = function.direction;
  const double root = std::sqrt(double(observations));
  for (std::size_t k = 0; k < l.size(); ++k) l[k] *= root;
  return l;
}

Expected<MixedData> fold_mixed(Frame const& frame, Design const& design, std::string const& response, std::string const& subject,
                               std::vector<std::string> const& random, Keep keep) {
  for (std::string const& name : random)
    if (name != "1")
      for (const double value : frame.numbers(name))
        if (!std::isfinite(value))
          return fail(Code::bad_cell, "column '{}' holds {}: a random-effects column must be finite", name, shortest(value));
  auto fit = LinearFit::fit(design, frame.numbers(response), response);
  if (!fit) return tl::unexpected(fit.error());
  MixedData data{.random = random, .q = random.size(), .observations = frame.rows, .least_squares = std::move(*fit)};
  for (std::size_t j = 0; j < design.names.size(); ++j) data.p += data.least_squares.used(j);
  const std::size_t n = frame.rows, p = data.p, q = data.q, width = p + 1;
  if (n == 0) {
    data.reason = "No row";
    return data;
  }
  RandomColumns z = random_columns(frame, random);
  Participants participants = participants_of(frame.categories(subject), z.given, q);
  data.subject = std::move(participants.of_row);
  data.participants = participants.rows.size();
  if (!(data.least_squares.df() > 0)) data.reason = "As many coefficients as rows";
  else if (data.least_squares.perfect()) data.reason = "The model fits every row exactly";
  else if (data.participants < 2) data.reason = "One participant: how participants differ cannot be estimated";
  else if (!z.dependent.empty())
    data.reason = fmt::format("The random effect of '{}' is determined by those before it, or 0 in every row", z.dependent);
  if (!data.reason.empty()) return data;
  data.to_given = std::move(z.to_given);
  data.unit = std::ldexp(1.0, std::clamp(std::ilogb(data.least_squares.sigma()), -1021, 1023));
  FixedSide fixed = fixed_side(design, frame.numbers(response), data.least_squares, data.unit, p);
  data.first_fit = std::move(fixed.first_fit);
  data.log_determinant = fixed.log_determinant;

  std::map<std::vector<double>, std::size_t> known;  // Z to its pattern
  std::vector<std::vector<std::size_t>> members;
  std::vector<double> key;
  for (std::size_t i = 0; i < data.participants; ++i) {
    key.clear();
    for (const std::size_t row : participants.rows[i]) key.insert(key.end(), &z.given[row * q], &z.given[row * q] + q);
    const auto [found, fresh] = known.try_emplace(key, members.size());
    if (fresh) members.emplace_back();
    members[found->second].push_back(i);
  }

  data.rest.assign(width * width, 0.0);
  Reflections reflections;
  std::vector<double> units, rows;
  for (auto const& pattern_members : members) {
    auto const& first = participants.rows[pattern_members.front()];
    const std::size_t height = std::min(first.size(), q);
    std::vector<double> matrix;
    for (const std::size_t row : first) matrix.insert(matrix.end(), &z.ours[row * q], &z.ours[row * q] + q);
    reflections.of(std::move(matrix), first.size(), q);
    MixedData::Pattern pattern{.participants = double(pattern_members.size()),
                               .height = height,
                               .factor = data.factors.size(),
                               .start = data.turned.size()};
    data.factors.insert(data.factors.end(), reflections.triangle(), reflections.triangle() + height * q);
    units.clear();
    for (const std::size_t member : pattern_members) {
      rows.clear();
      for (const std::size_t row : participants.rows[member])
        rows.insert(rows.end(), &fixed.values[row * width], &fixed.values[row * width] + width);
      reflections.turn(rows.data(), width);
      units.insert(units.end(), rows.begin(), rows.begin() + std::ptrdiff_t(height * width));
      for (std::size_t i = height; i < first.size(); ++i) {
        double const* row = rows.data() + i * width;
        for (std::size_t a = 0; a < width; ++a)
          for (std::size_t b = 0; b < width; ++b) data.rest[a * width + b] += row[a] * row[b];
      }
      data.rest_rows += first.size() - height;
    }
    if (pattern_members.size() >= worth_folding) units = folded(units, pattern_members.size(), height * width);
    pattern.units = units.size() / (height * width);
    data.turned.insert(data.turned.end(), units.begin(), units.end());
    data.patterns.push_back(pattern);
  }
  if (data.rest_rows == 0)
    data.reason = "No participant has more rows than random effects, so the residual variance cannot be told from theirs";
  else if (!(residual_of(data.rest, p, double(n)) > no_residual * double(n)))
    data.reason = "The random effects fit the rows of every participant exactly: there is no residual variance";
  if (keep == Keep::rows) {
    data.rows = std::move(fixed.values);
    data.random_rows = std::move(z.ours);
  }
  return data;
}

}  // namespace equipoise::stats
