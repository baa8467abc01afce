#pragma once

#include <string>
#include <string_view>

#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/net/request_head.h"
#include "daemon/strategy/payload.h"

namespace nexus::aws {

struct Keys {
  std::string_view access_key;
  std::string_view secret_key;
  std::string_view session_token;  ///< "" for long-lived keys
};

/// What a signature is good for.
struct Scope {
  std::string service;
  std::string region;
};

/// How the path stands in what is signed.
struct PathRules {
  bool normalised = true;     ///< "." and ".." resolved, empty segments taken out
  bool encoded_twice = true;  ///< as it is in the URL, encoded once more; else what it means, once
};

/// What is signed of a request.
struct Signable {
  std::string_view method;
  std::string_view host;  ///< with the port that is not the scheme's own
  std::string_view path;  ///< as it is in the URL
  std::string_view query;
  const Headers& headers;  ///< those that may change on the way are left out, and so is Host
  std::string_view payload_hash;
};

struct CanonicalRequest {
  SecretText text;
  std::string signed_headers;
};

CanonicalRequest canonical_request(const Signable& request, PathRules rules);

/// `timestamp` is like "20150830T123600Z".
std::string string_to_sign(const Scope& scope, const std::string& timestamp,
                           std::string_view canonical_request);

/// The value of the Authorization header.
std::string authorization(const Keys& keys, const Scope& scope, const std::string& timestamp,
                          const CanonicalRequest& canonical_request);

/// Signs a request with AWS Signature Version 4, in place of a signature that it has: adds
/// X-Amz-Date, Authorization, with a session token X-Amz-Security-Token, and for S3
/// X-Amz-Content-Sha256. Error: invalid_field for what would not arrive as it was signed.
Result<void> sign(RequestHead& request, const Keys& keys, const Scope& scope,
                  const Payload& payload, UnixTime now);

}  // namespace nexus::aws
