#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "common/error.h"
#include "common/secret.h"

namespace nexus {

/// What the provider answers to a device authorization request (RFC 8628 3.2), checked.
struct DeviceAuthorization {
  Secret device_code;
  std::string user_code;                  ///< cleaned for display
  std::string verification_uri;           ///< https, or http on loopback where that is allowed
  std::string verification_uri_complete;  ///< with the user code in it; "" where there is none
  std::int64_t expires_in = 0;            ///< seconds, half an hour at the most
  std::int64_t interval = 5;              ///< seconds between two polls
};

/// Error: provider_protocol for what RFC 8628 does not allow.
Result<DeviceAuthorization> read_device_authorization(const nlohmann::json& document,
                                                      bool allow_insecure_http);

}  // namespace nexus
