#include "equipoise/stats/imputation/completed_sums.h"

#include <algorithm>
#include <cmath>

namespace equipoise::stats {
namespace {

/// What the columns before it must leave of a column of length 1, squared, or the participants counted do not determine it. All
/// together leave more than 1e-16 (`dependent_column`).
constexpr double dependent = 1e-12;

}  // namespace

CompletedSums::CompletedSums(CompletedAncova const& ancova, VisitGrid const& grid, ImputationModel const* model,
                             ImputationDeltas const& deltas)
    : ancova_(ancova), grid_(grid), model_(model), deltas_(deltas), p_(model ? model->data().p() : 0) {
  const std::size_t m = grid.m();
  std::size_t widest = 0;
  for (auto const& question : ancova.questions()) groups_ += !question.difference();
  for (auto const& design : ancova.models()) {
    cross_.emplace_back(design.width * design.width, 0.0);
    numbers_.emplace_back(design.numbers.size(), 0.0);
    factors_.emplace_back(design.width * design.width, 0.0);
    means_.emplace_back(design.numbers.size(), 0.0);
    functions_.emplace_back(ancova.questions().size() * design.width, 0.0);
    widest = std::max(widest, design.width);
  }
  for (std::size_t j = 0; j < m; ++j) known_.emplace_back(ancova.models()[ancova.model_at(j)].width, 0.0);
  shift_.assign(groups_, std::vector<double>(ancova.models()[ancova.model_at(deltas.visit)].width, 0.0));
  if (model)
    for (ImputationKind const& kind : model->kinds()) {
      std::vector<Slot>& slots = slots_.emplace_back();
      for (const std::uint32_t j : kind.missing) {
        const std::size_t design = ancova.model_at(j), width = ancova.models()[design].width;
        auto slot = std::find_if(slots.begin(), slots.end(), [&](Slot const& s) { return s.model == design; });
        if (slot == slots.end())
          slot = slots.insert(slots.end(), Slot{design, {}, std::vector<double>(m * width, 0.0), std::vector<double>(m * width * p_, 0.0)});
        slot->visits.push_back(j);
      }
    }
  total_ = known_;
  residuals_.resize(m * widest);
  right_.resize(widest);
  for (std::size_t i = 0; i < grid.n(); ++i) add(i, 1);
}

void CompletedSums::add(std::size_t i, double times) {
  const std::size_t m = grid_.m();
  participants_ += times;
  for (std::size_t d = 0; d < ancova_.models().size(); ++d) {
    auto const& design = ancova_.models()[d];
    double const* x = design.x.data() + i * design.width;
    for (std::size_t a = 0; a < design.width; ++a)
      for (std::size_t b = 0; b <= a; ++b) cross_[d][a * design.width + b] += times * x[a] * x[b];
    for (std::size_t c = 0; c < design.numbers.size(); ++c) numbers_[d][c] += times * design.numbers[c][i];
  }
  for (std::size_t j = 0; j < m; ++j) {
    auto const& design = ancova_.models()[ancova_.model_at(j)];
    double const* x = design.x.data() + i * design.width;
    const double y = grid_.missing(i, j) ? deltas_.added[i * m + j] : grid_.response[i * m + j];
    for (std::size_t a = 0; a < design.width; ++a) known_[j][a] += times * x[a] * y;
    if (j == deltas_.visit && deltas_.shiftable[i * m + j])
      for (std::size_t a = 0; a < design.width; ++a) shift_[std::size_t(grid_.group[i])][a] += times * x[a];
  }
  const std::int32_t of = model_ ? model_->kind(i) : -1;
  if (of < 0) return;
  ImputationKind const& kind = model_->kinds()[std::size_t(of)];
  const std::span<const double> rows = model_->mean_rows(i);
  const double unit = model_->data().unit;
  for (Slot& slot : slots_[std::size_t(of)]) {
    auto const& design = ancova_.models()[slot.model];
    double const* x = design.x.data() + i * design.width;
    const auto add_rows = [&](std::size_t v) {
      for (std::size_t a = 0; a < design.width; ++a) {
        double* to = slot.rows.data() + (v * design.width + a) * p_;
        const double weight = times * x[a];
        for (std::size_t c = 0; c < p_; ++c) to[c] += weight * rows[v * p_ + c];
      }
    };
    for (const std::size_t v : slot.visits) add_rows(v);
    for (const std::uint32_t v : kind.observed) {
      add_rows(v);
      const double z = grid_.response[i * m + v] / unit;
      for (std::size_t a = 0; a < design.width; ++a) slot.z[v * design.width + a] += times * x[a] * z;
    }
  }
}

bool CompletedSums::factor(std::size_t model) {
  const std::size_t width = ancova_.models()[model].width;
  std::vector<double>& lower = factors_[model];
  lower = cross_[model];
  for (std::size_t j = 0; j < width; ++j) {
    double pivot = lower[j * width + j];
    const double size = j == 0 ? participants_ : 1.0;  // of the column over all participants, its square
    for (std::size_t t = 0; t < j; ++t) pivot -= lower[j * width + t] * lower[j * width + t];
    if (!(pivot > dependent * size)) return false;
    lower[j * width + j] = pivot = std::sqrt(pivot);
    for (std::size_t i = j + 1; i < width; ++i) {
      double sum = lower[i * width + j];
      for (std::size_t t = 0; t < j; ++t) sum -= lower[i * width + t] * lower[j * width + t];
      lower[i * width + j] = sum / pivot;
    }
  }
  return true;
}

void CompletedSums::back(std::size_t model, double* x) const {
  const std::size_t width = ancova_.models()[model].width;
  std::vector<double> const& lower = factors_[model];
  for (std::size_t i = 0; i < width; ++i) {
    for (std::size_t t = 0; t < i; ++t) x[i] -= lower[i * width + t] * x[t];
    x[i] /= lower[i * width + i];
  }
  for (std::size_t i = width; i-- > 0;) {
    for (std::size_t t = i + 1; t < width; ++t) x[i] -= lower[t * width + i] * x[t];
    x[i] /= lower[i * width + i];
  }
}

bool CompletedSums::solve(ImputationParameters const& parameters, std::span<const double> regressions, std::span<double> out) {
  const std::size_t m = grid_.m(), questions = ancova_.questions().size();
  for (std::size_t d = 0; d < ancova_.models().size(); ++d) {
    auto const& design = ancova_.models()[d];
    if (!(participants_ > double(design.width - 1)) || !factor(d)) return false;
    for (std::size_t c = 0; c < means_[d].size(); ++c) means_[d][c] = numbers_[d][c] / participants_;
    for (std::size_t q = 0; q < questions; ++q)
      ancova_.function(design, q, means_[d], {functions_[d].data() + q * design.width, design.width});
  }
  for (std::size_t j = 0; j < m; ++j) std::copy(known_[j].begin(), known_[j].end(), total_[j].begin());
  for (std::size_t k = 0; k < slots_.size(); ++k) {
    ImputationKind const& kind = model_->kinds()[k];
    const double unit = model_->data().unit;
    for (Slot const& slot : slots_[k]) {
      const std::size_t width = ancova_.models()[slot.model].width, no = kind.observed.size();
      const auto mean = [&](std::size_t v, std::size_t a) {
        double const* rows = slot.rows.data() + (v * width + a) * p_;
        double sum = 0;
        for (std::size_t c = 0; c < p_; ++c) sum += rows[c] * parameters.b[c];
        return sum;
      };
      for (std::size_t o = 0; o < no; ++o)
        for (std::size_t a = 0; a < width; ++a)
          residuals_[o * width + a] = slot.z[kind.observed[o] * width + a] - mean(kind.observed[o], a);
      for (const std::size_t j : slot.visits) {
        const std::size_t t = std::size_t(std::find(kind.missing.begin(), kind.missing.end(), j) - kind.missing.begin());
        double const* row = regressions.data() + kind.offset + t * no;
        for (std::size_t a = 0; a < width; ++a) {
          double sum = mean(j, a);
          for (std::size_t o = 0; o < no; ++o) sum += row[o] * residuals_[o * width + a];
          total_[j][a] += unit * sum;
        }
      }
    }
  }
  const auto answer = [&](std::size_t d, std::vector<double> const& right, double* to) {
    const std::size_t width = ancova_.models()[d].width;
    std::copy(right.begin(), right.end(), right_.begin());
    back(d, right_.data());
    for (std::size_t q = 0; q < questions; ++q) {
      double sum = 0;
      for (std::size_t a = 0; a < width; ++a) sum += functions_[d][q * width + a] * right_[a];
      to[q] = ancova_.models()[d].direction[q].empty() ? missing_number : sum;
    }
  };
  for (std::size_t j = 0; j < m; ++j) answer(ancova_.model_at(j), total_[j], out.data() + j * questions);
  for (std::size_t g = 0; g < groups_; ++g)
    answer(ancova_.model_at(deltas_.visit), shift_[g], out.data() + (m + g) * questions);
  return true;
}

}  // namespace equipoise::stats
