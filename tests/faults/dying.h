#pragma once

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <random>
#include <string>
#include <string_view>

namespace equipoise::faults {

/// Lets the process die by SIGKILL at named points, by chance, and leaves the name of the point in a file.
class Dying {
 public:
  /// probability  at each point; 0: it lives
  Dying(double probability, std::uint64_t seed, std::string deaths)
      : probability_(probability), random_(seed ^ std::uint64_t(getpid()) << 20), deaths_(std::move(deaths)) {}

  void operator()(std::string_view point) {
    if (probability_ <= 0 || std::uniform_real_distribution<double>(0, 1)(random_) >= probability_) return;
    if (std::FILE* file = std::fopen(deaths_.c_str(), "a")) {
      std::fprintf(file, "%.*s\n", int(point.size()), point.data());
      std::fclose(file);
    }
    kill(getpid(), SIGKILL);
  }

 private:
  double probability_;
  std::mt19937_64 random_;
  std::string deaths_;
};

/// `--name value` pairs after the first two words.
inline std::string option(int count, char** words, std::string_view name, std::string otherwise = "") {
  for (int i = 3; i + 1 < count; i += 2)
    if (name == words[i]) return words[i + 1];
  return otherwise;
}

}  // namespace equipoise::faults
