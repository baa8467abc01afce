#pragma once

#include <optional>
#include <string>

#include "common/error.h"
#include "common/secret.h"

namespace nexus::cli {

/// What a token payload holds under a name that `--field` takes, one of its credentials or of its
/// own members; for "" the access token, or the one secret of a static credential. Errors: usage,
/// where there is none, or more than one; failure, for an answer without a token.
Result<SecretText> credential_in(const SecretText& payload, const std::string& field);

struct Header {
  std::string name;
  SecretText value;
  /// `name: value`, without its end.
  SecretText line() const;
};

/// The header that a payload travels in: `Authorization: Bearer` for tokens and for a field that is
/// named. Errors: those of credential_in; usage, for strategies that are not one header, and for
/// secrets of several lines.
Result<Header> header_in(const SecretText& payload, const std::string& field);

/// Whom a token is said to be of, where a user name is wanted: GitLab asks for it, others do not
/// mind.
constexpr const char* kTokenUser = "oauth2";

struct Login {
  std::optional<std::string> username;  ///< nothing where any will do
  SecretText password;
};

/// The pair that a payload is (basic_auth), else what credential_in gives, of whomever. Errors:
/// those of credential_in.
Result<Login> login_in(const SecretText& payload, const std::string& field);

}  // namespace nexus::cli
