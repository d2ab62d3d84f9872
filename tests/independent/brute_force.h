#pragma once

#include <cstdint>
#include <random>
#include <vector>

/// Small random data for second derivations. Raw bits of std::mt19937_64 only: its output is fixed by the standard, that of the
/// distributions is not.
namespace equipoise::independent {

class Bits {
 public:
  explicit Bits(std::uint64_t seed) : engine_(seed) {}
  /// 0 to below - 1; the bias of a remainder does not matter here.
  int below(int bound) { return int(engine_() % std::uint64_t(bound)); }

 private:
  std::mt19937_64 engine_;
};

/// A small trial with ties, late entry, strata and clusters.
struct SmallTrial {
  std::vector<double> start, time, event, x;
  std::vector<std::int32_t> arm, stratum, cluster;

  SmallTrial(std::uint64_t seed, int n, int arms, int strata, bool late_entry) {
    Bits bits(seed);
    for (int i = 0; i < n; ++i) {
      start.push_back(late_entry ? bits.below(5) : 0);
      time.push_back(start.back() + 1 + bits.below(8));
      event.push_back(bits.below(3) > 0);
      x.push_back(bits.below(7) * 0.5);
      arm.push_back(bits.below(arms));
      stratum.push_back(bits.below(strata));
      cluster.push_back(bits.below(n / 2));
    }
  }
  std::size_t size() const { return time.size(); }
};

}  // namespace equipoise::independent
