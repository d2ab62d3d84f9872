#include "equipoise/stats/repeated/visit_data.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <unordered_map>

#include "equipoise/core/text.h"
#include "equipoise/numerics/semidefinite.h"
#include "equipoise/numerics/sum.h"
#include "equipoise/stats/repeated/centre.h"
#include "equipoise/stats/repeated/covariance.h"

namespace equipoise::stats {
namespace {

/// Of a column's length in X'X: below it the columns before it explain the column. The root, 1e-5, is how near two columns may
/// come before rounding in X'X hides the difference.
constexpr double dependent = 1e-10;
constexpr double exact_fit = 1e-12;  ///< residual standard deviation over that of the response
constexpr std::size_t most_visits = 64;

ColumnView const& column_of(Frame const& frame, std::string const& name) {
  const auto found =
      std::find_if(frame.columns.begin(), frame.columns.end(), [&](ColumnView const& c) { return c.name == name; });
  expects(found != frame.columns.end(), fmt::format("the frame has no column '{}'", name));
  return *found;
}

/// One factor of a covariate, read at a row.
struct Reader {
  double const* numbers = nullptr;
  double mean = 0, deviation = 1;
  std::int32_t const* codes = nullptr;
  std::int32_t level = 0;

  double at(std::size_t row) const { return numbers ? (numbers[row] - mean) / deviation : (codes[row] == level ? 1.0 : 0.0); }
};

/// Covariate a: the product of its factors, at the participant's first row or at one visit.
struct Covariate {
  std::vector<Factor const*> term;  // in the design's names
  std::vector<Reader> factors;
  std::int32_t visit = VisitData::every_visit;
};

/// to += factor times from.
void add_row(double* to, double factor, double const* from, std::size_t count) {
  for (std::size_t at = 0; at < count; ++at) to[at] += factor * from[at];
}

class Folder {
 public:
  Folder(Frame const& frame, Formula const& formula, VisitRoles const& roles) : frame_(frame), formula_(formula), roles_(roles) {}

  Expected<VisitData> fold() {
    auto design = name_design(frame_, formula_, Intercept::first);
    if (!design) return tl::unexpected(design.error());
    out_.design = std::move(*design);
    if (auto placed = place_rows(); !placed) return tl::unexpected(placed.error());
    if (auto weighted = read_weights(); !weighted) return tl::unexpected(weighted.error());
    centre();
    find_changing();
    make_columns();
    read_covariates();
    if (auto grouped = find_patterns(); !grouped) return tl::unexpected(grouped.error());
    if (auto fitted = fit_first(); !fitted) return tl::unexpected(fitted.error());
    find_constant();
    return std::move(out_);
  }

 private:
  Expected<void> place_rows() {
    CategoriesView const& subject = frame_.categories(roles_.subject);
    CategoriesView const& visit = frame_.categories(roles_.visit);
    const NumbersView response = frame_.numbers(roles_.response);
    std::vector<std::int32_t> visit_at(visit.levels.size(), -1), subject_at(subject.levels.size(), -1);
    for (std::size_t i = 0; i < frame_.rows; ++i) visit_at[std::size_t(visit.codes[i])] = 0;
    for (std::size_t level = 0; level < visit_at.size(); ++level)
      if (visit_at[level] == 0) {
        visit_at[level] = std::int32_t(out_.visits.size());
        out_.visits.push_back(visit.levels[level]);
      }
    const std::size_t m = out_.visits.size();
    if (m > most_visits)
      return fail(Code::out_of_range, "column '{}' has {} visits; at most {} are possible", roles_.visit, m, most_visits);
    if (frame_.rows > std::size_t(std::numeric_limits<std::int32_t>::max()))
      return fail(Code::out_of_range, "{} rows; at most {} are possible", frame_.rows, std::numeric_limits<std::int32_t>::max());
    const std::size_t expected = std::min(subject.levels.size(), frame_.rows);
    out_.row_of.reserve(expected * m);
    out_.participants.reserve(expected);
    first_row_.reserve(expected);
    for (std::size_t i = 0; i < frame_.rows; ++i) {
      std::int32_t& at = subject_at[std::size_t(subject.codes[i])];
      if (at < 0) {
        at = std::int32_t(out_.participants.size());
        out_.participants.push_back(subject.levels[std::size_t(subject.codes[i])]);
        first_row_.push_back(i);
        out_.row_of.resize(out_.row_of.size() + m, -1);
      }
      std::int32_t& cell = out_.row_of[std::size_t(at) * m + std::size_t(visit_at[std::size_t(visit.codes[i])])];
      if (cell >= 0)
        return fail(Code::duplicate, "participant '{}' has two rows at visit '{}' (rows {} and {} of those analysed)",
                    out_.participants[std::size_t(at)], visit.levels[std::size_t(visit.codes[i])], cell + 1, i + 1);
      cell = std::int32_t(i);
      if (!std::isfinite(response[i]))
        return fail(Code::bad_cell, "column '{}' holds {}: a response must be finite", roles_.response, shortest(response[i]));
    }
    out_.observations = frame_.rows;
    visit_at_ = std::move(visit_at);
    return {};
  }

  Expected<void> read_weights() {
    if (roles_.weight.empty()) return {};
    const NumbersView weight = frame_.numbers(roles_.weight);
    numerics::Sum logs;
    for (const double w : weight) {
      if (!(w > 0) || !std::isfinite(w))
        return fail(Code::bad_cell, "column '{}' holds {}: a weight is a number above 0", roles_.weight, shortest(w));
      logs.add(std::log(w));
    }
    out_.log_weights = logs.value();
    out_.root_weight.assign(out_.row_of.size(), 0.0);
    for (std::size_t cell = 0; cell < out_.row_of.size(); ++cell)
      if (out_.row_of[cell] >= 0) out_.root_weight[cell] = std::sqrt(weight[std::size_t(out_.row_of[cell])]);
    return {};
  }

  /// Mean and standard deviation of each numeric column.
  void centre() {
    for (std::string const& name : formula_.columns()) {
      ColumnView const& column = column_of(frame_, name);
      if (!column.numeric()) continue;
      const Centre centre = centre_of(column.numbers());
      centre_[name] = {centre.mean, centre.deviation > 0 && std::isfinite(centre.deviation) ? centre.deviation : 1.0};
    }
  }

  template <class Cells>
  bool same_within(Cells const& cells) const {
    const std::size_t m = out_.m();
    for (std::size_t i = 0; i < out_.n(); ++i)
      for (std::size_t j = 0; j < m; ++j)
        if (const std::int32_t row = out_.row_of[i * m + j]; row >= 0 && cells[std::size_t(row)] != cells[first_row_[i]])
          return false;
    return true;
  }

  /// The columns that change between the visits of a participant.
  void find_changing() {
    if (!roles_.weight.empty()) weight_changes_ = !same_within(frame_.numbers(roles_.weight));
    for (std::string const& name : formula_.columns()) {
      if (name == roles_.visit) continue;
      ColumnView const& column = column_of(frame_, name);
      changes_[name] = column.numeric() ? !same_within(column.numbers()) : !same_within(column.categories().codes);
    }
  }

  Reader reader(Factor const& factor) const {
    ColumnView const& column = column_of(frame_, factor.column);
    if (column.numeric()) {
      auto const& [mean, deviation] = centre_.at(factor.column);
      return {.numbers = column.numbers().data(), .mean = mean, .deviation = deviation};
    }
    auto const& levels = column.categories().levels;
    const auto level = std::find(levels.begin(), levels.end(), *factor.level) - levels.begin();
    return {.codes = column.categories().codes.data(), .level = std::int32_t(level)};
  }

  std::uint32_t covariate(std::span<Factor const* const> term, std::int32_t visit) {
    const auto same = [](Factor const* a, Factor const* b) { return *a == *b; };
    const auto known = std::ranges::find_if(
        covariates_, [&](Covariate const& one) { return one.visit == visit && std::ranges::equal(one.term, term, same); });
    if (known == covariates_.end()) {
      covariates_.push_back({.term = {term.begin(), term.end()}, .visit = visit});
      for (Factor const* factor : term) covariates_.back().factors.push_back(reader(*factor));
      return std::uint32_t(covariates_.size() - 1);
    }
    return std::uint32_t(known - covariates_.begin());
  }

  /// The pieces of every column of the design.
  void make_columns() {
    CategoriesView const& visit = frame_.categories(roles_.visit);
    std::vector<Factor const*> rest;
    for (Term const& name : out_.design.names) {
      rest.clear();
      std::int32_t at = VisitData::every_visit;
      bool changing = weight_changes_;
      for (Factor const& factor : name) {
        if (factor.column == roles_.visit && factor.level) {
          const auto level = std::find(visit.levels.begin(), visit.levels.end(), *factor.level) - visit.levels.begin();
          at = visit_at_[std::size_t(level)];
        } else {
          rest.push_back(&factor);
          changing = changing || changes_.at(factor.column);
        }
      }
      std::vector<VisitData::Piece> pieces;
      if (!changing) {
        pieces.push_back({covariate(rest, VisitData::every_visit), at});
      } else {
        for (std::int32_t j = 0; j < std::int32_t(out_.m()); ++j)
          if (at == VisitData::every_visit || at == j) pieces.push_back({covariate(rest, j), j});
      }
      out_.columns.push_back(std::move(pieces));
    }
    out_.covariates = covariates_.size();
  }

  void read_covariates() {
    const std::size_t q = out_.covariates, m = out_.m();
    out_.u.assign(out_.n() * q, 0.0);
    for (std::size_t i = 0; i < out_.n(); ++i)
      for (std::size_t a = 0; a < q; ++a) {
        Covariate const& covariate = covariates_[a];
        std::size_t row = first_row_[i], cell = i * m;
        if (covariate.visit != VisitData::every_visit) {
          cell += std::size_t(covariate.visit);
          if (out_.row_of[cell] < 0) continue;
          row = std::size_t(out_.row_of[cell]);
        } else if (!out_.root_weight.empty()) {
          while (out_.row_of[cell] < 0) ++cell;  // a weight that does not change: any visit tells it
        }
        double value = out_.root_weight.empty() ? 1.0 : out_.root_weight[cell];
        for (Reader const& factor : covariate.factors) value *= factor.at(row);
        out_.u[i * q + a] = value;
      }
  }

  Expected<void> find_patterns() {
    const std::size_t m = out_.m();
    std::int32_t const* by = nullptr;
    std::vector<std::uint32_t> block_of{0};  // of each level; those without rows have none
    out_.blocks = {""};
    if (!roles_.covariance_by.empty()) {
      CategoriesView const& category = frame_.categories(roles_.covariance_by);
      by = category.codes.data();
      for (std::size_t i = 0; i < out_.n(); ++i)
        for (std::size_t j = 0; j < m; ++j)
          if (const std::int32_t row = out_.row_of[i * m + j]; row >= 0 && by[row] != by[first_row_[i]])
            return fail(Code::bad_cell, "participant '{}' is in two groups of '{}', and each has a covariance of its own",
                        out_.participants[i], roles_.covariance_by);
      block_of.assign(category.levels.size(), 0);
      for (const std::size_t row : first_row_) block_of[std::size_t(by[row])] = 1;
      out_.blocks.clear();
      for (std::size_t level = 0; level < block_of.size(); ++level)
        if (block_of[level] != 0) {
          block_of[level] = std::uint32_t(out_.blocks.size());
          out_.blocks.push_back(category.levels[level]);
        }
    }
    std::vector<std::pair<std::uint32_t, std::uint64_t>> key(out_.n());
    for (std::size_t i = 0; i < out_.n(); ++i) {
      std::uint64_t seen = 0;
      for (std::size_t j = 0; j < m; ++j) seen |= std::uint64_t(out_.row_of[i * m + j] >= 0) << j;
      key[i] = {by ? block_of[std::size_t(by[first_row_[i]])] : 0u, seen};
    }
    std::vector<std::pair<std::uint32_t, std::uint64_t>> kinds;
    std::unordered_map<std::uint64_t, std::uint32_t> known;
    out_.pattern_of.resize(out_.n());
    // One hash a participant: the patterns of a group are told apart by their bits, groups by a pass each.
    for (std::uint32_t block = 0; block < out_.blocks.size(); ++block) {
      known.clear();
      for (std::size_t i = 0; i < out_.n(); ++i) {
        if (key[i].first != block) continue;
        const auto [at, fresh] = known.try_emplace(key[i].second, std::uint32_t(kinds.size()));
        if (fresh) kinds.push_back(key[i]);
        out_.pattern_of[i] = at->second;
      }
    }
    std::vector<std::uint32_t> order(kinds.size()), rank(kinds.size());
    std::iota(order.begin(), order.end(), 0u);
    std::ranges::sort(order, {}, [&](std::uint32_t g) { return kinds[g]; });
    for (std::uint32_t g = 0; g < order.size(); ++g) {
      rank[order[g]] = g;
      out_.patterns.push_back({.seen = kinds[order[g]].second, .block = kinds[order[g]].first});
    }
    for (std::uint32_t& pattern : out_.pattern_of) {
      pattern = rank[pattern];
      out_.patterns[pattern].participants += 1;
    }
    return {};
  }

  /// b of the design's columns as functions of ours, before any column is left out: C, all x all.
  std::vector<double> centring() const {
    const std::size_t p = out_.design.names.size();
    std::vector<double> to_given(p * p, 0.0);
    for (std::size_t c = 0; c < p; ++c) {
      std::vector<std::size_t> numeric;
      for (std::size_t f = 0; f < out_.design.names[c].size(); ++f)
        if (!out_.design.names[c][f].level) numeric.push_back(f);
      if (numeric.empty()) {
        to_given[c * p + c] = 1;
        continue;
      }
      for (unsigned subset = 0; subset < (1u << numeric.size()); ++subset) {
        Term name;
        double value = 1;
        for (std::size_t f = 0; f < out_.design.names[c].size(); ++f) {
          Factor const& factor = out_.design.names[c][f];
          const auto place = std::find(numeric.begin(), numeric.end(), f);
          if (place == numeric.end()) {
            name.push_back(factor);
            continue;
          }
          auto const& [mean, deviation] = centre_.at(factor.column);
          const bool kept = subset >> (place - numeric.begin()) & 1u;
          value *= (kept ? 1.0 : -mean) / deviation;
          if (kept) name.push_back(factor);
        }
        const auto at = std::find(out_.design.names.begin(), out_.design.names.end(), name);  // margins are there
        to_given[std::size_t(at - out_.design.names.begin()) * p + c] += value;
      }
    }
    return to_given;
  }

  Expected<void> fit_first() {
    const std::size_t q = out_.covariates, m = out_.m(), n = out_.n(), all = out_.columns.size(), elements = packed_size(q);
    const NumbersView response = frame_.numbers(roles_.response);
    const Centre centre = centre_of(response);
    const double deviation = centre.deviation > 0 ? centre.deviation : 1.0;
    if (!std::isfinite(deviation)) return not_described();
    out_.y.assign(n * m, 0.0);
    // products of covariates, and of covariate and response, at each visit
    std::vector<double> uu(m * elements, 0.0), uy(q * m, 0.0), of_pattern(out_.patterns.size() * elements, 0.0);
    double const* weight_at = out_.root_weight.empty() ? nullptr : out_.root_weight.data();
    for (std::size_t i = 0; i < n; ++i) {
      double const* u = out_.u.data() + i * q;
      double* products = of_pattern.data() + out_.pattern_of[i] * elements;
      for (std::size_t a = 0; a < q; ++a)
        for (std::size_t b = 0; b <= a; ++b) *products++ += u[a] * u[b];
      std::int32_t const* row = out_.row_of.data() + i * m;
      double* y = out_.y.data() + i * m;
      for (std::size_t j = 0; j < m; ++j)
        if (row[j] >= 0)
          y[j] = (response[std::size_t(row[j])] - centre.mean) / deviation * (weight_at ? weight_at[i * m + j] : 1.0);
      for (std::size_t a = 0; a < q; ++a) add_row(uy.data() + a * m, u[a], y, m);
    }
    for (std::size_t g = 0; g < out_.patterns.size(); ++g)
      for (std::size_t j = 0; j < m; ++j)
        if (out_.patterns[g].seen >> j & 1u) add_row(uu.data() + j * elements, 1.0, of_pattern.data() + g * elements, elements);
    std::vector<double> xx(all * all, 0.0), xy(all, 0.0), fit(all);
    for (std::size_t c = 0; c < all; ++c)
      for (VisitData::Piece const& left : out_.columns[c]) {
        for (std::size_t j = 0; j < m; ++j)
          if (left.visit == VisitData::every_visit || std::size_t(left.visit) == j) xy[c] += uy[left.covariate * m + j];
        for (std::size_t d = 0; d <= c; ++d)
          for (VisitData::Piece const& right : out_.columns[d]) {
            double const* products = uu.data() + packed(left.covariate, right.covariate);
            const std::int32_t visit = left.visit == VisitData::every_visit ? right.visit : left.visit;
            if (visit == VisitData::every_visit)
              for (std::size_t j = 0; j < m; ++j) xx[c * all + d] += products[j * elements];
            else if (right.visit == VisitData::every_visit || right.visit == visit)
              xx[c * all + d] += products[std::size_t(visit) * elements];
          }
        for (std::size_t d = 0; d < c; ++d) xx[d * all + c] = xx[c * all + d];
      }
    numerics::SemidefiniteFactor factor(all);
    factor.factor(xx, dependent);
    factor.solve(xy, fit);
    leave_out(xx, factor);

    std::vector<double> at_visit(q * m, 0.0);  // the fit as coefficients of u at each visit
    for (std::size_t c = 0; c < all; ++c)
      for (VisitData::Piece const& piece : out_.columns[c])
        for (std::size_t j = 0; j < m; ++j)
          if (piece.visit == VisitData::every_visit || std::size_t(piece.visit) == j) at_visit[piece.covariate * m + j] += fit[c];
    for (std::size_t i = 0; i < n; ++i) {
      double* y = out_.y.data() + i * m;
      std::int32_t const* row = out_.row_of.data() + i * m;
      for (std::size_t a = 0; a < q; ++a) add_row(y, -out_.u[i * q + a], at_visit.data() + a * m, m);
      for (std::size_t j = 0; j < m; ++j)
        if (row[j] < 0) y[j] = 0;
    }
    const double df = double(out_.observations) - double(factor.rank());
    if (!(df > 0))
      return fail(Code::not_estimable, "{} values and {} coefficients: nothing is left to estimate a covariance from",
                  out_.observations, factor.rank());
    const double residual = std::sqrt(sum_less(out_.y, 0, Degree::two) / df);
    double largest = 0, weights = 0;
    for (const double value : response) largest = std::abs(value) > largest ? std::abs(value) : largest;
    for (const double root : out_.root_weight) weights += root * root;
    const double rounding = 4 * std::numeric_limits<double>::epsilon() * largest / deviation;  // of the values themselves
    const double weight = out_.root_weight.empty() ? 1.0 : std::sqrt(weights / double(out_.observations));
    if (!(residual > weight * std::fmax(exact_fit, rounding)) || !std::isfinite(residual)) return not_described();
    for (double& value : out_.y) value /= residual;
    out_.unit = deviation * residual;
    out_.residual_deviation = 1;
    std::vector<std::vector<VisitData::Piece>> used;
    for (std::size_t c = 0; c < all; ++c)
      if (out_.place[c] >= 0) {
        used.push_back(std::move(out_.columns[c]));
        out_.first_fit.push_back(fit[c] / residual);
      }
    out_.columns = std::move(used);
    if (!out_.first_fit.empty()) out_.first_fit[0] += centre.mean / out_.unit;  // the intercept; with weights it is weighted too
    return {};
  }

  /// The columns of which no participant has two values; weights do not count.
  void find_constant() {
    for (std::vector<VisitData::Piece> const& pieces : out_.columns) {
      const bool of_participants = pieces.size() == 1 && pieces.front().visit == VisitData::every_visit;
      out_.constant.push_back(of_participants || same_for_everybody(pieces));
    }
  }

  bool same_for_everybody(std::vector<VisitData::Piece> const& pieces) const {
    const std::size_t m = out_.m();
    for (std::size_t i = 0; i < out_.n(); ++i) {
      double first = missing_number;
      for (std::size_t j = 0; j < m; ++j) {
        const std::int32_t row = out_.row_of[i * m + j];
        if (row < 0) continue;
        double value = 0;
        for (VisitData::Piece const& piece : pieces) {
          if (piece.visit != VisitData::every_visit && std::size_t(piece.visit) != j) continue;
          double product = 1;
          for (Reader const& factor : covariates_[piece.covariate].factors) product *= factor.at(std::size_t(row));
          value += product;
        }
        if (std::isnan(first)) first = value;
        else if (value != first) return false;
      }
    }
    return true;
  }

  tl::unexpected<Error> not_described() const {
    return fail(Code::not_estimable,
                "the model describes column '{}' exactly, or all its values are equal: there is no variation to estimate a "
                "covariance from",
                roles_.response);
  }

  /// What the columns left out mean for the others: null vectors, and b of the given columns from b of ours.
  void leave_out(std::vector<double> const& xx, numerics::SemidefiniteFactor const& factor) {
    const std::size_t all = out_.design.names.size();
    std::int32_t next = 0;
    for (std::size_t c = 0; c < all; ++c) out_.place.push_back(factor.used(c) ? next++ : -1);
    const std::vector<double> centring = this->centring();
    out_.to_ours.assign(all * all, 0.0);
    for (std::size_t c = 0; c < all; ++c)
      for (std::size_t d = 0; d < all; ++d) out_.to_ours[d * all + c] = centring[c * all + d];
    std::vector<std::vector<double>> given;  // null vectors over the given columns, -1 at the column left out
    std::vector<std::size_t> out;
    for (std::size_t d = 0; d < all; ++d) {
      if (factor.used(d)) continue;
      std::vector<double> product(all), null(all);
      for (std::size_t c = 0; c < all; ++c) product[c] = xx[c * all + d];
      factor.solve(product, null);
      for (std::size_t c = 0; c < all; ++c)
        if (!factor.used(c)) null[c] = 0;
      null[d] = -1;
      std::vector<double> mapped(all, 0.0);
      for (std::size_t c = 0; c < all; ++c)
        for (std::size_t k = 0; k < all; ++k) mapped[c] += centring[c * all + k] * null[k];
      for (std::size_t e = 0; e < out.size(); ++e) {
        const double share = mapped[out[e]];
        for (std::size_t c = 0; c < all; ++c) mapped[c] += share * given[e][c];
      }
      for (const double scale = -mapped[d]; double& value : mapped) value /= scale;
      out_.null_space.push_back(std::move(null));
      given.push_back(std::move(mapped));
      out.push_back(d);
    }
    const std::size_t p = std::size_t(next);
    out_.to_given.assign(p * p, 0.0);
    for (std::size_t c = 0; c < all; ++c) {
      if (out_.place[c] < 0) continue;
      for (std::size_t k = 0; k < all; ++k) {
        if (out_.place[k] < 0) continue;
        double value = centring[c * all + k];
        for (std::size_t e = 0; e < out.size(); ++e) value += given[e][c] * centring[out[e] * all + k];
        out_.to_given[std::size_t(out_.place[c]) * p + std::size_t(out_.place[k])] = value;
      }
    }
  }

  Frame const& frame_;
  Formula const& formula_;
  VisitRoles const& roles_;
  VisitData out_;
  std::vector<std::size_t> first_row_;
  std::vector<std::int32_t> visit_at_;
  std::map<std::string, std::pair<double, double>> centre_;
  std::map<std::string, bool> changes_;
  bool weight_changes_ = false;
  std::vector<Covariate> covariates_;
};

}  // namespace

std::vector<double> VisitData::ours(std::span<const double> l) const {
  const std::size_t all = design.names.size();
  expects(l.size() == all, "a function of the coefficients has an entry for each column of the design");
  std::vector<double> full(all, 0.0), magnitude(all, 0.0), used(p());
  std::vector<std::size_t> touched;  // few of the columns, of a difference
  for (std::size_t c = 0; c < all; ++c)
    if (l[c] != 0) touched.push_back(c);
  for (std::size_t k = 0; k < all; ++k) {
    for (const std::size_t c : touched) {
      full[k] += to_ours[k * all + c] * l[c];
      magnitude[k] += std::abs(to_ours[k * all + c] * l[c]);
    }
    if (place[k] >= 0) used[std::size_t(place[k])] = full[k];
  }
  for (std::vector<double> const& null : null_space) {
    // Against the lengths of both: where they share no column, what is left of a product of rounding errors is no direction.
    double along = 0, of_null = 0, of_l = 0;
    for (std::size_t k = 0; k < all; ++k) {
      along += null[k] * full[k];
      of_null += null[k] * null[k];
      of_l += magnitude[k] * magnitude[k];
    }
    if (std::abs(along) > 1e-8 * std::sqrt(of_null * of_l)) return {};
  }
  return used;
}

Expected<VisitData> fold_visits(Frame const& frame, Formula const& formula, VisitRoles const& roles) {
  if (frame.rows == 0) return fail(Code::no_data, "no row is left to analyse");
  return Folder(frame, formula, roles).fold();
}

}  // namespace equipoise::stats
