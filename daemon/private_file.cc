#include "daemon/private_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/text.h"

namespace nexus {
namespace {

Error unusable(const std::string& what, const std::string& hint) {
  return {ErrorCode::vault_unusable, what, hint};
}

}  // namespace

Result<void> check_private(const std::string& what, const std::string& path, Owner owner) {
  // What is root's may be a link to it, as certificates are kept; what is ours is no link.
  const bool may_be_roots = owner == Owner::this_user_or_root;
  struct stat about {};
  if ((may_be_roots ? stat(path.c_str(), &about) : lstat(path.c_str(), &about)) != 0) {
    if (errno == ENOENT) return {};
    return unusable("cannot open " + what + " " + path + ": " + std::strerror(errno), "check it");
  }
  const bool own = about.st_uid == geteuid();
  const bool roots = may_be_roots && about.st_uid == 0;
  if (S_ISLNK(about.st_mode))
    return unusable(what + " " + path + " is a link, which is not followed",
                    "put the file itself there");
  if (!S_ISREG(about.st_mode))
    return unusable(what + " " + path + " is no regular file", "put its own file back");
  if (!(own || roots))
    return unusable(what + " " + path + " is not this user's" + (may_be_roots ? " or root's" : "") +
                        ": it belongs to uid " + std::to_string(about.st_uid),
                    "run nexusd as that user, or give it the file: chown " +
                        std::to_string(geteuid()) + " " + shell_quote(path));
  const mode_t too_open = roots ? 037 : 077;
  if ((about.st_mode & too_open) == 0) return {};
  return unusable(what + " " + path + " is open to other users",
                  "run: chmod " + std::string(roots ? "640 " : "600 ") + shell_quote(path));
}

Result<void> check_private_database(const std::string& what, const std::string& path) {
  for (const char* beside : {"", "-wal", "-shm"}) {
    const auto file = path + beside;
    NEXUS_CHECK(check_private(what, file));
    if (faccessat(AT_FDCWD, file.c_str(), W_OK, AT_EACCESS) == 0 || errno == ENOENT) continue;
    return unusable(what + " " + file + " cannot be written: " + std::strerror(errno),
                    errno == EROFS ? "mount its file system for writing, or choose another data "
                                     "directory with --data-dir or NEXUS_DATA_DIR"
                                   : "run: chmod 600 " + shell_quote(file));
  }
  return {};
}

}  // namespace nexus
