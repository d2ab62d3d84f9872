#include "equipoise/stats/imputation/imputation_model.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "equipoise/core/text.h"
#include "equipoise/random/variates.h"

namespace equipoise::stats {
namespace {

/// Growth of the variance of a coefficient at which the participants counted are said not to determine it any more: sums from
/// which somebody was taken hold rounding, 1e-16, where they should hold 0.
constexpr double undetermined = 1e8;

/// L of A = L L' in place of the lower triangle, A n x n row by row. False when A is not positive definite.
bool cholesky(double* a, std::size_t n) {
  for (std::size_t j = 0; j < n; ++j) {
    double pivot = a[j * n + j];
    for (std::size_t t = 0; t < j; ++t) pivot -= a[j * n + t] * a[j * n + t];
    if (!(pivot > 0) || !std::isfinite(pivot)) return false;
    a[j * n + j] = pivot = std::sqrt(pivot);
    for (std::size_t i = j + 1; i < n; ++i) {
      double sum = a[i * n + j];
      for (std::size_t t = 0; t < j; ++t) sum -= a[i * n + t] * a[j * n + t];
      a[i * n + j] = sum / pivot;
    }
  }
  return true;
}

/// x with L L' x = x in place.
void solve(double const* lower, std::size_t n, double* x) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t t = 0; t < i; ++t) x[i] -= lower[i * n + t] * x[t];
    x[i] /= lower[i * n + i];
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t t = i + 1; t < n; ++t) x[i] -= lower[t * n + i] * x[t];
    x[i] /= lower[i * n + i];
  }
}

/// Sigma of a kind, m x m row by row; `work` of m x m.
bool covariance_of(ImputationKind const& kind, std::span<const double> sigma, std::size_t m, double* out, double* work) {
  double const* own = sigma.data() + kind.block * packed_size(m);
  double const* reference = sigma.data() + kind.reference_block * packed_size(m);
  const std::size_t from = kind.from, after = m - from;
  double const* base = from == 0 ? reference : own;
  for (std::size_t j = 0; j < m; ++j)
    for (std::size_t k = 0; k < m; ++k) out[j * m + k] = base[packed(j, k)];
  if (from == 0 || from == m) return true;
  // A = R_21 R_11^-1, a row for each visit after the event, behind the factor of R_11
  double* a = work + from * from;
  for (std::size_t j = 0; j < from; ++j)
    for (std::size_t k = 0; k < from; ++k) work[j * from + k] = reference[packed(j, k)];
  if (!cholesky(work, from)) return false;
  for (std::size_t j = 0; j < after; ++j) {
    for (std::size_t k = 0; k < from; ++k) a[j * from + k] = reference[packed(from + j, k)];
    solve(work, from, a + j * from);
  }
  for (std::size_t j = 0; j < after; ++j) {
    for (std::size_t k = 0; k < from; ++k) {
      double sum = 0;
      for (std::size_t t = 0; t < from; ++t) sum += a[j * from + t] * own[packed(t, k)];
      out[(from + j) * m + k] = out[k * m + from + j] = sum;
    }
    for (std::size_t k = 0; k <= j; ++k) {
      double sum = reference[packed(from + j, from + k)];
      for (std::size_t s = 0; s < from; ++s)
        for (std::size_t t = 0; t < from; ++t)
          sum -= a[j * from + s] * (reference[packed(s, t)] - own[packed(s, t)]) * a[k * from + t];
      out[(from + j) * m + from + k] = out[(from + k) * m + from + j] = sum;
    }
  }
  return true;
}

/// The rows of the design that a participant would have at any visit and in any group.
class DesignRows {
 public:
  DesignRows(Frame const& frame, VisitGrid const& grid, ImputationModelSpec const& spec, std::vector<Term> const& names)
      : frame_(frame), grid_(grid), spec_(spec) {
    for (Term const& name : names) {
      auto& compiled = terms_.emplace_back();
      for (Factor const& factor : name) compiled.push_back(compile(factor));
    }
  }

  void row(std::size_t i, std::size_t visit, std::int32_t group, std::span<double> out) const {
    const std::size_t row = grid_.row_for(i, visit);
    for (std::size_t c = 0; c < terms_.size(); ++c) {
      double product = 1;
      for (Read const& factor : terms_[c]) {
        if (factor.column->numeric()) product *= factor.column->numbers()[row];
        else product *= code(factor.column->name, row, visit, group) == factor.level ? 1.0 : 0.0;
      }
      out[c] = product;
    }
  }

  /// A category of the formula whose level here nobody has among the observed values, or nothing.
  std::string unseen(std::size_t i, std::size_t visit, std::int32_t group,
                     std::map<std::string, std::vector<std::uint8_t>> const& seen) const {
    const std::size_t row = grid_.row_for(i, visit);
    for (auto const& [column, levels] : seen) {
      if (column == spec_.roles.visit) continue;
      const std::int32_t level = code(column, row, visit, group);
      if (!levels[std::size_t(level)])
        return fmt::format("nobody with '{}' '{}' was observed", column, frame_.categories(column).levels[std::size_t(level)]);
    }
    return {};
  }

 private:
  struct Read {
    ColumnView const* column;
    std::int32_t level;
  };

  Read compile(Factor const& factor) const {
    const auto column =
        std::find_if(frame_.columns.begin(), frame_.columns.end(), [&](ColumnView const& c) { return c.name == factor.column; });
    Read read{&*column, 0};
    if (!factor.level) return read;
    if (factor.column == spec_.roles.visit) {
      read.level = std::int32_t(std::find(grid_.visits.begin(), grid_.visits.end(), *factor.level) - grid_.visits.begin());
      return read;
    }
    auto const& levels = column->categories().levels;
    read.level = std::int32_t(std::find(levels.begin(), levels.end(), *factor.level) - levels.begin());
    return read;
  }

  std::int32_t code(std::string_view column, std::size_t row, std::size_t visit, std::int32_t group) const {
    if (column == spec_.roles.visit) return std::int32_t(visit);  // levels of visits are places in the grid
    if (column == spec_.group) return group;
    return frame_.categories(column).codes[row];
  }

  Frame const& frame_;
  VisitGrid const& grid_;
  ImputationModelSpec const& spec_;
  std::vector<std::vector<Read>> terms_;
};

Expected<std::vector<double>> visit_times(std::map<std::string, double> const& given, std::vector<std::string> const& visits) {
  std::vector<double> times;
  if (given.empty()) return times;
  for (std::string const& visit : visits) {
    const auto found = given.find(visit);
    if (found == given.end()) return fail(Code::unresolved, "`times` has no time of visit '{}'", visit);
    if (std::find(times.begin(), times.end(), found->second) != times.end())
      return fail(Code::duplicate, "`times` puts visit '{}' at the time of another", visit);
    times.push_back(found->second);
  }
  return times;
}

std::string tried(std::vector<FitAttempt> const& attempts) {
  std::vector<std::string> said;
  for (FitAttempt const& attempt : attempts)
    said.push_back(fmt::format("{}: {} ({} iterations)", attempt.structure,
                               attempt.reason.empty() ? "not converged" : attempt.reason, attempt.iterations));
  return join(said, "; ");
}

}  // namespace

class ImputationModel::Fitter {
 public:
  Fitter(Frame const& frame, VisitGrid const& grid, ImputationModelSpec const& spec) : frame_(frame), grid_(grid), spec_(spec) {}

  Expected<ImputationModel> fit() {
    model_.grid_ = &grid_;
    model_.estimation_ = spec_.estimation;
    if (auto folded = fold(); !folded) return tl::unexpected(folded.error());
    if (auto fitted = choose(); !fitted) return tl::unexpected(fitted.error());
    if (auto made = mean_rows(); !made) return tl::unexpected(made.error());
    find_kinds();
    return std::move(model_);
  }

 private:
  Expected<void> fold() {
    const std::size_t n = grid_.n(), m = grid_.m();
    std::vector<std::size_t> rows;
    std::vector<std::size_t> whose;
    std::vector<std::uint8_t> visit_seen(m, 0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < std::min<std::size_t>(m, grid_.event[i]); ++j)
        if (!grid_.missing(i, j)) {
          rows.push_back(std::size_t(grid_.row[i * m + j]));
          whose.push_back(i);
          visit_seen[j] = 1;
        }
    if (rows.empty())
      return fail(Code::no_data, "no response was observed before an intercurrent event: there is nothing to impute from");
    for (std::size_t j = 0; j < m; ++j)
      if (!visit_seen[j])
        return fail(Code::not_estimable,
                    "no response was observed at visit '{}' before an intercurrent event: there is nothing to impute it from",
                    grid_.visits[j]);
    const GatheredFrame observed(frame_, rows);
    auto data = fold_visits(observed.frame(), spec_.formula, spec_.roles);
    if (!data) return tl::unexpected(data.error());
    for (std::string const& name : spec_.formula.columns()) {
      auto const& columns = observed.frame().columns;
      const auto column = std::find_if(columns.begin(), columns.end(), [&](ColumnView const& c) { return c.name == name; });
      if (column->numeric()) continue;
      std::vector<std::uint8_t>& seen = seen_[name];
      seen.assign(column->categories().levels.size(), 0);
      for (const std::int32_t code : column->categories().codes) seen[std::size_t(code)] = 1;
    }
    model_.folded_.assign(n, -1);
    for (std::size_t f = 0; f < data->n(); ++f)
      for (std::size_t j = 0; j < m; ++j)
        if (const std::int32_t row = data->row_of[f * m + j]; row >= 0) model_.folded_[whose[std::size_t(row)]] = std::int32_t(f);
    // ids are not needed any more, and would look into rows that go
    data->participants.assign(data->n(), std::string_view());
    model_.data_ = std::make_unique<VisitData>(std::move(*data));
    model_.likelihood_ = std::make_unique<VisitLikelihood>(*model_.data_, spec_.estimation == Estimation::reml);
    return {};
  }

  Expected<void> choose() {
    const std::size_t m = grid_.m();
    const auto times = visit_times(spec_.times, grid_.visits);
    if (!times) return tl::unexpected(times.error());
    const std::vector<CovarianceStructure> one_visit{{Unstructured{}, false}};
    for (CovarianceStructure const& structure : m == 1 ? one_visit : spec_.covariance) {
      FitAttempt attempt;
      model_.fit_ =
          fit_structure(*model_.data_, *model_.likelihood_, Covariance(structure, m, *times), spec_.estimation, attempt);
      model_.attempts_.push_back(std::move(attempt));
      if (model_.fit_) return {};
    }
    return fail(Code::no_convergence, "no covariance structure of the imputation model could be estimated: {}",
                tried(model_.attempts_));
  }

  /// Z of everybody with a missing response.
  Expected<void> mean_rows() {
    const std::size_t n = grid_.n(), m = grid_.m(), p = model_.data_->p(), all = model_.data_->design.names.size();
    std::int32_t reference = -1;
    if (!spec_.group.empty()) {
      auto const& levels = frame_.categories(spec_.group).levels;
      const auto found = std::find(levels.begin(), levels.end(), spec_.reference);
      if (found != levels.end()) reference = std::int32_t(found - levels.begin());
    }
    const DesignRows rows(frame_, grid_, spec_, model_.data_->design.names);
    std::vector<double> own(m * all), other(m * all), made(all);
    model_.rows_at_.assign(n, 0);
    for (std::size_t i = 0; i < n; ++i) {
      if (grid_.complete(i)) continue;
      const std::int32_t group = grid_.group.empty() ? 0 : grid_.group[i];
      const std::size_t event = grid_.event[i];
      const ImputationStrategy strategy = event == m ? ImputationStrategy::mar : grid_.strategy[i];
      const bool refers = strategy != ImputationStrategy::mar && strategy != ImputationStrategy::last_mean_carried_forward;
      const bool copies = strategy == ImputationStrategy::copy_reference;
      // without a visit before the event there is no increment: the mean is that of the reference
      const bool increments = strategy == ImputationStrategy::copy_increments_in_reference && event > 0;
      for (std::size_t j = 0; j < m; ++j) {
        rows.row(i, j, group, {own.data() + j * all, all});
        if (refers) rows.row(i, j, reference, {other.data() + j * all, all});
      }
      model_.rows_at_[i] = model_.rows_.size();
      for (std::size_t j = 0; j < m; ++j) {
        const bool reference_mean = refers && (copies || j >= event);
        for (std::size_t c = 0; c < all; ++c) {
          made[c] = reference_mean ? other[j * all + c] : own[j * all + c];
          if (j >= event && increments) made[c] += own[(event - 1) * all + c] - other[(event - 1) * all + c];
          if (j >= event && strategy == ImputationStrategy::last_mean_carried_forward) made[c] = own[(event - 1) * all + c];
        }
        std::string unseen = rows.unseen(i, j, reference_mean ? reference : group, seen_);
        if (unseen.empty() && increments && j >= event) unseen = rows.unseen(i, event - 1, group, seen_);
        const std::vector<double> ours = unseen.empty() ? model_.data_->ours(made) : std::vector<double>();
        if (ours.size() != p)
          return fail(Code::not_estimable,
                      "the mean of participant '{}' at visit '{}' cannot be told from the observed values{}{}",
                      frame_.categories(spec_.roles.subject).levels[std::size_t(grid_.subject[i])], grid_.visits[j],
                      unseen.empty() ? ": they do not determine the model's coefficients" : ": ", unseen);
        model_.rows_.insert(model_.rows_.end(), ours.begin(), ours.end());
      }
    }
    return {};
  }

  void find_kinds() {
    const std::size_t n = grid_.n(), m = grid_.m();
    CategoriesView const* by = spec_.roles.covariance_by.empty() ? nullptr : &frame_.categories(spec_.roles.covariance_by);
    std::uint32_t reference_block = 0;
    const bool by_group = by && spec_.roles.covariance_by == spec_.group;
    if (by_group)
      reference_block = std::uint32_t(std::find(by->levels.begin(), by->levels.end(), spec_.reference) - by->levels.begin());
    std::map<ImputationKind, std::int32_t> known;
    model_.kind_of_.assign(n, -1);
    for (std::size_t i = 0; i < n; ++i) {
      if (grid_.complete(i)) continue;
      ImputationKind kind{};
      for (std::uint32_t j = 0; j < m; ++j) (grid_.missing(i, j) ? kind.missing : kind.observed).push_back(j);
      kind.block = by ? std::uint32_t(by->codes[std::size_t(grid_.any_row[i])]) : 0;
      kind.reference_block = by_group ? reference_block : kind.block;
      kind.from = std::uint32_t(m);
      if (kind.reference_block != kind.block && grid_.event[i] < m) {
        const ImputationStrategy strategy = grid_.strategy[i];
        if (strategy == ImputationStrategy::copy_reference) kind.from = 0;
        else if (strategy == ImputationStrategy::jump_to_reference ||
                 strategy == ImputationStrategy::copy_increments_in_reference)
          kind.from = grid_.event[i];
      }
      if (kind.from == m) kind.reference_block = kind.block;
      const auto [at, fresh] = known.try_emplace(kind, std::int32_t(model_.kinds_.size()));
      if (fresh) {
        kind.offset = model_.coefficients_;
        model_.coefficients_ += kind.missing.size() * kind.observed.size();
        model_.kinds_.push_back(std::move(kind));
      }
      model_.kind_of_[i] = at->second;
    }
  }

  Frame const& frame_;
  VisitGrid const& grid_;
  ImputationModelSpec const& spec_;
  ImputationModel model_;
  std::map<std::string, std::vector<std::uint8_t>> seen_;  // levels of each category that observed rows have
};

Expected<ImputationModel> ImputationModel::fit(Frame const& frame, VisitGrid const& grid, ImputationModelSpec const& spec) {
  return Fitter(frame, grid, spec).fit();
}

std::span<const double> ImputationModel::mean_rows(std::size_t participant) const {
  return {rows_.data() + rows_at_[participant], grid_->m() * data_->p()};
}

bool ImputationModel::regressions(std::span<const double> sigma, std::span<double> out) const {
  const std::size_t m = grid_->m();
  whole_.resize(m * m);
  part_.resize(m * m);
  for (ImputationKind const& kind : kinds_) {
    if (!covariance_of(kind, sigma, m, whole_.data(), part_.data())) return false;
    const std::size_t no = kind.observed.size();
    for (std::size_t a = 0; a < no; ++a)
      for (std::size_t b = 0; b < no; ++b) part_[a * no + b] = whole_[kind.observed[a] * m + kind.observed[b]];
    if (!cholesky(part_.data(), no)) return false;
    for (std::size_t t = 0; t < kind.missing.size(); ++t) {
      double* row = out.data() + kind.offset + t * no;
      for (std::size_t a = 0; a < no; ++a) row[a] = whole_[kind.missing[t] * m + kind.observed[a]];
      solve(part_.data(), no, row);
    }
  }
  return true;
}

std::vector<std::vector<double>> ImputationModel::roots(std::span<const double> sigma,
                                                        std::span<const double> regressions) const {
  const std::size_t m = grid_->m();
  whole_.resize(m * m);
  part_.resize(m * m);
  std::vector<std::vector<double>> roots;
  for (ImputationKind const& kind : kinds_) {
    covariance_of(kind, sigma, m, whole_.data(), part_.data());
    const std::size_t no = kind.observed.size(), nm = kind.missing.size();
    std::vector<double> own(nm * nm);
    for (std::size_t s = 0; s < nm; ++s)
      for (std::size_t t = 0; t < nm; ++t) {
        double value = whole_[kind.missing[s] * m + kind.missing[t]];
        for (std::size_t a = 0; a < no; ++a)
          value -= regressions[kind.offset + s * no + a] * whole_[kind.observed[a] * m + kind.missing[t]];
        own[s * nm + t] = value;
      }
    cholesky(own.data(), nm);  // a covariance that is positive definite has positive definite conditional ones
    roots.push_back(std::move(own));
  }
  return roots;
}

template <class Noise>
void ImputationModel::fill(std::span<const double> b, std::span<const double> regressions, std::span<double> values,
                           Noise& noise) const {
  const std::size_t n = grid_->n(), m = grid_->m(), p = data_->p();
  const double unit = data_->unit;
  std::vector<double> residual(m);
  for (std::size_t i = 0; i < n; ++i) {
    if (kind_of_[i] < 0) continue;
    ImputationKind const& kind = kinds_[std::size_t(kind_of_[i])];
    double const* rows = rows_.data() + rows_at_[i];
    const auto mean = [&](std::size_t j) {
      double sum = 0;
      for (std::size_t c = 0; c < p; ++c) sum += rows[j * p + c] * b[c];
      return sum;
    };
    const std::size_t no = kind.observed.size();
    for (std::size_t a = 0; a < no; ++a) residual[a] = grid_->response[i * m + kind.observed[a]] / unit - mean(kind.observed[a]);
    noise(kind);
    for (std::size_t t = 0; t < kind.missing.size(); ++t) {
      double value = mean(kind.missing[t]) + noise.of(t);
      for (std::size_t a = 0; a < no; ++a) value += regressions[kind.offset + t * no + a] * residual[a];
      values[i * m + kind.missing[t]] = value * unit;
    }
  }
}

void ImputationModel::impute(std::span<const double> b, std::span<const double> regressions, std::span<double> values) const {
  struct {
    void operator()(ImputationKind const&) {}
    double of(std::size_t) const { return 0; }
  } none;
  fill(b, regressions, values, none);
}

void ImputationModel::impute(std::span<const double> b, std::span<const double> regressions,
                             std::vector<std::vector<double>> const& roots, random::Stream& stream,
                             std::span<double> values) const {
  struct Drawn {
    std::vector<ImputationKind> const& kinds;
    std::vector<std::vector<double>> const& roots;
    random::Stream& stream;
    std::vector<double> z{};
    double const* root = nullptr;

    void operator()(ImputationKind const& kind) {
      root = roots[std::size_t(&kind - kinds.data())].data();
      z.resize(kind.missing.size());
      for (double& value : z) value = random::normal(stream);
    }
    double of(std::size_t t) const {
      double sum = 0;
      for (std::size_t s = 0; s <= t; ++s) sum += root[t * z.size() + s] * z[s];
      return sum;
    }
  };
  Drawn drawn{kinds_, roots, stream};
  fill(b, regressions, values, drawn);
}

void ImputationModel::count(std::size_t participant, int times) {
  const std::int32_t folded = folded_[participant];
  if (folded < 0) return;
  for (; times > 0; --times) likelihood_->put_back(std::size_t(folded));
  for (; times < 0; ++times) likelihood_->leave_out(std::size_t(folded));
}

bool ImputationModel::refit(ImputationParameters& out) {
  if (fit_->covariance.unstructured()) {
    means_.resize(likelihood_->elements());
    counts_.resize(likelihood_->elements());
    likelihood_->moments(means_, counts_);
    for (const double count : counts_)
      if (count < 0.5) return false;  // nobody has both visits
  }
  FitAttempt attempt;
  const auto made = fit_structure(*data_, *likelihood_, fit_->covariance, estimation_, attempt, &fit_->sigma, Finish::estimates,
                                  fit_->near_factor);
  if (!made) return false;
  const std::size_t p = data_->p();
  for (std::size_t c = 0; c < p; ++c)
    if (!(made->phi[c * p + c] < undetermined * fit_->phi[c * p + c])) return false;
  out.b = made->b;
  out.sigma = made->sigma;
  return true;
}

}  // namespace equipoise::stats
