#pragma once

#include "daemon/vault/vault.h"

namespace nexus::test {

/// One for all stores of a test, so that one that is opened again finds its codes right.
const Vault& test_vault();

}  // namespace nexus::test
