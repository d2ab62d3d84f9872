#include "equipoise/core/lines.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "equipoise/core/unix_socket.h"

namespace equipoise {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds long_enough{20'000};

/// A folder of its own that goes with the test.
class LinesTest : public ::testing::Test {
 protected:
  LinesTest() {
    std::string shape = (std::filesystem::temp_directory_path() / "lines-XXXXXX").string();
    folder_ = ::mkdtemp(shape.data());
  }
  ~LinesTest() override { std::filesystem::remove_all(folder_); }
  std::string path(std::string const& name = "socket") const { return (folder_ / name).string(); }
  std::filesystem::path folder_;
};

/// A server in a thread. It answers "LINE" with "<LINE>", and does what some words say.
class Echo {
 public:
  explicit Echo(std::string const& path, LineLimits limits = {}) : server_(LineServer::open(path, limits).value()) {
    thread_ = std::thread([this] {
      const auto ran = server_.run(stop_, [](LineServer::Connection, std::string_view line) -> std::optional<std::string> {
        if (line == "hang up") return {};
        if (line == "break") throw ContractViolation("the test keeps its promise");
        if (line == "throw") throw std::runtime_error("a secret");
        if (line == "two lines") return "one\ntwo";
        if (line == "much") return std::string(8 << 20, 'm');
        return fmt::format("<{}>", line);
      });
      EXPECT_TRUE(ran);
    });
  }
  ~Echo() {
    stop_ = true;
    thread_.join();
  }

 private:
  LineServer server_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

/// A client without manners.
class Raw {
 public:
  explicit Raw(std::string const& path) : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const auto address = unix_socket::address_of(path).value();
    if (::connect(socket_.number(), address.get(), sizeof(sockaddr_un)) != 0) ADD_FAILURE() << "no connection";
    const timeval patience{20, 0};
    ::setsockopt(socket_.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t now = ::send(socket_.number(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (now < 0) return false;
      bytes.remove_prefix(std::size_t(now));
    }
    return true;
  }
  void send_no_more() { ::shutdown(socket_.number(), SHUT_WR); }
  /// Up to the next line feed, without it; or "(closed)".
  std::string line() {
    std::string got;
    for (char c; ::recv(socket_.number(), &c, 1, 0) == 1;) {
      if (c == '\n') return got;
      got += c;
    }
    return got + "(closed)";
  }

 private:
  Descriptor socket_;
};

std::string said(Expected<std::string> const& answer) { return answer ? *answer : to_string(answer.error()); }

TEST_F(LinesTest, AnswersLineForLine) {
  const Echo echo(path());
  LineClient client(path());
  EXPECT_EQ(said(client.ask("hello", long_enough)), "<hello>");
  EXPECT_EQ(said(client.ask("", long_enough)), "<>");
  EXPECT_EQ(said(client.ask(std::string("a\0b", 3), long_enough)), std::string("<a\0b>", 5));
  EXPECT_EQ(client.ask("much", long_enough)->size(), 8u << 20);
}

TEST_F(LinesTest, AnswersLinesThatCameTogetherInTheirOrder) {
  const Echo echo(path());
  Raw raw(path());
  raw.send("one\ntwo\nthree\nfo");
  EXPECT_EQ(raw.line(), "<one>");
  EXPECT_EQ(raw.line(), "<two>");
  raw.send("ur\n");
  EXPECT_EQ(raw.line(), "<three>");
  EXPECT_EQ(raw.line(), "<four>");
}

TEST_F(LinesTest, AnswersWhoSendsNoMoreAndDropsHalfALine) {
  const Echo echo(path());
  Raw raw(path());
  raw.send("last\nhalf");
  raw.send_no_more();
  EXPECT_EQ(raw.line(), "<last>");
  EXPECT_EQ(raw.line(), "(closed)");
}

TEST_F(LinesTest, ServesManyWhileOthersSendHalfLinesAndDoNotRead) {
  const Echo echo(path());
  std::vector<Raw> rude;
  for (int i = 0; i < 10; ++i) rude.emplace_back(path()).send(i % 2 ? "half a li" : "much\nmuch\nmuch\n");
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      LineClient client(path());
      for (int i = 0; i < 100; ++i) {
        const std::string line = fmt::format("client {} line {}", t, i);
        if (said(client.ask(line, long_enough)) == "<" + line + ">") ++right;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 800);
  rude[1].send("ne\n");
  EXPECT_EQ(rude[1].line(), "<half a line>");
}

TEST_F(LinesTest, ClosesOnWhoNeverEndsALineOrNeverReads) {
  const Echo echo(path(), {.half_line = milliseconds(200), .unread_answer = milliseconds(200)});
  Raw slow(path()), deaf(path());
  slow.send("half");
  deaf.send("much\n");
  EXPECT_EQ(slow.line(), R"({"error":"unavailable","message":"the line did not end within 200 milliseconds"})");
  EXPECT_EQ(slow.line(), "(closed)");
  std::this_thread::sleep_for(milliseconds(1000));
  EXPECT_NE(deaf.line(), std::string(8 << 20, 'm'));  // cut off
}

TEST_F(LinesTest, SkipsALineThatIsTooLongAndGoesOn) {
  const Echo echo(path(), {.longest_line = 1000});
  const std::string sentence = R"({"error":"out_of_range","message":"the line is longer than 1000 bytes, and was skipped"})";
  Raw raw(path());
  raw.send(std::string(1000, 'x') + "\n" + std::string(1001, 'y') + "\nshort\n");
  EXPECT_EQ(raw.line(), "<" + std::string(1000, 'x') + ">");
  EXPECT_EQ(raw.line(), sentence);
  EXPECT_EQ(raw.line(), "<short>");
  raw.send(std::string(3 << 20, 'z'));
  EXPECT_EQ(raw.line(), sentence);
  raw.send("z\nafter\n");
  EXPECT_EQ(raw.line(), "<after>");
  LineClient client(path());
  EXPECT_EQ(error_in(said(client.ask(std::string(2000, 'x'), long_enough)))->code, Code::out_of_range);
  EXPECT_EQ(said(client.ask("after", long_enough)), "<after>");
}

TEST_F(LinesTest, SurvivesAnythingThatIsSent) {
  const Echo echo(path(), {.longest_line = 5000});
  std::uint32_t state = 1;
  const auto next = [&] { return (state = state * 1664525 + 1013904223) >> 8; };  // any bytes will do
  for (int client = 0; client < 50; ++client) {
    Raw raw(path());
    std::string bytes(next() % 20000, '\0');
    for (char& c : bytes) c = char(next());
    raw.send(bytes);
  }
  LineClient client(path());
  EXPECT_EQ(said(client.ask("still there", long_enough)), "<still there>");
}

TEST_F(LinesTest, AnswersWhatItsHandlerThrows) {
  const Echo echo(path());
  LineClient client(path());
  EXPECT_EQ(said(client.ask("break", long_enough)),
            R"({"error":"failure","message":"a promise inside the program was broken: the test keeps its promise"})");
  EXPECT_EQ(said(client.ask("throw", long_enough)),
            R"({"error":"failure","message":"the service could not finish this, for a reason inside the program"})");
  EXPECT_EQ(said(client.ask("two lines", long_enough)),
            R"({"error":"failure","message":"a promise inside the program was broken: an answer is one line"})");
  EXPECT_EQ(said(client.ask("go on", long_enough)), "<go on>");
}

TEST_F(LinesTest, ClientConnectsAgainAfterTheServerHungUp) {
  const Echo echo(path());
  LineClient client(path());
  EXPECT_EQ(said(client.ask("hang up", long_enough)),
            fmt::format("the service at '{}' closed the connection before it answered; whether it was acted upon is not known",
                        path()));
  EXPECT_EQ(said(client.ask("hello", long_enough)), "<hello>");
}

TEST_F(LinesTest, ClientFindsARestartedServer) {
  LineClient client(path());
  {
    const Echo echo(path());
    EXPECT_EQ(said(client.ask("first", long_enough)), "<first>");
  }
  EXPECT_EQ(said(client.ask("nobody", long_enough)), fmt::format("nobody serves at '{}': No such file or directory", path()));
  const Echo echo(path());
  EXPECT_EQ(said(client.ask("second", long_enough)), "<second>");
}

TEST_F(LinesTest, ClientGivesUpInTimeAndForgetsTheLateAnswer) {
  auto server = LineServer::open(path()).value();
  std::atomic<bool> stop = false;
  std::thread thread([&] {
    (void)server.run(stop, [](LineServer::Connection, std::string_view line) -> std::optional<std::string> {
      if (line == "slow") std::this_thread::sleep_for(milliseconds(300));
      return std::string(line);
    });
  });
  LineClient client(path());
  EXPECT_EQ(said(client.ask("slow", milliseconds(50))),
            fmt::format("the service at '{}' did not answer in time; whether it was acted upon is not known", path()));
  EXPECT_EQ(said(client.ask("quick", long_enough)), "quick");
  stop = true;
  thread.join();
}

TEST_F(LinesTest, RefusesAnAnswerBeyondTheLimitOfTheClient) {
  const Echo echo(path());
  LineClient client(path(), 1000);
  EXPECT_EQ(said(client.ask("much", long_enough)),
            fmt::format("the answer of the service at '{}' is longer than 1000 bytes", path()));
  EXPECT_EQ(said(client.ask("little", long_enough)), "<little>");
}

TEST_F(LinesTest, RefusesASecondServerAndReplacesADeadOne) {
  {
    const auto first = LineServer::open(path());
    ASSERT_TRUE(first);
    const auto second = LineServer::open(path());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::conflict);
    EXPECT_EQ(second.error().message, fmt::format("another process serves at '{}'", path()));
  }
  EXPECT_FALSE(std::filesystem::exists(path()));
  {  // a socket that nobody removed
    const Descriptor dead(::socket(AF_UNIX, SOCK_STREAM, 0));
    ASSERT_EQ(::bind(dead.number(), unix_socket::address_of(path())->get(), sizeof(sockaddr_un)), 0);
  }
  ASSERT_TRUE(std::filesystem::exists(path()));
  EXPECT_TRUE(LineServer::open(path()));
}

TEST_F(LinesTest, RefusesPathsThatAreTakenOrAbsent) {
  std::ofstream(path("file")) << "somebody's data";
  EXPECT_EQ(LineServer::open(path("file")).error().message, fmt::format("'{}' is there, and is no socket", path("file")));
  EXPECT_EQ(std::filesystem::file_size(path("file")), 15u);
  EXPECT_EQ(LineServer::open(path("nowhere/socket")).error().code, Code::io);
}

TEST_F(LinesTest, ServesAtPathsLongerThanTheSystemTakes) {
  std::filesystem::path deep = folder_;
  for (int i = 0; i < 5; ++i) deep /= std::string(50, 'd');
  std::filesystem::create_directories(deep);
  const std::string path = (deep / "socket").string();
  ASSERT_GT(path.size(), 250u);
  const Echo echo(path);
  LineClient client(path);
  EXPECT_EQ(said(client.ask("hello", long_enough)), "<hello>");
}

TEST_F(LinesTest, SocketIsOfItsUserAlone) {
  const Echo echo(path());
  struct stat status {};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(LinesTest, TurnsAwayAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can try as somebody else";
  const Echo echo(path());
  std::filesystem::permissions(folder_, std::filesystem::perms::all);
  std::filesystem::permissions(path(), std::filesystem::perms::all);  // as if the mode had been lost
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  const pid_t child = ::fork();
  if (child == 0) {  // nothing here but what is safe beside threads
    const auto address = unix_socket::address_of(path());
    const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM, 0));
    if (::setuid(65534) != 0 || ::connect(socket.number(), address->get(), sizeof(sockaddr_un)) != 0) ::_exit(2);
    (void)!::send(socket.number(), "hello\n", 6, MSG_NOSIGNAL);
    char bytes[500];
    for (ssize_t got; (got = ::recv(socket.number(), bytes, sizeof bytes, 0)) > 0;)
      (void)!::write(told[1], bytes, std::size_t(got));
    ::_exit(0);
  }
  ::close(told[1]);
  std::string heard;
  char bytes[500];
  for (ssize_t got; (got = ::read(told[0], bytes, sizeof bytes)) > 0;) heard.append(bytes, std::size_t(got));
  ::close(told[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(heard, "{\"error\":\"refused\",\"message\":\"this service answers only the user of the system whose it is\"}\n");
}

TEST_F(LinesTest, WaitsWhenAllConnectionsAreTaken) {
  const Echo echo(path(), {.most_connections = 2});
  auto first = std::make_unique<LineClient>(path());
  LineClient second(path()), third(path());
  EXPECT_EQ(said(first->ask("1", long_enough)), "<1>");
  EXPECT_EQ(said(second.ask("2", long_enough)), "<2>");
  EXPECT_EQ(third.ask("3", milliseconds(100)).error().code, Code::unavailable);
  first.reset();
  EXPECT_EQ(said(third.ask("3", long_enough)), "<3>");
}

TEST(Lines, ErrorsTravel) {
  const Error error{Code::refused, "no \"arm\" is named\n", {}, "ask the pharmacist"};
  const std::string line = to_line(error);
  EXPECT_EQ(line, R"({"error":"refused","message":"no \"arm\" is named\u000a","hint":"ask the pharmacist"})");
  const auto back = error_in(line);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->code, error.code);
  EXPECT_EQ(back->message, error.message);
  EXPECT_EQ(back->hint, error.hint);
  EXPECT_FALSE(error_in(R"({"receipt":{}})"));
  EXPECT_EQ(error_in(R"({"error":"mystery","message":"?"})")->code, Code::syntax);
  EXPECT_EQ(error_in(R"({"error":3})")->code, Code::syntax);
  EXPECT_EQ(code_named("out_of_range"), Code::out_of_range);
  EXPECT_FALSE(code_named("nothing"));
}

}  // namespace
}  // namespace equipoise
