#pragma once

#include <string>
#include <string_view>

#include "daemon/net/url.h"

namespace nexus {

/// The proxy that a request to `url` goes through, "" for none. `setting` is network.proxy: "none",
/// a proxy, or "env" for the variables that curl(1) reads (https_proxy, HTTPS_PROXY, http_proxy,
/// all_proxy, ALL_PROXY). Hosts in no_proxy or NO_PROXY are asked directly, and so is this machine,
/// whoever says otherwise: "127.0.0.1" would be the proxy's own host, and it would read the secret
/// on the way (E12).
std::string proxy_for(const Url& url, const std::string& setting);

/// Whether a list such as "localhost,.example.com 10.0.0.0/8" exempts a URL's host: "*", a domain
/// with all that is below it, an address, or a network of addresses.
bool is_exempt(std::string_view no_proxy, const std::string& host);

}  // namespace nexus
