#pragma once

#include <string>

#include "common/config.h"
#include "common/error.h"
#include "daemon/caller.h"
#include "daemon/http/rate_limiter.h"

namespace nexus::api {

/// How often the gateway's callers may do what (`[limits]` of nexus.toml).
struct Limits {
  explicit Limits(const LimitsConfig& config)
      : request_connection(config.request_connection),
        token(config.token),
        refresh(config.refresh),
        resolve(config.resolve),
        callback(config.callback) {}

  /// Whether fetching or refreshing a token is counted.
  bool by_workspace() const { return token.limits() || refresh.limits(); }

  http::RateLimiter request_connection;
  http::RateLimiter token;
  http::RateLimiter refresh;
  http::RateLimiter resolve;
  http::RateLimiter callback;
};

/// Counts one request of the caller's key in the workspace. Error: rate_limited, with the time to
/// wait. The control socket's own user is never limited.
inline Result<void> admit(http::RateLimiter& limiter, const Caller& caller,
                          const std::string& workspace) {
  if (caller.via != Caller::Via::gateway) return {};
  const auto wait = limiter.wait_for(caller.key + "\n" + workspace);
  if (wait == 0) return {};
  Error error{ErrorCode::rate_limited, "too many requests for this key and workspace",
              "try again in " + std::to_string(wait) + " s, or raise it under [limits]"};
  error.retry_after_s = wait;
  return error;
}

/// Counts what came from the caller's address and belongs to nothing that waits. Error:
/// rate_limited, with the time to wait.
inline Result<void> admit_stranger(http::RateLimiter& limiter, const Caller& caller) {
  const auto wait = limiter.wait_for(caller.peer);
  if (wait == 0) return {};
  Error error{ErrorCode::rate_limited,
              "too many answers that nobody waits for came from this address",
              "load this page again in " + std::to_string(wait) + " seconds"};
  error.retry_after_s = wait;
  return error;
}

}  // namespace nexus::api
