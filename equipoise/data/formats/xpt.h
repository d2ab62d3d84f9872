#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "equipoise/data/formats/exchange.h"

/// SAS transport files, version 5 (XPORT): records of 80 bytes, any number of data sets ("members"), numbers as IBM floats.
/// source  SAS Technical Support TS-140, The Record Layout of a Data Set in SAS Transport (XPORT) Format
/// page    docs/methods/exchange_formats.md
namespace equipoise::data {

/// How the bytes of texts, names and labels are to be read. The format does not say.
enum class Encoding : std::uint8_t { utf8, windows_1252, latin1 };

/// Reads every data set. A number of less than 8 bytes is filled with zeros; texts end at their last character that is no blank.
/// Rows of nothing but blanks that begin where the padding of the last record may have begun are taken for padding, and the data
/// set says so among its losses.
/// errors  syntax: the record (from 1) and byte of what is not as the format has it, a file that is cut off, other transport
///         formats by name; bad_cell: row and column of texts that are not of the encoding, and of bytes that are neither a
///         number nor a missing value; duplicate names; no_data: no data set
Checked<std::vector<ExchangeTable>> read_xpt(std::string_view bytes, std::string const& file, Encoding encoding = Encoding::utf8);

struct XptWritten {
  std::string bytes;
  Losses losses;
};

/// Writes data sets. What does not fit is cut to what does, and told as a loss: names over 8 bytes, labels over 40, texts over
/// 200, characters beyond ASCII (written as UTF-8), digits beyond the bytes of a short number, numbers beyond 16^63. errors
/// no_data, out_of_range: no data set, no variable, more than 9999 variables; syntax: a data set that no reader could
///         tell from the beginning of another
Checked<XptWritten> write_xpt(std::vector<ExchangeTable> const& tables);

}  // namespace equipoise::data
