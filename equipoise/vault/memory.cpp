#include "equipoise/vault/memory.h"

#include <sodium.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <new>

#include "equipoise/core/error.h"
#include "equipoise/vault/message.h"

namespace equipoise::vault {

SecretBytes::SecretBytes(std::size_t size) : size_(size) {
  expects(sodium_init() >= 0, "libsodium starts");
  held_.reset(static_cast<std::uint8_t*>(sodium_malloc(std::max<std::size_t>(size, 1))));
  if (!held_) throw std::bad_alloc();
  sodium_memzero(held_.get(), size);
}

SecretBytes SecretBytes::drawn(std::size_t size, Chance& chance) {
  SecretBytes made(size);
  chance.fill(made.held_.get(), size);
  return made;
}

SecretBytes SecretBytes::copy() const {
  SecretBytes made(size_);
  std::ranges::copy(bytes(), made.held_.get());
  return made;
}

void SecretBytes::Free::operator()(std::uint8_t* bytes) const { sodium_free(bytes); }

using State = crypto_auth_hmacsha256_state;

Mac::Mac(std::span<const std::uint8_t> key) : state_(sizeof(State)) {
  static_assert(sizeof(State) % alignof(State) == 0);  // libsodium puts the end of what it allocates at the end of a page
  crypto_auth_hmacsha256_init(reinterpret_cast<State*>(state_.bytes().data()), key.data(), key.size());
}

Key32 Mac::operator()(std::string_view message) const {
  State state = *reinterpret_cast<State const*>(state_.bytes().data());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(message.data()), message.size());
  Key32 mac;
  crypto_auth_hmacsha256_final(&state, mac.data());  // which wipes the state
  return mac;
}

DerivedKey::DerivedKey(Mac const& seed, std::string_view purpose) : key_(seed(Message(purpose).bytes())) {}
DerivedKey::~DerivedKey() { sodium_memzero(key_.data(), key_.size()); }

void wipe(std::string& text) {
  sodium_memzero(text.data(), text.size());
  text.clear();
}

void forbid_looking_in() {
  const rlimit none{0, 0};
  expects(::setrlimit(RLIMIT_CORE, &none) == 0, "core dumps can be forbidden");
  expects(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0, "a process can be closed to others");
}

}  // namespace equipoise::vault
