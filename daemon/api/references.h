#pragma once

#include <string>

#include "common/error.h"
#include "daemon/api/routes.h"

namespace nexus::api {

/// Whether a reference is an id that needs no look-up of its own: what is fetched by it tells
/// whether it exists. Not where requests are counted by workspace, which needs the row before.
bool needs_no_look_up(const std::string& reference, const Caller& caller,
                      const http::RateLimiter& limiter);

/// The id that a reference stands for, in that workspace, for who has that right over it; counted
/// by the limiter. Errors: those of Connections::find, rate_limited.
Result<std::string> id_of(Services& services, const Caller& caller, const std::string& reference,
                          const std::string& workspace, Right right, http::RateLimiter& limiter);

}  // namespace nexus::api
