#include "daemon/connect/credential_check.h"

#include <algorithm>

#include "common/json.h"
#include "common/text.h"
#include "daemon/oauth/account.h"
#include "daemon/provider/api_request.h"

namespace nexus {
namespace {

/// Where the request goes: the base that the entry or, for self-hosted services, the person names.
Result<std::string> target_of(const Provider& provider, const Credentials& credentials) {
  NEXUS_TRY(const auto base, static_api_base(provider, credentials));
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
  return base + (endpoint->starts_with('/') ? "" : "/") + *endpoint;
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

Result<std::string> ask_provider(const Provider& provider, const Credentials& credentials,
                                 HttpClient& http, UnixTime now) {
  const auto& [strategy, schema, validation] = *provider.api;
  if (validation.skip) {
    // Not asked, but what cannot travel later is told now.
    RequestHead trial{.url = "https://credentials.invalid/"};
    NEXUS_CHECK(add_request_headers(trial, provider, credentials));
    NEXUS_CHECK(authenticate(trial, strategy, credentials, {}, now));
    return std::string();
  }
  OutgoingRequest request{.addresses = provider.addresses()};
  NEXUS_TRY(request.head.url, target_of(provider, credentials));
  request.head.headers.emplace_back("Accept", Secret("application/json, */*;q=0.5"));
  NEXUS_CHECK(add_request_headers(request.head, provider, credentials));
  NEXUS_CHECK(authenticate(request.head, strategy, credentials, {}, now));
  const auto response = http.send(request);
  if (!response)
    // The client's own message would show the URL, and a path may carry a credential.
    return Error{response.error().code == ErrorCode::upstream_timeout ? ErrorCode::upstream_timeout
                                                                      : ErrorCode::upstream_error,
                 provider.name + " cannot be reached to check what was entered",
                 "check the network and the base URL, then try again; nothing was stored"};
  NEXUS_CHECK(judge(*response, validation, provider.name));
  if (const auto document = parse_json_object(response->body)) return account_in(**document);
  return std::string();
}

}  // namespace nexus
