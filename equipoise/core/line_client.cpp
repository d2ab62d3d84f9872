#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "equipoise/core/lines.h"
#include "equipoise/core/record.h"
#include "equipoise/core/unix_socket.h"

namespace equipoise {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::string_view like_an_error = "{\"error\":";

struct Refusal {
  std::string error{}, message{}, hint{};
  static void fields(auto& self, auto&& f) { f("error", self.error), f("message", self.message), f("hint", self.hint); }
};

/// Waits until the socket can be used, or the deadline has passed: then false.
bool wait(int socket, short events, Steady::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Steady::now());
    if (left.count() <= 0) return false;
    pollfd watched{socket, events, 0};
    const int ready = ::poll(&watched, 1, int(std::min<std::int64_t>(left.count(), 1 << 30)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // the next call says what is wrong
  }
}

constexpr std::string_view not_known = "whether it was acted upon is not known";

}  // namespace

std::string to_line(Error const& error) {
  return encoded(Refusal{std::string(card(error.code).name), error.message, error.hint});
}

std::optional<Error> error_in(std::string_view line) {
  if (!line.starts_with(like_an_error)) return {};
  const auto refusal = decoded<Refusal>(line);
  const auto code = refusal ? code_named(refusal->error) : std::nullopt;
  if (!code) return Error{Code::syntax, "the service answered with an error that cannot be read", {}, {}};
  return Error{*code, refusal->message, {}, refusal->hint};
}

Expected<void> LineClient::connect(Deadline deadline) {
  if (socket_) {  // closed by the server while nothing was asked: a new one is as good
    char byte;
    const ssize_t got = ::recv(socket_.number(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {};
    socket_.close();
  }
  auto address = unix_socket::address_of(path_);
  if (!address) return tl::unexpected(address.error());
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return unix_socket::failure("make a socket for", path_, errno);
  while (::connect(socket.number(), address->get(), sizeof(sockaddr_un)) != 0) {
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return fail(Code::unavailable, "nobody serves at '{}': {}", path_, std::strerror(errno));
    if (Steady::now() >= deadline) return fail(Code::unavailable, "the service at '{}' is too busy; nothing was sent", path_);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // its queue is full
  }
  if (!unix_socket::of_this_user(socket.number()))
    return fail(Code::refused, "the service at '{}' belongs to another user of the system", path_);
  socket_ = std::move(socket);
  return {};
}

Expected<void> LineClient::send(std::string_view line, Deadline deadline) {
  std::string bytes(line);
  bytes += '\n';
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t now = ::send(socket_.number(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (now >= 0) sent += std::size_t(now);
    else if (errno == EINTR) continue;
    else if (errno == EPIPE || errno == ECONNRESET) return {};  // it may have said why
    else if (errno != EAGAIN && errno != EWOULDBLOCK) return unix_socket::failure("send to", path_, errno);
    else if (!wait(socket_.number(), POLLOUT, deadline))
      return fail(Code::unavailable, "the service at '{}' did not take the whole question in time, and so did not act", path_);
  }
  return {};
}

Expected<std::string> LineClient::receive(Deadline deadline) {
  std::string answer;
  char bytes[1 << 16];
  for (;;) {
    const ssize_t now = ::recv(socket_.number(), bytes, sizeof bytes, 0);
    if (now > 0) {
      const std::string_view got(bytes, std::size_t(now));
      const auto end = got.find('\n');
      answer += got.substr(0, end);
      if (answer.size() > longest_answer_)
        return fail(Code::out_of_range, "the answer of the service at '{}' is longer than {} bytes", path_, longest_answer_);
      if (end == std::string_view::npos) continue;
      if (end + 1 < got.size()) return fail(Code::syntax, "the service at '{}' answered more than it was asked", path_);
      return answer;
    }
    if (now < 0 && errno == EINTR) continue;
    if (now == 0 || errno == ECONNRESET)
      return fail(Code::unavailable, "the service at '{}' closed the connection before it answered; {}", path_, not_known);
    if (errno != EAGAIN && errno != EWOULDBLOCK) return unix_socket::failure("read from", path_, errno);
    if (!wait(socket_.number(), POLLIN, deadline))
      return fail(Code::unavailable, "the service at '{}' did not answer in time; {}", path_, not_known);
  }
}

Expected<std::string> LineClient::ask(std::string_view line, std::chrono::milliseconds timeout) {
  expects(line.find('\n') == std::string_view::npos, "a question is one line");
  const auto deadline = Steady::now() + timeout;
  if (auto connected = connect(deadline); !connected) return tl::unexpected(connected.error());
  if (auto sent = send(line, deadline); !sent) {
    socket_.close();
    return tl::unexpected(sent.error());
  }
  auto answer = receive(deadline);
  if (!answer) socket_.close();  // what comes later would be taken for the answer to something else
  return answer;
}

}  // namespace equipoise
