#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "common/config.h"
#include "daemon/api/callback.h"
#include "daemon/api/routes.h"
#include "daemon/http/event_loop.h"
#include "daemon/http/host_policy.h"
#include "daemon/http/origin_policy.h"

namespace nexus::api {

/// The API over TCP. What comes in is let through in this order: Host (J5), route, origin (J6), API
/// key (J4, J8), media type; then it is served by the same routes as the control socket's, as far
/// as the key's access reaches.
class Gateway {
 public:
  /// Checks the settings and reads the certificate. Error: usage, naming the setting.
  static Result<std::unique_ptr<Gateway>> make(const Config& config, CallbackRoutes& callback);

  /// Error: callback_unavailable when the address is taken.
  Result<void> open(http::EventLoop& loop, Services& services);
  std::string url() const;

 private:
  Gateway(http::ListenAddress address, http::OriginPolicy origins, const GatewayConfig& config,
          CallbackRoutes& callback)
      : address_(std::move(address)),
        hosts_(address_, config.hosts),
        origins_(std::move(origins)),
        open_check_(config.open_check),
        callback_(callback) {}

  void handle(http::Request request, http::Respond respond);
  void answer_callback(http::Request request, http::Respond respond);
  /// Finds out who is calling. Errors: missing_api_key, invalid_api_key, access_denied,
  /// rate_limited.
  Result<void> authenticate(http::Request& request, const RouteMatch& match);
  /// What to answer to a wrong key, and what goes on record of it.
  Error refuse_key(Error refused, const http::Request& request, std::vector<std::string>& audit);

  http::ListenAddress address_;
  http::HostPolicy hosts_;
  http::OriginPolicy origins_;
  bool open_check_;
  CallbackRoutes& callback_;
  std::shared_ptr<http::TlsCertificate> tls_;
  Services* services_ = nullptr;
  /// Wrong keys for each peer; right ones are never counted (J10).
  http::RateLimiter wrong_keys_{60};
};

}  // namespace nexus::api
