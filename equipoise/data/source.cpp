#include "equipoise/data/source.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "equipoise/core/text.h"
#include "equipoise/data/find_column.h"
#include "equipoise/data/source_reader.h"
#include "equipoise/data/windows.h"

namespace equipoise::data {

using expression::Column;
using expression::Type;

TrialRecords SourceReader::read() {
  check_columns();
  if (!problems_.empty()) return {};
  read_participants();
  read_people();
  if (source_.intervals) read_intervals();
  else read_follow_up();
  if (source_.visits) read_days();
  if (!source_.visit.empty()) read_visits();
  read_items();
  for (protocol::SourceEntry const& entry : source_.entries) read_entries(entry);
  place_readings(records_, protocol_, true);
  return std::move(records_);
}

std::string_view SourceReader::meant(std::string_view text) const {
  text = trimmed(text);
  return std::ranges::find(source_.missing, text) == source_.missing.end() ? text : std::string_view{};
}

std::size_t SourceReader::column(std::string const& name) const {
  const auto found = table_.find(name);
  expects(found.has_value() && table_.column(*found).rows() == table_.rows(), "columns are checked before they are read");
  return *found;
}

double SourceReader::factor(protocol::Item const& item, std::string const& unit) {
  for (auto const& [other, by] : item.also)
    if (other == unit) return by;
  return 1.0;
}

RowsThatMeet SourceReader::rows_that_meet(std::vector<protocol::RowRule> const& where) const {
  RowsThatMeet made;
  for (protocol::RowRule const& rule : where) {
    const std::size_t at = column(rule.column);
    CellColumn const& texts = table_.column(at);
    std::vector<std::uint8_t> meets(texts.codes());
    for (std::size_t code = 0; code < meets.size(); ++code) meets[code] = meant(table_.text(at, std::uint32_t(code))) == *rule.is;
    made.rules_.push_back({&texts, std::move(meets)});
  }
  return made;
}

void SourceReader::check_columns() {
  const auto wanted = [&](std::string const& name, Place const& place) {
    if (!name.empty()) (void)find_column(table_, name, place, problems_);
  };
  for (std::string const* name : {&source_.participant, &source_.site, &source_.arm, &source_.arm_received, &source_.randomised,
                                  &source_.randomisation_order, &source_.follow_up, &source_.day, &source_.visit,
                                  &source_.interval_start, &source_.interval_stop})
    wanted(*name, source_.place);
  for (protocol::SourceItem const& item : source_.items) {
    wanted(item.column, item.place), wanted(item.bound, item.place);
    for (protocol::RowRule const& rule : item.where) wanted(rule.column, item.place);
  }
  for (protocol::SourceEntry const& entry : source_.entries) {
    for (protocol::RowRule const& rule : entry.where) wanted(rule.column, entry.place);
    for (protocol::SourceEntryItem const& item : entry.items) wanted(item.column, item.place);
  }
}

void SourceReader::read_participants() {
  const std::size_t at = column(source_.participant);
  CellColumn const& ids = table_.column(at);
  constexpr std::uint32_t not_met = no_one - 1;
  std::vector<std::uint32_t> of_code(ids.codes(), not_met);
  bool one_each = ids.distinct();  // else several codes may mean one participant
  for (std::size_t code = 0; code < ids.codes() && one_each; ++code) {
    const std::string_view text = table_.text(at, std::uint32_t(code));
    one_each = trimmed(text).size() == text.size();
  }
  std::unordered_map<std::string_view, std::uint32_t> seen;
  records_.participants.reserve(one_each ? ids.codes() : 0);
  owner_.resize(table_.rows());
  for (std::size_t row = 0; row < table_.rows(); ++row) {
    std::uint32_t& participant = of_code[ids.code(row)];
    bool fresh = false;
    if (participant == not_met) {
      const std::string_view name = cell(row, at);
      if (name.empty()) {
        participant = no_one;
      } else {
        participant = std::uint32_t(records_.participants.size());
        if (!one_each) participant = seen.emplace(name, participant).first->second;
        fresh = participant == records_.participants.size();
      }
      if (fresh) {
        records_.participants.emplace_back(name);
        first_row_.push_back(row);
      }
    }
    owner_[row] = participant;
    if (participant == no_one) cells_.refuse(line(row), source_.participant, "the participant is missing");
    else if (!fresh && !several_rows())
      cells_.refuse(line(row), source_.participant,
                    fmt::format("participant '{}' has a second row; the first is {} {}", records_.participants[participant],
                                table_.line_word(), line(first_row_[participant])),
                    "with several rows a participant say rows = \"intervals\" or \"visits\" in [source]");
  }
  n_ = records_.participants.size();
}

/// Reports a cell that differs from that of the participant's first row.
void SourceReader::same_throughout(std::string const& name, std::string_view what) {
  if (!several_rows() || name.empty()) return;
  const std::size_t at = column(name);
  CellColumn const& texts = table_.column(at);
  std::vector<std::uint32_t> first_code(n_);
  for (std::size_t i = 0; i < n_; ++i) first_code[i] = texts.code(first_row_[i]);
  for (std::size_t row = 0; row < table_.rows(); ++row) {
    const std::uint32_t owner = owner_[row];
    if (owner == no_one || texts.code(row) == first_code[owner]) continue;
    const std::string_view first = meant(table_.text(at, first_code[owner])), here = cell(row, at);
    if (first != here)
      cells_.refuse(line(row), name,
                    fmt::format("participant '{}' has the {} '{}' here, and '{}' in {} {}", records_.participants[owner], what,
                                here, first, table_.line_word(), line(first_row_[owner])));
  }
}

Column SourceReader::levels_of(std::string const& name, std::vector<std::string> const& levels,
                               std::vector<protocol::CellCode> const& codes, std::string_view what) {
  Column made = Column::of_codes(std::vector<std::int32_t>(n_, missing_level), levels);
  if (name.empty()) return made;
  const std::size_t at = column(name);
  std::vector<std::int32_t> known(table_.column(at).codes(), missing_level);
  for (std::size_t i = 0; i < n_; ++i) {
    std::int32_t& level = known[table_.column(at).code(first_row_[i])];
    if (level == missing_level)
      if (const std::string_view text = cell(first_row_[i], at); !text.empty())
        level = cells_.level(text, levels, codes, what, line(first_row_[i]), name);
    made.code[i] = level;
  }
  same_throughout(name, what);
  return made;
}

void SourceReader::read_people() {
  std::vector<std::string> arms, sites;
  std::vector<protocol::CellCode> site_names;
  for (protocol::Arm const& arm : protocol_.arms) arms.push_back(arm.id);
  for (protocol::Site const& site : protocol_.sites) {
    sites.push_back(site.id);
    site_names.push_back({site.name, site.id});
  }
  records_.arm = levels_of(source_.arm, arms, source_.arm_codes, "arm");
  if (!source_.arm_received.empty()) records_.arm_received = levels_of(source_.arm_received, arms, source_.arm_codes, "arm");
  if (sites.empty() && !source_.site.empty()) {  // sites that the protocol does not list are those of the data
    const std::size_t at = column(source_.site);
    std::set<std::string> found;
    for (std::size_t i = 0; i < n_; ++i)
      if (const auto text = cell(first_row_[i], at); !text.empty()) found.emplace(text);
    sites.assign(found.begin(), found.end());
  }
  records_.site = levels_of(source_.site, sites, site_names, "site");
  read_randomisation();
  records_.follow_up_end.assign(n_, missing_number);
  read_order();
}

void SourceReader::read_randomisation() {
  const auto refuse_without_arm = [&](std::size_t i) {
    cells_.refuse(line(first_row_[i]), source_.arm,
                  fmt::format("participant '{}' has a date of randomisation, and no arm", records_.participants[i]));
  };
  records_.calendar = !source_.randomised.empty();
  std::vector<double> days(n_, missing_number);
  const std::size_t arm = column(source_.arm), at = records_.calendar ? column(source_.randomised) : arm;
  std::vector<double> known(records_.calendar ? table_.column(at).codes() : 0, missing_number);
  for (std::size_t i = 0; i < n_; ++i) {
    const std::size_t row = first_row_[i];
    const bool has_arm = records_.arm.code[i] != missing_level || !cell(row, arm).empty();
    if (!records_.calendar) {
      if (has_arm) days[i] = 0;
      else cells_.refuse(line(row), source_.arm, fmt::format("participant '{}' has no arm", records_.participants[i]));
      continue;
    }
    double& day = known[table_.column(at).code(row)];
    if (std::isnan(day)) {  // not met before, or no date
      const std::string_view text = cell(row, at);
      if (text.empty() && has_arm)
        cells_.refuse(line(row), source_.randomised,
                      fmt::format("participant '{}' has an arm, and no date of randomisation", records_.participants[i]));
      if (!text.empty()) {
        if (!has_arm) refuse_without_arm(i);
        day = cells_.exact_date(text, line(row), source_.randomised).value_or(missing_number);
      }
    } else if (!has_arm) {
      refuse_without_arm(i);
    }
    days[i] = day;
  }
  same_throughout(source_.randomised, "date of randomisation");
  records_.randomisation = Column::of_numbers(std::move(days), Type::date);
}

/// Place of each participant in the order of randomisation.
void SourceReader::read_order() {
  if (source_.randomisation_order.empty()) return;
  const std::size_t at = column(source_.randomisation_order);
  records_.randomisation_order.assign(n_, missing_number);
  for (std::size_t i = 0; i < n_; ++i) {
    const std::string_view text = cell(first_row_[i], at);
    if (!text.empty())
      records_.randomisation_order[i] =
          cells_.whole_number(text, line(first_row_[i]), source_.randomisation_order, "a whole number").value_or(missing_number);
    else if (records_.arm.code[i] != missing_level)
      cells_.refuse(
          line(first_row_[i]), source_.randomisation_order,
          fmt::format("participant '{}' has an arm, and no place in the order of randomisation", records_.participants[i]));
  }
  same_throughout(source_.randomisation_order, "place in the order of randomisation");
}

void SourceReader::read_follow_up() {
  records_.follow_up_known = !source_.follow_up.empty();
  if (!records_.follow_up_known) return;
  const std::size_t at = column(source_.follow_up);
  for (std::size_t i = 0; i < n_; ++i) {
    const std::string_view text = cell(first_row_[i], at);
    if (text.empty()) continue;
    const bool date = text.size() == 10 && text[4] == '-';
    if (date && !records_.calendar) {
      cells_.refuse(line(first_row_[i]), source_.follow_up,
                    fmt::format("'{}' is a date, and without the date of randomisation it has no origin", text),
                    "name the column 'randomised' in [source], or give days since randomisation");
      continue;
    }
    const auto day = date ? cells_.exact_date(text, line(first_row_[i]), source_.follow_up)
                          : cells_.whole_number(text, line(first_row_[i]), source_.follow_up);
    if (!day) continue;
    records_.follow_up_end[i] = date ? *day : records_.randomisation.low[i] + *day;
    if (records_.follow_up_end[i] < records_.randomisation.low[i])
      cells_.refuse(line(first_row_[i]), source_.follow_up,
                    fmt::format("follow-up of participant '{}' ends before randomisation", records_.participants[i]));
  }
  same_throughout(source_.follow_up, "end of follow-up");
}

/// Intervals (start, stop] of one participant must follow each other from day 0 without gap or overlap.
void SourceReader::read_intervals() {
  records_.follow_up_known = true;
  struct Row {
    double start, stop;
    std::size_t row;
  };
  std::vector<std::vector<Row>> by_participant(n_);
  const std::size_t start_at = column(source_.interval_start), stop_at = column(source_.interval_stop);
  for (std::size_t row = 0; row < table_.rows(); ++row) {
    const std::string_view start = cell(row, start_at), stop = cell(row, stop_at);
    const auto from = cells_.whole_number(start, line(row), source_.interval_start),
               to = cells_.whole_number(stop, line(row), source_.interval_stop);
    if (!from || !to || owner_[row] == no_one) continue;
    if (*to <= *from)
      cells_.refuse(line(row), source_.interval_stop,
                    fmt::format("the interval ends on day {}, and begins on day {}", shortest(*to), shortest(*from)));
    else by_participant[owner_[row]].push_back({*from, *to, row});
  }
  for (std::size_t i = 0; i < n_; ++i) {
    std::ranges::stable_sort(by_participant[i], {}, &Row::start);
    double reached = 0;
    for (Row const& row : by_participant[i]) {
      if (row.start != reached)
        cells_.refuse(line(row.row), source_.interval_start,
                      fmt::format("the interval of participant '{}' begins on day {}, and the one before ends on day {}",
                                  records_.participants[i], shortest(row.start), shortest(reached)));
      reached = row.stop;
    }
    if (!by_participant[i].empty()) records_.follow_up_end[i] = records_.randomisation.low[i] + reached;
  }
}

namespace {

/// In a file without lines a place is said in the sentence.
void name_rows(Problems& problems, std::string const& file) {
  for (Error& problem : problems) {
    if (problem.place.file != file || problem.place.line == 0) continue;
    problem.message = fmt::format("row {}: {}", problem.place.line, problem.message);
    problem.place.line = 0;
  }
}

}  // namespace

Checked<TrialRecords> read_source(protocol::Protocol const& protocol, CellTable const& table, std::size_t shown) {
  Problems problems;
  TrialRecords records;
  if (!protocol.source) {
    add_problem(problems, {.file = protocol.file}, Code::missing_key,
                "the protocol has no [source], which says how the columns of a data file become its items");
    return fail(std::move(problems));
  }
  {
    SourceReader reader(protocol, table, problems, shown);
    records = reader.read();
  }
  if (problems.empty() && records.participants.empty())
    add_problem(problems, {.file = table.file}, Code::no_data, "the data have no participants");
  if (!problems.empty()) {
    sort_in_file_order(problems);
    if (!table.has_lines()) name_rows(problems, table.file);
    return fail(std::move(problems));
  }
  return records;
}

}  // namespace equipoise::data
