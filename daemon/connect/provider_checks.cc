#include "daemon/connect/provider_checks.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json.h"
#include "common/text.h"
#include "daemon/connect/credential_check.h"
#include "daemon/crypto/encoding.h"
#include "daemon/net/url.h"
#include "daemon/oauth/authorization_request.h"
#include "daemon/oauth/device_grant.h"
#include "daemon/oauth/token_endpoint.h"

namespace nexus {
namespace {

ProviderCheck failed(const std::string& name, const Error& error) {
  return {name, false, error.message, error.hint};
}

std::string host_of(const std::string& url) {
  const auto parsed = parse_url(url, "the URL");
  return parsed ? parsed->host : url;
}

/// The error that an authorization endpoint sent back to the redirect URI, "" where it did not.
std::string error_in_redirect(const std::string& location, const std::string& redirect_uri) {
  if (!location.starts_with(redirect_uri)) return {};
  const auto url = parse_url(location, "the redirect");
  if (!url) return {};
  for (const auto& pair : split(url->query, '&'))
    if (pair.starts_with("error="))
      return printable(percent_decode(pair.substr(6), true).value_or("error"), 80);
  return {};
}

}  // namespace

Result<std::vector<ProviderCheck>> ProviderChecks::run(const Provider& provider, const Caller&) {
  if (provider.is_static()) return static_api(provider);
  NEXUS_TRY(const auto with_secret, providers_.with_secret(provider.id));
  return oauth(with_secret);
}

std::vector<ProviderCheck> ProviderChecks::oauth(const ProviderWithSecret& provider) {
  std::vector<ProviderCheck> checks;
  const auto metadata = metadata_.metadata(provider.provider);
  if (!metadata) checks.push_back(failed("discovery", metadata.error()));
  if (metadata && *metadata)
    checks.push_back(
        {"discovery", true, "the metadata is that of " + provider.provider.issuer, ""});
  const auto endpoints = providers_.endpoints(provider);
  if (!endpoints) {
    if (metadata) checks.push_back(failed("endpoints", endpoints.error()));
    if (provider.provider.grant() == GrantType::authorization_code)
      checks.push_back(redirect_uri(provider.provider));
    return checks;
  }
  switch (endpoints->grant) {
    case GrantType::authorization_code:
      checks.push_back(authorization(provider.provider, *endpoints));
      checks.push_back(token(provider, *endpoints));
      checks.push_back(redirect_uri(provider.provider));
      break;
    case GrantType::device_code:
      checks.push_back(device_authorization(provider, *endpoints));
      break;
    case GrantType::client_credentials:
    case GrantType::jwt_bearer:
      checks.push_back(client_grant(provider, *endpoints));
      break;
  }
  return checks;
}

/// What a browser would ask, but for the person: the answer is a page or a redirect to one. Servers
/// that know neither the client nor its redirect URI say so at once (RFC 6749 4.1.2.1).
ProviderCheck ProviderChecks::authorization(const Provider& provider,
                                            const ProviderEndpoints& endpoints) {
  const std::string name = "authorization endpoint";
  AuthorizationRequest request;
  request.redirect_uri = providers_.redirect_uri(provider);
  request.scopes = provider.scopes;
  request.state = random_token(16);
  if (endpoints.dialect.pkce) request.code_challenge = code_challenge(random_token(32));
  const auto& scopes = provider.scopes;
  if (std::find(scopes.begin(), scopes.end(), "openid") != scopes.end())
    request.nonce = random_token(16);
  request.extra = authorization_parameters(provider, provider.scopes);
  OutgoingRequest outgoing{.url = authorization_url(endpoints, request),
                           .addresses = endpoints.addresses};
  outgoing.headers.emplace_back("Accept", Secret("text/html"));
  const auto response = http_.send(outgoing);
  if (!response) return failed(name, response.error());
  const auto status =
      host_of(endpoints.authorization) + " answers " + std::to_string(response->status);
  if (const auto error = error_in_redirect(response->header("location"), request.redirect_uri);
      !error.empty() && error != "login_required" && error != "interaction_required")
    return {name, false, status + " with the error " + error,
            error == "invalid_scope"
                ? "correct the scopes: nexus provider edit " + provider.name + " --scope …"
                : "check the client's settings at the provider"};
  if (response->status < 400) return {name, true, status, ""};
  return {name, false, status,
          "it may not know the client id, or the redirect URI " + request.redirect_uri +
              ": compare both with what is registered at the provider"};
}

/// A code that nobody issued: what the answer refuses tells whether it took the client.
ProviderCheck ProviderChecks::token(const ProviderWithSecret& provider,
                                    const ProviderEndpoints& endpoints) {
  const std::string name = "token endpoint";
  const auto host = host_of(endpoints.token);
  const auto answer =
      exchange_code(endpoints, provider.client_secret, Secret("nexus-provider-test"),
                    Secret(endpoints.dialect.pkce ? random_token(32) : ""),
                    providers_.redirect_uri(provider.provider), http_);
  if (answer || answer.error().code == ErrorCode::provider_rejected)
    return {name, true, host + " answers and takes the client", ""};
  return failed(name, answer.error());
}

/// A code that nobody is going to enter.
ProviderCheck ProviderChecks::device_authorization(const ProviderWithSecret& provider,
                                                   const ProviderEndpoints& endpoints) {
  const std::string name = "device authorization endpoint";
  const auto answer = request_device_authorization(endpoints, provider.client_secret,
                                                   join(provider.provider.scopes, " "), {}, http_);
  if (!answer) return failed(name, answer.error());
  return {name, true, host_of(endpoints.device_authorization) + " hands out codes", ""};
}

/// No person is needed, so the real thing is tried; the token is dropped.
ProviderCheck ProviderChecks::client_grant(const ProviderWithSecret& provider,
                                           const ProviderEndpoints& endpoints) {
  const std::string name = "token endpoint";
  const auto answer =
      client_token(endpoints, provider.client_secret, join(provider.provider.scopes, " "), http_);
  if (!answer) return failed(name, answer.error());
  return {name, true, host_of(endpoints.token) + " gives the client a token", ""};
}

ProviderCheck ProviderChecks::redirect_uri(const Provider& provider) {
  const auto uri = providers_.redirect_uri(provider);
  const auto usable = flows_.check_listener(uri);
  if (!usable) return failed("redirect URI", usable.error());
  return {"redirect URI", true, uri + " can be listened on", ""};
}

/// Without credentials an API has to say no, or a wrong key could not be told from a right one.
std::vector<ProviderCheck> ProviderChecks::static_api(const Provider& provider) {
  const std::string name = "API";
  const auto entry = read_static_provider(provider);
  if (!entry) return {failed(name, entry.error())};
  if (provider.api_base_url.empty() || provider.user_info_endpoint.empty())
    return {{name, true, "nothing to ask: credentials are stored as they are given", ""}};
  auto url = provider.api_base_url;
  while (url.ends_with('/')) url.pop_back();
  url += "/" + provider.user_info_endpoint.substr(provider.user_info_endpoint.starts_with('/'));
  OutgoingRequest request{.url = url.substr(0, url.find('{')), .addresses = provider.addresses()};
  const auto response = http_.send(request);
  if (!response) return {failed(name, response.error())};
  const auto seen =
      host_of(url) + " answers " + std::to_string(response->status) + " without credentials";
  if (response->status < 300 && provider.params.value("validation", Json::object()).empty())
    return {{name, false, seen,
             "choose an endpoint that needs them, or tell good answers apart "
             "with the setting validation"}};
  return {{name, response->status < 500, seen, response->status < 500 ? "" : "try again later"}};
}

}  // namespace nexus
