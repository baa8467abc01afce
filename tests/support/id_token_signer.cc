#include "tests/support/id_token_signer.h"

#include <sodium.h>

#include <nlohmann/json.hpp>

#include "daemon/crypto/encoding.h"

namespace nexus::test {
namespace {

unsigned char* bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
const unsigned char* bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

IdTokenSigner::IdTokenSigner()
    : public_key_(crypto_sign_PUBLICKEYBYTES, '\0'), secret_key_(crypto_sign_SECRETKEYBYTES, '\0') {
  crypto_sign_keypair(bytes(public_key_), bytes(secret_key_));
}

std::string IdTokenSigner::sign(const nlohmann::json& claims) const {
  const nlohmann::json header{{"alg", "EdDSA"}, {"kid", "k1"}};
  const auto text = base64url(header.dump()) + "." + base64url(claims.dump());
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(bytes(signature), nullptr, bytes(text), text.size(), bytes(secret_key_));
  return text + "." + base64url(signature);
}

std::string IdTokenSigner::key_set() const {
  const nlohmann::json key{{"kty", "OKP"},
                           {"crv", "Ed25519"},
                           {"use", "sig"},
                           {"kid", "k1"},
                           {"x", base64url(public_key_)}};
  return nlohmann::json{{"keys", {key}}}.dump();
}

}  // namespace nexus::test
