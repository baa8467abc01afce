#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/clock.h"
#include "common/secret.h"

namespace nexus::api {

/// What /v1/token answers, read by its members; the texts of its credentials are wiped when it
/// goes.
class TokenPayload {
 public:
  explicit TokenPayload(std::string_view json);
  ~TokenPayload();
  TokenPayload(const TokenPayload&) = delete;
  TokenPayload& operator=(const TokenPayload&) = delete;

  /// The strategy's type, and what its `config` says; "" where it says nothing.
  std::string strategy() const;
  std::string config(const char* name) const;
  /// The names of the credentials, and one of them; nothing where there is no such text or number.
  std::vector<std::string> fields() const;
  std::optional<SecretText> credential(const std::string& name) const;
  /// The same of the payload itself: expires_at, provider…
  std::optional<SecretText> member(const std::string& name) const;
  /// What else the token's answer told: `token_fields`.
  std::optional<SecretText> token_field(const std::string& name) const;

 private:
  std::unique_ptr<nlohmann::json> json_;
};

/// Whether a payload is that of an API key, a password or the like, not an access token.
bool is_static_payload(std::string_view payload);

// Of an access token's payload, found without parsing it.

/// Nothing where it has none.
std::optional<SecretText> access_token_in(std::string_view payload);
/// The connection's id.
std::string connection_in(std::string_view payload);
/// Nothing where the token does not end, or nobody knows.
std::optional<UnixTime> expiry_in(std::string_view payload);

}  // namespace nexus::api
