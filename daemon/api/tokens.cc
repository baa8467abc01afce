#include <optional>

#include "common/text.h"
#include "daemon/api/handlers.h"
#include "daemon/http/responses.h"

namespace nexus::api {
namespace {

constexpr std::int64_t kLongestTtl = 365 * 24 * 3600;

/// Whoever gets a token, or is refused one, is on record before the answer leaves.
Tokens::Done respond_with_token(Services& services, const Caller& caller, http::Respond respond) {
  return [&services, caller, respond = std::move(respond)](Result<TokenAnswer> token) {
    if (!token) {
      auto response = http::error_response(token.error());
      response.audit.push_back(services.audit.record({.event = "token_retrieval_failed",
                                                      .outcome = "failure",
                                                      .connection_id = token.error().connection_id,
                                                      .provider = token.error().provider,
                                                      .detail = token.error().wire()},
                                                     caller));
      return respond(std::move(response));
    }
    http::Response response;
    response.body = std::move(token->payload);
    response.audit.push_back(services.audit.record({.event = "token_retrieved",
                                                    .connection_id = token->connection_id,
                                                    .provider = token->provider},
                                                   caller));
    respond(std::move(response));
  };
}

/// An id needs no look-up of its own: the fetch tells whether it exists.
Result<std::string> id_of(Services& services, const http::Request& request,
                          const std::string& reference) {
  if (reference.starts_with("conn_")) return reference;
  NEXUS_TRY(const auto row, services.connections.find(reference, workspace_of(request)));
  return row.id;
}

}  // namespace

void get_token(Services& services, const http::Request& request, const Arguments& args,
               http::Respond respond) {
  auto done = respond_with_token(services, request.caller, std::move(respond));
  const auto min_ttl_text = request.query_value("min_ttl");
  const auto min_ttl =
      min_ttl_text.empty() ? std::optional<std::int64_t>(0) : parse_number(min_ttl_text);
  if (!min_ttl || *min_ttl > kLongestTtl)
    return done(Error{ErrorCode::invalid_field, "min_ttl is not a number of seconds",
                      "give whole seconds, for example 60"});
  const auto id = id_of(services, request, args[0]);
  if (!id) return done(id.error());
  services.tokens.fetch(*id, *min_ttl, std::move(done));
}

void refresh_token(Services& services, const http::Request& request, const Arguments& args,
                   http::Respond respond) {
  auto done = respond_with_token(services, request.caller, std::move(respond));
  const auto id = id_of(services, request, args[0]);
  if (!id) return done(id.error());
  services.tokens.refresh(*id, std::move(done));
}

}  // namespace nexus::api
