#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/secret.h"

namespace nexus {

/// What a browser brought to the redirect URI, before anything of it is believed.
struct AuthorizationResponse {
  std::string state;
  Secret code;
  std::string error;              ///< cleaned for display
  std::string error_description;  ///< cleaned for display
  std::string iss;
  bool has_iss = false;
};

/// Whose answer it is, whatever else is wrong with it; "" where it gives no state, or several.
std::string state_in(const std::vector<std::pair<std::string, std::string>>& query);

/// Reads the redirect's query. Refuses (invalid_state) a parameter given twice, an oversized or odd
/// code, and `response` (JARM, which nexusd never asks for); tokens in the query are ignored.
Result<AuthorizationResponse> parse_authorization_response(
    const std::vector<std::pair<std::string, std::string>>& query);

/// RFC 9207 2.4: where `iss` is given it has to be the issuer to the byte; where the metadata
/// promises it, it has to be given. Also for error responses. Where no issuer is known ("") none is
/// the right one. Error: provider_protocol.
Result<void> check_issuer(const AuthorizationResponse& response, const std::string& issuer,
                          bool sends_iss);

}  // namespace nexus
