#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "equipoise/data/formats/exchange.h"

/// CSV with a file beside it that says what CSV cannot: types, labels, formats, keys, and what stands for which missing value.
/// `adsl.csv` has `adsl.csv.json`: the metadata object of Dataset-JSON 1.1 without rows, and a few keys beyond it
/// (docs/methods/exchange_formats.md).
namespace equipoise::data {

/// Reads a CSV file; `sidecar` is the text of the file beside it, if there is one. Without it the types are those that the cells
/// allow: a column of numbers (none with a leading zero or sign) is numeric, of days YYYY-MM-DD a date, all else text, and an
/// empty cell is missing in numbers and an empty text in texts. errors  those of `read_csv`; of the sidecar as of Dataset-JSON;
/// missing_column, bad_cell, inconsistent: the two do not agree
Checked<ExchangeTable> read_typed_csv(FileBytes bytes, std::string const& file, std::optional<std::string_view> sidecar);

struct CsvWritten {
  std::string bytes, sidecar;
  Losses losses;
};

/// Writes one data set with its sidecar; together they hold everything but NUL characters.
/// errors  no_data: no variable; syntax: a name that is empty or given twice; out_of_range: a text over 1 MiB
Checked<CsvWritten> write_typed_csv(ExchangeTable const& table);

}  // namespace equipoise::data
