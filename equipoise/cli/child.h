#pragma once

#include <string>
#include <vector>

#include "equipoise/core/expected.h"

namespace equipoise::cli {

/// This program as a child process, which says when it is ready and is stopped with its owner.
class Child {
 public:
  /// words  of the command line, without the program; " --ready N" is added, where N is a file descriptor into which one byte is
  ///        written when the child is ready
  /// errors  io, failure; unavailable: it ended before it was ready (it has said why)
  static Expected<Child> start(std::vector<std::string> words, std::string const& what);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();  ///< SIGTERM, and waits

 private:
  explicit Child(int process) : process_(process) {}
  int process_;
};

/// Tells the one who started this process that it is ready.
void say_ready(int descriptor);

}  // namespace equipoise::cli
