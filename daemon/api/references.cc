#include "daemon/api/references.h"

#include "common/id.h"

namespace nexus::api {

bool needs_no_look_up(const std::string& reference, const Caller& caller,
                      const http::RateLimiter& limiter) {
  const bool counted = limiter.limits() && caller.is_application();
  return is_connection_id(reference) && !counted;
}

Result<std::string> id_of(Services& services, const Caller& caller, const std::string& reference,
                          const std::string& workspace, Right right, http::RateLimiter& limiter) {
  if (needs_no_look_up(reference, caller, limiter)) return reference;
  NEXUS_TRY(const auto row, services.connections.find(reference, workspace, caller, right));
  NEXUS_CHECK(admit(limiter, caller, row.workspace));
  return row.id;
}

}  // namespace nexus::api
