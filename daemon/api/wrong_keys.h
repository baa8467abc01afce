#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "daemon/http/message.h"
#include "daemon/http/rate_limiter.h"
#include "daemon/refusals.h"

namespace nexus::api {

/// Those who show a key that is none: guessing is slowed down and does not fill the audit log; who
/// knows a key is not held up. Thread-safe.
class WrongKeys {
 public:
  explicit WrongKeys(Refusals& refusals) : refusals_(refusals) {}

  /// What to answer, and what goes on record of it.
  Error refuse(Error refused, const http::Request& request, std::vector<std::string>& audit);

 private:
  Refusals& refusals_;
  http::RateLimiter of_peer_{60};  ///< right ones are never counted (J10)
};

}  // namespace nexus::api
