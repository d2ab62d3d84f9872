#include "equipoise/core/unix_socket.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace equipoise::unix_socket {

tl::unexpected<Error> failure(std::string_view doing, std::string const& path, int error) {
  return fail(Code::io, "cannot {} '{}': {}", doing, path, std::strerror(error));
}

Expected<Address> address_of(std::string const& path) {
  Address made;
  made.address.sun_family = AF_UNIX;
  std::string name = path;
  if (name.size() >= sizeof made.address.sun_path) {
    const std::filesystem::path whole(path);
    made.folder = Descriptor(::open(whole.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!made.folder) return failure("use the folder of", path, errno);
    name = fmt::format("/proc/self/fd/{}/{}", made.folder.number(), whole.filename().string());
  }
  if (path.empty() || name.size() >= sizeof made.address.sun_path || name.find('\0') != std::string::npos)
    return fail(Code::io, "'{}' cannot be the name of a socket", path);
  std::memcpy(made.address.sun_path, name.c_str(), name.size() + 1);
  return made;
}

bool of_this_user(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

}  // namespace equipoise::unix_socket
