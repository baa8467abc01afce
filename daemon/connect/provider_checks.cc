#include "daemon/connect/provider_checks.h"

#include <algorithm>

#include "common/text.h"
#include "daemon/connection_errors.h"
#include "daemon/crypto/encoding.h"
#include "daemon/net/url.h"
#include "daemon/oauth/authorization_request.h"

namespace nexus {
namespace {

ProviderCheck failed(const Provider& provider, const std::string& name, const Error& error) {
  return {name, false, error.message, about_provider(provider.name, error).hint};
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
  return oauth(provider);
}

std::vector<ProviderCheck> ProviderChecks::oauth(const Provider& provider) {
  std::vector<ProviderCheck> checks;
  const auto metadata = metadata_.metadata(provider);
  if (!metadata) checks.push_back(failed(provider, "discovery", metadata.error()));
  if (metadata && *metadata)
    checks.push_back({"discovery", true, "the metadata is that of " + provider.issuer, ""});
  const auto ours = providers_.client(provider.id);
  if (!ours) {
    if (metadata) checks.push_back(failed(provider, "endpoints", ours.error()));
    if (provider.grant == GrantType::authorization_code) checks.push_back(redirect_uri(provider));
    return checks;
  }
  switch (provider.grant) {
    case GrantType::authorization_code:
      checks.push_back(authorization(*ours));
      checks.push_back(token(*ours));
      checks.push_back(redirect_uri(provider));
      break;
    case GrantType::device_code:
      checks.push_back(device_authorization(*ours));
      break;
    case GrantType::client_credentials:
    case GrantType::jwt_bearer:
      checks.push_back(client_grant(*ours));
      break;
  }
  return checks;
}

/// What a browser would ask, but for the person: the answer is a page or a redirect to one. Servers
/// that know neither the client nor its redirect URI say so at once (RFC 6749 4.1.2.1).
ProviderCheck ProviderChecks::authorization(const ProviderClient& ours) {
  const auto& provider = ours.provider;
  const auto& endpoints = ours.client.endpoints();
  const bool pkce = ours.client.dialect().pkce == Dialect::Pkce::s256;
  const std::string name = "authorization endpoint";
  AuthorizationRequest request;
  request.redirect_uri = redirect_uris_.of(provider);
  request.scopes = provider.scopes;
  request.state = random_token(16);
  if (pkce) request.code_challenge = code_challenge(random_token(32));
  const auto& scopes = provider.scopes;
  if (std::find(scopes.begin(), scopes.end(), "openid") != scopes.end())
    request.nonce = random_token(16);
  request.extra = authorization_parameters(provider, provider.scopes);
  OutgoingRequest outgoing{
      .head = {.url = authorization_url(endpoints, ours.client.dialect(), request)},
      .addresses = endpoints.addresses};
  outgoing.head.headers.emplace_back("Accept", Secret("text/html"));
  const auto response = http_.send(outgoing);
  if (!response) return failed(provider, name, response.error());
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
ProviderCheck ProviderChecks::token(const ProviderClient& ours) {
  const std::string name = "token endpoint";
  const auto host = host_of(ours.client.endpoints().token);
  const bool pkce = ours.client.dialect().pkce == Dialect::Pkce::s256;
  const Secret code("nexus-provider-test");
  const Secret verifier(pkce ? random_token(32) : "");
  const auto answer = ours.client.exchange({code, verifier, redirect_uris_.of(ours.provider)});
  if (answer || answer.error().code == ErrorCode::provider_rejected)
    return {name, true, host + " answers and takes the client", ""};
  return failed(ours.provider, name, answer.error());
}

/// A code that nobody is going to enter.
ProviderCheck ProviderChecks::device_authorization(const ProviderClient& ours) {
  const std::string name = "device authorization endpoint";
  const auto answer = ours.client.start_device(join(ours.provider.scopes, " "), {});
  if (!answer) return failed(ours.provider, name, answer.error());
  return {name, true, host_of(ours.client.endpoints().device_authorization) + " hands out codes",
          ""};
}

/// No person is needed, so the real thing is tried; the token is dropped.
ProviderCheck ProviderChecks::client_grant(const ProviderClient& ours) {
  const std::string name = "token endpoint";
  const auto answer = ours.client.as_client(join(ours.provider.scopes, " "));
  if (!answer) return failed(ours.provider, name, answer.error());
  return {name, true, host_of(ours.client.endpoints().token) + " gives the client a token", ""};
}

ProviderCheck ProviderChecks::redirect_uri(const Provider& provider) {
  const auto uri = redirect_uris_.of(provider);
  const auto usable = flows_.check_listener(uri);
  if (!usable) return failed(provider, "redirect URI", usable.error());
  return {"redirect URI", true, uri + " can be listened on", ""};
}

/// Without credentials an API has to say no, or a wrong key could not be told from a right one.
std::vector<ProviderCheck> ProviderChecks::static_api(const Provider& provider) {
  const std::string name = "API";
  if (provider.api_base_url.empty() || provider.user_info_endpoint.empty())
    return {{name, true, "nothing to ask: credentials are stored as they are given", ""}};
  auto url = provider.api_base_url;
  while (url.ends_with('/')) url.pop_back();
  url += "/" + provider.user_info_endpoint.substr(provider.user_info_endpoint.starts_with('/'));
  OutgoingRequest request{.head = {.url = url.substr(0, url.find('{'))},
                          .addresses = provider.addresses()};
  const auto response = http_.send(request);
  if (!response) return {failed(provider, name, response.error())};
  const auto seen =
      host_of(url) + " answers " + std::to_string(response->status) + " without credentials";
  if (response->status < 300 && !provider.api->validation.skip &&
      !provider.api->validation.tells_anything())
    return {{name, false, seen,
             "choose an endpoint that needs them, or tell good answers apart "
             "with the setting validation"}};
  return {{name, response->status < 500, seen, response->status < 500 ? "" : "try again later"}};
}

}  // namespace nexus
