#pragma once

#include <memory>

#include "tests/support/catch.h"
#include "tests/support/test_store.h"

namespace nexus::test {

/// An empty store. A test case that begins with it is run once for each kind of store there is.
inline std::unique_ptr<TestStore> any_store() {
  return GENERATE(from_range(store_kinds())).make();
}

}  // namespace nexus::test
