#pragma once

#include <string>
#include <string_view>

namespace equipoise::report {

/// The code point at byte `at`, which moves behind it; U+FFFD (and one byte) for what is no UTF-8. `at` must be inside the text.
char32_t next_code_point(std::string_view text, std::size_t& at);

void append_utf8(std::string& out, char32_t code_point);

}  // namespace equipoise::report
