#include "equipoise/cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>

namespace equipoise::cli {

std::atomic<bool> Interruptible::asked{false};

Interruptible::Interruptible() {
  constexpr auto ask = [](int signal) {
    asked = true;
    std::signal(signal, SIG_DFL);
  };
  before_interrupt_ = std::signal(SIGINT, ask), before_terminate_ = std::signal(SIGTERM, ask);
}

Interruptible::~Interruptible() { std::signal(SIGINT, before_interrupt_), std::signal(SIGTERM, before_terminate_); }

ProgressLine::ProgressLine(bool wanted, std::string name, std::string what)
    : wanted_(wanted && isatty(STDERR_FILENO) == 1), name_(std::move(name)), what_(std::move(what)) {}

ProgressLine::~ProgressLine() {
  if (drawn_) std::fputs("\r\033[K", stderr);
}

void ProgressLine::draw(std::int64_t done, std::int64_t all, std::int64_t replicates, results::Measured const& main) {
  const auto now = std::chrono::steady_clock::now();
  if (begun_at_ < 0) begun_at_ = done - 1;
  if (!wanted_ || (done < all && now - last_ < std::chrono::milliseconds(100))) return;
  last_ = now;
  const double seconds = std::chrono::duration<double>(now - started_).count();
  const double left = seconds * double(all - done) / double(done - begun_at_);
  constexpr int width = 24;
  const int filled = int(width * done / all);
  std::string line = fmt::format("\r\033[K{} [{:=<{}}{: <{}}] {:3.0f} %  {:.0f}/s  {:.0f} s left", name_, "", filled, "",
                                 width - filled, 100 * double(done) / double(all), double(replicates) / seconds, left);
  if (!what_.empty() && !std::isnan(main.value))
    line += fmt::format("  {} {:.1f} % (SE {:.2f})", what_, 100 * main.value, 100 * main.mc_se);
  std::fputs(line.c_str(), stderr);
  drawn_ = true;
}

}  // namespace equipoise::cli
