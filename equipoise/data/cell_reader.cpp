#include "equipoise/data/cell_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/core/text.h"

namespace equipoise::data {
namespace {

using expression::Column;
using protocol::Item;
using protocol::ItemKind;

std::string shortened(std::string_view cell) {
  constexpr std::size_t most = 40;
  std::string text(cell.substr(0, most));
  while (!text.empty() && !is_utf8(text)) text.pop_back();  // a character cut in two
  return cell.size() > most ? text + "..." : text;
}

std::vector<std::string> cells_of(std::vector<protocol::CellCode> const& codes) {
  std::vector<std::string> cells;
  for (protocol::CellCode const& code : codes) cells.push_back(code.cell);
  return cells;
}

std::string_view meaning(std::string_view cell, std::vector<protocol::CellCode> const& codes) {
  const auto found = std::ranges::find(codes, cell, [](protocol::CellCode const& code) -> std::string_view { return code.cell; });
  return found == codes.end() ? std::string_view{} : std::string_view(found->meaning);
}

}  // namespace

CellReader::~CellReader() {
  for (auto const& [column, count] : count_)
    if (count > shown_)
      add_problem(problems_, {.file = file_, .line = last_line_[column], .column = 0, .field = column}, Code::bad_cell,
                  "and {} more cells of this column", count - shown_);
}

void CellReader::refuse(int line, std::string const& column, std::string message, std::string hint) {
  if (++count_[column] > shown_) {
    last_line_.try_emplace(column, line);
    return;
  }
  problems_.push_back(
      Error{Code::bad_cell, std::move(message), {.file = file_, .line = line, .column = 0, .field = column}, std::move(hint)});
}

std::int32_t CellReader::level(std::string_view cell, std::vector<std::string> const& levels,
                               std::vector<protocol::CellCode> const& codes, std::string_view what, int line,
                               std::string const& column) {
  std::string_view id = codes.empty() ? cell : meaning(cell, codes);
  if (id.empty() && !codes.empty() && std::ranges::find(levels, cell) != levels.end()) id = cell;
  const auto found = std::ranges::find(levels, id);
  if (!id.empty() && found != levels.end()) return std::int32_t(found - levels.begin());
  const std::vector<std::string> offered = codes.empty() ? levels : cells_of(codes);
  const auto near = nearest(cell, offered);
  refuse(line, column, fmt::format("'{}' is no {}", shortened(cell), what),
         near ? fmt::format("did you mean '{}'?", *near) : "known: " + join(offered, ", "));
  return missing_level;
}

std::optional<double> CellReader::whole_number(std::string_view cell, int line, std::string const& column,
                                               std::string_view what) {
  const auto number = to_number(cell);
  if (number && std::trunc(*number) == *number && std::abs(*number) < 1e6) return number;
  refuse(line, column, fmt::format("'{}' is not {}", shortened(cell), what));
  return {};
}

std::optional<double> CellReader::exact_date(std::string_view cell, int line, std::string const& column) {
  const auto date = to_partial_date(cell);
  if (date && date->exact()) return day_number(date->earliest);
  refuse(line, column, fmt::format("'{}' is not a date", shortened(cell)), "dates are written YYYY-MM-DD");
  return {};
}

void CellReader::read(Column& into, std::size_t row, Item const& item, std::string_view cell,
                      std::vector<protocol::CellCode> const& codes, double factor, int line, std::string const& column) {
  if (cell.empty()) return;
  switch (item.kind) {
    case ItemKind::number:
    case ItemKind::integer: {
      const bool sign = cell.front() == '<' || cell.front() == '>';
      const char bound = item.detection_limit && sign ? cell.front() : ' ';
      const auto number = to_number(bound == ' ' ? cell : trimmed(cell.substr(1)));
      if (!number)
        return refuse(line, column, fmt::format("'{}' is not a number", shortened(cell)),
                      sign && !item.detection_limit && to_number(trimmed(cell.substr(1)))
                          ? fmt::format("a value known only as beyond a limit: give item '{}' its 'detection_limit'", item.id)
                          : "");
      const double value = *number * factor;
      if (bound != ' ' && !(value > 0))
        return refuse(line, column, fmt::format("'{}' names a limit that is not above 0", shortened(cell)));
      if (item.kind == ItemKind::integer && std::trunc(value) != value)
        return refuse(line, column, fmt::format("{} is not a whole number", shortest(value)));
      if (item.hard && !(value >= item.hard->first && value <= item.hard->second))
        return refuse(line, column,
                      fmt::format("{} is outside the hard limits {} to {} of '{}'", shortest(value), shortest(item.hard->first),
                                  shortest(item.hard->second), item.id));
      if (item.step && std::abs(value / *item.step - std::round(value / *item.step)) > 1e-9)
        return refuse(
            line, column,
            fmt::format("{} is not a multiple of {}, the step of '{}'", shortest(value), shortest(*item.step), item.id));
      const double infinity = std::numeric_limits<double>::infinity();
      if (bound == '<') return into.set(row, {-infinity, value, true, true});
      if (bound == '>') return into.set(row, {value, infinity, true, true});
      return into.set(row, expression::Interval::exactly(value));
    }
    case ItemKind::code: {
      into.code[row] = level(cell, into.levels, codes, fmt::format("code of '{}'", item.id), line, column);
      return;
    }
    case ItemKind::flag: {
      const std::string_view word = codes.empty() ? cell : meaning(cell, codes);
      if (word == "1" || word == "true" || word == "yes" || word == "Y" || word == "TRUE") into.truth[row] = 1;
      else if (word == "0" || word == "false" || word == "no" || word == "N" || word == "FALSE") into.truth[row] = 0;
      else
        refuse(line, column, fmt::format("'{}' is neither true nor false", shortened(cell)),
               "say what it means: codes = { \"...\" = \"true\", \"...\" = \"false\" }");
      return;
    }
    case ItemKind::date: {
      const auto date = to_partial_date(cell);
      if (!date)
        return refuse(line, column, fmt::format("'{}' is not a date", shortened(cell)),
                      "dates are written YYYY-MM-DD, or YYYY-MM or YYYY when the rest is unknown");
      return into.set(row, {day_number(date->earliest), day_number(date->latest), false, false});
    }
    case ItemKind::text: {
      into.text[row] = std::string(cell);
      return;
    }
  }
}

}  // namespace equipoise::data
