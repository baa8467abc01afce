#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/json.h"
#include "common/json_fields.h"

namespace nexus::api {

/// What POST /v1/request-connection and /v1/adopt-connection take.
struct ConnectionRequest {
  std::string workspace;
  std::string provider_name;  ///< one of these two
  std::string provider_id;
  std::vector<std::string> scopes;  ///< empty: the provider's defaults
  std::string return_url;           ///< "" when nobody waits for the browser
  std::string alias;
  std::string replaces;  ///< the connection that goes when this one becomes active
  std::string metadata;  ///< the application's own: any JSON, given back with the connection
  bool pasted = false;   ///< the person brings the answer by hand
  bool device = false;   ///< the person consents on another device (RFC 8628)
  /// Of the authorization request, beside the provider's own: login_hint, prompt…
  std::vector<std::pair<std::string, std::string>> params;
};

/// Errors: invalid_field, missing_fields.
Result<ConnectionRequest> read_connection_request(const JsonFields& from);
/// `workspace_id` or its alias `user_id`; "" where neither is given. Error: invalid_field.
Result<std::string> read_workspace(const JsonFields& from);

/// What was not said is left out.
template <class Text>
void write(BasicJsonWriter<Text>& to, const ConnectionRequest& request);
extern template void write(JsonWriter&, const ConnectionRequest&);
extern template void write(SecretJsonWriter&, const ConnectionRequest&);

}  // namespace nexus::api
