#include <filesystem>
#include <thread>
#include <vector>

#include "daemon/store/sqlite/database.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace nexus::sqlite;
using nexus::test::TemporaryDirectory;
namespace fs = std::filesystem;

namespace {

int descriptors_of(const std::string& path) {
  int count = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd"))
    count += fs::read_symlink(entry.path(), ignored) == path;
  return count;
}

}  // namespace

TEST_CASE("after many reads at once few connections are left", "[readers]") {
  const TemporaryDirectory directory;
  const auto path = directory.path() + "/x.db";
  Database writer(path, Database::Mode::read_write);
  writer.execute("PRAGMA journal_mode=WAL; CREATE TABLE t (n); INSERT INTO t VALUES (1);");
  Readers readers(path);
  std::vector<std::thread> threads;
  for (int i = 0; i < 60; ++i)
    threads.emplace_back([&] {
      auto reader = readers.borrow();
      auto query = reader->query("SELECT n FROM t");
      if (!query.next()) std::terminate();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    });
  for (auto& thread : threads) thread.join();
  CHECK(descriptors_of(path) <= 13);
}
