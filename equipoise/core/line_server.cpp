#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <list>
#include <vector>

#include "equipoise/core/lines.h"
#include "equipoise/core/unix_socket.h"

namespace equipoise {
namespace {

using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds look_at_stop{100};
constexpr std::size_t block = 1 << 16;

struct Client {
  LineServer::Connection id = 0;
  Descriptor socket;
  std::string in{}, out{};
  std::size_t searched = 0;  ///< of `in`, without a line feed
  std::size_t sent = 0;      ///< of `out`
  bool skipping = false;     ///< the rest of a line that was too long
  bool ended = false;        ///< the client sends nothing more
  bool closing = false;      ///< when the answer is gone
  bool gone = false;
  Steady::time_point since{};  ///< begin of the half line, or of the answer that waits

  bool has_answer() const { return sent < out.size(); }
  /// Where the line at the front ends; npos when it has not come yet.
  std::size_t line_end() {
    const std::size_t end = in.find('\n', searched);
    searched = end == std::string::npos ? in.size() : end;
    return end;
  }

  void answer(std::string line) {
    out = std::move(line);
    out += '\n';
    sent = 0;
    since = Steady::now();
    send();
  }

  void send() {
    while (has_answer()) {
      const ssize_t now = ::send(socket.number(), out.data() + sent, out.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (now < 0 && errno == EINTR) continue;
      if (now < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
      if (now < 0) {
        gone = true;
        return;
      }
      sent += std::size_t(now);
      since = Steady::now();  // it reads: patience begins anew
    }
    if (out.capacity() > block) out = {};  // one long answer does not cost memory for ever
    out.clear(), sent = 0;
    if (closing) gone = true;
  }

  void receive() {
    char bytes[block];
    const ssize_t now = ::recv(socket.number(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (now < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (now < 0) gone = true;
    if (now == 0) ended = true;
    if (now <= 0) return;
    if (in.empty() && !skipping) since = Steady::now();
    in.append(bytes, std::size_t(now));
  }
};

class Loop {
 public:
  Loop(int listener, LineLimits limits, LineServer::Handler const& handler)
      : listener_(listener), limits_(limits), handler_(handler) {}

  Expected<void> run(std::atomic<bool> const& stop) {
    while (!stop.load()) {
      milliseconds wait = look_at_stop;
      std::vector<pollfd> watched;
      std::vector<Client*> of;
      for (Client& client : clients_) {
        const bool line = !client.has_answer() && client.line_end() != std::string::npos;
        if (line) wait = milliseconds(0);
        const short events = client.has_answer() ? POLLOUT : line || client.ended ? 0 : POLLIN;
        watched.push_back({client.socket.number(), events, 0});
        of.push_back(&client);
      }
      const bool listens = clients_.size() < limits_.most_connections && Steady::now() >= accept_again_;
      if (listens) watched.push_back({listener_, POLLIN, 0});

      const int ready = ::poll(watched.data(), nfds_t(watched.size()), int(wait.count()));
      if (ready < 0 && errno != EINTR) return fail(Code::io, "the service cannot wait for its clients (error {})", errno);
      if (stop.load()) break;
      for (std::size_t i = 0; i < of.size(); ++i) serve(*of[i], ready > 0 ? watched[i].revents : short(0));
      if (listens && ready > 0 && watched.back().revents != 0) accept();
      clients_.remove_if([](Client const& client) { return client.gone; });
    }
    return {};
  }

 private:
  void serve(Client& client, short events) {
    if (events & (POLLERR | POLLNVAL)) client.gone = true;
    if (events & POLLOUT) client.send();
    if (events & (POLLIN | POLLHUP) && !client.has_answer() && !client.ended) client.receive();
    if (client.gone || client.has_answer()) return check_patience(client);

    const std::size_t end = client.line_end();
    if (end == std::string::npos) {
      if (client.in.size() > limits_.longest_line || client.skipping) {
        if (!client.skipping) too_long(client);
        client.skipping = true;
        client.in.clear(), client.searched = 0;
        client.in.shrink_to_fit();
      }
      if (client.ended && !client.has_answer()) client.gone = true;  // half a line is no line
      if (client.ended) client.closing = true;
      return check_patience(client);
    }
    if (client.skipping) client.skipping = false;
    else if (end > limits_.longest_line) too_long(client);
    else answer(client, std::string_view(client.in).substr(0, end));
    client.in.erase(0, end + 1), client.searched = 0;
    if (client.in.empty() && client.in.capacity() > block) client.in.shrink_to_fit();
    if (!client.has_answer()) client.since = Steady::now();  // of the next line
  }

  void answer(Client& client, std::string_view line) {
    std::optional<std::string> answer;
    try {
      answer = handler_(client.id, line);
      if (answer) expects(answer->find('\n') == std::string::npos, "an answer is one line");
    } catch (ContractViolation const& broken) {
      answer = to_line({Code::failure, fmt::format("a promise inside the program was broken: {}", broken.what()), {}, {}});
    } catch (std::exception const&) {  // its text may hold anything
      answer = to_line({Code::failure, "the service could not finish this, for a reason inside the program", {}, {}});
    }
    if (answer) client.answer(std::move(*answer));
    else client.gone = true;
  }

  void too_long(Client& client) {
    client.answer(to_line(
        {Code::out_of_range, fmt::format("the line is longer than {} bytes, and was skipped", limits_.longest_line), {}, {}}));
  }

  void check_patience(Client& client) {
    const bool half = !client.in.empty() || client.skipping;
    if (!client.has_answer() && !half) return;
    const auto waited = Steady::now() - client.since;
    if (client.has_answer()) {
      if (waited > limits_.unread_answer) client.gone = true;
    } else if (waited > limits_.half_line) {
      client.closing = true;
      client.answer(to_line(
          {Code::unavailable, fmt::format("the line did not end within {} milliseconds", limits_.half_line.count()), {}, {}}));
    }
  }

  void accept() {
    Descriptor socket(::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) accept_again_ = Steady::now() + look_at_stop;
      return;
    }
    Client& client = clients_.emplace_back(Client{.id = ++last_id_, .socket = std::move(socket)});
    if (unix_socket::of_this_user(client.socket.number())) return;
    client.closing = true;
    client.answer(to_line({Code::refused, "this service answers only the user of the system whose it is", {}, {}}));
  }

  int listener_;
  LineLimits limits_;
  LineServer::Handler const& handler_;
  std::list<Client> clients_;
  LineServer::Connection last_id_ = 0;
  Steady::time_point accept_again_{};
};

}  // namespace

Expected<LineServer> LineServer::open(std::string const& path, LineLimits limits) {
  using unix_socket::failure;
  LineServer made(path, limits);
  const std::string lock = path + ".lock";
  made.lock_ = Descriptor(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!made.lock_) return failure("open", lock, errno);
  if (::flock(made.lock_.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failure("lock", lock, errno);
    return fail(Code::conflict, "another process serves at '{}'", path);
  }

  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0) {
    if (!S_ISSOCK(there.st_mode)) return fail(Code::io, "'{}' is there, and is no socket", path);
    if (::unlink(path.c_str()) != 0) return failure("replace", path, errno);  // of a process that was killed: we hold its lock
  }
  auto address = unix_socket::address_of(path);
  if (!address) return tl::unexpected(address.error());
  Descriptor listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!listener) return failure("make a socket for", path, errno);
  if (::fchmod(listener.number(), 0600) != 0) return failure("protect", path, errno);  // the file gets the mode of the socket
  if (::bind(listener.number(), address->get(), sizeof(sockaddr_un)) != 0) return failure("serve at", path, errno);
  made.listener_ = std::move(listener);  // from now on the socket is ours to remove
  if (::lstat(path.c_str(), &there) != 0 || (there.st_mode & 0777 & ~0600u) != 0)
    return fail(Code::io, "the socket '{}' cannot be kept from other users on this file system", path);
  if (::listen(made.listener_.number(), 128) != 0) return failure("listen at", path, errno);
  return made;
}

LineServer::~LineServer() {
  if (listener_) ::unlink(path_.c_str());
}

Expected<void> LineServer::run(std::atomic<bool> const& stop, Handler const& answer) {
  return Loop(listener_.number(), limits_, answer).run(stop);
}

}  // namespace equipoise
