#pragma once

#include <string_view>

namespace equipoise::cli {

inline constexpr std::string_view version = EQUIPOISE_VERSION;

}  // namespace equipoise::cli
