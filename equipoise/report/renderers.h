#pragma once

#include <string>
#include <vector>

#include "equipoise/report/cells.h"
#include "equipoise/report/html.h"

/// One renderer a format; all read the same tables, and none computes or rounds.
namespace equipoise::report {

/// What the pages of a table say beside it.
struct Frame {
  std::string language = "en";
  std::string trial, version;  ///< id and protocol version
  std::string cutoff;          ///< data cut-off, or empty
  std::string program;         ///< version of the binary
  std::string protocol_digest, data_digest, data_file;
  bool simulated = false, blinded = false;  ///< said on each page
};

/// What stands on the page below a table's caption.
Markup html_of(Table const& table);

/// A document of word processors: landscape A4, a section for each table, whose page header (trial, protocol version, page x of
/// y, number, title, population, and what the data are) and column heads are on each of its pages.
///
/// The type is Courier New, 9 pt, smaller where a table needs it: each character has one width in every program, so columns of
/// numbers stand under each other by their decimal points without tab stops that programs read differently, and the widths of
/// columns are known here.
std::string rtf_of(std::vector<Table> const& tables, Frame const& frame);

/// A line for each number: table, part, group, row, column, statistic, raw value (empty: not estimable, or a text), printed form,
/// unit, format, footnotes; of simulated data "yes" before all of them, in a column `simulated`. UTF-8, LF; quotes where RFC 4180
/// needs them.
std::string csv_of(Table const& table, bool simulated = false);

/// One line of a CSV file with its end: quotes where RFC 4180 needs them.
std::string csv_line(std::vector<std::string> const& cells);

/// The tables as a JSON list: heads, rows and cells with raw and printed values, footnotes, remarks.
std::string json_of(std::vector<Table> const& tables);

/// results.json (results::to_json) with these tables as its last member, "tables".
std::string with_tables(std::string results_json, std::vector<Table> const& tables);

/// Letters and digits of an id behind its number, "t-14.1.2-demography"; and what the files of a table are called.
std::string file_name_of(std::string_view kind, std::string const& number, std::string const& id);
std::string file_name(Table const& table);

}  // namespace equipoise::report
