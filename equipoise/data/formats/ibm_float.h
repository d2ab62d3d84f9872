#pragma once

#include <bit>
#include <cstdint>
#include <optional>

/// IBM hexadecimal floats of the System/360, in which SAS transport files keep numbers: sign, exponent of 16 with offset 64, and
/// 56 bits of fraction:  x = (-1)^s * 16^(e - 64) * f / 2^56.
namespace equipoise::data {

struct FromIbm {
  double value;
  bool exact;  ///< false: the fraction has more than 53 significant bits, and was rounded (half to even)
};

/// The double of 8 bytes in file order, as a big-endian integer; every IBM number is within the range of doubles. Zero has no
/// sign.
inline FromIbm from_ibm(std::uint64_t bits) {
  const std::uint64_t fraction = bits & 0x00FFFFFFFFFFFFFFu;
  if (fraction == 0) return {0.0, true};
  const int exponent = int(bits >> 56 & 0x7F);
  const int zeros = std::countl_zero(fraction) - 8;     // of the 56 bits
  std::uint64_t significand = fraction << (zeros + 8);  // 64 bits, the first is set
  int power = 4 * (exponent - 64) - zeros - 1;          // of the first bit
  const std::uint64_t rest = significand & 0x7FF;
  significand >>= 11;
  if (rest > 0x400 || (rest == 0x400 && (significand & 1))) ++significand;
  if (significand >> 53) significand >>= 1, ++power;
  const std::uint64_t ieee =
      (bits & 0x8000000000000000u) | std::uint64_t(power + 1023) << 52 | (significand & 0x000FFFFFFFFFFFFFu);
  return {std::bit_cast<double>(ieee), rest == 0};
}

/// The 8 bytes of a finite double, normalised: exact, or nothing when the number is beyond 16^63 or nearer to 0 than 16^-65.
inline std::optional<std::uint64_t> to_ibm(double value) {
  const auto ieee = std::bit_cast<std::uint64_t>(value);
  if ((ieee << 1) == 0) return 0;
  const int power = int(ieee >> 52 & 0x7FF) - 1023;  // of the first bit; subnormals are far below the range
  const int exponent = (power >= 0 ? power / 4 : -((3 - power) / 4)) + 1 + 64;  // floor(power / 4) + 65
  if (exponent < 0 || exponent > 127) return {};
  const int shift = power - 4 * (exponent - 65);  // 0 to 3: where the first bit stands in the first hexadecimal digit
  const std::uint64_t significand = (ieee & 0x000FFFFFFFFFFFFFu) | 0x0010000000000000u;  // 53 bits
  return (ieee & 0x8000000000000000u) | std::uint64_t(exponent) << 56 | significand << shift;
}

}  // namespace equipoise::data
