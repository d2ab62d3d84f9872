#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include "equipoise/results/rehearsal.h"

namespace equipoise::cli {

/// Ctrl-C and a request to end while it lives: `asked` becomes true, and what is at work is finished. A second Ctrl-C ends at
/// once.
class Interruptible {
 public:
  Interruptible();
  ~Interruptible();
  Interruptible(Interruptible const&) = delete;
  Interruptible& operator=(Interruptible const&) = delete;

  static std::atomic<bool> asked;

 private:
  void (*before_interrupt_)(int);
  void (*before_terminate_)(int);
};

/// One line on a terminal, drawn again at most ten times a second: how far, how fast, how long still, and the main estimate.
class ProgressLine {
 public:
  ProgressLine(bool wanted, std::string name, std::string what);
  ~ProgressLine();
  ProgressLine(ProgressLine const&) = delete;
  ProgressLine& operator=(ProgressLine const&) = delete;

  void draw(std::int64_t done, std::int64_t all, std::int64_t replicates, results::Measured const& main);

 private:
  bool wanted_, drawn_ = false;
  std::string name_, what_;
  std::int64_t begun_at_ = -1;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now(), last_{};
};

}  // namespace equipoise::cli
