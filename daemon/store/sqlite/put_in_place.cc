// A vault that takes the place of another one.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/clock.h"
#include "common/descriptor.h"
#include "common/rfc3339.h"
#include "daemon/store/sqlite/database.h"
#include "daemon/store/store.h"

namespace nexus {
namespace {

Error not_moved(const std::string& path) {
  return {ErrorCode::vault_unusable, path + " cannot be moved: " + std::strerror(errno),
          "check the directory and its permissions, and restore again"};
}

bool is_there(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

/// What a nexusd that was killed has left in the write-ahead log goes into the file. Of one that
/// cannot be read the log stays beside it.
void settle_log(const std::string& path) {
  try {
    const sqlite::Database database(path, sqlite::Database::Mode::read_write);
  } catch (const sqlite::Failure&) {
  }
}

Result<void> move(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0 || errno == ENOENT) return {};
  return not_moved(from);
}

/// Beside its place, and in its place still, where it is the vault: there is one at any moment.
Result<void> put_aside(const std::string& path, const std::string& ending, bool stays) {
  if (!is_there(path)) return {};
  settle_log(path);
  for (const char* log : {"-wal", "-shm"}) NEXUS_CHECK(move(path + log, path + ending + log));
  if (!stays) return move(path, path + ending);
  if (link(path.c_str(), (path + ending).c_str()) == 0) return {};
  return not_moved(path);
}

}  // namespace

Result<std::string> put_sqlite_vault_in_place(const std::string& from, const std::string& data_dir,
                                              bool keeps_audit_log) {
  auto at = rfc3339(system_now());
  std::erase(at, ':');
  const auto ending = ".before-restore-" + at;
  const auto vault = data_dir + "/nexus.db";
  const bool had_one = is_there(vault);
  NEXUS_CHECK(put_aside(vault, ending, true));
  if (!keeps_audit_log) {
    NEXUS_CHECK(put_aside(data_dir + "/audit.db", ending, false));
    NEXUS_CHECK(move(data_dir + "/audit.head", data_dir + "/audit.head" + ending));
    NEXUS_CHECK(move(from + "/audit.head", data_dir + "/audit.head"));
    NEXUS_CHECK(move(from + "/audit.db", data_dir + "/audit.db"));
  }
  NEXUS_CHECK(move(from + "/nexus.db", vault));
  const Descriptor directory(open(data_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fsync(directory.get()) != 0) return not_moved(vault);
  return had_one ? vault + ending : std::string();
}

}  // namespace nexus
