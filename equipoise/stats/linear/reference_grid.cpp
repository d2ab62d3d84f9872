#include "equipoise/stats/linear/reference_grid.h"

#include <algorithm>
#include <cmath>

#include "equipoise/core/error.h"
#include "equipoise/numerics/sum.h"

namespace equipoise::stats {
namespace {

double mean_of(NumbersView values) {
  double scale = 0;  // so that a sum of large numbers does not overflow
  for (const double value : values) scale = std::fmax(scale, std::abs(value));
  if (scale == 0) return 0;
  numerics::Sum total;
  for (const double value : values) total.add(value / scale);
  return total.value() / double(values.size()) * scale;
}

}  // namespace

ReferenceGrid::ReferenceGrid(Frame const& frame, Formula const& formula, Design const& design, GridWeights weights)
    : frame_(frame), formula_(formula), design_(design), weights_(weights) {
  for (std::string const& name : formula.columns()) {
    const auto column =
        std::find_if(frame.columns.begin(), frame.columns.end(), [&](ColumnView const& c) { return c.name == name; });
    expects(column != frame.columns.end(), "the frame has the columns of the formula");
    if (column->numeric()) {
      means_[name] = mean_of(column->numbers());
      continue;
    }
    CategoriesView const& category = column->categories();
    std::vector<bool> occurs(category.levels.size(), false);
    for (const std::int32_t code : category.codes) occurs[std::size_t(code)] = true;
    GridFactor factor{name, {}, {}};
    for (std::size_t level = 0; level < occurs.size(); ++level)
      (occurs[level] ? factor.levels : factor.absent).push_back(category.levels[level]);
    factors_.push_back(std::move(factor));
  }
}

ReferenceGrid::GridFactor const* ReferenceGrid::factor(std::string_view column) const {
  const auto found = std::find_if(factors_.begin(), factors_.end(), [&](GridFactor const& f) { return f.column == column; });
  return found == factors_.end() ? nullptr : &*found;
}

std::vector<std::vector<std::string>> ReferenceGrid::interactions() const {
  std::vector<std::vector<std::string>> sets;
  for (auto const& term : formula_.terms) {
    std::vector<std::string> categories;
    for (GridFactor const& f : factors_)  // in one order, whatever the order within the term
      if (std::find(term.begin(), term.end(), f.column) != term.end()) categories.push_back(f.column);
    if (categories.size() > 1 && std::find(sets.begin(), sets.end(), categories) == sets.end()) sets.push_back(categories);
  }
  return sets;
}

bool ReferenceGrid::averages_over_others(std::string_view column) const {
  return std::any_of(factors_.begin(), factors_.end(), [&](GridFactor const& f) { return f.column != column; });
}

double ReferenceGrid::share(Term const& levels) const {
  if (levels.empty()) return 1;
  if (weights_ == GridWeights::equal) {
    double product = 1;
    for (Factor const& one : levels) product /= double(factor(one.column)->levels.size());
    return product;
  }
  const auto [known, fresh] = shares_.try_emplace(levels, 0.0);
  if (!fresh) return known->second;
  std::vector<std::pair<std::span<const std::int32_t>, std::int32_t>> wanted;
  for (Factor const& one : levels) {
    CategoriesView const& category = frame_.categories(one.column);
    const auto at = std::find(category.levels.begin(), category.levels.end(), *one.level);
    wanted.emplace_back(category.codes, std::int32_t(at - category.levels.begin()));
  }
  std::size_t count = 0;
  for (std::size_t i = 0; i < frame_.rows; ++i)
    count += std::all_of(wanted.begin(), wanted.end(), [&](auto const& w) { return w.first[i] == w.second; });
  return known->second = double(count) / double(frame_.rows);
}

std::vector<double> ReferenceGrid::mean(Term const& levels) const {
  std::vector<double> row;
  row.reserve(design_.names.size());
  for (Term const& name : design_.names) {
    double value = 1;
    Term others;
    for (Factor const& one : name) {
      if (!one.level) {
        value *= means_.find(one.column)->second;
        continue;
      }
      const auto named = std::find_if(levels.begin(), levels.end(), [&](Factor const& f) { return f.column == one.column; });
      if (named == levels.end()) others.push_back(one);
      else if (named->level != one.level) value = 0;
    }
    row.push_back(value == 0 ? 0.0 : value * share(others));
  }
  return row;
}

std::vector<std::vector<double>> ReferenceGrid::hypothesis(std::vector<std::string> const& term) const {
  std::vector<GridFactor const*> categories;
  std::size_t numbers = 0, combinations = 1;
  for (std::string const& column : term) {
    if (GridFactor const* f = factor(column)) {
      categories.push_back(f);
      combinations *= f->levels.empty() ? 0 : f->levels.size() - 1;
    } else {
      ++numbers;
    }
  }
  std::vector<std::vector<double>> rows;
  for (std::size_t number = 0; number < combinations; ++number) {
    std::size_t rest = number;
    Term at;  // the level of each factor
    for (GridFactor const* f : categories) {
      at.push_back({f->column, f->levels[rest % (f->levels.size() - 1)]});
      rest /= f->levels.size() - 1;
    }
    // Coefficient j belongs to the effect of the same covariates. Of a factor of the term the effect takes 1{level} - 1/L, of
    // any other the mean 1/L; a coefficient that lacks a factor of the term is the same at all its levels and cancels.
    std::vector<double> row;
    for (Term const& name : design_.names) {
      double value = 1;
      std::size_t own_numbers = 0, own_categories = 0, others = 0;
      for (Factor const& one : name) {
        const bool in_term = std::find(term.begin(), term.end(), one.column) != term.end();
        if (!one.level) {
          ++(in_term ? own_numbers : others);
          continue;
        }
        const double mean = 1 / double(factor(one.column)->levels.size());
        const auto own = std::find_if(at.begin(), at.end(), [&](Factor const& f) { return f.column == one.column; });
        if (own == at.end()) {
          value *= mean;
        } else {
          ++own_categories;
          value *= (own->level == one.level ? 1.0 : 0.0) - mean;
        }
      }
      row.push_back(own_numbers == numbers && own_categories == categories.size() && others == 0 ? value : 0.0);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace equipoise::stats
