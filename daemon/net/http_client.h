#pragma once

#include <map>
#include <memory>
#include <string>

#include "common/error.h"
#include "common/secret.h"
#include "daemon/net/address_policy.h"
#include "daemon/net/request_head.h"

namespace nexus {

/// How long an exchange may take that somebody's token waits for, in milliseconds.
constexpr long kExchangeMs = 15'000;

struct OutgoingRequest {
  RequestHead head;
  SecretText body;  ///< sent with POST; application/x-www-form-urlencoded unless `content_type`
  std::string content_type = "application/x-www-form-urlencoded";
  AddressPolicy addresses;
  std::size_t max_body = 1024 * 1024;
  long total_ms = kExchangeMs;  ///< for the whole exchange
};

struct IncomingResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  SecretText body;

  std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

/// Talks to providers: https with certificates and host names verified (TLS 1.2 and later), no
/// redirects, no cookies, no netrc, no content encodings; connects within 5 s and ends within
/// `total_ms` in all; at most 64 KiB of headers and `max_body` of body. Nothing for loopback and
/// nothing in plain http goes through a proxy.
class HttpClient {
 public:
  virtual ~HttpClient() = default;
  /// Errors: upstream_timeout, upstream_error (network, TLS, refused address, plain http where a
  /// proxy is set, truncated answer),
  /// provider_protocol (an answer that is too large or encoded); each says whether the request may
  /// have arrived. Any status is an answer.
  virtual Result<IncomingResponse> send(const OutgoingRequest& request) = 0;
};

struct NetworkSettings {
  std::string proxy = "env";  ///< "env", "none" or a URL
  std::string ca_file;
};

/// Thread-safe; each request uses a connection of its own.
std::unique_ptr<HttpClient> make_http_client(const NetworkSettings& settings);

}  // namespace nexus
