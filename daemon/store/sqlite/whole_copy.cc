#include "daemon/store/sqlite/whole_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/descriptor.h"

namespace nexus::sqlite {

void copy_whole(Database& database, const std::string& path) {
  unlink(path.c_str());
  database.query("VACUUM INTO ?1").bind(path).run();
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0 || fchmod(file.get(), 0600) != 0 || fsync(file.get()) != 0)
    throw Failure(SQLITE_IOERR, "the copy " + path + " could not be kept");
}

}  // namespace nexus::sqlite
