#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/secret.h"

struct evp_pkey_st;

namespace nexus {

/// A private key that a client signs assertions with, read from PEM: RSA of 2048 bits and more, EC
/// on P-256, P-384 or P-521, or Ed25519.
class SigningKey {
 public:
  /// PKCS #8, PKCS #1 or SEC 1, not encrypted. Error: invalid_field, which never quotes the key.
  static Result<SigningKey> from_pem(const Secret& pem);

  /// Its JWS algorithm (RFC 7518 3.1, RFC 8037 3.1). RSA keys sign with RS256 unless `pss`.
  std::string algorithm(bool pss) const;
  /// What is registered at a provider: the public key as a JWK (RFC 7517) for signatures, with this
  /// name ("" for the thumbprint).
  std::string public_jwk(const std::string& key_id, bool pss) const;
  /// RFC 7638: what the key is known by where nobody gave it another name.
  std::string thumbprint() const;
  /// The signature as JWS has it: r and s side by side for ECDSA, never DER. Error: failure.
  Result<std::string> sign(std::string_view text, bool pss) const;

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  using Key = std::unique_ptr<evp_pkey_st, Free>;
  explicit SigningKey(Key key) : key_(std::move(key)) {}

  bool is_rsa() const;
  /// The members of the public JWK that RFC 7638 3.2 wants, in its order, without the braces.
  std::string required_members() const;
  /// Of the curve; 0 for keys that have none.
  std::size_t coordinate_size() const;
  std::string number(const char* name, std::size_t size) const;

  Key key_;
};

}  // namespace nexus
