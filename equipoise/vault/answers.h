#pragma once

#include <string>
#include <vector>

#include "equipoise/vault/vault.h"

/// What the vault answers when it is neither an error nor a record of its own. Between process.cpp and client.cpp.
namespace equipoise::vault {

struct Nothing {
  static void fields(auto&, auto&&) {}
};
struct OneText {
  std::string text{};
  static void fields(auto& self, auto&& f) { f("text", self.text); }
};
struct OneNumber {
  std::int64_t number = 0;
  static void fields(auto& self, auto&& f) { f("number", self.number); }
};
template <class T>
struct Many {
  std::vector<T> all{};
  static void fields(auto& self, auto&& f) { f("all", self.all); }
};

}  // namespace equipoise::vault
