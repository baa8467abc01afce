#include "daemon/api/wrong_keys.h"

#include "common/own_keys.h"
#include "daemon/metrics.h"

namespace nexus::api {

Error WrongKeys::refuse(Error refused, const http::Request& request,
                        std::vector<std::string>& audit) {
  metrics::api_key_refused();
  const auto path = printable_without_keys(request.path, 200);
  if (auto record = refusals_.note(AuditEvent::api_key_refused, request.caller, path))
    audit.push_back(*std::move(record));
  const auto wait = of_peer_.wait_for(request.caller.peer);
  if (wait == 0) return refused;
  Error error{ErrorCode::rate_limited, "too many wrong API keys from this address",
              "send a right one, or try again in " + std::to_string(wait) + " s"};
  error.retry_after_s = wait;
  return error;
}

}  // namespace nexus::api
