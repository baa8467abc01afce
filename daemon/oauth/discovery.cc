#include "daemon/oauth/discovery.h"

#include <algorithm>

#include "common/json.h"
#include "common/text.h"
#include "daemon/net/url.h"

namespace nexus {
namespace {

Error invalid(const std::string& issuer, const std::string& what) {
  return {ErrorCode::provider_metadata_invalid,
          "the metadata of " + printable(issuer, 200) + " cannot be used: " + what,
          "check the provider's issuer; it has to be spelled as the provider spells it"};
}

}  // namespace

std::vector<std::string> metadata_urls(const std::string& issuer) {
  const auto base = issuer.ends_with('/') ? issuer.substr(0, issuer.size() - 1) : issuer;
  const auto authority = base.find("://");
  const auto slash = authority == std::string::npos ? authority : base.find('/', authority + 3);
  const auto origin = base.substr(0, slash);
  const auto path = slash == std::string::npos ? std::string() : base.substr(slash);
  std::vector<std::string> urls{base + "/.well-known/openid-configuration",
                                origin + "/.well-known/oauth-authorization-server" + path};
  if (!path.empty()) urls.push_back(origin + "/.well-known/openid-configuration" + path);
  return urls;
}

Result<ProviderMetadata> parse_metadata(std::string_view text, const std::string& issuer,
                                        bool allow_insecure_http) {
  const auto parsed = parse_json_object(text);
  if (!parsed) return invalid(issuer, "it is not a JSON object");
  const Json& document = **parsed;
  ProviderMetadata metadata;
  const auto member = [&](const char* name) { return text_member(document, name).value_or(""); };
  metadata.issuer = member("issuer");
  if (metadata.issuer != issuer)
    return invalid(issuer, "it names another issuer, '" + printable(metadata.issuer, 200) + "'");
  const bool insecure = allow_insecure_http && issuer.starts_with("http://");
  const std::pair<const char*, std::string ProviderMetadata::*> endpoints[] = {
      {"authorization_endpoint", &ProviderMetadata::authorization_endpoint},
      {"token_endpoint", &ProviderMetadata::token_endpoint},
      {"jwks_uri", &ProviderMetadata::jwks_uri},
      {"userinfo_endpoint", &ProviderMetadata::userinfo_endpoint},
      {"revocation_endpoint", &ProviderMetadata::revocation_endpoint},
      {"device_authorization_endpoint", &ProviderMetadata::device_authorization_endpoint}};
  for (const auto& [name, endpoint] : endpoints) {
    metadata.*endpoint = member(name);
    if ((metadata.*endpoint).empty()) continue;
    if (const auto url = parse_endpoint(metadata.*endpoint, name, insecure); !url)
      return invalid(issuer, url.error().message);
  }
  if (metadata.token_endpoint.empty()) return invalid(issuer, "no token_endpoint");
  metadata.id_token_algorithms = texts_member(document, "id_token_signing_alg_values_supported");
  metadata.token_endpoint_auth_methods =
      texts_member(document, "token_endpoint_auth_methods_supported");
  metadata.code_challenge_methods = texts_member(document, "code_challenge_methods_supported");
  const auto& methods = metadata.code_challenge_methods;
  if (!methods.empty() && std::find(methods.begin(), methods.end(), "S256") == methods.end())
    return invalid(issuer, "it offers no S256 code challenge");
  metadata.sends_iss = flag_member(document, "authorization_response_iss_parameter_supported");
  return metadata;
}

Result<ProviderMetadata> discover(const std::string& issuer, bool allow_insecure_http,
                                  const AddressPolicy& addresses, HttpClient& http) {
  NEXUS_TRY(const auto url, parse_endpoint(issuer, "the issuer", allow_insecure_http));
  if (url.has_query) return invalid(issuer, "an issuer has no query");
  Error last = invalid(issuer, "there is none at the well-known locations");
  for (const auto& location : metadata_urls(issuer)) {
    OutgoingRequest request{.head = {.url = location}, .addresses = addresses};
    request.head.headers.emplace_back("Accept", Secret("application/json"));
    const auto response = http.send(request);
    if (!response) return response.error();
    if (response->status == 200) return parse_metadata(response->body, issuer, allow_insecure_http);
    if (response->status == 429 || response->status >= 500)
      return Error{ErrorCode::upstream_error,
                   printable(location, 200) + " answered " + std::to_string(response->status),
                   "try again later"};
    if (response->status != 404) {
      last = invalid(issuer, location + " answered " + std::to_string(response->status));
    }
  }
  return last;
}

}  // namespace nexus
