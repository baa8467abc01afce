#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/config.h"
#include "daemon/api/callback_pages.h"
#include "daemon/api/routes.h"
#include "daemon/api/wrong_keys.h"
#include "daemon/http/host_policy.h"
#include "daemon/http/origin_policy.h"
#include "daemon/http/server.h"

namespace nexus::api {

/// The API over TCP. What comes in is let through in this order: Host (J5), route, origin (J6), API
/// key (J4, J8), media type; then it is served by the same routes as the control socket's, as far
/// as the key's access reaches.
class Gateway {
 public:
  /// What nexus.toml says of it, checked, with the certificate read.
  struct Settings {
    http::ListenAddress address;
    http::HostPolicy hosts;
    http::OriginPolicy origins;
    std::shared_ptr<http::TlsCertificate> tls;
    bool open_check = true;
    bool callback_is_https = false;
    bool has_callback = false;  ///< providers' answers come to it, not to a port of their own

    std::string url() const;
  };
  /// Nothing where the gateway is off. Error: usage, naming the setting.
  static Result<std::optional<Settings>> read(const Config& config);

  Gateway(Settings settings, CallbackPages& callback, Services& services)
      : settings_(std::move(settings)),
        callback_(callback),
        services_(services),
        wrong_keys_(services.refusals) {}

  /// Error: callback_unavailable when the address is taken.
  Result<void> open(http::Server& server);

 private:
  void handle(http::Request request, http::Respond respond);
  /// Finds out who is calling. Errors: missing_api_key, invalid_api_key, access_denied,
  /// rate_limited.
  Result<void> authenticate(http::Request& request, Needs needs, const Arguments& arguments);
  Settings settings_;
  CallbackPages& callback_;
  Services& services_;
  WrongKeys wrong_keys_;
};

}  // namespace nexus::api
