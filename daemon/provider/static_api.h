#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "daemon/strategy/credential_schema.h"
#include "daemon/strategy/strategy.h"

namespace nexus {

/// How it is told whether an API took a credential.
struct Validation {
  bool skip = false;  ///< it cannot be told: they are stored as they are given
  std::vector<int> failure_status;
  std::string failure_body_contains;
  std::string success_body_contains;

  bool tells_anything() const {
    return !failure_status.empty() || !failure_body_contains.empty() ||
           !success_body_contains.empty();
  }
};

/// What a provider of static credentials says about them, read and checked as one: how they get
/// into a request, what a person is asked for, and how they are tried.
struct StaticApi {
  Strategy strategy;
  CredentialSchema schema;
  Validation validation;
};

/// The part of a provider's profile that it is read from.
struct StaticApiProfile {
  const std::string& auth_type;
  const std::string& auth_header;
  const std::string& api_base_url;
  const std::string& user_info_endpoint;
  const nlohmann::json& params;
};

/// Errors: invalid_field, missing_fields, unsupported_auth_type, each naming the setting.
Result<StaticApi> read_static_api(const StaticApiProfile& profile);

/// `{name}` replaced by what `value_of` gives for it; nothing where it knows no such name.
template <class ValueOf>
std::optional<std::string> filled_in(const std::string& text, const ValueOf& value_of) {
  std::string out;
  std::size_t at = 0;
  for (auto open = text.find('{'); open != std::string::npos; open = text.find('{', at)) {
    const auto close = text.find('}', open);
    if (close == std::string::npos) return std::nullopt;
    const std::optional<std::string> value = value_of(text.substr(open + 1, close - open - 1));
    if (!value) return std::nullopt;
    out += text.substr(at, open - at) + *value;
    at = close + 1;
  }
  return out + text.substr(at);
}

}  // namespace nexus
