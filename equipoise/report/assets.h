#pragma once

#include <string_view>

namespace equipoise::report {

extern const std::string_view style;   ///< CSS of the page (style.cpp)
extern const std::string_view script;  ///< the read-out of curves (script.cpp)

}  // namespace equipoise::report
