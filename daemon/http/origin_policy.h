#pragma once

#include <string>
#include <vector>

#include "common/error.h"
#include "daemon/http/message.h"

namespace nexus::http {

/// Which pages in a browser may call the gateway (J6, Fetch Standard's CORS): those of
/// the listed origins, and nobody else's.
class OriginPolicy {
 public:
  /// Error: usage for what is not an origin. "*" is none: with keys in play it would be anybody.
  static Result<OriginPolicy> make(const std::vector<std::string>& origins);

  /// Error: access_denied for a page of any other origin.
  Result<void> check(const Request& request) const;
  /// The permission that goes with every answer to a page of a listed origin.
  void permit(const Request& request, Response& response) const;
  static bool is_preflight(const Request& request);
  Response preflight(const Request& request) const;

 private:
  std::vector<std::string> origins_;
};

}  // namespace nexus::http
