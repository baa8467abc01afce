#include "daemon/http/origin_policy.h"

#include <algorithm>

#include "common/text.h"
#include "daemon/net/url.h"

namespace nexus::http {

Result<OriginPolicy> OriginPolicy::make(const std::vector<std::string>& origins) {
  OriginPolicy policy;
  for (const auto& origin : origins) {
    const auto url = parse_url(origin, "gateway.cors_origins");
    const auto authority = origin.find("://") + 3;
    if (!url || url->has_userinfo || origin.find_first_of("/?#", authority) != std::string::npos)
      return Error{ErrorCode::usage,
                   "gateway.cors_origins: '" + printable(origin, 80) + "' is not an origin",
                   "give scheme, host and port, for example \"https://app.example.com\""};
    policy.origins_.push_back(lower(origin));
  }
  return policy;
}

Result<void> OriginPolicy::check(const Request& request) const {
  const auto origin = request.header("origin");
  const auto site = request.header("sec-fetch-site");
  const bool foreign = site == "cross-site" || site == "same-site";
  const bool listed = std::find(origins_.begin(), origins_.end(), origin) != origins_.end();
  if (listed || (origin.empty() && !foreign)) return {};
  return Error{ErrorCode::access_denied, "pages of this origin may not call nexusd",
               "list the origin in gateway.cors_origins"};
}

void OriginPolicy::permit(const Request& request, Response& response) const {
  if (origins_.empty()) return;
  response.headers.emplace_back("Vary", "Origin");
  const auto origin = request.header("origin");
  if (origin.empty()) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", origin);
  response.headers.emplace_back("Access-Control-Expose-Headers", "X-Request-Id, Retry-After");
}

bool OriginPolicy::is_preflight(const Request& request) {
  return request.method == "OPTIONS" && !request.header("origin").empty() &&
         !request.header("access-control-request-method").empty();
}

Response OriginPolicy::preflight(const Request& request) const {
  Response response;
  response.status = 204;
  response.headers = {
      {"Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE"},
      {"Access-Control-Allow-Headers", "Content-Type, X-API-Key, Authorization, X-Workspace-Id"},
      {"Access-Control-Max-Age", "600"}};
  if (request.header("access-control-request-private-network") == "true")
    response.headers.emplace_back("Access-Control-Allow-Private-Network", "true");
  return response;
}

}  // namespace nexus::http
