#pragma once

#include <string>
#include <string_view>

#include "common/config.h"
#include "common/descriptor.h"
#include "common/error.h"
#include "common/local_http.h"
#include "common/secret.h"

namespace nexus::cli {

/// One request to the nexusd that NEXUS_URL names, with the key of NEXUS_API_KEY. It is made by the
/// program nexus-remote (libcurl and TLS are worth more start-up time than all of `nexus token`);
/// key and body reach it on its standard input. A nexusd on loopback is asked without a proxy.
/// Errors: usage for a URL that is neither https nor on loopback; daemon_unreachable;
/// upstream_timeout.
Result<LocalResponse> remote_request(const Config& config, std::string_view method,
                                     std::string_view target, std::string_view body);

/// A connection to that nexusd for whoever speaks HTTP/1.1 on it by itself, made by nexus-remote.
struct RemoteStream {
  Descriptor to;
  Descriptor from;
  std::string base;  ///< what the path of every target begins with
  std::string host;
  Secret key;
};
Result<RemoteStream> open_remote_stream(const Config& config);

/// What that nexusd said, as who has set the variables understands it.
Error of_remote(Error error);

/// Takes NEXUS_API_KEY out of the environment, so that no child inherits it.
void take_api_key_from_environment();

}  // namespace nexus::cli
