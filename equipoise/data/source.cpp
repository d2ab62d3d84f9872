#include "equipoise/data/source.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "equipoise/core/text.h"
#include "equipoise/data/cell_reader.h"
#include "equipoise/data/entries.h"
#include "equipoise/data/find_column.h"
#include "equipoise/data/readings.h"
#include "equipoise/data/windows.h"

namespace equipoise::data {
namespace {

using expression::Column;
using expression::Type;

class SourceReader {
 public:
  SourceReader(protocol::Protocol const& protocol, CellTable const& table, Problems& problems)
      : protocol_(protocol),
        source_(*protocol.source),
        table_(table),
        problems_(problems),
        cells_(table.file, problems, table.line_word()) {}

  TrialRecords read() {
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

 private:
  /// The text of a cell without blanks at its ends; nothing when it is one of the texts that mean missing.
  std::string_view cell(std::size_t row, std::size_t column) const {
    const std::string_view text = trimmed(table_.cell(row, column));
    return std::ranges::find(source_.missing, text) == source_.missing.end() ? text : std::string_view{};
  }
  int line(std::size_t row) const { return int(table_.line(row)); }
  std::size_t column(std::string const& name) const {
    const auto found = table_.find(name);
    expects(found.has_value(), "columns are checked before they are read");
    return *found;
  }

  bool several_rows() const { return source_.intervals || source_.visits; }

  void check_columns() {
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

  void read_participants() {
    const std::size_t id = column(source_.participant);
    std::map<std::string, std::size_t, std::less<>> seen;
    for (std::size_t row = 0; row < table_.rows(); ++row) {
      const std::string_view name = cell(row, id);
      if (name.empty()) {
        cells_.refuse(line(row), source_.participant, "the participant is missing");
        owner_.push_back(no_one);
        continue;
      }
      const auto [found, fresh] = seen.emplace(std::string(name), records_.participants.size());
      if (fresh) {
        records_.participants.emplace_back(name);
        first_row_.push_back(row);
      } else if (!several_rows()) {
        cells_.refuse(line(row), source_.participant,
                      fmt::format("participant '{}' has a second row; the first is {} {}", name, table_.line_word(),
                                  line(first_row_[found->second])),
                      "with several rows a participant say rows = \"intervals\" or \"visits\" in [source]");
      }
      owner_.push_back(found->second);
    }
    n_ = records_.participants.size();
  }

  /// Reports a cell that differs from that of the participant's first row.
  void same_throughout(std::string const& name, std::string_view what) {
    if (!several_rows() || name.empty()) return;
    const std::size_t at = column(name);
    for (std::size_t row = 0; row < table_.rows(); ++row) {
      if (owner_[row] == no_one || first_row_[owner_[row]] == row) continue;
      const std::string_view first = cell(first_row_[owner_[row]], at), here = cell(row, at);
      if (first != here)
        cells_.refuse(line(row), name,
                      fmt::format("participant '{}' has the {} '{}' here, and '{}' in {} {}", records_.participants[owner_[row]],
                                  what, here, first, table_.line_word(), line(first_row_[owner_[row]])));
    }
  }

  Column levels_of(std::string const& name, std::vector<std::string> const& levels, std::vector<protocol::CellCode> const& codes,
                   std::string_view what) {
    Column made = Column::of_codes(std::vector<std::int32_t>(n_, missing_level), levels);
    if (name.empty()) return made;
    const std::size_t at = column(name);
    for (std::size_t i = 0; i < n_; ++i)
      if (const std::string_view text = cell(first_row_[i], at); !text.empty())
        made.code[i] = cells_.level(text, levels, codes, what, line(first_row_[i]), name);
    same_throughout(name, what);
    return made;
  }

  void read_people() {
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

    records_.calendar = !source_.randomised.empty();
    std::vector<double> days(n_, missing_number);
    for (std::size_t i = 0; i < n_; ++i) {
      const bool has_arm = !cell(first_row_[i], column(source_.arm)).empty();
      if (!records_.calendar) {
        if (has_arm) days[i] = 0;
        else
          cells_.refuse(line(first_row_[i]), source_.arm, fmt::format("participant '{}' has no arm", records_.participants[i]));
        continue;
      }
      const std::string_view text = cell(first_row_[i], column(source_.randomised));
      if (text.empty() && has_arm)
        cells_.refuse(line(first_row_[i]), source_.randomised,
                      fmt::format("participant '{}' has an arm, and no date of randomisation", records_.participants[i]));
      if (!text.empty() && !has_arm)
        cells_.refuse(line(first_row_[i]), source_.arm,
                      fmt::format("participant '{}' has a date of randomisation, and no arm", records_.participants[i]));
      if (!text.empty()) days[i] = cells_.exact_date(text, line(first_row_[i]), source_.randomised).value_or(missing_number);
    }
    same_throughout(source_.randomised, "date of randomisation");
    records_.randomisation = Column::of_numbers(std::move(days), Type::date);
    records_.follow_up_end.assign(n_, missing_number);
    read_order();
  }

  /// Place of each participant in the order of randomisation.
  void read_order() {
    if (source_.randomisation_order.empty()) return;
    const std::size_t at = column(source_.randomisation_order);
    records_.randomisation_order.assign(n_, missing_number);
    for (std::size_t i = 0; i < n_; ++i) {
      const std::string_view text = cell(first_row_[i], at);
      if (!text.empty())
        records_.randomisation_order[i] =
            cells_.whole_number(text, line(first_row_[i]), source_.randomisation_order, "a whole number")
                .value_or(missing_number);
      else if (records_.arm.code[i] != missing_level)
        cells_.refuse(
            line(first_row_[i]), source_.randomisation_order,
            fmt::format("participant '{}' has an arm, and no place in the order of randomisation", records_.participants[i]));
    }
    same_throughout(source_.randomisation_order, "place in the order of randomisation");
  }

  void read_follow_up() {
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

  /// The day of each row: a date, or whole days since randomisation.
  void read_days() {
    const std::size_t at = column(source_.day);
    day_.assign(table_.rows(), missing_number);
    for (std::size_t row = 0; row < table_.rows(); ++row) {
      const std::string_view text = cell(row, at);
      if (text.empty() || owner_[row] == no_one) continue;
      const bool date = text.size() == 10 && text[4] == '-';
      if (date && !records_.calendar) {
        cells_.refuse(line(row), source_.day,
                      fmt::format("'{}' is a date, and without the date of randomisation it has no origin", text),
                      "name the column 'randomised' in [source], or give days since randomisation");
        continue;
      }
      const auto day = date ? cells_.exact_date(text, line(row), source_.day) : cells_.whole_number(text, line(row), source_.day);
      if (day) day_[row] = date ? *day : records_.randomisation.low[owner_[row]] + *day;
    }
  }

  /// The visit that each row names, if any.
  void read_visits() {
    std::vector<std::string> visits;
    for (protocol::Visit const& visit : protocol_.visits) visits.push_back(visit.id);
    const std::size_t at = column(source_.visit);
    visit_.assign(table_.rows(), missing_level);
    std::vector<Reading> rows;
    for (std::size_t row = 0; row < table_.rows(); ++row) {
      const std::string_view text = cell(row, at);
      if (text.empty() || owner_[row] == no_one) continue;
      visit_[row] = cells_.level(text, visits, source_.visit_codes, "visit", line(row), source_.visit);
      if (visit_[row] != missing_level)
        rows.push_back({.participant = owner_[row], .day = day_[row], .line = line(row), .visit = std::size_t(visit_[row])});
    }
    days_of_named_visits(protocol_, rows, records_);
  }

  /// Intervals (start, stop] of one participant must follow each other from day 0 without gap or overlap.
  void read_intervals() {
    records_.follow_up_known = true;
    struct Row {
      double start, stop;
      std::size_t row;
    };
    std::vector<std::vector<Row>> by_participant(n_);
    for (std::size_t row = 0; row < table_.rows(); ++row) {
      const std::string_view start = cell(row, column(source_.interval_start)), stop = cell(row, column(source_.interval_stop));
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

  /// A cell with the sign of its bound, which may stand in a column of its own.
  std::string signed_cell(protocol::SourceItem const& mapped, std::size_t row) {
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

  /// Values of one item: at the visits that their rows name, or else with a day, one a participant and day, sorted.
  void read_readings(protocol::SourceItem const& mapped) {
    const protocol::Item& item = *protocol_.item(mapped.item);
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < table_.rows(); ++row) {
      const bool meets = std::ranges::all_of(
          mapped.where, [&](protocol::RowRule const& rule) { return cell(row, column(rule.column)) == *rule.is; });
      if (!meets || owner_[row] == no_one || cell(row, column(mapped.column)).empty()) continue;
      if (!visit_.empty()) {
        if (visit_[row] != missing_level) rows.push_back(row);
        else if (cell(row, column(source_.visit)).empty())
          cells_.refuse(line(row), source_.visit,
                        fmt::format("the value '{}' of '{}' has no visit", cell(row, column(mapped.column)), item.id),
                        "a visit that is not planned has no place in the analysis: leave its rows out with 'where'");
        continue;
      }
      if (std::isnan(day_[row])) {
        if (cell(row, column(source_.day)).empty())
          cells_.refuse(line(row), source_.day,
                        fmt::format("the value '{}' of '{}' has no day", cell(row, column(mapped.column)), item.id));
        continue;
      }
      rows.push_back(row);
    }
    Column values = missing_item(item, rows.size());
    std::vector<Reading> read;
    for (std::size_t r = 0; r < rows.size(); ++r) {
      cells_.read(values, r, item, signed_cell(mapped, rows[r]), mapped.codes, factor(item, mapped.unit), line(rows[r]),
                  mapped.column);
      if (!values.missing(r))
        read.push_back({.participant = owner_[rows[r]],
                        .day = day_[rows[r]],
                        .value = r,
                        .line = line(rows[r]),
                        .visit = visit_.empty() ? 0 : std::size_t(visit_[rows[r]])});
    }
    if (rows.empty() && !mapped.where.empty())
      records_.notes.push_back(fmt::format("No row holds a value of item '{}' as its 'where' asks.", item.id));
    if (!visit_.empty()) return at_named_visits(protocol_, item, values, std::move(read), mapped.column, cells_, records_);
    records_.readings.emplace(item.id, one_a_day(protocol_, item, values, std::move(read), mapped.column, cells_, records_));
  }

  void read_items() {
    for (protocol::SourceItem const& mapped : source_.items) {
      if (source_.visits && mapped.visit.empty()) {
        read_readings(mapped);
        continue;
      }
      const protocol::Item& item = *protocol_.item(mapped.item);
      Column into = missing_item(item, n_);
      for (std::size_t i = 0; i < n_; ++i)
        cells_.read(into, i, item, signed_cell(mapped, first_row_[i]), mapped.codes, factor(item, mapped.unit),
                    line(first_row_[i]), mapped.column);
      same_throughout(mapped.column, "value"), same_throughout(mapped.bound, "sign");
      records_.items.emplace(std::pair(mapped.item, mapped.visit), std::move(into));
    }
  }

  static double factor(protocol::Item const& item, std::string const& unit) {
    for (auto const& [other, by] : item.also)
      if (other == unit) return by;
    return 1.0;
  }

  void read_entries(protocol::SourceEntry const& entry) {
    protocol::Form const& form = *protocol_.form(entry.form);
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < table_.rows(); ++row) {
      const bool meets = std::ranges::all_of(
          entry.where, [&](protocol::RowRule const& rule) { return cell(row, column(rule.column)) == *rule.is; });
      if (meets && owner_[row] != no_one) rows.push_back(row);
    }
    if (rows.empty() && !entry.where.empty()) note_unmet(entry);
    std::map<std::string, Column> items;
    for (protocol::Item const& item : form.items) items.emplace(item.id, missing_item(item, rows.size()));
    for (protocol::SourceEntryItem const& mapped : entry.items) read_entry_item(mapped, rows, items.at(mapped.item));

    const auto dated = std::ranges::find(form.items, protocol::ItemKind::date, &protocol::Item::kind);
    Column date = dated == form.items.end() ? Column::of_missing(Type::date, rows.size()) : items.at(dated->id);
    check_dates(rows, date, dated == form.items.end() ? nullptr : &*dated, entry);
    std::vector<std::size_t> order(rows.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    const auto key = [&](std::size_t i) {
      const double day = date.low[i];
      return std::pair(owner_[rows[i]], std::isnan(day) ? std::numeric_limits<double>::infinity() : day);
    };
    add(entry.form, rows, items, date, order, key);
  }

  /// No row is an entry: right when nothing happened, and a slip when a rule names a text that the column never holds.
  void note_unmet(protocol::SourceEntry const& entry) {
    for (protocol::RowRule const& rule : entry.where) {
      std::set<std::string> values;
      for (std::size_t row = 0; row < table_.rows() && values.size() <= 12; ++row) values.emplace(cell(row, column(rule.column)));
      if (values.contains(*rule.is) || values.size() > 12) continue;
      const std::vector<std::string> seen(values.begin(), values.end());
      records_.notes.push_back(fmt::format("No row is an entry of form '{}': column '{}' is never '{}'; its values are {}.",
                                           entry.form, rule.column, *rule.is, join(seen, ", ")));
    }
  }

  void add(std::string const& form, std::vector<std::size_t> const& rows, std::map<std::string, Column> const& items,
           Column const& date, std::vector<std::size_t>& order, auto key) {
    std::ranges::stable_sort(order, {}, key);
    expression::Entries fresh;
    for (const std::size_t i : order) fresh.participant.push_back(owner_[rows[i]]);
    fresh.date = expression::gathered(date, order);
    for (auto const& [id, column] : items) fresh.items.emplace(id, expression::gathered(column, order));
    const auto known = records_.entries.find(form);
    if (known == records_.entries.end()) {
      records_.entries.emplace(form, std::move(fresh));
      return;
    }
    known->second = joined(known->second, fresh);
  }

  void read_entry_item(protocol::SourceEntryItem const& mapped, std::vector<std::size_t> const& rows, Column& into) {
    const protocol::Item& item = *protocol_.item(mapped.item);
    const bool fixed = mapped.column.empty();
    const std::string& name = fixed ? mapped.item : mapped.column;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t row = rows[i];
      const std::string_view text = fixed ? std::string_view(mapped.constant) : cell(row, column(mapped.column));
      if (!mapped.day_since_randomisation) {
        cells_.read(into, i, item, text, fixed ? no_codes : mapped.codes, 1.0, line(row), name);
      } else if (!text.empty()) {
        if (const auto days = cells_.whole_number(text, line(row), name))
          into.set(i, expression::Interval::exactly(records_.randomisation.low[owner_[row]] + *days));
      }
    }
  }

  void check_dates(std::vector<std::size_t> const& rows, Column const& date, protocol::Item const* item,
                   protocol::SourceEntry const& entry) {
    if (!item) return;
    const auto mapped = std::ranges::find(entry.items, item->id, &protocol::SourceEntryItem::item);
    if (mapped == entry.items.end()) return;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::size_t owner = owner_[rows[i]];
      if (date.missing(i)) continue;
      if (date.low[i] > records_.follow_up_end[owner])
        cells_.refuse(line(rows[i]), mapped->column,
                      fmt::format("an entry of form '{}' of participant '{}' is dated after the end of follow-up", entry.form,
                                  records_.participants[owner]));
    }
  }

  static constexpr std::size_t no_one = std::size_t(-1);
  static inline const decltype(protocol::SourceEntryItem::codes) no_codes;  // a fixed value is a code itself

  protocol::Protocol const& protocol_;
  protocol::Source const& source_;
  CellTable const& table_;
  Problems& problems_;
  CellReader cells_;
  TrialRecords records_;
  std::vector<std::size_t> owner_;      // of each row: its participant
  std::vector<double> day_;             // of each row, with rows = "visits"
  std::vector<std::int32_t> visit_;     // of each row, where the rows name their visits
  std::vector<std::size_t> first_row_;  // of each participant
  std::size_t n_ = 0;
};

/// In a file without lines a place is said in the sentence.
void name_rows(Problems& problems, std::string const& file) {
  for (Error& problem : problems) {
    if (problem.place.file != file || problem.place.line == 0) continue;
    problem.message = fmt::format("row {}: {}", problem.place.line, problem.message);
    problem.place.line = 0;
  }
}

}  // namespace

Checked<TrialRecords> read_source(protocol::Protocol const& protocol, CellTable const& table) {
  Problems problems;
  TrialRecords records;
  if (!protocol.source) {
    add_problem(problems, {.file = protocol.file}, Code::missing_key,
                "the protocol has no [source], which says how the columns of a data file become its items");
    return fail(std::move(problems));
  }
  {
    SourceReader reader(protocol, table, problems);
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
