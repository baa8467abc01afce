#pragma once

#include <sodium.h>

#include <string>

#include "common/bundle_key.h"

namespace nexus::test {

/// A key pair for bundles, as texts.
struct BundleKeyPair {
  std::string open;
  std::string secret;

  static BundleKeyPair make() {
    std::string open(kBundleKeyBytes, '\0');
    std::string secret(kBundleKeyBytes, '\0');
    crypto_box_keypair(reinterpret_cast<unsigned char*>(open.data()),
                       reinterpret_cast<unsigned char*>(secret.data()));
    return {std::string(bundle_key_text(BundleKey::public_key, open)),
            std::string(bundle_key_text(BundleKey::private_key, secret))};
  }
};

}  // namespace nexus::test
