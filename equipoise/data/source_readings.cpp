#include <algorithm>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/data/readings.h"
#include "equipoise/data/source_reader.h"

namespace equipoise::data {

using expression::Column;

/// The day of each row: a date, or whole days since randomisation.
void SourceReader::read_days() {
  const std::size_t at = column(source_.day);
  CellColumn const& texts = table_.column(at);
  enum : std::uint8_t { not_met, missing, date, days };
  std::vector<std::uint8_t> means(texts.codes(), not_met);
  std::vector<double> number(texts.codes());
  day_.resize(table_.rows());
  for (std::size_t row = 0; row < table_.rows(); ++row) {
    day_[row] = missing_number;
    if (owner_[row] == no_one) continue;
    const std::uint32_t code = texts.code(row);
    if (means[code] == not_met) {  // or no day: told again
      const std::string_view text = cell(row, at);
      const bool is_date = text.size() == 10 && text[4] == '-';
      if (text.empty()) {
        means[code] = missing;
      } else if (is_date && !records_.calendar) {
        cells_.refuse(line(row), source_.day,
                      fmt::format("'{}' is a date, and without the date of randomisation it has no origin", text),
                      "name the column 'randomised' in [source], or give days since randomisation");
      } else if (const auto day = is_date ? cells_.exact_date(text, line(row), source_.day)
                                          : cells_.whole_number(text, line(row), source_.day)) {
        means[code] = is_date ? date : days;
        number[code] = *day;
      }
    }
    if (means[code] == date) day_[row] = number[code];
    else if (means[code] == days) day_[row] = records_.randomisation.low[owner_[row]] + number[code];
  }
}

/// The visit that each row names, if any.
void SourceReader::read_visits() {
  std::vector<std::string> visits;
  for (protocol::Visit const& visit : protocol_.visits) visits.push_back(visit.id);
  const std::size_t at = column(source_.visit);
  CellColumn const& texts = table_.column(at);
  constexpr std::int32_t not_met = missing_level - 1;
  std::vector<std::int32_t> means(texts.codes(), not_met);
  visit_.resize(table_.rows());
  DaysOfNamedVisits days(protocol_, records_);
  for (std::size_t row = 0; row < table_.rows(); ++row) {
    visit_[row] = missing_level;
    if (owner_[row] == no_one) continue;
    std::int32_t& visit = means[texts.code(row)];
    if (visit == not_met) {  // or no visit: told again
      const std::string_view text = cell(row, at);
      const std::int32_t level =
          text.empty() ? missing_level : cells_.level(text, visits, source_.visit_codes, "visit", line(row), source_.visit);
      if (text.empty() || level != missing_level) visit = level;
    }
    if (visit < 0) continue;
    visit_[row] = visit;
    if (!std::isnan(day_[row])) days.see(std::size_t(visit), owner_[row], day_[row]);
  }
  days.finish();
}

/// A cell with the sign of its bound, which may stand in a column of its own.
std::string SourceReader::signed_cell(protocol::SourceItem const& mapped, std::size_t row) {
  const std::string_view text = cell(row, column(mapped.column));
  if (mapped.bound.empty() || text.empty()) return std::string(text);
  const std::string_view sign = cell(row, column(mapped.bound));
  if (sign.empty() || sign == "=") return std::string(text);
  if (sign != "<" && sign != ">")
    cells_.refuse(line(row), mapped.bound, fmt::format("'{}' is neither '<' nor '>' nor '='", sign));
  else if (text.front() == '<' || text.front() == '>') {
    if (text.front() != sign.front())
      cells_.refuse(line(row), mapped.bound, fmt::format("'{}' contradicts the value '{}'", sign, text));
    return std::string(text);
  } else {
    return std::string(sign) + std::string(text);
  }
  return {};
}

/// Whether the row says where its value belongs: its visit, when rows name visits, else its day.
bool SourceReader::has_place(protocol::SourceItem const& mapped, std::size_t row) {
  const bool named = !visit_.empty();
  if (named ? visit_[row] != missing_level : !std::isnan(day_[row])) return true;
  std::string const& where = named ? source_.visit : source_.day;
  if (!cell(row, column(where)).empty()) return false;  // told before
  const std::string text =
      fmt::format("the value '{}' of '{}' has no {}", cell(row, column(mapped.column)), mapped.item, named ? "visit" : "day");
  cells_.refuse(line(row), where, text,
                named ? "a visit that is not planned has no place in the analysis: leave its rows out with 'where'" : "");
  return false;
}

/// Values of one item: at the visits that their rows name, or else with a day, one a participant and day, sorted.
void SourceReader::read_readings(protocol::SourceItem const& mapped) {
  const protocol::Item& item = *protocol_.item(mapped.item);
  const RowsThatMeet meet = rows_that_meet(mapped.where);
  const std::size_t at = column(mapped.column);
  CellColumn const& texts = table_.column(at);
  const double by = factor(item, mapped.unit);
  const bool of_text = mapped.bound.empty();  // else a value is that of its row
  enum : std::uint8_t { not_met, missing, known };
  std::vector<std::uint8_t> means(of_text ? texts.codes() : table_.rows(), not_met);
  Column values = missing_item(item, means.size());
  const bool named = !visit_.empty();
  NamedVisits at_visits(protocol_, item, values, records_);
  bool placed = true, any = false;
  std::vector<Reading> read;
  const auto reading = [&](std::size_t row, std::size_t value) {
    return Reading{.participant = owner_[row],
                   .day = day_[row],
                   .value = value,
                   .line = line(row),
                   .visit = named ? std::size_t(visit_[row]) : 0};
  };
  for (std::size_t row = 0; row < table_.rows(); ++row) {
    if (owner_[row] == no_one || !meet(row)) continue;
    const std::size_t value = of_text ? texts.code(row) : row;
    if (means[value] == missing || (means[value] == not_met && cell(row, at).empty())) {
      means[value] = missing;
      continue;
    }
    if (!has_place(mapped, row)) continue;
    any = true;
    if (means[value] == not_met) {  // or no value: told again
      cells_.read(values, value, item, signed_cell(mapped, row), mapped.codes, by, line(row), mapped.column);
      if (values.missing(value)) continue;
      means[value] = known;
    }
    if (!named) read.push_back(reading(row, value));
    else if (placed && !at_visits.put(std::size_t(visit_[row]), owner_[row], value)) placed = false;
  }
  if (!any && !mapped.where.empty())
    records_.notes.push_back(fmt::format("No row holds a value of item '{}' as its 'where' asks.", item.id));
  if (!named) {
    records_.readings.emplace(item.id, one_a_day(protocol_, item, values, std::move(read), mapped.column, cells_, records_));
    return;
  }
  if (placed) return at_visits.finish();
  for (std::size_t row = 0; row < table_.rows(); ++row)
    if (owner_[row] != no_one && visit_[row] != missing_level && meet(row))
      if (const std::size_t value = of_text ? texts.code(row) : row; means[value] == known) read.push_back(reading(row, value));
  tell_named_visits(protocol_, item, values, std::move(read), mapped.column, cells_, records_);
}

void SourceReader::read_items() {
  for (protocol::SourceItem const& mapped : source_.items) {
    if (source_.visits && mapped.visit.empty()) {
      read_readings(mapped);
      continue;
    }
    const protocol::Item& item = *protocol_.item(mapped.item);
    Column into = missing_item(item, n_);
    const double by = factor(item, mapped.unit);
    for (std::size_t i = 0; i < n_; ++i)
      cells_.read(into, i, item, signed_cell(mapped, first_row_[i]), mapped.codes, by, line(first_row_[i]), mapped.column);
    same_throughout(mapped.column, "value"), same_throughout(mapped.bound, "sign");
    records_.items.emplace(std::pair(mapped.item, mapped.visit), std::move(into));
  }
}

}  // namespace equipoise::data
