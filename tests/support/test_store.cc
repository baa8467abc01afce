#include "tests/support/test_store.h"

#include <stdexcept>

#include "tests/support/temporary_directory.h"
#include "tests/support/test_vault.h"

namespace nexus::test {
namespace {

/// An empty store's files, made once: migrating them takes longer than most tests.
struct EmptyFiles {
  TemporaryDirectory directory;
  EmptyFiles() {
    if (const auto made = open_sqlite_store(directory.path()); !made)
      throw std::runtime_error(made.error().message);
  }
};

class SqliteTestStore : public TestStore {
 public:
  SqliteTestStore() {
    static const EmptyFiles empty;
    directory_.copy_from(empty.directory);
    open();
  }
  ~SqliteTestStore() override { store_.reset(); }  // before its directory goes
  void reopen() override {
    store_.reset();
    open();
  }

 private:
  void open() {
    auto opened = open_sqlite_store(directory_.path());
    if (!opened) throw std::runtime_error(opened.error().message);
    store_ = *std::move(opened);
    const auto ready = store_->authenticate_rows(test_vault(), std::nullopt);
    if (!ready) throw std::runtime_error(ready.error().message);
  }

  TemporaryDirectory directory_;
};

}  // namespace

const std::vector<StoreKind>& store_kinds() {
  static const std::vector<StoreKind> kinds{
      {"SQLite", [] { return std::make_unique<SqliteTestStore>(); }}};
  return kinds;
}

}  // namespace nexus::test
