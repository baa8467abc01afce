#include <optional>

#include "common/text.h"
#include "daemon/api/handlers.h"
#include "daemon/api/references.h"
#include "daemon/api/token_payload.h"
#include "daemon/connect/visible_providers.h"
#include "daemon/connection_errors.h"
#include "daemon/http/responses.h"
#include "daemon/metrics.h"

namespace nexus::api {
namespace {

constexpr std::int64_t kLongestTtl = 365 * 24 * 3600;

using Payload = SecretText (*)(const FetchedToken& token, UnixTime now);

/// What a hint may call the connection: aliases are of their workspace, which the next command
/// need not be about. "" for its id.
std::string name_for_hints(const http::Request& request, const std::string& reference) {
  return workspace_of(request) == "default" ? reference : "";
}

/// Whoever gets a token, or is refused one, is on record before the answer leaves.
Tokens::Done respond_with_token(Services& services, const Caller& caller,
                                const std::string& reference, Payload payload,
                                http::Respond respond) {
  return [&services, caller, reference, payload,
          respond = std::move(respond)](Result<FetchedToken> token) {
    if (!token) {
      const auto& error = token.error();
      if (error.code == ErrorCode::connection_pending)
        if (const auto row = services.store.connection(error.connection_id); row && *row)
          services.device_flow.advance(**row);
      const bool out_of_scope = error.code == ErrorCode::connection_out_of_scope ||
                                error.code == ErrorCode::access_denied;
      const bool refused = out_of_scope || is_about_use(error);
      auto response = http::error_response(in_words_of(reference, error));
      response.audit.push_back(
          services.audit.record({.event = AuditEvent::token_retrieval_failed,
                                 .outcome = refused ? AuditOutcome::refused : AuditOutcome::failure,
                                 .connection_id = error.connection_id,
                                 .provider = error.provider,
                                 .detail = out_of_scope ? "out_of_scope" : error.wire()},
                                caller));
      return respond(std::move(response));
    }
    http::Response response;
    response.body = payload(*token, system_now());
    metrics::token_handed_out(token->provider, !token->id_token.empty());
    response.audit.push_back(services.audit.record({.event = AuditEvent::token_retrieved,
                                                    .connection_id = token->connection_id,
                                                    .provider = token->provider,
                                                    .detail = describe(token->target)},
                                                   caller));
    respond(std::move(response));
  };
}

/// In which form, by query or, for clients that can only add a header, by that. Error:
/// invalid_field.
Result<Payload> payload_asked_for(const http::Request& request) {
  auto form = request.query_value("strategy");
  if (form.empty()) form = request.header("x-nexus-strategy");
  if (form.empty()) return Payload{token_payload};
  if (form == "bridge") return Payload{bridge_payload};
  return Error{ErrorCode::invalid_field,
               "there is no form '" + printable(form, 40) + "' of a strategy",
               "ask for strategy=bridge, or leave it out"};
}

/// The token that an API refused, by its SHA-256; "" where the query names none. Error:
/// invalid_field.
Result<std::string> refused_token(const http::Request& request) {
  const auto digits = lower(request.query_value("if_token_sha256"));
  const bool wrong =
      digits.size() != 64 || digits.find_first_not_of("0123456789abcdef") != std::string::npos;
  if (!digits.empty() && wrong)
    return Error{ErrorCode::invalid_field, "if_token_sha256 is not 64 hexadecimal digits",
                 "give the SHA-256 of the access token that was refused"};
  return digits;
}

/// What the query asks the token to be good for.
TokenTarget target_in(const http::Request& request) {
  return {request.query_value("scope"), request.query_value("audience")};
}

}  // namespace

void get_token(Services& services, const http::Request& request, const Arguments& args,
               http::Respond respond) {
  const auto payload = payload_asked_for(request);
  auto done = respond_with_token(services, request.caller, name_for_hints(request, args[0]),
                                 payload ? *payload : token_payload, std::move(respond));
  if (!payload) return done(payload.error());
  const auto min_ttl_text = request.query_value("min_ttl");
  const auto min_ttl =
      min_ttl_text.empty() ? std::optional<std::int64_t>(0) : parse_number(min_ttl_text);
  if (!min_ttl || *min_ttl > kLongestTtl)
    return done(Error{ErrorCode::invalid_field, "min_ttl is not a number of seconds",
                      "give whole seconds, for example 60"});
  const auto id = id_of(services, request.caller, args[0], workspace_of(request), Right::use,
                        services.limits.token);
  if (!id) return done(id.error());
  auto target = target_in(request);
  if (target.is_everything())
    return services.tokens.fetch(*id, *min_ttl, request.caller, std::move(done));
  services.tokens.fetch_downscoped(*id, std::move(target), *min_ttl, false, request.caller,
                                   std::move(done));
}

void refresh_token(Services& services, const http::Request& request, const Arguments& args,
                   http::Respond respond) {
  const auto payload = payload_asked_for(request);
  auto done = respond_with_token(services, request.caller, name_for_hints(request, args[0]),
                                 payload ? *payload : token_payload, std::move(respond));
  if (!payload) return done(payload.error());
  const auto refused = refused_token(request);
  if (!refused) return done(refused.error());
  const auto id = id_of(services, request.caller, args[0], workspace_of(request), Right::use,
                        services.limits.refresh);
  if (!id) return done(id.error());
  auto target = target_in(request);
  if (!refused->empty() && !target.is_everything())
    return done(
        Error{ErrorCode::invalid_field,
              "if_token_sha256 tells a connection's own token, not one for a scope or audience",
              "ask without scope and audience"});
  if (!refused->empty())
    return services.tokens.replace_refused(*id, *refused, request.caller, std::move(done));
  if (target.is_everything()) return services.tokens.refresh(*id, request.caller, std::move(done));
  services.tokens.fetch_downscoped(*id, std::move(target), 0, true, request.caller,
                                   std::move(done));
}

void resolve_token(Services& services, const http::Request& request, const Arguments&,
                   http::Respond respond) {
  auto done = respond_with_token(services, request.caller, "", resolve_payload, std::move(respond));
  if (const auto payload = payload_asked_for(request); !payload) return done(payload.error());
  const auto workspace = named_workspace(request);
  auto provider = request.query_value("provider_name");
  if (const auto id = request.query_value("provider_id"); provider.empty() && !id.empty()) {
    const auto found = visible_provider(services.providers, request.caller, id);
    if (!found) return done(found.error());
    provider = found->name;
  }
  if (workspace.empty() || provider.empty())
    return done(Error{ErrorCode::missing_fields, "workspace_id or provider_name is missing",
                      "give both in the query"});
  if (const auto admitted = admit(services.limits.resolve, request.caller, workspace); !admitted)
    return done(admitted.error());
  const auto row = services.connections.newest(provider, workspace, request.caller);
  if (!row) {
    const auto known = visible_provider_named(services.providers, request.caller, provider);
    return done(known ? row.error() : known.error());
  }
  services.tokens.fetch(row->id, 0, request.caller, std::move(done));
}

}  // namespace nexus::api
