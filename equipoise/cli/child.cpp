#include "equipoise/cli/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <utility>

namespace equipoise::cli {

Expected<Child> Child::start(std::vector<std::string> words, std::string const& what) {
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) return fail(Code::io, "no pipe can be made: {}", std::strerror(errno));
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return fail(Code::failure, "no process can be started: {}", std::strerror(errno));
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    words.insert(words.begin(), "equipoise");
    words.insert(words.end(), {"--ready", std::to_string(dup(ready[1]))});  // the copy survives exec
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    execv("/proc/self/exe", pointers.data());
    _exit(127);
  }
  close(ready[1]);
  char byte = 0;
  ssize_t got = 0;
  do got = read(ready[0], &byte, 1);
  while (got < 0 && errno == EINTR);
  close(ready[0]);
  if (got == 1) return Child(child);
  int status = 0;
  waitpid(child, &status, 0);
  return fail(Code::unavailable, "{} does not start", what);
}

Child::Child(Child&& other) noexcept : process_(std::exchange(other.process_, 0)) {}

Child::~Child() {
  if (process_ == 0) return;
  kill(process_, SIGTERM);
  int status = 0;
  while (waitpid(process_, &status, 0) < 0 && errno == EINTR) {
  }
}

void say_ready(int descriptor) {
  if (descriptor < 0) return;
  const char byte = 1;
  (void)!write(descriptor, &byte, 1);
  close(descriptor);
}

}  // namespace equipoise::cli
