#pragma once

#include <array>
#include <cstdint>

namespace equipoise::report {

/// Advance widths in 1/1000 em of one open font: U+0020 to U+017F, and U+0370 to U+03FF. 0 = no glyph.
extern const std::array<std::uint16_t, 352> regular_latin, bold_latin;
extern const std::array<std::uint16_t, 144> regular_greek, bold_greek;

}  // namespace equipoise::report
