// A vault that takes the place of another one.
#include <dirent.h>
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

constexpr std::string_view kReady = "restored-";
constexpr std::string_view kAside = ".before-restore-";
/// The vault comes last: what belongs to it is there when it is.
constexpr const char* kFiles[] = {"audit.head", "audit.db", "nexus.db"};

Error not_moved(const std::string& path) {
  return {ErrorCode::vault_unusable, path + " cannot be moved: " + std::strerror(errno),
          "mend that, and start nexusd: it finishes what was begun"};
}

bool is_there(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

Result<void> move(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0 || errno == ENOENT) return {};
  return not_moved(from);
}

Result<void> sync(const std::string& directory) {
  const Descriptor open_one(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fsync(open_one.get()) == 0) return {};
  return not_moved(directory);
}

/// What a nexusd that was killed has left in the write-ahead log goes into the file. Of one that
/// cannot be read the log goes along.
void settle_log(const std::string& path) {
  try {
    sqlite::Database(path, sqlite::Database::Mode::read_write)
        .query("PRAGMA wal_checkpoint(TRUNCATE)")
        .run();
  } catch (const sqlite::Failure&) {
  }
}

Result<void> put_aside(const std::string& path, const std::string& ending) {
  if (!is_there(path)) return {};
  if (path.ends_with(".db")) settle_log(path);
  for (const char* log : {"-wal", "-shm"}) NEXUS_CHECK(move(path + log, path + ending + log));
  return move(path, path + ending);
}

/// The name of a directory in there that is ready to be put in place; "" for none.
std::string ready_in(const std::string& data_dir) {
  std::string found;
  if (DIR* directory = opendir(data_dir.c_str())) {
    while (const auto* entry = readdir(directory))
      if (const std::string_view name = entry->d_name; name.starts_with(kReady)) found = name;
    closedir(directory);
  }
  return found;
}

std::string free_time(const std::string& data_dir) {
  auto time = rfc3339(system_now());
  std::erase(time, ':');
  auto free = time;
  for (int i = 2; is_there(data_dir + "/nexus.db" + std::string(kAside) + free); ++i)
    free = time + "-" + std::to_string(i);
  return free;
}

}  // namespace

Result<std::string> finish_restored_sqlite_vault(const std::string& data_dir) {
  const auto name = ready_in(data_dir);
  if (name.empty()) return std::string();
  const auto ready = data_dir + "/" + name;
  const auto ending = std::string(kAside) + name.substr(kReady.size());
  for (const std::string file : kFiles) {
    if (!is_there(ready + "/" + file)) continue;
    NEXUS_CHECK(put_aside(data_dir + "/" + file, ending));
    NEXUS_CHECK(move(ready + "/" + file, data_dir + "/" + file));
  }
  NEXUS_CHECK(sync(data_dir));
  if (rmdir(ready.c_str()) != 0) return not_moved(ready);
  const auto aside = data_dir + "/nexus.db" + ending;
  return is_there(aside) ? aside : std::string();
}

Result<std::string> put_sqlite_vault_in_place(const std::string& from,
                                              const std::string& data_dir) {
  for (const std::string file : {"nexus.db", "audit.db"})
    if (is_there(from + "/" + file + "-wal"))
      return Error{ErrorCode::vault_unusable, from + "/" + file + " is not one whole file",
                   "free some disk space, and restore again; nothing was changed"};
  for (const std::string file : {"nexus.db-shm", "audit.db-shm"})
    unlink((from + "/" + file).c_str());
  NEXUS_CHECK(sync(from));
  const auto ready = data_dir + "/" + std::string(kReady) + free_time(data_dir);
  if (std::rename(from.c_str(), ready.c_str()) != 0)
    return Error{ErrorCode::vault_unusable, from + " cannot be moved: " + std::strerror(errno),
                 "check the directory and its permissions; nothing was changed"};
  NEXUS_CHECK(sync(data_dir));
  return finish_restored_sqlite_vault(data_dir);
}

}  // namespace nexus
