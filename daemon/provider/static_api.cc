#include "daemon/provider/static_api.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json_fields.h"
#include "daemon/net/url.h"

namespace nexus {
namespace {

Result<Validation> read_validation(const Json& params) {
  Validation validation;
  NEXUS_TRY(const auto* given, JsonFields(params, "params.").object("validation"));
  if (!given) return validation;
  const JsonFields fields(*given, "params.validation.");
  NEXUS_CHECK(fields.flag("skip", validation.skip));
  NEXUS_CHECK(fields.text("failure_body_contains", validation.failure_body_contains));
  NEXUS_CHECK(fields.text("success_body_contains", validation.success_body_contains));
  if (const auto found = given->find("failure_status"); found != given->end()) {
    if (!found->is_array())
      return fields.bad("failure_status", "has to be a list of HTTP statuses");
    for (const auto& status : *found) {
      if (!status.is_number_unsigned() || status.get<std::uint64_t>() > 599)
        return fields.bad("failure_status", "has to be a list of HTTP statuses");
      validation.failure_status.push_back(status.get<int>());
    }
  }
  return validation;
}

const CredentialField* field_named(const CredentialSchema& schema, const std::string& name) {
  for (const auto& field : schema.fields())
    if (field.name == name) return &field;
  return nullptr;
}

Result<void> check_template(const std::string& text, const CredentialSchema& schema,
                            const std::string& what) {
  const auto known = [&](const std::string& name) {
    return field_named(schema, name) ? std::optional<std::string>("") : std::nullopt;
  };
  if (filled_in(text, known)) return {};
  return Error{ErrorCode::invalid_field,
               what + " has a {…} that is no property of the credential schema",
               "name one of the schema's properties between the braces"};
}

/// Credentials go to the API's own host and to those that `params.api_hosts` adds.
Result<void> check_hosts(const StaticApiProfile& profile) {
  std::vector<std::string> hosts;
  NEXUS_CHECK(JsonFields(profile.params, "params.").texts("api_hosts", hosts));
  if (!profile.user_info_endpoint.starts_with("http")) return {};
  NEXUS_TRY(const auto url, parse_url(profile.user_info_endpoint, "user_info_endpoint"));
  if (const auto base = parse_url(profile.api_base_url, "api_base_url"); base)
    hosts.push_back(base->host);
  if (std::find(hosts.begin(), hosts.end(), url.host) != hosts.end()) return {};
  return Error{ErrorCode::invalid_field,
               "user_info_endpoint is on " + url.host + ", which is not the API's host",
               "add the host to the setting api_hosts, if credentials may go there"};
}

}  // namespace

Result<StaticApi> read_static_api(const StaticApiProfile& profile) {
  NEXUS_TRY(auto strategy, read_strategy(profile.auth_type, profile.auth_header, profile.params));
  NEXUS_TRY(auto schema, CredentialSchema::read(profile.params, strategy));
  NEXUS_TRY(auto validation, read_validation(profile.params));
  NEXUS_CHECK(check_template(profile.user_info_endpoint, schema, "user_info_endpoint"));
  NEXUS_CHECK(check_hosts(profile));
  std::map<std::string, std::string> headers;
  NEXUS_CHECK(JsonFields(profile.params, "params.").map("request_headers", headers));
  for (const auto& [name, value] : headers) {
    if (!is_header_name(name))
      return Error{ErrorCode::invalid_field,
                   "params.request_headers has '" + name + "', which cannot be a header's name",
                   "correct the field and try again"};
    NEXUS_CHECK(check_template(value, schema, "params.request_headers." + name));
  }
  return StaticApi{std::move(strategy), std::move(schema), std::move(validation)};
}

}  // namespace nexus
