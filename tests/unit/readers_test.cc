#include <filesystem>
#include <latch>
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
  constexpr int kThreads = 60;
  std::latch all_ask(kThreads);
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&] {
      all_ask.count_down();
      auto reader = readers.borrow();
      auto query = reader->query("SELECT n FROM t");
      if (!query.next()) std::terminate();
      all_ask.wait();  // with what it has borrowed
    });
  for (auto& thread : threads) thread.join();
  CHECK(descriptors_of(path) <= 13);
}
