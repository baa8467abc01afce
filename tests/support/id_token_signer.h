#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace nexus::test {

/// The key that a provider signs its id_tokens with (EdDSA).
class IdTokenSigner {
 public:
  IdTokenSigner();
  std::string sign(const nlohmann::json& claims) const;
  /// Its public half, as a JWK Set.
  std::string key_set() const;

 private:
  std::string public_key_;
  std::string secret_key_;
};

}  // namespace nexus::test
