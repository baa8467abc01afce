#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/api/words.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/store/store.h"

namespace nexus {

struct BundledSecret {
  SecretField field = SecretField::access_token;
  std::int64_t generation = 1;  ///< tells whether a refresh token was ever replaced
  Secret value;
};

struct BundledProvider {
  std::string id;
  std::string name;
  std::string profile;  ///< JSON, as /v1/providers takes it
  Secret client_secret;
};

/// Its times are those of the wall clock: the machine that it is opened on has another.
struct BundledConnection {
  ConnectionRow row;   ///< active
  std::string pinned;  ///< where its tokens may be sent, "" for a static one
  std::vector<BundledSecret> secrets;
};

/// What is sealed in a bundle: everything that another nexusd needs to serve these connections, and
/// nothing else. nexus-bundle(5) describes its JSON.
struct BundleDocument {
  UnixTime made_at = 0;
  bool moved = false;  ///< it is to be their only holder
  std::vector<BundledProvider> providers;
  std::vector<BundledConnection> connections;
};

SecretText to_text(const BundleDocument& document);

/// Reads what came from outside, strictly: whoever has a public key can seal anything for it. A
/// member that is unknown, missing or of another form is an error; every provider and connection
/// stands there once, and with its provider. What their values mean is not looked at here. Error:
/// invalid_bundle.
Result<BundleDocument> bundle_from_text(std::string_view text);

}  // namespace nexus
