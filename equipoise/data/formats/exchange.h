#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "equipoise/core/columns.h"
#include "equipoise/core/expected.h"
#include "equipoise/data/cell_table.h"

/// The one model that all exchange formats are read into and written from (docs/methods/exchange_formats.md). It holds what any
/// of them holds, so that a format can say what it has no place for.
namespace equipoise::data {

/// Data types of Dataset-JSON 1.1; of a SAS column the one that its cells and its format suggest.
enum class DataType : std::uint8_t { string, integer, decimal, single, binary64, boolean, datetime, date, time, uri };
std::string_view word(DataType type);  ///< "string", "float", "double", "URI", ...
std::optional<DataType> data_type(std::string_view word);

/// How a column whose dataType is not a number is held by SAS: as a whole number, or as one with decimals.
enum class TargetType : std::uint8_t { none, integer, decimal };

/// Texts one after the other in one string.
class TextCells {
 public:
  std::size_t size() const { return ends_.size(); }
  std::string_view operator[](std::size_t row) const {
    const std::uint64_t begin = row == 0 ? 0 : ends_[row - 1];
    return std::string_view(bytes_).substr(begin, ends_[row] - begin);
  }
  void push_back(std::string_view text) {
    bytes_ += text;
    ends_.push_back(bytes_.size());
  }
  /// Appends what `write(std::string&)` appends.
  template <class Write>
  void keep(Write&& write) {
    write(bytes_);
    ends_.push_back(bytes_.size());
  }
  /// Makes the last text empty.
  void empty_last() {
    const std::uint64_t begin = ends_.size() < 2 ? 0 : ends_[ends_.size() - 2];
    bytes_.resize(begin);
    ends_.back() = begin;
  }
  void reserve(std::size_t rows, std::size_t bytes) {
    ends_.reserve(rows);
    bytes_.reserve(bytes);
  }
  friend bool operator==(TextCells const&, TextCells const&) = default;

 private:
  std::string bytes_;
  std::vector<std::uint64_t> ends_;
};

/// Why a cell holds nothing: SAS '.', '_', 'A' to 'Z'. A JSON null is '.'; an empty text is a text.
using MissingCode = char;
inline constexpr MissingCode present = 0;
inline constexpr MissingCode plain_missing = '.';

/// One variable: what is said of it, and its cells, either all numbers or all texts.
struct ExchangeColumn {
  std::string name{}, label{}, item_oid{};
  DataType type = DataType::string;
  TargetType target = TargetType::none;
  int length = 0;                    ///< of texts, in bytes, or as Dataset-JSON declares it; 0 = not said
  int bytes = 8;                     ///< that a number takes in a SAS file, 2 to 8
  std::string format{}, informat{};  ///< as SAS writes them: "DATE9.", "8.2", "$12."
  bool right_justified = false;
  int key_sequence = 0;  ///< place among the keys, from 1; 0 = no key

  bool numeric = false;
  std::vector<double>
      numbers{};  ///< NaN = missing. Dates: days since 1960-01-01; datetimes: seconds since; times: since midnight
  TextCells texts{};
  std::vector<MissingCode> missing{};  ///< of each cell; empty = no text is missing, and a missing number is '.'

  std::size_t size() const { return numeric ? numbers.size() : texts.size(); }
  MissingCode reason(std::size_t row) const {
    if (!missing.empty()) return missing[row];
    return numeric && numbers[row] != numbers[row] ? plain_missing : present;
  }
  void set_reason(std::size_t row, MissingCode code);
  /// Equal in every attribute and cell.
  friend bool operator==(ExchangeColumn const& a, ExchangeColumn const& b);
};

/// What a SAS transport file says of its writer.
struct SasOrigin {
  std::string version{}, system{};    ///< "9.4", "X64_10PR": at most 8 bytes, kept as they are
  std::string created{}, modified{};  ///< ISO, to the second
  friend bool operator==(SasOrigin const&, SasOrigin const&) = default;
};

/// What a Dataset-JSON file says of the study and its source.
struct StudyOrigin {
  std::string standard_version{}, file_oid{}, study_oid{}, metadata_version_oid{}, metadata_ref{}, item_group_oid{}, originator{};
  std::optional<std::pair<std::string, std::string>> source_system{};  ///< name and version
  friend bool operator==(StudyOrigin const&, StudyOrigin const&) = default;
};

/// What a format could not hold, or could not give back as it was.
struct Loss {
  bool changes = false;  ///< a cell, name or label is another one afterwards; else something is left out that no cell depends on
  std::string column{};  ///< empty = the data set
  std::string what{};    ///< "texts are longer than 200 bytes, and were cut"
  std::size_t cells = 0, first_row = 0;  ///< how many, and the first row (from 1); 0 = not of cells
};
std::string sentence(Loss const& loss);
using Losses = std::vector<Loss>;

struct ExchangeTable {
  std::string name{}, label{};
  std::string set_type{};             ///< type of the SAS data set; nearly always empty
  std::string created{}, modified{};  ///< ISO date and time, as given
  SasOrigin member{}, library{};      ///< of `member` only version and system
  StudyOrigin study{};
  std::vector<ExchangeColumn> columns{};
  std::size_t rows = 0;
  Losses losses{};  ///< in reading

  /// Equal but for what was lost in reading.
  friend bool operator==(ExchangeTable const& a, ExchangeTable const& b);
};

/// When a file that must say when it was made was made of one that does not: SAS's zero. No clock is read, as equal inputs give
/// equal bytes.
inline constexpr std::string_view no_time = "1960-01-01T00:00:00";

/// Appends the shortest decimal text that is read back as the same number; whole numbers below 2^53 have no exponent.
void append_number(std::string& out, double value);

/// Appends a present cell as text: numbers in shortest form, dates, datetimes and times in ISO form, flags as true and false.
void append_cell(std::string& out, ExchangeColumn const& column, std::size_t row);

/// Reads the text of a numeric column as `append_cell` writes it, or nothing.
std::optional<double> cell_number(ExchangeColumn const& column, std::string_view text);

/// Turns a numeric column of which `row` cells are read into one of texts that are written as `append_cell` writes them.
void become_text(ExchangeColumn& column);

/// Gives a numeric column of a SAS file its data type: by its format and its values.
void infer_type(ExchangeColumn& column);

/// The table that [source] is carried out on. Every missing cell is empty, whatever its reason.
/// wanted  the columns whose cells are kept; empty: all
/// errors  no_data, as `read_csv`; syntax, duplicate: names that a protocol cannot use
Checked<CellTable> cell_table(ExchangeTable const& table, std::string file, std::span<const std::string> wanted = {});

}  // namespace equipoise::data
