#pragma once

#include <curl/curl.h>

#include <string>

#include "common/error.h"
#include "daemon/net/address_policy.h"
#include "daemon/net/http_client.h"

namespace nexus {

/// How every request of ours is made, whoever sends it: https with certificates and host names
/// verified, TLS 1.2 and later, HTTP/1.1, no redirects, no netrc, no signals.
void set_common_options(CURL* curl, const std::string& url, const NetworkSettings& settings);

/// Which addresses a request may reach, as its connection is made.
struct AddressCheck {
  AddressPolicy allowed;
  bool refused = false;  ///< one was not allowed
};
/// For as long as the request lives.
void check_addresses(CURL* curl, AddressCheck& check);
/// The same for a connection that somebody else's request has made before.
bool may_use(AddressCheck& check, const char* address);

/// Sends it through the proxy that `url` is for, if any; what that may reach is its own policy, but
/// for an address that the URL itself names. Errors: upstream_error for what the proxy could read
/// in the clear, or for such an address.
Result<void> set_proxy(CURL* curl, const std::string& url, const NetworkSettings& settings,
                       AddressCheck& check);

/// What the failure of a request is for us; `told` of its URL.
Error curl_error(CURLcode code, const char* detail, const std::string& told,
                 const AddressCheck& check);
/// All that may be told of a URL whose path may hold credentials.
std::string server_of(const std::string& url);
/// Of the request that a caller was sending.
Error body_broke_off();

}  // namespace nexus
