#include "daemon/connect/credential_check.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/json_fields.h"
#include "common/text.h"
#include "daemon/net/url.h"
#include "daemon/oauth/account.h"

namespace nexus {
namespace {

struct Validation {
  bool skip = false;
  std::vector<int> failure_status;
  std::string failure_body_contains;
  std::string success_body_contains;
};

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
Result<void> check_hosts(const Provider& provider) {
  std::vector<std::string> hosts;
  NEXUS_CHECK(JsonFields(provider.params, "params.").texts("api_hosts", hosts));
  if (!provider.user_info_endpoint.starts_with("http")) return {};
  NEXUS_TRY(const auto url, parse_url(provider.user_info_endpoint, "user_info_endpoint"));
  if (const auto base = parse_url(provider.api_base_url, "api_base_url"); base)
    hosts.push_back(base->host);
  if (std::find(hosts.begin(), hosts.end(), url.host) != hosts.end()) return {};
  return Error{ErrorCode::invalid_field,
               "user_info_endpoint is on " + url.host + ", which is not the API's host",
               "add the host to the setting api_hosts, if credentials may go there"};
}

/// Where the request goes: the base that the entry or, for self-hosted services, the person names.
Result<std::string> target_of(const Provider& provider, const Credentials& credentials) {
  auto base = provider.api_base_url;
  if (const auto own = credential(credentials, "base_url"); !own.empty()) {
    const auto url = parse_endpoint(own, "base_url", provider.allow_insecure_http);
    if (!url) return Error{ErrorCode::invalid_credentials, url.error().message, url.error().hint};
    base = own;
  }
  if (base.empty() || provider.user_info_endpoint.empty())
    return Error{ErrorCode::provider_not_validatable,
                 "nothing says how to check credentials of " + provider.name,
                 "set api_base_url and user_info_endpoint, or accept them unchecked with --param "
                 "validation='{\"skip\":true}'"};
  const auto endpoint = filled_in(provider.user_info_endpoint, [&](const std::string& name) {
    return std::optional(percent_encode(credential(credentials, name)));
  });
  if (!endpoint) return Error{ErrorCode::provider_misconfigured, "user_info_endpoint is malformed"};
  if (endpoint->starts_with("http")) return *endpoint;
  while (base.ends_with('/')) base.pop_back();
  return base + (endpoint->starts_with('/') ? "" : "/") + *endpoint;
}

Result<void> add_headers(OutgoingRequest& request, const Provider& provider,
                         const Credentials& credentials) {
  std::map<std::string, std::string> headers;
  NEXUS_CHECK(JsonFields(provider.params, "params.").map("request_headers", headers));
  for (const auto& [name, text] : headers) {
    auto value = filled_in(text, [&](const std::string& field) {
      return std::optional(std::string(credential(credentials, field)));
    });
    if (!value || !is_vschar(*value))
      return Error{ErrorCode::invalid_credentials,
                   "what belongs into header " + name + " has characters that it cannot carry",
                   "copy it once more from the provider"};
    request.headers.emplace_back(name, Secret(*value));
    wipe(*value);
  }
  return {};
}

/// The statuses that say something about the credentials rather than about the moment.
Result<void> judge(const IncomingResponse& response, const Validation& validation,
                   const std::string& provider) {
  const auto status = std::to_string(response.status);
  if (response.status == 429 || response.status == 408 || response.status >= 500)
    return Error{ErrorCode::upstream_error, provider + " cannot check them now (" + status + ")",
                 "try again in a moment; nothing was stored"};
  const auto& failures = validation.failure_status;
  const auto says = [&](const std::string& text) {
    return response.body.find(text) != SecretText::npos;
  };
  const bool listed =
      std::find(failures.begin(), failures.end(), response.status) != failures.end();
  const bool good_status = response.status >= 200 && response.status < 300 && !listed;
  const bool good_body =
      (validation.failure_body_contains.empty() || !says(validation.failure_body_contains)) &&
      (validation.success_body_contains.empty() || says(validation.success_body_contains));
  if (good_status && good_body) return {};
  const bool refused = response.status == 401 || response.status == 403 || good_status || listed;
  return Error{ErrorCode::invalid_credentials,
               provider + (refused ? " does not accept these credentials (" + status + ")"
                                   : " did not confirm these credentials (" + status + ")"),
               refused ? "check them, or make new ones at the provider"
                       : "check them and the provider's base URL; nothing was stored"};
}

}  // namespace

Result<StaticProvider> read_static_provider(const Provider& provider) {
  NEXUS_TRY(auto strategy,
            read_strategy(provider.auth_type, provider.auth_header, provider.params));
  NEXUS_TRY(auto schema, CredentialSchema::read(provider.params, strategy));
  NEXUS_CHECK(read_validation(provider.params));
  NEXUS_CHECK(check_template(provider.user_info_endpoint, schema, "user_info_endpoint"));
  NEXUS_CHECK(check_hosts(provider));
  std::map<std::string, std::string> headers;
  NEXUS_CHECK(JsonFields(provider.params, "params.").map("request_headers", headers));
  for (const auto& [name, value] : headers) {
    if (!is_header_name(name))
      return Error{ErrorCode::invalid_field,
                   "params.request_headers has '" + name + "', which cannot be a header's name",
                   "correct the field and try again"};
    NEXUS_CHECK(check_template(value, schema, "params.request_headers." + name));
  }
  return StaticProvider{std::move(strategy), std::move(schema)};
}

Result<std::string> ask_provider(const Provider& provider, const StaticProvider& entry,
                                 const Credentials& credentials, HttpClient& http, UnixTime now) {
  NEXUS_TRY(const auto validation, read_validation(provider.params));
  if (validation.skip) {
    // Not asked, but what cannot travel later is told now.
    OutgoingRequest trial{.url = "https://credentials.invalid/"};
    NEXUS_CHECK(add_headers(trial, provider, credentials));
    NEXUS_CHECK(authenticate(trial, entry.strategy, credentials, now));
    return std::string();
  }
  OutgoingRequest request{.addresses = provider.addresses()};
  NEXUS_TRY(request.url, target_of(provider, credentials));
  request.headers.emplace_back("Accept", Secret("application/json, */*;q=0.5"));
  NEXUS_CHECK(add_headers(request, provider, credentials));
  NEXUS_CHECK(authenticate(request, entry.strategy, credentials, now));
  const auto response = http.send(request);
  if (!response)
    // The client's own message would show the URL, and a path may carry a credential.
    return Error{response.error().code == ErrorCode::upstream_timeout ? ErrorCode::upstream_timeout
                                                                      : ErrorCode::upstream_error,
                 provider.name + " cannot be reached to check them",
                 "check the network and the base URL, then try again; nothing was stored"};
  NEXUS_CHECK(judge(*response, validation, provider.name));
  if (const auto document = parse_json_object(response->body)) return account_in(*document);
  return std::string();
}

}  // namespace nexus
