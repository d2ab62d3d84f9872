#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "equipoise/core/descriptor.h"
#include "equipoise/core/expected.h"

/// What the two ends of a Unix socket share.
namespace equipoise::unix_socket {

/// The address of a path of any length: the system's holds 107 bytes, so a longer one goes through the open folder.
struct Address {
  sockaddr_un address{};
  Descriptor folder;
  sockaddr const* get() const { return reinterpret_cast<sockaddr const*>(&address); }
};
Expected<Address> address_of(std::string const& path);

/// Whether the process at the other end is of this process's user.
bool of_this_user(int socket);

tl::unexpected<Error> failure(std::string_view doing, std::string const& path, int error);

}  // namespace equipoise::unix_socket
