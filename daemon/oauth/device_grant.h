#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/secret.h"
#include "daemon/net/http_client.h"
#include "daemon/oauth/endpoints.h"
#include "daemon/oauth/token_response.h"

namespace nexus {

/// The device authorization grant (RFC 8628): the person consents on another device, with a short
/// code, and the client asks now and then whether they have.

/// What the provider answers to a device authorization request (RFC 8628 3.2), checked.
struct DeviceAuthorization {
  Secret device_code;
  std::string user_code;                  ///< cleaned for display
  std::string verification_uri;           ///< https, or http on loopback where that is allowed
  std::string verification_uri_complete;  ///< with the user code in it; "" where there is none
  std::int64_t expires_in = 0;            ///< seconds, half an hour at the most
  std::int64_t interval = 5;              ///< seconds between two polls
};

/// Errors: provider_misconfigured (the client is refused, or may not use this grant),
/// provider_rejected, upstream_error, upstream_timeout, provider_protocol (what RFC 8628 does not
/// allow).
Result<DeviceAuthorization> request_device_authorization(
    const ProviderEndpoints& provider, const Secret& client_secret, const std::string& scopes,
    const std::vector<std::pair<std::string, std::string>>& extra, HttpClient& http);

Result<DeviceAuthorization> read_device_authorization(const nlohmann::json& document,
                                                      bool allow_insecure_http);

/// What one poll brought (RFC 8628 3.5).
struct DevicePoll {
  std::optional<TokenResponse> tokens;  ///< nothing: the person has not answered yet
  bool slow_down = false;               ///< five seconds more between polls, from now on
  std::string refused;  ///< the OAuth error that ends it (access_denied, expired_token, …)
  std::string message;  ///< the same for people
};

/// Asks once. Errors are those after which asking goes on: upstream_error (with the time to wait),
/// upstream_timeout, provider_protocol.
Result<DevicePoll> poll_device_grant(const ProviderEndpoints& provider, const Secret& client_secret,
                                     const Secret& device_code, HttpClient& http);

}  // namespace nexus
