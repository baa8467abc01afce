#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/net/request_head.h"
#include "daemon/strategy/credentials.h"
#include "daemon/strategy/payload.h"

namespace nexus {

/// How a static credential gets into a request: the `strategy` of the token payload (nexus-api(7),
/// CREDENTIALS), whose `config` has every member that clients look for, defaults filled in.
struct Strategy {
  std::string type;
  std::vector<std::pair<std::string, std::string>> config;

  /// "" where the config has no such member.
  std::string get(std::string_view name) const;
  /// The one field that is the secret of a header or query parameter, "" for other strategies.
  std::string credential_field() const;
  /// Every field that the strategy reads.
  std::vector<std::string> fields() const;
  /// Named by where the credential goes: clients that apply strategies themselves (the published
  /// Bridge, those of /v1/resolve) know no `api_key`, but header and query_param.
  Strategy by_placement() const;
  /// `{"type":…,"config":{…}}`.
  std::string to_json() const;
};

/// What a provider of that auth_type says about it. For an api_key the placement is looked for in
/// params.auth_strategy, then header_name or param_name in params, then the schema's property
/// (`in`, `name`, `prefix`), then auth_header; else it is the header X-API-Key. Errors:
/// invalid_field, missing_fields.
Result<Strategy> read_strategy(const std::string& auth_type, const std::string& auth_header,
                               const nlohmann::json& params);

/// RFC 9110 5.1: a token.
bool is_header_name(const std::string& name);

/// Puts the credential into a request that is final but for it, in place of what stood there:
/// signatures are over what is sent. Errors: invalid_credentials for a value that cannot travel
/// there, invalid_field for a request that cannot be sent as it was signed.
Result<void> authenticate(RequestHead& request, const Strategy& strategy,
                          const Credentials& credentials, const Payload& payload, UnixTime now);

}  // namespace nexus
