#include "equipoise/stats/repeated/pattern_sums.h"

namespace equipoise::stats::folded {

PatternSums::PatternSums(VisitData const& d)
    : data(&d),
      m(Index(d.m())),
      q(Index(d.covariates)),
      p(Index(d.p())),
      pairs(q * (q + 1) / 2),
      elements(m * (m + 1) / 2),
      blocks(Index(d.blocks.size())) {
  row_of_pattern.resize(data->patterns.size());
  start.push_back(0);
  Index next = 0;
  for (Index block = 0; block < blocks; ++block) {
    for (std::size_t g = 0; g < data->patterns.size(); ++g)
      if (data->patterns[g].block == block) row_of_pattern[g] = next++;
    next = (next + width - 1) / width * width;
    start.push_back(next);
  }
  rows = next;
  order_pairs();
  seen = MatrixXd::Zero(rows, m);
  uu = MatrixXd::Zero(rows, pairs);
  uy = MatrixXd::Zero(rows, q * m);
  yy = MatrixXd::Zero(rows, elements);
  n = VectorXd::Zero(rows);
  for (std::size_t g = 0; g < data->patterns.size(); ++g) {
    for (Index j = 0; j < m; ++j) seen(row_of_pattern[g], j) = double(data->patterns[g].seen >> j & 1u);
    n[row_of_pattern[g]] = data->patterns[g].participants;
  }
  times_.assign(data->n(), 1);
  origin = VectorXd::Zero(p);
  sum_products();
  observations = double(data->observations);
  participants = double(data->n());
}

void PatternSums::order_pairs() {
  of_visits.assign(std::size_t(q), 0);
  for (auto const& column : data->columns)
    for (VisitData::Piece const& piece : column) of_visits[piece.covariate] |= piece.visit != VisitData::every_visit;
  pair_place.resize(std::size_t(pairs));
  Index next = 0;
  for (const int kind : {2, 1, 0}) {
    for (Index a = 0; a < q; ++a)
      for (Index c = 0; c <= a; ++c)
        if (of_visits[std::size_t(a)] + of_visits[std::size_t(c)] == kind) pair_place[std::size_t(packed_index(a, c))] = next++;
    if (kind == 2) by_element = next;
    if (kind == 1) by_visit = next - by_element;
  }
}

// A pattern's sums stand together while they are taken, then one sum of all patterns together.
void PatternSums::sum_products() {
  const std::size_t each = std::size_t(pairs + q * m + elements);
  std::vector<double> own(each * data->patterns.size(), 0.0);
  for (std::size_t i = 0; i < data->n(); ++i) add(i, own.data() + each * data->pattern_of[i], double(times_[i]));
  for (std::size_t g = 0; g < data->patterns.size(); ++g) {
    double const* from = own.data() + each * g;
    const Index row = row_of_pattern[g];
    for (const Index place : pair_place) uu(row, place) = *from++;
    for (Index k = 0; k < q * m; ++k) uy(row, k) = *from++;
    for (Index k = 0; k < elements; ++k) yy(row, k) = *from++;
  }
}

void PatternSums::recentre(VectorXd const& b) {
  origin += b;
  origin_at_.assign(std::size_t(q * m), 0.0);
  for (Index c = 0; c < p; ++c)
    for (auto const& piece : data->columns[std::size_t(c)])
      for (Index j = 0; j < m; ++j)
        if (piece.visit == VisitData::every_visit || piece.visit == j)
          origin_at_[std::size_t(Index(piece.covariate) * m + j)] += origin[c];
  shifted_.resize(std::size_t(m));
  sum_products();
}

double const* PatternSums::response(std::size_t i) const {
  double const* y = data->y.data() + i * std::size_t(m);
  if (origin_at_.empty()) return y;
  double const* u = data->u.data() + i * std::size_t(q);
  const std::uint64_t has = data->patterns[data->pattern_of[i]].seen;
  for (Index j = 0; j < m; ++j) {
    double left = y[j];
    if (has >> j & 1u)
      for (Index a = 0; a < q; ++a) left -= u[a] * origin_at_[std::size_t(a * m + j)];
    shifted_[std::size_t(j)] = left;
  }
  return shifted_.data();
}

void PatternSums::add(std::size_t i, double* to, double sign) const {
  double const* u = data->u.data() + i * std::size_t(q);
  double const* y = response(i);
  for (Index a = 0; a < q; ++a)
    for (Index c = 0; c <= a; ++c) *to++ += sign * u[a] * u[c];
  for (Index a = 0; a < q; ++a)
    for (Index j = 0; j < m; ++j) *to++ += sign * u[a] * y[j];
  for (Index j = 0; j < m; ++j)
    for (Index k = 0; k <= j; ++k) *to++ += sign * y[j] * y[k];
}

void PatternSums::change(std::size_t i, double sign) {
  const Index row = row_of_pattern[data->pattern_of[i]];
  double const* u = data->u.data() + i * std::size_t(q);
  double const* y = response(i);
  Index at_pair = 0, at_product = 0, at_element = 0;
  for (Index a = 0; a < q; ++a)
    for (Index c = 0; c <= a; ++c) uu(row, pair_place[std::size_t(at_pair++)]) += sign * u[a] * u[c];
  for (Index a = 0; a < q; ++a)
    for (Index j = 0; j < m; ++j) uy(row, at_product++) += sign * u[a] * y[j];
  for (Index j = 0; j < m; ++j)
    for (Index k = 0; k <= j; ++k) yy(row, at_element++) += sign * y[j] * y[k];
  times_[i] += sign > 0 ? 1 : -1;
  n[row] += sign;
  participants += sign;
  for (Index j = 0; j < m; ++j) observations += sign * seen(row, j);
}

}  // namespace equipoise::stats::folded
