#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// What reader and writer of SAS transport files share: the fixed texts, and times.
namespace equipoise::data::xpt {

inline constexpr std::size_t record = 80;
inline constexpr std::size_t longest_name = 8, longest_label = 40, longest_text = 200, most_variables = 9999;

inline constexpr std::string_view library_header = "HEADER RECORD*******LIBRARY HEADER RECORD!!!!!!!";
inline constexpr std::string_view member_header = "HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!";
inline constexpr std::string_view descriptor_header = "HEADER RECORD*******DSCRPTR HEADER RECORD!!!!!!!";
inline constexpr std::string_view namestr_header = "HEADER RECORD*******NAMESTR HEADER RECORD!!!!!!!";
inline constexpr std::string_view observation_header = "HEADER RECORD*******OBS     HEADER RECORD!!!!!!!";

/// "16APR22:20:09:03" as "2022-04-16T20:09:03". Two-digit years from 60 are of the last century: the format is of 1989.
std::optional<std::string> time_from_sas(std::string_view text);
/// The way back: of "2022-04-16T20:09:03" and longer. Nothing of a year outside 1960 to 2059.
std::optional<std::string> time_to_sas(std::string_view iso);

/// '.', '_' and 'A' to 'Z'.
constexpr bool is_missing_code(unsigned char c) { return c == '.' || c == '_' || (c >= 'A' && c <= 'Z'); }

}  // namespace equipoise::data::xpt
