#pragma once

#include <string>
#include <string_view>

namespace equipoise {

/// SHA-256 of the bytes, 64 lower-case hexadecimal digits. Source: FIPS 180-4, by libsodium.
std::string sha256(std::string_view bytes);

}  // namespace equipoise
