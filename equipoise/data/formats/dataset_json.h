#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "equipoise/data/formats/exchange.h"
#include "equipoise/data/formats/json_cursor.h"

/// CDISC Dataset-JSON 1.1 in its three forms: one JSON object, one object and a row a line (NDJSON), and either compressed
/// (DSJC). source  CDISC Dataset-JSON 1.1, with the JSON Schema published beside it page    docs/methods/exchange_formats.md
namespace equipoise::data {

enum class JsonForm : std::uint8_t { object, lines };

/// Reads one data set in either form; compressed bytes (gzip or zlib) are told by their first bytes. What is a date, datetime or
/// time for people and a number for SAS (targetDataType) becomes a number when every cell can be written again as it is.
/// errors  syntax: line and column; missing_key, wrong_type, unknown_key, duplicate, inconsistent: what the standard's schema
/// asks
///         for; bad_cell: row and column, at most 20 of a column; no_data
Checked<ExchangeTable> read_dataset_json(std::string_view bytes, std::string const& file);

struct JsonWritten {
  std::string bytes;
  Losses losses;
};

/// Writes one data set: compact, keys in the order of the standard, UTF-8 without needless escapes. OIDs that a file must have
/// and the table lacks are made of its names: "IG.ADSL", "IT.ADSL.AGE". errors  no_data: no variable; syntax: a name that is
/// given twice or is empty
Checked<JsonWritten> write_dataset_json(ExchangeTable const& table, JsonForm form);

/// What the metadata object of Dataset-JSON says: all of a file but its rows.
struct JsonMetadata {
  ExchangeTable table;
  std::optional<std::size_t> records;
  std::size_t rows_at = 0;  ///< position of the value of "rows"; 0 = there is none
};
/// Takes what a reader of metadata does not: keys beyond the standard, and rows.
class MetadataExtension {
 public:
  virtual ~MetadataExtension() = default;
  /// A key of the data set, or of column number `column`. False = unknown; the value is not taken then.
  virtual bool key(JsonCursor&, std::string_view, JsonMetadata&, std::optional<std::size_t>) { return false; }
  /// The rows, where they stand. False = not now: they are skipped, and their place is kept.
  virtual bool rows(JsonCursor&, JsonMetadata&) { return false; }
};
/// Reads a metadata object from its '{' on: keys, types, limits. Problems go to the list; false after a mistake in the JSON
/// itself.
bool read_json_metadata(JsonCursor& cursor, std::string const& file, JsonMetadata& into, Problems& problems,
                        MetadataExtension* extension = nullptr);

/// Appends `"key":"value"` pairs of the metadata object, from the '{' to the member before "columns", and one object of a column
/// without its closing brace; between members stands `between`.
void append_json_header(std::string& out, ExchangeTable const& table, std::string_view between);
void append_json_column(std::string& out, ExchangeTable const& table, ExchangeColumn const& column, std::string_view between);

/// Bytes of gzip or zlib streams in full. errors  syntax (damaged, cut off), out_of_range (more than `most` bytes)
Expected<std::string> inflated(std::string_view bytes, std::size_t most = std::size_t(4) << 30);
/// Whether the bytes begin as a gzip or zlib stream.
bool is_compressed(std::string_view bytes);
/// A zlib stream, as Dataset-JSON 1.1 asks for.
std::string deflated(std::string_view bytes);

}  // namespace equipoise::data
