#pragma once

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

/// The real binary, run as a person runs it: arguments, a folder to stand in, an environment; standard output, standard error and
/// the exit status come back.
namespace equipoise::e2e {

using nlohmann::json;
namespace fs = std::filesystem;

inline const fs::path source_dir = EQUIPOISE_SOURCE_DIR;
inline const std::string cgd = (source_dir / "examples/cgd/protocol.toml").string();
inline const std::string remission = (source_dir / "examples/remission/protocol.toml").string();

/// Data that may be used and not shipped: the folder that EQUIPOISE_SHARED names, else one beside the repository.
inline fs::path shared_dir() {
  const char* named = std::getenv("EQUIPOISE_SHARED");
  return named ? fs::path(named) : source_dir / "../shared";
}

inline std::string contents(fs::path const& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

inline void write(fs::path const& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file << bytes;
  ASSERT_TRUE(file.flush()) << path;
}

/// A text with its first `from` replaced; the test fails if there is none.
inline std::string with(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "no '" << from << "'";
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// An empty folder that goes when the test does.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "equipoise-e2e-XXXXXX").string();
    const char* made = ::mkdtemp(name.data());
    if (!made) throw std::runtime_error("no temporary folder");
    path = fs::canonical(made);
  }
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  /// Everything below it, sorted, relative to it.
  std::vector<std::string> all() const {
    std::vector<std::string> names;
    for (auto const& entry : fs::recursive_directory_iterator(path))
      names.push_back(entry.path().lexically_relative(path).string());
    std::sort(names.begin(), names.end());
    return names;
  }
  fs::path path;
};

struct Surroundings {
  fs::path folder = "/";                           ///< where it stands
  std::map<std::string, std::string> environment;  ///< added to ours
  std::optional<rlim_t> largest_file;              ///< no file may grow larger
  bool killed_there = false;                       ///< a write beyond that kills it (SIGXFSZ); else the write fails
  int interrupted_after_ms = -1;                   ///< then it gets what Ctrl-C sends
  std::string standard_output;                     ///< a file to take it, such as /dev/full; empty = captured
};

struct Ran {
  int status = -1;  ///< exit status; -1: it did not end by itself
  int signal = 0;   ///< what killed it
  std::string out, err;

  json answer() const {
    json parsed = json::parse(out, nullptr, false);
    EXPECT_FALSE(parsed.is_discarded()) << "not JSON: " << out.substr(0, 300);
    return parsed;
  }
};

inline Ran equipoise(std::vector<std::string> arguments, Surroundings const& at = {}) {
  int out[2], err[2];
  if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  arguments.insert(arguments.begin(), EQUIPOISE_BINARY);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("no process");
  if (child == 0) {
    const int taken = at.standard_output.empty() ? out[1] : ::open(at.standard_output.c_str(), O_WRONLY);
    const int nothing = ::open("/dev/null", O_RDONLY);
    bool fine = ::dup2(nothing, 0) == 0 && ::dup2(taken, 1) == 1 && ::dup2(err[1], 2) == 2 && ::chdir(at.folder.c_str()) == 0;
    for (auto const& [name, value] : at.environment) fine = fine && ::setenv(name.c_str(), value.c_str(), 1) == 0;
    const rlimit no_core{0, 0};
    fine = fine && ::setrlimit(RLIMIT_CORE, &no_core) == 0;
    std::signal(SIGXFSZ, at.killed_there ? SIG_DFL : SIG_IGN);
    if (at.largest_file) {
      const rlimit limit{*at.largest_file, *at.largest_file};
      fine = fine && ::setrlimit(RLIMIT_FSIZE, &limit) == 0;
    }
    if (fine) ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(out[1]);
  ::close(err[1]);
  Ran ran;
  pollfd open[2] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
  std::string* into[2] = {&ran.out, &ran.err};
  int wait = at.interrupted_after_ms;
  for (int left = 2; left > 0;) {
    const int ready = ::poll(open, 2, wait);
    if (ready < 0) break;
    if (ready == 0) ::kill(child, SIGINT), wait = -1;
    for (int i = 0; i < 2 && ready > 0; ++i) {
      if (open[i].fd < 0 || open[i].revents == 0) continue;
      char block[1 << 16];
      const ssize_t got = ::read(open[i].fd, block, sizeof block);
      if (got > 0) into[i]->append(block, std::size_t(got));
      else open[i].fd = -1, --left;
    }
  }
  ::close(out[0]);
  ::close(err[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) ran.status = WEXITSTATUS(status);
  else ran.signal = WTERMSIG(status);
  return ran;
}

/// The record of results.json with this quantity: of this arm (a group, a term of a model), or of its comparison with the
/// control; the test fails unless there is exactly one.
inline json record(json const& results, std::string const& analysis, std::string const& quantity, std::string const& arm = {}) {
  json found;
  int count = 0;
  for (json const& one : results.at("records")) {
    if (one.at("analysis") != analysis || one.at("quantity") != quantity) continue;
    json const& place = one.at("at");
    if (!arm.empty()) {
      const bool group = place.size() == 1 && place.value("group", "") == arm;
      const bool comparison = !quantity.starts_with("n_") && (place.empty() || place.value("level", "") == arm);
      const bool term =
          place.contains("term") && place.at("term").size() == 1 && place.at("term").at(0).value("level", "") == arm;
      if (!group && !comparison && !term) continue;
    } else if (!place.empty()) {
      continue;
    }
    found = one;
    ++count;
  }
  EXPECT_EQ(count, 1) << analysis << " " << quantity << " " << arm;
  return found;
}

inline json analysis(json const& results, std::string const& id) {
  for (json const& one : results.at("analyses"))
    if (one.at("id") == id) return one;
  ADD_FAILURE() << "no analysis '" << id << "'";
  return {};
}

inline std::vector<std::string> notes(json const& results, std::string const& id) {
  return analysis(results, id).at("notes").get<std::vector<std::string>>();
}

}  // namespace equipoise::e2e
