#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "equipoise/allocation/testing.h"
#include "equipoise/vault/vault.h"

/// Vaults of small trials, with time and chance in hand. Only tests include this.
namespace equipoise::vault::testing {

/// Bytes that are the same in every run: HMAC-SHA-256 of a counter.
class TestChance final : public Chance {
 public:
  explicit TestChance(std::string_view name = "chance")
      : mac_(std::span(reinterpret_cast<const std::uint8_t*>(name.data()), name.size())) {}
  void fill(std::uint8_t* bytes, std::size_t size) override {
    for (std::size_t at = 0; at < size;) {
      const Key32 block = mac_(std::to_string(++blocks_));
      for (std::size_t i = 0; i < block.size() && at < size; ++i) bytes[at++] = block[i];
    }
  }

 private:
  Mac mac_;
  std::uint64_t blocks_ = 0;
};

class TestClock final : public Clock {
 public:
  Instant now() const override { return Instant(std::chrono::milliseconds(1'800'000'000'000 + 1000 * ++asked_)); }

 private:
  mutable std::int64_t asked_ = 0;
};

/// A folder of its own that goes with the test.
class Folder {
 public:
  Folder() {
    std::string shape = (std::filesystem::temp_directory_path() / "vault-XXXXXX").string();
    path_ = ::mkdtemp(shape.data());
  }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  std::filesystem::path operator/(std::string const& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::string bytes_of(std::filesystem::path const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline void write_bytes(std::filesystem::path const& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline const std::string three_sites = "factors = [{ id = \"site\" }, { id = \"sex\", rule = \"sex@screening\" }]\n";
inline const std::string blocks_by_stratum = "method = \"permuted_block\"\nblock_sizes = [3, 6]\n" + three_sites;
inline const std::string minimisation = "method = \"minimisation\"\nprobability = 0.8\n" + three_sites;

/// Three arms at three sites (s3 takes two participants), with the given section [randomisation].
inline protocol::Protocol trial(std::string_view randomisation, std::string_view head = "planned_participants = 12\n") {
  return protocol::load_all(allocation::testing::trial(3, randomisation, head), "t.toml").protocol;
}

/// Three arms with doses, given by weight at two visits; blocks of three.
inline protocol::Protocol dosed_trial(std::string_view intervention = "amount = \"dose * weight\"\n") {
  return protocol::load_all(R"toml(format = 1
[trial]
id = "t"
title = "A trial"
version = "1"
planned_participants = 12
[[arm]]
id = "none"
role = "placebo_control"
label = "Placebo"
dose = { amount = 0, unit = "cells/kg" }
[[arm]]
id = "low"
role = "investigational"
label = "Low dose"
dose = { amount = 0.5e6, unit = "cells/kg" }
[[arm]]
id = "high"
role = "investigational"
label = "High dose"
dose = { amount = 1.5e6, unit = "cells/kg" }
[sites]
site = [{ id = "s1" }, { id = "s2" }]
[schedule]
visit = [{ id = "screening", day = -7, forms = ["vitals"] }, { id = "day1", day = 1, forms = ["vitals"] }, { id = "w4", day = 29, forms = ["vitals"] }]
[form.vitals]
weight = { kind = "number", unit = "kg", hard = [30, 200] }
[randomisation]
method = "permuted_block"
block_sizes = [3]
[[intervention]]
id = "infusion"
visits = ["day1", "w4"]
)toml" + std::string(intervention),
                            "t.toml")
      .protocol;
}

inline Secrets secrets_of(protocol::Protocol const& protocol, std::string_view name = "seed",
                          std::string const& environment = "test") {
  TestChance chance(name);
  return draw_secrets(protocol, environment, "", chance).value();
}

/// A vault in memory, and what surrounds it.
struct Bench {
  protocol::Protocol protocol;
  std::unique_ptr<TestClock> clock = std::make_unique<TestClock>();
  std::unique_ptr<TestChance> chance = std::make_unique<TestChance>();
  Vault vault;

  explicit Bench(protocol::Protocol of, std::vector<std::int32_t> exchanged = {})
      : protocol(std::move(of)), vault(make(secrets_of(protocol), Ledger::in_memory(), std::move(exchanged))) {}
  Bench(protocol::Protocol of, Secrets secrets, Ledger ledger = Ledger::in_memory())
      : protocol(std::move(of)), vault(make(std::move(secrets), std::move(ledger), {})) {}

  /// The next allocation, asked for and confirmed.
  allocation::Receipt next(std::string const& participant, std::vector<std::int32_t> levels = {}) {
    const auto receipt =
        vault.allocate({.number = vault.confirmed() + 1, .participant = participant, .levels = std::move(levels)});
    if (!receipt) throw std::runtime_error(receipt.error().message);
    if (!vault.confirm(receipt->number)) throw std::runtime_error("not confirmed");
    return *receipt;
  }
  std::string arm(std::string const& participant) { return vault.open(participant, grant()).value().arm; }
  static UnblindingGrant grant() { return UnblindingGrant(sha256("an event")); }

 private:
  Vault make(Secrets secrets, Ledger ledger, std::vector<std::int32_t> exchanged) {
    auto made = Vault::open(protocol, std::move(secrets), std::move(ledger), {.clock = clock.get(), .chance = chance.get()},
                            std::move(exchanged));
    if (!made) throw std::runtime_error(made.error().message);
    return std::move(*made);
  }
};

template <class T>
std::string said(Expected<T> const& answer) {
  return answer ? "(fine)" : answer.error().message;
}

/// 1 - alpha quantile of chi-square by Wilson & Hilferty (1931), within 0.5 % for 5 degrees of freedom or more. z of alpha.
inline double chi_square_limit(double degrees, double z) {
  const double c = 2 / (9 * degrees), root = 1 - c + z * std::sqrt(c);
  return degrees * root * root * root;
}
inline constexpr double z_of_1e_6 = 4.7534;  ///< alpha = 1e-6

}  // namespace equipoise::vault::testing
