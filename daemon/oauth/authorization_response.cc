#include "daemon/oauth/authorization_response.h"

#include <set>

#include "common/text.h"

namespace nexus {
namespace {

constexpr std::size_t kMaxCode = 4096;

Error refused(const std::string& what) {
  return {ErrorCode::invalid_state, what, "start again: nexus connect PROVIDER"};
}

}  // namespace

std::string state_in(const std::vector<std::pair<std::string, std::string>>& query) {
  std::string state;
  for (const auto& [name, value] : query) {
    if (name != "state") continue;
    if (!state.empty()) return {};
    state = value;
  }
  return state;
}

Result<AuthorizationResponse> parse_authorization_response(
    const std::vector<std::pair<std::string, std::string>>& query) {
  AuthorizationResponse response;
  std::set<std::string> seen;
  for (const auto& [name, value] : query) {
    if (name != "state" && name != "code" && name != "iss" && name != "error" &&
        name != "error_description" && name != "response")
      continue;
    if (!seen.insert(name).second) return refused("the answer gives " + name + " twice");
    if (name == "state") response.state = value;
    if (name == "code") response.code = Secret(value);
    if (name == "error") response.error = printable(value, 100);
    if (name == "error_description") response.error_description = printable(value);
    if (name == "response") return refused("the answer is of a kind that was not asked for");
    if (name == "iss") {
      response.iss = value;
      response.has_iss = true;
    }
  }
  const auto code = response.code.expose();
  if (code.size() > kMaxCode || !is_vschar(code)) return refused("the answer's code is malformed");
  return response;
}

Result<void> check_issuer(const AuthorizationResponse& response, const std::string& issuer,
                          bool sends_iss) {
  Error mixed_up{ErrorCode::provider_protocol,
                 "the answer does not come from the issuer that was asked (RFC 9207)",
                 "start again; if it happens again, tell the provider"};
  if (response.has_iss && issuer.empty()) {
    mixed_up.message += ": it names one, and the provider was registered without";
    mixed_up.hint =
        "where they belong together, give it: nexus provider edit PROVIDER --issuer URL";
  }
  if (response.has_iss && response.iss != issuer) return mixed_up;
  if (!response.has_iss && sends_iss) return mixed_up;
  return {};
}

}  // namespace nexus
