#pragma once

#include <cstddef>

namespace equipoise::simulate {

/// How often this test program has asked for memory so far; 0 under the address sanitizer.
std::size_t allocations();

}  // namespace equipoise::simulate
