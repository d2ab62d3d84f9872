#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace equipoise {

/// Shortest decimal text that reads back as the same double; "-0" is written "0"; never a locale. NaN is "NaN".
std::string shortest(double value);

/// Whole text as a number (decimal or exponent form, '.' as point, no spaces, no hex, no "inf"/"nan"), else nothing.
std::optional<double> to_number(std::string_view text);

/// The candidate nearest to `word` by edit distance (transpositions count one, other case none when all else is equal), if near
/// enough to be a slip of the pen.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

/// "a, b or c": for "must be ...".
std::string one_of(std::span<const std::string> words, std::string_view last = "or");

std::string join(std::span<const std::string> words, std::string_view between);

/// Text without blanks at both ends.
std::string_view trimmed(std::string_view text);

/// True when the bytes are valid UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view bytes);

/// [a-z][a-z0-9_]*, with '-' too when `hyphens`.
bool is_id(std::string_view text, bool hyphens = false);

}  // namespace equipoise
