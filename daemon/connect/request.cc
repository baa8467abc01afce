#include "daemon/connect/request.h"

#include "common/alias.h"
#include "common/id.h"
#include "common/text.h"
#include "daemon/connect/visible_providers.h"
#include "daemon/connection_errors.h"
#include "daemon/oauth/authorization_request.h"

namespace nexus {
namespace {

Result<std::vector<std::string>> scopes_to_ask(const ConnectionRequest& request,
                                               const Provider& provider) {
  if (provider.is_static()) return std::vector<std::string>();
  auto scopes = request.scopes.empty() ? provider.scopes : request.scopes;
  for (const auto& scope : scopes)
    if (scope.empty() || !is_vschar(scope) || scope.find(' ') != std::string::npos)
      return Error{ErrorCode::invalid_field, "a scope is a text without blanks",
                   "give each scope on its own"};
  if (!provider.settings.dialect.offline_access_scope) std::erase(scopes, "offline_access");
  return scopes;
}

/// Not every way of connecting fits every provider.
Result<void> check_ways(const ConnectionRequest& request, const Provider& provider) {
  const bool person = !provider.is_static() && !is_unattended(provider.grant);
  if (!person && (request.device || request.pasted))
    return Error{ErrorCode::unsupported_auth_type,
                 "connecting " + provider.name + " takes no person's consent",
                 "leave --device and --paste out"};
  if (!person && !request.params.empty())
    return Error{ErrorCode::invalid_field,
                 "params are of an authorization request, and " + provider.name + " has none",
                 "set them for the provider: nexus provider edit " + provider.name +
                     " --param 'token_params={…}'"};
  for (const auto& [name, value] : request.params)
    if (name.empty() || !is_vschar(name) || is_reserved_parameter(name))
      return Error{ErrorCode::invalid_field,
                   "params." + printable(name, 60) + " is for nexusd to set",
                   "leave it out; scopes are given as scopes"};
  return {};
}

}  // namespace

ConnectionRequests::ConnectionRequests(Providers& providers, ReturnUrls return_urls,
                                       AuthorizationCodeFlow& code_flow, DeviceFlow& device_flow,
                                       Captures& captures, UnattendedGrants& unattended)
    : providers_(providers),
      return_urls_(std::move(return_urls)),
      code_flow_(code_flow),
      device_flow_(device_flow),
      captures_(captures),
      unattended_(unattended) {}

Result<Provider> ConnectionRequests::choose_provider(const ConnectionRequest& request,
                                                     const Caller& caller) {
  if (request.provider_id.empty())
    return visible_provider_named(providers_, caller, request.provider_name);
  NEXUS_TRY(auto provider, visible_provider(providers_, caller, request.provider_id));
  if (!request.provider_name.empty() && lower(request.provider_name) != provider.name)
    return Error{ErrorCode::invalid_field, "provider_name and provider_id name different providers",
                 "give one of them"};
  return provider;
}

Result<ConnectionRow> ConnectionRequests::prepare(const ConnectionRequest& request,
                                                  const Provider& provider, const Caller& caller) {
  if (!request.alias.empty()) NEXUS_CHECK(check_alias(request.alias));
  if (!request.return_url.empty()) NEXUS_CHECK(return_urls_.check(request.return_url));
  if (!may_connect(caller, request.workspace, provider.name))
    return Error{
        ErrorCode::access_denied,
        "this API key may not connect " + provider.name + " in this workspace",
        "make a key that may: nexus key create --name NAME --use provider:" + provider.name};
  NEXUS_TRY(const auto scopes, scopes_to_ask(request, provider));
  ConnectionRow row;
  row.id = new_connection_id();
  row.workspace = request.workspace;
  row.provider_id = provider.id;
  row.provider_name = provider.name;
  row.auth_type = provider.auth_type;
  row.alias = request.alias;
  row.requested_scopes = join(scopes, " ");
  row.return_url = request.return_url;
  row.metadata = request.metadata;
  row.replaces = request.replaces;
  return row;
}

Result<StartedConnection> ConnectionRequests::begin(const ConnectionRequest& request,
                                                    const Caller& caller) {
  NEXUS_TRY(const auto provider, choose_provider(request, caller));
  auto started = begin(request, provider, caller);
  if (!started) return about_provider(provider.name, std::move(started).error());
  return started;
}

Result<StartedConnection> ConnectionRequests::begin(const ConnectionRequest& request,
                                                    const Provider& provider,
                                                    const Caller& caller) {
  NEXUS_CHECK(check_ways(request, provider));
  NEXUS_TRY(auto row, prepare(request, provider, caller));
  StartedConnection started{.connection_id = row.id,
                            .scopes = split(row.requested_scopes, ' '),
                            .provider_id = provider.id};
  const auto at_page = [&](StartedFlow flow) {
    started.auth_url = std::move(flow.url);
    started.state = std::move(flow.state);
    started.redirect_uri = std::move(flow.redirect_uri);
    started.device_supported = flow.device_supported;
  };
  if (provider.is_static()) {
    NEXUS_TRY(auto flow, captures_.begin(row, caller));
    at_page(std::move(flow));
  } else if (is_unattended(provider.grant)) {
    NEXUS_TRY(row, unattended_.obtain(row, caller));
    started.status = row.status;
    started.auth_url = return_urls_.back_to(row.return_url, row.id,
                                            {{"status", "success"}, {"provider", provider.name}});
  } else if (request.device || provider.grant == GrantType::device_code) {
    NEXUS_TRY(started.device, device_flow_.begin(row, request.params, caller));
    const auto& complete = started.device->verification_uri_complete;
    started.auth_url = complete.empty() ? started.device->verification_uri : complete;
  } else {
    NEXUS_TRY(auto flow, code_flow_.begin(row, request.params, request.pasted, caller));
    at_page(std::move(flow));
  }
  started.expires_at = row.pending_until - clock_ahead();
  return started;
}

Result<ConnectionRow> ConnectionRequests::adopt(const ConnectionRequest& request,
                                                const Secret& refresh_token, const Caller& caller) {
  NEXUS_TRY(const auto provider, choose_provider(request, caller));
  if (provider.is_static() || is_unattended(provider.grant))
    return Error{ErrorCode::unsupported_auth_type,
                 provider.name + " has no refresh tokens: its type is " +
                     (provider.is_static() ? word(provider.auth_type) : to_text(provider.grant)),
                 "run: nexus connect " + provider.name};
  NEXUS_TRY(const auto row, prepare(request, provider, caller));
  return unattended_.adopt(row, refresh_token, caller);
}

}  // namespace nexus
