#include "equipoise/analysis/compile.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace equipoise::analysis {
namespace {

using stats::ColumnNeed;
using stats::Need;

std::optional<std::size_t> place_of(Schema const& schema, std::string_view name, Need need) {
  for (std::size_t i = 0; i < schema.size(); ++i)
    if (schema[i].name == name && schema[i].numeric == (need == Need::number)) return i;
  return {};
}

/// The place of a column in the schema; its absence is a problem.
std::optional<std::size_t> find_column(Schema const& schema, ColumnNeed const& need, Analysis const& analysis,
                                       Problems& problems) {
  if (const auto place = place_of(schema, need.name, need.need)) return place;
  const bool other_type = std::ranges::find(schema, need.name, &ColumnSchema::name) != schema.end();
  if (other_type) {
    add_problem(problems, analysis.place, Code::wrong_type, "analysis '{}' needs column '{}' as {}, and it holds {}", analysis.id,
                need.name, need.need == Need::number ? "numbers" : "a category",
                need.need == Need::number ? "a category" : "numbers");
    return {};
  }
  Error& error = add_problem(problems, analysis.place, Code::missing_column,
                             "analysis '{}' needs column '{}', and the data have none of that name", analysis.id, need.name);
  std::vector<std::string> names;
  for (ColumnSchema const& column : schema) names.push_back(column.name);
  if (const auto near = nearest(need.name, names)) error.hint = fmt::format("did you mean '{}'?", *near);
  return {};
}

bool has_text(std::vector<CellValue> const& values) {
  return std::ranges::any_of(values, [](CellValue const& value) { return std::holds_alternative<std::string>(value); });
}
bool has_number(std::vector<CellValue> const& values) {
  return std::ranges::any_of(values, [](CellValue const& value) { return std::holds_alternative<double>(value); });
}

std::vector<CellValue> listed(std::optional<CellValue> const& value) {
  return value ? std::vector{*value} : std::vector<CellValue>{};
}

/// How a filter looks at its column.
struct Looks {
  bool as_text = false, as_number = false;
};
Looks looks(RowFilter const& filter) {
  Looks need{.as_text = false, .as_number = filter.min || filter.max};
  for (std::vector<CellValue> const& values : {listed(filter.is), listed(filter.is_not), filter.is_in}) {
    need.as_text |= has_text(values);
    need.as_number |= has_number(values);
  }
  return need;
}

}  // namespace

std::vector<ColumnNeed> columns_needed(Analysis const& analysis, ReadyMethod const& method) {
  std::vector<ColumnNeed> needed;
  const auto add = [&](ColumnNeed need) {
    const auto known =
        std::ranges::find_if(needed, [&](ColumnNeed const& one) { return one.name == need.name && one.need == need.need; });
    if (known == needed.end()) needed.push_back(std::move(need));
  };
  for (RowFilter const& filter : analysis.where) {
    const Looks look = looks(filter);
    if (look.as_number) add({filter.column, Need::number});
    if (look.as_text || !look.as_number) add({filter.column, Need::category});  // presence alone is asked of any text
  }
  for (ColumnNeed const& need : method.needs) add(need);
  return needed;
}

Checked<CompiledAnalysis> compile(Analysis const& analysis, Schema const& schema) {
  Checked<ReadyMethod> method = ready_method(analysis);
  if (!method) return fail(std::move(method.error()));
  return compile(analysis, std::move(*method), schema);
}

Checked<CompiledAnalysis> compile(Analysis const& analysis, ReadyMethod method, Schema const& schema) {
  using Filter = CompiledAnalysis::Filter;
  Problems problems;
  CompiledAnalysis made;
  made.id_ = analysis.id;
  made.schema_ = schema;

  for (RowFilter const& rule : analysis.where) {
    const Looks look = looks(rule);
    std::optional<std::size_t> category, number;
    if (look.as_text) category = find_column(schema, {rule.column, Need::category}, analysis, problems);
    if (look.as_number) number = find_column(schema, {rule.column, Need::number}, analysis, problems);
    if ((look.as_text && !category) || (look.as_number && !number)) continue;
    if (!category && !number) {  // presence can be asked of either type
      category = place_of(schema, rule.column, Need::category);
      if (!category) number = place_of(schema, rule.column, Need::number);
      if (!category && !number && !(number = find_column(schema, {rule.column, Need::number}, analysis, problems))) continue;
    }
    const auto compare = [&](std::vector<CellValue> const& values, Filter::Test test) {
      Filter filter{.test = test, .category = category, .number = number};
      if (category && schema[*category].levels.empty())
        add_problem(problems, analysis.place, Code::inconsistent,
                    "analysis '{}' selects rows by column '{}', whose levels are known only with the data", analysis.id,
                    rule.column);
      if (category) filter.allowed.assign(schema[*category].levels.size(), 0);
      for (CellValue const& value : values) {
        if (const double* wanted = std::get_if<double>(&value)) filter.values.push_back(*wanted);
        else if (category) {
          std::vector<std::string> const& levels = schema[*category].levels;
          const auto level = std::ranges::find(levels, std::get<std::string>(value));
          if (level != levels.end()) filter.allowed[std::size_t(level - levels.begin())] = 1;
        }
      }
      made.filters_.push_back(std::move(filter));
    };
    if (rule.is) compare({*rule.is}, Filter::Test::any_of);
    if (rule.is_not) compare({*rule.is_not}, Filter::Test::none_of);
    if (!rule.is_in.empty()) compare(rule.is_in, Filter::Test::any_of);
    if (rule.present)
      made.filters_.push_back(
          {.test = *rule.present ? Filter::Test::present : Filter::Test::absent, .category = category, .number = number});
    if (rule.min || rule.max) {
      constexpr double infinity = std::numeric_limits<double>::infinity();
      made.filters_.push_back({.test = Filter::Test::range,
                               .number = number,
                               .min = rule.min.value_or(-infinity),
                               .max = rule.max.value_or(infinity)});
    }
  }

  for (ColumnNeed const& need : method.needs) {
    const auto place = find_column(schema, need, analysis, problems);
    if (!place) continue;
    CompiledAnalysis::Gathered column{.place = *place, .drop_missing = need.drop_missing};
    if (need.need == Need::category) {
      std::vector<std::string> const& levels = schema[*place].levels;
      column.levels = need.levels.empty() ? levels : need.levels;
      column.open = column.levels.empty();
      for (std::string const& level : levels) {
        const auto found = std::ranges::find(column.levels, level);
        column.level_of.push_back(found == column.levels.end() ? missing_level : std::int32_t(found - column.levels.begin()));
      }
      column.same_levels = column.levels == levels;
    }
    made.columns_.push_back(std::move(column));
  }
  made.method_ = std::move(method);
  if (!problems.empty()) {
    sort_in_file_order(problems);
    return fail(std::move(problems));
  }
  return made;
}

bool CompiledAnalysis::Filter::meets(DatasetView const& view, std::size_t row) const {
  const auto code = [&] { return category ? view.columns[*category].categories().codes[row] : missing_level; };
  const auto value = [&] { return number ? view.columns[*number].numbers()[row] : missing_number; };
  const auto here = [&] { return category ? code() != missing_level : !std::isnan(value()); };
  const auto listed_here = [&] {
    if (const std::int32_t level = code(); level != missing_level && allowed[std::size_t(level)]) return true;
    return number && std::ranges::find(values, value()) != values.end();
  };
  switch (test) {
    case Test::any_of:
      return here() && listed_here();
    case Test::none_of:
      return here() && !listed_here();
    case Test::present:
      return here();
    case Test::absent:
      return !here();
    case Test::range:
      return value() >= min && value() <= max;  // false for NaN
  }
  return false;
}

void CompiledAnalysis::check_schema(DatasetView const& view) const {
  expects(view.columns.size() == schema_.size(), "a view has the columns of the schema that the analysis was compiled against");
  const auto check = [&](std::size_t place) {
    ColumnView const& column = view.columns[place];
    ColumnSchema const& wanted = schema_[place];
    expects(column.name == wanted.name && column.numeric() == wanted.numeric && column.size() == view.rows,
            "a column of the view has name, type and length of the schema");
    if (!wanted.numeric && !wanted.levels.empty())
      expects(std::ranges::equal(column.categories().levels, wanted.levels),
              "a category of the view has the levels of the schema");
  };
  for (Filter const& filter : filters_) {
    if (filter.category) check(*filter.category);
    if (filter.number) check(*filter.number);
  }
  for (Gathered const& column : columns_) check(column.place);
}

/// Columns of which every row is used are looked at where they stand.
Expected<void> CompiledAnalysis::gather(DatasetView const& view, Workspace& workspace) const {
  workspace.numbers_.resize(columns_.size());
  workspace.codes_.resize(columns_.size());
  workspace.frame_.columns.resize(columns_.size());
  workspace.frame_.rows = workspace.rows_.size();
  const std::span<const std::size_t> rows = workspace.rows_;
  const bool whole = rows.size() == view.rows;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Gathered const& column = columns_[i];
    ColumnView const& from = view.columns[column.place];
    ColumnView& to = workspace.frame_.columns[i];
    to.name = schema_[column.place].name;
    if (from.numeric()) {
      const NumbersView values = from.numbers();
      if (whole) {
        to.cells = values;
        continue;
      }
      workspace.numbers_[i].resize(rows.size());
      double* out = workspace.numbers_[i].data();
      for (const std::size_t row : rows) *out++ = values.data()[row];
      to.cells = NumbersView(workspace.numbers_[i]);
      continue;
    }
    const std::span<const std::int32_t> codes = from.categories().codes;
    const std::span<const std::string> levels =
        column.open ? from.categories().levels : std::span<const std::string>(column.levels);
    const auto known = std::int32_t(column.level_of.size());
    if (!column.open) {
      bool inside = true;
      for (const std::int32_t code : codes) inside &= (code >= missing_level) & (code < known);
      expects(inside, "a code is a place in the levels of its column");
    }
    if (whole && (column.open || column.same_levels)) {
      to.cells = CategoriesView{codes, levels};
      continue;
    }
    workspace.codes_[i].resize(rows.size());
    std::int32_t* out = workspace.codes_[i].data();
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const std::int32_t code = codes[rows[r]];
      out[r] = column.open || code == missing_level ? code : column.level_of[std::size_t(code)];
      if (out[r] == missing_level && code != missing_level)
        return fail(Code::inconsistent, "column '{}' has the level '{}', which the analysis does not list among {}", to.name,
                    from.categories().levels[std::size_t(code)], join(column.levels, ", "));
    }
    to.cells = CategoriesView{workspace.codes_[i], levels};
  }
  return {};
}

Expected<std::size_t> CompiledAnalysis::prepare(DatasetView const& view, Workspace& workspace) const {
  check_schema(view);
  workspace.chosen_.assign(view.rows, 1);
  std::uint8_t* const chosen = workspace.chosen_.data();
  const auto count = [&] {
    std::size_t sum = 0;
    for (std::size_t row = 0; row < view.rows; ++row) sum += chosen[row];
    return sum;
  };
  for (Filter const& filter : filters_) {
    if (filter.test == Filter::Test::any_of && filter.category && !filter.number) {  // of these levels: what most filters ask
      std::int32_t const* codes = view.columns[*filter.category].categories().codes.data();
      std::uint8_t const* allowed = filter.allowed.data();
      for (std::size_t row = 0; row < view.rows; ++row)
        chosen[row] = codes[row] != missing_level ? chosen[row] & allowed[codes[row]] : 0;
      continue;
    }
    for (std::size_t row = 0; row < view.rows; ++row)
      if (chosen[row]) chosen[row] = filter.meets(view, row);
  }
  const std::size_t met = filters_.empty() ? view.rows : count();
  for (Gathered const& column : columns_) {
    if (!column.drop_missing) continue;
    ColumnView const& cells = view.columns[column.place];
    if (cells.numeric()) {
      double const* values = cells.numbers().data();
      for (std::size_t row = 0; row < view.rows; ++row) chosen[row] &= values[row] == values[row];
    } else {
      std::int32_t const* codes = cells.categories().codes.data();
      for (std::size_t row = 0; row < view.rows; ++row) chosen[row] &= codes[row] != missing_level;
    }
  }
  const std::size_t used = count();
  workspace.rows_.resize(used);
  std::size_t* next = workspace.rows_.data();
  if (used == view.rows) std::iota(workspace.rows_.begin(), workspace.rows_.end(), std::size_t(0));
  else
    for (std::size_t row = 0; row < view.rows; ++row)
      if (chosen[row]) *next++ = row;
  if (used == 0 && !columns_.empty()) {
    if (met == 0)
      return fail(Code::no_data, "analysis '{}' has no rows: none of the {} rows of the data meets its filter", id_, view.rows);
    return fail(Code::no_data, "analysis '{}' has no rows: each of the {} rows{} misses a value", id_, met,
                filters_.empty() ? "" : " that meet its filter");
  }
  if (auto gathered = gather(view, workspace); !gathered) return tl::unexpected(std::move(gathered.error()));
  return met;
}

Expected<Outcome> CompiledAnalysis::run(DatasetView const& view, Workspace& workspace, stats::Focus const* focus) const {
  const Expected<std::size_t> met = prepare(view, workspace);
  if (!met) return tl::unexpected(met.error());
  Expected<stats::Answer> answer =
      focus && method_.run_focused ? method_.run_focused(workspace.frame_, *focus) : method_.run(workspace.frame_);
  if (!answer) return tl::unexpected(std::move(answer.error()));
  const std::size_t used = workspace.rows_.size();
  return Outcome{std::move(*answer), used, *met - used};
}

Expected<stats::Figures> CompiledAnalysis::figures(DatasetView const& view, Workspace& workspace, stats::Focus const& focus) const {
  expects(gives_figures(), "figures are asked of a method that gives them");
  if (const auto met = prepare(view, workspace); !met) return tl::unexpected(met.error());
  return method_.figures(workspace.frame_, focus);
}

}  // namespace equipoise::analysis
