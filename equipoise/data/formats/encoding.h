#pragma once

#include <string>
#include <string_view>

namespace equipoise::data {

/// Appends one byte of Windows-1252 (of Latin-1 when `latin1`) as UTF-8; false for a byte that the encoding does not have.
bool append_single_byte(std::string& out, unsigned char byte, bool latin1);

/// Whether every byte is ASCII.
bool is_ascii(std::string_view text);

/// The longest beginning of at most so many bytes that cuts no character in two.
std::string_view whole_characters(std::string_view utf8, std::size_t most);

}  // namespace equipoise::data
