#include "equipoise/core/chance.h"

#include <sodium.h>

#include <string_view>

#include "equipoise/core/error.h"

namespace equipoise {

std::string Chance::name() {
  constexpr std::string_view letters = "23456789abcdefghjkmnpqrstuvwxyz";  // 31
  std::string made;
  while (made.size() < 20) {
    std::uint8_t bytes[32];
    fill(bytes, sizeof bytes);
    for (const std::uint8_t byte : bytes)
      if (byte < 248 && made.size() < 20) made += letters[byte % letters.size()];  // 248 = 8 x 31: no letter is likelier
  }
  return made;
}

void SystemChance::fill(std::uint8_t* bytes, std::size_t size) {
  expects(sodium_init() >= 0, "libsodium starts");
  randombytes_buf(bytes, size);
}

}  // namespace equipoise
