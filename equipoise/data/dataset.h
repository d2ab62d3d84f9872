#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/columns.h"
#include "equipoise/core/expected.h"

/// Data of a trial, wherever they come from: typed columns with labels, units and explicit missingness.
namespace equipoise::data {

/// What a column holds. Numbers, integers, flags (0/1) and dates (days since 1970-01-01) are doubles; codes are level numbers.
enum class Kind : std::uint8_t { number, integer, flag, code, date, text };
std::string_view phrase(Kind kind);  ///< "numbers", "whole numbers", ...: for messages

constexpr bool is_numeric(Kind kind) { return kind != Kind::code && kind != Kind::text; }

/// Why a cell holds nothing.
enum class Missing : std::uint8_t {
  none,
  not_recorded,
  not_done,
  not_applicable,
  unknown,
  after_intercurrent_event,
  after_cutoff
};

/// A measured number, or one known only as below or above a limit of the method ("<20" copies/mL).
enum class Bound : std::uint8_t { exact, below, above };

/// One column with its cells. Plain data: `DatasetBuilder` checks it.
struct TypedColumn {
  std::string name{}, label{}, unit{};
  Kind kind = Kind::number;
  std::vector<double>
      numbers{};  ///< of numeric kinds; NaN is missing; the limit when bounded; the earliest day of a partial date
  std::vector<std::int32_t> codes{};        ///< of codes: places in `levels`, or `missing_level`
  std::vector<std::string> levels{};        ///< of codes: their ids, each once
  std::vector<std::string> level_labels{};  ///< for people; empty, or one for each level
  std::vector<std::string> texts{};         ///< of texts; an empty text is missing
  std::vector<Missing> missing{};           ///< a reason for each cell; empty when no cell is missing
  std::vector<Bound> bounds{};              ///< of numbers and integers; empty when all are exact
  std::vector<double> latest{};             ///< of dates: the latest day it can be; empty when all are exact

  std::size_t size() const { return kind == Kind::code ? codes.size() : kind == Kind::text ? texts.size() : numbers.size(); }
  bool is_missing(std::size_t row) const { return !missing.empty() && missing[row] != Missing::none; }
  /// False for a cell known only within bounds (a limit, a month): it has a value, but no exact one.
  bool is_exact(std::size_t row) const;

  /// Equal cells, a missing number being equal to a missing number.
  friend bool operator==(TypedColumn const& a, TypedColumn const& b);
};

/// What a view shows for a number that is bounded or a date that is partial.
enum class Inexact {
  missing,   ///< as missing: no method takes a limit for a measurement by accident
  as_stored  ///< the limit, or the earliest day
};

/// Spans over the columns of a Dataset, which must outlive it.
class DatasetColumns {
 public:
  DatasetColumns(std::size_t rows, std::vector<ColumnView> columns) : rows_(rows), columns_(std::move(columns)) {}
  DatasetView view() const { return {rows_, columns_}; }

 private:
  std::size_t rows_;
  std::vector<ColumnView> columns_;
};

/// Immutable typed columns of one length. Built by `DatasetBuilder`, so that every promise of `TypedColumn` holds.
class Dataset {
 public:
  std::size_t rows() const { return rows_; }
  std::span<const TypedColumn> columns() const { return columns_; }

  TypedColumn const* find(std::string_view name) const;
  /// errors  missing_column, with the nearest name that there is
  Expected<TypedColumn const*> column(std::string_view name) const;

  /// Names and types of the columns that `view` shows: all but the texts, which nothing computes on.
  Schema schema() const;
  /// The columns of `schema()`, in its order.
  DatasetColumns view(Inexact inexact = Inexact::missing) const;

  friend bool operator==(Dataset const& a, Dataset const& b) { return a.rows_ == b.rows_ && a.columns_ == b.columns_; }

 private:
  friend class DatasetBuilder;
  std::size_t rows_ = 0;
  std::vector<TypedColumn> columns_;
  std::vector<std::vector<double>> exact_;  // of columns with bounds or partial dates: NaN there
  std::map<std::string, std::size_t, std::less<>> places_;
};

/// Collects columns and checks them: lengths, names given once, levels in range, whole numbers, dates from 1800 to 2299 that are
/// a day, a month or a year, valid UTF-8. Makes NaN, `missing_level` and empty texts without a reason `not_recorded`.
///
///     auto dataset = DatasetBuilder(2).add({.name = "age", .unit = "a", .kind = Kind::integer, .numbers = {34, 51}}).build();
class DatasetBuilder {
 public:
  explicit DatasetBuilder(std::size_t rows) { made_.rows_ = rows; }

  DatasetBuilder& add(TypedColumn column);
  /// The data set, or the first thing that was wrong with a column.
  /// errors  no_data (no column), duplicate, size_mismatch, out_of_range, inconsistent, syntax (not UTF-8, no name)
  Expected<Dataset> build();

 private:
  Expected<void> take(TypedColumn column);

  Dataset made_;
  std::optional<Error> problem_;
};

}  // namespace equipoise::data
