#include "daemon/http/socket_group.h"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "daemon/groups.h"

namespace nexus::http {
namespace {

constexpr const char* kPlace =
    "put the socket where they may go: nexusd(8), A GROUP, has the commands";

/// Not for certain where there is a list of more: then it is not for us to say no.
bool is_open_to(const struct stat& about, const std::string& path, gid_t group, mode_t others,
                mode_t members) {
  if ((about.st_mode & others) == others) return true;
  if ((about.st_mode & members) != members) return false;
  return about.st_gid == group || getxattr(path.c_str(), "system.posix_acl_access", nullptr, 0) > 0;
}

/// That members come as far as the socket: they need to enter each directory above it.
Result<void> check_way(const std::string& path, gid_t group) {
  for (auto end = path.rfind('/'); end != 0 && end != std::string::npos;
       end = path.rfind('/', end - 1)) {
    const auto directory = path.substr(0, end);
    struct stat about {};
    if (stat(directory.c_str(), &about) == 0 &&
        is_open_to(about, directory, group, S_IXOTH, S_IXGRP))
      continue;
    return Error{ErrorCode::failure,
                 "members of the group " + name_of_group(group) + " cannot enter " + directory +
                     ", where the socket is, and [access] group lets them in",
                 kPlace};
  }
  return {};
}

}  // namespace

Result<void> give_socket(const std::string& path, const std::optional<gid_t>& group) {
  if (group) {
    NEXUS_CHECK(check_way(path, *group));
    if (lchown(path.c_str(), static_cast<uid_t>(-1), *group) != 0)
      return Error{ErrorCode::failure,
                   path + " cannot be given to the group " + name_of_group(*group) + ": " +
                       std::strerror(errno),
                   "nexusd's user has to be a member of it, since it last logged in"};
  }
  if (chmod(path.c_str(), group ? 0660 : 0600) == 0) return {};
  return Error{ErrorCode::failure, path + ": " + std::strerror(errno),
               "choose another place with --socket"};
}

Result<void> check_passed_socket(const std::string& path, gid_t group) {
  struct stat about {};
  if (stat(path.c_str(), &about) == 0 && is_open_to(about, path, group, S_IWOTH, S_IWGRP))
    return check_way(path, group);
  return Error{ErrorCode::failure,
               "members of the group " + name_of_group(group) + " may not write to " + path +
                   ", and [access] group lets them in",
               "say SocketGroup= and SocketMode=0660 in the socket's unit"};
}

}  // namespace nexus::http
