#include "daemon/store/integrity.h"

#include <sys/stat.h>

#include "common/text.h"
#include "daemon/store/sqlite/database.h"

namespace nexus {
namespace {

using sqlite::Database;
using sqlite::Failure;

/// Comparing each row with the indexes takes a second for so much, and minutes for the largest.
constexpr off_t kSmall = 64 * 1024 * 1024;
constexpr int kStepsBetweenLooks = 10'000;

int stop_when_asked(void* stop) {
  return *static_cast<const std::atomic<bool>*>(stop) ? 1 : 0;
}

}  // namespace

std::vector<std::string> damage_of(const std::string& path, const std::atomic<bool>& stop) {
  std::vector<std::string> found;
  try {
    Database database(path, Database::Mode::read_only);
    sqlite3_progress_handler(database.handle(), kStepsBetweenLooks, stop_when_asked,
                             const_cast<std::atomic<bool>*>(&stop));
    struct stat about {};
    const bool small = stat(path.c_str(), &about) == 0 && about.st_size <= kSmall;
    auto query = database.query(small ? "PRAGMA integrity_check(5)" : "PRAGMA quick_check(5)");
    while (query.next())
      for (const auto& line : split(query.text(0), '\n'))
        if (line != "ok") found.push_back(printable(line, 200));
  } catch (const Failure& failure) {
    if ((failure.code() & 0xff) != SQLITE_INTERRUPT) found.emplace_back(failure.what());
  }
  return found;
}

}  // namespace nexus
