#pragma once

#include <string>

#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/net/http_client.h"

namespace nexus {

struct AwsCredentials {
  std::string_view access_key;
  std::string_view secret_key;
  std::string_view session_token;  ///< "" for long-lived keys
};

/// Signs a request with AWS Signature Version 4: adds X-Amz-Date, Authorization and, with a session
/// token, X-Amz-Security-Token. Host, Content-Type and X-Amz-* headers are signed. The path is
/// normalised and encoded twice, except for service "s3" (whose X-Amz-Content-Sha256 is added).
/// Error: invalid_field for a URL that cannot be signed.
Result<void> sign_aws_sigv4(OutgoingRequest& request, const std::string& service,
                            const std::string& region, const AwsCredentials& credentials,
                            UnixTime now);

}  // namespace nexus
