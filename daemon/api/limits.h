#pragma once

#include <string>

#include "common/config.h"
#include "common/error.h"
#include "daemon/caller.h"
#include "daemon/http/rate_limiter.h"

namespace nexus::api {

/// What callers name the workspace for themselves: counted for each of it and, as its names are
/// endless, for each key.
struct KeyLimit {
  http::RateLimiter by_key;
  http::RateLimiter by_workspace;
};

/// How often the gateway's callers may do what (`[limits]` of nexus.toml).
struct Limits {
  explicit Limits(const LimitsConfig& config)
      : request_connection{http::RateLimiter(config.request_connection_per_key),
                           http::RateLimiter(config.request_connection)},
        token(config.token),
        refresh(config.refresh),
        resolve{http::RateLimiter(config.resolve_per_key), http::RateLimiter(config.resolve)},
        callback(config.callback) {}

  /// Whether fetching or refreshing a token is counted.
  bool by_workspace() const { return token.limits() || refresh.limits(); }

  KeyLimit request_connection;
  http::RateLimiter token;
  http::RateLimiter refresh;
  KeyLimit resolve;
  http::RateLimiter callback;
};

/// Nothing to wait for, or the error that says how long.
inline Result<void> admitted(int wait, const std::string& whose) {
  if (wait == 0) return {};
  Error error{ErrorCode::rate_limited, "too many requests for " + whose,
              "try again in " + std::to_string(wait) + " s, or raise it under [limits]"};
  error.retry_after_s = wait;
  return error;
}

/// Counts one request of the caller's key in the workspace. Error: rate_limited, with the time to
/// wait. The control socket's own user is never limited.
inline Result<void> admit(http::RateLimiter& limiter, const Caller& caller,
                          const std::string& workspace) {
  if (!caller.is_application()) return {};
  return admitted(limiter.wait_for(caller.key + "\n" + workspace), "this key and workspace");
}

/// The key first: of names that it may ask for no more nothing is kept.
inline Result<void> admit(KeyLimit& limit, const Caller& caller, const std::string& workspace) {
  if (!caller.is_application()) return {};
  NEXUS_CHECK(admitted(limit.by_key.wait_for(caller.key), "this key"));
  return admit(limit.by_workspace, caller, workspace);
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
