#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/stats/repeated/visit_likelihood_work.h"

namespace equipoise::stats {

using folded::at, folded::put, folded::packed_index, folded::width;
using folded::Index, folded::Lanes, folded::MatrixXd, folded::VectorXd;

namespace {

constexpr double no_information = 1e-13;  ///< pivot beside its diagonal: a column that others tell but for rounding

}  // namespace

VisitLikelihood::Work::Work(VisitData const& d, bool reml) : PatternSums(d), restricted(reml), inverter(d.m()) {
  w = MatrixXd::Zero(rows, elements + m);
  root = MatrixXd::Zero(rows, elements);
  rh = MatrixXd::Zero(rows, elements);
  qq = MatrixXd::Zero(rows, elements);
  v = MatrixXd::Zero(rows, q * m);
  sums.resize(by_element, elements + m);
  visit_sums.resize(by_visit, m);
  totals.resize(rows);
  total_sums.resize(pairs - by_element - by_visit);
  a_matrix.resize(p, p);
  phi_matrix.resize(p, p);
  pair_weights.resize(p, p);
  t_extended.resize((m + 1) * (m + 1), pairs);
  t.resize(by_element, elements);
  t_visits.resize(by_visit, m);
  t_total.resize(pairs - by_element - by_visit);
  visit_shares.resize(rows, m);
  k4.resize(elements, elements);
  zz.resize(elements + m, q * m);
  z.resize(p, elements * blocks);
  rhs.resize(p);
  b.resize(p);
  b_at.resize(q * m);
  gradient_values.resize(elements * blocks);
  for (Index j = 0; j < m; ++j)
    for (Index k = 0; k < m; ++k) place_of.push_back(packed_index(j, k));
  for (Index k = 0; k < m; ++k) place_of.push_back(elements + k);
  for (VectorXd* full : {&w_full, &x_full, &root_full, &y_full}) full->resize(folded::widest_tile * width * m * m);
  element_sums.resize(std::size_t(elements));
  find_saturated();
}

void VisitLikelihood::Work::meet() {
  if (!meetings.empty()) return;
  meetings.resize(std::size_t(pairs));
  for (Index c = 0; c < p; ++c)
    for (Index d = 0; d <= c; ++d)
      for (auto const& left : data->columns[std::size_t(c)])
        for (auto const& right : data->columns[std::size_t(d)]) {
          // kept with the larger covariate first
          const bool swap = left.covariate < right.covariate;
          meetings[std::size_t(pair_place[packed(left.covariate, right.covariate)])].push_back(
              swap ? Meeting{std::uint32_t(d), std::uint32_t(c), right.visit, left.visit}
                   : Meeting{std::uint32_t(c), std::uint32_t(d), left.visit, right.visit});
        }
}

void VisitLikelihood::Work::assemble(MatrixXd const& of_patterns, MatrixXd& out) {
  meet();
  const auto row_sums = of_patterns.rightCols(m);
  const Index single = pairs - by_element - by_visit;
  if (by_element > 0) sums.noalias() = uu.leftCols(by_element).transpose() * of_patterns;
  if (by_visit > 0) visit_sums.noalias() = uu.middleCols(by_element, by_visit).transpose() * row_sums;
  if (single > 0) {
    totals = row_sums.col(0);
    for (Index j = 1; j < m; ++j) totals += row_sums.col(j);
    total_sums.noalias() = uu.rightCols(single).transpose() * totals;
  }
  out.setZero();
  const auto add = [&](Meeting const& it, double term) { out(Index(std::max(it.c, it.d)), Index(std::min(it.c, it.d))) += term; };
  for (Index pair = 0; pair < by_element; ++pair) {
    double total = 0;
    for (Index j = 0; j < m; ++j) total += sums(pair, elements + j);
    for (Meeting const& it : meetings[std::size_t(pair)])
      add(it, it.v == VisitData::every_visit ? (it.w == VisitData::every_visit ? total : sums(pair, elements + it.w))
                                             : sums(pair, place(it.w, it.v)));
  }
  for (Index pair = 0; pair < by_visit; ++pair) {
    double total = 0;
    for (Index j = 0; j < m; ++j) total += visit_sums(pair, j);
    for (Meeting const& it : meetings[std::size_t(by_element + pair)]) {
      const std::int32_t visit = it.v == VisitData::every_visit ? it.w : it.v;
      add(it, visit == VisitData::every_visit ? total : visit_sums(pair, visit));
    }
  }
  for (Index pair = 0; pair < single; ++pair)
    for (Meeting const& it : meetings[std::size_t(by_element + by_visit + pair)]) add(it, total_sums[pair]);
  for (Index c = 0; c < p; ++c)
    for (Index d = 0; d < c; ++d) out(d, c) = out(c, d);
}

void VisitLikelihood::Work::complete() {
  if (completed) return;
  assemble(w, a_matrix);
  factor.compute(a_matrix);
  invert_factor();
  completed = phi_made = true;
}

void VisitLikelihood::Work::complete_phi() {
  if (phi_made) return;
  if (saturated) phi_saturated();
  else complete();
  phi_made = true;
}

void VisitLikelihood::Work::invert_factor() {
  inverse_root.setIdentity(p, p);
  factor.matrixL().solveInPlace(inverse_root);
  phi_matrix.setZero();
  phi_matrix.selfadjointView<Eigen::Lower>().rankUpdate(inverse_root.transpose());
  phi_matrix.triangularView<Eigen::StrictlyUpper>() = phi_matrix.transpose();
}

bool VisitLikelihood::Work::evaluate(std::span<const double> at_sigma) {
  slopes_made = false;
  if (saturated) return evaluate_saturated(at_sigma);
  double logs = 0;
  for (Index block = 0; block < blocks; ++block) {
    const auto own = at_sigma.subspan(std::size_t(block * elements), std::size_t(elements));
    const bool definite = folded::in_tiles(start[std::size_t(block)], start[std::size_t(block) + 1], [&](auto wide, Index g) {
      if (!inverter.invert<wide()>(own, seen, g, w, root, w_full.data())) return false;
      for (Index lane = 0; lane < wide() * width; ++lane) logs += n[g + lane] * inverter.logs()[lane];
      return true;
    });
    if (!definite) return false;
  }
  assemble(w, a_matrix);
  factor.compute(a_matrix);
  if (factor.info() != Eigen::Success) return false;
  for (Index c = 0; c < p; ++c)  // with somebody left out, what nobody else tells is rounding
    if (!(std::pow(factor.matrixLLT()(c, c), 2) > no_information * a_matrix(c, c))) return false;
  // X'W y, and y'W y
  double squares = 0, magnitude = std::abs(logs);
  b_at.setZero();
  for (Index g = 0; g < rows; g += width)
    for (Index a = 0; a < q; ++a)
      for (Index j = 0; j < m; ++j) {
        Lanes sum = numerics::everywhere(0.0);
        for (Index k = 0; k < m; ++k) sum += at(uy, a * m + k, g) * at(w, Index(packed(std::size_t(j), std::size_t(k))), g);
        b_at[a * m + j] += numerics::total(sum);
      }
  for (Index e = 0, j = 0; j < m; ++j)
    for (Index k = 0; k <= j; ++k, ++e) {
      const double term = (j == k ? 1.0 : 2.0) * w.col(e).dot(yy.col(e));
      squares += term;
      magnitude += std::abs(term);
    }
  for (Index c = 0; c < p; ++c) {
    double sum = 0;
    for (auto const& piece : data->columns[std::size_t(c)])
      for (Index j = 0; j < m; ++j)
        if (piece.visit == VisitData::every_visit || piece.visit == j) sum += b_at[Index(piece.covariate) * m + j];
    rhs[c] = sum;
  }
  b = factor.solve(rhs);
  b_given = b + origin;
  log_det_a = 0;
  for (Index c = 0; c < p; ++c) log_det_a += 2 * std::log(factor.matrixLLT()(c, c));
  value = logs + squares - b.dot(rhs) + (restricted ? log_det_a : 0.0);
  rounding = std::numeric_limits<double>::epsilon() * (magnitude + std::abs(b.dot(rhs)));
  if (!std::isfinite(value)) return false;
  invert_factor();
  return true;
}

void VisitLikelihood::Work::spread(MatrixXd const& weights) {
  meet();
  t_extended.setZero();
  for (Index pair = 0; pair < pairs; ++pair)
    for (Meeting const& it : meetings[std::size_t(pair)]) {
      const double weight = weights(it.c, it.d);
      const Index left = it.v == VisitData::every_visit ? m : it.v, right = it.w == VisitData::every_visit ? m : it.w;
      // both orders of two columns; the second order is the transpose
      t_extended(left * (m + 1) + right, pair) += weight;
      if (it.c != it.d) t_extended(right * (m + 1) + left, pair) += weight;
    }
  last.resize(std::size_t(m));
  const auto ends_of = [&](double const* own, double* ends) {
    for (Index j = 0; j < m; ++j) ends[j] = own[j * (m + 1) + m] + own[m * (m + 1) + j];
  };
  for (Index pair = 0; pair < by_element; ++pair) {
    double const *own = t_extended.data() + pair * (m + 1) * (m + 1), *bottom = own + m * (m + 1);
    double *ends = last.data(), *to = t.data() + pair;
    ends_of(own, ends);
    for (Index j = 0; j < m; ++j)
      for (Index k = 0; k <= j; ++k, to += by_element)
        *to = 0.5 * (own[j * (m + 1) + k] + own[k * (m + 1) + j] + (ends[j] + ends[k])) + bottom[m];
  }
  for (Index pair = 0; pair < by_visit; ++pair) {
    double const *own = t_extended.data() + (by_element + pair) * (m + 1) * (m + 1), *bottom = own + m * (m + 1);
    ends_of(own, last.data());
    for (Index j = 0; j < m; ++j) t_visits(pair, j) = 0.5 * (last[std::size_t(j)] + bottom[m]);
  }
  for (Index pair = 0; pair < t_total.size(); ++pair)
    t_total[pair] = t_extended((m + 1) * (m + 1) - 1, by_element + by_visit + pair);
}

void VisitLikelihood::Work::add_spread(MatrixXd& out) {
  if (by_element > 0) out.noalias() += uu.leftCols(by_element) * t;
  if (by_element == pairs) return;
  visit_shares.noalias() = uu.middleCols(by_element, by_visit) * t_visits;
  totals.noalias() = uu.rightCols(t_total.size()) * t_total;
  for (Index j = 0; j < m; ++j) visit_shares.col(j) += 0.5 * totals;
  for (Index e = 0, j = 0; j < m; ++j)
    for (Index k = 0; k <= j; ++k, ++e) out.col(e) += visit_shares.col(j) + visit_shares.col(k);
}

template <Index C>
void VisitLikelihood::Work::unfold(Index g) {
  using T = folded::Tile<C>;
  double *x = x_full.data(), *w_of = w_full.data();
  double const* fitted = b_at.data();
  for (Index e = 0, j = 0; j < m; ++j)
    for (Index k = 0; k <= j; ++k, ++e) {
      const T own = T::load(&w(g, e));
      own.store(w_of + (j * m + k) * T::size);
      own.store(w_of + (k * m + j) * T::size);
      T cross = T::load(&rh(g, e));
      for (Index a = 0; a < q; ++a) {
        cross.subtract(T::load(&uy(g, a * m + j)), T::all(fitted[a * m + k]));
        cross.subtract(T::load(&uy(g, a * m + k)), T::all(fitted[a * m + j]));
      }
      cross.store(x + (j * m + k) * T::size);
      cross.store(x + (k * m + j) * T::size);
    }
}

void VisitLikelihood::Work::derive() {
  if (saturated) return derive_saturated();
  // b as coefficients of u at each visit
  b_at.setZero();
  for (Index c = 0; c < p; ++c)
    for (auto const& piece : data->columns[std::size_t(c)])
      for (Index j = 0; j < m; ++j)
        if (piece.visit == VisitData::every_visit || piece.visit == j) b_at[Index(piece.covariate) * m + j] += b[c];
  if (restricted) pair_weights = phi_matrix;
  else pair_weights.setZero();
  pair_weights.noalias() += b * b.transpose();
  spread(pair_weights);
  rh = yy;
  add_spread(rh);
  const double effective = restricted ? double(p) / observations : 0.0;
  stands_in = true;
  for (Index block = 0; block < blocks; ++block) {
    std::fill(element_sums.begin(), element_sums.end(), Lanes{});
    folded::in_tiles(start[std::size_t(block)], start[std::size_t(block) + 1], [&](auto wide, Index g) {
      using T = folded::Tile<wide()>;
      unfold<wide()>(g);
      const T count = T::load(n.data() + g), keep = count * T::all(1 - effective);
      whiten<wide()>(g, count);
      add_elements<wide()>();
      double *x = x_full.data(), *w_of = w_full.data();
      double const* fitted = b_at.data();
      for (Index e = 0, j = 0; j < m; ++j)
        for (Index l = 0; l <= j; ++l, ++e) {
          const T slope = T::load(x + (j * m + l) * T::size);
          (keep * T::load(w_of + (j * m + l) * T::size) - (slope + slope)).store(&qq(g, e));
        }
      // u r' W
      for (Index a = 0; a < q; ++a) {
        for (Index k = 0; k < m; ++k) {
          T sum = T::load(&uy(g, a * m + k));
          for (Index c = 0; c < q; ++c)
            sum.subtract(T::load(&uu(g, pair_place[packed(std::size_t(a), std::size_t(c))])), T::all(fitted[c * m + k]));
          (sum * T::load(&seen(g, k))).store(x + k * T::size);
        }
        for (Index l = 0; l < m; ++l) {
          T sum = T::all(0.0);
          for (Index k = 0; k < m; ++k) sum.add(T::load(x + k * T::size), T::load(w_of + (k * m + l) * T::size));
          sum.store(&v(g, a * m + l));
        }
      }
      return true;
    });
    total_elements(gradient_values.data() + block * elements);
  }
}

VisitLikelihood::VisitLikelihood(VisitData const& data, bool restricted) : work_(std::make_unique<Work>(data, restricted)) {}
VisitLikelihood::~VisitLikelihood() = default;
VisitLikelihood::VisitLikelihood(VisitLikelihood&&) noexcept = default;

std::size_t VisitLikelihood::elements() const { return std::size_t(work_->elements * work_->blocks); }
void VisitLikelihood::leave_out(std::size_t participant) { work_->count(participant, -1.0); }
void VisitLikelihood::put_back(std::size_t participant) { work_->count(participant, 1.0); }
void VisitLikelihood::recentre() {
  work_->recentre(work_->b);
  if (work_->saturated) work_->saturated->fresh = false;
}
bool VisitLikelihood::evaluate(std::span<const double> sigma) { return work_->evaluate(sigma); }
double VisitLikelihood::value() const { return work_->value; }
std::span<const double> VisitLikelihood::b() const { return {work_->b_given.data(), std::size_t(work_->p)}; }
std::span<const double> VisitLikelihood::phi() const {
  work_->complete_phi();
  return {work_->phi_matrix.data(), std::size_t(work_->p * work_->p)};
}
double VisitLikelihood::rounding() const { return work_->rounding; }
double VisitLikelihood::log_determinant() const { return work_->log_det_a; }
std::size_t VisitLikelihood::observations() const { return std::size_t(work_->observations + 0.5); }
std::size_t VisitLikelihood::participants() const { return std::size_t(work_->participants + 0.5); }

std::span<const double> VisitLikelihood::gradient() {
  work_->derive();
  return {work_->gradient_values.data(), elements()};
}

void VisitLikelihood::moments(std::span<double> means, std::span<double> counts) const {
  Work const& it = *work_;
  for (Index block = 0; block < it.blocks; ++block)
    for (Index s = 0, j = 0; j < it.m; ++j)
      for (Index k = 0; k <= j; ++k, ++s) {
        double sum = 0, count = 0;
        for (Index g = it.start[std::size_t(block)]; g < it.start[std::size_t(block) + 1]; ++g) {
          sum += it.yy(g, s);
          count += it.n[g] * it.seen(g, j) * it.seen(g, k);
        }
        counts[std::size_t(block * it.elements + s)] = count;
        means[std::size_t(block * it.elements + s)] = count > 0 ? sum / count : 0.0;
      }
}

}  // namespace equipoise::stats
