#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/data/cell_reader.h"
#include "equipoise/data/cell_table.h"
#include "equipoise/data/trial_data.h"
#include "equipoise/numerics/uninitialised.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::data {

/// Whether a row meets every rule of a `where`: each rule is asked once of each text of its column.
class RowsThatMeet {
 public:
  bool operator()(std::size_t row) const {
    for (Rule const& rule : rules_)
      if (!rule.meets[rule.column->code(row)]) return false;
    return true;
  }

 private:
  friend class SourceReader;
  struct Rule {
    CellColumn const* column;
    std::vector<std::uint8_t> meets;  // by code
  };
  std::vector<Rule> rules_;
};

/// Carries [source] out on a table: participants and what is said of them once (source.cpp), values of items with a day or a
/// visit (source_readings.cpp), entries of forms without a visit (source_entries.cpp). What a text means is worked out where a
/// row first holds it; a text that means nothing is told at every row.
class SourceReader {
 public:
  SourceReader(protocol::Protocol const& protocol, CellTable const& table, Problems& problems, std::size_t shown)
      : protocol_(protocol),
        source_(*protocol.source),
        table_(table),
        problems_(problems),
        cells_(table.file, problems, table.line_word(), shown) {}

  TrialRecords read();

 private:
  static constexpr std::uint32_t no_one = std::uint32_t(-1);
  static inline const decltype(protocol::SourceEntryItem::codes) no_codes;  // a fixed value is a code itself

  /// The text of a cell without blanks at its ends; nothing when it is one of the texts that mean missing.
  std::string_view cell(std::size_t row, std::size_t column) const { return meant(table_.cell(row, column)); }
  std::string_view meant(std::string_view text) const;
  int line(std::size_t row) const { return int(table_.line(row)); }
  std::size_t column(std::string const& name) const;
  bool several_rows() const { return source_.intervals || source_.visits; }
  static double factor(protocol::Item const& item, std::string const& unit);
  RowsThatMeet rows_that_meet(std::vector<protocol::RowRule> const& where) const;

  void check_columns();
  void read_participants();
  void same_throughout(std::string const& name, std::string_view what);
  expression::Column levels_of(std::string const& name, std::vector<std::string> const& levels,
                               std::vector<protocol::CellCode> const& codes, std::string_view what);
  void read_people();
  void read_randomisation();
  void read_order();
  void read_follow_up();
  void read_intervals();

  void read_days();
  void read_visits();
  std::string signed_cell(protocol::SourceItem const& mapped, std::size_t row);
  void read_items();
  void read_readings(protocol::SourceItem const& mapped);
  bool has_place(protocol::SourceItem const& mapped, std::size_t row);

  void read_entries(protocol::SourceEntry const& entry);
  void note_unmet(protocol::SourceEntry const& entry);
  void add_entries(std::string const& form, std::vector<std::size_t> const& rows,
                   std::map<std::string, expression::Column> const& items, expression::Column const& date);
  void read_entry_item(protocol::SourceEntryItem const& mapped, std::vector<std::size_t> const& rows, expression::Column& into);
  void check_dates(std::vector<std::size_t> const& rows, expression::Column const& date, protocol::Item const* item,
                   protocol::SourceEntry const& entry);

  protocol::Protocol const& protocol_;
  protocol::Source const& source_;
  CellTable const& table_;
  Problems& problems_;
  CellReader cells_;
  TrialRecords records_;
  numerics::Column<std::uint32_t> owner_;  // of each row: its participant
  numerics::Numbers day_;                  // of each row, with rows = "visits"
  numerics::Column<std::int32_t> visit_;   // of each row, where the rows name their visits
  std::vector<std::size_t> first_row_;     // of each participant
  std::size_t n_ = 0;
};

}  // namespace equipoise::data
