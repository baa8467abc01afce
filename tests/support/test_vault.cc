#include "tests/support/test_vault.h"

namespace nexus::test {

const Vault& test_vault() {
  static const Vault vault = [] {
    VaultHeader header;
    return Vault::create(Secret(std::string(32, 'r')), header);
  }();
  return vault;
}

}  // namespace nexus::test
