#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "equipoise/core/chance.h"
#include "equipoise/core/digest.h"

/// Secrets in memory.
namespace equipoise::vault {

/// Bytes in memory of their own: between guard pages, kept out of swap where the system permits it, wiped at the end.
class SecretBytes {
 public:
  explicit SecretBytes(std::size_t size);
  static SecretBytes drawn(std::size_t size, Chance& chance);

  std::span<std::uint8_t> bytes() { return {held_.get(), size_}; }
  std::span<const std::uint8_t> bytes() const { return {held_.get(), size_}; }
  std::string_view text() const { return as_text(bytes()); }
  SecretBytes copy() const;

 private:
  struct Free {
    void operator()(std::uint8_t* bytes) const;
  };
  std::size_t size_;
  std::unique_ptr<std::uint8_t, Free> held_;
};

/// HMAC-SHA-256 under one key, which it keeps as SecretBytes.
class Mac {
 public:
  explicit Mac(std::span<const std::uint8_t> key);
  Key32 operator()(std::string_view message) const;

 private:
  SecretBytes state_;  ///< after the key
};

/// A key for one purpose, made from the seed. Wipes itself.
class DerivedKey {
 public:
  DerivedKey(Mac const& seed, std::string_view purpose);
  DerivedKey(DerivedKey const&) = delete;
  DerivedKey& operator=(DerivedKey const&) = delete;
  ~DerivedKey();
  Key32 const& bytes() const { return key_; }

 private:
  Key32 key_;
};

/// Overwrites a text that held a secret.
void wipe(std::string& text);

/// This process leaves no core dump and lets no other process of its user look into its memory. For good.
void forbid_looking_in();

}  // namespace equipoise::vault
