#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "equipoise/analysis/analysis.h"
#include "equipoise/analysis/ready_method.h"
#include "equipoise/core/columns.h"
#include "equipoise/core/expected.h"

namespace equipoise::analysis {

/// What an analysis says of data.
struct Outcome {
  stats::Answer answer;
  std::size_t rows_used = 0;
  std::size_t rows_dropped_missing = 0;  ///< met `where`, and miss a value in a column that the roles or the formula use
};

/// Memory that runs reuse: after the first run on data of a size, gathering allocates nothing. One a thread.
class Workspace {
 public:
  /// Rows of the view that the last run used, in order.
  std::span<const std::size_t> rows() const { return rows_; }

 private:
  friend class CompiledAnalysis;
  std::vector<std::size_t> rows_;
  std::vector<std::uint8_t> chosen_;
  std::vector<std::vector<double>> numbers_;
  std::vector<std::vector<std::int32_t>> codes_;
  stats::Frame frame_;
};

/// An analysis bound to a schema: columns found, types checked, levels fixed. Immutable; runs on any view with that schema, from
/// any thread with a workspace of its own.
class CompiledAnalysis {
 public:
  /// Rows that meet `where`, less those that miss a value, to the method.
  /// errors  no_data; inconsistent (a level that the analysis does not list); those of the method. ContractViolation when the
  /// view has
  ///         another schema
  Expected<Outcome> run(DatasetView const& view, Workspace& workspace) const { return run(view, workspace, nullptr); }
  /// The same of a method that takes a focus: nothing but its differences. Of another method the whole answer.
  Expected<Outcome> run(DatasetView const& view, Workspace& workspace, stats::Focus const& focus) const {
    return run(view, workspace, &focus);
  }

  /// Whether the method gives figures of a difference without the rest of an answer; then `figures` gives them.
  bool gives_figures() const { return bool(method_.figures); }
  Expected<stats::Figures> figures(DatasetView const& view, Workspace& workspace, stats::Focus const& focus) const;

  stats::MethodCard const& card() const { return *method_.card; }

 private:
  friend Checked<CompiledAnalysis> compile(Analysis const&, ReadyMethod, Schema const&);

  /// One condition on one column, looked at as category, as numbers, or (a list with both) as either.
  struct Filter {
    enum class Test { any_of, none_of, present, absent, range };
    Test test = Test::present;
    std::optional<std::size_t> category{}, number{};  // places in the schema
    std::vector<std::uint8_t> allowed{};              // by level
    std::vector<double> values{};
    double min = 0, max = 0;

    bool meets(DatasetView const& view, std::size_t row) const;
  };

  /// One column of the frame.
  struct Gathered {
    std::size_t place = 0;  // in the schema
    bool drop_missing = true;
    bool open = false;                     // a category whose levels are those of the data
    std::vector<std::string> levels{};     // of the frame
    std::vector<std::int32_t> level_of{};  // schema level to frame level, missing_level = not listed
    bool same_levels = false;              // each level is itself
  };

  Expected<Outcome> run(DatasetView const& view, Workspace& workspace, stats::Focus const* focus) const;
  void check_schema(DatasetView const& view) const;
  /// Chooses the rows and gathers them; returns how many met the filters.
  Expected<std::size_t> prepare(DatasetView const& view, Workspace& workspace) const;
  Expected<void> gather(DatasetView const& view, Workspace& workspace) const;

  std::string id_;
  ReadyMethod method_;
  Schema schema_;
  std::vector<Filter> filters_;
  std::vector<Gathered> columns_;
};

/// The columns an analysis reads, each by name and type: those of its filters, then those of its method.
std::vector<stats::ColumnNeed> columns_needed(Analysis const& analysis, ReadyMethod const& method);

/// Finds each column by name and type: a schema may show one column of the data both as numbers and as a category.
/// errors  missing_column, wrong_type, unknown_keyword, not_available, and those of the method's parser
Checked<CompiledAnalysis> compile(Analysis const& analysis, Schema const& schema);
Checked<CompiledAnalysis> compile(Analysis const& analysis, ReadyMethod method, Schema const& schema);

}  // namespace equipoise::analysis
