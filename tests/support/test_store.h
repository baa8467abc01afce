#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/store/store.h"

namespace nexus::test {

/// An empty store of some kind, and the place that its records are kept in.
class TestStore {
 public:
  virtual ~TestStore() = default;
  /// Closes it and opens it again, as a daemon's restart does.
  virtual void reopen() = 0;

  Store& operator*() const { return *store_; }
  Store* operator->() const { return store_.get(); }

 protected:
  std::unique_ptr<Store> store_;
};

struct StoreKind {
  std::string name;
  std::function<std::unique_ptr<TestStore>()> make;
};

/// Every Store there is: each has to pass the same tests.
const std::vector<StoreKind>& store_kinds();

}  // namespace nexus::test
