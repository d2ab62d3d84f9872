#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "equipoise/core/chance.h"

namespace equipoise {

/// SHA-256 of the bytes, 64 lower-case hexadecimal digits. Source: FIPS 180-4, by libsodium.
std::string sha256(std::string_view bytes);

/// HMAC-SHA-256 of the bytes. Source: FIPS 198-1, RFC 2104, by libsodium.
Key32 hmac_sha256(std::span<const std::uint8_t> key, std::string_view bytes);

/// Lower-case hexadecimal digits, and back.
std::string hex(std::span<const std::uint8_t> bytes);
std::optional<std::string> from_hex(std::string_view digits);
std::optional<Key32> key_from_hex(std::string_view digits);

/// Bytes as a text, for functions that take one.
inline std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

/// Whether two secrets are equal, in a time that does not tell where they differ.
bool equal_secrets(std::string_view a, std::string_view b);

}  // namespace equipoise
