#pragma once

#include <optional>
#include <string>
#include <string_view>

/// SAS dates (days since 1960-01-01), datetimes (seconds since) and times (seconds since midnight), told apart by the display
/// format of their column alone, and ISO 8601.
namespace equipoise::data {

/// A SAS format or informat in its parts: "DATE9." is {"DATE", 9, 0}, "8.2" is {"", 8, 2}.
struct SasFormat {
  std::string name{};
  int width = 0, decimals = 0;
  friend bool operator==(SasFormat const&, SasFormat const&) = default;
};
/// The parts; of a text that is not of this form, nothing. An empty text is no format: {"", 0, 0}.
std::optional<SasFormat> sas_format(std::string_view text);
std::string sas_text(SasFormat const& format);

enum class SasKind { number, date, datetime, time };
/// What values with this format mean. source  SAS 9.4 Formats and Informats: Reference, formats by category
SasKind sas_kind(std::string_view format);

/// Whether the value has an ISO form that is read back as the same value: years 0001 to 9999, days and seconds of a day. What a
/// clock cannot show (a duration over 24 hours) has none.
bool has_iso(SasKind kind, double value);
/// Appends YYYY-MM-DD, YYYY-MM-DDThh:mm:ss[.fff] or hh:mm:ss[.fff] of a value that has an ISO form.
void append_iso(std::string& out, SasKind kind, double value);
/// The value of an ISO text, if it is exactly the text that `append_iso` writes for it.
std::optional<double> from_iso(SasKind kind, std::string_view text);

}  // namespace equipoise::data
