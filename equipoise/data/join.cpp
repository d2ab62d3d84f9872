#include "equipoise/data/join.h"

#include <string>
#include <unordered_map>

#include "equipoise/core/text.h"
#include "equipoise/data/find_column.h"

namespace equipoise::data {
namespace {

constexpr std::size_t problems_shown = 20;

std::string_view id_at(CellTable const& table, std::size_t row, std::size_t column) { return trimmed(table.cell(row, column)); }

/// At most 20 of a kind, then how many more there are.
class Counted {
 public:
  explicit Counted(Problems& problems) : problems_(problems) {}
  template <class... Args>
  void add(CellTable const& table, std::size_t row, std::string const& column, Code code, fmt::format_string<Args...> text, Args&&... args) {
    if (++count_ > problems_shown) return;
    const std::string row_number = table.has_lines() ? "" : fmt::format("row {}: ", table.line(row));
    add_problem(problems_, {.file = table.file, .line = table.has_lines() ? int(table.line(row)) : 0, .field = column}, code, "{}{}", row_number,
                fmt::format(text, std::forward<Args>(args)...));
  }
  void finish(CellTable const& table, Code code) {
    if (count_ > problems_shown) add_problem(problems_, {.file = table.file}, code, "and {} more like the last one", count_ - problems_shown);
  }

 private:
  Problems& problems_;
  std::size_t count_ = 0;
};

/// Row of each participant in a joined file.
using Rows = std::unordered_map<std::string_view, std::size_t>;

Rows rows_of(CellTable const& file, protocol::SourceJoin const& join, std::size_t key, Problems& problems) {
  std::vector<std::pair<std::size_t, std::string>> rules;
  for (protocol::RowRule const& rule : join.where)
    if (const auto column = find_column(file, rule.column, join.place, problems)) rules.emplace_back(*column, rule.is.value_or(""));
  Rows rows;
  Counted twice(problems);
  for (std::size_t row = 0; row < file.rows(); ++row) {
    bool wanted = true;
    for (auto const& [column, is] : rules) wanted = wanted && id_at(file, row, column) == is;
    const std::string_view id = id_at(file, row, key);
    if (!wanted || id.empty()) continue;
    const auto [before, fresh] = rows.emplace(id, row);
    if (!fresh)
      twice.add(file, row, join.by, Code::duplicate, "participant '{}' has another row, {} {}: a joined file has one row a participant", id, file.line_word(),
                file.line(before->second));
  }
  twice.finish(file, Code::duplicate);
  return rows;
}

}  // namespace

Checked<CellTable> with_joined(protocol::Protocol const& protocol, CellTable table, std::span<const CellTable> files) {
  protocol::Source const& source = *protocol.source;
  expects(files.size() == source.joins.size(), "a table for each joined file");
  Problems problems;
  const auto participant = find_column(table, source.participant, source.place, problems);
  std::vector<std::optional<std::size_t>> keys;
  for (std::size_t j = 0; j < files.size(); ++j) keys.push_back(find_column(files[j], source.joins[j].by, source.joins[j].place, problems));
  if (!problems.empty()) return fail(std::move(problems));

  std::vector<Rows> rows;
  for (std::size_t j = 0; j < files.size(); ++j) rows.push_back(rows_of(files[j], source.joins[j], *keys[j], problems));
  if (!problems.empty()) return fail(std::move(problems));

  // Who is in a joined file and has no row here. In the order of that file, so that the same files give the same table.
  std::unordered_map<std::string, std::size_t> known;
  for (std::size_t row = 0; row < table.rows(); ++row) known.emplace(id_at(table, row, *participant), row);
  const std::size_t own_rows = table.rows();
  for (std::size_t j = 0; j < files.size(); ++j) {
    Counted without(problems);
    for (std::size_t row = 0; row < files[j].rows(); ++row) {
      const std::string_view id = id_at(files[j], row, *keys[j]);
      const auto wanted = rows[j].find(id);
      if (wanted == rows[j].end() || wanted->second != row || !known.emplace(id, table.rows()).second) continue;
      if (source.visits) table.add_row(*participant, id);
      else without.add(files[j], row, source.joins[j].by, Code::unresolved, "participant '{}' has no row in '{}'", id, table.file);
    }
    without.finish(files[j], Code::unresolved);
  }
  for (std::size_t j = 0; j < files.size(); ++j) {
    Counted missing(problems);
    std::vector<std::size_t> row_of(table.rows(), CellTable::no_row);
    for (std::size_t row = 0; row < table.rows(); ++row) {
      const std::string_view id = id_at(table, row, *participant);
      const auto found = rows[j].find(id);
      if (found != rows[j].end()) row_of[row] = found->second;
      else if (!id.empty() && row < own_rows && known.find(std::string(id))->second == row)
        missing.add(table, row, source.participant, Code::unresolved, "participant '{}' has no row in '{}'", id, files[j].file);
    }
    missing.finish(table, Code::unresolved);
    std::vector<std::string> names;
    for (std::string const& name : files[j].header) names.push_back(source.joins[j].as + "." + name);
    table.add_columns(files[j], std::move(names), row_of);
  }
  if (!problems.empty()) return fail(std::move(problems));
  return table;
}

}  // namespace equipoise::data
