#include "daemon/connect/connections.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/id.h"
#include "common/text.h"
#include "daemon/oauth/authorization_request.h"

namespace nexus {
namespace {

/// " (alias, account)", as far as they are known.
std::string told_apart(const ConnectionRow& row) {
  std::vector<std::string> known;
  for (const auto& text : {row.alias, printable(row.account, 60)})
    if (!text.empty()) known.push_back(text);
  return known.empty() ? "" : " (" + join(known, ", ") + ")";
}

Result<std::vector<std::string>> scopes_to_ask(const ConnectionRequest& request,
                                               const Provider& provider) {
  if (provider.is_static()) return std::vector<std::string>();
  auto scopes = request.scopes.empty() ? provider.scopes : request.scopes;
  for (const auto& scope : scopes)
    if (scope.empty() || !is_vschar(scope) || scope.find(' ') != std::string::npos)
      return Error{ErrorCode::invalid_field, "a scope is a text without blanks",
                   "give each scope on its own"};
  if (provider.issuer == "https://accounts.google.com") std::erase(scopes, "offline_access");
  return scopes;
}

/// Not every way of connecting fits every provider.
Result<void> check_ways(const ConnectionRequest& request, const Provider& provider) {
  const bool person = !provider.is_static() && !is_unattended(provider.grant());
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

Result<void> check_alias(const std::string& alias) {
  constexpr auto allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-";
  if (alias.empty() || alias.size() > 64 || alias[0] == '-' || alias.starts_with("conn_") ||
      alias.find_first_not_of(allowed) != std::string::npos)
    return Error{ErrorCode::invalid_field, "'" + printable(alias, 80) + "' cannot be an alias",
                 "use letters, digits and . _ @ -, at most 64 of them, and no conn_ in front"};
  return {};
}

Connections::Connections(Store& store, Providers& providers, Audit& audit, Flows& flows,
                         AuthorizationCodeFlow& code_flow, Captures& captures,
                         UnattendedGrants& unattended_grants, DeviceFlow& device_flow,
                         Revocations& revocations, DownscopedTokens& downscoped, Clock clock)
    : store_(store),
      providers_(providers),
      audit_(audit),
      flows_(flows),
      code_flow_(code_flow),
      captures_(captures),
      unattended_grants_(unattended_grants),
      device_flow_(device_flow),
      revocations_(revocations),
      downscoped_(downscoped),
      clock_(std::move(clock)) {}

Result<Provider> Connections::choose_provider(const ConnectionRequest& request) {
  if (request.provider_id.empty()) return providers_.by_name(request.provider_name);
  NEXUS_TRY(auto provider, providers_.by_id(request.provider_id));
  if (!request.provider_name.empty() && lower(request.provider_name) != provider.name)
    return Error{ErrorCode::invalid_field, "provider_name and provider_id name different providers",
                 "give one of them"};
  return provider;
}

Result<ConnectionRow> Connections::prepare(const ConnectionRequest& request,
                                           const Provider& provider, const Caller& caller) {
  if (!request.alias.empty()) NEXUS_CHECK(check_alias(request.alias));
  if (!request.return_url.empty()) NEXUS_CHECK(flows_.return_urls().check(request.return_url));
  if (!may_connect(caller, request.workspace, provider.name))
    return Error{ErrorCode::access_denied,
                 "this API key may not connect " + provider.name + " in this workspace",
                 "make a key that may: nexus key create --use provider:" + provider.name};
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
  row.replaces = request.replaces;
  row.created_at = clock_();
  row.pending_until = row.created_at + kFlowLife;
  return row;
}

Result<StartedConnection> Connections::request(const ConnectionRequest& request,
                                               const Caller& caller) {
  NEXUS_TRY(const auto provider, choose_provider(request));
  NEXUS_CHECK(check_ways(request, provider));
  NEXUS_TRY(auto row, prepare(request, provider, caller));
  StartedConnection started{.connection_id = row.id,
                            .scopes = split(row.requested_scopes, ' '),
                            .provider_id = provider.id};
  const auto at_page = [&](StartedFlow flow) {
    started.auth_url = std::move(flow.url);
    started.state = std::move(flow.state);
  };
  if (provider.is_static()) {
    NEXUS_TRY(auto flow, captures_.begin(row, provider, caller));
    at_page(std::move(flow));
  } else if (is_unattended(provider.grant())) {
    NEXUS_CHECK(unattended_grants_.obtain(row, provider, caller));
    started.status = "active";
    started.auth_url = flows_.succeed(row).redirect_to;
  } else if (request.device || provider.grant() == GrantType::device_code) {
    NEXUS_TRY(started.device, device_flow_.begin(row, provider, request.params, caller));
    const auto& complete = started.device->verification_uri_complete;
    started.auth_url = complete.empty() ? started.device->verification_uri : complete;
  } else {
    NEXUS_TRY(auto flow, code_flow_.begin(row, provider, request.params, request.pasted, caller));
    at_page(std::move(flow));
  }
  started.expires_at = row.pending_until;
  return started;
}

Result<ConnectionRow> Connections::adopt(const ConnectionRequest& request,
                                         const Secret& refresh_token, const Caller& caller) {
  NEXUS_TRY(const auto provider, choose_provider(request));
  if (provider.is_static() || is_unattended(provider.grant()))
    return Error{ErrorCode::unsupported_auth_type,
                 provider.name + " has no refresh tokens: its type is " +
                     (provider.is_static() ? provider.auth_type : provider.grant_type),
                 "run: nexus connect " + provider.name};
  NEXUS_TRY(const auto row, prepare(request, provider, caller));
  NEXUS_CHECK(unattended_grants_.adopt(row, provider, refresh_token, caller));
  NEXUS_TRY(auto active, store_.connection(row.id));
  if (!active) return no_such_connection(row.id);
  return *std::move(active);
}

Result<ConnectionRow> Connections::find(const std::string& reference, const std::string& workspace,
                                        const Caller& caller, Right right) {
  NEXUS_TRY(auto row, find_row(reference, workspace, caller));
  NEXUS_CHECK(require(caller, right, row, reference));
  return row;
}

Result<ConnectionRow> Connections::find_row(const std::string& reference,
                                            const std::string& workspace, const Caller& caller) {
  if (reference.starts_with("conn_")) {
    if (!is_connection_id(reference)) return no_such_connection(reference);
    NEXUS_TRY(auto row, store_.connection(reference));
    if (!row) return no_such_connection(reference);
    return *std::move(row);
  }
  NEXUS_TRY(auto aliased, store_.connection_aliased(workspace, reference));
  if (aliased) return *std::move(aliased);
  NEXUS_TRY(auto candidates, store_.connections_of(workspace, lower(reference)));
  std::erase_if(candidates,
                [&](const ConnectionRow& row) { return !may(caller, Right::read, row); });
  if (candidates.empty()) return no_such_connection(reference);
  // Active ones come first: where there is one, those that need a person do not count.
  if (candidates.front().status == "active")
    std::erase_if(candidates, [](const auto& row) { return row.status != "active"; });
  if (candidates.size() == 1) return std::move(candidates.front());
  constexpr std::size_t kShown = 20;
  std::vector<std::string> names;
  for (const auto& row : candidates)
    if (names.size() < kShown) names.push_back(row.id + told_apart(row));
  return Error{ErrorCode::connection_ambiguous,
               printable(reference, 80) + " stands for several connections: " + join(names, ", "),
               "name one of them by its id, or give it an alias: nexus alias CONN NAME"};
}

Result<ConnectionRow> Connections::newest(const std::string& provider_name,
                                          const std::string& workspace, const Caller& caller) {
  NEXUS_TRY(auto candidates, store_.connections_of(workspace, lower(provider_name)));
  for (auto& row : candidates)
    if (may(caller, Right::use, row)) return std::move(row);
  return Error{ErrorCode::connection_not_found,
               "the workspace has no connection with " + printable(provider_name, 80),
               "start one with request-connection"};
}

Result<std::vector<ConnectionRow>> Connections::list(const ConnectionFilter& filter,
                                                     const Caller& caller) {
  NEXUS_TRY(auto rows, store_.connections(filter));
  std::erase_if(rows, [&](const ConnectionRow& row) { return !may(caller, Right::read, row); });
  return rows;
}

api::Connection Connections::describe(const ConnectionRow& row) const {
  api::Connection c;
  c.id = row.id;
  c.alias = row.alias;
  c.provider = row.provider_name;
  c.provider_id = row.provider_id;
  c.auth_type = row.auth_type;
  c.workspace = row.workspace;
  c.account = row.account;
  c.status = row.status == "revoked" ? "failed" : row.status;
  c.scopes = split(
      row.status == "pending" || row.status == "failed" ? row.requested_scopes : row.token.scopes,
      ' ');
  c.created_at = row.created_at;
  c.updated_at = row.updated_at;
  c.last_refresh_at = row.last_refresh_at;
  c.error_code = row.error_code;
  c.error_message = row.error_message;
  if (row.status == "active") {
    // Told by the wall clock, as people and programs read it.
    c.expires_at = row.token.expires_at;
    if (c.expires_at) *c.expires_at -= clock_ahead();
    c.next_refresh_at = row.refresh_at;
    if (c.next_refresh_at) *c.next_refresh_at -= clock_ahead();
  }
  if (row.status == "pending") {
    c.expires_at = row.pending_until;
    if (row.pending_until <= clock_()) {
      c.status = "failed";
      c.error_code = "expired";
      c.error_message = "nobody gave consent in time";
    }
  }
  if (row.status == "revoked") {
    c.error_code = "revoked";
    c.error_message = "it was disconnected";
  }
  return c;
}

Result<void> Connections::set_alias(const ConnectionRow& row, const std::string& alias,
                                    const Caller& caller) {
  NEXUS_CHECK(check_alias(alias));
  if (row.status == "revoked" || row.status == "failed") return no_such_connection(row.id);
  NEXUS_CHECK(store_.set_alias(row.id, alias, clock_()));
  return audit_.commit({.event = "connection.updated",
                        .connection_id = row.id,
                        .provider = row.provider_name,
                        .detail = "alias"},
                       caller);
}

Result<RevocationReport> Connections::revoke(const ConnectionRow& row, bool keep_grant,
                                             const std::string& reason, const Caller& caller) {
  RevocationReport report{row.id, row.provider_name, row.updated_at, true, {}};
  if (row.status == "revoked") {
    NEXUS_TRY(report.at_provider, revocations_.state(row.id));
    return report;
  }
  report.already_revoked = false;
  report.revoked_at = clock_();
  auto& state = report.at_provider;
  std::optional<RevocationRow> pending;
  if (keep_grant) {
    state.error = "the grant was kept as asked";
  } else if (row.status == "active" || row.status == "attention_required") {
    pending = revocations_.plan(row, state.error);
  }
  // Recorded before anybody is asked: a daemon that ends meanwhile asks when it is back.
  state.pending = pending.has_value();
  NEXUS_CHECK(store_.revoke(row.id, Revocations::to_text(state), pending, report.revoked_at));
  downscoped_.forget(row.id);
  if (pending) state = revocations_.attempt(row.id, Revocations::Told::to_caller);
  const auto told = state.revoked   ? "also at the provider"
                    : state.pending ? "the provider is asked again: " + state.error
                                    : state.error;
  NEXUS_CHECK(audit_.commit(
      {.event = "connection.revoked",
       .connection_id = row.id,
       .provider = row.provider_name,
       .detail = told + (reason.empty() ? "" : "; reason: " + printable(reason, 200))},
      caller));
  return report;
}

}  // namespace nexus
