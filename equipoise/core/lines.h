#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "equipoise/core/descriptor.h"
#include "equipoise/core/expected.h"

/// Questions and answers, a line each, over a Unix stream socket between processes of one user of the system.
namespace equipoise {

/// An error as an answer: {"error":"refused","message":"...","hint":"..."}, where `error` is the name of its code.
std::string to_line(Error const& error);
/// The error that an answer is, if it is one. A line that begins like an error and is none is an error too (syntax).
std::optional<Error> error_in(std::string_view line);

struct LineLimits {
  std::size_t longest_line = 1 << 20;               ///< bytes of a question, without the line feed
  std::size_t most_connections = 64;                ///< at a time; others wait in the queue of the system
  std::chrono::milliseconds half_line{10'000};      ///< from the first byte of a line to its end
  std::chrono::milliseconds unread_answer{10'000};  ///< from an answer that the client does not take to the end of its patience
};

/// Answers lines of many clients in one loop without threads. A client that is slow, sends half a line, or does not read what it
/// is answered delays nobody: of each at most one line and one answer are kept, and its next line is read when the answer is
/// gone.
///
/// The socket has mode 0600, and clients of another user are turned away (SO_PEERCRED). A line that is too long is answered with
/// an error and skipped; half a line at the end of a connection is dropped. The lock file beside the socket ("PATH.lock") keeps a
/// second server from taking its place; the socket of a process that was killed is replaced.
class LineServer {
 public:
  using Connection = std::uint64_t;  ///< from 1, never used again
  /// The answer, without a line feed; nothing: the connection is closed. What it throws is answered as a failure.
  using Handler = std::function<std::optional<std::string>(Connection, std::string_view line)>;

  /// errors  conflict (another process serves there); io
  static Expected<LineServer> open(std::string const& path, LineLimits limits = {});
  LineServer(LineServer&&) noexcept = default;
  LineServer& operator=(LineServer&&) = delete;
  ~LineServer();  ///< removes the socket

  /// Serves until `stop` is set, which it looks at whenever a signal arrives and ten times a second.
  /// errors  io
  Expected<void> run(std::atomic<bool> const& stop, Handler const& answer);

 private:
  LineServer(std::string path, LineLimits limits) : path_(std::move(path)), limits_(limits) {}

  std::string path_;
  LineLimits limits_;
  Descriptor lock_, listener_;
};

/// The other end: one connection, made when it is needed.
class LineClient {
 public:
  explicit LineClient(std::string path, std::size_t longest_answer = std::size_t(256) << 20)
      : path_(std::move(path)), longest_answer_(longest_answer) {}

  /// Sends the line, which has no line feed, and waits for its answer.
  /// errors  unavailable: nobody serves there, or no answer came in time. The message says whether the question was sent: then it
  /// is
  ///         not known whether it was acted upon. refused: the server is of another user. out_of_range: the answer is too long
  Expected<std::string> ask(std::string_view line, std::chrono::milliseconds timeout);

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  Expected<void> connect(Deadline deadline);
  Expected<void> send(std::string_view line, Deadline deadline);
  Expected<std::string> receive(Deadline deadline);

  std::string path_;
  std::size_t longest_answer_;
  Descriptor socket_;
};

}  // namespace equipoise
