#include "equipoise/data/dataset.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "equipoise/core/dates.h"
#include "equipoise/core/text.h"

namespace equipoise::data {
namespace {

bool same_number(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

template <class T>
void clear_if_all(std::vector<T>& side, T value) {
  if (std::ranges::all_of(side, [&](T const& cell) { return cell == value; })) side.clear();
}

bool clean_text(std::string_view text) { return text.find('\0') == std::string_view::npos && is_utf8(text); }

/// A range of days as a partial date, when it is a day, a whole month or a whole year within the years that can be written.
bool is_calendar_range(double earliest, double latest) {
  constexpr double first = -62091, last = 120529;  // 1800-01-01 and 2299-12-31
  for (const double day : {earliest, latest})
    if (!(day >= first && day <= last) || std::trunc(day) != day) return false;
  if (earliest == latest) return true;
  const PartialDate range{from_day_number(earliest), from_day_number(latest)};
  return earliest < latest && to_partial_date(to_string(range)) == range;
}

Expected<void> check_number(TypedColumn const& column, std::size_t row) {
  const double value = column.numbers[row];
  const auto refuse = [&](std::string_view what) {
    return fail(Code::out_of_range, "row {} of column '{}' holds {}, and {}", row + 1, column.name, shortest(value), what);
  };
  if (!std::isfinite(value)) return refuse("must be finite");
  constexpr double exactly = 9007199254740992.0;  // 2^53: beyond it doubles skip integers
  if (column.kind == Kind::integer && (std::trunc(value) != value || std::abs(value) > exactly))
    return refuse("must be a whole number up to 2^53");
  if (column.kind == Kind::flag && value != 0.0 && value != 1.0) return refuse("a flag is 0 or 1");
  if (column.kind == Kind::date && !is_calendar_range(value, column.latest.empty() ? value : column.latest[row]))
    return refuse("a date is a day, a month or a year from 1800 to 2299, as days since 1970-01-01");
  return {};
}

Expected<void> check_shape(TypedColumn const& column, std::size_t rows) {
  if (column.name.empty()) return fail(Code::syntax, "a column has no name");
  for (std::string const* text : {&column.name, &column.label, &column.unit})
    if (!clean_text(*text)) return fail(Code::syntax, "name, label and unit of a column must be UTF-8");
  if (column.size() != rows)
    return fail(Code::size_mismatch, "column '{}' has {} cells, and the data set has {} rows", column.name, column.size(), rows);
  const auto side = [&](std::size_t size, std::string_view what) -> Expected<void> {
    if (size != 0 && size != rows)
      return fail(Code::size_mismatch, "column '{}' has {} {}, and the data set has {} rows", column.name, size, what, rows);
    return {};
  };
  if (auto ok = side(column.missing.size(), "reasons for missing cells"); !ok) return ok;
  if (auto ok = side(column.bounds.size(), "bounds"); !ok) return ok;
  if (auto ok = side(column.latest.size(), "latest days"); !ok) return ok;
  if (!column.bounds.empty() && column.kind != Kind::number && column.kind != Kind::integer)
    return fail(Code::inconsistent, "column '{}' has bounds, and holds {}", column.name, phrase(column.kind));
  if (!column.latest.empty() && column.kind != Kind::date)
    return fail(Code::inconsistent, "column '{}' has latest days, and holds {}", column.name, phrase(column.kind));
  return {};
}

Expected<void> check_levels(TypedColumn const& column) {
  if (column.kind != Kind::code) return {};
  if (!column.level_labels.empty() && column.level_labels.size() != column.levels.size())
    return fail(Code::size_mismatch, "column '{}' has {} labels for {} levels", column.name, column.level_labels.size(),
                column.levels.size());
  const bool rising = std::ranges::adjacent_find(column.levels, std::greater_equal<>()) == column.levels.end();
  std::unordered_set<std::string_view> seen;
  if (!rising) seen.reserve(column.levels.size());
  for (std::string const& level : column.levels) {
    if (level.empty() || !clean_text(level))
      return fail(Code::syntax, "a level of column '{}' is empty or not UTF-8", column.name);
    if (!rising && !seen.insert(level).second)
      return fail(Code::duplicate, "column '{}' has the level '{}' twice", column.name, level);
  }
  return {};
}

}  // namespace

std::string_view phrase(Kind kind) {
  constexpr std::string_view phrases[] = {"numbers", "whole numbers", "flags", "codes", "dates", "text"};
  return phrases[std::size_t(kind)];
}

bool TypedColumn::is_exact(std::size_t row) const {
  if (!bounds.empty() && bounds[row] != Bound::exact) return false;
  return latest.empty() || is_missing(row) || latest[row] == numbers[row];
}

bool operator==(TypedColumn const& a, TypedColumn const& b) {
  return a.name == b.name && a.label == b.label && a.unit == b.unit && a.kind == b.kind && a.codes == b.codes &&
         a.levels == b.levels && a.level_labels == b.level_labels && a.texts == b.texts && a.missing == b.missing &&
         a.bounds == b.bounds && std::ranges::equal(a.numbers, b.numbers, same_number) &&
         std::ranges::equal(a.latest, b.latest, same_number);
}

TypedColumn const* Dataset::find(std::string_view name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? nullptr : &columns_[found->second];
}

Expected<TypedColumn const*> Dataset::column(std::string_view name) const {
  if (TypedColumn const* found = find(name)) return found;
  std::vector<std::string> names;
  for (TypedColumn const& column : columns_) names.push_back(column.name);
  Error error{Code::missing_column, fmt::format("the data have no column '{}'", name), {}, {}};
  if (const auto near = nearest(name, names)) error.hint = fmt::format("did you mean '{}'?", *near);
  return tl::unexpected(std::move(error));
}

Schema Dataset::schema() const {
  Schema schema;
  for (TypedColumn const& column : columns_)
    if (column.kind != Kind::text) schema.push_back({column.name, is_numeric(column.kind), column.levels});
  return schema;
}

DatasetColumns Dataset::view(Inexact inexact) const {
  std::vector<ColumnView> views;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    TypedColumn const& column = columns_[i];
    if (column.kind == Kind::text) continue;
    if (column.kind == Kind::code) views.push_back({column.name, CategoriesView{column.codes, column.levels}});
    else if (inexact == Inexact::missing && !exact_[i].empty()) views.push_back({column.name, NumbersView(exact_[i])});
    else views.push_back({column.name, NumbersView(column.numbers)});
  }
  return {rows_, std::move(views)};
}

DatasetBuilder& DatasetBuilder::add(TypedColumn column) {
  if (problem_) return *this;
  if (auto taken = take(std::move(column)); !taken) problem_ = taken.error();
  return *this;
}

Expected<void> DatasetBuilder::take(TypedColumn column) {
  const std::size_t rows = made_.rows_;
  if (auto ok = check_shape(column, rows); !ok) return ok;
  if (auto ok = check_levels(column); !ok) return ok;
  if (made_.places_.contains(column.name)) return fail(Code::duplicate, "the data set has two columns named '{}'", column.name);

  // A cell is missing when it holds nothing; a reason beside a value would be a contradiction.
  if (column.missing.empty()) column.missing.assign(rows, Missing::none);
  for (std::size_t row = 0; row < rows; ++row) {
    const bool blank = column.kind == Kind::code   ? column.codes[row] == missing_level
                       : column.kind == Kind::text ? column.texts[row].empty()
                                                   : std::isnan(column.numbers[row]);
    Missing& reason = column.missing[row];
    if (!blank && reason != Missing::none)
      return fail(Code::inconsistent, "row {} of column '{}' has a value and a reason for having none", row + 1, column.name);
    if (blank) {
      if (reason == Missing::none) reason = Missing::not_recorded;
      if (!column.bounds.empty()) column.bounds[row] = Bound::exact;
      if (!column.latest.empty()) column.latest[row] = missing_number;
      continue;
    }
    if (column.kind == Kind::code) {
      if (column.codes[row] < 0 || std::size_t(column.codes[row]) >= column.levels.size())
        return fail(Code::out_of_range, "row {} of column '{}' holds level number {}, and there are {} levels", row + 1,
                    column.name, column.codes[row], column.levels.size());
    } else if (column.kind == Kind::text) {
      if (!clean_text(column.texts[row])) return fail(Code::syntax, "row {} of column '{}' is not UTF-8", row + 1, column.name);
    } else if (auto ok = check_number(column, row); !ok) {
      return ok;
    }
  }
  clear_if_all(column.missing, Missing::none);
  clear_if_all(column.bounds, Bound::exact);
  if (std::ranges::equal(column.latest, column.numbers, same_number)) column.latest.clear();

  std::vector<double> exact;
  if (!column.bounds.empty() || !column.latest.empty()) {
    exact = column.numbers;
    for (std::size_t row = 0; row < rows; ++row)
      if (!column.is_exact(row)) exact[row] = missing_number;
  }
  made_.exact_.push_back(std::move(exact));
  made_.places_.emplace(column.name, made_.columns_.size());
  made_.columns_.push_back(std::move(column));
  return {};
}

Expected<Dataset> DatasetBuilder::build() {
  if (problem_) return tl::unexpected(*problem_);
  if (made_.columns_.empty()) return fail(Code::no_data, "a data set needs at least one column");
  return std::move(made_);
}

}  // namespace equipoise::data
