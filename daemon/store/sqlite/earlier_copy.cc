#include "daemon/store/sqlite/earlier_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>

#include "common/clock.h"
#include "common/descriptor.h"
#include "daemon/store/sqlite/whole_copy.h"

namespace nexus::sqlite {
namespace {

constexpr UnixTime kKept = 7 * 86400;

std::string copy_of(Database& database, std::int64_t next_schema) {
  const std::string file = sqlite3_db_filename(database.handle(), "main");
  return file + ".before-" + std::to_string(next_schema);
}

bool is_synced(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return file.get() >= 0 && fsync(file.get()) == 0;
}

}  // namespace

void keep_earlier_copy(Database& database, std::int64_t next_schema) {
  const auto copy = copy_of(database, next_schema);
  const auto unfinished = copy + ".new";
  copy_whole(database, unfinished);
  const auto directory = copy.substr(0, copy.rfind('/'));
  if (std::rename(unfinished.c_str(), copy.c_str()) != 0 || !is_synced(directory))
    throw Failure(SQLITE_IOERR, "no copy of it could be kept before the update: " + copy);
}

void drop_earlier_copies(Database& database, std::int64_t newest_schema) {
  for (std::int64_t schema = 2; schema <= newest_schema; ++schema) {
    const auto copy = copy_of(database, schema);
    struct stat about {};
    if (lstat(copy.c_str(), &about) == 0 && about.st_mtime < system_now() - kKept)
      unlink(copy.c_str());
  }
}

}  // namespace nexus::sqlite
